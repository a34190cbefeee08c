package records

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/trail"
)

// auditText bounds what an entry of the audit says of one value.
const auditText = 200

// write is one write of a document as the audit tells it.
type write struct {
	action, title string
	changes       []model.AuditChange
	note          string
}

// Audit saves with the next write of a record what a use case of its own does to it, which
// the engine has no part in; old is nil for a new one. What members do often (an order, a
// check-in) is a record by itself and needs no call.
func (e *Engine) Audit(ctx context.Context, typ, title string, old, doc model.Document) error {
	t, err := e.typ(typ)
	if err != nil {
		return err
	}
	if old == nil {
		return t.did(ctx, write{action: model.AuditCreate, title: title}, nil, doc)
	}
	return t.did(ctx, write{action: model.AuditAct, title: title}, old, doc)
}

// Shown writes down that a record, or with nil a list, is about to be shown to somebody in
// full or leaves the product. Nothing is shown when that fails.
func (e *Engine) Shown(ctx context.Context, action, typ, title string, doc model.Document, note string) error {
	t, err := e.typ(typ)
	if err != nil {
		return err
	}
	return trail.Note(ctx, e.db, t.fact(ctx, write{action: action, title: title, note: note}, nil, doc))
}

// did saves with the document's next write what is done to it. Both are sealed.
func (t *recordType) did(ctx context.Context, w write, old, doc model.Document) error {
	was, err := t.opened(old)
	if err != nil {
		return err
	}
	now, err := t.opened(doc)
	if err != nil {
		return err
	}
	if w.changes, err = t.changes(ctx, was, now); err != nil {
		return err
	}
	t.audit(ctx, w, old, doc)
	return nil
}

// audit saves with the document's next write what is done to it. old is nil for a new one.
func (t *recordType) audit(ctx context.Context, w write, old, doc model.Document) {
	doc.Header().Emit(trail.Event(t.fact(ctx, w, old, doc)))
}

// fact is what the audit tells of a record, or of the type with a nil doc.
func (t *recordType) fact(ctx context.Context, w write, old, doc model.Document) model.AuditFact {
	f := trail.By(ctx, t.engine.clock.Now())
	f.Action, f.Title, f.Changes, f.Note = w.action, w.title, w.changes, w.note
	f.Type, f.TypeTitle = t.Name, t.Title
	if doc == nil {
		return f
	}
	h := doc.Header()
	f.RecordID, f.RecordName = h.ID, t.nameOf(doc)
	if len(h.Orgs) > 0 {
		f.OrgID, f.Orgs = h.OrgID, slices.Clone(h.Orgs)
	}
	if old != nil { // those whom it leaves see where it went
		for _, o := range old.Header().Orgs {
			if !slices.Contains(f.Orgs, o) {
				f.Orgs = append(f.Orgs, o)
			}
		}
	}
	return f
}

// changes are the fields that differ, personal values masked; both documents are unsealed,
// and old is nil for a new one.
func (t *recordType) changes(ctx context.Context, old, doc model.Document) ([]model.AuditChange, error) {
	fresh := old == nil
	if fresh {
		old = t.Collection.New()
	}
	var err error
	was, now := reflect.ValueOf(old).Elem(), reflect.ValueOf(doc).Elem()
	var out []model.AuditChange
	for _, f := range t.fields {
		if f.Virtual || f.Index == nil || f.Label == "" {
			continue
		}
		a, b := f.Read(was), f.Read(now)
		if reflect.DeepEqual(a, b) {
			continue
		}
		c := model.AuditChange{Field: f.Key, Label: f.Label}
		if !fresh { // else 0 and 否 are nothing
			if c.Old, err = t.told(ctx, f, a); err != nil {
				return nil, err
			}
		}
		if c.New, err = t.told(ctx, f, b); err != nil {
			return nil, err
		}
		if c.Old != "" || c.New != "" {
			out = append(out, c)
		}
	}
	return out, nil
}

// told is a value as people read it.
func (t *recordType) told(ctx context.Context, f *Field, x any) (string, error) {
	r := Row{f.Key: x}
	if ids := idsOf(x); f.Ref != "" && len(ids) > 0 {
		var labels map[string]string
		if find := t.engine.ref(f).Labels; find != nil {
			var err error
			if labels, err = find(ctx, ids); err != nil {
				return "", err
			}
		}
		names := make([]string, len(ids))
		for i, id := range ids {
			if names[i] = labels[id]; names[i] == "" {
				names[i] = id
			}
		}
		r["_labels"] = map[string]string{f.Key: strings.Join(names, "、")}
	}
	s := cellOf(f, r)
	if runes := []rune(s); len(runes) > auditText {
		s = string(runes[:auditText]) + "…"
	}
	if f.Personal {
		s = model.Mask(f.Type, s)
	}
	return s, nil
}

// opened is a copy of a document whose sealed fields can be read; nil of none.
func (t *recordType) opened(doc model.Document) (model.Document, error) {
	if doc == nil {
		return nil, nil
	}
	c := clone(doc)
	return c, t.open(c)
}

// secrets says of passwords in a form that they are given, never what they are.
func (t *recordType) secrets(doc model.Document) []model.AuditChange {
	var out []model.AuditChange
	for _, f := range t.fields {
		if f.Index == nil || f.Stored != "-" {
			continue
		}
		if s, _ := f.Read(reflect.ValueOf(doc).Elem()).(string); s != "" {
			out = append(out, model.AuditChange{Field: f.Key, Label: f.Label, Old: "******", New: "******（已修改）"})
		}
	}
	return out
}

// described says of an export which columns of which records it holds, how many, and
// whether personal values are masked.
func (t *recordType) described(ctx context.Context, q query, fields []*Field, rows int, clear bool) (string, error) {
	labels := make([]string, len(fields))
	for i, f := range fields {
		labels[i] = f.Label
	}
	kind := "脱敏"
	if clear {
		kind = "含完整个人信息"
	}
	parts := []string{fmt.Sprintf("共%d条", rows), kind, "字段：" + strings.Join(labels, "、")}
	if q.OrgId != "" {
		org, err := t.told(ctx, &Field{Key: "orgId", Ref: "organization"}, q.OrgId)
		if err != nil {
			return "", err
		}
		parts = append(parts, "组织："+org)
	}
	if k := strings.TrimSpace(q.Keyword); k != "" {
		if strings.ContainsAny(k, "0123456789") { // an ID number, a phone or a part of one
			k = model.MaskPhone(k)
		}
		parts = append(parts, "关键字："+k)
	}
	for _, key := range slices.Sorted(maps.Keys(q.Filters)) {
		value := strings.TrimSpace(q.Filters[key])
		if value == "" {
			continue
		}
		f := t.byKey[key]
		if f == nil { // the type's own
			f = &Field{Key: key, Label: key}
		}
		said, err := t.told(ctx, f, value)
		if err != nil {
			return "", err
		}
		parts = append(parts, f.Label+"："+said)
	}
	return strings.Join(parts, "；"), nil
}
