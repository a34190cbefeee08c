// Package sim is WeChat for development and tests: real HTTP servers of the
// official account, the mini-program and WeChat Pay, so that PowerWeChat and
// wechatpay-go run against it unchanged, with Aliyun SMS mounted beside them.
//
// The handler has three parts:
//
//   - The server API at the root (/cgi-bin, /sns, /wxa, /v3, and / for SMS). It
//     belongs on a loopback port of its own.
//   - What browsers need under /sandbox/: the authorize page, bridge.js, which
//     stands in for the WeChat app inside the member pages, and the phone page
//     itself. The BFF forwards /sandbox/ here under the same path.
//   - The control API under /sandbox/api, by which scripts do what people do with
//     their phones. Control documents it.
//
// Business time (codes, order expiry, notices, bills) follows Options.Now, which
// the sandbox moves; the timestamps inside signatures follow the machine's clock.
package sim

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/kit"
	smssim "zhihuidangjian/rpc/sms/sim"
)

// The simulator's identities; none of them exists at WeChat.
const (
	OfficialAppID  = "wx5a0db0c000000001"
	MiniAppID      = "wx5a0db0c000000002"
	MchID          = "1900000001"
	MchSerial      = "5A0DB0C05A0DB0C05A0DB0C05A0DB0C05A0DB0C0"
	PayPublicKeyID = "PUB_KEY_ID_0119000000012026010100000001"
	templatePrefix = "sandbox-"
)

// NotifyPath is where Config lets payment notices be sent, under the public URL.
const NotifyPath = "/wechat/pay/notify"

// ErrRealCredentials is why the sandbox refuses to run.
var ErrRealCredentials = errors.New("the sandbox cannot run beside real WeChat or Aliyun credentials")

// Check returns ErrRealCredentials if the environment gave any real credential.
// Whoever starts a Sim calls it first, with the configuration as it was loaded.
func Check(w conf.WeChat, s conf.SMS) error {
	if w.Present() || s.Present() {
		return ErrRealCredentials
	}
	return nil
}

// Options are the settings of a Sim; the zero value works.
type Options struct {
	Now       func() time.Time // the product's clock, time.Now by default
	StateFile string           // where users, orders and messages survive restarts; "" keeps them in memory
	Keys      *Keys            // generated if nil; tests share one
}

// Keys are the RSA keys of the merchant and of WeChat Pay.
type Keys struct{ Merchant, Platform *rsa.PrivateKey }

// NewKeys generates both keys at once; it takes some tenths of a second.
func NewKeys() (*Keys, error) {
	var k Keys
	var both kit.Group
	for _, key := range []**rsa.PrivateKey{&k.Merchant, &k.Platform} {
		both.Go("key", func() (err error) { *key, err = rsa.GenerateKey(rand.Reader, 2048); return err })
	}
	return &k, both.Wait()
}

// Sim is the simulator. Its methods are safe for concurrent use.
type Sim struct {
	now  func() time.Time
	file string
	keys *Keys
	sms  *smssim.Sim
	http *http.Client
	mux  *http.ServeMux
	wake chan struct{} // a notice is due

	deliver sync.Mutex // one delivery round at a time

	mu     sync.Mutex
	public string // set by Config, for the redirect check
	state  state
	dirty  bool
	codes  map[string]*code
	tokens map[string]token
	faults map[string][]string
	nonces map[string]time.Time
}

// New returns a simulator. Run it to deliver payment notices.
func New(o Options) (*Sim, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sim{
		now: o.Now, file: o.StateFile, keys: o.Keys, wake: make(chan struct{}, 1),
		http:  &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		codes: map[string]*code{}, tokens: map[string]token{}, faults: map[string][]string{}, nonces: map[string]time.Time{},
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.sms = smssim.New(s.state.Secrets.SMS, o.Now)
	s.sms.Restore(s.state.SMS)
	s.mux = s.routes()
	return s, nil
}

// Handler serves all three parts.
func (s *Sim) Handler() http.Handler { return s.mux }

// Run delivers payment notices as they fall due and writes the state file, until
// ctx ends.
func (s *Sim) Run(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond) // the product's clock may jump at any time
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return s.save(true)
		case <-tick.C:
		case <-s.wake:
		}
		s.Deliver(ctx)
		if n%5 == 0 {
			if err := s.save(false); err != nil {
				return err
			}
		}
	}
}

