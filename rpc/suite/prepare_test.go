package suite

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/serviceinfo"
	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/kit"
)

// wires are what etcd is between processes: a service is found once a process offers it.
type wires struct {
	mu       sync.Mutex
	services map[string]*kit.Local
	missed   atomic.Int32 // calls of services that nobody offered
}

type wire struct {
	of   *wires
	name string
}

func (w wire) Call(ctx context.Context, method string, request, response any) error {
	w.of.mu.Lock()
	l := w.of.services[w.name]
	w.of.mu.Unlock()
	if l == nil {
		w.of.missed.Add(1)
		return errors.New("no instance of " + w.name)
	}
	return l.Call(ctx, method, request, response)
}

// process starts some services as rpc -serve -prepare does.
func (w *wires) process(t *testing.T, p *Platform, names ...string) *Services {
	t.Helper()
	peers, err := connect(func(name string, _ *serviceinfo.ServiceInfo) (client.Client, error) { return wire{w, name}, nil })
	if err != nil {
		t.Fatal(err)
	}
	s, err := start(p, peers, names)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, register := range s.register {
		l := kit.NewLocal(register)
		l.Codec = true
		w.services[name] = l
	}
	return s
}

// platform is one of embedded stores.
func platform(t *testing.T) *Platform {
	t.Helper()
	cfg := conf.Default()
	cfg.Data, cfg.PublicURL = t.TempDir(), "http://"+cfg.Addr
	p, err := Open(cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestPrepareAlone waits for a party that nobody prepares, and says so.
func TestPrepareAlone(t *testing.T) {
	w := &wires{services: map[string]*kit.Local{}}
	s := w.process(t, platform(t), "content")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := s.Prepare(ctx); err == nil || !strings.Contains(err.Error(), "party is not prepared") {
		t.Errorf("prepared: %v", err)
	}
}

// TestPrepareInParts prepares a product whose services are in processes of their own, some in
// two, party last: what is made of its members waits for it, and nothing is made twice.
func TestPrepareInParts(t *testing.T) {
	p, w := platform(t), &wires{services: map[string]*kit.Local{}}
	var together errgroup.Group
	var told atomic.Int32
	prepare := func(s *Services) {
		together.Go(func() error {
			welcome, err := s.Prepare(t.Context())
			if strings.Contains(welcome, " / Dj-") { // the password
				told.Add(1)
			}
			return err
		})
	}
	var all []*Services
	for _, names := range [][]string{{"content"}, {"dues"}, {"meeting"}, {"dues"}, {"account"}, {"account"}, {"meeting", "audit"}, {"notify", "points"}} {
		all = append(all, w.process(t, p, names...))
		prepare(all[len(all)-1])
	}
	for begun := time.Now(); w.missed.Load() < 5; time.Sleep(time.Millisecond) { // polls: those five ask for party
		if time.Since(begun) > 20*time.Second {
			t.Fatal("nobody waits for party")
		}
	}
	for range 2 {
		all = append(all, w.process(t, p, "party"))
		prepare(all[len(all)-1])
	}
	if err := together.Wait(); err != nil {
		t.Fatal(err)
	}
	count := func() map[string]int64 {
		names, err := p.DB.ListCollectionNames(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]int64{}
		for _, name := range names {
			if out[name], err = p.DB.Collection(name).CountDocuments(t.Context(), bson.D{}); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	made := count()
	for name, want := range map[string]int64{"organizations": 9, "members": 204, "users": 1, "meetings": 3} {
		if made[name] != want {
			t.Errorf("%d %s, want %d", made[name], name, want)
		}
	}
	if n := made["duesOrders"]; n == 0 || n != made["duesLedger"] || n != made["duesMonths"] {
		t.Errorf("%d orders of one month each, %d lines, %d months", n, made["duesLedger"], made["duesMonths"])
	}
	if told.Load() != 1 {
		t.Errorf("the password was told %d times", told.Load())
	}
	for _, s := range all {
		prepare(s)
	}
	if err := together.Wait(); err != nil {
		t.Fatal(err)
	}
	if again := count(); !maps.Equal(made, again) {
		t.Errorf("later starts changed %v to %v", made, again)
	}
	if told.Load() != 1 {
		t.Error("a later start tells a password")
	}
}
