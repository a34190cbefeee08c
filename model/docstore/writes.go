package docstore

import (
	"slices"
	"strings"
)

// outcome counts what a write command did.
type outcome struct {
	n, modified, inserted, deleted int
	upserted                       []val
	errs                           []raw
}

func (o *outcome) fail(i int, err error) {
	b := newDoc().int("index", i)
	asError(err).fill(b)
	o.errs = append(o.errs, b.done())
}

// insertOne checks a document, gives it an _id and stores it. c is locked.
func (c *collection) insertOne(b *batch, d raw) error {
	id := get(d, "_id")
	switch id.Type {
	case 0:
		d = withID(d, newID())
	case tArray, tRegex, tUndefined:
		return fail(53, "The '_id' value cannot be of type %s", typeName(id.Type))
	case tDoc:
		for _, f := range subfields(id) {
			if strings.HasPrefix(f.key, "$") {
				return fail(52, "_id fields may not contain '$'-prefixed fields: %s is not valid for storage.", f.key)
			}
		}
	}
	if len(d) > maxDoc {
		return fail(10334, "object to insert too large. size in bytes: %d, max size: %d", len(d), maxDoc)
	}
	if id.Type != 0 {
		if d[5] == '_' && string(d[5:9]) == "_id\x00" {
			d = slices.Clone(d)
		} else {
			d = withID(d, val{})
		}
	}
	return c.put(b, nil, d)
}

func (r *request) insert() (raw, error) {
	ns, docs, ordered := r.coll(), r.writes("documents"), r.ordered()
	var o outcome
	err := r.write(ns, true, len(docs) > manyWrites, func(c *collection, b *batch) error {
		for i, d := range docs {
			if err := c.insertOne(b, d); err == nil {
				o.n++
			} else if o.fail(i, err); ordered {
				break
			}
		}
		return nil
	})
	return o.reply(false), err
}

func (o *outcome) reply(update bool) raw {
	b := newDoc().int("n", o.n)
	if update {
		b.int("nModified", o.modified)
		if len(o.upserted) > 0 {
			b.add("upserted", array(o.upserted))
		}
	}
	if len(o.errs) > 0 {
		b.add("writeErrors", docArray(o.errs))
	}
	return b.ok()
}

// updateSpec is one update, of the update, findAndModify or bulkWrite command.
type updateSpec struct {
	query
	u             *updater
	multi, upsert bool
}

// updateSpecOf reads what the three commands call by the same names.
func updateSpecOf(a args, filter raw, update val, sc *scope) (s *updateSpec, err error) {
	defer catch(&err)
	s = &updateSpec{multi: a.flag("multi"), upsert: a.flag("upsert"), u: updateOf(update, a.arg("arrayFilters"), sc)}
	s.filter, s.sort, s.hint, s.until = filterOf(filter, sc), sortOf(a.doc("sort")), a.arg("hint"), sc.until
	check(!s.multi || s.sort == nil, 9, "Cannot specify sort with multi=true")
	check(!s.multi || s.u.whole == nil, 9, "multi update is not supported for replacement-style update")
	return s, nil
}

// deleteSpecOf reads a filter and a hint.
func deleteSpecOf(a args, filter raw, sc *scope) (q *query, err error) {
	defer catch(&err)
	return &query{filter: filterOf(filter, sc), hint: a.arg("hint"), until: sc.until}, nil
}

// find gives the records to change: the first in order, or all. c is locked.
func (q *query) find(c *collection, multi bool) (out []*record, err error) {
	defer catch(&err)
	limit := 0
	if !multi {
		limit = 1
	}
	q.plan = c.choose(bounded(q.filter, q.until), q.sort, 0, limit, q.hint)
	q.plan.each(&c.view, func(r *record) bool {
		out = append(out, r)
		return multi || !q.plan.sorted
	})
	if !q.plan.sorted && len(out) > 1 {
		out = []*record{q.sort.least(out)}
	}
	return out, nil
}

func (s *sorter) least(rs []*record) *record {
	best, ks := rs[0], s.values(vDoc(rs[0].doc))
	for _, r := range rs[1:] {
		if k := s.values(vDoc(r.doc)); s.compareLists(k, ks) < 0 {
			best, ks = r, k
		}
	}
	return best
}

