package member

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestGuests: 兼职党员 (manual 6.9) and 报到党员 (6.10).
func TestGuests(t *testing.T) {
	guests(t, "partTimeMember", "兼职", "PART")
	guests(t, "reportInMember", "报到", "RPIN")
}

func guests(t *testing.T, typ, verb, id string) {
	stranger := func() Form {
		p := NewPerson()
		return Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": Day(-10), "endOn": Day(10)}
	}
	Record(t, RecordSpec{
		IDs:     RowIDs{List: id + "-01", Add: id + "-02", Update: id + "-09"},
		Type:    typ,
		Valid:   func(*testing.T, string, int) Form { return stranger() },
		Columns: []string{"name", "idNumber", "homeOrgName", "orgId", "startOn", "endOn", "state"},
		Filters: func(_ int, f Form) []string {
			return []string{"f.name=" + f["name"].(string), "f.state=active&f.name=" + f["name"].(string)}
		},
		Required: []string{"name", "idNumber", "phone", "homeOrgName", "startOn", "endOn"},
		Wrong: []Wrong{
			{"the start after the end", Form{"startOn": Day(11)}, "startOn", verb + "开始时间不能晚于" + verb + "结束时间"},
			{"a broken ID number", Form{"idNumber": "110105194912310021"}, "idNumber", "身份证号码有误"},
		},
		Update:      Form{"endOn": Day(20), "duty": "顾问"},
		WrongUpdate: []Wrong{{"the start after the end", Form{"startOn": Day(30)}, "startOn", verb + "开始时间不能晚于" + verb + "结束时间"}},
	})
	t.Run(id+"-03 the period may be one day and never ends before it begins", func(t *testing.T) {
		a := AdminA(t)
		Add(t, a, typ, stranger().With(Form{"startOn": "2024-06-01", "endOn": "2024-06-01"}))
		Refused(t, a.Do("POST", Path(typ), stranger().With(Form{"startOn": "2024-06-02", "endOn": "2024-06-01"})), http.StatusBadRequest, "startOn", verb+"开始时间不能晚于"+verb+"结束时间")
	})
	t.Run(id+"-04 the home branch reads a member's record and cannot change it; a stranger's is read by those who added him", func(t *testing.T) {
		home := NewMember(t, OrgB(t))
		a, b := AdminA(t), AdminB(t)
		f := Form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": "乙", "startOn": Day(-1), "endOn": Day(1)}
		g := Add(t, a, typ, f)
		if g["homeOrgName"] != "乙" {
			t.Fatalf("his home is %v, told to who may not know", g["homeOrgName"])
		}
		if g := Add(t, AdminP(t), typ, f); g["homeOrgName"] != Name("乙支部") {
			t.Fatalf("his home is %v", g["homeOrgName"])
		}
		var seen Item
		b.Get(Path(typ)+"/"+g["id"].(string), &seen)
		for _, x := range seen["_actions"].([]any) {
			if x == "update" || x == "delete" {
				t.Errorf("the home branch is offered %v", x)
			}
		}
		Refused(t, b.Do("PUT", Path(typ)+"/"+g["id"].(string), Form{"duty": "x", "version": g["version"]}), http.StatusConflict, "", "只有添加该党员的组织可以办理")
		Refused(t, b.Do("POST", Path(typ)+"/delete", Form{"ids": []any{g["id"]}}), http.StatusConflict, "", "只有添加该党员的组织可以办理")
		s := Add(t, a, typ, stranger())
		if slices.Contains(IDs(b.List(typ, "size=100")), s["id"].(string)) || !slices.Contains(IDs(AdminP(t).List(typ, "size=100")), s["id"].(string)) {
			t.Fatal("a stranger is seen by the wrong people")
		}
	})
	t.Run(id+"-05 only the adding organisation's admins change it", func(t *testing.T) {
		a, p := AdminA(t), AdminP(t)
		g := Add(t, a, typ, stranger())
		at := Path(typ) + "/" + g["id"].(string)
		Refused(t, p.Do("PUT", at, Form{"duty": "x", "version": g["version"]}), http.StatusConflict, "", "只有添加该党员的组织可以办理")
		Refused(t, p.Do("POST", Path(typ)+"/delete", Form{"ids": []any{g["id"]}}), http.StatusConflict, "", "只有添加该党员的组织可以办理")
		Refused(t, AdminB(t).Do("PUT", at, Form{"duty": "x", "version": g["version"]}), http.StatusNotFound, "", NothingThere)
		a.Do("PUT", at, Form{"duty": "讲师", "version": g["version"]}).Into(t, &g)
		if g["duty"] != "讲师" {
			t.Fatalf("%v", g)
		}
	})
	t.Run(id+"-10 the ID number stays as it was entered", func(t *testing.T) {
		a := AdminA(t)
		g := Add(t, a, typ, stranger())
		other := stranger()
		Refused(t, a.Do("PUT", Path(typ)+"/"+g["id"].(string), Form{"idNumber": other["idNumber"], "version": g["version"]}), http.StatusBadRequest, "idNumber", "不可修改")
		var now Item
		a.Get(Path(typ)+"/"+g["id"].(string), &now)
		if now["idNumber"] != g["idNumber"] {
			t.Fatalf("the ID number is %v, was %v", now["idNumber"], g["idNumber"])
		}
		var schema struct {
			Fields []struct {
				Key   string
				Fixed bool
			}
		}
		a.Get(Path(typ)+"/schema", &schema)
		for _, f := range schema.Fields {
			if f.Key == "idNumber" && !f.Fixed {
				t.Error("the form lets it be changed")
			}
		}
	})
	t.Run(id+"-08 no member of the branch, but bound to it for the time of the period", func(t *testing.T) {
		a := AdminA(t)
		var before, after struct{ MemberCount int }
		a.Get("/api/console/statistics", &before)
		f := stranger()
		g := Add(t, a, typ, f)
		a.Get("/api/console/statistics", &after)
		if before != after || len(a.List("member", "f.name="+f["name"].(string)).Items) != 0 {
			t.Fatal("he counts as a member")
		}
		who := bfftest.Person{Name: f["name"].(string), IDNumber: f["idNumber"].(string), Phone: f["phone"].(string)}
		phone, _ := Bind(t, who)
		var me struct {
			Bound bool
			OrgID string
		}
		phone.Get("/api/member/me", &me)
		if !me.Bound || me.OrgID != OrgA(t) {
			t.Fatalf("he is %+v", me)
		}
		a.Get(Path(typ)+"/"+g["id"].(string), &g)
		a.Do("PUT", Path(typ)+"/"+g["id"].(string), Form{"startOn": Day(-20), "endOn": Day(-1), "version": g["version"]}).Into(t, &g)
		if g["state"] != "ended" {
			t.Fatalf("state %v", g["state"])
		}
		bfftest.Eventually(t, "his pages close", func() bool { return phone.Do("GET", "/api/member/meetings", nil).Status == http.StatusForbidden })
		late := Visitor(t)
		late.OpenPhone(late.WeChatUser("迟到", who.Phone))
		Refused(t, late.Do("POST", "/api/member/bind-code", Form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone}), http.StatusNotFound, "", "未找到党员信息")
	})
	t.Run(id+"-11 deleted, he leaves the list and loses the binding", func(t *testing.T) {
		a := AdminA(t)
		f := stranger()
		g := Add(t, a, typ, f)
		phone, _ := Bind(t, bfftest.Person{Name: f["name"].(string), IDNumber: f["idNumber"].(string), Phone: f["phone"].(string)})
		one := Form{"ids": []any{g["id"]}}
		Refused(t, AdminP(t).Do("POST", Path(typ)+"/delete", one), http.StatusConflict, "", "只有添加该党员的组织可以办理")
		a.Post(Path(typ)+"/delete", one, &struct{}{})
		if slices.Contains(IDs(a.List(typ, "size=100")), g["id"].(string)) {
			t.Fatal("still listed")
		}
		bfftest.Eventually(t, "his binding is gone", func() bool { return phone.Do("GET", "/api/member/meetings", nil).Status == http.StatusForbidden })
	})
}
