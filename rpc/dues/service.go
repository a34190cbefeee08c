// Package dues keeps bases, orders and the ledger of party dues (manual 7), and takes
// the money: cash at the console, WeChat Pay on a phone.
//
// Three promises shape it. A month of a member is paid at most once: settling stores
// each month under an id of member and month before the order turns paid. State moves
// by compare-and-set on one document, and what must follow is saved with it (Todo) and
// done again until it is done. And no money is lost: a trade at WeChat is saved before
// WeChat is asked to open it, every genuine notice is stored, and what comes for an
// order that cannot take it any more is given back.
package dues

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"golang.org/x/time/rate"

	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/wechat"
)

// Deps are what the service stands on.
type Deps struct {
	DB     *mongo.Database
	Redis  redis.UniversalClient // nothing of dues is kept in it; every service is given the same
	Clock  *kit.Clock
	Seal   *model.Sealer
	Party  partysvc.Client
	Pay    wechat.PayGateway
	Notify wechat.PayNotify
	// CashConfirm: cash entered by one admin counts when another one confirms it.
	CashConfirm bool

	AppID     string // of the official account
	MiniAppID string
	MchID     string
	FontPath  string // TrueType fonts of receipts, comma separated, the first first
	Blobs     blob.Store
}

// Service implements the generated dues.Dues.
type Service struct {
	*records.Engine
	d       Deps
	bases   *model.Collection[*model.DuesBase]
	orders  *model.Collection[*model.DuesOrder]
	settled *model.Collection[*model.DuesMonth]
	ledger  *model.Collection[*model.DuesLine]
	notices *model.Collection[*model.DuesNotice]
	refunds *model.Collection[*model.DuesRefund]
	keys    *model.Collection[*model.DuesKey]

	reductions *model.Collection[*model.DuesReduction]
	arrears    *model.Collection[*model.DuesArrears]
	applied    *model.Collection[*model.DuesBaseApplication]
	reports    *model.Collection[*model.DuesReconcile]
	policies   *model.Collection[*model.DuesPolicy]
	sums       *mongo.Collection // of branches by period
	branches   *mongo.Collection // whose sums are stored
	summing    atomic.Bool       // all branches were marked once
	pace       *rate.Limiter     // of questions to WeChat after open orders
}

// keyLife is how long an idempotency key is remembered; an order lives a day.
const keyLife = 72 * time.Hour

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d:          d,
		bases:      model.NewCollection[*model.DuesBase](d.DB, "duesBases", d.Clock.Now),
		orders:     model.NewCollection[*model.DuesOrder](d.DB, "duesOrders", d.Clock.Now),
		settled:    model.NewCollection[*model.DuesMonth](d.DB, "duesMonths", d.Clock.Now),
		ledger:     model.NewCollection[*model.DuesLine](d.DB, "duesLedger", d.Clock.Now),
		notices:    model.NewCollection[*model.DuesNotice](d.DB, "duesNotices", d.Clock.Now),
		refunds:    model.NewCollection[*model.DuesRefund](d.DB, "duesRefunds", d.Clock.Now),
		keys:       model.NewCollection[*model.DuesKey](d.DB, "duesKeys", d.Clock.Now),
		reductions: model.NewCollection[*model.DuesReduction](d.DB, "duesReductions", d.Clock.Now),
		arrears:    model.NewCollection[*model.DuesArrears](d.DB, "duesArrears", d.Clock.Now),
		applied:    model.NewCollection[*model.DuesBaseApplication](d.DB, "duesBaseApplications", d.Clock.Now),
		policies:   model.NewCollection[*model.DuesPolicy](d.DB, "duesPolicies", d.Clock.Now),
		sums:       d.DB.Collection("duesSums"), branches: d.DB.Collection("duesBranches"),
		reports: model.NewCollection[*model.DuesReconcile](d.DB, "duesReconciles", d.Clock.Now),
		pace:    rate.NewLimiter(askPace, askPace/5),
	}
	s.orders.Watch(sealed[*model.DuesOrder](s))
	s.applied.Watch(sealed[*model.DuesBaseApplication](s))
	s.bases.Watch(sealed[*model.DuesBase](s))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	by := func(keys ...string) model.Index {
		x := model.Index{}
		for _, k := range keys {
			x.Keys = append(x.Keys, bson.E{Key: k, Value: 1})
		}
		return x
	}
	err := errors.Join(
		s.settled.EnsureIndexes(ctx, by("orderId"), by("memberId", "month")),
		s.ledger.EnsureIndexes(ctx, by("orderId"), by("memberId", "month"), by("orgs", "month")),
		s.notices.EnsureIndexes(ctx, by("outTradeNo")),
		s.refunds.EnsureIndexes(ctx, by("state"), by("orderId")),
		model.EnsureIndexes(ctx, s.sums, by("orgs", "period")), model.EnsureIndexes(ctx, s.sums, by("orgId")),
		model.EnsureIndexes(ctx, s.branches, by("orgs", "stale")), model.EnsureIndexes(ctx, s.branches, by("orgs", "asOf")),
		s.keys.EnsureIndexes(ctx, model.Index{Keys: bson.D{{Key: "createdAt", Value: 1}}, TTL: keyLife}),
	)
	if err == nil {
		s.Engine, err = s.newEngine(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("dues: %w", err)
	}
	return s, nil
}

// orderIndexes: a member has at most one unpaid order, whatever two phones and a
// console do at once.
var orderIndexes = []model.Index{
	{Keys: bson.D{{Key: "memberId", Value: 1}}, Unique: true, Partial: bson.D{{Key: "status", Value: model.DuesUnpaid}}},
	{Keys: bson.D{{Key: "orderNo", Value: 1}}, Unique: true},
	{Keys: bson.D{{Key: "memberId", Value: 1}, {Key: "status", Value: 1}, {Key: "toMonth", Value: -1}}},
	{Keys: bson.D{{Key: "status", Value: 1}, {Key: "expiresAt", Value: 1}}},
	{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "status", Value: 1}, {Key: "paidAt", Value: -1}}},
	{Keys: bson.D{{Key: "todo", Value: 1}}, Sparse: true},
	{Keys: bson.D{{Key: "waiting", Value: 1}, {Key: "askedAt", Value: 1}}},
}

// member is a member as the party service knows him; the caller's scope is not checked.
func (s *Service) member(ctx context.Context, id string) (*partygen.Member, error) {
	return s.d.Party.GetMember(kit.AsSystem(ctx), &partygen.MemberReq{MemberId: id})
}

// memberInScope is a member below the admin who calls; a sibling branch's is not found.
func (s *Service) memberInScope(ctx context.Context, id string) (*partygen.Member, *kit.Caller, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := s.member(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if c.OrgID == "" || !slices.Contains(m.Orgs, c.OrgID) {
		return nil, nil, kit.ErrNotFound
	}
	return m, c, nil
}

// orderInScope is an order below the admin who calls.
func (s *Service) orderInScope(ctx context.Context, id string) (*model.DuesOrder, *kit.Caller, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, nil, err
	}
	if c.OrgID == "" {
		return nil, nil, kit.ErrNotFound
	}
	o, err := s.orders.Get(ctx, model.Within(c.OrgID), id)
	return o, c, records.Mapped(err)
}
