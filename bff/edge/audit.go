package edge

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/trail"
)

// audited tells whether a route's use is an entry of the audit by itself: use cases that
// change something, and what is taken out of the product. The record engine, log-in and
// the reveal of a member write their own, with what changed.
func audited(r route.Route) bool {
	switch verb := r.Permission[strings.LastIndexByte(r.Permission, '.')+1:]; {
	case r.Access != route.Console || r.Permission == "" || verb == "reveal":
		return false
	case r.Method == "GET":
		return verb == "export" || verb == "print"
	default:
		return verb != "view"
	}
}

// audit writes down who used a use case, and whether it was refused.
func (e *Edge) audit(ctx context.Context, c *app.RequestContext, r route.Route) {
	f := trail.By(ctx, e.clock.Now())
	f.Action, f.Title, f.Failed = model.AuditUse, r.Title, c.Response.StatusCode() >= 400
	if strings.HasSuffix(r.Permission, ".export") {
		f.Action = model.AuditExport
	}
	f.Type, _, _ = strings.Cut(r.Permission, ".")
	if infos, err := e.services.Types(ctx); err == nil {
		for _, i := range infos {
			if i.Type == f.Type {
				f.TypeTitle = i.Title
			}
		}
	}
	for _, p := range c.Params {
		f.RecordID = strings.Clone(p.Value)
	}
	if failure := route.FailureOf(c); failure != nil {
		f.Note = failure.Message
	}
	b, err := json.Marshal(f)
	if err == nil {
		_, err = e.services.Audit.Note(kit.AsSystem(context.WithoutCancel(ctx)), &records.JSON{Json: b})
	}
	if err != nil {
		slog.Error("not audited", "requestId", f.RequestID, "user", f.UserID, "ip", f.IP, "action", r.Title, "id", f.RecordID, "cause", err)
	}
}
