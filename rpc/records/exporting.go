package records

import (
	"context"
	"sync"
	"time"

	"zhihuidangjian/rpc/kit"
)

// Workbooks that are made at once hold their rows in memory, those of 50,000 each some 100 MB:
// a process makes two, whoever asks, and one person has one made and a few waiting.
const (
	mostExports  = 2
	mostOfPerson = 5 // made or waiting
)

var errExports = kit.TooMany("export.busy", "导出的人较多，请稍后再试").After(5 * time.Second)

// desk is where exports are made one after another: a place of each person's own first, then
// one of the shared ones, so that who asks for many holds up himself.
type desk struct {
	places chan struct{}
	mu     sync.Mutex
	people map[string]*seat
}

// seat is one person's place.
type seat struct {
	taken chan struct{}
	asked int // made or waiting
}

// exporting is the desk of the process, for all its services.
var exporting = newDesk(mostExports)

func newDesk(places int) *desk {
	return &desk{places: make(chan struct{}, places), people: map[string]*seat{}}
}

// sit waits for the caller's turn as long as his call lasts.
func (d *desk) sit(ctx context.Context) (leave func(), err error) {
	who := uploader(kit.CallerOf(ctx))
	d.mu.Lock()
	s := d.people[who]
	if s == nil {
		s = &seat{taken: make(chan struct{}, 1)}
		d.people[who] = s
	}
	if s.asked >= mostOfPerson {
		d.mu.Unlock()
		return nil, errExports
	}
	s.asked++
	d.mu.Unlock()
	gone := func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if s.asked--; s.asked == 0 {
			delete(d.people, who)
		}
	}
	select {
	case s.taken <- struct{}{}:
	case <-ctx.Done():
		gone()
		return nil, errExports.Because(ctx.Err())
	}
	select {
	case d.places <- struct{}{}:
	case <-ctx.Done():
		<-s.taken
		gone()
		return nil, errExports.Because(ctx.Err())
	}
	return func() { <-d.places; <-s.taken; gone() }, nil
}
