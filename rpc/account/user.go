package account

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	account "zhihuidangjian/idl/gen/account"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// newEngine declares the record type user (manual 18.1).
func (s *Service) newEngine(ctx context.Context, c records.Config) (*records.Engine, error) {
	tree := records.Party{Client: s.party}
	c.Orgs, c.Refs = tree, tree.Refs()
	return records.New(ctx, c, s.userType(), s.roleType(), s.delegationType())
}

// userType is 用户 (manual 18.1).
func (s *Service) userType() *records.Type[*model.User] {
	return &records.Type[*model.User]{
		Name: "user", Title: "用户", Menu: "系统管理", Icon: "user", Section: "18.1", Collection: s.users,
		Fields: []records.Field{
			{Key: "orgId", Label: "所属组织", Ref: "organization", Required: true, List: true, Form: true, After: "realName"},
			{Key: "permissions", Label: "附加权限", Type: "permissions", Form: true, After: "roleIds", Help: "一般由角色给予，不必另外填写"},
		},
		Unique:   []records.Unique{{Keys: []string{"userName"}, Field: "userName", Message: "用户名已存在"}},
		NoExport: true,
		NameKey:  "userName",
		BeforeSave: func(ctx context.Context, old, u *model.User) error {
			if err := s.mayGrant(ctx, old, u); err != nil {
				return err
			}
			if err := s.passwordOf(ctx, u); err != nil {
				return err
			}
			u.LoggedOut = old != nil && (u.Status != "enabled" || u.PasswordHash != old.PasswordHash)
			return nil
		},
		Follow: func(ctx context.Context, u *model.User) error {
			if u.Deleted || u.LoggedOut {
				return s.endSessions(ctx, u.ID)
			}
			return s.rightsChanged(ctx)
		},
		Life: &records.Life[*model.User]{Verbs: []records.Verb[*model.User]{{
			Key: "delete",
			If: func(c *kit.Caller, u *model.User, _ time.Time) *kit.Error {
				if u.ID == c.UserID {
					return kit.Conflict("user.self", "不能删除当前登录的用户")
				}
				return nil
			},
		}}},
		BeforeDelete: func(ctx context.Context, u *model.User) error {
			if err := s.lastTop(ctx, u); err != nil {
				return err
			}
			if s.mayGrant(ctx, u, u) != nil {
				return kit.Conflict("user.stronger", "不能删除权限超出自己的用户")
			}
			return nil
		},
	}
}

// lastTop refuses to delete the last one who may do everything at the top.
func (s *Service) lastTop(ctx context.Context, u *model.User) error {
	if len(u.Orgs) != 1 {
		return nil
	}
	n, err := s.users.Count(ctx, model.Everything, bson.D{{Key: "orgId", Value: u.OrgID}, {Key: "status", Value: "enabled"}})
	if err == nil && n <= 1 {
		return kit.Conflict("user.last", "不能删除最后一个一级管理员")
	}
	return err
}

// mayGrant refuses to give, or to take over, more than the granter has himself.
func (s *Service) mayGrant(ctx context.Context, old, u *model.User) error {
	c := kit.CallerOf(ctx)
	if c.Kind == kit.System {
		return nil
	}
	asked, err := s.rights(ctx, u)
	if err != nil {
		return err
	}
	if old != nil {
		had, err := s.rights(ctx, old)
		if err != nil {
			return err
		}
		asked = append(asked, had...)
	}
	field := "permissions"
	if len(u.Permissions) == 0 {
		field = "roleIds"
	}
	if err := mayGive(ctx, asked); err != nil {
		return kit.InvalidFields(map[string]string{field: err.Error()})
	}
	if len(u.RoleIDs) == 0 && len(u.Permissions) == 0 {
		return kit.InvalidFields(map[string]string{"roleIds": "请填写用户角色"})
	}
	if old != nil && old.ID == c.UserID && u.Status != "enabled" {
		return kit.InvalidFields(map[string]string{"status": "不能停用当前登录的用户"})
	}
	return nil
}

// passwordOf takes the password of the form; a changed user may leave it empty.
func (s *Service) passwordOf(ctx context.Context, u *model.User) error {
	if u.Password == "" {
		if u.PasswordHash == "" {
			return kit.InvalidFields(map[string]string{"password": "请填写密码"})
		}
		return nil
	}
	err := s.setPassword(ctx, u, "password", u.OldPassword, u.Password)
	u.OldPassword, u.Password = "", ""
	return err
}

// FindAdmins are the enabled users of one organisation who hold a permission, for those
// who have something to tell them.
func (s *Service) FindAdmins(ctx context.Context, req *account.AdminsReq) (*account.Admins, error) {
	users, err := s.users.Find(ctx, model.Within(req.OrgId), bson.D{{Key: "orgId", Value: req.OrgId}, {Key: "status", Value: "enabled"}}, model.Page{})
	if err != nil {
		return nil, err
	}
	out := &account.Admins{}
	for _, u := range users {
		rights, err := s.rights(ctx, u)
		if err != nil {
			return nil, err
		}
		c := kit.Caller{Kind: kit.User, Permissions: rights}
		if req.Permission == "" || c.Can(req.Permission) {
			out.UserIds = append(out.UserIds, u.ID)
		}
	}
	return out, nil
}
