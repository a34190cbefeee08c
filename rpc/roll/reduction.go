package roll

import (
	"context"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// reductionType is 党员减少 (spec/records.md 22, manual 6.7): the member leaves lists,
// choosers, arrears and statistics, and his WeChat binding ends; when the record is
// deleted he is active again, unbound.
func (s *Service) reductionType() *records.Type[*model.MemberReduction] {
	only := func(kind string) *records.ShowIf { return &records.ShowIf{Field: "reductionType", In: []string{kind}} }
	return &records.Type[*model.MemberReduction]{
		Name: "memberReduction", Title: "党员减少", Menu: "党员管理", Icon: "leave", Section: "6.7",
		Collection: model.NewCollection[*model.MemberReduction](s.d.DB, "memberReductions", s.d.Clock.Now),
		Fields: []records.Field{
			{Key: "orgId", Label: "原所在支部", Type: "ref", Ref: "organization", List: true, After: "memberId"},
			{Key: "expulsionForm", Label: "出党方式", Type: "enum", Form: true, ShowIf: only("expulsion"), Options: []records.Option{
				{Value: "expelled", Label: "开除党籍"}, {Value: "selfLeft", Label: "自行脱党"}, {Value: "persuaded", Label: "劝退"},
				{Value: "removed", Label: "除名"}, {Value: "withdrawn", Label: "退党"}, {Value: "probationCancelled", Label: "取消预备党员资格"}}},
		},
		Unique: []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有减少记录"}},
		NameOf: func(r *model.MemberReduction) string { return "党员减少记录" },
		BeforeSave: func(ctx context.Context, old, r *model.MemberReduction) error {
			if r.ReductionType == "expulsion" && r.ExpulsionForm == "" {
				return kit.InvalidFields(map[string]string{"expulsionForm": "请填写出党方式"})
			}
			if r.ReductionType != "expulsion" {
				r.ExpulsionForm = ""
			}
			if old != nil {
				return nil
			}
			var err error
			r.OrgID, r.Orgs, err = s.party.Place(ctx, r.MemberID)
			return err
		},
		Follow: s.followReduction,
		BeforeDelete: func(ctx context.Context, r *model.MemberReduction) error {
			_, err := s.d.Party.CheckReturn(kit.AsSystem(ctx), &party.MemberReq{MemberId: r.MemberID})
			return err
		},
	}
}

// followReduction takes the member out, or back when the record is gone.
func (s *Service) followReduction(ctx context.Context, r *model.MemberReduction) error {
	_, err := s.d.Party.SetStanding(kit.OnBehalf(ctx), &party.StandingReq{MemberId: r.MemberID, Left: !r.Deleted})
	return err
}
