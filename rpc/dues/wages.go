package dues

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/model"
)

// sealed keeps the wages in a document sealed when it is written again.
func sealed[D model.Document](s *Service) func(context.Context, D) (func(), error) {
	return func(_ context.Context, doc D) (func(), error) {
		s.d.Seal.Close(doc)
		return func() {}, nil
	}
}

// sealOldWages seals the wages that an earlier version stored open, as numbers, once: two
// processes that do it at once do the same. What a process of that version still adds beside
// this one is sealed when it is next written.
func (s *Service) sealOldWages(ctx context.Context) error {
	notes, done := s.d.DB.Collection("installation"), bson.D{{Key: "_id", Value: "wages sealed"}}
	if n, err := notes.CountDocuments(ctx, done); err != nil || n > 0 {
		return err
	}
	bases := sealOld(ctx, s, s.bases, "baseAmount", func(b *model.DuesBase) (string, any) { return "baseAmount", b.BaseAmount })
	orders := sealOld(ctx, s, s.orders, "items.baseAmount", func(o *model.DuesOrder) (string, any) { return "items", o.Items })
	if err := errors.Join(bases, orders); err != nil {
		return fmt.Errorf("seal old wages: %w", err)
	}
	if _, err := notes.InsertOne(ctx, done); err != nil && !mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("seal old wages: %w", err)
	}
	return nil
}

// sealOld changes of the documents with a number at a place what of gives, and nothing that
// people see of them. One that somebody else changes meanwhile is sealed by that.
func sealOld[D model.Document](ctx context.Context, s *Service, c *model.Collection[D], at string, of func(D) (string, any)) error {
	cur, err := c.Mongo().Find(ctx, bson.D{{Key: at, Value: bson.D{{Key: "$type", Value: "number"}}}}) // the deleted too
	if err != nil {
		return err
	}
	defer cur.Close(context.WithoutCancel(ctx))
	for cur.Next(ctx) {
		doc := c.New()
		if err := cur.Decode(doc); err != nil {
			return err
		}
		s.d.Seal.Close(doc)
		field, value := of(doc)
		_, err := c.Mongo().UpdateOne(ctx, bson.D{{Key: "_id", Value: doc.Header().ID}, {Key: "version", Value: doc.Header().Version}},
			bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}}}})
		if err != nil {
			return err
		}
	}
	return cur.Err()
}
