package journey

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/kit"
)

// cluster is what scripts/cluster.sh started: of each process NAME.pid, and NAME.sh, which
// starts it again.
type cluster struct {
	*testing.T
	dir string
}

func (c cluster) signal(name string, s syscall.Signal) {
	c.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name+".pid"))
	if err != nil {
		c.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err == nil {
		err = syscall.Kill(pid, s)
	}
	if err != nil {
		c.Fatalf("%s: %v", name, err)
	}
}

func (c cluster) start(name string) {
	c.Helper()
	log, err := os.OpenFile(filepath.Join(c.dir, name+".log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		c.Fatal(err)
	}
	defer log.Close()
	p := exec.Command("bash", filepath.Join(c.dir, name+".sh"))
	p.Stdout, p.Stderr = log, log
	if err := p.Start(); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, name+".pid"), []byte(strconv.Itoa(p.Process.Pid)+"\n"), 0o600); err != nil {
		c.Fatal(err)
	}
}

// soon waits no longer than an outage may be felt after its end.
func soon(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(50 * time.Millisecond) { // polls a condition
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// answers tells whether a GET succeeds.
func answers(b *bfftest.Browser, path string) bool {
	a, err := b.Try("GET", path, nil)
	return err == nil && a.Status == http.StatusOK
}

// payer is a member who pays month after month, and an admin who looks on.
type payer struct {
	admin, phone *bfftest.Browser
	user         string // of WeChat
	member, org  string
	paid         int   // months
	audited      int64 // entries of the chain at least
}

func newPayer(t *testing.T, number int) *payer {
	t.Helper()
	p := &payer{admin: newAdmin(t)}
	org, people := branchOf(t, p.admin, fmt.Sprintf("值守支部%d", bfftest.Seed), []bfftest.Person{bfftest.Invent(number)})
	p.org, p.member = org, people[0].ID
	p.admin.Post("/api/console/records/duesBase", map[string]any{"memberId": p.member, "effectiveMonth": "2020-01", "baseAmount": 500000}, &map[string]any{})
	p.phone, p.user = under.Bind(t, 0, people[0])
	return p
}

// works pays a month and changes a record: lists, menu, payment, points, message and audit go
// on as if nothing were amiss.
func (p *payer) works(t *testing.T) {
	t.Helper()
	for _, path := range []string{
		"/records", "/permissions", "/tree", "/points/ranking?dimension=personal&orgId=" + p.org,
		"/records/member?orgId=" + p.org, "/records/duesOrder?orgId=" + p.org, "/records/meeting", "/records/user", "/records/audit",
	} {
		if a := p.admin.Do("GET", "/api/console"+path, nil); a.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	p.admin.Post("/api/console/records/duesBase", map[string]any{
		"memberId": p.member, "effectiveMonth": time.Now().In(kit.Shanghai).AddDate(0, p.paid+1, 0).Format("2006-01"), "baseAmount": 500000,
	}, &map[string]any{})
	p.pays(t)
	p.settled(t)
	var chain struct {
		Intact bool
		Count  int64
	}
	bfftest.Eventually(t, "the change is in the audit", func() bool {
		p.admin.Get("/api/console/audit/verify", &chain)
		return chain.Count > p.audited
	})
	if p.audited = chain.Count; !chain.Intact {
		t.Error("the audit chain is broken")
	}
}

// pays one more month.
func (p *payer) pays(t *testing.T) {
	t.Helper()
	var owed struct{ Items []struct{ Month string } }
	p.phone.Get("/api/member/dues", &owed)
	if len(owed.Items) == 0 {
		t.Fatal("owes nothing")
	}
	var pay struct {
		Order        struct{ ID, OrderNo string }
		PackageValue string
	}
	p.phone.Post("/api/member/dues/pay", map[string]string{"toMonth": owed.Items[0].Month, "idempotencyKey": fmt.Sprintf("outage%d-%d", bfftest.Seed, p.paid)}, &pay)
	prepay := strings.TrimPrefix(pay.PackageValue, "prepay_id=")
	if a := p.phone.Do("POST", "/sandbox/api/payments/"+prepay+"/approve", map[string]string{"userId": p.user}); a.Status != http.StatusOK {
		t.Fatalf("approve: %d %s", a.Status, a.Body)
	}
	p.paid++
}

// settled finds every payment once, in the books, in points and among the messages.
func (p *payer) settled(t *testing.T) {
	t.Helper()
	bfftest.Eventually(t, "the payment is known", func() bool {
		return p.admin.List("duesOrder", "f.status=paid&orgId="+p.org).Total >= p.paid
	})
	var points struct{ Entries []struct{ Item string } }
	bfftest.Eventually(t, "its points are booked", func() bool {
		p.phone.Get("/api/member/points", &points)
		return len(points.Entries) >= p.paid
	})
	told := 0
	bfftest.Eventually(t, "its message is there", func() bool {
		told = bytes.Count(p.phone.Do("GET", "/sandbox/api/messages?userId="+p.user, nil).Body, []byte(`"duesReceipt"`))
		return told >= p.paid
	})
	paid := p.admin.List("duesOrder", "f.status=paid&orgId="+p.org)
	if paid.Total != p.paid || paid.Summary["amount"] != strconv.Itoa(5000*p.paid) || len(points.Entries) != p.paid || told != p.paid {
		t.Errorf("%d payments: %d orders of %s, %d points entries, %d messages", p.paid, paid.Total, paid.Summary["amount"], len(points.Entries), told)
	}
}

// TestOutage takes away what the processes of a cluster stand on, one after another. A product
// in one process has nothing of the kind.
func TestOutage(t *testing.T) {
	c := cluster{t, os.Getenv("CLUSTER_DIR")}
	if c.dir == "" {
		return
	}
	p := newPayer(t, 300)
	p.works(t)
	t.Run("PLUS-55 what stops is done without, and taken up again when it is back", func(t *testing.T) {
		t.Run("etcd away, and back empty", func(t *testing.T) {
			c.signal("etcd", syscall.SIGKILL)
			p.works(t)
			if err := os.RemoveAll(filepath.Join(c.dir, "etcd")); err != nil {
				t.Fatal(err)
			}
			c.start("etcd")
			p.works(t)
			c.start("bff2") // knows nothing from before
			second := under.Browser(t, 1)
			for begun := time.Now(); !answers(second, "/readyz"); time.Sleep(50 * time.Millisecond) { // polls a condition
				if time.Since(begun) > 40*time.Second {
					t.Fatal("services do not tell etcd anew where they are")
				}
			}
		})
		t.Run("a service gone: everything of the others goes on", func(t *testing.T) {
			c.signal("content", syscall.SIGKILL)
			p.works(t)
			if answers(p.admin, "/api/console/records/memberShowcase") {
				t.Error("content is not gone")
			}
			if !answers(p.admin, "/readyz") {
				t.Error("one of the pages' services takes the whole product away")
			}
			c.start("content")
			soon(t, "its lists are back", func() bool { return answers(p.admin, "/api/console/records/memberShowcase") })
			p.works(t)
		})
		t.Run("a service that hangs", func(t *testing.T) {
			c.signal("content", syscall.SIGSTOP)
			p.works(t)
			c.signal("content", syscall.SIGCONT)
			soon(t, "its lists are back", func() bool { return answers(p.admin, "/api/console/records/memberShowcase") })
			p.works(t)
		})
		t.Run("the store frozen", func(t *testing.T) {
			c.signal("store", syscall.SIGSTOP)
			soon(t, "a balancer is told", func() bool { return !answers(p.admin, "/readyz") })
			thaw := time.AfterFunc(2*time.Second, func() { c.signal("store", syscall.SIGCONT) })
			defer thaw.Stop()
			p.works(t) // waits for it
			soon(t, "a balancer is told", func() bool { return answers(p.admin, "/readyz") })
			p.works(t)
		})
		t.Run("Redis back empty", func(t *testing.T) {
			c.signal("redis", syscall.SIGKILL)
			soon(t, "its end is noticed", func() bool { return !answers(p.admin, "/api/console/records/member?orgId="+p.org) })
			c.start("redis")
			soon(t, "people can log in", func() bool {
				a, err := p.admin.Try("POST", "/api/console/captcha", nil)
				return err == nil && a.Status == http.StatusOK
			})
			p.admin = newAdmin(t)
			p.phone.OpenPhone(p.user)
			p.works(t)
		})
	})
}
