package edge

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/account"
	"zhihuidangjian/rpc/kit"
)

// The session cookies. The console's and the phone's are apart, since an admin may try
// the phone pages in the same browser.
const (
	adminCookie  = "zd_admin"
	memberCookie = "zd_member"
	// csrfHeader must accompany unsafe requests that a cookie authenticates: other
	// sites cannot send it.
	csrfHeader = "X-Requested-With"
	csrfValue  = "zhihuidangjian"
)

var errOrigin = kit.Forbidden("csrf", "请求来源不正确，请刷新页面后重试")

// identityCacheFor is how long an authenticated token is believed without asking the
// account service again; log-out here ends it at once, elsewhere within this time.
const identityCacheFor = 2 * time.Second

type identityCache struct {
	mu      sync.Mutex
	entries map[string]identityEntry
}

type identityEntry struct {
	caller kit.Caller
	until  time.Time
}

const identityCacheSize = 50_000

func (ic *identityCache) get(token string, now time.Time) (kit.Caller, bool) {
	ic.mu.Lock()
	defer ic.mu.Unlock()
	e, ok := ic.entries[token]
	return e.caller, ok && now.Before(e.until)
}

func (ic *identityCache) put(token string, c kit.Caller, now time.Time) {
	ic.mu.Lock()
	defer ic.mu.Unlock()
	if len(ic.entries) >= identityCacheSize {
		clear(ic.entries)
	}
	ic.entries[token] = identityEntry{c, now.Add(identityCacheFor)}
}

func (ic *identityCache) drop(token string) {
	ic.mu.Lock()
	defer ic.mu.Unlock()
	delete(ic.entries, token)
}

// tokenOf finds the session's token for a route's access.
func tokenOf(c *app.RequestContext, access route.Access) (token string, cookie bool) {
	if access == route.Phone {
		if t, ok := strings.CutPrefix(string(c.GetHeader("Authorization")), "Bearer "); ok {
			return strings.Clone(t), false
		}
		return string(c.Cookie(memberCookie)), true
	}
	return string(c.Cookie(adminCookie)), true
}

// guard lets a request pass to its handler only with the session and the proof of origin that
// its line of the table asks for, and the permission that its method does.
func (e *Edge) guard(r route.Route) app.HandlerFunc {
	deadline := deadlineOf(r)
	return func(ctx context.Context, c *app.RequestContext) {
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		caller := *kit.CallerOf(ctx)
		if r.Access != route.Public {
			token, cookie := tokenOf(c, r.Access)
			if cookie && r.Method != "GET" && string(c.GetHeader(csrfHeader)) != csrfValue {
				route.Fail(ctx, c, errOrigin)
				return
			}
			known, err := e.authenticate(ctx, token)
			if err != nil {
				route.Fail(ctx, c, err)
				return
			}
			want := kit.User
			if r.Access == route.Phone {
				want = kit.Member
			}
			if known.Kind != want {
				route.Fail(ctx, c, kit.ErrUnauthenticated)
				return
			}
			known.IP, known.RequestID = caller.IP, caller.RequestID
			caller = known
			if err := e.limits.session(token); err != nil {
				route.Fail(ctx, c, err)
				return
			}
		} else if r.Method != "GET" && strings.HasPrefix(r.Path, "/api/console/") && string(c.GetHeader(csrfHeader)) != csrfValue {
			// Nobody logs a browser in as somebody else.
			route.Fail(ctx, c, errOrigin)
			return
		} else if err := e.visit(r, caller.IP); err != nil {
			if r.Page {
				say(ctx, c, err, "再试一次", string(c.Request.URI().RequestURI()))
				return
			}
			route.Fail(ctx, c, err)
			return
		}
		ctx = kit.WithCaller(ctx, caller)
		if err := kit.Permit(ctx, r.Handler.Rule); err != nil { // asked again by the service
			route.Fail(ctx, c, err)
		} else {
			e.once(ctx, c, r, r.Handler.Serve)
		}
		e.refused(ctx, c, r)
	}
}

// visit counts a call without a session by its address. Codes of WeChat are counted where
// WeChat is asked about them.
func (e *Edge) visit(r route.Route, ip string) error {
	switch {
	case r.Path == miniLoginPath, r.Path == callbackPath:
		return nil
	case r.Method == "GET":
		return e.limits.look(ip)
	}
	return e.limits.write(ip)
}

// slowDeadline bounds the answer of a slow route.
const slowDeadline = time.Minute

func deadlineOf(r route.Route) time.Duration {
	if r.Slow {
		return slowDeadline
	}
	return kit.DefaultDeadline
}

func (e *Edge) authenticate(ctx context.Context, token string) (kit.Caller, error) {
	now := time.Now()
	if c, ok := e.identities.get(token, now); ok {
		return c, nil
	}
	if token == "" {
		return kit.Caller{}, kit.ErrUnauthenticated
	}
	known, err := e.services.Account.Authenticate(e.asSystem(ctx), &account.TokenReq{Token: token})
	if err != nil {
		return kit.Caller{}, err
	}
	c := kit.CallerFrom(known)
	// An unbound WeChat user is asked again each time: he is about to bind.
	if c.Kind != kit.Member || c.MemberID != "" {
		e.identities.put(token, c, now)
	}
	return c, nil
}

func (e *Edge) asSystem(ctx context.Context) context.Context { return kit.AsSystem(ctx) }

func (e *Edge) setCookie(c *app.RequestContext, name, token string, life time.Duration) {
	c.SetCookie(name, token, int(life/time.Second), "/", "", protocol.CookieSameSiteLaxMode, e.secure, true)
}
