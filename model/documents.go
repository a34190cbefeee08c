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

// documents reads and changes the documents of one collection, whatever their type. It is
// compiled once; Collection puts the type of one kind of document around it.
type documents struct {
	c     *mongo.Collection
	list  reflect.Type // a slice of the documents' struct
	now   func() time.Time
	watch func(context.Context, Document) (after func(), err error)
}

// one makes an empty document.
func (c *documents) one() Document { return reflect.New(c.list.Elem()).Interface().(Document) }

// pointers are the documents of a slice of structs, which is kept or dropped as a whole.
func pointers(list reflect.Value) []Document {
	out := make([]Document, list.Len())
	for i := range out {
		out[i] = list.Index(i).Addr().Interface().(Document)
	}
	return out
}

// EnsureIndexes creates the scope index, the outbox index and the given ones.
func (c *documents) EnsureIndexes(ctx context.Context, more ...Index) error {
	all := append([]Index{
		{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "_id", Value: -1}}},
		{Keys: bson.D{{Key: "pending.at", Value: 1}}, Sparse: true},
	}, more...)
	return EnsureIndexes(ctx, c.c, all...)
}

// Mongo is the driver's collection, for aggregates that Collection has no method for.
// The caller adds the scope himself.
func (c *documents) Mongo() *mongo.Collection { return c.c }

func (c *documents) findOne(ctx context.Context, s Scope, filter bson.D) (Document, error) {
	doc := c.one()
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

func (c *documents) findPage(ctx context.Context, s Scope, filter bson.D, p Page) (list []Document, total int64, err error) {
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
func (c *documents) page(ctx context.Context, query bson.Raw, p Page) ([]Document, error) {
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
	list := reflect.New(c.list)
	if err := DecodeList(batch, list.Interface()); err != nil {
		return nil, fmt.Errorf("decode from %s: %w", c.c.Name(), err)
	}
	return pointers(list.Elem()), nil
}

// ask sends a command that reads. Like the driver's own reads it is sent once more when the
// connection fails, as it does when another server becomes the primary.
func (c *documents) ask(ctx context.Context, command bson.D) (bson.Raw, error) {
	answer, err := c.c.Database().RunCommand(ctx, command).Raw()
	if mongo.IsNetworkError(err) {
		answer, err = c.c.Database().RunCommand(ctx, command).Raw()
	}
	return answer, err
}

func (c *documents) each(ctx context.Context, s Scope, filter bson.D, p Page, f func(Document) error) error {
	cur, err := c.c.Find(ctx, s.filter(filter), options.Find().SetSort(p.order()).SetSkip(p.Skip).SetLimit(p.Limit))
	if err != nil {
		return fmt.Errorf("find in %s: %w", c.c.Name(), err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	var room []Document // for a page at once
	for cur.Next(ctx) {
		if len(room) == 0 {
			n := int(max(1, min(p.Limit, 20)))
			room = pointers(reflect.MakeSlice(c.list, n, n))
		}
		doc := room[0]
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
func (c *documents) Count(ctx context.Context, s Scope, filter bson.D) (int64, error) {
	return c.count(ctx, s.filter(filter))
}

func (c *documents) count(ctx context.Context, query any) (int64, error) {
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

func (c *documents) stamp(doc Document) {
	h, now := doc.Header(), c.now()
	h.Version = 1
	if h.CreatedAt.IsZero() {
		h.CreatedAt = now
	}
	h.UpdatedAt = now
}

func (c *documents) insert(ctx context.Context, doc Document) error {
	c.stamp(doc)
	if _, err := c.c.InsertOne(ctx, doc); err != nil {
		return writeError(c.c, err)
	}
	return nil
}

func (c *documents) insertMany(ctx context.Context, docs []Document) (map[int]error, error) {
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

func (c *documents) saveMany(ctx context.Context, docs []Document) (map[int]error, error) {
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

func (c *documents) update(ctx context.Context, s Scope, id string, change func(Document) error) (Document, error) {
	for range updateTries {
		doc, err := c.findOne(ctx, s, bson.D{{Key: "_id", Value: id}})
		if err != nil {
			return nil, err
		}
		if err := change(doc); errors.Is(err, ErrUnchanged) {
			return doc, nil
		} else if err != nil {
			return nil, err
		}
		err = c.replace(ctx, doc)
		if errors.Is(err, ErrStale) {
			continue
		}
		return doc, err
	}
	return nil, ErrStale
}

func (c *documents) replace(ctx context.Context, doc Document) error {
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

func (c *documents) softDelete(ctx context.Context, s Scope, id, by string, check func(Document) error) error {
	_, err := c.update(ctx, s, id, func(doc Document) error {
		if err := check(doc); err != nil {
			return err
		}
		h, now := doc.Header(), c.now()
		h.Deleted, h.DeletedAt, h.DeletedBy = true, &now, by
		return nil
	})
	return err
}

func writeError(c *mongo.Collection, err error) error {
	if mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("%w: %w", ErrDuplicate, err)
	}
	return fmt.Errorf("write to %s: %w", c.Name(), err)
}
