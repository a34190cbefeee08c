package account

import (
	"context"
	"regexp"
	"slices"
	"strings"

	account "zhihuidangjian/idl/gen/account"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// pagePermissions are those of pages whose address does not name their record type.
var pagePermissions = map[string]string{
	"dues": "duesOrder.view", "payments": "duesOrder.view", "dues-base": "duesBase.view",
	"meetings": "meeting.view", "ranking": "points.view", "points-rule": "pointsRule.view",
}

// maxModules bounds what one user keeps.
const maxModules = 60

var pageAddress = regexp.MustCompile(`^/[A-Za-z][A-Za-z/-]{0,59}$`)

// GetHome returns the pages that the caller put on his home page, as far as he may still
// open them (HOME-02, HOME-03).
func (s *Service) GetHome(ctx context.Context, _ *recordsgen.Empty) (*account.Home, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.users.Get(ctx, model.Everything, c.UserID)
	if err != nil {
		return nil, kit.FromError(err)
	}
	return home(c, u), nil
}

// SaveHome replaces them, for this user only (HOME-04, HOME-05).
func (s *Service) SaveHome(ctx context.Context, req *account.Home) (*account.Home, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	chosen := []string{} // not nil: an empty choice is a choice
	for _, m := range req.Modules {
		if !pageAddress.MatchString(m) {
			return nil, kit.Invalid("home.module", "常用功能不存在")
		}
		if !mayOpen(c, m) {
			return nil, kit.Forbidden("forbidden", "无操作权限")
		}
		if !slices.Contains(chosen, m) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) > maxModules {
		return nil, kit.Invalid("home.modules", "常用功能过多")
	}
	u, err := s.users.Update(ctx, model.Everything, c.UserID, func(u *model.User) error {
		u.HomeModules = chosen
		return nil
	})
	if err != nil {
		return nil, kit.FromError(err)
	}
	return home(c, u), nil
}

func home(c *kit.Caller, u *model.User) *account.Home {
	h := &account.Home{Chosen: u.HomeModules != nil}
	for _, m := range u.HomeModules {
		if mayOpen(c, m) {
			h.Modules = append(h.Modules, m)
		}
	}
	return h
}

// mayOpen tells whether a page's permission is held; a record type's page is named
// after it.
func mayOpen(c *kit.Caller, page string) bool {
	name := page[strings.LastIndexByte(page, '/')+1:]
	if p := pagePermissions[name]; p != "" {
		return c.Can(p)
	}
	return c.Can(name + ".view")
}
