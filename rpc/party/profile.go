package party

import (
	"context"
	"fmt"
	"log/slog"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// GetMyProfile shows the member who calls his own data, masked: the phone may be lent.
func (s *Service) GetMyProfile(ctx context.Context, _ *records.Empty) (*party.Member, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.members.Get(ctx, model.Everything, c.MemberID)
	if err != nil {
		return nil, notFound(err)
	}
	return s.presentOne(ctx, m, false)
}

// GetMyOrganization shows the member who calls his own organisation.
func (s *Service) GetMyOrganization(ctx context.Context, _ *records.Empty) (*party.Organization, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	o, err := s.orgs.Get(ctx, model.Everything, c.OrgID)
	if err != nil {
		return nil, notFound(err)
	}
	out, err := s.describe(ctx, o)
	if err != nil {
		return nil, err
	}
	counts, err := s.countBy(ctx, "orgId", bson.D{{Key: "orgId", Value: o.ID}})
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
		return nil, notFound(err)
	}
	if err := s.look(ctx, "member.reveal", m.ID); err != nil {
		return nil, err
	}
	return s.presentOne(ctx, m, true)
}

// look writes down a look at personal data, in the append-only audit and the log.
func (s *Service) look(ctx context.Context, action, targetID string) error {
	c := kit.CallerOf(ctx)
	_, err := s.audit.InsertOne(ctx, bson.D{
		{Key: "_id", Value: kit.NewID(s.d.Clock.Now())}, {Key: "at", Value: s.d.Clock.Now()}, {Key: "action", Value: action},
		{Key: "userId", Value: c.UserID}, {Key: "userName", Value: c.Name}, {Key: "orgId", Value: c.OrgID}, {Key: "ip", Value: c.IP},
		{Key: "requestId", Value: c.RequestID}, {Key: "targetId", Value: targetID},
	})
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	slog.InfoContext(ctx, "personal data shown", "action", action, "userId", c.UserID, "targetId", targetID, "requestId", c.RequestID)
	return nil
}
