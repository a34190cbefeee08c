// Package mongotest gives tests a database on any server that speaks MongoDB's protocol.
// Without MONGO_TEST_URI there is none, and tests stand on the embedded document store.
package mongotest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Variable is the environment variable that names the server, mongodb://….
const Variable = "MONGO_TEST_URI"

// Database names a database that nobody else has on the server that Variable names; uri is
// empty without one. Who made use of the database drops it at the end.
func Database() (uri, name string, drop func() error) {
	uri = os.Getenv(Variable)
	if uri == "" {
		return "", "", func() error { return nil }
	}
	name = "zhdj_test_" + strings.ToLower(rand.Text())
	return uri, name, func() error {
		c, err := connect(uri)
		if err != nil {
			return err
		}
		return dropAndLeave(c, name)
	}
}

// DB is an empty database on the server that lives as long as the test; nil without a server.
func DB(t testing.TB) *mongo.Database {
	t.Helper()
	uri, name, _ := Database()
	if uri == "" {
		return nil
	}
	if err := reachable(); err != nil {
		t.Fatal(err)
	}
	c, err := connect(uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dropAndLeave(c, name); err != nil {
			t.Error(err)
		}
	})
	return c.Database(name)
}

// reachable asks once whether the server answers: a wrong address fails every test at once,
// and not each after a wait of its own.
var reachable = sync.OnceValue(func() error {
	c, err := connect(os.Getenv(Variable))
	if err != nil {
		return err
	}
	defer func() { _ = c.Disconnect(context.Background()) }()
	if err := c.Ping(context.Background(), nil); err != nil {
		return fmt.Errorf("%s: %w", Variable, err)
	}
	return nil
})

func connect(uri string) (*mongo.Client, error) {
	c, err := mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(10 * time.Second))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Variable, err)
	}
	return c, nil
}

func dropAndLeave(c *mongo.Client, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := errors.Join(c.Database(name).Drop(ctx), c.Disconnect(ctx)); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	return nil
}
