package acceptance

import (
	"net/http"
	"slices"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// mine are the ids of a member's own records, as his phone lists them.
func mine(t *testing.T, phone *bfftest.Browser, typ string) []string {
	t.Helper()
	phone.T = t
	var p bfftest.Page
	phone.Get(own(typ)+"?size=100", &p)
	return ids(p)
}

func remove(t *testing.T, b *bfftest.Browser, typ string, which ...string) {
	t.Helper()
	b.T = t
	b.Post(path(typ)+"/delete", form{"ids": which}, &struct{}{})
}

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
func setRule(t *testing.T, id string, change form) {
	t.Helper()
	var r item
	top := root(t)
	top.Get(path("pointsRule")+"/"+id, &r)
	f := form{"version": r["version"]}
	top.Do("PUT", path("pointsRule")+"/"+id, f.with(change)).Into(t, &r)
}

// TestReward: 党员奖励 (manual 5.6.1).
func TestReward(t *testing.T) {
	const typ = "reward"
	valid := func(t *testing.T, orgID string, _ int) form {
		return form{"memberId": newMember(t, orgID).ID, "rewardName": "优秀共产党员", "rewardLevel": "municipal", "authority": "试验党委",
			"rewardedOn": "2026-07-01", "content": "连续三年考核优秀"}
	}
	record(t, recordSpec{
		IDs:     rowIDs{List: "RWD-01", Add: "RWD-03", View: "RWD-05", Update: "RWD-06", Batch: "RWD-07", Export: "RWD-08"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "rewardName", "rewardLevel", "rewardedOn"},
		Filters: func(_ int, f form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.rewardedOn=2026-07-01,2026-07-01"}
		},
		Required: []string{"memberId", "rewardName", "rewardedOn", "content"},
		Wrong: []wrong{
			{"a day to come", form{"rewardedOn": "2099-01-01"}, "rewardedOn", "不能晚于今天"},
			{"a member of another branch", form{"memberId": newMember(t, orgB(t)).ID}, "memberId", "不在管理范围内"},
		},
		Shown:       []string{"files", "orgId"},
		Update:      form{"rewardName": "优秀党务工作者", "rewardedOn": "2026-06-30"},
		WrongUpdate: []wrong{{"a day to come", form{"rewardedOn": "2099-01-01"}, "rewardedOn", "不能晚于今天"}},
		Export:      []string{"党员", "身份证号", "所在支部", "奖励名称", "奖励级别", "奖励时间", "奖励内容"},
	})
	t.Run("RWD-08 the export is text: ID numbers whole for who may reveal, masked for others", func(t *testing.T) {
		who := newMember(t, orgA(t))
		add(t, adminA(t), typ, valid(t, orgA(t), 0).with(form{"memberId": who.ID}))
		want := []string{who.Name, who.IDNumber, name("甲支部"), "优秀共产党员", "市级", "2026-07-01", "连续三年考核优秀"}
		rows := sheet(t, adminA(t).Do("GET", path(typ)+"/export?f.memberId="+who.ID, nil))
		if len(rows) != 2 || !slices.Equal(rows[1], want) {
			t.Fatalf("%v, want %v", rows, want)
		}
		rows = sheet(t, limited(t, "reward.view", "reward.export").Do("GET", path(typ)+"/export?f.memberId="+who.ID, nil))
		if masked := rows[1][1]; masked == who.IDNumber || len(masked) != 18 {
			t.Fatalf("ID number shown as %q", masked)
		}
	})
	t.Run("RWD-02 RWD-04 points follow the rule, and its own member sees a reward", func(t *testing.T) {
		setRule(t, "personal.reward", form{"addScore": "5", "enabled": true})
		setRule(t, "personal.sanction", form{"addScore": "0", "deductScore": "5", "enabled": true})
		t.Cleanup(func() { setRule(t, "personal.sanction", form{"deductScore": "10"}) })
		a := adminA(t)
		who, other := newMember(t, orgA(t)), newMember(t, orgA(t))
		phone, second := phoneOf(t, who), phoneOf(t, other)
		if got := mine(t, phone, typ); len(got) != 0 {
			t.Fatalf("already %v", got)
		}
		one := add(t, a, typ, valid(t, orgA(t), 0).with(form{"memberId": who.ID}))["id"].(string)
		bad := add(t, a, "sanction", form{"memberId": who.ID, "sanctionType": "warning", "sanctionedOn": "2026-01-01", "reason": "x"})["id"].(string)
		two := add(t, a, typ, valid(t, orgA(t), 0).with(form{"memberId": who.ID, "rewardName": "志愿之星"}))["id"].(string)
		theirs := add(t, a, typ, valid(t, orgA(t), 0).with(form{"memberId": other.ID}))["id"].(string)
		if got := mine(t, phone, typ); !slices.Equal(got, []string{two, one}) {
			t.Fatalf("the member sees %v, want %s before %s", got, two, one)
		}
		var r item
		phone.Get(own(typ)+"/"+two, &r)
		if r["rewardName"] != "志愿之星" || r["rewardedOn"] != "2026-07-01" || r["content"] != "连续三年考核优秀" {
			t.Fatalf("%v", r)
		}
		refused(t, phone.Do("GET", own(typ)+"/"+theirs, nil), http.StatusNotFound, "", nothingThere)
		refused(t, phone.Do("POST", own(typ), form{"rewardName": "自封"}), http.StatusForbidden, "", "")
		refused(t, phone.Do("POST", own(typ)+"/delete", form{"ids": []string{one}}), http.StatusForbidden, "", "")

		eventually(t, "both rewards and the sanction are booked", func() bool {
			return slices.Equal(scores(t, phone, "奖励"), []int{500, 500}) && slices.Equal(scores(t, phone, "处分"), []int{-500})
		})
		remove(t, a, typ, one)
		remove(t, a, "sanction", bad)
		eventually(t, "deleted ones are taken back", func() bool {
			return slices.Equal(sorted(scores(t, phone, "奖励")), []int{-500, 500, 500}) && slices.Equal(sorted(scores(t, phone, "处分")), []int{-500, 500})
		})
		if got := mine(t, phone, typ); !slices.Equal(got, []string{two}) {
			t.Fatalf("after the deletion %v", got)
		}

		setRule(t, "personal.reward", form{"enabled": false})
		t.Cleanup(func() { setRule(t, "personal.reward", form{"enabled": true}) })
		add(t, a, typ, valid(t, orgA(t), 0).with(form{"memberId": other.ID, "rewardName": "不计分"}))
		add(t, a, "sanction", form{"memberId": other.ID, "sanctionType": "warning", "sanctionedOn": "2026-01-01", "reason": "x"})
		eventually(t, "the sanction after it is booked", func() bool { return slices.Equal(scores(t, second, "处分"), []int{-500}) })
		if got := scores(t, second, "奖励"); !slices.Equal(got, []int{500}) {
			t.Fatalf("with the rule switched off: %v", got)
		}
	})
}

func sorted(list []int) []int { return slices.Sorted(slices.Values(list)) }
