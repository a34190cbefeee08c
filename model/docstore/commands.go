package docstore

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// request is one command under way.
type request struct {
	*Store
	args
	conn int32
	name string
	db   string
	seqs map[string][]raw
}

// command is how one command runs and which arguments it takes; any other is refused, so
// that nothing a client asks for is silently left out.
type command struct {
	run   func(r *request) (raw, error)
	takes map[string]bool // nil: any
}

var commands map[string]command

// names is a set of words.
func names(s string) map[string]bool {
	m := map[string]bool{}
	for n := range strings.FieldsSeq(s) {
		m[n] = true
	}
	return m
}

// generic arguments are taken with every command. Sessions order nothing here, a read always
// sees what has been acknowledged, and every write is durable, so these need no work.
var generic = names(`$db lsid $clusterTime readConcern writeConcern $readPreference comment maxTimeMS apiVersion apiStrict
	apiDeprecationErrors txnNumber autocommit startTransaction client collation bypassDocumentValidation bypassEmptyTsReplacement`)

func init() {
	ok := func(*request) (raw, error) { return newDoc().ok(), nil }
	transaction := func(*request) (raw, error) { return nil, errTransaction }
	commands = map[string]command{}
	for _, c := range []struct {
		names string
		run   func(r *request) (raw, error)
		takes string
	}{
		{"hello isMaster ismaster", (*request).hello, "*"},
		{"ping whatsmyuri logout endSessions refreshSessions", ok, "*"},
		{"startSession", (*request).startSession, ""},
		{"commitTransaction abortTransaction", transaction, "*"},
		{"buildInfo buildinfo", (*request).buildInfo, ""},
		{"serverStatus", (*request).serverStatus, "*"},
		{"hostInfo", (*request).hostInfo, ""},
		{"connectionStatus", (*request).connectionStatus, "showPrivileges"},
		{"getParameter", (*request).getParameter, "*"},
		{"getLog", (*request).getLog, "*"},
		{"getCmdLineOpts", (*request).getCmdLineOpts, ""},
		{"find", (*request).find, "filter projection sort skip limit batchSize singleBatch hint let allowDiskUse noCursorTimeout"},
		{"getMore", (*request).getMore, "collection batchSize"},
		{"killCursors", (*request).killCursors, "cursors"},
		{"count", (*request).count, "query skip limit hint fields"},
		{"distinct", (*request).distinct, "key query hint"},
		{"aggregate", (*request).aggregate, "pipeline cursor explain allowDiskUse hint let"},
		{"explain", (*request).explain, "verbosity"},
		{"insert", (*request).insert, "documents ordered"},
		{"update", (*request).update, "updates ordered let"},
		{"delete", (*request).delete, "deletes ordered let"},
		{"findAndModify findandmodify", (*request).findAndModify, "query sort remove update new fields upsert arrayFilters hint let"},
		{"bulkWrite", (*request).bulkWrite, "ops nsInfo errorsOnly ordered let cursor"},
		{"create", (*request).create, ""},
		{"drop", (*request).drop, ""},
		{"dropDatabase", (*request).dropDatabase, ""},
		{"renameCollection", (*request).renameCollection, "to dropTarget"},
		{"listCollections", (*request).listCollections, "filter nameOnly authorizedCollections cursor"},
		{"listDatabases", (*request).listDatabases, "filter nameOnly authorizedDatabases"},
		{"createIndexes", (*request).createIndexes, "indexes commitQuorum"},
		{"dropIndexes deleteIndexes", (*request).dropIndexes, "index"},
		{"listIndexes", (*request).listIndexes, "cursor"},
		{"collStats collstats", (*request).collStats, "scale"},
		{"dbStats dbstats", (*request).dbStats, "scale"},
		{"validate", (*request).validate, "full"},
		{"docstoreBackup", (*request).backup, ""},
	} {
		var takes map[string]bool
		if c.takes != "*" {
			takes = names(c.takes)
		}
		for n := range names(c.names) {
			commands[n] = command{c.run, takes}
		}
	}
}

var errTransaction = fail(20, "Transaction numbers are only allowed on a replica set member or mongos")

