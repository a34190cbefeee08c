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
)

// What is still to be done after an order changed its state; each may be done twice.
const (
	todoBook    = "book"    // ledger, 缴纳至
	todoUnbook  = "unbook"  // the same, backwards; the months are free again
	todoRefund  = "refund"  // WeChat is to be asked to give money back
	todoReturn  = "return"  // it has: the ledger, 缴纳至, the months are free
	todoRelease = "release" // months that a payment took hold of and did not get
)

// payment is money that came.
type payment struct {
	method        string // cash, wechat
	transactionID string
	outTradeNo    string
	amount        int64
	at            time.Time
	operator      *kit.Caller // of cash
	confirmer     *kit.Caller // of cash that the operator entered before
	handedIn      time.Time   // when the member paid that cash
}

var (
	errTradeOpen = errors.New("an order at WeChat was opened meanwhile")
	errLate      = errors.New("the order does not take this payment any more")
)

// settle turns an order paid, once. The months are taken first, each under an id of
// member and month; then the order moves by compare-and-set, and with it the event and
// what is left to do are saved. WeChat's money that an order cannot take is stored for
// refund, and that is no error: the notice has done its work.
func (s *Service) settle(ctx context.Context, id string, p payment) (*model.DuesOrder, error) {
	o, err := s.orders.Get(ctx, model.Everything, id)
	if err != nil {
		return nil, records.Mapped(err)
	}
	online, action := p.method == model.PayWeChat, doPay
	if p.confirmer != nil {
		action = doConfirm
	}
	switch {
	case online && o.Status == model.DuesPaidFor && o.TransactionNo == p.transactionID:
		return o, nil // told before
	case online && o.Status != model.DuesUnpaid:
		return o, s.giveBack(ctx, o, p, "订单状态为"+o.Status)
	case !online:
		if _, err := life.Step(kit.CallerOf(ctx), o, action, s.d.Clock.Now()); err != nil {
			return nil, err
		}
	}
	taken, err := s.take(ctx, o)
	if err != nil {
		return nil, err
	}
	if taken != "" {
		return o, s.refuse(ctx, o, p, taken)
	}
	paid, err := s.orders.Update(ctx, model.Everything, id, func(o *model.DuesOrder) error {
		if online && o.Status == model.DuesPaidFor && o.TransactionNo == p.transactionID {
			return errSame
		}
		if online && o.Status != model.DuesUnpaid {
			return errLate
		}
		if !online {
			if _, err := life.Step(kit.CallerOf(ctx), o, action, s.d.Clock.Now()); err != nil {
				return err
			}
			if o.Trade() != nil {
				return errTradeOpen
			}
		}
		was := *o
		o.Status, o.PayMethod, o.PayChannel = model.DuesPaidFor, p.method, channelOf(p.method)
		o.PaidAt, o.TransactionNo, o.PaidTradeNo, o.Waiting, o.Todo = &p.at, p.transactionID, p.outTradeNo, false, todoBook
		if p.operator != nil {
			o.Operator, o.OperatorID = p.operator.Name, p.operator.UserID
		}
		if t := o.TradeOf(p.outTradeNo); t != nil {
			t.Closed = true
		}
		paidAt := p.at
		if p.confirmer != nil {
			o.ConfirmedBy = p.confirmer.Name
			o.DecideCash(p.confirmer.Name, p.confirmer.UserID, p.at, false, "")
			paidAt = p.handedIn // points follow the day on which he paid
		}
		if online { // the cash goes back to him
			o.DecideCash("系统", "", p.at, true, "已由微信支付，请退还现金")
		}
		announcePaid(o, p.at, paidAt)
		switch {
		case online: // told by WeChat
			return nil
		case p.confirmer != nil:
			return s.Audit(ctx, "duesOrder", "确认现金", &was, o)
		}
		return s.Audit(ctx, "duesOrder", "现金缴纳", &was, o)
	})
	switch {
	case errors.Is(err, errSame):
		return s.orders.Get(ctx, model.Everything, id)
	case errors.Is(err, errLate):
		if err := s.release(ctx, id); err != nil {
			return nil, err
		}
		return o, s.giveBack(ctx, o, p, "订单已不能支付")
	case err != nil:
		return nil, errors.Join(err, s.release(ctx, id))
	}
	s.finishLater(ctx, paid)
	return paid, nil
}

