package edge

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"zhihuidangjian/rpc/kit"
)

// TestNoise sends what no store can keep wherever it can stand.
func TestNoise(t *testing.T) {
	w := newWorld(t)
	for _, noise := range []string{"%00", "%ff", "a%00b", "%c0%80", "%ed%a0%80"} {
		for _, path := range []string{
			"/api/console/records/member?keyword=", "/api/console/records/member?f.name=", "/api/console/records/member?f.", "/api/console/records/member?sort=",
			"/api/console/records/member?orgId=", "/api/console/records/member?columns=", "/api/console/records/member/", "/api/console/records/", "/api/console/records/member/files/",
			"/api/console/tree?orgId=", "/api/console/points/ranking?orgId=", "/api/console/audit/verify?x=", "/api/console/meetings/", "/wechat/oauth?to=", "/wechat/oauth/callback?state=", "/", "/m/",
		} {
			if r := w.do(w.top, "GET", path+noise, nil); r.status != http.StatusBadRequest {
				t.Errorf("%s%s: %d %s", path, noise, r.status, r.body)
			}
		}
		for _, path := range []string{"/api/member/records/", "/api/member/ranking?dimension=", "/api/member/meetings/"} {
			if r := w.do(&w.m1.caller, "GET", path+noise, nil); r.status != http.StatusBadRequest {
				t.Errorf("%s%s: %d %s", path, noise, r.status, r.body)
			}
		}
	}
	for _, header := range []string{"Authorization", "X-Request-ID", "Range", "If-None-Match", "X-Forwarded-For", "User-Agent"} {
		if r := w.do(w.top, "GET", "/api/console/me", nil, header, "a\xff"); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", header, r.status, r.body)
		}
	}
	// Control characters are of no field; the service says so.
	for _, query := range []string{"keyword=%01", "f.name=%1b"} {
		if r := w.do(w.top, "GET", "/api/console/records/member?"+query, nil); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, r.status, r.body)
		}
	}
	if r := w.do(w.top, "GET", "/api/console/records/member?keyword="+url.QueryEscape("张三"), nil); r.status != http.StatusOK {
		t.Errorf("a name: %d", r.status)
	}
}

