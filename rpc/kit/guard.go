package kit

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
)

// Guard runs f and turns a panic into an error: what comes from outside, or a mistake of
// ours, ends one piece of work and never the process. what names the work in the log.
func Guard(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("panic", "in", what, "cause", p, "stack", string(debug.Stack()))
			err = ErrInternal.Because(fmt.Errorf("%s: panic: %v", what, p))
		}
	}()
	return f()
}

// Go runs f beside the caller, guarded. Its error is logged: nobody waits for it.
func Go(what string, f func() error) {
	go func() {
		if err := Guard(what, f); err != nil {
			slog.Error("ended", "what", what, "cause", err)
		}
	}()
}

// Group is work side by side, guarded, that is waited for. The zero Group is ready.
type Group struct {
	Most int // how much of it at once; 0: all

	once    sync.Once
	room    chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex
	errs    []error
}

// Go runs f beside the caller, who waits while there is no room.
func (g *Group) Go(what string, f func() error) {
	g.once.Do(func() {
		if g.Most > 0 {
			g.room = make(chan struct{}, g.Most)
		}
	})
	if g.room != nil {
		g.room <- struct{}{}
	}
	g.running.Go(func() {
		if g.room != nil {
			defer func() { <-g.room }()
		}
		if err := Guard(what, f); err != nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.errs = append(g.errs, err)
		}
	})
}

// Wait waits until all of it has ended and answers what went wrong, joined.
func (g *Group) Wait() error {
	g.running.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.errs...)
}
