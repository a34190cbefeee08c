package dues

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	dues "zhihuidangjian/idl/gen/dues"
	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// tries bounds how often a use case starts again after losing a race.
const tries = 20

// CreateOrder enters dues for a member (DUES-03): an unpaid order from the month after
// 党费缴纳至, its amount computed here. The same idempotency key with the same months
// answers the same order; a member's unpaid order of the same months is not doubled.
func (s *Service) CreateOrder(ctx context.Context, req *dues.CreateOrderReq) (*dues.Order, error) {
	m, c, err := s.memberInScope(ctx, req.MemberId)
	if err != nil {
		return nil, err
	}
	o, err := s.open(ctx, c, m, req.FromMonth, req.ToMonth, req.IdempotencyKey, false)
	if err != nil {
		return nil, err
	}
	return s.wire(c, o)
}

// open makes a member's unpaid order, or finds the one that was asked for before. With
// replace, an unpaid order of other months makes way once WeChat has closed it.
func (s *Service) open(ctx context.Context, c *kit.Caller, m *partygen.Member, from, to, key string, replace bool) (*model.DuesOrder, error) {
	k, o, err := s.remember(ctx, c, key, strings.Join([]string{m.Id, from, to}, " "))
	if err != nil || o != nil {
		return o, err
	}
	if err := pays(m); err != nil {
		return nil, err
	}
	for left := tries; left > 0; left-- {
		a, err := s.account(ctx, m)
		if err != nil {
			return nil, err
		}
		now := s.d.Clock.Now()
		if err := a.check(from, to, kit.Month(now)); err != nil {
			return nil, err
		}
		refunding, err := s.orders.Count(ctx, model.Everything, bson.D{{Key: "memberId", Value: m.Id}, {Key: "status", Value: model.DuesPaidFor}, {Key: "refundOpen", Value: bson.D{{Key: "$gt", Value: ""}}}})
		if err != nil {
			return nil, err
		}
		if refunding > 0 { // the months that it begins with are not sure
			return nil, errRefunding
		}
		items, sum, err := a.price(a.start, to)
		if err != nil {
			return nil, err
		}
		if sum == 0 {
			return nil, kit.InvalidFields(map[string]string{"toMonth": "所选月份均已免交党费，无需缴纳；请选择有应缴金额的月份一并缴纳"})
		}
		was, err := s.orders.FindOne(ctx, model.Everything, bson.D{{Key: "memberId", Value: m.Id}, {Key: "status", Value: model.DuesUnpaid}})
		if err == nil {
			err = s.d.Seal.Disclose(was)
		}
		switch {
		case errors.Is(err, model.ErrNotFound):
		case err != nil:
			return nil, err
		case !now.Before(was.ExpiresAt): // the midnight job is late
			if err := s.clear(ctx, was.ID); err != nil {
				return nil, err
			}
			continue
		case slices.Equal(was.Items, items):
			return was, s.pointTo(ctx, k, was.ID)
		case !replace:
			return nil, kit.Conflict("dues.open_order", "该党员已有%s至%s未支付的订单，请先支付或删除", was.FromMonth, was.ToMonth)
		case left == 1: // who takes an order away puts one in its place
			return nil, kit.ErrConflict
		default:
			// The same tap, sent twice, does not take away what has replaced its order since.
			if mine, err := s.orders.Get(ctx, model.Everything, k.OrderID); !errors.Is(err, model.ErrNotFound) {
				return mine, err
			}
			if _, err := s.end(ctx, was.ID, doDelete, c, "更换缴纳月份"); err != nil && !errors.Is(err, errKeepPaid) && !errors.Is(err, errGone) {
				return nil, err
			}
			continue
		}
		o := &model.DuesOrder{
			Base:    model.Base{ID: k.OrderID, OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: c.UserID},
			OrderNo: orderNo(now), MemberID: m.Id, MemberName: m.Name, IDMasked: maskID(m.IdNumber), OrgName: m.OrgName,
			CommitteeName: m.CommitteeName, FromMonth: a.start, ToMonth: to, Items: items, Amount: sum,
			Rounding: a.base(to).RoundedBy(), Status: model.DuesUnpaid, ExpiresAt: kit.Midnight(now).AddDate(0, 0, 1),
		}
		if c.Kind == kit.User {
			if err := s.Audit(ctx, "duesOrder", "录入党费", nil, o); err != nil {
				return nil, err
			}
		}
		s.d.Seal.Close(o)
		err = s.orders.Insert(ctx, o)
		if errors.Is(err, model.ErrDuplicate) { // another phone was faster, or this very call
			if was, err := s.orders.Get(ctx, model.Everything, k.OrderID); err == nil {
				return was, nil
			}
			continue
		}
		return o, err
	}
	return nil, kit.ErrConflict
}

