package records

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// mostTicked is how many records a person does something to at once.
const mostTicked = 200

// ticked refuses a choice of nothing, and of more than a request can go through.
func ticked(ids []string, verb string) ([]string, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	switch ids = slices.Compact(ids); {
	case len(ids) == 0:
		return nil, kit.Invalid("nothing_chosen", "请选择要%s的数据", verb)
	case len(ids) > mostTicked:
		return nil, kit.Invalid("too_many_chosen", "一次最多%s%d条", verb, mostTicked)
	}
	return ids, nil
}

// many tells whether an action can be run on several records: it does something by itself,
// and asks for nothing that belongs to one record, as files do.
func (t *recordType) many(a *Action[model.Document]) bool {
	return !a.Alone && t.runs(a) && !slices.ContainsFunc(a.Fields, func(f Field) bool { return f.Attaches() })
}

// actMany runs an action on records one after the other, in the order that they were made.
func (t *recordType) actMany(ctx context.Context, key string, body []byte) (*gen.ActOutcomes, error) {
	var req struct {
		IDs    []string        `json:"ids"`
		Values json.RawMessage `json:"values"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, kit.ErrInvalid.Because(err)
	}
	a, err := t.acting(ctx, key)
	if err != nil {
		return nil, err
	}
	if !t.many(a) {
		return nil, kit.Invalid("action.alone", "%s只能逐条办理", a.Title)
	}
	ids, err := ticked(req.IDs, a.Title)
	if err != nil {
		return nil, err
	}
	if _, err := t.input(ctx, a, t.Collection.New(), req.Values); err != nil {
		return nil, err
	}
	out := &gen.ActOutcomes{}
	for _, id := range ids {
		r := &gen.ActOutcome{Id: id}
		out.Outcomes = append(out.Outcomes, r)
		if ctx.Err() != nil { // what was not begun is told so, and can be ticked again
			r.Message = "未处理，请稍后再试"
			continue
		}
		old, doc, err := t.do(ctx, a, id, req.Values)
		if err != nil {
			r.Message = t.refusal(ctx, id, err)
			if seen, err := t.load(ctx, id); err == nil {
				r.Name = t.nameOf(seen)
			}
			continue
		}
		t.saved(ctx, old, doc)
		r.Name, r.Done = t.nameOf(doc), true
		if a.Done != nil {
			r.Message = a.Done(doc)
		}
	}
	return out, nil
}

// refusal is what a person reads who did something to several records, of one that it was
// not done to.
func (t *recordType) refusal(ctx context.Context, id string, err error) string {
	if e, ok := errors.AsType[*kit.Error](Mapped(err)); ok {
		return e.Message
	}
	slog.ErrorContext(ctx, "one of several was not done", "type", t.Name, "record", id, "requestId", kit.CallerOf(ctx).RequestID, "cause", err)
	return kit.ErrInternal.Message
}
