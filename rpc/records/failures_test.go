package records_test

import (
	"bytes"
	"testing"

	"github.com/xuri/excelize/v2"

	gen "zhihuidangjian/idl/gen/records"
)

// TestFailureFile: what was not mended comes back as its sender had it, so that the file,
// imported as it is, is refused for the same reasons.
func TestFailureFile(t *testing.T) {
	l := open(t)
	ctx := admin(t, "root")
	f := excelize.NewFile()
	defer f.Close()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: new(true)}))
	ok(f.SetSheetName("Sheet1", "导入模板"))
	style := func(code string) int {
		t.Helper()
		id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
		ok(err)
		return id
	}
	day, wide := style(`yyyy"年"m"月"d"日"`), style("#,##0.000")
	for i, row := range [][]any{{"书名", "书架", "价格", "购入日期"}, {"=1", "党史", 1234.567, 2024.1}, {"论持久战", "无此架", "1.234", 44000}, {12.5, "党史", true, "2024-02-30"}} {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		ok(err)
		ok(f.SetSheetRow("导入模板", cell, &row))
	}
	ok(f.SetCellStyle("导入模板", "C2", "C2", wide))
	ok(f.SetCellStyle("导入模板", "D3", "D3", day))
	data, err := f.WriteToBuffer()
	ok(err)
	send := func(data []byte) (*gen.ImportBatch, []byte) {
		t.Helper()
		b, err := l.StartImport(ctx, &gen.ImportReq{Type: "book", FileName: "书.xlsx", Data: data})
		ok(err)
		b = l.await(t, ctx, b)
		file, err := l.ImportFailures(ctx, &gen.IDReq{Type: "book", Id: b.Id})
		ok(err)
		return b, file.Data
	}
	first, file := send(data.Bytes())
	if first.FailureCount != 3 {
		t.Fatalf("%+v", first)
	}
	x, err := excelize.OpenReader(bytes.NewReader(file))
	ok(err)
	defer x.Close()
	for cell, want := range map[string]struct {
		raw    string
		kind   excelize.CellType
		format string
	}{
		"C2": {"1234.567", excelize.CellTypeUnset, "#,##0.000"}, "D2": {"2024.1", excelize.CellTypeUnset, "General"},
		"D3": {"44000", excelize.CellTypeUnset, `yyyy"年"m"月"d"日"`}, "C3": {"1.234", excelize.CellTypeInlineString, "@"},
		"A4": {"12.5", excelize.CellTypeUnset, "General"}, "D4": {"2024-02-30", excelize.CellTypeInlineString, "@"}, "A2": {"'=1", excelize.CellTypeInlineString, "@"},
	} {
		raw, err := x.GetCellValue("导入模板", cell, excelize.Options{RawCellValue: true})
		ok(err)
		kind, err := x.GetCellType("导入模板", cell)
		ok(err)
		id, err := x.GetCellStyle("导入模板", cell)
		ok(err)
		s, err := x.GetStyle(id)
		ok(err)
		format := ""
		switch {
		case s.CustomNumFmt != nil:
			format = *s.CustomNumFmt
		case s.NumFmt == 49:
			format = "@"
		}
		if raw != want.raw || kind != want.kind || format != want.format {
			t.Errorf("%s is %q of kind %d with %q, want %+v", cell, raw, kind, format, want)
		}
	}
	again, _ := send(file)
	if again.FailureCount != 3 {
		t.Fatalf("%+v", again)
	}
	for i, f := range again.Failures {
		if f.Reason != first.Failures[i].Reason {
			t.Errorf("row %d: %s, then %s", f.RowNo, first.Failures[i].Reason, f.Reason)
		}
	}
}