// maskID hides the middle of an ID number, also of one that is masked already.
func maskID(id string) string { return model.MaskID(id) }

// orderNo is the day and twelve digits of chance. It is the out_trade_no at WeChat.
func orderNo(now time.Time) string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000_000))
	if err != nil {
		panic(err) // never fails since Go 1.24
	}
	return now.Format("20060102") + fmt.Sprintf("%012d", n)
}

// remember stores what an idempotency key asks for. A key that was used before answers
// the order it led to; with another body it is refused (trust.md, Money 2). The id of
// the order is fixed here, so that a call that died may be repeated.
func (s *Service) remember(ctx context.Context, c *kit.Caller, key, body string) (*model.DuesKey, *model.DuesOrder, error) {
	k := &model.DuesKey{Body: body, OrderID: kit.NewID(s.d.Clock.Now())}
	if key == "" {
		return k, nil, nil
	}
	k.ID = kit.KeyID("dues-key", string(c.Kind), c.UserID, c.MemberID, key)
	err := s.keys.Insert(ctx, k)
	if err == nil {
		return k, nil, nil
	}
	if !errors.Is(err, model.ErrDuplicate) {
		return nil, nil, err
	}
	was, err := s.keys.Get(ctx, model.Everything, k.ID)
	if err != nil {
		return nil, nil, records.Mapped(err)
	}
	if was.Body != body {
		return nil, nil, kit.Conflict("idempotency.mismatch", "重复的请求内容不一致，请刷新后重试")
	}
	o, err := s.orders.Get(ctx, model.Everything, was.OrderID)
	if errors.Is(err, model.ErrNotFound) {
		return was, nil, nil
	}
	return was, o, err
}

// pointTo lets a key answer an order that was there before it.
func (s *Service) pointTo(ctx context.Context, k *model.DuesKey, orderID string) error {
	if k.ID == "" || k.OrderID == orderID {
		return nil
	}
	_, err := s.keys.Update(ctx, model.Everything, k.ID, func(k *model.DuesKey) error { k.OrderID = orderID; return nil })
	return err
}

