package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	account "zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/trail"
)

const (
	adminIdle  = 30 * time.Minute
	adminMost  = 12 * time.Hour
	memberIdle = 7 * 24 * time.Hour
	memberMost = 30 * 24 * time.Hour // then WeChat says again who this is
	// sessionsAtOnce bounds one read of Redis, some 50 KB.
	sessionsAtOnce = 128
)

// session is what Redis keeps of one log-in, under the hash of its token. Losing it
// costs a log-in, nothing else.
type session struct {
	caller kit.Caller
	since  time.Time
	seenAt time.Time
	// changes is the count of changes of rights, or of bindings, that it knows; unsure
	// when it must be asked who this is whatever the count says.
	changes   int64
	checkedAt time.Time // when the user was last looked up

	rights, bindings int64 // the counts now
}

const unsure = -1

func (ses *session) store(ctx context.Context, set func(context.Context, []byte) error) error {
	b, err := kit.Marshal(&account.StoredSession{
		Caller: ses.caller.Message(), Since: ses.since.UnixMilli(), SeenAt: ses.seenAt.UnixMilli(),
		Changes: ses.changes, CheckedAt: ses.checkedAt.UnixMilli(),
	})
	if err == nil {
		err = set(ctx, b)
	}
	if err != nil && kit.FromError(err) != kit.ErrUnauthenticated {
		return fmt.Errorf("session: %w", err)
	}
	return err
}

func readSession(b []byte) (*session, error) {
	stored := &account.StoredSession{}
	if err := kit.Unmarshal(b, stored); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return &session{
		caller: kit.CallerFrom(stored.Caller), since: time.UnixMilli(stored.Since), seenAt: time.UnixMilli(stored.SeenAt),
		changes: stored.Changes, checkedAt: time.UnixMilli(stored.CheckedAt),
	}, nil
}

func (s *Service) open(ctx context.Context, ses *session) (string, error) {
	now := s.clock.Now()
	ses.since, ses.seenAt, ses.checkedAt = now, now, now
	token := kit.Token()
	err := ses.store(ctx, func(ctx context.Context, b []byte) error {
		return s.redis.Set(ctx, sessionKey(token), b, ses.life()).Err()
	})
	if err != nil {
		return "", err
	}
	if id := ses.caller.UserID; id != "" {
		key := "session:user:" + id
		s.redis.SAdd(ctx, key, sessionKey(token))
		s.redis.Expire(ctx, key, adminMost)
	}
	return token, nil
}

func (ses *session) life() time.Duration {
	if ses.caller.Kind == kit.Member {
		return memberIdle
	}
	return adminIdle
}

// refresh stores a session that is still there: one that was ended meanwhile stays so.
func (s *Service) refresh(ctx context.Context, token string, ses *session) error {
	return ses.store(ctx, func(ctx context.Context, b []byte) error {
		there, err := s.redis.SetXX(ctx, sessionKey(token), b, ses.life()).Result()
		if err == nil && !there {
			err = kit.ErrUnauthenticated
		}
		return err
	})
}

// checkEvery is how long a user's lock, deletion or change of password is not noticed
// when ending his sessions failed.
const checkEvery = 5 * time.Second

// stands tells whether the user may still have the session he opened, and brings his
// place and rights up to date.
func (s *Service) stands(ctx context.Context, ses *session) (bool, error) {
	u, err := s.users.Get(ctx, model.Everything, ses.caller.UserID)
	if errors.Is(err, model.ErrNotFound) {
		return false, nil
	}
	if err != nil || u.Status != "enabled" || u.PasswordChangedAt.UnixMilli() > ses.since.UnixMilli() {
		return false, err
	}
	c := &ses.caller
	c.Name, c.OrgID, c.Orgs, c.TopLevel = u.RealName, u.OrgID, u.Orgs, len(u.Orgs) == 1
	c.Permissions, err = s.rights(ctx, u)
	return err == nil, err
}

func sessionKey(token string) string {
	h := sha256.Sum256([]byte(token))
	return "login:" + hex.EncodeToString(h[:])
}

// load reads a session and the counts of changes. A burst of requests reads many at once.
func (s *Service) load(ctx context.Context, token string) (*session, error) {
	if token == "" {
		return nil, kit.ErrUnauthenticated
	}
	ses, err := s.sessions.Do(ctx, sessionKey(token))
	if err == nil && ses == nil {
		err = kit.ErrUnauthenticated
	}
	return ses, err
}

// sessionsOf reads the sessions of keys, nil for what is none, for load.
func (s *Service) sessionsOf(ctx context.Context, keys []string) ([]*session, error) {
	values, err := s.redis.MGet(ctx, append(keys, rightsKey, model.BindingsKey)...).Result()
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	rights, bindings := countOf(values[len(keys)]), countOf(values[len(keys)+1])
	out := make([]*session, len(keys))
	for i := range keys {
		if text, ok := values[i].(string); ok {
			if out[i], err = readSession([]byte(text)); err != nil {
				slog.WarnContext(ctx, "account: session not readable", "cause", err) // as if it had ended
				continue
			}
			out[i].rights, out[i].bindings = rights, bindings
		}
	}
	return out, nil
}

