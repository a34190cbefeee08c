package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	auditgen "zhihuidangjian/idl/gen/audit"
	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	notifygen "zhihuidangjian/idl/gen/notify"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	pointsgen "zhihuidangjian/idl/gen/points"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/job/outbox"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/points"
)

// party is a party service of one branch.
type party struct{ partygen.Party }

func (party) GetOrganization(context.Context, *partygen.OrgReq) (*partygen.Organization, error) {
	return &partygen.Organization{Id: "b1", OrgName: "第一支部", Orgs: []string{"root", "b1"}}, nil
}

func (p party) GetPlaces(ctx context.Context, _ *partygen.PlacesReq) (*partygen.OrgPlaces, error) {
	o, err := p.GetOrganization(ctx, nil)
	return &partygen.OrgPlaces{Places: []*partygen.OrgPlace{{Id: o.Id, OrgName: o.OrgName, Orgs: o.Orgs}}}, err
}

// GetMembers answers that all of them are members, who have a rank.
func (party) GetMembers(_ context.Context, q *partygen.MembersReq) (*partygen.Members, error) {
	out := &partygen.Members{}
	for _, id := range q.MemberIds {
		out.Members = append(out.Members, &partygen.Member{Id: id, OrgId: "b1", Orgs: []string{"root", "b1"}, Status: "active", MemberType: "fullMember"})
	}
	return out, nil
}

// follower is a notify service that counts what it is given.
type follower struct {
	notifygen.Notify
	handle func(*recordsgen.Event) error
}

func (f follower) HandleEvents(_ context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	out := &recordsgen.Handled{Refused: map[string]string{}}
	for _, e := range req.Events {
		if err := f.handle(e); err != nil {
			out.Refused[e.Id] = err.Error()
		}
	}
	return out, nil
}

type fixture struct {
	db     *mongo.Database
	points pointssvc.Client
}

