package suite

import (
	"context"
	"sync"
	"time"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
)

// types knows which service owns each record type. The services tell.
type types struct {
	mu     sync.Mutex
	owners map[string]records.Client
	infos  []*gen.TypeInfo
	asked  time.Time
}

// askAgain bounds how often an unknown type makes the services be asked: one may have
// come up with a new type.
const askAgain = 2 * time.Second

// Records are the services that own record types, in the order of the console's menu.
func (c *Clients) Records() []records.Client {
	return []records.Client{c.Party, c.Content, c.Dues, c.Meeting, c.Points, c.Account, c.Notify, c.Audit}
}

// Owner is the service of a record type; kit.ErrNotFound when no service has it.
func (c *Clients) Owner(ctx context.Context, typ string) (records.Client, error) {
	t := &c.types
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.owners[typ]; ok {
		return s, nil
	}
	if err := c.ask(ctx); err != nil {
		return nil, err
	}
	if s, ok := t.owners[typ]; ok {
		return s, nil
	}
	return nil, kit.ErrNotFound
}

// Types are all record types, in the order of the console's menu.
func (c *Clients) Types(ctx context.Context) ([]*gen.TypeInfo, error) {
	t := &c.types
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.infos) == 0 || time.Since(t.asked) > time.Minute {
		if err := c.ask(ctx); err != nil {
			return nil, err
		}
	}
	return t.infos, nil
}

func (c *Clients) ask(ctx context.Context) error {
	t := &c.types
	if time.Since(t.asked) < askAgain {
		return nil
	}
	owners, infos := map[string]records.Client{}, []*gen.TypeInfo{}
	for _, s := range c.Records() {
		r, err := s.Types(kit.AsSystem(ctx), &gen.Empty{})
		if err != nil {
			return err
		}
		for _, i := range r.Types {
			owners[i.Type] = s
		}
		infos = append(infos, r.Types...)
	}
	t.owners, t.infos, t.asked = owners, infos, time.Now()
	return nil
}
