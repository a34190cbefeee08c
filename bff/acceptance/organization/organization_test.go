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

// treeOf are the names in a caller's tree, and its parents by name.
func treeOf(t *testing.T, b *bfftest.Browser, query string) (names []string, nodes map[string]Item) {
	t.Helper()
	var tree struct{ Nodes []Item }
	b.Get("/api/console/tree?"+query, &tree)
	nodes = map[string]Item{}
	for _, n := range tree.Nodes {
		names = append(names, n["orgName"].(string))
		nodes[n["orgName"].(string)] = n
	}
	return names, nodes
}

// TestOrganization: 党组织管理 (manual 5.1).
func TestOrganization(t *testing.T) {
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "ORG-01", Add: "ORG-02", Update: "ORG-07", Delete: "ORG-08", Export: "ORG-19"},
		Type: "organization",
		Valid: func(t *testing.T, orgID string, i int) Form {
			return OrgForm(Name(fmt.Sprintf("小组%d-", i)), "group", orgID)
		},
		Columns: []string{"orgName", "orgType", "parentId", "secretary", "secretaryPhone", "contactName", "contactPhone", "memberCount"},
		Filters: func(_ int, f Form) []string {
			n := url.QueryEscape(f["orgName"].(string))
			return []string{"f.orgName=" + n, "f.orgName=" + n + "&f.orgType=group"}
		},
		Required: []string{"orgName", "orgType", "parentId", "secretary", "contactName", "contactPhone"},
		Wrong: []Wrong{
			{"a name that the parent has", Form{"orgName": Name("小组1-")}, "orgName", "同名组织"},
			{"a parent outside the scope", Form{"parentId": OrgB(t)}, "parentId", "不在管理范围内"},
			{"no such type", Form{"orgType": "club"}, "orgType", "有误"},
			{"a latitude alone", Form{"latitude": "30.1"}, "longitude", "同时填写"},
			{"no such place", Form{"longitude": "190", "latitude": "30"}, "longitude", "180"},
			{"too many digits", Form{"longitude": "120.1234567", "latitude": "30"}, "longitude", "6位小数"},
		},
		Shown:  []string{"memberCount", "icon"},
		Update: Form{"orgName": Name("改名小组"), "secretary": "新书记", "address": "新路2号", "longitude": "120.123456", "latitude": "-30.5"},
		WrongUpdate: []Wrong{
			{"a name that the parent has", Form{"orgName": Name("小组1-")}, "orgName", "同名组织"},
			{"the organisation itself above it", Form{"parentId": OrgA(t)}, "orgName", ""},
		}[:1],
		Export: []string{"组织名称", "组织编码", "组织性质", "上级组织", "负责人", "负责人电话", "联系人", "联系电话", "地址", "党员数"},
	})
	p := AdminP(t)
	branch := func(t *testing.T, n string) string {
		return NewOrg(t, Name(n), "branch", OrgP(t))
	}
	t.Run("ORG-03 a member sees his own organisation, the new one after a transfer, and has to bind first", func(t *testing.T) {
		at := NewOrg(t, Name("我的支部"), "branch", OrgP(t))
		who := NewMember(t, at)
		NewMember(t, at)
		stranger := Visitor(t)
		stranger.OpenPhone(stranger.WeChatUser("路人", "13700000000"))
		if a := stranger.Do("GET", "/api/member/organization", nil); a.Status != http.StatusForbidden || !strings.Contains(a.Message(), "绑定") {
			t.Fatalf("unbound: %d %s", a.Status, a.Body)
		}
		phone := PhoneOf(t, who)
		var mine Item
		phone.Get("/api/member/organization", &mine)
		for k, want := range map[string]any{"orgName": Name("我的支部"), "orgTypeName": "党支部", "secretary": "书记" + Name("我的支部"),
			"contactName": "联系人" + Name("我的支部"), "contactPhone": "010-88886666", "address": "示范路1号", "memberCount": 2.0} {
			if mine[k] != want {
				t.Errorf("%s is %v, want %v", k, mine[k], want)
			}
		}
		var m Item
		Root(t).Get(Path("member")+"/"+who.ID, &m)
		Root(t).Do("PUT", Path("member")+"/"+who.ID, Form{"orgId": OrgA(t), "version": m["version"]}).Into(t, &m)
		bfftest.Eventually(t, "the new organisation shows", func() bool {
			phone.Get("/api/member/organization", &mine)
			return mine["id"] == OrgA(t)
		})
	})
	t.Run("ORG-04 no organisation below a group, itself or one below it", func(t *testing.T) {
		at := branch(t, "上下级支部")
		group := IDOf(Add(t, p, "organization", OrgForm(Name("上下级小组"), "group", at)))
		p.T = t
		before, _ := treeOf(t, p, "")
		Refused(t, p.Do("POST", Path("organization"), OrgForm(Name("小组的下级"), "group", group)), http.StatusBadRequest, "parentId", "上级组织选择有误")
		for _, parent := range []string{at, group} {
			Refused(t, Put(t, p, "organization", at, Form{"parentId": parent}), http.StatusBadRequest, "parentId", "上级组织选择有误")
		}
		if after, _ := treeOf(t, p, ""); !slices.Equal(before, after) {
			t.Fatalf("tree %v, was %v", after, before)
		}
	})
	t.Run("ORG-07 a parent that is the organisation itself or below it is refused, and the member sees what changed", func(t *testing.T) {
		at := branch(t, "修改支部")
		phone := PhoneOf(t, NewMember(t, at))
		p.T = t
		group := IDOf(Add(t, p, "organization", OrgForm(Name("修改小组"), "group", at)))
		Refused(t, Put(t, p, "organization", at, Form{"parentId": group}), http.StatusBadRequest, "parentId", "上级组织选择有误")
		var r Item
		Put(t, p, "organization", at, Form{"contactName": "新联系人", "orgName": Name("修改后支部")}).Into(t, &r)
		var mine Item
		phone.Get("/api/member/organization", &mine)
		if _, nodes := treeOf(t, p, ""); nodes[Name("修改后支部")] == nil || mine["contactName"] != "新联系人" || mine["orgName"] != Name("修改后支部") {
			t.Fatalf("tree or member show the old: %v", mine)
		}
	})
	t.Run("ORG-09 nobody deletes the own organisation", func(t *testing.T) {
		a := AdminA(t)
		Refused(t, Delete(a, "organization", OrgA(t)), http.StatusConflict, "", "不能删除本级组织！")
		var r Item
		a.Get(Path("organization")+"/"+OrgA(t), &r)
		if slices.Contains(r["_actions"].([]any), any("delete")) {
			t.Fatal("the button is shown")
		}
	})
	t.Run("ORG-10 an organisation with members, or below which there are some, cannot be deleted until the last one left", func(t *testing.T) {
		at := branch(t, "有党员支部")
		group := IDOf(Add(t, p, "organization", OrgForm(Name("有党员小组"), "group", at)))
		who := NewMember(t, group)
		p.T = t
		for _, id := range []string{at, group} {
			Refused(t, Delete(p, "organization", id), http.StatusConflict, "", "该组织或其下级组织存在党员，不允许删除！")
		}
		if a := Delete(p, "member", who.ID); a.Status != http.StatusOK {
			t.Fatalf("%s", a.Body)
		}
		for _, id := range []string{group, at} {
			if a := Delete(p, "organization", id); a.Status != http.StatusOK {
				t.Fatalf("%s", a.Body)
			}
		}
	})
	t.Run("ORG-11 the organisations below go first", func(t *testing.T) {
		at := branch(t, "有下级支部")
		p.T = t
		group := IDOf(Add(t, p, "organization", OrgForm(Name("有下级小组"), "group", at)))
		Refused(t, Delete(p, "organization", at), http.StatusConflict, "", "请先删除下级组织")
		if _, nodes := treeOf(t, p, ""); nodes[Name("有下级小组")]["parentId"] != at {
			t.Fatal("an orphan")
		}
		if a := Delete(p, "organization", group, at); a.Status != http.StatusConflict { // asked before any goes
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	})

	type mapped struct {
		Center   Item
		Children []Item
		Message  string
	}
	placed := IDOf(Add(t, Root(t), "organization", OrgForm(Name("地图总支"), "generalBranch", OrgP(t)).With(Form{"longitude": "120.15", "latitude": "30.28", "secretaryPhone": ""})))
	child := IDOf(Add(t, Root(t), "organization", OrgForm(Name("地图支部"), "branch", placed).With(Form{"longitude": "120.16", "latitude": "30.29"})))
	bare := NewOrg(t, Name("无位置支部"), "branch", placed)
	t.Run("ORG-12 the map is centred on the organisation; without coordinates it says so", func(t *testing.T) {
		p.T = t
		var m mapped
		p.Get("/api/console/organizations/"+placed+"/map", &m)
		if m.Center["longitude"] != "120.15" || m.Center["latitude"] != "30.28" || m.Message != "" {
			t.Fatalf("%+v", m)
		}
		p.Get("/api/console/organizations/"+bare+"/map", &m)
		if m.Message != "该组织未设置位置信息" {
			t.Fatalf("%+v", m)
		}
		Refused(t, AdminA(t).Do("GET", "/api/console/organizations/"+placed+"/map", nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("ORG-13 the card equals the record", func(t *testing.T) {
		p.T = t
		var m mapped
		var r Item
		p.Get("/api/console/organizations/"+placed+"/map", &m)
		p.Get(Path("organization")+"/"+placed, &r)
		for _, k := range []string{"orgName", "secretary", "secretaryPhone", "contactName", "contactPhone", "address"} {
			if m.Center[k] != r[k] {
				t.Errorf("%s is %v, want %v", k, m.Center[k], r[k])
			}
		}
	})
	t.Run("ORG-14 the organisations right below are listed, with their place if they have one", func(t *testing.T) {
		p.T = t
		var m mapped
		p.Get("/api/console/organizations/"+placed+"/map", &m)
		if len(m.Children) != 2 || IDOf(m.Children[0]) != child || m.Children[0]["longitude"] != "120.16" || IDOf(m.Children[1]) != bare || m.Children[1]["longitude"] != "" {
			t.Fatalf("%+v", m.Children)
		}
	})

	header := []string{"组织名称", "组织性质", "上级组织", "负责人", "负责人电话", "联系人", "联系电话", "地址"}
	row := func(orgName, orgType, parent string) map[string]string {
		return map[string]string{"组织名称": orgName, "组织性质": orgType, "上级组织": parent, "负责人": "李书记", "联系人": "王干事", "联系电话": "13800138001"}
	}
	t.Run("ORG-15 the template has the header, an explanation, and is taken as it is", func(t *testing.T) {
		Template(t, p, "organization", header)
	})
	t.Run("ORG-16 every right row becomes an organisation; what is no such workbook stores nothing", func(t *testing.T) {
		p.T = t
		template := p.Do("GET", Path("organization")+"/template", nil).Body
		b := p.Imports("organization", bfftest.Workbook(t, template, []map[string]string{
			row(Name("导入总支"), "党总支", Name("试验党委")), row(Name("导入支部"), "党支部", Name("导入总支")),
		}))
		if b.SuccessCount != 2 || b.FailureCount != 0 {
			t.Fatalf("%+v", b)
		}
		if _, nodes := treeOf(t, p, ""); nodes[Name("导入支部")]["parentId"] != nodes[Name("导入总支")]["id"] {
			t.Fatal("not in the tree")
		}
		total := p.List("organization", "").Total
		if b := p.Imports("organization", []byte("组织名称,组织性质")); b.State != "failed" {
			t.Fatalf("%+v", b)
		}
		if now := p.List("organization", "").Total; now != total {
			t.Fatalf("%d, was %d", now, total)
		}
	})
	t.Run("ORG-17 wrong rows come back with their reasons and go in when they are corrected", func(t *testing.T) {
		p.T = t
		template := p.Do("GET", Path("organization")+"/template", nil).Body
		b := p.Imports("organization", bfftest.Workbook(t, template, []map[string]string{
			row(Name("对的支部"), "党支部", Name("试验党委")), row(Name("错一"), "党支部", "没有这个组织"), row(Name("错二"), "协会", Name("试验党委")), row(Name("甲支部"), "党支部", Name("试验党委")),
		}))
		if b.SuccessCount != 1 || b.FailureCount != 3 {
			t.Fatalf("%+v", b)
		}
		for i, want := range []string{"不在管理范围内", "不在可选范围内", "同名"} {
			if f := b.Failures[i]; f.RowNo != i+3 || !strings.Contains(f.Reason, want) {
				t.Errorf("%+v, want %s", f, want)
			}
		}
		failures := p.Do("GET", Path("organization")+"/imports/"+b.ID+"/failures", nil)
		if rows := Sheet(t, failures); len(rows) != 4 || rows[1][0] != Name("错一") {
			t.Fatalf("%v", rows)
		}
		again := bfftest.Workbook(t, failures.Body, []map[string]string{
			row(Name("错一"), "党支部", Name("试验党委")), row(Name("错二"), "党支部", Name("试验党委")), row(Name("错三"), "党支部", Name("试验党委")),
		})
		total := p.List("organization", "").Total
		if b := p.Imports("organization", again); b.SuccessCount != 3 || b.FailureCount != 0 || p.List("organization", "").Total != total+3 {
			t.Fatalf("%+v", b)
		}
	})
	t.Run("ORG-18 an export has the ticked fields in their order", func(t *testing.T) {
		p.T = t
		rows := Sheet(t, p.Do("GET", Path("organization")+"/export?f.orgName="+url.QueryEscape(Name("地图支部"))+"&columns=contactPhone,orgName,memberCount,orgType,parentId", nil))
		if !slices.Equal(rows[0], []string{"联系电话", "组织名称", "党员数", "组织性质", "上级组织"}) ||
			!slices.Equal(rows[1], []string{"010-88886666", Name("地图支部"), "0", "党支部", Name("地图总支")}) || len(rows) != 2 {
			t.Fatalf("%v", rows)
		}
	})
}
