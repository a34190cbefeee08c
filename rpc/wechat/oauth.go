package wechat

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"zhihuidangjian/conf"
)

// oauth is written by hand: PowerWeChat's shares fields between concurrent
// visitors and hands one the state of another.
type oauth struct {
	cfg  conf.WeChat
	call *caller
}

// AuthorizeURL implements OAuth. WeChat wants the parameters in this order.
func (o *oauth) AuthorizeURL(redirectURI, state string) string {
	return o.cfg.AuthorizeURL + "?appid=" + url.QueryEscape(o.cfg.AppID) +
		"&redirect_uri=" + url.QueryEscape(redirectURI) + "&response_type=code" +
		"&scope=" + url.QueryEscape(o.cfg.OAuthScope) + "&state=" + url.QueryEscape(state) + "#wechat_redirect"
}

// Exchange implements OAuth.
func (o *oauth) Exchange(ctx context.Context, code string) (id Identity, err error) {
	if code == "" {
		return id, &Error{Kind: KindUser, Code: "41008", Message: "missing code"}
	}
	err = o.call.do(ctx, apiTimeout, func(ctx context.Context) error {
		q := url.Values{"appid": {o.cfg.AppID}, "secret": {o.cfg.AppSecret}, "code": {code}, "grant_type": {"authorization_code"}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.cfg.BaseURL+"/sns/oauth2/access_token?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		res, err := o.call.http.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return &Error{Kind: KindUnknown, Message: "http " + res.Status}
		}
		var answer struct {
			errcode
			OpenID   string `json:"openid"`
			UnionID  string `json:"unionid"`
			Snapshot int    `json:"is_snapshotuser"`
		}
		if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil {
			return &Error{Kind: KindUnknown, Message: "answer is not JSON"}
		}
		switch err := answer.err(); {
		case err != nil:
			return err
		case answer.Snapshot == 1:
			return &Error{Kind: KindUser, Code: "snapshot", Message: "the visitor is WeChat's snapshot account"}
		case answer.OpenID == "":
			return &Error{Kind: KindUnknown, Message: "answer without openid"}
		}
		id = Identity{OpenID: answer.OpenID, UnionID: answer.UnionID}
		return nil
	})
	return id, err
}
