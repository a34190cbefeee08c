package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/wenlng/go-captcha-assets/resources/imagesv2"
	"github.com/wenlng/go-captcha-assets/resources/tiles"
	"github.com/wenlng/go-captcha/v2/slide"

	account "zhihuidangjian/idl/gen/account"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

const (
	captchaLife    = 2 * time.Minute
	captchaPadding = 6 // pixels a person may be off
)

// puzzle builds the generator once, on first use: its pictures cost 100 ms to decode,
// which start-up need not pay.
var puzzle = sync.OnceValues(func() (slide.Captcha, error) {
	pictures, err := imagesv2.GetImages()
	if err != nil {
		return nil, fmt.Errorf("captcha pictures: %w", err)
	}
	graphs, err := tiles.GetTiles()
	if err != nil {
		return nil, fmt.Errorf("captcha tiles: %w", err)
	}
	pieces := make([]*slide.GraphImage, len(graphs))
	for i, g := range graphs {
		pieces[i] = &slide.GraphImage{OverlayImage: g.OverlayImage, MaskImage: g.MaskImage, ShadowImage: g.ShadowImage}
	}
	b := slide.NewBuilder()
	b.SetResources(slide.WithGraphImages(pieces), slide.WithBackgrounds(pictures))
	return b.Make(), nil
})

type captchaAnswer struct{ X, Y int32 }

// drawn is a captcha that nobody has seen.
type drawn struct {
	block         *slide.Block
	picture, tile string
}

// ahead are captchas drawn before anybody asks, so that a visitor need not wait for those
// of others. It is filled by itself, in turns of its own.
type ahead struct {
	mu      sync.Mutex
	ready   []*drawn
	filling bool
	running kit.Group
}

const aheadMost = 16 // of some 60 kB

// take is one of those drawn ahead, nil when there is none.
func (a *ahead) take() *drawn {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.ready)
	if n == 0 {
		return nil
	}
	d := a.ready[n-1]
	a.ready = a.ready[:n-1]
	return d
}

// fill has as many drawn as there should be, once at a time.
func (s *Service) fill() {
	a := &s.ahead
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.filling || len(a.ready) >= aheadMost {
		return
	}
	a.filling = true
	a.running.Go("captchas ahead", func() error {
		for more := true; more; {
			d, err := s.draw(kit.AsSystem(context.Background()))
			a.mu.Lock()
			if err == nil {
				a.ready = append(a.ready, d)
			}
			more = err == nil && len(a.ready) < aheadMost
			a.filling = more
			a.mu.Unlock()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// draw draws a slide puzzle in the caller's turn.
func (s *Service) draw(ctx context.Context) (*drawn, error) {
	p, err := puzzle()
	if err != nil {
		return nil, err
	}
	d := &drawn{}
	busy := s.drawing.run(ctx, func() {
		var data slide.CaptchaData
		if data, err = p.Generate(); err != nil {
			return
		}
		d.block = data.GetData()
		if d.picture, err = data.GetMasterImage().ToBase64(); err == nil {
			d.tile, err = data.GetTileImage().ToBase64()
		}
	})
	if busy != nil {
		return nil, busy
	}
	if err != nil {
		return nil, fmt.Errorf("draw a captcha: %w", err)
	}
	return d, nil
}

// DrawCaptcha hands out a slide puzzle. Its answer stays here, for two minutes and one try.
func (s *Service) DrawCaptcha(ctx context.Context, _ *recordsgen.Empty) (_ *account.Captcha, err error) {
	defer s.fill()
	d := s.ahead.take()
	if d == nil {
		if d, err = s.draw(ctx); err != nil {
			return nil, err
		}
	}
	block := d.block
	c := &account.Captcha{
		Id: kit.Token(), Image: d.picture, Tile: d.tile, Width: 300, Height: 220,
		TileWidth: int32(block.Width), TileHeight: int32(block.Height), TileX: int32(block.DX), TileY: int32(block.DY),
	}
	answer, _ := json.Marshal(captchaAnswer{int32(block.X), int32(block.Y)}) // two numbers
	return c, s.redis.Set(ctx, captchaKey(c.Id), answer, captchaLife).Err()
}

// SolveCaptcha takes an answer, once, and gives a token that logs in, once.
func (s *Service) SolveCaptcha(ctx context.Context, req *account.CaptchaAnswer) (*account.CaptchaToken, error) {
	raw, err := s.redis.GetDel(ctx, captchaKey(req.Id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, errCaptcha
	}
	if err != nil {
		return nil, fmt.Errorf("captcha: %w", err)
	}
	var want captchaAnswer
	if err := json.Unmarshal(raw, &want); err != nil {
		return nil, fmt.Errorf("captcha: %w", err)
	}
	if !slide.Validate(int(req.X), int(req.Y), int(want.X), int(want.Y), captchaPadding) {
		return nil, errCaptcha
	}
	token := kit.Token()
	return &account.CaptchaToken{Token: token}, s.redis.Set(ctx, "captcha:ok:"+token, 1, captchaLife).Err()
}

// CaptchaAnswerOf tells the sandbox the answer, so that scripts can log in.
func (s *Service) CaptchaAnswerOf(ctx context.Context, req *recordsgen.IDReq) (*account.CaptchaAnswer, error) {
	if !s.sandbox {
		return nil, kit.ErrNotFound
	}
	raw, err := s.redis.Get(ctx, captchaKey(req.Id)).Bytes()
	if err != nil {
		return nil, kit.ErrNotFound.Because(err)
	}
	var a captchaAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("captcha: %w", err)
	}
	return &account.CaptchaAnswer{Id: req.Id, X: a.X, Y: a.Y}, nil
}

// useCaptcha accepts a solved captcha's token once.
func (s *Service) useCaptcha(ctx context.Context, token string) error {
	if token == "" {
		return errCaptcha
	}
	n, err := s.redis.Del(ctx, "captcha:ok:"+token).Result()
	if err != nil {
		return fmt.Errorf("captcha: %w", err)
	}
	if n == 0 {
		return errCaptcha
	}
	return nil
}

func captchaKey(id string) string { return "captcha:" + id }

var errCaptcha = kit.Invalid("captcha", "请完成滑块验证")
