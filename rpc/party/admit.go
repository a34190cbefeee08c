package party

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var (
	errOnRoll = kit.Conflict("member.taken", "该身份证号已是本系统的在册党员")
	errGone   = kit.Conflict("member.gone", "该党员已不在原支部")
	errTarget = kit.Conflict("member.target", "转入组织应为本系统另一个党支部、联合支部或党小组")
)

// CheckAdmission tells whether somebody could be put on the roll.
func (s *Service) CheckAdmission(ctx context.Context, req *party.AdmitReq) (*recordsgen.Empty, error) {
	_, err := s.admissible(ctx, req)
	return &recordsgen.Empty{}, err
}

// admissible is the member that somebody would be, open; nil when he is here already.
func (s *Service) admissible(ctx context.Context, req *party.AdmitReq) (*model.Member, error) {
	if _, err := s.members.Get(ctx, model.Everything, req.MemberId); err == nil || !errors.Is(err, model.ErrNotFound) {
		return nil, err
	}
	m := &model.Member{
		Base: model.Base{ID: req.MemberId, OrgID: req.OrgId, CreatedBy: kit.CallerOf(ctx).UserID},
		Name: req.Name, Gender: req.Gender, IDNumber: req.IdNumber, Phone: req.Phone, Ethnicity: req.Ethnicity, Education: req.Education,
		MemberType: req.MemberType, JoinedOn: req.JoinedOn, RegularizedOn: req.RegularizedOn, DuesPaidThrough: req.DuesPaidThrough,
	}
	if err := s.checkMember(ctx, nil, m); err != nil {
		return nil, err
	}
	orgs, err := s.treeNow(ctx)
	if err != nil {
		return nil, err
	}
	m.Orgs = orgs[m.OrgID].Orgs
	for key, value := range map[string]string{"idBlind": m.IDNumber, "phoneBlind": m.Phone} {
		found, err := s.find(ctx, append(bson.D{{Key: key, Value: s.d.Seal.Blind(value)}}, active...))
		if err != nil {
			return nil, err
		}
		switch {
		case len(found.Members) == 0:
		case key == "idBlind":
			return nil, errOnRoll
		default:
			return nil, kit.Conflict("member.phone", "该手机号已是本系统其他党员的手机号，请核对")
		}
	}
	return m, nil
}

// AdmitMember puts somebody on the roll whose relation was transferred in (manual 8.1). He has
// the id that the caller names, so that he is admitted once.
func (s *Service) AdmitMember(ctx context.Context, req *party.AdmitReq) (*recordsgen.Empty, error) {
	none := &recordsgen.Empty{}
	m, err := s.admissible(ctx, req)
	if err != nil || m == nil {
		return none, err
	}
	s.d.Seal.Close(m)
	if err := s.Audit(ctx, "member", "关系转入", nil, m); err != nil {
		return nil, err
	}
	switch err := s.members.Insert(ctx, m); {
	case errors.Is(err, model.ErrDuplicate):
		// Another has the number by now; or it is he, admitted by a second worker.
		if _, gone := s.members.Get(ctx, model.Everything, m.ID); gone != nil {
			return nil, errOnRoll
		}
	case err != nil:
		return nil, err
	}
	if m.MemberType == "fullMember" {
		return none, nil
	}
	return none, s.beginCase(ctx, m)
}

// target is the branch that a member is to be moved to.
func (s *Service) target(ctx context.Context, req *party.MoveReq) (*model.Organization, error) {
	all, err := s.treeNow(ctx)
	if err != nil {
		return nil, err
	}
	to := all[req.ToOrgId]
	if to == nil || !home(to) || req.ToOrgId == req.FromOrgId {
		return nil, errTarget
	}
	return to, nil
}

// CheckMove tells whether a member could be moved.
func (s *Service) CheckMove(ctx context.Context, req *party.MoveReq) (*recordsgen.Empty, error) {
	if _, err := s.target(ctx, req); err != nil {
		return nil, err
	}
	m, err := s.members.Get(ctx, model.Everything, req.MemberId)
	if err != nil {
		return nil, records.Mapped(err)
	}
	if m.Status != "active" || m.OrgID != req.FromOrgId {
		return nil, errGone
	}
	return &recordsgen.Empty{}, nil
}

// MoveMember takes a member from one branch to another, unbound, in one write: he is in both or
// in none at no time. One who is not where he is taken from stays where he is.
func (s *Service) MoveMember(ctx context.Context, req *party.MoveReq) (*recordsgen.Empty, error) {
	to, err := s.target(ctx, req)
	if err != nil {
		return nil, err
	}
	return s.follow(ctx, req.MemberId, func(m *model.Member) (string, bool) {
		return "平台内流转", m.Move(req.FromOrgId, to.ID, slices.Clone(to.Orgs))
	})
}

// ListMoved are members whose records have not all followed them to their branch yet.
func (s *Service) ListMoved(ctx context.Context, _ *recordsgen.Empty) (*party.Members, error) {
	return s.find(ctx, bson.D{{Key: "moved", Value: true}})
}

// SettleMember notes that the records of a member are where he is; one who has moved on since is
// not settled.
func (s *Service) SettleMember(ctx context.Context, req *party.SettleReq) (*recordsgen.Empty, error) {
	_, err := s.members.Update(ctx, model.Everything, req.MemberId, func(m *model.Member) error {
		if !m.Moved || m.OrgID != req.OrgId {
			return model.ErrUnchanged
		}
		m.Moved = false
		return nil
	})
	if errors.Is(err, model.ErrNotFound) {
		err = nil
	}
	return &recordsgen.Empty{}, err
}

// FindBranches are the organisations that members may belong to whose name has a part, ten at most.
func (s *Service) FindBranches(ctx context.Context, req *party.BranchesReq) (*party.BranchPlaces, error) {
	all, err := s.tree(ctx)
	if err != nil {
		return nil, err
	}
	out := &party.BranchPlaces{}
	for _, o := range all {
		if home(o) && strings.Contains(o.OrgName, req.Keyword) {
			b := &party.BranchPlace{Id: o.ID, OrgName: o.OrgName}
			if up := all[o.ParentID]; up != nil {
				b.ParentName = up.OrgName
			}
			out.Branches = append(out.Branches, b)
		}
	}
	slices.SortFunc(out.Branches, func(a, b *party.BranchPlace) int {
		return cmp.Or(strings.Compare(a.OrgName, b.OrgName), strings.Compare(a.Id, b.Id))
	})
	out.Branches = out.Branches[:min(len(out.Branches), 10)]
	return out, nil
}
