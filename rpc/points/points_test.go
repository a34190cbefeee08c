package points_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	pointsgen "zhihuidangjian/idl/gen/points"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/points"
)

// roster is a party service of one root, two branches and a few members.
type roster struct {
	partygen.Party
	mu      sync.Mutex
	members []*partygen.Member
}

var orgs = map[string]*partygen.Organization{
	"root": {Id: "root", OrgName: "党委", OrgType: "committee", Orgs: []string{"root"}},
	"b1":   {Id: "b1", OrgName: "第一支部", OrgType: "branch", ParentId: "root", Orgs: []string{"root", "b1"}},
	"b2":   {Id: "b2", OrgName: "第二支部", OrgType: "branch", ParentId: "root", Orgs: []string{"root", "b2"}},
}

func (r *roster) add(id, org string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, &partygen.Member{Id: id, Name: "党员" + id, OrgId: org, OrgName: orgs[org].OrgName, Orgs: orgs[org].Orgs, Status: "active", MemberType: "fullMember"})
}

// move transfers a member.
func (r *roster) move(id, org string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, m := range r.members {
		if m.Id == id {
			moved := *m
			moved.OrgId, moved.OrgName, moved.Orgs = org, orgs[org].OrgName, orgs[org].Orgs
			r.members[i] = &moved
		}
	}
}

func (r *roster) find(keep func(*partygen.Member) bool) *partygen.Members {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &partygen.Members{}
	for _, m := range r.members {
		if keep(m) {
			out.Members = append(out.Members, m)
		}
	}
	return out
}

func (r *roster) GetOrganization(_ context.Context, q *partygen.OrgReq) (*partygen.Organization, error) {
	if o := orgs[q.OrgId]; o != nil {
		return o, nil
	}
	return nil, kit.ErrNotFound
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

func (r *roster) GetMember(_ context.Context, q *partygen.MemberReq) (*partygen.Member, error) {
	l := r.find(func(m *partygen.Member) bool { return m.Id == q.MemberId })
	if len(l.Members) == 0 {
		return nil, kit.ErrNotFound
	}
	return l.Members[0], nil
}

func (r *roster) GetMembers(_ context.Context, q *partygen.MembersReq) (*partygen.Members, error) {
	return r.find(func(m *partygen.Member) bool { return slices.Contains(q.MemberIds, m.Id) }), nil
}

func (r *roster) ListMembers(_ context.Context, q *partygen.OrgReq) (*partygen.Members, error) {
	return r.find(func(m *partygen.Member) bool { return slices.Contains(m.Orgs, q.OrgId) }), nil
}

func (r *roster) GetTree(_ context.Context, q *partygen.OrgReq) (*partygen.Tree, error) {
	t := &partygen.Tree{}
	for _, id := range []string{"root", "b1", "b2"} {
		if o := orgs[id]; slices.Contains(o.Orgs, q.OrgId) {
			t.Nodes = append(t.Nodes, &partygen.TreeNode{Id: id, ParentId: o.ParentId, OrgName: o.OrgName, OrgType: o.OrgType})
		}
	}
	return t, nil
}

// fixture is a points service and what it stands on.
type fixture struct {
	*testing.T
	pointssvc.Client
	db     *mongo.Database
	redis  redis.UniversalClient
	clock  *kit.Clock
	roster *roster
}

// at moves the product's clock to a time.
func (f *fixture) at(t time.Time) { f.clock.SetOffset(time.Until(t)) }

var november8 = time.Date(2026, 11, 8, 10, 0, 0, 0, kit.Shanghai)

// transports runs a test in process and through the codec.
func transports(t *testing.T, test func(*fixture)) {
	for name, codec := range map[string]bool{"in process": false, "codec": true} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, db: modeltest.DB(t), redis: modeltest.Redis(t), clock: &kit.Clock{}, roster: &roster{}}
			f.at(november8)
			for _, m := range []string{"a", "b", "c"} {
				f.roster.add(m, "b1")
			}
			f.roster.add("d", "b2")
			local := kit.NewLocal(func(s server.Server) error { return partysvc.RegisterService(s, f.roster) })
			local.Codec = codec
			impl, err := points.New(points.Deps{DB: f.db, Redis: f.redis, Clock: f.clock, Party: partysvc.Wrap(local)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(impl.Close)
			own := kit.NewLocal(func(s server.Server) error { return pointssvc.RegisterService(s, impl) })
			own.Codec = codec
			f.Client = pointssvc.Wrap(own)
			test(f)
		})
	}
}

