package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/field"
)

// mostOptions bounds the drop-down of a template.
const mostOptions = 500

// ref answers for fields of the engine's types that refer to this one. Names of deleted
// records stay readable; only live ones within the caller's scope can be chosen.
func (t *recordType) ref() Ref {
	if t.NameKey == "" {
		return Ref{}
	}
	scope := func(ctx context.Context) (model.Scope, error) {
		if t.Global || kit.CallerOf(ctx).Kind == kit.Member {
			return model.Everything, nil
		}
		s, _, err := t.engine.scope(ctx, "")
		return s, err
	}
	return Ref{
		Labels: func(ctx context.Context, ids []string) (map[string]string, error) {
			cur, err := t.Collection.Mongo().Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
			if err != nil {
				return nil, fmt.Errorf("names of %s: %w", t.Name, err)
			}
			defer cur.Close(context.WithoutCancel(ctx))
			out := make(map[string]string, len(ids))
			for cur.Next(ctx) {
				d := t.Collection.New()
				if err := cur.Decode(d); err != nil {
					return nil, fmt.Errorf("names of %s: %w", t.Name, err)
				}
				out[d.Header().ID] = t.nameOf(d)
			}
			return out, cur.Err()
		},
		Check: func(ctx context.Context, ids []string) error {
			s, err := scope(ctx)
			if err != nil {
				return err
			}
			n, err := t.Collection.Count(ctx, s, append(bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, t.choice(ctx)...))
			if err != nil {
				return err
			}
			distinct := slices.Compact(slices.Sorted(slices.Values(ids)))
			if n != int64(len(distinct)) {
				return kit.ErrNotFound
			}
			return nil
		},
		Find: func(ctx context.Context, text string) (string, error) {
			s, err := scope(ctx)
			if err != nil {
				return "", err
			}
			docs, err := t.Collection.Find(ctx, s, append(bson.D{{Key: t.NameKey, Value: text}}, t.choice(ctx)...), model.Page{Limit: 2})
			switch {
			case err != nil:
				return "", err
			case len(docs) == 0:
				return "", kit.Invalid("ref.unknown", "%s“%s”不存在或不在管理范围内", t.Title, field.Clip(text))
			case len(docs) > 1:
				return "", kit.Invalid("ref.ambiguous", "有多个名为“%s”的%s", field.Clip(text), t.Title)
			}
			return docs[0].Header().ID, nil
		},
		Options: func(ctx context.Context) ([]string, error) {
			s, err := scope(ctx)
			if err != nil {
				return nil, err
			}
			docs, err := t.Collection.Find(ctx, s, t.choice(ctx), model.Page{Limit: mostOptions})
			if err != nil {
				return nil, err
			}
			out := make([]string, len(docs))
			for i, d := range docs {
				out[i] = t.nameOf(d)
			}
			return out, nil
		},
	}
}

// choosable refuses a value that names records which the caller may not use, in a form or in
// an action's dialog.
func (e *Engine) choosable(ctx context.Context, f *Field, value any) error {
	ids := idsOf(value)
	if f.Ref == "" || len(ids) == 0 || e.ref(f).Check == nil {
		return nil
	}
	err := e.ref(f).Check(ctx, ids)
	if errors.Is(err, kit.ErrNotFound) {
		return field.Refuse("%s不存在或不在管理范围内", f.Label)
	}
	return err
}

// choice is what the type's lists show, for those who choose from it.
func (t *recordType) choice(ctx context.Context) bson.D {
	if t.Where == nil {
		return nil
	}
	return t.Where(ctx, nil)
}

// uses tells whether a live document of this type refers to a record of a type of the
// same engine. What Config.Refs answers for is guarded by its own service.
func (t *recordType) uses(ctx context.Context, typ, id string) (bool, error) {
	if _, elsewhere := t.engine.refs[typ]; elsewhere {
		return false, nil
	}
	for _, f := range t.fields {
		if f.Ref != typ || f.Stored == "" || f.Part {
			continue
		}
		n, err := t.Collection.Count(ctx, model.Everything, bson.D{{Key: f.Stored, Value: id}})
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// rehome gives the documents of the type their new path, in its own way if it has one.
func (t *recordType) rehome(ctx context.Context, orgID string, path []string) error {
	if t.Rehome != nil {
		return t.Rehome(ctx, orgID, path)
	}
	return Rehome(ctx, t.Collection.Mongo(), orgID, path)
}

// rehomeChunk is how many documents one write of Rehome moves.
const rehomeChunk = 500

// Rehome gives the documents of an organisation, and of those below it, their new path,
// deleted ones too. The version moves, so that nobody saves the old path over it. Done
// again, or after a crash half-way, it moves only what is not moved yet.
func Rehome(ctx context.Context, c *mongo.Collection, orgID string, path []string) error {
	fail := func(err error) error { return fmt.Errorf("rehome %s: %w", c.Name(), err) }
	cur, err := c.Find(ctx, bson.D{{Key: "orgs", Value: orgID}}, options.Find().SetProjection(bson.D{{Key: "orgs", Value: 1}, {Key: "orgId", Value: 1}}))
	if err != nil {
		return fail(err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	type batch struct {
		was, now []string
		ids      bson.A
	}
	batches := map[string]*batch{}
	move := func(b *batch) error {
		_, err := c.UpdateMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: b.ids}}}, {Key: "orgs", Value: b.was}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "orgs", Value: b.now}}}, {Key: "$inc", Value: bson.D{{Key: "version", Value: 1}}}})
		b.ids = nil
		return err
	}
	for cur.Next(ctx) {
		var d struct {
			ID    string   `bson:"_id"`
			OrgID string   `bson:"orgId"`
			Orgs  []string `bson:"orgs"`
		}
		if err := cur.Decode(&d); err != nil {
			return fail(err)
		}
		at := slices.Index(d.Orgs, orgID)
		if at == len(path)-1 && slices.Equal(d.Orgs[:at+1], path) {
			continue
		}
		if own := slices.Index(d.Orgs, d.OrgID); own >= 0 && own < at {
			continue // it reads the document, which lies elsewhere (Placed)
		}
		key := strings.Join(d.Orgs, "/")
		b := batches[key]
		if b == nil {
			b = &batch{was: d.Orgs, now: append(slices.Clone(path), d.Orgs[at+1:]...)}
			batches[key] = b
		}
		if b.ids = append(b.ids, d.ID); len(b.ids) >= rehomeChunk {
			if err := move(b); err != nil {
				return fail(err)
			}
		}
	}
	if err := cur.Err(); err != nil {
		return fail(err)
	}
	for _, b := range batches {
		if len(b.ids) == 0 {
			continue
		}
		if err := move(b); err != nil {
			return fail(err)
		}
	}
	return nil
}

// deleteParts deletes what is part of a record that is deleted.
func (t *recordType) deleteParts(ctx context.Context, typ, id, by string) error {
	for _, f := range t.fields {
		if f.Ref != typ || !f.Part {
			continue
		}
		parts, err := t.Collection.Find(ctx, model.Everything, bson.D{{Key: f.Stored, Value: id}}, model.Page{})
		if err != nil {
			return err
		}
		for _, p := range parts {
			err := t.Collection.SoftDelete(ctx, model.Everything, p.Header().ID, by, func(doc model.Document) error {
				t.audit(ctx, write{action: model.AuditDelete, title: "删除"}, nil, doc)
				return nil
			})
			if err != nil && !errors.Is(err, model.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}
