package relation

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/paper"
	"zhihuidangjian/rpc/records"
)

// certificateType is 证明信 (spec/records.md 33, manual 8.4).
func (s *Service) certificateType() *records.Type[*model.Certificate] {
	return &records.Type[*model.Certificate]{
		Name: "certificate", Title: "证明信", Menu: "组织关系", Icon: "certificate", Section: "8.4", Collection: s.certificates, NameKey: "purpose",
		Parts: []records.Part{records.AboutMember(s.party)},
		Fields: []records.Field{{Key: "content", Label: "正文", Type: "text", Form: true, Required: true, Max: 2000,
			Help: "不填写时按党员信息自动生成"}},
		Exports:    []string{"certificateNo", "memberId", "orgId", "purpose", "receiver", "issuedOn"},
		Actions:    []records.Action[*model.Certificate]{{Key: "print", Title: "打印", Print: s.printCertificate}},
		Follow:     s.issue,
		FollowWhen: func(c *model.Certificate) bool { return c.CertificateNo == "" && c.State == model.ApprovalApproved },
	}
}

// certificateApplications are what members apply for (manual 8.4.1, 17.3): receiver and purpose;
// the text is made of what is known of them.
func (s *Service) certificateApplications(t *records.Type[*model.Certificate]) *records.Type[*model.Certificate] {
	a := records.Applications(t, "receiver", "purpose")
	a.Own.Place.Title, a.Own.Place.Order = "证明信", 7
	a.Unique = []records.Unique{{Keys: []string{"memberId", "receiver", "purpose"}, Message: "已有待审核的申请",
		Partial: bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalPending}}}}
	prepare := a.Own.Prepare
	a.Own.Prepare = func(ctx context.Context, c *model.Certificate) error {
		if err := prepare(ctx, c); err != nil {
			return err
		}
		m, err := s.d.Party.GetMember(kit.AsSystem(ctx), &party.MemberReq{MemberId: c.MemberID})
		if err != nil {
			return err
		}
		c.Content = certified(m, c.Purpose)
		return nil
	}
	return a
}

// issue gives a certificate that is entered or approved its number and its day, once.
func (s *Service) issue(ctx context.Context, c *model.Certificate) error {
	if c.CertificateNo != "" || c.Deleted {
		return nil
	}
	at := s.d.Clock.Now()
	no, err := s.next(ctx, "证", at)
	if err != nil {
		return err
	}
	now, err := s.certificates.Update(ctx, model.Everything, c.ID, func(c *model.Certificate) error {
		if c.CertificateNo != "" { // another worker was faster
			return model.ErrUnchanged
		}
		c.CertificateNo, c.IssuedOn, c.Token = no, at.In(kit.Shanghai).Format(time.DateOnly), kit.Token()
		return nil
	})
	if err == nil {
		*c = *now
	}
	return err
}

// certified is the text that a certificate begins with.
func certified(m *party.Member, purpose string) string {
	kind := map[string]string{"fullMember": "中共正式党员", "probationaryMember": "中共预备党员", "developmentTarget": "党员发展对象", "activist": "入党积极分子", "applicant": "入党申请人"}[m.MemberType]
	text := fmt.Sprintf("兹证明%s同志（身份证号：%s）系我党支部%s", m.Name, m.IdNumber, kind)
	if m.JoinedOn != "" {
		text += "，入党时间为" + m.JoinedOn
	}
	if m.DuesPaidThrough != "" {
		text += "，党费缴纳至" + m.DuesPaidThrough
	}
	return text + "。本证明用于：" + purpose + "。"
}

// printCertificate is the certificate on paper.
func (s *Service) printCertificate(ctx context.Context, c *model.Certificate) (*recordsgen.File, error) {
	fonts, err := paper.Installed(s.d.FontPath)
	if err != nil {
		return nil, err
	}
	m, err := s.party.Member(ctx, c.MemberID)
	if err != nil {
		return nil, err
	}
	names, err := s.party.OrgNames(ctx, []string{c.OrgID})
	if err != nil {
		return nil, err
	}
	f := paper.NewForm(fonts)
	f.Centre(22, "证 明 信")
	f.Right(c.CertificateNo)
	f.Gap(20)
	f.Left(c.Receiver + "：")
	f.Text(c.Content)
	f.Text("特此证明。")
	f.Gap(30)
	f.Line("证明事项", c.Purpose)
	f.Line("党员", m.Name)
	f.Gap(30)
	f.Right(names[c.OrgID] + "（盖章）")
	f.Right(c.IssuedOn)
	f.Gap(20)
	if err := s.code(f, c.Token, "扫码核验"); err != nil {
		return nil, err
	}
	return s.pdf(f, "证明信"+c.CertificateNo)
}
