package docstore

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

var crashRounds = flag.Int("crash-rounds", 200, "how often TestCrash kills its child")

const crashDir = "DOCSTORE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := crashChild(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const crashWriters = 8

// crashChild writes for ever: each of its writers inserts, counts up and deletes documents of
// its own, and says on standard output what has been acknowledged.
func crashChild(dir string) error {
	s, err := Open(dir, WithSnapshotAfter(50_000))
	if err != nil {
		return err
	}
	cl, err := mongo.Connect(options.Client().ApplyURI("mongodb://embedded").SetDialer(s.Dialer()))
	if err != nil {
		return err
	}
	c, ctx := cl.Database("d").Collection("c"), context.Background()
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "w", Value: 1}, {Key: "n", Value: -1}}}); err != nil {
		return err
	}
	fmt.Println("open")
	var mu sync.Mutex
	say := func(format string, a ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", a...)
	}
	for w := range crashWriters {
		go func() {
			var last struct {
				N int `bson:"n"`
			}
			id := fmt.Sprint("w", w)
			if err := c.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&last); err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
				say("error %v", err)
				return
			}
			for n := last.N + 1; ; n++ {
				up := options.UpdateOne().SetUpsert(true)
				if _, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: n}, {Key: "w", Value: w}}}}, up); err != nil {
					say("error %v", err)
					return
				}
				say("n %d %d", w, n)
				// Two documents in one command are there together or not at all.
				if _, err := c.InsertMany(ctx, []any{bson.D{{Key: "_id", Value: fmt.Sprintf("%s-%d-a", id, n)}}, bson.D{{Key: "_id", Value: fmt.Sprintf("%s-%d-b", id, n)}}}); err != nil {
					say("error %v", err)
					return
				}
				say("i %d %d", w, n)
				if n > 5 {
					if _, err := c.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: bson.A{fmt.Sprintf("%s-%d-a", id, n-5), fmt.Sprintf("%s-%d-b", id, n-5)}}}}}); err != nil {
						say("error %v", err)
						return
					}
					say("d %d %d", w, n-5)
				}
			}
		}()
	}
	select {}
}

// TestCrash kills -9 a writing process at random moments, again and again on the same
// directory: whatever was acknowledged is there, and nothing half done.
func TestCrash(t *testing.T) {
	t.Parallel()
	rounds := *crashRounds
	if testing.Short() {
		rounds = min(rounds, 20)
	}
	dir := t.TempDir()
	seen := make([]int, crashWriters) // acknowledged counter of each writer
	total := 0
	for round := range rounds {
		inserted, deleted := map[string]bool{}, map[string]bool{}
		started := map[string]bool{}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir, "GOMAXPROCS=2")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var kill *time.Timer
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var w, n int
			switch line := lines.Text(); {
			case line == "open":
				kill = time.AfterFunc(time.Duration(rand.IntN(80_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
			case strings.HasPrefix(line, "error"):
				_ = cmd.Process.Kill()
				t.Fatalf("round %d: %s", round, line)
			default:
				var what string
				if n, _ := fmt.Sscan(line, &what, &w, &n); n < 3 {
					continue // cut off by the kill
				}
				if _, err := fmt.Sscan(line, &what, &w, &n); err != nil {
					continue
				}
				total++
				key := fmt.Sprintf("w%d-%d", w, n)
				switch what {
				case "n":
					seen[w] = n
				case "i":
					inserted[key] = true
					started[fmt.Sprintf("w%d-%d", w, n-5)] = true // its deletion may be under way
				case "d":
					deleted[key] = true
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if kill == nil {
			t.Fatalf("round %d: the child did not open the store", round)
		}
		kill.Stop()
		s, err := Open(dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		v := s.view("d.c")
		for w, n := range seen {
			if r := v.byID(string(appendKey(nil, vStr(fmt.Sprint("w", w))))); n > 0 && (r == nil || asIntMust(get(r.doc, "n")) < int64(n)) {
				t.Errorf("round %d: writer %d had %d acknowledged, the store has %v", round, w, n, r)
			}
		}
		has := func(key, half string) bool {
			return v.byID(string(appendKey(nil, vStr(key+half)))) != nil
		}
		for key := range inserted {
			if !deleted[key] && !started[key] && !has(key, "-a") {
				t.Errorf("round %d: %s was acknowledged and is gone", round, key)
			}
		}
		for key := range deleted {
			if has(key, "-a") || has(key, "-b") {
				t.Errorf("round %d: %s was deleted and is there", round, key)
			}
		}
		v.each(func(d raw) bool {
			if id := str(get(d, "_id")); strings.Contains(id, "-") {
				if key := id[:len(id)-2]; has(key, "-a") != has(key, "-b") {
					t.Errorf("round %d: only one half of %s is there", round, key)
				}
			}
			return true
		})
		for _, ix := range v.ix {
			if ix.tree.Len() != v.rows.Len() {
				t.Errorf("round %d: index %s has %d keys for %d documents", round, ix.name, ix.tree.Len(), v.rows.Len())
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills, %d acknowledged writes", rounds, total)
}
