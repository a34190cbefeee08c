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
	State string `bson:"state" json:"state" record:"label=审核状态,readonly,list,search,options=pending:待审核|approved:审核通过|rejected:审核未通过"`
	// Undecided: it waits; lists show such first.
	Undecided    bool       `bson:"undecided,omitempty" json:"-"`
	Opinion      string     `bson:"opinion" json:"opinion" record:"label=审核意见,readonly"`
	Escalated    bool       `bson:"escalated,omitempty" json:"-"` // the organisation above was told that it waits
	ApproverID   string     `bson:"approverId,omitempty" json:"-"`
	ApproverName string     `bson:"approverName" json:"approverName" record:"label=审核人,readonly"`
	ApprovedAt   *time.Time `bson:"approvedAt,omitempty" json:"approvedAt" record:"label=审核时间,readonly"`
}

// Approvals gives the record engine access to the Approval of any document.
func (a *Approval) Approvals() *Approval { return a }
