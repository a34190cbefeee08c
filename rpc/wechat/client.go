package wechat

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"zhihuidangjian/conf"
)

// Deadlines of the calls; a shorter one of the caller's context wins.
const (
	apiTimeout  = 6 * time.Second
	payTimeout  = 10 * time.Second
	billTimeout = 60 * time.Second
)

// maxAnswer bounds what is read of an answer, but for bills.
const maxAnswer = 4 << 20

// Client is every door to WeChat, each behind its interface. What is not
// configured (mini-program, payment) answers with an error of KindConfig.
type Client struct {
	OAuth     OAuth
	Mini      MiniLogin
	Messenger Messenger
	Codes     Codes
	JSSDK     JSSDK
	Pay       PayGateway
	Notify    PayNotify
	Callback  *Callback
}

// New builds the adapters. rdb holds the access tokens, so that every process
// uses the same one; now is the product's clock. It makes no request.
func New(cfg conf.WeChat, rdb redis.UniversalClient, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.BaseURL = strings.TrimRight(orDefault(cfg.BaseURL, "https://api.weixin.qq.com"), "/")
	cfg.PayBaseURL = strings.TrimRight(orDefault(cfg.PayBaseURL, "https://api.mch.weixin.qq.com"), "/")
	cfg.AuthorizeURL = orDefault(cfg.AuthorizeURL, "https://open.weixin.qq.com/connect/oauth2/authorize")
	cfg.OAuthScope = orDefault(cfg.OAuthScope, "snsapi_base")

	call := &caller{redact: redactor(cfg), http: &http.Client{Transport: &resend{next: http.DefaultTransport.(*http.Transport).Clone()}}}
	official := newOfficial(cfg, call, rdb)
	mini := newMini(cfg, call, rdb)
	gateway, notify, err := newPay(cfg, call, now)
	if err != nil {
		return nil, err
	}
	return &Client{
		OAuth:     &oauth{cfg: cfg, call: call},
		Mini:      &miniLogin{mini: mini},
		Messenger: &messenger{cfg: cfg, official: official, mini: mini},
		Codes:     &codes{mini: mini},
		JSSDK:     &jssdk{official: official},
		Pay:       gateway,
		Notify:    notify,
		Callback:  newCallback(cfg),
	}, nil
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// caller is what all adapters share: the HTTP client, deadlines, the conversion
// of everything that goes wrong into an *Error without secrets.
type caller struct {
	http   *http.Client
	redact func(string) string
}

// do runs one call under a deadline and turns errors and panics of the SDKs into *Error.
func (c *caller) do(ctx context.Context, timeout time.Duration, f func(ctx context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = c.panicked(p)
		}
	}()
	return c.convert(f(ctx))
}

// resend gives every attempt of a request the whole body. PowerWeChat repeats a
// request after a token refresh with the body it has already read.
type resend struct{ next http.RoundTripper }

// RoundTrip sends r with a fresh body.
func (t *resend) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = body
	}
	return t.next.RoundTrip(r)
}
