package acceptance

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
)

// TestAdminsAreTold: what members hand in reaches the admins who have to do with it.
func TestAdminsAreTold(t *testing.T) {
	who := newMember(t, orgA(t))
	phone := phoneOf(t, who)
	reader, approver, stranger := limited(t, "suggestion.view", "helpRequest.view"), limited(t, "profileChange.approve"), limited(t, "member.view")
	disabledName := name("disabledUser")
	disabled := newUser(t, disabledName, orgA(t), "*")
	put(t, root(t), "user", disabled, form{"status": "disabled"}).Into(t, &item{})
	about := func(b *bfftest.Browser, id string) (n int) {
		var l struct {
			Notifications []struct {
				TargetID string
				ReadAt   int64
			}
		}
		b.Get("/api/console/notifications", &l)
		for _, x := range l.Notifications {
			if x.TargetID == id && x.ReadAt == 0 {
				n++
			}
		}
		return n
	}
	hand := func(t *testing.T, typ string, f form) string {
		t.Helper()
		phone.T = t
		var got item
		phone.Post(own(typ), f, &got)
		return idOf(got)
	}
	submissions := []struct {
		typ  string
		form form
		told *bfftest.Browser
		not  []*bfftest.Browser
	}{
		{"suggestion", form{"title": "建议", "content": "多开会"}, reader, []*bfftest.Browser{approver, stranger}},
		{"helpRequest", form{"title": "求助", "content": "需要帮助"}, reader, []*bfftest.Browser{approver, stranger}},
		{"profileChange", form{"education": "bachelor"}, approver, []*bfftest.Browser{reader, stranger}},
	}
	t.Run("JOB-02 one unread notice for every enabled admin of the branch with the permission, none for others; handed in again, another", func(t *testing.T) {
		a := adminA(t)
		for _, x := range append([]*bfftest.Browser{a, reader, approver, stranger}, adminB(t), adminP(t), root(t)) {
			x.T = t
		}
		began := time.Now()
		var first string
		for _, s := range submissions {
			id := hand(t, s.typ, s.form)
			eventually(t, s.typ+" is told", func() bool { return about(s.told, id) == 1 && about(a, id) == 1 })
			for i, b := range append(s.not, adminB(t), adminP(t), root(t)) {
				if n := about(b, id); n != 0 {
					t.Errorf("%s: %d notices to admin %d", s.typ, n, i)
				}
			}
			first = id
		}
		if time.Since(began) > time.Minute {
			t.Errorf("told after %v", time.Since(began))
		}
		a.Post(path("profileChange")+"/"+first+"/actions/reject", form{"opinion": "请重填"}, &item{})
		again := hand(t, "profileChange", form{"education": "postgraduate"})
		eventually(t, "it is told again", func() bool { return about(approver, again) == 1 && about(a, again) == 1 })
		if about(approver, first) != 1 {
			t.Error("the first notice is gone")
		}
		put(t, root(t), "user", disabled, form{"status": "enabled"}).Into(t, &item{})
		var l struct{ Notifications []item }
		user(t, disabledName, userPassword).Get("/api/console/notifications", &l)
		if len(l.Notifications) != 0 {
			t.Errorf("a disabled user was told %v", l.Notifications)
		}
	})
}

