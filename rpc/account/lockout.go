package account

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zhihuidangjian/rpc/kit"
)

const (
	maxFailures   = 5
	maxFailuresIP = 30 // a whole office may share one address
	lockFor       = 10 * time.Minute
)

// lockKeys are the counters of one log-in: the account's, whether it exists or not, and
// the address's (GB/T 22239-2019 8.1.4.1 b).
func lockKeys(userName, ip string) map[string]int {
	return map[string]int{"login:fail:user:" + userName: maxFailures, "login:fail:ip:" + ip: maxFailuresIP}
}

// checkLock refuses while the account or the address is locked. Locks end by the
// product's clock; Redis only forgets them.
func (s *Service) checkLock(ctx context.Context, userName, ip string) error {
	for key := range lockKeys(userName, ip) {
		until, err := s.redis.HGet(ctx, key, "until").Int64()
		if err == nil && s.clock.Now().UnixMilli() < until {
			left := time.Duration(until-s.clock.Now().UnixMilli()) * time.Millisecond
			return kit.TooMany("login.locked", "登录失败次数过多，账号已锁定，请 %d 分钟后再试", int(left.Minutes())+1)
		}
	}
	return nil
}

// countFailure locks at the fifth failure in a row.
func (s *Service) countFailure(ctx context.Context, userName, ip string) error {
	for key, most := range lockKeys(userName, ip) {
		n, err := s.redis.HIncrBy(ctx, key, "n", 1).Result()
		if err != nil {
			return fmt.Errorf("count a failed login: %w", err)
		}
		if int(n)%most == 0 {
			until := s.clock.Now().Add(lockFor).UnixMilli()
			s.redis.HSet(ctx, key, "until", strconv.FormatInt(until, 10))
		}
		s.redis.Expire(ctx, key, 24*time.Hour)
	}
	return nil
}

func (s *Service) clearFailures(ctx context.Context, userName string) {
	s.redis.Del(ctx, "login:fail:user:"+userName)
}
