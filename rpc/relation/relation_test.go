package relation_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/relation"
)

// roll is the party service with the branches A and B below R, which does as the real one and
// can be away: before a write arrives, or after it without an answer.
type roll struct {
	partysvc.Client
	mu      sync.Mutex
	members map[string]*party.Member
	away    int  // writes that fail from now on
	stored  bool // they are stored all the same
	moves   int
}

func (r *roll) one(id string) *party.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.members[id]; m != nil {
		return new(*m)
	}
	return nil
}

func (r *roll) GetMember(_ context.Context, req *party.MemberReq) (*party.Member, error) {
	if m := r.one(req.MemberId); m != nil {
		return m, nil
	}
	return nil, kit.ErrNotFound
}

func (r *roll) GetMembers(_ context.Context, req *party.MembersReq) (*party.Members, error) {
	out := &party.Members{}
	for _, id := range req.MemberIds {
		if m := r.one(id); m != nil {
			out.Members = append(out.Members, m)
		}
	}
	return out, nil
}

func (r *roll) GetIdentities(context.Context, *party.MembersReq) (*party.Identities, error) {
	return &party.Identities{}, nil
}

func (r *roll) GetPlaces(_ context.Context, req *party.PlacesReq) (*party.OrgPlaces, error) {
	out := &party.OrgPlaces{}
	for _, id := range req.OrgIds {
		orgs := []string{"R"}
		if id != "R" {
			orgs = append(orgs, id)
		}
		out.Places = append(out.Places, &party.OrgPlace{Id: id, OrgName: id + "支部", Orgs: orgs})
	}
	return out, nil
}

// write is one change of the roll, or none.
func (r *roll) write(change func()) (*recordsgen.Empty, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away > 0 {
		if r.away--; r.stored {
			change()
		}
		return nil, errors.New("party is down")
	}
	change()
	return &recordsgen.Empty{}, nil
}

func (r *roll) CheckMove(_ context.Context, req *party.MoveReq) (*recordsgen.Empty, error) {
	if m := r.one(req.MemberId); m == nil || m.OrgId != req.FromOrgId || m.Status != "active" {
		return nil, kit.Conflict("member.gone", "该党员已不在原支部")
	}
	return &recordsgen.Empty{}, nil
}

func (r *roll) MoveMember(_ context.Context, req *party.MoveReq) (*recordsgen.Empty, error) {
	return r.write(func() {
		if m := r.members[req.MemberId]; m.OrgId == req.FromOrgId && m.Status == "active" {
			m.OrgId, m.Orgs = req.ToOrgId, []string{"R", req.ToOrgId}
			r.moves++
		}
	})
}

func (r *roll) SetStanding(_ context.Context, req *party.StandingReq) (*recordsgen.Empty, error) {
	return r.write(func() {
		r.members[req.MemberId].Status = map[bool]string{true: "transferredOut", false: "active"}[req.Left]
	})
}

func (r *roll) CheckReturn(context.Context, *party.MemberReq) (*recordsgen.Empty, error) {
	return &recordsgen.Empty{}, nil
}

func (r *roll) CheckAdmission(context.Context, *party.AdmitReq) (*recordsgen.Empty, error) {
	return &recordsgen.Empty{}, nil
}

func (r *roll) AdmitMember(_ context.Context, req *party.AdmitReq) (*recordsgen.Empty, error) {
	return r.write(func() {
		r.members[req.MemberId] = &party.Member{Id: req.MemberId, Name: req.Name, OrgId: req.OrgId, Status: "active", MemberType: req.MemberType}
	})
}

type world struct {
	*relation.Service
	t    *testing.T
	roll *roll
	db   *mongo.Database
}

