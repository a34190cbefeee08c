package edge

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"zhihuidangjian/rpc/kit"
)

// followers shows what the relay tells of those who follow events, in whichever process it
// runs.
type followers struct {
	redis                             redis.UniversalClient
	waiting, oldest, refused, lookAge *prometheus.Desc
}

func newFollowers(r redis.UniversalClient) *followers {
	by := []string{"follower"}
	return &followers{
		redis:   r,
		waiting: prometheus.NewDesc("outbox_waiting_events", "Events that a follower has not taken yet.", by, nil),
		oldest:  prometheus.NewDesc("outbox_oldest_event_age_seconds", "Since when the oldest of them waits; 0 when none does.", by, nil),
		refused: prometheus.NewDesc("outbox_refused_events_total", "Events that a follower did not take at a try; they are tried again.", by, nil),
		lookAge: prometheus.NewDesc("outbox_last_look_age_seconds", "Since when no relay has told of its work; some 10 at rest.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (f *followers) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.waiting, f.oldest, f.refused, f.lookAge} {
		all <- d
	}
}

// Collect implements prometheus.Collector. Without Redis the other figures go on.
func (f *followers) Collect(all chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	told, looked, err := kit.FollowersOf(ctx, f.redis)
	if err != nil {
		slog.Warn("figures of the outbox", "cause", err)
		return
	}
	if looked.IsZero() {
		return
	}
	now := time.Now()
	all <- prometheus.MustNewConstMetric(f.lookAge, prometheus.GaugeValue, now.Sub(looked).Seconds())
	for name, x := range told {
		age := 0.0
		if !x.Oldest.IsZero() {
			age = max(now.Sub(x.Oldest).Seconds(), 0)
		}
		all <- prometheus.MustNewConstMetric(f.waiting, prometheus.GaugeValue, float64(x.Waiting), name)
		all <- prometheus.MustNewConstMetric(f.oldest, prometheus.GaugeValue, age, name)
		all <- prometheus.MustNewConstMetric(f.refused, prometheus.CounterValue, float64(x.Refused), name)
	}
}
