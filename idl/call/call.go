// Package call is what the generated services of idl/gen are made of: their methods as
// values, with what the IDL says of each, and the messages that carry them. rpc/kit carries
// the calls within a process, Kitex between processes; both serve what is described here.
package call

import (
	"context"
	"slices"
	"strings"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/serviceinfo"
)

// Rule is what the IDL says of a method beside its messages.
type Rule struct {
	// May are those who may call it (annotation may, separated by spaces); one of them is
	// enough. Each is a permission, "meeting.start", or one of the words below.
	May []string
	// Idempotent methods may be sent again when nobody knows whether they arrived
	// (annotation idempotent): they read, or what they store has an id or a state that
	// lets it happen once.
	Idempotent bool
}

// Who may call a method, other than by a permission. The services hold to it: see kit.Permit.
const (
	Anyone = "anyone" // visitors too
	Known  = "known"  // everybody but visitors; the method itself asks for more
	User   = "user"   // an admin, whatever his permissions
	Phone  = "phone"  // a WeChat user, bound to a member or not
	Member = "member" // a bound one
	System = "system" // other services and workers
)

var words = []string{Anyone, Known, User, Phone, Member, System}

// IsPermission tells a permission from a word.
func IsPermission(may string) bool {
	module, verb, ok := strings.Cut(may, ".")
	return ok && module != "" && verb != ""
}

// Valid tells whether a rule names somebody, in words that exist.
func (r Rule) Valid() bool {
	return len(r.May) > 0 && !slices.ContainsFunc(r.May, func(m string) bool { return !IsPermission(m) && !slices.Contains(words, m) })
}

// Permission is the permission by which admins may call it, "" when they need none.
func (r Rule) Permission() string {
	if i := slices.IndexFunc(r.May, IsPermission); i >= 0 {
		return r.May[i]
	}
	return ""
}

// Method is one method of a service whose handlers and clients are an S.
type Method[S, Q, R any] struct {
	name   string
	rule   Rule
	do     func(S, context.Context, *Q) (*R, error)
	handle serviceinfo.MethodHandler
}

// New describes a method; do is its method expression.
func New[S, Q, R any](name string, do func(S, context.Context, *Q) (*R, error), rule Rule) *Method[S, Q, R] {
	m := &Method[S, Q, R]{name: name, rule: rule, do: do}
	m.handle = m.serve // once, not for each call
	return m
}

// args and result are what carries a call, in the form of a thrift method with one argument.
type args[Q any] struct {
	Req *Q `frugal:"1,default"`
}

type result[R any] struct {
	Success *R `frugal:"0,optional"`
}

// Call calls the method over a transport.
func (m *Method[S, Q, R]) Call(ctx context.Context, by client.Client, req *Q) (*R, error) {
	var out result[R]
	if err := by.Call(ctx, m.name, &args[Q]{req}, &out); err != nil {
		return nil, err
	}
	return out.Success, nil
}

// Do calls the method of a client, or of a handler.
func (m *Method[S, Q, R]) Do(ctx context.Context, s S, req *Q) (*R, error) { return m.do(s, ctx, req) }

// Name is what the IDL calls it.
func (m *Method[S, Q, R]) Name() string { return m.name }

// Rule is what the IDL says of it.
func (m *Method[S, Q, R]) Rule() Rule { return m.rule }

// The rest of Info is for Kitex.

// Handler runs it.
func (m *Method[S, Q, R]) Handler() serviceinfo.MethodHandler { return m.handle }

func (m *Method[S, Q, R]) serve(ctx context.Context, handler, in, out any) error {
	r, err := m.do(handler.(S), ctx, in.(*args[Q]).Req)
	if err != nil {
		return err
	}
	out.(*result[R]).Success = r
	return nil
}

// NewArgs is an empty request.
func (*Method[S, Q, R]) NewArgs() any { return &args[Q]{} }

// NewResult is an empty answer.
func (*Method[S, Q, R]) NewResult() any { return &result[R]{} }

// OneWay tells that every method answers.
func (*Method[S, Q, R]) OneWay() bool { return false }

// IsStreaming tells that none streams.
func (*Method[S, Q, R]) IsStreaming() bool { return false }

// StreamingMode is that of none.
func (*Method[S, Q, R]) StreamingMode() serviceinfo.StreamingMode { return serviceinfo.StreamingNone }

// Info is a method, whatever its messages.
type Info interface {
	serviceinfo.MethodInfo
	Name() string
	Rule() Rule
}

// Service is how a service is called and served; C is its methods.
type Service[C any] struct {
	*serviceinfo.ServiceInfo
	Wrap func(client.Client) C // calls it over a transport
}

// Describe is a service of these methods.
func Describe[C any](name string, wrap func(client.Client) C, methods ...Info) Service[C] {
	info := &serviceinfo.ServiceInfo{
		ServiceName: name, HandlerType: (*C)(nil), PayloadCodec: serviceinfo.Thrift, Methods: map[string]serviceinfo.MethodInfo{},
	}
	for _, m := range methods {
		info.Methods[m.Name()] = m
	}
	return Service[C]{info, wrap}
}
