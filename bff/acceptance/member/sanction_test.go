package member

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

// TestSanction: 党员处分 (manual 5.6.2).
func TestSanction(t *testing.T) {
	const typ = "sanction"
	valid := func(t *testing.T, orgID string, _ int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "sanctionType": "warning", "authority": "试验党委", "sanctionedOn": "2026-03-01",
			"reason": "违反组织纪律", "liftedOn": "2026-09-01"}
	}
	early := Wrong{"lifted before", Form{"liftedOn": "2026-02-28"}, "liftedOn", "不能早于处分时间"}
	future := Wrong{"a day to come", Form{"sanctionedOn": "2099-01-01"}, "sanctionedOn", "不能晚于今天"}
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "SANC-01", Add: "SANC-02", View: "SANC-04", Update: "SANC-05", Batch: "SANC-06", Export: "SANC-07"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "sanctionType", "sanctionedOn", "liftedOn"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.sanctionType=warning&f.sanctionedOn=2026-03-01,2026-03-01"}
		},
		Required: []string{"memberId", "sanctionType", "sanctionedOn", "reason"},
		Wrong: []Wrong{
			early, future,
			{"a member of another branch", Form{"memberId": NewMember(t, OrgB(t)).ID}, "memberId", "不在管理范围内"},
		},
		Shown:       []string{"files", "orgId"},
		Update:      Form{"sanctionType": "seriousWarning", "liftedOn": "2026-10-01"},
		WrongUpdate: []Wrong{early, future},
		Export:      []string{"党员", "身份证号", "所在支部", "处分类型", "处分时间", "处分原因（内容）", "解除时间"},
	})
	t.Run("SANC-03 a member sees his own sanctions and can change none", func(t *testing.T) {
		a := AdminA(t)
		who, other := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
		phone := PhoneOf(t, who)
		one := Add(t, a, typ, valid(t, OrgA(t), 0).With(Form{"memberId": who.ID}))["id"].(string)
		theirs := Add(t, a, typ, valid(t, OrgA(t), 0).With(Form{"memberId": other.ID}))["id"].(string)
		if got := Mine(t, phone, typ); !slices.Equal(got, []string{one}) {
			t.Fatalf("%v", got)
		}
		var r Item
		phone.Get(Own(typ)+"/"+one, &r)
		if r["sanctionType"] != "warning" || r["sanctionedOn"] != "2026-03-01" || r["reason"] != "违反组织纪律" {
			t.Fatalf("%v", r)
		}
		Refused(t, phone.Do("GET", Own(typ)+"/"+theirs, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, phone.Do("PUT", Own(typ)+"/"+one, Form{"version": r["version"], "reason": "无"}), http.StatusForbidden, "", "")
		Refused(t, phone.Do("POST", Own(typ)+"/delete", Form{"ids": []string{one}}), http.StatusForbidden, "", "")
		Remove(t, a, typ, one)
		if got := Mine(t, phone, typ); len(got) != 0 {
			t.Fatalf("deleted, and still %v", got)
		}
	})
	t.Run("SANC-02 an expulsion offers the reduction of its member, once", func(t *testing.T) {
		a := AdminA(t)
		who := NewMember(t, OrgA(t))
		mild := Add(t, a, typ, valid(t, OrgA(t), 0))
		out := Add(t, a, typ, valid(t, OrgA(t), 0).With(Form{"memberId": who.ID, "sanctionType": "expulsion", "liftedOn": ""}))
		offered := func(r Item) bool { return slices.Contains(r["_actions"].([]any), any("reduce")) }
		if offered(mild) || !offered(out) {
			t.Fatalf("offered: %v and %v", mild["_actions"], out["_actions"])
		}
		Refused(t, a.Do("POST", Path(typ)+"/"+mild["id"].(string)+"/actions/reduce", Form{}), http.StatusConflict, "", "只有开除党籍")
		Refused(t, Limited(t, "sanction.view").Do("POST", Path(typ)+"/"+out["id"].(string)+"/actions/reduce", Form{}), http.StatusForbidden, "", "")
		var r Item
		a.Post(Path(typ)+"/"+out["id"].(string)+"/actions/reduce", Form{}, &r)
		if offered(r) || slices.Contains(IDs(a.List("member", "size=100")), who.ID) || len(IDs(a.List("memberReduction", "f.memberId="+who.ID))) != 1 {
			t.Fatalf("not reduced: %v", r)
		}
	})
}
