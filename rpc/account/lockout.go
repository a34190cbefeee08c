package account

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"zhihuidangjian/rpc/kit"
)

const (
	maxFailures   = 5
	maxFailuresIP = 30 // a whole office may share one address
	lockFor       = 10 * time.Minute
	// failuresKept is how long a failure counts.
	failuresKept = 24 * time.Hour
)

// lockKey is a counter of failed log-ins in a row: an account's, whether it exists or
// not, or an address's (GB/T 22239-2019 8.1.4.1 b).
type lockKey struct {
	key  string
	most int
}

// lockKeys are the counters of one log-in. The address comes first, so that one that is
// locked out cannot lock accounts.
func lockKeys(userName, ip string) []lockKey {
	return []lockKey{{"login:fail:ip:" + ip, maxFailuresIP}, {"login:fail:user:" + userName, maxFailures}}
}

// countTry counts a log-in as failed before its password is looked at, so that many
// guesses at once are no more than many guesses one by one. Locks end by the product's
// clock; Redis only forgets them.
//
// KEYS[1] -> hash of the counter: n, until
// --
// ARGV[1] -> now, Unix milliseconds
// ARGV[2] -> how many failures lock
// ARGV[3] -> how long, milliseconds
// ARGV[4] -> how long to remember, seconds
// --
// Returns until when it is locked, 0 when the try was counted.
var countTry = redis.NewScript(`
local locked = tonumber(redis.call("HGET", KEYS[1], "until") or "0")
if tonumber(ARGV[1]) < locked then
	return locked
end
local n = redis.call("HINCRBY", KEYS[1], "n", 1)
if n % tonumber(ARGV[2]) == 0 then
	redis.call("HSET", KEYS[1], "until", tonumber(ARGV[1]) + tonumber(ARGV[3]))
end
redis.call("EXPIRE", KEYS[1], ARGV[4])
return 0
`)

// uncountTry takes a try back that turned out to be none: the lock goes with it.
//
// KEYS[1] -> hash of the counter
// --
// ARGV[1] -> how many failures lock
// --
// Returns the number of failures left.
var uncountTry = redis.NewScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then
	return 0
end
local n = redis.call("HINCRBY", KEYS[1], "n", -1)
if (n + 1) % tonumber(ARGV[1]) == 0 then
	redis.call("HDEL", KEYS[1], "until")
end
return n
`)

// count counts a try, or refuses it while the account or the address is locked.
func (s *Service) count(ctx context.Context, userName, ip string) error {
	now := s.clock.Now().UnixMilli()
	for _, k := range lockKeys(userName, ip) {
		until, err := countTry.Run(ctx, s.redis, []string{k.key}, now, k.most, lockFor.Milliseconds(), int(failuresKept.Seconds())).Int64()
		if err != nil {
			return fmt.Errorf("count a login: %w", err)
		}
		if until > 0 {
			return locked(until - now)
		}
	}
	return nil
}

func locked(left int64) error {
	minutes := int((time.Duration(left) * time.Millisecond).Minutes()) + 1
	return kit.TooMany("login.locked", "登录失败次数过多，账号已锁定，请 %d 分钟后再试", minutes)
}

// failed tells a refused try whether it was the last one.
func (s *Service) failed(ctx context.Context, userName, ip string) error {
	now := s.clock.Now().UnixMilli()
	for _, k := range lockKeys(userName, ip) {
		if until, err := s.redis.HGet(ctx, k.key, "until").Int64(); err == nil && now < until {
			return locked(until - now)
		}
	}
	return errCredentials
}

// uncount takes back a try that was no failure; after a success the account's failures
// are forgotten.
func (s *Service) uncount(ctx context.Context, userName, ip string, success bool) {
	for _, k := range lockKeys(userName, ip) {
		uncountTry.Run(ctx, s.redis, []string{k.key}, k.most)
	}
	if success {
		s.redis.Del(ctx, "login:fail:user:"+userName)
	}
}
