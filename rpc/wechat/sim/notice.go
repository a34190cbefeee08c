package sim

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"zhihuidangjian/rpc/kit"
)

// Schedule is when WeChat Pay tries again after a notice was not accepted; then
// it gives up, after 24 hours and 4 minutes.
var Schedule = []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, 30 * time.Minute, 30 * time.Minute, 60 * time.Minute,
	3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}

// lateBy is how long a late notice lets the product wait.
const lateBy = 24 * time.Hour

// notice is one that waits to be delivered. Every attempt carries the same id,
// freshly encrypted and signed.
type notice struct {
	ID, OutTradeNo string
	OutRefundNo    string // of a refund
	Attempt        int
	Due            time.Time
}

// delivery is one attempt, as the payments list shows it.
type delivery struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"`
	Mode   string    `json:"mode"`
	Status int       `json:"status"` // 0: no answer
	Answer string    `json:"answer,omitempty"`
}

// schedule plans the notice of a paid order. It needs s.mu.
func (s *Sim) schedule(o *order) {
	due := s.now()
	switch o.Plan {
	case "withheld":
		return
	case "late":
		due = due.Add(lateBy)
	}
	s.state.Pending = append(s.state.Pending, &notice{ID: noticeID(), OutTradeNo: o.OutTradeNo, Due: due})
	s.dirty = true
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// scheduleRefund plans the notice of a refund. It needs s.mu.
func (s *Sim) scheduleRefund(o *order, f *refund) {
	s.dirty = true
	if o.Plan == "withheld" {
		return
	}
	s.state.Pending = append(s.state.Pending, &notice{ID: noticeID(), OutTradeNo: o.OutTradeNo, OutRefundNo: f.OutRefundNo, Due: s.now()})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// refunded is the genuine notice of a refund, which is done by then.
func (s *Sim) refunded(n *notice, o order) envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.normal(n.ID, o)
	e.event, e.original = "REFUND.SUCCESS", "refund"
	for _, f := range s.state.Refunds {
		if f.OutRefundNo == n.OutRefundNo {
			if f.Processing {
				f.Processing, f.At = false, s.now()
			}
			e.resource = f.told(&o)
		}
	}
	return e
}

func noticeID() string {
	return "EV-" + strings.ToLower(rand.Text())
}

// Deliver sends every notice that is due by the product's clock and returns how
// many it sent. Run calls it; tests call it to see the outcome.
func (s *Sim) Deliver(ctx context.Context) int {
	s.deliver.Lock()
	defer s.deliver.Unlock()
	sent := 0
	for {
		n, o := s.nextDue()
		if n == nil || ctx.Err() != nil {
			return sent
		}
		e := s.normal(n.ID, o)
		if n.OutRefundNo != "" {
			e = s.refunded(n, o)
		}
		d := s.post(ctx, o.NotifyURL, e)
		sent++
		s.mu.Lock()
		s.log(o.OutTradeNo, d)
		switch {
		case d.Status == http.StatusOK || d.Status == http.StatusNoContent || n.Attempt >= len(Schedule):
			s.state.Pending = slices.DeleteFunc(s.state.Pending, func(p *notice) bool { return p == n })
		default:
			n.Due = s.now().Add(Schedule[n.Attempt])
			n.Attempt++
		}
		s.mu.Unlock()
	}
}

// nextDue returns the notice that has waited longest and a copy of its order.
func (s *Sim) nextDue() (*notice, order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first *notice
	for _, n := range s.state.Pending {
		if !n.Due.After(s.now()) && (first == nil || n.Due.Before(first.Due)) {
			first = n
		}
	}
	if first == nil {
		return nil, order{}
	}
	return first, *s.state.Orders[first.OutTradeNo]
}

// log keeps the last attempts of an order. It needs s.mu.
func (s *Sim) log(outTradeNo string, d delivery) {
	o := s.state.Orders[outTradeNo]
	if o == nil {
		return
	}
	if o.Log = append(o.Log, d); len(o.Log) > 20 {
		o.Log = o.Log[len(o.Log)-20:]
	}
	s.dirty = true
}

// envelope is a notice about to be sent, genuine or not.
type envelope struct {
	mode      string
	id        string
	event     string
	original  string
	resource  map[string]any
	key       *rsa.PrivateKey
	serial    string
	at        time.Time
	nonceSize int
	garble    bool   // the signature is not of this body
	prefix    string // put before the signature
}

// normal is the genuine notice of a paid order.
func (s *Sim) normal(id string, o order) envelope {
	return envelope{mode: "normal", id: id, event: "TRANSACTION.SUCCESS", original: "transaction", resource: o.resource(s.now()),
		key: s.keys.Platform, serial: PayPublicKeyID, at: time.Now(), nonceSize: 12}
}

// Modes are the notices that can be sent on demand. normal and duplicate are
// genuine; late and withheld change when the genuine one comes; the rest must
// not settle anything: otherAmount and otherOrder are signed by WeChat but do not
// fit the order, the others are not to be believed at all.
var Modes = []string{"normal", "duplicate", "late", "withheld", "otherAmount", "otherOrder", "refund",
	"forged", "badSignature", "signTest", "wrongSerial", "badNonce", "stale"}

// Notify sends the notice of an order in one of Modes and returns how the
// product answered each. otherNo names the order that otherOrder claims, or "".
func (s *Sim) Notify(ctx context.Context, outTradeNo, mode, otherNo string) ([]delivery, error) {
	s.mu.Lock()
	o := s.state.Orders[outTradeNo]
	if o == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("订单不存在")
	}
	id := ""
	for _, n := range s.state.Pending {
		if n.OutTradeNo == outTradeNo && n.OutRefundNo == "" {
			id = n.ID
		}
	}
	for _, d := range o.Log {
		if d.Mode == "normal" {
			id = d.ID
		}
	}
	if id == "" {
		id = noticeID()
	}
	paid := !o.PaidAt.IsZero()
	claim := *o
	if !paid { // what a liar would claim
		claim.State, claim.PaidAt, claim.TransactionID = "SUCCESS", s.now(), "42000"+digits(23)
		if claim.OpenID == "" {
			claim.OpenID = "o" + rand.Text() + "0"
		}
	}
	switch mode {
	case "late", "withheld":
		o.Plan = mode
		s.state.Pending = slices.DeleteFunc(s.state.Pending, func(n *notice) bool { return n.OutTradeNo == outTradeNo })
		if paid {
			s.schedule(o)
		}
		s.dirty = true
		s.mu.Unlock()
		return []delivery{}, nil
	}
	s.mu.Unlock()

	e := s.normal(id, claim)
	times := 1
	switch mode {
	case "normal", "duplicate":
		if !paid {
			return nil, fmt.Errorf("订单尚未支付，没有真实的通知可发")
		}
		if mode == "duplicate" {
			times = 2
		}
	case "otherAmount":
		e.id = noticeID()
		e.resource["amount"] = map[string]any{"total": claim.Amount + 1, "payer_total": claim.Amount + 1, "currency": "CNY", "payer_currency": "CNY"}
	case "otherOrder":
		if otherNo == "" {
			otherNo = "OTHER" + digits(15)
		}
		e.id = noticeID()
		e.resource["out_trade_no"] = otherNo
	case "refund":
		e.id, e.event, e.original = noticeID(), "REFUND.SUCCESS", "refund"
		f := refund{OutRefundNo: "R" + digits(15), RefundID: "5030" + digits(24), OutTradeNo: claim.OutTradeNo, Amount: claim.Amount, At: s.now()}
		e.resource = f.told(&claim)
	case "forged":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		e.id, e.key = noticeID(), key
	case "badSignature":
		e.garble = true
	case "signTest":
		e.id, e.garble, e.prefix = noticeID(), true, "WECHATPAY/SIGNTEST/"
	case "wrongSerial":
		e.serial = "PUB_KEY_ID_0000000000000000000000000000"
	case "badNonce":
		e.nonceSize = 16
	case "stale":
		e.at = e.at.Add(-10 * time.Minute)
	default:
		return nil, fmt.Errorf("未知的通知方式 %s，可用：%s", mode, strings.Join(Modes, "、"))
	}
	e.mode = mode
	out := []delivery{}
	for range times {
		d := s.post(ctx, claim.NotifyURL, e)
		out = append(out, d)
		s.mu.Lock()
		s.log(outTradeNo, d)
		if d.Mode == "normal" && d.Status/100 == 2 {
			s.state.Pending = slices.DeleteFunc(s.state.Pending, func(n *notice) bool { return n.OutTradeNo == outTradeNo })
		}
		s.mu.Unlock()
	}
	return out, nil
}

