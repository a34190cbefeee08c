package sim

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	smssim "zhihuidangjian/rpc/sms/sim"
)

// Control is the table of the control API, as the phone page shows it. All
// paths are under /sandbox/api, bodies and answers are JSON, errors are
// {"error": "…"} with a 4xx status. "The phone's user" is the one in the cookie
// sandbox_user, set by POST phone.
var Control = []struct{ Method, Path, Body, About string }{
	{"GET", "users", "", "微信用户列表"},
	{"POST", "users", `{"nickname","phone","unfollow","snapshot"}`, "新建微信用户；unfollow 未关注公众号，snapshot 快照页访问"},
	{"POST", "users/{id}", `{"unfollow","snapshot"}`, "修改用户是否关注、是否快照页"},
	{"POST", "users/{id}/oauth-code", "", "公众号网页授权 code，5 分钟内一次有效"},
	{"POST", "users/{id}/mini-code", "", "小程序 wx.login 的 code"},
	{"POST", "users/{id}/phone-code", "", "小程序手机号按钮的 code"},
	{"POST", "users/{id}/subscribe", `{"kind"}`, "用户同意接收一次订阅消息"},
	{"GET", "phone", "", "手机现在的使用者"},
	{"POST", "phone", `{"userId"}`, "换人使用手机（写 Cookie sandbox_user）"},
	{"GET", "payments", "", "全部订单，最新在前"},
	{"POST", "payments/open", `{"appId","timeStamp","nonceStr","package","signType","paySign"}`, "调起支付：验证 paySign，返回订单"},
	{"POST", "payments/{id}/approve", `{"userId"}`, "确认支付；id 为商户订单号、prepay_id 或其 package；扫码支付须给 userId 或已选手机使用者"},
	{"POST", "payments/{id}/cancel", "", "取消支付"},
	{"POST", "payments/{id}/notice", `{"mode","outTradeNo"}`, "发送支付通知，mode 为 " + strings.Join(Modes, "、")},
	{"POST", "native/scan", `{"codeUrl","userId"}`, "扫描收款码，返回订单"},
	{"GET", "messages?userId=", "", "模板消息与订阅消息，最新在前"},
	{"GET", "sms?phone=", "", "短信，最新在前"},
	{"POST", "faults", `{"target","errcode","times"}`, "让接下来的调用失败，target：token oauth session phone template subscribe ticket code prepay query close refund bill sms；errcode 另可为 http500、timeout、unsigned、paid、processing"},
	{"POST", "tokens/expire", "", "使全部 access_token 失效"},
	{"GET", "clock", "", "产品时钟（由 BFF 处理）"},
	{"POST", "clock", `{"advance":"24h"}`, "时钟前移（由 BFF 处理）"},
	{"GET", "captcha/{id}", "", "滑块验证码的答案（由 BFF 处理）"},
}

// UserCookie holds the id of the WeChat user who holds the phone.
const UserCookie = "sandbox_user"

// memberCookie is the BFF's session of a member: another person's phone starts without it.
const memberCookie = "zd_member"

// problem is an error for whoever drives the sandbox.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

func (s *Sim) controlRoutes(mux *http.ServeMux) {
	route := func(pattern string, h func(w http.ResponseWriter, r *http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /sandbox/api/"+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			answer, err := h(w, r)
			if err == nil {
				writeJSON(w, http.StatusOK, answer)
				return
			}
			status := http.StatusConflict
			if p, ok := errors.AsType[problem](err); ok {
				status = p.status
			}
			writeJSON(w, status, map[string]string{"error": err.Error()})
		})
	}
	route("GET users", s.listUsers)
	route("POST users", s.createUser)
	route("POST users/{id}", s.changeUser)
	route("POST users/{id}/oauth-code", s.codeFor("oauth"))
	route("POST users/{id}/mini-code", s.codeFor("session"))
	route("POST users/{id}/phone-code", s.codeFor("phone"))
	route("POST users/{id}/subscribe", s.subscribe)
	route("GET phone", s.holder)
	route("POST phone", s.handOver)
	route("GET payments", s.listPayments)
	route("POST payments/open", s.openPayment)
	route("POST payments/{id}/approve", s.approvePayment)
	route("POST payments/{id}/cancel", s.cancelPayment)
	route("POST payments/{id}/notice", s.sendNotice)
	route("POST native/scan", s.scanNative)
	route("GET messages", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return map[string]any{"messages": s.Messages(r.URL.Query().Get("userId"))}, nil
	})
	route("GET sms", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return map[string][]smssim.Message{"messages": s.sms.Messages(r.URL.Query().Get("phone"))}, nil
	})
	route("POST faults", s.setFault)
	route("POST tokens/expire", func(http.ResponseWriter, *http.Request) (any, error) {
		s.ExpireTokens()
		return map[string]any{}, nil
	})
	route("GET control", func(http.ResponseWriter, *http.Request) (any, error) { return map[string]any{"routes": Control}, nil })
}

