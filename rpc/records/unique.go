package records

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// duplicate says which unique key refused a document.
func (t *recordType) duplicate(ctx context.Context, doc model.Document, cause error) error {
	var e *kit.Error
	if errors.As(cause, &e) || !errors.Is(cause, model.ErrDuplicate) {
		return cause
	}
	taken, err := t.taken(ctx, []model.Document{doc})
	if err != nil {
		return err
	}
	if u := taken[0]; u != nil {
		if u.Field == "" {
			return kit.Conflict("duplicate", "%s", u.Message)
		}
		return kit.InvalidFields(map[string]string{u.Field: u.Message})
	}
	return kit.Conflict("duplicate", "数据已存在").Because(cause)
}

// taken finds, for documents that could not be stored, the unique key that another
// document holds; one query a key, whatever the number of documents.
func (t *recordType) taken(ctx context.Context, docs []model.Document) (map[int]*Unique, error) {
	out := map[int]*Unique{}
	raw := make([]bson.Raw, len(docs))
	for i, d := range docs {
		b, err := bson.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		raw[i] = b
	}
	for n := range t.Unique {
		u := &t.Unique[n]
		last := u.Keys[len(u.Keys)-1]
		var in bson.A
		for _, r := range raw {
			if v, err := r.LookupErr(last); err == nil {
				in = append(in, v)
			}
		}
		if len(in) == 0 {
			continue
		}
		filter := append(bson.D{{Key: last, Value: bson.D{{Key: "$in", Value: in}}}}, u.Partial...)
		show := bson.D{}
		for _, k := range u.Keys {
			show = append(show, bson.E{Key: k, Value: 1})
		}
		cur, err := t.Collection.Mongo().Find(ctx, filter, options.Find().SetProjection(show))
		if err != nil {
			return nil, fmt.Errorf("find duplicates: %w", err)
		}
		holders := map[string]string{} // values → id
		for cur.Next(ctx) {
			id, _ := cur.Current.Lookup("_id").StringValueOK()
			holders[keyOf(cur.Current, u.Keys)] = id
		}
		if err := errors.Join(cur.Err(), cur.Close(ctx)); err != nil {
			return nil, fmt.Errorf("find duplicates: %w", err)
		}
		for i, r := range raw {
			if id, ok := holders[keyOf(r, u.Keys)]; ok && out[i] == nil && id != docs[i].Header().ID {
				out[i] = u
			}
		}
	}
	return out, nil
}

func keyOf(r bson.Raw, keys []string) string {
	var b strings.Builder
	for _, k := range keys {
		v := r.Lookup(k)
		b.WriteByte(byte(v.Type))
		b.Write(v.Value)
		b.WriteByte(0)
	}
	return b.String()
}
