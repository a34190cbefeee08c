package model

// Role 角色, spec/records.md 78: a set of permissions that users are given together.
type Role struct {
	Base        `bson:",inline"`
	RoleName    string   `bson:"roleName" json:"roleName" record:"label=角色名称,required,max=30,list,search,keyword"`
	Description string   `bson:"description" json:"description" record:"label=角色描述,max=200,list"`
	Permissions []string `bson:"permissions" json:"permissions"` // "*" is all
}