// countOf is a counter of Redis as MGET answers it; one that nobody has counted is 0.
func countOf(value any) int64 {
	text, _ := value.(string)
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// Authenticate tells who holds a token. Sessions end after 30 idle minutes or 12 hours
// (admins), 7 idle or 30 days (members), and at log-out.
func (s *Service) Authenticate(ctx context.Context, req *account.TokenReq) (*account.Caller, error) {
	ses, err := s.load(ctx, req.Token)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	// Seen is kept to a thirtieth of the idle time, so that a burst of scans only reads.
	dirty := now.Sub(ses.seenAt) > ses.life()/30
	if ses.caller.Kind == kit.Member && now.Sub(ses.since) > memberMost {
		s.redis.Del(ctx, sessionKey(req.Token))
		return nil, kit.ErrUnauthenticated
	}
	if ses.caller.Kind == kit.User {
		ok := now.Sub(ses.seenAt) <= adminIdle && now.Sub(ses.since) <= adminMost
		if ok && (ses.rights != ses.changes || now.Sub(ses.checkedAt) > checkEvery) {
			if ok, err = s.stands(ctx, ses); err != nil {
				return nil, err
			}
			ses.checkedAt, ses.changes, dirty = now, ses.rights, true
		}
		if !ok {
			s.redis.Del(ctx, sessionKey(req.Token))
			return nil, kit.ErrUnauthenticated
		}
	} else if ses.changes == unsure || ses.changes != ses.bindings {
		// A binding can begin and end at any time (MENU-10).
		was := ses.caller.MemberID
		if _, err := s.recall(ctx, ses); err != nil {
			return nil, err
		}
		dirty = dirty || ses.changes != unsure || was != ses.caller.MemberID
	}
	if dirty {
		ses.seenAt = now
		if err := s.refresh(ctx, req.Token, ses); err != nil {
			return nil, err
		}
	}
	return ses.caller.Message(), nil
}

// recall brings a session up to date with the bindings as counted. Members are known
// until a binding changes; who is nobody yet may bind at any moment, and a guest's time
// may be over by the calendar, so that they are asked for each time.
func (s *Service) recall(ctx context.Context, ses *session) (*party.Member, error) {
	m, err := s.recognise(ctx, &ses.caller)
	if err != nil {
		return nil, err
	}
	if ses.changes = ses.bindings; m.Id == "" || m.MemberType == model.GuestType {
		ses.changes = unsure
	}
	return m, nil
}

// recognise finds the person bound to the caller's WeChat account; a member without id is
// nobody.
func (s *Service) recognise(ctx context.Context, c *kit.Caller) (*party.Member, error) {
	m, err := s.party.FindByOpenID(kit.AsSystem(ctx), &party.OpenIDReq{OpenId: c.OpenID, UnionId: c.UnionID, Channel: c.Channel})
	if err != nil {
		if kit.FromError(err).Code/100 != 404 {
			return nil, err
		}
		m = &party.Member{}
	}
	c.MemberID, c.Name, c.OrgID, c.Orgs = m.Id, m.Name, m.OrgId, m.Orgs
	return m, nil
}

// memberMe describes a phone's caller to his own pages.
func memberMe(c *kit.Caller, m *party.Member) *account.Me {
	return &account.Me{OpenId: c.OpenID, MemberId: m.Id, RealName: m.Name, OrgId: m.OrgId, OrgName: m.OrgName, Bound: m.Id != ""}
}

// MemberSession opens a session for a WeChat user whom OAuth or code2session named.
func (s *Service) MemberSession(ctx context.Context, req *account.MemberSessionReq) (*account.Session, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	if req.OpenId == "" {
		return nil, kit.ErrUnauthenticated
	}
	bindings, err := s.redis.Get(ctx, model.BindingsKey).Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("bindings: %w", err)
	}
	ses := &session{caller: kit.Caller{Kind: kit.Member, OpenID: req.OpenId, UnionID: req.UnionId, Channel: req.Channel}, bindings: bindings}
	m, err := s.recall(ctx, ses)
	if err != nil {
		return nil, err
	}
	token, err := s.open(ctx, ses)
	return &account.Session{Token: token, Me: memberMe(&ses.caller, m)}, err
}

// Logout ends a session at once.
func (s *Service) Logout(ctx context.Context, req *account.TokenReq) (*recordsgen.Empty, error) {
	if kit.CallerOf(ctx).Kind == kit.User {
		if err := trail.Note(ctx, s.db, s.own(ctx, model.AuditLogout, "退出")); err != nil {
			return nil, err
		}
	}
	return &recordsgen.Empty{}, s.redis.Del(ctx, sessionKey(req.Token)).Err()
}

// Rehome moves the users of an organisation along with it; their sessions learn of the
// new place.
func (s *Service) Rehome(ctx context.Context, req *recordsgen.RehomeReq) (*recordsgen.Empty, error) {
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
	return &recordsgen.Empty{}, nil
}

func (s *Service) moveSession(ctx context.Context, key string, orgs []string) error {
	b, err := s.redis.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return err
	}
	ses, err := readSession(b)
	if err != nil || slices.Equal(ses.caller.Orgs, orgs) {
		return err
	}
	ses.caller.Orgs = orgs
	return ses.store(ctx, func(ctx context.Context, b []byte) error {
		return s.redis.SetArgs(ctx, key, b, redis.SetArgs{Mode: "XX", KeepTTL: true}).Err()
	})
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
