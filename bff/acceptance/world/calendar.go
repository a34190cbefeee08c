package world

import (
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/suite"
)

// Calendar is a product whose clock a test may move, whatever BASE_URL names. Its workers
// are down until Work.
type Calendar struct {
	*bfftest.Product
	Top    *bfftest.Browser // the top-level admin
	Branch string           // the id of an organisation, 试验支部, below the top

	phones map[*bfftest.Browser]string // the WeChat users of Bind
}

// NewCalendar starts a Calendar for as long as the test takes.
func NewCalendar(t *testing.T) *Calendar {
	t.Helper()
	p, stop, err := bfftest.Own()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c := &Calendar{Product: p, Top: p.Browser(t, 0), phones: map[*bfftest.Browser]string{}}
	login(t, c.Top, suite.AdminName, bfftest.AdminPassword())
	c.Branch = IDOf(Add(t, c.Top, "organization", OrgForm("试验支部", "branch", top(t, c.Top))))
	return c
}

// Root is the id of the organisation at the top.
func (c *Calendar) Root(t *testing.T) string { t.Helper(); return top(t, c.Top) }

const branchAdmin = "branch" // a user name

// Admin makes a user of the branch who may do everything there, and logs him in.
func (c *Calendar) Admin(t *testing.T) *bfftest.Browser {
	t.Helper()
	Add(t, c.Top, "user", userForm(branchAdmin, "支部管理员", c.Branch, "*"))
	b := c.Browser(t, 0)
	login(t, b, branchAdmin, UserPassword)
	return b
}

// Login logs in a user whom Top has made with UserPassword.
func (c *Calendar) Login(t *testing.T, name string) *bfftest.Browser {
	t.Helper()
	b := c.Browser(t, 0)
	login(t, b, name, UserPassword)
	return b
}

// Member adds an invented full member to the branch.
func (c *Calendar) Member(t *testing.T) bfftest.Person {
	t.Helper()
	p := NewPerson()
	p.ID = IDOf(Add(t, c.Top, "member", MemberForm(p, c.Branch)))
	return p
}

// Bind makes the phone of a new WeChat user the member's, for whom Pass opens it again.
func (c *Calendar) Bind(t *testing.T, base int, who bfftest.Person) (phone *bfftest.Browser, wechatUser string) {
	t.Helper()
	phone, wechatUser = c.Product.Bind(t, base, who)
	c.phones[phone] = wechatUser
	return phone, wechatUser
}

// Pass lets the product's time go on, which may end sessions: Top and the given users of
// Admin are logged in again, and the phones of Bind opened.
func (c *Calendar) Pass(t *testing.T, by time.Duration, users ...*bfftest.Browser) {
	t.Helper()
	c.Top.Post("/sandbox/api/clock", Form{"advance": by.String()}, &struct{}{})
	login(t, c.Top, suite.AdminName, bfftest.AdminPassword())
	for _, b := range users {
		login(t, b, branchAdmin, UserPassword)
	}
	for phone, user := range c.phones {
		phone.T = t
		phone.OpenPhone(user)
	}
}

// Now is the product's time.
func (c *Calendar) Now(t *testing.T) time.Time {
	t.Helper()
	var at struct{ Now time.Time }
	c.Top.Get("/sandbox/api/clock", &at)
	return at.Now
}
