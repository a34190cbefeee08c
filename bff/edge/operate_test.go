package edge

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/common/test/mock"
)

// TestReadyz stops telling that all is well as soon as a second after it is not, and never
// hangs with what it asks.
func TestReadyz(t *testing.T) {
	var asked atomic.Int32
	var down, hangs atomic.Bool
	e, _ := newEdge(t)
	e.ready.ask = func(ctx context.Context) error {
		asked.Add(1)
		if hangs.Load() {
			<-t.Context().Done() // heeds no deadline
		}
		if down.Load() {
			return errors.New("down")
		}
		return nil
	}
	later := func() {
		e.ready.mu.Lock()
		defer e.ready.mu.Unlock()
		e.ready.at = time.Time{}
	}
	expect := func(what string, want int) {
		t.Helper()
		if status, body, _ := send(e, "GET", "/readyz", ""); status != want {
			t.Fatalf("%s: %d %s", what, status, body)
		}
	}
	expect("all well", 200)
	down.Store(true)
	expect("asked a moment ago", 200)
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	later()
	expect("down", 503)
	expect("still down", 503)
	down.Store(false)
	later()
	expect("back", 200)
	hangs.Store(true)
	later()
	began := time.Now()
	expect("hangs", 503)
	if took := time.Since(began); took > 2*readyIn {
		t.Errorf("took %v", took)
	}
}

// TestFigures asks for the figures as a scraper beside the product, as strangers, and through
// proxies of several habits.
func TestFigures(t *testing.T) {
	const token = "a token of sixteen bytes and more"
	for name, c := range map[string]struct {
		public, token, from string
		headers             map[string]string
		allowed             bool
	}{
		"beside a local product":       {"http://127.0.0.1:8080", "", "127.0.0.1", nil, true},
		"from elsewhere":               {"http://127.0.0.1:8080", "", "10.0.0.7", nil, false},
		"another name":                 {"http://127.0.0.1:8080", "", "127.0.0.1", map[string]string{"Host": "dj.example.org"}, false},
		"X-Forwarded-For":              {"http://127.0.0.1:8080", "", "127.0.0.1", map[string]string{"X-Forwarded-For": "8.8.8.8"}, false},
		"X-Real-IP":                    {"http://127.0.0.1:8080", "", "127.0.0.1", map[string]string{"X-Real-IP": "8.8.8.8"}, false},
		"Forwarded":                    {"http://127.0.0.1:8080", "", "127.0.0.1", map[string]string{"Forwarded": "for=8.8.8.8"}, false},
		"Via":                          {"http://127.0.0.1:8080", "", "127.0.0.1", map[string]string{"Via": "1.1 proxy"}, false},
		"a proxy that sets nothing":    {"https://dj.example.org", "", "127.0.0.1", nil, false},
		"the token":                    {"https://dj.example.org", token, "10.0.0.7", map[string]string{"Authorization": "Bearer " + token}, true},
		"another token":                {"https://dj.example.org", token, "127.0.0.1", map[string]string{"Authorization": "Bearer " + token + "x"}, false},
		"no token where one is set":    {"http://127.0.0.1:8080", token, "127.0.0.1", nil, false},
		"an empty token opens no door": {"https://dj.example.org", "", "127.0.0.1", map[string]string{"Authorization": "Bearer "}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := &Edge{publicURL: c.public, figures: c.token}
			ctx := app.NewContext(0)
			ctx.SetConn(wire{mock.NewConn(""), &net.TCPAddr{IP: net.ParseIP(c.from)}})
			ctx.Request.SetRequestURI("/metrics")
			ctx.Request.Header.SetHost("127.0.0.1:8080")
			for k, v := range c.headers {
				ctx.Request.Header.Set(k, v)
			}
			passed := false
			ctx.SetHandlers(app.HandlersChain{e.figuresOnly, func(context.Context, *app.RequestContext) { passed = true }})
			ctx.SetIndex(-1)
			ctx.Next(t.Context())
			if passed != c.allowed {
				t.Errorf("allowed %v", passed)
			}
			if !passed && ctx.Response.StatusCode() != 404 {
				t.Error(ctx.Response.StatusCode())
			}
		})
	}
}
