package dues

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records"
)

// maxBase bounds a base: a million yuan a month.
const maxBase = 100_000_000

func (s *Service) newEngine(ctx context.Context) (*records.Engine, error) {
	tree := records.Party{Client: s.d.Party}
	reductions := s.reductionType(tree)
	applied := records.Applications(reductions, "fromMonth", "toMonth", "reductionType", "reductionAmount", "reason", "files")
	applied.Own.Place.Order = 4
	return records.New(ctx, records.Config{
		DB: s.d.DB, Clock: s.d.Clock, Orgs: tree, Seal: s.d.Seal, Blobs: s.d.Blobs, Refs: tree.Refs(),
		Beside: []*mongo.Collection{s.settled.Mongo(), s.ledger.Mongo(), s.notices.Mongo(), s.refunds.Mongo(), s.keys.Mongo(), s.sums, s.branches},
	}, s.baseType(), s.baseApplicationType(tree), s.orderType(), reductions, applied, s.arrearsType(), s.policyType(), s.extraType(tree), s.reportType())
}

// baseType is 基数管理 (manual 7.2). Adding a base for the same member and month again
// corrects it (BASE-04, BASE-05), so there is no separate change.
func (s *Service) baseType() *records.Type[*model.DuesBase] {
	return &records.Type[*model.DuesBase]{
		Name: "duesBase", Title: "党费基数", Menu: "党费", Icon: "money", Section: "7.2", Collection: s.bases, NoUpdate: true,
		Fields: []records.Field{
			{Key: "memberId", Label: "党员", Type: "ref", Ref: "member", Required: true, Form: true, Fixed: true},
			{Key: "memberName", Label: "姓名", List: true, Search: true, Keyword: true, Required: true},
			{Key: "idNumber", Label: "身份证号", Type: "idNumber", List: true, Required: true},
			{Key: "orgId", Label: "党组织", Type: "ref", Ref: "organization", List: true, Search: true, ReadOnly: true, Width: 170},
			{Key: "effectiveMonth", Label: "使用年月", Type: "month", Required: true, Form: true, List: true, Search: true,
				Help: "从该月起按此基数缴纳，同一党员同一年月再次添加即为更新"},
			{Key: "baseAmount", Label: "应缴基数", Type: "money", Required: true, Form: true, List: true, Max: maxBase},
			{Key: "rate", Label: "缴存比例", Virtual: true, List: true, Form: true, ReadOnly: true},
			{Key: "payableAmount", Label: "应缴纳金额", Type: "money", List: true, Form: true, ReadOnly: true},
			{Key: "updatedAt", Label: "更新时间", Type: "datetime", List: true, ReadOnly: true, Sort: true},
		},
		DefaultSort: "-updatedAt", // the ids are made of member and month, not of time
		Indexes: []model.Index{
			{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "updatedAt", Value: -1}, {Key: "_id", Value: -1}}},
			{Keys: bson.D{{Key: "memberId", Value: 1}, {Key: "effectiveMonth", Value: 1}}},
		},
		NameOf:  func(b *model.DuesBase) string { return b.MemberName + " " + b.EffectiveMonth },
		Columns: []string{"memberName", "idNumber", "effectiveMonth", "baseAmount"},
		Once:    []string{"idNumber", "effectiveMonth"},
		BeforeImport: func(ctx context.Context, _ []map[string]string) (context.Context, error) {
			return s.withRoster(ctx)
		},
		FromImport:   s.baseFromRow,
		BeforeSave:   s.completeBase,
		Store:        s.storeBases,
		WithMember:   true,
		Follow:       func(ctx context.Context, b *model.DuesBase) error { return s.refreshOf(ctx, b.MemberID) },
		BeforeDelete: s.baseUnused,
		Present: func(_ context.Context, docs []*model.DuesBase, rows []records.Row) error {
			for i, b := range docs {
				rows[i]["rate"] = percent(b.Rate)
			}
			return nil
		},
	}
}

