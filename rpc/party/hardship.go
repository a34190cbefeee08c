package party

import (
	"context"
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
)

// hardshipType is 困难党员 (spec/records.md 20, manual 6.5): members who need help, entered by
// an admin or by an application of their own.
func (s *Service) hardshipType() *records.Type[*model.Hardship] {
	return &records.Type[*model.Hardship]{
		Name: "hardship", Title: "困难党员", Menu: "党员管理",
		Collection: model.NewCollection[*model.Hardship](s.d.DB, "hardships", s.d.Clock.Now), Indexes: []model.Index{byMember},
		Fields:  []records.Field{orgOfMember, idOfMember},
		Exports: []string{"memberId", "idNumber", "orgId", "hardshipType", "description", "registeredOn"},
		Unique:  []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有困难党员记录"}},
		NameOf:  func(*model.Hardship) string { return "困难党员" },
		BeforeSave: func(ctx context.Context, old, h *model.Hardship) error {
			if old != nil {
				return nil
			}
			h.RegisteredOn = s.d.Clock.Now().Format(time.DateOnly)
			return s.placeWith(ctx, &h.Base, h.MemberID)
		},
		Present: func(ctx context.Context, docs []*model.Hardship, rows []records.Row) error {
			return s.identify(ctx, rows, func(i int) *model.OfMember { return &docs[i].OfMember })
		},
		Reveal: func(_ context.Context, h *model.Hardship, row records.Row) error { return s.revealID(&h.OfMember, row) },
	}
}
