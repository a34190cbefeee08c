package conf

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
)

// WeChat holds the credentials of the official account, the mini-program and
// the WeChat Pay merchant. All of it comes from the environment; none of it is
// ever logged. Left empty altogether, the product runs in sandbox mode.
type WeChat struct {
	AppID         string `koanf:"appid"`           // WECHAT_APPID, the verified service account
	AppSecret     string `koanf:"app_secret"`      // WECHAT_APP_SECRET
	MiniAppID     string `koanf:"mini_appid"`      // WECHAT_MINI_APPID
	MiniAppSecret string `koanf:"mini_app_secret"` // WECHAT_MINI_APP_SECRET

	Token  string `koanf:"token"`   // WECHAT_TOKEN, of the message callback
	AESKey string `koanf:"aes_key"` // WECHAT_AES_KEY, 43 characters, of the message callback

	MchID           string `koanf:"mchid"`             // WECHAT_MCHID
	MchSerial       string `koanf:"mch_serial"`        // WECHAT_MCH_SERIAL, serial number of the merchant's certificate
	MchKeyPEM       string `koanf:"mch_key"`           // WECHAT_MCH_KEY, the merchant's private key, PKCS#8 PEM
	APIv3Key        string `koanf:"apiv3_key"`         // WECHAT_APIV3_KEY, 32 bytes
	PayPublicKeyID  string `koanf:"pay_public_key_id"` // WECHAT_PAY_PUBLIC_KEY_ID, PUB_KEY_ID_…
	PayPublicKeyPEM string `koanf:"pay_public_key"`    // WECHAT_PAY_PUBLIC_KEY, WeChat Pay's public key, PEM

	BaseURL      string `koanf:"base_url"`      // WECHAT_BASE_URL, https://api.weixin.qq.com by default
	PayBaseURL   string `koanf:"pay_base_url"`  // WECHAT_PAY_BASE_URL, https://api.mch.weixin.qq.com by default
	AuthorizeURL string `koanf:"authorize_url"` // WECHAT_AUTHORIZE_URL, https://open.weixin.qq.com/connect/oauth2/authorize by default
	OAuthScope   string `koanf:"oauth_scope"`   // WECHAT_OAUTH_SCOPE, snsapi_base by default; snsapi_userinfo asks the user and yields the unionid
	NotifyURL    string `koanf:"notify_url"`    // WECHAT_NOTIFY_URL, public https address of the payment notice, no query

	Templates  Templates `koanf:"templates"`  // WECHAT_TEMPLATES, template messages of the official account
	Subscribes Templates `koanf:"subscribes"` // WECHAT_SUBSCRIBES, subscribe messages of the mini-program
}

// Templates maps the kind of a message to the template that carries it:
// "<template id>" or "<template id>?<field>=<keyword>&<field>=<keyword>", where
// field is the product's name and keyword that of the template (thing1, time2).
// With a field map, fields it does not name are left out. The kind * serves every
// kind without an entry of its own; a * in its template stands for the kind.
type Templates map[string]string

// Find returns the template of a kind and its field map, which is empty when the
// template takes the product's names.
func (t Templates) Find(kind string) (id string, fields map[string]string, ok bool) {
	entry, ok := t[kind]
	if !ok {
		if entry, ok = t["*"]; !ok {
			return "", nil, false
		}
		entry = strings.ReplaceAll(entry, "*", kind)
	}
	id, query, _ := strings.Cut(entry, "?")
	values, err := url.ParseQuery(query)
	if err != nil || id == "" {
		return "", nil, false
	}
	fields = map[string]string{}
	for field := range values {
		fields[field] = values.Get(field)
	}
	return id, fields, true
}

// MarshalText writes what UnmarshalText reads.
func (t Templates) MarshalText() ([]byte, error) {
	var entries []string
	for _, kind := range slices.Sorted(maps.Keys(t)) {
		entries = append(entries, kind+"="+t[kind])
	}
	return []byte(strings.Join(entries, ";")), nil
}

// UnmarshalText reads "kind=template;kind=template", the form of the environment.
func (t *Templates) UnmarshalText(text []byte) error {
	out := Templates{}
	for entry := range strings.SplitSeq(string(text), ";") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		kind, template, ok := strings.Cut(entry, "=")
		if !ok || kind == "" || template == "" {
			return fmt.Errorf("template entry %q is not kind=template", entry)
		}
		out[kind] = template
	}
	*t = out
	return nil
}

// Present tells whether any real credential was given; the sandbox refuses to
// start beside one.
func (c WeChat) Present() bool {
	for _, v := range []string{
		c.AppID, c.AppSecret, c.MiniAppID, c.MiniAppSecret, c.Token, c.AESKey,
		c.MchID, c.MchSerial, c.MchKeyPEM, c.APIv3Key, c.PayPublicKeyID, c.PayPublicKeyPEM,
	} {
		if v != "" {
			return true
		}
	}
	return false
}

// HasMini tells whether a mini-program is configured.
func (c WeChat) HasMini() bool { return c.MiniAppID != "" }

// HasPay tells whether a WeChat Pay merchant is configured.
func (c WeChat) HasPay() bool { return c.MchID != "" }

// Validate refuses half-given credentials: the official account is required,
// the mini-program, the message callback and the merchant are each all or nothing.
func (c WeChat) Validate() error {
	var errs []error
	group := func(required bool, pairs ...string) bool {
		given, missing := 0, []string{}
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i+1] == "" {
				missing = append(missing, pairs[i])
			} else {
				given++
			}
		}
		if len(missing) > 0 && (required || given > 0) {
			errs = append(errs, fmt.Errorf("missing %s", strings.Join(missing, ", ")))
		}
		return given > 0
	}
	group(true, "WECHAT_APPID", c.AppID, "WECHAT_APP_SECRET", c.AppSecret)
	group(false, "WECHAT_MINI_APPID", c.MiniAppID, "WECHAT_MINI_APP_SECRET", c.MiniAppSecret)
	if group(false, "WECHAT_TOKEN", c.Token, "WECHAT_AES_KEY", c.AESKey) && len(c.AESKey) != 43 {
		errs = append(errs, errors.New("WECHAT_AES_KEY must have 43 characters"))
	}
	if group(false, "WECHAT_MCHID", c.MchID, "WECHAT_MCH_SERIAL", c.MchSerial, "WECHAT_MCH_KEY", c.MchKeyPEM,
		"WECHAT_APIV3_KEY", c.APIv3Key, "WECHAT_PAY_PUBLIC_KEY_ID", c.PayPublicKeyID,
		"WECHAT_PAY_PUBLIC_KEY", c.PayPublicKeyPEM, "WECHAT_NOTIFY_URL", c.NotifyURL) {
		if len(c.APIv3Key) != 32 {
			errs = append(errs, errors.New("WECHAT_APIV3_KEY must have 32 bytes"))
		}
		if strings.ContainsAny(c.NotifyURL, "?#") {
			errs = append(errs, errors.New("WECHAT_NOTIFY_URL must have no query"))
		}
	}
	for _, u := range [][2]string{
		{"WECHAT_BASE_URL", c.BaseURL}, {"WECHAT_PAY_BASE_URL", c.PayBaseURL}, {"WECHAT_NOTIFY_URL", c.NotifyURL},
	} {
		if u[1] != "" && !secureURL(u[1]) {
			errs = append(errs, fmt.Errorf("%s must be an https address", u[0]))
		}
	}
	return errors.Join(errs...)
}

// secureURL accepts https, and http on the machine itself, where simulators live.
func secureURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
