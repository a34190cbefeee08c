package field

import (
	"errors"
	"regexp"
	"strconv"
	"time"

	"zhihuidangjian/rpc/kit"
)

// moment is a date as somebody wrote it.
type moment struct {
	at    time.Time
	month bool // no day was named
}

var (
	// The parts of a date may be apart by - / . or 年月日, followed by a time of the day.
	momentPattern = regexp.MustCompile(`^(\d{4}) ?([-/.年]) ?(\d{1,2}) ?(?:([-/.月]) ?(?:(\d{1,2}) ?[日号]?)?|月份)?(?:[ T]*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$`)
	compactDay    = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})?$`)

	errNoMoment = errors.New("no date")
)

// noDay is a date that no calendar has, e.g. 30 February.
type noDay string

func (d noDay) Error() string { return "no such day: " + string(d) }

// readMoment reads a date, a month or a date with its time; the text is in its normal form.
func readMoment(s string) (moment, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return moment{at: t.In(kit.Shanghai)}, nil
	}
	var n [6]int
	month := true
	if m := compactDay.FindStringSubmatch(s); m != nil {
		n[0], n[1], n[2] = number(m[1]), number(m[2]), number(m[3])
		month = m[3] == ""
	} else {
		m := momentPattern.FindStringSubmatch(s)
		if m == nil {
			return moment{}, errNoMoment
		}
		month = m[5] == ""
		second := m[4]
		switch {
		case m[2] == "年": // 月 may be left out at the end: 2024年7
			if second != "" && second != "月" {
				return moment{}, errNoMoment
			}
		case second != "" && second != m[2], month && second != "":
			return moment{}, errNoMoment
		}
		if month && m[6] != "" {
			return moment{}, errNoMoment
		}
		for i, at := range []int{1, 3, 5, 6, 7, 8} {
			n[i] = number(m[at])
		}
	}
	if month {
		n[2] = 1
	}
	at := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, kit.Shanghai)
	if n[0] < 1900 || n[0] > 2200 || n[1] < 1 || n[1] > 12 || n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return moment{}, errNoMoment
	}
	if at.Day() != n[2] || int(at.Month()) != n[1] {
		return moment{}, noDay(s)
	}
	return moment{at, month}, nil
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // digits, or nothing
	return n
}

// moment checks a date against what the field may hold, and brings it into the form in
// which it is stored.
func (f *Field) moment(m moment, now time.Time) (any, error) {
	switch {
	case f.Type == "month":
		month := m.at.Format("2006-01")
		if last := kit.AddMonths(kit.Month(now), 12); month < firstMonth || month > last {
			return nil, Refuse("%s应在%s与%s之间", f.Label, firstMonth, last)
		}
		return month, nil
	case m.month:
		return nil, f.unreadable(errNoMoment)
	case f.Type == "datetime":
		return m.at, nil
	case f.Past && m.at.After(now):
		return nil, Refuse("%s不能晚于今天", f.Label)
	}
	return m.at.Format(time.DateOnly), nil
}

// firstMonth is when the Party was founded: no month of dues is earlier.
const firstMonth = "1921-07"

// unreadable says how to write what was not understood.
func (f *Field) unreadable(err error) error {
	if d, ok := errors.AsType[noDay](err); ok {
		return Refuse("%s：没有%s这一天", f.Label, Clip(string(d)))
	}
	switch f.Type {
	case "month":
		return Refuse("%s应为年月，如2024-07", f.Label)
	case "datetime":
		return Refuse("%s应为时间，如2024-07-01 09:00", f.Label)
	}
	return Refuse("%s应为日期，如2024-07-01", f.Label)
}
