package docstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// fill makes a store of n documents, one log record each, and closes it.
func fill(t *testing.T, dir string, n int, opts ...Option) {
	t.Helper()
	s, err := Open(dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, s).Database("d").Collection("c")
	for i := range n {
		if _, err := c.InsertOne(context.Background(), bson.D{{Key: "_id", Value: i}, {Key: "s", Value: strings.Repeat("x", 50)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, s *Store) int64 {
	t.Helper()
	n, err := connect(t, s).Database("d").Collection("c").CountDocuments(context.Background(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// frames lists the offsets of the frames of a log.
func frames(t *testing.T, b []byte) (at []int) {
	t.Helper()
	for i := len(logMagic); i < len(b); {
		_, n, _, ok := frameAt(b[i:])
		if !ok {
			t.Fatalf("no frame at %d", i)
		}
		at = append(at, i)
		i += frameHeader + n
	}
	return at
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTornWrite cuts the log at every byte of the last record: the store opens, with all
// records before it.
func TestTornWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 5)
	name := logName(dir, 1)
	whole := read(t, name)
	at := frames(t, whole)
	last, end := at[len(at)-2], at[len(at)-1] // the very last one only says that the file was closed
	for cut := last; cut < end; cut++ {
		for _, pad := range []int{0, 4096} { // the space a log has reserved reads as zeros
			sub := t.TempDir()
			if err := os.WriteFile(logName(sub, 1), append(bytes.Clone(whole[:cut]), make([]byte, pad)...), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, sub)
			want := 4
			if pad > 0 && len(bytes.Trim(whole[cut:end], "\x00")) == 0 {
				want = 5 // only zeros are missing, and they are there
			}
			if n := s.view("d.c").rows.Len(); n != want {
				t.Fatalf("cut at %d of %d–%d: %d documents, want %d", cut, last, end, n, want)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDamage turns one bit at a time: every record but a last one that was cut off is
// reported with file and offset, and the file stays as it is.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 5)
	name := logName(dir, 1)
	whole := read(t, name)
	at := frames(t, whole)
	for i := 0; i < at[len(at)-1]; i++ {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir)
		var d *DamageError
		if !errors.As(err, &d) {
			if err == nil {
				s.Close()
			}
			t.Fatalf("byte %d: %v, want a DamageError", i, err)
		}
		want := 0
		for _, a := range at {
			if a <= i {
				want = a
			}
		}
		if d.File != name || d.Offset != int64(want) {
			t.Fatalf("byte %d: reported %s at %d, want at %d", i, d.File, d.Offset, want)
		}
		if !bytes.Equal(read(t, name), b) {
			t.Fatalf("byte %d: the damaged file was changed", i)
		}
	}
}

func TestSnapshotDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 50)
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.snapshot(), s.Close()); err != nil {
		t.Fatal(err)
	}
	name := snapName(dir, 2)
	whole := read(t, name)
	for i := 0; i < len(whole); i += 97 {
		for _, b := range [][]byte{whole[:i], slices.Concat(whole[:i], []byte{whole[i] ^ 1}, whole[i+1:])} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			var d *DamageError
			if _, err := Open(dir); !errors.As(err, &d) || d.File != name {
				t.Fatalf("byte %d of %d: %v", i, len(whole), err)
			}
		}
	}
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := count(t, open(t, dir)); n != 50 {
		t.Errorf("%d documents", n)
	}
}

func TestMissingFile(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 3)
	if err := os.Rename(logName(dir, 1), logName(dir, 3)); err != nil {
		t.Fatal(err)
	}
	var d *DamageError
	if _, err := Open(dir); !errors.As(err, &d) || d.File != logName(dir, 1) {
		t.Errorf("%v, want that file 1 is missing", err)
	}
}

// TestCrashBetweenFiles ends the process when the next log exists but has not got its first
// line: the records of the log before it stay.
func TestCrashBetweenFiles(t *testing.T) {
	for _, head := range []string{"", logMagic[:5]} {
		dir := t.TempDir()
		fill(t, dir, 3)
		if err := os.WriteFile(logName(dir, 2), []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		c := connect(t, s).Database("d").Collection("c")
		if _, err := c.InsertOne(context.Background(), bson.D{{Key: "_id", Value: 99}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if n := count(t, open(t, dir)); n != 4 {
			t.Errorf("%d documents, want 4", n)
		}
	}
}

func TestSecondOwner(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("belongs to another process (pid %d)", os.Getpid())) {
		t.Errorf("%v, want to be told about the owner", err)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, "/proc/self/docstore", "/proc/self"} {
		if s, err := Open(dir); err == nil {
			s.Close()
			t.Errorf("%s opens", dir)
		} else if !strings.Contains(err.Error(), "directory cannot be") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// TestReadOnlyDirectory opens a store as a user who may read its files and not write them.
func TestReadOnlyDirectory(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 3)
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range append(files, filepath.Dir(dir), dir) {
		mode := os.FileMode(0o555)
		if slices.Contains(files, name) {
			mode = 0o444
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _ = errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)) }()
	defer asNobody(t)()
	if s, err := Open(dir); err == nil {
		s.Close()
		t.Error("a read-only directory opens")
	} else if !strings.Contains(err.Error(), "directory cannot be written") {
		t.Error(err)
	}
}

// TestForeignFiles leaves alone what is not the store's.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 3)
	half, mine := snapName(dir, 7)+".tmp", filepath.Join(dir, "notes.tmp")
	for _, name := range []string{half, mine} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, open(t, dir)); n != 3 {
		t.Errorf("%d documents", n)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a snapshot stays: %v", err)
	}
}

// fullDisk lets so many bytes through and then fails like a full disk, in the middle of a
// write if need be.
type fullDisk struct {
	file
	mu   *sync.Mutex
	left *int64
	sync *error
}

func (f fullDisk) WriteAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := int(min(int64(len(b)), *f.left))
	*f.left -= int64(n)
	if _, err := f.file.WriteAt(b[:n], off); err != nil {
		return 0, err
	}
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f fullDisk) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *f.sync != nil {
		return *f.sync
	}
	return f.file.Sync()
}

// TestFullDisk lets the disk fill up under concurrent writers: what was acknowledged stays,
// what was refused is gone from memory too, indexes included, and writing goes on when there
// is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), context.Background()
	var mu sync.Mutex
	left, syncErr := int64(1<<40), error(nil)
	give := func(n int64, e error) {
		mu.Lock()
		defer mu.Unlock()
		left, syncErr = n, e
	}
	var told bytes.Buffer
	s, err := Open(dir, withFiles(func(name string) (file, error) {
		f, err := createFile(name)
		return fullDisk{f, &mu, &left, &syncErr}, err
	}), WithLogger(slog.New(slog.NewTextHandler(&told, nil))))
	if err != nil {
		t.Fatal(err)
	}
	cl := connect(t, s)
	c := cl.Database("d").Collection("c")
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "k", Value: 1}}, Options: options.Index().SetUnique(true)}); err != nil {
		t.Fatal(err)
	}
	acked, refused := map[int]bool{}, 0
	write := func(from, n int) {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := from + g; i < from+n; i += 8 {
					_, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: i}, {Key: "k", Value: i}, {Key: "s", Value: strings.Repeat("x", 200)}})
					mu.Lock()
					if err == nil {
						acked[i] = true
					} else if refused++; !strings.Contains(err.Error(), "no space left on device") {
						t.Errorf("%v, want it to name the full disk", err)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	}
	check := func() {
		t.Helper()
		cur, err := c.Find(ctx, bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		var ds []struct {
			ID int `bson:"_id"`
		}
		if err := cur.All(ctx, &ds); err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			if !acked[d.ID] {
				t.Errorf("%d is there, though it was refused", d.ID)
			}
		}
		if len(ds) != len(acked) {
			t.Errorf("%d documents, want %d", len(ds), len(acked))
		}
		var v bson.M
		if err := cl.Database("d").RunCommand(ctx, bson.D{{Key: "validate", Value: "c"}}).Decode(&v); err != nil || v["valid"] != true {
			t.Errorf("validate: %v, %v", v, err)
		}
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	defer func() { close(stop); readers.Wait() }()
	for _, first := range []*Store{s, s} { // they get in the way of taking back
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					first.view("d.c").each(func(raw) bool { return true })
				}
			}
		})
	}
	write(0, 100)
	give(10_000, nil)
	write(1000, 100)
	if refused == 0 || len(acked) <= 100 {
		t.Fatalf("%d acknowledged, %d refused: the disk did not fill in between", len(acked), refused)
	}
	check()
	if err := cl.Database("d").CreateCollection(ctx, "other"); err == nil {
		t.Error("a collection is made on a full disk")
	}
	if err := c.Drop(ctx); err == nil {
		t.Error("a collection is dropped on a full disk")
	}
	give(1<<40, nil)
	was := refused
	write(2000, 100)
	if refused != was {
		t.Error("writes are refused though there is room again")
	}
	check()
	give(1<<40, syscall.EIO)
	if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: 9999}, {Key: "k", Value: 9999}}); err == nil {
		t.Error("a write is acknowledged though fsync failed")
	}
	give(1<<40, nil)
	if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: 9998}, {Key: "k", Value: 9998}}); err == nil || !strings.Contains(err.Error(), "until it is opened again") {
		t.Errorf("%v, want writes to be refused after a failed fsync", err)
	}
	check()
	_ = s.Close()
	// One line, and not one for each of the writes that were refused.
	if n := strings.Count(told.String(), "did not reach the disk"); n != 1 || !strings.Contains(told.String(), "directory="+dir) {
		t.Errorf("%d lines tell of the full disk:\n%s", n, told.String())
	}
	s = open(t, dir)
	cl = connect(t, s)
	c = cl.Database("d").Collection("c")
	check()
}

