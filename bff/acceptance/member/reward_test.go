package member

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// scores are what a member's points ledger says of an item, newest first.
func scores(t *testing.T, phone *bfftest.Browser, label string) []int {
	t.Helper()
	phone.T = t
	var points struct {
		Entries []struct {
			ItemLabel string
			Score     int
		}
	}
	phone.Get("/api/member/points", &points)
	out := []int{}
	for _, e := range points.Entries {
		if e.ItemLabel == label {
			out = append(out, e.Score)
		}
	}
	return out
}

// setRule changes a points rule.
func setRule(t *testing.T, id string, change Form) {
	t.Helper()
	var r Item
	top := Root(t)
	top.Get(Path("pointsRule")+"/"+id, &r)
	f := Form{"version": r["version"]}
	top.Do("PUT", Path("pointsRule")+"/"+id, f.With(change)).Into(t, &r)
}

// TestReward: 党员奖励 (manual 5.6.1).
func TestReward(t *testing.T) {
	const typ = "reward"
	valid := func(t *testing.T, orgID string, _ int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "rewardName": "优秀共产党员", "rewardLevel": "municipal", "authority": "试验党委",
			"rewardedOn": "2026-07-01", "content": "连续三年考核优秀"}
	}
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "RWD-01", Add: "RWD-03", View: "RWD-05", Update: "RWD-06", Batch: "RWD-07", Export: "RWD-08"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "rewardName", "rewardLevel", "rewardedOn"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.rewardedOn=2026-07-01,2026-07-01"}
		},
		Required: []string{"memberId", "rewardName", "rewardedOn", "content"},
		Wrong: []Wrong{
			{"a day to come", Form{"rewardedOn": "2099-01-01"}, "rewardedOn", "不能晚于今天"},
			{"a member of another branch", Form{"memberId": NewMember(t, OrgB(t)).ID}, "memberId", "不在管理范围内"},
		},
		Shown:       []string{"files", "orgId"},
		Update:      Form{"rewardName": "优秀党务工作者", "rewardedOn": "2026-06-30"},
		WrongUpdate: []Wrong{{"a day to come", Form{"rewardedOn": "2099-01-01"}, "rewardedOn", "不能晚于今天"}},
		Export:      []string{"党员", "身份证号", "所在支部", "奖励名称", "奖励级别", "奖励时间", "奖励内容"},
	})
	t.Run("RWD-08 the export is text: ID numbers whole for who may reveal, masked for others", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		Add(t, AdminA(t), typ, valid(t, OrgA(t), 0).With(Form{"memberId": who.ID}))
		want := []string{who.Name, who.IDNumber, Name("甲支部"), "优秀共产党员", "市级", "2026-07-01", "连续三年考核优秀"}
		rows := Sheet(t, AdminA(t).Do("GET", Path(typ)+"/export?f.memberId="+who.ID, nil))
		if len(rows) != 2 || !slices.Equal(rows[1], want) {
			t.Fatalf("%v, want %v", rows, want)
		}
		rows = Sheet(t, Limited(t, "reward.view", "reward.export").Do("GET", Path(typ)+"/export?f.memberId="+who.ID, nil))
		if masked := rows[1][1]; masked == who.IDNumber || len(masked) != 18 {
			t.Fatalf("ID number shown as %q", masked)
		}
	})
	t.Run("RWD-02 RWD-04 points follow the rule, and its own member sees a reward", func(t *testing.T) {
		setRule(t, "personal.reward", Form{"addScore": "5", "enabled": true})
		setRule(t, "personal.sanction", Form{"addScore": "0", "deductScore": "5", "enabled": true})
		t.Cleanup(func() { setRule(t, "personal.sanction", Form{"deductScore": "10"}) })
		a := AdminA(t)
		who, other := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
		phone, second := PhoneOf(t, who), PhoneOf(t, other)
		if got := Mine(t, phone, typ); len(got) != 0 {
			t.Fatalf("already %v", got)
		}
		one := Add(t, a, typ, valid(t, OrgA(t), 0).With(Form{"memberId": who.ID}))["id"].(string)
		bad := Add(t, a, "sanction", Form{"memberId": who.ID, "sanctionType": "warning", "sanctionedOn": "2026-01-01", "reason": "x"})["id"].(string)
		two := Add(t, a, typ, valid(t, OrgA(t), 0).With(Form{"memberId": who.ID, "rewardName": "志愿之星"}))["id"].(string)
		theirs := Add(t, a, typ, valid(t, OrgA(t), 0).With(Form{"memberId": other.ID}))["id"].(string)
		if got := Mine(t, phone, typ); !slices.Equal(got, []string{two, one}) {
			t.Fatalf("the member sees %v, want %s before %s", got, two, one)
		}
		var r Item
		phone.Get(Own(typ)+"/"+two, &r)
		if r["rewardName"] != "志愿之星" || r["rewardedOn"] != "2026-07-01" || r["content"] != "连续三年考核优秀" {
			t.Fatalf("%v", r)
		}
		Refused(t, phone.Do("GET", Own(typ)+"/"+theirs, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, phone.Do("POST", Own(typ), Form{"rewardName": "自封"}), http.StatusForbidden, "", "")
		Refused(t, phone.Do("POST", Own(typ)+"/delete", Form{"ids": []string{one}}), http.StatusForbidden, "", "")

		bfftest.Eventually(t, "both rewards and the sanction are booked", func() bool {
			return slices.Equal(scores(t, phone, "奖励"), []int{500, 500}) && slices.Equal(scores(t, phone, "处分"), []int{-500})
		})
		Remove(t, a, typ, one)
		Remove(t, a, "sanction", bad)
		bfftest.Eventually(t, "deleted ones are taken back", func() bool {
			return slices.Equal(sorted(scores(t, phone, "奖励")), []int{-500, 500, 500}) && slices.Equal(sorted(scores(t, phone, "处分")), []int{-500, 500})
		})
		if got := Mine(t, phone, typ); !slices.Equal(got, []string{two}) {
			t.Fatalf("after the deletion %v", got)
		}

		setRule(t, "personal.reward", Form{"enabled": false})
		t.Cleanup(func() { setRule(t, "personal.reward", Form{"enabled": true}) })
		Add(t, a, typ, valid(t, OrgA(t), 0).With(Form{"memberId": other.ID, "rewardName": "不计分"}))
		Add(t, a, "sanction", Form{"memberId": other.ID, "sanctionType": "warning", "sanctionedOn": "2026-01-01", "reason": "x"})
		bfftest.Eventually(t, "the sanction after it is booked", func() bool { return slices.Equal(scores(t, second, "处分"), []int{-500}) })
		if got := scores(t, second, "奖励"); !slices.Equal(got, []int{500}) {
			t.Fatalf("with the rule switched off: %v", got)
		}
	})
}

func sorted(list []int) []int { return slices.Sorted(slices.Values(list)) }
