package party

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var errReturned = kit.Conflict("reduction.returned", "该党员已重新登记，不能恢复")

// SetStanding takes a member off the roll, or back on it unbound (manual 6.7). One who is gone,
// or stands so already, is left as he is.
func (s *Service) SetStanding(ctx context.Context, req *party.StandingReq) (*recordsgen.Empty, error) {
	return s.follow(ctx, req.MemberId, func(m *model.Member) (string, bool) {
		if req.Left && req.Transferred {
			return "关系转出", m.Transfer()
		}
		if req.Left {
			return "减少", m.Leave()
		}
		return "恢复", m.Return()
	})
}

// SetRetired tells a member's record whether he is retired, and since when (manual 6.6).
func (s *Service) SetRetired(ctx context.Context, req *party.RetiredReq) (*recordsgen.Empty, error) {
	return s.follow(ctx, req.MemberId, func(m *model.Member) (string, bool) { return "退休", m.Retire(req.RetiredOn) })
}

// SetDeveloped tells a member's record what a step of 发展党员 made of him (manual 6.2.1.1).
func (s *Service) SetDeveloped(ctx context.Context, req *party.DevelopReq) (*recordsgen.Empty, error) {
	return s.follow(ctx, req.MemberId, func(m *model.Member) (string, bool) {
		return "发展党员", m.Develop(req.MemberType, req.ActivistOn, req.JoinedOn, req.RegularizedOn)
	})
}

// follow lets a member's record follow what others say of him; change tells what it is called, and
// whether it changed anything.
func (s *Service) follow(ctx context.Context, id string, change func(*model.Member) (string, bool)) (*recordsgen.Empty, error) {
	_, err := s.members.Update(ctx, model.Everything, id, func(m *model.Member) error {
		was := *m
		title, changed := change(m)
		if !changed {
			return model.ErrUnchanged
		}
		return s.Audit(ctx, "member", title, &was, m)
	})
	if errors.Is(err, model.ErrNotFound) {
		err = nil
	}
	return &recordsgen.Empty{}, records.Mapped(err)
}

// CheckReturn refuses a member whose ID number somebody on the roll has by now.
func (s *Service) CheckReturn(ctx context.Context, req *party.MemberReq) (*recordsgen.Empty, error) {
	m, err := s.members.Get(ctx, model.Everything, req.MemberId)
	if err != nil {
		return nil, records.Mapped(err)
	}
	taken, err := s.members.Count(ctx, model.Everything, append(bson.D{{Key: "idBlind", Value: m.IDBlind}}, active...))
	if err != nil {
		return nil, err
	}
	if taken > 0 {
		return nil, errReturned
	}
	return &recordsgen.Empty{}, nil
}

// FindByIDNumber is the member on the roll whose ID number has a blind index.
func (s *Service) FindByIDNumber(ctx context.Context, req *party.BlindReq) (*party.Member, error) {
	found, err := s.find(ctx, append(bson.D{{Key: "idBlind", Value: req.IdBlind}}, active...))
	if err != nil || len(found.Members) == 0 {
		return &party.Member{}, err
	}
	return found.Members[0], nil
}

// GetIdentities are the ID numbers of members, for the pages of records about them.
func (s *Service) GetIdentities(ctx context.Context, req *party.MembersReq) (*party.Identities, error) {
	list, err := s.members.Find(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: req.MemberIds}}}}, model.Page{})
	if err != nil {
		return nil, err
	}
	out := &party.Identities{}
	for _, m := range list {
		out.Identities = append(out.Identities, &party.Identity{MemberId: m.ID, Masked: m.IDMasked, Sealed: m.IDNumber})
	}
	return out, nil
}