// handle runs a request and always has an answer.
func (s *Store) handle(conn int32, m *message) (reply raw) {
	s.ops.Add(1)
	r := &request{Store: s, conn: conn, seqs: m.seqs}
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(*Error)
			if !ok {
				s.log.Error("docstore: a command failed unexpectedly", "command", r.name, "panic", p, "stack", string(debug.Stack()))
				e = fail(8, "the command failed unexpectedly: %v", p)
			}
			reply = e.reply()
		}
	}()
	if m.invalid != nil {
		return asError(m.invalid).reply()
	}
	reply, err := r.dispatch(m.body)
	if err == nil && len(reply) > maxReply {
		err = fail(10334, "the answer of %d bytes is larger than a message may be", len(reply))
	}
	if err != nil {
		return asError(err).reply()
	}
	return reply
}

func (r *request) dispatch(body raw) (raw, error) {
	r.args = fields(body)
	check(len(r.args) > 0, 59, "no such command: ''")
	r.name, r.db = r.args[0].key, str(r.arg("$db"))
	c, ok := commands[r.name]
	if !ok {
		return nil, fail(59, "no such command: '%s'", r.name)
	}
	r.only(c.takes)
	for name := range r.seqs {
		check(c.takes[name] && r.arg(name).Type == 0, 40415, "BSON field '%s.%s' is an unknown field, given twice or not supported by this server.", r.name, name)
	}
	return c.run(r)
}

// only refuses arguments other than these, and generic ones that ask for what there is not.
func (r *request) only(takes map[string]bool) {
	for _, a := range r.args[1:] {
		if takes != nil && !takes[a.key] && !generic[a.key] { // check would move its arguments to the heap each time
			panic(fail(40415, "BSON field '%s.%s' is an unknown field or not supported by this server.", r.name, a.key))
		}
		switch a.key {
		case "txnNumber", "startTransaction", "autocommit":
			panic(errTransaction)
		case "collation":
			checkCollation(a.val)
		case "writeConcern":
			w := sub(a.val, "w")
			check(!isNum(w) || asFloat(w) <= 1, 2, "cannot use 'w' > 1 when a host is not replicated")
			check(w.Type != tString || str(w) == "majority", 79, "No write concern mode named '%s' found in replica set configuration", str(w))
		case "readConcern":
			check(str(sub(a.val, "level")) != "snapshot" && sub(a.val, "atClusterTime").Type == 0, 72, "read concern level snapshot is only valid in a replica set")
		case "apiStrict":
			check(!truthy(a.val), 238, "apiStrict is not supported")
		}
	}
}

func checkCollation(v val) {
	check(v.Type != tDoc || len(v.Data) == 5 || str(sub(v, "locale")) == "simple", 238, "collations other than simple are not supported; strings compare by their bytes")
}

// fill writes what an error holds into an error or a writeError.
func (e *Error) fill(b *builder) *builder {
	b.int("code", int(e.Code)).str("errmsg", e.Message)
	if e.keyPattern != nil {
		b.doc("keyPattern", e.keyPattern).doc("keyValue", e.keyValue)
	}
	return b
}

func (e *Error) reply() raw {
	return e.fill(newDoc().add("ok", vDbl(0))).str("codeName", e.Name).done()
}

// args are the arguments of a command, or of an entry of its updates, deletes or ops. Like
// the parsers behind them, the methods panic with an *Error, which handle answers with.
type args []elem

func argsOf(d raw, takes map[string]bool) args {
	a := args(fields(d))
	for _, f := range a {
		if !takes[f.key] {
			panic(fail(40415, "BSON field '%s' is an unknown field or not supported by this server.", f.key))
		}
		if f.key == "collation" {
			checkCollation(f.val)
		}
	}
	return a
}

func (a args) arg(name string) val {
	for _, f := range a {
		if f.key == name {
			return f.val
		}
	}
	return val{}
}

// doc is an argument that must be a document; a missing one is empty.
func (a args) doc(name string) raw {
	v := a.arg(name)
	if isNull(v) {
		return emptyDoc
	}
	if v.Type != tDoc {
		panic(wrongType(name, v, "object"))
	}
	return v.Data
}

func wrongType(name string, v val, want string) *Error {
	return fail(14, "BSON field '%s' is the wrong type '%s', expected type '%s'", name, typeName(v.Type), want)
}

