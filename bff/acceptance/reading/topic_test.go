package reading

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// newTopics makes a 专题分类.
func newTopics(t *testing.T, name string) Item {
	t.Helper()
	return Add(t, Root(t), topicCategory, Form{"name": name, "sortNo": 1}.With(Icons(t)))
}

type column struct {
	ID, Name, Icon string
	Topics         []struct{ ID, Title, OrgName string }
}

// onPortal is the column of a category as the portal shows it without login; nil: none.
func onPortal(t *testing.T, id string) *column {
	t.Helper()
	var all struct{ Columns []*column }
	Visitor(t).Get("/api/portal/columns", &all)
	for _, c := range all.Columns {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// TestTopics: 专题列表 (manual 10.5.1).
func TestTopics(t *testing.T) {
	cat, other := IDOf(newTopics(t, NewName("主题教育"))), IDOf(newTopics(t, NewName("两学一做")))
	gone := Wrong{"a category that does not exist", Form{"categoryId": "nothing"}, "categoryId", ""}
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "TOPC-01", Add: "TOPC-02", View: "TOPC-05", Update: "TOPC-06", Delete: "TOPC-07", Batch: "TOPC-08"},
		Type:    topic,
		Valid:   func(*testing.T, string, int) Form { return ArticleForm(NewName("专题"), cat) },
		Columns: []string{"title", "categoryId", "orgId", "publishedAt"},
		Filters: func(_ int, f Form) []string {
			of := "f.title=" + url.QueryEscape(f["title"].(string))
			return []string{of, of + "&f.categoryId=" + cat}
		},
		Required:    []string{"title", "categoryId", "content"},
		Wrong:       []Wrong{gone},
		Shown:       []string{"orgId", "publishedAt", "files"},
		Update:      Form{"title": NewName("改过"), "categoryId": other, "content": "<p>改</p>"},
		WrongUpdate: []Wrong{gone},
	})
	t.Run("TOPC-02 TOPC-03 TOPC-04 TOPC-06 TOPC-07 the phone shows categories with their small icons and their topics: what changes in the console shows, what is deleted is gone", func(t *testing.T) {
		p, a, b := AdminP(t), AdminA(t), AdminB(t)
		phone := PhoneOf(t, NewMember(t, OrgA(t)))
		ofP, ofA := IDOf(Add(t, p, topic, ArticleForm(NewName("上级"), cat))), Add(t, a, topic, ArticleForm(NewName("支部"), cat))
		ofB := IDOf(Add(t, b, topic, ArticleForm(NewName("别的支部"), cat)))
		if l := Mine(t, phone, topic); !slices.Contains(l, ofP) || !slices.Contains(l, IDOf(ofA)) || slices.Contains(l, ofB) {
			t.Fatalf("the phone shows %v", l)
		}
		if l := IDs(a.List(topic, "size=100")); slices.Contains(l, ofP) {
			t.Fatal("a branch's console shows what is above it")
		}
		var seen Item
		phone.Get(Own(topicCategory)+"/"+cat, &seen)
		if f := seen["smallIcon"].([]any); len(f) != 1 || seen["largeIcon"] != nil {
			t.Fatalf("the phone's category: %v", seen)
		}
		title := NewName("改了")
		a.Do("PUT", Path(topic)+"/"+IDOf(ofA), ArticleForm(title, cat).With(Form{"version": ofA["version"]})).Into(t, &Item{})
		phone.Get(Own(topic)+"/"+IDOf(ofA), &seen)
		if seen["title"] != title {
			t.Fatalf("%v", seen)
		}
		Remove(t, a, topic, IDOf(ofA))
		if slices.Contains(Mine(t, phone, topic), IDOf(ofA)) {
			t.Fatal("a deleted topic is still on the phone")
		}
		Refused(t, phone.Do("GET", Own(topic)+"/"+IDOf(ofA), nil), http.StatusNotFound, "", "")
	})
}

