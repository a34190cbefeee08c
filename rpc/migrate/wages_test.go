package migrate_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/migrate"
)

func TestSealWages(t *testing.T) {
	s := migrate.Store{DB: modeltest.DB(t), Seal: modeltest.Sealer(t)}
	ready := s.Seal.Seal("700000", model.At("b2", "baseAmount"))
	put(t, s, "duesBases", bson.D{{Key: "_id", Value: "b1"}, {Key: "version", Value: int64(2)}, {Key: "baseAmount", Value: int64(500_000)}})
	put(t, s, "duesBases", bson.D{{Key: "_id", Value: "b2"}, {Key: "version", Value: int64(5)}, {Key: "baseAmount", Value: ready}})
	put(t, s, "duesOrders", bson.D{{Key: "_id", Value: "o1"}, {Key: "version", Value: int64(1)}, {Key: "items", Value: bson.A{
		bson.D{{Key: "month", Value: "2024-01"}, {Key: "baseAmount", Value: int64(500_000)}},
		bson.D{{Key: "month", Value: "2024-02"}, {Key: "baseAmount", Value: s.Seal.Seal("600000", model.At("o1", "items.baseAmount"))}},
		bson.D{{Key: "month", Value: "2024-03"}},
	}}})
	for range 2 { // one that was killed begins again
		if err := migrate.All[3].Run(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int64{"b1": 500_000, "b2": 700_000} {
		var b model.DuesBase
		if err := s.DB.Collection("duesBases").FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&b); err != nil {
			t.Fatal(err)
		}
		if got := string(b.BaseAmount); len(got) < 24 {
			t.Errorf("%s is stored as %q", id, got)
		}
		if err := s.Seal.Disclose(&b); err != nil || b.BaseAmount.Fen() != want || (id == "b2" && b.Version != 5) {
			t.Errorf("%s: %v %v, version %d", id, b.BaseAmount, err, b.Version)
		}
	}
	var o model.DuesOrder
	if err := s.DB.Collection("duesOrders").FindOne(t.Context(), bson.D{{Key: "_id", Value: "o1"}}).Decode(&o); err != nil {
		t.Fatal(err)
	}
	for i, item := range o.Items[:2] {
		if len(item.BaseAmount) < 24 {
			t.Errorf("month %d is stored as %q", i, item.BaseAmount)
		}
	}
	if err := s.Seal.Disclose(&o); err != nil || o.Items[0].BaseAmount.Fen() != 500_000 || o.Items[1].BaseAmount.Fen() != 600_000 {
		t.Errorf("%+v, %v", o.Items, err)
	}
}
