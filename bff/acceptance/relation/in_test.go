package relation

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

const in, inApproval = "transferIn", "transferInApplication"

func inForm(orgID string) Form {
	p := NewPerson()
	return Form{
		"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01",
		"fromOrgName": "邻市机关第三党支部", "toOrgId": orgID, "transferType": "city", "letterNo": "介〔2026〕0012号", "duesPaidThrough": "2026-09",
	}
}

// decide acts on an item of 审批事项.
func decide(b *bfftest.Browser, typ, id, action string, f Form) *bfftest.Answer {
	return b.Do("POST", Path(typ)+"/"+id+"/actions/"+action, f)
}

var checked = Form{"paperChecked": true}

func onRoll(t *testing.T, b *bfftest.Browser, name string) []Item {
	t.Helper()
	return b.List("member", "size=100&keyword="+name).Items
}

// TestTransferIn: 关系转入 (manual 8.1, 17.5).
func TestTransferIn(t *testing.T) {
	had := NewMember(t, OrgB(t))
	a, b, p := AdminA(t), AdminB(t), AdminP(t)
	Record(t, RecordSpec{
		IDs: RowIDs{List: "TRIN-03", Add: "TRIN-04", View: "TRIN-08", Update: "TRIN-09", Delete: "TRIN-11", Export: "TRIN-13"}, Type: in,
		Valid:   func(t *testing.T, orgID string, _ int) Form { return inForm(orgID) },
		Columns: []string{"name", "idNumber", "fromOrgName", "toOrgId", "transferType", "appliedOn", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.name=" + f["name"].(string)
			return []string{of, of + "&f.state=pending", of + "&f.appliedOn=" + Day(0) + "," + Day(1)}
		},
		Required: []string{"name", "idNumber", "phone", "memberType", "joinedOn", "fromOrgName", "toOrgId", "letterNo", "duesPaidThrough"},
		Wrong: []Wrong{
			{"no ID number", Form{"idNumber": "110101199003070000"}, "idNumber", "有误"},
			{"one who is on a roll", Form{"idNumber": had.IDNumber}, "idNumber", "在册党员"},
			{"a gender that is not his number's", Form{"gender": "other"}, "gender", ""},
			{"a letter that ran out", Form{"letterDate": "2024-01-01", "validDays": 90}, "validDays", "有效期"},
			{"what only the system makes", Form{"transferType": "platform"}, "transferType", "平台内"},
		},
		Shown:       []string{"files", "channel", "state", "opinion", "approverName", "approvedAt", "letterNo"},
		Update:      Form{"fromOrgName": "邻市机关第四党支部", "letterNo": "介〔2026〕0013号"},
		WrongUpdate: []Wrong{{"one who is on a roll", Form{"idNumber": had.IDNumber}, "idNumber", "在册党员"}},
		Export:      []string{"姓名", "身份证号", "转出党组织", "转入党组织", "转入类型", "申请时间", "状态", "审核时间"},
	})
	t.Run("TRIN-04 a second one for the same person is refused while the first waits", func(t *testing.T) {
		f := inForm(OrgA(t))
		Add(t, a, in, f)
		other := inForm(OrgA(t))
		got := a.Do("POST", Path(in), f.With(Form{"phone": other["phone"]}))
		Refused(t, got, http.StatusBadRequest, "idNumber", "待审批")
	})
	t.Run("APRV-16 TRIN-05 it is 待审批, also in 审批事项 where undecided ones stand first; decided it is neither changed nor deleted", func(t *testing.T) {
		f, g := inForm(OrgA(t)), inForm(OrgA(t))
		one, two := Add(t, a, in, f), Add(t, a, in, g)
		if one["state"] != "pending" || !slices.Contains(one["_actions"].([]any), any("update")) || !slices.Contains(one["_actions"].([]any), any("delete")) {
			t.Fatalf("added: %v", one)
		}
		Columns(t, a, RecordSpec{Type: inApproval, Columns: []string{"name", "toOrgId", "createdAt", "state"}})
		decide(p, inApproval, IDOf(two), "reject", Form{"opinion": "材料不全"}).Into(t, &Item{})
		all := IDs(p.List(inApproval, "size=100"))
		if i, j := slices.Index(all, IDOf(one)), slices.Index(all, IDOf(two)); i < 0 || j < i {
			t.Fatalf("undecided at %d, decided at %d", i, j)
		}
		if slices.Contains(IDs(b.List(inApproval, "size=100")), IDOf(one)) {
			t.Fatal("the sibling sees it")
		}
		Refused(t, decide(b, inApproval, IDOf(one), "approve", checked), http.StatusNotFound, "", NothingThere)
		Refused(t, decide(Limited(t, in+".view", inApproval+".view"), inApproval, IDOf(one), "approve", checked), http.StatusForbidden, "", "无操作权限")
		decide(p, inApproval, IDOf(one), "approve", checked).Into(t, &Item{})
		for _, id := range []string{IDOf(one), IDOf(two)} {
			var now Item
			a.Get(Path(in)+"/"+id, &now)
			for _, verb := range []string{"update", "delete"} {
				if slices.Contains(now["_actions"].([]any), any(verb)) {
					t.Errorf("%s is offered: %v", verb, now["_actions"])
				}
			}
			Refused(t, Put(t, a, in, id, Form{"fromOrgName": "另一个支部"}), http.StatusConflict, "", "已审批，不可修改")
			Refused(t, Delete(a, in, id), http.StatusConflict, "", "已审批，不可删除")
		}
	})
	t.Run("TRIN-10 approved while somebody edits it: his save is refused and nothing changes", func(t *testing.T) {
		row := Add(t, a, in, inForm(OrgA(t)))
		decide(p, inApproval, IDOf(row), "approve", checked).Into(t, &Item{})
		got := a.Do("PUT", Path(in)+"/"+IDOf(row), Form{"fromOrgName": "改", "version": row["version"]})
		if got.Status != http.StatusConflict {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		var now Item
		a.Get(Path(in)+"/"+IDOf(row), &now)
		Refused(t, a.Do("PUT", Path(in)+"/"+IDOf(row), Form{"fromOrgName": "改", "version": now["version"]}), http.StatusConflict, "", "已审批，不可修改")
		if now["fromOrgName"] != row["fromOrgName"] {
			t.Fatalf("changed: %v", now)
		}
	})
	t.Run("TRIN-02 APRV-17 TRIN-06 approved once the papers were looked at, he is a member of the branch, once, with his data", func(t *testing.T) {
		f := inForm(OrgA(t)).With(Form{"appointmentAt": Day(2) + "T09:00:00+08:00"})
		row := Add(t, a, in, f)
		Refused(t, decide(p, inApproval, IDOf(row), "approve", Form{}), http.StatusBadRequest, "paperChecked", "纸质文件")
		Refused(t, decide(p, inApproval, IDOf(row), "approve", Form{"paperChecked": false}), http.StatusBadRequest, "paperChecked", "纸质文件")
		if l := onRoll(t, a, f["name"].(string)); len(l) != 0 {
			t.Fatalf("on the roll before: %v", l)
		}
		var wg sync.WaitGroup
		var done sync.Map
		for i := range 4 {
			wg.Go(func() {
				done.Store(i, decide(User(t, Name("adminP"), UserPassword), inApproval, IDOf(row), "approve", checked).Status)
			})
		}
		wg.Wait()
		ok := 0
		done.Range(func(_, s any) bool {
			if s == http.StatusOK {
				ok++
			}
			return true
		})
		if ok != 1 {
			t.Fatalf("%d of four approvals at once took", ok)
		}
		l := onRoll(t, a, f["name"].(string))
		if len(l) != 1 || l[0]["orgId"] != OrgA(t) || l[0]["duesPaidThrough"] != "2026-09" || l[0]["joinedOn"] != "2010-07-01" {
			t.Fatalf("on the roll: %v", l)
		}
		Refused(t, decide(p, inApproval, IDOf(row), "approve", checked), http.StatusConflict, "", "已审核")
		if l := onRoll(t, a, f["name"].(string)); len(l) != 1 {
			t.Fatalf("approved twice: %v", l)
		}
		Refused(t, Delete(a, in, IDOf(row)), http.StatusConflict, "", "不可删除")
		if l := onRoll(t, a, f["name"].(string)); len(l) != 1 {
			t.Fatal("TRIN-12 the member is gone")
		}
	})
	t.Run("TRIN-12 decided ones offer no 删除, and a direct delete leaves record and member as they are", func(t *testing.T) {
		f := inForm(OrgA(t))
		row := Add(t, a, in, f)
		decide(p, inApproval, IDOf(row), "approve", checked).Into(t, &Item{})
		var now Item
		a.Get(Path(in)+"/"+IDOf(row), &now)
		if slices.Contains(now["_actions"].([]any), any("delete")) {
			t.Fatal("删除 is offered")
		}
		Refused(t, Delete(a, in, IDOf(row)), http.StatusConflict, "", "已审批，不可删除")
		a.Get(Path(in)+"/"+IDOf(row), &Item{})
		if l := onRoll(t, a, f["name"].(string)); len(l) != 1 {
			t.Fatalf("on the roll: %v", l)
		}
	})
	t.Run("TRIN-06 a probationary member comes with a development case; whose number is on a roll by now does not come", func(t *testing.T) {
		f := inForm(OrgA(t)).With(Form{"memberType": "probationaryMember", "joinedOn": Day(-90), "regularizedOn": nil})
		row := Add(t, a, in, f)
		decide(p, inApproval, IDOf(row), "approve", checked).Into(t, &Item{})
		l := onRoll(t, a, f["name"].(string))
		if len(l) != 1 {
			t.Fatalf("on the roll: %v", l)
		}
		bfftest.Eventually(t, "his case", func() bool { return len(a.List("developmentCase", "f.memberId="+IDOf(l[0])).Items) == 1 })

		g := inForm(OrgA(t))
		late := Add(t, a, in, g)
		Add(t, b, "member", Form{"name": g["name"], "idNumber": g["idNumber"], "phone": NewPerson().Phone, "orgId": OrgB(t), "memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01"})
		Refused(t, decide(p, inApproval, IDOf(late), "approve", checked), http.StatusConflict, "", "在册党员")
		var now Item
		a.Get(Path(inApproval)+"/"+IDOf(late), &now)
		if now["state"] != "pending" || len(onRoll(t, a, g["name"].(string))) != 0 {
			t.Fatalf("after the refusal: %v", now)
		}
	})
	t.Run("APRV-18 审核状态 tells what was approved and what was not; approved is listed in 关系转入 once with the same data", func(t *testing.T) {
		f, g := inForm(OrgA(t)), inForm(OrgA(t))
		yes, no := Add(t, a, in, f), Add(t, a, in, g)
		Refused(t, decide(p, inApproval, IDOf(no), "reject", Form{}), http.StatusBadRequest, "opinion", "请填写")
		decide(p, inApproval, IDOf(no), "reject", Form{"opinion": "不符合转入条件"}).Into(t, &Item{})
		decide(p, inApproval, IDOf(yes), "approve", checked).Into(t, &Item{})
		for id, want := range map[string]string{IDOf(yes): "approved", IDOf(no): "rejected"} {
			var x Item
			a.Get(Path(inApproval)+"/"+id, &x)
			if x["state"] != want {
				t.Errorf("审核状态 %v, want %s", x["state"], want)
			}
		}
		l := a.List(in, "f.state=approved&f.name="+f["name"].(string)).Items
		if len(l) != 1 || l[0]["letterNo"] == "" || l[0]["fromOrgName"] != f["fromOrgName"] {
			t.Fatalf("listed: %v", l)
		}
		if l := onRoll(t, a, g["name"].(string)); len(l) != 0 {
			t.Fatal("the rejected is on the roll")
		}
	})
	t.Run("TRIN-01 the modules of 组织关系 are there per the role; without permission hidden, and refused", func(t *testing.T) {
		seen := func(b *bfftest.Browser) (titles []string) {
			var types []struct{ Type, Menu string }
			b.Get("/api/console/records", &types)
			for _, x := range types {
				if x.Menu == "组织关系" {
					titles = append(titles, x.Type)
				}
			}
			slices.Sort(titles)
			return titles
		}
		if got := seen(a); !slices.Equal(got, []string{"abroadRecord", "certificate", "transferIn", "transferOut"}) {
			t.Fatalf("组织关系: %v", got)
		}
		few := Limited(t, "certificate.view")
		if got := seen(few); !slices.Equal(got, []string{"certificate"}) {
			t.Fatalf("limited: %v", got)
		}
		for _, typ := range []string{"transferIn", "transferOut", "abroadRecord"} {
			Refused(t, few.Do("GET", Path(typ), nil), http.StatusForbidden, "", "无操作权限")
		}
	})
}

// TestVisitor: 转入申请 without a binding (A39).
func TestVisitor(t *testing.T) {
	phone := func(t *testing.T) *bfftest.Browser {
		b := Visitor(t)
		b.OpenPhone(b.WeChatUser("访客", "13700137001"))
		return b
	}
	t.Run("MENU-09 TRIN-07 TRIN-02 handed in unbound, it waits at the target; he follows it by both numbers", func(t *testing.T) {
		v := phone(t)
		Refused(t, v.Do("GET", "/api/member/profile", nil), http.StatusForbidden, "", "")
		Refused(t, v.Do("GET", Own("transferOutApplication"), nil), http.StatusForbidden, "", "")
		var found struct {
			Branches []struct{ ID, OrgName string }
		}
		v.Get("/api/member/branches?keyword="+Name("A"), &found)
		f := inForm(OrgA(t)).With(Form{"appointmentAt": Day(3) + "T10:00:00+08:00"})
		for _, k := range []string{"name", "idNumber", "phone", "memberType", "joinedOn", "fromOrgName", "toOrgId", "letterNo", "duesPaidThrough"} {
			Refused(t, v.Do("POST", "/api/member/transfer-in", f.With(Form{k: ""})), http.StatusBadRequest, k, "请填写")
			v = phone(t) // ten an hour for each account
		}
		Refused(t, v.Do("POST", "/api/member/transfer-in", f.With(Form{"idNumber": "123"})), http.StatusBadRequest, "idNumber", "有误")
		var got Item
		v.Post("/api/member/transfer-in", f, &got)
		if got["state"] != "pending" {
			t.Fatalf("handed in: %v", got)
		}
		again := v.Do("POST", "/api/member/transfer-in", f)
		if again.Status < 400 || !strings.Contains(string(again.Body), "待审批") {
			t.Fatalf("a second one: %d %s", again.Status, again.Body)
		}
		l := AdminA(t).List(in, "f.name="+f["name"].(string)).Items
		if len(l) != 1 || l[0]["state"] != "pending" {
			t.Fatalf("listed: %v", l)
		}
		var row Item
		AdminA(t).Get(Path(in)+"/"+IDOf(l[0]), &row)
		if row["channel"] != "mobile" || row["appointmentAt"] == nil {
			t.Fatalf("it came by %v for %v", row["channel"], row["appointmentAt"])
		}
		var p struct{ Applications []Item }
		v.Post("/api/member/transfer-in/find", Form{"idNumber": f["idNumber"], "phone": f["phone"]}, &p)
		if len(p.Applications) != 1 || p.Applications[0]["state"] != "pending" {
			t.Fatalf("followed: %v", p)
		}
		v.Post("/api/member/transfer-in/find", Form{"idNumber": f["idNumber"], "phone": "13900000000"}, &p)
		if len(p.Applications) != 0 {
			t.Fatalf("by one number: %v", p)
		}
		Refused(t, decide(AdminA(t), inApproval, IDOf(l[0]), "approve", Form{}), http.StatusBadRequest, "paperChecked", "纸质文件")
		decide(AdminA(t), inApproval, IDOf(l[0]), "approve", checked).Into(t, &Item{})
		v.Post("/api/member/transfer-in/find", Form{"idNumber": f["idNumber"], "phone": f["phone"]}, &p)
		if len(p.Applications) != 1 || p.Applications[0]["state"] != "approved" {
			t.Fatalf("followed: %v", p)
		}
	})
	t.Run("TRIN-07 who looks too often waits; what a visitor may not say is not taken from him", func(t *testing.T) {
		v := phone(t)
		f := inForm(OrgA(t)).With(Form{"state": "approved", "channel": "console", "memberId": "x"})
		var got Item
		v.Post("/api/member/transfer-in", f, &got)
		if got["state"] != "pending" {
			t.Fatalf("he approved himself: %v", got)
		}
		var last *bfftest.Answer
		for range 11 {
			last = v.Do("POST", "/api/member/transfer-in/find", Form{"idNumber": f["idNumber"], "phone": f["phone"]})
		}
		Refused(t, last, http.StatusTooManyRequests, "", "一小时")
	})
}
