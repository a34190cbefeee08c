package sim

import (
	"cmp"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"zhihuidangjian/rpc/kit"
)

const billHead = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"

// bill says where the file of a day is; WeChat has it from 10:00 of the next day.
func (s *Sim) bill(r *http.Request, _ []byte) (map[string]any, *payError) {
	q := r.URL.Query()
	day, err := time.ParseInLocation(time.DateOnly, q.Get("bill_date"), kit.Shanghai)
	kind := q.Get("bill_type")
	if err != nil || kind != "" && kind != "ALL" {
		return nil, &errParam
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch now := s.now(); {
	case !now.After(day.AddDate(0, 0, 1)):
		return nil, &errNoStatement
	case now.Before(day.AddDate(0, 0, 1).Add(10 * time.Hour)):
		return nil, &payError{400, "STATEMENT_CREATING", "账单生成中"}
	}
	text := s.billText(day)
	if text == "" {
		return nil, &errNoStatement
	}
	sum := sha1.Sum([]byte(text))
	link := "http://" + r.Host + "/v3/billdownload/file?token=" + rand.Text() + "&day=" + q.Get("bill_date")
	return map[string]any{"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]), "download_url": link}, nil
}

// billFile serves the file. It is not signed, as at WeChat, but the request is.
func (s *Sim) billFile(w http.ResponseWriter, r *http.Request) {
	day, err := time.ParseInLocation(time.DateOnly, r.URL.Query().Get("day"), kit.Shanghai)
	if err != nil || !s.signed(r, nil) {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"code": "SIGN_ERROR", "message": "签名错误"})
		return
	}
	fault, answered := s.fault(w, r, "billfile")
	if answered {
		return
	}
	s.mu.Lock()
	text := s.billText(day)
	s.mu.Unlock()
	if fault != "" { // a file that is not what was promised
		text = text[:len(text)/2]
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text)) // the client has gone
}

// billText writes the bill of a day, "" if nothing was traded. It needs s.mu.
func (s *Sim) billText(day time.Time) string {
	type line struct {
		at   time.Time
		text string
	}
	on := func(t time.Time) bool {
		return t.In(kit.Shanghai).Format(time.DateOnly) == day.Format(time.DateOnly)
	}
	row := func(at time.Time, o *order, state string, f *refund) line {
		refundID, refundNo, refunded, refundState, refundType := "0", "0", int64(0), "", ""
		if f != nil {
			refundID, refundNo, refunded, refundState, refundType = f.RefundID, f.OutRefundNo, f.Amount, "SUCCESS", "ORIGINAL"
		}
		fields := []string{at.In(kit.Shanghai).Format(time.DateTime), o.AppID, MchID, "0", "", o.TransactionID, o.OutTradeNo, o.OpenID,
			o.Type, state, "OTHERS", "CNY", kit.Yuan(o.Amount), "0.00", refundID, refundNo, kit.Yuan(refunded), "0.00", refundType, refundState,
			o.Description, "", "0.00000", "0.00%", kit.Yuan(o.Amount), kit.Yuan(refunded), ""}
		return line{at, "`" + strings.Join(fields, ",`")}
	}
	var lines []line
	var total, back int64
	for _, o := range s.state.Orders {
		if on(o.PaidAt) {
			lines = append(lines, row(o.PaidAt, o, "SUCCESS", nil))
			total += o.Amount
		}
	}
	for _, f := range s.state.Refunds {
		if on(f.At) {
			lines = append(lines, row(f.At, s.state.Orders[f.OutTradeNo], "REFUND", f))
			back += f.Amount
		}
	}
	if len(lines) == 0 {
		return ""
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.text, b.text)) })
	var b strings.Builder
	b.WriteString("\ufeff" + billHead + "\r\n")
	for _, l := range lines {
		b.WriteString(l.text + "\r\n")
	}
	b.WriteString("总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n")
	fmt.Fprintf(&b, "`%d,`%s,`%s,`0.00,`0.00000,`%s,`%s\r\n", len(lines), kit.Yuan(total), kit.Yuan(back), kit.Yuan(total), kit.Yuan(back))
	return b.String()
}
