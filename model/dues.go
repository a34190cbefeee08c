package model

import (
	"slices"
	"time"
)

// The states of a dues order, spec/records.md 26.
const (
	DuesUnpaid  = "unpaid"
	DuesPaidFor = "paid"
	DuesCleared = "cleared" // not paid on its day
	DuesDeleted = "deleted"
	// DuesRefunded: paid by WeChat, and all of it given back.
	DuesRefunded = "refunded"
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
	Rounding       string `bson:"rounding,omitempty" json:"-"`        // the policy that PayableAmount was made with; empty: RoundFen
}

// DuesBaseApplication is a base that a member applies for, with what proves it (manual 7.2.1, 17.8).
// It becomes a DuesBase once it is approved.
type DuesBaseApplication struct {
	Base           `bson:",inline"`
	OfMember       `bson:",inline"`
	EffectiveMonth string `bson:"effectiveMonth" json:"effectiveMonth" record:"label=使用年月,type=month,required,list,search"`
	BaseAmount     Wage   `bson:"baseAmount" json:"baseAmount"`
	Rate           int32  `bson:"rate" json:"-"` // 1/10,000
	PayableAmount  int64  `bson:"payableAmount" json:"payableAmount" record:"label=应缴纳金额,type=money,readonly,list"`
	Files          []File `bson:"files,omitempty" json:"files" record:"label=证明材料,required,help=如单位开具的收入说明"`
	Application    `bson:",inline"`
}

// The kinds of a reduction.
const (
	ReductionReduce = "reduce"
	ReductionExempt = "exempt"
)

// DuesReduction 党费减免, spec/records.md 28: months for which a member pays less, or nothing.
type DuesReduction struct {
	Base            `bson:",inline"`
	OfMember        `bson:",inline"`
	FromMonth       string `bson:"fromMonth" json:"fromMonth" record:"label=减免起始月份,type=month,required,list"`
	ToMonth         string `bson:"toMonth" json:"toMonth" record:"label=减免截止月份,type=month,required,list"`
	ReductionType   string `bson:"reductionType" json:"reductionType" record:"label=减免类型,required,list,options=reduce:少交|exempt:免交"`
	ReductionAmount int64  `bson:"reductionAmount" json:"reductionAmount"` // fen a month, of reduce
	Reason          string `bson:"reason" json:"reason" record:"label=减免原因,type=text,required,max=500,list"`
	Files           []File `bson:"files,omitempty" json:"files" record:"label=证明材料"`
	Application     `bson:",inline"`
}

// Covers tells whether the reduction is for a month.
func (r *DuesReduction) Covers(month string) bool { return r.FromMonth <= month && month <= r.ToMonth }

// Off is what a month is reduced by, of what is payable for it.
func (r *DuesReduction) Off(payable int64) int64 {
	if r.ReductionType == ReductionExempt {
		return payable
	}
	return min(r.ReductionAmount, payable)
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
	Refunded   bool   `bson:"refunded,omitempty" json:"refunded"` // given back, and owed again
}

// RoundedBy is the policy that PayableAmount was made with.
func (b *DuesBase) RoundedBy() string {
	if b.Rounding == "" {
		return RoundFen
	}
	return b.Rounding
}

// How dues are rounded; halves go up.
const (
	RoundFen  = "fen-half-up"
	RoundJiao = "jiao-half-up"
	RoundYuan = "yuan-half-up"
)

