package dues

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

type sheetRow struct {
	MemberID, Name, State, Message, FromMonth, OrderID, PayMethod, PaidThrough string
	Months                                                                     int
	Amount                                                                     int64
	OpenOrder                                                                  bool
}

// TestSheet is PLUS-12: a branch's month on one sheet.
func TestSheet(t *testing.T) {
	const month = "2026-10"
	branch := NewOrg(t, NewName("收缴支部"), "branch", OrgP(t))
	boss := IDOf(Add(t, Root(t), "user", Form{"userName": "sheet" + branch[len(branch)-6:], "password": UserPassword, "realName": "支部会计", "orgId": branch, "status": "enabled", "permissions": []string{"*"}}))
	if boss == "" {
		t.Fatal("no user")
	}
	a := User(t, "sheet"+branch[len(branch)-6:], UserPassword)
	var people []bfftest.Person
	add := func(through string, base bool) bfftest.Person {
		p := NewPerson()
		p.ID = IDOf(Add(t, Root(t), "member", MemberForm(p, branch).With(Form{"duesPaidThrough": through})))
		if base {
			Add(t, a, "duesBase", Form{"memberId": p.ID, "effectiveMonth": "2026-01", "baseAmount": 500_000})
		}
		people = append(people, p)
		return p
	}
	for range 30 {
		add("2026-08", true)
	}
	none, ahead := add("2026-08", false), add("2026-11", true)
	sheet := func(b *bfftest.Browser) map[string]sheetRow {
		t.Helper()
		var s struct{ Rows []sheetRow }
		b.Get("/api/console/dues/sheet?month="+month+"&orgId="+branch, &s)
		out := map[string]sheetRow{}
		for _, r := range s.Rows {
			out[r.MemberID] = r
		}
		return out
	}
	type outcomes struct {
		Outcomes []struct {
			MemberID, Message, OrderID string
			Done                       bool
			Amount                     int64
		}
	}
	pay := func(b *bfftest.Browser, method, key string, ids ...string) (o outcomes) {
		t.Helper()
		b.Post("/api/console/dues/sheet", Form{"month": month, "memberIds": ids, "method": method, "idempotencyKey": key}, &o)
		return o
	}
	t.Run("PLUS-12 everybody of the branch with what he owes up to the month; a sibling and a bad month are refused", func(t *testing.T) {
		got := sheet(a)
		if len(got) != 32 {
			t.Fatalf("%d rows", len(got))
		}
		if r := got[people[0].ID]; r.State != "owed" || r.FromMonth != "2026-09" || r.Months != 2 || r.Amount != 100_00 || r.Name != people[0].Name {
			t.Fatalf("owed: %+v", r)
		}
		if r := got[none.ID]; r.State != "none" || !strings.Contains(r.Message, "党费基数") {
			t.Fatalf("no base: %+v", r)
		}
		if r := got[ahead.ID]; r.State != "paid" || r.OrderID != "" {
			t.Fatalf("paid ahead: %+v", r)
		}
		Refused(t, AdminB(t).Do("GET", "/api/console/dues/sheet?month="+month+"&orgId="+branch, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, a.Do("GET", "/api/console/dues/sheet?month=2026-13&orgId="+branch, nil), http.StatusBadRequest, "month", "")
		Refused(t, Limited(t, "duesOrder.view").Do("POST", "/api/console/dues/sheet", Form{"month": month, "memberIds": []string{people[0].ID}, "method": "cash", "idempotencyKey": "k"}), http.StatusForbidden, "", "无操作权限")
	})
	var ids []string
	for _, p := range people[:28] {
		ids = append(ids, p.ID)
	}
	t.Run("PLUS-12 thirty ticked are paid in cash in one act, each once, also when it is sent again and again at once", func(t *testing.T) {
		asked := append(slices.Clone(ids), none.ID, ids[0])
		var wait sync.WaitGroup
		all := make([]outcomes, 3)
		for i := range all {
			b := a
			if i > 0 {
				b = User(t, "sheet"+branch[len(branch)-6:], UserPassword)
			}
			wait.Go(func() { all[i] = pay(b, "cash", "k1", asked...) })
		}
		wait.Wait()
		rows, orders := sheet(a), map[string]bool{}
		for _, id := range ids {
			if r := rows[id]; r.State != "paid" || r.PayMethod != "cash" || r.OrderID == "" || r.Amount != 100_00 || r.PaidThrough != month {
				t.Fatalf("paid: %+v", r)
			}
			orders[rows[id].OrderID] = true
		}
		if l := a.List("duesOrder", "size=100&f.status=paid"); l.Total != 28 || len(orders) != 28 {
			t.Fatalf("%d orders, %d on the sheet", l.Total, len(orders))
		}
		for _, o := range pay(a, "cash", "k2", append(ids[:1:1], none.ID, IDOf(a.List("member", "f.name="+people[29].Name).Items[0]))...).Outcomes {
			switch o.MemberID {
			case people[29].ID:
				if !o.Done || o.Amount != 100_00 {
					t.Errorf("%+v", o)
				}
			case none.ID:
				if o.Done || !strings.Contains(o.Message, "党费基数") {
					t.Errorf("%+v", o)
				}
			default:
				if o.Done || !strings.Contains(o.Message, "已缴纳") {
					t.Errorf("%+v", o)
				}
			}
		}
		if o := pay(AdminB(t), "cash", "k3", people[28].ID).Outcomes[0]; o.Done || o.Message != NothingThere {
			t.Fatalf("the sibling: %+v", o)
		}
	})
	t.Run("PLUS-12 微信: an order of today, and a message to pay it; he pays it himself", func(t *testing.T) {
		phone := PhoneOf(t, people[28])
		for range 2 {
			if o := pay(a, "wechat", "k4", people[28].ID).Outcomes[0]; !o.Done {
				t.Fatalf("%+v", o)
			}
		}
		if r := sheet(a)[people[28].ID]; r.State != "owed" || !r.OpenOrder {
			t.Fatalf("%+v", r)
		}
		id := IDOf(a.List("duesOrder", "f.status=unpaid").Items[0])
		bfftest.Eventually(t, "his message", func() bool { return told(phone, "member", id) == 1 })
	})
	t.Run("PLUS-12 one PDF holds all receipts, a page each; one that is not paid, or not one's own, refuses it", func(t *testing.T) {
		var orders []string
		for _, r := range sheet(a) {
			if r.OrderID != "" {
				orders = append(orders, r.OrderID)
			}
		}
		got := a.Do("POST", "/api/console/dues/sheet/receipts", Form{"ids": orders})
		if pages := len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(got.Body, -1)); got.Status != http.StatusOK || !bytes.HasPrefix(got.Body, []byte("%PDF")) || pages != 29 {
			t.Fatalf("%d, %d pages, %.60s", got.Status, pages, got.Body)
		}
		open := IDOf(a.List("duesOrder", "f.status=unpaid").Items[0])
		Refused(t, a.Do("POST", "/api/console/dues/sheet/receipts", Form{"ids": append(orders[:1:1], open)}), http.StatusConflict, "", "尚未支付")
		Refused(t, AdminB(t).Do("POST", "/api/console/dues/sheet/receipts", Form{"ids": orders[:1]}), http.StatusNotFound, "", NothingThere)
	})
}

