package acceptance

import (
	"net/http"
	"slices"
	"testing"
)

// TestSanction: 党员处分 (manual 5.6.2).
func TestSanction(t *testing.T) {
	const typ = "sanction"
	valid := func(t *testing.T, orgID string, _ int) form {
		return form{"memberId": newMember(t, orgID).ID, "sanctionType": "warning", "authority": "试验党委", "sanctionedOn": "2026-03-01",
			"reason": "违反组织纪律", "liftedOn": "2026-09-01"}
	}
	early := wrong{"lifted before", form{"liftedOn": "2026-02-28"}, "liftedOn", "不能早于处分时间"}
	future := wrong{"a day to come", form{"sanctionedOn": "2099-01-01"}, "sanctionedOn", "不能晚于今天"}
	record(t, recordSpec{
		IDs:     rowIDs{List: "SANC-01", Add: "SANC-02", View: "SANC-04", Update: "SANC-05", Batch: "SANC-06", Export: "SANC-07"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "sanctionType", "sanctionedOn", "liftedOn"},
		Filters: func(_ int, f form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.sanctionType=warning&f.sanctionedOn=2026-03-01,2026-03-01"}
		},
		Required: []string{"memberId", "sanctionType", "sanctionedOn", "reason"},
		Wrong: []wrong{
			early, future,
			{"a member of another branch", form{"memberId": newMember(t, orgB(t)).ID}, "memberId", "不在管理范围内"},
		},
		Shown:       []string{"files", "orgId"},
		Update:      form{"sanctionType": "seriousWarning", "liftedOn": "2026-10-01"},
		WrongUpdate: []wrong{early, future},
		Export:      []string{"党员", "身份证号", "所在支部", "处分类型", "处分时间", "处分原因（内容）", "解除时间"},
	})
	t.Run("SANC-03 a member sees his own sanctions and can change none", func(t *testing.T) {
		a := adminA(t)
		who, other := newMember(t, orgA(t)), newMember(t, orgA(t))
		phone := phoneOf(t, who)
		one := add(t, a, typ, valid(t, orgA(t), 0).with(form{"memberId": who.ID}))["id"].(string)
		theirs := add(t, a, typ, valid(t, orgA(t), 0).with(form{"memberId": other.ID}))["id"].(string)
		if got := mine(t, phone, typ); !slices.Equal(got, []string{one}) {
			t.Fatalf("%v", got)
		}
		var r item
		phone.Get(own(typ)+"/"+one, &r)
		if r["sanctionType"] != "warning" || r["sanctionedOn"] != "2026-03-01" || r["reason"] != "违反组织纪律" {
			t.Fatalf("%v", r)
		}
		refused(t, phone.Do("GET", own(typ)+"/"+theirs, nil), http.StatusNotFound, "", nothingThere)
		refused(t, phone.Do("PUT", own(typ)+"/"+one, form{"version": r["version"], "reason": "无"}), http.StatusForbidden, "", "")
		refused(t, phone.Do("POST", own(typ)+"/delete", form{"ids": []string{one}}), http.StatusForbidden, "", "")
		remove(t, a, typ, one)
		if got := mine(t, phone, typ); len(got) != 0 {
			t.Fatalf("deleted, and still %v", got)
		}
	})
	t.Run("SANC-02 an expulsion offers the reduction of its member, once", func(t *testing.T) {
		a := adminA(t)
		who := newMember(t, orgA(t))
		mild := add(t, a, typ, valid(t, orgA(t), 0))
		out := add(t, a, typ, valid(t, orgA(t), 0).with(form{"memberId": who.ID, "sanctionType": "expulsion", "liftedOn": ""}))
		offered := func(r item) bool { return slices.Contains(r["_actions"].([]any), any("reduce")) }
		if offered(mild) || !offered(out) {
			t.Fatalf("offered: %v and %v", mild["_actions"], out["_actions"])
		}
		refused(t, a.Do("POST", path(typ)+"/"+mild["id"].(string)+"/actions/reduce", form{}), http.StatusConflict, "", "只有开除党籍")
		refused(t, limited(t, "sanction.view").Do("POST", path(typ)+"/"+out["id"].(string)+"/actions/reduce", form{}), http.StatusForbidden, "", "")
		var r item
		a.Post(path(typ)+"/"+out["id"].(string)+"/actions/reduce", form{}, &r)
		if offered(r) || slices.Contains(ids(a.List("member", "size=100")), who.ID) || len(ids(a.List("memberReduction", "f.memberId="+who.ID))) != 1 {
			t.Fatalf("not reduced: %v", r)
		}
	})
}
