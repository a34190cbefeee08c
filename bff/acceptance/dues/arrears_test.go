package dues

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/kit"
)

const arrears = "duesArrears"

// ago is the month so many months before this one.
func ago(n int) string { return kit.AddMonths(kit.Month(time.Now()), -n) }

// debt is what a member is listed with, nil when he is not.
func debt(t *testing.T, b *bfftest.Browser, who bfftest.Person) Item {
	t.Helper()
	l := b.List(arrears, "f.memberName="+who.Name).Items
	if len(l) > 1 {
		t.Fatalf("%d rows of %s", len(l), who.Name)
	}
	if len(l) == 0 {
		return nil
	}
	return l[0]
}

// owing is a member who has paid through some months ago, once the worker has him.
func owing(t *testing.T, months int) bfftest.Person {
	t.Helper()
	p := payer(t, ago(months+1))
	bfftest.Eventually(t, "his arrears", func() bool { d := debt(t, AdminA(t), p); return d != nil && d["owedMonths"] == float64(months) })
	return p
}

func pay(t *testing.T, who bfftest.Person, to string) {
	t.Helper()
	var o struct{ ID string }
	AdminA(t).Post("/api/console/dues/orders", Form{"memberId": who.ID, "toMonth": to}, &o)
	AdminA(t).Post("/api/console/dues/orders/"+o.ID+"/cash", Form{}, &Item{})
}

