package roll

import (
	"context"
	"encoding/json"
	"time"

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
		Name: "sanction", Title: "党员处分", Menu: "组织管理", Icon: "warning", Section: "5.6.2",
		Collection: model.NewCollection[*model.Sanction](s.d.DB, "sanctions", s.d.Clock.Now),
		Parts:      []records.Part{records.AboutMember(s.party), records.NotBefore("sanctionedOn", "liftedOn")},
		Exports:    []string{"memberId", "idNumber", "orgId", "sanctionType", "sanctionedOn", "reason", "liftedOn"},
		NameOf:     nameOf,
		Own:        &records.Own[*model.Sanction]{Place: honours, Where: records.Mine, Fields: []string{"sanctionType", "authority", "sanctionedOn", "reason", "liftedOn", "files"}},
		Actions: []records.Action[*model.Sanction]{{
			Key: "reduce", Title: "办理党员减少", Permission: "memberReduction.create",
			Confirm: "该党员已被开除党籍，确定登记党员减少（出党）吗？登记后不再列入党员名册，微信绑定同时解除。",
			Do:      func(_ context.Context, x *model.Sanction, _ records.Input) error { x.Reduces = true; return nil },
		}},
		Life: &records.Life[*model.Sanction]{
			Load:  s.loadMembers,
			Verbs: []records.Verb[*model.Sanction]{{Key: "reduce", If: mayReduce}},
		},
		FollowWhen: func(x *model.Sanction) bool { return x.Reduces && !x.Deleted },
		Follow:     s.reduceExpelled,
		BeforeSave: func(_ context.Context, old, x *model.Sanction) error {
			if x.Reduces = false; old == nil {
				s.book(model.ItemSanction, &x.Base, x.MemberID, nameOf(x))
			}
			return nil
		},
		BeforeDelete: func(_ context.Context, x *model.Sanction) error {
			s.unbook(model.ItemSanction, &x.Base)
			return nil
		},
	}
}

// mayReduce: the 党员减少 follows an expulsion, once.
func mayReduce(_ *kit.Caller, x *model.Sanction, _ time.Time) *kit.Error {
	switch {
	case x.SanctionType != model.SanctionExpulsion:
		return kit.Conflict("action.refused", "只有开除党籍的处分可以办理党员减少")
	case x.MemberLeft:
		return kit.Conflict("sanction.reduced", "该党员已有减少记录")
	}
	return nil
}

// loadMembers tells of sanctions that expel whether the member has left already.
func (s *Service) loadMembers(ctx context.Context, docs []*model.Sanction) error {
	var ids []string
	for _, d := range docs {
		if d.SanctionType == model.SanctionExpulsion {
			ids = append(ids, d.MemberID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	members, err := s.party.Members(ctx, ids)
	for _, d := range docs {
		m := members[d.MemberID]
		d.MemberLeft = m == nil || m.Status != "active"
	}
	return err
}

// reduceExpelled adds the 党员减少 that an expulsion asks for, by the rules of that type. One
// that is there already is what it asks for.
func (s *Service) reduceExpelled(ctx context.Context, x *model.Sanction) error {
	m, err := s.party.Member(ctx, x.MemberID)
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
