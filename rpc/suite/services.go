package suite

import (
	"fmt"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/serviceinfo"
	"github.com/cloudwego/kitex/server"

	"zhihuidangjian/idl/call"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	affairssvc "zhihuidangjian/idl/gen/affairs/affairs"
	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	developmentsvc "zhihuidangjian/idl/gen/development/development"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	learningsvc "zhihuidangjian/idl/gen/learning/learning"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partysvc "zhihuidangjian/idl/gen/party/party"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	relationsvc "zhihuidangjian/idl/gen/relation/relation"
	"zhihuidangjian/rpc/account"
	"zhihuidangjian/rpc/affairs"
	"zhihuidangjian/rpc/audit"
	"zhihuidangjian/rpc/calendar"
	"zhihuidangjian/rpc/content"
	"zhihuidangjian/rpc/development"
	"zhihuidangjian/rpc/dues"
	"zhihuidangjian/rpc/learning"
	"zhihuidangjian/rpc/meeting"
	"zhihuidangjian/rpc/notify"
	"zhihuidangjian/rpc/party"
	"zhihuidangjian/rpc/points"
	"zhihuidangjian/rpc/relation"
	"zhihuidangjian/rpc/roll"
)

// services are the domain services, in the order of the console's menu. Each owns record types
// and offers the service Records for them, beside which typed ones have methods of their own.
var services = []service{
	typed("party", partysvc.Service, func(c *Clients) *partysvc.Client { return &c.Party }, func(p *Platform, c *Clients) (*party.Service, error) {
		return party.New(party.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Notify: c.Notify, Dues: c.Of["dues"],
			Development: c.Development, MapTiles: p.Config.MapTiles,
		})
	}),
	typed("affairs", affairssvc.Service, func(c *Clients) *affairssvc.Client { return &c.Affairs }, func(p *Platform, c *Clients) (*affairs.Service, error) {
		return affairs.New(affairs.Deps{DB: p.DB, Blobs: p.Blobs, Clock: p.Clock, Seal: p.Seal, Party: c.Party})
	}),
	plain("roll", func(p *Platform, c *Clients) (*roll.Service, error) {
		return roll.New(roll.Deps{DB: p.DB, Blobs: p.Blobs, Clock: p.Clock, Seal: p.Seal, Party: c.Party})
	}),
	typed("relation", relationsvc.Service, func(c *Clients) *relationsvc.Client { return &c.Relation }, func(p *Platform, c *Clients) (*relation.Service, error) {
		return relation.New(relation.Deps{
			DB: p.DB, Redis: p.Redis, Blobs: p.Blobs, Clock: p.Clock, Seal: p.Seal, Party: c.Party, FontPath: p.Config.FontPath, PublicURL: p.Config.PublicURL,
		})
	}),
	typed("development", developmentsvc.Service, func(c *Clients) *developmentsvc.Client { return &c.Development }, func(p *Platform, c *Clients) (*development.Service, error) {
		days, err := calendar.Load(p.Config.HolidaysDir)
		if err != nil {
			return nil, err
		}
		return development.New(development.Deps{DB: p.DB, Blobs: p.Blobs, Clock: p.Clock, Seal: p.Seal, Party: c.Party, Calendar: days, ProcessDir: p.Config.ProcessDir, FontPath: p.Config.FontPath})
	}),
	plain("content", func(p *Platform, c *Clients) (*content.Service, error) {
		return content.New(content.Deps{DB: p.DB, Blobs: p.Blobs, Clock: p.Clock, Party: c.Party})
	}),
	typed("learning", learningsvc.Service, func(c *Clients) *learningsvc.Client { return &c.Learning }, func(p *Platform, c *Clients) (*learning.Service, error) {
		return learning.New(learning.Deps{DB: p.DB, Blobs: p.Blobs, Clock: p.Clock, Party: c.Party})
	}),
	typed("dues", duessvc.Service, func(c *Clients) *duessvc.Client { return &c.Dues }, func(p *Platform, c *Clients) (*dues.Service, error) {
		o, err := p.Outside()
		if err != nil {
			return nil, err
		}
		return dues.New(dues.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Party: c.Party,
			Pay: o.Pay, Notify: o.Notify, AppID: o.Conf.AppID, MiniAppID: o.Conf.MiniAppID,
			MchID: o.Conf.MchID, FontPath: p.Config.FontPath, CashConfirm: p.Config.CashConfirm,
		})
	}),
	typed("meeting", meetingsvc.Service, func(c *Clients) *meetingsvc.Client { return &c.Meeting }, func(p *Platform, c *Clients) (*meeting.Service, error) {
		return meeting.New(meeting.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Party: c.Party, PublicURL: p.Config.PublicURL, Secret: p.Secret,
		})
	}),
	typed("points", pointssvc.Service, func(c *Clients) *pointssvc.Client { return &c.Points }, func(p *Platform, c *Clients) (*points.Service, error) {
		return points.New(points.Deps{DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Party: c.Party})
	}),
	typed("account", accountsvc.Service, func(c *Clients) *accountsvc.Client { return &c.Account }, func(p *Platform, c *Clients) (*account.Service, error) {
		return account.New(account.Deps{DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Party: c.Party, Sandbox: p.SandboxURL != ""})
	}),
	typed("notify", notifysvc.Service, func(c *Clients) *notifysvc.Client { return &c.Notify }, func(p *Platform, c *Clients) (*notify.Service, error) {
		o, err := p.Outside()
		if err != nil {
			return nil, err
		}
		return notify.New(notify.Deps{
			DB: p.DB, Blobs: p.Blobs, Redis: p.Redis, Clock: p.Clock, Seal: p.Seal, Party: c.Party, Account: c.Account, Meeting: c.Meeting,
			Messenger: o.Messenger, SMS: o.SMS, PublicURL: p.Config.PublicURL, Subscribes: o.Conf.Subscribes,
		})
	}),
	typed("audit", auditsvc.Service, func(c *Clients) *auditsvc.Client { return &c.Audit }, func(p *Platform, c *Clients) (*audit.Service, error) {
		return audit.New(audit.Deps{DB: p.DB, Clock: p.Clock, Seal: p.Seal, Party: c.Party})
	}),
}

