package edge

import (
	"sync"
	"time"

	"zhihuidangjian/rpc/kit"
)

// pace is how fast and how many at once.
type pace struct {
	perSecond float64
	burst     float64
}

// How fast callers may call. A hall of phones behind one address is not held up: each has
// a session of its own, WeChat's code counts only when WeChat does not know it, and what
// costs nothing has room for all of them.
var (
	sessionPace = pace{50, 200}   // of a session
	addressPace = pace{5, 120}    // of an address without a session, for what changes something
	lookPace    = pace{100, 3000} // of an address without a session, for what only looks
	codePace    = pace{5, 1000}   // of an address, for codes of WeChat
	bucketsMost = 100_000
)

// limits bound how fast one session, or one address without a session, may call.
type limits struct {
	mu       sync.Mutex
	sessions map[string]*bucket
	writes   map[string]*bucket // by address, as the others
	looks    map[string]*bucket
	codes    map[string]*bucket
}

// bucket holds what a caller may still do; it fills by itself.
type bucket struct {
	left float64
	at   time.Time
}

func newLimits() *limits {
	return &limits{sessions: map[string]*bucket{}, writes: map[string]*bucket{}, looks: map[string]*bucket{}, codes: map[string]*bucket{}}
}

// session counts a call of a session, or refuses it.
func (l *limits) session(token string) error { return l.take(l.sessions, token, sessionPace) }

// write counts a visitor's call that makes the server work.
func (l *limits) write(ip string) error { return l.take(l.writes, kit.Network(ip), addressPace) }

// look counts a visitor's call that costs little.
func (l *limits) look(ip string) error { return l.take(l.looks, kit.Network(ip), lookPace) }

// code counts a code that WeChat is asked about; known gives it back, when WeChat knew it.
func (l *limits) code(ip string) (known func(), err error) {
	key := kit.Network(ip)
	return func() { l.give(l.codes, key, codePace) }, l.take(l.codes, key, codePace)
}

func (l *limits) take(m map[string]*bucket, key string, p pace) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, now := m[key], time.Now()
	if b == nil {
		if len(m) >= bucketsMost {
			clear(m) // forgetting is kinder than refusing
		}
		b = &bucket{p.burst, now}
		m[key] = b
	}
	b.left = min(p.burst, b.left+now.Sub(b.at).Seconds()*p.perSecond)
	b.at = now
	if b.left < 1 {
		return kit.ErrTooMany.After(time.Duration((1 - b.left) / p.perSecond * float64(time.Second)))
	}
	b.left--
	return nil
}

func (l *limits) give(m map[string]*bucket, key string, p pace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := m[key]; b != nil {
		b.left = min(p.burst, b.left+1)
	}
}

// streams are the live streams, one of each session: a browser, which keeps few connections
// to a server, has one however many pages it shows.
type streams struct {
	mu   sync.Mutex
	open map[string]chan struct{} // by token; closed when another takes its place
}

// begin makes room for a session's newest stream. replaced tells that a newer one came.
func (s *streams) begin(token string) (replaced <-chan struct{}, end func()) {
	mine := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if former := s.open[token]; former != nil {
		close(former)
	}
	s.open[token] = mine
	return mine, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[token] == mine {
			delete(s.open, token)
		}
	}
}
