package model

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The errors of a Collection.
var (
	// ErrNotFound: no such document within the scope; a sibling's looks the same.
	ErrNotFound = errors.New("model: not found")
	// ErrStale: somebody else changed the document since it was read.
	ErrStale = errors.New("model: stale version")
	// ErrDuplicate: a unique key, or the _id, is taken.
	ErrDuplicate = errors.New("model: duplicate key")
)

// Scope bounds every read and change to one organisation's subtree. It is a required
// argument, so that nobody can forget it.
type Scope struct {
	orgID string
	all   bool
}

// Within is the subtree of an organisation.
func Within(orgID string) Scope { return Scope{orgID: orgID} }

// Everything is for services and workers, never for a person's request.
var Everything = Scope{all: true}

func (s Scope) filter(f bson.D) bson.D {
	d := make(bson.D, 0, len(f)+2)
	if !s.all {
		d = append(d, bson.E{Key: "orgs", Value: s.orgID})
	}
	d = append(d, bson.E{Key: "deleted", Value: false})
	return append(d, f...)
}

// Collection reads and changes the documents of one type. Changes follow one shape:
// load, check, change, save if the version is unchanged.
type Collection[T any, P interface {
	*T
	Document
}] struct {
	c     *mongo.Collection
	now   func() time.Time
	watch func(context.Context, P) (after func(), err error)
}

// NewCollection opens a collection. now is the product's clock.
func NewCollection[T any, P interface {
	*T
	Document
}](db *mongo.Database, name string, now func() time.Time) *Collection[T, P] {
	return &Collection[T, P]{c: db.Collection(name), now: now}
}

// Watch lets f see every change of a stored document, deletion included, before it is
// written; its error prevents the change. What f returns runs afterwards, whatever came
// of it. Call it before the first write.
func (c *Collection[T, P]) Watch(f func(context.Context, P) (after func(), err error)) { c.watch = f }

// Index is one index of a collection.
type Index struct {
	Keys    bson.D
	Unique  bool
	Partial bson.D // partial filter expression
	Sparse  bool
	TTL     time.Duration // expires documents that long after the key's time
}

// EnsureIndexes creates the scope index, the outbox index and the given ones.
func (c *Collection[T, P]) EnsureIndexes(ctx context.Context, more ...Index) error {
	all := append([]Index{
		{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "_id", Value: -1}}},
		{Keys: bson.D{{Key: "pending.at", Value: 1}}, Sparse: true},
	}, more...)
	return EnsureIndexes(ctx, c.c, all...)
}

// EnsureIndexes creates indexes on a collection that is not one of documents.
func EnsureIndexes(ctx context.Context, c *mongo.Collection, all ...Index) error {
	models := make([]mongo.IndexModel, len(all))
	for i, x := range all {
		o := options.Index().SetUnique(x.Unique)
		if x.Partial != nil {
			o.SetPartialFilterExpression(x.Partial)
		}
		if x.Sparse {
			o.SetSparse(true)
		}
		if x.TTL > 0 {
			o.SetExpireAfterSeconds(int32(x.TTL / time.Second))
		}
		models[i] = mongo.IndexModel{Keys: x.Keys, Options: o}
	}
	if _, err := c.Indexes().CreateMany(ctx, models); err != nil {
		return fmt.Errorf("indexes of %s: %w", c.Name(), err)
	}
	return nil
}

// Mongo is the driver's collection, for aggregates that Collection has no method for.
// The caller adds the scope himself.
func (c *Collection[T, P]) Mongo() *mongo.Collection { return c.c }

// Get returns one document by id.
func (c *Collection[T, P]) Get(ctx context.Context, s Scope, id string) (*T, error) {
	return c.FindOne(ctx, s, bson.D{{Key: "_id", Value: id}})
}

// FindOne returns the first document that matches.
func (c *Collection[T, P]) FindOne(ctx context.Context, s Scope, filter bson.D) (*T, error) {
	doc := new(T)
	raw, err := c.c.FindOne(ctx, s.filter(filter)).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, ErrNotFound
	}
	if err == nil {
		err = load(raw, doc)
	}
	if err != nil {
		return nil, fmt.Errorf("find in %s: %w", c.c.Name(), err)
	}
	return doc, nil
}

// Loader is a document that wants to know when it was read, as it was.
type Loader interface{ Loaded() }

func load(raw bson.Raw, doc any) error {
	if err := Decode(raw, doc); err != nil {
		return err
	}
	loaded(doc)
	return nil
}

func loaded(doc any) {
	if l, ok := doc.(Loader); ok {
		l.Loaded()
	}
}

