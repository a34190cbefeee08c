package meeting_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	meetinggen "zhihuidangjian/idl/gen/meeting"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/meeting"
)

// roster is a party service of one root, two branches and their members.
type roster struct {
	partygen.Party
	members []*partygen.Member
}

var paths = map[string][]string{"root": {"root"}, "b1": {"root", "b1"}, "b2": {"root", "b2"}}
var names = map[string]string{"root": "党委", "b1": "第一支部", "b2": "第二支部"}

func (r *roster) add(org string, n int) {
	for i := range n {
		r.members = append(r.members, &partygen.Member{
			Id: fmt.Sprintf("%s-m%03d", org, i), Name: fmt.Sprintf("%s党员%d", names[org], i), Phone: "138****0000",
			OrgId: org, OrgName: names[org], Orgs: paths[org], Status: "active",
		})
	}
}

func (r *roster) find(keep func(*partygen.Member) bool) *partygen.Members {
	out := &partygen.Members{}
	for _, m := range r.members {
		if keep(m) {
			out.Members = append(out.Members, m)
		}
	}
	return out
}

func (r *roster) GetOrganization(_ context.Context, q *partygen.OrgReq) (*partygen.Organization, error) {
	if paths[q.OrgId] == nil {
		return nil, kit.ErrNotFound
	}
	return &partygen.Organization{Id: q.OrgId, OrgName: names[q.OrgId], Orgs: paths[q.OrgId]}, nil
}

func (r *roster) GetPlaces(ctx context.Context, req *partygen.PlacesReq) (*partygen.OrgPlaces, error) {
	out := &partygen.OrgPlaces{}
	for _, id := range req.OrgIds {
		if o, err := r.GetOrganization(ctx, &partygen.OrgReq{OrgId: id}); err == nil {
			out.Places = append(out.Places, &partygen.OrgPlace{Id: o.Id, OrgName: o.OrgName, Orgs: o.Orgs})
		}
	}
	return out, nil
}

func (r *roster) GetMembers(_ context.Context, q *partygen.MembersReq) (*partygen.Members, error) {
	return r.find(func(m *partygen.Member) bool { return slices.Contains(q.MemberIds, m.Id) }), nil
}

func (r *roster) ListGuests(context.Context, *partygen.MemberReq) (*partygen.Members, error) {
	return &partygen.Members{}, nil
}

func (r *roster) ListMembers(_ context.Context, q *partygen.OrgReq) (*partygen.Members, error) {
	return r.find(func(m *partygen.Member) bool { return slices.Contains(m.Orgs, q.OrgId) }), nil
}

// fixture is a meeting service and what it stands on.
type fixture struct {
	*testing.T
	meetinggen.Meeting
	recordsgen.Records
	impl   *meeting.Service
	db     *mongo.Database
	clock  *kit.Clock
	roster *roster
	codec  bool
}

var nine = time.Date(2026, 11, 22, 9, 0, 0, 0, kit.Shanghai)

func (f *fixture) at(t time.Time) { f.clock.SetOffset(time.Until(t)) }

// service is one more process on the same store.
func (f *fixture) service(secret string) (*kit.Local, *meeting.Service) {
	f.Helper()
	local := kit.NewLocal(func(s server.Server) error { return partysvc.RegisterService(s, f.roster) })
	local.Codec = f.codec
	impl, err := meeting.New(meeting.Deps{
		DB: f.db, Clock: f.clock, Party: partysvc.Wrap(local), Secret: []byte(secret), PublicURL: "http://dj.test",
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(impl.Close)
	own := kit.NewLocal(func(s server.Server) error {
		return errors.Join(meetingsvc.RegisterService(s, impl), recordsvc.RegisterService(s, impl))
	})
	own.Codec = f.codec
	return own, impl
}

// call lets the fixture call one process.
func (f *fixture) call() {
	f.Helper()
	own, impl := f.service(secret)
	f.Meeting, f.Records, f.impl = meetingsvc.Wrap(own), recordsvc.Wrap(own), impl
}

const secret = "a secret for tests only, of 32 bytes and more"

func transports(t *testing.T, test func(*fixture)) {
	for name, codec := range map[string]bool{"in process": false, "codec": true} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, db: modeltest.DB(t), clock: &kit.Clock{}, roster: &roster{}, codec: codec}
			f.at(nine)
			f.roster.add("b1", 5)
			f.roster.add("b2", 2)
			f.call()
			test(f)
		})
	}
}

