package member

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// caseFile is a workbook as people really sent it (testdata/cases).
func caseFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "cases", name+".xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var cases sync.Once

// casePlaces are the organisations that the cases name, and who imports them.
func casePlaces(t *testing.T) *bfftest.Browser {
	t.Helper()
	cases.Do(func() {
		committee := NewOrg(t, "案例党委", "committee", OrgP(t))
		NewOrg(t, "甲支部", "branch", committee)
		NewOrg(t, "甲支部785", "branch", committee)
		NewOrg(t, "试验党委785", "committee", committee)
		NewUser(t, Name("casesAdmin"), committee, "*")
	})
	return User(t, Name("casesAdmin"), UserPassword)
}

// reasons are what an import said of its rows, by row.
func reasons(b bfftest.Batch) map[int]string {
	out := map[int]string{}
	for _, f := range b.Failures {
		out[f.RowNo] = f.Reason
	}
	return out
}

// TestImportCases: files that people really sent, each with what is right.
func TestImportCases(t *testing.T) {
	a := casePlaces(t)
	for _, c := range []struct {
		file, typ string
		stored    int
		refused   map[int]string    // row → part of what is said
		find      string            // a filter that finds one of the records
		has       map[string]string // what is right there
	}{
		{file: "X1_min", typ: "member", stored: 1, find: "f.name=试人14435", has: map[string]string{"duesPaidThrough": "2024-07"}},
		{file: "X2_min", typ: "member", refused: map[int]string{2: "入党日期应为日期"}},
		{file: "X3_min", typ: "member", stored: 1, find: "f.name=试人14438", has: map[string]string{"joinedOn": "2010-07-01"}},
		{file: "X4_min", typ: "member", stored: 1, find: "f.name=试人14439", has: map[string]string{"joinedOn": "2024-07-01", "regularizedOn": "2025-07-01"}},
		{file: "X5_min", typ: "member", stored: 1, find: "f.phone=13800014440", has: map[string]string{"name": "试人14440"}},
		{file: "X6", typ: "member", refused: map[int]string{2: "请先把该列设为文本格式", 3: "请先把该列设为文本格式"}},
		{file: "X7_min", typ: "member", stored: 1, find: "f.idNumber=990201195304220643", has: map[string]string{"name": "王芳"}},
		{file: "X8_min", typ: "member", stored: 1, find: "f.idNumber=990201195405230648", has: map[string]string{"name": "文小军"}},
		{file: "X9_min", typ: "member", stored: 1, find: "f.idNumber=990201195506240642", has: map[string]string{"name": "阿依古丽·买买提"}},
		{file: "X10_min", typ: "member", refused: map[int]string{2: "请填写姓名"}},
		{file: "X10_only", typ: "member", stored: 4, refused: map[int]string{2: "请填写姓名"}, find: "f.phone=13800033493", has: map[string]string{"name": "试人33493"}},
		{file: "X11_min", typ: "member", refused: map[int]string{2: "姓名的单元格是错误值#N/A"}},
		{file: "X11_unit_min", typ: "unit", refused: map[int]string{2: "单位名称的单元格是错误值#N/A"}},
		{file: "X12", typ: "member", stored: 3},
		{file: "X13_min", typ: "member", stored: 1, find: "f.name=试人14443", has: map[string]string{"ethnicity": "汉族"}},
		{file: "X15_min", typ: "member", stored: 1, find: "f.name=试人14444", has: map[string]string{"joinedOn": "2010-07-01"}},
		{file: "X16_merged", typ: "member", stored: 3},
		{file: "X16_title_row", typ: "member", stored: 1},
		{file: "own_second_sheet", typ: "member", stored: 1},
		{file: "own_head_stars", typ: "member", stored: 1},
		{file: "own_head_space", typ: "member", stored: 1},
		{file: "X19_address", typ: "organization", stored: 6, refused: map[int]string{3: "地址不能以", 5: "联系电话格式不正确", 7: "联系电话格式不正确", 8: "负责人不能以"},
			find: "f.orgName=地址支部一785", has: map[string]string{"address": "45354"}},
		{file: "P1_min", typ: "member", stored: 1, find: "f.idNumber=990201195001190635", has: map[string]string{"name": "试人14445"}},
		{file: "P4", typ: "member", refused: map[int]string{2: "15位旧号码，请填写18位", 3: "请先把该列设为文本格式"}},
		{file: "P6_0", typ: "member", stored: 1, find: "f.idNumber=990201198803211913", has: map[string]string{"name": "张𫰠"}},
		{file: "P7_min", typ: "member", refused: map[int]string{2: "姓名含有自造字"}},
		{file: "P8_min", typ: "member", stored: 1, find: "f.phone=13800014446", has: map[string]string{"name": "试人14446"}},
		// The dues of those whom the files above name.
		{file: "X1_base_min", typ: "duesBase", stored: 1, find: "f.memberName=试人14435", has: map[string]string{"effectiveMonth": "2024-07", "baseAmount": "500000"}},
		{file: "X3_base_min", typ: "duesBase", stored: 1, find: "f.memberName=试人14438", has: map[string]string{"baseAmount": "420055"}},
		{file: "own_base_twice", typ: "duesBase", refused: map[int]string{2: "第2、3行", 3: "第2、3行"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			if c.file == "own_base_twice" {
				Add(t, a, "member", Form{"name": "试人8649", "idNumber": "990201195901192353", "phone": "13800008649", "orgId": a.List("organization", "f.orgName=甲支部785").Items[0]["id"],
					"memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01"})
			}
			b := a.Imports(c.typ, caseFile(t, c.file))
			said := reasons(b)
			if b.State != "finished" || b.SuccessCount != c.stored || b.FailureCount != len(c.refused) {
				t.Fatalf("%+v", b)
			}
			for row, want := range c.refused {
				if !strings.Contains(said[row], want) {
					t.Errorf("row %d: %q, want %q", row, said[row], want)
				}
			}
			if c.find == "" {
				return
			}
			key, value, _ := strings.Cut(c.find, "=")
			page := a.List(c.typ, key+"="+url.QueryEscape(value))
			if page.Total != 1 {
				t.Fatalf("%s finds %d", c.find, page.Total)
			}
			var one Item
			at := Path(c.typ) + "/" + page.Items[0]["id"].(string)
			if a.Get(at, &one); c.typ == "duesBase" {
				a.Post(at+"/reveal", nil, &one)
			}
			for k, want := range c.has {
				got := fmt.Sprint(one[k])
				if n, ok := one[k].(float64); ok {
					got = fmt.Sprintf("%.0f", n)
				}
				if got != want {
					t.Errorf("%s is %s, want %s", k, got, want)
				}
			}
		})
	}
	if n := a.List("duesBase", "f.memberName="+url.QueryEscape("试人8649")).Total; n != 0 {
		t.Errorf("%d bases of two that contradict each other", n)
	}
	for address, org := range map[string]string{"3-2": "地址支部三785"} {
		if got := a.List("organization", "f.orgName="+url.QueryEscape(org)).Items[0]["address"]; got != address {
			t.Errorf("%s lies at %v", org, got)
		}
	}
}

