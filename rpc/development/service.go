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
	"zhihuidangjian/rpc/calendar"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps are what the service stands on.
type Deps struct {
	DB       *mongo.Database
	Clock    *kit.Clock
	Blobs    blob.Store
	Seal     *model.Sealer // of the ID numbers that reports show masked
	Party    partysvc.Client
	Calendar *calendar.Calendar // of working days
	// ProcessDir is a folder of versions of the process beside the shipped ones (PROCESS_DIR).
	ProcessDir string
	FontPath   string // TrueType fonts of the printed case, comma separated, the first first
}

// Service implements idl/development.thrift.
type Service struct {
	*records.Engine
	d         Deps
	cases     *model.Collection[*model.DevelopmentCase]
	materials *model.Collection[*model.DevelopmentMaterial]
	reports   *model.Collection[*model.ThoughtReport]
	processes []*process // the oldest first
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d: d, cases: model.NewCollection[*model.DevelopmentCase](d.DB, "developmentCases", d.Clock.Now),
		materials: model.NewCollection[*model.DevelopmentMaterial](d.DB, "developmentMaterials", d.Clock.Now),
		reports:   model.NewCollection[*model.ThoughtReport](d.DB, "thoughtReports", d.Clock.Now),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	party := records.Party{Client: d.Party}
	var err error
	if s.processes, err = load(d.ProcessDir); err != nil {
		return nil, fmt.Errorf("development: %w", err)
	}
	s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Blobs: d.Blobs, Seal: d.Seal, Orgs: party, Refs: party.Refs()},
		s.caseType(), s.materialType(), s.reportType())
	if err != nil {
		return nil, fmt.Errorf("development: %w", err)
	}
	return s, nil
}
