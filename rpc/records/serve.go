package records

import (
	"context"
	"errors"

	gen "zhihuidangjian/idl/gen/records"
)

// Schema tells the console a type's fields, and what this caller may do.
func (e *Engine) Schema(ctx context.Context, req *gen.TypeReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.schema(ctx))
}

// List is one page of the records within the caller's scope.
func (e *Engine) List(ctx context.Context, req *gen.ListReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.list(ctx, query{req}))
}

// Get is one record within the caller's scope.
func (e *Engine) Get(ctx context.Context, req *gen.IDReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.get(ctx, req.Id))
}

// Save creates a record, or changes the one that was read at a version.
func (e *Engine) Save(ctx context.Context, req *gen.SaveReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.save(ctx, req.Id, req.Version, req.Json))
}

// Delete removes all the records or, when one refuses, none.
func (e *Engine) Delete(ctx context.Context, req *gen.IDsReq) (*gen.Empty, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	ids, err := ticked(req.Ids, "删除")
	if err != nil {
		return nil, err
	}
	if err := t.delete(ctx, ids); err != nil {
		return nil, Mapped(err)
	}
	return &gen.Empty{}, nil
}

// Act runs an action on one record within the caller's scope.
func (e *Engine) Act(ctx context.Context, req *gen.ActReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.act(ctx, req.Id, req.Action, req.Json))
}

// Print makes the paper of one record within the caller's scope.
func (e *Engine) Print(ctx context.Context, req *gen.ActReq) (*gen.File, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	f, err := t.print(ctx, req.Id, req.Action)
	return f, Mapped(err)
}

// ActMany runs an action on several records within the caller's scope.
func (e *Engine) ActMany(ctx context.Context, req *gen.ActManyReq) (*gen.ActOutcomes, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	out, err := t.actMany(ctx, req.Action, req.Json)
	return out, Mapped(err)
}

// Types are the record types of this service, in the order of their declaration.
func (e *Engine) Types(context.Context, *gen.Empty) (*gen.TypeInfos, error) {
	out := &gen.TypeInfos{}
	for _, t := range e.order {
		out.Types = append(out.Types, t.info())
	}
	return out, nil
}

// Rehome moves what belongs to an organisation, and to those below it, to its new place
// in the tree. It may run again and changes nothing more.
func (e *Engine) Rehome(ctx context.Context, req *gen.RehomeReq) (*gen.Empty, error) {
	for _, t := range e.order {
		if err := t.rehome(ctx, req.OrgId, req.Path); err != nil {
			return nil, err
		}
	}
	for _, c := range e.beside {
		if err := Rehome(ctx, c, req.OrgId, req.Path); err != nil {
			return nil, err
		}
	}
	return &gen.Empty{}, nil
}

// FollowMember moves the records that go with a member to the branch that he is in by now. It
// may run again and changes nothing more.
func (e *Engine) FollowMember(ctx context.Context, req *gen.FollowReq) (*gen.Empty, error) {
	var errs []error
	for _, t := range e.order {
		if t.WithMember && !t.SharedIndexes {
			errs = append(errs, t.followMember(ctx, req))
		}
	}
	return &gen.Empty{}, errors.Join(errs...)
}

// Resume finishes what a crash left undone, effects of approvals, and removes files that no
// record names. A worker calls it.
func (e *Engine) Resume(ctx context.Context, _ *gen.Empty) (*gen.Empty, error) {
	errs := []error{e.resumeRounds(ctx)}
	for _, t := range e.order {
		errs = append(errs, t.resume(ctx), t.sweep(ctx), t.escalate(ctx))
	}
	return &gen.Empty{}, errors.Join(errs...)
}

// Template is the import template of a type.
func (e *Engine) Template(ctx context.Context, req *gen.TypeReq) (*gen.File, error) {
	t, err := e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	if err := mayImport(ctx, t); err != nil {
		return nil, err
	}
	data, err := t.template(ctx)
	if err != nil {
		return nil, Mapped(err)
	}
	return Workbook(t.Title+"导入模板", data), nil
}

// Export is the list, all pages of it, as a workbook.
func (e *Engine) Export(ctx context.Context, req *gen.ListReq) (*gen.File, error) {
	t, err := e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	data, err := t.export(ctx, query{req})
	if err != nil {
		return nil, Mapped(err)
	}
	return Workbook(t.Title+e.clock.Now().Format("20060102150405"), data), nil
}
