package wechat

import (
	"strings"
	"testing"
)

const billHeading = "\ufeff交易时间,公众账号ID,商户号,微信订单号,商户订单号,用户标识,交易类型,交易状态,微信退款单号,商户退款单号,退款金额,退款状态,商品名称,订单金额\r\n"

func TestParseBill(t *testing.T) {
	line := "`2026-07-01 09:30:00,`wx1,`1900,`4200,`DF1,`o1,`JSAPI,`SUCCESS,`0,`0,`0.00,`,`党费,6月,`0.10\r\n"
	totals := "总交易单数,应结订单总金额\r\n`1,`0.10\r\n"

	t.Run("a goods name with a comma", func(t *testing.T) {
		lines, err := parseBill(billHeading + line + totals)
		if err != nil || len(lines) != 1 {
			t.Fatal(lines, err)
		}
		if l := lines[0]; l.AmountFen != 10 || l.OutTradeNo != "DF1" || l.RefundID != "" || l.At.Format("2006-01-02 15:04 -0700") != "2026-07-01 09:30 +0800" {
			t.Errorf("%+v", l)
		}
	})
	for name, text := range map[string]string{
		"empty":         "",
		"error page":    "<html>",
		"cut off":       billHeading + line,
		"cut in totals": billHeading + line + "总交易单数\r\n",
		"line missing":  billHeading + totals,
		"bad amount":    billHeading + strings.Replace(line, "0.10", "0.1x", 1) + totals,
		"bad time":      billHeading + strings.Replace(line, "2026-07-01", "2026-13-01", 1) + totals,
		"missing field": billHeading + "`2026-07-01 09:30:00\r\n" + totals,
	} {
		t.Run(name, func(t *testing.T) {
			if lines, err := parseBill(text); err == nil && (name != "missing field" || lines[0].OutTradeNo != "") {
				t.Errorf("accepted as %+v", lines)
			}
		})
	}
}

func TestParseYuan(t *testing.T) {
	for text, fen := range map[string]int64{"": 0, "0": 0, "0.1": 10, "0.01": 1, "12.34": 1234, "100000.00": 10000000} {
		if got, err := parseYuan(text); err != nil || got != fen {
			t.Errorf("%q is %d, %v; want %d", text, got, err, fen)
		}
	}
	for _, bad := range []string{"-1", "1.234", "1e3", "x", "1.x", "0.-1", "99999999999999999999"} {
		if got, err := parseYuan(bad); err == nil {
			t.Errorf("%q is %d", bad, got)
		}
	}
}

func FuzzParseBill(f *testing.F) {
	f.Add(billHeading + "`2026-07-01 09:30:00,`wx1\r\n总\r\n`1")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := parseBill(text)
		for _, l := range lines {
			if err != nil || l.AmountFen < 0 {
				t.Fatalf("%+v, %v", l, err)
			}
		}
	})
}
