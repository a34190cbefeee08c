package approval

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestOutflow: 党员流出 (manual 6.4.2, 17.1).
func TestOutflow(t *testing.T) {
	const typ, taken = "memberOutflow", "该党员已有尚未返回的流出记录"
	valid := func(t *testing.T, orgID string, i int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "outflowPlace": "广东省深圳市", "outflowOrgName": "某街道党工委",
			"outflowOn": []string{"2026-03-01", "2026-04-01", "2026-05-01"}[i%3], "expectedReturnOn": "2027-03-01", "reason": "外出务工", "contactPhone": "13800138000"}
	}
	had := NewMember(t, OrgA(t)).ID
	Add(t, AdminA(t), typ, Form{"memberId": had, "outflowPlace": "北京市", "outflowOn": "2026-01-01", "reason": "照顾家人"})
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "OUTF-01", Add: "OUTF-02", View: "OUTF-04", Update: "OUTF-05", Delete: "OUTF-06", Batch: "OUTF-07", Export: "OUTF-08 OUTF-09"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "outflowPlace", "outflowOn", "expectedReturnOn", "reason", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.outflowOn=2026-01-01,2026-12-31"}
		},
		Required: []string{"memberId", "outflowPlace", "outflowOn", "reason"},
		Wrong: []Wrong{
			{"back before he left", Form{"expectedReturnOn": "2026-01-31"}, "expectedReturnOn", "不能早于"},
			{"out already", Form{"memberId": had}, "memberId", taken},
		},
		Shown:       []string{"returnedOn", "state", "opinion", "approverName", "approvedAt"},
		Update:      Form{"outflowPlace": "浙江省杭州市", "returnedOn": "2026-06-09"},
		WrongUpdate: []Wrong{{"back before he left", Form{"expectedReturnOn": "2026-01-31"}, "expectedReturnOn", "不能早于"}},
		Export:      []string{"党员", "身份证号", "所在支部", "流出地点", "流出时间", "预计返回时间", "流出原因"},
	})
	t.Run("OUTF-02 he stays in 党员管理, and may leave again once he is back", func(t *testing.T) {
		f := valid(t, OrgA(t), 0)
		first := Add(t, AdminA(t), typ, f)
		if !slices.Contains(IDs(AdminA(t).List("member", "size=100")), f["memberId"].(string)) {
			t.Fatal("gone")
		}
		Refused(t, AdminA(t).Do("POST", Path(typ), f), http.StatusBadRequest, "memberId", taken)
		AdminA(t).Do("PUT", Path(typ)+"/"+IDOf(first), Form{"version": first["version"], "returnedOn": "2026-06-01"}).Into(t, &Item{})
		Add(t, AdminA(t), typ, f.With(Form{"outflowOn": "2026-07-01"}))
	})
	s := applicationSpec{
		Type: typ, Title: "党员流出", Required: []string{"outflowPlace", "outflowOn", "reason"},
		Form: Form{"outflowPlace": "上海市", "outflowOn": "2026-06-01", "expectedReturnOn": "2026-12-30", "reason": "外出学习", "contactPhone": "13800138000"},
		Entered: func(who bfftest.Person) Form {
			return Form{"memberId": who.ID, "outflowPlace": "上海市", "outflowOn": "2026-06-01", "reason": "外出学习"}
		},
		Taken: taken,
	}
	s.IDs.Apply, s.IDs.List, s.IDs.Decide, s.IDs.Result = "OUTF-03", "APRV-04", "APRV-05", "APRV-06"
	application(t, s)
	t.Run("INFL-02 what the console entered or changed shows on his phone, and nobody else's", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		got := Add(t, AdminA(t), typ, Form{"memberId": who.ID, "outflowPlace": "北京市", "outflowOn": "2026-01-01", "reason": "务工"})
		phone, other := PhoneOf(t, who), PhoneOf(t, NewMember(t, OrgA(t)))
		seen := func(b *bfftest.Browser) []Item {
			var l bfftest.Page
			b.Get(Own(typ+"Application"), &l)
			return l.Items
		}
		if l := seen(phone); len(l) != 1 || l[0]["outflowPlace"] != "北京市" || l[0]["state"] != "approved" {
			t.Fatalf("he sees %v", l)
		}
		AdminA(t).Do("PUT", Path(typ)+"/"+IDOf(got), Form{"version": got["version"], "outflowPlace": "天津市"}).Into(t, &Item{})
		if l := seen(phone); l[0]["outflowPlace"] != "天津市" {
			t.Fatalf("he sees %v", l)
		}
		if l := seen(other); len(l) != 0 {
			t.Fatalf("another sees %v", l)
		}
	})
}

