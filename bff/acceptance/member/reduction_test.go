package member

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestReduction: 党员减少 (manual 6.7).
func TestReduction(t *testing.T) {
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "REDU-01", Add: "REDU-02", View: "REDU-05", Update: "REDU-06", Delete: "REDU-07", Batch: "REDU-08"},
		Type: "memberReduction",
		Valid: func(t *testing.T, orgID string, i int) Form {
			return Form{"reductionType": "death", "memberId": NewMember(t, orgID).ID, "reducedOn": "2026-01-05", "reason": "病故"}
		},
		Columns: []string{"memberId", "orgId", "reductionType", "reducedOn", "reason"},
		Filters: func(_ int, f Form) []string {
			return []string{"f.memberId=" + f["memberId"].(string), "f.memberId=" + f["memberId"].(string) + "&f.reductionType=death&f.reducedOn=2026-01-01,2026-01-31"}
		},
		Required: []string{"reductionType", "memberId", "reducedOn", "reason"},
		Wrong: []Wrong{
			{"a date to come", Form{"reducedOn": "2099-01-01"}, "reducedOn", "不能晚于今天"},
			{"no such type", Form{"reductionType": "moved"}, "reductionType", "有误"},
		},
		Shown:       []string{"expulsionForm"},
		Update:      Form{"reason": "因病去世", "reducedOn": "2026-01-04"},
		WrongUpdate: []Wrong{{"a date to come", Form{"reducedOn": "2099-01-01"}, "reducedOn", "不能晚于今天"}},
	})
	a := AdminA(t)
	t.Run("REDU-03 the type comes first and asks for its own fields", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		f := Form{"reductionType": "expulsion", "memberId": who.ID, "reducedOn": "2026-01-05", "reason": "六个月不缴党费"}
		a := AdminA(t)
		Refused(t, a.Do("POST", Path("memberReduction"), f), http.StatusBadRequest, "expulsionForm", "请填写出党方式")
		var schema struct {
			Fields []struct {
				Key    string
				ShowIf *struct{ In []string }
			}
		}
		a.Get(Path("memberReduction")+"/schema", &schema)
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
		Add(t, a, "memberReduction", f.With(Form{"expulsionForm": "selfLeft"}))
		Refused(t, a.Do("POST", Path("memberReduction"), f.With(Form{"expulsionForm": "selfLeft"})), http.StatusBadRequest, "memberId", "")
	})
	t.Run("REDU-04 a reduced member is gone from lists, choosers and statistics, and unbound; deleting it brings him back unbound", func(t *testing.T) {
		a.T = t
		who := NewMember(t, OrgA(t))
		phone := PhoneOf(t, who)
		var before, after struct{ MemberCount int }
		a.Get("/api/console/statistics", &before)
		r := Add(t, a, "memberReduction", Form{"reductionType": "suspension", "memberId": who.ID, "reducedOn": "2026-01-05", "reason": "失联"})
		listed := func() bool { return slices.Contains(IDs(a.List("member", "size=100")), who.ID) }
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
		Refused(t, a.Do("POST", Path("reward"), Form{"memberId": who.ID, "rewardName": "奖", "rewardedOn": "2026-01-01", "content": "x"}), http.StatusBadRequest, "memberId", "不存在")
		bfftest.Eventually(t, "the phone asks to bind", func() bool { return phone.Do("GET", "/api/member/profile", nil).Status == http.StatusForbidden })
		a.Post(Path("memberReduction")+"/delete", Form{"ids": []any{r["id"]}}, &struct{}{})
		if !listed() {
			t.Fatal("not active again")
		}
		if phone.Do("GET", "/api/member/profile", nil).Status != http.StatusForbidden {
			t.Fatal("bound again by itself")
		}
	})
}
