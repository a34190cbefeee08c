package kit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Recent remembers what was loaded for a moment, so that a burst that needs the same document loads it once. A
// change made elsewhere is seen that late. Safe for concurrent use; what it answers is shared and not written to.
type Recent[V any] struct {
	age    time.Duration
	load   func(ctx context.Context, id string) (v V, keep bool, err error)
	flight singleflight.Group
	mu     sync.RWMutex
	byID   map[string]recent[V]
}

type recent[V any] struct {
	value V
	read  time.Time
}

// NewRecent remembers for an age what load says is to be kept. What would refuse a call is better not kept.
func NewRecent[V any](age time.Duration, load func(ctx context.Context, id string) (v V, keep bool, err error)) *Recent[V] {
	return &Recent[V]{age: age, load: load, byID: map[string]recent[V]{}}
}

// Get is the value of an id.
func (r *Recent[V]) Get(ctx context.Context, id string) (V, error) {
	r.mu.RLock()
	one, known := r.byID[id]
	r.mu.RUnlock()
	if known && time.Since(one.read) < r.age {
		return one.value, nil
	}
	v, err, _ := r.flight.Do(id, func() (any, error) {
		v, keep, err := r.load(context.WithoutCancel(ctx), id)
		if err != nil || !keep {
			r.Forget(id)
			return v, err
		}
		r.keep(id, v)
		return v, nil
	})
	if err != nil {
		var none V
		return none, err
	}
	return v.(V), nil
}

func (r *Recent[V]) keep(id string, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, o := range r.byID {
		if time.Since(o.read) > time.Minute {
			delete(r.byID, other)
		}
	}
	r.byID[id] = recent[V]{v, time.Now()}
}

// Forget lets the next Get load it again.
func (r *Recent[V]) Forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byID, id)
}
