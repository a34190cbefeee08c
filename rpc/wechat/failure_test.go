package wechat_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

// Nothing an adapter says may hold a secret, whatever goes wrong underneath.
func TestNoSecretInErrors(t *testing.T) {
	w := newWorld(t)
	u := w.sim.CreateUser("小王", "13800000001")
	openID := w.sim.OpenID(u.ID, sim.OfficialAppID)
	if err := w.Messenger.SendTemplate(t.Context(), wechat.TemplateMessage{OpenID: openID, Kind: "duesReceipt"}); err != nil {
		t.Fatal(err)
	}
	token, err := w.redis.Get("wechat:token:" + sim.OfficialAppID)
	if err != nil || token == "" {
		t.Fatal("no token is cached in Redis", err)
	}
	secrets := []string{w.cfg.AppSecret, w.cfg.MiniAppSecret, w.cfg.APIv3Key, w.cfg.Token, w.cfg.AESKey, token, "the-one-time-code"}

	calls := map[string]func(ctx context.Context, c *wechat.Client) error{
		"oauth": func(ctx context.Context, c *wechat.Client) error {
			_, err := c.OAuth.Exchange(ctx, "the-one-time-code")
			return err
		},
		"session": func(ctx context.Context, c *wechat.Client) error {
			_, err := c.Mini.Session(ctx, "the-one-time-code")
			return err
		},
		"phone": func(ctx context.Context, c *wechat.Client) error {
			_, err := c.Mini.PhoneNumber(ctx, "the-one-time-code")
			return err
		},
		"template": func(ctx context.Context, c *wechat.Client) error {
			return c.Messenger.SendTemplate(ctx, wechat.TemplateMessage{OpenID: openID, Kind: "k"})
		},
		"subscribe": func(ctx context.Context, c *wechat.Client) error {
			return c.Messenger.SendSubscribe(ctx, wechat.SubscribeMessage{OpenID: openID, Kind: "k"})
		},
		"code": func(ctx context.Context, c *wechat.Client) error {
			_, err := c.Codes.MiniCode(ctx, "s", "p")
			return err
		},
		"jssdk": func(ctx context.Context, c *wechat.Client) error {
			_, err := c.JSSDK.Sign(ctx, "http://127.0.0.1/")
			return err
		},
		"query": func(ctx context.Context, c *wechat.Client) error {
			_, err := c.Pay.Query(ctx, "DF2026070001")
			return err
		},
	}
	// Servers that go wrong in every way, the worst telling back what it was sent.
	servers := map[string]http.HandlerFunc{
		"hangs up": func(rw http.ResponseWriter, _ *http.Request) {
			if conn, _, err := rw.(http.Hijacker).Hijack(); err == nil {
				_ = conn.Close()
			}
		},
		"is slow":        func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
		"breaks":         func(rw http.ResponseWriter, r *http.Request) { http.Error(rw, r.URL.String(), http.StatusBadGateway) },
		"talks nonsense": func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) },
		"talks back": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(rw, `{"errcode":-1,"errmsg":"refused %s appsecret=%s access_token: %s"}`, r.URL.RawQuery, w.cfg.AppSecret, token)
		},
		"redirects": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://127.0.0.1:1/?"+r.URL.RawQuery, http.StatusFound)
		},
		"answers oddly": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write([]byte(`{"errcode":"forty","openid":{},"ticket":7,"phone_info":[]}`))
		},
	}
	for trouble, handler := range servers {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		cfg := w.cfg
		cfg.BaseURL, cfg.PayBaseURL = server.URL, server.URL
		client := w.open(t, cfg)
		for name, call := range calls {
			t.Run(name+" when WeChat "+trouble, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				err := call(ctx, client)
				if err == nil {
					t.Fatal("no error")
				}
				if _, ok := errors.AsType[*wechat.Error](err); !ok {
					t.Errorf("%T is not *Error", err)
				}
				for _, secret := range secrets {
					if strings.Contains(fmt.Sprintf("%+v %#v", err, err), secret) {
						t.Errorf("a secret is told by %v", err)
					}
				}
			})
		}
	}
}

// PowerWeChat writes logs and caches into the working directory or the home if left to itself.
func TestWritesNoFiles(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(home)
	w := newWorld(t)
	u := w.sim.CreateUser("小王", "13800000001")
	if err := w.Messenger.SendTemplate(t.Context(), wechat.TemplateMessage{OpenID: w.sim.OpenID(u.ID, sim.OfficialAppID), Kind: "k"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Mini.Session(t.Context(), w.sim.Code("session", u.ID)); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(home)
	if err != nil || len(files) != 0 {
		t.Errorf("left behind %v, %v", files, err)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(){
		"no secret":       func() { w.cfg.AppSecret = "" },
		"half a merchant": func() { w.cfg.MchSerial = "" },
		"short key":       func() { w.cfg.APIv3Key = "short" },
		"plain http":      func() { w.cfg.BaseURL = "http://api.weixin.qq.com" },
		"notify query":    func() { w.cfg.NotifyURL += "?a=1" },
		"no private key":  func() { w.cfg.MchKeyPEM = "-----BEGIN" },
	} {
		t.Run(name, func(t *testing.T) {
			good := w.cfg
			defer func() { w.cfg = good }()
			change()
			if _, err := wechat.New(w.cfg, nil, time.Now); err == nil {
				t.Error("accepted")
			}
		})
	}
}
