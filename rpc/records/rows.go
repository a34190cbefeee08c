package records

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
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
			cells[i] = r.Cells
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
	if r.Formula {
		return nil, refusal("单元格不能包含公式")
	}
	doc := t.Collection.New()
	v := reflect.ValueOf(doc).Elem()
	now := t.engine.clock.Now()
	var wrong []string
	for _, k := range t.Columns {
		f := t.byKey[k]
		text := r.Cells[k]
		if f.Ref != "" && text != "" {
			if err := f.plain(text); err != nil || strings.ContainsRune("=+-@", rune(text[0])) {
				wrong = append(wrong, f.Label+"填写有误")
				continue
			}
			key := f.resolver() + "\x00" + text
			id, ok := found[key]
			if !ok {
				var err error
				id, err = t.engine.ref(f).Find(ctx, text)
				if reason, no := why(err); no {
					wrong = append(wrong, f.Label+"："+reason)
					continue
				}
				if err != nil {
					return nil, err
				}
				found[key] = id
			}
			if !f.Virtual {
				f.write(v, id)
			}
			continue
		}
		x, err := f.fromCell(text, now)
		if reason, no := why(err); no {
			wrong = append(wrong, reason)
			continue
		}
		if !f.Virtual && f.index != nil {
			f.write(v, x)
		}
	}
	if len(wrong) > 0 {
		return nil, refusal(strings.Join(wrong, "；"))
	}
	h := doc.Header()
	h.ID, h.CreatedBy = rowID(batchID, r.No), kit.CallerOf(ctx).UserID
	if t.FromImport != nil {
		if err := t.FromImport(ctx, r.Cells, doc); err != nil {
			return nil, err
		}
	}
	if err := t.complete(ctx, nil, doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// why is the reason to tell when err is one; anything else is trouble of ours.
func why(err error) (string, bool) {
	if r, ok := errors.AsType[refusal](err); ok {
		return string(r), true
	}
	var e *kit.Error
	if errors.As(err, &e) && e.Code < 50000 {
		if len(e.Fields) > 1 {
			all := make([]string, 0, len(e.Fields))
			for _, m := range e.Fields {
				all = append(all, m)
			}
			slices.Sort(all)
			return strings.Join(slices.Compact(all), "；"), true
		}
		return e.Message, true
	}
	return "", false
}
