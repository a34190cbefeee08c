package member

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestProfileChange: members change their own data by request (manual 6).
func TestProfileChange(t *testing.T) {
	who := NewMember(t, OrgA(t))
	phone := PhoneOf(t, who)
	newPhone := NewPerson().Phone
	member := func(t *testing.T) Item {
		var m Item
		AdminA(t).Get(Path("member")+"/"+who.ID, &m)
		return m
	}
	ask := func(t *testing.T, f Form) Item {
		t.Helper()
		phone.T = t
		var got Item
		phone.Post(Own("profileChange"), f, &got)
		return got
	}
	decide := func(t *testing.T, b *bfftest.Browser, id, action, opinion string) *bfftest.Answer {
		return b.Do("POST", Path("profileChange")+"/"+id+"/actions/"+action, Form{"opinion": opinion})
	}
	var first Item
	t.Run("MEMB-03 a member's change waits for approval and changes nothing yet", func(t *testing.T) {
		phone.T = t
		before := member(t)
		first = ask(t, Form{"phone": newPhone, "education": "bachelor"})
		if first["state"] != "pending" || !strings.Contains(first["summary"].(string), "学历：（空） → 本科") {
			t.Fatalf("asked: %v", first)
		}
		if now := member(t); now["version"] != before["version"] || now["phone"] != before["phone"] {
			t.Fatalf("changed before approval: %v", now)
		}
		Refused(t, phone.Do("POST", Own("profileChange"), Form{"email": "a@b.cn"}), http.StatusConflict, "", "已有待审核的修改")
		// What he may not change is not in his form: it is ignored, and alone it is no change.
		other := PhoneOf(t, NewMember(t, OrgA(t)))
		Refused(t, other.Do("POST", Own("profileChange"), Form{"name": "别名", "idNumber": "11010519491231002X", "memberType": "applicant"}), http.StatusBadRequest, "", "请至少修改一项")
		Refused(t, other.Do("POST", Own("profileChange"), Form{"phone": "123"}), http.StatusBadRequest, "phone", "手机号")
	})
	t.Run("MEMB-04 approved, exactly what was asked changes; rejected, nothing; decided once", func(t *testing.T) {
		id := first["id"].(string)
		Refused(t, decide(t, AdminB(t), id, "approve", ""), http.StatusNotFound, "", NothingThere)
		Refused(t, decide(t, Limited(t, "profileChange.view"), id, "approve", ""), http.StatusForbidden, "", "无操作权限")
		before := member(t)
		if a := decide(t, AdminP(t), id, "approve", "同意"); a.Status != http.StatusOK {
			t.Fatalf("approve: %d %s", a.Status, a.Body)
		}
		now := member(t)
		if now["education"] != "bachelor" || now["phone"] == before["phone"] || now["name"] != before["name"] || now["orgId"] != before["orgId"] {
			t.Fatalf("after approval: %v", now)
		}
		Refused(t, decide(t, AdminA(t), id, "reject", "重复"), http.StatusConflict, "", "已审核")
		second := ask(t, Form{"position": "干事"})["id"].(string)
		Refused(t, decide(t, AdminA(t), second, "reject", ""), http.StatusBadRequest, "opinion", "请填写审核意见")
		if a := decide(t, AdminA(t), second, "reject", "材料不全"); a.Status != http.StatusOK {
			t.Fatalf("reject: %d %s", a.Status, a.Body)
		}
		if member(t)["position"] == "干事" {
			t.Fatal("a rejected change was made")
		}
		var seen Item
		phone.Get(Own("profileChange")+"/"+second, &seen)
		if seen["state"] != "rejected" || seen["opinion"] != "材料不全" {
			t.Fatalf("the member sees %v", seen)
		}
	})
	t.Run("MEMB-06 a member follows his own requests and no other's", func(t *testing.T) {
		phone.T = t
		var mine bfftest.Page
		phone.Get(Own("profileChange"), &mine)
		var states []string
		for _, r := range mine.Items {
			states = append(states, r["state"].(string))
		}
		if !slices.Equal(states, []string{"rejected", "approved"}) {
			t.Fatalf("states %v", states)
		}
		other := PhoneOf(t, NewMember(t, OrgA(t)))
		Refused(t, other.Do("GET", Own("profileChange")+"/"+first["id"].(string), nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("MEMB-05 common contacts are kept with the member and shown on his page", func(t *testing.T) {
		phone.T = t
		Refused(t, phone.Do("POST", Own("memberContact"), Form{"name": "", "relation": "妻子", "phone": "13800138000"}), http.StatusBadRequest, "name", "请填写姓名")
		Refused(t, phone.Do("POST", Own("memberContact"), Form{"name": "王某", "phone": "12"}), http.StatusBadRequest, "phone", "格式不正确")
		var c Item
		phone.Post(Own("memberContact"), Form{"name": "王某", "relation": "妻子", "phone": "13800138000"}, &c)
		shown := func() bfftest.Page { return AdminA(t).List("memberContact", "f.memberId="+who.ID) }
		if l := shown(); l.Total != 1 || l.Items[0]["name"] != "王某" || l.Items[0]["phone"] != "138****8000" {
			t.Fatalf("the console shows %+v", l)
		}
		phone.Do("PUT", Own("memberContact")+"/"+c["id"].(string), Form{"name": "王某某", "version": c["version"]}).Into(t, &c)
		if shown().Items[0]["name"] != "王某某" {
			t.Fatal("not changed")
		}
		other := PhoneOf(t, NewMember(t, OrgA(t)))
		Refused(t, other.Do("PUT", Own("memberContact")+"/"+c["id"].(string), Form{"name": "他人", "version": c["version"]}), http.StatusNotFound, "", NothingThere)
		phone.Post(Own("memberContact")+"/delete", Form{"ids": []any{c["id"]}}, &struct{}{})
		if shown().Total != 0 {
			t.Fatal("still there")
		}
	})
}
