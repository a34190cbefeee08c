package model

import "time"

// Organization 党组织, spec/records.md 1. Its Base.OrgID is its own id and Base.Orgs
// its own path, so that a scope holds it like any other record.
type Organization struct {
	Base           `bson:",inline"`
	OrgName        string   `bson:"orgName" json:"orgName"`
	OrgCode        string   `bson:"orgCode,omitempty" json:"orgCode"`
	OrgType        string   `bson:"orgType" json:"orgType"` // committee, generalBranch, jointBranch, branch, group, workCommittee
	ParentID       string   `bson:"parentId" json:"parentId"`
	Secretary      string   `bson:"secretary" json:"secretary"`
	SecretaryPhone string   `bson:"secretaryPhone" json:"secretaryPhone"`
	ContactName    string   `bson:"contactName" json:"contactName"`
	ContactPhone   string   `bson:"contactPhone" json:"contactPhone"`
	Address        string   `bson:"address" json:"address"`
	FoundedOn      string   `bson:"foundedOn" json:"foundedOn"` // yyyy-MM-dd
	Introduction   string   `bson:"introduction" json:"introduction"`
	SortNo         int      `bson:"sortNo" json:"sortNo"`
	OrgNames       []string `bson:"-" json:"-"`
}

// Member 党员, spec/records.md 13. IDNumber, Phone and Address are sealed; IDBlind and
// PhoneBlind find them. Dates are yyyy-MM-dd.
type Member struct {
	Base            `bson:",inline"`
	Name            string     `bson:"name" json:"name"`
	Gender          string     `bson:"gender" json:"gender"` // male, female
	IDNumber        string     `bson:"idNumber" json:"idNumber"`
	IDBlind         string     `bson:"idBlind" json:"-"`
	IDMasked        string     `bson:"idMasked" json:"-"`
	BirthDate       string     `bson:"birthDate" json:"birthDate"`
	Ethnicity       string     `bson:"ethnicity" json:"ethnicity"`
	Education       string     `bson:"education" json:"education"`
	Phone           string     `bson:"phone" json:"phone"`
	PhoneBlind      string     `bson:"phoneBlind" json:"-"`
	PhoneMasked     string     `bson:"phoneMasked" json:"-"`
	Address         string     `bson:"address" json:"address"`
	Position        string     `bson:"position" json:"position"`
	MemberType      string     `bson:"memberType" json:"memberType"`     // fullMember, probationaryMember, developmentTarget, activist, applicant
	DuesCategory    string     `bson:"duesCategory" json:"duesCategory"` // salaried, retired, farmer, student
	ActivistOn      string     `bson:"activistOn" json:"activistOn"`
	JoinedOn        string     `bson:"joinedOn" json:"joinedOn"`
	RegularizedOn   string     `bson:"regularizedOn" json:"regularizedOn"`
	DuesPaidThrough string     `bson:"duesPaidThrough" json:"duesPaidThrough"` // yyyy-MM
	Status          string     `bson:"status" json:"status"`                   // active, transferredOut, reduced, deleted
	OpenID          string     `bson:"openId,omitempty" json:"-"`              // official account
	MiniOpenID      string     `bson:"miniOpenId,omitempty" json:"-"`
	UnionID         string     `bson:"unionId,omitempty" json:"-"`
	BoundAt         *time.Time `bson:"boundAt,omitempty" json:"boundAt"`
}

// BoundTo is the openid the member is bound to on a channel (oa, mini), or "".
func (m *Member) BoundTo(channel string) string {
	if channel == "mini" {
		return m.MiniOpenID
	}
	return m.OpenID
}

// SetBound binds the member on a channel.
func (m *Member) SetBound(channel, openID string) {
	if channel == "mini" {
		m.MiniOpenID = openID
	} else {
		m.OpenID = openID
	}
}

// Bound tells whether any WeChat account is bound to the member.
func (m *Member) Bound() bool { return m.OpenID != "" || m.MiniOpenID != "" }

// Unbind ends the binding on every channel.
func (m *Member) Unbind() { m.OpenID, m.MiniOpenID, m.UnionID, m.BoundAt = "", "", "", nil }