// Config returns the credentials that point the adapters at this simulator:
// baseURL is its loopback address, publicURL that of the product.
func (s *Sim) Config(baseURL, publicURL string) conf.WeChat {
	publicURL = strings.TrimRight(publicURL, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.public = publicURL
	secrets := s.state.Secrets
	return conf.WeChat{
		AppID: OfficialAppID, AppSecret: secrets.Official, MiniAppID: MiniAppID, MiniAppSecret: secrets.Mini,
		Token: secrets.Token, AESKey: secrets.AESKey,
		MchID: MchID, MchSerial: MchSerial, MchKeyPEM: privatePEM(s.keys.Merchant), APIv3Key: secrets.APIv3,
		PayPublicKeyID: PayPublicKeyID, PayPublicKeyPEM: publicPEM(s.keys.Platform),
		BaseURL: baseURL, PayBaseURL: baseURL, AuthorizeURL: publicURL + "/sandbox/connect/oauth2/authorize",
		OAuthScope: "snsapi_userinfo", NotifyURL: publicURL + NotifyPath,
		Templates:  conf.Templates{"*": templatePrefix + "*"},
		Subscribes: conf.Templates{"*": templatePrefix + "*"},
	}
}

// SMSConfig returns the credentials that point the SMS adapter at this simulator.
func (s *Sim) SMSConfig(baseURL string) conf.SMS { return s.sms.Config(baseURL) }

// Fetch asks a simulator that runs in another process, at its loopback address,
// for the credentials that Config and SMSConfig return there.
func Fetch(ctx context.Context, baseURL, publicURL string) (w conf.WeChat, m conf.SMS, err error) {
	baseURL = strings.TrimRight(baseURL, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/config", nil)
	if err != nil {
		return w, m, fmt.Errorf("sandbox: %w", err)
	}
	q := req.URL.Query()
	q.Set("base", baseURL)
	q.Set("public", publicURL)
	req.URL.RawQuery = q.Encode()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return w, m, fmt.Errorf("sandbox: %w", err)
	}
	defer res.Body.Close()
	var answer struct {
		WeChat conf.WeChat
		SMS    conf.SMS
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return w, m, fmt.Errorf("sandbox: %w", err)
	}
	return answer.WeChat, answer.SMS, nil
}

func (s *Sim) serveConfig(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	writeJSON(w, http.StatusOK, map[string]any{"WeChat": s.Config(q.Get("base"), q.Get("public")), "SMS": s.SMSConfig(q.Get("base"))})
}

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /config", s.serveConfig)
	mux.Handle("POST /{$}", s.sms)
	mux.Handle("GET /{$}", s.sms)
	s.accountRoutes(mux)
	s.payRoutes(mux)
	s.controlRoutes(mux)
	s.pageRoutes(mux)
	return mux
}

// state is what survives a restart.
type state struct {
	Secrets     secrets
	MerchantKey string // PEM, of the simulator only
	PlatformKey string
	NextUser    int
	Users       []*User
	Orders      map[string]*order
	Refunds     []*refund
	Pending     []*notice
	Messages    []Message
	SMS         []smssim.Message
	Consents    map[string]int // "user kind" → messages allowed
}

type secrets struct{ Official, Mini, Token, AESKey, APIv3, SMS string }

// load reads the state file, or starts afresh.
func (s *Sim) load() error {
	if s.file != "" {
		raw, err := os.ReadFile(s.file)
		switch {
		case err == nil:
			if err := json.Unmarshal(raw, &s.state); err != nil {
				return fmt.Errorf("sandbox state %s: %w", s.file, err)
			}
			if s.keys, err = parseKeys(s.state.MerchantKey, s.state.PlatformKey); err != nil {
				return fmt.Errorf("sandbox state %s: %w", s.file, err)
			}
			return nil
		case !errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("sandbox state: %w", err)
		}
	}
	if s.keys == nil {
		var err error
		if s.keys, err = NewKeys(); err != nil {
			return fmt.Errorf("sandbox keys: %w", err)
		}
	}
	s.state = state{
		Secrets: secrets{Official: rand.Text(), Mini: rand.Text(), Token: rand.Text(),
			AESKey: rand.Text() + rand.Text()[:17], APIv3: (rand.Text() + rand.Text())[:32], SMS: rand.Text()},
		MerchantKey: privatePEM(s.keys.Merchant), PlatformKey: privatePEM(s.keys.Platform),
		Orders: map[string]*order{}, Consents: map[string]int{},
	}
	return s.save(true)
}

// save writes the state file, whole or not at all, if something changed.
func (s *Sim) save(force bool) error {
	s.mu.Lock()
	if s.file == "" || !s.dirty && !force {
		s.mu.Unlock()
		return nil
	}
	if s.sms != nil {
		s.state.SMS = s.sms.Messages("")
	}
	raw, err := json.Marshal(s.state)
	s.dirty = false
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("sandbox state: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return fmt.Errorf("sandbox state: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(s.file), filepath.Base(s.file)+".*")
	if err != nil {
		return fmt.Errorf("sandbox state: %w", err)
	}
	defer os.Remove(temp.Name()) // gone already when all went well
	if _, err = temp.Write(raw); err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), s.file)
	}
	if err != nil {
		return fmt.Errorf("sandbox state: %w", err)
	}
	return nil
}

// Fail makes the next calls to a target fail. Targets of the account API: token,
// oauth, session, phone, template, subscribe, ticket, code, with a number as
// errcode. Targets of payment: prepay, query, close, refund, bill, with WeChat
// Pay's code, "unsigned" (an answer signed by somebody else), for refund
// "processing" (it is done when its notice comes), or for prepay "paid" (the money and its notice come before the answer). Target sms: an
// Aliyun code. Everywhere "http500" and "timeout".
func (s *Sim) Fail(target, errcode string, times int) {
	if target == "sms" {
		s.sms.Fail(errcode, times)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for range times {
		s.faults[target] = append(s.faults[target], errcode)
	}
}

// fault takes the next fault of a target; those every target has are served
// here, and answered is true.
func (s *Sim) fault(w http.ResponseWriter, r *http.Request, target string) (errcode string, answered bool) {
	s.mu.Lock()
	if queue := s.faults[target]; len(queue) > 0 {
		errcode, s.faults[target] = queue[0], queue[1:]
	}
	s.mu.Unlock()
	switch errcode {
	case "http500":
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return errcode, true
	case "timeout":
		select { // the client gives up first
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
		}
		return errcode, true
	}
	return errcode, false
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

func privatePEM(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic(err) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func parseKeys(merchant, platform string) (*Keys, error) {
	var keys [2]*rsa.PrivateKey
	for i, text := range []string{merchant, platform} {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, errors.New("key is not PEM")
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		var ok bool
		if keys[i], ok = key.(*rsa.PrivateKey); !ok {
			return nil, errors.New("key is not RSA")
		}
	}
	return &Keys{keys[0], keys[1]}, nil
}
