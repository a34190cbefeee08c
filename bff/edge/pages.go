package edge

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"path"
	"strings"
	"sync"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/protocol/consts"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/bff/web"
	"zhihuidangjian/rpc/kit"
)

// page is one file of a client, compressed when it is first asked for.
type page struct {
	body, zipped []byte
	kind, tag    string
	forever      bool
}

// pages serve the portal at /, the console at /console/ and the phone at /m/. Files with
// a hash in their name never change; index.html is asked for anew each time.
func (e *Edge) pages(h *server.Hertz) {
	for prefix, name := range map[string]string{"/": "portal", "/console/": "console", "/m/": "member"} {
		site := web.Site(name)
		_ = fs.WalkDir(site, ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			serve := servePage(site, file)
			if file == "index.html" {
				h.GET(prefix, serve)
				return nil
			}
			h.GET(prefix+file, serve)
			return nil
		})
		if prefix != "/" {
			to := prefix
			h.GET(strings.TrimSuffix(prefix, "/"), func(_ context.Context, c *app.RequestContext) {
				c.Redirect(consts.StatusMovedPermanently, []byte(to))
			})
		}
	}
}

func servePage(site fs.FS, file string) app.HandlerFunc {
	load := sync.OnceValue(func() *page { return loadPage(site, file) })
	return func(ctx context.Context, c *app.RequestContext) {
		p := load()
		if p == nil {
			route.Fail(ctx, c, kit.ErrNotFound)
			return
		}
		h := &c.Response.Header
		h.Set("ETag", p.tag)
		if p.forever {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			h.Set("Cache-Control", "no-cache")
		}
		if string(c.GetHeader("If-None-Match")) == p.tag {
			c.SetStatusCode(consts.StatusNotModified)
			return
		}
		body := p.body
		if p.zipped != nil && strings.Contains(string(c.GetHeader("Accept-Encoding")), "gzip") {
			h.Set("Content-Encoding", "gzip")
			h.Set("Vary", "Accept-Encoding")
			body = p.zipped
		}
		c.Data(consts.StatusOK, p.kind, body)
	}
}

func loadPage(site fs.FS, file string) *page {
	body, err := fs.ReadFile(site, file)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(body)
	p := &page{body: body, kind: mime.TypeByExtension(path.Ext(file)), tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	p.forever = strings.HasPrefix(file, "assets/") || strings.HasPrefix(file, "static/js/")
	if p.kind == "" {
		p.kind = "application/octet-stream"
	}
	if strings.Contains("text/html text/css text/javascript application/javascript application/json image/svg+xml", strings.Split(p.kind, ";")[0]) {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(body) // a buffer: cannot fail
		_ = w.Close()
		p.zipped = b.Bytes()
	}
	return p
}
