package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	account "zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/party"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

const (
	adminIdle  = 30 * time.Minute
	adminMost  = 12 * time.Hour
	memberIdle = 7 * 24 * time.Hour
)

// session is what Redis keeps of one log-in, under the hash of its token. Losing it
// costs a log-in, nothing else.
type session struct {
	Caller  kit.Caller `json:"caller"`
	Me      account.Me `json:"me"`
	Since   int64      `json:"since"` // Unix milliseconds of the product's clock
	SeenAt  int64      `json:"seen"`
	Rights  int64      `json:"rights"`  // count of changes of rights that it knows
	Checked int64      `json:"checked"` // when the user was last looked up
}

func (s *Service) open(ctx context.Context, ses *session) (string, error) {
	now := s.clock.Now().UnixMilli()
	ses.Since, ses.SeenAt, ses.Checked = now, now, now
	token := kit.Token()
	b, err := json.Marshal(ses)
	if err != nil {
		return "", err
	}
	if err := s.redis.Set(ctx, sessionKey(token), b, ses.life()).Err(); err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	if id := ses.Caller.UserID; id != "" {
		key := "session:user:" + id
		s.redis.SAdd(ctx, key, sessionKey(token))
		s.redis.Expire(ctx, key, adminMost)
	}
	return token, nil
}

func (ses *session) life() time.Duration {
	if ses.Caller.Kind == kit.Member {
		return memberIdle
	}
	return adminIdle
}

// refresh stores a session that is still there: one that was ended meanwhile stays so.
func (s *Service) refresh(ctx context.Context, token string, ses *session) error {
	b, err := json.Marshal(ses)
	if err != nil {
		return err
	}
	there, err := s.redis.SetXX(ctx, sessionKey(token), b, ses.life()).Result()
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if !there {
		return kit.ErrUnauthenticated
	}
	return nil
}

// checkEvery is how long a user's lock, deletion or change of password is not noticed
// when ending his sessions failed.
const checkEvery = 5 * time.Second

// stands tells whether the user may still have the session he opened, and brings his
// place and rights up to date.
func (s *Service) stands(ctx context.Context, ses *session) (bool, error) {
	u, err := s.users.Get(ctx, model.Everything, ses.Caller.UserID)
	if errors.Is(err, model.ErrNotFound) {
		return false, nil
	}
	if err != nil || u.Status != "enabled" || u.PasswordChangedAt.UnixMilli() > ses.Since {
		return false, err
	}
	c := &ses.Caller
	c.Name, c.OrgID, c.Orgs, c.TopLevel = u.RealName, u.OrgID, u.Orgs, len(u.Orgs) == 1
	c.Permissions, err = s.rights(ctx, u)
	return err == nil, err
}

func sessionKey(token string) string {
	h := sha256.Sum256([]byte(token))
	return "session:" + hex.EncodeToString(h[:])
}

func (s *Service) load(ctx context.Context, token string) (*session, error) {
	if token == "" {
		return nil, kit.ErrUnauthenticated
	}
	b, err := s.redis.Get(ctx, sessionKey(token)).Bytes()
	if err == redis.Nil {
		return nil, kit.ErrUnauthenticated
	}
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	ses := &session{}
	if err := json.Unmarshal(b, ses); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return ses, nil
}

