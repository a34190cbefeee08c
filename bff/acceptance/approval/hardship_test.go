package approval

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestHardship: 困难党员 (manual 6.5, 17.2).
func TestHardship(t *testing.T) {
	const typ, taken = "hardship", "该党员已有困难党员记录"
	valid := func(t *testing.T, orgID string, _ int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "hardshipType": "illness", "description": "长期患病", "assistance": "走访慰问"}
	}
	had := NewMember(t, OrgA(t)).ID
	Add(t, AdminA(t), typ, Form{"memberId": had, "hardshipType": "other", "description": "x"})
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "HARD-01", Add: "HARD-02", View: "HARD-05", Update: "HARD-06", Delete: "HARD-07", Batch: "HARD-08", Export: "HARD-09 HARD-10"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "hardshipType", "registeredOn", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.hardshipType=illness"}
		},
		Required:    []string{"memberId", "hardshipType", "description"},
		Wrong:       []Wrong{{"a member who has one", Form{"memberId": had}, "memberId", taken}},
		Shown:       []string{"files", "registeredOn", "state", "opinion", "approverName", "approvedAt", "channel"},
		Update:      Form{"description": "已好转", "assistance": "发放补助"},
		WrongUpdate: []Wrong{{"no description", Form{"description": ""}, "description", "请填写"}},
		Export:      []string{"党员", "身份证号", "所在支部", "困难类型", "困难情况", "登记时间"},
	})
	s := applicationSpec{
		Type: typ, Title: "困难党员", Form: Form{"hardshipType": "disaster", "description": "房屋受灾"}, Required: []string{"hardshipType", "description"},
		Entered: func(who bfftest.Person) Form {
			return Form{"memberId": who.ID, "hardshipType": "illness", "description": "患病"}
		},
		Taken: taken,
	}
	s.IDs.Apply, s.IDs.Own, s.IDs.List, s.IDs.Decide, s.IDs.Result = "HARD-03", "HARD-04", "APRV-07", "APRV-08", "APRV-09"
	application(t, s)
}
