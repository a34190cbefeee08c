package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/ArtisanCloud/PowerLibs/v3/cache"
	"github.com/ArtisanCloud/PowerLibs/v3/logger/drivers"
	"github.com/ArtisanCloud/PowerLibs/v3/object"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/kernel"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/miniProgram"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/officialAccount"
	"github.com/redis/go-redis/v9"

	"zhihuidangjian/conf"
)

// lease lends PowerWeChat applications, which are not safe for concurrent use,
// to one call at a time. Building one takes about 1.4 ms, so they are kept.
type lease[T any] struct {
	call   *caller
	tokens *tokens // nil when not configured
	build  func() (T, error)
	token  func(T) *kernel.AccessToken
	idle   sync.Pool
}

// use runs one call with an application of its own. PowerWeChat asks for the
// access token through a hook without context or error; the hook here supplies
// both, and renews the token once when WeChat refuses it.
func (l *lease[T]) use(ctx context.Context, f func(ctx context.Context, app T) error) error {
	if l.tokens == nil {
		return &Error{Kind: KindConfig, Message: "not configured"}
	}
	return l.call.do(ctx, apiTimeout, func(ctx context.Context) error {
		app, ok := l.idle.Get().(T)
		if !ok {
			var err error
			if app, err = l.build(); err != nil {
				return err
			}
		}
		var tokenErr error
		l.token(app).GetCustomToken = func(_ string, refresh bool) object.HashMap {
			token, err := l.tokens.get(ctx, refresh)
			if err != nil {
				tokenErr = err
				return object.HashMap{"expires_in": 0.0} // without a token PowerWeChat gives up
			}
			return object.HashMap{"expires_in": 7200.0, "access_token": token}
		}
		err := f(ctx, app)
		l.idle.Put(app) // not after a panic: its state may be torn
		if tokenErr != nil {
			return tokenErr
		}
		return err
	})
}

func newOfficial(cfg conf.WeChat, call *caller, rdb redis.UniversalClient) *lease[*officialAccount.OfficialAccount] {
	return &lease[*officialAccount.OfficialAccount]{
		call:   call,
		tokens: &tokens{baseURL: cfg.BaseURL, appID: cfg.AppID, secret: cfg.AppSecret, call: call, rdb: rdb},
		build: func() (*officialAccount.OfficialAccount, error) {
			return officialAccount.NewOfficialAccount(&officialAccount.UserConfig{
				AppID: cfg.AppID, Secret: cfg.AppSecret, StableTokenMode: true,
				Log:   officialAccount.Log{Driver: &drivers.DummyLogger{}},
				Cache: &redisCache{rdb: rdb},
				Http:  officialAccount.Http{BaseURI: cfg.BaseURL + "/", Timeout: apiTimeout.Seconds(), Transport: call.http.Transport},
			})
		},
		token: func(app *officialAccount.OfficialAccount) *kernel.AccessToken { return app.AccessToken.AccessToken },
	}
}

func newMini(cfg conf.WeChat, call *caller, rdb redis.UniversalClient) *lease[*miniProgram.MiniProgram] {
	l := &lease[*miniProgram.MiniProgram]{call: call}
	if !cfg.HasMini() {
		return l
	}
	l.tokens = &tokens{baseURL: cfg.BaseURL, appID: cfg.MiniAppID, secret: cfg.MiniAppSecret, call: call, rdb: rdb}
	l.build = func() (*miniProgram.MiniProgram, error) {
		return miniProgram.NewMiniProgram(&miniProgram.UserConfig{
			AppID: cfg.MiniAppID, Secret: cfg.MiniAppSecret, StableTokenMode: true,
			Log:   miniProgram.Log{Driver: &drivers.DummyLogger{}},
			Cache: &redisCache{rdb: rdb},
			Http:  miniProgram.Http{BaseURI: cfg.BaseURL + "/", Timeout: apiTimeout.Seconds(), Transport: call.http.Transport},
		})
	}
	l.token = func(app *miniProgram.MiniProgram) *kernel.AccessToken { return app.AccessToken.AccessToken }
	return l
}

// redisCache is PowerWeChat's cache on the product's own Redis client, as JSON.
// Without one it would write a file. Only the JS-SDK ticket goes through it.
type redisCache struct{ rdb redis.UniversalClient }

var _ cache.CacheInterface = (*redisCache)(nil)

const cacheTimeout = time.Second

// Get returns the decoded value, or the default if there is none.
func (c *redisCache) Get(key string, def any) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	raw, err := c.rdb.Get(ctx, "wechat:"+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return def, nil
	}
	if err != nil {
		return nil, err
	}
	var value any
	err = json.Unmarshal(raw, &value)
	return value, err
}

// Set stores a value.
func (c *redisCache) Set(key string, value any, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return c.rdb.Set(ctx, "wechat:"+key, raw, ttl).Err()
}

// Has tells whether there is a value.
func (c *redisCache) Has(key string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	n, err := c.rdb.Exists(ctx, "wechat:"+key).Result()
	return err == nil && n > 0
}

// AddNX stores a value unless there is one and tells whether it did.
func (c *redisCache) AddNX(key string, value any, ttl time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	raw, err := json.Marshal(value)
	if err != nil {
		return false
	}
	done, err := c.rdb.SetNX(ctx, "wechat:"+key, raw, ttl).Result()
	return err == nil && done
}

// Add stores a value and fails if there is one.
func (c *redisCache) Add(key string, value any, ttl time.Duration) error {
	if !c.AddNX(key, value, ttl) {
		return errors.New("already cached")
	}
	return nil
}

// Remember returns the value, or makes and stores it.
func (c *redisCache) Remember(key string, ttl time.Duration, make func() (any, error)) (any, error) {
	if value, err := c.Get(key, nil); err == nil && value != nil {
		return value, nil
	}
	value, err := make()
	if err != nil {
		return nil, err
	}
	return value, c.Set(key, value, ttl)
}