func TestNormalForm(t *testing.T) {
	t.Run("PLUS-48 names with blanks, other dots, radicals or invisible characters are one person when stored, searched, bound or imported", func(t *testing.T) {
		a := casePlaces(t)
		orgID := IDOf(a.List("organization", "f.orgName="+url.QueryEscape("甲支部")).Items[0])
		for i, c := range []struct{ typed, others, stored string }{
			{"欧　阳芳", "欧 阳\u200b芳|欧\u00a0阳 芳|\u202e欧阳芳\u202c", "欧阳芳"},
			{"⻢小⽂", "马小文|⻢小文|马小 文\ufeff", "马小文"},
			{"阿依古丽•司马义", "阿依古丽·司马义|阿依古丽・司马义|阿依古丽 ‧ 司马义", "阿依古丽·司马义"},
		} {
			p := NewPerson()
			m := Add(t, a, "member", MemberForm(p, orgID).With(Form{"name": c.typed}))
			if m["name"] != c.stored {
				t.Fatalf("%q is stored as %q", c.typed, m["name"])
			}
			others := append(strings.Split(c.others, "|"), c.typed)
			for _, o := range others {
				for _, q := range []string{"f.name=", "keyword="} {
					if l := a.List("member", q+url.QueryEscape(o)); l.Total != 1 || l.Items[0]["id"] != m["id"] {
						t.Errorf("%s%q finds %d", q, o, l.Total)
					}
				}
			}
			// As a guest elsewhere he is the member.
			if g := a.Do("POST", Path("reportInMember"), Form{"name": others[0], "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "x", "startOn": Day(-1), "endOn": Day(1)}); g.Status != http.StatusOK {
				t.Errorf("as a guest under %q: %s", others[0], g.Body)
			}
			// In a dues base he is the member.
			sheet := bfftest.Workbook(t, a.Do("GET", Path("duesBase")+"/template", nil).Body, []map[string]string{{"姓名": others[1], "身份证号": wide(p.IDNumber), "使用年月": "2025-01", "应缴基数": "￥5000"}})
			if b := a.Imports("duesBase", sheet); b.SuccessCount != 1 {
				t.Errorf("a base under %q: %+v", others[1], b)
			}
			// A second member with his ID number is none.
			sheet = bfftest.Workbook(t, a.Do("GET", Path("member")+"/template", nil).Body, []map[string]string{{"姓名": others[2], "身份证号": wide(p.IDNumber), "手机号": fmt.Sprintf("1390000%04d", i), "所在支部": "甲支部", "党员类型": "正式", "入党日期": "2010-07-01", "转正日期": "2011-07-01"}})
			if b := a.Imports("member", sheet); b.SuccessCount != 0 || !strings.Contains(reasons(b)[2], "身份证号已存在") {
				t.Errorf("twice: %+v", b)
			}
			// He binds under any of them.
			phone := Visitor(t)
			phone.OpenPhone(phone.WeChatUser(c.stored, p.Phone))
			who := map[string]string{"name": others[0], "idNumber": wide(p.IDNumber), "phone": p.Phone}
			phone.Post("/api/member/bind-code", who, &struct{}{})
			who["code"] = phone.SMSCode(p.Phone)
			var me struct{ ID, Name string }
			phone.Post("/api/member/bind", who, &me)
			if me.ID != m["id"] || me.Name != c.stored {
				t.Errorf("bound to %+v", me)
			}
		}
		for typed, why := range map[string]string{"\u200b\u3164": "请填写姓名", "王\ue863": "自造字"} {
			p := NewPerson()
			Refused(t, a.Do("POST", Path("member"), MemberForm(p, orgID).With(Form{"name": typed})), http.StatusBadRequest, "name", why)
		}
		Refused(t, a.Do("GET", Path("member")+"?keyword=%00", nil), http.StatusBadRequest, "", "")
		Refused(t, a.Do("GET", Path("member")+"?f.name=%ff", nil), http.StatusBadRequest, "", "")
	})
}

// wide are the full-width forms of digits.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == 'X' {
			return r + 0xfee0
		}
		return r
	}, s)
}

