package dues_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

// upload imports a workbook and waits for its end.
func (w *world) upload(ctx context.Context, data []byte) *recordsgen.ImportBatch {
	w.Helper()
	b, err := w.StartImport(ctx, &recordsgen.ImportReq{Type: "duesBase", FileName: "基数.xlsx", Data: data})
	w.ok(err)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		b, err = w.GetImport(ctx, &recordsgen.IDReq{Type: "duesBase", Id: b.Id})
		w.ok(err)
		if b.State == "finished" || b.State == "failed" {
			return b
		}
		<-tick.C
	}
	w.Fatal("the import does not end")
	return nil
}

func sheet(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, r := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetSheetRow("Sheet1", cell, &r); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var baseHeader = []any{"姓名", "身份证号", "使用年月", "应缴基数"}

func TestBases(t *testing.T) {
	t.Run("BASE-02 a base is listed with its rate and dues, or the field at fault is named", func(t *testing.T) {
		w := newWorld(t)
		row := w.base("m1", "2024-05", 500_001)
		if row["rate"] != "1.5%" || row["payableAmount"] != 75_00.0 || row["memberName"] != "张三" {
			t.Fatalf("%v", row)
		}
		equal(t, "listed", len(w.list(admin("b1"), "duesBase", nil).Items), 1)
		equal(t, "listed at the sibling's", len(w.list(admin("b2"), "duesBase", nil).Items), 0)
		for field, doc := range map[string]map[string]any{
			"memberId":       {"effectiveMonth": "2024-06", "baseAmount": 1},
			"effectiveMonth": {"memberId": "m1", "baseAmount": 1},
			"baseAmount":     {"memberId": "m1", "effectiveMonth": "2024-06"},
		} {
			if _, err := w.save(admin("b1"), doc); kit.FromError(err).Fields[field] == "" {
				t.Errorf("%s: %v", field, err)
			}
		}
		for _, amount := range []any{-1, "12.345", "abc", 1.5, 100_000_001} {
			if _, err := w.save(admin("b1"), map[string]any{"memberId": "m1", "effectiveMonth": "2024-06", "baseAmount": amount}); kit.FromError(err).Fields["baseAmount"] == "" {
				t.Errorf("%v: %v", amount, err)
			}
		}
		if _, err := w.save(admin("b2"), map[string]any{"memberId": "m1", "effectiveMonth": "2024-06", "baseAmount": 1}); err == nil {
			t.Error("a sibling's member got a base")
		}
		equal(t, "stored", w.count("duesBases", nil), 1)
	})
	t.Run("BASE-03 RETR-02 months before the retirement are rated as months of work, whenever they are entered", func(t *testing.T) {
		w := newWorld(t)
		w.party.members["m1"].Retired, w.party.members["m1"].RetiredOn = true, "2024-05-31"
		for _, category := range []string{"salaried", "retired"} {
			w.party.members["m1"].DuesCategory = category
			for month, want := range map[string]float64{"2024-04": 90_00, "2024-05": 60_00, "2024-06": 60_00} {
				equal(t, category+" "+month, w.base("m1", month, 600_000)["payableAmount"].(float64), want)
				p, err := w.GetBasePreview(admin("b1"), &gen.PreviewBaseReq{MemberId: "m1", BaseAmount: 600_000, Month: month})
				w.ok(err)
				equal(t, "preview of "+month, float64(p.Payable), want)
			}
		}
		w.party.members["m1"].DuesCategory = "farmer"
		equal(t, "a farmer", w.base("m1", "2024-06", 600_000)["payableAmount"].(float64), 20)
		_, err := w.GetBasePreview(admin("b1"), &gen.PreviewBaseReq{MemberId: "m1", Month: "2024-13"})
		if kit.FromError(err).Fields["effectiveMonth"] == "" {
			t.Error(err)
		}
	})
	t.Run("BASE-04 the same month again replaces the base; an order of the old amount is not paid", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-04", 500_000)
		paid := w.cash(w.order("m1", "2024-04").Id)
		open := w.order("m1", "2024-06")
		w.base("m1", "2024-04", 300_000)
		equal(t, "records", len(w.list(admin("b1"), "duesBase", nil).Items), 1)
		equal(t, "the paid order", w.get(paid.Id).Amount, 50_00)
		_, err := w.PayCash(admin("b1"), &gen.OrderReq{Id: open.Id})
		refused(t, err, "金额已变更，请删除该订单后重新录入")
		_, err = w.PayNative(admin("b1"), &gen.OrderReq{Id: open.Id})
		refused(t, err, "金额已变更，请删除该订单后重新录入")
		w.status(open.Id, "unpaid")
	})
	t.Run("BASE-05 a correction holds for the months not yet paid", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-04", 500_000)
		paid := w.cash(w.order("m1", "2024-05").Id)
		w.base("m1", "2024-04", 300_000)
		next := w.order("m1", "2024-07")
		equal(t, "June and July", next.Amount, 2*15_00)
		equal(t, "April and May", w.get(paid.Id).Amount, 2*50_00)
	})
	t.Run("BASE-07 a base can be deleted unless a paid order used it", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-01", 500_000)
		id := w.base("m1", "2024-05", 300_000)["id"].(string)
		del := func(ctx context.Context) error {
			_, err := w.Delete(ctx, &recordsgen.IDsReq{Type: "duesBase", Ids: []string{id}})
			return err
		}
		if err := del(admin("b2")); !errors.Is(err, kit.ErrNotFound) {
			t.Fatalf("sibling deletes: %v", err)
		}
		w.ok(del(admin("b1")))
		o := w.order("m1", "2024-05")
		equal(t, "both months by the base before", o.Amount, 100_00)
		err := w.act(admin("b1"), o.Id, "delete", "")
		w.ok(err)
		w.base("m1", "2024-05", 300_000) // back again
		w.cash(w.order("m1", "2024-05").Id)
		refused(t, del(admin("b1")), "该基数已被使用")
		equal(t, "listed", len(w.list(admin("b1"), "duesBase", nil).Items), 2)
	})
	t.Run("BASE-08 the template has both sheets and its header is accepted", func(t *testing.T) {
		w := newWorld(t)
		f, err := w.Template(admin("b1"), &recordsgen.TypeReq{Type: "duesBase"})
		w.ok(err)
		x, err := excelize.OpenReader(bytes.NewReader(f.Data))
		w.ok(err)
		defer x.Close()
		rows, err := x.GetRows("导入模板")
		w.ok(err)
		equal(t, "header", strings.Join(rows[0], " "), "姓名 身份证号 使用年月 应缴基数")
		help, err := x.GetRows("说明文档")
		w.ok(err)
		if len(help) < 5 {
			t.Fatalf("说明文档: %v", help)
		}
		for i, v := range []any{"张三", "11010519491231002X", "2024-05", "5000"} {
			cell, _ := excelize.CoordinatesToCellName(i+1, 2)
			w.ok(x.SetCellValue("导入模板", cell, v))
		}
		var filled bytes.Buffer
		w.ok(x.Write(&filled))
		b := w.upload(admin("b1"), filled.Bytes())
		if b.SuccessCount != 1 || b.FailureCount != 0 {
			t.Fatalf("%+v", b)
		}
		without := kit.WithCaller(context.Background(), kit.Caller{Kind: kit.User, UserID: "u", OrgID: "b1", Orgs: []string{"root", "b1"}, Permissions: []string{"duesBase.view"}})
		if _, err := w.Template(without, &recordsgen.TypeReq{Type: "duesBase"}); !errors.Is(err, kit.ErrForbidden) {
			t.Fatalf("without permission: %v", err)
		}
	})
	t.Run("BASE-09 an import creates and updates bases, or refuses the file as a whole", func(t *testing.T) {
		w := newWorld(t)
		w.base("m1", "2024-05", 300_000)
		b := w.upload(admin("b1"), sheet(t, baseHeader,
			[]any{"张三", "11010519491231002x", "2024-05", "5000.01"}, []any{"李四", "440524188001010014", "2024/6", 3000}))
		if b.SuccessCount != 2 || b.FailureCount != 0 {
			t.Fatalf("%+v", b)
		}
		l := w.list(admin("b1"), "duesBase", nil).Items
		equal(t, "bases", len(l), 2)
		for _, r := range l {
			if want := map[any]float64{"张三": 75_00, "李四": 15_00}[r["memberName"]]; r["payableAmount"] != want {
				t.Errorf("%v", r)
			}
		}
		for what, data := range map[string][]byte{"no Excel": []byte("x"), "empty": sheet(t, baseHeader), "column missing": sheet(t, baseHeader[:3], []any{"张三", "11010519491231002X", "2024-07"})} {
			if b := w.upload(admin("b1"), data); b.State != "failed" || b.Message == "" {
				t.Errorf("%s: %+v", what, b)
			}
		}
		equal(t, "bases", w.count("duesBases", nil), 2)
	})
	t.Run("BASE-10 bad rows are listed with reasons; the corrected failure file creates only them", func(t *testing.T) {
		w := newWorld(t)
		b := w.upload(admin("b1"), sheet(t, baseHeader,
			[]any{"张三", "11010519491231002X", "2024-05", "5000"},
			[]any{"张三", "440524188001010014", "2024-05", "5000"}, // another's number
			[]any{"王五", "34052419800101001X", "2024-05", "5000"}, // a sibling's member
			[]any{"李四", "440524188001010014", "五月", "5000"},
			[]any{"李四", "440524188001010014", "2024-05", "-1"},
			[]any{"李四", "440524188001010014", "2024-06", "abc"}))
		if b.SuccessCount != 1 || b.FailureCount != 5 {
			t.Fatalf("%+v", b)
		}
		for i, f := range b.Failures {
			if int(f.RowNo) != i+3 || f.Reason == "" {
				t.Errorf("%+v", f)
			}
		}
		f, err := w.ImportFailures(admin("b1"), &recordsgen.IDReq{Type: "duesBase", Id: b.Id})
		w.ok(err)
		x, err := excelize.OpenReader(bytes.NewReader(f.Data))
		w.ok(err)
		defer x.Close()
		for i, r := range [][]any{{"李四", "440524188001010014", "2024-01", "5000"}, {"李四", "440524188001010014", "2024-02", "5000"}, {"李四", "440524188001010014", "2024-03", "5000"},
			{"李四", "440524188001010014", "2024-04", "5000"}, {"李四", "440524188001010014", "2024-06", "5000"}} {
			for k, v := range r {
				cell, _ := excelize.CoordinatesToCellName(k+1, i+2)
				w.ok(x.SetCellValue("导入模板", cell, v))
			}
		}
		var fixed bytes.Buffer
		w.ok(x.Write(&fixed))
		b = w.upload(admin("b1"), fixed.Bytes())
		if b.SuccessCount != 5 || b.FailureCount != 0 {
			t.Fatalf("%+v", b)
		}
		equal(t, "bases", w.count("duesBases", nil), 6)
	})
}

func TestDemo(t *testing.T) {
	w := newWorld(t)
	for _, m := range w.party.members {
		m.DuesPaidThrough = ""
	}
	for range 2 {
		w.ok(w.SeedDemo(context.Background()))
	}
	equal(t, "bases", w.count("duesBases", nil), 3)
	if w.count("duesOrders", bson.D{{Key: "status", Value: "paid"}}) < 12 {
		t.Fatal("too few payments")
	}
	equal(t, "months", w.count("duesMonths", nil), w.count("duesLedger", nil))
	owed, err := w.GetOwed(admin("root"), &gen.OwedReq{MemberId: "m1"})
	w.ok(err)
	equal(t, "paid through agrees", owed.PaidThrough, w.party.through("m1"))
}
