package records

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/files"
	"zhihuidangjian/rpc/records/sheet"
)

// The sheets of a template beside that of the data.
const (
	sheetHelp    = "说明文档"
	sheetOptions = "选项"
	// exportLimit bounds an export; larger lists are narrowed by filters.
	exportLimit = 50000
)

func (t *recordType) columns() []*Field {
	out := make([]*Field, len(t.Columns))
	for i, k := range t.Columns {
		out[i] = t.byKey[k]
	}
	return out
}

func (t *recordType) template(ctx context.Context) ([]byte, error) {
	return templateOf(ctx, t.engine, t.columns(), nil, false)
}

// templateOf is the import template, with the failed rows of an import when given: texts, and
// sheet.Figures with their formats.
func templateOf(ctx context.Context, e *Engine, cols []*Field, failed [][]any, date1904 bool) (_ []byte, err error) {
	f := excelize.NewFile()
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if err := f.SetSheetName("Sheet1", sheet.DataSheet); err != nil {
		return nil, err
	}
	if date1904 {
		if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &date1904}); err != nil {
			return nil, err
		}
	}
	for _, s := range []string{sheetHelp, sheetOptions} {
		if _, err := f.NewSheet(s); err != nil {
			return nil, err
		}
	}
	text, err := f.NewStyle(&excelize.Style{NumFmt: 49}) // @: phones and IDs stay text
	if err != nil {
		return nil, err
	}
	head, err := f.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	help := [][]any{{"列名", "是否必填", "填写说明"}}
	var lists [][]string
	var drops []*excelize.DataValidation
	for i, c := range cols {
		options := make([]string, 0, len(c.Options))
		for _, o := range c.Options {
			options = append(options, o.Label)
		}
		if r := e.ref(c); c.Ref != "" && r.Options != nil {
			if options, err = r.Options(ctx); err != nil {
				return nil, err
			}
		}
		if c.Type == "bool" {
			options = []string{"是", "否"}
		}
		must := "否"
		if c.Required {
			must = "是"
		}
		help = append(help, []any{c.Label, must, explain(c, options)})
		if len(options) == 0 || c.Type == "enums" || c.Type == "refs" {
			continue
		}
		lists = append(lists, options)
		col, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return nil, err
		}
		from, err := excelize.ColumnNumberToName(len(lists))
		if err != nil {
			return nil, err
		}
		// Lists live on a hidden sheet: Excel allows 255 characters in a list of its own.
		v := excelize.NewDataValidation(true)
		v.SetSqref(fmt.Sprintf("%s2:%s%d", col, col, sheet.MaxRows+1))
		v.SetSqrefDropList(fmt.Sprintf("'%s'!$%s$1:$%s$%d", sheetOptions, from, from, len(options)))
		drops = append(drops, v)
	}
	header := make([]any, 0, len(cols)+1)
	for _, c := range cols {
		header = append(header, excelize.Cell{Value: c.Label, StyleID: head})
	}
	if failed != nil {
		header = append(header, excelize.Cell{Value: sheet.ReasonColumn, StyleID: head})
	}
	styles := map[string]int{}
	for _, row := range failed {
		for i, v := range row {
			n, ok := v.(sheet.Figure)
			if !ok {
				row[i] = excelize.Cell{Value: v, StyleID: text}
				continue
			}
			style, known := styles[n.Format]
			if !known {
				if style, err = f.NewStyle(&excelize.Style{CustomNumFmt: new(cmp.Or(n.Format, "General"))}); err != nil {
					style = text // a code that only its own program knows: the number stays
				}
				styles[n.Format] = style
			}
			row[i] = excelize.Cell{Value: n.Value, StyleID: style}
		}
	}
	// Before the stream writer, which takes them along.
	for _, v := range drops {
		if err := f.AddDataValidation(sheet.DataSheet, v); err != nil {
			return nil, err
		}
	}
	w, err := f.NewStreamWriter(sheet.DataSheet)
	if err != nil {
		return nil, err
	}
	if err := w.SetColWidth(1, max(len(cols), 1), 20); err != nil {
		return nil, err
	}
	for i := range cols {
		if err := w.SetColStyle(i+1, i+1, text); err != nil {
			return nil, err
		}
	}
	if err := writeRows(w, append([][]any{header}, failed...)); err != nil {
		return nil, err
	}
	for i, list := range lists {
		cell, err := excelize.CoordinatesToCellName(i+1, 1)
		if err != nil {
			return nil, err
		}
		if err := f.SetSheetCol(sheetOptions, cell, &list); err != nil {
			return nil, err
		}
	}
	if err := f.SetSheetVisible(sheetOptions, false); err != nil {
		return nil, err
	}
	if err := f.SetColWidth(sheetHelp, "A", "B", 16); err != nil {
		return nil, err
	}
	if err := f.SetColWidth(sheetHelp, "C", "C", 80); err != nil {
		return nil, err
	}
	for i, row := range help {
		if err := f.SetSheetRow(sheetHelp, fmt.Sprintf("A%d", i+1), &row); err != nil {
			return nil, err
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// explain says in the 说明文档 what a column means.
func explain(f *Field, options []string) string {
	var parts []string
	if f.Help != "" {
		parts = append(parts, f.Help)
	}
	switch f.Type {
	case "date":
		parts = append(parts, "日期，如2024-07-01")
	case "month":
		parts = append(parts, "年月，如2024-07")
	case "datetime":
		parts = append(parts, "时间，如2024-07-01 09:00")
	case "money":
		parts = append(parts, "金额（元），最多两位小数")
	case "phone":
		parts = append(parts, "11位手机号或固定电话")
	case "idNumber":
		parts = append(parts, "18位身份证号码，校验位须正确")
	case "int":
		parts = append(parts, "整数")
	case "enums":
		parts = append(parts, "可填多项，用“、”隔开")
	}
	if n := len(options); n > 0 {
		if n > 60 {
			options = append(slices.Clone(options[:60]), "等，见下拉列表")
		}
		parts = append(parts, "可填："+strings.Join(options, "、"))
	}
	if (f.Type == "string" || f.Type == "text") && f.Ref == "" && f.Max > 0 {
		parts = append(parts, fmt.Sprintf("最多%d个字", f.Max))
	}
	return strings.Join(parts, "；")
}

func writeRows(w *excelize.StreamWriter, rows [][]any) error {
	for i, r := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := w.SetRow(cell, r); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (t *recordType) export(ctx context.Context, q query) ([]byte, error) {
	if err := t.can(ctx, "export"); err != nil {
		return nil, err
	}
	if t.NoExport {
		return nil, kit.ErrForbidden
	}
	fields, err := t.exported(q.Columns)
	if err != nil {
		return nil, err
	}
	scope, _, err := t.readScope(ctx, q.OrgId)
	if err != nil {
		return nil, err
	}
	filter, err := t.filter(ctx, q)
	if err != nil {
		return nil, err
	}
	reveal := t.reveals() && kit.CallerOf(ctx).Can(t.Name+".reveal")
	labels, keep := make([]string, len(fields)), make(map[string]bool, len(fields))
	for i, f := range fields {
		labels[i], keep[f.Key] = f.Label, true
	}
	n := 0
	data, err := t.engine.Sheet(ctx, t.Title, labels, func(put func(rows [][]any) error) error {
		var docs []model.Document
		flush := func() error {
			rows, err := t.rows(ctx, docs, keep)
			if err != nil {
				return err
			}
			cells := make([][]any, len(rows))
			for i, r := range rows {
				if reveal {
					if err := t.reveal(ctx, docs[i], r); err != nil {
						return err
					}
				}
				cells[i] = make([]any, len(fields))
				for j, f := range fields {
					cells[i][j] = cellOf(f, r)
				}
			}
			docs = docs[:0]
			return put(cells)
		}
		err := t.Collection.Each(ctx, scope, filter, model.Page{Sort: t.sort(ctx, q.Sort)}, func(d model.Document) error {
			if n++; n > exportLimit {
				return kit.Invalid("export.too_many", "一次最多导出%d条，请缩小筛选范围", exportLimit)
			}
			if docs = append(docs, d); len(docs) == 200 {
				return flush()
			}
			return nil
		})
		if err != nil {
			return err
		}
		return flush()
	})
	if err != nil {
		return nil, err
	}
	note, err := t.described(ctx, q, fields, n, reveal)
	if err != nil {
		return nil, err
	}
	if err := t.engine.Shown(ctx, model.AuditExport, t.Name, "导出", nil, note); err != nil {
		return nil, err
	}
	return data, nil
}

// watermark says on every printed page, and in the file's properties, whose export it is.
func watermark(ctx context.Context, now time.Time) string {
	c := kit.CallerOf(ctx)
	who := c.Name
	if who == "" {
		who = string(c.Kind)
	}
	return fmt.Sprintf("%s 于 %s 导出，仅限内部使用", who, now.In(kit.Shanghai).Format("2006-01-02 15:04"))
}

// exported are the chosen fields in the chosen order, or all.
func (t *recordType) exported(columns []string) ([]*Field, error) {
	var fields []*Field
	if len(columns) == 0 {
		columns = t.Exports
	}
	for _, k := range columns {
		f := t.byKey[k]
		if f == nil || !f.List && !f.Form && !slices.Contains(t.Exports, k) {
			return nil, kit.Invalid("export.column", "不支持的导出字段")
		}
		fields = append(fields, f)
	}
	if len(columns) > 0 {
		return fields, nil
	}
	for _, f := range t.fields {
		if f.List || f.Form {
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// Sheet streams a workbook with one sheet of texts, its header in row 1 and whose export it
// is on every page, in the caller's turn. The rows are read beside the writing: both take
// about as long.
func (e *Engine) Sheet(ctx context.Context, title string, labels []string, each func(put func(rows [][]any) error) error) (_ []byte, err error) {
	leave, err := exporting.sit(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	by := watermark(ctx, e.clock.Now())
	f := excelize.NewFile()
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if err := f.SetSheetName("Sheet1", title); err != nil {
		return nil, err
	}
	// & begins a code in headers and footers.
	foot := "&C" + strings.ReplaceAll(by, "&", "&&")
	if err := f.SetHeaderFooter(title, &excelize.HeaderFooterOptions{OddHeader: foot, OddFooter: foot}); err != nil {
		return nil, err
	}
	if err := f.SetDocProps(&excelize.DocProperties{Title: title, Description: by}); err != nil {
		return nil, err
	}
	text, err := f.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return nil, err
	}
	head, err := f.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	w, err := f.NewStreamWriter(title)
	if err != nil {
		return nil, err
	}
	if err := w.SetColWidth(1, max(len(labels), 1), 18); err != nil {
		return nil, err
	}
	header := make([]any, len(labels))
	for i, l := range labels {
		header[i] = excelize.Cell{Value: l, StyleID: head}
	}
	if err := w.SetRow("A1", header); err != nil {
		return nil, err
	}
	batches := make(chan [][]any, 1)
	var writing kit.Group
	writing.Go("write sheet", func() error { return writeBatches(w, text, batches) })
	err = func() error {
		defer close(batches)
		return each(func(rows [][]any) error { batches <- rows; return nil })
	}()
	if werr := writing.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writeBatches writes rows from the second on until there are no more; after a failure it
// takes them all the same, so that whoever reads them comes to an end.
func writeBatches(w *excelize.StreamWriter, style int, batches <-chan [][]any) error {
	n := 1
	write := func(rows [][]any) error {
		for _, row := range rows {
			n++
			for i, v := range row {
				row[i] = excelize.Cell{Value: v, StyleID: style}
			}
			if err := w.SetRow("A"+strconv.Itoa(n), row); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	for rows := range batches {
		if err == nil {
			err = kit.Guard("write sheet", func() error { return write(rows) })
		}
	}
	return err
}

// Workbook is a sheet as a file to save, called so.
func Workbook(name string, data []byte) *gen.File {
	return &gen.File{Name: name + ".xlsx", ContentType: files.XLSX, Data: data}
}
