package records_test

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Card is a document with a number that is not declared personal.
type Card struct {
	model.Base `bson:",inline"`
	Phone      string `bson:"phone" json:"phone" record:"label=电话,type=phone"`
}

// TestMisspelt: a declaration that names what there is not does not start.
func TestMisspelt(t *testing.T) {
	db, clock := modeltest.DB(t), &kit.Clock{}
	books := model.NewCollection[*Book](db, "books", clock.Now)
	config := records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t)}
	for name, c := range map[string]struct {
		spoil func(*records.Type[*Book])
		says  string
	}{
		"a type of field":       {func(b *records.Type[*Book]) { b.Fields = []records.Field{{Key: "title", Type: "strnig"}} }, "title has the type strnig"},
		"a unique key":          {func(b *records.Type[*Book]) { b.Unique[0].Keys = []string{"orgID", "title"} }, "unique key orgID"},
		"a unique key's bounds": {func(b *records.Type[*Book]) { b.Unique[0].Partial = bson.D{{Key: "sate", Value: "x"}} }, "unique key sate"},
		"a unique key's field":  {func(b *records.Type[*Book]) { b.Unique[0].Field = "tilte" }, "tilte is no field"},
		"the name":              {func(b *records.Type[*Book]) { b.NameKey = "name" }, "its name name"},
		"the order":             {func(b *records.Type[*Book]) { b.DefaultSort = "-boughtOn" }, "sorted by boughtOn"},
		"a neighbour":           {func(b *records.Type[*Book]) { b.Fields = []records.Field{{Key: "ghost", After: "tilte"}} }, "after tilte"},
		"what shows a field": {func(b *records.Type[*Book]) {
			b.Fields = []records.Field{{Key: "ghost", ShowIf: &records.ShowIf{Field: "stat", In: []string{"x"}}}}
		}, "stat is no field"},
		"the value that shows it": {func(b *records.Type[*Book]) {
			b.Fields = []records.Field{{Key: "ghost", ShowIf: &records.ShowIf{Field: "state", In: []string{"waiting"}}}}
		}, "waiting of state"},
		"an import column":         {func(b *records.Type[*Book]) { b.Columns = []string{"titel"} }, "titel is no field"},
		"an export column":         {func(b *records.Type[*Book]) { b.Exports = []string{"titel"} }, "titel is no field"},
		"a member's field":         {func(b *records.Type[*Book]) { b.Own.Form = []string{"titel"} }, "titel is no field"},
		"a member's action":        {func(b *records.Type[*Book]) { b.Own.Actions = []string{"lent"} }, "own action lent"},
		"an action's ref":          {func(b *records.Type[*Book]) { b.Actions[0].Fields[0].Ref = "reader" }, "ref reader"},
		"an action's type":         {func(b *records.Type[*Book]) { b.Actions[0].Fields[0].Type = "strnig" }, "reader has the type strnig"},
		"the same action":          {func(b *records.Type[*Book]) { b.Actions = append(b.Actions, b.Actions[0]) }, "lend stands twice"},
		"a choice without options": {func(b *records.Type[*Book]) { b.Fields = []records.Field{{Key: "title", Type: "enum"}} }, "title has no options"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bookType(books, func() error { return nil })
			c.spoil(b)
			_, err := records.New(t.Context(), config, records.Categories(db, clock, "shelf", "书架", "", ""), b)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "record type book") {
				t.Fatalf("got %v, want %q", err, c.says)
			}
		})
	}
	t.Run("PLUS-30 a phone that is neither personal nor public, and personal fields without a key", func(t *testing.T) {
		card := &records.Type[*Card]{Name: "card", Title: "卡", Collection: model.NewCollection[*Card](db, "cards", clock.Now)}
		if _, err := records.New(t.Context(), config, card); err == nil || !strings.Contains(err.Error(), "neither personal nor public") {
			t.Fatal(err)
		}
		contact := &records.Type[*model.MemberContact]{
			Name: "contact", Title: "联系人", Collection: model.NewCollection[*model.MemberContact](db, "contacts", clock.Now),
			Fields: []records.Field{{Key: "memberId", Label: "党员"}},
		}
		bare := config
		bare.Seal = nil
		bare.Refs = map[string]records.Ref{"member": {}}
		if _, err := records.New(t.Context(), bare, contact); err == nil || !strings.Contains(err.Error(), "need Config.Seal") {
			t.Fatal(err)
		}
	})
}
