package records_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// TestImportsEnd: an import that panics, or that kills its process twice, ends as failed.
func TestImportsEnd(t *testing.T) {
	db, clock := modeltest.DB(t), &kit.Clock{}
	books := model.NewCollection[*Book](db, "books", clock.Now)
	book := bookType(books, func() error { return nil })
	hold, held := make(chan struct{}), make(chan struct{}, 10)
	var atOnce, most atomic.Int32
	book.FromImport = func(ctx context.Context, row map[string]string, _ *Book) error {
		switch row["title"] {
		case "panics":
			panic("a mistake of ours")
		case "counts":
			n := atOnce.Add(1)
			defer atOnce.Add(-1)
			for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
			}
			// As long as a look into the store takes, others could begin.
			return books.Each(ctx, model.Everything, nil, model.Page{}, func(*Book) error { return nil })
		case "waits":
			held <- struct{}{}
			select {
			case <-hold:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	e, err := records.New(t.Context(), records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t)},
		records.Categories(db, clock, "shelf", "书架", "组织管理", "5.1", "党史"), book)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := admin(t, "root")
	start := func(titles ...string) *gen.ImportBatch {
		t.Helper()
		rows := [][]string{{"书名", "书架", "价格", "购入日期"}}
		for _, title := range titles {
			rows = append(rows, []string{title, "党史", "", ""})
		}
		b, err := e.StartImport(ctx, &gen.ImportReq{Type: "book", FileName: "书.xlsx", Data: sheetOf(t, rows)})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	state := func(id, want string) *gen.ImportBatch {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; {
			b, err := e.GetImport(ctx, &gen.IDReq{Type: "book", Id: id})
			if err != nil {
				t.Fatal(err)
			}
			if b.State == want {
				return b
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v, want %s", b, want)
			}
		}
	}
	t.Run("a panic", func(t *testing.T) {
		if b := state(start("一", "panics").Id, "failed"); !strings.Contains(b.Message, "内部错误") {
			t.Errorf("%+v", b)
		}
		if b := state(start("二").Id, "finished"); b.SuccessCount != 1 {
			t.Errorf("the next one: %+v", b)
		}
	})
	t.Run("a file of the review", func(t *testing.T) {
		for _, row := range []string{`<row r="2"><c r="F2"><f>1</f></c><c r="C2"/></row>`, `<row r="2"><c r="C2"/><c r="A2"><f>1</f></c></row>`} {
			b, err := e.StartImport(ctx, &gen.ImportReq{Type: "book", FileName: "书.xlsx", Data: rawSheet(t, `<row r="1"><c r="A1" t="inlineStr"><is><t>书名</t></is></c><c r="B1" t="inlineStr"><is><t>书架</t></is></c></row>`+row)})
			if err != nil {
				t.Fatal(err)
			}
			for b.State == "queued" || b.State == "running" {
				if b, err = e.GetImport(ctx, &gen.IDReq{Type: "book", Id: b.Id}); err != nil {
					t.Fatal(err)
				}
			}
			if b.SuccessCount != 0 {
				t.Errorf("%+v", b)
			}
		}
	})
	t.Run("two at once", func(t *testing.T) {
		var all []string
		for range 8 {
			all = append(all, start("counts").Id)
		}
		for _, id := range all {
			state(id, "finished")
		}
		if n := most.Load(); n < 1 || n > 2 {
			t.Errorf("%d imports were in memory at once", n)
		}
	})
	t.Run("two deaths", func(t *testing.T) {
		id := start("waits").Id
		<-held
		imports := db.Collection("imports")
		// A process that dies leaves the lease as it is; here time passes for it.
		die := func(n int) {
			t.Helper()
			if _, err := imports.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: bson.D{
				{Key: "leaseUntil", Value: time.Now().Add(-time.Second)}, {Key: "owner", Value: fmt.Sprint("dead", n)}}}}); err != nil {
				t.Fatal(err)
			}
		}
		die(1)
		run := func() {
			// Another process takes it and dies too: its call never returns here.
			go func() { _, _ = e.RunImport(kit.AsSystem(context.WithoutCancel(ctx)), &gen.IDReq{Type: "book", Id: id}) }()
		}
		run()
		<-held
		die(2)
		b, err := e.RunImport(kit.AsSystem(ctx), &gen.IDReq{Type: "book", Id: id})
		if err != nil || b.State != "failed" || !strings.Contains(b.Message, "未能完成") {
			t.Fatalf("%+v %v", b, err)
		}
		close(hold)
	})
}