// need is a document that may not be missing.
func (a args) need(name string) raw {
	if a.arg(name).Type == 0 {
		panic(fail(40414, "BSON field '%s' is missing but a required field", name))
	}
	return a.doc(name)
}

// number is a whole, non-negative argument; missing is def.
func (a args) number(name string, def int) int {
	v := a.arg(name)
	if isNull(v) {
		return def
	}
	n, ok := asInt(v)
	if !ok || n < 0 || n > math.MaxInt32 {
		panic(fail(51024, "BSON field '%s' must be a whole number >= 0 and < 2^31", name))
	}
	return int(n)
}

func (a args) flag(name string) bool {
	v := a.arg(name)
	if !isNull(v) && v.Type != tBool && !isNum(v) {
		panic(wrongType(name, v, "bool"))
	}
	return truthy(v)
}

// ordered says whether a list of writes ends at the first that fails.
func (a args) ordered() bool { return a.arg("ordered").Type == 0 || a.flag("ordered") }

// batch is the wish of a cursor argument for the first documents.
func (a args) batch() int {
	return argsOf(a.doc("cursor"), names("batchSize")).number("batchSize", firstBatch)
}

// coll is the namespace a command names by its first argument.
func (r *request) coll() string {
	v := r.args[0]
	if v.Type != tString {
		panic(fail(73, "collection name has invalid type %s", typeName(v.Type)))
	}
	ns := r.db + "." + str(v.val)
	checkNamespace(ns)
	return ns
}

// docs is an argument sent as an array or as a sequence beside the command.
func (r *request) docs(name string) (out []raw) {
	if s, ok := r.seqs[name]; ok {
		return s
	}
	v := r.arg(name)
	if v.Type != tArray {
		panic(fail(40414, "BSON field '%s.%s' is missing but a required field", r.name, name))
	}
	for _, e := range items(v) {
		if e.Type != tDoc {
			panic(wrongType(name, e, "object"))
		}
		out = append(out, e.Data)
	}
	return out
}

// writes are the entries of a write command.
func (r *request) writes(name string) []raw {
	ds := r.docs(name)
	if len(ds) == 0 || len(ds) > maxBatch {
		panic(fail(72, "Write batch sizes must be between 1 and %d. Got %d operations.", maxBatch, len(ds)))
	}
	return ds
}

// scope is what expressions of this command can see.
func (r *request) scope() *scope {
	sc := &scope{now: r.now(), coll: func(name string) *view { return r.view(r.db + "." + name) }}
	if ms := r.number("maxTimeMS", 0); ms > 0 {
		sc.until = time.Now().Add(time.Duration(ms) * time.Millisecond)
	}
	for _, f := range fields(r.doc("let")) {
		sc.set(f.key, exprOf(f.val, sc)(&env{root: vDoc(emptyDoc), cur: vDoc(emptyDoc)}))
	}
	return sc
}

func (r *request) hello() (raw, error) {
	if r.name == "hello" && r.arg("$db").Type == 0 {
		return nil, fail(40414, "OP_MSG requests require a $db argument")
	}
	return mustDoc(bson.D{{Key: "helloOk", Value: true}, {Key: "ismaster", Value: true}, {Key: "isWritablePrimary", Value: true},
		{Key: "maxBsonObjectSize", Value: int32(maxDoc)}, {Key: "maxMessageSizeBytes", Value: int32(maxMessage)},
		{Key: "maxWriteBatchSize", Value: int32(maxBatch)}, {Key: "localTime", Value: time.Now()},
		{Key: "logicalSessionTimeoutMinutes", Value: int32(30)}, {Key: "connectionId", Value: r.conn},
		{Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: int32(25)}, {Key: "readOnly", Value: false}, {Key: "ok", Value: 1.0}}), nil
}

func (r *request) startSession() (raw, error) {
	id := bson.NewObjectID()
	sub := bsoncore.AppendBinary(nil, 4, append(id[:], id[:4]...))
	return newDoc().doc("id", newDoc().add("id", val{Type: tBinary, Data: sub}).done()).int("timeoutMinutes", 30).ok(), nil
}

const version = "8.0.0"

