package party

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/notify"
	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
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
	errCode         = kit.Invalid("bind.code", "验证码错误或已失效，请重新获取")
)

// pendingCode is a code that was sent, kept under the phone's blind index.
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
	idNumber = strings.ToUpper(strings.TrimSpace(idNumber))
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
	if m.Name != strings.TrimSpace(name) || m.PhoneBlind != s.d.Seal.Blind(phone) {
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
	m, err := s.match(ctx, req.Name, req.IdNumber, req.Phone)
	if err != nil {
		return nil, err
	}
	if err := s.limit(ctx, "bind:phone:"+m.PhoneBlind); err != nil {
		return nil, err
	}
	if bound := m.BoundTo(c.Channel); bound != "" && bound != c.OpenID {
		return nil, errTaken
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	p := pendingCode{Code: fmt.Sprintf("%06d", n), MemberID: m.ID, OpenID: c.OpenID, Expires: s.d.Clock.Now().Add(codeLife).UnixMilli()}
	if err := s.storeCode(ctx, m.PhoneBlind, p); err != nil {
		return nil, err
	}
	_, err = s.d.Notify.SendSMS(kit.AsSystem(ctx), &notify.SMSReq{Phone: req.Phone, Kind: "bindCode", Params: map[string]string{"code": p.Code}, Key: kit.NewID(s.d.Clock.Now())})
	if err != nil {
		return nil, err
	}
	return &party.BindCodeResp{RetryAfter: 60}, nil
}

func codeKey(phoneBlind string) string { return "bind:code:" + phoneBlind }

func (s *Service) storeCode(ctx context.Context, phoneBlind string, p pendingCode) error {
	b, _ := json.Marshal(p) // strings and numbers: cannot fail
	return s.d.Redis.Set(ctx, codeKey(phoneBlind), b, codeLife).Err()
}

// limitWindows are counted by the product's clock: the bucket is part of the key.
var limitWindows = []struct {
	length time.Duration
	most   int64
}{{time.Minute, codePerMin}, {time.Hour, codePerHr}, {24 * time.Hour, codePerDay}}

func (s *Service) limit(ctx context.Context, key string) error {
	now := s.d.Clock.Now().Unix()
	for _, w := range limitWindows {
		k := fmt.Sprintf("%s:%d:%d", key, int(w.length.Seconds()), now/int64(w.length.Seconds()))
		n, err := s.d.Redis.Incr(ctx, k).Result()
		if err != nil {
			return fmt.Errorf("limit: %w", err)
		}
		s.d.Redis.Expire(ctx, k, w.length)
		if n > w.most {
			return kit.TooMany("bind.limit", "验证码获取过于频繁，请稍后再试")
		}
	}
	return nil
}

// Bind binds the WeChat user who calls to the member whom the code was sent to. One
// account binds to one person and one person to one account; the same pair again is
// the same binding.
func (s *Service) Bind(ctx context.Context, req *party.BindReq) (*party.Member, error) {
	c, err := wechatUser(ctx)
	if err != nil {
		return nil, err
	}
	phone := s.d.Seal.Blind(req.Phone)
	if err := s.useCode(ctx, phone, c.OpenID, req.Code); err != nil {
		return nil, err
	}
	m, err := s.match(ctx, req.Name, req.IdNumber, req.Phone)
	if err != nil {
		return nil, err
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
		now := s.d.Clock.Now()
		m.SetBound(c.Channel, c.OpenID)
		m.UnionID, m.BoundAt = c.UnionID, &now
		return nil
	})
	if errors.Is(err, model.ErrDuplicate) {
		return nil, kit.Conflict("bind.account", "该微信已绑定其他党员")
	}
	if err != nil {
		return nil, err
	}
	return s.presentOne(ctx, m, false)
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
	v, err := countTry.Run(ctx, s.d.Redis, []string{codeKey(phoneBlind)}, codeTries).Text()
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
	return s.d.Redis.Del(ctx, codeKey(phoneBlind)).Err()
}

// Unbind ends a member's binding; he may bind again at once (manual 6.8.1).
func (s *Service) Unbind(ctx context.Context, req *party.MemberReq) (*records.Empty, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	_, err = s.members.Update(ctx, model.Within(c.OrgID), req.MemberId, func(m *model.Member) error {
		if !m.Bound() {
			return kit.Conflict("bind.none", "该党员未绑定")
		}
		m.Unbind()
		return nil
	})
	return &records.Empty{}, notFound(err)
}

// FindByOpenID returns the member a WeChat user is bound to. A user of the same person's
// open-platform account (unionid) on the other channel is bound there on first sight.
func (s *Service) FindByOpenID(ctx context.Context, req *party.OpenIDReq) (*party.Member, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
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
				m.SetBound(req.Channel, req.OpenId)
				return nil
			})
		}
	}
	if err != nil {
		return nil, notFound(err)
	}
	if m.Status != "active" {
		return nil, kit.ErrNotFound
	}
	return s.presentOne(ctx, m, false)
}
