package records

import (
	"context"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
)

// maybe is a document, or with nil none.
func maybe[D model.Document](doc model.Document) D {
	d, _ := doc.(D)
	return d
}

func typed[D model.Document](docs []model.Document) []D {
	out := make([]D, len(docs))
	for i, doc := range docs {
		out[i] = doc.(D)
	}
	return out
}

// about, alone, with, running, printing and change put hooks of one kind of document into the form that takes any.
func about[D model.Document, A any](f func(D) A) func(model.Document) A {
	if f == nil {
		return nil
	}
	return func(doc model.Document) A { return f(doc.(D)) }
}

func alone[D model.Document](f func(context.Context, D) error) func(context.Context, model.Document) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, doc model.Document) error { return f(ctx, doc.(D)) }
}

func with[D model.Document](f func(context.Context, D, Input) error) func(context.Context, model.Document, Input) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, doc model.Document, in Input) error { return f(ctx, doc.(D), in) }
}

func running[D model.Document](f func(context.Context, D, Input) (D, error)) func(context.Context, model.Document, Input) (model.Document, error) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, doc model.Document, in Input) (model.Document, error) {
		return f(ctx, doc.(D), in)
	}
}

func printing[D model.Document](f func(context.Context, D) (*gen.File, error)) func(context.Context, model.Document) (*gen.File, error) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, doc model.Document) (*gen.File, error) { return f(ctx, doc.(D)) }
}

func change[D model.Document](f func(ctx context.Context, old, doc D) error) func(ctx context.Context, old, doc model.Document) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, old, doc model.Document) error { return f(ctx, maybe[D](old), doc.(D)) }
}
