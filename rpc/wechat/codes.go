package wechat

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/ArtisanCloud/PowerWeChat/v3/src/kernel/power"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/miniProgram"
)

type codes struct {
	mini *lease[*miniProgram.MiniProgram]
}

// MiniCode implements Codes. An error comes as HTTP 200 with JSON instead of an image.
func (c *codes) MiniCode(ctx context.Context, scene, page string) (image []byte, err error) {
	if scene == "" || len(scene) > 32 {
		return nil, &Error{Kind: KindConfig, Code: "40169", Message: "scene must have 1 to 32 characters"}
	}
	err = c.mini.use(ctx, func(ctx context.Context, app *miniProgram.MiniProgram) error {
		res, err := app.WXACode.GetUnlimited(ctx, scene, page, false, "release", 430, false, &power.HashMap{"r": 0, "g": 0, "b": 0}, false)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		if err != nil {
			return err
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "image/") {
			var answer errcode
			if json.Unmarshal(body, &answer) != nil || answer.ErrCode == 0 {
				return &Error{Kind: KindUnknown, Message: "answer is no image"}
			}
			return answer.err()
		}
		image = body
		return nil
	})
	return image, err
}
