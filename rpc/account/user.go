package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	account "zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// permissions are what a user can be given; the record engine checks `<type>.<verb>`,
// the route table the rest.
var permissions = []records.Option{
	{Value: "*", Label: "全部权限"},
	{Value: "statistics.view", Label: "组织统计"},
	{Value: "organization.view", Label: "党组织-查看"}, {Value: "organization.create", Label: "党组织-新增"},
	{Value: "organization.update", Label: "党组织-修改"}, {Value: "organization.delete", Label: "党组织-删除"},
	{Value: "organization.import", Label: "党组织-导入"}, {Value: "organization.export", Label: "党组织-导出"},
	{Value: "member.view", Label: "党员-查看"}, {Value: "member.create", Label: "党员-新增"},
	{Value: "member.update", Label: "党员-修改"}, {Value: "member.delete", Label: "党员-删除"},
	{Value: "member.import", Label: "党员-导入"}, {Value: "member.export", Label: "党员-导出"},
	{Value: "member.reveal", Label: "党员-查看敏感信息"},
	{Value: "binding.view", Label: "绑定党员-查看"}, {Value: "binding.unbind", Label: "绑定党员-解绑"},
	{Value: "duesBase.view", Label: "党费基数-查看"}, {Value: "duesBase.create", Label: "党费基数-设定"},
	{Value: "duesBase.delete", Label: "党费基数-删除"}, {Value: "duesBase.import", Label: "党费基数-导入"},
	{Value: "duesOrder.view", Label: "党费-查看"}, {Value: "duesOrder.create", Label: "党费-录入"},
	{Value: "duesOrder.pay", Label: "党费-收缴"}, {Value: "duesOrder.delete", Label: "党费-删除未支付"},
	{Value: "duesOrder.reverse", Label: "党费-删除现金订单"}, {Value: "duesOrder.print", Label: "党费-打印"},
	{Value: "duesOrder.export", Label: "党费-导出"},
	{Value: "meeting.view", Label: "会议-查看"}, {Value: "meeting.create", Label: "会议-新增"},
	{Value: "meeting.update", Label: "会议-修改"}, {Value: "meeting.delete", Label: "会议-删除"},
	{Value: "meeting.start", Label: "会议-启动"}, {Value: "meeting.export", Label: "会议-导出"},
	{Value: "points.view", Label: "积分-查看"}, {Value: "pointsRule.view", Label: "积分分值-查看"},
	{Value: "pointsRule.update", Label: "积分分值-修改"},
	{Value: "user.view", Label: "用户-查看"}, {Value: "user.create", Label: "用户-新增"},
	{Value: "user.update", Label: "用户-修改"}, {Value: "user.delete", Label: "用户-删除"},
}

// orgTree answers the record engine by the party service.
type orgTree struct{ s *Service }

// Path returns the path of an organisation, from the root.
func (o orgTree) Path(ctx context.Context, orgID string) ([]string, error) {
	org, err := o.s.party.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: orgID})
	if err != nil {
		return nil, kit.FromError(err)
	}
	return org.Orgs, nil
}

