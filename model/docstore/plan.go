package docstore

import (
	"slices"
	"strings"
)

// span is a range of index keys, lo included and hi not.
type span struct{ lo, hi string }

// plan says how the documents of a query are found.
type plan struct {
	filter *filter
	ix     *index // nil: every document, in order of insertion
	spans  []span
	desc   bool
	sorted bool // the index gives the order asked for
	once   bool // no document has two entries in the spans
	exact  bool // the spans alone decide: no document has to be looked at
	idhack bool
	or     []*plan // one for each branch of a $or

	bounds     []bound
	keys, docs int // examined
}

// bound is what the conditions say about one field of an index: prefixes of keys.
type bound struct {
	ranges []keyRange
	points bool
	used   int // conditions expressed in full
}

// keyRange is a range of the keys of one value: keys that begin with lo are in it when
// loIn, keys that begin with hi when hiIn.
type keyRange struct {
	lo, hi     []byte
	loIn, hiIn bool
}

func (r keyRange) span(prefix string, desc bool) span {
	if desc {
		r = keyRange{invert(slices.Clone(r.hi)), invert(slices.Clone(r.lo)), r.hiIn, r.loIn}
	}
	lo, hi := append([]byte(prefix), r.lo...), append([]byte(prefix), r.hi...)
	if !r.loIn {
		lo = successor(lo)
	}
	if r.hiIn {
		hi = successor(hi)
	}
	return span{string(lo), string(hi)}
}

func pointRange(v val) keyRange {
	if isNull(v) {
		return keyRange{[]byte{rank(tUndefined)}, []byte{rank(tNull)}, true, true}
	}
	k := appendKey(nil, v)
	return keyRange{k, k, true, true}
}

func orderRange(op string, v val) keyRange {
	k, kind := appendKey(nil, v), []byte{rank(v.Type)}
	low := keyRange{lo: kind, loIn: true}
	if isNum(v) { // below the numbers lies NaN, which is not less than any
		low = keyRange{lo: append(kind, make([]byte, 8)...)}
	}
	switch op {
	case "<", "<=":
		low.hi, low.hiIn = k, op == "<="
		return low
	}
	return keyRange{k, kind, op == ">=", true}
}

// boundOf collects what the conditions say about a field. On a multikey index two
// conditions may hold for two different elements, so only one of them may narrow the range.
func boundOf(conds []cond, path string, multikey bool) *bound {
	var in *cond
	var ranged []*cond
	for i := range conds {
		c := &conds[i]
		if c.path != path {
			continue
		}
		switch c.op {
		case "=":
			return &bound{[]keyRange{pointRange(c.v)}, true, 1}
		case "in":
			if in == nil {
				in = c
			}
		case "exists":
		default:
			ranged = append(ranged, c)
		}
	}
	switch {
	case in != nil:
		b := &bound{points: true, used: 1, ranges: make([]keyRange, 0, len(in.vs))}
		for _, v := range in.vs {
			b.ranges = append(b.ranges, pointRange(v))
		}
		return b
	case len(ranged) == 0:
		return nil
	}
	b := &bound{}
	for i, c := range ranged {
		var r keyRange
		if c.op == "prefix" {
			k := appendKey(nil, c.v)
			k = k[:len(k)-2]
			if len(ranged) == 1 {
				b.ranges = append(b.ranges, pointRange(c.vs[0]))
			}
			r = keyRange{k, k, true, true}
		} else {
			r = orderRange(c.op, c.v)
			b.used++
		}
		if i == 0 {
			b.ranges = append(b.ranges, r)
			continue
		}
		last := &b.ranges[len(b.ranges)-1]
		if multikey || ranged[0].op == "prefix" || c.op == "prefix" || rank(c.v.Type) != rank(ranged[0].v.Type) {
			b.used = 0
			continue
		}
		if s := string(successorUnless(r.lo, r.loIn)); s > string(successorUnless(last.lo, last.loIn)) {
			last.lo, last.loIn = r.lo, r.loIn
		}
		if s := string(successorUnless(r.hi, !r.hiIn)); s < string(successorUnless(last.hi, !last.hiIn)) {
			last.hi, last.hiIn = r.hi, r.hiIn
		}
	}
	return b
}

func successorUnless(k []byte, as bool) []byte {
	if as {
		return k
	}
	return successor(k)
}

const maxSpans = 4096

