package dues

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	dues "zhihuidangjian/idl/gen/dues"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// errNoBase refuses to price months before there is a base (DUES-06, A13).
var errNoBase = kit.Conflict("dues.no_base", "请先添加该党员的党费基数")

// account is what a member has paid and what his months cost.
type account struct {
	member      *partygen.Member
	paidThrough string                 // yyyy-MM, "" when never
	start       string                 // the first month to pay, "" without any base
	bases       []*model.DuesBase      // open
	reductions  []*model.DuesReduction // approved
}

// category is what table of rates a member is under in a month: who is retired now worked
// before his 退休时间. The month that he retires in counts as one of the retired.
func category(m *partygen.Member, month string) string {
	worked := m.DuesCategory == "" || m.DuesCategory == salaried
	if m.DuesCategory != retired && !(m.Retired && worked) {
		return m.DuesCategory
	}
	if len(m.RetiredOn) >= len("2006-01") && month < m.RetiredOn[:len("2006-01")] {
		return salaried
	}
	return retired
}

// pays refuses who owes no dues: other than full and probationary members.
func pays(m *partygen.Member) error {
	if m.Status != "active" || !model.IsPartyMember(m.MemberType) {
		return kit.InvalidFields(map[string]string{"memberId": "只有正式党员和预备党员缴纳党费"})
	}
	return nil
}

// account reads what a member has paid. 党费缴纳至 is that of the member's record or of
// his last paid order, whichever is later; consequences of earlier changes are finished
// first, so that a reversal that died half-way does not leave a gap. Who never paid
// starts with his first base: the program cannot know what was paid on paper before.
func (s *Service) account(ctx context.Context, m *partygen.Member) (*account, error) {
	done, err := s.catchUp(ctx, m.Id)
	if err != nil {
		return nil, err
	}
	if done {
		if m, err = s.member(ctx, m.Id); err != nil {
			return nil, err
		}
	}
	a := &account{member: m}
	if validMonth(m.DuesPaidThrough) {
		a.paidThrough = m.DuesPaidThrough
	}
	last, err := s.lastPaid(ctx, m.Id)
	if err != nil {
		return nil, err
	}
	a.paidThrough = max(a.paidThrough, last)
	// Index memberId: the bases of one member.
	a.bases, err = s.bases.Find(ctx, model.Everything, bson.D{{Key: "memberId", Value: m.Id}},
		model.Page{Sort: bson.D{{Key: "effectiveMonth", Value: 1}}})
	if err != nil {
		return nil, err
	}
	for _, b := range a.bases {
		if err := s.d.Seal.Disclose(b); err != nil {
			return nil, err
		}
	}
	// Index memberId.
	a.reductions, err = s.reductions.Find(ctx, model.Everything, bson.D{{Key: "memberId", Value: m.Id}, {Key: "state", Value: model.ApprovalApproved}}, model.Page{})
	if err != nil {
		return nil, err
	}
	switch {
	case a.paidThrough != "":
		a.start = kit.AddMonths(a.paidThrough, 1)
	case len(a.bases) > 0:
		a.start = a.bases[0].EffectiveMonth
	}
	return a, nil
}

// lastPaid is the last month that a member's orders paid; index memberId, status, toMonth.
func (s *Service) lastPaid(ctx context.Context, memberID string) (string, error) {
	list, err := s.orders.Find(ctx, model.Everything,
		bson.D{{Key: "memberId", Value: memberID}, {Key: "status", Value: model.DuesPaidFor}},
		model.Page{Sort: bson.D{{Key: "toMonth", Value: -1}}, Limit: 1})
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].ToMonth, nil
}

// base is the latest base not after a month, or nil.
func (a *account) base(month string) *model.DuesBase {
	for _, b := range slices.Backward(a.bases) {
		if b.EffectiveMonth <= month {
			return b
		}
	}
	return nil
}

// off is what a month is reduced by (7.4).
func (a *account) off(month string, payable int64) int64 {
	for _, r := range a.reductions {
		if r.Covers(month) {
			return r.Off(payable)
		}
	}
	return 0
}

