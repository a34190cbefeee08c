package roll

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

const errInflowOpen = "该人员在该组织已有尚未结束的流入记录"

// flowPlace is where members apply for both (MENU-06).
var flowPlace = &records.Place{Page: "apply", Group: "党务", Title: "流动党员", Icon: "flow"}

// inflowType is 党员流入 (spec/records.md 18, manual 6.4.1). The receiving organisation's admins
// enter and keep it; a member of this system stays in his branch.
func (s *Service) inflowType() *records.Type[*model.MemberInflow] {
	inflows := model.NewCollection[*model.MemberInflow](s.d.DB, "memberInflows", s.d.Clock.Now)
	return &records.Type[*model.MemberInflow]{
		Name: "memberInflow", Title: "党员流入", Menu: "党员管理", Icon: "flow", Section: "6.4.1", Tab: "党员流动", Collection: inflows,
		Indexes: []model.Index{records.ByMember, {Keys: bson.D{{Key: "idBlind", Value: 1}}}},
		Fields: []records.Field{
			{Key: "phone", Label: "电话", Type: "phone", Form: true},
			{Key: "memberId", Label: "系统内党员", Ref: "member", ReadOnly: true},
			{Key: "inflowOrgId", Label: "流入党组织", Type: "ref", Ref: "organization", Resolver: "everyOrganization", Required: true, List: true, Form: true, After: "homeOrgName", Width: 160},
		},
		Exports: []string{"name", "idNumber", "homeOrgName", "inflowOrgId", "inflowOn", "endOn", "place", "reason"},
		Unique:  []records.Unique{{Keys: []string{"idBlind", "inflowOrgId", "endOn"}, Field: "idNumber", Message: errInflowOpen}},
		NameKey: "name", Parts: []records.Part{records.NotBefore("inflowOn", "endOn")},
		BeforeSave: func(ctx context.Context, old, x *model.MemberInflow) error {
			return s.checkInflow(ctx, inflows, old, x)
		},
	}
}

// inflowApplicationType is what members apply for at the organisation to which they came
// (manual 6.4.1.1, 17.1). One waits at a time.
func (s *Service) inflowApplicationType(t *records.Type[*model.MemberInflow]) *records.Type[*model.MemberInflow] {
	a := records.Applications(t, "inflowOrgId", "inflowOn", "endOn", "place", "reason")
	a.Unique = []records.Unique{{
		Keys: []string{"memberId", "state"}, Message: "已有待审核的申请",
		Partial: bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalPending}, {Key: "channel", Value: model.FromMobile}},
	}}
	prepare := a.Own.Prepare
	a.Own.Prepare = func(ctx context.Context, x *model.MemberInflow) error {
		if err := prepare(ctx, x); err != nil {
			return err
		}
		return s.introduce(ctx, x)
	}
	a.Own.Where = func(c *kit.Caller) bson.D {
		is := func(key string) bson.D { return bson.D{{Key: key, Value: c.MemberID}} }
		return bson.D{{Key: "$and", Value: bson.A{bson.D{{Key: "$or", Value: bson.A{is("memberId"), is("matched")}}}}}} // beside the $or of a search
	}
	a.Where, a.Own.Place = flowsOf, flowPlace
	return a
}

// flowsOf are the applications, and for a member all that he is named in, entered ones too
// (INFL-02).
func flowsOf(ctx context.Context, _ map[string]string) bson.D {
	if kit.CallerOf(ctx).Kind == kit.Member {
		return nil
	}
	return bson.D{{Key: "channel", Value: model.FromMobile}}
}

// introduce fills in who the member is that applies.
func (s *Service) introduce(ctx context.Context, x *model.MemberInflow) error {
	m, err := s.d.Party.GetMember(kit.AsSystem(ctx), &party.MemberReq{MemberId: x.MemberID})
	if err != nil {
		return err
	}
	x.HomeOrgName = m.OrgName
	x.Person = model.Person{Name: m.Name, Gender: m.Gender, IDNumber: m.IdNumber, Phone: m.Phone}
	return nil
}

// checkInflow holds the rules of an inflow. When an application is approved its personal
// fields are sealed, and were checked when it was handed in.
func (s *Service) checkInflow(ctx context.Context, c *model.Collection[*model.MemberInflow], old, x *model.MemberInflow) error {
	sealed := old == nil && x.IDBlind != ""
	wrong := map[string]string{}
	if !sealed {
		wrong = x.Wrong()
		x.IDBlind = s.d.Seal.Blind(x.IDNumber)
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	if !sealed && (old == nil || x.IDBlind != old.IDBlind || x.Name != old.Name) {
		if err := s.recognise(ctx, x); err != nil {
			return err
		}
	}
	x.OrgID = x.InflowOrgID
	there, err := c.Find(ctx, model.Everything, bson.D{
		{Key: "idBlind", Value: x.IDBlind}, {Key: "inflowOrgId", Value: x.InflowOrgID}, {Key: "state", Value: model.ApprovalApproved},
	}, model.Page{})
	if err != nil {
		return err
	}
	for _, o := range there {
		if o.ID != x.ID && (o.EndOn == "" || o.EndOn >= x.InflowOn) && (x.EndOn == "" || x.EndOn >= o.InflowOn) {
			if x.Channel == model.FromMobile { // whose form has no such field
				return kit.Conflict("duplicate", errInflowOpen)
			}
			return kit.InvalidFields(map[string]string{"idNumber": errInflowOpen})
		}
	}
	return nil
}

// recognise finds the member of this system who somebody entered is, and his branch. Who
// may not know them learns nothing; the member reads it on his own pages all the same.
func (s *Service) recognise(ctx context.Context, x *model.MemberInflow) error {
	x.MemberID, x.Matched = "", ""
	m, err := s.d.Party.FindByIDNumber(kit.AsSystem(ctx), &party.BlindReq{IdBlind: x.IDBlind})
	if err != nil || m.Id == "" {
		return err
	}
	switch is, known, err := records.Recognise(ctx, x.Name, m.Id, m.Name, m.Orgs); {
	case !is:
		return err
	case !known:
		x.Matched = m.Id
		return nil
	}
	if m.OrgId == x.InflowOrgID {
		return kit.InvalidFields(map[string]string{"inflowOrgId": "该人员就是该组织的党员"})
	}
	x.MemberID, x.HomeOrgName = m.Id, m.OrgName
	return nil
}
