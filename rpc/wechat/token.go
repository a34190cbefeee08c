package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

// tokens hands out the access token of one appid. It uses WeChat's stable token
// without force_refresh, so that several processes may ask at once, and keeps it
// in Redis, shared by all of them.
type tokens struct {
	baseURL, appID, secret string
	call                   *caller
	rdb                    redis.UniversalClient
}

func (t *tokens) key() string { return "wechat:token:" + t.appID }

// get returns the token; stale drops the one WeChat has just refused.
func (t *tokens) get(ctx context.Context, stale bool) (string, error) {
	if !stale {
		token, err := t.rdb.Get(ctx, t.key()).Result()
		if err == nil {
			return token, nil
		}
		if !errors.Is(err, redis.Nil) {
			return "", &Error{Kind: KindRetryable, Message: "token cache is unreachable"}
		}
	}
	body, err := json.Marshal(map[string]string{"grant_type": "client_credential", "appid": t.appID, "secret": t.secret})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.baseURL+"/cgi-bin/stable_token", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := t.call.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var answer struct {
		errcode
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil {
		return "", &Error{Kind: KindRetryable, Message: "token answer is not JSON"}
	}
	if err := answer.err(); err != nil {
		return "", err
	}
	if answer.AccessToken == "" {
		return "", &Error{Kind: KindRetryable, Message: "token answer without token"}
	}
	// Five minutes before its end WeChat gives the next one while the old still works.
	ttl := max(time.Duration(answer.ExpiresIn)*time.Second-5*time.Minute, time.Minute)
	if err := t.rdb.Set(ctx, t.key(), answer.AccessToken, ttl).Err(); err != nil {
		return "", &Error{Kind: KindRetryable, Message: "token cache is unreachable"}
	}
	return answer.AccessToken, nil
}
