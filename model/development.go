package model

// DevelopmentCase 发展党员, spec/records.md 15: the way of one person into the party. Its id
// comes from the member, so that he has one open case. CurrentStepNo is one of the 25
// steps; the steps themselves are worked in chapter 6.2.
type DevelopmentCase struct {
	Base          `bson:",inline"`
	MemberID      string `bson:"memberId" json:"memberId" record:"label=发展对象人员,ref=member,list,search,readonly"`
	Stage         string `bson:"stage" json:"stage" record:"label=发展阶段,readonly,list,search,options=application:申请入党|activist:入党积极分子的确定和培养教育:warning|target:发展对象的确定和考察|admission:预备党员接收|probation:预备党员教育考察和转正"`
	CurrentStepNo int    `bson:"currentStepNo" json:"currentStepNo" record:"label=当前流程,readonly,list"`
	StartedOn     string `bson:"startedOn" json:"startedOn" record:"label=开始时间,type=date,readonly,list,search"`
	FinishedOn    string `bson:"finishedOn" json:"finishedOn" record:"label=结束时间,type=date,readonly,list"`
	State         string `bson:"state" json:"state" record:"label=状态,readonly,list,search,options=running:进行中:success|finished:已结束:info|terminated:终止:info"`
}
