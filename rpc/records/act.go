package records

import (
	"context"
	"encoding/json"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// act runs an action: load, check, change, save if nobody else changed it meanwhile.
func (t *recordType) act(ctx context.Context, id, key string, body []byte) (Row, error) {
	a, err := t.acting(ctx, key)
	if err != nil {
		return nil, err
	}
	old, doc, err := t.do(ctx, a, id, body)
	if err != nil {
		return nil, err
	}
	row := t.saved(ctx, old, doc)
	if a.Done != nil {
		row["_done"] = a.Done(doc)
	}
	return row, nil
}

// acting is an action that the caller may run.
func (t *recordType) acting(ctx context.Context, key string) (*Action[model.Document], error) {
	a := t.action(key)
	if a == nil || !t.runs(a) {
		return nil, kit.ErrNotFound
	}
	if !t.mayAct(kit.CallerOf(ctx), *a) {
		return nil, kit.ErrForbidden
	}
	return a, nil
}

// do runs an action on a record, and answers it before and after.
func (t *recordType) do(ctx context.Context, a *Action[model.Document], id string, body []byte) (old, doc model.Document, err error) {
	seen, err := t.load(ctx, id) // the scope, and for members Own.Where
	if err != nil {
		return nil, nil, err
	}
	in, err := t.input(ctx, a, seen, body)
	if err != nil {
		return nil, nil, err
	}
	if a.Run != nil {
		doc, err = a.Run(ctx, seen, in)
		return seen, doc, err
	}
	doc, err = t.Collection.Update(ctx, model.Everything, id, func(doc model.Document) error {
		if err := t.may(ctx, doc, a.Key, a.Title); err != nil {
			return err
		}
		old = clone(doc)
		if a.Do != nil {
			if err := a.Do(ctx, doc, in); err != nil {
				return err
			}
		}
		t.move(doc, a.Key)
		doc.Header().FollowDue = t.due(doc)
		// Why it was done is on record, whether or not the document keeps it.
		if err := t.did(ctx, write{action: model.AuditAct, title: a.Title, note: in.String("reason")}, old, doc); err != nil {
			return err
		}
		return t.claim(ctx, old, doc)
	})
	if err != nil {
		return nil, nil, t.duplicate(ctx, old, err)
	}
	return old, doc, nil
}

// input checks the values of an action's dialog, all at once.
func (t *recordType) input(ctx context.Context, a *Action[model.Document], doc model.Document, body []byte) (Input, error) {
	var values map[string]json.RawMessage
	if len(body) > 0 {
		if err := json.Unmarshal(body, &values); err != nil {
			return nil, kit.ErrInvalid.Because(err)
		}
	}
	in, wrong := Input{}, map[string]string{}
	for _, f := range a.Fields {
		raw, sent := values[f.Key]
		if !sent {
			raw = json.RawMessage("null")
		}
		if f.Owner = t.Name; f.Type == "" {
			f.Type = "string"
		}
		if f.Max == 0 && f.Attaches() {
			f.Max = t.byKey[f.Key].Max
		}
		x, err := f.FromJSON(raw, t.engine.clock.Now())
		if err != nil {
			wrong[f.Key] = err.Error()
			continue
		}
		err = t.engine.choosable(ctx, &f, x)
		if reason, no := why(err); no {
			wrong[f.Key] = reason
			continue
		}
		if err != nil {
			return nil, err
		}
		if f.Attaches() {
			x, err = t.resolve(ctx, &f, doc, x)
			if reason, no := why(err); no {
				wrong[f.Key] = reason
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		in[f.Key] = x
	}
	if len(wrong) > 0 {
		return nil, kit.InvalidFields(wrong)
	}
	return in, nil
}
