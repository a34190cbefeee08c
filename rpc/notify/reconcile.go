package notify

import (
	"context"
	"fmt"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
)

// KindReconcile is what admins of the top level hear of WeChat's bill, on site only.
const KindReconcile = "duesReconcile"

// reconcileMost bounds the notices of one day; a wrong bill would bring thousands.
const reconcileMost = 20

// duesReconciled tells the admins of the top level, who may see the reports, of each
// difference.
func (s *Service) duesReconciled(ctx context.Context, e *recordsgen.Event, p *model.DuesReconciled) error {
	lines := p.Lines
	if more := len(lines) - reconcileMost; more > 0 {
		lines = append(lines[:reconcileMost:reconcileMost], fmt.Sprintf("另有%d笔差异，请查看对账记录", more))
	}
	for i, text := range lines {
		err := s.tellAdmins(ctx, message{
			event: fmt.Sprint(e.Id, "/", i), at: e.At, kind: KindReconcile, title: "微信对账差异 " + p.Day, content: text,
			targetType: "duesReconcile", targetID: p.ReportID,
		}, model.RootOrg, "duesReconcile.view")
		if err != nil {
			return err
		}
	}
	return nil
}
