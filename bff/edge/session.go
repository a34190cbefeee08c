package edge

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"
	"unicode"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/account"
	"zhihuidangjian/rpc/kit"
)

const (
	adminCookieLife  = 12 * time.Hour
	memberCookieLife = 7 * 24 * time.Hour
	stateCookie      = "zd_state"
	stateLife        = 10 * time.Minute

	callbackPath  = "/wechat/oauth/callback"
	miniLoginPath = "/api/member/mini-login"
)

// signIn answers a new session: cookie for browsers.
func (e *Edge) signIn(name string, life time.Duration, open func(context.Context, *app.RequestContext) (*account.Session, error)) route.Handler {
	return route.Func(func(ctx context.Context, c *app.RequestContext) {
		s, err := open(ctx, c)
		if err != nil {
			route.Fail(ctx, c, err)
			return
		}
		e.setCookie(c, name, s.Token, life)
		route.Answer(ctx, c, map[string]*account.Me{"me": s.Me})
	})
}

// logout ends the session of a cookie, here and at the account service.
func (e *Edge) logout(name string, access route.Access) route.Handler {
	return route.Func(func(ctx context.Context, c *app.RequestContext) {
		token, _ := tokenOf(c, access)
		e.identities.drop(token)
		if _, err := e.services.Account.Logout(ctx, &account.TokenReq{Token: token}); err != nil {
			route.Fail(ctx, c, err)
			return
		}
		e.setCookie(c, name, "", -time.Second)
		route.Answer(ctx, c, struct{}{})
	})
}

// oauth sends the phone to WeChat to be recognised. The state is bound to this browser
// by a cookie, and carries where to go afterwards.
func (e *Edge) oauth(ctx context.Context, c *app.RequestContext) {
	to := c.Query("to")
	if !phonePath(to) {
		to = "/m/"
	}
	state := kit.Token()[:32]
	e.setCookie(c, stateCookie, state+"."+base64.RawURLEncoding.EncodeToString([]byte(to)), stateLife)
	c.Redirect(consts.StatusFound, []byte(e.oa.AuthorizeURL(e.publicURL+callbackPath, state)))
}

// phonePath accepts only the product's own phone pages, so that nobody is sent
// elsewhere by a link: nothing that a browser would tidy into another path or host.
func phonePath(to string) bool {
	path := to
	if i := strings.IndexAny(to, "?#"); i >= 0 {
		path = to[:i]
	}
	return strings.HasPrefix(path, "/m/") && !strings.Contains(path, "..") && !strings.ContainsAny(path, `\%;`) &&
		!strings.ContainsFunc(to, unicode.IsControl)
}

func (e *Edge) oauthCallback(ctx context.Context, c *app.RequestContext) {
	state, to, ok := strings.Cut(string(c.Cookie(stateCookie)), ".")
	e.setCookie(c, stateCookie, "", -time.Second)
	if !ok || state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(c.Query("state"))) != 1 {
		route.Fail(ctx, c, kit.Invalid("oauth.state", "登录状态已失效，请重新打开页面"))
		return
	}
	known, err := e.limits.code(kit.CallerOf(ctx).IP)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	who, err := e.oa.Exchange(ctx, c.Query("code"))
	if err != nil {
		route.Fail(ctx, c, (&kit.Error{Code: 40102, Key: "oauth", Message: "微信授权失败，请重新打开页面"}).Because(err))
		return
	}
	known()
	s, err := e.services.Account.MemberSession(e.asSystem(ctx), &account.MemberSessionReq{OpenId: who.OpenID, UnionId: who.UnionID, Channel: "oa"})
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	e.setCookie(c, memberCookie, s.Token, memberCookieLife)
	page, err := base64.RawURLEncoding.DecodeString(to)
	if err != nil || !phonePath(string(page)) {
		page = []byte("/m/")
	}
	c.Redirect(consts.StatusFound, page)
}

// miniLogin exchanges the code of wx.login for a session; the mini-program keeps the
// token itself, having no cookies.
func (e *Edge) miniLogin(ctx context.Context, c *app.RequestContext) {
	var req struct {
		Code string `json:"code"`
	}
	if err := c.BindJSON(&req); err != nil || req.Code == "" || len(req.Code) > 256 {
		route.Fail(ctx, c, kit.Invalid("mini.code", "登录凭证不正确"))
		return
	}
	known, err := e.limits.code(kit.CallerOf(ctx).IP)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	who, err := e.mini.Session(ctx, req.Code)
	if err != nil {
		route.Fail(ctx, c, (&kit.Error{Code: 40102, Key: "mini.code", Message: "微信登录失败，请重试"}).Because(err))
		return
	}
	known()
	s, err := e.services.Account.MemberSession(e.asSystem(ctx), &account.MemberSessionReq{OpenId: who.OpenID, UnionId: who.UnionID, Channel: "mini"})
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	route.Answer(ctx, c, map[string]any{"token": s.Token, "me": s.Me})
}

// bind binds the WeChat user to a member; the session knows at once.
func (e *Edge) bind() route.Handler {
	h := route.Call(e.services.Party.Bind)
	serve := h.Serve
	h.Serve = func(ctx context.Context, c *app.RequestContext) {
		serve(ctx, c)
		token, _ := tokenOf(c, route.Phone)
		e.identities.drop(token)
	}
	return h
}
