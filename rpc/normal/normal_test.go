package normal

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"王芳": "王芳", " 王　芳 ": "王芳", "王 芳": "王芳", "王\u00a0芳": "王芳", "\ufeff王\u200b芳\u00ad": "王芳", "\u202e王芳\u202c": "王芳",
		"⽂小军": "文小军", "⻢云": "马云", "⻩⻰": "黄龙", "\uf900": "豈", "\U0002f800": "丽",
		"阿依古丽•买买提": "阿依古丽·买买提", "阿依古丽‧买买提": "阿依古丽·买买提", "阿依古丽・买买提": "阿依古丽·买买提", "阿依古丽･买买提": "阿依古丽·买买提",
		"阿依古丽 · 买买提": "阿依古丽·买买提", "阿依古丽●买买提": "阿依古丽·买买提",
		"John   Smith": "John Smith", "第 3 支部": "第 3 支部", "Ａ１": "A1", "é": "é", "葛\U000e0100": "葛",
		"\u200b": "", "\u3164": "", "   ": "", "中共（示范）委员会": "中共（示范）委员会", "• 一": "• 一", "张𫰠": "张𫰠", "a\u2028b": "a b",
	} {
		if got := Name(in); got != want {
			t.Errorf("Name(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Text("一、学习\n 二、讨论，👨\u200d👩\u200d👧 ❤\ufe0f\u200b"); got != "一、学习\n 二、讨论，👨\u200d👩\u200d👧 ❤\ufe0f" {
		t.Errorf("%q", got)
	}
}

func TestPhone(t *testing.T) {
	for in, want := range map[string]string{
		"13800014446": "13800014446", "+8613800014446": "13800014446", "+86 138-0001-4446": "13800014446", "0086 13800014446": "13800014446", "8613800014446": "13800014446",
		"１３８００００１４４６": "13800001446", "\u202d13800014446\u202c": "13800014446", "138 0001 4446": "13800014446", "13800014446.0": "13800014446",
		"0571－88886666": "0571-88886666", "0571 88886666": "057188886666", "88886666": "88886666", "(+86)13800014446": "13800014446", "": "", "不详": "不详",
	} {
		if got := Phone(in); got != want {
			t.Errorf("Phone(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIDNumber(t *testing.T) {
	for in, want := range map[string]string{
		"９９０２０１１９５００１１９０６３５": "990201195001190635", "99020119600220145x": "99020119600220145X", "99020119600220145Ｘ": "99020119600220145X",
		"99020119600220145×": "99020119600220145X", "'990201 19600220 145X": "99020119600220145X", "\u200e990201196406247841": "990201196406247841",
	} {
		if got := IDNumber(in); got != want {
			t.Errorf("IDNumber(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestValid(t *testing.T) {
	for in, ok := range map[string]bool{"王芳": true, "王\ue863": false, "a\x00": false, "\xff": false, "a\nb": false, "\U000f0000": false} {
		if (Valid(in, false) == "") != ok {
			t.Errorf("%q: %q", in, Valid(in, false))
		}
	}
	if Valid("a\nb\tc", true) != "" {
		t.Error("lines")
	}
}

// FuzzNormal: a normal form is one, shows nothing invisible, and changes no plain name.
func FuzzNormal(f *testing.F) {
	for _, s := range []string{"王　芳", "阿依古丽 • 买买提", "⻢云", "\u200b", "a\xffb", "e\u0301", "👨\u200d👩", "ﬁ", "1 2", "ｱ･ｲ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for what, form := range map[string]func(string) string{"Name": Name, "Text": Text, "Phone": Phone, "IDNumber": IDNumber} {
			once := form(s)
			if twice := form(once); twice != once {
				t.Errorf("%s(%q) = %q, and that %q", what, s, once, twice)
			}
			if utf8.ValidString(s) && !utf8.ValidString(once) {
				t.Errorf("%s(%q) is no text", what, s)
			}
		}
		name := Name(s)
		for _, r := range name {
			if r != utf8.RuneError && (invisible(r) && !joins(r) || unicode.IsSpace(r) && r != ' ') {
				t.Errorf("Name(%q) = %q holds %U", s, name, r)
			}
		}
		// The naive model: of letters alone, NFKC and no more.
		letters := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) && !invisible(r) && radicals[r] == 0 {
				return r
			}
			return -1
		}, s)
		if want := norm.NFKC.String(letters); Name(letters) != want && !strings.ContainsFunc(want, func(r rune) bool { return unicode.IsSpace(r) || dots[r] || invisible(r) || radicals[r] != 0 }) {
			t.Errorf("Name(%q) = %q, want %q", letters, Name(letters), want)
		}
	})
}
