package dues

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

// TestOrders: 党费管理 as a list (manual 7.1).
func TestOrders(t *testing.T) {
	a := AdminA(t)
	order := func(id, to string) string {
		t.Helper()
		var o struct{ ID string }
		Root(t).Post("/api/console/dues/orders", Form{"memberId": id, "toMonth": to}, &o)
		return o.ID
	}
	t.Run("DUES-02 list: own subtree only, newest first, paged, columns, filters; cash and WeChat are both there", func(t *testing.T) {
		one, two, three := payer(t, "2026-08"), payer(t, "2026-08"), payer(t, "2026-08")
		mine := []string{order(three.ID, "2026-10"), order(two.ID, "2026-09"), order(one.ID, "2026-09")}
		slices.Reverse(mine) // the newest first
		p := NewPerson()
		far := IDOf(Add(t, Root(t), "member", MemberForm(p, OrgB(t)).With(Form{"duesPaidThrough": "2026-08"})))
		Add(t, AdminB(t), "duesBase", Form{"memberId": far, "effectiveMonth": "2026-01", "baseAmount": 300_000})
		other := order(far, "2026-09")
		a.Post("/api/console/dues/orders/"+mine[0]+"/cash", Form{}, &Item{})
		if got := IDs(a.List("duesOrder", "size=100")); !slices.Equal(got[:3], mine) || slices.Contains(got, other) {
			t.Fatalf("A sees %v, want first %v and never %s", got, mine, other)
		}
		if got := IDs(AdminP(t).List("duesOrder", "size=100")); !slices.Contains(got, other) || !slices.Contains(got, mine[0]) {
			t.Fatalf("P sees %v", got)
		}
		if got := IDs(AdminP(t).List("duesOrder", "size=100&orgId="+OrgA(t))); slices.Contains(got, other) {
			t.Fatalf("P with A chosen sees %v", got)
		}
		Refused(t, a.Do("GET", Path("duesOrder")+"?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, "duesBase.view").Do("GET", Path("duesOrder"), nil), http.StatusForbidden, "", "无操作权限")
		first, second := IDs(a.List("duesOrder", "size=2")), IDs(a.List("duesOrder", "size=2&page=2"))
		if !slices.Equal(first, mine[:2]) || second[0] != mine[2] {
			t.Fatalf("pages %v and %v", first, second)
		}
		Columns(t, a, RecordSpec{Type: "duesOrder", Columns: []string{"memberName", "idNumber", "fromMonth", "toMonth", "amount", "status", "payMethod", "payChannel", "createdAt"}})
		of := "f.memberName=" + one.Name
		for q, want := range map[string][]string{
			of: mine[:1], of + "&f.status=paid": mine[:1], of + "&f.status=unpaid": {}, of + "&f.month=2026-09": mine[:1], of + "&f.month=2026-10": {},
			"f.memberName=" + three.Name + "&f.status=unpaid": mine[2:], "f.memberName=" + three.Name + "&f.month=2026-10": mine[2:],
		} {
			if got := IDs(a.List("duesOrder", q)); !slices.Equal(got, want) && len(got)+len(want) > 0 {
				t.Errorf("%s finds %v, want %v", q, got, want)
			}
		}
		if l := a.List("duesOrder", "f.memberName=00000000不存在"); len(l.Items) != 0 || l.Total != 0 {
			t.Fatalf("no match shows %v", l)
		}
		var r Item
		a.Get(Path("duesOrder")+"/"+mine[0], &r)
		if r["idNumber"] == one.IDNumber || r["payMethod"] != "cash" || r["payChannel"] != "console" || r["amount"] != float64(5000) {
			t.Fatalf("shown: %v", r)
		}
		// Both ways to pay are offered for what is not paid, and none for what is.
		var open struct{ CodeURL string }
		a.Post("/api/console/dues/orders/"+mine[2]+"/native", Form{}, &open)
		if open.CodeURL == "" {
			t.Fatal("no WeChat code")
		}
		Refused(t, a.Do("POST", "/api/console/dues/orders/"+mine[0]+"/native", Form{}), http.StatusConflict, "", "")
	})
}
