package acceptance

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// move transfers an organisation and waits until its records have followed.
func move(t *testing.T, b *bfftest.Browser, orgID, to string) item {
	t.Helper()
	var got item
	bfftest.Eventually(t, "no other transfer runs", func() bool {
		a := b.Do("POST", path("organizationTransfer"), form{"transferOrgId": orgID, "toParentId": to, "transferredOn": "2026-01-05", "reason": "区划调整"})
		if a.Status == http.StatusConflict {
			return false
		}
		a.Into(t, &got)
		return true
	})
	bfftest.Eventually(t, "the transfer is done", func() bool {
		b.Get(path("organizationTransfer")+"/"+idOf(got), &got)
		return got["state"] == "done"
	})
	return got
}

// TestTransfer: 整建制转移 (manual 5.4).
func TestTransfer(t *testing.T) {
	top := idOf(add(t, root(t), "organization", orgForm(name("转移党委"), "committee", orgP(t))))
	from := idOf(add(t, root(t), "organization", orgForm(name("原总支"), "generalBranch", top)))
	to := idOf(add(t, root(t), "organization", orgForm(name("新总支"), "generalBranch", top)))
	me, old, next := adminOf(t, top, "moveTop"), adminOf(t, from, "moveOld"), adminOf(t, to, "moveNew")
	branch := func(t *testing.T, n string) string {
		return idOf(add(t, root(t), "organization", orgForm(name(n), "branch", from)))
	}
	form0 := func(id string) form {
		return form{"transferOrgId": id, "toParentId": to, "transferredOn": "2026-01-05", "reason": "区划调整"}
	}

	t.Run("OTRF-02 the organisation hangs under its new superior with all below it; what is wrong is told at its field", func(t *testing.T) {
		me.T = t
		b := branch(t, "迁移支部")
		g := idOf(add(t, root(t), "organization", orgForm(name("迁移小组"), "group", b)))
		for _, k := range []string{"transferOrgId", "toParentId", "transferredOn"} {
			refused(t, me.Do("POST", path("organizationTransfer"), form0(b).with(form{k: ""})), http.StatusBadRequest, k, "请填写")
		}
		for why, to := range map[string]string{"itself": b, "below it": g, "the present parent": from} {
			t.Log(why)
			refused(t, me.Do("POST", path("organizationTransfer"), form0(b).with(form{"toParentId": to})), http.StatusBadRequest, "toParentId", "")
		}
		refused(t, me.Do("POST", path("organizationTransfer"), form0(b).with(form{"transferredOn": "2099-01-01"})), http.StatusBadRequest, "transferredOn", "不能晚于今天")
		if n := me.List("organizationTransfer", "f.transferOrgId="+b).Total; n != 0 {
			t.Fatalf("%d records of refused moves", n)
		}
		got := move(t, me, b, to)
		if got["step"] != got["steps"] || got["step"] == 0.0 {
			t.Fatalf("%v", got)
		}
		_, nodes := treeOf(t, next, "")
		if nodes[name("迁移支部")]["parentId"] != to || nodes[name("迁移小组")]["parentId"] != b {
			t.Fatalf("%v", nodes)
		}
		if n := me.List("organizationTransfer", "f.transferOrgId="+b).Total; n != 1 {
			t.Fatalf("%d records of one move", n)
		}
	})
	t.Run("OTRF-03 only what is below the own organisation moves, and only inside it", func(t *testing.T) {
		old.T = t
		b := branch(t, "范围支部")
		sub := idOf(add(t, root(t), "organization", orgForm(name("范围分总支"), "generalBranch", from)))
		refused(t, old.Do("POST", path("organizationTransfer"), form0(from).with(form{"toParentId": sub})), http.StatusBadRequest, "", "")
		refused(t, old.Do("POST", path("organizationTransfer"), form0(to).with(form{"toParentId": from})), http.StatusBadRequest, "transferOrgId", "不在管理范围内")
		refused(t, old.Do("POST", path("organizationTransfer"), form0(top).with(form{"toParentId": from})), http.StatusBadRequest, "transferOrgId", "不在管理范围内")
		refused(t, old.Do("POST", path("organizationTransfer"), form0(b).with(form{"toParentId": to})), http.StatusBadRequest, "toParentId", "不在管理范围内")
		refused(t, old.Do("POST", path("organizationTransfer"), form0(b).with(form{"toParentId": top})), http.StatusBadRequest, "toParentId", "不在管理范围内")
		if _, nodes := treeOf(t, old, ""); nodes[name("范围支部")]["parentId"] != from {
			t.Fatal("it moved")
		}
	})
	t.Run("OTRF-04 members and records go along, the old superior sees none, bindings stay", func(t *testing.T) {
		b := branch(t, "五人支部")
		var people []bfftest.Person
		for range 5 {
			people = append(people, newMember(t, b))
		}
		phone := phoneOf(t, people[0])
		inside := adminOf(t, b, "moveB")
		for _, x := range []*bfftest.Browser{inside, old, next, me} {
			x.T = t
		}
		add(t, inside, "duesBase", form{"memberId": people[0].ID, "effectiveMonth": "2026-01", "baseAmount": 500000})
		meeting := idOf(add(t, inside, "meeting", form{
			"title": "转移前的会议", "meetingType": "branch", "meetingForm": "offline", "startAt": "2026-12-20 09:00", "endAt": "2026-12-20 10:00", "place": "会议室",
			"participantIds": []string{people[0].ID}, "noticeForm": []string{"site"}, "needSignIn": true,
		}))
		inside.Post("/api/console/meetings/"+meeting+"/start", nil, &item{})
		types := []string{"member", "duesBase", "meeting", "unit", "election", "organizationEvaluation", "binding", "user"}
		add(t, inside, "unit", form{"unitName": name("五人单位"), "unitNature": "school", "orgId": b, "orgForm": "none"})
		add(t, inside, "election", form{"orgId": b, "electionForm": "memberMeeting", "electedOn": "2025-01-05", "termYears": 3})
		phone.Post("/api/member/records/organizationEvaluation", form{"aspects": allFive()}, &item{})
		before := map[string]int{}
		for _, typ := range types {
			before[typ] = inside.List(typ, "").Total
			if n := old.List(typ, "orgId="+b).Total; n != before[typ] || n == 0 {
				t.Fatalf("%s: the old superior sees %d of %d", typ, n, before[typ])
			}
		}
		bfftest.Eventually(t, "the notice is there", func() bool {
			var n struct{ Notifications []item }
			phone.Get("/api/member/notifications", &n)
			return len(n.Notifications) > 0
		})
		counts := map[string]int{}
		for _, typ := range types {
			counts[typ] = old.List(typ, "").Total
		}
		move(t, me, b, to)
		for _, typ := range types {
			if n := next.List(typ, "orgId="+b).Total; n != before[typ] {
				t.Errorf("%s: the new superior sees %d of %d", typ, n, before[typ])
			}
			if n := inside.List(typ, "").Total; n != before[typ] {
				t.Errorf("%s: its own admin sees %d of %d", typ, n, before[typ])
			}
			if n := old.List(typ, "").Total; n != counts[typ]-before[typ] {
				t.Errorf("%s: the old superior sees %d, want %d", typ, n, counts[typ]-before[typ])
			}
			refused(t, old.Do("GET", path(typ)+"?orgId="+b, nil), http.StatusNotFound, "", nothingThere)
		}
		refused(t, old.Do("GET", "/api/console/meetings/"+meeting+"/live", nil), http.StatusNotFound, "", nothingThere)
		next.Get("/api/console/meetings/"+meeting+"/live", &item{})
		for _, who := range people {
			refused(t, old.Do("GET", path("member")+"/"+who.ID, nil), http.StatusNotFound, "", nothingThere)
			next.Get(path("member")+"/"+who.ID, &item{})
		}
		var me2 item
		phone.Get("/api/member/me", &me2)
		if me2["bound"] != true || me2["orgId"] != b {
			t.Fatalf("the member: %v", me2)
		}
		// What an admin inside makes afterwards lies at the new place too.
		made := idOf(add(t, inside, "unit", form{"unitName": name("转移后单位"), "unitNature": "school", "orgId": b, "orgForm": "none"}))
		next.Get(path("unit")+"/"+made, &item{})
		refused(t, old.Do("GET", path("unit")+"/"+made, nil), http.StatusNotFound, "", nothingThere)
	})
	t.Run("OTRF-01 an admin sees the moves from or to his subtree, and no others", func(t *testing.T) {
		for _, x := range []*bfftest.Browser{me, old, next} {
			x.T = t
		}
		b := branch(t, "列表支部")
		got := idOf(move(t, me, b, to))
		for n, x := range map[string]*bfftest.Browser{"top": me, "old": old, "new": next} {
			if list := ids(x.List("organizationTransfer", "size=100")); !slices.Contains(list, got) {
				t.Errorf("%s does not see it in %v", n, list)
			}
		}
		if slices.Contains(ids(adminA(t).List("organizationTransfer", "size=100")), got) {
			t.Error("a stranger sees it")
		}
		r := me.List("organizationTransfer", "f.transferOrgId="+b).Items[0]
		labels := r["_labels"].(map[string]any)
		if labels["transferOrgId"] != name("列表支部") || labels["fromParentId"] != name("原总支") || labels["toParentId"] != name("新总支") ||
			r["transferredOn"] != "2026-01-05" || r["operatorName"] != name("moveTop") {
			t.Fatalf("%v", r)
		}
	})
	t.Run("OTRF-05 the record keeps the names of that day; it cannot be changed, and is nothing to strangers", func(t *testing.T) {
		me.T = t
		b := branch(t, "存档支部")
		got := move(t, me, b, to)
		var r item
		put(t, me, "organization", b, form{"orgName": name("存档后支部")}).Into(t, &r)
		me.Get(path("organizationTransfer")+"/"+idOf(got), &r)
		if l := r["_labels"].(map[string]any); l["transferOrgId"] != name("存档支部") || r["reason"] != "区划调整" {
			t.Fatalf("%v", r)
		}
		if acts := fmt.Sprint(r["_actions"]); acts != "[view]" {
			t.Fatalf("actions %s", acts)
		}
		refused(t, me.Do("PUT", path("organizationTransfer")+"/"+idOf(got), form{"reason": "改", "version": r["version"]}), http.StatusForbidden, "", "无操作权限")
		refused(t, gone(me, "organizationTransfer", idOf(got)), http.StatusForbidden, "", "无操作权限")
		refused(t, adminA(t).Do("GET", path("organizationTransfer")+"/"+idOf(got), nil), http.StatusNotFound, "", nothingThere)
		if n := me.List("organization", "f.orgName="+url.QueryEscape(name("存档后支部"))).Total; n != 1 {
			t.Fatalf("%d", n)
		}
	})
}
