package party_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

func TestScope(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		mb := h.mustSave(h.admin("B"), "member", "", 0, member("乙", 2, h.ids["B"]))
		id := mb["id"].(string)
		h.mustSave(h.admin("A"), "member", "", 0, member("甲", 1, h.ids["A"]))
		t.Run("COMM-01 a sibling's admin can neither list, open, edit, delete nor export; the parent's can", func(t *testing.T) {
			a, p := h.admin("A"), h.admin("P")
			if names, total := h.list(a, &recordsgen.ListReq{Type: "member"}); !slices.Equal(names, []string{"甲"}) || total != 1 {
				t.Errorf("A lists %v", names)
			}
			_, err := h.Get(a, &recordsgen.IDReq{Type: "member", Id: id})
			wantErr(t, err, kit.ErrNotFound, "get")
			_, err = h.save(a, "member", id, 1, member("偷", 2, h.ids["A"]))
			wantErr(t, err, kit.ErrNotFound, "edit")
			_, err = h.Delete(a, &recordsgen.IDsReq{Type: "member", Ids: []string{id}})
			wantErr(t, err, kit.ErrNotFound, "delete")
			_, err = h.RevealMember(a, &gen.MemberReq{MemberId: id})
			wantErr(t, err, kit.ErrNotFound, "reveal")
			_, err = h.Act(a, unbinding(id))
			wantErr(t, err, kit.ErrNotFound, "unbind")
			_, err = h.save(a, "member", "", 0, member("塞", 3, h.ids["B"]))
			wantField(t, err, "orgId", "不在管理范围内")
			_, err = h.Export(a, &recordsgen.ListReq{Type: "member", OrgId: h.ids["B"]})
			wantErr(t, err, kit.ErrNotFound, "export of a sibling")
			f, err := h.Export(a, &recordsgen.ListReq{Type: "member"})
			if err != nil {
				t.Fatal(err)
			}
			if rows := readSheet(t, f.Data, ""); len(rows) != 2 || rows[1][0] != "甲" {
				t.Errorf("A exports %v", rows)
			}
			if b := h.upload(a, "member", sheet(t, memberHeader, memberRow("塞", 3, "B"))); b.SuccessCount != 0 || !strings.Contains(b.Failures[0].Reason, "不在管理范围内") {
				t.Errorf("import into a sibling: %+v", b)
			}
			if names, _ := h.list(p, &recordsgen.ListReq{Type: "member"}); len(names) != 2 {
				t.Errorf("P lists %v", names)
			}
			if _, err = h.Get(p, &recordsgen.IDReq{Type: "member", Id: id}); err != nil {
				t.Error(err)
			}
		})
		t.Run("MEMB-02 the branch's and the parent's admin edit at once, a sibling's finds nothing", func(t *testing.T) {
			doc := member("乙改", 2, h.ids["B"])
			if r := h.mustSave(h.admin("B"), "member", id, 1, doc); r["name"] != "乙改" {
				t.Errorf("%v", r)
			}
			doc["name"] = "乙再改"
			if r := h.mustSave(h.admin("P"), "member", id, 2, doc); r["name"] != "乙再改" {
				t.Errorf("%v", r)
			}
			_, err := h.save(h.admin("A"), "member", id, 3, doc)
			wantErr(t, err, kit.ErrNotFound, "sibling")
		})
		t.Run("members and visitors reach no record", func(t *testing.T) {
			as := kit.WithCaller(context.Background(), kit.Caller{Kind: kit.Member, MemberID: "m", OpenID: "o", OrgID: h.ids["B"]})
			_, err := h.List(as, &recordsgen.ListReq{Type: "member"})
			wantErr(t, err, kit.ErrForbidden, "member's list")
			_, err = h.Get(as, &recordsgen.IDReq{Type: "member", Id: id})
			wantErr(t, err, kit.ErrForbidden, "member's get")
			_, err = h.List(context.Background(), &recordsgen.ListReq{Type: "member"})
			wantErr(t, err, kit.ErrUnauthenticated, "visitor's list")
			_, err = h.GetMember(h.admin("R"), &gen.MemberReq{MemberId: id})
			wantErr(t, err, kit.ErrForbidden, "an admin at a service's method")
			_, err = h.RunImport(h.admin("R"), &recordsgen.IDReq{Type: "member", Id: "x"})
			wantErr(t, err, kit.ErrForbidden, "an admin at a worker's method")
		})
		t.Run("without the permission every verb is refused", func(t *testing.T) {
			only := h.admin("B", "member.view")
			for about, err := range map[string]error{
				"create": second(h.save(only, "member", "", 0, member("丙", 9, h.ids["B"]))),
				"update": second(h.save(only, "member", id, 3, member("丙", 2, h.ids["B"]))),
				"delete": second(h.Delete(only, &recordsgen.IDsReq{Type: "member", Ids: []string{id}})),
				"export": second(h.Export(only, &recordsgen.ListReq{Type: "member"})),
				"import": second(h.StartImport(only, &recordsgen.ImportReq{Type: "member", Data: []byte("x")})),
				"view":   second(h.List(h.admin("B", "organization.view"), &recordsgen.ListReq{Type: "member"})),
			} {
				wantErr(t, err, kit.ErrForbidden, about)
			}
			s := decode(t, must(h.Schema(only, &recordsgen.TypeReq{Type: "member"})))
			if p := s["permissions"].(map[string]any); p["create"] != false || p["view"] != true || p["import"] != false {
				t.Errorf("%v", p)
			}
		})
	})
}

