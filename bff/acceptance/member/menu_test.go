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
