package dues_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// pay pays an order at WeChat with the account of m1 and delivers the notice.
func (w *world) pay(no string) {
	w.Helper()
	w.ok(w.sim.Approve(no, w.user.ID))
	equal(w.TB, "notices", w.sim.Deliver(context.Background()), 1)
}

// notify sends a notice in one of the simulator's modes and returns the answers.
func (w *world) notify(no, mode, other string) (statuses []int) {
	w.Helper()
	sent, err := w.sim.Notify(context.Background(), no, mode, other)
	w.ok(err)
	for _, d := range sent {
		statuses = append(statuses, d.Status)
	}
	return statuses
}

func (w *world) payMine(channel, to, key string) (*gen.JSAPIPay, error) {
	return w.PayMine(w.me(channel), &gen.PayMineReq{ToMonth: to, IdempotencyKey: key})
}

func TestWeChat(t *testing.T) {
	t.Run("DUES-10 a member pays by phone, in either channel; a cancelled payment leaves it unpaid", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.payMine("oa", "2024-06", "k0")
		refused(t, err, "请联系党组织设置党费基数")
		mine, err := w.GetMine(w.me("oa"), &recordsgen.Empty{})
		w.ok(err)
		equal(t, "message", mine.Message, "请联系党组织设置党费基数")
		w.base("m1", "2024-01", 500_000)
		p, err := w.payMine("oa", "2024-05", "k1")
		w.ok(err)
		w.status(p.Order.Id, "unpaid") // he closes WeChat's page
		mini, err := w.payMine("mini", "2024-05", "k2")
		w.ok(err)
		equal(t, "the same order", mini.Order.Id, p.Order.Id)
		if mini.AppId == p.AppId || mini.PackageValue == "" || mini.PaySign == "" {
			t.Fatalf("%+v", mini)
		}
		w.pay(mini.Order.OrderNo + "-2")
		o, err := w.GetMyOrder(w.me("mini"), &gen.OrderReq{Id: p.Order.Id})
		w.ok(err)
		equal(t, "paid", o.Status+" "+o.PayChannel, "paid mobile")
		l := w.list(admin("b1"), "duesOrder", map[string]string{"status": "paid", "paidAt": "today,today"})
		equal(t, "支付明细", len(l.Items), 1)
	})
	t.Run("DUES-11 a member sees his 缴纳至, months and orders, and nobody else's", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.base("m2", "2024-01", 500_000)
		own, other := w.cash(w.order("m1", "2024-04").Id), w.cash(w.order("m2", "2024-04").Id)
		mine, err := w.GetMine(w.me("oa"), &recordsgen.Empty{})
		w.ok(err)
		equal(t, "缴纳至", mine.PaidThrough, "2024-04")
		equal(t, "months", len(mine.Items), 2)
		equal(t, "amount", mine.Amount, 100_00)
		if len(mine.Orders) != 1 || mine.Orders[0].Id != own.Id {
			t.Fatalf("%v", mine.Orders)
		}
		_, err = w.GetMyOrder(w.me("oa"), &gen.OrderReq{Id: other.Id})
		refused(t, err, "无权限或数据不存在")
		_, err = w.GetOwed(w.me("oa"), &gen.OwedReq{MemberId: "m2"})
		if kit.FromError(err).Code/100 != 401 {
			t.Fatalf("a member asks like an admin: %v", err)
		}
		_, err = w.List(w.me("oa"), &recordsgen.ListReq{Type: "duesOrder"})
		if kit.FromError(err).Code/100 != 403 {
			t.Fatalf("a member lists like an admin: %v", err)
		}
	})
	t.Run("DUES-15 only WeChat's notice of this order and amount pays it, once", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.base("m2", "2024-01", 500_000)
		o, other := w.order("m1", "2024-06"), w.order("m2", "2024-06")
		for _, id := range []string{o.Id, other.Id} {
			_, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: id})
			w.ok(err)
		}
		for _, mode := range []string{"forged", "badSignature", "signTest", "wrongSerial", "badNonce", "stale", "refund", "otherAmount"} {
			if s := w.notify(o.OrderNo, mode, ""); s[0]/100 != 4 {
				t.Errorf("%s: answered %d", mode, s[0])
			}
			w.status(o.Id, "unpaid")
		}
		if s := w.notify(o.OrderNo, "otherOrder", ""); s[0]/100 != 4 {
			t.Errorf("unknown order: answered %d", s[0])
		}
		equal(t, "ledger", w.ledger(), 0)
		equal(t, "genuine misfits are kept", w.count("duesNotices", bson.D{{Key: "problem", Value: bson.D{{Key: "$gt", Value: ""}}}}), 3)
		w.pay(o.OrderNo)
		w.status(o.Id, "paid")
		paidAt := w.get(o.Id).PaidAt
		w.at("2024-06-15 13:00")
		for _, s := range w.notify(o.OrderNo, "duplicate", "") {
			equal(t, "answer to a repeat", s, http.StatusNoContent)
		}
		equal(t, "time of payment", w.get(o.Id).PaidAt, paidAt)
		equal(t, "ledger", w.ledger(), 150_00)
		equal(t, "events", w.count("duesOrders", bson.D{{Key: "pending.kind", Value: model.EventEarned}}), 1)
		equal(t, "notices", w.count("duesNotices", bson.D{{Key: "orderId", Value: o.Id}, {Key: "problem", Value: bson.D{{Key: "$exists", Value: false}}}}), 1)
	})
	t.Run("DUES-17 no delete while WeChat may still take the money", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.order("m1", "2024-06")
		del := func() error {
			err := w.act(admin("b1"), o.Id, "delete", "")
			return err
		}
		_, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: o.Id})
		w.ok(err)
		w.sim.Fail("close", "USERPAYING", 1)
		refused(t, del(), "该订单正在微信支付中，请稍后再试")
		w.sim.Fail("close", "SYSTEM_ERROR", 1)
		refused(t, del(), "微信支付暂时无法使用，请稍后再试")
		w.sim.Fail("query", "unsigned", 1)
		refused(t, del(), "微信支付暂时无法使用，请稍后再试")
		w.status(o.Id, "unpaid")
		w.ok(w.sim.Approve(o.OrderNo, w.user.ID)) // paid, notice not there yet
		refused(t, del(), "已支付的订单不可删除")
		w.status(o.Id, "paid")
		w.sim.Deliver(t.Context())
		equal(t, "ledger", w.ledger(), 150_00)
	})
	t.Run("DUES-05 money for an order that is gone is given back", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		p, err := w.payMine("oa", "2024-06", "k")
		w.ok(err)
		w.ok(w.sim.Approve(p.Order.OrderNo, ""))
		// The store says cleared, as if WeChat had closed before and the money came anyway.
		if _, err := w.db.Collection("duesOrders").UpdateByID(t.Context(), p.Order.Id, bson.D{{Key: "$set", Value: bson.D{
			{Key: "status", Value: "cleared"}, {Key: "waiting", Value: false}}}}); err != nil {
			t.Fatal(err)
		}
		equal(t, "notices", w.sim.Deliver(t.Context()), 1)
		w.status(p.Order.Id, "cleared")
		equal(t, "ledger", w.ledger(), 0)
		equal(t, "paid through", w.party.through("m1"), "2024-03")
		equal(t, "to refund", w.count("duesRefunds", bson.D{{Key: "state", Value: "pending"}, {Key: "amount", Value: 150_00}}), 1)
		for range 2 {
			_, err = w.QueryWaiting(system, &recordsgen.Empty{})
			w.ok(err)
		}
		equal(t, "refunded", w.count("duesRefunds", bson.D{{Key: "state", Value: "done"}}), 1)
	})
	t.Run("a notice that never comes is asked for", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		p, err := w.payMine("oa", "2024-06", "k")
		w.ok(err)
		w.notify(p.Order.OrderNo, "withheld", "")
		w.ok(w.sim.Approve(p.Order.OrderNo, ""))
		done, err := w.QueryWaiting(system, &recordsgen.Empty{})
		w.ok(err)
		equal(t, "settled", done.Count, 1)
		w.status(p.Order.Id, "paid")
	})
	t.Run("of more open orders than one turn asks for, each has its turn", func(t *testing.T) {
		w := newWorld(t)
		const crowd = 250
		var newest *gen.Order
		for i := range crowd {
			m := *w.party.members["m1"]
			m.Id = fmt.Sprintf("crowd%d", i)
			w.party.members[m.Id] = &m
			w.base(m.Id, "2024-01", 500_000)
			newest = w.order(m.Id, "2024-04")
			_, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: newest.Id})
			w.ok(err)
		}
		w.notify(newest.OrderNo, "withheld", "")
		w.ok(w.sim.Approve(newest.OrderNo, w.user.ID))
		var settled int32
		for range 2 {
			done, err := w.QueryWaiting(system, &recordsgen.Empty{})
			w.ok(err)
			settled += done.Count
		}
		equal(t, "settled", settled, 1)
		w.status(newest.Id, "paid")
		never := bson.D{{Key: "askedAt", Value: nil}}
		equal(t, "never asked for", w.count("duesOrders", never), 0)
		// And again, from the longest unasked.
		before := w.clock.Now()
		for range 2 {
			_, err := w.QueryWaiting(system, &recordsgen.Empty{})
			w.ok(err)
		}
		equal(t, "not asked for again", w.count("duesOrders", bson.D{{Key: "waiting", Value: true}, {Key: "askedAt", Value: bson.D{{Key: "$lt", Value: before}}}}), 0)
	})
	t.Run("a notice that comes before the answer to the prepay", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.sim.Fail("prepay", "paid", 1)
		_, err := w.payMine("oa", "2024-06", "k")
		refused(t, err, "订单已支付")
		equal(t, "ledger", w.ledger(), 150_00)
		equal(t, "paid through", w.party.through("m1"), "2024-06")
	})
	t.Run("WeChat down leaves a retry that takes the same order", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.sim.Fail("prepay", "SYSTEM_ERROR", 1)
		_, err := w.payMine("oa", "2024-06", "k")
		refused(t, err, "微信支付暂时无法使用，请稍后再试")
		p, err := w.payMine("oa", "2024-06", "k")
		w.ok(err)
		w.pay(p.Order.OrderNo) // the same number
		equal(t, "orders", w.count("duesOrders", nil), 1)
	})
	t.Run("another choice of months replaces the open order", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		a, err := w.payMine("oa", "2024-06", "k1")
		w.ok(err)
		b, err := w.payMine("oa", "2024-05", "k2")
		w.ok(err)
		w.status(a.Order.Id, "deleted")
		if err := w.sim.Approve(a.Order.OrderNo, ""); err == nil {
			t.Fatal("the replaced order can still be paid")
		}
		w.pay(b.Order.OrderNo)
		equal(t, "ledger", w.ledger(), 100_00)
	})
	t.Run("cash closes what is open at WeChat first", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		p, err := w.payMine("oa", "2024-06", "k1")
		w.ok(err)
		w.cash(p.Order.Id)
		if err := w.sim.Approve(p.Order.OrderNo, ""); err == nil {
			t.Fatal("paid twice")
		}
		q, err := w.payMine("oa", "2024-07", "k2")
		w.ok(err)
		w.ok(w.sim.Approve(q.Order.OrderNo, ""))
		_, err = w.PayCash(admin("b1"), &gen.OrderReq{Id: q.Order.Id})
		refused(t, err, "订单已支付")
		equal(t, "method", w.get(q.Order.Id).PayMethod, "wechat")
		equal(t, "ledger", w.ledger(), 200_00)
	})
}

