package party

import (
	"context"
	"errors"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// retirementType is 退休党员 (spec/records.md 21, manual 6.6). A member with such a record
// counts as retired: bases from the month of his retirement on follow the rates of the retired.
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
			return s.revealID(&r.OfMember, row)
		},
	}
}

// retire lets 党费类别 say what a retired member pays as; farmers and students pay as such.
func retire(m *model.Member) {
	if m.Retired && (m.DuesCategory == "" || m.DuesCategory == "salaried") {
		m.DuesCategory = "retired"
	}
}

// followRetirement tells the member's record whether he is retired, and since when.
func (s *Service) followRetirement(ctx context.Context, r *model.Retirement) error {
	if r.State != model.ApprovalApproved {
		return nil
	}
	_, err := s.members.Update(ctx, model.Everything, r.MemberID, func(m *model.Member) error {
		on := r.RetiredOn
		if r.Deleted {
			on = ""
		}
		if m.Retired == !r.Deleted && m.RetiredOn == on {
			return errUnchanged
		}
		was := *m
		m.Retired, m.RetiredOn = !r.Deleted, on
		if r.Deleted && m.DuesCategory == "retired" {
			m.DuesCategory = "salaried"
		}
		retire(m)
		return s.Audit(ctx, "member", "退休", &was, m)
	})
	if errors.Is(err, errUnchanged) || errors.Is(err, model.ErrNotFound) {
		return nil
	}
	return err
}
