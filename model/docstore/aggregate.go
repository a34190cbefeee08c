package docstore

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// stage turns the documents of a pipeline into others.
type stage func(in []raw) []raw

// pipelineOf compiles a pipeline.
func pipelineOf(stages []val, sc *scope) []stage {
	var out []stage
	for _, s := range stages {
		fs := subfields(s)
		check(s.Type == tDoc && len(fs) == 1, 40323, "A pipeline stage specification object must contain exactly one field.")
		out = append(out, stageOf(fs[0].key, fs[0].val, sc))
	}
	return out
}

func run(stages []stage, in []raw) []raw {
	for _, s := range stages {
		in = s(in)
	}
	return in
}

func stageOf(name string, v val, sc *scope) stage {
	if m := mapperOf(name, v, sc); m != nil {
		return func(in []raw) []raw {
			out := make([]raw, len(in))
			for i, d := range in {
				sc.tick()
				out[i] = m(d)
			}
			return out
		}
	}
	switch name {
	case "$match":
		check(v.Type == tDoc, 15959, "the match filter must be an expression in an object")
		f := filterOf(v.Data, sc)
		return func(in []raw) (out []raw) {
			for _, d := range in {
				if sc.tick(); f.match(d) {
					out = append(out, d)
				}
			}
			return out
		}
	case "$sort":
		check(v.Type == tDoc && len(v.Data) > 5, 15976, "$sort stage must have at least one sort key")
		s := sortOf(v.Data)
		return func(in []raw) []raw { return s.sort(in, 0) }
	case "$limit":
		n, ok := asInt(v)
		check(ok && n > 0, 15958, "the limit must be positive")
		return func(in []raw) []raw { return in[:min(int(n), len(in))] }
	case "$skip":
		n, ok := asInt(v)
		check(ok && n >= 0, 15956, "Argument to $skip cannot be negative")
		return func(in []raw) []raw { return in[min(int(n), len(in)):] }
	case "$count":
		check(v.Type == tString && str(v) != "" && !strings.ContainsAny(str(v), "$.\x00"), 40156, "the count field must be a non-empty string without '$' and '.'")
		return func(in []raw) []raw {
			if len(in) == 0 {
				return nil
			}
			return []raw{newDoc().int(str(v), len(in)).done()}
		}
	case "$group":
		return groupOf(v, sc)
	case "$sortByCount":
		spec := newDoc().add("_id", v).doc("count", newDoc().int("$sum", 1).done()).done()
		s := sortOf(newDoc().int("count", -1).done())
		g := groupOf(vDoc(spec), sc)
		return func(in []raw) []raw { return s.sort(g(in), 0) }
	case "$bucket":
		return bucketOf(v, sc)
	case "$unwind":
		return unwindOf(v, sc)
	case "$sample":
		n, ok := asInt(sub(v, "size"))
		check(v.Type == tDoc && len(subfields(v)) == 1 && ok && n >= 0, 28747, "size argument to $sample must be a non-negative number")
		return func(in []raw) []raw {
			out := slices.Clone(in)
			rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
			return out[:min(int(n), len(out))]
		}
	case "$facet":
		check(v.Type == tDoc && len(v.Data) > 5, 40169, "the $facet specification must be a non-empty object")
		fs := subfields(v)
		pipes := make([][]stage, len(fs))
		for i, f := range fs {
			check(f.Type == tArray, 40170, "arguments to $facet must be arrays, %s is type %s", f.key, typeName(f.Type))
			pipes[i] = pipelineOf(items(f.val), sc)
		}
		return func(in []raw) []raw {
			b := newDoc()
			for i, f := range fs {
				b.add(f.key, docArray(run(pipes[i], in)))
			}
			return []raw{b.done()}
		}
	case "$unionWith":
		from, pipe := str(v), []val(nil)
		if v.Type == tDoc {
			a := argsOf(v.Data, names("coll pipeline"))
			from, pipe = str(a.arg("coll")), items(a.arg("pipeline"))
		}
		check(from != "", 9, "$unionWith needs a collection")
		more := pipeOf(pipe, sc)
		return func(in []raw) []raw {
			docs, err := more.run(sc.coll(from))
			if err != nil {
				panic(err)
			}
			return append(slices.Clone(in), docs...)
		}
	case "$lookup":
		return lookupOf(v, sc)
	}
	for _, known := range []string{"$merge", "$out", "$graphLookup", "$setWindowFields", "$changeStream", "$collStats", "$indexStats", "$geoNear", "$search", "$densify", "$fill", "$redact", "$bucketAuto"} {
		check(name != known, 238, "the pipeline stage %s is not supported here", name)
	}
	panic(fail(40324, "Unrecognized pipeline stage name: '%s'", name))
}