// TestMembersAreTold: messages in the official account open what they speak of.
func TestMembersAreTold(t *testing.T) {
	who, unbound := newMember(t, orgA(t)), newMember(t, orgA(t))
	phone, wechat := product.Bind(t, 0, who)
	type message struct{ Kind, URL string }
	messages := func(t *testing.T) []message {
		t.Helper()
		var l struct{ Messages []message }
		phone.Get("/sandbox/api/messages?userId="+wechat, &l)
		return l.Messages
	}
	t.Run("MENU-11 each message opens exactly its record; one that is gone is not found; who is not bound gets none", func(t *testing.T) {
		phone.T = t
		a := adminA(t)
		start := time.Now().Add(time.Hour)
		m := idOf(add(t, a, "meeting", meetingForm("要通知的会", form{"participantIds": []string{who.ID, unbound.ID}, "noticeForm": []string{"wechat"},
			"startAt": start.Format(time.RFC3339), "endAt": start.Add(time.Hour).Format(time.RFC3339)})))
		a.Post("/api/console/meetings/"+m+"/start", nil, &item{})
		var change, letter item
		phone.Post(own("profileChange"), form{"education": "bachelor"}, &change)
		a.Post(path("profileChange")+"/"+idOf(change)+"/actions/approve", form{"opinion": "同意"}, &item{})
		phone.Post(own("suggestion"), form{"title": "建议", "content": "多开会"}, &letter)
		a.Post(path("suggestion")+"/"+idOf(letter)+"/actions/reply", form{"reply": "好的"}, &item{})
		want := map[string]string{
			"pages/meeting/detail?id=" + m:                               "/api/member/meetings/" + m,
			"pages/records/detail?type=profileChange&id=" + idOf(change): own("profileChange") + "/" + idOf(change),
			"pages/records/detail?type=suggestion&id=" + idOf(letter):    own("suggestion") + "/" + idOf(letter),
		}
		eventually(t, "three messages", func() bool { return len(messages(t)) >= len(want) })
		got := messages(t)
		for page, at := range want {
			if n := len(slices.DeleteFunc(slices.Clone(got), func(x message) bool { return !strings.HasSuffix(x.URL, "/m/#/"+page) })); n != 1 {
				t.Errorf("%d messages open %s: %v", n, page, got)
			}
			phone.Get(at, &item{})
		}
		a.Post(path("meeting")+"/delete", form{"ids": []string{m}}, &struct{}{})
		refused(t, phone.Do("GET", "/api/member/meetings/"+m, nil), http.StatusNotFound, "", "")
		later, his := product.Bind(t, 0, unbound)
		var l struct{ Messages []message }
		later.Get("/sandbox/api/messages?userId="+his, &l)
		if len(l.Messages) != 0 {
			t.Errorf("who was not bound was told %v", l.Messages)
		}
	})
}

// memberPages are what the member pages ask for.
var memberPages = []string{
	"dues", "meetings", "notifications", "points", "ranking", "profile", "organization",
	"records/suggestion", "records/reward", "records/developmentCase", "records/memberShowcase", "records/profileChange/schema",
}

// TestMemberMenu: what the official account shows to whom.
func TestMemberMenu(t *testing.T) {
	closed := func(t *testing.T, b *bfftest.Browser, why string) {
		t.Helper()
		for _, p := range memberPages {
			a := b.Do("GET", "/api/member/"+p, nil)
			if a.Status != http.StatusForbidden || !strings.Contains(string(a.Body), `"key":"unbound"`) {
				t.Errorf("%s: %s: %d %s", why, p, a.Status, a.Body)
			}
		}
		var me struct{ Bound bool }
		if b.Get("/api/member/me", &me); me.Bound {
			t.Errorf("%s: still bound", why)
		}
	}
	open := func(b *bfftest.Browser) bool { return b.Do("GET", "/api/member/meetings", nil).Status == http.StatusOK }
	t.Run("MENU-10 who is not bound, or no longer, gets no data of members, at the next request", func(t *testing.T) {
		visitor := product.Browser(t, 0)
		visitor.OpenPhone(visitor.WeChatUser("路人", "13800000000"))
		closed(t, visitor, "a visitor")
		for why, end := range map[string]func(bfftest.Person){
			"unbound": func(p bfftest.Person) { adminA(t).Post("/api/console/members/"+p.ID+"/unbind", nil, &item{}) },
			"deleted": func(p bfftest.Person) {
				adminA(t).Post(path("member")+"/delete", form{"ids": []string{p.ID}}, &struct{}{})
			},
			"left the party": func(p bfftest.Person) {
				add(t, adminA(t), "memberReduction", form{"memberId": p.ID, "reductionType": "death", "reducedOn": day(-1), "reason": "病故"})
			},
		} {
			p := newMember(t, orgA(t))
			b := phoneOf(t, p)
			if !open(b) {
				t.Fatalf("%s: closed before", why)
			}
			end(p)
			eventually(t, why, func() bool { return !open(b) })
			closed(t, b, why)
		}
	})
	t.Run("MENU-12 a member who is part-time elsewhere sees both organisations' events under their names; all else is of his own branch", func(t *testing.T) {
		who := newMember(t, orgB(t))
		add(t, adminA(t), "partTimeMember", form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone, "homeOrgName": "x", "startOn": day(-1), "endOn": day(1)})
		for _, x := range []struct {
			b   *bfftest.Browser
			org string
		}{{adminA(t), name("甲支部")}, {adminB(t), name("乙支部")}} {
			p := who.ID
			if x.org == name("甲支部") {
				for _, g := range x.b.List("partTimeMember", "f.name="+who.Name).Items {
					p = idOf(g)
				}
			}
			m := idOf(add(t, x.b, "meeting", meetingForm(x.org+"的会", form{"participantIds": []string{p}})))
			x.b.Post("/api/console/meetings/"+m+"/start", nil, &item{})
		}
		phone := phoneOf(t, who)
		var l struct {
			Meetings []struct{ Title, OrgName string }
		}
		phone.Get("/api/member/meetings", &l)
		if len(l.Meetings) != 2 {
			t.Fatalf("%v", l)
		}
		for _, m := range l.Meetings {
			if m.Title != m.OrgName+"的会" {
				t.Errorf("%v", m)
			}
		}
		var org struct{ OrgName string }
		var me struct{ OrgID string }
		phone.Get("/api/member/organization", &org)
		phone.Get("/api/member/me", &me)
		if org.OrgName != name("乙支部") || me.OrgID != orgB(t) {
			t.Fatalf("%v %v", org, me)
		}
		phone.Get("/api/member/dues", &item{})
		var asked item
		phone.Post(own("profileChange"), form{"education": "bachelor"}, &asked)
		if !slices.Contains(ids(adminB(t).List("profileChange", "f.memberId="+who.ID)), idOf(asked)) || len(adminA(t).List("profileChange", "f.memberId="+who.ID).Items) != 0 {
			t.Fatal("his application went to the wrong branch")
		}
	})
}

