package acceptance

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"zhihuidangjian/bff/bfftest"
)

// form is what a person fills in, by field.
type form map[string]any

// with is a copy with other values.
func (f form) with(other form) form {
	c := maps.Clone(f)
	maps.Copy(c, other)
	return c
}

// wrong is a form that must be refused.
type wrong struct {
	Why    string
	Change form
	Field  string // the field at fault; "" when the message is not a field's
	Text   string // part of what is said
}

// rowIDs are the ids of the rows that a record type's generic sentences prove. An empty
// one is not proved here.
type rowIDs struct{ List, Add, View, Update, Delete, Batch, Export string }

// recordSpec says what the generic acceptance sentences need to know of a record type.
type recordSpec struct {
	IDs  rowIDs
	Type string
	// Valid is a form that saves, for a branch; i tells records apart.
	Valid func(t *testing.T, orgID string, i int) form
	// Columns are the keys of the list's columns that the row names, in any order.
	Columns []string
	// Filters are queries of which each finds record i and no other of the three.
	Filters func(i int, f form) []string
	// Required are the fields that the row names as required.
	Required []string
	Wrong    []wrong
	// Shown are the keys that 查看 shows, beside those of the form.
	Shown []string
	// Update changes a record; WrongUpdate must be refused and change nothing.
	Update      form
	WrongUpdate []wrong
	// Export are the titles of the plain export's columns, in order.
	Export []string
}

type item = map[string]any

func path(typ string) string { return "/api/console/records/" + typ }

// add saves a form and answers the record.
func add(t *testing.T, b *bfftest.Browser, typ string, f form) item {
	t.Helper()
	var got item
	b.Post(path(typ), f, &got)
	return got
}

// refused wants a refusal that names the field, or says the text.
func refused(t *testing.T, a *bfftest.Answer, status int, field, text string) {
	t.Helper()
	var e struct {
		Message string
		Fields  map[string]string
	}
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	a.Status = http.StatusOK
	a.Into(t, &e)
	said := e.Message
	if field != "" {
		said = e.Fields[field]
		if said == "" {
			t.Fatalf("nothing is said of %s: %s", field, a.Body)
		}
	}
	if !strings.Contains(said, text) {
		t.Fatalf("said %q, want %q", said, text)
	}
}

const nothingThere = "无权限或数据不存在"

// ids are the ids of a page, in order.
func ids(p bfftest.Page) []string {
	out := []string{}
	for _, r := range p.Items {
		out = append(out, r["id"].(string))
	}
	return out
}