func admin(ctx context.Context, org string) context.Context {
	return kit.WithCaller(ctx, kit.Caller{Kind: kit.User, UserID: "u-" + org, OrgID: org, Orgs: paths[org], TopLevel: org == "root", Permissions: []string{"*"}})
}

func (f *fixture) member(id string) context.Context {
	for _, m := range f.roster.members {
		if m.Id == id {
			return kit.WithCaller(f.Context(), kit.Caller{Kind: kit.Member, MemberID: id, Name: m.Name, OrgID: m.OrgId, Orgs: m.Orgs})
		}
	}
	f.Fatalf("no member %s", id)
	return nil
}

// form is a valid meeting of branch b1, from nine to eleven.
func form(change map[string]any) map[string]any {
	v := map[string]any{
		"title": "支部党员大会", "meetingType": "branch", "meetingForm": "offline", "place": "二楼会议室", "agenda": "学习",
		"startAt": nine.Format(time.RFC3339), "endAt": nine.Add(2 * time.Hour).Format(time.RFC3339),
		"needSignIn": true, "noticeForm": []string{"site", "wechat"}, "participantOrgId": "b1", "recorderIds": []string{"b1-m000"},
	}
	maps.Copy(v, change)
	return v
}

type row struct {
	ID           string   `json:"id"`
	Version      int64    `json:"version"`
	Title        string   `json:"title"`
	State        string   `json:"state"`
	Actions      []string `json:"_actions"`
	Participants []string `json:"participantIds"`
	NoticeForm   []string `json:"noticeForm"`
}

func (f *fixture) save(ctx context.Context, id string, version int64, v map[string]any) (row, error) {
	b, _ := json.Marshal(v)
	j, err := f.Save(ctx, &recordsgen.SaveReq{Type: "meeting", Id: id, Version: version, Json: b})
	var r row
	if err == nil {
		err = json.Unmarshal(j.Json, &r)
	}
	return r, err
}

func (f *fixture) create(change map[string]any) row {
	f.Helper()
	r, err := f.save(admin(f.Context(), "b1"), "", 0, form(change))
	if err != nil {
		f.Fatal(err)
	}
	return r
}

// start starts a meeting and answers what its admin is told.
func (f *fixture) start(ctx context.Context, id string) (string, error) {
	f.Helper()
	j, err := f.Records.Act(ctx, &recordsgen.ActReq{Type: "meeting", Id: id, Action: "start"})
	if err != nil {
		return "", err
	}
	var row struct {
		Done string `json:"_done"`
	}
	if err := json.Unmarshal(j.Json, &row); err != nil {
		f.Fatal(err)
	}
	return row.Done, nil
}

// started is a started meeting with its code's token.
func (f *fixture) started(change map[string]any) (id, token string) {
	f.Helper()
	id = f.create(change).ID
	if _, err := f.start(admin(f.Context(), "b1"), id); err != nil {
		f.Fatal(err)
	}
	return id, f.token(id)
}

func (f *fixture) token(id string) string {
	f.Helper()
	qr, err := f.GetQR(admin(f.Context(), "b1"), &meetinggen.MeetingReq{Id: id})
	if err != nil {
		f.Fatal(err)
	}
	_, token, ok := strings.Cut(qr.Url, "http://dj.test/m/#/pages/sign-in/index?t=")
	if !ok || !strings.HasPrefix(qr.Image, "data:image/png;base64,") || qr.RefreshAt <= f.clock.Now().UnixMilli() {
		f.Fatalf("code: %s %.30s %d", qr.Url, qr.Image, qr.RefreshAt)
	}
	return token
}

func refused(t *testing.T, err error, key, message string) {
	t.Helper()
	if e := kit.FromError(err); err == nil || e.Key != key || !strings.Contains(e.Message, message) {
		t.Errorf("got %v, want %s %s", err, key, message)
	}
}

func (f *fixture) count(collection string) int64 {
	f.Helper()
	n, err := f.db.Collection(collection).CountDocuments(f.Context(), bson.D{})
	if err != nil {
		f.Fatal(err)
	}
	return n
}

