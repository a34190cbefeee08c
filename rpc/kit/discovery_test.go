package kit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudwego/kitex/pkg/discovery"
)

// directory is etcd as a resolver sees it.
type directory struct {
	discovery.Resolver
	resolve func(ctx context.Context) (discovery.Result, error)
}

func (d *directory) Resolve(ctx context.Context, _ string) (discovery.Result, error) {
	return d.resolve(ctx)
}

func TestRemembering(t *testing.T) {
	at := func(addresses ...string) discovery.Result {
		r := discovery.Result{Cacheable: true, CacheKey: "party"}
		for _, a := range addresses {
			r.Instances = append(r.Instances, discovery.NewInstance("tcp", a, 10, nil))
		}
		return r
	}
	answers := func(r discovery.Result, err error) func(context.Context) (discovery.Result, error) {
		return func(context.Context) (discovery.Result, error) { return r, err }
	}
	away := errors.New("no instance remains")
	hangs := func(ctx context.Context) (discovery.Result, error) {
		<-ctx.Done()
		return discovery.Result{}, ctx.Err()
	}
	d := &directory{resolve: answers(discovery.Result{}, away)}
	r := &remembering{Resolver: d, last: map[string]remembered{}, patience: 10 * time.Millisecond}
	if _, err := r.Resolve(t.Context(), "party"); !errors.Is(err, away) {
		t.Fatal("a service that was never found is found", err)
	}
	found := func(what string, addresses ...string) {
		t.Helper()
		got, err := r.Resolve(t.Context(), "party")
		if err != nil || len(got.Instances) != len(addresses) || !got.Cacheable || got.CacheKey != "party" {
			t.Fatal(what, got, err)
		}
		for i, a := range addresses {
			if got.Instances[i].Address().String() != a {
				t.Fatal(what, got)
			}
		}
	}
	d.resolve = answers(at("127.0.0.1:1", "127.0.0.1:2"), nil)
	found("found", "127.0.0.1:1", "127.0.0.1:2")
	d.resolve = answers(discovery.Result{}, away)
	found("an error", "127.0.0.1:1", "127.0.0.1:2")
	d.resolve = answers(at(), nil)
	found("an empty list", "127.0.0.1:1", "127.0.0.1:2")
	d.resolve = hangs
	found("no answer", "127.0.0.1:1", "127.0.0.1:2")
	d.resolve = answers(at("127.0.0.1:3"), nil)
	found("back with another", "127.0.0.1:3")
	d.resolve = hangs
	found("away again", "127.0.0.1:3")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.Resolve(ctx, "dues"); err == nil {
		t.Fatal("another service is found at party's address")
	}
}
