package docstore

import (
	"slices"
	"strings"
)

// sorter orders documents by a sort specification.
type sorter struct {
	keys []sortKey
}

type sortKey struct {
	path  string
	parts []string
	desc  bool
}

// sortOf compiles a sort specification; an empty one gives nil.
func sortOf(d raw) *sorter {
	if len(d) == 5 {
		return nil
	}
	s := &sorter{}
	for _, f := range fields(d) {
		check(f.Type != tDoc, 238, "sorting by $meta is not supported")
		n, ok := asInt(f.val)
		check(ok && (n == 1 || n == -1), 15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)")
		check(f.key != "" && !strings.HasPrefix(f.key, "$"), 16410, "Invalid sort field '%s'", f.key)
		s.keys = append(s.keys, sortKey{f.key, strings.Split(f.key, "."), n < 0})
	}
	return s
}

// value is what a document sorts by: of an array the least element, or the greatest when
// descending.
func (k *sortKey) value(v val) (best val) {
	found := false
	take := func(x val) bool {
		if c := 0; !found {
			best, found = x, true
		} else if c = compare(x, best); (c < 0) != k.desc && c != 0 {
			best = x
		}
		return false
	}
	reach(v, k.parts, nil, func(x val) bool {
		if x.Type != tArray {
			return take(x)
		}
		if len(x.Data) == 5 {
			return take(val{Type: tUndefined})
		}
		each(x.Data, func(_ []byte, e val) bool { take(e); return true })
		return false
	})
	return best
}

func (s *sorter) values(v val) []val { return s.valuesInto(make([]val, len(s.keys)), v) }

func (s *sorter) valuesInto(out []val, v val) []val {
	for i := range s.keys {
		k := &s.keys[i]
		if len(k.parts) == 1 && v.Type == tDoc { // most sorts are by a plain field
			if x := sub(v, k.path); x.Type != tArray {
				out[i] = x
				continue
			}
		}
		out[i] = k.value(v)
	}
	return out
}

func (s *sorter) compareLists(a, b []val) int {
	for i := range s.keys {
		if c := compare(a[i], b[i]); c != 0 {
			if s.keys[i].desc {
				return -c
			}
			return c
		}
	}
	return 0
}

func (s *sorter) compareValues(a, b val) int { return s.compareLists(s.values(a), s.values(b)) }

// sort orders documents stably; only the first limit of them when limit is above zero,
// which takes one pass and a small heap instead of sorting everything.
func (s *sorter) sort(ds []raw, limit int) []raw {
	type row struct {
		d  raw
		ks []val
		i  int
	}
	order := func(a, b row) int {
		if c := s.compareLists(a.ks, b.ks); c != 0 {
			return c
		}
		return a.i - b.i
	}
	keep := len(ds)
	if limit > 0 {
		keep = min(keep, 2*limit)
	}
	rows := make([]row, 0, keep)
	cut := false // rows[limit-1] bounds what can still come in
	scratch := make([]val, len(s.keys))
	for i, d := range ds {
		r := row{d, s.valuesInto(scratch, vDoc(d)), i}
		if limit > 0 && len(rows) == 2*limit { // twice the limit is sorted and halved: amortised n log k
			slices.SortFunc(rows, order)
			rows, cut = rows[:limit], true
		}
		if cut && order(r, rows[limit-1]) > 0 {
			continue
		}
		r.ks = slices.Clone(r.ks)
		rows = append(rows, r)
	}
	slices.SortFunc(rows, order)
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
	}
	out := make([]raw, len(rows))
	for i, r := range rows {
		out[i] = r.d
	}
	return out
}

// mapper turns a document into another one.
type mapper func(d raw) raw

// shape is a tree of a projection: what happens to each named field.
type shape struct {
	names []string
	kids  map[string]*shape
	x     expr    // computed
	leaf  bool    // included or excluded
	slice *[2]int // $slice
	match test    // $elemMatch
	first bool    // positional: the element the query matched
}

func (s *shape) kid(name string) *shape {
	if s.kids == nil {
		s.kids = map[string]*shape{}
	}
	k := s.kids[name]
	if k == nil {
		k = &shape{}
		s.kids[name] = k
		s.names = append(s.names, name)
	}
	return k
}