// record proves the generic rows of a record type.
func record(t *testing.T, s recordSpec) {
	t.Helper()
	n := 0
	next := func(orgID string) form { n++; return s.Valid(t, orgID, n) }
	run := func(id, title string, f func(t *testing.T)) {
		if id != "" {
			t.Run(id+" "+title, f)
		}
	}

	run(s.IDs.List, "list: own subtree only, newest first, paged, columns, filters", func(t *testing.T) {
		a, b, p := adminA(t), adminB(t), adminP(t)
		forms := []form{next(orgA(t)), next(orgA(t)), next(orgA(t))}
		var mine []string
		for _, f := range forms {
			mine = append([]string{add(t, a, s.Type, f)["id"].(string)}, mine...)
		}
		other := add(t, b, s.Type, next(orgB(t)))["id"].(string)
		if got := ids(a.List(s.Type, "size=100")); !slices.Equal(got[:3], mine) || slices.Contains(got, other) {
			t.Fatalf("A sees %v, want first %v and never %s", got, mine, other)
		}
		all := ids(p.List(s.Type, "size=100"))
		if !slices.Equal(all[:4], append([]string{other}, mine...)) {
			t.Fatalf("P sees %v", all)
		}
		if got := ids(p.List(s.Type, "size=100&orgId="+orgA(t))); slices.Contains(got, other) || !slices.Contains(got, mine[0]) {
			t.Fatalf("P with A chosen sees %v", got)
		}
		refused(t, a.Do("GET", path(s.Type)+"?orgId="+orgB(t), nil), http.StatusNotFound, "", nothingThere)
		one, two := ids(a.List(s.Type, "size=2&page=1")), ids(a.List(s.Type, "size=2&page=2"))
		if !slices.Equal(one, mine[:2]) || len(two) == 0 || two[0] != mine[2] {
			t.Fatalf("pages %v and %v", one, two)
		}
		columns(t, a, s)
		for i, f := range forms {
			for _, q := range s.Filters(i+1, f) {
				if got := ids(a.List(s.Type, "size=100&"+q)); len(got) != 1 || got[0] != mine[2-i] {
					t.Fatalf("filter %s: %v, want %s", q, got, mine[2-i])
				}
			}
		}
		var none bfftest.Page
		first, _, _ := strings.Cut(s.Filters(1, forms[0])[0], "=")
		a.Get(path(s.Type)+"?"+first+"=00000000"+url.QueryEscape("不存在"), &none)
		if len(none.Items) != 0 || none.Total != 0 {
			t.Fatalf("no match shows %+v", none)
		}
	})
	run(s.IDs.Add, "add: what is missing or wrong is told at its field and nothing is stored", func(t *testing.T) {
		a := adminA(t)
		f := next(orgA(t))
		total := a.List(s.Type, "").Total
		for _, k := range s.Required {
			for _, empty := range []any{nil, "", "  "} {
				refused(t, a.Do("POST", path(s.Type), f.with(form{k: empty})), http.StatusBadRequest, k, "请填写")
				if _, text := f[k].(string); !text {
					break
				}
			}
		}
		for _, w := range s.Wrong {
			t.Log(w.Why)
			refused(t, a.Do("POST", path(s.Type), f.with(w.Change)), http.StatusBadRequest, w.Field, w.Text)
		}
		if got := a.List(s.Type, "").Total; got != total {
			t.Fatalf("%d records, want %d", got, total)
		}
		got := add(t, a, s.Type, f)
		same(t, got, f)
		if newest := a.List(s.Type, "size=1"); ids(newest)[0] != got["id"] || newest.Total != total+1 {
			t.Fatalf("not in the list: %+v", newest)
		}
	})
	run(s.IDs.View, "view: the record's fields; out of scope or deleted shows nothing", func(t *testing.T) {
		a := adminA(t)
		f := next(orgA(t))
		id := add(t, a, s.Type, f)["id"].(string)
		var got item
		a.Get(path(s.Type)+"/"+id, &got)
		same(t, got, f)
		for _, k := range s.Shown {
			if _, ok := got[k]; !ok {
				t.Errorf("%s is not shown", k)
			}
		}
		refused(t, adminB(t).Do("GET", path(s.Type)+"/"+id, nil), http.StatusNotFound, "", nothingThere)
		refused(t, limited(t, "statistics.view").Do("GET", path(s.Type)+"/"+id, nil), http.StatusForbidden, "", "无操作权限")
		a.Post(path(s.Type)+"/delete", map[string]any{"ids": []string{id}}, &struct{}{})
		refused(t, a.Do("GET", path(s.Type)+"/"+id, nil), http.StatusNotFound, "", nothingThere)
	})
	run(s.IDs.Update, "update: new values show; what is wrong is refused and changes nothing", func(t *testing.T) {
		a := adminA(t)
		f := next(orgA(t))
		was := add(t, a, s.Type, f)
		at := path(s.Type) + "/" + was["id"].(string)
		changed := form{"version": was["version"]} // as the page sends it: what it showed, and what was typed
		for k := range f {
			changed[k] = was[k]
		}
		maps.Copy(changed, s.Update)
		for _, w := range s.WrongUpdate {
			t.Log(w.Why)
			refused(t, a.Do("PUT", at, changed.with(w.Change)), http.StatusBadRequest, w.Field, w.Text)
		}
		refused(t, adminB(t).Do("PUT", at, changed), http.StatusNotFound, "", nothingThere)
		var now item
		a.Get(at, &now)
		if now["version"] != was["version"] {
			t.Fatalf("a refused change was stored: %v", now)
		}
		a.Do("PUT", at, changed).Into(t, &now)
		same(t, now, f.with(s.Update))
		for _, r := range a.List(s.Type, "size=100").Items {
			if r["id"] == was["id"] {
				same(t, r, s.Update)
			}
		}
		refused(t, a.Do("PUT", at, changed), http.StatusConflict, "", "已被他人修改")
	})
	run(s.IDs.Delete, "delete: it leaves the list; a second delete finds nothing", func(t *testing.T) {
		a := adminA(t)
		id := add(t, a, s.Type, next(orgA(t)))["id"].(string)
		one := map[string]any{"ids": []string{id}}
		refused(t, adminB(t).Do("POST", path(s.Type)+"/delete", one), http.StatusNotFound, "", nothingThere)
		refused(t, limited(t, s.Type+".view").Do("POST", path(s.Type)+"/delete", one), http.StatusForbidden, "", "无操作权限")
		if !slices.Contains(ids(a.List(s.Type, "size=100")), id) {
			t.Fatal("a refused delete deleted")
		}
		a.Post(path(s.Type)+"/delete", one, &struct{}{})
		if slices.Contains(ids(a.List(s.Type, "size=100")), id) {
			t.Fatal("still there")
		}
		refused(t, a.Do("POST", path(s.Type)+"/delete", one), http.StatusNotFound, "", "数据不存在")
	})
	run(s.IDs.Batch, "batch delete: exactly the ticked ones; none ticked is told", func(t *testing.T) {
		a := adminA(t)
		var made []string
		for range 3 {
			made = append(made, add(t, a, s.Type, next(orgA(t)))["id"].(string))
		}
		before := a.List(s.Type, "size=100") // the newest: other tests have made as many
		refused(t, a.Do("POST", path(s.Type)+"/delete", map[string]any{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		if got := a.List(s.Type, "size=100"); got.Total != before.Total || !slices.Equal(ids(got), ids(before)) {
			t.Fatal("something was deleted")
		}
		a.Post(path(s.Type)+"/delete", map[string]any{"ids": made[:2]}, &struct{}{})
		kept := slices.DeleteFunc(ids(before), func(id string) bool { return slices.Contains(made[:2], id) })
		after := a.List(s.Type, "size=100")
		if got := ids(after); after.Total != before.Total-2 || !slices.Equal(got[:len(kept)], kept) {
			t.Fatalf("left: %v of %d, want %v of %d", got, after.Total, kept, before.Total-2)
		}
	})
	run(s.IDs.Export, "export: the filtered list, all pages, as text; an empty list has the header only", func(t *testing.T) {
		a := adminA(t)
		f := next(orgA(t))
		add(t, a, s.Type, f)
		q := s.Filters(n, f)[0]
		total := a.List(s.Type, q).Total
		rows := sheet(t, a.Do("GET", path(s.Type)+"/export?"+q, nil))
		if !slices.Equal(rows[0], s.Export) {
			t.Fatalf("header %v, want %v", rows[0], s.Export)
		}
		if len(rows) != total+1 {
			t.Fatalf("%d rows for %d records", len(rows)-1, total)
		}
		first, _, _ := strings.Cut(q, "=")
		if rows := sheet(t, a.Do("GET", path(s.Type)+"/export?"+first+"=00000000"+url.QueryEscape("不存在"), nil)); len(rows) != 1 {
			t.Fatalf("an empty list exports %v", rows)
		}
		refused(t, a.Do("GET", path(s.Type)+"/export?orgId="+orgB(t), nil), http.StatusNotFound, "", nothingThere)
		refused(t, limited(t, s.Type+".view").Do("GET", path(s.Type)+"/export", nil), http.StatusForbidden, "", "无操作权限")
	})
}

// columns wants the row's columns to be those of the list.
func columns(t *testing.T, b *bfftest.Browser, s recordSpec) {
	t.Helper()
	var schema struct {
		Fields []struct {
			Key  string
			List bool
		}
	}
	b.Get(path(s.Type)+"/schema", &schema)
	shown := map[string]bool{}
	for _, f := range schema.Fields {
		shown[f.Key] = f.List
	}
	for _, c := range s.Columns {
		if !shown[c] {
			t.Errorf("%s is no column of the list", c)
		}
	}
}

// same wants a record to hold a form's values. Sealed fields are shown masked and left out.
func same(t *testing.T, got item, f form) {
	t.Helper()
	for k, want := range f {
		have := got[k]
		if k == "version" || k == "password" || have == nil && want == nil {
			continue
		}
		if s, ok := have.(string); ok && strings.Contains(s, "*") {
			continue
		}
		if fmt.Sprint(have) != fmt.Sprint(want) && !reflect.DeepEqual(have, want) {
			t.Errorf("%s is %v, want %v", k, have, want)
		}
	}
}

// sheet reads the rows of an exported workbook.
func sheet(t *testing.T, a *bfftest.Answer) [][]string {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("export: %d %s", a.Status, a.Body)
	}
	f, err := excelize.OpenReader(bytes.NewReader(a.Body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil || len(rows) == 0 {
		t.Fatalf("export: %v, %d rows", err, len(rows))
	}
	return rows
}

// template wants a type's import template to have the header, to be taken as it is though
// it holds nothing, and to be refused to who may not import.
func template(t *testing.T, b *bfftest.Browser, typ string, header []string) {
	t.Helper()
	b.T = t
	got := b.Do("GET", path(typ)+"/template", nil)
	if rows := sheet(t, got); !slices.Equal(rows[0], header) {
		t.Fatalf("header %v", rows[0])
	}
	if b := b.Imports(typ, got.Body); b.State != "failed" || !strings.Contains(b.Message, "没有要导入的数据") {
		t.Fatalf("%+v", b)
	}
	refused(t, limited(t, "organization.view").Do("GET", path(typ)+"/template", nil), http.StatusForbidden, "", "无操作权限")
}
