package dues

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// baseApplicationType is a base that a member applies for (manual 7.2.1, 17.8).
func (s *Service) baseApplicationType(people records.People) *records.Type[*model.DuesBaseApplication] {
	form := []string{"effectiveMonth", "baseAmount", "files"}
	return &records.Type[*model.DuesBaseApplication]{
		Name: "duesBaseApplication", Title: "党费基数", Menu: "审批事项", Icon: "money", Section: "17.8", Collection: s.applied,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Parts: []records.Part{records.AboutMember(people)},
		Fields: []records.Field{
			{Key: "baseAmount", Label: "应缴基数", Type: "money", Required: true, Form: true, List: true, Max: maxBase, After: "effectiveMonth"},
			{Key: "rate", Label: "缴存比例", Virtual: true, List: true, Form: true, ReadOnly: true, After: "baseAmount"},
			{Key: "createdAt", Label: "申请时间", Type: "datetime", List: true, ReadOnly: true},
		},
		NameOf: func(a *model.DuesBaseApplication) string { return a.EffectiveMonth },
		Unique: []records.Unique{{Keys: []string{"memberId", "effectiveMonth"}, Message: "已有待审核的申请",
			Partial: bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalPending}}}},
		Own: &records.Own[*model.DuesBaseApplication]{
			Where: records.Mine, Create: true, Form: form, Fields: append(form, "rate", "payableAmount", "state", "opinion", "createdAt", "approvedAt"),
			Place: &records.Place{Page: "apply", Title: "党费基数", Icon: "base", Order: 3},
			Prepare: func(ctx context.Context, a *model.DuesBaseApplication) error {
				a.MemberID, a.Channel = kit.CallerOf(ctx).MemberID, model.FromMobile
				return nil
			},
		},
		BeforeSave: func(ctx context.Context, _, a *model.DuesBaseApplication) error {
			b, err := s.baseOf(ctx, a)
			if err != nil {
				return err
			}
			a.Rate, a.PayableAmount, a.Channel = b.Rate, b.PayableAmount, model.FromMobile
			return nil
		},
		Present: func(_ context.Context, docs []*model.DuesBaseApplication, rows []records.Row) error {
			for i, a := range docs {
				rows[i]["rate"] = percent(a.Rate)
			}
			return nil
		},
		Approval: &records.Approval[*model.DuesBaseApplication]{
			Applicant: func(a *model.DuesBaseApplication) string { return a.MemberID },
			OnApprove: func(ctx context.Context, a *model.DuesBaseApplication, _ records.Input) error {
				_, err := s.baseOf(ctx, a)
				return err
			},
			Effect: func(ctx context.Context, a *model.DuesBaseApplication) error {
				b, err := s.baseOf(ctx, a)
				if err != nil {
					return err
				}
				b.CreatedBy = a.ApproverID
				s.d.Seal.Close(b)
				failed, err := s.storeBases(ctx, []*model.DuesBase{b})
				if err == nil {
					err = failed[0]
				}
				if err == nil {
					err = s.refreshOf(ctx, a.MemberID)
				}
				return err
			},
		},
	}
}

// baseOf is the base that an application asks for, computed as one that an admin enters.
func (s *Service) baseOf(ctx context.Context, a *model.DuesBaseApplication) (*model.DuesBase, error) {
	m, err := s.member(ctx, a.MemberID)
	if err != nil {
		return nil, err
	}
	if err := pays(m); err != nil {
		return nil, err
	}
	open := *a
	if err := s.d.Seal.Disclose(&open); err != nil {
		return nil, err
	}
	b := &model.DuesBase{EffectiveMonth: a.EffectiveMonth, BaseAmount: open.BaseAmount}
	return b, s.fillBase(ctx, b, m)
}
