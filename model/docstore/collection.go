package docstore

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"
)

const (
	maxDoc     = 16 << 20
	maxReply   = maxMessage - 1<<10
	maxBatch   = 100_000
	manyWrites = 100 // in one command: readers get a snapshot before it, and need not wait
)

// view is a consistent state of a collection: its documents by order of insertion and its
// indexes, the one on _id first.
type view struct {
	ns    string
	bytes int64 // of the documents
	rows  *btree.BTreeG[*record]
	ix    []*index
}

// collection is a view that changes, under mu. Readers take a snapshot: a copy-on-write
// copy of the trees, made at most once between two writes, so that reading never waits for
// a long write nor a write for a long read.
type collection struct {
	view
	mu    sync.Mutex
	snap  atomic.Pointer[view]
	seq   uint64
	later []*index // while the log is read: indexes to build at its end
}

func newCollection(ns string) *collection {
	return &collection{view: newView(ns)}
}

func newView(ns string) view {
	id, _ := parseIndex(newDoc().doc("key", newDoc().int("_id", 1).done()).str("name", "_id_").bool("unique", true).done())
	less := func(a, b *record) bool { return a.seq < b.seq }
	return view{ns, 0, btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}), []*index{id}}
}

// snapshot is the state after the last finished write.
func (c *collection) snapshot() *view {
	if v := c.snap.Load(); v != nil {
		return v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.freeze()
}

// freeze makes the snapshot; mu is held.
func (c *collection) freeze() *view {
	if v := c.snap.Load(); v != nil {
		return v
	}
	v := &view{c.ns, c.bytes, c.rows.Copy(), make([]*index, len(c.ix))}
	for i, ix := range c.ix {
		v.ix[i] = ix.copy()
	}
	c.snap.Store(v)
	return v
}

// each gives the documents of a view in order of insertion.
func (v *view) each(f func(d raw) bool) {
	v.rows.Scan(func(r *record) bool { return f(r.doc) })
}

// byID finds a document by the key of its _id.
func (v *view) byID(key string) (found *record) {
	v.ix[0].tree.Ascend(entry{key: key}, func(e entry) bool {
		if e.key == key {
			found = e.rec
		}
		return false
	})
	return found
}

// replace puts one version of a document in the place of another; either may be nil, for
// an insert or a delete. Nothing changes when it returns an error. mu is held.
func (c *collection) replace(old, now *record) error {
	type edit struct {
		del, add []string
		arrays   uint64
	}
	edits := make([]edit, len(c.ix))
	for i, ix := range c.ix {
		e := &edits[i]
		var err error
		if old != nil {
			if e.del, _, err = ix.keysOf(old.doc, nil); err != nil {
				return err
			}
		}
		if now == nil {
			continue
		}
		if e.add, e.arrays, err = ix.keysOf(now.doc, e.del); err != nil {
			return err
		}
		if ix.unique {
			for _, k := range e.add {
				if !slices.Contains(e.del, k) && ix.holder(k, now.seq) != nil {
					return ix.duplicate(c.ns, now.doc)
				}
			}
		}
	}
	for i, ix := range c.ix {
		e := &edits[i]
		ix.sawArrays(e.arrays)
		for _, k := range e.del {
			if now == nil || !slices.Contains(e.add, k) {
				ix.tree.Delete(entry{k, old})
			}
		}
		for _, k := range e.add {
			ix.tree.Set(entry{k, now})
		}
	}
	if old != nil {
		c.bytes -= int64(len(old.doc))
	}
	if now != nil {
		c.bytes += int64(len(now.doc))
		c.rows.Set(now)
	} else {
		c.rows.Delete(old)
	}
	return nil
}

// build fills a new index from the documents there are: sorted first, which fills the tree
// from left to right. mu is held.
func (c *collection) build(ix *index) (err error) {
	all := make([]entry, 0, c.rows.Len())
	c.rows.Scan(func(r *record) bool {
		var keys []string
		var arrays uint64
		if keys, arrays, err = ix.keysOf(r.doc, nil); err != nil {
			return false
		}
		ix.sawArrays(arrays)
		for _, k := range keys {
			all = append(all, entry{k, r})
		}
		return true
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b entry) int {
		if n := strings.Compare(a.key, b.key); n != 0 {
			return n
		}
		return cmp.Compare(a.rec.seq, b.rec.seq)
	})
	for i, e := range all {
		if ix.unique && i > 0 && all[i-1].key == e.key {
			return ix.duplicate(c.ns, e.rec.doc)
		}
		ix.tree.Load(e)
	}
	return nil
}

// batch collects what one command changes: the operations for the log, and how to take
// them back if the log cannot be written.
type batch struct {
	ops  []byte
	undo []func()
}

// put stores a version of a document and notes it. mu is held.
func (c *collection) put(b *batch, old *record, doc raw) error {
	now := &record{doc: doc}
	if old != nil {
		now.seq = old.seq
	} else {
		c.seq++
		now.seq = c.seq
	}
	if err := c.replace(old, now); err != nil {
		return err
	}
	b.ops = appendOp(b.ops, opPut, c.ns, doc)
	b.undo = append(b.undo, func() { c.revert(now, old) })
	return nil
}

// remove deletes a document and notes it. mu is held.
func (c *collection) remove(b *batch, old *record) error {
	if err := c.replace(old, nil); err != nil {
		return err
	}
	b.ops = appendOp(b.ops, opDelete, c.ns, newDoc().add("_id", get(old.doc, "_id")).done())
	b.undo = append(b.undo, func() { c.revert(nil, old) })
	return nil
}

// revert takes a change back; going back to an earlier state cannot violate an index.
func (c *collection) revert(now, old *record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.replace(now, old)
	c.snap.Store(nil)
}
