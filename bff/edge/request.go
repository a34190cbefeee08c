package edge

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/prometheus/client_golang/prometheus"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/rpc/kit"
)

// metrics are the edge's own figures, by route pattern so that ids stay out of them.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bff_requests_total", Help: "Requests answered, by method, route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bff_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
		}, []string{"route"}),
	}
	r.MustRegister(m.requests, m.seconds)
	return m
}

// request wraps every request: an id, a deadline, a recovered panic, figures, and a log
// line for what failed or took long. It logs no bodies, queries or personal data.
func (e *Edge) request(ctx context.Context, c *app.RequestContext) {
	start := time.Now()
	id := string(c.GetHeader("X-Request-ID"))
	if !validRequestID(id) {
		id = kit.NewID(start)
	}
	c.Header("X-Request-ID", id)
	ctx = kit.WithCaller(ctx, kit.Caller{RequestID: id, IP: e.clientIP(c)})
	defer func() {
		if p := recover(); p != nil {
			slog.Error("panic", "requestId", id, "cause", p, "stack", string(debug.Stack()))
			route.Fail(ctx, c, kit.ErrInternal.Because(fmt.Errorf("panic: %v", p)))
		}
		e.observe(c, id, time.Since(start))
	}()
	c.Next(ctx)
	// Whoever opened the address in a window of its own, a receipt or a file, reads no JSON.
	if failure := route.FailureOf(c); failure != nil && string(c.GetHeader("Sec-Fetch-Mode")) == "navigate" && c.IsGet() && !said(c) {
		say(ctx, c, failure, "", "")
	}
}

func (e *Edge) observe(c *app.RequestContext, id string, took time.Duration) {
	path, status := c.FullPath(), c.Response.StatusCode()
	if path == "" {
		path = "other"
	}
	e.metrics.requests.WithLabelValues(string(c.Method()), path, strconv.Itoa(status)).Inc()
	e.metrics.seconds.WithLabelValues(path).Observe(took.Seconds())
	failure := route.FailureOf(c)
	if status < 500 && took < time.Second {
		return
	}
	attrs := []any{"requestId", id, "method", string(c.Method()), "route", path, "status", status, "ms", took.Milliseconds()}
	if failure != nil {
		attrs = append(attrs, "key", failure.Key, "cause", failure.Unwrap())
	}
	slog.Warn("request", attrs...)
}

// validRequestID accepts ids that are safe to log.
func validRequestID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}