func lookupOf(v val, sc *scope) stage {
	check(v.Type == tDoc, 9, "the $lookup specification must be an Object")
	var from, local, foreign, as string
	for _, f := range subfields(v) {
		check(f.key != "pipeline" && f.key != "let", 238, "$lookup is supported with localField and foreignField, not with %s", f.key)
		p, ok := map[string]*string{"from": &from, "localField": &local, "foreignField": &foreign, "as": &as}[f.key]
		check(ok && f.Type == tString, 9, "unknown or invalid argument to $lookup: %s", f.key)
		*p = str(f.val)
	}
	check(from != "" && local != "" && foreign != "" && as != "", 9, "$lookup requires from, localField, foreignField and as")
	parts, target := strings.Split(local, "."), strings.Split(as, ".")
	return func(in []raw) []raw {
		other := sc.coll(from)
		out := make([]raw, len(in))
		for i, d := range in {
			sc.tick()
			x := pathValue(vDoc(d), parts)
			vs := items(x)
			if x.Type != tArray {
				vs = []val{orNull(x)}
			}
			f := filterOf(newDoc().doc(foreign, newDoc().add("$in", array(vs)).done()).done(), sc)
			var found []raw
			other.choose(f, nil, 0, 0, val{}).each(other, func(r *record) bool { found = append(found, r.doc); return true })
			n := newNode(vDoc(d))
			assign(n, target, docArray(found))
			out[i] = n.value().Data
		}
		return out
	}
}

func unwindOf(v val, sc *scope) stage {
	path, index, keep := str(v), "", false
	if v.Type == tDoc {
		for _, f := range subfields(v) {
			switch f.key {
			case "path":
				path = str(f.val)
			case "includeArrayIndex":
				index = str(f.val)
				check(index != "" && !strings.HasPrefix(index, "$"), 28810, "includeArrayIndex option to $unwind stage should be a non-empty string that does not begin with '$'")
			case "preserveNullAndEmptyArrays":
				keep = truthy(f.val)
			default:
				panic(fail(28811, "unrecognized option to $unwind stage: %s", f.key))
			}
		}
	}
	check(strings.HasPrefix(path, "$") && len(path) > 1, 28818, "path option to $unwind stage should be prefixed with a '$': %s", path)
	parts := strings.Split(path[1:], ".")
	return func(in []raw) (out []raw) {
		for _, d := range in {
			x := vDoc(d)
			for _, p := range parts {
				if x.Type != tDoc {
					x = val{}
					break
				}
				x = sub(x, p)
			}
			emit := func(e val, i val, put bool) {
				sc.tick()
				n := newNode(vDoc(d))
				if put {
					assign(n, parts, e)
				}
				if index != "" {
					assign(n, strings.Split(index, "."), i)
				}
				out = append(out, n.value().Data)
			}
			es := items(x)
			switch {
			case x.Type == tArray && len(es) > 0:
				for i, e := range es {
					emit(e, vLong(int64(i)), true)
				}
			case x.Type == tArray && keep:
				emit(val{}, vNull, true)
			case x.Type != tArray && (keep || !isNull(x)):
				emit(x, vNull, false)
			}
		}
		return out
	}
}

// accumulator gathers one output field of a group.
type accumulator interface {
	add(v val)
	result() val
}

var accumulators = map[string]func() accumulator{
	"$sum": func() accumulator { return &sum{total: vInt(0)} }, "$count": func() accumulator { return &sum{total: vInt(0)} },
	"$avg": func() accumulator { return &sum{total: vDbl(0), avg: true} },
	"$min": func() accumulator { return &extreme{sign: -1} }, "$max": func() accumulator { return &extreme{sign: 1} },
	"$first": func() accumulator { return &edge{first: true} }, "$last": func() accumulator { return &edge{} },
	"$push": func() accumulator { return &gather{} }, "$addToSet": func() accumulator { return &gather{seen: map[string]bool{}} },
}

type sum struct {
	total val
	n     int
	avg   bool
}

func (s *sum) add(v val) {
	if isNum(v) {
		s.total, _ = arith('+', s.total, v)
		s.n++
	}
}

func (s *sum) result() val {
	if !s.avg {
		return s.total
	}
	if s.n == 0 {
		return vNull
	}
	check(s.total.Type != tDecimal, 238, "$avg of a Decimal128 is not supported")
	return vDbl(asFloat(s.total) / float64(s.n))
}

type extreme struct {
	sign int
	v    val
}

func (x *extreme) add(v val) {
	if !isNull(v) && (x.v.Type == 0 || compare(v, x.v)*x.sign > 0) {
		x.v = v
	}
}
func (x *extreme) result() val { return orNull(x.v) }

type edge struct {
	first, set bool
	v          val
}

