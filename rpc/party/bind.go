package party

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/notify"
	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records"
)

// Limits of binding codes; WeChat users and phones are counted apart.
const (
	codeLife   = 5 * time.Minute
	codeTries  = 5
	codePerMin = 1
	codePerHr  = 5
	codePerDay = 10
)

var (
	errNoSuchMember = &kit.Error{Code: 40401, Key: "bind.unknown", Message: "未找到党员信息，请核对姓名、身份证号和手机号"}
	errTaken        = kit.Conflict("bind.taken", "该党员已绑定其他微信，请联系党组织解绑")
	errAccount      = kit.Conflict("bind.account", "该微信已绑定其他党员")
	errCode         = kit.Invalid("bind.code", "验证码错误或已失效，请重新获取")
)

// pendingCode is a code that was sent, kept by phone and WeChat user, so that nobody
// uses up the tries of another.
type pendingCode struct {
	Code     string `json:"code"`
	MemberID string `json:"memberId"`
	OpenID   string `json:"openId"`
	Expires  int64  `json:"expires"` // Unix milliseconds of the product's clock
	Tries    int    `json:"tries"`
}

// wechatUser is the phone user who calls, bound or not.
func wechatUser(ctx context.Context) (*kit.Caller, error) {
	c := kit.CallerOf(ctx)
	if c.Kind != kit.Member || c.OpenID == "" {
		return nil, kit.ErrUnauthenticated
	}
	return c, nil
}