// update changes what the filter finds, or inserts. c is locked. before and after are the
// last document changed; id is that of an upsert.
func (r *request) update1(c *collection, b *batch, s *updateSpec, o *outcome) (before, after raw, id val, err error) {
	var found []*record
	if c != nil {
		if found, err = s.find(c, s.multi); err != nil {
			return nil, nil, val{}, err
		}
	}
	t := target{now: r.now()}
	for _, rec := range found {
		if t.at = (position{}); s.u.usesPos {
			s.filter.test(vDoc(rec.doc), &t.at)
		}
		before = rec.doc
		if after, err = s.u.apply(rec.doc, t); err != nil {
			return nil, nil, val{}, err
		}
		if string(after) != string(before) {
			if err = c.put(b, rec, after); err != nil {
				return nil, nil, val{}, err
			}
			o.modified++
		}
		o.n++
	}
	if len(found) > 0 || !s.upsert {
		return before, after, val{}, nil
	}
	if after, err = s.u.upsert(s.filter, t); err != nil {
		return nil, nil, val{}, err
	}
	if err = c.insertOne(b, after); err != nil {
		return nil, nil, val{}, err
	}
	o.n++
	return nil, after, get(after, "_id"), nil
}

var (
	updateArgs = names("q u c multi upsert arrayFilters hint collation sort")
	deleteArgs = names("q limit hint collation")
)

func (r *request) update() (raw, error) {
	ns, docs, sc, ordered := r.coll(), r.writes("updates"), r.scope(), r.ordered()
	specs, errs := make([]*updateSpec, len(docs)), make([]error, len(docs))
	create, many := false, len(docs) > manyWrites
	for i, d := range docs {
		a, own := argsOf(d, updateArgs), sc
		if consts := a.doc("c"); len(consts) > 5 {
			own = sc.with()
			for _, f := range fields(consts) {
				own.set(f.key, f.val)
			}
		}
		if specs[i], errs[i] = updateSpecOf(a, a.need("q"), a.arg("u"), own); errs[i] == nil {
			create, many = create || specs[i].upsert, many || specs[i].multi
		}
	}
	var o outcome
	err := r.write(ns, create, many, func(c *collection, b *batch) error {
		for i, s := range specs {
			err := errs[i]
			if err == nil {
				var id val
				if _, _, id, err = r.update1(c, b, s, &o); id.Type != 0 {
					o.upserted = append(o.upserted, vDoc(newDoc().int("index", i).add("_id", id).done()))
				}
			}
			if err != nil {
				if o.fail(i, err); ordered {
					break
				}
			}
		}
		return nil
	})
	return o.reply(true), err
}

// delete1 removes what the filter finds, one or all. c is locked.
func delete1(c *collection, b *batch, q *query, multi bool, o *outcome) (last raw, err error) {
	if c == nil {
		return nil, nil
	}
	found, err := q.find(c, multi)
	if err != nil {
		return nil, err
	}
	for _, rec := range found {
		if err := c.remove(b, rec); err != nil {
			return nil, err
		}
		last = rec.doc
		o.n++
	}
	return last, nil
}

func (r *request) delete() (raw, error) {
	ns, docs, sc, ordered := r.coll(), r.writes("deletes"), r.scope(), r.ordered()
	queries, errs, multi := make([]*query, len(docs)), make([]error, len(docs)), make([]bool, len(docs))
	many := len(docs) > manyWrites
	for i, d := range docs {
		a := argsOf(d, deleteArgs)
		limit, ok := asInt(a.arg("limit"))
		check(ok && (limit == 0 || limit == 1), 9, "The limit field in delete objects must be 0 or 1. Got %s", a.arg("limit"))
		queries[i], errs[i] = deleteSpecOf(a, a.need("q"), sc)
		multi[i] = limit == 0
		many = many || multi[i]
	}
	var o outcome
	err := r.write(ns, false, many, func(c *collection, b *batch) error {
		for i, q := range queries {
			err := errs[i]
			if err == nil {
				_, err = delete1(c, b, q, multi[i], &o)
			}
			if err != nil {
				if o.fail(i, err); ordered {
					break
				}
			}
		}
		return nil
	})
	return o.reply(false), err
}

