package records

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"zhihuidangjian/rpc/records/field"

	"go.mongodb.org/mongo-driver/v2/bson"

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

// bind reads the tags.
func (t *recordType) bind(e *Engine) error {
	t.engine = e
	fields, err := field.Of(t.document(), t.Fields, t.Only)
	if err != nil {
		return fmt.Errorf("record type %s: %w", t.Name, err)
	}
	t.fields, t.byKey = fields, make(map[string]*Field, len(fields))
	for _, f := range fields {
		f.Owner = t.Name
		t.byKey[f.Key] = f
	}
	if t.Approval != nil {
		t.approvals()
	}
	t.live()
	for _, p := range t.Parts {
		if p.Fits != nil && !p.Fits(t.Collection.New()) {
			return fmt.Errorf("record type %s: its documents cannot have the part %s", t.Name, p.Name)
		}
		if p.bind != nil {
			if err := p.bind(t); err != nil {
				return fmt.Errorf("record type %s: part %s: %w", t.Name, p.Name, err)
			}
		}
	}
	if err := t.checkFiles(); err != nil {
		return fmt.Errorf("record type %s: %w", t.Name, err)
	}
	return nil
}

// ready ensures the indexes of a type that was checked.
func (t *recordType) ready(ctx context.Context) error {
	indexes := t.Indexes
	if t.Follow != nil || t.Approval != nil {
		indexes = append(indexes, model.Index{Keys: bson.D{{Key: "followDue", Value: 1}}, Sparse: true})
	}
	for i, u := range t.Unique {
		keys := bson.D{}
		for _, k := range u.Keys {
			keys = append(keys, bson.E{Key: k, Value: 1})
		}
		if u.Partial == nil {
			t.Unique[i].Partial = bson.D{{Key: "deleted", Value: false}}
		}
		indexes = append(indexes, model.Index{Keys: keys, Unique: true, Partial: t.Unique[i].Partial})
	}
	if !t.SharedIndexes {
		if err := t.Collection.EnsureIndexes(ctx, indexes...); err != nil {
			return err
		}
	}
	if t.Ready != nil {
		return t.Ready(ctx)
	}
	return nil
}

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

// Schema is what the clients build the pages of a type from.
type Schema struct {
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Fields      []*Field        `json:"fields"`
	Permissions map[string]bool `json:"permissions"`
	Actions     []Offer         `json:"actions"`
	Importable  bool            `json:"importable"`
	Exportable  bool            `json:"exportable"`
	DefaultSort string          `json:"defaultSort"`
	Related     []Related       `json:"related,omitempty"`
}

// Offer is an action as a page sees it.
type Offer struct {
	Action[model.Document]
	Many bool `json:"many,omitempty"` // for ticked rows too
}

func (t *recordType) schema(ctx context.Context) (any, error) {
	if err := t.can(ctx, "view"); err != nil {
		return nil, err
	}
	c := kit.CallerOf(ctx)
	writes := !t.Global || c.TopLevel || c.Kind == kit.Member
	may := func(verb string) bool { return t.can(ctx, verb) == nil }
	s := Schema{
		Type: t.Name, Title: t.Title, Fields: []*Field{},
		Importable: len(t.Columns) > 0, Exportable: !t.NoExport, DefaultSort: "-createdAt", Related: t.Related,
		Permissions: map[string]bool{
			"view":   true,
			"create": !never(c, t.NoCreate) && writes && may("create"),
			"update": !never(c, t.NoUpdate) && writes && may("update"),
			"delete": !never(c, t.NoDelete) && writes && may("delete"),
			"import": len(t.Columns) > 0 && writes && may("import"),
			"export": !t.NoExport && may("export"),
			"reveal": t.reveals() && t.mayReveal(ctx) == nil,
		},
	}
	if t.DefaultSort != "" {
		s.DefaultSort = t.DefaultSort
	}
	if c.Kind == kit.Member {
		s.Fields = t.ownFields()
	} else {
		for _, f := range t.fields {
			if f.Blind != "" && f.Search && !may("lookup") {
				plain := *f
				plain.Search = false
				f = &plain
			}
			if f.List || f.Form || f.Search || f.Below {
				s.Fields = append(s.Fields, f)
			}
		}
	}
	actions := []Offer{}
	for _, a := range t.Actions {
		ok := t.mayAct(c, a)
		s.Permissions[a.Key] = ok
		if ok {
			actions = append(actions, Offer{a, t.many(&a)})
		}
	}
	s.Actions = actions
	return s, nil
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

// mayAct tells whether the caller may run an action at all.
func (t *recordType) mayAct(c *kit.Caller, a Action[model.Document]) bool {
	if c.Kind == kit.Member {
		return t.Own != nil && slices.Contains(t.Own.Actions, a.Key)
	}
	return (!t.Global || c.TopLevel || c.Kind == kit.System) && c.Can(t.permission(a))
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
