package docstore

import (
	"bytes"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// test says whether a value (a whole document, or an element under $elemMatch) satisfies a
// condition. at, when not nil, receives the array index for the positional operator $.
type test func(v val, at *position) bool

// position remembers the outermost array index through which the last array condition held.
type position struct {
	set bool
	i   int
}

func (p *position) put(i int) {
	if p != nil {
		p.set, p.i = true, i
	}
}

// filter is a compiled query. conds are the conditions that hold for every document the
// query finds, which is what an index can use; exact means that there are no others.
type filter struct {
	test  test
	conds []cond
	ors   [][]cond // branches of a $or at the top, when each has conds
	exact bool
	eqs   []elem // equalities of the whole document, from which an upsert makes its document
}

// cond is one condition on one path: op is = in > >= < <= prefix or exists.
type cond struct {
	path string
	op   string
	v    val
	vs   []val
}

func (f *filter) match(d raw) bool { return f.test(vDoc(d), nil) }

// scope is what a query or pipeline can refer to beside the document, and its time limit.
type scope struct {
	vars  map[string]val          // let variables
	coll  func(name string) *view // another collection of the database
	now   time.Time               // $$NOW
	until time.Time               // zero: no limit
	ticks int
}

func (sc *scope) set(name string, v val) {
	if sc.vars == nil {
		sc.vars = map[string]val{}
	}
	sc.vars[name] = v
}

// tick is called for each document of a long job.
func (sc *scope) tick() {
	if sc.ticks++; sc.ticks%256 == 0 && !sc.until.IsZero() && time.Now().After(sc.until) {
		panic(fail(50, "operation exceeded time limit"))
	}
}

// filterOf compiles a query document.
func filterOf(d raw, sc *scope) *filter {
	f := &filter{exact: true}
	var all []test
	for _, e := range fields(d) {
		if !strings.HasPrefix(e.key, "$") {
			all = append(all, f.field(e.key, e.val, sc))
			continue
		}
		switch e.key {
		case "$and", "$or", "$nor":
			check(e.Type == tArray && len(e.Data) > 5, 2, "%s must be a nonempty array", e.key)
			var subs []*filter
			var tests []test
			for _, s := range items(e.val) {
				check(s.Type == tDoc, 2, "%s entries need to be full objects", e.key)
				sub := filterOf(s.Data, sc)
				subs, tests = append(subs, sub), append(tests, sub.test)
			}
			switch e.key {
			case "$and":
				for _, s := range subs {
					f.conds, f.eqs = append(f.conds, s.conds...), append(f.eqs, s.eqs...)
					f.exact = f.exact && s.exact
					if s.ors != nil {
						f.ors = s.ors
					}
				}
				all = append(all, allOf(tests))
			case "$or":
				f.exact = false
				f.ors = nil
				for _, s := range subs {
					f.ors = append(f.ors, s.conds)
				}
				all = append(all, anyOf(tests))
			case "$nor":
				f.exact = false
				t := anyOf(tests)
				all = append(all, func(v val, _ *position) bool { return !t(v, nil) })
			}
		case "$expr":
			f.exact = false
			x := exprOf(e.val, sc)
			all = append(all, func(v val, _ *position) bool { return truthy(x(&env{root: v, cur: v})) })
		case "$comment":
		case "$where":
			panic(fail(2, "$where needs JavaScript, which this server does not run"))
		case "$text":
			panic(fail(27, "text index required for $text query; this server has no text indexes"))
		case "$jsonSchema":
			panic(fail(238, "$jsonSchema is not supported"))
		default:
			panic(fail(2, "unknown top level operator: %s. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.", e.key))
		}
	}
	f.test = allOf(all)
	return f
}

func allOf(ts []test) test {
	if len(ts) == 1 {
		return ts[0]
	}
	return func(v val, at *position) bool {
		for _, t := range ts {
			if !t(v, at) {
				return false
			}
		}
		return true
	}
}

func anyOf(ts []test) test {
	return func(v val, at *position) bool {
		for _, t := range ts {
			if t(v, at) {
				return true
			}
		}
		return false
	}
}

func (f *filter) know(path, op string, v val, vs ...val) {
	if (op == "=" && (v.Type == tArray || v.Type == tUndefined)) || v.Type == tMinKey || v.Type == tMaxKey {
		f.exact = false // an array equals a field or one of its elements: no single range of keys
		return
	}
	if op != "=" && op != "in" && (v.Type == tNull || v.Type == tArray || v.Type == tDouble && v.Double() != v.Double()) {
		f.exact = false
		return
	}
	f.conds = append(f.conds, cond{path, op, v, vs})
}

// field compiles {path: condition}.
func (f *filter) field(path string, c val, sc *scope) test {
	parts := strings.Split(path, ".")
	if c.Type == tRegex {
		return f.regex(path, parts, c, val{})
	}
	if c.Type == tDoc {
		if es := subfields(c); len(es) > 0 && strings.HasPrefix(es[0].key, "$") && !dbRef(es[0].key) {
			return f.operators(path, parts, c.Data, sc, true)
		}
	}
	f.know(path, "=", c)
	f.eqs = append(f.eqs, elem{path, c})
	return leaf(parts, true, equals(c))
}

func dbRef(k string) bool { return k == "$ref" || k == "$id" || k == "$db" }

// reach calls f for each value to which the path leads from v, going into the documents of
// an array and taking a number for an index as well; f gets a missing value where a
// document ends early. It stops at the first true.
func reach(v val, parts []string, at *position, f func(val) bool) (hit bool) {
	if len(parts) == 0 {
		return f(v)
	}
	switch v.Type {
	case tDoc:
		return reach(sub(v, parts[0]), parts[1:], at, f)
	case tArray:
		i := 0
		each(v.Data, func(k []byte, e val) bool {
			hit = string(k) == parts[0] && reach(e, parts[1:], at, f) || e.Type == tDoc && reach(e, parts, at, f)
			if hit {
				at.put(i)
			}
			i++
			return !hit
		})
		return hit
	}
	return f(val{})
}

// leaf tests the values at a path; with spread an array passes when one of its elements does.
func leaf(parts []string, spread bool, p func(val) bool) test {
	return func(v val, at *position) bool {
		return reach(v, parts, at, func(v val) bool {
			if spread && v.Type == tArray {
				i, hit := 0, false
				each(v.Data, func(_ []byte, e val) bool {
					if hit = p(e); hit {
						at.put(i)
					}
					i++
					return !hit
				})
				if hit {
					return true
				}
			}
			return p(v)
		})
	}
}

func not(t test) test { return func(v val, _ *position) bool { return !t(v, nil) } }

func isNull(v val) bool { return v.Type == 0 || v.Type == tNull || v.Type == tUndefined }

func equals(c val) func(val) bool {
	if isNull(c) {
		return isNull
	}
	if c.Type == tString {
		return func(v val) bool {
			return v.Type == tString && bytes.Equal(v.Data, c.Data) || v.Type == tSymbol && compare(v, c) == 0
		}
	}
	return func(v val) bool { return v.Type != 0 && rank(v.Type) == rank(c.Type) && compare(v, c) == 0 }
}

func oneOf(vs []val) func(val) bool {
	set := make(map[string]bool, len(vs))
	for _, v := range vs {
		set[string(appendKey(nil, v))] = true
	}
	return func(v val) bool {
		var buf [64]byte
		return set[string(appendKey(buf[:0], v))]
	}
}

// ordering is > >= < or <=, which hold only between values of one kind; everything, a
// missing field too, is greater than MinKey and less than MaxKey.
func ordering(op string, c val) func(val) bool {
	any := c.Type == tMinKey || c.Type == tMaxKey
	nan := func(v val) bool { f := asFloat(v); return isNum(v) && f != f }
	return func(v val) bool {
		if !any && (rank(v.Type) != rank(c.Type) || nan(v) != nan(c)) {
			return false
		}
		n := compare(v, c)
		switch op {
		case ">":
			return n > 0
		case ">=":
			return n >= 0
		case "<":
			return n < 0
		}
		return n <= 0
	}
}

var orderOps = map[string]string{"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}

// operators compiles {$op: argument, …} on one path. f collects what an index may use (under
// a negation a filter that is thrown away).
func (f *filter) operators(path string, parts []string, d raw, sc *scope, spread bool) test {
	var all []test
	es := fields(d)
	for _, e := range es {
		c := e.val
		usable := false
		var t test
		switch e.key {
		case "$eq":
			f.know(path, "=", c)
			f.eqs = append(f.eqs, elem{path, c})
			usable = true
			t = leaf(parts, spread, equals(c))
		case "$ne":
			check(c.Type != tRegex, 2, "Can't have regex as arg to $ne.")
			t = not(leaf(parts, spread, equals(c)))
		case "$gt", "$gte", "$lt", "$lte":
			check(c.Type != tRegex, 2, "Can't have RegEx as arg to predicate over field '%s'.", path)
			op := orderOps[e.key]
			f.know(path, op, c)
			usable = c.Type != tMinKey && c.Type != tMaxKey
			t = leaf(parts, spread, ordering(op, c))
		case "$in", "$nin":
			check(c.Type == tArray, 2, "%s needs an array", e.key)
			var plain []val
			var tests []test
			indexable := true
			for _, v := range items(c) {
				if v.Type == tRegex {
					tests = append(tests, new(filter).regex(path, parts, v, val{}))
					continue
				}
				check(v.Type != tDoc || !operatorDoc(v.Data), 2, "cannot nest $ under %s", e.key)
				indexable = indexable && v.Type != tArray && v.Type != tUndefined && v.Type != tMinKey && v.Type != tMaxKey
				plain = append(plain, v)
			}
			t = leaf(parts, spread, oneOf(plain))
			for _, v := range plain {
				if isNull(v) {
					tests = append(tests, leaf(parts, spread, isNull))
				}
			}
			if len(tests) > 0 {
				t = anyOf(append(tests, t))
			} else if usable = indexable && e.key == "$in"; usable {
				f.know(path, "in", vEmptyArr, plain...)
			}
			if e.key == "$nin" {
				t = not(t)
			}
		case "$exists":
			t = leaf(parts, false, func(v val) bool { return v.Type != 0 })
			if truthy(c) {
				f.know(path, "exists", vTrue)
				usable = true
			} else {
				t = not(t)
			}
		case "$not":
			switch c.Type {
			case tRegex:
				t = not(new(filter).regex(path, parts, c, val{}))
			default:
				check(c.Type == tDoc && len(c.Data) > 5, 2, "$not needs a regex or a document")
				check(operatorDoc(c.Data), 2, "$not needs a document of operators")
				t = not(new(filter).operators(path, parts, c.Data, sc, spread))
			}
		case "$type":
			t = leaf(parts, spread, typeTest(c))
		case "$size":
			n, ok := asInt(c)
			check(ok && n >= 0, 2, "Failed to parse $size. Expected a non-negative integer")
			t = leaf(parts, false, func(v val) bool { return v.Type == tArray && int64(len(items(v))) == n })
		case "$all":
			check(c.Type == tArray, 2, "$all needs an array")
			var ts []test
			for i, v := range items(c) {
				switch {
				case v.Type == tRegex:
					ts = append(ts, new(filter).regex(path, parts, v, val{}))
				case v.Type == tDoc && sub(v, "$elemMatch").Type == tDoc:
					ts = append(ts, new(filter).operators(path, parts, v.Data, sc, spread))
				default:
					check(v.Type != tDoc || !operatorDoc(v.Data), 2, "no $ expressions in $all")
					if i == 0 {
						f.know(path, "=", v)
					}
					ts = append(ts, leaf(parts, spread, equals(v)))
				}
			}
			t = allOf(ts)
			if len(ts) == 0 {
				t = func(val, *position) bool { return false }
			}
		case "$elemMatch":
			t = f.elemMatch(path, parts, c, sc)
		case "$mod":
			a := items(c)
			check(len(a) == 2 && isNum(a[0]) && isNum(a[1]), 2, "malformed mod, needs to be [divisor, remainder]")
			div, ok := truncated(a[0])
			rem, ok2 := truncated(a[1])
			check(ok && ok2, 2, "malformed mod, the divisor and remainder must be finite numbers")
			check(div != 0, 2, "divisor cannot be 0")
			t = leaf(parts, spread, func(v val) bool {
				n, ok := truncated(v)
				return ok && n%div == rem
			})
		case "$regex":
			t = f.regex(path, parts, c, get(d, "$options"))
		case "$options":
			check(get(d, "$regex").Type != 0, 2, "$options needs a $regex")
			continue
		case "$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear":
			t = leaf(parts, spread, bitTest(e.key, c))
		case "$near", "$nearSphere", "$geoNear":
			panic(fail(291, "unable to find index for $geoNear query; this server has no geospatial indexes"))
		case "$geoWithin", "$geoIntersects", "$within":
			panic(fail(238, "%s is not supported", e.key))
		default:
			panic(fail(2, "unknown operator: %s", e.key))
		}
		if !usable {
			f.exact = false
		}
		all = append(all, t)
	}
	return allOf(all)
}

func operatorDoc(d raw) bool {
	es := fields(d)
	return len(es) > 0 && strings.HasPrefix(es[0].key, "$") && !dbRef(es[0].key)
}

func (f *filter) elemMatch(path string, parts []string, c val, sc *scope) test {
	check(c.Type == tDoc, 2, "$elemMatch needs an Object")
	f.exact = false
	var t test
	if es := subfields(c); len(es) > 0 && strings.HasPrefix(es[0].key, "$") && es[0].key != "$and" && es[0].key != "$or" && es[0].key != "$nor" && es[0].key != "$expr" {
		sub := new(filter)
		t = sub.operators(path, nil, c.Data, sc, false)
		f.conds = append(f.conds, sub.conds...)
	} else {
		sub := filterOf(c.Data, sc)
		for _, k := range sub.conds {
			k.path = path + "." + k.path
			f.conds = append(f.conds, k)
		}
		in := sub.test
		t = func(v val, _ *position) bool { return (v.Type == tDoc || v.Type == tArray) && in(v, nil) }
	}
	return func(v val, at *position) bool {
		return reach(v, parts, at, func(v val) bool {
			i, hit := 0, false
			if v.Type == tArray {
				each(v.Data, func(_ []byte, e val) bool {
					if hit = t(e, nil); hit {
						at.put(i)
					}
					i++
					return !hit
				})
			}
			return hit
		})
	}
}

// typeTest is $type with a number, an alias or a list of them.
func typeTest(c val) func(val) bool {
	want := map[bsoncore.Type]bool{}
	list := items(c)
	if c.Type != tArray {
		list = []val{c}
	}
	for _, x := range list {
		if x.Type == tString {
			if s := str(x); s == "number" {
				want[tDouble], want[tInt32], want[tInt64], want[tDecimal] = true, true, true, true
			} else {
				t, ok := typeNames[s]
				check(ok, 2, "Unknown type name alias: %s", s)
				want[t] = true
			}
			continue
		}
		n, ok := asInt(x)
		check(ok && (n >= 1 && n <= 19 || n == 127 || n == -1 || n == 255), 2, "Invalid numerical type code")
		want[bsoncore.Type(n)] = true
	}
	return func(v val) bool { return want[v.Type] }
}

func bitTest(op string, c val) func(val) bool {
	var mask uint64
	switch c.Type {
	case tArray:
		for _, x := range items(c) {
			n, ok := asInt(x)
			check(ok && n >= 0, 2, "bit positions must be non-negative integers")
			check(n < 64, 238, "bit positions beyond 63 are not supported")
			mask |= 1 << n
		}
	case tBinary:
		_, data := c.Binary()
		check(len(data) <= 8, 238, "bit masks of more than 64 bits are not supported")
		for i, x := range data {
			mask |= uint64(x) << (8 * i)
		}
	default:
		n, ok := asInt(c)
		check(ok && n >= 0, 2, "%s takes a non-negative number, an array of positions or binary data", op)
		mask = uint64(n)
	}
	return func(v val) bool {
		var bits uint64
		if v.Type == tBinary {
			_, data := v.Binary()
			for i := 0; i < len(data) && i < 8; i++ {
				bits |= uint64(data[i]) << (8 * i)
			}
		} else if n, ok := asInt(v); ok {
			bits = uint64(n)
		} else {
			return false
		}
		switch op {
		case "$bitsAllSet":
			return bits&mask == mask
		case "$bitsAllClear":
			return bits&mask == 0
		case "$bitsAnySet":
			return bits&mask != 0
		}
		return bits&mask != mask
	}
}
