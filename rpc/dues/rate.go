package dues

import (
	"time"

	"zhihuidangjian/rpc/kit"
)

// The kinds of members that dues tell apart, Member.duesCategory.
const (
	salaried = "salaried"
	retired  = "retired"
	farmer   = "farmer"
	student  = "student"
)

// band is one step of a table of rates: bases up to and including UpTo pay Rate on the
// whole base. Upper bounds are inclusive.
type band struct {
	UpTo int64 // fen; 0: no bound
	Rate int32 // 1/10,000
	// Fixed is an amount a month that does not depend on the base.
	Fixed int64 // fen
}

// rateTable is a regulation's rates from a month on. Rates change by adding a table;
// months before keep theirs.
type rateTable struct {
	Version string
	From    string // yyyy-MM
	Bands   map[string][]band
}

// rateTables are in force one after the other, the latest last.
//
// 中组发〔2008〕3号 lets the organisation set farmers' dues between 0.20 and 1.00 yuan;
// the table takes the least.
var rateTables = []rateTable{{
	Version: "中组发〔2008〕3号", From: "2008-04",
	Bands: map[string][]band{
		salaried: {{UpTo: 300_000, Rate: 50}, {UpTo: 500_000, Rate: 100}, {UpTo: 1_000_000, Rate: 150}, {Rate: 200}},
		retired:  {{UpTo: 500_000, Rate: 50}, {Rate: 100}},
		farmer:   {{Fixed: 20}},
		student:  {{Fixed: 20}},
	},
}}

// rateIn is the table of a month; before the first one, the first one.
func rateIn(month string) rateTable {
	t := rateTables[0]
	for _, x := range rateTables[1:] {
		if x.From <= month {
			t = x
		}
	}
	return t
}

// payable is the rate and the dues of one month on a base, rounded by a policy: 42.005 yuan are 42.01
// to the fen. An unknown category counts as salaried.
func payable(month, category string, base int64, policy string) (rate int32, due int64) {
	t := rateIn(month)
	bands, ok := t.Bands[category]
	if !ok {
		bands = t.Bands[salaried]
	}
	for _, b := range bands {
		if b.UpTo > 0 && base > b.UpTo {
			continue
		}
		if b.Fixed > 0 {
			return 0, b.Fixed
		}
		unit := max(rounding[policy], 1)
		return b.Rate, roundHalfUp(base*int64(b.Rate), 10_000*unit) * unit
	}
	return 0, 0
}

// roundHalfUp divides without a float; n is not negative.
func roundHalfUp(n, by int64) int64 { return (2*n + by) / (2 * by) }

// maxMonths bounds one order.
const maxMonths = 60

// aheadMonths is how many months after the current one may be paid in advance.
const aheadMonths = 6

// validMonth tells whether s is yyyy-MM.
func validMonth(s string) bool {
	t, err := time.ParseInLocation("2006-01", s, kit.Shanghai)
	return err == nil && t.Format("2006-01") == s && t.Year() >= 1921 && t.Year() < 2200
}

// months lists from…to, both included; nil when to is before from.
func months(from, to string) []string {
	var out []string
	for m := from; m <= to && len(out) <= maxMonths; m = kit.AddMonths(m, 1) {
		out = append(out, m)
	}
	return out
}
