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
}

// NewCalendar starts a Calendar for as long as the test takes.
func NewCalendar(t *testing.T) *Calendar {
	t.Helper()
	p, stop, err := bfftest.Own()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c := &Calendar{Product: p, Top: p.Browser(t, 0)}
	login(t, c.Top, suite.AdminName, bfftest.AdminPassword())
	c.Branch = IDOf(Add(t, c.Top, "organization", OrgForm("试验支部", "branch", top(t, c.Top))))
	return c
}

const branchAdmin = "branch" // a user name

// Admin makes a user of the branch who may do everything there, and logs him in.
func (c *Calendar) Admin(t *testing.T) *bfftest.Browser {
	t.Helper()
	Add(t, c.Top, "user", userForm(branchAdmin, "支部管理员", c.Branch, "*"))
	b := c.Browser(t, 0)
	login(t, b, branchAdmin, UserPassword)
	return b
}

// Member adds an invented full member to the branch.
func (c *Calendar) Member(t *testing.T) bfftest.Person {
	t.Helper()
	p := NewPerson()
	p.ID = IDOf(Add(t, c.Top, "member", MemberForm(p, c.Branch)))
	return p
}

// Pass lets the product's time go on, which may end the sessions of users: Top and the
// given ones of Admin are logged in again.
func (c *Calendar) Pass(t *testing.T, by time.Duration, users ...*bfftest.Browser) {
	t.Helper()
	c.Top.Post("/sandbox/api/clock", Form{"advance": by.String()}, &struct{}{})
	login(t, c.Top, suite.AdminName, bfftest.AdminPassword())
	for _, b := range users {
		login(t, b, branchAdmin, UserPassword)
	}
}

// Now is the product's time.
func (c *Calendar) Now(t *testing.T) time.Time {
	t.Helper()
	var at struct{ Now time.Time }
	c.Top.Get("/sandbox/api/clock", &at)
	return at.Now
}