func (r *request) buildInfo() (raw, error) {
	return mustDoc(bson.D{{Key: "version", Value: version}, {Key: "gitVersion", Value: "docstore"}, {Key: "versionArray", Value: bson.A{int32(8), int32(0), int32(0), int32(0)}},
		{Key: "modules", Value: bson.A{"docstore"}}, {Key: "bits", Value: int32(64)}, {Key: "debug", Value: false}, {Key: "maxBsonObjectSize", Value: int32(maxDoc)},
		{Key: "storageEngines", Value: bson.A{"docstore"}}, {Key: "ok", Value: 1.0}}), nil
}

func (r *request) serverStatus() (raw, error) {
	host, _ := os.Hostname()
	r.conns.mu.Lock()
	open := len(r.conns.open)
	r.conns.mu.Unlock()
	return mustDoc(bson.D{{Key: "host", Value: host}, {Key: "version", Value: version}, {Key: "process", Value: "docstore"}, {Key: "pid", Value: int64(os.Getpid())},
		{Key: "uptime", Value: time.Since(r.started).Seconds()}, {Key: "localTime", Value: time.Now()}, {Key: "connections", Value: bson.D{{Key: "current", Value: int32(open)}}},
		{Key: "storageEngine", Value: bson.D{{Key: "name", Value: "docstore"}, {Key: "persistent", Value: r.wal != nil}}},
		{Key: "opcounters", Value: bson.D{{Key: "command", Value: r.ops.Load()}}}, {Key: "ok", Value: 1.0}}), nil
}

func (r *request) hostInfo() (raw, error) {
	host, _ := os.Hostname()
	return newDoc().doc("system", newDoc().str("hostname", host).done()).ok(), nil
}

func (r *request) connectionStatus() (raw, error) {
	return newDoc().doc("authInfo", newDoc().add("authenticatedUsers", vEmptyArr).add("authenticatedUserRoles", vEmptyArr).done()).ok(), nil
}

// getParameter answers mongosh, which asks for the compatibility version.
func (r *request) getParameter() (raw, error) {
	if r.arg("featureCompatibilityVersion").Type != 0 {
		return newDoc().doc("featureCompatibilityVersion", newDoc().str("version", "8.0").done()).ok(), nil
	}
	return nil, fail(72, "no option found to get")
}

func (r *request) getLog() (raw, error) {
	return newDoc().int("totalLinesWritten", 0).add("log", vEmptyArr).ok(), nil
}

func (r *request) getCmdLineOpts() (raw, error) {
	return newDoc().add("argv", vEmptyArr).doc("parsed", emptyDoc).ok(), nil
}

func (r *request) create() (raw, error) {
	ns := r.coll()
	return newDoc().ok(), r.alter(func(b *batch) error { return r.Store.create(b, ns) })
}

func (r *request) drop() (raw, error) {
	ns := r.coll()
	out := newDoc().str("ns", ns)
	err := r.alter(func(b *batch) error {
		if c := r.colls[ns]; c != nil {
			out.int("nIndexesWas", len(c.ix))
			r.Store.drop(b, c)
		}
		return nil
	})
	return out.ok(), err
}

func (r *request) dropDatabase() (raw, error) {
	err := r.alter(func(b *batch) error {
		for ns, c := range r.colls {
			if strings.HasPrefix(ns, r.db+".") {
				r.Store.drop(b, c)
			}
		}
		return nil
	})
	return newDoc().str("dropped", r.db).ok(), err
}

func (r *request) onAdmin() {
	check(r.db == "admin", 13, "%s may only be run against the admin database.", r.name)
}

func (r *request) renameCollection() (raw, error) {
	r.onAdmin()
	from, to := str(r.args[0].val), str(r.arg("to"))
	checkNamespace(to)
	check(from != to, 20, "Can't rename a collection to itself")
	dropTarget := r.flag("dropTarget")
	return newDoc().ok(), r.alter(func(b *batch) error {
		c, there := r.colls[from], r.colls[to]
		if c == nil {
			return fail(26, "Source collection %s does not exist", from)
		}
		if there != nil {
			if !dropTarget {
				return fail(48, "target namespace exists")
			}
			r.Store.drop(b, there)
		}
		r.rename(b, c, to)
		return nil
	})
}