// newEngine declares the record type user (manual 18.1).
func (s *Service) newEngine(ctx context.Context, c records.Config) (*records.Engine, error) {
	c.Orgs = orgTree{s}
	c.Refs = map[string]records.Ref{"organization": {Labels: s.orgLabels, Check: s.checkOrgs}}
	return records.New(ctx, c, &records.Type[model.User, *model.User]{
		Name: "user", Title: "用户", Collection: s.users,
		Fields: []records.Field{
			{Key: "orgId", Label: "所属组织", Ref: "organization", Required: true, List: true, Form: true, After: "realName"},
			{Key: "permissions", Label: "权限", Type: "enums", Options: permissions, Required: true, Form: true, After: "phone"},
		},
		Unique:   []records.Unique{{Keys: []string{"userName"}, Field: "userName", Message: "用户名已存在"}},
		NoExport: true,
		NameOf:   func(u *model.User) string { return u.UserName },
		BeforeSave: func(ctx context.Context, old, u *model.User) error {
			if err := mayGrant(ctx, old, u); err != nil {
				return err
			}
			return s.setPassword(ctx, u)
		},
		AfterSave: func(ctx context.Context, old, u *model.User) error {
			if old == nil {
				return nil
			}
			return s.endSessions(ctx, u.ID) // new rights, or none, from now on
		},
		BeforeDelete: func(ctx context.Context, u *model.User) error {
			if u.ID == kit.CallerOf(ctx).UserID {
				return kit.Conflict("user.self", "不能删除当前登录的用户")
			}
			if mayGrant(ctx, u, u) != nil {
				return kit.Conflict("user.stronger", "不能删除权限超出自己的用户")
			}
			return nil
		},
		AfterDelete: func(ctx context.Context, u *model.User) error { return s.endSessions(ctx, u.ID) },
	})
}

// mayGrant refuses to give, or to take over, more than the granter has himself.
func mayGrant(ctx context.Context, old, u *model.User) error {
	c := kit.CallerOf(ctx)
	if c.Kind == kit.System {
		return nil
	}
	asked := slices.Clone(u.Permissions)
	if old != nil {
		asked = append(asked, old.Permissions...)
	}
	for _, p := range asked {
		if !c.Can(p) {
			return kit.InvalidFields(map[string]string{"permissions": "不能授予超出自己的权限"})
		}
	}
	if old != nil && old.ID == c.UserID && u.Status != "enabled" {
		return kit.InvalidFields(map[string]string{"status": "不能停用当前登录的用户"})
	}
	return nil
}

// setPassword hashes the password of the form; a changed user may leave it empty.
func (s *Service) setPassword(ctx context.Context, u *model.User) error {
	if u.Password == "" {
		if u.PasswordHash == "" {
			return kit.InvalidFields(map[string]string{"password": "请填写密码"})
		}
		return nil
	}
	if err := checkStrength(u.Password); err != nil {
		return kit.InvalidFields(map[string]string{"password": kit.FromError(err).Message})
	}
	hash, err := s.hasher.hash(ctx, u.Password)
	if err != nil {
		return err
	}
	u.PasswordHash, u.PasswordChangedAt, u.Password = hash, s.clock.Now(), ""
	return nil
}

// FindAdmins are the enabled users of one organisation who hold a permission, for those
// who have something to tell them.
func (s *Service) FindAdmins(ctx context.Context, req *account.AdminsReq) (*account.Admins, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	users, err := s.users.Find(ctx, model.Within(req.OrgId), bson.D{{Key: "orgId", Value: req.OrgId}, {Key: "status", Value: "enabled"}}, model.Page{})
	if err != nil {
		return nil, err
	}
	out := &account.Admins{}
	for _, u := range users {
		c := kit.Caller{Kind: kit.User, Permissions: u.Permissions}
		if req.Permission == "" || c.Can(req.Permission) {
			out.UserIds = append(out.UserIds, u.ID)
		}
	}
	return out, nil
}

func (s *Service) orgLabels(ctx context.Context, ids []string) (map[string]string, error) {
	labels := make(map[string]string, len(ids))
	for _, id := range ids {
		o, err := s.party.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: id})
		if err != nil && errors.Is(kit.FromError(err), kit.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("organisation %s: %w", id, err)
		}
		labels[id] = o.OrgName
	}
	return labels, nil
}

func (s *Service) checkOrgs(ctx context.Context, ids []string) error {
	c := kit.CallerOf(ctx)
	for _, id := range ids {
		path, err := (orgTree{s}).Path(ctx, id)
		if err != nil {
			return err
		}
		if c.Kind == kit.User && !slices.Contains(path, c.OrgID) {
			return kit.ErrNotFound
		}
	}
	return nil
}
