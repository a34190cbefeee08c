package sim

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skip2/go-qrcode"

	"zhihuidangjian/rpc/wechat"
)

// Message is a template or subscribe message that reached a phone.
type Message struct {
	ID       int64             `json:"id,string"`
	Channel  string            `json:"channel"` // template, subscribe
	UserID   string            `json:"userId"`
	Nickname string            `json:"nickname"`
	OpenID   string            `json:"openId"`
	Kind     string            `json:"kind"`
	Fields   map[string]string `json:"fields"`
	URL      string            `json:"url"` // of the page, or the mini-program's path
	ClientID string            `json:"clientId"`
	At       time.Time         `json:"at"`
}

// keepMessages is how many messages the inbox holds.
const keepMessages = 1000

// Messages returns what reached a user, or everybody if userID is "", newest first.
func (s *Sim) Messages(userID string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Message{}
	for _, m := range slices.Backward(s.state.Messages) {
		if userID == "" || m.UserID == userID {
			out = append(out, m)
		}
	}
	return out
}

// token is an access token; it ends by the machine's clock, as the product's cache does.
type token struct {
	appID   string
	expires time.Time
}

const tokenLife = 2 * time.Hour

// ExpireTokens makes WeChat forget every access token, as after a reset of the secret.
func (s *Sim) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = map[string]token{}
}

var errmsgs = map[int]string{
	40001: "invalid credential, access_token is invalid or not latest", 40003: "invalid openid", 40013: "invalid appid",
	40029: "invalid code", 40037: "invalid template_id", 40125: "invalid appsecret", 40163: "code been used",
	40169: "invalid length for scene, or the data is not json string", 41001: "access_token missing", 41002: "appid missing",
	41008: "missing code", 41030: "invalid page", 42001: "access_token expired", 43004: "require subscribe",
	43101: "user refuse to accept the msg", 45009: "reach max api daily quota limit", 47001: "data format error",
	47003: "argument invalid!",
}

// fail answers with an errcode, always HTTP 200.
func fail(w http.ResponseWriter, code int) {
	msg := errmsgs[code]
	if msg == "" {
		msg = "error"
	}
	writeJSON(w, http.StatusOK, map[string]any{"errcode": code, "errmsg": msg + " rid: " + strings.ToLower(rand.Text()[:16])})
}

func (s *Sim) accountRoutes(mux *http.ServeMux) {
	route := func(pattern, target string, h func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			errcode, answered := s.fault(w, r, target)
			if answered {
				return
			}
			if code, err := strconv.Atoi(errcode); err == nil {
				fail(w, code)
				return
			}
			h(w, r)
		})
	}
	route("POST /cgi-bin/stable_token", "token", s.stableToken)
	route("GET /sns/oauth2/access_token", "oauth", s.oauthToken)
	route("GET /sns/jscode2session", "session", s.session)
	route("POST /wxa/business/getuserphonenumber", "phone", s.phoneNumber)
	route("POST /cgi-bin/message/template/send", "template", s.sendTemplate)
	route("POST /cgi-bin/message/subscribe/send", "subscribe", s.sendSubscribe)
	route("GET /cgi-bin/ticket/getticket", "ticket", s.ticket)
	route("POST /cgi-bin/ticket/getticket", "ticket", s.ticket)
	route("POST /wxa/getwxacodeunlimit", "code", s.miniCode)
}

// credential checks appid and secret; 0 is fine.
func (s *Sim) credential(appID, secret string) int {
	switch {
	case appID == "":
		return 41002
	case appID != OfficialAppID && appID != MiniAppID:
		return 40013
	case appID == OfficialAppID && secret != s.state.Secrets.Official, appID == MiniAppID && secret != s.state.Secrets.Mini:
		return 40125
	}
	return 0
}

// authorized checks the access token of a request against the appid it is for.
func (s *Sim) authorized(r *http.Request, appID string) int {
	text := r.URL.Query().Get("access_token")
	t, known := s.tokens[text]
	switch {
	case text == "":
		return 41001
	case !known || t.appID != appID:
		return 40001
	case time.Now().After(t.expires):
		return 42001
	}
	return 0
}

// decode reads a JSON body; false is errcode 47001.
func decode(r *http.Request, v any) bool {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	return err == nil && json.Unmarshal(raw, v) == nil
}

