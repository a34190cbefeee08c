package modeltest

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model/docstore"
	"zhihuidangjian/model/mongotest"
)

// TestServer stands tests on a server of their own: each has a database that nobody else
// sees, and none of it is left.
func TestServer(t *testing.T) {
	s, err := docstore.Open("")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	defer func() {
		_ = s.Close()
		<-served
	}()
	uri := "mongodb://" + l.Addr().String()
	t.Setenv(mongotest.Variable, uri)
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Disconnect(context.Background()) }()
	databases := func() []string {
		names, err := c.ListDatabaseNames(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "zhdj_test_") })
	}
	t.Run("tests", func(t *testing.T) {
		for range 2 {
			db := DB(t)
			if n, err := db.Collection("c").CountDocuments(t.Context(), bson.D{}); err != nil || n != 0 {
				t.Errorf("%s: %d documents of another test, %v", db.Name(), n, err)
			}
			if _, err := db.Collection("c").InsertOne(t.Context(), bson.D{}); err != nil {
				t.Fatal(err)
			}
		}
		if names := databases(); len(names) != 2 {
			t.Errorf("databases %v", names)
		}
	})
	if names := databases(); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}
