package records

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"zhihuidangjian/rpc/records/field"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// intimate are the names of what is a person's own beside numbers, which their type tells:
// where he lives and what he earns.
var intimate = regexp.MustCompile(`住址|工资|薪|收入|基数|养老金|退休金`)

// check finds what a declaration forgot or misspelt, once all types of the engine are known:
// a key that names nothing would silently be an index over nothing, a column without
// values, a filter that finds nobody. All of it is told at once.
func (t *recordType) check() error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("record type %s: "+format, append([]any{t.Name}, args...)...))
	}
	known := func(what string, keys ...string) {
		for _, k := range keys {
			if t.byKey[k] == nil {
				wrong("%s %s is no field", what, k)
			}
		}
	}
	if t.personal() && t.engine.seal == nil {
		wrong("personal fields need Config.Seal")
	}
	for _, f := range t.fields {
		t.checkField(f, wrong)
		kept := !strings.HasSuffix(f.Stored, "Masked") // not only what is shown
		if (f.Type == "phone" || f.Type == "idNumber") && f.Held() && kept && !f.Personal && !f.Public {
			wrong("%s is a %s that is neither personal nor public", f.Key, f.Type)
		}
		if intimate.MatchString(f.Label) && f.Held() && kept && !f.Personal && !f.Public {
			wrong("%s (%s) is neither personal nor public", f.Key, f.Label)
		}
		if f.Personal && (f.Kind != reflect.String || f.Sort || f.Keyword || f.Search && f.Blind == "") {
			wrong("%s is personal: a text that is neither sorted by nor searched in parts", f.Key)
		}
		if f.ShowIf != nil {
			known("what shows "+f.Key, f.ShowIf.Field)
			if by := t.byKey[f.ShowIf.Field]; by != nil && len(by.Options) > 0 {
				for _, v := range f.ShowIf.In {
					if by.OptionLabel(v) == "" {
						wrong("%s is shown by %s of %s, which is no option", f.Key, v, by.Key)
					}
				}
			}
		}
	}
	for _, f := range t.Fields {
		if f.After != "" && f.After != First && t.byKey[f.After] == nil {
			wrong("%s stands after %s, which is no field", f.Key, f.After)
		}
	}
	if x := t.Todo; x != nil {
		known("what waits", x.Filter)
		if f := t.byKey[x.Filter]; f != nil && f.OptionLabel(x.Value) == "" {
			wrong("what waits is %s of %s, which is no option", x.Value, x.Filter)
		}
		if t.action(x.Verb) == nil {
			wrong("what waits is done by %s, which is no action", x.Verb)
		}
	}
	known("import column", t.Columns...)
	known("export column", t.Exports...)
	known("column of a row's key", t.Once...)
	stored := storedNames(t.document())
	for _, u := range t.Unique {
		for _, k := range append(keysOf(u.Partial), u.Keys...) {
			if !slices.Contains(stored, k) {
				wrong("unique key %s is not stored", k)
			}
		}
		if u.Field != "" {
			known("the field of a unique key,", u.Field)
		}
	}
	if t.NameKey != "" && !slices.Contains(stored, t.NameKey) {
		wrong("its name %s is not stored", t.NameKey)
	}
	if by := strings.TrimPrefix(t.DefaultSort, "-"); by != "" && by != "createdAt" && t.DefaultSort != undecidedFirst {
		if f := t.byKey[by]; f == nil || !f.Sort {
			wrong("it is sorted by %s, which is no field to sort by", by)
		}
	}
	var actions []string
	for _, a := range t.Actions {
		if slices.Contains(actions, a.Key) {
			wrong("action %s stands twice", a.Key)
		}
		actions = append(actions, a.Key)
		for _, f := range a.Fields {
			if f.Type == "" {
				f.Type = "string"
			}
			t.checkField(&f, wrong)
		}
	}
	if t.Menu != "" && (t.Icon == "" || t.Section == "") {
		wrong("its entry in the menu %s has no icon or no section", t.Menu)
	}
	t.checkLife(wrong)
	if o := t.Own; o != nil {
		known("own field", o.Fields...)
		known("own form's", o.Form...)
		for _, key := range o.Actions {
			if !slices.Contains(actions, key) {
				wrong("own action %s is no action", key)
			}
		}
	}
	return errors.Join(errs...)
}

// checkField checks a field by itself: of a record, or of an action's dialog.
func (t *recordType) checkField(f *Field, wrong func(string, ...any)) {
	if !slices.Contains(field.Types, f.Type) {
		wrong("%s has the type %s, which there is not", f.Key, f.Type)
	}
	if f.Ref != "" && t.engine.ref(f).Labels == nil {
		wrong("nothing resolves the ref %s of %s", f.Ref, f.Key)
	}
	if (f.Type == "enum" || f.Type == "enums") && len(f.Options) == 0 {
		wrong("%s has no options", f.Key)
	}
}

// storedNames are the names that a struct's fields have in the store.
func storedNames(t reflect.Type) []string {
	var out []string
	for f := range t.Fields() {
		if f.Anonymous {
			out = append(out, storedNames(f.Type)...)
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("bson"), ","); name != "" && name != "-" {
			out = append(out, name)
		}
	}
	return out
}

func keysOf(d bson.D) []string {
	var out []string
	for _, e := range d {
		out = append(out, e.Key)
	}
	return out
}
