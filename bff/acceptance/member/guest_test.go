package acceptance

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
)

// day is a date, some days from today.
func day(n int) string {
	return time.Now().In(time.FixedZone("Asia/Shanghai", 8*3600)).AddDate(0, 0, n).Format(time.DateOnly)
}

// TestGuests: 兼职党员 (manual 6.9) and 报到党员 (6.10).
func TestGuests(t *testing.T) {
	guests(t, "partTimeMember", "兼职", "PART")
	guests(t, "reportInMember", "报到", "RPIN")
}

func guests(t *testing.T, typ, verb, id string) {
	stranger := func() form {
		p := bfftest.Invent(int(world.people.Add(1)))
		return form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": day(-10), "endOn": day(10)}
	}
	record(t, recordSpec{
		IDs:     rowIDs{List: id + "-01", Add: id + "-02", Update: id + "-09"},
		Type:    typ,
		Valid:   func(*testing.T, string, int) form { return stranger() },
		Columns: []string{"name", "idNumber", "homeOrgName", "orgId", "startOn", "endOn", "state"},
		Filters: func(_ int, f form) []string {
			return []string{"f.name=" + f["name"].(string), "f.state=active&f.name=" + f["name"].(string)}
		},
		Required: []string{"name", "idNumber", "phone", "homeOrgName", "startOn", "endOn"},
		Wrong: []wrong{
			{"the start after the end", form{"startOn": day(11)}, "startOn", verb + "开始时间不能晚于" + verb + "结束时间"},
			{"a broken ID number", form{"idNumber": "110105194912310021"}, "idNumber", "身份证号码有误"},
		},
		Update:      form{"endOn": day(20), "duty": "顾问"},
		WrongUpdate: []wrong{{"the start after the end", form{"startOn": day(30)}, "startOn", verb + "开始时间不能晚于" + verb + "结束时间"}},
	})
	t.Run(id+"-03 the period may be one day and never ends before it begins", func(t *testing.T) {
		a := adminA(t)
		add(t, a, typ, stranger().with(form{"startOn": "2024-06-01", "endOn": "2024-06-01"}))
		refused(t, a.Do("POST", path(typ), stranger().with(form{"startOn": "2024-06-02", "endOn": "2024-06-01"})), http.StatusBadRequest, "startOn", verb+"开始时间不能晚于"+verb+"结束时间")
	})
	t.Run(id+"-04 the home branch reads a member's record and cannot change it; a stranger's is read by those who added him", func(t *testing.T) {
		home := newMember(t, orgB(t))
		a, b := adminA(t), adminB(t)
		f := form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": "乙", "startOn": day(-1), "endOn": day(1)}
		g := add(t, a, typ, f)
		if g["homeOrgName"] != name("乙支部") {
			t.Fatalf("his home is %v", g["homeOrgName"])
		}
		var seen item
		b.Get(path(typ)+"/"+g["id"].(string), &seen)
		for _, x := range seen["_actions"].([]any) {
			if x == "update" || x == "delete" {
				t.Errorf("the home branch is offered %v", x)
			}
		}
		refused(t, b.Do("PUT", path(typ)+"/"+g["id"].(string), form{"duty": "x", "version": g["version"]}), http.StatusConflict, "", "不能修改")
		refused(t, b.Do("POST", path(typ)+"/delete", form{"ids": []any{g["id"]}}), http.StatusConflict, "", "不能删除")
		s := add(t, a, typ, stranger())
		if slices.Contains(ids(b.List(typ, "size=100")), s["id"].(string)) || !slices.Contains(ids(adminP(t).List(typ, "size=100")), s["id"].(string)) {
			t.Fatal("a stranger is seen by the wrong people")
		}
	})
	t.Run(id+"-05 only the adding organisation's admins change it", func(t *testing.T) {
		a, p := adminA(t), adminP(t)
		g := add(t, a, typ, stranger())
		at := path(typ) + "/" + g["id"].(string)
		refused(t, p.Do("PUT", at, form{"duty": "x", "version": g["version"]}), http.StatusConflict, "", "不能修改")
		refused(t, p.Do("POST", path(typ)+"/delete", form{"ids": []any{g["id"]}}), http.StatusConflict, "", "不能删除")
		refused(t, adminB(t).Do("PUT", at, form{"duty": "x", "version": g["version"]}), http.StatusNotFound, "", nothingThere)
		a.Do("PUT", at, form{"duty": "讲师", "version": g["version"]}).Into(t, &g)
		if g["duty"] != "讲师" {
			t.Fatalf("%v", g)
		}
	})
	t.Run(id+"-10 the ID number stays as it was entered", func(t *testing.T) {
		a := adminA(t)
		g := add(t, a, typ, stranger())
		other := stranger()
		refused(t, a.Do("PUT", path(typ)+"/"+g["id"].(string), form{"idNumber": other["idNumber"], "version": g["version"]}), http.StatusBadRequest, "idNumber", "不可修改")
		var now item
		a.Get(path(typ)+"/"+g["id"].(string), &now)
		if now["idNumber"] != g["idNumber"] {
			t.Fatalf("the ID number is %v, was %v", now["idNumber"], g["idNumber"])
		}
		var schema struct {
			Fields []struct {
				Key   string
				Fixed bool
			}
		}
		a.Get(path(typ)+"/schema", &schema)
		for _, f := range schema.Fields {
			if f.Key == "idNumber" && !f.Fixed {
				t.Error("the form lets it be changed")
			}
		}
	})
	t.Run(id+"-08 no member of the branch, but bound to it for the time of the period", func(t *testing.T) {
		a := adminA(t)
		var before, after struct{ MemberCount int }
		a.Get("/api/console/statistics", &before)
		f := stranger()
		g := add(t, a, typ, f)
		a.Get("/api/console/statistics", &after)
		if before != after || len(a.List("member", "f.name="+f["name"].(string)).Items) != 0 {
			t.Fatal("he counts as a member")
		}
		who := bfftest.Person{Name: f["name"].(string), IDNumber: f["idNumber"].(string), Phone: f["phone"].(string)}
		phone, _ := product.Bind(t, 0, who)
		var me struct {
			Bound bool
			OrgID string
		}
		phone.Get("/api/member/me", &me)
		if !me.Bound || me.OrgID != orgA(t) {
			t.Fatalf("he is %+v", me)
		}
		a.Get(path(typ)+"/"+g["id"].(string), &g)
		a.Do("PUT", path(typ)+"/"+g["id"].(string), form{"startOn": day(-20), "endOn": day(-1), "version": g["version"]}).Into(t, &g)
		if g["state"] != "ended" {
			t.Fatalf("state %v", g["state"])
		}
		eventually(t, "his pages close", func() bool { return phone.Do("GET", "/api/member/meetings", nil).Status == http.StatusForbidden })
		late := product.Browser(t, 0)
		late.OpenPhone(late.WeChatUser("迟到", who.Phone))
		refused(t, late.Do("POST", "/api/member/bind-code", form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone}), http.StatusNotFound, "", "未找到党员信息")
	})
	t.Run(id+"-11 deleted, he leaves the list and loses the binding", func(t *testing.T) {
		a := adminA(t)
		f := stranger()
		g := add(t, a, typ, f)
		phone, _ := product.Bind(t, 0, bfftest.Person{Name: f["name"].(string), IDNumber: f["idNumber"].(string), Phone: f["phone"].(string)})
		one := form{"ids": []any{g["id"]}}
		refused(t, adminP(t).Do("POST", path(typ)+"/delete", one), http.StatusConflict, "", "不能删除")
		a.Post(path(typ)+"/delete", one, &struct{}{})
		if slices.Contains(ids(a.List(typ, "size=100")), g["id"].(string)) {
			t.Fatal("still listed")
		}
		eventually(t, "his binding is gone", func() bool { return phone.Do("GET", "/api/member/meetings", nil).Status == http.StatusForbidden })
	})
}
