package edge

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/sse"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/meeting"
	"zhihuidangjian/rpc/kit"
)

const (
	liveEvery = time.Second
	liveMost  = 10 * time.Minute // the page connects again
)

// live streams a meeting's arrivals to the full-screen code: one event at most a
// second, and only when something changed. It ends with the session, and when the browser
// opens another one, which the page is told so that it does not take it back.
func (e *Edge) live(ctx context.Context, c *app.RequestContext) {
	req := &meeting.MeetingReq{Id: c.Param("id")}
	now, err := e.services.Meeting.GetLive(ctx, req)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	token, _ := tokenOf(c, route.Console)
	replaced, end := e.streams.begin(token)
	defer end()
	// The route's deadline is for one answer; the stream has its own.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liveMost)
	defer cancel()
	w := sse.NewWriter(c)
	defer w.Close()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	var last string
	for quiet := 0; ; {
		b, _ := json.Marshal(now) // generated struct: cannot fail
		if s := string(b); s != last {
			if w.WriteEvent("", "live", b) != nil {
				return // the page is gone
			}
			last, quiet = s, 0
		} else if quiet++; quiet%15 == 0 && w.WriteKeepAlive() != nil {
			return
		}
		select {
		case <-e.closing:
			return
		case <-ctx.Done():
			return
		case <-replaced:
			_ = w.WriteEvent("", "replaced", []byte("{}")) // if the page is gone, all the better
			return
		case <-tick.C:
		}
		call, done := context.WithTimeout(ctx, kit.DefaultDeadline)
		if _, err = e.authenticate(call, token); err == nil {
			now, err = e.services.Meeting.GetLive(call, req)
		}
		done()
		if err != nil {
			return
		}
	}
}
