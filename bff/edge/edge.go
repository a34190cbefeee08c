// Package edge is the product's HTTP edge: the table of routes, who may use them, and
// the pages. It holds no rule of the domain.
package edge

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/adaptor"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/protocol/consts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	engine "zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/suite"
	"zhihuidangjian/rpc/wechat"
)

// Options are what the edge stands on.
type Options struct {
	Addr       string
	PublicURL  string
	Services   *suite.Clients
	OAuth      wechat.OAuth
	Mini       wechat.MiniLogin
	JSSDK      wechat.JSSDK
	Redis      redis.UniversalClient
	Seal       *model.Sealer // of addresses that hold for a while
	Ledger     *Ledger       // nil: the keys of writes are not heeded
	Clock      *kit.Clock
	SandboxURL string         // of the simulator; empty outside the sandbox
	MapTiles   string         // MAP_TILES, the one outside address that pages may load from
	Proxies    []netip.Prefix // TRUSTED_PROXIES, whose X-Forwarded-For is believed
	// MetricsToken is METRICS_TOKEN; without one, figures are told to this machine only.
	MetricsToken string
	Ready        func(context.Context) error
}

// Upon are the options of an edge that stands on a platform; it waits for the outside
// systems.
func Upon(p *suite.Platform, services *suite.Clients) (Options, error) {
	outside, err := p.Outside()
	if err != nil {
		return Options{}, err
	}
	ledger, err := OpenLedger(p.DB, p.Seal)
	if err != nil {
		return Options{}, err
	}
	return Options{
		Addr: p.Config.Addr, PublicURL: p.Config.PublicURL, Services: services,
		OAuth: outside.OAuth, Mini: outside.Mini, JSSDK: outside.JSSDK,
		Redis: p.Redis, Ledger: ledger, Seal: p.Seal, Clock: p.Clock, SandboxURL: p.SandboxURL, MapTiles: p.Config.MapTiles,
		Proxies: p.Config.Proxies(), MetricsToken: p.Config.MetricsToken,
		Ready: func(ctx context.Context) error { return errors.Join(p.Ready(ctx), services.Ready(ctx)) },
	}, nil
}

// Edge serves HTTP.
type Edge struct {
	services   *suite.Clients
	table      []route.Route
	files      map[string]int // Upload of the routes that have one, by path
	oa         wechat.OAuth
	mini       wechat.MiniLogin
	jssdk      wechat.JSSDK
	redis      redis.UniversalClient
	clock      *kit.Clock
	addr       string
	publicURL  string
	sandboxURL string
	sandbox    bool
	policy     string // content security policy
	secure     bool
	ready      *readiness
	figures    string // METRICS_TOKEN
	identities identityCache
	limits     *limits
	streams    streams
	proxies    []netip.Prefix
	warned     atomic.Int64 // when the log last told of a proxy, Unix seconds
	uploads    slots
	ledger     *Ledger
	seal       *model.Sealer
	metrics    *metrics
	closing    chan struct{}
	server     *server.Hertz
}

// tilesOrigin is " https://host" of a tiles address, "" without one.
func tilesOrigin(address string) string {
	u, err := url.Parse(strings.NewReplacer("{z}", "0", "{x}", "0", "{y}", "0").Replace(address))
	if err != nil || u.Host == "" {
		return ""
	}
	return " " + u.Scheme + "://" + u.Host
}

// Hertz logs through one logger of the whole process, whose level is no atomic: it is set
// before any server of the process runs, not while another serves (tests run several).
func init() { hlog.SetLevel(hlog.LevelError) }

