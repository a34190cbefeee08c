package outbox

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"zhihuidangjian/rpc/kit"
)

// figures are what the relay knows of its followers: how many events wait for each, since
// when, and how many were refused. They are kept in Redis, where the edge reads them: a
// worker has no port of its own.
type figures struct {
	mu      sync.Mutex
	waiting map[string]map[string]kit.Follower // by collection and follower, as last seen
	refused map[string]int64                   // by follower, not told yet
	told    map[string]kit.Follower
	at      time.Time // of the last telling
}

const (
	// tellMost and tellLeast bound how often figures are told: when they change, and at rest,
	// where they say that the relay lives.
	tellMost  = time.Second
	tellLeast = 10 * time.Second
)

// see counts what waits in a collection. A batch that is full counts as what there is.
func (f *figures) see(collection string, list []carrier, followers []*follower) {
	seen := map[string]kit.Follower{}
	for _, doc := range list {
		for _, e := range doc.Pending {
			i := slices.IndexFunc(followers, func(f *follower) bool { return f.follows(e.Kind) })
			if i < 0 {
				continue
			}
			x := seen[followers[i].name]
			if x.Waiting++; x.Oldest.IsZero() || e.At.Before(x.Oldest) {
				x.Oldest = e.At
			}
			seen[followers[i].name] = x
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		f.waiting = map[string]map[string]kit.Follower{}
	}
	f.waiting[collection] = seen
}

// quiet notes that nothing waits in a collection.
func (f *figures) quiet(collection string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, collection)
}

// refuse counts events that a follower did not take.
func (f *figures) refuse(follower string, n int) {
	if n == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused == nil {
		f.refused = map[string]int64{}
	}
	f.refused[follower] += int64(n)
}

// sum adds up what waits in all collections.
func (f *figures) sum(followers []*follower) map[string]kit.Follower {
	all := map[string]kit.Follower{}
	for _, x := range followers {
		all[x.name] = kit.Follower{Refused: f.refused[x.name]}
	}
	for _, seen := range f.waiting {
		for name, x := range seen {
			y := all[name]
			y.Waiting += x.Waiting
			if y.Oldest.IsZero() || x.Oldest.Before(y.Oldest) {
				y.Oldest = x.Oldest
			}
			all[name] = y
		}
	}
	return all
}

// tell keeps the figures where the edge reads them.
func (f *figures) tell(ctx context.Context, r redis.UniversalClient, followers []*follower) {
	if r == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	age, all := time.Since(f.at), f.sum(followers)
	if age < tellMost || age < tellLeast && maps.Equal(all, f.told) {
		return
	}
	if err := kit.TellFollowers(ctx, r, all); err != nil {
		slog.WarnContext(ctx, "figures of the outbox not told", "error", err)
		return
	}
	f.refused, f.at = nil, time.Now()
	f.told = f.sum(followers) // nothing of it is refused anew
}