func (r *request) findAndModify() (raw, error) {
	ns, sc, filter := r.coll(), r.scope(), r.doc("query")
	remove, after, update := r.flag("remove"), r.flag("new"), r.arg("update")
	s := &updateSpec{}
	if remove {
		check(update.Type == 0 && !after && !r.flag("upsert") && r.arg("arrayFilters").Type == 0, 9, "Cannot specify an update, new, upsert or arrayFilters and remove=true")
		s.filter, s.sort, s.hint, s.until = filterOf(filter, sc), sortOf(r.doc("sort")), r.arg("hint"), sc.until
	} else {
		check(update.Type != 0, 9, "Either an update or remove=true must be specified")
		var err error
		if s, err = updateSpecOf(r.args, filter, update, sc); err != nil {
			return nil, err
		}
	}
	if d := r.doc("fields"); len(d) > 5 {
		s.project = projectionOf(d, sc, s.filter, true)
	}
	var o outcome
	var old, now raw
	var id val
	err := r.write(ns, s.upsert, false, func(c *collection, b *batch) (err error) {
		if remove {
			old, err = delete1(c, b, &s.query, false, &o)
			return err
		}
		old, now, id, err = r.update1(c, b, s, &o)
		return err
	})
	if err != nil {
		return nil, err
	}
	last := newDoc().int("n", o.n)
	if !remove {
		last.bool("updatedExisting", o.n > 0 && id.Type == 0)
		if id.Type != 0 {
			last.add("upserted", id)
		}
	}
	result := old
	if after {
		result = now
	}
	value := vNull
	if result != nil {
		if s.project != nil {
			result = s.project(result)
		}
		value = vDoc(result)
	}
	return newDoc().doc("lastErrorObject", last.done()).add("value", value).ok(), nil
}

// bulkWrite runs writes to several collections, in order.
func (r *request) bulkWrite() (raw, error) {
	r.onAdmin()
	sc, ordered, errorsOnly := r.scope(), r.ordered(), r.flag("errorsOnly")
	var spaces []string
	for _, d := range r.docs("nsInfo") {
		ns := str(argsOf(d, names("ns")).arg("ns"))
		checkNamespace(ns)
		spaces = append(spaces, ns)
	}
	var o outcome
	var results []raw
	failed, matched, deleted := 0, 0, 0
	for i, d := range r.writes("ops") {
		res, one := newDoc(), outcome{}
		err := r.bulkOp(d, spaces, sc, &one, res)
		if err != nil {
			failed++
			res = newDoc().int("ok", 0).int("idx", i)
			asError(err).fill(res).int("n", 0)
		} else {
			res.int("ok", 1).int("idx", i)
		}
		o.inserted, o.modified, o.upserted = o.inserted+one.inserted, o.modified+one.modified, append(o.upserted, one.upserted...)
		matched, deleted = matched+one.n-len(one.upserted), deleted+one.deleted
		if err != nil || !errorsOnly {
			results = append(results, res.done())
		}
		if err != nil && ordered {
			break
		}
	}
	reply, err := r.reply(&cursor{ns: "admin.$cmd.bulkWrite", docs: results}, -1, false)
	if err != nil {
		return nil, err
	}
	return newDoc().add("cursor", get(reply, "cursor")).int("nErrors", failed).int("nInserted", o.inserted).int("nMatched", matched).
		int("nModified", o.modified).int("nUpserted", len(o.upserted)).int("nDeleted", deleted).ok(), nil
}

var bulkArgs = map[string]map[string]bool{"insert": names("insert document"), "delete": names("delete filter multi hint collation"),
	"update": names("update filter updateMods arrayFilters multi upsert hint collation sort")}

func (r *request) bulkOp(d raw, spaces []string, sc *scope, o *outcome, res *builder) (err error) {
	defer catch(&err)
	check(len(d) > 5, 9, "an entry of bulkWrite is empty")
	kind := fields(d)[0]
	takes, known := bulkArgs[kind.key]
	check(known, 9, "unknown bulkWrite operation %s", kind.key)
	a := argsOf(d, takes)
	at := a.number(kind.key, 0)
	check(at < len(spaces), 2, "BulkWrite ops entry has an invalid nsInfo index")
	ns := spaces[at]
	switch kind.key {
	case "insert":
		doc := a.need("document")
		if err = r.write(ns, true, false, func(c *collection, b *batch) error { return c.insertOne(b, doc) }); err == nil {
			o.inserted++
			res.int("n", 1)
		}
	case "update":
		s, err := updateSpecOf(a, a.need("filter"), a.arg("updateMods"), sc)
		if err != nil {
			return err
		}
		var id val
		err = r.write(ns, s.upsert, s.multi, func(c *collection, b *batch) (err error) {
			_, _, id, err = r.update1(c, b, s, o)
			return err
		})
		if err != nil {
			return err
		}
		if res.int("n", o.n).int("nModified", o.modified); id.Type != 0 {
			o.upserted = append(o.upserted, id)
			res.doc("upserted", newDoc().add("_id", id).done())
		}
	case "delete":
		multi := a.flag("multi")
		q, err := deleteSpecOf(a, a.need("filter"), sc)
		if err != nil {
			return err
		}
		err = r.write(ns, false, multi, func(c *collection, b *batch) (err error) {
			_, err = delete1(c, b, q, multi, o)
			return err
		})
		if err != nil {
			return err
		}
		res.int("n", o.n)
		o.deleted, o.n = o.n, 0
	}
	return err
}
