package roll

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// honours is where a member reads of both.
var honours = &records.Place{Page: "mine", Title: "我的奖惩", Icon: "award", Order: 2}

// rewardType is 党员奖励 (spec/records.md 7, manual 5.6.1).
func (s *Service) rewardType() *records.Type[*model.Reward] {
	return &records.Type[*model.Reward]{
		Name: "reward", Title: "党员奖励", Menu: "组织管理", Icon: "award", Section: "5.6.1",
		Collection: model.NewCollection[*model.Reward](s.d.DB, "rewards", s.d.Clock.Now),
		NameKey:    "rewardName", Parts: []records.Part{records.AboutMember(s.party)},
		Exports: []string{"memberId", "idNumber", "orgId", "rewardName", "rewardLevel", "rewardedOn", "content"},
		Own:     &records.Own[*model.Reward]{Place: honours, Where: records.Mine, Fields: []string{"rewardName", "rewardLevel", "authority", "rewardedOn", "content", "files"}},
		BeforeSave: func(_ context.Context, old, r *model.Reward) error {
			if old == nil {
				s.book(model.ItemReward, &r.Base, r.MemberID, r.RewardName)
			}
			return nil
		},
		BeforeDelete: func(_ context.Context, r *model.Reward) error {
			s.unbook(model.ItemReward, &r.Base)
			return nil
		},
	}
}

// book lets points follow a new reward or sanction (RWD-02). They count on the day on which it
// is recorded.
func (s *Service) book(item string, h *model.Base, memberID, title string) {
	label, units, now := "奖励 ", 1, s.d.Clock.Now()
	if item == model.ItemSanction {
		label, units = "处分 ", -1
	}
	h.Earn(kit.KeyID("member.rewarded", h.ID), now, model.Earned{SourceType: item, SourceID: h.ID, At: now, Shares: []model.Share{{
		Dimension: model.DimensionPersonal, Item: item, SubjectID: memberID, OrgID: h.OrgID, Orgs: h.Orgs, Units: units, Source: label + title,
	}}})
}

// unbook takes back what a reward or sanction earned or cost.
func (s *Service) unbook(item string, h *model.Base) {
	h.Unearn(kit.KeyID("member.unrewarded", h.ID), s.d.Clock.Now(), model.Unearned{SourceType: item, SourceID: h.ID})
}
