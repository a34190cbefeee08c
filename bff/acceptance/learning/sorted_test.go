package learning

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

const (
	topic             = "topic"
	topicCategory     = "topicCategory"
	video             = "video"
	videoCategory     = "videoCategory"
	knowledge         = "knowledge"
	knowledgeCategory = "knowledgeCategory"
	knowledgeTag      = "knowledgeTag"
)

// kindOfNames is one of the types that sort the records of another one.
type kindOfNames struct {
	typ, row, noun, field string
	records, held, count  string
	deleted               string // the rows of its deletion
	use                   func(t *testing.T, by *bfftest.Browser, id string) Form
	more                  func(t *testing.T) Form // what else its form requires
}

// named is a form of the kind, with a name.
func (k kindOfNames) named(t *testing.T, name string) Form {
	t.Helper()
	f := Form{"name": name, "sortNo": 1}
	if k.more != nil {
		f = f.With(k.more(t))
	}
	return f
}

// TestSorted: 试题分类, 试题标签, 专题分类, 视频分类, 知识分类 and 知识标签 (manual 10.3.2, 10.3.3, 10.5.2,
// 10.6.2, 10.6.3, 10.7.2).
func TestSorted(t *testing.T) {
	ask := func(_ *testing.T, _ *bfftest.Browser, id string) Form { return single(NewName("题"), id) }
	read := func(_ *testing.T, _ *bfftest.Browser, id string) Form { return ArticleForm(NewName("文"), id) }
	tagged := func(category string, form func(*testing.T, *bfftest.Browser, string) Form) func(*testing.T, *bfftest.Browser, string) Form {
		return func(t *testing.T, by *bfftest.Browser, id string) Form {
			return form(t, by, Named(t, category, NewName("类"))).With(Form{"tagIds": []string{id}})
		}
	}
	for _, k := range []kindOfNames{
		{category, "QCAT", "分类", "categoryId", question, "考核", "questions", "QCAT-08 QCAT-09", ask, nil},
		{tag, "QTAG", "标签", "tagIds", question, "考核", "questions", "QTAG-08 QTAG-09 QTAG-10", tagged(category, ask), nil},
		{topicCategory, "TCAT", "分类", "categoryId", topic, "专题", "topics", "TCAT-07", read, Icons},
		{videoCategory, "VCAT", "分类", "categoryId", video, "视频", "videos", "VCAT-06", VideoForm, nil},
		{knowledgeCategory, "KCAT", "分类", "categoryId", knowledge, "知识", "articles", "KCAT-08 KCAT-09", read, nil},
		{knowledgeTag, "KTAG", "标签", "tagIds", knowledge, "知识", "articles", "KTAG-08 KTAG-09", tagged(knowledgeCategory, read), nil},
	} {
		root, a, b := FreshRoot(t), AdminA(t), AdminB(t)
		row := func(b *bfftest.Browser, id string) Item {
			t.Helper()
			for page := 1; page < 20; page++ {
				l := b.List(k.typ, "size=100&page="+string(rune('0'+page)))
				for _, r := range l.Items {
					if IDOf(r) == id {
						return r
					}
				}
				if len(l.Items) < 100 {
					return nil
				}
			}
			return nil
		}
		seen, unique := k.row+"-03 "+k.row+"-05", k.row+"-04"
		if k.typ == videoCategory {
			seen, unique = "VCAT-04", "VCAT-03"
		}
		t.Run(k.row+"-01 "+seen+" the same list for everybody, newest first, with how many records each has; written by the top level only", func(t *testing.T) {
			first, second := IDOf(Add(t, root, k.typ, k.named(t, NewName("甲")))), IDOf(Add(t, root, k.typ, k.named(t, NewName("乙"))))
			if l := IDs(a.List(k.typ, "size=2")); !slices.Equal(l, []string{second, first}) {
				t.Fatalf("newest first: %v", l)
			}
			Columns(t, a, RecordSpec{Type: k.typ, Columns: []string{"name", "sortNo", "createdAt", k.count}})
			Add(t, a, k.records, k.use(t, a, first))
			Add(t, b, k.records, k.use(t, b, first))
			if r := row(a, first); r[k.count] != float64(2) {
				t.Fatalf("%v", r)
			}
			name := NewName("独一")
			only := IDOf(Add(t, root, k.typ, k.named(t, name)))
			if l := IDs(a.List(k.typ, "f.name="+url.QueryEscape(name))); !slices.Equal(l, []string{only}) {
				t.Fatalf("by name: %v", l)
			}
			if l := a.List(k.typ, "f.name=00000000"); l.Total != 0 {
				t.Fatalf("no match shows %v", l)
			}
			for _, r := range a.List(k.typ, "size=5").Items {
				if k.typ == videoCategory {
					break // kept by any admin
				}
				if acts := r["_actions"].([]any); slices.Contains(acts, any("update")) || slices.Contains(acts, any("delete")) {
					t.Errorf("offered to a branch: %v", acts)
				}
			}
			if k.typ == videoCategory {
				who := Limited(t, "videoCategory.view")
				Refused(t, who.Do("POST", Path(k.typ), Form{"name": NewName("无权")}), http.StatusForbidden, "", "无操作权限")
				own := IDOf(Add(t, a, k.typ, Form{"name": NewName("下级")}))
				Refused(t, who.Do("POST", Path(k.typ)+"/delete", Form{"ids": []string{own}}), http.StatusForbidden, "", "无操作权限")
				Remove(t, b, k.typ, own)
				return
			}
			Refused(t, a.Do("POST", Path(k.typ), Form{"name": NewName("下级")}), http.StatusForbidden, "", "只有一级管理员可以操作")
			Refused(t, a.Do("PUT", Path(k.typ)+"/"+only, Form{"name": NewName("下级"), "version": 1}), http.StatusForbidden, "", "只有一级管理员可以操作")
			Refused(t, a.Do("POST", Path(k.typ)+"/delete", Form{"ids": []string{only}}), http.StatusForbidden, "", "只有一级管理员可以操作")
			var seen Item
			a.Get(Path(k.typ)+"/"+only, &seen)
			if seen["name"] != name || seen["createdAt"] == nil {
				t.Fatalf("%v", seen)
			}
			Remove(t, root, k.typ, only)
			Refused(t, a.Do("GET", Path(k.typ)+"/"+only, nil), http.StatusNotFound, "", NothingThere)
		})
		t.Run(k.row+"-02 "+unique+" a name is unique, with blanks around it and for two at once", func(t *testing.T) {
			name := NewName("同名")
			Refused(t, root.Do("POST", Path(k.typ), k.named(t, " ")), http.StatusBadRequest, "name", "请填写")
			id := IDOf(Add(t, root, k.typ, k.named(t, name)))
			Refused(t, root.Do("POST", Path(k.typ), k.named(t, "  "+name+" ")), http.StatusBadRequest, "name", k.noun+"名称不可重复")
			other := Add(t, root, k.typ, k.named(t, NewName("另一")))
			Refused(t, root.Do("PUT", Path(k.typ)+"/"+IDOf(other), k.named(t, name).With(Form{"version": other["version"]})), http.StatusBadRequest, "name", k.noun+"名称不可重复")
			Add(t, a, k.records, k.use(t, a, id)) // it is offered, and taken
			again := NewName("同时")
			var wait sync.WaitGroup
			status, forms := make([]int, 4), make([]Form, 4)
			for i := range forms {
				forms[i] = k.named(t, again)
			}
			for i := range status {
				wait.Go(func() { status[i] = root.Do("POST", Path(k.typ), forms[i]).Status })
			}
			wait.Wait()
			slices.Sort(status)
			if status[0] != http.StatusOK || status[1] != http.StatusBadRequest {
				t.Fatalf("%v", status)
			}
		})
		renamed := k.row + "-06 " + k.row + "-07"
		switch k.typ {
		case topicCategory:
			renamed = "TCAT-06"
		case videoCategory:
			renamed = "VCAT-05"
		}
		t.Run(renamed+" renamed, its records show and are found by the new name", func(t *testing.T) {
			made := Add(t, root, k.typ, k.named(t, NewName("旧")))
			id := IDOf(made)
			var sorted []string
			for range 3 {
				sorted = append(sorted, IDOf(Add(t, a, k.records, k.use(t, a, id))))
			}
			name := NewName("新")
			root.Do("PUT", Path(k.typ)+"/"+id, k.named(t, name).With(Form{"version": made["version"]})).Into(t, &Item{})
			l := a.List(k.records, "size=100&f."+k.field+"="+id)
			if l.Total != 3 {
				t.Fatalf("%d records", l.Total)
			}
			for _, r := range l.Items {
				if labels := r["_labels"].(map[string]any); labels[k.field] != name || !slices.Contains(sorted, IDOf(r)) {
					t.Fatalf("%v", r)
				}
			}
		})
		t.Run(k.deleted+" one in use is not deleted, nor any ticked with it; free, it is", func(t *testing.T) {
			used, free := IDOf(Add(t, root, k.typ, k.named(t, NewName("用")))), IDOf(Add(t, root, k.typ, k.named(t, NewName("闲"))))
			q := IDOf(Add(t, a, k.records, k.use(t, a, used)))
			says := "该" + k.noun + "下含有" + k.held + "，不允许删除"
			Refused(t, root.Do("POST", Path(k.typ)+"/delete", Form{"ids": []string{used}}), http.StatusConflict, "", says)
			Refused(t, root.Do("POST", Path(k.typ)+"/delete", Form{"ids": []string{free, used}}), http.StatusConflict, "", says)
			if row(root, free) == nil {
				t.Fatal("the other of the ticked is gone")
			}
			Refused(t, root.Do("POST", Path(k.typ)+"/delete", Form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
			a.Post(Path(k.records)+"/delete", Form{"ids": []string{q}}, &struct{}{})
			root.Post(Path(k.typ)+"/delete", Form{"ids": []string{free, used}}, &struct{}{})
			if row(root, used) != nil || row(root, free) != nil {
				t.Fatal("they are still there")
			}
		})
	}
}
