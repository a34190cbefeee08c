package dues

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"zhihuidangjian/model"
)

// TestDifferences: every difference of WeChat's bill is a notice of its own, up to some
// (trust.md, Money 5).
func TestDifferences(t *testing.T) {
	of := func(n int) *model.DuesReconcile {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = fmt.Sprint("差异", i)
		}
		r := &model.DuesReconcile{Base: model.Base{ID: "r1", OrgID: model.RootOrg}, Day: "2026-11-21", State: "differs"}
		announceDifferences(r, lines, time.Now())
		return r
	}
	for lines, notices := range map[int]int{0: 0, 1: 1, 20: 20, 21: 21, 300: 21} {
		r, ids := of(lines), map[string]bool{}
		for _, e := range r.Pending {
			ids[e.ID] = true
		}
		if len(r.Pending) != notices || len(ids) != notices {
			t.Errorf("%d notices, %d ids of %d differences", len(r.Pending), len(ids), lines)
		}
	}
	var last model.Told
	if err := json.Unmarshal(of(300).Pending[20].Payload, &last); err != nil || last.Content != "另有280笔差异，请查看对账记录" {
		t.Errorf("%q %v", last.Content, err)
	}
}
