package records

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records/field"
)

// bind reads the tags.
func (t *recordType) bind(e *Engine) error {
	t.engine = e
	fields, err := field.Of(t.document(), t.Fields, t.Only)
	if err != nil {
		return fmt.Errorf("record type %s: %w", t.Name, err)
	}
	t.fields, t.byKey = fields, make(map[string]*Field, len(fields))
	for _, f := range fields {
		f.Owner = t.Name
		t.byKey[f.Key] = f
	}
	if t.Approval != nil {
		t.approvals()
	}
	t.live()
	for _, p := range t.Parts {
		if p.Fits != nil && !p.Fits(t.Collection.New()) {
			return fmt.Errorf("record type %s: its documents cannot have the part %s", t.Name, p.Name)
		}
		if p.bind != nil {
			if err := p.bind(t); err != nil {
				return fmt.Errorf("record type %s: part %s: %w", t.Name, p.Name, err)
			}
		}
	}
	if err := t.checkFiles(); err != nil {
		return fmt.Errorf("record type %s: %w", t.Name, err)
	}
	return nil
}

// ready ensures the indexes of a type that was checked.
func (t *recordType) ready(ctx context.Context) error {
	indexes := t.Indexes
	if t.Follow != nil || t.Approval != nil {
		indexes = append(indexes, model.Index{Keys: bson.D{{Key: "followDue", Value: 1}}, Sparse: true})
	}
	for i, u := range t.Unique {
		keys := bson.D{}
		for _, k := range u.Keys {
			keys = append(keys, bson.E{Key: k, Value: 1})
		}
		if u.Partial == nil {
			t.Unique[i].Partial = bson.D{{Key: "deleted", Value: false}}
		}
		indexes = append(indexes, model.Index{Keys: keys, Unique: true, Partial: t.Unique[i].Partial})
	}
	if !t.SharedIndexes {
		if err := t.Collection.EnsureIndexes(ctx, indexes...); err != nil {
			return err
		}
	}
	if t.Ready != nil {
		return t.Ready(ctx)
	}
	return nil
}
