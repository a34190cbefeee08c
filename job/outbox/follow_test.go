package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"

	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	meetinggen "zhihuidangjian/idl/gen/meeting"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	pointsgen "zhihuidangjian/idl/gen/points"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/job/outbox"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/audit"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/meeting"
	notifydomain "zhihuidangjian/rpc/notify"
	"zhihuidangjian/rpc/points"
	"zhihuidangjian/rpc/wechat"
)

// branch is a party service of one branch of three: bound, bound, unbound.
type branch struct{ party }

func (branch) all(keep func(id string) bool) *partygen.Members {
	out := &partygen.Members{}
	for _, m := range []*partygen.Member{{Id: "a", OpenId: "o-a"}, {Id: "b", OpenId: "o-b"}, {Id: "c"}} {
		if keep(m.Id) {
			m.Name, m.OrgId, m.OrgName, m.Orgs, m.Status, m.MemberType = "党员"+m.Id, "b1", "第一支部", []string{"root", "b1"}, "active", "fullMember"
			out.Members = append(out.Members, m)
		}
	}
	return out
}

func (b branch) GetPlaces(_ context.Context, q *partygen.PlacesReq) (*partygen.OrgPlaces, error) {
	out := &partygen.OrgPlaces{}
	for _, id := range q.OrgIds {
		out.Places = append(out.Places, &partygen.OrgPlace{Id: id, OrgName: "第一支部", Orgs: []string{"root", id}})
	}
	return out, nil
}

func (b branch) GetMembers(_ context.Context, q *partygen.MembersReq) (*partygen.Members, error) {
	return b.all(func(id string) bool { return slices.Contains(q.MemberIds, id) }), nil
}

func (b branch) ListMembers(context.Context, *partygen.OrgReq) (*partygen.Members, error) {
	return b.all(func(string) bool { return true }), nil
}

// inbox is WeChat: it keeps what it took.
type inbox struct {
	wechat.Messenger
	mu  sync.Mutex
	got []string
}

func (i *inbox) SendTemplate(_ context.Context, m wechat.TemplateMessage) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = append(i.got, m.OpenID+" "+m.Fields["title"])
	return nil
}

// take returns what came since the last time.
func (i *inbox) take() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	got := i.got
	i.got = nil
	slices.Sort(got)
	return got
}

