package dues

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	dues "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/wechat"
)

const (
	// billHour is when WeChat has the bill of the day before.
	billHour = 10
	// billDays is how long WeChat keeps bills.
	billDays = 89
	// daysAtOnce bounds one turn of the worker.
	daysAtOnce = 5
	// triesToTell is how often a bill may fail before somebody is told: an hour or so.
	triesToTell = 6
	// retryBill is how long a bill that could not be had is left alone.
	retryBill = 10 * time.Minute
)

// Reconcile compares our books with WeChat's bill, day by day, from the last report to
// yesterday (trust.md, Money 5). Each day leaves a report, also one without differences.
// A day whose bill cannot be had is tried again; the days after it do not wait.
func (s *Service) Reconcile(ctx context.Context, _ *recordsgen.Empty) (*dues.Done, error) {
	days, err := s.daysDue(ctx)
	if err != nil {
		return nil, err
	}
	done := &dues.Done{}
	var errs []error
	for _, day := range days {
		lines, err := s.d.Pay.Bill(ctx, day)
		switch code := wechat.CodeOf(err); {
		case code == "STATEMENT_CREATING":
			return done, errors.Join(errs...) // a little later
		case notConfigured(err):
			return done, nil // no merchant, no bill
		case err != nil:
			errs = append(errs, fmt.Errorf("bill of %s: %w", day.Format(time.DateOnly), err), s.noBill(ctx, day, err))
			continue
		}
		if err := s.reconcile(ctx, day, lines); err != nil {
			errs = append(errs, fmt.Errorf("reconcile %s: %w", day.Format(time.DateOnly), err))
			continue
		}
		done.Count++
	}
	return done, errors.Join(errs...)
}

func notConfigured(err error) bool {
	var e *wechat.Error
	return errors.As(err, &e) && e.Kind == wechat.KindConfig
}

