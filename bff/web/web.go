// Package web embeds the built clients: portal, console and member pages.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:portal all:console/dist all:member/dist
var files embed.FS

// Site is a client's files, rooted at its index.html.
func Site(name string) fs.FS {
	dir := map[string]string{"portal": "portal", "console": "console/dist", "member": "member/dist"}[name]
	site, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the names are ours
	}
	return site
}
