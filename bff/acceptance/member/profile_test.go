package acceptance

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// TestProfileChange: members change their own data by request (manual 6).
func TestProfileChange(t *testing.T) {
	who := newMember(t, orgA(t))
	phone := phoneOf(t, who)
	newPhone := bfftest.Invent(900).Phone
	member := func(t *testing.T) item {
		var m item
		adminA(t).Get(path("member")+"/"+who.ID, &m)
		return m
	}
	ask := func(t *testing.T, f form) item {
		t.Helper()
		phone.T = t
		var got item
		phone.Post(own("profileChange"), f, &got)
		return got
	}
	decide := func(t *testing.T, b *bfftest.Browser, id, action, opinion string) *bfftest.Answer {
		return b.Do("POST", path("profileChange")+"/"+id+"/actions/"+action, form{"opinion": opinion})
	}
	var first item
	t.Run("MEMB-03 a member's change waits for approval and changes nothing yet", func(t *testing.T) {
		phone.T = t
		before := member(t)
		first = ask(t, form{"phone": newPhone, "education": "bachelor"})
		if first["state"] != "pending" || !strings.Contains(first["summary"].(string), "学历：（空） → 本科") {
			t.Fatalf("asked: %v", first)
		}
		if now := member(t); now["version"] != before["version"] || now["phone"] != before["phone"] {
			t.Fatalf("changed before approval: %v", now)
		}
		refused(t, phone.Do("POST", own("profileChange"), form{"email": "a@b.cn"}), http.StatusConflict, "", "已有待审核的修改")
		// What he may not change is not in his form: it is ignored, and alone it is no change.
		other := phoneOf(t, newMember(t, orgA(t)))
		refused(t, other.Do("POST", own("profileChange"), form{"name": "别名", "idNumber": "11010519491231002X", "memberType": "applicant"}), http.StatusBadRequest, "", "请至少修改一项")
		refused(t, other.Do("POST", own("profileChange"), form{"phone": "123"}), http.StatusBadRequest, "phone", "手机号")
	})
	t.Run("MEMB-04 approved, exactly what was asked changes; rejected, nothing; decided once", func(t *testing.T) {
		id := first["id"].(string)
		refused(t, decide(t, adminB(t), id, "approve", ""), http.StatusNotFound, "", nothingThere)
		refused(t, decide(t, limited(t, "profileChange.view"), id, "approve", ""), http.StatusForbidden, "", "无操作权限")
		before := member(t)
		if a := decide(t, adminP(t), id, "approve", "同意"); a.Status != http.StatusOK {
			t.Fatalf("approve: %d %s", a.Status, a.Body)
		}
		now := member(t)
		if now["education"] != "bachelor" || now["phone"] == before["phone"] || now["name"] != before["name"] || now["orgId"] != before["orgId"] {
			t.Fatalf("after approval: %v", now)
		}
		refused(t, decide(t, adminA(t), id, "reject", "重复"), http.StatusConflict, "", "已审核")
		second := ask(t, form{"position": "干事"})["id"].(string)
		refused(t, decide(t, adminA(t), second, "reject", ""), http.StatusBadRequest, "opinion", "请填写审核意见")
		if a := decide(t, adminA(t), second, "reject", "材料不全"); a.Status != http.StatusOK {
			t.Fatalf("reject: %d %s", a.Status, a.Body)
		}
		if member(t)["position"] == "干事" {
			t.Fatal("a rejected change was made")
		}
		var seen item
		phone.Get(own("profileChange")+"/"+second, &seen)
		if seen["state"] != "rejected" || seen["opinion"] != "材料不全" {
			t.Fatalf("the member sees %v", seen)
		}
	})
	t.Run("MEMB-06 a member follows his own requests and no other's", func(t *testing.T) {
		phone.T = t
		var mine bfftest.Page
		phone.Get(own("profileChange"), &mine)
		var states []string
		for _, r := range mine.Items {
			states = append(states, r["state"].(string))
		}
		if !slices.Equal(states, []string{"rejected", "approved"}) {
			t.Fatalf("states %v", states)
		}
		other := phoneOf(t, newMember(t, orgA(t)))
		refused(t, other.Do("GET", own("profileChange")+"/"+first["id"].(string), nil), http.StatusNotFound, "", nothingThere)
	})
	t.Run("MEMB-05 common contacts are kept with the member and shown on his page", func(t *testing.T) {
		phone.T = t
		refused(t, phone.Do("POST", own("memberContact"), form{"name": "", "relation": "妻子", "phone": "13800138000"}), http.StatusBadRequest, "name", "请填写姓名")
		refused(t, phone.Do("POST", own("memberContact"), form{"name": "王某", "phone": "12"}), http.StatusBadRequest, "phone", "格式不正确")
		var c item
		phone.Post(own("memberContact"), form{"name": "王某", "relation": "妻子", "phone": "13800138000"}, &c)
		shown := func() bfftest.Page { return adminA(t).List("memberContact", "f.memberId="+who.ID) }
		if l := shown(); l.Total != 1 || l.Items[0]["name"] != "王某" || l.Items[0]["phone"] != "138****8000" {
			t.Fatalf("the console shows %+v", l)
		}
		phone.Do("PUT", own("memberContact")+"/"+c["id"].(string), form{"name": "王某某", "version": c["version"]}).Into(t, &c)
		if shown().Items[0]["name"] != "王某某" {
			t.Fatal("not changed")
		}
		other := phoneOf(t, newMember(t, orgA(t)))
		refused(t, other.Do("PUT", own("memberContact")+"/"+c["id"].(string), form{"name": "他人", "version": c["version"]}), http.StatusNotFound, "", nothingThere)
		phone.Post(own("memberContact")+"/delete", form{"ids": []any{c["id"]}}, &struct{}{})
		if shown().Total != 0 {
			t.Fatal("still there")
		}
	})
}
