package docstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"zhihuidangjian/model/mongotest"
)

var modelSteps = flag.Int("model-steps", 4000, "random operations of TestMongoModel")

// model is the store done naively: a list of documents, every rule written out again.
type model struct{ docs []*item }

// item is a document of the model; a field that is not in the map is missing.
type item map[string]any

func kindOf(v any) int {
	switch v.(type) {
	case empty:
		return -1
	case nil:
		return 0
	case int, float64:
		return 1
	case string:
		return 2
	}
	return 3
}

func num(v any) float64 {
	if i, ok := v.(int); ok {
		return float64(i)
	}
	return v.(float64)
}

func order2(a, b any) int {
	if k := cmp.Compare(kindOf(a), kindOf(b)); k != 0 {
		return k
	}
	switch kindOf(a) {
	case 1:
		return cmp.Compare(num(a), num(b))
	case 2:
		return cmp.Compare(a.(string), b.(string))
	case 3:
		return slices.CompareFunc(a.([]any), b.([]any), order2)
	}
	return 0
}

// sortValue is what a list sorts by: its least element, its greatest when descending; an
// empty one before everything.
func sortValue(v any, dir int) any {
	l, ok := v.([]any)
	switch {
	case !ok:
		return v
	case len(l) == 0:
		return empty{}
	case dir < 0:
		return slices.MaxFunc(l, order2)
	}
	return slices.MinFunc(l, order2)
}

type empty struct{}

// some says whether the value or one of its elements passes.
func some(v any, f func(any) bool) bool {
	if l, ok := v.([]any); ok && slices.ContainsFunc(l, f) {
		return true
	}
	return f(v)
}

type clause struct {
	field, op string
	v         any
	vs        []any
	or        []clause
}

func (c clause) match(d item) bool {
	if c.or != nil {
		return slices.ContainsFunc(c.or, func(c clause) bool { return c.match(d) })
	}
	v, there := d[c.field]
	eq := func(w any) func(any) bool { return func(x any) bool { return order2(x, w) == 0 } }
	ordered := func(f func(int) bool) bool {
		return some(v, func(x any) bool { return kindOf(x) == kindOf(c.v) && (there || c.v == nil) && f(order2(x, c.v)) })
	}
	in := func() bool { return slices.ContainsFunc(c.vs, func(w any) bool { return some(v, eq(w)) }) }
	switch c.op {
	case "$eq":
		return some(v, eq(c.v))
	case "$ne":
		return !some(v, eq(c.v))
	case "$gt":
		return ordered(func(n int) bool { return n > 0 })
	case "$gte":
		return ordered(func(n int) bool { return n >= 0 })
	case "$lt":
		return ordered(func(n int) bool { return n < 0 })
	case "$lte":
		return ordered(func(n int) bool { return n <= 0 })
	case "$in":
		return in()
	case "$nin":
		return !in()
	}
	return there == c.v.(bool)
}

func (c clause) bson() bson.E {
	switch {
	case c.or != nil:
		var a bson.A
		for _, o := range c.or {
			a = append(a, bson.D{o.bson()})
		}
		return bson.E{Key: "$or", Value: a}
	case c.vs != nil:
		return bson.E{Key: c.field, Value: bson.D{{Key: c.op, Value: c.vs}}}
	}
	return bson.E{Key: c.field, Value: bson.D{{Key: c.op, Value: c.v}}}
}

func randomValue(r *rand.Rand) any {
	switch r.IntN(9) {
	case 0:
		return nil
	case 1:
		return float64(r.IntN(16)) / 2
	case 2, 3:
		return string(rune('a' + r.IntN(6)))
	}
	return r.IntN(8)
}