// TestGlobalLists: lists that only the top level keeps.
func TestGlobalLists(t *testing.T) {
	t.Run("COMM-08 only the root's admin adds, changes and deletes; others see the list and are refused", func(t *testing.T) {
		top := root(t)
		a, p := adminA(t), adminP(t)
		var types []struct {
			Type        string
			Permissions []struct{ Key string }
		}
		top.Get("/api/console/records", &types)
		type rights struct{ Permissions map[string]bool }
		globals := 0
		for _, x := range types {
			var mine, lower rights
			top.Get(path(x.Type)+"/schema", &mine)
			a.Get(path(x.Type)+"/schema", &lower)
			if !mine.Permissions["create"] || lower.Permissions["create"] {
				continue // everybody's, or nobody's
			}
			globals++
			made := add(t, top, x.Type, form{"name": name("全局"), "sortNo": 7})
			id := idOf(made)
			for _, b := range []*bfftest.Browser{a, p} {
				if !slices.ContainsFunc(b.List(x.Type, "size=100").Items, func(r item) bool {
					return r["id"] == id && slices.Equal(r["_actions"].([]any), []any{"view"})
				}) {
					t.Errorf("%s is not shown to be read only", x.Type)
				}
				refused(t, b.Do("POST", path(x.Type), form{"name": name("下级")}), http.StatusForbidden, "", "只有一级管理员可以操作")
				refused(t, b.Do("PUT", path(x.Type)+"/"+id, form{"name": name("下级"), "version": made["version"]}), http.StatusForbidden, "", "只有一级管理员可以操作")
				refused(t, b.Do("POST", path(x.Type)+"/delete", form{"ids": []string{id}}), http.StatusForbidden, "", "只有一级管理员可以操作")
			}
			var changed item
			put(t, top, x.Type, id, form{"name": name("全局改")}).Into(t, &changed)
			if got := a.List(x.Type, "size=100").Items; !slices.ContainsFunc(got, func(r item) bool { return r["name"] == name("全局改") }) {
				t.Errorf("%s: the new name is not seen", x.Type)
			}
			top.Post(path(x.Type)+"/delete", form{"ids": []string{id}}, &struct{}{})
			if slices.Contains(ids(a.List(x.Type, "size=100")), id) {
				t.Errorf("%s: still there", x.Type)
			}
		}
		if globals == 0 {
			t.Fatal("there is no global list")
		}
		rule := top.List("pointsRule", "").Items[0]
		refused(t, a.Do("PUT", path("pointsRule")+"/"+idOf(rule), form{"addScore": "9", "version": rule["version"]}), http.StatusForbidden, "", "只有最高级管理员可以修改")
	})
}

