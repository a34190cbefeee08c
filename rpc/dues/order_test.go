package dues_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image/png"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

func TestOrders(t *testing.T) {
	t.Run("DUES-03 an order is entered with the sum of its months, or the field at fault is named", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.base("m1", "2024-06", 500_001)
		o := w.order("m1", "2024-06")
		equal(t, "from", o.FromMonth, "2024-04")
		equal(t, "amount", o.Amount, 50_00+50_00+75_00)
		equal(t, "status", o.Status, "unpaid")
		equal(t, "actions", strings.Join(o.Actions, " "), "pay delete")
		row := w.list(admin("b1"), "duesOrder", nil).Items[0]
		equal(t, "listed", row["id"].(string), o.Id)
		w.cash(o.Id)
		for _, x := range []struct{ member, from, to, field string }{
			{"m1", "2024-06", "2024-07", "fromMonth"}, {"m1", "2024-08", "2024-09", "fromMonth"}, {"m1", "2024-07", "2024-06", "toMonth"},
			{"m1", "", "2024-06", "toMonth"}, {"m1", "", "2025-01", "toMonth"}, {"m1", "", "2024-7", "toMonth"}, {"m1", "x", "2024-07", "fromMonth"},
		} {
			_, err := w.CreateOrder(admin("b1"), &gen.CreateOrderReq{MemberId: x.member, FromMonth: x.from, ToMonth: x.to})
			if kit.FromError(err).Fields[x.field] == "" {
				t.Errorf("%+v: %v names no %s", x, err, x.field)
			}
		}
		equal(t, "orders stored", w.count("duesOrders", nil), 1)
	})
	t.Run("DUES-06 a base not after the first month must exist", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.CreateOrder(admin("b1"), &gen.CreateOrderReq{MemberId: "m1", ToMonth: "2024-06"})
		refused(t, err, "请先添加该党员的党费基数")
		w.base("m1", "2024-05", 500_000)
		_, err = w.CreateOrder(admin("b1"), &gen.CreateOrderReq{MemberId: "m1", ToMonth: "2024-06"})
		refused(t, err, "请先添加该党员的党费基数")
		w.base("m1", "2024-04", 300_000)
		o := w.order("m1", "2024-06")
		equal(t, "first month", o.FromMonth, "2024-04")
		equal(t, "April by its base", o.Items[0].Due, 15_00)
		equal(t, "May by the later one", o.Items[1].Due, 50_00)
		equal(t, "June too", o.Items[2].Due, 50_00)
	})
	t.Run("DUES-04 an order ends at midnight", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		w.base("m2", "2024-01", 500_000)
		w.at("2024-06-15 23:59")
		o, paid := w.order("m1", "2024-06"), w.order("m2", "2024-06")
		w.cash(paid.Id)
		w.at("2024-06-16 00:00")
		_, err := w.PayCash(admin("b1"), &gen.OrderReq{Id: o.Id})
		refused(t, err, "订单已过期")
		_, err = w.PayNative(admin("b1"), &gen.OrderReq{Id: o.Id})
		refused(t, err, "订单已过期")
		_, err = w.ExpireOrders(system, &recordsgen.Empty{})
		w.ok(err)
		l := w.list(admin("b1"), "duesOrder", nil)
		if len(l.Items) != 1 || l.Items[0]["id"] != paid.Id {
			t.Fatalf("listed: %v", l.Items)
		}
	})
	t.Run("DUES-05 midnight clears exactly the unpaid orders of before, late or twice", func(t *testing.T) {
		w := newWorld(t)
		for _, m := range []string{"m1", "m2", "m3"} {
			w.base(m, "2024-01", 500_000)
		}
		old, paid := w.order("m1", "2024-06"), w.order("m2", "2024-06")
		w.cash(paid.Id)
		_, err := w.PayMine(w.me("oa"), &gen.PayMineReq{ToMonth: "2024-06", IdempotencyKey: "k"})
		w.ok(err)
		w.ok(w.sim.Approve(old.OrderNo, "")) // the money is there …
		if _, err := w.sim.Notify(t.Context(), old.OrderNo, "withheld", ""); err != nil {
			t.Fatal(err)
		}
		unpaid := w.order("m3", "2024-06")
		_, err = w.PayNative(admin("b2"), &gen.OrderReq{Id: unpaid.Id})
		w.ok(err)
		w.at("2024-06-17 08:00")
		today := func() *gen.Order { // opening a new one clears the late one too
			w.base("m3", "2024-01", 300_000)
			return w.order("m3", "2024-07")
		}
		_, err = w.ExpireOrders(system, &recordsgen.Empty{})
		w.ok(err)
		now := today()
		done, err := w.ExpireOrders(system, &recordsgen.Empty{})
		w.ok(err)
		equal(t, "cleared the second time", done.Count, 0)
		w.status(old.Id, "paid") // … so that WeChat's answer settled it instead
		w.status(unpaid.Id, "cleared")
		w.status(now.Id, "unpaid")
		equal(t, "months open again from", now.FromMonth, "2024-04")
		if err := w.sim.Approve(unpaid.OrderNo, w.user.ID); err == nil {
			t.Fatal("a cleared order can still be paid at WeChat")
		}
	})
	t.Run("DUES-07 DUES-16 an unpaid order can be deleted, a paid one not", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.order("m1", "2024-06")
		err := w.act(admin("b1"), o.Id, "delete", "")
		w.ok(err)
		equal(t, "listed", len(w.list(admin("b1"), "duesOrder", nil).Items), 0)
		o = w.order("m1", "2024-05")
		equal(t, "months open again from", o.FromMonth, "2024-04")
		w.cash(o.Id)
		row := w.list(admin("b1"), "duesOrder", nil).Items[0]
		for _, a := range row["_actions"].([]any) {
			if a == "delete" || a == "pay" {
				t.Fatalf("paid order offers %v", a)
			}
		}
		err = w.act(admin("b1"), o.Id, "delete", "")
		refused(t, err, "已支付的订单不可删除")
		w.status(o.Id, "paid")
	})
	t.Run("DUES-13 cash at the cashier, once, with the operator", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.cash(w.order("m1", "2024-06").Id)
		equal(t, "status", o.Status, "paid")
		equal(t, "operator", o.Operator, "管理员b1")
		_, err := w.PayCash(admin("root"), &gen.OrderReq{Id: o.Id})
		refused(t, err, "订单已支付")
		w.cash(o.Id) // the same operator again: the same answer
		equal(t, "ledger", w.ledger(), 150_00)
		gone := w.order("m1", "2024-07")
		err = w.act(admin("b1"), gone.Id, "delete", "")
		w.ok(err)
		_, err = w.PayCash(admin("b1"), &gen.OrderReq{Id: gone.Id})
		refused(t, err, "订单已删除")
	})
	t.Run("DUES-14 the cashier shows the stored payer and amount", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.get(w.order("m1", "2024-06").Id)
		equal(t, "name", o.MemberName, "张三")
		equal(t, "id", o.IdNumber, "110***********002X")
		equal(t, "amount", o.Amount, 150_00)
		w.status(o.Id, "unpaid")
		equal(t, "paid is what is stored", w.cash(o.Id).Amount, 150_00)
	})
	t.Run("DUES-08 cash means console, WeChat means phone", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.cash(w.order("m1", "2024-04").Id)
		equal(t, "cash", o.PayMethod+" "+o.PayChannel, "cash console")
		q := w.order("m1", "2024-05")
		_, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: q.Id})
		w.ok(err)
		w.pay(q.OrderNo)
		got := w.get(q.Id)
		equal(t, "QR code", got.PayMethod+" "+got.PayChannel, "wechat mobile")
	})
	t.Run("DUES-09 payment moves 缴纳至, once the crash is over too", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.order("m1", "2024-06")
		equal(t, "before", w.party.through("m1"), "2024-03")
		w.party.failing(errors.New("party is down"))
		w.cash(o.Id)
		owed, err := w.GetOwed(admin("b1"), &gen.OwedReq{MemberId: "m1"})
		if err == nil {
			t.Fatalf("owed while the consequences are open: %v", owed)
		}
		w.party.failing(nil)
		_, err = w.QueryWaiting(system, &recordsgen.Empty{})
		w.ok(err)
		equal(t, "after", w.party.through("m1"), "2024-06")
		owed, err = w.GetOwed(admin("b1"), &gen.OwedReq{MemberId: "m1"})
		w.ok(err)
		equal(t, "still owed", len(owed.Items), 0)
		equal(t, "may be paid ahead", len(owed.Ahead), 6)
	})
	t.Run("DUES-12 an order shows all, to those above it only", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		id := w.cash(w.order("m1", "2024-05").Id).Id
		o, err := w.GetOrder(admin("b1"), &gen.OrderReq{Id: id})
		w.ok(err)
		if o.OrderNo == "" || o.PaidAt == 0 || len(o.Items) != 2 || o.Items[0].BaseAmount != 0 || o.Items[0].Rate != 100 || o.Items[0].Due != 50_00 {
			t.Fatalf("%+v", o)
		}
		sibling := admin("b2")
		for what, call := range map[string]func() error{
			"order":   func() error { _, err := w.GetOrder(sibling, &gen.OrderReq{Id: id}); return err },
			"cash":    func() error { _, err := w.PayCash(sibling, &gen.OrderReq{Id: id}); return err },
			"native":  func() error { _, err := w.PayNative(sibling, &gen.OrderReq{Id: id}); return err },
			"delete":  func() error { return w.act(sibling, id, "delete", "") },
			"reverse": func() error { return w.act(sibling, id, "reverse", "误收") },
			"receipt": func() error { _, err := w.PrintReceipt(sibling, &gen.OrderReq{Id: id}); return err },
			"owed":    func() error { _, err := w.GetOwed(sibling, &gen.OwedReq{MemberId: "m1"}); return err },
			"create": func() error {
				_, err := w.CreateOrder(sibling, &gen.CreateOrderReq{MemberId: "m1", ToMonth: "2024-06"})
				return err
			},
			"preview": func() error { _, err := w.GetBasePreview(sibling, &gen.PreviewBaseReq{MemberId: "m1"}); return err },
			"record": func() error {
				_, err := w.Get(sibling, &recordsgen.IDReq{Type: "duesOrder", Id: id})
				return err
			},
		} {
			if err := call(); !errors.Is(err, kit.ErrNotFound) {
				t.Errorf("%s of a sibling's: %v", what, err)
			}
		}
		equal(t, "sibling's list", len(w.list(sibling, "duesOrder", nil).Items), 0)
		err = w.act(admin("b1"), id, "reverse", "录入错误")
		w.ok(err)
		equal(t, "left in the list", len(w.list(admin("b1"), "duesOrder", nil).Items), 0)
	})
	t.Run("one open order a member, and idempotency keys", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		req := func(to, key string) *gen.CreateOrderReq {
			return &gen.CreateOrderReq{MemberId: "m1", ToMonth: to, IdempotencyKey: key}
		}
		a, err := w.CreateOrder(admin("b1"), req("2024-06", "k1"))
		w.ok(err)
		b, err := w.CreateOrder(admin("b1"), req("2024-06", "k1"))
		w.ok(err)
		c, err := w.CreateOrder(admin("b1"), req("2024-06", "k2"))
		w.ok(err)
		equal(t, "same key", b.Id, a.Id)
		equal(t, "same months", c.Id, a.Id)
		_, err = w.CreateOrder(admin("b1"), req("2024-05", "k1"))
		refused(t, err, "重复的请求内容不一致，请刷新后重试")
		_, err = w.CreateOrder(admin("b1"), req("2024-05", "k2"))
		refused(t, err, "重复的请求内容不一致，请刷新后重试")
		_, err = w.CreateOrder(admin("b1"), req("2024-05", "k3"))
		refused(t, err, "该党员已有2024-04至2024-06未支付的订单，请先支付或删除")
		w.cash(a.Id)
		d, err := w.CreateOrder(admin("b1"), req("2024-06", "k2"))
		w.ok(err)
		equal(t, "the key's order, paid by now", d.Status, "paid")
		equal(t, "orders", w.count("duesOrders", nil), 1)
	})
}

