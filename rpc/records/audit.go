package records

import (
	"context"
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

// audit saves with the document's next write what is done to it. old is nil for a new one.
func (t *Type[T, P]) audit(ctx context.Context, w write, old, doc *T) {
	h := P(doc).Header()
	f := trail.By(ctx, t.engine.clock.Now())
	f.Action, f.Title, f.Changes, f.Note = w.action, w.title, w.changes, w.note
	f.Type, f.TypeTitle, f.RecordID, f.RecordName = t.Name, t.Title, h.ID, t.nameOf(doc)
	if len(h.Orgs) > 0 {
		f.OrgID, f.Orgs = h.OrgID, slices.Clone(h.Orgs)
	}
	if old != nil { // those whom it leaves see where it went
		for _, o := range P(old).Header().Orgs {
			if !slices.Contains(f.Orgs, o) {
				f.Orgs = append(f.Orgs, o)
			}
		}
	}
	h.Emit(trail.Event(f))
}

// changes are the fields that differ, personal values masked; both documents are unsealed.
func (t *Type[T, P]) changes(ctx context.Context, old, doc *T) ([]model.AuditChange, error) {
	if old == nil {
		old = new(T)
	}
	hidden, err := t.sealed(old, doc)
	if err != nil {
		return nil, err
	}
	was, now := reflect.ValueOf(old).Elem(), reflect.ValueOf(doc).Elem()
	var out []model.AuditChange
	for _, f := range t.fields {
		if f.Virtual || f.index == nil || f.Label == "" {
			continue
		}
		a, b := f.read(was), f.read(now)
		if reflect.DeepEqual(a, b) {
			continue
		}
		c := model.AuditChange{Field: f.Key, Label: f.Label}
		if c.Old, err = t.told(ctx, f, a, hidden[f.Key]); err != nil {
			return nil, err
		}
		if c.New, err = t.told(ctx, f, b, hidden[f.Key]); err != nil {
			return nil, err
		}
		if c.Old != "" || c.New != "" {
			out = append(out, c)
		}
	}
	return out, nil
}

// sealed are the fields that are stored encrypted: those that Seal changes.
func (t *Type[T, P]) sealed(docs ...*T) (map[string]bool, error) {
	out := map[string]bool{}
	if t.Seal == nil {
		return out, nil
	}
	for _, d := range docs {
		closed := *d
		if err := t.Seal(&closed); err != nil {
			return nil, err
		}
		for _, f := range t.fields {
			if f.index != nil && !reflect.DeepEqual(f.read(reflect.ValueOf(d).Elem()), f.read(reflect.ValueOf(&closed).Elem())) {
				out[f.Key] = true
			}
		}
	}
	return out, nil
}

// told is a value as people read it.
func (t *Type[T, P]) told(ctx context.Context, f *Field, x any, hidden bool) (string, error) {
	r := Row{f.Key: x}
	if ids := idsOf(x); f.Ref != "" && len(ids) > 0 {
		labels, err := t.engine.ref(f).Labels(ctx, ids)
		if err != nil {
			return "", err
		}
		names := make([]string, len(ids))
		for i, id := range ids {
			if names[i] = labels[id]; names[i] == "" {
				names[i] = id
			}
		}
		r["_labels"] = map[string]string{f.Key: strings.Join(names, "、")}
	}
	s := f.cell(r)
	if runes := []rune(s); len(runes) > auditText {
		s = string(runes[:auditText]) + "…"
	}
	switch {
	case s == "":
	case f.Type == "phone" || f.Type == "idNumber":
		s = mask(s)
	case hidden:
		s = "******"
	}
	return s, nil
}

// mask keeps three characters in front and four at the end.
func mask(s string) string {
	r := []rune(s)
	if len(r) < 9 {
		return "******"
	}
	return string(r[:3]) + strings.Repeat("*", len(r)-7) + string(r[len(r)-4:])
}

// opened are copies of documents whose sealed fields can be read.
func (t *Type[T, P]) opened(docs ...*T) ([]*T, error) {
	out := make([]*T, len(docs))
	for i, d := range docs {
		c := *d
		out[i] = &c
		if t.Unseal != nil {
			if err := t.Unseal(&c); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// note writes down what is done to no single document, before it is done.
func (e *Engine) note(ctx context.Context, t anyType, action, title, text string) error {
	f := trail.By(ctx, e.clock.Now())
	f.Action, f.Title, f.Type, f.TypeTitle, f.Note = action, title, t.name(), t.title(), text
	return trail.Note(ctx, e.db, f)
}

// secrets says of passwords in a form that they are given, never what they are.
func (t *Type[T, P]) secrets(doc *T) []model.AuditChange {
	var out []model.AuditChange
	for _, f := range t.fields {
		if f.index == nil || f.bson != "-" {
			continue
		}
		if s, _ := f.read(reflect.ValueOf(doc).Elem()).(string); s != "" {
			out = append(out, model.AuditChange{Field: f.Key, Label: f.Label, Old: "******", New: "******（已修改）"})
		}
	}
	return out
}

// described says what an export holds: which columns of which records, masked or not.
func (q query) described(fields []*Field, clear bool) string {
	labels := make([]string, len(fields))
	for i, f := range fields {
		labels[i] = f.Label
	}
	kind := "脱敏"
	if clear {
		kind = "含完整个人信息"
	}
	s := kind + "；字段：" + strings.Join(labels, "、")
	if q.OrgId != "" {
		s += "；组织：" + q.OrgId
	}
	if len(q.Filters) > 0 || q.Keyword != "" {
		s += "；有筛选条件"
	}
	return s
}
