package account

import (
	"context"
	"slices"
	"sync"
	"time"

	"zhihuidangjian/rpc/kit"
)

// turns are the places at something that takes the processor's time: hashing passwords, or
// drawing captchas. They bound how much of it visitors can take, so that a flood of log-ins
// cannot take it from a hall that is checking in, and they go round: everybody who waits
// has his turn, however much one of them asks for.
type turns struct {
	places int           // at once
	rest   time.Duration // a place stays taken for so many times as long as its work took
	most   int           // wait at most

	mu      sync.Mutex
	taken   int
	waiting int
	queues  map[string][]*ticket
	round   []string // who waits, next first
}

// asker is who asks for a turn, and how much of his may wait.
type asker struct {
	key  string
	most int
}

// A whole office may share an address; who has a session is one person.
func atAddress(ip string) asker { return asker{"ip:" + kit.Network(ip), 32} }
func asPerson(id string) asker  { return asker{"id:" + id, 2} }

// askerOf is the caller as who asks for a turn.
func askerOf(ctx context.Context) asker {
	switch c := kit.CallerOf(ctx); c.Kind {
	case kit.User:
		return asPerson(c.UserID)
	case kit.System:
		return asker{"system", 64}
	default:
		return atAddress(c.IP)
	}
}

// ticket is one that waits.
type ticket struct {
	ready chan struct{} // closed when it is his turn, or gone
	gone  bool          // others, who wait for less, needed the room
}

func newTurns(places, rest, most int) *turns {
	return &turns{places: places, rest: time.Duration(rest), most: most, queues: map[string][]*ticket{}}
}

var errBusyLogin = kit.TooMany("login.busy", "登录人数过多，请稍后再试").After(2 * time.Second)

// run works off f in the caller's turn.
func (t *turns) run(ctx context.Context, f func()) error {
	who := askerOf(ctx)
	mine, err := t.enter(who.key, who.most)
	if err != nil {
		return err
	}
	select {
	case <-mine.ready:
		if mine.gone {
			return errBusyLogin
		}
	case <-ctx.Done():
		if t.leave(who.key, mine) {
			return kit.ErrTimeout.Because(ctx.Err())
		}
		<-mine.ready // it was given at this moment
		if mine.gone {
			return errBusyLogin
		}
	}
	start := time.Now()
	defer func() { time.AfterFunc(t.rest*time.Since(start), t.next) }()
	f()
	return nil
}

// enter takes a place or waits for one. Who waits for less than another has room: the other
// loses his last.
func (t *turns) enter(who string, share int) (*ticket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := &ticket{ready: make(chan struct{})}
	if t.taken < t.places {
		t.taken++
		close(mine.ready)
		return mine, nil
	}
	if len(t.queues[who]) >= share {
		return nil, errBusyLogin
	}
	if t.waiting >= t.most {
		longest := who
		for other, q := range t.queues {
			if len(q) > len(t.queues[longest]) {
				longest = other
			}
		}
		q := t.queues[longest]
		if len(q) <= len(t.queues[who])+1 {
			return nil, errBusyLogin
		}
		last := q[len(q)-1]
		t.queues[longest] = q[:len(q)-1]
		t.waiting--
		last.gone = true
		close(last.ready)
	}
	if len(t.queues[who]) == 0 {
		t.round = append(t.round, who)
	}
	t.queues[who] = append(t.queues[who], mine)
	t.waiting++
	return mine, nil
}

// leave takes a ticket back, unless its turn has come.
func (t *turns) leave(who string, mine *ticket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[who]
	i := slices.Index(q, mine)
	if i < 0 {
		return false
	}
	t.waiting--
	if t.queues[who] = slices.Delete(q, i, i+1); len(q) == 1 {
		delete(t.queues, who)
		t.round = slices.DeleteFunc(t.round, func(other string) bool { return other == who })
	}
	return true
}

// next hands a place to the next of the round.
func (t *turns) next() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.round) == 0 {
		t.taken--
		return
	}
	who := t.round[0]
	t.round = t.round[1:]
	q := t.queues[who]
	if t.queues[who] = q[1:]; len(q) > 1 {
		t.round = append(t.round, who)
	} else {
		delete(t.queues, who)
	}
	t.waiting--
	close(q[0].ready)
}
