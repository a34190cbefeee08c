package dues_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/dues"
	"zhihuidangjian/rpc/kit"
)

// clerk is another admin of b1.
func clerk(name string) context.Context {
	return kit.WithCaller(context.Background(), kit.Caller{
		Kind: kit.User, UserID: name, Name: name, OrgID: "b1", Orgs: []string{"root", "b1"}, Permissions: []string{"*"},
	})
}

// TestCashConfirm is trust.md, Money 6, switched on by CASH_CONFIRM.
func TestCashConfirm(t *testing.T) {
	entered := func(t *testing.T) (*world, *gen.Order) {
		w := newWorld(t, func(d *dues.Deps) { d.CashConfirm = true })
		w.base("m1", "2024-01", 500_000)
		o := w.order("m1", "2024-06")
		got, err := w.PayCash(clerk("甲"), &gen.OrderReq{Id: o.Id})
		w.ok(err)
		equal(t, "status", got.Status, "unpaid")
		equal(t, "cash of", got.CashBy, "甲")
		return w, o
	}
	row := func(w *world, ctx context.Context, id string) map[string]any {
		r, err := w.Get(ctx, &recordsgen.IDReq{Type: "duesOrder", Id: id})
		w.ok(err)
		var v map[string]any
		w.ok(json.Unmarshal(r.Json, &v))
		return v
	}
	t.Run("cash entered by one counts when another confirms it, and not before", func(t *testing.T) {
		w, o := entered(t)
		equal(t, "ledger", w.ledger(), 0)
		equal(t, "months", w.count("duesMonths", nil), 0)
		equal(t, "events", w.count("duesOrders", bson.D{{Key: "pending.kind", Value: model.EventEarned}}), 0)
		again, err := w.PayCash(clerk("甲"), &gen.OrderReq{Id: o.Id})
		w.ok(err)
		equal(t, "entered once", len(again.Actions), 1) // reject
		equal(t, "A's action", again.Actions[0], "reject")
		err = w.act(clerk("甲"), o.Id, "confirm", "")
		refused(t, err, "现金须由经办人以外的人确认")
		err = w.act(admin("b2"), o.Id, "confirm", "")
		refused(t, err, kit.ErrNotFound.Message)
		if r := row(w, clerk("乙"), o.Id); r["cashBy"] != "甲" || !slices.Contains(r["_actions"].([]any), any("confirm")) {
			t.Errorf("B's row %v", r)
		}
		if r := row(w, clerk("甲"), o.Id); slices.Contains(r["_actions"].([]any), any("confirm")) {
			t.Errorf("A's row %v", r)
		}
		w.at("2024-06-15 18:00")
		w.ok(w.act(clerk("乙"), o.Id, "confirm", ""))
		paid := w.get(o.Id)
		if paid.Status != "paid" || paid.Operator != "甲" || paid.ConfirmedBy != "乙" || paid.PayMethod != "cash" || paid.CashBy != "" {
			t.Errorf("%+v", paid)
		}
		equal(t, "ledger", w.ledger(), 150_00)
		equal(t, "paid through", w.party.through("m1"), "2024-06")
		err = w.act(clerk("乙"), o.Id, "confirm", "")
		w.ok(err) // the same again
		err = w.act(clerk("丙"), o.Id, "confirm", "")
		refused(t, err, "订单已支付")
		equal(t, "ledger", w.ledger(), 150_00)
		// The points follow the time at which he handed it in.
		var doc model.DuesOrder
		w.ok(w.db.Collection("duesOrders").FindOne(t.Context(), bson.D{{Key: "_id", Value: o.Id}}).Decode(&doc))
		earned := payload[model.Earned](t, doc.Pending, model.EventEarned)
		if earned.At.In(kit.Shanghai).Format("15:04") != "12:00" || doc.PaidAt.In(kit.Shanghai).Format("15:04") != "18:00" {
			t.Errorf("earned %v, paid %v", earned.At, doc.PaidAt)
		}
	})
	t.Run("while cash waits, nothing else happens to the order", func(t *testing.T) {
		w, o := entered(t)
		const waits = "该订单的现金正在等待确认"
		_, err := w.PayCash(clerk("乙"), &gen.OrderReq{Id: o.Id})
		refused(t, err, waits)
		_, err = w.PayNative(clerk("乙"), &gen.OrderReq{Id: o.Id})
		refused(t, err, waits)
		_, err = w.payMine("oa", "2024-06", "k")
		refused(t, err, waits)
		_, err = w.payMine("oa", "2024-05", "k2") // would replace it
		refused(t, err, waits)
		err = w.act(clerk("乙"), o.Id, "delete", "")
		refused(t, err, waits)
		w.at("2024-06-17 09:00") // its day is over
		_, err = w.ExpireOrders(system, &recordsgen.Empty{})
		w.ok(err)
		w.status(o.Id, "unpaid")
		_, err = w.CreateOrder(clerk("乙"), &gen.CreateOrderReq{MemberId: "m1", ToMonth: "2024-06"})
		refused(t, err, waits)
		err = w.act(clerk("乙"), o.Id, "confirm", "")
		w.ok(err)
		w.status(o.Id, "paid")
	})
	t.Run("cash that is not there is sent back, with a reason that stays", func(t *testing.T) {
		w, o := entered(t)
		err := w.act(clerk("乙"), o.Id, "reject", " ")
		refused(t, err, "请填写驳回原因")
		w.ok(w.act(clerk("乙"), o.Id, "reject", "少10元"))
		equal(t, "status", w.get(o.Id).Status, "unpaid")
		err = w.act(clerk("乙"), o.Id, "confirm", "")
		refused(t, err, "没有待确认的现金")
		_, err = w.PayCash(clerk("甲"), &gen.OrderReq{Id: o.Id})
		w.ok(err)
		err = w.act(clerk("丙"), o.Id, "confirm", "")
		w.ok(err)
		var doc model.DuesOrder
		w.ok(w.db.Collection("duesOrders").FindOne(t.Context(), bson.D{{Key: "_id", Value: o.Id}}).Decode(&doc))
		if len(doc.Cash) != 2 || !doc.Cash[0].Rejected || doc.Cash[0].Reason != "少10元" || doc.Cash[0].DecidedBy != "乙" || doc.Cash[1].Rejected || doc.Cash[1].DecidedBy != "丙" {
			t.Errorf("history %+v", doc.Cash)
		}
		equal(t, "ledger", w.ledger(), 150_00)
	})
	t.Run("two who confirm at once, and one who rejects, decide once", func(t *testing.T) {
		w, o := entered(t)
		var wg sync.WaitGroup
		for i := range 6 {
			name := string(rune('a' + i))
			wg.Go(func() { _ = w.act(clerk(name), o.Id, "confirm", "") }) // losing is fine
		}
		wg.Go(func() { _ = w.act(clerk("z"), o.Id, "reject", "x") })
		wg.Wait()
		switch got := w.get(o.Id); {
		case got.Status == "paid" && w.ledger() == 150_00 && w.count("duesMonths", nil) == 3:
		case got.Status == "unpaid" && w.ledger() == 0:
		default:
			t.Errorf("%s, ledger %d", got.Status, w.ledger())
		}
	})
	t.Run("by default cash counts in one step, as in the manual", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.order("m1", "2024-06")
		equal(t, "status", w.cash(o.Id).Status, "paid")
		err := w.act(clerk("乙"), o.Id, "confirm", "")
		refused(t, err, "订单已支付")
	})
}
