// Package schedule runs what falls due with time: orders that expire, payments to ask
// for, messages to send, imports to finish.
//
// When something is due is told by the product's clock, which the sandbox may move, and
// by the state of the documents themselves: nothing is queued ahead, so nothing can be
// forgotten while the system is down, and the first look after a start makes up for it
// (JOB-01). Each task is a loop; a lock in Redis lets one of several processes do a turn
// at a time, and every task may run twice at once without harm, so a lost lock costs
// work only. That is all a queue such as asynq would be asked for here, so there is none.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"

	affairssvc "zhihuidangjian/idl/gen/affairs/affairs"
	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	developmentsvc "zhihuidangjian/idl/gen/development/development"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	learningsvc "zhihuidangjian/idl/gen/learning/learning"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	relationsvc "zhihuidangjian/idl/gen/relation/relation"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps is what the scheduler needs.
type Deps struct {
	DB          *mongo.Database
	Redis       redis.UniversalClient
	Clock       *kit.Clock
	Dues        duessvc.Client
	Party       partysvc.Client
	Affairs     affairssvc.Client
	Development developmentsvc.Client
	Learning    learningsvc.Client
	Relation    relationsvc.Client
	Notify      notifysvc.Client
	Audit       auditsvc.Client
	// Owners finds the services of record types.
	Owners interface {
		Records() []recordsvc.Client
		Owner(ctx context.Context, typ string) (recordsvc.Client, error)
	}
}

// Task is one thing to do again and again.
type Task struct {
	Name  string
	Every time.Duration // of the machine's clock, between two looks
	// Daily is for what is due once when a day of the product begins, and on the
	// first look after a start.
	Daily bool
	Do    func(context.Context) error
}

// turn bounds one run of a task and its lock.
const turn = 30 * time.Second

// Tasks are the product's tasks.
func Tasks(d Deps) []Task {
	none := &recordsgen.Empty{}
	return []Task{
		{Name: "dues.expire", Every: time.Second, Daily: true, Do: func(ctx context.Context) error {
			_, err := d.Dues.ExpireOrders(ctx, none)
			return err
		}},
		{Name: "exams.close", Every: time.Second, Do: func(ctx context.Context) error {
			_, err := d.Learning.CloseExams(ctx, none)
			return err
		}},
		{Name: "dues.arrears", Every: time.Second, Do: func(ctx context.Context) error {
			_, err := d.Dues.RefreshArrears(ctx, none)
			return err
		}},
		{Name: "dues.query", Every: 5 * time.Second, Do: func(ctx context.Context) error {
			_, err := d.Dues.QueryWaiting(ctx, none)
			return err
		}},
		{Name: "elections.remind", Every: time.Second, Daily: true, Do: func(ctx context.Context) error {
			_, err := d.Affairs.RemindElections(ctx, none)
			return err
		}},
		{Name: "organizations.transfer", Every: time.Second, Do: func(ctx context.Context) error { return transfer(ctx, d) }},
		{Name: "letters.warn", Every: time.Second, Daily: true, Do: func(ctx context.Context) error {
			_, err := d.Relation.WarnLetters(ctx, none)
			return err
		}},
		{Name: "development.remind", Every: time.Second, Daily: true, Do: func(ctx context.Context) error {
			_, err := d.Development.Remind(ctx, none)
			return err
		}},
		{Name: "members.follow", Every: time.Second, Do: func(ctx context.Context) error { return follow(ctx, d) }},
		// Not Daily: WeChat has the bill of a day from ten o'clock of the next.
		{Name: "dues.reconcile", Every: time.Minute, Do: func(ctx context.Context) error {
			_, err := d.Dues.Reconcile(ctx, none)
			return err
		}},
		{Name: "notify.deliver", Every: time.Second, Do: func(ctx context.Context) error {
			_, err := d.Notify.Deliver(ctx, none)
			return err
		}},
		{Name: "audit.gather", Every: time.Second, Do: func(ctx context.Context) error {
			_, err := d.Audit.Gather(ctx, none)
			return err
		}},
		{Name: "party.guests", Every: time.Second, Daily: true, Do: func(ctx context.Context) error {
			_, err := d.Party.TurnGuests(ctx, none)
			return err
		}},
		{Name: "imports.run", Every: 2 * time.Second, Do: func(ctx context.Context) error { return runImports(ctx, d) }},
		{Name: "records.resume", Every: 10 * time.Second, Do: func(ctx context.Context) error {
			var errs []error
			for _, r := range d.Owners.Records() {
				_, err := r.Resume(ctx, none)
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		}},
	}
}

// transfer lets every service move the records of organisations that have moved. After
// each the step is noted, so that a worker that dies leaves only its own step to do again.
func transfer(ctx context.Context, d Deps) error {
	list, err := d.Party.ListTransfers(ctx, &recordsgen.Empty{})
	if err != nil {
		return err
	}
	services := d.Owners.Records()
	var errs []error
	for _, t := range list.Transfers {
		errs = append(errs, func() error {
			for i := int(t.Step); i < len(services); i++ {
				if len(t.Path) > 0 { // else it was deleted since
					if _, err := services[i].Rehome(ctx, &recordsgen.RehomeReq{OrgId: t.OrgId, Path: t.Path}); err != nil {
						return fmt.Errorf("transfer %s: %w", t.Id, err)
					}
				}
				if _, err := d.Party.StepTransfer(ctx, &partygen.StepReq{Id: t.Id, Step: int32(i + 1), Steps: int32(len(services))}); err != nil {
					return err
				}
			}
			return nil
		}())
	}
	return errors.Join(errs...)
}

// follow lets the records of members who changed their branch follow them. One who dies on the
// way begins again: what has moved is not moved twice.
func follow(ctx context.Context, d Deps) error {
	moved, err := d.Party.ListMoved(ctx, &recordsgen.Empty{})
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range moved.Members {
		var failed error
		for _, r := range d.Owners.Records() {
			_, err := r.FollowMember(ctx, &recordsgen.FollowReq{MemberId: m.Id, OrgId: m.OrgId, Path: m.Orgs})
			failed = errors.Join(failed, err)
		}
		if failed == nil {
			_, failed = d.Party.SettleMember(ctx, &partygen.SettleReq{MemberId: m.Id, OrgId: m.OrgId})
		}
		errs = append(errs, failed)
	}
	return errors.Join(errs...)
}

// runImports goes on with the uploads that no process works at: those that a service
// left when it died.
func runImports(ctx context.Context, d Deps) error {
	list, err := records.PendingImports(ctx, d.DB)
	if err != nil {
		return err
	}
	var errs []error
	for _, i := range list {
		owner, err := d.Owners.Owner(ctx, i.Type)
		if err == nil {
			_, err = owner.RunImport(ctx, i)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("import %s of %s: %w", i.Id, i.Type, err))
		}
	}
	return errors.Join(errs...)
}