// match finds the active member whom name, ID number and phone all name.
func (s *Service) match(ctx context.Context, name, idNumber, phone string) (*model.Member, error) {
	idNumber = normal.IDNumber(idNumber)
	if _, ok := model.ParseIDNumber(idNumber); !ok {
		return nil, kit.InvalidFields(map[string]string{"idNumber": "身份证号不正确"})
	}
	m, err := s.members.FindOne(ctx, model.Everything, bson.D{
		{Key: "idBlind", Value: s.d.Seal.Blind(idNumber)}, {Key: "status", Value: "active"},
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil, errNoSuchMember
	}
	if err != nil {
		return nil, err
	}
	if !normal.Same(m.Name, name) || m.PhoneBlind != s.d.Seal.Blind(normal.Phone(phone)) {
		return nil, errNoSuchMember
	}
	return m, nil
}

// SendBindCode sends an SMS code to a member's own phone: at most one a minute, five an
// hour, ten a day, for each phone and each WeChat user.
func (s *Service) SendBindCode(ctx context.Context, req *party.BindCodeReq) (*party.BindCodeResp, error) {
	c, err := wechatUser(ctx)
	if err != nil {
		return nil, err
	}
	// Counted before the look-up: guessing is limited too.
	if err := s.limit(ctx, "bind:openid:"+c.OpenID); err != nil {
		return nil, err
	}
	req.Phone = normal.Phone(req.Phone)
	phone := s.d.Seal.Blind(req.Phone)
	personID, bound := "", ""
	m, err := s.match(ctx, req.Name, req.IdNumber, req.Phone)
	switch {
	case err == nil:
		personID, bound = m.ID, m.BoundTo(c.Channel)
	case errors.Is(err, errNoSuchMember):
		g, _, err := s.matchGuest(ctx, req.Name, req.IdNumber, req.Phone)
		if err != nil {
			return nil, err
		}
		personID, bound = g.ID, g.BoundTo(c.Channel)
	default:
		return nil, err
	}
	if err := s.limit(ctx, "bind:phone:"+phone); err != nil {
		return nil, err
	}
	if bound != "" && bound != c.OpenID {
		return nil, errTaken
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	p := pendingCode{Code: fmt.Sprintf("%06d", n), MemberID: personID, OpenID: c.OpenID, Expires: s.d.Clock.Now().Add(codeLife).UnixMilli()}
	if err := s.storeCode(ctx, phone, p); err != nil {
		return nil, err
	}
	_, err = s.d.Notify.SendSMS(kit.AsSystem(ctx), &notify.SMSReq{Phone: req.Phone, Kind: "bindCode", Params: map[string]string{"code": p.Code}, Key: kit.NewID(s.d.Clock.Now())})
	if err != nil {
		return nil, err
	}
	return &party.BindCodeResp{RetryAfter: 60}, nil
}

func codeKey(phoneBlind, openID string) string { return "bind:code:" + phoneBlind + ":" + openID }

func (s *Service) storeCode(ctx context.Context, phoneBlind string, p pendingCode) error {
	b, _ := json.Marshal(p) // strings and numbers: cannot fail
	return s.d.Redis.Set(ctx, codeKey(phoneBlind, p.OpenID), b, codeLife).Err()
}

// countSend counts a code that is asked for, unless one of the limits is reached.
//
// KEYS[1] the sorted set of earlier times
// ARGV[1] now, in milliseconds of the product's clock; ARGV[2] a name for this time
// ARGV[3…] pairs of a window's length in milliseconds and how many may be within
// Returns 0, or in how many milliseconds the next one may be asked for.
var countSend = redis.NewScript(`
local now = tonumber(ARGV[1])
for i = 3, #ARGV, 2 do
  local since, most = now - tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local seen = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. since, '+inf', 'WITHSCORES')
  if #seen / 2 >= most then
    local oldest = tonumber(seen[#seen - 2 * most + 2])
    return math.max(oldest - since, 1)
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 86400000)
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('PEXPIRE', KEYS[1], 86400000)
return 0`)

func (s *Service) limit(ctx context.Context, key string) error {
	wait, err := countSend.Run(ctx, s.d.Redis, []string{key}, s.d.Clock.Now().UnixMilli(), kit.Token(),
		time.Minute.Milliseconds(), codePerMin, time.Hour.Milliseconds(), codePerHr, (24 * time.Hour).Milliseconds(), codePerDay).Int64()
	if err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	if wait > 0 {
		return kit.TooMany("bind.limit", "验证码获取过于频繁，请%s后再试", about(time.Duration(wait)*time.Millisecond))
	}
	return nil
}

// about is a time to wait as one says it.
func about(d time.Duration) string {
	switch {
	case d <= time.Minute:
		return fmt.Sprintf("%d秒", int((d+time.Second-1)/time.Second))
	case d <= time.Hour:
		return fmt.Sprintf("%d分钟", int((d+time.Minute-1)/time.Minute))
	}
	return fmt.Sprintf("%d小时", int((d+time.Hour-1)/time.Hour))
}

// Bind binds the WeChat user who calls to the member whom the code was sent to. One
// account binds to one person and one person to one account; the same pair again is
// the same binding.
func (s *Service) Bind(ctx context.Context, req *party.BindReq) (*party.Member, error) {
	c, err := wechatUser(ctx)
	if err != nil {
		return nil, err
	}
	phone := s.d.Seal.Blind(normal.Phone(req.Phone))
	if m, err := s.boundTo(ctx, c); err == nil && m.PhoneBlind == phone && m.IDBlind == s.d.Seal.Blind(normal.IDNumber(req.IdNumber)) {
		return s.presentOne(ctx, m, false) // the same request again: its code is used up
	} else if err != nil && !errors.Is(err, model.ErrNotFound) {
		return nil, err
	}
	if err := s.useCode(ctx, phone, c.OpenID, req.Code); err != nil {
		return nil, err
	}
	m, err := s.match(ctx, req.Name, req.IdNumber, req.Phone)
	if errors.Is(err, errNoSuchMember) {
		return s.bindGuest(ctx, c, req)
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := s.guestBoundTo(ctx, c.Channel, c.OpenID); err == nil {
		return nil, errAccount
	} else if !errors.Is(err, model.ErrNotFound) {
		return nil, err
	}
	if c.UnionID != "" { // bound to another person on the other channel
		other, err := s.members.FindOne(ctx, model.Everything, bson.D{{Key: "unionId", Value: c.UnionID}})
		if err == nil && other.ID != m.ID {
			return nil, errAccount
		}
		if err != nil && !errors.Is(err, model.ErrNotFound) {
			return nil, err
		}
	}
	m, err = s.members.Update(ctx, model.Everything, m.ID, func(m *model.Member) error {
		if m.Status != "active" {
			return errNoSuchMember
		}
		if bound := m.BoundTo(c.Channel); bound == c.OpenID {
			return nil
		} else if bound != "" {
			return errTaken
		}
		if c.UnionID != "" && m.UnionID != "" && m.UnionID != c.UnionID {
			return errTaken
		}
		was, now := *m, s.d.Clock.Now()
		m.SetBound(c.Channel, c.OpenID)
		m.BoundAt = &now
		if c.UnionID != "" {
			m.UnionID = c.UnionID
		}
		return s.Audit(ctx, "member", "绑定微信", &was, m)
	})
	if errors.Is(err, model.ErrDuplicate) {
		return nil, errAccount
	}
	if err != nil {
		return nil, err
	}
	return s.presentOne(ctx, m, false)
}

// boundTo is the active member that a WeChat user is bound to.
func (s *Service) boundTo(ctx context.Context, c *kit.Caller) (*model.Member, error) {
	field := "openId"
	if c.Channel == "mini" {
		field = "miniOpenId"
	}
	return s.members.FindOne(ctx, model.Everything, bson.D{{Key: field, Value: c.OpenID}, {Key: "status", Value: "active"}})
}

// countTry adds a try to a code and ends it at the last one, in one step, so that many
// guesses at once are no more than many guesses.
//
// KEYS[1] the code's key
// ARGV[1] how many tries end it
// Returns the JSON of the code, or false when there is none or its tries are used up.
var countTry = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
if not v then return false end
local p = cjson.decode(v)
p.tries = p.tries + 1
if p.tries > tonumber(ARGV[1]) then redis.call('DEL', KEYS[1]) return false end
local ttl = redis.call('PTTL', KEYS[1])
redis.call('SET', KEYS[1], cjson.encode(p), 'PX', math.max(ttl, 1))
return v`)

func (s *Service) useCode(ctx context.Context, phoneBlind, openID, code string) error {
	v, err := countTry.Run(ctx, s.d.Redis, []string{codeKey(phoneBlind, openID)}, codeTries).Text()
	if errors.Is(err, redis.Nil) {
		return errCode
	}
	if err != nil {
		return fmt.Errorf("bind code: %w", err)
	}
	var p pendingCode
	if err := json.Unmarshal([]byte(v), &p); err != nil {
		return fmt.Errorf("bind code: %w", err)
	}
	if p.OpenID != openID || s.d.Clock.Now().UnixMilli() > p.Expires || subtle.ConstantTimeCompare([]byte(p.Code), []byte(code)) != 1 {
		return errCode
	}
	return s.d.Redis.Del(ctx, codeKey(phoneBlind, openID)).Err()
}

// unbindAction ends a member's binding; he may bind again at once (manual 6.8.1).
func unbindAction() records.Action[*model.Member] {
	return records.Action[*model.Member]{
		Key: "unbind", Title: "微信解绑", Confirm: "确定解除该党员的微信绑定吗？", Permission: "binding.unbind",
		Do:   func(_ context.Context, m *model.Member, _ records.Input) error { m.Unbind(); return nil },
		Done: func(*model.Member) string { return "解绑成功" },
	}
}

// memberChanges counts the change of a member whom sessions know: before it is written,
// so that a crash in between cannot hide it, and after, for those who looked meanwhile.
func (s *Service) memberChanges(ctx context.Context, m *model.Member) (func(), error) {
	if !m.Misknown() {
		return func() {}, nil
	}
	return func() { s.bindingsChanged(ctx) }, s.countBindings(ctx)
}

func (s *Service) countBindings(ctx context.Context) error {
	if err := s.d.Redis.Incr(ctx, model.BindingsKey).Err(); err != nil {
		return fmt.Errorf("count of bindings: %w", err)
	}
	return nil
}

// bindingsChanged counts a change that is made already.
func (s *Service) bindingsChanged(ctx context.Context) {
	if err := s.countBindings(context.WithoutCancel(ctx)); err != nil {
		slog.ErrorContext(ctx, "party: sessions may know a member as he was", "cause", err)
	}
}

// FindByOpenID returns the member a WeChat user is bound to. A user of the same person's
// open-platform account (unionid) on the other channel is bound there on first sight.
func (s *Service) FindByOpenID(ctx context.Context, req *party.OpenIDReq) (*party.Member, error) {
	field := "openId"
	if req.Channel == "mini" {
		field = "miniOpenId"
	}
	m, err := s.members.FindOne(ctx, model.Everything, bson.D{{Key: field, Value: req.OpenId}})
	if errors.Is(err, model.ErrNotFound) && req.UnionId != "" {
		m, err = s.members.FindOne(ctx, model.Everything, bson.D{{Key: "unionId", Value: req.UnionId}})
		if err == nil {
			m, err = s.members.Update(ctx, model.Everything, m.ID, func(m *model.Member) error {
				if m.UnionID != req.UnionId || m.BoundTo(req.Channel) != "" {
					return kit.ErrNotFound
				}
				was := *m
				m.SetBound(req.Channel, req.OpenId)
				return s.Audit(ctx, "member", "绑定微信", &was, m)
			})
		}
	}
	if errors.Is(err, model.ErrNotFound) {
		g, _, err := s.guestBoundTo(ctx, req.Channel, req.OpenId)
		if err != nil {
			return nil, records.Mapped(err)
		}
		return s.presentGuest(g), nil
	}
	if err != nil {
		return nil, records.Mapped(err)
	}
	if m.Status != "active" {
		return nil, kit.ErrNotFound
	}
	return s.presentOne(ctx, m, false)
}