func system(ctx context.Context) context.Context { return kit.AsSystem(ctx) }

func admin(ctx context.Context, org string) context.Context {
	return kit.WithCaller(ctx, kit.Caller{
		Kind: kit.User, UserID: "u-" + org, OrgID: org, Orgs: orgs[org].Orgs, TopLevel: org == "root", Permissions: []string{"*"},
	})
}

func member(ctx context.Context, id, org string) context.Context {
	return kit.WithCaller(ctx, kit.Caller{Kind: kit.Member, MemberID: id, Name: "党员" + id, OrgID: org, Orgs: orgs[org].Orgs})
}

func event(id, kind, org string, at time.Time, payload any) *recordsgen.Event {
	b, _ := json.Marshal(payload)
	return &recordsgen.Event{Id: id, Kind: kind, OrgId: org, At: at.UnixMilli(), Payload: b}
}

func (f *fixture) handle(all ...*recordsgen.Event) {
	f.Helper()
	r, err := f.HandleEvents(system(f.Context()), &recordsgen.Events{Events: all})
	if err != nil || len(r.Refused) > 0 {
		f.Fatalf("event %s: %v %v", all[0].Id, r, err)
	}
}

func paid(order, m, org string, at time.Time, months ...string) *recordsgen.Event {
	e := model.Earned{SourceType: "duesOrder", SourceID: order, At: at}
	for _, month := range months {
		e.Shares = append(e.Shares, share("personal", model.ItemDues, m, org, "党费 "+month), share("organisation", model.ItemDues, org, org, "党员"+m+" 党费 "+month))
		for i := range e.Shares[len(e.Shares)-2:] {
			e.Shares[len(e.Shares)-2+i].Due = month
		}
	}
	return event("paid-"+order, model.EventEarned, org, at, e)
}

func scan(meeting, m, org, host string, at time.Time) *recordsgen.Event {
	return event("scan-"+meeting+"-"+m, model.EventEarned, host, at, model.Earned{SourceType: "meeting", SourceID: meeting, At: at, Shares: []model.Share{
		share("personal", model.ItemOfflineActivity, m, org, "植树"), share("organisation", model.ItemOfflineQuality, host, host, "植树 党员"+m),
	}})
}

// share is one unit of what a subject earns.
func share(dimension, item, subject, org, source string) model.Share {
	return model.Share{Dimension: dimension, Item: item, SubjectID: subject, OrgID: org, Orgs: orgs[org].Orgs, Units: 1, Source: source}
}

func (f *fixture) ranking(ctx context.Context, dimension, org string, year int) *pointsgen.Ranking {
	f.Helper()
	r, err := f.GetRanking(ctx, &pointsgen.RankReq{Dimension: dimension, OrgId: org, Year: int32(year), Size: 50})
	if err != nil {
		f.Fatal(err)
	}
	return r
}

func (f *fixture) entries(ctx context.Context, dimension, id string, year int) *pointsgen.Entries {
	f.Helper()
	l, err := f.ListEntries(ctx, &pointsgen.EntriesReq{Dimension: dimension, Id: id, Year: int32(year), Size: 100})
	if err != nil {
		f.Fatal(err)
	}
	return l
}

// table writes a ranking as "1 a 5.00 第一支部; …".
func table(r *pointsgen.Ranking) string {
	s := ""
	for _, x := range r.Rows {
		s += fmt.Sprintf("%d %s %d %s; ", x.Rank, x.Id, x.Score, x.OrgName)
	}
	return s
}

func scores(l *pointsgen.Entries) []int64 {
	var s []int64
	for _, e := range l.Entries {
		s = append(s, e.Score)
	}
	return s
}

