package party_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

func phoneUser(openID, channel string) context.Context {
	return kit.WithCaller(context.Background(), kit.Caller{Kind: kit.Member, OpenID: openID, UnionID: "union-" + openID, Channel: channel})
}

func bindReq(name string, serial int, code string) *gen.BindReq {
	return &gen.BindReq{Name: name, IdNumber: idNumber(serial), Phone: fmt.Sprintf("1990%07d", serial), Code: code}
}

func codeReq(name string, serial int) *gen.BindCodeReq {
	return &gen.BindCodeReq{Name: name, IdNumber: idNumber(serial), Phone: fmt.Sprintf("1990%07d", serial)}
}

// pass lets the product's time go on.
func (h *house) pass(d time.Duration) { h.clock.SetOffset(h.clock.Offset() + d) }

// bind binds a WeChat user to a member.
func (h *house) bind(openID, name string, serial int) {
	h.t.Helper()
	as := phoneUser(openID, "oa")
	if _, err := h.SendBindCode(as, codeReq(name, serial)); err != nil {
		h.t.Fatalf("code for %s: %v", name, err)
	}
	if _, err := h.Bind(as, bindReq(name, serial, h.sms.code())); err != nil {
		h.t.Fatalf("bind %s: %v", name, err)
	}
}

func (h *house) boundMember(openID, channel string) string {
	m, err := h.FindByOpenID(system(), &gen.OpenIDReq{OpenId: openID, Channel: channel})
	if err != nil {
		return ""
	}
	return m.Id
}

func TestBind(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		a := h.mustSave(h.admin("A"), "member", "", 0, member("甲", 1, h.ids["A"]))
		h.mustSave(h.admin("A"), "member", "", 0, member("乙", 2, h.ids["A"]))
		id := a["id"].(string)
		oa := phoneUser("w1", "oa")
		t.Run("a visitor and a mismatch get no code", func(t *testing.T) {
			_, err := h.SendBindCode(context.Background(), codeReq("甲", 1))
			wantErr(t, err, kit.ErrUnauthenticated, "visitor")
			for i, req := range []*gen.BindCodeReq{codeReq("乙", 1), {Name: "甲", IdNumber: idNumber(1), Phone: "19900000002"}, codeReq("甲", 99)} {
				_, err := h.SendBindCode(phoneUser(fmt.Sprint("stranger", i), "oa"), req)
				if e := kit.FromError(err); !strings.Contains(e.Message, "未找到党员信息") {
					t.Errorf("%v: %v", req, err)
				}
			}
			if len(h.sms.sent) != 0 {
				t.Errorf("%d codes sent", len(h.sms.sent))
			}
		})
		t.Run("five wrong codes end a code, another user's is no good", func(t *testing.T) {
			if _, err := h.SendBindCode(oa, codeReq("甲", 1)); err != nil {
				t.Fatal(err)
			}
			code := h.sms.code()
			if len(code) != 6 || h.sms.sent[0].Kind != "bindCode" || h.sms.sent[0].Phone != "19900000001" {
				t.Fatalf("%+v", h.sms.sent[0])
			}
			if _, err := h.Bind(phoneUser("w9", "oa"), bindReq("甲", 1, code)); err == nil {
				t.Fatal("another WeChat user used the code")
			}
			wrong := "000000"
			if code == wrong {
				wrong = "000001"
			}
			for range 5 {
				if _, err := h.Bind(oa, bindReq("甲", 1, wrong)); err == nil {
					t.Fatal("a wrong code binds")
				}
			}
			if _, err := h.Bind(oa, bindReq("甲", 1, code)); err == nil {
				t.Error("the code lives on after five wrong tries")
			}
		})
		t.Run("a code is good for five minutes", func(t *testing.T) {
			h.pass(2 * time.Minute)
			if _, err := h.SendBindCode(oa, codeReq("甲", 1)); err != nil {
				t.Fatal(err)
			}
			h.pass(5*time.Minute + time.Second)
			if _, err := h.Bind(oa, bindReq("甲", 1, h.sms.code())); err == nil {
				t.Error("an old code binds")
			}
		})
		t.Run("one account binds to one person and one person to one account, again is the same", func(t *testing.T) {
			h.pass(2 * time.Minute)
			h.bind("w1", "甲", 1)
			if got := h.boundMember("w1", "oa"); got != id {
				t.Fatalf("bound to %q", got)
			}
			if m, err := h.Bind(oa, bindReq("甲", 1, "123456")); err != nil || m.Id != id {
				t.Errorf("the same request again: %v", err)
			}
			h.pass(2 * time.Minute)
			_, err := h.SendBindCode(phoneUser("w2", "oa"), codeReq("甲", 1))
			if e := kit.FromError(err); e.Key != "bind.taken" {
				t.Errorf("a second account: %v", err)
			}
			h.pass(2 * time.Minute)
			if _, err := h.SendBindCode(oa, codeReq("乙", 2)); err != nil {
				t.Fatal(err)
			}
			_, err = h.Bind(oa, bindReq("乙", 2, h.sms.code()))
			if e := kit.FromError(err); e.Key != "bind.account" {
				t.Errorf("a second person: %v", err)
			}
		})
		t.Run("the other channel is recognised by unionid and remembered", func(t *testing.T) {
			m, err := h.FindByOpenID(system(), &gen.OpenIDReq{OpenId: "mini1", UnionId: "union-w1", Channel: "mini"})
			if err != nil || m.Id != id {
				t.Fatalf("%v %v", m, err)
			}
			if got := h.boundMember("mini1", "mini"); got != id {
				t.Errorf("not remembered: %q", got)
			}
		})
		t.Run("BIND-02 微信解绑 ends the binding, he may bind again, an unbound one says so", func(t *testing.T) {
			admin := h.admin("A")
			if _, err := h.Act(admin, unbinding(id)); err != nil {
				t.Fatal(err)
			}
			if h.boundMember("w1", "oa") != "" || h.boundMember("mini1", "mini") != "" {
				t.Error("still bound")
			}
			_, err := h.Act(admin, unbinding(id))
			if e := kit.FromError(err); e.Message != "该党员未绑定" {
				t.Errorf("%v", err)
			}
			row := decode(t, must(h.Get(admin, &recordsgen.IDReq{Type: "member", Id: id})))
			if strings.Contains(fmt.Sprint(row["_actions"]), "unbind") || row["bound"] != false {
				t.Errorf("%v", row)
			}
			if names, _ := h.list(admin, &recordsgen.ListReq{Type: "binding", Filters: map[string]string{"bound": "false"}}); len(names) != 2 {
				t.Errorf("unbound list: %v", names)
			}
			h.pass(time.Hour)
			h.bind("w1", "甲", 1)
		})
		t.Run("MEMB-15 deleting a member ends the binding, and nothing matches any more", func(t *testing.T) {
			if _, err := h.Delete(h.admin("A"), &recordsgen.IDsReq{Type: "member", Ids: []string{id}}); err != nil {
				t.Fatal(err)
			}
			if h.boundMember("w1", "oa") != "" {
				t.Error("still bound")
			}
			h.pass(time.Hour)
			_, err := h.SendBindCode(oa, codeReq("甲", 1))
			if e := kit.FromError(err); !strings.Contains(e.Message, "未找到党员信息") {
				t.Errorf("%v", err)
			}
		})
	})
}

