package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// PersonalTag is the word of a record tag that makes a text personal (身份证号, phone,
// address): it is stored sealed. Beside the field a struct may have two more, named after it
// in the store: phone has phoneBlind, by which it is found, and phoneMasked, which lists show
// without a decryption; those of idNumber are idBlind and idMasked. A number that is personal
// is a Wage, which needs no word.
const PersonalTag = "personal"

// PersonalNames are what the companions of a personal field are called in the store.
func PersonalNames(field string) (blind, masked string) {
	base := strings.TrimSuffix(field, "Number")
	return base + "Blind", base + "Masked"
}

// personal is one such field of a struct.
type personal struct {
	name              string // in the store
	at, blind, masked []int  // index paths; nil: there is none
	mask              func(string) string
	wage              bool
}

// intimate is what is personal in a struct: fields of its own, and lists of structs in which
// something is.
type intimate struct {
	fields []personal
	lists  []intimateList
}

type intimateList struct {
	name string
	at   []int
	of   *intimate
}

func (p *intimate) empty() bool { return len(p.fields) == 0 && len(p.lists) == 0 }

var intimates sync.Map // reflect.Type → *intimate

func personalOf(t reflect.Type) *intimate {
	if p, ok := intimates.Load(t); ok {
		return p.(*intimate)
	}
	p := look(t, nil)
	intimates.Store(t, p)
	return p
}

// look finds what is personal in a struct; above are those that hold it.
func look(t reflect.Type, above []reflect.Type) *intimate {
	p := &intimate{}
	at, found := map[string][]int{}, []string{}
	of := map[string]personal{}
	above = append(slices.Clip(above), t)
	var walk func(t reflect.Type, path []int)
	walk = func(t reflect.Type, path []int) {
		for i := range t.NumField() {
			f := t.Field(i)
			index := append(slices.Clone(path), i)
			if f.Anonymous {
				walk(f.Type, index)
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("bson"), ",")
			at[name] = index
			words := strings.Split(f.Tag.Get("record"), ",")
			switch {
			case f.Type == wageType:
				found, of[name] = append(found, name), personal{mask: maskText, wage: true}
			case slices.Contains(words, PersonalTag):
				mask := maskText
				if slices.Contains(words, "type=phone") || slices.Contains(words, "type=idNumber") {
					mask = MaskPhone
				}
				found, of[name] = append(found, name), personal{mask: mask}
			case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct && f.Type.Elem().PkgPath() == wageType.PkgPath():
				if slices.Contains(above, f.Type.Elem()) {
					continue // a list of itself
				}
				if inner := look(f.Type.Elem(), above); !inner.empty() {
					p.lists = append(p.lists, intimateList{name, index, inner})
				}
			}
		}
	}
	walk(t, nil)
	for _, name := range found {
		one := of[name]
		blind, masked := PersonalNames(name)
		one.name, one.at, one.blind, one.masked = name, at[name], at[blind], at[masked]
		p.fields = append(p.fields, one)
	}
	return p
}

// Close seals the personal fields of the struct that doc points to and fills what finds and
// shows them. Wages that are sealed stay as they are. A document must have its id: its fields
// are sealed for it and for no other.
func (s *Sealer) Close(doc any) {
	v := reflect.ValueOf(doc).Elem()
	p, id := personalOf(v.Type()), idOf(doc)
	if id == "" && !p.empty() {
		panic(fmt.Sprintf("model: a %s is sealed that has no id", v.Type().Name()))
	}
	s.close(v, p, id, "")
}

func idOf(doc any) string {
	if d, ok := doc.(Document); ok {
		return d.Header().ID
	}
	return ""
}

// close seals what is personal in a struct: below names the list of the document that it is in.
func (s *Sealer) close(v reflect.Value, p *intimate, id, below string) {
	for _, p := range p.fields {
		f := v.FieldByIndex(p.at)
		plain := f.String()
		if p.wage && !Wage(plain).open() {
			continue // as it was stored
		}
		if p.blind != nil {
			v.FieldByIndex(p.blind).SetString(s.Blind(plain))
		}
		if p.masked != nil {
			v.FieldByIndex(p.masked).SetString(p.mask(plain))
		}
		f.SetString(s.Seal(plain, At(id, below+p.name)))
	}
	for _, l := range p.lists {
		list := v.FieldByIndex(l.at)
		for i := range list.Len() {
			s.close(list.Index(i), l.of, id, below+l.name+".")
		}
	}
}

// Disclose opens the personal fields of the struct that doc points to, in lists of a copy of
// them; an error means another key or damage, and leaves it as it was.
func (s *Sealer) Disclose(doc any) error {
	v := reflect.ValueOf(doc).Elem()
	open := reflect.New(v.Type()).Elem()
	open.Set(v)
	if err := s.disclose(open, personalOf(v.Type()), idOf(doc), ""); err != nil {
		return fmt.Errorf("%s: %w", v.Type().Name(), err)
	}
	v.Set(open)
	return nil
}

func (s *Sealer) disclose(v reflect.Value, p *intimate, id, below string) error {
	for _, p := range p.fields {
		f := v.FieldByIndex(p.at)
		if p.wage && Wage(f.String()).open() {
			continue // just made, or stored by an earlier version
		}
		plain, err := s.Open(f.String(), At(id, below+p.name))
		if err != nil {
			return err
		}
		f.SetString(plain)
	}
	for _, l := range p.lists {
		list := v.FieldByIndex(l.at)
		if list.Len() == 0 {
			continue
		}
		copied := reflect.MakeSlice(list.Type(), list.Len(), list.Len())
		reflect.Copy(copied, list)
		list.Set(copied)
		for i := range copied.Len() {
			if err := s.disclose(copied.Index(i), l.of, id, below+l.name+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// Mask is a personal value as those see it who may not see it in full: of a phone or an ID
// number the ends, of anything else that there is one.
func Mask(fieldType, plain string) string {
	if fieldType == "phone" || fieldType == "idNumber" {
		return MaskPhone(plain)
	}
	return maskText(plain)
}

func maskText(plain string) string {
	if plain == "" {
		return ""
	}
	return "******"
}