func TestPaidOrders(t *testing.T) {
	t.Run("DORD-02 a paid order shows its figures", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		id := w.cash(w.order("m1", "2024-05").Id).Id
		_, err := w.Get(admin("b1"), &recordsgen.IDReq{Type: "duesOrder", Id: id})
		w.ok(err)
		row := w.list(admin("b1"), "duesOrder", map[string]string{"status": "paid"}).Items[0]
		for key, want := range map[string]any{
			"memberName": "张三", "idNumber": "110***********002X", "fromMonth": "2024-04", "toMonth": "2024-05", "amount": 100_00.0,
			"payMethod": "cash", "payChannel": "console", "operator": "管理员b1",
		} {
			if row[key] != want {
				t.Errorf("%s = %v, want %v", key, row[key], want)
			}
		}
	})
	t.Run("DORD-03 DORD-04 today's paid orders and their sum, or a range's", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 300_000)
		w.base("m2", "2024-01", 500_000)
		today := map[string]string{"status": "paid", "paidAt": "today,today"}
		empty := w.list(admin("b1"), "duesOrder", today)
		equal(t, "sum of nothing", empty.Summary["amount"], "0")
		w.cash(w.order("m2", "2024-04").Id) // 50.00 on the 15th
		w.at("2024-06-16 00:00")
		w.cash(w.order("m2", "2024-05").Id)
		w.at("2024-06-16 23:59")
		cash := w.cash(w.order("m1", "2024-04").Id)
		l := w.list(admin("b1"), "duesOrder", today)
		equal(t, "today's", len(l.Items), 2)
		equal(t, "sum", l.Summary["amount"], "6500")
		err := w.act(admin("b1"), cash.Id, "reverse", "退款")
		w.ok(err)
		equal(t, "sum after the reversal", w.list(admin("b1"), "duesOrder", today).Summary["amount"], "5000")
		l = w.list(admin("b1"), "duesOrder", map[string]string{"status": "paid", "paidAt": "2024-06-15,2024-06-16"})
		equal(t, "range", l.Summary["amount"], "10000")
		l = w.list(admin("b1"), "duesOrder", map[string]string{"status": "paid", "paidAt": "2024-06-10,2024-06-14"})
		equal(t, "an empty day", len(l.Items), 0)
	})
	t.Run("DORD-05 the receipt is a PDF of the paid order", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 420_050)
		o := w.order("m1", "2024-04")
		_, err := w.PrintReceipt(admin("b1"), &gen.OrderReq{Id: o.Id})
		refused(t, err, "订单尚未支付")
		w.cash(o.Id)
		f, err := w.PrintReceipt(admin("b1"), &gen.OrderReq{Id: o.Id})
		w.ok(err)
		if !bytes.HasPrefix(f.Data, []byte("%PDF-")) || bytes.Count(f.Data, []byte("/Type /Page\n")) > 1 || len(f.Data) > 1<<20 {
			t.Fatalf("%d bytes, %q", len(f.Data), f.Data[:20])
		}
		err = w.act(admin("b1"), o.Id, "reverse", "误收")
		w.ok(err)
		_, err = w.PrintReceipt(admin("b1"), &gen.OrderReq{Id: o.Id})
		refused(t, err, "订单已删除")
	})
	t.Run("DORD-06 DORD-09 a cash order is taken back, the last one first, and stays on record", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		first := w.cash(w.order("m1", "2024-04").Id)
		second := w.cash(w.order("m1", "2024-06").Id)
		err := w.act(admin("b1"), first.Id, "reverse", "误收")
		refused(t, err, "请先删除之后月份的订单")
		for _, reason := range []string{"", " \t"} { // whoever asks, in the page or beside it
			err = w.act(admin("b1"), second.Id, "reverse", reason)
			refused(t, err, "请填写删除原因")
		}
		equal(t, "still paid", w.party.through("m1"), "2024-06")
		err = w.act(admin("b1"), second.Id, "reverse", "录入错误")
		w.ok(err)
		equal(t, "paid through", w.party.through("m1"), "2024-04")
		equal(t, "ledger", w.ledger(), 50_00)
		l := w.list(admin("b1"), "duesOrder", map[string]string{"status": "deleted"})
		equal(t, "deleted orders", len(l.Items), 1)
		row := l.Items[0]
		if row["deletedBy"] != "管理员b1" || row["deletedAt"] == "" || row["deleteReason"] != "录入错误" || row["amount"] != 100_00.0 {
			t.Fatalf("%v", row)
		}
		equal(t, "actions", len(row["_actions"].([]any)), 1)
		err = w.act(admin("b1"), second.Id, "reverse", "误收")
		refused(t, err, "订单已删除")
		again := w.cash(w.order("m1", "2024-06").Id)
		equal(t, "the months can be paid again", again.FromMonth, "2024-05")
		equal(t, "ledger", w.ledger(), 150_00)
		equal(t, "events of a payment and a reversal", w.count("duesOrders", bson.D{{Key: "_id", Value: second.Id}, {Key: "pending.kind", Value: model.EventUnearned}}), 1)
	})
	t.Run("DORD-07 a WeChat order is final", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		o := w.order("m1", "2024-06")
		_, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: o.Id})
		w.ok(err)
		w.pay(o.OrderNo)
		row := w.list(admin("b1"), "duesOrder", nil).Items[0]
		for _, a := range row["_actions"].([]any) {
			if a == "reverse" || a == "delete" {
				t.Fatalf("WeChat order offers %v", a)
			}
		}
		err = w.act(admin("b1"), o.Id, "reverse", "误收")
		refused(t, err, "微信支付的订单不可删除")
		w.status(o.Id, "paid")
		equal(t, "paid through", w.party.through("m1"), "2024-06")
	})
	t.Run("DORD-08 the export holds the filtered list of the scope", func(t *testing.T) {
		w := newWorld(t)
		for _, m := range []string{"m1", "m2", "m3"} {
			w.base(m, "2024-01", 500_000)
		}
		w.cash(w.order("m1", "2024-05").Id)
		w.cash(w.order("m2", "2024-05").Id)
		if _, err := w.PayCash(admin("b2"), &gen.OrderReq{Id: w.order("m3", "2024-05").Id}); err != nil {
			t.Fatal(err)
		}
		export := func(filters map[string]string) [][]string {
			f, err := w.Export(admin("b1"), &recordsgen.ListReq{Type: "duesOrder", Filters: filters,
				Columns: []string{"orderNo", "memberName", "idNumber", "orgId", "fromMonth", "toMonth", "amount", "payMethod", "payChannel", "paidAt"}})
			w.ok(err)
			x, err := excelize.OpenReader(bytes.NewReader(f.Data))
			w.ok(err)
			defer x.Close()
			rows, err := x.GetRows(x.GetSheetName(0))
			w.ok(err)
			return rows
		}
		rows := export(map[string]string{"status": "paid"})
		equal(t, "rows", len(rows), 3)
		equal(t, "header", strings.Join(rows[0], " "), "订单号 姓名 身份证号 党组织 起始月份 截止月份 支付金额 支付方式 缴纳途径 支付时间")
		equal(t, "a row", strings.Join(rows[1][1:9], " "), "李四 440***********0014 第一支部 2024-04 2024-05 100.00 现金支付 后台支付")
		equal(t, "header only", len(export(map[string]string{"status": "paid", "paidAt": "2023-01-01,2023-01-01"})), 1)
	})
}

func TestQRCode(t *testing.T) {
	w := newWorld(t)
	w.base("m1", "2024-01", 500_000)
	o := w.order("m1", "2024-06")
	n, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: o.Id})
	w.ok(err)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(n.Qr, "data:image/png;base64,"))
	w.ok(err)
	if _, err := png.Decode(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	again, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: o.Id})
	w.ok(err)
	equal(t, "the same code", again.CodeUrl, n.CodeUrl)
	w.at("2024-06-15 14:30")
	renewed, err := w.PayNative(admin("b1"), &gen.OrderReq{Id: o.Id})
	w.ok(err)
	if renewed.CodeUrl == n.CodeUrl {
		t.Fatal("an expired code was not renewed")
	}
}