var errSame = errors.New("settled already by this transaction")

// channelOf is the only channel of a method (DUES-08).
func channelOf(method string) string {
	if method == model.PayCash {
		return model.ViaConsole
	}
	return model.ViaMobile
}

// take stores the months of an order as settled. It returns a month that another order
// has, or "". What is left of an order that never got paid is cleaned up on the way.
func (s *Service) take(ctx context.Context, o *model.DuesOrder) (string, error) {
	docs := make([]*model.DuesMonth, len(o.Items))
	for i, x := range o.Items {
		docs[i] = &model.DuesMonth{
			Base:     model.Base{ID: kit.KeyID("dues-month", o.MemberID, x.Month), OrgID: o.OrgID, Orgs: o.Orgs},
			MemberID: o.MemberID, Month: x.Month, OrderID: o.ID,
		}
	}
	for range tries {
		failed, err := s.settled.InsertMany(ctx, docs)
		if err != nil {
			return "", fmt.Errorf("take months: %w", err)
		}
		again := false
		for i, err := range failed {
			if !errors.Is(err, model.ErrDuplicate) {
				return "", fmt.Errorf("take months: %w", err)
			}
			was, err := s.settled.Get(ctx, model.Everything, docs[i].ID)
			if errors.Is(err, model.ErrNotFound) {
				again = true // freed meanwhile
				continue
			}
			if err != nil {
				return "", err
			}
			if was.OrderID == o.ID {
				continue
			}
			holder, err := s.orders.Get(ctx, model.Everything, was.OrderID)
			if err != nil {
				return "", err
			}
			if holder.Status == model.DuesPaidFor || holder.Status == model.DuesUnpaid {
				return docs[i].Month, nil
			}
			if err := s.release(ctx, was.OrderID); err != nil {
				return "", err
			}
			again = true
		}
		if !again {
			return "", nil
		}
	}
	return "", kit.ErrConflict
}

// release frees the months of an order that ended without being paid.
func (s *Service) release(ctx context.Context, orderID string) error {
	o, err := s.orders.Get(ctx, model.Everything, orderID)
	if err != nil {
		return err
	}
	if o.Status == model.DuesPaidFor || o.Status == model.DuesUnpaid {
		return nil
	}
	if _, err := s.settled.Mongo().DeleteMany(ctx, bson.D{{Key: "orderId", Value: orderID}}); err != nil {
		return fmt.Errorf("release months: %w", err)
	}
	return nil
}

