// Package roll keeps what is on record about members: how they leave and come, flow in and out,
// travel, retire, need help, are rewarded and sanctioned, and what they can (manual 5.6, 6.3 to
// 6.7, 8.3, 17.1). The roll itself is party's.
package roll

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps are what the service stands on.
type Deps struct {
	DB    *mongo.Database
	Clock *kit.Clock
	Blobs blob.Store
	Seal  *model.Sealer
	Party partysvc.Client
}

// Service has record types and no methods beside them.
type Service struct {
	*records.Engine
	d     Deps
	party records.Party
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{d: d, party: records.Party{Client: d.Party}}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	hardships, retirements, abroad, inflows, outflows := s.hardshipType(), s.retirementType(), s.abroadType(), s.inflowType(), s.outflowType()
	var err error
	s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Blobs: d.Blobs, Seal: d.Seal, Orgs: s.party, Refs: s.party.Refs()},
		s.rewardType(),
		s.sanctionType(),
		s.specialtyTagType(),
		s.specialtyType(),
		inflows,
		s.inflowApplicationType(inflows),
		outflows,
		s.outflowApplicationType(outflows),
		hardships,
		called("困难党员", 1, records.Applications(hardships, "hardshipType", "description", "files")),
		retirements,
		called("退休", 2, records.Applications(retirements, "retiredOn", "retirementUnit", "remarks", "files")),
		abroad,
		called("出国出境", 6, records.Applications(abroad, "destination", "purpose", "purposeNote", "departOn", "expectedReturnOn", "files")),
		s.reductionType(),
		s.lostContactType(),
	)
	if err != nil {
		return nil, fmt.Errorf("roll: %w", err)
	}
	return s, nil
}

// called gives what members apply for the name and the place that it has on the phone (MENU-05).
func called[D model.Document](name string, order int32, t *records.Type[D]) *records.Type[D] {
	t.Own.Place.Title, t.Own.Place.Order = name, order
	return t
}
