package acceptance

import (
	"net/http"
	"slices"
	"testing"
)

// TestSpecialty: 党员特长 (manual 6.3).
func TestSpecialty(t *testing.T) {
	const typ = "specialty"
	tag := func(t *testing.T, n string) string {
		t.Helper()
		return add(t, root(t), "specialtyTag", form{"name": n, "sortNo": 1})["id"].(string)
	}
	paint, sing, swim := tag(t, name("绘")), tag(t, name("唱")), tag(t, name("泳"))
	twice := wrong{"a tag twice", form{"tags": []string{sing, swim, sing}}, "tags", "不能重复"}
	taken := newMember(t, orgA(t))
	add(t, adminA(t), typ, form{"memberId": taken.ID, "tags": []string{swim}})
	record(t, recordSpec{
		IDs:  rowIDs{List: "SPEC-01", Add: "SPEC-02", View: "SPEC-05", Update: "SPEC-06", Delete: "SPEC-07", Batch: "SPEC-08"},
		Type: typ,
		Valid: func(t *testing.T, orgID string, i int) form {
			f := form{"memberId": newMember(t, orgID).ID, "tags": []string{paint}, "description": "省级会员"}
			if i > 3 {
				f["tags"] = []string{swim}
			}
			return f
		},
		Columns: []string{"memberId", "orgId", "tags", "updatedAt"},
		Filters: func(i int, f form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.tags=" + paint}
		},
		Required: []string{"memberId", "tags"},
		Wrong: []wrong{
			twice,
			{"no tag", form{"tags": []string{}}, "tags", "请填写"},
			{"an empty tag", form{"tags": []string{""}}, "tags", "有误"},
			{"a tag that is none", form{"tags": []string{"none"}}, "tags", "不存在"},
			{"a member who has the tag", form{"memberId": taken.ID, "tags": []string{swim}}, "memberId", "已有特长记录"},
			{"a member of another branch", form{"memberId": newMember(t, orgB(t)).ID}, "memberId", "不在管理范围内"},
		},
		Shown:       []string{"phone", "orgId"},
		Update:      form{"description": "国家级会员"},
		WrongUpdate: []wrong{twice},
	})
	t.Run("SPEC-01 SPEC-02 members are found by a tag", func(t *testing.T) {
		a := adminA(t)
		rare := tag(t, name("稀"))
		one := add(t, a, typ, form{"memberId": newMember(t, orgA(t)).ID, "tags": []string{paint, rare}})["id"].(string)
		if got := ids(a.List(typ, "f.tags="+rare)); !slices.Equal(got, []string{one}) {
			t.Fatalf("%v", got)
		}
		refused(t, root(t).Do("POST", path("specialtyTag")+"/delete", form{"ids": []string{rare}}), http.StatusConflict, "", "正在使用")
		refused(t, root(t).Do("POST", path("specialtyTag"), form{"name": "一个超过十个字的特长标签名"}), http.StatusBadRequest, "name", "不能超过10个字")
		refused(t, a.Do("POST", path("specialtyTag"), form{"name": name("下级")}), http.StatusForbidden, "", "")
	})
	t.Run("SPEC-05 the phone is masked in the list, and whole on the page of who may see it", func(t *testing.T) {
		a := adminA(t)
		who := newMember(t, orgA(t))
		id := add(t, a, typ, form{"memberId": who.ID, "tags": []string{paint}})["id"].(string)
		row := a.List(typ, "f.memberId="+who.ID).Items[0]
		var page, limitedPage item
		a.Get(path(typ)+"/"+id, &page)
		limited(t, typ+".view").Get(path(typ)+"/"+id, &limitedPage)
		if row["phone"] == who.Phone || page["phone"] != who.Phone || limitedPage["phone"] != row["phone"] {
			t.Fatalf("list %v, page %v, without the right %v", row["phone"], page["phone"], limitedPage["phone"])
		}
	})
	t.Run("SPEC-03 SPEC-04 the member sees and maintains his own, at once and without approval", func(t *testing.T) {
		a := adminA(t)
		who, other := newMember(t, orgA(t)), newMember(t, orgA(t))
		phone, second := phoneOf(t, who), phoneOf(t, other)
		if got := mine(t, phone, typ); len(got) != 0 {
			t.Fatalf("already %v", got)
		}
		var r item
		phone.T = t
		refused(t, phone.Do("POST", own(typ), form{"tags": []string{}}), http.StatusBadRequest, "tags", "请填写")
		refused(t, phone.Do("POST", own(typ), form{"tags": []string{sing, sing}}), http.StatusBadRequest, "tags", "不能重复")
		refused(t, phone.Do("POST", own(typ), form{"tags": []string{""}}), http.StatusBadRequest, "tags", "有误")
		phone.Post(own(typ), form{"tags": []string{sing}, "memberId": other.ID}, &r)
		listed := func() item {
			t.Helper()
			a.T = t
			p := a.List(typ, "f.memberId="+who.ID)
			if len(p.Items) != 1 {
				t.Fatalf("the console lists %v", p.Items)
			}
			return p.Items[0]
		}
		same(t, listed(), form{"tags": []any{sing}, "id": r["id"], "memberId": who.ID, "orgId": orgA(t)})
		at := own(typ) + "/" + r["id"].(string)
		phone.Do("PUT", at, form{"version": r["version"], "tags": []string{sing, swim}, "description": "会唱"}).Into(t, &r)
		if got := r["tags"].([]any); len(got) != 2 {
			t.Fatalf("%v", got)
		}
		same(t, listed(), form{"tags": r["tags"], "description": "会唱"})
		refused(t, phone.Do("PUT", at, form{"version": r["version"], "tags": []string{swim, swim}}), http.StatusBadRequest, "tags", "不能重复")
		refused(t, second.Do("PUT", at, form{"version": r["version"], "tags": []string{swim}}), http.StatusNotFound, "", nothingThere)
		refused(t, second.Do("GET", at, nil), http.StatusNotFound, "", nothingThere)
		phone.Do("PUT", at, form{"version": r["version"], "tags": []string{swim}}).Into(t, &r)
		same(t, listed(), form{"tags": []any{swim}})
		var mineNow item
		phone.Get(at, &mineNow)
		same(t, mineNow, form{"tags": listed()["tags"], "_labels": mineNow["_labels"]})
		phone.Post(own(typ)+"/delete", form{"ids": []any{r["id"]}}, &struct{}{})
		if got := a.List(typ, "f.memberId="+who.ID).Total; got != 0 {
			t.Fatalf("%d are left", got)
		}
	})
}
