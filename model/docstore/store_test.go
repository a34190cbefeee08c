package docstore

import (
	"context"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model/mongotest"
)

// open opens a store for a test and closes it behind it.
func open(t testing.TB, dir string, opts ...Option) *Store {
	t.Helper()
	s, err := Open(dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// server is an empty database: on the server that MONGO_TEST_URI names, or of a store in a
// directory. The tests that stand on it, TestMongo…, state what every MongoDB does.
func server(t testing.TB, dir string) *mongo.Database {
	t.Helper()
	if db := mongotest.DB(t); db != nil {
		return db
	}
	return connect(t, open(t, dir)).Database("d")
}

// connect gives a client of the store in process.
func connect(t testing.TB, s *Store) *mongo.Client {
	t.Helper()
	c, err := mongo.Connect(options.Client().ApplyURI("mongodb://embedded").SetDialer(s.Dialer()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // a client of a closed store would look for it for 30 s
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.Disconnect(ctx)
	})
	return c
}

func TestReopen(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, s).Database("d").Collection("c")
	if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}, {Key: "a", Value: "x"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: "y"}}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c = connect(t, open(t, dir)).Database("d").Collection("c")
	var got bson.M
	if err := c.FindOne(ctx, bson.D{}).Decode(&got); err != nil || got["a"] != "y" {
		t.Fatalf("got %v, %v", got, err)
	}
}
