// Package suite puts the domain services together: upon which stores and outside systems
// they stand, and how they reach each other, in one process or in many.
package suite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/conf"
	"zhihuidangjian/model"
	"zhihuidangjian/model/docstore"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/migrate"
	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

// Platform is what every process stands on: document store, Redis, clock, keys, and
// the outside systems or their simulators.
type Platform struct {
	Config     conf.Config
	DB         *mongo.Database
	Redis      redis.UniversalClient
	Clock      *kit.Clock
	Seal       *model.Sealer
	Secret     []byte
	Peers      *kit.Peers // how the processes of this installation know each other
	Blobs      blob.Store // contents of uploaded files; nil in a process without services
	SandboxURL string     // of the simulator, in this process or another; empty outside the sandbox

	// Outside waits for the outside systems: a first start makes keys for the simulators for
	// some tenths of a second, while the rest of the product starts.
	Outside func() (*Outside, error)

	stop    context.CancelFunc
	running sync.WaitGroup
	closers []func() error
}

// Outside are WeChat and Aliyun, or in the sandbox their simulators.
type Outside struct {
	*wechat.Client
	Conf conf.WeChat // what Client was built from: the simulator's in the sandbox
	SMS  sms.Sender
}

// Open connects to what the configuration names and embeds the rest. A process without
// services needs no document store. Close undoes it.
func Open(cfg conf.Config, store bool) (_ *Platform, err error) {
	reserve()
	ctx, stop := context.WithCancel(context.Background())
	p := &Platform{Config: cfg, Clock: &kit.Clock{}, stop: stop, Outside: func() (*Outside, error) { return nil, nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if store { // first: without the right key nothing else begins
		if err := p.openMongo(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.openKey(ctx); err != nil {
		return nil, err
	}
	if store {
		if err := migrate.Run(ctx, migrate.Store{DB: p.DB, Seal: p.Seal}, migrate.All); err != nil {
			return nil, err
		}
	}
	if p.Peers, err = kit.NewPeers(p.Secret); err != nil {
		return nil, err
	}
	if err := p.openRedis(ctx); err != nil {
		return nil, err
	}
	if err := p.openOutside(ctx); err != nil {
		return nil, err
	}
	if store {
		if err := p.openBlobs(ctx); err != nil {
			return nil, err
		}
	}
	p.Go("headroom", func() error { giveBack(ctx); return nil })
	return p, nil
}

func (p *Platform) openMongo(ctx context.Context) error {
	o := options.Client().SetTimeout(kit.DefaultDeadline)
	if uri := p.Config.MongoURI; uri != "" {
		o.ApplyURI(uri)
	} else {
		store, err := docstore.Open(filepath.Join(p.Config.Data, "store"))
		if err != nil {
			return fmt.Errorf("document store: %w", err)
		}
		p.closers = append(p.closers, store.Close)
		if inside, err := store.ListenInside(); err != nil {
			slog.Warn("the store cannot be backed up while it runs", "cause", err)
		} else {
			p.Go("store", func() error {
				defer context.AfterFunc(ctx, func() { _ = inside.Close() })()
				if err := store.Serve(inside); ctx.Err() == nil {
					return err
				}
				return nil
			})
		}
		o.ApplyURI("mongodb://embedded").SetDialer(store.Dialer())
	}
	c, err := mongo.Connect(o)
	if err != nil {
		return fmt.Errorf("MONGO_URI: %w", err)
	}
	p.closers = append(p.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return c.Disconnect(ctx)
	})
	p.DB = c.Database(p.Config.MongoName)
	return nil
}

// openKey refuses a key that is not the store's.
func (p *Platform) openKey(ctx context.Context) (err error) {
	var fresh string
	if p.Secret, fresh, err = p.Config.Secret(); err != nil {
		return err
	}
	if p.Seal, err = model.NewSealer(p.Secret); err != nil || p.DB == nil {
		return err
	}
	err = model.CheckKey(ctx, p.DB, p.Seal)
	if errors.Is(err, model.ErrOtherKey) && fresh != "" {
		err = errors.Join(err, os.Remove(fresh))
	}
	return err
}

func (p *Platform) openBlobs(ctx context.Context) (err error) {
	if address := p.Config.BlobURL; address != "" {
		p.Blobs, err = blob.Open(ctx, address)
	} else {
		p.Blobs, err = blob.Dir(filepath.Join(p.Config.Data, "blobs"))
	}
	if err == nil {
		p.closers = append(p.closers, p.Blobs.Close)
	}
	return err
}

func (p *Platform) openRedis(ctx context.Context) error {
	addr, password := p.Config.RedisAddr, p.Config.RedisPass
	if addr == "" {
		m := miniredis.NewMiniRedis()
		password = kit.Token() // other accounts of this machine reach the port, too
		m.RequireAuth(password)
		if err := m.StartAddr("127.0.0.1:0"); err != nil {
			return fmt.Errorf("embedded Redis: %w", err)
		}
		k := &keeper{redis: m, path: filepath.Join(p.Config.Data, keepFile)}
		if err := os.MkdirAll(p.Config.Data, 0o700); err != nil {
			return fmt.Errorf("DATA: %w", err)
		}
		k.load()
		p.closers = append(p.closers, func() error { err := k.save(); m.Close(); return err })
		addr = m.Addr()
		p.Go("embedded Redis", func() error { driveClock(ctx, m); return nil })
		p.Go("embedded Redis", func() error { return k.run(ctx) })
	}
	p.Redis = redis.NewClient(&redis.Options{Addr: addr, Password: password})
	p.closers = append(p.closers, p.Redis.Close)
	if err := p.Redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("REDIS_ADDR: %w", err)
	}
	return nil
}

// driveClock lets keys of the embedded Redis expire, whose clock stands still by itself.
func driveClock(ctx context.Context, m *miniredis.Miniredis) {
	const step = 200 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.FastForward(step)
		}
	}
}

