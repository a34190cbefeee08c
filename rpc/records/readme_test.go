package records_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"zhihuidangjian/rpc/records"
)

// TestGuide holds README.md to the truth: its code is that of Book here, and what it calls a
// field of a declaration is one.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("guide_test.go")
	if err != nil {
		t.Fatal(err)
	}
	bare := func(line string) string { // without margins, remarks, and whose package it is
		line, _, _ = strings.Cut(line, " //")
		return strings.Join(strings.Fields(strings.ReplaceAll(line, "*model.Book", "*Book")), " ")
	}
	there := map[string]bool{}
	for line := range strings.Lines(string(source)) {
		there[bare(line)] = true
	}
	lines := 0
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		for line := range strings.Lines(block[1]) {
			if line = bare(line); line == "" || strings.HasPrefix(line, "//") || strings.HasPrefix(line, "func ") {
				continue
			}
			if lines++; !there[line] {
				t.Errorf("README.md says %q, and guide_test.go does not", line)
			}
		}
	}
	if lines < 10 {
		t.Errorf("only %d lines of code were found", lines)
	}
	known := map[string]bool{"Audit": true, "Shown": true, "Record": true, "Field": true, "Type": true, "Book": true}
	for _, of := range []any{records.Type[*Book]{}, records.Life[*Book]{}, records.Part{}, records.Own[*Book]{}, records.Action[*Book]{}} {
		for f := range reflect.TypeOf(of).Fields() {
			known[f.Name] = true
		}
	}
	for name := range map[string]any{"AboutMember": records.AboutMember, "Period": records.Period, "NotBefore": records.NotBefore, "Categories": records.Categories} {
		known[name] = true
	}
	known["Applications"], known["Collection"], known["Step"], known["Update"] = true, true, true, true
	for _, m := range regexp.MustCompile("`([A-Z][A-Za-z]+)(?:\\([^`]*\\))?`").FindAllStringSubmatch(string(guide), -1) {
		if !known[m[1]] {
			t.Errorf("README.md names %s, which there is not", m[1])
		}
	}
}
