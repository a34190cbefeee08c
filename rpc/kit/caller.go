// Package kit is what every domain service stands on: the caller's identity, errors
// with a code and a Chinese message, the clock, and the transports that carry calls
// inside one process or between processes.
package kit

import (
	"context"
	"slices"

	"zhihuidangjian/idl/gen/account"
)

// Kind tells what sort of caller makes a request.
type Kind string

// The kinds of callers. The zero Kind is a visitor without a session.
const (
	Visitor Kind = ""
	User    Kind = "user"   // an admin of the console
	Member  Kind = "member" // a WeChat user; MemberID is empty until bound
	System  Kind = "system" // a service or a worker
)

// Link is the channel of a member who comes by an address that was made for him, without a
// session.
const Link = "link"

// Caller is who makes a request. It travels beside every call: in the context within a
// process, as one JSON value between processes.
type Caller struct {
	Kind        Kind     `json:"k,omitempty"`
	UserID      string   `json:"u,omitempty"`
	Name        string   `json:"n,omitempty"`
	MemberID    string   `json:"m,omitempty"`
	OpenID      string   `json:"w,omitempty"`
	UnionID     string   `json:"un,omitempty"`
	Channel     string   `json:"c,omitempty"` // oa, mini or Link, of a member
	OrgID       string   `json:"o,omitempty"`
	Orgs        []string `json:"os,omitempty"` // the path from the root to OrgID
	TopLevel    bool     `json:"t,omitempty"`  // 一级管理员: user of the root organisation
	Permissions []string `json:"p,omitempty"`
	IP          string   `json:"ip,omitempty"`
	RequestID   string   `json:"r,omitempty"`
	// For, of the system: what it is for whom it does something (OnBehalf).
	For Kind `json:"f,omitempty"`
}

// CallerFrom is the caller whom the account service knows by a session.
func CallerFrom(m *account.Caller) Caller {
	return Caller{
		Kind: Kind(m.Kind), UserID: m.UserId, Name: m.Name, MemberID: m.MemberId, OpenID: m.OpenId, UnionID: m.UnionId,
		Channel: m.Channel, OrgID: m.OrgId, Orgs: m.Orgs, TopLevel: m.TopLevel, Permissions: m.Permissions,
	}
}

// Message is the opposite of CallerFrom; what belongs to one request only is left out.
func (c *Caller) Message() *account.Caller {
	return &account.Caller{
		Kind: string(c.Kind), UserId: c.UserID, Name: c.Name, MemberId: c.MemberID, OpenId: c.OpenID, UnionId: c.UnionID,
		Channel: c.Channel, OrgId: c.OrgID, Orgs: c.Orgs, TopLevel: c.TopLevel, Permissions: c.Permissions,
	}
}

type callerCtx struct{}

// WithCaller puts the caller beside ctx and everything called with it. Nobody changes it
// from then on.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerCtx{}, &c)
}

// CallerOf returns the caller beside ctx, a visitor when there is none.
func CallerOf(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerCtx{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}

// AsSystem is ctx with the system as the caller, keeping the request id.
func AsSystem(ctx context.Context) context.Context {
	return WithCaller(ctx, Caller{Kind: System, Name: "系统", RequestID: CallerOf(ctx).RequestID})
}

// OnBehalf is ctx with the system as the caller, which does what follows from what the caller did:
// the audit names him. At work, where nobody called, it is AsSystem.
func OnBehalf(ctx context.Context) context.Context {
	c := *CallerOf(ctx)
	if c.Kind == System || c.Kind == "" {
		return AsSystem(ctx)
	}
	c.For, c.Kind, c.Permissions = c.Kind, System, nil
	return WithCaller(ctx, c)
}

// Can reports whether the caller has the permission, e.g. "member.create".
func (c *Caller) Can(permission string) bool {
	if c.Kind == System {
		return true
	}
	return c.Kind == User && (slices.Contains(c.Permissions, "*") || slices.Contains(c.Permissions, permission))
}

// Knows tells whether the caller may know that somebody is a member, and where: an admin who
// reads members of a branch knows its own, a member himself.
func (c *Caller) Knows(memberID string, orgs []string) bool {
	switch c.Kind {
	case User:
		return c.Can("member.view") && slices.Contains(orgs, c.OrgID)
	case Member:
		return c.MemberID == memberID
	default:
		return c.Kind == System
	}
}

// Require returns ErrForbidden (无操作权限) unless the caller has the permission.
func Require(ctx context.Context, permission string) error {
	switch c := CallerOf(ctx); {
	case c.Kind == Visitor:
		return ErrUnauthenticated
	case !c.Can(permission):
		return ErrForbidden
	}
	return nil
}

// RequireUser returns the admin who calls.
func RequireUser(ctx context.Context) (*Caller, error) {
	c := CallerOf(ctx)
	if c.Kind != User {
		return nil, ErrUnauthenticated
	}
	return c, nil
}

// RequireMember returns the bound member who calls; ErrUnbound sends an unbound
// WeChat user to the binding page (MENU-10).
func RequireMember(ctx context.Context) (*Caller, error) {
	switch c := CallerOf(ctx); {
	case c.Kind != Member:
		return nil, ErrUnauthenticated
	case c.MemberID == "":
		return nil, ErrUnbound
	default:
		return c, nil
	}
}

// RequireSystem refuses everybody but services and workers.
func RequireSystem(ctx context.Context) error {
	if CallerOf(ctx).Kind != System {
		return ErrForbidden
	}
	return nil
}
