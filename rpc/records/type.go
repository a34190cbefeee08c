// Package records is the record engine: a record type is declared once, in its domain
// package, as a document struct with tags and a Type value. From that come the form
// and list schema, scoped reads, validated writes, the Excel template, import, failure
// file and export, and the permissions `<type>.<verb>`. A domain service embeds an
// Engine of its types and so implements the generated Records service.
package records

import (
	"context"
	"zhihuidangjian/rpc/records/field"
	"zhihuidangjian/rpc/records/files"
	"zhihuidangjian/rpc/records/sheet"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Row is a document as the console sees it: its fields by key, and id, version,
// createdAt, _labels and _actions.
//
// The hooks Present and Reveal set what is shown in another way than the document holds
// it; the rest is not in the rows of a list, which are written from the documents.
type Row map[string]any

// Hide takes a field of the document out of the row.
func (r Row) Hide(key string) { r[key] = hidden{} }

type hidden struct{}

// Field is one field of a record type; Option is one value of an enum; ShowIf shows a field of
// the form while another one has one of some values. What they promise stands in package field.
type (
	Field  = field.Field
	Option = field.Option
	ShowIf = field.ShowIf
)

// First is the After of a field that comes before all others.
const First = field.First

// OptionLabels answers for the enums of a struct's tags: the label of a field's value, the value
// itself when it has none.
func OptionLabels[T any]() func(key, value string) string { return field.OptionLabels[T]() }

// PlainText is a rich text without its markup, for sheets and messages.
func PlainText(rich string) string { return field.PlainText(rich) }

// Action is a verb of a record type's own: what it asks for, and what it does. When it may
// run, the type's Life says. Without Do and Run it has a typed use case of its own, since its
// answer is not the record, and the engine only offers it.
type Action[D model.Document] struct {
	Key     string `json:"key"`
	Title   string `json:"title"`
	Confirm string `json:"confirm,omitempty"`
	// Fields are asked for before it runs.
	Fields []Field `json:"fields,omitempty"`
	// Related are the lists that it opens, when it only shows what belongs to the record.
	Related []Related `json:"related,omitempty"`
	// Alone keeps it from being run on several ticked rows at once.
	Alone bool `json:"-"`
	// All lets it be run on everything that a list shows, as work with progress. It refuses what it was
	// done to already, so that a record at which a process dies is not done twice.
	All bool `json:"all,omitempty"`
	// Phone: members run it on their own records, and nobody in the console.
	Phone bool `json:"-"`
	// Opens only opens the record, under a name of its own.
	Opens bool `json:"opens,omitempty"`
	// Permission is "<type>.<key>" unless given.
	Permission string `json:"-"`
	// Do changes the document; it may run more than once, before the write that stores
	// its result. Input holds the checked values of Fields.
	Do func(ctx context.Context, doc D, in Input) error `json:"-"`
	// Run does it by writes of the service's own, where one write of the document is not
	// enough: it asks the Life in the write that decides, has its audit there, and answers
	// the document as it is then. doc is what it was.
	Run func(ctx context.Context, doc D, in Input) (D, error) `json:"-"`
	// Print makes a paper of the document, which stays as it is: a file that opens in a tab.
	Print func(ctx context.Context, doc D) (*gen.File, error) `json:"-"`
	// Done is what the person is told who did it; nil: that it is done.
	Done func(doc D) string `json:"-"`
}

// Input is what a person filled into an action's dialog, by key.
type Input map[string]any

// String is the text of a field, "" when it was left empty.
func (in Input) String(key string) string { s, _ := in[key].(string); return s }

// Files are the checked files of a field.
func (in Input) Files(key string) []model.File { f, _ := in[key].([]model.File); return f }

// Related is a list of another record type that belongs to a record: those whose Field
// names it. Without a Field the record is an organisation, and those of it and of all below
// it are meant, as the type's own list shows them; without a Type nothing is recorded yet,
// and the list is empty.
type Related struct {
	Type  string `json:"type,omitempty"`
	Field string `json:"field,omitempty"`
	Title string `json:"title"`
	// Year is the field by which a year is chosen; empty: all.
	Year string `json:"year,omitempty"`
}

// Place is where members find a record type on the phone. Types of one title share an entry.
type Place = gen.Place

// Own opens a record type to members in WeChat: each sees, and may write as far as is
// said here, the records that Where finds for him, and no other.
type Own[D model.Document] struct {
	Where func(*kit.Caller) bson.D
	// Fields are shown, in this order; Form are those that he fills in.
	Fields, Form           []string
	Create, Update, Delete bool
	// Place is where he finds it on the phone; nil: by other records.
	Place *Place
	// Actions are those of the type that he may run.
	Actions []string
	// Announce tells the admins who may view the type of what he hands in; with an
	// Approval those who may approve always hear of it (JOB-02).
	Announce bool
	// Prepare completes what he sends before the type's own rules see it.
	Prepare func(ctx context.Context, doc D) error
}

// Unique says that no two live documents share the values of some stored fields.
type Unique struct {
	Keys    []string // names in the store
	Field   string   // the field of the form to mark
	Message string
	Partial bson.D // {deleted: false} unless given; equalities only
}

// Type declares one record type, D being the pointer to its document, e.g. *model.Member. Hooks may be nil; they run with the caller beside ctx,
// on an import the one who uploaded the file.
type Type[D model.Document] struct {
	Name  string // e.g. member
	Title string // e.g. 党员
	// Menu is the group of the console's menu that shows it; empty: a page of its own
	// does, or none.
	Menu string
	// Collection holds the documents. The engine ensures its indexes.
	Collection *model.Collection[D]
	Indexes    []model.Index
	// Fields add to or, by key, replace those of the struct's tags.
	Fields []Field
	Only   []string // the fields this type has, of those tagged; empty: all
	Unique []Unique
	// Parts are what it has in common with other types.
	Parts []Part
	// Life is the table of its states and verbs.
	Life    *Life[D]
	Actions []Action[D]
	// Own opens the type to members.
	Own *Own[D]
	// Approval lets an admin decide on what was submitted.
	Approval *Approval[D]
	// Todo is what of it waits for somebody; an Approval brings its own.
	Todo *Todo
	// NameKey is the stored field that holds what messages, and types that refer to it, call
	// a document by. NameOf says it where no field does; without both it is called Title.
	NameKey string
	NameOf  func(D) string
	// Icon is that of its entry in the console's menu, a name of bff/web/console/src/icons.ts.
	Icon string
	// Section is that of the manual, e.g. "5.3", which orders the entries of a menu.
	Section string
	// Tab is the page that it shares with other types of its menu; empty: it has its own.
	Tab string
	// DefaultSort is "-createdAt" unless given.
	DefaultSort string

	NoCreate, NoUpdate, NoDelete, NoExport bool
	// Leaves: a record that others refer to may be deleted; their history still names it.
	Leaves bool
	// WithMember: the records are about a member (memberId) and move with him to another
	// branch: his history is read there. Set by AboutMember unless the type Stays: its records
	// are of the branch where they were made.
	WithMember, Stays bool
	// Global: platform-wide records, read by every admin and written by the top
	// level's only.
	Global bool
	// Anyone: whoever has the permission writes the platform-wide records, below the top level too.
	Anyone bool
	// Open: every admin may read them, whatever his permissions, since forms choose
	// from them.
	Open bool
	// SharedIndexes: somebody else ensures the collection's indexes.
	SharedIndexes bool
	// Quiet: the documents emit no events, and the relay looks for none.
	Quiet bool

	// Columns of the import template, keys in order. Empty: no import.
	Columns []string
	// Exports are the fields of an export that asks for none, in order; empty: all.
	Exports []string
	// ImportChunk is how many rows are stored at once, 500 unless given; 1 when a row
	// may refer to an earlier one.
	ImportChunk int
	// Once are the import columns that name what a row is about, e.g. member and month:
	// rows of one file that agree in them and differ in others are refused together, since
	// nobody knows which of them is meant.
	Once []string
	// BeforeImport sees the rows of a chunk (column key → text), to look up together
	// what FromImport needs; it may put it beside the context.
	BeforeImport func(ctx context.Context, rows []map[string]string) (context.Context, error)
	// FromImport completes a document from a row's texts.
	FromImport func(ctx context.Context, row map[string]string, doc D) error

	// Also is an organisation whose records, without those below it, the people of another one read beside
	// those of their subtree: on the phone too, where the record is then found as in the console. "": none.
	Also func(ctx context.Context, orgID string) (string, error)
	// Where adds to every read, e.g. {status: active}. It sees the list's filters.
	Where func(ctx context.Context, filters map[string]string) bson.D
	// Listed adds to what lists find, e.g. those not yet over unless they are asked for; a
	// record that it leaves out can be opened still. It sees the list's filters.
	Listed func(ctx context.Context, filters map[string]string) bson.D
	// Filter answers for filters that are not plain: the part to add, and true.
	Filter func(ctx context.Context, key, value string) (bson.D, bool, error)
	// Keyword adds alternatives to the search box, e.g. a blind index.
	Keyword func(ctx context.Context, keyword string) []bson.D

	// BeforeSave checks and completes, with personal fields open; old is nil for a new
	// document. It may return
	// kit.InvalidFields. OrgID decides the place; the engine fills Orgs unless the hook
	// changed it, and refuses a place outside the caller's scope.
	BeforeSave func(ctx context.Context, old, new D) error
	// Placed: BeforeSave sets Orgs itself, beyond the path of OrgID.
	Placed bool
	// Store replaces the insertion of new documents, e.g. by an upsert; the answer maps
	// positions to errors.
	Store func(ctx context.Context, docs []D) (map[int]error, error)
	// BeforeDelete refuses, or changes what is saved with the deletion. It may run
	// more than once.
	BeforeDelete func(ctx context.Context, doc D) error
	// Follow does in other documents what a change of this one asks for: created, changed,
	// acted on, imported or deleted (doc.Deleted). It runs after the write, and again
	// after a crash until it returned nil: it must be idempotent. FollowWhen spares the
	// documents that ask for nothing.
	Follow     func(ctx context.Context, doc D) error
	FollowWhen func(doc D) bool
	// Related are the lists that a record's page shows below it.
	Related []Related
	// Viewed runs when an admin opens one record, e.g. to mark it read.
	Viewed func(ctx context.Context, doc D) error
	// Ready runs once when the service starts, e.g. to store defaults.
	Ready func(ctx context.Context) error
	// Present completes rows for people; docs and rows run in step.
	Present func(ctx context.Context, docs []D, rows []Row) error
	// Reveal puts what else is masked into a row as it is, for callers with
	// `<type>.reveal`. The document's own personal fields are there already.
	Reveal func(ctx context.Context, doc D, row Row) error
	// Rehome moves the documents with an organisation in its own way: for those whose
	// Orgs are not the path of their OrgID.
	Rehome func(ctx context.Context, orgID string, path []string) error
	// Summary is what the list shows beside its rows; filter holds the scope too.
	Summary func(ctx context.Context, filter bson.D) (map[string]string, error)

	running *recordType // once an engine has it
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

// MostUpload bounds any upload, in bytes.
const MostUpload = files.MostUpload

// ForPortal gives the pictures of a record's rich text the addresses at which the portal shows them.
func ForPortal(rich, typ, id string) string { return field.ServeImages(rich, "portal", typ, id) }

// Harmless keeps a text from being taken for a formula (sheet.Harmless).
func Harmless(s string) string { return sheet.Harmless(s) }

// Todo is what of a type waits for somebody (待办): the records that a filter of its list finds. The
// console's first page counts them for who may do the action Verb.
type Todo struct {
	Title, Filter, Value, Verb string
}
