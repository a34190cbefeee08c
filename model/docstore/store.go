package docstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Store is an open document store. All its methods may be called from any goroutine.
type Store struct {
	mu    sync.RWMutex // held shared by every write of documents, alone by changes of the catalogue
	colls map[string]*collection

	dir      string
	lock     *os.File
	wal      *wal // nil in memory
	compact  sync.Mutex
	now      func() time.Time
	openFile func(name string) (file, error)
	log      *slog.Logger
	ttlEvery time.Duration
	logLimit int64
	told     time.Time // of the last line of tellFailure, under the turnstile

	stop    context.CancelFunc
	ctx     context.Context // ctx: ends with the store, and with it what works in the background.
	workers sync.WaitGroup
	conns   connections
	cursors cursors
	started time.Time
	closed  atomic.Bool
	ops     atomic.Int64
}

// Option changes how a store is opened.
type Option func(*Store)

// WithClock makes the store take the time from now: for TTL indexes, $currentDate and $$NOW.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithTTLInterval sets how often documents past the date of a TTL index are deleted; a
// minute, as in MongoDB, unless set.
func WithTTLInterval(d time.Duration) Option { return func(s *Store) { s.ttlEvery = d } }

// WithLogger sets where the store reports a torn last write and failures in the background;
// slog.Default unless set.
func WithLogger(l *slog.Logger) Option { return func(s *Store) { s.log = l } }

// WithSnapshotAfter sets how many bytes of log make the store write a snapshot and drop the
// log before it; 64 MB unless set, and never less than the size of the documents.
func WithSnapshotAfter(bytes int64) Option { return func(s *Store) { s.logLimit = bytes } }

// withFiles puts other files in the place of the log's; for tests of a failing disk.
func withFiles(open func(name string) (file, error)) Option {
	return func(s *Store) { s.openFile = open }
}

// Open opens the store in a directory and makes it when it is not there; "" is a store in
// memory, for tests. One process owns a directory at a time: Open fails with a sentence
// that names the owner while another has it. What follows the last whole record of the log is
// dropped and reported: after a crash a write that was cut off and never acknowledged. Any
// other damage is a *DamageError.
func Open(dir string, opts ...Option) (*Store, error) {
	s := &Store{dir: dir, colls: map[string]*collection{}, now: time.Now, openFile: createFile, log: slog.Default(),
		ttlEvery: time.Minute, logLimit: 64 << 20, started: time.Now()}
	for _, o := range opts {
		o(s)
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	if dir != "" {
		if err := s.openDir(); err != nil {
			if s.lock != nil {
				err = errors.Join(err, s.disown())
			}
			return nil, err
		}
	}
	s.workers.Go(s.expireLoop)
	s.workers.Go(s.reapCursors)
	return s, nil
}

func (s *Store) openDir() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("docstore: the directory cannot be made: %w", err)
	}
	if err := s.own(); err != nil {
		return err
	}
	s.wal = &wal{dir: s.dir, open: s.openFile, turnstile: make(chan struct{}, 1), full: make(chan struct{}, 1), limit: s.logLimit, tell: s.tellFailure, locked: func(f func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		f()
	}}
	s.wal.queue = []*commit{s.wal.newCommit()}
	if err := s.recover(); err != nil {
		return err
	}
	s.workers.Go(s.compactLoop)
	return nil
}

// tellFailure tells an operator that writes are refused, and where: one line a minute, however
// many are.
func (s *Store) tellFailure(err error) {
	if now := time.Now(); now.Sub(s.told) >= time.Minute {
		s.told = now
		s.log.Error("docstore: a write did not reach the disk and was refused", "directory", s.dir, "cause", err)
	}
}

// own takes the lock of the directory.
func (s *Store) own() error {
	f, err := os.OpenFile(filepath.Join(s.dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("docstore: the directory cannot be written: %w", err)
	}
	// The lock ends with the process, however it ends.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner := make([]byte, 32)
		n, _ := f.ReadAt(owner, 0)
		f.Close()
		return fmt.Errorf("docstore: %s belongs to another process (pid %s); one process owns a directory", s.dir, strings.TrimSpace(string(owner[:n])))
	}
	s.lock = f
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("docstore: the directory cannot be written: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("docstore: the directory cannot be written: %w", err)
	}
	return nil
}

// disown lets go of the directory even if a child process that is just being started still
// has the file open.
func (s *Store) disown() error {
	return errors.Join(syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN), s.lock.Close())
}

// recover reads the last snapshot and the logs behind it and leaves the log ready to write.
func (s *Store) recover() error {
	snaps, logs, err := s.files()
	if err != nil {
		return err
	}
	w := s.wal
	w.seq = 1
	gen := uint64(1)
	if n := len(snaps); n > 0 {
		gen = snaps[n-1]
		if w.seq, err = s.readSnapshot(snapName(s.dir, gen)); err != nil {
			return err
		}
	}
	logs = slices.DeleteFunc(logs, func(g uint64) bool { return g < gen })
	current := gen
	for i, g := range logs {
		if current = gen + uint64(i); g != current {
			return &DamageError{logName(s.dir, current), 0, "the file is missing"}
		}
		if err := s.replay(g, i == len(logs)-1); err != nil {
			return err
		}
	}
	if err := s.finish(); err != nil {
		return err
	}
	if w.f == nil {
		if err := w.create(current); err != nil {
			return fmt.Errorf("docstore: the log cannot be made: %w", err)
		}
	}
	s.sweep(gen)
	return nil
}

