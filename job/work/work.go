// Package work runs everything that a worker process does, beside the services of one
// process or in a process of its own.
package work

import (
	"context"

	"zhihuidangjian/job/outbox"
	"zhihuidangjian/job/schedule"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

// Run relays events and does what falls due until ctx ends.
func Run(ctx context.Context, p *suite.Platform, c *suite.Clients) error {
	var all kit.Group
	all.Go("outbox", func() error {
		return outbox.Run(ctx, outbox.Deps{DB: p.DB, Redis: p.Redis, Points: c.Points, Notify: c.Notify, Audit: c.Audit, Types: c.Types})
	})
	all.Go("schedule", func() error {
		return schedule.Run(ctx, schedule.Deps{
			DB: p.DB, Redis: p.Redis, Clock: p.Clock, Dues: c.Dues, Party: c.Party, Affairs: c.Affairs, Relation: c.Relation, Development: c.Development, Learning: c.Learning, Notify: c.Notify, Audit: c.Audit, Owners: c,
		})
	})
	return all.Wait()
}
