package member

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

// TestSpecialty: 党员特长 (manual 6.3).
func TestSpecialty(t *testing.T) {
	const typ = "specialty"
	tag := func(t *testing.T, n string) string {
		t.Helper()
		return Add(t, Root(t), "specialtyTag", Form{"name": n, "sortNo": 1})["id"].(string)
	}
	paint, sing, swim := tag(t, Name("绘")), tag(t, Name("唱")), tag(t, Name("泳"))
	twice := Wrong{"a tag twice", Form{"tags": []string{sing, swim, sing}}, "tags", "不能重复"}
	taken := NewMember(t, OrgA(t))
	Add(t, AdminA(t), typ, Form{"memberId": taken.ID, "tags": []string{swim}})
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "SPEC-01", Add: "SPEC-02", View: "SPEC-05", Update: "SPEC-06", Delete: "SPEC-07", Batch: "SPEC-08"},
		Type: typ,
		Valid: func(t *testing.T, orgID string, i int) Form {
			f := Form{"memberId": NewMember(t, orgID).ID, "tags": []string{paint}, "description": "省级会员"}
			if i > 3 {
				f["tags"] = []string{swim}
			}
			return f
		},
		Columns: []string{"memberId", "orgId", "tags", "updatedAt"},
		Filters: func(i int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.tags=" + paint}
		},
		Required: []string{"memberId", "tags"},
		Wrong: []Wrong{
			twice,
			{"no tag", Form{"tags": []string{}}, "tags", "请填写"},
			{"an empty tag", Form{"tags": []string{""}}, "tags", "有误"},
			{"a tag that is none", Form{"tags": []string{"none"}}, "tags", "不存在"},
			{"a member who has the tag", Form{"memberId": taken.ID, "tags": []string{swim}}, "memberId", "已有特长记录"},
			{"a member of another branch", Form{"memberId": NewMember(t, OrgB(t)).ID}, "memberId", "不在管理范围内"},
		},
		Shown:       []string{"phone", "orgId"},
		Update:      Form{"description": "国家级会员"},
		WrongUpdate: []Wrong{twice},
	})
	t.Run("SPEC-01 SPEC-02 members are found by a tag", func(t *testing.T) {
		a := AdminA(t)
		rare := tag(t, Name("稀"))
		one := Add(t, a, typ, Form{"memberId": NewMember(t, OrgA(t)).ID, "tags": []string{paint, rare}})["id"].(string)
		if got := IDs(a.List(typ, "f.tags="+rare)); !slices.Equal(got, []string{one}) {
			t.Fatalf("%v", got)
		}
		Refused(t, Root(t).Do("POST", Path("specialtyTag")+"/delete", Form{"ids": []string{rare}}), http.StatusConflict, "", "正在使用")
		Refused(t, Root(t).Do("POST", Path("specialtyTag"), Form{"name": "一个超过十个字的特长标签名"}), http.StatusBadRequest, "name", "不能超过10个字")
		Refused(t, a.Do("POST", Path("specialtyTag"), Form{"name": Name("下级")}), http.StatusForbidden, "", "")
	})
	t.Run("SPEC-05 the phone is masked in the list, and whole on the page of who may see it", func(t *testing.T) {
		a := AdminA(t)
		who := NewMember(t, OrgA(t))
		id := Add(t, a, typ, Form{"memberId": who.ID, "tags": []string{paint}})["id"].(string)
		row := a.List(typ, "f.memberId="+who.ID).Items[0]
		var page, limitedPage Item
		a.Get(Path(typ)+"/"+id, &page)
		Limited(t, typ+".view").Get(Path(typ)+"/"+id, &limitedPage)
		if row["phone"] == who.Phone || page["phone"] != who.Phone || limitedPage["phone"] != row["phone"] {
			t.Fatalf("list %v, page %v, without the right %v", row["phone"], page["phone"], limitedPage["phone"])
		}
	})
	t.Run("SPEC-03 SPEC-04 the member sees and maintains his own, at once and without approval", func(t *testing.T) {
		a := AdminA(t)
		who, other := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
		phone, second := PhoneOf(t, who), PhoneOf(t, other)
		if got := Mine(t, phone, typ); len(got) != 0 {
			t.Fatalf("already %v", got)
		}
		var r Item
		phone.T = t
		Refused(t, phone.Do("POST", Own(typ), Form{"tags": []string{}}), http.StatusBadRequest, "tags", "请填写")
		Refused(t, phone.Do("POST", Own(typ), Form{"tags": []string{sing, sing}}), http.StatusBadRequest, "tags", "不能重复")
		Refused(t, phone.Do("POST", Own(typ), Form{"tags": []string{""}}), http.StatusBadRequest, "tags", "有误")
		phone.Post(Own(typ), Form{"tags": []string{sing}, "memberId": other.ID}, &r)
		listed := func() Item {
			t.Helper()
			a.T = t
			p := a.List(typ, "f.memberId="+who.ID)
			if len(p.Items) != 1 {
				t.Fatalf("the console lists %v", p.Items)
			}
			return p.Items[0]
		}
		Same(t, listed(), Form{"tags": []any{sing}, "id": r["id"], "memberId": who.ID, "orgId": OrgA(t)})
		at := Own(typ) + "/" + r["id"].(string)
		phone.Do("PUT", at, Form{"version": r["version"], "tags": []string{sing, swim}, "description": "会唱"}).Into(t, &r)
		if got := r["tags"].([]any); len(got) != 2 {
			t.Fatalf("%v", got)
		}
		Same(t, listed(), Form{"tags": r["tags"], "description": "会唱"})
		Refused(t, phone.Do("PUT", at, Form{"version": r["version"], "tags": []string{swim, swim}}), http.StatusBadRequest, "tags", "不能重复")
		Refused(t, second.Do("PUT", at, Form{"version": r["version"], "tags": []string{swim}}), http.StatusNotFound, "", NothingThere)
		Refused(t, second.Do("GET", at, nil), http.StatusNotFound, "", NothingThere)
		phone.Do("PUT", at, Form{"version": r["version"], "tags": []string{swim}}).Into(t, &r)
		Same(t, listed(), Form{"tags": []any{swim}})
		var mineNow Item
		phone.Get(at, &mineNow)
		Same(t, mineNow, Form{"tags": listed()["tags"], "_labels": mineNow["_labels"]})
		phone.Post(Own(typ)+"/delete", Form{"ids": []any{r["id"]}}, &struct{}{})
		if got := a.List(typ, "f.memberId="+who.ID).Total; got != 0 {
			t.Fatalf("%d are left", got)
		}
	})
}
