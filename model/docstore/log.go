package docstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// The log is a file of frames, each holding the operations of all commands that were waiting
// when it was written: one write and one fsync for many writers. A frame is written only
// after the one before it is on the disk. So a frame that fails its check with a good frame
// behind it is damage; at the very end it is a write that was cut off, which nobody was told
// had succeeded, or, for all that can be seen, damage from outside.
//
// Frame: magic, sequence number, length, CRC-32C of the payload, CRC-32C of this header.
// Payload: operations. Operation: kind, length of the namespace, namespace, length, document.

const (
	logMagic    = "docstore log 1\n\n"
	snapMagic   = "docstore snap 1\n"
	frameMagic  = 0xD0C57A3E
	frameHeader = 4 + 8 + 4 + 4 + 4
	logChunk    = 1 << 20 // the file grows by this
)

const (
	opPut        = byte('p') // a document, new or in the place of the one with its _id
	opDelete     = byte('d') // {_id}
	opCollection = byte('c') // the collection exists
	opDrop       = byte('x') // the collection is gone
	opIndex      = byte('i') // an index, as listIndexes shows it
	opDropIndex  = byte('r') // {name}
	opRename     = byte('n') // {to}
	opEnd        = byte('e') // the snapshot is complete: {docs}
)

var zeros [logChunk]byte

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendOp(b []byte, kind byte, ns string, doc raw) []byte {
	b = append(b, kind)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(ns)))
	b = append(b, ns...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(doc)))
	return append(b, doc...)
}

func eachOp(p []byte, f func(kind byte, ns string, doc raw) error) error {
	for len(p) > 0 {
		if len(p) < 3 {
			return io.ErrUnexpectedEOF
		}
		kind, n := p[0], int(binary.LittleEndian.Uint16(p[1:]))
		if p = p[3:]; len(p) < n+4 {
			return io.ErrUnexpectedEOF
		}
		ns := string(p[:n])
		size := int(binary.LittleEndian.Uint32(p[n:]))
		if p = p[n+4:]; len(p) < size {
			return io.ErrUnexpectedEOF
		}
		if err := f(kind, ns, bytes.Clone(p[:size])); err != nil {
			return err
		}
		p = p[size:]
	}
	return nil
}

func appendFrame(b []byte, seq uint64, payload []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, frameMagic)
	b = binary.LittleEndian.AppendUint64(b, seq)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
	return append(b, payload...)
}

// frameAt reads the header of a frame; ok is false when there is none.
func frameAt(h []byte) (seq uint64, size int, sum uint32, ok bool) {
	if len(h) < frameHeader || binary.LittleEndian.Uint32(h) != frameMagic ||
		crc32.Checksum(h[:frameHeader-4], castagnoli) != binary.LittleEndian.Uint32(h[frameHeader-4:]) {
		return 0, 0, 0, false
	}
	return binary.LittleEndian.Uint64(h[4:]), int(binary.LittleEndian.Uint32(h[12:])), binary.LittleEndian.Uint32(h[16:]), true
}

// DamageError says which file is damaged and where. The store does not open with it.
type DamageError struct {
	File   string
	Offset int64
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("docstore: %s is damaged at byte %d: %s", e.File, e.Offset, e.Reason)
}

