package model

// Retirement 退休党员, spec/records.md 21.
type Retirement struct {
	Base           `bson:",inline"`
	OfMember       `bson:",inline"`
	RetiredOn      string `bson:"retiredOn" json:"retiredOn" record:"label=退休时间,type=date,required,past,list,search"`
	RetirementUnit string `bson:"retirementUnit" json:"retirementUnit" record:"label=退休单位,max=100,list"`
	Remarks        string `bson:"remarks" json:"remarks" record:"label=备注,type=text,max=1000"`
	Files          []File `bson:"files,omitempty" json:"files" record:"label=附件"`
	Application    `bson:",inline"`
}
