package relation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// demoMembers is how many of the invented members the invented records need.
const demoMembers = 60

// SeedDemo adds invented transfers and certificates about party's invented members, most of them waiting
// for a decision. Done again, it changes nothing.
func (s *Service) SeedDemo(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	all, err := s.d.Party.ListMembers(ctx, &party.OrgReq{OrgId: model.RootOrg})
	if err != nil {
		return err
	}
	members := slices.DeleteFunc(all.Members, func(m *party.Member) bool {
		return !strings.HasPrefix(m.Id, "0000demomember") || !model.IsPartyMember(m.MemberType)
	})
	slices.SortFunc(members, func(a, b *party.Member) int { return strings.Compare(a.Id, b.Id) })
	if len(members) < demoMembers {
		return nil // some are gone: it was done long ago
	}
	now := s.d.Clock.Now().In(kit.Shanghai)
	day := func(ago int) string { return now.AddDate(0, 0, -ago).Format(time.DateOnly) }
	month := kit.AddMonths(kit.Month(now), -1)
	base := func(kind string, i int, m *party.Member) model.Base {
		return model.Base{ID: fmt.Sprintf("0000demo%s%02d", kind, i+1), OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: "system"}
	}
	waiting := model.Application{Approval: model.Approval{State: model.ApprovalPending, Undecided: true}, Channel: model.FromMobile}
	entered := model.Application{Approval: model.Approval{State: model.ApprovalApproved}, Channel: model.FromConsole}

	var outs []*model.TransferOut
	for i, to := range []string{"邻市高新区工委第二党支部", "省直机关某处党支部"} {
		m := members[31+i*7]
		outs = append(outs, &model.TransferOut{
			Base: base("out", i, m), OfMember: model.OfMember{MemberID: m.Id}, ToOrgName: to, Reason: "工作调动", DuesPaidThrough: month, AppliedOn: day(3 - i), Application: waiting,
		})
	}
	var certificates []*model.Certificate
	for i, c := range []model.Certificate{
		{Receiver: "示范市人力资源服务中心", Purpose: "党员身份证明", Application: entered},
		{Receiver: "某大学研究生院", Purpose: "政治面貌证明", Application: waiting},
	} {
		m := members[33+i*8]
		c.Base, c.MemberID, c.Content = base("certificate", i, m), m.Id, certified(m, c.Purpose)
		c.FollowDue = c.State == model.ApprovalApproved // it is numbered after the start
		certificates = append(certificates, &c)
	}
	to := members[0] // whose branch receives
	digits := "990201198605120" + "71"
	in := &model.TransferIn{
		Base:       base("in", 0, to),
		Person:     model.Person{Name: "周南行", Gender: "female", IDNumber: digits + string(model.IDCheck(digits)), Phone: "19900000961"},
		MemberType: "fullMember", JoinedOn: "2012-06-20", RegularizedOn: "2013-06-20", FromOrgName: "外省某市第三党支部", ToOrgID: to.OrgId, TransferType: "province",
		LetterNo: "介〔2026〕0031号", LetterDate: day(12), ValidDays: 90, DuesPaidThrough: month, Reason: "随迁", AppliedOn: day(2), Application: waiting,
	}
	s.d.Seal.Close(in)
	return errors.Join(
		model.Seeded(s.outs.InsertMany(ctx, outs)),
		model.Seeded(s.certificates.InsertMany(ctx, certificates)),
		model.Seeded(s.ins.InsertMany(ctx, []*model.TransferIn{in})),
	)
}