// change alters a rule in the store, as its update would.
func (f *fixture) change(id string, set bson.D) {
	f.Helper()
	r, err := f.db.Collection("pointsRules").UpdateOne(f.Context(), bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: set}})
	if err != nil || r.MatchedCount != 1 {
		f.Fatalf("rule %s: %v", id, err)
	}
}

func TestDues(t *testing.T) {
	transports(t, func(f *fixture) {
		root := admin(f.Context(), "root")
		f.Run("PTS-02 dues earn by the day of payment, each month once, for the branch too", func(t *testing.T) {
			f.change("personal.dues", bson.D{{Key: "weight", Value: "2"}})
			f.change("organisation.dues", bson.D{{Key: "weight", Value: "2"}})
			f.handle(paid("o1", "a", "b1", november8, "2026-11"))
			f.handle(paid("o1", "a", "b1", november8, "2026-11")) // again
			if got := scores(f.entries(root, "personal", "a", 2026)); !slices.Equal(got, []int64{1000}) {
				t.Errorf("paid on the 8th, weight 2: %v", got)
			}
			if got := scores(f.entries(root, "organisation", "b1", 2026)); !slices.Equal(got, []int64{1000}) {
				t.Errorf("the branch: %v", got)
			}
			f.change("personal.dues", bson.D{{Key: "weight", Value: "1"}})
			f.change("organisation.dues", bson.D{{Key: "weight", Value: "1"}})
			f.handle(paid("o2", "b", "b1", november8, "2026-09", "2026-10", "2026-11"))
			got := scores(f.entries(root, "personal", "b", 2026))
			slices.Sort(got)
			if !slices.Equal(got, []int64{100, 100, 500}) {
				t.Errorf("two months late and one in time: %v", got)
			}
			f.handle(paid("o3", "c", "b1", november8.AddDate(0, 0, 7), "2026-11"))
			if got := scores(f.entries(root, "personal", "c", 2026)); !slices.Equal(got, []int64{300}) {
				t.Errorf("paid on the 15th: %v", got)
			}
		})
		f.Run("a reversal takes back what was earned, once, though the rule changed", func(t *testing.T) {
			f.change("personal.dues", bson.D{{Key: "enabled", Value: false}})
			back := event("rev-o2", model.EventUnearned, "b1", november8, model.Unearned{SourceType: "duesOrder", SourceID: "o2"})
			f.handle(back)
			f.handle(back)
			l := f.entries(root, "personal", "b", 2026)
			if l.Sum != 0 || l.Total != 6 {
				t.Errorf("sum %d of %d entries, want 0 of 6", l.Sum, l.Total)
			}
			if got := f.entries(root, "organisation", "b1", 2026).Sum; got != 1000+300 {
				t.Errorf("the branch keeps %d", got)
			}
			if got := table(f.ranking(root, "personal", "b1", 2026)); got != "1 a 1000 第一支部; 2 c 300 第一支部; 3 b 0 第一支部; " {
				t.Errorf("ranking: %s", got)
			}
		})
	})
}

