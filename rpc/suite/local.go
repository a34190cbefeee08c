package suite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/serviceinfo"
	"github.com/cloudwego/kitex/server"

	"zhihuidangjian/rpc/account"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/party"
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
	clients, err := connect(func(name string, _ *serviceinfo.ServiceInfo) (client.Client, error) {
		if late[name] == nil {
			late[name] = &kit.Late{}
		}
		return late[name], nil
	})
	if err != nil {
		return nil, err
	}
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
	var together kit.Group // each waits for the disk to have its indexes
	for _, name := range names {
		together.Go(name, func() error {
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
	i := slices.IndexFunc(services, func(r service) bool { return r.name == name })
	if i < 0 {
		return fmt.Errorf("no such service; there are %s", strings.Join(Names, ", "))
	}
	v, err := services[i].open(s.platform, s.Clients)
	if err != nil {
		return err
	}
	s.add(services[i], v)
	return nil
}

// add keeps how to offer a service, to prepare it and to invent its demo data, and to close it
// if it has work in the background.
func (s *Services) add(r service, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.register[r.name] = func(k server.Server) error { return r.register(k, v) }
	switch v := v.(type) {
	case *party.Service:
		s.party = v // its demo data come before those of the others
	case interface{ SeedDemo(context.Context) error }:
		s.seeds = append(s.seeds, v.SeedDemo)
	}
	if a, ok := v.(*account.Service); ok {
		s.account = a
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
