package records_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Trip is a document with a life: planned, sent off by somebody else than who planned it, then
// under way and over by the clock.
type Trip struct {
	model.Base     `bson:",inline"`
	model.OfMember `bson:",inline"`
	Title          string `bson:"title" json:"title" record:"label=名称,required,list,search"`
	From           string `bson:"from" json:"from" record:"label=开始日期,type=date,required,list"`
	To             string `bson:"to" json:"to" record:"label=结束日期,type=date,required,list"`
	State          string `bson:"state" json:"state" record:"label=状态,readonly,list,search"`
	Full           bool   `bson:"-" json:"-"`
}

var tripLife = &records.Life[*Trip]{
	Field: "state",
	At: func(t *Trip, now time.Time) string {
		switch today := now.Format(time.DateOnly); {
		case t.State != "sent":
			return "planned"
		case today > t.To:
			return "over"
		}
		return "sent"
	},
	States: []records.State{
		{Value: "planned", Label: "计划", Color: "info", Where: func(time.Time) bson.D { return bson.D{{Key: "state", Value: bson.D{{Key: "$ne", Value: "sent"}}}} }},
		{Value: "sent", Label: "出发", Where: func(now time.Time) bson.D {
			return bson.D{{Key: "state", Value: "sent"}, {Key: "to", Value: bson.D{{Key: "$gte", Value: now.Format(time.DateOnly)}}}}
		}},
		{Value: "over", Label: "结束", Refuse: kit.Conflict("trip.over", "行程已结束"), Where: func(now time.Time) bson.D {
			return bson.D{{Key: "state", Value: "sent"}, {Key: "to", Value: bson.D{{Key: "$lt", Value: now.Format(time.DateOnly)}}}}
		}},
	},
	Load: func(_ context.Context, docs []*Trip) error {
		for _, t := range docs {
			t.Full = t.Title == "满员"
		}
		return nil
	},
	Verbs: []records.Verb[*Trip]{
		{Key: "update", In: []string{"planned"}, Refusals: map[string]*kit.Error{"sent": kit.Conflict("trip.sent", "行程已出发，不可修改")}},
		{Key: "delete", In: []string{"planned"}},
		{Key: "send", In: []string{"planned"}, To: "sent", Others: true, If: func(_ *kit.Caller, t *Trip, _ time.Time) *kit.Error {
			if t.Full {
				return kit.Conflict("trip.full", "人数已满")
			}
			return nil
		}},
		{Key: "expire", In: []string{"planned"}, Inner: true},
	},
}

// people are members who are all in a.
type people struct{}

func (people) Place(_ context.Context, id string) (string, []string, error) {
	if id == "nobody" {
		return "", nil, kit.ErrNotFound
	}
	return "a", []string{"root", "a"}, nil
}

func (people) Identities(_ context.Context, ids []string) (map[string]records.Identity, error) {
	out := map[string]records.Identity{}
	for _, id := range ids {
		out[id] = records.Identity{Masked: "11**" + id, Sealed: ""}
	}
	return out, nil
}

func tripType(c *model.Collection[*Trip]) *records.Type[*Trip] {
	return &records.Type[*Trip]{
		Name: "trip", Title: "行程", Collection: c, NameKey: "title", Life: tripLife,
		Parts: []records.Part{records.AboutMember(people{}), records.Period("行程", "from", "to")},
		Actions: []records.Action[*Trip]{
			{Key: "send", Title: "出发", All: true},
			{
				Key: "cancel", Title: "取消", Fields: []records.Field{{Key: "reason", Label: "原因", Required: true, Form: true}},
				Run: func(ctx context.Context, t *Trip, in records.Input) (*Trip, error) {
					return c.Update(ctx, model.Everything, t.ID, func(t *Trip) error { t.Title += in.String("reason"); return nil })
				},
				Done: func(*Trip) string { return "已取消" },
			},
			{Key: "photo", Title: "照片", Alone: true, Do: func(context.Context, *Trip, records.Input) error { return nil }},
		},
	}
}

type trips struct {
	*records.Engine
	clock *kit.Clock
}

func openTrips(t *testing.T) trips { t.Helper(); return tripsOn(t, modeltest.DB(t)) }

