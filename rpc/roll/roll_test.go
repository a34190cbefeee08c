package roll_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/roll"
)

// fakeParty has the branches A and B below R, and members by id.
type fakeParty struct {
	partysvc.Client
	seal *model.Sealer
	down bool // writes do not arrive

	mu       sync.Mutex
	members  map[string]*party.Member
	standing []string // "m1 left", "m1 back", "m1 2026-05-31"
	by       []string // on whose behalf
}

func (p *fakeParty) GetMembers(_ context.Context, req *party.MembersReq) (*party.Members, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &party.Members{}
	for _, id := range req.MemberIds {
		if m := p.members[id]; m != nil {
			shown := *m
			shown.IdNumber, shown.Phone = model.MaskID(m.IdNumber), model.MaskPhone(m.Phone)
			out.Members = append(out.Members, &shown)
		}
	}
	return out, nil
}

func (p *fakeParty) GetMember(_ context.Context, req *party.MemberReq) (*party.Member, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.members[req.MemberId]; m != nil {
		return new(*m), nil
	}
	return nil, kit.ErrNotFound
}

func (p *fakeParty) GetIdentities(_ context.Context, req *party.MembersReq) (*party.Identities, error) {
	out := &party.Identities{}
	for _, id := range req.MemberIds {
		if m := p.members[id]; m != nil {
			out.Identities = append(out.Identities, &party.Identity{MemberId: id, Masked: model.MaskID(m.IdNumber)})
		}
	}
	return out, nil
}

func (p *fakeParty) FindByIDNumber(_ context.Context, req *party.BlindReq) (*party.Member, error) {
	for _, m := range p.members {
		if m.Status == "active" && p.seal.Blind(m.IdNumber) == req.IdBlind {
			return m, nil
		}
	}
	return &party.Member{}, nil
}

func (p *fakeParty) GetPlaces(_ context.Context, req *party.PlacesReq) (*party.OrgPlaces, error) {
	out := &party.OrgPlaces{}
	for _, id := range req.OrgIds {
		switch id {
		case "R":
			out.Places = append(out.Places, &party.OrgPlace{Id: "R", OrgName: "党委", Orgs: []string{"R"}})
		case "A", "B":
			out.Places = append(out.Places, &party.OrgPlace{Id: id, OrgName: id + "支部", Orgs: []string{"R", id}})
		}
	}
	return out, nil
}

func (p *fakeParty) note(ctx context.Context, what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := kit.CallerOf(ctx)
	if c.Kind != kit.System {
		return kit.ErrForbidden
	}
	if p.down {
		return errors.New("party is down")
	}
	p.standing, p.by = append(p.standing, what), append(p.by, c.Name)
	return nil
}

func (p *fakeParty) SetStanding(ctx context.Context, req *party.StandingReq) (*recordsgen.Empty, error) {
	word, status := " back", "active"
	if req.Left {
		word, status = " left", "reduced"
	}
	if err := p.note(ctx, req.MemberId+word); err != nil {
		return nil, err
	}
	p.members[req.MemberId].Status = status
	return &recordsgen.Empty{}, nil
}

func (p *fakeParty) SetRetired(ctx context.Context, req *party.RetiredReq) (*recordsgen.Empty, error) {
	return &recordsgen.Empty{}, p.note(ctx, req.MemberId+" "+req.RetiredOn)
}

func (p *fakeParty) CheckReturn(_ context.Context, req *party.MemberReq) (*recordsgen.Empty, error) {
	if req.MemberId == "twice" {
		return nil, kit.Conflict("reduction.returned", "该党员已重新登记，不能恢复")
	}
	return &recordsgen.Empty{}, nil
}

func person(id, name, org string, serial string) *party.Member {
	d := "99010119800101" + serial
	return &party.Member{
		Id: id, Name: name, Gender: "male", IdNumber: d + string(model.IDCheck(d)), Phone: "19900000" + serial, OrgId: org, OrgName: org + "支部",
		Orgs: []string{"R", org}, Status: "active", MemberType: "fullMember", JoinedOn: "2008-07-01",
	}
}

type world struct {
	*roll.Service
	t     *testing.T
	party *fakeParty
}