func setUp(t *testing.T) *fixture {
	f := &fixture{db: modeltest.DB(t)}
	impl, err := points.New(points.Deps{
		DB: f.db, Redis: modeltest.Redis(t), Clock: &kit.Clock{},
		Party: partysvc.Wrap(kit.NewLocal(func(s server.Server) error { return partysvc.RegisterService(s, party{}) })),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(impl.Close)
	f.points = pointssvc.Wrap(kit.NewLocal(func(s server.Server) error { return pointssvc.RegisterService(s, impl) }))
	return f
}

func notify(handle func(*recordsgen.Event) error) notifysvc.Client {
	return notifysvc.Wrap(kit.NewLocal(func(s server.Server) error { return notifysvc.RegisterService(s, follower{handle: handle}) }))
}

func fine(*recordsgen.Event) error { return nil }

// whole is a notify service that takes or fails a call as a whole.
func whole(handle func([]*recordsgen.Event) error) notifysvc.Client {
	return notifysvc.Wrap(kit.NewLocal(func(s server.Server) error { return notifysvc.RegisterService(s, wholesale{handle: handle}) }))
}

type wholesale struct {
	notifygen.Notify
	handle func([]*recordsgen.Event) error
}

func (w wholesale) HandleEvents(_ context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	return &recordsgen.Handled{}, w.handle(req.Events)
}

// lost is a points service that takes everything, and whose answers do not arrive.
func lost(c pointssvc.Client) pointssvc.Client {
	return pointssvc.Wrap(kit.NewLocal(func(s server.Server) error { return pointssvc.RegisterService(s, silent{to: c}) }))
}

type silent struct {
	pointsgen.Points
	to pointssvc.Client
}

func (s silent) HandleEvents(ctx context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	if h, err := s.to.HandleEvents(ctx, req); err != nil || len(h.Refused) > 0 {
		return h, err
	}
	return nil, errors.New("killed")
}

// books is an audit that keeps what it is told.
func books(keep func(*recordsgen.Event)) auditsvc.Client {
	return auditsvc.Wrap(kit.NewLocal(func(s server.Server) error { return auditsvc.RegisterService(s, keeper{keep: keep}) }))
}

type keeper struct {
	auditgen.Audit
	keep func(*recordsgen.Event)
}

func (k keeper) HandleEvents(_ context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	for _, e := range req.Events {
		k.keep(e)
	}
	return &recordsgen.Handled{}, nil
}

// checkIn stores a check-in with its event.
func (f *fixture) checkIn(t *testing.T, meeting, member string, more ...model.Event) {
	t.Helper()
	c := model.NewCollection[*model.CheckIn](f.db, "checkIns", time.Now)
	at := time.Now()
	orgs := []string{"root", "b1"}
	doc := &model.CheckIn{Base: model.Base{ID: model.CheckInID(meeting, member), OrgID: "b1", Orgs: orgs}, MeetingID: meeting, MemberID: member}
	doc.Earn("e-"+doc.ID, at, model.Earned{SourceType: "meeting", SourceID: meeting, At: at, Shares: []model.Share{{
		Dimension: model.DimensionPersonal, Item: model.ItemOfflineActivity, SubjectID: member, OrgID: "b1", Orgs: orgs, Units: 1, Source: "植树",
	}}})
	doc.Tell("e-"+doc.ID, at, model.Told{Title: "植树", MemberIDs: []string{member}}) // the same fact
	for _, e := range more {
		doc.Emit(e)
	}
	if err := c.Insert(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) waiting(t *testing.T) int64 {
	t.Helper()
	n, err := f.db.Collection("checkIns").CountDocuments(t.Context(), bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (f *fixture) entries(t *testing.T, member string) *pointsgen.Entries {
	t.Helper()
	l, err := f.points.ListEntries(kit.AsSystem(t.Context()), &pointsgen.EntriesReq{Id: member, Size: 100})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRelay(t *testing.T) {
	f := setUp(t)
	t.Run("an event reaches every follower and leaves the document", func(t *testing.T) {
		var seen []string
		r := outbox.New(outbox.Deps{DB: f.db, Redis: modeltest.Redis(t), Points: f.points, Notify: notify(func(e *recordsgen.Event) error {
			seen = append(seen, e.Id)
			return nil
		})})
		f.checkIn(t, "m1", "a")
		n, err := r.Once(t.Context())
		if err != nil || n != 2 || !slices.Equal(seen, []string{"e-m1:a"}) || f.waiting(t) != 0 || f.entries(t, "a").Sum != 200 {
			t.Errorf("%d handed on, %v; seen %v, %d wait, sum %d", n, err, seen, f.waiting(t), f.entries(t, "a").Sum)
		}
		if n, err = r.Once(t.Context()); err != nil || n != 0 {
			t.Errorf("again: %d %v", n, err)
		}
		var doc model.CheckIn
		if err := f.db.Collection("checkIns").FindOne(t.Context(), bson.D{{Key: "_id", Value: "m1:a"}}).Decode(&doc); err != nil || doc.Version != 1 {
			t.Errorf("the document was changed: %+v %v", doc, err)
		}
	})
	t.Run("a relay that dies between follower and document counts once", func(t *testing.T) {
		f.checkIn(t, "m2", "b")
		dying := outbox.New(outbox.Deps{DB: f.db, Points: lost(f.points), Notify: notify(fine)})
		if n, err := dying.Once(t.Context()); err != nil || n != 1 || f.waiting(t) != 1 || f.entries(t, "b").Total != 1 {
			t.Fatalf("%d handed on, %v, %d wait, %d entries", n, err, f.waiting(t), f.entries(t, "b").Total)
		}
		next := outbox.New(outbox.Deps{DB: f.db, Points: f.points, Notify: notify(fine)})
		if n, err := next.Once(t.Context()); err != nil || n != 1 || f.waiting(t) != 0 {
			t.Errorf("%d handed on, %v, %d wait", n, err, f.waiting(t))
		}
		if l := f.entries(t, "b"); l.Total != 1 || l.Sum != 200 {
			t.Errorf("%d entries, sum %d", l.Total, l.Sum)
		}
	})
	t.Run("a refused event waits and does not stand in the way", func(t *testing.T) {
		var tries atomic.Int32
		r := outbox.New(outbox.Deps{DB: f.db, Points: f.points, Notify: notify(func(e *recordsgen.Event) error {
			if e.Id == "e-bad:x" {
				tries.Add(1)
				return errors.New("no")
			}
			return nil
		})})
		f.checkIn(t, "bad", "x")
		f.checkIn(t, "good", "y")
		if n, err := r.Once(t.Context()); err != nil || n != 3 {
			t.Errorf("%d %v", n, err)
		}
		f.checkIn(t, "good", "z")
		if n, err := r.Once(t.Context()); err != nil || n != 2 || tries.Load() != 1 {
			t.Errorf("%d %v, %d tries at once", n, err, tries.Load())
		}
	})
	t.Run("a follower that is down holds up its own events only", func(t *testing.T) {
		f := setUp(t)
		var told, kept []string
		down := true
		service := whole(func(events []*recordsgen.Event) error {
			if down {
				return errors.New("connection refused")
			}
			for _, e := range events {
				told = append(told, e.Id)
			}
			return nil
		})
		r := outbox.New(outbox.Deps{DB: f.db, Points: f.points, Notify: service, Audit: books(func(e *recordsgen.Event) { kept = append(kept, e.Id) })})
		f.checkIn(t, "m9", "w", model.Event{ID: "a-m9:w", Kind: model.EventAudited, At: time.Now(), Payload: []byte("{}")})
		if n, err := r.Once(t.Context()); err != nil || n != 2 || f.entries(t, "w").Sum != 200 || !slices.Equal(kept, []string{"a-m9:w"}) {
			t.Fatalf("%d handed on, %v; sum %d, audit %v", n, err, f.entries(t, "w").Sum, kept)
		}
		down = false
		next := outbox.New(outbox.Deps{DB: f.db, Points: f.points, Notify: service})
		if n, err := next.Once(t.Context()); err != nil || n != 1 || f.waiting(t) != 0 || !slices.Equal(told, []string{"e-m9:w"}) {
			t.Fatalf("%d handed on, %v; told %v", n, err, told)
		}
	})
	t.Run("one that hangs is left alone for a while", func(t *testing.T) {
		f := setUp(t)
		calls := 0
		r := outbox.New(outbox.Deps{DB: f.db, Points: f.points, Notify: whole(func([]*recordsgen.Event) error {
			calls++
			time.Sleep(1100 * time.Millisecond) // a service that is stuck
			return errors.New("deadline")
		})})
		for i := range 3 {
			f.checkIn(t, "m11", fmt.Sprint("h", i))
			if n, err := r.Once(t.Context()); err != nil || n != 1 {
				t.Fatalf("%d handed on, %v", n, err)
			}
			if f.entries(t, fmt.Sprint("h", i)).Sum != 200 || calls != 1 {
				t.Fatalf("no points beside a follower that hangs, or it was asked %d times", calls)
			}
		}
	})
	t.Run("one event at which a follower fails as a whole does not keep the others", func(t *testing.T) {
		f := setUp(t)
		var told []string
		r := outbox.New(outbox.Deps{DB: f.db, Points: f.points, Notify: whole(func(events []*recordsgen.Event) error {
			if slices.ContainsFunc(events, func(e *recordsgen.Event) bool { return e.Id == "e-m10:p3" }) {
				return errors.New("panic")
			}
			for _, e := range events {
				told = append(told, e.Id)
			}
			return nil
		})})
		for i := range 8 {
			f.checkIn(t, "m10", fmt.Sprint("p", i))
		}
		if n, err := r.Once(t.Context()); err != nil || n != 15 {
			t.Fatalf("%d handed on, %v", n, err)
		}
		if len(told) != 7 || f.waiting(t) != 1 {
			t.Fatalf("told %v, %d wait", told, f.waiting(t))
		}
	})
}

func TestTwoRelays(t *testing.T) {
	for name, claims := range map[string]bool{"with claims": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			f := setUp(t)
			d := outbox.Deps{DB: f.db, Points: f.points, Notify: notify(fine)}
			if claims {
				d.Redis = modeltest.Redis(t)
			}
			for i := range 60 {
				f.checkIn(t, fmt.Sprint("m", i%3), fmt.Sprint("p", i))
			}
			var wg sync.WaitGroup
			for range 2 {
				r := outbox.New(d)
				wg.Go(func() {
					for deadline := time.Now().Add(time.Minute); f.waiting(t) > 0 && time.Now().Before(deadline); {
						if _, err := r.Once(t.Context()); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			for i := range 60 {
				if l := f.entries(t, fmt.Sprint("p", i)); l.Total != 1 || l.Sum != 200 {
					t.Errorf("p%d: %d entries, sum %d", i, l.Total, l.Sum)
				}
			}
		})
	}
}

func TestRunStops(t *testing.T) {
	f := setUp(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	handed := make(chan struct{}, 10)
	go func() {
		done <- outbox.Run(ctx, outbox.Deps{DB: f.db, Points: f.points, Notify: notify(func(*recordsgen.Event) error { handed <- struct{}{}; return nil })})
	}()
	f.checkIn(t, "m1", "a")
	<-handed
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if f.waiting(t) != 0 {
		t.Error("what was begun was not finished")
	}
}