// TestPolicy is PLUS-13: how dues are rounded, organisation by organisation.
func TestPolicy(t *testing.T) {
	committee := NewOrg(t, NewName("取整党委"), "committee", OrgP(t))
	branch := NewOrg(t, NewName("取整支部"), "branch", committee)
	p := AdminP(t)
	member := func() bfftest.Person {
		m := NewPerson()
		m.ID = IDOf(Add(t, Root(t), "member", MemberForm(m, branch).With(Form{"duesPaidThrough": "2026-09"})))
		Add(t, p, "duesBase", Form{"memberId": m.ID, "effectiveMonth": "2026-01", "baseAmount": 420_050})
		return m
	}
	type order struct {
		ID, Rounding string
		Amount       int64
	}
	enter := func(m bfftest.Person) (o order) {
		t.Helper()
		p.Post("/api/console/dues/orders", Form{"memberId": m.ID, "toMonth": "2026-10"}, &o)
		p.Get("/api/console/dues/orders/"+o.ID, &o)
		return o
	}
	first, second, third := member(), member(), member()
	old := enter(first)
	if old.Amount != 42_01 || old.Rounding != "到分（四舍五入）" {
		t.Fatalf("to the fen: %+v", old)
	}
	p.Post("/api/console/dues/orders/"+old.ID+"/cash", Form{}, &Item{})
	t.Run("PLUS-13 4200.50 at 1% is 42.01, 42.00 or 42 by the policy, which the order names; older orders keep theirs", func(t *testing.T) {
		above := Add(t, p, "duesPolicy", Form{"orgId": committee, "rounding": "jiao-half-up", "reason": "党委会决定"})
		if o := enter(second); o.Amount != 42_00 || o.Rounding != "到角（四舍五入）" {
			t.Fatalf("to the jiao: %+v", o)
		}
		Add(t, p, "duesPolicy", Form{"orgId": branch, "rounding": "yuan-half-up"}) // its own goes first
		if o := enter(third); o.Amount != 42_00 || o.Rounding != "到元（四舍五入）" {
			t.Fatalf("to the yuan: %+v", o)
		}
		var now order
		p.Get("/api/console/dues/orders/"+old.ID, &now)
		if now.Amount != 42_01 || now.Rounding != "到分（四舍五入）" {
			t.Fatalf("the older one: %+v", now)
		}
		var preview struct{ Payable int64 }
		p.Post("/api/console/dues/base-preview", Form{"memberId": third.ID, "baseAmount": 425_050}, &preview)
		if preview.Payable != 43_00 { // 42.505
			t.Fatalf("shown before it is saved: %+v", preview)
		}
		Refused(t, p.Do("POST", Path("duesPolicy"), Form{"orgId": committee, "rounding": "fen-half-up"}), http.StatusBadRequest, "orgId", "已有取整规则")
		Refused(t, p.Do("POST", Path("duesPolicy"), Form{"orgId": OrgA(t), "rounding": "up"}), http.StatusBadRequest, "rounding", "")
		Refused(t, AdminB(t).Do("POST", Path("duesPolicy"), Form{"orgId": committee, "rounding": "fen-half-up"}), http.StatusBadRequest, "orgId", "不在管理范围内")
		// Deleted, what is above it counts again.
		for _, r := range p.List("duesPolicy", "").Items {
			if r["orgId"] == branch {
				Remove(t, p, "duesPolicy", IDOf(r))
			}
		}
		if o := enter(member()); o.Rounding != "到角（四舍五入）" {
			t.Fatalf("after it is gone: %+v", o)
		}
		Remove(t, p, "duesPolicy", IDOf(above))
	})
}

