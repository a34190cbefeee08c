package model

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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
	// ErrUnchanged is what the change of an Update answers when there is nothing to save.
	ErrUnchanged = errors.New("model: unchanged")
	// ErrDuplicate: a unique key, or the _id, is taken.
	ErrDuplicate = errors.New("model: duplicate key")
)

// Scope bounds every read and change to one organisation's subtree. It is a required
// argument, so that nobody can forget it.
type Scope struct {
	orgID, also string
	all         bool
}

// Within is the subtree of an organisation.
func Within(orgID string) Scope { return Scope{orgID: orgID} }

// Or adds the documents of one organisation more, not those of its subtree; "" adds none.
func (s Scope) Or(orgID string) Scope { s.also = orgID; return s }

// Everything is for services and workers, never for a person's request.
var Everything = Scope{all: true}

func (s Scope) filter(f bson.D) bson.D {
	d := make(bson.D, 0, len(f)+2)
	switch {
	case s.all:
	case s.also != "": // within $and: the filter may have an $or of its own
		d = append(d, bson.E{Key: "$and", Value: bson.A{bson.D{{Key: "$or", Value: bson.A{bson.D{{Key: "orgs", Value: s.orgID}}, bson.D{{Key: "orgId", Value: s.also}}}}}}})
	default:
		d = append(d, bson.E{Key: "orgs", Value: s.orgID})
	}
	d = append(d, bson.E{Key: "deleted", Value: false})
	return append(d, f...)
}

// Collection reads and changes the documents of one type, D being the pointer to its struct,
// e.g. *Member. Changes follow one shape: load, check, change, save if the version is
// unchanged.
type Collection[D Document] struct{ *documents }

// NewCollection opens a collection. now is the product's clock.
func NewCollection[D Document](db *mongo.Database, name string, now func() time.Time) *Collection[D] {
	return &Collection[D]{&documents{c: db.Collection(name), list: reflect.SliceOf(reflect.TypeFor[D]().Elem()), now: now}}
}

// Untyped is the same collection for those who know its documents by their Header only.
func (c *Collection[D]) Untyped() *Collection[Document] { return &Collection[Document]{c.documents} }

// Watch lets f see every change of a stored document, deletion included, before it is
// written; its error prevents the change. What f returns runs afterwards, whatever came
// of it. Call it before the first write.
func (c *Collection[D]) Watch(f func(context.Context, D) (after func(), err error)) {
	c.watch = func(ctx context.Context, doc Document) (func(), error) { return f(ctx, doc.(D)) }
}

// New is an empty document of the collection's type, not stored yet.
func (c *Collection[D]) New() D { return c.one().(D) }

// Get returns one document by id.
func (c *Collection[D]) Get(ctx context.Context, s Scope, id string) (D, error) {
	return c.FindOne(ctx, s, bson.D{{Key: "_id", Value: id}})
}

// FindOne returns the first document that matches.
func (c *Collection[D]) FindOne(ctx context.Context, s Scope, filter bson.D) (D, error) {
	return typed[D](c.findOne(ctx, s, filter))
}

// Find returns the documents that match, in order.
func (c *Collection[D]) Find(ctx context.Context, s Scope, filter bson.D, p Page) (list []D, err error) {
	err = c.Each(ctx, s, filter, p, func(doc D) error { list = append(list, doc); return nil })
	return list, err
}

// FindPage is Find with how many documents match in all, whatever the page holds.
func (c *Collection[D]) FindPage(ctx context.Context, s Scope, filter bson.D, p Page) (list []D, total int64, err error) {
	docs, total, err := c.findPage(ctx, s, filter, p)
	if err != nil {
		return nil, 0, err
	}
	list = make([]D, len(docs))
	for i, doc := range docs {
		list[i] = doc.(D)
	}
	return list, total, nil
}

// Each hands on the documents that match one by one, in bounded memory.
func (c *Collection[D]) Each(ctx context.Context, s Scope, filter bson.D, p Page, f func(D) error) error {
	return c.each(ctx, s, filter, p, func(doc Document) error { return f(doc.(D)) })
}

// Insert stores a new document; ErrDuplicate when its id or a unique key is taken.
func (c *Collection[D]) Insert(ctx context.Context, doc D) error { return c.insert(ctx, doc) }

// InsertMany stores many new documents in one round trip; all that can be stored are.
// The answer holds, by position, the error of each that was not.
func (c *Collection[D]) InsertMany(ctx context.Context, docs []D) (map[int]error, error) {
	return c.insertMany(ctx, untyped(docs))
}

// Seeded is what InsertMany answered, read by one who stores what may be there already.
func Seeded(failed map[int]error, err error) error {
	for _, e := range failed {
		if !errors.Is(e, ErrDuplicate) {
			return e
		}
	}
	return err
}

// SaveMany stores documents in one round trip, each if nobody changed it since it was
// read, or created it since it was found missing (Version 0). The answer holds, by
// position, ErrStale or the error of each that was not stored; read it again before
// another try. Not for collections with unique keys besides _id, whose violation looks
// the same.
func (c *Collection[D]) SaveMany(ctx context.Context, docs []D) (map[int]error, error) {
	return c.saveMany(ctx, untyped(docs))
}

// Update loads a document, lets change check and alter it, and saves it if nobody else
// did in between; otherwise it starts again. An error of change leaves it as it was;
// ErrUnchanged does too, and is none to the caller.
// Changes of Header().Pending are saved in the same write.
func (c *Collection[D]) Update(ctx context.Context, s Scope, id string, change func(D) error) (D, error) {
	return typed[D](c.update(ctx, s, id, func(doc Document) error { return change(doc.(D)) }))
}

// Replace saves a document that was read before; ErrStale when it changed since.
func (c *Collection[D]) Replace(ctx context.Context, doc D) error { return c.replace(ctx, doc) }

// SoftDelete takes a document out of every list; its history stays. check may refuse it.
func (c *Collection[D]) SoftDelete(ctx context.Context, s Scope, id, by string, check func(D) error) error {
	return c.softDelete(ctx, s, id, by, func(doc Document) error {
		if check == nil {
			return nil
		}
		return check(doc.(D))
	})
}

func typed[D Document](doc Document, err error) (D, error) {
	d, _ := doc.(D) // nil of nothing
	return d, err
}

func untyped[D Document](docs []D) []Document {
	out := make([]Document, len(docs))
	for i, doc := range docs {
		out[i] = doc
	}
	return out
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

// Index is one index of a collection.
type Index struct {
	Keys    bson.D
	Unique  bool
	Partial bson.D // partial filter expression
	Sparse  bool
	TTL     time.Duration // expires documents that long after the key's time
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
