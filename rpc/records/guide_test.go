package records_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Book 书籍 is the example of README.md: a branch's reading room.
type Book struct {
	model.Base     `bson:",inline"`
	model.Approval `bson:",inline"`
	Title          string `bson:"title" json:"title" record:"label=书名,required,max=60,list,search,keyword"`
	ShelfID        string `bson:"shelfId" json:"shelfId" record:"label=书架,required,list,search,ref=shelf"`
	Price          int64  `bson:"price" json:"price" record:"label=价格,type=money,list"`
	BoughtOn       string `bson:"boughtOn" json:"boughtOn" record:"label=购入日期,type=date,past,list"`
	Lent           bool   `bson:"lent" json:"lent" record:"label=已借出,readonly,list,search"`
	MemberID       string `bson:"memberId" json:"memberId"`
}

// bookType is the whole declaration.
func bookType(c *model.Collection[*Book], effect func() error) *records.Type[*Book] {
	return &records.Type[*Book]{
		Name: "book", Title: "书籍", Menu: "组织管理", Icon: "collection", Section: "5.2", Collection: c, NameKey: "title",
		Unique:  []records.Unique{{Keys: []string{"orgId", "title"}, Field: "title", Message: "该书已登记"}},
		Columns: []string{"title", "shelfId", "price", "boughtOn"},
		Own: &records.Own[*Book]{
			Where:  func(c *kit.Caller) bson.D { return bson.D{{Key: "memberId", Value: c.MemberID}} },
			Create: true, Fields: []string{"title", "state"}, Form: []string{"title", "shelfId"},
			Prepare: func(ctx context.Context, b *Book) error { b.MemberID = kit.CallerOf(ctx).MemberID; return nil },
		},
		Approval: &records.Approval[*Book]{
			Applicant: func(b *Book) string { return b.MemberID },
			Effect:    func(context.Context, *Book) error { return effect() },
		},
		Actions: []records.Action[*Book]{{
			Key: "lend", Title: "借出", Fields: []records.Field{{Key: "reader", Label: "借阅人", Required: true, Form: true}},
			Do: func(_ context.Context, b *Book, in records.Input) error { b.Lent = true; return nil },
		}},
		Life: &records.Life[*Book]{Verbs: []records.Verb[*Book]{{Key: "lend", If: func(_ *kit.Caller, b *Book, _ time.Time) *kit.Error {
			if b.Lent {
				return kit.Conflict("book.lent", "该书已借出")
			}
			return nil
		}}}},
	}
}

type tree struct{}

func (tree) Path(_ context.Context, id string) ([]string, error) {
	switch id {
	case "root":
		return []string{"root"}, nil
	case "a", "b":
		return []string{"root", id}, nil
	}
	return nil, kit.ErrNotFound
}

func as(t *testing.T, c kit.Caller) context.Context {
	c.Orgs, _ = tree{}.Path(t.Context(), c.OrgID)
	c.TopLevel = c.OrgID == "root"
	return kit.WithCaller(t.Context(), c)
}

func admin(t *testing.T, org string, permissions ...string) context.Context {
	if permissions == nil {
		permissions = []string{"*"}
	}
	return as(t, kit.Caller{Kind: kit.User, UserID: "u" + org, Name: "管理员", OrgID: org, Permissions: permissions})
}

func member(t *testing.T, id, org string) context.Context {
	return as(t, kit.Caller{Kind: kit.Member, MemberID: id, Name: "党员" + id, OrgID: org})
}

type library struct {
	*records.Engine
	books   *model.Collection[*Book]
	counted int
	trouble error // of the next effect
}

// effect follows an approval.
func (l *library) effect() error {
	if err := l.trouble; err != nil {
		l.trouble = nil
		return err
	}
	l.counted++
	return nil
}

func open(t *testing.T) *library {
	t.Helper()
	db, clock := modeltest.DB(t), &kit.Clock{}
	l := &library{books: model.NewCollection[*Book](db, "books", clock.Now)}
	var err error
	l.Engine, err = records.New(t.Context(), records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t)},
		records.Categories(db, clock, "shelf", "书架", "组织管理", "5.1", "党史", "理论"), bookType(l.books, l.effect))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

type answer map[string]any

func (l *library) save(ctx context.Context, typ, id string, version int64, form map[string]any) (answer, error) {
	b, _ := json.Marshal(form)
	return decode(l.Save(ctx, &gen.SaveReq{Type: typ, Id: id, Version: version, Json: b}))
}

