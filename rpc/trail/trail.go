// Package trail writes down what people do, for the audit service to chain: in the write of
// the document that it is about, or in the inbox when there is none.
package trail

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// By is a fact of the caller's, in his own place: who, when and from where.
func By(ctx context.Context, now time.Time) model.AuditFact {
	c := kit.CallerOf(ctx)
	f := model.AuditFact{
		ID: kit.NewID(now), At: now, UserID: c.UserID, UserName: c.Name, UserKind: string(cmp.Or(c.For, c.Kind)), IP: c.IP, RequestID: c.RequestID,
		OrgID: c.OrgID, Orgs: c.Orgs,
	}
	if f.UserKind == string(kit.Member) {
		f.UserID = c.MemberID
	}
	if len(f.Orgs) == 0 {
		f.OrgID, f.Orgs = model.RootOrg, []string{model.RootOrg}
	}
	return f
}

// Noted is a fact in the inbox.
type Noted struct {
	ID   string          `bson:"_id"`
	Fact model.AuditFact `bson:"fact"`
}

// Note keeps a fact in the inbox. Who is shown something calls it first, so that nothing is
// shown without a trace.
func Note(ctx context.Context, db *mongo.Database, f model.AuditFact) error {
	_, err := db.Collection(model.AuditInbox).InsertOne(ctx, Noted{f.ID, f})
	if err != nil && !mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// Event carries a fact in the write of a document.
func Event(f model.AuditFact) model.Event {
	return model.NewEvent(f.ID, model.EventAudited, f.OrgID, f.At, f)
}
