package model

// MemberInflow 党员流入, spec/records.md 18: a member of elsewhere, in this system or not, who
// lives or works at an organisation for a time and stays with his own.
type MemberInflow struct {
	Base        `bson:",inline"`
	Person      `bson:",inline"`
	OfMember    `bson:",inline"` // of this system, found by the ID number
	Matched     string           `bson:"matched,omitempty" json:"-"` // in its stead, when who entered it may not know
	HomeOrgName string           `bson:"homeOrgName" json:"homeOrgName" record:"label=原党组织,required,max=100,list,width=160,help=管理范围内的党员按身份证号自动对应其所在支部"`
	InflowOrgID string           `bson:"inflowOrgId" json:"inflowOrgId"`
	InflowOn    string           `bson:"inflowOn" json:"inflowOn" record:"label=流入时间,type=date,required,list,search"`
	EndOn       string           `bson:"endOn" json:"endOn" record:"label=结束时间,type=date"`
	Place       string           `bson:"place" json:"place" record:"label=流动地点,required,max=200,list,keyword,width=160"`
	Reason      string           `bson:"reason" json:"reason" record:"label=流动原因,type=text,required,max=500,list"`
	Application `bson:",inline"`
}
