package model

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
	"unsafe"

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
	e, err := source{doc, string(doc)}.elements()
	if err != nil {
		return err
	}
	return s.decode(e, v.UnsafePointer())
}

// DecodeList decodes the documents of a list into the slice of structs that out points to.
// The list, an answer's, must not be written to any more: their strings are cut from it.
func DecodeList(list []byte, out any) error {
	all := reflect.ValueOf(out).Elem()
	of := shapeOf(all.Type().Elem())
	e, err := source{list, unsafe.String(unsafe.SliceData(list), len(list))}.elements()
	if err != nil {
		return err
	}
	e.kind, e.from, e.at = bson.TypeArray, 0, len(list)
	n, err := e.count()
	if err != nil {
		return err
	}
	all.Set(reflect.MakeSlice(all.Type(), n, n))
	i := -1
	return e.each(func(one *elements) error {
		i++
		doc := all.Index(i).Addr()
		if of == nil || one.kind != bson.TypeEmbeddedDocument {
			return load(one.bytes(), doc.Interface())
		}
		in, err := one.inside()
		if err == nil {
			err = of.decode(in, doc.UnsafePointer())
		}
		if err == nil {
			loaded(doc.Interface())
		}
		return err
	})
}

// source is a document, or a part of one, twice: as bytes and as text to cut strings from.
type source struct {
	raw  []byte
	text string
}

var errBSON = errors.New("malformed BSON")

// elements walks through a document: next goes on to the next element, of which first the
// name is read and then the value.
type elements struct {
	source
	at   int // behind what was read
	from int // where the value begins that ends at at
	kind bson.Type
}

func (s source) elements() (elements, error) {
	if len(s.raw) < 5 || int(binary.LittleEndian.Uint32(s.raw)) != len(s.raw) || s.raw[len(s.raw)-1] != 0 {
		return elements{}, errBSON
	}
	return elements{source: s, at: 4}, nil
}

func (e *elements) next() bool {
	if e.at >= len(e.raw)-1 { // the document ends with a zero
		return false
	}
	e.kind = bson.Type(e.raw[e.at])
	e.at++
	return true
}

// named reads the element's name if it is this one.
func (e *elements) named(name string) bool {
	end := e.at + len(name)
	if end >= len(e.raw) || e.raw[end] != 0 || e.text[e.at:end] != name {
		return false
	}
	e.at = end + 1
	return true
}

// name reads the element's name.
func (e *elements) name() (string, error) {
	n := strings.IndexByte(e.text[e.at:], 0)
	if n < 0 {
		return "", errBSON
	}
	name := e.text[e.at : e.at+n]
	e.at += n + 1
	return name, nil
}

// value reads what the element holds.
func (e *elements) value() error {
	size := sizeOf(bsoncore.Type(e.kind), e.raw[e.at:])
	if size < 0 || size >= len(e.raw)-e.at {
		return errBSON
	}
	e.from, e.at = e.at, e.at+size
	return nil
}

// bytes are the value's.
func (e *elements) bytes() []byte { return e.raw[e.from:e.at:e.at] }

// string is the value, which is one.
func (e *elements) string() string { return e.text[e.from+4 : e.at-1] }

// inside are the elements of the value, a document or a list.
func (e *elements) inside() (elements, error) {
	return source{e.bytes(), e.text[e.from:e.at]}.elements()
}

// each hands on the elements of the value, a list.
func (e *elements) each(f func(one *elements) error) error {
	list, err := e.inside()
	if err != nil {
		return err
	}
	for list.next() {
		if _, err := list.name(); err != nil {
			return err
		}
		if err := list.value(); err != nil {
			return err
		}
		if err := f(&list); err != nil {
			return err
		}
	}
	return nil
}

// count counts the elements of the value, a list.
func (e *elements) count() (n int, err error) {
	err = e.each(func(*elements) error { n++; return nil })
	return n, err
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
	name   string
	offset uintptr // from the struct's beginning
	set    setter
}

// setter puts the value at hand into the field that p points to. A document has some fifty of
// them and a list a thousand: going through reflection to each took as long again.
type setter func(e *elements, p unsafe.Pointer) error

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
	if own(t) || !s.add(t, 0) {
		s = nil
	}
	shapes.Store(t, s)
	return s
}

