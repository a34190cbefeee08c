package roll

import (
	"context"
	"fmt"
	"slices"
	"time"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
)

// seedApplications adds invented hardships, retirements, travels and flows of demo members, entered
// or applied for; the last of each kind waits for a decision.
func (s *Service) seedApplications(ctx context.Context, members []*party.Member) error {
	now := s.d.Clock.Now()
	day := func(ago int) string { return now.AddDate(0, 0, -ago).Format(time.DateOnly) }
	base := func(kind string, i int, m *party.Member) model.Base {
		return model.Base{ID: fmt.Sprintf("0000demo%s%02d", kind, i+1), OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: "system"}
	}
	entered := model.Application{Approval: model.Approval{State: model.ApprovalApproved}, Channel: model.FromConsole}
	waiting := model.Application{Approval: model.Approval{State: model.ApprovalPending, Undecided: true}, Channel: model.FromMobile}

	var hard []*model.Hardship
	for i, h := range []model.Hardship{
		{HardshipType: "illness", Description: "大病手术后长期服药，医疗支出较大。", Assistance: "党支部走访慰问，协助申请医疗救助。", Application: entered},
		{HardshipType: "elderly", Description: "独居老党员，行动不便。", Assistance: "结对党员每周上门一次。", Application: entered},
		{HardshipType: "disaster", Description: "房屋受暴雨损坏，正在修缮。", Application: waiting},
	} {
		m := members[5+i*13]
		h.Base, h.MemberID, h.RegisteredOn = base("hardship", i, m), m.Id, day(40-i*15)
		hard = append(hard, &h)
	}
	if err := model.Seeded(model.NewCollection[*model.Hardship](s.d.DB, "hardships", s.d.Clock.Now).InsertMany(ctx, hard)); err != nil {
		return fmt.Errorf("demo hardships: %w", err)
	}

	old := slices.DeleteFunc(slices.Clone(members), func(m *party.Member) bool { return m.DuesCategory != "retired" })
	var retired []*model.Retirement
	for i, m := range old[:min(3, len(old))] {
		r := &model.Retirement{Base: base("retirement", i, m), OfMember: model.OfMember{MemberID: m.Id}, RetiredOn: day(700 + i*400), RetirementUnit: "示范市机关服务中心", Application: entered}
		r.FollowDue = true // the member's record is told after the start
		retired = append(retired, r)
	}
	m := members[8]
	retired = append(retired, &model.Retirement{Base: base("retirement", 9, m), OfMember: model.OfMember{MemberID: m.Id}, RetiredOn: day(3), RetirementUnit: "示范市第一中学", Application: waiting})
	if err := model.Seeded(model.NewCollection[*model.Retirement](s.d.DB, "retirements", s.d.Clock.Now).InsertMany(ctx, retired)); err != nil {
		return fmt.Errorf("demo retirements: %w", err)
	}

	var abroad []*model.AbroadRecord
	for i, r := range []model.AbroadRecord{
		{Destination: "新加坡", Purpose: "official", PurposeNote: "赴外交流考察", DepartOn: day(80), ExpectedReturnOn: day(74), ReturnOn: day(74), RelationHandling: "keep", Application: entered},
		{Destination: "英国", Purpose: "study", PurposeNote: "攻读硕士学位", DepartOn: day(70), ExpectedReturnOn: day(-300), RelationHandling: "keep", Application: entered},
		{Destination: "日本", Purpose: "private", PurposeNote: "探亲", DepartOn: day(-30), ExpectedReturnOn: day(-40), Application: waiting},
	} {
		m := members[11+i*9]
		r.Base, r.MemberID = base("abroad", i, m), m.Id
		abroad = append(abroad, &r)
	}
	if err := model.Seeded(model.NewCollection[*model.AbroadRecord](s.d.DB, "abroadRecords", s.d.Clock.Now).InsertMany(ctx, abroad)); err != nil {
		return fmt.Errorf("demo travels: %w", err)
	}

	var out []*model.MemberOutflow
	for i, o := range []model.MemberOutflow{
		{OutflowPlace: "广东省深圳市", OutflowOn: day(200), ExpectedReturnOn: day(-160), Reason: "外出务工", Application: entered},
		{OutflowPlace: "上海市", OutflowOn: day(90), ExpectedReturnOn: day(-90), Reason: "进修学习", Application: entered},
		{OutflowPlace: "北京市", OutflowOn: day(2), Reason: "照顾家人", Application: waiting},
	} {
		m := members[14+i*11]
		o.Base, o.MemberID = base("outflow", i, m), m.Id
		out = append(out, &o)
	}
	if err := model.Seeded(model.NewCollection[*model.MemberOutflow](s.d.DB, "memberOutflows", s.d.Clock.Now).InsertMany(ctx, out)); err != nil {
		return fmt.Errorf("demo outflows: %w", err)
	}

	here := members[0] // whose branch receives
	var in []*model.MemberInflow
	for i, name := range []string{"林远行", "高志远"} {
		digits := fmt.Sprintf("99020119%d0315%03d", 78+i*9, 601+i*2)
		x := &model.MemberInflow{
			Base: base("inflow", i, here), HomeOrgName: "外省某县某镇党支部", InflowOrgID: here.OrgId, InflowOn: day(120 + i*60), EndOn: day(-200),
			Place: "示范市建设路", Reason: "在本地务工", Application: entered,
			Person: model.Person{Name: name, Gender: "male", IDNumber: digits + string(model.IDCheck(digits)), Phone: fmt.Sprintf("1990000095%d", i)},
		}
		s.d.Seal.Close(x)
		in = append(in, x)
	}
	if err := model.Seeded(model.NewCollection[*model.MemberInflow](s.d.DB, "memberInflows", s.d.Clock.Now).InsertMany(ctx, in)); err != nil {
		return fmt.Errorf("demo inflows: %w", err)
	}
	return nil
}

// seedLost adds one whom his branch looks for.
func (s *Service) seedLost(ctx context.Context, members []*party.Member) error {
	at := s.d.Clock.Now()
	day := func(ago int) string { return at.AddDate(0, 0, -ago).Format(time.DateOnly) }
	i := slices.IndexFunc(members[40:], func(m *party.Member) bool { return model.IsPartyMember(m.MemberType) })
	if i < 0 {
		return nil
	}
	m := members[40+i]
	l := &model.LostContact{
		Base: model.Base{ID: "0000demolost01", OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: "system"}, OfMember: model.OfMember{MemberID: m.Id},
		LostOn: day(170), Cause: "work", State: model.LostSearching,
		Searches: []model.LostSearch{{On: day(120), Way: "电话", Result: "号码已停用", By: "组织委员"}, {On: day(60), Way: "走访亲属", Result: "外出未归，联系方式不详", By: "组织委员"}},
	}
	due(l)
	if err := model.Seeded(model.NewCollection[*model.LostContact](s.d.DB, "lostContacts", s.d.Clock.Now).InsertMany(ctx, []*model.LostContact{l})); err != nil {
		return fmt.Errorf("demo lost contact: %w", err)
	}
	return nil
}
