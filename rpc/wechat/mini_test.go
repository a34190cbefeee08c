package wechat_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/png"
	"net/http"
	"strings"
	"sync"
	"testing"

	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

func TestMiniProgram(t *testing.T) {
	t.Run("code2session and the phone number", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		id, err := w.Mini.Session(t.Context(), w.sim.Code("session", u.ID))
		if err != nil {
			t.Fatal(err)
		}
		official, err := w.OAuth.Exchange(t.Context(), w.sim.Code("oauth", u.ID))
		if err != nil {
			t.Fatal(err)
		}
		if id.OpenID == official.OpenID || id.UnionID != official.UnionID {
			t.Errorf("mini %+v, official %+v: want other openids and one unionid", id, official)
		}
		phone, err := w.Mini.PhoneNumber(t.Context(), w.sim.Code("phone", u.ID))
		if err != nil || phone != "13800000001" {
			t.Errorf("phone %q, %v", phone, err)
		}
	})

	t.Run("codes work once", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		code := w.sim.Code("session", u.ID)
		for range 2 {
			_, err := w.Mini.Session(t.Context(), code)
			if err != nil {
				want(t, err, "40163", wechat.KindUser)
			}
		}
		code = w.sim.Code("phone", u.ID)
		_, _ = w.Mini.PhoneNumber(t.Context(), code)
		_, err := w.Mini.PhoneNumber(t.Context(), code)
		want(t, err, "40163", wechat.KindUser)
	})

	t.Run("not configured", func(t *testing.T) {
		w := newWorld(t)
		cfg := w.cfg
		cfg.MiniAppID, cfg.MiniAppSecret = "", ""
		_, err := w.open(t, cfg).Mini.Session(t.Context(), "c")
		want(t, err, "", wechat.KindConfig)
	})

	t.Run("mini-program code is an image", func(t *testing.T) {
		w := newWorld(t)
		raw, err := w.Codes.MiniCode(t.Context(), "m=42", "pages/sign-in/index")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := image.DecodeConfig(bytes.NewReader(raw)); err != nil {
			t.Error(err)
		}
	})

	t.Run("its errors come as JSON", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.Codes.MiniCode(t.Context(), "m=42", "/pages/sign-in/index")
		want(t, err, "41030", wechat.KindConfig)
		_, err = w.Codes.MiniCode(t.Context(), strings.Repeat("x", 33), "pages/sign-in/index")
		want(t, err, "40169", wechat.KindConfig)
		w.sim.Fail("code", "45009", 1)
		_, err = w.Codes.MiniCode(t.Context(), "m=42", "pages/sign-in/index")
		want(t, err, "45009", wechat.KindRetryable)
	})
}

