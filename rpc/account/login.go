package account

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	account "zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/trail"
)

// errCredentials is the same for an unknown user and a wrong password (AUTH-03).
var errCredentials = &kit.Error{Code: 40101, Key: "login.credentials", Message: "用户名或密码错误"}

// Login opens a session of the console. It wants a solved captcha, used up by the try
// whatever comes of it.
func (s *Service) Login(ctx context.Context, req *account.LoginReq) (*account.Session, error) {
	name, ip := normal.Name(req.UserName), kit.CallerOf(ctx).IP
	if err := s.useCaptcha(ctx, req.CaptchaToken); err != nil {
		return nil, err
	}
	counted, err := s.count(ctx, name, ip)
	if err != nil {
		return nil, s.refused(ctx, name, nil, err)
	}
	u, ok, err := s.identify(ctx, name, req.Password)
	if err != nil {
		s.uncount(ctx, counted) // nothing was tried
		return nil, err
	}
	if !ok {
		return nil, s.refused(ctx, name, u, s.failed(ctx, counted))
	}
	s.uncount(ctx, counted)
	s.welcome(ctx, name, ip)
	org, err := s.party.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: u.OrgID})
	if err != nil {
		return nil, fmt.Errorf("organisation of %s: %w", u.ID, err)
	}
	rights, err := s.rights(ctx, u)
	if err != nil {
		return nil, err
	}
	me := &account.Me{
		UserId: u.ID, UserName: u.UserName, RealName: u.RealName, OrgId: u.OrgID, OrgName: org.OrgName,
		TopLevel: len(org.Orgs) == 1, Permissions: rights,
	}
	token, err := s.open(ctx, &session{caller: kit.Caller{
		Kind: kit.User, UserID: u.ID, Name: u.RealName, OrgID: u.OrgID, Orgs: org.Orgs,
		TopLevel: me.TopLevel, Permissions: rights,
	}})
	if err != nil {
		return nil, err
	}
	if err := s.tried(ctx, name, u, nil); err != nil {
		return nil, err
	}
	return &account.Session{Token: token, Me: me}, nil
}

// refused writes down why a log-in was refused, and answers it.
func (s *Service) refused(ctx context.Context, name string, u *model.User, reason error) error {
	if err := s.tried(ctx, name, u, reason); err != nil {
		return err
	}
	return reason
}

// tried writes down a log-in: that of u when the name is a user's, refused for a reason or
// not. One of an unknown name belongs to the platform.
func (s *Service) tried(ctx context.Context, name string, u *model.User, reason error) error {
	f := trail.By(ctx, s.clock.Now())
	f.Action, f.Title, f.TypeTitle, f.RecordName = model.AuditLogin, "登录", "用户", cut(name)
	if u == nil {
		var err error
		if u, err = s.users.FindOne(ctx, model.Everything, bson.D{{Key: "userName", Value: name}}); err != nil && !errors.Is(err, model.ErrNotFound) {
			return err
		}
	}
	if u != nil && u.ID != "" {
		f.UserID, f.UserName, f.UserKind, f.Type, f.RecordID, f.OrgID, f.Orgs = u.ID, u.RealName, string(kit.User), "user", u.ID, u.OrgID, u.Orgs
	}
	if reason != nil {
		e := kit.FromError(reason)
		f.Action, f.Title, f.Failed, f.Note = model.AuditLoginFailed, "登录失败", true, e.Message
		if e.Key == errLocked.Key || e.Key == errAddress.Key {
			f.Action, f.Title = model.AuditLocked, "锁定"
		}
	}
	return trail.Note(ctx, s.db, f)
}

// own is what the caller does to his own account.
func (s *Service) own(ctx context.Context, action, title string) model.AuditFact {
	c, f := kit.CallerOf(ctx), trail.By(ctx, s.clock.Now())
	f.Action, f.Title, f.Type, f.TypeTitle, f.RecordID, f.RecordName = action, title, "user", "用户", c.UserID, c.Name
	return f
}

// identify finds the user of a name and password.
func (s *Service) identify(ctx context.Context, name, password string) (*model.User, bool, error) {
	u, err := s.users.FindOne(ctx, model.Everything, bson.D{{Key: "userName", Value: name}})
	if errors.Is(err, model.ErrNotFound) {
		u = &model.User{}
	} else if err != nil {
		return nil, false, err
	}
	ok, err := s.hasher.verify(ctx, u.PasswordHash, password)
	return u, ok && u.Status == "enabled", err
}

// GetMe describes the caller to his own pages.
func (s *Service) GetMe(ctx context.Context, _ *recordsgen.Empty) (*account.Me, error) {
	c := kit.CallerOf(ctx)
	switch c.Kind {
	case kit.User:
		u, err := s.users.Get(ctx, model.Within(c.OrgID), c.UserID)
		if err != nil || u.Status != "enabled" {
			return nil, kit.ErrUnauthenticated.Because(err)
		}
		org, err := s.party.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: u.OrgID})
		if err != nil {
			return nil, err
		}
		return &account.Me{
			UserId: u.ID, UserName: u.UserName, RealName: u.RealName, OrgId: u.OrgID, OrgName: org.OrgName,
			TopLevel: c.TopLevel, Permissions: c.Permissions,
		}, nil
	case kit.Member:
		who := *c
		m, err := s.recognise(ctx, &who)
		if err != nil {
			return nil, err
		}
		return memberMe(&who, m), nil
	}
	return nil, kit.ErrUnauthenticated
}

// ChangePassword replaces the caller's password and ends his sessions everywhere.
func (s *Service) ChangePassword(ctx context.Context, req *account.ChangePasswordReq) (*recordsgen.Empty, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.users.Get(ctx, model.Within(c.OrgID), c.UserID)
	if err != nil {
		return nil, kit.ErrUnauthenticated.Because(err)
	}
	was := u.PasswordHash
	if err := s.setPassword(ctx, u, "newPassword", req.OldPassword, req.NewPassword_); err != nil {
		return nil, err
	}
	_, err = s.users.Update(ctx, model.Within(c.OrgID), c.UserID, func(now *model.User) error {
		if now.PasswordHash != was {
			return kit.ErrConflict
		}
		now.PasswordHash, now.PasswordHistory, now.PasswordChangedAt = u.PasswordHash, u.PasswordHistory, u.PasswordChangedAt
		now.Emit(trail.Event(s.own(ctx, model.AuditPassword, "修改密码")))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &recordsgen.Empty{}, s.endSessions(ctx, c.UserID)
}

// cut bounds what somebody typed for a name.
func cut(name string) string {
	if r := []rune(name); len(r) > 30 {
		return string(r[:30]) + "…"
	}
	return name
}
