package sms

import "errors"

// Kind says what to do about an error.
type Kind string

const (
	// KindRetryable was not taken; trying again later may help.
	KindRetryable Kind = "retryable"
	// KindUser is caused by the number or its limits; trying again does not help.
	KindUser Kind = "user"
	// KindConfig needs an administrator: credentials, signature, template, balance.
	KindConfig Kind = "config"
	// KindUnknown may or may not have been taken: never resend blindly.
	KindUnknown Kind = "unknown"
)

// Codes of Aliyun that callers decide by.
const (
	CodeLimit      = "isv.BUSINESS_LIMIT_CONTROL" // too many to this number
	CodeBadNumber  = "isv.MOBILE_NUMBER_ILLEGAL"  // not a number
	CodeTooLong    = "isv.PARAM_LENGTH_LIMIT"     // a variable of the template
	CodeNoTemplate = "template.missing"           // no template configured for the kind
)

// Error is the only error of this package. Its text holds neither the number
// nor the parameters nor a key.
type Error struct {
	Kind    Kind
	Code    string // Aliyun's code, "" for network errors
	Message string
	Err     error // a cause that is safe to print, or nil
}

// Error returns the redacted text.
func (e *Error) Error() string {
	if e.Code != "" {
		return "sms: " + e.Code + " " + e.Message
	}
	return "sms: " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of an error; what is not an *Error is unknown.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindUnknown
}

// CodeOf returns the provider's code of an error, "" if it has none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