// TestArrears: 欠缴管理 (manual 7.6).
func TestArrears(t *testing.T) {
	a, b := AdminA(t), AdminB(t)
	remind := func(b *bfftest.Browser, id string) *bfftest.Answer { return decide(b, arrears, id, "remind", Form{}) }
	offered := func(d Item) bool { return slices.Contains(d["_actions"].([]any), any("remind")) }
	t.Run("ARRS-01 who has not paid the last full month is listed with branch, months and amount; who has is not", func(t *testing.T) {
		one, never := owing(t, 1), payer(t, "")
		paid := payer(t, ago(1))
		bfftest.Eventually(t, "who never paid", func() bool { return debt(t, a, never) != nil })
		d := debt(t, a, one)
		if d["orgId"] != OrgA(t) || d["owedMonths"] != float64(1) || d["owedAmount"] != float64(5000) || d["fromMonth"] != ago(1) || d["paidThrough"] != ago(2) {
			t.Fatalf("listed: %v", d)
		}
		if debt(t, a, paid) != nil {
			t.Fatalf("who has paid is listed: %v", debt(t, a, paid))
		}
		if debt(t, b, one) != nil || debt(t, AdminP(t), one) == nil {
			t.Fatal("the sibling sees him, or the superior does not")
		}
		Columns(t, a, RecordSpec{Type: arrears, Columns: []string{"memberName", "orgId", "owedMonths", "owedAmount"}})
		Refused(t, Limited(t, "duesOrder.view").Do("GET", Path(arrears), nil), http.StatusForbidden, "", "无操作权限")
		if d := debt(t, a, never); d["owedMonths"].(float64) < 1 || d["paidThrough"] != "" {
			t.Fatalf("who never paid: %v", d)
		}
	})
	t.Run("ARRS-02 payment, base and reduction change the figures at once; who leaves is listed no more", func(t *testing.T) {
		who := owing(t, 3)
		is := func(months int, amount float64) {
			t.Helper()
			d := debt(t, a, who)
			if d == nil || d["owedMonths"] != float64(months) || d["owedAmount"] != amount {
				t.Fatalf("%v, want %d months and %v", d, months, amount)
			}
		}
		is(3, 15000)
		Add(t, a, "duesBase", Form{"memberId": who.ID, "effectiveMonth": ago(3), "baseAmount": 300_000})
		is(3, 4500)
		Add(t, a, "duesReduction", Form{"memberId": who.ID, "fromMonth": ago(2), "toMonth": ago(2), "reductionType": "exempt", "reason": "困难"})
		is(2, 3000)
		Add(t, a, "duesReduction", Form{"memberId": who.ID, "fromMonth": ago(1), "toMonth": ago(1), "reductionType": "reduce", "reductionAmount": 500, "reason": "困难"})
		is(2, 2500)
		pay(t, who, ago(2))
		is(1, 1000)
		pay(t, who, ago(1))
		if debt(t, a, who) != nil {
			t.Fatalf("all paid, and listed: %v", debt(t, a, who))
		}
		gone := owing(t, 2)
		Remove(t, a, "member", gone.ID)
		bfftest.Eventually(t, "he is listed no more", func() bool { return debt(t, a, gone) == nil })
	})
	t.Run("ARRS-03 未交时长 finds those who owe at least so long; what is not in the list is refused", func(t *testing.T) {
		people := map[int]bfftest.Person{1: owing(t, 1), 3: owing(t, 3), 7: owing(t, 7)}
		for q, want := range map[string][]int{"": {1, 3, 7}, "&f.duration=1": {1, 3, 7}, "&f.duration=3": {3, 7}, "&f.duration=6": {7}, "&f.duration=12": nil} {
			for n, who := range people {
				found := len(a.List(arrears, "f.memberName="+who.Name+q).Items) == 1
				if found != slices.Contains(want, n) {
					t.Errorf("%q finds who owes %d: %v", q, n, found)
				}
			}
		}
		for _, wrong := range []string{"2", "0", "x", "99"} {
			Refused(t, a.Do("GET", Path(arrears)+"?f.duration="+wrong, nil), http.StatusBadRequest, "", "未交时长")
		}
	})
	t.Run("ARRS-04 ARRS-05 提醒 tells who is bound, once; it is there again when what he owes has changed", func(t *testing.T) {
		who, unbound := owing(t, 2), owing(t, 2)
		phone := PhoneOf(t, who)
		d, u := debt(t, a, who), debt(t, a, unbound)
		if !offered(d) || !offered(u) {
			t.Fatalf("offered: %v, %v", d["_actions"], u["_actions"])
		}
		Refused(t, remind(a, IDOf(u)), http.StatusConflict, "", "该党员未绑定公众号")
		if !offered(debt(t, a, unbound)) {
			t.Fatal("the button of the unbound is gone")
		}
		Refused(t, remind(b, IDOf(d)), http.StatusNotFound, "", NothingThere)
		Refused(t, remind(Limited(t, arrears+".view"), IDOf(d)), http.StatusForbidden, "", "无操作权限")
		remind(a, IDOf(d)).Into(t, &Item{})
		messages := func() (n int) {
			var l struct {
				Notifications []struct{ Kind, Content, Channel string }
			}
			phone.Get("/api/member/notifications", &l)
			for _, x := range l.Notifications {
				if x.Kind == "duesReminder" {
					n++
					if !strings.Contains(x.Content, "2个月") && !strings.Contains(x.Content, "1个月") {
						t.Errorf("told: %v", x)
					}
				}
			}
			return n
		}
		bfftest.Eventually(t, "the message", func() bool { return messages() == 1 })
		if d := debt(t, a, who); offered(d) || d["remindedAt"] == "" {
			t.Fatalf("after it: %v", d)
		}
		Refused(t, remind(a, IDOf(d)), http.StatusConflict, "", "已提醒")
		pay(t, who, ago(2))
		if d := debt(t, a, who); d["owedMonths"] != float64(1) || !offered(d) {
			t.Fatalf("after a payment: %v", d)
		}
		remind(a, IDOf(d)).Into(t, &Item{})
		bfftest.Eventually(t, "the second message", func() bool { return messages() == 2 })
		Add(t, a, "duesBase", Form{"memberId": who.ID, "effectiveMonth": ago(1), "baseAmount": 400_000})
		if !offered(debt(t, a, who)) {
			t.Fatal("after a change of the base it is not offered")
		}
		Add(t, a, "duesReduction", Form{"memberId": who.ID, "fromMonth": ago(1), "toMonth": ago(1), "reductionType": "reduce", "reductionAmount": 100, "reason": "x"})
		if !offered(debt(t, a, who)) {
			t.Fatal("after a reduction it is not offered")
		}
		pay(t, who, ago(1))
		if debt(t, a, who) != nil {
			t.Fatal("who owes nothing is listed")
		}
		if got := remind(a, IDOf(d)); got.Status < 400 {
			t.Fatal("who owes nothing is reminded")
		}
	})
	t.Run("ARRS-06 批量提醒 tells each of the ticked once, and says who was skipped and why", func(t *testing.T) {
		one, two, unbound := owing(t, 1), owing(t, 1), owing(t, 1)
		phones := []*bfftest.Browser{PhoneOf(t, one), PhoneOf(t, two)}
		ids := []string{IDOf(debt(t, a, one)), IDOf(debt(t, a, two)), IDOf(debt(t, a, unbound))}
		remind(a, ids[0]).Into(t, &Item{})
		many := func(ids ...string) *bfftest.Answer {
			return a.Do("POST", Path(arrears)+"/actions/remind", map[string]any{"ids": ids, "values": map[string]any{}})
		}
		var out struct {
			Outcomes []struct {
				ID, Message string
				Done        bool
			}
		}
		many(ids...).Into(t, &out)
		if len(out.Outcomes) != 3 {
			t.Fatalf("outcomes: %v", out)
		}
		for _, o := range out.Outcomes {
			if want := map[string]string{ids[0]: "已提醒", ids[2]: "未绑定公众号"}[o.ID]; o.Done != (o.ID == ids[1]) || !strings.Contains(o.Message, want) {
				t.Errorf("%+v", o)
			}
		}
		for _, phone := range phones {
			bfftest.Eventually(t, "one message each", func() bool {
				var l struct{ Notifications []struct{ Kind string } }
				phone.Get("/api/member/notifications", &l)
				n := 0
				for _, x := range l.Notifications {
					if x.Kind == "duesReminder" {
						n++
					}
				}
				return n == 1
			})
		}
		if got := many(); got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), "请选择") {
			t.Fatalf("none ticked: %d %s", got.Status, got.Body)
		}
	})
	t.Run("ARRS-07 from the message he comes to 党费缴纳, which shows what he owes, and after paying that he owes nothing", func(t *testing.T) {
		who := owing(t, 2)
		phone, user := Bind(t, who)
		remind(a, IDOf(debt(t, a, who))).Into(t, &Item{})
		bfftest.Eventually(t, "the message of the official account", func() bool {
			return strings.Contains(string(phone.Do("GET", "/sandbox/api/messages?userId="+user, nil).Body), "pages/dues/index")
		})
		var mine struct {
			Items   []item
			Message string
		}
		phone.Get("/api/member/dues", &mine)
		if len(mine.Items) != 3 || mine.Items[0].Month != ago(2) { // the current month may be paid too
			t.Fatalf("党费缴纳 shows %+v", mine)
		}
		pay(t, who, ago(0))
		phone.Get("/api/member/dues", &mine)
		if len(mine.Items) != 0 {
			t.Fatalf("after paying: %+v", mine)
		}
	})
}

