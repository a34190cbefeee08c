package records

import (
	"context"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// print makes the paper of a record that an action prints; that it left the product is on record.
func (t *recordType) print(ctx context.Context, id, key string) (*gen.File, error) {
	a := t.action(key)
	if a == nil || a.Print == nil {
		return nil, kit.ErrNotFound
	}
	if !t.mayAct(kit.CallerOf(ctx), *a) {
		return nil, kit.ErrForbidden
	}
	doc, err := t.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := t.may(ctx, doc, a.Key, a.Title); err != nil {
		return nil, err
	}
	f, err := a.Print(ctx, doc)
	if err != nil {
		return nil, err
	}
	if err := t.engine.Shown(ctx, model.AuditExport, t.Name, a.Title, doc, ""); err != nil {
		return nil, err
	}
	return f, nil
}