// read decodes the body; an empty one is fine.
func read(r *http.Request, v any) error {
	if r.ContentLength == 0 {
		return nil
	}
	if !decode(r, v) {
		return problem{http.StatusBadRequest, "请求不是有效的 JSON"}
	}
	return nil
}

// person is a user as the control API tells it.
type person struct {
	User
	OpenID     string `json:"openId"`
	MiniOpenID string `json:"miniOpenId"`
	UnionID    string `json:"unionId"`
}

func tell(u *User) person {
	return person{*u, u.openID(OfficialAppID), u.openID(MiniAppID), u.unionID()}
}

func (s *Sim) listUsers(http.ResponseWriter, *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := []person{}
	for _, u := range s.state.Users {
		users = append(users, tell(u))
	}
	return map[string]any{"users": users}, nil
}

func (s *Sim) createUser(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req User
	if err := read(r, &req); err != nil {
		return nil, err
	}
	req.Nickname, req.Phone = strings.TrimSpace(req.Nickname), strings.TrimSpace(req.Phone)
	if req.Nickname == "" || len(req.Nickname) > 60 || len(req.Phone) != 11 || strings.Trim(req.Phone, "0123456789") != "" {
		return nil, problem{http.StatusBadRequest, "请填写昵称和 11 位手机号"}
	}
	u := s.addUser(User{Nickname: req.Nickname, Phone: req.Phone, Unfollow: req.Unfollow, Snapshot: req.Snapshot})
	if err := s.save(false); err != nil {
		return nil, err
	}
	return tell(&u), nil
}

func (s *Sim) changeUser(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req struct{ Unfollow, Snapshot *bool }
	if err := read(r, &req); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(r.PathValue("id"))
	if u == nil {
		return nil, errNoUser
	}
	if req.Unfollow != nil {
		u.Unfollow = *req.Unfollow
	}
	if req.Snapshot != nil {
		u.Snapshot = *req.Snapshot
	}
	s.dirty = true
	return tell(u), nil
}

var (
	errNoUser    = problem{http.StatusNotFound, "没有这个微信用户"}
	errNoPayment = problem{http.StatusNotFound, "没有这个订单"}
)

func (s *Sim) codeFor(purpose string) func(http.ResponseWriter, *http.Request) (any, error) {
	return func(_ http.ResponseWriter, r *http.Request) (any, error) {
		text := s.Code(purpose, r.PathValue("id"))
		if text == "" {
			return nil, errNoUser
		}
		return map[string]string{"code": text}, nil
	}
}

func (s *Sim) subscribe(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req struct{ Kind string }
	if err := read(r, &req); err != nil {
		return nil, err
	}
	if s.OpenID(r.PathValue("id"), MiniAppID) == "" {
		return nil, errNoUser
	}
	if req.Kind == "" {
		return nil, problem{http.StatusBadRequest, "请给出消息种类 kind"}
	}
	s.Consent(r.PathValue("id"), strings.TrimPrefix(req.Kind, templatePrefix))
	return map[string]any{}, nil
}

// holding returns the phone's user, or nil. It needs s.mu.
func (s *Sim) holding(r *http.Request) *User {
	if c, err := r.Cookie(UserCookie); err == nil {
		return s.user(c.Value)
	}
	return nil
}

