package kit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// sandboxClock is where all processes of a sandbox find how far its clock runs ahead.
const sandboxClock = "sandbox:clock"

// MoveClock moves the clocks of all processes of a sandbox. Time never goes back.
func MoveClock(ctx context.Context, rdb redis.UniversalClient, c *Clock, by time.Duration) error {
	if by < 0 {
		return Invalid("clock", "时间只能向前调整")
	}
	offset := c.Offset() + by
	if err := rdb.Set(ctx, sandboxClock, int64(offset), 0).Err(); err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	c.SetOffset(offset)
	return rdb.Publish(ctx, sandboxClock, int64(offset)).Err()
}

// FollowClock keeps c at the sandbox's time until ctx ends.
func FollowClock(ctx context.Context, rdb redis.UniversalClient, c *Clock) {
	sub := rdb.Subscribe(ctx, sandboxClock)
	defer sub.Close()
	read := func() {
		n, err := rdb.Get(ctx, sandboxClock).Int64()
		switch {
		case errors.Is(err, redis.Nil):
		case err != nil && ctx.Err() == nil:
			slog.Warn("sandbox clock", "cause", err)
		case time.Duration(n) > c.Offset():
			c.SetOffset(time.Duration(n))
		}
	}
	read()
	tick := time.NewTicker(5 * time.Second) // a message may be lost
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.Channel():
			read()
		case <-tick.C:
			read()
		}
	}
}
