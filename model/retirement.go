package model

// Retirement 退休党员, spec/records.md 21.
type Retirement struct {
	Base           `bson:",inline"`
	OfMember       `bson:",inline"`
	RetiredOn      string `bson:"retiredOn" json:"retiredOn" record:"label=退休时间,type=date,required,past,list,search"`
	RetirementUnit string `bson:"retirementUnit" json:"retirementUnit" record:"label=退休单位,max=100,list"`
	Remarks        string `bson:"remarks" json:"remarks" record:"label=备注,type=text,max=1000"`
	Files          []File `bson:"files,omitempty" json:"files" record:"label=附件"`
	Application    `bson:",inline"`
}

// RetireDues lets 党费类别 say what a retired member pays as; farmers and students pay as such
// (spec/domain-rules.md 1).
func (m *Member) RetireDues() {
	if m.Retired && (m.DuesCategory == "" || m.DuesCategory == "salaried") {
		m.DuesCategory = "retired"
	}
}

// Retire tells a member's record that he is retired since a day, or with "" that he is not; false
// when it says so already.
func (m *Member) Retire(on string) bool {
	if m.Retired == (on != "") && m.RetiredOn == on {
		return false
	}
	m.Retired, m.RetiredOn = on != "", on
	if on == "" && m.DuesCategory == "retired" {
		m.DuesCategory = "salaried"
	}
	m.RetireDues()
	return true
}
