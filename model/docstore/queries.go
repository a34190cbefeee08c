package docstore

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// query is a find, ready to run.
type query struct {
	filter      *filter
	sort        *sorter
	project     mapper
	skip, limit int
	hint        val
	until       time.Time
	plan        *plan
}

// bounded makes a filter stop when its command has run out of time.
func bounded(f *filter, until time.Time) *filter {
	if until.IsZero() {
		return f
	}
	g, n := *f, 0
	g.test = func(v val, at *position) bool {
		if n++; n%256 == 0 && time.Now().After(until) {
			panic(fail(50, "operation exceeded time limit"))
		}
		return f.test(v, at)
	}
	return &g
}

// run gives the documents, before the projection.
func (q *query) run(v *view) (out []raw, err error) {
	defer catch(&err)
	q.plan = v.choose(bounded(q.filter, q.until), q.sort, q.skip, q.limit, q.hint)
	want := 0
	if q.limit > 0 {
		want = q.skip + q.limit
	}
	q.plan.each(v, func(r *record) bool {
		out = append(out, r.doc)
		return want == 0 || !q.plan.sorted || len(out) < want
	})
	if !q.plan.sorted {
		out = q.sort.sort(out, want)
	}
	return out[min(q.skip, len(out)):], nil
}

func (r *request) parseFind() (q *query, ns string) {
	sc, sort := r.scope(), r.doc("sort")
	q = &query{filter: filterOf(r.doc("filter"), sc), hint: r.arg("hint"), skip: r.number("skip", 0), until: sc.until}
	if n, ok := asInt(r.arg("limit")); ok && n < 0 {
		q.limit = int(min(-n, math.MaxInt32)) // from old clients: one batch of so many
	} else {
		q.limit = r.number("limit", 0)
	}
	if get(sort, "$natural").Type != 0 {
		q.hint, sort = vDoc(sort), emptyDoc
	}
	q.sort = sortOf(sort)
	if projection := r.doc("projection"); len(projection) > 5 {
		q.project = projectionOf(projection, sc, q.filter, true)
	}
	return q, r.coll()
}

func (r *request) find() (raw, error) {
	q, ns := r.parseFind()
	batch, single, keep := r.number("batchSize", firstBatch), r.flag("singleBatch"), r.flag("noCursorTimeout")
	if n, _ := asInt(r.arg("limit")); n < 0 {
		batch, single = -1, true
	}
	docs, err := r.read(ns, q)
	if err != nil {
		return nil, err
	}
	return r.reply(&cursor{ns: ns, docs: docs, m: q.project, keep: keep}, batch, single)
}

// read runs a query on a snapshot. A query for one _id looks the document up in the live
// collection when there is no snapshot: making one costs the next write copies of nodes.
func (s *Store) read(ns string, q *query) ([]raw, error) {
	if c := s.lookup(ns); c != nil && c.snap.Load() == nil && idCond(q.filter) >= 0 && q.hint.Type == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		return q.run(&c.view)
	}
	return q.run(s.view(ns))
}

func (r *request) getMore() (raw, error) {
	id := r.args[0]
	check(id.Type == tInt64, 14, "BSON field 'getMore.getMore' is the wrong type '%s', expected type 'long'", typeName(id.Type))
	n := r.number("batchSize", 0)
	if n == 0 {
		n = -1
	}
	return r.Store.getMore(id.Int64(), r.db+"."+str(r.arg("collection")), n)
}

func (r *request) killCursors() (raw, error) {
	var ids []int64
	for _, v := range items(r.arg("cursors")) {
		ids = append(ids, asIntMust(v))
	}
	killed, missing := r.kill(ids)
	return newDoc().add("cursorsKilled", array(killed)).add("cursorsNotFound", array(missing)).add("cursorsAlive", vEmptyArr).add("cursorsUnknown", vEmptyArr).ok(), nil
}

func (r *request) count() (raw, error) {
	sc := r.scope()
	q := &query{filter: filterOf(r.doc("query"), sc), hint: r.arg("hint"), skip: r.number("skip", 0), limit: r.number("limit", 0), until: sc.until}
	n, err := q.count(r.view(r.coll()))
	return newDoc().int("n", n).ok(), err
}

