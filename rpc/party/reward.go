package party

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// The fields that a record about a member has beside its own: where he is, and his ID
// number, masked but for callers who may reveal it.
var (
	orgOfMember = records.Field{Key: "orgId", Label: "所在支部", Ref: "organization", List: true, ReadOnly: true, After: "memberId", Width: 180}
	idOfMember  = records.Field{Key: "idNumber", Label: "身份证号", Type: "idNumber", Virtual: true}
	byMember    = model.Index{Keys: bson.D{{Key: "memberId", Value: 1}, {Key: "_id", Value: -1}}}
)

// rewardType is 党员奖励 (spec/records.md 7, manual 5.6.1).
func (s *Service) rewardType() *records.Type[*model.Reward] {
	return &records.Type[*model.Reward]{
		Name: "reward", Title: "党员奖励", Menu: "组织管理",
		Collection: model.NewCollection[*model.Reward](s.d.DB, "rewards", s.d.Clock.Now), Indexes: []model.Index{byMember},
		Fields:  []records.Field{orgOfMember, idOfMember},
		Exports: []string{"memberId", "idNumber", "orgId", "rewardName", "rewardLevel", "rewardedOn", "content"},
		NameOf:  func(r *model.Reward) string { return r.RewardName },
		Own:     &records.Own[*model.Reward]{Where: mine, Fields: []string{"rewardName", "rewardLevel", "authority", "rewardedOn", "content", "files"}},
		BeforeSave: func(ctx context.Context, old, r *model.Reward) error {
			if old != nil {
				return nil
			}
			return s.book(ctx, model.EventRewarded, model.ItemReward, &r.Base, r.MemberID, r.RewardName)
		},
		BeforeDelete: func(ctx context.Context, r *model.Reward) error {
			return s.book(ctx, model.EventRewardRevoked, model.ItemReward, &r.Base, r.MemberID, r.RewardName)
		},
		Present: func(ctx context.Context, docs []*model.Reward, rows []records.Row) error {
			return s.identify(ctx, rows, func(i int) *model.OfMember { return &docs[i].OfMember })
		},
		Reveal: func(_ context.Context, r *model.Reward, row records.Row) error { return s.revealID(&r.OfMember, row) },
	}
}

// book lets the points follow a reward or sanction; a new one is placed where its member is.
func (s *Service) book(ctx context.Context, kind, item string, h *model.Base, memberID, title string) error {
	if kind == model.EventRewarded {
		if err := s.placeWith(ctx, h, memberID); err != nil {
			return err
		}
	}
	h.Emit(model.NewEvent(kit.KeyID(kind, h.ID), kind, h.OrgID, s.d.Clock.Now(), model.Rewarded{
		Item: item, RecordID: h.ID, Title: title, MemberID: memberID, OrgID: h.OrgID, Orgs: h.Orgs,
	}))
	return nil
}

// placeWith puts a record where its member is.
func (s *Service) placeWith(ctx context.Context, h *model.Base, memberID string) error {
	m, err := s.members.Get(ctx, model.Everything, memberID)
	if err != nil {
		return err
	}
	h.OrgID, h.Orgs = m.OrgID, m.Orgs
	return nil
}

// byID are members by id, those who left too.
func (s *Service) byID(ctx context.Context, ids []string) (map[string]*model.Member, error) {
	list, err := s.members.Find(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{})
	out := make(map[string]*model.Member, len(list))
	for _, m := range list {
		out[m.ID] = m
	}
	return out, err
}

// identify shows the masked ID numbers of members, and keeps the sealed ones for revealID.
func (s *Service) identify(ctx context.Context, rows []records.Row, of func(i int) *model.OfMember) error {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = of(i).MemberID
	}
	members, err := s.byID(ctx, ids)
	for i, r := range rows {
		if m := members[ids[i]]; m != nil {
			r["idNumber"], of(i).IDSealed = m.IDMasked, m.IDNumber
		}
	}
	return err
}

// revealID puts the ID number into a row of an export.
func (s *Service) revealID(of *model.OfMember, row records.Row) error {
	open, err := s.d.Seal.Open(of.IDSealed, model.At(of.MemberID, "idNumber"))
	row["idNumber"] = open
	return err
}
