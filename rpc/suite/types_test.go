package suite

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
)

// teller is a service with one record type.
type teller struct {
	records.Client
	typ   string
	down  atomic.Bool // answers with an error
	hangs atomic.Bool // does not answer
	asked atomic.Int32
}

func (s *teller) Types(ctx context.Context, _ *gen.Empty) (*gen.TypeInfos, error) {
	s.asked.Add(1)
	if s.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if s.down.Load() {
		return nil, errors.New("down")
	}
	return &gen.TypeInfos{Types: []*gen.TypeInfo{{Type: s.typ}}}, nil
}

func TestTypes(t *testing.T) {
	party, content := &teller{typ: "member"}, &teller{typ: "letter"}
	services := []records.Client{party, content}
	names := func(ts *types, services []records.Client) (all []string) {
		infos, _ := ts.all(t.Context(), services)
		for _, i := range infos {
			all = append(all, i.Type)
		}
		return all
	}
	age := func(ts *types, by time.Duration) {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		ts.asked = ts.asked.Add(-by)
	}
	t.Run("known types need no service", func(t *testing.T) {
		ts := &types{}
		if got := names(ts, services); len(got) != 2 || got[0] != "member" || got[1] != "letter" {
			t.Fatal(got)
		}
		content.down.Store(true)
		defer content.down.Store(false)
		age(ts, 2*askAnew)
		if got := names(ts, services); len(got) != 2 {
			t.Fatalf("a service is down and the others' types are %v", got)
		}
		if s, err := ts.owner(t.Context(), services, "letter"); err != nil || s != services[1] {
			t.Fatal(s, err)
		}
	})
	t.Run("one that hangs holds up nobody who asks for another's", func(t *testing.T) {
		ts := &types{}
		names(ts, services)
		content.hangs.Store(true)
		defer content.hangs.Store(false)
		age(ts, 2*askAnew)
		go names(ts, services)
		began := time.Now()
		if s, err := ts.owner(t.Context(), services, "member"); err != nil || s != services[0] || time.Since(began) > askFor/2 {
			t.Fatal(s, err, time.Since(began))
		}
	})
	t.Run("what nobody has is not found; what a silent service may have is trouble", func(t *testing.T) {
		// Services of its own: those above may still be asked in the background, and here it is counted.
		party, content := &teller{typ: "member"}, &teller{typ: "letter"}
		services := []records.Client{party, content}
		ts := &types{}
		if _, err := ts.owner(t.Context(), services, "none"); !errors.Is(err, kit.ErrNotFound) {
			t.Fatal(err)
		}
		before := party.asked.Load()
		if _, err := ts.owner(t.Context(), services, "none"); !errors.Is(err, kit.ErrNotFound) || party.asked.Load() != before {
			t.Fatal("asked again at once", err)
		}
		content.down.Store(true)
		defer content.down.Store(false)
		ts = &types{}
		if _, err := ts.owner(t.Context(), services, "letter"); !errors.Is(err, kit.ErrInternal) {
			t.Fatal(err)
		}
		if got := names(ts, services); len(got) != 1 {
			t.Fatal(got)
		}
		content.down.Store(false)
		age(ts, askAgain)
		if s, err := ts.owner(t.Context(), services, "letter"); err != nil || s != services[1] {
			t.Fatal("a service that came up is not found", err)
		}
	})
	t.Run("nobody answers", func(t *testing.T) {
		party.down.Store(true)
		content.down.Store(true)
		defer party.down.Store(false)
		defer content.down.Store(false)
		if _, err := (&types{}).all(t.Context(), services); !errors.Is(err, kit.ErrInternal) {
			t.Fatal(err)
		}
	})
}
