package edge

import (
	"context"

	"github.com/cloudwego/kitex/client/callopt"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
)

// recordsOf finds the service that owns a record type.
func (e *Edge) recordsOf(typ string) (recordsvc.Client, error) {
	s := e.services
	switch typ {
	case "user":
		return s.Account, nil
	case "organization", "member", "binding":
		return s.Party, nil
	case "duesBase", "duesOrder":
		return s.Dues, nil
	case "meeting":
		return s.Meeting, nil
	case "pointsRule":
		return s.Points, nil
	}
	return nil, kit.ErrNotFound
}

type typed interface{ GetType() string }

// byType makes a handler that sends a request to the service owning its record type.
func byType[Q any, P interface {
	*Q
	typed
}, R any](e *Edge, pick func(recordsvc.Client) route.Method[Q, R]) route.Handler {
	return route.Call(func(ctx context.Context, req *Q, _ ...callopt.Option) (*R, error) {
		svc, err := e.recordsOf(P(req).GetType())
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
	type svc = recordsvc.Client
	list := byType(e, func(s svc) route.Method[records.ListReq, records.JSON] { return s.List })
	save := byType(e, func(s svc) route.Method[records.SaveReq, records.JSON] { return s.Save })
	return []route.Route{
		console("GET", "/schema", "记录类型的表单与列表", byType(e, func(s svc) route.Method[records.TypeReq, records.JSON] { return s.Schema })),
		console("GET", "/template", "下载导入模板", byType(e, func(s svc) route.Method[records.TypeReq, records.File] { return s.Template })),
		console("GET", "/export", "导出", byType(e, func(s svc) route.Method[records.ListReq, records.File] { return s.Export })),
		console("POST", "/import", "导入", route.Func(e.startImport)),
		console("GET", "/imports/:id", "导入进度", byType(e, func(s svc) route.Method[records.IDReq, records.ImportBatch] { return s.GetImport })),
		console("GET", "/imports/:id/failures", "导入失败列表", byType(e, func(s svc) route.Method[records.IDReq, records.File] { return s.ImportFailures })),
		console("GET", "", "列表", list),
		console("POST", "", "新增", save),
		console("GET", "/:id", "查看", byType(e, func(s svc) route.Method[records.IDReq, records.JSON] { return s.Get })),
		console("PUT", "/:id", "修改", save),
		console("POST", "/delete", "删除", byType(e, func(s svc) route.Method[records.IDsReq, records.Empty] { return s.Delete })),
	}
}