func (q *query) count(v *view) (n int, err error) {
	defer catch(&err)
	q.plan = v.choose(bounded(q.filter, q.until), nil, 0, 0, q.hint)
	if n = max(0, q.plan.count(v)-q.skip); q.limit > 0 {
		n = min(n, q.limit)
	}
	return n, nil
}

func (r *request) distinct() (raw, error) {
	key, sc := str(r.arg("key")), r.scope()
	check(key != "", 14, "distinct needs a key")
	q := &query{filter: filterOf(r.doc("query"), sc), hint: r.arg("hint"), until: sc.until}
	docs, err := r.read(r.coll(), q)
	if err != nil {
		return nil, err
	}
	set := &gather{seen: map[string]bool{}}
	parts := strings.Split(key, ".")
	for _, d := range docs {
		reach(vDoc(d), parts, nil, func(v val) bool {
			if v.Type != tArray {
				set.add(v)
			}
			for _, e := range items(v) {
				set.add(e)
			}
			return false
		})
	}
	return newDoc().add("values", set.result()).ok(), nil
}

// pipe is an aggregate command, ready to run: what can be asked of the indexes, then the rest.
type pipe struct {
	query
	rest  []stage
	count string // the answer is one number, in this field
	by    val    // its _id
}

func (r *request) aggregate() (raw, error) {
	p, ns := r.parseAggregate()
	batch := r.batch()
	docs, err := p.run(r.view(ns))
	if err != nil {
		return nil, err
	}
	return r.reply(&cursor{ns: ns, docs: docs}, batch, false)
}

func (r *request) parseAggregate() (p *pipe, ns string) {
	check(!isNum(r.args[0].val), 238, "an aggregation of a database, without a collection, is not supported")
	check(r.arg("pipeline").Type == tArray, 14, "'pipeline' option must be specified as an array")
	check(!r.flag("explain"), 238, "use the explain command")
	check(r.arg("cursor").Type == tDoc, 9, "The 'cursor' option is required, except for aggregate with the explain argument")
	p = pipeOf(items(r.arg("pipeline")), r.scope())
	p.hint = r.arg("hint")
	return p, r.coll()
}

// pipeOf compiles a pipeline, of a command or within another.
func pipeOf(stages []val, sc *scope) *pipe {
	p := &pipe{query: query{until: sc.until}}
	compiled := pipelineOf(stages, sc) // checks all of them
	p.filter = filterOf(emptyDoc, sc)
	at := 0
	arg := func(name string) val {
		if at < len(stages) {
			return sub(stages[at], name)
		}
		return val{}
	}
	if v := arg("$match"); v.Type != 0 {
		p.filter = filterOf(v.Data, sc)
		at++
	}
	if v := arg("$sort"); v.Type != 0 {
		p.sort = sortOf(v.Data)
		at++
	}
	if v := arg("$skip"); v.Type != 0 {
		p.skip = int(min(asIntMust(v), math.MaxInt32))
		at++
	}
	if v := arg("$limit"); v.Type != 0 {
		p.limit = int(min(asIntMust(v), math.MaxInt32))
		at++
	}
	if at == len(stages)-1 && p.sort == nil {
		p.counting(arg("$group"))
	}
	p.rest = compiled[at:]
	return p
}

// counting recognises {_id: constant, n: {$sum: 1}}, as drivers count documents, which the
// keys of an index can answer alone.
func (p *pipe) counting(v val) {
	fs := subfields(v)
	if v.Type != tDoc || len(fs) != 2 || fs[0].key != "_id" || !isNum(fs[0].val) && !isNull(fs[0].val) {
		return
	}
	if n, ok := asInt(sub(fs[1].val, "$sum")); ok && n == 1 && fs[1].Type == tDoc && len(subfields(fs[1].val)) == 1 && sub(fs[1].val, "$sum").Type == tInt32 {
		p.count, p.by = fs[1].key, fs[0].val
	}
}

func (p *pipe) run(v *view) (out []raw, err error) {
	defer catch(&err)
	if p.count != "" {
		n, err := p.query.count(v)
		if err != nil || n == 0 {
			return nil, err
		}
		return []raw{newDoc().add("_id", p.by).int(p.count, n).done()}, nil
	}
	if out, err = p.query.run(v); err != nil {
		return nil, err
	}
	return run(p.rest, out), nil
}

