package records

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"zhihuidangjian/rpc/kit"
)

func TestFilterRanges(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 0, 0, 0, kit.Shanghai)
	f := &Field{Key: "paidAt", Stored: "paidAt", Type: "datetime", Label: "时间"}
	e, err := filterOf(f, "today,today", now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2026-11-22T00:00:00", "2026-11-23T00:00:00"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
	if _, err := filterOf(f, "yesterday", now); err == nil {
		t.Error("not a date")
	}
	if _, err := filterOf(f, ",", now); err == nil {
		t.Error("no bound at all")
	}
}
