package model

import "time"

// User 用户 of the console, spec/records.md 77.
type User struct {
	Base         `bson:",inline"`
	UserName     string   `bson:"userName" json:"userName"`
	PasswordHash string   `bson:"passwordHash" json:"-"`
	RealName     string   `bson:"realName" json:"realName"`
	Phone        string   `bson:"phone" json:"phone"`
	RoleIDs      []string `bson:"roleIds" json:"roleIds"`
	Permissions  []string `bson:"permissions" json:"permissions"` // "*" is all
	MemberID     string   `bson:"memberId,omitempty" json:"memberId"`
	Status       string   `bson:"status" json:"status"` // enabled, disabled
	// PasswordHistory keeps the last hashes, so that none is used again.
	PasswordHistory   []string  `bson:"passwordHistory,omitempty" json:"-"`
	PasswordChangedAt time.Time `bson:"passwordChangedAt" json:"-"`
}
