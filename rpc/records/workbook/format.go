package workbook

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// format is how a number looks.
type format struct {
	code      string
	date, day bool
}

var general = &format{}

// builtin are the formats that every workbook knows, as a Chinese Excel shows them.
var builtin = map[int]string{
	1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
	14: "yyyy/m/d", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
	22: "yyyy/m/d h:mm", 27: `yyyy"年"m"月"`, 28: `m"月"d"日"`, 29: `m"月"d"日"`, 30: "m/d/yy", 31: `yyyy"年"m"月"d"日"`,
	32: `h"时"mm"分"`, 33: `h"时"mm"分"ss"秒"`, 34: `上午/下午h"时"mm"分"`, 35: `上午/下午h"时"mm"分"ss"秒"`, 36: `yyyy"年"m"月"`,
	37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
	50: `yyyy"年"m"月"`, 51: `m"月"d"日"`, 52: `yyyy"年"m"月"`, 53: `m"月"d"日"`, 54: `m"月"d"日"`,
	55: `上午/下午h"时"mm"分"`, 56: `上午/下午h"时"mm"分"ss"秒"`, 57: `yyyy"年"m"月"`, 58: `m"月"d"日"`,
}

// readStyles reads the number formats of the styles.
func (b *Book) readStyles(part string) error {
	codes := map[int]string{}
	made := map[string]*format{}
	xfs := false
	return b.tokens(part, func(tok xml.Token) error {
		switch x := tok.(type) {
		case xml.StartElement:
			e := &element{x.Name.Local, x.Attr}
			switch {
			case e.name == "numFmt":
				id, err := strconv.Atoi(e.attr("numFmtId"))
				if err == nil && len(codes) < maxStyles && len(e.attr("formatCode")) <= 1000 {
					codes[id] = e.attr("formatCode")
				}
			case e.name == "cellXfs":
				xfs = true
			case e.name == "xf" && xfs:
				if len(b.formats) == maxStyles {
					return errStyles
				}
				id, _ := strconv.Atoi(e.attr("numFmtId"))
				code, own := codes[id]
				if !own {
					code = builtin[id]
				}
				if made[code] == nil {
					made[code] = newFormat(code)
				}
				b.formats = append(b.formats, made[code])
			}
		case xml.EndElement:
			xfs = xfs && x.Name.Local != "cellXfs"
		}
		return nil
	})
}

// newFormat looks at the first section of a format code.
func newFormat(code string) *format {
	f := &format{}
	for _, t := range split(code) {
		if t.text == ";" && !t.literal {
			break
		}
		f.code += t.source
		if t.literal {
			continue
		}
		switch t.text[0] {
		case 'y', 'm', 'h', 's':
			f.date = true
		case 'd':
			f.date, f.day = true, true
		}
	}
	f.day = f.day || f.date && !strings.ContainsRune(strings.ToLower(f.code), 'y') // a time is no month
	return f
}

// piece is a part of a format code: a literal, or letters or signs that stand for
// something.
type piece struct {
	text, source string
	literal      bool
}

// split takes a format code apart. Colours, conditions and languages in brackets say
// nothing, but [h] is hours.
func split(code string) []piece {
	var out []piece
	rest := code
	take := func(n int, text string, literal bool) {
		out = append(out, piece{text, rest[:n], literal})
		rest = rest[n:]
	}
	for rest != "" {
		switch c := rest[0]; {
		case c == '"':
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				end = len(rest) - 1
				take(len(rest), rest[1:1+end], true)
			} else {
				take(end+2, rest[1:1+end], true)
			}
		case c == '\\' || c == '_' || c == '*':
			n := 1 + runeLen(rest[1:])
			text := ""
			if c == '\\' {
				text = rest[1:n]
			}
			take(n, text, true)
		case c == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				take(len(rest), "", true)
				break
			}
			inner := strings.ToLower(rest[1:end])
			if inner != "" && strings.Trim(inner, "hms") == "" {
				take(end+1, inner, false)
			} else {
				take(end+1, "", true)
			}
		case strings.HasPrefix(strings.ToUpper(rest), "AM/PM"):
			take(5, "A", false)
		case strings.HasPrefix(rest, "上午/下午"):
			take(len("上午/下午"), "上", false)
		case strings.HasPrefix(strings.ToLower(rest), "general"):
			take(7, "g", false)
		case strings.IndexByte("ymdhsYMDHS", c) >= 0:
			n := 1
			for n < len(rest) && rest[n]|0x20 == c|0x20 {
				n++
			}
			take(n, strings.ToLower(rest[:n]), false)
		case strings.IndexByte("0#?.,%;@eE", c) >= 0:
			take(1, rest[:1], false)
		default:
			n := runeLen(rest)
			take(n, rest[:n], true)
		}
	}
	return out
}

