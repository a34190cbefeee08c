package member

import (
	"net/http"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestSilentMatch asks the forms of guests and inflows about ID numbers of people whom the
// admin may not see: what they answer is the same as about anybody.
func TestSilentMatch(t *testing.T) {
	for typ, rest := range map[string]Form{
		"partTimeMember": {"startOn": Day(-1), "endOn": Day(1)},
		"reportInMember": {"startOn": Day(-1), "endOn": Day(1)},
		"memberInflow":   {"inflowOn": Day(-1), "place": "建设路 8 号", "reason": "在本地务工", "inflowOrgId": OrgA(t)},
	} {
		t.Run(typ, func(t *testing.T) {
			form := func(p bfftest.Person, name string) Form {
				return rest.With(Form{"name": name, "idNumber": p.IDNumber, "phone": NewPerson().Phone, "homeOrgName": "某支部"})
			}
			foreign, foreignToo, nobody := NewMember(t, OrgB(t)), NewMember(t, OrgB(t)), NewPerson()
			a := AdminA(t)
			answers := []Item{
				Add(t, a, typ, form(nobody, nobody.Name)),
				Add(t, a, typ, form(foreign, "另有其人")),
				Add(t, a, typ, form(foreignToo, foreignToo.Name)),
			}
			for i, got := range answers {
				if got["homeOrgName"] != "某支部" {
					t.Errorf("%d: his home is %v", i, got["homeOrgName"])
				}
				if id, _ := got["memberId"].(string); id != "" {
					t.Errorf("%d: he is member %v", i, id)
				}
				var seen Item
				a.Get(Path(typ)+"/"+IDOf(got), &seen)
				if len(seen) != len(answers[0]) || seen["homeOrgName"] != "某支部" {
					t.Errorf("%d: it shows %v", i, seen)
				}
			}
			if typ == "memberInflow" && len(a.List(typ, "f.memberId="+foreignToo.ID).Items) != 0 {
				t.Error("found by the member")
			}
			// Who may see the member is told what he typed wrong.
			own := NewMember(t, OrgA(t))
			Refused(t, a.Do("POST", Path(typ), form(own, "另有其人")), http.StatusBadRequest, "name", "不一致")
			if typ == "memberInflow" {
				return
			}
			// A phone that somebody wrote beside a member's name is not the member's.
			written := form(NewMember(t, OrgB(t)), "")
			member := NewMember(t, OrgB(t))
			written["name"], written["idNumber"] = member.Name, member.IDNumber
			Add(t, a, typ, written)
			thief := Visitor(t)
			thief.OpenPhone(thief.WeChatUser("冒名", written["phone"].(string)))
			Refused(t, thief.Do("POST", "/api/member/bind-code", Form{"name": member.Name, "idNumber": member.IDNumber, "phone": written["phone"]}), http.StatusNotFound, "", "未找到党员信息")
			// The member himself binds as what he is.
			phone, _ := Bind(t, member)
			var me struct{ OrgID string }
			phone.Get("/api/member/me", &me)
			if me.OrgID != OrgB(t) {
				t.Errorf("the member is of %s", me.OrgID)
			}
		})
	}
}
