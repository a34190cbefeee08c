// Package outbox is the relay: it hands the events that documents carry to the domains
// that follow them.
//
// An event is stored in the same write as the change that caused it (model.Base.Pending)
// and leaves the document only when every follower has taken it, so that it arrives at
// least once whatever dies; followers are idempotent by event id, so that it counts once.
// Any number of relays may run: a claim in Redis keeps them from doing each other's work,
// and losing the claim (or all of Redis) costs double work, never a double effect.
package outbox

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudwego/kitex/client/callopt"
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

// Collections are those whose documents emit events in bursts; they are looked at at every
// turn, those of all record types once a second.
var Collections = []string{"meetings", "checkins", "dues_orders"}

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
	batch     = 1000                   // documents at once; fewer after a batch that failed as a whole
	claimTTL  = 15 * time.Second
	deadline  = 10 * time.Second // of a batch; shorter than its claim
	backoffTo = time.Minute
)

// Relay hands on events until it is stopped.
type Relay struct {
	d Deps

	all     time.Time // of the last look at every collection
	mu      sync.Mutex
	waiting map[string]*wait // documents whose events were refused, by collection and id
	most    map[string]int   // documents of the next batch, by collection
}

// wait is when to try a refused document again.
type wait struct {
	tries int
	until time.Time
}

// New makes a relay.
func New(d Deps) *Relay { return &Relay{d: d, waiting: map[string]*wait{}, most: map[string]int{}} }

// Run relays until ctx is done and returns when what was begun is finished.
func Run(ctx context.Context, d Deps) error {
	r := New(d)
	for {
		n, err := r.Once(ctx)
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
	names, err := r.collections(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, name := range names {
		n, err := r.drain(ctx, r.d.DB.Collection(name))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// every is how often the collections of all record types are looked at.
const every = time.Second

func (r *Relay) collections(ctx context.Context) ([]string, error) {
	if r.d.Types == nil || time.Since(r.all) < every {
		return Collections, nil
	}
	types, err := r.d.Types(ctx)
	if err != nil {
		return nil, fmt.Errorf("record types: %w", err)
	}
	r.all = time.Now()
	names := slices.Clone(Collections)
	for _, t := range types {
		if t.Collection != "" && !slices.Contains(names, t.Collection) {
			names = append(names, t.Collection)
		}
	}
	return names, nil
}

// drain hands on one batch of a collection, in the order of time: the first event of each
// document, so that the events of one document keep their order. Index: (pending.at).
// Documents that wait after a refusal do not use up the batch: a broken one must not
// stand in the way of the others. What was begun is finished when the relay is being
// stopped.
func (r *Relay) drain(ctx context.Context, c *mongo.Collection) (int, error) {
	r.mu.Lock()
	refused, most := len(r.waiting), r.most[c.Name()]
	r.mu.Unlock()
	if most == 0 {
		most = batch
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
	defer cancel()
	cur, err := c.Find(ctx, bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}},
		options.Find().SetProjection(bson.D{{Key: "pending", Value: 1}}).SetSort(bson.D{{Key: "pending.at", Value: 1}}).SetLimit(int64(most+refused)))
	if err != nil {
		return 0, fmt.Errorf("read the outbox of %s: %w", c.Name(), err)
	}
	var list []carrier
	if err := cur.All(ctx, &list); err != nil {
		return 0, fmt.Errorf("read the outbox of %s: %w", c.Name(), err)
	}
	if len(list) < most+refused {
		r.forget(c.Name(), list)
	}
	due := slices.DeleteFunc(list, func(doc carrier) bool { return len(doc.Pending) == 0 || !r.due(c.Name(), doc.ID) })
	if len(due) == 0 {
		return 0, nil
	}
	for _, doc := range due { // nobody waits for the audit
		slices.SortStableFunc(doc.Pending, func(a, b model.Event) int { return cmp.Compare(rank(a), rank(b)) })
	}
	// Another relay may have handed on between the look and the claim: double work.
	release, mine := r.claim(ctx, c.Name())
	if !mine {
		return 0, nil
	}
	defer release()
	return r.relay(ctx, c, due[:min(len(due), most)])
}

func rank(e model.Event) int {
	if e.Kind == model.EventAudited {
		return 1
	}
	return 0
}

// relay hands on the first events of documents and takes those out that have arrived.
func (r *Relay) relay(ctx context.Context, c *mongo.Collection, list []carrier) (done int, err error) {
	refused, err := r.hand(ctx, list)
	r.mu.Lock()
	if err != nil { // one may be at fault, or too much was asked at once
		r.most[c.Name()] = max(len(list)/2, 1)
	} else {
		delete(r.most, c.Name())
	}
	r.mu.Unlock()
	if err != nil {
		refused = map[string]string{}
		for _, doc := range list {
			refused[doc.Pending[0].ID] = err.Error()
		}
	}
	var pulls []mongo.WriteModel
	for _, doc := range list {
		e := doc.Pending[0]
		if why, ok := refused[e.ID]; ok {
			r.refused(ctx, c.Name(), doc.ID, e, why)
			continue
		}
		r.taken(c.Name(), doc.ID)
		// By value, which every MongoDB-compatible server can do. The version stays:
		// people who edit the document meanwhile are not disturbed.
		pulls = append(pulls, mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: doc.ID}}).
			SetUpdate(bson.D{{Key: "$pull", Value: bson.D{{Key: "pending", Value: e}}}}))
	}
	if len(pulls) == 0 {
		return 0, nil
	}
	if _, err := c.BulkWrite(ctx, pulls, options.BulkWrite().SetOrdered(false)); err != nil {
		return 0, fmt.Errorf("empty the outbox of %s: %w", c.Name(), err)
	}
	return len(pulls), nil
}

// hand gives events to their followers and tells which were refused, by event id.
func (r *Relay) hand(ctx context.Context, list []carrier) (map[string]string, error) {
	ctx = kit.AsSystem(ctx)
	w, facts := &recordsgen.Events{}, &recordsgen.Events{}
	for _, doc := range list {
		e, to := doc.Pending[0], w
		if e.Kind == model.EventAudited { // is nobody else's
			to = facts
		}
		to.Events = append(to.Events, &recordsgen.Event{Id: e.ID, Kind: e.Kind, OrgId: e.OrgID, At: e.At.UnixMilli(), Payload: e.Payload})
	}
	refused := map[string]string{}
	if len(facts.Events) > 0 {
		h, err := r.d.Audit.HandleEvents(ctx, facts)
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		for id, why := range h.Refused {
			refused[id] = "audit: " + why
		}
	}
	if len(w.Events) == 0 {
		return refused, nil
	}
	for _, f := range []struct {
		name string
		take func(context.Context, *recordsgen.Events, ...callopt.Option) (*recordsgen.Handled, error)
	}{{"points", r.d.Points.HandleEvents}, {"notify", r.d.Notify.HandleEvents}} {
		h, err := f.take(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		for id, why := range h.Refused {
			refused[id] = f.name + ": " + why
		}
		left := w.Events[:0:0]
		for _, e := range w.Events {
			if _, no := refused[e.Id]; !no {
				left = append(left, e)
			}
		}
		w.Events = left
	}
	return refused, nil
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
