package model

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Decode reads a document into the struct that out points to, as bson.Unmarshal does into
// a new one, at a fraction of its cost: what a type's fields are called is found out once,
// and all strings of a document share one piece of memory. What is not a plain string,
// number, time, bool, struct or list of these is left to the driver.
func Decode(doc bson.Raw, out any) error {
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return bson.Unmarshal(doc, out)
	}
	s := shapeOf(v.Type().Elem())
	if s == nil {
		return bson.Unmarshal(doc, out)
	}
	return s.decode(source{doc, string(doc)}, v.Elem())
}

// source is a document, or a part of one, twice: as bytes and as text to cut strings from.
type source struct {
	raw  []byte
	text string
}

func (s source) part(from, to int) source { return source{s.raw[from:to:to], s.text[from:to]} }

var errBSON = errors.New("malformed BSON")

// each hands on the elements of a document.
func (s source) each(f func(key string, t bson.Type, v source) error) error {
	if len(s.raw) < 5 || int(binary.LittleEndian.Uint32(s.raw)) != len(s.raw) {
		return errBSON
	}
	for at := 4; at < len(s.raw)-1; {
		kind := bsoncore.Type(s.raw[at])
		end := strings.IndexByte(s.text[at+1:], 0)
		if end < 0 {
			return errBSON
		}
		key := s.text[at+1 : at+1+end]
		at += end + 2
		size := sizeOf(kind, s.raw[at:])
		if size < 0 || size >= len(s.raw)-at { // the document ends with a zero
			return errBSON
		}
		if err := f(key, bson.Type(kind), s.part(at, at+size)); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		at += size
	}
	return nil
}

// sizeOf is how many bytes a value takes that raw begins with; negative: none that is well
// formed. It need not fit raw.
func sizeOf(kind bsoncore.Type, raw []byte) int {
	switch kind {
	case bsoncore.TypeBoolean:
		return 1
	case bsoncore.TypeInt32:
		return 4
	case bsoncore.TypeInt64, bsoncore.TypeDateTime:
		return 8
	case bsoncore.TypeString, bsoncore.TypeEmbeddedDocument, bsoncore.TypeArray:
		if len(raw) < 5 {
			return -1
		}
		n := int(int32(binary.LittleEndian.Uint32(raw)))
		if kind != bsoncore.TypeString && n >= 5 {
			return n
		}
		if kind != bsoncore.TypeString || n < 1 || 4+n > len(raw) || raw[4+n-1] != 0 {
			return -1
		}
		return 4 + n
	}
	v, _, ok := bsoncore.ReadValue(raw, kind)
	if !ok {
		return -1
	}
	return len(v.Data)
}

// shape is what is known of a struct type.
type shape struct {
	fields []place // in the order in which they are stored
	at     map[string]int
}

// place is one field of a struct.
type place struct {
	name  string
	index []int
	set   setter
}

// setter puts a stored value into a field.
type setter func(t bson.Type, s source, v reflect.Value) error

var (
	shapes      sync.Map // reflect.Type → *shape; nil: the driver must decode it
	timeType    = reflect.TypeFor[time.Time]()
	stringsType = reflect.TypeFor[[]string]()
	foreign     = []reflect.Type{reflect.TypeFor[bson.Unmarshaler](), reflect.TypeFor[bson.ValueUnmarshaler]()}
)

