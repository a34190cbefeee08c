package points_test

import (
	"testing"

	"zhihuidangjian/model"
)

// TestYears asks for leaderboards of years that nobody has to do with, as a member may.
func TestYears(t *testing.T) {
	transports(t, func(f *fixture) {
		me := member(f.Context(), "a", "b1")
		f.handle(paid("old", "a", "b1", november8.AddDate(-8, 0, 0), "2018-11"))
		keys := func() []string {
			f.Helper()
			all, err := f.redis.Keys(f.Context(), "points:{*").Result()
			if err != nil {
				f.Fatal(err)
			}
			return all
		}
		before := len(keys())
		for _, year := range []int{1, 1900, 2016, 2020, 2024, 2028, 3000, 3199, 1<<31 - 1} {
			if r := f.ranking(me, model.DimensionPersonal, "", year); len(r.Rows) != 0 || r.Total != 0 {
				f.Errorf("%d: %s", year, table(r))
			}
		}
		if after := keys(); len(after) != before {
			f.Errorf("they left %v", after)
		}
		for year, rows := range map[int]int{2017: 3, 2018: 3, 2019: 3, 2025: 3, 2026: 3, 2027: 3} {
			if r := f.ranking(me, model.DimensionPersonal, "", year); len(r.Rows) != rows {
				f.Errorf("%d: %s", year, table(r))
			}
		}
		f.handle(paid("new", "b", "b1", november8, "2026-11"))
		for _, key := range keys() {
			if left := f.redis.TTL(f.Context(), key).Val(); left <= 0 {
				f.Errorf("%s is kept for %v", key, left)
			}
		}
	})
}
