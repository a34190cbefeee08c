package reading

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestKnowledge: 知识列表 (manual 10.6.1).
func TestKnowledge(t *testing.T) {
	cat, other, tagID := Named(t, knowledgeCategory, NewName("党史")), Named(t, knowledgeCategory, NewName("党章")), Named(t, knowledgeTag, NewName("必读"))
	gone := Wrong{"a category that does not exist", Form{"categoryId": "nothing"}, "categoryId", ""}
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "KNOW-01", Add: "KNOW-02", View: "KNOW-07", Update: "KNOW-08", Delete: "KNOW-10", Batch: "KNOW-11"},
		Type: knowledge,
		Valid: func(*testing.T, string, int) Form {
			return ArticleForm(NewName("知识"), cat).With(Form{"tagIds": []string{tagID}, "content": "<p>一大会址</p>"})
		},
		Columns: []string{"title", "categoryId", "tagIds", "orgId", "publishedAt"},
		Filters: func(_ int, f Form) []string {
			of := "f.title=" + url.QueryEscape(f["title"].(string))
			return []string{of, of + "&f.categoryId=" + cat, of + "&f.tagIds=" + tagID}
		},
		Required:    []string{"title", "categoryId", "content"},
		Wrong:       []Wrong{gone, {"a tag that does not exist", Form{"tagIds": []string{"nothing"}}, "tagIds", ""}},
		Shown:       []string{"orgId", "publishedAt", "files"},
		Update:      Form{"title": NewName("改过"), "categoryId": other, "content": "<p>改</p>"},
		WrongUpdate: []Wrong{gone},
	})
	p, a, b, root := AdminP(t), AdminA(t), AdminB(t), Root(t)
	phone := PhoneOf(t, NewMember(t, OrgA(t)))
	ofRoot, ofP := IDOf(Add(t, root, knowledge, ArticleForm(NewName("党委"), cat))), IDOf(Add(t, p, knowledge, ArticleForm(NewName("上级"), cat)))
	ofA, ofB := IDOf(Add(t, a, knowledge, ArticleForm(NewName("甲支部"), cat))), IDOf(Add(t, b, knowledge, ArticleForm(NewName("乙支部"), cat)))
	sees := func(list []string, want ...string) {
		t.Helper()
		for _, id := range []string{ofRoot, ofP, ofA, ofB} {
			if slices.Contains(list, id) != slices.Contains(want, id) {
				t.Fatalf("of root %s, P %s, A %s, B %s it shows %v", ofRoot, ofP, ofA, ofB, list)
			}
		}
	}
	t.Run("KNOW-03 KNOW-04 KNOW-05 an organisation sees its own, those below and its own committee's, in the console and on its members' phones; a deleted one is gone", func(t *testing.T) {
		sees(IDs(p.List(knowledge, "size=100")), ofP, ofA, ofB, ofRoot) // the root is P's own committee
		sees(IDs(p.List(knowledge, "size=100&orgId="+OrgA(t))), ofA)
		sees(IDs(a.List(knowledge, "size=100")), ofP, ofA)
		sees(IDs(b.List(knowledge, "size=100")), ofP, ofB)
		sees(Mine(t, phone, knowledge), ofP, ofA)
		for _, id := range []string{ofRoot, ofB} {
			Refused(t, a.Do("GET", Path(knowledge)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
			Refused(t, phone.Do("GET", Own(knowledge)+"/"+id, nil), http.StatusNotFound, "", "")
		}
		var seen Item
		phone.Get(Own(knowledge)+"/"+ofP, &seen)
		if seen["content"] != "<p>正文</p>" || seen["_labels"].(map[string]any)["categoryId"] == "" {
			t.Fatalf("%v", seen)
		}
		// A group belongs to the committee above its branch.
		group := NewOrg(t, NewName("小组"), "group", OrgA(t))
		l := IDs(AdminOf(t, group, NewName("group")).List(knowledge, "size=100"))
		sees(l, ofP)
		gone := IDOf(Add(t, a, knowledge, ArticleForm(NewName("删"), cat)))
		Remove(t, a, knowledge, gone)
		Refused(t, phone.Do("GET", Own(knowledge)+"/"+gone, nil), http.StatusNotFound, "", "")
	})
	t.Run("KNOW-06 the phone finds a word in title or text, not in the markup, among what it may see; by category and tag too", func(t *testing.T) {
		word := NewName("遵义")
		title := IDOf(Add(t, a, knowledge, ArticleForm(word+"会议", cat)))
		text := IDOf(Add(t, p, knowledge, ArticleForm(NewName("转折"), other).With(Form{"content": "<p>生死攸关的<strong>" + word[:6] + "</strong>" + word[6:] + "转折</p>", "tagIds": []string{tagID}})))
		Add(t, b, knowledge, ArticleForm(word, cat)) // not for A's members
		find := func(q string) []string {
			var l bfftest.Page
			phone.Get(Own(knowledge)+"?size=100&"+q, &l)
			return IDs(l)
		}
		if l := find("keyword=" + url.QueryEscape(word)); !slices.Equal(l, []string{text, title}) {
			t.Fatalf("%v, want %s and %s", l, text, title)
		}
		if l := find("keyword=" + url.QueryEscape(word) + "&f.categoryId=" + other); !slices.Equal(l, []string{text}) {
			t.Fatalf("of the category: %v", l)
		}
		if l := find("f.tagIds=" + tagID); !slices.Contains(l, text) || slices.Contains(l, title) {
			t.Fatalf("of the tag: %v", l)
		}
		for _, none := range []string{"strong", "没有这样的词", ".*"} {
			if l := find("keyword=" + url.QueryEscape(none)); len(l) != 0 {
				t.Fatalf("%s finds %v", none, l)
			}
		}
	})
	t.Run("KNOW-09 KNOW-12 only one's own organisation's are changed and deleted; one foreign among the ticked keeps all", func(t *testing.T) {
		for who, theirs := range map[*bfftest.Browser]string{p: ofA, a: ofP} {
			for _, r := range who.List(knowledge, "size=100").Items {
				if acts := r["_actions"].([]any); r["id"] == theirs && (slices.Contains(acts, any("update")) || slices.Contains(acts, any("delete"))) {
					t.Errorf("offered on another's: %v", acts)
				}
			}
			const says = "只可修改或删除本组织添加的知识"
			mine := IDOf(Add(t, who, knowledge, ArticleForm(NewName("本级"), cat)))
			Refused(t, who.Do("PUT", Path(knowledge)+"/"+theirs, ArticleForm("改", cat).With(Form{"version": 1})), http.StatusConflict, "", says)
			Refused(t, who.Do("POST", Path(knowledge)+"/delete", Form{"ids": []string{theirs}}), http.StatusConflict, "", says)
			Refused(t, who.Do("POST", Path(knowledge)+"/delete", Form{"ids": []string{mine, theirs}}), http.StatusConflict, "", says)
			if l := IDs(who.List(knowledge, "size=100")); !slices.Contains(l, mine) || !slices.Contains(l, theirs) {
				t.Fatal("one of them is gone")
			}
		}
		if got := phone.Do("POST", Own(knowledge), ArticleForm("党员", cat)); got.Status != http.StatusForbidden {
			t.Fatalf("a member adds: %d", got.Status)
		}
	})
	t.Run("KTAG-10 KTAG-11 KTAG-12 a tag with a column shows in 大家搜 and finds its knowledge; without, it does not, and stays", func(t *testing.T) {
		tag := Named(t, knowledgeTag, NewName("学习强国"))
		with := IDOf(Add(t, a, knowledge, ArticleForm(NewName("有签"), cat).With(Form{"tagIds": []string{tag}})))
		Add(t, b, knowledge, ArticleForm(NewName("有签"), cat).With(Form{"tagIds": []string{tag}}))
		at := Path(knowledgeTag) + "/" + tag + "/actions/"
		offered := func() []any {
			var r Item
			root.Get(Path(knowledgeTag)+"/"+tag, &r)
			return r["_actions"].([]any)
		}
		shown := func() bool { return slices.Contains(Mine(t, phone, knowledgeTag), tag) }
		if l := offered(); shown() || !slices.Contains(l, any("addColumn")) || slices.Contains(l, any("dropColumn")) {
			t.Fatalf("before: %v", l)
		}
		Refused(t, root.Do("POST", at+"dropColumn", nil), http.StatusConflict, "", "该栏目未添加")
		Refused(t, a.Do("POST", at+"addColumn", nil), http.StatusForbidden, "", "")
		root.Post(at+"addColumn", nil, &Item{})
		if l := offered(); !shown() || slices.Contains(l, any("addColumn")) || !slices.Contains(l, any("dropColumn")) {
			t.Fatalf("with: %v", l)
		}
		Refused(t, root.Do("POST", at+"addColumn", nil), http.StatusConflict, "", "该栏目已添加")
		Refused(t, a.Do("POST", at+"dropColumn", nil), http.StatusForbidden, "", "")
		var l bfftest.Page
		phone.Get(Own(knowledge)+"?f.tagIds="+tag, &l)
		if !slices.Equal(IDs(l), []string{with}) {
			t.Fatalf("%v, want %s", IDs(l), with)
		}
		root.Post(at+"dropColumn", nil, &Item{})
		if l := a.List(knowledge, "f.tagIds="+tag); shown() || l.Total != 1 {
			t.Fatalf("after: %d articles", l.Total)
		}
	})
}
