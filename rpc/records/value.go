package records

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

var phonePattern = regexp.MustCompile(`^(1\d{10}|0\d{2,3}-?\d{7,8}|\d{7,8})$`)

// refusal is why a value cannot be stored, for the person who typed it.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// fromJSON checks a value of a form and brings it into the type that write takes.
func (f *Field) fromJSON(raw json.RawMessage, now time.Time) (any, error) {
	switch f.Type {
	case "bool":
		var b bool
		if string(raw) != "null" && json.Unmarshal(raw, &b) != nil {
			return nil, refuse("%s填写有误", f.Label)
		}
		return b, nil
	case "int", "money":
		s := strings.Trim(string(raw), `" `)
		if s == "null" || s == "" {
			if f.Required {
				return nil, refuse("请填写%s", f.Label)
			}
			return int64(0), nil
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, refuse("%s填写有误", f.Label)
		}
		return f.number(n)
	case "scores":
		return f.scores(raw)
	case "files", "image":
		return f.filesFromJSON(raw)
	case "enums", "refs", "permissions":
		var list []string
		if json.Unmarshal(raw, &list) != nil {
			return nil, refuse("%s填写有误", f.Label)
		}
		return f.many(list)
	}
	var s string
	switch {
	case string(raw) == "null":
	case f.Type == "datetime" && len(raw) > 0 && raw[0] != '"': // Unix milliseconds
		ms, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return nil, refuse("%s填写有误", f.Label)
		}
		return time.UnixMilli(ms).In(kit.Shanghai), nil
	default:
		if json.Unmarshal(raw, &s) != nil {
			return nil, refuse("%s填写有误", f.Label)
		}
	}
	return f.fromString(s, now)
}

// scores are marks for the field's options, each from 1 to its max.
func (f *Field) scores(raw json.RawMessage) (any, error) {
	var list []model.AspectScore
	if json.Unmarshal(raw, &list) != nil {
		return nil, refuse("%s填写有误", f.Label)
	}
	if f.Required && len(list) == 0 {
		return nil, refuse("请填写%s", f.Label)
	}
	seen := map[string]bool{}
	for _, a := range list {
		label := f.option(a.Aspect)
		if label == "" || seen[a.Aspect] {
			return nil, refuse("%s填写有误", f.Label)
		}
		seen[a.Aspect] = true
		if a.Score < 1 || int64(a.Score) > f.Max {
			return nil, refuse("请为%s评1至%d分", label, f.Max)
		}
	}
	return list, nil
}

func (f *Field) number(n int64) (any, error) {
	if f.Max == 0 && f.Min == 0 {
		if n < 0 && f.Type == "money" {
			return nil, refuse("%s不能小于0", f.Label)
		}
		return n, nil
	}
	if n < f.Min {
		return nil, refuse("%s不能小于%s", f.Label, f.show(f.Min))
	}
	if f.Max > 0 && n > f.Max {
		return nil, refuse("%s不能大于%s", f.Label, f.show(f.Max))
	}
	return n, nil
}

func (f *Field) show(n int64) string {
	if f.Type == "money" {
		return yuan(n)
	}
	return strconv.FormatInt(n, 10)
}

// fromString checks a text in the form's own notation.
func (f *Field) fromString(s string, now time.Time) (any, error) {
	s = strings.TrimSpace(s)
	if err := f.plain(s); err != nil {
		return nil, err
	}
	if s == "" {
		if f.Required {
			return nil, refuse("请填写%s", f.Label)
		}
		if f.Type == "datetime" {
			return time.Time{}, nil
		}
		return "", nil
	}
	switch f.Type {
	case "richtext":
		return f.rich(f.owner, s)
	case "enum":
		if f.option(s) == "" {
			return nil, refuse("%s填写有误", f.Label)
		}
	case "date":
		d, err := time.ParseInLocation(time.DateOnly, s, kit.Shanghai)
		if err != nil || d.Year() < 1900 || d.Year() > 2200 {
			return nil, refuse("%s应为日期，如2024-07-01", f.Label)
		}
		if f.Past && d.After(now) {
			return nil, refuse("%s不能晚于今天", f.Label)
		}
	case "month":
		d, err := time.ParseInLocation("2006-01", s, kit.Shanghai)
		if err != nil || d.Year() < 1900 || d.Year() > 2200 {
			return nil, refuse("%s应为年月，如2024-07", f.Label)
		}
	case "datetime":
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
			if d, err := time.ParseInLocation(layout, s, kit.Shanghai); err == nil {
				return d.In(kit.Shanghai), nil
			}
		}
		return nil, refuse("%s应为时间，如2024-07-01 09:00", f.Label)
	case "phone":
		if !phonePattern.MatchString(s) {
			return nil, refuse("%s格式不正确", f.Label)
		}
	case "idNumber":
		s = strings.ToUpper(s)
		if len(s) != 18 {
			return nil, refuse("身份证号码有误")
		}
	default:
		if f.Max > 0 && int64(utf8.RuneCountInString(s)) > f.Max {
			return nil, refuse("%s不能超过%d个字", f.Label, f.Max)
		}
	}
	return s, nil
}

