package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// ErrTopLevel refuses a lower admin's write to platform-wide records (COMM-08).
var ErrTopLevel = kit.Forbidden("top_level_only", "只有一级管理员可以操作")

func (t *recordType) mayWrite(ctx context.Context, verb string, never bool) error {
	if err := t.can(ctx, verb); err != nil {
		return err
	}
	c := kit.CallerOf(ctx)
	if never && c.Kind != kit.Member {
		return kit.ErrForbidden
	}
	if t.topOnly() && !c.TopLevel && c.Kind != kit.System && c.Kind != kit.Member {
		return ErrTopLevel
	}
	return nil
}

func (t *recordType) save(ctx context.Context, id string, version int64, body []byte) (Row, error) {
	var values map[string]json.RawMessage
	if len(body) > 1<<20 {
		return nil, kit.ErrTooLarge
	}
	if err := json.Unmarshal(body, &values); err != nil {
		return nil, kit.ErrInvalid.Because(err)
	}
	if id == "" {
		if err := t.mayWrite(ctx, "create", t.NoCreate); err != nil {
			return nil, err
		}
		return t.create(ctx, values)
	}
	if err := t.mayWrite(ctx, "update", t.NoUpdate); err != nil {
		return nil, err
	}
	return t.update(ctx, id, version, values)
}

func (t *recordType) create(ctx context.Context, values map[string]json.RawMessage) (Row, error) {
	doc := t.Collection.New()
	if err := t.apply(ctx, doc, values, nil); err != nil {
		return nil, err
	}
	h, c := doc.Header(), kit.CallerOf(ctx)
	h.ID, h.CreatedBy = kit.NewID(t.engine.clock.Now()), c.UserID
	if c.Kind == kit.Member {
		h.CreatedBy = c.MemberID
		if t.Own.Prepare != nil {
			if err := t.Own.Prepare(ctx, doc); err != nil {
				return nil, err
			}
		}
	}
	if t.Approval != nil {
		*approvalOf(doc) = model.Approval{State: model.ApprovalPending, Undecided: true}
	}
	if err := t.place(ctx, nil, doc); err != nil {
		return nil, err
	}
	changes, err := t.changes(ctx, nil, doc)
	if err != nil {
		return nil, err
	}
	t.close(doc)
	t.audit(ctx, write{action: model.AuditCreate, title: "添加", changes: changes}, nil, doc)
	if err := t.claim(ctx, nil, doc); err != nil {
		return nil, err
	}
	t.announce(ctx, doc)
	h.FollowDue = t.due(doc)
	failed, err := t.store(ctx, []model.Document{doc})
	if err != nil {
		return nil, err
	}
	if failed[0] != nil {
		return nil, t.duplicate(ctx, doc, failed[0])
	}
	return t.saved(ctx, nil, doc), nil
}

func (t *recordType) update(ctx context.Context, id string, version int64, values map[string]json.RawMessage) (Row, error) {
	old, err := t.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if old.Header().Version != version {
		return nil, kit.ErrConflict
	}
	shown, err := t.rows(ctx, []model.Document{old}, nil)
	if err != nil {
		return nil, err
	}
	doc, err := t.load(ctx, id) // a copy that shares nothing with old
	if err != nil {
		return nil, err
	}
	if doc.Header().Version != version {
		return nil, kit.ErrConflict
	}
	if err := errors.Join(t.open(old), t.open(doc)); err != nil {
		return nil, err
	}
	if err := t.may(ctx, old, "update", "修改"); err != nil {
		return nil, err
	}
	if err := t.apply(ctx, doc, values, shown[0]); err != nil {
		return nil, err
	}
	given := t.secrets(doc)
	if err := t.place(ctx, old, doc); err != nil {
		return nil, err
	}
	changes, err := t.changes(ctx, old, doc)
	if err != nil {
		return nil, err
	}
	t.close(doc)
	w := write{action: model.AuditUpdate, title: "修改", changes: append(changes, given...)}
	if len(w.changes) == 0 {
		w.note = "内容无变化"
	}
	t.audit(ctx, w, old, doc)
	if err := t.claim(ctx, old, doc); err != nil {
		return nil, err
	}
	doc.Header().FollowDue = t.due(doc)
	if err := t.Collection.Replace(ctx, doc); errors.Is(err, model.ErrDuplicate) {
		return nil, t.duplicate(ctx, doc, err)
	} else if err != nil {
		return nil, err
	}
	return t.saved(ctx, old, doc), nil
}

// saved does what follows a write. The record is stored and nobody may be told otherwise:
// what goes wrong from here on is logged and done later (resume, sweep).
func (t *recordType) saved(ctx context.Context, old, doc model.Document) Row {
	t.later(ctx, doc, t.settle(ctx, old, doc))
	t.later(ctx, doc, t.follow(ctx, doc))
	rows, err := t.rows(ctx, []model.Document{doc}, nil)
	if err != nil {
		t.later(ctx, doc, err)
		return Row{"id": doc.Header().ID, "version": doc.Header().Version}
	}
	return rows[0]
}

// later logs what could not be done beside a write that stands.
func (t *recordType) later(ctx context.Context, doc model.Document, err error) {
	if err != nil {
		slog.WarnContext(ctx, "stored, the rest follows later", "type", t.Name, "record", doc.Header().ID, "requestId", kit.CallerOf(ctx).RequestID, "cause", err)
	}
}

