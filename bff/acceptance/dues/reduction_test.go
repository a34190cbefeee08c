package dues

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestReduction: 党费减免 (manual 7.4, 17.7).
func TestReduction(t *testing.T) {
	const typ, applied = "duesReduction", "duesReductionApplication"
	a := AdminA(t)
	valid := func(t *testing.T, orgID string, _ int) Form {
		p := NewPerson()
		f := MemberForm(p, orgID)
		f["duesPaidThrough"] = "2026-08"
		id := IDOf(Add(t, Root(t), "member", f))
		Add(t, Root(t), "duesBase", Form{"memberId": id, "effectiveMonth": "2026-01", "baseAmount": 500_000})
		return Form{"memberId": id, "fromMonth": "2026-09", "toMonth": "2026-10", "reductionType": "reduce", "reductionAmount": 2000, "reason": "家庭困难"}
	}
	had := valid(t, OrgA(t), 0)
	Add(t, a, typ, had)
	Record(t, RecordSpec{
		IDs: RowIDs{List: "DRED-01", Add: "DRED-02", Update: "DRED-04"}, Type: typ, Valid: valid,
		Columns: []string{"memberId", "orgId", "fromMonth", "toMonth", "reductionAmount", "reason", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.month=2026-10"}
		},
		Required: []string{"memberId", "fromMonth", "toMonth", "reductionType", "reason"},
		Wrong: []Wrong{
			{"months the wrong way round", Form{"fromMonth": "2026-11"}, "toMonth", "不能早于"},
			{"a month that is paid", Form{"fromMonth": "2026-08"}, "fromMonth", "已缴纳"},
			{"more than is payable", Form{"reductionAmount": 5001}, "reductionAmount", "不能超过"},
			{"nothing off", Form{"reductionAmount": 0}, "reductionAmount", "请填写"},
			{"months that overlap another's", Form{"memberId": had["memberId"], "fromMonth": "2026-10", "toMonth": "2026-12"}, "fromMonth", "重叠"},
			{"no such kind", Form{"reductionType": "double"}, "reductionType", ""},
		},
		Update:      Form{"reductionAmount": 3000, "reason": "困难加重"},
		WrongUpdate: []Wrong{{"a paid month", Form{"fromMonth": "2026-07"}, "fromMonth", "已缴纳"}, {"more than is payable", Form{"reductionAmount": 9000}, "reductionAmount", "不能超过"}},
	})
	t.Run("DRED-02 DRED-04 the months' amounts follow, and those of others stay", func(t *testing.T) {
		p := payer(t, "2026-08")
		row := Add(t, a, typ, Form{"memberId": p.ID, "fromMonth": "2026-09", "toMonth": "2026-09", "reductionType": "reduce", "reductionAmount": 1500, "reason": "x"})
		if o := owed(t, p.ID, "2026-10"); o["2026-09"].Due != 3500 || o["2026-09"].Reduction != 1500 || o["2026-10"].Due != 5000 {
			t.Fatalf("owed: %+v", o)
		}
		Put(t, a, typ, IDOf(row), Form{"reductionType": "exempt"}).Into(t, &Item{})
		if o := owed(t, p.ID, "2026-10"); o["2026-09"].Due != 0 || o["2026-10"].Due != 5000 {
			t.Fatalf("exempt: %+v", o)
		}
		Refused(t, a.Do("POST", "/api/console/dues/orders", Form{"memberId": p.ID, "toMonth": "2026-09"}), http.StatusBadRequest, "toMonth", "免交")
		var order struct {
			ID     string
			Amount int64
		}
		a.Post("/api/console/dues/orders", Form{"memberId": p.ID, "toMonth": "2026-10"}, &order)
		if order.Amount != 5000 {
			t.Fatalf("ordered: %+v", order)
		}
		a.Post("/api/console/dues/orders/"+order.ID+"/cash", Form{}, &Item{})
		Refused(t, Put(t, a, typ, IDOf(row), Form{"reductionType": "reduce", "reductionAmount": 100}), http.StatusBadRequest, "fromMonth", "已缴纳")
		Refused(t, AdminB(t).Do("PUT", Path(typ)+"/"+IDOf(row), Form{"reason": "x", "version": 1}), http.StatusNotFound, "", NothingThere)
	})
	t.Run("DRED-03 APRV-22 APRV-23 APRV-24 a member applies: nothing falls before it is approved, one message goes out; decided once", func(t *testing.T) {
		p := payer(t, "2026-08")
		phone := PhoneOf(t, p)
		f := Form{"fromMonth": "2026-09", "toMonth": "2026-10", "reductionType": "exempt", "reason": "重病住院"}
		for _, k := range []string{"fromMonth", "toMonth", "reductionType", "reason"} {
			Refused(t, phone.Do("POST", Own(applied), f.With(Form{k: ""})), http.StatusBadRequest, k, "请填写")
		}
		var got Item
		phone.Post(Own(applied), f, &got)
		id := IDOf(got)
		if got["state"] != "pending" || owed(t, p.ID, "2026-10")["2026-09"].Due != 5000 {
			t.Fatalf("before it is approved: %v", got)
		}
		bfftest.Eventually(t, "the admin is told", func() bool { return told(a, "console", id) == 1 })
		other := payer(t, "2026-08")
		late := PhoneOf(t, other)
		var no Item
		late.Post(Own(applied), f, &no)
		Columns(t, a, RecordSpec{Type: applied, Columns: []string{"memberId", "orgId", "createdAt", "state"}})
		Refused(t, decide(AdminB(t), applied, id, "approve", Form{}), http.StatusNotFound, "", NothingThere)
		Refused(t, decide(Limited(t, applied+".view"), applied, id, "approve", Form{}), http.StatusForbidden, "", "无操作权限")
		Refused(t, decide(a, applied, IDOf(no), "reject", Form{}), http.StatusBadRequest, "opinion", "请填写")
		decide(a, applied, IDOf(no), "reject", Form{"opinion": "材料不足"}).Into(t, &Item{})
		all := IDs(a.List(applied, "size=100"))
		if i, j := slices.Index(all, id), slices.Index(all, IDOf(no)); i < 0 || j < i {
			t.Fatalf("undecided at %d, decided at %d", i, j)
		}
		if slices.Contains(IDs(AdminB(t).List(applied, "size=100")), id) {
			t.Fatal("the sibling sees it")
		}
		decide(a, applied, id, "approve", Form{}).Into(t, &Item{})
		Refused(t, decide(a, applied, id, "approve", Form{}), http.StatusConflict, "", "已审核")
		if o := owed(t, p.ID, "2026-10"); o["2026-09"].Due != 0 || o["2026-10"].Due != 0 {
			t.Fatalf("approved: %+v", o)
		}
		if o := owed(t, other.ID, "2026-10"); o["2026-09"].Due != 5000 {
			t.Fatalf("rejected: %+v", o)
		}
		for id, want := range map[string]string{id: "approved", IDOf(no): "rejected"} {
			var x Item
			a.Get(Path(applied)+"/"+id, &x)
			if x["state"] != want {
				t.Errorf("审核状态 %v, want %s", x["state"], want)
			}
		}
		if l := a.List(typ, "f.memberId="+p.ID).Items; len(l) != 1 || l[0]["reductionType"] != "exempt" || l[0]["fromMonth"] != "2026-09" {
			t.Fatalf("党费减免 shows %v", l)
		}
		if l := a.List(typ, "f.memberId="+other.ID).Items; len(l) != 0 {
			t.Fatalf("党费减免 shows the rejected %v", l)
		}
		bfftest.Eventually(t, "he is told", func() bool { return told(phone, "member", id) == 1 })
	})
	t.Run("APRV-23 what can follow no more leaves it waiting with the reason", func(t *testing.T) {
		p := payer(t, "2026-08")
		phone := PhoneOf(t, p)
		var got Item
		phone.Post(Own(applied), Form{"fromMonth": "2026-09", "toMonth": "2026-09", "reductionType": "exempt", "reason": "x"}, &got)
		var order struct{ ID string }
		a.Post("/api/console/dues/orders", Form{"memberId": p.ID, "toMonth": "2026-09"}, &order)
		a.Post("/api/console/dues/orders/"+order.ID+"/cash", Form{}, &Item{})
		Refused(t, decide(a, applied, IDOf(got), "approve", Form{}), http.StatusBadRequest, "fromMonth", "已缴纳")
		var now Item
		a.Get(Path(applied)+"/"+IDOf(got), &now)
		if now["state"] != "pending" {
			t.Fatalf("after the refusal: %v", now)
		}
	})
}
