// Package route turns one line of the route table (method, path, title, service method) into
// a handler: binding, validation, identity, permission, errors and the OpenAPI document all
// come from that line, and from what the IDL says of the method.
package route

import (
	"context"
	"encoding/json"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/bytedance/sonic"
	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"

	"zhihuidangjian/idl/call"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

// Access is who may use a route at all.
type Access string

// The kinds of access. The rule of the method narrows Console and Phone further.
const (
	Public  Access = "public"  // no session
	Console Access = "console" // an admin's session
	Phone   Access = "member"  // a WeChat user's session, bound or not
)

// Route is one line of the table.
type Route struct {
	Method  string
	Path    string
	Title   string // Chinese, for people who read the API
	Access  Access
	Repeats bool // a write that may happen again without harm: its answer is not kept
	Page    bool // a browser opens it by itself: a refusal is a page for people too
	Slow    bool // it may take a minute: it carries files, or goes through a lot
	Upload  int  // bytes of the file that its handler reads by itself; 0: the body is read before it
	Handler Handler
}

// Permission is the permission that an admin needs, "" for none.
func (r Route) Permission() string { return r.Handler.Rule.Permission() }

// Handler serves a route and knows its message types.
type Handler struct {
	Serve app.HandlerFunc
	// Rule is who may use it, and is that of the service's method where it calls one.
	Rule call.Rule
	// Bind fills a request from path, query and body and validates it; handlers that
	// do more than call one method use it too.
	Bind      func(*app.RequestContext, any) error
	req, resp reflect.Type
}

// Call makes a handler of a service's method: the request is bound from path, query and
// JSON body and validated; the answer is written as JSON, a file, or ready-made JSON.
func Call[S, Q, R any](m *call.Method[S, Q, R], service S) Handler {
	return CallOf(m, func(context.Context, *app.RequestContext) (S, error) { return service, nil })
}

// CallOf is Call where the request tells which service is meant.
func CallOf[S, Q, R any](m *call.Method[S, Q, R], find func(context.Context, *app.RequestContext) (S, error)) Handler {
	bind := binderOf(reflect.TypeFor[Q]())
	return Handler{
		Bind: bind, Rule: m.Rule(),
		req: reflect.TypeFor[Q](), resp: reflect.TypeFor[R](),
		Serve: func(ctx context.Context, c *app.RequestContext) {
			req := new(Q)
			if err := bind(c, req); err != nil {
				Fail(ctx, c, err)
				return
			}
			service, err := find(ctx, c)
			if err != nil {
				Fail(ctx, c, err)
				return
			}
			resp, err := m.Do(ctx, service, req)
			if err != nil {
				Fail(ctx, c, err)
				return
			}
			Answer(ctx, c, resp)
		},
	}
}

// Func is a handler that reads and writes HTTP itself. rule is that of the method it calls, or
// its own.
func Func(f app.HandlerFunc, rule call.Rule) Handler { return Handler{Serve: f, Rule: rule} }

// Answering is a handler whose answer is ready-made and has a type, for those who read the API.
func (h Handler) Answering(t reflect.Type) Handler {
	h.resp = t
	return h
}

// encoding writes empty lists as [], so that pages need not tell null from empty.
var encoding = sonic.Config{NoNullSliceOrMap: true}.Froze()

// Answer writes what a service returned.
func Answer(ctx context.Context, c *app.RequestContext, resp any) {
	switch v := resp.(type) {
	case *records.JSON:
		c.Data(consts.StatusOK, "application/json; charset=utf-8", v.Json)
	case *records.File:
		disposition := "attachment"
		if v.ContentType == "application/pdf" || strings.HasPrefix(v.ContentType, "image/") {
			disposition = "inline"
		}
		c.Header("Content-Disposition", Disposition(disposition, v.Name))
		c.Data(consts.StatusOK, v.ContentType, v.Data)
	default:
		b, err := encoding.Marshal(resp)
		if err != nil {
			Fail(ctx, c, err)
			return
		}
		c.Data(consts.StatusOK, "application/json; charset=utf-8", b)
	}
}

// Disposition names a file for browsers (RFC 6266): as it is called, and in ASCII for those
// who read nothing else.
func Disposition(how, name string) string {
	var ascii strings.Builder
	last := rune(0)
	for _, r := range name {
		if r < ' ' || r > '~' || strings.ContainsRune(` "%\/;,'`, r) {
			r = '_'
		}
		if r != '_' || last != '_' {
			ascii.WriteRune(r)
		}
		last = r
	}
	return how + `; filename="` + ascii.String() + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// waitUnknown is told to whoever is refused for a while that nobody has measured: longer
// than a page waits by itself.
const waitUnknown = time.Minute

// errorKey is where Fail leaves the error for the log.
const errorKey = "error"

// Fail answers with the error's code and Chinese message. The cause is for the log.
func Fail(ctx context.Context, c *app.RequestContext, err error) {
	e := kit.FromError(err)
	c.Set(errorKey, e)
	body, _ := json.Marshal(struct { // strings only: cannot fail
		Code      int32             `json:"code"`
		Key       string            `json:"key"`
		Message   string            `json:"message"`
		Fields    map[string]string `json:"fields,omitempty"`
		RequestID string            `json:"requestId"`
	}{e.Code, e.Key, e.Message, e.Fields, kit.CallerOf(ctx).RequestID})
	if e.Code/100 == consts.StatusTooManyRequests {
		wait := e.Wait
		if wait <= 0 {
			wait = waitUnknown
		}
		c.Header("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	c.Data(int(e.Code/100), "application/json; charset=utf-8", body)
	c.Abort()
}

// FailureOf is the error that Fail answered with, or nil.
func FailureOf(c *app.RequestContext) *kit.Error {
	e, _ := c.Value(errorKey).(*kit.Error)
	return e
}
