package wechat_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

func TestNotify(t *testing.T) {
	// each sends one kind of notice about a paid order and returns what came.
	each := func(t *testing.T, mode string) []received {
		w := newWorld(t)
		o := w.pay(t, "DF2026070001")
		if _, err := w.sim.Notify(t.Context(), o.OutTradeNo, mode, ""); err != nil {
			t.Fatal(err)
		}
		got := w.taken()
		if len(got) == 0 {
			t.Fatal("nothing came")
		}
		return got
	}

	for _, mode := range []string{"forged", "badSignature", "signTest", "wrongSerial", "badNonce", "stale"} {
		t.Run(mode+" is not believed", func(t *testing.T) {
			for _, r := range each(t, mode) {
				if !errors.Is(r.err, wechat.ErrSignature) || r.notice != (wechat.Notice{}) {
					t.Errorf("notice %+v, error %v", r.notice, r.err)
				}
			}
		})
	}

	t.Run("a refund does not pose as a payment", func(t *testing.T) {
		for _, r := range each(t, "refund") {
			if n := r.notice; r.err != nil || n.Transaction != (wechat.Transaction{}) || n.Refund == nil || n.Refund.Status != wechat.RefundSuccess || n.Refund.OutRefundNo == "" || n.Refund.RefundFen != 1234 {
				t.Errorf("notice %+v, error %v", r.notice, r.err)
			}
		}
	})

	t.Run("another amount is genuine and left to the caller", func(t *testing.T) {
		if r := each(t, "otherAmount")[0]; r.err != nil || r.notice.AmountFen != 1235 {
			t.Errorf("notice %+v, error %v", r.notice, r.err)
		}
	})

	t.Run("another order is genuine and left to the caller", func(t *testing.T) {
		if r := each(t, "otherOrder")[0]; r.err != nil || r.notice.OutTradeNo == "DF2026070001" {
			t.Errorf("notice %+v, error %v", r.notice, r.err)
		}
	})

	t.Run("duplicates have one id and other bytes", func(t *testing.T) {
		got := each(t, "duplicate")
		if len(got) != 2 || got[0].err != nil || got[1].err != nil || got[0].notice != got[1].notice || bytes.Equal(got[0].body, got[1].body) {
			t.Errorf("%+v", got)
		}
	})

	t.Run("for a foreign merchant or appid", func(t *testing.T) {
		w := newWorld(t)
		o := w.pay(t, "DF2026070001")
		cfg := w.cfg
		cfg.AppID, cfg.MiniAppID = "wx0000000000000000", "wx0000000000000001"
		w.Client = w.open(t, cfg)
		if _, err := w.sim.Notify(t.Context(), o.OutTradeNo, "normal", ""); err != nil {
			t.Fatal(err)
		}
		if r := w.taken()[0]; !errors.Is(r.err, wechat.ErrNotPayment) {
			t.Errorf("appid: %v", r.err)
		}
		cfg = w.cfg
		cfg.MchID = "1900000009"
		w.Client = w.open(t, cfg)
		if _, err := w.sim.Notify(t.Context(), o.OutTradeNo, "normal", ""); err != nil {
			t.Fatal(err)
		}
		if r := w.taken()[0]; !errors.Is(r.err, wechat.ErrNotPayment) {
			t.Errorf("mchid: %v", r.err)
		}
	})

	t.Run("any change of body or headers", func(t *testing.T) {
		w := newWorld(t)
		o := w.pay(t, "DF2026070001")
		if _, err := w.sim.Notify(t.Context(), o.OutTradeNo, "normal", ""); err != nil {
			t.Fatal(err)
		}
		genuine := w.taken()[0]
		if genuine.err != nil {
			t.Fatal(genuine.err)
		}
		for name, change := range map[string]func(h http.Header, body []byte) []byte{
			"body":           func(_ http.Header, b []byte) []byte { return bytes.Replace(b, []byte("encrypt"), []byte("Encrypt"), 1) },
			"no signature":   func(h http.Header, b []byte) []byte { h.Del("Wechatpay-Signature"); return b },
			"no serial":      func(h http.Header, b []byte) []byte { h.Del("Wechatpay-Serial"); return b },
			"no timestamp":   func(h http.Header, b []byte) []byte { h.Del("Wechatpay-Timestamp"); return b },
			"nonce":          func(h http.Header, b []byte) []byte { h.Set("Wechatpay-Nonce", "other"); return b },
			"signature type": func(h http.Header, b []byte) []byte { h.Set("Wechatpay-Signature-Type", "NONE"); return b },
			"empty":          func(http.Header, []byte) []byte { return nil },
			"no resource":    func(http.Header, []byte) []byte { return []byte(`{"id":"1"}`) },
			"huge":           func(http.Header, []byte) []byte { return bytes.Repeat([]byte(" "), wechat.MaxNotice+1) },
		} {
			header := genuine.header.Clone()
			body := change(header, slices.Clone(genuine.body))
			if n, err := w.Notify.Parse(t.Context(), header, body); !errors.Is(err, wechat.ErrSignature) || n != (wechat.Notice{}) {
				t.Errorf("%s: %+v, %v", name, n, err)
			}
		}
		if n, err := w.Notify.Parse(t.Context(), genuine.header, genuine.body); err != nil || n.ID != genuine.notice.ID {
			t.Errorf("a replay within five minutes keeps its id, for the caller to drop: %+v, %v", n, err)
		}
	})
}

