package suite

import (
	"context"
	"fmt"

	"github.com/cloudwego/kitex/client"

	"zhihuidangjian/idl/gen/account/account"
	"zhihuidangjian/idl/gen/audit/audit"
	"zhihuidangjian/idl/gen/content/content"
	"zhihuidangjian/idl/gen/dues/dues"
	"zhihuidangjian/idl/gen/meeting/meeting"
	"zhihuidangjian/idl/gen/notify/notify"
	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/idl/gen/points/points"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Clients are one typed client for each domain service, whatever carries the calls: the
// same process, or Kitex and etcd.
type Clients struct {
	Account account.Client
	Party   party.Client
	Dues    dues.Client
	Meeting meeting.Client
	Points  points.Client
	Notify  notify.Client
	Content content.Client
	Audit   audit.Client

	types types
}

// Names are the services, in the order in which they start.
var Names = []string{"notify", "party", "account", "points", "dues", "meeting", "content", "audit"}

// wrap makes the typed clients of any transports.
func wrap(transport func(name string) client.Client) *Clients {
	return &Clients{
		Account: account.Wrap(transport("account")), Party: party.Wrap(transport("party")),
		Dues: dues.Wrap(transport("dues")), Meeting: meeting.Wrap(transport("meeting")),
		Points: points.Wrap(transport("points")), Notify: notify.Wrap(transport("notify")),
		Content: content.Wrap(transport("content")), Audit: audit.Wrap(transport("audit")),
	}
}

// Dial finds every service through etcd.
func Dial(p *Platform) (*Clients, error) {
	opts, err := kit.ClientOptions(p.Config.Etcd, p.Peers, kit.Idempotent)
	if err != nil {
		return nil, err
	}
	c := &Clients{}
	fail := func(err error) (*Clients, error) { return nil, fmt.Errorf("dial: %w", err) }
	if c.Account, err = account.NewClient(kit.Dial("account"), opts...); err != nil {
		return fail(err)
	}
	if c.Party, err = party.NewClient(kit.Dial("party"), opts...); err != nil {
		return fail(err)
	}
	if c.Dues, err = dues.NewClient(kit.Dial("dues"), opts...); err != nil {
		return fail(err)
	}
	if c.Meeting, err = meeting.NewClient(kit.Dial("meeting"), opts...); err != nil {
		return fail(err)
	}
	if c.Points, err = points.NewClient(kit.Dial("points"), opts...); err != nil {
		return fail(err)
	}
	if c.Notify, err = notify.NewClient(kit.Dial("notify"), opts...); err != nil {
		return fail(err)
	}
	if c.Content, err = content.NewClient(kit.Dial("content"), opts...); err != nil {
		return fail(err)
	}
	if c.Audit, err = audit.NewClient(kit.Dial("audit"), opts...); err != nil {
		return fail(err)
	}
	return c, nil
}

// Ready tells whether the services without which nothing goes answer, and the store behind
// them. One of the others that is down takes its own pages away, and not the product.
func (c *Clients) Ready(ctx context.Context) error {
	ctx = kit.AsSystem(ctx)
	var both kit.Group
	both.Go("ready", func() error {
		_, err := c.Account.Types(ctx, &records.Empty{})
		return err
	})
	both.Go("ready", func() error {
		_, err := c.Party.GetOrganization(ctx, &partygen.OrgReq{OrgId: model.RootOrg}) // reads the store
		return err
	})
	return both.Wait()
}
