package kit_test

import (
	"sync"
	"testing"
	"time"

	"zhihuidangjian/rpc/kit"
)

func TestNewID(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	last := kit.NewID(now)
	for range 2000 {
		id := kit.NewID(now)
		if id <= last || len(id) != 24 {
			t.Fatalf("%s after %s in the same millisecond", id, last)
		}
		last = id
	}
	if id := kit.NewID(now.Add(time.Millisecond)); id <= last {
		t.Fatalf("%s a millisecond after %s", id, last)
	}
	var (
		seen sync.Map
		wg   sync.WaitGroup
	)
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				if _, twice := seen.LoadOrStore(kit.NewID(time.Now()), true); twice {
					t.Error("the same id twice")
				}
			}
		})
	}
	wg.Wait()
}
