package paper

import (
	"github.com/signintech/gopdf"
)

// The margins of a Form, in points.
const (
	margin = 56.0
	label  = 96.0
)

// Form is a document on A4 that flows: headings, lines of a label and its text, paragraphs and
// pictures, one below the other, on as many pages as it takes. The first thing that cannot be
// drawn is the error of Bytes.
type Form struct {
	p   *Paper
	y   float64
	err error
}

// NewForm is an empty document.
func NewForm(fonts []string) *Form {
	return &Form{p: New(*gopdf.PageSizeA4, fonts), y: margin}
}

// room turns the page unless so much of it is left.
func (f *Form) room(height float64) {
	if f.y+height > f.p.Height-margin {
		f.p.PDF.AddPage()
		f.y = margin
	}
}

// lines writes a text from a left edge in lines no wider than most.
func (f *Form) lines(x, size, most float64, text string, centred bool) {
	if f.err != nil || text == "" {
		return
	}
	lines, err := f.p.Wrap(text, size, most)
	if err != nil {
		f.err = err
		return
	}
	for _, line := range lines {
		f.room(size * 1.6)
		at := x
		if centred {
			w, err := f.p.Measure(line, size)
			if err != nil {
				f.err = err
				return
			}
			at = (f.p.Width - w) / 2
		}
		if f.err = f.p.Write(at, f.y, size, line); f.err != nil {
			return
		}
		f.y += size * 1.6
	}
}

// Centre writes a heading.
func (f *Form) Centre(size float64, text string) {
	f.lines(margin, size, f.p.Width-2*margin, text, true)
	f.y += size * .4
}

// Text writes a paragraph, its first line two characters in.
func (f *Form) Text(text string) { f.lines(margin, 12, f.p.Width-2*margin, "　　"+text, false) }

// Left writes a line from the left margin.
func (f *Form) Left(text string) { f.lines(margin, 12, f.p.Width-2*margin, text, false) }

// Line writes a label and, beside it, what it says.
func (f *Form) Line(name, text string) {
	f.room(12 * 1.6)
	y := f.y
	f.lines(margin, 12, label-8, name, false)
	end := f.y
	if f.y = y; end < y { // the label turned the page
		f.y = margin
	}
	f.lines(margin+label, 12, f.p.Width-2*margin-label, text, false)
	f.y = max(f.y, end)
}

// Right writes a line that ends at the right margin: a signature, a date.
func (f *Form) Right(text string) {
	w, err := f.p.Measure(text, 12)
	if f.err == nil {
		f.err = err
	}
	f.lines(max(margin, f.p.Width-margin-w), 12, f.p.Width-2*margin, text, false)
}

// Rule draws a line across the page; dashed where it is cut.
func (f *Form) Rule(dashed bool) {
	f.room(24)
	f.y += 8
	f.p.PDF.SetLineWidth(.6)
	if dashed {
		f.p.PDF.SetLineType("dashed")
	}
	f.p.PDF.Line(margin, f.y, f.p.Width-margin, f.y)
	f.p.PDF.SetLineType("")
	f.y += 12
}

// Gap leaves so much of the page empty.
func (f *Form) Gap(height float64) { f.y += height }

// Picture draws a square picture, a PNG, at the left margin.
func (f *Form) Picture(png []byte, side float64) {
	f.room(side)
	if f.err != nil {
		return
	}
	holder, err := gopdf.ImageHolderByBytes(png)
	if err == nil {
		err = f.p.PDF.ImageByHolder(holder, margin, f.y, &gopdf.Rect{W: side, H: side})
	}
	f.err = err
	f.y += side + 6
}

// Bytes is the finished document.
func (f *Form) Bytes() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.p.Bytes()
}
