// Package modeltest gives tests a store, a Redis and a Sealer of their own, so that
// services are tested against what they run on and never against a mock of it.
package modeltest

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/model/docstore"
	"zhihuidangjian/model/mongotest"
)

// DB is an empty database that lives as long as the test: of an embedded store of its own,
// or on the server that MONGO_TEST_URI names.
func DB(t testing.TB) *mongo.Database {
	t.Helper()
	if db := mongotest.DB(t); db != nil {
		return db
	}
	s, err := docstore.Open(t.TempDir())
	if err != nil {
		t.Fatalf("open the document store: %v", err)
	}
	c, err := mongo.Connect(options.Client().ApplyURI("mongodb://embedded").SetDialer(s.Dialer()))
	if err != nil {
		t.Fatalf("connect to the document store: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := c.Disconnect(ctx); err != nil {
			t.Errorf("disconnect: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close the document store: %v", err)
		}
	})
	return c.Database("test")
}

// Redis is an empty Redis that lives as long as the test.
func Redis(t testing.TB) redis.UniversalClient {
	t.Helper()
	s := miniredis.RunT(t)
	c := redis.NewClient(&redis.Options{Addr: s.Addr()})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Sealer is one with a key known to everybody.
func Sealer(t testing.TB) *model.Sealer {
	t.Helper()
	s, err := model.NewSealer([]byte("a key for tests only, of 32 bytes and more"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