// GetOrder shows one order to an admin above it, in whatever state: the cashier follows
// it until it is paid.
func (s *Service) GetOrder(ctx context.Context, req *dues.OrderReq) (*dues.Order, error) {
	o, c, err := s.orderInScope(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	return s.wire(c, o)
}

// GetMyOrder shows a member his own order; anybody else's is not found.
func (s *Service) GetMyOrder(ctx context.Context, req *dues.OrderReq) (*dues.Order, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	o, err := s.orders.FindOne(ctx, model.Everything, bson.D{{Key: "_id", Value: req.Id}, {Key: "memberId", Value: c.MemberID}})
	if err != nil {
		return nil, records.Mapped(err)
	}
	return s.wire(c, o)
}

// deleteOrder removes an unpaid order (DUES-16, manual 7.1.4). Its order at WeChat is closed
// first; while it is being paid there, or WeChat does not answer, nothing happens (DUES-17).
func (s *Service) deleteOrder(ctx context.Context, o *model.DuesOrder, _ records.Input) (*model.DuesOrder, error) {
	return s.end(ctx, o.ID, doDelete, kit.CallerOf(ctx), "")
}

// end takes an unpaid order out of the way, by a person or by the clock: WeChat closes
// first, then the state moves if nobody changed the order meanwhile.
func (s *Service) end(ctx context.Context, id, action string, by *kit.Caller, reason string) (*model.DuesOrder, error) {
	for range tries {
		o, err := s.orders.Get(ctx, model.Everything, id)
		if err != nil {
			return nil, records.Mapped(err)
		}
		now := s.d.Clock.Now()
		to, err := life.Step(by, o, action, now)
		if err != nil {
			return o, err
		}
		unknown := ""
		if t := o.Trade(); t != nil {
			absent, err := s.shut(ctx, o, t)
			if errors.Is(err, errPaid) { // the money came first
				return o, errKeepPaid
			}
			if err != nil {
				return o, err
			}
			t.Closed = true
			if absent {
				unknown = t.OutTradeNo
			}
		}
		was := *o
		o.Status, o.Waiting, o.Todo = to, false, todoRelease
		o.RemovedBy, o.RemovedAt, o.RemovedReason = by.Name, &now, reason
		if by.Kind == kit.User {
			if err := s.Audit(ctx, "duesOrder", "删除未支付党费", &was, o); err != nil {
				return nil, err
			}
		}
		if err := s.orders.Replace(ctx, o); errors.Is(err, model.ErrStale) {
			continue
		} else if err != nil {
			return nil, err
		}
		if unknown != "" {
			s.sweep(ctx, unknown)
		}
		s.finishLater(ctx, o)
		return o, nil
	}
	return nil, kit.ErrConflict
}

// clear ends an order whose day is over. One that turns out to be paid is settled.
func (s *Service) clear(ctx context.Context, id string) error {
	_, err := s.end(ctx, id, doClear, &kit.Caller{Kind: kit.System, Name: "系统"}, "超期未支付")
	if errors.Is(err, errKeepPaid) || errors.Is(err, errPaid) || errors.Is(err, errExpired) || errors.Is(err, errGone) {
		return nil // somebody else has moved it
	}
	return err
}

// reverseCash deletes a paid cash order (A01, DORD-06, manual 7.3.3): the row stays with who,
// when and why, its months are open again, 缴纳至 goes back. Later months go first.
func (s *Service) reverseCash(ctx context.Context, o *model.DuesOrder, in records.Input) (*model.DuesOrder, error) {
	c := kit.CallerOf(ctx)
	if _, err := s.catchUp(ctx, o.MemberID); err != nil {
		return nil, err
	}
	o, err := s.orders.Update(ctx, model.Within(c.OrgID), o.ID, func(o *model.DuesOrder) error {
		now := s.d.Clock.Now()
		to, err := life.Step(c, o, doReverse, now)
		if err != nil {
			return err
		}
		if err := s.lastOfMember(ctx, o); err != nil {
			return err
		}
		was := *o
		o.Status, o.Todo = to, todoUnbook
		o.RemovedBy, o.RemovedAt, o.RemovedReason = c.Name, &now, in.String("reason")
		announceReversed(o, now)
		return s.Audit(ctx, "duesOrder", "删除现金党费", &was, o)
	})
	if err != nil {
		return nil, err
	}
	s.finishLater(ctx, o)
	return o, nil
}

// lastOfMember refuses to take an order back while the member has paid later months, or is about to.
func (s *Service) lastOfMember(ctx context.Context, o *model.DuesOrder) error {
	later, err := s.orders.Count(ctx, model.Everything, bson.D{
		{Key: "memberId", Value: o.MemberID}, {Key: "status", Value: model.DuesPaidFor}, {Key: "toMonth", Value: bson.D{{Key: "$gt", Value: o.ToMonth}}},
	})
	if err != nil {
		return err
	}
	if later > 0 {
		return kit.Conflict("dues.later_first", "请先删除之后月份的订单")
	}
	open, err := s.orders.Count(ctx, model.Everything, bson.D{{Key: "memberId", Value: o.MemberID}, {Key: "status", Value: model.DuesUnpaid}})
	if err != nil {
		return err
	}
	if open > 0 {
		return kit.Conflict("dues.open_order", "该党员有未支付的订单，请先支付或删除")
	}
	return nil
}