func newWorld(t *testing.T) *world {
	t.Helper()
	blobs, err := blob.Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &fakeParty{seal: modeltest.Sealer(t), members: map[string]*party.Member{}}
	for _, m := range []*party.Member{person("m1", "甲", "A", "101"), person("m2", "乙", "B", "103"), person("twice", "丙", "A", "105")} {
		p.members[m.Id] = m
	}
	s, err := roll.New(roll.Deps{DB: modeltest.DB(t), Clock: &kit.Clock{}, Blobs: blobs, Seal: p.seal, Party: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &world{s, t, p}
}

func admin(org string) context.Context {
	orgs := []string{"R"}
	if org != "R" {
		orgs = append(orgs, org)
	}
	return kit.WithCaller(context.Background(), kit.Caller{Kind: kit.User, UserID: "u" + org, Name: org + "管理员", OrgID: org, Orgs: orgs, TopLevel: org == "R", Permissions: []string{"*"}})
}

func (w *world) save(ctx context.Context, typ string, form map[string]any) (map[string]any, error) {
	w.t.Helper()
	body, err := json.Marshal(form)
	if err != nil {
		w.t.Fatal(err)
	}
	j, err := w.Save(ctx, &recordsgen.SaveReq{Type: typ, Json: body})
	if err != nil {
		return nil, err
	}
	var row map[string]any
	if err := json.Unmarshal(j.Json, &row); err != nil {
		w.t.Fatal(err)
	}
	return row, nil
}

func (w *world) must(row map[string]any, err error) string {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return row["id"].(string)
}

func (w *world) delete(typ, id string) error {
	_, err := w.Delete(admin("A"), &recordsgen.IDsReq{Type: typ, Ids: []string{id}})
	return err
}

func says(t *testing.T, err error, text string) {
	t.Helper()
	e := kit.FromError(err)
	all := []string{e.Message}
	for _, v := range e.Fields {
		all = append(all, v)
	}
	if err == nil || !strings.Contains(strings.Join(all, " "), text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

var died = map[string]any{"memberId": "m1", "reductionType": "death", "reason": "病故", "reducedOn": "2026-01-05"}

func TestReduction(t *testing.T) {
	t.Run("the member leaves, in the name of who recorded it, and comes back when it is deleted", func(t *testing.T) {
		w := newWorld(t)
		id := w.must(w.save(admin("A"), "memberReduction", died))
		if err := w.delete("memberReduction", id); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.party.standing, []string{"m1 left", "m1 back"}) || !slices.Equal(w.party.by, []string{"A管理员", "A管理员"}) {
			t.Error(w.party.standing, w.party.by)
		}
	})
	t.Run("party away delays it, and loses nothing", func(t *testing.T) {
		w := newWorld(t)
		w.party.down = true
		w.must(w.save(admin("A"), "memberReduction", died))
		if _, err := w.Resume(kit.AsSystem(t.Context()), &recordsgen.Empty{}); err == nil {
			t.Error("resumed without party")
		}
		w.party.down = false
		for range 2 {
			if _, err := w.Resume(kit.AsSystem(t.Context()), &recordsgen.Empty{}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(w.party.standing, []string{"m1 left"}) {
			t.Error(w.party.standing)
		}
	})
	t.Run("a second record, a sibling's member, no way of 出党, and who is registered anew", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.save(admin("A"), "memberReduction", died))
		w.party.members["m1"].Status = "active"
		_, err := w.save(admin("A"), "memberReduction", died)
		says(t, err, "该党员已有减少记录")
		_, err = w.save(admin("B"), "memberReduction", map[string]any{"memberId": "twice", "reductionType": "death", "reducedOn": "2026-01-05", "reason": "x"})
		says(t, err, "党员")
		_, err = w.save(admin("A"), "memberReduction", map[string]any{"memberId": "twice", "reductionType": "expulsion", "reducedOn": "2026-01-05", "reason": "x"})
		says(t, err, "请填写出党方式")
		id := w.must(w.save(admin("A"), "memberReduction", map[string]any{"memberId": "twice", "reductionType": "death", "reducedOn": "2026-01-05", "reason": "x"}))
		says(t, w.delete("memberReduction", id), "该党员已重新登记，不能恢复")
	})
	t.Run("an expulsion is followed by it, once", func(t *testing.T) {
		w := newWorld(t)
		id := w.must(w.save(admin("A"), "sanction", map[string]any{"memberId": "m1", "sanctionType": "expulsion", "authority": "党委", "sanctionedOn": "2026-03-01", "reason": "违纪"}))
		reduce := func() error {
			_, err := w.Act(admin("A"), &recordsgen.ActReq{Type: "sanction", Id: id, Action: "reduce"})
			return err
		}
		if err := reduce(); err != nil {
			t.Fatal(err)
		}
		says(t, reduce(), "该党员已有减少记录")
		if !slices.Equal(w.party.standing, []string{"m1 left"}) {
			t.Error(w.party.standing)
		}
	})
}

func TestRetirement(t *testing.T) {
	w := newWorld(t)
	id := w.must(w.save(admin("A"), "retirement", map[string]any{"memberId": "m1", "retiredOn": "2026-06-30"}))
	if err := w.delete("retirement", id); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.party.standing, []string{"m1 2026-06-30", "m1 "}) {
		t.Error(w.party.standing)
	}
	_, err := w.save(admin("A"), "retirement", map[string]any{"memberId": "m1", "retiredOn": "2001-06-30"})
	says(t, err, "退休时间不能早于入党日期")
}

func TestInflow(t *testing.T) {
	form := func(m *party.Member, name string) map[string]any {
		return map[string]any{
			"name": name, "idNumber": m.IdNumber, "phone": "19900000101", "homeOrgName": "外地支部", "inflowOrgId": "A", "inflowOn": "2026-01-01", "place": "和平路", "reason": "务工",
		}
	}
	t.Run("a member of this system is recognised by who may know him", func(t *testing.T) {
		w := newWorld(t)
		row, err := w.save(admin("R"), "memberInflow", form(w.party.members["m2"], "乙"))
		w.must(row, err)
		if row["memberId"] != "m2" || row["homeOrgName"] != "B支部" {
			t.Error(row)
		}
		_, err = w.save(admin("R"), "memberInflow", form(w.party.members["m1"], "甲"))
		says(t, err, "该人员就是该组织的党员")
		_, err = w.save(admin("R"), "memberInflow", form(w.party.members["m1"], "假名"))
		says(t, err, "姓名与该身份证号的党员不一致")
	})
	t.Run("who may not know him learns nothing, whatever the name", func(t *testing.T) {
		for _, name := range []string{"乙", "假名"} {
			w := newWorld(t)
			row, err := w.save(admin("A"), "memberInflow", form(w.party.members["m2"], name))
			w.must(row, err)
			if row["memberId"] != "" || row["homeOrgName"] != "外地支部" {
				t.Error(row)
			}
		}
	})
}
