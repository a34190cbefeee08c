package dues

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// What an organisation owes and has paid in a month, a quarter and a year is stored branch by branch
// (duesSums), so that a report reads a row a branch, however many members it has. What changes marks the
// branch (duesBranches); a worker computes it anew, and a report whose branches are few does so first.

const (
	// sumsAtOnce bounds the branches that a reader, or a turn of the worker, computes anew.
	sumsAtOnce = 50
	// sumsBack is how many months of the past have sums.
	sumsBack = 120
	// membersAtOnce is how many members are asked for in one call.
	membersAtOnce = 500
)

// mark says that the sums of a branch are to be computed anew. It is called after what changed is
// stored, by what is repeated after a crash.
func (s *Service) mark(ctx context.Context, orgID string, path []string) error {
	if orgID == "" {
		return nil
	}
	_, err := s.branches.UpdateOne(ctx, bson.D{{Key: "_id", Value: orgID}}, bson.D{
		{Key: "$set", Value: bson.D{{Key: "orgId", Value: orgID}, {Key: "orgs", Value: path}, {Key: "stale", Value: true}}},
		{Key: "$inc", Value: bson.D{{Key: "changes", Value: 1}}},
	}, options.UpdateOne().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) { // two at once made it; it is marked
		return nil
	}
	if err != nil {
		return fmt.Errorf("mark branch: %w", err)
	}
	return nil
}

// markAll marks every branch that has bases or orders, once for a store that has no sums yet.
func (s *Service) markAll(ctx context.Context) error {
	for _, c := range []*mongo.Collection{s.bases.Mongo(), s.orders.Mongo()} {
		cur, err := c.Aggregate(ctx, mongo.Pipeline{{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$orgId"}, {Key: "orgs", Value: bson.D{{Key: "$first", Value: "$orgs"}}}}}}})
		if err != nil {
			return fmt.Errorf("branches: %w", err)
		}
		var list []branchOf
		if err := cur.All(ctx, &list); err != nil {
			return fmt.Errorf("branches: %w", err)
		}
		for _, b := range list {
			if err := s.mark(ctx, b.ID, b.Orgs); err != nil {
				return err
			}
		}
	}
	_, err := s.branches.UpdateOne(ctx, begun, bson.D{{Key: "$set", Value: bson.D{{Key: "stale", Value: false}}}}, options.UpdateOne().SetUpsert(true))
	if err != nil && !mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("begin sums: %w", err)
	}
	s.summing.Store(true)
	return nil
}

// begun notes that all branches were marked; it is below no organisation.
var begun = bson.D{{Key: "_id", Value: "begun"}}

func (s *Service) beginSums(ctx context.Context) error {
	if s.summing.Load() {
		return nil
	}
	n, err := s.branches.CountDocuments(ctx, begun)
	if err != nil {
		return fmt.Errorf("begin sums: %w", err)
	}
	if n == 0 {
		return s.markAll(ctx)
	}
	s.summing.Store(true)
	return nil
}

// settleSums computes anew the branches below an organisation that are marked, or were not computed
// today, and tells whether there may be more. Once a day all are: what no mark tells of, such as a branch
// that a member has left, is right the next day at the latest.
func (s *Service) settleSums(ctx context.Context, orgID string) (more bool, err error) {
	if err := s.beginSums(ctx); err != nil {
		return false, err
	}
	at := s.d.Clock.Now().In(kit.Shanghai)
	now, today := kit.Month(at), at.Format(time.DateOnly)
	// Index stale; index orgs, asOf.
	cur, err := s.branches.Find(ctx, bson.D{{Key: "orgs", Value: orgID}, {Key: "$or", Value: bson.A{
		bson.D{{Key: "stale", Value: true}}, bson.D{{Key: "asOf", Value: bson.D{{Key: "$ne", Value: today}}}},
	}}}, options.Find().SetLimit(sumsAtOnce))
	if err != nil {
		return false, fmt.Errorf("marked branches: %w", err)
	}
	var list []branchOf
	if err := cur.All(ctx, &list); err != nil {
		return false, fmt.Errorf("marked branches: %w", err)
	}
	for i := range list {
		if err := s.sumBranch(ctx, &list[i], now, today); err != nil {
			return false, fmt.Errorf("sums of %s: %w", list[i].ID, err)
		}
	}
	return len(list) == sumsAtOnce, nil
}

// branchOf is a branch whose sums are stored.
type branchOf struct {
	ID      string   `bson:"_id"`
	Orgs    []string `bson:"orgs"`
	Changes int64    `bson:"changes"`
}

// tally are the sums of a period while they are counted.
type tally struct {
	members, payers map[string]bool
	payable, paid   int64
}

// periodsOf are the month itself, its quarter and its year.
func periodsOf(month string) [3]string {
	var m int
	_, _ = fmt.Sscanf(month[5:], "%d", &m) // a month of ours
	return [3]string{month, fmt.Sprintf("%sQ%d", month[:4], (m+2)/3), month[:4]}
}

func (s *Service) sumBranch(ctx context.Context, b *branchOf, now, today string) error {
	sums := map[string]*tally{}
	each := func(month string, f func(*tally)) {
		for _, p := range periodsOf(month) {
			if sums[p] == nil {
				sums[p] = &tally{members: map[string]bool{}, payers: map[string]bool{}}
			}
			f(sums[p])
		}
	}
	accounts, err := s.accountsOf(ctx, b.ID)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		for month := max(a.bases[0].EffectiveMonth, kit.AddMonths(now, -sumsBack)); month <= now; month = kit.AddMonths(month, 1) {
			base := a.base(month)
			each(month, func(t *tally) {
				t.members[a.member.Id] = true
				t.payable += base.PayableAmount - a.off(month, base.PayableAmount)
			})
		}
	}
	// Index orgs, status, paidAt. Only what is counted is read: a branch has thousands of orders.
	cur, err := s.orders.Mongo().Find(ctx, bson.D{
		{Key: "orgs", Value: b.ID}, {Key: "status", Value: bson.D{{Key: "$in", Value: bson.A{model.DuesPaidFor, model.DuesRefunded}}}}, {Key: "orgId", Value: b.ID},
	}, options.Find().SetProjection(bson.D{{Key: "paidAt", Value: 1}, {Key: "amount", Value: 1}, {Key: "refunded", Value: 1}, {Key: "memberId", Value: 1}}))
	if err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	defer cur.Close(ctx)
	for cur.Next(ctx) {
		var o struct {
			PaidAt   time.Time `bson:"paidAt"`
			Amount   int64     `bson:"amount"`
			Refunded int64     `bson:"refunded"`
			MemberID string    `bson:"memberId"`
		}
		if err := cur.Decode(&o); err != nil {
			return fmt.Errorf("orders: %w", err)
		}
		each(kit.Month(o.PaidAt), func(t *tally) {
			t.paid += o.Amount - o.Refunded
			t.payers[o.MemberID] = true
		})
	}
	if err := cur.Err(); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	writes := []mongo.WriteModel{}
	for period, t := range sums {
		writes = append(writes, mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: b.ID + "/" + period}}).SetUpsert(true).SetUpdate(bson.D{{Key: "$set", Value: bson.D{
			{Key: "orgId", Value: b.ID}, {Key: "orgs", Value: b.Orgs}, {Key: "period", Value: period}, {Key: "members", Value: len(t.members)},
			{Key: "payers", Value: len(t.payers)}, {Key: "payable", Value: t.payable}, {Key: "paid", Value: t.paid}, {Key: "of", Value: b.Changes},
		}}}))
	}
	if len(writes) > 0 {
		if _, err := s.sums.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false)); err != nil {
			return fmt.Errorf("store sums: %w", err)
		}
	}
	// What is not there any more, such as a payment of which all was taken back.
	if _, err := s.sums.DeleteMany(ctx, bson.D{{Key: "orgId", Value: b.ID}, {Key: "of", Value: bson.D{{Key: "$lt", Value: b.Changes}}}}); err != nil {
		return fmt.Errorf("store sums: %w", err)
	}
	// Unless it changed meanwhile.
	_, err = s.branches.UpdateOne(ctx, bson.D{{Key: "_id", Value: b.ID}, {Key: "changes", Value: b.Changes}}, bson.D{{Key: "$set", Value: bson.D{{Key: "stale", Value: false}, {Key: "asOf", Value: today}}}})
	return err
}

