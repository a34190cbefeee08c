package field

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
)

var phonePattern = regexp.MustCompile(`^(1\d{10}|0\d{2,3}-?\d{7,8}|\d{7,8})$`)

// Refusal is why a value cannot be stored, for the person who typed it.
type Refusal string

func (r Refusal) Error() string { return string(r) }

func Refuse(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// FromJSON checks a value of a form and brings it into the type that write takes.
func (f *Field) FromJSON(raw json.RawMessage, now time.Time) (any, error) {
	switch f.Type {
	case "bool":
		var b bool
		if string(raw) != "null" && json.Unmarshal(raw, &b) != nil {
			return nil, Refuse("%s填写有误", f.Label)
		}
		return b, nil
	case "int", "money":
		s := strings.Trim(string(raw), `" `)
		if s == "null" || s == "" {
			if f.Required {
				return nil, Refuse("请填写%s", f.Label)
			}
			return int64(0), nil
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, Refuse("%s填写有误", f.Label)
		}
		return f.number(n)
	case "scores":
		return f.scores(raw)
	case "files", "image":
		return f.filesFromJSON(raw)
	case "enums", "refs", "permissions":
		var list []string
		if json.Unmarshal(raw, &list) != nil {
			return nil, Refuse("%s填写有误", f.Label)
		}
		return f.many(list)
	}
	var s string
	switch {
	case string(raw) == "null":
	case f.Type == "datetime" && len(raw) > 0 && raw[0] != '"': // Unix milliseconds
		ms, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return nil, Refuse("%s填写有误", f.Label)
		}
		return time.UnixMilli(ms).In(kit.Shanghai), nil
	default:
		if json.Unmarshal(raw, &s) != nil {
			return nil, Refuse("%s填写有误", f.Label)
		}
	}
	return f.FromString(s, now)
}

// scores are marks for the field's options, each from 1 to its max.
func (f *Field) scores(raw json.RawMessage) (any, error) {
	var list []model.AspectScore
	if json.Unmarshal(raw, &list) != nil {
		return nil, Refuse("%s填写有误", f.Label)
	}
	if f.Required && len(list) == 0 {
		return nil, Refuse("请填写%s", f.Label)
	}
	seen := map[string]bool{}
	for _, a := range list {
		label := f.OptionLabel(a.Aspect)
		if label == "" || seen[a.Aspect] {
			return nil, Refuse("%s填写有误", f.Label)
		}
		seen[a.Aspect] = true
		if a.Score < 1 || int64(a.Score) > f.Max {
			return nil, Refuse("请为%s评1至%d分", label, f.Max)
		}
	}
	return list, nil
}

func (f *Field) number(n int64) (any, error) {
	if f.Max == 0 && f.Min == 0 {
		if n < 0 && f.Type == "money" {
			return nil, Refuse("%s不能小于0", f.Label)
		}
		return n, nil
	}
	if n < f.Min {
		return nil, Refuse("%s不能小于%s", f.Label, f.Said(f.Min))
	}
	if f.Max > 0 && n > f.Max {
		return nil, Refuse("%s不能大于%s", f.Label, f.Said(f.Max))
	}
	return n, nil
}

func (f *Field) Said(n int64) string {
	if f.Type == "money" {
		return kit.Yuan(n)
	}
	return strconv.FormatInt(n, 10)
}

// Tidy brings a text into the normal form of the field's kind, in which it is stored,
// compared and searched.
func (f *Field) Tidy(s string) string {
	switch f.Type {
	case "password": // each of its characters counts
		return s
	case "text", "richtext":
		return normal.Text(s)
	case "phone":
		return normal.Phone(s)
	case "idNumber":
		return normal.IDNumber(s)
	case "date", "month", "datetime", "int", "money":
		return normal.Figures(s)
	}
	return normal.Name(s)
}

// FromString checks a text in the form's own notation.
func (f *Field) FromString(s string, now time.Time) (any, error) {
	s = f.Tidy(s)
	if err := f.Plain(s); err != nil {
		return nil, err
	}
	if s == "" {
		if f.Required {
			return nil, Refuse("请填写%s", f.Label)
		}
		if f.Type == "datetime" {
			return time.Time{}, nil
		}
		return "", nil
	}
	switch f.Type {
	case "richtext":
		return f.Rich(f.Owner, s)
	case "enum":
		if f.OptionLabel(s) == "" {
			return nil, Refuse("%s填写有误", f.Label)
		}
	case "date", "month", "datetime":
		m, err := readMoment(s)
		if err != nil {
			return nil, f.unreadable(err)
		}
		return f.moment(m, now)
	case "phone":
		if !phonePattern.MatchString(s) {
			return nil, Refuse("%s格式不正确", f.Label)
		}
	case "idNumber":
		switch {
		case len(s) == 15 && strings.Trim(s, "0123456789") == "":
			return nil, Refuse("%s是15位旧号码，请填写18位身份证号码", f.Label)
		case len(s) != 18:
			return nil, Refuse("身份证号码有误")
		}
	default:
		if f.Max > 0 && int64(utf8.RuneCountInString(s)) > f.Max {
			return nil, Refuse("%s不能超过%d个字", f.Label, f.Max)
		}
	}
	return s, nil
}

func (f *Field) Plain(s string) error {
	if wrong := normal.Valid(s, f.Type == "text" || f.Type == "richtext"); wrong != "" {
		return Refuse("%s%s", f.Label, wrong)
	}
	return nil
}

func Clip(s string) string {
	if r := []rune(s); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return s
}

func ShowTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(kit.Shanghai).Format(time.RFC3339)
}
