package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"slices"
	"testing"

	"zhihuidangjian/rpc/records/field"
	"zhihuidangjian/rpc/records/workbook"
)

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+86": "'+86", "-": "'-", "@x": "'@x", "张三": "张三", "": ""} {
		if got := Harmless(in); got != want {
			t.Errorf("Harmless(%q) = %q", in, got)
		}
	}
}

func TestHeads(t *testing.T) {
	cols := []*field.Field{{Key: "a", Label: "姓名", Required: true}, {Key: "b", Label: "身份证号", Required: true}, {Key: "c", Label: "备注"}}
	heads := func(rows ...[]string) *list {
		l := &list{cols: cols}
		for no, row := range rows {
			var cells []workbook.Cell
			for i, s := range row {
				if s != "" {
					cells = append(cells, workbook.Cell{Column: i + 1, Kind: workbook.Text, Text: s})
				}
			}
			if err := l.row(no+1, cells); err != nil {
				t.Fatal(err)
			}
		}
		return l
	}
	l := heads([]string{"党员花名册"}, []string{"序号", "* 姓 名", "", "身份证号（必填）", "\ufeff备注 ", ReasonColumn}, []string{"1", "王芳", "", "x"}, []string{"2"})
	if l.head != 2 || len(l.rows) != 1 || l.rows[0].No != 3 || l.rows[0].Cells[0].Text != "王芳" || l.note != "已忽略模板以外的列：序号" {
		t.Errorf("%+v", l)
	}
	if l = heads([]string{"姓名", "身份证号"}); l.head != 1 || l.note != "没有以下列，按未填写处理：备注" {
		t.Errorf("%+v", l)
	}
	if l = heads([]string{"姓名", "备注"}); l.head != 0 || !slices.Equal(l.missing, []string{"身份证号"}) {
		t.Errorf("%+v", l)
	}
}

// FuzzUpload: whatever comes, an upload is read or refused with a reason.
func FuzzUpload(f *testing.F) {
	var whole bytes.Buffer
	z := zip.NewWriter(&whole)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write([]byte(`<worksheet><sheetData><row r="1"><c r="A1"><f>1</f></c></row></sheetData></worksheet>`)); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte("PK\x03\x04"))
	cols := []*field.Field{{Key: "a", Label: "甲"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, err := Read(data, cols)
		var r field.Refusal
		if err != nil && !errors.As(err, &r) {
			t.Errorf("not a reason to tell: %v", err)
		}
	})
}
