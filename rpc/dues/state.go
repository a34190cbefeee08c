package dues

import (
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
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
	errChanged    = kit.Conflict("dues.amount_changed", "金额已变更，请删除该订单后重新录入")
)

// step is one line of the state table: in a state, an action leads to another one, if
// the guard has nothing against it, or is refused.
type step struct {
	to     string
	guard  func(o *model.DuesOrder, now time.Time) *kit.Error
	refuse *kit.Error
}

// steps is the whole life of an order, spec/records.md 26: unpaid → paid | deleted |
// cleared; paid in cash → deleted; all else is final.
var steps = map[string]map[string]step{
	model.DuesUnpaid: {
		doPay:     {to: model.DuesPaidFor, guard: notExpired},
		doDelete:  {to: model.DuesDeleted, guard: noCash},
		doClear:   {to: model.DuesCleared, guard: expired},
		doReverse: {refuse: errNotPaid},
		doPrint:   {refuse: errNotPaid},
		// Money that was taken in time is taken, whatever the clock says by now.
		doConfirm: {to: model.DuesPaidFor, guard: cashOpen},
		doReject:  {to: model.DuesUnpaid, guard: cashOpen},
	},
	model.DuesPaidFor: {
		doPay:     {refuse: errPaid},
		doDelete:  {refuse: errKeepPaid},
		doClear:   {refuse: errPaid},
		doReverse: {to: model.DuesDeleted, guard: inCash},
		doPrint:   {to: model.DuesPaidFor},
		doConfirm: {refuse: errPaid},
		doReject:  {refuse: errPaid},
	},
	model.DuesCleared: {
		doPay: {refuse: errExpired}, doDelete: {refuse: errExpired}, doClear: {refuse: errExpired},
		doReverse: {refuse: errExpired}, doPrint: {refuse: errExpired}, doConfirm: {refuse: errExpired}, doReject: {refuse: errExpired},
	},
	model.DuesDeleted: {
		doPay: {refuse: errGone}, doDelete: {refuse: errGone}, doClear: {refuse: errGone},
		doReverse: {refuse: errGone}, doPrint: {refuse: errGone}, doConfirm: {refuse: errGone}, doReject: {refuse: errGone},
	},
}

func notExpired(o *model.DuesOrder, now time.Time) *kit.Error {
	if o.CashOpen {
		return errAwaiting
	}
	if !now.Before(o.ExpiresAt) {
		return errExpired
	}
	return nil
}

func expired(o *model.DuesOrder, now time.Time) *kit.Error {
	if o.CashOpen {
		return errAwaiting
	}
	if now.Before(o.ExpiresAt) {
		return errNotDue
	}
	return nil
}

func noCash(o *model.DuesOrder, _ time.Time) *kit.Error {
	if o.CashOpen {
		return errAwaiting
	}
	return nil
}

func cashOpen(o *model.DuesOrder, _ time.Time) *kit.Error {
	if !o.CashOpen {
		return errNoCash
	}
	return nil
}

func inCash(o *model.DuesOrder, _ time.Time) *kit.Error {
	if o.PayMethod != model.PayCash {
		return errKeepWeChat
	}
	return nil
}

// next is the state that an action leads to, or why it may not be done.
func next(o *model.DuesOrder, action string, now time.Time) (string, error) {
	st, ok := steps[o.Status][action]
	if !ok {
		return "", kit.ErrInternal
	}
	if st.refuse != nil {
		return "", st.refuse
	}
	if st.guard != nil {
		if e := st.guard(o, now); e != nil {
			return "", e
		}
	}
	return st.to, nil
}

// allowed are the actions that a person may be offered on an order now.
func allowed(c *kit.Caller, o *model.DuesOrder, now time.Time) []string {
	var out []string
	for _, a := range []string{doPay, doDelete, doReverse, doPrint, doConfirm, doReject} {
		if cash := o.OpenCash(); a == doConfirm && cash != nil && cash.ByID == c.UserID {
			continue // somebody else's to confirm
		}
		if _, err := next(o, a, now); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// permissionOf is what an action asks for.
func permissionOf(action string) string {
	if action == doReject {
		action = doConfirm
	}
	return "duesOrder." + action
}
