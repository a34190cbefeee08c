package model

// Specialty 党员特长, spec/records.md 17: what a member is good at, so that his organisation
// finds him when it is needed.
type Specialty struct {
	Base        `bson:",inline"`
	MemberID    string   `bson:"memberId" json:"memberId" record:"label=党员,required,ref=member,list,search,fixed"`
	Tags        []string `bson:"tags" json:"tags" record:"label=特长标签,required,ref=specialtyTag,list,search,distinct,max=10,width=240"`
	Description string   `bson:"description" json:"description" record:"label=说明,max=200"`
	// Phone is the member's while one record is made ready for an admin who may see it.
	Phone string `bson:"-" json:"-"`
}
