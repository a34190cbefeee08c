package edge

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/call"
	"zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
	engine "zhihuidangjian/rpc/records"
)

// modules are the record types that the caller may open, for the console's menu.
func (e *Edge) modules(ctx context.Context, c *app.RequestContext) {
	infos, err := e.services.Types(ctx)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	caller := kit.CallerOf(ctx)
	out := []*records.TypeInfo{}
	for _, i := range infos {
		if caller.Can(i.Type + ".view") {
			out = append(out, i)
		}
	}
	c.JSON(consts.StatusOK, out)
}

// places are the record types that members find on the phone, in the order of their places.
func (e *Edge) places(ctx context.Context, c *app.RequestContext) {
	infos, err := e.services.Types(ctx)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	out := []*entry{}
	for _, i := range infos {
		if i.Own && i.Place != nil {
			out = append(out, &entry{Type: i.Type, Place: i.Place})
		}
	}
	slices.SortStableFunc(out, func(a, b *entry) int { return cmp.Compare(a.Place.Order, b.Place.Order) })
	c.JSON(consts.StatusOK, out)
}

// entry is a record type on the phone.
type entry struct {
	Type  string         `json:"type"`
	Place *records.Place `json:"place"`
}

// permission is one line of a role's page.
type permission struct {
	Module string                `json:"module"`
	Title  string                `json:"title"`
	Rights []*records.Permission `json:"rights"`
}

// permissions are all rights that a role can hold: those of the record types, and those
// of the routes, by module.
func (e *Edge) permissions(ctx context.Context, c *app.RequestContext) {
	infos, err := e.services.Types(ctx)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	var out []*permission
	at := map[string]*permission{}
	known := map[string]bool{}
	add := func(module, title string, rights ...*records.Permission) {
		p := at[module]
		if p == nil {
			p = &permission{Module: module, Title: title}
			at[module], out = p, append(out, p)
		}
		for _, r := range rights {
			if !known[r.Key] {
				known[r.Key], p.Rights = true, append(p.Rights, r)
			}
		}
	}
	for _, i := range infos {
		add(i.Type, i.Title, i.Permissions...)
	}
	for _, r := range e.table {
		p := r.Permission()
		if p == "" {
			continue
		}
		module, _, _ := strings.Cut(p, ".")
		add(module, r.Title, &records.Permission{Key: p, Label: r.Title})
	}
	c.JSON(consts.StatusOK, out)
}

// byType makes a handler that sends a request to the service owning its record type.
func byType[Q, R any](e *Edge, m *call.Method[recordsvc.Client, Q, R]) route.Handler {
	return route.CallOf(m, func(ctx context.Context, c *app.RequestContext) (recordsvc.Client, error) {
		return e.services.Owner(ctx, c.Param("type"))
	})
}

// recordRoutes serve every record type; the record engine checks its permissions.
func (e *Edge) recordRoutes() []route.Route {
	const base = "/api/console/records/:type"
	console := func(method, path, title string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: base + path, Title: title, Access: route.Console, Handler: h}
	}
	phone := func(method, path, title string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: "/api/member/records/:type" + path, Title: title, Access: route.Phone, Handler: h}
	}
	schema := byType(e, recordsvc.Schema).Answering(reflect.TypeFor[engine.Schema]())
	list := byType(e, recordsvc.List)
	get := byType(e, recordsvc.Get)
	save := byType(e, recordsvc.Save)
	remove := byType(e, recordsvc.Delete)
	act := byType(e, recordsvc.Act)
	print := byType(e, recordsvc.Print)
	return []route.Route{
		{Method: "GET", Path: "/api/console/records", Title: "可用模块", Access: route.Console, Handler: route.Func(e.modules, user).Answering(reflect.TypeFor[[]records.TypeInfo]())},
		{Method: "GET", Path: "/api/console/permissions", Title: "全部权限", Access: route.Console, Handler: route.Func(e.permissions, call.Rule{May: []string{"role.view"}}).Answering(reflect.TypeFor[[]permission]())},
		console("GET", "/schema", "记录类型的表单与列表", schema),
		slow(console("GET", "/template", "下载导入模板", byType(e, recordsvc.Template))),
		slow(console("GET", "/export", "导出", byType(e, recordsvc.Export))),
		takes(importMost, slow(console("POST", "/import", "导入", route.Func(e.startImport, recordsvc.StartImport.Rule())))),
		slow(console("GET", "/imports/:id", "导入进度", byType(e, recordsvc.GetImport))),
		slow(console("GET", "/imports/:id/preview", "导入预览", byType(e, recordsvc.PreviewImport))),
		slow(console("POST", "/imports/:id/mend", "修改导入内容", byType(e, recordsvc.MendImport))),
		slow(console("POST", "/imports/:id/confirm", "确定导入", byType(e, recordsvc.ConfirmImport))),
		slow(console("POST", "/imports/:id/cancel", "取消导入", byType(e, recordsvc.CancelImport))),
		slow(console("GET", "/imports/:id/failures", "导入失败列表", byType(e, recordsvc.ImportFailures))),
		console("GET", "", "列表", list),
		console("POST", "", "新增", save),
		console("GET", "/:id", "查看", get),
		again(console("POST", "/:id/reveal", "查看完整信息", byType(e, recordsvc.Reveal))),
		console("PUT", "/:id", "修改", save),
		console("POST", "/delete", "删除", remove),
		console("POST", "/:id/actions/:action", "操作", act),
		slow(console("GET", "/:id/print/:action", "打印", print)),
		slow(console("POST", "/actions/:action", "操作多条", byType(e, recordsvc.ActMany))),
		console("POST", "/actions/:action/all", "操作全部", byType(e, recordsvc.ActAll)),
		console("GET", "/rounds/:id", "操作全部的进度", byType(e, recordsvc.GetRound)),
		takes(engine.MostUpload, again(console("POST", "/upload", "上传附件", route.Func(e.upload, recordsvc.Upload.Rule())))),
		console("GET", "/files/:fileId", "附件", route.Func(e.attachment, recordsvc.Download.Rule())),

		{Method: "GET", Path: "/api/member/records", Title: "手机上的记录", Access: route.Phone, Handler: route.Func(e.places, member).Answering(reflect.TypeFor[[]entry]())},
		phone("GET", "/schema", "我的记录的表单与列表", schema),
		phone("GET", "", "我的记录", list),
		phone("POST", "", "提交", save),
		phone("GET", "/:id", "查看我的记录", get),
		phone("PUT", "/:id", "修改我的记录", save),
		phone("POST", "/delete", "删除我的记录", remove),
		phone("POST", "/:id/actions/:action", "操作我的记录", act),
		slow(phone("GET", "/:id/print/:action", "打印我的记录", print)),
		takes(engine.MostUpload, again(phone("POST", "/upload", "上传我的附件", route.Func(e.upload, recordsvc.Upload.Rule())))),
		phone("GET", "/files/:fileId", "我的附件", route.Func(e.attachment, recordsvc.Download.Rule())),
		again(phone("POST", "/files/:fileId/link", "我的附件的临时地址", route.Func(e.linkFile, recordsvc.Download.Rule()))),
	}
}

// takes is a route whose handler reads a file of so many bytes at most by itself, when it
// knows whose it is.
func takes(most int, r route.Route) route.Route { r.Upload = most; return r }
