package model

// Delegation 审批委托: for some days a user lets another one of his organisation decide in his stead.
type Delegation struct {
	Base        `bson:",inline"`
	UserID      string   `bson:"userId" json:"userId"`
	UserName    string   `bson:"userName" json:"userName" record:"label=委托人,readonly,list"`
	DelegateID  string   `bson:"delegateId" json:"delegateId"`
	FromOn      string   `bson:"fromOn" json:"fromOn" record:"label=开始日期,type=date,required,list"`
	ToOn        string   `bson:"toOn" json:"toOn" record:"label=结束日期,type=date,required,list"`
	Permissions []string `bson:"permissions" json:"permissions"`
	Reason      string   `bson:"reason" json:"reason" record:"label=原因,type=text,max=200,list"`
}
