package model

import "time"

// The states of a dues order, spec/records.md 26.
const (
	DuesUnpaid  = "unpaid"
	DuesPaidFor = "paid"
	DuesCleared = "cleared" // not paid on its day
	DuesDeleted = "deleted"
)

// How dues are paid; the channel follows the method (A15).
const (
	PayCash     = "cash"
	PayWeChat   = "wechat"
	ViaConsole  = "console" // 后台支付
	ViaMobile   = "mobile"  // 手机支付
	TradeJSAPI  = "jsapi"
	TradeNative = "native"
)

// DuesBase 党费基数, spec/records.md 27: one a member and month, under a deterministic
// id, valid until the member's next one. The base is what he earns, and sealed: lists show it
// masked, 查看完整信息 (duesBase.reveal) shows it and is written down, exports hold it for the
// same right, and the member sees his own on the phone. Rate and PayableAmount lie open, and
// whoever works with dues sees them: sums, orders and receipts are made of them. They tell
// about as much to one who reckons backwards, which is why duesBase.view is a right too.
type DuesBase struct {
	Base           `bson:",inline"`
	MemberID       string `bson:"memberId" json:"memberId"`
	MemberName     string `bson:"memberName" json:"memberName"`
	IDMasked       string `bson:"idMasked" json:"idNumber"`
	EffectiveMonth string `bson:"effectiveMonth" json:"effectiveMonth"` // yyyy-MM
	BaseAmount     Wage   `bson:"baseAmount" json:"baseAmount"`
	Rate           int32  `bson:"rate" json:"-"`                      // 1/10,000
	PayableAmount  int64  `bson:"payableAmount" json:"payableAmount"` // fen a month
	Category       string `bson:"category" json:"-"`                  // of the member when it was set
	RateVersion    string `bson:"rateVersion" json:"-"`               // which table of rates it came from
}

// DuesItem is one month of an order; what it was computed from is kept with it, the base
// sealed, since no receipt, list or sum needs it: an order's page shows it by duesOrder.reveal.
type DuesItem struct {
	Month      string `bson:"month" json:"month"`
	BaseMonth  string `bson:"baseMonth" json:"baseMonth"` // names the base
	BaseAmount Wage   `bson:"baseAmount" json:"baseAmount"`
	Rate       int32  `bson:"rate" json:"rate"`
	Payable    int64  `bson:"payable" json:"payable"`
	Reduction  int64  `bson:"reduction" json:"reduction"`
	Due        int64  `bson:"due" json:"due"`
}

// DuesTrade is one order at WeChat Pay that was, or may have been, opened for a dues
// order. It is saved before WeChat is asked, so that no payable order is forgotten. At
// most one of an order is not closed.
type DuesTrade struct {
	OutTradeNo string    `bson:"outTradeNo"`
	Kind       string    `bson:"kind"` // jsapi, native
	AppID      string    `bson:"appId"`
	OpenID     string    `bson:"openId"`
	ExpireAt   time.Time `bson:"expireAt"`
	Closed     bool      `bson:"closed"` // at WeChat: nobody can pay it any more
}

