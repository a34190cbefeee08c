package acceptance

import (
	"net/http"
	"slices"
	"testing"
)

// TestReduction: 党员减少 (manual 6.7).
func TestReduction(t *testing.T) {
	record(t, recordSpec{
		IDs:  rowIDs{List: "REDU-01", Add: "REDU-02", View: "REDU-05", Update: "REDU-06", Delete: "REDU-07", Batch: "REDU-08"},
		Type: "memberReduction",
		Valid: func(t *testing.T, orgID string, i int) form {
			return form{"reductionType": "death", "memberId": newMember(t, orgID).ID, "reducedOn": "2026-01-05", "reason": "病故"}
		},
		Columns: []string{"memberId", "orgId", "reductionType", "reducedOn", "reason"},
		Filters: func(_ int, f form) []string {
			return []string{"f.memberId=" + f["memberId"].(string), "f.memberId=" + f["memberId"].(string) + "&f.reductionType=death&f.reducedOn=2026-01-01,2026-01-31"}
		},
		Required: []string{"reductionType", "memberId", "reducedOn", "reason"},
		Wrong: []wrong{
			{"a date to come", form{"reducedOn": "2099-01-01"}, "reducedOn", "不能晚于今天"},
			{"no such type", form{"reductionType": "moved"}, "reductionType", "有误"},
		},
		Shown:       []string{"expulsionForm"},
		Update:      form{"reason": "因病去世", "reducedOn": "2026-01-04"},
		WrongUpdate: []wrong{{"a date to come", form{"reducedOn": "2099-01-01"}, "reducedOn", "不能晚于今天"}},
	})
	a := adminA(t)
	t.Run("REDU-03 the type comes first and asks for its own fields", func(t *testing.T) {
		who := newMember(t, orgA(t))
		f := form{"reductionType": "expulsion", "memberId": who.ID, "reducedOn": "2026-01-05", "reason": "六个月不缴党费"}
		a := adminA(t)
		refused(t, a.Do("POST", path("memberReduction"), f), http.StatusBadRequest, "expulsionForm", "请填写出党方式")
		var schema struct {
			Fields []struct {
				Key    string
				ShowIf *struct{ In []string }
			}
		}
		a.Get(path("memberReduction")+"/schema", &schema)
		at := func(k string) int {
			return slices.IndexFunc(schema.Fields, func(f struct {
				Key    string
				ShowIf *struct{ In []string }
			}) bool {
				return f.Key == k
			})
		}
		if at("reductionType") != 0 || !slices.Equal(schema.Fields[at("expulsionForm")].ShowIf.In, []string{"expulsion"}) {
			t.Fatalf("%+v", schema.Fields)
		}
		add(t, a, "memberReduction", f.with(form{"expulsionForm": "selfLeft"}))
		refused(t, a.Do("POST", path("memberReduction"), f.with(form{"expulsionForm": "selfLeft"})), http.StatusBadRequest, "memberId", "")
	})
	t.Run("REDU-04 a reduced member is gone from lists, choosers and statistics, and unbound; deleting it brings him back unbound", func(t *testing.T) {
		a.T = t
		who := newMember(t, orgA(t))
		phone := phoneOf(t, who)
		var before, after struct{ MemberCount int }
		a.Get("/api/console/statistics", &before)
		r := add(t, a, "memberReduction", form{"reductionType": "suspension", "memberId": who.ID, "reducedOn": "2026-01-05", "reason": "失联"})
		listed := func() bool { return slices.Contains(ids(a.List("member", "size=100")), who.ID) }
		a.Get("/api/console/statistics", &after)
		if listed() || after.MemberCount != before.MemberCount-1 {
			t.Fatalf("still listed; %d members, were %d", after.MemberCount, before.MemberCount)
		}
		var owed struct {
			Amount int
			Items  []any
		}
		a.Get("/api/console/dues/owed?memberId="+who.ID, &owed)
		if owed.Amount != 0 || len(owed.Items) != 0 {
			t.Fatalf("dues are still computed: %+v", owed)
		}
		refused(t, a.Do("POST", path("reward"), form{"memberId": who.ID, "rewardName": "奖", "rewardedOn": "2026-01-01", "content": "x"}), http.StatusBadRequest, "memberId", "不存在")
		eventually(t, "the phone asks to bind", func() bool { return phone.Do("GET", "/api/member/profile", nil).Status == http.StatusForbidden })
		a.Post(path("memberReduction")+"/delete", form{"ids": []any{r["id"]}}, &struct{}{})
		if !listed() {
			t.Fatal("not active again")
		}
		if phone.Do("GET", "/api/member/profile", nil).Status != http.StatusForbidden {
			t.Fatal("bound again by itself")
		}
	})
}
