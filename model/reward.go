package model

// OfMember is the member whom a record is about. IDSealed is his ID number while rows are
// made ready for people; it is not stored.
type OfMember struct {
	MemberID string `bson:"memberId" json:"memberId" record:"label=党员,required,ref=member,list,search,fixed"`
	IDSealed string `bson:"-" json:"-"`
}

// Subject gives the record engine access to the OfMember of any document.
func (m *OfMember) Subject() *OfMember { return m }

// Reward 党员奖励, spec/records.md 7.
type Reward struct {
	Base        `bson:",inline"`
	OfMember    `bson:",inline"`
	RewardName  string `bson:"rewardName" json:"rewardName" record:"label=奖励名称,required,max=100,list,keyword,width=200"`
	RewardLevel string `bson:"rewardLevel" json:"rewardLevel" record:"label=奖励级别,list,options=national:国家级|provincial:省部级|municipal:市级|county:区县级|unit:单位级"`
	Authority   string `bson:"authority" json:"authority" record:"label=批准机关,max=100"`
	RewardedOn  string `bson:"rewardedOn" json:"rewardedOn" record:"label=奖励时间,type=date,required,past,list,search"`
	Content     string `bson:"content" json:"content" record:"label=奖励内容,type=text,required,max=2000"`
	Files       []File `bson:"files,omitempty" json:"files" record:"label=附件"`
}
