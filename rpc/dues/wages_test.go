package dues_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// everything is all that a database holds, as text, the payloads of events too.
func (w *world) everything() string {
	w.Helper()
	var out strings.Builder
	names, err := w.db.ListCollectionNames(context.Background(), bson.D{})
	w.ok(err)
	for _, name := range names {
		cur, err := w.db.Collection(name).Find(context.Background(), bson.D{})
		w.ok(err)
		for cur.Next(context.Background()) {
			out.Write(cur.Current)
			out.WriteString(cur.Current.String())
		}
	}
	return out.String()
}

func TestWages(t *testing.T) {
	t.Run("PLUS-30 a base is sealed wherever it is stored, and dues are reckoned with it", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-04", 876_543)
		row := w.base("m1", "2024-04", 876_543) // entered again
		id := row["id"].(string)
		equal(t, "what he owes a month", row["payableAmount"].(float64), 131_48)
		b := w.upload(admin("b1"), sheet(t, baseHeader, []any{"李四", "440524188001010014", "2024-04", "8765.43"}, []any{"李四", "440524188001010014", "2024-05", "8765.432"}))
		if b.SuccessCount != 1 || b.FailureCount != 1 {
			t.Fatalf("%+v", b)
		}
		paid := w.cash(w.order("m1", "2024-05").Id)
		equal(t, "two months", paid.Amount, 2*131_48)
		w.order("m1", "2024-06")
		for _, open := range []string{"876543", "8765.43"} {
			if all := w.everything(); strings.Contains(all, open) || !strings.Contains(all, paid.OrderNo) {
				t.Errorf("the store holds %s", open)
			}
		}
		// A number in BSON has no digits to be found.
		for collection, at := range map[string]string{"duesBases": "baseAmount", "duesOrders": "items.baseAmount"} {
			equal(t, collection+" with a number", w.count(collection, bson.D{{Key: at, Value: bson.D{{Key: "$type", Value: "number"}}}}), 0)
			if w.count(collection, bson.D{{Key: at, Value: bson.D{{Key: "$type", Value: "string"}}}}) == 0 {
				t.Errorf("%s has no base", collection)
			}
		}

		// Who works with dues sees what is owed; the base is shown by a look that is written down.
		clerk := func(permissions ...string) context.Context {
			return kit.WithCaller(context.Background(), kit.Caller{Kind: kit.User, UserID: "clerk", OrgID: "b1", Orgs: []string{"root", "b1"}, Permissions: permissions})
		}
		look := clerk("duesBase.view", "duesBase.export", "duesOrder.view")
		for _, r := range w.list(look, "duesBase", nil).Items {
			if r["baseAmount"] != "******" || r["rate"] != "1.5%" || r["payableAmount"] != 131_48.0 {
				t.Errorf("listed %v", r)
			}
		}
		owed, err := w.GetOwed(look, &gen.OwedReq{MemberId: "m1"})
		w.ok(err)
		order, err := w.GetOrder(look, &gen.OrderReq{Id: paid.Id})
		w.ok(err)
		for _, x := range append(owed.Items, order.Items...) {
			if x.BaseAmount != 0 || x.Due != 131_48 || x.Rate != 150 {
				t.Errorf("%+v", x)
			}
		}
		if _, err := w.Reveal(look, &recordsgen.IDReq{Type: "duesBase", Id: id}); !errors.Is(err, kit.ErrForbidden) {
			t.Errorf("without the right: %v", err)
		}
		j, err := w.Reveal(clerk("duesBase.view", "duesBase.reveal"), &recordsgen.IDReq{Type: "duesBase", Id: id})
		w.ok(err)
		var full map[string]any
		w.ok(json.Unmarshal(j.Json, &full))
		equal(t, "revealed", full["baseAmount"].(float64), 876_543)
		if _, err := w.Reveal(look, &recordsgen.IDReq{Type: "duesOrder", Id: paid.Id}); !errors.Is(err, kit.ErrForbidden) {
			t.Errorf("an order's bases without the right: %v", err)
		}
		j, err = w.Reveal(clerk("duesOrder.view", "duesOrder.reveal"), &recordsgen.IDReq{Type: "duesOrder", Id: paid.Id})
		w.ok(err)
		if !strings.Contains(string(j.Json), `"month":"2024-05","baseAmount":876543,"rate":150`) {
			t.Errorf("DUES-12 each month with base, rate and amount: %s", j.Json)
		}
		for want, who := range map[string]context.Context{"******": look, "8765.43": clerk("duesBase.view", "duesBase.export", "duesBase.reveal")} {
			f, err := w.Export(who, &recordsgen.ListReq{Type: "duesBase", Columns: []string{"baseAmount"}})
			w.ok(err)
			x, err := excelize.OpenReader(bytes.NewReader(f.Data))
			w.ok(err)
			got, err := x.GetCellValue("党费基数", "A2")
			w.ok(err)
			equal(t, "exported", got, want)
			w.ok(x.Close())
		}
		// The member sees what his own dues are made of.
		mine, err := w.GetMine(w.me("oa"), &recordsgen.Empty{})
		w.ok(err)
		own, err := w.GetMyOrder(w.me("oa"), &gen.OrderReq{Id: paid.Id})
		w.ok(err)
		for _, x := range append(mine.Items, own.Items...) {
			equal(t, "his own base", x.BaseAmount, 876_543)
		}
	})
	t.Run("a base that is entered again with the same amount is no change, another amount is", func(t *testing.T) {
		w := newWorld(t)
		id := w.base("m1", "2024-04", 500_000)["id"].(string)
		changes := func() int64 {
			return w.count("duesBases", bson.D{{Key: "_id", Value: id}, {Key: "pending", Value: bson.D{{Key: "$size", Value: 3}}}})
		}
		w.base("m1", "2024-04", 500_000) // 添加 twice
		equal(t, "entries of a change", changes(), 0)
		w.base("m1", "2024-04", 600_000) // 添加 and 更新基数
		var b model.DuesBase
		w.ok(w.db.Collection("duesBases").FindOne(context.Background(), bson.D{{Key: "_id", Value: id}}).Decode(&b))
		equal(t, "facts", len(b.Pending), 4)
	})
	t.Run("PLUS-30 what a process of an earlier version stores open beside this one is reckoned with, and sealed when it is written", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-04", 500_000)
		open := w.order("m1", "2024-05")
		set := func(collection string, d bson.D) {
			t.Helper()
			_, err := w.db.Collection(collection).UpdateMany(context.Background(), bson.D{}, bson.D{{Key: "$set", Value: d}})
			w.ok(err)
		}
		before := func() {
			t.Helper()
			set("duesBases", bson.D{{Key: "baseAmount", Value: int64(500_000)}})
			set("duesOrders", bson.D{{Key: "items.0.baseAmount", Value: int64(500_000)}, {Key: "items.1.baseAmount", Value: int64(500_000)}})
		}
		before()
		// One that stands open beside this process is paid all the same, and sealed by it.
		equal(t, "paid", w.cash(open.Id).Amount, 100_00)
		equal(t, "open orders", w.count("duesOrders", bson.D{{Key: "items.baseAmount", Value: bson.D{{Key: "$type", Value: "number"}}}}), 0)
		own, err := w.GetMyOrder(w.me("oa"), &gen.OrderReq{Id: open.Id})
		w.ok(err)
		equal(t, "his base", own.Items[1].BaseAmount, 500_000)
		equal(t, "the next month", w.order("m1", "2024-06").Amount, 50_00)
	})
}