// percent shows 1/10,000: 50 is 0.5%. Fixed dues have no rate.
func percent(rate int32) string {
	if rate == 0 {
		return "定额"
	}
	text := fmt.Sprintf("%d.%02d", rate/100, rate%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// roster is who an import may mean: the active members below the one who imports.
type roster struct {
	masked map[string][]*partygen.Member // name and masked ID number → members
	open   map[string]*partygen.Member   // id → member with an open ID number
}

type rosterKey struct{}

func (s *Service) withRoster(ctx context.Context) (context.Context, error) {
	list, err := s.d.Party.ListMembers(kit.AsSystem(ctx), &partygen.OrgReq{OrgId: kit.CallerOf(ctx).OrgID})
	if err != nil {
		return nil, err
	}
	r := &roster{masked: map[string][]*partygen.Member{}, open: map[string]*partygen.Member{}}
	for _, m := range list.Members {
		key := normal.Name(m.Name) + " " + m.IdNumber
		r.masked[key] = append(r.masked[key], m)
	}
	return context.WithValue(ctx, rosterKey{}, r), nil
}

// baseFromRow finds the member of a row by name and full ID number.
func (s *Service) baseFromRow(ctx context.Context, row map[string]string, b *model.DuesBase) error {
	r, _ := ctx.Value(rosterKey{}).(*roster)
	name, id := row["memberName"], row["idNumber"]
	for _, m := range r.masked[name+" "+maskID(id)] {
		open := r.open[m.Id]
		if open == nil {
			var err error
			if open, err = s.member(ctx, m.Id); err != nil {
				return err
			}
			r.open[m.Id] = open
		}
		if open.IdNumber == id {
			b.MemberID = m.Id
			return nil
		}
	}
	return kit.Invalid("dues.unknown_member", "姓名和身份证号与管理范围内的党员不符")
}

// completeBase computes rate and dues from the member's table of rates and puts the base
// under the id of member and month.
func (s *Service) completeBase(ctx context.Context, _, b *model.DuesBase) error {
	var m *partygen.Member
	if r, ok := ctx.Value(rosterKey{}).(*roster); ok {
		m = r.open[b.MemberID]
	}
	if m == nil {
		var err error
		if m, err = s.member(ctx, b.MemberID); err != nil {
			return err
		}
	}
	if err := pays(m); err != nil {
		return err
	}
	return s.fillBase(ctx, b, m)
}

func (s *Service) fillBase(ctx context.Context, b *model.DuesBase, m *partygen.Member) error {
	policy, err := s.policyOf(ctx, m.Orgs)
	if err != nil {
		return err
	}
	fillBase(b, m, policy)
	return nil
}

func fillBase(b *model.DuesBase, m *partygen.Member, policy string) {
	b.ID = baseID(m.Id, b.EffectiveMonth)
	b.OrgID, b.Orgs = m.OrgId, m.Orgs
	b.MemberID, b.MemberName, b.IDMasked, b.Category = m.Id, m.Name, maskID(m.IdNumber), category(m, b.EffectiveMonth)
	b.Rate, b.PayableAmount = payable(b.EffectiveMonth, b.Category, b.BaseAmount.Fen(), policy)
	b.Rounding = policy
	b.RateVersion = rateIn(b.EffectiveMonth).Version
}

func baseID(memberID, month string) string { return kit.KeyID("dues-base", memberID, month) }

// storeBases inserts bases; one that is there, also a deleted one, gets the new values
// (BASE-04).
func (s *Service) storeBases(ctx context.Context, docs []*model.DuesBase) (map[int]error, error) {
	failed, err := s.bases.InsertMany(ctx, docs)
	if err != nil {
		return nil, err
	}
	for i, err := range failed {
		if !errors.Is(err, model.ErrDuplicate) {
			return failed, nil
		}
		if err := s.replaceBase(ctx, docs[i]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (s *Service) replaceBase(ctx context.Context, b *model.DuesBase) error {
	events := b.Pending
	for range tries {
		var was model.DuesBase // deleted or not
		if err := s.bases.Mongo().FindOne(ctx, bson.D{{Key: "_id", Value: b.ID}}).Decode(&was); errors.Is(err, mongo.ErrNoDocuments) {
			return kit.ErrConflict
		} else if err != nil {
			return fmt.Errorf("find base: %w", err)
		}
		b.Version, b.CreatedAt, b.Pending = was.Version, was.CreatedAt, slices.Concat(was.Pending, events)
		other, err := s.differ(was, *b)
		if err != nil {
			return err
		}
		if !was.Deleted && other {
			if err := s.Audit(ctx, "duesBase", "更新基数", &was, b); err != nil {
				return err
			}
		}
		if err := s.bases.Replace(ctx, b); !errors.Is(err, model.ErrStale) {
			return err
		}
	}
	return kit.ErrConflict
}

// differ tells whether two stored bases are of different amounts.
func (s *Service) differ(a, b model.DuesBase) (bool, error) {
	err := errors.Join(s.d.Seal.Disclose(&a), s.d.Seal.Disclose(&b))
	return a.BaseAmount != b.BaseAmount, err
}

// baseUnused refuses to delete what a paid order was computed from (BASE-07).
func (s *Service) baseUnused(ctx context.Context, b *model.DuesBase) error {
	n, err := s.orders.Count(ctx, model.Everything, bson.D{
		{Key: "memberId", Value: b.MemberID}, {Key: "status", Value: model.DuesPaidFor}, {Key: "items.baseMonth", Value: b.EffectiveMonth},
	})
	if err != nil {
		return err
	}
	if n > 0 {
		return kit.Conflict("dues.base_used", "该基数已被使用")
	}
	return nil
}

// orderType is 党费管理 and 支付明细 (manual 7.1, 7.3). All verbs are typed use cases.
func (s *Service) orderType() *records.Type[*model.DuesOrder] {
	return &records.Type[*model.DuesOrder]{
		Name: "duesOrder", Title: "党费", Menu: "党费", Icon: "dues", Section: "7.1", Collection: s.orders, NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields: []records.Field{
			{Key: "orderNo", Label: "订单号", List: true, Keyword: true, Width: 190},
			{Key: "memberId", Label: "党员", Type: "ref", Ref: "member"}, // filtered by orderFilter
			{Key: "memberName", Label: "姓名", List: true, Search: true, Keyword: true},
			{Key: "idNumber", Label: "身份证号", Type: "idNumber", List: true},
			{Key: "orgId", Label: "党组织", Type: "ref", Ref: "organization", List: true, Search: true, Width: 170},
			{Key: "fromMonth", Label: "起始月份", Type: "month", List: true},
			{Key: "toMonth", Label: "截止月份", Type: "month", List: true},
			{Key: "month", Label: "缴纳月份", Type: "month", Virtual: true, Search: true},
			{Key: "amount", Label: "支付金额", Type: "money", List: true},
			{Key: "refunded", Label: "已退金额", Type: "money", List: true},
			{Key: "refundOpen", Label: "退款办理", Type: "enum", List: true, Search: true, Options: []records.Option{{Value: model.RefundAsked, Label: "退款待确认"}, {Value: model.RefundConfirmed, Label: "微信退款中"}}},
			{Key: "status", Label: "状态", List: true, Search: true},
			{Key: "payMethod", Label: "支付方式", Type: "enum", List: true, Search: true, Options: []records.Option{
				{Value: model.PayCash, Label: "现金支付"}, {Value: model.PayWeChat, Label: "微信支付"}}},
			{Key: "payChannel", Label: "缴纳途径", Type: "enum", List: true, Options: []records.Option{
				{Value: model.ViaConsole, Label: "后台支付"}, {Value: model.ViaMobile, Label: "手机支付"}}},
			{Key: "createdAt", Label: "录入时间", Type: "datetime", List: true},
			{Key: "paidAt", Label: "支付时间", Type: "datetime", List: true, Search: true, Seconds: true},
			{Key: "operator", Label: "经办人", List: true},
			{Key: "cashBy", Label: "待确认现金的经办人", Virtual: true, List: s.d.CashConfirm},
			{Key: "confirmedBy", Label: "确认人", List: s.d.CashConfirm},
			{Key: "transactionNo", Label: "微信交易号"},
			{Key: "deletedBy", Label: "删除人", List: true},
			{Key: "deletedAt", Label: "删除时间", Type: "datetime", List: true},
			{Key: "deleteReason", Label: "删除原因", List: true},
		},
		Indexes: orderIndexes,
		Todo:    &records.Todo{Title: "党费退款待确认", Filter: "refundOpen", Value: model.RefundAsked, Verb: doConfirmRefund},
		Actions: []records.Action[*model.DuesOrder]{
			{Key: doPay, Title: "支付", Permission: permissions[doPay]},
			{Key: doDelete, Title: "删除", Confirm: "确定删除该笔未支付的党费吗？", Run: s.deleteOrder},
			{Key: doReverse, Title: "删除", Run: s.reverseCash, Fields: reason("删除原因"),
				Confirm: "删除后党费缴纳至日期退回，记录保留在删除记录中。"},
			{Key: doPrint, Title: "打印", Permission: permissions[doPrint]},
			{Key: doConfirm, Title: "确认现金", Confirm: "确认已收到该笔现金？", Run: s.confirmCash,
				Done: func(*model.DuesOrder) string { return "现金已确认" }},
			{Key: doRefund, Title: "退款", Permission: permissions[doRefund], Run: s.askRefund,
				Fields: append([]records.Field{{Key: "fromMonth", Label: "退款起始月份", Type: "month", Form: true, Help: "该月及以后月份的党费退回；留空为全额退款"}}, reason("退款原因")...),
				Done:   func(*model.DuesOrder) string { return "已提交，须由其他管理人员确认" }},
			{Key: doConfirmRefund, Title: "确认退款", Permission: permissions[doConfirmRefund], Run: s.confirmRefund,
				Confirm: "确认后由微信原路退回，不能撤销；缴纳至日期随之退回。", Done: func(*model.DuesOrder) string { return "已确认，由微信退回" }},
			{Key: doRejectRefund, Title: "驳回退款", Permission: permissions[doRejectRefund], Run: s.rejectRefund, Fields: reason("驳回原因")},
			{Key: doReject, Title: "驳回", Permission: permissions[doReject], Run: s.rejectCash, Fields: reason("驳回原因"),
				Confirm: "驳回后该笔党费恢复为未支付，登记的现金不计入。"},
		},
		Listed:  ordersShown,
		Filter:  orderFilter,
		Life:    life,
		Summary: s.sumOrders,
		// The bases that the months were computed from (DUES-12).
		Reveal: func(_ context.Context, o *model.DuesOrder, row records.Row) error {
			open := new(*o)
			if err := s.d.Seal.Disclose(open); err != nil {
				return err
			}
			row["items"] = itemsOf(open.Items, true)
			return nil
		},
		Present: func(_ context.Context, docs []*model.DuesOrder, rows []records.Row) error {
			for i, o := range docs {
				if cash := o.OpenCash(); cash != nil {
					rows[i]["cashBy"] = cash.By
				}
			}
			return nil
		},
	}
}

// reason asks why money is given back or sent back; who says nothing is refused.
func reason(label string) []records.Field {
	return []records.Field{{Key: "reason", Label: label, Type: "text", Required: true, Form: true, Max: 200}}
}

// ordersShown: cleared orders and deleted unpaid ones are in no list; deleted cash
// orders only when asked for (查看删除记录, DORD-09).
func ordersShown(_ context.Context, filters map[string]string) bson.D {
	switch strings.TrimSpace(filters["status"]) {
	case model.DuesUnpaid, model.DuesPaidFor, model.DuesRefunded:
		return nil
	case model.DuesDeleted:
		return bson.D{{Key: "payMethod", Value: model.PayCash}}
	}
	return bson.D{{Key: "status", Value: bson.D{{Key: "$in", Value: bson.A{model.DuesPaidFor, model.DuesUnpaid, model.DuesRefunded}}}}}
}

// orderFilter answers month=yyyy-MM, or from,to: the orders that hold a month of it.
func orderFilter(_ context.Context, key, value string) (bson.D, bool, error) {
	if key != "month" {
		return nil, false, nil
	}
	from, to, ranged := strings.Cut(value, ",")
	if !ranged {
		to = from
	}
	if from != "" && !validMonth(from) || to != "" && !validMonth(to) {
		return nil, false, kit.Invalid("filter.invalid", "缴纳月份应为年月，如2024-07")
	}
	part := bson.D{{Key: "toMonth", Value: bson.D{{Key: "$gte", Value: from}}}}
	if to != "" {
		part = append(part, bson.E{Key: "fromMonth", Value: bson.D{{Key: "$lte", Value: to}}})
	}
	return part, true, nil
}

// sumOrders is the total beside a list (DORD-04).
func (s *Service) sumOrders(ctx context.Context, filter bson.D) (map[string]string, error) {
	return sumOf(ctx, s.orders.Mongo(), net, filter)
}

// sumOf is the total beside a list of what an expression makes of each of its documents.
func sumOf(ctx context.Context, c *mongo.Collection, of any, filter bson.D) (map[string]string, error) {
	cur, err := c.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: filter}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: nil}, {Key: "amount", Value: bson.D{{Key: "$sum", Value: of}}}}}},
	})
	if err != nil {
		return nil, fmt.Errorf("sum %s: %w", c.Name(), err)
	}
	var sums []struct {
		Amount int64 `bson:"amount"`
	}
	if err := cur.All(ctx, &sums); err != nil {
		return nil, fmt.Errorf("sum %s: %w", c.Name(), err)
	}
	var sum int64
	for _, x := range sums {
		sum += x.Amount
	}
	return map[string]string{"amount": fmt.Sprint(sum)}, nil
}
