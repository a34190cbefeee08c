package sim

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"zhihuidangjian/rpc/kit"
)

// order is one order at WeChat Pay.
type order struct {
	OutTradeNo, PrepayID, CodeURL, TransactionID string
	AppID, OpenID, Type, Description, NotifyURL  string
	Amount                                       int64
	State                                        string // NOTPAY, SUCCESS, REFUND, CLOSED
	CreatedAt, ExpireAt, PaidAt, CancelledAt     time.Time
	Plan                                         string // late, withheld: what becomes of the notice once paid
	Log                                          []delivery
}

// prepayLife is how long an order without time_expire can be paid.
const prepayLife = 2 * time.Hour

// state is the trade state now: what expired unpaid is closed.
func (o *order) state(now time.Time) string {
	if o.State == "NOTPAY" && !now.Before(o.ExpireAt) {
		return "CLOSED"
	}
	return o.State
}

// resource is the transaction as queries and notices tell it.
func (o *order) resource(now time.Time) map[string]any {
	state := o.state(now)
	m := map[string]any{
		"appid": o.AppID, "mchid": MchID, "out_trade_no": o.OutTradeNo, "trade_state": state,
		"trade_state_desc": tradeStates[state], "attach": "",
		"amount": map[string]any{"total": o.Amount, "currency": "CNY"},
	}
	if !o.PaidAt.IsZero() {
		m["transaction_id"], m["trade_type"], m["bank_type"] = o.TransactionID, o.Type, "OTHERS"
		m["success_time"] = o.PaidAt.In(kit.Shanghai).Format(time.RFC3339)
		m["payer"] = map[string]any{"openid": o.OpenID}
		m["amount"] = map[string]any{"total": o.Amount, "payer_total": o.Amount, "currency": "CNY", "payer_currency": "CNY"}
	}
	return m
}

var tradeStates = map[string]string{"SUCCESS": "支付成功", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭", "REFUND": "订单发生过退款"}

// refund is one refund; the simulator's are done at once, or, by the fault processing, when its notice
// goes out.
type refund struct {
	OutRefundNo, RefundID, OutTradeNo, Reason string
	Amount                                    int64
	At                                        time.Time
	Processing                                bool
}

func (f *refund) resource(o *order) map[string]any {
	at, status := f.At.In(kit.Shanghai).Format(time.RFC3339), "SUCCESS"
	if f.Processing {
		status = "PROCESSING"
	}
	return map[string]any{
		"refund_id": f.RefundID, "out_refund_no": f.OutRefundNo, "transaction_id": o.TransactionID, "out_trade_no": o.OutTradeNo,
		"channel": "ORIGINAL", "user_received_account": "支付用户零钱", "success_time": at, "create_time": at,
		"status": status, "funds_account": "AVAILABLE",
		"amount": map[string]any{"total": o.Amount, "refund": f.Amount, "payer_total": o.Amount, "payer_refund": f.Amount,
			"settlement_refund": f.Amount, "settlement_total": o.Amount, "discount_refund": 0, "currency": "CNY"},
	}
}

// told is a refund as its notice tells of it.
func (f *refund) told(o *order) map[string]any {
	r := f.resource(o)
	r["mchid"], r["refund_status"] = MchID, r["status"]
	return r
}

// payError is an answer that is not 2xx.
type payError struct {
	status        int
	code, message string
}

var (
	errParam       = payError{400, "PARAM_ERROR", "参数错误"}
	errNotExist    = payError{404, "ORDER_NOT_EXIST", "订单不存在"}
	errPaid        = payError{400, "ORDERPAID", "该订单已支付"}
	errClosed      = payError{400, "ORDER_CLOSED", "订单已关闭"}
	errUsed        = payError{403, "OUT_TRADE_NO_USED", "商户订单号重复"}
	errMismatch    = payError{400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"}
	errNoStatement = payError{400, "NO_STATEMENT_EXIST", "账单文件不存在"}
)

// payHandler serves one call; body is what was signed. A nil answer is 204.
type payHandler func(r *http.Request, body []byte) (answer map[string]any, bad *payError)

func (s *Sim) payRoutes(mux *http.ServeMux) {
	route := func(pattern, target string, h payHandler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.servePay(w, r, target, h) })
	}
	route("POST /v3/pay/transactions/jsapi", "prepay", s.prepay)
	route("POST /v3/pay/transactions/native", "prepay", s.prepay)
	route("GET /v3/pay/transactions/out-trade-no/{no}", "query", s.query)
	route("GET /v3/pay/transactions/id/{id}", "query", s.query)
	route("POST /v3/pay/transactions/out-trade-no/{no}/close", "close", s.close)
	route("POST /v3/refund/domestic/refunds", "refund", s.refund)
	route("GET /v3/refund/domestic/refunds/{no}", "refund", s.queryRefund)
	route("GET /v3/bill/tradebill", "bill", s.bill)
	mux.HandleFunc("GET /v3/billdownload/file", s.billFile)
}

