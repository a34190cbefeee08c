package account

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/kit"
)

type counts []struct {
	Key   string
	Count int
}

func (c counts) of(key string) int {
	i := slices.IndexFunc(c, func(x struct {
		Key   string
		Count int
	}) bool {
		return x.Key == key
	})
	if i < 0 {
		return -1
	}
	return c[i].Count
}

func (c counts) sum() (n int) {
	for _, x := range c {
		n += x.Count
	}
	return n
}

type statistics struct {
	Organizations, Genders, Bindings, Ages counts
	MemberCount                            int
}

func statisticsOf(t *testing.T, b *bfftest.Browser, orgID string) statistics {
	t.Helper()
	var s statistics
	b.T = t
	b.Get("/api/console/statistics?orgId="+orgID, &s)
	return s
}

// TestHome: 首页 (manual 4).
func TestHome(t *testing.T) {
	p := AdminP(t)
	top := NewOrg(t, Name("统计总支"), "generalBranch", OrgP(t))
	one := NewOrg(t, Name("统计一"), "branch", top)
	two := NewOrg(t, Name("统计二"), "jointBranch", top)
	Add(t, Root(t), "organization", OrgForm(Name("统计组"), "group", one))
	people := []bfftest.Person{NewMember(t, one), NewMember(t, one), NewMember(t, two)}

	t.Run("HOME-01 the home has both blocks; who may not see the statistics has the other alone", func(t *testing.T) {
		p.T = t
		p.Get("/api/console/home", &Item{})
		p.Get("/api/console/statistics", &Item{})
		other := Limited(t, "member.view")
		other.Get("/api/console/home", &Item{})
		Refused(t, other.Do("GET", "/api/console/statistics", nil), http.StatusForbidden, "", "无操作权限")
	})
	home := func(t *testing.T, b *bfftest.Browser) []string {
		t.Helper()
		var h struct{ Modules []string }
		b.T = t
		b.Get("/api/console/home", &h)
		return h.Modules
	}
	save := func(b *bfftest.Browser, modules ...string) *bfftest.Answer {
		return b.Do("PUT", "/api/console/home", map[string]any{"modules": modules})
	}
	n := Name("homeUser")
	NewUser(t, n, OrgA(t), "member.view", "organization.view")
	me := User(t, n, UserPassword)
	t.Run("HOME-02 what one adds is there once, after a new login too, and for oneself only", func(t *testing.T) {
		me.T = t
		if a := save(me, "/member", "/organization", "/member"); a.Status != http.StatusOK {
			t.Fatalf("%s", a.Body)
		}
		again := Visitor(t)
		again.Login(n, UserPassword)
		if got := home(t, again); !slices.Equal(got, []string{"/member", "/organization"}) {
			t.Fatalf("%v", got)
		}
		if got := home(t, Limited(t, "member.view", "organization.view")); len(got) != 0 {
			t.Fatalf("another user's: %v", got)
		}
	})
	t.Run("HOME-03 a tile whose permission was withdrawn is gone, and its address refused", func(t *testing.T) {
		n := Name("lessUser")
		id := NewUser(t, n, OrgA(t), "member.view", "organization.view")
		b := User(t, n, UserPassword)
		save(b, "/member", "/organization")
		var r Item
		Put(t, Root(t), "user", id, Form{"permissions": []string{"member.view"}}).Into(t, &r)
		again := Visitor(t)
		again.Login(n, UserPassword)
		if got := home(t, again); !slices.Equal(got, []string{"/member"}) {
			t.Fatalf("%v", got)
		}
		Refused(t, again.Do("GET", Path("organization"), nil), http.StatusForbidden, "", "无操作权限")
		again.List("member", "orgId="+OrgA(t))
	})
	t.Run("HOME-04 adding, removing and ordering is kept; none at all is no error", func(t *testing.T) {
		me.T = t
		save(me, "/organization", "/member")
		if got := home(t, me); !slices.Equal(got, []string{"/organization", "/member"}) {
			t.Fatalf("%v", got)
		}
		var types []struct{ Type string }
		me.Get("/api/console/records", &types)
		for _, x := range types {
			if x.Type == "user" || x.Type == "duesOrder" {
				t.Errorf("%s is offered", x.Type)
			}
		}
		if a := save(me); a.Status != http.StatusOK || len(home(t, me)) != 0 {
			t.Fatalf("%d", a.Status)
		}
	})
	t.Run("HOME-05 a module that one may not open cannot be saved, nor another's home changed", func(t *testing.T) {
		me.T = t
		other := Limited(t, "member.view", "organization.view")
		save(other, "/member")
		save(me, "/organization")
		Refused(t, save(me, "/organization", "/user"), http.StatusForbidden, "", "无操作权限")
		if got := home(t, me); !slices.Equal(got, []string{"/organization"}) {
			t.Fatalf("%v", got)
		}
		if got := home(t, other); !slices.Equal(got, []string{"/member"}) {
			t.Fatalf("%v", got)
		}
	})
	t.Run("HOME-06 the numbers of organisations are those of 党组织管理", func(t *testing.T) {
		s := statisticsOf(t, p, top)
		for typ, want := range map[string]int{"committee": 0, "generalBranch": 1, "branch": 1, "jointBranch": 1, "group": 1, "workCommittee": 0} {
			if got := s.Organizations.of(typ); got != want || p.List("organization", "orgId="+top+"&f.orgType="+typ).Total != want {
				t.Errorf("%s: %d, want %d", typ, got, want)
			}
		}
	})
	t.Run("HOME-07 genders add up to the members", func(t *testing.T) {
		n := Name("oneUser")
		NewUser(t, n, one, "*")
		guest := NewPerson()
		Add(t, User(t, n, UserPassword), "partTimeMember", Form{"name": guest.Name, "idNumber": guest.IDNumber, "phone": guest.Phone, "homeOrgName": "外省某支部", "startOn": Day(-10), "endOn": Day(10)})
		s := statisticsOf(t, p, top)
		if all := p.List("member", "orgId="+top).Total; all != 3 || s.Genders.sum() != all || s.MemberCount != all || s.Genders.of("unknown") != 0 {
			t.Fatalf("%+v for %d", s, all)
		}
	})
	t.Run("HOME-08 bound and unbound add up, and follow a binding at once", func(t *testing.T) {
		before := statisticsOf(t, p, top).Bindings
		PhoneOf(t, people[0])
		bound := statisticsOf(t, p, top).Bindings
		p.Post("/api/console/records/member/"+people[0].ID+"/actions/unbind", nil, &Item{})
		after := statisticsOf(t, p, top).Bindings
		if before.sum() != 3 || bound.sum() != 3 || bound.of("bound") != before.of("bound")+1 || after.of("bound") != before.of("bound") {
			t.Fatalf("%v %v %v", before, bound, after)
		}
	})
	t.Run("HOME-09 the age bands add up to the members", func(t *testing.T) {
		s := statisticsOf(t, p, top)
		if s.Ages.sum() != 3 {
			t.Fatalf("%+v", s.Ages)
		}
		for _, band := range []string{"30", "40", "50", "60", "61", "unknown"} {
			if s.Ages.of(band) < 0 {
				t.Errorf("no band %s", band)
			}
		}
		if s.Ages.of("61")+s.Ages.of("60")+s.Ages.of("50")+s.Ages.of("40")+s.Ages.of("30") != 3 {
			t.Fatalf("%+v", s.Ages)
		}
	})
	t.Run("HOME-10 another node, other numbers; a node outside the scope is refused", func(t *testing.T) {
		s, s1 := statisticsOf(t, p, one), statisticsOf(t, p, two)
		if s.MemberCount != 2 || s1.MemberCount != 1 || s.Organizations.sum() != 2 || s1.Bindings.sum() != 1 || s1.Ages.sum() != 1 || s1.Genders.sum() != 1 {
			t.Fatalf("%+v %+v", s, s1)
		}
		Refused(t, AdminA(t).Do("GET", "/api/console/statistics?orgId="+one, nil), http.StatusNotFound, "", NothingThere)
	})
}

