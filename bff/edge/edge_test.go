package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudwego/hertz/pkg/common/ut"

	"zhihuidangjian/idl/gen/account"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	"zhihuidangjian/idl/gen/dues"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	"zhihuidangjian/idl/gen/meeting"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	"zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
	"zhihuidangjian/rpc/wechat"
)

type fakeAccount struct {
	accountsvc.Client
	asked atomic.Int32
}

var tokens = map[string]kit.Caller{
	"admin":   {Kind: kit.User, UserID: "u1", OrgID: "root", Orgs: []string{"root"}, Permissions: []string{"*"}},
	"reader":  {Kind: kit.User, UserID: "u2", OrgID: "root", Orgs: []string{"root"}, Permissions: []string{"meeting.view"}},
	"member":  {Kind: kit.Member, MemberID: "m1", OpenID: "o1", OrgID: "a"},
	"unbound": {Kind: kit.Member, OpenID: "o2"},
}

func (f *fakeAccount) Authenticate(_ context.Context, req *account.TokenReq) (*account.Caller, error) {
	f.asked.Add(1)
	c, ok := tokens[req.Token]
	if !ok {
		return nil, kit.ErrUnauthenticated
	}
	return c.Message(), nil
}

func (f *fakeAccount) Logout(context.Context, *account.TokenReq) (*records.Empty, error) {
	return &records.Empty{}, nil
}

func (f *fakeAccount) MemberSession(_ context.Context, req *account.MemberSessionReq) (*account.Session, error) {
	return &account.Session{Token: "new-token", Me: &account.Me{OpenId: req.OpenId}}, nil
}

// fakeRecords own no record type.
type fakeRecords struct{ recordsvc.Client }

func (fakeRecords) Types(context.Context, *records.Empty) (*records.TypeInfos, error) {
	return &records.TypeInfos{}, nil
}

type fakeParty struct{ partysvc.Client }

func (fakeParty) SendBindCode(context.Context, *party.BindCodeReq) (*party.BindCodeResp, error) {
	return &party.BindCodeResp{RetryAfter: 60}, nil
}

// fakeMembers own two.
type fakeMembers struct{ recordsvc.Client }

func (fakeMembers) Types(context.Context, *records.Empty) (*records.TypeInfos, error) {
	return &records.TypeInfos{Types: []*records.TypeInfo{{Type: "organization"}, {Type: "member"}}}, nil
}

func (fakeMembers) List(_ context.Context, req *records.ListReq) (*records.JSON, error) {
	b, err := json.Marshal(req)
	return &records.JSON{Json: b}, err
}

func (fakeMembers) Save(_ context.Context, req *records.SaveReq) (*records.JSON, error) {
	b, err := json.Marshal(map[string]any{"id": req.Id, "version": req.Version, "body": string(req.Json)})
	return &records.JSON{Json: b}, err
}

type fakeMeeting struct{ meetingsvc.Client }

func (fakeMeeting) SignIn(ctx context.Context, req *meeting.CheckInReq) (*meeting.CheckIn, error) {
	panic("a bug")
}

type fakeDues struct{ duessvc.Client }

func (fakeDues) PayCash(ctx context.Context, req *dues.OrderReq) (*dues.Order, error) {
	if req.Id == "paid" {
		return nil, kit.Conflict("dues.paid", "订单已支付")
	}
	return &dues.Order{Operator: kit.CallerOf(ctx).UserID}, nil
}

func (fakeDues) HandlePayNotice(_ context.Context, req *dues.Notice) (*records.Empty, error) {
	if req.Headers["Wechatpay-Signature"] == "" {
		return nil, kit.Invalid("notice", "签名无效")
	}
	return &records.Empty{}, nil
}

type fakeAudit struct{ auditsvc.Client }

func (fakeAudit) Note(context.Context, *records.JSON) (*records.Empty, error) {
	return &records.Empty{}, nil
}

type fakeOAuth struct{}

func (fakeOAuth) AuthorizeURL(redirectURI, state string) string {
	return "https://weixin.example/?state=" + state
}

func (fakeOAuth) Exchange(context.Context, string) (wechat.Identity, error) {
	return wechat.Identity{OpenID: "o1"}, nil
}

func newEdge(t *testing.T) (*Edge, *fakeAccount) {
	t.Helper()
	a, own := &fakeAccount{}, map[string]recordsvc.Client{}
	for _, name := range suite.Names {
		own[name] = fakeRecords{}
	}
	own["party"] = fakeMembers{}
	return New(Options{
		Addr: "127.0.0.1:0", PublicURL: "http://127.0.0.1:8080", Clock: &kit.Clock{}, OAuth: fakeOAuth{},
		Services: &suite.Clients{
			Account: a, Party: fakeParty{}, Meeting: fakeMeeting{}, Dues: fakeDues{}, Audit: fakeAudit{}, Of: own,
		},
		Ready: func(context.Context) error { return nil },
	}), a
}