func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// moment shows a date or a time.
func (f *format) moment(t time.Time, n float64) string {
	pieces := split(f.code)
	half := strings.Contains(strings.ToUpper(f.code), "AM/PM") || strings.Contains(f.code, "上午/下午")
	var out strings.Builder
	clock := "" // the last part of a clock before an m, which then is minutes
	for i, p := range pieces {
		if p.literal {
			out.WriteString(p.text)
			continue
		}
		two := func(n int) string {
			if len(p.text) > 1 && n < 10 {
				return "0" + strconv.Itoa(n)
			}
			return strconv.Itoa(n)
		}
		switch p.text[0] {
		case 'y':
			if len(p.text) < 3 {
				out.WriteString(t.Format("06"))
			} else {
				out.WriteString(t.Format("2006"))
			}
		case 'm':
			switch {
			case clock == "h" || nextClock(pieces[i+1:]) == 's':
				out.WriteString(two(t.Minute()))
				clock = "m"
			case len(p.text) >= 3:
				out.WriteString(t.Format("Jan"))
			default:
				out.WriteString(two(int(t.Month())))
			}
		case 'd':
			if len(p.text) < 3 {
				out.WriteString(two(t.Day()))
			}
		case 'h':
			h := t.Hour()
			switch {
			case p.source[0] == '[':
				h = int(math.Floor(n*24 + 1e-9))
			case half:
				h = (h+11)%12 + 1
			}
			out.WriteString(two(h))
			clock = "h"
		case 's':
			out.WriteString(two(t.Second()))
			clock = "s"
		case 'A':
			out.WriteString(t.Format("PM"))
		default:
			if strings.HasPrefix(p.text, "上") {
				out.WriteString(map[bool]string{true: "上午", false: "下午"}[t.Hour() < 12])
			} else if p.text == "." || p.text == "," {
				out.WriteString(p.text)
			}
		}
	}
	return strings.TrimSpace(out.String())
}

// nextClock is the letter that comes next, if it is one of a date or a clock.
func nextClock(rest []piece) byte {
	for _, p := range rest {
		if !p.literal && strings.IndexByte("ymdhs", p.text[0]) >= 0 {
			return p.text[0]
		}
	}
	return 0
}

// number shows a number: its digits, decimals, thousands and percent as the format has
// them. What a format adds beside is left out: people type numbers, not currencies.
func (f *format) number(n float64) string {
	whole, decimals, thousands, percent, known := 0, 0, false, false, false
	point := false
	for _, p := range split(f.code) {
		if p.literal {
			continue
		}
		switch p.text {
		case "0", "#", "?":
			known = true
			switch {
			case point:
				decimals++
			case p.text == "0":
				whole++
			}
		case ".":
			point = true
		case ",":
			thousands = known
		case "%":
			percent = true
		default: // exponents, text, General
			return Plain(n)
		}
	}
	if !known {
		return Plain(n)
	}
	if percent {
		n *= 100
	}
	if math.Abs(n) >= 1e15 {
		return Plain(n)
	}
	s := strconv.FormatFloat(math.Abs(n), 'f', decimals, 64)
	digits, part, _ := strings.Cut(s, ".")
	if len(digits) < whole {
		digits = strings.Repeat("0", whole-len(digits)) + digits
	}
	if thousands {
		for i := len(digits) - 3; i > 0; i -= 3 {
			digits = digits[:i] + "," + digits[i:]
		}
	}
	if part != "" {
		digits += "." + part
	}
	if percent {
		digits += "%"
	}
	if n < 0 && strings.Trim(digits, "0.,%") != "" {
		digits = "-" + digits
	}
	return digits
}

// Plain is a number as Excel's General shows it: the fifteen digits that Excel keeps.
func Plain(n float64) string {
	if n == 0 {
		return "0"
	}
	s := strconv.FormatFloat(n, 'g', 15, 64)
	n, err := strconv.ParseFloat(s, 64)
	if a := math.Abs(n); err != nil || a >= 1e15 || a < 1e-9 {
		return strings.ToUpper(s)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}
