package dues

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/signintech/gopdf"
	"go.mongodb.org/mongo-driver/v2/bson"

	dues "zhihuidangjian/idl/gen/dues"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/paper"
)

// mostOnSheet bounds a branch's month on one sheet, and what is paid or printed in one act.
const mostOnSheet = 300

var errSheet = kit.Conflict("dues.sheet", "一页最多%d人，请选择具体党支部", mostOnSheet)

// GetMonthSheet is a branch's month on one sheet (PLUS-12): everybody who owes dues, with what he owes
// up to it, or how he has paid it.
func (s *Service) GetMonthSheet(ctx context.Context, req *dues.SheetReq) (*dues.Sheet, error) {
	if !validMonth(req.Month) {
		return nil, kit.InvalidFields(map[string]string{"month": "月份应为年月，如2024-07"})
	}
	members, err := s.payers(ctx, req.OrgId)
	if err != nil {
		return nil, err
	}
	ids := bson.A{}
	for _, m := range members {
		ids = append(ids, m.Id)
	}
	// Index memberId, status, toMonth.
	orders, err := s.orders.Find(ctx, model.Everything, bson.D{
		{Key: "memberId", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "status", Value: bson.D{{Key: "$in", Value: bson.A{model.DuesPaidFor, model.DuesUnpaid}}}},
		{Key: "fromMonth", Value: bson.D{{Key: "$lte", Value: req.Month}}}, {Key: "toMonth", Value: bson.D{{Key: "$gte", Value: req.Month}}},
	}, model.Page{})
	if err != nil {
		return nil, err
	}
	out := &dues.Sheet{Rows: []*dues.SheetRow{}}
	for _, m := range members {
		row, err := s.sheetRow(ctx, m, req.Month, orders)
		if err != nil {
			return nil, err
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// payers are the members below an organisation of the caller's who owe dues.
func (s *Service) payers(ctx context.Context, orgID string) ([]*partygen.Member, error) {
	tree, err := s.d.Party.GetTree(ctx, &partygen.OrgReq{OrgId: orgID}) // refuses another's
	if err != nil {
		return nil, err
	}
	list, err := s.d.Party.ListMembers(kit.AsSystem(ctx), &partygen.OrgReq{OrgId: tree.Nodes[0].Id})
	if err != nil {
		return nil, err
	}
	members := slices.DeleteFunc(list.Members, func(m *partygen.Member) bool { return pays(m) != nil })
	if len(members) > mostOnSheet {
		return nil, errSheet
	}
	return members, nil
}

func (s *Service) sheetRow(ctx context.Context, m *partygen.Member, month string, orders []*model.DuesOrder) (*dues.SheetRow, error) {
	a, err := s.account(ctx, m)
	if err != nil {
		return nil, err
	}
	row := &dues.SheetRow{MemberId: m.Id, Name: m.Name, IdNumber: maskID(m.IdNumber), OrgName: m.OrgName, PaidThrough: a.paidThrough, State: "owed", Bound: m.OpenId != "" || m.MiniOpenId != ""}
	for _, o := range orders {
		switch {
		case o.MemberID != m.Id:
		case o.Status == model.DuesPaidFor:
			row.OrderId, row.PayMethod, row.Amount, row.Operator = o.ID, o.PayMethod, o.Amount-o.Refunded, o.Operator
		case s.d.Clock.Now().Before(o.ExpiresAt) || o.CashOpen:
			row.OpenOrder = true
			row.CashOpen = o.CashOpen
		}
	}
	if row.OrderId != "" || month <= a.paidThrough {
		row.State = "paid"
		return row, nil
	}
	if err := a.check("", month, kit.Month(s.d.Clock.Now())); err != nil {
		row.State, row.Message = "none", message(err)
		return row, nil
	}
	items, sum, err := a.price(a.start, month)
	if err != nil {
		row.State, row.Message = "none", message(err)
		return row, nil
	}
	row.FromMonth, row.Months, row.Amount = a.start, int32(len(items)), sum
	if sum == 0 {
		row.State, row.Message = "none", "已免交"
	}
	return row, nil
}

// message is what an error says to a person, of its first field where it is about fields.
func message(err error) string {
	e, told := errors.AsType[*kit.Error](err)
	if !told {
		return kit.ErrInternal.Message
	}
	for _, text := range e.Fields {
		return text
	}
	return e.Message
}

// PayMonth takes the dues of many members up to a month in one act, each once (PLUS-12): in cash, or by
// an order each that its member pays on his phone today. What one of them refuses holds up no other.
func (s *Service) PayMonth(ctx context.Context, req *dues.PayMonthReq) (*dues.PaidMonths, error) {
	ids := slices.Compact(slices.Sorted(slices.Values(req.MemberIds)))
	if len(ids) > mostOnSheet {
		return nil, errSheet
	}
	out := &dues.PaidMonths{Outcomes: []*dues.PaidMonth{}}
	for _, id := range ids {
		x := &dues.PaidMonth{MemberId: id}
		o, err := s.payOne(ctx, id, req)
		if err != nil {
			if _, told := errors.AsType[*kit.Error](err); !told {
				return nil, err
			}
			x.Message = message(err)
		} else {
			x.Done, x.OrderId, x.Amount = true, o.Id, o.Amount
			if o.Status == model.DuesUnpaid && req.Method == model.PayCash {
				x.Message = "现金已登记，待他人确认"
			}
		}
		out.Outcomes = append(out.Outcomes, x)
	}
	return out, nil
}

func (s *Service) payOne(ctx context.Context, memberID string, req *dues.PayMonthReq) (*dues.Order, error) {
	if !kit.CallerOf(ctx).Can(duessvc.CreateOrder.Permission()) {
		return nil, kit.ErrForbidden
	}
	o, err := s.CreateOrder(ctx, &dues.CreateOrderReq{MemberId: memberID, ToMonth: req.Month, IdempotencyKey: kit.KeyID("sheet", req.IdempotencyKey, memberID)})
	if err != nil {
		return nil, err
	}
	if req.Method == model.PayCash {
		if o.Status == model.DuesPaidFor {
			return o, nil // the same act again
		}
		return s.PayCash(ctx, &dues.OrderReq{Id: o.Id})
	}
	_, err = s.orders.Update(ctx, model.Everything, o.Id, func(o *model.DuesOrder) error {
		if o.Called || o.Status != model.DuesUnpaid {
			return model.ErrUnchanged
		}
		o.Called = true
		o.Tell(kit.KeyID("dues.called", o.ID), s.d.Clock.Now(), model.Told{
			Kind: "duesReminder", Title: "党费缴纳提醒", Content: fmt.Sprintf("请在今天内用微信缴纳%s党费%s元", span(o), kit.Yuan(o.Amount)),
			Fields:     map[string]string{"month": span(o), "amount": kit.Yuan(o.Amount)},
			TargetType: "duesOrder", TargetID: o.ID, Page: "pages/dues/index", MemberIDs: []string{o.MemberID}, Traced: true,
		})
		return nil
	})
	return o, err
}

// PrintReceipts draws the receipts of many paid orders, a page each, as one PDF (PLUS-12). One of them
// that cannot be printed refuses all.
func (s *Service) PrintReceipts(ctx context.Context, req *dues.OrdersReq) (*recordsgen.File, error) {
	if len(req.Ids) > mostOnSheet {
		return nil, errSheet
	}
	fonts, err := paper.Installed(s.d.FontPath)
	if err != nil {
		return nil, err
	}
	p := paper.New(gopdf.Rect{W: gopdf.PageSizeA5.H, H: gopdf.PageSizeA5.W}, fonts)
	var orders []*model.DuesOrder
	for i, id := range slices.Compact(slices.Sorted(slices.Values(req.Ids))) {
		o, c, err := s.orderInScope(ctx, id)
		if err != nil {
			return nil, err
		}
		if _, err := life.Step(c, o, doPrint, s.d.Clock.Now()); err != nil {
			return nil, err
		}
		if i > 0 {
			p.PDF.AddPage()
		}
		if err := receipt(p, o); err != nil {
			return nil, fmt.Errorf("receipt: %w", err)
		}
		orders = append(orders, o)
	}
	pdf, err := p.Bytes()
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	for _, o := range orders {
		if err := s.Shown(ctx, model.AuditExport, "duesOrder", "打印党费收据", o, ""); err != nil {
			return nil, err
		}
	}
	return &recordsgen.File{Name: fmt.Sprintf("党费收据%d张.pdf", len(orders)), ContentType: "application/pdf", Data: pdf}, nil
}
