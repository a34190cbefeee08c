package edge

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/rpc/kit"
)

func remoteIP(c *app.RequestContext) string {
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	if err != nil {
		return ""
	}
	return host
}

// clientIP is the address that a request comes from, as far as it can be believed: of those
// that X-Forwarded-For names, on however many lines, the last that is no proxy of ours.
// What stands before it is the client's own word.
func (e *Edge) clientIP(c *app.RequestContext) string {
	ip := remoteIP(c)
	if !e.trusted(ip) {
		if len(c.GetHeader("X-Forwarded-For")) > 0 {
			e.sameAddress("untrusted", ip)
		}
		return ip
	}
	lines := c.Request.Header.PeekAll("X-Forwarded-For")
	hops := strings.Split(string(bytes.Join(lines, []byte(","))), ",")
	for _, said := range slices.Backward(hops) {
		hop, ok := hopAddress(said)
		if !ok {
			break
		}
		if ip = hop; !e.trusted(ip) {
			return ip
		}
	}
	if e.secure { // the public comes through a proxy
		e.sameAddress("unnamed", ip)
	}
	return ip
}

// hopAddress reads one hop, which some proxies write with a port.
func hopAddress(hop string) (string, bool) {
	hop = strings.TrimSpace(hop)
	if host, _, err := net.SplitHostPort(hop); err == nil {
		hop = host
	}
	a, err := netip.ParseAddr(strings.Trim(hop, "[]"))
	return a.Unmap().String(), err == nil
}

// trusted tells whether an address is a proxy of ours.
func (e *Edge) trusted(ip string) bool {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range e.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// sameAddressEvery bounds the log lines about proxies.
const sameAddressEvery = time.Minute

// sameAddress tells the operator that visitors cannot be told apart: all that come through
// a proxy that is not trusted, or that does not name them, count as one address.
func (e *Edge) sameAddress(why, ip string) {
	e.metrics.sameAddress.WithLabelValues(why).Inc()
	last, now := e.warned.Load(), time.Now().Unix()
	if now-last < int64(sameAddressEvery/time.Second) || !e.warned.CompareAndSwap(last, now) {
		return
	}
	slog.Warn("visitors seem to have one address: name the proxy in TRUSTED_PROXIES and let it send X-Forwarded-For", "why", why, "address", ip)
}

var errNoise = kit.Invalid("text", "请求中含有无法识别的字符")

// refuseNoise refuses what no page sends and no store can keep: NUL and what is no UTF-8,
// in path, query or headers.
func refuseNoise(ctx context.Context, c *app.RequestContext) {
	noise := !plain(c.Path())
	c.QueryArgs().VisitAll(func(key, value []byte) { noise = noise || !plain(key) || !plain(value) })
	c.Request.Header.VisitAll(func(key, value []byte) { noise = noise || !plain(key) || !plain(value) })
	if noise {
		route.Fail(ctx, c, errNoise)
		return
	}
	c.Next(ctx)
}

func plain(text []byte) bool { return utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 }
