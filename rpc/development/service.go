// Package development is 发展党员: the way from an application to full membership (manual 6.2).
package development

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
	Party partysvc.Client
}

// Service implements idl/development.thrift.
type Service struct {
	*records.Engine
	d     Deps
	cases *model.Collection[*model.DevelopmentCase]
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{d: d, cases: model.NewCollection[*model.DevelopmentCase](d.DB, "developmentCases", d.Clock.Now)}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	party := records.Party{Client: d.Party}
	var err error
	s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Blobs: d.Blobs, Orgs: party, Refs: party.Refs()}, s.caseType())
	if err != nil {
		return nil, fmt.Errorf("development: %w", err)
	}
	return s, nil
}