// price computes the months from…to and their sum. The items are not sealed yet.
func (a *account) price(from, to string) (items []model.DuesItem, sum int64, err error) {
	for _, month := range months(from, to) {
		b := a.base(month)
		if b == nil {
			return nil, 0, errNoBase
		}
		x := model.DuesItem{Month: month, BaseMonth: b.EffectiveMonth, BaseAmount: b.BaseAmount, Rate: b.Rate, Payable: b.PayableAmount, Reduction: a.off(month, b.PayableAmount)}
		x.Due = x.Payable - x.Reduction
		items = append(items, x)
		sum += x.Due
	}
	return items, sum, nil
}

// check refuses months that cannot be ordered and names the field at fault (DUES-03).
func (a *account) check(from, to, now string) error {
	wrong := func(field, message string) error { return kit.InvalidFields(map[string]string{field: message}) }
	switch {
	case len(a.bases) == 0 || a.base(a.start) == nil:
		return errNoBase
	case from != "" && !validMonth(from):
		return wrong("fromMonth", "缴纳起始月份应为年月，如2024-07")
	case !validMonth(to):
		return wrong("toMonth", "缴纳截止月份应为年月，如2024-07")
	case from != "" && from <= a.paidThrough:
		return wrong("fromMonth", from+"的党费已缴纳")
	case from != "" && from != a.start:
		return wrong("fromMonth", "应从"+a.start+"开始缴纳")
	case to <= a.paidThrough:
		return wrong("toMonth", to+"的党费已缴纳")
	case to < a.start:
		return wrong("toMonth", "缴纳截止月份不能早于起始月份")
	case to > kit.AddMonths(now, aheadMonths):
		return wrong("toMonth", "最多可预缴之后6个月的党费")
	case len(months(a.start, to)) > maxMonths:
		return wrong("toMonth", "一次最多缴纳60个月，请分次缴纳")
	}
	return nil
}

// GetBasePreview shows the rate and the dues of a month on a base before it is saved
// (BASE-03).
func (s *Service) GetBasePreview(ctx context.Context, req *dues.PreviewBaseReq) (*dues.PreviewBase, error) {
	if req.BaseAmount < 0 || req.BaseAmount > maxBase {
		return nil, kit.InvalidFields(map[string]string{"baseAmount": "请输入正确的金额"})
	}
	m, _, err := s.memberInScope(ctx, req.MemberId)
	if err != nil {
		return nil, err
	}
	month := req.Month
	switch {
	case month == "":
		month = kit.Month(s.d.Clock.Now())
	case !validMonth(month):
		return nil, kit.InvalidFields(map[string]string{"effectiveMonth": "使用年月应为年月，如2024-07"})
	}
	policy, err := s.policyOf(ctx, m.Orgs)
	if err != nil {
		return nil, err
	}
	rate, due := payable(month, category(m, month), req.BaseAmount, policy)
	return &dues.PreviewBase{Rate: rate, Payable: due}, nil
}

// GetOwed shows what a member has not paid yet: the months up to the current one, or up
// to the one asked for.
func (s *Service) GetOwed(ctx context.Context, req *dues.OwedReq) (*dues.Owed, error) {
	m, c, err := s.memberInScope(ctx, req.MemberId)
	if err != nil {
		return nil, err
	}
	if req.ToMonth != "" && !validMonth(req.ToMonth) {
		return nil, kit.InvalidFields(map[string]string{"toMonth": "缴纳截止月份应为年月，如2024-07"})
	}
	return s.owed(ctx, c, m, req.ToMonth, errNoBase.Message)
}

// GetMine shows a member his own 缴纳至, payable months and orders (DUES-11).
func (s *Service) GetMine(ctx context.Context, _ *recordsgen.Empty) (*dues.Owed, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.member(ctx, c.MemberID)
	if err != nil {
		return nil, err
	}
	return s.owed(ctx, c, m, "", "请联系党组织设置党费基数")
}