// TestTopicColumns: 专题分类 on the portal (manual 10.5.2).
func TestTopicColumns(t *testing.T) {
	root, a, visitor := Root(t), AdminA(t), Visitor(t)
	made := newTopics(t, NewName("栏目"))
	id := IDOf(made)
	at := Path(topicCategory) + "/" + id
	title := NewName("专题")
	topicID := IDOf(Add(t, a, topic, ArticleForm(title, id)))
	offered := func() []any {
		var r Item
		root.Get(at, &r)
		return r["_actions"].([]any)
	}
	file := func(typ, id string, f any) string {
		return "/api/portal/records/" + typ + "/files/" + f.([]any)[0].(map[string]any)["id"].(string) + "?id=" + id
	}
	status := func(path string) int { t.Helper(); return visitor.Do("GET", path, nil).Status }
	t.Run("TCAT-02 TCAT-08 both pictures are required; what is no picture is refused; each is shown in its place, and changing one leaves the other", func(t *testing.T) {
		for _, k := range []string{"smallIcon", "largeIcon"} {
			Refused(t, root.Do("POST", Path(topicCategory), Form{"name": NewName("无图")}.With(Icons(t)).With(Form{k: []any{}})), http.StatusBadRequest, k, "请")
			if got := root.Do("POST", Path(topicCategory)+"/upload?field="+k, &bfftest.Upload{Name: "图.png", Data: []byte("%PDF-1.4")}); got.Status != http.StatusBadRequest {
				t.Fatalf("no picture: %d %s", got.Status, got.Body)
			}
		}
		was := newTopics(t, NewName("换图"))
		root.Post(Path(topicCategory)+"/"+IDOf(was)+"/actions/addColumn", nil, &was)
		var now Item
		root.Do("PUT", Path(topicCategory)+"/"+IDOf(was), Form{"name": was["name"], "sortNo": 1, "smallIcon": was["smallIcon"], "largeIcon": []any{Icon(t, "largeIcon")}, "version": was["version"]}).Into(t, &now)
		if got := onPortal(t, IDOf(was)); got.Icon != now["largeIcon"].([]any)[0].(map[string]any)["id"] {
			t.Fatalf("the portal shows %s of %v", got.Icon, now)
		}
		Same(t, now, Form{"smallIcon": was["smallIcon"]})
		if s := status(file(topicCategory, IDOf(was), now["largeIcon"])); s != http.StatusOK {
			t.Fatalf("the large picture: %d", s)
		}
		if s := status(file(topicCategory, IDOf(was), now["smallIcon"])); s != http.StatusNotFound {
			t.Fatalf("the small picture is for the phone: %d", s)
		}
	})
	t.Run("TCAT-09 TCAT-10 TCAT-11 TCAT-12 only what has a column is on the portal, with its topics, and cannot be deleted; without it, nothing can be reached by id", func(t *testing.T) {
		hidden := func(when string) {
			t.Helper()
			if onPortal(t, id) != nil || status("/api/portal/topics/"+topicID) != http.StatusNotFound || status(file(topicCategory, id, made["largeIcon"])) != http.StatusNotFound {
				t.Fatalf("%s the portal shows it", when)
			}
			if l := offered(); !slices.Contains(l, any("addColumn")) || slices.Contains(l, any("dropColumn")) || !slices.Contains(l, any("delete")) {
				t.Fatalf("%s: %v", when, l)
			}
		}
		hidden("before")
		Refused(t, root.Do("POST", at+"/actions/dropColumn", nil), http.StatusConflict, "", "该栏目未添加")
		Refused(t, a.Do("POST", at+"/actions/addColumn", nil), http.StatusForbidden, "", "")
		root.Post(at+"/actions/addColumn", nil, &Item{})
		Refused(t, root.Do("POST", at+"/actions/addColumn", nil), http.StatusConflict, "", "该栏目已添加")
		if l := offered(); slices.Contains(l, any("addColumn")) || !slices.Contains(l, any("dropColumn")) || slices.Contains(l, any("delete")) {
			t.Fatalf("with a column: %v", l)
		}
		Refused(t, root.Do("POST", Path(topicCategory)+"/delete", Form{"ids": []string{id}}), http.StatusConflict, "", "该分类已添加栏目，不可删除")
		c := onPortal(t, id)
		if c == nil || c.Name != made["name"] || len(c.Topics) != 1 || c.Topics[0].ID != topicID || c.Topics[0].Title != title || c.Topics[0].OrgName == "" {
			t.Fatalf("the portal shows %+v", c)
		}
		var text struct {
			Topic   struct{ Title string }
			Content string
		}
		visitor.Get("/api/portal/topics/"+topicID, &text)
		if text.Topic.Title != title || text.Content != "<p>正文</p>" {
			t.Fatalf("%+v", text)
		}
		if s := status("/api/portal/records/member/files/x?id=y"); s != http.StatusNotFound {
			t.Fatalf("files of another type: %d", s)
		}
		Refused(t, a.Do("POST", at+"/actions/dropColumn", nil), http.StatusForbidden, "", "")
		root.Post(at+"/actions/dropColumn", nil, &Item{})
		hidden("after")
		if l := a.List(topic, "f.categoryId="+id); l.Total != 1 {
			t.Fatalf("%d topics left", l.Total)
		}
		Remove(t, a, topic, topicID)
		Remove(t, root, topicCategory, id)
	})
}
