// Package sheet is how people's workbooks become rows, and what keeps the rows that they get from
// being harmful. It knows no record type and no caller.
package sheet

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"zhihuidangjian/rpc/records/field"

	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records/workbook"
)

// The sheet of a template that holds the data, and the column that the failure file adds. Uploads
// ignore that column, so that the corrected failure file imports as it is.
const (
	DataSheet    = "导入模板"
	ReasonColumn = "失败原因"
)

// The limits of an uploaded workbook, beside those of package workbook.
const (
	MaxFile   = workbook.MaxFile
	MaxRows   = 10000
	maxFilled = 200_000 // cells that merged ones stand for
	headDepth = 20      // rows with something in them, within which the heads are looked for
)

// Row is one row of an upload.
type Row struct {
	No    int             // in the sheet, from 1
	Cells []workbook.Cell // by template column
}

// Values are the cells as they look in Excel.
func (r *Row) Values() []string {
	out := make([]string, len(r.Cells))
	for i, c := range r.Cells {
		out[i] = c.Text
	}
	return out
}

// Figure is a number of an upload with the code of its format, "" for General.
type Figure struct {
	Value  float64 `json:"value"`
	Format string  `json:"format,omitempty"`
}

// Figures are the cells of a row that hold numbers, by template column, and how their book
// counts days.
type Figures struct {
	At       map[int]Figure `json:"at,omitempty"`
	Date1904 bool           `json:"date1904,omitempty"`
}

func (r *Row) Figures() Figures {
	out := Figures{At: map[int]Figure{}}
	for i, c := range r.Cells {
		if c.Kind == workbook.Number {
			out.At[i], out.Date1904 = Figure{c.Number, c.Format}, c.Date1904
		}
	}
	return out
}

var errTooMany = field.Refusal(fmt.Sprintf("一次最多导入%d行，请拆分后分别导入", MaxRows))

// Read reads a workbook in bounded memory. A field.Refusal says why the file is refused as
// a whole; note names the columns that were ignored and those that are missing.
//
// The list is in the sheet 导入模板, or in a workbook of another origin in the first sheet
// that has the heads.
func Read(data []byte, cols []*field.Field) (rows []Row, note string, err error) {
	defer func() {
		if whole, ok := errors.AsType[workbook.Refusal](err); ok {
			err = field.Refusal(whole)
		}
	}()
	b, err := workbook.Open(data)
	if err != nil {
		return nil, "", err
	}
	sheets := slices.DeleteFunc(slices.Clone(b.Sheets), func(s workbook.Sheet) bool { return s.Name != DataSheet })
	if len(sheets) == 0 {
		sheets = slices.DeleteFunc(b.Sheets, func(s workbook.Sheet) bool { return s.Hidden })
	}
	var nearest *list
	for _, s := range sheets {
		l := &list{cols: cols}
		merged, err := b.Rows(s, l.row)
		if err != nil {
			return nil, "", err
		}
		if l.head == 0 {
			if nearest == nil || l.found > nearest.found {
				nearest = l
			}
			continue
		}
		l.unmerge(merged)
		if len(l.rows) == 0 {
			return nil, "", field.Refusal("文件中没有要导入的数据")
		}
		return l.rows, l.note, nil
	}
	if nearest == nil || nearest.seen == 0 {
		return nil, "", field.Refusal("文件为空，请使用下载的导入模板")
	}
	return nil, "", field.Refuse("表头与导入模板不一致，缺少：%s", strings.Join(nearest.missing, "、"))
}

// list gathers the rows below the heads of a sheet.
type list struct {
	cols    []*field.Field
	head    int         // the row of the heads, once they are found
	at      map[int]int // column of the sheet → of the template
	note    string
	rows    []Row
	seen    int
	found   int      // the most heads that a row had
	missing []string // the others
}

func (l *list) row(no int, cells []workbook.Cell) error {
	if l.head == 0 {
		l.seen++
		if l.heads(no, cells); l.head == 0 && l.seen == headDepth {
			return workbook.ErrDone
		}
		return nil
	}
	var r Row
	for _, c := range cells {
		i, ok := l.at[c.Column]
		if !ok || c.Kind == workbook.Text && normal.Text(c.Text) == "" && !c.Formula {
			continue
		}
		if r.Cells == nil {
			r = Row{No: no, Cells: make([]workbook.Cell, len(l.cols))}
		}
		r.Cells[i] = c
	}
	if r.Cells == nil {
		return nil
	}
	if len(l.rows) == MaxRows {
		return errTooMany
	}
	l.rows = append(l.rows, r)
	return nil
}

var (
	headMarks = strings.NewReplacer(" ", "", "*", "", "＊", "", "★", "", ":", "", "：", "")
	headNotes = regexp.MustCompile(`[（(](?:必填|选填|必填项|可不填)[）)]$`)
)

// headText is what a head says, without what people put around it: * 姓 名（必填）.
func headText(text string) string {
	return headNotes.ReplaceAllString(headMarks.Replace(strings.ReplaceAll(normal.Name(text), "\n", "")), "")
}

// heads takes a row for that of the heads when it has all columns that must be filled in.
func (l *list) heads(no int, cells []workbook.Cell) {
	at := make(map[int]int, len(l.cols))
	var missing, optional, ignored []string
	heads := make([]string, len(cells))
	for i, c := range cells {
		heads[i] = headText(c.Text)
	}
	must := false
	for i, f := range l.cols {
		if j := slices.Index(heads, headText(f.Label)); j >= 0 {
			at[cells[j].Column] = i
			continue
		}
		if missing = append(missing, f.Label); !f.Required {
			optional = append(optional, f.Label)
		}
	}
	for _, f := range l.cols {
		must = must || f.Required
	}
	if len(at) > l.found || l.missing == nil {
		l.found, l.missing = len(at), missing
	}
	if len(at) == 0 || len(missing) > len(optional) || !must && len(missing) > 0 {
		return
	}
	for i, c := range cells {
		if _, ok := at[c.Column]; !ok && heads[i] != "" && heads[i] != ReasonColumn && len(ignored) < 20 {
			ignored = append(ignored, field.Clip(heads[i]))
		}
	}
	var notes []string
	if len(ignored) > 0 {
		notes = append(notes, "已忽略模板以外的列："+strings.Join(ignored, "、"))
	}
	if len(optional) > 0 {
		notes = append(notes, "没有以下列，按未填写处理："+strings.Join(optional, "、"))
	}
	l.head, l.at, l.note = no, at, strings.Join(notes, "；")
}

// unmerge gives the rows that a cell spans its value: 甲支部 beside three names.
func (l *list) unmerge(merged []workbook.Range) {
	filled := 0
	for _, m := range merged {
		column, ok := l.at[m.Left]
		if !ok || m.Top <= l.head || m.Bottom == m.Top {
			continue
		}
		first, ok := slices.BinarySearchFunc(l.rows, m.Top, func(r Row, no int) int { return r.No - no })
		if !ok {
			continue
		}
		for i := first + 1; i < len(l.rows) && l.rows[i].No <= m.Bottom && filled < maxFilled; i++ {
			filled++
			if c := &l.rows[i].Cells[column]; c.Kind == workbook.Blank {
				*c = l.rows[first].Cells[column]
			}
		}
	}
}
