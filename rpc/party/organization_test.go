package party_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudwego/kitex/server"
	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/party"
)

func treeNames(t *testing.T, h *house, name, node string) (names, icons []string) {
	t.Helper()
	tree, err := h.GetTree(h.admin(name), &gen.OrgReq{OrgId: node})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range tree.Nodes {
		names, icons = append(names, n.OrgName), append(icons, n.Icon)
	}
	return names, icons
}

func TestTree(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		t.Run("TREE-01 the tree begins at the admin's own organisation and holds no sibling", func(t *testing.T) {
			names, _ := treeNames(t, h, "P", "")
			if !slices.Equal(names, []string{"P", "A", "B"}) {
				t.Errorf("tree of P: %v", names)
			}
			if names, _ := treeNames(t, h, "A", ""); !slices.Equal(names, []string{"A"}) {
				t.Errorf("tree of A: %v", names)
			}
		})
		t.Run("a node outside the scope is refused", func(t *testing.T) {
			_, err := h.GetTree(h.admin("A"), &gen.OrgReq{OrgId: h.ids["B"]})
			wantErr(t, err, kit.ErrNotFound, "sibling's node")
			_, err = h.List(h.admin("A"), &recordsgen.ListReq{Type: "member", OrgId: h.ids["B"]})
			wantErr(t, err, kit.ErrNotFound, "sibling's list")
			_, err = h.List(h.admin("A"), &recordsgen.ListReq{Type: "member", OrgId: "nowhere"})
			wantErr(t, err, kit.ErrNotFound, "unknown node")
			if names, _ := h.list(h.admin("R"), &recordsgen.ListReq{Type: "organization", OrgId: h.ids["P"]}); !slices.Equal(names, []string{"B", "A", "P"}) {
				t.Errorf("organisations of P, newest first: %v", names)
			}
		})
		t.Run("the next load shows what was added, renamed and deleted", func(t *testing.T) {
			x := h.mustSave(h.admin("P"), "organization", "", 0, org("X", "group", h.ids["A"]))
			if names, _ := treeNames(t, h, "P", ""); !slices.Equal(names, []string{"P", "A", "X", "B"}) {
				t.Errorf("after adding: %v", names)
			}
			doc := org("Y", "group", h.ids["A"])
			h.mustSave(h.admin("P"), "organization", x["id"].(string), 1, doc)
			if names, _ := treeNames(t, h, "P", ""); !slices.Equal(names, []string{"P", "A", "Y", "B"}) {
				t.Errorf("after renaming: %v", names)
			}
			if _, err := h.Delete(h.admin("P"), &recordsgen.IDsReq{Type: "organization", Ids: []string{x["id"].(string)}}); err != nil {
				t.Fatal(err)
			}
			if names, _ := treeNames(t, h, "P", ""); !slices.Equal(names, []string{"P", "A", "B"}) {
				t.Errorf("after deleting: %v", names)
			}
		})
		t.Run("TREE-02 each type has its sign", func(t *testing.T) {
			j := h.mustSave(h.admin("R"), "organization", "", 0, org("J", "jointBranch", h.ids["Q"]))
			_, icons := treeNames(t, h, "R", "")
			if !slices.Equal(icons, []string{"委", "总", "支", "支", "总", "联"}) {
				t.Errorf("icons: %v", icons)
			}
			h.mustSave(h.admin("R"), "organization", j["id"].(string), 1, org("J", "branch", h.ids["Q"]))
			if _, icons = treeNames(t, h, "Q", ""); !slices.Equal(icons, []string{"总", "支"}) {
				t.Errorf("icons after a change of type: %v", icons)
			}
		})
	})
}

