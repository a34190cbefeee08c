package model

// MemberReduction 党员减少, spec/records.md 22. OrgID is the member's former organisation.
type MemberReduction struct {
	Base          `bson:",inline"`
	ReductionType string `bson:"reductionType" json:"reductionType" record:"label=减少类型,required,list,search,fixed,options=expulsion:出党|death:死亡|suspension:停止党籍"`
	ExpulsionForm string `bson:"expulsionForm" json:"expulsionForm" record:"label=出党方式,options=expelled:开除党籍|selfLeft:自行脱党|persuaded:劝退|removed:除名|withdrawn:退党|probationCancelled:取消预备党员资格"`
	MemberID      string `bson:"memberId" json:"memberId" record:"label=党员,required,list,search,fixed,ref=member,width=110"`
	ReducedOn     string `bson:"reducedOn" json:"reducedOn" record:"label=减少时间,type=date,past,required,list,search"`
	Reason        string `bson:"reason" json:"reason" record:"label=原因,type=text,required,max=2000,list"`
}

// Leave takes a member off the roll, and with him his binding (manual 6.7); false when he is off
// it.
func (m *Member) Leave() bool {
	if m.Status != "active" {
		return false
	}
	m.Status = "reduced"
	m.Unbind()
	return true
}

// Transfer takes a member whose relation is transferred away off the roll (manual 8.2.1注①②);
// false when he is off it.
func (m *Member) Transfer() bool {
	if !m.Leave() {
		return false
	}
	m.Status = "transferredOut"
	return true
}

// Move puts a member who is on the roll of one branch on that of another, unbound (manual
// 8.2.1注②); false when he is not on it. His records follow.
func (m *Member) Move(from, to string, path []string) bool {
	if m.Status != "active" || m.OrgID != from || from == to {
		return false
	}
	m.OrgID, m.Orgs, m.Moved = to, path, true
	m.Unbind()
	return true
}

// Return takes a member who left back on the roll, unbound; false when he is on it.
func (m *Member) Return() bool {
	if m.Status != "reduced" && m.Status != "transferredOut" {
		return false
	}
	m.Status = "active"
	return true
}
