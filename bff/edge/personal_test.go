package edge

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/rpc/kit"
)

// TestPersonalInStore makes a record of every type and looks for open numbers in all that
// is stored.
func TestPersonalInStore(t *testing.T) {
	w := newMatrixWorld(t)
	for _, i := range w.types(t) {
		if deviations[i.Type] == nil && strings.Contains(fmt.Sprint(i.Permissions), "."+"create") {
			w.sample(t, i.Type)
		}
	}
	const home = "松涛路九号"
	var m struct{ Version int64 }
	at := "/api/console/records/member/" + w.m1.id
	w.do(w.top, "GET", at, nil).into(t, &m)
	w.do(w.top, "PUT", at, map[string]any{"address": home, "version": m.Version}).into(t, &m)
	w.do(&caller{bearer: w.m1.bearer}, "POST", "/api/member/records/profileChange", map[string]any{"address": home + "东院"}).into(t, &m)
	t.Run("PLUS-30 no ID number, phone, address or wage of a person lies open in the store", func(t *testing.T) {
		open := regexp.MustCompile(`(^|[^0-9A-Za-z])(1\d{10}|\d{17}[\dXx])($|[^0-9A-Za-z])|` + home)
		// The published addresses of organisations, and what the audit says of their changes.
		public := regexp.MustCompile(`^(organizations|units)\.(contactPhone|secretaryPhone)$|联系电话|负责人电话|单位联系电话`)
		names, err := w.platform.DB.ListCollectionNames(t.Context(), bson.D{})
		if err != nil || len(names) < 30 {
			t.Fatalf("%d collections, %v", len(names), err)
		}
		found, sealed := 0, map[string]int{}
		kinds := regexp.MustCompile(`\.(phone|idNumber|baseAmount)$|^members\.address$`)
		var walk func(path string, v bson.RawValue)
		walk = func(path string, v bson.RawValue) {
			switch v.Type {
			case bson.TypeEmbeddedDocument, bson.TypeArray:
				elements, _ := bson.Raw(v.Value).Elements()
				for _, e := range elements {
					at := path
					if v.Type == bson.TypeEmbeddedDocument {
						at += "." + e.Key()
					}
					walk(at, e.Value())
				}
			case bson.TypeString, bson.TypeBinary:
				text, ok := v.StringValueOK()
				if !ok {
					text = string(v.Value)
				}
				if m := open.FindString(text); m != "" && !public.MatchString(path) && !public.MatchString(text) {
					found++
					t.Errorf("%s holds %s", path, m)
				}
				if kind := kinds.FindString(path); kind != "" && text != "" {
					sealed[kind]++
					if len(text) < 40 && !public.MatchString(path) {
						found++
						t.Errorf("%s holds %s", path, text)
					}
				}
			case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
				if kinds.MatchString(path) {
					found++
					t.Errorf("%s holds a number", path)
				}
			}
		}
		for _, name := range names {
			cur, err := w.platform.DB.Collection(name).Find(t.Context(), bson.D{})
			if err != nil {
				t.Fatal(err)
			}
			for cur.Next(kit.AsSystem(t.Context())) {
				walk(name, bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: cur.Current})
			}
		}
		if found > 0 || len(sealed) < 4 {
			t.Fatalf("%d open, sealed %v", found, sealed)
		}
	})
}
