// Package work runs everything that a worker process does, beside the services of one
// process or in a process of its own.
package work

import (
	"context"
	"errors"
	"sync"

	"zhihuidangjian/job/outbox"
	"zhihuidangjian/job/schedule"
	"zhihuidangjian/rpc/suite"
)

// Run relays events and does what falls due until ctx ends.
func Run(ctx context.Context, p *suite.Platform, c *suite.Clients) error {
	var wg sync.WaitGroup
	var relay, tasks error
	wg.Go(func() {
		relay = outbox.Run(ctx, outbox.Deps{DB: p.DB, Redis: p.Redis, Points: c.Points, Notify: c.Notify, Audit: c.Audit, Types: c.Types})
	})
	wg.Go(func() {
		tasks = schedule.Run(ctx, schedule.Deps{
			DB: p.DB, Redis: p.Redis, Clock: p.Clock, Dues: c.Dues, Party: c.Party, Notify: c.Notify, Audit: c.Audit, Owners: c,
		})
	})
	wg.Wait()
	return errors.Join(relay, tasks)
}