// explain shows the plan of a find, count, distinct, aggregate, update, delete or
// findAndModify, and what running the search examined.
func (r *request) explain() (raw, error) {
	inner := r.args[0]
	check(inner.Type == tDoc && len(inner.Data) > 5, 14, "explain command requires a nested object")
	child := &request{Store: r.Store, args: fields(inner.Data), db: r.db}
	child.name = child.args[0].key
	command, known := commands[child.name]
	check(known, 59, "Explain failed due to unknown command: %s", child.name)
	child.only(command.takes)
	var q *query
	var ns string
	switch child.name {
	case "find":
		q, ns = child.parseFind()
	case "aggregate":
		child.args = slices.DeleteFunc(child.args, func(f elem) bool { return f.key == "explain" || f.key == "cursor" })
		child.args = append(child.args, elem{"cursor", vDoc(emptyDoc)})
		var p *pipe
		p, ns = child.parseAggregate()
		q = &p.query
	case "update", "delete":
		list := items(child.arg(child.name + "s"))
		check(len(list) == 1 && list[0].Type == tDoc, 9, "explain takes a single write")
		e := args(fields(list[0].Data))
		q, ns = &query{filter: filterOf(e.need("q"), child.scope()), hint: e.arg("hint"), sort: sortOf(e.doc("sort"))}, child.coll()
	case "count", "distinct", "findAndModify":
		q, ns = &query{filter: filterOf(child.doc("query"), child.scope()), hint: child.arg("hint"), sort: sortOf(child.doc("sort"))}, child.coll()
	default:
		return nil, fail(59, "Explain failed due to unknown command: %s", child.name)
	}
	docs, err := q.run(r.view(ns))
	if err != nil {
		return nil, err
	}
	n := len(docs)
	if q.limit > 0 {
		n = min(n, q.limit)
	}
	plan := q.plan.describe()
	if !q.plan.sorted {
		plan = newDoc().str("stage", "SORT").doc("inputStage", plan).done()
	}
	planner := newDoc().str("namespace", ns).doc("winningPlan", plan).add("rejectedPlans", vEmptyArr).done()
	stats := newDoc().bool("executionSuccess", true).int("nReturned", n).int("totalKeysExamined", q.plan.keys).int("totalDocsExamined", q.plan.docs).
		doc("executionStages", plan).done()
	return newDoc().int("explainVersion", 1).doc("queryPlanner", planner).doc("executionStats", stats).doc("command", inner.Data).ok(), nil
}

func (p *plan) describe() raw {
	switch {
	case p.or != nil:
		var in []raw
		for _, b := range p.or {
			in = append(in, b.describe())
		}
		return newDoc().str("stage", "SUBPLAN").add("inputStages", docArray(in)).done()
	case p.ix == nil:
		return newDoc().str("stage", "COLLSCAN").str("direction", "forward").done()
	case p.idhack:
		return newDoc().str("stage", "IDHACK").doc("keyPattern", p.ix.pattern).str("indexName", p.ix.name).done()
	}
	direction := "forward"
	if p.desc {
		direction = "backward"
	}
	scan := newDoc().str("stage", "IXSCAN").doc("keyPattern", p.ix.pattern).str("indexName", p.ix.name).bool("isMultiKey", p.ix.multikey).
		bool("isUnique", p.ix.unique).bool("isSparse", p.ix.sparse).bool("isPartial", p.ix.partial != nil).str("direction", direction).
		int("boundedFields", len(p.bounds)).int("ranges", len(p.spans)).done()
	return newDoc().str("stage", "FETCH").doc("inputStage", scan).done()
}

// backup streams Backup through a cursor, so that one command on any machine can take it.
func (r *request) backup() (raw, error) {
	r.onAdmin()
	pr, pw := io.Pipe()
	r.workers.Go(func() { pw.CloseWithError(r.Store.Backup(pw)) })
	buf := make([]byte, 1<<20)
	c := &cursor{ns: "admin.$cmd.docstoreBackup", stop: func() { pr.Close() }}
	c.pull = func() (raw, error) {
		n, err := io.ReadFull(pr, buf)
		if n == 0 {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return nil, err
		}
		return newDoc().add("data", val{Type: tBinary, Data: bsoncore.AppendBinary(nil, 0, buf[:n])}).done(), nil
	}
	return r.reply(c, 1, false)
}