// indexPlan is the plan of one index for the conditions, or nil when it does not help.
func indexPlan(f *filter, ix *index, sort *sorter) *plan {
	if ix.partial != nil && !implies(f, ix.partial) {
		return nil
	}
	p := &plan{filter: f, ix: ix}
	prefixes := []string{""}
	used, single := 0, 0
	for i, k := range ix.keys {
		if ix.multikey && i > 0 && sharesTop(ix.keys[:i], k) {
			break
		}
		b := boundOf(f.conds, k.path, ix.multikey)
		if b == nil || len(prefixes)*len(b.ranges) > maxSpans && i > 0 {
			break
		}
		p.bounds = append(p.bounds, *b)
		used += b.used
		p.spans = nil
		var longer []string
		for _, prefix := range prefixes {
			for _, r := range b.ranges {
				if s := r.span(prefix, k.desc); s.lo < s.hi {
					p.spans = append(p.spans, s)
				}
				lo := slices.Clone(r.lo)
				if k.desc {
					invert(lo)
				}
				longer = append(longer, prefix+string(lo))
			}
		}
		nullPoint := slices.ContainsFunc(b.ranges, func(r keyRange) bool { return string(r.lo) != string(r.hi) })
		if !b.points || nullPoint {
			break
		}
		if len(b.ranges) == 1 && len(prefixes) == 1 {
			single++
		}
		prefixes = longer
	}
	whole := len(p.bounds) == 0
	if whole {
		p.spans = []span{{"", "\xff\xff"}}
	}
	if ix.sparse && (whole || !excludesMissing(f, ix.keys[0].path)) {
		return nil
	}
	slices.SortFunc(p.spans, func(a, b span) int { return strings.Compare(a.lo, b.lo) })
	merged := p.spans[:0]
	for _, s := range p.spans {
		if n := len(merged); n > 0 && s.lo <= merged[n-1].hi {
			merged[n-1].hi = max(merged[n-1].hi, s.hi)
		} else {
			merged = append(merged, s)
		}
	}
	p.spans = merged
	// With one value for each key that arrays lie on the way of, a document has one entry
	// in the spans: they count and order documents as those of a plain index do.
	p.once = ix.arrays>>single == 0
	p.exact = f.exact && used == len(f.conds) && p.once
	if sort == nil {
		p.sorted = true
	} else if p.once {
		p.sorted, p.desc = ordered(ix, single, sort)
	}
	if whole && (sort == nil || !p.sorted) {
		return nil
	}
	return p
}

func sharesTop(before []sortKey, k sortKey) bool {
	return slices.ContainsFunc(before, func(b sortKey) bool { return b.parts[0] == k.parts[0] })
}

// ordered says whether the index, whose first single fields have one value, yields the
// order asked for, and in which direction.
func ordered(ix *index, single int, sort *sorter) (ok, desc bool) {
	i, first := single, true
	for _, s := range sort.keys {
		if at := slices.IndexFunc(ix.keys[:single], func(k sortKey) bool { return k.path == s.path }); at >= 0 {
			if ix.arrays>>min(at, 63)&1 != 0 {
				return false, false // an array that holds the value sorts by another element
			}
			continue
		}
		if i >= len(ix.keys) || ix.keys[i].path != s.path {
			return false, false
		}
		back := ix.keys[i].desc != s.desc
		if !first && back != desc {
			return false, false
		}
		first, desc = false, back
		i++
	}
	return true, desc
}

func excludesMissing(f *filter, path string) bool {
	return slices.ContainsFunc(f.conds, func(c cond) bool {
		return c.path == path && !(c.op == "=" && isNull(c.v)) && !slices.ContainsFunc(c.vs, isNull)
	})
}

// implies says whether every document the query finds satisfies the partial filter: each of
// its conditions must follow from one condition of the query on the same path.
func implies(f, partial *filter) bool {
	if !partial.exact {
		return false
	}
	for _, want := range partial.conds {
		if !slices.ContainsFunc(f.conds, func(have cond) bool { return have.path == want.path && follows(have, want) }) {
			return false
		}
	}
	return true
}

func follows(have, want cond) bool {
	holds := func(v val) bool {
		switch want.op {
		case "=":
			return equals(want.v)(v)
		case "in":
			return oneOf(want.vs)(v)
		case "exists":
			return !isNull(v)
		case "prefix":
			return false
		}
		return ordering(want.op, want.v)(v)
	}
	switch have.op {
	case "=":
		return holds(have.v)
	case "in":
		return !slices.ContainsFunc(have.vs, func(v val) bool { return !holds(v) })
	case "exists":
		return want.op == "exists"
	case "prefix":
		return want.op == "exists"
	}
	return want.op == "exists" || want.op[:1] == have.op[:1] && holds(have.v) && (len(want.op) == 2 || len(have.op) == 1 || compare(have.v, want.v) != 0)
}

