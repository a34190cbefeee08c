package dues

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	qrcode "github.com/skip2/go-qrcode"

	dues "zhihuidangjian/idl/gen/dues"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/wechat"
)

var (
	errPaying  = kit.Conflict("dues.paying", "该订单正在微信支付中，请稍后再试")
	errWeChat  = &kit.Error{Code: 50200, Key: "dues.wechat", Message: "微信支付暂时无法使用，请稍后再试"}
	errTooLate = kit.Conflict("dues.too_late", "临近零点，订单即将过期，请零点后重新录入")
	errFree    = kit.Conflict("dues.no_amount", "应缴金额为0，请使用现金支付确认")
	errMoved   = kit.Conflict("dues.elsewhere", "该订单已在其他设备上发起支付，请刷新后重试")
)

// nativeLife is how long WeChat keeps a QR code payable; an older one is renewed.
const nativeLife = 2 * time.Hour

// leastLife is the least time that WeChat lets an order be open.
const leastLife = time.Minute

// PayCash takes cash for an order (DUES-13): the operator is recorded, the channel is
// 后台支付. With CASH_CONFIRM it counts once somebody else confirms it. What may be payable at WeChat is closed there first. A repeated call of the
// same operator answers the paid order and does nothing more.
func (s *Service) PayCash(ctx context.Context, req *dues.OrderReq) (*dues.Order, error) {
	_, c, err := s.orderInScope(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	for range tries {
		o, err := s.orders.Get(ctx, model.Everything, req.Id)
		if err != nil {
			return nil, records.Mapped(err)
		}
		if o.Status == model.DuesPaidFor && o.PayMethod == model.PayCash && o.OperatorID == c.UserID && c.UserID != "" {
			return s.wire(c, o), nil
		}
		if cash := o.OpenCash(); cash != nil && cash.ByID == c.UserID {
			return s.wire(c, o), nil // the same request again
		}
		if err := s.current(ctx, o); err != nil {
			return nil, err
		}
		if t := o.Trade(); t != nil {
			absent, err := s.shut(ctx, o, t)
			if err != nil {
				return nil, err
			}
			t.Closed, o.Waiting = true, false
			if err := s.orders.Replace(ctx, o); errors.Is(err, model.ErrStale) {
				continue
			} else if err != nil {
				return nil, err
			}
			if absent {
				s.sweep(ctx, t.OutTradeNo)
			}
		}
		if s.d.CashConfirm {
			o, err = s.enterCash(ctx, req.Id, c)
		} else {
			o, err = s.settle(ctx, req.Id, payment{method: model.PayCash, amount: o.Amount, at: s.d.Clock.Now(), operator: c})
		}
		if errors.Is(err, errTradeOpen) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.wire(c, o), nil
	}
	return nil, kit.ErrConflict
}

// current refuses to take money for an order that is over, or whose months cost
// something else by now (BASE-04): the amount is always the stored one.
func (s *Service) current(ctx context.Context, o *model.DuesOrder) error {
	if _, err := life.Step(kit.CallerOf(ctx), o, doPay, s.d.Clock.Now()); err != nil {
		return err
	}
	m, err := s.member(ctx, o.MemberID)
	if err != nil {
		return err
	}
	a, err := s.account(ctx, m)
	if err != nil {
		return err
	}
	if a.start != o.FromMonth {
		return errChanged
	}
	items, _, err := a.price(o.FromMonth, o.ToMonth)
	if err != nil || !slices.EqualFunc(items, o.Items, func(x, y model.DuesItem) bool { return x.Due == y.Due }) {
		return errChanged
	}
	return nil
}

// PayNative shows the QR code of exactly this order and amount (DUES-15). Asking again
// shows the same code; an expired one is renewed.
func (s *Service) PayNative(ctx context.Context, req *dues.OrderReq) (*dues.NativePay, error) {
	o, _, err := s.orderInScope(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	if err := s.current(ctx, o); err != nil {
		return nil, err
	}
	o, t, err := s.openTrade(ctx, o.ID, model.TradeNative, s.d.AppID, "")
	if err != nil {
		return nil, err
	}
	code, err := s.d.Pay.PrepayNative(ctx, s.payOrder(o, t))
	if _, err := s.confirm(ctx, o.ID, t, err); err != nil {
		return nil, err
	}
	png, err := qrcode.Encode(code, qrcode.Medium, 320)
	if err != nil {
		return nil, fmt.Errorf("draw the code: %w", err)
	}
	return &dues.NativePay{
		CodeUrl: code, Qr: "data:image/png;base64," + base64.StdEncoding.EncodeToString(png), ExpiresAt: t.ExpireAt.UnixMilli(),
	}, nil
}

// PayMine starts the payment of the member who calls, from the month after 缴纳至 to the
// one he chose, in the channel he came by: official account or mini-program. His open
// order is used again; one of other months makes way.
func (s *Service) PayMine(ctx context.Context, req *dues.PayMineReq) (*dues.JSAPIPay, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	appID := s.d.AppID
	if c.Channel == "mini" {
		appID = s.d.MiniAppID
	}
	m, err := s.member(ctx, c.MemberID)
	if err != nil {
		return nil, err
	}
	o, err := s.open(ctx, c, m, "", req.ToMonth, req.IdempotencyKey, true)
	if errors.Is(err, errNoBase) {
		err = kit.Conflict("dues.no_base", "请联系党组织设置党费基数")
	}
	if err != nil {
		return nil, err
	}
	if err := s.current(ctx, o); err != nil {
		return nil, err
	}
	o, t, err := s.openTrade(ctx, o.ID, model.TradeJSAPI, appID, c.OpenID)
	if err != nil {
		return nil, err
	}
	p, err := s.d.Pay.PrepayJSAPI(ctx, s.payOrder(o, t))
	if o, err = s.confirm(ctx, o.ID, t, err); err != nil {
		return nil, err
	}
	return &dues.JSAPIPay{
		Order: s.wire(c, o), AppId: p.AppID, TimeStamp: p.TimeStamp, NonceStr: p.NonceStr,
		PackageValue: p.Package, SignType: p.SignType, PaySign: p.PaySign,
	}, nil
}

func (s *Service) payOrder(o *model.DuesOrder, t *model.DuesTrade) wechat.PayOrder {
	return wechat.PayOrder{
		OutTradeNo: t.OutTradeNo, Description: "党费 " + span(o), AmountFen: o.Amount,
		OpenID: t.OpenID, AppID: t.AppID, ExpireAt: t.ExpireAt,
	}
}

// span is the months of an order for people.
func span(o *model.DuesOrder) string {
	if o.FromMonth == o.ToMonth {
		return o.FromMonth
	}
	return o.FromMonth + "至" + o.ToMonth
}

// openTrade writes down that an order is about to be payable at WeChat, before WeChat
// is asked. The same way to pay keeps its number; another one closes the last first and
// takes a number of its own, since WeChat refuses a number with other particulars.
func (s *Service) openTrade(ctx context.Context, id, kind, appID, openID string) (*model.DuesOrder, *model.DuesTrade, error) {
	for range tries {
		o, err := s.orders.Get(ctx, model.Everything, id)
		if err != nil {
			return nil, nil, records.Mapped(err)
		}
		now := s.d.Clock.Now()
		if _, err := life.Step(kit.CallerOf(ctx), o, doPay, now); err != nil {
			return nil, nil, err
		}
		if o.Amount == 0 {
			return nil, nil, errFree
		}
		if o.ExpiresAt.Sub(now) < leastLife {
			return nil, nil, errTooLate
		}
		unknown := ""
		if t := o.Trade(); t != nil {
			if t.Kind == kind && t.AppID == appID && t.OpenID == openID && t.ExpireAt.Sub(now) >= leastLife {
				return o, t, nil
			}
			absent, err := s.shut(ctx, o, t)
			if err != nil {
				return nil, nil, err
			}
			t.Closed = true
			if absent {
				unknown = t.OutTradeNo
			}
		}
		no := o.OrderNo
		if n := len(o.Trades); n > 0 {
			no += "-" + strconv.Itoa(n+1)
		}
		expire := o.ExpiresAt
		if until := now.Add(nativeLife); kind == model.TradeNative && until.Before(expire) {
			expire = until.Truncate(time.Second)
		}
		o.Trades = append(o.Trades, model.DuesTrade{OutTradeNo: no, Kind: kind, AppID: appID, OpenID: openID, ExpireAt: expire})
		o.Waiting = true
		if kind == model.TradeNative { // shown by an admin
			if err := s.Audit(ctx, "duesOrder", "发起微信扫码缴纳", o, o); err != nil {
				return nil, nil, err
			}
		}
		if err := s.orders.Replace(ctx, o); errors.Is(err, model.ErrStale) {
			continue
		} else if err != nil {
			return nil, nil, err
		}
		if unknown != "" {
			s.sweep(ctx, unknown)
		}
		return o, o.Trade(), nil
	}
	return nil, nil, kit.ErrConflict
}

// confirm looks, once WeChat has opened an order, whether it is still wanted. If it was
// paid, deleted or replaced meanwhile, nobody gets to see it and it is closed.
func (s *Service) confirm(ctx context.Context, id string, t *model.DuesTrade, prepay error) (*model.DuesOrder, error) {
	o, err := s.orders.Get(ctx, model.Everything, id)
	if err != nil {
		return nil, records.Mapped(err)
	}
	if now := o.TradeOf(t.OutTradeNo); o.Status == model.DuesUnpaid && now != nil && !now.Closed {
		switch code := wechat.CodeOf(prepay); {
		case prepay == nil:
			return o, nil
		case code == wechat.CodeOrderPaid: // and its notice is on the way
			if _, err := s.shut(ctx, o, now); err != nil {
				return nil, err
			}
		case code == wechat.CodeOrderClosed: // by WeChat: the next try takes another number
			if err := s.closed(ctx, id, t.OutTradeNo); err != nil {
				return nil, err
			}
		case code == "OPENID_MISMATCH":
			return nil, kit.Conflict("dues.openid", "微信身份与公众号不一致，请重新进入页面")
		}
		return nil, errWeChat.Because(prepay)
	}
	if err := s.d.Pay.Close(ctx, t.OutTradeNo); err != nil && wechat.CodeOf(err) != wechat.CodeOrderNotExist && wechat.CodeOf(err) != wechat.CodeOrderPaid {
		return nil, errWeChat.Because(err)
	}
	if _, err := life.Step(kit.CallerOf(ctx), o, doPay, s.d.Clock.Now()); err != nil {
		return nil, err
	}
	return nil, errMoved
}

// closed writes down that nobody can pay a trade any more.
func (s *Service) closed(ctx context.Context, id, outTradeNo string) error {
	_, err := s.orders.Update(ctx, model.Everything, id, func(o *model.DuesOrder) error {
		t := o.TradeOf(outTradeNo)
		if t == nil || t.Closed {
			return errSame
		}
		t.Closed = true
		o.Waiting = o.Status == model.DuesUnpaid && o.Trade() != nil
		return nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// shut makes sure at WeChat that a trade cannot be paid any more. If it was paid, the
// order is settled and errPaid says so; while it is being paid, or WeChat does not
// answer for sure, it refuses. absent: WeChat does not know the trade, yet; once it is
// stored as closed, sweep must close what a prepay opened in between.
func (s *Service) shut(ctx context.Context, o *model.DuesOrder, t *model.DuesTrade) (absent bool, err error) {
	for range 2 {
		tx, err := s.d.Pay.Query(ctx, t.OutTradeNo)
		switch {
		case wechat.CodeOf(err) == wechat.CodeOrderNotExist:
			return true, nil
		case err != nil:
			return false, errWeChat.Because(err)
		}
		switch tx.TradeState {
		case wechat.TradeSuccess, wechat.TradeRefund:
			if problem := s.mismatch(o, t, tx); problem != "" {
				return false, errWeChat.Because(errors.New(problem))
			}
			if tx.TradeState == wechat.TradeSuccess {
				if _, err := s.settle(ctx, o.ID, online(tx)); err != nil {
					return false, err
				}
				return false, errPaid
			}
			return false, nil // given back: nobody can pay it again
		case wechat.TradeClosed:
			return false, nil
		case wechat.TradeUserPaying:
			return false, errPaying
		}
		err = s.d.Pay.Close(ctx, t.OutTradeNo)
		switch code := wechat.CodeOf(err); {
		case err == nil, code == wechat.CodeOrderNotExist:
			return false, nil
		case code == wechat.CodeOrderPaid:
			continue // between the two: ask again
		case code == "USERPAYING":
			return false, errPaying
		default:
			return false, errWeChat.Because(err)
		}
	}
	return false, errPaying
}

// sweep closes at WeChat what was stored as closed while WeChat did not know it. Money
// that came even so brings a notice, and goes back or is settled by that.
func (s *Service) sweep(ctx context.Context, outTradeNo string) {
	err := s.d.Pay.Close(ctx, outTradeNo)
	if code := wechat.CodeOf(err); err != nil && code != wechat.CodeOrderNotExist && code != wechat.CodeOrderPaid {
		slog.Warn("dues: could not close at WeChat", "outTradeNo", outTradeNo, "cause", err)
	}
}

func online(tx wechat.Transaction) payment {
	return payment{
		method: model.PayWeChat, transactionID: tx.TransactionID, outTradeNo: tx.OutTradeNo,
		amount: tx.AmountFen, at: tx.SuccessAt,
	}
}

// mismatch says why what WeChat says is not the payment of a trade of this order, or "".
func (s *Service) mismatch(o *model.DuesOrder, t *model.DuesTrade, tx wechat.Transaction) string {
	switch {
	case tx.OutTradeNo != t.OutTradeNo:
		return "another out_trade_no"
	case tx.MchID != s.d.MchID:
		return "another merchant"
	case tx.AppID != t.AppID:
		return "another appid"
	case tx.AmountFen != o.Amount:
		return fmt.Sprintf("amount %d instead of %d", tx.AmountFen, o.Amount)
	case tx.TransactionID == "":
		return "no transaction id"
	case tx.SuccessAt.IsZero():
		return "no time of payment"
	}
	return ""
}
