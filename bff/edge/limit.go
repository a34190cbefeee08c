package edge

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits bound how fast one session, or one address without a session, may call. A
// hall of phones behind one address has a session each and is not held up.
type limits struct {
	mu        sync.Mutex
	sessions  map[string]*rate.Limiter
	addresses map[string]*rate.Limiter
}

const (
	sessionRate, sessionBurst = 50, 200 // a second
	addressRate, addressBurst = 5, 120
	limitersMost              = 100_000
)

func newLimits() *limits {
	return &limits{sessions: map[string]*rate.Limiter{}, addresses: map[string]*rate.Limiter{}}
}

func (l *limits) allow(token string) bool {
	return l.take(l.sessions, token, sessionRate, sessionBurst)
}

func (l *limits) allowAddress(ip string) bool {
	return l.take(l.addresses, ip, addressRate, addressBurst)
}

func (l *limits) take(m map[string]*rate.Limiter, key string, perSecond rate.Limit, burst int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := m[key]
	if x == nil {
		if len(m) >= limitersMost {
			clear(m) // forgetting is kinder than refusing
		}
		x = rate.NewLimiter(perSecond, burst)
		m[key] = x
	}
	return x.AllowN(time.Now(), 1)
}