func TestOrganizationRules(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		r := h.admin("R")
		t.Run("ORG-02 required fields, a repeated name and a parent out of scope are refused", func(t *testing.T) {
			_, err := h.save(r, "organization", "", 0, map[string]any{"orgName": "  "})
			for field, say := range map[string]string{"orgName": "请填写组织名称", "orgType": "请填写组织性质", "parentId": "请填写上级组织", "secretary": "请填写负责人", "contactName": "请填写联系人", "contactPhone": "请填写联系电话"} {
				wantField(t, err, field, say)
			}
			_, err = h.save(r, "organization", "", 0, org("A", "branch", h.ids["P"]))
			wantField(t, err, "orgName", "同名")
			_, err = h.save(h.admin("A"), "organization", "", 0, org("Z", "group", h.ids["B"]))
			wantField(t, err, "parentId", "不在管理范围内")
			if n := h.count("organizations", bson.D{}); n != 5 {
				t.Errorf("%d organisations stored", n)
			}
			h.mustSave(r, "organization", "", 0, org("A", "branch", h.ids["Q"])) // another parent
		})
		t.Run("ORG-04 nothing below a group, and no organisation below itself", func(t *testing.T) {
			g := h.mustSave(r, "organization", "", 0, org("G", "group", h.ids["A"]))
			_, err := h.save(r, "organization", "", 0, org("GG", "group", g["id"].(string)))
			wantField(t, err, "parentId", "上级组织选择有误")
			for _, parent := range []string{"P", "A"} { // itself, a descendant
				_, err = h.save(r, "organization", h.ids["P"], 1, org("P", "generalBranch", h.ids[parent]))
				wantField(t, err, "parentId", "上级组织选择有误")
			}
		})
		t.Run("ORG-04 a kind stands under the kinds it may stand under, made, changed or moved", func(t *testing.T) {
			kinds := []string{"committee", "workCommittee", "generalBranch", "branch", "jointBranch", "group"}
			may := map[string]string{ // parent: what may stand under it
				"committee": "committee workCommittee generalBranch branch jointBranch", "workCommittee": "committee workCommittee generalBranch branch jointBranch",
				"generalBranch": "branch jointBranch", "branch": "group", "jointBranch": "group",
			}
			ids := map[string]string{}
			for _, kind := range kinds {
				parent := h.ids["R"]
				if kind == "group" {
					parent = ids["branch"]
				}
				ids[kind] = h.mustSave(r, "organization", "", 0, org("上级"+kind, kind, parent))["id"].(string)
			}
			for _, parent := range kinds {
				for _, kind := range kinds {
					_, err := h.save(r, "organization", "", 0, org("下级"+kind, kind, ids[parent]))
					if slices.Contains(strings.Fields(may[parent]), kind) {
						if err != nil {
							t.Errorf("%s under %s: %v", kind, parent, err)
						}
						continue
					}
					wantField(t, err, "parentId", "上级组织选择有误")
				}
			}
			for kind, say := range map[string]string{"committee": "委员会", "generalBranch": "党总支", "branch": "党支部"} { // changed
				_, err := h.save(r, "organization", ids[kind], 1, org("上级"+kind, "group", h.ids["R"]))
				wantField(t, err, "parentId", "党小组的上级应为党支部、联合支部")
				_, err = h.save(r, "organization", ids["group"], 1, org("上级group", kind, ids["branch"]))
				wantField(t, err, "parentId", say+"的上级应为")
			}
			_, err := h.save(r, "organization", ids["generalBranch"], 1, org("上级generalBranch", "branch", h.ids["R"]))
			wantField(t, err, "orgType", "该组织有下级组织")
			_, err = h.save(r, "organizationTransfer", "", 0, map[string]any{"transferOrgId": ids["committee"], "toParentId": ids["branch"], "transferredOn": "2026-01-01"})
			wantField(t, err, "toParentId", "委员会的上级应为委员会、党工委")
		})
		t.Run("COMM-02 control characters, long texts and bad phones are refused all at once", func(t *testing.T) {
			doc := org("有\u0000鬼", "nothing", h.ids["P"])
			doc["contactPhone"], doc["secretary"] = "12", strings.Repeat("长", 31)
			_, err := h.save(r, "organization", "", 0, doc)
			for field, say := range map[string]string{"orgName": "无法识别", "orgType": "填写有误", "contactPhone": "格式不正确", "secretary": "不能超过30个字"} {
				wantField(t, err, field, say)
			}
		})
		t.Run("a stale version is a conflict", func(t *testing.T) {
			h.mustSave(r, "organization", h.ids["Q"], 1, org("Q", "generalBranch", h.ids["R"]))
			_, err := h.save(r, "organization", h.ids["Q"], 1, org("Q2", "generalBranch", h.ids["R"]))
			wantErr(t, err, kit.ErrConflict, "second save")
		})
	})
}

