package dues_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	gen "zhihuidangjian/idl/gen/dues"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

// reconcile runs the worker's turn and returns the report of a day, nil when there is none.
func (w *world) reconcile(day string) *model.DuesReconcile {
	w.Helper()
	if _, err := w.Reconcile(system, &recordsgen.Empty{}); err != nil {
		w.Logf("reconcile: %v", err)
	}
	return w.report(day)
}

func (w *world) report(day string) *model.DuesReconcile {
	w.Helper()
	r := &model.DuesReconcile{}
	err := w.db.Collection("duesReconciles").FindOne(w.Context(), bson.D{{Key: "day", Value: day}}).Decode(r)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	w.ok(err)
	return r
}

// told are the lines of a report that its admins will read.
func (w *world) told(r *model.DuesReconcile) []string {
	w.Helper()
	var lines []string
	for _, e := range r.Pending {
		var p model.Told
		w.ok(json.Unmarshal(e.Payload, &p))
		if p.AdminsOf != model.RootOrg || p.Permission != "duesReconcile.view" || p.TargetID != r.ID {
			w.Errorf("told %+v", p)
		}
		lines = append(lines, p.Content)
	}
	return lines
}

// paidByPhone pays the months of m1 up to one, and returns the order.
func (w *world) paidByPhone(to string) *gen.Order {
	w.Helper()
	p, err := w.payMine("oa", to, "pay "+to)
	w.ok(err)
	w.ok(w.sim.Approve(p.Order.OrderNo, ""))
	w.sim.Deliver(w.Context())
	w.status(p.Order.Id, "paid")
	return p.Order
}

func (w *world) change(collection, id string, set bson.D) {
	w.Helper()
	_, err := w.db.Collection(collection).UpdateOne(w.Context(), bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: set}})
	w.ok(err)
}

