package dues

import (
	"context"
	"fmt"
	"os"

	"github.com/signintech/gopdf"

	dues "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// PrintReceipt draws the receipt of a paid order on one A5 page (DORD-05). A deleted
// order cannot be printed.
func (s *Service) PrintReceipt(ctx context.Context, req *dues.OrderReq) (*recordsgen.File, error) {
	o, _, err := s.orderInScope(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	if _, err := next(o, doPrint, s.d.Clock.Now()); err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.d.FontPath); err != nil {
		return nil, (&kit.Error{Code: 50010, Key: "dues.font",
			Message: "无法打印：服务器缺少中文字体，请安装 fonts-lxgw-wenkai 或设置 FONT_PATH"}).Because(err)
	}
	pdf, err := receipt(o, s.d.FontPath)
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
		{"金额", "¥" + yuan(o.Amount)},
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

func receipt(o *model.DuesOrder, font string) ([]byte, error) {
	page := gopdf.Rect{W: gopdf.PageSizeA5.H, H: gopdf.PageSizeA5.W} // lying
	pdf := &gopdf.GoPdf{}
	pdf.Start(gopdf.Config{PageSize: page})
	pdf.AddPage()
	if err := pdf.AddTTFFont("kai", font); err != nil {
		return nil, err
	}
	var failed error
	text := func(x, y, size float64, s string) {
		if failed == nil {
			failed = pdf.SetFont("kai", "", size)
		}
		if failed == nil {
			pdf.SetXY(x, y)
			failed = pdf.Cell(nil, s)
		}
	}
	centre := func(y, size float64, s string) {
		if failed == nil {
			failed = pdf.SetFont("kai", "", size)
		}
		if failed != nil {
			return
		}
		w, err := pdf.MeasureTextWidth(s)
		if failed = err; err == nil {
			text((page.W-w)/2, y, size, s)
		}
	}
	head := o.CommitteeName
	if head == "" {
		head = o.OrgName
	}
	pdf.SetTextColor(179, 0, 0)
	centre(34, 15, head)
	centre(58, 22, "党费收据")
	pdf.SetTextColor(0, 0, 0)
	const left, label, top, step = 60.0, 84.0, 104.0, 26.0
	pdf.SetLineWidth(0.6)
	pdf.SetStrokeColor(179, 0, 0)
	for i, line := range receiptLines(o) {
		y := top + float64(i)*step
		pdf.Line(left-12, y-7, page.W-left+12, y-7)
		text(left, y, 12, line[0])
		text(left+label, y, 12, line[1])
	}
	end := top + float64(len(receiptLines(o)))*step
	pdf.Line(left-12, end-7, page.W-left+12, end-7)
	text(page.W-left-150, end+6, 11, "收款单位（盖章）：")
	if failed != nil {
		return nil, failed
	}
	return pdf.GetBytesPdfReturnErr()
}