func second[T any](_ T, err error) error { return err }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestMemberAge(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		a := h.admin("A")
		t.Run("MEMB-08 nobody is a member, or asks to be, below 18, and a probation is a year", func(t *testing.T) {
			h.clock.SetOffset(time.Until(time.Date(2026, 9, 1, 0, 0, 0, 0, kit.Shanghai)))
			defer h.clock.SetOffset(0)
			for i, x := range []struct {
				born, kind                 string
				activist, joined, formally string
				field, say                 string
			}{
				{"20000301", "fullMember", "", "2010-01-01", "2011-01-01", "joinedOn", "年满18岁方可入党"},
				{"20000301", "fullMember", "", "2018-02-28", "2019-03-01", "joinedOn", "年满18岁方可入党"},
				{"20000301", "fullMember", "", "2018-03-01", "2019-03-01", "", ""},
				{"20000301", "fullMember", "2017-12-31", "2019-03-01", "2020-03-01", "activistOn", "年满18岁方可确定为积极分子"},
				{"20000301", "fullMember", "", "2018-03-01", "2019-02-28", "regularizedOn", "预备期为一年，转正日期不能早于2019-03-01"},
				{"20000301", "fullMember", "", "2020-02-29", "2021-02-28", "", ""},
				{"20000301", "fullMember", "", "2018-03-01", "2018-03-01", "", ""}, // admitted directly
				{"20160301", "applicant", "", "", "", "memberType", "年满18岁方可申请入党"},
				{"20080902", "applicant", "", "", "", "memberType", "年满18岁方可申请入党"},
				{"20080901", "applicant", "", "", "", "", ""},
				{"19280301", "fullMember", "", "1944-05-01", "1944-11-01", "", ""}, // before the 党章 of 1945
				{"19500301", "fullMember", "", "1970-05-01", "1970-05-02", "", ""}, // there was no probation
			} {
				digits := fmt.Sprintf("990101%s%03d", x.born, 701+2*i)
				doc := member("龄", 9000+i, h.ids["A"])
				doc["idNumber"], doc["memberType"], doc["activistOn"] = digits+string(model.IDCheck(digits)), x.kind, x.activist
				doc["joinedOn"], doc["regularizedOn"] = x.joined, x.formally
				row, err := h.save(a, "member", "", 0, doc)
				if x.field == "" {
					if err != nil {
						t.Errorf("%+v: %v %v", x, err, kit.FromError(err).Fields)
						continue
					}
					_, err = h.Delete(a, &recordsgen.IDsReq{Type: "member", Ids: []string{row["id"].(string)}})
					if err != nil {
						t.Error(err)
					}
					continue
				}
				wantField(t, err, x.field, x.say)
			}
		})
	})
}