// daysDue are the days to reconcile now: those after the last report up to the last one
// that WeChat has a bill of, and those that failed. A new installation begins with
// yesterday.
func (s *Service) daysDue(ctx context.Context) ([]time.Time, error) {
	now := s.d.Clock.Now()
	last := kit.Midnight(now).AddDate(0, 0, -1)
	if now.Hour() < billHour {
		last = last.AddDate(0, 0, -1)
	}
	first := last
	oldest := last.AddDate(0, 0, -billDays)
	newest, err := s.reports.Find(ctx, model.Everything, nil, model.Page{Sort: bson.D{{Key: "day", Value: -1}}, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(newest) > 0 {
		d, err := time.ParseInLocation(time.DateOnly, newest[0].Day, kit.Shanghai)
		if err != nil {
			return nil, fmt.Errorf("report %s: %w", newest[0].ID, err)
		}
		if first = d.AddDate(0, 0, 1); first.Before(oldest) {
			first = oldest
		}
	}
	failed, err := s.reports.Find(ctx, model.Everything, bson.D{
		{Key: "state", Value: model.ReconcileFailed}, {Key: "day", Value: bson.D{{Key: "$gte", Value: oldest.Format(time.DateOnly)}}},
		{Key: "checkedAt", Value: bson.D{{Key: "$lte", Value: now.Add(-retryBill)}}},
	}, model.Page{Sort: bson.D{{Key: "day", Value: 1}}, Limit: daysAtOnce})
	if err != nil {
		return nil, err
	}
	var days []time.Time
	for _, r := range failed {
		if d, err := time.ParseInLocation(time.DateOnly, r.Day, kit.Shanghai); err == nil {
			days = append(days, d)
		}
	}
	for d := first; !d.After(last) && len(days) < daysAtOnce; d = d.AddDate(0, 0, 1) {
		days = append(days, d)
	}
	return days, nil
}

func reportID(day string) string { return kit.KeyID("dues-reconcile", day) }

// noBill notes that WeChat's bill could not be had. After an hour of it the admins hear.
func (s *Service) noBill(ctx context.Context, day time.Time, cause error) error {
	text := "微信账单下载失败，系统会自动重试"
	if code := wechat.CodeOf(cause); code != "" {
		text += "（" + code + "）"
	}
	return s.keep(ctx, &model.DuesReconcile{Day: day.Format(time.DateOnly), State: model.ReconcileFailed, Message: text})
}

// keep stores a report in the place of an earlier one that failed. One that succeeded
// stays as it is.
func (s *Service) keep(ctx context.Context, r *model.DuesReconcile) error {
	now := s.d.Clock.Now()
	r.Base = model.Base{ID: reportID(r.Day), OrgID: model.RootOrg, Orgs: []string{model.RootOrg}, CreatedBy: "system"}
	r.CheckedAt, r.Tries, r.Difference = now, 1, len(r.Differences)
	was, err := s.reports.Get(ctx, model.Everything, r.ID)
	switch {
	case errors.Is(err, model.ErrNotFound):
	case err != nil:
		return err
	case was.State != model.ReconcileFailed:
		return nil
	default:
		r.Base, r.Tries = was.Base, was.Tries+1
	}
	var lines []string
	for _, d := range r.Differences {
		lines = append(lines, say(d))
	}
	if r.State == model.ReconcileFailed && r.Tries == triesToTell {
		lines = []string{r.Message}
	}
	announceDifferences(r, lines, now)
	if was != nil {
		err = s.reports.Replace(ctx, r)
	} else {
		err = s.reports.Insert(ctx, r)
	}
	if errors.Is(err, model.ErrDuplicate) || errors.Is(err, model.ErrStale) {
		return nil // another worker was faster
	}
	return err
}

// say is a difference in a line for people.
func say(d model.DuesDifference) string {
	what := map[bool]string{false: "支付", true: "退款"}[d.Refund]
	text := ""
	switch d.Kind {
	case model.OnlyOurs:
		text = fmt.Sprintf("系统有、微信没有的%s：%s元", what, kit.Yuan(d.Ours))
	case model.OnlyTheirs:
		text = fmt.Sprintf("微信有、系统没有的%s：%s元", what, kit.Yuan(d.Theirs))
	case model.OtherSum:
		text = fmt.Sprintf("%s金额不一致：系统%s元，微信%s元", what, kit.Yuan(d.Ours), kit.Yuan(d.Theirs))
	}
	text += "，商户订单号" + d.OutTradeNo + "，微信交易号" + d.TransactionID
	if d.Note != "" {
		text += "（" + d.Note + "）"
	}
	return text
}

// reconcile compares one day and stores the report.
func (s *Service) reconcile(ctx context.Context, day time.Time, lines []wechat.BillLine) error {
	r := &model.DuesReconcile{Day: day.Format(time.DateOnly), State: model.ReconcileMatched}
	ours, err := s.paidOn(ctx, day)
	if err != nil {
		return err
	}
	for _, l := range lines {
		var d *model.DuesDifference
		var mine int64
		var known bool
		switch l.TradeState {
		case wechat.TradeSuccess:
			r.TheirCount, r.TheirAmount = r.TheirCount+1, r.TheirAmount+l.AmountFen
			mine, known, d, err = s.matchPayment(ctx, ours, l)
			delete(ours, l.TransactionID)
			if known {
				r.OurCount, r.OurAmount = r.OurCount+1, r.OurAmount+mine
			}
		case wechat.TradeRefund:
			r.RefundCount, r.RefundAmount = r.RefundCount+1, r.RefundAmount+l.RefundFen
			d, err = s.matchRefund(ctx, r.Day, l)
		default:
			d = &model.DuesDifference{Kind: model.OnlyTheirs, OutTradeNo: l.OutTradeNo, TransactionID: l.TransactionID, Theirs: l.AmountFen, Note: "交易状态" + l.TradeState}
		}
		if err != nil {
			return err
		}
		if d != nil {
			r.Differences = append(r.Differences, *d)
		}
	}
	for _, o := range ours { // WeChat does not have them
		r.OurCount, r.OurAmount = r.OurCount+1, r.OurAmount+o.Amount
		r.Differences = append(r.Differences, model.DuesDifference{
			Kind: model.OnlyOurs, OutTradeNo: o.OrderNo, TransactionID: o.TransactionNo, OrderID: o.ID, Ours: o.Amount,
		})
	}
	lost, err := s.refundsWithoutBill(ctx, day)
	if err != nil {
		return err
	}
	r.Differences = append(r.Differences, lost...)
	slices.SortFunc(r.Differences, func(a, b model.DuesDifference) int {
		return strings.Compare(a.OutTradeNo+a.TransactionID, b.OutTradeNo+b.TransactionID)
	})
	if len(r.Differences) > 0 {
		r.State = model.ReconcileDifferent
		slog.Error("dues: the day's bill differs", "day", r.Day, "differences", len(r.Differences))
	}
	return s.keep(ctx, r)
}

// paidOn are the orders that WeChat paid on a day, by transaction. One without a trade
// was never opened at WeChat by this system: it came with older books.
func (s *Service) paidOn(ctx context.Context, day time.Time) (map[string]*model.DuesOrder, error) {
	out := map[string]*model.DuesOrder{}
	// Index orgs, status, paidAt.
	err := s.orders.Each(ctx, model.Within(model.RootOrg), bson.D{
		{Key: "status", Value: bson.D{{Key: "$in", Value: bson.A{model.DuesPaidFor, model.DuesRefunded}}}}, {Key: "payMethod", Value: model.PayWeChat},
		{Key: "paidAt", Value: bson.D{{Key: "$gte", Value: day}, {Key: "$lt", Value: day.AddDate(0, 0, 1)}}},
	}, model.Page{Sort: bson.D{{Key: "paidAt", Value: -1}}}, func(o *model.DuesOrder) error {
		if len(o.Trades) > 0 {
			out[o.TransactionNo] = o
		}
		return nil
	})
	return out, err
}

// orderOf is the order that an out_trade_no belongs to, nil when it is none of ours.
func (s *Service) orderOf(ctx context.Context, outTradeNo string) (*model.DuesOrder, error) {
	no, _, _ := strings.Cut(outTradeNo, "-")
	o, err := s.orders.FindOne(ctx, model.Everything, bson.D{{Key: "orderNo", Value: no}})
	if errors.Is(err, model.ErrNotFound) || err == nil && o.TradeOf(outTradeNo) == nil {
		return nil, nil
	}
	return o, err
}

// matchPayment finds what our books say of a payment: the amount, whether they have it,
// and what is different. Money that WeChat has and they have not is asked for and
// settled, or given back: the report says so, and nothing is lost.
func (s *Service) matchPayment(ctx context.Context, ours map[string]*model.DuesOrder, l wechat.BillLine) (int64, bool, *model.DuesDifference, error) {
	d := &model.DuesDifference{OutTradeNo: l.OutTradeNo, TransactionID: l.TransactionID, Theirs: l.AmountFen}
	compare := func(amount int64, note string) (int64, bool, *model.DuesDifference, error) {
		if amount == l.AmountFen && note == "" {
			return amount, true, nil, nil
		}
		d.Kind, d.Ours, d.Note = model.OtherSum, amount, note
		return amount, true, d, nil
	}
	if o := ours[l.TransactionID]; o != nil {
		d.OrderID = o.ID
		if o.TradeOf(l.OutTradeNo) == nil {
			return compare(o.Amount, "商户订单号不属于该订单"+o.OrderNo)
		}
		return compare(o.Amount, "")
	}
	back, err := s.refunds.Get(ctx, model.Everything, kit.KeyID("dues-refund", l.TransactionID))
	if err == nil { // it came for an order that could not take it
		d.OrderID = back.OrderID
		return compare(back.Amount, "")
	}
	if !errors.Is(err, model.ErrNotFound) {
		return 0, false, nil, err
	}
	o, err := s.orderOf(ctx, l.OutTradeNo)
	if err != nil {
		return 0, false, nil, err
	}
	if o != nil && o.TransactionNo == l.TransactionID { // paid, as we know, on another day
		d.OrderID = o.ID
		return compare(o.Amount, "")
	}
	d.Kind = model.OnlyTheirs
	if o == nil {
		d.Note = "不是本系统的订单"
		return 0, false, d, nil
	}
	d.OrderID = o.ID
	d.Note, err = s.recover(ctx, o, l)
	return 0, false, d, err
}

// recover asks WeChat for a payment that never arrived here, and settles it.
func (s *Service) recover(ctx context.Context, o *model.DuesOrder, l wechat.BillLine) (string, error) {
	if o.Status == model.DuesPaidFor && o.PayMethod == model.PayWeChat && len(o.Trades) == 1 {
		// WeChat takes a number once: this is no second payment, the books are wrong.
		return "订单记有另一微信交易号" + o.TransactionNo + "，请人工核对", nil
	}
	tx, err := s.d.Pay.Query(ctx, l.OutTradeNo)
	if err != nil {
		return "", fmt.Errorf("query %s: %w", l.OutTradeNo, err)
	}
	if tx.TradeState != wechat.TradeSuccess {
		return "微信查询状态为" + tx.TradeState, nil
	}
	if problem := s.mismatch(o, o.TradeOf(l.OutTradeNo), tx); problem != "" {
		return "与订单不符，请人工核对", nil
	}
	after, err := s.settle(ctx, o.ID, online(tx))
	if err != nil {
		return "", err
	}
	if after.Status == model.DuesPaidFor && after.TransactionNo == l.TransactionID {
		return "已自动入账", nil
	}
	return "订单已失效，已登记退款", nil
}

// matchRefund finds the refund of a line of the bill.
func (s *Service) matchRefund(ctx context.Context, day string, l wechat.BillLine) (*model.DuesDifference, error) {
	d := &model.DuesDifference{Refund: true, OutTradeNo: l.OutTradeNo, TransactionID: l.TransactionID, Theirs: l.RefundFen}
	r, err := s.refunds.Update(ctx, model.Everything, l.OutRefundNo, func(r *model.DuesRefund) error {
		if r.BilledOn != "" {
			return errSame
		}
		r.BilledOn = day
		return nil
	})
	if errors.Is(err, errSame) {
		r, err = s.refunds.Get(ctx, model.Everything, l.OutRefundNo)
	}
	if errors.Is(err, model.ErrNotFound) {
		d.Kind, d.Note = model.OnlyTheirs, "不是本系统发起的退款"
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	d.OrderID, d.Ours = r.OrderID, r.Amount
	if r.Amount != l.RefundFen {
		d.Kind = model.OtherSum
		return d, nil
	}
	return nil, nil
}

// refundsWithoutBill are those done on a day that neither its bill nor the next one
// has: WeChat counts a refund on the day it was asked for, or a little later.
func (s *Service) refundsWithoutBill(ctx context.Context, day time.Time) ([]model.DuesDifference, error) {
	list, err := s.refunds.Find(ctx, model.Everything, bson.D{
		{Key: "state", Value: "done"}, {Key: "billedOn", Value: nil},
		{Key: "doneAt", Value: bson.D{{Key: "$gte", Value: day.AddDate(0, 0, -1)}, {Key: "$lt", Value: day}}},
	}, model.Page{})
	if err != nil {
		return nil, err
	}
	var out []model.DuesDifference
	for _, r := range list {
		out = append(out, model.DuesDifference{
			Kind: model.OnlyOurs, Refund: true, OutTradeNo: r.OutTradeNo, TransactionID: r.TransactionID, OrderID: r.OrderID, Ours: r.Amount,
		})
	}
	return out, nil
}

// reportType is 微信对账: seen by the admins of the top level, written by nobody.
func (s *Service) reportType() *records.Type[*model.DuesReconcile] {
	return &records.Type[*model.DuesReconcile]{
		Name: "duesReconcile", Title: "微信对账", Menu: "党费", Icon: "reconcile", Section: "7.4", Collection: s.reports, NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields: []records.Field{
			{Key: "day", Label: "日期", Type: "date", List: true, Search: true, Sort: true},
			{Key: "state", Label: "结果", Type: "enum", List: true, Search: true, Options: []records.Option{
				{Value: model.ReconcileMatched, Label: "一致"}, {Value: model.ReconcileDifferent, Label: "有差异"}, {Value: model.ReconcileFailed, Label: "账单未取得"}}},
			{Key: "ourCount", Label: "系统笔数", Type: "int", List: true},
			{Key: "ourAmount", Label: "系统金额", Type: "money", List: true},
			{Key: "theirCount", Label: "微信笔数", Type: "int", List: true},
			{Key: "theirAmount", Label: "微信金额", Type: "money", List: true},
			{Key: "refundCount", Label: "退款笔数", Type: "int", List: true},
			{Key: "refundAmount", Label: "退款金额", Type: "money", List: true},
			{Key: "difference", Label: "差异笔数", Type: "int", List: true},
			{Key: "details", Label: "差异明细", Type: "text", Virtual: true, List: true, Width: 300},
			{Key: "message", Label: "说明", List: true},
			{Key: "checkedAt", Label: "对账时间", Type: "datetime", List: true},
		},
		DefaultSort: "-day",
		Indexes: []model.Index{
			{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "day", Value: -1}, {Key: "_id", Value: -1}}},
			{Keys: bson.D{{Key: "day", Value: -1}}},
		},
		NameKey: "day",
		Present: func(_ context.Context, docs []*model.DuesReconcile, rows []records.Row) error {
			for i, r := range docs {
				var lines []string
				for _, d := range r.Differences[:min(len(r.Differences), 200)] {
					lines = append(lines, say(d))
				}
				rows[i]["details"] = strings.Join(lines, "\n")
			}
			return nil
		},
	}
}