func (r *request) listCollections() (raw, error) {
	f := filterOf(r.doc("filter"), &scope{})
	var out []raw
	for _, v := range r.views(r.db) {
		e := newDoc().str("name", v.ns[len(r.db)+1:]).str("type", "collection")
		if !r.flag("nameOnly") {
			e.doc("options", emptyDoc).doc("info", newDoc().bool("readOnly", false).done()).doc("idIndex", v.ix[0].spec())
		}
		if d := e.done(); f.match(d) {
			out = append(out, d)
		}
	}
	return r.reply(&cursor{ns: r.db + ".$cmd.listCollections", docs: out}, r.batch(), false)
}

func (r *request) listDatabases() (raw, error) {
	f := filterOf(r.doc("filter"), &scope{})
	sizes := map[string]int64{}
	var names []string
	for _, v := range r.views("") {
		db, _, _ := strings.Cut(v.ns, ".")
		if _, ok := sizes[db]; !ok {
			names = append(names, db)
		}
		sizes[db] += v.bytes
	}
	var out []raw
	total := int64(0)
	slices.Sort(names)
	for _, n := range names {
		e := newDoc().str("name", n)
		if !r.flag("nameOnly") {
			e.long("sizeOnDisk", sizes[n]).bool("empty", sizes[n] == 0)
		}
		if d := e.done(); f.match(d) {
			out, total = append(out, d), total+sizes[n]
		}
	}
	return newDoc().add("databases", docArray(out)).long("totalSize", total).ok(), nil
}

// createIndexes makes all of the indexes or none. One that exists with the same definition
// is left as it is.
func (r *request) createIndexes() (raw, error) {
	ns := r.coll()
	var wanted []*index
	for _, d := range r.docs("indexes") {
		ix, err := parseIndex(d)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, ix)
	}
	check(len(wanted) > 0, 2, "Must specify at least one index to create")
	before, after, made := 0, 0, false
	err := r.alter(func(b *batch) error {
		c := r.colls[ns]
		if c == nil {
			if err := r.Store.create(b, ns); err != nil {
				return err
			}
			c, made = r.colls[ns], true
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.freeze() // readers go on with the state before
		before, after = len(c.ix), len(c.ix)
		var fresh []*index
		for _, ix := range wanted {
			same, err := existing(append(slices.Clone(c.ix), fresh...), ix)
			if err != nil {
				return err
			}
			if same {
				continue
			}
			if err := c.build(ix); err != nil {
				return err
			}
			fresh = append(fresh, ix)
		}
		for _, ix := range fresh {
			b.ops = appendOp(b.ops, opIndex, ns, ix.spec())
		}
		old := c.ix
		c.ix = append(slices.Clone(old), fresh...)
		c.snap.Store(nil)
		after = len(c.ix)
		b.undo = append(b.undo, func() { c.setIndexes(old) })
		return nil
	})
	out := newDoc().int("numIndexesBefore", before).int("numIndexesAfter", after).bool("createdCollectionAutomatically", made)
	if err == nil && before == after {
		out.str("note", "all indexes already exist")
	}
	return out.ok(), err
}

func (c *collection) setIndexes(ix []*index) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ix = ix
	c.snap.Store(nil)
}

