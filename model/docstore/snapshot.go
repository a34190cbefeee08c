package docstore

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// freezeAll takes a snapshot of everything at one moment; t waits for its being on the
// disk. With rotate the log goes on in a new file from there.
func (s *Store) freezeAll(rotate bool) (views []*view, t *commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.colls {
		c.mu.Lock()
		views = append(views, c.freeze())
		c.mu.Unlock()
	}
	if s.wal != nil {
		t = s.wal.flush(rotate)
	}
	return views, t
}

// compactLoop writes a snapshot whenever the log has grown long.
func (s *Store) compactLoop() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wal.full:
			if err := s.snapshot(); err != nil && !s.closed.Load() {
				s.log.Error("docstore: the snapshot failed; the log goes on growing", "error", err)
			}
		}
	}
}

// snapshot writes the state to a file and drops the logs before it.
func (s *Store) snapshot() (err error) {
	s.compact.Lock()
	defer s.compact.Unlock()
	if s.closed.Load() {
		return ErrClosed
	}
	views, t := s.freezeAll(true)
	if err := t.wait(); err != nil {
		return err // the state was taken back
	}
	s.wal.mu.Lock()
	gen, seq := s.wal.gen, s.wal.first
	if err := s.wal.turned; err != nil {
		s.wal.mu.Unlock()
		return err
	}
	s.wal.since = 0
	s.wal.limit = s.logLimit
	for _, v := range views {
		s.wal.limit = max(s.wal.limit, v.bytes)
	}
	s.wal.mu.Unlock()
	name := snapName(s.dir, gen)
	if err := writeFile(name, func(w io.Writer) error { return writeSnapshot(w, views, seq) }); err != nil {
		return err
	}
	s.sweep(gen)
	return nil
}

// writeFile makes a file appear whole or not at all.
func writeFile(name string, f func(io.Writer) error) (err error) {
	tmp, err := os.OpenFile(name+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	w := bufio.NewWriterSize(tmp, 1<<20)
	if err = f(w); err == nil {
		if err = w.Flush(); err == nil {
			err = tmp.Sync()
		}
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// writeSnapshot writes views as a file of frames; seq is the number of the next frame of the
// log, kept in the last one.
func writeSnapshot(w io.Writer, views []*view, seq uint64) (err error) {
	if _, err := io.WriteString(w, snapMagic); err != nil {
		return err
	}
	var ops []byte
	var frame uint64
	docs := int64(0)
	flush := func(limit int) {
		if err == nil && len(ops) > limit {
			frame++
			_, err = w.Write(appendFrame(nil, frame, ops))
			ops = ops[:0]
		}
	}
	for _, v := range views {
		ops = appendOp(ops, opCollection, v.ns, nil)
		for _, ix := range v.ix[1:] {
			ops = appendOp(ops, opIndex, v.ns, ix.spec())
		}
		v.each(func(d raw) bool {
			ops = appendOp(ops, opPut, v.ns, d)
			docs++
			flush(1 << 20)
			return err == nil
		})
	}
	ops = appendOp(ops, opEnd, "", newDoc().long("docs", docs).long("seq", int64(seq)).done())
	flush(0)
	return err
}

// readSnapshot loads a snapshot and returns the number of the next frame of the log.
func (s *Store) readSnapshot(name string) (seq uint64, err error) {
	r, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return 0, err
	}
	docs, want := int64(0), int64(-1)
	_, end, torn, err := readFrames(r, st.Size(), name, snapMagic, 1, false, func(p []byte) error {
		return eachOp(p, func(kind byte, ns string, d raw) error {
			switch kind {
			case opPut:
				docs++
			case opEnd:
				want, seq = asIntMust(get(d, "docs")), uint64(asIntMust(get(d, "seq")))
			}
			return s.redo(kind, ns, d)
		})
	})
	if err != nil {
		return 0, err
	}
	if docs != want || torn > 0 {
		return 0, &DamageError{name, end, fmt.Sprintf("the file is not complete: %d documents read", docs)}
	}
	return seq, nil
}

// Backup writes the state at one moment to w while the store goes on serving. Everything
// acknowledged before the call is in it.
func (s *Store) Backup(w io.Writer) error {
	if s.closed.Load() {
		return ErrClosed
	}
	views, t := s.freezeAll(false)
	if err := t.wait(); err != nil {
		return err // what was read is not on the disk
	}
	b := bufio.NewWriterSize(w, 1<<20)
	if err := writeSnapshot(b, views, 1); err != nil {
		return err
	}
	return b.Flush()
}

// Restore makes a store in a directory from a backup. The directory must be empty or not
// exist; after an error it holds no store. A backup that is cut short or damaged is refused.
func Restore(dir string, r io.Reader) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("docstore: the directory cannot be made: %w", err)
	}
	es, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range es {
		if strings.HasSuffix(e.Name(), ".snap") || strings.HasSuffix(e.Name(), ".log") {
			return fmt.Errorf("docstore: %s already holds a store (%s)", dir, e.Name())
		}
	}
	name := snapName(dir, 1)
	if err := writeFile(name, func(w io.Writer) error { _, err := io.Copy(w, r); return err }); err != nil {
		return err
	}
	s := &Store{colls: map[string]*collection{}}
	_, err = s.readSnapshot(name)
	if err == nil {
		err = s.finish()
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