func (s *Store) replay(gen uint64, last bool) error {
	w, name := s.wal, logName(s.dir, gen)
	r, err := os.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return err
	}
	var end, torn int64
	w.seq, end, torn, err = readFrames(r, st.Size(), name, logMagic, w.seq, last, func(p []byte) error { return eachOp(p, s.redo) })
	if err != nil {
		return err
	}
	w.since += end
	if torn > 0 {
		s.log.Warn("docstore: dropped what follows the last whole record: a write that a crash cut off, or damage from outside", "file", name, "offset", end, "bytes", torn)
	}
	if !last {
		return nil
	}
	if end == 0 {
		return os.Remove(name) // without its first line it is made anew
	}
	f, err := s.openFile(name)
	if err != nil {
		return fmt.Errorf("docstore: the log cannot be written: %w", err)
	}
	if err := f.Truncate(end); err != nil {
		return fmt.Errorf("docstore: the log cannot be written: %w", err)
	}
	w.f, w.gen, w.off, w.grown = f, gen, end, end
	return nil
}

// finish builds the indexes of which the log told. Until then redo keeps only the one on _id.
func (s *Store) finish() error {
	for _, c := range s.colls {
		for _, ix := range c.later {
			if err := c.build(ix); err != nil {
				return fmt.Errorf("docstore: the index %s of %s cannot be built: %w", ix.name, c.ns, err)
			}
			c.ix = append(c.ix, ix)
		}
		c.later = nil
	}
	return nil
}

// redo applies one operation of a log or snapshot.
func (s *Store) redo(kind byte, ns string, d raw) error {
	c := s.colls[ns]
	if c == nil && kind != opDrop && kind != opEnd {
		c = newCollection(ns)
		s.colls[ns] = c
	}
	switch kind {
	case opPut:
		if old := c.byID(idKey(d)); old != nil {
			return c.replace(old, &record{old.seq, d})
		}
		c.seq++
		return c.replace(nil, &record{c.seq, d})
	case opDelete:
		if old := c.byID(idKey(d)); old != nil {
			return c.replace(old, nil)
		}
		return fmt.Errorf("a document of %s to delete is not there", ns)
	case opDrop:
		delete(s.colls, ns)
	case opIndex:
		ix, err := parseIndex(d)
		if err != nil {
			return err
		}
		c.later = append(c.later, ix)
	case opDropIndex:
		c.later = slices.DeleteFunc(c.later, func(ix *index) bool { return ix.name == str(get(d, "name")) })
	case opRename:
		s.move(c, str(get(d, "to")))
	case opCollection, opEnd:
	default:
		return fmt.Errorf("unknown operation %q", kind)
	}
	return nil
}

func idKey(d raw) string { return string(appendKey(nil, get(d, "_id"))) }

// files lists the snapshots and logs by number and clears what a crash left half made.
func (s *Store) files() (snaps, logs []uint64, err error) {
	es, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("docstore: the directory cannot be read: %w", err)
	}
	for _, e := range es {
		name := e.Name()
		base, ext, _ := strings.Cut(name, ".")
		n, err := strconv.ParseUint(base, 10, 64)
		switch {
		case err == nil && ext == "snap.tmp":
			if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
				return nil, nil, err
			}
		case err == nil && ext == "snap":
			snaps = append(snaps, n)
		case err == nil && ext == "log":
			logs = append(logs, n)
		}
	}
	slices.Sort(snaps)
	slices.Sort(logs)
	return snaps, logs, nil
}

// sweep removes what a snapshot has made superfluous.
func (s *Store) sweep(gen uint64) {
	snaps, logs, err := s.files()
	for _, g := range snaps {
		if g < gen {
			err = errors.Join(err, os.Remove(snapName(s.dir, g)))
		}
	}
	for _, g := range logs {
		if g < gen {
			err = errors.Join(err, os.Remove(logName(s.dir, g)))
		}
	}
	if err != nil {
		s.log.Warn("docstore: superfluous files stay", "error", err)
	}
}

// Close ends all connections, waits for writes under way and lets go of the directory.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.stop()
	s.conns.closeAll()
	s.cursors.closeAll() // a backup nobody fetches any more ends
	s.workers.Wait()
	if s.wal == nil {
		return nil
	}
	s.compact.Lock() // a snapshot under way ends first
	defer s.compact.Unlock()
	return errors.Join(s.wal.close(), s.disown())
}

// Dialer connects a client in the same process without a socket; see the package example.
// Any address given to it leads to this store. Disconnect the client before closing the
// store: a driver that finds its server gone looks for it for 30 seconds.
func (s *Store) Dialer() options.ContextDialer { return dialer{s} }

