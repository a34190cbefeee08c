package docstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// together runs f in n goroutines at once and counts those that return no error.
func together(n int, f func(i int) error) (ok int64, errs []error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			err := f(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ok++
			} else {
				errs = append(errs, err)
			}
		})
	}
	close(start)
	wg.Wait()
	return ok, errs
}

func id(v any) bson.D { return bson.D{{Key: "_id", Value: v}} }

func inc(f string, n int) bson.D {
	return bson.D{{Key: "$inc", Value: bson.D{{Key: f, Value: n}}}}
}

// TestMongoAtomicity is the suite's concurrency cases; run with -race.
func TestMongoAtomicity(t *testing.T) {
	t.Parallel()
	c, ctx := server(t, t.TempDir()).Collection("c"), context.Background()
	upsert := options.UpdateOne().SetUpsert(true)
	number := func(key any, f string) int32 {
		var m bson.M
		if err := c.FindOne(ctx, id(key)).Decode(&m); err != nil {
			t.Fatal(err)
		}
		return m[f].(int32)
	}
	insert := func(d bson.D) {
		t.Helper()
		if _, err := c.InsertOne(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	after := options.FindOneAndUpdate().SetReturnDocument(options.After)
	t.Run("counter", func(t *testing.T) {
		insert(append(id("n"), bson.E{Key: "n", Value: 0}))
		ok, _ := together(100, func(int) error { _, err := c.UpdateOne(ctx, id("n"), inc("n", 1)); return err })
		if n := number("n", "n"); ok != 100 || n != 100 {
			t.Errorf("%d acknowledged, counter %d", ok, n)
		}
	})
	t.Run("sequence", func(t *testing.T) {
		insert(append(id("s"), bson.E{Key: "n", Value: 0}))
		var seen sync.Map
		ok, errs := together(100, func(int) error {
			var m bson.M
			err := c.FindOneAndUpdate(ctx, id("s"), inc("n", 1), after).Decode(&m)
			if _, dup := seen.LoadOrStore(m["n"], true); dup {
				return fmt.Errorf("number %v given twice", m["n"])
			}
			return err
		})
		if ok != 100 {
			t.Error(errs)
		}
	})
	t.Run("claims", func(t *testing.T) {
		for i := range 100 {
			insert(bson.D{{Key: "_id", Value: fmt.Sprint("slot", i)}, {Key: "free", Value: true}})
		}
		var seen sync.Map
		ok, errs := together(100, func(i int) error {
			var m bson.M
			err := c.FindOneAndUpdate(ctx, bson.D{{Key: "free", Value: true}}, bson.D{{Key: "$set", Value: bson.D{{Key: "free", Value: false}}}}, after).Decode(&m)
			if _, dup := seen.LoadOrStore(m["_id"], true); dup {
				return fmt.Errorf("%v claimed twice", m["_id"])
			}
			return err
		})
		if ok != 100 {
			t.Error(errs)
		}
	})
	t.Run("stock", func(t *testing.T) {
		insert(append(id("p"), bson.E{Key: "stock", Value: 50}))
		var sold atomic.Int64
		together(100, func(int) error {
			r, err := c.UpdateOne(ctx, append(id("p"), bson.E{Key: "stock", Value: bson.D{{Key: "$gt", Value: 0}}}), inc("stock", -1))
			if err == nil {
				sold.Add(r.ModifiedCount)
			}
			return err
		})
		if n := number("p", "stock"); n != 0 || sold.Load() != 50 {
			t.Errorf("sold %d, left %d", sold.Load(), n)
		}
	})
	t.Run("upsert", func(t *testing.T) {
		ok, errs := together(100, func(int) error { _, err := c.UpdateOne(ctx, id("u"), inc("n", 1), upsert); return err })
		if n := number("u", "n"); ok != 100 || n != 100 {
			t.Errorf("counter %d, %v", n, errs)
		}
	})
	t.Run("one insert wins", func(t *testing.T) {
		ok, errs := together(100, func(int) error { _, err := c.InsertOne(ctx, id("one")); return err })
		if ok != 1 || len(errs) != 99 || !mongo.IsDuplicateKeyError(errs[98]) {
			t.Errorf("%d won", ok)
		}
	})
	t.Run("one unique key wins", func(t *testing.T) {
		if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "k", Value: 1}}, Options: options.Index().SetUnique(true).SetSparse(true)}); err != nil {
			t.Fatal(err)
		}
		ok, _ := together(100, func(int) error { _, err := c.InsertOne(ctx, bson.D{{Key: "k", Value: 1}}); return err })
		if ok != 1 {
			t.Errorf("%d won", ok)
		}
	})
	t.Run("compare and set", func(t *testing.T) {
		insert(bson.D{{Key: "_id", Value: "v"}, {Key: "ver", Value: 0}, {Key: "n", Value: 0}})
		ok, errs := together(20, func(int) error {
			for wins := 0; wins < 20; {
				var m bson.M
				if err := c.FindOne(ctx, id("v")).Decode(&m); err != nil {
					return err
				}
				r, err := c.UpdateOne(ctx, append(id("v"), bson.E{Key: "ver", Value: m["ver"]}), bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: m["n"].(int32) + 1}}}, {Key: "$inc", Value: bson.D{{Key: "ver", Value: 1}}}})
				if err != nil {
					return err
				}
				wins += int(r.ModifiedCount)
			}
			return nil
		})
		if n := number("v", "n"); ok != 20 || n != 400 {
			t.Errorf("n %d, %v", n, errs)
		}
	})
	t.Run("one delete counts", func(t *testing.T) {
		insert(id("x"))
		var n atomic.Int64
		together(100, func(int) error {
			r, err := c.DeleteOne(ctx, id("x"))
			if err == nil {
				n.Add(r.DeletedCount)
			}
			return err
		})
		if n.Load() != 1 {
			t.Errorf("deleted %d times", n.Load())
		}
	})
}