func TestMemberRules(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		a := h.admin("A")
		t.Run("MEMB-08 a member is stored; wrong and repeated data are refused by field", func(t *testing.T) {
			_, err := h.save(a, "member", "", 0, map[string]any{"name": ""})
			for field, say := range map[string]string{"name": "请填写姓名", "idNumber": "请填写身份证号", "phone": "请填写手机号", "orgId": "请填写所在支部", "memberType": "请填写党员类型"} {
				wantField(t, err, field, say)
			}
			doc := member("甲", 1, h.ids["A"])
			row := h.mustSave(a, "member", "", 0, doc)
			if row["_labels"].(map[string]any)["orgId"] != "A" || row["version"] != 1.0 {
				t.Errorf("%v", row)
			}
			for field, change := range map[string]map[string]any{
				"idNumber":      {"phone": "19911111111"},
				"phone":         {"idNumber": idNumber(5)},
				"joinedOn":      {"joinedOn": "2999-01-01"},
				"regularizedOn": {"regularizedOn": ""},
				"orgId":         {"orgId": h.ids["P"]},
			} {
				d := member("乙", 1, h.ids["A"])
				if field != "idNumber" && field != "phone" {
					d = member("乙", 6, h.ids["A"])
				}
				maps.Copy(d, change)
				_, err := h.save(h.admin("P"), "member", "", 0, d)
				wantField(t, err, field, "")
			}
			if n := h.count("members", bson.D{}); n != 1 {
				t.Errorf("%d members", n)
			}
		})
		t.Run("MEMB-11 the ID number must be valid and agree; it fills birth date and gender", func(t *testing.T) {
			doc := member("丙", 7, h.ids["A"])
			bad := []byte(idNumber(7))
			bad[17] = "0123456789X"[(strings.IndexByte("0123456789X", bad[17])+1)%11]
			doc["idNumber"] = string(bad)
			_, err := h.save(a, "member", "", 0, doc)
			wantField(t, err, "idNumber", "身份证号码有误")
			doc["idNumber"], doc["gender"] = idNumber(7), "female"
			_, err = h.save(a, "member", "", 0, doc)
			wantField(t, err, "idNumber", "身份证号码有误")
			delete(doc, "gender")
			doc["birthDate"] = "1990-01-01"
			_, err = h.save(a, "member", "", 0, doc)
			wantField(t, err, "idNumber", "身份证号码有误")
			delete(doc, "birthDate")
			if r := h.mustSave(a, "member", "", 0, doc); r["gender"] != "male" || r["birthDate"] != "1980-01-01" {
				t.Errorf("derived: %v", r)
			}
		})
		t.Run("personal fields are sealed at rest, masked in lists, and a masked value sent back changes nothing", func(t *testing.T) {
			doc := member("丁", 8, h.ids["A"])
			doc["address"] = "某路8号"
			row := h.mustSave(a, "member", "", 0, doc)
			var raw bson.Raw
			if err := h.db.Collection("members").FindOne(context.Background(), bson.D{{Key: "_id", Value: row["id"]}}).Decode(&raw); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{idNumber(8), doc["phone"].(string), "某路8号"} {
				if strings.Contains(string(raw), secret) {
					t.Errorf("%s is stored in clear", secret)
				}
			}
			if row["idNumber"] != model.MaskID(idNumber(8)) || row["phone"] != "199****0008" || row["address"] != "******" {
				t.Errorf("not masked: %v", row)
			}
			row["name"] = "丁改"
			row = h.mustSave(a, "member", row["id"].(string), 1, row)
			open, err := h.RevealMember(a, &gen.MemberReq{MemberId: row["id"].(string)})
			if err != nil {
				t.Fatal(err)
			}
			if open.IdNumber != idNumber(8) || open.Phone != doc["phone"] || open.Name != "丁改" {
				t.Errorf("%v", open)
			}
			if n := h.count(model.AuditInbox, bson.D{{Key: "fact.action", Value: model.AuditReveal}, {Key: "fact.recordid", Value: row["id"]}, {Key: "fact.userid", Value: "adminA"}}); n != 1 {
				t.Errorf("%d audit lines of the look", n)
			}
			for filter, value := range map[string]string{"idNumber": idNumber(8), "phone": "19900000008", "name": "丁", "memberType": "fullMember"} {
				if names, _ := h.list(a, &recordsgen.ListReq{Type: "member", Filters: map[string]string{filter: value}}); !slices.Contains(names, "丁改") {
					t.Errorf("filter %s finds %v", filter, names)
				}
			}
			if names, _ := h.list(a, &recordsgen.ListReq{Type: "member", Keyword: "nobody.*"}); len(names) != 0 {
				t.Errorf("a keyword is no pattern: %v", names)
			}
		})
		t.Run("deleted members free their ID number and phone", func(t *testing.T) {
			row := h.mustSave(a, "member", "", 0, member("戊", 10, h.ids["A"]))
			if _, err := h.Delete(a, &recordsgen.IDsReq{Type: "member", Ids: []string{row["id"].(string)}}); err != nil {
				t.Fatal(err)
			}
			h.mustSave(a, "member", "", 0, member("戊二", 10, h.ids["A"]))
		})
	})
}

