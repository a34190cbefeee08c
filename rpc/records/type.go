// Package records is the record engine: a record type is declared once, in its domain
// package, as a document struct with tags and a Type value. From that come the form
// and list schema, scoped reads, validated writes, the Excel template, import, failure
// file and export, and the permissions `<type>.<verb>`. A domain service embeds an
// Engine of its types and so implements the generated Records service.
package records

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Row is a document as the console sees it: its fields by key, and id, version,
// createdAt, _labels and _actions.
type Row map[string]any

// Option is one value of an enum.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// ShowIf shows a field of the form while another one has one of some values.
type ShowIf struct {
	Field string   `json:"field"`
	In    []string `json:"in"`
}

// Field is one field of a record type. Most come from the struct tag
//
//	record:"label=姓名,required,max=30,list,search"
//
// whose words are label, type, required, max, min, options=a:甲|b:乙, ref, list, noform,
// search, keyword, sort, fixed, readonly, past, help, width. Its key is the JSON
// name. Without type the Go type decides: string, int, bool, datetime, enum when there
// are options, ref or refs when there is a ref.
type Field struct {
	Key      string   `json:"key"`
	Label    string   `json:"label"`
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Options  []Option `json:"options,omitempty"`
	Ref      string   `json:"ref,omitempty"`
	List     bool     `json:"list"`
	Form     bool     `json:"form"`
	Search   bool     `json:"search,omitempty"`   // a filter of the list
	Fixed    bool     `json:"fixed,omitempty"`    // not after creation
	ReadOnly bool     `json:"readonly,omitempty"` // never from a form
	Help     string   `json:"help,omitempty"`
	Width    int      `json:"width,omitempty"`
	ShowIf   *ShowIf  `json:"showIf,omitempty"`

	// Max and Min bound the length of a text and the value of a number.
	Max int64 `json:"max,omitempty"`
	Min int64 `json:"min,omitempty"`
	// Keyword: the list's one search box looks into it too.
	Keyword bool `json:"-"`
	// Sort: the list may be sorted by it; it needs an index.
	Sort bool `json:"sortable,omitempty"`
	// Past: a date that may not lie in the future.
	Past bool `json:"-"`
	// Resolver names the Ref that answers when it is not the one called Ref, e.g. one
	// that knows branches only.
	Resolver string `json:"-"`
	// Virtual: shown by Present or read by FromImport, never stored.
	Virtual bool `json:"-"`
	// After places a field that has no tag after another one; "" at the end.
	After string `json:"-"`

	index []int  // of the struct
	bson  string // its name in the store
}

// Action is a verb of a record type that has a typed use case of its own.
type Action struct {
	Key     string `json:"key"`
	Title   string `json:"title"`
	Confirm string `json:"confirm,omitempty"`
	// Permission is "<type>.<key>" unless given.
	Permission string `json:"-"`
}

// Unique says that no two live documents share the values of some stored fields.
type Unique struct {
	Keys    []string // names in the store
	Field   string   // the field of the form to mark
	Message string
	Partial bson.D // {deleted: false} unless given; equalities only
}

// Type declares one record type. Hooks may be nil; they run with the caller beside ctx,
// on an import the one who uploaded the file.
type Type[T any, P interface {
	*T
	model.Document
}] struct {
	Name  string // e.g. member
	Title string // e.g. 党员
	// Collection holds the documents. The engine ensures its indexes.
	Collection *model.Collection[T, P]
	Indexes    []model.Index
	// Fields add to or, by key, replace those of the struct's tags.
	Fields  []Field
	Only    []string // the fields this type has, of those tagged; empty: all
	Unique  []Unique
	Actions []Action
	// NameOf is what messages call a document by.
	NameOf func(*T) string
	// DefaultSort is "-createdAt" unless given.
	DefaultSort string

	NoCreate, NoUpdate, NoDelete, NoExport bool
	// Global: platform-wide records, read by every admin and written by the top
	// level's only.
	Global bool
	// SharedIndexes: somebody else ensures the collection's indexes.
	SharedIndexes bool

	// Columns of the import template, keys in order. Empty: no import.
	Columns []string
	// ImportChunk is how many rows are stored at once, 500 unless given; 1 when a row
	// may refer to an earlier one.
	ImportChunk int
	// BeforeImport sees the rows of a chunk (column key → text), to look up together
	// what FromImport needs; it may put it beside the context.
	BeforeImport func(ctx context.Context, rows []map[string]string) (context.Context, error)
	// FromImport completes a document from a row's texts.
	FromImport func(ctx context.Context, row map[string]string, doc *T) error

	// Where adds to every read, e.g. {status: active}. It sees the list's filters.
	Where func(ctx context.Context, filters map[string]string) bson.D
	// Filter answers for filters that are not plain: the part to add, and true.
	Filter func(ctx context.Context, key, value string) (bson.D, bool, error)
	// Keyword adds alternatives to the search box, e.g. a blind index.
	Keyword func(ctx context.Context, keyword string) []bson.D

	// Unseal and Seal open and close encrypted fields around a change.
	Unseal func(*T) error
	Seal   func(*T) error
	// BeforeSave checks and completes; old is nil for a new document. It may return
	// kit.InvalidFields. OrgID decides the place; the engine fills Orgs unless the hook
	// changed it, and refuses a place outside the caller's scope.
	BeforeSave func(ctx context.Context, old, new *T) error
	AfterSave  func(ctx context.Context, old, new *T) error
	// Store replaces the insertion of new documents, e.g. by an upsert; the answer maps
	// positions to errors.
	Store func(ctx context.Context, docs []P) (map[int]error, error)
	// BeforeDelete refuses, or changes what is saved with the deletion. It may run
	// more than once.
	BeforeDelete func(ctx context.Context, doc *T) error
	AfterDelete  func(ctx context.Context, doc *T) error
	// Present completes rows for people; docs and rows run in step.
	Present func(ctx context.Context, docs []*T, rows []Row) error
	// Reveal puts unmasked values into a row of an export, for callers with
	// `<type>.reveal`.
	Reveal func(doc *T, row Row) error
	// BeforeReveal writes down that an export in clear is made; its error stops it.
	BeforeReveal func(ctx context.Context) error
	// RowActions may take away or add actions of one document. given holds view, update,
	// delete and the declared Actions, as far as the caller has the permission.
	RowActions func(caller *kit.Caller, doc *T, given []string) []string
	// Summary is what the list shows beside its rows; filter holds the scope too.
	Summary func(ctx context.Context, filter bson.D) (map[string]string, error)

	engine *Engine
	fields []*Field
	byKey  map[string]*Field
}

