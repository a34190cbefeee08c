package edge

import (
	"context"
	"strconv"
	"strings"

	"github.com/cloudwego/hertz/pkg/app"
)

// headers sets what keeps a browser safe. Pages load nothing from outside and run no
// inline script; only the sandbox's own phone may frame the member pages.
func (e *Edge) headers(ctx context.Context, c *app.RequestContext) {
	h := &c.Response.Header
	path := string(c.Path())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if !e.sandbox {
		h.Set("X-Frame-Options", "DENY")
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	h.Set("Content-Security-Policy", e.policy)
	if strings.HasPrefix(path, "/api/") {
		h.Set("Cache-Control", "no-store")
	}
	if strings.HasPrefix(path, "/api/console/") {
		// What day it is, is not for the browser's clock to say.
		h.Set("X-Server-Time", strconv.FormatInt(e.clock.Now().UnixMilli(), 10))
	}
	c.Next(ctx)
}

// contentPolicy is the same for every page. tiles are where pictures of maps come from.
func contentPolicy(sandbox bool, tiles string) string {
	frames := "'none'"
	if sandbox {
		frames = "'self'"
	}
	return "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data: blob:" + tiles + "; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; " +
		"form-action 'self'; frame-ancestors " + frames
}
