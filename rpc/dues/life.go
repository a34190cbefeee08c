package dues

import (
	"time"

	duessvc "zhihuidangjian/idl/gen/dues/dues"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// What happens to orders.
const (
	doPay     = "pay"
	doDelete  = "delete"  // of an unpaid order, by a person
	doClear   = "clear"   // of an unpaid order, by the clock
	doReverse = "reverse" // of a paid cash order
	doPrint   = "print"
	doConfirm = "confirm" // of cash that somebody else entered
	doReject  = "reject"
	// Of a WeChat payment, by two persons (PLUS-10).
	doRefund        = "refund"
	doConfirmRefund = "confirmRefund"
	doRejectRefund  = "rejectRefund"
)

// What the people are told when a state refuses.
var (
	errPaid       = kit.Conflict("dues.paid", "订单已支付")
	errExpired    = kit.Conflict("dues.expired", "订单已过期")
	errGone       = kit.Conflict("dues.deleted", "订单已删除")
	errKeepPaid   = kit.Conflict("dues.paid_final", "已支付的订单不可删除")
	errKeepWeChat = kit.Conflict("dues.wechat_final", "微信支付的订单不可删除")
	errNotPaid    = kit.Conflict("dues.not_paid", "订单尚未支付")
	errNotDue     = kit.Conflict("dues.not_expired", "订单尚未过期")
	errAwaiting   = kit.Conflict("dues.cash_open", "该订单的现金正在等待确认")
	errNoCash     = kit.Conflict("dues.no_cash", "没有待确认的现金")
	errRefundCash = kit.Conflict("dues.refund_cash", "现金缴纳的党费请使用“删除”退回")
	errRefundOld  = kit.Conflict("dues.refund_old", "该笔支付不是由本系统发起，请在微信商户平台退款")
	errRefunding  = kit.Conflict("dues.refunding", "该党员有正在办理的退款，请先办结")
	errNoRefund   = kit.Conflict("dues.no_refund", "没有待确认的退款")
	errOwnRefund  = kit.Forbidden("dues.own_refund", "退款须由经办人以外的人确认")
	errRefunded   = kit.Conflict("dues.refunded", "订单已退款")
	errChanged    = kit.Conflict("dues.amount_changed", "金额已变更，请删除该订单后重新录入")
)

// life is the whole life of an order, spec/records.md 26: unpaid → paid | deleted | cleared;
// paid in cash → deleted; all else is final.
var life = &records.Life[*model.DuesOrder]{
	Field: "status",
	At:    func(o *model.DuesOrder, _ time.Time) string { return o.Status },
	States: []records.State{
		{Value: model.DuesUnpaid, Label: "未支付", Color: "warning", Refuse: errNotPaid},
		{Value: model.DuesPaidFor, Label: "已支付", Color: "success", Refuse: errPaid},
		{Value: model.DuesDeleted, Label: "已删除", Color: "info", Refuse: errGone},
		{Value: model.DuesRefunded, Label: "已退款", Color: "info", Refuse: errRefunded},
		{Value: model.DuesCleared, Refuse: errExpired, Hidden: true},
	},
	Verbs: []records.Verb[*model.DuesOrder]{
		{Key: doPay, In: whileUnpaid, To: model.DuesPaidFor, If: notExpired},
		{Key: doDelete, In: whileUnpaid, To: model.DuesDeleted, If: noCash, Refusals: map[string]*kit.Error{model.DuesPaidFor: errKeepPaid}},
		{Key: doClear, In: whileUnpaid, To: model.DuesCleared, If: expired, Inner: true},
		{Key: doReverse, In: oncePaid, To: model.DuesDeleted, If: inCash},
		{Key: doPrint, In: oncePaid},
		// Money that was taken in time is taken, whatever the clock says by now.
		{Key: doConfirm, In: whileUnpaid, To: model.DuesPaidFor, If: cashOfOthers},
		{Key: doReject, In: whileUnpaid, If: cashOpen},
		{Key: doRefund, In: oncePaid, If: refundable},
		{Key: doConfirmRefund, In: oncePaid, If: refundOfOthers},
		{Key: doRejectRefund, In: oncePaid, If: refundAsked},
	},
}

var whileUnpaid, oncePaid = []string{model.DuesUnpaid}, []string{model.DuesPaidFor}

func notExpired(_ *kit.Caller, o *model.DuesOrder, now time.Time) *kit.Error {
	if o.CashOpen {
		return errAwaiting
	}
	if !now.Before(o.ExpiresAt) {
		return errExpired
	}
	return nil
}

func expired(_ *kit.Caller, o *model.DuesOrder, now time.Time) *kit.Error {
	if o.CashOpen {
		return errAwaiting
	}
	if now.Before(o.ExpiresAt) {
		return errNotDue
	}
	return nil
}

func noCash(_ *kit.Caller, o *model.DuesOrder, _ time.Time) *kit.Error {
	if o.CashOpen {
		return errAwaiting
	}
	return nil
}

func cashOpen(_ *kit.Caller, o *model.DuesOrder, _ time.Time) *kit.Error {
	if !o.CashOpen {
		return errNoCash
	}
	return nil
}

// cashOfOthers: who takes money is not the one who says that it is there.
func cashOfOthers(c *kit.Caller, o *model.DuesOrder, now time.Time) *kit.Error {
	if e := cashOpen(c, o, now); e != nil {
		return e
	}
	if cash := o.OpenCash(); cash != nil && cash.ByID == c.UserID {
		return errOwnCash
	}
	return nil
}

func inCash(_ *kit.Caller, o *model.DuesOrder, _ time.Time) *kit.Error {
	if o.PayMethod != model.PayCash {
		return errKeepWeChat
	}
	return nil
}

func refundable(_ *kit.Caller, o *model.DuesOrder, _ time.Time) *kit.Error {
	switch {
	case o.PayMethod != model.PayWeChat:
		return errRefundCash
	case len(o.Trades) == 0:
		return errRefundOld
	case o.RefundOpen != "":
		return errRefunding
	}
	return nil
}

func refundAsked(_ *kit.Caller, o *model.DuesOrder, _ time.Time) *kit.Error {
	if o.RefundOpen != model.RefundAsked {
		return errNoRefund
	}
	return nil
}

// refundOfOthers: who asks for a refund is not the one who lets the money go.
func refundOfOthers(c *kit.Caller, o *model.DuesOrder, now time.Time) *kit.Error {
	if e := refundAsked(c, o, now); e != nil {
		return e
	}
	if o.OpenRefund().ByID == c.UserID {
		return errOwnRefund
	}
	return nil
}

// allowed are the actions that a person may be offered on an order now.
func allowed(c *kit.Caller, o *model.DuesOrder, now time.Time) []string {
	var out []string
	for _, v := range life.Verbs {
		if v.Inner {
			continue
		}
		if _, err := life.Step(c, o, v.Key, now); err == nil {
			out = append(out, v.Key)
		}
	}
	return out
}

// permissions are what verbs ask for: what their methods do, where they have one. Who may
// confirm cash may send it back.
var permissions = map[string]string{
	doPay: duessvc.PayCash.Permission(), doPrint: duessvc.PrintReceipt.Permission(),
	doDelete: "duesOrder.delete", doReverse: "duesOrder.reverse", doConfirm: "duesOrder.confirm", doReject: "duesOrder.confirm",
	doRefund: "duesOrder.refund", doConfirmRefund: "duesOrder.confirmRefund", doRejectRefund: "duesOrder.confirmRefund",
}
