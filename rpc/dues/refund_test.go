package dues_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// do runs an action of an order with values.
func (w *world) do(ctx context.Context, id, verb string, values map[string]string) error {
	w.Helper()
	b, err := json.Marshal(values)
	w.ok(err)
	_, err = w.Act(ctx, &recordsgen.ActReq{Type: "duesOrder", Id: id, Action: verb, Json: b})
	return err
}

// TestRefund is PLUS-10: money goes back to WeChat by two persons.
func TestRefund(t *testing.T) {
	begin := func(t *testing.T) (*world, *gen.Order) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.reconcile("2024-06-14")
		return w, w.paidByPhone("2024-06") // April to June, 50 yuan each
	}
	ask := func(w *world, id, from string) error {
		return w.do(clerk("甲"), id, "refund", map[string]string{"fromMonth": from, "reason": "重复缴纳"})
	}
	// returnsOf is what WeChat has given back.
	returnsOf := func(w *world) int64 { return w.count("duesRefunds", bson.D{{Key: "state", Value: "done"}}) }

	t.Run("PLUS-10 A asks, B confirms, WeChat is asked once; months and 缴纳至 go back, the books know it", func(t *testing.T) {
		w, o := begin(t)
		refused(t, w.do(clerk("甲"), o.Id, "refund", nil), "请填写退款原因")
		refused(t, ask(w, o.Id, "2024-03"), "应为该订单2024-04至2024-06中的月份")
		refused(t, w.do(admin("b2"), o.Id, "refund", map[string]string{"reason": "x"}), kit.ErrNotFound.Message)
		w.ok(ask(w, o.Id, ""))
		refused(t, ask(w, o.Id, ""), "该党员有正在办理的退款，请先办结")
		refused(t, w.do(clerk("甲"), o.Id, "confirmRefund", nil), "退款须由经办人以外的人确认")
		refused(t, w.do(admin("b2"), o.Id, "confirmRefund", nil), kit.ErrNotFound.Message)
		// Nothing has moved, and what comes next cannot be entered on months that may come back.
		w.status(o.Id, "paid")
		equal(t, "ledger", w.ledger(), 150_00)
		_, err := w.payMine("oa", "2024-07", "next")
		refused(t, err, "该党员有正在办理的退款，请先办结")
		equal(t, "asked at WeChat", w.count("duesRefunds", nil), 0)
		w.ok(w.do(clerk("乙"), o.Id, "confirmRefund", nil))
		w.ok(w.do(clerk("乙"), o.Id, "confirmRefund", nil)) // a double click
		got := w.get(o.Id)
		if got.Status != "refunded" || got.Refunded != 150_00 || len(got.Refunds) != 1 || got.Refunds[0].State != "done" || got.Refunds[0].By != "甲" || got.Refunds[0].DecidedBy != "乙" {
			t.Fatalf("%+v", got)
		}
		equal(t, "ledger", w.ledger(), 0)
		equal(t, "months", w.count("duesMonths", nil), 0)
		equal(t, "paid through", w.party.through("m1"), "2024-03")
		equal(t, "refunds", returnsOf(w), 1)
		w.sim.Deliver(t.Context()) // the notice of it, and again
		_, err = w.QueryWaiting(system, &recordsgen.Empty{})
		w.ok(err)
		equal(t, "refunds", w.count("duesRefunds", nil), 1)
		equal(t, "lines", w.count("duesLedger", nil), 6)
		refused(t, ask(w, o.Id, ""), "订单已退款")
		// The points that it earned go, and the payer hears of it.
		var doc model.DuesOrder
		w.ok(w.db.Collection("duesOrders").FindOne(t.Context(), bson.D{{Key: "_id", Value: o.Id}}).Decode(&doc))
		payload[model.Unearned](t, doc.Pending, model.EventUnearned)
		// He pays again, and the day's bill agrees: two payments, a refund.
		again := w.paidByPhone("2024-05")
		equal(t, "paid again", again.FromMonth+" "+again.ToMonth, "2024-04 2024-05")
		equal(t, "ledger", w.ledger(), 100_00)
		w.at("2024-06-16 11:00")
		r := w.reconcile("2024-06-15")
		if r.State != "matched" || r.TheirCount != 2 || r.RefundCount != 1 || r.RefundAmount != 150_00 {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("PLUS-10 from a month on: the months before it stay paid", func(t *testing.T) {
		w, o := begin(t)
		w.ok(ask(w, o.Id, "2024-05"))
		w.ok(w.do(clerk("乙"), o.Id, "confirmRefund", nil))
		got := w.get(o.Id)
		if got.Status != "paid" || got.ToMonth != "2024-04" || got.Amount != 150_00 || got.Refunded != 100_00 {
			t.Fatalf("%+v", got)
		}
		equal(t, "ledger", w.ledger(), 50_00)
		equal(t, "paid through", w.party.through("m1"), "2024-04")
		next := w.paidByPhone("2024-05")
		equal(t, "next", next.FromMonth, "2024-05")
		// What was given back is not given back again; a later order goes first.
		refused(t, ask(w, o.Id, ""), "请先删除之后月份的订单")
		w.ok(ask(w, next.Id, ""))
		w.ok(w.do(clerk("乙"), next.Id, "confirmRefund", nil))
		refused(t, ask(w, o.Id, "2024-05"), "应为该订单2024-04至2024-04中的月份")
		w.ok(ask(w, o.Id, ""))
		w.ok(w.do(clerk("乙"), o.Id, "confirmRefund", nil))
		got = w.get(o.Id)
		if got.Status != "refunded" || got.Refunded != 150_00 || len(got.Refunds) != 2 {
			t.Fatalf("%+v", got)
		}
		equal(t, "ledger", w.ledger(), 0)
		equal(t, "paid through", w.party.through("m1"), "2024-03")
		w.at("2024-06-16 11:00")
		r := w.reconcile("2024-06-15")
		if r.State != "matched" || r.RefundCount != 3 || r.RefundAmount != 200_00 {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("PLUS-10 sent back with a reason, the payment stays; cash is not refunded this way", func(t *testing.T) {
		w, o := begin(t)
		w.ok(ask(w, o.Id, ""))
		refused(t, w.do(clerk("乙"), o.Id, "rejectRefund", nil), "请填写驳回原因")
		w.ok(w.do(clerk("乙"), o.Id, "rejectRefund", map[string]string{"reason": "并未重复"}))
		got := w.get(o.Id)
		if got.Status != "paid" || got.Refunds[0].State != "rejected" || got.Refunds[0].Rejected != "并未重复" {
			t.Fatalf("%+v", got)
		}
		refused(t, w.do(clerk("丙"), o.Id, "confirmRefund", nil), "没有待确认的退款")
		cash := w.order("m1", "2024-07")
		w.cash(cash.Id)
		refused(t, ask(w, cash.Id, ""), "现金缴纳的党费请使用“删除”退回")
		refused(t, ask(w, o.Id, ""), "请先删除之后月份的订单")
	})
	t.Run("PLUS-10 WeChat takes its time: its notice settles it, once, and another amount or number does not", func(t *testing.T) {
		w, o := begin(t)
		w.sim.Fail("refund", "processing", 1)
		w.ok(ask(w, o.Id, ""))
		w.ok(w.do(clerk("乙"), o.Id, "confirmRefund", nil))
		equal(t, "state", w.get(o.Id).Refunds[0].State, "confirmed")
		equal(t, "ledger", w.ledger(), 150_00)
		for _, mode := range []string{"refund", "forged"} { // of another refund, and by a liar
			if s := w.notify(o.OrderNo, mode, ""); s[0]/100 != 4 {
				t.Errorf("%s: %v", mode, s)
			}
			w.status(o.Id, "paid")
		}
		w.at("2024-06-15 12:05")
		if n := w.sim.Deliver(t.Context()); n != 1 {
			t.Fatalf("%d notices", n)
		}
		w.status(o.Id, "refunded")
		equal(t, "ledger", w.ledger(), 0)
		equal(t, "refunds", returnsOf(w), 1)
		w.sim.Deliver(t.Context())
		equal(t, "lines", w.count("duesLedger", nil), 6)
	})
	t.Run("PLUS-10 WeChat cannot be reached: it is asked until it answers, for the same refund", func(t *testing.T) {
		w, o := begin(t)
		w.sim.Fail("refund", "http500", 3)
		w.ok(ask(w, o.Id, ""))
		w.ok(w.do(clerk("乙"), o.Id, "confirmRefund", nil))
		w.status(o.Id, "paid")
		for range 4 {
			_, _ = w.QueryWaiting(system, &recordsgen.Empty{}) // fails with WeChat
		}
		w.status(o.Id, "refunded")
		equal(t, "refunds", w.count("duesRefunds", nil), 1)
	})
	t.Run("PLUS-10 killed between any two steps, it is finished once", func(t *testing.T) {
		w, o := begin(t)
		w.ok(ask(w, o.Id, ""))
		w.ok(w.do(clerk("乙"), o.Id, "confirmRefund", nil))
		back := w.refundOf(o.Id)
		for _, undo := range []func(){
			func() { w.change("duesRefunds", back, bson.D{{Key: "state", Value: "pending"}}) },
			func() { w.change("duesOrders", o.Id, bson.D{{Key: "todo", Value: "return"}}) },
			func() {
				w.change("duesRefunds", back, bson.D{{Key: "state", Value: "pending"}})
				w.change("duesOrders", o.Id, bson.D{{Key: "todo", Value: "refund"}, {Key: "refundOpen", Value: "confirmed"}, {Key: "status", Value: "paid"}, {Key: "refunded", Value: 0}, {Key: "refunds.0.doneAt", Value: nil}})
			},
		} {
			undo()
			_, err := w.QueryWaiting(system, &recordsgen.Empty{})
			w.ok(err)
			_, err = w.QueryWaiting(system, &recordsgen.Empty{})
			w.ok(err)
			w.status(o.Id, "refunded")
			equal(t, "refunded", w.get(o.Id).Refunded, 150_00)
			equal(t, "ledger", w.ledger(), 0)
			equal(t, "lines", w.count("duesLedger", nil), 6)
			equal(t, "refunds", w.count("duesRefunds", nil), 1)
		}
	})
	t.Run("PLUS-10 many confirm at once, and one sends it back: one of them has it", func(t *testing.T) {
		w, o := begin(t)
		w.ok(ask(w, o.Id, ""))
		var wait sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wait.Go(func() {
				if i == 0 {
					errs[i] = w.do(clerk("丙"), o.Id, "rejectRefund", map[string]string{"reason": "x"})
					return
				}
				errs[i] = w.do(clerk("乙"+string(rune('a'+i))), o.Id, "confirmRefund", nil)
			})
		}
		wait.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !errors.As(err, new(*kit.Error)) {
				t.Error(err)
			}
		}
		equal(t, "decided", done, 1)
		if got := w.get(o.Id); !slices.Contains([]string{"done", "rejected"}, got.Refunds[0].State) {
			t.Fatalf("%+v", got.Refunds[0])
		}
	})
}