// TestStatisticsFollow: figures and records.
func TestStatisticsFollow(t *testing.T) {
	p := AdminP(t)
	top := NewOrg(t, Name("报表总支"), "generalBranch", OrgP(t))
	branches := []string{
		NewOrg(t, Name("报表一"), "branch", top),
		NewOrg(t, Name("报表二"), "branch", top),
	}
	t.Run("JOB-07 the figures follow the records, and those of the organisations below add up to the superior's", func(t *testing.T) {
		p.T = t
		month := time.Now().In(kit.Shanghai).Format("2006-01")
		add2 := func(orgID string) bfftest.Person {
			who := NewMember(t, orgID)
			Add(t, p, "duesBase", Form{"memberId": who.ID, "effectiveMonth": month, "baseAmount": 500000})
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
			var o Item
			p.Post("/api/console/dues/orders", Form{"memberId": who.ID, "fromMonth": month, "toMonth": month, "idempotencyKey": Name("report-order") + who.ID[:4] + string(rune('a'+i))}, &o)
			p.Post("/api/console/dues/orders/"+IDOf(o)+"/cash", nil, &Item{})
		}
		PhoneOf(t, one)
		adds("paid and bound")
		if now := sums(top); now[6] != 2 || now[2] != 1 {
			t.Errorf("%v", now)
		}
		if paid(branches[0]) == "0" || paid(top) != twice(t, paid(branches[0])) {
			t.Errorf("paid %s of %s", paid(branches[0]), paid(top))
		}
		three := NewMember(t, branches[0])
		p.Post(Path("member")+"/delete", Form{"ids": []string{three.ID}}, &struct{}{})
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
		bfftest.Eventually(t, "the dues are booked", func() bool { return len(rows(top)) == 2 })
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
