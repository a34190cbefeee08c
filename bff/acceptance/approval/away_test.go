package approval

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestAway: what waits for an approver who is away (issue 13: 委托 and escalation).
func TestAway(t *testing.T) {
	const typ, asked = "delegation", "hardshipApplication"
	c := NewCalendar(t)
	c.Work()
	day := func(by int) string {
		return c.Now(t).In(time.FixedZone("", 8*3600)).AddDate(0, 0, by).Format(time.DateOnly)
	}
	chief := c.Admin(t)
	user := func(name, org string, permissions ...string) string {
		return IDOf(Add(t, c.Top, "user", Form{"userName": name, "password": UserPassword, "realName": name, "orgId": org, "status": "enabled", "permissions": permissions}))
	}
	other := IDOf(Add(t, c.Top, "organization", OrgForm("别的支部", "branch", c.Root(t))))
	deputyID, strangerID := user("deputy", c.Branch, "member.view"), user("stranger", other, "member.view")
	deputy := c.Login(t, "deputy")
	apply := func() (bfftest.Person, string) {
		who := c.Member(t)
		phone, _ := c.Bind(t, 0, who)
		var r Item
		phone.Post(Own(asked), Form{"hardshipType": "illness", "description": "患病"}, &r)
		return who, IDOf(r)
	}
	both := []string{asked + ".approve", asked + ".view"}
	_, first := apply()
	approve := func(b *bfftest.Browser, id string) *bfftest.Answer {
		return b.Do("POST", Path(asked)+"/"+id+"/actions/approve", Form{})
	}
	t.Run("委托: within its days the colleague decides under his own name, before and after not; nobody gives what he has not, to a stranger, or to himself", func(t *testing.T) {
		Refused(t, approve(deputy, first), http.StatusForbidden, "", "无操作权限")
		for field, f := range map[string]Form{
			"delegateId":  {"delegateId": strangerID, "fromOn": day(0), "toOn": day(5), "permissions": both},
			"permissions": {"delegateId": deputyID, "fromOn": day(0), "toOn": day(5), "permissions": []string{"member.delete", asked + ".approve"}},
			"toOn":        {"delegateId": deputyID, "fromOn": day(0), "toOn": day(300), "permissions": both},
		} {
			Refused(t, chief.Do("POST", Path(typ), f), http.StatusBadRequest, field, "")
		}
		Refused(t, chief.Do("POST", Path(typ), Form{"delegateId": deputyID, "fromOn": day(0), "toOn": day(5), "permissions": []string{asked + ".view"}}), http.StatusBadRequest, "permissions", "请勾选要委托的审批")
		id := IDOf(Add(t, chief, typ, Form{"delegateId": deputyID, "fromOn": day(2), "toOn": day(4), "permissions": both, "reason": "出差"}))
		Refused(t, approve(deputy, first), http.StatusForbidden, "", "无操作权限")
		c.Pass(t, 2*24*time.Hour, chief)
		deputy = c.Login(t, "deputy")
		approve(deputy, first).Into(t, &Item{})
		var r Item
		c.Top.Get(Path("hardship")+"/"+first, &r)
		if r["state"] != "approved" || r["approverName"] != "deputy" {
			t.Fatalf("%v", r)
		}
		_, second := apply()
		bfftest.Eventually(t, "the colleague hears of what is handed in", func() bool {
			var l struct{ Notifications []struct{ TargetID string } }
			deputy.Get("/api/console/notifications", &l)
			return slices.ContainsFunc(l.Notifications, func(n struct{ TargetID string }) bool { return n.TargetID == second })
		})
		// Only who gave it takes it back, and it ends by itself.
		Refused(t, c.Top.Do("POST", Path(typ)+"/delete", Form{"ids": []string{id}}), http.StatusConflict, "", "只能更改本人的委托")
		c.Pass(t, 3*24*time.Hour, chief)
		deputy = c.Login(t, "deputy")
		Refused(t, approve(deputy, second), http.StatusForbidden, "", "无操作权限")
		approve(chief, second).Into(t, &Item{})
	})
	t.Run("what waits for more than seven days is told to the organisation above, once, which may decide", func(t *testing.T) {
		_, id := apply()
		heard := func() (n int) {
			var l struct {
				Notifications []struct{ Title, TargetID string }
			}
			c.Top.Get("/api/console/notifications?size=100", &l)
			for _, x := range l.Notifications {
				if x.TargetID == id && strings.Contains(x.Title, "超期未审") {
					n++
				}
			}
			return n
		}
		c.Pass(t, 6*24*time.Hour, chief)
		if heard() != 0 {
			t.Fatal("it is told too early")
		}
		c.Pass(t, 2*24*time.Hour, chief)
		bfftest.Eventually(t, "it is told", func() bool { return heard() == 1 })
		c.Pass(t, 9*24*time.Hour, chief)
		approve(c.Top, id).Into(t, &Item{})
		if heard() != 1 {
			t.Fatalf("told %d times", heard())
		}
	})
}
