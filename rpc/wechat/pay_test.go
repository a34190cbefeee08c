package wechat_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

// order is one of 12.34 yuan by a new user.
func (w *world) order(no string) (wechat.PayOrder, sim.User) {
	u := w.sim.CreateUser("小王", "13800000001")
	return wechat.PayOrder{OutTradeNo: no, Description: "党费 2026-07", AmountFen: 1234,
		OpenID: w.sim.OpenID(u.ID, sim.OfficialAppID), ExpireAt: w.clock.Now().Add(time.Hour)}, u
}

// pay places an order and approves it; the notice waits for Deliver.
func (w *world) pay(t *testing.T, no string) wechat.PayOrder {
	t.Helper()
	o, _ := w.order(no)
	params, err := w.Pay.PrepayJSAPI(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.sim.Approve(params.Package, ""); err != nil {
		t.Fatal(err)
	}
	return o
}

type view struct {
	OutTradeNo, PrepayID, State, UserID, Error string
	AmountFen                                  int64
}

func TestPayJSAPI(t *testing.T) {
	t.Run("order, pay sheet, approval, notice, query", func(t *testing.T) {
		w := newWorld(t)
		o, u := w.order("DF2026070001")
		params, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if params.AppID != sim.OfficialAppID || params.SignType != "RSA" || !strings.HasPrefix(params.Package, "prepay_id=") {
			t.Errorf("params %+v", params)
		}
		if tx, err := w.Pay.Query(t.Context(), o.OutTradeNo); err != nil || tx.TradeState != wechat.TradeNotPaid || !tx.SuccessAt.IsZero() {
			t.Errorf("before: %+v, %v", tx, err)
		}
		var opened, approved view
		if status := w.control(t, "POST", "payments/open", params, &opened); status != http.StatusOK || opened.AmountFen != 1234 || opened.UserID != u.ID {
			t.Fatalf("pay sheet: %d %+v", status, opened)
		}
		if status := w.control(t, "POST", "payments/"+opened.PrepayID+"/approve", nil, &approved); status != http.StatusOK || approved.State != "SUCCESS" {
			t.Fatalf("approve: %d %+v", status, approved)
		}
		if n := w.sim.Deliver(t.Context()); n != 1 {
			t.Fatalf("%d notices, want 1", n)
		}
		got := w.taken()
		if len(got) != 1 || got[0].err != nil {
			t.Fatalf("notices %+v", got)
		}
		n := got[0].notice
		if n.EventType != wechat.EventPaid || n.ID == "" || n.OutTradeNo != o.OutTradeNo || n.AmountFen != 1234 || n.OpenID != o.OpenID ||
			n.MchID != sim.MchID || n.AppID != sim.OfficialAppID || n.TransactionID == "" || n.SuccessAt.Sub(w.clock.Now()).Abs() > time.Minute {
			t.Errorf("notice %+v", n)
		}
		tx, err := w.Pay.Query(t.Context(), o.OutTradeNo)
		if err != nil || tx != n.Transaction {
			t.Errorf("query %+v, %v; notice %+v", tx, err, n.Transaction)
		}
		if status := w.control(t, "POST", "payments/open", params, &opened); status != http.StatusConflict {
			t.Errorf("paying again: %d", status)
		}
	})

	t.Run("the pay sheet refuses a changed package", func(t *testing.T) {
		w := newWorld(t)
		first, _ := w.order("DF2026070001")
		params, err := w.Pay.PrepayJSAPI(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		params.Package += "x"
		var v view
		if status := w.control(t, "POST", "payments/open", params, &v); status != http.StatusBadRequest {
			t.Errorf("%d %+v", status, v)
		}
	})

	t.Run("by the mini-program's appid", func(t *testing.T) {
		w := newWorld(t)
		o, u := w.order("DF2026070001")
		o.AppID = sim.MiniAppID
		_, err := w.Pay.PrepayJSAPI(t.Context(), o) // still the official account's openid
		want(t, err, "PARAM_ERROR", wechat.KindConfig)
		o.OpenID = w.sim.OpenID(u.ID, sim.MiniAppID)
		params, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil || params.AppID != sim.MiniAppID {
			t.Fatal(params, err)
		}
		if err := w.sim.Approve(params.Package, u.ID); err != nil {
			t.Fatal(err)
		}
		w.sim.Deliver(t.Context())
		if got := w.taken(); len(got) != 1 || got[0].err != nil || got[0].notice.AppID != sim.MiniAppID {
			t.Errorf("%+v", got)
		}
	})

	t.Run("the same order again is the same prepay", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		first, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil || again.Package != first.Package {
			t.Errorf("%s, want %s: %v", again.Package, first.Package, err)
		}
		o.AmountFen++
		_, err = w.Pay.PrepayJSAPI(t.Context(), o)
		want(t, err, "OUT_TRADE_NO_USED", wechat.KindUser)
	})

	t.Run("refused orders", func(t *testing.T) {
		w := newWorld(t)
		good, _ := w.order("DF2026070001")
		for name, change := range map[string]func(*wechat.PayOrder){
			"amount":      func(o *wechat.PayOrder) { o.AmountFen = 0 },
			"number":      func(o *wechat.PayOrder) { o.OutTradeNo = "1" },
			"description": func(o *wechat.PayOrder) { o.Description = strings.Repeat("长", 43) },
			"openid":      func(o *wechat.PayOrder) { o.OpenID = "o-of-nobody" },
			"expired":     func(o *wechat.PayOrder) { o.ExpireAt = w.clock.Now().Add(-time.Second) },
		} {
			t.Run(name, func(t *testing.T) {
				o := good
				change(&o)
				_, err := w.Pay.PrepayJSAPI(t.Context(), o)
				want(t, err, "PARAM_ERROR", wechat.KindConfig)
			})
		}
		o := good
		o.AppID = "wx0000000000000000"
		_, err := w.Pay.PrepayJSAPI(t.Context(), o)
		want(t, err, "APPID_MCHID_NOT_MATCH", wechat.KindConfig)
	})

	t.Run("two phones pay at once: one succeeds", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		params, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		var paid atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if w.sim.Approve(params.Package, "") == nil {
					paid.Add(1)
				}
			})
		}
		wg.Wait()
		w.sim.Deliver(t.Context())
		if got := w.taken(); paid.Load() != 1 || len(got) != 1 {
			t.Errorf("paid %d times, %d notices", paid.Load(), len(got))
		}
	})

	t.Run("the notice may come before the answer", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		w.sim.Fail("prepay", "paid", 1)
		if _, err := w.Pay.PrepayJSAPI(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if got := w.taken(); len(got) != 1 || got[0].notice.OutTradeNo != o.OutTradeNo {
			t.Errorf("%+v", got)
		}
	})

	t.Run("time_expire follows the product's clock, signatures the machine's", func(t *testing.T) {
		w := newWorld(t)
		w.advance(30 * 24 * time.Hour)
		o, _ := w.order("DF2026070001")
		params, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		w.advance(time.Hour)
		if err := w.sim.Approve(params.Package, ""); err == nil {
			t.Error("paid after its time")
		}
		if tx, err := w.Pay.Query(t.Context(), o.OutTradeNo); err != nil || tx.TradeState != wechat.TradeClosed {
			t.Errorf("%+v, %v", tx, err)
		}
		w.pay(t, "DF2026070002")
		w.sim.Deliver(t.Context())
		if got := w.taken(); len(got) != 1 || got[0].err != nil {
			t.Errorf("notice under a moved clock: %+v", got)
		}
	})
}

