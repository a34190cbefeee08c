package records

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// applicationMenu is 审批事项 (manual 17).
const applicationMenu = "审批事项"

// Applications makes a type of what members apply for (审批事项, manual 17), beside t, the type
// of what follows from it; both keep their documents in one collection. Members hand in an
// application, of which they fill in the fields of form, and an admin decides on it. t shows
// the approved, and admins enter there what needs no decision. t's rules hold for both,
// t.Follow once a document is approved. T embeds model.OfMember and model.Application.
//
// By the unique keys of t, nobody has two such applications pending, or applies for what he
// has.
func Applications[D interface {
	model.Document
	Subject() *model.OfMember
	Applications() *model.Application
}](t *Type[D], form ...string) *Type[D] {
	var none D
	approved := bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalApproved}}
	pending := bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalPending}}
	var waiting []Unique
	for i, u := range t.Unique {
		t.Unique[i].Partial = approved
		waiting = append(waiting, Unique{Keys: append(slices.Clone(u.Keys), "state"), Message: "已有待审核的申请", Partial: pending})
	}
	check := t.BeforeSave
	t.Where = func(context.Context, map[string]string) bson.D {
		return bson.D{{Key: "state", Value: model.ApprovalApproved}}
	}
	t.BeforeSave = func(ctx context.Context, old, doc D) error {
		if any(old) == any(none) {
			*doc.Applications() = model.Application{Approval: model.Approval{State: model.ApprovalApproved}, Channel: model.FromConsole}
		}
		return check(ctx, old, doc)
	}
	t.Indexes = append(t.Indexes, model.Index{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "state", Value: 1}, {Key: "_id", Value: -1}}})
	return &Type[D]{
		Name: t.Name + "Application", Title: t.Title, Menu: applicationMenu, Collection: t.Collection,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields: append(slices.Clone(t.Fields), Field{Key: "createdAt", Label: "申请时间", Type: "datetime", List: true, ReadOnly: true}),
		Unique: waiting, NameOf: t.NameOf,
		Where: func(context.Context, map[string]string) bson.D {
			return bson.D{{Key: "channel", Value: model.FromMobile}}
		},
		Own: &Own[D]{
			Where:  func(c *kit.Caller) bson.D { return bson.D{{Key: "memberId", Value: c.MemberID}} },
			Fields: append(slices.Clone(form), "state", "opinion", "createdAt", "approvedAt"), Form: form, Create: true,
			Prepare: func(ctx context.Context, doc D) error {
				doc.Subject().MemberID = kit.CallerOf(ctx).MemberID
				doc.Applications().Channel = model.FromMobile
				return nil
			},
		},
		BeforeSave: func(ctx context.Context, old, doc D) error {
			if err := check(ctx, old, doc); err != nil {
				return err
			}
			return t.running.free(ctx, doc)
		},
		Approval: &Approval[D]{
			Applicant: func(doc D) string { return doc.Subject().MemberID },
			OnApprove: func(ctx context.Context, doc D) error {
				// What held when he applied may hold no more.
				if err := check(ctx, none, doc); err != nil {
					return err
				}
				return t.running.free(ctx, doc)
			},
			Effect: t.Follow,
		},
		Present: t.Present, Reveal: t.Reveal, Exports: t.Exports,
	}
}

// free refuses a document whose unique keys another one holds.
func (t *recordType) free(ctx context.Context, doc model.Document) error {
	taken, err := t.taken(ctx, []model.Document{doc})
	if err == nil && taken[0] != nil {
		return kit.Conflict("duplicate", "%s", taken[0].Message)
	}
	return err
}
