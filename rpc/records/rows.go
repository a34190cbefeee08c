package records

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records/field"
	"zhihuidangjian/rpc/records/sheet"
	"zhihuidangjian/rpc/records/workbook"
)

func (t *recordType) chunk() int {
	if t.ImportChunk > 0 {
		return t.ImportChunk
	}
	return 500
}

// reader is what the rows of an import are read with, beside the record type.
type reader struct {
	batchID string
	refused map[int]complaints // rows that are refused for what other rows say, by their number
	found   map[string]string  // what cells that name records meant

	// Of a check only.
	dry   bool
	ahead map[string]bool // names of right rows above, which a row may refer to
	seen  map[string]int  // unique keys → row
	// values are wanted of the rows that are in it: as they would be stored, by column.
	values map[int][]string
}

func (t *recordType) newReader(batchID string, rows []sheet.Row) *reader {
	return &reader{batchID: batchID, refused: t.contradictions(rows), found: map[string]string{}}
}

// contradictions are the rows that agree in what they are about (Once) and differ in what
// they say of it.
func (t *recordType) contradictions(rows []sheet.Row) map[int]complaints {
	out := map[int]complaints{}
	if len(t.Once) == 0 {
		return out
	}
	now := t.engine.clock.Now()
	type group struct {
		says string
		rows []int
		no   bool
	}
	groups := map[string]*group{}
	var labels []string
	for _, k := range t.Once {
		labels = append(labels, t.byKey[k].Label)
	}
	for _, r := range rows {
		var key, says strings.Builder
		right := true
		for i, f := range t.columns() {
			x, err := f.FromCell(r.Cells[i], now)
			right = right && err == nil
			if slices.Contains(t.Once, f.Key) {
				fmt.Fprint(&key, x, "\x00")
			}
			fmt.Fprint(&says, x, "\x00")
		}
		if !right {
			continue // refused for itself
		}
		g := groups[key.String()]
		if g == nil {
			g = &group{says: says.String()}
			groups[key.String()] = g
		}
		g.rows, g.no = append(g.rows, r.No), g.no || g.says != says.String()
	}
	for _, g := range groups {
		if !g.no {
			continue
		}
		told := make([]string, 0, 10)
		for _, no := range g.rows[:min(len(g.rows), 10)] {
			told = append(told, strconv.Itoa(no))
		}
		reason := fmt.Sprintf("第%s行的%s相同而内容不同，请只保留正确的一行", strings.Join(told, "、"), strings.Join(labels, "、"))
		for _, no := range g.rows {
			out[no] = complaints{{Reason: reason}}
		}
	}
	return out
}

// read makes documents of the rows that are right; reasons say, by position, why the others
// are not, and at is the position of each document. An error means that the rows must be
// read again.
func (t *recordType) read(ctx context.Context, rows []sheet.Row, rd *reader) (docs []model.Document, at []int, reasons map[int]complaints, err error) {
	reasons = map[int]complaints{}
	if c := kit.CallerOf(ctx); t.topOnly() && !c.TopLevel {
		for i := range rows {
			reasons[i] = complaints{{Reason: ErrTopLevel.Message}}
		}
		return nil, nil, reasons, nil
	}
	if ctx, err = t.beforeImport(ctx, rows); err != nil {
		return nil, nil, nil, err
	}
	for i, r := range rows {
		doc, err := t.fromRow(ctx, r, rd)
		if c, no := complain(err); no {
			reasons[i] = c
			continue
		}
		if err != nil {
			return nil, nil, nil, err
		}
		docs, at = append(docs, doc), append(at, i)
		if rd.dry {
			rd.ahead[normal.Name(t.nameOf(doc))] = true
		}
	}
	return docs, at, reasons, nil
}

func (t *recordType) beforeImport(ctx context.Context, rows []sheet.Row) (context.Context, error) {
	if t.BeforeImport == nil {
		return ctx, nil
	}
	cells := make([]map[string]string, len(rows))
	for i, r := range rows {
		cells[i] = make(map[string]string, len(t.Columns))
		for j, f := range t.columns() {
			cells[i][f.Key] = f.Tidy(r.Cells[j].Text)
		}
	}
	return t.BeforeImport(ctx, cells)
}

// runRows stores the rows of a chunk that are right; the answer says, by position, why
// the others are not. An error means that the chunk must be tried again.
func (t *recordType) runRows(ctx context.Context, rows []sheet.Row, rd *reader) (map[int]complaints, error) {
	docs, at, reasons, err := t.read(ctx, rows, rd)
	if err != nil || len(docs) == 0 {
		return reasons, err
	}
	for _, d := range docs {
		d.Header().FollowDue = t.due(d)
	}
	failed, err := t.store(ctx, docs)
	if err != nil {
		return nil, err
	}
	for i, d := range docs {
		if failed[i] == nil {
			t.later(ctx, d, t.follow(ctx, d))
		}
	}
	if len(failed) == 0 {
		return reasons, nil
	}
	return reasons, t.explain(ctx, docs, at, failed, reasons)
}

