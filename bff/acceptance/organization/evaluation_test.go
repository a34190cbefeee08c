package organization

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

// allFive is the best evaluation.
func allFive() []Item {
	return []Item{
		{"aspect": "organisationBuilding", "score": 5}, {"aspect": "ideologicalBuilding", "score": 4}, {"aspect": "publicLetters", "score": 3},
	}
}

// TestEvaluation: 组织评价 (manual 5.5).
func TestEvaluation(t *testing.T) {
	const typ = "organizationEvaluation"
	const own = "/api/member/records/" + typ
	a, b, p := AdminA(t), AdminB(t), AdminP(t)
	who := NewMember(t, OrgA(t))
	phone := PhoneOf(t, who)
	write := func(t *testing.T, content string) string {
		t.Helper()
		phone.T = t
		var got Item
		phone.Post(own, Form{"aspects": allFive(), "content": content}, &got)
		return IDOf(got)
	}
	t.Run("OEVL-03 a member scores every aspect of his own organisation, and no other", func(t *testing.T) {
		phone.T = t
		Refused(t, phone.Do("POST", own, Form{"content": "好"}), http.StatusBadRequest, "aspects", "请填写")
		Refused(t, phone.Do("POST", own, Form{"aspects": allFive()[:2]}), http.StatusBadRequest, "aspects", "群众来信方面")
		for _, score := range []int{0, 6} {
			Refused(t, phone.Do("POST", own, Form{"aspects": append(allFive()[:2], Item{"aspect": "publicLetters", "score": score})}), http.StatusBadRequest, "aspects", "群众来信方面")
		}
		Refused(t, phone.Do("POST", own, Form{"aspects": append(allFive(), Item{"aspect": "weather", "score": 5})}), http.StatusBadRequest, "aspects", "有误")
		total := b.List(typ, "").Total
		var got Item
		phone.Post(own, Form{"aspects": allFive(), "orgId": OrgB(t), "memberId": "x"}, &got)
		r := a.List(typ, "size=1").Items[0]
		if r["id"] != got["id"] || r["orgId"] != OrgA(t) || r["memberId"] != who.ID || b.List(typ, "").Total != total {
			t.Fatalf("%v", r)
		}
		var mine struct{ Total int }
		phone.Get(own, &mine)
		other := PhoneOf(t, NewMember(t, OrgA(t)))
		var theirs struct{ Total int }
		other.Get(own, &theirs)
		if mine.Total != 1 || theirs.Total != 0 {
			t.Fatalf("%d and %d", mine.Total, theirs.Total)
		}
		Refused(t, a.Do("POST", Path(typ), Form{"aspects": allFive()}), http.StatusForbidden, "", "无操作权限")
	})
	t.Run("OEVL-01 the list: own subtree, newest first, paged, columns, filters", func(t *testing.T) {
		a.T, b.T, p.T = t, t, t
		one, two := write(t, "一"), write(t, "二")
		if got := IDs(a.List(typ, "size=100")); !slices.Equal(got[:2], []string{two, one}) {
			t.Fatalf("%v", got)
		}
		if got := IDs(b.List(typ, "size=100")); slices.Contains(got, one) {
			t.Fatal("a sibling sees it")
		}
		if got := IDs(p.List(typ, "size=100&orgId="+OrgA(t))); !slices.Contains(got, one) {
			t.Fatal("the superior does not see it")
		}
		if got := IDs(a.List(typ, "size=1&page=2")); got[0] != one {
			t.Fatalf("page 2: %v", got)
		}
		Columns(t, a, RecordSpec{Type: typ, Columns: []string{"memberId", "orgId", "aspect", "score", "evaluatedAt"}})
		r := a.List(typ, "size=1").Items[0]
		l := r["_labels"].(map[string]any)
		if l["memberId"] != who.Name || l["orgId"] != Name("甲支部") || r["aspect"] != "组织建设方面、党员思想建设方面、群众来信方面" || r["score"] != "5、4、3" || r["evaluatedAt"] == "" {
			t.Fatalf("%v", r)
		}
		for q, want := range map[string]bool{"f.aspect=publicLetters": true, "f.aspect=other": false, "f.evaluatedAt=today,today": true, "f.evaluatedAt=2020-01-01,2020-01-31": false} {
			if got := slices.Contains(IDs(a.List(typ, "size=100&"+q)), one); got != want {
				t.Errorf("filter %s: %v", q, got)
			}
		}
	})
	t.Run("OEVL-02 the page shows every aspect with its score, text, member and time", func(t *testing.T) {
		a.T = t
		id := write(t, "组织生活扎实")
		var r Item
		a.Get(Path(typ)+"/"+id, &r)
		l := r["_labels"].(map[string]any)
		if l["aspects"] != "组织建设方面：5分；党员思想建设方面：4分；群众来信方面：3分" || r["content"] != "组织生活扎实" || l["memberId"] != who.Name || !strings.HasPrefix(r["evaluatedAt"].(string), "20") {
			t.Fatalf("%v", r)
		}
		Refused(t, b.Do("GET", Path(typ)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, a.Do("PUT", Path(typ)+"/"+id, Form{"content": "改", "version": r["version"]}), http.StatusForbidden, "", "无操作权限")
		Delete(a, typ, id)
		Refused(t, a.Do("GET", Path(typ)+"/"+id, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("OEVL-04 batch delete: exactly the ticked ones", func(t *testing.T) {
		a.T = t
		made := []string{write(t, "1"), write(t, "2"), write(t, "3")}
		Refused(t, Delete(a, typ), http.StatusBadRequest, "", "请选择要删除的数据")
		Refused(t, Delete(b, typ, made[0]), http.StatusNotFound, "", NothingThere)
		Delete(a, typ, made[:2]...)
		got := IDs(a.List(typ, "size=100"))
		if slices.Contains(got, made[0]) || slices.Contains(got, made[1]) || !slices.Contains(got, made[2]) {
			t.Fatalf("%v", got)
		}
	})
	t.Run("OEVL-05 export", func(t *testing.T) {
		a.T = t
		rows := Sheet(t, a.Do("GET", Path(typ)+"/export?f.aspect=publicLetters", nil))
		if !slices.Equal(rows[0], []string{"被评价组织", "评价人", "评价方面", "评分", "评价内容", "评价时间"}) || len(rows) != a.List(typ, "").Total+1 || rows[1][1] != who.Name {
			t.Fatalf("%v", rows)
		}
		if rows := Sheet(t, a.Do("GET", Path(typ)+"/export?f.aspect=other", nil)); len(rows) != 1 {
			t.Fatalf("%v", rows)
		}
		Refused(t, Limited(t, "statistics.view").Do("GET", Path(typ)+"/export", nil), http.StatusForbidden, "", "无操作权限")
	})
}
