package approval

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestRetirement: 退休党员 (manual 6.6, 17.4).
func TestRetirement(t *testing.T) {
	const typ, taken = "retirement", "该党员已有退休记录"
	valid := func(t *testing.T, orgID string, _ int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "retiredOn": "2026-06-30", "retirementUnit": "试验单位", "remarks": "到龄"}
	}
	had := NewMember(t, OrgA(t)).ID
	Add(t, AdminA(t), typ, Form{"memberId": had, "retiredOn": "2026-01-01"})
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "RETR-01", Add: "RETR-02", View: "RETR-05", Update: "RETR-06", Delete: "RETR-07", Batch: "RETR-08", Export: "RETR-09"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "retiredOn", "retirementUnit"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.retiredOn=2026-06-01,2026-06-30"}
		},
		Required: []string{"memberId", "retiredOn"},
		Wrong: []Wrong{
			{"a member who has one", Form{"memberId": had}, "memberId", taken},
			{"before he joined", Form{"retiredOn": "1949-10-01"}, "retiredOn", "不能早于入党日期"},
		},
		Shown:       []string{"remarks", "state", "opinion", "approverName", "approvedAt"},
		Update:      Form{"retirementUnit": "退休办", "retiredOn": "2026-06-29"},
		WrongUpdate: []Wrong{{"no day", Form{"retiredOn": ""}, "retiredOn", "请填写"}},
		Export:      []string{"党员", "身份证号", "所在支部", "退休时间", "退休单位"},
	})
	t.Run("RETR-02 RETR-07 he stays in 党员管理, is retired by his record and pays by the rates of the retired; deleted, he is not", func(t *testing.T) {
		a := AdminA(t)
		who := NewMember(t, OrgA(t))
		var m, quote Item
		rate := func() any {
			a.Post("/api/console/dues/base-preview", Form{"memberId": who.ID, "baseAmount": 600000}, &quote)
			return quote["payable"]
		}
		was := rate()
		id := IDOf(Add(t, a, typ, Form{"memberId": who.ID, "retiredOn": "2026-06-30"}))
		a.Get(Path("member")+"/"+who.ID, &m)
		if m["retired"] != true || !slices.Contains(IDs(a.List("member", "size=100")), who.ID) {
			t.Fatalf("%v", m)
		}
		if got := rate(); was != 9000.0 || got != 6000.0 {
			t.Fatalf("dues of 6000 yuan were %v and are %v: %v", was, got, quote)
		}
		Remove(t, a, typ, id)
		a.Get(Path("member")+"/"+who.ID, &m)
		if m["retired"] != false || rate() != was {
			t.Fatalf("after the deletion: %v", m)
		}
		Remove(t, a, "member", who.ID)
	})
	s := applicationSpec{
		Type: typ, Title: "退休党员", Form: Form{"retiredOn": "2026-05-31", "retirementUnit": "试验单位"}, Required: []string{"retiredOn"},
		Entered: func(who bfftest.Person) Form { return Form{"memberId": who.ID, "retiredOn": "2026-05-30"} },
		Taken:   taken,
	}
	s.IDs.Apply, s.IDs.Own, s.IDs.List, s.IDs.Decide, s.IDs.Result = "RETR-03", "RETR-04", "APRV-13", "APRV-14", "APRV-15"
	application(t, s)
	t.Run("RETR-03 who is retired already cannot apply", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		phone := PhoneOf(t, who)
		Add(t, AdminA(t), typ, Form{"memberId": who.ID, "retiredOn": "2026-01-01"})
		Refused(t, phone.Do("POST", Own(typ+"Application"), Form{"retiredOn": "2026-01-01"}), http.StatusConflict, "", taken)
	})
}