// TestReconcile is trust.md, Money 5.
func TestReconcile(t *testing.T) {
	t.Run("a day without differences leaves a report too, from ten o'clock on, once", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		if r := w.reconcile("2024-06-14"); r == nil || r.State != "matched" || r.TheirCount != 0 || len(r.Pending) != 0 {
			t.Fatalf("a new installation's yesterday: %+v", r)
		}
		o := w.paidByPhone("2024-06")
		w.at("2024-06-16 09:59")
		if r := w.reconcile("2024-06-15"); r != nil {
			t.Fatalf("before ten: %+v", r)
		}
		w.at("2024-06-16 10:00")
		r := w.reconcile("2024-06-15")
		if r == nil || r.State != "matched" || r.OurCount != 1 || r.TheirCount != 1 || r.OurAmount != o.Amount || r.TheirAmount != o.Amount || r.Difference != 0 || len(r.Pending) != 0 {
			t.Fatalf("%+v", r)
		}
		for range 3 {
			w.reconcile("2024-06-15")
		}
		equal(t, "reports", w.count("duesReconciles", nil), 2)
		equal(t, "version", w.report("2024-06-15").Version, 1)
	})
	t.Run("ours only, theirs only and another amount are told one by one", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.reconcile("2024-06-14")
		first := w.paidByPhone("2024-04")
		second := w.paidByPhone("2024-05")
		// Ours only: an order that WeChat never heard of.
		var ghost model.DuesOrder
		w.ok(w.db.Collection("duesOrders").FindOne(t.Context(), bson.D{{Key: "_id", Value: first.Id}}).Decode(&ghost))
		ghost.ID, ghost.OrderNo, ghost.TransactionNo, ghost.Amount = "ghost", "20240615000000000000", "4200000000", 4321
		ghost.Trades[0].OutTradeNo, ghost.Pending = ghost.OrderNo, nil
		_, err := w.db.Collection("duesOrders").InsertOne(t.Context(), ghost)
		w.ok(err)
		// Another amount.
		w.change("duesOrders", second.Id, bson.D{{Key: "amount", Value: second.Amount + 1}})
		// Theirs only: of this merchant, and not of this system.
		_, err = w.gate.PrepayJSAPI(t.Context(), wechat.PayOrder{
			OutTradeNo: "SHOP20240615", Description: "书", AmountFen: 990, OpenID: w.sim.OpenID(w.user.ID, sim.OfficialAppID),
		})
		w.ok(err)
		w.ok(w.sim.Approve("SHOP20240615", ""))
		w.at("2024-06-16 10:30")
		r := w.reconcile("2024-06-15")
		if r.State != "different" || r.Difference != 3 || r.TheirCount != 3 || r.OurCount != 3 {
			t.Fatalf("%+v", r)
		}
		lines := strings.Join(w.told(r), "\n")
		for _, want := range []string{
			"系统有、微信没有的支付：43.21元，商户订单号20240615000000000000",
			"支付金额不一致：系统50.01元，微信50.00元，商户订单号" + second.OrderNo,
			"微信有、系统没有的支付：9.90元，商户订单号SHOP20240615",
		} {
			if !strings.Contains(lines, want) {
				t.Errorf("%q is not told in\n%s", want, lines)
			}
		}
		equal(t, "lines", len(w.told(r)), 3)
		equal(t, "amount", r.TheirAmount, 990+first.Amount+second.Amount)
	})
	t.Run("money that never arrived here is found in the bill, and settled or given back", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.reconcile("2024-06-14")
		p, err := w.payMine("oa", "2024-06", "k")
		w.ok(err)
		w.ok(w.sim.Approve(p.Order.OrderNo, "")) // no notice, no query
		w.at("2024-06-16 11:00")
		r := w.reconcile("2024-06-15")
		if r.Difference != 1 || r.Differences[0].Kind != "theirs" || r.Differences[0].Note != "已自动入账" {
			t.Fatalf("%+v", r)
		}
		w.status(p.Order.Id, "paid")
		equal(t, "ledger", w.ledger(), p.Order.Amount)

		w.at("2024-07-01 12:00")
		w.reconcile("2024-06-30")
		late, err := w.payMine("oa", "2024-07", "k2")
		w.ok(err)
		w.ok(w.sim.Approve(late.Order.OrderNo, ""))
		w.change("duesOrders", late.Order.Id, bson.D{{Key: "status", Value: "cleared"}, {Key: "waiting", Value: false}})
		w.at("2024-07-02 11:00")
		for w.report("2024-07-01") == nil {
			w.reconcile("2024-07-01") // some days at a time
		}
		r = w.report("2024-07-01")
		if r.Difference != 1 || r.Differences[0].Note != "订单已失效，已登记退款" {
			t.Fatalf("%+v", r)
		}
		equal(t, "refunds", w.count("duesRefunds", bson.D{{Key: "amount", Value: late.Order.Amount}}), 1)
	})
	t.Run("refunds of ours match, others are told", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.reconcile("2024-06-14")
		gone, err := w.payMine("oa", "2024-04", "k")
		w.ok(err)
		w.ok(w.sim.Approve(gone.Order.OrderNo, ""))
		w.change("duesOrders", gone.Order.Id, bson.D{{Key: "status", Value: "cleared"}, {Key: "waiting", Value: false}})
		w.sim.Deliver(t.Context())
		_, err = w.QueryWaiting(system, &recordsgen.Empty{})
		w.ok(err)
		equal(t, "refunds done", w.count("duesRefunds", bson.D{{Key: "state", Value: "done"}}), 1)
		w.at("2024-06-16 11:00")
		r := w.reconcile("2024-06-15")
		if r.State != "matched" || r.TheirCount != 1 || r.RefundCount != 1 || r.RefundAmount != gone.Order.Amount {
			t.Fatalf("%+v", r)
		}
		o := w.paidByPhone("2024-05")
		_, err = w.gate.Refund(t.Context(), wechat.RefundOrder{OutTradeNo: o.OrderNo, OutRefundNo: "BYHAND1", RefundFen: 100, TotalFen: o.Amount})
		w.ok(err)
		w.at("2024-06-17 11:00")
		r = w.reconcile("2024-06-16")
		if r.Difference != 1 || !r.Differences[0].Refund || r.Differences[0].Kind != "theirs" {
			t.Fatalf("%+v", r)
		}
		// One that we believe in and no bill has, also not the next day's.
		w.change("duesRefunds", w.refundOf(gone.Order.Id), bson.D{{Key: "billedOn", Value: nil}, {Key: "doneAt", Value: w.clock.Now()}})
		w.at("2024-06-19 11:00")
		w.reconcile("2024-06-18")
		if a, b := w.report("2024-06-17"), w.report("2024-06-18"); a.Difference != 0 || b.Difference != 1 || b.Differences[0].Kind != "ours" || !b.Differences[0].Refund {
			t.Fatalf("%+v\n%+v", a, b)
		}
	})
	t.Run("a bill that cannot be had is tried again, and told when it stays so", func(t *testing.T) {
		w := newWorld(t)
		w.reconcile("2024-06-14")
		w.at("2024-06-16 10:01")
		w.sim.Fail("bill", "SYSTEM_ERROR", 7)
		r := w.reconcile("2024-06-15")
		if r.State != "failed" || r.Message == "" || len(r.Pending) != 0 {
			t.Fatalf("%+v", r)
		}
		w.reconcile("2024-06-15")
		equal(t, "tries at once", w.report("2024-06-15").Tries, 1)
		for i := range 6 {
			w.clock.SetOffset(w.clock.Offset() + 11*time.Minute)
			r = w.reconcile("2024-06-15")
			if told := len(w.told(r)); (told > 0) != (i >= 4) {
				t.Fatalf("after %d tries %d lines", r.Tries, told)
			}
		}
		w.clock.SetOffset(w.clock.Offset() + 11*time.Minute)
		if r = w.reconcile("2024-06-15"); r.State != "matched" || r.Message != "" {
			t.Fatalf("%+v", r)
		}
		// A file that is not what was promised is no bill.
		w.base("m1", "2024-01", 500_000)
		w.paidByPhone("2024-04")
		w.at("2024-06-17 10:01")
		w.sim.Fail("billfile", "short", 1)
		if r = w.reconcile("2024-06-16"); r.State != "failed" {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("days that were missed are made up for, as far back as WeChat keeps bills", func(t *testing.T) {
		w := newWorld(t)
		w.reconcile("2024-06-14")
		w.at("2024-06-22 12:00")
		w.reconcile("")
		w.reconcile("")
		equal(t, "reports", w.count("duesReconciles", nil), 8) // 14 … 21
		w.at("2025-06-22 12:00")
		w.reconcile("")
		if w.report("2024-06-22") != nil || w.report("2025-03-24") == nil {
			t.Error("asked for bills that WeChat has no more")
		}
	})
	t.Run("workers at once make one report and tell once", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.reconcile("2024-06-14")
		p, err := w.payMine("oa", "2024-06", "k")
		w.ok(err)
		w.ok(w.sim.Approve(p.Order.OrderNo, ""))
		w.at("2024-06-16 11:00")
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() { _, _ = w.Reconcile(system, &recordsgen.Empty{}) }) // losing is fine
		}
		wg.Wait()
		equal(t, "reports", w.count("duesReconciles", bson.D{{Key: "day", Value: "2024-06-15"}}), 1)
		equal(t, "ledger", w.ledger(), p.Order.Amount)
		if n := len(w.told(w.report("2024-06-15"))); n > 1 {
			t.Errorf("%d lines", n)
		}
	})
	t.Run("the top level reads the reports; nobody writes them", func(t *testing.T) {
		w := newWorld(t)
		r := w.reconcile("2024-06-14")
		if l := w.list(admin("root"), "duesReconcile", nil); len(l.Items) != 1 || l.Items[0]["day"] != "2024-06-14" || l.Items[0]["state"] != "matched" {
			t.Errorf("%+v", l)
		}
		equal(t, "of a branch", len(w.list(admin("b1"), "duesReconcile", nil).Items), 0)
		_, err := w.Get(admin("b1"), &recordsgen.IDReq{Type: "duesReconcile", Id: r.ID})
		refused(t, err, kit.ErrNotFound.Message)
		for _, id := range []string{"", r.ID} {
			_, err = w.Save(admin("root"), &recordsgen.SaveReq{Type: "duesReconcile", Id: id, Version: 1, Json: []byte(`{"state":"matched"}`)})
			refused(t, err, kit.ErrForbidden.Message)
		}
		_, err = w.Delete(admin("root"), &recordsgen.IDsReq{Type: "duesReconcile", Ids: []string{r.ID}})
		refused(t, err, kit.ErrForbidden.Message)
		door := duessvc.Wrap(kit.NewLocal(func(k server.Server) error { return duessvc.RegisterService(k, w.Service) }))
		_, err = door.Reconcile(admin("root"), &recordsgen.Empty{})
		refused(t, err, kit.ErrForbidden.Message)
	})
}

