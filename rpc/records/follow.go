package records

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
)

// due tells whether something in other documents must follow a change of this one. The
// answer is saved in the same write as the change.
func (t *recordType) due(doc model.Document) bool {
	if t.Follow != nil && (t.FollowWhen == nil || t.FollowWhen(doc)) {
		return true
	}
	return t.Approval != nil && t.Approval.Effect != nil && approvalOf(doc).State == model.ApprovalApproved
}

// follow does what must follow a change, and notes that it is done.
func (t *recordType) follow(ctx context.Context, doc model.Document) error {
	h := doc.Header()
	if !h.FollowDue || !t.due(doc) && t.shares() {
		return nil // another type of these documents does it, and notes that it is done
	}
	if t.Follow != nil && (t.FollowWhen == nil || t.FollowWhen(doc)) {
		if err := t.Follow(ctx, doc); err != nil {
			return err
		}
	}
	if a := t.Approval; a != nil && a.Effect != nil && approvalOf(doc).State == model.ApprovalApproved {
		if err := a.Effect(ctx, doc); err != nil {
			return err
		}
	}
	h.FollowDue = false
	// Only of the version that was followed: a later change has its own.
	_, err := t.Collection.Mongo().UpdateOne(ctx, bson.D{{Key: "_id", Value: h.ID}, {Key: "version", Value: h.Version}},
		bson.D{{Key: "$unset", Value: bson.D{{Key: "followDue", Value: ""}}}})
	if err != nil {
		return fmt.Errorf("follow %s: %w", t.Name, err)
	}
	return nil
}

// shares tells whether another type has the same documents, such as what is applied for.
func (t *recordType) shares() bool {
	return slices.ContainsFunc(t.engine.order, func(o *recordType) bool {
		return o != t && o.Collection.Mongo().Name() == t.Collection.Mongo().Name()
	})
}

// followMember moves the records about a member to his branch. A record that somebody changes
// at the same time is moved by its id all the same: only its place is written.
func (t *recordType) followMember(ctx context.Context, req *gen.FollowReq) error {
	_, err := t.Collection.Mongo().UpdateMany(ctx,
		bson.D{{Key: "memberId", Value: req.MemberId}, {Key: "orgId", Value: bson.D{{Key: "$ne", Value: req.OrgId}}}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "orgId", Value: req.OrgId}, {Key: "orgs", Value: req.Path}}}, {Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}}})
	if err != nil {
		return fmt.Errorf("%s follows a member: %w", t.Name, err)
	}
	return nil
}

// resume follows the changes that a crash left alone, deleted documents too.
func (t *recordType) resume(ctx context.Context) error {
	if t.Follow == nil && (t.Approval == nil || t.Approval.Effect == nil) {
		return nil
	}
	cur, err := t.Collection.Mongo().Find(ctx, bson.D{{Key: "followDue", Value: true}})
	if err != nil {
		return fmt.Errorf("resume %s: %w", t.Name, err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	var errs []error
	for cur.Next(ctx) {
		doc := t.Collection.New()
		if err := cur.Decode(doc); err != nil {
			return fmt.Errorf("resume %s: %w", t.Name, err)
		}
		errs = append(errs, t.follow(ctx, doc))
	}
	return errors.Join(append(errs, cur.Err())...)
}