func newWorld(t *testing.T) *world {
	t.Helper()
	blobs, err := blob.Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &roll{members: map[string]*party.Member{"m1": {
		Id: "m1", Name: "甲", Gender: "male", IdNumber: "11010519491231002X", Phone: "19900000001", OrgId: "A", OrgName: "A支部", Orgs: []string{"R", "A"}, Status: "active", MemberType: "fullMember", JoinedOn: "2008-07-01",
	}}}
	db := modeltest.DB(t)
	s, err := relation.New(relation.Deps{DB: db, Redis: modeltest.Redis(t), Clock: &kit.Clock{}, Blobs: blobs, Seal: modeltest.Sealer(t), Party: r})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &world{s, t, r, db}
}

func admin(org, id string) context.Context {
	orgs := []string{"R"}
	if org != "R" {
		orgs = append(orgs, org)
	}
	return kit.WithCaller(context.Background(), kit.Caller{Kind: kit.User, UserID: id, Name: id, OrgID: org, Orgs: orgs, TopLevel: org == "R", Permissions: []string{"*"}})
}

func (w *world) save(typ string, form map[string]any) string {
	w.t.Helper()
	body, err := json.Marshal(form)
	if err != nil {
		w.t.Fatal(err)
	}
	j, err := w.Save(admin("A", "clerk"), &recordsgen.SaveReq{Type: typ, Json: body})
	if err != nil {
		w.t.Fatal(err)
	}
	var row struct{ ID string }
	if err := json.Unmarshal(j.Json, &row); err != nil {
		w.t.Fatal(err)
	}
	return row.ID
}

func (w *world) act(typ, id, action string, values map[string]any) error {
	body, err := json.Marshal(values)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.Act(admin("R", "approver"), &recordsgen.ActReq{Type: typ, Id: id, Action: action, Json: body})
	return err
}

func (w *world) resume() error {
	_, err := w.Resume(kit.AsSystem(w.t.Context()), &recordsgen.Empty{})
	return err
}

