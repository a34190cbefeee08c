package records

import (
	"context"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records/field"
)

// query is a list request.
type query struct{ *gen.ListReq }

// page is what a list answers.
type page struct {
	items   []byte // the rows as JSON
	total   int64
	summary map[string]string
}

func (p *page) json() (encoded, error) {
	b := append(p.items, `,"total":`...)
	b = strconv.AppendInt(b, p.total, 10)
	if len(p.summary) > 0 {
		var err error
		if b, err = appendValue(append(b, `,"summary":`...), p.summary); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

type askedKey struct{}

// Asked is the value of a filter of the list that Present completes: what it shows of a
// record may depend on whose list it is in.
func Asked(ctx context.Context, key string) string {
	filters, _ := ctx.Value(askedKey{}).(map[string]string)
	return strings.TrimSpace(filters[key])
}

func (t *recordType) readScope(ctx context.Context, node string) (model.Scope, string, error) {
	c := kit.CallerOf(ctx)
	if t.Global || c.Kind == kit.Member && t.Also == nil { // a member's bound is Own.Where
		return model.Everything, "", nil
	}
	scope, within, err := t.engine.scope(ctx, node)
	if err != nil || t.Also == nil || c.Kind == kit.System || within != c.OrgID {
		return scope, within, err
	}
	also, err := t.Also(ctx, c.OrgID)
	return scope.Or(also), within, err
}

func (t *recordType) where(ctx context.Context, filters map[string]string) bson.D {
	var out bson.D
	if t.Where != nil {
		out = t.Where(ctx, filters)
	}
	if c := kit.CallerOf(ctx); c.Kind == kit.Member {
		out = append(slices.Clip(out), t.Own.Where(c)...)
	}
	return out
}

func (t *recordType) list(ctx context.Context, q query) (any, error) {
	if err := t.can(ctx, "view"); err != nil {
		return nil, err
	}
	scope, node, err := t.readScope(ctx, q.OrgId)
	if err != nil {
		return nil, err
	}
	filter, err := t.filter(ctx, q)
	if err != nil {
		return nil, err
	}
	size := int64(q.Size)
	if size <= 0 {
		size = 20
	}
	part := model.Page{Sort: t.sort(ctx, q.Sort), Limit: min(size, 100), Skip: max(int64(q.Page)-1, 0) * min(size, 100)}
	docs, total, err := t.Collection.FindPage(ctx, scope, filter, part)
	if err != nil {
		return nil, err
	}
	out := page{total: total}
	keep := t.kept(ctx, q.Columns)
	rows, err := t.present(context.WithValue(ctx, askedKey{}, q.Filters), docs, false, keep)
	if err != nil {
		return nil, err
	}
	if out.items, err = t.encode(docs, rows, keep); err != nil {
		return nil, err
	}
	if t.Summary != nil {
		full := bson.D{{Key: "deleted", Value: false}}
		if node != "" {
			full = append(full, bson.E{Key: "orgs", Value: node})
		}
		if out.summary, err = t.Summary(ctx, append(full, filter...)); err != nil {
			return nil, err
		}
	}
	return out.json()
}

func (t *recordType) get(ctx context.Context, id string) (Row, error) {
	if err := t.can(ctx, "view"); err != nil {
		return nil, err
	}
	doc, err := t.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if t.Viewed != nil && kit.CallerOf(ctx).Kind == kit.User {
		if err := t.Viewed(ctx, doc); err != nil {
			return nil, err
		}
	}
	rows, err := t.rows(ctx, []model.Document{doc}, nil)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// load reads one document within the caller's scope.
func (t *recordType) load(ctx context.Context, id string) (model.Document, error) {
	scope, _, err := t.readScope(ctx, "")
	if err != nil {
		return nil, err
	}
	return t.Collection.FindOne(ctx, scope, append(bson.D{{Key: "_id", Value: id}}, t.where(ctx, nil)...))
}

// asks tells whether the caller may ask by a field: a member only by what he is shown.
func (t *recordType) asks(ctx context.Context, f *Field) bool {
	return kit.CallerOf(ctx).Kind != kit.Member || slices.Contains(t.Own.Fields, f.Key)
}

func (t *recordType) sort(ctx context.Context, by string) bson.D {
	if f := t.byKey[strings.TrimPrefix(by, "-")]; by == "" || f != nil && !t.asks(ctx, f) {
		by = t.DefaultSort
	}
	if by == undecidedFirst && t.Approval != nil {
		return bson.D{{Key: "undecided", Value: -1}, {Key: "_id", Value: -1}}
	}
	key, dir := by, 1
	if strings.HasPrefix(by, "-") {
		key, dir = by[1:], -1
	}
	if f := t.byKey[key]; f != nil && f.Sort && f.Stored != "" {
		return bson.D{{Key: f.Stored, Value: dir}, {Key: "_id", Value: dir}}
	}
	if key != "createdAt" {
		dir = -1
	}
	return bson.D{{Key: "_id", Value: dir}}
}

var errFilter = kit.Invalid("filter.unknown", "不支持的筛选条件")

// filter is the query of a list, without the scope.
func (t *recordType) filter(ctx context.Context, q query) (bson.D, error) {
	out := slices.Clip(t.where(ctx, q.Filters))
	if t.Listed != nil {
		out = append(out, t.Listed(ctx, q.Filters)...)
	}
	asked := lookup{t: t}
	keys := make([]string, 0, len(q.Filters))
	for k := range q.Filters {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, key := range keys {
		value := strings.TrimSpace(q.Filters[key])
		if value == "" {
			continue
		}
		if len(value) > 1000 || normal.Valid(value, false) != "" {
			return nil, kit.ErrInvalid
		}
		if key == t.Life.field() && key != "" {
			part, err := t.inState(value)
			if err != nil {
				return nil, err
			}
			out = append(out, part...)
			continue
		}
		if t.Filter != nil {
			part, ok, err := t.Filter(ctx, key, value)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, part...)
				continue
			}
		}
		f := t.byKey[key]
		if f != nil && !t.asks(ctx, f) {
			f = nil
		}
		if f != nil && f.Blind != "" && f.Search {
			out = append(out, asked.by(f, value))
			continue
		}
		// What refers to another record can always be asked for: related lists do.
		if f == nil || !f.Search && f.Ref == "" || f.Stored == "" {
			return nil, errFilter
		}
		part, err := filterOf(f, value, t.engine.clock.Now())
		if err != nil {
			return nil, err
		}
		out = append(out, part)
	}
	if k := normal.Name(q.Keyword); k != "" {
		if normal.Valid(k, false) != "" {
			return nil, kit.ErrInvalid
		}
		var or bson.A
		for _, f := range t.fields {
			if f.Keyword && f.Stored != "" && t.asks(ctx, f) {
				or = append(or, bson.D{{Key: f.Stored, Value: Contains(f.Tidy(k))}})
			}
		}
		for _, f := range t.fields {
			if f.Blind == "" || !f.Search || t.can(ctx, "lookup") != nil {
				continue
			}
			if whole, ok := wholeOf(f, k); ok {
				or = append(or, bson.D{asked.by(f, whole)})
			}
		}
		if t.Keyword != nil {
			for _, d := range t.Keyword(ctx, k) {
				or = append(or, d)
			}
		}
		if len(or) > 0 {
			out = append(out, bson.E{Key: "$or", Value: or})
		}
	}
	return out, asked.permit(ctx)
}

// Contains finds what has a text in it, as it is stored.
func Contains(s string) bson.Regex { return bson.Regex{Pattern: regexp.QuoteMeta(s)} }

// rows shows documents to the caller: the keys to keep, with nil all.
func (t *recordType) rows(ctx context.Context, docs []model.Document, keep map[string]bool) ([]Row, error) {
	rows, err := t.present(ctx, docs, true, keep)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		maps.DeleteFunc(r, func(_ string, v any) bool { return v == hidden{} })
	}
	if kit.CallerOf(ctx).Kind == kit.Member {
		t.strip(rows)
	}
	return rows, nil
}

// present makes the rows of documents: with all that they hold when whole is set, else
// only with what is shown in another way than it is held (encode knows the rest), of the
// keys to keep; nil: all.
func (t *recordType) present(ctx context.Context, docs []model.Document, whole bool, keep map[string]bool) ([]Row, error) {
	rows := make([]Row, len(docs))
	caller := kit.CallerOf(ctx)
	fields := make([]*Field, 0, len(t.fields))
	for _, f := range t.fields {
		if f.Held() && (whole || f.Ref != "" || f.Type == "richtext" || f.Personal) && (keep == nil || keep[f.Key]) {
			fields = append(fields, f)
		}
	}
	refs := map[string]map[string]string{}              // ref → id → label
	named := make([][]string, 0, len(docs)*len(fields)) // of the fields that refer: the ids, document by document
	for i, d := range docs {
		v := reflect.ValueOf(d).Elem()
		h := d.Header()
		size := 8 // what types add, mostly
		if whole {
			size += len(fields)
		}
		r := make(Row, size)
		if whole {
			for _, key := range head {
				if keep == nil || keep[key] {
					r[key] = headOf(h, key)
				}
			}
		}
		for _, f := range fields {
			var x any
			if f.Personal {
				x = t.masked(f, d)
			} else {
				x = f.Read(v)
			}
			if s, ok := x.(string); ok && f.Type == "richtext" {
				x = field.ServeImages(s, door(caller), t.Name, h.ID)
			}
			if whole || f.Ref == "" {
				r[f.Key] = x
			}
			if f.Ref == "" {
				continue
			}
			m := refs[resolverOf(f)]
			if m == nil {
				m = map[string]string{}
				refs[resolverOf(f)] = m
			}
			ids := idsOf(x)
			for _, id := range ids {
				m[id] = ""
			}
			named = append(named, ids)
		}
		rows[i] = r
	}
	for ref, m := range refs {
		delete(m, "")
		if len(m) == 0 {
			continue
		}
		ids := make([]string, 0, len(m))
		for id := range m {
			ids = append(ids, id)
		}
		labels, err := t.engine.resolve(ref).Labels(ctx, ids)
		if err != nil {
			return nil, err
		}
		refs[ref] = labels
	}
	actions, now := t.actions(caller), t.engine.clock.Now()
	if err := t.loadLife(ctx, docs...); err != nil {
		return nil, err
	}
	for i, r := range rows {
		if key := t.Life.field(); key != "" && (keep == nil || keep[key]) {
			r[key] = t.Life.At(docs[i], now)
		}
		labels := map[string]string{}
		for _, f := range fields {
			if f.Ref == "" {
				continue
			}
			ids, known := named[0], refs[resolverOf(f)]
			named = named[1:]
			if len(ids) == 1 {
				if l := known[ids[0]]; l != "" {
					labels[f.Key] = l
				}
				continue
			}
			var names []string
			for _, id := range ids {
				if l := known[id]; l != "" {
					names = append(names, l)
				}
			}
			if len(names) > 0 {
				labels[f.Key] = strings.Join(names, "、")
			}
		}
		r["_labels"] = labels
		if keep != nil && !keep["_actions"] {
			continue
		}
		r["_actions"] = t.possible(caller, docs[i], slices.Clone(actions), now)
	}
	if t.Present != nil && len(docs) > 0 {
		if err := t.Present(ctx, docs, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// strip leaves in rows what a member is shown.
func (t *recordType) strip(rows []Row) {
	keep := t.keep()
	for _, r := range rows {
		for k := range r {
			if !keep[k] {
				delete(r, k)
			}
		}
	}
}

// keep are the keys that a member is shown.
func (t *recordType) keep() map[string]bool {
	keep := map[string]bool{"id": true, "version": true, "createdAt": true, "_labels": true, "_actions": true}
	for _, f := range t.ownFields() {
		keep[f.Key] = true
	}
	return keep
}

// possible takes away the verbs that the document's life does not allow.
func (t *recordType) possible(c *kit.Caller, doc model.Document, given []string, now time.Time) []string {
	return slices.DeleteFunc(given, func(key string) bool {
		if t.Life.verb(key) == nil {
			return false
		}
		_, err := t.Life.Step(c, doc, key, now)
		return err != nil
	})
}

func (t *recordType) actions(c *kit.Caller) []string {
	given := []string{"view"}
	writes := !t.topOnly() || c.TopLevel || c.Kind == kit.Member
	may := func(verb string) bool { return c.Can(t.Name + "." + verb) }
	if c.Kind == kit.Member && t.Own != nil {
		may = func(verb string) bool { return verb == "update" && t.Own.Update || verb == "delete" && t.Own.Delete }
	}
	if writes && !never(c, t.NoUpdate) && may("update") {
		given = append(given, "update")
	}
	if writes && !never(c, t.NoDelete) && may("delete") {
		given = append(given, "delete")
	}
	for _, a := range t.Actions {
		if t.mayAct(c, a) {
			given = append(given, a.Key)
		}
	}
	return given
}

// door is the way by which a caller is served files.
func door(c *kit.Caller) string {
	if c.Kind == kit.Member {
		return "member"
	}
	return "console"
}

// filterOf is the part of a query that finds the records with a value, or within bounds, of a
// field.
func filterOf(f *Field, value string, now time.Time) (bson.E, error) {
	bad := kit.Invalid("filter.invalid", "筛选条件“%s”填写有误", f.Label)
	from, to, ranged := strings.Cut(value, ",")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	switch f.Type {
	case "bool":
		return bson.E{Key: f.Stored, Value: value == "true"}, nil
	case "idNumber":
		return bson.E{Key: f.Stored, Value: f.Tidy(value)}, nil
	case "enum", "enums", "ref", "refs":
		if ranged { // one of several
			return bson.E{Key: f.Stored, Value: bson.D{{Key: "$in", Value: strings.Split(value, ",")}}}, nil
		}
		return bson.E{Key: f.Stored, Value: value}, nil
	case "string", "text", "phone":
		return bson.E{Key: f.Stored, Value: Contains(f.Tidy(value))}, nil
	}
	if !ranged {
		to = from
	}
	var bounds bson.D
	for i, v := range []string{from, to} {
		if v == "" {
			continue
		}
		op := []string{"$gte", "$lte"}[i]
		if v == "today" {
			v = now.Format(time.DateOnly)
		}
		switch f.Type {
		case "date", "month":
			if len(v) > 10 {
				return bson.E{}, bad
			}
			bounds = append(bounds, bson.E{Key: op, Value: v})
		case "datetime":
			d, err := time.ParseInLocation(time.DateOnly, v, kit.Shanghai)
			if err != nil {
				if d, err = time.Parse(time.RFC3339, v); err != nil {
					return bson.E{}, bad
				}
			} else if i == 1 { // the whole day
				op, d = "$lt", d.AddDate(0, 0, 1)
			}
			bounds = append(bounds, bson.E{Key: op, Value: d})
		default:
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return bson.E{}, bad
			}
			bounds = append(bounds, bson.E{Key: op, Value: n})
		}
	}
	if len(bounds) == 0 {
		return bson.E{}, bad
	}
	return bson.E{Key: f.Stored, Value: bounds}, nil
}
