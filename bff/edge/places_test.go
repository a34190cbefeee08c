package edge

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	engine "zhihuidangjian/rpc/records"
)

// TestPlaces: what a declaration says of menus and phones, both clients have: a new record type
// needs no edit in them.
func TestPlaces(t *testing.T) {
	w := newWorld(t)
	infos, err := w.services.Types(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../web/console/src/icons.ts")
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := filepath.Glob("../web/member/src/static/icons/*.svg")
	if err != nil || len(drawn) == 0 {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b([a-zA-Z]+): [A-Z]\w+`).FindAllStringSubmatch(string(source[strings.Index(string(source), "markRaw({"):]), -1)
	pages := []string{"home", "org", "study", "apply", "personal", "mine"}
	var seen int
	for _, i := range infos {
		if i.Menu != "" && !slices.ContainsFunc(named, func(m []string) bool { return m[1] == i.Icon }) {
			t.Errorf("%s: the console has no icon %q", i.Type, i.Icon)
		}
		if p := i.Place; p != nil {
			if seen++; !slices.Contains(pages, p.Page) || p.Also != "" && !slices.Contains(pages, p.Also) || p.Title == "" || !i.Own {
				t.Errorf("%s: no place %+v", i.Type, p)
			}
			if !slices.ContainsFunc(drawn, func(f string) bool { return filepath.Base(f) == p.Icon+".svg" }) {
				t.Errorf("%s: the phone has no icon %q", i.Type, p.Icon)
			}
		}
	}
	if seen == 0 {
		t.Error("nothing is placed on the phone")
	}
}

// TestInputs: both clients have an input for each type of field. What falls to the plain input is
// named here, so that a new type does not fall to it unseen.
func TestInputs(t *testing.T) {
	types := engine.Field{}.Enums()["type"]
	for client, plain := range map[string][]string{
		"../web/console/src/components/FieldInput.vue": {"string", "phone", "idNumber", "decimal", "scores"},
		"../web/member/src/components/FieldInput.vue":  {"string", "idNumber", "permissions"},
	} {
		source, err := os.ReadFile(client)
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range types {
			if !strings.Contains(string(source), "'"+typ+"'") && !slices.Contains(plain, typ) {
				t.Errorf("%s has no input for %s", client, typ)
			}
		}
	}
}
