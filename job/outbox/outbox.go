// Package outbox is the relay: it hands the events that documents carry to the domains
// that follow them.
//
// An event is stored in the same write as the change that caused it (model.Base.Pending)
// and leaves the document only when every follower has taken it, so that it arrives at
// least once whatever dies; followers are idempotent by event id, so that it counts once.
// Any number of relays may run: a claim in Redis keeps them from doing each other's work,
// and losing the claim (or all of Redis) costs double work, never a double effect.
//
// At rest a relay asks one question about many collections: which of them hold an event at
// all. It reads those only. The answer comes from their sparse indexes, so that nothing
// written can be missed and no writer has to leave a hint.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Collections are those whose documents emit events in bursts; they are asked about at every
// turn, those of all record types once a second.
var Collections = []string{"meetings", "checkIns", "duesOrders", "studyRecords"}

// Deps is what a relay needs.
type Deps struct {
	DB     *mongo.Database
	Redis  redis.UniversalClient // nil: no claims
	Points pointssvc.Client
	Notify notifysvc.Client
	Audit  auditsvc.Client
	// Types tells the record types, whose collections emit events too; may be nil.
	Types func(context.Context) ([]*recordsgen.TypeInfo, error)
}

const (
	idle      = 200 * time.Millisecond // between two looks that found nothing
	batch     = 1000                   // documents at once
	claimTTL  = 15 * time.Second
	deadline  = 10 * time.Second // of a batch; shorter than its claim
	backoffTo = time.Minute
	// together are the collections of one question. A server bounds the stages of a pipeline.
	together = 100
)

// Relay hands on events until it is stopped.
type Relay struct {
	d Deps

	followers []*follower
	all       time.Time // of the last look at every collection
	figures   figures
	mu        sync.Mutex
	waiting   map[string]*wait // documents whose events were refused, by collection and id
}

// wait is when to try a refused document again.
type wait struct {
	tries int
	until time.Time
}

// New makes a relay.
func New(d Deps) *Relay {
	r := &Relay{d: d, waiting: map[string]*wait{}}
	for _, f := range table {
		r.followers = append(r.followers, &follower{name: f.name, kinds: f.kinds, most: batch, take: f.take(d)})
	}
	return r
}

// Run relays until ctx is done and returns when what was begun is finished.
func Run(ctx context.Context, d Deps) error {
	r := New(d)
	for {
		n := 0
		err := kit.Guard("outbox", func() (err error) { n, err = r.Once(ctx); return err })
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "outbox not read", "error", err)
		}
		if n > 0 && err == nil {
			if ctx.Err() == nil {
				continue
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(idle):
		}
	}
}

// carrier is a document as the relay sees it.
type carrier struct {
	ID      string        `bson:"_id"`
	Pending []model.Event `bson:"pending"`
}

// Once looks through the collections once and returns how many events were handed on.
func (r *Relay) Once(ctx context.Context) (int, error) {
	names := r.collections(ctx)
	written, err := r.written(ctx, names)
	total, errs := 0, []error{err}
	for _, name := range written {
		n, err := r.drain(ctx, r.d.DB.Collection(name))
		total += n
		errs = append(errs, err)
	}
	if err == nil {
		for _, name := range names {
			if !slices.Contains(written, name) {
				r.forget(name, nil)
				r.figures.quiet(name)
			}
		}
	}
	r.figures.tell(ctx, r.d.Redis, r.followers)
	return total, errors.Join(errs...)
}

// every is how often the collections of all record types are looked at.
const every = time.Second

func (r *Relay) collections(ctx context.Context) []string {
	if r.d.Types == nil || time.Since(r.all) < every {
		return Collections
	}
	r.all = time.Now()
	types, err := r.d.Types(ctx)
	if err != nil { // the others go on
		slog.WarnContext(ctx, "outbox of record types not read", "error", err)
	}
	names := slices.Clone(Collections)
	for _, t := range types {
		if t.Collection != "" && !slices.Contains(names, t.Collection) {
			names = append(names, t.Collection)
		}
	}
	return names
}

// carrying finds documents with events, in the sparse index (pending.at).
var carrying = bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}}

// written tells which of the collections hold an event. Of those that could not be asked
// about none is told.
func (r *Relay) written(ctx context.Context, names []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var found []string
	var errs []error
	for part := range slices.Chunk(names, together) {
		one := func(name string) bson.A {
			return bson.A{
				bson.D{{Key: "$match", Value: carrying}}, bson.D{{Key: "$limit", Value: 1}},
				bson.D{{Key: "$project", Value: bson.D{{Key: "_id", Value: bson.D{{Key: "$literal", Value: name}}}}}},
			}
		}
		pipeline := one(part[0])
		for _, name := range part[1:] {
			pipeline = append(pipeline, bson.D{{Key: "$unionWith", Value: bson.D{{Key: "coll", Value: name}, {Key: "pipeline", Value: one(name)}}}})
		}
		cur, err := r.d.DB.Collection(part[0]).Aggregate(ctx, pipeline)
		var list []struct {
			Name string `bson:"_id"`
		}
		if err == nil {
			err = cur.All(ctx, &list)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("look for events: %w", err))
		}
		for _, x := range list {
			found = append(found, x.Name)
		}
	}
	return found, errors.Join(errs...)
}

