package party

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// abroadType is 党员出国出境 (spec/records.md 32, manual 8.3): history only, the member stays
// where he is.
func (s *Service) abroadType() *records.Type[*model.AbroadRecord] {
	return &records.Type[*model.AbroadRecord]{
		Name: "abroadRecord", Title: "党员出国出境", Menu: "组织关系",
		Collection: model.NewCollection[*model.AbroadRecord](s.d.DB, "abroadRecords", s.d.Clock.Now), Indexes: []model.Index{byMember},
		Fields:  []records.Field{orgOfMember, idOfMember},
		Exports: []string{"memberId", "idNumber", "orgId", "destination", "purpose", "departOn", "returnOn"},
		Unique:  []records.Unique{{Keys: []string{"memberId", "departOn"}, Field: "departOn", Message: "该党员已有同一天出国（境）的记录"}},
		NameOf:  func(r *model.AbroadRecord) string { return r.Destination },
		BeforeSave: func(ctx context.Context, old, r *model.AbroadRecord) error {
			wrong := map[string]string{}
			if r.ExpectedReturnOn != "" && r.ExpectedReturnOn < r.DepartOn {
				wrong["expectedReturnOn"] = "预计回国时间不能早于出国（境）时间"
			}
			if r.ReturnOn != "" && r.ReturnOn < r.DepartOn {
				wrong["returnOn"] = "实际回国时间不能早于出国（境）时间"
			}
			if len(wrong) > 0 {
				return kit.InvalidFields(wrong)
			}
			if old != nil {
				return nil
			}
			return s.placeWith(ctx, &r.Base, r.MemberID)
		},
		Present: func(ctx context.Context, docs []*model.AbroadRecord, rows []records.Row) error {
			return s.identify(ctx, rows, func(i int) *model.OfMember { return &docs[i].OfMember })
		},
		Reveal: func(_ context.Context, r *model.AbroadRecord, row records.Row) error {
			return s.revealID(&r.OfMember, row)
		},
	}
}
