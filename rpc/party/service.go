// Package party owns the tree of organisations, their members, the members' WeChat bindings and
// guests (manual 3, 4.2, 5.1, 5.2, 5.4, 6.1, 6.8).
package party

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	developmentsvc "zhihuidangjian/idl/gen/development/development"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps are what the service stands on.
type Deps struct {
	DB     *mongo.Database
	Redis  redis.UniversalClient
	Clock  *kit.Clock
	Seal   *model.Sealer
	Notify notifysvc.Client // sends the codes of bindings
	Dues   recordsvc.Client // knows what was paid today; nil: nothing is asked
	// Development opens the cases of those who are no full members yet.
	Development developmentsvc.Client
	// MapTiles is the address of a map's pictures, {z}/{x}/{y}; empty for a plain grid.
	MapTiles string
	Blobs    blob.Store
}

// Service implements the generated party.Party.
type Service struct {
	*records.Engine
	d       Deps
	orgs    *model.Collection[*model.Organization]
	members *model.Collection[*model.Member]
	guests  []guestCollection // part-time and report-in persons
	forest  forest

	units     *model.Collection[*model.Unit]
	transfers *model.Collection[*model.OrganizationTransfer]
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d:       d,
		orgs:    model.NewCollection[*model.Organization](d.DB, "organizations", d.Clock.Now),
		members: model.NewCollection[*model.Member](d.DB, "members", d.Clock.Now),
		guests: []guestCollection{
			model.NewCollection[*model.Guest](d.DB, "partTimeMembers", d.Clock.Now),
			model.NewCollection[*model.Guest](d.DB, "reportInMembers", d.Clock.Now),
		},

		units:     model.NewCollection[*model.Unit](d.DB, "units", d.Clock.Now),
		transfers: model.NewCollection[*model.OrganizationTransfer](d.DB, "organizationTransfers", d.Clock.Now),
	}
	s.members.Watch(s.memberChanges)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	live := bson.D{{Key: "deleted", Value: false}}
	active := bson.D{{Key: "status", Value: "active"}}
	bound := func(field string) model.Index { // one account – one person
		return model.Index{Keys: bson.D{{Key: field, Value: 1}}, Unique: true, Partial: bson.D{{Key: field, Value: bson.D{{Key: "$gt", Value: ""}}}}}
	}
	err := errors.Join(
		s.orgs.EnsureIndexes(ctx, model.Index{
			Keys: bson.D{{Key: "parentId", Value: 1}, {Key: "orgName", Value: 1}}, Unique: true, Partial: live,
		}, model.Index{
			Keys: bson.D{{Key: "orgCode", Value: 1}}, Unique: true,
			Partial: bson.D{{Key: "deleted", Value: false}, {Key: "orgCode", Value: bson.D{{Key: "$gt", Value: ""}}}},
		}),
		s.members.EnsureIndexes(ctx,
			model.Index{Keys: bson.D{{Key: "idBlind", Value: 1}}, Unique: true, Partial: active},
			model.Index{Keys: bson.D{{Key: "phoneBlind", Value: 1}}, Unique: true, Partial: active},
			bound("openId"), bound("miniOpenId"),
			model.Index{Keys: bson.D{{Key: "unionId", Value: 1}}, Sparse: true},
			model.Index{Keys: bson.D{{Key: "orgId", Value: 1}, {Key: "status", Value: 1}}},
			model.Index{Keys: bson.D{{Key: "name", Value: 1}}},
			model.Index{Keys: bson.D{{Key: "followDue", Value: 1}}, Sparse: true},
			model.Index{Keys: bson.D{{Key: "moved", Value: 1}}, Sparse: true},
			model.Index{Keys: bson.D{{Key: "updatedAt", Value: 1}, {Key: "_id", Value: 1}}},
			model.Index{Keys: bson.D{{Key: "unitId", Value: 1}, {Key: "status", Value: 1}}, Sparse: true},
			// The member list: one equality a field, newest first, and its total.
			model.Index{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "status", Value: 1}, {Key: "_id", Value: -1}}},
			// The same by 党员类型, what it is filtered by most.
			model.Index{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "status", Value: 1}, {Key: "memberType", Value: 1}, {Key: "_id", Value: -1}}},
		),
	)
	if err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	if s.Engine, err = s.newEngine(); err != nil {
		return nil, fmt.Errorf("party: %w", err)
	}
	return s, nil
}

// EnsureRoot creates the topmost organisation of a new installation.
func (s *Service) EnsureRoot(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	err := s.orgs.Insert(ctx, &model.Organization{
		Base:    model.Base{ID: model.RootOrg, OrgID: model.RootOrg, Orgs: []string{model.RootOrg}, CreatedBy: "system"},
		OrgName: "中共示范市委员会", OrgType: "committee", Secretary: "待填写", ContactName: "待填写", ContactPhone: "01000000000",
	})
	if errors.Is(err, model.ErrDuplicate) {
		return nil
	}
	return err
}

// scope is the subtree a caller chose, inside his own: every list is bounded by it. A
// node outside is not_found, like one that does not exist.
func (s *Service) scope(ctx context.Context, orgID string) (*model.Organization, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	if orgID == "" {
		orgID = c.OrgID
	}
	o, err := s.orgs.Get(ctx, model.Within(c.OrgID), orgID)
	if errors.Is(err, model.ErrNotFound) {
		return nil, kit.ErrNotFound
	}
	return o, err
}
