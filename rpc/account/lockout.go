package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"zhihuidangjian/rpc/kit"
)

const (
	maxFailures   = 5  // of an account at one address
	maxFailuresIP = 30 // a whole office may share one address
	maxEverywhere = 20 // of an account, wherever they come from
	lockFor       = 10 * time.Minute
	slowFor       = time.Minute
	// failuresKept is how long a failure counts.
	failuresKept = 24 * time.Hour
)

// lockKey is a counter of failed tries in a row (GB/T 22239-2019 8.1.4.1 b). Whether the
// account exists makes no difference.
type lockKey struct {
	key    string
	most   int
	grows  bool // from the most-th failure on each one locks, twice as long as the one before
	strict bool // also for accounts that are known to log in from the address
	locked func(left int64) *kit.Error
}

// here counts an account's failures at one address: five lock it there, and nowhere else, so
// that a stranger who knows the name of the admin does not lock him out of his office.
func here(userName, ip string) lockKey {
	return lockKey{key: "login:fail:user:" + kit.Network(ip) + ":" + userName, most: maxFailures, strict: true, locked: locked}
}

// everywhere counts them wherever they come from: who guesses from many addresses is slowed
// down, to a try in ten minutes at last.
func everywhere(userName string) lockKey {
	return lockKey{key: "login:fail:user:*:" + userName, most: maxEverywhere, grows: true, locked: slowed}
}

// lockKeys are the counters of one log-in. The address comes first, so that one that is
// locked out cannot lock accounts.
func lockKeys(userName, ip string) []lockKey {
	return []lockKey{
		{key: "login:fail:ip:" + kit.Network(ip), most: maxFailuresIP, locked: lockedAddress},
		here(userName, ip), everywhere(userName),
	}
}

// goodKey remembers that an account has logged in from an address: what others have brought
// about, there or elsewhere, does not keep it out.
func goodKey(userName, ip string) string { return "login:good:" + kit.Network(ip) + ":" + userName }

// goodFor is how long that is remembered.
const goodFor = 30 * 24 * time.Hour

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
// ARGV[5] -> how long the first of growing locks is, milliseconds; 0: they do not grow
// --
// Returns until when it is locked, 0 when the try was counted.
var countTry = redis.NewScript(`
local locked = tonumber(redis.call("HGET", KEYS[1], "until") or "0")
if tonumber(ARGV[1]) < locked then
	return locked
end
local n = redis.call("HINCRBY", KEYS[1], "n", 1)
local most, span = tonumber(ARGV[2]), 0
if tonumber(ARGV[5]) > 0 then
	if n >= most then
		span = math.min(tonumber(ARGV[3]), tonumber(ARGV[5]) * 2 ^ math.min(n - most, 10))
	end
elseif n % most == 0 then
	span = tonumber(ARGV[3])
end
if span > 0 then
	redis.call("HSET", KEYS[1], "until", tonumber(ARGV[1]) + span)
end
redis.call("EXPIRE", KEYS[1], ARGV[4])
return 0
`)

// uncountTry takes a try back that turned out to be none: the lock goes with it.
//
// KEYS[1] -> hash of the counter
// --
// ARGV[1] -> how many failures lock
// ARGV[2] -> 1: and each one after them
// --
// Returns the number of failures left.
var uncountTry = redis.NewScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then
	return 0
end
local n = redis.call("HINCRBY", KEYS[1], "n", -1)
if (n + 1) % tonumber(ARGV[1]) == 0 or ARGV[2] == "1" and n + 1 >= tonumber(ARGV[1]) then
	redis.call("HDEL", KEYS[1], "until")
end
return n
`)

// count counts a log-in, or refuses it while the account or the address is locked. Locks that
// others may have brought about are not for accounts that are known to log in from the
// address. It answers the counters that it used.
func (s *Service) count(ctx context.Context, userName, ip string) (counted []lockKey, err error) {
	for _, k := range lockKeys(userName, ip) {
		err := s.countOne(ctx, k)
		if !k.strict && (errors.Is(err, errAddress) || errors.Is(err, errLocked)) {
			n, known := s.redis.Exists(ctx, goodKey(userName, ip)).Result()
			if known != nil {
				return counted, fmt.Errorf("count a login: %w", known)
			}
			if n > 0 {
				continue
			}
		}
		if err != nil {
			return counted, err
		}
		counted = append(counted, k)
	}
	return counted, nil
}

func (s *Service) countOne(ctx context.Context, k lockKey) error {
	now := s.clock.Now().UnixMilli()
	grows := int64(0)
	if k.grows {
		grows = slowFor.Milliseconds()
	}
	until, err := countTry.Run(ctx, s.redis, []string{k.key}, now, k.most, lockFor.Milliseconds(), int(failuresKept.Seconds()), grows).Int64()
	if err != nil {
		return fmt.Errorf("count a try: %w", err)
	}
	if until > 0 {
		return k.locked(until - now)
	}
	return nil
}

// What a lock is told by.
var (
	errLocked  = &kit.Error{Key: "login.locked"}
	errAddress = &kit.Error{Key: "login.address"}
)

func locked(left int64) *kit.Error {
	return kit.TooMany(errLocked.Key, "登录失败次数过多，在当前网络上该账号已锁定，请 %d 分钟后再试", minutes(left)).After(time.Duration(left) * time.Millisecond)
}

func slowed(left int64) *kit.Error {
	return kit.TooMany(errLocked.Key, "该账号登录失败次数过多，请 %d 分钟后再试", minutes(left)).After(time.Duration(left) * time.Millisecond)
}

func lockedAddress(left int64) *kit.Error {
	return kit.TooMany(errAddress.Key, "该网络地址登录失败次数过多，请 %d 分钟后再试", minutes(left)).After(time.Duration(left) * time.Millisecond)
}

func minutes(left int64) int { return int((time.Duration(left) * time.Millisecond).Minutes()) + 1 }

// failed tells a refused try whether it was the last one.
func (s *Service) failed(ctx context.Context, counted []lockKey) error {
	now := s.clock.Now().UnixMilli()
	for _, k := range counted {
		if until, err := s.redis.HGet(ctx, k.key, "until").Int64(); err == nil && now < until {
			return k.locked(until - now)
		}
	}
	return errCredentials
}

// uncount takes back a try that was no failure.
func (s *Service) uncount(ctx context.Context, counted []lockKey) {
	for _, k := range counted {
		uncountTry.Run(ctx, s.redis, []string{k.key}, k.most, k.grows)
	}
}

// welcome forgets an account's failures after a success, and remembers where it was.
func (s *Service) welcome(ctx context.Context, userName, ip string) {
	s.redis.Del(ctx, here(userName, ip).key, everywhere(userName).key)
	s.redis.Set(ctx, goodKey(userName, ip), 1, goodFor)
}
