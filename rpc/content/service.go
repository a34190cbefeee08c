// Package content keeps what admins and members write for each other: 党员风采, 党员建议, 党员帮助
// and 党建记事本 (manual 5.7 to 5.10).
package content

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"

	partygen "zhihuidangjian/idl/gen/party"
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

// Service implements idl/content.thrift.
type Service struct {
	*records.Engine
	d           Deps
	showcases   *model.Collection[*model.MemberShowcase]
	suggestions *model.Collection[*model.Letter]
	helps       *model.Collection[*model.Letter]
	notes       *model.Collection[*model.NotebookEntry]
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d:           d,
		showcases:   model.NewCollection[*model.MemberShowcase](d.DB, "memberShowcases", d.Clock.Now),
		suggestions: model.NewCollection[*model.Letter](d.DB, "suggestions", d.Clock.Now),
		helps:       model.NewCollection[*model.Letter](d.DB, "helpRequests", d.Clock.Now),
		notes:       model.NewCollection[*model.NotebookEntry](d.DB, "notebookEntries", d.Clock.Now),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	party := records.Party{Client: d.Party}
	var err error
	s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Blobs: d.Blobs, Orgs: party, Refs: party.Refs()},
		s.showcaseType(),
		s.suggestionType(),
		s.helpType(),
		s.noteType(),
	)
	if err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	return s, nil
}

// orgOf is the column of the organisation that a record belongs to.
func orgOf(after string) records.Field {
	return records.Field{Key: "orgId", Label: "所在组织", Ref: "organization", List: true, ReadOnly: true, After: after, Width: 180}
}

func (s *Service) member(ctx context.Context, id string) (*partygen.Member, error) {
	return s.d.Party.GetMember(kit.AsSystem(ctx), &partygen.MemberReq{MemberId: id})
}