func TestRecord(t *testing.T) {
	transports(t, func(f *fixture) {
		b1 := admin(f.Context(), "b1")
		f.Run("MEET-05 the start cannot be after the end; equal times are fine", func(t *testing.T) {
			late := form(map[string]any{"startAt": nine.Add(3 * time.Hour).Format(time.RFC3339)})
			_, err := f.save(b1, "", 0, late)
			refused(t, err, "invalid", "会议开始时间不能晚于会议结束时间")
			r := f.create(map[string]any{"endAt": nine.Format(time.RFC3339)})
			_, err = f.save(b1, r.ID, r.Version, late)
			refused(t, err, "invalid", "会议开始时间不能晚于会议结束时间")
		})
		f.Run("required fields are named and nothing is stored", func(t *testing.T) {
			before := f.count("meetings")
			for key, empty := range map[string]any{"title": "", "meetingType": "", "noticeForm": []string{}, "place": "", "participantOrgId": ""} {
				_, err := f.save(b1, "", 0, form(map[string]any{key: empty}))
				mark := key
				if key == "participantOrgId" {
					mark = "participantIds"
				}
				if e := kit.FromError(err); err == nil || e.Fields[mark] == "" {
					t.Errorf("%s: %v", key, err)
				}
			}
			_, err := f.save(b1, "", 0, form(map[string]any{"meetingForm": "picnic"}))
			refused(t, err, "invalid", "会议形式")
			if f.count("meetings") != before {
				t.Error("something was stored")
			}
		})
		f.Run("participants are active members of the admin's subtree", func(t *testing.T) {
			for _, change := range []map[string]any{
				{"participantOrgId": "", "participantIds": []string{"b1-m000", "b2-m000"}},
				{"participantOrgId": "b2"}, {"participantOrgId": "root"}, {"participantOrgId": "", "participantIds": []string{"nobody"}},
			} {
				_, err := f.save(b1, "", 0, form(change))
				refused(t, err, "invalid", "不存在或不在管理范围内")
			}
			if r := f.create(nil); len(r.Participants) != 5 {
				t.Errorf("everybody of the branch: %v", r.Participants)
			}
		})
		f.Run("MEET-09 participants and forms of notice stay as they were created", func(t *testing.T) {
			r := f.create(nil)
			for _, change := range []map[string]any{
				{"participantIds": []string{"b1-m000"}}, {"participantOrgId": "b2"}, {"noticeForm": []string{"sms"}},
			} {
				_, err := f.save(b1, r.ID, r.Version, change)
				refused(t, err, "meeting.fixed", "参加对象和通知形式不可修改")
			}
			again, err := f.save(b1, r.ID, r.Version, form(map[string]any{"title": "改名"}))
			if err != nil || again.Title != "改名" || !slices.Equal(again.Participants, r.Participants) || !slices.Equal(again.NoticeForm, r.NoticeForm) {
				t.Errorf("%+v %v", again, err)
			}
		})
		f.Run("MEET-10 a started meeting cannot be changed", func(t *testing.T) {
			id, _ := f.started(nil)
			j, err := f.Records.Get(b1, &recordsgen.IDReq{Type: "meeting", Id: id})
			if err != nil {
				t.Fatal(err)
			}
			var r row
			if err := json.Unmarshal(j.Json, &r); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(r.Actions, "update") || slices.Contains(r.Actions, "start") || !slices.Contains(r.Actions, "qr") || !slices.Contains(r.Actions, "statistics") || !slices.Contains(r.Actions, "deliveries") {
				t.Errorf("buttons: %v", r.Actions)
			}
			_, err = f.save(b1, id, r.Version, map[string]any{"title": "改名"})
			refused(t, err, "meeting.started", "会议已启动，不可修改")
		})
		f.Run("a sibling branch's admin finds nothing", func(t *testing.T) {
			id, _ := f.started(nil)
			b2, q := admin(f.Context(), "b2"), &meetinggen.MeetingReq{Id: id}
			draft := f.create(nil)
			_, err := f.start(b2, draft.ID)
			refused(t, err, "not_found", "")
			_, err = f.GetQR(b2, q)
			refused(t, err, "not_found", "")
			_, err = f.GetLive(b2, q)
			refused(t, err, "not_found", "")
			_, err = f.GetStatistics(b2, q)
			refused(t, err, "not_found", "")
			_, err = f.ExportStatistics(b2, q)
			refused(t, err, "not_found", "")
			_, err = f.Records.Get(b2, &recordsgen.IDReq{Type: "meeting", Id: id})
			refused(t, err, "not_found", "")
			_, err = f.save(b2, draft.ID, draft.Version, map[string]any{"title": "别人的"})
			refused(t, err, "not_found", "")
			_, err = f.Delete(b2, &recordsgen.IDsReq{Type: "meeting", Ids: []string{draft.ID}})
			refused(t, err, "not_found", "")
		})
	})
}

