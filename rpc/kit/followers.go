package kit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Follower is what a relay tells of one who follows events.
type Follower struct {
	Waiting int64     // events that it has not taken
	Oldest  time.Time // when the first of them happened; zero when none waits
	Refused int64     // events not taken at a try, of all tries
}

// followersKey is a hash of "<follower>:<figure>", and of when a relay looked last.
const followersKey, lookedField = "outbox:followers", "looked"

// TellFollowers keeps what a relay has just seen, for FollowersOf. Refused is added to what
// was told before. All relays see the same events, so that the last word counts.
func TellFollowers(ctx context.Context, r redis.UniversalClient, all map[string]Follower) error {
	set := []any{lookedField, time.Now().UnixMilli()}
	p := r.Pipeline()
	for name, f := range all {
		oldest := int64(0)
		if !f.Oldest.IsZero() {
			oldest = f.Oldest.UnixMilli()
		}
		set = append(set, name+":waiting", f.Waiting, name+":oldest", oldest)
		p.HIncrBy(ctx, followersKey, name+":refused", f.Refused)
	}
	p.HSet(ctx, followersKey, set...)
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("tell figures: %w", err)
	}
	return nil
}

// FollowersOf is what relays told last, and when; nothing before the first.
func FollowersOf(ctx context.Context, r redis.UniversalClient) (all map[string]Follower, looked time.Time, err error) {
	kept, err := r.HGetAll(ctx, followersKey).Result()
	if err != nil {
		return nil, looked, fmt.Errorf("read figures: %w", err)
	}
	all = map[string]Follower{}
	for field, text := range kept {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, looked, fmt.Errorf("read figures: %w", err)
		}
		if field == lookedField {
			looked = time.UnixMilli(n)
			continue
		}
		name, figure, _ := strings.Cut(field, ":")
		f := all[name]
		switch figure {
		case "waiting":
			f.Waiting = n
		case "refused":
			f.Refused = n
		case "oldest":
			if n != 0 {
				f.Oldest = time.UnixMilli(n)
			}
		}
		all[name] = f
	}
	return all, looked, nil
}