func (s *Sim) holder(_ http.ResponseWriter, r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.holding(r); u != nil {
		return map[string]any{"user": tell(u)}, nil
	}
	return map[string]any{"user": nil}, nil
}

func (s *Sim) handOver(w http.ResponseWriter, r *http.Request) (any, error) {
	var req struct{ UserID string }
	if err := read(r, &req); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(req.UserID)
	if u == nil {
		return nil, errNoUser
	}
	http.SetCookie(w, &http.Cookie{Name: UserCookie, Value: u.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.SetCookie(w, &http.Cookie{Name: memberCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return map[string]any{"user": tell(u)}, nil
}

// payment is an order as the control API tells it.
type payment struct {
	OutTradeNo    string     `json:"outTradeNo"`
	PrepayID      string     `json:"prepayId"`
	CodeURL       string     `json:"codeUrl"`
	TransactionID string     `json:"transactionId"`
	Type          string     `json:"type"`
	AppID         string     `json:"appId"`
	Description   string     `json:"description"`
	AmountFen     int64      `json:"amountFen"`
	State         string     `json:"state"`
	UserID        string     `json:"userId"` // who pays or paid; "" for a code nobody has paid
	Nickname      string     `json:"nickname"`
	CreatedAt     time.Time  `json:"createdAt"`
	ExpireAt      time.Time  `json:"expireAt"`
	PaidAt        *time.Time `json:"paidAt"`
	CancelledAt   *time.Time `json:"cancelledAt"`
	Plan          string     `json:"plan"`
	NoticeDue     *time.Time `json:"noticeDue"` // when the next genuine notice goes out
	Notices       []delivery `json:"notices"`
}

// show needs s.mu.
func (s *Sim) show(o *order) payment {
	p := payment{
		OutTradeNo: o.OutTradeNo, PrepayID: o.PrepayID, CodeURL: o.CodeURL, TransactionID: o.TransactionID, Type: o.Type, AppID: o.AppID,
		Description: o.Description, AmountFen: o.Amount, State: o.state(s.now()), CreatedAt: o.CreatedAt, ExpireAt: o.ExpireAt,
		Plan: o.Plan, Notices: append([]delivery{}, o.Log...),
	}
	if u := s.userByOpenID(o.AppID, o.OpenID); u != nil {
		p.UserID, p.Nickname = u.ID, u.Nickname
	}
	if !o.PaidAt.IsZero() {
		p.PaidAt = &o.PaidAt
	}
	if !o.CancelledAt.IsZero() {
		p.CancelledAt = &o.CancelledAt
	}
	for _, n := range s.state.Pending {
		if n.OutTradeNo == o.OutTradeNo {
			due := n.Due
			p.NoticeDue = &due
		}
	}
	return p
}

func (s *Sim) listPayments(http.ResponseWriter, *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	payments := []payment{}
	for _, o := range s.state.Orders {
		payments = append(payments, s.show(o))
	}
	slices.SortFunc(payments, func(a, b payment) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.OutTradeNo, a.OutTradeNo))
	})
	if len(payments) > 200 {
		payments = payments[:200]
	}
	return map[string]any{"payments": payments}, nil
}

// order finds an order by any of its names. It needs s.mu.
func (s *Sim) order(id string) *order {
	if o := s.state.Orders[id]; o != nil {
		return o
	}
	id = strings.TrimPrefix(id, "prepay_id=")
	for _, o := range s.state.Orders {
		if id != "" && (o.PrepayID == id || o.CodeURL == id) {
			return o
		}
	}
	return nil
}

// openPayment is what the WeChat app does before it shows the pay sheet.
func (s *Sim) openPayment(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req struct{ AppID, TimeStamp, NonceStr, Package, SignType, PaySign string }
	if err := read(r, &req); err != nil {
		return nil, err
	}
	signature, err := base64.StdEncoding.DecodeString(req.PaySign)
	if err != nil || req.SignType != "RSA" ||
		!s.merchantSigned(req.AppID+"\n"+req.TimeStamp+"\n"+req.NonceStr+"\n"+req.Package+"\n", signature) {
		return nil, problem{http.StatusBadRequest, "支付验证签名失败"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(req.Package)
	if o == nil || o.AppID != req.AppID {
		return nil, errNoPayment
	}
	if u := s.holding(r); u != nil && u.openID(o.AppID) != o.OpenID {
		return nil, problem{http.StatusForbidden, "该订单只能由下单的微信用户支付"}
	}
	return s.payable(o)
}

// payable shows an order that can still be paid. It needs s.mu.
func (s *Sim) payable(o *order) (any, error) {
	switch o.state(s.now()) {
	case "NOTPAY":
		return s.show(o), nil
	case "CLOSED":
		return nil, errors.New("订单已关闭或已过期")
	}
	return nil, errors.New("订单已支付")
}

func (s *Sim) scanNative(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req struct{ CodeURL, UserID string }
	if err := read(r, &req); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(req.CodeURL)
	if o == nil {
		return nil, errNoPayment
	}
	if req.UserID != "" && s.user(req.UserID) == nil {
		return nil, errNoUser
	}
	return s.payable(o)
}

func (s *Sim) approvePayment(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req struct{ UserID string }
	if err := read(r, &req); err != nil {
		return nil, err
	}
	answer, err := s.settle(r, req.UserID)
	if err != nil {
		return nil, err
	}
	return answer, s.save(false)
}

func (s *Sim) settle(r *http.Request, userID string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(r.PathValue("id"))
	if o == nil {
		return nil, errNoPayment
	}
	payer := s.userByOpenID(o.AppID, o.OpenID)
	switch {
	case userID != "":
		if payer = s.user(userID); payer == nil {
			return nil, errNoUser
		}
	case o.Type == "NATIVE":
		payer = s.holding(r)
	}
	if err := s.approve(o, payer); err != nil {
		return nil, err
	}
	return s.show(o), nil
}

// Approve pays an order (by any of its names) as a user, or as the one who
// ordered if userID is "". Run or Deliver sends the notice.
func (s *Sim) Approve(id, userID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(id)
	if o == nil {
		return errNoPayment
	}
	payer := s.userByOpenID(o.AppID, o.OpenID)
	if userID != "" {
		payer = s.user(userID)
	}
	return s.approve(o, payer)
}

func (s *Sim) cancelPayment(_ http.ResponseWriter, r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(r.PathValue("id"))
	if o == nil {
		return nil, errNoPayment
	}
	if !o.PaidAt.IsZero() {
		return nil, errors.New("订单已支付")
	}
	o.CancelledAt, s.dirty = s.now(), true // at WeChat the order simply stays unpaid
	return s.show(o), nil
}

func (s *Sim) sendNotice(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req struct{ Mode, OutTradeNo string }
	if err := read(r, &req); err != nil {
		return nil, err
	}
	s.mu.Lock()
	o := s.order(r.PathValue("id"))
	s.mu.Unlock()
	if o == nil {
		return nil, errNoPayment
	}
	if req.Mode == "" {
		req.Mode = "normal"
	}
	deliveries, err := s.Notify(r.Context(), o.OutTradeNo, req.Mode, req.OutTradeNo)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{"deliveries": deliveries, "payment": s.show(o)}, nil
}

func (s *Sim) setFault(_ http.ResponseWriter, r *http.Request) (any, error) {
	var req struct {
		Target  string
		Errcode json.RawMessage
		Times   int
	}
	if err := read(r, &req); err != nil {
		return nil, err
	}
	errcode := strings.Trim(string(req.Errcode), `"`)
	if req.Target == "" || errcode == "" || req.Times > 1000 {
		return nil, problem{http.StatusBadRequest, "请给出 target、errcode 和不大于 1000 的 times"}
	}
	s.Fail(req.Target, errcode, max(req.Times, 1))
	return map[string]string{"message": fmt.Sprintf("%s 接下来 %d 次返回 %s", req.Target, max(req.Times, 1), errcode)}, nil
}
