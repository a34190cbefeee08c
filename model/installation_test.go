package model_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
)

func sealer(t *testing.T, secret string) *model.Sealer {
	t.Helper()
	s, err := model.NewSealer([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheckKey(t *testing.T) {
	right, wrong := sealer(t, "the right key, of 32 bytes and more"), sealer(t, "another key, of 32 bytes and more")
	t.Run("the first start notes the key, and no other opens the store again", func(t *testing.T) {
		db := modeltest.DB(t)
		for range 2 {
			if err := model.CheckKey(t.Context(), db, right); err != nil {
				t.Fatal(err)
			}
		}
		if err := model.CheckKey(t.Context(), db, wrong); !errors.Is(err, model.ErrOtherKey) {
			t.Fatal(err)
		}
	})
	t.Run("of first starts at once with different keys, those with one key go on", func(t *testing.T) {
		db := modeltest.DB(t)
		var all sync.WaitGroup
		var errs [8]error
		for i := range errs {
			all.Go(func() { errs[i] = model.CheckKey(t.Context(), db, []*model.Sealer{right, wrong}[i%2]) })
		}
		all.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("%v beside %v", errs[0], errs[1])
		}
		for i, err := range errs {
			if err != nil && !errors.Is(err, model.ErrOtherKey) || (err == nil) != (errs[i%2] == nil) {
				t.Fatal(i, err)
			}
		}
	})
	t.Run("documents from before there was a note prove the key", func(t *testing.T) {
		refused := func(t *testing.T, collection string, doc any) {
			t.Helper()
			db := modeltest.DB(t)
			if _, err := db.Collection(collection).InsertOne(t.Context(), doc); err != nil {
				t.Fatal(err)
			}
			if err := model.CheckKey(t.Context(), db, wrong); !errors.Is(err, model.ErrOtherKey) {
				t.Fatal(err)
			}
			if n, err := db.Collection("installation").CountDocuments(t.Context(), bson.D{}); n != 0 || err != nil {
				t.Fatal("a refused key is noted", n, err)
			}
			if err := model.CheckKey(t.Context(), db, right); err != nil {
				t.Fatal(err)
			}
		}
		m := &model.Member{Base: model.Base{ID: "m"}, IDNumber: "110101199001010011"}
		right.Close(m)
		refused(t, "members", m)
		refused(t, "auditEntries", model.Link(nil, func(int64) string { return "000000000001" }, &model.AuditFact{ID: "f", At: time.Now()}, right))
	})
}
