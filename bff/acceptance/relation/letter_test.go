package relation

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// tokens finds the token where a letter's QR code leads.
var tokens = regexp.MustCompile(`/letter\.html#([A-Z0-9]+)`)

// TestLetter: the letter of a transfer-out while time goes on (8.2.4, PLUS-15, PLUS-16).
func TestLetter(t *testing.T) {
	c := NewCalendar(t)
	admin := c.Admin(t)
	c.Work()
	issue := func(t *testing.T, days int) (bfftest.Person, string) {
		who := c.Member(t)
		id := IDOf(Add(t, admin, out, outForm(who.ID)))
		f := Form{"mode": "external", "paperChecked": true}
		if days > 0 {
			f["validDays"] = days
		}
		decide(c.Top, outApproval, id, "approve", f).Into(t, &Item{})
		return who, id
	}
	see := func(t *testing.T, id string) (r Item) {
		c.Top.Get(Path(out)+"/"+id, &r)
		return r
	}
	address := func(t *testing.T, id string) string {
		t.Helper()
		m := tokens.FindStringSubmatch(see(t, id)["letterUrl"].(string))
		if m == nil {
			t.Fatalf("the code leads to %v", see(t, id)["letterUrl"])
		}
		return m[1]
	}
	letter := func(token string) *bfftest.Answer { return c.Browser(t, 0).Do("GET", "/api/portal/letter/"+token, nil) }
	t.Run("TROU-12 its QR code holds a random token; it shows the letter masked to anybody, valid, expired or returned; a made-up one shows nothing", func(t *testing.T) {
		who, id := issue(t, 0)
		token := address(t, id)
		for _, personal := range []string{who.IDNumber, who.Phone, who.Name, who.ID} {
			if strings.Contains(token, personal) {
				t.Fatalf("%q holds %q", token, personal)
			}
		}
		var l struct {
			State, StateName string
			Lines            []struct{ Label, Text string }
		}
		got := letter(token)
		got.Into(t, &l)
		if l.State != "valid" || !strings.Contains(string(got.Body), who.Name) || strings.Contains(string(got.Body), who.IDNumber) || strings.Contains(string(got.Body), who.Phone) {
			t.Fatalf("shown: %s", got.Body)
		}
		for _, wrong := range []string{token + "A", "A" + token[1:], strings.ToLower(token), id, "x"} {
			if wrong == token {
				continue
			}
			Refused(t, letter(wrong), http.StatusNotFound, "", "介绍信不存在")
		}
		c.Top.Post(Path(out)+"/"+id+"/actions/return", Form{"returnReason": "退回", "returnedOn": c.Now(t).In(time.FixedZone("", 8*3600)).Format(time.DateOnly)}, &Item{})
		letter(token).Into(t, &l)
		if l.State != "returned" {
			t.Fatalf("taken back it is %+v", l)
		}
	})
	t.Run("PLUS-16 an admin of the receiving organisation reads it in full, which is written down; everybody else masked", func(t *testing.T) {
		who := c.Member(t)
		to := IDOf(Add(t, c.Top, "organization", OrgForm("接收支部", "branch", c.Root(t))))
		id := IDOf(Add(t, admin, out, outForm(who.ID)))
		decide(c.Top, outApproval, id, "approve", Form{"mode": "internal", "toOrgId": to, "paperChecked": true}).Into(t, &Item{})
		token := address(t, id)
		for _, b := range []*bfftest.Browser{c.Browser(t, 0), admin} {
			if got := b.Do("GET", "/api/portal/letter/"+token, nil); got.Status != http.StatusOK || strings.Contains(string(got.Body), who.IDNumber) {
				t.Fatalf("anybody reads %d %s", got.Status, got.Body)
			}
		}
		if got := admin.Do("GET", "/api/console/letter/"+token, nil); got.Status != http.StatusOK || strings.Contains(string(got.Body), who.IDNumber) {
			t.Fatalf("who sent it away reads %d %s", got.Status, got.Body)
		}
		if got := c.Browser(t, 0).Do("GET", "/api/console/letter/"+token, nil); got.Status != http.StatusUnauthorized {
			t.Fatalf("not logged in: %d %s", got.Status, got.Body)
		}
		if got := c.Top.Do("GET", "/api/console/letter/"+token, nil); !strings.Contains(string(got.Body), who.IDNumber) {
			t.Fatalf("who receives reads %d %s", got.Status, got.Body)
		}
		bfftest.Eventually(t, "the look in the audit", func() bool {
			return len(c.Top.List("audit", "f.action=reveal&f.recordId="+id).Items) == 1
		})
	})
	t.Run("PLUS-15 warned of before and at its end, once each; expired it takes no receipt until it is renewed with a reason; a receipt closes it once", func(t *testing.T) {
		_, id := issue(t, 20)
		token := address(t, id)
		coloured := func(want string) {
			t.Helper()
			for _, r := range c.Top.List(out, "size=100").Items {
				if r["id"] == id && r["letterState"] != want {
					t.Errorf("the list shows it %v, want %s", r["letterState"], want)
				}
			}
		}
		coloured("valid")
		told := func() (n int) {
			var l struct {
				Notifications []struct{ TargetID, TargetType string }
			}
			admin.Get("/api/console/notifications", &l)
			for _, x := range l.Notifications {
				if x.TargetID == id && x.TargetType == out {
					n++
				}
			}
			return n
		}
		c.Pass(t, 6*24*time.Hour, admin)
		bfftest.Eventually(t, "the first warning", func() bool { return told() == 1 })
		coloured("ending")
		c.Pass(t, 10*24*time.Hour, admin)
		bfftest.Eventually(t, "the second warning", func() bool { return told() == 2 })
		c.Pass(t, 5*24*time.Hour, admin)
		bfftest.Eventually(t, "told that it ran out", func() bool { return told() == 3 })
		coloured("expired")
		var l struct{ State string }
		letter(token).Into(t, &l)
		if l.State != "expired" {
			t.Fatalf("it is %s", l.State)
		}
		today := c.Now(t).In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
		receipt := func() *bfftest.Answer {
			return c.Top.Do("POST", Path(out)+"/"+id+"/actions/receive", Form{"receivedOn": today, "receivedBy": "邻省机关党委 王某"})
		}
		Refused(t, receipt(), http.StatusConflict, "", "延期")
		renew := func(f Form) *bfftest.Answer { return c.Top.Do("POST", Path(out)+"/"+id+"/actions/renew", f) }
		Refused(t, renew(Form{"validDays": 30}), http.StatusBadRequest, "renewReason", "请填写")
		Refused(t, renew(Form{"validDays": 91, "renewReason": "x"}), http.StatusBadRequest, "validDays", "")
		no := see(t, id)["letterNo"]
		renew(Form{"validDays": 30, "renewReason": "接收单位手续未完"}).Into(t, &Item{})
		if r := see(t, id); r["letterNo"] != no || r["renewReason"] != "接收单位手续未完" {
			t.Fatalf("renewed: %v", r)
		}
		coloured("valid")
		receipt().Into(t, &Item{})
		coloured("received")
		Refused(t, receipt(), http.StatusConflict, "", "已登记回执")
		Refused(t, renew(Form{"validDays": 30, "renewReason": "x"}), http.StatusConflict, "", "无需延期")
		letter(token).Into(t, &l)
		if l.State != "received" || told() != 3 {
			t.Fatalf("it is %s, told %d times", l.State, told())
		}
	})
	t.Run("TROU-05 moved within the platform he binds again as a member of the other branch", func(t *testing.T) {
		who := c.Member(t)
		_, user := c.Bind(t, 0, who)
		other := IDOf(Add(t, c.Top, "organization", OrgForm("流入支部", "branch", "root")))
		id := IDOf(Add(t, admin, out, outForm(who.ID)))
		decide(c.Top, outApproval, id, "approve", Form{"mode": "internal", "paperChecked": true, "toOrgId": other}).Into(t, &Item{})
		c.Pass(t, 2*time.Minute, admin)
		phone := c.Browser(t, 0)
		phone.OpenPhone(user)
		Refused(t, phone.Do("GET", "/api/member/profile", nil), http.StatusForbidden, "", "")
		f := Form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone}
		phone.Post("/api/member/bind-code", f, &Item{})
		phone.Post("/api/member/bind", f.With(Form{"code": phone.SMSCode(who.Phone)}), &Item{})
		var me Item
		phone.Get("/api/member/profile", &me)
		if me["orgId"] != other {
			t.Fatalf("bound as %v", me)
		}
	})
}
