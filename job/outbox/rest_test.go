package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/job/outbox"
	"zhihuidangjian/model"
	"zhihuidangjian/model/docstore"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
)

// spy is a database that notes the commands sent to it.
type spy struct {
	*mongo.Database
	mu   sync.Mutex
	sent []string
}

func watch(t *testing.T) *spy {
	t.Helper()
	store, err := docstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{}
	c, err := mongo.Connect(options.Client().ApplyURI("mongodb://embedded").SetDialer(store.Dialer()).SetMonitor(&event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent = append(s.sent, e.CommandName)
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Disconnect(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	s.Database = c.Database("test")
	return s
}

// commands are those sent since the last time.
func (s *spy) commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// seventy are record types, each with a collection of its own.
func seventy(context.Context) (types []*recordsgen.TypeInfo, err error) {
	for i := range 75 {
		types = append(types, &recordsgen.TypeInfo{Type: fmt.Sprint("t", i), Collection: fmt.Sprint("c", i)})
	}
	return types, nil
}

// TestRest: the relay reads only collections in which something was written. Once it read each
// of them: 75 and 3 finds for a look at all, and 3 for each between.
func TestRest(t *testing.T) {
	db := watch(t)
	var told []string
	r := outbox.New(outbox.Deps{DB: db.Database, Types: seventy, Notify: notify(func(e *recordsgen.Event) error { told = append(told, e.Id); return nil })})
	collections := map[string]*model.Collection[*model.Role]{}
	for _, name := range []string{"meetings", "c0", "c41", "c74"} {
		collections[name] = model.NewCollection[*model.Role](db.Database, name, time.Now)
		if err := collections[name].EnsureIndexes(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look := func(want int, commands ...string) {
		t.Helper()
		db.commands()
		n, err := r.Once(t.Context())
		if err != nil || n != want {
			t.Errorf("%d handed on, want %d; %v", n, want, err)
		}
		if got := db.commands(); !slices.Equal(got, commands) {
			t.Errorf("sent %v, want %v", got, commands)
		}
	}
	write := func(name, id string) {
		t.Helper()
		doc := &model.Role{Base: model.Base{ID: id}}
		doc.Tell(id, time.Now(), model.Told{UserIDs: []string{"u"}})
		if err := collections[name].Insert(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
	}
	look(0, "aggregate") // at all
	look(0, "aggregate") // at those with bursts, within the same second
	write("meetings", "e1")
	look(1, "aggregate", "find", "update")
	r = outbox.New(outbox.Deps{DB: db.Database, Types: seventy, Notify: notify(func(e *recordsgen.Event) error { told = append(told, e.Id); return nil })})
	write("c0", "e2")
	write("c41", "e3")
	write("c74", "e4")
	look(3, "aggregate", "find", "update", "find", "update", "find", "update")
	look(0, "aggregate")
	if slices.Sort(told); !slices.Equal(told, []string{"e1", "e2", "e3", "e4"}) {
		t.Errorf("told %v", told)
	}
	// What the question costs: the index tells that there is nothing, no document is read.
	var plan struct {
		ExecutionStats struct {
			TotalDocsExamined int `bson:"totalDocsExamined"`
		} `bson:"executionStats"`
	}
	err := db.RunCommand(t.Context(), bson.D{{Key: "explain", Value: bson.D{{Key: "find", Value: "c41"},
		{Key: "filter", Value: bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}}}}}}).Decode(&plan)
	if err != nil || plan.ExecutionStats.TotalDocsExamined != 0 {
		t.Errorf("%+v %v", plan, err)
	}
}

// TestFigures: what waits for each follower, since when, and how much of it was refused.
func TestFigures(t *testing.T) {
	f, redis := setUp(t), modeltest.Redis(t)
	began := time.Now().Truncate(time.Millisecond)
	down := true
	relay := func() *outbox.Relay {
		return outbox.New(outbox.Deps{DB: f.db, Redis: redis, Points: f.points, Notify: whole(func([]*recordsgen.Event) error {
			if down {
				return errors.New("connection refused")
			}
			return nil
		})})
	}
	told := func() map[string]kit.Follower {
		t.Helper()
		all, looked, err := kit.FollowersOf(t.Context(), redis)
		if err != nil || looked.Before(began) {
			t.Fatal(looked, err)
		}
		return all
	}
	if all, looked, err := kit.FollowersOf(t.Context(), redis); err != nil || len(all) != 0 || !looked.IsZero() {
		t.Fatal("before any relay", all, looked, err)
	}
	once := func(r *outbox.Relay) {
		t.Helper()
		if _, err := r.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []string{"a", "b", "c"} {
		f.checkIn(t, "m1", who)
	}
	once(relay())
	got := told()["notify"]
	if got.Waiting != 3 || got.Refused != 3 || got.Oldest.Before(began) || got.Oldest.After(time.Now()) {
		t.Errorf("of a follower that is down: %+v", got)
	}
	once(relay()) // after a restart of the relay the events are refused once more
	if again := told(); again["notify"].Waiting != 3 || again["notify"].Refused != 6 || !again["notify"].Oldest.Equal(got.Oldest) {
		t.Errorf("refused once more: %+v", again["notify"])
	}
	if x := told()["points"]; x.Waiting != 0 || x.Refused != 0 || !x.Oldest.IsZero() {
		t.Errorf("of one beside it: %+v", x)
	}
	down = false
	once(relay())
	once(relay())
	if x := told()["notify"]; x.Waiting != 0 || x.Refused != 6 || !x.Oldest.IsZero() {
		t.Errorf("when it is back: %+v", x)
	}
}