func (w *world) refundOf(orderID string) string {
	w.Helper()
	var r model.DuesRefund
	w.ok(w.db.Collection("duesRefunds").FindOne(w.Context(), bson.D{{Key: "orderId", Value: orderID}}).Decode(&r))
	return r.ID
}

// TestTreeSums is trust.md, Money 7: for every month, the sum of a subtree's ledger is
// the sum of its leaves', and of the orders that the lists show.
func TestTreeSums(t *testing.T) {
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(7, 11))
	leaf := map[string]string{"m1": "b1", "m2": "b1", "m3": "b2"}
	members := []string{"m1", "m2", "m3"}
	for _, m := range members {
		w.base(m, "2024-01", 100_000+rng.Int64N(900_000))
	}
	sum := func(filter bson.D) (total int64) {
		cur, err := w.db.Collection("duesLedger").Find(t.Context(), filter)
		w.ok(err)
		var lines []model.DuesLine
		w.ok(cur.All(t.Context(), &lines))
		for _, l := range lines {
			total += l.Amount
		}
		return total
	}
	for step := range 90 {
		m := members[rng.IntN(len(members))]
		org := admin(leaf[m])
		switch rng.IntN(5) {
		case 0, 1, 2:
			o, err := w.CreateOrder(org, &gen.CreateOrderReq{MemberId: m, ToMonth: kit.AddMonths("2024-04", rng.IntN(9))})
			if err == nil {
				_, _ = w.PayCash(org, &gen.OrderReq{Id: o.Id})
			}
		case 3:
			paid := w.list(org, "duesOrder", map[string]string{"status": "paid"}).Items
			if len(paid) > 0 {
				_ = w.act(org, paid[rng.IntN(len(paid))]["id"].(string), "reverse", "x")
			}
		case 4:
			if m == "m1" {
				if p, err := w.payMine("oa", kit.AddMonths("2024-04", rng.IntN(9)), fmt.Sprint(step)); err == nil {
					_ = w.sim.Approve(p.Order.OrderNo, "")
					w.sim.Deliver(t.Context())
				}
			}
		}
		for i := range 13 {
			month := bson.E{Key: "month", Value: kit.AddMonths("2024-01", i)}
			root := sum(bson.D{{Key: "orgs", Value: "root"}, month})
			leaves := sum(bson.D{{Key: "orgId", Value: "b1"}, month}) + sum(bson.D{{Key: "orgId", Value: "b2"}, month})
			all := sum(bson.D{month})
			if root != leaves || root != all || root < 0 {
				t.Fatalf("step %d, %v: root %d, leaves %d, all %d", step, month.Value, root, leaves, all)
			}
		}
		shown := map[string]int64{}
		for _, org := range []string{"root", "b1", "b2"} {
			var n int64
			_, err := fmt.Sscan(w.list(admin(org), "duesOrder", map[string]string{"status": "paid"}).Summary["amount"], &n)
			w.ok(err)
			shown[org] = n
			if ledger := sum(bson.D{{Key: "orgs", Value: org}}); ledger != n {
				t.Fatalf("step %d: the list of %s shows %d, the ledger has %d", step, org, n, ledger)
			}
		}
		if shown["root"] != shown["b1"]+shown["b2"] {
			t.Fatalf("step %d: %v", step, shown)
		}
	}
	if n := w.count("duesLedger", nil); n < 30 {
		t.Fatalf("only %d lines: too little happened", n)
	}
	// Lines are only ever added: none was changed after it was written.
	if n := w.count("duesLedger", bson.D{{Key: "version", Value: bson.D{{Key: "$gt", Value: 1}}}}); n != 0 {
		t.Errorf("%d lines were changed", n)
	}
}