func TestRules(t *testing.T) {
	transports(t, func(f *fixture) {
		root := admin(f.Context(), "root")
		day := november8
		f.Run("PTS-11 the daily maximum cuts the entry that crosses it", func(t *testing.T) {
			f.change("personal.offlineActivity", bson.D{{Key: "addScore", Value: "4"}, {Key: "dailyMax", Value: "10"}})
			for i := range 4 {
				f.handle(scan(fmt.Sprint("m", i), "a", "b1", "b1", day.Add(time.Duration(i)*time.Hour)))
			}
			got := scores(f.entries(root, "personal", "a", 2026))
			slices.Reverse(got)
			if !slices.Equal(got, []int64{400, 400, 200}) {
				t.Errorf("one day: %v", got)
			}
			f.handle(scan("m3", "a", "b1", "b1", day.Add(3*time.Hour))) // again: still nothing
			f.handle(scan("m5", "a", "b1", "b1", kit.Midnight(day).AddDate(0, 0, 1)))
			if l := f.entries(root, "personal", "a", 2026); l.Entries[0].Score != 400 || l.Total != 4 {
				t.Errorf("the next day starts at 0: %v", scores(l))
			}
			f.handle(paid("o1", "a", "b1", day, "2026-11")) // a rule with its own maximum
			if got := f.entries(root, "personal", "a", 2026).Sum; got != 1000+400+500 {
				t.Errorf("sum %d", got)
			}
		})
		f.Run("parallel events cannot pass the daily maximum together", func(t *testing.T) {
			var wg sync.WaitGroup
			for i := range 12 {
				wg.Go(func() { f.handle(scan(fmt.Sprint("p", i), "b", "b1", "b1", day)) })
			}
			wg.Wait()
			if got := f.entries(root, "personal", "b", 2026).Sum; got != 1000 {
				t.Errorf("sum %d, want 1000", got)
			}
			if got := f.ranking(root, "personal", "b1", 2026); got.Rows[1].Score != 1000 {
				t.Errorf("board: %s", table(got))
			}
		})
		f.Run("PTS-04 a rule that is not enabled writes nothing, also not afterwards", func(t *testing.T) {
			f.change("personal.offlineActivity", bson.D{{Key: "enabled", Value: false}})
			f.handle(scan("off", "c", "b1", "b1", day))
			if l := f.entries(root, "personal", "c", 2026); l.Total != 0 {
				t.Errorf("while disabled: %v", scores(l))
			}
			f.change("personal.offlineActivity", bson.D{{Key: "enabled", Value: true}})
			f.handle(scan("on", "c", "b1", "b1", day))
			if got := scores(f.entries(root, "personal", "c", 2026)); !slices.Equal(got, []int64{400}) {
				t.Errorf("after enabling: %v", got)
			}
		})
		f.Run("an online meeting earns no activity points", func(t *testing.T) {
			e := scan("online", "d", "b2", "b2", day)
			e.Payload = slices.Concat([]byte(nil), []byte(`{"meetingForm":"onlineMeeting","memberId":"d","orgId":"b2","orgs":["root","b2"],"meetingId":"online"}`))
			f.handle(e)
			if l := f.entries(root, "personal", "d", 2026); l.Total != 0 {
				t.Errorf("entries: %v", scores(l))
			}
		})
	})
}

