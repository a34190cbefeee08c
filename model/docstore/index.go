package docstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/btree"
)

// record is one version of a document; it never changes. seq is the place of the document
// in its collection (order of insertion) and stays through updates.
type record struct {
	seq uint64
	doc raw
}

// entry is one key of one document in an index; equal keys are ordered by seq.
type entry struct {
	key string
	rec *record
}

func entryLess(a, b entry) bool {
	if c := strings.Compare(a.key, b.key); c != 0 {
		return c < 0
	}
	return a.seq() < b.seq()
}

func (e entry) seq() uint64 {
	if e.rec == nil {
		return 0 // a pivot sorts before every document with its key
	}
	return e.rec.seq
}

type entryTree = btree.BTreeG[entry]

func newEntryTree() *entryTree {
	return btree.NewBTreeGOptions(entryLess, btree.Options{NoLocks: true})
}

// index is an ordered index. Its definition does not change after creation; its tree is
// copied on write when a reader holds a snapshot.
type index struct {
	name     string
	pattern  raw
	keys     []sortKey
	unique   bool
	sparse   bool
	expire   int64 // seconds after the date; -1 for none
	partial  *filter
	filter   raw // the partial filter as given
	multikey bool
	arrays   uint64 // the keys that an array lay on the way of, ever; the last bit is for all from 63 on
	tree     *entryTree
}

// parseIndex reads one element of createIndexes.
func parseIndex(spec raw) (ix *index, err error) {
	defer catch(&err)
	ix = &index{expire: -1, tree: newEntryTree()}
	for _, f := range fields(spec) {
		switch f.key {
		case "key":
			check(f.Type == tDoc && len(f.Data) > 5, 67, "Index keys cannot be empty")
			ix.pattern = f.Data
		case "name":
			ix.name = str(f.val)
		case "unique":
			ix.unique = truthy(f.val)
		case "sparse":
			ix.sparse = truthy(f.val)
		case "expireAfterSeconds":
			n, ok := asInt(f.val)
			check(ok && n >= 0 && n <= 1<<31-1, 67, "TTL index 'expireAfterSeconds' option must be within an acceptable range")
			ix.expire = n
		case "partialFilterExpression":
			check(f.Type == tDoc, 67, "partialFilterExpression for an index must be a document")
			ix.filter = f.Data
			checkPartial(f.Data)
			ix.partial = filterOf(f.Data, &scope{})
		case "v":
			n, ok := asInt(f.val)
			check(ok && n == 2, 67, "Invalid index specification: this server makes indexes of version 2 only")
		case "background", "ns", "comment":
		case "hidden":
			check(!truthy(f.val), 238, "hidden indexes are not supported")
		case "collation":
			check(str(sub(f.val, "locale")) == "simple", 238, "indexes with a collation are not supported; strings compare by their bytes")
		default:
			panic(fail(197, "The field '%s' is not valid for an index specification or not supported by this server", f.key))
		}
	}
	check(ix.pattern != nil, 9, "The 'key' field is a required property of an index specification")
	check(!ix.sparse || ix.partial == nil, 67, "cannot mix \"partialFilterExpression\" and \"sparse\" options")
	name := ""
	for _, f := range fields(ix.pattern) {
		check(f.Type != tString, 67, "index type '%s' is not supported; this server has ascending and descending indexes", str(f.val))
		check(isNum(f.val) && asFloat(f.val) != 0, 67, "Values in v:2 index key pattern must be of type number (not 0)")
		check(!strings.Contains(f.key, "$"), 67, "index key '%s' is not supported: wildcard indexes and field names that begin with '$'", f.key)
		check(f.key != "" && !slices.Contains(strings.Split(f.key, "."), ""), 67, "Index keys cannot be an empty field")
		check(!hasNumber(f.key), 67, "index key '%s' is not supported: a number in the path", f.key)
		ix.keys = append(ix.keys, sortKey{f.key, strings.Split(f.key, "."), asFloat(f.val) < 0})
		name += fmt.Sprintf("_%s_%v", f.key, asFloat(f.val))
	}
	if ix.name == "" {
		ix.name = name[1:]
	}
	check(ix.expire < 0 || len(ix.keys) == 1 && ix.keys[0].path != "_id", 67, "TTL indexes are single-field indexes, compound indexes (and _id) do not support TTL")
	return ix, nil
}

var partialOps = names("$eq $gt $gte $lt $lte $exists $type $in $and $or")

// checkPartial refuses what MongoDB does not take in a partial index, so that what works
// here works there.
func checkPartial(d raw) {
	for _, f := range fields(d) {
		check(!strings.HasPrefix(f.key, "$") || partialOps[f.key], 67, "unsupported expression in partial index: %s", f.key)
		switch {
		case f.Type == tRegex, f.key == "$exists" && !truthy(f.val):
			panic(fail(67, "unsupported expression in partial index: %s: %s", f.key, f.val))
		case f.key == "$and" || f.key == "$or":
			for _, e := range items(f.val) {
				if e.Type == tDoc {
					checkPartial(e.Data)
				}
			}
		case f.Type == tDoc && operatorDoc(f.Data):
			checkPartial(f.Data)
		}
	}
}

func hasNumber(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "."), func(p string) bool { return strings.Trim(p, "0123456789") == "" })
}

// spec is the index as listIndexes shows it and the log keeps it.
func (ix *index) spec() raw {
	b := newDoc().int("v", 2).doc("key", ix.pattern).str("name", ix.name)
	if ix.unique && ix.name != "_id_" {
		b.bool("unique", true)
	}
	if ix.sparse {
		b.bool("sparse", true)
	}
	if ix.expire >= 0 {
		b.long("expireAfterSeconds", ix.expire)
	}
	if ix.partial != nil {
		b.doc("partialFilterExpression", ix.filter)
	}
	return b.done()
}