func TestStart(t *testing.T) {
	transports(t, func(f *fixture) {
		b1 := admin(f.Context(), "b1")
		f.Run("a start tells the participants once; a second one is refused", func(t *testing.T) {
			id := f.create(nil).ID
			var ok atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if _, err := f.start(b1, id); err == nil {
						ok.Add(1)
					} else if kit.FromError(err).Key != "meeting.started" {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			var m model.Meeting
			if err := f.db.Collection("meetings").FindOne(f.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&m); err != nil {
				t.Fatal(err)
			}
			m.Pending = slices.DeleteFunc(m.Pending, func(e model.Event) bool { return e.Kind == model.EventAudited }) // its creation
			var told model.Told
			if ok.Load() != 1 || len(m.Pending) != 1 || m.Pending[0].Kind != model.EventTold || json.Unmarshal(m.Pending[0].Payload, &told) != nil || len(told.MemberIDs) != 5 {
				t.Fatalf("%d starts, events %+v", ok.Load(), m.Pending)
			}
			when := m.StartAt.In(kit.Shanghai).Format("2006年01月02日 15:04")
			if told.Kind != "meetingStarted" || told.TargetID != m.ID || told.Page != "pages/meeting/detail?id="+m.ID || !told.Traced || !slices.Equal(told.Channels, m.NoticeForm) ||
				told.Content != "“"+m.Title+"”将于"+when+"开始，地点："+m.Place || told.Fields["time"] != when {
				t.Errorf("told %+v of %+v", told, m)
			}
		})
		f.Run("one that is over is stored, nobody is told, the admin knows", func(t *testing.T) {
			id := f.create(map[string]any{"startAt": nine.Add(-3 * time.Hour).Format(time.RFC3339), "endAt": nine.Format(time.RFC3339)}).ID
			r, err := f.start(b1, id)
			if err != nil || !strings.Contains(r, "不再通知") {
				t.Error(r, err)
			}
		})
		f.Run("MEET-13 the code shows only after the start", func(t *testing.T) {
			id := f.create(nil).ID
			_, err := f.GetQR(b1, &meetinggen.MeetingReq{Id: id})
			refused(t, err, "meeting.notStarted", "会议未启动")
			if _, err := f.start(b1, id); err != nil {
				t.Fatal(err)
			}
			f.token(id)
		})
		f.Run("MEET-14 only a meeting with sign-in has a code", func(t *testing.T) {
			id := f.create(map[string]any{"needSignIn": false}).ID
			if _, err := f.start(b1, id); err != nil {
				t.Fatal(err)
			}
			_, err := f.GetQR(b1, &meetinggen.MeetingReq{Id: id})
			refused(t, err, "meeting.noSignIn", "不需要签到")
			j, err := f.Records.Get(b1, &recordsgen.IDReq{Type: "meeting", Id: id})
			if err != nil || bytes.Contains(j.Json, []byte(`"qr"`)) {
				t.Errorf("the button: %s %v", j.Json, err)
			}
			with, _ := f.started(nil)
			if j, err = f.Records.Get(b1, &recordsgen.IDReq{Type: "meeting", Id: with}); err != nil || !bytes.Contains(j.Json, []byte(`"qr"`)) {
				t.Errorf("the button: %s %v", j.Json, err)
			}
		})
		f.Run("MEET-18 statistics show only after the start", func(t *testing.T) {
			r := f.create(nil)
			_, err := f.GetStatistics(b1, &meetinggen.MeetingReq{Id: r.ID})
			refused(t, err, "meeting.notStarted", "会议未启动")
			if slices.Contains(r.Actions, "statistics") || slices.Contains(r.Actions, "deliveries") {
				t.Errorf("buttons: %v", r.Actions)
			}
			if _, err := f.start(b1, r.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := f.GetStatistics(b1, &meetinggen.MeetingReq{Id: r.ID}); err != nil {
				t.Error(err)
			}
		})
		f.Run("the state follows from the times", func(t *testing.T) {
			id, _ := f.started(map[string]any{"startAt": nine.Add(time.Hour).Format(time.RFC3339)})
			draft := f.create(nil).ID
			for _, x := range []struct {
				after time.Duration
				state string
			}{{0, "waiting"}, {time.Hour + time.Second, "running"}, {2*time.Hour + time.Second, "ended"}} {
				f.at(nine.Add(x.after))
				for id, want := range map[string]string{id: x.state, draft: "draft"} {
					j, err := f.List(b1, &recordsgen.ListReq{Type: "meeting", Filters: map[string]string{"state": want}})
					if err != nil {
						t.Fatal(err)
					}
					var l struct{ Items []row }
					if err := json.Unmarshal(j.Json, &l); err != nil {
						t.Fatal(err)
					}
					if i := slices.IndexFunc(l.Items, func(r row) bool { return r.ID == id }); i < 0 || l.Items[i].State != want {
						t.Errorf("after %v: %s not among %+v", x.after, want, l.Items)
					}
				}
			}
			f.at(nine)
		})
	})
}

func (f *fixture) scan(client meetingsvc.Client, member, token string) (*meetinggen.CheckIn, error) {
	return client.SignIn(f.member(member), &meetinggen.CheckInReq{Token: token})
}

func TestSignIn(t *testing.T) {
	transports(t, func(f *fixture) {
		b1 := admin(f.Context(), "b1")
		id, token := f.started(nil)
		beside, _ := f.service(secret) // another process
		other := meetingsvc.Wrap(beside)
		f.Run("MEET-15 a participant is signed in once, whoever else is refused with the reason", func(t *testing.T) {
			first, err := f.scan(f.Meeting, "b1-m000", token)
			if err != nil || first.Already || first.MeetingId != id || first.SignedInAt == 0 {
				t.Fatalf("first: %+v %v", first, err)
			}
			for _, c := range []meetingsvc.Client{f.Meeting, other} {
				again, err := f.scan(c, "b1-m000", token)
				if err != nil || !again.Already || again.SignedInAt != first.SignedInAt || !strings.Contains(again.Message, "签到") {
					t.Errorf("again: %+v %v", again, err)
				}
			}
			if f.count("checkIns") != 1 {
				t.Errorf("%d check-ins", f.count("checkIns"))
			}
			_, err = f.scan(f.Meeting, "b2-m000", token)
			refused(t, err, "meeting.notParticipant", "您不在参加对象中")
			_, err = f.SignIn(kit.WithCaller(f.Context(), kit.Caller{Kind: kit.Member, OpenID: "o1"}), &meetinggen.CheckInReq{Token: token})
			refused(t, err, "unbound", "绑定")
			_, err = f.SignIn(f.Context(), &meetinggen.CheckInReq{Token: token})
			refused(t, err, "unauthenticated", "")

			later, _ := f.started(map[string]any{"startAt": nine.Add(31 * time.Minute).Format(time.RFC3339)})
			_, err = f.scan(f.Meeting, "b1-m001", f.token(later))
			refused(t, err, "meeting.tooEarly", "未到签到时间")
			f.at(nine.Add(time.Minute))
			if _, err = f.scan(f.Meeting, "b1-m001", f.token(later)); err != nil {
				t.Errorf("30 minutes early: %v", err)
			}
			f.at(nine.Add(2*time.Hour - time.Second))
			last := f.token(id)
			f.at(nine.Add(2*time.Hour + time.Second))
			_, err = f.scan(f.Meeting, "b1-m002", last)
			refused(t, err, "meeting.closed", "会议已结束")
			_, err = f.GetQR(b1, &meetinggen.MeetingReq{Id: id})
			refused(t, err, "meeting.closed", "会议已结束")
			f.at(nine)
		})
		f.Run("a stale, forged or foreign code is refused", func(t *testing.T) {
			f.at(nine.Add(80 * time.Second))
			old := f.token(id)
			f.at(nine.Add(120 * time.Second))
			if _, err := f.scan(f.Meeting, "b1-m003", old); err != nil {
				t.Errorf("the code of a moment ago: %v", err)
			}
			f.at(nine.Add(10 * time.Minute))
			_, err := f.scan(f.Meeting, "b1-m004", old)
			refused(t, err, "meeting.staleCode", "二维码已失效，请扫描最新的二维码")
			now := f.token(id)
			parts := strings.Split(now, ".")
			otherKey, _ := f.service("another secret for tests only, of 32 bytes")
			foreign, err := meetingsvc.Wrap(otherKey).GetQR(b1, &meetinggen.MeetingReq{Id: id})
			if err != nil {
				t.Fatal(err)
			}
			_, foreignToken, _ := strings.Cut(foreign.Url, "?t=")
			for _, forged := range []string{
				"x", "..", parts[0] + "." + parts[1] + ".AAAAAAAAAAAAAAAAAAAAAA", parts[0] + ".zzzzzz." + parts[2],
				"another." + parts[1] + "." + parts[2], now + "A", foreignToken,
			} {
				_, err := f.scan(f.Meeting, "b1-m004", forged)
				refused(t, err, "meeting.code", "二维码无效")
			}
			f.at(nine)
		})
		f.Run("a deleted meeting is gone, also for the process that remembers it", func(t *testing.T) {
			id, token := f.started(nil)
			if _, err := f.scan(f.Meeting, "b1-m000", token); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Delete(b1, &recordsgen.IDsReq{Type: "meeting", Ids: []string{id}}); err != nil {
				t.Fatal(err)
			}
			_, err := f.scan(f.Meeting, "b1-m001", token)
			refused(t, err, "meeting.gone", "不存在")
		})
		f.Run("200 scans of one member at once are one check-in", func(t *testing.T) {
			id, token := f.started(nil)
			before := f.count("checkIns")
			var fresh atomic.Int32
			var times sync.Map
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() {
					c := f.Meeting
					if i%2 == 1 {
						c = other
					}
					r, err := f.scan(c, "b1-m000", token)
					if err != nil {
						t.Error(err)
						return
					}
					times.Store(r.SignedInAt, true)
					if !r.Already {
						fresh.Add(1)
					}
				})
			}
			wg.Wait()
			n := 0
			times.Range(func(any, any) bool { n++; return true })
			if fresh.Load() != 1 || n != 1 || f.count("checkIns") != before+1 {
				t.Errorf("%d fresh, %d times, %d documents for %s", fresh.Load(), n, f.count("checkIns")-before, id)
			}
		})
	})
}

