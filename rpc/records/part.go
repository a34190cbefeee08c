package records

import (
	"context"
	"errors"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Part is something that several record types have in common, declared once: that a record
// is about a member, that it has a beginning and an end, that somebody decides on it. A type
// lists its parts; they run in that order, and the type's own hooks last. Any hook may be
// nil. What a part wants of the document is looked at when the service starts.
type Part struct {
	// Name is what a refused start calls it.
	Name string
	// Fits tells whether a document is of a kind that the part can serve; nil: any is.
	Fits func(model.Document) bool

	Fields  []Field
	Indexes []model.Index

	// The hooks are those of Type.
	Where        func(ctx context.Context, filters map[string]string) bson.D
	BeforeSave   func(ctx context.Context, old, doc model.Document) error
	BeforeDelete func(ctx context.Context, doc model.Document) error
	Viewed       func(ctx context.Context, doc model.Document) error
	Present      func(ctx context.Context, docs []model.Document, rows []Row) error
	Reveal       func(ctx context.Context, doc model.Document, row Row) error

	// bind hands the part the type that has it.
	bind func(*recordType) error
}

// compose makes the hooks of a type out of those of its parts and its own.
func (t *recordType) compose() {
	fields, indexes := []Field{}, []model.Index{}
	for _, p := range t.Parts {
		fields, indexes = append(fields, p.Fields...), append(indexes, p.Indexes...)
	}
	t.Fields, t.Indexes = append(fields, t.Fields...), append(indexes, t.Indexes...)
	hooks := func(of func(Part) bool) []Part {
		return slices.DeleteFunc(slices.Clone(t.Parts), func(p Part) bool { return !of(p) })
	}
	if ps, own := hooks(func(p Part) bool { return p.Where != nil }), t.Where; len(ps) > 0 {
		t.Where = func(ctx context.Context, filters map[string]string) bson.D {
			var out bson.D
			for _, p := range ps {
				out = append(out, p.Where(ctx, filters)...)
			}
			if own != nil {
				out = append(out, own(ctx, filters)...)
			}
			return out
		}
	}
	if ps, own := hooks(func(p Part) bool { return p.BeforeSave != nil }), t.BeforeSave; len(ps) > 0 {
		t.BeforeSave = func(ctx context.Context, old, doc model.Document) error {
			var wrong fieldErrors
			for _, p := range ps {
				if err := wrong.hear(p.BeforeSave(ctx, old, doc)); err != nil {
					return err
				}
			}
			if own != nil {
				if err := wrong.hear(own(ctx, old, doc)); err != nil {
					return err
				}
			}
			return wrong.err()
		}
	}
	alone := func(hook func(Part) func(context.Context, model.Document) error, own *func(context.Context, model.Document) error) {
		ps := hooks(func(p Part) bool { return hook(p) != nil })
		if len(ps) == 0 {
			return
		}
		last := *own
		*own = func(ctx context.Context, doc model.Document) error {
			for _, p := range ps {
				if err := hook(p)(ctx, doc); err != nil {
					return err
				}
			}
			if last == nil {
				return nil
			}
			return last(ctx, doc)
		}
	}
	alone(func(p Part) func(context.Context, model.Document) error { return p.BeforeDelete }, &t.BeforeDelete)
	alone(func(p Part) func(context.Context, model.Document) error { return p.Viewed }, &t.Viewed)
	if ps, own := hooks(func(p Part) bool { return p.Present != nil }), t.Present; len(ps) > 0 {
		t.Present = func(ctx context.Context, docs []model.Document, rows []Row) error {
			for _, p := range ps {
				if err := p.Present(ctx, docs, rows); err != nil {
					return err
				}
			}
			if own == nil {
				return nil
			}
			return own(ctx, docs, rows)
		}
	}
	if ps, own := hooks(func(p Part) bool { return p.Reveal != nil }), t.Reveal; len(ps) > 0 {
		t.Reveal = func(ctx context.Context, doc model.Document, row Row) error {
			for _, p := range ps {
				if err := p.Reveal(ctx, doc, row); err != nil {
					return err
				}
			}
			if own == nil {
				return nil
			}
			return own(ctx, doc, row)
		}
	}
}

// fieldErrors gathers what several rules say of the fields of a form, so that all of it is
// told at once.
type fieldErrors map[string]string

// hear takes what a rule says; any other error than of fields it hands back.
func (c *fieldErrors) hear(err error) error {
	var e *kit.Error
	if err == nil || !errors.As(err, &e) || len(e.Fields) == 0 {
		return err
	}
	if *c == nil {
		*c = fieldErrors{}
	}
	maps.Copy(*c, e.Fields)
	return nil
}

func (c fieldErrors) err() error {
	if len(c) == 0 {
		return nil
	}
	return kit.InvalidFields(c)
}
