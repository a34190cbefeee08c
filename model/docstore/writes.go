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

func (r *request) ordered() bool { return r.args["ordered"].Type == 0 || r.flag("ordered") }

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
	if fs := d[4:]; id.Type != 0 && string(fs[1:5]) != "_id\x00" {
		d = withID(d, val{})
	}
	return c.put(b, nil, slices.Clone(d))
}

func (r *request) insert() (raw, error) {
	ns, err := r.coll()
	if err != nil {
		return nil, err
	}
	docs, err := r.docs("documents")
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 || len(docs) > 100000 {
		return nil, fail(72, "Write batch sizes must be between 1 and 100000. Got %d operations.", len(docs))
	}
	var o outcome
	err = r.write(ns, true, len(docs) > 100, func(c *collection, b *batch) error {
		for i, d := range docs {
			if err := c.insertOne(b, d); err != nil {
				if o.fail(i, err); r.ordered() {
					break
				}
				continue
			}
			o.n++
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

// docOf is a document inside an entry of updates, deletes or ops; a missing one is empty.
func docOf(d raw, name string) raw {
	out, err := docArg(get(d, name), name)
	if err != nil {
		panic(err)
	}
	return out
}

// updateSpec is one update, of the update, findAndModify or bulkWrite command.
type updateSpec struct {
	query
	u             *updater
	multi, upsert bool
}

func (r *request) parseUpdateSpec(filter raw, update, arrayFilters val, sc *scope) (s *updateSpec, err error) {
	s = &updateSpec{}
	if s.filter, err = parseFilter(filter, sc); err != nil {
		return nil, err
	}
	if s.u, err = parseUpdate(update, arrayFilters, sc); err != nil {
		return nil, err
	}
	return s, nil
}

// known refuses what an entry of updates, deletes or ops asks for beyond these names.
func knownFields(d raw, names string) error {
	for _, f := range fields(d) {
		if !slices.Contains(strings.Fields(names), f.key) {
			return fail(40415, "BSON field '%s' is an unknown field or not supported by this server.", f.key)
		}
	}
	return checkCollation(get(d, "collation"))
}

// find gives the records to change: the first in order, or all. c is locked.
func (s *query) find(c *collection, multi bool) (out []*record, err error) {
	defer catch(&err)
	limit := 0
	if !multi {
		limit = 1
	}
	if s.plan, err = c.choose(bounded(s.filter, s.until), s.sort, 0, limit, s.hint); err != nil {
		return nil, err
	}
	s.plan.each(&c.view, func(r *record) bool {
		out = append(out, r)
		return multi || !s.plan.sorted
	})
	if !s.plan.sorted && len(out) > 1 {
		best := s.sort.least(out)
		out = []*record{best}
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
		o.n++
		if string(after) == string(before) {
			continue
		}
		if err = c.put(b, rec, after); err != nil {
			return nil, nil, val{}, err
		}
		o.modified++
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

func (r *request) update() (raw, error) {
	ns, err := r.coll()
	if err != nil {
		return nil, err
	}
	docs, err := r.docs("updates")
	if err != nil {
		return nil, err
	}
	sc, err := r.scope()
	if err != nil {
		return nil, err
	}
	until, err := r.deadline()
	if err != nil {
		return nil, err
	}
	specs := make([]*updateSpec, len(docs))
	errs := make([]error, len(docs))
	create, many := false, len(docs) > 100
	for i, d := range docs {
		if errs[i] = knownFields(d, "q u c multi upsert arrayFilters hint collation sort comment"); errs[i] != nil {
			continue
		}
		own := sc
		if consts := get(d, "c"); consts.Type == tDoc {
			own = sc.with()
			for _, f := range subfields(consts) {
				own.vars[f.key] = f.val
			}
		}
		s, err := r.parseUpdateSpec(docOf(d, "q"), get(d, "u"), get(d, "arrayFilters"), own)
		if errs[i] = err; err != nil {
			continue
		}
		s.multi, s.upsert, s.hint, s.until = truthy(get(d, "multi")), truthy(get(d, "upsert")), get(d, "hint"), until
		if order := docOf(d, "sort"); len(order) > 5 {
			if s.sort, errs[i] = parseSort(order); errs[i] == nil && s.multi {
				errs[i] = fail(9, "Cannot specify sort with multi=true")
			}
		}
		if s.multi && s.u.whole != nil {
			errs[i] = fail(9, "multi update is not supported for replacement-style update")
		}
		create, many = create || s.upsert, many || s.multi
		specs[i] = s
	}
	var o outcome
	err = r.write(ns, create, many, func(c *collection, b *batch) error {
		for i, s := range specs {
			err := errs[i]
			if err == nil {
				var id val
				if _, _, id, err = r.update1(c, b, s, &o); id.Type != 0 {
					o.upserted = append(o.upserted, vDoc(newDoc().int("index", i).add("_id", id).done()))
				}
			}
			if err != nil {
				if o.fail(i, err); r.ordered() {
					break
				}
			}
		}
		return nil
	})
	return o.reply(true), err
}

// delete1 removes what the filter finds, one or all. c is locked.
func (r *request) delete1(c *collection, b *batch, q *query, multi bool, o *outcome) (last raw, err error) {
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
	ns, err := r.coll()
	if err != nil {
		return nil, err
	}
	docs, err := r.docs("deletes")
	if err != nil {
		return nil, err
	}
	sc, err := r.scope()
	if err != nil {
		return nil, err
	}
	var o outcome
	many := slices.ContainsFunc(docs, func(d raw) bool { return !truthy(get(d, "limit")) })
	err = r.write(ns, false, many, func(c *collection, b *batch) error {
		for i, d := range docs {
			err := knownFields(d, "q limit hint collation")
			if err == nil {
				q := &query{hint: get(d, "hint")}
				limit, ok := asInt(get(d, "limit"))
				if q.until, err = r.deadline(); err != nil {
					return err
				}
				if !ok || limit != 0 && limit != 1 {
					err = fail(9, "The limit field in delete objects must be 0 or 1. Got %s", get(d, "limit"))
				} else if q.filter, err = parseFilter(docOf(d, "q"), sc); err == nil {
					_, err = r.delete1(c, b, q, limit == 0, &o)
				}
			}
			if err != nil {
				if o.fail(i, err); r.ordered() {
					break
				}
			}
		}
		return nil
	})
	return o.reply(false), err
}

func (r *request) findAndModify() (raw, error) {
	ns, err := r.coll()
	if err != nil {
		return nil, err
	}
	sc, err := r.scope()
	if err != nil {
		return nil, err
	}
	filter, err := r.doc("query")
	if err != nil {
		return nil, err
	}
	order, err := r.doc("sort")
	if err != nil {
		return nil, err
	}
	remove, after := r.flag("remove"), r.flag("new")
	s := &updateSpec{}
	if remove {
		if r.args["update"].Type != 0 || after || r.flag("upsert") {
			return nil, fail(9, "Cannot specify both an update, new or upsert and remove=true")
		}
		s.filter, err = parseFilter(filter, sc)
	} else {
		if r.args["update"].Type == 0 {
			return nil, fail(9, "Either an update or remove=true must be specified")
		}
		s, err = r.parseUpdateSpec(filter, r.args["update"], r.args["arrayFilters"], sc)
	}
	if err != nil {
		return nil, err
	}
	s.upsert, s.hint = r.flag("upsert"), r.args["hint"]
	if len(order) > 5 {
		if s.sort, err = parseSort(order); err != nil {
			return nil, err
		}
	}
	if s.until, err = r.deadline(); err != nil {
		return nil, err
	}
	if d, err := r.doc("fields"); err != nil {
		return nil, err
	} else if len(d) > 5 {
		if s.project, err = parseProjection(d, sc, s.filter); err != nil {
			return nil, err
		}
	}
	var o outcome
	var old, now raw
	var id val
	err = r.write(ns, s.upsert, false, func(c *collection, b *batch) (err error) {
		if remove {
			old, err = r.delete1(c, b, &s.query, false, &o)
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
			if result, err = project(s.project, result); err != nil {
				return nil, err
			}
		}
		value = vDoc(result)
	}
	return newDoc().doc("lastErrorObject", last.done()).add("value", value).ok(), nil
}

func parseProjection(d raw, sc *scope, f *filter) (m mapper, err error) {
	defer catch(&err)
	return projectionOf(d, sc, f, true), nil
}

func project(m mapper, d raw) (out raw, err error) {
	defer catch(&err)
	return m(d), nil
}

// bulkWrite runs writes to several collections, in order.
func (r *request) bulkWrite() (raw, error) {
	ops, err := r.docs("ops")
	if err != nil {
		return nil, err
	}
	infos, err := r.docs("nsInfo")
	if err != nil {
		return nil, err
	}
	sc, err := r.scope()
	if err != nil {
		return nil, err
	}
	var o outcome
	var results []raw
	matched := 0
	for i, d := range ops {
		res := newDoc()
		err := r.bulkOp(d, infos, sc, &o, &matched, res)
		if err != nil {
			res = newDoc().int("ok", 0).int("idx", i)
			asError(err).fill(res).int("n", 0)
			o.errs = append(o.errs, nil)
		} else {
			res.int("ok", 1).int("idx", i)
		}
		if err != nil || !r.flag("errorsOnly") {
			results = append(results, res.done())
		}
		if err != nil && r.ordered() {
			break
		}
	}
	reply, err := r.reply(&cursor{ns: "admin.$cmd.bulkWrite", docs: results}, -1, true)
	if err != nil {
		return nil, err
	}
	b := newDoc().add("cursor", get(reply, "cursor")).int("nErrors", len(o.errs)).int("nInserted", o.inserted).int("nMatched", matched).
		int("nModified", o.modified).int("nUpserted", len(o.upserted)).int("nDeleted", o.deleted)
	return b.ok(), nil
}

func (r *request) bulkOp(d raw, infos []raw, sc *scope, o *outcome, matched *int, res *builder) error {
	if len(d) == 5 {
		return fail(9, "an entry of bulkWrite is empty")
	}
	kind := fields(d)[0]
	at, ok := asInt(kind.val)
	if !ok || at < 0 || int(at) >= len(infos) {
		return fail(2, "BulkWrite ops entry has an invalid nsInfo index")
	}
	ns := str(get(infos[at], "ns"))
	if err := checkNamespace(ns); err != nil {
		return err
	}
	filter, multi := docOf(d, "filter"), truthy(get(d, "multi"))
	var one outcome
	switch kind.key {
	case "insert":
		if err := knownFields(d, "insert document"); err != nil {
			return err
		}
		err := r.write(ns, true, false, func(c *collection, b *batch) error { return c.insertOne(b, docOf(d, "document")) })
		if err != nil {
			return err
		}
		o.inserted++
		res.int("n", 1)
	case "update":
		if err := knownFields(d, "update filter updateMods arrayFilters multi upsert hint collation sort"); err != nil {
			return err
		}
		s, err := r.parseUpdateSpec(filter, get(d, "updateMods"), get(d, "arrayFilters"), sc)
		if err != nil {
			return err
		}
		s.multi, s.upsert, s.hint = multi, truthy(get(d, "upsert")), get(d, "hint")
		if order := docOf(d, "sort"); len(order) > 5 {
			if s.sort, err = parseSort(order); err != nil {
				return err
			}
		}
		var id val
		err = r.write(ns, s.upsert, multi, func(c *collection, b *batch) (err error) {
			_, _, id, err = r.update1(c, b, s, &one)
			return err
		})
		if err != nil {
			return err
		}
		res.int("n", one.n).int("nModified", one.modified)
		if o.modified += one.modified; id.Type != 0 {
			o.upserted = append(o.upserted, id)
			res.doc("upserted", newDoc().add("_id", id).done())
		} else {
			*matched += one.n
		}
	case "delete":
		if err := knownFields(d, "delete filter multi hint collation"); err != nil {
			return err
		}
		q := &query{hint: get(d, "hint")}
		var err error
		if q.filter, err = parseFilter(filter, sc); err != nil {
			return err
		}
		if err = r.write(ns, false, multi, func(c *collection, b *batch) (err error) {
			_, err = r.delete1(c, b, q, multi, &one)
			return err
		}); err != nil {
			return err
		}
		o.deleted += one.n
		res.int("n", one.n)
	default:
		return fail(9, "unknown bulkWrite operation %s", kind.key)
	}
	return nil
}
