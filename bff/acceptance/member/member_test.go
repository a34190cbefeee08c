package member

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// someone is the form of an invented full member.
func someone(orgID string) Form { return MemberForm(NewPerson(), orgID) }

// TestMembers: 党员管理 (manual 6.1).
func TestMembers(t *testing.T) {
	Record(t, RecordSpec{
		IDs:     RowIDs{List: "MEMB-01", Update: "change", Batch: "batch"},
		Type:    "member",
		Valid:   func(_ *testing.T, orgID string, _ int) Form { return someone(orgID) },
		Columns: []string{"name", "gender", "idNumber", "memberType", "orgId", "phone", "joinedOn", "duesPaidThrough", "bound"},
		Filters: func(_ int, f Form) []string {
			n := "f.name=" + f["name"].(string)
			return []string{n, "f.idNumber=" + f["idNumber"].(string), "f.phone=" + f["phone"].(string), n + "&f.memberType=fullMember&f.bound=false"}
		},
		Update:      Form{"position": "干事", "education": "bachelor"},
		WrongUpdate: []Wrong{{"a broken ID number", Form{"idNumber": "110105194912310021"}, "idNumber", "身份证号码有误"}},
	})
	caseOf := func(t *testing.T, id string) []Item {
		t.Helper()
		return AdminA(t).List("developmentCase", "f.memberId="+id).Items
	}
	t.Run("MEMB-09 a person who is no full member yet has one development case at his stage", func(t *testing.T) {
		a := AdminA(t)
		for typ, want := range map[string]struct {
			stage string
			step  float64
			dates Form
		}{
			"applicant":          {"application", 1, Form{"joinedOn": "", "regularizedOn": ""}},
			"activist":           {"activist", 5, Form{"joinedOn": "", "regularizedOn": "", "activistOn": "2025-03-01"}},
			"developmentTarget":  {"target", 9, Form{"joinedOn": "", "regularizedOn": "", "activistOn": "2025-03-01"}},
			"probationaryMember": {"probation", 19, Form{"joinedOn": "2026-03-01", "regularizedOn": "", "activistOn": "2025-03-01"}},
		} {
			m := Add(t, a, "member", someone(OrgA(t)).With(want.dates).With(Form{"memberType": typ}))
			if c := caseOf(t, m["id"].(string)); len(c) != 1 || c[0]["stage"] != want.stage || c[0]["currentStepNo"] != want.step || c[0]["state"] != "running" {
				t.Fatalf("%s has %v", typ, c)
			}
		}
		full := Add(t, a, "member", someone(OrgA(t)))
		if c := caseOf(t, full["id"].(string)); len(c) != 0 {
			t.Fatalf("a full member has %v", c)
		}
		before := a.List("developmentCase", "").Total
		broken := someone(OrgA(t)).With(Form{"memberType": "applicant", "idNumber": "110105194912310021"})
		Refused(t, a.Do("POST", Path("member"), broken), http.StatusBadRequest, "idNumber", "身份证号码有误")
		if now := a.List("developmentCase", "").Total; now != before {
			t.Fatalf("a member who was not stored left a case: %d, were %d", now, before)
		}
	})
	t.Run("MEMB-13 an edited member shows everywhere; one who is no full member any more gets a case; another's ID or phone is refused", func(t *testing.T) {
		a := AdminA(t)
		one, two := someone(OrgA(t)), someone(OrgA(t))
		m := Add(t, a, "member", one)
		Add(t, a, "member", two)
		at := Path("member") + "/" + m["id"].(string)
		for _, k := range []string{"idNumber", "phone"} {
			Refused(t, a.Do("PUT", at, Form{k: two[k], "version": m["version"]}), http.StatusBadRequest, k, "")
		}
		var now Item
		a.Get(at, &now)
		if now["version"] != m["version"] {
			t.Fatal("a refused change was stored")
		}
		a.Do("PUT", at, Form{"memberType": "probationaryMember", "joinedOn": "2026-03-01", "regularizedOn": "", "version": m["version"]}).Into(t, &now)
		if c := caseOf(t, m["id"].(string)); len(c) != 1 || c[0]["stage"] != "probation" {
			t.Fatalf("cases %v", c)
		}
		a.Do("PUT", at, Form{"position": "组长", "version": now["version"]}).Into(t, &now)
		if c := caseOf(t, m["id"].(string)); len(c) != 1 {
			t.Fatalf("a second edit made %d cases", len(c))
		}
		if l := a.List("member", "f.name="+one["name"].(string)); l.Items[0]["memberType"] != "probationaryMember" {
			t.Fatalf("the list shows %v", l.Items[0])
		}
	})
	t.Run("MEMB-14 ticked members leave every list, history stays; one with dues paid today is refused", func(t *testing.T) {
		a := AdminA(t)
		gone, paid := Add(t, a, "member", someone(OrgA(t)).With(Form{"duesPaidThrough": "2026-06"})), Add(t, a, "member", someone(OrgA(t)).With(Form{"duesPaidThrough": "2026-09"}))
		Add(t, a, "duesBase", Form{"memberId": paid["id"], "baseAmount": 500000, "effectiveMonth": "2026-01"})
		var order Item
		a.Post("/api/console/dues/orders", Form{"memberId": paid["id"], "toMonth": "2026-10", "idempotencyKey": Name("del")}, &order)
		a.Post(fmt.Sprintf("/api/console/dues/orders/%v/cash", order["id"]), Form{}, &struct{}{})
		both := Form{"ids": []any{gone["id"], paid["id"]}}
		Refused(t, a.Do("POST", Path("member")+"/delete", both), http.StatusConflict, "", "今日")
		listed := IDs(a.List("member", "size=100"))
		if !slices.Contains(listed, gone["id"].(string)) {
			t.Fatal("the other was deleted all the same")
		}
		Refused(t, a.Do("POST", Path("member")+"/delete", Form{"ids": []any{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		var before, after struct{ MemberCount int }
		a.Get("/api/console/statistics", &before)
		a.Post(Path("member")+"/delete", Form{"ids": []any{gone["id"]}}, &struct{}{})
		a.Get("/api/console/statistics", &after)
		if slices.Contains(IDs(a.List("member", "size=100")), gone["id"].(string)) || after.MemberCount != before.MemberCount-1 {
			t.Fatal("still counted")
		}
		if l := a.List("duesOrder", "f.memberId="+paid["id"].(string)); l.Total != 1 {
			t.Fatalf("the dues history is %+v", l)
		}
	})
	t.Run("MEMB-17 a workbook of valid rows makes that many members, and cases for those who are no full members", func(t *testing.T) {
		a := AdminA(t)
		template := a.Do("GET", Path("member")+"/template", nil)
		var rows []map[string]string
		for i := range 3 {
			p := NewPerson()
			r := map[string]string{"姓名": p.Name, "身份证号": p.IDNumber, "手机号": p.Phone, "所在支部": Name("甲支部"), "党员类型": "正式党员", "入党日期": "2010-07-01", "转正日期": "2011-07-01"}
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
		a := AdminA(t)
		one := someone(OrgA(t))
		Add(t, a, "member", one)
		rows := Sheet(t, a.Do("GET", Path("member")+"/export?columns=phone,name,duesPaidThrough,bound&f.name="+one["name"].(string), nil))
		if !slices.Equal(rows[0], []string{"手机号", "姓名", "党费缴纳至日期", "公众号绑定"}) || len(rows) != 2 || rows[1][1] != one["name"] {
			t.Fatalf("%v", rows)
		}
		Refused(t, a.Do("GET", Path("member")+"/export?columns=passwordHash", nil), http.StatusBadRequest, "", "不支持的导出字段")
	})
	t.Run("MEMB-12 a member's page holds his fields and the lists that belong to him; out of scope it is refused", func(t *testing.T) {
		a := AdminA(t)
		m := Add(t, a, "member", someone(OrgA(t)))
		var schema struct {
			Related []struct{ Type, Field string }
		}
		a.Get(Path("member")+"/schema", &schema)
		var types []string
		for _, r := range schema.Related {
			types = append(types, r.Type)
			a.List(r.Type, "f."+r.Field+"="+m["id"].(string))
		}
		if !slices.Equal(types, []string{"memberContact", "reward", "sanction", "specialty"}) {
			t.Fatalf("%v", types)
		}
		Refused(t, AdminB(t).Do("GET", Path("member")+"/"+m["id"].(string), nil), http.StatusNotFound, "", NothingThere)
	})
}
