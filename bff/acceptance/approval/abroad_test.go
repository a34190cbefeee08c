package approval

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestAbroad: 党员出国出境 (manual 8.3, 17.9).
func TestAbroad(t *testing.T) {
	const typ, taken = "abroadRecord", "该党员已有同一天出国（境）的记录"
	valid := func(t *testing.T, orgID string, _ int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "destination": "新加坡", "purpose": "official", "purposeNote": "学术会议",
			"departOn": "2026-06-01", "expectedReturnOn": "2026-06-10", "relationHandling": "keep"}
	}
	had := NewMember(t, OrgA(t)).ID
	Add(t, AdminA(t), typ, Form{"memberId": had, "destination": "法国", "purpose": "private", "departOn": "2026-06-01"})
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "ABRD-01", Add: "ABRD-02", View: "ABRD-04", Update: "ABRD-05", Batch: "ABRD-06", Export: "ABRD-07"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "destination", "purpose", "departOn", "returnOn", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.departOn=2026-06-01,2026-06-30"}
		},
		Required: []string{"memberId", "destination", "purpose", "departOn"},
		Wrong: []Wrong{
			{"back before he left", Form{"expectedReturnOn": "2026-05-31"}, "expectedReturnOn", "不能早于"},
			{"no such purpose", Form{"purpose": "escape"}, "purpose", "有误"},
			{"the same trip again", Form{"memberId": had}, "departOn", taken},
		},
		Shown:       []string{"files", "relationHandling", "state", "opinion", "approverName", "approvedAt"},
		Update:      Form{"destination": "马来西亚", "returnOn": "2026-06-09"},
		WrongUpdate: []Wrong{{"back before he left", Form{"returnOn": "2026-05-31"}, "returnOn", "不能早于"}},
		Export:      []string{"党员", "身份证号", "所在支部", "前往国家（地区）", "事由", "出国（境）时间", "实际回国时间"},
	})
	t.Run("ABRD-02 he stays in 党员管理", func(t *testing.T) {
		f := valid(t, OrgA(t), 0)
		Add(t, AdminA(t), typ, f)
		if !slices.Contains(IDs(AdminA(t).List("member", "size=100")), f["memberId"].(string)) {
			t.Fatal("gone")
		}
	})
	s := applicationSpec{
		Type: typ, Title: "党员出国出境", Required: []string{"destination", "purpose", "departOn"},
		Form: Form{"destination": "日本", "purpose": "private", "purposeNote": "探亲", "departOn": "2026-12-20", "expectedReturnOn": "2026-12-30"},
		Entered: func(who bfftest.Person) Form {
			return Form{"memberId": who.ID, "destination": "日本", "purpose": "private", "departOn": "2026-12-20"}
		},
		Taken: taken,
	}
	s.IDs.Apply, s.IDs.Own, s.IDs.List, s.IDs.Decide, s.IDs.Result = "ABRD-03", "", "APRV-28", "APRV-29", "APRV-30"
	application(t, s)
	t.Run("ABRD-03 a return before the departure is refused; another trip may be applied for meanwhile", func(t *testing.T) {
		phone := PhoneOf(t, NewMember(t, OrgA(t)))
		at := Own(typ + "Application")
		Refused(t, phone.Do("POST", at, s.Form.With(Form{"expectedReturnOn": "2026-12-19"})), http.StatusBadRequest, "expectedReturnOn", "不能早于")
		for _, on := range []string{"2026-12-20", "2027-02-01"} {
			phone.Post(at, s.Form.With(Form{"departOn": on, "expectedReturnOn": "2027-02-10"}), &Item{})
		}
	})
}
