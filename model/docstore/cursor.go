package docstore

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// cursor is what is left of a result. The documents are those of the snapshot that the query
// read, however long the client takes.
type cursor struct {
	ns   string
	docs []raw
	m    mapper // projection, applied when a document is sent
	used time.Time
	keep bool                // noCursorTimeout
	pull func() (raw, error) // the documents of a backup, made as they are asked for
	stop func()
}

const (
	cursorIdle = 10 * time.Minute
	firstBatch = 101
	batchBytes = maxDoc
)

// cursors are the open ones by id.
type cursors struct {
	mu     sync.Mutex
	open   map[int64]*cursor
	closed bool
}

// put keeps a cursor for later; in a closed store it is closed.
func (cs *cursors) put(id int64, c *cursor) int64 {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		c.close()
		return id
	}
	if cs.open == nil {
		cs.open = map[int64]*cursor{}
	}
	for id == 0 || cs.open[id] != nil {
		id = rand.Int64()
	}
	c.used = time.Now()
	cs.open[id] = c
	return id
}

func (c *cursor) close() {
	if c.stop != nil {
		c.stop()
	}
}

// take gives the next documents, at most n (n < 0: any number) and some 16 MB.
func (c *cursor) take(n int) (out []raw, more bool, err error) {
	defer catch(&err)
	size := 0
	for n < 0 || len(out) < n {
		var d raw
		if c.pull != nil {
			if d, err = c.pull(); err != nil || d == nil {
				return out, false, err
			}
		} else {
			if len(c.docs) == 0 {
				return out, false, nil
			}
			if d = c.docs[0]; c.m != nil {
				d = c.m(d)
			}
			check(len(d) <= maxDoc, 10334, "BSONObj size: %d is invalid. Size must be between 0 and %d", len(d), maxDoc)
			if size+len(d) > batchBytes && len(out) > 0 {
				return out, true, nil
			}
			c.docs = c.docs[1:]
		}
		size += len(d) + 10 // with its place in the array
		out = append(out, d)
		if c.pull != nil && size > batchBytes/2 {
			return out, true, nil
		}
	}
	return out, c.pull != nil || len(c.docs) > 0, nil
}

// reply answers with the first documents and keeps the rest.
func (s *Store) reply(c *cursor, batch int, single bool) (raw, error) {
	docs, more, err := c.take(batch)
	id := int64(0)
	if err == nil && more && !single {
		id = s.cursors.put(0, c)
	} else {
		c.close()
	}
	return cursorReply("firstBatch", c.ns, id, docs), err
}

func cursorReply(name, ns string, id int64, docs []raw) raw {
	size := 128 + len(ns)
	for _, d := range docs {
		size += len(d) + 8
	}
	b := &builder{make([]byte, 4, size)} // the documents are copied once
	c := b.open("cursor", byte(tDoc))
	batch := b.open(name, byte(tArray))
	for i, d := range docs {
		b.doc(strconv.Itoa(i), d)
	}
	b.close(batch)
	b.long("id", id).str("ns", ns).close(c)
	return b.ok()
}

// getMore takes the cursor away while it works, so that two requests cannot share it.
func (s *Store) getMore(id int64, ns string, batch int) (raw, error) {
	s.cursors.mu.Lock()
	c := s.cursors.open[id]
	if c == nil || c.ns != ns {
		s.cursors.mu.Unlock()
		return nil, fail(43, "cursor id %d not found", id)
	}
	delete(s.cursors.open, id)
	s.cursors.mu.Unlock()
	docs, more, err := c.take(batch)
	if err == nil && more {
		s.cursors.put(id, c)
	} else {
		c.close()
		id = 0
	}
	return cursorReply("nextBatch", ns, id, docs), err
}

// kill drops cursors and says which were there.
func (s *Store) kill(ids []int64) (killed, missing []val) {
	s.cursors.mu.Lock()
	defer s.cursors.mu.Unlock()
	for _, id := range ids {
		if c := s.cursors.open[id]; c != nil {
			c.close()
			delete(s.cursors.open, id)
			killed = append(killed, vLong(id))
		} else {
			missing = append(missing, vLong(id))
		}
	}
	return killed, missing
}

func (cs *cursors) closeAll() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, x := range cs.open {
		x.close()
	}
	cs.open, cs.closed = nil, true
}

// reapCursors drops those that no client has asked for in ten minutes.
func (s *Store) reapCursors() {
	tick := time.NewTicker(cursorIdle / 10)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			s.cursors.mu.Lock()
			for id, c := range s.cursors.open {
				if !c.keep && time.Since(c.used) > cursorIdle {
					c.close()
					delete(s.cursors.open, id)
				}
			}
			s.cursors.mu.Unlock()
		}
	}
}
