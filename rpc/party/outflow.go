package party

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// outflowType is 党员流出 (spec/records.md 19, manual 6.4.2): the member stays in his branch and
// pays his dues there.
func (s *Service) outflowType() *records.Type[*model.MemberOutflow] {
	return &records.Type[*model.MemberOutflow]{
		Name: "memberOutflow", Title: "党员流出",
		Collection: model.NewCollection[*model.MemberOutflow](s.d.DB, "memberOutflows", s.d.Clock.Now), Indexes: []model.Index{byMember},
		Fields:  []records.Field{orgOfMember, idOfMember},
		Exports: []string{"memberId", "idNumber", "orgId", "outflowPlace", "outflowOn", "expectedReturnOn", "reason"},
		Unique:  []records.Unique{{Keys: []string{"memberId", "returnedOn"}, Field: "memberId", Message: "该党员已有尚未返回的流出记录"}},
		NameOf:  func(o *model.MemberOutflow) string { return o.OutflowPlace },
		BeforeSave: func(ctx context.Context, old, o *model.MemberOutflow) error {
			wrong := map[string]string{}
			if o.ExpectedReturnOn != "" && o.ExpectedReturnOn < o.OutflowOn {
				wrong["expectedReturnOn"] = "预计返回时间不能早于流出时间"
			}
			if o.ReturnedOn != "" && o.ReturnedOn < o.OutflowOn {
				wrong["returnedOn"] = "返回时间不能早于流出时间"
			}
			if len(wrong) > 0 {
				return kit.InvalidFields(wrong)
			}
			if old != nil {
				return nil
			}
			return s.placeWith(ctx, &o.Base, o.MemberID)
		},
		Present: func(ctx context.Context, docs []*model.MemberOutflow, rows []records.Row) error {
			return s.identify(ctx, rows, func(i int) *model.OfMember { return &docs[i].OfMember })
		},
		Reveal: func(_ context.Context, o *model.MemberOutflow, row records.Row) error {
			return s.revealID(&o.OfMember, row)
		},
	}
}

// outflowApplicationType is what members apply for in their branch (manual 6.4.2.1, 17.1). One
// waits at a time.
func (s *Service) outflowApplicationType(t *records.Type[*model.MemberOutflow]) *records.Type[*model.MemberOutflow] {
	a := records.Applications(t, "outflowPlace", "outflowOrgName", "outflowOn", "expectedReturnOn", "reason", "contactPhone")
	a.Menu, a.Where = "", flowsOf
	return a
}