// DuesPolicy 取整规则: how an organisation, with all below it that have none of their own, rounds what
// a base makes payable. No national rule was found (domain-rules.md 1), so each base and order names
// the one it was made with.
type DuesPolicy struct {
	Base     `bson:",inline"`
	Rounding string `bson:"rounding" json:"rounding" record:"label=取整规则,required,list,search,options=fen-half-up:到分（四舍五入）|jiao-half-up:到角（四舍五入）|yuan-half-up:到元（四舍五入）"`
	Reason   string `bson:"reason" json:"reason" record:"label=依据,type=text,max=200,list"`
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
	CashOpen    bool       `bson:"cashOpen,omitempty" json:"-"`
	Cash        []DuesCash `bson:"cash,omitempty" json:"-"`
	ConfirmedBy string     `bson:"confirmedBy,omitempty" json:"confirmedBy"`
	Called      bool       `bson:"called,omitempty" json:"-"` // its member was asked to pay it on his phone
	// PaidTradeNo is the out_trade_no that WeChat was paid under.
	PaidTradeNo string `bson:"paidTradeNo,omitempty" json:"-"`
	// RefundOpen is how far the last of Refunds is: RefundAsked, RefundConfirmed, "" none is open.
	// ToMonth is the last month that is not given back, Refunded the sum that is.
	RefundOpen string          `bson:"refundOpen,omitempty" json:"refundOpen"`
	Refunds    []DuesRefunding `bson:"refunds,omitempty" json:"-"`
	Refunded   int64           `bson:"refunded,omitempty" json:"refunded"`
	ExpiresAt  time.Time       `bson:"expiresAt" json:"expiresAt"` // midnight after creation
	Trades     []DuesTrade     `bson:"trades,omitempty" json:"-"`
	Waiting    bool            `bson:"waiting" json:"-"`           // a trade is open at WeChat: ask for it
	AskedAt    *time.Time      `bson:"askedAt,omitempty" json:"-"` // last, for that trade; nil: never
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

// How far a refund is that is not over.
const (
	RefundAsked     = "asked"
	RefundConfirmed = "confirmed" // WeChat is asked until it has done it
)

// DuesRefunding is a refund of a WeChat payment: asked for by one person, confirmed or sent back by
// another. Months are given back from FromMonth on, the later ones with it.
type DuesRefunding struct {
	ID          string     `bson:"id"` // out_refund_no
	FromMonth   string     `bson:"fromMonth"`
	Amount      int64      `bson:"amount"` // fen
	Reason      string     `bson:"reason"`
	By          string     `bson:"by"`
	ByID        string     `bson:"byId"`
	At          time.Time  `bson:"at"`
	DecidedBy   string     `bson:"decidedBy,omitempty"`
	DecidedByID string     `bson:"decidedById,omitempty"`
	DecidedAt   *time.Time `bson:"decidedAt,omitempty"`
	Rejected    string     `bson:"rejected,omitempty"` // why it was sent back
	DoneAt      *time.Time `bson:"doneAt,omitempty"`
}

// OpenRefund is the refund that is not over, or nil.
func (o *DuesOrder) OpenRefund() *DuesRefunding {
	if o.RefundOpen == "" || len(o.Refunds) == 0 {
		return nil
	}
	return &o.Refunds[len(o.Refunds)-1]
}

// GiveBack takes the months of the open refund out of what is paid; a whole order given back is
// refunded.
func (o *DuesOrder) GiveBack(at time.Time) {
	r := o.OpenRefund()
	for i := range o.Items {
		o.Items[i].Refunded = o.Items[i].Refunded || o.Items[i].Month >= r.FromMonth
	}
	o.Refunded, o.RefundOpen, r.DoneAt = o.Refunded+r.Amount, "", &at
	if r.FromMonth == o.FromMonth {
		o.Status = DuesRefunded
		return
	}
	for _, x := range o.Items {
		if !x.Refunded {
			o.ToMonth = x.Month
		}
	}
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

// DuesRefund is money to give back: what came for an order which could not take it, under an id
// made of the transaction, or what two persons decided on, under that of the DuesRefunding. The id
// is the out_refund_no, so that it is given back once.
type DuesRefund struct {
	Base          `bson:",inline"`
	OrderID       string     `bson:"orderId"`
	OrderNo       string     `bson:"orderNo"`
	OutTradeNo    string     `bson:"outTradeNo"`
	TransactionID string     `bson:"transactionId"`
	Amount        int64      `bson:"amount"`
	Total         int64      `bson:"total,omitempty"` // of the transaction; 0: all of it goes back
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

// DuesArrears 党费欠缴, spec/records.md 29: what a member has not paid of months that are over,
// computed from what he paid, his bases and reductions. One who owes nothing keeps his document,
// which no list shows.
type DuesArrears struct {
	Base        `bson:",inline"`
	MemberID    string     `bson:"memberId" json:"memberId"`
	MemberName  string     `bson:"memberName" json:"memberName" record:"label=姓名,readonly,list,search,keyword"`
	IDMasked    string     `bson:"idMasked" json:"idNumber"`
	PaidThrough string     `bson:"paidThrough" json:"paidThrough" record:"label=党费缴纳至,type=month,readonly,list"`
	FromMonth   string     `bson:"fromMonth" json:"fromMonth" record:"label=欠缴起始月份,type=month,readonly,list"`
	OwedMonths  int        `bson:"owedMonths" json:"owedMonths" record:"label=未交时长（月）,readonly,list,sort"`
	OwedAmount  int64      `bson:"owedAmount" json:"owedAmount" record:"label=欠缴金额,type=money,readonly,list,sort"`
	Note        string     `bson:"note" json:"note" record:"label=说明,readonly,list"`
	RemindedAt  *time.Time `bson:"remindedAt,omitempty" json:"remindedAt" record:"label=提醒时间,readonly,list"`
	// State is what the amounts were made of; RemindedOf what they were when he was reminded.
	State      string `bson:"state" json:"-"`
	RemindedOf string `bson:"remindedOf,omitempty" json:"-"`
	// Warned are the lengths in months of which both sides were warned.
	Warned []int `bson:"warned,omitempty" json:"-"`
}

// arrearsWarnings are the lengths in months of which branch and member are warned. Six months without
// good reason are 自行脱党 by article 9 of 党章, which the branch meeting decides and the higher
// organisation approves: a warning never changes membership.
var arrearsWarnings = []int{3, 5, 6}

// Warn notes of which lengths he is to be warned, given those he was warned of before, and returns the
// longest new one; 0 for none. Who has paid begins again.
func (a *DuesArrears) Warn(before []int) int {
	longest := 0
	a.Warned = nil
	for _, n := range arrearsWarnings {
		if a.OwedMonths < n {
			break
		}
		if !slices.Contains(before, n) {
			longest = n
		}
		a.Warned = append(a.Warned, n)
	}
	return longest
}

// largeFrom is from how many fen on one voluntary payment is 大额党费.
const largeFrom = 1_000_00

// DuesExtra 自愿多交党费: what a member pays beside what he owes, handed in to his branch.
type DuesExtra struct {
	Base      `bson:",inline"`
	OfMember  `bson:",inline"`
	Amount    int64  `bson:"amount" json:"amount"`
	Large     string `bson:"large" json:"large" record:"label=类别,readonly,list,search,options=ordinary:一般|large:大额党费（全额上缴中央）:danger"`
	PaidOn    string `bson:"paidOn" json:"paidOn" record:"label=交纳日期,type=date,past,required,list,search"`
	ReceiptNo string `bson:"receiptNo" json:"receiptNo" record:"label=收据编号,max=60,list,help=大额党费由中央组织部开具收据"`
	Remark    string `bson:"remark" json:"remark" record:"label=备注,type=text,max=200"`
	Operator  string `bson:"operator" json:"operator" record:"label=经办人,readonly,list"`
}

// Mark says who took it, and whether it is 大额党费 (中组发〔2008〕3号).
func (x *DuesExtra) Mark(operator string) {
	x.Operator, x.Large = operator, "ordinary"
	if x.Amount >= largeFrom {
		x.Large = "large"
	}
}