// Page is what part of a list to read. The zero Page is everything, newest first.
type Page struct {
	Sort  bson.D // {_id: -1} by default
	Skip  int64
	Limit int64 // 0: no limit
}

func (p Page) order() bson.D {
	if p.Sort == nil {
		return bson.D{{Key: "_id", Value: -1}}
	}
	return p.Sort
}

// Find returns the documents that match, in order.
func (c *Collection[T, P]) Find(ctx context.Context, s Scope, filter bson.D, p Page) ([]*T, error) {
	var list []*T
	err := c.Each(ctx, s, filter, p, func(doc *T) error { list = append(list, doc); return nil })
	return list, err
}

// FindPage is Find with how many documents match in all, whatever the page holds.
func (c *Collection[T, P]) FindPage(ctx context.Context, s Scope, filter bson.D, p Page) (list []*T, total int64, err error) {
	query, err := bson.Marshal(s.filter(filter)) // once for both
	if err != nil {
		return nil, 0, fmt.Errorf("find in %s: %w", c.c.Name(), err)
	}
	if list, err = c.page(ctx, bson.Raw(query), p); err != nil {
		return nil, 0, err
	}
	// A page that is not full is the last one: it knows the total.
	if n := int64(len(list)); p.Limit == 0 || n < p.Limit && (n > 0 || p.Skip == 0) {
		return list, p.Skip + n, nil
	}
	total, err = c.count(ctx, bson.Raw(query))
	return list, total, err
}

// page reads a page in one answer, whose memory its documents share.
func (c *Collection[T, P]) page(ctx context.Context, query bson.Raw, p Page) ([]*T, error) {
	answer, err := c.ask(ctx, bson.D{
		{Key: "find", Value: c.c.Name()}, {Key: "filter", Value: query}, {Key: "sort", Value: p.order()},
		{Key: "skip", Value: p.Skip}, {Key: "limit", Value: p.Limit}, {Key: "batchSize", Value: p.Limit}, {Key: "singleBatch", Value: true},
	})
	if err != nil {
		return nil, fmt.Errorf("find in %s: %w", c.c.Name(), err)
	}
	batch, ok := answer.Lookup("cursor", "firstBatch").ArrayOK()
	if !ok {
		return nil, fmt.Errorf("find in %s: answer %s", c.c.Name(), answer)
	}
	list, err := DecodeList[T](batch)
	if err != nil {
		return nil, fmt.Errorf("decode from %s: %w", c.c.Name(), err)
	}
	return list, nil
}

// ask sends a command that reads. Like the driver's own reads it is sent once more when the
// connection fails, as it does when another server becomes the primary.
func (c *Collection[T, P]) ask(ctx context.Context, command bson.D) (bson.Raw, error) {
	answer, err := c.c.Database().RunCommand(ctx, command).Raw()
	if mongo.IsNetworkError(err) {
		answer, err = c.c.Database().RunCommand(ctx, command).Raw()
	}
	return answer, err
}

// Each hands on the documents that match one by one, in bounded memory.
func (c *Collection[T, P]) Each(ctx context.Context, s Scope, filter bson.D, p Page, f func(*T) error) error {
	return c.each(ctx, s.filter(filter), p, f)
}

