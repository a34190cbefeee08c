package relation

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

const out, outApproval = "transferOut", "transferOutApplication"

func outForm(memberID string) Form {
	return Form{"memberId": memberID, "toOrgName": "邻省机关党委第一支部", "reason": "工作调动", "duesPaidThrough": "2026-10"}
}

var away = Form{"mode": "external", "paperChecked": true}

// left enters a transfer-out and approves it.
func left(t *testing.T, how Form) (who bfftest.Person, id string) {
	t.Helper()
	who = NewMember(t, OrgA(t))
	id = IDOf(Add(t, AdminA(t), out, outForm(who.ID)))
	decide(AdminP(t), outApproval, id, "approve", how).Into(t, &Item{})
	return who, id
}

func row(t *testing.T, id string) (r Item) {
	t.Helper()
	AdminA(t).Get(Path(out)+"/"+id, &r)
	return r
}

func offers(r Item, verb string) bool { return slices.Contains(r["_actions"].([]any), any(verb)) }

// TestTransferOut: 关系转出 (manual 8.2, 17.6).
func TestTransferOut(t *testing.T) {
	a, b, p := AdminA(t), AdminB(t), AdminP(t)
	gone := NewMember(t, OrgA(t))
	Remove(t, a, "member", gone.ID)
	had := NewMember(t, OrgA(t))
	Add(t, a, out, outForm(had.ID))
	print := func(b *bfftest.Browser, id string) *bfftest.Answer {
		return b.Do("GET", Path(out)+"/"+id+"/print/print", nil)
	}
	Record(t, RecordSpec{
		IDs: RowIDs{List: "TROU-01", Add: "TROU-02", Update: "TROU-10", Export: "TROU-15"}, Type: out,
		Valid:   func(t *testing.T, orgID string, _ int) Form { return outForm(NewMember(t, orgID).ID) },
		Columns: []string{"memberId", "orgId", "toOrgName", "mode", "letterNo", "appliedOn", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.state=pending", of + "&f.appliedOn=" + Day(0) + "," + Day(1)}
		},
		Required: []string{"memberId", "toOrgName", "reason", "duesPaidThrough"},
		Wrong: []Wrong{
			{"one who waits already", Form{"memberId": had.ID}, "memberId", "待审批"},
			{"one who is not active", Form{"memberId": gone.ID}, "memberId", ""},
		},
		Update: Form{"toOrgName": "邻省机关党委第二支部", "reason": "随迁"},
		Export: []string{"党员", "身份证号", "转出党组织", "转入党组织名称", "操作类型", "介绍信编号", "申请时间", "状态", "转回时间"},
	})
	t.Run("TROU-09 view: all there is of it; out of scope shows nothing", func(t *testing.T) {
		_, id := left(t, away)
		r := row(t, id)
		for _, k := range []string{"memberId", "idNumber", "toOrgName", "mode", "channel", "state", "approverName", "opinion", "letterNo", "returnReason", "returnedOn"} {
			if _, ok := r[k]; !ok {
				t.Errorf("%s is not shown", k)
			}
		}
		Refused(t, b.Do("GET", Path(out)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, in+".view").Do("GET", Path(out)+"/"+id, nil), http.StatusForbidden, "", "无操作权限")
	})
	t.Run("TROU-10 TROU-06 a rejected one can be changed and waits again; approved or taken back it cannot", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		id := IDOf(Add(t, a, out, outForm(who.ID)))
		if r := row(t, id); !offers(r, "update") || offers(r, "print") || offers(r, "return") {
			t.Fatalf("待审批 offers %v", r["_actions"])
		}
		decide(p, outApproval, id, "reject", Form{"opinion": "请补充材料"}).Into(t, &Item{})
		if r := row(t, id); r["state"] != "rejected" || !offers(r, "update") {
			t.Fatalf("审批未通过 offers %v", r["_actions"])
		}
		Put(t, a, out, id, Form{"reason": "工作调动，已补充材料"}).Into(t, &Item{})
		if r := row(t, id); r["state"] != "pending" || r["opinion"] != "" {
			t.Fatalf("changed: %v", r)
		}
		decide(p, outApproval, id, "approve", away).Into(t, &Item{})
		r := row(t, id)
		if offers(r, "update") || offers(r, "delete") || !offers(r, "print") || !offers(r, "return") || !offers(r, "view") {
			t.Fatalf("审批通过 offers %v", r["_actions"])
		}
		Refused(t, Put(t, a, out, id, Form{"reason": "改"}), http.StatusConflict, "", "已审批，不可修改")
		Refused(t, Delete(a, out, id), http.StatusForbidden, "", "")
		a.Post(Path(out)+"/"+id+"/actions/return", Form{"returnReason": "未接收", "returnedOn": Day(0)}, &Item{})
		Refused(t, Put(t, a, out, id, Form{"reason": "改"}), http.StatusConflict, "", "已审批，不可修改")
	})
	t.Run("APRV-19 it stands in 审批事项 with who, where and state, undecided first, for its own organisation and those above", func(t *testing.T) {
		one, two := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
		early, late := IDOf(Add(t, a, out, outForm(one.ID))), IDOf(Add(t, a, out, outForm(two.ID)))
		decide(p, outApproval, late, "reject", Form{"opinion": "不同意"}).Into(t, &Item{})
		Columns(t, a, RecordSpec{Type: outApproval, Columns: []string{"memberId", "orgId", "createdAt", "state"}})
		got := IDs(p.List(outApproval, "size=100"))
		if i, j := slices.Index(got, early), slices.Index(got, late); i < 0 || j < i {
			t.Fatalf("undecided at %d, decided at %d", i, j)
		}
		if slices.Contains(IDs(b.List(outApproval, "size=100")), early) {
			t.Fatal("the sibling sees it")
		}
		Refused(t, Limited(t, out+".view").Do("GET", Path(outApproval), nil), http.StatusForbidden, "", "无操作权限")
	})
	t.Run("TROU-03 TROU-05 APRV-20 转出操作: off the roll, unbound, with his history; a mode must be chosen and the papers looked at", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		Add(t, a, "reward", Form{"memberId": who.ID, "rewardName": "优秀党员", "rewardedOn": "2024-07-01", "authority": "市委", "rewardLevel": "county", "content": "x"})
		phone := PhoneOf(t, who)
		id := IDOf(Add(t, a, out, outForm(who.ID)))
		phone.Get("/api/member/profile", &Item{}) // bound while it waits
		Refused(t, decide(p, outApproval, id, "approve", Form{"paperChecked": true}), http.StatusBadRequest, "mode", "请填写")
		Refused(t, decide(p, outApproval, id, "approve", Form{"mode": "elsewhere", "paperChecked": true}), http.StatusBadRequest, "mode", "")
		Refused(t, decide(p, outApproval, id, "approve", Form{"mode": "external"}), http.StatusBadRequest, "paperChecked", "纸质文件")
		Refused(t, decide(b, outApproval, id, "approve", away), http.StatusNotFound, "", NothingThere)
		if r := row(t, id); r["state"] != "pending" {
			t.Fatalf("after refusals: %v", r)
		}
		decide(p, outApproval, id, "approve", away).Into(t, &Item{})
		if l := onRoll(t, p, who.Name); len(l) != 0 {
			t.Fatalf("still in 党员管理: %v", l)
		}
		if l := p.List("binding", "keyword="+url.QueryEscape(who.Name)).Items; len(l) != 0 {
			t.Fatalf("still bound: %v", l)
		}
		bfftest.Eventually(t, "his phone is nobody's", func() bool { return phone.Do("GET", "/api/member/profile", nil).Status == http.StatusForbidden })
		if l := a.List("reward", "f.memberId="+who.ID).Items; len(l) != 1 {
			t.Fatalf("his history: %v", l)
		}
		if r := row(t, id); r["state"] != "approved" || r["letterNo"] == "" || r["_labels"].(map[string]any)["memberId"] != who.Name {
			t.Fatalf("the record: %v", r)
		}
	})
	t.Run("TROU-04 APRV-20 平台内流转: he is in the other branch with his history, its 转入 has one record, the old one lists him no more", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		Add(t, a, "reward", Form{"memberId": who.ID, "rewardName": "优秀党员", "rewardedOn": "2024-07-01", "authority": "市委", "rewardLevel": "county", "content": "x"})
		phone := PhoneOf(t, who)
		id := IDOf(Add(t, a, out, outForm(who.ID)))
		Refused(t, decide(p, outApproval, id, "approve", Form{"mode": "internal", "paperChecked": true}), http.StatusBadRequest, "toOrgId", "请选择")
		Refused(t, decide(p, outApproval, id, "approve", Form{"mode": "internal", "paperChecked": true, "toOrgId": OrgA(t)}), http.StatusBadRequest, "toOrgId", "另一个")
		Refused(t, decide(p, outApproval, id, "approve", Form{"mode": "internal", "paperChecked": true, "toOrgId": OrgP(t)}), http.StatusBadRequest, "toOrgId", "党支部")
		if l := onRoll(t, a, who.Name); len(l) != 1 {
			t.Fatal("a refused approval moved him")
		}
		decide(p, outApproval, id, "approve", Form{"mode": "internal", "paperChecked": true, "toOrgId": OrgB(t)}).Into(t, &Item{})
		if l := onRoll(t, b, who.Name); len(l) != 1 || l[0]["orgId"] != OrgB(t) || l[0]["id"] != who.ID {
			t.Fatalf("B's roll: %v", l)
		}
		if l := onRoll(t, a, who.Name); len(l) != 0 {
			t.Fatalf("A's roll: %v", l)
		}
		l := b.List(in, "keyword="+url.QueryEscape(who.Name)).Items
		if len(l) != 1 || l[0]["state"] != "approved" || l[0]["transferType"] != "platform" {
			t.Fatalf("B's 转入: %v", l)
		}
		Refused(t, Delete(b, in, IDOf(l[0])), http.StatusConflict, "", "不可删除")
		if l := b.List(inApproval, "size=100&keyword="+url.QueryEscape(who.Name)).Items; len(l) != 0 {
			t.Fatalf("B's 审批事项 has what needs no decision: %v", l)
		}
		bfftest.Eventually(t, "his history follows him", func() bool {
			return len(b.List("reward", "f.memberId="+who.ID).Items) == 1
		})
		if l := a.List("reward", "f.memberId="+who.ID).Items; len(l) != 0 {
			t.Fatalf("his reward stays behind too: %v", l)
		}
		bfftest.Eventually(t, "his phone is nobody's", func() bool { return phone.Do("GET", "/api/member/profile", nil).Status == http.StatusForbidden })
	})
	t.Run("TROU-05 while it waits, and when it is rejected, the binding stays", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		phone := PhoneOf(t, who)
		id := IDOf(Add(t, a, out, outForm(who.ID)))
		phone.Get("/api/member/profile", &Item{})
		decide(p, outApproval, id, "reject", Form{"opinion": "不同意"}).Into(t, &Item{})
		phone.Get("/api/member/profile", &Item{})
	})
	t.Run("TROU-07 TROU-08 a member applies, is decided on, corrects and sends again; he sees his own only", func(t *testing.T) {
		who, stranger := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
		phone, other := PhoneOf(t, who), PhoneOf(t, stranger)
		f := Form{"toOrgName": "邻市机关支部", "reason": "搬迁", "duesPaidThrough": "2026-10"}
		for _, k := range []string{"toOrgName", "reason"} {
			Refused(t, phone.Do("POST", Own(outApproval), f.With(Form{k: ""})), http.StatusBadRequest, k, "请填写")
		}
		var got Item
		phone.Post(Own(outApproval), f, &got)
		id := IDOf(got)
		if again := phone.Do("POST", Own(outApproval), f); again.Status < 400 || !strings.Contains(string(again.Body), "待审批") {
			t.Fatalf("a second one: %d %s", again.Status, again.Body)
		}
		if r := row(t, id); r["channel"] != "mobile" || r["state"] != "pending" {
			t.Fatalf("it came as %v", r)
		}
		bfftest.Eventually(t, "his admin is told once", func() bool {
			var l struct{ Notifications []struct{ TargetID string } }
			a.Get("/api/console/notifications", &l)
			n := 0
			for _, x := range l.Notifications {
				if x.TargetID == id {
					n++
				}
			}
			return n == 1
		})
		Refused(t, other.Do("GET", Own(outApproval)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
		decide(a, outApproval, id, "reject", Form{"opinion": "请写明接收单位全称"}).Into(t, &Item{})
		phone.Get(Own(outApproval)+"/"+id, &got)
		if got["state"] != "rejected" || got["opinion"] != "请写明接收单位全称" {
			t.Fatalf("he sees %v", got)
		}
		Refused(t, other.Do("PUT", Own(outApproval)+"/"+id, f.With(Form{"version": got["version"]})), http.StatusNotFound, "", NothingThere)
		phone.Do("PUT", Own(outApproval)+"/"+id, f.With(Form{"toOrgName": "中共邻市直属机关第一支部", "version": got["version"]})).Into(t, &got)
		if got["state"] != "pending" {
			t.Fatalf("sent again: %v", got)
		}
		decide(a, outApproval, id, "approve", away).Into(t, &Item{})
		if r := row(t, id); r["state"] != "approved" || r["toOrgName"] != "中共邻市直属机关第一支部" {
			t.Fatalf("approved: %v", r)
		}
	})
	t.Run("APRV-21 审核状态 tells approved and rejected; approved is listed in 关系转出 once", func(t *testing.T) {
		_, yes := left(t, away)
		who := NewMember(t, OrgA(t))
		no := IDOf(Add(t, a, out, outForm(who.ID)))
		Refused(t, decide(p, outApproval, no, "reject", Form{}), http.StatusBadRequest, "opinion", "请填写")
		decide(p, outApproval, no, "reject", Form{"opinion": "不同意"}).Into(t, &Item{})
		for id, want := range map[string]string{yes: "approved", no: "rejected"} {
			var x Item
			a.Get(Path(outApproval)+"/"+id, &x)
			if x["state"] != want {
				t.Errorf("审核状态 %v, want %s", x["state"], want)
			}
		}
		if n := len(a.List(out, "f.state=approved&f.memberId="+row(t, yes)["memberId"].(string)).Items); n != 1 {
			t.Fatalf("%d records", n)
		}
		if len(onRoll(t, a, who.Name)) != 1 {
			t.Fatal("the rejected left")
		}
	})
	t.Run("TROU-11 the letter prints with a number that stays; before approval there is none", func(t *testing.T) {
		waiting := IDOf(Add(t, a, out, outForm(NewMember(t, OrgA(t)).ID)))
		Refused(t, print(a, waiting), http.StatusConflict, "", "审批通过后")
		_, id := left(t, away)
		no := row(t, id)["letterNo"]
		for range 2 {
			got := print(a, id)
			if got.Status != http.StatusOK || !strings.HasPrefix(string(got.Body), "%PDF") {
				t.Fatalf("printed: %d %.100s", got.Status, got.Body)
			}
		}
		if r := row(t, id); r["letterNo"] != no || r["expiresOn"] != Day(90) {
			t.Fatalf("reprinted: %v", r)
		}
		Refused(t, print(b, id), http.StatusNotFound, "", NothingThere)
	})
	t.Run("TROU-13 TROU-14 转回 with reason and day: on the first roll again, unbound, with his history; once", func(t *testing.T) {
		who, id := left(t, away)
		back := func(f Form) *bfftest.Answer { return a.Do("POST", Path(out)+"/"+id+"/actions/return", f) }
		if r := row(t, id); offers(r, "returned") || !offers(r, "return") {
			t.Fatalf("offers %v", r["_actions"])
		}
		Refused(t, back(Form{"returnReason": "", "returnedOn": Day(0)}), http.StatusBadRequest, "returnReason", "请填写")
		Refused(t, back(Form{"returnReason": "未接收", "returnedOn": Day(-3)}), http.StatusBadRequest, "returnedOn", "不能早于")
		back(Form{"returnReason": "接收单位退回", "returnedOn": Day(0)}).Into(t, &Item{})
		if l := onRoll(t, a, who.Name); len(l) != 1 || l[0]["orgId"] != OrgA(t) || l[0]["bound"] != false {
			t.Fatalf("on the roll: %v", l)
		}
		r := row(t, id)
		if r["state"] != "returned" || r["returnReason"] != "接收单位退回" || r["returnedBy"] == "" || !offers(r, "returned") || offers(r, "return") {
			t.Fatalf("taken back: %v", r)
		}
		if got := back(Form{"returnReason": "再次", "returnedOn": Day(0)}); got.Status != http.StatusConflict {
			t.Fatalf("a second return: %d %s", got.Status, got.Body)
		}
		if got := print(a, id); got.Status != http.StatusConflict {
			t.Fatalf("its letter prints: %d", got.Status)
		}
	})
	t.Run("TROU-13 within the platform he comes back while he is there, and not once he has left", func(t *testing.T) {
		inside := Form{"mode": "internal", "paperChecked": true, "toOrgId": OrgB(t)}
		who, id := left(t, inside)
		a.Post(Path(out)+"/"+id+"/actions/return", Form{"returnReason": "借调结束", "returnedOn": Day(0)}, &Item{})
		if l := onRoll(t, a, who.Name); len(l) != 1 || l[0]["orgId"] != OrgA(t) || len(onRoll(t, b, who.Name)) != 0 {
			t.Fatalf("back: %v", l)
		}
		who, id = left(t, inside)
		next := IDOf(Add(t, b, out, outForm(who.ID)))
		decide(p, outApproval, next, "approve", away).Into(t, &Item{})
		Refused(t, a.Do("POST", Path(out)+"/"+id+"/actions/return", Form{"returnReason": "x", "returnedOn": Day(0)}), http.StatusConflict, "", "已不在转入组织")
		if len(onRoll(t, a, who.Name)) != 0 {
			t.Fatal("he is back")
		}
	})
}
