package field

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"zhihuidangjian/model"
)

var (
	timeType = reflect.TypeFor[time.Time]()
	wageType = reflect.TypeFor[model.Wage]()
)

// Of reads the record tags of a struct and merges the declared fields into them.
func Of(document reflect.Type, declared []Field, only []string) ([]*Field, error) {
	places := map[string]*Field{} // every field of the struct, tagged or not
	stored := map[string][]int{}  // the same and those without a JSON name, by their name in the store
	var out []*Field
	var walk func(reflect.Type, []int) error
	walk = func(t reflect.Type, at []int) error {
		for i := range t.NumField() {
			sf := t.Field(i)
			index := append(slices.Clone(at), i)
			if sf.Anonymous {
				if err := walk(sf.Type, index); err != nil {
					return err
				}
				continue
			}
			inStore, _, _ := strings.Cut(sf.Tag.Get("bson"), ",")
			stored[inStore] = index
			key, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
			tag, tagged := sf.Tag.Lookup("record")
			if key == "" || key == "-" {
				if tagged {
					return fmt.Errorf("field %s has a record tag but no JSON name", sf.Name)
				}
				continue
			}
			f := &Field{Key: key, Form: true, Index: index, Kind: sf.Type.Kind()}
			if sf.Type.PkgPath() == "" { // a type with a name may encode itself
				f.GoKind = sf.Type.Kind()
			}
			f.Stored = inStore
			if err := f.parseTag(tag); err != nil {
				return err
			}
			f.Personal = f.Personal || sf.Type == wageType
			if f.Type == "" {
				f.infer(sf.Type)
			}
			places[key] = f
			if tagged && (len(only) == 0 || slices.Contains(only, key)) {
				out = append(out, f)
			}
		}
		return nil
	}
	if err := walk(document, nil); err != nil {
		return nil, err
	}
	for _, d := range declared {
		f := &d
		if p := places[d.Key]; p != nil && !d.Virtual {
			f.Index, f.Stored, f.Kind, f.GoKind = p.Index, p.Stored, p.Kind, p.GoKind
			f.Personal, f.Public = p.Personal, p.Public // how it is stored
			if f.Type == "" {
				f.Type = p.Type
			}
		} else {
			f.Virtual = true
			if f.Type == "" {
				f.Type = "string"
			}
		}
		if len(f.Options) > 0 && f.Type == "string" {
			f.Type = "enum"
		}
		if f.Ref != "" && f.Type == "string" {
			f.Type = "ref"
		}
		if i := slices.IndexFunc(out, func(o *Field) bool { return o.Key == f.Key }); i >= 0 {
			out[i] = f
		} else if f.After == First {
			out = slices.Insert(out, 0, f)
		} else if i := slices.IndexFunc(out, func(o *Field) bool { return o.Key == f.After }); i >= 0 {
			out = slices.Insert(out, i+1, f)
		} else {
			out = append(out, f)
		}
	}
	for _, f := range out {
		if f.Personal {
			blind, masked := model.PersonalNames(f.Stored)
			if stored[blind] != nil {
				f.Blind = blind
			}
			f.MaskedIn = stored[masked]
		}
		if f.Max == 0 {
			switch f.Type {
			case "string":
				f.Max = 100
			case "text":
				f.Max = 5000
			case "richtext":
				f.Max = 100_000
			case "files":
				f.Max = 10
			case "image":
				f.Max = 1
			}
		}
	}
	return out, nil
}

func (f *Field) parseTag(tag string) error {
	for w := range strings.SplitSeq(tag, ",") {
		word, v, _ := strings.Cut(w, "=")
		var err error
		switch word {
		case "":
		case "label":
			f.Label = v
		case "type":
			f.Type = v
		case "required":
			f.Required = true
		case "max":
			f.Max, err = strconv.ParseInt(v, 10, 64)
		case "min":
			f.Min, err = strconv.ParseInt(v, 10, 64)
		case "options":
			for o := range strings.SplitSeq(v, "|") {
				value, label, _ := strings.Cut(o, ":")
				label, colour, _ := strings.Cut(label, ":")
				f.Options = append(f.Options, Option{Value: value, Label: label, Color: colour})
			}
		case "ref":
			f.Ref = v
		case "list":
			f.List = true
		case "noform":
			f.Form = false
		case "search":
			f.Search = true
		case "keyword":
			f.Keyword = true
		case "sort":
			f.Sort = true
		case "below":
			f.Below = true
		case "fixed":
			f.Fixed = true
		case "readonly":
			f.ReadOnly, f.Form = true, false
		case "past":
			f.Past = true
		case "seconds":
			f.Seconds = true
		case model.PersonalTag:
			f.Personal = true
		case "public":
			f.Public = true
		case "distinct":
			f.Distinct = true
		case "accept":
			f.Accept = strings.Split(v, "|")
		case "help":
			f.Help = v
		case "width":
			f.Width, err = strconv.Atoi(v)
		default:
			err = fmt.Errorf("unknown word")
		}
		if err != nil {
			return fmt.Errorf("record tag of %s: %q: %w", f.Key, w, err)
		}
	}
	return nil
}

func (f *Field) infer(t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	many := t.Kind() == reflect.Slice
	switch {
	case f.Ref != "" && many:
		f.Type = "refs"
	case f.Ref != "":
		f.Type = "ref"
	case len(f.Options) > 0 && many:
		f.Type = "enums"
	case len(f.Options) > 0:
		f.Type = "enum"
	case t == timeType:
		f.Type = "datetime"
	case t == wageType:
		f.Type = "money"
	case t == FilesType:
		f.Type = "files"
	case t.Kind() == reflect.Bool:
		f.Type = "bool"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		f.Type = "int"
	default:
		f.Type = "string"
	}
}

// Read is the field's value as JSON shows it; nil when the struct has none. A wage must be
// open.
func (f *Field) Read(doc reflect.Value) any {
	if f.Index == nil {
		return nil
	}
	v := doc.FieldByIndex(f.Index)
	switch x := v.Interface().(type) {
	case time.Time:
		return ShowTime(x)
	case *time.Time:
		if x == nil {
			return ""
		}
		return ShowTime(*x)
	case model.Wage:
		return x.Fen()
	case []string:
		if x == nil {
			return []string{}
		}
		return x
	case []model.File:
		if x == nil {
			return []model.File{}
		}
		return x
	default:
		return x
	}
}

// Write puts a checked value into the document.
func (f *Field) Write(doc reflect.Value, value any) {
	v := doc.FieldByIndex(f.Index)
	if p := v.Kind() == reflect.Pointer; p {
		if t, ok := value.(time.Time); ok && t.IsZero() {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch x := value.(type) {
	case string:
		v.SetString(x)
	case int64:
		if v.Type() == wageType {
			v.SetString(string(model.WageOf(x)))
			return
		}
		v.SetInt(x)
	case bool:
		v.SetBool(x)
	default:
		v.Set(reflect.ValueOf(x))
	}
}

func (f *Field) OptionLabel(value string) string {
	for _, o := range f.Options {
		if o.Value == value {
			return o.Label
		}
	}
	return ""
}

// OptionLabels answers for the enums of a struct's tags: the label of a field's value, the
// value itself when it has none.
func OptionLabels[T any]() func(key, value string) string {
	fields, err := Of(reflect.TypeFor[T](), nil, nil)
	if err != nil {
		panic(err) // a wrong tag: a programming mistake
	}
	return func(key, value string) string {
		for _, f := range fields {
			if f.Key == key && f.OptionLabel(value) != "" {
				return f.OptionLabel(value)
			}
		}
		return value
	}
}