// TestExtra: 自愿多交党费 (domain-rules.md 1): no limit, no month is settled by it, and from 1,000 yuan on it is
// marked.
func TestExtra(t *testing.T) {
	const typ = "duesExtra"
	a := AdminA(t)
	who := payer(t, "2026-08")
	t.Run("what is paid beside what is owed is entered and marked from 1,000 yuan on; it changes nothing that is owed", func(t *testing.T) {
		before := owed(t, who.ID, "2026-10")
		for _, x := range []struct {
			fen  int
			want string
		}{{999_99, "ordinary"}, {1_000_00, "large"}} {
			id := IDOf(Add(t, a, typ, Form{"memberId": who.ID, "amount": x.fen, "paidOn": Day(-1)}))
			var r Item
			a.Get(Path(typ)+"/"+id, &r)
			if r["large"] != x.want || r["operator"] == "" || r["amount"] != float64(x.fen) {
				t.Fatalf("%v", r)
			}
		}
		if now := owed(t, who.ID, "2026-10"); len(now) != len(before) {
			t.Fatalf("owed %v, then %v", before, now)
		}
		for field, f := range map[string]Form{
			"amount": {"memberId": who.ID, "amount": 0, "paidOn": Day(-1)}, "paidOn": {"memberId": who.ID, "amount": 100, "paidOn": Day(1)},
			"memberId": {"memberId": NewMember(t, OrgB(t)).ID, "amount": 100, "paidOn": Day(-1)},
		} {
			Refused(t, a.Do("POST", Path(typ), f), http.StatusBadRequest, field, "")
		}
		if l := AdminB(t).List(typ, "f.memberId="+who.ID); l.Total != 0 {
			t.Fatalf("the sibling sees %v", l.Items)
		}
		phone := PhoneOf(t, who)
		var mine struct{ Items []Item }
		phone.Get(Own(typ), &mine)
		if len(mine.Items) != 2 {
			t.Fatalf("his own: %v", mine.Items)
		}
		if got := phone.Do("POST", Own(typ), Form{"amount": 100, "paidOn": Day(-1)}); got.Status < 400 {
			t.Fatal("a member entered one")
		}
	})
}
