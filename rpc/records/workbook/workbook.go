// Package workbook reads the workbooks (.xlsx) that people upload: token by token, in memory
// that is bounded whatever the file says, and refuses with a sentence for the one who
// uploaded it.
//
// The limits count what memory and time follow (rows, cells, columns, shared strings, bytes
// unzipped, bytes of one token), not the bytes of the file: 12 kB can hold a million cells.
package workbook

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// The limits of a workbook.
const (
	MaxFile     = 10 << 20  // bytes as it comes
	maxParts    = 2000      // files in the archive
	maxDeclared = 100 << 20 // bytes of all parts, as the archive tells
	maxPart     = 24 << 20  // bytes of one part that is read, unzipped
	maxRead     = 60 << 20  // bytes of all that are read
	maxToken    = 512 << 10 // bytes of one tag or text
	maxCells    = 2_000_000 // of a sheet, blank ones too
	maxColumn   = 1000      // the last column that may hold something
	maxStrings  = 500_000   // shared ones
	maxStyles   = 65_000
	maxSheets   = 200
	maxMerged   = 20_000
	maxText     = 8000 // bytes of a cell's text that are kept
	lastRow     = 1 << 20
	lastColumn  = 1 << 14
)

// Refusal is why a workbook is refused, for the person who uploaded it.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// Why a file is refused as a whole.
const (
	ErrNoWorkbook = Refusal("文件不是有效的Excel（.xlsx）文件")
	ErrDamaged    = Refusal("文件内容有损坏，请用Excel打开后另存为新的.xlsx文件再上传")
	ErrBomb       = Refusal("文件解压后过大，请使用下载的导入模板")
	ErrMacros     = Refusal("文件含有宏，请另存为不含宏的Excel（.xlsx）文件")
	ErrTooLarge   = Refusal("文件不能超过10MB")
	errCells      = Refusal("工作表中的单元格过多，请把数据复制到下载的导入模板中再上传")
	errStrings    = Refusal("文件中的文字过多，请拆分后分别导入")
	errStyles     = Refusal("文件中的单元格格式过多，请把数据复制到下载的导入模板中再上传")
)

// Book is an open workbook. It holds its shared strings and styles; sheets are read when
// they are asked for.
type Book struct {
	// Sheets are those with cells, in order.
	Sheets []Sheet

	parts    map[string]*zip.File
	left     int64 // bytes that may yet be unzipped
	strings  []string
	formats  []*format // by style
	date1904 bool
}

// Sheet is one sheet of a book.
type Sheet struct {
	Name   string
	Hidden bool
	part   string
}

