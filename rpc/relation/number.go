package relation

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/rpc/kit"
)

// next is the next number of a register in a year, e.g. 介〔2026〕0001号. A number is given once;
// one that was drawn and not used, because the write it was drawn for lost a race, is left out.
func (s *Service) next(ctx context.Context, word string, now time.Time) (string, error) {
	year := now.In(kit.Shanghai).Year()
	var counter struct{ N int }
	err := s.d.DB.Collection("registers").FindOneAndUpdate(ctx,
		bson.D{{Key: "_id", Value: fmt.Sprintf("%s.%d", word, year)}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}},
		options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&counter)
	if err != nil {
		return "", fmt.Errorf("number of %s: %w", word, err)
	}
	return fmt.Sprintf("%s〔%d〕%04d号", word, year, counter.N), nil
}
