package roll

import (
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
)

// abroadType is 党员出国出境 (spec/records.md 32, manual 8.3): history only, the member stays
// where he is.
func (s *Service) abroadType() *records.Type[*model.AbroadRecord] {
	return &records.Type[*model.AbroadRecord]{
		Name: "abroadRecord", Title: "党员出国出境", Menu: "组织关系", Icon: "abroad", Section: "8.3",
		Collection: model.NewCollection[*model.AbroadRecord](s.d.DB, "abroadRecords", s.d.Clock.Now),
		NameKey:    "destination",
		Parts:      []records.Part{records.AboutMember(s.party), records.NotBefore("departOn", "expectedReturnOn", "returnOn")},
		Exports:    []string{"memberId", "idNumber", "orgId", "destination", "purpose", "departOn", "returnOn"},
		Unique:     []records.Unique{{Keys: []string{"memberId", "departOn"}, Field: "departOn", Message: "该党员已有同一天出国（境）的记录"}},
	}
}