// Ref answers for fields that refer to other records.
type Ref struct {
	// Labels are the names of records by id; unknown ones are left out.
	Labels func(ctx context.Context, ids []string) (map[string]string, error)
	// Check returns kit.ErrNotFound unless the caller may use each of the records.
	Check func(ctx context.Context, ids []string) error
	// Find is the record that a cell of an import means; a *kit.Error says why none.
	Find func(ctx context.Context, text string) (string, error)
	// Options are texts that Find understands, for the template's drop-down.
	Options func(ctx context.Context) ([]string, error)
}

// anyType is Type without its parameters.
type anyType interface {
	name() string
	bind(ctx context.Context, e *Engine) error
	schema(ctx context.Context) (any, error)
	list(ctx context.Context, q query) (any, error)
	get(ctx context.Context, id string) (Row, error)
	save(ctx context.Context, id string, version int64, body []byte) (Row, error)
	delete(ctx context.Context, ids []string) error
	template(ctx context.Context) ([]byte, error)
	export(ctx context.Context, q query) ([]byte, error)
	columns() []*Field
	title() string
	runRows(ctx context.Context, batchID string, rows []importRow) (map[int]string, error)
	chunk() int
}

func (t *Type[T, P]) name() string  { return t.Name }
func (t *Type[T, P]) title() string { return t.Title }

// bind reads the tags and ensures the indexes.
func (t *Type[T, P]) bind(ctx context.Context, e *Engine) error {
	t.engine = e
	fields, err := fieldsOf[T](t.Fields, t.Only)
	if err != nil {
		return fmt.Errorf("record type %s: %w", t.Name, err)
	}
	t.fields, t.byKey = fields, make(map[string]*Field, len(fields))
	for _, f := range fields {
		t.byKey[f.Key] = f
		if f.Ref != "" && e.ref(f).Labels == nil {
			return fmt.Errorf("record type %s: nothing resolves the ref %s of %s", t.Name, f.Ref, f.Key)
		}
	}
	for _, c := range t.Columns {
		if t.byKey[c] == nil {
			return fmt.Errorf("record type %s: import column %s is no field", t.Name, c)
		}
	}
	indexes := t.Indexes
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
	if t.SharedIndexes {
		return nil
	}
	return t.Collection.EnsureIndexes(ctx, indexes...)
}

// can returns ErrForbidden unless the caller has the type's permission for a verb.
func (t *Type[T, P]) can(ctx context.Context, verb string) error {
	return kit.Require(ctx, t.Name+"."+verb)
}

// schemaJSON is what the console builds its pages from.
type schemaJSON struct {
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Fields      []*Field        `json:"fields"`
	Permissions map[string]bool `json:"permissions"`
	Actions     []Action        `json:"actions"`
	Importable  bool            `json:"importable"`
	Exportable  bool            `json:"exportable"`
	DefaultSort string          `json:"defaultSort"`
}

func (t *Type[T, P]) schema(ctx context.Context) (any, error) {
	if err := t.can(ctx, "view"); err != nil {
		return nil, err
	}
	c := kit.CallerOf(ctx)
	writes := !t.Global || c.TopLevel
	s := schemaJSON{
		Type: t.Name, Title: t.Title, Fields: []*Field{}, Actions: []Action{},
		Importable: len(t.Columns) > 0, Exportable: !t.NoExport, DefaultSort: "-createdAt",
		Permissions: map[string]bool{
			"view":   true,
			"create": !t.NoCreate && writes && c.Can(t.Name+".create"),
			"update": !t.NoUpdate && writes && c.Can(t.Name+".update"),
			"delete": !t.NoDelete && writes && c.Can(t.Name+".delete"),
			"import": len(t.Columns) > 0 && writes && c.Can(t.Name+".import"),
			"export": !t.NoExport && c.Can(t.Name+".export"),
			"reveal": t.Reveal != nil && c.Can(t.Name+".reveal"),
		},
	}
	if t.DefaultSort != "" {
		s.DefaultSort = t.DefaultSort
	}
	for _, f := range t.fields {
		if f.List || f.Form || f.Search {
			s.Fields = append(s.Fields, f)
		}
	}
	for _, a := range t.Actions {
		ok := c.Can(t.permission(a))
		s.Permissions[a.Key] = ok
		if ok {
			s.Actions = append(s.Actions, a)
		}
	}
	return s, nil
}

func (t *Type[T, P]) permission(a Action) string {
	if a.Permission != "" {
		return a.Permission
	}
	return t.Name + "." + a.Key
}

func (t *Type[T, P]) nameOf(doc *T) string {
	if t.NameOf != nil {
		return t.NameOf(doc)
	}
	return P(doc).Header().ID
}
