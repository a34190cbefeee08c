package acceptance

import (
	"net/http"
	"slices"
	"testing"
)

// TestLedger: 工作台账 (manual 15), of the modules that exist.
func TestLedger(t *testing.T) {
	a, p := adminA(t), adminP(t)
	who := newMember(t, orgA(t))
	type related struct{ Type, Field, Title, Year string }
	parts := func(t *testing.T, typ string) []related {
		t.Helper()
		var schema struct {
			Related []related
		}
		a.Get(path(typ)+"/schema", &schema)
		return schema.Related
	}
	readOnly := func(t *testing.T, typ, id string) {
		t.Helper()
		refused(t, a.Do("POST", path(typ), form{"orgName": "x", "name": "x"}), http.StatusForbidden, "", "无操作权限")
		refused(t, a.Do("PUT", path(typ)+"/"+id, form{"version": 1}), http.StatusForbidden, "", "无操作权限")
		refused(t, a.Do("POST", path(typ)+"/delete", form{"ids": []string{id}}), http.StatusForbidden, "", "无操作权限")
	}
	t.Run("LEDG-01 the organisations of the chosen subtree, and none outside", func(t *testing.T) {
		a.T, p.T = t, t
		got := ids(p.List("organizationLedger", "size=100"))
		for _, id := range []string{orgP(t), orgA(t), orgB(t)} {
			if !slices.Contains(got, id) {
				t.Errorf("%s is missing", id)
			}
		}
		if got := ids(a.List("organizationLedger", "size=100")); !slices.Equal(got, []string{orgA(t)}) {
			t.Fatalf("A sees %v", got)
		}
		columns(t, a, recordSpec{Type: "organizationLedger", Columns: []string{"orgName", "orgType", "secretary"}})
		refused(t, a.Do("GET", path("organizationLedger")+"?orgId="+orgB(t), nil), http.StatusNotFound, "", nothingThere)
	})
	t.Run("LEDG-02 an organisation's page is that of 党组织管理, to read only", func(t *testing.T) {
		a.T = t
		var l, o item
		a.Get(path("organizationLedger")+"/"+orgA(t), &l)
		a.Get(path("organization")+"/"+orgA(t), &o)
		for _, k := range []string{"orgName", "orgType", "parentId", "secretary", "contactName", "contactPhone", "address", "introduction"} {
			if l[k] != o[k] {
				t.Errorf("%s: %v, there %v", k, l[k], o[k])
			}
		}
		if int(l["memberCount"].(float64)) != a.List("member", "").Total {
			t.Errorf("%v members, the list has %d", l["memberCount"], a.List("member", "").Total)
		}
		if !slices.ContainsFunc(parts(t, "organizationLedger"), func(r related) bool { return r.Type == "leadershipMember" && r.Year == "" }) {
			t.Error("no leadership")
		}
		refused(t, a.Do("GET", path("organizationLedger")+"/"+orgB(t), nil), http.StatusNotFound, "", nothingThere)
		readOnly(t, "organizationLedger", orgA(t))
	})
	t.Run("LEDG-04 LEDG-05 the members of the chosen subtree; a member's page is that of 党员管理, to read only", func(t *testing.T) {
		a.T, p.T = t, t
		theirs := newMember(t, orgB(t)).ID
		if got := ids(a.List("memberLedger", "size=100")); !slices.Contains(got, who.ID) || slices.Contains(got, theirs) || a.List("memberLedger", "").Total != a.List("member", "").Total {
			t.Fatalf("A sees %v", got)
		}
		if got := ids(p.List("memberLedger", "size=100&orgId="+orgB(t))); !slices.Contains(got, theirs) || slices.Contains(got, who.ID) {
			t.Fatalf("P with B chosen sees %v", got)
		}
		columns(t, a, recordSpec{Type: "memberLedger", Columns: []string{"name", "orgId"}})
		var l, m item
		a.Get(path("memberLedger")+"/"+who.ID, &l)
		a.Get(path("member")+"/"+who.ID, &m)
		for _, k := range []string{"name", "gender", "idNumber", "phone", "birthDate", "orgId", "memberType", "joinedOn", "regularizedOn", "education"} {
			if l[k] != m[k] {
				t.Errorf("%s: %v, there %v", k, l[k], m[k])
			}
		}
		refused(t, a.Do("GET", path("memberLedger")+"/"+theirs, nil), http.StatusNotFound, "", nothingThere)
		readOnly(t, "memberLedger", who.ID)
	})
}