// DuesOrder 党费录入/订单, spec/records.md 26. Its OrgID is the member's branch at
// creation. Months and amounts never change after it was stored.
type DuesOrder struct {
	Base          `bson:",inline"`
	OrderNo       string     `bson:"orderNo" json:"orderNo"`
	MemberID      string     `bson:"memberId" json:"memberId"`
	MemberName    string     `bson:"memberName" json:"memberName"`
	IDMasked      string     `bson:"idMasked" json:"idNumber"`
	OrgName       string     `bson:"orgName" json:"orgName"`
	CommitteeName string     `bson:"committeeName" json:"-"` // 党委, on the receipt
	FromMonth     string     `bson:"fromMonth" json:"fromMonth"`
	ToMonth       string     `bson:"toMonth" json:"toMonth"`
	Items         []DuesItem `bson:"items" json:"items"`
	Amount        int64      `bson:"amount" json:"amount"` // fen, Σ due
	Rounding      string     `bson:"rounding" json:"-"`    // the policy that Amount was made with
	Status        string     `bson:"status" json:"status"`
	PayMethod     string     `bson:"payMethod,omitempty" json:"payMethod"`
	PayChannel    string     `bson:"payChannel,omitempty" json:"payChannel"`
	TransactionNo string     `bson:"transactionNo,omitempty" json:"transactionNo"` // WeChat's
	PaidAt        *time.Time `bson:"paidAt,omitempty" json:"paidAt"`
	Operator      string     `bson:"operator,omitempty" json:"operator"` // who took the cash
	OperatorID    string     `bson:"operatorId,omitempty" json:"-"`
	// CashOpen: cash was entered and nobody else has confirmed it yet; the order waits,
	// unpaid, whatever the clock says. Cash are all entries, the last one last.
	CashOpen    bool        `bson:"cashOpen,omitempty" json:"-"`
	Cash        []DuesCash  `bson:"cash,omitempty" json:"-"`
	ConfirmedBy string      `bson:"confirmedBy,omitempty" json:"confirmedBy"`
	ExpiresAt   time.Time   `bson:"expiresAt" json:"expiresAt"` // midnight after creation
	Trades      []DuesTrade `bson:"trades,omitempty" json:"-"`
	Waiting     bool        `bson:"waiting" json:"-"`           // a trade is open at WeChat: ask for it
	AskedAt     *time.Time  `bson:"askedAt,omitempty" json:"-"` // last, for that trade; nil: never
	// Removed* tell who deleted or cleared the order, when and why. The row stays: it
	// is not Base.Deleted, so that 查看删除记录 lists it.
	RemovedBy     string     `bson:"removedBy,omitempty" json:"deletedBy"`
	RemovedAt     *time.Time `bson:"removedAt,omitempty" json:"deletedAt"`
	RemovedReason string     `bson:"removedReason,omitempty" json:"deleteReason"`
	// Todo is the consequence of the last change of state that is not done yet; it is
	// saved with the change and taken up again after a crash.
	Todo string `bson:"todo,omitempty" json:"-"`
}

// DuesCash is cash that somebody entered and somebody else confirms or sends back
// (CASH_CONFIRM).
type DuesCash struct {
	By          string     `bson:"by"`
	ByID        string     `bson:"byId"`
	At          time.Time  `bson:"at"`
	DecidedBy   string     `bson:"decidedBy,omitempty"`
	DecidedByID string     `bson:"decidedById,omitempty"`
	DecidedAt   *time.Time `bson:"decidedAt,omitempty"`
	Rejected    bool       `bson:"rejected,omitempty"`
	Reason      string     `bson:"reason,omitempty"`
}

// OpenCash is the entry that waits to be confirmed, or nil.
func (o *DuesOrder) OpenCash() *DuesCash {
	if !o.CashOpen || len(o.Cash) == 0 {
		return nil
	}
	return &o.Cash[len(o.Cash)-1]
}

// DecideCash ends the entry that waits.
func (o *DuesOrder) DecideCash(by, byID string, at time.Time, rejected bool, reason string) {
	if c := o.OpenCash(); c != nil {
		c.DecidedBy, c.DecidedByID, c.DecidedAt, c.Rejected, c.Reason = by, byID, &at, rejected, reason
		o.CashOpen = false
	}
}

// Trade returns the trade that is open at WeChat, or nil.
func (o *DuesOrder) Trade() *DuesTrade {
	for i := range o.Trades {
		if !o.Trades[i].Closed {
			return &o.Trades[i]
		}
	}
	return nil
}

// TradeOf returns the trade with a number, or nil.
func (o *DuesOrder) TradeOf(outTradeNo string) *DuesTrade {
	for i := range o.Trades {
		if o.Trades[i].OutTradeNo == outTradeNo {
			return &o.Trades[i]
		}
	}
	return nil
}

// DuesMonth is a settled month of a member. Its id is made of both, so that a month is
// paid at most once; it is stored before its order turns paid.
type DuesMonth struct {
	Base     `bson:",inline"`
	MemberID string `bson:"memberId"`
	Month    string `bson:"month"`
	OrderID  string `bson:"orderId"`
}

