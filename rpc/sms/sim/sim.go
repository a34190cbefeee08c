// Package sim is Aliyun SMS for development and tests: a server of its wire
// protocol (RPC style, HMAC-SHA1 signed query) and an inbox. The unmodified SDK
// runs against it.
package sim

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/sms"
)

// Message is one that was sent.
type Message struct {
	ID     string            `json:"id"`
	Phone  string            `json:"phone"`
	Kind   string            `json:"kind"`
	Params map[string]string `json:"params"`
	Text   string            `json:"text"`
	At     time.Time         `json:"at"`
}

// keep is how many messages the inbox holds.
const keep = 500

// Sim is the server. Its methods are safe for concurrent use.
type Sim struct {
	now    func() time.Time
	secret string

	mu     sync.Mutex
	inbox  []Message // newest last
	faults []string
	nonces map[string]time.Time
}

// AccessKeyID is the simulator's only key.
const AccessKeyID = "SANDBOX_ACCESS_KEY"

const templatePrefix = "SMS_"

// New returns a server that knows one access key with the given secret. now is
// the product's clock; it dates the messages.
func New(secret string, now func() time.Time) *Sim {
	return &Sim{now: now, secret: secret, nonces: map[string]time.Time{}}
}

// Config returns the credentials that point the adapter at a simulator served at baseURL.
func (s *Sim) Config(baseURL string) conf.SMS {
	return conf.SMS{
		AccessKeyID: AccessKeyID, AccessKeySecret: s.secret, SignName: sms.SignName, Endpoint: baseURL,
		Templates: conf.Templates{"*": templatePrefix + "*"},
	}
}

// Messages returns what was sent to a phone, or to all of them if phone is "", newest first.
func (s *Sim) Messages(phone string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Message{}
	for _, m := range slices.Backward(s.inbox) {
		if phone == "" || m.Phone == phone {
			out = append(out, m)
		}
	}
	return out
}

// Restore fills the inbox with messages of an earlier run, newest first.
func (s *Sim) Restore(messages []Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox = slices.Clone(messages)
	slices.Reverse(s.inbox)
}

// Fail makes the next messages fail with an Aliyun code; "timeout" never answers
// and "lost" takes the message and never answers.
func (s *Sim) Fail(code string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range times {
		s.faults = append(s.faults, code)
	}
}

// ServeHTTP answers the SendSms action.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !s.signed(r.Method, q) {
		answer(w, http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
		return
	}
	if q.Get("Action") != "SendSms" || q.Get("Version") != "2017-05-25" {
		answer(w, http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found")
		return
	}
	if !s.fresh(q) {
		answer(w, http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
		return
	}
	code := s.accept(q)
	if code == "timeout" || code == "lost" {
		select { // the client gives up first
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
		}
		return
	}
	answer(w, http.StatusOK, code, code)
}

var mobile = regexp.MustCompile(`^1[3-9]\d{9}$`)

// accept checks one message, puts it into the inbox and returns the business code.
func (s *Sim) accept(q url.Values) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := ""
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
		if fault != "lost" {
			return fault
		}
	}
	kind, known := strings.CutPrefix(q.Get("TemplateCode"), templatePrefix)
	params := map[string]string{}
	switch {
	case q.Get("SignName") != sms.SignName:
		return "isv.SMS_SIGNATURE_ILLEGAL"
	case !known || kind == "":
		return "isv.SMS_TEMPLATE_ILLEGAL"
	case !mobile.MatchString(q.Get("PhoneNumbers")):
		return sms.CodeBadNumber
	case json.Unmarshal([]byte(q.Get("TemplateParam")), &params) != nil:
		return "isv.INVALID_JSON_PARAM"
	}
	for _, value := range params {
		if n := utf8.RuneCountInString(value); n == 0 || n > sms.ParamMost {
			return sms.CodeTooLong
		}
	}
	s.inbox = append(s.inbox, Message{ID: rand.Text()[:12], Phone: q.Get("PhoneNumbers"), Kind: kind, Params: params,
		Text: sms.Render(kind, params), At: s.now()})
	if len(s.inbox) > keep {
		s.inbox = slices.Delete(s.inbox, 0, len(s.inbox)-keep)
	}
	if fault != "" {
		return fault
	}
	return "OK"
}

// signed checks the HMAC-SHA1 over method, path and sorted query.
func (s *Sim) signed(method string, q url.Values) bool {
	given := q.Get("Signature")
	rest := url.Values{}
	for name, values := range q {
		if name != "Signature" {
			rest[name] = values
		}
	}
	mac := hmac.New(sha1.New, []byte(s.secret+"&"))
	mac.Write([]byte(method + "&%2F&" + percent(canonical(rest))))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return q.Get("AccessKeyId") == AccessKeyID && q.Get("SignatureMethod") == "HMAC-SHA1" &&
		subtle.ConstantTimeCompare([]byte(want), []byte(given)) == 1
}

func canonical(q url.Values) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(q.Encode())
}

func percent(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// fresh refuses old timestamps and repeated nonces, on the machine's clock.
func (s *Sim) fresh(q url.Values) bool {
	at, err := time.Parse("2006-01-02T15:04:05Z", q.Get("Timestamp"))
	now := time.Now()
	if err != nil || now.Sub(at).Abs() > 15*time.Minute {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for nonce, used := range s.nonces {
		if now.Sub(used) > 15*time.Minute {
			delete(s.nonces, nonce)
		}
	}
	nonce := q.Get("SignatureNonce")
	if _, used := s.nonces[nonce]; used || nonce == "" {
		return false
	}
	s.nonces[nonce] = now
	return true
}

func answer(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	body := map[string]string{"Code": code, "Message": message, "RequestId": rand.Text()}
	if code == "OK" {
		body["BizId"] = fmt.Sprint(time.Now().UnixNano())
	}
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
