package docstore

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func addAll(op string, a []val) val {
	sum, date := vInt(0), false
	for _, x := range a {
		if x.Type == tDate {
			check(!date, 16612, "only one date allowed in an $add expression")
			date, x = true, vLong(x.DateTime())
		}
		sum, _ = arith('+', sum, number(op, x))
	}
	if date {
		ms, ok := asInt(sum)
		if !ok {
			ms = int64(math.Round(asFloat(sum)))
		}
		return vDate(ms)
	}
	return sum
}

func multiplyAll(op string, a []val) val {
	p := vInt(1)
	for _, x := range a {
		p, _ = arith('*', p, number(op, x))
	}
	return p
}

func subtract(op string, a []val) val {
	if a[0].Type == tDate {
		if a[1].Type == tDate {
			return vLong(a[0].DateTime() - a[1].DateTime())
		}
		return vDate(a[0].DateTime() - int64(math.Round(asFloat(number(op, a[1])))))
	}
	r, _ := arith('-', number(op, a[0]), number(op, a[1]))
	return r
}

func noDecimal(op string, a []val) {
	for _, x := range a {
		check(number(op, x).Type != tDecimal, 238, "%s of a Decimal128 is not supported", op)
	}
}

func divide(op string, a []val) val {
	noDecimal(op, a)
	check(asFloat(a[1]) != 0, 16608, "can't $divide by zero")
	return vDbl(asFloat(a[0]) / asFloat(a[1]))
}

func modulo(op string, a []val) val {
	noDecimal(op, a)
	check(asFloat(a[1]) != 0, 16610, "can't $mod by zero")
	if a[0].Type == tDouble || a[1].Type == tDouble {
		return vDbl(math.Mod(asFloat(a[0]), asFloat(a[1])))
	}
	x, _ := asInt(a[0])
	y, _ := asInt(a[1])
	if a[0].Type == tInt32 && a[1].Type == tInt32 {
		return vInt(int32(x % y))
	}
	return vLong(x % y)
}

// round serves $abs $ceil $floor $round (half to even) and $trunc.
func round(op string, a []val) val {
	noDecimal(op, a[:1])
	v, place := a[0], int64(0)
	if len(a) == 2 {
		var ok bool
		place, ok = asInt(a[1])
		check(ok && place >= -20 && place <= 100, 51083, "%s takes a whole number of places between -20 and 100", op)
	}
	if v.Type != tDouble {
		if op == "$abs" && asFloat(v) < 0 {
			r, over := arith('-', vInt(0), v)
			check(!over, 28680, "can't take $abs of long long min")
			return r
		}
		check(place >= 0, 238, "%s of an integer to a negative place is not supported", op)
		return v
	}
	f := v.Double()
	p := math.Pow(10, float64(place))
	switch op {
	case "$abs":
		return vDbl(math.Abs(f))
	case "$ceil":
		return vDbl(math.Ceil(f))
	case "$floor":
		return vDbl(math.Floor(f))
	case "$trunc":
		return vDbl(math.Trunc(f*p) / p)
	}
	if place > 0 { // in decimal, so that 2.675 rounds as it is stored
		g, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(place), 64), 64)
		return vDbl(g)
	}
	return vDbl(math.RoundToEven(f*p) / p)
}

func substr(op string, a []val) val {
	s := []rune(str(toText(op, a)))
	i, ok := asInt(a[1])
	n, ok2 := asInt(a[2])
	check(ok && ok2 && i >= 0 && n >= 0, 34450, "$substrCP takes non-negative integers")
	i = min(i, int64(len(s)))
	return vStr(string(s[i:][:min(n, int64(len(s))-i)]))
}

func split(op string, a []val) val {
	check(a[0].Type == tString && a[1].Type == tString && str(a[1]) != "", 40085, "$split requires two strings, the second not empty")
	var out []val
	for s := range strings.SplitSeq(str(a[0]), str(a[1])) {
		out = append(out, vStr(s))
	}
	return array(out)
}

