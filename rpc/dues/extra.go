package dues

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// extraType is 自愿多交党费: beside what is owed, without limit. It settles no month. One payment of 1,000
// yuan or more is 大额党费, and goes to the Centre whole, which gives the receipt (中组发〔2008〕3号).
func (s *Service) extraType(people records.People) *records.Type[*model.DuesExtra] {
	return &records.Type[*model.DuesExtra]{
		Name: "duesExtra", Title: "自愿多交党费", Menu: "党费", Icon: "money", Section: "7.3.1", NoUpdate: true,
		Collection: model.NewCollection[*model.DuesExtra](s.d.DB, "duesExtras", s.d.Clock.Now),
		Parts:      []records.Part{records.AboutMember(people)},
		Fields: []records.Field{
			{Key: "orgId", Label: "党组织", Type: "ref", Ref: "organization", List: true, Search: true, ReadOnly: true, After: "memberId", Width: 170},
			{Key: "amount", Label: "金额", Type: "money", Required: true, Form: true, List: true, Min: 1, Max: maxBase, After: "orgId"},
		},
		NameOf:  func(x *model.DuesExtra) string { return "自愿多交党费" + kit.Yuan(x.Amount) + "元" },
		Exports: []string{"memberId", "idNumber", "orgId", "amount", "large", "paidOn", "receiptNo", "operator"},
		// On the phone its list is reached from 党费缴纳: 我的 has the entries of the manual.
		Own: &records.Own[*model.DuesExtra]{
			Where: records.Mine, Fields: []string{"amount", "large", "paidOn", "receiptNo"},
		},
		BeforeSave: func(ctx context.Context, old, x *model.DuesExtra) error {
			if old != nil {
				return nil
			}
			m, err := s.member(ctx, x.MemberID)
			if err != nil {
				return err
			}
			if err := pays(m); err != nil {
				return err
			}
			x.Mark(kit.CallerOf(ctx).Name)
			return nil
		},
		Summary: func(ctx context.Context, filter bson.D) (map[string]string, error) {
			return sumOf(ctx, s.d.DB.Collection("duesExtras"), "$amount", filter)
		},
	}
}
