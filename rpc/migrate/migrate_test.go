package migrate_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/migrate"
)

// old is a store from before there were migrations.
func old(t *testing.T) migrate.Store {
	t.Helper()
	s := migrate.Store{DB: modeltest.DB(t), Seal: modeltest.Sealer(t)}
	put(t, s, "things", bson.D{{Key: "_id", Value: "a"}})
	return s
}

func put(t *testing.T, s migrate.Store, collection string, doc bson.D) {
	t.Helper()
	if _, err := s.DB.Collection(collection).InsertOne(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
}

// history is what the store says of its migrations.
func history(t *testing.T, s migrate.Store) string {
	t.Helper()
	var n struct {
		Holder string
		Done   []struct {
			Number int
			Name   string
		}
	}
	err := s.DB.Collection("installation").FindOne(t.Context(), bson.D{{Key: "_id", Value: "migrations"}}).Decode(&n)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		t.Fatal(err)
	}
	if n.Holder != "" {
		t.Errorf("left claimed by %s", n.Holder)
	}
	var names []string
	for i, d := range n.Done {
		if d.Number != i+1 {
			t.Errorf("number %d stands at %d", d.Number, i+1)
		}
		names = append(names, d.Name)
	}
	return strings.Join(names, " ")
}

// ran notes the migrations that ran, in order.
type ran struct {
	mu    sync.Mutex
	names []string
}

func (r *ran) step(number int, name string, does func(context.Context, migrate.Store) error) migrate.Migration {
	return migrate.Migration{Number: number, Name: name, Run: func(ctx context.Context, s migrate.Store) error {
		r.mu.Lock()
		r.names = append(r.names, name)
		r.mu.Unlock()
		if does == nil {
			return nil
		}
		return does(ctx, s)
	}}
}

func (r *ran) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.names, " ")
}

func TestRun(t *testing.T) {
	t.Run("what is missing runs once, in order, and is noted", func(t *testing.T) {
		s, r := old(t), &ran{}
		all := []migrate.Migration{r.step(1, "one", nil), r.step(2, "two", nil), r.step(3, "three", nil)}
		for i, want := range []string{"one two", "one two", "one two three"} {
			if err := migrate.Run(t.Context(), s, all[:2+i/2]); err != nil {
				t.Fatal(err)
			}
			if r.String() != want || history(t, s) != want {
				t.Fatalf("ran %s, noted %s, want %s", r, history(t, s), want)
			}
		}
	})
	t.Run("an empty store is in today's form", func(t *testing.T) {
		s, r := migrate.Store{DB: modeltest.DB(t), Seal: modeltest.Sealer(t)}, &ran{}
		put(t, s, "installation", bson.D{{Key: "_id", Value: "key"}}) // the check of the key comes first
		all := []migrate.Migration{r.step(1, "one", nil), r.step(2, "two", nil)}
		if err := migrate.Run(t.Context(), s, all); err != nil || r.String() != "" || history(t, s) != "one two" {
			t.Fatalf("%v; ran %q, noted %q", err, r, history(t, s))
		}
	})
	t.Run("of many that start at once one runs them and the others wait", func(t *testing.T) {
		s, r := old(t), &ran{}
		inside := false
		all := []migrate.Migration{r.step(1, "one", func(ctx context.Context, s migrate.Store) error {
			if inside {
				t.Error("two at once")
			}
			inside = true
			_, err := s.DB.Collection("things").InsertOne(ctx, bson.D{{Key: "_id", Value: "one"}})
			return err
		}), r.step(2, "two", nil)}
		var together sync.WaitGroup
		for range 8 {
			together.Go(func() {
				if err := migrate.Run(t.Context(), s, all); err != nil {
					t.Error(err)
				}
				if r.String() != "one two" {
					t.Errorf("began when %q had run", r)
				}
			})
		}
		together.Wait()
		if history(t, s) != "one two" {
			t.Error(history(t, s))
		}
	})
	t.Run("a failure or a panic refuses the start; the next goes on where it ended", func(t *testing.T) {
		s, r := old(t), &ran{}
		fault := errors.New("no room")
		all := []migrate.Migration{r.step(1, "one", nil), r.step(2, "two", func(context.Context, migrate.Store) error { return fault }), r.step(3, "three", nil)}
		if err := migrate.Run(t.Context(), s, all); !errors.Is(err, fault) || !strings.Contains(err.Error(), "migration 2, two") || history(t, s) != "one" {
			t.Fatalf("%v, noted %q", err, history(t, s))
		}
		all[1] = r.step(2, "two", func(context.Context, migrate.Store) error { panic("a mistake of ours") })
		if err := migrate.Run(t.Context(), s, all); err == nil || history(t, s) != "one" {
			t.Fatalf("%v, noted %q", err, history(t, s))
		}
		all[1] = r.step(2, "two", nil)
		if err := migrate.Run(t.Context(), s, all); err != nil || r.String() != "one two two two three" || history(t, s) != "one two three" {
			t.Fatalf("%v; ran %s, noted %s", err, r, history(t, s))
		}
	})
	t.Run("what one leaves that was killed is done again after its claim", func(t *testing.T) {
		s, r := old(t), &ran{}
		died := time.Now()
		put(t, s, "installation", bson.D{
			{Key: "_id", Value: "migrations"}, {Key: "done", Value: bson.A{}}, {Key: "holder", Value: "dead"}, {Key: "until", Value: died.Add(time.Second)},
		})
		if err := migrate.Run(t.Context(), s, []migrate.Migration{r.step(1, "one", nil)}); err != nil || history(t, s) != "one" {
			t.Fatalf("%v, noted %q", err, history(t, s))
		}
		if waited := time.Since(died); waited < time.Second {
			t.Errorf("took over after %v, while the other may live", waited)
		}
	})
	t.Run("one whose claim ran out notes nothing and waits", func(t *testing.T) {
		s, r := old(t), &ran{}
		stolen := false
		all := []migrate.Migration{r.step(1, "one", func(ctx context.Context, s migrate.Store) error {
			if stolen {
				return nil
			}
			stolen = true
			_, err := s.DB.Collection("installation").UpdateOne(ctx, bson.D{{Key: "_id", Value: "migrations"}},
				bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: "another"}, {Key: "until", Value: time.Now().Add(time.Second / 2)}}}})
			return err
		}), r.step(2, "two", nil)}
		if err := migrate.Run(t.Context(), s, all); err != nil || r.String() != "one one two" || history(t, s) != "one two" {
			t.Fatalf("%v; ran %s, noted %s", err, r, history(t, s))
		}
	})
	t.Run("a store of a newer or another program is refused and stays as it is", func(t *testing.T) {
		s, r := old(t), &ran{}
		all := []migrate.Migration{r.step(1, "one", nil), r.step(2, "two", nil)}
		if err := migrate.Run(t.Context(), s, all); err != nil {
			t.Fatal(err)
		}
		if err := migrate.Run(t.Context(), s, all[:1]); !errors.Is(err, migrate.ErrNewer) {
			t.Errorf("newer: %v", err)
		}
		if err := migrate.Run(t.Context(), s, []migrate.Migration{all[0], r.step(2, "zwei", nil), r.step(3, "three", nil)}); err == nil || !strings.Contains(err.Error(), "zwei") {
			t.Errorf("another: %v", err)
		}
		if r.String() != "one two" || history(t, s) != "one two" {
			t.Errorf("ran %s, noted %s", r, history(t, s))
		}
	})
}

