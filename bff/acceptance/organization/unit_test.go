package acceptance

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// TestUnit: 组织单位管理 (manual 5.2).
func TestUnit(t *testing.T) {
	valid := func(_ *testing.T, orgID string, i int) form {
		return form{"unitName": name(fmt.Sprintf("单位%d-", i)), "unitNature": "institution", "orgId": orgID, "orgForm": "independentBranch", "unitCode": "12330000470000001X", "address": "示范路8号"}
	}
	record(t, recordSpec{
		IDs:   rowIDs{List: "UNIT-01", Add: "UNIT-02", Update: "UNIT-03", Delete: "UNIT-04", Batch: "UNIT-05", Export: "UNIT-11"},
		Type:  "unit",
		Valid: valid, Columns: []string{"unitName", "unitNature", "orgId", "orgForm", "memberCount"},
		Filters: func(_ int, f form) []string {
			n := url.QueryEscape(f["unitName"].(string))
			return []string{"f.unitName=" + n, "f.unitName=" + n + "&f.unitNature=institution", "f.noMembers=true&f.unitName=" + n}
		},
		Required: []string{"unitName", "unitNature", "orgId", "orgForm"},
		Wrong: []wrong{
			{"a name that the organisation has", form{"unitName": name("单位1-")}, "unitName", "同名单位"},
			{"an organisation elsewhere", form{"orgId": orgB(t)}, "orgId", "不在管理范围内"},
			{"a code too short", form{"unitCode": "123"}, "unitCode", "18位"},
		},
		Shown:       []string{"memberCount"},
		Update:      form{"unitName": name("改名单位"), "orgForm": "jointBranch"},
		WrongUpdate: []wrong{{"a name that the organisation has", form{"unitName": name("单位1-")}, "unitName", "同名单位"}},
		Export:      []string{"单位名称", "单位性质", "所属党组织", "党组织形式", "党员数"},
	})
	a := adminA(t)
	make1 := func(t *testing.T, n string) string {
		t.Helper()
		return idOf(add(t, a, "unit", valid(t, orgA(t), 0).with(form{"unitName": name(n)})))
	}
	join := func(t *testing.T, unit string) string {
		t.Helper()
		who := newMember(t, orgA(t))
		var r item
		put(t, a, "member", who.ID, form{"unitId": unit}).Into(t, &r)
		return who.ID
	}
	t.Run("UNIT-02 a unit can be chosen as a member's 所在单位", func(t *testing.T) {
		a.T = t
		unit := make1(t, "可选单位")
		var r item
		a.Get(path("member")+"/"+join(t, unit), &r)
		if r["unitId"] != unit || r["_labels"].(map[string]any)["unitId"] != name("可选单位") {
			t.Fatalf("%v", r)
		}
		template := a.Do("GET", path("member")+"/template", nil).Body
		p := bfftest.Invent(int(world.people.Add(1)))
		b := a.Imports("member", bfftest.Workbook(t, template, []map[string]string{{
			"姓名": p.Name, "身份证号": p.IDNumber, "手机号": p.Phone, "所在支部": name("甲支部"), "所在单位": name("可选单位"), "党员类型": "正式党员", "入党日期": "2010-07-01", "转正日期": "2011-07-01",
		}}))
		if b.SuccessCount != 1 {
			t.Fatalf("%+v", b)
		}
		a.Get(path("unit")+"/"+unit, &r)
		if r["memberCount"] != 2.0 {
			t.Fatalf("%v", r["memberCount"])
		}
	})
	t.Run("UNIT-03 a new name shows with the members", func(t *testing.T) {
		a.T = t
		unit := make1(t, "旧名单位")
		who := join(t, unit)
		var r item
		put(t, a, "unit", unit, form{"unitName": name("新名单位")}).Into(t, &r)
		a.Get(path("member")+"/"+who, &r)
		if r["_labels"].(map[string]any)["unitId"] != name("新名单位") {
			t.Fatalf("%v", r["_labels"])
		}
	})
	t.Run("UNIT-04 a unit with members stays", func(t *testing.T) {
		a.T = t
		unit := make1(t, "有人单位")
		who := join(t, unit)
		refused(t, gone(a, "unit", unit), http.StatusConflict, "", "该单位存在党员，不允许删除")
		var r item
		put(t, a, "member", who, form{"unitId": ""}).Into(t, &r)
		if x := gone(a, "unit", unit); x.Status != http.StatusOK {
			t.Fatalf("%s", x.Body)
		}
	})
	t.Run("UNIT-05 if one of several has members none goes", func(t *testing.T) {
		a.T = t
		one, two := make1(t, "批量一"), make1(t, "批量二")
		join(t, two)
		refused(t, gone(a, "unit", one, two), http.StatusConflict, "", "该单位存在党员，不允许删除")
		a.Get(path("unit")+"/"+one, &item{})
	})
	t.Run("UNIT-06 显示无党员的单位 lists those without members", func(t *testing.T) {
		a.T = t
		empty, full := make1(t, "空单位"), make1(t, "满单位")
		join(t, full)
		listed := func(q string) (bool, bool) {
			got := ids(a.List("unit", "size=100&"+q))
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
		return map[string]string{"单位名称": name(n), "单位性质": nature, "所属党组织": org, "党组织形式": "联合党支部"}
	}
	t.Run("UNIT-07 the template", func(t *testing.T) {
		template(t, a, "unit", head)
	})
	t.Run("UNIT-08 every right row becomes a unit", func(t *testing.T) {
		a.T = t
		template := a.Do("GET", path("unit")+"/template", nil).Body
		total := a.List("unit", "").Total
		b := a.Imports("unit", bfftest.Workbook(t, template, []map[string]string{row("导入一", "机关", name("甲支部")), row("导入二", "社区/村", name("甲支部"))}))
		if b.SuccessCount != 2 || b.FailureCount != 0 || a.List("unit", "").Total != total+2 {
			t.Fatalf("%+v", b)
		}
		if b := a.Imports("unit", []byte("单位名称")); b.State != "failed" || a.List("unit", "").Total != total+2 {
			t.Fatalf("%+v", b)
		}
	})
	t.Run("UNIT-09 wrong rows come back and go in when corrected", func(t *testing.T) {
		a.T = t
		template := a.Do("GET", path("unit")+"/template", nil).Body
		b := a.Imports("unit", bfftest.Workbook(t, template, []map[string]string{
			row("对一", "机关", name("甲支部")), row("错一", "机关", "没有的支部"), row("导入一", "机关", name("甲支部")), row("错三", "工厂", name("甲支部")),
		}))
		if b.SuccessCount != 1 || b.FailureCount != 3 {
			t.Fatalf("%+v", b)
		}
		for i, want := range []string{"不在管理范围内", "同名单位", "不在可选范围内"} {
			if f := b.Failures[i]; f.RowNo != i+3 || !strings.Contains(f.Reason, want) {
				t.Errorf("%+v, want %s", f, want)
			}
		}
		failures := a.Do("GET", path("unit")+"/imports/"+b.ID+"/failures", nil).Body
		total := a.List("unit", "").Total
		b = a.Imports("unit", bfftest.Workbook(t, failures, []map[string]string{row("错一", "机关", name("甲支部")), row("错二", "机关", name("甲支部")), row("错三", "学校", name("甲支部"))}))
		if b.SuccessCount != 3 || a.List("unit", "").Total != total+3 {
			t.Fatalf("%+v", b)
		}
	})
	t.Run("UNIT-10 an export has the ticked fields in their order", func(t *testing.T) {
		a.T = t
		rows := sheet(t, a.Do("GET", path("unit")+"/export?f.unitName="+url.QueryEscape(name("导入一"))+"&columns=memberCount,unitName,orgId,orgForm", nil))
		if !slices.Equal(rows[0], []string{"党员数", "单位名称", "所属党组织", "党组织形式"}) || !slices.Equal(rows[1], []string{"0", name("导入一"), name("甲支部"), "联合党支部"}) {
			t.Fatalf("%v", rows)
		}
	})
}
