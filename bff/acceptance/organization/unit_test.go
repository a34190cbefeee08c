package organization

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestUnit: 组织单位管理 (manual 5.2).
func TestUnit(t *testing.T) {
	valid := func(_ *testing.T, orgID string, i int) Form {
		return Form{"unitName": Name(fmt.Sprintf("单位%d-", i)), "unitNature": "institution", "orgId": orgID, "orgForm": "independentBranch", "unitCode": "12330000470000001X", "address": "示范路8号"}
	}
	Record(t, RecordSpec{
		IDs:   RowIDs{List: "UNIT-01", Add: "UNIT-02", Update: "UNIT-03", Delete: "UNIT-04", Batch: "UNIT-05", Export: "UNIT-11"},
		Type:  "unit",
		Valid: valid, Columns: []string{"unitName", "unitNature", "orgId", "orgForm", "memberCount"},
		Filters: func(_ int, f Form) []string {
			n := url.QueryEscape(f["unitName"].(string))
			return []string{"f.unitName=" + n, "f.unitName=" + n + "&f.unitNature=institution", "f.noMembers=true&f.unitName=" + n}
		},
		Required: []string{"unitName", "unitNature", "orgId", "orgForm"},
		Wrong: []Wrong{
			{"a name that the organisation has", Form{"unitName": Name("单位1-")}, "unitName", "同名单位"},
			{"an organisation elsewhere", Form{"orgId": OrgB(t)}, "orgId", "不在管理范围内"},
			{"a code too short", Form{"unitCode": "123"}, "unitCode", "18位"},
		},
		Shown:       []string{"memberCount"},
		Update:      Form{"unitName": Name("改名单位"), "orgForm": "jointBranch"},
		WrongUpdate: []Wrong{{"a name that the organisation has", Form{"unitName": Name("单位1-")}, "unitName", "同名单位"}},
		Export:      []string{"单位名称", "单位性质", "所属党组织", "党组织形式", "党员数"},
	})
	a := AdminA(t)
	make1 := func(t *testing.T, n string) string {
		t.Helper()
		return IDOf(Add(t, a, "unit", valid(t, OrgA(t), 0).With(Form{"unitName": Name(n)})))
	}
	join := func(t *testing.T, unit string) string {
		t.Helper()
		who := NewMember(t, OrgA(t))
		var r Item
		Put(t, a, "member", who.ID, Form{"unitId": unit}).Into(t, &r)
		return who.ID
	}
	t.Run("UNIT-02 a unit can be chosen as a member's 所在单位", func(t *testing.T) {
		a.T = t
		unit := make1(t, "可选单位")
		var r Item
		a.Get(Path("member")+"/"+join(t, unit), &r)
		if r["unitId"] != unit || r["_labels"].(map[string]any)["unitId"] != Name("可选单位") {
			t.Fatalf("%v", r)
		}
		template := a.Do("GET", Path("member")+"/template", nil).Body
		p := NewPerson()
		b := a.Imports("member", bfftest.Workbook(t, template, []map[string]string{{
			"姓名": p.Name, "身份证号": p.IDNumber, "手机号": p.Phone, "所在支部": Name("甲支部"), "所在单位": Name("可选单位"), "党员类型": "正式党员", "入党日期": "2010-07-01", "转正日期": "2011-07-01",
		}}))
		if b.SuccessCount != 1 {
			t.Fatalf("%+v", b)
		}
		a.Get(Path("unit")+"/"+unit, &r)
		if r["memberCount"] != 2.0 {
			t.Fatalf("%v", r["memberCount"])
		}
	})
	t.Run("UNIT-03 a new name shows with the members", func(t *testing.T) {
		a.T = t
		unit := make1(t, "旧名单位")
		who := join(t, unit)
		var r Item
		Put(t, a, "unit", unit, Form{"unitName": Name("新名单位")}).Into(t, &r)
		a.Get(Path("member")+"/"+who, &r)
		if r["_labels"].(map[string]any)["unitId"] != Name("新名单位") {
			t.Fatalf("%v", r["_labels"])
		}
	})
	t.Run("UNIT-04 a unit with members stays", func(t *testing.T) {
		a.T = t
		unit := make1(t, "有人单位")
		who := join(t, unit)
		Refused(t, Delete(a, "unit", unit), http.StatusConflict, "", "该单位存在党员，不允许删除")
		var r Item
		Put(t, a, "member", who, Form{"unitId": ""}).Into(t, &r)
		if x := Delete(a, "unit", unit); x.Status != http.StatusOK {
			t.Fatalf("%s", x.Body)
		}
	})
	t.Run("UNIT-05 if one of several has members none goes", func(t *testing.T) {
		a.T = t
		one, two := make1(t, "批量一"), make1(t, "批量二")
		join(t, two)
		Refused(t, Delete(a, "unit", one, two), http.StatusConflict, "", "该单位存在党员，不允许删除")
		a.Get(Path("unit")+"/"+one, &Item{})
	})
	t.Run("UNIT-06 显示无党员的单位 lists those without members", func(t *testing.T) {
		a.T = t
		empty, full := make1(t, "空单位"), make1(t, "满单位")
		join(t, full)
		listed := func(q string) (bool, bool) {
			got := IDs(a.List("unit", "size=100&"+q))
			return slices.Contains(got, empty), slices.Contains(got, full)
		}
		if e, f := listed("f.noMembers=true"); !e || f {
			t.Fatalf("ticked: %v %v", e, f)
		}
		if e, f := listed(""); !e || !f {
			t.Fatalf("unticked: %v %v", e, f)
		}
		join(t, empty)
		if e, _ := listed("f.noMembers=true"); e {
			t.Fatal("it has a member now")
		}
	})
	head := []string{"单位名称", "单位性质", "所属党组织", "党组织形式"}
	row := func(n, nature, org string) map[string]string {
		return map[string]string{"单位名称": Name(n), "单位性质": nature, "所属党组织": org, "党组织形式": "联合党支部"}
	}
	t.Run("UNIT-07 the template", func(t *testing.T) {
		Template(t, a, "unit", head)
	})
	t.Run("UNIT-08 every right row becomes a unit", func(t *testing.T) {
		a.T = t
		template := a.Do("GET", Path("unit")+"/template", nil).Body
		total := a.List("unit", "").Total
		b := a.Imports("unit", bfftest.Workbook(t, template, []map[string]string{row("导入一", "机关", Name("甲支部")), row("导入二", "社区/村", Name("甲支部"))}))
		if b.SuccessCount != 2 || b.FailureCount != 0 || a.List("unit", "").Total != total+2 {
			t.Fatalf("%+v", b)
		}
		if b := a.Imports("unit", []byte("单位名称")); b.State != "failed" || a.List("unit", "").Total != total+2 {
			t.Fatalf("%+v", b)
		}
	})
	t.Run("UNIT-09 wrong rows come back and go in when corrected", func(t *testing.T) {
		a.T = t
		template := a.Do("GET", Path("unit")+"/template", nil).Body
		b := a.Imports("unit", bfftest.Workbook(t, template, []map[string]string{
			row("对一", "机关", Name("甲支部")), row("错一", "机关", "没有的支部"), row("导入一", "机关", Name("甲支部")), row("错三", "工厂", Name("甲支部")),
		}))
		if b.SuccessCount != 1 || b.FailureCount != 3 {
			t.Fatalf("%+v", b)
		}
		for i, want := range []string{"不在管理范围内", "同名单位", "不在可选范围内"} {
			if f := b.Failures[i]; f.RowNo != i+3 || !strings.Contains(f.Reason, want) {
				t.Errorf("%+v, want %s", f, want)
			}
		}
		failures := a.Do("GET", Path("unit")+"/imports/"+b.ID+"/failures", nil).Body
		total := a.List("unit", "").Total
		b = a.Imports("unit", bfftest.Workbook(t, failures, []map[string]string{row("错一", "机关", Name("甲支部")), row("错二", "机关", Name("甲支部")), row("错三", "学校", Name("甲支部"))}))
		if b.SuccessCount != 3 || a.List("unit", "").Total != total+3 {
			t.Fatalf("%+v", b)
		}
	})
	t.Run("UNIT-10 an export has the ticked fields in their order", func(t *testing.T) {
		a.T = t
		rows := Sheet(t, a.Do("GET", Path("unit")+"/export?f.unitName="+url.QueryEscape(Name("导入一"))+"&columns=memberCount,unitName,orgId,orgForm", nil))
		if !slices.Equal(rows[0], []string{"党员数", "单位名称", "所属党组织", "党组织形式"}) || !slices.Equal(rows[1], []string{"0", Name("导入一"), Name("甲支部"), "联合党支部"}) {
			t.Fatalf("%v", rows)
		}
	})
}
