package acceptance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/suite"
)

// calendar is a product whose clock a test may move, and its top-level admin.
type calendar struct {
	*bfftest.Product
	top    *bfftest.Browser
	branch string // an organisation below the top
}

func newCalendar(t *testing.T) *calendar {
	t.Helper()
	p, stop, err := bfftest.Own()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c := &calendar{Product: p}
	c.top = c.login(t, suite.AdminName, bfftest.AdminPassword())
	var tree struct{ Nodes []struct{ ID string } }
	c.top.Get("/api/console/tree", &tree)
	c.branch = idOf(add(t, c.top, "organization", orgForm("试验支部", "branch", tree.Nodes[0].ID)))
	return c
}

func (c *calendar) login(t *testing.T, userName, password string) *bfftest.Browser {
	t.Helper()
	b := c.Browser(t, 0)
	if a := b.Login(userName, password); a.Status != http.StatusOK {
		t.Fatalf("login of %s: %s", userName, a.Body)
	}
	return b
}

// admin makes a user of the branch and logs him in.
func (c *calendar) admin(t *testing.T) *bfftest.Browser {
	t.Helper()
	add(t, c.top, "user", form{"userName": "branch", "password": userPassword, "realName": "支部管理员", "orgId": c.branch, "status": "enabled", "permissions": []string{"*"}})
	return c.login(t, "branch", userPassword)
}

// member adds a member to the branch.
func (c *calendar) member(t *testing.T, i int) bfftest.Person {
	t.Helper()
	p := bfftest.Invent(i)
	p.ID = idOf(add(t, c.top, "member", form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "orgId": c.branch,
		"memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01"}))
	return p
}

// pass lets the product's time go on; sessions of admins may end.
func (c *calendar) pass(t *testing.T, by time.Duration, users ...*bfftest.Browser) {
	t.Helper()
	c.top.Post("/sandbox/api/clock", form{"advance": by.String()}, &struct{}{})
	c.top.Login(suite.AdminName, bfftest.AdminPassword())
	for _, b := range users {
		b.Login("branch", userPassword)
	}
}

const aDay = 24 * time.Hour

// one is a record as the console shows it.
func one(t *testing.T, b *bfftest.Browser, typ, id string) item {
	t.Helper()
	var r item
	b.Get(path(typ)+"/"+id, &r)
	return r
}