// send makes a request; headers are pairs.
func send(e *Edge, method, path, body string, headers ...string) (int, string, *ut.ResponseRecorder) {
	var hs []ut.Header
	for i := 0; i+1 < len(headers); i += 2 {
		hs = append(hs, ut.Header{Key: headers[i], Value: headers[i+1]})
	}
	var b *ut.Body
	if body != "" {
		b = &ut.Body{Body: bytes.NewBufferString(body), Len: len(body)}
	}
	w := ut.PerformRequest(e.server.Engine, method, path, b, hs...)
	return w.Code, w.Body.String(), w
}

const (
	csrf  = "X-Requested-With"
	ours  = "zhihuidangjian"
	admin = "zd_admin=admin"
)

func TestGuard(t *testing.T) {
	e, _ := newEdge(t)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		has                string
	}{
		"no session answers 未登录":                    {"GET", "/api/console/records/member", "", nil, 401, "未登录"},
		"an expired session answers 未登录":            {"GET", "/api/console/tree", "", []string{"Cookie", "zd_admin=gone"}, 401, "未登录"},
		"a member is no admin":                      {"GET", "/api/console/tree", "", []string{"Cookie", "zd_admin=member"}, 401, "未登录"},
		"an admin is no member":                     {"POST", "/api/member/sign-in", `{"token":"x"}`, []string{"Authorization", "Bearer admin"}, 401, "未登录"},
		"a bearer token opens no console":           {"GET", "/api/console/tree", "", []string{"Authorization", "Bearer admin"}, 401, "未登录"},
		"a missing permission is refused":           {"POST", "/api/console/dues/orders/o1/cash", "", []string{"Cookie", "zd_admin=reader", csrf, ours}, 403, "无操作权限"},
		"a form of another site is refused":         {"POST", "/api/console/dues/orders/o1/cash", "", []string{"Cookie", admin}, 403, "请求来源不正确"},
		"the right session takes the money":         {"POST", "/api/console/dues/orders/o1/cash", "", []string{"Cookie", admin, csrf, ours}, 200, `"u1"`},
		"an error keeps its code, key and message":  {"POST", "/api/console/dues/orders/paid/cash", "", []string{"Cookie", admin, csrf, ours}, 409, `"key":"dues.paid"`},
		"a panic is an internal error":              {"POST", "/api/member/sign-in", `{"token":"x"}`, []string{"Authorization", "Bearer member"}, 500, "系统繁忙"},
		"a field too many characters long is named": {"POST", "/api/member/sign-in", `{"token":"` + strings.Repeat("x", 300) + `"}`, []string{"Authorization", "Bearer member"}, 400, `"token"`},
		"broken JSON is refused":                    {"POST", "/api/member/sign-in", `{"token":`, []string{"Authorization", "Bearer member"}, 400, "格式不正确"},
		"required fields are named in Chinese":      {"POST", "/api/member/bind-code", `{}`, []string{"Authorization", "Bearer unbound"}, 400, "请填写姓名"},
		"an unknown record type is not found":       {"GET", "/api/console/records/secret", "", []string{"Cookie", admin}, 404, "不存在"},
		"an unknown path is not found":              {"GET", "/api/console/nothing", "", nil, 404, "not_found"},
		"metrics stay away from proxies":            {"GET", "/metrics", "", []string{"X-Forwarded-For", "8.8.8.8"}, 404, "not_found"},
		"a notice without signature fails":          {"POST", "/wechat/pay/notify", `{}`, nil, 400, `"FAIL"`},
		"there is no sandbox beside real WeChat":    {"GET", "/sandbox/api/clock", "", nil, 404, "not_found"},
		"filters come from the query": {"GET", "/api/console/records/member?f.name=%E5%BC%A0&page=2&f.status=", "", []string{"Cookie", admin}, 200,
			`"filters":{"name":"张"}`},
		"a saved record carries its version":  {"PUT", "/api/console/records/member/m1", `{"name":"张三","version":7}`, []string{"Cookie", admin, csrf, ours}, 200, `"version":7`},
		"a version in the address is nothing": {"GET", "/api/console/records/member?page=x", "", []string{"Cookie", admin}, 400, "格式不正确"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, _ := send(e, c.method, c.path, c.body, c.headers...)
			if status != c.status || !strings.Contains(body, c.has) {
				t.Fatalf("got %d %s, want %d %s", status, body, c.status, c.has)
			}
		})
	}
	t.Run("a large body is refused", func(t *testing.T) {
		status, body, _ := send(e, "POST", "/api/member/sign-in", `{"token":"`+strings.Repeat("x", bodyMost)+`"}`, "Authorization", "Bearer member")
		if status != 413 || !strings.Contains(body, "过大") {
			t.Fatalf("got %d %s", status, body)
		}
	})
	t.Run("a request id is kept only when it is safe to log", func(t *testing.T) {
		_, _, w := send(e, "GET", "/healthz", "", "X-Request-ID", "abc-123-def")
		if got := w.Header().Get("X-Request-ID"); got != "abc-123-def" {
			t.Fatalf("got %q", got)
		}
		_, _, w = send(e, "GET", "/healthz", "", "X-Request-ID", "a\"b{evil}")
		if got := w.Header().Get("X-Request-ID"); !validRequestID(got) {
			t.Fatalf("got %q", got)
		}
	})
	t.Run("pages run only our own scripts", func(t *testing.T) {
		_, _, w := send(e, "GET", "/", "")
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Fatalf("policy %q", policy)
		}
	})
}