func TestRankingOfOthers(t *testing.T) {
	transports(t, func(f *fixture) {
		f.Run("PRNK-01 who is no member of the party is on no board before he is one", func(t *testing.T) {
			f.roster.add("asking", "b2")
			kind := func(k string) {
				f.roster.mu.Lock()
				f.roster.members[len(f.roster.members)-1].MemberType = k
				f.roster.mu.Unlock()
			}
			kind("activist")
			f.handle(scan("tree", "asking", "b2", "b2", november8))
			mine := func() *pointsgen.MyPoints {
				m, err := f.GetMine(kit.WithCaller(t.Context(), kit.Caller{Kind: kit.Member, MemberID: "asking", OpenID: "o", OrgID: "b2", Orgs: orgs["b2"].Orgs}), &recordsgen.Empty{})
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			stands := func() bool {
				return slices.ContainsFunc(f.ranking(admin(t.Context(), "root"), "personal", "b2", 2026).Rows, func(r *pointsgen.RankRow) bool { return r.Id == "asking" })
			}
			if m := mine(); stands() || m.Rank != 0 || m.Score == 0 {
				t.Errorf("an activist is ranked: %+v", m)
			}
			kind("probationaryMember")
			f.handle(scan("other", "asking", "b2", "b2", november8))
			if m := mine(); !stands() || m.Rank != 1 {
				t.Errorf("a probationary member is not: %+v", m)
			}
		})
	})
}

func TestRanking(t *testing.T) {
	transports(t, func(f *fixture) {
		ctx := f.Context()
		root := admin(ctx, "root")
		f.handle(paid("o1", "a", "b1", november8, "2026-11"))
		f.handle(paid("o2", "b", "b1", november8, "2026-11"))
		f.handle(paid("o4", "d", "b2", november8.AddDate(0, 0, 14), "2026-11"))
		f.Run("PRNK-01 members of the subtree by their sums; equal sums share a rank; 0 without entries", func(t *testing.T) {
			if got := table(f.ranking(root, "personal", "", 2026)); got != "1 b 500 第一支部; 1 a 500 第一支部; 3 d 100 第二支部; 4 c 0 第一支部; " {
				t.Errorf("root: %s", got)
			}
			if got := table(f.ranking(root, "personal", "b1", 2026)); got != "1 b 500 第一支部; 1 a 500 第一支部; 3 c 0 第一支部; " {
				t.Errorf("b1: %s", got)
			}
			r, err := f.GetRanking(root, &pointsgen.RankReq{Dimension: "personal", Year: 2026, Page: 2, Size: 1})
			if err != nil || table(r) != "1 a 500 第一支部; " || r.Total != 4 {
				t.Errorf("second page of one: %s of %d, %v", table(r), r.Total, err)
			}
		})
		f.Run("PRNK-02 the entries add up to the ranking's total", func(t *testing.T) {
			l := f.entries(root, "personal", "a", 2026)
			if l.Sum != 500 || l.Entries[0].ItemLabel != "党费缴纳" || l.Entries[0].Source == "" || l.Entries[0].EarnedAt != november8.UnixMilli() {
				t.Errorf("entries: %+v", l.Entries)
			}
			if l := f.entries(root, "personal", "c", 2026); l.Total != 0 {
				t.Errorf("none: %v", scores(l))
			}
		})
		f.Run("PRNK-05 organisations of the subtree with their level", func(t *testing.T) {
			if got := table(f.ranking(root, "organisation", "", 2026)); got != "1 b1 1000 党支部; 2 b2 100 党支部; 3 root 0 党委; " {
				t.Errorf("root: %s", got)
			}
			if got := table(f.ranking(admin(ctx, "b2"), "organisation", "", 2026)); got != "1 b2 100 党支部; " {
				t.Errorf("b2: %s", got)
			}
		})
		f.Run("PRNK-06 an organisation's entries add up", func(t *testing.T) {
			if l := f.entries(root, "organisation", "b1", 2026); l.Sum != 1000 || l.Total != 2 {
				t.Errorf("sum %d of %d", l.Sum, l.Total)
			}
		})
		f.Run("PRNK-04 a member sees his score and rank within his branch, and starts anew in January", func(t *testing.T) {
			me, err := f.GetMine(member(ctx, "c", "b1"), &recordsgen.Empty{})
			if err != nil || me.Score != 0 || me.Rank != 3 || me.Of != 3 {
				t.Errorf("c: %+v %v", me, err)
			}
			me, err = f.GetMine(member(ctx, "a", "b1"), &recordsgen.Empty{})
			if err != nil || me.Score != 500 || me.Rank != 1 || len(me.Entries) != 1 {
				t.Errorf("a: %+v %v", me, err)
			}
			if got := table(f.ranking(member(ctx, "a", "b1"), "organisation", "root", 2026)); got != "1 b 500 第一支部; 1 a 500 第一支部; 3 c 0 第一支部; " {
				t.Errorf("a member asks for more than his branch: %s", got)
			}
			f.at(time.Date(2027, 1, 1, 0, 0, 1, 0, kit.Shanghai))
			if me, err = f.GetMine(member(ctx, "a", "b1"), &recordsgen.Empty{}); err != nil || me.Score != 0 || me.Rank != 1 {
				t.Errorf("1 January: %+v %v", me, err)
			}
			f.at(november8)
		})
		f.Run("PRNK-08 a member sees his organisation's score and rank among its siblings", func(t *testing.T) {
			for _, want := range []struct {
				member, org string
				score       int64
				rank, of    int32
				entries     int
			}{{"a", "b1", 1000, 1, 2, 2}, {"d", "b2", 100, 2, 2, 1}, {"r", "root", 0, 1, 1, 0}} {
				got, err := f.GetMyOrganization(member(ctx, want.member, want.org), &recordsgen.Empty{})
				if err != nil || got.Score != want.score || got.Rank != want.rank || got.Of != want.of || len(got.Entries) != want.entries {
					t.Errorf("%s: %+v %v", want.org, got, err)
				}
			}
			if _, err := f.GetMyOrganization(root, &recordsgen.Empty{}); err == nil {
				t.Error("an admin has no organisation of his own here")
			}
		})
		f.Run("JOB-06 every entry counts in its own calendar year", func(t *testing.T) {
			f.handle(paid("o5", "c", "b1", time.Date(2026, 12, 31, 23, 59, 59, 0, kit.Shanghai), "2026-12"))
			f.handle(paid("o6", "c", "b1", time.Date(2027, 1, 1, 0, 0, 0, 0, kit.Shanghai), "2027-01"))
			if a, b := f.entries(root, "personal", "c", 2026).Sum, f.entries(root, "personal", "c", 2027).Sum; a != 100 || b != 500 {
				t.Errorf("2026: %d, 2027: %d", a, b)
			}
			if got := table(f.ranking(root, "personal", "b1", 2027)); got != "1 c 500 第一支部; 2 b 0 第一支部; 2 a 0 第一支部; " {
				t.Errorf("2027: %s", got)
			}
			if got := table(f.ranking(root, "personal", "b1", 2026)); got != "1 b 500 第一支部; 1 a 500 第一支部; 3 c 100 第一支部; " {
				t.Errorf("2026: %s", got)
			}
		})
		f.Run("PRNK-03 everybody sees the member's own branch and the same score; after a transfer new entries count there", func(t *testing.T) {
			see := func(as, org string) string {
				for _, r := range f.ranking(admin(ctx, as), "personal", org, 2026).Rows {
					if r.Id == "a" {
						return fmt.Sprint(r.OrgName, " ", r.Score)
					}
				}
				return "absent"
			}
			for _, as := range []string{"root", "b1"} {
				if got := see(as, ""); got != "第一支部 500" {
					t.Errorf("%s sees %s", as, got)
				}
			}
			if got := see("root", "b1"); got != "第一支部 500" {
				t.Errorf("root looking at the branch sees %s", got)
			}
			f.roster.move("a", "b2")
			f.redis.FlushAll(t.Context()) // as after boardAge
			f.handle(scan("m9", "a", "b2", "b2", november8))
			if old, new, all := see("root", "b1"), see("b2", ""), see("root", ""); old != "absent" || new != "第二支部 200" || all != "第二支部 700" {
				t.Errorf("after the transfer: %s, %s, %s", old, new, all)
			}
			f.roster.move("a", "b1")
			f.redis.FlushAll(t.Context())
		})
		f.Run("a sibling branch's admin finds nothing", func(t *testing.T) {
			other := admin(ctx, "b2")
			_, err := f.GetRanking(other, &pointsgen.RankReq{OrgId: "b1"})
			wantNotFound(t, err)
			_, err = f.GetRanking(other, &pointsgen.RankReq{OrgId: "root"})
			wantNotFound(t, err)
			_, err = f.ListEntries(other, &pointsgen.EntriesReq{Id: "a"})
			wantNotFound(t, err)
			_, err = f.ListEntries(other, &pointsgen.EntriesReq{Id: "b1", Dimension: "organisation"})
			wantNotFound(t, err)
			_, err = f.ListEntries(member(ctx, "b", "b1"), &pointsgen.EntriesReq{Id: "a"})
			wantNotFound(t, err)
		})
		f.Run("only the system may book", func(t *testing.T) {
			if _, err := f.HandleEvents(root, &recordsgen.Events{Events: []*recordsgen.Event{paid("x", "a", "b1", november8, "2026-11")}}); !kit.ErrForbidden.Is(kit.FromError(err)) {
				t.Errorf("an admin: %v", err)
			}
			if _, err := f.Rebuild(root, &recordsgen.Empty{}); !kit.ErrForbidden.Is(kit.FromError(err)) {
				t.Errorf("an admin: %v", err)
			}
		})
	})
}

func (f *fixture) rule(ctx context.Context, id string) map[string]any {
	f.Helper()
	j, err := f.Client.Get(ctx, &recordsgen.IDReq{Type: "pointsRule", Id: id})
	if err != nil {
		f.Fatal(err)
	}
	var r map[string]any
	if err := json.Unmarshal(j.Json, &r); err != nil {
		f.Fatal(err)
	}
	return r
}

func (f *fixture) saveRule(ctx context.Context, id string, change map[string]any) error {
	f.Helper()
	b, _ := json.Marshal(change)
	version := int64(f.rule(admin(f.Context(), "root"), id)["version"].(float64))
	_, err := f.Client.Save(ctx, &recordsgen.SaveReq{Type: "pointsRule", Id: id, Version: version, Json: b})
	return err
}

func TestConfiguration(t *testing.T) {
	transports(t, func(f *fixture) {
		root, lower := admin(f.Context(), "root"), admin(f.Context(), "b1")
		const id = "personal.offlineActivity"
		f.Run("PTS-01 the rules of both dimensions show, to a lower admin without 修改", func(t *testing.T) {
			for _, ctx := range []context.Context{root, lower} {
				j, err := f.Client.List(ctx, &recordsgen.ListReq{Type: "pointsRule", Size: 50})
				if err != nil {
					t.Fatal(err)
				}
				var l struct{ Items []map[string]any }
				if err := json.Unmarshal(j.Json, &l); err != nil {
					t.Fatal(err)
				}
				seen := map[any]bool{}
				for _, r := range l.Items {
					seen[r["dimension"]] = true
					for _, key := range []string{"item", "condition", "addScore", "deductScore", "dailyMax", "weight", "enabled"} {
						if _, ok := r[key]; !ok {
							t.Errorf("%v has no %s", r["id"], key)
						}
					}
					actions, _ := r["_actions"].([]any)
					if got := slices.Contains(actions, any("update")); got != (kit.CallerOf(ctx).TopLevel) {
						t.Errorf("%v: 修改 shows %v", r["id"], got)
					}
				}
				if !seen["personal"] || !seen["organisation"] {
					t.Errorf("dimensions: %v", seen)
				}
			}
		})
		f.Run("PTS-07 only the top-level admin changes a rule", func(t *testing.T) {
			err := f.saveRule(lower, id, map[string]any{"addScore": "9"})
			if e := kit.FromError(err); err == nil || e.Message != "只有最高级管理员可以修改" || f.rule(root, id)["addScore"] != "2" {
				t.Errorf("a lower admin: %v", err)
			}
			if err := f.saveRule(root, id, map[string]any{"addScore": "3"}); err != nil || f.rule(lower, id)["addScore"] != "3" {
				t.Errorf("the top-level admin: %v", err)
			}
		})
		f.Run("PTS-03 later events use the new values, earlier entries keep theirs; no number is refused", func(t *testing.T) {
			f.handle(scan("m1", "a", "b1", "b1", november8))
			if err := f.saveRule(root, id, map[string]any{"addScore": "1.5", "weight": "2"}); err != nil {
				t.Fatal(err)
			}
			f.handle(scan("m1", "a", "b1", "b1", november8))
			f.handle(scan("m2", "a", "b1", "b1", november8))
			got := scores(f.entries(root, "personal", "a", 2026))
			slices.Sort(got)
			if !slices.Equal(got, []int64{300, 300}) {
				t.Errorf("entries %v", got)
			}
			for _, bad := range []map[string]any{{"addScore": "-1"}, {"addScore": "x"}, {"deductScore": "1.234"}, {"weight": ""}, {"weight": "1e3"}, {"dailyMax": "."}} {
				if err := f.saveRule(root, id, bad); err == nil {
					t.Errorf("%v was saved", bad)
				}
			}
		})
		f.Run("PTS-06 a daily maximum below the score is refused and nothing changes", func(t *testing.T) {
			err := f.saveRule(root, id, map[string]any{"addScore": "4", "dailyMax": "3.99"})
			if e := kit.FromError(err); err == nil || e.Fields["dailyMax"] == "" || f.rule(root, id)["addScore"] != "1.5" {
				t.Errorf("%v", err)
			}
			if err := f.saveRule(root, id, map[string]any{"addScore": "4", "dailyMax": "4"}); err != nil || f.rule(lower, id)["addScore"] != "4" {
				t.Errorf("equal values: %v", err)
			}
		})
		f.Run("bands of payment are checked", func(t *testing.T) {
			for _, bad := range []string{"10:5", "20:5 10:3 31:1", "10:5 31:-1", "10 31:1", "0:1 31:1"} {
				if err := f.saveRule(root, "personal.dues", map[string]any{"bands": bad}); err == nil {
					t.Errorf("%q was saved", bad)
				}
			}
			if err := f.saveRule(root, "personal.dues", map[string]any{"bands": "5:8 31:0.5"}); err != nil {
				t.Fatal(err)
			}
			f.handle(paid("o1", "c", "b1", november8, "2026-11"))
			if got := scores(f.entries(root, "personal", "c", 2026)); !slices.Equal(got, []int64{50}) {
				t.Errorf("entries %v", got)
			}
		})
	})
}

func wantNotFound(t *testing.T, err error) {
	t.Helper()
	if kit.FromError(err) == nil || kit.FromError(err).Key != kit.ErrNotFound.Key {
		t.Errorf("got %v, want not_found", err)
	}
}

func TestWipedRedis(t *testing.T) {
	transports(t, func(f *fixture) {
		root := admin(f.Context(), "root")
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				m, org := "abcd"[i%4:i%4+1], "b1"
				if m == "d" {
					org = "b2"
				}
				f.handle(scan(fmt.Sprint("m", i), m, org, "b1", november8.AddDate(0, 0, i)))
			})
		}
		wg.Wait()
		look := func() string {
			s := ""
			for _, year := range []int{2026} {
				for _, org := range []string{"root", "b1", "b2"} {
					s += table(f.ranking(root, "personal", org, year)) + "| " + table(f.ranking(root, "organisation", org, year)) + "\n"
				}
			}
			return s
		}
		before := look()
		f.Run("parallel workers leave the sums of the ledger", func(t *testing.T) {
			for _, m := range []string{"a", "b", "c", "d"} {
				l := f.entries(root, "personal", m, 2026)
				for _, r := range f.ranking(root, "personal", "root", 2026).Rows {
					if r.Id == m && r.Score != l.Sum {
						t.Errorf("%s: board %d, ledger %d", m, r.Score, l.Sum)
					}
				}
			}
		})
		f.Run("a wiped Redis comes back equal when it is read", func(t *testing.T) {
			if err := f.redis.FlushAll(f.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			if got := look(); got != before {
				t.Errorf("got\n%swant\n%s", got, before)
			}
		})
		f.Run("a wiped Redis with one later event comes back equal", func(t *testing.T) {
			f.redis.FlushAll(f.Context())
			f.handle(scan("m0", "a", "b1", "b1", november8)) // a repeat puts one subject on the boards
			if got := look(); got != before {
				t.Errorf("got\n%swant\n%s", got, before)
			}
		})
		f.Run("Rebuild corrects wrong sums", func(t *testing.T) {
			f.redis.ZAdd(f.Context(), "points:{2026:personal:root}:sum", redis.Z{Score: 9e9, Member: "c"})
			f.redis.HSet(f.Context(), "points:{2026:personal:root}:count", "c", 1000)
			if _, err := f.Rebuild(system(f.Context()), &recordsgen.Empty{}); err != nil {
				t.Fatal(err)
			}
			if got := look(); got != before {
				t.Errorf("got\n%swant\n%s", got, before)
			}
		})
		f.Run("an older sum cannot come back", func(t *testing.T) {
			key := "points:{2026:personal:b1}:sum"
			now := f.redis.ZScore(f.Context(), key, "a").Val()
			f.redis.HSet(f.Context(), "points:{2026:personal:b1}:count", "a", 1000) // a worker that read more
			f.handle(scan("late", "a", "b1", "b1", november8.AddDate(0, 0, 1)))
			if got := f.redis.ZScore(f.Context(), key, "a").Val(); got != now {
				t.Errorf("board went from %v to %v", now, got)
			}
		})
	})
}
