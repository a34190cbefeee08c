package suite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
)

// types knows which service owns each record type. The services tell; what one has told
// once serves while it is down.
type types struct {
	asking singleflight.Group
	mu     sync.Mutex        // never held while a service is asked
	told   [][]*gen.TypeInfo // by service, in the order of Records; nil: it has not answered yet
	asked  time.Time         // of the last time that all were asked
}

const (
	// askAgain bounds how often services that have not answered, or may know a type that
	// nobody told of, are asked.
	askAgain = 2 * time.Second
	// askAnew is how old a complete answer may become.
	askAnew = time.Minute
	// askFor bounds the wait for a service that hangs.
	askFor = 3 * time.Second
)

// Records are the services that own record types, in the order of the console's menu.
func (c *Clients) Records() []records.Client {
	list := make([]records.Client, 0, len(services))
	for _, name := range Names {
		list = append(list, c.Of[name])
	}
	return list
}

// Owner is the service of a record type; kit.ErrNotFound when no service has it, and
// kit.ErrInternal when one that might have it has not answered yet.
func (c *Clients) Owner(ctx context.Context, typ string) (records.Client, error) {
	return c.types.owner(ctx, c.Records(), typ)
}

// Types are all record types, in the order of the console's menu: those of every service
// that has ever answered. An error when none has.
func (c *Clients) Types(ctx context.Context) ([]*gen.TypeInfo, error) {
	return c.types.all(ctx, c.Records())
}

func (t *types) owner(ctx context.Context, services []records.Client, typ string) (records.Client, error) {
	told, age := t.known()
	find := func() records.Client {
		for i, infos := range told {
			for _, info := range infos {
				if info.Type == typ {
					return services[i]
				}
			}
		}
		return nil
	}
	if s := find(); s != nil {
		return s, nil
	}
	if age > askAgain {
		told = t.ask(ctx, services)
	}
	if s := find(); s != nil {
		return s, nil
	}
	if !complete(told) {
		return nil, kit.ErrInternal.Because(fmt.Errorf("no service that answers has %s", typ))
	}
	return nil, kit.ErrNotFound
}

func (t *types) all(ctx context.Context, services []records.Client) ([]*gen.TypeInfo, error) {
	told, age := t.known()
	switch {
	case !complete(told) && age > askAgain:
		told = t.ask(ctx, services)
	case age > askAnew: // what is known serves meanwhile
		kit.Go("types", func() error { t.ask(context.WithoutCancel(ctx), services); return nil })
	}
	var all []*gen.TypeInfo
	for _, infos := range told {
		all = append(all, infos...)
	}
	if len(all) == 0 {
		return nil, kit.ErrInternal.Because(errors.New("no service tells its record types"))
	}
	return all, nil
}

// known is what the services have told, and how long ago they were asked.
func (t *types) known() ([][]*gen.TypeInfo, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.told, time.Since(t.asked)
}

func complete(told [][]*gen.TypeInfo) bool {
	return len(told) > 0 && !slices.ContainsFunc(told, func(infos []*gen.TypeInfo) bool { return infos == nil })
}

// ask asks all services at once; those who wait share one question.
func (t *types) ask(ctx context.Context, services []records.Client) [][]*gen.TypeInfo {
	told, _, _ := t.asking.Do("", func() (any, error) {
		ctx, cancel := context.WithTimeout(kit.AsSystem(context.WithoutCancel(ctx)), askFor)
		defer cancel()
		now := make([][]*gen.TypeInfo, len(services))
		var all kit.Group
		for i, s := range services {
			all.Go("types", func() error {
				r, err := s.Types(ctx, &gen.Empty{})
				if err != nil {
					return err
				}
				now[i] = append([]*gen.TypeInfo{}, r.Types...)
				return nil
			})
		}
		if err := all.Wait(); err != nil {
			slog.Warn("a service does not tell its record types; what it told last serves", "cause", err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		for i, was := range t.told {
			if now[i] == nil {
				now[i] = was
			}
		}
		t.told, t.asked = now, time.Now()
		return now, nil
	})
	return told.([][]*gen.TypeInfo)
}