// refuse ends a payment whose month another order has paid.
func (s *Service) refuse(ctx context.Context, o *model.DuesOrder, p payment, month string) error {
	if p.method == model.PayCash {
		return kit.Conflict("dues.month_paid", "%s的党费已缴纳", month)
	}
	if err := s.giveBack(ctx, o, p, month+"的党费已由其他订单缴纳"); err != nil {
		return err
	}
	now := s.d.Clock.Now()
	_, err := s.orders.Update(ctx, model.Everything, o.ID, func(o *model.DuesOrder) error {
		if o.Status != model.DuesUnpaid {
			return errSame
		}
		if t := o.TradeOf(p.outTradeNo); t != nil {
			t.Closed = true
		}
		o.Status, o.Waiting, o.Todo = model.DuesCleared, false, todoRelease
		o.RemovedBy, o.RemovedAt, o.RemovedReason = "系统", &now, "重复缴纳，待退款"
		return nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// giveBack stores money for refund, once a transaction.
func (s *Service) giveBack(ctx context.Context, o *model.DuesOrder, p payment, reason string) error {
	err := s.refunds.Insert(ctx, &model.DuesRefund{
		Base:    model.Base{ID: kit.KeyID("dues-refund", p.transactionID), OrgID: o.OrgID, Orgs: o.Orgs},
		OrderID: o.ID, OrderNo: o.OrderNo, OutTradeNo: p.outTradeNo, TransactionID: p.transactionID,
		Amount: p.amount, Reason: reason, State: "pending",
	})
	if errors.Is(err, model.ErrDuplicate) {
		return nil
	}
	if err == nil {
		slog.Warn("dues: payment to give back", "orderNo", o.OrderNo, "amount", p.amount, "reason", reason)
	}
	return err
}

// finishLater does what a change of state left to do, now if it can. The change itself
// is stored, so a failure is the worker's to repair, not the caller's.
func (s *Service) finishLater(ctx context.Context, o *model.DuesOrder) {
	if err := s.finish(ctx, o); err != nil {
		slog.Error("dues: consequences are left to the worker", "orderNo", o.OrderNo, "todo", o.Todo, "cause", err)
	}
}

// finish does what the last change of an order's state left to do.
func (s *Service) finish(ctx context.Context, o *model.DuesOrder) error {
	todo := o.Todo
	if todo != "" && todo != todoRelease && todo != todoRefund { // in whose branch he was then
		if err := s.mark(ctx, o.OrgID, o.Orgs); err != nil {
			return err
		}
	}
	switch todo {
	case "":
		return nil
	case todoRelease:
		if err := s.release(ctx, o.ID); err != nil {
			return err
		}
	case todoRefund:
		if err := s.askBack(ctx, o); err != nil {
			return err
		}
	case todoReturn:
		if err := s.returned(ctx, o); err != nil {
			return err
		}
	case todoBook, todoUnbook:
		if err := s.book(ctx, o, o.Items, "pay", 1, o.PaidAt); err != nil {
			return err
		}
		through := o.ToMonth
		if todo == todoUnbook {
			if err := s.book(ctx, o, o.Items, "back", -1, o.RemovedAt); err != nil {
				return err
			}
			if err := s.release(ctx, o.ID); err != nil {
				return err
			}
			through = kit.AddMonths(o.FromMonth, -1)
		}
		last, err := s.lastPaid(ctx, o.MemberID)
		if err != nil {
			return err
		}
		_, err = s.d.Party.SetDuesPaidThrough(kit.AsSystem(ctx), &partygen.PaidThroughReq{
			MemberId: o.MemberID, Month: max(through, last), Force: true,
		})
		if err != nil && !errors.Is(err, kit.ErrNotFound) { // the member is gone, his money is not
			return err
		}
		if t := o.Trade(); t != nil && todo == todoBook { // paid by another one: close this
			if _, err := s.shut(ctx, o, t); err != nil && !errors.Is(err, errPaid) {
				return err
			}
		}
	}
	_, err := s.orders.Update(ctx, model.Everything, o.ID, func(o *model.DuesOrder) error {
		if o.Todo != todo {
			return errSame
		}
		o.Todo = ""
		if todo == todoBook {
			for i := range o.Trades {
				o.Trades[i].Closed = true
			}
		}
		return nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err == nil && todo != todoRelease {
		err = s.refreshOf(ctx, o.MemberID) // else the worker does: 缴纳至 has changed
	}
	return err
}

// book adds the lines of an order's months to the ledger; those that are there stay.
func (s *Service) book(ctx context.Context, o *model.DuesOrder, items []model.DuesItem, kind string, sign int64, at *time.Time) error {
	lines := make([]*model.DuesLine, len(items))
	for i, x := range items {
		lines[i] = &model.DuesLine{
			Base:     model.Base{ID: kit.KeyID("dues-line", kind, o.ID, x.Month), OrgID: o.OrgID, Orgs: o.Orgs},
			MemberID: o.MemberID, Month: x.Month, OrderID: o.ID, OrderNo: o.OrderNo,
			Amount: sign * x.Due, PayMethod: o.PayMethod, At: *at,
		}
	}
	failed, err := s.ledger.InsertMany(ctx, lines)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	for _, err := range failed {
		if !errors.Is(err, model.ErrDuplicate) {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

// catchUp finishes what earlier changes of a member's orders left to do, and tells
// whether there was anything.
func (s *Service) catchUp(ctx context.Context, memberID string) (bool, error) {
	list, err := s.orders.Find(ctx, model.Everything,
		bson.D{{Key: "memberId", Value: memberID}, {Key: "todo", Value: bson.D{{Key: "$gt", Value: ""}}}}, model.Page{})
	if err != nil {
		return false, err
	}
	for _, o := range list {
		if err := s.finish(ctx, o); err != nil {
			return false, err
		}
	}
	return len(list) > 0, nil
}
