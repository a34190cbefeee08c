package records_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
)

// await is an import once no worker is at it.
func (l *library) await(t *testing.T, ctx context.Context, b *gen.ImportBatch) *gen.ImportBatch {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); slices.Contains([]string{"queued", "checking", "running"}, b.State); {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", b)
		}
		var err error
		if b, err = l.GetImport(ctx, &gen.IDReq{Type: b.Type, Id: b.Id}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestPreview(t *testing.T) {
	l := open(t)
	ctx := admin(t, "root")
	if b, err := l.StartImport(ctx, &gen.ImportReq{Type: "book", FileName: "书.xlsx", Data: sheetOf(t, [][]string{{"书名", "书架"}, {"已有", "党史"}})}); err != nil || l.await(t, ctx, b).SuccessCount != 1 {
		t.Fatalf("%+v %v", b, err)
	}
	books := func() int64 {
		t.Helper()
		n, err := l.books.Mongo().CountDocuments(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	upload := func(rows ...[]string) *gen.ImportBatch {
		t.Helper()
		all := append([][]string{{"书名", "书架", "价格", "购入日期"}}, rows...)
		b, err := l.StartImport(ctx, &gen.ImportReq{Type: "book", FileName: "书.xlsx", Data: sheetOf(t, all), Preview: true})
		if err != nil {
			t.Fatal(err)
		}
		return l.await(t, ctx, b)
	}
	preview := func(id string, bad bool) *gen.ImportPreview {
		t.Helper()
		p, err := l.PreviewImport(ctx, &gen.PreviewReq{Type: "book", Id: id, Bad: bad, Size: 100})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	counts := func(b *gen.ImportBatch, state string, total, good, bad int32) {
		t.Helper()
		if b.State != state || b.Total != total || b.SuccessCount != good || b.FailureCount != bad {
			t.Fatalf("%+v, want %s %d %d %d", b, state, total, good, bad)
		}
	}
	b := upload(
		[]string{"资 本 论", "党史", "￥12.5", "2024年7月1日"}, []string{"实践论", "历史", "", ""}, []string{"矛盾论", "历史", "", ""},
		[]string{"已有", "党史", "", ""}, []string{"反对本本主义", "党史", "许多", "2024-02-30"}, []string{"资本论", "理论", "", ""}, []string{"论持久战", "党史", "", "2019"},
	)
	counts(b, "preview", 7, 1, 6)
	if books() != 1 {
		t.Fatal("a check stored something")
	}
	p := preview(b.Id, false)
	if len(p.Rows) != 7 || p.Total != 7 || p.Rows[0].Cells[0].Value != "资本论" || p.Rows[0].Cells[2].Value != "12.50" || p.Rows[0].Cells[3].Value != "2024-07-01" || p.Rows[0].Cells[0].Text != "资 本 论" {
		t.Fatalf("%+v", p.Rows[0])
	}
	if g := p.Groups[0]; g.Count != 2 || g.Word != "历史" || g.Column != "shelfId" || g.Label != "书架" {
		t.Fatalf("%+v", g)
	}
	if c := p.Columns[1]; !slices.Contains(c.Options, "党史") || !c.Required {
		t.Fatalf("%+v", c)
	}
	bad := preview(b.Id, true)
	if bad.Total != 6 || bad.Rows[0].RowNo != 3 || !strings.Contains(bad.Rows[3].Cells[2].Reason, "金额") || !strings.Contains(bad.Rows[3].Cells[3].Reason, "没有2024-02-30") || !strings.Contains(bad.Rows[2].Cells[0].Reason, "已登记") || !strings.Contains(bad.Rows[4].Cells[0].Reason, "与文件第2行相同") {
		t.Fatalf("%+v", bad.Rows)
	}

	mend := func(req *gen.MendReq) *gen.ImportBatch {
		t.Helper()
		req.Type, req.Id = "book", b.Id
		got, err := l.MendImport(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return l.await(t, ctx, got)
	}
	counts(mend(&gen.MendReq{Words: []*gen.ImportMapping{{Column: "shelfId", Word: "历史", Text: "党史"}}}), "preview", 7, 3, 4)
	counts(mend(&gen.MendReq{Cells: []*gen.ImportMend{{RowNo: 6, Column: "price", Text: "９.9"}, {RowNo: 6, Column: "boughtOn", Text: ""}}}), "preview", 7, 4, 3)
	counts(mend(&gen.MendReq{Skip: []int32{5, 7}}), "preview", 5, 4, 1)
	if r := preview(b.Id, false).Rows[3]; !r.Skipped {
		t.Fatalf("%+v", r)
	}
	counts(mend(&gen.MendReq{Keep: []int32{7}}), "preview", 6, 4, 2)
	if books() != 1 {
		t.Fatal("mending stored something")
	}

	// Nobody else sees it or decides on it.
	other := admin(t, "a")
	if _, err := l.PreviewImport(other, &gen.PreviewReq{Type: "book", Id: b.Id}); err == nil {
		t.Fatal("another's preview")
	}
	if _, err := l.ConfirmImport(other, &gen.IDReq{Type: "book", Id: b.Id}); err == nil {
		t.Fatal("another confirms")
	}
	done, err := l.ConfirmImport(ctx, &gen.IDReq{Type: "book", Id: b.Id})
	if err != nil {
		t.Fatal(err)
	}
	done = l.await(t, ctx, done)
	counts(done, "finished", 6, 4, 2)
	if len(done.Failures) != 2 || done.Failures[0].RowNo != 7 || done.Failures[1].RowNo != 8 || books() != 5 {
		t.Fatalf("%+v", done.Failures)
	}
	for _, f := range []func() error{
		func() error { _, err := l.ConfirmImport(ctx, &gen.IDReq{Type: "book", Id: b.Id}); return err },
		func() error { _, err := l.CancelImport(ctx, &gen.IDReq{Type: "book", Id: b.Id}); return err },
		func() error {
			_, err := l.PreviewImport(ctx, &gen.PreviewReq{Type: "book", Id: b.Id})
			return err
		},
	} {
		if f() == nil {
			t.Error("it is over")
		}
	}

	b = upload([]string{"另一本", "党史", "", ""})
	counts(b, "preview", 1, 1, 0)
	gone, err := l.CancelImport(ctx, &gen.IDReq{Type: "book", Id: b.Id})
	if err != nil || gone.State != "cancelled" || books() != 5 {
		t.Fatalf("%+v %v", gone, err)
	}
	if _, err := l.ConfirmImport(ctx, &gen.IDReq{Type: "book", Id: b.Id}); err == nil {
		t.Fatal("a cancelled import is confirmed")
	}
	b = upload([]string{"", "党史", "", ""})
	if _, err := l.ConfirmImport(ctx, &gen.IDReq{Type: "book", Id: b.Id}); err == nil {
		t.Fatal("nothing to store")
	}
}
