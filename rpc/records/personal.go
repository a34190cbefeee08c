package records

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
)

// masked is a personal field's value for those who may not see it in full.
func (t *recordType) masked(f *Field, doc model.Document) string {
	v := reflect.ValueOf(doc).Elem()
	if f.MaskedIn != nil {
		return v.FieldByIndex(f.MaskedIn).String()
	}
	plain, err := t.engine.seal.Open(v.FieldByIndex(f.Index).String(), model.At(doc.Header().ID, f.Stored))
	if err != nil { // of another key or damaged: there is something, which nobody can read
		plain = "?"
	}
	return model.Mask(f.Type, plain)
}

// reveal puts what is masked into a row as it is.
func (t *recordType) reveal(ctx context.Context, doc model.Document, r Row) error {
	open := clone(doc)
	if err := t.open(open); err != nil {
		return err
	}
	v := reflect.ValueOf(open).Elem()
	for _, f := range t.fields {
		if f.Personal && f.Held() {
			r[f.Key] = f.Read(v)
		}
	}
	if t.Reveal == nil {
		return nil
	}
	return t.Reveal(ctx, doc, r)
}

// Reveal is one record with its personal fields in full. The look is written down before
// anything is shown.
func (e *Engine) Reveal(ctx context.Context, req *gen.IDReq) (*gen.JSON, error) {
	t, err := e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.revealed(ctx, req.Id))
}

func (t *recordType) revealed(ctx context.Context, id string) (Row, error) {
	if !t.reveals() {
		return nil, kit.ErrNotFound
	}
	if err := t.mayReveal(ctx); err != nil {
		return nil, err
	}
	doc, err := t.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := t.engine.Shown(ctx, model.AuditReveal, t.Name, "查看完整信息", doc, ""); err != nil {
		return nil, err
	}
	rows, err := t.rows(ctx, []model.Document{doc}, nil)
	if err != nil {
		return nil, err
	}
	return rows[0], t.reveal(ctx, doc, rows[0])
}

// mayReveal refuses who may not see in full: but who decides sees what he decides on.
func (t *recordType) mayReveal(ctx context.Context) error {
	if t.Approval != nil && t.can(ctx, "approve") == nil {
		return nil
	}
	return t.can(ctx, "reveal")
}

// whole is a personal field's value in the form in which it is stored; false of a text that
// cannot be one.
func wholeOf(f *Field, text string) (string, bool) {
	if f.Type == "idNumber" {
		text = normal.IDNumber(text)
		return text, len(text) == 18
	}
	text = normal.Phone(text)
	return text, len(text) >= 7 && strings.Trim(text, "0123456789-+") == ""
}

// lookup is a search by whole personal values. That one is found, or none, says as much as
// seeing the value, so that it takes a right of its own, is written down before it is
// answered, and is bounded (PLUS-32).
type lookup struct {
	t    *recordType
	said []string // what is looked up, masked
}

// lookups bounds how many a user may make in an hour.
const lookups = 100

var errLookups = kit.TooMany("lookup.too_many", "按证件号或手机号查找过于频繁，每小时最多%d次，请稍后再试", lookups)

// by is the part of a query that finds a field's value.
func (l *lookup) by(f *Field, value string) bson.E {
	value, _ = wholeOf(f, value)
	if said := f.Label + "：" + model.Mask(f.Type, value); !slices.Contains(l.said, said) {
		l.said = append(l.said, said)
	}
	return bson.E{Key: f.Blind, Value: l.t.engine.seal.Blind(value)}
}

// permit refuses a look-up that the caller may not make, and writes down one that he may.
func (l *lookup) permit(ctx context.Context) error {
	c := kit.CallerOf(ctx)
	if len(l.said) == 0 || c.Kind == kit.System {
		return nil
	}
	if err := l.t.can(ctx, "lookup"); err != nil {
		return err
	}
	e := l.t.engine
	now := time.Now() // an hour of the machine: nobody gains one by the product's clock
	var hour struct {
		Count int `bson:"count"`
	}
	count := func() error {
		return e.lookups.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: c.UserID + "/" + now.UTC().Format("2006010215")}},
			bson.D{{Key: "$inc", Value: bson.D{{Key: "count", Value: 1}}}, {Key: "$set", Value: bson.D{{Key: "at", Value: now}}}},
			options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&hour)
	}
	err := count()
	if mongo.IsDuplicateKeyError(err) { // two began the hour at once
		err = count()
	}
	if err != nil {
		return fmt.Errorf("count look-ups: %w", err)
	}
	if hour.Count > lookups {
		return errLookups
	}
	return e.Shown(ctx, model.AuditReveal, l.t.Name, "按证件号或手机号查找", nil, strings.Join(l.said, "；"))
}

// openLookups readies the counting of look-ups.
func (e *Engine) openLookups(ctx context.Context) error {
	e.lookups = e.db.Collection("lookups")
	if !slices.ContainsFunc(e.order, (*recordType).looksUp) {
		return nil
	}
	return model.EnsureIndexes(ctx, e.lookups, model.Index{Keys: bson.D{{Key: "at", Value: 1}}, TTL: 2 * time.Hour})
}