func TestMessenger(t *testing.T) {
	paid := func(openID string) wechat.TemplateMessage {
		return wechat.TemplateMessage{OpenID: openID, Kind: "duesReceipt", URL: "http://127.0.0.1/m/", ClientMsgID: "event-1",
			Fields: map[string]string{"amount": "12.00", "title": "一个比二十个字还要长的会议题目需要被裁短一些", "remark": " "}}
	}

	t.Run("template message arrives, fitted and once", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		for range 2 {
			if err := w.Messenger.SendTemplate(t.Context(), paid(w.sim.OpenID(u.ID, sim.OfficialAppID))); err != nil {
				t.Fatal(err)
			}
		}
		inbox := w.sim.Messages(u.ID)
		if len(inbox) != 1 {
			t.Fatalf("%d messages, want 1", len(inbox))
		}
		m := inbox[0]
		if m.Channel != "template" || m.Kind != "duesReceipt" || m.URL != "http://127.0.0.1/m/" || m.Fields["amount"] != "12.00" ||
			m.Fields["title"] != "一个比二十个字还要长的会议题目需要被裁…" || m.Fields["remark"] != "-" {
			t.Errorf("message %+v", m)
		}
	})

	t.Run("field map of the configuration", func(t *testing.T) {
		w := newWorld(t)
		cfg := w.cfg
		cfg.Templates = map[string]string{"duesReceipt": "sandbox-duesReceipt?amount=amount2"}
		u := w.sim.CreateUser("小王", "13800000001")
		client := w.open(t, cfg)
		if err := client.Messenger.SendTemplate(t.Context(), paid(w.sim.OpenID(u.ID, sim.OfficialAppID))); err != nil {
			t.Fatal(err)
		}
		if fields := w.sim.Messages(u.ID)[0].Fields; len(fields) != 1 || fields["amount2"] != "12.00" {
			t.Errorf("fields %v", fields)
		}
		err := client.Messenger.SendTemplate(t.Context(), wechat.TemplateMessage{Kind: "other"})
		want(t, err, "template", wechat.KindConfig)
	})

	t.Run("refusals", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		err := w.Messenger.SendTemplate(t.Context(), paid(w.sim.OpenID(u.ID, sim.MiniAppID)))
		want(t, err, wechat.CodeBadOpenID, wechat.KindUser)
		w.control(t, "POST", "users/"+u.ID, map[string]bool{"unfollow": true}, nil)
		err = w.Messenger.SendTemplate(t.Context(), paid(w.sim.OpenID(u.ID, sim.OfficialAppID)))
		want(t, err, "43004", wechat.KindUser)
		w.sim.Fail("template", "45009", 1)
		err = w.Messenger.SendTemplate(t.Context(), paid(w.sim.OpenID(u.ID, sim.OfficialAppID)))
		want(t, err, "45009", wechat.KindRetryable)
		w.sim.Fail("template", "http500", 1)
		err = w.Messenger.SendTemplate(t.Context(), paid(w.sim.OpenID(u.ID, sim.OfficialAppID)))
		want(t, err, "", wechat.KindUnknown)
	})

	t.Run("a subscribe message needs a consent each", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		m := wechat.SubscribeMessage{OpenID: w.sim.OpenID(u.ID, sim.MiniAppID), Kind: "meetingStarted", Page: "pages/meeting/detail?id=1",
			Fields: map[string]string{"title": "党员大会"}}
		err := w.Messenger.SendSubscribe(t.Context(), m)
		want(t, err, wechat.CodeNoConsent, wechat.KindUser)
		if status := w.control(t, "POST", "users/"+u.ID+"/subscribe", map[string]string{"kind": "meetingStarted"}, nil); status != http.StatusOK {
			t.Fatal(status)
		}
		if err := w.Messenger.SendSubscribe(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		err = w.Messenger.SendSubscribe(t.Context(), m)
		want(t, err, wechat.CodeNoConsent, wechat.KindUser)
		if inbox := w.sim.Messages(u.ID); len(inbox) != 1 || inbox[0].Channel != "subscribe" || inbox[0].Fields["title"] != "党员大会" {
			t.Errorf("inbox %+v", inbox)
		}
	})

	t.Run("a token WeChat has forgotten is renewed within the call", func(t *testing.T) {
		w := newWorld(t)
		u := w.sim.CreateUser("小王", "13800000001")
		m := paid(w.sim.OpenID(u.ID, sim.OfficialAppID))
		m.ClientMsgID = ""
		for i := range 3 {
			if err := w.Messenger.SendTemplate(t.Context(), m); err != nil {
				t.Fatalf("message %d: %v", i+1, err)
			}
			w.sim.ExpireTokens()
		}
		if n := len(w.sim.Messages(u.ID)); n != 3 {
			t.Errorf("%d messages, want 3", n)
		}
	})

	t.Run("40001, 42001 and 40014 heal", func(t *testing.T) {
		for _, code := range []string{"40001", "42001", "40014"} {
			w := newWorld(t)
			u := w.sim.CreateUser("小王", "13800000001")
			w.sim.Fail("template", code, 1)
			if err := w.Messenger.SendTemplate(t.Context(), paid(w.sim.OpenID(u.ID, sim.OfficialAppID))); err != nil {
				t.Errorf("%s: %v", code, err)
			}
		}
	})

	t.Run("a wrong secret is told by its code", func(t *testing.T) {
		w := newWorld(t)
		cfg := w.cfg
		cfg.AppSecret = "0123456789abcdef"
		err := w.open(t, cfg).Messenger.SendTemplate(t.Context(), paid("o1"))
		want(t, err, "40125", wechat.KindConfig)
	})

	t.Run("Redis down", func(t *testing.T) {
		w := newWorld(t)
		w.redis.Close()
		err := w.Messenger.SendTemplate(t.Context(), paid("o1"))
		want(t, err, "", wechat.KindRetryable)
	})

	t.Run("concurrent messages do not mix", func(t *testing.T) {
		w := newWorld(t)
		var wg sync.WaitGroup
		for i := range 64 {
			u := w.sim.CreateUser(fmt.Sprint("用户", i), fmt.Sprintf("138000%05d", i))
			wg.Go(func() {
				m := wechat.TemplateMessage{OpenID: w.sim.OpenID(u.ID, sim.OfficialAppID), Kind: "duesReceipt", Fields: map[string]string{"name": u.Nickname}}
				if err := w.Messenger.SendTemplate(t.Context(), m); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, m := range w.sim.Messages("") {
			if m.Fields["name"] != m.Nickname {
				t.Errorf("%s received the message of %s", m.Nickname, m.Fields["name"])
			}
		}
	})
}

func TestJSSDK(t *testing.T) {
	w := newWorld(t)
	for range 2 { // the second time from the cache
		sig, err := w.JSSDK.Sign(t.Context(), "https://example.org/m/?a=1#/pages/dues/index")
		if err != nil {
			t.Fatal(err)
		}
		sum := sha1.Sum(fmt.Appendf(nil, "jsapi_ticket=sandbox-jsapi-ticket&noncestr=%s&timestamp=%d&url=https://example.org/m/?a=1", sig.NonceStr, sig.Timestamp))
		if sig.AppID != sim.OfficialAppID || sig.Signature != hex.EncodeToString(sum[:]) {
			t.Errorf("signature %+v", sig)
		}
	}
	w.sim.ExpireTokens()
	w.redis.FlushAll()
	w.sim.Fail("ticket", "48001", 1)
	_, err := w.JSSDK.Sign(t.Context(), "https://example.org/m/")
	want(t, err, "48001", wechat.KindConfig)
}
