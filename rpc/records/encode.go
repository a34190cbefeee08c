package records

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/bytedance/sonic"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
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
		return showTime(h.CreatedAt)
	}
	return showTime(h.UpdatedAt)
}

// held tells that the document itself holds the field.
func (f *Field) held() bool { return !f.Virtual && f.index != nil }

// kept are the keys of a list that the caller is shown and asked for; nil: everything.
func (t *Type[T, P]) kept(ctx context.Context, columns []string) map[string]bool {
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
func (t *Type[T, P]) encode(docs []*T, rows []Row, keep map[string]bool) (b []byte, err error) {
	kept := func(key string) bool { return keep == nil || keep[key] }
	heads, fields := make([]string, 0, len(head)), make([]*Field, 0, len(t.fields))
	for _, key := range head {
		if f := t.byKey[key]; (f == nil || !f.held()) && kept(key) {
			heads = append(heads, key)
		}
	}
	for _, f := range t.fields {
		if f.held() && kept(f.Key) {
			fields = append(fields, f)
		}
	}
	b = append(make([]byte, 0, 1024*(len(docs)+1)), `{"items":[`...)
	for i, d := range docs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		r, v, h := rows[i], reflect.ValueOf(d).Elem(), P(d).Header()
		// put writes one key, with the row's value or what from writes.
		put := func(key string, from func() error) error {
			x, said := r[key]
			if x == (hidden{}) {
				return nil
			}
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(append(append(b, '"'), key...), `":`...)
			if !said {
				return from()
			}
			b, err = appendValue(b, x)
			return err
		}
		for _, key := range heads {
			if err = put(key, func() error { b, err = appendValue(b, headOf(h, key)); return err }); err != nil {
				return nil, err
			}
		}
		for _, f := range fields {
			if err = put(f.Key, func() error { b, err = f.append(b, v); return err }); err != nil {
				return nil, err
			}
		}
		for key := range r {
			if f := t.byKey[key]; !kept(key) || f != nil && f.held() || slices.Contains(head, key) {
				continue
			}
			if err = put(key, nil); err != nil {
				return nil, err
			}
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// append writes the field's value as read gives it.
func (f *Field) append(b []byte, doc reflect.Value) ([]byte, error) {
	v := doc.FieldByIndex(f.index)
	if v.Type().PkgPath() == "" { // a type with a name may encode itself
		switch v.Kind() {
		case reflect.String:
			return appendText(b, v.String())
		case reflect.Bool:
			return strconv.AppendBool(b, v.Bool()), nil
		case reflect.Int, reflect.Int32, reflect.Int64:
			return strconv.AppendInt(b, v.Int(), 10), nil
		}
	}
	return appendValue(b, f.read(doc))
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

// appendText quotes a text; one that needs escapes is left to the encoder.
func appendText(b []byte, s string) ([]byte, error) {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&', c == 0xE2: // of U+2028
			j, err := encoding.Marshal(s)
			if err != nil {
				return nil, fmt.Errorf("encode: %w", err)
			}
			return append(b, j...), nil
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii && !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return append(append(append(b, '"'), s...), '"'), nil
}