// TestMeetingToPeople runs meetings, relay, notices and points together.
func TestMeetingToPeople(t *testing.T) {
	db, redis, clock, wx := modeltest.DB(t), modeltest.Redis(t), &kit.Clock{}, &inbox{}
	people := partysvc.Wrap(kit.NewLocal(func(s server.Server) error { return partysvc.RegisterService(s, branch{}) }))
	m, err := meeting.New(meeting.Deps{DB: db, Clock: clock, Party: people, Secret: []byte(strings.Repeat("s", 32)), PublicURL: "http://dj.test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	p, err := points.New(points.Deps{DB: db, Redis: redis, Clock: clock, Party: people})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	n, err := notifydomain.New(notifydomain.Deps{DB: db, Clock: clock, Seal: modeltest.Sealer(t), Party: people, Messenger: wx, PublicURL: "http://dj.test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	meetings := meetingsvc.Wrap(kit.NewLocal(func(s server.Server) error { return meetingsvc.RegisterService(s, m) }))
	ledger := pointssvc.Wrap(kit.NewLocal(func(s server.Server) error { return pointssvc.RegisterService(s, p) }))
	notices := notifysvc.Wrap(kit.NewLocal(func(s server.Server) error { return notifysvc.RegisterService(s, n) }))
	a, err := audit.New(audit.Deps{DB: db, Clock: clock, Seal: modeltest.Sealer(t), Party: people})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	entries := auditsvc.Wrap(kit.NewLocal(func(s server.Server) error { return auditsvc.RegisterService(s, a) }))
	relay := outbox.New(outbox.Deps{DB: db, Redis: redis, Points: ledger, Notify: notices, Audit: entries})

	admin := kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: "u", OrgID: "b1", Orgs: []string{"root", "b1"}, Permissions: []string{"*"}})
	member := func(id string) context.Context {
		return kit.WithCaller(t.Context(), kit.Caller{Kind: kit.Member, MemberID: id, Name: "党员" + id, OrgID: "b1", Orgs: []string{"root", "b1"}})
	}
	follow := func() {
		t.Helper()
		if _, err := relay.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := notices.Deliver(kit.AsSystem(t.Context()), &recordsgen.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		ID      string   `json:"id"`
		State   string   `json:"state"`
		Actions []string `json:"_actions"`
	}
	read := func(j *recordsgen.JSON, err error) (r row) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(j.Json, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	add := func(title string, from, to time.Duration) string {
		t.Helper()
		now := clock.Now()
		b, _ := json.Marshal(map[string]any{
			"title": title, "meetingType": "branch", "meetingForm": "offline", "place": "二楼", "needSignIn": true,
			"startAt": now.Add(from).Format(time.RFC3339), "endAt": now.Add(to).Format(time.RFC3339),
			"noticeForm": []string{"wechat", "site"}, "participantOrgId": "b1",
		})
		r := read(m.Save(admin, &recordsgen.SaveReq{Type: "meeting", Json: b}))
		if r.State != "draft" || !slices.Equal(r.Actions, []string{"view", "update", "delete", "start"}) {
			t.Fatalf("%+v", r)
		}
		return r.ID
	}
	mine := func(id string) []string {
		t.Helper()
		l, err := meetings.ListMine(member(id), &recordsgen.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, x := range l.Meetings {
			ids = append(ids, x.Id)
		}
		return ids
	}

	var running string
	t.Run("MEET-12 a start shows the meeting to its participants and tells them once", func(t *testing.T) {
		running = add("党员大会", 0, time.Hour)
		follow()
		if got := mine("a"); len(got) != 0 || len(wx.take()) != 0 {
			t.Errorf("before the start: %v", got)
		}
		if _, err := m.Act(admin, &recordsgen.ActReq{Type: "meeting", Id: running, Action: "start"}); err != nil {
			t.Fatal(err)
		}
		_, err := m.Act(admin, &recordsgen.ActReq{Type: "meeting", Id: running, Action: "start"})
		if kit.FromError(err).Key != "meeting.started" {
			t.Errorf("a second start: %v", err)
		}
		follow()
		follow()
		if got := wx.take(); !slices.Equal(got, []string{"o-a 党员大会", "o-b 党员大会"}) {
			t.Errorf("messages: %v", got)
		}
		r := read(m.Get(admin, &recordsgen.IDReq{Type: "meeting", Id: running}))
		if r.State != "running" || !slices.Equal(r.Actions, []string{"view", "delete", "qr", "statistics", "deliveries"}) {
			t.Errorf("%+v", r)
		}
		for _, id := range []string{"a", "b", "c"} {
			l, err := notices.ListMine(member(id), &recordsgen.Empty{})
			if err != nil || len(l.Notifications) != 1 || l.Notifications[0].TargetId != running || !slices.Equal(mine(id), []string{running}) {
				t.Errorf("%s: %+v %v, list %v", id, l, err, mine(id))
			}
		}
	})
	t.Run("MEET-06 bound participants get one message, and none of a meeting that is over", func(t *testing.T) {
		over := add("补录的会议", -2*time.Hour, 0)
		r, err := m.Act(admin, &recordsgen.ActReq{Type: "meeting", Id: over, Action: "start"})
		if err != nil || !bytes.Contains(r.Json, []byte("不再通知")) {
			t.Errorf("%+v %v", r, err)
		}
		follow()
		if got := wx.take(); len(got) != 0 {
			t.Errorf("messages: %v", got)
		}
		ahead := add("下周的会议", 7*24*time.Hour, 8*24*time.Hour)
		if _, err := m.Act(admin, &recordsgen.ActReq{Type: "meeting", Id: ahead, Action: "start"}); err != nil {
			t.Fatal(err)
		}
		follow()
		if got := wx.take(); !slices.Equal(got, []string{"o-a 下周的会议", "o-b 下周的会议"}) {
			t.Errorf("messages: %v", got)
		}
	})
	t.Run("MEET-11 deleted meetings leave both lists, the points stay", func(t *testing.T) {
		qr, err := meetings.GetQR(admin, &meetinggen.MeetingReq{Id: running})
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(qr.Url, "?t=")
		if _, err := meetings.SignIn(member("a"), &meetinggen.CheckInReq{Token: token}); err != nil {
			t.Fatal(err)
		}
		follow()
		before := mine("a")
		if _, err := m.Delete(admin, &recordsgen.IDsReq{Type: "meeting"}); err == nil || kit.FromError(err).Message != "请选择要删除的数据" {
			t.Errorf("none ticked: %v", err)
		}
		if _, err := m.Delete(admin, &recordsgen.IDsReq{Type: "meeting", Ids: []string{running}}); err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(before), func(id string) bool { return id == running })
		if got := mine("a"); !slices.Equal(got, want) {
			t.Errorf("phone: %v, want %v", got, want)
		}
		j, err := m.List(admin, &recordsgen.ListReq{Type: "meeting"})
		if err != nil {
			t.Fatal(err)
		}
		var l struct{ Items []row }
		if err := json.Unmarshal(j.Json, &l); err != nil || len(l.Items) != 2 || slices.ContainsFunc(l.Items, func(r row) bool { return r.ID == running }) {
			t.Errorf("console: %+v %v", l, err)
		}
		me, err := ledger.GetMine(member("a"), &recordsgen.Empty{})
		if err != nil || me.Score != 200 || me.Rank != 1 || me.Of != 3 {
			t.Errorf("points: %+v %v", me, err)
		}
		r, err := ledger.GetRanking(admin, &pointsgen.RankReq{Dimension: "personal"})
		if err != nil || r.Rows[0].Id != "a" || r.Rows[0].Score != 200 {
			t.Errorf("ranking: %+v %v", r, err)
		}
	})
}