func TestMemberImport(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		p := h.admin("P")
		ten := [][]any{memberHeader}
		for i := 1; i <= 10; i++ {
			ten = append(ten, memberRow(fmt.Sprintf("员%02d", i), i, "A"))
		}
		ten[3-1][2] = "990101198001010000" // sheet row 3
		ten[7-1][6] = "无此支部"               // sheet row 7
		t.Run("COMM-05 right rows are stored, wrong ones listed, and the same file again stores nothing twice", func(t *testing.T) {
			b := h.upload(p, "member", sheet(t, ten...))
			if b.SuccessCount != 8 || b.FailureCount != 2 || b.Failures[0].RowNo != 3 || b.Failures[1].RowNo != 7 {
				t.Fatalf("%+v", b)
			}
			b = h.upload(p, "member", sheet(t, ten...))
			if b.SuccessCount != 0 || b.FailureCount != 10 || !strings.Contains(b.Failures[0].Reason, "身份证号已存在") {
				t.Fatalf("again: %+v", b)
			}
			if n := h.count("members", bson.D{}); n != 8 {
				t.Errorf("%d members", n)
			}
		})
		t.Run("a failure file imports as it is and is only seen by who uploaded", func(t *testing.T) {
			b := h.upload(p, "member", sheet(t, memberHeader, memberRow("新", 20, "Z")))
			f, err := h.ImportFailures(p, &recordsgen.IDReq{Type: "member", Id: b.Id})
			if err != nil {
				t.Fatal(err)
			}
			again := h.upload(p, "member", f.Data)
			if again.State != "finished" || again.FailureCount != 1 || again.Message != "" {
				t.Errorf("unchanged: %+v", again)
			}
			_, err = h.GetImport(h.admin("A"), &recordsgen.IDReq{Type: "member", Id: b.Id})
			wantErr(t, err, kit.ErrNotFound, "another admin's progress")
			_, err = h.ImportFailures(h.admin("A"), &recordsgen.IDReq{Type: "member", Id: b.Id})
			wantErr(t, err, kit.ErrNotFound, "another admin's failures")
			var raw bson.Raw
			if err := h.db.Collection("importFailures").FindOne(context.Background(), bson.D{{Key: "batch", Value: b.Id}}).Decode(&raw); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(raw), idNumber(20)) {
				t.Error("failed rows hold personal data in clear")
			}
		})
		t.Run("formulas are refused, evaluated or as text", func(t *testing.T) {
			f, err := excelize.OpenReader(bytes.NewReader(sheet(t, memberHeader, memberRow("式", 21, "A"), memberRow("=1+1", 22, "A"), memberRow("@SUM(A1)", 23, "A"), memberRow("好", 24, "A"))))
			if err != nil {
				t.Fatal(err)
			}
			if err := f.SetCellFormula("导入模板", "A2", `HYPERLINK("http://evil","x")`); err != nil {
				t.Fatal(err)
			}
			buf, err := f.WriteToBuffer()
			if err != nil {
				t.Fatal(err)
			}
			b := h.upload(p, "member", buf.Bytes())
			if b.SuccessCount != 1 || b.FailureCount != 3 {
				t.Fatalf("%+v", b)
			}
			for _, x := range b.Failures {
				if !strings.Contains(x.Reason, "公式") {
					t.Errorf("%+v", x)
				}
			}
		})
		t.Run("MEMB-07 unknown columns are reported and ignored", func(t *testing.T) {
			b := h.upload(p, "member", sheet(t, append(slices.Clone(memberHeader), "星座"), append(memberRow("星", 30, "A"), "天秤")))
			if b.SuccessCount != 1 || !strings.Contains(b.Message, "星座") {
				t.Errorf("%+v", b)
			}
		})
	})
}

