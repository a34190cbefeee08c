package party

import (
	"context"
	"encoding/json"
	"slices"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var sanctionLabel = records.OptionLabels[model.Sanction]()

// sanctionType is 党员处分 (spec/records.md 8, manual 5.6.2).
func (s *Service) sanctionType() *records.Type[*model.Sanction] {
	nameOf := func(x *model.Sanction) string { return sanctionLabel("sanctionType", x.SanctionType) }
	return &records.Type[*model.Sanction]{
		Name: "sanction", Title: "党员处分", Menu: "组织管理",
		Collection: model.NewCollection[*model.Sanction](s.d.DB, "sanctions", s.d.Clock.Now), Indexes: []model.Index{byMember},
		Fields:  []records.Field{orgOfMember, idOfMember},
		Exports: []string{"memberId", "idNumber", "orgId", "sanctionType", "sanctionedOn", "reason", "liftedOn"},
		NameOf:  nameOf,
		Own:     &records.Own[*model.Sanction]{Where: mine, Fields: []string{"sanctionType", "authority", "sanctionedOn", "reason", "liftedOn", "files"}},
		Actions: []records.Action[*model.Sanction]{{
			Key: "reduce", Title: "办理党员减少", Permission: "memberReduction.create",
			Confirm: "该党员已被开除党籍，确定登记党员减少（出党）吗？登记后不再列入党员名册，微信绑定同时解除。",
			When:    expels, Refusal: "只有开除党籍的处分可以办理党员减少", Do: s.askReduction,
		}},
		FollowWhen: func(x *model.Sanction) bool { return x.Reduces && !x.Deleted },
		Follow:     s.reduceExpelled,
		BeforeSave: func(ctx context.Context, old, x *model.Sanction) error {
			if x.LiftedOn != "" && x.LiftedOn < x.SanctionedOn {
				return kit.InvalidFields(map[string]string{"liftedOn": "解除时间不能早于处分时间"})
			}
			if x.Reduces = false; old != nil {
				return nil
			}
			return s.book(ctx, model.EventRewarded, model.ItemSanction, &x.Base, x.MemberID, nameOf(x))
		},
		BeforeDelete: func(ctx context.Context, x *model.Sanction) error {
			return s.book(ctx, model.EventRewardRevoked, model.ItemSanction, &x.Base, x.MemberID, nameOf(x))
		},
		Present: func(ctx context.Context, docs []*model.Sanction, rows []records.Row) error {
			if err := s.identify(ctx, rows, func(i int) *model.OfMember { return &docs[i].OfMember }); err != nil {
				return err
			}
			return s.offerReduction(ctx, docs, rows)
		},
		Reveal: func(_ context.Context, x *model.Sanction, row records.Row) error { return s.revealID(&x.OfMember, row) },
	}
}

func expels(x *model.Sanction) bool { return x.SanctionType == model.SanctionExpulsion }

// askReduction notes with the sanction that the 党员减少 shall follow: it is a record of its
// own and may be written only once, after this one.
func (s *Service) askReduction(ctx context.Context, x *model.Sanction, _ records.Input) error {
	m, err := s.members.Get(ctx, model.Everything, x.MemberID)
	if err != nil {
		return err
	}
	if m.Status != "active" {
		return kit.Conflict("sanction.reduced", "该党员已有减少记录")
	}
	x.Reduces = true
	return nil
}

// reduceExpelled adds the 党员减少 that an expulsion asks for, by the rules of that type. One
// that is there already is what it asks for.
func (s *Service) reduceExpelled(ctx context.Context, x *model.Sanction) error {
	m, err := s.members.Get(ctx, model.Everything, x.MemberID)
	if err != nil || m.Status != "active" {
		return err
	}
	form, err := json.Marshal(map[string]string{
		"memberId": x.MemberID, "reductionType": "expulsion", "expulsionForm": "expelled", "reducedOn": x.SanctionedOn, "reason": x.Reason,
	})
	if err != nil {
		return err
	}
	_, err = s.Engine.Save(ctx, &recordsgen.SaveReq{Type: "memberReduction", Json: form})
	return err
}

// offerReduction takes the action away where the member has left already.
func (s *Service) offerReduction(ctx context.Context, docs []*model.Sanction, rows []records.Row) error {
	var ids []string
	for _, d := range docs {
		if expels(d) {
			ids = append(ids, d.MemberID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	members, err := s.byID(ctx, ids)
	for i, d := range docs {
		if m := members[d.MemberID]; m == nil || m.Status != "active" {
			given, _ := rows[i]["_actions"].([]string)
			rows[i]["_actions"] = slices.DeleteFunc(given, func(a string) bool { return a == "reduce" })
		}
	}
	return err
}