func (w *world) count(collection string, filter bson.D) int64 {
	w.t.Helper()
	n, err := w.db.Collection(collection).CountDocuments(w.t.Context(), filter)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

var (
	out    = map[string]any{"memberId": "m1", "toOrgName": "B支部", "reason": "调动", "duesPaidThrough": "2026-10"}
	inside = map[string]any{"mode": "internal", "toOrgId": "B", "paperChecked": true}
)

// TestNeverInTwo: whatever dies between a decision and what follows on the rolls, the person is on
// one roll, and both records tell the same (issue: both ends in one system).
func TestNeverInTwo(t *testing.T) {
	for _, c := range []struct {
		name   string
		away   int
		stored bool
	}{{"party away before the move arrives", 1, false}, {"party dies after it has stored the move", 1, true}, {"party away three times", 3, false}} {
		t.Run("TROU-04 "+c.name, func(t *testing.T) {
			w := newWorld(t)
			id := w.save("transferOut", out)
			w.roll.away, w.roll.stored = c.away, c.stored
			if err := w.act("transferOutApplication", id, "approve", inside); err != nil {
				t.Fatal(err) // the decision is stored: what follows comes later
			}
			for w.roll.away > 0 {
				if err := w.resume(); err == nil {
					t.Fatal("resumed without party")
				}
			}
			for range 3 {
				if err := w.resume(); err != nil {
					t.Fatal(err)
				}
			}
			if m := w.roll.one("m1"); m.OrgId != "B" || m.Status != "active" || w.roll.moves != 1 {
				t.Errorf("he is in %s, %s, moved %d times", m.OrgId, m.Status, w.roll.moves)
			}
			if n := w.count("transferIns", bson.D{{Key: "outId", Value: id}, {Key: "state", Value: model.ApprovalApproved}}); n != 1 {
				t.Errorf("%d transfer-ins", n)
			}
			if n := w.count("transferOuts", bson.D{{Key: "letterNo", Value: bson.D{{Key: "$gt", Value: ""}}}}); n != 1 {
				t.Errorf("%d numbered letters", n)
			}
		})
	}
	t.Run("TROU-03 away and back: the last decision stands, however late it is carried out", func(t *testing.T) {
		w := newWorld(t)
		id := w.save("transferOut", out)
		if err := w.act("transferOutApplication", id, "approve", map[string]any{"mode": "external", "paperChecked": true}); err != nil {
			t.Fatal(err)
		}
		if m := w.roll.one("m1"); m.Status != "transferredOut" {
			t.Fatalf("he is %s", m.Status)
		}
		w.roll.away = 1
		today := (&kit.Clock{}).Now().Format("2006-01-02")
		if err := w.act("transferOut", id, "return", map[string]any{"returnReason": "退回", "returnedOn": today}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.resume(); err != nil {
				t.Fatal(err)
			}
		}
		if m := w.roll.one("m1"); m.Status != "active" || m.OrgId != "A" {
			t.Errorf("he is %s in %s", m.Status, m.OrgId)
		}
	})
	t.Run("TRIN-06 admitted once, whatever is repeated", func(t *testing.T) {
		w := newWorld(t)
		id := w.save("transferIn", map[string]any{"name": "乙", "idNumber": "34052419800101001X", "phone": "19900000002", "memberType": "fullMember", "joinedOn": "1999-07-01",
			"fromOrgName": "外省支部", "toOrgId": "A", "transferType": "province", "letterNo": "1", "duesPaidThrough": "2026-10"})
		w.roll.away, w.roll.stored = 2, true
		if err := w.act("transferInApplication", id, "approve", map[string]any{"paperChecked": true}); err != nil {
			t.Fatal(err)
		}
		_ = w.resume()
		for range 2 {
			if err := w.resume(); err != nil {
				t.Fatal(err)
			}
		}
		if len(w.roll.members) != 2 {
			t.Errorf("%d members", len(w.roll.members))
		}
	})
	t.Run("of decisions at once one stands, and the roll follows that one", func(t *testing.T) {
		w := newWorld(t)
		id := w.save("transferOut", out)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var took []string
		for i := range 8 {
			wg.Go(func() {
				verb, values := "approve", inside
				if i%2 == 0 {
					verb, values = "reject", map[string]any{"opinion": "不同意"}
				}
				if w.act("transferOutApplication", id, verb, values) == nil {
					mu.Lock()
					took = append(took, verb)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(took) != 1 {
			t.Fatalf("%v took", took)
		}
		if err := w.resume(); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"approve": "B", "reject": "A"}[took[0]]
		if m := w.roll.one("m1"); m.OrgId != want || m.Status != "active" {
			t.Errorf("%s took, and he is in %s", took[0], m.OrgId)
		}
	})
	t.Run("numbers of letters are drawn once each, by many at once", func(t *testing.T) {
		w := newWorld(t)
		for i := range 20 {
			id := "n" + string(rune('a'+i))
			w.roll.members[id] = &party.Member{Id: id, Name: id, OrgId: "A", Orgs: []string{"R", "A"}, Status: "active", MemberType: "fullMember"}
		}
		var wg sync.WaitGroup
		for i := range 20 {
			id := w.save("transferOut", map[string]any{"memberId": "n" + string(rune('a'+i)), "toOrgName": "外", "reason": "调动", "duesPaidThrough": "2026-10"})
			wg.Go(func() {
				if err := w.act("transferOutApplication", id, "approve", map[string]any{"mode": "external", "paperChecked": true}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var docs []model.TransferOut
		cur, err := w.db.Collection("transferOuts").Find(t.Context(), bson.D{})
		if err == nil {
			err = cur.All(t.Context(), &docs)
		}
		if err != nil {
			t.Fatal(err)
		}
		var numbers []string
		for _, d := range docs {
			numbers = append(numbers, d.LetterNo)
		}
		slices.Sort(numbers)
		if n := len(slices.Compact(numbers)); n != 20 || numbers[0] == "" {
			t.Errorf("%d numbers: %v", n, numbers)
		}
	})
}
