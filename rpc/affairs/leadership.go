package affairs

import (
	"cmp"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	affairs "zhihuidangjian/idl/gen/affairs"
	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// offices are the positions in their order of rank.
var offices = []records.Option{
	{Value: "secretary", Label: "书记"}, {Value: "deputySecretary", Label: "副书记"}, {Value: "organisation", Label: "组织委员"},
	{Value: "publicity", Label: "宣传委员"}, {Value: "discipline", Label: "纪检委员"}, {Value: "unitedFront", Label: "统战委员"},
	{Value: "youth", Label: "青年委员"}, {Value: "women", Label: "妇女委员"}, {Value: "security", Label: "保密委员"},
	{Value: "member", Label: "委员"}, {Value: "groupLeader", Label: "党小组组长"},
}

// leadershipType is 领导班子成员 (spec/records.md 4).
func (s *Service) leadershipType() *records.Type[*model.LeadershipMember] {
	return &records.Type[*model.LeadershipMember]{
		Name: "leadershipMember", Title: "领导班子成员", Collection: s.leaders, NoExport: true,
		Fields: []records.Field{
			{Key: "electionId", Label: "换届", Ref: "election", Required: true, Form: true, Search: true, Fixed: true, Part: true},
			{Key: "orgId", Label: "党组织", Ref: "organization", ReadOnly: true},
		},
		Indexes: []model.Index{{Keys: bson.D{{Key: "orgId", Value: 1}}}},
		Unique: []records.Unique{
			{Keys: []string{"electionId", "person", "position"}, Field: "position", Message: "该人员在本届已任此职务"},
			{Keys: []string{"electionId"}, Field: "position", Message: "本届已有书记",
				Partial: bson.D{{Key: "deleted", Value: false}, {Key: "position", Value: "secretary"}}},
		},
		NameKey:    "name",
		BeforeSave: s.checkLeader,
	}
}

func (s *Service) checkLeader(ctx context.Context, _, l *model.LeadershipMember) error {
	e, err := s.elections.Get(ctx, model.Everything, l.ElectionID)
	if err != nil {
		return records.Mapped(err)
	}
	l.OrgID = e.OrgID
	wrong := map[string]string{}
	if l.MemberID != "" {
		m, err := s.party.Member(ctx, l.MemberID)
		if err != nil {
			return err
		}
		if !slices.Contains(m.Orgs, e.OrgID) {
			wrong["memberId"] = "请选择该组织或其下级组织的党员"
		}
		l.Name = m.Name
	}
	if l.Name == "" {
		wrong["name"] = "请填写姓名"
	}
	if l.TenureStart != "" && l.TenureStart < e.ElectedOn {
		wrong["tenureStart"] = "任职时间不能早于换届时间"
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	l.Person = cmp.Or(l.MemberID, "name:"+l.Name)
	return nil
}

// GetLeadership returns who leads an organisation now and who did before: those of its
// newest election, and those of the others.
func (s *Service) GetLeadership(ctx context.Context, req *affairs.LeadershipReq) (*affairs.Leadership, error) {
	o, err := s.scope(ctx, req.OrgId)
	if err != nil {
		return nil, err
	}
	of := bson.D{{Key: "orgId", Value: o.Id}}
	elections, err := s.elections.Find(ctx, model.Within(o.Id), of, model.Page{Sort: bson.D{{Key: "electedOn", Value: -1}}})
	if err != nil {
		return nil, err
	}
	leaders, err := s.leaders.Find(ctx, model.Within(o.Id), of, model.Page{})
	if err != nil {
		return nil, err
	}
	rank := func(l *model.LeadershipMember) int {
		return slices.IndexFunc(offices, func(o records.Option) bool { return o.Value == l.Position })
	}
	slices.SortFunc(leaders, func(a, b *model.LeadershipMember) int {
		return cmp.Or(cmp.Compare(a.SortNo, b.SortNo), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID))
	})
	for _, l := range leaders {
		if err := s.d.Seal.Disclose(l); err != nil {
			return nil, err
		}
		l.Phone = model.MaskPhone(l.Phone) // in full on the leader's own page, written down there
	}
	out := &affairs.Leadership{OrgName: o.OrgName}
	for i, e := range elections {
		t := &affairs.Term{
			ElectionId: e.ID, ElectedOn: e.ElectedOn, NextElectionOn: e.NextElectionOn, TermNo: int32(e.TermNo),
			ElectionForm: e.ElectionForm, ElectionFormName: electionForms[e.ElectionForm],
		}
		for _, l := range leaders {
			if l.ElectionID != e.ID {
				continue
			}
			t.Leaders = append(t.Leaders, &affairs.Leader{
				Id: l.ID, MemberId: l.MemberID, Name: l.Name, Position: l.Position, PositionName: offices[rank(l)].Label,
				Phone: l.Phone, AdminDuty: l.AdminDuty, TenureStart: l.TenureStart,
			})
		}
		if i == 0 {
			out.Current = t
		} else {
			out.History = append(out.History, t)
		}
	}
	return out, nil
}

// scope is the organisation that a caller chose, "" for his own; one outside his subtree is
// not_found, like one that does not exist.
func (s *Service) scope(ctx context.Context, orgID string) (*party.OrgPlace, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	return s.party.Within(ctx, cmp.Or(orgID, c.OrgID))
}
