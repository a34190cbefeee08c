package edge

import (
	"context"
	"io"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

// importMost bounds an uploaded workbook.
const importMost = 10 << 20

// startImport takes a workbook and starts its import.
func (e *Edge) startImport(ctx context.Context, c *app.RequestContext) {
	svc, err := e.services.Owner(ctx, c.Param("type"))
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	head, err := c.FormFile("file")
	if err != nil {
		route.Fail(ctx, c, kit.InvalidFields(map[string]string{"file": "请选择文件"}).Because(err))
		return
	}
	if head.Size > importMost {
		route.Fail(ctx, c, kit.ErrTooLarge)
		return
	}
	f, err := head.Open()
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, importMost))
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	batch, err := svc.StartImport(ctx, &records.ImportReq{
		Type: c.Param("type"), FileName: head.Filename, Data: data, OrgId: c.Query("orgId"),
	})
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	route.Answer(ctx, c, batch)
}