// readFrames reads the frames of a file whose first one has the number seq, and returns the
// next number and the offset behind the last good frame. What follows that offset must hold
// no later frame; torn is the number of bytes of a last write that was cut off.
func readFrames(r io.ReaderAt, size int64, name, magic string, seq uint64, last bool, f func(payload []byte) error) (next uint64, end, torn int64, err error) {
	damage := func(at int64, format string, a ...any) error {
		return &DamageError{name, at, fmt.Sprintf(format, a...)}
	}
	head := make([]byte, len(magic))
	if n, _ := r.ReadAt(head, 0); n < len(magic) || string(head) != magic {
		if last && len(bytes.Trim(head[:n], "\x00")) < len(magic) && (n < len(magic) || len(bytes.Trim(head, "\x00")) == 0) {
			return seq, 0, int64(n), nil // the process ended while it made the file
		}
		return 0, 0, 0, damage(0, "it does not begin with %q", magic)
	}
	at := int64(len(magic))
	var h [frameHeader]byte
	var buf []byte
	for {
		n, _ := r.ReadAt(h[:], at)
		got, length, sum, ok := frameAt(h[:n])
		if ok && got == seq && int64(length) <= size-at-frameHeader {
			if cap(buf) < length {
				buf = make([]byte, length)
			}
			buf = buf[:length]
			if _, err := r.ReadAt(buf, at+frameHeader); err != nil {
				return 0, 0, 0, damage(at, "%v", err)
			}
			if crc32.Checksum(buf, castagnoli) == sum {
				if err := f(buf); err != nil {
					return 0, 0, 0, damage(at, "%v", err)
				}
				at += frameHeader + int64(length)
				seq++
				continue
			}
		}
		rest := make([]byte, max(0, size-at))
		if _, err := r.ReadAt(rest, at); err != nil && len(rest) > 0 && !errors.Is(err, io.EOF) {
			return 0, 0, 0, damage(at, "%v", err)
		}
		torn = int64(len(bytes.TrimRight(rest, "\x00")))
		mark := binary.LittleEndian.AppendUint32(nil, frameMagic)
		for i := 1; i < len(rest); {
			j := bytes.Index(rest[i:], mark)
			if j < 0 {
				break
			}
			if later, _, _, ok := frameAt(rest[i+j:]); ok && later > seq {
				return 0, 0, 0, damage(at, "record %d fails its check, yet record %d follows at byte %d", seq, later, at+int64(i+j))
			}
			i += j + 1
		}
		if ok && got > seq {
			return 0, 0, 0, damage(at, "record %d is expected, %d found", seq, got)
		}
		if torn > 0 && !last {
			return 0, 0, 0, damage(at, "record %d fails its check in a file that was finished", seq)
		}
		return seq, at, torn, nil
	}
}

// file is what the log needs of a file; tests put a full disk or a torn write in its place.
type file interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Close() error
}

func createFile(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// commit is what one write to the disk makes durable.
type commit struct {
	ops  []byte
	undo []func()
	turn bool // go on in a new file behind it
	poke bool // somebody waits for it though it may be empty
	w    *wal
	done chan struct{}
	err  error
}

func (c *commit) ready() bool { return len(c.ops) > 0 || c.poke }

// wait returns when the commit is on the disk, or why it is not. There is no goroutine that
// writes: the first who waits writes for all who have come by then, and the others find
// their commit done or write the next one. A lone writer pays for no change of goroutine.
func (c *commit) wait() error {
	if c == nil {
		return nil
	}
	for {
		select {
		case <-c.done:
			return c.err
		case c.w.turnstile <- struct{}{}:
			select {
			case <-c.done:
			default:
				c.w.step()
			}
			<-c.w.turnstile
		}
	}
}

// wal is the log being written.
type wal struct {
	mu     sync.Mutex
	queue  []*commit // the last one is open for more
	closed bool
	broken error // after a failed fsync nothing can be promised any more
	turned error // of the last change of files

	turnstile chan struct{} // who is in it writes

	dir    string
	open   func(name string) (file, error)
	f      file
	gen    uint64 // number of the file
	off    int64
	grown  int64
	buf    []byte         // of the last frame, to be used again
	seq    uint64         // of the next frame
	locked func(f func()) // runs f while nobody else writes
	tell   func(error)    // of a write that did not reach the disk
	since  int64          // bytes logged since the last snapshot
	limit  int64          // of since, beyond which full is told
	full   chan struct{}
	first  uint64 // the first frame of the file
}

func logName(dir string, gen uint64) string { return filepath.Join(dir, fmt.Sprintf("%08d.log", gen)) }
func snapName(dir string, gen uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%08d.snap", gen))
}

// add queues operations; the caller holds the lock of what they change, so that the log has
// them in the order in which they happened.
func (w *wal) add(ops []byte, undo []func()) *commit {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.queue[len(w.queue)-1]
	c.ops, c.undo = append(c.ops, ops...), append(c.undo, undo...)
	return c
}

// flush gives a commit that covers everything queued so far. With turn the log goes on in a new file
// behind exactly that: what is queued later is not in the old file.
func (w *wal) flush(turn bool) *commit {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.queue[len(w.queue)-1]
	c.poke = true
	if turn {
		c.turn = true
		w.queue = append(w.queue, w.newCommit())
	}
	return c
}

// usable says whether a write can be accepted.
func (w *wal) usable() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return fail(14031, "the store refuses writes until it is opened again, since a write to the disk failed: %v", w.broken)
	}
	if w.closed {
		return ErrClosed
	}
	return nil
}

