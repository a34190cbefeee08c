package suite

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// TestEmbeddedRedis knocks at the port as another account of this machine does.
func TestEmbeddedRedis(t *testing.T) {
	p := platform(t)
	stranger := redis.NewClient(&redis.Options{Addr: p.Redis.(*redis.Client).Options().Addr})
	defer stranger.Close()
	if err := stranger.Set(t.Context(), "login:forged", "session", 0).Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		t.Errorf("without a password: %v", err)
	}
	guess := redis.NewClient(&redis.Options{Addr: p.Redis.(*redis.Client).Options().Addr, Password: "password"})
	defer guess.Close()
	if err := guess.Ping(t.Context()).Err(); err == nil {
		t.Error("any password opens it")
	}
	if err := p.Redis.Set(t.Context(), "ours", 1, 0).Err(); err != nil {
		t.Error(err)
	}
}