// DuesLine is one line of the ledger: a month paid, or a reversal of one. Lines are
// only ever added; reports are sums of them.
type DuesLine struct {
	Base      `bson:",inline"`
	MemberID  string    `bson:"memberId"`
	Month     string    `bson:"month"`
	OrderID   string    `bson:"orderId"`
	OrderNo   string    `bson:"orderNo"`
	Amount    int64     `bson:"amount"` // fen, negative in a reversal
	PayMethod string    `bson:"payMethod"`
	At        time.Time `bson:"at"`
}

// DuesNotice is a genuine notice of WeChat Pay as it came. Only ever added.
type DuesNotice struct {
	Base          `bson:",inline"`
	OutTradeNo    string    `bson:"outTradeNo"`
	TransactionID string    `bson:"transactionId"`
	AppID         string    `bson:"appId"`
	Amount        int64     `bson:"amount"`
	SuccessAt     time.Time `bson:"successAt"`
	OrderID       string    `bson:"orderId"`
	Problem       string    `bson:"problem,omitempty"` // why it does not fit any order of ours
}

// DuesRefund is money that came for an order which could not take it. Its id is made
// of the transaction, so that it is given back once.
type DuesRefund struct {
	Base          `bson:",inline"`
	OrderID       string     `bson:"orderId"`
	OrderNo       string     `bson:"orderNo"`
	OutTradeNo    string     `bson:"outTradeNo"`
	TransactionID string     `bson:"transactionId"`
	Amount        int64      `bson:"amount"`
	Reason        string     `bson:"reason"`
	State         string     `bson:"state"` // pending, done
	DoneAt        *time.Time `bson:"doneAt,omitempty"`
	LastError     string     `bson:"lastError,omitempty"`
	BilledOn      string     `bson:"billedOn,omitempty"` // the day of WeChat's bill that has it
}

// The states of a day's reconciliation.
const (
	ReconcileMatched   = "matched"
	ReconcileDifferent = "different"
	ReconcileFailed    = "failed" // WeChat's bill could not be had yet
)

// The kinds of differences.
const (
	OnlyOurs   = "ours"
	OnlyTheirs = "theirs"
	OtherSum   = "amount"
)

// DuesDifference is one payment or refund of which WeChat's bill and our books say
// different things.
type DuesDifference struct {
	Kind          string `bson:"kind"`
	Refund        bool   `bson:"refund,omitempty"`
	OutTradeNo    string `bson:"outTradeNo"`
	TransactionID string `bson:"transactionId"`
	OrderID       string `bson:"orderId,omitempty"`
	Ours          int64  `bson:"ours"`   // fen
	Theirs        int64  `bson:"theirs"` // fen
	Note          string `bson:"note,omitempty"`
}

// DuesReconcile 微信对账: one day of our books against WeChat's bill of it, stored when
// there is no difference too. Its id is made of the day.
type DuesReconcile struct {
	Base         `bson:",inline"`
	Day          string           `bson:"day" json:"day"` // yyyy-MM-dd
	State        string           `bson:"state" json:"state"`
	OurCount     int              `bson:"ourCount" json:"ourCount"`
	OurAmount    int64            `bson:"ourAmount" json:"ourAmount"`
	TheirCount   int              `bson:"theirCount" json:"theirCount"`
	TheirAmount  int64            `bson:"theirAmount" json:"theirAmount"`
	RefundCount  int              `bson:"refundCount" json:"refundCount"`
	RefundAmount int64            `bson:"refundAmount" json:"refundAmount"`
	Differences  []DuesDifference `bson:"differences,omitempty" json:"-"`
	Difference   int              `bson:"difference" json:"difference"` // how many
	CheckedAt    time.Time        `bson:"checkedAt" json:"checkedAt"`
	Tries        int              `bson:"tries" json:"-"` // of a day whose bill cannot be had
	Message      string           `bson:"message,omitempty" json:"message"`
}

// DuesKey remembers what an idempotency key asked for, for a few days.
type DuesKey struct {
	Base    `bson:",inline"`
	Body    string `bson:"body"`
	OrderID string `bson:"orderId"`
}
