package wechat

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/validators"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"
	wpnotify "github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/kit"
)

// pay uses WeChat's own SDK, not PowerWeChat: it signs and verifies, passes the
// context on and is safe for concurrent use.
type pay struct {
	cfg    conf.WeChat
	call   *caller
	client *core.Client // nil when not configured
	files  *core.Client // of bill files, whose answers WeChat does not sign
	now    func() time.Time
}

// newPay builds both halves of payment over one key.
func newPay(cfg conf.WeChat, call *caller, now func() time.Time) (*pay, *payNotify, error) {
	if !cfg.HasPay() {
		return &pay{call: call}, &payNotify{call: call}, nil
	}
	private, err := utils.LoadPrivateKey(cfg.MchKeyPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("WECHAT_MCH_KEY: not an RSA key in PKCS#8 PEM")
	}
	public, err := utils.LoadPublicKey(cfg.PayPublicKeyPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("WECHAT_PAY_PUBLIC_KEY: not an RSA public key in PEM")
	}
	base, err := url.Parse(cfg.PayBaseURL)
	if err != nil {
		return nil, nil, fmt.Errorf("WECHAT_PAY_BASE_URL: %w", err)
	}
	verifier := verifiers.NewSHA256WithRSAPubkeyVerifier(cfg.PayPublicKeyID, *public)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	build := func(rt http.RoundTripper, more ...core.ClientOption) (*core.Client, error) {
		return core.NewClient(context.Background(), append([]core.ClientOption{
			option.WithMerchantCredential(cfg.MchID, cfg.MchSerial, private),
			option.WithHTTPClient(&http.Client{Transport: rt, Timeout: billTimeout}),
		}, more...)...)
	}
	client, err := build(&verifyErrors{next: &redirect{base, transport}, validator: validators.NewWechatPayResponseValidator(verifier)},
		option.WithVerifier(verifier))
	if err != nil {
		return nil, nil, fmt.Errorf("wechat pay: %w", err)
	}
	files, err := build(&redirect{base, transport}, option.WithoutValidator())
	if err != nil {
		return nil, nil, fmt.Errorf("wechat pay: %w", err)
	}
	handler, err := wpnotify.NewRSANotifyHandler(cfg.APIv3Key, verifier)
	if err != nil {
		return nil, nil, fmt.Errorf("WECHAT_APIV3_KEY: %w", err)
	}
	return &pay{cfg: cfg, call: call, client: client, files: files, now: now},
		&payNotify{cfg: cfg, call: call, handler: handler}, nil
}

// redirect sends what the SDK addresses to WeChat Pay to the configured base
// instead. The signature covers only path and query.
type redirect struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip sends r to the base.
func (t *redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	if "https://"+r.URL.Host == consts.WechatPayAPIServer {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = t.base.Scheme, t.base.Host, t.base.Host
	}
	return t.next.RoundTrip(r)
}

// verifyErrors verifies the error answers, which the SDK believes unseen: a
// forged ORDER_NOT_EXIST would make us drop a paid order.
type verifyErrors struct {
	next      http.RoundTripper
	validator *validators.WechatPayResponseValidator
}

// RoundTrip refuses 4xx answers that WeChat Pay did not sign.
func (t *verifyErrors) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(r)
	if err != nil || res.StatusCode < 300 || res.StatusCode >= 500 {
		return res, err // a 5xx decides nothing: its effect is unknown anyway
	}
	err = t.validator.Validate(r.Context(), res)
	switch {
	case err == nil:
		return res, nil
	case res.StatusCode == http.StatusUnauthorized: // WeChat could not tell who asks
		return res, nil
	}
	_ = res.Body.Close()
	return nil, &Error{Kind: KindUnknown, Message: "answer is not signed by WeChat Pay", Err: ErrSignature}
}

// do runs one call if payment is configured. What the SDK refuses to believe
// comes as a plain error and is a matter of the signature.
func (p *pay) do(ctx context.Context, f func(ctx context.Context) (*core.APIResult, error)) error {
	return p.call.do(ctx, payTimeout, func(ctx context.Context) error {
		if p.client == nil {
			return &Error{Kind: KindConfig, Message: "WeChat Pay is not configured"}
		}
		res, err := f(ctx)
		if err != nil && res != nil && res.Response != nil && res.Response.StatusCode < 300 && ctx.Err() == nil {
			return &Error{Kind: KindUnknown, Message: "answer is not signed by WeChat Pay", Err: ErrSignature}
		}
		return err
	})
}

func (p *pay) appID(o PayOrder) string { return orDefault(o.AppID, p.cfg.AppID) }

func expiry(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.In(kit.Shanghai).Truncate(time.Second)
	return &t
}

