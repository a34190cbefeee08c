package acceptance

import (
	"net/http"
	"slices"
	"testing"

	"zhihuidangjian/bff/bfftest"
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
	p := adminP(t)
	top := idOf(add(t, root(t), "organization", orgForm(name("统计总支"), "generalBranch", orgP(t))))
	one := idOf(add(t, root(t), "organization", orgForm(name("统计一"), "branch", top)))
	two := idOf(add(t, root(t), "organization", orgForm(name("统计二"), "jointBranch", top)))
	add(t, root(t), "organization", orgForm(name("统计组"), "group", one))
	people := []bfftest.Person{newMember(t, one), newMember(t, one), newMember(t, two)}

	t.Run("HOME-01 the home has both blocks; who may not see the statistics has the other alone", func(t *testing.T) {
		p.T = t
		p.Get("/api/console/home", &item{})
		p.Get("/api/console/statistics", &item{})
		other := limited(t, "member.view")
		other.Get("/api/console/home", &item{})
		refused(t, other.Do("GET", "/api/console/statistics", nil), http.StatusForbidden, "", "无操作权限")
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
	n := name("homeUser")
	newUser(t, n, orgA(t), "member.view", "organization.view")
	me := user(t, n, userPassword)
	t.Run("HOME-02 what one adds is there once, after a new login too, and for oneself only", func(t *testing.T) {
		me.T = t
		if a := save(me, "/member", "/organization", "/member"); a.Status != http.StatusOK {
			t.Fatalf("%s", a.Body)
		}
		again := product.Browser(t, 0)
		again.Login(n, userPassword)
		if got := home(t, again); !slices.Equal(got, []string{"/member", "/organization"}) {
			t.Fatalf("%v", got)
		}
		if got := home(t, limited(t, "member.view", "organization.view")); len(got) != 0 {
			t.Fatalf("another user's: %v", got)
		}
	})
	t.Run("HOME-03 a tile whose permission was withdrawn is gone, and its address refused", func(t *testing.T) {
		n := name("lessUser")
		id := newUser(t, n, orgA(t), "member.view", "organization.view")
		b := user(t, n, userPassword)
		save(b, "/member", "/organization")
		var r item
		put(t, root(t), "user", id, form{"permissions": []string{"member.view"}}).Into(t, &r)
		again := product.Browser(t, 0)
		again.Login(n, userPassword)
		if got := home(t, again); !slices.Equal(got, []string{"/member"}) {
			t.Fatalf("%v", got)
		}
		refused(t, again.Do("GET", path("organization"), nil), http.StatusForbidden, "", "无操作权限")
		again.List("member", "orgId="+orgA(t))
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
		other := limited(t, "member.view", "organization.view")
		save(other, "/member")
		save(me, "/organization")
		refused(t, save(me, "/organization", "/user"), http.StatusForbidden, "", "无操作权限")
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
		n := name("oneUser")
		newUser(t, n, one, "*")
		guest := bfftest.Invent(int(world.people.Add(1)))
		add(t, user(t, n, userPassword), "partTimeMember", form{"name": guest.Name, "idNumber": guest.IDNumber, "phone": guest.Phone, "homeOrgName": "外省某支部", "startOn": day(-10), "endOn": day(10)})
		s := statisticsOf(t, p, top)
		if all := p.List("member", "orgId="+top).Total; all != 3 || s.Genders.sum() != all || s.MemberCount != all || s.Genders.of("unknown") != 0 {
			t.Fatalf("%+v for %d", s, all)
		}
	})
	t.Run("HOME-08 bound and unbound add up, and follow a binding at once", func(t *testing.T) {
		before := statisticsOf(t, p, top).Bindings
		phoneOf(t, people[0])
		bound := statisticsOf(t, p, top).Bindings
		p.Post("/api/console/members/"+people[0].ID+"/unbind", nil, &item{})
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
		refused(t, adminA(t).Do("GET", "/api/console/statistics?orgId="+one, nil), http.StatusNotFound, "", nothingThere)
	})
}