func (ix *index) sawArrays(keys uint64) {
	ix.arrays |= keys
	ix.multikey = ix.arrays != 0
}

// walker follows one key of an index into a document.
type walker struct {
	v    val
	rest []string
	path string // consumed so far
	done bool   // v is an element of the array at the end of the path
}

// plainKey appends the key of a document without an array on the way, as most are; left
// says that a sparse index leaves the document out.
func (ix *index) plainKey(buf []byte, d raw) (key []byte, left, plain bool) {
	missing := true
	for _, k := range ix.keys {
		v := vDoc(d)
		for _, p := range k.parts {
			if v = sub(v, p); v.Type == tArray {
				return nil, false, false
			}
		}
		missing = missing && v.Type == 0
		at := len(buf)
		if buf = appendKey(buf, v); k.desc {
			invert(buf[at:])
		}
	}
	return buf, missing && ix.sparse, true
}

// keysOf gives the keys of a document, several when an array lies on the way; arrays has
// the bit of each key of the index that one lies on the way of. old are the keys before a
// change, given again when they are the same.
func (ix *index) keysOf(d raw, old []string) (keys []string, arrays uint64, err error) {
	if ix.partial != nil && !ix.partial.match(d) {
		return nil, 0, nil
	}
	var space [128]byte
	if key, left, plain := ix.plainKey(space[:0], d); plain {
		switch {
		case left:
			return nil, 0, nil
		case len(old) == 1 && old[0] == string(key):
			return old, 0, nil
		}
		return []string{string(key)}, 0, nil
	}
	ws := make([]walker, len(ix.keys))
	for i, k := range ix.keys {
		ws[i] = walker{v: vDoc(d), rest: k.parts}
	}
	var buf []byte
	var expand func(ws []walker) error
	expand = func(ws []walker) error {
		array := -1
		for i := range ws {
			w := &ws[i]
			for len(w.rest) > 0 && w.v.Type != tArray {
				if w.v.Type != tDoc {
					w.v, w.rest = val{}, nil
					break
				}
				w.path += "." + w.rest[0]
				w.v, w.rest = sub(w.v, w.rest[0]), w.rest[1:]
			}
			if w.v.Type == tArray && !w.done {
				if array >= 0 && ws[array].path != w.path {
					return fail(171, "cannot index parallel arrays [%s] [%s]", w.path[1:], ws[array].path[1:])
				}
				array = i
			}
		}
		if array < 0 {
			buf = buf[:0]
			missing := true
			for i, w := range ws {
				at := len(buf)
				buf = appendKey(buf, w.v)
				if ix.keys[i].desc {
					invert(buf[at:])
				}
				missing = missing && w.v.Type == 0
			}
			if !missing || !ix.sparse {
				if len(keys) == 0 || !slices.Contains(keys[max(0, len(keys)-64):], string(buf)) {
					keys = append(keys, string(buf))
				}
			}
			return nil
		}
		path := ws[array].path
		for i := range ws {
			if ws[i].path == path {
				arrays |= 1 << min(i, 63)
			}
		}
		es := items(ws[array].v)
		if len(es) == 0 {
			es = []val{{Type: tUndefined}}
		}
		for _, e := range es {
			sub := slices.Clone(ws)
			for i := range sub {
				w := &sub[i]
				if w.path != path || w.v.Type != tArray || w.done {
					continue
				}
				w.v = e
				if w.done = true; len(w.rest) > 0 {
					if w.done = false; e.Type != tDoc {
						w.v, w.rest = val{}, nil
					}
				}
			}
			if err := expand(sub); err != nil {
				return err
			}
		}
		return nil
	}
	err = expand(ws)
	if len(keys) > 64 {
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	return keys, arrays, err
}

// holder is the other document that has the key, if any.
func (ix *index) holder(key string, seq uint64) (found *record) {
	ix.tree.Ascend(entry{key: key}, func(e entry) bool {
		if e.key != key {
			return false
		}
		if e.rec.seq != seq {
			found = e.rec
		}
		return found == nil
	})
	return found
}

// duplicate is the E11000 error in MongoDB's words, with the values of the fields.
func (ix *index) duplicate(ns string, d raw) *Error {
	var text []string
	b := newDoc()
	for _, k := range ix.keys {
		v := orNull(getPath(d, k.path))
		b.add(k.path, v)
		text = append(text, k.path+": "+v.String())
	}
	e := fail(11000, "E11000 duplicate key error collection: %s index: %s dup key: { %s }", ns, ix.name, strings.Join(text, ", "))
	e.keyPattern, e.keyValue = ix.pattern, b.done()
	return e
}

// copy is a snapshot for readers.
func (ix *index) copy() *index {
	c := *ix
	c.tree = ix.tree.Copy()
	return &c
}

// count is the number of keys in a range, found by bisection.
func (ix *index) count(r span) int { return ix.position(r.hi) - ix.position(r.lo) }

// position is the number of keys below k.
func (ix *index) position(k string) int {
	lo, hi := 0, ix.tree.Len()
	// Most spans of the topmost organisation begin or end where the index does.
	if e, ok := ix.tree.Min(); !ok || e.key >= k {
		return 0
	}
	if e, _ := ix.tree.Max(); e.key < k {
		return hi
	}
	for lo < hi {
		mid := (lo + hi) / 2
		if e, _ := ix.tree.GetAt(mid); e.key < k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
