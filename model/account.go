package model

import "time"

// User 用户 of the console, spec/records.md 77.
type User struct {
	Base         `bson:",inline"`
	UserName     string   `bson:"userName" json:"userName" record:"label=用户名,required,max=30,list,search,keyword,fixed"`
	Password     string   `bson:"-" json:"password" record:"label=密码,type=password,max=200,help=至少 8 位，含大写、小写、数字、符号中的三种；修改时留空则不变"`
	OldPassword  string   `bson:"-" json:"oldPassword" record:"label=原密码,type=password,max=200,help=修改自己的密码时填写"`
	PasswordHash string   `bson:"passwordHash" json:"-"`
	RealName     string   `bson:"realName" json:"realName" record:"label=姓名,required,max=30,list,search,keyword"`
	Phone        string   `bson:"phone" json:"phone" record:"label=手机号,type=phone,personal,list"`
	RoleIDs      []string `bson:"roleIds" json:"roleIds" record:"label=用户角色,ref=role,list"`
	// Permissions are given beside those of the roles; "*" is all.
	Permissions []string `bson:"permissions" json:"permissions"`
	Status      string   `bson:"status" json:"status" record:"label=状态,required,options=enabled:启用:success|disabled:停用:info,list,search"`
	// PasswordHistory keeps the last hashes, so that none is used again.
	PasswordHistory   []string  `bson:"passwordHistory,omitempty" json:"-"`
	PasswordChangedAt time.Time `bson:"passwordChangedAt" json:"-"`
	// LoggedOut: the last change by an admin ends all sessions.
	LoggedOut bool `bson:"loggedOut,omitempty" json:"-"`
	// HomeModules are the pages on his home page; nil until he chooses.
	HomeModules []string `bson:"homeModules" json:"-"`
}
