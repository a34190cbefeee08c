package member

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// memberPages are what the member pages ask for.
var memberPages = []string{
	"dues", "meetings", "notifications", "points", "ranking", "profile", "organization",
	"records/suggestion", "records/reward", "records/developmentCase", "records/memberShowcase", "records/profileChange/schema",
}

// TestMemberMenu: what the official account shows to whom.
func TestMemberMenu(t *testing.T) {
	closed := func(t *testing.T, b *bfftest.Browser, why string) {
		t.Helper()
		for _, p := range memberPages {
			a := b.Do("GET", "/api/member/"+p, nil)
			if a.Status != http.StatusForbidden || !strings.Contains(string(a.Body), `"key":"unbound"`) {
				t.Errorf("%s: %s: %d %s", why, p, a.Status, a.Body)
			}
		}
		var me struct{ Bound bool }
		if b.Get("/api/member/me", &me); me.Bound {
			t.Errorf("%s: still bound", why)
		}
	}
	open := func(b *bfftest.Browser) bool { return b.Do("GET", "/api/member/meetings", nil).Status == http.StatusOK }
	t.Run("MENU-10 who is not bound, or no longer, gets no data of members, at the next request", func(t *testing.T) {
		visitor := Visitor(t)
		visitor.OpenPhone(visitor.WeChatUser("路人", "13800000000"))
		closed(t, visitor, "a visitor")
		for why, end := range map[string]func(bfftest.Person){
			"unbound": func(p bfftest.Person) {
				AdminA(t).Post("/api/console/records/member/"+p.ID+"/actions/unbind", nil, &Item{})
			},
			"deleted": func(p bfftest.Person) {
				AdminA(t).Post(Path("member")+"/delete", Form{"ids": []string{p.ID}}, &struct{}{})
			},
			"left the party": func(p bfftest.Person) {
				Add(t, AdminA(t), "memberReduction", Form{"memberId": p.ID, "reductionType": "death", "reducedOn": Day(-1), "reason": "病故"})
			},
		} {
			p := NewMember(t, OrgA(t))
			b := PhoneOf(t, p)
			if !open(b) {
				t.Fatalf("%s: closed before", why)
			}
			end(p)
			bfftest.Eventually(t, why, func() bool { return !open(b) })
			closed(t, b, why)
		}
	})
	t.Run("MENU-05 申请 holds the seven forms, each with the list of his own; a part-time person applies for nothing here", func(t *testing.T) {
		type entry struct {
			Type  string
			Place struct{ Page, Group, Title string }
		}
		entries := func(b *bfftest.Browser) (titles, types []string) {
			var all []entry
			b.Get("/api/member/records", &all)
			for _, e := range all {
				if e.Place.Page == "apply" && e.Place.Group == "" {
					titles, types = append(titles, e.Place.Title), append(types, e.Type)
				}
			}
			return titles, types
		}
		who, other := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
		phone, another := PhoneOf(t, who), PhoneOf(t, other)
		titles, types := entries(phone)
		if !slices.Equal(titles, []string{"困难党员", "退休", "党费基数", "党费减免", "关系转出", "出国出境", "证明信"}) {
			t.Fatalf("申请 holds %v", titles)
		}
		var got Item
		phone.Post(Own("certificateApplication"), Form{"receiver": "市档案馆", "purpose": "查档"}, &got)
		for _, typ := range types {
			var mine, theirs bfftest.Page
			phone.Get(Own(typ), &mine)
			another.Get(Own(typ), &theirs)
			if want := map[bool]int{true: 1}[typ == "certificateApplication"]; mine.Total != want || theirs.Total != 0 {
				t.Errorf("%s: he sees %d, another %d", typ, mine.Total, theirs.Total)
			}
		}
		if mine := got["state"]; mine != "pending" {
			t.Fatalf("handed in: %v", got)
		}
		g := NewPerson()
		Add(t, AdminA(t), "partTimeMember", Form{"name": g.Name, "idNumber": g.IDNumber, "phone": g.Phone, "homeOrgName": "外省某支部", "startOn": Day(-1), "endOn": Day(1)})
		guest := PhoneOf(t, g)
		for _, typ := range types {
			if a := guest.Do("POST", Own(typ), Form{"receiver": "x", "purpose": "x", "hardshipType": "illness", "description": "x", "retiredOn": "2026-01-01", "toOrgName": "x", "reason": "x",
				"duesPaidThrough": "2026-10", "destination": "x", "purposeNote": "x", "departOn": "2026-12-01", "fromMonth": "2026-12", "toMonth": "2026-12", "reductionType": "exempt", "effectiveMonth": "2026-12", "baseAmount": 1}); a.Status < 400 || a.Status >= 500 {
				t.Errorf("a guest hands in %s: %d %s", typ, a.Status, a.Body)
			}
		}
	})
	t.Run("MENU-12 a member who is part-time elsewhere sees both organisations' events under their names; all else is of his own branch", func(t *testing.T) {
		who := NewMember(t, OrgB(t))
		Add(t, AdminA(t), "partTimeMember", Form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone, "homeOrgName": "x", "startOn": Day(-1), "endOn": Day(1)})
		for _, x := range []struct {
			b   *bfftest.Browser
			org string
		}{{AdminA(t), Name("甲支部")}, {AdminB(t), Name("乙支部")}} {
			p := who.ID
			if x.org == Name("甲支部") {
				for _, g := range x.b.List("partTimeMember", "f.name="+who.Name).Items {
					p = IDOf(g)
				}
			}
			m := IDOf(Add(t, x.b, "meeting", MeetingForm(x.org+"的会", Form{"participantIds": []string{p}})))
			x.b.Post("/api/console/records/meeting/"+m+"/actions/start", nil, &Item{})
		}
		phone := PhoneOf(t, who)
		var l struct {
			Meetings []struct{ Title, OrgName string }
		}
		phone.Get("/api/member/meetings", &l)
		if len(l.Meetings) != 2 {
			t.Fatalf("%v", l)
		}
		for _, m := range l.Meetings {
			if m.Title != m.OrgName+"的会" {
				t.Errorf("%v", m)
			}
		}
		var org struct{ OrgName string }
		var me struct{ OrgID string }
		phone.Get("/api/member/organization", &org)
		phone.Get("/api/member/me", &me)
		if org.OrgName != Name("乙支部") || me.OrgID != OrgB(t) {
			t.Fatalf("%v %v", org, me)
		}
		phone.Get("/api/member/dues", &Item{})
		var asked Item
		phone.Post(Own("profileChange"), Form{"education": "bachelor"}, &asked)
		if !slices.Contains(IDs(AdminB(t).List("profileChange", "f.memberId="+who.ID)), IDOf(asked)) || len(AdminA(t).List("profileChange", "f.memberId="+who.ID).Items) != 0 {
			t.Fatal("his application went to the wrong branch")
		}
	})
}
