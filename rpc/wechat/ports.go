// Package wechat reaches the official account, the mini-program and WeChat Pay.
//
// The rest of the product sees the small interfaces of this file and never a
// type of an SDK. New builds the adapters: OAuth by hand, messages, mini-program
// and JS-SDK through PowerWeChat, payment through WeChat's own wechatpay-go,
// which signs every request and verifies every answer and notice. Package
// wechat/sim is the other end of the wire for development and tests.
//
// Two clocks meet here. What is business (expiry of an order, dates of a bill)
// follows the product's clock, which the sandbox may move. What is transport
// (the timestamps inside signatures, token lifetimes) follows the machine's
// clock on both ends, so that moving the product's clock breaks no signature.
package wechat

import (
	"context"
	"net/http"
	"time"
)

// Identity is who WeChat says the visitor is. OpenID is per appid; UnionID is
// the same across the appids of one open-platform account and may be empty.
type Identity struct {
	OpenID  string
	UnionID string
}

// OAuth recognises a visitor of an official-account page.
type OAuth interface {
	// AuthorizeURL is where to send the browser. The state must be random, bound
	// to that browser and compared when it comes back.
	AuthorizeURL(redirectURI, state string) string
	// Exchange redeems the one-time code. It refuses an empty openid and the
	// virtual account of WeChat's snapshot page.
	Exchange(ctx context.Context, code string) (Identity, error)
}

// MiniLogin recognises a user of the mini-program.
type MiniLogin interface {
	// Session redeems the code of wx.login.
	Session(ctx context.Context, code string) (Identity, error)
	// PhoneNumber redeems the code of the phone number button, without country code.
	PhoneNumber(ctx context.Context, code string) (string, error)
}

// TemplateMessage is a service notice of the official account.
type TemplateMessage struct {
	OpenID      string
	Kind        string            // names the template in the configuration
	URL         string            // opened when the message is tapped
	Fields      map[string]string // values by the product's field names
	ClientMsgID string            // WeChat drops a repeat with the same id
}

// SubscribeMessage is a one-time message of the mini-program; each needs a consent.
type SubscribeMessage struct {
	OpenID string
	Kind   string
	Page   string // path inside the mini-program
	Fields map[string]string
}

// Messenger sends notices into WeChat.
type Messenger interface {
	SendTemplate(ctx context.Context, m TemplateMessage) error
	// SendSubscribe fails with KindUser and code 43101 when no consent is left.
	SendSubscribe(ctx context.Context, m SubscribeMessage) error
}

// Codes draws mini-program codes.
type Codes interface {
	// MiniCode returns the image of a code that opens page with scene, which has
	// at most 32 characters.
	MiniCode(ctx context.Context, scene, page string) ([]byte, error)
}

// JSConfig is what wx.config of an official-account page needs.
type JSConfig struct {
	AppID     string `json:"appId"`
	Timestamp int64  `json:"timestamp"`
	NonceStr  string `json:"nonceStr"`
	Signature string `json:"signature"`
}

// JSSDK signs official-account pages.
type JSSDK interface {
	// Sign signs the page's address; what follows # is not part of it.
	Sign(ctx context.Context, url string) (JSConfig, error)
}

// PayOrder is an order to be paid.
type PayOrder struct {
	OutTradeNo  string // ours, 6 to 32 of 0-9a-zA-Z_-|*
	Description string
	AmountFen   int64
	OpenID      string    // of the payer under AppID; JSAPI only
	AppID       string    // "" means the official account
	ExpireAt    time.Time // zero leaves it to WeChat (two hours for the prepay id)
}

// JSAPIParams is what getBrandWCPayRequest or wx.requestPayment needs.
type JSAPIParams struct {
	AppID     string `json:"appId"`
	TimeStamp string `json:"timeStamp"`
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"` // prepay_id=…
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
}

// Trade states as WeChat names them.
const (
	TradeSuccess    = "SUCCESS"
	TradeRefund     = "REFUND"
	TradeNotPaid    = "NOTPAY"
	TradeClosed     = "CLOSED"
	TradeUserPaying = "USERPAYING"
	TradePayError   = "PAYERROR"
)

// Transaction is what WeChat says of an order. Compare every field with the
// stored order before settling it.
type Transaction struct {
	OutTradeNo    string
	TransactionID string
	MchID         string
	AppID         string
	OpenID        string
	TradeState    string
	AmountFen     int64
	SuccessAt     time.Time // zero unless paid
}

// RefundOrder asks for money back.
type RefundOrder struct {
	OutTradeNo  string
	OutRefundNo string // ours, stable across retries
	Reason      string
	RefundFen   int64
	TotalFen    int64
}

// Refund states as WeChat names them.
const (
	RefundSuccess    = "SUCCESS"
	RefundProcessing = "PROCESSING"
	RefundClosed     = "CLOSED"
	RefundAbnormal   = "ABNORMAL"
)

// Refund is what WeChat says of a refund.
type Refund struct {
	OutRefundNo string
	RefundID    string
	OutTradeNo  string
	// TransactionID is told by notices only.
	TransactionID string
	Status        string
	RefundFen     int64
	SuccessAt     time.Time
}

// BillLine is one line of the daily trade bill.
type BillLine struct {
	At            time.Time
	AppID         string
	MchID         string
	TransactionID string
	OutTradeNo    string
	OpenID        string
	TradeType     string // JSAPI, NATIVE
	TradeState    string // SUCCESS or REFUND
	AmountFen     int64
	RefundFen     int64
	RefundID      string
	OutRefundNo   string
	RefundStatus  string
}

// PayGateway places and follows payments. Every answer it returns was verified.
// An error of KindUnknown means the request may have taken effect: query.
type PayGateway interface {
	PrepayJSAPI(ctx context.Context, o PayOrder) (JSAPIParams, error)
	// PrepayNative returns the text of the QR code to show, weixin://wxpay/….
	PrepayNative(ctx context.Context, o PayOrder) (codeURL string, err error)
	// Query fails with code ORDER_NOT_EXIST if WeChat never saw the order.
	Query(ctx context.Context, outTradeNo string) (Transaction, error)
	// Close fails with code ORDERPAID if the money came first; closing twice is fine.
	Close(ctx context.Context, outTradeNo string) error
	Refund(ctx context.Context, r RefundOrder) (Refund, error)
	// Bill returns the trades of the day; WeChat has it from 10:00 of the next day.
	// A day without trades is an empty bill.
	Bill(ctx context.Context, date time.Time) ([]BillLine, error)
}

// EventPaid is the only notice that may settle an order. The others tell what became of a refund.
const (
	EventPaid           = "TRANSACTION.SUCCESS"
	EventRefunded       = "REFUND.SUCCESS"
	EventRefundAbnormal = "REFUND.ABNORMAL"
	EventRefundClosed   = "REFUND.CLOSED"
)

// Notice is a verified and decrypted payment notice. The same notice may come
// many times, with the same ID.
type Notice struct {
	ID        string
	EventType string
	Transaction
	Refund *Refund // of a refund; then there is no Transaction
}

// PayNotify reads payment notices.
type PayNotify interface {
	// Parse verifies and decrypts. It refuses what WeChat did not sign, what is
	// older than five minutes on the wire, and anything but a successful payment
	// of this merchant and one of its appids, or a refund of this merchant. Whether the order exists and the
	// amount is right is for the caller to check.
	Parse(ctx context.Context, header http.Header, body []byte) (Notice, error)
}
