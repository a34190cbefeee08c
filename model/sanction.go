package model

// SanctionExpulsion 开除党籍 ends the membership.
const SanctionExpulsion = "expulsion"

// Sanction 党员处分, spec/records.md 8.
type Sanction struct {
	Base         `bson:",inline"`
	OfMember     `bson:",inline"`
	SanctionType string `bson:"sanctionType" json:"sanctionType" record:"label=处分类型,required,list,search,options=warning:警告|seriousWarning:严重警告|removal:撤销党内职务|probation:留党察看|expulsion:开除党籍"`
	Authority    string `bson:"authority" json:"authority" record:"label=批准机关,max=100"`
	SanctionedOn string `bson:"sanctionedOn" json:"sanctionedOn" record:"label=处分时间,type=date,required,past,list,search"`
	Reason       string `bson:"reason" json:"reason" record:"label=处分原因（内容）,type=text,required,max=2000"`
	LiftedOn     string `bson:"liftedOn" json:"liftedOn" record:"label=解除时间,type=date,list"`
	Files        []File `bson:"files,omitempty" json:"files" record:"label=附件"`
	// Reduces: the last change asks for the 党员减少 of an expulsion.
	Reduces bool `bson:"reduces,omitempty" json:"-"`
	// MemberLeft: its member is no active one; known while somebody looks at it.
	MemberLeft bool `bson:"-" json:"-"`
}
