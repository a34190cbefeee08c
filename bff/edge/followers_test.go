package edge

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
)

// TestFollowers shows what relays of other processes told.
func TestFollowers(t *testing.T) {
	redis := modeltest.Redis(t)
	registry := prometheus.NewRegistry()
	registry.MustRegister(newFollowers(redis))
	shown := func() map[string]float64 {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, f := range families {
			for _, m := range f.Metric {
				name := f.GetName()
				for _, l := range m.Label {
					name += " " + l.GetValue()
				}
				out[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
		return out
	}
	if got := shown(); len(got) != 0 {
		t.Errorf("before any relay: %v", got)
	}
	tell := func(waiting, refused int64, oldest time.Time) {
		t.Helper()
		err := kit.TellFollowers(t.Context(), redis, map[string]kit.Follower{"notify": {Waiting: waiting, Refused: refused, Oldest: oldest}, "points": {}})
		if err != nil {
			t.Fatal(err)
		}
	}
	tell(3, 3, time.Now().Add(-90*time.Second))
	tell(2, 2, time.Now().Add(-90*time.Second))
	got := shown()
	if age := got["outbox_oldest_event_age_seconds notify"]; age < 90 || age > 100 {
		t.Errorf("oldest %v", age)
	}
	if age, there := got["outbox_last_look_age_seconds"]; !there || age < 0 || age > 10 {
		t.Errorf("last look %v", age)
	}
	delete(got, "outbox_oldest_event_age_seconds notify")
	delete(got, "outbox_last_look_age_seconds")
	want := map[string]float64{
		"outbox_waiting_events notify": 2, "outbox_refused_events_total notify": 5,
		"outbox_waiting_events points": 0, "outbox_refused_events_total points": 0, "outbox_oldest_event_age_seconds points": 0,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	tell(0, 0, time.Time{})
	if got := shown(); got["outbox_waiting_events notify"] != 0 || got["outbox_refused_events_total notify"] != 5 || got["outbox_oldest_event_age_seconds notify"] != 0 {
		t.Errorf("when all is taken: %v", got)
	}
}