// stableToken returns the current token of an appid, or a new one when the old
// is near its end. Unlike cgi-bin/token it never spoils the one in use.
func (s *Sim) stableToken(w http.ResponseWriter, r *http.Request) {
	var req struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if !decode(r, &req) || req.GrantType != "client_credential" {
		fail(w, 47001)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := s.credential(req.AppID, req.Secret); code != 0 {
		fail(w, code)
		return
	}
	for text, t := range s.tokens {
		if t.appID == req.AppID && time.Until(t.expires) > 5*time.Minute && !req.ForceRefresh {
			writeJSON(w, http.StatusOK, map[string]any{"access_token": text, "expires_in": int(time.Until(t.expires).Seconds())})
			return
		}
	}
	text := rand.Text() + rand.Text() + rand.Text()
	s.tokens[text] = token{appID: req.AppID, expires: time.Now().Add(tokenLife)}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": text, "expires_in": int(tokenLife.Seconds())})
}

func (s *Sim) oauthToken(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := s.credential(q.Get("appid"), q.Get("secret")); code != 0 {
		fail(w, code)
		return
	}
	c, code := s.redeem("oauth", q.Get("code"))
	if code != 0 {
		fail(w, code)
		return
	}
	answer := map[string]any{
		"access_token": rand.Text(), "expires_in": 7200, "refresh_token": rand.Text(),
		"openid": c.user.openID(OfficialAppID), "scope": c.scope,
	}
	if c.scope == "snsapi_userinfo" {
		answer["unionid"] = c.user.unionID()
	}
	if c.user.Snapshot {
		answer["is_snapshotuser"] = 1
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Sim) session(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := s.credential(q.Get("appid"), q.Get("secret")); code != 0 {
		fail(w, code)
		return
	}
	c, code := s.redeem("session", q.Get("js_code"))
	if code != 0 {
		fail(w, code)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"openid": c.user.openID(MiniAppID), "session_key": rand.Text(), "unionid": c.user.unionID(),
	})
}

func (s *Sim) phoneNumber(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Code string `json:"code"`
	}
	valid := decode(r, &req)
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := s.authorized(r, MiniAppID); code != 0 {
		fail(w, code)
		return
	}
	if !valid {
		fail(w, 47001)
		return
	}
	c, code := s.redeem("phone", req.Code)
	if code != 0 {
		fail(w, code)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "phone_info": map[string]any{
		"phoneNumber": c.user.Phone, "purePhoneNumber": c.user.Phone, "countryCode": "86",
		"watermark": map[string]any{"timestamp": time.Now().Unix(), "appid": MiniAppID},
	}})
}

// messageRequest is the body of both kinds of message.
type messageRequest struct {
	ToUser     string `json:"touser"`
	TemplateID string `json:"template_id"`
	URL        string `json:"url"`
	Page       string `json:"page"`
	ClientID   string `json:"client_msg_id"`
	Data       map[string]struct {
		Value string `json:"value"`
	} `json:"data"`
}

// check validates what both kinds of message have in common.
func (s *Sim) check(r *http.Request, appID string) (req messageRequest, u *User, kind string, errcode int) {
	valid := decode(r, &req)
	if code := s.authorized(r, appID); code != 0 {
		return req, nil, "", code
	}
	if !valid {
		return req, nil, "", 47001
	}
	if u = s.userByOpenID(appID, req.ToUser); u == nil {
		return req, nil, "", 40003
	}
	kind, ok := strings.CutPrefix(req.TemplateID, templatePrefix)
	if !ok || kind == "" {
		return req, nil, "", 40037
	}
	for name, field := range req.Data {
		if n := utf8.RuneCountInString(field.Value); n == 0 || n > wechat.FieldLimit(name, field.Value) {
			return req, nil, "", 47003
		}
	}
	return req, u, kind, 0
}

// keepMessage puts a message into the inbox and returns its id.
func (s *Sim) keepMessage(m Message, req messageRequest, u *User, kind string) int64 {
	m.UserID, m.Nickname, m.OpenID, m.Kind, m.ClientID, m.At = u.ID, u.Nickname, req.ToUser, kind, req.ClientID, s.now()
	m.Fields = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(req.Data)) {
		m.Fields[name] = req.Data[name].Value
	}
	m.ID = 1
	if n := len(s.state.Messages); n > 0 {
		m.ID = s.state.Messages[n-1].ID + 1
	}
	s.state.Messages = append(s.state.Messages, m)
	if n := len(s.state.Messages); n > keepMessages {
		s.state.Messages = slices.Delete(s.state.Messages, 0, n-keepMessages)
	}
	s.dirty = true
	return m.ID
}

func (s *Sim) sendTemplate(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req, u, kind, code := s.check(r, OfficialAppID)
	if code == 0 && u.Unfollow {
		code = 43004
	}
	if code != 0 {
		fail(w, code)
		return
	}
	var id int64
	if req.ClientID != "" { // a repeat is dropped and answered as the first
		for _, m := range s.state.Messages {
			if m.ClientID == req.ClientID && m.OpenID == req.ToUser {
				id = m.ID
			}
		}
	}
	if id == 0 {
		id = s.keepMessage(Message{Channel: "template", URL: req.URL}, req, u, kind)
	}
	writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id})
}

func (s *Sim) sendSubscribe(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req, u, kind, code := s.check(r, MiniAppID)
	if code == 0 && s.state.Consents[u.ID+" "+kind] == 0 {
		code = 43101
	}
	if code != 0 {
		fail(w, code)
		return
	}
	s.state.Consents[u.ID+" "+kind]--
	s.keepMessage(Message{Channel: "subscribe", URL: req.Page}, req, u, kind)
	writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok"})
}

func (s *Sim) ticket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := s.authorized(r, OfficialAppID); code != 0 {
		fail(w, code)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "ticket": jsTicket, "expires_in": 7200})
}

// jsTicket never changes, so that a test can check a page's signature.
const jsTicket = "sandbox-jsapi-ticket"

func (s *Sim) miniCode(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Scene string `json:"scene"`
		Page  string `json:"page"`
	}
	valid := decode(r, &req)
	s.mu.Lock()
	code := s.authorized(r, MiniAppID)
	s.mu.Unlock()
	switch {
	case code != 0:
	case !valid:
		code = 47001
	case req.Scene == "" || len(req.Scene) > 32:
		code = 40169
	case strings.HasPrefix(req.Page, "/"):
		code = 41030
	}
	if code != 0 {
		fail(w, code)
		return
	}
	image, err := qrcode.Encode("weixin://mini/"+req.Page+"?scene="+req.Scene, qrcode.Medium, 430)
	if err != nil {
		fail(w, -1)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(image) // the client has gone
}
