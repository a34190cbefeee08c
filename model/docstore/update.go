package docstore

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// updater is a compiled update: operators, a replacement or a pipeline.
type updater struct {
	ops     []change
	filters map[string]test // arrayFilters by identifier
	maps    []mapper
	whole   raw
	usesPos bool
}

// change is one operator on one path.
type change struct {
	op    string
	parts []string
	arg   val
	pull  test
	push  *pushSpec
}

// target is one document or array and the field in it that a change applies to.
type target struct {
	*updater
	at     position
	now    time.Time
	insert bool
	id     val
}

func updateOf(v val, arrayFilters val, sc *scope) *updater {
	u := &updater{}
	if !isNull(arrayFilters) && arrayFilters.Type != tArray {
		panic(wrongType("arrayFilters", arrayFilters, "array"))
	}
	if v.Type == tArray {
		for _, s := range items(v) {
			fs := subfields(s)
			check(s.Type == tDoc && len(fs) == 1, 40323, "A pipeline stage specification object must contain exactly one field.")
			m := mapperOf(fs[0].key, fs[0].val, sc)
			check(m != nil, 72, "%s is not allowed to be used within an update", fs[0].key)
			u.maps = append(u.maps, m)
		}
		check(arrayFilters.Type == 0, 9, "Cannot specify arrayFilters and a pipeline update")
		return u
	}
	check(v.Type == tDoc, 9, "Update argument must be either an object or an array")
	fs := subfields(v)
	if len(fs) == 0 || !strings.HasPrefix(fs[0].key, "$") {
		for _, f := range fs {
			check(!strings.HasPrefix(f.key, "$"), 52, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", f.key, f.key)
		}
		check(len(items(arrayFilters)) == 0, 9, "Cannot specify arrayFilters and a replacement")
		u.whole = v.Data
		return u
	}
	for _, a := range items(arrayFilters) {
		check(a.Type == tDoc && len(a.Data) > 5, 9, "Cannot use an expression without a top-level field name in arrayFilters")
		id := filterID(a.Data)
		check(u.filters[id] == nil, 9, "Found multiple array filters with the same top-level field name %s", id)
		t := filterOf(a.Data, sc).test
		if u.filters == nil {
			u.filters = map[string]test{}
		}
		u.filters[id] = func(v val, _ *position) bool { return t(vDoc(newDoc().add(id, v).done()), nil) }
	}
	used := map[string]bool{}
	for _, f := range fs {
		if !modifiers[f.key] {
			panic(fail(9, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", f.key))
		}
		if f.Type != tDoc {
			panic(fail(9, "Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s: ...}", typeName(f.Type), f.key))
		}
		for _, e := range subfields(f.val) {
			c := change{op: f.key, parts: strings.Split(e.key, "."), arg: e.val}
			for i, p := range c.parts {
				if p == "" {
					panic(fail(56, "The update path '%s' contains an empty field name, which is not allowed.", e.key))
				}
				switch id, isFilter := strings.CutPrefix(p, "$["); {
				case p == "$":
					check(i > 0, 2, "Cannot have positional (i.e. '$') element in the first position in path '%s'", e.key)
					u.usesPos = true
				case isFilter:
					id = strings.TrimSuffix(id, "]")
					check(i > 0 && strings.HasSuffix(p, "]"), 2, "bad array filter '%s' in path '%s'", p, e.key)
					check(id == "" || u.filters[id] != nil, 2, "No array filter found for identifier '%s' in path '%s'", id, e.key)
					used[id] = true
				default:
					if strings.HasPrefix(p, "$") && !dbRef(p) {
						panic(fail(52, "The dollar ($) prefixed field '%s' in '%s' is not valid for storage.", p, e.key))
					}
				}
			}
			c.prepare(e.key, sc)
			u.ops = append(u.ops, c)
		}
	}
	for id := range u.filters {
		check(used[id], 9, "The array filter for identifier '%s' was not used in the update", id)
	}
	u.order()
	return u
}

var modifiers = names("$set $unset $inc $mul $min $max $rename $setOnInsert $currentDate $push $addToSet $pull $pullAll $pop $bit")

func filterID(d raw) string {
	f := fields(d)[0]
	if strings.HasPrefix(f.key, "$") {
		for _, s := range items(f.val) {
			if s.Type == tDoc && len(s.Data) > 5 {
				return filterID(s.Data)
			}
		}
	}
	id, _, _ := strings.Cut(f.key, ".")
	return id
}

// order sorts the changes by path, in which MongoDB applies them, and refuses two that touch
// the same place.
func (u *updater) order() {
	var touched [][]string
	for _, c := range u.ops {
		touched = append(touched, c.parts)
		if c.op == "$rename" {
			touched = append(touched, strings.Split(str(c.arg), "."))
		}
	}
	for i, a := range touched {
		for _, b := range touched[:i] {
			n := min(len(a), len(b))
			if slices.Equal(a[:n], b[:n]) {
				panic(fail(40, "Updating the path '%s' would create a conflict at '%s'", strings.Join(a, "."), strings.Join(a[:n], ".")))
			}
		}
	}
	sort.SliceStable(u.ops, func(i, j int) bool { return slices.CompareFunc(u.ops[i].parts, u.ops[j].parts, comparePart) < 0 })
}

func comparePart(a, b string) int {
	x, e1 := strconv.Atoi(a)
	y, e2 := strconv.Atoi(b)
	if e1 == nil && e2 == nil {
		return x - y
	}
	return strings.Compare(a, b)
}

// prepare checks the argument of an operator once, before any document.
func (c *change) prepare(path string, sc *scope) {
	switch c.op {
	case "$inc", "$mul":
		if !isNum(c.arg) {
			panic(fail(14, "Cannot apply %s with a non-numeric argument: {%s: %s}", c.op, path, c.arg))
		}
	case "$rename":
		check(c.arg.Type == tString, 2, "The 'to' field for $rename must be a string: %s", path)
		check(str(c.arg) != path && str(c.arg) != "", 2, "The source and target field for $rename must differ: %s", path)
		check(!strings.Contains(path+str(c.arg), "$"), 2, "The source and target of $rename may not be dynamic: %s", path)
	case "$currentDate":
		t := str(sub(c.arg, "$type"))
		check(c.arg.Type == tBool || c.arg.Type == tDoc && (t == "date" || t == "timestamp"), 2, "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}")
	case "$push":
		c.push = parsePush(c.arg)
	case "$addToSet":
		c.push = parsePush(c.arg)
		check(c.push.slice == nil && c.push.position == nil && c.push.sort.Type == 0, 2, "$addToSet takes $each only")
	case "$pull":
		switch {
		case c.arg.Type == tDoc && operatorDoc(c.arg.Data):
			c.pull = new(filter).operators("", nil, c.arg.Data, sc, false)
		case c.arg.Type == tDoc:
			t := filterOf(c.arg.Data, sc).test
			c.pull = func(v val, _ *position) bool { return v.Type == tDoc && t(v, nil) }
		case c.arg.Type == tRegex:
			c.pull = new(filter).regex("", nil, c.arg, val{})
		default:
			c.pull = leaf(nil, false, equals(c.arg))
		}
	case "$pullAll":
		check(c.arg.Type == tArray, 2, "$pullAll requires an array argument but was given a %s", typeName(c.arg.Type))
		c.pull = leaf(nil, false, oneOf(items(c.arg)))
	case "$pop":
		n, ok := asInt(c.arg)
		check(ok && (n == 1 || n == -1), 9, "$pop expects 1 or -1, found: %s", c.arg)
	case "$bit":
		check(c.arg.Type == tDoc && len(c.arg.Data) > 5, 2, "The $bit modifier is not compatible with a %s. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}", typeName(c.arg.Type))
		for _, f := range subfields(c.arg) {
			check((f.key == "and" || f.key == "or" || f.key == "xor") && (f.Type == tInt32 || f.Type == tInt64), 2, "The $bit modifier takes and, or, xor with an integer")
		}
	}
}

// apply gives the changed document, which is the old one's bytes when nothing changed.
func (u *updater) apply(d raw, t target) (out raw, err error) {
	defer catch(&err)
	t.updater, t.id = u, get(d, "_id")
	switch {
	case u.whole != nil:
		out = withID(u.whole, t.id)
	case u.maps != nil:
		out = d
		for _, m := range u.maps {
			out = m(out)
		}
		out = withID(out, t.id)
	default:
		n := newNode(vDoc(d))
		for i := range u.ops {
			if c := &u.ops[i]; c.op != "$setOnInsert" || t.insert {
				create := c.op != "$unset" && c.op != "$pull" && c.op != "$pullAll" && c.op != "$pop" && c.op != "$rename"
				t.walk(n, c.parts, 0, create, func(p *node, key string) { t.change(n, p, key, c) })
			}
		}
		out = n.value().Data
	}
	check(len(out) <= maxDoc, 10334, "Resulting document after update is larger than 16777216")
	if id := get(out, "_id"); t.id.Type != 0 && (id.Type != t.id.Type || !bytes.Equal(id.Data, t.id.Data)) {
		panic(fail(66, "Performing an update on the path '_id' would modify the immutable field '_id'"))
	}
	return out, nil
}

// withID puts _id in front, unless the document has its own.
func withID(d raw, id val) raw {
	own := get(d, "_id")
	if own.Type == 0 {
		own = id
	}
	b := newDoc()
	if own.Type != 0 {
		b.add("_id", own)
	}
	each(d, func(k []byte, v val) bool {
		if string(k) != "_id" {
			b.add(string(k), v)
		}
		return true
	})
	return b.done()
}

// walk finds the places a path names, making the documents on the way when create is set.
func (t *target) walk(n *node, parts []string, i int, create bool, f func(p *node, key string)) {
	part, last := parts[i], i == len(parts)-1
	down := func(key string) {
		if last {
			f(n, key)
			return
		}
		c := n.find(key)
		switch {
		case c == nil && create:
			c = newNode(vDoc(emptyDoc))
			n.set(key, c)
		case c == nil || !c.isDoc() && !c.isArray():
			check(c == nil || !create, 28, "Cannot create field '%s' in element {%s: %s}", parts[i+1], key, c)
			return
		}
		t.walk(c, parts, i+1, create, f)
	}
	if id, ok := strings.CutPrefix(part, "$["); ok || part == "$" {
		check(n.isArray(), 2, "Cannot apply array updates to non-array element %s", strings.Join(parts[:i], "."))
		n.unfold()
		if part == "$" {
			check(t.at.set, 2, "The positional operator did not find the match needed from the query.")
			down(strconv.Itoa(t.at.i))
			return
		}
		id = strings.TrimSuffix(id, "]")
		for j := range n.kids {
			if id == "" || t.filters[id](n.kids[j].value(), nil) {
				down(strconv.Itoa(j))
			}
		}
		return
	}
	if n.isArray() {
		if j, err := strconv.Atoi(part); err != nil || j < 0 {
			check(!create, 28, "Cannot create field '%s' in element {%s: %s}", part, strings.Join(parts[:i], "."), n)
			return
		}
	}
	down(part)
}

// change applies one operator to one field.
func (t *target) change(root, p *node, key string, c *change) {
	cur := p.find(key)
	put := func(v val) { p.set(key, newNode(v)) }
	switch c.op {
	case "$set", "$setOnInsert":
		put(c.arg)
	case "$unset":
		p.unset(key)
	case "$inc", "$mul":
		if cur == nil {
			if v := c.arg; c.op == "$mul" {
				zero, _ := arith('*', v, vInt(0))
				put(zero)
			} else {
				put(v)
			}
			return
		}
		v, op := cur.value(), byte('+')
		if c.op == "$mul" {
			op = '*'
		}
		if !isNum(v) {
			panic(fail(14, "Cannot apply %s to a value of non-numeric type. {_id: %s} has the field '%s' of non-numeric type %s", c.op, t.id, key, typeName(v.Type)))
		}
		r, overflow := arith(op, v, c.arg)
		if overflow {
			panic(fail(2, "Failed to apply %s operations to current value ((NumberLong)%s) for document {_id: %s}", c.op, v, t.id))
		}
		put(r)
	case "$min", "$max":
		if cur != nil {
			if n := compare(c.arg, cur.value()); n == 0 || (n > 0) == (c.op == "$min") {
				return
			}
		}
		put(c.arg)
	case "$currentDate":
		if str(sub(c.arg, "$type")) == "timestamp" && c.arg.Type == tDoc {
			put(val{Type: tTimestamp, Data: bsoncore.AppendTimestamp(nil, uint32(t.now.Unix()), uint32(rand.Int32N(1<<20))+1)})
			return
		}
		put(vDate(t.now.UnixMilli()))
	case "$rename":
		for n, i := root, 0; i < len(c.parts)-1; i++ {
			n = n.find(c.parts[i])
			check(!n.isArray(), 2, "The source field cannot be an array element, '%s'", strings.Join(c.parts, "."))
		}
		if cur == nil {
			return
		}
		v := cur.value()
		p.unset(key)
		t.walk(root, strings.Split(str(c.arg), "."), 0, true, func(q *node, k string) {
			check(!q.isArray(), 2, "The destination field cannot be an array element, '%s'", str(c.arg))
			q.set(k, newNode(v))
		})
	case "$bit":
		t.bit(cur, key, c, put)
	default:
		t.array(cur, key, c, put)
	}
}

func (t *target) bit(cur *node, key string, c *change, put func(val)) {
	v := vInt(0)
	if cur != nil {
		v = cur.value()
	}
	check(v.Type == tInt32 || v.Type == tInt64, 2, "Cannot apply $bit to a value of non-integral type. {_id: %s} has the field %s of non-integer type %s", t.id, key, typeName(v.Type))
	x, wide := asIntMust(v), v.Type == tInt64
	for _, f := range subfields(c.arg) {
		y := asIntMust(f.val)
		wide = wide || f.Type == tInt64
		switch f.key {
		case "and":
			x &= y
		case "or":
			x |= y
		default:
			x ^= y
		}
	}
	if wide {
		put(vLong(x))
	} else {
		put(vInt(int32(x)))
	}
}

// array applies the operators that need an array.
func (t *target) array(cur *node, key string, c *change, put func(val)) {
	if cur == nil {
		if c.push == nil {
			return
		}
		cur = newNode(vEmptyArr)
	}
	v := cur.value()
	check(v.Type == tArray, 2, "The field '%s' must be an array but is of type %s in document {_id: %s}", key, typeName(v.Type), t.id)
	xs := items(v)
	switch c.op {
	case "$push":
		xs = c.push.apply(xs)
	case "$addToSet":
		for _, x := range c.push.each {
			if !slices.ContainsFunc(xs, func(y val) bool { return compare(x, y) == 0 }) {
				xs = append(xs, x)
			}
		}
	case "$pop":
		if len(xs) > 0 && asFloat(c.arg) > 0 {
			xs = xs[:len(xs)-1]
		} else if len(xs) > 0 {
			xs = xs[1:]
		}
	default:
		xs = slices.DeleteFunc(xs, func(x val) bool { return c.pull(x, nil) })
	}
	put(array(xs))
}

// pushSpec is the argument of $push and $addToSet.
type pushSpec struct {
	each            []val
	position, slice *int64
	sort            val
}

func parsePush(v val) *pushSpec {
	p := &pushSpec{each: []val{v}}
	if v.Type != tDoc || sub(v, "$each").Type == 0 {
		return p
	}
	for _, f := range subfields(v) {
		n, ok := asInt(f.val)
		switch f.key {
		case "$each":
			check(f.Type == tArray, 2, "The argument to $each in $push must be an array but it was of type: %s", typeName(f.Type))
			p.each = items(f.val)
		case "$position":
			check(ok, 2, "The value for $position must be an integer value")
			p.position = &n
		case "$slice":
			check(ok, 2, "The value for $slice must be an integer value")
			p.slice = &n
		case "$sort":
			check(f.Type == tDoc && len(f.Data) > 5 || ok && (n == 1 || n == -1), 2, "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields")
			p.sort = f.val
		default:
			panic(fail(2, "Unrecognized clause in $push: %s", f.key))
		}
	}
	return p
}

func (p *pushSpec) apply(xs []val) []val {
	at := len(xs)
	if p.position != nil {
		if at = int(min(*p.position, int64(len(xs)))); at < 0 {
			at = max(0, len(xs)+at)
		}
	}
	xs = slices.Insert(xs, at, p.each...)
	if p.sort.Type == tDoc {
		s := sortOf(p.sort.Data)
		slices.SortStableFunc(xs, func(a, b val) int { return s.compareValues(a, b) })
	} else if n, ok := asInt(p.sort); ok {
		slices.SortStableFunc(xs, func(a, b val) int { return int(n) * compare(a, b) })
	}
	if p.slice != nil {
		xs = sliceN(xs, int(*p.slice))
	}
	return xs
}

// upsert makes the document an upsert inserts: the equalities of the filter, the update, an
// _id in front.
func (u *updater) upsert(f *filter, t target) (d raw, err error) {
	defer catch(&err)
	n := newNode(vDoc(emptyDoc))
	t.updater = u
	for _, e := range f.eqs {
		if u.whole != nil && e.key != "_id" {
			continue
		}
		t.walk(n, strings.Split(e.key, "."), 0, true, func(p *node, k string) {
			check(p.find(k) == nil, 54, "cannot infer query fields to set, path '%s' is matched twice", e.key)
			p.set(k, newNode(e.val))
		})
	}
	t.insert = true
	if d, err = u.apply(n.value().Data, t); err != nil {
		return nil, err
	}
	if get(d, "_id").Type == 0 {
		d = withID(d, newID())
	}
	return withID(d, val{}), nil
}

func newID() val {
	id := bson.NewObjectID()
	return val{Type: tOID, Data: id[:]}
}
