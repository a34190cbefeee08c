package kit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cloudwego/kitex/pkg/kerrors"
)

// Error is what a person is told: a code whose hundreds are the HTTP status, a stable
// key for programs, a Chinese message, and messages by field for forms. The cause goes
// to the log only.
type Error struct {
	Code    int32             // 40901: HTTP 409
	Key     string            // meeting.closed
	Message string            // 会议已结束
	Fields  map[string]string // field → message
	Wait    time.Duration     // of a 429: when to try again, if that is known
	cause   error
}

// The errors every service shares.
var (
	ErrInvalid         = &Error{Code: 40000, Key: "invalid", Message: "请检查填写的内容"}
	ErrUnauthenticated = &Error{Code: 40100, Key: "unauthenticated", Message: "未登录或登录已失效"}
	ErrForbidden       = &Error{Code: 40300, Key: "forbidden", Message: "无操作权限"}
	ErrUnbound         = &Error{Code: 40310, Key: "unbound", Message: "请先绑定党员身份"}
	ErrNotFound        = &Error{Code: 40400, Key: "not_found", Message: "无权限或数据不存在"}
	ErrConflict        = &Error{Code: 40900, Key: "conflict", Message: "数据已被他人修改，请刷新后重试"}
	ErrTooLarge        = &Error{Code: 41300, Key: "too_large", Message: "上传的内容过大"}
	ErrTooMany         = &Error{Code: 42900, Key: "too_many", Message: "操作过于频繁，请稍后再试"}
	ErrInternal        = &Error{Code: 50000, Key: "internal", Message: "系统繁忙，请稍后重试"}
	ErrTimeout         = &Error{Code: 50400, Key: "timeout", Message: "处理超时，请稍后重试"}
)

// Invalid is a 400 with a key and message of its own.
func Invalid(key, format string, args ...any) *Error {
	return &Error{Code: 40000, Key: key, Message: fmt.Sprintf(format, args...)}
}

// InvalidFields is a 400 that marks fields of a form.
func InvalidFields(fields map[string]string) *Error {
	e := &Error{Code: 40000, Key: "invalid", Message: "请检查填写的内容", Fields: fields}
	if len(fields) == 1 {
		for _, m := range fields {
			e.Message = m
		}
	}
	return e
}

// Conflict is a 409: the request was fine, the state of the record refuses it.
func Conflict(key, format string, args ...any) *Error {
	return &Error{Code: 40901, Key: key, Message: fmt.Sprintf(format, args...)}
}

// Forbidden is a 403 with a reason of its own.
func Forbidden(key, format string, args ...any) *Error {
	return &Error{Code: 40301, Key: key, Message: fmt.Sprintf(format, args...)}
}

// TooMany is a 429 with a reason of its own.
func TooMany(key, format string, args ...any) *Error {
	return &Error{Code: 42901, Key: key, Message: fmt.Sprintf(format, args...)}
}

// After is e, which may be tried again after some time.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.Wait = wait
	return &c
}

// Because is e with the cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error is for the log; people read Message.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s (%d): %v", e.Key, e.Code, e.cause)
	}
	return fmt.Sprintf("%s (%d): %s", e.Key, e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is compares by key, so that errors.Is holds across processes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Key == e.Key
}

// toWire turns an error into what Kitex carries; the cause stays behind.
func toWire(err error) error {
	e := FromError(err)
	extra := map[string]string{"key": e.Key}
	if len(e.Fields) > 0 {
		b, _ := json.Marshal(e.Fields) // a map of strings: cannot fail
		extra["fields"] = string(b)
	}
	if e.Wait > 0 {
		extra["wait"] = e.Wait.String()
	}
	return kerrors.NewBizStatusErrorWithExtra(e.Code, e.Message, extra)
}

// FromError returns the Error to show for any error: its own, one that another
// process sent, a timeout, or ErrInternal with err as the cause.
func FromError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if b, ok := kerrors.FromBizStatusError(err); ok {
		e := &Error{Code: b.BizStatusCode(), Key: b.BizExtra()["key"], Message: b.BizMessage()}
		if f := b.BizExtra()["fields"]; f != "" {
			_ = json.Unmarshal([]byte(f), &e.Fields) // ours; malformed: no marks
		}
		e.Wait, _ = time.ParseDuration(b.BizExtra()["wait"]) // ours; none: 0
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kerrors.ErrRPCTimeout) {
		return ErrTimeout.Because(err)
	}
	return ErrInternal.Because(err)
}
