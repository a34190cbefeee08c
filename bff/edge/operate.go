package edge

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"
	"golang.org/x/sync/singleflight"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/rpc/kit"
)

// readiness asks at most once a second whether the product can serve, and waits for the answer
// no longer than a balancer would.
type readiness struct {
	ask    func(context.Context) error
	asking singleflight.Group

	mu  sync.Mutex
	at  time.Time
	err error
}

const (
	readyFor = time.Second
	readyIn  = 2 * time.Second
)

func (r *readiness) check(ctx context.Context) error {
	r.mu.Lock()
	err, age := r.err, time.Since(r.at)
	r.mu.Unlock()
	if age < readyFor {
		return err
	}
	answer := r.asking.DoChan("", func() (any, error) { // beside: what is asked may hang
		return nil, kit.Guard("ready", func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyIn)
			defer cancel()
			err := r.ask(ctx)
			if err != nil {
				slog.Warn("not ready", "cause", err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.at, r.err = time.Now(), err
			return err
		})
	})
	select {
	case a := <-answer:
		return a.Err
	case <-time.After(readyIn):
		return kit.ErrTimeout
	}
}

func (e *Edge) readyz(ctx context.Context, c *app.RequestContext) {
	if err := e.ready.check(ctx); err != nil {
		c.String(http.StatusServiceUnavailable, "not ready")
		return
	}
	c.String(consts.StatusOK, "ok")
}

// proxied are the headers by which a proxy may give itself away.
var proxied = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"}

// figuresOnly keeps figures away from the network: they are told to who knows METRICS_TOKEN,
// and without a token to this machine. A proxy on this machine looks like it when it sets no
// header, so that a product with a public address needs the token.
func (e *Edge) figuresOnly(ctx context.Context, c *app.RequestContext) {
	allowed := e.figures != "" && subtle.ConstantTimeCompare(c.GetHeader("Authorization"), []byte("Bearer "+e.figures)) == 1
	if e.figures == "" {
		public, err := url.Parse(e.publicURL)
		allowed = err == nil && loopback(public.Hostname()) && loopback(remoteIP(c)) && loopback(hostname(string(c.Host())))
		for _, header := range proxied {
			allowed = allowed && len(c.GetHeader(header)) == 0
		}
	}
	if !allowed {
		route.Fail(ctx, c, kit.ErrNotFound)
		return
	}
	c.Next(ctx)
}

// hostname is a host without its port.
func hostname(host string) string {
	u := url.URL{Host: host}
	return u.Hostname()
}

// loopback tells whether a host is this machine by its name.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
