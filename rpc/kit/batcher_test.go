package kit

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

// doubler doubles; its first trip waits until it is let go.
type doubler struct {
	trips [][]int
	begun chan struct{} // closed when the first trip has set out
	end   chan struct{} // the first trip waits for it
}

func newDoubler() *doubler { return &doubler{begun: make(chan struct{}), end: make(chan struct{})} }

func (d *doubler) do(_ context.Context, keys []int) ([]int, error) {
	d.trips = append(d.trips, keys)
	if len(d.trips) == 1 {
		close(d.begun)
		<-d.end
	}
	out := make([]int, len(keys))
	for i, k := range keys {
		if k < 0 {
			return nil, errors.New("negative")
		}
		out[i] = 2 * k
	}
	return out, nil
}

func (b *Batcher[K, V]) queued() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func TestBatcher(t *testing.T) {
	t.Run("those who come during a trip share the next ones, each with his own value", func(t *testing.T) {
		d := newDoubler()
		b := NewBatcher(40, d.do)
		var wg sync.WaitGroup
		ask := func(k int) {
			wg.Go(func() {
				if v, err := b.Do(t.Context(), k); err != nil || v != 2*k {
					t.Errorf("%d: %d %v", k, v, err)
				}
			})
		}
		ask(1000)
		<-d.begun
		for k := range 100 {
			ask(k)
		}
		for b.queued() < 100 {
			runtime.Gosched()
		}
		close(d.end)
		wg.Wait()
		if len(d.trips) != 4 || len(d.trips[0]) != 1 || len(d.trips[1]) != 40 || len(d.trips[3]) != 20 {
			t.Fatalf("%d trips", len(d.trips))
		}
	})
	t.Run("an error and a panic reach everybody of the trip and nobody else", func(t *testing.T) {
		d := newDoubler()
		close(d.end)
		b := NewBatcher(10, d.do)
		if _, err := b.Do(t.Context(), -1); err == nil || err.Error() != "negative" {
			t.Fatal(err)
		}
		if v, err := b.Do(t.Context(), 4); err != nil || v != 8 {
			t.Fatal(v, err)
		}
		p := NewBatcher(10, func(context.Context, []int) ([]int, error) { panic("broken") })
		if _, err := p.Do(t.Context(), 1); FromError(err).Code != ErrInternal.Code {
			t.Fatal(err)
		}
		short := NewBatcher(10, func(context.Context, []int) ([]int, error) { return nil, nil })
		if _, err := short.Do(t.Context(), 1); FromError(err).Code != ErrInternal.Code {
			t.Fatal(err)
		}
	})
	t.Run("who gives up waits no longer", func(t *testing.T) {
		d := newDoubler()
		defer close(d.end)
		b := NewBatcher(10, d.do)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Do(ctx, 1); FromError(err).Code != ErrTimeout.Code {
			t.Fatal(err)
		}
	})
}
