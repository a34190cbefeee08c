package party

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// rewardType is 党员奖励 (spec/records.md 7, manual 5.6.1).
func (s *Service) rewardType() *records.Type[*model.Reward] {
	return &records.Type[*model.Reward]{
		Name: "reward", Title: "党员奖励", Menu: "组织管理",
		Collection: model.NewCollection[*model.Reward](s.d.DB, "rewards", s.d.Clock.Now),
		NameKey:    "rewardName", Parts: []records.Part{records.AboutMember(s)},
		Exports: []string{"memberId", "idNumber", "orgId", "rewardName", "rewardLevel", "rewardedOn", "content"},
		Own:     &records.Own[*model.Reward]{Where: records.Mine, Fields: []string{"rewardName", "rewardLevel", "authority", "rewardedOn", "content", "files"}},
		BeforeSave: func(_ context.Context, old, r *model.Reward) error {
			if old == nil {
				s.book(model.EventRewarded, model.ItemReward, &r.Base, r.MemberID, r.RewardName)
			}
			return nil
		},
		BeforeDelete: func(_ context.Context, r *model.Reward) error {
			s.book(model.EventRewardRevoked, model.ItemReward, &r.Base, r.MemberID, r.RewardName)
			return nil
		},
	}
}

// book lets the points follow a reward or sanction.
func (s *Service) book(kind, item string, h *model.Base, memberID, title string) {
	h.Emit(model.NewEvent(kit.KeyID(kind, h.ID), kind, h.OrgID, s.d.Clock.Now(), model.Rewarded{
		Item: item, RecordID: h.ID, Title: title, MemberID: memberID, OrgID: h.OrgID, Orgs: h.Orgs,
	}))
}
