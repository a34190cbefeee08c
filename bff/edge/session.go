package edge

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/account"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	partysvc "zhihuidangjian/idl/gen/party/party"
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
	}, accountsvc.Login.Rule())
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
	}, accountsvc.Logout.Rule())
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

// The ways in which WeChat brings somebody back whom it did not name.
var (
	errState    = kit.Invalid("oauth.state", "页面已失效，请重新进入")
	errDeclined = kit.Invalid("oauth.declined", "您未同意微信授权，无法识别身份")
	errExchange = &kit.Error{Code: 40102, Key: "oauth", Message: "微信授权未成功，请重新进入"}
)

// oauthCallback lets in whom WeChat names. A browser that comes twice, from a second tab or
// without consent has a session or gets a page with a button: people stand here.
func (e *Edge) oauthCallback(ctx context.Context, c *app.RequestContext) {
	state, to, _ := strings.Cut(string(c.Cookie(stateCookie)), ".")
	page := "/m/"
	if b, err := base64.RawURLEncoding.DecodeString(to); err == nil && phonePath(string(b)) {
		page = string(b)
	}
	token, err := e.recognise(ctx, c, state)
	if err == nil {
		e.setCookie(c, memberCookie, token, memberCookieLife)
		c.Redirect(consts.StatusFound, []byte(page))
		return
	}
	token, _ = tokenOf(c, route.Phone)
	if known, refused := e.authenticate(ctx, token); refused == nil && known.Kind == kit.Member {
		c.Redirect(consts.StatusFound, []byte(page))
		return
	}
	say(ctx, c, err, "重新进入", "/wechat/oauth?to="+url.QueryEscape(page))
}

// recognise is the new session of whom WeChat names in answer to this browser's question.
func (e *Edge) recognise(ctx context.Context, c *app.RequestContext, state string) (token string, err error) {
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(c.Query("state"))) != 1 {
		return "", errState // another tab may be under way with the cookie
	}
	e.setCookie(c, stateCookie, "", -time.Second)
	code := c.Query("code")
	if code == "" || code == "authdeny" {
		return "", errDeclined
	}
	known, err := e.limits.code(kit.CallerOf(ctx).IP)
	if err != nil {
		return "", err
	}
	who, err := e.oa.Exchange(ctx, code)
	if err != nil {
		return "", errExchange.Because(err)
	}
	known()
	s, err := e.services.Account.MemberSession(e.asSystem(ctx), &account.MemberSessionReq{OpenId: who.OpenID, UnionId: who.UnionID, Channel: "oa"})
	if err != nil {
		return "", err
	}
	return s.Token, nil
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
	h := route.Call(partysvc.Bind, e.services.Party)
	serve := h.Serve
	h.Serve = func(ctx context.Context, c *app.RequestContext) {
		serve(ctx, c)
		token, _ := tokenOf(c, route.Phone)
		e.identities.drop(token)
	}
	return h
}
