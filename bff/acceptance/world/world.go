// Package world is what the acceptance tests stand on: a product, three organisations of
// it with their admins, and the sentences that many modules share.
//
// The tests prove the rows of the specification on the whole product, through HTTP. Chapters
// of the manual that belong together have a package, so that packages run side by side, each
// against a product of its own, or all against the one that BASE_URL names; there are several
// so that none takes much longer than the others. They import this package by dot: its names
// are the words that every line of theirs is made of.
package world

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/suite"
)

// product is the one under test.
var product *bfftest.Product

// Main is the TestMain of a package of acceptance tests: it runs them against a product.
func Main(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	p, stop, err := bfftest.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	product = p
	code := m.Run()
	stop()
	os.Exit(code)
}

// The organisations of the tests: the committee P under the root, its branches A and B.
var orgs struct {
	once    sync.Once
	p, a, b string // ids
}

// setUp makes the organisations and their admins, once.
func setUp(t *testing.T) {
	t.Helper()
	orgs.once.Do(func() {
		orgs.p = NewOrg(t, Name("试验党委"), "committee", top(t, Root(t)))
		orgs.a = NewOrg(t, Name("甲支部"), "branch", orgs.p)
		orgs.b = NewOrg(t, Name("乙支部"), "branch", orgs.p)
		NewUser(t, Name("adminP"), orgs.p, "*")
		NewUser(t, Name("adminA"), orgs.a, "*")
		NewUser(t, Name("adminB"), orgs.b, "*")
	})
}

// top is the id of the organisation at the root of an admin's tree.
func top(t *testing.T, b *bfftest.Browser) string {
	t.Helper()
	var tree struct{ Nodes []struct{ ID string } }
	b.Get("/api/console/tree", &tree)
	return tree.Nodes[0].ID
}

// OrgP is the id of the committee that A and B are below.
func OrgP(t *testing.T) string { setUp(t); return orgs.p }

// OrgA is the id of the branch that most tests are about.
func OrgA(t *testing.T) string { setUp(t); return orgs.a }

// OrgB is the id of the branch beside it.
func OrgB(t *testing.T) string { setUp(t); return orgs.b }

// Root is the top-level admin.
func Root(t *testing.T) *bfftest.Browser { return User(t, suite.AdminName, bfftest.AdminPassword()) }

// AdminP may do everything in P, as AdminA and AdminB may in their branches.
func AdminP(t *testing.T) *bfftest.Browser { setUp(t); return User(t, Name("adminP"), UserPassword) }

// AdminA may do everything in A.
func AdminA(t *testing.T) *bfftest.Browser { setUp(t); return User(t, Name("adminA"), UserPassword) }

// AdminB may do everything in B.
func AdminB(t *testing.T) *bfftest.Browser { setUp(t); return User(t, Name("adminB"), UserPassword) }

// Name keeps the names of runs against one product apart.
func Name(s string) string { return fmt.Sprintf("%s%d", s, bfftest.Seed) }

// made counts what was made up: each name and person is another one.
var made atomic.Int32

// NewName is a name that begins with s and that nothing else has.
func NewName(s string) string { return Name(fmt.Sprintf("%s%d_", s, made.Add(1))) }

// NewPerson invents a person whom the product does not know.
func NewPerson() bfftest.Person { return bfftest.Invent(int(made.Add(1))) }

// UserPassword is the password of the users that tests make.
const UserPassword = "Zhibu#2026"

var sessions sync.Map // user name → *http.Client

// User is the session of a user, logged in once.
func User(t *testing.T, userName, password string) *bfftest.Browser {
	t.Helper()
	b := Visitor(t)
	if c, ok := sessions.Load(userName); ok {
		b.HTTP = c.(*http.Client)
		return b
	}
	login(t, b, userName, password)
	sessions.Store(userName, b.HTTP)
	return b
}

// FreshRoot is the top-level admin in a session of his own, for a test of more calls than one session may do at once.
func FreshRoot(t *testing.T) *bfftest.Browser {
	t.Helper()
	b := Visitor(t)
	login(t, b, suite.AdminName, bfftest.AdminPassword())
	return b
}

func login(t *testing.T, b *bfftest.Browser, userName, password string) {
	t.Helper()
	if a := b.Login(userName, password); a.Status != http.StatusOK {
		t.Fatalf("login of %s: %d %s", userName, a.Status, a.Body)
	}
}

// Visitor is a browser in which nobody has logged in.
func Visitor(t *testing.T) *bfftest.Browser { return product.Browser(t, 0) }

// NewOrg makes an organisation and answers its id.
func NewOrg(t *testing.T, orgName, orgType, parent string) string {
	t.Helper()
	return IDOf(Add(t, Root(t), "organization", OrgForm(orgName, orgType, parent)))
}

// NewUser makes a user with some permissions, "*" for all, and answers his id.
func NewUser(t *testing.T, userName, orgID string, permissions ...string) string {
	t.Helper()
	return IDOf(Add(t, Root(t), "user", userForm(userName, userName, orgID, permissions...)))
}

// AdminOf makes a user of an organisation who may do everything there, and logs him in.
func AdminOf(t *testing.T, orgID, userName string) *bfftest.Browser {
	t.Helper()
	NewUser(t, Name(userName), orgID, "*")
	return User(t, Name(userName), UserPassword)
}

// Limited is a user of A who has only some permissions.
func Limited(t *testing.T, permissions ...string) *bfftest.Browser {
	t.Helper()
	n := NewName("user")
	NewUser(t, n, OrgA(t), permissions...)
	return User(t, n, UserPassword)
}

// NewMember adds an invented full member to a branch.
func NewMember(t *testing.T, orgID string) bfftest.Person {
	t.Helper()
	p := NewPerson()
	p.ID = IDOf(Add(t, Root(t), "member", MemberForm(p, orgID)))
	return p
}

// Bind makes the phone of a new WeChat user the member's.
func Bind(t *testing.T, p bfftest.Person) (phone *bfftest.Browser, wechatUser string) {
	t.Helper()
	return product.Bind(t, 0, p)
}

// PhoneOf binds a new WeChat user to the member and answers his phone.
func PhoneOf(t *testing.T, p bfftest.Person) *bfftest.Browser {
	t.Helper()
	b, _ := Bind(t, p)
	return b
}
