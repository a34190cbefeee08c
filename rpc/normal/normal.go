// Package normal knows the one form in which names, texts and numbers of people are stored
// and compared, so that what looks the same is the same: in forms, imports, filters, the
// search box, binding, guests and dues bases.
package normal

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Text is the form of a text of several lines. Letters, digits and blanks are in their
// compatibility form (NFKC): Ａ is A, ⼈ is 人. Signs stay as they were typed, since Chinese
// writes （ and ， wide. What nobody sees is gone: zero-width and bidirectional marks, soft
// hyphens, selectors of variants.
func Text(s string) string {
	if plain(s) {
		return strings.TrimSpace(s)
	}
	var out strings.Builder
	out.Grow(len(s))
	var last rune
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			out.WriteString(s[i : i+1]) // Valid tells of it
		case invisible(r):
			if joins(r) && unicode.Is(unicode.So, last) {
				out.WriteRune(r) // 👨‍👩‍👧
			}
		case radicals[r] != 0:
			out.WriteRune(radicals[r])
		case folds(r):
			out.WriteString(norm.NFKC.String(string(r)))
		default:
			out.WriteRune(r)
		}
		if r != '\u200d' && r != '\ufe0f' {
			last = r
		}
		i += n
	}
	return strings.TrimSpace(norm.NFC.String(out.String()))
}

// Name is the form of a text of one line, the name of a person or a thing: a Text in which
// the dot between the parts of a name is ·, without blanks beside it or between Han
// characters, and other blanks are one.
func Name(s string) string {
	s = Text(s)
	if strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || dots[r] }) < 0 {
		return s
	}
	in := []rune(s)
	out := make([]rune, 0, len(in))
	for i := 0; i < len(in); {
		j := i
		for j < len(in) && (blank(in[j]) || dots[in[j]]) {
			j++
		}
		if j == i {
			out = append(out, in[i])
			i++
			continue
		}
		gap := in[i:j]
		i = j
		inner := len(out) > 0 && j < len(in) // a dot stands between letters; elsewhere it is a bullet
		inner = inner && unicode.IsLetter(out[len(out)-1]) && unicode.IsLetter(in[j])
		switch only := dotsOf(gap); {
		case len(only) == 1 && inner:
			out = append(out, '·')
		case len(only) > 0:
			out = append(out, collapse(gap)...)
		case len(out) > 0 && j < len(in) && !(unicode.Is(unicode.Han, out[len(out)-1]) && unicode.Is(unicode.Han, in[j])):
			out = append(out, ' ')
		}
	}
	return strings.TrimSpace(string(out))
}

// Same tells whether two names are one.
func Same(a, b string) bool { return Name(a) == Name(b) }

// Valid refuses what no text holds: bytes that are no characters, control characters, and
// characters that every computer shows in its own way (private use). lines allows line
// breaks and tabs. The answer is what to tell beside the name of the field, or "".
func Valid(s string, lines bool) string {
	if !utf8.ValidString(s) {
		return "含有无法识别的字符"
	}
	for _, r := range s {
		switch {
		case lines && (r == '\n' || r == '\r' || r == '\t'):
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return "含有无法识别的字符"
		case unicode.Is(unicode.Co, r):
			return "含有自造字，在其他电脑上无法显示，请改用标准汉字"
		}
	}
	return ""
}

// Figures is the form of what is made of digits and signs, a date or an amount: a Name with
// narrow signs.
func Figures(s string) string { return narrow(Name(s)) }

// narrow makes narrow signs of wide ones, and a hyphen of every dash.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case unicode.Is(unicode.Pd, r), r == '−':
			return '-'
		case r == '￥':
			return '¥'
		case r == '。':
			return '.'
		}
		return r
	}, s)
}

var (
	mobile = regexp.MustCompile(`^(?:\+?86|0086)?(1\d{10})(?:\.0+)?$`)
	apart  = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "")
)

// Phone is a phone number: a mobile one in its eleven digits, another as it was typed.
func Phone(s string) string {
	s = strings.TrimPrefix(strings.ReplaceAll(Figures(s), " ", ""), "'")
	if m := mobile.FindStringSubmatch(apart.Replace(s)); m != nil {
		return m[1]
	}
	return s
}

// idSigns are signs beside an ID number: the mark that made a cell a text, and what people
// type for its X.
var idSigns = strings.NewReplacer(" ", "", "-", "", "'", "", "‘", "", "’", "", "`", "", "×", "X", "✕", "X", "Х", "X", "х", "X", "Χ", "X", "χ", "X")

// IDNumber is a resident ID number without blanks, its X a Latin capital; what is none is as
// it was typed.
func IDNumber(s string) string {
	s = Figures(s)
	if id := strings.ToUpper(idSigns.Replace(s)); strings.Trim(id, "0123456789X") == "" {
		return id
	}
	return s
}

// plain tells that a text has nothing to bring into a form: ASCII or common Han characters.
func plain(s string) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf && !(r >= 0x4e00 && r <= 0x9fff) && !(r >= 0x3001 && r <= 0x3011) {
			return false
		}
	}
	return true
}

// folds tells whether a character is stored in its compatibility form.
func folds(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Zs) || r >= 0x2f00 && r <= 0x2fdf
}

// invisible are characters without a shape of their own, which are not blanks.
func invisible(r rune) bool {
	switch {
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	case r == '\u034f', r == '\u115f', r == '\u1160', r == '\u17b4', r == '\u17b5', r == '\u2800', r == '\u3164', r == '\uffa0':
		return true
	}
	return false
}

// joins are the marks that make one picture of several.
func joins(r rune) bool { return r == '\u200d' || r == '\ufe0f' }

func blank(r rune) bool { return unicode.IsSpace(r) }

// dots are the signs that people type between the parts of a name.
var dots = map[rune]bool{
	'·': true, '•': true, '‧': true, '・': true, '･': true, '∙': true, '⋅': true, '᛫': true, '⸱': true, '⸳': true, 'ꞏ': true,
	'●': true, '⦁': true, '◦': true, '․': true, '﹒': true,
}

func dotsOf(gap []rune) []rune {
	var out []rune
	for _, r := range gap {
		if dots[r] {
			out = append(out, r)
		}
	}
	return out
}

// collapse makes one blank of several.
func collapse(gap []rune) []rune {
	var out []rune
	for _, r := range gap {
		if !blank(r) {
			out = append(out, r)
		} else if len(out) == 0 || out[len(out)-1] != ' ' {
			out = append(out, ' ')
		}
	}
	return out
}

// radicals are those of the block CJK Radicals Supplement that are the same to the eye as a
// character. Unicode gives them no compatibility form, and documents turned from pictures
// and PDF are full of them.
var radicals = pairs("⺁厂⺄乙⺅亻⺆冂⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎兀⺏尣⺐尢⺒巳⺓幺⺔彑⺖忄⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺠民⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺨犭⺩王⺫目⺬示⺭礻⺯糹⺰纟⺱罓⺲罒⺶羊⺹耂⺺肀⺼肉⺾艹⺿艹⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角⻈讠⻉贝⻋车⻌辶⻍辶⻎辶⻐钅⻑長⻒镸⻓长⻔门⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻟飠⻠饣⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龟⻲亀⻳龟⺟母")

func pairs(s string) map[rune]rune {
	in := []rune(s)
	out := make(map[rune]rune, len(in)/2)
	for i := 0; i+1 < len(in); i += 2 {
		out[in[i]] = in[i+1]
	}
	return out
}
