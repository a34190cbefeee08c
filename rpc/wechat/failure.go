package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"zhihuidangjian/conf"
)

// secretParam finds secrets by name in query strings and JSON, whatever their value.
var secretParam = regexp.MustCompile(`(?i)("?\b(?:access_token|refresh_token|secret|appsecret|js_code|code|ticket|session_key|token|signature)"?\s*[=:]\s*"?)[^&\s",}]+`)

// redactor blanks the configured secrets and everything that is named like one.
func redactor(cfg conf.WeChat) func(string) string {
	var pairs []string
	for _, secret := range []string{cfg.AppSecret, cfg.MiniAppSecret, cfg.Token, cfg.AESKey, cfg.APIv3Key, cfg.MchKeyPEM} {
		if secret != "" {
			pairs = append(pairs, secret, "***")
		}
	}
	known := strings.NewReplacer(pairs...)
	return func(s string) string {
		s = secretParam.ReplaceAllString(known.Replace(s), "${1}***")
		if r := []rune(s); len(r) > 300 {
			s = string(r[:300]) + "…"
		}
		return s
	}
}

// errcode is the answer of the official-account and mini-program API when
// something is wrong; it comes as HTTP 200.
type errcode struct {
	ErrCode int    `json:"errcode"`
	ErrMsg  string `json:"errmsg"`
}

// err returns nil for code 0.
func (e errcode) err() error {
	if e.ErrCode == 0 {
		return nil
	}
	return &Error{Kind: errcodeKind(e.ErrCode), Code: strconv.Itoa(e.ErrCode), Message: e.ErrMsg}
}

func errcodeKind(code int) Kind {
	switch code {
	case -1, 40014, 42001, 45009, 45011, 45047, 48006: // busy, stale token, quota
		return KindRetryable
	case 40029, 40163, 40003, 41008, 42003, 43004, 43101, 43107, 45015, 46004, 40226:
		return KindUser
	}
	return KindConfig // 40001, 40013, 40125, 40164, 40037, 41001, 41030, 47001, 47003, 48001 …
}

func payKind(status int, code string) Kind {
	switch code {
	case CodeOrderNotExist, CodeOrderPaid, CodeOrderClosed, "OUT_TRADE_NO_USED", "OPENID_MISMATCH", "RULE_LIMIT",
		"NOTENOUGH", "NOT_ENOUGH", "USER_ACCOUNT_ABNORMAL", "RESOURCE_NOT_EXISTS", "NO_STATEMENT_EXIST", "ACCOUNT_ERROR":
		return KindUser
	case "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "STATEMENT_CREATING":
		return KindRetryable
	case "SYSTEM_ERROR", "BANK_ERROR", "TRADE_ERROR":
		return KindUnknown
	}
	switch {
	case status == 429:
		return KindRetryable
	case status >= 500:
		return KindUnknown
	}
	return KindConfig
}

// convert turns any error into an *Error whose text and chain hold no secret.
func (c *caller) convert(err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*Error](err); ok { // perhaps inside an error of an SDK, which is dropped
		safe := *own
		safe.Message = c.redact(own.Message)
		return &safe
	}
	if api, ok := errors.AsType[*core.APIError](err); ok {
		return &Error{Kind: payKind(api.StatusCode, api.Code), Code: orDefault(api.Code, strconv.Itoa(api.StatusCode)),
			Message: c.redact(api.Message)}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: KindUnknown, Message: "no answer in time", Err: context.DeadlineExceeded}
	}
	if errors.Is(err, context.Canceled) {
		return &Error{Kind: KindUnknown, Message: "given up", Err: context.Canceled}
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" { // nothing was sent
		return &Error{Kind: KindRetryable, Message: c.redact(op.Error())}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &Error{Kind: KindUnknown, Message: "no answer in time", Err: context.DeadlineExceeded}
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &Error{Kind: KindUnknown, Message: "answer is not JSON"}
	}
	if in, ok := errors.AsType[*url.Error](err); ok { // its own text holds the address, and so the token
		return &Error{Kind: KindUnknown, Message: c.redact(in.Op + ": " + in.Err.Error())}
	}
	return &Error{Kind: KindUnknown, Message: c.redact(err.Error())}
}

func (c *caller) panicked(p any) error {
	return &Error{Kind: KindUnknown, Message: c.redact(fmt.Sprint("SDK panicked: ", p))}
}
