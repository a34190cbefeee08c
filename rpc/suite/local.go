package suite

import (
	"context"
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
	account  *account.Service // nil when another process serves it
	party    *party.Service   // as account
	mu       sync.Mutex       // of what follows, while services start
	register map[string]func(server.Server) error
	seeds    []func(context.Context) error // of demo data about party's members
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
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Party: peers.Party, Account: peers.Account, Meeting: peers.Meeting,
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
		s.add(name, v, func(k server.Server) error { return duessvc.RegisterService(k, v) })
	case "meeting":
		v, err := meeting.New(meeting.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Party: peers.Party, PublicURL: p.Config.PublicURL, Secret: p.Secret,
		})
		if err != nil {
			return err
		}
		s.add(name, v, func(k server.Server) error { return meetingsvc.RegisterService(k, v) })
	case "content":
		v, err := content.New(content.Deps{DB: p.DB, Blobs: p.Blobs, Clock: p.Clock, Party: peers.Party})
		if err != nil {
			return err
		}
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

// add keeps how to offer a service, to invent its demo data, and to close it if it has work
// in the background.
func (s *Services) add(name string, v any, register func(server.Server) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.register[name] = register
	if d, ok := v.(interface{ SeedDemo(context.Context) error }); ok && name != "party" { // party's come before
		s.seeds = append(s.seeds, d.SeedDemo)
	}
	if c, ok := v.(interface{ Close() }); ok {
		s.closers = append(s.closers, c.Close)
	}
}

// Close ends what services do in the background.
func (s *Services) Close() {
	for _, c := range s.closers {
		c()
	}
}