// TestInflow: 党员流入 (manual 6.4.1, 17.1).
func TestInflow(t *testing.T) {
	const typ, taken = "memberInflow", "该人员在该组织已有尚未结束的流入记录"
	stranger := func() Form {
		p := NewPerson()
		return Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某县党委某支部"}
	}
	rest := Form{"inflowOn": "2026-03-01", "endOn": "2027-03-01", "place": "建设路 8 号", "reason": "在本地务工"}
	valid := func(t *testing.T, orgID string, _ int) Form {
		return stranger().With(rest).With(Form{"inflowOrgId": orgID})
	}
	had := valid(t, OrgA(t), 0).With(Form{"endOn": ""})
	Add(t, AdminA(t), typ, had)
	same := Form{"name": had["name"], "idNumber": had["idNumber"]}
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "INFL-03", Add: "INFL-04", View: "INFL-06", Update: "INFL-07", Delete: "INFL-08", Batch: "INFL-09", Export: "INFL-10 INFL-11"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"name", "homeOrgName", "inflowOrgId", "inflowOn", "place", "reason", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.name=" + f["name"].(string)
			return []string{of, of + "&f.inflowOn=2026-03-01,2026-03-31"}
		},
		Required: []string{"name", "idNumber", "homeOrgName", "inflowOrgId", "inflowOn", "place", "reason"},
		Wrong: []Wrong{
			{"ended before it began", Form{"endOn": "2026-02-01"}, "endOn", "不能早于"},
			{"a wrong check digit", Form{"idNumber": "990201196001010011"}, "idNumber", "有误"},
			{"there already", same, "idNumber", taken},
			{"there already, for the same time", same.With(Form{"endOn": ""}), "idNumber", taken},
		},
		Shown:       []string{"endOn", "state", "opinion", "approverName", "approvedAt"},
		Update:      Form{"place": "解放路 1 号", "reason": "随子女居住"},
		WrongUpdate: []Wrong{{"ended before it began", Form{"endOn": "2026-02-01"}, "endOn", "不能早于"}},
		Export:      []string{"姓名", "身份证号", "原党组织", "流入党组织", "流入时间", "结束时间", "流动地点", "流动原因"},
	})
	t.Run("INFL-04 a member of this system is found by his ID number and stays with his branch", func(t *testing.T) {
		who := NewMember(t, OrgB(t))
		f := rest.With(Form{"name": who.Name, "idNumber": who.IDNumber, "homeOrgName": "填错的组织", "inflowOrgId": OrgA(t)})
		got := Add(t, AdminA(t), typ, f)
		if id, _ := got["memberId"].(string); id != "" || got["homeOrgName"] != "填错的组织" {
			t.Fatalf("told to who may not know: %v", got)
		}
		got = Add(t, AdminP(t), typ, f.With(Form{"inflowOrgId": OrgP(t)}))
		if got["memberId"] != who.ID || got["homeOrgName"] == "填错的组织" {
			t.Fatalf("%v", got)
		}
		if !slices.Contains(IDs(AdminB(t).List("member", "size=100")), who.ID) {
			t.Fatal("gone from his branch")
		}
		Refused(t, AdminP(t).Do("POST", Path(typ), f.With(Form{"name": "别人", "inflowOrgId": OrgP(t)})), http.StatusBadRequest, "name", "不一致")
		other := NewMember(t, OrgB(t))
		Add(t, AdminA(t), typ, f.With(Form{"name": "别人", "idNumber": other.IDNumber})) // as anybody's
		Refused(t, AdminB(t).Do("POST", Path(typ), f.With(Form{"inflowOrgId": OrgB(t)})), http.StatusBadRequest, "inflowOrgId", "就是该组织的党员")
		Refused(t, AdminA(t).Do("POST", Path(typ), valid(t, OrgB(t), 0)), http.StatusBadRequest, "inflowOrgId", "")
	})
	s := applicationSpec{
		Type: typ, Title: "党员流入", Required: []string{"inflowOrgId", "inflowOn", "place", "reason"},
		Form: rest.With(Form{"inflowOrgId": OrgA(t)}),
		Entered: func(who bfftest.Person) Form {
			return rest.With(Form{"name": who.Name, "idNumber": who.IDNumber, "homeOrgName": "本系统支部", "inflowOrgId": OrgA(t)})
		},
		Taken: taken, Home: OrgB, Who: []string{"name", "inflowOrgId"},
	}
	s.IDs.Apply, s.IDs.List, s.IDs.Decide, s.IDs.Result = "INFL-05", "APRV-04", "APRV-05", "APRV-06"
	application(t, s)
	t.Run("INFL-05 one application waits at a time, his own organisation is refused, and he finds others by name", func(t *testing.T) {
		phone := PhoneOf(t, NewMember(t, OrgB(t)))
		at := Own(typ + "Application")
		Refused(t, phone.Do("POST", at, s.Form.With(Form{"inflowOrgId": OrgB(t)})), http.StatusBadRequest, "inflowOrgId", "就是该组织的党员")
		Refused(t, phone.Do("POST", at, s.Form.With(Form{"inflowOrgId": "nowhere"})), http.StatusBadRequest, "inflowOrgId", "")
		phone.Post(at, s.Form, &Item{})
		Refused(t, phone.Do("POST", at, s.Form.With(Form{"inflowOrgId": OrgP(t)})), http.StatusConflict, "", "已有待审核的申请")
		var a Item
		AdminA(t).Get(Path("organization")+"/"+OrgA(t), &a)
		var l bfftest.Page
		phone.Get(Own("organization")+"?keyword="+a["orgName"].(string), &l)
		if len(l.Items) != 1 || l.Items[0]["id"] != OrgA(t) || l.Items[0]["secretary"] != nil || l.Items[0]["contactPhone"] != nil {
			t.Fatalf("found %v", l.Items)
		}
	})
}