// add collects the fields of a struct, false when one asks for what only the driver does.
func (s *shape) add(t reflect.Type, from uintptr) bool {
	for f := range t.Fields() {
		name, words, _ := strings.Cut(f.Tag.Get("bson"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if strings.Contains(words, "inline") {
			if f.Type.Kind() != reflect.Struct || !s.add(f.Type, from+f.Offset) {
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
		s.fields = append(s.fields, place{name, from + f.Offset, setterOf(f.Type)})
	}
	return true
}

// decode fills the struct that out points to, which is of this shape.
func (s *shape) decode(e elements, out unsafe.Pointer) error {
	for i := 0; e.next(); i++ {
		if i >= len(s.fields) || !e.named(s.fields[i].name) { // not as it is written today
			name, err := e.name()
			if err != nil {
				return err
			}
			known, ok := s.at[name]
			if !ok {
				known, ok = s.at[strings.ToLower(name)] // as the driver does
			}
			if !ok {
				if err := e.value(); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				i--
				continue
			}
			i = known
		}
		f := &s.fields[i]
		err := e.value()
		if err == nil {
			err = f.set(&e, unsafe.Add(out, f.offset))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// byDriver decodes one value as the driver does.
func byDriver(to reflect.Type) setter {
	return func(e *elements, p unsafe.Pointer) error {
		return bson.RawValue{Type: e.kind, Value: e.bytes()}.Unmarshal(reflect.NewAt(to, p).Interface())
	}
}

func setterOf(t reflect.Type) setter {
	other := byDriver(t)
	switch {
	case own(t):
		return other
	case t == timeType:
		return timeSetter(other)
	}
	switch t.Kind() {
	case reflect.String:
		return stringSetter(other)
	case reflect.Int:
		return intSetter[int](other)
	case reflect.Int32:
		return intSetter[int32](other)
	case reflect.Int64:
		return intSetter[int64](other)
	case reflect.Bool:
		return boolSetter(other)
	case reflect.Struct:
		return structSetter(t, other)
	case reflect.Pointer:
		if k := t.Elem().Kind(); k == reflect.Pointer || own(t.Elem()) {
			return other
		}
		inner := setterOf(t.Elem())
		return func(e *elements, p unsafe.Pointer) error {
			v := reflect.NewAt(t, p).Elem()
			if e.kind == bson.TypeNull || e.kind == bson.TypeUndefined {
				v.SetZero()
				return nil
			}
			if v.IsNil() {
				v.Set(reflect.New(t.Elem()))
			}
			return inner(e, v.UnsafePointer())
		}
	case reflect.Slice:
		if t == stringsType {
			return stringsSetter(other)
		}
		if k := t.Elem().Kind(); k != reflect.String && k != reflect.Struct || own(t.Elem()) {
			return other // bytes too, whose form is another
		}
		return sliceSetter(t, other)
	}
	return other
}

func sliceSetter(t reflect.Type, other setter) setter {
	// Found when it is needed: a struct may hold a list of itself.
	inner := sync.OnceValue(func() setter { return setterOf(t.Elem()) })
	return func(e *elements, p unsafe.Pointer) error {
		if e.kind != bson.TypeArray {
			return other(e, p)
		}
		n, err := e.count()
		if err != nil {
			return err
		}
		list := reflect.MakeSlice(t, n, n)
		i := 0
		err = e.each(func(one *elements) error {
			i++
			return inner()(one, list.Index(i-1).Addr().UnsafePointer())
		})
		reflect.NewAt(t, p).Elem().Set(list)
		return err
	}
}

func stringSetter(other setter) setter {
	return func(e *elements, p unsafe.Pointer) error {
		if e.kind != bson.TypeString {
			return other(e, p)
		}
		*(*string)(p) = e.string()
		return nil
	}
}

func stringsSetter(other setter) setter {
	set := stringSetter(byDriver(reflect.TypeFor[string]()))
	return func(e *elements, p unsafe.Pointer) error {
		if e.kind != bson.TypeArray {
			return other(e, p)
		}
		list := make([]string, 0, (e.at-e.from)/16) // ids take more
		err := e.each(func(one *elements) error {
			list = append(list, "")
			return set(one, unsafe.Pointer(&list[len(list)-1]))
		})
		*(*[]string)(p) = list
		return err
	}
}

func intSetter[N int | int32 | int64](other setter) setter {
	wide := unsafe.Sizeof(N(0)) == 8
	return func(e *elements, p unsafe.Pointer) error {
		switch {
		case e.kind == bson.TypeInt64 && wide:
			*(*N)(p) = N(binary.LittleEndian.Uint64(e.bytes()))
		case e.kind == bson.TypeInt32:
			*(*N)(p) = N(int32(binary.LittleEndian.Uint32(e.bytes())))
		default:
			return other(e, p)
		}
		return nil
	}
}

func boolSetter(other setter) setter {
	return func(e *elements, p unsafe.Pointer) error {
		if e.kind != bson.TypeBoolean || e.raw[e.from] > 1 {
			return other(e, p)
		}
		*(*bool)(p) = e.raw[e.from] != 0
		return nil
	}
}

func timeSetter(other setter) setter {
	return func(e *elements, p unsafe.Pointer) error {
		if e.kind != bson.TypeDateTime {
			return other(e, p)
		}
		*(*time.Time)(p) = time.UnixMilli(int64(binary.LittleEndian.Uint64(e.bytes()))).UTC()
		return nil
	}
}

func structSetter(t reflect.Type, other setter) setter {
	return func(e *elements, p unsafe.Pointer) error {
		shape := shapeOf(t)
		if e.kind != bson.TypeEmbeddedDocument || shape == nil {
			return other(e, p)
		}
		in, err := e.inside()
		if err != nil {
			return err
		}
		return shape.decode(in, p)
	}
}

// Loader is a document that wants to know when it was read, as it was.
type Loader interface{ Loaded() }

func load(raw bson.Raw, doc any) error {
	if err := Decode(raw, doc); err != nil {
		return err
	}
	loaded(doc)
	return nil
}

func loaded(doc any) {
	if l, ok := doc.(Loader); ok {
		l.Loaded()
	}
}