func randomClause(r *rand.Rand, depth int) clause {
	if depth == 0 && r.IntN(6) == 0 {
		return clause{or: []clause{randomClause(r, 1), randomClause(r, 1)}}
	}
	c := clause{field: []string{"a", "b", "l", "u", "_id"}[r.IntN(5)], op: []string{"$eq", "$eq", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists"}[r.IntN(11)]}
	c.v = randomValue(r)
	switch c.op {
	case "$exists":
		c.v = r.IntN(2) == 0
	case "$in", "$nin":
		c.vs = []any{}
		for range r.IntN(4) {
			c.vs = append(c.vs, randomValue(r))
		}
	}
	if c.field == "_id" && c.vs == nil && c.op != "$exists" {
		c.v = r.IntN(60)
	}
	return c
}

func randomFilter(r *rand.Rand) (cs []clause, d bson.D) {
	for range r.IntN(4) {
		c := randomClause(r, 0)
		if c.or != nil && slices.ContainsFunc(cs, func(c clause) bool { return c.or != nil }) {
			continue
		}
		cs = append(cs, c)
	}
	var and bson.A
	for _, c := range cs {
		and = append(and, bson.D{c.bson()})
	}
	if len(and) > 0 {
		d = bson.D{{Key: "$and", Value: and}}
	} else {
		d = bson.D{}
	}
	return cs, d
}

func (m *model) find(cs []clause) (out []*item) {
	for _, d := range m.docs {
		if !slices.ContainsFunc(cs, func(c clause) bool { return !c.match(*d) }) {
			out = append(out, d)
		}
	}
	return out
}

// taken says whether another document has the unique field u.
func (m *model) taken(d item, self *item) bool {
	u, ok := d["u"]
	return ok && slices.ContainsFunc(m.docs, func(o *item) bool {
		v, there := (*o)["u"]
		return o != self && there && order2(u, v) == 0
	})
}

func (d item) bson() bson.D {
	out := bson.D{{Key: "_id", Value: d["_id"]}}
	for _, k := range []string{"a", "b", "l", "u"} {
		if v, ok := d[k]; ok {
			out = append(out, bson.E{Key: k, Value: v})
		}
	}
	return out
}

func canon(t testing.TB, d bson.D) string {
	slices.SortFunc(d, func(a, b bson.E) int { return cmp.Compare(a.Key, b.Key) })
	return jsText(t, d)
}

// change is a random update; apply returns false when real MongoDB refuses it for the type.
type randomUpdate struct {
	bson  bson.D
	apply func(d item) bool
}

func newUpdate(r *rand.Rand) randomUpdate {
	v := randomValue(r)
	one := func(op, f string, v any) bson.D { return bson.D{{Key: op, Value: bson.D{{Key: f, Value: v}}}} }
	switch r.IntN(7) {
	case 0:
		return randomUpdate{one("$set", "u", r.IntN(40)), nil}
	case 1:
		return randomUpdate{one("$unset", "a", 1), func(d item) bool { delete(d, "a"); return true }}
	case 2:
		n := r.IntN(5) - 2
		return randomUpdate{one("$inc", "b", n), func(d item) bool {
			old, ok := d["b"]
			if ok && kindOf(old) != 1 {
				return false
			}
			if !ok {
				d["b"] = n
			} else if i, whole := old.(int); whole {
				d["b"] = i + n
			} else {
				d["b"] = old.(float64) + float64(n)
			}
			return true
		}}
	case 3:
		return randomUpdate{one("$push", "l", v), func(d item) bool {
			l, _ := d["l"].([]any)
			d["l"] = append(slices.Clone(l), v)
			return true
		}}
	case 4:
		return randomUpdate{one("$pull", "l", v), func(d item) bool {
			if l, ok := d["l"].([]any); ok {
				d["l"] = slices.DeleteFunc(slices.Clone(l), func(x any) bool { return order2(x, v) == 0 })
			}
			return true
		}}
	case 5:
		return randomUpdate{one("$max", "b", v), func(d item) bool {
			if old, ok := d["b"]; !ok || order2(v, old) > 0 {
				d["b"] = v
			}
			return true
		}}
	}
	return randomUpdate{one("$set", "a", v), func(d item) bool { d["a"] = v; return true }}
}

// TestMongoModel runs random operations against the server, with indexes coming and going and
// a store of our own reopened now and then, and against the model, and compares every result.
func TestMongoModel(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	ctx, dir := context.Background(), t.TempDir()
	var s *Store // nil with another server, which is not ours to close
	reopen := func() *mongo.Collection {
		if s != nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if s, err = Open(dir, WithSnapshotAfter(100_000)); err != nil {
			t.Fatal(err)
		}
		return connect(t, s).Database("d").Collection("c")
	}
	var c *mongo.Collection
	if db := mongotest.DB(t); db != nil {
		c = db.Collection("c")
	} else {
		c = reopen()
		defer func() { _ = s.Close() }()
	}
	unique := mongo.IndexModel{Keys: bson.D{{Key: "u", Value: 1}}, Options: options.Index().SetUnique(true).SetSparse(true)}
	if _, err := c.Indexes().CreateOne(ctx, unique); err != nil {
		t.Fatal(err)
	}
	m := &model{}
	indexes := []bson.D{{{Key: "a", Value: 1}}, {{Key: "b", Value: -1}, {Key: "a", Value: 1}}, {{Key: "l", Value: 1}}, {{Key: "a", Value: -1}, {Key: "l", Value: 1}}, {{Key: "l", Value: -1}, {Key: "b", Value: 1}}}
	for step := range *modelSteps {
		cs, filter := randomFilter(r)
		found := m.find(cs)
		wrong := func(got, want any) {
			t.Helper()
			t.Fatalf("seed %d step %d filter %s: got %v, want %v", seed, step, jsText(t, filter), got, want)
		}
		switch r.IntN(12) {
		case 0, 1, 2:
			d := item{"_id": r.IntN(60)}
			for _, k := range []string{"a", "b"} {
				if r.IntN(4) > 0 {
					d[k] = randomValue(r)
				}
			}
			if r.IntN(3) == 0 {
				d["l"] = []any{}
				for range r.IntN(4) {
					d["l"] = append(d["l"].([]any), randomValue(r))
				}
			}
			if r.IntN(3) == 0 {
				d["u"] = r.IntN(40)
			}
			dup := m.taken(d, nil) || len(m.find([]clause{{field: "_id", op: "$eq", v: d["_id"]}})) > 0
			_, err := c.InsertOne(ctx, d.bson())
			if dup != mongo.IsDuplicateKeyError(err) || !dup && err != nil {
				wrong(err, dup)
			}
			if !dup {
				m.docs = append(m.docs, &d)
			}
		case 3, 4:
			u := newUpdate(r)
			if u.apply == nil { // the unique field: of one document known by _id
				if len(m.docs) == 0 {
					continue
				}
				d := m.docs[r.IntN(len(m.docs))]
				next := item{}
				maps.Copy(next, *d)
				next["u"] = int(u.bson[0].Value.(bson.D)[0].Value.(int))
				_, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: (*d)["_id"]}}, u.bson)
				if taken := m.taken(next, d); taken != mongo.IsDuplicateKeyError(err) || !taken && err != nil {
					wrong(err, taken)
				} else if !taken {
					*d = next
				}
				continue
			}
			refused := false
			n := int64(0)
			for _, d := range found {
				if refused = !u.apply(*d); refused {
					break
				}
				n++
			}
			res, err := c.UpdateMany(ctx, filter, u.bson)
			if refused {
				if _, ok := errors.AsType[mongo.ServerError](err); !ok {
					wrong(err, "a refusal")
				}
				// Which documents were changed before depends on the plan: take them as they are.
				m.reload(t, c)
			} else if err != nil || res.MatchedCount != n {
				wrong(fmt.Sprint(res, err), n)
			}
		case 5:
			if r.IntN(3) > 0 {
				continue
			}
			res, err := c.DeleteMany(ctx, filter)
			if err != nil || res.DeletedCount != int64(len(found)) {
				wrong(fmt.Sprint(res, err), len(found))
			}
			m.docs = slices.DeleteFunc(m.docs, func(d *item) bool { return slices.Contains(found, d) })
		case 6:
			res := c.FindOneAndDelete(ctx, filter, options.FindOneAndDelete().SetSort(bson.D{{Key: "_id", Value: -1}}))
			slices.SortFunc(found, func(x, y *item) int { return order2((*y)["_id"], (*x)["_id"]) })
			var got bson.D
			err := res.Decode(&got)
			if len(found) == 0 {
				if !errors.Is(err, mongo.ErrNoDocuments) {
					wrong(err, "none")
				}
				continue
			}
			if err != nil || canon(t, got) != canon(t, found[0].bson()) {
				wrong(fmt.Sprint(got, err), found[0])
			}
			m.docs = slices.DeleteFunc(m.docs, func(d *item) bool { return d == found[0] })
		case 7:
			ix := indexes[r.IntN(len(indexes))]
			name, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: ix})
			if err == nil && r.IntN(2) == 0 {
				err = c.Indexes().DropOne(ctx, name)
			}
			// two arrays in one document cannot be indexed together; a and b hold none
			if err != nil {
				wrong(err, nil)
			}
		case 8:
			if r.IntN(20) > 0 {
				continue
			}
			if s != nil {
				c = reopen()
			}
			fallthrough
		default:
			field, dir := []string{"a", "b", "_id", "u", "l"}[r.IntN(5)], 1-2*r.IntN(2)
			skip, limit := r.IntN(4), r.IntN(10)
			slices.SortFunc(found, func(x, y *item) int {
				if n := dir * order2(sortValue((*x)[field], dir), sortValue((*y)[field], dir)); n != 0 {
					return n
				}
				return order2((*x)["_id"], (*y)["_id"])
			})
			want := found[min(skip, len(found)):]
			if limit > 0 {
				want = want[:min(limit, len(want))]
			}
			sort := bson.D{{Key: field, Value: dir}}
			if field != "_id" {
				sort = append(sort, bson.E{Key: "_id", Value: 1})
			}
			cur, err := c.Find(ctx, filter, options.Find().SetSort(sort).SetSkip(int64(skip)).SetLimit(int64(limit)).SetBatchSize(int32(1+r.IntN(5))))
			if err != nil {
				wrong(err, nil)
			}
			var got []bson.D
			if err := cur.All(ctx, &got); err != nil || len(got) != len(want) {
				wrong(fmt.Sprint(got, err), len(want))
			}
			for i := range got {
				if canon(t, got[i]) != canon(t, want[i].bson()) {
					wrong(got[i], want[i])
				}
			}
			if n, err := c.CountDocuments(ctx, filter); err != nil || n != int64(len(found)) {
				wrong(fmt.Sprint(n, err), len(found))
			}
		}
	}
	var v bson.M
	if err := c.Database().RunCommand(ctx, bson.D{{Key: "validate", Value: "c"}}).Decode(&v); err != nil || v["valid"] != true {
		t.Errorf("seed %d: %v, %v", seed, v, err)
	}
}