func (f *Field) plain(s string) error {
	if !utf8.ValidString(s) {
		return refuse("%s含有无法识别的字符", f.Label)
	}
	for _, r := range s {
		if (f.Type == "text" || f.Type == "richtext") && (r == '\n' || r == '\r' || r == '\t') {
			continue
		}
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r >= '\u202a' && r <= '\u202e' {
			return refuse("%s含有无法识别的字符", f.Label)
		}
	}
	return nil
}

// fromCell checks a cell of an import, in the notations that people use in Excel.
func (f *Field) fromCell(s string, now time.Time) (any, error) {
	s = strings.TrimSpace(s)
	if bare := strings.TrimPrefix(s, "'"); bare != "" && strings.ContainsRune("=+-@", rune(bare[0])) {
		return nil, refuse("%s不能以 = + - @ 开头或为公式", f.Label)
	}
	switch f.Type {
	case "richtext":
		s = richFrom(s)
	case "enum":
		for _, o := range f.Options {
			if o.Label == s {
				return o.Value, nil
			}
		}
		if s != "" {
			return nil, refuse("%s“%s”不在可选范围内", f.Label, clip(s))
		}
	case "enums":
		var list []string
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == '、' || r == ',' || r == '，' }) {
			i := slices.IndexFunc(f.Options, func(o Option) bool { return o.Label == strings.TrimSpace(w) })
			if i < 0 {
				return nil, refuse("%s“%s”不在可选范围内", f.Label, clip(w))
			}
			list = append(list, f.Options[i].Value)
		}
		return f.many(list)
	case "bool":
		switch s {
		case "是", "true", "TRUE", "1":
			return true, nil
		case "", "否", "false", "FALSE", "0":
			return false, nil
		}
		return nil, refuse("%s应为“是”或“否”", f.Label)
	case "date":
		s = cellDate(s, time.DateOnly)
	case "month":
		s = cellDate(s, "2006-01")
	case "datetime":
		s = cellDate(s, "2006-01-02 15:04")
	case "int":
		if s == "" {
			if f.Required {
				return nil, refuse("请填写%s", f.Label)
			}
			return int64(0), nil
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, refuse("%s应为整数", f.Label)
		}
		return f.number(n)
	case "money":
		if s == "" {
			if f.Required {
				return nil, refuse("请填写%s", f.Label)
			}
			return int64(0), nil
		}
		n, ok := fen(s)
		if !ok {
			return nil, refuse("%s应为金额，最多两位小数", f.Label)
		}
		return f.number(n)
	}
	return f.fromString(s, now)
}

var dateLayouts = []string{
	time.DateOnly, "2006/1/2", "2006.1.2", "2006-1-2", "20060102", "2006年1月2日",
	"2006-01", "2006-1", "2006/1", "2006.1", "200601", "2006年1月",
	"2006-01-02 15:04", "2006-01-02 15:04:05", "2006/1/2 15:04", "2006/1/2 15:04:05",
}

// cellDate brings a date as people write it, or Excel's serial number, into layout. An
// unknown one stays as it is and is refused later.
func cellDate(s, layout string) string {
	if n, err := strconv.ParseFloat(s, 64); err == nil && n > 1 && n < 100000 {
		if d, err := excelize.ExcelDateToTime(n, false); err == nil {
			return d.Round(time.Second).Format(layout)
		}
	}
	for _, l := range dateLayouts {
		if d, err := time.Parse(l, s); err == nil {
			if layout != "2006-01" && !strings.Contains(l[4:], "2") {
				return s // a month is no date
			}
			return d.Format(layout)
		}
	}
	return s
}

// fen reads yuan with at most two decimals.
func fen(s string) (int64, bool) {
	s = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(s, "¥"), "元"), ",", "")
	whole, part, _ := strings.Cut(s, ".")
	if whole == "" || len(whole) > 12 || len(part) > 2 {
		return 0, false
	}
	part += strings.Repeat("0", 2-len(part))
	n, err := strconv.ParseUint(whole+part, 10, 63)
	return int64(n), err == nil
}

func yuan(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return s
}

func showTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(kit.Shanghai).Format(time.RFC3339)
}
