// Package affairs is what an organisation does as one and is judged by: its elections, those
// elected, and what its members think of it (manual 5.1.2, 5.3, 5.5).
package affairs

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

// Service implements idl/affairs.thrift.
type Service struct {
	*records.Engine
	d           Deps
	party       records.Party
	elections   *model.Collection[*model.Election]
	leaders     *model.Collection[*model.LeadershipMember]
	evaluations *model.Collection[*model.OrganizationEvaluation]
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d: d, party: records.Party{Client: d.Party},
		elections:   model.NewCollection[*model.Election](d.DB, "elections", d.Clock.Now),
		leaders:     model.NewCollection[*model.LeadershipMember](d.DB, "leaders", d.Clock.Now),
		evaluations: model.NewCollection[*model.OrganizationEvaluation](d.DB, "organizationEvaluations", d.Clock.Now),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var err error
	s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Blobs: d.Blobs, Seal: d.Seal, Orgs: s.party, Refs: s.party.Refs()},
		s.electionType(),
		s.leadershipType(),
		s.evaluationType(),
	)
	if err != nil {
		return nil, fmt.Errorf("affairs: %w", err)
	}
	return s, nil
}
