package development

import (
	"context"
	"strings"

	development "zhihuidangjian/idl/gen/development"
	"zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// SeedDemo begins the cases of party's invented members who are no full members yet. Done again, it
// changes nothing.
func (s *Service) SeedDemo(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	all, err := s.d.Party.ListMembers(ctx, &party.OrgReq{OrgId: model.RootOrg})
	if err != nil {
		return err
	}
	for _, m := range all.Members {
		if !strings.HasPrefix(m.Id, "0000demomember") {
			continue
		}
		if _, err := s.BeginCase(ctx, &development.BeginReq{MemberId: m.Id, MemberType: m.MemberType, OrgId: m.OrgId, Orgs: m.Orgs, ActivistOn: m.ActivistOn}); err != nil {
			return err
		}
	}
	return nil
}