func TestBurst(t *testing.T) {
	transports(t, func(f *fixture) {
		f.roster.add("b1", 0)
		for i := 5; i < 500; i++ {
			f.roster.members = append(f.roster.members, &partygen.Member{
				Id: fmt.Sprintf("b1-m%03d", i), Name: fmt.Sprint("党员", i), OrgId: "b1", OrgName: "第一支部", Orgs: paths["b1"], Status: "active",
			})
		}
		id, token := f.started(nil)
		ctxs := make([]context.Context, 500)
		for i := range ctxs {
			ctxs[i] = f.member(fmt.Sprintf("b1-m%03d", i))
		}
		var wg sync.WaitGroup
		for _, ctx := range ctxs {
			wg.Go(func() {
				if r, err := f.SignIn(ctx, &meetinggen.CheckInReq{Token: token}); err != nil || r.Already {
					f.Errorf("%+v %v", r, err)
				}
			})
		}
		wg.Wait()
		live, err := f.GetLive(admin(f.Context(), "b1"), &meetinggen.MeetingReq{Id: id})
		if err != nil || live.SignedIn != 500 || live.Expected != 500 || len(live.Latest) != 10 || live.Latest[0].OrgName != "第一支部" {
			f.Errorf("%+v %v", live, err)
		}
		n, err := f.db.Collection("checkIns").CountDocuments(f.Context(), bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}})
		if err != nil || n != 500 {
			f.Errorf("%d events wait, %v", n, err)
		}
	})
}

