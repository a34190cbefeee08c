package party

import (
	"context"
	"log/slog"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// GetMyProfile shows the member who calls his own data, masked: the phone may be lent.
func (s *Service) GetMyProfile(ctx context.Context, _ *recordsgen.Empty) (*party.Member, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.members.Get(ctx, model.Everything, c.MemberID)
	if err != nil {
		return nil, records.Mapped(err)
	}
	return s.presentOne(ctx, m, false)
}

// GetMyOrganization shows the member who calls his own organisation.
func (s *Service) GetMyOrganization(ctx context.Context, _ *recordsgen.Empty) (*party.Organization, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	o, err := s.orgs.Get(ctx, model.Everything, c.OrgID)
	if err != nil {
		return nil, records.Mapped(err)
	}
	out, err := s.describe(ctx, o)
	if err != nil {
		return nil, err
	}
	counts, err := s.countBy(ctx, "orgId", bson.D{{Key: "orgId", Value: o.ID}, ofParty})
	out.MemberCount = int64(counts[o.ID])
	return out, err
}

// RevealMember shows one member's personal fields to an admin. The look is written down
// before anything is shown; without the line there is no look.
func (s *Service) RevealMember(ctx context.Context, req *party.MemberReq) (*party.Member, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.members.Get(ctx, model.Within(c.OrgID), req.MemberId)
	if err != nil {
		return nil, records.Mapped(err)
	}
	if err := s.Shown(ctx, model.AuditReveal, "member", "查看完整信息", m, ""); err != nil {
		return nil, err
	}
	slog.InfoContext(ctx, "personal data shown", "userId", c.UserID, "targetId", m.ID, "requestId", c.RequestID)
	return s.presentOne(ctx, m, true)
}