// existing says whether an index is there already, or refuses one that contradicts another.
func existing(have []*index, want *index) (bool, error) {
	for _, ix := range have {
		sameKey := samePattern(ix.pattern, want.pattern)
		switch {
		case ix.name == "_id_" && sameKey:
			if want.sparse || want.partial != nil {
				return false, fail(197, "The fields 'sparse' and 'partialFilterExpression' are not valid for an _id index specification")
			}
			return true, nil
		case sameKey && ix.name == want.name && sameOptions(ix, want):
			return true, nil
		case ix.name == want.name:
			return false, fail(86, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s", bson.Raw(want.spec()), bson.Raw(ix.spec()))
		case sameKey && string(ix.filter) == string(want.filter) && ix.sparse == want.sparse && ix.unique == want.unique:
			return false, fail(85, "Index already exists with a different name: %s", ix.name)
		}
	}
	return false, nil
}

func sameOptions(a, b *index) bool {
	return a.unique == b.unique && a.sparse == b.sparse && a.expire == b.expire && string(a.filter) == string(b.filter)
}

func (r *request) dropIndexes() (raw, error) {
	ns := r.coll()
	names := items(r.arg("index"))
	if r.arg("index").Type != tArray {
		names = []val{r.arg("index")}
	}
	was := 0
	err := r.alter(func(b *batch) error {
		c := r.colls[ns]
		if c == nil {
			return fail(26, "ns not found %s", ns)
		}
		old := c.ix
		was = len(old)
		left := slices.Clone(old)
		for _, n := range names {
			if str(n) == "*" {
				left = left[:1]
				continue
			}
			at := slices.IndexFunc(left, func(ix *index) bool {
				return n.Type == tString && ix.name == str(n) || n.Type == tDoc && samePattern(ix.pattern, n.Data)
			})
			if at < 0 {
				return fail(27, "index not found with name [%s]", str(n))
			}
			if at == 0 {
				return fail(72, "cannot drop _id index")
			}
			left = slices.Delete(left, at, at+1)
		}
		for _, ix := range old {
			if !slices.Contains(left, ix) {
				b.ops = appendOp(b.ops, opDropIndex, ns, newDoc().str("name", ix.name).done())
			}
		}
		c.setIndexes(left)
		b.undo = append(b.undo, func() { c.setIndexes(old) })
		return nil
	})
	return newDoc().int("nIndexesWas", was).ok(), err
}

func (r *request) listIndexes() (raw, error) {
	ns := r.coll()
	c := r.lookup(ns)
	if c == nil {
		return nil, fail(26, "ns does not exist: %s", ns)
	}
	var out []raw
	for _, ix := range c.snapshot().ix {
		out = append(out, ix.spec())
	}
	return r.reply(&cursor{ns: ns, docs: out}, r.batch(), false)
}

// scale is the unit of the sizes a command gives.
func (r *request) scale() int64 { return int64(max(1, r.number("scale", 1))) }

func (r *request) collStats() (raw, error) {
	ns := r.coll()
	v, scale := r.view(ns), r.scale()
	n, bytes := v.rows.Len(), v.bytes/scale
	sizes, total := newDoc(), int64(0)
	for _, ix := range v.ix {
		size := int64(ix.tree.Len()) * 40 / scale
		total += size
		sizes.long(ix.name, size)
	}
	return newDoc().str("ns", ns).long("count", int64(n)).long("size", bytes).long("avgObjSize", v.bytes/int64(max(n, 1))).
		long("storageSize", bytes).int("nindexes", len(v.ix)).long("totalIndexSize", total).doc("indexSizes", sizes.done()).bool("capped", false).ok(), nil
}

func (r *request) dbStats() (raw, error) {
	objects, size, ix := int64(0), int64(0), 0
	vs, scale := r.views(r.db), float64(r.scale())
	for _, v := range vs {
		objects, size, ix = objects+int64(v.rows.Len()), size+v.bytes, ix+len(v.ix)
	}
	return newDoc().str("db", r.db).int("collections", len(vs)).int("views", 0).long("objects", objects).add("dataSize", vDbl(float64(size)/scale)).
		add("storageSize", vDbl(float64(size)/scale)).int("indexes", ix).ok(), nil
}

// validate compares every index with the documents.
func (r *request) validate() (raw, error) {
	ns := r.coll()
	c := r.lookup(ns)
	if c == nil {
		return nil, fail(26, "Collection '%s' does not exist to validate.", ns)
	}
	v := c.snapshot()
	var wrong []val
	for _, ix := range v.ix {
		n := 0
		v.rows.Scan(func(rec *record) bool {
			keys, _, err := ix.keysOf(rec.doc, nil)
			n += len(keys)
			for _, k := range keys {
				if e, ok := ix.tree.Get(entry{k, rec}); !ok || e.rec != rec || err != nil {
					wrong = append(wrong, vStr(fmt.Sprintf("index %s does not lead to the document %s", ix.name, get(rec.doc, "_id"))))
				}
			}
			return true
		})
		if n != ix.tree.Len() {
			wrong = append(wrong, vStr(fmt.Sprintf("index %s has %d keys, the documents %d", ix.name, ix.tree.Len(), n)))
		}
	}
	return newDoc().str("ns", ns).bool("valid", len(wrong) == 0).long("nrecords", int64(v.rows.Len())).int("nIndexes", len(v.ix)).
		add("errors", array(wrong)).add("warnings", vEmptyArr).ok(), nil
}
