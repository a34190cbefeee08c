package organization

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

// TestTree: 组织树 (manual 3).
func TestTree(t *testing.T) {
	top := NewOrg(t, Name("树总支"), "generalBranch", OrgP(t))
	b := IDOf(Add(t, Root(t), "organization", OrgForm(Name("树乙"), "branch", top).With(Form{"sortNo": 2})))
	IDOf(Add(t, Root(t), "organization", OrgForm(Name("树甲"), "jointBranch", top).With(Form{"sortNo": 1})))
	Add(t, Root(t), "organization", OrgForm(Name("树乙组"), "group", b))
	n := Name("treeAdmin")
	NewUser(t, n, top, "*")
	me := User(t, n, UserPassword)

	t.Run("TREE-01 the own organisation and all below it, nested, in sort order, and nothing else", func(t *testing.T) {
		me.T = t
		names, nodes := treeOf(t, me, "")
		if !slices.Equal(names, []string{Name("树总支"), Name("树甲"), Name("树乙"), Name("树乙组")}) {
			t.Fatalf("%v", names)
		}
		if nodes[Name("树总支")]["parentId"] != "" || nodes[Name("树乙组")]["parentId"] != b || nodes[Name("树甲")]["parentId"] != top {
			t.Fatalf("%v", nodes)
		}
	})
	t.Run("TREE-02 each type has its sign, the new one after a change", func(t *testing.T) {
		me.T = t
		_, nodes := treeOf(t, me, "")
		for k, want := range map[string]string{"树总支": "总", "树甲": "联", "树乙": "支", "树乙组": "组"} {
			if nodes[Name(k)]["icon"] != want {
				t.Errorf("%s has %v, want %s", k, nodes[Name(k)]["icon"], want)
			}
		}
		if _, all := treeOf(t, AdminP(t), ""); all[Name("试验党委")]["icon"] != "委" {
			t.Errorf("committee: %v", all[Name("试验党委")])
		}
		var r Item
		Put(t, me, "organization", b, Form{"orgType": "jointBranch"}).Into(t, &r)
		if _, nodes = treeOf(t, me, ""); nodes[Name("树乙")]["icon"] != "联" {
			t.Fatalf("%v", nodes[Name("树乙")])
		}
		Put(t, me, "organization", b, Form{"orgType": "branch"}).Into(t, &r)
	})
	t.Run("TREE-03 a list shows the chosen node's records; a node outside the scope is refused", func(t *testing.T) {
		me.T = t
		got := me.List("organization", "size=100&orgId="+b)
		if got.Total != 2 || got.Items[0]["orgName"] != Name("树乙组") || got.Items[1]["orgName"] != Name("树乙") {
			t.Fatalf("%+v", got)
		}
		for _, typ := range []string{"organization", "member", "unit", "election"} {
			Refused(t, me.Do("GET", Path(typ)+"?orgId="+OrgA(t), nil), http.StatusNotFound, "", NothingThere)
		}
		Refused(t, me.Do("GET", "/api/console/tree?orgId="+OrgA(t), nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("TREE-05 the next load shows what was made, renamed, moved or deleted", func(t *testing.T) {
		me.T = t
		id := IDOf(Add(t, me, "organization", OrgForm(Name("树新"), "group", b)))
		var r Item
		Put(t, me, "organization", id, Form{"orgName": Name("树新名")}).Into(t, &r)
		if _, nodes := treeOf(t, me, ""); nodes[Name("树新")] != nil || nodes[Name("树新名")]["parentId"] != b {
			t.Fatalf("%v", nodes)
		}
		sub := IDOf(Add(t, me, "organization", OrgForm(Name("树丙"), "branch", top)))
		move(t, me, id, sub)
		if _, nodes := treeOf(t, me, ""); nodes[Name("树新名")]["parentId"] != sub {
			t.Fatalf("%v", nodes[Name("树新名")])
		}
		if a := Delete(me, "organization", id); a.Status != http.StatusOK {
			t.Fatalf("%s", a.Body)
		}
		if _, nodes := treeOf(t, me, ""); nodes[Name("树新名")] != nil {
			t.Fatal("still there")
		}
		Refused(t, me.Do("GET", Path("member")+"?orgId="+id, nil), http.StatusNotFound, "", NothingThere)
	})
}
