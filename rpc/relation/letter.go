package relation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skip2/go-qrcode"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/idl/gen/relation"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/paper"
)

var errNoLetter = &kit.Error{Code: 40402, Key: "letter.unknown", Message: "介绍信不存在"}

// address is where a QR code leads: a random token, and nothing of the person (PLUS-16).
func (s *Service) address(token string) string { return s.d.PublicURL + "/letter.html#" + token }

// code draws a QR code with a word below it.
func (s *Service) code(f *paper.Form, token, word string) error {
	png, err := qrcode.Encode(s.address(token), qrcode.Medium, 400)
	if err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	f.Picture(png, 92)
	f.Left(word)
	return nil
}

func (s *Service) pdf(f *paper.Form, name string) (*recordsgen.File, error) {
	data, err := f.Bytes()
	if err != nil {
		return nil, err
	}
	return &recordsgen.File{Name: name + ".pdf", ContentType: "application/pdf", Data: data}, nil
}

// printLetter is 中国共产党党员组织关系介绍信 in its three parts: stub, letter and receipt slip
// (组通字〔2006〕45号).
func (s *Service) printLetter(ctx context.Context, t *model.TransferOut) (*recordsgen.File, error) {
	fonts, err := paper.Installed(s.d.FontPath)
	if err != nil {
		return nil, err
	}
	// In full: it is what the receiving organisation files; that it was printed is on record.
	m, err := s.d.Party.GetMember(kit.AsSystem(ctx), &party.MemberReq{MemberId: t.MemberID})
	if err != nil {
		return nil, err
	}
	names, err := s.party.OrgNames(ctx, []string{t.OrgID})
	if err != nil {
		return nil, err
	}
	kind := kindOf(m.MemberType)
	from := names[t.OrgID]
	f := paper.NewForm(fonts)
	f.Centre(16, "中国共产党党员组织关系介绍信存根")
	f.Right("第 " + t.LetterNo)
	f.Text(fmt.Sprintf("%s同志系中共%s，组织关系由%s转到%s。党费交至%s。", m.Name, kind, from, t.ToOrgName, t.DuesPaidThrough))
	f.Line("身份证号", m.IdNumber)
	f.Line("签发日期", t.LetterDate+"（有效期"+fmt.Sprint(t.ValidDays)+"天）")
	f.Rule(true)
	f.Centre(20, "中国共产党党员组织关系介绍信")
	f.Right("第 " + t.LetterNo)
	f.Left(t.ToOrgName + "：")
	f.Text(fmt.Sprintf("%s同志（%s，%s），系中共%s，身份证号%s，由%s去%s，请转接组织关系。该同志党费已交到%s。",
		m.Name, map[string]string{"male": "男", "female": "女"}[m.Gender], m.BirthDate+"出生", kind, m.IdNumber, from, t.ToOrgName, t.DuesPaidThrough))
	f.Line("有效期", fmt.Sprintf("%d天，至%s", t.ValidDays, t.ExpiresOn))
	f.Line("党员电话", m.Phone)
	f.Right(from + "（盖章）")
	f.Right(t.LetterDate)
	if err := s.code(f, t.LetterToken, "扫码查看介绍信"); err != nil {
		return nil, err
	}
	f.Rule(true)
	f.Centre(16, "中国共产党党员组织关系介绍信回执联")
	f.Right("第 " + t.LetterNo)
	f.Left(from + "：")
	f.Text(fmt.Sprintf("你处介绍的%s同志的组织关系已转到我处。", m.Name))
	f.Line("经办人", "")
	f.Line("联系电话", "")
	f.Right("（接收单位盖章）　　　　年　　月　　日")
	return s.pdf(f, "组织关系介绍信"+t.LetterNo)
}

func kindOf(memberType string) string {
	if memberType == "probationaryMember" {
		return "预备党员"
	}
	return "正式党员"
}

// GetLetter shows the letter or the certificate of a token (8.2.4注). Who holds the paper needs
// no account, and reads no number that is not masked.
func (s *Service) GetLetter(ctx context.Context, req *relation.TokenReq) (*relation.Letter, error) {
	return s.readLetter(ctx, req, false)
}

// ReadLetter is the same for an admin: of the receiving organisation, or above it, in full, and that is
// written down (PLUS-16).
func (s *Service) ReadLetter(ctx context.Context, req *relation.TokenReq) (*relation.Letter, error) {
	return s.readLetter(ctx, req, true)
}

