package party

import (
	"context"
	"errors"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// retirementType is 退休党员 (spec/records.md 21, manual 6.6). A member with such a record
// counts as retired: bases added from then on follow the rates of the retired.
func (s *Service) retirementType() *records.Type[*model.Retirement] {
	return &records.Type[*model.Retirement]{
		Name: "retirement", Title: "退休党员", Menu: "党员管理",
		Collection: model.NewCollection[*model.Retirement](s.d.DB, "retirements", s.d.Clock.Now), Indexes: []model.Index{byMember},
		Fields:  []records.Field{orgOfMember, idOfMember},
		Exports: []string{"memberId", "idNumber", "orgId", "retiredOn", "retirementUnit"},
		Unique:  []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有退休记录"}},
		NameOf:  func(*model.Retirement) string { return "退休党员" },
		BeforeSave: func(ctx context.Context, old, r *model.Retirement) error {
			m, err := s.members.Get(ctx, model.Everything, r.MemberID)
			if err != nil {
				return err
			}
			if m.JoinedOn != "" && r.RetiredOn < m.JoinedOn {
				return kit.InvalidFields(map[string]string{"retiredOn": "退休时间不能早于入党日期"})
			}
			if old == nil {
				r.OrgID, r.Orgs = m.OrgID, m.Orgs
			}
			return nil
		},
		Follow: s.followRetirement,
		Present: func(ctx context.Context, docs []*model.Retirement, rows []records.Row) error {
			return s.identify(ctx, rows, func(i int) *model.OfMember { return &docs[i].OfMember })
		},
		Reveal: func(_ context.Context, r *model.Retirement, row records.Row) error {
			return s.revealID(r.IDSealed, row)
		},
	}
}

// followRetirement tells the member's record whether he is retired.
func (s *Service) followRetirement(ctx context.Context, r *model.Retirement) error {
	if r.State != model.ApprovalApproved {
		return nil
	}
	_, err := s.members.Update(ctx, model.Everything, r.MemberID, func(m *model.Member) error {
		if m.Retired == !r.Deleted {
			return errUnchanged
		}
		was := *m
		m.Retired = !r.Deleted
		return s.Audit(ctx, "member", "退休", &was, m)
	})
	if errors.Is(err, errUnchanged) || errors.Is(err, model.ErrNotFound) {
		return nil
	}
	return err
}