// TestReadersBesideWriter moves money between accounts, both sides in one command: every
// scan sees the whole sum, while indexes, snapshots and backups come and go.
func TestReadersBesideWriter(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), WithSnapshotAfter(100_000))
	c, ctx := connect(t, s).Database("d").Collection("c"), context.Background()
	const accounts, each = 50, 100
	for i := range accounts {
		if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: i}, {Key: "n", Value: each}}); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	repeat := func(f func() error) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2 {
		repeat(func() error { // a multi-update is one step for readers
			_, err := c.UpdateMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: bson.A{rand.IntN(accounts / 2), accounts/2 + rand.IntN(accounts/2)}}}}},
				mongo.Pipeline{{{Key: "$set", Value: bson.D{{Key: "n", Value: bson.D{{Key: "$cond", Value: bson.A{bson.D{{Key: "$lt", Value: bson.A{"$_id", accounts / 2}}}, bson.D{{Key: "$subtract", Value: bson.A{"$n", 1}}}, bson.D{{Key: "$add", Value: bson.A{"$n", 1}}}}}}}}}}})
			return err
		})
	}
	for range 2 {
		repeat(func() error {
			cur, err := c.Find(ctx, bson.D{}, options.Find().SetBatchSize(7).SetSort(bson.D{{Key: "n", Value: 1}}))
			if err != nil {
				return err
			}
			var ds []struct{ N int }
			if err := cur.All(ctx, &ds); err != nil {
				return err
			}
			sum := 0
			for _, d := range ds {
				sum += d.N
			}
			if len(ds) != accounts || sum != accounts*each {
				return fmt.Errorf("%d documents with %d in all", len(ds), sum)
			}
			return nil
		})
	}
	repeat(func() error {
		name, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "n", Value: 1}}})
		if err != nil {
			return err
		}
		return c.Indexes().DropOne(ctx, name)
	})
	repeat(func() error {
		var b bytes.Buffer
		if err := s.Backup(&b); err != nil {
			return err
		}
		dir := t.TempDir()
		if err := Restore(dir, &b); err != nil {
			return err
		}
		r, err := Open(dir)
		if err != nil {
			return err
		}
		sum := int64(0)
		r.view("d.c").each(func(d raw) bool { sum += asIntMust(get(d, "n")); return true })
		if sum != accounts*each {
			return fmt.Errorf("the backup has %d in all", sum)
		}
		return r.Close()
	})
	time.Sleep(2 * time.Second)
	close(stop)
	wg.Wait()
}

