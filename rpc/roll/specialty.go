package roll

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// specialtyTagType is 特长标签, the words that specialties are told and found by.
func (s *Service) specialtyTagType() *records.Type[*model.Category] {
	t := records.Categories(s.d.DB, s.d.Clock, "specialtyTag", "特长标签", "党员管理", "6.3.1",
		"书法绘画", "摄影摄像", "音乐舞蹈", "体育健身", "文字写作", "计算机", "外语翻译", "法律咨询", "医疗急救", "教学辅导", "水电维修", "驾驶")
	t.Fields = append(t.Fields, records.Field{Key: "name", Label: "名称", Required: true, List: true, Form: true, Search: true, Keyword: true, Max: 10})
	return t
}

// specialtyType is 党员特长 (spec/records.md 17, manual 6.3): one record a member, which he
// maintains himself without approval.
func (s *Service) specialtyType() *records.Type[*model.Specialty] {
	return &records.Type[*model.Specialty]{
		Name: "specialty", Title: "党员特长", Menu: "党员管理", Icon: "specialty", Section: "6.3.2",
		Collection: model.NewCollection[*model.Specialty](s.d.DB, "specialties", s.d.Clock.Now),
		Indexes:    []model.Index{{Keys: bson.D{{Key: "tags", Value: 1}}}},
		Fields: []records.Field{
			{Key: "orgId", Label: "所在支部", Ref: "organization", List: true, ReadOnly: true, After: "memberId", Width: 180},
			{Key: "phone", Label: "手机号", Type: "phone", List: true, Virtual: true, After: "orgId"},
			{Key: "updatedAt", Label: "更新时间", Type: "datetime", List: true, ReadOnly: true},
		},
		Unique: []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有特长记录，请在原记录中修改"}},
		Own: &records.Own[*model.Specialty]{
			Place: &records.Place{Page: "mine", Title: "我的特长", Icon: "specialty", Single: true, Order: 6},
			Where: records.Mine, Create: true, Update: true, Delete: true,
			Fields: []string{"tags", "description", "updatedAt"}, Form: []string{"tags", "description"},
			Prepare: func(ctx context.Context, x *model.Specialty) error {
				x.MemberID = kit.CallerOf(ctx).MemberID
				return nil
			},
		},
		BeforeSave: func(ctx context.Context, old, x *model.Specialty) error {
			if old != nil {
				return nil
			}
			var err error
			x.OrgID, x.Orgs, err = s.party.Place(ctx, x.MemberID)
			return err
		},
		Viewed: func(ctx context.Context, x *model.Specialty) error {
			if !kit.CallerOf(ctx).Can("member.reveal") {
				return nil
			}
			m, err := s.d.Party.RevealMember(ctx, &party.MemberReq{MemberId: x.MemberID})
			if errors.Is(err, kit.ErrNotFound) {
				return nil // he moved away: masked
			}
			if err != nil {
				return err
			}
			x.Phone = m.Phone
			return nil
		},
		Present: func(ctx context.Context, docs []*model.Specialty, rows []records.Row) error {
			ids := make([]string, len(docs))
			for i, d := range docs {
				ids[i] = d.MemberID
			}
			members, err := s.party.Members(ctx, ids)
			for i, d := range docs {
				if m := members[d.MemberID]; d.Phone != "" {
					rows[i]["phone"] = d.Phone
				} else if m != nil {
					rows[i]["phone"] = m.Phone
				}
			}
			return err
		},
	}
}