// TestGuestsEnd: the daily job ends the time of part-time and report-in persons.
func TestGuestsEnd(t *testing.T) {
	c := newCalendar(t)
	c.Work()
	a := c.admin(t)
	elapsed := 0 // days that the product's calendar is ahead
	for n, x := range []struct{ typ, id string }{{"partTimeMember", "PART-07"}, {"reportInMember", "RPIN-07"}} {
		t.Run(x.id+" on the day after the last one the job ends him and his pages close; a longer time makes him a guest again", func(t *testing.T) {
			c.top.T, a.T = t, t
			p := bfftest.Invent(700 + n)
			g := idOf(add(t, a, x.typ, form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": day(-10), "endOn": day(elapsed + 1)}))
			phone, wechat := c.Bind(t, 0, p)
			opens := func() int { phone.OpenPhone(wechat); return phone.Do("GET", "/api/member/meetings", nil).Status }
			move := func() { c.pass(t, aDay, a); elapsed++ }
			move() // his last day
			if got := one(t, a, x.typ, g)["state"]; got != "active" || opens() != http.StatusOK {
				t.Fatalf("on the last day he is %v", got)
			}
			move()
			eventually(t, "the job ends him", func() bool { return one(t, a, x.typ, g)["state"] == "ended" })
			if !slices.Contains(ids(a.List(x.typ, "f.state=ended")), g) || opens() != http.StatusForbidden {
				t.Fatal("he is not listed as ended, or sees his pages")
			}
			refused(t, a.Do("POST", path("meeting"), meetingForm("会", form{"participantIds": []string{g}})), http.StatusBadRequest, "participantIds", "不存在")
			var again item
			put(t, a, x.typ, g, form{"endOn": day(elapsed)}).Into(t, &again)
			if again["state"] != "active" || !slices.Contains(ids(a.List(x.typ, "f.state=active")), g) {
				t.Fatalf("with today as his last day he is %v", again["state"])
			}
			who := form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone}
			phone.Post("/api/member/bind-code", who, &struct{}{})
			phone.Post("/api/member/bind", who.with(form{"code": phone.SMSCode(p.Phone)}), &struct{}{})
			if opens() != http.StatusOK {
				t.Fatal("bound again, he does not see his pages")
			}
			move()
			eventually(t, "the job ends him again", func() bool { return one(t, a, x.typ, g)["state"] == "ended" })
		})
	}
}

type inbox struct {
	Notifications []struct{ Kind, TargetType, TargetID, Content string }
}

func (i inbox) kinds() (out []string) {
	for _, n := range i.Notifications {
		out = append(out, n.Kind+" "+n.TargetID)
	}
	return out
}

// TestDowntime: what falls due while nothing runs is made up for, once.
func TestDowntime(t *testing.T) {
	c := newCalendar(t)
	a := c.admin(t)
	t.Run("JOB-01 after a downtime every job has its effect once and in the order of time, on two nodes at once; another run changes nothing", func(t *testing.T) {
		c.top.T, a.T = t, t
		who := c.member(t, 711)
		phone, wechat := c.Bind(t, 0, who)
		guest := func(i int, endOn string) string {
			p := bfftest.Invent(i)
			return idOf(add(t, a, "partTimeMember", form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": day(-10), "endOn": endOn}))
		}
		over, later := guest(712, day(0)), guest(713, day(41))
		soon := time.Now().AddDate(-3, 0, 20).Format(time.DateOnly) // its term ends in the downtime
		election := elect(t, a, c.branch, soon)
		add(t, a, "leadershipMember", form{"electionId": election, "memberId": who.ID, "position": "secretary"})
		month := time.Now().Format("2006-01")
		add(t, a, "duesBase", form{"memberId": who.ID, "effectiveMonth": month, "baseAmount": 500000})
		a.Post("/api/console/dues/orders", form{"memberId": who.ID, "fromMonth": month, "toMonth": month, "idempotencyKey": "downtime-order-1"}, &item{})
		if n := a.List("duesOrder", "f.status=unpaid").Total; n != 1 {
			t.Fatalf("%d unpaid orders", n)
		}
		// Meetings are called one after the other; nothing tells of them yet.
		var meetings []string
		for range 3 {
			now := c.now(t)
			m := idOf(add(t, a, "meeting", meetingForm("停机期间的会", form{"participantIds": []string{who.ID}, "noticeForm": []string{"wechat", "site"},
				"startAt": now.Add(time.Minute).Format(time.RFC3339), "endAt": now.Add(time.Hour).Format(time.RFC3339)})))
			a.Post("/api/console/meetings/"+m+"/start", nil, &item{})
			meetings = append(meetings, m)
			c.pass(t, time.Minute, a)
		}
		c.pass(t, 40*aDay, a)
		phone.OpenPhone(wechat)
		mine := func(b *bfftest.Browser, at string) inbox {
			var i inbox
			b.Get(at, &i)
			return i
		}
		if got := mine(phone, "/api/member/notifications"); len(got.Notifications) != 0 || one(t, a, "partTimeMember", over)["state"] != "active" || a.List("duesOrder", "f.status=unpaid").Total != 1 {
			t.Fatalf("something happened in the downtime: %v", got)
		}

		c.Work()
		c.Work()
		eventually(t, "the guest's time ends", func() bool { return one(t, a, "partTimeMember", over)["state"] == "ended" })
		eventually(t, "the order of a past day is cleared", func() bool { return a.List("duesOrder", "f.status=unpaid").Total == 0 })
		sent := func() int {
			return strings.Count(string(c.top.Do("GET", "/sandbox/api/messages?userId="+wechat, nil).Body), `"kind"`)
		}
		eventually(t, "three meetings and an election are told by WeChat", func() bool { return sent() >= 4 })
		want := []string{"electionDue " + election}
		for _, m := range meetings {
			want = slices.Insert(want, 1, "meetingStarted "+m)
		}
		member, admins := mine(phone, "/api/member/notifications"), mine(a, "/api/console/notifications")
		if got := member.kinds(); !slices.Equal(got, want) {
			t.Fatalf("the member hears, newest first, %v, want %v", got, want)
		}
		if got := admins.kinds(); !slices.Equal(got, want[:1]) {
			t.Fatalf("the admin hears %v", got)
		}

		// The jobs run again: another guest's time ends, and nothing else.
		was := one(t, a, "partTimeMember", over)["version"]
		c.pass(t, 2*aDay, a)
		eventually(t, "the next day's job runs", func() bool { return one(t, a, "partTimeMember", later)["state"] == "ended" })
		if now := one(t, a, "partTimeMember", over)["version"]; now != was {
			t.Errorf("the guest was changed again: version %v, was %v", now, was)
		}
		phone.OpenPhone(wechat)
		if got := mine(phone, "/api/member/notifications").kinds(); !slices.Equal(got, want) || sent() != 4 {
			t.Errorf("the member hears %v by %d messages", got, sent())
		}
	})
}

// now is the product's time.
func (c *calendar) now(t *testing.T) time.Time {
	t.Helper()
	var at struct{ Now time.Time }
	c.top.Get("/sandbox/api/clock", &at)
	return at.Now
}

// TestBinding: 绑定 of everybody who is in the system (manual 6.8).
func TestBinding(t *testing.T) {
	c := newCalendar(t)
	a := c.admin(t)
	ask := func(b *bfftest.Browser, p bfftest.Person) *bfftest.Answer {
		return b.Do("POST", "/api/member/bind-code", form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone})
	}
	bind := func(b *bfftest.Browser, p bfftest.Person, code string) *bfftest.Answer {
		return b.Do("POST", "/api/member/bind", form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "code": code})
	}
	account := func(t *testing.T, phone string) *bfftest.Browser {
		b := c.Browser(t, 0)
		b.OpenPhone(b.WeChatUser("微信用户", phone))
		return b
	}
	other := c.member(t, 740)
	for n, x := range []struct{ typ, who string }{{"member", "a member"}, {"partTimeMember", "a part-time person"}, {"reportInMember", "a report-in person"}} {
		t.Run("BIND-04 "+x.who+" binds by name, ID number, phone and code; nothing else does, nor a second account or person", func(t *testing.T) {
			c.top.T, a.T = t, t
			p := bfftest.Invent(741 + n)
			f := form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone}
			if x.typ == "member" {
				p.ID = idOf(add(t, a, x.typ, f.with(form{"orgId": c.branch, "memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01"})))
			} else {
				p.ID = idOf(add(t, a, x.typ, f.with(form{"homeOrgName": "外省某支部", "startOn": day(-10), "endOn": day(10)})))
			}
			wrong := bfftest.Invent(780 + n)
			for _, w := range []bfftest.Person{
				{Name: wrong.Name, IDNumber: p.IDNumber, Phone: p.Phone}, {Name: p.Name, IDNumber: wrong.IDNumber, Phone: p.Phone}, {Name: p.Name, IDNumber: p.IDNumber, Phone: wrong.Phone},
			} {
				refused(t, ask(account(t, w.Phone), w), http.StatusNotFound, "", "未找到党员信息")
			}
			phone := account(t, p.Phone)
			if got := ask(phone, p); got.Status != http.StatusOK {
				t.Fatalf("%s", got.Body)
			}
			code := phone.SMSCode(p.Phone)
			no := "000000"
			if code == no {
				no = "111111"
			}
			refused(t, bind(phone, p, no), http.StatusBadRequest, "", "验证码错误")
			refused(t, bind(phone, wrong, code), http.StatusBadRequest, "", "验证码错误")
			var me struct {
				Bound    bool
				OrgID    string
				RealName string
			}
			if phone.Get("/api/member/me", &me); me.Bound {
				t.Fatal("bound by a wrong code")
			}
			bind(phone, p, code).Into(t, &item{})
			if phone.Get("/api/member/me", &me); !me.Bound || me.OrgID != c.branch || me.RealName != p.Name {
				t.Fatalf("%+v", me)
			}
			c.pass(t, 2*time.Minute, a)
			refused(t, ask(account(t, p.Phone), p), http.StatusConflict, "", "该党员已绑定其他微信")
			c.pass(t, 2*time.Minute, a)
			if got := ask(phone, other); got.Status == http.StatusOK {
				got = bind(phone, other, phone.SMSCode(other.Phone))
				refused(t, got, http.StatusConflict, "", "该微信已绑定其他党员")
			} else {
				refused(t, got, http.StatusConflict, "", "该微信已绑定其他党员")
			}
			if phone.Get("/api/member/me", &me); me.RealName != p.Name {
				t.Fatalf("%+v", me)
			}
			c.pass(t, 2*time.Minute, a)
		})
	}
}
