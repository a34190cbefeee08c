package approval

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
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
	Form     Form
	Required []string
	// Entered is what an admin enters in another way, so that approving is refused with Taken.
	Entered func(who bfftest.Person) Form
	Taken   string
	// Left: there is no such entry, and approving is refused once the applicant has left.
	Left bool
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
		return b.Do("POST", Path(typ)+"/"+id+"/actions/"+action, Form{"opinion": opinion})
	}
	if s.Home == nil {
		s.Home, s.Who = OrgA, []string{"memberId", "orgId"}
	}
	applicant := func(t *testing.T) (bfftest.Person, *bfftest.Browser) {
		who := NewMember(t, s.Home(t))
		phone := PhoneOf(t, who)
		phone.T = t
		return who, phone
	}
	apply := func(t *testing.T, phone *bfftest.Browser) string {
		t.Helper()
		var got Item
		phone.Post(Own(typ), s.Form, &got)
		Same(t, got, s.Form)
		if got["state"] != "pending" {
			t.Fatalf("handed in: %v", got)
		}
		return IDOf(got)
	}
	listed := func(t *testing.T, typ, memberID string) []Item {
		return AdminA(t).List(typ, "f.memberId="+memberID).Items
	}

	t.Run(s.IDs.Apply+" a member's application waits, its admin is told once; a second one is refused", func(t *testing.T) {
		who, phone := applicant(t)
		for _, k := range s.Required {
			Refused(t, phone.Do("POST", Own(typ), s.Form.With(Form{k: ""})), http.StatusBadRequest, k, "请填写")
		}
		id := apply(t, phone)
		Refused(t, phone.Do("POST", Own(typ), s.Form), http.StatusConflict, "", "已有待审核的申请")
		Refused(t, phone.Do("POST", Own(s.Type), s.Form), http.StatusForbidden, "", "")
		if l := listed(t, typ, who.ID); len(l) != 1 || l[0]["state"] != "pending" || l[0]["channel"] != "mobile" {
			t.Fatalf("审批事项 shows %v", l)
		}
		if l := listed(t, s.Type, who.ID); len(l) != 0 {
			t.Fatalf("listed before it is approved: %v", l)
		}
		a := AdminA(t)
		bfftest.Eventually(t, "the admin is told", func() bool { return told(a, "console", id) == 1 })
		if n := told(AdminB(t), "console", id); n != 0 {
			t.Fatalf("the sibling is told %d times", n)
		}
	})
	t.Run(strings.TrimSpace(s.IDs.Own+" a member sees his own applications with state and opinion, and no other's"), func(t *testing.T) {
		_, phone := applicant(t)
		_, other := applicant(t)
		first := apply(t, phone)
		decide(t, AdminA(t), first, "reject", "材料不全").Into(t, &Item{})
		second := apply(t, phone)
		var mine bfftest.Page
		phone.Get(Own(typ), &mine)
		if !slices.Equal(IDs(mine), []string{second, first}) || mine.Items[0]["state"] != "pending" || mine.Items[1]["state"] != "rejected" || mine.Items[1]["opinion"] != "材料不全" {
			t.Fatalf("his own: %v", mine.Items)
		}
		var none bfftest.Page
		other.Get(Own(typ), &none)
		if none.Total != 0 {
			t.Fatalf("another sees %v", none.Items)
		}
		Refused(t, other.Do("GET", Own(typ)+"/"+first, nil), http.StatusNotFound, "", NothingThere)
		unbound := Visitor(t)
		unbound.OpenPhone(unbound.WeChatUser("游客", "13700137000"))
		Refused(t, unbound.Do("GET", Own(typ), nil), http.StatusForbidden, "", "")
	})
	t.Run(s.IDs.List+" applications of the subtree with who, where, when and state, undecided first", func(t *testing.T) {
		_, one := applicant(t)
		_, two := applicant(t)
		early, late := apply(t, one), apply(t, two)
		decide(t, AdminA(t), late, "reject", "重复").Into(t, &Item{})
		Columns(t, AdminA(t), RecordSpec{Type: typ, Columns: append(slices.Clone(s.Who), "createdAt", "state")})
		all := AdminA(t).List(typ, "size=100")
		got := IDs(all)
		if slices.Index(got, early) > slices.Index(got, late) || !slices.Contains(got, late) {
			t.Fatalf("undecided %s, decided %s: %v", early, late, got)
		}
		for _, r := range AdminB(t).List(typ, "size=100").Items {
			if r["id"] == early {
				t.Fatal("the sibling sees it")
			}
		}
		if got := IDs(AdminP(t).List(typ, "size=100&orgId="+OrgA(t))); !slices.Contains(got, early) {
			t.Fatal("the superior does not")
		}
		Refused(t, Limited(t, s.Type+".view").Do("GET", Path(typ), nil), http.StatusForbidden, "", "无操作权限")
	})
	t.Run(s.IDs.Decide+" approved, its record is there and the member is told; what cannot follow leaves it waiting", func(t *testing.T) {
		who, phone := applicant(t)
		id := apply(t, phone)
		Refused(t, decide(t, AdminB(t), id, "approve", ""), http.StatusNotFound, "", NothingThere)
		Refused(t, decide(t, Limited(t, typ+".view"), id, "approve", ""), http.StatusForbidden, "", "无操作权限")
		Refused(t, AdminA(t).Do("POST", Path(typ)+"/"+id+"/actions/", Form{}), http.StatusNotFound, "", "")
		decide(t, AdminA(t), id, "approve", "").Into(t, &Item{})
		if l := listed(t, s.Type, who.ID); len(l) != 1 {
			t.Fatalf("%s shows %v", s.Title, l)
		}
		bfftest.Eventually(t, "the member is told", func() bool { return told(phone, "member", id) == 1 })

		who, phone = applicant(t)
		id = apply(t, phone)
		if s.Left {
			Remove(t, AdminA(t), "member", who.ID)
			if a := decide(t, AdminA(t), id, "approve", ""); a.Status < 400 {
				t.Fatalf("approved for who has left: %s", a.Body)
			}
			if l := listed(t, typ, who.ID); len(l) != 1 || l[0]["state"] != "pending" {
				t.Fatalf("after the refusal: %v", l)
			}
			return
		}
		entered := Add(t, AdminA(t), s.Type, s.Entered(who))
		Refused(t, decide(t, AdminA(t), id, "approve", ""), http.StatusConflict, "", s.Taken)
		if l := listed(t, typ, who.ID); len(l) != 1 || l[0]["state"] != "pending" {
			t.Fatalf("after the refusal: %v", l)
		}
		if entered["channel"] != "console" {
			t.Fatalf("entered as %v", entered)
		}
		for _, r := range listed(t, s.Type, who.ID) { // none for an admin who may not know the member
			if r["id"] != entered["id"] {
				t.Fatalf("%s shows %v", s.Title, r)
			}
		}
	})
	t.Run(s.IDs.Result+" APRV-02 APRV-03 what was approved is there once with the same data, what was rejected or waits is not; the first decision stands", func(t *testing.T) {
		who, phone := applicant(t)
		rejected, other := applicant(t)
		waiting, third := applicant(t)
		id, no := apply(t, phone), apply(t, other)
		apply(t, third)
		Refused(t, decide(t, AdminA(t), no, "reject", ""), http.StatusBadRequest, "opinion", "请填写审核意见")
		if l := listed(t, typ, rejected.ID); l[0]["state"] != "pending" {
			t.Fatalf("rejected without an opinion: %v", l)
		}
		decide(t, AdminA(t), no, "reject", "不符合条件").Into(t, &Item{})
		decide(t, AdminA(t), id, "approve", "同意").Into(t, &Item{})
		Refused(t, decide(t, AdminP(t), id, "reject", "晚了"), http.StatusConflict, "", "该申请已审核")
		Refused(t, decide(t, AdminP(t), id, "approve", ""), http.StatusConflict, "", "该申请已审核")
		l := listed(t, s.Type, who.ID)
		if len(l) != 1 {
			t.Fatalf("%s shows %v", s.Title, l)
		}
		Same(t, l[0], s.Form)
		for _, p := range []bfftest.Person{rejected, waiting} {
			if l := listed(t, s.Type, p.ID); len(l) != 0 {
				t.Fatalf("%s shows %v", s.Title, l)
			}
		}
		if a, r := listed(t, typ, who.ID), listed(t, typ, rejected.ID); a[0]["state"] != "approved" || r[0]["state"] != "rejected" {
			t.Fatalf("审核状态 %v, %v", a, r)
		}
		bfftest.Eventually(t, "the rejected is told", func() bool { return told(other, "member", no) == 1 })
		var seen Item
		other.Get(Own(typ)+"/"+no, &seen)
		if seen["state"] != "rejected" || seen["opinion"] != "不符合条件" {
			t.Fatalf("he sees %v", seen)
		}
	})
}