// TestAddress is about whom a request is counted for.
func TestAddress(t *testing.T) {
	out := &bytes.Buffer{}
	slog.SetDefault(slog.New(slog.NewTextHandler(out, nil)))
	t.Cleanup(func() {
		slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	})
	e, _ := newEdge(t)
	registry := prometheus.NewRegistry()
	e.metrics = newMetrics(registry)
	e.secure, e.proxies = true, []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/8"),
	}
	for _, x := range []struct {
		remote string
		lines  []string
		want   string
	}{
		{"203.0.113.9", nil, "203.0.113.9"},
		{"203.0.113.9", []string{"198.51.100.1"}, "203.0.113.9"}, // no proxy of ours
		{"10.0.0.5", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.1.5", []string{"198.51.100.1"}, "10.0.1.5"},
		{"10.0.0.5", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.5", []string{"1.1.1.1", "198.51.100.1"}, "198.51.100.1"}, // a proxy that adds a line
		{"10.0.0.5", []string{"1.1.1.1", "198.51.100.1, 10.0.0.7", "127.0.0.1"}, "198.51.100.1"},
		{"10.0.0.5", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"10.0.0.5", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"fd00::5", []string{"2001:db8::1"}, "2001:db8::1"},
		{"::ffff:10.0.0.5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.5", []string{"198.51.100.1, nonsense"}, "10.0.0.5"}, // nothing before it is believed
		{"10.0.0.5", nil, "10.0.0.5"},
		{"127.0.0.1", []string{""}, "127.0.0.1"},
	} {
		c := app.NewContext(0)
		c.SetConn(wire{nil, &net.TCPAddr{IP: net.ParseIP(x.remote), Port: 1}})
		for _, line := range x.lines {
			c.Request.Header.Add("X-Forwarded-For", line)
		}
		if got := e.clientIP(c); got != x.want {
			t.Errorf("%s %q: %s, want %s", x.remote, x.lines, got, x.want)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "bff_same_address_total" {
			for _, m := range f.GetMetric() {
				counted[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	if want := map[string]float64{"untrusted": 2, "unnamed": 3}; !maps.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
	if n := strings.Count(out.String(), "TRUSTED_PROXIES"); n != 1 {
		t.Errorf("told %d times: %s", n, out)
	}
	for ip, want := range map[string]string{
		"198.51.100.1": "198.51.100.1", "::ffff:198.51.100.1": "198.51.100.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "x": "x",
	} {
		if got := kit.Network(ip); got != want {
			t.Errorf("%q counts as %q, want %q", ip, got, want)
		}
	}
}

// TestLimits is about how fast callers may call.
func TestLimits(t *testing.T) {
	l := newLimits()
	drain := func(f func(string) error, key string) (n int) {
		for f(key) == nil {
			n++
		}
		return n
	}
	if n := drain(l.write, "10.0.0.1"); n < 120 || n > 130 {
		t.Errorf("an address: %d", n)
	}
	if err := kit.FromError(l.write("10.0.0.1")); err.Wait <= 0 || err.Wait > time.Second {
		t.Errorf("wait %v", err.Wait)
	}
	if l.write("10.0.0.2") != nil || l.look("10.0.0.1") != nil || l.session("one") != nil {
		t.Error("others are refused, too")
	}
	drain(l.write, "2001:db8::1")
	if l.write("2001:db8::2") == nil || l.write("2001:db8:0:1::1") != nil {
		t.Error("IPv6 does not count by its /64")
	}
	// Codes that WeChat knows cost nothing, others do.
	for range 2000 {
		known, err := l.code("10.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		known()
	}
	bogus := func(ip string) error { _, err := l.code(ip); return err }
	if n := drain(bogus, "10.0.0.1"); n < 1000 || n > 1010 {
		t.Errorf("made-up codes: %d", n)
	}
}

// TestHall opens the phone pages of a whole hall behind one address.
func TestHall(t *testing.T) {
	w := newWorld(t)
	const phones, users, atOnce = 500, 10, 25
	var ids []string
	for i := range users {
		var u struct{ ID string }
		w.sandboxed(t, "POST", "users", map[string]string{"nickname": "路人", "phone": fmt.Sprintf("197%08d", 5000+i)}).into(t, &u)
		ids = append(ids, u.ID)
	}
	var mu sync.Mutex
	refused := map[int]int{}
	var hall errgroup.Group
	hall.SetLimit(atOnce) // for the simulators' sake
	for i := range phones {
		hall.Go(func() error {
			var c struct{ Code string }
			w.sandboxed(t, "POST", "users/"+ids[i%users]+"/mini-code", nil).into(t, &c)
			for _, r := range []reply{
				w.ask(&caller{ip: "203.0.113.7"}, "GET", "/api/portal/config", nil),
				w.ask(&caller{ip: "203.0.113.7"}, "GET", "/wechat/oauth?to=/m/", nil),
				w.ask(&caller{ip: "203.0.113.7"}, "POST", miniLoginPath, map[string]string{"code": c.Code}),
			} {
				if r.status >= 400 {
					mu.Lock()
					refused[r.status]++
					mu.Unlock()
				}
			}
			return nil
		})
	}
	_ = hall.Wait()
	if len(refused) > 0 {
		t.Errorf("refused %v", refused)
	}
	// Who makes codes up is refused in the end, and told when to come again.
	w.limits.codes["203.0.113.8"] = &bucket{left: 1, at: time.Now()}
	bad := &caller{ip: "203.0.113.8"}
	expect(t, "a made-up code", w.ask(bad, "POST", miniLoginPath, map[string]string{"code": "bogus"}), 401, "mini.code")
	r := w.ask(bad, "POST", miniLoginPath, map[string]string{"code": "bogus"})
	expect(t, "another", r, 429, "too_many")
	if r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	begun := w.ask(bad, "GET", "/wechat/oauth?to=/m/", nil)
	state, _, _ := strings.Cut(begun.cookieOf(stateCookie), ".")
	page := w.ask(bad, "GET", callbackPath+"?code=bogus&state="+state, nil, "Cookie", stateCookie+"="+begun.cookieOf(stateCookie))
	if page.status != http.StatusTooManyRequests || !strings.Contains(string(page.body), "重新进入") { // people stand there
		t.Errorf("by the browser: %d %s", page.status, page.body)
	}
	w.limits.looks["203.0.113.8"] = &bucket{at: time.Now()}
	expect(t, "looking", w.ask(bad, "GET", "/api/portal/config", nil), 429, "too_many")
}

// listening is the edge on a port of its own.
func (w *world) listening(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	o, err := Upon(w.platform, w.services.Clients)
	if err != nil {
		t.Fatal(err)
	}
	o.Addr = addr
	e := New(o)
	served := make(chan error, 1)
	kit.Go("edge", func() error { served <- e.Run(); return nil })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx)
		<-served
	})
	if err := e.WaitListening(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Edge = e
	return "http://" + addr
}

// TestLiveStreams opens the full-screen code in many tabs of one browser.
func TestLiveStreams(t *testing.T) {
	w := newMatrixWorld(t)
	base := w.listening(t)
	at := base + "/api/console/meetings/" + w.ids["meeting"] + "/live/stream"
	open := func(c *caller) (*http.Response, func() string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", at, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: adminCookie, Value: c.cookie})
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		lines := bufio.NewScanner(resp.Body)
		return resp, func() string {
			for lines.Scan() {
				if name, ok := strings.CutPrefix(lines.Text(), "event:"); ok {
					return strings.TrimSpace(name)
				}
			}
			if err := lines.Err(); err != nil {
				return "broken: " + err.Error()
			}
			return "end"
		}
	}
	one, other := w.by["own"], w.admin(t, "screen", "own", "*")
	_, others := open(other)
	if got := others(); got != "live" {
		t.Fatal(got)
	}
	var tabs []func() string
	for range 5 {
		_, next := open(one)
		if got := next(); got != "live" {
			t.Fatal(got)
		}
		tabs = append(tabs, next)
	}
	for _, next := range tabs[:4] {
		if got := []string{next(), next()}; !slices.Equal(got, []string{"replaced", "end"}) {
			t.Errorf("an older tab: %v", got)
		}
	}
	w.streams.mu.Lock()
	if n := len(w.streams.open); n != 2 {
		t.Errorf("%d streams of two browsers", n)
	}
	w.streams.mu.Unlock()
	expect(t, "log-out", w.do(one, "POST", "/api/console/logout", nil), 200, "")
	if got := tabs[4](); got != "end" {
		t.Errorf("after the log-out: %s", got)
	}
}

// TestSlowUploads is about strangers who say nothing for long.
func TestSlowUploads(t *testing.T) {
	w := newMatrixWorld(t)
	form := func(c *caller, path string) reply {
		return w.do(c, "POST", path, upload{"x.jpg", []byte("x")})
	}
	// All places are taken: who may not is told so, and not to wait.
	for i := range uploadsAtOnce {
		w.uploads.take(fmt.Sprint(i))
	}
	stranger := w.newPhone(t)
	for path, c := range map[string]*caller{
		"/api/member/records/hardshipApplication/upload?field=files": &stranger.caller,
		"/api/console/records/member/import":                         w.by["bare"],
		"/api/console/records/note/upload?field=files":               w.by["bare"],
	} {
		if r := form(c, path); r.status == 429 || r.status < 400 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	r := form(w.by["own"], "/api/console/records/member/import")
	expect(t, "who may", r, 429, "upload.busy")
	if r.header.Get("Retry-After") != "3" {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	for i := range uploadsAtOnce {
		w.uploads.give(fmt.Sprint(i))
	}
	// One person leaves room for others.
	for i, want := range []bool{true, true, false} {
		if w.uploads.take("a") != want {
			t.Errorf("upload %d of one person: taken is not %v", i+1, want)
		}
	}
	if !w.uploads.take("b") {
		t.Error("one person's share takes another's")
	}
	// A trickle is cut; what comes at a poor phone's pace is read.
	now := time.Now()
	trickle := &hurry{r: strings.NewReader(strings.Repeat("x", 5000)), conn: &timeouts{}, until: now.Add(-time.Millisecond)}
	if _, err := io.ReadAll(trickle); err == nil || kit.FromError(err).Key != errSlow.Key {
		t.Errorf("a trickle: %v", err)
	}
	conn := &timeouts{}
	steady := &hurry{r: strings.NewReader(strings.Repeat("x", 10*bodyPace)), conn: conn, until: now.Add(bodyGrace)}
	if b, err := io.ReadAll(steady); err != nil || len(b) != 10*bodyPace {
		t.Errorf("a steady one: %d %v", len(b), err)
	}
	if earned := steady.until.Sub(now); earned < bodyGrace+10*time.Second-time.Millisecond || earned > bodyGrace+11*time.Second {
		t.Errorf("it has %v", earned)
	}
	if conn.least <= 0 || conn.least > bodyGrace {
		t.Errorf("it waited for up to %v", conn.least)
	}
}

// timeouts is a connection that only keeps how long it would wait.
type timeouts struct{ least time.Duration }

func (c *timeouts) SetReadTimeout(d time.Duration) error {
	if c.least == 0 || d < c.least {
		c.least = d
	}
	return nil
}

// TestMembersAsk: a member finds records by what he is shown of them, and by nothing else.
func TestMembersAsk(t *testing.T) {
	w := newWorld(t)
	ask := func(query string) reply {
		return w.do(&w.m1.caller, "GET", "/api/member/records/organization?"+query, nil)
	}
	rows := func(query string) int {
		t.Helper()
		var p struct{ Total int }
		ask(query).into(t, &p)
		return p.Total
	}
	if rows("keyword="+url.QueryEscape("组织own")) != 1 || rows("") < 4 {
		t.Fatal("he does not find organisations by their name")
	}
	for _, hidden := range []string{"书记", "干事", "13800138000"} {
		if n := rows("keyword=" + url.QueryEscape(hidden)); n != 0 {
			t.Errorf("%s finds %d", hidden, n)
		}
	}
	for _, query := range []string{"f.secretary=", "f.contactName=", "f.contactPhone="} {
		expect(t, query, ask(query+url.QueryEscape("书")), 400, "filter.unknown")
	}
	ids := func(query string) (ids []string) {
		t.Helper()
		var p struct{ Items []struct{ ID string } }
		ask(query).into(t, &p)
		for _, row := range p.Items {
			ids = append(ids, row.ID)
		}
		return ids
	}
	for _, hidden := range []string{"secretary", "-contactName"} {
		if got, want := ids("sort="+hidden), ids(""); !slices.Equal(got, want) {
			t.Errorf("by %s: the order tells what he is not shown: %s, not %s", hidden, got, want)
		}
	}
}