func TestImportLimits(t *testing.T) {
	h := newHouse(t, false)
	p := h.admin("P")
	rows := [][]any{memberHeader}
	for i := range 10001 {
		rows = append(rows, memberRow("多", i+1, "A"))
	}
	b := h.upload(p, "member", sheet(t, rows...))
	if b.State != "failed" || !strings.Contains(b.Message, "10000") || h.count("members", bson.D{}) != 0 {
		t.Errorf("10,001 rows: %+v", b)
	}
	if b = h.upload(p, "member", bomb(t)); b.State != "failed" || !strings.Contains(b.Message, "解压") {
		t.Errorf("bomb: %+v", b)
	}
	_, err := h.StartImport(p, &recordsgen.ImportReq{Type: "member", Data: make([]byte, 10<<20+1)})
	wantErr(t, err, kit.ErrTooLarge, "oversized file")
	begun := time.Now()
	if b = h.upload(p, "member", sheet(t, rows[:10001]...)); b.SuccessCount+b.FailureCount != 10000 {
		t.Errorf("10,000 rows: %+v", b)
	}
	t.Logf("10,000 rows: %d stored, %d refused in %v", b.SuccessCount, b.FailureCount, time.Since(begun))
}

// bomb is a workbook whose sheet unpacks to 200 MB.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	src, err := zip.NewReader(bytes.NewReader(sheet(t, memberHeader)), int64(len(sheet(t, memberHeader))))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range src.File {
		w := must(z.Create(f.Name))
		if strings.HasPrefix(f.Name, "xl/worksheets/") {
			zeros := make([]byte, 1<<20)
			for range 200 {
				must(w.Write(zeros))
			}
			continue
		}
		r := must(f.Open())
		must(io.Copy(w, r))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestImportResumes(t *testing.T) {
	h := newHouse(t, false)
	p := h.admin("P")
	rows := [][]any{memberHeader}
	for i := range 40 {
		rows = append(rows, memberRow("续", i+1, "A"))
	}
	rows[5][2] = "bad"
	b := h.upload(p, "member", sheet(t, rows...))
	if b.SuccessCount != 39 {
		t.Fatalf("%+v", b)
	}
	ctx := context.Background()
	h.svc.Close() // from now on only workers import
	upload, err := h.StartImport(p, &recordsgen.ImportReq{Type: "member", FileName: "x.xlsx", Data: sheet(t, memberHeader, memberRow("断", 101, "A"), memberRow("坏", 102, "Z"))})
	if err != nil {
		t.Fatal(err)
	}
	var file bson.D
	if err := h.db.Collection("importParts").FindOne(ctx, bson.D{{Key: "_id", Value: upload.Id + "/000"}}).Decode(&file); err != nil {
		t.Fatal(err)
	}
	batch := h.db.Collection("imports")
	set := func(values bson.D) {
		t.Helper()
		if _, err := batch.UpdateOne(ctx, bson.D{{Key: "_id", Value: upload.Id}}, bson.D{{Key: "$set", Value: values}}); err != nil {
			t.Fatal(err)
		}
	}
	work := func() (n int) {
		t.Helper()
		pending, err := records.PendingImports(ctx, h.db)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range pending {
			if _, err := h.RunImport(system(), x); err != nil {
				t.Fatal(err)
			}
		}
		return len(pending)
	}
	if n := work(); n != 0 {
		t.Errorf("%d imports are taken from a worker whose lease holds", n)
	}
	if _, err := h.RunImport(system(), &recordsgen.IDReq{Type: "member", Id: upload.Id}); err != nil {
		t.Fatal(err)
	}
	if h.count("members", bson.D{{Key: "name", Value: "断"}}) != 0 {
		t.Error("a second worker ran a leased import")
	}
	over := bson.E{Key: "leaseUntil", Value: time.Unix(0, 0)}
	set(bson.D{over})
	if n := work(); n != 1 {
		t.Fatalf("%d imports pending", n)
	}
	// As a process leaves it that dies after storing rows and before reporting them.
	if _, err := h.db.Collection("importParts").InsertOne(ctx, file); err != nil {
		t.Fatal(err)
	}
	set(bson.D{over, {Key: "state", Value: "running"}, {Key: "done", Value: 0}, {Key: "success", Value: 0}, {Key: "failure", Value: 0}})
	if n := work(); n != 1 {
		t.Fatalf("%d imports pending", n)
	}
	done, err := h.GetImport(p, &recordsgen.IDReq{Type: "member", Id: upload.Id})
	if err != nil {
		t.Fatal(err)
	}
	if done.State != "finished" || done.SuccessCount != 1 || done.FailureCount != 1 {
		t.Errorf("%+v", done)
	}
	if n := h.count("members", bson.D{{Key: "name", Value: "断"}}); n != 1 {
		t.Errorf("stored %d times", n)
	}
	if n := h.count("importFailures", bson.D{{Key: "batch", Value: upload.Id}}); n != 1 {
		t.Errorf("%d failures", n)
	}
	if n := h.count("importParts", bson.D{}); n != 0 {
		t.Errorf("%d pieces of files are left", n)
	}
}

