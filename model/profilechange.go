package model

// ProfileChange 个人信息修改申请, spec/records.md 14: what a member asks to change of his own
// data. A field that he left empty stays as it is.
type ProfileChange struct {
	Base       `bson:",inline"`
	Approval   `bson:",inline"`
	MemberID   string `bson:"memberId" json:"memberId" record:"label=党员,ref=member,list,search,readonly"`
	Phone      string `bson:"phone" json:"phone" record:"label=手机号,type=phone,personal"`
	PhoneBlind string `bson:"phoneBlind,omitempty" json:"-"`
	Education  string `bson:"education" json:"education" record:"label=学历,options=postgraduate:研究生|bachelor:本科|college:大专|secondary:中专|high:高中|junior:初中及以下"`
	Degree     string `bson:"degree" json:"degree" record:"label=学位,options=doctor:博士|master:硕士|bachelor:学士|none:无"`
	Address    string `bson:"address" json:"address" record:"label=住址,personal,max=200"`
	Email      string `bson:"email" json:"email" record:"label=邮箱,max=100"`
	Position   string `bson:"position" json:"position" record:"label=职务,max=50"`
	// Changes are shown to both sides, personal values masked.
	Changes []ProfileFieldChange `bson:"changes" json:"-"`
}

// ProfileFieldChange is one line of a ProfileChange, as people read it.
type ProfileFieldChange struct {
	Field    string `bson:"field" json:"field"`
	Label    string `bson:"label" json:"label"`
	OldValue string `bson:"oldValue" json:"oldValue"`
	NewValue string `bson:"newValue" json:"newValue"`
}

// MemberContact 常用联系人 of a member (manual 6).
type MemberContact struct {
	Base        `bson:",inline"`
	MemberID    string `bson:"memberId" json:"memberId" record:"label=党员,ref=member,list,search,readonly"`
	Name        string `bson:"name" json:"name" record:"label=姓名,required,max=30,list,search"`
	Relation    string `bson:"relation" json:"relation" record:"label=关系,max=20,list"`
	Phone       string `bson:"phone" json:"phone" record:"label=电话,type=phone,personal,required,list"`
	PhoneMasked string `bson:"phoneMasked" json:"-"`
}
