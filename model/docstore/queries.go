package docstore

import (
	"errors"
	"io"
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
	if q.plan, err = v.choose(bounded(q.filter, q.until), q.sort, q.skip, q.limit, q.hint); err != nil {
		return nil, err
	}
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

func (r *request) parseFind() (q *query, ns string, err error) {
	defer catch(&err)
	if ns, err = r.coll(); err != nil {
		return nil, "", err
	}
	sc, err := r.scope()
	if err != nil {
		return nil, "", err
	}
	var filter, sort, projection raw
	q = &query{hint: r.args["hint"]}
	for name, to := range map[string]*raw{"filter": &filter, "sort": &sort, "projection": &projection} {
		if *to, err = r.doc(name); err != nil {
			return nil, "", err
		}
	}
	if q.skip, err = r.number("skip", 0); err != nil {
		return nil, "", err
	}
	if n, ok := asInt(r.args["limit"]); ok && n < 0 {
		q.limit = int(-n) // from old clients: one batch of so many
	} else if q.limit, err = r.number("limit", 0); err != nil {
		return nil, "", err
	}
	if q.until, err = r.deadline(); err != nil {
		return nil, "", err
	}
	q.filter = filterOf(filter, sc)
	if natural := get(sort, "$natural"); natural.Type != 0 {
		q.hint, sort = vDoc(sort), emptyDoc
		check(asFloat(natural) > 0, 238, "a $natural sort in reverse is not supported")
	}
	if len(sort) > 5 {
		q.sort = sortOf(sort)
	}
	if len(projection) > 5 {
		q.project = projectionOf(projection, sc, q.filter, true)
	}
	return q, ns, nil
}

func (r *request) find() (raw, error) {
	q, ns, err := r.parseFind()
	if err != nil {
		return nil, err
	}
	batch, err := r.number("batchSize", firstBatch)
	if err != nil {
		return nil, err
	}
	docs, err := q.run(r.view(ns))
	if err != nil {
		return nil, err
	}
	single := r.flag("singleBatch")
	if n, _ := asInt(r.args["limit"]); n < 0 {
		batch, single = -1, true
	}
	return r.reply(&cursor{ns: ns, docs: docs, m: q.project}, batch, single)
}

func (r *request) getMore() (raw, error) {
	id, ok := asInt(r.args[r.name])
	if !ok {
		return nil, fail(14, "BSON field 'getMore.getMore' is the wrong type, expected type 'long'")
	}
	n, err := r.number("batchSize", 0)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		n = -1
	}
	return r.Store.getMore(id, r.db+"."+str(r.args["collection"]), n)
}

func (r *request) killCursors() (raw, error) {
	var ids []int64
	for _, v := range items(r.args["cursors"]) {
		ids = append(ids, asIntMust(v))
	}
	killed, missing := r.kill(ids)
	return newDoc().add("cursorsKilled", array(killed)).add("cursorsNotFound", array(missing)).add("cursorsAlive", vEmptyArr).add("cursorsUnknown", vEmptyArr).ok(), nil
}

func (r *request) count() (raw, error) {
	ns, err := r.coll()
	if err != nil {
		return nil, err
	}
	q := &query{hint: r.args["hint"]}
	d, err := r.doc("query")
	if err != nil {
		return nil, err
	}
	sc, err := r.scope()
	if err != nil {
		return nil, err
	}
	if q.filter, err = parseFilter(d, sc); err != nil {
		return nil, err
	}
	if q.skip, err = r.number("skip", 0); err != nil {
		return nil, err
	}
	if q.limit, err = r.number("limit", 0); err != nil {
		return nil, err
	}
	if q.until, err = r.deadline(); err != nil {
		return nil, err
	}
	n, err := q.count(r.view(ns))
	return newDoc().int("n", n).ok(), err
}

func (q *query) count(v *view) (n int, err error) {
	defer catch(&err)
	if q.plan, err = v.choose(bounded(q.filter, q.until), nil, 0, 0, q.hint); err != nil {
		return 0, err
	}
	if n = max(0, q.plan.count(v)-q.skip); q.limit > 0 {
		n = min(n, q.limit)
	}
	return n, nil
}

func (r *request) distinct() (reply raw, err error) {
	defer catch(&err)
	ns, err := r.coll()
	if err != nil {
		return nil, err
	}
	key := str(r.args["key"])
	check(r.args["key"].Type == tString && key != "", 14, "distinct needs a key")
	d, err := r.doc("query")
	if err != nil {
		return nil, err
	}
	sc, err := r.scope()
	if err != nil {
		return nil, err
	}
	q := &query{filter: filterOf(d, sc), hint: r.args["hint"]}
	if q.until, err = r.deadline(); err != nil {
		return nil, err
	}
	docs, err := q.run(r.view(ns))
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
	count []string // the answer is one number: field names of the document to give it in
	by    val      // its _id
}

