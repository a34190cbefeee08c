package world

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// Wrong is a form that must be refused: another one with Change. (The type has no name of
// its own, so that vet lets the rows of a table go without keys.)
type Wrong = struct {
	Why    string
	Change Form
	Field  string // the field at fault; "" when the message is not a field's
	Text   string // part of what is said
}

// RowIDs are the ids of the rows that a record type's generic sentences prove. An empty
// one is not proved here.
type RowIDs struct{ List, Add, View, Update, Delete, Batch, Export string }

// RecordSpec says what the generic acceptance sentences need to know of a record type.
type RecordSpec struct {
	IDs  RowIDs
	Type string
	// Valid is a form that saves, for a branch; i tells records apart.
	Valid func(t *testing.T, orgID string, i int) Form
	// Columns are the keys of the list's columns that the row names, in any order.
	Columns []string
	// Filters are queries of which each finds record i and no other of the three.
	Filters func(i int, f Form) []string
	// Required are the fields that the row names as required.
	Required []string
	Wrong    []Wrong
	// Shown are the keys that 查看 shows, beside those of the form.
	Shown []string
	// Update changes a record; WrongUpdate must be refused and change nothing.
	Update      Form
	WrongUpdate []Wrong
	// Export are the titles of the plain export's columns, in order.
	Export []string
}