func (s *Service) owed(ctx context.Context, c *kit.Caller, m *partygen.Member, to, noBase string) (*dues.Owed, error) {
	a, err := s.account(ctx, m)
	if err != nil {
		return nil, err
	}
	now := kit.Month(s.d.Clock.Now())
	last := kit.AddMonths(now, aheadMonths)
	if to == "" {
		to = now
	}
	out := &dues.Owed{PaidThrough: a.paidThrough}
	switch {
	case pays(m) != nil:
		out.Message = "只有正式党员和预备党员缴纳党费"
	case len(a.bases) == 0 || a.base(a.start) == nil:
		out.Message = noBase
	default:
		items, sum, err := a.price(a.start, min(to, last))
		if err != nil {
			return nil, err
		}
		ahead, _, err := a.price(max(a.start, kit.AddMonths(min(to, last), 1)), last)
		if err != nil {
			return nil, err
		}
		out.Items, out.Amount, out.Ahead = wireItems(c, items), sum, wireItems(c, ahead)
		if len(items)+len(ahead) == 0 {
			out.Message = "党费已缴纳至" + a.paidThrough + "，暂无可缴纳的月份"
		}
	}
	// Own orders that still mean something: paid ones and the open one.
	list, err := s.orders.Find(ctx, model.Everything, bson.D{
		{Key: "memberId", Value: m.Id},
		{Key: "status", Value: bson.D{{Key: "$in", Value: bson.A{model.DuesPaidFor, model.DuesUnpaid, model.DuesRefunded}}}},
	}, model.Page{Limit: 60})
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		if o.Status == model.DuesUnpaid && !o.CashOpen && !s.d.Clock.Now().Before(o.ExpiresAt) {
			continue
		}
		shown, err := s.wire(c, o)
		if err != nil {
			return nil, err
		}
		out.Orders = append(out.Orders, shown)
	}
	return out, nil
}

// wireItems are months as callers see them, with what they were computed from for the member
// himself; who takes the money goes by the amount, and has the bases where they are revealed.
func wireItems(c *kit.Caller, items []model.DuesItem) []*dues.Item {
	return itemsOf(items, c.Kind == kit.Member)
}

func itemsOf(items []model.DuesItem, bases bool) []*dues.Item {
	out := make([]*dues.Item, len(items))
	for i, x := range items {
		out[i] = &dues.Item{Month: x.Month, Rate: x.Rate, Payable: x.Payable, Reduction: x.Reduction, Due: x.Due}
		if bases {
			out[i].BaseAmount = x.BaseAmount.Fen()
		}
	}
	return out
}

// wire is a stored order as callers see it, with what this one may do to it now.
func (s *Service) wire(c *kit.Caller, stored *model.DuesOrder) (*dues.Order, error) {
	o := new(*stored)
	if c.Kind == kit.Member {
		if err := s.d.Seal.Disclose(o); err != nil {
			return nil, err
		}
	}
	out := &dues.Order{
		Id: o.ID, OrderNo: o.OrderNo, MemberId: o.MemberID, MemberName: o.MemberName, IdNumber: o.IDMasked, OrgName: o.OrgName,
		FromMonth: o.FromMonth, ToMonth: o.ToMonth, Items: wireItems(c, o.Items), Amount: o.Amount, Status: o.Status,
		PayMethod: o.PayMethod, PayChannel: o.PayChannel, CreatedAt: o.CreatedAt.UnixMilli(), Operator: o.Operator,
		TransactionNo: o.TransactionNo, ConfirmedBy: o.ConfirmedBy, Version: o.Version, ExpiresAt: o.ExpiresAt.UnixMilli(), Actions: []string{},
	}
	out.Refunded, out.Rounding = o.Refunded, roundings("rounding", o.Rounding)
	for _, r := range o.Refunds {
		out.Refunds = append(out.Refunds, wireRefund(o, &r))
	}
	if o.PaidAt != nil {
		out.PaidAt = o.PaidAt.UnixMilli()
	}
	if cash := o.OpenCash(); cash != nil {
		out.CashBy = cash.By
	}
	for _, a := range allowed(c, o, s.d.Clock.Now()) {
		if c.Can(permissions[a]) || c.Kind == kit.Member && a == doPay {
			out.Actions = append(out.Actions, a)
		}
	}
	return out, nil
}

func wireRefund(o *model.DuesOrder, r *model.DuesRefunding) *dues.Refund {
	out := &dues.Refund{FromMonth: r.FromMonth, Amount: r.Amount, Reason: r.Reason, By: r.By, At: r.At.UnixMilli(), DecidedBy: r.DecidedBy, Rejected: r.Rejected}
	switch {
	case r.DoneAt != nil:
		out.State, out.DoneAt = "done", r.DoneAt.UnixMilli()
	case r.Rejected != "":
		out.State = "rejected"
	default:
		out.State = o.RefundOpen
	}
	return out
}