func TestMemberSheets(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		p := h.admin("P")
		t.Run("MEMB-16 the template has the named header and an explanation, and is accepted unchanged", func(t *testing.T) {
			f, err := h.Template(p, &recordsgen.TypeReq{Type: "member"})
			if err != nil {
				t.Fatal(err)
			}
			head := readSheet(t, f.Data, "导入模板")[0]
			if fmt.Sprint(head) != fmt.Sprint(memberHeader) {
				t.Errorf("%v", head)
			}
			help := readSheet(t, f.Data, "说明文档")
			if len(help) != 13 || !strings.Contains(fmt.Sprint(help), "入党积极分子") || !strings.Contains(fmt.Sprint(help[7]), "A、B") {
				t.Errorf("%v", help)
			}
			x, err := excelize.OpenReader(bytes.NewReader(f.Data))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range memberRow("模板", 50, "A") {
				if err := x.SetCellValue("导入模板", must(excelize.CoordinatesToCellName(i+1, 2)), v); err != nil {
					t.Fatal(err)
				}
			}
			if drops := must(x.GetDataValidations("导入模板")); len(drops) != 5 {
				t.Errorf("%d drop-downs", len(drops))
			}
			if b := h.upload(p, "member", must(x.WriteToBuffer()).Bytes()); b.SuccessCount != 1 {
				t.Errorf("%+v", b)
			}
			_, err = h.Template(h.admin("P", "member.view"), &recordsgen.TypeReq{Type: "member"})
			wantErr(t, err, kit.ErrForbidden, "without the permission")
		})
		t.Run("MEMB-18 malformed and repeated rows are listed; the corrected list adds only them", func(t *testing.T) {
			rows := [][]any{memberHeader, memberRow("对", 51, "A"), memberRow("重", 51, "A"), memberRow("错", 52, "A"), memberRow("无", 53, "没有"), memberRow("类", 54, "B")}
			rows[3][2], rows[5][8] = "12345", "党员"
			b := h.upload(p, "member", sheet(t, rows...))
			if b.SuccessCount != 1 || b.FailureCount != 4 {
				t.Fatalf("%+v", b)
			}
			for i, reason := range []string{"身份证号已存在", "身份证号码有误", "不存在", "不在可选范围内"} {
				if f := b.Failures[i]; f.RowNo != int32(i+3) || !strings.Contains(f.Reason, reason) {
					t.Errorf("%+v", f)
				}
			}
			f, err := h.ImportFailures(p, &recordsgen.IDReq{Type: "member", Id: b.Id})
			if err != nil {
				t.Fatal(err)
			}
			x, err := excelize.OpenReader(bytes.NewReader(f.Data))
			if err != nil {
				t.Fatal(err)
			}
			for cell, v := range map[string]string{"C2": idNumber(61), "F2": "19900000061", "C3": idNumber(52), "G4": "B", "I5": "正式党员"} {
				if err := x.SetCellStr("导入模板", cell, v); err != nil {
					t.Fatal(err)
				}
			}
			before := h.count("members", bson.D{})
			b = h.upload(p, "member", must(x.WriteToBuffer()).Bytes())
			if b.SuccessCount != 4 || b.FailureCount != 0 || h.count("members", bson.D{}) != before+4 {
				t.Errorf("corrected: %+v", b)
			}
		})
		t.Run("COMM-06 MEMB-20 an export has the filtered list's rows in its order, as text, with nothing from outside", func(t *testing.T) {
			for i := range 30 {
				h.mustSave(p, "member", "", 0, member(fmt.Sprintf("出%02d", i), 100+i, h.ids[[]string{"A", "B"}[i%2]]))
			}
			doc := member("=出=危险", 140, h.ids["B"])
			h.mustSave(p, "member", "", 0, doc)
			req := &recordsgen.ListReq{Type: "member", Keyword: "出", Size: 100}
			names, total := h.list(p, req)
			f, err := h.Export(p, req)
			if err != nil {
				t.Fatal(err)
			}
			rows := readSheet(t, f.Data, "")
			if total != 31 || len(rows) != 32 || rows[0][0] != "姓名" {
				t.Fatalf("%d rows of %d", len(rows), total)
			}
			if mark := watermarkOf(t, f.Data); !strings.Contains(mark, "P管理员 于 ") || !strings.Contains(mark, "仅限内部使用") {
				t.Errorf("the pages say %q", mark)
			}
			if rows[1][0] != "'=出=危险" {
				t.Errorf("a formula goes out: %v", rows[1])
			}
			for i, n := range names[1:] {
				if rows[i+2][0] != n {
					t.Fatalf("row %d is %v, want %s", i+2, rows[i+2], n)
				}
			}
			f, err = h.Export(p, &recordsgen.ListReq{Type: "member", Keyword: "出00", Columns: []string{"phone", "idNumber", "name", "orgId", "bound"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := readSheet(t, f.Data, "")[1]; !slices.Equal(got, []string{"19900000100", idNumber(100), "出00", "A", "否"}) {
				t.Errorf("%v", got)
			}
			if n := h.count(model.AuditInbox, bson.D{{Key: "fact.action", Value: model.AuditExport}, {Key: "fact.userid", Value: "adminP"}, {Key: "fact.note", Value: bson.Regex{Pattern: "；含完整个人信息；"}}}); n != 2 {
				t.Errorf("%d audit lines of exports in clear", n)
			}
			f, err = h.Export(h.admin("P", "member.export", "member.view"), &recordsgen.ListReq{Type: "member", Keyword: "出00", Columns: []string{"phone", "idNumber"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := readSheet(t, f.Data, "")[1]; got[0] != "199****0100" || got[1] != model.MaskID(idNumber(100)) {
				t.Errorf("not masked without member.reveal: %v", got)
			}
			if f, err = h.Export(h.admin("A"), &recordsgen.ListReq{Type: "member", Keyword: "没有这个人"}); err != nil || len(readSheet(t, f.Data, "")) != 1 {
				t.Errorf("an empty list: %v", err)
			}
		})
	})
}

func TestDemo(t *testing.T) {
	h := newHouse(t, false)
	begun := time.Now()
	if err := h.svc.SeedDemo(system()); err != nil {
		t.Fatal(err)
	}
	t.Logf("seeded in %v", time.Since(begun))
	members, orgs := h.count("members", bson.D{}), h.count("organizations", bson.D{})
	if err := h.svc.SeedDemo(system()); err != nil {
		t.Fatal(err)
	}
	if h.count("members", bson.D{}) != members || h.count("organizations", bson.D{}) != orgs {
		t.Error("seeding twice changed something")
	}
	list, err := h.ListMembers(system(), &gen.OrgReq{OrgId: h.ids["R"]})
	if err != nil || len(list.Members) != int(members) {
		t.Fatalf("%d of %d members: %v", len(list.Members), members, err)
	}
	for _, m := range list.Members[:50] {
		row := decode(t, must(h.Get(h.admin("R"), &recordsgen.IDReq{Type: "member", Id: m.Id})))
		row["position"] = "委员"
		h.mustSave(h.admin("R"), "member", m.Id, m.Version, row) // all of it obeys the rules
	}
}

// watermarkOf is what every printed page of a workbook says.
func watermarkOf(t *testing.T, book []byte) string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(book))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	hf, err := f.GetHeaderFooter(f.GetSheetName(0))
	if err != nil || hf == nil || hf.OddHeader != hf.OddFooter {
		t.Fatalf("header and footer: %+v %v", hf, err)
	}
	return hf.OddHeader
}