func TestPayNative(t *testing.T) {
	w := newWorld(t)
	o, u := w.order("DF2026070001")
	o.OpenID = ""
	codeURL, err := w.Pay.PrepayNative(t.Context(), o)
	if err != nil || !strings.HasPrefix(codeURL, "weixin://wxpay/") {
		t.Fatal(codeURL, err)
	}
	var v view
	if status := w.control(t, "POST", "native/scan", map[string]string{"codeUrl": codeURL, "userId": u.ID}, &v); status != http.StatusOK || v.AmountFen != 1234 {
		t.Fatalf("%d %+v", status, v)
	}
	if status := w.control(t, "POST", "payments/"+v.OutTradeNo+"/approve", nil, &v); status != http.StatusConflict {
		t.Errorf("approved by nobody: %d", status)
	}
	if status := w.control(t, "POST", "payments/"+v.OutTradeNo+"/approve", map[string]string{"userId": u.ID}, &v); status != http.StatusOK {
		t.Fatalf("%d %+v", status, v)
	}
	w.sim.Deliver(t.Context())
	if got := w.taken(); len(got) != 1 || got[0].err != nil || got[0].notice.OpenID != w.sim.OpenID(u.ID, sim.OfficialAppID) {
		t.Errorf("%+v", got)
	}
}

