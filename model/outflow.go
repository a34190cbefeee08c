package model

// MemberOutflow 党员流出, spec/records.md 19: a member who lives or works elsewhere for a time
// and stays where he is organised.
type MemberOutflow struct {
	Base             `bson:",inline"`
	OfMember         `bson:",inline"`
	OutflowPlace     string `bson:"outflowPlace" json:"outflowPlace" record:"label=流出地点,required,max=200,list,keyword,width=180"`
	OutflowOrgName   string `bson:"outflowOrgName" json:"outflowOrgName" record:"label=流入地党组织,max=100"`
	OutflowOn        string `bson:"outflowOn" json:"outflowOn" record:"label=流出时间,type=date,required,list,search"`
	ExpectedReturnOn string `bson:"expectedReturnOn" json:"expectedReturnOn" record:"label=预计返回时间,type=date,list"`
	Reason           string `bson:"reason" json:"reason" record:"label=流出原因,type=text,required,max=500,list"`
	ContactPhone     string `bson:"contactPhone" json:"contactPhone" record:"label=外出联系方式,type=phone,personal"`
	// ReturnedOn ends it; until then it is open, and a member has one open at most.
	ReturnedOn  string `bson:"returnedOn" json:"returnedOn" record:"label=返回时间,type=date,past,help=返回后填写；未填写即为仍在外"`
	Application `bson:",inline"`
}