func TestIdentityCache(t *testing.T) {
	e, a := newEdge(t)
	for range 5 {
		send(e, "POST", "/api/console/dues/orders/o1/cash", "", "Cookie", admin, csrf, ours)
	}
	if n := a.asked.Load(); n != 1 {
		t.Fatalf("asked %d times", n)
	}
	if status, body, _ := send(e, "POST", "/api/console/logout", "", "Cookie", admin, csrf, ours); status != 200 {
		t.Fatal(status, body)
	}
	send(e, "POST", "/api/console/dues/orders/o1/cash", "", "Cookie", admin, csrf, ours)
	if n := a.asked.Load(); n != 2 {
		t.Fatalf("a logged-out token was believed: asked %d times", n)
	}
}

func TestOAuth(t *testing.T) {
	e, _ := newEdge(t)
	begin := func(to string) (cookie, state string) {
		_, _, w := send(e, "GET", "/wechat/oauth?to="+to, "")
		cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
		_, state, _ = strings.Cut(w.Header().Get("Location"), "state=")
		return cookie, state
	}
	t.Run("the phone comes back to the page it wanted, with a session", func(t *testing.T) {
		cookie, state := begin("/m/%23/pages/dues/index")
		status, body, w := send(e, "GET", "/wechat/oauth/callback?code=c&state="+state, "", "Cookie", cookie)
		if status != 302 || !strings.HasPrefix(w.Header().Get("Location"), "/m/") {
			t.Fatalf("%d %s %s", status, body, w.Header().Get("Location"))
		}
	})
	t.Run("another browser's state is refused", func(t *testing.T) {
		_, state := begin("/m/")
		cookie, _ := begin("/m/")
		if status, body, _ := send(e, "GET", "/wechat/oauth/callback?code=c&state="+state, "", "Cookie", cookie); status != 400 {
			t.Fatalf("%d %s", status, body)
		}
		if status, _, _ := send(e, "GET", "/wechat/oauth/callback?code=c&state=", ""); status != 400 {
			t.Fatal("no state was accepted")
		}
	})
	t.Run("nobody is sent to another site", func(t *testing.T) {
		for _, to := range []string{"https://evil.example/", "//evil.example/", "/console/", "/m/\\..", "javascript:alert(1)"} {
			cookie, state := begin(strings.ReplaceAll(to, "\\", "%5C"))
			_, _, w := send(e, "GET", "/wechat/oauth/callback?code=c&state="+state, "", "Cookie", cookie)
			if got := w.Header().Get("Location"); got != "/m/" && !strings.HasSuffix(got, "/m/") {
				t.Fatalf("%s leads to %s", to, got)
			}
		}
	})
}

func TestOpenAPI(t *testing.T) {
	e, _ := newEdge(t)
	_, body, _ := send(e, "GET", "/openapi.json", "")
	var doc struct {
		Paths map[string]map[string]struct {
			Summary string
		}
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	if got := doc.Paths["/api/console/dues/orders/{id}/cash"]["post"].Summary; got != "现金缴纳" {
		t.Fatalf("summary %q", got)
	}
	for _, r := range e.Routes() {
		if r.Title == "" || r.Access == "" {
			t.Errorf("%s %s has no title or access", r.Method, r.Path)
		}
		if r.Access == "console" && r.Permission() == "" && !strings.Contains(r.Path, "/records/") {
			switch strings.TrimPrefix(r.Path, "/api/console") {
			case "/records": // shows what the caller's permissions open
			case "/logout", "/me", "/password", "/home", "/tree", "/notifications", "/notifications/:id/read":
			default:
				t.Errorf("%s %s asks for no permission", r.Method, r.Path)
			}
		}
	}
}