// TestFileSizeLimit is the real thing: the kernel refuses to let the log grow.
func TestFileSizeLimit(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s := open(t, dir)
	c := connect(t, s).Database("d").Collection("c")
	if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: logChunk, Max: old.Max}); err != nil {
		t.Skip(err)
	}
	_, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: 2}, {Key: "b", Value: make([]byte, 2*logChunk)}})
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err == nil || count(t, s) != 1 {
		t.Errorf("%v, %d documents: the write should have been refused", err, count(t, s))
	}
	if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: 3}}); err != nil || count(t, s) != 2 {
		t.Errorf("%v: writing should go on", err)
	}
}

// TestSnapshots writes through many snapshots and reopens after each round.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), context.Background()
	for round := range 5 {
		s, err := Open(dir, WithSnapshotAfter(20_000))
		if err != nil {
			t.Fatal(err)
		}
		c := connect(t, s).Database("d").Collection("c")
		for i := range 300 {
			if _, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: i}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}, {Key: "$set", Value: bson.D{{Key: "s", Value: strings.Repeat("y", 200)}}}}, options.UpdateOne().SetUpsert(true)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, err = Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		n, err := connect(t, s).Database("d").Collection("c").CountDocuments(ctx, bson.D{{Key: "n", Value: round + 1}})
		if err != nil || n != 300 {
			t.Errorf("round %d: %d documents, %v", round, n, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	snaps, _ := filepath.Glob(filepath.Join(dir, "*.snap"))
	if len(snaps) != 1 || snaps[0] == snapName(dir, 1) {
		t.Errorf("snapshots: %v", snaps)
	}
}
