package migrate

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// renamed are collections that were called otherwise than the rest.
var renamed = []struct{ from, to string }{
	{"dues_bases", "duesBases"}, {"dues_keys", "duesKeys"}, {"dues_ledger", "duesLedger"}, {"dues_months", "duesMonths"},
	{"dues_notices", "duesNotices"}, {"dues_orders", "duesOrders"}, {"dues_reconciles", "duesReconciles"}, {"dues_refunds", "duesRefunds"},
	{"points_days", "pointsDays"}, {"points_entries", "pointsEntries"}, {"points_rules", "pointsRules"},
	{"organization_evaluations", "organizationEvaluations"}, {"organization_transfers", "organizationTransfers"},
	{"checkins", "checkIns"},
}

// renameCollections gives collections, with their indexes, names in one style.
func renameCollections(ctx context.Context, s Store) error {
	for _, c := range renamed {
		if err := s.rename(ctx, c.from, c.to); err != nil {
			return err
		}
	}
	return nil
}

// rename gives a collection another name, if it is not done yet. It never loses a document:
// when there are some under both names, which an older program that still runs may bring
// about, it refuses.
func (s Store) rename(ctx context.Context, from, to string) error {
	there, err := s.DB.ListCollectionNames(ctx, bson.D{{Key: "name", Value: bson.D{{Key: "$in", Value: bson.A{from, to}}}}})
	if err != nil {
		return err
	}
	old, both := false, len(there) == 2
	for _, name := range there {
		old = old || name == from
	}
	if !old {
		return nil
	}
	if both {
		was, err := s.DB.Collection(from).EstimatedDocumentCount(ctx)
		if err != nil {
			return err
		}
		if was == 0 {
			return s.DB.Collection(from).Drop(ctx)
		}
		is, err := s.DB.Collection(to).EstimatedDocumentCount(ctx)
		if err != nil {
			return err
		}
		if is > 0 {
			return fmt.Errorf("there are documents in %s (%d) and in %s (%d): end all processes of the older version, and bring those of %s over", from, was, to, is, from)
		}
	}
	// An empty one of the new name makes way.
	return s.DB.Client().Database("admin").RunCommand(ctx, bson.D{
		{Key: "renameCollection", Value: s.DB.Name() + "." + from}, {Key: "to", Value: s.DB.Name() + "." + to}, {Key: "dropTarget", Value: both},
	}).Err()
}
