// Package acceptance proves the rows of the specification on the whole product, through
// HTTP, one file a module.
package acceptance

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

var product *bfftest.Product

// eventually waits for what follows an answer.
var eventually = bfftest.Eventually

func TestMain(m *testing.M) {
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
var world struct {
	once    sync.Once
	p, a, b string // ids
	people  atomic.Int32
	clients sync.Map // user name → *http.Client
}

const userPassword = "Zhibu#2026"

// root is the top-level admin.
func root(t *testing.T) *bfftest.Browser { return user(t, suite.AdminName, bfftest.AdminPassword()) }

func adminP(t *testing.T) *bfftest.Browser { setUp(t); return user(t, name("adminP"), userPassword) }
func adminA(t *testing.T) *bfftest.Browser { setUp(t); return user(t, name("adminA"), userPassword) }
func adminB(t *testing.T) *bfftest.Browser { setUp(t); return user(t, name("adminB"), userPassword) }

func orgP(t *testing.T) string { setUp(t); return world.p }
func orgA(t *testing.T) string { setUp(t); return world.a }
func orgB(t *testing.T) string { setUp(t); return world.b }

// name keeps runs against one product apart.
func name(s string) string { return fmt.Sprintf("%s%d", s, bfftest.Seed) }

// user is the session of a user, logged in once.
func user(t *testing.T, userName, password string) *bfftest.Browser {
	t.Helper()
	b := product.Browser(t, 0)
	if c, ok := world.clients.Load(userName); ok {
		b.HTTP = c.(*http.Client)
		return b
	}
	if a := b.Login(userName, password); a.Status != http.StatusOK {
		t.Fatalf("login of %s: %d %s", userName, a.Status, a.Body)
	}
	world.clients.Store(userName, b.HTTP)
	return b
}

func setUp(t *testing.T) {
	t.Helper()
	world.once.Do(func() {
		top := root(t)
		var tree struct{ Nodes []struct{ ID string } }
		top.Get("/api/console/tree", &tree)
		world.p = newOrg(t, name("试验党委"), "committee", tree.Nodes[0].ID)
		world.a = newOrg(t, name("甲支部"), "branch", world.p)
		world.b = newOrg(t, name("乙支部"), "branch", world.p)
		newUser(t, name("adminP"), world.p, "*")
		newUser(t, name("adminA"), world.a, "*")
		newUser(t, name("adminB"), world.b, "*")
	})
}

// newOrg makes an organisation and answers its id.
func newOrg(t *testing.T, orgName, orgType, parent string) string {
	t.Helper()
	var o struct{ ID string }
	root(t).Post("/api/console/records/organization", map[string]any{
		"orgName": orgName, "orgType": orgType, "parentId": parent, "secretary": "张书记", "contactName": "李干事", "contactPhone": "13800138000",
	}, &o)
	return o.ID
}

// newUser makes a user with some permissions; its password is userPassword.
func newUser(t *testing.T, userName, orgID string, permissions ...string) string {
	t.Helper()
	var u struct{ ID string }
	root(t).Post("/api/console/records/user", map[string]any{
		"userName": userName, "password": userPassword, "realName": userName, "orgId": orgID, "status": "enabled", "permissions": permissions,
	}, &u)
	return u.ID
}

// adminOf makes a user of an organisation who may do everything there, and logs him in.
func adminOf(t *testing.T, orgID, userName string) *bfftest.Browser {
	newUser(t, name(userName), orgID, "*")
	return user(t, name(userName), userPassword)
}

// limited is a user of A who has only some permissions.
func limited(t *testing.T, permissions ...string) *bfftest.Browser {
	t.Helper()
	n := name(fmt.Sprintf("user%d_", world.people.Add(1)))
	newUser(t, n, orgA(t), permissions...)
	return user(t, n, userPassword)
}

// newMember adds an invented full member to a branch.
func newMember(t *testing.T, orgID string) bfftest.Person {
	t.Helper()
	p := bfftest.Invent(int(world.people.Add(1)))
	var m struct{ ID string }
	root(t).Post("/api/console/records/member", map[string]any{
		"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "orgId": orgID, "memberType": "fullMember",
		"joinedOn": "2010-07-01", "regularizedOn": "2011-07-01",
	}, &m)
	p.ID = m.ID
	return p
}

// phoneOf binds a new WeChat user to the member and answers his phone.
func phoneOf(t *testing.T, p bfftest.Person) *bfftest.Browser {
	t.Helper()
	b, _ := product.Bind(t, 0, p)
	return b
}

// own is where a member finds his own records of a type.
func own(typ string) string { return "/api/member/records/" + typ }