// Open looks into a workbook. Errors are Refusals.
func Open(data []byte) (*Book, error) {
	if len(data) > MaxFile {
		return nil, ErrTooLarge
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, ErrNoWorkbook
	}
	if len(z.File) > maxParts {
		return nil, ErrBomb
	}
	b := &Book{parts: make(map[string]*zip.File, len(z.File)), left: maxRead}
	var declared uint64
	for _, f := range z.File {
		if declared += f.UncompressedSize64; declared > maxDeclared || f.UncompressedSize64 > maxDeclared {
			return nil, ErrBomb
		}
		name := strings.ToLower(strings.TrimPrefix(f.Name, "/"))
		if strings.Contains(name, "vbaproject") || strings.Contains(name, "macrosheets/") {
			return nil, ErrMacros
		}
		if b.parts[name] == nil {
			b.parts[name] = f
		}
	}
	for _, read := range []func() error{b.readTypes, b.readBook} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readTypes refuses what calls itself a workbook with macros.
func (b *Book) readTypes() error {
	return b.walk("[Content_Types].xml", func(e *element) error {
		if strings.Contains(strings.ToLower(e.attr("ContentType")), "macroenabled") {
			return ErrMacros
		}
		return nil
	})
}

// relation is what a part refers to.
type relation struct{ kind, part string }

// relations of a part by id. A part without any has none.
func (b *Book) relations(of string) (map[string]relation, error) {
	dir, file := path.Split(of)
	out := map[string]relation{}
	name := dir + "_rels/" + file + ".rels"
	if b.parts[strings.ToLower(name)] == nil {
		return out, nil
	}
	err := b.walk(name, func(e *element) error {
		if e.name != "Relationship" || e.attr("TargetMode") == "External" || len(out) > maxParts {
			return nil
		}
		kind := e.attr("Type")
		target := strings.ReplaceAll(e.attr("Target"), `\`, "/")
		if !strings.HasPrefix(target, "/") {
			target = dir + target
		}
		out[e.attr("Id")] = relation{kind[strings.LastIndex(kind, "/")+1:], strings.TrimPrefix(path.Clean(target), "/")}
		return nil
	})
	return out, err
}

func (b *Book) readBook() error {
	part := "xl/workbook.xml"
	root, err := b.relations("")
	if err != nil {
		return err
	}
	for _, r := range root {
		if r.kind == "officeDocument" {
			part = r.part
		}
	}
	relations, err := b.relations(part)
	if err != nil {
		return err
	}
	err = b.walk(part, func(e *element) error {
		switch e.name {
		case "workbookPr":
			v := e.attr("date1904")
			b.date1904 = v == "1" || v == "true"
		case "sheet":
			r := relations[e.attr("id")]
			if r.kind == "worksheet" && len(b.Sheets) < maxSheets {
				state := e.attr("state")
				b.Sheets = append(b.Sheets, Sheet{Name: e.attr("name"), Hidden: state == "hidden" || state == "veryHidden", part: r.part})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(b.Sheets) == 0 {
		return ErrNoWorkbook
	}
	for _, r := range relations {
		switch r.kind {
		case "sharedStrings":
			err = b.readStrings(r.part)
		case "styles":
			err = b.readStyles(r.part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readStrings reads the texts that cells share.
func (b *Book) readStrings(part string) error {
	var t text
	return b.tokens(part, func(tok xml.Token) error {
		switch x := tok.(type) {
		case xml.StartElement:
			t.start(x.Name.Local)
			if x.Name.Local == "si" {
				t = text{inside: true}
			}
		case xml.CharData:
			t.add(x)
		case xml.EndElement:
			t.end(x.Name.Local)
			if x.Name.Local == "si" {
				if len(b.strings) == maxStrings {
					return errStrings
				}
				b.strings = append(b.strings, t.String())
				t = text{}
			}
		}
		return nil
	})
}

// text gathers the <t> of a shared or inline string; how it is read aloud (<rPh>) is none.
type text struct {
	buf          []byte
	inside, open bool
	aloud        int
	long         bool
}

func (t *text) start(name string) {
	switch name {
	case "rPh":
		t.aloud++
	case "t":
		t.open = t.inside && t.aloud == 0
	}
}

func (t *text) end(name string) {
	switch name {
	case "rPh":
		t.aloud--
	case "t":
		t.open = false
	}
}

func (t *text) add(b []byte) {
	if t.open {
		t.buf, t.long = keep(t.buf, b, t.long)
	}
}

// keep adds to a text up to what is kept of one, whole characters only.
func keep(buf, b []byte, long bool) ([]byte, bool) {
	if room := maxText - len(buf); len(b) > room {
		for room > 0 && b[room]&0xC0 == 0x80 {
			room--
		}
		return append(buf, b[:room]...), true
	}
	return append(buf, b...), long
}

// String is the text; one that is too long ends in the mark by which Cell.Long knows it.
func (t *text) String() string {
	s := unescape(string(t.buf))
	if t.long {
		s += cut
	}
	return s
}

// cut ends a text of which only the beginning is kept.
const cut = "…（内容过长）"

// unescape undoes what Excel does to characters that XML cannot hold: _x000D_.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var out strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			break
		}
		n, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil || s[i+6] != '_' {
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		out.WriteString(s[:i])
		out.WriteRune(rune(n))
		s = s[i+7:]
	}
	return out.String() + s
}

// element is the start of an element.
type element struct {
	name  string
	attrs []xml.Attr
}

// attr is an attribute whatever its name space: files differ in theirs.
func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// walk calls each for the elements of a part.
func (b *Book) walk(part string, each func(*element) error) error {
	return b.tokens(part, func(tok xml.Token) error {
		if s, ok := tok.(xml.StartElement); ok {
			return each(&element{s.Name.Local, s.Attr})
		}
		return nil
	})
}

// stop ends the reading of a part before its end.
var stop = errors.New("stop")

// tokens reads a part of the archive. Raw tokens: the decoder's own stack of open elements
// would grow with the file.
func (b *Book) tokens(part string, each func(xml.Token) error) (err error) {
	f := b.parts[strings.ToLower(part)]
	if f == nil {
		return ErrNoWorkbook
	}
	r, err := f.Open()
	if err != nil {
		return ErrNoWorkbook
	}
	defer r.Close()
	src := newSource(r, &b.left)
	d := xml.NewDecoder(src)
	depth := 0
	for {
		src.token = maxToken
		tok, err := d.RawToken()
		switch {
		case src.over:
			return ErrBomb
		case errors.Is(err, io.EOF) && depth == 0:
			return nil
		case err != nil:
			return ErrDamaged
		}
		switch tok.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive: // a DOCTYPE, whose entities could grow; no workbook has any
			return ErrNoWorkbook
		}
		if err := each(tok); err != nil {
			return err
		}
	}
}

// Rows hands on the rows of a sheet that hold something, from the top, and answers the
// merged ranges. The cells are in order and valid until each returns.
func (b *Book) Rows(s Sheet, each func(no int, cells []Cell) error) ([]Range, error) {
	r := sheetReader{b: b, each: each}
	err := b.tokens(s.part, r.token)
	if errors.Is(err, ErrDone) {
		err = nil
	}
	return r.merged, err
}

// ErrDone ends the reading of rows without an error.
var ErrDone = stop

// Range is a rectangle of cells, rows and columns from 1.
type Range struct{ Top, Left, Bottom, Right int }

// parseRange reads "A1:B2".
func parseRange(ref string) (r Range, ok bool) {
	from, to, _ := strings.Cut(ref, ":")
	if to == "" {
		to = from
	}
	r.Left, r.Top, ok = parseRef(from)
	if ok {
		r.Right, r.Bottom, ok = parseRef(to)
	}
	return r, ok && r.Left <= r.Right && r.Top <= r.Bottom
}

// parseRef reads "B7"; column and row count from 1.
func parseRef(ref string) (column, row int, ok bool) {
	i := 0
	for ; i < len(ref) && ref[i]|0x20 >= 'a' && ref[i]|0x20 <= 'z'; i++ {
		if column = column*26 + int(ref[i]|0x20-'a') + 1; column > lastColumn {
			return 0, 0, false
		}
	}
	row, err := strconv.Atoi(ref[i:])
	return column, row, err == nil && column > 0 && row > 0 && row <= lastRow
}

// ColumnName is the letters of a column, from 1.
func ColumnName(n int) string {
	name := ""
	for ; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}

func errColumns(column int) error {
	return Refusal(fmt.Sprintf("第%s列也有内容，列数过多，请把数据复制到下载的导入模板中再上传", ColumnName(column)))
}
