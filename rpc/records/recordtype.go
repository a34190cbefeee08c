package records

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// recordType is a record type as the engine runs it: its declaration, with hooks that take
// any document. It is compiled once, whatever the number of types.
type recordType struct {
	*Type[model.Document]
	engine *Engine
	fields []*Field
	byKey  map[string]*Field
}

// document is the type of the documents' struct.
func (t *recordType) document() reflect.Type { return reflect.TypeOf(t.Collection.New()).Elem() }

// personal tells whether the documents have personal fields.
func (t *recordType) personal() bool {
	return slices.ContainsFunc(t.fields, func(f *Field) bool { return f.Personal && f.Held() })
}

// reveals tells whether something of the documents is shown masked.
func (t *recordType) reveals() bool { return t.Reveal != nil || t.personal() }

// looksUp tells whether documents can be found by a whole personal value.
func (t *recordType) looksUp() bool {
	return slices.ContainsFunc(t.fields, func(f *Field) bool { return f.Blind != "" && f.Search })
}

// can returns ErrForbidden unless the caller has the type's permission for a verb, or,
// as a member, the type is open to him for it.
func (t *recordType) can(ctx context.Context, verb string) error {
	c := kit.CallerOf(ctx)
	if c.Kind != kit.Member {
		if t.Open && verb == "view" && c.Kind == kit.User {
			return nil
		}
		return kit.Require(ctx, t.Name+"."+verb)
	}
	switch {
	case t.Own == nil:
		return kit.ErrForbidden
	case c.MemberID == "":
		return kit.ErrUnbound
	case verb == "view", verb == "create" && t.Own.Create, verb == "update" && t.Own.Update,
		verb == "delete" && t.Own.Delete, slices.Contains(t.Own.Actions, verb):
		return nil
	}
	return kit.ErrForbidden
}

// never applies NoCreate, NoUpdate and NoDelete: they are about admins, Own about members.
func never(c *kit.Caller, no bool) bool { return no && c.Kind != kit.Member }

// fillable tells whether the caller's form has the field.
func (t *recordType) fillable(c *kit.Caller, f *Field) bool {
	if f.Virtual || f.ReadOnly || f.Index == nil {
		return false
	}
	if c.Kind == kit.Member && t.Own != nil {
		return slices.Contains(t.Own.Form, f.Key)
	}
	return f.Form
}

// topOnly: only the top-level admin writes it.
func (t *recordType) topOnly() bool { return t.Global && !t.Anyone }

// mayAct tells whether the caller may run an action at all.
func (t *recordType) mayAct(c *kit.Caller, a Action[model.Document]) bool {
	if c.Kind == kit.Member {
		return c.MemberID != "" && t.Own != nil && slices.Contains(t.Own.Actions, a.Key)
	}
	return !a.Phone && (!t.topOnly() || c.TopLevel || c.Kind == kit.System) && c.Can(t.permission(a))
}

func (t *recordType) permission(a Action[model.Document]) string {
	if a.Permission != "" {
		return a.Permission
	}
	return t.Name + "." + a.Key
}

func (t *recordType) nameOf(doc model.Document) string {
	if t.NameOf != nil {
		return t.NameOf(doc)
	}
	for _, f := range t.fields {
		if f.Index != nil && f.Stored == t.NameKey {
			return fmt.Sprint(f.Read(reflect.ValueOf(doc).Elem()))
		}
	}
	return t.Title
}

func (t *recordType) action(key string) *Action[model.Document] {
	i := slices.IndexFunc(t.Actions, func(a Action[model.Document]) bool { return a.Key == key })
	if i < 0 {
		return nil
	}
	return &t.Actions[i]
}

// runs tells whether the engine runs an action: it has something to do, or leads to a state.
func (t *recordType) runs(a *Action[model.Document]) bool {
	v := t.Life.verb(a.Key)
	return a.Do != nil || a.Run != nil || v != nil && v.To != "" && !v.Inner
}

// clone is a copy of a document that shares what it points to.
func clone(doc model.Document) model.Document {
	c := reflect.New(reflect.TypeOf(doc).Elem())
	c.Elem().Set(reflect.ValueOf(doc).Elem())
	return c.Interface().(model.Document)
}

// close seals the document's personal fields, open opens them.
func (t *recordType) close(doc model.Document) {
	if t.personal() {
		t.engine.seal.Close(doc)
	}
}

func (t *recordType) open(doc model.Document) error {
	if !t.personal() {
		return nil
	}
	return t.engine.seal.Disclose(doc)
}

func idsOf(v any) []string {
	switch x := v.(type) {
	case string:
		if x != "" {
			return []string{x}
		}
	case []string:
		return x
	}
	return nil
}

// ownFields are the fields of a member's page: those shown in the list, and those of
// his form.
func (t *recordType) ownFields() []*Field {
	out := []*Field{}
	for _, k := range append(slices.Clone(t.Own.Fields), t.Own.Form...) {
		if slices.ContainsFunc(out, func(f *Field) bool { return f.Key == k }) {
			continue
		}
		f := *t.byKey[k]
		f.List, f.Form, f.Search = slices.Contains(t.Own.Fields, k), slices.Contains(t.Own.Form, k), false
		out = append(out, &f)
	}
	return out
}