// apply puts the values of a form into a document; all that is wrong is told at once.
// shown is the row that the form started from, nil for a new one.
func (t *recordType) apply(ctx context.Context, doc model.Document, values map[string]json.RawMessage, shown Row) error {
	wrong := map[string]string{}
	v := reflect.ValueOf(doc).Elem()
	now := t.engine.clock.Now()
	caller := kit.CallerOf(ctx)
	for _, f := range t.fields {
		if !t.fillable(caller, f) {
			continue
		}
		raw, sent := values[f.Key]
		if f.Fixed && shown != nil {
			if sent && !unchanged(raw, shown[f.Key]) {
				wrong[f.Key] = f.Label + "不可修改"
			}
			continue
		}
		if !sent {
			if f.Required && shown == nil && f.Type != "bool" {
				wrong[f.Key] = "请填写" + f.Label
			}
			continue
		}
		if shown != nil && unchanged(raw, shown[f.Key]) {
			continue // also what the form shows masked
		}
		x, err := f.FromJSON(raw, now)
		if err != nil {
			wrong[f.Key] = err.Error()
			continue
		}
		err = t.engine.choosable(ctx, f, x)
		if reason, no := why(err); no {
			wrong[f.Key] = reason
			continue
		}
		if err != nil {
			return err
		}
		if f.Attaches() {
			x, err = t.resolve(ctx, f, doc, x)
			if reason, no := why(err); no {
				wrong[f.Key] = reason
				continue
			}
			if err != nil {
				return err
			}
		}
		f.Write(v, x)
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	return nil
}

// unchanged tells whether a form sent a value back as it was shown.
func unchanged(raw json.RawMessage, shown any) bool {
	var sent, was any
	b, err := json.Marshal(shown)
	return err == nil && json.Unmarshal(b, &was) == nil && json.Unmarshal(raw, &sent) == nil && reflect.DeepEqual(sent, was)
}

// place runs the type's own rules and finds the document's place.
func (t *recordType) place(ctx context.Context, old, doc model.Document) error {
	h := doc.Header()
	c := kit.CallerOf(ctx)
	if h.OrgID == "" && old == nil && (c.Kind == kit.User || c.Kind == kit.Member) {
		h.OrgID, h.Orgs = c.OrgID, c.Orgs
	}
	was := slices.Clone(h.Orgs)
	if t.BeforeSave != nil {
		if err := t.BeforeSave(ctx, old, doc); err != nil {
			return err
		}
	}
	if n := len(h.Orgs); !t.Placed && slices.Equal(was, h.Orgs) && (n == 0 || h.Orgs[n-1] != h.OrgID) {
		path, err := t.engine.orgs.Path(ctx, h.OrgID)
		if err != nil {
			return err
		}
		h.Orgs = path
	}
	if !t.Global && c.Kind == kit.User && !slices.Contains(h.Orgs, c.OrgID) {
		return kit.ErrNotFound
	}
	return nil
}

func (t *recordType) store(ctx context.Context, docs []model.Document) (map[int]error, error) {
	if t.Store != nil {
		return t.Store(ctx, docs)
	}
	if len(docs) == 1 {
		err := t.Collection.Insert(ctx, docs[0])
		if errors.Is(err, model.ErrDuplicate) {
			return map[int]error{0: model.ErrDuplicate}, nil
		}
		return nil, err
	}
	return t.Collection.InsertMany(ctx, docs)
}

// delete removes all or none of documents named once: every one is asked first.
func (t *recordType) delete(ctx context.Context, ids []string) error {
	if err := t.mayWrite(ctx, "delete", t.NoDelete); err != nil {
		return err
	}
	var refused []string
	var only *kit.Error
	for _, id := range ids {
		doc, err := t.load(ctx, id)
		if err != nil {
			return err
		}
		var e *kit.Error
		if err := t.mayDelete(ctx, doc); errors.As(err, &e) {
			refused, only = append(refused, t.nameOf(doc)+"："+e.Message), e
		} else if err != nil {
			return err
		}
	}
	switch {
	case len(ids) == 1 && only != nil:
		return only
	case len(refused) > 0:
		if len(refused) > 10 {
			refused = append(refused[:10], fmt.Sprintf("等%d条", len(refused)))
		}
		return kit.Conflict("delete.refused", "以下数据不能删除，本次未删除任何数据：%s", strings.Join(refused, "；"))
	}
	scope, _, err := t.readScope(ctx, "")
	if err != nil {
		return err
	}
	by := kit.CallerOf(ctx).UserID
	for _, id := range ids {
		for _, other := range t.engine.types { // first: what fails half-way can be deleted again
			if err := other.deleteParts(ctx, t.Name, id, by); err != nil {
				return err
			}
		}
		var gone model.Document
		err := t.Collection.SoftDelete(ctx, scope, id, by, func(doc model.Document) error {
			if err := t.mayDelete(ctx, doc); err != nil {
				return err
			}
			t.audit(ctx, write{action: model.AuditDelete, title: "删除"}, nil, doc)
			gone, doc.Header().Deleted = doc, true
			doc.Header().FollowDue = t.due(doc)
			return nil
		})
		if errors.Is(err, model.ErrNotFound) {
			continue // somebody else deleted it meanwhile
		}
		if err != nil {
			return err
		}
		t.later(ctx, gone, t.follow(ctx, gone))
	}
	return nil
}

// mayDelete asks the type's own rule, and whether other records still refer to the
// document.
func (t *recordType) mayDelete(ctx context.Context, doc model.Document) error {
	if err := t.may(ctx, doc, "delete", "删除"); err != nil {
		return err
	}
	if t.BeforeDelete != nil {
		if err := t.BeforeDelete(ctx, doc); err != nil {
			return err
		}
	}
	for _, other := range t.engine.types {
		if t.Leaves {
			break
		}
		used, err := other.uses(ctx, t.Name, doc.Header().ID)
		if err != nil {
			return err
		}
		if used {
			return kit.Conflict("delete.used", "该%s正在使用，不允许删除", t.Title)
		}
	}
	return nil
}
