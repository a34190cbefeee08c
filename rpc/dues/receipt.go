package dues

import (
	"context"
	"errors"
	"fmt"

	"github.com/signintech/gopdf"

	dues "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/paper"
)

// PrintReceipt draws the receipt of a paid order on one A5 page (DORD-05). A deleted
// order cannot be printed.
func (s *Service) PrintReceipt(ctx context.Context, req *dues.OrderReq) (*recordsgen.File, error) {
	o, _, err := s.orderInScope(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	if _, err := life.Step(kit.CallerOf(ctx), o, doPrint, s.d.Clock.Now()); err != nil {
		return nil, err
	}
	fonts, err := paper.Installed(s.d.FontPath)
	if err != nil {
		return nil, err
	}
	p := paper.New(gopdf.Rect{W: gopdf.PageSizeA5.H, H: gopdf.PageSizeA5.W}, fonts) // lying
	if err := receipt(p, o); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	pdf, err := p.Bytes()
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	if err := s.Shown(ctx, model.AuditExport, "duesOrder", "打印党费收据", o, ""); err != nil {
		return nil, err
	}
	return &recordsgen.File{Name: "党费收据" + o.OrderNo + ".pdf", ContentType: "application/pdf", Data: pdf}, nil
}

// receiptLines are the words of a receipt, label and value.
func receiptLines(o *model.DuesOrder) [][2]string {
	method := map[string]string{model.PayCash: "现金支付（后台支付）", model.PayWeChat: "微信支付（手机支付）"}[o.PayMethod]
	lines := [][2]string{
		{"订单号", o.OrderNo},
		{"党员", o.MemberName + "　" + o.IDMasked},
		{"党组织", o.OrgName},
		{"缴纳月份", fmt.Sprintf("%s（共%d个月）", span(o), len(o.Items))},
		{"金额", "¥" + kit.Yuan(o.Amount)},
		{"大写金额", capitals(o.Amount)},
		{"支付方式", method},
		{"支付时间", o.PaidAt.In(kit.Shanghai).Format("2006-01-02 15:04")},
	}
	if o.Operator != "" {
		lines = append(lines, [2]string{"经办人", o.Operator})
	}
	if o.TransactionNo != "" {
		lines = append(lines, [2]string{"微信交易号", o.TransactionNo})
	}
	return lines
}

// placed is a text and where it goes.
type placed struct {
	x, y, size float64
	text       string
}

// layout is where everything of a receipt goes at a scale: long names take more lines.
func layout(p *paper.Paper, o *model.DuesOrder, scale float64) (head, body []placed, rules []float64, bottom float64, err error) {
	const left, label = 60.0, 84.0
	y := 34.0
	centre := func(size float64, text string) error {
		lines, err := p.Wrap(text, size, p.Width-2*left)
		if err != nil {
			return err
		}
		for _, line := range lines {
			w, err := p.Measure(line, size)
			if err != nil {
				return err
			}
			head = append(head, placed{(p.Width - w) / 2, y, size, line})
			y += size * 1.6
		}
		return nil
	}
	name := o.CommitteeName
	if name == "" {
		name = o.OrgName
	}
	if err := errors.Join(centre(15*scale, name), centre(22*scale, "党费收据")); err != nil {
		return nil, nil, nil, 0, err
	}
	size, between := 12*scale, 7*scale
	y += between
	for _, line := range receiptLines(o) {
		rules = append(rules, y)
		y += between
		lines, err := p.Wrap(line[1], size, p.Width-2*left-label)
		if err != nil {
			return nil, nil, nil, 0, err
		}
		body = append(body, placed{left, y, size, line[0]})
		for _, text := range lines {
			body = append(body, placed{left + label, y, size, text})
			y += size * 1.3
		}
		y += between * .5
	}
	rules = append(rules, y)
	body = append(body, placed{p.Width - left - 150, y + between, 11 * scale, "收款单位（盖章）："})
	return head, body, rules, y + between + 20*scale, nil
}

// receipt draws an order on the page that is open, with the first scale at which all of it fits.
func receipt(p *paper.Paper, o *model.DuesOrder) error {
	var head, body []placed
	var rules []float64
	for _, scale := range []float64{1, .9, .8, .7, .6, .5} {
		var bottom float64
		var err error
		if head, body, rules, bottom, err = layout(p, o, scale); err != nil {
			return err
		}
		if bottom <= p.Height {
			break
		}
	}
	p.PDF.SetTextColor(179, 0, 0)
	for _, t := range head {
		if err := p.Write(t.x, t.y, t.size, t.text); err != nil {
			return err
		}
	}
	p.PDF.SetTextColor(0, 0, 0)
	for _, t := range body {
		if err := p.Write(t.x, t.y, t.size, t.text); err != nil {
			return err
		}
	}
	p.PDF.SetLineWidth(0.6)
	p.PDF.SetStrokeColor(179, 0, 0)
	for _, y := range rules {
		p.PDF.Line(48, y, p.Width-48, y)
	}
	return nil
}
