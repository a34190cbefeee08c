package journey

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// product is one running product: its addresses, and how to speak to it as an admin, a
// member, or the sandbox.
type product struct {
	bases []string
}

// browser is one person's cookies.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func (p *product) browser(t *testing.T, i int) *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &browser{t, p.bases[i%len(p.bases)], &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// answer is what came back.
type answer struct {
	Status int
	Body   []byte
	Header http.Header
}

func (a *answer) into(t *testing.T, v any) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("status %d: %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
}

// message is the Chinese message of a refusal.
func (a *answer) message() string {
	var e struct{ Message string }
	_ = json.Unmarshal(a.Body, &e)
	return e.Message
}

func (b *browser) try(method, path string, body any) (*answer, error) {
	var r io.Reader
	kind := "application/json"
	switch v := body.(type) {
	case nil:
	case *upload:
		r, kind = v.reader()
	case []byte:
		r = bytes.NewReader(v)
	default:
		j, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(j)
	}
	if !strings.HasPrefix(path, "http") {
		path = b.base + path
	}
	req, err := http.NewRequestWithContext(context.Background(), method, path, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-Requested-With", "zhihuidangjian")
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	return &answer{resp.StatusCode, all, resp.Header}, err
}

func (b *browser) do(method, path string, body any) *answer {
	b.t.Helper()
	a, err := b.try(method, path, body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (b *browser) get(path string, into any) { b.t.Helper(); b.do("GET", path, nil).into(b.t, into) }
func (b *browser) post(path string, body any, into any) {
	b.t.Helper()
	b.do("POST", path, body).into(b.t, into)
}

// upload is a multipart form with one file.
type upload struct {
	name string
	data []byte
}

func (u *upload) reader() (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	f, _ := w.CreateFormFile("file", u.name) // a buffer: cannot fail
	_, _ = f.Write(u.data)
	_ = w.Close()
	return &b, w.FormDataContentType()
}

// solveCaptcha passes the slide puzzle as a script of the sandbox does.
func (b *browser) solveCaptcha() string {
	b.t.Helper()
	var c struct{ ID string }
	b.post("/api/console/captcha", nil, &c)
	var a struct{ X, Y int }
	b.get("/sandbox/api/captcha/"+c.ID, &a)
	var ok struct{ Token string }
	b.post("/api/console/captcha/solve", map[string]any{"id": c.ID, "x": a.X, "y": a.Y}, &ok)
	return ok.Token
}

func (b *browser) login(name, password string) *answer {
	b.t.Helper()
	return b.do("POST", "/api/console/login", map[string]string{"userName": name, "password": password, "captchaToken": b.solveCaptcha()})
}

func adminPassword() string {
	if p := os.Getenv("ADMIN_PASSWORD"); p != "" {
		return p
	}
	return "Dangjian#2026"
}

// wechatUser holds a sandbox phone of a new WeChat user.
func (b *browser) wechatUser(nickname, phone string) string {
	b.t.Helper()
	var u struct{ ID string }
	b.post("/sandbox/api/users", map[string]string{"nickname": nickname, "phone": phone}, &u)
	b.post("/sandbox/api/phone", map[string]string{"userId": u.ID}, &struct{}{})
	return u.ID
}

// openPhone opens the member pages as the phone does: WeChat recognises its user.
func (b *browser) openPhone(userID string) {
	b.t.Helper()
	follow := b.http
	stay := *follow
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.http = &stay
	defer func() { b.http = follow }()
	to := b.do("GET", "/wechat/oauth?to=/m/", nil)
	if to.Status != http.StatusFound {
		b.t.Fatalf("oauth: %d %s", to.Status, to.Body)
	}
	authorize, err := url.Parse(to.Header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	var code struct{ Code string }
	b.post("/sandbox/api/users/"+userID+"/oauth-code", nil, &code)
	back := b.do("GET", "/wechat/oauth/callback?code="+code.Code+"&state="+authorize.Query().Get("state"), nil)
	if back.Status != http.StatusFound || !strings.HasPrefix(back.Header.Get("Location"), "/m/") {
		b.t.Fatalf("oauth callback: %d %s", back.Status, back.Body)
	}
}

// smsCode reads the newest code that was sent to a phone.
func (b *browser) smsCode(phone string) string {
	b.t.Helper()
	a := b.do("GET", "/sandbox/api/sms?phone="+phone, nil)
	var code string
	for i := 0; i+6 <= len(a.Body); i++ {
		if c := string(a.Body[i : i+6]); digits(c) && (i == 0 || !digits(string(a.Body[i-1:i]))) && (i+6 == len(a.Body) || !digits(string(a.Body[i+6:i+7]))) {
			code = c
			break // newest first
		}
	}
	if code == "" {
		b.t.Fatalf("no code in %s", a.Body)
	}
	return code
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// eventually waits until f holds; the product does some things after it answered.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(50 * time.Millisecond) // polls a condition
	}
}

type page struct {
	Items   []map[string]any
	Total   int
	Summary map[string]string
}

func (b *browser) list(typ, query string) page {
	b.t.Helper()
	var p page
	b.get(fmt.Sprintf("/api/console/records/%s?%s", typ, query), &p)
	return p
}
