package dues

import (
	"fmt"
	"strings"
)

var digits = []rune("零壹贰叁肆伍陆柒捌玖")

// capitals writes an amount in Chinese capitals as on receipts: 10250 fen are
// 壹佰零贰元伍角整. Amounts are not negative.
func capitals(fen int64) string {
	var b strings.Builder
	if whole := fen / 100; whole > 0 || fen == 0 {
		b.WriteString(wholeCapitals(whole))
		b.WriteString("元")
	}
	jiao, f := fen/10%10, fen%10
	switch {
	case jiao == 0 && f == 0:
		b.WriteString("整")
	case f == 0:
		fmt.Fprintf(&b, "%c角整", digits[jiao])
	case jiao == 0 && fen < 100:
		fmt.Fprintf(&b, "%c分", digits[f])
	case jiao == 0:
		fmt.Fprintf(&b, "零%c分", digits[f])
	default:
		fmt.Fprintf(&b, "%c角%c分", digits[jiao], digits[f])
	}
	return b.String()
}

// wholeCapitals writes groups of four digits under 万 and 亿, one 零 for any run of
// zeros between digits.
func wholeCapitals(n int64) string {
	if n == 0 {
		return "零"
	}
	units, groups := []string{"", "拾", "佰", "仟"}, []string{"", "万", "亿", "万亿"}
	var b strings.Builder
	text := fmt.Sprint(n)
	zero, inGroup := false, false
	for i, r := range text {
		left := len(text) - 1 - i
		if d := r - '0'; d == 0 {
			zero = true
		} else {
			if zero {
				b.WriteRune('零')
			}
			b.WriteRune(digits[d])
			b.WriteString(units[left%4])
			zero, inGroup = false, true
		}
		if left%4 == 0 {
			if inGroup {
				b.WriteString(groups[left/4])
			}
			inGroup = false
		}
	}
	return b.String()
}
