package kit_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"zhihuidangjian/rpc/kit"
)

func TestGuard(t *testing.T) {
	trouble := errors.New("trouble")
	if err := kit.Guard("x", func() error { return trouble }); !errors.Is(err, trouble) {
		t.Fatal(err)
	}
	if err := kit.Guard("x", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := kit.Guard("x", func() error { panic("no") }); !errors.Is(err, kit.ErrInternal) {
		t.Fatalf("a panic became %v", err)
	}
}

func TestGroup(t *testing.T) {
	trouble := errors.New("trouble")
	var g kit.Group
	ran := make(chan int, 3)
	g.Go("fine", func() error { ran <- 1; return nil })
	g.Go("panics", func() error { ran <- 2; panic("no") })
	g.Go("fails", func() error { ran <- 3; return trouble })
	err := g.Wait()
	if !errors.Is(err, trouble) || !errors.Is(err, kit.ErrInternal) || len(ran) != 3 {
		t.Fatalf("%v after %d", err, len(ran))
	}
}

func TestGroupMost(t *testing.T) {
	g := kit.Group{Most: 2}
	var now, most atomic.Int32
	for range 20 {
		g.Go("busy", func() error {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			runtime.Gosched()
			now.Add(-1)
			return nil
		})
	}
	if err := g.Wait(); err != nil || most.Load() > 2 {
		t.Fatalf("%v, %d at once", err, most.Load())
	}
}

func TestGo(t *testing.T) {
	done := make(chan struct{})
	kit.Go("panics", func() error { defer close(done); panic("no") })
	<-done
}
