package acceptance

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// applicationSpec is one kind of 审批事项 (manual 17): what members apply for on the phone, an
// admin decides on and the records of Type show once it is approved.
type applicationSpec struct {
	IDs struct{ Apply, Own, List, Decide, Result string }
	// Type is that of what follows; applications are <Type>Application.
	Type  string
	Title string
	// Form is what a member fills in; Required are the fields that he must.
	Form     form
	Required []string
	// Entered is what an admin enters in another way, so that approving is refused with Taken.
	Entered func(who bfftest.Person) form
	Taken   string
	// Home is the branch of those who apply, that of the admin who decides unless given; Who
	// are the columns that say who applies, and where.
	Home func(t *testing.T) string
	Who  []string
}

// application proves the rows that every kind has.
func application(t *testing.T, s applicationSpec) {
	t.Helper()
	typ := s.Type + "Application"
	told := func(b *bfftest.Browser, side, id string) (n int) {
		var l struct{ Notifications []struct{ TargetID string } }
		b.Get("/api/"+side+"/notifications", &l)
		for _, x := range l.Notifications {
			if x.TargetID == id {
				n++
			}
		}
		return n
	}
	decide := func(t *testing.T, b *bfftest.Browser, id, action, opinion string) *bfftest.Answer {
		return b.Do("POST", path(typ)+"/"+id+"/actions/"+action, form{"opinion": opinion})
	}
	if s.Home == nil {
		s.Home, s.Who = orgA, []string{"memberId", "orgId"}
	}
	applicant := func(t *testing.T) (bfftest.Person, *bfftest.Browser) {
		who := newMember(t, s.Home(t))
		phone := phoneOf(t, who)
		phone.T = t
		return who, phone
	}
	apply := func(t *testing.T, phone *bfftest.Browser) string {
		t.Helper()
		var got item
		phone.Post(own(typ), s.Form, &got)
		same(t, got, s.Form)
		if got["state"] != "pending" {
			t.Fatalf("handed in: %v", got)
		}
		return idOf(got)
	}
	listed := func(t *testing.T, typ, memberID string) []item {
		return adminA(t).List(typ, "f.memberId="+memberID).Items
	}

	t.Run(s.IDs.Apply+" a member's application waits, its admin is told once; a second one is refused", func(t *testing.T) {
		who, phone := applicant(t)
		for _, k := range s.Required {
			refused(t, phone.Do("POST", own(typ), s.Form.with(form{k: ""})), http.StatusBadRequest, k, "请填写")
		}
		id := apply(t, phone)
		refused(t, phone.Do("POST", own(typ), s.Form), http.StatusConflict, "", "已有待审核的申请")
		refused(t, phone.Do("POST", own(s.Type), s.Form), http.StatusForbidden, "", "")
		if l := listed(t, typ, who.ID); len(l) != 1 || l[0]["state"] != "pending" || l[0]["channel"] != "mobile" {
			t.Fatalf("审批事项 shows %v", l)
		}
		if l := listed(t, s.Type, who.ID); len(l) != 0 {
			t.Fatalf("listed before it is approved: %v", l)
		}
		a := adminA(t)
		eventually(t, "the admin is told", func() bool { return told(a, "console", id) == 1 })
		if n := told(adminB(t), "console", id); n != 0 {
			t.Fatalf("the sibling is told %d times", n)
		}
	})
	t.Run(strings.TrimSpace(s.IDs.Own+" a member sees his own applications with state and opinion, and no other's"), func(t *testing.T) {
		_, phone := applicant(t)
		_, other := applicant(t)
		first := apply(t, phone)
		decide(t, adminA(t), first, "reject", "材料不全").Into(t, &item{})
		second := apply(t, phone)
		var mine bfftest.Page
		phone.Get(own(typ), &mine)
		if !slices.Equal(ids(mine), []string{second, first}) || mine.Items[0]["state"] != "pending" || mine.Items[1]["state"] != "rejected" || mine.Items[1]["opinion"] != "材料不全" {
			t.Fatalf("his own: %v", mine.Items)
		}
		var none bfftest.Page
		other.Get(own(typ), &none)
		if none.Total != 0 {
			t.Fatalf("another sees %v", none.Items)
		}
		refused(t, other.Do("GET", own(typ)+"/"+first, nil), http.StatusNotFound, "", nothingThere)
		unbound := product.Browser(t, 0)
		unbound.OpenPhone(unbound.WeChatUser("游客", "13700137000"))
		refused(t, unbound.Do("GET", own(typ), nil), http.StatusForbidden, "", "")
	})
	t.Run(s.IDs.List+" applications of the subtree with who, where, when and state, undecided first", func(t *testing.T) {
		_, one := applicant(t)
		_, two := applicant(t)
		early, late := apply(t, one), apply(t, two)
		decide(t, adminA(t), late, "reject", "重复").Into(t, &item{})
		columns(t, adminA(t), recordSpec{Type: typ, Columns: append(slices.Clone(s.Who), "createdAt", "state")})
		all := adminA(t).List(typ, "size=100")
		got := ids(all)
		if slices.Index(got, early) > slices.Index(got, late) || !slices.Contains(got, late) {
			t.Fatalf("undecided %s, decided %s: %v", early, late, got)
		}
		for _, r := range adminB(t).List(typ, "size=100").Items {
			if r["id"] == early {
				t.Fatal("the sibling sees it")
			}
		}
		if got := ids(adminP(t).List(typ, "size=100&orgId="+orgA(t))); !slices.Contains(got, early) {
			t.Fatal("the superior does not")
		}
		refused(t, limited(t, s.Type+".view").Do("GET", path(typ), nil), http.StatusForbidden, "", "无操作权限")
	})
	t.Run(s.IDs.Decide+" approved, its record is there and the member is told; what cannot follow leaves it waiting", func(t *testing.T) {
		who, phone := applicant(t)
		id := apply(t, phone)
		refused(t, decide(t, adminB(t), id, "approve", ""), http.StatusNotFound, "", nothingThere)
		refused(t, decide(t, limited(t, typ+".view"), id, "approve", ""), http.StatusForbidden, "", "无操作权限")
		refused(t, adminA(t).Do("POST", path(typ)+"/"+id+"/actions/", form{}), http.StatusNotFound, "", "")
		decide(t, adminA(t), id, "approve", "").Into(t, &item{})
		if l := listed(t, s.Type, who.ID); len(l) != 1 {
			t.Fatalf("%s shows %v", s.Title, l)
		}
		eventually(t, "the member is told", func() bool { return told(phone, "member", id) == 1 })

		who, phone = applicant(t)
		id = apply(t, phone)
		add(t, adminA(t), s.Type, s.Entered(who))
		refused(t, decide(t, adminA(t), id, "approve", ""), http.StatusConflict, "", s.Taken)
		if l := listed(t, typ, who.ID); len(l) != 1 || l[0]["state"] != "pending" {
			t.Fatalf("after the refusal: %v", l)
		}
		if l := listed(t, s.Type, who.ID); len(l) != 1 || l[0]["channel"] != "console" {
			t.Fatalf("%s shows %v", s.Title, l)
		}
	})
	t.Run(s.IDs.Result+" APRV-02 APRV-03 what was approved is there once with the same data, what was rejected or waits is not; the first decision stands", func(t *testing.T) {
		who, phone := applicant(t)
		rejected, other := applicant(t)
		waiting, third := applicant(t)
		id, no := apply(t, phone), apply(t, other)
		apply(t, third)
		refused(t, decide(t, adminA(t), no, "reject", ""), http.StatusBadRequest, "opinion", "请填写审核意见")
		if l := listed(t, typ, rejected.ID); l[0]["state"] != "pending" {
			t.Fatalf("rejected without an opinion: %v", l)
		}
		decide(t, adminA(t), no, "reject", "不符合条件").Into(t, &item{})
		decide(t, adminA(t), id, "approve", "同意").Into(t, &item{})
		refused(t, decide(t, adminP(t), id, "reject", "晚了"), http.StatusConflict, "", "该申请已审核")
		refused(t, decide(t, adminP(t), id, "approve", ""), http.StatusConflict, "", "该申请已审核")
		l := listed(t, s.Type, who.ID)
		if len(l) != 1 {
			t.Fatalf("%s shows %v", s.Title, l)
		}
		same(t, l[0], s.Form)
		for _, p := range []bfftest.Person{rejected, waiting} {
			if l := listed(t, s.Type, p.ID); len(l) != 0 {
				t.Fatalf("%s shows %v", s.Title, l)
			}
		}
		if a, r := listed(t, typ, who.ID), listed(t, typ, rejected.ID); a[0]["state"] != "approved" || r[0]["state"] != "rejected" {
			t.Fatalf("审核状态 %v, %v", a, r)
		}
		eventually(t, "the rejected is told", func() bool { return told(other, "member", no) == 1 })
		var seen item
		other.Get(own(typ)+"/"+no, &seen)
		if seen["state"] != "rejected" || seen["opinion"] != "不符合条件" {
			t.Fatalf("he sees %v", seen)
		}
	})
}