func TestStatistics(t *testing.T) {
	transports(t, func(f *fixture) {
		b1 := admin(f.Context(), "b1")
		id, token := f.started(nil)
		for i, m := range []string{"b1-m003", "b1-m001"} {
			f.at(nine.Add(time.Duration(i) * time.Second))
			if _, err := f.scan(f.Meeting, m, token); err != nil {
				t.Fatal(err)
			}
		}
		st, err := f.GetStatistics(b1, &meetinggen.MeetingReq{Id: id})
		if err != nil || st.Expected != 5 || st.SignedIn != 2 || len(st.Participants) != 5 {
			f.Fatalf("%+v %v", st, err)
		}
		if a, b := st.Participants[0], st.Participants[1]; a.MemberId != "b1-m003" || b.MemberId != "b1-m001" || a.SignedInAt == 0 || st.Participants[2].SignedInAt != 0 || a.Phone != "138****0000" {
			f.Errorf("%+v", st.Participants)
		}
		f.Run("the export has one row a participant, equal to the page", func(t *testing.T) {
			file, err := f.ExportStatistics(b1, &meetinggen.MeetingReq{Id: id})
			if err != nil {
				t.Fatal(err)
			}
			x, err := excelize.OpenReader(bytes.NewReader(file.Data))
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			rows, err := x.GetRows("会议统计")
			if err != nil || len(rows) != 6 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			for i, p := range st.Participants {
				r := rows[i+1]
				at := ""
				if len(r) > 6 {
					at = r[6]
				}
				want := ""
				if p.SignedInAt != 0 {
					want = time.UnixMilli(p.SignedInAt).In(kit.Shanghai).Format(time.DateTime)
				}
				if r[1] != p.Name || r[2] != p.OrgName || at != want {
					t.Errorf("row %d: %v, page %+v", i+1, r, p)
				}
			}
		})
	})
}