func TestAll(t *testing.T) {
	names := map[string]bool{}
	for i, m := range migrate.All {
		if m.Number != i+1 || m.Name == "" || names[m.Name] || m.Run == nil {
			t.Errorf("migration %d at place %d, %q", m.Number, i+1, m.Name)
		}
		names[m.Name] = true
	}
}

// first runs the first migrations of the product.
func first(n int) []migrate.Migration { return migrate.All[:n] }

func TestRenameCollections(t *testing.T) {
	count := func(t *testing.T, s migrate.Store, name string) int64 {
		t.Helper()
		n, err := s.DB.Collection(name).CountDocuments(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	one := bson.D{{Key: "_id", Value: "o1"}, {Key: "orderNo", Value: "7"}}
	t.Run("documents and indexes move, and what is not there is no fault", func(t *testing.T) {
		s := old(t)
		put(t, s, "dues_orders", one)
		if _, err := s.DB.Collection("dues_orders").Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{{Key: "orderNo", Value: 1}}}); err != nil {
			t.Fatal(err)
		}
		if err := migrate.Run(t.Context(), s, first(1)); err != nil {
			t.Fatal(err)
		}
		specs, err := s.DB.Collection("duesOrders").Indexes().ListSpecifications(t.Context())
		if err != nil || len(specs) != 2 || count(t, s, "duesOrders") != 1 || count(t, s, "dues_orders") != 0 {
			t.Errorf("%v %v; %d there, %d left", specs, err, count(t, s, "duesOrders"), count(t, s, "dues_orders"))
		}
	})
	t.Run("an empty collection of either name makes way", func(t *testing.T) {
		s := old(t)
		for _, empty := range []string{"duesOrders", "points_rules"} {
			if err := s.DB.CreateCollection(t.Context(), empty); err != nil {
				t.Fatal(err)
			}
		}
		put(t, s, "dues_orders", one)
		put(t, s, "pointsRules", one)
		if err := migrate.Run(t.Context(), s, first(1)); err != nil {
			t.Fatal(err)
		}
		if count(t, s, "duesOrders") != 1 || count(t, s, "pointsRules") != 1 {
			t.Error("a document is lost")
		}
	})
	t.Run("documents under both names are kept, and the start is refused", func(t *testing.T) {
		s := old(t)
		put(t, s, "dues_orders", one)
		put(t, s, "duesOrders", one)
		err := migrate.Run(t.Context(), s, first(1))
		if err == nil || !strings.Contains(err.Error(), "dues_orders (1)") || count(t, s, "duesOrders") != 1 || count(t, s, "dues_orders") != 1 {
			t.Errorf("%v; %d and %d", err, count(t, s, "duesOrders"), count(t, s, "dues_orders"))
		}
	})
}