func (c *Collection[T, P]) each(ctx context.Context, query any, p Page, f func(*T) error) error {
	cur, err := c.c.Find(ctx, query, options.Find().SetSort(p.order()).SetSkip(p.Skip).SetLimit(p.Limit))
	if err != nil {
		return fmt.Errorf("find in %s: %w", c.c.Name(), err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	var room []T // for a page at once: it is kept or dropped as a whole
	for cur.Next(ctx) {
		if len(room) == 0 {
			room = make([]T, max(1, min(p.Limit, 20)))
		}
		doc := &room[0]
		room = room[1:]
		if err := load(cur.Current, doc); err != nil {
			return fmt.Errorf("decode from %s: %w", c.c.Name(), err)
		}
		if err := f(doc); err != nil {
			return err
		}
	}
	return cur.Err()
}

// Count counts the documents that match. The count command costs half of the pipeline
// that the driver's CountDocuments sends; it differs on sharded collections only.
func (c *Collection[T, P]) Count(ctx context.Context, s Scope, filter bson.D) (int64, error) {
	return c.count(ctx, s.filter(filter))
}

func (c *Collection[T, P]) count(ctx context.Context, query any) (int64, error) {
	r, err := c.ask(ctx, bson.D{{Key: "count", Value: c.c.Name()}, {Key: "query", Value: query}})
	if err != nil {
		return 0, fmt.Errorf("count in %s: %w", c.c.Name(), err)
	}
	n, ok := r.Lookup("n").AsInt64OK()
	if !ok {
		return 0, fmt.Errorf("count in %s: answer %s", c.c.Name(), r)
	}
	return n, nil
}

func (c *Collection[T, P]) stamp(doc P) {
	h, now := doc.Header(), c.now()
	h.Version = 1
	if h.CreatedAt.IsZero() {
		h.CreatedAt = now
	}
	h.UpdatedAt = now
}

// Insert stores a new document; ErrDuplicate when its id or a unique key is taken.
func (c *Collection[T, P]) Insert(ctx context.Context, doc P) error {
	c.stamp(doc)
	if _, err := c.c.InsertOne(ctx, doc); err != nil {
		return writeError(c.c, err)
	}
	return nil
}

// InsertMany stores many new documents in one round trip; all that can be stored are.
// The answer holds, by position, the error of each that was not.
func (c *Collection[T, P]) InsertMany(ctx context.Context, docs []P) (map[int]error, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	for _, d := range docs {
		c.stamp(d)
	}
	_, err := c.c.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	return failures(err, ErrDuplicate)
}

// failures tells, by position, which parts of a bulk write failed; taken is what a taken
// key means.
func failures(err, taken error) (map[int]error, error) {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return nil, err
	}
	failed := make(map[int]error, len(bulk.WriteErrors))
	for _, e := range bulk.WriteErrors {
		if e.Code == 11000 {
			failed[e.Index] = taken
		} else {
			failed[e.Index] = e
		}
	}
	return failed, nil
}

// SaveMany stores documents in one round trip, each if nobody changed it since it was
// read, or created it since it was found missing (Version 0). The answer holds, by
// position, ErrStale or the error of each that was not stored; read it again before
// another try. Not for collections with unique keys besides _id, whose violation looks
// the same.
func (c *Collection[T, P]) SaveMany(ctx context.Context, docs []P) (map[int]error, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	writes := make([]mongo.WriteModel, len(docs))
	for i, d := range docs {
		h := d.Header()
		was := h.Version
		if was == 0 {
			c.stamp(d)
		} else {
			h.Version, h.UpdatedAt = was+1, c.now()
		}
		// What is there in another version does not match, and its _id is taken.
		writes[i] = mongo.NewReplaceOneModel().SetFilter(bson.D{{Key: "_id", Value: h.ID}, {Key: "version", Value: was}}).
			SetReplacement(d).SetUpsert(true)
	}
	_, err := c.c.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	return failures(err, ErrStale)
}

// updateTries bounds how often Update starts again after losing a race.
const updateTries = 20

// Update loads a document, lets change check and alter it, and saves it if nobody else
// did in between; otherwise it starts again. An error of change leaves it as it was.
// Changes of Header().Pending are saved in the same write.
func (c *Collection[T, P]) Update(ctx context.Context, s Scope, id string, change func(*T) error) (*T, error) {
	for range updateTries {
		doc, err := c.Get(ctx, s, id)
		if err != nil {
			return nil, err
		}
		if err := change(doc); err != nil {
			return nil, err
		}
		err = c.Replace(ctx, doc)
		if errors.Is(err, ErrStale) {
			continue
		}
		return doc, err
	}
	return nil, ErrStale
}

// Replace saves a document that was read before; ErrStale when it changed since.
func (c *Collection[T, P]) Replace(ctx context.Context, doc P) error {
	if c.watch != nil {
		after, err := c.watch(ctx, doc)
		if err != nil {
			return err
		}
		defer after()
	}
	h := doc.Header()
	was, at := h.Version, h.UpdatedAt
	h.Version, h.UpdatedAt = was+1, c.now()
	r, err := c.c.ReplaceOne(ctx, bson.D{{Key: "_id", Value: h.ID}, {Key: "version", Value: was}}, doc)
	if err == nil && r.MatchedCount == 1 {
		return nil
	}
	h.Version, h.UpdatedAt = was, at
	if err != nil {
		return writeError(c.c, err)
	}
	return ErrStale
}

// SoftDelete takes a document out of every list; its history stays.
func (c *Collection[T, P]) SoftDelete(ctx context.Context, s Scope, id, by string, check func(*T) error) error {
	_, err := c.Update(ctx, s, id, func(doc *T) error {
		if check != nil {
			if err := check(doc); err != nil {
				return err
			}
		}
		h, now := P(doc).Header(), c.now()
		h.Deleted, h.DeletedAt, h.DeletedBy = true, &now, by
		return nil
	})
	return err
}

func writeError(c *mongo.Collection, err error) error {
	if mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("%w: %v", ErrDuplicate, err)
	}
	return fmt.Errorf("write to %s: %w", c.Name(), err)
}