func TestOrganizationDelete(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		del := func(as string, names ...string) error {
			var ids []string
			for _, n := range names {
				ids = append(ids, h.ids[n])
			}
			_, err := h.Delete(h.admin(as), &recordsgen.IDsReq{Type: "organization", Ids: ids})
			return err
		}
		m := h.mustSave(h.admin("R"), "member", "", 0, member("张三", 1, h.ids["A"]))
		t.Run("ORG-09 the admin's own organisation stays", func(t *testing.T) {
			if e := kit.FromError(del("P", "P")); e.Message != "不能删除本级组织！" {
				t.Errorf("%v", e)
			}
		})
		t.Run("COMM-04 one refusal keeps the whole batch", func(t *testing.T) {
			e := kit.FromError(del("R", "Q", "A"))
			if !strings.Contains(e.Message, "A：该组织或其下级组织存在党员") || strings.Contains(e.Message, "Q：") {
				t.Errorf("%v", e.Message)
			}
			if n := h.count("organizations", bson.D{{Key: "deleted", Value: false}}); n != 5 {
				t.Errorf("%d organisations left", n)
			}
			if err := del("R", "Q"); err != nil {
				t.Error("the rest is deleted:", err)
			}
		})
		t.Run("ORG-10 members anywhere below keep an organisation", func(t *testing.T) {
			if e := kit.FromError(del("R", "P")); e.Message != "该组织或其下级组织存在党员，不允许删除！" {
				t.Errorf("%v", e)
			}
			if _, err := h.Delete(h.admin("R"), &recordsgen.IDsReq{Type: "member", Ids: []string{m["id"].(string)}}); err != nil {
				t.Fatal(err)
			}
			if err := del("R", "A"); err != nil {
				t.Error("after the last member left:", err)
			}
		})
		t.Run("ORG-11 children first", func(t *testing.T) {
			if e := kit.FromError(del("R", "P")); e.Message != "请先删除下级组织" {
				t.Errorf("%v", e)
			}
		})
	})
}

