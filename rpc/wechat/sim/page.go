package sim

import (
	"embed"
	"io/fs"
	"net"
	"net/http"
	"net/url"
)

//go:embed web
var web embed.FS

// pageRoutes serves the phone page, bridge.js and the authorize page.
func (s *Sim) pageRoutes(mux *http.ServeMux) {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // embedded
	}
	serve := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			secure(w)
			http.ServeFileFS(w, r, files, name)
		}
	}
	mux.HandleFunc("GET /sandbox", serve("phone.html"))
	mux.HandleFunc("GET /sandbox/{$}", serve("phone.html"))
	mux.HandleFunc("GET /sandbox/bridge.js", serve("bridge.js"))
	for _, name := range []string{"phone.css", "phone.js", "authorize.js"} {
		mux.HandleFunc("GET /sandbox/assets/"+name, serve(name))
	}
	mux.HandleFunc("GET /sandbox/connect/oauth2/authorize", s.authorize(serve("authorize.html")))
}

// secure sets the headers of pages that hold no script of their own and may be
// framed only by the product.
func secure(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
}

// authorize is WeChat's authorize address: with a user on the phone it goes
// straight back with a code, otherwise it asks who holds the phone.
func (s *Sim) authorize(choose http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		target, err := url.Parse(q.Get("redirect_uri"))
		scope := q.Get("scope")
		secure(w)
		switch {
		case q.Get("appid") != OfficialAppID:
			http.Error(w, "appid 参数错误", http.StatusBadRequest)
			return
		case err != nil || !s.ownPage(target):
			http.Error(w, "redirect_uri 域名与后台配置不一致，错误码 10003", http.StatusBadRequest)
			return
		case q.Get("response_type") != "code" || scope != "snsapi_base" && scope != "snsapi_userinfo":
			http.Error(w, "scope 参数错误，错误码 10005", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		u := s.holding(r)
		if u == nil {
			s.mu.Unlock()
			choose(w, r)
			return
		}
		back := target.Query()
		back.Set("code", s.issue("oauth", u, scope))
		back.Set("state", q.Get("state"))
		s.mu.Unlock()
		target.RawQuery = back.Encode()
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, target.String(), http.StatusFound)
	}
}

// ownPage tells whether a code may be sent to an address: the product's public
// one, or anything on this machine.
func (s *Sim) ownPage(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	s.mu.Lock()
	public, err := url.Parse(s.public)
	s.mu.Unlock()
	if err == nil && u.Host == public.Host {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
