package dues

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/kit"
)

type figures struct {
	OrgID, OrgName  string
	Members, Payers int
	Payable, Paid   int64
	Before          int64
	Rate, Change    string
	Self            bool
}

type analysis struct{ Rows []figures }

func (a analysis) of(orgID string) figures {
	for _, r := range a.Rows {
		if r.OrgID == orgID {
			return r
		}
	}
	return figures{}
}

// TestAnalysis: 缴纳分析 (manual 7.5), over three months of a product of its own.
func TestAnalysis(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	top := c.Top
	committee := IDOf(Add(t, top, "organization", OrgForm("分析党委", "committee", "root")))
	x := IDOf(Add(t, top, "organization", OrgForm("分析一支部", "branch", committee)))
	y := IDOf(Add(t, top, "organization", OrgForm("分析二支部", "branch", committee)))
	first := kit.Month(c.Now(t).In(kit.Shanghai))
	member := func(orgID string, base int) string {
		p := NewPerson()
		id := IDOf(Add(t, top, "member", MemberForm(p, orgID).With(Form{"duesPaidThrough": kit.AddMonths(first, -1)})))
		Add(t, top, "duesBase", Form{"memberId": id, "effectiveMonth": "2026-01", "baseAmount": base})
		return id
	}
	// 50.00, 15.00 and 50.00 yuan a month.
	a1, a2, b1 := member(x, 500_000), member(x, 300_000), member(y, 500_000)
	cash := func(memberID, to string) string {
		var o struct{ ID string }
		top.Post("/api/console/dues/orders", Form{"memberId": memberID, "toMonth": to}, &o)
		top.Post("/api/console/dues/orders/"+o.ID+"/cash", Form{}, &Item{})
		return o.ID
	}
	ask := func(b *bfftest.Browser, period, orgID string) (a analysis) {
		t.Helper()
		b.Get("/api/console/dues/analysis?period="+period+"&orgId="+orgID, &a)
		return a
	}
	next := func() {
		at := c.Now(t).In(kit.Shanghai)
		c.Pass(t, time.Date(at.Year(), at.Month()+1, 2, 1, 0, 0, 0, kit.Shanghai).Sub(at))
	}
	// The first month: all of X pay, Y does not; one payment is taken back.
	cash(a1, first)
	cash(a2, first)
	back := cash(b1, first)
	top.Post(Path("duesOrder")+"/"+back+"/actions/reverse", Form{"reason": "录错"}, &Item{})
	next()
	second := kit.AddMonths(first, 1)
	cash(a1, second)
	cash(b1, second) // both months of Y's at once
	next()
	third := kit.AddMonths(first, 2)
	other := IDOf(Add(t, top, "user", Form{"userName": "fenxi", "password": UserPassword, "realName": "分析", "orgId": committee, "status": "enabled", "permissions": []string{"*"}}))
	_ = other
	admin := c.Browser(t, 0)
	if a := admin.Login("fenxi", UserPassword); a.Status != http.StatusOK {
		t.Fatal(a.Status)
	}
	t.Run("DANA-01 变动分析: the organisation and those right below it with payers, payable, paid and the change; nothing out of scope", func(t *testing.T) {
		a := ask(admin, second, "")
		if len(a.Rows) != 3 || !a.Rows[0].Self || a.Rows[0].OrgID != committee {
			t.Fatalf("rows: %+v", a.Rows)
		}
		if r := a.of(x); r.Payers != 1 || r.Payable != 6500 || r.Paid != 5000 || r.Before != 6500 || r.Change != "-23.1%" || r.Members != 2 {
			t.Errorf("X: %+v", r)
		}
		if r := a.of(y); r.Payers != 1 || r.Payable != 5000 || r.Paid != 10000 || r.Before != 0 || r.Change != "—" {
			t.Errorf("Y: %+v", r)
		}
		if r := a.of(committee); r.Payers != 2 || r.Payable != 11500 || r.Paid != 15000 || r.Before != 6500 || r.Change != "+130.8%" {
			t.Errorf("the committee: %+v", r)
		}
		Refused(t, admin.Do("GET", "/api/console/dues/analysis?period="+second+"&orgId="+c.Branch, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, admin.Do("GET", "/api/console/dues/analysis?period=2026-13", nil), http.StatusBadRequest, "period", "")
	})
	t.Run("DANA-02 month by month as 支付明细 has it; a month without payment is 0, a change of nothing is —", func(t *testing.T) {
		var m struct {
			OrgName string
			Months  []struct {
				Month, Change string
				Paid          int64
				Payers        int
			}
		}
		admin.Get("/api/console/dues/analysis/months?period="+third+"&orgId="+committee, &m)
		if len(m.Months) != 12 || m.OrgName != "分析党委" {
			t.Fatalf("%+v", m)
		}
		for _, want := range []struct {
			month, change string
			paid          int64
			payers        int
		}{{kit.AddMonths(first, -1), "—", 0, 0}, {first, "—", 6500, 2}, {second, "+130.8%", 15000, 2}, {third, "-100.0%", 0, 0}} {
			i := slices.IndexFunc(m.Months, func(x struct {
				Month, Change string
				Paid          int64
				Payers        int
			}) bool {
				return x.Month == want.month
			})
			if i < 0 || m.Months[i].Paid != want.paid || m.Months[i].Payers != want.payers || m.Months[i].Change != want.change {
				t.Errorf("%s: %+v", want.month, m.Months)
			}
			// The same as the list of payments of that month.
			end := kit.AddMonths(want.month, 1)
			l := top.List("duesOrder", "size=100&orgId="+committee+"&f.status=paid&f.paidAt="+want.month+"-01,"+lastDay(end))
			sum := int64(0)
			for _, r := range l.Items {
				sum += int64(r["amount"].(float64))
			}
			if sum != want.paid {
				t.Errorf("支付明细 of %s sums to %d", want.month, sum)
			}
		}
		Refused(t, admin.Do("GET", "/api/console/dues/analysis/months?period="+third+"&orgId="+c.Branch, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("DANA-03 月报: due, paid, payable and rate of a month; what was taken back is not in it, a month to come is 0", func(t *testing.T) {
		if r := ask(admin, first, "").of(y); r.Members != 1 || r.Payers != 0 || r.Payable != 5000 || r.Paid != 0 || r.Rate != "0.0%" {
			t.Errorf("Y, whose payment was taken back: %+v", r)
		}
		if r := ask(admin, first, "").of(x); r.Members != 2 || r.Payers != 2 || r.Payable != 6500 || r.Paid != 6500 || r.Rate != "100.0%" {
			t.Errorf("X: %+v", r)
		}
		if r := ask(admin, kit.AddMonths(third, 1), "").of(committee); r.Members != 0 || r.Payers != 0 || r.Payable != 0 || r.Paid != 0 || r.Rate != "—" {
			t.Errorf("a month to come: %+v", r)
		}
	})
	t.Run("DANA-04 DANA-05 a quarter is the sum of its months, a year that of its quarters, for each organisation", func(t *testing.T) {
		for _, year := range []string{first[:4], third[:4]} {
			var ofYear [3]int64
			for q := 1; q <= 4; q++ {
				quarter := ask(admin, fmt.Sprintf("%sQ%d", year, q), "")
				for i, org := range []string{committee, x, y} {
					var payable, paid int64
					for m := q*3 - 2; m <= q*3; m++ {
						r := ask(admin, fmt.Sprintf("%s-%02d", year, m), "").of(org)
						payable, paid = payable+r.Payable, paid+r.Paid
					}
					if r := quarter.of(org); r.Payable != payable || r.Paid != paid {
						t.Errorf("%sQ%d: %+v, its months %d and %d", year, q, r, payable, paid)
					}
					ofYear[i] += paid
				}
			}
			whole := ask(admin, year, "")
			for i, org := range []string{committee, x, y} {
				if r := whole.of(org); r.Paid != ofYear[i] {
					t.Errorf("%s: %+v, its quarters %d", year, r, ofYear[i])
				}
			}
			if len(whole.Rows) != 3 {
				t.Errorf("%d organisations", len(whole.Rows))
			}
		}
	})
	t.Run("DANA-06 导出 is the page as a sheet; an empty report has the header only", func(t *testing.T) {
		for _, period := range []string{second, second[:4] + "Q4", second[:4]} {
			a := ask(admin, period, "")
			rows := Sheet(t, admin.Do("GET", "/api/console/dues/analysis/export?period="+period, nil))
			if !slices.Equal(rows[0], []string{"党组织", "应缴人数", "实缴人数", "应缴金额（元）", "实缴金额（元）", "缴纳率", "上期实缴（元）", "变动"}) || len(rows) != 4 {
				t.Fatalf("%v", rows)
			}
			for _, r := range a.Rows {
				name := r.OrgName
				if r.Self {
					name = "合计：" + name
				}
				i := slices.IndexFunc(rows, func(row []string) bool { return row[0] == name })
				if i < 0 || rows[i][1] != fmt.Sprint(r.Members) || rows[i][2] != fmt.Sprint(r.Payers) || rows[i][3] != kit.Yuan(r.Payable) || rows[i][4] != kit.Yuan(r.Paid) || rows[i][5] != r.Rate || rows[i][7] != r.Change {
					t.Errorf("%s: %v, the page %+v", name, rows, r)
				}
			}
		}
		empty := IDOf(Add(t, top, "organization", OrgForm("空支部", "branch", "root")))
		if rows := Sheet(t, top.Do("GET", "/api/console/dues/analysis/export?period="+second+"&orgId="+empty, nil)); len(rows) != 1 {
			t.Fatalf("an empty report: %v", rows)
		}
		Refused(t, admin.Do("GET", "/api/console/dues/analysis/export?period="+second+"&orgId="+c.Branch, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("DUES-01 党费 has its six modules per the role; without permission refused", func(t *testing.T) {
		var all []struct{ Type, Menu string }
		admin.Get("/api/console/records", &all)
		for _, want := range []string{"duesOrder", "duesBase", "duesReduction", "duesArrears"} {
			if !slices.ContainsFunc(all, func(x struct{ Type, Menu string }) bool { return x.Type == want && x.Menu == "党费" }) {
				t.Errorf("%s is not there", want)
			}
		}
		Add(t, top, "user", Form{"userName": "shaoquan", "password": UserPassword, "realName": "少权", "orgId": committee, "status": "enabled", "permissions": []string{"duesBase.view"}})
		few := c.Browser(t, 0)
		if a := few.Login("shaoquan", UserPassword); a.Status != http.StatusOK {
			t.Fatal(a.Status)
		}
		few.Get("/api/console/records", &all)
		for _, x := range all {
			if x.Menu == "党费" && x.Type != "duesBase" {
				t.Errorf("%s is shown", x.Type)
			}
		}
		for _, path := range []string{Path("duesOrder"), Path("duesReduction"), Path("duesArrears"), "/api/console/dues/analysis?period=" + second} {
			Refused(t, few.Do("GET", path, nil), http.StatusForbidden, "", "无操作权限")
		}
		few.List("duesBase", "")
	})
}

// lastDay is the day before a month begins.
func lastDay(month string) string {
	d, _ := time.Parse(time.DateOnly, month+"-01")
	return d.AddDate(0, 0, -1).Format(time.DateOnly)
}