func TestPayQueryCloseRefund(t *testing.T) {
	t.Run("an order WeChat never saw", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.Pay.Query(t.Context(), "DF2026079999")
		want(t, err, wechat.CodeOrderNotExist, wechat.KindUser)
	})

	t.Run("close, twice", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		params, err := w.Pay.PrepayJSAPI(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Pay.Close(t.Context(), o.OutTradeNo); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.sim.Approve(params.Package, ""); err == nil {
			t.Error("paid after it was closed")
		}
		_, err = w.Pay.PrepayJSAPI(t.Context(), o)
		want(t, err, wechat.CodeOrderClosed, wechat.KindUser)
	})

	t.Run("close comes too late", func(t *testing.T) {
		w := newWorld(t)
		o := w.pay(t, "DF2026070001")
		err := w.Pay.Close(t.Context(), o.OutTradeNo)
		want(t, err, wechat.CodeOrderPaid, wechat.KindUser)
		_, err = w.Pay.PrepayJSAPI(t.Context(), o)
		want(t, err, wechat.CodeOrderPaid, wechat.KindUser)
	})

	t.Run("refund, repeated and too much", func(t *testing.T) {
		w := newWorld(t)
		o := w.pay(t, "DF2026070001")
		r := wechat.RefundOrder{OutTradeNo: o.OutTradeNo, OutRefundNo: "TK2026070001", Reason: "重复缴纳", RefundFen: 1000, TotalFen: 1234}
		first, err := w.Pay.Refund(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if first.Status != wechat.RefundSuccess || first.RefundFen != 1000 || first.RefundID == "" || first.SuccessAt.IsZero() {
			t.Errorf("refund %+v", first)
		}
		if again, err := w.Pay.Refund(t.Context(), r); err != nil || again != first {
			t.Errorf("again %+v, %v", again, err)
		}
		r.OutRefundNo = "TK2026070002"
		_, err = w.Pay.Refund(t.Context(), r)
		want(t, err, "INVALID_REQUEST", wechat.KindConfig)
		if tx, err := w.Pay.Query(t.Context(), o.OutTradeNo); err != nil || tx.TradeState != wechat.TradeRefund {
			t.Errorf("%+v, %v", tx, err)
		}
	})
}