// own tells that a type decodes itself, or is one of the driver's.
func own(t reflect.Type) bool {
	if strings.HasPrefix(t.PkgPath(), "go.mongodb.org/") {
		return true
	}
	for _, i := range foreign {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{at: map[string]int{}}
	if own(t) || !s.add(t, nil) {
		s = nil
	}
	shapes.Store(t, s)
	return s
}

// add collects the fields of a struct, false when one asks for what only the driver does.
func (s *shape) add(t reflect.Type, above []int) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		name, words, _ := strings.Cut(f.Tag.Get("bson"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		index := append(above[:len(above):len(above)], i)
		if strings.Contains(words, "inline") {
			if f.Type.Kind() != reflect.Struct || !s.add(f.Type, index) {
				return false
			}
			continue
		}
		if f.Anonymous || strings.Contains(words, "truncate") {
			return false
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		s.at[name] = len(s.fields)
		s.fields = append(s.fields, place{name, index, setterOf(f.Type)})
	}
	return true
}

func (s *shape) decode(doc source, out reflect.Value) error {
	next := 0
	return doc.each(func(key string, t bson.Type, v source) error {
		i := next
		if i >= len(s.fields) || s.fields[i].name != key {
			var ok bool
			if i, ok = s.at[key]; !ok {
				return nil
			}
		}
		next = i + 1
		p := &s.fields[i]
		field := out
		for _, n := range p.index {
			field = field.Field(n)
		}
		return p.set(t, v, field)
	})
}

// byDriver decodes one value as the driver does.
func byDriver(t bson.Type, s source, v reflect.Value) error {
	return bson.RawValue{Type: t, Value: s.raw}.Unmarshal(v.Addr().Interface())
}

func setterOf(t reflect.Type) setter {
	switch {
	case own(t):
		return byDriver
	case t == timeType:
		return setTime
	}
	switch t.Kind() {
	case reflect.String:
		return setString
	case reflect.Int, reflect.Int32, reflect.Int64:
		return setInt
	case reflect.Bool:
		return setBool
	case reflect.Struct:
		return setStruct
	case reflect.Pointer:
		if k := t.Elem().Kind(); k == reflect.Pointer || own(t.Elem()) {
			return byDriver
		}
		inner := setterOf(t.Elem())
		return func(b bson.Type, s source, v reflect.Value) error {
			if b == bson.TypeNull {
				v.SetZero()
				return nil
			}
			v.Set(reflect.New(t.Elem()))
			return inner(b, s, v.Elem())
		}
	case reflect.Slice:
		if t == stringsType {
			return setStrings
		}
		if k := t.Elem().Kind(); k != reflect.String && k != reflect.Struct || own(t.Elem()) {
			return byDriver // bytes too, whose form is another
		}
		var inner setter // found when it is needed: a struct may hold a list of itself
		var once sync.Once
		return func(b bson.Type, s source, v reflect.Value) error {
			if b != bson.TypeArray {
				return byDriver(b, s, v)
			}
			once.Do(func() { inner = setterOf(t.Elem()) })
			n := 0
			if err := s.each(func(string, bson.Type, source) error { n++; return nil }); err != nil {
				return err
			}
			list := reflect.MakeSlice(t, n, n)
			i := 0
			err := s.each(func(_ string, b bson.Type, e source) error { i++; return inner(b, e, list.Index(i-1)) })
			v.Set(list)
			return err
		}
	}
	return byDriver
}

func setString(t bson.Type, s source, v reflect.Value) error {
	if t != bson.TypeString {
		return byDriver(t, s, v)
	}
	v.SetString(s.text[4 : len(s.text)-1])
	return nil
}

func setStrings(t bson.Type, s source, v reflect.Value) error {
	if t != bson.TypeArray {
		return byDriver(t, s, v)
	}
	list := make([]string, 0, len(s.raw)/16) // ids take more
	err := s.each(func(_ string, t bson.Type, e source) error {
		var text string
		if t != bson.TypeString {
			if err := byDriver(t, e, reflect.ValueOf(&text).Elem()); err != nil {
				return err
			}
		} else {
			text = e.text[4 : len(e.text)-1]
		}
		list = append(list, text)
		return nil
	})
	*v.Addr().Interface().(*[]string) = list
	return err
}

func setInt(t bson.Type, s source, v reflect.Value) error {
	switch {
	case t == bson.TypeInt64 && v.Kind() != reflect.Int32:
		v.SetInt(int64(binary.LittleEndian.Uint64(s.raw)))
	case t == bson.TypeInt32:
		v.SetInt(int64(int32(binary.LittleEndian.Uint32(s.raw))))
	default:
		return byDriver(t, s, v)
	}
	return nil
}

func setBool(t bson.Type, s source, v reflect.Value) error {
	if t != bson.TypeBoolean {
		return byDriver(t, s, v)
	}
	v.SetBool(s.raw[0] != 0)
	return nil
}

func setTime(t bson.Type, s source, v reflect.Value) error {
	if t != bson.TypeDateTime {
		return byDriver(t, s, v)
	}
	*v.Addr().Interface().(*time.Time) = time.UnixMilli(int64(binary.LittleEndian.Uint64(s.raw))).UTC()
	return nil
}

func setStruct(t bson.Type, s source, v reflect.Value) error {
	shape := shapeOf(v.Type())
	if t != bson.TypeEmbeddedDocument || shape == nil {
		return byDriver(t, s, v)
	}
	return shape.decode(s, v)
}