// New lays the routes. Run serves them.
func New(o Options) *Edge {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newFollowers(o.Redis))
	e := &Edge{
		files:    map[string]int{},
		services: o.Services, oa: o.OAuth, mini: o.Mini, jssdk: o.JSSDK, redis: o.Redis, ledger: o.Ledger, seal: o.Seal, clock: o.Clock,
		addr: o.Addr, publicURL: o.PublicURL, sandboxURL: o.SandboxURL, sandbox: o.SandboxURL != "",
		policy: contentPolicy(o.SandboxURL != "", tilesOrigin(o.MapTiles)),
		secure: strings.HasPrefix(o.PublicURL, "https://"), ready: &readiness{ask: o.Ready}, figures: o.MetricsToken,
		identities: identityCache{entries: map[string]identityEntry{}},
		limits:     newLimits(), streams: streams{open: map[string]chan struct{}{}}, proxies: o.Proxies, uploads: slots{by: map[string]int{}}, metrics: newMetrics(registry), closing: make(chan struct{}),
	}
	h := server.New(
		server.WithHostPorts(o.Addr), server.WithDisablePrintRoute(true),
		// Bodies are read when it is known what they are for (limitBody).
		server.WithStreamBody(true), server.WithDisablePreParseMultipartForm(true), server.WithMaxRequestBodySize(engine.MostUpload+wrapping),
		server.WithExitWaitTime(5*time.Second), server.WithReadTimeout(time.Minute), server.WithIdleTimeout(2*time.Minute),
		server.WithHandleMethodNotAllowed(true), server.WithRedirectTrailingSlash(false),
	)
	e.server = h
	h.Use(e.request, e.headers, refuseNoise, e.limitBody)
	table := e.Routes()
	e.table = table
	for _, r := range table {
		h.Handle(r.Method, r.Path, e.guard(r))
		if r.Upload > 0 {
			e.files[r.Path] = r.Upload
		}
	}
	document, _ := json.Marshal(OpenAPI(table)) // maps and strings: cannot fail
	h.GET("/openapi.json", func(_ context.Context, c *app.RequestContext) {
		c.Data(consts.StatusOK, "application/json; charset=utf-8", document)
	})
	h.POST("/wechat/pay/notify", e.payNotice)
	h.GET("/healthz", func(_ context.Context, c *app.RequestContext) { c.String(consts.StatusOK, "ok") })
	h.GET("/readyz", e.readyz)
	h.GET("/metrics", e.figuresOnly, adaptor.HertzHandler(promhttp.HandlerFor(registry, promhttp.HandlerOpts{})))
	if e.sandbox {
		e.sandboxRoutes(h)
	}
	e.pages(h)
	h.NoRoute(func(ctx context.Context, c *app.RequestContext) { route.Fail(ctx, c, kit.ErrNotFound) })
	h.NoMethod(func(ctx context.Context, c *app.RequestContext) {
		route.Fail(ctx, c, &kit.Error{Code: 40500, Key: "method", Message: "不支持的请求方法"})
	})
	return e
}

// Run serves until Shutdown.
func (e *Edge) Run() error { return e.server.Run() }

// WaitListening returns once connections are accepted.
func (e *Edge) WaitListening(ctx context.Context) error {
	for {
		c, err := net.DialTimeout("tcp", e.addr, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Shutdown ends streams, lets requests finish, and stops.
func (e *Edge) Shutdown(ctx context.Context) error {
	close(e.closing)
	return e.server.Shutdown(ctx)
}

func (e *Edge) config(ctx context.Context, c *app.RequestContext) {
	route.Answer(ctx, c, map[string]any{"name": "智慧党建", "sandbox": e.sandbox, "loginPath": "/console/#/login"})
}

// jsConfig signs a phone page for WeChat's JS-SDK (scan).
func (e *Edge) jsConfig(ctx context.Context, c *app.RequestContext) {
	page := c.Query("url")
	if !strings.HasPrefix(page, e.publicURL+"/m/") {
		route.Fail(ctx, c, kit.Invalid("url", "页面地址不正确"))
		return
	}
	signed, err := e.jssdk.Sign(ctx, page)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	route.Answer(ctx, c, signed)
}

// OpenAPI describes routes, which are those of Routes.
func OpenAPI(table []route.Route) map[string]any { return route.OpenAPI("智慧党建", table) }

// Table are the routes, of services that nobody calls: for who reads them.
func Table() []route.Route { return (&Edge{services: &suite.Clients{}}).Routes() }