// TestMonthEnds: a month that ends is owed (ARRS-02).
func TestMonthEnds(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	at := c.Now(t).In(kit.Shanghai)
	month := kit.Month(at)
	p := NewPerson()
	p.ID = IDOf(Add(t, c.Top, "member", MemberForm(p, c.Branch).With(Form{"duesPaidThrough": kit.AddMonths(month, -1)})))
	Add(t, c.Top, "duesBase", Form{"memberId": p.ID, "effectiveMonth": "2026-01", "baseAmount": 500_000})
	t.Run("ARRS-02 when a month ends, who has not paid for it owes one month at his amount", func(t *testing.T) {
		if debt(t, c.Top, p) != nil {
			t.Fatal("he owes before the month ends")
		}
		next := time.Date(at.Year(), at.Month()+1, 1, 1, 0, 0, 0, kit.Shanghai)
		c.Pass(t, next.Sub(at))
		bfftest.Eventually(t, "he owes the month", func() bool {
			d := debt(t, c.Top, p)
			return d != nil && d["owedMonths"] == float64(1) && d["owedAmount"] == float64(5000) && d["fromMonth"] == month
		})
	})
	t.Run("of 3, 5 and 6 months the branch is warned once each; it never changes membership; who has paid begins again", func(t *testing.T) {
		admin := c.Admin(t)
		warned := func() (n int) {
			var l struct{ Notifications []struct{ Title string } }
			admin.Get("/api/console/notifications?size=100", &l)
			for _, x := range l.Notifications {
				if x.Title == "党费欠缴预警" {
					n++
				}
			}
			return n
		}
		begin := func(months int) { // so many months after the one that is owed since the beginning
			t.Helper()
			c.Pass(t, time.Date(at.Year(), at.Month()+time.Month(months), 1, 1, 0, 0, 0, kit.Shanghai).Sub(c.Now(t)), admin)
			bfftest.Eventually(t, "the months are counted", func() bool {
				d := debt(t, c.Top, p)
				return d != nil && d["owedMonths"] == float64(months)
			})
		}
		for months, want := range []int{3: 1, 4: 1, 5: 2, 6: 3, 7: 3} {
			if months < 3 {
				continue
			}
			begin(months)
			bfftest.Eventually(t, "warned", func() bool { return warned() == want })
		}
		var m Item
		c.Top.Get(Path("member")+"/"+p.ID, &m)
		if m["memberType"] != "fullMember" || len(c.Top.List("member", "f.name="+p.Name).Items) != 1 {
			t.Fatalf("%v", m)
		}
	})
}