func TestMine(t *testing.T) {
	transports(t, func(f *fixture) {
		id, token := f.started(nil)
		draft := f.create(nil).ID
		others, _ := f.started(map[string]any{"participantOrgId": "", "participantIds": []string{"b1-m001"}})
		me := f.member("b1-m000")
		f.Run("a member sees the started meetings he is named in", func(t *testing.T) {
			l, err := f.ListMine(me, &recordsgen.Empty{})
			if err != nil || len(l.Meetings) != 1 || l.Meetings[0].Id != id || l.Meetings[0].OrgName != "第一支部" || l.Meetings[0].State != "running" {
				t.Errorf("%+v %v", l, err)
			}
			for _, other := range []string{draft, others, "nothing"} {
				_, err := f.GetMine(me, &meetinggen.MeetingReq{Id: other})
				refused(t, err, "not_found", "")
			}
		})
		f.Run("and when he signed in", func(t *testing.T) {
			r, err := f.scan(f.Meeting, "b1-m000", token)
			if err != nil {
				t.Fatal(err)
			}
			l, err := f.ListMine(me, &recordsgen.Empty{})
			if err != nil || l.Meetings[0].SignedInAt != r.SignedInAt {
				t.Errorf("list: %+v %v", l, err)
			}
			m, err := f.GetMine(me, &meetinggen.MeetingReq{Id: id})
			if err != nil || m.SignedInAt != r.SignedInAt || m.Agenda != "学习" {
				t.Errorf("detail: %+v %v", m, err)
			}
		})
	})
}

func TestDemo(t *testing.T) {
	f := &fixture{T: t, db: modeltest.DB(t), clock: &kit.Clock{}, roster: &roster{}}
	f.roster.add("b1", 10)
	f.call()
	ctx := kit.AsSystem(t.Context())
	for range 2 {
		if err := f.impl.SeedDemo(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if m, c := f.count("meetings"), f.count("checkIns"); m != 3 || c != 8 {
		t.Errorf("%d meetings, %d check-ins", m, c)
	}
	if r, err := f.scan(f.Meeting, "b1-m000", f.token("0000demomeeting3")); err != nil || r.Already {
		t.Errorf("%+v %v", r, err)
	}
}
