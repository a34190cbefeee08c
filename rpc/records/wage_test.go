package records_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Clerk is somebody who earns something, and may work for another one.
type Clerk struct {
	model.Base `bson:",inline"`
	Name       string     `bson:"name" json:"name" record:"label=姓名,required,list"`
	Wage       model.Wage `bson:"wage" json:"wage" record:"label=月工资,required,max=10000000,list"`
	BossID     string     `bson:"bossId" json:"bossId" record:"label=上司,ref=clerk"`
}

// Miser declares what somebody earns as any number.
type Miser struct {
	model.Base `bson:",inline"`
	Wage       int64 `bson:"wage" json:"wage" record:"label=月工资,type=money"`
}

func clerks(t *testing.T) *library {
	t.Helper()
	db, clock := modeltest.DB(t), &kit.Clock{}
	e, err := records.New(t.Context(), records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t)}, &records.Type[*Clerk]{
		Name: "clerk", Title: "职员", NameKey: "name", Columns: []string{"name", "wage"},
		Collection: model.NewCollection[*Clerk](db, "clerks", clock.Now),
		Actions: []records.Action[*Clerk]{{
			Key: "assign", Title: "指派", Fields: []records.Field{{Key: "bossId", Label: "上司", Ref: "clerk", Required: true, Form: true}},
			Do: func(_ context.Context, c *Clerk, in records.Input) error { c.BossID = in.String("bossId"); return nil },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return &library{Engine: e, books: model.NewCollection[*Book](db, "clerks", clock.Now)} // the collection of the name
}

// stored is all that a collection holds, as text.
func (l *library) stored(t *testing.T) string {
	t.Helper()
	cur, err := l.books.Mongo().Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var all []bson.M
	if err := cur.All(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, d := range all { // events are bytes
		if pending, ok := d["pending"].(bson.A); ok {
			for _, e := range pending {
				for _, x := range e.(bson.D) {
					if b, ok := x.Value.(bson.Binary); ok {
						out += string(b.Data)
					}
				}
			}
		}
		out += fmt.Sprint(d)
	}
	return out
}

func TestWage(t *testing.T) {
	l := clerks(t)
	a := admin(t, "a")
	made, err := l.save(a, "clerk", "", 0, map[string]any{"name": "张三", "wage": 876543})
	if err != nil {
		t.Fatal(err)
	}
	id := made["id"].(string)
	hidden := func(what, text string) {
		t.Helper()
		for _, open := range []string{"876543", "8765.43", "654321", "6543.21"} {
			if strings.Contains(text, open) {
				t.Errorf("%s tells %s: %s", what, open, text)
			}
		}
	}
	t.Run("PLUS-30 a wage is sealed in the store and masked wherever it is shown", func(t *testing.T) {
		hidden("the store", l.stored(t))
		for what, show := range map[string]func() (*gen.JSON, error){
			"the list":   func() (*gen.JSON, error) { return l.List(a, &gen.ListReq{Type: "clerk"}) },
			"the record": func() (*gen.JSON, error) { return l.Get(a, &gen.IDReq{Type: "clerk", Id: id}) },
		} {
			j, err := show()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if !strings.Contains(string(j.Json), `"wage":"******"`) {
				t.Errorf("%s: %s", what, j.Json)
			}
			hidden(what, string(j.Json))
		}
		if made["wage"] != "******" {
			t.Errorf("the answer: %v", made)
		}
	})
	t.Run("PLUS-30 who may see it in full has it as a number, and is written down", func(t *testing.T) {
		full, err := decode(l.Reveal(a, &gen.IDReq{Type: "clerk", Id: id}))
		if err != nil || full["wage"] != 876543.0 {
			t.Fatalf("%v %v", full, err)
		}
		if _, err := l.Reveal(admin(t, "a", "clerk.view"), &gen.IDReq{Type: "clerk", Id: id}); !errors.Is(err, kit.ErrForbidden) {
			t.Errorf("without the right: %v", err)
		}
	})
	t.Run("a form that sends the mask back changes nothing, a new number does", func(t *testing.T) {
		if _, err := l.save(a, "clerk", id, 1, map[string]any{"name": "张三丰", "wage": "******"}); err != nil {
			t.Fatal(err)
		}
		if full, err := decode(l.Reveal(a, &gen.IDReq{Type: "clerk", Id: id})); err != nil || full["wage"] != 876543.0 || full["name"] != "张三丰" {
			t.Fatalf("%v %v", full, err)
		}
		if _, err := l.save(a, "clerk", id, 2, map[string]any{"wage": 654321}); err != nil {
			t.Fatal(err)
		}
		if full, err := decode(l.Reveal(a, &gen.IDReq{Type: "clerk", Id: id})); err != nil || full["wage"] != 654321.0 {
			t.Fatalf("%v %v", full, err)
		}
		_, err := l.save(a, "clerk", id, 3, map[string]any{"wage": 10_000_001})
		says(t, err, "月工资不能大于100000.00")
		_, err = l.save(a, "clerk", id, 3, map[string]any{"wage": -1})
		says(t, err, "月工资")
		hidden("the store with its audit", l.stored(t))
	})
	t.Run("PLUS-30 an export holds it open for who may see it, and masked for others", func(t *testing.T) {
		for want, permissions := range map[string][]string{"6543.21": nil, "******": {"clerk.view", "clerk.export"}} {
			f, err := l.Export(admin(t, "a", permissions...), &gen.ListReq{Type: "clerk", Columns: []string{"name", "wage"}})
			if err != nil {
				t.Fatal(err)
			}
			x, err := excelize.OpenReader(bytes.NewReader(f.Data))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := x.GetCellValue("职员", "B2"); err != nil || got != want {
				t.Errorf("%q %v, want %s", got, err, want)
			}
			_ = x.Close()
		}
	})
	t.Run("PLUS-30 an import reads it, shows its sender what it read and stores it sealed", func(t *testing.T) {
		b, err := l.StartImport(a, &gen.ImportReq{Type: "clerk", FileName: "职员.xlsx", Preview: true, Data: sheetOf(t, [][]string{{"姓名", "月工资"}, {"李四", "￥8,765.43"}, {"王五", "许多"}})})
		if err != nil {
			t.Fatal(err)
		}
		b = l.await(t, a, b)
		p, err := l.PreviewImport(a, &gen.PreviewReq{Type: "clerk", Id: b.Id})
		if err != nil || p.Rows[0].Cells[1].Value != "8765.43" || !strings.Contains(p.Rows[1].Cells[1].Reason, "金额") {
			t.Fatalf("%+v %v", p, err)
		}
		if b, err = l.ConfirmImport(a, &gen.IDReq{Type: "clerk", Id: b.Id}); err != nil {
			t.Fatal(err)
		}
		if b = l.await(t, a, b); b.SuccessCount != 1 || b.FailureCount != 1 {
			t.Fatalf("%+v", b)
		}
		hidden("the store", l.stored(t))
		for _, name := range []string{"imports", "importFailures", "importParts"} {
			var all []bson.M
			cur, err := l.books.Mongo().Database().Collection(name).Find(t.Context(), bson.D{})
			if err != nil || cur.All(t.Context(), &all) != nil {
				t.Fatal(err)
			}
			hidden(name, fmt.Sprint(all))
		}
	})
	t.Run("PLUS-30 one that is declared as any number does not start", func(t *testing.T) {
		db, clock := modeltest.DB(t), &kit.Clock{}
		_, err := records.New(t.Context(), records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t)}, &records.Type[*Miser]{
			Name: "miser", Title: "职员", Collection: model.NewCollection[*Miser](db, "misers", clock.Now),
		})
		if err == nil || !strings.Contains(err.Error(), "wage (月工资) is neither personal nor public") {
			t.Fatal(err)
		}
	})
	t.Run("nobody stores one open, or reckons with one that is sealed", func(t *testing.T) {
		if _, err := l.books.Mongo().InsertOne(t.Context(), &Clerk{Base: model.Base{ID: "open"}, Wage: model.WageOf(1)}); err == nil {
			t.Error("an open wage is stored")
		}
		defer func() {
			if recover() == nil {
				t.Error("a sealed wage is taken for a number")
			}
		}()
		c := &Clerk{Base: model.Base{ID: "c"}, Wage: model.WageOf(1)}
		modeltest.Sealer(t).Close(c)
		_ = c.Wage.Fen()
	})
}

// TestActionRefs: what an action's dialog refers to is checked as in a form.
func TestActionRefs(t *testing.T) {
	l := clerks(t)
	made := map[string]string{}
	for _, org := range []string{"a", "b"} {
		for _, name := range []string{"甲", "乙"} {
			row, err := l.save(admin(t, org), "clerk", "", 0, map[string]any{"name": name, "wage": 1})
			if err != nil {
				t.Fatal(err)
			}
			made[org+name] = row["id"].(string)
		}
	}
	assign := func(boss any) error {
		b, _ := json.Marshal(map[string]any{"bossId": boss})
		_, err := l.Act(admin(t, "a"), &gen.ActReq{Type: "clerk", Id: made["a甲"], Action: "assign", Json: b})
		return err
	}
	for _, other := range []any{made["b甲"], "nobody", strings.Repeat("x", 90)} {
		says(t, assign(other), "上司不存在或不在管理范围内")
	}
	says(t, assign(""), "请填写上司")
	if err := assign(made["a乙"]); err != nil {
		t.Fatal(err)
	}
}
