package wechat

import "errors"

// Kind says what to do about an error.
type Kind string

const (
	// KindRetryable had no effect; trying again later may help.
	KindRetryable Kind = "retryable"
	// KindUser is caused by the user or the order; trying again does not help.
	KindUser Kind = "user"
	// KindConfig needs an administrator: credentials, templates, permissions.
	KindConfig Kind = "config"
	// KindUnknown may or may not have taken effect: ask before trying again.
	KindUnknown Kind = "unknown"
)

// Codes of WeChat that callers decide by.
const (
	CodeNoConsent     = "43101"           // no consent left for the subscribe message
	CodeBadOpenID     = "40003"           // the openid is not of this appid, or unknown
	CodeOrderNotExist = "ORDER_NOT_EXIST" // WeChat never saw the order
	CodeOrderPaid     = "ORDERPAID"       // paid already
	CodeOrderClosed   = "ORDER_CLOSED"    // closed already
)

// ErrSignature is the cause when something claims to come from WeChat and does not.
var ErrSignature = errors.New("signature does not verify")

// ErrNotPayment is the cause when a genuine notice is not a successful payment to us.
var ErrNotPayment = errors.New("not a successful payment to this merchant")

// Error is the only error of this package. Its text holds no secret.
type Error struct {
	Kind    Kind
	Code    string // WeChat's errcode or payment code, "" for network and local errors
	Message string // WeChat's words or ours, redacted
	Err     error  // a cause that is safe to print, or nil
}

// Error returns the redacted text.
func (e *Error) Error() string {
	if e.Code != "" {
		return "wechat: " + e.Code + " " + e.Message
	}
	return "wechat: " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns WeChat's code of an error, "" if it has none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// KindOf returns the kind of an error; what is not an *Error is unknown.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindUnknown
}
