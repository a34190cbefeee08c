package records

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// applicationMenu is 审批事项 (manual 17).
const (
	applicationMenu    = "审批事项"
	applicationSection = "17." // and that of the records
)

// Applications makes a type of what members apply for (审批事项, manual 17), beside t, the type
// of what follows from it; both keep their documents in one collection. Members hand in an
// application, of which they fill in the fields of form, and an admin decides on it. t shows
// the approved, and admins enter there what needs no decision. All that t says of a document
// holds for an application too, t.Follow once it is approved. T embeds model.OfMember and
// model.Application.
//
// By the unique keys of t, nobody has two such applications pending, or applies for what he
// has.
func Applications[D interface {
	model.Document
	Subject() *model.OfMember
	Applications() *model.Application
}](t *Type[D], form ...string) *Type[D] {
	a := *t
	a.Name, a.Menu, a.Section = t.Name+"Application", applicationMenu, applicationSection+t.Section
	a.NoCreate, a.NoUpdate, a.NoDelete = true, true, true
	// What belongs to the records alone: how they are entered, and what follows from them.
	a.Columns, a.Follow, a.FollowWhen, a.Ready, a.Related, a.Actions, a.Summary = nil, nil, nil, nil, nil, nil, nil
	a.Fields = append(slices.Clone(t.Fields), Field{Key: "createdAt", Label: "申请时间", Type: "datetime", List: true, ReadOnly: true})
	a.Where = func(context.Context, map[string]string) bson.D {
		return bson.D{{Key: "channel", Value: model.FromMobile}}
	}
	a.Unique = nil
	for i, u := range t.Unique {
		t.Unique[i].Partial = live(model.ApprovalApproved)
		a.Unique = append(a.Unique, Unique{Keys: append(slices.Clone(u.Keys), "state"), Message: "已有待审核的申请", Partial: live(model.ApprovalPending)})
	}
	a.Own = &Own[D]{
		Where: Mine, Form: form, Create: true,
		Place:  &Place{Page: "apply", Title: t.Title, Icon: t.Icon},
		Fields: append(slices.Clone(form), "state", "opinion", "createdAt", "approvedAt"),
		Prepare: func(ctx context.Context, doc D) error {
			doc.Subject().MemberID = kit.CallerOf(ctx).MemberID
			doc.Applications().Channel = model.FromMobile
			return nil
		},
	}
	a.Approval = &Approval[D]{
		Applicant: func(doc D) string { return doc.Subject().MemberID },
		OnApprove: func(ctx context.Context, doc D, _ Input) error {
			// What held when he applied may hold no more.
			if check := a.running.BeforeSave; check != nil {
				return check(ctx, nil, doc)
			}
			return nil
		},
		Effect: t.Follow,
	}
	a.Parts = append(slices.Clone(t.Parts), Part{Name: "free", BeforeSave: func(ctx context.Context, _, doc model.Document) error {
		return t.running.free(ctx, doc)
	}})
	t.Parts = append([]Part{entered}, t.Parts...)
	return &a
}

// live finds the documents in a state of their approval.
func live(state string) bson.D {
	return bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: state}}
}

// entered is the part of records that admins enter, without a decision, beside what was
// applied for and approved.
var entered = Part{
	Name:    "entered",
	Indexes: []model.Index{{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "state", Value: 1}, {Key: "_id", Value: -1}}}},
	Where: func(context.Context, map[string]string) bson.D {
		return bson.D{{Key: "state", Value: model.ApprovalApproved}}
	},
	BeforeSave: func(_ context.Context, old, doc model.Document) error {
		if old == nil {
			*doc.(interface{ Applications() *model.Application }).Applications() = model.Application{
				Approval: model.Approval{State: model.ApprovalApproved}, Channel: model.FromConsole,
			}
		}
		return nil
	},
}

// free refuses a document whose unique keys another one holds.
func (t *recordType) free(ctx context.Context, doc model.Document) error {
	taken, err := t.taken(ctx, []model.Document{doc})
	if err == nil && taken[0] != nil {
		return kit.Conflict("duplicate", "%s", taken[0].Message)
	}
	return err
}
