package relation

import (
	"net/http"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestLost is PLUS-17: a member whom nobody can reach.
func TestLost(t *testing.T) {
	const lost = "lostContact"
	c := NewCalendar(t)
	c.Work()
	admin := c.Admin(t)
	who := c.Member(t)
	today := func(by int) string {
		return c.Now(t).In(time.FixedZone("", 8*3600)).AddDate(0, 0, by).Format(time.DateOnly)
	}
	other := IDOf(Add(t, c.Top, "organization", OrgForm("旁支部", "branch", c.Root(t))))
	do := func(id, verb string, f Form) *bfftest.Answer {
		return admin.Do("POST", Path(lost)+"/"+id+"/actions/"+verb, f)
	}
	member := func() (m Item) {
		c.Top.Get(Path("member")+"/"+who.ID, &m)
		return m
	}
	due := func() int { return len(c.Top.List(lost, "f.due=now&f.memberId="+who.ID).Items) }
	decision := Form{"suspendedOn": today(0), "suspendedBy": "支部大会", "suspendReason": "失联六个月，多方查找无果"}
	var id string
	t.Run("PLUS-17 a branch enters who is lost and how it looked for him; before six months, or without a search, nothing is decided", func(t *testing.T) {
		Refused(t, admin.Do("POST", Path(lost), Form{"memberId": who.ID, "lostOn": today(1), "cause": "work"}), http.StatusBadRequest, "lostOn", "")
		id = IDOf(Add(t, admin, lost, Form{"memberId": who.ID, "lostOn": today(-150), "cause": "work"}))
		Refused(t, admin.Do("POST", Path(lost), Form{"memberId": who.ID, "lostOn": today(-10), "cause": "work"}), http.StatusBadRequest, "memberId", "正在办理")
		Refused(t, do(id, "suspend", decision), http.StatusConflict, "", "失联满六个月")
		if due() != 0 {
			t.Fatal("it is due before six months")
		}
		c.Pass(t, 40*24*time.Hour, admin)
		if due() != 1 {
			t.Fatal("after six months it is not on the list of what is due")
		}
		Refused(t, do(id, "suspend", decision), http.StatusConflict, "", "请先登记查找情况")
		Refused(t, do(id, "search", Form{"on": today(-300), "way": "电话", "result": "停机"}), http.StatusBadRequest, "on", "不能早于失联时间")
		do(id, "search", Form{"on": today(-1), "way": "走访亲属", "result": "下落不明"}).Into(t, &Item{})
		if r := c.Top.List(lost, "f.memberId="+who.ID).Items[0]; !strings.Contains(r["searches"].(string), "走访亲属：下落不明（支部管理员）") || r["state"] != "searching" {
			t.Fatalf("%v", r)
		}
	})
	t.Run("PLUS-17 停止党籍 takes him off the roll, its deadline is listed; restored he is back as he was", func(t *testing.T) {
		before := member()
		Refused(t, do(id, "suspend", Form{"suspendedOn": today(-60), "suspendedBy": "支部大会", "suspendReason": "x"}), http.StatusBadRequest, "suspendedOn", "不早于")
		do(id, "suspend", Form{"suspendedOn": today(0), "suspendedBy": "支部大会", "suspendReason": "多方查找无果"}).Into(t, &Item{})
		bfftest.Eventually(t, "he is off the roll", func() bool { return len(c.Top.List("member", "f.name="+who.Name).Items) == 0 })
		Refused(t, do(id, "found", Form{"endedOn": today(0), "endedBy": "x"}), http.StatusConflict, "", "")
		if due() != 0 {
			t.Fatal("two years are not over")
		}
		c.Pass(t, 731*24*time.Hour, admin)
		if due() != 1 {
			t.Fatal("after two years it is not on the list of what is due")
		}
		Refused(t, do(id, "restore", Form{"endedOn": today(-800), "endedBy": "x"}), http.StatusBadRequest, "endedOn", "不能早于")
		do(id, "restore", Form{"endedOn": today(0), "endedBy": "本人返回，经支部大会讨论、上级批准恢复"}).Into(t, &Item{})
		bfftest.Eventually(t, "he is back", func() bool { return len(c.Top.List("member", "f.name="+who.Name).Items) == 1 })
		after := member()
		for _, k := range []string{"name", "orgId", "memberType", "joinedOn", "regularizedOn"} {
			if before[k] != after[k] {
				t.Errorf("%s was %v, is %v", k, before[k], after[k])
			}
		}
		if r := c.Top.List(lost, "f.memberId="+who.ID).Items[0]; r["state"] != "restored" || r["dueOn"] != "" || r["suspendedBy"] != "支部大会" || !strings.Contains(r["searches"].(string), "走访亲属") {
			t.Fatalf("his history: %v", r)
		}
		// Lost again, he may be entered again; found in time, nothing happens to him.
		again := IDOf(Add(t, admin, lost, Form{"memberId": who.ID, "lostOn": today(-1), "cause": "moved"}))
		do(again, "found", Form{"endedOn": today(0), "endedBy": "来电"}).Into(t, &Item{})
		if m := member(); m["orgId"] != c.Branch {
			t.Fatalf("%v", m)
		}
	})
	t.Run("PLUS-17 a sibling neither sees nor decides", func(t *testing.T) {
		Add(t, c.Top, "user", Form{"userName": "sibling", "password": UserPassword, "realName": "旁人", "orgId": other, "status": "enabled", "permissions": []string{"*"}})
		b := c.Login(t, "sibling")
		if l := b.List(lost, ""); l.Total != 0 {
			t.Fatalf("%v", l.Items)
		}
		Refused(t, b.Do("POST", Path(lost)+"/"+id+"/actions/search", Form{"on": today(0), "way": "x", "result": "x"}), http.StatusNotFound, "", NothingThere)
	})
}
