package records_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

// TestActMany: an action on ticked records, each by itself.
func TestActMany(t *testing.T) {
	l := openTrips(t)
	planner := admin(t, "a")
	other := as(t, kit.Caller{Kind: kit.User, UserID: "another", Name: "另一位", OrgID: "a", Permissions: []string{"*"}})
	today := time.Now().In(kit.Shanghai).Format(time.DateOnly)
	plan := func(title string) string {
		t.Helper()
		row, err := l.save(planner, "", 0, map[string]any{"title": title, "memberId": "m1", "from": today, "to": today})
		if err != nil {
			t.Fatal(err)
		}
		return row["id"].(string)
	}
	many := func(who context.Context, action string, values map[string]any, ids ...string) (*gen.ActOutcomes, error) {
		t.Helper()
		body, err := json.Marshal(map[string]any{"ids": ids, "values": values})
		if err != nil {
			t.Fatal(err)
		}
		return l.ActMany(who, &gen.ActManyReq{Type: "trip", Action: action, Json: body})
	}
	t.Run("one that refuses keeps no other from it, and each tells what it came to", func(t *testing.T) {
		one, full, two, sent := plan("一"), plan("满员"), plan("二"), plan("已发")
		if _, err := l.Act(other, &gen.ActReq{Type: "trip", Id: sent, Action: "send"}); err != nil {
			t.Fatal(err)
		}
		out, err := many(other, "send", nil, two, one, full, sent, "nowhere", one)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, o := range out.Outcomes {
			got[o.Id] = fmt.Sprint(o.Name, " ", o.Done, " ", o.Message)
		}
		for id, want := range map[string]string{
			one: "一 true ", two: "二 true ", full: "满员 false 人数已满", sent: "已发 false 该行程当前不能出发", "nowhere": " false 无权限或数据不存在",
		} {
			if got[id] != want {
				t.Errorf("%q, want %q", got[id], want)
			}
		}
		if len(out.Outcomes) != 5 {
			t.Errorf("%d outcomes of five records", len(out.Outcomes))
		}
		going := l.list(t, other, "sent")
		for _, id := range []string{one, two, sent} {
			if !slices.ContainsFunc(going, func(r answer) bool { return r["id"] == id }) {
				t.Errorf("%s was not sent", id)
			}
		}
	})
	t.Run("who handed them in does not send them, a sibling finds none", func(t *testing.T) {
		id := plan("三")
		for _, c := range []struct {
			who  context.Context
			says string
		}{{planner, "不能处理自己提交的内容，请由其他人员操作"}, {admin(t, "b"), "无权限或数据不存在"}} {
			out, err := many(c.who, "send", nil, id)
			if err != nil || len(out.Outcomes) != 1 || out.Outcomes[0].Done || out.Outcomes[0].Message != c.says {
				t.Errorf("%+v %v, want %s", out, err, c.says)
			}
		}
	})
	t.Run("what is wrong with the values is wrong for all, and nothing is done", func(t *testing.T) {
		id := plan("四")
		_, err := many(other, "cancel", nil, id)
		says(t, err, "请填写原因")
		out, err := many(other, "cancel", map[string]any{"reason": "雨"}, id)
		if err != nil || !out.Outcomes[0].Done || out.Outcomes[0].Message != "已取消" {
			t.Errorf("%+v %v", out, err)
		}
	})
	t.Run("none, too many, an action for one record, one that there is not, and no permission", func(t *testing.T) {
		_, err := many(other, "send", nil)
		says(t, err, "请选择要出发的数据")
		ids := make([]string, 201)
		for i := range ids {
			ids[i] = fmt.Sprint("x", i)
		}
		_, err = many(other, "send", nil, ids...)
		says(t, err, "一次最多出发200条")
		_, err = many(other, "photo", nil, ids[0])
		says(t, err, "照片只能逐条办理")
		_, err = many(other, "expire", nil, ids[0])
		says(t, err, "无权限或数据不存在")
		reader := as(t, kit.Caller{Kind: kit.User, UserID: "reader", OrgID: "a", Permissions: []string{"trip.view"}})
		_, err = many(reader, "send", nil, ids[0])
		says(t, err, "无操作权限")
		_, err = l.ActMany(other, &gen.ActManyReq{Type: "trip", Action: "send", Json: []byte(`["x"]`)})
		says(t, err, kit.ErrInvalid.Message)
	})
	t.Run("the schema says which", func(t *testing.T) {
		s, err := decode(l.Schema(other, &gen.TypeReq{Type: "trip"}))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, a := range s["actions"].([]any) {
			a := a.(map[string]any)
			got[a["key"].(string)] = a["many"]
		}
		if got["send"] != true || got["cancel"] != true || got["photo"] != nil {
			t.Error(got)
		}
	})
}
