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
		Collection: model.NewCollection[*model.Retirement](s.d.DB, "retirements", s.d.Clock.Now),
		Parts:      []records.Part{records.AboutMember(s)},
		Exports:    []string{"memberId", "idNumber", "orgId", "retiredOn", "retirementUnit"},
		Unique:     []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有退休记录"}},
		BeforeSave: func(ctx context.Context, _, r *model.Retirement) error {
			m, err := s.members.Get(ctx, model.Everything, r.MemberID)
			if err != nil {
				return err
			}
			if m.JoinedOn != "" && r.RetiredOn < m.JoinedOn {
				return kit.InvalidFields(map[string]string{"retiredOn": "退休时间不能早于入党日期"})
			}
			return nil
		},
		Follow: s.followRetirement,
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