// tripsOn is a process on a database.
func tripsOn(t *testing.T, db *mongo.Database) trips {
	t.Helper()
	clock := &kit.Clock{}
	anybody := records.Ref{
		Labels: func(context.Context, []string) (map[string]string, error) { return map[string]string{}, nil },
		Check:  func(context.Context, []string) error { return nil },
	}
	e, err := records.New(t.Context(), records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t), Refs: map[string]records.Ref{"member": anybody, "organization": anybody}},
		tripType(model.NewCollection[*Trip](db, "trips", clock.Now)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return trips{e, clock}
}

func (l trips) save(ctx context.Context, id string, version int64, form map[string]any) (answer, error) {
	return (&library{Engine: l.Engine}).save(ctx, "trip", id, version, form)
}

func (l trips) do(ctx context.Context, verb string, row answer) error {
	id, version := row["id"].(string), int64(row["version"].(float64))
	switch verb {
	case "update":
		_, err := l.save(ctx, id, version, map[string]any{"title": row["title"]})
		return err
	case "delete":
		_, err := l.Delete(ctx, &gen.IDsReq{Type: "trip", Ids: []string{id}})
		return err
	}
	_, err := l.Act(ctx, &gen.ActReq{Type: "trip", Id: id, Action: verb, Json: []byte("{}")})
	return err
}

func (l trips) list(t *testing.T, ctx context.Context, state string) []answer {
	t.Helper()
	got, err := decode(l.List(ctx, &gen.ListReq{Type: "trip", Filters: map[string]string{"state": state}}))
	if err != nil {
		t.Fatal(err)
	}
	var out []answer
	for _, row := range got["items"].([]any) {
		out = append(out, row.(map[string]any))
	}
	return out
}

// TestLife: one table says what is offered, refused, found and shown.
func TestLife(t *testing.T) {
	l := openTrips(t)
	planner := admin(t, "a")
	other := as(t, kit.Caller{Kind: kit.User, UserID: "another", Name: "另一位", OrgID: "a", Permissions: []string{"*"}})
	today := time.Now().In(kit.Shanghai)
	plan := func(t *testing.T, title string) answer {
		t.Helper()
		row, err := l.save(planner, "", 0, map[string]any{
			"title": title, "memberId": "m1", "from": today.Format(time.DateOnly), "to": today.AddDate(0, 0, 1).Format(time.DateOnly),
		})
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	t.Run("a verb is offered if, and only if, it is not refused", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			ready func(t *testing.T) answer
			who   context.Context
			may   []string
			says  map[string]string
		}{
			{"planned, by who planned it", func(t *testing.T) answer { return plan(t, "一") }, planner, []string{"delete", "update"}, map[string]string{"send": "不能处理自己提交的内容"}},
			{"planned, by another", func(t *testing.T) answer { return plan(t, "二") }, other, []string{"delete", "send", "update"}, nil},
			{"full", func(t *testing.T) answer { return plan(t, "满员") }, other, []string{"delete", "update"}, map[string]string{"send": "人数已满"}},
			{"sent", func(t *testing.T) answer {
				row := plan(t, "三")
				if err := l.do(other, "send", row); err != nil {
					t.Fatal(err)
				}
				return row
			}, other, []string{}, map[string]string{"update": "行程已出发，不可修改", "delete": "该行程当前不能删除", "send": "该行程当前不能出发"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				for _, verb := range []string{"update", "delete", "send"} {
					id := c.ready(t)["id"].(string)
					row, err := decode(l.Get(c.who, &gen.IDReq{Type: "trip", Id: id}))
					if err != nil {
						t.Fatal(err)
					}
					offered := slices.Contains(row["_actions"].([]any), any(verb))
					if offered != slices.Contains(c.may, verb) {
						t.Errorf("%s is offered: %v", verb, offered)
					}
					err = l.do(c.who, verb, answer(row))
					if (err == nil) != offered {
						t.Errorf("%s is offered: %v, and answered %v", verb, offered, err)
					}
					if text := c.says[verb]; text != "" {
						says(t, err, text)
					}
				}
			})
		}
	})
	t.Run("the clock moves a state, its filter and its verbs", func(t *testing.T) {
		row := plan(t, "四")
		if err := l.do(other, "send", row); err != nil {
			t.Fatal(err)
		}
		there := func(state string) bool {
			return slices.ContainsFunc(l.list(t, other, state), func(r answer) bool { return r["id"] == row["id"] && r["state"] == state })
		}
		if !there("sent") || there("over") || there("planned") {
			t.Error("it is not under way")
		}
		l.clock.SetOffset(72 * time.Hour)
		defer l.clock.SetOffset(0)
		if there("sent") || !there("over") {
			t.Error("it is not over")
		}
		if n := len(l.list(t, other, "planned,over")); n < 2 {
			t.Errorf("%d are planned or over", n)
		}
		says(t, l.do(other, "send", row), "行程已结束")
	})
	t.Run("a state that there is not is refused, and an inner verb is no action", func(t *testing.T) {
		_, err := l.List(other, &gen.ListReq{Type: "trip", Filters: map[string]string{"state": "gone"}})
		says(t, err, "筛选条件“状态”填写有误")
		says(t, l.do(other, "expire", plan(t, "五")), "无权限或数据不存在")
	})
	t.Run("the schema tells the states and their colours", func(t *testing.T) {
		s, err := decode(l.Schema(other, &gen.TypeReq{Type: "trip"}))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s["fields"].([]any) {
			if f := f.(map[string]any); f["key"] == "state" {
				first := f["options"].([]any)[0].(map[string]any)
				if f["type"] != "enum" || first["value"] != "planned" || first["label"] != "计划" || first["color"] != "info" {
					t.Error(f)
				}
			}
		}
	})
}

