package model

// Hardship 困难党员, spec/records.md 20.
type Hardship struct {
	Base         `bson:",inline"`
	OfMember     `bson:",inline"`
	HardshipType string `bson:"hardshipType" json:"hardshipType" record:"label=困难类型,required,list,search,options=illness:因病|disability:因残|disaster:因灾|unemployment:失业|lowIncome:低收入|elderly:老党员|other:其他"`
	Description  string `bson:"description" json:"description" record:"label=困难情况,type=text,required,max=2000"`
	Assistance   string `bson:"assistance" json:"assistance" record:"label=帮扶情况,type=text,max=2000"`
	Files        []File `bson:"files,omitempty" json:"files" record:"label=证明材料"`
	// RegisteredOn is the day on which it was entered or approved.
	RegisteredOn string `bson:"registeredOn" json:"registeredOn" record:"label=登记时间,type=date,readonly,list"`
	Application  `bson:",inline"`
}
