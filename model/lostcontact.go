package model

// The states of a LostContact.
const (
	LostSearching = "searching"
	LostFound     = "found"
	LostSuspended = "suspended" // 停止党籍
	LostRestored  = "restored"
)

// LostContact 失联党员: a member whom his branch cannot reach, how it looked for him, and what was
// decided. After six months of search his membership may be suspended (停止党籍); after two years more
// he is to be removed; found, he is restored by decision (党员教育管理工作条例 article 24).
type LostContact struct {
	Base          `bson:",inline"`
	OfMember      `bson:",inline"`
	LostOn        string       `bson:"lostOn" json:"lostOn" record:"label=失联时间,type=date,required,list,search,past"`
	Cause         string       `bson:"cause" json:"cause" record:"label=失联原因,required,list,search,options=work:外出务工经商|closed:企业改制破产|graduated:毕业去向不明|changed:工作单位改变|abroad:出国（境）|moved:居住地改变|other:其他"`
	Remark        string       `bson:"remark" json:"remark" record:"label=备注,type=text,max=500"`
	Searches      []LostSearch `bson:"searches,omitempty" json:"-"`
	SuspendedOn   string       `bson:"suspendedOn" json:"suspendedOn" record:"label=停止党籍时间,type=date,readonly,list"`
	SuspendedBy   string       `bson:"suspendedBy" json:"suspendedBy" record:"label=作出决定的党组织,readonly"`
	SuspendReason string       `bson:"suspendReason" json:"suspendReason" record:"label=决定内容,type=text,readonly"`
	EndedOn       string       `bson:"endedOn" json:"endedOn" record:"label=找到或恢复时间,type=date,readonly,list"`
	EndedBy       string       `bson:"endedBy" json:"endedBy" record:"label=取得联系的情况,type=text,readonly"`
	DueOn         string       `bson:"dueOn" json:"dueOn" record:"label=下一期限,type=date,readonly,list,sort"`
	State         string       `bson:"state" json:"state" record:"label=状态,readonly,list,search"`
	Open          bool         `bson:"open" json:"-"` // searched for, or suspended
}

// LostSearch is one attempt to reach him.
type LostSearch struct {
	On     string `bson:"on"`
	Way    string `bson:"way"`
	Result string `bson:"result"`
	By     string `bson:"by"`
}