func TestImportPreview(t *testing.T) {
	t.Run("PLUS-38 what will be stored is shown with good and bad rows first; a word is mapped once, a cell mended, a row skipped; cancelled, nothing is stored", func(t *testing.T) {
		a := AdminA(t)
		template := a.Do("GET", Path("member")+"/template", nil).Body
		row := func(change map[string]string) map[string]string {
			p := NewPerson()
			r := map[string]string{"姓名": p.Name, "身份证号": p.IDNumber, "手机号": p.Phone, "所在支部": Name("甲支部"), "党员类型": "正式", "入党日期": "2010年7月1日", "转正日期": "2011-07-01"}
			maps.Copy(r, change)
			return r
		}
		rows := []map[string]string{row(nil), row(map[string]string{"民族": "汉人"}), row(map[string]string{"民族": "汉人"}), row(map[string]string{"入党日期": "2010-02-30"}), row(map[string]string{"身份证号": "1"})}
		at := Path("member") + "/imports/"
		type batch struct {
			ID, State                               string
			Total, SuccessCount, FailureCount, Done int
		}
		start := func() (b batch) {
			t.Helper()
			a.Post(Path("member")+"/import?preview=true", &bfftest.Upload{Name: "党员.xlsx", Data: bfftest.Workbook(t, template, rows)}, &b)
			return b
		}
		wait := func(b batch, state string, good, bad int) batch {
			t.Helper()
			bfftest.Eventually(t, "the import is "+state, func() bool {
				a.Get(at+b.ID, &b)
				return b.State == state
			})
			if b.SuccessCount != good || b.FailureCount != bad {
				t.Fatalf("%+v, want %d good and %d bad", b, good, bad)
			}
			return b
		}
		before := a.List("member", "").Total
		b := wait(start(), "preview", 1, 4)
		var seen struct {
			Columns []struct {
				Key, Label string
				Options    []string
			}
			Groups []struct {
				Column, Label, Reason, Word string
				Count                       int
			}
			Rows []struct {
				RowNo  int
				Cells  []struct{ Text, Value, Reason string }
				Reason string
			}
			Total int
		}
		a.Get(at+b.ID+"/preview", &seen)
		if len(seen.Rows) != 5 || seen.Rows[0].Cells[8].Value != "正式党员" || seen.Rows[0].Cells[9].Value != "2010-07-01" || seen.Rows[0].Cells[1].Value == "" {
			t.Fatalf("%+v", seen.Rows)
		}
		if g := seen.Groups[0]; g.Word != "汉人" || g.Count != 2 || g.Label != "民族" || seen.Columns[3].Key != "ethnicity" || seen.Columns[3].Options[0] != "汉族" {
			t.Fatalf("%+v", seen.Groups)
		}
		if n := a.List("member", "").Total; n != before {
			t.Fatalf("%d members, were %d", n, before)
		}
		a.Post(at+b.ID+"/mend", Form{"words": []Form{{"column": "ethnicity", "word": "汉人", "text": "汉族"}}}, &b)
		b = wait(b, "preview", 3, 2)
		a.Post(at+b.ID+"/mend", Form{"cells": []Form{{"rowNo": 5, "column": "joinedOn", "text": "2010.2.28"}}, "skip": []int{6}}, &b)
		b = wait(b, "preview", 4, 0)
		if n := a.List("member", "").Total; n != before {
			t.Fatalf("%d members, were %d", n, before)
		}
		a.Post(at+b.ID+"/confirm", Form{}, &b)
		wait(b, "finished", 4, 0)
		l := a.List("member", "f.name="+url.QueryEscape(rows[1]["姓名"]))
		if l.Total != 1 || l.Items[0]["ethnicity"] != "汉族" || a.List("member", "").Total != before+4 {
			t.Fatalf("%+v", l.Items)
		}
		bfftest.Eventually(t, "the audit names each record that was imported", func() bool {
			e := a.List("audit", "f.recordName="+url.QueryEscape(rows[1]["姓名"])).Items
			return len(e) == 1 && strings.Contains(fmt.Sprint(e[0]["changes"]), "汉族") && !strings.Contains(fmt.Sprint(e[0]["changes"]), rows[1]["身份证号"])
		})
		Refused(t, a.Do("POST", at+b.ID+"/cancel", Form{}), http.StatusConflict, "", "已确认")

		rows = []map[string]string{row(nil)}
		b = wait(start(), "preview", 1, 0)
		a.Post(at+b.ID+"/cancel", Form{}, &b)
		Refused(t, a.Do("POST", at+b.ID+"/confirm", Form{}), http.StatusConflict, "", "已取消")
		if n := a.List("member", "").Total; b.State != "cancelled" || n != before+4 {
			t.Fatalf("%+v, %d members", b, n)
		}
	})
}
