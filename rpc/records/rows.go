package records

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/workbook"
)

func (t *recordType) chunk() int {
	if t.ImportChunk > 0 {
		return t.ImportChunk
	}
	return 500
}

// runRows stores the rows of a chunk that are right; the answer says, by position, why
// the others are not. An error means that the chunk must be tried again.
func (t *recordType) runRows(ctx context.Context, batchID string, rows []importRow) (map[int]string, error) {
	reasons := map[int]string{}
	if c := kit.CallerOf(ctx); t.Global && !c.TopLevel {
		for i := range rows {
			reasons[i] = ErrTopLevel.Message
		}
		return reasons, nil
	}
	if t.BeforeImport != nil {
		cells := make([]map[string]string, len(rows))
		for i, r := range rows {
			cells[i] = make(map[string]string, len(t.Columns))
			for j, f := range t.columns() {
				cells[i][f.Key] = f.tidy(r.Cells[j].Text)
			}
		}
		var err error
		if ctx, err = t.BeforeImport(ctx, cells); err != nil {
			return nil, err
		}
	}
	var docs []model.Document
	var at []int // position of each document's row
	found := map[string]string{}
	for i, r := range rows {
		doc, err := t.fromRow(ctx, batchID, r, found)
		if reason, ok := why(err); ok {
			reasons[i] = reason
			continue
		}
		if err != nil {
			return nil, err
		}
		docs, at = append(docs, doc), append(at, i)
	}
	if len(docs) == 0 {
		return reasons, nil
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
func (t *recordType) explain(ctx context.Context, docs []model.Document, at []int, failed map[int]error, reasons map[int]string) error {
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
			reason, ok := why(err)
			if !ok {
				return err
			}
			reasons[at[i]] = reason
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
			reasons[twinAt[i]] = taken[i].Message
		default:
			reasons[twinAt[i]] = "数据已存在"
		}
	}
	return nil
}

// fromRow makes a document of a row. found remembers what ref cells meant, for the chunk.
func (t *recordType) fromRow(ctx context.Context, batchID string, r importRow, found map[string]string) (model.Document, error) {
	doc := t.Collection.New()
	v := reflect.ValueOf(doc).Elem()
	now := t.engine.clock.Now()
	texts := make(map[string]string, len(t.Columns)) // as they were read
	var wrong complaints
	for i, f := range t.columns() {
		x, err := t.fromCell(ctx, f, r.Cells[i], now, found)
		if c, no := complain(err); no {
			wrong = append(wrong, c.about(f.Key)...)
			continue
		}
		if err != nil {
			return nil, err
		}
		if texts[f.Key] = f.tidy(r.Cells[i].Text); f.Ref == "" {
			if s, ok := x.(string); ok {
				texts[f.Key] = s
			}
		}
		if !f.Virtual && f.index != nil {
			f.write(v, x)
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	h := doc.Header()
	h.ID, h.CreatedBy = rowID(batchID, r.No), kit.CallerOf(ctx).UserID
	if t.FromImport != nil {
		if err := t.FromImport(ctx, texts, doc); err != nil {
			return nil, err
		}
	}
	if err := t.place(ctx, nil, doc); err != nil {
		return nil, err
	}
	changes, err := t.changes(ctx, nil, doc)
	if err != nil {
		return nil, err
	}
	if err := t.close(doc); err != nil {
		return nil, err
	}
	t.audit(ctx, write{action: model.AuditCreate, title: "导入", changes: changes}, nil, doc)
	return doc, nil
}

// fromCell reads a cell; one that names another record becomes its id.
func (t *recordType) fromCell(ctx context.Context, f *Field, c workbook.Cell, now time.Time, found map[string]string) (any, error) {
	if f.Ref == "" {
		return f.fromCell(c, now)
	}
	if err := f.readable(c); err != nil {
		return nil, err
	}
	text := f.tidy(c.Text)
	if err := f.plain(text); err != nil {
		return nil, err
	}
	if text == "" {
		return f.fromString("", now)
	}
	key := f.resolver() + "\x00" + text
	id, ok := found[key]
	if !ok {
		var err error
		id, err = t.engine.ref(f).Find(ctx, text)
		if reason, no := why(err); no {
			return nil, unknownWord{refusal(f.Label + "：" + reason)}
		}
		if err != nil {
			return nil, err
		}
		found[key] = id
	}
	return id, nil
}

// complaint is what is wrong with one column of a row, or with Key "" the whole of it.
type complaint struct {
	Key, Reason string
	Unknown     bool // a word that may be mapped to a known one
}

// complaints are all that is wrong with a row.
type complaints []complaint

// Error implements error.
func (c complaints) Error() string {
	all := make([]string, len(c))
	for i, x := range c {
		all[i] = x.Reason
	}
	return strings.Join(all, "；")
}

// about gives a column to what has none.
func (c complaints) about(key string) complaints {
	for i := range c {
		if c[i].Key == "" {
			c[i].Key = key
		}
	}
	return c
}

// complain is what to tell of an error when it is one that a person can do something about;
// anything else is trouble of ours.
func complain(err error) (complaints, bool) {
	var all complaints
	if errors.As(err, &all) {
		return all, true
	}
	var u unknownWord
	var r refusal
	if errors.As(err, &r) {
		return complaints{{Reason: string(r), Unknown: errors.As(err, &u)}}, true
	}
	var e *kit.Error
	if !errors.As(err, &e) || e.Code >= 50000 {
		return nil, false
	}
	for key, reason := range e.Fields {
		all = append(all, complaint{Key: key, Reason: reason})
	}
	if len(all) == 0 {
		return complaints{{Reason: e.Message}}, true
	}
	slices.SortFunc(all, func(a, b complaint) int { return strings.Compare(a.Reason, b.Reason) })
	return slices.CompactFunc(all, func(a, b complaint) bool { return a.Reason == b.Reason }), true
}

// why is the reason to tell when err is one.
func why(err error) (string, bool) {
	c, ok := complain(err)
	return c.Error(), ok
}