// reload makes the model what the store holds.
func (m *model) reload(t testing.TB, c *mongo.Collection) {
	cur, err := c.Find(context.Background(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var docs []bson.M
	if err := cur.All(context.Background(), &docs); err != nil {
		t.Fatal(err)
	}
	plain := func(v any) any {
		switch v := v.(type) {
		case int32:
			return int(v)
		case int64:
			return int(v)
		}
		return v
	}
	m.docs = nil
	for _, d := range docs {
		it := item{}
		for k, v := range d {
			if a, ok := v.(bson.A); ok {
				l := []any{}
				for _, x := range a {
					l = append(l, plain(x))
				}
				v = l
			}
			it[k] = plain(v)
		}
		m.docs = append(m.docs, &it)
	}
}

// TestKeyOrder checks that keys order as values do, and are equal only for equal values.
func TestKeyOrder(t *testing.T) {
	dec := func(s string) val {
		d, err := bson.ParseDecimal128(s)
		if err != nil {
			t.Fatal(err)
		}
		return vDec(d)
	}
	obj := func(k string, v val) val { return vDoc(newDoc().add(k, v).done()) }
	// Each line is less than the next; the values of a line are equal.
	lines := [][]val{
		{{Type: tMinKey}}, {{Type: tUndefined}}, {vNull, {}}, {vDbl(math.NaN()), dec("NaN")}, {vDbl(math.Inf(-1)), dec("-Infinity")}, {dec("-2E400")}, {dec("-1E400")}, {vDbl(-math.MaxFloat64)},
		{vLong(math.MinInt64), vDbl(-(1 << 63))}, {vLong(math.MinInt64 + 1)}, {vLong(-9007199254740993)}, {vLong(-9007199254740992), vDbl(-9007199254740992)}, {vDbl(-1.5), dec("-1.50")}, {dec("-1E-400")},
		{vInt(0), vLong(0), vDbl(0), vDbl(math.Copysign(0, -1)), dec("0"), dec("-0.00")}, {dec("1E-6000")}, {dec("2E-6000")}, {vDbl(5e-324)}, {dec("0.1")}, {vDbl(0.1)}, {vInt(1), vLong(1), vDbl(1), dec("1.0")}, {dec("1.00000000000000000001")},
		{vLong(9007199254740992), vDbl(9007199254740992)}, {vLong(9007199254740993), dec("9007199254740993")}, {dec("9007199254740993.5")}, {vLong(9007199254740994)}, {vLong(math.MaxInt64 - 1)}, {vLong(math.MaxInt64)}, {vDbl(1 << 63)}, {vDbl(math.MaxFloat64)}, {dec("1E400")}, {dec("2E400")}, {vDbl(math.Inf(1)), dec("Infinity")},
		{vStr("")}, {vStr("\x00")}, {vStr("\x00a")}, {vStr("a")}, {vStr("a\x00")}, {vStr("a\x00b")}, {vStr("ab")}, {vStr("党")},
		{vDoc(emptyDoc)}, {obj("a", vInt(1)), obj("a", vDbl(1))}, {obj("b", vInt(0))}, {obj("a", vStr(""))}, {obj("a", obj("a", vInt(1)))},
		{vEmptyArr}, {array([]val{vInt(1)})}, {array([]val{vInt(1), vInt(0)})}, {array([]val{vInt(2)})}, {array([]val{vStr("a")})},
		{{Type: tBinary, Data: bsoncore.AppendBinary(nil, 0, []byte{9})}}, {{Type: tBinary, Data: bsoncore.AppendBinary(nil, 4, []byte{1})}}, {{Type: tBinary, Data: bsoncore.AppendBinary(nil, 0, []byte{0, 0})}},
		{{Type: tOID, Data: make([]byte, 12)}}, {vFalse}, {vTrue}, {vDate(-5)}, {vDate(5)}, {{Type: tTimestamp, Data: bsoncore.AppendTimestamp(nil, 1, 9)}}, {{Type: tTimestamp, Data: bsoncore.AppendTimestamp(nil, 2, 0)}},
		{{Type: tRegex, Data: bsoncore.AppendRegex(nil, "a", "")}}, {{Type: tMaxKey}},
	}
	var keys [][]byte
	for i, line := range lines {
		for _, v := range line {
			for j, other := range lines {
				for _, w := range other {
					if got, want := compare(v, w), cmp.Compare(i, j); cmp.Compare(got, 0) != want {
						t.Errorf("compare(%v, %v) = %d, want %d", v, w, got, want)
					}
					a, b := appendKey(nil, v), appendKey(nil, w)
					if got, want := bytes.Compare(a, b), cmp.Compare(i, j); got != want {
						t.Errorf("key of %v against %v: %d, want %d", v, w, got, want)
					}
					if got := bytes.Compare(invert(a), invert(b)); got != cmp.Compare(j, i) {
						t.Errorf("inverted key of %v against %v: %d", v, w, got)
					}
				}
			}
			keys = append(keys, appendKey(nil, v))
		}
	}
	for _, a := range keys {
		for _, b := range keys {
			if len(a) < len(b) && bytes.HasPrefix(b, a) {
				t.Errorf("key %x is a prefix of %x", a, b)
			}
		}
	}
}