func (w *wal) newCommit() *commit { return &commit{w: w, done: make(chan struct{})} }

// step writes the first commit of the queue, if there is one; the turnstile is held.
func (w *wal) step() (more bool) {
	w.mu.Lock()
	c := w.queue[0]
	if !c.ready() {
		w.mu.Unlock()
		return false
	}
	if w.queue = w.queue[1:]; len(w.queue) == 0 {
		w.queue = append(w.queue, w.newCommit())
	}
	err := w.broken
	w.mu.Unlock()
	if err == nil && len(c.ops) > 0 {
		err = w.write(c.ops)
	}
	if err != nil {
		w.fail(err, c)
		return true
	}
	if c.turn { // a failure to do so takes nothing back: the writes are on the disk
		err := w.next()
		w.mu.Lock()
		w.turned = err
		w.mu.Unlock()
	}
	close(c.done)
	return true
}

// write appends one frame and returns when it is on the disk.
func (w *wal) write(ops []byte) error {
	b := appendFrame(w.buf[:0], w.seq, ops)
	if w.buf = b; cap(b) > 2*logChunk {
		w.buf = nil
	}
	size, end := int64(len(b)), w.off+int64(len(b))
	if end > w.grown { // zeros behind it: the next syncs have no growth of the file to record
		b = append(b, zeros[:]...)
		w.grown = end + logChunk
	}
	if _, err := w.f.WriteAt(b, w.off); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return w.stop(err)
	}
	w.mu.Lock()
	w.since += size
	long := w.since > w.limit
	w.mu.Unlock()
	if long {
		select {
		case w.full <- struct{}{}:
		default:
		}
	}
	w.off = end
	w.seq++
	return nil
}

// next finishes the file and begins the one after it.
func (w *wal) next() error {
	if err := w.f.Truncate(w.off); err != nil {
		return err
	}
	w.grown = w.off
	if err := w.f.Sync(); err != nil {
		return w.stop(err)
	}
	old := w.f
	if err := w.create(w.gen + 1); err != nil {
		w.f = old
		return err
	}
	return old.Close()
}

// create begins the file of a generation.
func (w *wal) create(gen uint64) error {
	name := logName(w.dir, gen)
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("docstore: the log %s is there already: %w", name, errors.Join(err, os.ErrExist))
	}
	f, err := w.open(name)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt([]byte(logMagic), 0); err == nil {
		if err = f.Sync(); err == nil {
			err = syncDir(w.dir)
		}
	}
	if err != nil {
		if e := os.Remove(name); e != nil {
			err = w.stop(errors.Join(err, e)) // the file would count as the last one
		}
		return errors.Join(err, f.Close())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.f, w.gen, w.first, w.off, w.grown = f, gen, w.seq, int64(len(logMagic)), int64(len(logMagic))
	return nil
}

// stop records a failure after which the file cannot be trusted.
func (w *wal) stop(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = err
	return err
}

// fail takes back a commit that could not be written, and all that was queued behind it and
// may build upon it, then tells the writers.
func (w *wal) fail(err error, c *commit) {
	w.tell(err)
	w.locked(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		e := fail(14031, "the write is not on the disk and was taken back: %v", err)
		all := append([]*commit{c}, w.queue...)
		for _, lost := range slices.Backward(all) {
			for _, undo := range slices.Backward(lost.undo) {
				undo()
			}
		}
		if t := w.f.Truncate(w.off); t != nil && w.broken == nil {
			w.broken = err // what was half written may still be there
		}
		w.grown = w.off
		w.queue = []*commit{w.newCommit()}
		for _, c := range all {
			c.err = e
			close(c.done)
		}
	})
}

// close writes what is queued and closes the file.
func (w *wal) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.turnstile <- struct{}{}
	for w.step() {
	}
	if w.broken == nil {
		// An empty frame ends the file, so that even damage to the last write can be told
		// from one that was cut off.
		_ = w.write(nil)
	}
	return errors.Join(w.f.Truncate(w.off), w.f.Sync(), w.f.Close())
}