func TestOrganizationImport(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		p := h.admin("P")
		t.Run("ORG-15 the template has the named header, an explanation and drop-downs", func(t *testing.T) {
			f, err := h.Template(p, &recordsgen.TypeReq{Type: "organization"})
			if err != nil {
				t.Fatal(err)
			}
			head := readSheet(t, f.Data, "导入模板")[0]
			for i, want := range orgHeader {
				if head[i] != want {
					t.Errorf("column %d is %s, want %s", i, head[i], want)
				}
			}
			if help := readSheet(t, f.Data, "说明文档"); len(help) != 9 || !strings.Contains(help[2][2], "联合支部") || help[1][1] != "是" {
				t.Errorf("explanation: %v", help)
			}
			_, err = h.Template(h.admin("P", "organization.view"), &recordsgen.TypeReq{Type: "organization"})
			wantErr(t, err, kit.ErrForbidden, "template without the permission")
			b := h.upload(p, "organization", f.Data)
			if b.State != "failed" || !strings.Contains(b.Message, "没有要导入的数据") {
				t.Errorf("an empty template: %+v", b)
			}
		})
		row := func(name, kind, parent string) []any {
			return []any{name, kind, parent, "书记", "", "联系人", "010-12345678", "某路1号"}
		}
		good := sheet(t, orgHeader, row("C", "党支部", "P"), row("C1", "党小组", "P/C"), row("D", "党支部", "P"))
		t.Run("ORG-16 right rows become organisations, a row may stand below an earlier one", func(t *testing.T) {
			b := h.upload(p, "organization", good)
			if b.State != "finished" || b.SuccessCount != 3 || b.FailureCount != 0 {
				t.Fatalf("%+v", b)
			}
			if names, _ := treeNames(t, h, "P", ""); !slices.Equal(names, []string{"P", "A", "B", "C", "C1", "D"}) {
				t.Errorf("tree: %v", names)
			}
			for name, data := range map[string][]byte{
				"no workbook": []byte("姓名,电话"), "no header": sheet(t, []any{"组织名称", "组织性质"}, row("E", "党支部", "P")),
			} {
				if b := h.upload(p, "organization", data); b.State != "failed" || b.Message == "" {
					t.Errorf("%s: %+v", name, b)
				}
			}
		})
		t.Run("ORG-17 wrong rows are listed and the corrected failure list adds only them", func(t *testing.T) {
			b := h.upload(p, "organization", sheet(t, orgHeader,
				row("E", "党支部", "P"), row("F", "党支部", "Q"), row("A", "党支部", "P"), row("G", "什么", "P")))
			if b.SuccessCount != 1 || b.FailureCount != 3 {
				t.Fatalf("%+v", b)
			}
			for i, want := range []struct {
				row    int32
				reason string
			}{{3, "不在管理范围内"}, {4, "同名"}, {5, "不在可选范围内"}} {
				if f := b.Failures[i]; f.RowNo != want.row || !strings.Contains(f.Reason, want.reason) {
					t.Errorf("failure %d: %+v", i, f)
				}
			}
			f, err := h.ImportFailures(p, &recordsgen.IDReq{Type: "organization", Id: b.Id})
			if err != nil {
				t.Fatal(err)
			}
			rows := readSheet(t, f.Data, "导入模板")
			if len(rows) != 4 || rows[0][8] != "失败原因" {
				t.Fatalf("failure file: %v", rows)
			}
			var again [][]any
			for i, r := range rows {
				out := make([]any, len(r))
				for j, c := range r {
					out[j] = c
				}
				if i > 0 {
					out[0], out[1], out[2] = "新"+r[0], "党支部", "P"
				}
				again = append(again, out)
			}
			if b := h.upload(p, "organization", sheet(t, again...)); b.SuccessCount != 3 || b.FailureCount != 0 {
				t.Errorf("corrected: %+v", b)
			}
		})
		t.Run("an export has the ticked fields in their order", func(t *testing.T) {
			f, err := h.Export(p, &recordsgen.ListReq{Type: "organization", Filters: map[string]string{"orgType": "group"}, Columns: []string{"contactPhone", "orgName", "parentId", "orgType"}})
			if err != nil {
				t.Fatal(err)
			}
			rows := readSheet(t, f.Data, "")
			if len(rows) != 2 || !slices.Equal(rows[0], []string{"联系电话", "组织名称", "上级组织", "组织性质"}) || !slices.Equal(rows[1], []string{"010-12345678", "C1", "C", "党小组"}) {
				t.Errorf("%v", rows)
			}
		})
	})
}

// TestTwoInstances: what one instance changed in the tree, another knows at once wherever
// it decides by it.
func TestTwoInstances(t *testing.T) {
	h := newHouse(t, false)
	svc, err := party.New(h.deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(svc.Close)
	other := *h
	other.svc, other.Client = svc, partysvc.Wrap(kit.NewLocal(func(s server.Server) error { return partysvc.RegisterService(s, svc) }))
	for i := range 20 {
		other.list(h.admin("R"), &recordsgen.ListReq{Type: "member"}) // it remembers the tree as it is
		c := h.mustSave(h.admin("R"), "organization", "", 0, org(fmt.Sprint("C", i), "branch", h.ids["P"]))
		m := other.mustSave(h.admin("P"), "member", "", 0, member("张三", i, c["id"].(string)))
		if _, err := other.Get(h.admin("Q"), &recordsgen.IDReq{Type: "member", Id: m["id"].(string)}); err == nil {
			t.Error("a member outside the scope is shown")
		}
	}
}
