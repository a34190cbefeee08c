package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model/docstore"
)

// TestBackupAndRestore goes the way of an operator: serve, back up while it runs, restore
// elsewhere, serve that.
func TestBackupAndRestore(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	start := func(data string) (c *mongo.Client, addr string, stop func()) {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0") // a free port
		if err != nil {
			t.Fatal(err)
		}
		addr = l.Addr().String()
		l.Close()
		run, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- realMain(run, []string{"-listen", addr, "-data", data}) }()
		if c, err = mongo.Connect(options.Client().ApplyURI("mongodb://" + addr).SetServerSelectionTimeout(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return c, addr, func() {
			_ = c.Disconnect(ctx)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	a, b, file := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "backup")
	c, addr, stop := start(a)
	docs := make([]any, 5000)
	for i := range docs {
		docs[i] = bson.D{{Key: "_id", Value: i}, {Key: "s", Value: strings.Repeat("x", 1000)}}
	}
	if _, err := c.Database("d").Collection("c").InsertMany(ctx, docs); err != nil {
		t.Fatal(err)
	}
	if err := realMain(ctx, []string{"backup", "-uri", "mongodb://" + addr, "-o", file}); err != nil {
		t.Fatal(err)
	}
	if err := realMain(ctx, []string{"backup", "-data", a, "-o", file + "2"}); err != nil { // the directory in use
		t.Fatal(err)
	}
	stop()
	if err := realMain(ctx, []string{"backup", "-data", a, "-o", file + "3"}); err != nil { // and at rest
		t.Fatal(err)
	}
	for i, name := range []string{file, file + "2", file + "3"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
		to := fmt.Sprint(b, i)
		if err := realMain(ctx, []string{"restore", "-data", to, "-i", name}); err != nil {
			t.Fatal(err)
		}
		c, _, stop = start(to)
		if n, err := c.Database("d").Collection("c").CountDocuments(ctx, bson.D{}); err != nil || n != int64(len(docs)) {
			t.Errorf("%d documents, %v", n, err)
		}
		stop()
	}
	if left, err := filepath.Glob(file + "*"); err != nil || len(left) != 3 {
		t.Errorf("%v %v", left, err)
	}
}

// TestOwner starts a second server on a directory in use, as the command does it.
func TestOwner(t *testing.T) {
	dir := t.TempDir()
	s, err := docstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := realMain(context.Background(), []string{"-listen", "127.0.0.1:0", "-data", dir}); err == nil || !strings.Contains(err.Error(), "one process owns a directory") {
		t.Errorf("a second server: %v", err)
	}
	for _, args := range [][]string{{}, {"backup", "-o", "f"}, {"backup", "-o", "f", "-data", dir, "-uri", "u"}, {"restore", "-data", dir}, {"frob"}} {
		if err := realMain(context.Background(), args); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
