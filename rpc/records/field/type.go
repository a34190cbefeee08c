// Package field is what a field of a record is, and what its values are: declared by tags, read
// from forms and from the cells of sheets, kept in documents, said in words. It knows no record
// type, no caller and no store.
package field

import "reflect"

// Option is one value of an enum.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
	// Color is that of its tag: success, warning, info, danger, primary; "": it is plain.
	Color string `json:"color,omitempty"`
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
// whose words are label, type, required, max, min, options=a:甲|b:乙:success (with the colour of
// a tag, or none), ref, list, noform,
// search, keyword, sort, fixed, readonly, past, distinct, accept=image|document|video, help,
// width, below, personal, public. A text that is personal is stored sealed, shown masked, shown
// in full to who has <type>.reveal and is written down for it, and if it has a blind index (see
// model.PersonalTag) found as a whole by who has <type>.lookup. Phones, ID numbers and
// addresses are personal, or public where they are an organisation's; a wage is personal by its
// Go type, model.Wage, which forms and sheets fill with an amount of money.
// Its key is the JSON name. Without type the Go type decides: string, int, bool, datetime,
// files for []model.File, enum when there are options, ref or refs when there is a ref.
// Texts are stored and searched in their normal form (package normal); of a password
// (type=password) each character counts. Other words for the label of an option, which
// imports take, are in options.go.
// type=image is one picture, also a []model.File; type=richtext a string of HTML. The max
// of files is their number, that of scores the best mark.
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
	Below    bool     `json:"below,omitempty"` // a column where the list stands below another record
	ShowIf   *ShowIf  `json:"showIf,omitempty"`

	// Max and Min bound the length of a text and the value of a number.
	Max int64 `json:"max,omitempty"`
	Min int64 `json:"min,omitempty"`
	// Accept are the kinds of files that it takes: image, document, video; empty: all.
	Accept []string `json:"accept,omitempty"`
	// Keyword: the list's one search box looks into it too.
	Keyword bool `json:"-"`
	// Sort: the list may be sorted by it; it needs an index.
	Sort bool `json:"sortable,omitempty"`
	// Seconds: they matter in this moment, which is otherwise read to the minute.
	Seconds bool `json:"seconds,omitempty"`
	// Past: a date that may not lie in the future.
	Past bool `json:"-"`
	// Distinct: of several values none may be named twice. Their number is bounded by Max.
	Distinct bool `json:"-"`
	// Resolver names the Ref that answers when it is not the one called Ref, e.g. one
	// that knows branches only.
	Resolver string `json:"-"`
	// Personal: stored sealed. Public: a phone that everybody may know.
	Personal bool `json:"personal,omitempty"`
	Public   bool `json:"-"`
	// Part: the record is part of the one that this field refers to, which it neither
	// keeps from being deleted nor outlives.
	Part bool `json:"-"`
	// Virtual: shown by Present or read by FromImport, never stored.
	Virtual bool `json:"-"`
	// After places a field that has no tag after another one; First before all, "" at
	// the end.
	After string `json:"-"`

	// What the tags and the Go type say of where its value lies: Index is its way in the struct,
	// nil for what no struct holds; Kind that of the Go type, GoKind the same of one without a
	// name; Stored its name in the store; Blind the name of its blind index, "" without one;
	// MaskedIn the way to where it is kept masked; Owner the name of the record type.
	Index    []int        `json:"-"`
	Kind     reflect.Kind `json:"-"`
	GoKind   reflect.Kind `json:"-"`
	Stored   string       `json:"-"`
	Blind    string       `json:"-"`
	MaskedIn []int        `json:"-"`
	Owner    string       `json:"-"`
}

// Types are the types that a field may have. A decimal is a number as people write it,
// which the type of the record checks; permissions are chosen from those of the product; a
// password is taken as it is typed and never shown.
var Types = []string{
	"string", "text", "richtext", "int", "decimal", "money", "bool", "date", "month", "datetime", "phone", "idNumber",
	"enum", "enums", "ref", "refs", "files", "image", "scores", "permissions", "password",
}

// Enums are the types of fields, for those who read the API.
func (Field) Enums() map[string][]string { return map[string][]string{"type": Types} }

// Enums are the colours of tags.
func (Option) Enums() map[string][]string {
	return map[string][]string{"color": {"success", "warning", "info", "danger", "primary"}}
}

// Held tells that the document itself holds the field.
func (f *Field) Held() bool { return !f.Virtual && f.Index != nil }

// First is the After of a field that comes before all others.
const First = "^"