// accountsOf are the bases and reductions of the members on the roll of a branch who owe dues.
func (s *Service) accountsOf(ctx context.Context, orgID string) (map[string]*account, error) {
	of := bson.D{{Key: "orgId", Value: orgID}}
	bases, err := s.bases.Find(ctx, model.Within(orgID), of, model.Page{Sort: bson.D{{Key: "effectiveMonth", Value: 1}}})
	if err != nil {
		return nil, err
	}
	reductions, err := s.reductions.Find(ctx, model.Within(orgID), append(bson.D{{Key: "state", Value: model.ApprovalApproved}}, of...), model.Page{})
	if err != nil {
		return nil, err
	}
	all := map[string]*account{}
	var ids []string
	for _, b := range bases {
		if all[b.MemberID] == nil {
			all[b.MemberID] = &account{}
			ids = append(ids, b.MemberID)
		}
		all[b.MemberID].bases = append(all[b.MemberID].bases, b)
	}
	for _, r := range reductions {
		if a := all[r.MemberID]; a != nil {
			a.reductions = append(a.reductions, r)
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), membersAtOnce)
		list, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: ids[:n]})
		if err != nil {
			return nil, err
		}
		for _, m := range list.Members {
			if m.OrgId == orgID && pays(m) == nil {
				all[m.Id].member = m
			}
		}
		ids = ids[n:]
	}
	for id, a := range all {
		if a.member == nil {
			delete(all, id)
		}
	}
	return all, nil
}

// sumsOf are the sums of periods below an organisation, by a key of the aggregation.
func (s *Service) sumsOf(ctx context.Context, orgID string, periods []string, by any) (map[string]sumRow, error) {
	field := func(name string) bson.E {
		return bson.E{Key: name, Value: bson.D{{Key: "$sum", Value: "$" + name}}}
	}
	cur, err := s.sums.Aggregate(ctx, mongo.Pipeline{ // index orgs, period
		{{Key: "$match", Value: bson.D{{Key: "orgs", Value: orgID}, {Key: "period", Value: bson.D{{Key: "$in", Value: periods}}}}}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: by}, field("members"), field("payers"), field("payable"), field("paid")}}},
	})
	if err != nil {
		return nil, fmt.Errorf("sums: %w", err)
	}
	var list []sumRow
	if err := cur.All(ctx, &list); err != nil {
		return nil, fmt.Errorf("sums: %w", err)
	}
	out := map[string]sumRow{}
	for _, r := range list {
		key := ""
		if r.ID != nil {
			key = *r.ID
		}
		out[key] = r
	}
	return out, nil
}

type sumRow struct {
	ID      *string `bson:"_id"` // nil: of the organisation itself, not below it
	Members int32   `bson:"members"`
	Payers  int32   `bson:"payers"`
	Payable int64   `bson:"payable"`
	Paid    int64   `bson:"paid"`
}

// drainSums is the worker's turn.
func (s *Service) drainSums(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < sweepFor/2; {
		more, err := s.settleSums(ctx, model.RootOrg)
		if err != nil || !more {
			return err
		}
	}
	return nil
}