// Authenticate tells who holds a token. Sessions end after 30 idle minutes or 12 hours
// (admins), 7 idle days (members), and at log-out.
func (s *Service) Authenticate(ctx context.Context, req *account.TokenReq) (*account.Caller, error) {
	ses, err := s.load(ctx, req.Token)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	if ses.Caller.Kind == kit.User {
		idle, age := now.UnixMilli()-ses.SeenAt, now.UnixMilli()-ses.Since
		if idle > adminIdle.Milliseconds() || age > adminMost.Milliseconds() {
			s.redis.Del(ctx, sessionKey(req.Token))
			return nil, kit.ErrUnauthenticated
		}
	}
	// Seen is kept to a thirtieth of the idle time, so that a burst of scans only reads.
	dirty := now.UnixMilli()-ses.SeenAt > (ses.life() / 30).Milliseconds()
	rights := ses.Rights
	if ses.Caller.Kind == kit.User {
		if rights, err = s.redis.Get(ctx, rightsKey).Int64(); err != nil && err != redis.Nil {
			return nil, fmt.Errorf("rights: %w", err)
		}
	}
	if ses.Caller.Kind == kit.User && (rights != ses.Rights || now.UnixMilli()-ses.Checked > checkEvery.Milliseconds()) {
		ok, err := s.stands(ctx, ses)
		if err != nil {
			return nil, err
		}
		if !ok {
			s.redis.Del(ctx, sessionKey(req.Token))
			return nil, kit.ErrUnauthenticated
		}
		ses.Checked, ses.Rights, dirty = now.UnixMilli(), rights, true
	}
	if ses.Caller.Kind == kit.Member {
		// A binding can begin and end at any time (MENU-10). Who asks often remembers the
		// answer for a while (the edge: 2 s).
		was := ses.Caller.MemberID
		if err := s.recognise(ctx, ses); err != nil {
			return nil, err
		}
		dirty = dirty || was != ses.Caller.MemberID
	}
	if dirty {
		ses.SeenAt = now.UnixMilli()
		if err := s.refresh(ctx, req.Token, ses); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(ses.Caller)
	return &account.Caller{Json: string(b)}, err
}

// recognise finds the member bound to the session's WeChat account, if any.
func (s *Service) recognise(ctx context.Context, ses *session) error {
	c := &ses.Caller
	m, err := s.party.FindByOpenID(kit.AsSystem(ctx), &party.OpenIDReq{OpenId: c.OpenID, UnionId: c.UnionID, Channel: c.Channel})
	if err != nil {
		if kit.FromError(err).Code/100 != 404 {
			return err
		}
		m = &party.Member{} // nobody: unbound
	}
	c.MemberID, c.Name, c.OrgID, c.Orgs = m.GetId(), m.GetName(), m.GetOrgId(), m.GetOrgs()
	ses.Me = account.Me{OpenId: c.OpenID, MemberId: c.MemberID, RealName: c.Name, OrgId: c.OrgID, OrgName: m.GetOrgName(), Bound: c.MemberID != ""}
	return nil
}

// MemberSession opens a session for a WeChat user whom OAuth or code2session named.
func (s *Service) MemberSession(ctx context.Context, req *account.MemberSessionReq) (*account.Session, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	if req.OpenId == "" {
		return nil, kit.ErrUnauthenticated
	}
	ses := &session{Caller: kit.Caller{Kind: kit.Member, OpenID: req.OpenId, UnionID: req.UnionId, Channel: req.Channel}}
	if err := s.recognise(ctx, ses); err != nil {
		return nil, err
	}
	token, err := s.open(ctx, ses)
	return &account.Session{Token: token, Me: &ses.Me}, err
}

// Logout ends a session at once.
func (s *Service) Logout(ctx context.Context, req *account.TokenReq) (*records.Empty, error) {
	if c := kit.CallerOf(ctx); c.Kind == kit.User {
		if err := s.did(ctx, c, model.AuditLogout, "退出"); err != nil {
			return nil, err
		}
	}
	return &records.Empty{}, s.redis.Del(ctx, sessionKey(req.Token)).Err()
}

// Rehome moves the users of an organisation along with it; their sessions learn of the
// new place.
func (s *Service) Rehome(ctx context.Context, req *records.RehomeReq) (*records.Empty, error) {
	if _, err := s.Engine.Rehome(ctx, req); err != nil {
		return nil, err
	}
	users, err := s.users.Find(ctx, model.Within(req.OrgId), nil, model.Page{})
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		keys, err := s.redis.SMembers(ctx, "session:user:"+u.ID).Result()
		if err != nil {
			return nil, fmt.Errorf("sessions of %s: %w", u.ID, err)
		}
		for _, key := range keys {
			if err := s.moveSession(ctx, key, u.Orgs); err != nil {
				return nil, fmt.Errorf("sessions of %s: %w", u.ID, err)
			}
		}
	}
	return &records.Empty{}, nil
}

func (s *Service) moveSession(ctx context.Context, key string, orgs []string) error {
	b, err := s.redis.Get(ctx, key).Bytes()
	if err == redis.Nil {
		return nil
	}
	if err != nil {
		return err
	}
	ses := &session{}
	if err := json.Unmarshal(b, ses); err != nil {
		return err
	}
	if slices.Equal(ses.Caller.Orgs, orgs) {
		return nil
	}
	ses.Caller.Orgs = orgs
	if b, err = json.Marshal(ses); err != nil {
		return err
	}
	return s.redis.SetArgs(ctx, key, b, redis.SetArgs{Mode: "XX", KeepTTL: true}).Err()
}

// endSessions logs a user out everywhere: after a change of password, or when disabled.
func (s *Service) endSessions(ctx context.Context, userID string) error {
	key := "session:user:" + userID
	keys, err := s.redis.SMembers(ctx, key).Result()
	if err != nil {
		return fmt.Errorf("sessions of %s: %w", userID, err)
	}
	return s.redis.Del(ctx, append(keys, key)...).Err()
}
