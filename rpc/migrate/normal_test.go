package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/model/docstore"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/migrate"
)

// normalize is the migration that brings texts into normal form.
func normalize(t *testing.T, s migrate.Store) error {
	t.Helper()
	for _, m := range migrate.All {
		if strings.HasPrefix(m.Name, "texts and numbers") {
			return m.Run(t.Context(), s)
		}
	}
	t.Fatal("no such migration")
	return nil
}

// text reads a field, opened when it is sealed.
func text(t *testing.T, s migrate.Store, collection, id, field string) string {
	t.Helper()
	var d bson.M
	if err := s.DB.Collection(collection).FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&d); err != nil {
		t.Fatal(err)
	}
	v, _ := d[field].(string)
	if open, err := s.Seal.Open(v, model.At(id, field)); err == nil {
		return open
	}
	return v
}

func TestNormalizeTexts(t *testing.T) {
	sealed := func(s migrate.Store, id, number, phone string) bson.D {
		return bson.D{
			{Key: "_id", Value: id}, {Key: "version", Value: int64(3)}, {Key: "name", Value: "张　三丰"},
			{Key: "idNumber", Value: s.Seal.Seal(number, model.At(id, "idNumber"))}, {Key: "idBlind", Value: s.Seal.Blind(number)}, {Key: "idMasked", Value: "?"},
			{Key: "phone", Value: s.Seal.Seal(phone, model.At(id, "phone"))}, {Key: "phoneBlind", Value: s.Seal.Blind(phone)}, {Key: "phoneMasked", Value: "?"},
			{Key: "address", Value: s.Seal.Seal("和平路１号\u200b", model.At(id, "address"))},
		}
	}
	t.Run("names, texts, phones and ID numbers, sealed or not, and what they are found by", func(t *testing.T) {
		s := migrate.Store{DB: modeltest.DB(t), Seal: modeltest.Sealer(t)}
		put(t, s, "members", sealed(s, "m1", "11010119900307７７5x", "+86 138-0000 0001"))
		put(t, s, "users", bson.D{{Key: "_id", Value: "u1"}, {Key: "version", Value: int64(1)}, {Key: "userName", Value: "ａdmin"}, {Key: "phone", Value: "138 0000 0002"}})
		put(t, s, "units", bson.D{{Key: "_id", Value: "x1"}, {Key: "version", Value: int64(1)}, {Key: "unitName", Value: "示范 公司"}, {Key: "contactPhone", Value: "１３８０００００００３"}})
		put(t, s, "auditEntries", bson.D{{Key: "_id", Value: "a1"}, {Key: "version", Value: int64(1)}, {Key: "recordName", Value: "张　三丰"}})
		for range 2 {
			if err := normalize(t, s); err != nil {
				t.Fatal(err)
			}
			for _, x := range []struct{ collection, id, field, want string }{
				{"members", "m1", "name", "张三丰"}, {"members", "m1", "idNumber", "11010119900307775X"}, {"members", "m1", "phone", "13800000001"},
				{"members", "m1", "idBlind", s.Seal.Blind("11010119900307775X")}, {"members", "m1", "idMasked", "110***********775X"},
				{"members", "m1", "phoneBlind", s.Seal.Blind("13800000001")}, {"members", "m1", "phoneMasked", "138****0001"}, {"members", "m1", "address", "和平路1号"},
				{"users", "u1", "userName", "admin"}, {"users", "u1", "phone", "13800000002"}, {"units", "x1", "unitName", "示范公司"}, {"units", "x1", "contactPhone", "13800000003"},
				{"auditEntries", "a1", "recordName", "张　三丰"},
			} {
				if got := text(t, s, x.collection, x.id, x.field); got != x.want {
					t.Errorf("%s.%s: %q, want %q", x.collection, x.field, got, x.want)
				}
			}
			var m struct{ Version int64 }
			if err := s.DB.Collection("members").FindOne(t.Context(), bson.D{{Key: "_id", Value: "m1"}}).Decode(&m); err != nil || m.Version != 4 {
				t.Errorf("version %d, %v", m.Version, err)
			}
		}
		var u bson.M
		if err := s.DB.Collection("users").FindOne(t.Context(), bson.D{{Key: "_id", Value: "u1"}}).Decode(&u); err != nil || u["phone"] == "13800000002" || len(u) != 4 {
			t.Errorf("left open, or more than there was: %v %v", u, err)
		}
	})
	t.Run("two that become the same where each has to be its own stay as they were, and the others go on", func(t *testing.T) {
		s := migrate.Store{DB: modeltest.DB(t), Seal: modeltest.Sealer(t)}
		put(t, s, "members", sealed(s, "m1", "11010119900307775X", "13800000001"))
		put(t, s, "members", sealed(s, "m2", " 11010119900307775x", "13800000002"))
		put(t, s, "members", sealed(s, "m3", " 110101199003077768", "13800000003"))
		if _, err := s.DB.Collection("members").Indexes().CreateOne(t.Context(), mongo.IndexModel{
			Keys: bson.D{{Key: "idBlind", Value: 1}}, Options: options.Index().SetUnique(true),
		}); err != nil {
			t.Fatal(err)
		}
		if err := normalize(t, s); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"m1": "11010119900307775X", "m2": " 11010119900307775x", "m3": "110101199003077768"} {
			if got := text(t, s, "members", id, "idNumber"); got != want {
				t.Errorf("%s: %q, want %q", id, got, want)
			}
		}
	})
	t.Run("what an older program changes meanwhile is not lost", func(t *testing.T) {
		store, err := docstore.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		connect := func(started func()) *mongo.Client {
			c, err := mongo.Connect(options.Client().ApplyURI("mongodb://embedded").SetDialer(store.Dialer()).SetMonitor(&event.CommandMonitor{
				Started: func(_ context.Context, e *event.CommandStartedEvent) {
					if e.CommandName == "update" && started != nil {
						started()
					}
				},
			}))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		other := migrate.Store{DB: connect(nil).Database("test"), Seal: modeltest.Sealer(t)}
		times := 0
		ours := migrate.Store{Seal: modeltest.Sealer(t), DB: connect(func() {
			if times++; times > 3 {
				return
			}
			_, err := other.DB.Collection("units").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: "x1"}}, bson.D{
				{Key: "$set", Value: bson.D{{Key: "address", Value: fmt.Sprint("新　址", times)}}}, {Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}},
			})
			if err != nil {
				t.Error(err)
			}
		}).Database("test")}
		t.Cleanup(func() {
			ctx := context.Background()
			if err := errors.Join(ours.DB.Client().Disconnect(ctx), other.DB.Client().Disconnect(ctx), store.Close()); err != nil {
				t.Error(err)
			}
		})
		put(t, other, "units", bson.D{{Key: "_id", Value: "x1"}, {Key: "version", Value: int64(1)}, {Key: "unitName", Value: "示范　公司"}, {Key: "address", Value: "旧址"}})
		if err := normalize(t, ours); err != nil {
			t.Fatal(err)
		}
		if name, address := text(t, other, "units", "x1", "unitName"), text(t, other, "units", "x1", "address"); name != "示范公司" || address != "新址3" {
			t.Errorf("%q at %q", name, address)
		}
	})
	t.Run("a sealed field that does not open stays as it is, and the others go on", func(t *testing.T) {
		s := migrate.Store{DB: modeltest.DB(t), Seal: modeltest.Sealer(t)}
		damaged := strings.Repeat("A", 60)
		put(t, s, "users", bson.D{{Key: "_id", Value: "u1"}, {Key: "version", Value: int64(1)}, {Key: "realName", Value: "张　三"}, {Key: "phone", Value: damaged}})
		if err := normalize(t, s); err != nil || text(t, s, "users", "u1", "phone") != damaged || text(t, s, "users", "u1", "realName") != "张三" {
			t.Errorf("%v, %q", err, text(t, s, "users", "u1", "phone"))
		}
	})
}