// Run does the tasks until ctx is done and returns when what was begun is finished.
func Run(ctx context.Context, d Deps) error {
	var all kit.Group
	for _, t := range Tasks(d) {
		all.Go(t.Name, func() error { loop(ctx, NewRunner(d.Redis, d.Clock, t)); return nil })
	}
	return all.Wait()
}

func loop(ctx context.Context, r *Runner) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		pause := r.task.Every
		if err := kit.Guard(r.task.Name, func() error { return r.Look(ctx) }); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "task failed", "task", r.task.Name, "error", err)
			pause = max(pause, 5*time.Second)
		}
		wait.Reset(pause)
	}
}

// Runner does one task.
type Runner struct {
	redis redis.UniversalClient
	clock *kit.Clock
	task  Task
	day   time.Time // of the last successful run
}

// NewRunner makes the runner of a task.
func NewRunner(r redis.UniversalClient, clock *kit.Clock, t Task) *Runner {
	return &Runner{redis: r, clock: clock, task: t}
}

// unlockScript gives a lock back unless somebody else has it by now.
//
// KEYS[1] -> lock
// --
// ARGV[1] -> token of the holder
// --
// Returns 1 if the lock was given back, 0 if it was not the holder's any more.
var unlockScript = redis.NewScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then
	return redis.call("DEL", KEYS[1])
end
return 0
`)

// Look does the task if it is due and nobody else is doing it.
func (r *Runner) Look(ctx context.Context) error {
	today := kit.Midnight(r.clock.Now())
	if r.task.Daily && r.day.Equal(today) {
		return nil
	}
	key, token := "lock:"+r.task.Name, kit.Token()
	ok, err := r.redis.SetNX(ctx, key, token, turn).Result()
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !ok {
		return nil
	}
	defer unlockScript.Run(context.WithoutCancel(ctx), r.redis, []string{key}, token)
	run, cancel := context.WithTimeout(kit.AsSystem(ctx), turn)
	defer cancel()
	if err := r.task.Do(run); err != nil {
		return err
	}
	r.day = today
	return nil
}