// Record proves the generic rows of a record type.
func Record(t *testing.T, s RecordSpec) {
	t.Helper()
	n := 0
	next := func(orgID string) Form { n++; return s.Valid(t, orgID, n) }
	run := func(id, title string, f func(t *testing.T)) {
		if id != "" {
			t.Run(id+" "+title, f)
		}
	}

	run(s.IDs.List, "list: own subtree only, newest first, paged, columns, filters", func(t *testing.T) {
		a, b, p := AdminA(t), AdminB(t), AdminP(t)
		forms := []Form{next(OrgA(t)), next(OrgA(t)), next(OrgA(t))}
		var mine []string
		for _, f := range forms {
			mine = append([]string{Add(t, a, s.Type, f)["id"].(string)}, mine...)
		}
		other := Add(t, b, s.Type, next(OrgB(t)))["id"].(string)
		if got := IDs(a.List(s.Type, "size=100")); !slices.Equal(got[:3], mine) || slices.Contains(got, other) {
			t.Fatalf("A sees %v, want first %v and never %s", got, mine, other)
		}
		all := IDs(p.List(s.Type, "size=100"))
		if !slices.Equal(all[:4], append([]string{other}, mine...)) {
			t.Fatalf("P sees %v", all)
		}
		if got := IDs(p.List(s.Type, "size=100&orgId="+OrgA(t))); slices.Contains(got, other) || !slices.Contains(got, mine[0]) {
			t.Fatalf("P with A chosen sees %v", got)
		}
		Refused(t, a.Do("GET", Path(s.Type)+"?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		one, two := IDs(a.List(s.Type, "size=2&page=1")), IDs(a.List(s.Type, "size=2&page=2"))
		if !slices.Equal(one, mine[:2]) || len(two) == 0 || two[0] != mine[2] {
			t.Fatalf("pages %v and %v", one, two)
		}
		Columns(t, a, s)
		for i, f := range forms {
			for _, q := range s.Filters(i+1, f) {
				if got := IDs(a.List(s.Type, "size=100&"+q)); len(got) != 1 || got[0] != mine[2-i] {
					t.Fatalf("filter %s: %v, want %s", q, got, mine[2-i])
				}
			}
		}
		var none bfftest.Page
		first, _, _ := strings.Cut(s.Filters(1, forms[0])[0], "=")
		a.Get(Path(s.Type)+"?"+first+"=00000000"+url.QueryEscape("不存在"), &none)
		if len(none.Items) != 0 || none.Total != 0 {
			t.Fatalf("no match shows %+v", none)
		}
	})
	run(s.IDs.Add, "add: what is missing or wrong is told at its field and nothing is stored", func(t *testing.T) {
		a := AdminA(t)
		f := next(OrgA(t))
		total := a.List(s.Type, "").Total
		for _, k := range s.Required {
			for _, empty := range []any{nil, "", "  "} {
				Refused(t, a.Do("POST", Path(s.Type), f.With(Form{k: empty})), http.StatusBadRequest, k, "请填写")
				if _, text := f[k].(string); !text {
					break
				}
			}
		}
		for _, w := range s.Wrong {
			t.Log(w.Why)
			Refused(t, a.Do("POST", Path(s.Type), f.With(w.Change)), http.StatusBadRequest, w.Field, w.Text)
		}
		if got := a.List(s.Type, "").Total; got != total {
			t.Fatalf("%d records, want %d", got, total)
		}
		got := Add(t, a, s.Type, f)
		Same(t, got, f)
		if newest := a.List(s.Type, "size=1"); IDs(newest)[0] != got["id"] || newest.Total != total+1 {
			t.Fatalf("not in the list: %+v", newest)
		}
	})
	run(s.IDs.View, "view: the record's fields; out of scope or deleted shows nothing", func(t *testing.T) {
		a := AdminA(t)
		f := next(OrgA(t))
		id := Add(t, a, s.Type, f)["id"].(string)
		var got Item
		a.Get(Path(s.Type)+"/"+id, &got)
		Same(t, got, f)
		for _, k := range s.Shown {
			if _, ok := got[k]; !ok {
				t.Errorf("%s is not shown", k)
			}
		}
		Refused(t, AdminB(t).Do("GET", Path(s.Type)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, "statistics.view").Do("GET", Path(s.Type)+"/"+id, nil), http.StatusForbidden, "", "无操作权限")
		a.Post(Path(s.Type)+"/delete", map[string]any{"ids": []string{id}}, &struct{}{})
		Refused(t, a.Do("GET", Path(s.Type)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
	})
	run(s.IDs.Update, "update: new values show; what is wrong is refused and changes nothing", func(t *testing.T) {
		a := AdminA(t)
		f := next(OrgA(t))
		was := Add(t, a, s.Type, f)
		at := Path(s.Type) + "/" + was["id"].(string)
		changed := Form{"version": was["version"]} // as the page sends it: what it showed, and what was typed
		for k := range f {
			changed[k] = was[k]
		}
		maps.Copy(changed, s.Update)
		for _, w := range s.WrongUpdate {
			t.Log(w.Why)
			Refused(t, a.Do("PUT", at, changed.With(w.Change)), http.StatusBadRequest, w.Field, w.Text)
		}
		Refused(t, AdminB(t).Do("PUT", at, changed), http.StatusNotFound, "", NothingThere)
		var now Item
		a.Get(at, &now)
		if now["version"] != was["version"] {
			t.Fatalf("a refused change was stored: %v", now)
		}
		a.Do("PUT", at, changed).Into(t, &now)
		Same(t, now, f.With(s.Update))
		for _, r := range a.List(s.Type, "size=100").Items {
			if r["id"] == was["id"] {
				Same(t, r, s.Update)
			}
		}
		Refused(t, a.Do("PUT", at, changed), http.StatusConflict, "", "已被他人修改")
	})
	run(s.IDs.Delete, "delete: it leaves the list; a second delete finds nothing", func(t *testing.T) {
		a := AdminA(t)
		id := Add(t, a, s.Type, next(OrgA(t)))["id"].(string)
		one := map[string]any{"ids": []string{id}}
		Refused(t, AdminB(t).Do("POST", Path(s.Type)+"/delete", one), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, s.Type+".view").Do("POST", Path(s.Type)+"/delete", one), http.StatusForbidden, "", "无操作权限")
		if !slices.Contains(IDs(a.List(s.Type, "size=100")), id) {
			t.Fatal("a refused delete deleted")
		}
		a.Post(Path(s.Type)+"/delete", one, &struct{}{})
		if slices.Contains(IDs(a.List(s.Type, "size=100")), id) {
			t.Fatal("still there")
		}
		Refused(t, a.Do("POST", Path(s.Type)+"/delete", one), http.StatusNotFound, "", "数据不存在")
	})
	run(s.IDs.Batch, "batch delete: exactly the ticked ones; none ticked is told", func(t *testing.T) {
		a := AdminA(t)
		var made []string
		for range 3 {
			made = append(made, Add(t, a, s.Type, next(OrgA(t)))["id"].(string))
		}
		before := a.List(s.Type, "size=100") // the newest: other tests have made as many
		Refused(t, a.Do("POST", Path(s.Type)+"/delete", map[string]any{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		if got := a.List(s.Type, "size=100"); got.Total != before.Total || !slices.Equal(IDs(got), IDs(before)) {
			t.Fatal("something was deleted")
		}
		a.Post(Path(s.Type)+"/delete", map[string]any{"ids": made[:2]}, &struct{}{})
		kept := slices.DeleteFunc(IDs(before), func(id string) bool { return slices.Contains(made[:2], id) })
		after := a.List(s.Type, "size=100")
		if got := IDs(after); after.Total != before.Total-2 || !slices.Equal(got[:len(kept)], kept) {
			t.Fatalf("left: %v of %d, want %v of %d", got, after.Total, kept, before.Total-2)
		}
	})
	run(s.IDs.Export, "export: the filtered list, all pages, as text; an empty list has the header only", func(t *testing.T) {
		a := AdminA(t)
		f := next(OrgA(t))
		Add(t, a, s.Type, f)
		q := s.Filters(n, f)[0]
		total := a.List(s.Type, q).Total
		rows := Sheet(t, a.Do("GET", Path(s.Type)+"/export?"+q, nil))
		if !slices.Equal(rows[0], s.Export) {
			t.Fatalf("header %v, want %v", rows[0], s.Export)
		}
		if len(rows) != total+1 {
			t.Fatalf("%d rows for %d records", len(rows)-1, total)
		}
		first, _, _ := strings.Cut(q, "=")
		if rows := Sheet(t, a.Do("GET", Path(s.Type)+"/export?"+first+"=00000000"+url.QueryEscape("不存在"), nil)); len(rows) != 1 {
			t.Fatalf("an empty list exports %v", rows)
		}
		Refused(t, a.Do("GET", Path(s.Type)+"/export?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, s.Type+".view").Do("GET", Path(s.Type)+"/export", nil), http.StatusForbidden, "", "无操作权限")
	})
}

// Columns wants the row's columns to be those of the list.
func Columns(t *testing.T, b *bfftest.Browser, s RecordSpec) {
	t.Helper()
	var schema struct {
		Fields []struct {
			Key  string
			List bool
		}
	}
	b.Get(Path(s.Type)+"/schema", &schema)
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

// Template wants a type's import template to have the header, to be taken as it is though
// it holds nothing, and to be refused to who may not import.
func Template(t *testing.T, b *bfftest.Browser, typ string, header []string) {
	t.Helper()
	b.T = t
	got := b.Do("GET", Path(typ)+"/template", nil)
	if rows := Sheet(t, got); !slices.Equal(rows[0], header) {
		t.Fatalf("header %v", rows[0])
	}
	if b := b.Imports(typ, got.Body); b.State != "failed" || !strings.Contains(b.Message, "没有要导入的数据") {
		t.Fatalf("%+v", b)
	}
	Refused(t, Limited(t, "organization.view").Do("GET", Path(typ)+"/template", nil), http.StatusForbidden, "", "无操作权限")
}