// explain finds out why documents could not be stored: this import stored them before,
// which is no failure, or another document holds a unique key.
func (t *recordType) explain(ctx context.Context, docs []model.Document, at []int, failed map[int]error, reasons map[int]complaints) error {
	var twins []model.Document
	var twinAt []int
	var ids bson.A
	for i := range docs {
		err := failed[i]
		switch {
		case err == nil:
		case errors.Is(err, model.ErrDuplicate):
			twins, twinAt = append(twins, docs[i]), append(twinAt, at[i])
			ids = append(ids, docs[i].Header().ID)
		default:
			c, ok := complain(err)
			if !ok {
				return err
			}
			reasons[at[i]] = c
		}
	}
	if len(twins) == 0 {
		return nil
	}
	own := map[string]bool{}
	cur, err := t.Collection.Mongo().Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}},
		options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return fmt.Errorf("find imported rows: %w", err)
	}
	for cur.Next(ctx) {
		id, _ := cur.Current.Lookup("_id").StringValueOK()
		own[id] = true
	}
	if err := errors.Join(cur.Err(), cur.Close(ctx)); err != nil {
		return fmt.Errorf("find imported rows: %w", err)
	}
	taken, err := t.taken(ctx, twins)
	if err != nil {
		return err
	}
	for i, d := range twins {
		switch {
		case own[d.Header().ID]:
		case taken[i] != nil:
			reasons[twinAt[i]] = complaints{{Key: taken[i].Field, Reason: taken[i].Message}}
		default:
			reasons[twinAt[i]] = complaints{{Reason: "数据已存在"}}
		}
	}
	return nil
}

// fromRow makes a document of a row.
func (t *recordType) fromRow(ctx context.Context, r sheet.Row, rd *reader) (model.Document, error) {
	if c := rd.refused[r.No]; c != nil {
		return nil, c
	}
	doc := t.Collection.New()
	v := reflect.ValueOf(doc).Elem()
	now := t.engine.clock.Now()
	texts := make(map[string]string, len(t.Columns)) // as they were read
	var wrong complaints
	for i, f := range t.columns() {
		x, err := t.fromCell(ctx, f, r.Cells[i], now, rd)
		if c, no := complain(err); no {
			wrong = append(wrong, c.about(f.Key)...)
			continue
		}
		if err != nil {
			return nil, err
		}
		if texts[f.Key] = f.Tidy(r.Cells[i].Text); f.Ref == "" {
			if s, ok := x.(string); ok {
				texts[f.Key] = s
			}
		}
		if !f.Virtual && f.Index != nil {
			f.Write(v, x)
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	h := doc.Header()
	h.ID, h.CreatedBy = rowID(rd.batchID, r.No), kit.CallerOf(ctx).UserID
	if t.FromImport != nil {
		if err := t.FromImport(ctx, texts, doc); err != nil {
			return nil, err
		}
	}
	if t.leans(doc) { // on a row above, which is not stored yet
		rd.show(t, r, doc)
		return doc, nil
	}
	if err := t.place(ctx, nil, doc); err != nil {
		return nil, err
	}
	rd.show(t, r, doc)
	if rd.dry {
		t.close(doc)
		return doc, nil
	}
	changes, err := t.changes(ctx, nil, doc)
	if err != nil {
		return nil, err
	}
	t.close(doc)
	t.audit(ctx, write{action: model.AuditCreate, title: "导入", changes: changes}, nil, doc)
	return doc, nil
}

// aheadID begins the id of what a row above is going to be, in a check.
const aheadID = "^ahead "

// leans tells whether a document of a check refers to what is not stored yet.
func (t *recordType) leans(doc model.Document) bool {
	v := reflect.ValueOf(doc).Elem()
	return slices.ContainsFunc(t.columns(), func(f *Field) bool {
		if f.Ref == "" || !f.Held() {
			return false
		}
		id, _ := f.Read(v).(string)
		return strings.HasPrefix(id, aheadID)
	})
}

// fromCell reads a cell; one that names another record becomes its id.
func (t *recordType) fromCell(ctx context.Context, f *Field, c workbook.Cell, now time.Time, rd *reader) (any, error) {
	if f.Ref == "" {
		return f.FromCell(c, now)
	}
	if err := f.Readable(c); err != nil {
		return nil, err
	}
	text := f.Tidy(c.Text)
	if err := f.Plain(text); err != nil {
		return nil, err
	}
	switch {
	case f.Type == "refs": // several names in one cell
		ids := []string{}
		for _, name := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("、，,;；", r) }) {
			id, err := t.named(ctx, f, strings.TrimSpace(name), rd)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return ids, nil
	case text == "":
		return f.FromString("", now)
	}
	return t.named(ctx, f, text, rd)
}

// named is the id of what a cell names.
func (t *recordType) named(ctx context.Context, f *Field, text string, rd *reader) (string, error) {
	key := resolverOf(f) + "\x00" + text
	id, ok := rd.found[key]
	if !ok {
		var err error
		id, err = t.engine.ref(f).Find(ctx, text)
		if reason, no := why(err); no {
			if name := text[strings.LastIndexAny(text, "/>")+1:]; f.Ref == t.Name && rd.ahead[name] {
				return aheadID + name, nil
			}
			return "", field.UnknownWord{Refusal: field.Refusal(f.Label + "：" + reason)}
		}
		if err != nil {
			return "", err
		}
		rd.found[key] = id
	}
	return id, nil
}

// show keeps what would be stored of a row, if it is wanted.
func (rd *reader) show(t *recordType, r sheet.Row, doc model.Document) {
	if _, wanted := rd.values[r.No]; !wanted {
		return
	}
	v := reflect.ValueOf(doc).Elem()
	out := make([]string, len(r.Cells))
	for i, f := range t.columns() {
		if out[i] = f.Tidy(r.Cells[i].Text); f.Held() && f.Ref == "" {
			out[i] = words(f, Row{f.Key: f.Read(v)})
		}
	}
	rd.values[r.No] = out
}

// rowID is the id of the document that a row becomes: the batch's time first, so that
// lists show it among the newest, and the same whenever the row is tried.
func rowID(batchID string, no int) string {
	return fmt.Sprintf("%s%08d", strings.TrimSpace(batchID)[:16], no)
}
