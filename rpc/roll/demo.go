package roll

import (
	"context"
	"errors"
	"slices"
	"strings"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// SeedDemo adds what is on record about some of party's invented members. Done again, it changes
// nothing.
func (s *Service) SeedDemo(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	all, err := s.d.Party.ListMembers(ctx, &party.OrgReq{OrgId: model.RootOrg})
	if err != nil {
		return err
	}
	members := slices.DeleteFunc(all.Members, func(m *party.Member) bool { return !strings.HasPrefix(m.Id, "0000demomember") })
	slices.SortFunc(members, func(a, b *party.Member) int { return strings.Compare(a.Id, b.Id) })
	if len(members) < demoMembers {
		return nil // some are gone: it was done long ago
	}
	return errors.Join(s.seedAwards(ctx, members), s.seedApplications(ctx, members), s.seedLost(ctx, members))
}

// demoMembers is how many of the invented members the invented records are about.
const demoMembers = 60
