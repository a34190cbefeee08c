package organization

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// move transfers an organisation and waits until its records have followed.
func move(t *testing.T, b *bfftest.Browser, orgID, to string) Item {
	t.Helper()
	var got Item
	bfftest.Eventually(t, "no other transfer runs", func() bool {
		a := b.Do("POST", Path("organizationTransfer"), Form{"transferOrgId": orgID, "toParentId": to, "transferredOn": "2026-01-05", "reason": "区划调整"})
		if a.Status == http.StatusConflict {
			return false
		}
		a.Into(t, &got)
		return true
	})
	bfftest.Eventually(t, "the transfer is done", func() bool {
		b.Get(Path("organizationTransfer")+"/"+IDOf(got), &got)
		return got["state"] == "done"
	})
	return got
}

// TestTransfer: 整建制转移 (manual 5.4).
func TestTransfer(t *testing.T) {
	top := NewOrg(t, Name("转移党委"), "committee", OrgP(t))
	from := NewOrg(t, Name("原总支"), "generalBranch", top)
	to := NewOrg(t, Name("新总支"), "generalBranch", top)
	me, old, next := AdminOf(t, top, "moveTop"), AdminOf(t, from, "moveOld"), AdminOf(t, to, "moveNew")
	branch := func(t *testing.T, n string) string {
		return NewOrg(t, Name(n), "branch", from)
	}
	form0 := func(id string) Form {
		return Form{"transferOrgId": id, "toParentId": to, "transferredOn": "2026-01-05", "reason": "区划调整"}
	}

	t.Run("OTRF-02 the organisation hangs under its new superior with all below it; what is wrong is told at its field", func(t *testing.T) {
		me.T = t
		b := branch(t, "迁移支部")
		g := NewOrg(t, Name("迁移小组"), "group", b)
		for _, k := range []string{"transferOrgId", "toParentId", "transferredOn"} {
			Refused(t, me.Do("POST", Path("organizationTransfer"), form0(b).With(Form{k: ""})), http.StatusBadRequest, k, "请填写")
		}
		for why, to := range map[string]string{"itself": b, "below it": g, "the present parent": from} {
			t.Log(why)
			Refused(t, me.Do("POST", Path("organizationTransfer"), form0(b).With(Form{"toParentId": to})), http.StatusBadRequest, "toParentId", "")
		}
		Refused(t, me.Do("POST", Path("organizationTransfer"), form0(b).With(Form{"transferredOn": "2099-01-01"})), http.StatusBadRequest, "transferredOn", "不能晚于今天")
		if n := me.List("organizationTransfer", "f.transferOrgId="+b).Total; n != 0 {
			t.Fatalf("%d records of refused moves", n)
		}
		got := move(t, me, b, to)
		if got["step"] != got["steps"] || got["step"] == 0.0 {
			t.Fatalf("%v", got)
		}
		_, nodes := treeOf(t, next, "")
		if nodes[Name("迁移支部")]["parentId"] != to || nodes[Name("迁移小组")]["parentId"] != b {
			t.Fatalf("%v", nodes)
		}
		if n := me.List("organizationTransfer", "f.transferOrgId="+b).Total; n != 1 {
			t.Fatalf("%d records of one move", n)
		}
	})
	t.Run("OTRF-03 only what is below the own organisation moves, and only inside it", func(t *testing.T) {
		old.T = t
		b := branch(t, "范围支部")
		sub := NewOrg(t, Name("范围下级"), "branch", from)
		Refused(t, old.Do("POST", Path("organizationTransfer"), form0(from).With(Form{"toParentId": sub})), http.StatusBadRequest, "", "")
		Refused(t, old.Do("POST", Path("organizationTransfer"), form0(to).With(Form{"toParentId": from})), http.StatusBadRequest, "transferOrgId", "不在管理范围内")
		Refused(t, old.Do("POST", Path("organizationTransfer"), form0(top).With(Form{"toParentId": from})), http.StatusBadRequest, "transferOrgId", "不在管理范围内")
		Refused(t, old.Do("POST", Path("organizationTransfer"), form0(b).With(Form{"toParentId": to})), http.StatusBadRequest, "toParentId", "不在管理范围内")
		Refused(t, old.Do("POST", Path("organizationTransfer"), form0(b).With(Form{"toParentId": top})), http.StatusBadRequest, "toParentId", "不在管理范围内")
		if _, nodes := treeOf(t, old, ""); nodes[Name("范围支部")]["parentId"] != from {
			t.Fatal("it moved")
		}
	})
	t.Run("OTRF-04 members and records go along, the old superior sees none, bindings stay", func(t *testing.T) {
		b := branch(t, "五人支部")
		var people []bfftest.Person
		for range 5 {
			people = append(people, NewMember(t, b))
		}
		phone := PhoneOf(t, people[0])
		inside := AdminOf(t, b, "moveB")
		for _, x := range []*bfftest.Browser{inside, old, next, me} {
			x.T = t
		}
		Add(t, inside, "duesBase", Form{"memberId": people[0].ID, "effectiveMonth": "2026-01", "baseAmount": 500000})
		meeting := IDOf(Add(t, inside, "meeting", Form{
			"title": "转移前的会议", "meetingType": "branch", "meetingForm": "offline", "startAt": "2026-12-20 09:00", "endAt": "2026-12-20 10:00", "place": "会议室",
			"participantIds": []string{people[0].ID}, "noticeForm": []string{"site"}, "needSignIn": true,
		}))
		inside.Post("/api/console/records/meeting/"+meeting+"/actions/start", nil, &Item{})
		types := []string{"member", "duesBase", "meeting", "unit", "election", "organizationEvaluation", "binding", "user"}
		Add(t, inside, "unit", Form{"unitName": Name("五人单位"), "unitNature": "school", "orgId": b, "orgForm": "none"})
		Add(t, inside, "election", Form{"orgId": b, "electionForm": "memberMeeting", "electedOn": "2025-01-05", "termYears": 3})
		phone.Post("/api/member/records/organizationEvaluation", Form{"aspects": allFive()}, &Item{})
		before := map[string]int{}
		for _, typ := range types {
			before[typ] = inside.List(typ, "").Total
			if n := old.List(typ, "orgId="+b).Total; n != before[typ] || n == 0 {
				t.Fatalf("%s: the old superior sees %d of %d", typ, n, before[typ])
			}
		}
		bfftest.Eventually(t, "the notice is there", func() bool {
			var n struct{ Notifications []Item }
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
			Refused(t, old.Do("GET", Path(typ)+"?orgId="+b, nil), http.StatusNotFound, "", NothingThere)
		}
		Refused(t, old.Do("GET", "/api/console/meetings/"+meeting+"/live", nil), http.StatusNotFound, "", NothingThere)
		next.Get("/api/console/meetings/"+meeting+"/live", &Item{})
		for _, who := range people {
			Refused(t, old.Do("GET", Path("member")+"/"+who.ID, nil), http.StatusNotFound, "", NothingThere)
			next.Get(Path("member")+"/"+who.ID, &Item{})
		}
		var me2 Item
		phone.Get("/api/member/me", &me2)
		if me2["bound"] != true || me2["orgId"] != b {
			t.Fatalf("the member: %v", me2)
		}
		// What an admin inside makes afterwards lies at the new place too.
		made := IDOf(Add(t, inside, "unit", Form{"unitName": Name("转移后单位"), "unitNature": "school", "orgId": b, "orgForm": "none"}))
		next.Get(Path("unit")+"/"+made, &Item{})
		Refused(t, old.Do("GET", Path("unit")+"/"+made, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("OTRF-01 an admin sees the moves from or to his subtree, and no others", func(t *testing.T) {
		for _, x := range []*bfftest.Browser{me, old, next} {
			x.T = t
		}
		b := branch(t, "列表支部")
		got := IDOf(move(t, me, b, to))
		for n, x := range map[string]*bfftest.Browser{"top": me, "old": old, "new": next} {
			if list := IDs(x.List("organizationTransfer", "size=100")); !slices.Contains(list, got) {
				t.Errorf("%s does not see it in %v", n, list)
			}
		}
		if slices.Contains(IDs(AdminA(t).List("organizationTransfer", "size=100")), got) {
			t.Error("a stranger sees it")
		}
		r := me.List("organizationTransfer", "f.transferOrgId="+b).Items[0]
		labels := r["_labels"].(map[string]any)
		if labels["transferOrgId"] != Name("列表支部") || labels["fromParentId"] != Name("原总支") || labels["toParentId"] != Name("新总支") ||
			r["transferredOn"] != "2026-01-05" || r["operatorName"] != Name("moveTop") {
			t.Fatalf("%v", r)
		}
	})
	t.Run("OTRF-05 the record keeps the names of that day; it cannot be changed, and is nothing to strangers", func(t *testing.T) {
		me.T = t
		b := branch(t, "存档支部")
		got := move(t, me, b, to)
		var r Item
		Put(t, me, "organization", b, Form{"orgName": Name("存档后支部")}).Into(t, &r)
		me.Get(Path("organizationTransfer")+"/"+IDOf(got), &r)
		if l := r["_labels"].(map[string]any); l["transferOrgId"] != Name("存档支部") || r["reason"] != "区划调整" {
			t.Fatalf("%v", r)
		}
		if acts := fmt.Sprint(r["_actions"]); acts != "[view]" {
			t.Fatalf("actions %s", acts)
		}
		Refused(t, me.Do("PUT", Path("organizationTransfer")+"/"+IDOf(got), Form{"reason": "改", "version": r["version"]}), http.StatusForbidden, "", "无操作权限")
		Refused(t, Delete(me, "organizationTransfer", IDOf(got)), http.StatusForbidden, "", "无操作权限")
		Refused(t, AdminA(t).Do("GET", Path("organizationTransfer")+"/"+IDOf(got), nil), http.StatusNotFound, "", NothingThere)
		if n := me.List("organization", "f.orgName="+url.QueryEscape(Name("存档后支部"))).Total; n != 1 {
			t.Fatalf("%d", n)
		}
	})
}

// TestGuestsAfterTransfer: whichever of a guest's two organisations moves, both see him.
func TestGuestsAfterTransfer(t *testing.T) {
	top := NewOrg(t, Name("客党委"), "committee", OrgP(t))
	from := NewOrg(t, Name("客总支一"), "generalBranch", top)
	to := NewOrg(t, Name("客总支二"), "generalBranch", top)
	at := NewOrg(t, Name("客支部"), "branch", from)
	home := NewOrg(t, Name("家支部"), "branch", from)
	tops, host, homes := AdminOf(t, top, "guestTop"), AdminOf(t, at, "guestHost"), AdminOf(t, home, "guestHome")
	old, next := AdminOf(t, from, "guestOld"), AdminOf(t, to, "guestNext")
	who := NewMember(t, home)
	g := IDOf(Add(t, host, "partTimeMember", Form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone, "homeOrgName": "x", "startOn": Day(-1), "endOn": Day(1)}))
	sees := func(b *bfftest.Browser) bool { return slices.Contains(IDs(b.List("partTimeMember", "size=100")), g) }
	t.Run("PART-04 OTRF-03 the home branch moves: nothing changes for the guest's record", func(t *testing.T) {
		move(t, tops, home, to)
		bfftest.Eventually(t, "the home branch's own records have followed", func() bool { return slices.Contains(IDs(next.List("member", "size=100")), who.ID) })
		if !sees(host) || !sees(homes) || !sees(old) || sees(next) {
			t.Fatalf("host %v, home %v, above the host %v, above the home %v", sees(host), sees(homes), sees(old), sees(next))
		}
	})
	t.Run("PART-04 OTRF-03 the organisation that added him moves: he moves with it", func(t *testing.T) {
		move(t, tops, at, to)
		bfftest.Eventually(t, "the new superior sees him", func() bool { return sees(next) })
		if !sees(host) || !sees(homes) || sees(old) {
			t.Fatalf("host %v, home %v, former superior %v", sees(host), sees(homes), sees(old))
		}
	})
}
