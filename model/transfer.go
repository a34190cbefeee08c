package model

import "time"

// The states of an OrganizationTransfer.
const (
	TransferRunning = "running" // its records are on their way
	TransferDone    = "done"
)

// OrganizationTransfer 整建制转移, spec/records.md 5: an organisation moved below another
// superior, with all that is below and belongs to it. The names are those of that day.
// Orgs is not a path: it holds everyone above the former or the new superior, who see it.
type OrganizationTransfer struct {
	Base            `bson:",inline"`
	TransferOrgID   string `bson:"transferOrgId" json:"transferOrgId" record:"label=迁移组织,required,ref=organization,search"`
	TransferOrgName string `bson:"transferOrgName" json:"-"`
	FromParentID    string `bson:"fromParentId" json:"fromParentId" record:"label=原上级组织,ref=organization,readonly,list"`
	FromParentName  string `bson:"fromParentName" json:"-"`
	ToParentID      string `bson:"toParentId" json:"toParentId" record:"label=新上级组织,required,ref=organization,list"`
	ToParentName    string `bson:"toParentName" json:"-"`
	TransferredOn   string `bson:"transferredOn" json:"transferredOn" record:"label=迁移时间,type=date,required,past,list,search"`
	Reason          string `bson:"reason" json:"reason" record:"label=迁移原因,type=text,max=500"`
	OperatorID      string `bson:"operatorId" json:"operatorId"`
	OperatorName    string `bson:"operatorName" json:"operatorName" record:"label=操作人,readonly,list"`
	State           string `bson:"state" json:"state" record:"label=状态,readonly,list,options=running:迁移中:warning|done:已完成:success"`
	// Step counts the services whose records have moved, of Steps.
	Step  int `bson:"step" json:"step" record:"label=已完成步骤,readonly"`
	Steps int `bson:"steps" json:"steps" record:"label=总步骤,readonly"`
	// Running keeps a second transfer from starting before this one is done.
	Running bool `bson:"running,omitempty" json:"-"`
	// SweepAt is when the machine's clock tells to look again for what was written with
	// the old path while the transfer ran; Sweeps counts the looks.
	SweepAt *time.Time `bson:"sweepAt,omitempty" json:"-"`
	Sweeps  int        `bson:"sweeps,omitempty" json:"-"`
}
