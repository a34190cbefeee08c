package edge

import (
	"bytes"
	"context"
	"html/template"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
)

// sayPage tells people what a program would read as JSON. It fits a phone and needs no
// script.
var sayPage = template.Must(template.New("say").Parse(`<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>智慧党建</title>
<style>
body { margin: 0; padding: 22vh 24px 0; background: #f4f5f7; color: #333; font: 18px/1.6 sans-serif; text-align: center }
a { display: block; max-width: 320px; margin: 32px auto 0; border-radius: 8px; padding: 12px; background: #c8102e; color: #fff; text-decoration: none }
</style></head>
<body><p>{{.Text}}</p>{{if .To}}<a href="{{.To}}">{{.Button}}</a>{{end}}</body></html>
`))

// said tells whether the answer is a page for people already.
func said(c *app.RequestContext) bool {
	return bytes.HasPrefix(c.Response.Header.ContentType(), []byte("text/html"))
}

// say answers a browser that opened an address of ours by itself: what went wrong, and a
// button that leads on, if there is a way.
func say(ctx context.Context, c *app.RequestContext, err error, button, to string) {
	route.Fail(ctx, c, err)
	c.Response.ResetBody() // of JSON: an answer is appended to
	var page bytes.Buffer
	_ = sayPage.Execute(&page, map[string]string{"Text": route.FailureOf(c).Message, "Button": button, "To": to}) // a buffer and strings: cannot fail
	c.Data(c.Response.StatusCode(), "text/html; charset=utf-8", page.Bytes())
}
