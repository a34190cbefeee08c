package roll

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
		Name: "hardship", Title: "困难党员", Menu: "党员管理", Icon: "hardship", Section: "6.5",
		Collection: model.NewCollection[*model.Hardship](s.d.DB, "hardships", s.d.Clock.Now),
		Parts:      []records.Part{records.AboutMember(s.party)},
		Exports:    []string{"memberId", "idNumber", "orgId", "hardshipType", "description", "registeredOn"},
		Unique:     []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有困难党员记录"}},
		BeforeSave: func(_ context.Context, old, h *model.Hardship) error {
			if old == nil {
				h.RegisteredOn = s.d.Clock.Now().Format(time.DateOnly)
			}
			return nil
		},
	}
}