// openOutside begins to connect to WeChat and Aliyun, or in the sandbox to the simulators.
func (p *Platform) openOutside(ctx context.Context) error {
	cfg := p.Config
	begin := func() error { return nil }
	if cfg.Sandbox() {
		p.Go("clock", func() error { kit.FollowClock(ctx, p.Redis, p.Clock); return nil })
		if p.SandboxURL = cfg.SandboxURL; p.SandboxURL == "" {
			var err error
			if begin, err = p.listenSandbox(ctx); err != nil {
				return err
			}
		}
	}
	p.Outside = sync.OnceValues(func() (*Outside, error) {
		o, smsConf := &Outside{Conf: cfg.WeChat}, cfg.SMS
		err := begin()
		if err == nil && p.SandboxURL != "" {
			o.Conf, smsConf, err = sim.Fetch(ctx, p.SandboxURL, cfg.PublicURL)
		}
		if err != nil {
			return nil, err
		}
		if o.Client, err = wechat.New(o.Conf, p.Redis, p.Clock.Now); err != nil {
			return nil, fmt.Errorf("WeChat: %w", err)
		}
		if o.SMS, err = sms.New(smsConf); err != nil {
			return nil, fmt.Errorf("SMS: %w", err)
		}
		return o, nil
	})
	p.Go("outside", func() error { _, _ = p.Outside(); return nil }) // who needs it hears of its failure
	return nil
}

// listenSandbox makes a loopback port for the simulators, so that the unchanged SDKs talk
// real HTTP to them. They answer when begin is done.
func (p *Platform) listenSandbox(ctx context.Context) (begin func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	p.SandboxURL = "http://" + l.Addr().String()
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second}
	p.Go("sandbox", func() error {
		<-ctx.Done()
		_, _ = srv.Close(), l.Close() // the second only if it never served
		return nil
	})
	return func() error {
		s, err := sim.New(sim.Options{Now: p.Clock.Now, StateFile: filepath.Join(p.Config.Data, "sandbox.json")})
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		srv.Handler = s.Handler()
		p.Go("sandbox", func() error { return s.Run(ctx) })
		p.Go("sandbox", func() error {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		return nil
	}, nil
}

// Go runs a background task that ends when the platform closes. Its error is logged.
func (p *Platform) Go(what string, f func() error) {
	p.running.Add(1)
	kit.Go(what, func() error {
		defer p.running.Done()
		return f()
	})
}

// Ready tells whether the stores answer.
func (p *Platform) Ready(ctx context.Context) error {
	err := p.Redis.Ping(ctx).Err()
	if p.DB != nil {
		err = errors.Join(err, p.DB.Client().Ping(ctx, nil))
	}
	return err
}

// Close ends background tasks and, when they have finished what they had begun, closes what
// was opened, last first.
func (p *Platform) Close() error {
	p.stop()
	_, _ = p.Outside() // begins no task later on
	p.running.Wait()
	var errs []error
	for _, closer := range slices.Backward(p.closers) {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}
