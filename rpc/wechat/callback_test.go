package wechat_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ArtisanCloud/PowerWeChat/v3/src/kernel"

	"zhihuidangjian/rpc/wechat"
)

func TestCallback(t *testing.T) {
	w := newWorld(t)
	const plain = `<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1783000000</CreateTime><MsgType>event</MsgType><Event>subscribe</Event><EventKey></EventKey></xml>`

	// push encrypts a message as WeChat does, with PowerWeChat's implementation of it.
	push := func(appID, token string, at time.Time) (url.Values, []byte) {
		e, err := kernel.NewEncryptor(appID, token, w.cfg.AESKey)
		if err != nil {
			t.Fatal(err)
		}
		stamp := fmt.Sprint(at.Unix())
		body, failure := e.Encrypt(plain, "nonce", stamp)
		if failure != nil {
			t.Fatal(failure)
		}
		_, rest, _ := strings.Cut(string(body), "<MsgSignature><![CDATA[")
		signature, _, _ := strings.Cut(rest, "]]>")
		return url.Values{"msg_signature": {signature}, "timestamp": {stamp}, "nonce": {"nonce"}, "encrypt_type": {"aes"}}, body
	}

	t.Run("a genuine message", func(t *testing.T) {
		m, err := w.Callback.Open(push(w.cfg.AppID, w.cfg.Token, time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if m.FromUserName != "o1" || m.MsgType != "event" || m.Event != "subscribe" || m.CreateTime != 1783000000 {
			t.Errorf("%+v", m)
		}
	})

	refused := func(name string, query url.Values, body []byte) {
		t.Run(name, func(t *testing.T) {
			if m, err := w.Callback.Open(query, body); !errors.Is(err, wechat.ErrSignature) || m != (wechat.Message{}) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
	query, body := push(w.cfg.AppID, w.cfg.Token, time.Now())
	refused("plain text under encrypt_type=aes", query, []byte(plain))
	without := url.Values{"timestamp": query["timestamp"], "nonce": query["nonce"], "encrypt_type": {"aes"}}
	refused("no msg_signature", without, body)
	refused("empty", query, nil)
	refused("changed", query, []byte(strings.Replace(string(body), "<Encrypt><![CDATA[", "<Encrypt><![CDATA[A", 1)))
	query, body = push(w.cfg.AppID, "token-of-somebody", time.Now())
	refused("another token", query, body)
	query, body = push("wx0000000000000000", w.cfg.Token, time.Now())
	refused("for another appid", query, body)
	query, body = push(w.cfg.AppID, w.cfg.Token, time.Now().Add(-6*time.Minute))
	refused("old", query, body)

	t.Run("address check", func(t *testing.T) {
		q := url.Values{"signature": {"forged"}, "timestamp": {"1"}, "nonce": {"2"}, "echostr": {"e"}}
		if _, err := w.Callback.Echo(q); !errors.Is(err, wechat.ErrSignature) {
			t.Error(err)
		}
		e, err := kernel.NewEncryptor(w.cfg.AppID, w.cfg.Token, w.cfg.AESKey)
		if err != nil {
			t.Fatal(err)
		}
		q.Set("signature", e.Signature(w.cfg.Token, "1", "2", ""))
		if echo, err := w.Callback.Echo(q); err != nil || echo != "e" {
			t.Error(echo, err)
		}
	})

	t.Run("not configured believes nothing", func(t *testing.T) {
		cfg := w.cfg
		cfg.Token, cfg.AESKey = "", ""
		q, b := push(w.cfg.AppID, "", time.Now())
		if _, err := w.open(t, cfg).Callback.Open(q, b); !errors.Is(err, wechat.ErrSignature) {
			t.Error(err)
		}
	})
}