// TestStatisticsFollow: figures and records.
func TestStatisticsFollow(t *testing.T) {
	p := adminP(t)
	top := idOf(add(t, root(t), "organization", orgForm(name("报表总支"), "generalBranch", orgP(t))))
	branches := []string{
		idOf(add(t, root(t), "organization", orgForm(name("报表一"), "branch", top))),
		idOf(add(t, root(t), "organization", orgForm(name("报表二"), "branch", top))),
	}
	t.Run("JOB-07 the figures follow the records, and those of the organisations below add up to the superior's", func(t *testing.T) {
		p.T = t
		month := time.Now().Format("2006-01")
		add2 := func(orgID string) bfftest.Person {
			who := newMember(t, orgID)
			add(t, p, "duesBase", form{"memberId": who.ID, "effectiveMonth": month, "baseAmount": 500000})
			return who
		}
		sums := func(orgID string) (n [7]int) {
			s := statisticsOf(t, p, orgID)
			dues := p.List("duesOrder", "f.status=paid&orgId="+orgID)
			n = [7]int{s.MemberCount, s.Genders.sum(), s.Bindings.of("bound"), s.Bindings.of("unbound"), s.Ages.sum(), s.Organizations.sum(), dues.Total}
			if members := p.List("member", "orgId="+orgID).Total; members != s.MemberCount {
				t.Errorf("%d members, the list has %d", s.MemberCount, members)
			}
			return n
		}
		paid := func(orgID string) string { return p.List("duesOrder", "f.status=paid&orgId="+orgID).Summary["amount"] }
		adds := func(why string) {
			t.Helper()
			all := sums(top)
			all[5]-- // the superior itself
			for _, b := range branches {
				for i, x := range sums(b) {
					all[i] -= x
				}
			}
			if all != [7]int{} {
				t.Errorf("%s: the branches and their superior differ by %v", why, all)
			}
		}
		adds("nothing yet")
		before := sums(top)
		one, two := add2(branches[0]), add2(branches[1])
		after := sums(top)
		if after[0] != before[0]+2 || after[1] != before[1]+2 || after[3] != before[3]+2 {
			t.Errorf("two more members: %v, was %v", after, before)
		}
		adds("two members")
		for i, who := range []bfftest.Person{one, two} {
			var o item
			p.Post("/api/console/dues/orders", form{"memberId": who.ID, "fromMonth": month, "toMonth": month, "idempotencyKey": name("report-order") + who.ID[:4] + string(rune('a'+i))}, &o)
			p.Post("/api/console/dues/orders/"+idOf(o)+"/cash", nil, &item{})
		}
		phoneOf(t, one)
		adds("paid and bound")
		if now := sums(top); now[6] != 2 || now[2] != 1 {
			t.Errorf("%v", now)
		}
		if paid(branches[0]) == "0" || paid(top) != twice(t, paid(branches[0])) {
			t.Errorf("paid %s of %s", paid(branches[0]), paid(top))
		}
		three := newMember(t, branches[0])
		p.Post(path("member")+"/delete", form{"ids": []string{three.ID}}, &struct{}{})
		adds("one left")
		if now := sums(top); now[0] != 2 {
			t.Errorf("%v", now)
		}
		// The ranking of branches: each one's own, in the superior's list.
		type ranking struct {
			Rows []struct {
				ID    string
				Score int
			}
		}
		rows := func(orgID string) map[string]int {
			var r ranking
			p.Get("/api/console/points/ranking?dimension=personal&orgId="+orgID, &r)
			out := map[string]int{}
			for _, x := range r.Rows {
				if x.Score != 0 {
					out[x.ID] = x.Score
				}
			}
			return out
		}
		eventually(t, "the dues are booked", func() bool { return len(rows(top)) == 2 })
		for i, who := range []bfftest.Person{one, two} {
			if got := rows(branches[i]); len(got) != 1 || got[who.ID] == 0 || got[who.ID] != rows(top)[who.ID] {
				t.Errorf("%v, the superior has %v", got, rows(top))
			}
		}
	})
}

// twice doubles an amount of fen.
func twice(t *testing.T, amount string) string {
	t.Helper()
	n, err := strconv.Atoi(amount)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(2 * n)
}