func toText(op string, a []val) val {
	switch v := a[0]; v.Type {
	case 0, tNull, tUndefined:
		return vStr("")
	case tString:
		return v
	case tInt32, tInt64:
		i, _ := asInt(v)
		return vStr(strconv.FormatInt(i, 10))
	case tDouble:
		return vStr(strconv.FormatFloat(v.Double(), 'g', -1, 64))
	case tDecimal:
		h, l := v.Decimal128()
		return vStr(bson.NewDecimal128(h, l).String())
	case tBool:
		return vStr(strconv.FormatBool(v.Boolean()))
	case tOID:
		return vStr(hex.EncodeToString(v.Data))
	case tDate:
		return vStr(v.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	panic(fail(241, "Unsupported conversion from %s to string in %s", typeName(a[0].Type), op))
}

func toNumber(op string, a []val) val {
	f, i, whole := 0.0, int64(0), false
	switch v := a[0]; v.Type {
	case tBool:
		i, whole = int64(v.Data[0]), true
	case tDate:
		check(op != "$toInt", 241, "Unsupported conversion from date to int")
		i, whole = v.DateTime(), true
	case tString:
		var err error
		if op == "$toDouble" {
			f, err = strconv.ParseFloat(str(v), 64)
		} else {
			i, err = strconv.ParseInt(str(v), 10, 64)
			whole = true
		}
		check(err == nil, 241, "Failed to parse number '%s' in %s", str(v), op)
	case tInt32, tInt64:
		i, whole = asIntMust(v), true
	default:
		f = asFloat(number(op, v))
	}
	if op == "$toDouble" {
		if whole {
			f = float64(i)
		}
		return vDbl(f)
	}
	if !whole {
		check(f > -(1<<63) && f < 1<<63, 241, "Conversion would overflow target type in %s", op)
		i = int64(f)
	}
	if op == "$toLong" {
		return vLong(i)
	}
	check(i == int64(int32(i)), 241, "Conversion would overflow target type in $toInt")
	return vInt(int32(i))
}

func asIntMust(v val) int64 { i, _ := asInt(v); return i }

func toDate(op string, a []val) val {
	switch v := a[0]; v.Type {
	case tDate:
		return v
	case tInt64, tDouble:
		return vDate(int64(asFloat(v)))
	case tString:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
			if t, err := time.Parse(layout, str(v)); err == nil {
				return vDate(t.UnixMilli())
			}
		}
		panic(fail(241, "Error parsing date string '%s'", str(v)))
	}
	return vDate(timeOf(op, a[0], time.UTC).UnixMilli())
}

func setUnion(op string, a []val) val {
	seen := map[string]bool{}
	var out []val
	for _, x := range a {
		for _, y := range list(op, x) {
			if k := string(appendKey(nil, y)); !seen[k] {
				seen[k] = true
				out = append(out, y)
			}
		}
	}
	return array(out)
}

// dateParts are the operators that read one number off a date.
var dateParts = map[string]func(time.Time) int{
	"$year": time.Time.Year, "$month": func(t time.Time) int { return int(t.Month()) }, "$dayOfMonth": time.Time.Day,
	"$hour": time.Time.Hour, "$minute": time.Time.Minute, "$second": time.Time.Second,
	"$millisecond": func(t time.Time) int { return t.Nanosecond() / 1e6 }, "$dayOfYear": time.Time.YearDay,
	"$dayOfWeek": func(t time.Time) int { return int(t.Weekday()) + 1 }, "$isoDayOfWeek": func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 },
	"$isoWeek": func(t time.Time) int { _, w := t.ISOWeek(); return w }, "$isoWeekYear": func(t time.Time) int { y, _ := t.ISOWeek(); return y },
}

func timeOf(op string, v val, zone *time.Location) time.Time {
	switch v.Type {
	case tDate:
		return time.UnixMilli(v.DateTime()).In(zone)
	case tOID:
		id := bson.ObjectID(v.Data)
		return id.Timestamp().In(zone)
	case tTimestamp:
		t, _ := v.Timestamp()
		return time.Unix(int64(t), 0).In(zone)
	}
	panic(fail(16006, "can't convert from BSON type %s to Date in %s", typeName(v.Type), op))
}

// zoneOf reads a time zone: an Olson name, or an offset such as +08:00, +0800 or +08.
func zoneOf(x expr, e *env) *time.Location {
	if x == nil {
		return time.UTC
	}
	v := x(e)
	if isNull(v) {
		return time.UTC
	}
	s := text("timezone", v)
	if strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") {
		for _, layout := range []string{"-07:00", "-0700", "-07"} {
			if t, err := time.Parse(layout, s); err == nil {
				return t.Location()
			}
		}
	}
	loc, err := time.LoadLocation(s)
	check(err == nil && s != "" && s != "Local", 40485, "unrecognized time zone identifier: \"%s\"", s)
	return loc
}

func dateToString(m map[string]expr) expr {
	check(m["date"] != nil, 18628, "Missing 'date' parameter to $dateToString")
	return func(e *env) val {
		d := m["date"](e)
		if isNull(d) {
			if m["onNull"] != nil {
				return m["onNull"](e)
			}
			return vNull
		}
		zone := zoneOf(m["timezone"], e)
		t := timeOf("$dateToString", d, zone)
		format := "%Y-%m-%dT%H:%M:%S.%LZ"
		if m["timezone"] != nil && zone != time.UTC {
			format = "%Y-%m-%dT%H:%M:%S.%L"
		}
		if m["format"] != nil {
			f := m["format"](e)
			if isNull(f) {
				return vNull
			}
			format = text("$dateToString", f)
		}
		return vStr(strftime(format, t))
	}
}

func strftime(format string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		check(i < len(format), 18535, "Unmatched '%%' at end of format string")
		isoYear, isoWeek := t.ISOWeek()
		switch c := format[i]; c {
		case 'Y':
			fmt.Fprintf(&b, "%04d", t.Year())
		case 'm':
			fmt.Fprintf(&b, "%02d", t.Month())
		case 'd':
			fmt.Fprintf(&b, "%02d", t.Day())
		case 'H':
			fmt.Fprintf(&b, "%02d", t.Hour())
		case 'M':
			fmt.Fprintf(&b, "%02d", t.Minute())
		case 'S':
			fmt.Fprintf(&b, "%02d", t.Second())
		case 'L':
			fmt.Fprintf(&b, "%03d", t.Nanosecond()/1e6)
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'w':
			fmt.Fprintf(&b, "%d", int(t.Weekday())+1)
		case 'u':
			fmt.Fprintf(&b, "%d", (int(t.Weekday())+6)%7+1)
		case 'G':
			fmt.Fprintf(&b, "%04d", isoYear)
		case 'V':
			fmt.Fprintf(&b, "%02d", isoWeek)
		case 'z':
			b.WriteString(t.Format("-0700"))
		case 'Z':
			_, off := t.Zone()
			fmt.Fprintf(&b, "%d", off/60)
		case 'B':
			b.WriteString(t.Month().String())
		case 'b':
			b.WriteString(t.Month().String()[:3])
		case '%':
			b.WriteByte('%')
		default:
			panic(fail(18536, "Invalid format character '%%%c' in format string", c))
		}
	}
	return b.String()
}
