package wechat_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

var keys = sync.OnceValue(func() *sim.Keys {
	k, err := sim.NewKeys()
	if err != nil {
		panic(err)
	}
	return k
})

// world is a simulator, the adapters that talk to it over HTTP, and a product
// that receives the payment notices.
type world struct {
	*wechat.Client
	sim     *sim.Sim
	cfg     conf.WeChat
	clock   *kit.Clock
	server  *httptest.Server
	product *httptest.Server
	redis   *miniredis.Miniredis
	refuse  atomic.Bool // the product answers 500

	mu       sync.Mutex
	received []received
}

// received is a notice as it came and what Parse made of it.
type received struct {
	header http.Header
	body   []byte
	notice wechat.Notice
	err    error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: &kit.Clock{}}
	var err error
	if w.sim, err = sim.New(sim.Options{Now: w.clock.Now, Keys: keys()}); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.sim.Handler())
	t.Cleanup(w.server.Close)
	w.product = httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(w.product.Close)
	w.redis = miniredis.RunT(t)
	w.cfg = w.sim.Config(w.server.URL, w.product.URL)
	w.Client = w.open(t, w.cfg)
	return w
}

func (w *world) open(t *testing.T, cfg conf.WeChat) *wechat.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	c, err := wechat.New(cfg, rdb, w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != sim.NotifyPath {
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	got := received{header: r.Header, body: body}
	got.notice, got.err = w.Notify.Parse(r.Context(), r.Header, body)
	w.mu.Lock()
	w.received = append(w.received, got)
	w.mu.Unlock()
	switch {
	case w.refuse.Load():
		rw.WriteHeader(http.StatusInternalServerError)
	case got.err != nil:
		rw.WriteHeader(http.StatusBadRequest)
	default:
		rw.WriteHeader(http.StatusNoContent)
	}
}

// taken returns the notices that came since the last call.
func (w *world) taken() []received {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.received
	w.received = nil
	return out
}

// control calls the sandbox's control API and decodes the answer.
func (w *world) control(t *testing.T, method, path string, body any, answer any) int {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+"/sandbox/api/"+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if answer != nil {
		if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
			t.Fatal(err)
		}
	}
	return res.StatusCode
}

// advance moves the product's clock.
func (w *world) advance(d time.Duration) { w.clock.SetOffset(w.clock.Offset() + d) }

// want fails unless err is of WeChat's code and of the kind.
func want(t *testing.T, err error, code string, kind wechat.Kind) {
	t.Helper()
	if wechat.CodeOf(err) != code || wechat.KindOf(err) != kind || err == nil {
		t.Errorf("error %v of kind %q, want code %s of kind %q", err, wechat.KindOf(err), code, kind)
	}
}
