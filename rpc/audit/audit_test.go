package audit_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/audit"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/trail"
)

func open(t *testing.T, db *mongo.Database) *audit.Service {
	t.Helper()
	s, err := audit.New(audit.Deps{DB: db, Clock: &kit.Clock{}, Seal: modeltest.Sealer(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// fact is the fact of an id, the same whenever it is told.
func fact(id string) model.AuditFact {
	return model.AuditFact{
		ID: id, At: time.UnixMilli(1_790_000_000_000), UserID: "u", UserName: "张三", OrgID: "root", Orgs: []string{"root"}, Action: model.AuditUpdate,
		Changes: []model.AuditChange{{Field: "name", Label: "姓名", Old: "甲", New: "乙"}},
	}
}

func events(ids ...string) *recordsgen.Events {
	out := &recordsgen.Events{}
	for _, id := range ids {
		e := trail.Event(fact(id))
		out.Events = append(out.Events, &recordsgen.Event{Id: e.ID, Kind: e.Kind, OrgId: e.OrgID, At: e.At.UnixMilli(), Payload: e.Payload})
	}
	return out
}

func hand(t *testing.T, s *audit.Service, ids ...string) {
	t.Helper()
	h, err := s.HandleEvents(kit.AsSystem(t.Context()), events(ids...))
	if err != nil || len(h.Refused) > 0 {
		t.Fatal(err, h)
	}
}

// verify expects the first broken entry, 0 for none, and the number of whole ones before it.
func verify(t *testing.T, s *audit.Service, broken, count int64) {
	t.Helper()
	v, err := s.VerifyChain(kit.AsSystem(t.Context()), &recordsgen.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Intact != (broken == 0) || v.BrokenAt != broken || v.Count != count || (v.Reason == "") != v.Intact {
		t.Fatalf("%+v, expected the first broken entry to be %d after %d", v, broken, count)
	}
}

func TestChain(t *testing.T) {
	s := open(t, modeltest.DB(t))
	verify(t, s, 0, 0)
	hand(t, s, "a", "b")
	hand(t, s, "b", "c", "c", "a") // told again
	verify(t, s, 0, 3)
	door := auditsvc.Wrap(kit.NewLocal(func(k server.Server) error { return auditsvc.RegisterService(k, s) }))
	if _, err := door.HandleEvents(t.Context(), events("d")); err == nil {
		t.Fatal("anybody appends")
	}
	if _, err := s.VerifyChain(t.Context(), &recordsgen.Empty{}); err == nil {
		t.Fatal("a visitor verifies")
	}
}

// Two processes, each with appenders of its own, tell overlapping facts: each is there once
// and the chain has no fork and no gap.
func TestAppendersDoNotForkTheChain(t *testing.T) {
	db := modeltest.DB(t)
	services := []*audit.Service{open(t, db), open(t, db), open(t, db)}
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for i := range 12 {
		wg.Go(func() {
			for j := range 10 {
				n := (i/2*10 + j) * 3 // every two appenders tell the same
				if _, err := services[i%3].HandleEvents(kit.AsSystem(t.Context()), events(fmt.Sprint(n), fmt.Sprint(n+1), fmt.Sprint(n+2))); err != nil {
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	verify(t, services[0], 0, 180)
}

func TestInbox(t *testing.T) {
	db := modeltest.DB(t)
	s, twin := open(t, db), open(t, db)
	for i := range 1200 {
		if err := trail.Note(t.Context(), db, fact(fmt.Sprintf("n%04d", i%1100))); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for _, x := range []*audit.Service{s, twin} {
		wg.Go(func() {
			if _, err := x.Gather(kit.AsSystem(t.Context()), &recordsgen.Empty{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	verify(t, s, 0, 1100)
	// Appended, but not yet taken out of the inbox when the process died.
	if err := trail.Note(t.Context(), db, fact("n0007")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Gather(kit.AsSystem(t.Context()), &recordsgen.Empty{}); err != nil {
		t.Fatal(err)
	}
	verify(t, s, 0, 1100)
	if n, err := db.Collection(model.AuditInbox).CountDocuments(t.Context(), bson.D{}); err != nil || n != 0 {
		t.Fatal(n, err)
	}
}

func TestTamperingShows(t *testing.T) {
	set := func(key string, value any) bson.D {
		return bson.D{{Key: "$set", Value: bson.D{{Key: key, Value: value}}}}
	}
	for name, update := range map[string]bson.D{
		"a name":         set("userName", "李四"),
		"a time":         set("at", time.UnixMilli(1_790_000_000_001)),
		"a new value":    set("changes.0.new", "丙"),
		"a place":        set("orgs", bson.A{"other"}),
		"an address":     set("ip", "1.2.3.4"),
		"its hash":       set("hash", "0"),
		"the one before": set("prevHash", "0"),
		"a deletion":     set("deleted", true),
		"its number":     set("seq", 9),
	} {
		t.Run("PLUS-31 changed: "+name, func(t *testing.T) {
			db := modeltest.DB(t)
			s := open(t, db)
			hand(t, s, "a", "b", "c", "d")
			r, err := db.Collection("auditEntries").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: "000000000003"}}, update)
			if err != nil || r.ModifiedCount != 1 {
				t.Fatal(r, err)
			}
			verify(t, s, 3, 2)
		})
	}
	t.Run("PLUS-31 an added entry", func(t *testing.T) {
		db := modeltest.DB(t)
		s := open(t, db)
		hand(t, s, "a", "b", "c")
		var e model.AuditEntry
		if err := db.Collection("auditEntries").FindOne(t.Context(), bson.D{{Key: "_id", Value: "000000000003"}}).Decode(&e); err != nil {
			t.Fatal(err)
		}
		e.PrevHash, e.ID, e.Seq, e.Source, e.UserName = e.Hash, "000000000004", 4, "made up", "李四"
		if _, err := db.Collection("auditEntries").InsertOne(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		verify(t, s, 4, 3)
	})
	t.Run("PLUS-31 a removed entry", func(t *testing.T) {
		db := modeltest.DB(t)
		s := open(t, db)
		hand(t, s, "a", "b", "c")
		if _, err := db.Collection("auditEntries").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: "000000000002"}}); err != nil {
			t.Fatal(err)
		}
		verify(t, s, 2, 1)
	})
	t.Run("an entry made anew with a hash that fits", func(t *testing.T) {
		db := modeltest.DB(t)
		s := open(t, db)
		hand(t, s, "a", "b", "c")
		var e model.AuditEntry
		if err := db.Collection("auditEntries").FindOne(t.Context(), bson.D{{Key: "_id", Value: "000000000002"}}).Decode(&e); err != nil {
			t.Fatal(err)
		}
		e.UserName = "李四"
		e.Hash = e.Sum(modeltest.Sealer(t))
		if _, err := db.Collection("auditEntries").ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: e.ID}}, e); err != nil {
			t.Fatal(err)
		}
		verify(t, s, 3, 2) // the next one tells
	})
	t.Run("a whole chain made anew without the key", func(t *testing.T) {
		db := modeltest.DB(t)
		s := open(t, db)
		hand(t, s, "a", "b", "c")
		other, err := model.NewSealer([]byte("what a thief of the database makes up"))
		if err != nil {
			t.Fatal(err)
		}
		cur, err := db.Collection("auditEntries").Find(t.Context(), bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
		if err != nil {
			t.Fatal(err)
		}
		var all []*model.AuditEntry
		if err := cur.All(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		before := ""
		for _, e := range all {
			e.UserName, e.PrevHash = "李四", before
			e.Hash = e.Sum(other)
			before = e.Hash
			if _, err := db.Collection("auditEntries").ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: e.ID}}, e); err != nil {
				t.Fatal(err)
			}
		}
		verify(t, s, 1, 0)
	})
}
