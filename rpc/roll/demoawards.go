package roll

import (
	"context"
	"fmt"
	"time"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// seedAwards adds invented rewards, a sanction and specialties of demo members; days ago
// keeps them recent.
func (s *Service) seedAwards(ctx context.Context, members []*party.Member) error {
	now := s.d.Clock.Now()
	day := func(ago int) string { return now.AddDate(0, 0, -ago).Format(time.DateOnly) }
	base := func(kind string, i int, m *party.Member) model.Base {
		return model.Base{ID: fmt.Sprintf("0000demo%s%02d", kind, i+1), OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: "system"}
	}
	rewards := model.NewCollection[*model.Reward](s.d.DB, "rewards", s.d.Clock.Now)
	var given []*model.Reward
	for i, r := range []model.Reward{
		{RewardName: "优秀共产党员", RewardLevel: "municipal", Authority: "中共示范市委员会", RewardedOn: day(145), Content: "在“七一”表彰中被评为全市优秀共产党员。"},
		{RewardName: "优秀党务工作者", RewardLevel: "unit", Authority: "机关党总支", RewardedOn: day(90), Content: "组织生活规范，党员活动有声有色。"},
		{RewardName: "抗洪抢险先进个人", RewardLevel: "county", Authority: "示范市应急指挥部", RewardedOn: day(60), Content: "连续值守堤坝七昼夜，转移群众三十余人。"},
		{RewardName: "社区志愿服务标兵", RewardLevel: "unit", Authority: "街道党总支", RewardedOn: day(20), Content: "全年志愿服务二百小时。"},
	} {
		m := members[i*7]
		r.Base, r.MemberID = base("reward", i, m), m.Id
		s.book(model.ItemReward, &r.Base, m.Id, r.RewardName)
		given = append(given, &r)
	}
	if err := model.Seeded(rewards.InsertMany(ctx, given)); err != nil {
		return fmt.Errorf("demo rewards: %w", err)
	}
	m := members[33]
	warning := &model.Sanction{
		Base: base("sanction", 0, m), OfMember: model.OfMember{MemberID: m.Id}, SanctionType: "warning",
		Authority: "机关党总支", SanctionedOn: day(200), LiftedOn: day(15), Reason: "无正当理由多次不参加组织生活。",
	}
	s.book(model.ItemSanction, &warning.Base, m.Id, sanctionLabel("sanctionType", "warning"))
	sanctions := model.NewCollection[*model.Sanction](s.d.DB, "sanctions", s.d.Clock.Now)
	if err := model.Seeded(sanctions.InsertMany(ctx, []*model.Sanction{warning})); err != nil {
		return fmt.Errorf("demo sanctions: %w", err)
	}
	specialties := model.NewCollection[*model.Specialty](s.d.DB, "specialties", s.d.Clock.Now)
	var known []*model.Specialty
	for i, x := range []struct {
		tags []string
		text string
	}{
		{[]string{"书法绘画", "文字写作"}, "市书法协会会员，可写春联、布置展板"}, {[]string{"医疗急救"}, "退休内科医生，可上门量血压"},
		{[]string{"水电维修"}, "持电工证"}, {[]string{"摄影摄像", "计算机"}, ""}, {[]string{"法律咨询"}, "执业律师，每周六上午可接待"},
		{[]string{"音乐舞蹈", "教学辅导"}, "可带社区合唱团"},
	} {
		m := members[3+i*11]
		d := &model.Specialty{Base: base("specialty", i, m), MemberID: m.Id, Description: x.text}
		for _, t := range x.tags {
			d.Tags = append(d.Tags, kit.KeyID("specialtyTag", t))
		}
		known = append(known, d)
	}
	if err := model.Seeded(specialties.InsertMany(ctx, known)); err != nil {
		return fmt.Errorf("demo specialties: %w", err)
	}
	return nil
}