func TestTogether(t *testing.T) {
	t.Run("two phones and the console at once make one order and one payment", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		var wg sync.WaitGroup
		for i, to := range []string{"2024-06", "2024-05", "2024-06", "2024-04"} {
			wg.Go(func() {
				channel := []string{"oa", "mini"}[i%2]
				_, _ = w.payMine(channel, to, to+channel) // losing is fine
			})
		}
		wg.Go(func() {
			_, _ = w.CreateOrder(admin("b1"), &gen.CreateOrderReq{MemberId: "m1", ToMonth: "2024-06"})
		})
		wg.Wait()
		equal(t, "unpaid orders", w.count("duesOrders", bson.D{{Key: "status", Value: "unpaid"}}), 1)
		cur, err := w.db.Collection("duesOrders").Find(t.Context(), bson.D{})
		w.ok(err)
		var all []struct {
			Trades []struct {
				OutTradeNo string `bson:"outTradeNo"`
			} `bson:"trades"`
		}
		w.ok(cur.All(t.Context(), &all))
		paid := 0
		for _, o := range all {
			for _, x := range o.Trades {
				if w.sim.Approve(x.OutTradeNo, "") == nil {
					paid++
				}
			}
		}
		if paid > 1 {
			t.Fatalf("%d trades could be paid", paid)
		}
	})
	t.Run("parallel notices settle once", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		p, err := w.payMine("oa", "2024-06", "k")
		w.ok(err)
		w.ok(w.sim.Approve(p.Order.OrderNo, ""))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := w.sim.Notify(context.Background(), p.Order.OrderNo, "normal", ""); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := w.QueryWaiting(system, &recordsgen.Empty{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		w.status(p.Order.Id, "paid")
		equal(t, "ledger", w.ledger(), 150_00)
		equal(t, "months", w.count("duesMonths", nil), 3)
		equal(t, "refunds", w.count("duesRefunds", nil), 0)
		equal(t, "events", w.count("duesOrders", bson.D{{Key: "pending.kind", Value: model.EventEarned}}), 1)
	})
	t.Run("the ledger is the sum of paid orders whatever happens", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2023-01", 500_000)
		rng := rand.New(rand.NewPCG(1, 2))
		for step := range 120 {
			list := w.list(admin("b1"), "duesOrder", nil).Items
			pick := ""
			if len(list) > 0 {
				pick = list[rng.IntN(min(len(list), 3))]["id"].(string)
			}
			switch rng.IntN(7) {
			case 0, 1:
				to := kit.AddMonths(kit.Month(w.clock.Now()), rng.IntN(7))
				_, _ = w.CreateOrder(admin("b1"), &gen.CreateOrderReq{MemberId: "m1", ToMonth: to})
			case 2:
				_, _ = w.PayCash(admin("b1"), &gen.OrderReq{Id: pick})
			case 3:
				_ = w.act(admin("b1"), pick, "delete", "")
			case 4:
				_ = w.act(admin("b1"), pick, "reverse", "误收")
			case 5:
				if p, err := w.payMine([]string{"oa", "mini"}[rng.IntN(2)], kit.AddMonths(kit.Month(w.clock.Now()), rng.IntN(7)), fmt.Sprint(step)); err == nil {
					_ = w.sim.Approve(p.Order.OrderNo, "")
					w.sim.Deliver(t.Context())
				}
			case 6:
				w.clock.SetOffset(w.clock.Offset() + 20*60*60*1e9)
				if _, err := w.ExpireOrders(system, &recordsgen.Empty{}); err != nil {
					t.Fatal(err)
				}
			}
			cur, err := w.db.Collection("duesOrders").Find(t.Context(), bson.D{{Key: "status", Value: "paid"}})
			w.ok(err)
			var paid []struct {
				Amount int64 `bson:"amount"`
				Items  []struct {
					Month string `bson:"month"`
				} `bson:"items"`
			}
			w.ok(cur.All(t.Context(), &paid))
			var sum int64
			months := map[string]bool{}
			for _, o := range paid {
				sum += o.Amount
				for _, x := range o.Items {
					if months[x.Month] {
						t.Fatalf("step %d: %s is paid twice", step, x.Month)
					}
					months[x.Month] = true
				}
			}
			if got := w.ledger(); got != sum {
				t.Fatalf("step %d: ledger %d, orders %d", step, got, sum)
			}
			if n := w.count("duesMonths", nil); n != int64(len(months)) {
				t.Fatalf("step %d: %d months taken, %d paid", step, n, len(months))
			}
		}
	})
}
