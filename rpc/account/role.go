package account

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// permissionPattern is "*" or "<module>.<verb>".
var permissionPattern = regexp.MustCompile(`^(\*|[a-zA-Z]+\.[a-zA-Z]+)$`)

// roleType is 角色 (manual 18.2). What a role may do is set by 权限设置; it counts at a user's
// next request.
func (s *Service) roleType() *records.Type[*model.Role] {
	return &records.Type[*model.Role]{
		Name: "role", Title: "角色", Menu: "系统管理", Icon: "key", Section: "18.2", Collection: s.roles, NameKey: "roleName", NoExport: true,
		Fields: []records.Field{
			{Key: "userCount", Label: "用户数", Type: "int", List: true, Virtual: true},
			{Key: "permissions", Label: "权限", Type: "permissions"},
		},
		Unique: []records.Unique{{Keys: []string{"orgId", "roleName"}, Field: "roleName", Message: "角色名称已存在"}},
		Actions: []records.Action[*model.Role]{{
			Key: "permissions", Title: "权限设置", Fields: []records.Field{{Key: "permissions", Label: "权限", Type: "permissions", Form: true}},
			Do: func(ctx context.Context, r *model.Role, in records.Input) error {
				asked, _ := in["permissions"].([]string)
				if err := mayGive(ctx, append(slices.Clone(r.Permissions), asked...)); err != nil {
					return kit.InvalidFields(map[string]string{"permissions": err.Error()})
				}
				r.Permissions = asked
				return nil
			},
		}},
		Follow: func(ctx context.Context, _ *model.Role) error { return s.rightsChanged(ctx) },
		BeforeDelete: func(ctx context.Context, r *model.Role) error {
			n, err := s.users.Count(ctx, model.Everything, bson.D{{Key: "roleIds", Value: r.ID}})
			if err == nil && n > 0 {
				return kit.Conflict("role.used", "该角色下存在用户")
			}
			return err
		},
		Present: s.countUsers,
	}
}

// countUsers shows how many users have each role.
func (s *Service) countUsers(ctx context.Context, docs []*model.Role, rows []records.Row) error {
	ids := make([]string, len(docs))
	for i, r := range docs {
		ids[i] = r.ID
	}
	users := make(map[string]int, len(docs))
	err := s.users.Each(ctx, model.Everything, bson.D{{Key: "roleIds", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{}, func(u *model.User) error {
		for _, id := range u.RoleIDs {
			users[id]++
		}
		return nil
	})
	for i, r := range docs {
		rows[i]["userCount"] = users[r.ID]
	}
	return err
}

// mayGive refuses permissions that the caller has not himself, and what is none.
func mayGive(ctx context.Context, permissions []string) error {
	c := kit.CallerOf(ctx)
	for _, p := range permissions {
		if !permissionPattern.MatchString(p) {
			return fmt.Errorf("没有权限“%s”", p)
		}
		if c.Kind != kit.System && !c.Can(p) {
			return fmt.Errorf("不能授予超出自己的权限")
		}
	}
	return nil
}

// rights are what a user may do: what his roles give, what he was given himself, and what others have
// delegated to him for today.
func (s *Service) rights(ctx context.Context, u *model.User) ([]string, error) {
	out, err := s.ownRights(ctx, u)
	if err != nil {
		return nil, err
	}
	more, err := s.delegated(ctx, u)
	if err != nil {
		return nil, err
	}
	out = append(out, more...)
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (s *Service) ownRights(ctx context.Context, u *model.User) ([]string, error) {
	out := slices.Clone(u.Permissions)
	if len(u.RoleIDs) > 0 {
		roles, err := s.roles.Find(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: u.RoleIDs}}}}, model.Page{})
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			out = append(out, r.Permissions...)
		}
	}
	return out, nil
}

// rightsKey counts changes of rights: a session that saw an older count looks again.
const rightsKey = "account:rights"

func (s *Service) rightsChanged(ctx context.Context) error {
	if err := s.redis.Incr(ctx, rightsKey).Err(); err != nil {
		return fmt.Errorf("rights: %w", err)
	}
	return nil
}
