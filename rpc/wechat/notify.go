package wechat

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"time"

	wpnotify "github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/kit"
)

// MaxNotice bounds the body of a payment notice; a real one has about 1 KB.
const MaxNotice = 64 << 10

type payNotify struct {
	cfg     conf.WeChat
	call    *caller
	handler *wpnotify.Handler // nil when not configured
}

// Parse implements PayNotify. The SDK compares the timestamp with the machine's
// clock, never the product's, which the sandbox may have moved.
func (n *payNotify) Parse(ctx context.Context, header http.Header, body []byte) (notice Notice, err error) {
	err = n.call.do(ctx, apiTimeout, func(ctx context.Context) error {
		if n.handler == nil {
			return &Error{Kind: KindConfig, Message: "WeChat Pay is not configured"}
		}
		if len(body) > MaxNotice {
			return forged("notice is too long")
		}
		// Shape first: the SDK panics on a missing resource and on a nonce of another length.
		var envelope struct {
			EventType string `json:"event_type"`
			Resource  *struct {
				Nonce      string `json:"nonce"`
				Ciphertext string `json:"ciphertext"`
			} `json:"resource"`
		}
		if json.Unmarshal(body, &envelope) != nil || envelope.Resource == nil || len(envelope.Resource.Nonce) != 12 {
			return forged("notice is malformed")
		}
		if _, err := base64.StdEncoding.DecodeString(envelope.Resource.Ciphertext); err != nil {
			return forged("notice is malformed")
		}
		switch envelope.EventType {
		case EventRefunded, EventRefundAbnormal, EventRefundClosed:
			notice, err = n.refund(ctx, header, body)
			return err
		}
		var t payments.Transaction
		request, err := n.handler.ParseNotifyRequest(ctx,
			&http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(bytes.NewReader(body))}, &t)
		if err != nil { // its text dumps the whole request
			return forged("notice does not verify")
		}
		notice = Notice{ID: request.ID, EventType: request.EventType, Transaction: transaction(&t)}
		if request.EventType != EventPaid || request.Resource.OriginalType != "transaction" ||
			notice.TradeState != TradeSuccess || notice.ID == "" || notice.OutTradeNo == "" || notice.TransactionID == "" ||
			notice.MchID != n.cfg.MchID || notice.AppID == "" || notice.AppID != n.cfg.AppID && notice.AppID != n.cfg.MiniAppID {
			return &Error{Kind: KindUser, Code: "not_payment", Message: "notice is not a successful payment to this merchant", Err: ErrNotPayment}
		}
		return nil
	})
	if err != nil {
		return Notice{}, err
	}
	return notice, nil
}

// refund reads a notice of a refund, whose shape is known to be right.
func (n *payNotify) refund(ctx context.Context, header http.Header, body []byte) (Notice, error) {
	var r struct {
		MchID         string `json:"mchid"`
		OutTradeNo    string `json:"out_trade_no"`
		TransactionID string `json:"transaction_id"`
		OutRefundNo   string `json:"out_refund_no"`
		RefundID      string `json:"refund_id"`
		Status        string `json:"refund_status"`
		SuccessTime   string `json:"success_time"`
		Amount        struct {
			Refund int64 `json:"refund"`
		} `json:"amount"`
	}
	request, err := n.handler.ParseNotifyRequest(ctx, &http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(bytes.NewReader(body))}, &r)
	if err != nil {
		return Notice{}, forged("notice does not verify")
	}
	notice := Notice{ID: request.ID, EventType: request.EventType, Refund: &Refund{
		OutRefundNo: r.OutRefundNo, RefundID: r.RefundID, OutTradeNo: r.OutTradeNo, TransactionID: r.TransactionID, Status: r.Status, RefundFen: r.Amount.Refund,
	}}
	if at, err := time.Parse(time.RFC3339, r.SuccessTime); err == nil {
		notice.Refund.SuccessAt = at.In(kit.Shanghai)
	}
	if request.Resource.OriginalType != "refund" || notice.ID == "" || r.OutRefundNo == "" || r.OutTradeNo == "" || r.Amount.Refund < 1 || r.MchID != n.cfg.MchID ||
		(r.Status == RefundSuccess) != (request.EventType == EventRefunded) {
		return Notice{}, &Error{Kind: KindUser, Code: "not_payment", Message: "notice is no refund of this merchant", Err: ErrNotPayment}
	}
	return notice, nil
}

func forged(message string) error {
	return &Error{Kind: KindUser, Code: "signature", Message: message, Err: ErrSignature}
}
