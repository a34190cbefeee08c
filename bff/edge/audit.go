package edge

import (
	"cmp"
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

// refused writes down what an admin asked for and did not get: what is not his to do, is
// not there for him, or cannot be done now. What is done needs no line here: the services
// write it down, in the same write as the change.
func (e *Edge) refused(ctx context.Context, c *app.RequestContext, r route.Route) {
	failure := route.FailureOf(c)
	if r.Access != route.Console || r.Method == "GET" || failure == nil {
		return
	}
	switch failure.Code / 100 {
	case 403, 404, 409:
	default: // a form to be corrected, or trouble of ours
		return
	}
	f := trail.By(ctx, e.clock.Now())
	f.Action, f.Title, f.Failed, f.Note = model.AuditRefused, r.Title, true, failure.Message
	module, _, _ := strings.Cut(r.Permission(), ".")
	if id := cmp.Or(c.Param("id"), c.Param("memberId")); len(id) <= 64 { // what is longer is none
		f.RecordID = strings.Clone(id)
	}
	if infos, err := e.services.Types(ctx); err == nil {
		for _, i := range infos {
			if i.Type == cmp.Or(c.Param("type"), module) {
				f.Type, f.TypeTitle = i.Type, i.Title
				f.Title = cmp.Or(i.Verbs[c.Param("action")], f.Title)
			}
		}
	}
	b, err := json.Marshal(f)
	if err == nil {
		_, err = e.services.Audit.Note(kit.AsSystem(context.WithoutCancel(ctx)), &records.JSON{Json: b})
	}
	if err != nil {
		slog.Error("not audited", "requestId", f.RequestID, "user", f.UserID, "ip", f.IP, "action", r.Title, "id", f.RecordID, "cause", err)
	}
}
