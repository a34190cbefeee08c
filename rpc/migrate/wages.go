package migrate

import (
	"context"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
)

// sealWages seals the wages that were stored open, as numbers: of the bases, and of the months
// of orders.
func sealWages(ctx context.Context, s Store) error {
	seal := func(doc bson.M, place string, value any) (string, bool) {
		fen, open := value.(int64)
		if !open {
			return "", false
		}
		return s.Seal.Seal(strconv.FormatInt(fen, 10), model.At(doc["_id"].(string), place)), true
	}
	err := s.each(ctx, "duesBases", bson.D{{Key: "version", Value: 1}, {Key: "baseAmount", Value: 1}}, func(doc bson.M) bson.D {
		if sealed, ok := seal(doc, "baseAmount", doc["baseAmount"]); ok {
			return bson.D{{Key: "baseAmount", Value: sealed}}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.each(ctx, "duesOrders", bson.D{{Key: "version", Value: 1}, {Key: "items", Value: 1}}, func(doc bson.M) bson.D {
		items, _ := doc["items"].(bson.A)
		changed := false
		for _, item := range items {
			fields, _ := item.(bson.D)
			for i := range fields {
				if fields[i].Key != "baseAmount" {
					continue
				}
				if sealed, ok := seal(doc, "items.baseAmount", fields[i].Value); ok {
					fields[i].Value, changed = sealed, true
				}
			}
		}
		if !changed {
			return nil
		}
		return bson.D{{Key: "items", Value: items}}
	})
}