// PrepayJSAPI implements PayGateway.
func (p *pay) PrepayJSAPI(ctx context.Context, o PayOrder) (params JSAPIParams, err error) {
	err = p.do(ctx, func(ctx context.Context) (*core.APIResult, error) {
		service := jsapi.JsapiApiService{Client: p.client}
		answer, res, err := service.PrepayWithRequestPayment(ctx, jsapi.PrepayRequest{
			Appid: core.String(p.appID(o)), Mchid: core.String(p.cfg.MchID),
			Description: core.String(o.Description), OutTradeNo: core.String(o.OutTradeNo),
			TimeExpire: expiry(o.ExpireAt), NotifyUrl: core.String(p.cfg.NotifyURL),
			Amount: &jsapi.Amount{Total: core.Int64(o.AmountFen), Currency: core.String("CNY")},
			Payer:  &jsapi.Payer{Openid: core.String(o.OpenID)},
		})
		if err != nil {
			return res, err
		}
		params = JSAPIParams{AppID: *answer.Appid, TimeStamp: *answer.TimeStamp, NonceStr: *answer.NonceStr,
			Package: *answer.Package, SignType: *answer.SignType, PaySign: *answer.PaySign}
		return res, nil
	})
	return params, err
}

// PrepayNative implements PayGateway.
func (p *pay) PrepayNative(ctx context.Context, o PayOrder) (codeURL string, err error) {
	err = p.do(ctx, func(ctx context.Context) (*core.APIResult, error) {
		service := native.NativeApiService{Client: p.client}
		answer, res, err := service.Prepay(ctx, native.PrepayRequest{
			Appid: core.String(p.appID(o)), Mchid: core.String(p.cfg.MchID),
			Description: core.String(o.Description), OutTradeNo: core.String(o.OutTradeNo),
			TimeExpire: expiry(o.ExpireAt), NotifyUrl: core.String(p.cfg.NotifyURL),
			Amount: &native.Amount{Total: core.Int64(o.AmountFen), Currency: core.String("CNY")},
		})
		if err == nil {
			codeURL = deref(answer.CodeUrl)
		}
		return res, err
	})
	return codeURL, err
}

// Query implements PayGateway.
func (p *pay) Query(ctx context.Context, outTradeNo string) (t Transaction, err error) {
	err = p.do(ctx, func(ctx context.Context) (*core.APIResult, error) {
		service := jsapi.JsapiApiService{Client: p.client}
		answer, res, err := service.QueryOrderByOutTradeNo(ctx, jsapi.QueryOrderByOutTradeNoRequest{
			OutTradeNo: core.String(outTradeNo), Mchid: core.String(p.cfg.MchID),
		})
		if err == nil {
			t = transaction(answer)
		}
		return res, err
	})
	return t, err
}

// Close implements PayGateway.
func (p *pay) Close(ctx context.Context, outTradeNo string) error {
	err := p.do(ctx, func(ctx context.Context) (*core.APIResult, error) {
		service := jsapi.JsapiApiService{Client: p.client}
		return service.CloseOrder(ctx, jsapi.CloseOrderRequest{
			OutTradeNo: core.String(outTradeNo), Mchid: core.String(p.cfg.MchID),
		})
	})
	if CodeOf(err) == CodeOrderClosed {
		return nil
	}
	return err
}

// Refund implements PayGateway.
func (p *pay) Refund(ctx context.Context, r RefundOrder) (refund Refund, err error) {
	err = p.do(ctx, func(ctx context.Context) (*core.APIResult, error) {
		service := refunddomestic.RefundsApiService{Client: p.client}
		request := refunddomestic.CreateRequest{
			OutTradeNo: core.String(r.OutTradeNo), OutRefundNo: core.String(r.OutRefundNo),
			Amount: &refunddomestic.AmountReq{Refund: core.Int64(r.RefundFen), Total: core.Int64(r.TotalFen), Currency: core.String("CNY")},
		}
		if r.Reason != "" {
			request.Reason = core.String(r.Reason)
		}
		answer, res, err := service.Create(ctx, request)
		if err != nil {
			return res, err
		}
		refund = Refund{OutRefundNo: deref(answer.OutRefundNo), RefundID: deref(answer.RefundId),
			OutTradeNo: deref(answer.OutTradeNo), Status: string(deref(answer.Status))}
		if answer.Amount != nil {
			refund.RefundFen = deref(answer.Amount.Refund)
		}
		if answer.SuccessTime != nil {
			refund.SuccessAt = answer.SuccessTime.In(kit.Shanghai)
		}
		return res, nil
	})
	return refund, err
}

// transaction copies what WeChat says; what it leaves out stays zero.
func transaction(t *payments.Transaction) Transaction {
	out := Transaction{
		OutTradeNo: deref(t.OutTradeNo), TransactionID: deref(t.TransactionId), MchID: deref(t.Mchid),
		AppID: deref(t.Appid), TradeState: deref(t.TradeState),
	}
	if t.Amount != nil {
		out.AmountFen = deref(t.Amount.Total)
	}
	if t.Payer != nil {
		out.OpenID = deref(t.Payer.Openid)
	}
	if at, err := time.Parse(time.RFC3339, deref(t.SuccessTime)); err == nil {
		out.SuccessAt = at.In(kit.Shanghai)
	}
	return out
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
