package schedule_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"go.mongodb.org/mongo-driver/v2/bson"

	recordsgen "zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/job/schedule"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
)

func TestDaily(t *testing.T) {
	clock, redis := &kit.Clock{}, modeltest.Redis(t)
	evening := time.Date(2026, 11, 22, 23, 0, 0, 0, kit.Shanghai)
	clock.SetOffset(time.Until(evening))
	var runs int
	var fail error
	r := schedule.NewRunner(redis, clock, schedule.Task{Name: "daily", Daily: true, Do: func(ctx context.Context) error {
		if kit.CallerOf(ctx).Kind != kit.System {
			t.Error("the caller is not the system")
		}
		runs++
		return fail
	}})
	look := func(want int) {
		t.Helper()
		if err := r.Look(t.Context()); !errors.Is(err, fail) {
			t.Error(err)
		}
		if runs != want {
			t.Errorf("%d runs, want %d", runs, want)
		}
	}
	look(1) // on the first look after a start
	look(1)
	clock.SetOffset(clock.Offset() + 30*time.Minute)
	look(1)
	clock.SetOffset(clock.Offset() + 31*time.Minute) // past midnight in Shanghai
	look(2)
	look(2)
	clock.SetOffset(clock.Offset() + 72*time.Hour)
	look(3)
	clock.SetOffset(clock.Offset() + 24*time.Hour)
	fail = errors.New("down")
	look(4)
	look(5) // again until it succeeds
	fail = nil
	look(6)
	look(6)
}

func TestOneAtATime(t *testing.T) {
	redis := modeltest.Redis(t)
	var inside, most, runs atomic.Int32
	entered, leave := make(chan struct{}), make(chan struct{})
	task := schedule.Task{Name: "slow", Do: func(context.Context) error {
		most.Store(max(most.Load(), inside.Add(1)))
		runs.Add(1)
		entered <- struct{}{}
		<-leave
		inside.Add(-1)
		return nil
	}}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := schedule.NewRunner(redis, &kit.Clock{}, task).Look(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-entered
	for range 3 { // other processes meanwhile
		if err := schedule.NewRunner(redis, &kit.Clock{}, task).Look(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(leave)
	wg.Wait()
	if most.Load() != 1 || runs.Load() != 1 {
		t.Errorf("%d at once, %d runs", most.Load(), runs.Load())
	}
	if n := redis.Exists(t.Context(), "lock:slow").Val(); n != 0 {
		t.Error("the lock was not given back")
	}
}

// owner remembers the imports it was asked to go on with.
type owner struct {
	recordsgen.Records
	ran []string
}

func (o *owner) RunImport(_ context.Context, q *recordsgen.IDReq) (*recordsgen.ImportBatch, error) {
	o.ran = append(o.ran, q.Id)
	return &recordsgen.ImportBatch{Id: q.Id}, nil
}

// owners are services by record type.
type owners map[string]recordsvc.Client

func (o owners) Records() []recordsvc.Client { return slices.Collect(maps.Values(o)) }
func (o owners) Owner(_ context.Context, typ string) (recordsvc.Client, error) {
	if c, ok := o[typ]; ok {
		return c, nil
	}
	return nil, kit.ErrNotFound
}

func TestImports(t *testing.T) {
	party, dues := &owner{}, &owner{}
	d := schedule.Deps{DB: modeltest.DB(t), Redis: modeltest.Redis(t), Clock: &kit.Clock{}, Owners: owners{
		"member":   recordsvc.Wrap(kit.NewLocal(func(s server.Server) error { return recordsvc.RegisterService(s, party) })),
		"duesBase": recordsvc.Wrap(kit.NewLocal(func(s server.Server) error { return recordsvc.RegisterService(s, dues) })),
	}}
	past, future := time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	for _, b := range []bson.D{
		{{Key: "_id", Value: "left"}, {Key: "type", Value: "member"}, {Key: "state", Value: "running"}, {Key: "leaseUntil", Value: past}},
		{{Key: "_id", Value: "bases"}, {Key: "type", Value: "duesBase"}, {Key: "state", Value: "queued"}, {Key: "leaseUntil", Value: past}},
		{{Key: "_id", Value: "held"}, {Key: "type", Value: "member"}, {Key: "state", Value: "running"}, {Key: "leaseUntil", Value: future}},
		{{Key: "_id", Value: "done"}, {Key: "type", Value: "member"}, {Key: "state", Value: "finished"}, {Key: "leaseUntil", Value: past}},
	} {
		if _, err := d.DB.Collection("imports").InsertOne(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	tasks := schedule.Tasks(d)
	i := slices.IndexFunc(tasks, func(t schedule.Task) bool { return t.Name == "imports.run" })
	if err := schedule.NewRunner(d.Redis, d.Clock, tasks[i]).Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(party.ran, []string{"left"}) || !slices.Equal(dues.ran, []string{"bases"}) {
		t.Errorf("party went on with %v, dues with %v", party.ran, dues.ran)
	}
}
