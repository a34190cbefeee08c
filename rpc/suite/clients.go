package suite

import (
	"context"
	"fmt"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/serviceinfo"

	accountsvc "zhihuidangjian/idl/gen/account/account"
	affairssvc "zhihuidangjian/idl/gen/affairs/affairs"
	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	developmentsvc "zhihuidangjian/idl/gen/development/development"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	learningsvc "zhihuidangjian/idl/gen/learning/learning"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	recordsgen "zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	relationsvc "zhihuidangjian/idl/gen/relation/relation"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Clients are one typed client for each domain service that has methods of its own, and one
// for the records of every service, whatever carries the calls: the same process, or Kitex
// and etcd.
type Clients struct {
	Account     accountsvc.Client
	Party       partysvc.Client
	Affairs     affairssvc.Client
	Relation    relationsvc.Client
	Development developmentsvc.Client
	Learning    learningsvc.Client
	Dues        duessvc.Client
	Meeting     meetingsvc.Client
	Points      pointssvc.Client
	Notify      notifysvc.Client
	Audit       auditsvc.Client

	// Of are the services as owners of record types, by name.
	Of map[string]recordsvc.Client

	types types
}

// connect makes the clients of all services.
func connect(to way) (*Clients, error) {
	c := &Clients{Of: map[string]recordsvc.Client{}}
	for _, s := range services {
		if err := s.connect(c, to); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Dial finds every service through etcd.
func Dial(p *Platform) (*Clients, error) {
	opts, err := kit.ClientOptions(p.Config.Etcd, p.Peers)
	if err != nil {
		return nil, err
	}
	c, err := connect(func(name string, info *serviceinfo.ServiceInfo) (client.Client, error) {
		return kit.Dial(name, info, opts...)
	})
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}

// Ready tells whether the services without which nothing goes answer, and the store behind
// them. One of the others that is down takes its own pages away, and not the product.
func (c *Clients) Ready(ctx context.Context) error {
	ctx = kit.AsSystem(ctx)
	var both kit.Group
	both.Go("ready", func() error {
		_, err := c.Of["account"].Types(ctx, &recordsgen.Empty{})
		return err
	})
	both.Go("ready", func() error {
		_, err := c.Party.GetOrganization(ctx, &partygen.OrgReq{OrgId: model.RootOrg}) // reads the store
		return err
	})
	return both.Wait()
}
