package acceptance

import (
	"net/http"
	"slices"
	"strings"
	"testing"

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
	return strings.Count(string(root(t).Do("GET", "/sandbox/api/messages?userId="+wechatUser, nil).Body), text)
}

// TestShowcase: 党员风采 (manual 5.7).
func TestShowcase(t *testing.T) {
	const typ = "memberShowcase"
	valid := func(t *testing.T, orgID string, i int) form {
		return form{"memberId": newMember(t, orgID).ID, "title": name("事迹") + strings.Repeat("一", i), "content": "<p>扎根社区三十年</p>"}
	}
	taken := newMember(t, orgA(t))
	add(t, adminA(t), typ, form{"memberId": taken.ID, "title": "先来的", "content": "<p>一</p>"})
	second := wrong{"a member who has one", form{"memberId": taken.ID}, "memberId", "该党员已添加党员风采"}
	record(t, recordSpec{
		IDs:     rowIDs{List: "SHOW-01", Add: "SHOW-02", View: "SHOW-06", Update: "SHOW-07", Delete: "SHOW-08", Batch: "SHOW-09"},
		Type:    typ,
		Valid:   valid,
		Columns: []string{"memberId", "orgId", "title", "publishedAt"},
		Filters: func(_ int, f form) []string {
			return []string{"f.memberId=" + f["memberId"].(string), "f.title=" + f["title"].(string) + "&f.memberId=" + f["memberId"].(string)}
		},
		Required: []string{"memberId", "title", "content"},
		Wrong: []wrong{
			second,
			{"a member of another branch", form{"memberId": newMember(t, orgB(t)).ID}, "memberId", "不在管理范围内"},
			{"a title of 101 characters", form{"title": strings.Repeat("长", 101)}, "title", "100"},
		},
		Shown:       []string{"cover", "publishedAt", "orgId"},
		Update:      form{"title": "改过的题目", "content": "<p>新的文字</p>"},
		WrongUpdate: []wrong{second},
	})
	t.Run("SHOW-03 one for each member, also of two requests at once; after its deletion a new one", func(t *testing.T) {
		a := adminA(t)
		f := valid(t, orgA(t), 1)
		answers := make(chan *bfftest.Answer, 2)
		for range 2 {
			go func() {
				got, err := a.Try("POST", path(typ), f)
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
		var made item
		one.Into(t, &made)
		refused(t, two, http.StatusBadRequest, "memberId", "该党员已添加党员风采")
		of := "f.memberId=" + f["memberId"].(string)
		if got := a.List(typ, of).Total; got != 1 {
			t.Fatalf("%d remain", got)
		}
		remove(t, a, typ, made["id"].(string))
		add(t, a, typ, f)
		if got := a.List(typ, of).Total; got != 1 {
			t.Fatalf("%d after a new one", got)
		}
	})
	t.Run("SHOW-02 SHOW-04 SHOW-07 SHOW-08 members read those of their organisation and of the committee above, no others", func(t *testing.T) {
		phone := phoneOf(t, newMember(t, orgA(t)))
		theirs := add(t, adminB(t), typ, valid(t, orgB(t), 1))["id"].(string)
		above := add(t, adminP(t), typ, valid(t, orgB(t), 2).with(form{"audienceId": orgP(t)}))["id"].(string)
		f := valid(t, orgA(t), 3)
		made := add(t, adminA(t), typ, f)
		id := made["id"].(string)
		if got := mine(t, phone, typ); !slices.Equal(got[:2], []string{id, above}) || slices.Contains(got, theirs) {
			t.Fatalf("the member sees %v", got)
		}
		var p bfftest.Page
		phone.Get(own(typ)+"?size=1", &p)
		if r := p.Items[0]; r["title"] != f["title"] || r["_labels"].(map[string]any)["memberId"] == "" {
			t.Fatalf("listed as %v", r)
		}
		var r item
		phone.Get(own(typ)+"/"+id, &r)
		if r["content"] != f["content"] {
			t.Fatalf("opens as %v", r)
		}
		put(t, adminA(t), typ, id, form{"title": "新题"}).Into(t, &item{})
		phone.Get(own(typ)+"/"+id, &r)
		if r["title"] != "新题" {
			t.Fatalf("the phone still shows %v", r["title"])
		}
		refused(t, phone.Do("GET", own(typ)+"/"+theirs, nil), http.StatusNotFound, "", nothingThere)
		remove(t, adminA(t), typ, id)
		refused(t, phone.Do("GET", own(typ)+"/"+id, nil), http.StatusNotFound, "", nothingThere)
		if slices.Contains(mine(t, phone, typ), id) {
			t.Fatal("a deleted one is still listed")
		}
		refused(t, adminA(t).Do("POST", path(typ), valid(t, orgA(t), 1).with(form{"audienceId": orgB(t)})), http.StatusBadRequest, "audienceId", "")
	})
	t.Run("SHOW-05 bound members of the branch are told once with the title, others are not", func(t *testing.T) {
		phone, wechat := product.Bind(t, 0, newMember(t, orgA(t)))
		sibling, siblingWeChat := product.Bind(t, 0, newMember(t, orgB(t)))
		newMember(t, orgA(t)) // unbound: no error
		f := valid(t, orgA(t), 1).with(form{"title": name("推送事迹")})
		id := add(t, adminA(t), typ, f)["id"].(string)
		eventually(t, "the message arrives", func() bool { return pushed(t, wechat, name("推送事迹")) == 1 })
		if got := notices(t, phone, "member", id); len(got) == 0 || got[0].TargetType != typ || !strings.Contains(got[0].Content, name("推送事迹")) {
			t.Fatalf("on site %+v", got)
		}
		if got := notices(t, sibling, "member", id); len(got) != 0 || pushed(t, siblingWeChat, name("推送事迹")) != 0 {
			t.Fatalf("another branch is told %+v", got)
		}
		put(t, adminA(t), typ, id, form{"content": "<p>改</p>"}).Into(t, &item{})
		after := add(t, adminA(t), typ, valid(t, orgA(t), 1).with(form{"title": name("随后事迹")}))["id"].(string)
		eventually(t, "the next one arrives", func() bool {
			return pushed(t, wechat, name("随后事迹")) == 1 && len(notices(t, phone, "member", after)) > 0
		})
		if got := pushed(t, wechat, name("推送事迹")); got != 1 {
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
	a, b, p := adminA(t), adminB(t), adminP(t)
	who, other := newMember(t, orgA(t)), newMember(t, orgA(t))
	phone, second := phoneOf(t, who), phoneOf(t, other)
	letter := form{"title": "活动室开放时间", "content": "建议周末也开放"}
	send := func(t *testing.T, phone *bfftest.Browser, change form) string {
		t.Helper()
		phone.T = t
		var got item
		phone.Post(own(typ), letter.with(change), &got)
		return got["id"].(string)
	}
	t.Run(id+"-01 list: own subtree, newest first, paged, columns, filters", func(t *testing.T) {
		a.T, b.T, p.T = t, t, t
		third := phoneOf(t, newMember(t, orgB(t)))
		one, two, theirs := send(t, phone, nil), send(t, second, nil), send(t, third, nil)
		if got := ids(a.List(typ, "size=100")); !slices.Equal(got[:2], []string{two, one}) || slices.Contains(got, theirs) {
			t.Fatalf("A sees %v", got)
		}
		if got := ids(p.List(typ, "size=3")); !slices.Equal(got, []string{theirs, two, one}) {
			t.Fatalf("P sees %v", got)
		}
		if got := ids(p.List(typ, "size=100&orgId="+orgA(t))); slices.Contains(got, theirs) || !slices.Contains(got, one) {
			t.Fatalf("P with A chosen sees %v", got)
		}
		if got := ids(a.List(typ, "size=1&page=2")); !slices.Equal(got, []string{one}) {
			t.Fatalf("page 2: %v", got)
		}
		refused(t, a.Do("GET", path(typ)+"?orgId="+orgB(t), nil), http.StatusNotFound, "", nothingThere)
		columns(t, a, recordSpec{Type: typ, Columns: append([]string{"memberId", "orgId", "title", "submittedAt", "read"}, shown...)})
		for q, want := range map[string][]string{
			"f.memberId=" + who.ID: {one}, "f.read=unread": {two, one}, "f.read=read": {}, "f.read=replied": {},
			"f.submittedAt=" + day(0) + "," + day(0): {two, one}, "f.submittedAt=2020-01-01,2020-01-02": {},
		} {
			got := slices.DeleteFunc(ids(a.List(typ, "size=100&"+q)), func(id string) bool { return id != one && id != two && id != theirs }) // other tests send some too
			if !slices.Equal(got, want) {
				t.Errorf("filter %s: %v, want %v", q, got, want)
			}
		}
		refused(t, a.Do("GET", path(typ)+"?f.read=lost", nil), http.StatusBadRequest, "", "有误")
	})
	t.Run(id+"-02 viewing shows it whole and marks it read, by who may and by nobody else", func(t *testing.T) {
		a.T, b.T = t, t
		lid := send(t, phone, form{"title": "标题", "content": "整段内容"})
		state := func() any { return a.List(typ, "size=1").Items[0]["read"] }
		refused(t, b.Do("GET", path(typ)+"/"+lid, nil), http.StatusNotFound, "", nothingThere)
		refused(t, limited(t, "statistics.view").Do("GET", path(typ)+"/"+lid, nil), http.StatusForbidden, "", "无操作权限")
		if state() != "unread" {
			t.Fatalf("read by nobody: %v", state())
		}
		var r item
		a.Get(path(typ)+"/"+lid, &r)
		same(t, r, form{"memberId": who.ID, "orgId": orgA(t), "title": "标题", "content": "整段内容", "read": "read"})
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
		a.Get(path(typ)+"/"+lid, &r)
		if r["readAt"] != first {
			t.Fatal("a second look changed the time")
		}
		for _, k := range shown {
			var masked item
			limited(t, typ+".view").Get(path(typ)+"/"+lid, &masked)
			if masked[k] == who.Phone || masked[k] != a.List(typ, "size=1").Items[0][k] {
				t.Errorf("without the right %s is %v", k, masked[k])
			}
		}
		remove(t, a, typ, lid)
		refused(t, a.Do("GET", path(typ)+"/"+lid, nil), http.StatusNotFound, "", nothingThere)
	})
	t.Run(id+"-03 a member hands one in; his organisation's admins hear of it once", func(t *testing.T) {
		a.T, b.T, phone.T = t, t, t
		total := a.List(typ, "").Total
		refused(t, phone.Do("POST", own(typ), letter.with(form{"content": " "})), http.StatusBadRequest, "content", "请填写"+content)
		refused(t, phone.Do("POST", own(typ), letter.with(form{"title": ""})), http.StatusBadRequest, "title", "请填写")
		refused(t, phone.Do("POST", own(typ), letter.with(form{"content": strings.Repeat("长", 1001)})), http.StatusBadRequest, "content", "1000")
		refused(t, a.Do("POST", path(typ), letter), http.StatusForbidden, "", "无操作权限")
		if got := a.List(typ, "").Total; got != total {
			t.Fatalf("%d are stored, %d before", got, total)
		}
		lid := send(t, phone, form{"memberId": other.ID, "orgId": orgB(t), "reply": "自答", "readAt": "2020-01-01T00:00:00Z"})
		r := a.List(typ, "size=1").Items[0]
		same(t, r, letter.with(form{"id": lid, "memberId": who.ID, "orgId": orgA(t), "read": "unread", "reply": ""}))
		eventually(t, "the admin of the branch is told", func() bool { return len(notices(t, a, "console", lid)) > 0 })
		after := send(t, phone, nil)
		eventually(t, "and of the next", func() bool { return len(notices(t, a, "console", after)) > 0 })
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
		seen := func() item {
			t.Helper()
			var r item
			phone.Get(own(typ)+"/"+lid, &r)
			return r
		}
		if r := seen(); r["read"] != "unread" || r["submittedAt"] == "" {
			t.Fatalf("%v", r)
		}
		a.Get(path(typ)+"/"+lid, &item{})
		if r := seen(); r["read"] != "read" {
			t.Fatalf("after the admin's look: %v", r)
		}
		reply := path(typ) + "/" + lid + "/actions/reply"
		refused(t, a.Do("POST", reply, form{"reply": " "}), http.StatusBadRequest, "reply", "请填写")
		refused(t, adminB(t).Do("POST", reply, form{"reply": "越权"}), http.StatusNotFound, "", nothingThere)
		refused(t, limited(t, typ+".view").Do("POST", reply, form{"reply": "无权"}), http.StatusForbidden, "", "无操作权限")
		a.Post(reply, form{"reply": "下月起实行"}, &item{})
		if r := seen(); r["read"] != "replied" || r["reply"] != "下月起实行" || r["repliedAt"] == nil {
			t.Fatalf("after the reply: %v", r)
		}
		refused(t, a.Do("POST", reply, form{"reply": "再答"}), http.StatusConflict, "", "已回复")
		eventually(t, "the writer hears of the reply", func() bool {
			got := notices(t, phone, "member", lid)
			return len(got) > 0 && strings.Contains(got[0].Content, "下月起实行")
		})
		got := mine(t, phone, typ)
		if !slices.Contains(got, lid) || slices.Contains(got, foreign) {
			t.Fatalf("he sees %v", got)
		}
		for _, id := range got {
			var r item
			a.Get(path(typ)+"/"+id, &r)
			if r["memberId"] != who.ID {
				t.Fatalf("%s is another's", id)
			}
		}
		refused(t, phone.Do("GET", own(typ)+"/"+foreign, nil), http.StatusNotFound, "", nothingThere)
		refused(t, phone.Do("PUT", own(typ)+"/"+lid, form{"title": "改", "version": seen()["version"]}), http.StatusForbidden, "", "")
	})
	t.Run(id+"-05 delete: it leaves the list; a second delete finds nothing", func(t *testing.T) {
		a.T = t
		lid := send(t, phone, nil)
		one := form{"ids": []string{lid}}
		refused(t, adminB(t).Do("POST", path(typ)+"/delete", one), http.StatusNotFound, "", nothingThere)
		refused(t, limited(t, typ+".view").Do("POST", path(typ)+"/delete", one), http.StatusForbidden, "", "无操作权限")
		refused(t, phone.Do("POST", own(typ)+"/delete", one), http.StatusForbidden, "", "")
		if got := ids(a.List(typ, "size=1")); got[0] != lid {
			t.Fatal("a refused delete deleted")
		}
		remove(t, a, typ, lid)
		if got := ids(a.List(typ, "size=100")); slices.Contains(got, lid) {
			t.Fatal("still there")
		}
		refused(t, a.Do("POST", path(typ)+"/delete", one), http.StatusNotFound, "", "数据不存在")
	})
	t.Run(id+"-06 batch delete: exactly the ticked ones", func(t *testing.T) {
		a.T = t
		made := []string{send(t, phone, nil), send(t, phone, nil), send(t, second, nil)}
		kept := ids(a.List(typ, "size=100"))
		refused(t, a.Do("POST", path(typ)+"/delete", form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		remove(t, a, typ, made[:2]...)
		kept = slices.DeleteFunc(kept, func(id string) bool { return slices.Contains(made[:2], id) })
		if got := ids(a.List(typ, "size=100")); !slices.Equal(got, kept) {
			t.Fatalf("%v, want %v", got, kept)
		}
	})
	t.Run(id+"-07 export: the filtered list, header alone when it is empty", func(t *testing.T) {
		a.T = t
		send(t, phone, form{"title": "导出的", "content": "=1+1"})
		of := "f.memberId=" + who.ID
		rows := sheet(t, a.Do("GET", path(typ)+"/export?"+of, nil))
		if want := []string{"党员", "所在组织", "标题", content, "提交时间"}; !slices.Equal(rows[0], want) {
			t.Fatalf("header %v, want %v", rows[0], want)
		}
		if len(rows) != a.List(typ, of).Total+1 {
			t.Fatalf("%d rows", len(rows))
		}
		if r := rows[1]; !slices.Equal(r[:4], []string{who.Name, name("甲支部"), "导出的", "'=1+1"}) { // no formula, whatever opens it
			t.Fatalf("%v", r)
		}
		if rows := sheet(t, a.Do("GET", path(typ)+"/export?f.submittedAt=2020-01-01,2020-01-02", nil)); len(rows) != 1 {
			t.Fatalf("an empty list exports %v", rows)
		}
		refused(t, a.Do("GET", path(typ)+"/export?orgId="+orgB(t), nil), http.StatusNotFound, "", nothingThere)
		refused(t, limited(t, typ+".view").Do("GET", path(typ)+"/export", nil), http.StatusForbidden, "", "无操作权限")
	})
}

// TestNotebook: 党建记事本 (manual 5.10).
func TestNotebook(t *testing.T) {
	const typ = "notebookEntry"
	long := wrong{"a title of 101 characters", form{"title": strings.Repeat("长", 101)}, "title", "100"}
	record(t, recordSpec{
		IDs:  rowIDs{List: "NOTE-01", Add: "NOTE-02", View: "NOTE-03", Update: "NOTE-04", Delete: "NOTE-05", Batch: "NOTE-06", Export: "NOTE-07"},
		Type: typ,
		Valid: func(_ *testing.T, _ string, i int) form {
			return form{"title": name("走访记录") + strings.Repeat("一", i) + "次", "noteDate": day(-i), "content": "<p>走访老党员五位</p>"}
		},
		Columns: []string{"title", "noteDate", "authorId", "orgId"},
		Filters: func(_ int, f form) []string {
			of := "f.noteDate=" + f["noteDate"].(string) + "," + f["noteDate"].(string)
			return []string{"f.title=" + f["title"].(string) + "&" + of}
		},
		Required:    []string{"title", "noteDate", "content"},
		Wrong:       []wrong{long, {"no day", form{"noteDate": "2026-02-30"}, "noteDate", "日期"}},
		Shown:       []string{"files", "authorId", "orgId"},
		Update:      form{"title": "改过的记录", "noteDate": "2026-01-02"},
		WrongUpdate: []wrong{{"an empty title", form{"title": " "}, "title", "请填写"}, long},
		Export:      []string{"标题", "日期", "内容", "记录人", "所在组织"},
	})
	t.Run("NOTE-01 NOTE-07 the author is who wrote it, also after another's change, and the export is text", func(t *testing.T) {
		p := adminP(t)
		made := add(t, adminA(t), typ, form{"title": name("署名"), "noteDate": day(0), "content": "<p>走访<b>老党员</b></p>", "authorId": "x"})
		put(t, p, typ, made["id"].(string), form{"content": "<p>上级改过</p>"}).Into(t, &item{})
		row := p.List(typ, "f.title="+name("署名")).Items[0]
		if l := row["_labels"].(map[string]any); l["authorId"] != name("adminA") || l["orgId"] != name("甲支部") {
			t.Fatalf("%v", l)
		}
		rows := sheet(t, p.Do("GET", path(typ)+"/export?f.title="+name("署名"), nil))
		if want := []string{name("署名"), day(0), "上级改过", name("adminA"), name("甲支部")}; len(rows) != 2 || !slices.Equal(rows[1], want) {
			t.Fatalf("%v, want %v", rows, want)
		}
	})
}
