package dues

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	dues "zhihuidangjian/idl/gen/dues"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var periods = regexp.MustCompile(`^(\d{4})(?:-(0[1-9]|1[0-2])|Q([1-4]))?$`)

// span is a period as its months: the first one, and how many.
type stretch struct {
	first string
	n     int
	name  string // as its sums are stored under
}

// readPeriod understands a month, a quarter and a year.
func readPeriod(s string) (stretch, error) {
	m := periods.FindStringSubmatch(s)
	switch {
	case m == nil || m[1] < "1921":
		return stretch{}, kit.InvalidFields(map[string]string{"period": "时间应为年月、季度或年份，如2026-11、2026Q4、2026"})
	case m[2] != "":
		return stretch{s, 1, s}, nil
	case m[3] != "":
		q, _ := strconv.Atoi(m[3]) // one digit
		return stretch{fmt.Sprintf("%s-%02d", m[1], q*3-2), 3, s}, nil
	}
	return stretch{m[1] + "-01", 12, s}, nil
}

// before is the period before, as long.
func (s stretch) before() stretch {
	first := kit.AddMonths(s.first, -s.n)
	return stretch{first, s.n, periodsOf(first)[map[int]int{1: 0, 3: 1, 12: 2}[s.n]]}
}

// net is what of an order was kept.
var net = bson.D{{Key: "$subtract", Value: bson.A{"$amount", bson.D{{Key: "$ifNull", Value: bson.A{"$refunded", 0}}}}}}

// GetAnalysis is what an organisation and those right below it owe and have paid in a period, each
// with all below it (manual 7.5). A quarter is the sum of its months, a year that of its quarters.
func (s *Service) GetAnalysis(ctx context.Context, req *dues.AnalysisReq) (*dues.Analysis, error) {
	in, err := readPeriod(req.Period)
	if err != nil {
		return nil, err
	}
	tree, err := s.d.Party.GetTree(ctx, &partygen.OrgReq{OrgId: req.OrgId})
	if err != nil {
		return nil, err
	}
	root := tree.Nodes[0].Id
	if _, err := s.settleSums(ctx, root); err != nil {
		return nil, err
	}
	places, err := s.d.Party.GetPlaces(kit.AsSystem(ctx), &partygen.PlacesReq{OrgIds: []string{root}})
	if err != nil || len(places.Places) == 0 {
		return nil, errors.Join(err, kit.ErrNotFound)
	}
	// The organisation right below the node that a branch belongs to.
	below := bson.D{{Key: "$arrayElemAt", Value: bson.A{"$orgs", len(places.Places[0].Orgs)}}}
	sums, err := s.sumsOf(ctx, root, []string{in.name}, below)
	if err != nil {
		return nil, err
	}
	earlier, err := s.sumsOf(ctx, root, []string{in.before().name}, below)
	if err != nil {
		return nil, err
	}
	out := &dues.Analysis{Period: req.Period}
	self, was := sumRow{}, int64(0)
	for _, x := range sums {
		self.Members, self.Payers, self.Payable, self.Paid = self.Members+x.Members, self.Payers+x.Payers, self.Payable+x.Payable, self.Paid+x.Paid
	}
	for _, x := range earlier {
		was += x.Paid
	}
	for i, n := range tree.Nodes {
		if i > 0 && n.ParentId != root {
			continue
		}
		x, before := sums[n.Id], earlier[n.Id].Paid
		if i == 0 {
			x, before = self, was
		}
		r := &dues.AnalysisRow{OrgId: n.Id, OrgName: n.OrgName, Self: i == 0, Members: x.Members, Payers: x.Payers, Payable: x.Payable, Paid: x.Paid, Before: before}
		r.Rate, r.Change = share(r.Paid, r.Payable), change(r.Paid, r.Before)
		out.Rows = append(out.Rows, r)
	}
	return out, nil
}

// share is a part of a whole in percent with one digit after the point, without a float.
func share(part, whole int64) string {
	if whole == 0 {
		return "—"
	}
	tenths := (2000*part + whole) / (2 * whole)
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}

// change is the change against an earlier sum in percent; — where that is nothing (DANA-02).
func change(now, before int64) string {
	if before == 0 {
		return "—"
	}
	sign, by := "+", now-before
	if by < 0 {
		sign, by = "-", -by
	}
	return sign + share(by, before)
}

// yearOf is how many months 查看缴纳分析情况 shows.
const yearOf = 12

// GetMonths is one organisation with all below it, month by month, up to the last month of a
// period (DANA-02).
func (s *Service) GetMonths(ctx context.Context, req *dues.AnalysisReq) (*dues.MonthRows, error) {
	in, err := readPeriod(req.Period)
	if err != nil {
		return nil, err
	}
	tree, err := s.d.Party.GetTree(ctx, &partygen.OrgReq{OrgId: req.OrgId})
	if err != nil {
		return nil, err
	}
	root := tree.Nodes[0].Id
	if _, err := s.settleSums(ctx, root); err != nil {
		return nil, err
	}
	last := kit.AddMonths(in.first, in.n-1)
	var months []string
	for i := -yearOf; i <= 0; i++ { // one more, for the change of the first
		months = append(months, kit.AddMonths(last, i))
	}
	sums, err := s.sumsOf(ctx, root, months, "$period")
	if err != nil {
		return nil, err
	}
	out := &dues.MonthRows{OrgName: tree.Nodes[0].OrgName}
	for i, month := range months[1:] {
		x := sums[month]
		out.Months = append(out.Months, &dues.MonthRow{Month: month, Paid: x.Paid, Payers: x.Payers, Change: change(x.Paid, sums[months[i]].Paid)})
	}
	return out, nil
}

// ExportAnalysis is a report as a sheet: the rows, columns and totals of the page (DANA-06).
func (s *Service) ExportAnalysis(ctx context.Context, req *dues.AnalysisReq) (*recordsgen.File, error) {
	a, err := s.GetAnalysis(ctx, req)
	if err != nil {
		return nil, err
	}
	labels, rows := []string{"党组织", "应缴人数", "实缴人数", "应缴金额（元）", "实缴金额（元）", "缴纳率", "上期实缴（元）", "变动"}, [][]any{}
	var self *dues.AnalysisRow
	line := func(name string, r *dues.AnalysisRow) []any {
		return []any{records.Harmless(name), int64(r.Members), int64(r.Payers), kit.Yuan(r.Payable), kit.Yuan(r.Paid), r.Rate, kit.Yuan(r.Before), r.Change}
	}
	for _, r := range a.Rows {
		if r.Self {
			self = r
			continue
		}
		rows = append(rows, line(r.OrgName, r))
	}
	if len(rows) > 0 || self.Members > 0 || self.Payers > 0 {
		rows = append(rows, line("合计："+self.OrgName, self))
	}
	data, err := s.Sheet(ctx, "党费报表", labels, func(put func([][]any) error) error { return put(rows) })
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	place := &model.DuesOrder{Base: model.Base{ID: self.OrgId, OrgID: self.OrgId, Orgs: kit.CallerOf(ctx).Orgs}}
	if err := s.Shown(ctx, model.AuditExport, "duesOrder", "导出党费报表", place, a.Period); err != nil {
		return nil, err
	}
	return records.Workbook("党费报表-"+self.OrgName+"-"+a.Period, data), nil
}
