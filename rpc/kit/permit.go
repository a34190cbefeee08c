package kit

import (
	"context"
	"fmt"

	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/serviceinfo"

	"zhihuidangjian/idl/call"
)

// Permit refuses a caller whom the rule of a method does not name: ErrUnauthenticated for a
// visitor who would have to log in, ErrUnbound for a WeChat user who would only have to be
// bound, else ErrForbidden. It is asked before every method, in whichever process it runs; what
// a method knows of the record (whose it is, where it belongs) it checks itself.
func Permit(ctx context.Context, r call.Rule) error {
	c, people, bind := CallerOf(ctx), false, false
	for _, may := range r.May {
		people = people || may != call.System
		switch may {
		case call.Anyone:
			return nil
		case call.Member:
			if c.Kind == Member && c.MemberID != "" {
				return nil
			}
			bind = c.Kind == Member
		default:
			if c.is(may) {
				return nil
			}
		}
	}
	switch {
	case people && c.Kind == Visitor:
		return ErrUnauthenticated
	case bind:
		return ErrUnbound
	}
	return ErrForbidden
}

// is tells whether the caller is of a kind that a rule names, or has the permission.
func (c *Caller) is(may string) bool {
	switch may {
	case call.Known:
		return c.Kind != Visitor
	case call.User:
		return c.Kind == User
	case call.Phone:
		return c.Kind == Member
	case call.System:
		return c.Kind == System
	}
	return call.IsPermission(may) && c.Can(may)
}

// permitMethod is Permit by the rule of a method; what has none is refused.
func permitMethod(ctx context.Context, m serviceinfo.MethodInfo) error {
	d, ok := m.(call.Info)
	if !ok {
		return ErrInternal.Because(fmt.Errorf("%T has no rule", m))
	}
	return Permit(ctx, d.Rule())
}

// permitCaller asks Permit for every call from another process.
func permitCaller(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req, resp any) error {
		if err := permitMethod(ctx, rpcinfo.GetRPCInfo(ctx).Invocation().MethodInfo()); err != nil {
			return err
		}
		return next(ctx, req, resp)
	}
}
