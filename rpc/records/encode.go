package records

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/bytedance/sonic"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/field"
)

// encoding writes answers as encoding/json does but for the order of their keys: sorting and
// reflecting on a page of maps cost more than reading it from the store.
var encoding = sonic.Config{EscapeHTML: true, CompactMarshaler: true, ValidateString: true}.Froze()

// encoded is an answer that is JSON already.
type encoded []byte

// head are the keys of every row; headOf is what they say.
var head = []string{"id", "version", "orgId", "createdAt", "updatedAt"}

func headOf(h *model.Base, key string) any {
	switch key {
	case "id":
		return h.ID
	case "version":
		return h.Version
	case "orgId":
		return h.OrgID
	case "createdAt":
		return field.ShowTime(h.CreatedAt)
	}
	return field.ShowTime(h.UpdatedAt)
}

// kept are the keys of a list that the caller is shown and asked for; nil: everything.
func (t *recordType) kept(ctx context.Context, columns []string) map[string]bool {
	var keep map[string]bool
	if kit.CallerOf(ctx).Kind == kit.Member {
		keep = t.keep()
	}
	if len(columns) == 0 {
		return keep
	}
	out := map[string]bool{"id": true, "version": true, "_labels": true, "_actions": true}
	for _, key := range columns {
		out[key] = keep == nil || keep[key]
	}
	return out
}

// encode writes the items of a list up to their closing bracket: what rows say, and from
// the documents what they do not, of the keys to keep. A page has a thousand values;
// putting them into maps and taking them out again cost more than all else.
func (t *recordType) encode(docs []model.Document, rows []Row, keep map[string]bool) (b []byte, err error) {
	kept := func(key string) bool { return keep == nil || keep[key] }
	// What a document holds has a column; what rows add comes as it comes.
	columns := make([]column, 0, len(head)+len(t.fields))
	at := make(map[string]int, cap(columns))
	for _, key := range head {
		if f := t.byKey[key]; (f == nil || !f.Held()) && kept(key) {
			at[key], columns = len(columns), append(columns, column{key: key})
		}
	}
	for _, f := range t.fields {
		if f.Held() && kept(f.Key) {
			at[f.Key], columns = len(columns), append(columns, column{f.Key, f})
		}
	}
	b = append(make([]byte, 0, 1024*(len(docs)+1)), `{"items":[`...)
	said := make([]any, len(columns)) // by the row, for what the document holds; nil: nothing
	for i, d := range docs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		clear(said)
		for key, x := range rows[i] {
			if n, ok := at[key]; ok {
				if said[n] = x; x == nil {
					said[n] = null{}
				}
			} else if x != (hidden{}) && kept(key) {
				if b, err = appendValue(appendKey(b, key), x); err != nil {
					return nil, err
				}
			}
		}
		v, h := reflect.ValueOf(d).Elem(), d.Header()
		for n, c := range columns {
			switch {
			case said[n] == hidden{}:
				continue
			case said[n] != nil:
				b, err = appendValue(appendKey(b, c.key), said[n])
			case c.field == nil:
				b, err = appendValue(appendKey(b, c.key), headOf(h, c.key))
			default:
				b, err = appendField(c.field, appendKey(b, c.key), v)
			}
			if err != nil {
				return nil, err
			}
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// column is what a list shows of every document: one of head, or a field.
type column struct {
	key   string
	field *Field
}

// null is a nil that a row says.
type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// appendKey begins a member of the object that b ends in.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), key...), `":`...)
}

// append writes the field's value as read gives it.
func appendField(f *Field, b []byte, doc reflect.Value) ([]byte, error) {
	switch v := doc.FieldByIndex(f.Index); f.GoKind {
	case reflect.String:
		return appendText(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	}
	return appendValue(b, f.Read(doc))
}

func appendValue(b []byte, x any) ([]byte, error) {
	switch x := x.(type) {
	case string:
		return appendText(b, x)
	case bool:
		return strconv.AppendBool(b, x), nil
	case int64:
		return strconv.AppendInt(b, x, 10), nil
	case int:
		return strconv.AppendInt(b, int64(x), 10), nil
	case map[string]string: // labels
		if x == nil {
			return append(b, "null"...), nil
		}
		b = append(b, '{')
		for k, v := range x {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			var err error
			if b, err = appendText(b, k); err == nil {
				b, err = appendText(append(b, ':'), v)
			}
			if err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case []string:
		if x == nil {
			return append(b, "null"...), nil
		}
		b = append(b, '[')
		for i, s := range x {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendText(b, s); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	j, err := encoding.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return append(b, j...), nil
}

// needsEscape are the bytes of which a text may need escapes.
var needsEscape = func() (t [256]bool) {
	for c := range ' ' {
		t[c] = true
	}
	for _, c := range []byte{'"', '\\', '<', '>', '&', 0xE2} { // the last of U+2028
		t[c] = true
	}
	return t
}()

// appendText quotes a text; one that needs escapes is left to the encoder.
func appendText(b []byte, s string) ([]byte, error) {
	ascii := true
	for i := range len(s) {
		c := s[i]
		if needsEscape[c] {
			j, err := encoding.Marshal(s)
			if err != nil {
				return nil, fmt.Errorf("encode: %w", err)
			}
			return append(b, j...), nil
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return append(append(append(b, '"'), s...), '"'), nil
}

func answer(v any, err error) (*gen.JSON, error) {
	if err != nil {
		return nil, Mapped(err)
	}
	if b, ok := v.(encoded); ok {
		return &gen.JSON{Json: b}, nil
	}
	b, err := encoding.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return &gen.JSON{Json: b}, nil
}
