package model

// Election 组织换届, spec/records.md 3. The latest of an organisation decides its current
// leadership.
type Election struct {
	Base         `bson:",inline"`
	ElectionForm string `bson:"electionForm" json:"electionForm" record:"label=换届形式,required,list,options=memberMeeting:党员大会选举|congress:党员代表大会选举|appointed:上级任命"`
	ElectedOn    string `bson:"electedOn" json:"electedOn" record:"label=换届时间,type=date,required,past,list,search"`
	TermYears    int    `bson:"termYears" json:"termYears" record:"label=任期（年）,required,list,help=委员会一般为5年，其他组织3年"`
	// NextElectionOn is ElectedOn and the term.
	NextElectionOn string `bson:"nextElectionOn" json:"nextElectionOn" record:"label=下次换届时间,type=date,readonly,list"`
	TermNo         int    `bson:"termNo" json:"termNo" record:"label=届次,max=999"`
	Description    string `bson:"description" json:"description" record:"label=换届情况,type=text,max=2000"`
	ApprovalFiles  []File `bson:"approvalFiles" json:"approvalFiles" record:"label=批复,type=files,max=20,list"`
	// ElectionName is what others call it by.
	ElectionName string `bson:"electionName" json:"-"`
	// Reminded is the last reminder given: the due date and the step before it.
	Reminded ElectionReminder `bson:"reminded" json:"-"`
	// Followed: its organisation has had a later one; known while somebody looks at it.
	Followed bool `bson:"-" json:"-"`
}

// ElectionReminder is one step of the reminders of a due date.
type ElectionReminder struct {
	DueOn  string `bson:"dueOn"`
	Months int    `bson:"months"` // before DueOn
}

// LeadershipMember 领导班子成员, spec/records.md 4: a person elected into an office.
type LeadershipMember struct {
	Base       `bson:",inline"`
	ElectionID string `bson:"electionId" json:"electionId" record:"label=换届,required,ref=election,search,fixed"`
	MemberID   string `bson:"memberId" json:"memberId" record:"label=党员,ref=member,help=从党员中选择时可不填姓名"`
	Name       string `bson:"name" json:"name" record:"label=姓名,max=30,list,search,keyword"`
	// Person is the member, or the name of one who is none here: one office once.
	Person      string `bson:"person" json:"-"`
	Position    string `bson:"position" json:"position" record:"label=党内职务,required,list,options=secretary:书记|deputySecretary:副书记|organisation:组织委员|publicity:宣传委员|discipline:纪检委员|unitedFront:统战委员|youth:青年委员|women:妇女委员|security:保密委员|member:委员|groupLeader:党小组组长"`
	Phone       string `bson:"phone" json:"phone" record:"label=联系电话,type=phone,personal,list"`
	AdminDuty   string `bson:"adminDuty" json:"adminDuty" record:"label=行政职务,max=50"`
	TenureStart string `bson:"tenureStart" json:"tenureStart" record:"label=任职时间,type=date,list"`
	SortNo      int    `bson:"sortNo" json:"sortNo" record:"label=排序,min=0,max=9999,list"`
}
