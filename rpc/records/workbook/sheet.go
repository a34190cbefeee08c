package workbook

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what a cell holds.
type Kind uint8

// The kinds of cells.
const (
	Blank Kind = iota
	Text
	Number
	Bool
	Error // #N/A and its like
)

// Cell is one cell of a row.
type Cell struct {
	Column  int // from 1
	Kind    Kind
	Text    string // as it looks in Excel
	Number  float64
	Formula bool
	// Dated: the number format shows the number as a date or a time; Day: with its day, and
	// not only year and month.
	Dated, Day bool
	// Format is the code of a number's format, "" that of General; Date1904: its book counts
	// days from 1904.
	Format   string
	Date1904 bool
}

// Long tells that only the beginning of the text was kept.
func (c *Cell) Long() bool { return strings.HasSuffix(c.Text, cut) }

// Time is the moment that a number means as a date, without a zone.
func (c *Cell) Time() (time.Time, bool) { return serial(c.Number, c.Date1904) }

// serial is Excel's count of days. The calendar from 1900 has a 29 February 1900, which is
// no date; the days before it count one more.
func serial(n float64, date1904 bool) (time.Time, bool) {
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case n < 0 || n >= 2958466: // 9999-12-31
		return time.Time{}, false
	case date1904:
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case n >= 60 && n < 61:
		return time.Time{}, false
	case n < 60:
		first = first.AddDate(0, 0, 1)
	}
	day := int(n)
	seconds := int64((n-float64(day))*86400 + 0.5) // Excel's own moments are not exact
	return first.AddDate(0, 0, day).Add(time.Duration(seconds) * time.Second), true
}

// sheetReader makes rows of the tokens of a sheet.
type sheetReader struct {
	b      *Book
	each   func(int, []Cell) error
	merged []Range

	data    bool // inside <sheetData>
	row     int  // the current or last one
	open    bool // inside <row>
	cells   []Cell
	total   int
	next    int // the column of a cell that does not tell its own
	in      bool
	cell    Cell
	kind    string // its t
	style   int
	value   []byte
	long    bool
	reading bool // inside <v>
	inline  text
}

func (r *sheetReader) token(tok xml.Token) error {
	switch x := tok.(type) {
	case xml.StartElement:
		return r.start(&element{x.Name.Local, x.Attr})
	case xml.EndElement:
		return r.end(x.Name.Local)
	case xml.CharData:
		if r.reading {
			r.value, r.long = keep(r.value, x, r.long)
		} else {
			r.inline.add(x)
		}
	}
	return nil
}

func (r *sheetReader) start(e *element) error {
	if !r.data {
		switch e.name {
		case "sheetData":
			r.data = true
		case "mergeCell":
			if m, ok := parseRange(e.attr("ref")); ok && len(r.merged) < maxMerged {
				r.merged = append(r.merged, m)
			}
		}
		return nil
	}
	switch e.name {
	case "row":
		no := r.row + 1
		if s := e.attr("r"); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < no {
				return ErrDamaged // twice the same row, or upwards
			}
			no = n
		}
		if no > lastRow || r.open {
			return ErrDamaged
		}
		r.row, r.open, r.next, r.cells = no, true, 1, r.cells[:0]
	case "c":
		return r.startCell(e)
	case "f":
		r.cell.Formula = r.in
	case "v":
		r.reading = r.in
	case "is":
		r.inline = text{inside: r.in}
	default:
		r.inline.start(e.name)
	}
	return nil
}

func (r *sheetReader) startCell(e *element) error {
	if r.total++; r.total > maxCells {
		return errCells
	}
	if !r.open || r.in {
		return ErrDamaged
	}
	column := r.next
	if s := e.attr("r"); s != "" {
		var ok bool
		if column, _, ok = parseRef(s); !ok {
			return ErrDamaged
		}
	}
	if column > lastColumn {
		return ErrDamaged
	}
	r.style = 0
	if s := e.attr("s"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n >= max(len(r.b.formats), 1) {
			return ErrDamaged
		}
		r.style = n
	}
	r.next, r.in, r.kind = column+1, true, e.attr("t")
	r.cell, r.inline, r.value, r.long = Cell{Column: column}, text{}, r.value[:0], false
	return nil
}

func (r *sheetReader) end(name string) error {
	switch name {
	case "sheetData":
		r.data = false
	case "row":
		if !r.open || r.in {
			return ErrDamaged
		}
		r.open = false
		if len(r.cells) == 0 {
			return nil
		}
		slices.SortStableFunc(r.cells, func(a, b Cell) int { return a.Column - b.Column })
		return r.each(r.row, r.cells)
	case "c":
		if !r.in {
			return ErrDamaged
		}
		r.in, r.reading = false, false
		if err := r.fill(); err != nil {
			return err
		}
		if r.cell.Kind == Blank && !r.cell.Formula {
			return nil
		}
		if r.cell.Column > maxColumn {
			return errColumns(r.cell.Column)
		}
		r.cells = append(r.cells, r.cell)
	case "v":
		r.reading = false
	case "is":
		r.inline.inside = false
	default:
		r.inline.end(name)
	}
	return nil
}

// fill finds out what the cell holds.
func (r *sheetReader) fill() error {
	c := &r.cell
	v := string(r.value)
	switch r.kind {
	case "s":
		if v = strings.TrimSpace(v); v == "" {
			return nil
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n >= len(r.b.strings) {
			return ErrDamaged
		}
		c.Text = r.b.strings[n]
	case "inlineStr":
		c.Text = r.inline.String()
	case "str":
		if c.Text = unescape(v); r.long {
			c.Text += cut
		}
	case "d":
		c.Text = strings.TrimSuffix(strings.TrimSpace(v), "T00:00:00")
	case "b":
		c.Kind, c.Text = Bool, "FALSE"
		if v = strings.TrimSpace(v); v == "1" || v == "true" {
			c.Text = "TRUE"
		}
		return nil
	case "e":
		c.Kind, c.Text = Error, v
		return nil
	default:
		return r.number(strings.TrimSpace(v))
	}
	if c.Text != "" {
		c.Kind = Text
	}
	return nil
}

func (r *sheetReader) number(v string) error {
	c := &r.cell
	if v == "" {
		return nil
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || strings.Trim(v, "0123456789+-.eE") != "" { // Inf, 0x1p-2
		c.Kind, c.Text = Text, v
		return nil
	}
	c.Kind, c.Number, c.Date1904 = Number, n, r.b.date1904
	f := general
	if r.style < len(r.b.formats) {
		f = r.b.formats[r.style]
	}
	c.Format = f.code
	if t, ok := serial(n, r.b.date1904); ok && f.date {
		c.Dated, c.Day = true, f.day
		c.Text = f.moment(t, n)
		return nil
	}
	c.Text = f.number(n)
	return nil
}
