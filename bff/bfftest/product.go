// Package bfftest drives a whole product as people and scripts do: through HTTP only,
// against a product of its own in this process, or one that BASE_URL names.
package bfftest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"zhihuidangjian/bff/edge"
	"zhihuidangjian/conf"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/job/work"
	"zhihuidangjian/model"
	"zhihuidangjian/model/mongotest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

// Product is one running product: its addresses, and how to speak to it as an admin, a
// member, or the sandbox.
type Product struct {
	Bases []string
	// Work begins another worker, like one more node; of a product of Own.
	Work func()
}

// Browser is one person's cookies.
type Browser struct {
	T    *testing.T
	Base string
	HTTP *http.Client
}

func (p *Product) Browser(t *testing.T, i int) *Browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &Browser{t, p.Bases[i%len(p.Bases)], &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   []byte
	Header http.Header
}

func (a *Answer) Into(t *testing.T, v any) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("status %d: %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
}

// Message is the Chinese message of a refusal.
func (a *Answer) Message() string {
	var e struct{ Message string }
	_ = json.Unmarshal(a.Body, &e)
	return e.Message
}

func (b *Browser) Try(method, path string, body any) (*Answer, error) {
	var r io.Reader
	kind := "application/json"
	switch v := body.(type) {
	case nil:
	case *Upload:
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
		path = b.Base + path
	}
	req, err := http.NewRequestWithContext(context.Background(), method, path, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-Requested-With", "zhihuidangjian")
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	return &Answer{resp.StatusCode, all, resp.Header}, err
}

func (b *Browser) Do(method, path string, body any) *Answer {
	b.T.Helper()
	a, err := b.Try(method, path, body)
	if err != nil {
		b.T.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (b *Browser) Get(path string, into any) { b.T.Helper(); b.Do("GET", path, nil).Into(b.T, into) }
func (b *Browser) Post(path string, body any, into any) {
	b.T.Helper()
	b.Do("POST", path, body).Into(b.T, into)
}

// Upload is a multipart form with one file.
type Upload struct {
	Name string
	Data []byte
}

func (u *Upload) reader() (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	f, _ := w.CreateFormFile("file", u.Name) // a buffer: cannot fail
	_, _ = f.Write(u.Data)
	_ = w.Close()
	return &b, w.FormDataContentType()
}

// SolveCaptcha passes the slide puzzle as a script of the sandbox does.
func (b *Browser) SolveCaptcha() string {
	b.T.Helper()
	var c struct{ ID string }
	b.Post("/api/console/captcha", nil, &c)
	var a struct{ X, Y int }
	b.Get("/sandbox/api/captcha/"+c.ID, &a)
	var ok struct{ Token string }
	b.Post("/api/console/captcha/solve", map[string]any{"id": c.ID, "x": a.X, "y": a.Y}, &ok)
	return ok.Token
}

func (b *Browser) Login(name, password string) *Answer {
	b.T.Helper()
	return b.Do("POST", "/api/console/login", map[string]string{"userName": name, "password": password, "captchaToken": b.SolveCaptcha()})
}

func AdminPassword() string {
	if p := os.Getenv("ADMIN_PASSWORD"); p != "" {
		return p
	}
	return "Dangjian#2026"
}

// WeChatUser holds a sandbox phone of a new WeChat user.
func (b *Browser) WeChatUser(nickname, phone string) string {
	b.T.Helper()
	var u struct{ ID string }
	b.Post("/sandbox/api/users", map[string]string{"nickname": nickname, "phone": phone}, &u)
	b.Post("/sandbox/api/phone", map[string]string{"userId": u.ID}, &struct{}{})
	return u.ID
}

// OpenPhone opens the member pages as the phone does: WeChat recognises its user.
func (b *Browser) OpenPhone(userID string) {
	b.T.Helper()
	follow := b.HTTP
	stay := *follow
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.HTTP = &stay
	defer func() { b.HTTP = follow }()
	to := b.Do("GET", "/wechat/oauth?to=/m/", nil)
	if to.Status != http.StatusFound {
		b.T.Fatalf("oauth: %d %s", to.Status, to.Body)
	}
	authorize, err := url.Parse(to.Header.Get("Location"))
	if err != nil {
		b.T.Fatal(err)
	}
	var code struct{ Code string }
	b.Post("/sandbox/api/users/"+userID+"/oauth-code", nil, &code)
	back := b.Do("GET", "/wechat/oauth/callback?code="+code.Code+"&state="+authorize.Query().Get("state"), nil)
	if back.Status != http.StatusFound || !strings.HasPrefix(back.Header.Get("Location"), "/m/") {
		b.T.Fatalf("oauth callback: %d %s", back.Status, back.Body)
	}
}

// SMSCode reads the newest code that was sent to a phone.
func (b *Browser) SMSCode(phone string) string {
	b.T.Helper()
	var sent struct{ Messages []struct{ Text string } } // newest first
	b.Get("/sandbox/api/sms?phone="+phone, &sent)
	for _, m := range sent.Messages {
		if code := smsCode.FindString(m.Text); code != "" {
			return code
		}
	}
	b.T.Fatalf("no code in %+v", sent)
	return ""
}

var smsCode = regexp.MustCompile(`\b\d{6}\b`)

// Eventually waits until f holds; the Product does some things after it answered.
func Eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(50 * time.Millisecond) // polls a condition
	}
}

type Page struct {
	Items   []map[string]any
	Total   int
	Summary map[string]string
}

func (b *Browser) List(typ, query string) Page {
	b.T.Helper()
	var p Page
	b.Get(fmt.Sprintf("/api/console/records/%s?%s", typ, query), &p)
	return p
}

// Start finds the Product that BASE_URL names, or makes one.
func Start() (*Product, func(), error) {
	if base := os.Getenv("BASE_URL"); base != "" {
		started := &Product{Bases: []string{base}}
		if second := os.Getenv("BASE_URL_2"); second != "" {
			started.Bases = append(started.Bases, second)
		}
		return started, func() {}, nil
	}
	p, stop, err := Own()
	if err == nil {
		p.Work()
	}
	return p, stop, err
}

// Own makes a Product with a calendar of its own, whose workers are down until Work. Its
// documents are in an embedded store, or on the server that MONGO_TEST_URI names.
func Own() (_ *Product, _ func(), err error) {
	dir, err := os.MkdirTemp("", "journey")
	if err != nil {
		return nil, nil, err
	}
	uri, name, drop := mongotest.Database()
	defer func() {
		if err != nil {
			err = errors.Join(err, drop())
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	cfg := conf.Default()
	cfg.Addr, cfg.Data, cfg.AdminPassword = l.Addr().String(), dir, AdminPassword()
	cfg.PublicURL = "http://" + cfg.Addr
	if uri != "" {
		cfg.MongoURI, cfg.MongoName = uri, name
	}
	_ = l.Close() // the edge listens on it next
	p, err := suite.Open(cfg, true)
	if err != nil {
		return nil, nil, err
	}
	s, err := suite.Local(p)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := s.Prepare(ctx); err != nil {
		cancel()
		return nil, nil, err
	}
	// The first captcha reads os.Stderr, which testing.M.Run is going to set: now, not
	// beside it.
	if _, err := s.Clients.Account.DrawCaptcha(kit.AsSystem(ctx), &records.Empty{}); err != nil {
		cancel()
		return nil, nil, err
	}
	o, err := edge.Upon(p, s.Clients)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	e := edge.New(o)
	go func() { _ = e.Run() }()
	if err := e.WaitListening(ctx); err != nil {
		cancel()
		return nil, nil, err
	}
	started := &Product{Bases: []string{cfg.PublicURL}, Work: func() { p.Go("workers", func() error { return work.Run(ctx, p, s.Clients) }) }}
	return started, func() {
		http.DefaultClient.CloseIdleConnections() // those of browsers, which a shutdown waits for
		shut, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		_ = e.Shutdown(shut)
		cancel()
		s.Close()
		_ = p.Close()
		if err := drop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		_ = os.RemoveAll(dir)
	}, nil
}

// Seed keeps runs against one Product apart.
var Seed = rand.IntN(8000) + 1000

// Person is an invented member: a region no real Person has, a right check character.
type Person struct{ ID, Name, IDNumber, Phone string }

// Invent is the person of a number below 1000; runs have different ones.
func Invent(i int) Person {
	digits := fmt.Sprintf("99%04d19%02d0101%03d", Seed, 60+i%30, i%1000)
	return Person{
		Name: fmt.Sprintf("试员%d号%d", Seed, i), IDNumber: digits + string(model.IDCheck(digits)),
		Phone: fmt.Sprintf("1980%04d%03d", Seed, i),
	}
}

// Workbook fills a downloaded template, by the titles of its columns.
func Workbook(t *testing.T, template []byte, rows []map[string]string) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(template))
	if err != nil {
		t.Fatalf("template: %v", err)
	}
	defer f.Close()
	const sheet = "导入模板"
	head, err := f.GetRows(sheet)
	if err != nil || len(head) == 0 {
		t.Fatalf("template: %v %v", err, head)
	}
	for r, row := range rows {
		used := 0
		for c, title := range head[0] {
			value, ok := row[strings.TrimSpace(strings.Trim(title, "*"))]
			if !ok {
				continue
			}
			used++
			cell, _ := excelize.CoordinatesToCellName(c+1, r+2)
			if formula, ok := strings.CutPrefix(value, "FORMULA:"); ok {
				err = f.SetCellFormula(sheet, cell, formula)
			} else {
				err = f.SetCellStr(sheet, cell, value)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if used != len(row) {
			t.Fatalf("the template's columns %v do not hold all of %v", head[0], row)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type Batch struct {
	ID           string
	State        string
	SuccessCount int
	FailureCount int
	Message      string
	Failures     []struct {
		RowNo  int
		Reason string
	}
}

// Imports uploads a workbook and waits for its end.
func (b *Browser) Imports(typ string, data []byte) Batch {
	b.T.Helper()
	var now Batch
	b.Post("/api/console/records/"+typ+"/import", &Upload{"导入.xlsx", data}, &now)
	Eventually(b.T, "the import ends", func() bool {
		b.Get("/api/console/records/"+typ+"/imports/"+now.ID, &now)
		return now.State == "finished" || now.State == "failed"
	})
	return now
}

// Bind makes the phone of a new WeChat user the member's.
func (p *Product) Bind(t *testing.T, base int, who Person) (phone *Browser, wechatUser string) {
	t.Helper()
	phone = p.Browser(t, base)
	wechatUser = phone.WeChatUser(who.Name, who.Phone)
	phone.OpenPhone(wechatUser)
	if a := phone.Do("GET", "/api/member/dues", nil); a.Status != http.StatusForbidden {
		t.Fatalf("an unbound phone sees dues: %d %s", a.Status, a.Body)
	}
	form := map[string]string{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone}
	phone.Post("/api/member/bind-code", form, &struct{}{})
	form["code"] = phone.SMSCode(who.Phone)
	var me struct{ ID, Name string }
	phone.Post("/api/member/bind", form, &me)
	if me.Name != who.Name {
		t.Fatalf("bound to %+v", me)
	}
	return phone, wechatUser
}