func (r *request) aggregate() (reply raw, err error) {
	defer catch(&err)
	p, ns, err := r.parseAggregate()
	if err != nil {
		return nil, err
	}
	batch, err := r.cursorBatch()
	if err != nil {
		return nil, err
	}
	docs, err := p.run(r.view(ns))
	if err != nil {
		return nil, err
	}
	return r.reply(&cursor{ns: ns, docs: docs}, batch, false)
}

func (r *request) cursorBatch() (int, error) {
	sub := &request{args: map[string]val{"batchSize": sub(r.args["cursor"], "batchSize")}}
	return sub.number("batchSize", firstBatch)
}

func (r *request) parseAggregate() (p *pipe, ns string, err error) {
	defer catch(&err)
	if isNum(r.args[r.name]) {
		return nil, "", fail(238, "an aggregation of a database, without a collection, is not supported")
	}
	if ns, err = r.coll(); err != nil {
		return nil, "", err
	}
	check(r.args["pipeline"].Type == tArray, 14, "'pipeline' option must be specified as an array")
	check(!r.flag("explain"), 238, "use the explain command")
	check(r.args["cursor"].Type == tDoc, 9, "The 'cursor' option is required, except for aggregate with the explain argument")
	sc, err := r.scope()
	if err != nil {
		return nil, "", err
	}
	p = &pipe{}
	p.hint = r.args["hint"]
	if p.until, err = r.deadline(); err != nil {
		return nil, "", err
	}
	stages := items(r.args["pipeline"])
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
		p.skip = int(asIntMust(v))
		at++
	}
	if v := arg("$limit"); v.Type != 0 {
		p.limit = int(asIntMust(v))
		at++
	}
	if at == len(stages)-1 && p.sort == nil {
		p.counting(arg("$group"))
	}
	p.rest = compiled[at:]
	return p, ns, nil
}

// counting recognises {_id: constant, n: {$sum: 1}}, as drivers count documents, which the
// keys of an index can answer alone.
func (p *pipe) counting(v val) {
	fs := subfields(v)
	if v.Type != tDoc || len(fs) != 2 || fs[0].key != "_id" || !isNum(fs[0].val) && !isNull(fs[0].val) {
		return
	}
	if n, ok := asInt(sub(fs[1].val, "$sum")); ok && n == 1 && fs[1].Type == tDoc && len(subfields(fs[1].val)) == 1 && sub(fs[1].val, "$sum").Type == tInt32 {
		p.count, p.by = []string{fs[1].key}, fs[0].val
	}
}

func (p *pipe) run(v *view) (out []raw, err error) {
	defer catch(&err)
	if p.count != nil {
		n, err := p.query.count(v)
		if err != nil || n == 0 {
			return nil, err
		}
		return []raw{newDoc().add("_id", p.by).int(p.count[0], n).done()}, nil
	}
	if out, err = p.query.run(v); err != nil {
		return nil, err
	}
	return run(p.rest, out), nil
}

// explain shows the plan of a find, count, distinct, aggregate, update, delete or
// findAndModify, and what running the search examined.
func (r *request) explain() (reply raw, err error) {
	defer catch(&err)
	inner := r.args[r.name]
	check(inner.Type == tDoc, 14, "explain command requires a nested object")
	child := &request{Store: r.Store, body: inner.Data, args: map[string]val{}}
	for _, f := range subfields(inner) {
		if child.name == "" {
			child.name = f.key
		}
		child.args[f.key] = f.val
	}
	child.db = r.db
	var q *query
	var ns string
	switch child.name {
	case "find":
		q, ns, err = child.parseFind()
	case "aggregate":
		if child.args["cursor"].Type == 0 {
			child.args["cursor"] = vDoc(emptyDoc)
		}
		delete(child.args, "explain")
		var p *pipe
		if p, ns, err = child.parseAggregate(); err == nil {
			q = &p.query
		}
	case "count", "distinct", "findAndModify", "update", "delete":
		if ns, err = child.coll(); err != nil {
			return nil, err
		}
		from := child.args["query"]
		if list := items(child.args[child.name+"s"]); len(list) > 0 {
			from = sub(list[0], "q")
		}
		var sc *scope
		if sc, err = child.scope(); err == nil {
			q = &query{hint: child.args["hint"]}
			if from.Type != tDoc {
				from = vDoc(emptyDoc)
			}
			q.filter, err = parseFilter(from.Data, sc)
		}
	default:
		err = fail(59, "Explain failed due to unknown command: %s", child.name)
	}
	if err != nil {
		return nil, err
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
	if r.db != "admin" {
		return nil, fail(13, "docstoreBackup may only be run against the admin database.")
	}
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