// unbinding asks for 微信解绑.
func unbinding(id string) *recordsgen.ActReq {
	return &recordsgen.ActReq{Type: "member", Id: id, Action: "unbind"}
}

func TestCountOfBindings(t *testing.T) {
	h := newHouse(t, false)
	admin := h.admin("A")
	a := h.mustSave(admin, "member", "", 0, member("甲", 1, h.ids["A"]))
	id := a["id"].(string)
	// counted tells whether sessions look again after what f does.
	counted := func(f func()) bool {
		t.Helper()
		before := h.deps.Redis.Get(t.Context(), model.BindingsKey).Val()
		f()
		return h.deps.Redis.Get(t.Context(), model.BindingsKey).Val() != before
	}
	change := func(name string) {
		t.Helper()
		row := decode(t, must(h.Get(admin, &recordsgen.IDReq{Type: "member", Id: id})))
		doc := member(name, 1, h.ids["A"])
		doc["duesPaidThrough"] = row["duesPaidThrough"]
		h.mustSave(admin, "member", id, int64(row["version"].(float64)), doc)
	}
	pay := func() {
		if _, err := h.SetDuesPaidThrough(system(), &gen.PaidThroughReq{MemberId: id, Month: "2026-10", Force: true}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		what string
		do   func()
		want bool
	}{
		{"a change of somebody unbound", func() { change("甲一") }, false},
		{"a binding: nobody was known as him", func() { h.bind("w1", "甲一", 1) }, false},
		{"what no session keeps: dues paid", pay, false},
		{"another name", func() { change("甲二") }, true},
		{"the end of the binding", func() { _ = must(h.Act(admin, unbinding(id))) }, true},
		{"a change of an organisation's place", func() { h.mustSave(h.admin("P"), "organization", "", 0, org("X", "group", h.ids["A"])) }, true},
	} {
		if got := counted(step.do); got != step.want {
			t.Errorf("%s: counted %v", step.what, got)
		}
	}
	t.Run("nothing is changed that cannot be counted", func(t *testing.T) {
		h.pass(time.Hour)
		h.bind("w1", "甲二", 1)
		h.deps.Redis.Del(t.Context(), model.BindingsKey)
		h.deps.Redis.HSet(t.Context(), model.BindingsKey, "no", "number")
		if _, err := h.Act(admin, unbinding(id)); err == nil {
			t.Error("unbound without a word to the sessions")
		}
		if h.boundMember("w1", "oa") != id {
			t.Error("changed")
		}
	})
}

func TestBindCodeLimits(t *testing.T) {
	h := newHouse(t, true)
	h.mustSave(h.admin("A"), "member", "", 0, member("甲", 1, h.ids["A"]))
	ask := func(openID string) error {
		_, err := h.SendBindCode(phoneUser(openID, "oa"), codeReq("甲", 1))
		return err
	}
	if err := ask("w1"); err != nil {
		t.Fatal(err)
	}
	h.pass(59 * time.Second)
	if e := kit.FromError(ask("w1")); e.Code/100 != 429 {
		t.Errorf("twice a minute: %v", e)
	}
	if e := kit.FromError(ask("w2")); e.Code/100 != 429 {
		t.Errorf("another user, the same phone: %v", e)
	}
	for i := range 4 {
		h.pass(61 * time.Second)
		if err := ask("w1"); err != nil {
			t.Fatalf("code %d: %v", i+2, err)
		}
	}
	h.pass(61 * time.Second)
	if e := kit.FromError(ask("w1")); e.Code/100 != 429 {
		t.Errorf("a sixth within the hour: %v", e)
	}
	for i := range 5 {
		h.pass(time.Hour)
		if err := ask("w1"); err != nil {
			t.Fatalf("code %d: %v", i+6, err)
		}
	}
	h.pass(time.Hour)
	if e := kit.FromError(ask("w1")); e.Code/100 != 429 {
		t.Errorf("an eleventh within the day: %v", e)
	}
	h.pass(24 * time.Hour)
	if err := ask("w1"); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestBindRace(t *testing.T) {
	h := newHouse(t, false)
	h.mustSave(h.admin("A"), "member", "", 0, member("甲", 1, h.ids["A"]))
	var codes [2]string
	for i := range codes {
		if _, err := h.SendBindCode(phoneUser(fmt.Sprint("w", i), "oa"), codeReq("甲", 1)); err != nil {
			t.Fatal(err)
		}
		codes[i] = h.sms.code()
		h.pass(61 * time.Second)
	}
	var wg sync.WaitGroup
	var errs [2]error
	for i := range codes {
		wg.Go(func() { _, errs[i] = h.Bind(phoneUser(fmt.Sprint("w", i), "oa"), bindReq("甲", 1, codes[i])) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("not exactly one won: %v, %v", errs[0], errs[1])
	}
	for _, err := range errs {
		if e := kit.FromError(err); err != nil && e.Key != "bind.taken" {
			t.Errorf("the loser is told %v", err)
		}
	}
	if n := h.count("members", bson.D{{Key: "openId", Value: bson.D{{Key: "$gt", Value: ""}}}}); n != 1 {
		t.Errorf("%d members bound", n)
	}
}

func sum(counts []*gen.Count) (n int64) {
	for _, c := range counts {
		n += c.Count
	}
	return n
}

func countOf(counts []*gen.Count, key string) int64 {
	for _, c := range counts {
		if c.Key == key {
			return c.Count
		}
	}
	return -1
}

func TestStatistics(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		for i := 1; i <= 5; i++ {
			orgID := h.ids["A"]
			if i > 3 {
				orgID = h.ids["B"]
			}
			h.mustSave(h.admin("P"), "member", "", 0, member(fmt.Sprint("员", i), i, orgID))
		}
		h.bind("w1", "员1", 1)
		stats := func(as, node string) *gen.Statistics {
			t.Helper()
			s, err := h.GetStatistics(h.admin(as), &gen.OrgReq{OrgId: h.ids[node]})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		p, empty := stats("R", "P"), stats("R", "Q")
		t.Run("HOME-06 organisations by type equal the list's, an empty subtree shows 0", func(t *testing.T) {
			_, total := h.list(h.admin("P"), &recordsgen.ListReq{Type: "organization"})
			if sum(p.Organizations) != int64(total) || countOf(p.Organizations, "branch") != 2 || countOf(p.Organizations, "generalBranch") != 1 {
				t.Errorf("%v of %d", p.Organizations, total)
			}
			if countOf(empty.Organizations, "branch") != 0 || countOf(empty.Organizations, "group") != 0 {
				t.Errorf("%v", empty.Organizations)
			}
		})
		t.Run("HOME-07 genders add up to the members listed", func(t *testing.T) {
			_, total := h.list(h.admin("P"), &recordsgen.ListReq{Type: "member"})
			if total != 5 || sum(p.Genders) != 5 || countOf(p.Genders, "male") != 3 || countOf(p.Genders, "female") != 2 {
				t.Errorf("%v of %d", p.Genders, total)
			}
		})
		t.Run("HOME-08 a binding moves one from unbound to bound", func(t *testing.T) {
			if countOf(p.Bindings, "bound") != 1 || countOf(p.Bindings, "unbound") != 4 {
				t.Errorf("%v", p.Bindings)
			}
			h.bind("w2", "员2", 2)
			if s := stats("R", "P"); countOf(s.Bindings, "bound") != 2 || countOf(s.Bindings, "unbound") != 3 {
				t.Errorf("%v", s.Bindings)
			}
		})
		t.Run("HOME-09 age bands add up to the members", func(t *testing.T) {
			if sum(p.Ages) != 5 || countOf(p.Ages, "50") != 5 || countOf(empty.Ages, "50") != 0 {
				t.Errorf("%v", p.Ages)
			}
		})
		t.Run("HOME-07 ORG-03 who only asks to become a member is in the register and counts as none", func(t *testing.T) {
			doc := member("积极", 91, h.ids["B"])
			doc["memberType"] = "activist"
			row := h.mustSave(h.admin("B"), "member", "", 0, doc)
			s := stats("R", "P")
			_, listed := h.list(h.admin("P"), &recordsgen.ListReq{Type: "member"})
			if listed != 6 || sum(s.Genders) != 6 || sum(s.Ages) != 6 || sum(s.Bindings) != 6 || s.MemberCount != 5 {
				t.Errorf("%v, %d listed", s, listed)
			}
			tree, err := h.GetTree(h.admin("P"), &gen.OrgReq{})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range tree.Nodes {
				if n.OrgName == "B" && n.MemberCount != 2 {
					t.Errorf("the tree counts %d", n.MemberCount)
				}
			}
			for _, typ := range []string{"organization", "organizationLedger"} {
				b := decode(t, must(h.Get(h.admin("P"), &recordsgen.IDReq{Type: typ, Id: h.ids["B"]})))
				if b["memberCount"] != 2.0 {
					t.Errorf("%s counts %v", typ, b["memberCount"])
				}
			}
			if _, err := h.Delete(h.admin("B"), &recordsgen.IDsReq{Type: "member", Ids: []string{row["id"].(string)}}); err != nil {
				t.Fatal(err)
			}
		})
		t.Run("退休 and its month stand on the member as 党费类别 does", func(t *testing.T) {
			who := h.mustSave(h.admin("B"), "member", "", 0, member("退", 92, h.ids["B"]))["id"].(string)
			is := func(category string, retired bool, on string) {
				t.Helper()
				m, err := h.GetMember(system(), &gen.MemberReq{MemberId: who})
				row := decode(t, must(h.Get(h.admin("B"), &recordsgen.IDReq{Type: "member", Id: who})))
				if err != nil || m.Retired != retired || m.RetiredOn != on || m.DuesCategory != category || row["duesCategory"] != category {
					t.Errorf("%+v %v %v", m, row["duesCategory"], err)
				}
			}
			is("salaried", false, "")
			retired := func(on string) {
				t.Helper()
				for range 2 { // twice is harmless
					if _, err := h.SetRetired(system(), &gen.RetiredReq{MemberId: who, RetiredOn: on}); err != nil {
						t.Fatal(err)
					}
				}
			}
			retired("2026-06-30")
			is("retired", true, "2026-06-30")
			retired("2026-05-31")
			is("retired", true, "2026-05-31")
			retired("")
			is("salaried", false, "")
			if _, err := h.Delete(h.admin("B"), &recordsgen.IDsReq{Type: "member", Ids: []string{who}}); err != nil {
				t.Fatal(err)
			}
		})
		t.Run("HOME-10 another node has its own counts, one out of scope is refused", func(t *testing.T) {
			if a, b := stats("P", "A"), stats("P", "B"); a.MemberCount != 3 || b.MemberCount != 2 {
				t.Errorf("%v %v", a, b)
			}
			_, err := h.GetStatistics(h.admin("A"), &gen.OrgReq{OrgId: h.ids["B"]})
			wantErr(t, err, kit.ErrNotFound, "sibling")
		})
		t.Run("BIND-01 the list shows who is bound and counts that add up to the members", func(t *testing.T) {
			m := decode(t, must(h.List(h.admin("P"), &recordsgen.ListReq{Type: "binding"})))
			items, counts := m["items"].([]any), m["summary"].(map[string]any)
			if len(items) != 2 || counts["bound"] != "2" || counts["unbound"] != "3" {
				t.Errorf("%v %v", items, counts)
			}
			row := items[0].(map[string]any)
			if row["boundAt"] == "" || row["phone"] == "" || row["_labels"].(map[string]any)["orgId"] != "A" || !strings.Contains(fmt.Sprint(row["_actions"]), "unbind") {
				t.Errorf("%v", row)
			}
		})
		t.Run("BIND-03 the unbound are listed", func(t *testing.T) {
			names, total := h.list(h.admin("B"), &recordsgen.ListReq{Type: "binding", Filters: map[string]string{"bound": "false"}})
			if total != 2 {
				t.Errorf("%v", names)
			}
			h.pass(2 * time.Minute)
			h.bind("w4", "员4", 4)
			h.bind("w5", "员5", 5)
			if names, total = h.list(h.admin("B"), &recordsgen.ListReq{Type: "binding", Filters: map[string]string{"bound": "false"}}); total != 0 {
				t.Errorf("%v", names)
			}
		})
		t.Run("MEMB-10 a bound member sees his own data, nobody else does", func(t *testing.T) {
			id := h.boundMember("w1", "oa")
			me := kit.WithCaller(context.Background(), kit.Caller{Kind: kit.Member, OpenID: "w1", MemberID: id, OrgID: h.ids["A"]})
			m, err := h.GetMyProfile(me, &recordsgen.Empty{})
			if err != nil || m.Name != "员1" || m.OrgName != "A" || m.CommitteeName == "" || m.IdNumber == idNumber(1) {
				t.Errorf("%v %v", m, err)
			}
			_, err = h.GetMyProfile(phoneUser("w7", "oa"), &recordsgen.Empty{})
			wantErr(t, err, kit.ErrUnbound, "unbound")
			_, err = h.RevealMember(me, &gen.MemberReq{MemberId: h.boundMember("w2", "oa")})
			wantErr(t, err, kit.ErrForbidden, "another member")
			o, err := h.GetMyOrganization(me, &recordsgen.Empty{})
			if err != nil || o.OrgName != "A" || len(o.OrgNames) != 3 {
				t.Errorf("%v %v", o, err)
			}
		})
	})
}

func TestDuesPaidThrough(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		id := h.mustSave(h.admin("A"), "member", "", 0, member("甲", 1, h.ids["A"]))["id"].(string)
		set := func(from, to string, force bool) error {
			_, err := h.SetDuesPaidThrough(system(), &gen.PaidThroughReq{MemberId: id, FromMonth: from, Month: to, Force: force})
			return err
		}
		if err := set("2026-08", "2026-09", false); err != nil {
			t.Fatal(err)
		}
		if err := set("2026-08", "2026-09", false); err != nil {
			t.Error("the same again:", err)
		}
		wantErr(t, set("2026-08", "2026-10", false), kit.ErrConflict, "from a month that is past")
		if err := set("", "2026-07", true); err != nil {
			t.Error(err)
		}
		// The form never changes it.
		row := decode(t, must(h.Get(h.admin("A"), &recordsgen.IDReq{Type: "member", Id: id})))
		row["duesPaidThrough"] = "2030-01"
		if _, err := h.save(h.admin("A"), "member", id, int64(row["version"].(float64)), row); err == nil {
			t.Error("the form changed it")
		}
		if row = decode(t, must(h.Get(h.admin("A"), &recordsgen.IDReq{Type: "member", Id: id}))); row["duesPaidThrough"] != "2026-07" {
			t.Errorf("%v", row["duesPaidThrough"])
		}
	})
}