// projectionOf compiles the projection of a find ($slice, $elemMatch and positional $ are
// for find only) or of a $project stage.
func projectionOf(d raw, sc *scope, f *filter, find bool) mapper {
	root := &shape{}
	mode, id := 0, true // mode 1 includes, -1 excludes
	special := false
	var put func(prefix string, path string, v val)
	put = func(prefix, path string, v val) {
		full := prefix + path
		check(path != "" && !strings.HasSuffix(full, ".") && !strings.HasPrefix(path, "$"), 40353, "Invalid field path in a projection: '%s'", full)
		node := root
		parts := strings.Split(full, ".")
		positional := find && parts[len(parts)-1] == "$"
		if positional {
			parts = parts[:len(parts)-1]
		}
		for _, p := range parts {
			check(!node.leaf && node.x == nil, 31249, "Path collision at %s", full)
			node = node.kid(p)
		}
		check(len(node.kids) == 0 && !node.leaf && node.x == nil, 31250, "Path collision at %s", full)
		number := isNum(v) || v.Type == tBool
		if v.Type == tDoc && len(v.Data) > 5 && !operatorDoc(v.Data) {
			for _, s := range subfields(v) {
				put(full+".", s.key, s.val)
			}
			return
		}
		set := func(m int) {
			if full != "_id" {
				check(mode == 0 || mode == m, 31254, "Cannot do %s on field %s in %s projection", word(m), full, word(mode))
				mode = m
			}
		}
		op := val{}
		if v.Type == tDoc && find {
			op = sub(v, "$slice")
		}
		switch {
		case positional:
			set(1)
			node.leaf, node.first = true, true
		case op.Type != 0 && (isNum(op) || op.Type == tArray && len(items(op)) == 2 && isNum(items(op)[0])):
			special = true
			n := [2]int{0, int(asFloat(op))}
			if a := items(op); len(a) == 2 {
				n = [2]int{int(asFloat(a[0])), int(asFloat(a[1]))}
				check(n[1] > 0, 28724, "$slice limit must be positive")
			} else if n[1] < 0 {
				n = [2]int{n[1], -n[1]}
			}
			node.leaf, node.slice = true, &n
		case v.Type == tDoc && find && sub(v, "$elemMatch").Type != 0:
			set(1)
			t := new(filter).elemMatch(full, nil, sub(v, "$elemMatch"), sc)
			node.leaf, node.match = true, t
		case v.Type == tDoc && find && sub(v, "$meta").Type != 0:
			panic(fail(238, "$meta projections are not supported"))
		case number && truthy(v):
			set(1)
			node.leaf = true
		case number:
			if full == "_id" {
				id = false
			}
			set(-1)
			node.leaf = true
		default:
			set(1)
			node.x = exprOf(v, sc)
		}
	}
	for _, e := range fields(d) {
		put("", e.key, e.val)
	}
	include := mode == 1 || mode == 0 && !special && id && root.kids["_id"] != nil
	if include {
		if id {
			if k := root.kid("_id"); k.x == nil && len(k.kids) == 0 {
				k.leaf = true
			}
		} else {
			delete(root.kids, "_id")
			root.names = slices.DeleteFunc(root.names, func(n string) bool { return n == "_id" })
		}
	}
	return func(d raw) raw {
		e := &env{root: vDoc(d), cur: vDoc(d)}
		return root.apply(vDoc(d), e, include, f).Data
	}
}

func word(m int) string {
	if m == 1 {
		return "inclusion"
	}
	return "exclusion"
}

