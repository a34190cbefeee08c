package edge

import (
	"context"
	"log/slog"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/rpc/kit"
)

// audit writes who did what of the console's changes. Records of a change itself are
// kept by the services; this is the line that no service can forget.
func (e *Edge) audit(ctx context.Context, c *app.RequestContext, r route.Route) {
	who := kit.CallerOf(ctx)
	slog.Info("audit", "requestId", who.RequestID, "user", who.UserID, "org", who.OrgID, "ip", who.IP,
		"action", r.Title, "type", c.Param("type"), "id", c.Param("id"), "status", c.Response.StatusCode())
}
