package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"zhihuidangjian/conf"
)

// timeout is the deadline of one message; a shorter one of the caller's context wins.
const timeout = 8 * time.Second

// The SDK fills this global map on its first use, without a lock: filled here, before
// anything runs beside it.
var _ = dysmsapi.GetEndpointMap()

// New returns the Aliyun adapter. It makes no request.
func New(cfg conf.SMS) (Sender, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	endpoint, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("ALIYUN_SMS_ENDPOINT: %w", err)
	}
	if cfg.Endpoint == "" {
		endpoint = &url.URL{Scheme: "https", Host: "dysmsapi.aliyuncs.com"} // the SDK's own default is plain HTTP
	}
	return &aliyun{cfg: cfg, endpoint: endpoint, transport: http.DefaultTransport.(*http.Transport).Clone()}, nil
}

type aliyun struct {
	cfg       conf.SMS
	endpoint  *url.URL
	transport http.RoundTripper
}

var mainland = regexp.MustCompile(`^1[3-9]\d{9}$`)

// Send implements Sender. The SDK's client races when shared and knows no
// context: each call has its own client over one transport. It never retries.
func (a *aliyun) Send(ctx context.Context, m Message) (err error) {
	if !mainland.MatchString(m.Phone) {
		return &Error{Kind: KindUser, Code: CodeBadNumber, Message: "not a mobile number"}
	}
	template, fields, ok := a.cfg.Templates.Find(m.Kind)
	if !ok {
		return &Error{Kind: KindConfig, Code: CodeNoTemplate, Message: "no template for " + m.Kind}
	}
	params := map[string]string{}
	for name, value := range m.Params {
		if len(fields) > 0 {
			if name, ok = fields[name]; !ok {
				continue
			}
		}
		params[name] = Fit(value)
	}
	text, err := json.Marshal(params)
	if err != nil {
		return &Error{Kind: KindConfig, Message: "parameters"}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = &Error{Kind: KindUnknown, Message: "SDK panicked"}
		}
	}()

	config := sdk.NewConfig().WithAutoRetry(false).WithTimeout(timeout).WithScheme(a.endpoint.Scheme)
	config.Transport = withContext{ctx, a.transport}
	client, err := dysmsapi.NewClientWithOptions("cn-hangzhou", config,
		credentials.NewAccessKeyCredential(a.cfg.AccessKeyID, a.cfg.AccessKeySecret))
	if err != nil {
		return &Error{Kind: KindConfig, Message: "SDK refused its options"}
	}
	request := dysmsapi.CreateSendSmsRequest()
	request.Scheme, request.Domain = a.endpoint.Scheme, a.endpoint.Host
	request.SignName, request.PhoneNumbers = a.cfg.SignName, m.Phone
	request.TemplateCode, request.TemplateParam = template, string(text)
	answer, err := client.SendSms(request)
	switch {
	case err != nil:
		return convert(err)
	case answer.Code != "OK": // business errors come as HTTP 200
		return &Error{Kind: codeKind(answer.Code), Code: answer.Code, Message: "refused by the provider"}
	}
	return nil
}

// withContext gives the SDK's requests the deadline of the call.
type withContext struct {
	ctx  context.Context // ctx: the SDK takes none; a RoundTripper is made for each call.
	next http.RoundTripper
}

// RoundTrip sends r under the context.
func (t withContext) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.next.RoundTrip(r.WithContext(t.ctx))
}

// convert keeps the code and nothing of the text: the address holds the number
// and the parameters, and server errors repeat what was signed.
func convert(err error) error {
	if server, ok := errors.AsType[*sdkerrors.ServerError](err); ok {
		kind := codeKind(server.ErrorCode())
		if server.HttpStatus() >= 500 {
			kind = KindUnknown
		}
		return &Error{Kind: kind, Code: server.ErrorCode(), Message: "refused by the provider"}
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &Error{Kind: KindRetryable, Message: "the provider is unreachable"}
	}
	for _, cause := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, cause) {
			return &Error{Kind: KindUnknown, Message: "no answer in time", Err: cause}
		}
	}
	return &Error{Kind: KindUnknown, Message: "no answer that can be understood"}
}

func codeKind(code string) Kind {
	switch code {
	case CodeLimit, CodeBadNumber, "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isv.MOBILE_COUNT_OVER_LIMIT",
		"isv.BLACK_KEY_CONTROL_LIMIT", CodeTooLong:
		return KindUser
	case "isp.SYSTEM_ERROR", "isp.RAM_PERMISSION_DENY.Throttling", "Throttling", "Throttling.User", "ServiceUnavailable":
		return KindRetryable
	}
	return KindConfig // signature, template, balance, key
}