func (l *library) act(ctx context.Context, id, action string, form map[string]any) (answer, error) {
	b, _ := json.Marshal(form)
	return decode(l.Act(ctx, &gen.ActReq{Type: "book", Id: id, Action: action, Json: b}))
}

func decode(j *gen.JSON, err error) (answer, error) {
	var out answer
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(j.Json, &out)
}

func titles(t *testing.T, a answer) []string {
	t.Helper()
	out := []string{}
	for _, x := range a["items"].([]any) {
		r := x.(map[string]any)
		if n, ok := r["name"]; ok {
			out = append(out, n.(string))
		} else {
			out = append(out, r["title"].(string))
		}
	}
	return out
}

func says(t *testing.T, err error, text string) {
	t.Helper()
	var e *kit.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %q", err, text)
	}
	all := e.Message
	for _, f := range e.Fields {
		all += " " + f
	}
	if !strings.Contains(all, text) {
		t.Fatalf("said %q, want %q", all, text)
	}
}

// TestOneDeclaration uses everything that the declaration gives.
func TestOneDeclaration(t *testing.T) {
	l := open(t)
	a, b, root := admin(t, "a"), admin(t, "b"), admin(t, "root")
	list := func(ctx context.Context, typ, keyword string) []string {
		t.Helper()
		got, err := decode(l.List(ctx, &gen.ListReq{Type: typ, Keyword: keyword}))
		if err != nil {
			t.Fatal(err)
		}
		return titles(t, got)
	}
	shelves, err := decode(l.List(a, &gen.ListReq{Type: "shelf"}))
	if err != nil || !slices.Equal(titles(t, shelves), []string{"党史", "理论"}) {
		t.Fatalf("%v %v", shelves, err)
	}
	history := shelves["items"].([]any)[0].(map[string]any)["id"].(string)

	t.Run("told to menus and roles", func(t *testing.T) {
		infos, err := l.Types(a, &gen.Empty{})
		if err != nil || len(infos.Types) != 2 {
			t.Fatal(infos, err)
		}
		var keys []string
		for _, p := range infos.Types[1].Permissions {
			keys = append(keys, p.Key)
		}
		want := []string{"book.view", "book.create", "book.update", "book.delete", "book.import", "book.export", "book.approve", "book.lend"}
		if !slices.Equal(keys, want) || infos.Types[1].Menu != "组织管理" {
			t.Fatalf("%v", keys)
		}
	})
	t.Run("form, list, edit with a version, delete", func(t *testing.T) {
		_, err := l.save(a, "book", "", 0, map[string]any{"title": " ", "boughtOn": "2199-01-01"})
		says(t, err, "请填写书名")
		says(t, err, "请填写书架")
		says(t, err, "不能晚于今天")
		one, err := l.save(a, "book", "", 0, map[string]any{"title": "共产党宣言", "shelfId": history, "price": 3550})
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.save(a, "book", "", 0, map[string]any{"title": "共产党宣言", "shelfId": history})
		says(t, err, "该书已登记")
		_, err = l.save(a, "book", "", 0, map[string]any{"title": "书", "shelfId": "nowhere"})
		says(t, err, "书架不存在")
		if got := list(b, "book", ""); len(got) != 0 {
			t.Fatalf("a sibling sees %v", got)
		}
		if got := list(root, "book", "宣言"); len(got) != 1 {
			t.Fatalf("above one sees %v", got)
		}
		_, err = l.save(b, "book", one["id"].(string), 1, map[string]any{"title": "别的"})
		says(t, err, "无权限或数据不存在")
		if _, err = l.save(a, "book", one["id"].(string), 1, map[string]any{"title": "资本论"}); err != nil {
			t.Fatal(err)
		}
		_, err = l.save(a, "book", one["id"].(string), 1, map[string]any{"title": "后来者"})
		says(t, err, "已被他人修改")
		_, err = l.save(admin(t, "a", "book.view"), "book", "", 0, map[string]any{"title": "书", "shelfId": history})
		says(t, err, "无操作权限")
	})
	t.Run("categories: top level only, unique, defaults and those in use stay, a new name shows everywhere", func(t *testing.T) {
		_, err := l.save(a, "shelf", "", 0, map[string]any{"name": "小说"})
		says(t, err, "只有一级管理员可以操作")
		_, err = l.save(root, "shelf", "", 0, map[string]any{"name": "党史"})
		says(t, err, "该名称已存在")
		novels, err := l.save(root, "shelf", "", 0, map[string]any{"name": "小说"})
		if err != nil {
			t.Fatal(err)
		}
		id := novels["id"].(string)
		_, err = l.Delete(root, &gen.IDsReq{Type: "shelf", Ids: []string{history}})
		says(t, err, "系统默认")
		book, err := l.save(a, "book", "", 0, map[string]any{"title": "红岩", "shelfId": id})
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.Delete(root, &gen.IDsReq{Type: "shelf", Ids: []string{id}})
		says(t, err, "正在使用")
		if _, err = l.save(root, "shelf", id, 1, map[string]any{"name": "红色小说"}); err != nil {
			t.Fatal(err)
		}
		shown, err := decode(l.Get(a, &gen.IDReq{Type: "book", Id: book["id"].(string)}))
		if err != nil || shown["_labels"].(map[string]any)["shelfId"] != "红色小说" {
			t.Fatalf("%v %v", shown, err)
		}
		if _, err := l.Delete(a, &gen.IDsReq{Type: "book", Ids: []string{book["id"].(string)}}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Delete(root, &gen.IDsReq{Type: "shelf", Ids: []string{id}}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a list shows of a record what its own page shows", func(t *testing.T) {
		for _, c := range []context.Context{a, root, member(t, "m", "a")} {
			book, err := l.save(c, "book", "", 0, map[string]any{"title": "“论” <i>\\ & " + kit.CallerOf(c).OrgID + kit.CallerOf(c).MemberID, "shelfId": history})
			if err != nil {
				t.Fatal(err)
			}
			id := book["id"].(string)
			shown, err := decode(l.Get(c, &gen.IDReq{Type: "book", Id: id}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode(l.List(c, &gen.ListReq{Type: "book"}))
			if err != nil {
				t.Fatal(err)
			}
			rows := got["items"].([]any)
			i := slices.IndexFunc(rows, func(r any) bool { return r.(map[string]any)["id"] == id })
			if i < 0 || !reflect.DeepEqual(rows[i], any(map[string]any(shown))) {
				t.Fatalf("list %v\nhas not\n%v", rows, shown)
			}
			// Of the columns asked for the list shows the same and nothing else, of others nothing.
			got, err = decode(l.List(c, &gen.ListReq{Type: "book", Columns: []string{"title", "shelfId", "deleted", "pending", "orgs"}}))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{}
			for _, key := range []string{"id", "version", "title", "shelfId", "_labels", "_actions"} {
				want[key] = shown[key]
			}
			want["_labels"] = map[string]any{"shelfId": shown["_labels"].(map[string]any)["shelfId"]}
			if few := got["items"].([]any)[i]; !reflect.DeepEqual(few, any(want)) {
				t.Fatalf("list %v\nis not\n%v", few, want)
			}
			if _, err := l.Delete(root, &gen.IDsReq{Type: "book", Ids: []string{id}}); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("actions: a button only when allowed, refused all the same", func(t *testing.T) {
		book, err := l.save(a, "book", "", 0, map[string]any{"title": "国家与革命", "shelfId": history})
		if err != nil {
			t.Fatal(err)
		}
		id := book["id"].(string)
		_, err = l.act(a, id, "lend", nil)
		says(t, err, "请填写借阅人")
		_, err = l.act(b, id, "lend", map[string]any{"reader": "李四"})
		says(t, err, "无权限或数据不存在")
		got, err := l.act(a, id, "lend", map[string]any{"reader": "李四"})
		if err != nil || got["lent"] != true {
			t.Fatal(got, err)
		}
		for _, x := range got["_actions"].([]any) {
			if x == "lend" {
				t.Error("a book that is lent can be lent again")
			}
		}
		_, err = l.act(a, id, "lend", map[string]any{"reader": "王五"})
		says(t, err, "该书已借出")
	})
	t.Run("members hand in, an admin decides once, both sides are told, the effect follows once", func(t *testing.T) {
		me, other := member(t, "m1", "a"), member(t, "m2", "a")
		mine, err := l.save(me, "book", "", 0, map[string]any{"title": "矛盾论", "shelfId": history, "price": 1, "memberId": "m2"})
		if err != nil {
			t.Fatal(err)
		}
		if _, shown := mine["price"]; shown || mine["state"] != "pending" {
			t.Fatalf("%v", mine)
		}
		id := mine["id"].(string)
		if got := list(me, "book", ""); !slices.Equal(got, []string{"矛盾论"}) {
			t.Fatalf("he sees %v", got)
		}
		_, err = l.Get(other, &gen.IDReq{Type: "book", Id: id})
		says(t, err, "无权限或数据不存在")
		_, err = l.save(me, "book", id, 1, map[string]any{"title": "改"})
		says(t, err, "无操作权限")
		_, err = l.act(me, id, "approve", nil)
		says(t, err, "无操作权限")
		_, err = l.act(b, id, "approve", nil)
		says(t, err, "无权限或数据不存在")
		done, err := l.act(a, id, "approve", map[string]any{"opinion": "同意"})
		if err != nil || done["state"] != "approved" || done["approverName"] != "管理员" || l.counted != 1 {
			t.Fatal(done, err, l.counted)
		}
		_, err = l.act(root, id, "reject", map[string]any{"opinion": "不"})
		says(t, err, "已审核")
		doc, err := l.books.Get(t.Context(), model.Everything, id)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range doc.Pending {
			var x model.Told
			if e.Kind != model.EventTold {
				continue
			}
			if err := json.Unmarshal(e.Payload, &x); err != nil {
				t.Fatal(err)
			}
			told = append(told, fmt.Sprint(x.Kind, " ", x.TargetType, " ", x.TargetID == id, " to ", x.AdminsOf, x.Permission, x.UserIDs, x.MemberIDs, ": ", x.Content))
		}
		if !slices.Equal(told, []string{
			"submitted book true to abook.approve[] []: 党员m1提交了书籍“矛盾论”", "decided book true to [] [m1]: 书籍“矛盾论”已通过，意见：同意",
		}) || doc.MemberID != "m1" || doc.Price != 0 {
			t.Fatalf("%q %s %d", told, doc.MemberID, doc.Price)
		}
	})
	t.Run("what goes wrong after the write is told as done, and made up for", func(t *testing.T) {
		mine, err := l.save(member(t, "m3", "a"), "book", "", 0, map[string]any{"title": "反杜林论", "shelfId": history})
		if err != nil {
			t.Fatal(err)
		}
		before := l.counted
		l.trouble = errors.New("the other service is down")
		done, err := l.act(a, mine["id"].(string), "approve", nil)
		if err != nil || done["state"] != "approved" || l.counted != before {
			t.Fatal(done, err, l.counted)
		}
		for range 2 {
			if _, err := l.Resume(kit.AsSystem(t.Context()), &gen.Empty{}); err != nil {
				t.Fatal(err)
			}
		}
		if l.counted != before+1 {
			t.Fatalf("%d effects", l.counted-before)
		}
	})
	t.Run("an effect that a crash left alone is made up for, once", func(t *testing.T) {
		before := l.counted
		doc := &Book{Base: model.Base{ID: "x", OrgID: "a", Orgs: []string{"root", "a"}, FollowDue: true}, Approval: model.Approval{State: model.ApprovalApproved}, Title: "实践论"}
		if err := l.books.Insert(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := l.Resume(kit.AsSystem(t.Context()), &gen.Empty{}); err != nil {
				t.Fatal(err)
			}
		}
		if l.counted != before+1 {
			t.Fatalf("%d effects", l.counted-before)
		}
		door := recordsvc.Wrap(kit.NewLocal(func(k server.Server) error { return recordsvc.RegisterService(k, l) }))
		if _, err := door.Resume(a, &gen.Empty{}); err == nil {
			t.Fatal("an admin resumes")
		}
	})
	t.Run("template and export", func(t *testing.T) {
		f, err := l.Template(a, &gen.TypeReq{Type: "book"})
		if err != nil {
			t.Fatal(err)
		}
		x, err := excelize.OpenReader(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		head, err := x.GetRows("导入模板")
		if err != nil || strings.Join(head[0], " ") != "书名 书架 价格 购入日期" {
			t.Fatalf("%v %v", head, err)
		}
		out, err := l.Export(a, &gen.ListReq{Type: "book", Columns: []string{"title", "shelfId"}})
		if err != nil {
			t.Fatal(err)
		}
		y, err := excelize.OpenReader(bytes.NewReader(out.Data))
		if err != nil {
			t.Fatal(err)
		}
		defer y.Close()
		rows, err := y.GetRows(y.GetSheetName(0))
		if err != nil || strings.Join(rows[0], " ") != "书名 书架" || rows[len(rows)-1][1] != "党史" {
			t.Fatalf("%v %v", rows, err)
		}
	})
}
