package kit_test

import (
	"errors"
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

func TestGo(t *testing.T) {
	done := make(chan struct{})
	kit.Go("panics", func() error { defer close(done); panic("no") })
	<-done
}
