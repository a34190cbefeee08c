package learning

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

const (
	question = "question"
	category = "questionCategory"
	tag      = "questionTag"
)

func single(stem, categoryID string) Form {
	return Form{"questionType": "single", "stem": stem, "optionA": "甲", "optionB": "乙", "optionC": "丙", "optionD": "丁", "answers": []string{"B"}, "categoryId": categoryID}
}

// TestQuestions: 试题列表 (manual 10.3.1).
func TestQuestions(t *testing.T) {
	cat, other := Named(t, category, NewName("党章")), Named(t, category, NewName("党史"))
	tagID := Named(t, tag, NewName("基础"))
	gap := Wrong{"a gap before F", Form{"optionF": "己"}, "optionF", "请先填写选项E"}
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "QUES-01", Add: "QUES-02", View: "QUES-08", Update: "QUES-09", Delete: "QUES-12"},
		Type: question,
		Valid: func(_ *testing.T, _ string, _ int) Form {
			return single(NewName("题干"), cat).With(Form{"tagIds": []string{tagID}, "analysis": "见党章"})
		},
		Columns: []string{"stem", "questionType", "categoryId", "tagIds", "orgId", "updatedAt"},
		Filters: func(_ int, f Form) []string {
			of := "f.stem=" + url.QueryEscape(f["stem"].(string))
			return []string{of, of + "&f.questionType=single", of + "&f.categoryId=" + cat, of + "&f.tagIds=" + tagID}
		},
		Required: []string{"questionType", "stem", "categoryId"},
		Wrong: []Wrong{
			{"no right answer", Form{"answers": []string{}}, "answers", ""}, {"two of a single choice", Form{"answers": []string{"A", "B"}}, "answers", "一个正确答案"},
			{"one of a multiple choice", Form{"questionType": "multiple"}, "answers", "两个以上"}, {"two equal options", Form{"optionD": " 甲 "}, "optionD", "与选项A相同"},
			{"an empty option", Form{"optionC": "  "}, "optionC", "请填写选项C"}, {"an answer that is no option", Form{"answers": []string{"E"}}, "answers", "不在选项中"}, gap,
		},
		Shown:       []string{"orgId", "answers", "analysis"},
		Update:      Form{"optionA": "改过", "answers": []string{"A"}, "categoryId": other},
		WrongUpdate: []Wrong{gap, {"no answer", Form{"answers": []string{}}, "answers", ""}},
	})
	a, b := AdminA(t), AdminB(t)
	t.Run("QUES-03 three kinds; a true/false question has its two answers and no options; another kind is refused", func(t *testing.T) {
		q := Add(t, a, question, Form{"questionType": "judge", "stem": NewName("判断"), "answers": []string{"right"}, "categoryId": cat, "optionA": "不算"})
		if q["optionA"] != "" {
			t.Fatalf("%v", q)
		}
		for _, wrong := range [][]string{{}, {"A"}, {"right", "wrong"}} {
			Refused(t, a.Do("POST", Path(question), Form{"questionType": "judge", "stem": "x", "answers": wrong, "categoryId": cat}), http.StatusBadRequest, "answers", "")
		}
		Refused(t, a.Do("POST", Path(question), single("x", cat).With(Form{"questionType": "essay"})), http.StatusBadRequest, "questionType", "")
	})
	t.Run("QUES-05 a picture at an option and a file at the stem; what is no picture is refused there", func(t *testing.T) {
		picture := Uploaded(t, a, question, "imageA", bfftest.Upload{Name: "选项.png", Data: Dot(t)})
		file := Uploaded(t, a, question, "stemFiles", bfftest.Upload{Name: "材料.pdf", Data: []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")})
		q := Add(t, a, question, single(NewName("图"), cat).With(Form{"imageA": []any{picture}, "stemFiles": []any{file}}))
		var seen Item
		a.Get(Path(question)+"/"+IDOf(q), &seen)
		if len(seen["imageA"].([]any)) != 1 || len(seen["stemFiles"].([]any)) != 1 {
			t.Fatalf("%v", seen)
		}
		if got := a.Do("POST", Path(question)+"/upload?field=imageA", &bfftest.Upload{Name: "图.png", Data: []byte("%PDF-1.4")}); got.Status != http.StatusBadRequest {
			t.Fatalf("no picture: %d %s", got.Status, got.Body)
		}
	})
	t.Run("QUES-06 six tags, and no seventh", func(t *testing.T) {
		var tags []string
		for range 7 {
			tags = append(tags, Named(t, tag, NewName("标签")))
		}
		Add(t, a, question, single(NewName("六"), cat).With(Form{"tagIds": tags[:6]}))
		Refused(t, a.Do("POST", Path(question), single(NewName("七"), cat).With(Form{"tagIds": tags})), http.StatusBadRequest, "tagIds", "试题标签最多可选择6个")
	})
	t.Run("QUES-10 QUES-13 QUES-14 only one's own organisation's are changed and deleted; one foreign among the ticked keeps all, and is told", func(t *testing.T) {
		p := AdminP(t)
		mine, theirs := IDOf(Add(t, p, question, single(NewName("上级"), cat))), IDOf(Add(t, a, question, single(NewName("支部"), cat)))
		for _, r := range p.List(question, "size=100").Items {
			acts := r["_actions"].([]any)
			if r["id"] == theirs && (slices.Contains(acts, any("update")) || slices.Contains(acts, any("delete"))) {
				t.Errorf("offered on another's: %v", acts)
			}
		}
		Refused(t, p.Do("PUT", Path(question)+"/"+theirs, single("改", cat).With(Form{"version": 1})), http.StatusConflict, "", "只可修改或删除本组织添加的试题")
		Refused(t, p.Do("POST", Path(question)+"/delete", Form{"ids": []string{mine, theirs}}), http.StatusConflict, "", "只可修改或删除本组织添加的试题")
		if l := p.List(question, "size=100"); !slices.Contains(IDs(l), mine) || !slices.Contains(IDs(l), theirs) {
			t.Fatal("one of them is gone")
		}
		Refused(t, p.Do("POST", Path(question)+"/delete", Form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		one, two, kept := IDOf(Add(t, a, question, single(NewName("删"), cat))), IDOf(Add(t, a, question, single(NewName("删"), cat))), theirs
		a.Post(Path(question)+"/delete", Form{"ids": []string{one, two}}, &struct{}{})
		if l := IDs(a.List(question, "size=100")); slices.Contains(l, one) || slices.Contains(l, two) || !slices.Contains(l, kept) {
			t.Fatalf("%v", l)
		}
		Refused(t, b.Do("POST", Path(question)+"/delete", Form{"ids": []string{theirs}}), http.StatusNotFound, "", NothingThere)
	})
	header := []string{"试题类型", "题干", "选项A", "选项B", "选项C", "选项D", "选项E", "选项F", "正确答案", "分类", "标签"}
	t.Run("QUES-16 the template has its columns and is taken as it is", func(t *testing.T) { Template(t, a, question, header) })
	t.Run("QUES-17 QUES-18 rows are read as people write them; wrong ones are told with their reasons, and only they come again", func(t *testing.T) {
		catName, tagName := NewName("导入类"), NewName("导入签")
		cat := Named(t, category, catName)
		Named(t, tag, tagName)
		row := func(kind, stem, answers string, options ...string) map[string]string {
			r := map[string]string{"试题类型": kind, "题干": stem, "正确答案": answers, "分类": catName, "标签": tagName}
			for i, o := range options {
				r["选项"+string(rune('A'+i))] = o
			}
			return r
		}
		rows := []map[string]string{
			row("单选", NewName("导"), "Ｂ", "1921", "1949-10-01", "2.50", "007"), row("多选", NewName("导"), "A、D", "甲", "乙", "丙", "丁"),
			row("多选", NewName("导"), "abe", "甲", "乙", "丙", "丁", "戊"), row("判断", NewName("导"), "√"), row("判断", NewName("导"), "错"),
			// Wrong ones.
			row("问答", NewName("导"), "A", "甲", "乙", "丙", "丁"), row("单选", NewName("导"), "E", "甲", "乙", "丙", "丁"), row("判断", NewName("导"), ""),
			{"试题类型": "单选", "题干": NewName("导"), "正确答案": "A", "选项A": "1", "选项B": "2", "选项C": "3", "选项D": "4", "分类": "没有的分类"},
		}
		got := a.Imports(question, bfftest.Workbook(t, a.Do("GET", Path(question)+"/template", nil).Body, rows))
		if got.SuccessCount != 5 || got.FailureCount != 4 {
			t.Fatalf("%+v", got)
		}
		for i, want := range []struct {
			no     int
			reason string
		}{{7, "试题类型"}, {8, "正确答案"}, {9, "正确答案"}, {10, "分类"}} {
			if f := got.Failures[i]; f.RowNo != want.no || !strings.Contains(f.Reason, want.reason) {
				t.Errorf("%+v, want row %d for %s", f, want.no, want.reason)
			}
		}
		// Mended in the list of what failed, those four are stored and none of the others again.
		mended := []map[string]string{row("单选", rows[5]["题干"], "A", "甲", "乙", "丙", "丁"), row("单选", rows[6]["题干"], "D", "甲", "乙", "丙", "丁"), row("判断", rows[7]["题干"], "对"), row("单选", rows[8]["题干"], "A", "1", "2", "3", "4")}
		again := a.Imports(question, bfftest.Workbook(t, a.Do("GET", Path(question)+"/imports/"+got.ID+"/failures", nil).Body, mended))
		if again.SuccessCount != 4 || again.FailureCount != 0 {
			t.Fatalf("%+v", again)
		}
		l := a.List(question, "size=100&f.categoryId="+cat)
		if l.Total != 9 {
			t.Fatalf("%d stored", l.Total)
		}
		for _, r := range l.Items {
			var q Item
			a.Get(Path(question)+"/"+IDOf(r), &q)
			if r["stem"] == rows[0]["题干"] && (q["optionA"] != "1921" || q["optionB"] != "1949-10-01" || q["optionC"] != "2.50" || q["optionD"] != "007") {
				t.Errorf("options did not stay text: %v", q)
			}
		}
	})
}
