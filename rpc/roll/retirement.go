package roll

import (
	"context"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// retirementType is 退休党员 (spec/records.md 21, manual 6.6). A member with such a record
// counts as retired: bases from the month of his retirement on follow the rates of the retired.
func (s *Service) retirementType() *records.Type[*model.Retirement] {
	return &records.Type[*model.Retirement]{
		Name: "retirement", Title: "退休党员", Menu: "党员管理", Icon: "retirement", Section: "6.6",
		Collection: model.NewCollection[*model.Retirement](s.d.DB, "retirements", s.d.Clock.Now),
		Parts:      []records.Part{records.AboutMember(s.party)},
		Exports:    []string{"memberId", "idNumber", "orgId", "retiredOn", "retirementUnit"},
		Unique:     []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有退休记录"}},
		BeforeSave: func(ctx context.Context, _, r *model.Retirement) error {
			m, err := s.party.Member(ctx, r.MemberID)
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

// followRetirement tells the member's record whether he is retired, and since when.
func (s *Service) followRetirement(ctx context.Context, r *model.Retirement) error {
	if r.State != model.ApprovalApproved {
		return nil
	}
	on := r.RetiredOn
	if r.Deleted {
		on = ""
	}
	_, err := s.d.Party.SetRetired(kit.OnBehalf(ctx), &party.RetiredReq{MemberId: r.MemberID, RetiredOn: on})
	return err
}
