package acceptance

import (
	"net/http"
	"slices"
	"testing"
)

// TestTree: 组织树 (manual 3).
func TestTree(t *testing.T) {
	top := idOf(add(t, root(t), "organization", orgForm(name("树总支"), "generalBranch", orgP(t))))
	b := idOf(add(t, root(t), "organization", orgForm(name("树乙"), "branch", top).with(form{"sortNo": 2})))
	idOf(add(t, root(t), "organization", orgForm(name("树甲"), "jointBranch", top).with(form{"sortNo": 1})))
	add(t, root(t), "organization", orgForm(name("树乙组"), "group", b))
	n := name("treeAdmin")
	newUser(t, n, top, "*")
	me := user(t, n, userPassword)

	t.Run("TREE-01 the own organisation and all below it, nested, in sort order, and nothing else", func(t *testing.T) {
		me.T = t
		names, nodes := treeOf(t, me, "")
		if !slices.Equal(names, []string{name("树总支"), name("树甲"), name("树乙"), name("树乙组")}) {
			t.Fatalf("%v", names)
		}
		if nodes[name("树总支")]["parentId"] != "" || nodes[name("树乙组")]["parentId"] != b || nodes[name("树甲")]["parentId"] != top {
			t.Fatalf("%v", nodes)
		}
	})
	t.Run("TREE-02 each type has its sign, the new one after a change", func(t *testing.T) {
		me.T = t
		_, nodes := treeOf(t, me, "")
		for k, want := range map[string]string{"树总支": "总", "树甲": "联", "树乙": "支", "树乙组": "组"} {
			if nodes[name(k)]["icon"] != want {
				t.Errorf("%s has %v, want %s", k, nodes[name(k)]["icon"], want)
			}
		}
		if _, all := treeOf(t, adminP(t), ""); all[name("试验党委")]["icon"] != "委" {
			t.Errorf("committee: %v", all[name("试验党委")])
		}
		var r item
		put(t, me, "organization", b, form{"orgType": "jointBranch"}).Into(t, &r)
		if _, nodes = treeOf(t, me, ""); nodes[name("树乙")]["icon"] != "联" {
			t.Fatalf("%v", nodes[name("树乙")])
		}
		put(t, me, "organization", b, form{"orgType": "branch"}).Into(t, &r)
	})
	t.Run("TREE-03 a list shows the chosen node's records; a node outside the scope is refused", func(t *testing.T) {
		me.T = t
		got := me.List("organization", "size=100&orgId="+b)
		if got.Total != 2 || got.Items[0]["orgName"] != name("树乙组") || got.Items[1]["orgName"] != name("树乙") {
			t.Fatalf("%+v", got)
		}
		for _, typ := range []string{"organization", "member", "unit", "election"} {
			refused(t, me.Do("GET", path(typ)+"?orgId="+orgA(t), nil), http.StatusNotFound, "", nothingThere)
		}
		refused(t, me.Do("GET", "/api/console/tree?orgId="+orgA(t), nil), http.StatusNotFound, "", nothingThere)
	})
	t.Run("TREE-05 the next load shows what was made, renamed, moved or deleted", func(t *testing.T) {
		me.T = t
		id := idOf(add(t, me, "organization", orgForm(name("树新"), "branch", top)))
		var r item
		put(t, me, "organization", id, form{"orgName": name("树新名")}).Into(t, &r)
		if _, nodes := treeOf(t, me, ""); nodes[name("树新")] != nil || nodes[name("树新名")]["parentId"] != top {
			t.Fatalf("%v", nodes)
		}
		sub := idOf(add(t, me, "organization", orgForm(name("树分总支"), "generalBranch", top)))
		move(t, me, id, sub)
		if _, nodes := treeOf(t, me, ""); nodes[name("树新名")]["parentId"] != sub {
			t.Fatalf("%v", nodes[name("树新名")])
		}
		if a := gone(me, "organization", id); a.Status != http.StatusOK {
			t.Fatalf("%s", a.Body)
		}
		if _, nodes := treeOf(t, me, ""); nodes[name("树新名")] != nil {
			t.Fatal("still there")
		}
		refused(t, me.Do("GET", path("member")+"?orgId="+id, nil), http.StatusNotFound, "", nothingThere)
	})
}
