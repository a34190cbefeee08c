package records

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// The limits of an uploaded workbook.
const (
	maxFile     = 10 << 20  // as it comes
	maxUnzipped = 100 << 20 // all of it
	maxParts    = 2000      // files in the archive
	maxRows     = 10000
	maxCell     = 2000 // characters
)

// importRow is one row of an upload.
type importRow struct {
	No      int               // in the sheet, from 1
	Values  []string          // by template column
	Cells   map[string]string // column key → text
	Formula bool
}

// errTooLong and friends refuse a file as a whole.
var (
	errNoWorkbook = refusal("文件不是有效的Excel（.xlsx）文件")
	errBomb       = refusal("文件解压后过大，请使用下载的导入模板")
	errMacros     = refusal("文件含有宏，请另存为不含宏的Excel（.xlsx）文件")
	errTooMany    = refusal(fmt.Sprintf("一次最多导入%d行，请拆分后分别导入", maxRows))
)

var formulaTag = regexp.MustCompile(`<(?:\w+:)?f[\s/>]`)

// readUpload reads a whole workbook in bounded memory. A refusal says why the file is
// refused as a whole; note names the columns that were ignored.
func readUpload(data []byte, cols []*Field) (rows []importRow, note string, err error) {
	formulas, err := inspect(data)
	if err != nil {
		return nil, "", err
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped,
	})
	if err != nil {
		return nil, "", errNoWorkbook
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sheet := sheetData
	if i, err := f.GetSheetIndex(sheetData); err != nil || i < 0 {
		// A workbook of another system may name its only sheet as it likes.
		if sheet = f.GetSheetName(0); sheet == "" {
			return nil, "", errNoWorkbook
		}
	}
	it, err := f.Rows(sheet)
	if err != nil {
		return nil, "", errNoWorkbook
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !it.Next() {
		return nil, "", refusal("文件为空，请使用下载的导入模板")
	}
	head, err := it.Columns()
	if err != nil {
		return nil, "", errNoWorkbook
	}
	at, note, err := header(head, cols)
	if err != nil {
		return nil, "", err
	}
	seen := 1
	for it.Next() {
		no := seen + 1
		seen = no
		cells, err := it.Columns()
		if err != nil {
			return nil, "", errNoWorkbook
		}
		r := importRow{No: no, Values: make([]string, len(cols)), Cells: make(map[string]string, len(cols))}
		blank := true
		for i, c := range cols {
			if at[i] < len(cells) {
				s := strings.TrimSpace(cells[at[i]])
				if len(s) > maxCell*4 {
					s = s[:maxCell*4]
				}
				r.Values[i], r.Cells[c.Key] = s, s
				blank = blank && s == ""
			}
		}
		if formulas {
			for _, x := range at {
				name, err := excelize.CoordinatesToCellName(x+1, no)
				if err != nil {
					return nil, "", err
				}
				if s, err := f.GetCellFormula(sheet, name); err == nil && s != "" {
					r.Formula, blank = true, false
				}
			}
		}
		if blank {
			if seen > 10*maxRows {
				return nil, "", errTooMany
			}
			continue
		}
		if len(rows) == maxRows {
			return nil, "", errTooMany
		}
		rows = append(rows, r)
	}
	if err := it.Error(); err != nil {
		return nil, "", errNoWorkbook
	}
	if len(rows) == 0 {
		return nil, "", refusal("文件中没有要导入的数据")
	}
	return rows, note, nil
}

// inspect looks into the archive before anything unpacks it, refuses macros, and reports
// whether any sheet, wherever it lies, holds a formula.
func inspect(data []byte) (formulas bool, err error) {
	if len(data) > maxFile {
		return false, refusal("文件不能超过10MB")
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return false, errNoWorkbook
	}
	if len(z.File) > maxParts {
		return false, errBomb
	}
	var total uint64
	for _, p := range z.File {
		if total += p.UncompressedSize64; total > maxUnzipped || p.UncompressedSize64 > maxUnzipped {
			return false, errBomb
		}
	}
	left := int64(maxUnzipped)
	for _, p := range z.File {
		name := strings.ToLower(p.Name)
		if strings.Contains(name, "vbaproject") || strings.Contains(name, "macrosheets/") {
			return false, errMacros
		}
		if !strings.HasSuffix(name, ".xml") {
			continue
		}
		r, err := p.Open()
		if err != nil {
			return false, errNoWorkbook
		}
		b, err := io.ReadAll(io.LimitReader(r, left+1)) // headers may lie
		if err = errors.Join(err, r.Close()); err != nil {
			return false, errNoWorkbook
		}
		if left -= int64(len(b)); left < 0 {
			return false, errBomb
		}
		if bytes.Contains(b, []byte("<!DOCTYPE")) { // entities; no workbook has any
			return false, errNoWorkbook
		}
		if name == "[content_types].xml" && bytes.Contains(bytes.ToLower(b), []byte("macroenabled")) {
			return false, errMacros
		}
		formulas = formulas || bytes.Contains(b, []byte("f")) && formulaTag.Match(b)
	}
	return formulas, nil
}

// header finds the template's columns in the first row of the file.
func header(head []string, cols []*Field) (at []int, note string, err error) {
	names := make([]string, len(head))
	for i, h := range head {
		names[i] = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
	}
	var missing, ignored []string
	for _, c := range cols {
		i := slices.Index(names, c.Label)
		if i < 0 {
			missing = append(missing, c.Label)
		}
		at = append(at, i)
	}
	if len(missing) > 0 {
		return nil, "", refuse("表头与导入模板不一致，缺少：%s", strings.Join(missing, "、"))
	}
	for i, n := range names {
		if n != "" && n != reasonColumn && !slices.Contains(at, i) && len(ignored) < 20 {
			ignored = append(ignored, clip(n))
		}
	}
	if len(ignored) > 0 {
		note = "已忽略模板以外的列：" + strings.Join(ignored, "、")
	}
	return at, note, nil
}
