package field

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records/workbook"
)

// FromCell checks a cell of an import, in the notations that people use in Excel.
func (f *Field) FromCell(c workbook.Cell, now time.Time) (any, error) {
	if err := f.Readable(c); err != nil {
		return nil, err
	}
	s := f.Tidy(c.Text)
	switch f.Type {
	case "richtext":
		s = RichFrom(s)
	case "enum":
		if s == "" {
			break
		}
		if err := f.Plain(s); err != nil {
			return nil, err
		}
		v := f.Meant(s)
		if v == "" {
			return nil, f.Unknown(s)
		}
		return v, nil
	case "enums":
		var list []string
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("、,，;；", r) }) {
			if w = normal.Name(w); w == "" {
				continue
			}
			v := f.Meant(w)
			if v == "" {
				return nil, f.Unknown(w)
			}
			list = append(list, v)
		}
		return f.many(list)
	case "bool":
		switch strings.ToUpper(s) {
		case "是", "有", "TRUE", "1", "Y", "√":
			return true, nil
		case "", "否", "无", "FALSE", "0", "N", "×":
			return false, nil
		}
		return nil, Refuse("%s应为“是”或“否”", f.Label)
	case "date", "month", "datetime":
		if c.Kind == workbook.Number {
			return f.fromSerial(c, now)
		}
	case "phone":
		if c.Kind == workbook.Number {
			s = workbook.Plain(c.Number)
		} else if exact.MatchString(s) {
			n, _ := strconv.ParseFloat(s, 64) // the pattern is a number
			s = workbook.Plain(n)
		}
	case "idNumber":
		switch {
		case c.Kind == workbook.Number && c.Number >= 1e14, scientific.MatchString(s):
			return nil, Refuse("%s在Excel中被存成了数字，末几位已丢失；请先把该列设为文本格式，再重新填写", f.Label)
		}
	case "int", "money":
		if c.Kind == workbook.Number {
			s = workbook.Plain(c.Number)
		}
		if s == "" {
			if f.Required {
				return nil, Refuse("请填写%s", f.Label)
			}
			return int64(0), nil
		}
		if f.Type == "money" {
			n, ok := fen(s)
			if !ok {
				return nil, Refuse("%s应为金额，最多两位小数", f.Label)
			}
			return f.number(n)
		}
		n, ok := whole(s)
		if !ok {
			return nil, Refuse("%s应为整数", f.Label)
		}
		return f.number(n)
	}
	return f.FromString(s, now)
}

// Readable refuses cells that hold no value at all.
func (f *Field) Readable(c workbook.Cell) error {
	switch {
	case c.Formula:
		return Refuse("%s不能为公式，请复制后选择性粘贴为数值", f.Label)
	case c.Kind == workbook.Error:
		return Refuse("%s的单元格是错误值%s，请改正后再导入", f.Label, Clip(c.Text))
	case c.Long():
		return Refuse("%s内容过长", f.Label)
	case c.Kind == workbook.Text:
		// What a spreadsheet would take for a formula when it is opened again (Harmless).
		bare := strings.TrimPrefix(normal.Text(c.Text), "'")
		if bare != "" && strings.ContainsRune("=+-@", rune(bare[0])) && f.Type != "phone" && f.Type != "money" && f.Type != "int" {
			return Refuse("%s不能以 = + - @ 开头或为公式", f.Label)
		}
	}
	return nil
}

var (
	exact      = regexp.MustCompile(`^1\.\d{10}[eE]\+?10$`) // a mobile number with all its digits
	scientific = regexp.MustCompile(`^\d(?:\.\d+)?[eE]\+?1\d$`)
	monthDigit = regexp.MustCompile(`^\d{4}\.1$`)
	compact    = regexp.MustCompile(`^(?:19|2[01])\d{4}(?:\d\d)?$`)
)

// firstSerial is the earliest day that a number without a date's format is taken for: what
// is smaller is a year (2019) or a month (2024.07), and no serial number.
var firstSerial = time.Date(1921, 7, 1, 0, 0, 0, 0, time.UTC)

// fromSerial reads a number of a column of dates.
func (f *Field) fromSerial(c workbook.Cell, now time.Time) (any, error) {
	text := workbook.Plain(c.Number)
	at, ok := c.Time()
	switch {
	case c.Dated && ok, ok && !at.Before(firstSerial) && at.Year() <= 2200:
		at = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, kit.Shanghai)
		if at.Year() < 1900 || at.Year() > 2200 {
			return nil, f.unreadable(errNoMoment)
		}
		return f.moment(moment{at, c.Dated && !c.Day}, now)
	case monthDigit.MatchString(text) && f.Type == "month":
		return nil, Refuse("%s%s可能是1月或10月，请写成%[3]s-01或%[3]s-10", f.Label, text, text[:4])
	case compact.MatchString(text), f.Type == "month":
		m, err := readMoment(text)
		if err != nil {
			return nil, f.unreadable(err)
		}
		return f.moment(m, now)
	}
	return nil, f.unreadable(errNoMoment)
}

var (
	amountPattern = regexp.MustCompile(`^(\d+)(?:\.(\d*))?(?:[eE][+-]?\d{1,2})?$`)
	thousands     = regexp.MustCompile(`^\d{1,3}(,\d{3})+(\.\d*)?$`)
	currency      = strings.NewReplacer("¥", "", "RMB", "", "元", "", " ", "", "'", "")
)

// decimal is a number that somebody typed, or Excel stored with an error in the sixteenth
// digit, without thousands and powers of ten.
func decimal(s string) (whole, part string, ok bool) {
	s = currency.Replace(normal.Figures(s))
	if thousands.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	m := amountPattern.FindStringSubmatch(s)
	if m == nil {
		return "", "", false
	}
	if strings.ContainsAny(s, "eE") || len(m[1])+len(m[2]) > 15 && m[2] != "" {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "", "", false
		}
		if m = amountPattern.FindStringSubmatch(workbook.Plain(n)); m == nil || strings.Contains(m[0], "E") {
			return "", "", false
		}
	}
	return m[1], strings.TrimRight(m[2], "0"), true
}

// fen reads yuan with at most two decimals.
func fen(s string) (int64, bool) {
	yuan, part, ok := decimal(s)
	if !ok || len(yuan) > 12 || len(part) > 2 {
		return 0, false
	}
	n, err := strconv.ParseInt(yuan+part+strings.Repeat("0", 2-len(part)), 10, 64)
	return n, err == nil
}

// whole reads a whole number.
func whole(s string) (int64, bool) {
	s = normal.Figures(s)
	sign := int64(1)
	if strings.HasPrefix(s, "-") {
		s, sign = s[1:], -1
	}
	digits, part, ok := decimal(s)
	n, err := strconv.ParseInt(digits, 10, 64)
	return sign * n, ok && err == nil && part == ""
}