// service is all that the product knows of a domain service.
type service struct {
	name     string
	infos    []*serviceinfo.ServiceInfo
	open     func(*Platform, *Clients) (any, error)
	connect  func(*Clients, way) error
	register func(server.Server, any) error // of what open made
}

// way leads to a service, or to the one beside it.
type way func(name string, info *serviceinfo.ServiceInfo) (client.Client, error)

// plain is a service that offers its records and nothing else.
func plain[V recordsvc.Client](name string, open func(*Platform, *Clients) (V, error)) service {
	return service{
		name: name, infos: []*serviceinfo.ServiceInfo{recordsvc.Service.ServiceInfo},
		open: func(p *Platform, c *Clients) (any, error) { return open(p, c) },
		connect: func(c *Clients, to way) error {
			t, err := to(name, recordsvc.Service.ServiceInfo)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			c.Of[name] = recordsvc.Wrap(t)
			return nil
		},
		register: func(s server.Server, v any) error { return recordsvc.RegisterService(s, v.(V)) },
	}
}

// typed is a service with methods beside its records; at is where others find their client.
func typed[C any, V recordsvc.Client](name string, s call.Service[C], at func(*Clients) *C, open func(*Platform, *Clients) (V, error)) service {
	r := plain(name, open)
	records := r
	r.infos = append(r.infos, s.ServiceInfo)
	r.connect = func(c *Clients, to way) error {
		t, err := to(name, s.ServiceInfo)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*at(c) = s.Wrap(t)
		return records.connect(c, to)
	}
	r.register = func(k server.Server, v any) error {
		if _, ok := v.(C); !ok {
			return fmt.Errorf("%T is no handler of %s", v, s.ServiceName)
		}
		if err := k.RegisterService(s.ServiceInfo, v); err != nil {
			return err
		}
		return records.register(k, v)
	}
	return r
}

// Names are the services.
var Names = func() (names []string) {
	for _, s := range services {
		names = append(names, s.name)
	}
	return names
}()
