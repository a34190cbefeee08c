package content

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// notice is a message as the pages show it.
type notice struct{ Title, Content, TargetType, TargetID, Channel string }

// notices are the messages to a person about one record, newest first: on the console for
// a user, on the phone for a member.
func notices(t *testing.T, b *bfftest.Browser, side, targetID string) []notice {
	t.Helper()
	b.T = t
	var l struct{ Notifications []notice }
	b.Get("/api/"+side+"/notifications", &l)
	return slices.DeleteFunc(l.Notifications, func(n notice) bool { return n.TargetID != targetID })
}

// pushed counts the official account's messages to a WeChat user that hold a text.
func pushed(t *testing.T, wechatUser, text string) int {
	t.Helper()
	return strings.Count(string(Root(t).Do("GET", "/sandbox/api/messages?userId="+wechatUser, nil).Body), text)
}

// TestShowcase: 党员风采 (manual 5.7).
func TestShowcase(t *testing.T) {
	const typ = "memberShowcase"
	valid := func(t *testing.T, orgID string, i int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "title": Name("事迹") + strings.Repeat("一", i), "content": "<p>扎根社区三十年</p>"}
	}
	taken := NewMember(t, OrgA(t))
	Add(t, AdminA(t), typ, Form{"memberId": taken.ID, "title": "先来的", "content": "<p>一</p>"})
	second := Wrong{"a member who has one", Form{"memberId": taken.ID}, "memberId", "该党员已添加党员风采"}
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "SHOW-01", Add: "SHOW-02", View: "SHOW-06", Update: "SHOW-07", Delete: "SHOW-08", Batch: "SHOW-09"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "title", "publishedAt"},
		Filters: func(_ int, f Form) []string {
			return []string{"f.memberId=" + f["memberId"].(string), "f.title=" + f["title"].(string) + "&f.memberId=" + f["memberId"].(string)}
		},
		Required: []string{"memberId", "title", "content"},
		Wrong: []Wrong{
			second,
			{"a member of another branch", Form{"memberId": NewMember(t, OrgB(t)).ID}, "memberId", "不在管理范围内"},
			{"a title of 101 characters", Form{"title": strings.Repeat("长", 101)}, "title", "100"},
		},
		Shown:       []string{"cover", "publishedAt", "orgId"},
		Update:      Form{"title": "改过的题目", "content": "<p>新的文字</p>"},
		WrongUpdate: []Wrong{second},
	})
	t.Run("SHOW-03 one for each member, also of two requests at once; after its deletion a new one", func(t *testing.T) {
		a := AdminA(t)
		f := valid(t, OrgA(t), 1)
		answers := make(chan *bfftest.Answer, 2)
		for range 2 {
			go func() {
				got, err := a.Try("POST", Path(typ), f)
				if err != nil {
					got = &bfftest.Answer{Body: []byte(err.Error())}
				}
				answers <- got
			}()
		}
		one, two := <-answers, <-answers
		if one.Status != http.StatusOK {
			one, two = two, one
		}
		var made Item
		one.Into(t, &made)
		Refused(t, two, http.StatusBadRequest, "memberId", "该党员已添加党员风采")
		of := "f.memberId=" + f["memberId"].(string)
		if got := a.List(typ, of).Total; got != 1 {
			t.Fatalf("%d remain", got)
		}
		Remove(t, a, typ, made["id"].(string))
		Add(t, a, typ, f)
		if got := a.List(typ, of).Total; got != 1 {
			t.Fatalf("%d after a new one", got)
		}
	})
	t.Run("SHOW-02 SHOW-04 SHOW-07 SHOW-08 members read those of their organisation and of the committee above, no others", func(t *testing.T) {
		phone := PhoneOf(t, NewMember(t, OrgA(t)))
		theirs := Add(t, AdminB(t), typ, valid(t, OrgB(t), 1))["id"].(string)
		above := Add(t, AdminP(t), typ, valid(t, OrgB(t), 2).With(Form{"audienceId": OrgP(t)}))["id"].(string)
		f := valid(t, OrgA(t), 3)
		made := Add(t, AdminA(t), typ, f)
		id := made["id"].(string)
		if got := Mine(t, phone, typ); !slices.Equal(got[:2], []string{id, above}) || slices.Contains(got, theirs) {
			t.Fatalf("the member sees %v", got)
		}
		var p bfftest.Page
		phone.Get(Own(typ)+"?size=1", &p)
		if r := p.Items[0]; r["title"] != f["title"] || r["_labels"].(map[string]any)["memberId"] == "" {
			t.Fatalf("listed as %v", r)
		}
		var r Item
		phone.Get(Own(typ)+"/"+id, &r)
		if r["content"] != f["content"] {
			t.Fatalf("opens as %v", r)
		}
		Put(t, AdminA(t), typ, id, Form{"title": "新题"}).Into(t, &Item{})
		phone.Get(Own(typ)+"/"+id, &r)
		if r["title"] != "新题" {
			t.Fatalf("the phone still shows %v", r["title"])
		}
		Refused(t, phone.Do("GET", Own(typ)+"/"+theirs, nil), http.StatusNotFound, "", NothingThere)
		Remove(t, AdminA(t), typ, id)
		Refused(t, phone.Do("GET", Own(typ)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
		if slices.Contains(Mine(t, phone, typ), id) {
			t.Fatal("a deleted one is still listed")
		}
		Refused(t, AdminA(t).Do("POST", Path(typ), valid(t, OrgA(t), 1).With(Form{"audienceId": OrgB(t)})), http.StatusBadRequest, "audienceId", "")
	})
	t.Run("SHOW-05 bound members of the branch are told once with the title, others are not", func(t *testing.T) {
		phone, wechat := Bind(t, NewMember(t, OrgA(t)))
		sibling, siblingWeChat := Bind(t, NewMember(t, OrgB(t)))
		NewMember(t, OrgA(t)) // unbound: no error
		f := valid(t, OrgA(t), 1).With(Form{"title": Name("推送事迹")})
		id := Add(t, AdminA(t), typ, f)["id"].(string)
		bfftest.Eventually(t, "the message arrives", func() bool { return pushed(t, wechat, Name("推送事迹")) == 1 })
		if got := notices(t, phone, "member", id); len(got) == 0 || got[0].TargetType != typ || !strings.Contains(got[0].Content, Name("推送事迹")) {
			t.Fatalf("on site %+v", got)
		}
		if got := notices(t, sibling, "member", id); len(got) != 0 || pushed(t, siblingWeChat, Name("推送事迹")) != 0 {
			t.Fatalf("another branch is told %+v", got)
		}
		Put(t, AdminA(t), typ, id, Form{"content": "<p>改</p>"}).Into(t, &Item{})
		after := Add(t, AdminA(t), typ, valid(t, OrgA(t), 1).With(Form{"title": Name("随后事迹")}))["id"].(string)
		bfftest.Eventually(t, "the next one arrives", func() bool {
			return pushed(t, wechat, Name("随后事迹")) == 1 && len(notices(t, phone, "member", after)) > 0
		})
		if got := pushed(t, wechat, Name("推送事迹")); got != 1 {
			t.Fatalf("%d messages of one", got)
		}
	})
}

// TestLetters: 党员建议 (manual 5.8) and 党员帮助 (5.9).
func TestLetters(t *testing.T) {
	letters(t, "suggestion", "SUGG", "建议内容", nil)
	letters(t, "helpRequest", "HELP", "帮助内容", []string{"phone"})
}

func letters(t *testing.T, typ, id, content string, shown []string) {
	a, b, p := AdminA(t), AdminB(t), AdminP(t)
	who, other := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
	phone, second := PhoneOf(t, who), PhoneOf(t, other)
	letter := Form{"title": "活动室开放时间", "content": "建议周末也开放"}
	send := func(t *testing.T, phone *bfftest.Browser, change Form) string {
		t.Helper()
		phone.T = t
		var got Item
		phone.Post(Own(typ), letter.With(change), &got)
		return got["id"].(string)
	}
	t.Run(id+"-01 list: own subtree, newest first, paged, columns, filters", func(t *testing.T) {
		a.T, b.T, p.T = t, t, t
		third := PhoneOf(t, NewMember(t, OrgB(t)))
		one, two, theirs := send(t, phone, nil), send(t, second, nil), send(t, third, nil)
		if got := IDs(a.List(typ, "size=100")); !slices.Equal(got[:2], []string{two, one}) || slices.Contains(got, theirs) {
			t.Fatalf("A sees %v", got)
		}
		if got := IDs(p.List(typ, "size=3")); !slices.Equal(got, []string{theirs, two, one}) {
			t.Fatalf("P sees %v", got)
		}
		if got := IDs(p.List(typ, "size=100&orgId="+OrgA(t))); slices.Contains(got, theirs) || !slices.Contains(got, one) {
			t.Fatalf("P with A chosen sees %v", got)
		}
		if got := IDs(a.List(typ, "size=1&page=2")); !slices.Equal(got, []string{one}) {
			t.Fatalf("page 2: %v", got)
		}
		Refused(t, a.Do("GET", Path(typ)+"?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		Columns(t, a, RecordSpec{Type: typ, Columns: append([]string{"memberId", "orgId", "title", "submittedAt", "read"}, shown...)})
		for q, want := range map[string][]string{
			"f.memberId=" + who.ID: {one}, "f.read=unread": {two, one}, "f.read=read": {}, "f.read=replied": {},
			"f.submittedAt=" + Day(0) + "," + Day(0): {two, one}, "f.submittedAt=2020-01-01,2020-01-02": {},
		} {
			got := slices.DeleteFunc(IDs(a.List(typ, "size=100&"+q)), func(id string) bool { return id != one && id != two && id != theirs }) // other tests send some too
			if !slices.Equal(got, want) {
				t.Errorf("filter %s: %v, want %v", q, got, want)
			}
		}
		Refused(t, a.Do("GET", Path(typ)+"?f.read=lost", nil), http.StatusBadRequest, "", "有误")
	})
	t.Run(id+"-02 viewing shows it whole and marks it read, by who may and by nobody else", func(t *testing.T) {
		a.T, b.T = t, t
		lid := send(t, phone, Form{"title": "标题", "content": "整段内容"})
		state := func() any { return a.List(typ, "size=1").Items[0]["read"] }
		Refused(t, b.Do("GET", Path(typ)+"/"+lid, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, "statistics.view").Do("GET", Path(typ)+"/"+lid, nil), http.StatusForbidden, "", "无操作权限")
		if state() != "unread" {
			t.Fatalf("read by nobody: %v", state())
		}
		var r Item
		a.Get(Path(typ)+"/"+lid, &r)
		Same(t, r, Form{"memberId": who.ID, "orgId": OrgA(t), "title": "标题", "content": "整段内容", "read": "read"})
		if r["submittedAt"] == "" || r["readAt"] == nil {
			t.Fatalf("%v", r)
		}
		if _, ok := r["images"]; !ok {
			t.Fatal("no pictures")
		}
		for _, k := range shown {
			if k == "phone" && r[k] != who.Phone {
				t.Errorf("%s is %v, want %v", k, r[k], who.Phone)
			}
		}
		if state() != "read" {
			t.Fatalf("not marked: %v", state())
		}
		first := r["readAt"]
		a.Get(Path(typ)+"/"+lid, &r)
		if r["readAt"] != first {
			t.Fatal("a second look changed the time")
		}
		for _, k := range shown {
			var masked Item
			Limited(t, typ+".view").Get(Path(typ)+"/"+lid, &masked)
			if masked[k] == who.Phone || masked[k] != a.List(typ, "size=1").Items[0][k] {
				t.Errorf("without the right %s is %v", k, masked[k])
			}
		}
		Remove(t, a, typ, lid)
		Refused(t, a.Do("GET", Path(typ)+"/"+lid, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run(id+"-03 a member hands one in; his organisation's admins hear of it once", func(t *testing.T) {
		a.T, b.T, phone.T = t, t, t
		total := a.List(typ, "").Total
		Refused(t, phone.Do("POST", Own(typ), letter.With(Form{"content": " "})), http.StatusBadRequest, "content", "请填写"+content)
		Refused(t, phone.Do("POST", Own(typ), letter.With(Form{"title": ""})), http.StatusBadRequest, "title", "请填写")
		Refused(t, phone.Do("POST", Own(typ), letter.With(Form{"content": strings.Repeat("长", 1001)})), http.StatusBadRequest, "content", "1000")
		Refused(t, a.Do("POST", Path(typ), letter), http.StatusForbidden, "", "无操作权限")
		if got := a.List(typ, "").Total; got != total {
			t.Fatalf("%d are stored, %d before", got, total)
		}
		lid := send(t, phone, Form{"memberId": other.ID, "orgId": OrgB(t), "reply": "自答", "readAt": "2020-01-01T00:00:00Z"})
		r := a.List(typ, "size=1").Items[0]
		Same(t, r, letter.With(Form{"id": lid, "memberId": who.ID, "orgId": OrgA(t), "read": "unread", "reply": ""}))
		bfftest.Eventually(t, "the admin of the branch is told", func() bool { return len(notices(t, a, "console", lid)) > 0 })
		after := send(t, phone, nil)
		bfftest.Eventually(t, "and of the next", func() bool { return len(notices(t, a, "console", after)) > 0 })
		if got := notices(t, a, "console", lid); len(got) != 1 || got[0].TargetType != typ {
			t.Fatalf("%+v", got)
		}
		if got := notices(t, b, "console", lid); len(got) != 0 {
			t.Fatalf("the sibling is told %+v", got)
		}
	})
	t.Run(id+"-04 the member follows his own, with state and reply, and no other's", func(t *testing.T) {
		a.T, phone.T, second.T = t, t, t
		lid := send(t, phone, nil)
		foreign := send(t, second, nil)
		seen := func() Item {
			t.Helper()
			var r Item
			phone.Get(Own(typ)+"/"+lid, &r)
			return r
		}
		if r := seen(); r["read"] != "unread" || r["submittedAt"] == "" {
			t.Fatalf("%v", r)
		}
		a.Get(Path(typ)+"/"+lid, &Item{})
		if r := seen(); r["read"] != "read" {
			t.Fatalf("after the admin's look: %v", r)
		}
		reply := Path(typ) + "/" + lid + "/actions/reply"
		Refused(t, a.Do("POST", reply, Form{"reply": " "}), http.StatusBadRequest, "reply", "请填写")
		Refused(t, AdminB(t).Do("POST", reply, Form{"reply": "越权"}), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, typ+".view").Do("POST", reply, Form{"reply": "无权"}), http.StatusForbidden, "", "无操作权限")
		a.Post(reply, Form{"reply": "下月起实行"}, &Item{})
		if r := seen(); r["read"] != "replied" || r["reply"] != "下月起实行" || r["repliedAt"] == nil {
			t.Fatalf("after the reply: %v", r)
		}
		Refused(t, a.Do("POST", reply, Form{"reply": "再答"}), http.StatusConflict, "", "已回复")
		bfftest.Eventually(t, "the writer hears of the reply", func() bool {
			got := notices(t, phone, "member", lid)
			return len(got) > 0 && strings.Contains(got[0].Content, "下月起实行")
		})
		got := Mine(t, phone, typ)
		if !slices.Contains(got, lid) || slices.Contains(got, foreign) {
			t.Fatalf("he sees %v", got)
		}
		for _, id := range got {
			var r Item
			a.Get(Path(typ)+"/"+id, &r)
			if r["memberId"] != who.ID {
				t.Fatalf("%s is another's", id)
			}
		}
		Refused(t, phone.Do("GET", Own(typ)+"/"+foreign, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, phone.Do("PUT", Own(typ)+"/"+lid, Form{"title": "改", "version": seen()["version"]}), http.StatusForbidden, "", "")
	})
	t.Run(id+"-05 delete: it leaves the list; a second delete finds nothing", func(t *testing.T) {
		a.T = t
		lid := send(t, phone, nil)
		one := Form{"ids": []string{lid}}
		Refused(t, AdminB(t).Do("POST", Path(typ)+"/delete", one), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, typ+".view").Do("POST", Path(typ)+"/delete", one), http.StatusForbidden, "", "无操作权限")
		Refused(t, phone.Do("POST", Own(typ)+"/delete", one), http.StatusForbidden, "", "")
		if got := IDs(a.List(typ, "size=1")); got[0] != lid {
			t.Fatal("a refused delete deleted")
		}
		Remove(t, a, typ, lid)
		if got := IDs(a.List(typ, "size=100")); slices.Contains(got, lid) {
			t.Fatal("still there")
		}
		Refused(t, a.Do("POST", Path(typ)+"/delete", one), http.StatusNotFound, "", "数据不存在")
	})
	t.Run(id+"-06 batch delete: exactly the ticked ones", func(t *testing.T) {
		a.T = t
		made := []string{send(t, phone, nil), send(t, phone, nil), send(t, second, nil)}
		kept := IDs(a.List(typ, "size=100"))
		Refused(t, a.Do("POST", Path(typ)+"/delete", Form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		Remove(t, a, typ, made[:2]...)
		kept = slices.DeleteFunc(kept, func(id string) bool { return slices.Contains(made[:2], id) })
		if got := IDs(a.List(typ, "size=100")); !slices.Equal(got, kept) {
			t.Fatalf("%v, want %v", got, kept)
		}
	})
	t.Run(id+"-07 export: the filtered list, header alone when it is empty", func(t *testing.T) {
		a.T = t
		send(t, phone, Form{"title": "导出的", "content": "=1+1"})
		of := "f.memberId=" + who.ID
		rows := Sheet(t, a.Do("GET", Path(typ)+"/export?"+of, nil))
		if want := []string{"党员", "所在组织", "标题", content, "提交时间"}; !slices.Equal(rows[0], want) {
			t.Fatalf("header %v, want %v", rows[0], want)
		}
		if len(rows) != a.List(typ, of).Total+1 {
			t.Fatalf("%d rows", len(rows))
		}
		if r := rows[1]; !slices.Equal(r[:4], []string{who.Name, Name("甲支部"), "导出的", "'=1+1"}) { // no formula, whatever opens it
			t.Fatalf("%v", r)
		}
		if rows := Sheet(t, a.Do("GET", Path(typ)+"/export?f.submittedAt=2020-01-01,2020-01-02", nil)); len(rows) != 1 {
			t.Fatalf("an empty list exports %v", rows)
		}
		Refused(t, a.Do("GET", Path(typ)+"/export?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, typ+".view").Do("GET", Path(typ)+"/export", nil), http.StatusForbidden, "", "无操作权限")
	})
}

// TestNotebook: 党建记事本 (manual 5.10).
func TestNotebook(t *testing.T) {
	const typ = "notebookEntry"
	long := Wrong{"a title of 101 characters", Form{"title": strings.Repeat("长", 101)}, "title", "100"}
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "NOTE-01", Add: "NOTE-02", View: "NOTE-03", Update: "NOTE-04", Delete: "NOTE-05", Batch: "NOTE-06", Export: "NOTE-07"},
		Type: typ,
		Valid: func(_ *testing.T, _ string, i int) Form {
			return Form{"title": Name("走访记录") + strings.Repeat("一", i) + "次", "noteDate": Day(-i), "content": "<p>走访老党员五位</p>"}
		},
		Columns: []string{"title", "noteDate", "authorId", "orgId"},
		Filters: func(_ int, f Form) []string {
			of := "f.noteDate=" + f["noteDate"].(string) + "," + f["noteDate"].(string)
			return []string{"f.title=" + f["title"].(string) + "&" + of}
		},
		Required:    []string{"title", "noteDate", "content"},
		Wrong:       []Wrong{long, {"no day", Form{"noteDate": "2026-02-30"}, "noteDate", "日期"}},
		Shown:       []string{"files", "authorId", "orgId"},
		Update:      Form{"title": "改过的记录", "noteDate": "2026-01-02"},
		WrongUpdate: []Wrong{{"an empty title", Form{"title": " "}, "title", "请填写"}, long},
		Export:      []string{"标题", "日期", "内容", "记录人", "所在组织"},
	})
	t.Run("NOTE-01 NOTE-07 the author is who wrote it, also after another's change, and the export is text", func(t *testing.T) {
		p := AdminP(t)
		made := Add(t, AdminA(t), typ, Form{"title": Name("署名"), "noteDate": Day(0), "content": "<p>走访<b>老党员</b></p>", "authorId": "x"})
		Put(t, p, typ, made["id"].(string), Form{"content": "<p>上级改过</p>"}).Into(t, &Item{})
		row := p.List(typ, "f.title="+Name("署名")).Items[0]
		if l := row["_labels"].(map[string]any); l["authorId"] != Name("adminA") || l["orgId"] != Name("甲支部") {
			t.Fatalf("%v", l)
		}
		rows := Sheet(t, p.Do("GET", Path(typ)+"/export?f.title="+Name("署名"), nil))
		if want := []string{Name("署名"), Day(0), "上级改过", Name("adminA"), Name("甲支部")}; len(rows) != 2 || !slices.Equal(rows[1], want) {
			t.Fatalf("%v, want %v", rows, want)
		}
	})
}
