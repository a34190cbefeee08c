package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// escalateAfter is how long an application may wait before the organisation above is told of it; it may
// decide on it as well.
const escalateAfter = 7 * 24 * time.Hour

// escalate tells the admins above of what has waited too long, once each.
func (t *recordType) escalate(ctx context.Context) error {
	if t.Approval == nil {
		return nil
	}
	now := t.engine.clock.Now()
	// Index undecided, createdAt.
	list, err := t.Collection.Find(ctx, model.Everything, bson.D{
		{Key: "undecided", Value: true}, {Key: "createdAt", Value: bson.D{{Key: "$lte", Value: now.Add(-escalateAfter)}}}, {Key: "escalated", Value: nil},
	}, model.Page{Limit: 100})
	if err != nil {
		return fmt.Errorf("escalate %s: %w", t.Name, err)
	}
	var errs []error
	for _, d := range list {
		_, err := t.Collection.Update(ctx, model.Everything, d.Header().ID, func(doc model.Document) error {
			p, h := approvalOf(doc), doc.Header()
			if !p.Undecided || p.Escalated {
				return model.ErrUnchanged
			}
			p.Escalated = true
			if n := len(h.Orgs); n > 1 {
				h.Tell(kit.KeyID("escalated", h.ID), now, model.Told{
					Kind: "submitted", Title: t.Title + "超期未审", TargetType: t.Name, TargetID: h.ID, AdminsOf: h.Orgs[n-2], Permission: t.Name + ".approve",
					Content: fmt.Sprintf("下级组织的%s“%s”已超过%d天未审批，请督促或直接审批", t.Title, t.nameOf(doc), int(escalateAfter.Hours()/24)),
				})
			}
			return nil
		})
		if !errors.Is(err, model.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
