package wechat

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"

	"zhihuidangjian/rpc/kit"
)

// maxBill bounds a bill file: some 200,000 trades.
const maxBill = 64 << 20

// Bill implements PayGateway. The file itself is not signed; its SHA-1 comes in
// a signed answer.
func (p *pay) Bill(ctx context.Context, date time.Time) (lines []BillLine, err error) {
	err = p.call.do(ctx, billTimeout, func(ctx context.Context) error {
		if p.client == nil {
			return &Error{Kind: KindConfig, Message: "WeChat Pay is not configured"}
		}
		day := date.In(kit.Shanghai).Format(time.DateOnly)
		if day >= p.now().In(kit.Shanghai).Format(time.DateOnly) {
			return &Error{Kind: KindUser, Code: "date", Message: "there is no bill for " + day + " before tomorrow"}
		}
		q := url.Values{"bill_date": {day}, "bill_type": {"ALL"}}
		res, err := p.client.Get(ctx, consts.WechatPayAPIServer+"/v3/bill/tradebill?"+q.Encode())
		if err != nil {
			var api *core.APIError
			if errors.As(err, &api) && api.Code == "NO_STATEMENT_EXIST" {
				return nil
			}
			return err
		}
		var answer struct {
			HashType    string `json:"hash_type"`
			HashValue   string `json:"hash_value"`
			DownloadURL string `json:"download_url"`
		}
		if err := core.UnMarshalResponse(res.Response, &answer); err != nil {
			return err
		}
		if answer.HashType != "SHA1" || !p.ownHost(answer.DownloadURL) {
			return &Error{Kind: KindUnknown, Message: "bill answer is not understood"}
		}
		file, err := p.files.Get(ctx, answer.DownloadURL)
		if err != nil {
			return err
		}
		defer file.Response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(file.Response.Body, maxBill))
		if err != nil {
			return err
		}
		if sum := sha1.Sum(body); hex.EncodeToString(sum[:]) != strings.ToLower(answer.HashValue) {
			return &Error{Kind: KindRetryable, Message: "bill file does not match its SHA-1", Err: ErrSignature}
		}
		lines, err = parseBill(string(body))
		if err != nil {
			return &Error{Kind: KindUnknown, Message: err.Error()}
		}
		return nil
	})
	return lines, err
}

// ownHost keeps the signed request for the file from going anywhere else.
func (p *pay) ownHost(raw string) bool {
	return strings.HasPrefix(raw, consts.WechatPayAPIServer+"/") || strings.HasPrefix(raw, p.cfg.PayBaseURL+"/")
}

// parseBill reads WeChat's trade bill: a heading, lines whose every field begins
// with a back-tick, then a heading and a line of totals, whose count must agree.
func parseBill(text string) ([]BillLine, error) {
	rows := strings.Split(strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"), "\n")
	column := map[string]int{}
	for i, name := range strings.Split(rows[0], ",") {
		column[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"交易时间", "商户订单号", "微信订单号", "交易状态", "订单金额"} {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("bill has no column %s", name)
		}
	}
	lines := []BillLine{}
	for i, row := range rows[1:] {
		if !strings.HasPrefix(row, "`") { // heading of the totals
			if len(rows) < i+3 {
				break
			}
			total, _, _ := strings.Cut(strings.TrimPrefix(rows[i+2], "`"), ",")
			if total != strconv.Itoa(len(lines)) {
				return nil, fmt.Errorf("bill has %d lines and says %s", len(lines), total)
			}
			return lines, nil
		}
		fields := strings.Split(row[1:], ",`") // a goods name may hold a comma
		get := func(name string) string {
			if at, ok := column[name]; ok && at < len(fields) {
				return strings.TrimSpace(fields[at])
			}
			return ""
		}
		at, err := time.ParseInLocation(time.DateTime, get("交易时间"), kit.Shanghai)
		if err != nil {
			return nil, fmt.Errorf("bill line %d: time", i+1)
		}
		amount, err := parseYuan(get("订单金额"))
		if err != nil {
			return nil, fmt.Errorf("bill line %d: %w", i+1, err)
		}
		refund, err := parseYuan(get("退款金额"))
		if err != nil {
			return nil, fmt.Errorf("bill line %d: %w", i+1, err)
		}
		line := BillLine{
			At: at, AppID: get("公众账号ID"), MchID: get("商户号"), TransactionID: get("微信订单号"), OutTradeNo: get("商户订单号"),
			OpenID: get("用户标识"), TradeType: get("交易类型"), TradeState: get("交易状态"), AmountFen: amount, RefundFen: refund,
			RefundID: get("微信退款单号"), OutRefundNo: get("商户退款单号"), RefundStatus: get("退款状态"),
		}
		if line.RefundID == "0" { // WeChat's way to say none
			line.RefundID, line.OutRefundNo = "", ""
		}
		lines = append(lines, line)
	}
	return nil, errors.New("bill is cut off: it has no totals")
}

// parseYuan turns 12.34 into 1234 without a float.
func parseYuan(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	yuan, fen, _ := strings.Cut(s, ".")
	if len(fen) > 2 {
		return 0, errors.New("amount has more than two decimals")
	}
	n, err := strconv.ParseInt(yuan+(fen + "00")[:2], 10, 64)
	if err != nil || n < 0 || len(s) > 15 {
		return 0, errors.New("not an amount")
	}
	return n, nil
}
