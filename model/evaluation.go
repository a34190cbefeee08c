package model

import "time"

// AspectScore is a mark for one aspect, from 1 to the max of its field.
type AspectScore struct {
	Aspect string `bson:"aspect" json:"aspect"`
	Score  int    `bson:"score" json:"score"`
}

// OrganizationEvaluation 组织评价, spec/records.md 6: what a member thinks of his own
// organisation.
type OrganizationEvaluation struct {
	Base        `bson:",inline"`
	MemberID    string        `bson:"memberId" json:"memberId" record:"label=评价人,ref=member,readonly,list"`
	MemberName  string        `bson:"memberName" json:"-"`
	Aspects     []AspectScore `bson:"aspects" json:"aspects" record:"label=评价,type=scores,required,max=5,options=organisationBuilding:组织建设方面|ideologicalBuilding:党员思想建设方面|publicLetters:群众来信方面|other:其他"`
	Content     string        `bson:"content" json:"content" record:"label=评价内容,type=text,max=500"`
	EvaluatedAt time.Time     `bson:"evaluatedAt" json:"evaluatedAt" record:"label=评价时间,readonly,list,search"`
}
