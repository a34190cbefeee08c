package workbook

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

const (
	head    = `<?xml version="1.0" encoding="UTF-8"?>`
	types   = head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`
	rels    = head + `<Relationships><Relationship Id="rId1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	bookXML = head + `<workbook xmlns:r="r"><workbookPr%s/><sheets><sheet name="导入模板" sheetId="1" r:id="rId1"/></sheets></workbook>`
	bookRel = head + `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://x/styles" Target="/xl/styles.xml"/></Relationships>`
	noStrings = `<sst/>`
	styles    = `<styleSheet><numFmts><numFmt numFmtId="176" formatCode="yyyy\.mm\.dd"/><numFmt numFmtId="177" formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;;@"/><numFmt numFmtId="178" formatCode="000000"/></numFmts>` +
		`<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="176"/><xf numFmtId="177"/><xf numFmtId="178"/><xf numFmtId="4"/><xf numFmtId="22"/><xf numFmtId="9"/></cellXfs></styleSheet>`
)

// archive makes a file of parts.
func archive(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parts(sheet string) map[string]string {
	return map[string]string{
		"[Content_Types].xml": types, "_rels/.rels": rels, "xl/workbook.xml": fmt.Sprintf(bookXML, ""), "xl/_rels/workbook.xml.rels": bookRel,
		"xl/sharedStrings.xml": noStrings, "xl/styles.xml": styles, "xl/worksheets/sheet1.xml": `<worksheet><sheetData>` + sheet + `</sheetData></worksheet>`,
	}
}

// read is all rows of the first sheet, each cell as column and text.
func read(data []byte) (rows []string, merged []Range, err error) {
	b, err := Open(data)
	if err != nil {
		return nil, nil, err
	}
	merged, err = b.Rows(b.Sheets[0], func(no int, cells []Cell) error {
		row := fmt.Sprint(no)
		for _, c := range cells {
			row += " " + ColumnName(c.Column) + "=" + c.Text
			if c.Formula {
				row += "(f)"
			}
		}
		rows = append(rows, row)
		return nil
	})
	return rows, merged, err
}

func TestRows(t *testing.T) {
	strings3 := `<sst><si><t>甲</t></si><si><r><t>乙</t></r><r><rPr/><t xml:space="preserve"> 丙</t></r><rPh><t>yi</t></rPh></si><si><t>a_x000D_b_x4e00_ _xyz_</t></si></sst>`
	for _, c := range []struct{ name, sheet, want string }{
		{"all kinds", `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>丁</t></is></c><c r="D1" t="b"><v>1</v></c><c r="E1" t="e"><v>#N/A</v></c><c r="F1" t="str"><v>x</v></c><c r="G1"><v>1.38E10</v></c></row>`, "1 A=甲 B=乙 丙 C=丁 D=TRUE E=#N/A F=x G=13800000000"},
		{"escaped characters", `<row><c t="s"><v>2</v></c></row>`, "1 A=a\rb一 _xyz_"},
		{"cells in any order", `<row r="2"><c r="F2"><f>1</f></c><c r="C2"/><c r="A2"><v>1</v></c></row>`, "2 A=1 F=(f)"},
		{"no references at all", `<row><c><v>1</v></c><c/><c><v>2</v></c></row><row><c><v>3</v></c></row>`, "1 A=1 C=2;2 A=3"},
		{"a styled row at the end", `<row r="3"><c><v>1</v></c></row><row r="1048576" ht="15"><c r="XFD1048576" s="1"/></row>`, "3 A=1"},
		{"a prefix before every name", `<x:row r="1"><x:c r="A1"><x:v>5</x:v></x:c></x:row>`, "1 A=5"},
		{"dates as they look", `<row><c s="1"><v>45474</v></c><c s="2"><v>45474</v></c><c s="3"><v>45474</v></c><c s="6"><v>45474.375</v></c></row>`, "1 A=2024/7/1 B=2024.07.01 C=2024年7月 D=2024/7/1 9:00"},
		{"numbers as they look", `<row><c s="4"><v>123</v></c><c s="5"><v>1234567.891</v></c><c s="7"><v>0.25</v></c><c><v>4200.5500000000002</v></c><c><v>990201197003120000</v></c></row>`, "1 A=000123 B=1,234,567.89 C=25% D=4200.55 E=9.9020119700312E+17"},
		{"no number", `<row><c><v>0x1p-2</v></c><c><v>NaN</v></c></row>`, "1 A=0x1p-2 B=NaN"},
	} {
		p := parts(c.sheet)
		p["xl/sharedStrings.xml"] = strings3
		rows, _, err := read(archive(t, p))
		if got := strings.Join(rows, ";"); err != nil || got != c.want {
			t.Errorf("%s: %q %v, want %q", c.name, got, err, c.want)
		}
	}
	p := parts(`<row><c><v>1</v></c></row>`)
	p["xl/worksheets/sheet1.xml"] = `<worksheet><sheetData/><mergeCells><mergeCell ref="G2:G4"/><mergeCell ref="nonsense"/></mergeCells></worksheet>`
	if _, merged, err := read(archive(t, p)); err != nil || len(merged) != 1 || merged[0] != (Range{2, 7, 4, 7}) {
		t.Errorf("%v %v", merged, err)
	}
}

func TestDates(t *testing.T) {
	for from1904, want := range map[bool]string{false: "2024-07-01", true: "2028-07-02"} {
		p := parts(`<row><c><v>45474</v></c></row>`)
		if from1904 {
			p["xl/workbook.xml"] = fmt.Sprintf(bookXML, ` date1904="1"`)
		}
		b, err := Open(archive(t, p))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Rows(b.Sheets[0], func(_ int, cells []Cell) error {
			if at, ok := cells[0].Time(); !ok || at.Format(time.DateOnly) != want || cells[0].Dated {
				t.Errorf("%v: %v", from1904, at)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefused: each with its reason, none with a panic.
func TestRefused(t *testing.T) {
	cell := func(s string) map[string]string { return parts("<row r=\"1\">" + s + "</row>") }
	with := func(p map[string]string, name, text string) map[string]string {
		p[name] = text
		return p
	}
	for name, c := range map[string]struct {
		parts map[string]string
		want  Refusal
	}{
		"a string that is not there":       {cell(`<c t="s"><v>0</v></c>`), ErrDamaged},
		"a negative string":                {cell(`<c t="s"><v>-1</v></c>`), ErrDamaged},
		"a style that is not there":        {cell(`<c s="99"><v>1</v></c>`), ErrDamaged},
		"a negative style":                 {cell(`<c s="-1"><v>1</v></c>`), ErrDamaged},
		"a reference of letters":           {cell(`<c r="AAAAAAAA1"><v>1</v></c>`), ErrDamaged},
		"a reference without a row":        {cell(`<c r="A"><v>1</v></c>`), ErrDamaged},
		"a cell in a cell":                 {cell(`<c><c/></c>`), ErrDamaged},
		"a cell without a row":             {parts(`<c><v>1</v></c>`), ErrDamaged},
		"a row in a row":                   {parts(`<row><row/></row>`), ErrDamaged},
		"rows upwards":                     {parts(`<row r="2"/><row r="1"/>`), ErrDamaged},
		"a row twice":                      {parts(`<row r="2"/><row r="2"/>`), ErrDamaged},
		"a row beyond the last":            {parts(`<row r="1048577"/>`), ErrDamaged},
		"a row that is no number":          {parts(`<row r="x"/>`), ErrDamaged},
		"an end before the end":            {with(parts(""), "xl/worksheets/sheet1.xml", `<worksheet><sheetData><row>`), ErrDamaged},
		"no XML":                           {with(parts(""), "xl/worksheets/sheet1.xml", `<<<`), ErrDamaged},
		"a DOCTYPE":                        {with(parts(""), "xl/worksheets/sheet1.xml", `<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>`), ErrNoWorkbook},
		"macros":                           {with(parts(""), "xl/vbaProject.bin", "x"), ErrMacros},
		"macros by their type":             {with(parts(""), "[Content_Types].xml", `<Types><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>`), ErrMacros},
		"no workbook":                      {map[string]string{"a.txt": "x"}, ErrNoWorkbook},
		"no sheet":                         {with(parts(""), "xl/workbook.xml", `<workbook/>`), ErrNoWorkbook},
		"a sheet that is not there":        {with(parts(""), "xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="worksheet" Target="../../../etc/passwd"/></Relationships>`), ErrNoWorkbook},
		"content beyond all columns":       {cell(`<c r="XFD1"><f>1</f></c>`), "第XFD列也有内容，列数过多，请把数据复制到下载的导入模板中再上传"},
		"a bomb in the sheet":              {with(parts(""), "xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+strings.Repeat("<x/>", 7_000_000)), ErrBomb},
		"a bomb of attributes":             {with(parts(""), "xl/worksheets/sheet1.xml", `<worksheet`+strings.Repeat(` a=""`, 1_000_000)+`>`), ErrBomb},
		"a bomb of one text":               {cell(`<c t="inlineStr"><is><t>` + strings.Repeat("一", 1_000_000) + `</t></is></c>`), ErrBomb},
		"more cells than a sheet may have": {cell(strings.Repeat(`<c r="A1"/>`, maxCells+1)), errCells},
		"four million shared strings":      {with(parts(""), "xl/sharedStrings.xml", "<sst>"+strings.Repeat("<si/>", 4_000_000)+"</sst>"), errStrings},
		"elements without end":             {with(parts(""), "xl/worksheets/sheet1.xml", strings.Repeat("<a>", 5_000_000)), ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			rows, _, err := read(archive(t, c.parts))
			var r Refusal
			if !errors.As(err, &r) || r != c.want {
				t.Errorf("%d rows, %v, want %v", len(rows), err, c.want)
			}
		})
	}
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("no workbook"), "too large": make([]byte, MaxFile+1)} {
		if _, err := Open(data); !errors.As(err, new(Refusal)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMemory: files that took gigabytes are read, or refused, in a few megabytes.
func TestMemory(t *testing.T) {
	var wide strings.Builder
	for n := 1; n <= 2000; n++ {
		fmt.Fprintf(&wide, `<row r="%d"><c r="XFD%d"><f>1</f></c></row>`, n, n)
	}
	strings4 := parts("")
	strings4["xl/sharedStrings.xml"] = "<sst>" + strings.Repeat("<si/>", 4_000_000) + "</sst>"
	var long strings.Builder
	for n := range 2000 {
		fmt.Fprintf(&long, `<row r="%d">%s</row>`, n*500+1, strings.Repeat(`<c t="s"><v>0</v></c>`, 100))
	}
	shared := parts(long.String())
	shared["xl/sharedStrings.xml"] = "<sst><si><t>" + strings.Repeat("长", 30_000) + "</t></si></sst>"
	for name, p := range map[string]map[string]string{
		"2,000 rows with a formula in XFD": parts(wide.String()), "four million shared strings": strings4,
		"one long string 200,000 times": shared, "elements without end": {"_rels/.rels": strings.Repeat("<a>", 7_000_000), "[Content_Types].xml": types},
	} {
		t.Run(name, func(t *testing.T) {
			data := archive(t, p)
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			peak := uint64(0)
			b, err := Open(data)
			if err == nil {
				_, err = b.Rows(b.Sheets[0], func(no int, _ []Cell) error {
					if no%5000 == 1 {
						runtime.ReadMemStats(&after)
						peak = max(peak, after.HeapAlloc)
					}
					return nil
				})
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			runtime.KeepAlive(b)
			if peak = max(peak, after.HeapAlloc); peak > before.HeapAlloc+64<<20 {
				t.Errorf("%d MB, were %d MB; %v", peak>>20, before.HeapAlloc>>20, err)
			}
		})
	}
}

// FuzzSerial: the calendar is excelize's, and its moments are right to the second.
func FuzzSerial(f *testing.F) {
	for _, n := range []float64{0, 1, 59, 60, 61, 45474, 45474.375, 44012.999999, 109575} {
		f.Add(n, false)
		f.Add(n, true)
	}
	f.Fuzz(func(t *testing.T, n float64, date1904 bool) {
		got, ok := serial(n, date1904)
		if !ok || n < 61 || n > 2_000_000 {
			return
		}
		want, err := excelize.ExcelDateToTime(n, date1904)
		if err != nil {
			t.Fatal(err)
		}
		if d := got.Sub(want); d > time.Second || d < -time.Second {
			t.Errorf("%v (1904: %v) is %v, want %v", n, date1904, got, want)
		}
	})
}

// FuzzSheet: whatever a sheet says, it is read or refused with a reason, its rows upwards
// and its cells in order.
func FuzzSheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`, `<sst><si><t>甲</t></si></sst>`, styles)
	f.Add(`<row r="2"><c r="F2"><f>1</f></c><c r="C2"/></row>`, noStrings, `<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`)
	f.Add(`<row><c s="1"><v>1e300</v></c></row><row/>`, `<sst><si><r><t>a</t></r><rPh><t>b</t></rPh></si></sst>`, `<numFmt numFmtId="1" formatCode="[h]:mm:ss.0;@&quot;"/><cellXfs><xf/><xf numFmtId="1"/></cellXfs>`)
	f.Fuzz(func(t *testing.T, sheet, shared, styles string) {
		p := parts(sheet)
		p["xl/sharedStrings.xml"], p["xl/styles.xml"] = shared, styles
		b, err := Open(archive(t, p))
		if err == nil {
			last := 0
			_, err = b.Rows(b.Sheets[0], func(no int, cells []Cell) error {
				if no <= last || len(cells) == 0 {
					t.Errorf("row %d after %d, %d cells", no, last, len(cells))
				}
				for i, c := range cells {
					if c.Column < 1 || c.Column > maxColumn || i > 0 && c.Column < cells[i-1].Column || len(c.Text) > maxText+2*len(cut)+16 {
						t.Errorf("cell %d is %+v", i, c)
					}
				}
				last = no
				return nil
			})
		}
		if err != nil && !errors.As(err, new(Refusal)) {
			t.Errorf("not a reason to tell: %v", err)
		}
	})
}

// FuzzOpen: whatever comes, a file is opened or refused with a reason.
func FuzzOpen(f *testing.F) {
	f.Add(archive(f, parts(`<row><c><v>1</v></c></row>`)))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, err := read(data); err != nil && !errors.As(err, new(Refusal)) {
			t.Errorf("not a reason to tell: %v", err)
		}
	})
}
