package acceptance

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// someone is the form of an invented full member.
func someone(orgID string) form {
	p := bfftest.Invent(int(world.people.Add(1)))
	return form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "orgId": orgID, "memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01"}
}

// TestMembers: 党员管理 (manual 6.1).
func TestMembers(t *testing.T) {
	record(t, recordSpec{
		IDs:     rowIDs{List: "MEMB-01", Update: "change", Batch: "batch"},
		Type:    "member",
		Valid:   func(_ *testing.T, orgID string, _ int) form { return someone(orgID) },
		Columns: []string{"name", "gender", "idNumber", "memberType", "orgId", "phone", "joinedOn", "duesPaidThrough", "bound"},
		Filters: func(_ int, f form) []string {
			n := "f.name=" + f["name"].(string)
			return []string{n, "f.idNumber=" + f["idNumber"].(string), "f.phone=" + f["phone"].(string), n + "&f.memberType=fullMember&f.bound=false"}
		},
		Update:      form{"position": "干事", "education": "bachelor"},
		WrongUpdate: []wrong{{"a broken ID number", form{"idNumber": "110105194912310021"}, "idNumber", "身份证号码有误"}},
	})
	caseOf := func(t *testing.T, id string) []item {
		t.Helper()
		return adminA(t).List("developmentCase", "f.memberId="+id).Items
	}
	t.Run("MEMB-09 a person who is no full member yet has one development case at his stage", func(t *testing.T) {
		a := adminA(t)
		for typ, want := range map[string]struct {
			stage string
			step  float64
			dates form
		}{
			"applicant":          {"application", 1, form{"joinedOn": "", "regularizedOn": ""}},
			"activist":           {"activist", 5, form{"joinedOn": "", "regularizedOn": "", "activistOn": "2025-03-01"}},
			"developmentTarget":  {"target", 9, form{"joinedOn": "", "regularizedOn": "", "activistOn": "2025-03-01"}},
			"probationaryMember": {"probation", 19, form{"joinedOn": "2026-03-01", "regularizedOn": "", "activistOn": "2025-03-01"}},
		} {
			m := add(t, a, "member", someone(orgA(t)).with(want.dates).with(form{"memberType": typ}))
			if c := caseOf(t, m["id"].(string)); len(c) != 1 || c[0]["stage"] != want.stage || c[0]["currentStepNo"] != want.step || c[0]["state"] != "running" {
				t.Fatalf("%s has %v", typ, c)
			}
		}
		full := add(t, a, "member", someone(orgA(t)))
		if c := caseOf(t, full["id"].(string)); len(c) != 0 {
			t.Fatalf("a full member has %v", c)
		}
		before := a.List("developmentCase", "").Total
		broken := someone(orgA(t)).with(form{"memberType": "applicant", "idNumber": "110105194912310021"})
		refused(t, a.Do("POST", path("member"), broken), http.StatusBadRequest, "idNumber", "身份证号码有误")
		if now := a.List("developmentCase", "").Total; now != before {
			t.Fatalf("a member who was not stored left a case: %d, were %d", now, before)
		}
	})
	t.Run("MEMB-13 an edited member shows everywhere; one who is no full member any more gets a case; another's ID or phone is refused", func(t *testing.T) {
		a := adminA(t)
		one, two := someone(orgA(t)), someone(orgA(t))
		m := add(t, a, "member", one)
		add(t, a, "member", two)
		at := path("member") + "/" + m["id"].(string)
		for _, k := range []string{"idNumber", "phone"} {
			refused(t, a.Do("PUT", at, form{k: two[k], "version": m["version"]}), http.StatusBadRequest, k, "")
		}
		var now item
		a.Get(at, &now)
		if now["version"] != m["version"] {
			t.Fatal("a refused change was stored")
		}
		a.Do("PUT", at, form{"memberType": "probationaryMember", "joinedOn": "2026-03-01", "regularizedOn": "", "version": m["version"]}).Into(t, &now)
		if c := caseOf(t, m["id"].(string)); len(c) != 1 || c[0]["stage"] != "probation" {
			t.Fatalf("cases %v", c)
		}
		a.Do("PUT", at, form{"position": "组长", "version": now["version"]}).Into(t, &now)
		if c := caseOf(t, m["id"].(string)); len(c) != 1 {
			t.Fatalf("a second edit made %d cases", len(c))
		}
		if l := a.List("member", "f.name="+one["name"].(string)); l.Items[0]["memberType"] != "probationaryMember" {
			t.Fatalf("the list shows %v", l.Items[0])
		}
	})
	t.Run("MEMB-14 ticked members leave every list, history stays; one with dues paid today is refused", func(t *testing.T) {
		a := adminA(t)
		gone, paid := add(t, a, "member", someone(orgA(t)).with(form{"duesPaidThrough": "2026-06"})), add(t, a, "member", someone(orgA(t)).with(form{"duesPaidThrough": "2026-09"}))
		add(t, a, "duesBase", form{"memberId": paid["id"], "baseAmount": 500000, "effectiveMonth": "2026-01"})
		var order item
		a.Post("/api/console/dues/orders", form{"memberId": paid["id"], "toMonth": "2026-10", "idempotencyKey": name("del")}, &order)
		a.Post(fmt.Sprintf("/api/console/dues/orders/%v/cash", order["id"]), form{}, &struct{}{})
		both := form{"ids": []any{gone["id"], paid["id"]}}
		refused(t, a.Do("POST", path("member")+"/delete", both), http.StatusConflict, "", "今日")
		listed := ids(a.List("member", "size=100"))
		if !slices.Contains(listed, gone["id"].(string)) {
			t.Fatal("the other was deleted all the same")
		}
		refused(t, a.Do("POST", path("member")+"/delete", form{"ids": []any{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		var before, after struct{ MemberCount int }
		a.Get("/api/console/statistics", &before)
		a.Post(path("member")+"/delete", form{"ids": []any{gone["id"]}}, &struct{}{})
		a.Get("/api/console/statistics", &after)
		if slices.Contains(ids(a.List("member", "size=100")), gone["id"].(string)) || after.MemberCount != before.MemberCount-1 {
			t.Fatal("still counted")
		}
		if l := a.List("duesOrder", "f.memberId="+paid["id"].(string)); l.Total != 1 {
			t.Fatalf("the dues history is %+v", l)
		}
	})
	t.Run("MEMB-17 a workbook of valid rows makes that many members, and cases for those who are no full members", func(t *testing.T) {
		a := adminA(t)
		template := a.Do("GET", path("member")+"/template", nil)
		var rows []map[string]string
		for i := range 3 {
			p := bfftest.Invent(int(world.people.Add(1)))
			r := map[string]string{"姓名": p.Name, "身份证号": p.IDNumber, "手机号": p.Phone, "所在支部": name("甲支部"), "党员类型": "正式党员", "入党日期": "2010-07-01", "转正日期": "2011-07-01"}
			if i == 2 {
				r["党员类型"], r["入党日期"], r["转正日期"] = "申请入党", "", ""
			}
			rows = append(rows, r)
		}
		cases := a.List("developmentCase", "").Total
		done := a.Imports("member", bfftest.Workbook(t, template.Body, rows))
		if done.SuccessCount != 3 || done.FailureCount != 0 {
			t.Fatalf("%+v", done)
		}
		if now := a.List("developmentCase", "").Total; now != cases+1 {
			t.Fatalf("%d cases, were %d", now, cases)
		}
		again := a.Imports("member", bfftest.Workbook(t, template.Body, rows))
		if again.SuccessCount != 0 || again.FailureCount != 3 {
			t.Fatalf("the same again: %+v", again)
		}
		if bad := a.Imports("member", []byte("no workbook")); bad.State != "failed" {
			t.Fatalf("%+v", bad)
		}
	})
	t.Run("MEMB-19 an export has the ticked fields in their order", func(t *testing.T) {
		a := adminA(t)
		one := someone(orgA(t))
		add(t, a, "member", one)
		rows := sheet(t, a.Do("GET", path("member")+"/export?columns=phone,name,duesPaidThrough,bound&f.name="+one["name"].(string), nil))
		if !slices.Equal(rows[0], []string{"手机号", "姓名", "党费缴纳至日期", "公众号绑定"}) || len(rows) != 2 || rows[1][1] != one["name"] {
			t.Fatalf("%v", rows)
		}
		refused(t, a.Do("GET", path("member")+"/export?columns=passwordHash", nil), http.StatusBadRequest, "", "不支持的导出字段")
	})
	t.Run("MEMB-12 a member's page holds his fields and the lists that belong to him; out of scope it is refused", func(t *testing.T) {
		a := adminA(t)
		m := add(t, a, "member", someone(orgA(t)))
		var schema struct {
			Related []struct{ Type, Field string }
		}
		a.Get(path("member")+"/schema", &schema)
		var types []string
		for _, r := range schema.Related {
			types = append(types, r.Type)
			a.List(r.Type, "f."+r.Field+"="+m["id"].(string))
		}
		if !slices.Equal(types, []string{"memberContact", "reward", "sanction", "specialty"}) {
			t.Fatalf("%v", types)
		}
		refused(t, adminB(t).Do("GET", path("member")+"/"+m["id"].(string), nil), http.StatusNotFound, "", nothingThere)
	})
}
