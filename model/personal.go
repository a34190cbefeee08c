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
// without a decryption; those of idNumber are idBlind and idMasked.
const PersonalTag = "personal"

// PersonalNames are what the companions of a personal field are called in the store.
func PersonalNames(field string) (blind, masked string) {
	base := strings.TrimSuffix(field, "Number")
	return base + "Blind", base + "Masked"
}

// personal is one such field of a struct.
type personal struct {
	at, blind, masked []int // index paths; nil: there is none
	mask              func(string) string
}

var personals sync.Map // reflect.Type → []personal

func personalOf(t reflect.Type) []personal {
	if all, ok := personals.Load(t); ok {
		return all.([]personal)
	}
	at, found := map[string][]int{}, []string{}
	mask := map[string]func(string) string{}
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
			if words := strings.Split(f.Tag.Get("record"), ","); slices.Contains(words, PersonalTag) {
				found = append(found, name)
				if mask[name] = maskText; slices.Contains(words, "type=phone") || slices.Contains(words, "type=idNumber") {
					mask[name] = MaskPhone
				}
			}
		}
	}
	walk(t, nil)
	all := make([]personal, len(found))
	for i, name := range found {
		blind, masked := PersonalNames(name)
		all[i] = personal{at[name], at[blind], at[masked], mask[name]}
	}
	personals.Store(t, all)
	return all
}

// Close seals the personal fields of the struct that doc points to and fills what finds and
// shows them.
func (s *Sealer) Close(doc any) {
	v := reflect.ValueOf(doc).Elem()
	for _, p := range personalOf(v.Type()) {
		f := v.FieldByIndex(p.at)
		plain := f.String()
		if p.blind != nil {
			v.FieldByIndex(p.blind).SetString(s.Blind(plain))
		}
		if p.masked != nil {
			v.FieldByIndex(p.masked).SetString(p.mask(plain))
		}
		f.SetString(s.Seal(plain))
	}
}

// Disclose opens the personal fields of the struct that doc points to; an error means
// another key or damage, and leaves it as it was.
func (s *Sealer) Disclose(doc any) error {
	v := reflect.ValueOf(doc).Elem()
	all := personalOf(v.Type())
	open := make([]string, len(all))
	for i, p := range all {
		var err error
		if open[i], err = s.Open(v.FieldByIndex(p.at).String()); err != nil {
			return fmt.Errorf("%s: %w", v.Type().Name(), err)
		}
	}
	for i, p := range all {
		v.FieldByIndex(p.at).SetString(open[i])
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
