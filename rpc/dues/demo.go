package dues

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// demoBases are invented bases in fen, so that every band of the table appears.
var demoBases = []int64{286_000, 438_050, 500_000, 672_000, 825_600, 1_180_000}

// SeedDemo invents bases for all who pay dues and their payments of the last months;
// every fifth member is in arrears. A second call, or one at the same time, changes nothing:
// the bases, stored last, tell that the rest is there, and the same demo has the same ids.
// It writes whole collections at once. Only this month's payments carry their events, so
// that points and notices of the demo begin with what is recent; older ones are history.
func (s *Service) SeedDemo(ctx context.Context) error {
	ctx = kit.AsSystem(ctx)
	n, err := s.bases.Count(ctx, model.Everything, bson.D{})
	if err != nil || n > 0 {
		return err
	}
	list, err := s.d.Party.ListMembers(ctx, &partygen.OrgReq{OrgId: model.RootOrg})
	if err != nil {
		return fmt.Errorf("members: %w", err)
	}
	now := s.d.Clock.Now()
	this := kit.Month(now)
	begin := kit.AddMonths(this, -4)
	effective := min(this[:4]+"-01", begin)
	var bases []*model.DuesBase
	var orders []*model.DuesOrder
	var taken []*model.DuesMonth
	var lines []*model.DuesLine
	through := map[string]string{}
	i := 0
	for _, m := range list.Members {
		if pays(m) != nil {
			continue
		}
		i++
		first := begin
		if m.DuesPaidThrough >= first {
			first = kit.AddMonths(m.DuesPaidThrough, 1)
		}
		b := &model.DuesBase{EffectiveMonth: effective, BaseAmount: model.WageOf(demoBases[i%len(demoBases)])}
		fillBase(b, m, model.RoundFen)
		b.CreatedBy = "demo"
		bases = append(bases, b)
		last := this
		switch i % 5 {
		case 3:
			last = kit.AddMonths(this, -1)
		case 4:
			last = kit.AddMonths(this, -3)
		}
		for k, month := range months(first, last) {
			if month > this {
				break
			}
			o := demoOrder(m, b, month, i, k, now)
			orders = append(orders, o)
			taken = append(taken, &model.DuesMonth{
				Base:     model.Base{ID: kit.KeyID("dues-month", m.Id, month), OrgID: m.OrgId, Orgs: m.Orgs},
				MemberID: m.Id, Month: month, OrderID: o.ID,
			})
			lines = append(lines, &model.DuesLine{
				Base:     model.Base{ID: kit.KeyID("dues-line", "pay", o.ID, month), OrgID: m.OrgId, Orgs: m.Orgs},
				MemberID: m.Id, Month: month, OrderID: o.ID, OrderNo: o.OrderNo, Amount: o.Amount, PayMethod: o.PayMethod, At: *o.PaidAt,
			})
			if month == this {
				announcePaid(o, *o.PaidAt, *o.PaidAt)
			}
			through[m.Id] = month
		}
	}
	for _, b := range bases {
		s.d.Seal.Close(b)
	}
	for _, o := range orders {
		s.d.Seal.Close(o)
	}
	// Together, since each waits for the disk, and a newcomer for all of them.
	var together kit.Group
	together.Go("demo months", func() error { return model.Seeded(s.settled.InsertMany(ctx, taken)) })
	together.Go("demo orders", func() error { return model.Seeded(s.orders.InsertMany(ctx, orders)) })
	together.Go("demo ledger", func() error { return model.Seeded(s.ledger.InsertMany(ctx, lines)) })
	if err := together.Wait(); err != nil {
		return fmt.Errorf("store demo dues: %w", err)
	}
	paid := kit.Group{Most: 32}
	for id, month := range through {
		paid.Go("demo paid through", func() error {
			_, err := s.d.Party.SetDuesPaidThrough(ctx, &partygen.PaidThroughReq{MemberId: id, Month: month, Force: true})
			return err
		})
	}
	if err := paid.Wait(); err != nil {
		return fmt.Errorf("demo dues paid through: %w", err)
	}
	if err := model.Seeded(s.bases.InsertMany(ctx, bases)); err != nil {
		return fmt.Errorf("store demo bases: %w", err)
	}
	return s.markAll(ctx)
}

// demoOrder is the order of one month, paid on some day of it, never in the future.
func demoOrder(m *partygen.Member, b *model.DuesBase, month string, i, k int, now time.Time) *model.DuesOrder {
	start, _ := time.ParseInLocation("2006-01", month, kit.Shanghai) // made by AddMonths
	at := start.AddDate(0, 0, 2+i*7%18).Add(time.Duration(8*60+i*37%540) * time.Minute)
	// Ids sort by time, before those of real orders, and do not depend on now.
	id := fmt.Sprintf("0000demoorder%s%04d", at.Format("0601021504"), i)
	if at.After(now) { // what is left of the month becomes the last minutes, in the same order
		at = now.Add(-start.AddDate(0, 1, 0).Sub(at) / (24 * 60))
	}
	o := &model.DuesOrder{
		Base:     model.Base{ID: id, OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: "demo", CreatedAt: at.Add(-3 * time.Minute)},
		OrderNo:  at.Format("20060102") + fmt.Sprintf("%08d%04d", i, k),
		MemberID: m.Id, MemberName: m.Name, IDMasked: m.IdNumber, OrgName: m.OrgName, CommitteeName: m.CommitteeName,
		FromMonth: month, ToMonth: month, Amount: b.PayableAmount, Rounding: model.RoundFen,
		Items: []model.DuesItem{{
			Month: month, BaseMonth: b.EffectiveMonth, BaseAmount: b.BaseAmount, Rate: b.Rate, Payable: b.PayableAmount, Due: b.PayableAmount,
		}},
		Status: model.DuesPaidFor, PaidAt: &at, ExpiresAt: kit.Midnight(at).AddDate(0, 0, 1),
		PayMethod: model.PayWeChat, TransactionNo: "42000" + at.Format("20060102") + fmt.Sprintf("%011d%04d", i, k),
	}
	if i%3 == 0 {
		o.PayMethod, o.TransactionNo, o.Operator = model.PayCash, "", "管理员"
	}
	o.PayChannel = channelOf(o.PayMethod)
	return o
}