func (s *shape) apply(v val, e *env, include bool, f *filter) val {
	switch v.Type {
	case tArray:
		var out []val
		for _, x := range items(v) {
			if x.Type == tDoc || x.Type == tArray {
				out = append(out, s.apply(x, e, include, f))
			} else if !include {
				out = append(out, x)
			}
		}
		return array(out)
	case tDoc:
	default:
		return v
	}
	b := newDoc()
	seen := map[string]bool{}
	each(v.Data, func(key []byte, x val) bool {
		k := s.kids[string(key)]
		switch {
		case k == nil:
			if !include {
				b.add(string(key), x)
			}
		case k.x != nil: // computed below, after the fields that stay
			return true
		case k.slice != nil:
			if x.Type == tArray {
				x = array(sliced(items(x), k.slice[0], k.slice[1]))
			}
			b.add(string(key), x)
		case k.match != nil:
			for _, y := range items(x) {
				if k.match(array([]val{y}), nil) {
					b.add(string(key), array([]val{y}))
					break
				}
			}
		case k.first:
			var at position
			if f != nil && f.test(e.root, &at) && at.set && at.i < len(items(x)) {
				x = array(items(x)[at.i : at.i+1])
			} else {
				panic(fail(51246, "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array"))
			}
			b.add(string(key), x)
		case k.leaf:
			if include {
				b.add(string(key), x)
			}
		default:
			if x.Type == tDoc || x.Type == tArray {
				b.add(string(key), k.apply(x, e, include, f))
			} else if !include {
				b.add(string(key), x)
			} else if k.computes() {
				return true
			}
			seen[string(key)] = true
		}
		return true
	})
	for _, n := range s.names {
		k := s.kids[n]
		if k.x != nil {
			if r := k.x(e); r.Type != 0 {
				b.add(n, r)
			}
		} else if k.computes() && !seen[n] {
			b.add(n, k.apply(vDoc(emptyDoc), e, include, f))
		}
	}
	return vDoc(b.done())
}

func (s *shape) computes() bool {
	for _, k := range s.kids {
		if k.x != nil || k.computes() {
			return true
		}
	}
	return false
}

// mapperOf compiles the stages that change one document at a time; nil for any other.
func mapperOf(stage string, v val, sc *scope) mapper {
	switch stage {
	case "$project":
		check(v.Type == tDoc && len(v.Data) > 5, 51272, "projection specification must have at least one field")
		return projectionOf(v.Data, sc, nil, false)
	case "$addFields", "$set":
		check(v.Type == tDoc, 40272, "%s specification stage must be an object, got %s", stage, typeName(v.Type))
		type assignment struct {
			parts []string
			x     expr
		}
		var as []assignment
		var put func(prefix string, d raw)
		put = func(prefix string, d raw) {
			for _, f := range fields(d) {
				check(f.key != "" && !strings.HasPrefix(f.key, "$"), 16410, "FieldPath field names may not be empty or start with '$': '%s'", f.key)
				if f.Type == tDoc && len(f.Data) > 5 && !operatorDoc(f.Data) {
					put(prefix+f.key+".", f.Data)
				} else {
					as = append(as, assignment{strings.Split(prefix+f.key, "."), exprOf(f.val, sc)})
				}
			}
		}
		put("", v.Data)
		return func(d raw) raw {
			e := &env{root: vDoc(d), cur: vDoc(d)}
			n := newNode(vDoc(d))
			for _, a := range as {
				assign(n, a.parts, a.x(e))
			}
			return n.value().Data
		}
	case "$unset":
		names := items(v)
		if v.Type == tString {
			names = []val{v}
		}
		check(len(names) > 0, 31002, "$unset specification must be a string or an array with at least one field")
		b := newDoc()
		for _, n := range names {
			check(n.Type == tString && str(n) != "", 31120, "$unset specification must be a string or an array of strings")
			b.add(str(n), vInt(0))
		}
		return projectionOf(b.done(), sc, nil, false)
	case "$replaceRoot", "$replaceWith":
		if stage == "$replaceRoot" {
			v = known(stage, v, 1, "newRoot").arg("newRoot")
		}
		x := exprOf(v, sc)
		return func(d raw) raw {
			r := x(&env{root: vDoc(d), cur: vDoc(d)})
			check(r.Type == tDoc, 40228, "'newRoot' expression must evaluate to an object, but resulting value was of type: %s", typeName(r.Type))
			return r.Data
		}
	}
	return nil
}

// assign sets a path as $addFields does: through the elements of arrays, and over scalars.
func assign(n *node, parts []string, v val) {
	if n.isArray() {
		n.unfold()
		for _, k := range n.kids {
			assign(k.node, parts, v)
		}
		return
	}
	if !n.isDoc() {
		n.replace(vDoc(emptyDoc))
	}
	if len(parts) == 1 {
		if v.Type == 0 {
			n.unset(parts[0])
		} else {
			n.set(parts[0], newNode(v))
		}
		return
	}
	c := n.find(parts[0])
	if c == nil {
		if v.Type == 0 {
			return
		}
		c = newNode(vDoc(emptyDoc))
		n.set(parts[0], c)
	}
	assign(c, parts[1:], v)
}