// post encrypts, signs and sends one notice.
func (s *Sim) post(ctx context.Context, to string, e envelope) delivery {
	d := delivery{At: s.now(), ID: e.id, Mode: e.mode}
	header, body, err := s.seal(e)
	if err != nil {
		d.Answer = err.Error()
		return d
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		d.Answer = err.Error()
		return d
	}
	req.Header = header
	res, err := s.http.Do(req)
	if err != nil {
		d.Answer = err.Error()
		return d
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // only shown
	d.Status, d.Answer = res.StatusCode, string(answer)
	return d
}

// seal builds the headers and the body of a notice.
func (s *Sim) seal(e envelope) (http.Header, []byte, error) {
	plain, err := json.Marshal(e.resource)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher([]byte(s.state.Secrets.APIv3))
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, e.nonceSize)
	if err != nil {
		return nil, nil, err
	}
	nonce := rand.Text()[:e.nonceSize]
	body, err := json.Marshal(map[string]any{
		"id": e.id, "create_time": s.now().In(kit.Shanghai).Format(time.RFC3339), "event_type": e.event,
		"resource_type": "encrypt-resource", "summary": "支付成功",
		"resource": map[string]any{
			"algorithm": "AEAD_AES_256_GCM", "original_type": e.original, "associated_data": e.original, "nonce": nonce,
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), plain, []byte(e.original))),
		},
	})
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Mozilla/4.0"}, "Request-Id": {rand.Text()}}
	signed := body
	if e.garble {
		signed = append(slices.Clone(body), ' ')
	}
	sign(header, e.key, e.serial, e.at, signed)
	header.Set("Wechatpay-Signature", e.prefix+header.Get("Wechatpay-Signature"))
	return header, body, nil
}