func (e *edge) add(v val) {
	if !e.set || !e.first {
		e.v, e.set = v, true
	}
}
func (e *edge) result() val { return orNull(e.v) }

type gather struct {
	vs   []val
	seen map[string]bool
}

func (g *gather) add(v val) {
	if v.Type == 0 {
		return
	}
	if g.seen != nil {
		k := string(appendKey(nil, v))
		if g.seen[k] {
			return
		}
		g.seen[k] = true
	}
	g.vs = append(g.vs, v)
}
func (g *gather) result() val { return array(g.vs) }

// outputs compiles {field: {$accumulator: expression}}.
type output struct {
	name string
	make func() accumulator
	x    expr
}

func outputsOf(fs []elem, sc *scope) (out []output) {
	for _, f := range fs {
		ops := subfields(f.val)
		check(f.Type == tDoc && len(ops) == 1, 40234, "The field '%s' must be an accumulator object", f.key)
		check(!strings.Contains(f.key, "."), 40235, "The field name '%s' cannot contain '.'", f.key)
		m := accumulators[ops[0].key]
		check(m != nil, 15952, "unknown group operator '%s'", ops[0].key)
		check(ops[0].Type != tArray, 40237, "The %s accumulator is a unary operator", ops[0].key)
		x := exprOf(ops[0].val, sc)
		if ops[0].key == "$count" {
			check(ops[0].Type == tDoc && len(ops[0].Data) == 5, 6507, "$count takes no arguments, i.e. $count:{}")
			x = func(*env) val { return vInt(1) }
		}
		out = append(out, output{f.key, m, x})
	}
	return out
}

type group struct {
	id  val
	acc []accumulator
}

// grouping collects groups in the order in which they appear.
type grouping struct {
	outs   []output
	byKey  map[string]*group
	groups []*group
}

func (g *grouping) add(id val, e *env) {
	key := string(appendKey(nil, id))
	gr := g.byKey[key]
	if gr == nil {
		gr = &group{id: orNull(id)}
		for _, o := range g.outs {
			gr.acc = append(gr.acc, o.make())
		}
		g.byKey[key] = gr
		g.groups = append(g.groups, gr)
	}
	for i, o := range g.outs {
		gr.acc[i].add(o.x(e))
	}
}

func (g *grouping) docs() []raw {
	out := make([]raw, len(g.groups))
	for i, gr := range g.groups {
		b := newDoc().add("_id", gr.id)
		for j, o := range g.outs {
			b.add(o.name, gr.acc[j].result())
		}
		out[i] = b.done()
	}
	return out
}

func groupOf(v val, sc *scope) stage {
	check(v.Type == tDoc, 15947, "a group's fields must be specified in an object")
	fs := subfields(v)
	at := slices.IndexFunc(fs, func(f elem) bool { return f.key == "_id" })
	check(at >= 0, 15955, "a group specification must include an _id")
	id := exprOf(fs[at].val, sc)
	outs := outputsOf(slices.Delete(fs, at, at+1), sc)
	return func(in []raw) []raw {
		g := &grouping{outs: outs, byKey: map[string]*group{}}
		for _, d := range in {
			sc.tick()
			e := &env{root: vDoc(d), cur: vDoc(d)}
			g.add(id(e), e)
		}
		return g.docs()
	}
}

func bucketOf(v val, sc *scope) stage {
	check(v.Type == tDoc, 40201, "Argument to $bucket stage must be an object")
	argsOf(v.Data, names("groupBy boundaries default output"))
	by, bounds, other := exprOf(sub(v, "groupBy"), sc), items(sub(v, "boundaries")), sub(v, "default")
	check(len(bounds) >= 2, 40192, "The $bucket 'boundaries' field must have at least 2 values")
	check(slices.IsSortedFunc(bounds, compare), 40194, "The 'boundaries' option to $bucket must be sorted")
	spec := sub(v, "output")
	if spec.Type == 0 {
		spec = vDoc(newDoc().doc("count", newDoc().int("$sum", 1).done()).done())
	}
	outs := outputsOf(subfields(spec), sc)
	byID := sortOf(newDoc().int("_id", 1).done())
	return func(in []raw) []raw {
		g := &grouping{outs: outs, byKey: map[string]*group{}}
		for _, d := range in {
			e := &env{root: vDoc(d), cur: vDoc(d)}
			x := by(e)
			i, ok := slices.BinarySearchFunc(bounds, x, compare)
			if !ok {
				i--
			}
			if i < 0 || i >= len(bounds)-1 {
				check(other.Type != 0, 7158, "$switch could not find a matching branch for an input, and no default was specified.")
				g.add(other, e)
				continue
			}
			g.add(bounds[i], e)
		}
		return byID.sort(g.docs(), 0)
	}
}