func TestPayAnswers(t *testing.T) {
	t.Run("an answer signed by somebody else is not believed", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		w.sim.Fail("prepay", "unsigned", 1)
		_, err := w.Pay.PrepayJSAPI(t.Context(), o)
		want(t, err, "", wechat.KindUnknown)
		if !errors.Is(err, wechat.ErrSignature) {
			t.Error(err)
		}
		w.sim.Fail("query", "unsigned", 2)
		if _, err = w.Pay.Query(t.Context(), o.OutTradeNo); !errors.Is(err, wechat.ErrSignature) {
			t.Error(err)
		}
		if _, err = w.Pay.Query(t.Context(), "DF2026079999"); !errors.Is(err, wechat.ErrSignature) {
			t.Errorf("a forged ORDER_NOT_EXIST: %v", err)
		}
		w.sim.Fail("close", "unsigned", 1) // 204 has no body, and is signed all the same
		if err = w.Pay.Close(t.Context(), o.OutTradeNo); !errors.Is(err, wechat.ErrSignature) {
			t.Error(err)
		}
	})

	t.Run("codes and kinds", func(t *testing.T) {
		w := newWorld(t)
		o := w.pay(t, "DF2026070001")
		for code, kind := range map[string]wechat.Kind{
			"SYSTEM_ERROR": wechat.KindUnknown, "FREQUENCY_LIMITED": wechat.KindRetryable, "SIGN_ERROR": wechat.KindConfig, "NO_AUTH": wechat.KindConfig,
		} {
			w.sim.Fail("query", code, 1)
			_, err := w.Pay.Query(t.Context(), o.OutTradeNo)
			want(t, err, code, kind)
		}
	})

	t.Run("another merchant's key", func(t *testing.T) {
		w := newWorld(t)
		other, err := sim.NewKeys()
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := sim.New(sim.Options{Keys: other})
		if err != nil {
			t.Fatal(err)
		}
		cfg := w.cfg
		cfg.MchKeyPEM = foreign.Config("http://127.0.0.1", "http://127.0.0.1").MchKeyPEM
		_, err = w.open(t, cfg).Pay.Query(t.Context(), "DF2026070001")
		want(t, err, "SIGN_ERROR", wechat.KindConfig)
	})

	t.Run("no answer in time", func(t *testing.T) {
		w := newWorld(t)
		o, _ := w.order("DF2026070001")
		w.sim.Fail("prepay", "timeout", 1)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := w.Pay.PrepayJSAPI(ctx, o)
		want(t, err, "", wechat.KindUnknown)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})

	t.Run("unreachable had no effect", func(t *testing.T) {
		w := newWorld(t)
		w.server.Close()
		_, err := w.Pay.Query(t.Context(), "DF2026070001")
		want(t, err, "", wechat.KindRetryable)
	})

	t.Run("not configured", func(t *testing.T) {
		w := newWorld(t)
		cfg := w.cfg
		cfg.MchID, cfg.MchSerial, cfg.MchKeyPEM, cfg.APIv3Key, cfg.PayPublicKeyID, cfg.PayPublicKeyPEM, cfg.NotifyURL = "", "", "", "", "", "", ""
		client := w.open(t, cfg)
		_, err := client.Pay.Query(t.Context(), "DF2026070001")
		want(t, err, "", wechat.KindConfig)
		_, err = client.Notify.Parse(t.Context(), http.Header{}, nil)
		want(t, err, "", wechat.KindConfig)
	})
}

func TestBill(t *testing.T) {
	w := newWorld(t)
	start := w.clock.Now()
	o := w.pay(t, "DF2026070001")
	w.pay(t, "DF2026070002")
	unpaid, _ := w.order("DF2026070003")
	if _, err := w.Pay.PrepayJSAPI(t.Context(), unpaid); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Pay.Refund(t.Context(), wechat.RefundOrder{OutTradeNo: o.OutTradeNo, OutRefundNo: "TK2026070001", RefundFen: 234, TotalFen: 1234}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Pay.Bill(t.Context(), start)
	want(t, err, "date", wechat.KindUser)

	day := time.Duration(24-start.Hour()) * time.Hour
	w.advance(day) // the next day, before 10:00
	_, err = w.Pay.Bill(t.Context(), start)
	want(t, err, "STATEMENT_CREATING", wechat.KindRetryable)

	w.advance(11 * time.Hour)
	lines, err := w.Pay.Bill(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	var paid, refunded int64
	for _, l := range lines {
		switch l.TradeState {
		case wechat.TradeSuccess:
			paid += l.AmountFen
		case wechat.TradeRefund:
			refunded += l.RefundFen
			if l.OutRefundNo != "TK2026070001" || l.RefundID == "" || l.OutTradeNo != o.OutTradeNo {
				t.Errorf("refund line %+v", l)
			}
		}
	}
	if len(lines) != 3 || paid != 2468 || refunded != 234 {
		t.Errorf("%d lines, paid %d, refunded %d: %+v", len(lines), paid, refunded, lines)
	}
	if l := lines[0]; l.MchID != sim.MchID || l.AppID != sim.OfficialAppID || l.TransactionID == "" || l.TradeType != "JSAPI" ||
		l.OpenID != o.OpenID || l.At.Sub(start).Abs() > time.Minute {
		t.Errorf("line %+v", l)
	}

	if lines, err := w.Pay.Bill(t.Context(), start.AddDate(0, 0, -3)); err != nil || len(lines) != 0 {
		t.Errorf("a day without trades: %v, %v", lines, err)
	}
	w.sim.Fail("billfile", "short", 1)
	if _, err := w.Pay.Bill(t.Context(), start); !errors.Is(err, wechat.ErrSignature) {
		t.Errorf("a file that does not match its SHA-1: %v", err)
	}
}