type dialer struct{ s *Store }

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.s.closed.Load() {
		return nil, ErrClosed
	}
	client, server := newPipe()
	if !d.s.serve(server) {
		return nil, ErrClosed
	}
	return client, nil
}

// Serve answers clients on a listener, until that is closed or the store is.
func (s *Store) Serve(l net.Listener) error {
	defer context.AfterFunc(s.ctx, func() { l.Close() })()
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
		case s.closed.Load():
			return ErrClosed
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ECONNABORTED):
			s.log.Warn("docstore: a connection cannot be taken for now", "error", err)
			select {
			case <-s.ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		default:
			return err
		}
		if !s.serve(c) {
			return ErrClosed
		}
	}
}

// lookup finds a collection; nil when there is none.
func (s *Store) lookup(ns string) *collection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.colls[ns]
}

// view is the snapshot of a collection; of one that is not there it is empty.
func (s *Store) view(ns string) *view {
	if c := s.lookup(ns); c != nil {
		return c.snapshot()
	}
	v := newView(ns)
	return &v
}

// write runs f on a collection, made first when create is set (else c may be nil), and
// returns when the changes are on the disk. Whatever f put into the batch is kept, even if
// it returns an error.
func (s *Store) write(ns string, create, many bool, f func(c *collection, b *batch) error) error {
	if s.wal != nil {
		if err := s.wal.usable(); err != nil {
			return err
		}
	}
	for {
		t, err := s.change(ns, create, many, f)
		if errors.Is(err, errNoCollection) {
			err = s.alter(func(b *batch) error {
				if s.colls[ns] != nil {
					return nil // somebody else was faster
				}
				return s.create(b, ns)
			})
			if err == nil {
				continue
			}
		}
		if e := t.wait(); e != nil {
			return e
		}
		return err
	}
}

var errNoCollection = errors.New("docstore: no such collection")

func (s *Store) change(ns string, create, many bool, f func(c *collection, b *batch) error) (t *commit, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.colls[ns]
	if c == nil && create {
		return nil, errNoCollection
	}
	if c == nil {
		return nil, f(nil, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if many {
		c.freeze() // readers go on with the state before
	}
	var b batch
	defer func() {
		if len(b.ops) > 0 {
			c.snap.Store(nil)
			t = s.enqueue(&b)
		}
	}()
	return nil, f(c, &b)
}

func (s *Store) enqueue(b *batch) *commit {
	if s.wal == nil || len(b.ops) == 0 {
		return nil
	}
	return s.wal.add(b.ops, b.undo)
}

// alter runs a change of the catalogue alone and returns when it is on the disk.
func (s *Store) alter(f func(b *batch) error) error {
	if s.wal != nil {
		if err := s.wal.usable(); err != nil {
			return err
		}
	}
	var b batch
	t, err := func() (*commit, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		err := f(&b)
		return s.enqueue(&b), err
	}()
	if e := t.wait(); e != nil {
		return e
	}
	return err
}

// create makes a collection; s.mu is held alone.
func (s *Store) create(b *batch, ns string) error {
	if s.colls[ns] != nil {
		return fail(48, "Collection %s already exists.", ns)
	}
	s.colls[ns] = newCollection(ns)
	b.ops = appendOp(b.ops, opCollection, ns, nil)
	b.undo = append(b.undo, func() { delete(s.colls, ns) })
	return nil
}

func checkNamespace(ns string) {
	db, coll, _ := strings.Cut(ns, ".")
	if db == "" || strings.ContainsAny(db, "/\\. \"$\x00") || len(db) > 63 {
		panic(fail(73, "Invalid database name: '%s'", db))
	}
	if coll == "" || strings.ContainsAny(coll, "$\x00") || strings.HasPrefix(coll, "system.") || strings.HasPrefix(coll, ".") || len(ns) > 255 {
		panic(fail(73, "Invalid collection name: '%s'", coll))
	}
}

// drop removes a collection; s.mu is held alone.
func (s *Store) drop(b *batch, c *collection) {
	delete(s.colls, c.ns)
	b.ops = appendOp(b.ops, opDrop, c.ns, nil)
	b.undo = append(b.undo, func() { s.colls[c.ns] = c })
}

func (s *Store) move(c *collection, to string) {
	delete(s.colls, c.ns)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ns = to
	c.snap.Store(nil)
	s.colls[to] = c
}

// rename gives a collection another name; s.mu is held alone.
func (s *Store) rename(b *batch, c *collection, to string) {
	from := c.ns
	b.ops = appendOp(b.ops, opRename, from, newDoc().str("to", to).done())
	b.undo = append(b.undo, func() { s.move(c, from) })
	s.move(c, to)
}

// views lists the collections of a database, or all with "", by name.
func (s *Store) views(db string) []*view {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*view
	for ns, c := range s.colls {
		if db == "" || strings.HasPrefix(ns, db+".") {
			out = append(out, c.snapshot())
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ns < out[j].ns })
	return out
}