// TestParts: what parts say holds beside the type's own rules, and all of it is told at once.
func TestParts(t *testing.T) {
	l, ctx := openTrips(t), admin(t, "a")
	form := func(changed map[string]any) map[string]any {
		f := map[string]any{"title": "考察", "memberId": "m7", "from": "2026-03-01", "to": "2026-03-02"}
		maps.Copy(f, changed)
		return f
	}
	row, err := l.save(ctx, "", 0, form(nil))
	if err != nil {
		t.Fatal(err)
	}
	if row["orgId"] != "a" || row["idNumber"] != "11**m7" {
		t.Error("it is not where its member is", row)
	}
	_, err = l.save(ctx, "", 0, form(map[string]any{"from": "2026-03-03"}))
	says(t, err, "行程开始日期不能晚于行程结束日期")
	_, err = l.save(ctx, row["id"].(string), 1, map[string]any{"to": "2026-02-28"})
	says(t, err, "行程开始日期不能晚于行程结束日期")
	_, err = l.save(ctx, "", 0, form(map[string]any{"memberId": "nobody"}))
	says(t, err, "无权限或数据不存在")
}

// TestPartsFit: a part that its documents cannot have does not start, nor a misspelt life.
func TestPartsFit(t *testing.T) {
	db, clock := modeltest.DB(t), &kit.Clock{}
	books := model.NewCollection[*Book](db, "books", clock.Now)
	for name, c := range map[string]struct {
		spoil func(*records.Type[*Book])
		says  string
	}{
		"no member":        {func(b *records.Type[*Book]) { b.Parts = []records.Part{records.AboutMember(people{})} }, "cannot have the part AboutMember"},
		"no date":          {func(b *records.Type[*Book]) { b.Parts = []records.Part{records.NotBefore("boughtOn", "title")} }, "title is no date"},
		"no such state":    {func(b *records.Type[*Book]) { b.Life.Verbs[0].In = []string{"lost"} }, "names the state lost"},
		"no such action":   {func(b *records.Type[*Book]) { b.Life.Verbs[0].Key = "lnd" }, "has the verb lnd"},
		"the same verb":    {func(b *records.Type[*Book]) { b.Life.Verbs = append(b.Life.Verbs, b.Life.Verbs[0]) }, "has the verb lend twice"},
		"no state's field": {func(b *records.Type[*Book]) { b.Life.Field = "stat" }, "needs the field stat"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bookType(books, func() error { return nil })
			c.spoil(b)
			_, err := records.New(t.Context(), records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t)},
				records.Categories(db, clock, "shelf", "书架", "", ""), b)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
		})
	}
}
