package kit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/cloudwego/kitex/pkg/discovery"
	"github.com/cloudwego/kitex/pkg/registry"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	etcd "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Where a service is stands in etcd under the service's name and the address, as
// kitex-contrib/registry-etcd writes it, so that processes from before find each other. That
// one gives up when etcd is away, and looks after its entries every half a minute only.

// place is what etcd holds of one server of a service.
type place struct {
	Network string            `json:"network"`
	Address string            `json:"address"`
	Weight  int               `json:"weight"`
	Tags    map[string]string `json:"tags"`
}

func placesOf(service string) string { return "kitex/registry-etcd/" + service + "/" }

const (
	// placeLife is how long, in seconds, etcd believes in a process that went without a word.
	placeLife = 15
	// etcdAnswer bounds one question to etcd.
	etcdAnswer = 3 * time.Second
	// etcdPatience bounds it where what etcd said last will do.
	etcdPatience = 500 * time.Millisecond
)

// dialEtcd connects within seconds after etcd is back, however long it was away (gRPC by itself
// waits up to two minutes), and notices as soon that a connection went silent.
func dialEtcd(addrs []string) (*etcd.Client, error) {
	again := backoff.DefaultConfig
	again.BaseDelay, again.MaxDelay = 200*time.Millisecond, time.Second
	c, err := etcd.New(etcd.Config{
		Endpoints: addrs, DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: etcdAnswer,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: time.Second})},
	})
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	return c, nil
}

// entry tells etcd where one server is, for as long as it serves: whatever becomes of etcd
// meanwhile, away for long or back empty, it is told anew.
type entry struct {
	etcd  *etcd.Client
	key   string
	stop  context.CancelFunc
	ended chan struct{}
	lease etcd.LeaseID
}

func newRegistry(addrs []string) (registry.Registry, error) {
	c, err := dialEtcd(addrs)
	if err != nil {
		return nil, err
	}
	return &entry{etcd: c, ended: make(chan struct{})}, nil
}

// Register makes the entry and keeps it. That etcd is there at the start is required: a wrong
// address is noticed at once.
func (e *entry) Register(info *registry.Info) error {
	address, err := reachable(info.Addr)
	if err != nil {
		return err
	}
	value, err := json.Marshal(place{info.Addr.Network(), address, info.Weight, info.Tags})
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	e.key = placesOf(info.ServiceName) + address
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	alive, err := e.tell(ctx, string(value))
	if err != nil {
		stop()
		return fmt.Errorf("etcd: %w", err)
	}
	Go("etcd", func() error {
		defer close(e.ended)
		for ctx.Err() == nil {
			for range alive { // until etcd has lost the entry, or is away
			}
			for told := false; ctx.Err() == nil; told = true {
				if alive, err = e.tell(ctx, string(value)); err == nil {
					break
				}
				if !told {
					slog.Warn("etcd is away; it is told again when it is back", "entry", e.key, "cause", err)
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		}
		return nil
	})
	return nil
}

// tell makes the entry; alive ends when it is gone.
func (e *entry) tell(ctx context.Context, value string) (alive <-chan *etcd.LeaseKeepAliveResponse, err error) {
	short, cancel := context.WithTimeout(ctx, etcdAnswer)
	defer cancel()
	lease, err := e.etcd.Grant(short, placeLife)
	if err != nil {
		return nil, err
	}
	if _, err := e.etcd.Put(short, e.key, value, etcd.WithLease(lease.ID)); err != nil {
		return nil, err
	}
	e.lease = lease.ID
	return e.etcd.KeepAlive(ctx, lease.ID)
}

// Deregister takes the entry away.
func (e *entry) Deregister(*registry.Info) error {
	if e.stop == nil {
		return nil
	}
	e.stop()
	<-e.ended
	ctx, cancel := context.WithTimeout(context.Background(), etcdAnswer)
	defer cancel()
	_, err := e.etcd.Revoke(ctx, e.lease) // and the entry with it
	return errors.Join(err, e.etcd.Close())
}

// reachable is the address by which others reach a listener: one on all interfaces by the
// first that is not loopback.
func reachable(a net.Addr) (string, error) {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "", fmt.Errorf("RPC_ADDR: %w", err)
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return a.String(), nil
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("RPC_ADDR: %w", err)
	}
	for _, each := range all {
		if n, ok := each.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return net.JoinHostPort(n.IP.String(), port), nil
		}
	}
	return "", errors.New("RPC_ADDR: this machine has no address that others reach")
}

// directory finds services at etcd.
type directory struct{ etcd *etcd.Client }

func newResolver(addrs []string) (discovery.Resolver, error) {
	c, err := dialEtcd(addrs)
	if err != nil {
		return nil, err
	}
	return &remembering{Resolver: &directory{c}, last: map[string]remembered{}, patience: etcdPatience}, nil
}

// Target is the name of a service.
func (*directory) Target(_ context.Context, to rpcinfo.EndpointInfo) string { return to.ServiceName() }

// Name tells resolvers apart.
func (*directory) Name() string { return "etcd" }

// Diff is what changed between two answers.
func (*directory) Diff(key string, prev, next discovery.Result) (discovery.Change, bool) {
	return discovery.DefaultDiff(key, prev, next)
}

// Resolve asks where a service is.
func (d *directory) Resolve(ctx context.Context, service string) (discovery.Result, error) {
	answer, err := d.etcd.Get(ctx, placesOf(service), etcd.WithPrefix())
	if err != nil {
		return discovery.Result{}, err
	}
	found := discovery.Result{Cacheable: true, CacheKey: service}
	for _, kv := range answer.Kvs {
		var p place
		if err := json.Unmarshal(kv.Value, &p); err != nil {
			slog.Warn("etcd holds what is no place of a service", "entry", string(kv.Key), "cause", err)
			continue
		}
		if p.Weight <= 0 {
			p.Weight = discovery.DefaultWeight
		}
		found.Instances = append(found.Instances, discovery.NewInstance(p.Network, p.Address, p.Weight, p.Tags))
	}
	if len(found.Instances) == 0 {
		return found, fmt.Errorf("no instance of %s", service)
	}
	return found, nil
}

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
