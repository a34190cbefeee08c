package kit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cloudwego/kitex/pkg/discovery"
	"github.com/cloudwego/kitex/pkg/registry"
	etcd "github.com/kitex-contrib/registry-etcd"
	"github.com/kitex-contrib/registry-etcd/retry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// newRegistry tells etcd of a service for as long as the process lives: while etcd is away it
// tries again every second, without end, and tells it anew when it is back, be it empty.
func newRegistry(addrs []string) (registry.Registry, error) {
	r, err := etcd.NewEtcdRegistryWithRetry(addrs, retry.NewRetryConfig(
		retry.WithMaxAttemptTimes(0), // for ever
		retry.WithRetryDelay(time.Second),
	), findAgainSoon)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	return r, nil
}

// newResolver finds services at etcd, and where they were last while it is away.
func newResolver(addrs []string) (discovery.Resolver, error) {
	r, err := etcd.NewEtcdResolver(addrs, findAgainSoon)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	return &remembering{Resolver: r, last: map[string]remembered{}, patience: etcdPatience}, nil
}

// findAgainSoon connects within seconds after etcd is back, however long it was away; gRPC by
// itself waits up to two minutes. A connection that went silent is noticed as soon.
func findAgainSoon(c *etcd.Config) {
	c.EtcdConfig.DialKeepAliveTime, c.EtcdConfig.DialKeepAliveTimeout = 10*time.Second, 3*time.Second
	again := backoff.DefaultConfig
	again.BaseDelay, again.MaxDelay = 200*time.Millisecond, 2*time.Second
	c.EtcdConfig.DialOptions = append(c.EtcdConfig.DialOptions,
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: 2 * time.Second}))
}

// etcdPatience bounds how long etcd is waited for where what it said last will do.
const etcdPatience = 500 * time.Millisecond

// remembering serves the last good answer for a service while etcd is away, and after it came
// back empty, until the service has told it anew. An address where nobody listens any more
// refuses a call as quickly as none at all would.
type remembering struct {
	discovery.Resolver
	patience time.Duration

	mu   sync.Mutex
	last map[string]remembered
}

type remembered struct {
	discovery.Result
	serves bool // in the place of an answer
}

// Resolve is etcd's answer, or the one before.
func (r *remembering) Resolve(ctx context.Context, service string) (discovery.Result, error) {
	r.mu.Lock()
	last, known := r.last[service]
	r.mu.Unlock()
	if known {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.patience)
		defer cancel()
	}
	found, err := r.Resolver.Resolve(ctx, service)
	if good := err == nil && len(found.Instances) > 0; good || known {
		r.mu.Lock()
		defer r.mu.Unlock()
		if good {
			r.last[service] = remembered{found, false}
			return found, nil
		}
		if !last.serves {
			slog.Warn("etcd does not tell where a service is; where it was last serves", "service", service, "cause", err)
		}
		r.last[service] = remembered{last.Result, true}
		return last.Result, nil
	}
	return found, err
}
