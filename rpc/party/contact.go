package party

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// contactType is 常用联系人 (manual 6): kept by the member himself, read by his admins.
func (s *Service) contactType() *records.Type[*model.MemberContact] {
	return &records.Type[*model.MemberContact]{
		Name: "memberContact", Title: "常用联系人",
		Collection: model.NewCollection[*model.MemberContact](s.d.DB, "memberContacts", s.d.Clock.Now),
		NoCreate:   true, NoUpdate: true, NoDelete: true, NoExport: true,
		NameKey: "name",
		Own: &records.Own[*model.MemberContact]{
			Place: &records.Place{Page: "personal", Title: "常用联系人", Icon: "contact", Order: 1},
			Where: records.Mine, Create: true, Update: true, Delete: true,
			Fields: []string{"name", "relation", "phone"}, Form: []string{"name", "relation", "phone"},
			Prepare: func(ctx context.Context, c *model.MemberContact) error {
				c.MemberID = kit.CallerOf(ctx).MemberID
				return nil
			},
		},
	}
}
