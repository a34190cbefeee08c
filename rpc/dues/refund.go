package dues

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/wechat"
)

// askRefund asks for a WeChat payment to be given back, from a month on or whole (PLUS-10). Nothing
// moves until somebody else confirms it; meanwhile the member's next months cannot be entered.
func (s *Service) askRefund(ctx context.Context, o *model.DuesOrder, in records.Input) (*model.DuesOrder, error) {
	c, from := kit.CallerOf(ctx), in.String("fromMonth")
	if _, err := s.catchUp(ctx, o.MemberID); err != nil {
		return nil, err
	}
	return s.orders.Update(ctx, model.Within(c.OrgID), o.ID, func(o *model.DuesOrder) error {
		now := s.d.Clock.Now()
		if _, err := life.Step(c, o, doRefund, now); err != nil {
			return err
		}
		if err := s.lastOfMember(ctx, o); err != nil {
			return err
		}
		if from == "" {
			from = o.FromMonth
		}
		var sum int64
		found := false
		for _, x := range o.Items {
			if !x.Refunded && x.Month >= from {
				sum += x.Due
			}
			found = found || x.Month == from && !x.Refunded
		}
		switch {
		case !found:
			return kit.InvalidFields(map[string]string{"fromMonth": fmt.Sprintf("应为该订单%s至%s中的月份", o.FromMonth, o.ToMonth)})
		case sum == 0:
			return kit.InvalidFields(map[string]string{"fromMonth": "这些月份没有缴纳金额，无需退款"})
		}
		was := *o
		o.RefundOpen = model.RefundAsked
		o.Refunds = append(o.Refunds, model.DuesRefunding{ID: kit.NewID(now), FromMonth: from, Amount: sum, Reason: in.String("reason"), By: c.Name, ByID: c.UserID, At: now})
		return s.Audit(ctx, "duesOrder", "申请退款", &was, o)
	})
}

// confirmRefund lets the money go that somebody else asked for. WeChat is asked until it has done it.
func (s *Service) confirmRefund(ctx context.Context, o *model.DuesOrder, _ records.Input) (*model.DuesOrder, error) {
	c := kit.CallerOf(ctx)
	if n := len(o.Refunds); n > 0 && o.RefundOpen != model.RefundAsked && o.Refunds[n-1].DecidedByID == c.UserID && o.Refunds[n-1].Rejected == "" {
		return o, nil // the same request again
	}
	o, err := s.orders.Update(ctx, model.Within(c.OrgID), o.ID, func(o *model.DuesOrder) error {
		now := s.d.Clock.Now()
		if _, err := life.Step(c, o, doConfirmRefund, now); err != nil {
			return err
		}
		if err := s.lastOfMember(ctx, o); err != nil {
			return err
		}
		was, r := *o, o.OpenRefund()
		r.DecidedBy, r.DecidedByID, r.DecidedAt = c.Name, c.UserID, &now
		o.RefundOpen, o.Todo = model.RefundConfirmed, todoRefund
		return s.Audit(ctx, "duesOrder", "确认退款", &was, o)
	})
	if err != nil {
		return nil, err
	}
	s.finishLater(ctx, o)
	return s.orders.Get(ctx, model.Everything, o.ID)
}

// rejectRefund sends back what somebody asked for; the payment stays.
func (s *Service) rejectRefund(ctx context.Context, o *model.DuesOrder, in records.Input) (*model.DuesOrder, error) {
	c := kit.CallerOf(ctx)
	return s.orders.Update(ctx, model.Within(c.OrgID), o.ID, func(o *model.DuesOrder) error {
		now := s.d.Clock.Now()
		if _, err := life.Step(c, o, doRejectRefund, now); err != nil {
			return err
		}
		was, r := *o, o.OpenRefund()
		r.DecidedBy, r.DecidedByID, r.DecidedAt, r.Rejected = c.Name, c.UserID, &now, in.String("reason")
		o.RefundOpen = ""
		return s.Audit(ctx, "duesOrder", "驳回退款", &was, o)
	})
}

