// Package paper draws what is printed: pages of Chinese text in PDF, in which every character
// shows and can be copied as itself, or the print is refused with the character named.
package paper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/signintech/gopdf"

	"zhihuidangjian/rpc/kit"
)

// Installed are the fonts of FONT_PATH that this machine has, in order.
func Installed(fontPath string) (fonts []string, err error) {
	for path := range strings.SplitSeq(fontPath, ",") {
		if _, e := os.Stat(path); e != nil {
			err = errors.Join(err, e)
			continue
		}
		fonts = append(fonts, path)
	}
	if len(fonts) == 0 {
		return nil, (&kit.Error{Code: 50010, Key: "paper.font",
			Message: "无法打印：服务器缺少中文字体，请安装 fonts-lxgw-wenkai 或设置 FONT_PATH"}).Because(err)
	}
	return fonts, nil
}

// Paper is pages of text. A character that the first font lacks comes from the next one
// that has it; what none has is refused and never left blank.
type Paper struct {
	PDF    *gopdf.GoPdf
	Width  float64
	Height float64
	fonts  []string
	loaded int // of fonts: a rare character's font is large and seldom needed
	of     map[rune]int
	size   float64
}

// New is one empty page of a size.
func New(page gopdf.Rect, fonts []string) *Paper {
	p := &Paper{PDF: &gopdf.GoPdf{}, Width: page.W, Height: page.H, fonts: fonts, of: map[rune]int{}}
	p.PDF.Start(gopdf.Config{PageSize: page})
	p.PDF.AddPage()
	return p
}

func (p *Paper) use(font int) error {
	family := strconv.Itoa(font)
	if font == p.loaded {
		if err := p.PDF.AddTTFFont(family, p.fonts[font]); err != nil {
			return fmt.Errorf("%s: %w", p.fonts[font], err)
		}
		p.loaded++
	}
	return p.PDF.SetFont(family, "", p.size)
}

// fontOf is the first font that has a character.
func (p *Paper) fontOf(r rune) (int, error) {
	if font, ok := p.of[r]; ok {
		return font, nil
	}
	for font := range p.fonts {
		if err := p.use(font); err != nil {
			return 0, err
		}
		if has, err := p.PDF.IsCurrFontContainGlyph(r); err != nil {
			return 0, err
		} else if has {
			p.of[r] = font
			return font, nil
		}
	}
	return 0, kit.Conflict("paper.glyph", "无法打印：字体中没有“%c”（U+%04X）这个字，请管理员安装 fonts-hanazono，或在 FONT_PATH 中加入有该字的字体", r, r)
}

// runs splits a text where its font changes.
func (p *Paper) runs(text string, each func(font int, run string) error) error {
	begin, last := 0, -1
	for i, r := range text {
		font, err := p.fontOf(r)
		if err != nil {
			return err
		}
		if font != last && last >= 0 {
			if err := each(last, text[begin:i]); err != nil {
				return err
			}
			begin = i
		}
		last = font
	}
	if last < 0 {
		return nil
	}
	return each(last, text[begin:])
}

// Measure is the width of a text at a size.
func (p *Paper) Measure(text string, size float64) (width float64, err error) {
	p.size = size
	err = p.runs(text, func(font int, run string) error {
		if err := p.use(font); err != nil {
			return err
		}
		w, err := p.PDF.MeasureTextWidth(run)
		width += w
		return err
	})
	return width, err
}

// Wrap breaks a text into lines no wider than most.
func (p *Paper) Wrap(text string, size, most float64) (lines []string, err error) {
	begin, width := 0, 0.0
	for i, r := range text {
		w, err := p.Measure(string(r), size)
		if err != nil {
			return nil, err
		}
		if width+w > most && i > begin {
			lines, begin, width = append(lines, text[begin:i]), i, 0
		}
		width += w
	}
	return append(lines, text[begin:]), nil
}

// Write puts a text at a place.
func (p *Paper) Write(x, y, size float64, text string) error {
	p.size = size
	p.PDF.SetXY(x, y)
	return p.runs(text, func(font int, run string) error {
		if err := p.use(font); err != nil {
			return err
		}
		return p.PDF.Cell(nil, run)
	})
}

// Bytes is the finished document.
func (p *Paper) Bytes() ([]byte, error) {
	pdf, err := p.PDF.GetBytesPdfReturnErr()
	if err != nil {
		return nil, err
	}
	return mendUnicode(pdf), nil
}

var (
	// copied finds the table by which readers copy text, with its length; beyond what is in
	// it that UTF-16 would write as a pair.
	copied = regexp.MustCompile(`(?s)/Length (\d+)\n>>\nstream\n/CIDInit.*?endcmap`)
	beyond = regexp.MustCompile(`<([0-9A-F]{5,6})>\n`)
	entry  = regexp.MustCompile(`(?m)^\d{10} 00000 n $`)
)

// mendUnicode lets rare characters be copied as themselves: gopdf writes those beyond U+FFFF
// as one number of five digits, where PDF wants a pair of UTF-16. What lies behind moves,
// so that the table of objects is written anew.
func mendUnicode(pdf []byte) []byte {
	type edit struct {
		from, to int
		text     string
	}
	var edits []edit
	for _, m := range copied.FindAllSubmatchIndex(pdf, -1) {
		grown := 0
		var wide []edit
		for _, w := range beyond.FindAllSubmatchIndex(pdf[m[0]:m[1]], -1) {
			r, err := strconv.ParseUint(string(pdf[m[0]+w[2]:m[0]+w[3]]), 16, 32)
			if err != nil {
				continue // six digits of sixteen: cannot be
			}
			high, low := utf16.EncodeRune(rune(r))
			e := edit{m[0] + w[2], m[0] + w[3], fmt.Sprintf("%04X%04X", high, low)}
			grown += len(e.text) - (e.to - e.from)
			wide = append(wide, e)
		}
		if grown == 0 {
			continue
		}
		length, _ := strconv.Atoi(string(pdf[m[2]:m[3]])) // digits
		edits = append(append(edits, edit{m[2], m[3], strconv.Itoa(length + grown)}), wide...)
	}
	if len(edits) == 0 {
		return pdf
	}
	moved := func(at int) int {
		to := at
		for _, e := range edits {
			if e.from < at {
				to += len(e.text) - (e.to - e.from)
			}
		}
		return to
	}
	table := bytes.LastIndex(pdf, []byte("\nxref\n")) + 1
	var out bytes.Buffer
	last := 0
	for _, e := range edits {
		out.Write(pdf[last:e.from])
		out.WriteString(e.text)
		last = e.to
	}
	out.Write(pdf[last:table])
	end := bytes.LastIndex(pdf, []byte("startxref\n"))
	out.Write(entry.ReplaceAllFunc(pdf[table:end], func(line []byte) []byte {
		at, _ := strconv.Atoi(string(line[:10])) // digits
		return fmt.Appendf(nil, "%010d 00000 n ", moved(at))
	}))
	fmt.Fprintf(&out, "startxref\n%d\n%%%%EOF\n", moved(table))
	return out.Bytes()
}
