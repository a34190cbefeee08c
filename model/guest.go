package model

// GuestType is the member type that a guest shows where members are shown.
const GuestType = "guest"

// Guest is somebody who takes part in an organisation that is not his own, for a time:
// 兼职党员 (spec/records.md 24) or 报到党员 (25), each in a collection of its own. OrgID is the
// organisation that added him.
type Guest struct {
	Base   `bson:",inline"`
	Person `bson:",inline"`
	// The home organisation: a branch of the system, or the name of one that is not.
	HomeOrgID   string `bson:"homeOrgId" json:"homeOrgId"`
	HomeOrgName string `bson:"homeOrgName" json:"homeOrgName"`
	MemberID    string `bson:"memberId,omitempty" json:"memberId"` // matched by the ID number
	StartOn     string `bson:"startOn" json:"startOn"`
	EndOn       string `bson:"endOn" json:"endOn"`
	Duty        string `bson:"duty" json:"duty" record:"label=岗位/说明,max=100"`
	State       string `bson:"state" json:"state"` // notStarted, active, ended; moved on by a daily job
	OpenID      string `bson:"openId,omitempty" json:"-"`
	MiniOpenID  string `bson:"miniOpenId,omitempty" json:"-"`
}

// BoundTo is the openid the guest is bound to on a channel (oa, mini), or "".
func (g *Guest) BoundTo(channel string) string {
	if channel == "mini" {
		return g.MiniOpenID
	}
	return g.OpenID
}

// SetBound binds the guest on a channel.
func (g *Guest) SetBound(channel, openID string) {
	if channel == "mini" {
		g.MiniOpenID = openID
	} else {
		g.OpenID = openID
	}
}
