package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

var keys = sync.OnceValue(func() *sim.Keys {
	k, err := sim.NewKeys()
	if err != nil {
		panic(err)
	}
	return k
})

func open(t *testing.T, file string) (*sim.Sim, *httptest.Server) {
	t.Helper()
	s, err := sim.New(sim.Options{StateFile: file, Keys: keys()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return s, server
}

func adapters(t *testing.T, cfg conf.WeChat) *wechat.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	c, err := wechat.New(cfg, rdb, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckRefusesRealCredentials(t *testing.T) {
	if err := sim.Check(conf.WeChat{BaseURL: "http://127.0.0.1:1"}, conf.SMS{Endpoint: "http://127.0.0.1:1"}); err != nil {
		t.Errorf("without credentials: %v", err)
	}
	// Every single credential is enough.
	for _, field := range []string{"AppID", "AppSecret", "MiniAppID", "MiniAppSecret", "Token", "AESKey", "MchID", "MchSerial",
		"MchKeyPEM", "APIv3Key", "PayPublicKeyID", "PayPublicKeyPEM"} {
		var w conf.WeChat
		reflect.ValueOf(&w).Elem().FieldByName(field).SetString("x")
		if err := sim.Check(w, conf.SMS{}); !errors.Is(err, sim.ErrRealCredentials) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, m := range []conf.SMS{{AccessKeyID: "x"}, {AccessKeySecret: "x"}} {
		if err := sim.Check(conf.WeChat{}, m); !errors.Is(err, sim.ErrRealCredentials) {
			t.Error(err)
		}
	}
}

func TestRestartKeepsUsersOrdersAndMessages(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "sandbox.json")
	first, server := open(t, file)
	cfg := first.Config(server.URL, server.URL)
	client := adapters(t, cfg)
	u := first.CreateUser("小王", "13800000001")
	openID := first.OpenID(u.ID, sim.OfficialAppID)
	order := wechat.PayOrder{OutTradeNo: "DF2026070001", Description: "党费", AmountFen: 1, OpenID: openID}
	params, err := client.Pay.PrepayJSAPI(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Messenger.SendTemplate(t.Context(), wechat.TemplateMessage{OpenID: openID, Kind: "k"}); err != nil {
		t.Fatal(err)
	}
	sender, err := sms.New(first.SMSConfig(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), sms.Message{Phone: u.Phone, Kind: "bindCode", Params: map[string]string{"code": "1"}}); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := first.Run(stopped); err != nil { // saves on its way out
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file %v, %v", info.Mode(), err)
	}

	second, server := open(t, file)
	if again := second.Config(server.URL, server.URL); again.MchKeyPEM != cfg.MchKeyPEM || again.AppSecret != cfg.AppSecret || again.APIv3Key != cfg.APIv3Key {
		t.Error("other credentials")
	}
	if err := second.Approve(params.Package, ""); err != nil {
		t.Errorf("the order: %v", err)
	}
	if second.OpenID(u.ID, sim.OfficialAppID) != openID || len(second.Messages(u.ID)) != 1 {
		t.Error("the user or his messages")
	}
	if n := second.CreateUser("小李", "13800000002"); n.ID == u.ID {
		t.Errorf("id %s again", n.ID)
	}
	var inbox struct{ Messages []struct{ Text string } }
	get(t, server.URL+"/sandbox/api/sms?phone="+u.Phone, &inbox)
	if len(inbox.Messages) != 1 || !strings.Contains(inbox.Messages[0].Text, "验证码") {
		t.Errorf("sms %+v", inbox)
	}
}

func get(t *testing.T, address string, answer any) *http.Response {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if answer != nil {
		if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
			t.Fatal(err)
		}
	}
	return res
}

func TestFetchFromAnotherProcess(t *testing.T) {
	s, server := open(t, "")
	w, m, err := sim.Fetch(t.Context(), server.URL+"/", "http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	if want := s.Config(server.URL, "http://127.0.0.1:8080"); !reflect.DeepEqual(w, want) {
		t.Errorf("%+v\nwant %+v", w, want)
	}
	if want := s.SMSConfig(server.URL); !reflect.DeepEqual(m, want) {
		t.Errorf("%+v\nwant %+v", m, want)
	}
	if err := errors.Join(w.Validate(), m.Validate()); err != nil {
		t.Error(err)
	}
}

// Run delivers by itself: at once, and again when the product's clock has moved.
func TestRunDelivers(t *testing.T) {
	var offset atomic.Int64
	arrived := make(chan struct{}, 8)
	product := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		rw.WriteHeader(http.StatusInternalServerError)
	}))
	defer product.Close()
	s, err := sim.New(sim.Options{Now: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }, Keys: keys()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	client := adapters(t, s.Config(server.URL, product.URL))
	u := s.CreateUser("小王", "13800000001")
	params, err := client.Pay.PrepayJSAPI(t.Context(), wechat.PayOrder{OutTradeNo: "DF2026070001", Description: "党费", AmountFen: 1, OpenID: s.OpenID(u.ID, sim.OfficialAppID)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	if err := s.Approve(params.Package, ""); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(10 * time.Second)
	jump := time.NewTicker(50 * time.Millisecond)
	defer jump.Stop()
	for seen := 0; seen < 2; {
		select {
		case <-arrived:
			seen++
		case <-jump.C: // the retry falls due some seconds after the refusal
			if seen == 1 {
				offset.Add(int64(15 * time.Second))
			}
		case <-deadline:
			t.Fatalf("%d notices", seen)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPages(t *testing.T) {
	_, server := open(t, "")
	for path, kind := range map[string]string{
		"/sandbox": "text/html", "/sandbox/": "text/html", "/sandbox/bridge.js": "text/javascript",
		"/sandbox/assets/phone.js": "text/javascript", "/sandbox/assets/phone.css": "text/css", "/sandbox/assets/authorize.js": "text/javascript",
	} {
		res := get(t, server.URL+path, nil)
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %s %s", path, res.Status, res.Header.Get("Content-Type"))
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'self'") {
			t.Errorf("%s: %s", path, csp)
		}
	}
	// Nothing inline, nothing from outside.
	err := fs.WalkDir(os.DirFS("web"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(filepath.Join("web", path))
		for _, bad := range []string{"https://", "http://", "style=\"", " onclick=\"", "<script>", "<style>", "innerHTML", "eval("} {
			if strings.Contains(string(raw), bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestControl(t *testing.T) {
	_, server := open(t, "")
	post := func(path, body string) (int, map[string]any) {
		t.Helper()
		res, err := http.Post(server.URL+"/sandbox/api/"+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		answer := map[string]any{}
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatalf("%s: %s", path, raw)
		}
		return res.StatusCode, answer
	}
	status, u := post("users", `{"nickname":"小王","phone":"13800000001"}`)
	if status != http.StatusOK || u["openId"] == u["miniOpenId"] || u["unionId"] == "" {
		t.Fatalf("%d %v", status, u)
	}
	for _, purpose := range []string{"oauth-code", "mini-code", "phone-code"} {
		if status, answer := post("users/u1/"+purpose, ""); status != http.StatusOK || answer["code"] == "" {
			t.Errorf("%s: %d %v", purpose, status, answer)
		}
	}
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"users", `{"nickname":"","phone":"13800000001"}`, 400},
		{"users", `{"nickname":"小王","phone":"1380000"}`, 400},
		{"users", `{`, 400},
		{"users/u9", `{"unfollow":true}`, 404},
		{"users/u9/oauth-code", "", 404},
		{"users/u9/subscribe", `{"kind":"k"}`, 404},
		{"users/u1/subscribe", `{}`, 400},
		{"phone", `{"userId":"u9"}`, 404},
		{"payments/none/approve", "", 404},
		{"payments/none/cancel", "", 404},
		{"payments/none/notice", `{"mode":"forged"}`, 404},
		{"payments/open", `{"package":"prepay_id=1"}`, 400},
		{"native/scan", `{"codeUrl":"weixin://wxpay/none"}`, 404},
		{"faults", `{"target":"template"}`, 400},
		{"faults", `{"target":"template","errcode":40001,"times":1}`, 200},
		{"faults", `{"target":"sms","errcode":"isv.BUSINESS_LIMIT_CONTROL"}`, 200},
		{"tokens/expire", "", 200},
	} {
		if status, answer := post(c.path, c.body); status != c.status || status >= 400 && answer["error"] == "" {
			t.Errorf("%s %s: %d %v, want %d", c.path, c.body, status, answer, c.status)
		}
	}
	// Everything the table promises exists, but for what the BFF serves.
	for _, r := range sim.Control {
		if strings.Contains(r.About, "BFF") {
			continue
		}
		path, _, _ := strings.Cut(r.Path, "?")
		req, err := http.NewRequestWithContext(t.Context(), r.Method, server.URL+"/sandbox/api/"+strings.ReplaceAll(path, "{id}", "u1"), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s %s: %s", r.Method, r.Path, res.Status)
		}
	}
}

func TestPhoneChangesHands(t *testing.T) {
	s, server := open(t, "")
	u := s.CreateUser("小王", "13800000001")
	res, err := http.Post(server.URL+"/sandbox/api/phone", "application/json", strings.NewReader(`{"userId":"`+u.ID+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	set := map[string]*http.Cookie{}
	for _, c := range res.Cookies() {
		set[c.Name] = c
	}
	if c := set[sim.UserCookie]; c == nil || c.Value != u.ID || !c.HttpOnly {
		t.Errorf("user cookie %+v", c)
	}
	if c := set["zd_member"]; c == nil || c.MaxAge >= 0 {
		t.Errorf("the former user's session stays: %+v", c)
	}
}
