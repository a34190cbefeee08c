package records

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Approval makes a record type one that is submitted and decided on: pending, then
// approved or rejected, once, with an opinion, who and when. T embeds model.Approval.
type Approval[D model.Document] struct {
	// Applicant is the member who is told of the decision; "" for nobody.
	Applicant func(D) string
	// Ask are what an approval asks for beside an opinion.
	Ask []Field
	// OnApprove changes the document itself in the same write; in holds the checked values of Ask.
	OnApprove func(ctx context.Context, doc D, in Input) error
	// Effect changes other documents. It follows the write at once, and again after a
	// crash, until it has returned nil: it must be idempotent.
	Effect func(ctx context.Context, doc D) error
}

type approvable interface{ Approvals() *model.Approval }

func approvalOf(doc model.Document) *model.Approval { return doc.(approvable).Approvals() }

// errDecided answers the second of two who decide.
var errDecided = kit.Conflict("action.refused", "该申请已审核，不能重复操作")

// approvalStates are those of what is decided on.
var approvalStates = []State{
	{Value: model.ApprovalPending, Label: "待审核", Color: "warning"},
	{Value: model.ApprovalApproved, Label: "审核通过", Color: "success"},
	{Value: model.ApprovalRejected, Label: "审核未通过", Color: "danger"},
}

// decided adds to a life, which may have states of its own, that the record is decided on:
// once, and not by who handed it in.
func decided(l *Life[model.Document]) *Life[model.Document] {
	if l == nil {
		l = &Life[model.Document]{}
	}
	if l.Field == "" {
		l.Field, l.States = "state", approvalStates
		l.At = func(doc model.Document, _ time.Time) string { return approvalOf(doc).State }
	}
	pending := func(_ *kit.Caller, doc model.Document, _ time.Time) *kit.Error {
		if approvalOf(doc).State != model.ApprovalPending {
			return errDecided
		}
		return nil
	}
	l.Verbs = append(l.Verbs, Verb[model.Document]{Key: "approve", If: pending, Others: true}, Verb[model.Document]{Key: "reject", If: pending, Others: true})
	return l
}

// decisions are the actions by which an admin decides.
func (t *recordType) decisions() []Action[model.Document] {
	opinion := Field{Key: "opinion", Label: "审核意见", Type: "text", Form: true, Max: 500}
	reason := opinion
	reason.Required = true
	return []Action[model.Document]{
		{
			Key: "approve", Title: "通过", Fields: append(slices.Clone(t.Approval.Ask), opinion),
			Do: func(ctx context.Context, doc model.Document, in Input) error {
				if on := t.Approval.OnApprove; on != nil {
					if err := on(ctx, doc, in); err != nil {
						return err
					}
				}
				t.decide(ctx, doc, model.ApprovalApproved, in)
				return nil
			},
		},
		{
			Key: "reject", Title: "不通过", Fields: []Field{reason}, Permission: "approve",
			Do: func(ctx context.Context, doc model.Document, in Input) error {
				t.decide(ctx, doc, model.ApprovalRejected, in)
				return nil
			},
		},
	}
}

// decide writes the decision down, and the event by which both sides hear of it.
func (t *recordType) decide(ctx context.Context, doc model.Document, state string, in Input) {
	p, c, now := approvalOf(doc), kit.CallerOf(ctx), t.engine.clock.Now()
	p.State, p.Undecided, p.Opinion = state, false, in.String("opinion")
	p.ApproverID, p.ApproverName, p.ApprovedAt = c.UserID, c.Name, &now
	h, applicant := doc.Header(), ""
	if of := t.Approval.Applicant; of != nil {
		applicant = of(doc)
	}
	h.Tell(kit.KeyID("decided", h.ID, fmt.Sprint(h.Version)), now, t.decision(doc, p, applicant))
}

// undecidedFirst is the order of a list of what is decided on.
const undecidedFirst = "-undecided"

// approvals readies the approval of a type.
func (t *recordType) approvals() {
	if t.DefaultSort == "" {
		t.DefaultSort = undecidedFirst
	}
	t.Indexes = append(t.Indexes, model.Index{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "undecided", Value: -1}, {Key: "_id", Value: -1}}},
		model.Index{Keys: bson.D{{Key: "undecided", Value: 1}, {Key: "createdAt", Value: 1}}})
	t.Life = decided(t.Life)
	if t.Todo == nil && t.Life.Field == "state" {
		t.Todo = &Todo{Title: t.Title + "待审核", Filter: t.Life.Field, Value: model.ApprovalPending, Verb: "approve"}
	}
	t.Actions = append(t.decisions(), t.Actions...)
	for i := range t.Actions {
		if t.Actions[i].Permission == "approve" {
			t.Actions[i].Permission = t.Name + ".approve"
		}
	}
}

// announce tells the admins of the document's organisation that a member handed it in.
func (t *recordType) announce(ctx context.Context, doc model.Document) {
	c := kit.CallerOf(ctx)
	if c.Kind != kit.Member || t.Approval == nil && !t.Own.Announce {
		return
	}
	h, permission := doc.Header(), t.Name+".view"
	if t.Approval != nil {
		permission = t.Name + ".approve"
	}
	h.Tell(kit.KeyID("submitted", h.ID, fmt.Sprint(h.Version)), t.engine.clock.Now(), t.submission(doc, c.Name, permission))
}