func TestNotifySchedule(t *testing.T) {
	t.Run("tries again on WeChat's schedule, then gives up", func(t *testing.T) {
		w := newWorld(t)
		w.refuse.Store(true)
		w.pay(t, "DF2026070001")
		w.sim.Deliver(t.Context())
		ids := map[string]bool{}
		total := time.Duration(0)
		for i, wait := range sim.Schedule {
			got := w.taken()
			if len(got) != 1 {
				t.Fatalf("attempt %d: %d notices", i+1, len(got))
			}
			ids[got[0].notice.ID] = true
			w.advance(wait - 2*time.Second)
			if n := w.sim.Deliver(t.Context()); n != 0 {
				t.Fatalf("attempt %d came too early", i+2)
			}
			w.advance(2 * time.Second)
			w.sim.Deliver(t.Context())
			total += wait
		}
		if got := w.taken(); len(got) != 1 || len(ids) != 1 {
			t.Errorf("last attempt: %d notices; ids %v", len(got), ids)
		}
		if total != 24*time.Hour+4*time.Minute {
			t.Errorf("gives up after %s", total)
		}
		w.advance(7 * 24 * time.Hour)
		if n := w.sim.Deliver(t.Context()); n != 0 {
			t.Errorf("%d notices after WeChat gave up", n)
		}
	})

	t.Run("accepted once, no more", func(t *testing.T) {
		w := newWorld(t)
		w.pay(t, "DF2026070001")
		w.sim.Deliver(t.Context())
		w.advance(24 * time.Hour)
		w.sim.Deliver(t.Context())
		if n := len(w.taken()); n != 1 {
			t.Errorf("%d notices", n)
		}
	})

	t.Run("late", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		params, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.sim.Notify(t.Context(), o.OutTradeNo, "late", ""); err != nil {
			t.Fatal(err)
		}
		if err := w.sim.Approve(params.Package, ""); err != nil {
			t.Fatal(err)
		}
		w.advance(23 * time.Hour)
		if n := w.sim.Deliver(t.Context()); n != 0 {
			t.Error("not late at all")
		}
		w.advance(time.Hour)
		w.sim.Deliver(t.Context())
		if got := w.taken(); len(got) != 1 || got[0].err != nil || w.clock.Now().Sub(got[0].notice.SuccessAt) < 23*time.Hour {
			t.Errorf("%+v", got)
		}
	})

	t.Run("withheld: only a query tells", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		params, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.sim.Notify(t.Context(), o.OutTradeNo, "withheld", ""); err != nil {
			t.Fatal(err)
		}
		if err := w.sim.Approve(params.Package, ""); err != nil {
			t.Fatal(err)
		}
		w.advance(48 * time.Hour)
		if n := w.sim.Deliver(t.Context()); n != 0 {
			t.Error("a notice came")
		}
		if tx, err := w.Pay.Query(t.Context(), o.OutTradeNo); err != nil || tx.TradeState != wechat.TradeSuccess {
			t.Errorf("%+v, %v", tx, err)
		}
	})
}

// FuzzNotify feeds the parser bodies under a genuine notice's headers and the
// like: it must neither panic nor believe.
func FuzzNotify(f *testing.F) {
	s, err := sim.New(sim.Options{Keys: keys()})
	if err != nil {
		f.Fatal(err)
	}
	client, err := wechat.New(s.Config("http://127.0.0.1:1", "http://127.0.0.1:1"), nil, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"id":"1","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"123456789012","ciphertext":"AAAA"}}`), "1", sim.PayPublicKeyID, "AAAA")
	f.Add([]byte(`{"resource":{"nonce":"1234567890123456"}}`), "99999999999999999999", "", "WECHATPAY/SIGNTEST/AAAA")
	f.Add([]byte("[]"), "", "x", "=")
	f.Fuzz(func(t *testing.T, body []byte, stamp, serial, signature string) {
		header := http.Header{"Wechatpay-Timestamp": {stamp}, "Wechatpay-Nonce": {"n"}, "Wechatpay-Serial": {serial}, "Wechatpay-Signature": {signature}}
		n, err := client.Notify.Parse(t.Context(), header, body)
		if !errors.Is(err, wechat.ErrSignature) || n != (wechat.Notice{}) {
			t.Fatalf("%+v, %v", n, err)
		}
		if strings.Contains(err.Error(), "panic") {
			t.Fatal(err)
		}
	})
}
