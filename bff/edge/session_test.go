package edge

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/rpc/kit"
)

// TestOAuthForPeople: whom WeChat brings back in an odd way sees a page and a way on, or
// gets in by the session that he has.
func TestOAuthForPeople(t *testing.T) {
	w := newWorld(t)
	begin := func(to string) (state, cookie string) {
		r := w.do(&caller{}, "GET", "/wechat/oauth?to="+url.QueryEscape(to), nil)
		at, err := url.Parse(r.header.Get("Location"))
		if err != nil || r.status != http.StatusFound {
			t.Fatalf("%d %v", r.status, err)
		}
		return at.Query().Get("state"), r.cookieOf(stateCookie)
	}
	code := func() string {
		var c struct{ Code string }
		w.sandboxed(t, "POST", "users/"+w.m1.user+"/oauth-code", nil).into(t, &c)
		return c.Code
	}
	back := func(code, state string, cookies ...string) reply {
		headers := []string{}
		for _, c := range cookies {
			headers = append(headers, "Cookie", c)
		}
		return w.do(&caller{noCSRF: true}, "GET", "/wechat/oauth/callback?code="+code+"&state="+state, nil, headers...)
	}
	page := func(t *testing.T, r reply, says, to string) {
		t.Helper()
		if r.status < 400 || r.status > 499 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || !strings.HasPrefix(r.body, "<!DOCTYPE html>") || !strings.Contains(r.body, says) ||
			!strings.Contains(r.body, "重新进入") || !strings.Contains(r.body, `href="/wechat/oauth?to=`+url.QueryEscape(to)) || r.cookieOf(memberCookie) != "" {
			t.Errorf("%d %v %s", r.status, r.header, r.body)
		}
	}
	const dues = "/m/#/pages/dues/index"
	t.Run("called twice", func(t *testing.T) {
		state, cookie := begin(dues)
		c := code()
		first := back(c, state, stateCookie+"="+cookie)
		session := memberCookie + "=" + first.cookieOf(memberCookie)
		if first.status != http.StatusFound || first.cookieOf(memberCookie) == "" {
			t.Fatalf("%d %s", first.status, first.body)
		}
		for _, cookies := range [][]string{{session}, {session, stateCookie + "=" + cookie}} { // the browser may not have heard the first answer
			if r := back(c, state, cookies...); r.status != http.StatusFound || !strings.Contains(r.header.Get("Location"), "/m/") || r.cookieOf(memberCookie) != "" {
				t.Errorf("%d %s", r.status, r.body)
			}
		}
		page(t, back(c, state, stateCookie+"="+cookie), "请重新进入", dues) // without the session: the code is used up
		page(t, back(c, state), "页面已失效", "/m/")
	})
	t.Run("two tabs", func(t *testing.T) {
		one, _ := begin(dues)
		two, cookie := begin("/m/#/pages/meeting/list") // takes the browser's place of the first
		r := back(code(), one, stateCookie+"="+cookie)
		page(t, r, "页面已失效", "/m/#/pages/meeting/list")
		if strings.Contains(strings.Join(r.header["Set-Cookie"], "\n"), stateCookie) {
			t.Error("the first tab takes away what the second waits for")
		}
		second := back(code(), two, stateCookie+"="+cookie)
		if second.status != http.StatusFound {
			t.Fatalf("%d %s", second.status, second.body)
		}
		if r := back(code(), one, memberCookie+"="+second.cookieOf(memberCookie)); r.status != http.StatusFound {
			t.Errorf("with a session: %d %s", r.status, r.body)
		}
	})
	t.Run("declined", func(t *testing.T) {
		for _, c := range []string{"", "authdeny"} {
			state, cookie := begin(dues)
			page(t, back(c, state, stateCookie+"="+cookie), "未同意微信授权", dues)
		}
	})
	t.Run("a session that is none gets nobody in", func(t *testing.T) {
		page(t, back(code(), "x", memberCookie+"=nonsense"), "页面已失效", "/m/")
		page(t, back(code(), "x", memberCookie+"="+w.top.cookie), "页面已失效", "/m/") // an admin's
	})
}

// TestCrowdedPages: who opens a page for people too often reads so on a page, whether or not
// his browser says that it is one; programs get their JSON.
func TestCrowdedPages(t *testing.T) {
	w := newWorld(t)
	const ip = "203.0.113.9"
	empty := func() {
		w.limits.mu.Lock()
		defer w.limits.mu.Unlock()
		for _, m := range []map[string]*bucket{w.limits.looks, w.limits.codes} {
			m[kit.Network(ip)] = &bucket{0, time.Now()}
		}
	}
	state := stateCookie + "=abc." // as /wechat/oauth gives it
	for _, path := range []string{"/wechat/oauth?to=/m/%23/pages/dues/index", "/wechat/oauth/callback?code=c&state=abc", "/api/file?link=x"} {
		empty()
		r := w.ask(&caller{ip: ip, noCSRF: true}, "GET", path, nil, "Cookie", state)
		if r.status != 429 || !strings.HasPrefix(r.body, "<!DOCTYPE html>") || !strings.Contains(r.body, "操作过于频繁") || !strings.Contains(r.body, "<a href=\"/") || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s %v", path, r.status, r.body, r.header)
		}
	}
	empty()
	if r := w.ask(&caller{ip: ip}, "GET", "/api/portal/config", nil); r.status != 429 || r.key() != "too_many" {
		t.Errorf("a program: %d %s", r.status, r.body)
	}
}

// TestWindow: a receipt or a file that is refused in a window of its own is refused in
// words; programs get their JSON.
func TestWindow(t *testing.T) {
	e, _ := newEdge(t)
	for _, path := range []string{"/api/console/dues/orders/none/receipt", "/api/console/records/member/files/none", "/nothing"} {
		status, body, r := send(e, "GET", path, "", "Sec-Fetch-Mode", "navigate")
		if status < 400 || !strings.HasPrefix(r.Header().Get("Content-Type"), "text/html") || !strings.HasPrefix(body, "<!DOCTYPE html>") {
			t.Errorf("%s: %d %s", path, status, body)
		}
		again, _, r := send(e, "GET", path, "", "Sec-Fetch-Mode", "cors")
		if again != status || !strings.HasPrefix(r.Header().Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %v", path, again, r.Header())
		}
	}
	if _, _, r := send(e, "GET", "/wechat/oauth/callback?state=x", "", "Sec-Fetch-Mode", "navigate"); !strings.Contains(r.Body.String(), "重新进入") {
		t.Error("the way on is lost")
	}
}
