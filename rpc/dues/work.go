package dues

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	dues "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/wechat"
)

// atOnce bounds what one turn of a worker does; the next one goes on.
const atOnce = 200

// ExpireOrders clears the unpaid orders whose day is over (DUES-05): closed at WeChat
// first, then here. It may be late, or run twice. An order that WeChat does not answer
// for stays for the next turn, and the error says so.
func (s *Service) ExpireOrders(ctx context.Context, _ *recordsgen.Empty) (*dues.Done, error) {
	done := &dues.Done{}
	var errs []error
	// Index status, expiresAt.
	list, err := s.orders.Find(ctx, model.Everything, bson.D{
		{Key: "status", Value: model.DuesUnpaid}, {Key: "expiresAt", Value: bson.D{{Key: "$lte", Value: s.d.Clock.Now()}}},
		{Key: "cashOpen", Value: nil}, // money that waits is not thrown away
	}, model.Page{Sort: bson.D{{Key: "expiresAt", Value: 1}}})
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		if err := s.clear(ctx, o.ID); err != nil {
			errs = append(errs, fmt.Errorf("order %s: %w", o.OrderNo, err))
			continue
		}
		done.Count++
	}
	return done, errors.Join(errs...)
}

// askPace bounds how many orders a second a process asks WeChat for. WeChat takes some
// hundreds of questions a second from a merchant, whose members pay meanwhile.
const askPace = 50

// QueryWaiting asks WeChat for unpaid orders that are open there, since notices are not
// guaranteed to come: each in turn, the longest unasked first. It finishes what crashes left
// half-done and gives money back.
func (s *Service) QueryWaiting(ctx context.Context, _ *recordsgen.Empty) (*dues.Done, error) {
	done := &dues.Done{}
	var errs []error
	waiting, err := s.orders.Find(ctx, model.Everything, bson.D{{Key: "waiting", Value: true}},
		model.Page{Sort: bson.D{{Key: "askedAt", Value: 1}}, Limit: atOnce}) // Index waiting, askedAt.
	if err != nil {
		return nil, err
	}
	for _, o := range waiting {
		if err := s.pace.Wait(ctx); err != nil {
			errs = append(errs, err)
			break // the others are the next turn's first
		}
		paid, err := s.ask(ctx, o)
		if err != nil {
			errs = append(errs, fmt.Errorf("order %s: %w", o.OrderNo, err))
		} else if paid {
			done.Count++
		}
	}
	half, err := s.orders.Find(ctx, model.Everything, bson.D{{Key: "todo", Value: bson.D{{Key: "$gt", Value: ""}}}}, model.Page{Limit: atOnce})
	if err != nil {
		return nil, err
	}
	for _, o := range half {
		if err := s.finish(ctx, o); err != nil {
			errs = append(errs, fmt.Errorf("order %s: %w", o.OrderNo, err))
		}
	}
	return done, errors.Join(append(errs, s.payBack(ctx))...)
}

// ask settles an order if WeChat says that it is paid.
func (s *Service) ask(ctx context.Context, o *model.DuesOrder) (bool, error) {
	t := o.Trade()
	if t == nil {
		return false, nil
	}
	// Noted first, so that an order that fails holds up no other; and past the version, which
	// is of what people see.
	if _, err := s.orders.Mongo().UpdateByID(ctx, o.ID, bson.D{{Key: "$set", Value: bson.D{{Key: "askedAt", Value: s.d.Clock.Now()}}}}); err != nil {
		return false, err
	}
	tx, err := s.d.Pay.Query(ctx, t.OutTradeNo)
	switch {
	case wechat.CodeOf(err) == wechat.CodeOrderNotExist:
		return false, nil // not asked for yet, or never
	case err != nil:
		return false, err
	}
	switch tx.TradeState {
	case wechat.TradeSuccess:
		if problem := s.mismatch(o, t, tx); problem != "" {
			return false, errors.New(problem)
		}
		_, err := s.settle(ctx, o.ID, online(tx))
		return err == nil, err
	case wechat.TradeClosed:
		return false, s.closed(ctx, o.ID, t.OutTradeNo)
	}
	return false, nil
}

// payBack gives back what orders could not take. The number of a refund is made of its
// transaction, so that a repeat is the same refund at WeChat too.
func (s *Service) payBack(ctx context.Context) error {
	list, err := s.refunds.Find(ctx, model.Everything, bson.D{{Key: "state", Value: "pending"}}, model.Page{Limit: atOnce})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range list {
		if err := s.giveOne(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("refund of %s: %w", r.OrderNo, err))
		}
	}
	return errors.Join(errs...)
}

// giveOne asks WeChat for one refund; asking again for the same asks how far it is.
func (s *Service) giveOne(ctx context.Context, r *model.DuesRefund) error {
	total, reason := r.Total, r.Reason
	if total == 0 {
		total, reason = r.Amount, "党费订单已失效"
	}
	back, err := s.d.Pay.Refund(ctx, wechat.RefundOrder{OutTradeNo: r.OutTradeNo, OutRefundNo: r.ID, Reason: reason, RefundFen: r.Amount, TotalFen: total})
	if err == nil && back.Status == wechat.RefundSuccess {
		return s.gave(ctx, r.ID, back.SuccessAt)
	}
	text := "微信处理中"
	switch {
	case err != nil:
		text = err.Error()
	case back.Status == wechat.RefundClosed || back.Status == wechat.RefundAbnormal:
		text = abnormal(back.Status)
	}
	_, saved := s.refunds.Update(ctx, model.Everything, r.ID, func(r *model.DuesRefund) error {
		if r.LastError == text || r.State == "done" {
			return model.ErrUnchanged
		}
		r.LastError = text
		return nil
	})
	return errors.Join(err, saved)
}

// gave writes down that WeChat has given money back, at the time by which its bill has it. The order
// comes first: what dies in between is asked for again, and changes nothing twice.
func (s *Service) gave(ctx context.Context, id string, at time.Time) error {
	r, err := s.refunds.Get(ctx, model.Everything, id)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = s.d.Clock.Now()
	}
	if r.Total > 0 {
		if err := s.giveBackMonths(ctx, r, at); err != nil {
			return err
		}
	}
	_, err = s.refunds.Update(ctx, model.Everything, id, func(r *model.DuesRefund) error {
		if r.State == "done" {
			return model.ErrUnchanged
		}
		r.State, r.DoneAt, r.LastError = "done", &at, ""
		return nil
	})
	return err
}