// choose picks the index with the least to look at. Counting the keys of a range takes
// microseconds, so it is counted, not guessed.
func (v *view) choose(f *filter, sort *sorter, skip, limit int, hint val) *plan {
	if i := idCond(f); i >= 0 && hint.Type == 0 {
		k := appendKey(nil, f.conds[i].v)
		exact := f.exact && len(f.conds) == 1
		return &plan{filter: f, ix: v.ix[0], spans: []span{{string(k), string(successor(k))}}, sorted: true, once: true, exact: exact, idhack: exact}
	}
	scan := &plan{filter: f, sorted: sort == nil, exact: f.exact && len(f.conds) == 0}
	if natural := sub(hint, "$natural"); natural.Type != 0 {
		check(isNum(natural), 2, "the $natural hint must be 1 or -1")
		scan.desc = asFloat(natural) < 0
		return scan
	}
	if len(hint.Data) > 5 || hint.Type != 0 && hint.Type != tDoc {
		ix := v.hinted(hint)

		if p := indexPlan(f, ix, sort); p != nil {
			return p
		}
		p := &plan{filter: f, ix: ix, spans: []span{{"", "\xff\xff"}}, sorted: sort == nil}
		if ix.sparse || ix.partial != nil {
			return scan // the index does not hold every document the query may find
		}
		return p
	}
	var best *plan
	cost := 0
	for _, ix := range slices.Backward(v.ix) { // what was made for a query comes after what serves all
		p := indexPlan(f, ix, sort)
		if p == nil {
			continue
		}
		if p.exact && p.sorted && len(p.bounds) > 0 {
			return p // it looks at what is found and at nothing else
		}
		n := 0
		for _, s := range p.spans {
			n += ix.count(s)
		}
		switch {
		case p.sorted && sort != nil && limit > 0 && p.exact:
			n = min(n, skip+limit)
		case sort != nil && !p.sorted:
			n += n/2 + 1
		case len(p.bounds) == 0 && limit == 0:
			n = 2*n + 1 // the order of a whole index costs more than sorting what a bound finds
		}
		if len(p.bounds) == 0 {
			n++
		}
		if best == nil || n < cost || n == cost && len(p.bounds) > len(best.bounds) {
			best, cost = p, n
		}
	}
	if best == nil && len(f.ors) > 0 {
		or := &plan{filter: f, sorted: scan.sorted}
		for _, conds := range f.ors {
			p := v.choose(&filter{conds: conds, test: f.test}, nil, 0, 0, val{})
			if p.ix == nil {
				return scan
			}
			or.or = append(or.or, p)
		}
		return or
	}
	if best == nil {
		best = scan
	}
	return best
}

// idCond is the condition that names the one _id there can be, or -1.
func idCond(f *filter) int {
	return slices.IndexFunc(f.conds, func(c cond) bool { return c.op == "=" && c.path == "_id" && !isNull(c.v) })
}

func (v *view) hinted(hint val) *index {
	for _, x := range v.ix {
		if hint.Type == tString && str(hint) == x.name || hint.Type == tDoc && samePattern(hint.Data, x.pattern) {
			return x
		}
	}
	panic(fail(2, "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index"))
}

func samePattern(a, b raw) bool {
	x, y := fields(a), fields(b)
	return slices.EqualFunc(x, y, func(p, q elem) bool { return p.key == q.key && asFloat(p.val) == asFloat(q.val) })
}

// each calls f for every document of the plan that matches, until f returns false.
func (p *plan) each(v *view, f func(*record) bool) {
	visit := func(r *record) bool {
		p.docs++
		return !p.exact && !p.filter.match(r.doc) || f(r)
	}
	if p.or != nil {
		seen := map[uint64]bool{}
		goOn := true
		for _, b := range p.or {
			if !goOn {
				break
			}
			b.filter = p.filter
			b.each(v, func(r *record) bool {
				if !seen[r.seq] {
					seen[r.seq] = true
					goOn = f(r)
				}
				return goOn
			})
			p.keys, p.docs = p.keys+b.keys, p.docs+b.docs
		}
		return
	}
	if p.ix == nil {
		if p.desc {
			v.rows.Reverse(visit)
		} else {
			v.rows.Scan(visit)
		}
		return
	}
	var seen map[uint64]bool
	if !p.once {
		seen = map[uint64]bool{}
	}
	take := func(e entry) bool {
		p.keys++
		if seen != nil {
			if seen[e.rec.seq] {
				return true
			}
			seen[e.rec.seq] = true
		}
		return visit(e.rec)
	}
	goOn := true
	for i := range p.spans {
		if !goOn {
			return
		}
		s := p.spans[i]
		if !p.desc {
			p.ix.tree.Ascend(entry{key: s.lo}, func(e entry) bool {
				if e.key >= s.hi {
					return false
				}
				goOn = take(e)
				return goOn
			})
			continue
		}
		s = p.spans[len(p.spans)-1-i]
		p.ix.tree.Descend(entry{key: s.hi}, func(e entry) bool {
			if e.key >= s.hi {
				return true
			}
			if e.key < s.lo {
				return false
			}
			goOn = take(e)
			return goOn
		})
	}
}

// count is the number of matches; when the keys decide, none of them is visited.
func (p *plan) count(v *view) (n int) {
	if p.exact && p.ix != nil {
		for _, s := range p.spans {
			n += p.ix.count(s)
		}
		p.keys = n
		return n
	}
	if p.exact && p.ix == nil && p.or == nil {
		return v.rows.Len()
	}
	p.each(v, func(*record) bool { n++; return true })
	return n
}
