package dues

import (
	"context"
	"errors"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// errOwnCash keeps the one who takes money from being the one who says it is there.
var errOwnCash = kit.Forbidden("dues.own_cash", "现金须由经办人以外的人确认")

// enterCash notes that an admin took cash for an order (CASH_CONFIRM). The order waits:
// nobody can pay, delete or clear it until the cash is confirmed or sent back.
func (s *Service) enterCash(ctx context.Context, id string, c *kit.Caller) (*model.DuesOrder, error) {
	return s.orders.Update(ctx, model.Everything, id, func(o *model.DuesOrder) error {
		was, now := *o, s.d.Clock.Now()
		if _, err := life.Step(c, o, doPay, now); err != nil {
			return err
		}
		if o.Trade() != nil {
			return errTradeOpen
		}
		o.CashOpen, o.Cash = true, append(o.Cash, model.DuesCash{By: c.Name, ByID: c.UserID, At: now})
		return s.Audit(ctx, "duesOrder", "录入现金", &was, o)
	})
}

// confirmCash makes cash count that somebody else entered (CASH_CONFIRM). It is paid from
// now on; the points follow the time at which the member handed it in.
func (s *Service) confirmCash(ctx context.Context, o *model.DuesOrder, _ records.Input) (*model.DuesOrder, error) {
	c := kit.CallerOf(ctx)
	if n := len(o.Cash); o.Status == model.DuesPaidFor && n > 0 && o.Cash[n-1].DecidedByID == c.UserID {
		return o, nil // the same request again
	}
	if _, err := life.Step(c, o, doConfirm, s.d.Clock.Now()); err != nil {
		return nil, err
	}
	cash := *o.OpenCash()
	o, err := s.settle(ctx, o.ID, payment{
		method: model.PayCash, amount: o.Amount, at: s.d.Clock.Now(), handedIn: cash.At,
		operator: &kit.Caller{UserID: cash.ByID, Name: cash.By}, confirmer: c,
	})
	if errors.Is(err, errTradeOpen) {
		return nil, kit.ErrConflict.Because(err)
	}
	return o, err
}

// rejectCash sends cash back that is not there; the order is unpaid again, and expires as
// it would have.
func (s *Service) rejectCash(ctx context.Context, o *model.DuesOrder, in records.Input) (*model.DuesOrder, error) {
	c := kit.CallerOf(ctx)
	return s.orders.Update(ctx, model.Within(c.OrgID), o.ID, func(o *model.DuesOrder) error {
		was, now := *o, s.d.Clock.Now()
		if _, err := life.Step(c, o, doReject, now); err != nil {
			return err
		}
		o.DecideCash(c.Name, c.UserID, now, true, in.String("reason"))
		return s.Audit(ctx, "duesOrder", "驳回现金", &was, o)
	})
}
