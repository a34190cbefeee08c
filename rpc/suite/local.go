package suite

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/server"
	"golang.org/x/sync/errgroup"

	accountsvc "zhihuidangjian/idl/gen/account/account"
	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	contentsvc "zhihuidangjian/idl/gen/content/content"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partysvc "zhihuidangjian/idl/gen/party/party"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	"zhihuidangjian/rpc/account"
	"zhihuidangjian/rpc/audit"
	"zhihuidangjian/rpc/content"
	"zhihuidangjian/rpc/dues"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/meeting"
	"zhihuidangjian/rpc/notify"
	"zhihuidangjian/rpc/party"
	"zhihuidangjian/rpc/points"
)

// Services are domain services of this process.
type Services struct {
	*Clients
	platform *Platform
	account  *account.Service
	party    *party.Service
	dues     *dues.Service
	meeting  *meeting.Service
	content  *content.Service
	mu       sync.Mutex // of what follows, while services start
	register map[string]func(server.Server) error
	closers  []func()
}

// Local starts every service in this process; they call each other without a wire.
func Local(p *Platform) (*Services, error) {
	late := map[string]*kit.Late{}
	clients := wrap(func(name string) client.Client {
		late[name] = &kit.Late{}
		return late[name]
	})
	s, err := start(p, clients, Names)
	if err != nil {
		return nil, err
	}
	for name, register := range s.register {
		late[name].Client = kit.NewLocal(register)
	}
	return s, nil
}

// start makes the named services. Each reaches the others through peers.
func start(p *Platform, peers *Clients, names []string) (*Services, error) {
	s := &Services{Clients: peers, platform: p, register: map[string]func(server.Server) error{}}
	var together errgroup.Group // each waits for the disk to have its indexes
	for _, name := range names {
		together.Go(func() error {
			if err := s.start(name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	if err := together.Wait(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Services) start(name string) error {
	p, peers := s.platform, s.Clients
	switch name {
	case "notify":
		o, err := p.Outside()
		if err != nil {
			return err
		}
		v, err := notify.New(notify.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Party: peers.Party, Account: peers.Account,
			Messenger: o.Messenger, SMS: o.SMS, PublicURL: p.Config.PublicURL, Subscribes: o.Conf.Subscribes,
		})
		if err != nil {
			return err
		}
		s.add(name, v, func(k server.Server) error { return notifysvc.RegisterService(k, v) })
	case "party":
		v, err := party.New(party.Deps{DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Notify: peers.Notify, Dues: peers.Dues, MapTiles: p.Config.MapTiles})
		if err != nil {
			return err
		}
		s.party = v
		s.add(name, v, func(k server.Server) error { return partysvc.RegisterService(k, v) })
	case "account":
		v, err := account.New(account.Deps{DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Party: peers.Party, Sandbox: p.SandboxURL != ""})
		if err != nil {
			return err
		}
		s.account = v
		s.add(name, v, func(k server.Server) error { return accountsvc.RegisterService(k, v) })
	case "points":
		v, err := points.New(points.Deps{DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Party: peers.Party})
		if err != nil {
			return err
		}
		s.add(name, v, func(k server.Server) error { return pointssvc.RegisterService(k, v) })
	case "dues":
		o, err := p.Outside()
		if err != nil {
			return err
		}
		v, err := dues.New(dues.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Party: peers.Party,
			Pay: o.Pay, Notify: o.Notify, AppID: o.Conf.AppID, MiniAppID: o.Conf.MiniAppID,
			MchID: o.Conf.MchID, FontPath: p.Config.FontPath, CashConfirm: p.Config.CashConfirm,
		})
		if err != nil {
			return err
		}
		s.dues = v
		s.add(name, v, func(k server.Server) error { return duessvc.RegisterService(k, v) })
	case "meeting":
		v, err := meeting.New(meeting.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Party: peers.Party, PublicURL: p.Config.PublicURL, Secret: p.Secret,
		})
		if err != nil {
			return err
		}
		s.meeting = v
		s.add(name, v, func(k server.Server) error { return meetingsvc.RegisterService(k, v) })
	case "content":
		v, err := content.New(content.Deps{DB: p.DB, Blobs: p.Blobs, Clock: p.Clock, Party: peers.Party})
		if err != nil {
			return err
		}
		s.content = v
		s.add(name, v, func(k server.Server) error { return contentsvc.RegisterService(k, v) })
	case "audit":
		v, err := audit.New(audit.Deps{DB: p.DB, Clock: p.Clock, Seal: p.Seal, Party: peers.Party})
		if err != nil {
			return err
		}
		s.add(name, v, func(k server.Server) error { return auditsvc.RegisterService(k, v) })
	default:
		return fmt.Errorf("no such service; there are %s", strings.Join(Names, ", "))
	}
	return nil
}

// add keeps how to offer a service, and to close it if it has work in the background.
func (s *Services) add(name string, v any, register func(server.Server) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.register[name] = register
	if c, ok := v.(interface{ Close() }); ok {
		s.closers = append(s.closers, c.Close)
	}
}

// AdminName is the user name of the first admin.
const AdminName = "admin"

// Prepare makes a first start usable: an organisation, demo data in the sandbox, and the
// first admin. It says how to log in, once. Later starts change nothing.
func (s *Services) Prepare(ctx context.Context) (string, error) {
	ctx = kit.AsSystem(ctx)
	cfg := s.platform.Config
	demo := cfg.Demo && s.platform.SandboxURL != ""
	root, err := s.party.EnsureRoot(ctx)
	if err != nil {
		return "", fmt.Errorf("root organisation: %w", err)
	}
	password := cfg.AdminPassword
	if password == "" {
		password = "Dj-" + strings.ToLower(rand.Text()[:10]) + "7"
	}
	// A newcomer waits for all of it, so what can goes together.
	together, ctx := errgroup.WithContext(ctx)
	created := false
	together.Go(func() (err error) {
		if created, err = s.account.EnsureAdmin(ctx, AdminName, password, root); err != nil {
			return fmt.Errorf("first admin: %w", err)
		}
		return nil
	})
	if demo {
		together.Go(func() error { return s.seedDemo(ctx) })
	}
	if err := together.Wait(); err != nil {
		return "", err
	}
	if !created {
		return "管理员 admin   " + AdminName + "（密码见首次启动 / password as on the first start）", nil
	}
	return "管理员 admin   " + AdminName + " / " + password, nil
}

// seedDemo makes organisations and members, then what stands on them.
func (s *Services) seedDemo(ctx context.Context) error {
	if err := s.party.SeedDemo(ctx); err != nil {
		return fmt.Errorf("demo data: %w", err)
	}
	together, ctx := errgroup.WithContext(ctx)
	for _, seed := range []func(context.Context) error{s.dues.SeedDemo, s.meeting.SeedDemo, s.content.SeedDemo} {
		together.Go(func() error {
			if err := seed(ctx); err != nil {
				return fmt.Errorf("demo data: %w", err)
			}
			return nil
		})
	}
	return together.Wait()
}

// Close ends what services do in the background.
func (s *Services) Close() {
	for _, c := range s.closers {
		c()
	}
}
