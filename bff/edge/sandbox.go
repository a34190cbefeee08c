package edge

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/adaptor"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

// sandboxRoutes serve the simulators' pages and control interface, the answers of
// captchas, and the clock. They exist in sandbox mode only.
func (e *Edge) sandboxRoutes(h *server.Hertz) {
	target, err := url.Parse(e.sandboxURL)
	if err != nil {
		panic(err) // our own address
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	h.GET("/sandbox/api/clock", e.clockNow)
	h.POST("/sandbox/api/clock", e.moveClock)
	h.GET("/sandbox/api/captcha/:id", e.captchaAnswer)
	forward := adaptor.HertzHandler(proxy)
	h.Any("/sandbox", forward)
	h.Any("/sandbox/*path", forward)
}

func (e *Edge) clockNow(ctx context.Context, c *app.RequestContext) {
	route.Answer(ctx, c, map[string]any{"now": e.clock.Now().Format(time.RFC3339), "offset": e.clock.Offset().String()})
}

func (e *Edge) moveClock(ctx context.Context, c *app.RequestContext) {
	var req struct {
		Advance string `json:"advance"`
	}
	if err := c.BindJSON(&req); err != nil {
		route.Fail(ctx, c, kit.ErrInvalid.Because(err))
		return
	}
	by, err := time.ParseDuration(req.Advance)
	if err != nil {
		route.Fail(ctx, c, kit.Invalid("clock", "时长格式不正确，如 24h"))
		return
	}
	if err := kit.MoveClock(ctx, e.redis, e.clock, by); err != nil {
		route.Fail(ctx, c, err)
		return
	}
	e.clockNow(ctx, c)
}

func (e *Edge) captchaAnswer(ctx context.Context, c *app.RequestContext) {
	a, err := e.services.Account.CaptchaAnswerOf(e.asSystem(ctx), &records.IDReq{Id: c.Param("id")})
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	route.Answer(ctx, c, a)
}
