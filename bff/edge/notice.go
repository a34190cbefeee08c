package edge

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/idl/gen/dues"
	"zhihuidangjian/rpc/kit"
)

// noticeMost bounds a WeChat Pay notice; real ones have about 2 kB.
const noticeMost = 64 << 10

// payNotice hands a notice of WeChat Pay to the dues service, which verifies it. WeChat
// wants 204, or a failure with code and message, within 5 seconds.
func (e *Edge) payNotice(ctx context.Context, c *app.RequestContext) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	body := bytes.Clone(c.Request.Body())
	headers := map[string]string{}
	c.Request.Header.VisitAll(func(k, v []byte) {
		if name := string(k); strings.HasPrefix(name, "Wechatpay-") || name == "Content-Type" {
			headers[name] = string(v)
		}
	})
	err := error(kit.ErrTooLarge)
	if len(body) <= noticeMost {
		_, err = e.services.Dues.HandlePayNotice(e.asSystem(ctx), &dues.Notice{Headers: headers, Body: body})
	}
	if err == nil {
		c.SetStatusCode(http.StatusNoContent)
		return
	}
	status := int(kit.FromError(err).Code / 100)
	c.JSON(status, map[string]string{"code": "FAIL", "message": kit.FromError(err).Message})
}