// TestCloseDuringBackup closes the store while a client has fetched half a backup.
func TestCloseDuringBackup(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cl, ctx := connect(t, s), context.Background()
	for i := range 8 {
		if _, err := cl.Database("d").Collection("c").InsertOne(ctx, bson.D{{Key: "_id", Value: i}, {Key: "b", Value: make([]byte, 1<<20)}}); err != nil {
			t.Fatal(err)
		}
	}
	cur, err := cl.Database("admin").RunCommandCursor(ctx, bson.D{{Key: "docstoreBackup", Value: 1}})
	if err != nil || !cur.Next(ctx) {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the store does not close")
	}
}

func TestRestoreRefusesBadBackups(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	c := connect(t, s).Database("d").Collection("c")
	for i := range 20 {
		if _, err := c.InsertOne(context.Background(), id(i)); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := s.Backup(&b); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < b.Len(); i += 13 {
		dir := t.TempDir()
		var d *DamageError
		if err := Restore(dir, bytes.NewReader(b.Bytes()[:i])); !errors.As(err, &d) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*.snap*")); left != nil {
			t.Fatalf("cut at %d: %v stays", i, left)
		}
	}
	dir := t.TempDir()
	if err := Restore(dir, bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := Restore(dir, bytes.NewReader(b.Bytes())); err == nil || !strings.Contains(err.Error(), "already holds a store") {
		t.Errorf("a second restore into the directory: %v", err)
	}
	if n := count(t, open(t, dir)); n != 20 {
		t.Errorf("%d documents", n)
	}
}

func processCPU() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// TestSize holds the store to its limits: 100,000 documents of 500 bytes with two more
// indexes in less than 400 MB, opened in less than 3 s.
func TestSize(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 50 MB")
	}
	dir, ctx := t.TempDir(), context.Background()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, s).Database("d").Collection("c")
	if _, err := c.Indexes().CreateMany(ctx, []mongo.IndexModel{{Keys: bson.D{{Key: "u", Value: 1}}, Options: options.Index().SetUnique(true)}, {Keys: bson.D{{Key: "g", Value: 1}, {Key: "at", Value: -1}}}}); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 100_000; i += 1000 {
		docs := make([]any, 1000)
		for j := range docs {
			docs[j] = bson.D{{Key: "_id", Value: bson.NewObjectID()}, {Key: "u", Value: fmt.Sprint("o", i+j)}, {Key: "g", Value: (i + j) % 50}, {Key: "at", Value: time.Unix(int64(i+j), 0)}, {Key: "s", Value: strings.Repeat("x", 430)}}
		}
		if _, err := c.InsertMany(ctx, docs); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"log", "snapshot"} {
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before, start, cpu := heap(), time.Now(), processCPU()
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		took := min(time.Since(start), processCPU()-cpu) // other processes may hold the machine
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		used, sys := (heap()-before)>>20, m.Sys>>20
		if n := s.view("d.c").rows.Len(); n != 100_000 {
			t.Errorf("%d documents", n)
		}
		t.Logf("from the %s: opened in %v, %d MB in use, %d MB taken from the system by the whole test", form, took, used, sys)
		if limit := 3 * time.Second; took > limit && !raceEnabled {
			t.Errorf("opened in %v, want less than %v", took, limit)
		}
		if used > 200 || sys > 400 && !raceEnabled {
			t.Errorf("%d MB in use, %d from the system", used, sys)
		}
		if form == "log" {
			if err := s.snapshot(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(snapName(dir, 2)); err != nil {
		t.Error(err)
	}
}
