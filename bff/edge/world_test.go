package edge

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudwego/hertz/pkg/common/test/mock"

	"zhihuidangjian/conf"
	"zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

// world is the whole product behind its HTTP edge, every service and simulator real,
// asked through the router without a socket. Its tree is
//
//	root ─ parent ─┬─ own ─ child
//	               └─ sibling
//
// with member m1 in own and m2 in sibling, both bound.
type world struct {
	*Edge
	platform *suite.Platform
	services *suite.Services
	org      map[string]string // name above → id
	m1, m2   *phone
	top      *caller // 一级管理员
	count    int     // keeps what is made apart
}

const rootPassword = "Dangjian#2026"

func newWorld(t *testing.T) *world {
	t.Helper()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	cfg := conf.Default()
	cfg.Data, cfg.AdminPassword, cfg.Demo = t.TempDir(), rootPassword, false
	cfg.PublicURL = "http://" + cfg.Addr
	p, err := suite.Open(cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	s, err := suite.Local(p)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{platform: p, services: s, org: map[string]string{}}
	t.Cleanup(func() {
		s.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	o, err := Upon(p, s.Clients)
	if err != nil {
		t.Fatal(err)
	}
	w.Edge = New(o)
	w.top = w.login(t, suite.AdminName, rootPassword)
	w.org["root"] = w.top.orgID
	for _, o := range [][3]string{
		{"parent", "root", "generalBranch"}, {"own", "parent", "branch"}, {"sibling", "parent", "branch"}, {"child", "own", "group"},
	} {
		w.org[o[0]] = w.create(t, w.top, "organization", map[string]any{
			"orgName": "组织" + o[0], "orgType": o[2], "parentId": w.org[o[1]], "secretary": "书记",
			"contactName": "干事", "contactPhone": "13800138000",
		})
	}
	w.m1, w.m2 = w.bound(t, "甲一", "own"), w.bound(t, "乙二", "sibling")
	return w
}

// caller is one session, or none.
type caller struct {
	name   string
	cookie string // of a console session
	bearer string // of a phone's session
	ip     string
	orgID  string
	noCSRF bool
}

// reply is what came back.
type reply struct {
	status int
	body   string
	header http.Header
}

func (r reply) into(t *testing.T, v any) {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// key is the error's stable name, "" of an answer that is none.
func (r reply) key() string {
	var e struct{ Key string }
	_ = json.Unmarshal([]byte(r.body), &e)
	return e.Key
}

// wire is the connection that a request pretends to have come by. Whatever is streamed
// into it finds that the page is gone.
type wire struct {
	*mock.Conn
	addr net.Addr
}

func (l wire) RemoteAddr() net.Addr { return l.addr }
func (l wire) Flush() error         { return errors.New("the page is gone") }

// upload is the body of a multipart form with one file.
type upload struct {
	name string
	data []byte
}

// do sends a request, with the proof of origin that the product's pages send.
func (w *world) do(c *caller, method, path string, body any, headers ...string) reply {
	w.limits.mu.Lock() // the limits have tests of their own
	clear(w.limits.sessions)
	clear(w.limits.addresses)
	w.limits.mu.Unlock()
	ctx := w.server.Engine.NewContext()
	ctx.SetConn(wire{mock.NewConn(""), &net.TCPAddr{IP: net.ParseIP(cmp.Or(c.ip, "10.0.0.1"))}})
	req := &ctx.Request
	req.Header.SetMethod(method)
	req.SetRequestURI(path)
	req.Header.SetHost("dangjian.example")
	req.Header.Set("Content-Type", "application/json")
	switch b := body.(type) {
	case nil:
	case string:
		req.SetBodyString(b)
	case upload:
		var buf bytes.Buffer
		form := multipart.NewWriter(&buf)
		f, _ := form.CreateFormFile("file", b.name) // a buffer: cannot fail
		_, _ = f.Write(b.data)
		_ = form.Close()
		req.SetBody(buf.Bytes())
		req.Header.Set("Content-Type", form.FormDataContentType())
	default:
		j, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		req.SetBody(j)
	}
	req.Header.SetContentLength(len(req.Body()))
	if !c.noCSRF {
		req.Header.Set(csrfHeader, csrfValue)
	}
	if c.cookie != "" {
		req.Header.SetCookie(adminCookie, c.cookie)
	}
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Cookie" {
			name, value, _ := strings.Cut(headers[i+1], "=")
			req.Header.SetCookie(name, value)
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	w.server.Engine.ServeHTTP(context.Background(), ctx)
	r := reply{status: ctx.Response.StatusCode(), body: string(ctx.Response.Body()), header: http.Header{}}
	ctx.Response.Header.VisitAll(func(k, v []byte) { r.header.Add(string(k), string(v)) })
	ctx.Response.Header.VisitAllCookie(func(_, v []byte) {
		if !strings.Contains(strings.Join(r.header["Set-Cookie"], "\n"), string(v)) {
			r.header.Add("Set-Cookie", string(v))
		}
	})
	return r
}

// cookieOf is the value that an answer sets a cookie to.
func (r reply) cookieOf(name string) string {
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// captcha is the token of a solved slide puzzle. Only the first one is drawn and solved;
// the others are left where the account service looks for them, since drawing takes
// longer than all the rest of a log-in.
func (w *world) captcha(t *testing.T) string {
	t.Helper()
	if w.count > 0 {
		token := kit.Token()
		if err := w.platform.Redis.Set(t.Context(), "captcha:ok:"+token, 1, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		return token
	}
	w.serial()
	var c struct{ ID string }
	w.do(&caller{}, "POST", "/api/console/captcha", nil).into(t, &c)
	var at struct{ X, Y int }
	w.do(&caller{}, "GET", "/sandbox/api/captcha/"+c.ID, nil).into(t, &at)
	var ok struct{ Token string }
	w.do(&caller{}, "POST", "/api/console/captcha/solve", map[string]any{"id": c.ID, "x": at.X, "y": at.Y}).into(t, &ok)
	return ok.Token
}

// tryLogin asks for a session from an address.
func (w *world) tryLogin(t *testing.T, ip, name, password string) reply {
	t.Helper()
	return w.do(&caller{ip: ip}, "POST", "/api/console/login", map[string]string{"userName": name, "password": password, "captchaToken": w.captcha(t)})
}

func (w *world) login(t *testing.T, name, password string) *caller {
	t.Helper()
	r := w.tryLogin(t, "10.0.0.1", name, password)
	var a struct{ Me struct{ OrgID string } }
	r.into(t, &a)
	return &caller{name: name, cookie: r.cookieOf(adminCookie), orgID: a.Me.OrgID}
}

// create saves a record and returns its id.
func (w *world) create(t *testing.T, c *caller, typ string, doc map[string]any) string {
	t.Helper()
	var row struct{ ID string }
	r := w.do(c, "POST", "/api/console/records/"+typ, doc)
	if r.status != http.StatusOK {
		t.Fatalf("create %s %v: %d %s", typ, doc, r.status, r.body)
	}
	r.into(t, &row)
	return row.ID
}

// serial is a number that this world has not given before.
func (w *world) serial() int { w.count++; return w.count }

// admin makes a user of an organisation and logs him in.
func (w *world) admin(t *testing.T, name, org string, permissions ...string) *caller {
	t.Helper()
	w.create(t, w.top, "user", userForm(name, w.org[org], permissions...))
	c := w.login(t, name, rootPassword)
	c.name = name
	return c
}

func userForm(name, orgID string, permissions ...string) map[string]any {
	return map[string]any{
		"userName": name, "realName": "用户" + name, "password": rootPassword, "orgId": orgID, "permissions": permissions, "status": "enabled",
	}
}

// person is an invented member: a region no real person has, a right check character.
type person struct{ id, name, idNumber, phone string }

func (w *world) invent(name string) person {
	n := w.serial()
	digits := fmt.Sprintf("99020119%02d0101%03d", 60+n%30, n%1000)
	return person{name: name, idNumber: digits + string(model.IDCheck(digits)), phone: fmt.Sprintf("198%08d", n)}
}

func memberForm(p person, orgID string) map[string]any {
	return map[string]any{
		"name": p.name, "idNumber": p.idNumber, "phone": p.phone, "orgId": orgID, "memberType": "fullMember",
		"joinedOn": "2010-07-01", "regularizedOn": "2011-07-01",
	}
}

// phone is a WeChat user's session, and whom he is bound to.
type phone struct {
	person
	caller
	openID string
	user   string // of the sandbox
}

// newPhone is the session of a WeChat user nobody knows.
func (w *world) newPhone(t *testing.T) *phone {
	t.Helper()
	var u struct{ ID, OpenID string }
	w.sandboxed(t, "POST", "users", map[string]string{"nickname": "路人", "phone": fmt.Sprintf("197%08d", w.serial())}).into(t, &u)
	ses, err := w.services.Account.MemberSession(kit.AsSystem(t.Context()), &account.MemberSessionReq{OpenId: u.OpenID, Channel: "oa"})
	if err != nil {
		t.Fatal(err)
	}
	return &phone{caller: caller{name: u.ID, bearer: ses.Token}, openID: u.OpenID, user: u.ID}
}

// bound is a new member of an organisation with his phone.
func (w *world) bound(t *testing.T, name, org string) *phone {
	t.Helper()
	ph := w.newPhone(t)
	ph.person = w.invent(name)
	ph.id = w.create(t, w.top, "member", memberForm(ph.person, w.org[org]))
	if r := w.bind(t, ph, ph.person); r.status != http.StatusOK {
		t.Fatalf("bind: %d %s", r.status, r.body)
	}
	return ph
}

func bindForm(p person, code string) map[string]string {
	return map[string]string{"name": p.name, "idNumber": p.idNumber, "phone": p.phone, "code": code}
}

// bind asks for a code and binds with it.
func (w *world) bind(t *testing.T, ph *phone, p person) reply {
	t.Helper()
	if r := w.do(&ph.caller, "POST", "/api/member/bind-code", bindForm(p, "")); r.status != http.StatusOK {
		return r
	}
	return w.do(&ph.caller, "POST", "/api/member/bind", bindForm(p, w.sms(t, p.phone)))
}

// sandboxed asks the simulators, who listen on a port of their own.
func (w *world) sandboxed(t *testing.T, method, path string, body any) reply {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.platform.SandboxURL+"/sandbox/api/"+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, string(all), resp.Header}
}

// sms is the code in the newest message to a phone.
func (w *world) sms(t *testing.T, number string) string {
	t.Helper()
	var sent struct{ Messages []struct{ Text string } }
	w.sandboxed(t, "GET", "sms?phone="+number, nil).into(t, &sent)
	if len(sent.Messages) == 0 {
		t.Fatal("nothing was sent")
	}
	for _, word := range strings.FieldsFunc(sent.Messages[0].Text, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(word) == 6 {
			return word
		}
	}
	t.Fatalf("no code in %+v", sent)
	return ""
}

// advance moves the product's clock; it never goes back.
func (w *world) advance(t *testing.T, by time.Duration) {
	t.Helper()
	if err := kit.MoveClock(t.Context(), w.platform.Redis, w.platform.Clock, by); err != nil {
		t.Fatal(err)
	}
}

// forget makes the edge ask the account service about a session again, as it does by
// itself two seconds after the last time.
func (w *world) forget(c *caller) { w.identities.drop(cmp.Or(c.cookie, c.bearer)) }

// memberNow is the member as the party service has him.
func (w *world) memberNow(t *testing.T, id string) *party.Member {
	t.Helper()
	m, err := w.services.Party.GetMember(kit.AsSystem(t.Context()), &party.MemberReq{MemberId: id})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
