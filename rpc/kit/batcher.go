package kit

import (
	"context"
	"fmt"
	"sync"
)

// Batcher lets calls that meet share a trip to a store: the first goes at once, and those
// that come while it is under way go together in the next. Nobody waits for company, so
// that a lone call takes no longer, and a burst costs as many trips as fit one after the
// other instead of one for each call. Safe for concurrent use.
type Batcher[K, V any] struct {
	most int
	do   func(ctx context.Context, keys []K) ([]V, error)

	mu      sync.Mutex
	busy    bool
	waiting []*batched[K, V]
}

type batched[K, V any] struct {
	key   K
	value V
	err   error
	done  chan struct{}
}

// NewBatcher makes a Batcher of at most so many keys a trip. do answers one value for
// each key, in order; its error is that of all of them.
func NewBatcher[K, V any](most int, do func(ctx context.Context, keys []K) ([]V, error)) *Batcher[K, V] {
	return &Batcher[K, V]{most: most, do: do}
}

// Do returns the value of a key. When ctx ends first the trip goes on without the caller,
// so that what it stores may be stored all the same.
func (b *Batcher[K, V]) Do(ctx context.Context, key K) (V, error) {
	c := &batched[K, V]{key: key, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, c)
	if !b.busy {
		b.busy = true
		Go("batch", func() error { b.run(); return nil })
	}
	b.mu.Unlock()
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		return c.zero(), ErrTimeout.Because(ctx.Err())
	}
}

func (*batched[K, V]) zero() (v V) { return v }

// run makes trips until nobody waits.
func (b *Batcher[K, V]) run() {
	for {
		b.mu.Lock()
		if len(b.waiting) == 0 {
			b.busy = false
			b.mu.Unlock()
			return
		}
		trip := b.waiting[:min(b.most, len(b.waiting))]
		b.waiting = b.waiting[len(trip):]
		b.mu.Unlock()
		b.travel(trip)
	}
}

func (b *Batcher[K, V]) travel(trip []*batched[K, V]) {
	keys := make([]K, len(trip))
	for i, c := range trip {
		keys[i] = c.key
	}
	ctx, cancel := context.WithTimeout(context.Background(), DefaultDeadline)
	defer cancel()
	var values []V
	err := Guard("batch", func() (err error) { // as a call of its own would be
		if values, err = b.do(ctx, keys); err == nil && len(values) != len(keys) {
			err = ErrInternal.Because(fmt.Errorf("%d values for %d keys", len(values), len(keys)))
		}
		return err
	})
	for i, c := range trip {
		if c.err = err; err == nil {
			c.value = values[i]
		}
		close(c.done)
	}
}
