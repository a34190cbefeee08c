package model

import "time"

// The states of an approval.
const (
	ApprovalPending  = "pending"
	ApprovalApproved = "approved"
	ApprovalRejected = "rejected"
)

// Approval 审批 is the part of a document that an admin decides on: state, opinion, who
// and when. Embed it inline.
type Approval struct {
	ApprovalStatus  string     `bson:"approvalStatus" json:"approvalStatus" record:"label=审批状态,noform,readonly,list,search,options=pending:待审批|approved:审批通过|rejected:审批未通过"`
	ApprovalOpinion string     `bson:"approvalOpinion" json:"approvalOpinion" record:"label=审批意见,readonly"`
	ApprovedBy      string     `bson:"approvedBy,omitempty" json:"-"`
	ApproverName    string     `bson:"approverName" json:"approverName" record:"label=审批人,readonly"`
	ApprovedAt      *time.Time `bson:"approvedAt,omitempty" json:"approvedAt" record:"label=审批时间,readonly"`
	// EffectDue: approved, and the effect on other documents is not known to be done.
	EffectDue bool `bson:"effectDue,omitempty" json:"-"`
}

// Approvals gives the record engine access to the Approval of any document.
func (a *Approval) Approvals() *Approval { return a }