func (s *Service) readLetter(ctx context.Context, req *relation.TokenReq, full bool) (*relation.Letter, error) {
	t, err := s.outs.FindOne(ctx, model.Everything, bson.D{{Key: "letterToken", Value: req.Token}})
	if errors.Is(err, model.ErrNotFound) {
		return s.showCertificate(ctx, req.Token)
	}
	if err != nil {
		return nil, err
	}
	m, err := s.party.Member(ctx, t.MemberID)
	if err != nil {
		return nil, err
	}
	names, err := s.party.OrgNames(ctx, []string{t.OrgID})
	if err != nil {
		return nil, err
	}
	if full {
		if full, err = s.receives(ctx, t); err != nil {
			return nil, err
		}
	}
	if full {
		open, err := s.d.Party.GetMember(kit.AsSystem(ctx), &party.MemberReq{MemberId: t.MemberID})
		if err != nil {
			return nil, err
		}
		if err := s.Shown(ctx, model.AuditReveal, "transferOut", "扫码查看介绍信", t, t.LetterNo); err != nil {
			return nil, err
		}
		m.IdNumber = open.IdNumber
	}
	out := &relation.Letter{Title: "中国共产党党员组织关系介绍信", State: "valid", StateName: "有效", Lines: []*relation.Line{
		{Label: "编号", Text: t.LetterNo}, {Label: "姓名", Text: m.Name}, {Label: "身份证号", Text: m.IdNumber},
		{Label: "党员类型", Text: kindOf(m.MemberType)}, {Label: "转出党组织", Text: names[t.OrgID]}, {Label: "转入党组织", Text: t.ToOrgName},
		{Label: "党费交至", Text: t.DuesPaidThrough}, {Label: "签发日期", Text: t.LetterDate}, {Label: "有效期至", Text: t.ExpiresOn},
	}}
	switch {
	case t.State == model.TransferReturned:
		out.State, out.StateName = "returned", "已转回，介绍信作废"
	case t.ReceivedOn != "":
		out.State, out.StateName = "received", "已回执"
		out.Lines = append(out.Lines, &relation.Line{Label: "回执日期", Text: t.ReceivedOn})
	case t.Expired(s.today()):
		out.State, out.StateName = "expired", "已过期"
	}
	return out, nil
}

// receives tells whether the caller is an admin of the organisation that a letter leads to, or of one
// above it.
func (s *Service) receives(ctx context.Context, t *model.TransferOut) (bool, error) {
	if t.ToOrgID == "" {
		return false, nil
	}
	_, err := s.party.Within(ctx, t.ToOrgID)
	if errors.Is(err, kit.ErrNotFound) || errors.As(err, new(*kit.Error)) && !errors.Is(err, kit.ErrInternal) {
		return false, nil
	}
	return err == nil, err
}

func (s *Service) showCertificate(ctx context.Context, token string) (*relation.Letter, error) {
	c, err := s.certificates.FindOne(ctx, model.Everything, bson.D{{Key: "token", Value: token}})
	if errors.Is(err, model.ErrNotFound) {
		return nil, errNoLetter
	}
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
	return &relation.Letter{Title: "证明信", State: "valid", StateName: "真实有效", Lines: []*relation.Line{
		{Label: "编号", Text: c.CertificateNo}, {Label: "党员", Text: m.Name}, {Label: "身份证号", Text: m.IdNumber},
		{Label: "证明事项", Text: c.Purpose}, {Label: "致", Text: c.Receiver}, {Label: "开具组织", Text: names[c.OrgID]}, {Label: "开具日期", Text: c.IssuedOn},
	}}, nil
}

func (s *Service) today() string { return s.d.Clock.Now().In(kit.Shanghai).Format(time.DateOnly) }

// warnings are how many days before its end a letter is warned of; -1: once it ran out.
var warnings = []int{15, 5, -1}

// WarnLetters tells the branch and the member of letters that run out, once for each warning.
func (s *Service) WarnLetters(ctx context.Context, _ *recordsgen.Empty) (*recordsgen.Empty, error) {
	now := s.d.Clock.Now()
	last := now.In(kit.Shanghai).AddDate(0, 0, warnings[0]).Format(time.DateOnly)
	// Index state, expiresOn.
	list, err := s.outs.Find(ctx, model.Everything, bson.D{
		{Key: "state", Value: model.ApprovalApproved}, {Key: "receivedOn", Value: ""},
		{Key: "expiresOn", Value: bson.D{{Key: "$gt", Value: ""}, {Key: "$lte", Value: last}}},
	}, model.Page{})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, t := range list {
		_, err := s.outs.Update(ctx, model.Everything, t.ID, func(t *model.TransferOut) error {
			n, due := t.Due(now, warnings)
			if !due {
				return model.ErrUnchanged
			}
			t.Told = append(t.Told, n)
			text := fmt.Sprintf("介绍信%s将于%s到期，请尽快办理接收并交回回执", t.LetterNo, t.ExpiresOn)
			if n < 0 {
				text = fmt.Sprintf("介绍信%s已于%s到期，尚无回执，请联系接收单位或办理延期", t.LetterNo, t.ExpiresOn)
			}
			t.Tell(kit.KeyID("letter", t.ID, t.ExpiresOn, fmt.Sprint(n)), now, model.Told{
				Kind: "notice", Title: "组织关系介绍信到期提醒", Content: text, Fields: map[string]string{"title": "介绍信到期提醒", "content": text},
				TargetType: "transferOut", TargetID: t.ID, AdminsOf: t.OrgID, Permission: "transferOut.view", MemberIDs: []string{t.MemberID}, Channels: []string{"site"},
			})
			return nil
		})
		errs = append(errs, err)
	}
	return &recordsgen.Empty{}, errors.Join(errs...)
}
