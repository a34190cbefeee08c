package roll

import (
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
)

// outflowType is 党员流出 (spec/records.md 19, manual 6.4.2): the member stays in his branch and
// pays his dues there.
func (s *Service) outflowType() *records.Type[*model.MemberOutflow] {
	return &records.Type[*model.MemberOutflow]{
		Name: "memberOutflow", Title: "党员流出", Menu: "党员管理", Icon: "flow", Section: "6.4.2", Tab: "党员流动",
		Collection: model.NewCollection[*model.MemberOutflow](s.d.DB, "memberOutflows", s.d.Clock.Now),
		NameKey:    "outflowPlace",
		Parts:      []records.Part{records.AboutMember(s.party), records.NotBefore("outflowOn", "expectedReturnOn", "returnedOn")},
		Exports:    []string{"memberId", "idNumber", "orgId", "outflowPlace", "outflowOn", "expectedReturnOn", "reason"},
		Unique:     []records.Unique{{Keys: []string{"memberId", "returnedOn"}, Field: "memberId", Message: "该党员已有尚未返回的流出记录"}},
	}
}

// outflowApplicationType is what members apply for in their branch (manual 6.4.2.1, 17.1). One
// waits at a time.
func (s *Service) outflowApplicationType(t *records.Type[*model.MemberOutflow]) *records.Type[*model.MemberOutflow] {
	a := records.Applications(t, "outflowPlace", "outflowOrgName", "outflowOn", "expectedReturnOn", "reason", "contactPhone")
	a.Where, a.Own.Place = flowsOf, flowPlace
	return a
}