// servePay verifies the request's signature and signs the answer, whatever it is.
func (s *Sim) servePay(w http.ResponseWriter, r *http.Request, target string, h payHandler) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the client has gone
	}
	fault, answered := s.fault(w, r, target)
	if answered {
		return
	}
	var answer map[string]any
	var bad *payError
	switch {
	case !s.signed(r, body):
		bad = &payError{http.StatusUnauthorized, "SIGN_ERROR", "签名错误"}
	case fault != "" && fault != "unsigned" && fault != "paid" && fault != "processing":
		bad = &payError{faultStatus(fault), fault, "沙箱按要求返回的错误"}
	default:
		answer, bad = h(r, body)
	}
	if fault == "processing" && bad == nil {
		answer = s.slowRefund(body)
	}
	if fault == "paid" && bad == nil {
		s.payFirst(r, body)
	}
	status, raw := http.StatusOK, []byte(nil)
	switch {
	case bad != nil:
		status = bad.status
		raw, err = json.Marshal(map[string]any{"code": bad.code, "message": bad.message, "detail": map[string]any{"location": "body"}})
	case answer == nil:
		status = http.StatusNoContent
	default:
		raw, err = json.Marshal(answer)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	key := s.keys.Platform
	if fault == "unsigned" {
		key = s.keys.Merchant // anybody but WeChat Pay
	}
	sign(w.Header(), key, PayPublicKeyID, time.Now(), raw)
	w.Header().Set("Request-Id", rand.Text())
	if len(raw) > 0 {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone
}

func faultStatus(code string) int {
	switch code {
	case "SYSTEM_ERROR", "BANK_ERROR":
		return 500
	case "FREQUENCY_LIMITED":
		return 429
	case "ORDER_NOT_EXIST":
		return 404
	case "SIGN_ERROR":
		return 401
	}
	return 400
}

// sign adds WeChat Pay's signature over timestamp, nonce and body.
func sign(header http.Header, key *rsa.PrivateKey, serial string, at time.Time, body []byte) {
	stamp, nonce := strconv.FormatInt(at.Unix(), 10), rand.Text()
	sum := sha256.Sum256([]byte(stamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // a 2048-bit key always signs
	}
	header.Set("Wechatpay-Timestamp", stamp)
	header.Set("Wechatpay-Nonce", nonce)
	header.Set("Wechatpay-Serial", serial)
	header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	header.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
}

var authParam = regexp.MustCompile(`(\w+)="([^"]*)"`)

// signed verifies the merchant's signature over method, URI, timestamp, nonce and body.
func (s *Sim) signed(r *http.Request, body []byte) bool {
	scheme, params, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	p := map[string]string{}
	for _, m := range authParam.FindAllStringSubmatch(params, -1) {
		p[m[1]] = m[2]
	}
	stamp, err := strconv.ParseInt(p["timestamp"], 10, 64)
	if err != nil || scheme != "WECHATPAY2-SHA256-RSA2048" || p["mchid"] != MchID || p["serial_no"] != MchSerial ||
		time.Since(time.Unix(stamp, 0)).Abs() > 5*time.Minute || !s.firstSeen(p["nonce_str"]) {
		return false
	}
	signature, err := base64.StdEncoding.DecodeString(p["signature"])
	if err != nil {
		return false
	}
	message := r.Method + "\n" + r.URL.RequestURI() + "\n" + p["timestamp"] + "\n" + p["nonce_str"] + "\n" + string(body) + "\n"
	return s.merchantSigned(message, signature)
}

func (s *Sim) merchantSigned(message string, signature []byte) bool {
	sum := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(&s.keys.Merchant.PublicKey, crypto.SHA256, sum[:], signature) == nil
}

// firstSeen refuses a repeated nonce.
func (s *Sim) firstSeen(nonce string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for old, at := range s.nonces {
		if now.Sub(at) > 10*time.Minute {
			delete(s.nonces, old)
		}
	}
	if _, seen := s.nonces[nonce]; seen || nonce == "" {
		return false
	}
	s.nonces[nonce] = now
	return true
}

var tradeNo = regexp.MustCompile(`^[0-9A-Za-z_|*-]{6,32}$`)

func (s *Sim) prepay(r *http.Request, body []byte) (map[string]any, *payError) {
	var req struct {
		AppID       string `json:"appid"`
		MchID       string `json:"mchid"`
		Description string `json:"description"`
		OutTradeNo  string `json:"out_trade_no"`
		TimeExpire  string `json:"time_expire"`
		NotifyURL   string `json:"notify_url"`
		Amount      struct {
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
		Payer struct {
			OpenID string `json:"openid"`
		} `json:"payer"`
	}
	if json.Unmarshal(body, &req) != nil {
		return nil, &errParam
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	o := &order{OutTradeNo: req.OutTradeNo, AppID: req.AppID, OpenID: req.Payer.OpenID, Type: "JSAPI", Description: req.Description,
		NotifyURL: req.NotifyURL, Amount: req.Amount.Total, State: "NOTPAY", CreatedAt: now, ExpireAt: now.Add(prepayLife)}
	if strings.HasSuffix(r.URL.Path, "/native") {
		o.Type, o.OpenID = "NATIVE", ""
	}
	if req.TimeExpire != "" {
		var err error
		if o.ExpireAt, err = time.Parse(time.RFC3339, req.TimeExpire); err != nil || !o.ExpireAt.After(now) {
			return nil, &payError{400, "PARAM_ERROR", "time_expire 须为将来的 RFC 3339 时间"}
		}
	}
	switch notify, err := url.Parse(req.NotifyURL); {
	case req.MchID != MchID, req.AppID != OfficialAppID && req.AppID != MiniAppID:
		return nil, &errMismatch
	case !tradeNo.MatchString(req.OutTradeNo):
		return nil, &payError{400, "PARAM_ERROR", "out_trade_no 格式错误"}
	case req.Description == "" || len(req.Description) > 127:
		return nil, &payError{400, "PARAM_ERROR", "description 长度应为 1 至 127 字节"}
	case req.Amount.Total < 1 || req.Amount.Currency != "" && req.Amount.Currency != "CNY":
		return nil, &payError{400, "PARAM_ERROR", "amount 错误"}
	case err != nil || notify.Host == "" || notify.RawQuery != "":
		return nil, &payError{400, "PARAM_ERROR", "notify_url 错误"}
	case o.Type == "JSAPI" && s.userByOpenID(req.AppID, req.Payer.OpenID) == nil:
		return nil, &payError{400, "PARAM_ERROR", "无效的openid"}
	}
	if old := s.state.Orders[req.OutTradeNo]; old != nil {
		switch old.state(now) {
		case "SUCCESS", "REFUND":
			return nil, &errPaid
		case "CLOSED":
			return nil, &errClosed
		}
		if old.Amount != o.Amount || old.AppID != o.AppID || old.OpenID != o.OpenID || old.Type != o.Type || old.Description != o.Description {
			return nil, &errUsed
		}
		o = old // the same order again
	} else {
		o.PrepayID = "wx" + now.Format("20060102150405") + strings.ToLower(rand.Text()[:20])
		if o.Type == "NATIVE" {
			o.CodeURL = "weixin://wxpay/bizpayurl?pr=" + rand.Text()[:10]
		}
		s.state.Orders[o.OutTradeNo] = o
		s.dirty = true
	}
	if o.Type == "NATIVE" {
		return map[string]any{"code_url": o.CodeURL}, nil
	}
	return map[string]any{"prepay_id": o.PrepayID}, nil
}

// find returns the order of a path or nil. It needs s.mu.
func (s *Sim) find(r *http.Request) *order {
	if no := r.PathValue("no"); no != "" {
		return s.state.Orders[no]
	}
	for _, o := range s.state.Orders {
		if o.TransactionID != "" && o.TransactionID == r.PathValue("id") {
			return o
		}
	}
	return nil
}

func (s *Sim) query(r *http.Request, _ []byte) (map[string]any, *payError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.find(r)
	switch {
	case r.URL.Query().Get("mchid") != MchID:
		return nil, &errParam
	case o == nil:
		return nil, &errNotExist
	}
	return o.resource(s.now()), nil
}

func (s *Sim) close(r *http.Request, body []byte) (map[string]any, *payError) {
	var req struct {
		MchID string `json:"mchid"`
	}
	if json.Unmarshal(body, &req) != nil || req.MchID != MchID {
		return nil, &errParam
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.find(r)
	if o == nil {
		return nil, &errNotExist
	}
	switch o.state(s.now()) {
	case "SUCCESS", "REFUND":
		return nil, &errPaid
	case "CLOSED":
		return nil, &errClosed
	}
	o.State = "CLOSED"
	s.dirty = true
	return nil, nil
}

func (s *Sim) refund(_ *http.Request, body []byte) (map[string]any, *payError) {
	var req struct {
		TransactionID string `json:"transaction_id"`
		OutTradeNo    string `json:"out_trade_no"`
		OutRefundNo   string `json:"out_refund_no"`
		Reason        string `json:"reason"`
		Amount        struct {
			Refund, Total int64
			Currency      string
		} `json:"amount"`
	}
	if json.Unmarshal(body, &req) != nil || req.OutRefundNo == "" || req.Amount.Refund < 1 || req.Amount.Currency != "CNY" {
		return nil, &errParam
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.state.Orders[req.OutTradeNo]
	if o == nil || o.PaidAt.IsZero() {
		return nil, &payError{404, "RESOURCE_NOT_EXISTS", "订单不存在"}
	}
	rest := o.Amount
	for _, f := range s.state.Refunds {
		if f.OutRefundNo == req.OutRefundNo {
			if f.OutTradeNo != req.OutTradeNo || f.Amount != req.Amount.Refund {
				return nil, &payError{400, "INVALID_REQUEST", "退款单号已用于其他退款"}
			}
			return f.resource(o), nil // the same refund again
		}
		if f.OutTradeNo == o.OutTradeNo {
			rest -= f.Amount
		}
	}
	if req.Amount.Total != o.Amount || req.Amount.Refund > rest {
		return nil, &payError{400, "INVALID_REQUEST", "退款金额超过可退金额或与订单金额不一致"}
	}
	f := &refund{OutRefundNo: req.OutRefundNo, RefundID: "5030" + digits(24), OutTradeNo: o.OutTradeNo, Reason: req.Reason, Amount: req.Amount.Refund, At: s.now()}
	s.state.Refunds = append(s.state.Refunds, f)
	o.State = "REFUND"
	s.scheduleRefund(o, f)
	return f.resource(o), nil
}

// slowFor is how long a refund takes that is not done at once.
const slowFor = 30 * time.Second

// slowRefund makes the refund that a request has just made one that takes its time.
func (s *Sim) slowRefund(body []byte) map[string]any {
	var req struct {
		OutRefundNo string `json:"out_refund_no"`
	}
	_ = json.Unmarshal(body, &req) // it was read before
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.state.Refunds {
		if f.OutRefundNo != req.OutRefundNo {
			continue
		}
		f.Processing, s.dirty = true, true
		for _, n := range s.state.Pending {
			if n.OutRefundNo == f.OutRefundNo {
				n.Due = s.now().Add(slowFor)
			}
		}
		return f.resource(s.state.Orders[f.OutTradeNo])
	}
	return nil
}

func (s *Sim) queryRefund(r *http.Request, _ []byte) (map[string]any, *payError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.state.Refunds {
		if f.OutRefundNo == r.PathValue("no") {
			return f.resource(s.state.Orders[f.OutTradeNo]), nil
		}
	}
	return nil, &payError{404, "RESOURCE_NOT_EXISTS", "退款单不存在"}
}

// approve is the payer's thumb on the button: it settles the order at WeChat and
// schedules the notice. It needs s.mu.
func (s *Sim) approve(o *order, payer *User) error {
	now := s.now()
	switch o.state(now) {
	case "SUCCESS", "REFUND":
		return fmt.Errorf("订单已支付")
	case "CLOSED":
		return fmt.Errorf("订单已关闭或已过期")
	}
	if payer == nil {
		return fmt.Errorf("请先选择付款的微信用户")
	}
	if o.Type == "NATIVE" {
		o.OpenID = payer.openID(o.AppID)
	} else if payer.openID(o.AppID) != o.OpenID {
		return fmt.Errorf("该订单只能由下单的微信用户支付")
	}
	o.State, o.PaidAt, o.TransactionID = "SUCCESS", now, "42000"+digits(23)
	s.schedule(o)
	s.dirty = true
	return nil
}

// payFirst pays the order of a prepay request and delivers its notice before the
// product has the answer.
func (s *Sim) payFirst(r *http.Request, body []byte) {
	var req struct {
		OutTradeNo string `json:"out_trade_no"`
	}
	if json.NewDecoder(bytes.NewReader(body)).Decode(&req) != nil {
		return
	}
	s.mu.Lock()
	if o := s.state.Orders[req.OutTradeNo]; o != nil && o.Type == "JSAPI" {
		_ = s.approve(o, s.userByOpenID(o.AppID, o.OpenID)) // paid already: nothing to do
	}
	s.mu.Unlock()
	s.Deliver(r.Context())
}

func digits(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	return string(b)
}
