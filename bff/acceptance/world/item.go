package world

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"zhihuidangjian/bff/bfftest"
)

// Item is a record as the product shows it.
type Item = map[string]any

// Path is where admins find the records of a type.
func Path(typ string) string { return "/api/console/records/" + typ }

// Own is where a member finds his own records of a type.
func Own(typ string) string { return "/api/member/records/" + typ }

// IDOf is a record's id.
func IDOf(r Item) string { return r["id"].(string) }

// IDs are the ids of a page, in order.
func IDs(p bfftest.Page) []string {
	out := []string{}
	for _, r := range p.Items {
		out = append(out, IDOf(r))
	}
	return out
}

// Mine are the ids of a member's own records, as his phone lists them.
func Mine(t *testing.T, phone *bfftest.Browser, typ string) []string {
	t.Helper()
	phone.T = t
	var p bfftest.Page
	phone.Get(Own(typ)+"?size=100", &p)
	return IDs(p)
}

// Add saves a form and answers the record.
func Add(t *testing.T, b *bfftest.Browser, typ string, f Form) Item {
	t.Helper()
	var got Item
	b.Post(Path(typ), f, &got)
	return got
}

// Put changes some fields of a record.
func Put(t *testing.T, b *bfftest.Browser, typ, id string, f Form) *bfftest.Answer {
	t.Helper()
	var now Item
	b.Get(Path(typ)+"/"+id, &now)
	return b.Do("PUT", Path(typ)+"/"+id, f.With(Form{"version": now["version"]}))
}

// Delete asks for the ticked records to be deleted.
func Delete(b *bfftest.Browser, typ string, ids ...string) *bfftest.Answer {
	b.T.Helper()
	return b.Do("POST", Path(typ)+"/delete", Form{"ids": ids})
}

// Remove deletes records.
func Remove(t *testing.T, b *bfftest.Browser, typ string, ids ...string) {
	t.Helper()
	b.T = t
	Delete(b, typ, ids...).Into(t, &struct{}{})
}

// NothingThere is what is said of a record that is not there, or not for who asks.
const NothingThere = "无权限或数据不存在"

// Refused wants a refusal that says the text: of the field, unless it is "".
func Refused(t *testing.T, a *bfftest.Answer, status int, field, text string) {
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

// Same wants a record to hold a form's values. Sealed fields are shown masked and left out.
func Same(t *testing.T, got Item, f Form) {
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

// Sheet reads the rows of an exported workbook.
func Sheet(t *testing.T, a *bfftest.Answer) [][]string {
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