// drain hands on the events of one batch of a collection's documents, those that wait
// longest first. Index: (pending.at). Documents that wait after a refusal do not use up the
// batch: a broken one must not stand in the way of the others. What was begun is finished
// when the relay is being stopped.
func (r *Relay) drain(ctx context.Context, c *mongo.Collection) (int, error) {
	r.mu.Lock()
	refused := len(r.waiting)
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
	defer cancel()
	cur, err := c.Find(ctx, carrying,
		options.Find().SetProjection(bson.D{{Key: "pending", Value: 1}}).SetSort(bson.D{{Key: "pending.at", Value: 1}}).SetLimit(int64(batch+refused)))
	if err != nil {
		return 0, fmt.Errorf("read the outbox of %s: %w", c.Name(), err)
	}
	var list []carrier
	if err := cur.All(ctx, &list); err != nil {
		return 0, fmt.Errorf("read the outbox of %s: %w", c.Name(), err)
	}
	if len(list) < batch+refused {
		r.forget(c.Name(), list)
	}
	r.figures.see(c.Name(), list, r.followers)
	var due, later []carrier
	for _, doc := range list {
		if len(due) < batch && len(doc.Pending) > 0 && r.due(c.Name(), doc.ID) {
			due = append(due, doc)
		} else {
			later = append(later, doc)
		}
	}
	if len(due) == 0 {
		return 0, nil
	}
	// Another relay may have handed on between the look and the claim: double work.
	release, mine := r.claim(ctx, c.Name())
	if !mine {
		return 0, nil
	}
	defer release()
	n, left, err := r.relay(ctx, c, due)
	if err == nil {
		r.figures.see(c.Name(), append(later, left...), r.followers)
	}
	return n, err
}

// relay hands on the events of documents and takes those out that have arrived. It tells how
// many did, and what is left.
func (r *Relay) relay(ctx context.Context, c *mongo.Collection, list []carrier) (arrived int, left []carrier, err error) {
	why := r.hand(ctx, list)
	var pulls []mongo.WriteModel
	for _, doc := range list {
		var refused []model.Event
		for _, e := range doc.Pending {
			if why := why(e); why != "" {
				if refused == nil {
					r.refused(ctx, c.Name(), doc.ID, e, why)
				}
				refused = append(refused, e)
				continue
			}
			// By value, which every MongoDB-compatible server can do. The version stays:
			// people who edit the document meanwhile are not disturbed.
			pulls = append(pulls, mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: doc.ID}}).
				SetUpdate(bson.D{{Key: "$pull", Value: bson.D{{Key: "pending", Value: e}}}}))
		}
		if refused == nil {
			r.taken(c.Name(), doc.ID)
		} else {
			left = append(left, carrier{doc.ID, refused})
		}
	}
	if len(pulls) == 0 {
		return 0, left, nil
	}
	if _, err := c.BulkWrite(ctx, pulls, options.BulkWrite().SetOrdered(false)); err != nil {
		return 0, nil, fmt.Errorf("empty the outbox of %s: %w", c.Name(), err)
	}
	return len(pulls), left, nil
}

// hand gives the events to their followers, side by side: one that is down or slow holds up
// its own. The answer tells why an event has not arrived, "" when it has.
func (r *Relay) hand(ctx context.Context, list []carrier) (why func(model.Event) string) {
	ctx = kit.AsSystem(ctx)
	refused, broken := make([]map[string]string, len(r.followers)), make([]error, len(r.followers))
	var all kit.Group
	for i, f := range r.followers {
		refused[i] = map[string]string{}
		all.Go("outbox "+f.name, func() error {
			broken[i] = kit.Guard("outbox "+f.name, func() error { f.hand(ctx, list, refused[i]); return nil })
			r.figures.refuse(f.name, len(refused[i]))
			return nil
		})
	}
	_ = all.Wait() // what went wrong stands in broken
	return func(e model.Event) string {
		for i, f := range r.followers {
			switch {
			case !f.follows(e.Kind):
			case broken[i] != nil: // half-way: nothing is known to have arrived
				return broken[i].Error()
			default:
				return refused[i][e.ID]
			}
		}
		return "nobody follows it" // of a newer version, to which it stays
	}
}

// claim keeps other relays off a collection for a while.
func (r *Relay) claim(ctx context.Context, collection string) (release func(), mine bool) {
	if r.d.Redis == nil {
		return func() {}, true
	}
	key := "outbox:" + collection
	ok, err := r.d.Redis.SetNX(ctx, key, 1, claimTTL).Result()
	if err != nil {
		return func() {}, true // double work at worst
	}
	// A claim that ran out meanwhile is deleted under another relay: double work again.
	return func() { r.d.Redis.Del(context.WithoutCancel(ctx), key) }, ok
}

// taken ends a document's waiting.
func (r *Relay) taken(collection, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, collection+"/"+id)
}

// due reports whether a document's waiting time is over.
func (r *Relay) due(collection, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.waiting[collection+"/"+id]
	return w == nil || time.Now().After(w.until)
}

// forget drops the waiting documents of a collection that wait no more: another relay
// handed them on. all is everything that has events.
func (r *Relay) forget(collection string, all []carrier) {
	here := make(map[string]bool, len(all))
	for _, doc := range all {
		here[collection+"/"+doc.ID] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.waiting {
		if strings.HasPrefix(key, collection+"/") && !here[key] {
			delete(r.waiting, key)
		}
	}
}

// refused lets a document wait: 0.4 s, 0.8 s … a minute.
func (r *Relay) refused(ctx context.Context, collection, id string, e model.Event, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := collection + "/" + id
	w := r.waiting[key]
	if w == nil {
		w = &wait{}
		r.waiting[key] = w
	}
	w.tries++
	w.until = time.Now().Add(min(idle<<min(w.tries, 16), backoffTo))
	slog.WarnContext(ctx, "event not taken", "kind", e.Kind, "event", e.ID, "tries", w.tries, "error", why)
}
