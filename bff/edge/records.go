package edge

import (
	"context"
	"strings"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"
	"github.com/cloudwego/kitex/client/callopt"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
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
		if r.Permission == "" {
			continue
		}
		module, _, _ := strings.Cut(r.Permission, ".")
		add(module, r.Title, &records.Permission{Key: r.Permission, Label: r.Title})
	}
	c.JSON(consts.StatusOK, out)
}

type typed interface{ GetType() string }

// byType makes a handler that sends a request to the service owning its record type.
func byType[Q any, P interface {
	*Q
	typed
}, R any](e *Edge, pick func(recordsvc.Client) route.Method[Q, R]) route.Handler {
	return route.Call(func(ctx context.Context, req *Q, _ ...callopt.Option) (*R, error) {
		svc, err := e.services.Owner(ctx, P(req).GetType())
		if err != nil {
			return nil, err
		}
		return pick(svc)(ctx, req)
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
	type svc = recordsvc.Client
	schema := byType(e, func(s svc) route.Method[records.TypeReq, records.JSON] { return s.Schema })
	list := byType(e, func(s svc) route.Method[records.ListReq, records.JSON] { return s.List })
	get := byType(e, func(s svc) route.Method[records.IDReq, records.JSON] { return s.Get })
	save := byType(e, func(s svc) route.Method[records.SaveReq, records.JSON] { return s.Save })
	remove := byType(e, func(s svc) route.Method[records.IDsReq, records.Empty] { return s.Delete })
	act := byType(e, func(s svc) route.Method[records.ActReq, records.JSON] { return s.Act })
	return []route.Route{
		{Method: "GET", Path: "/api/console/records", Title: "可用模块", Access: route.Console, Handler: route.Func(e.modules)},
		{Method: "GET", Path: "/api/console/permissions", Title: "全部权限", Access: route.Console, Permission: "role.view", Handler: route.Func(e.permissions)},
		console("GET", "/schema", "记录类型的表单与列表", schema),
		console("GET", "/template", "下载导入模板", byType(e, func(s svc) route.Method[records.TypeReq, records.File] { return s.Template })),
		console("GET", "/export", "导出", byType(e, func(s svc) route.Method[records.ListReq, records.File] { return s.Export })),
		console("POST", "/import", "导入", route.Func(e.startImport)),
		console("GET", "/imports/:id", "导入进度", byType(e, func(s svc) route.Method[records.IDReq, records.ImportBatch] { return s.GetImport })),
		console("GET", "/imports/:id/preview", "导入预览", byType(e, func(s svc) route.Method[records.PreviewReq, records.ImportPreview] { return s.PreviewImport })),
		console("POST", "/imports/:id/mend", "修改导入内容", byType(e, func(s svc) route.Method[records.MendReq, records.ImportBatch] { return s.MendImport })),
		console("POST", "/imports/:id/confirm", "确定导入", byType(e, func(s svc) route.Method[records.IDReq, records.ImportBatch] { return s.ConfirmImport })),
		console("POST", "/imports/:id/cancel", "取消导入", byType(e, func(s svc) route.Method[records.IDReq, records.ImportBatch] { return s.CancelImport })),
		console("GET", "/imports/:id/failures", "导入失败列表", byType(e, func(s svc) route.Method[records.IDReq, records.File] { return s.ImportFailures })),
		console("GET", "", "列表", list),
		console("POST", "", "新增", save),
		console("GET", "/:id", "查看", get),
		again(console("POST", "/:id/reveal", "查看完整信息", byType(e, func(s svc) route.Method[records.IDReq, records.JSON] { return s.Reveal }))),
		console("PUT", "/:id", "修改", save),
		console("POST", "/delete", "删除", remove),
		console("POST", "/:id/actions/:action", "操作", act),
		again(console("POST", "/upload", "上传附件", route.Func(e.upload))),
		console("GET", "/files/:fileId", "附件", route.Func(e.attachment)),

		phone("GET", "/schema", "我的记录的表单与列表", schema),
		phone("GET", "", "我的记录", list),
		phone("POST", "", "提交", save),
		phone("GET", "/:id", "查看我的记录", get),
		phone("PUT", "/:id", "修改我的记录", save),
		phone("POST", "/delete", "删除我的记录", remove),
		phone("POST", "/:id/actions/:action", "操作我的记录", act),
		again(phone("POST", "/upload", "上传我的附件", route.Func(e.upload))),
		phone("GET", "/files/:fileId", "我的附件", route.Func(e.attachment)),
		again(phone("POST", "/files/:fileId/link", "我的附件的临时地址", route.Func(e.linkFile))),
	}
}
