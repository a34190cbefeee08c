package outbox

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
)

// take hands events to a service.
type take func(context.Context, *recordsgen.Events) (*recordsgen.Handled, error)

// table is who follows which kinds of events. A kind has one follower.
var table = []struct {
	name  string
	kinds []string
	take  func(Deps) take
}{
	{"notify", []string{model.EventTold}, func(d Deps) take {
		return func(ctx context.Context, e *recordsgen.Events) (*recordsgen.Handled, error) {
			return d.Notify.HandleEvents(ctx, e)
		}
	}},
	{"points", []string{model.EventEarned, model.EventUnearned}, func(d Deps) take {
		return func(ctx context.Context, e *recordsgen.Events) (*recordsgen.Handled, error) {
			return d.Points.HandleEvents(ctx, e)
		}
	}},
	{"audit", []string{model.EventAudited}, func(d Deps) take {
		return func(ctx context.Context, e *recordsgen.Events) (*recordsgen.Handled, error) {
			return d.Audit.HandleEvents(ctx, e)
		}
	}},
}

// follower is a service that follows events. Several relays of one process do not share it.
type follower struct {
	name  string
	kinds []string
	take  take

	most  int       // events of one call
	until time.Time // nothing is asked of it before: it hung
}

func (f *follower) follows(kind string) bool { return slices.Contains(f.kinds, kind) }

const (
	// hung is what a call takes that fails by waiting; for rest the follower is left alone,
	// so that the others are not held up by it turn after turn.
	hung = time.Second
	rest = 5 * time.Second
	// mostFailures in a row tell that the follower is down: more than it takes to come from a
	// whole batch to one event.
	mostFailures = 12
)

var errDown = errors.New("it does not answer")

// hand gives the follower the events that concern it, those of one document in their order:
// first the first of every document, then the second of those whose first arrived. Why one
// did not arrive is put into refused, by its id.
func (f *follower) hand(ctx context.Context, list []carrier, refused map[string]string) {
	queues := make([][]*recordsgen.Event, 0, len(list))
	for _, doc := range list {
		var queue []*recordsgen.Event
		for _, e := range doc.Pending {
			if f.follows(e.Kind) {
				queue = append(queue, &recordsgen.Event{Id: e.ID, Kind: e.Kind, OrgId: e.OrgID, At: e.At.UnixMilli(), Payload: e.Payload})
			}
		}
		if len(queue) > 0 {
			queues = append(queues, queue)
		}
	}
	for len(queues) > 0 {
		now := &recordsgen.Events{Events: make([]*recordsgen.Event, len(queues))}
		for i, queue := range queues {
			now.Events[i] = queue[0]
		}
		why := f.ask(ctx, now.Events)
		open := queues[:0]
		for _, queue := range queues {
			if reason, no := why[queue[0].Id]; no {
				for _, e := range queue { // what follows waits for it
					refused[e.Id] = f.name + ": " + reason
				}
				continue
			}
			if len(queue) > 1 {
				open = append(open, queue[1:])
			}
		}
		queues = open
	}
}

// ask hands over events of different documents and tells which were not taken, and why. A
// call that fails at once is tried again in halves, since one event may be at fault; when
// nothing goes the follower is down. After one that hung less is asked at once.
func (f *follower) ask(ctx context.Context, events []*recordsgen.Event) map[string]string {
	refused := map[string]string{}
	failures := 0 // in a row
	var hand func([]*recordsgen.Event)
	hand = func(events []*recordsgen.Event) {
		var err error
		switch began := time.Now(); {
		case failures > mostFailures:
			err = errDown
		case began.Before(f.until):
			err = errDown
		default:
			var h *recordsgen.Handled
			if h, err = f.take(ctx, &recordsgen.Events{Events: events}); err == nil {
				failures, f.most = 0, min(2*f.most, batch)
				maps.Copy(refused, h.Refused)
				return
			}
			if failures++; time.Since(began) > hung {
				f.until, f.most = time.Now().Add(rest), max(len(events)/2, 1)
			} else if half := len(events) / 2; half > 0 {
				hand(events[:half])
				hand(events[half:])
				return
			}
		}
		for _, e := range events {
			refused[e.Id] = err.Error()
		}
	}
	for part := range slices.Chunk(events, max(f.most, 1)) {
		hand(part)
	}
	return refused
}