// askBack stores a confirmed refund where WeChat is asked for it from, once, and asks.
func (s *Service) askBack(ctx context.Context, o *model.DuesOrder) error {
	r := o.OpenRefund()
	if r == nil {
		return nil
	}
	no := o.PaidTradeNo
	if no == "" { // paid before the number was kept
		no = o.OrderNo
	}
	back := &model.DuesRefund{
		Base: model.Base{ID: r.ID, OrgID: o.OrgID, Orgs: o.Orgs}, OrderID: o.ID, OrderNo: o.OrderNo, OutTradeNo: no, TransactionID: o.TransactionNo,
		Amount: r.Amount, Total: o.Amount, Reason: "党费退款", State: "pending",
	}
	if err := s.refunds.Insert(ctx, back); err != nil && !errors.Is(err, model.ErrDuplicate) {
		return err
	}
	if err := s.giveOne(ctx, back); err != nil { // the worker asks again
		slog.Warn("dues: refund is left to the worker", "orderNo", o.OrderNo, "cause", err)
	}
	return nil
}

// giveBackMonths takes the months out of an order that WeChat has given money back of.
func (s *Service) giveBackMonths(ctx context.Context, back *model.DuesRefund, at time.Time) error {
	o, err := s.orders.Update(ctx, model.Everything, back.OrderID, func(o *model.DuesOrder) error {
		if r := o.OpenRefund(); r == nil || r.ID != back.ID {
			return errSame
		}
		o.GiveBack(at)
		o.Todo = todoReturn
		announceRefunded(o, back, at)
		return nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err != nil {
		return err
	}
	s.finishLater(ctx, o)
	return nil
}

// returned does what follows the last refund of an order that was done.
func (s *Service) returned(ctx context.Context, o *model.DuesOrder) error {
	var r *model.DuesRefunding
	for i := range o.Refunds {
		if o.Refunds[i].DoneAt != nil {
			r = &o.Refunds[i]
		}
	}
	if r == nil {
		return nil
	}
	var items []model.DuesItem
	months := bson.A{}
	for _, x := range o.Items {
		if x.Refunded && x.Month >= r.FromMonth {
			items = append(items, x)
			months = append(months, x.Month)
		}
	}
	if err := s.book(ctx, o, items, "refund", -1, r.DoneAt); err != nil {
		return err
	}
	// Of this order only: another one may have paid them again by now.
	if _, err := s.settled.Mongo().DeleteMany(ctx, bson.D{{Key: "orderId", Value: o.ID}, {Key: "month", Value: bson.D{{Key: "$in", Value: months}}}}); err != nil {
		return fmt.Errorf("release months: %w", err)
	}
	last, err := s.lastPaid(ctx, o.MemberID)
	if err != nil {
		return err
	}
	_, err = s.d.Party.SetDuesPaidThrough(kit.AsSystem(ctx), &partygen.PaidThroughReq{MemberId: o.MemberID, Month: max(kit.AddMonths(r.FromMonth, -1), last), Force: true})
	if errors.Is(err, kit.ErrNotFound) { // the member is gone, his money is not
		return nil
	}
	return err
}

// matchBack finds the refund that a notice tells of, and says why it does not fit, or "".
func (s *Service) matchBack(ctx context.Context, n *wechat.Refund) (r *model.DuesRefund, problem string, err error) {
	r, err = s.refunds.Get(ctx, model.Everything, n.OutRefundNo)
	switch {
	case errors.Is(err, model.ErrNotFound):
		return nil, "unknown refund", nil
	case err != nil:
		return nil, "", err
	case r.OutTradeNo != n.OutTradeNo || r.Amount != n.RefundFen:
		return r, fmt.Sprintf("refund of %d of %s instead of %d of %s", n.RefundFen, n.OutTradeNo, r.Amount, r.OutTradeNo), nil
	}
	return r, "", nil
}

// refundNotice takes WeChat's word of what became of a refund.
func (s *Service) refundNotice(ctx context.Context, id string, n *wechat.Refund) error {
	if n.Status == wechat.RefundSuccess {
		return s.gave(ctx, id, n.SuccessAt)
	}
	_, err := s.refunds.Update(ctx, model.Everything, id, func(r *model.DuesRefund) error {
		r.LastError = abnormal(n.Status)
		return nil
	})
	return err
}

// abnormal tells people of a refund that WeChat could not do.
func abnormal(status string) string {
	return "微信退款异常（" + status + "），请在微信商户平台处理"
}
