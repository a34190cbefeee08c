package wechat_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

func TestOAuth(t *testing.T) {
	t.Run("the whole way round in a browser", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		// In the product the BFF serves /sandbox/ under the public address; here the simulator does itself.
		cfg := w.sim.Config(w.server.URL, w.server.URL)
		client := w.open(t, cfg)
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		address := client.OAuth.AuthorizeURL(w.product.URL+"/wechat/oauth/callback?x=1", "state&1")
		res, err := browser.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			t.Fatalf("without a user: %s, want the page that asks", res.Status)
		}
		res, err = browser.Post(w.server.URL+"/sandbox/api/phone", "application/json", strings.NewReader(`{"userId":"`+u.ID+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res, err = browser.Get(address); err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		back, err := res.Location()
		if err != nil {
			t.Fatal(res.Status, err)
		}
		if q := back.Query(); q.Get("state") != "state&1" || q.Get("x") != "1" {
			t.Errorf("came back to %s", back)
		}
		id, err := client.OAuth.Exchange(t.Context(), back.Query().Get("code"))
		if err != nil {
			t.Fatal(err)
		}
		if id.OpenID != w.sim.OpenID(u.ID, sim.OfficialAppID) || id.UnionID == "" {
			t.Errorf("identity %+v", id)
		}
	})

	t.Run("authorize refuses foreign pages", func(t *testing.T) {
		w := newWorld(t)
		for _, bad := range []string{"https://evil.example/", "javascript:alert(1)", "//evil.example", ""} {
			res, err := http.Get(w.server.URL + "/sandbox/connect/oauth2/authorize?appid=" + sim.OfficialAppID +
				"&redirect_uri=" + url.QueryEscape(bad) + "&response_type=code&scope=snsapi_base&state=1")
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusBadRequest {
				t.Errorf("%q: %s", bad, res.Status)
			}
		}
	})

	t.Run("a code works once", func(t *testing.T) {
		w := newWorld(t)
		code := w.sim.Code("oauth", w.sim.CreateUser("小王", "13800000001").ID)
		if _, err := w.OAuth.Exchange(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		_, err := w.OAuth.Exchange(t.Context(), code)
		want(t, err, "40163", wechat.KindUser)
	})

	t.Run("a code ends after five minutes of the product's clock", func(t *testing.T) {
		w := newWorld(t)
		code := w.sim.Code("oauth", w.sim.CreateUser("小王", "13800000001").ID)
		w.advance(5*time.Minute + time.Second)
		_, err := w.OAuth.Exchange(t.Context(), code)
		want(t, err, "40029", wechat.KindUser)
	})

	t.Run("refused codes", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		_, err := w.OAuth.Exchange(t.Context(), "invented")
		want(t, err, "40029", wechat.KindUser)
		_, err = w.OAuth.Exchange(t.Context(), "")
		want(t, err, "41008", wechat.KindUser)
		_, err = w.OAuth.Exchange(t.Context(), w.sim.Code("session", u.ID)) // of the mini-program
		want(t, err, "40029", wechat.KindUser)
	})

	t.Run("wrong secret", func(t *testing.T) {
		w := newWorld(t)
		cfg := w.cfg
		cfg.AppSecret = "0123456789abcdef"
		_, err := w.open(t, cfg).OAuth.Exchange(t.Context(), w.sim.Code("oauth", w.sim.CreateUser("小王", "13800000001").ID))
		want(t, err, "40125", wechat.KindConfig)
	})

	t.Run("the snapshot account is nobody", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		if status := w.control(t, "POST", "users/"+u.ID, map[string]bool{"snapshot": true}, nil); status != http.StatusOK {
			t.Fatal(status)
		}
		_, err := w.OAuth.Exchange(t.Context(), w.sim.Code("oauth", u.ID))
		want(t, err, "snapshot", wechat.KindUser)
	})

	t.Run("an empty openid is nobody", func(t *testing.T) {
		w := newWorld(t)
		hollow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte(`{"access_token":"t","openid":""}`))
		}))
		defer hollow.Close()
		cfg := w.cfg
		cfg.BaseURL = hollow.URL
		_, err := w.open(t, cfg).OAuth.Exchange(t.Context(), "c")
		want(t, err, "", wechat.KindUnknown)
	})

	t.Run("concurrent visitors keep their states and identities", func(t *testing.T) {
		w := newWorld(t)
		var wg sync.WaitGroup
		for i := range 64 {
			u := w.sim.CreateUser(fmt.Sprint("用户", i), fmt.Sprintf("138000%05d", i))
			wg.Go(func() {
				state := fmt.Sprint("state-", i)
				address, err := url.Parse(w.OAuth.AuthorizeURL("https://example.org/", state))
				if err != nil || address.Query().Get("state") != state {
					t.Errorf("%s for %s: %v", address, state, err)
				}
				id, err := w.OAuth.Exchange(t.Context(), w.sim.Code("oauth", u.ID))
				if err != nil || id.OpenID != w.sim.OpenID(u.ID, sim.OfficialAppID) {
					t.Errorf("%s is %+v: %v", u.ID, id, err)
				}
			})
		}
		wg.Wait()
	})

	t.Run("no answer in time is unknown", func(t *testing.T) {
		w := newWorld(t)
		w.sim.Fail("oauth", "timeout", 1)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := w.OAuth.Exchange(ctx, "c")
		want(t, err, "", wechat.KindUnknown)
	})
}
