package meeting

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

const aDay = 24 * time.Hour

// one is a record as the console shows it.
func one(t *testing.T, b *bfftest.Browser, typ, id string) Item {
	t.Helper()
	var r Item
	b.Get(Path(typ)+"/"+id, &r)
	return r
}

// TestGuestsEnd: the daily job ends the time of part-time and report-in persons.
func TestGuestsEnd(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	a := c.Admin(t)
	elapsed := 0 // days that the product's calendar is ahead
	for _, x := range []struct{ typ, id string }{{"partTimeMember", "PART-07"}, {"reportInMember", "RPIN-07"}} {
		t.Run(x.id+" on the day after the last one the job ends him and his pages close; a longer time makes him a guest again", func(t *testing.T) {
			c.Top.T, a.T = t, t
			p := NewPerson()
			g := IDOf(Add(t, a, x.typ, Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": Day(-10), "endOn": Day(elapsed + 1)}))
			phone, wechat := c.Bind(t, 0, p)
			opens := func() int { phone.OpenPhone(wechat); return phone.Do("GET", "/api/member/meetings", nil).Status }
			move := func() { c.Pass(t, aDay, a); elapsed++ }
			move() // his last day
			if got := one(t, a, x.typ, g)["state"]; got != "active" || opens() != http.StatusOK {
				t.Fatalf("on the last day he is %v", got)
			}
			move()
			bfftest.Eventually(t, "the job ends him", func() bool { return one(t, a, x.typ, g)["state"] == "ended" })
			if !slices.Contains(IDs(a.List(x.typ, "f.state=ended")), g) || opens() != http.StatusForbidden {
				t.Fatal("he is not listed as ended, or sees his pages")
			}
			Refused(t, a.Do("POST", Path("meeting"), MeetingForm("会", Form{"participantIds": []string{g}})), http.StatusBadRequest, "participantIds", "不存在")
			var again Item
			Put(t, a, x.typ, g, Form{"endOn": Day(elapsed)}).Into(t, &again)
			if again["state"] != "active" || !slices.Contains(IDs(a.List(x.typ, "f.state=active")), g) {
				t.Fatalf("with today as his last day he is %v", again["state"])
			}
			who := Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone}
			phone.Post("/api/member/bind-code", who, &struct{}{})
			phone.Post("/api/member/bind", who.With(Form{"code": phone.SMSCode(p.Phone)}), &struct{}{})
			if opens() != http.StatusOK {
				t.Fatal("bound again, he does not see his pages")
			}
			move()
			bfftest.Eventually(t, "the job ends him again", func() bool { return one(t, a, x.typ, g)["state"] == "ended" })
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
	c := NewCalendar(t)
	a := c.Admin(t)
	t.Run("JOB-01 after a downtime every job has its effect once and in the order of time, on two nodes at once; another run changes nothing", func(t *testing.T) {
		c.Top.T, a.T = t, t
		who := c.Member(t)
		phone, wechat := c.Bind(t, 0, who)
		guest := func(endOn string) string {
			p := NewPerson()
			return IDOf(Add(t, a, "partTimeMember", Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": Day(-10), "endOn": endOn}))
		}
		over, later := guest(Day(0)), guest(Day(41))
		version := func(id string) any { return one(t, a, "partTimeMember", id)["version"] } // grows when the job turns him
		made := version(over)
		soon := time.Now().In(kit.Shanghai).AddDate(-3, 0, 20).Format(time.DateOnly) // its term ends in the downtime
		election := IDOf(Add(t, a, "election", Form{"orgId": c.Branch, "electionForm": "memberMeeting", "electedOn": soon, "termYears": 3}))
		Add(t, a, "leadershipMember", Form{"electionId": election, "memberId": who.ID, "position": "secretary"})
		month := time.Now().In(kit.Shanghai).Format("2006-01")
		Add(t, a, "duesBase", Form{"memberId": who.ID, "effectiveMonth": month, "baseAmount": 500000})
		a.Post("/api/console/dues/orders", Form{"memberId": who.ID, "fromMonth": month, "toMonth": month, "idempotencyKey": "downtime-order-1"}, &Item{})
		if n := a.List("duesOrder", "f.status=unpaid").Total; n != 1 {
			t.Fatalf("%d unpaid orders", n)
		}
		// Meetings are called one after the other; nothing tells of them yet.
		var meetings []string
		for range 3 {
			now := c.Now(t)
			m := IDOf(Add(t, a, "meeting", MeetingForm("停机期间的会", Form{"participantIds": []string{who.ID}, "noticeForm": []string{"wechat", "site"},
				"startAt": now.Add(time.Minute).Format(time.RFC3339), "endAt": now.Add(time.Hour).Format(time.RFC3339)})))
			a.Post("/api/console/records/meeting/"+m+"/actions/start", nil, &Item{})
			meetings = append(meetings, m)
			c.Pass(t, time.Minute, a)
		}
		c.Pass(t, 40*aDay, a)
		mine := func(b *bfftest.Browser, at string) inbox {
			var i inbox
			b.Get(at, &i)
			return i
		}
		if got := mine(phone, "/api/member/notifications"); len(got.Notifications) != 0 || version(over) != made || a.List("duesOrder", "f.status=unpaid").Total != 1 {
			t.Fatalf("something happened in the downtime: %v", got)
		}

		c.Work()
		c.Work()
		bfftest.Eventually(t, "the guest's time ends", func() bool { return version(over) != made && one(t, a, "partTimeMember", over)["state"] == "ended" })
		bfftest.Eventually(t, "the order of a past day is cleared", func() bool { return a.List("duesOrder", "f.status=unpaid").Total == 0 })
		sent := func() int {
			return strings.Count(string(c.Top.Do("GET", "/sandbox/api/messages?userId="+wechat, nil).Body), `"kind"`)
		}
		bfftest.Eventually(t, "three meetings and an election are told by WeChat", func() bool { return sent() >= 4 })
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
		was, open := version(over), version(later)
		c.Pass(t, 2*aDay, a)
		bfftest.Eventually(t, "the next day's job runs", func() bool { return version(later) != open })
		if now := version(over); now != was {
			t.Errorf("the guest was changed again: version %v, was %v", now, was)
		}
		if got := mine(phone, "/api/member/notifications").kinds(); !slices.Equal(got, want) || sent() != 4 {
			t.Errorf("the member hears %v by %d messages", got, sent())
		}
	})
}
