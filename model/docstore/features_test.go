package docstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// js reads extended JSON: the cases below are easier to read that way.
func js(t testing.TB, s string) bson.D {
	t.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(s), false, &d); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return d
}

func jsList(t testing.TB, s string) bson.A {
	t.Helper()
	return js(t, `{"a":`+s+`}`)[0].Value.(bson.A)
}

func jsText(t testing.TB, d any) string {
	t.Helper()
	b, err := bson.MarshalExtJSON(d, false, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// all is a result as one line of JSON.
func all(t testing.TB, cur *mongo.Cursor, err error) string {
	t.Helper()
	if err != nil {
		return failure(err)
	}
	var out []bson.D
	if err := cur.All(context.Background(), &out); err != nil {
		return failure(err)
	}
	var s []string
	for _, d := range out {
		s = append(s, jsText(t, d))
	}
	return strings.Join(s, " ")
}

// failure shows an error by its code.
func failure(err error) string {
	var se mongo.ServerError
	if !errors.As(err, &se) {
		return fmt.Sprint(err)
	}
	return fmt.Sprint("code ", se.ErrorCodes())
}

func TestMongoUpdates(t *testing.T) {
	c := server(t, "").Collection("c")
	ctx := context.Background()
	for _, x := range []struct{ name, doc, filter, update, filters, want string }{
		{"set", `{"_id":1}`, `{}`, `{"$set":{"b":1,"a.c":2}}`, ``, `{"_id":1,"a":{"c":2},"b":1}`},
		{"set index", `{"_id":1,"a":[1]}`, `{}`, `{"$set":{"a.2":3}}`, ``, `{"_id":1,"a":[1,null,3]}`},
		{"set through scalar", `{"_id":1,"a":5}`, `{}`, `{"$set":{"a.b":3}}`, ``, `code [28]`},
		{"unset", `{"_id":1,"a":[1,2],"b":1}`, `{}`, `{"$unset":{"a.0":1,"b":1,"zz.y":1}}`, ``, `{"_id":1,"a":[null,2]}`},
		{"inc grows", `{"_id":1,"a":2147483647}`, `{}`, `{"$inc":{"a":1,"n.m":5}}`, ``, `{"_id":1,"a":2147483648,"n":{"m":5}}`},
		{"inc overflow", `{"_id":1,"a":9223372036854775807}`, `{}`, `{"$inc":{"a":1}}`, ``, `code [2]`},
		{"inc text", `{"_id":1,"a":"x"}`, `{}`, `{"$inc":{"a":1}}`, ``, `code [14]`},
		{"mul missing", `{"_id":1}`, `{}`, `{"$mul":{"a":5}}`, ``, `{"_id":1,"a":0}`},
		{"min max", `{"_id":1,"a":5,"b":5}`, `{}`, `{"$min":{"a":3,"b":9},"$max":{"c":1}}`, ``, `{"_id":1,"a":3,"b":5,"c":1}`},
		{"rename", `{"_id":1,"a":{"b":7},"c":1}`, `{}`, `{"$rename":{"a.b":"d.e","zz":"y"}}`, ``, `{"_id":1,"a":{},"c":1,"d":{"e":7}}`},
		{"push each sort slice", `{"_id":1,"a":[{"n":5}]}`, `{}`, `{"$push":{"a":{"$each":[{"n":2},{"n":9}],"$sort":{"n":-1},"$slice":2}}}`, ``, `{"_id":1,"a":[{"n":9},{"n":5}]}`},
		{"push position", `{"_id":1,"a":[1,2]}`, `{}`, `{"$push":{"a":{"$each":[7],"$position":-1}}}`, ``, `{"_id":1,"a":[1,7,2]}`},
		{"push on scalar", `{"_id":1,"a":5}`, `{}`, `{"$push":{"a":1}}`, ``, `code [2]`},
		{"addToSet", `{"_id":1,"a":[1]}`, `{}`, `{"$addToSet":{"a":{"$each":[1,2,2]}}}`, ``, `{"_id":1,"a":[1,2]}`},
		{"pull value", `{"_id":1,"a":["x","y"]}`, `{}`, `{"$pull":{"a":"x"}}`, ``, `{"_id":1,"a":["y"]}`},
		{"pull condition", `{"_id":1,"a":[{"p":1,"q":2},{"p":2}]}`, `{}`, `{"$pull":{"a":{"p":{"$gte":2}}}}`, ``, `{"_id":1,"a":[{"p":1,"q":2}]}`},
		{"pull operators", `{"_id":1,"a":[1,5,9]}`, `{}`, `{"$pull":{"a":{"$in":[1,9]}}}`, ``, `{"_id":1,"a":[5]}`},
		{"pullAll pop", `{"_id":1,"a":[1,2,1],"b":[1,2]}`, `{}`, `{"$pullAll":{"a":[1]},"$pop":{"b":-1}}`, ``, `{"_id":1,"a":[2],"b":[2]}`},
		{"bit", `{"_id":1,"a":5}`, `{}`, `{"$bit":{"a":{"and":4,"xor":1}}}`, ``, `{"_id":1,"a":5}`},
		{"positional", `{"_id":1,"a":[{"k":1},{"k":2}]}`, `{"a.k":2}`, `{"$set":{"a.$.v":9}}`, ``, `{"_id":1,"a":[{"k":1},{"k":2,"v":9}]}`},
		{"positional elemMatch", `{"_id":1,"a":[{"k":1,"n":1},{"k":1,"n":2}]}`, `{"a":{"$elemMatch":{"k":1,"n":2}}}`, `{"$inc":{"a.$.n":5}}`, ``, `{"_id":1,"a":[{"k":1,"n":1},{"k":1,"n":7}]}`},
		{"positional without match", `{"_id":1,"a":[1]}`, `{"_id":1}`, `{"$set":{"a.$":9}}`, ``, `code [2]`},
		{"all positional", `{"_id":1,"a":[{"v":1},{"v":2}]}`, `{}`, `{"$inc":{"a.$[].v":1}}`, ``, `{"_id":1,"a":[{"v":2},{"v":3}]}`},
		{"array filters", `{"_id":1,"a":[{"k":1},{"k":2},{"k":3}]}`, `{}`, `{"$set":{"a.$[e].v":0}}`, `[{"e.k":{"$gte":2}}]`, `{"_id":1,"a":[{"k":1},{"k":2,"v":0},{"k":3,"v":0}]}`},
		{"array filter unused", `{"_id":1}`, `{}`, `{"$set":{"b":0}}`, `[{"e.k":1}]`, `code [9]`},
		{"conflict", `{"_id":1}`, `{}`, `{"$set":{"a":1},"$inc":{"a.b":1}}`, ``, `code [40]`},
		{"id is immutable", `{"_id":1}`, `{}`, `{"$set":{"_id":2}}`, ``, `code [66]`},
		{"unknown operator", `{"_id":1}`, `{}`, `{"$frob":{"a":2}}`, ``, `code [9]`},
		{"empty name", `{"_id":1}`, `{}`, `{"$set":{"a..b":2}}`, ``, `code [56]`},
		{"decimal", `{"_id":1,"a":{"$numberDecimal":"0.1"}}`, `{}`, `{"$inc":{"a":{"$numberDecimal":"0.2"}}}`, ``, `{"_id":1,"a":{"$numberDecimal":"0.3"}}`},
	} {
		t.Run(x.name, func(t *testing.T) {
			if err := c.Drop(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := c.InsertOne(ctx, js(t, x.doc)); err != nil {
				t.Fatal(err)
			}
			o := options.UpdateOne()
			if x.filters != "" {
				o.SetArrayFilters(jsList(t, x.filters))
			}
			_, err := c.UpdateOne(ctx, js(t, x.filter), js(t, x.update), o)
			got := failure(err)
			if err == nil {
				cur, err := c.Find(ctx, bson.D{})
				got = all(t, cur, err)
			}
			if got != x.want {
				t.Errorf("got %s, want %s", got, x.want)
			}
		})
	}
}

func TestMongoUpserts(t *testing.T) {
	c := server(t, "").Collection("c")
	ctx := context.Background()
	r, err := c.UpdateOne(ctx, js(t, `{"_id":7,"a.b":{"$eq":2},"n":{"$gt":4},"$and":[{"z":"q"}]}`), js(t, `{"$setOnInsert":{"s":1},"$inc":{"c":2}}`), options.UpdateOne().SetUpsert(true))
	if err != nil || r.UpsertedID != int32(7) || r.MatchedCount != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	cur, err := c.Find(ctx, bson.D{})
	if got, want := all(t, cur, err), `{"_id":7,"a":{"b":2},"z":"q","c":2,"s":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := c.ReplaceOne(ctx, js(t, `{"_id":8}`), js(t, `{"x":1}`), options.Replace().SetUpsert(true)); err != nil {
		t.Fatal(err)
	}
	cur, err = c.Find(ctx, js(t, `{"_id":8}`))
	if got, want := all(t, cur, err), `{"_id":8,"x":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// queryDocs are few but odd: what a filter finds is listed by _id.
const queryDocs = `[
	{"_id":1,"n":5,"s":"abc","a":[1,10],"d":{"x":1,"y":2}},
	{"_id":2,"n":5.0,"s":"abd","a":[],"d":{"y":2,"x":1}},
	{"_id":3,"n":"5","a":[[1,2],3],"d":[{"x":1},{"x":2,"y":3}]},
	{"_id":4,"n":null,"s":"Abc\n","d":[{"y":3},{"x":2}]},
	{"_id":5,"a":5,"d":7,"t":{"$date":"2026-01-02T03:04:05Z"}},
	{"_id":6,"n":{"$numberDecimal":"5.5"},"a":[5,{"x":5}],"s":["abz","q"]}]`

func TestMongoQueries(t *testing.T) {
	db := server(t, "")
	ctx := context.Background()
	for _, indexed := range []bool{false, true} {
		c := db.Collection(fmt.Sprint("c", indexed))
		if _, err := c.InsertMany(ctx, jsList(t, queryDocs)); err != nil {
			t.Fatal(err)
		}
		if indexed {
			for _, k := range []string{"n", "s", "a", "d.x", "d", "a.x"} {
				if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: k, Value: 1}}}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "d.x", Value: -1}, {Key: "d.y", Value: 1}}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, x := range []struct{ filter, want string }{
			{`{"n":5}`, "1 2"}, {`{"n":"5"}`, "3"}, {`{"n":null}`, "4 5"}, {`{"n":{"$ne":null}}`, "1 2 3 6"},
			{`{"n":{"$gt":5}}`, "6"}, {`{"n":{"$lte":5.5}}`, "1 2 6"}, {`{"n":{"$gte":null}}`, "4 5"}, {`{"n":{"$gt":{"$minKey":1}}}`, "1 2 3 4 5 6"}, {`{"zz":{"$lt":{"$maxKey":1}}}`, "1 2 3 4 5 6"}, {`{"n":{"$lt":{"$minKey":1}}}`, ""},
			{`{"n":{"$in":[5,null]}}`, "1 2 4 5"}, {`{"n":{"$nin":[5]}}`, "3 4 5 6"}, {`{"n":{"$not":{"$gt":5}}}`, "1 2 3 4 5"},
			{`{"n":{"$type":"number"}}`, "1 2 6"}, {`{"n":{"$exists":false}}`, "5"}, {`{"n":{"$exists":true},"s":null}`, "3"},
			{`{"s":{"$regex":"^ab"}}`, "1 2 6"}, {`{"s":{"$regex":"^ABC$","$options":"i"}}`, "1 4"}, {`{"s":{"$not":{"$regex":"^a"}}}`, "3 4 5"},
			{`{"s":{"$in":[{"$regularExpression":{"pattern":"z$","options":""}},"abc"]}}`, "1 6"}, {`{"s":{"$gte":"abd","$lt":"b"}}`, "2 6"},
			{`{"a":1}`, "1"}, {`{"a":[1,10]}`, "1"}, {`{"a":[]}`, "2"}, {`{"a":[1,2]}`, "3"}, {`{"a":{"$size":2}}`, "1 3 6"}, {`{"a.0":5}`, "6"}, {`{"a.0.1":2}`, "3"},
			{`{"a":{"$gt":3,"$lt":8}}`, "1 5 6"}, {`{"a":{"$elemMatch":{"$gt":3,"$lt":8}}}`, "6"}, {`{"a":{"$all":[1,10]}}`, "1"}, {`{"a.x":5}`, "6"},
			{`{"a":{"$ne":5}}`, "1 2 3 4"}, {`{"a":{"$type":"array"}}`, "1 2 3 6"}, {`{"a":null}`, "4"}, {`{"a":{"$mod":[5,0]}}`, "1 5 6"},
			{`{"d":{"x":1,"y":2}}`, "1"}, {`{"d.x":1}`, "1 2 3"}, {`{"d.x":null}`, "4 5 6"}, {`{"d.x":2,"d.y":3}`, "3 4"}, {`{"d":{"$elemMatch":{"x":2,"y":3}}}`, "3"},
			{`{"d.x":{"$exists":false}}`, "5 6"}, {`{"d.1.x":2}`, "3 4"}, {`{"$or":[{"n":5},{"a":5}]}`, "1 2 5 6"}, {`{"$nor":[{"n":5},{"a":5}]}`, "3 4"},
			{`{"$and":[{"n":5},{"s":"abc"}]}`, "1"}, {`{"$expr":{"$eq":["$d.x",1]}}`, "1 2"}, {`{"$expr":{"$gt":["$n","$_id"]}}`, "1 2 3"},
			{`{"t":{"$gte":{"$date":"2026-01-01T00:00:00Z"}}}`, "5"}, {`{"_id":{"$in":[3,1,99,3]}}`, "1 3"}, {`{"_id":{"$gt":2,"$lt":5}}`, "3 4"},
			{`{"n":{"$bitsAllSet":[0,2]}}`, "1 2"}, {`{"zz":{"$in":[]}}`, ""}, {`{"n":5,"n":{"$lt":3}}`, ""},
			{`{"$frob":1}`, "code [2]"}, {`{"n":{"$frob":1}}`, "code [2]"}, {`{"$text":{"$search":"x"}}`, "code [27]"}, {`{"$or":[]}`, "code [2]"}, {`{"n":{"$in":5}}`, "code [2]"},
		} {
			cur, err := c.Find(ctx, js(t, x.filter), options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetProjection(bson.D{{Key: "_id", Value: 1}}))
			got := strings.NewReplacer(`{"_id":`, "", "}", "").Replace(all(t, cur, err))
			if got != x.want {
				t.Errorf("indexed %v: %s finds %s, want %s", indexed, x.filter, got, x.want)
			}
			if n, err := c.CountDocuments(ctx, js(t, x.filter)); err == nil && n != int64(len(strings.Fields(got))) {
				t.Errorf("indexed %v: %s counts %d, want %s", indexed, x.filter, n, x.want)
			}
		}
	}
}

func TestMongoSortsAndProjections(t *testing.T) {
	c := server(t, "").Collection("c")
	ctx := context.Background()
	if _, err := c.InsertMany(ctx, jsList(t, queryDocs)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ sort, projection, filter, want string }{
		{`{"n":1,"_id":-1}`, `{"_id":1}`, `{}`, `{"_id":5} {"_id":4} {"_id":2} {"_id":1} {"_id":6} {"_id":3}`},
		{`{"a":1,"_id":1}`, `{"_id":1}`, `{}`, `{"_id":2} {"_id":4} {"_id":1} {"_id":3} {"_id":5} {"_id":6}`},
		{`{"a":-1,"_id":1}`, `{"_id":1}`, `{}`, `{"_id":3} {"_id":6} {"_id":1} {"_id":5} {"_id":4} {"_id":2}`},
		{`{"_id":1}`, `{"d.x":1,"_id":0}`, `{"_id":{"$in":[1,3,5]}}`, `{"d":{"x":1}} {"d":[{"x":1},{"x":2}]} {}`},
		{`{"_id":1}`, `{"d.x":0,"a":0,"s":0,"n":0}`, `{"_id":{"$lte":3}}`, `{"_id":1,"d":{"y":2}} {"_id":2,"d":{"y":2}} {"_id":3,"d":[{},{"y":3}]}`},
		{`{"_id":1}`, `{"a":{"$slice":-1},"d":0,"s":0}`, `{"_id":1}`, `{"_id":1,"n":5,"a":[10]}`},
		{`{"_id":1}`, `{"a":{"$slice":[1,1]},"n":1}`, `{"_id":1}`, `{"_id":1,"n":5,"a":[10]}`},
		{`{"_id":1}`, `{"d":{"$elemMatch":{"y":3}}}`, `{"_id":{"$in":[3,4]}}`, `{"_id":3,"d":[{"x":2,"y":3}]} {"_id":4,"d":[{"y":3}]}`},
		{`{"_id":1}`, `{"d.$":1}`, `{"d.x":2}`, `{"_id":3,"d":[{"x":2,"y":3}]} {"_id":4,"d":[{"x":2}]}`},
		{`{"_id":1}`, `{"k":{"$concat":["$s","!"]},"m":"$d.y"}`, `{"_id":1}`, `{"_id":1,"k":"abc!","m":2}`},
		{`{"_id":1}`, `{"a":1,"d":0}`, `{}`, `code [31254]`},
		{`{"n":2}`, `{}`, `{}`, `code [15975]`},
	} {
		cur, err := c.Find(ctx, js(t, x.filter), options.Find().SetSort(js(t, x.sort)).SetProjection(js(t, x.projection)))
		if got := all(t, cur, err); got != x.want {
			t.Errorf("sort %s projection %s: got %s, want %s", x.sort, x.projection, got, x.want)
		}
	}
}

func TestMongoAggregate(t *testing.T) {
	db := server(t, "")
	c, ctx := db.Collection("c"), context.Background()
	docs := `[{"_id":1,"g":"a","n":1,"t":["x","y"],"at":{"$date":"2026-01-31T18:30:00Z"}},{"_id":2,"g":"b","n":2.5,"t":[],"at":{"$date":"2026-02-01T00:00:00Z"}},{"_id":3,"g":"a","n":4}]`
	if _, err := c.InsertMany(ctx, jsList(t, docs)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ pipeline, want string }{
		{`[{"$group":{"_id":"$g","s":{"$sum":"$n"},"m":{"$avg":"$n"},"lo":{"$min":"$n"},"hi":{"$max":"$n"},"f":{"$first":"$_id"},"l":{"$last":"$_id"},"p":{"$push":"$n"},"c":{"$sum":1}}},{"$sort":{"_id":1}}]`,
			`{"_id":"a","s":5,"m":2.5,"lo":1,"hi":4,"f":1,"l":3,"p":[1,4],"c":2} {"_id":"b","s":2.5,"m":2.5,"lo":2.5,"hi":2.5,"f":2,"l":2,"p":[2.5],"c":1}`},
		{`[{"$match":{"n":{"$gte":2}}},{"$sort":{"n":-1}},{"$skip":1},{"$limit":1},{"$project":{"n":1}}]`, `{"_id":2,"n":2.5}`},
		{`[{"$unwind":"$t"},{"$group":{"_id":"$t","c":{"$sum":1}}},{"$sort":{"_id":1}}]`, `{"_id":"x","c":1} {"_id":"y","c":1}`},
		{`[{"$unwind":{"path":"$t","preserveNullAndEmptyArrays":true,"includeArrayIndex":"i"}},{"$project":{"t":1,"i":1}}]`, `{"_id":1,"t":"x","i":0} {"_id":1,"t":"y","i":1} {"_id":2,"i":null} {"_id":3,"i":null}`},
		{`[{"$count":"k"}]`, `{"k":3}`}, {`[{"$match":{"g":"zz"}},{"$count":"k"}]`, ``},
		{`[{"$match":{"g":"a"}},{"$group":{"_id":1,"n":{"$sum":1}}}]`, `{"_id":1,"n":2}`},
		{`[{"$addFields":{"k":{"$cond":[{"$gt":["$n",2]},"big","small"]},"o.p":{"$add":["$n",1]}}},{"$project":{"k":1,"o":1}}]`, `{"_id":1,"k":"small","o":{"p":2}} {"_id":2,"k":"big","o":{"p":3.5}} {"_id":3,"k":"big","o":{"p":5}}`},
		{`[{"$project":{"d":{"$dateToString":{"date":"$at","format":"%Y-%m-%d %H:%M","timezone":"Asia/Shanghai","onNull":"-"}}}}]`, `{"_id":1,"d":"2026-02-01 02:30"} {"_id":2,"d":"2026-02-01 08:00"} {"_id":3,"d":"-"}`},
		{`[{"$project":{"_id":0,"x":{"$divide":[{"$multiply":["$n",6]},4]},"y":{"$mod":[7,4]},"z":{"$subtract":[1,"$n"]},"r":{"$round":[2.345,1]}}},{"$limit":1}]`, `{"x":1.5,"y":3,"z":0,"r":2.3}`},
		{`[{"$sortByCount":"$g"}]`, `{"_id":"a","count":2} {"_id":"b","count":1}`},
		{`[{"$match":{"_id":1}},{"$lookup":{"from":"c","localField":"g","foreignField":"g","as":"j"}},{"$project":{"j._id":1}}]`, `{"_id":1,"j":[{"_id":1},{"_id":3}]}`},
		{`[{"$replaceRoot":{"newRoot":{"q":"$g"}}},{"$limit":1}]`, `{"q":"a"}`},
		{`[{"$project":{"k":{"$map":{"input":"$t","as":"e","in":{"$concat":["$$e","$g"]}}},"f":{"$filter":{"input":"$t","as":"e","cond":{"$eq":["$$e","x"]}}}}},{"$limit":1}]`, `{"_id":1,"k":["xa","ya"],"f":["x"]}`},
		{`[{"$group":{"_id":null,"v":{"$sum":{"$cond":[{"$eq":["$g","a"]},"$n",0]}}}}]`, `{"_id":null,"v":5}`},
		{`[{"$facet":{"a":[{"$count":"c"}],"b":[{"$match":{"g":"b"}},{"$project":{"_id":1}}]}}]`, `{"a":[{"c":3}],"b":[{"_id":2}]}`},
		{`[{"$frob":1}]`, `code [40324]`}, {`[{"$limit":0}]`, `code [15958]`},
	} {
		cur, err := c.Aggregate(ctx, jsList(t, x.pipeline))
		if got := all(t, cur, err); got != x.want {
			t.Errorf("%s\n got  %s\n want %s", x.pipeline, got, x.want)
		}
	}
}

func TestExplain(t *testing.T) {
	db := connect(t, open(t, "")).Database("d")
	c, ctx := db.Collection("c"), context.Background()
	for i := range 100 {
		if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: i}, {Key: "g", Value: i % 10}, {Key: "n", Value: i}, {Key: "s", Value: fmt.Sprintf("s%02d", i)}, {Key: "x", Value: bson.D{{Key: "y", Value: i}}}, {Key: "on", Value: i%2 == 0}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Indexes().CreateMany(ctx, []mongo.IndexModel{
		{Keys: bson.D{{Key: "g", Value: 1}, {Key: "n", Value: -1}}}, {Keys: bson.D{{Key: "s", Value: 1}}, Options: options.Index().SetUnique(true)},
		{Keys: bson.D{{Key: "x.y", Value: 1}}, Options: options.Index().SetPartialFilterExpression(bson.D{{Key: "on", Value: true}})},
	}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		find, stage, index string
		docs               int32
	}{
		{`{"filter":{"_id":5}}`, "IDHACK", "_id_", 1},
		{`{"filter":{"g":3}}`, "IXSCAN", "g_1_n_-1", 10},
		{`{"filter":{"g":3,"n":{"$gt":50}}}`, "IXSCAN", "g_1_n_-1", 5},
		{`{"filter":{"g":3},"sort":{"n":-1},"limit":2}`, "IXSCAN", "g_1_n_-1", 2},
		{`{"filter":{"g":3},"sort":{"n":1},"limit":2}`, "IXSCAN", "g_1_n_-1", 2},
		{`{"filter":{"g":3},"sort":{"s":1}}`, "IXSCAN", "g_1_n_-1", 10},
		{`{"filter":{"s":{"$in":["s01","s05"]}}}`, "IXSCAN", "s_1", 2},
		{`{"filter":{"s":{"$regex":"^s1"}}}`, "IXSCAN", "s_1", 10},
		{`{"filter":{"s":{"$gte":"s10","$lt":"s12"}}}`, "IXSCAN", "s_1", 2},
		{`{"filter":{},"sort":{"s":-1},"limit":3}`, "IXSCAN", "s_1", 3},
		{`{"filter":{"x.y":4,"on":true}}`, "IXSCAN", "x.y_1", 1},
		{`{"filter":{"x.y":4}}`, "COLLSCAN", "", 100},
		{`{"filter":{"n":4}}`, "COLLSCAN", "", 100},
		{`{"filter":{"n":4},"hint":"g_1_n_-1"}`, "IXSCAN", "g_1_n_-1", 100},
		{`{"filter":{"$or":[{"g":3},{"s":"s00"}]}}`, "IXSCAN", "g_1_n_-1", 11},
	} {
		cmd := append(bson.D{{Key: "find", Value: "c"}}, js(t, x.find)...)
		var r bson.M
		if err := db.RunCommand(ctx, bson.D{{Key: "explain", Value: cmd}}).Decode(&r); err != nil {
			t.Errorf("%s: %v", x.find, err)
			continue
		}
		plan := jsText(t, r["queryPlanner"])
		docs := r["executionStats"].(bson.D)
		n := int32(-1)
		for _, e := range docs {
			if e.Key == "totalDocsExamined" {
				n = e.Value.(int32)
			}
		}
		if !strings.Contains(plan, `"stage":"`+x.stage+`"`) || x.index != "" && !strings.Contains(plan, `"indexName":"`+x.index+`"`) || n != x.docs {
			t.Errorf("%s: %d documents by %s, want %d by %s %s", x.find, n, plan, x.docs, x.stage, x.index)
		}
	}
}

func TestMongoUnique(t *testing.T) {
	db := server(t, "")
	c, ctx := db.Collection("c"), context.Background()
	if _, err := c.InsertMany(ctx, jsList(t, `[{"_id":1,"k":"a","m":[1,2]},{"_id":2,"k":"b","m":[3]},{"_id":3,"j":1},{"_id":4,"j":1}]`)); err != nil {
		t.Fatal(err)
	}
	unique := options.Index().SetUnique(true)
	if _, err := c.Indexes().CreateMany(ctx, []mongo.IndexModel{{Keys: bson.D{{Key: "k", Value: 1}}, Options: options.Index().SetUnique(true).SetSparse(true)}, {Keys: bson.D{{Key: "m", Value: 1}}, Options: options.Index().SetUnique(true).SetSparse(true)}}); err != nil {
		t.Fatal(err)
	}
	set := js(t, `{"$set":{"k":"a"}}`)
	for name, f := range map[string]func() error{
		"insert": func() error { _, err := c.InsertOne(ctx, js(t, `{"k":"a"}`)); return err },
		"update": func() error { _, err := c.UpdateOne(ctx, js(t, `{"_id":2}`), set); return err },
		"updateMany": func() error {
			_, err := c.UpdateMany(ctx, js(t, `{"_id":{"$gt":2}}`), js(t, `{"$set":{"k":"same"}}`))
			return err
		},
		"replace":       func() error { _, err := c.ReplaceOne(ctx, js(t, `{"_id":2}`), js(t, `{"k":"a"}`)); return err },
		"findAndModify": func() error { return c.FindOneAndUpdate(ctx, js(t, `{"_id":2}`), set).Err() },
		"upsert": func() error {
			_, err := c.UpdateOne(ctx, js(t, `{"_id":9}`), set, options.UpdateOne().SetUpsert(true))
			return err
		},
		"bulk": func() error {
			_, err := c.BulkWrite(ctx, []mongo.WriteModel{mongo.NewUpdateOneModel().SetFilter(js(t, `{"_id":2}`)).SetUpdate(set)})
			return err
		},
		"multikey": func() error { _, err := c.InsertOne(ctx, js(t, `{"m":[7,2]}`)); return err },
		"index build": func() error {
			_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "j", Value: 1}}, Options: unique})
			return err
		},
	} {
		if err := f(); !mongo.IsDuplicateKeyError(err) {
			t.Errorf("%s: %v, want code 11000", name, err)
		}
	}
	var r bson.M
	if err := db.RunCommand(ctx, bson.D{{Key: "validate", Value: "c"}}).Decode(&r); err != nil || r["valid"] != true {
		t.Errorf("validate: %v, %v", r, err)
	}
}

// TestDuplicateKey reads the error of a taken key, whose text is MongoDB's.
func TestDuplicateKey(t *testing.T) {
	c, ctx := connect(t, open(t, "")).Database("d").Collection("c"), context.Background()
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "k", Value: 1}}, Options: options.Index().SetUnique(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertOne(ctx, js(t, `{"k":"a"}`)); err != nil {
		t.Fatal(err)
	}
	_, err := c.InsertOne(ctx, js(t, `{"k":"a"}`))
	if want := `E11000 duplicate key error collection: d.c index: k_1 dup key: { k: "a" }`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	var we mongo.WriteException
	if !errors.As(err, &we) || !strings.Contains(we.WriteErrors[0].Raw.String(), `"keyValue": {"k": "a"}`) {
		t.Errorf("no keyValue in %+v", err)
	}
}

func TestTTL(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, t.TempDir(), WithClock(func() time.Time { return now }), WithTTLInterval(time.Hour))
	c, ctx := connect(t, s).Database("d").Collection("c"), context.Background()
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "at", Value: 1}}, Options: options.Index().SetExpireAfterSeconds(60)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertMany(ctx, []any{bson.D{{Key: "_id", Value: 1}, {Key: "at", Value: now}}, bson.D{{Key: "_id", Value: 2}, {Key: "at", Value: "text"}}, bson.D{{Key: "_id", Value: 3}, {Key: "at", Value: bson.A{now.Add(time.Hour), now.Add(time.Second)}}}}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		after time.Duration
		want  int64
	}{{59 * time.Second, 3}, {60 * time.Second, 2}, {61 * time.Second, 1}} {
		at := now
		now = now.Add(x.after)
		if err := s.Expire(); err != nil {
			t.Fatal(err)
		}
		if n, err := c.CountDocuments(ctx, bson.D{}); err != nil || n != x.want {
			t.Errorf("after %v: %d left, %v, want %d", x.after, n, err, x.want)
		}
		now = at
	}
}

// TestTTLPartial deletes only what is in the partial index.
func TestTTLPartial(t *testing.T) {
	s := open(t, "")
	c, ctx := connect(t, s).Database("d").Collection("c"), context.Background()
	if _, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "at", Value: 1}}, Options: options.Index().SetExpireAfterSeconds(0).SetPartialFilterExpression(bson.D{{Key: "done", Value: true}})}); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Hour)
	if _, err := c.InsertMany(ctx, []any{bson.D{{Key: "_id", Value: 1}, {Key: "at", Value: past}}, bson.D{{Key: "_id", Value: 2}, {Key: "at", Value: past}, {Key: "done", Value: true}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Expire(); err != nil {
		t.Fatal(err)
	}
	cur, err := c.Find(ctx, bson.D{}, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if got, want := all(t, cur, err), `{"_id":1}`; got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
}

func TestMongoGridFS(t *testing.T) {
	db, ctx := server(t, ""), context.Background()
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	b := db.GridFSBucket()
	id, err := b.UploadFromStream(ctx, "f", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.OpenDownloadStream(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// refused runs what must fail with a code of MongoDB's.
func refused(t *testing.T, cases map[string]refusal) {
	t.Helper()
	for name, x := range cases {
		t.Run(name, func(t *testing.T) {
			err := x.f()
			var se mongo.ServerError
			if !errors.As(err, &se) || !se.HasErrorCode(x.code) {
				t.Errorf("%v, want code %d", err, x.code)
			}
		})
	}
}

type refusal struct {
	f    func() error
	code int
}

func TestMongoErrors(t *testing.T) {
	db, ctx := server(t, ""), context.Background()
	c, big := db.Collection("c"), db.Collection("big")
	if _, err := c.InsertOne(ctx, id(1)); err != nil {
		t.Fatal(err)
	}
	docs := make([]any, 20000)
	for i := range docs {
		docs[i] = bson.D{{Key: "x", Value: strings.Repeat("y", 50)}}
	}
	if _, err := big.InsertMany(ctx, docs); err != nil {
		t.Fatal(err)
	}
	slow := bson.D{{Key: "$expr", Value: bson.D{{Key: "$eq", Value: bson.A{bson.D{{Key: "$toUpper", Value: bson.D{{Key: "$concat", Value: bson.A{"$x", "$x", "$x"}}}}}, "z"}}}}}
	refused(t, map[string]refusal{
		"unknown command":    {func() error { return db.RunCommand(ctx, bson.D{{Key: "frob", Value: 1}}).Err() }, 59},
		"_id array":          {func() error { _, err := c.InsertOne(ctx, id(bson.A{1})); return err }, 53},
		"bad hint":           {func() error { return c.FindOne(ctx, bson.D{}, options.FindOne().SetHint("zz")).Err() }, 2},
		"drop missing index": {func() error { return c.Indexes().DropOne(ctx, "zz") }, 27},
		"time limit": {func() error {
			return db.RunCommand(ctx, bson.D{{Key: "find", Value: "big"}, {Key: "filter", Value: slow}, {Key: "maxTimeMS", Value: 1}}).Err()
		}, 50},
		"time limit of a pipeline": {func() error {
			pipeline := bson.A{bson.D{{Key: "$limit", Value: 1 << 40}}, bson.D{{Key: "$match", Value: slow}}, bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$x"}}}}}
			return db.RunCommand(ctx, bson.D{{Key: "aggregate", Value: "big"}, {Key: "pipeline", Value: pipeline}, {Key: "cursor", Value: bson.D{}}, {Key: "maxTimeMS", Value: 1}}).Err()
		}, 50},
		"cursor": {func() error {
			return db.RunCommand(ctx, bson.D{{Key: "getMore", Value: int64(5)}, {Key: "collection", Value: "c"}}).Err()
		}, 43},
		"database name": {func() error {
			return db.Client().Database("a b").RunCommand(ctx, bson.D{{Key: "create", Value: "c"}}).Err()
		}, 73},
	})
}

// TestRefusals asks for what this server does not do, and for what MongoDB's versions refuse
// with different codes.
func TestRefusals(t *testing.T) {
	cl := connect(t, open(t, ""))
	db, ctx := cl.Database("d"), context.Background()
	c := db.Collection("c")
	if _, err := c.InsertMany(ctx, jsList(t, queryDocs)); err != nil {
		t.Fatal(err)
	}
	find := func(filter string) func() error { return func() error { return c.FindOne(ctx, js(t, filter)).Err() } }
	aggregate := func(pipeline string) func() error {
		return func() error { _, err := c.Aggregate(ctx, jsList(t, pipeline)); return err }
	}
	refused(t, map[string]refusal{
		"transaction": {func() error {
			return cl.UseSession(ctx, func(ctx context.Context) error {
				s := mongo.SessionFromContext(ctx)
				if err := s.StartTransaction(); err != nil {
					return err
				}
				_, err := c.InsertOne(ctx, bson.D{})
				return err
			})
		}, 20},
		"change stream": {func() error { _, err := c.Watch(ctx, mongo.Pipeline{}); return err }, 238},
		"capped": {func() error {
			return db.CreateCollection(ctx, "x", options.CreateCollection().SetCapped(true).SetSizeInBytes(9))
		}, 40415},
		"collation": {func() error {
			return c.FindOne(ctx, bson.D{}, options.FindOne().SetCollation(&options.Collation{Locale: "zh"})).Err()
		}, 238},
		"unknown argument": {func() error {
			return db.RunCommand(ctx, bson.D{{Key: "find", Value: "c"}, {Key: "tailable", Value: true}}).Err()
		}, 40415},
		"hashed index": {func() error {
			_, err := c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "a", Value: "hashed"}}})
			return err
		}, 67},
		"too large":           {func() error { _, err := c.InsertOne(ctx, bson.D{{Key: "b", Value: make([]byte, 16<<20)}}); return err }, 10334},
		"JavaScript":          {find(`{"$where":"1"}`), 2},
		"near":                {find(`{"l":{"$near":[1,2]}}`), 291},
		"look-ahead":          {find(`{"n":{"$regex":"(?=x)"}}`), 51091},
		"schema":              {find(`{"$jsonSchema":{}}`), 238},
		"division by zero":    {find(`{"$expr":{"$divide":[1,0]}}`), 16608},
		"out":                 {aggregate(`[{"$out":"x"}]`), 238},
		"unknown expression":  {aggregate(`[{"$project":{"a":{"$frob":1}}}]`), 168},
		"unknown accumulator": {aggregate(`[{"$group":{"_id":1,"a":{"$stdDevPop":"$n"}}}]`), 15952},
		"sum of text":         {aggregate(`[{"$project":{"a":{"$add":["$s",1]}}}]`), 14},
	})
	cur, err := c.Aggregate(ctx, jsList(t, `[{"$match":{"_id":1}},{"$project":{"k":{"$substrCP":["$s",1,9223372036854775807]}}},{"$group":{"_id":"$k","n":{"$count":{}}}}]`))
	if got, want := all(t, cur, err), `{"_id":"bc","n":1}`; got != want { // what MongoDB 4.4 does not take
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNothingIgnored sends what this server does not do, or what is missing, in every
// command: each is refused, and none of them leaves a trace in the data.
func TestNothingIgnored(t *testing.T) {
	cl := connect(t, open(t, ""))
	db, ctx := cl.Database("d"), context.Background()
	c := db.Collection("c")
	if _, err := c.InsertMany(ctx, []any{js(t, `{"_id":1,"a":[1,2]}`), js(t, `{"_id":2,"a":[3]}`)}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		cmd  string
		code int
	}{
		{`{"find":"c","min":{"a":1}}`, 40415}, {`{"find":"c","returnKey":true}`, 40415}, {`{"find":"c","filter":5}`, 14}, {`{"find":"c","limit":1.5}`, 51024},
		{`{"find":"c","singleBatch":"yes"}`, 14}, {`{"find":"c","sort":{"a":{"$meta":"textScore"}}}`, 238}, {`{"find":"c","hint":"no"}`, 2}, {`{"find":"c","skip":-1}`, 51024},
		{`{"find":"c","readConcern":{"level":"snapshot"}}`, 72}, {`{"find":"c","filter":{"a":{"$bitsAllSet":[99]}}}`, 238}, {`{"find":"c","maxTimeMS":-5}`, 51024},
		{`{"getMore":5,"collection":"c"}`, 14}, {`{"count":"c","collation":{"locale":"de"}}`, 238}, {`{"distinct":"c"}`, 14},
		{`{"insert":"c","documents":[]}`, 72}, {`{"insert":"c","documents":[{"b":1}],"frob":1}`, 40415}, {`{"insert":"c","documents":[{"b":1}],"ordered":"x"}`, 14},
		{`{"insert":"c","documents":[{"b":1}],"writeConcern":{"w":3}}`, 2}, {`{"insert":"c","documents":[{"b":1}],"writeConcern":{"w":"dc"}}`, 79},
		{`{"insert":"c","documents":[{"b":1}],"txnNumber":{"$numberLong":"1"}}`, 20}, {`{"insert":"c","documents":[{"b":1}],"startTransaction":true,"autocommit":false}`, 20},
		{`{"update":"c","updates":[]}`, 72}, {`{"update":"c","updates":[{"u":{"$set":{"z":1}},"multi":true}]}`, 40414}, {`{"update":"c","updates":[{"q":{},"u":{"$set":{"z":1}},"frob":1}]}`, 40415},
		{`{"update":"c","updates":[{"q":{},"u":{"$set":{"z":1}},"collation":{"locale":"de"}}]}`, 238},
		{`{"delete":"c","deletes":[{"limit":0}]}`, 40414}, {`{"delete":"c","deletes":[{"q":{}}]}`, 9}, {`{"delete":"c","deletes":[{"q":{},"limit":0,"sort":{"a":1}}]}`, 40415},
		{`{"findAndModify":"c","remove":true,"update":{"$set":{"z":1}}}`, 9}, {`{"findAndModify":"c","query":{}}`, 9}, {`{"findAndModify":"c","remove":true,"arrayFilters":[{"e":1}]}`, 9},
		{`{"findAndModify":"c","update":{"z":1},"arrayFilters":[{"e":1}]}`, 9}, {`{"findAndModify":"c","update":{"$set":{"z":1}},"arrayFilters":5}`, 14},
		{`{"aggregate":"c","pipeline":[{"$group":{"_id":1,"s":{"$sum":["$a",1]}}}],"cursor":{}}`, 40237}, {`{"aggregate":"c","pipeline":[{"$bucket":{"groupBy":"$a","boundaries":[0,1],"frob":1}}],"cursor":{}}`, 40415},
		{`{"aggregate":"c","pipeline":[{"$project":{"x":{"$map":{"in":1}}}}],"cursor":{}}`, 9}, {`{"aggregate":"c","pipeline":[{"$project":{"x":{"$filter":{"input":"$a","cond":true,"limit":1}}}}],"cursor":{}}`, 9},
		{`{"aggregate":"c","pipeline":[{"$unionWith":{"coll":"c","let":{}}}],"cursor":{}}`, 40415}, {`{"aggregate":"c","pipeline":[],"cursor":{"frob":1}}`, 40415}, {`{"aggregate":1,"pipeline":[],"cursor":{}}`, 238},
		{`{"aggregate":"c","pipeline":[{"$merge":"x"}],"cursor":{}}`, 238}, {`{"explain":{"find":"c","frob":1}}`, 40415}, {`{"explain":{"insert":"c"}}`, 59},
		{`{"create":"x","capped":true,"size":9}`, 40415}, {`{"create":"x","viewOn":"c"}`, 40415}, {`{"create":"x","validator":{}}`, 40415}, {`{"create":"x","timeseries":{"timeField":"t"}}`, 40415},
		{`{"createIndexes":"c","indexes":[{"key":{"z":1},"name":"z","partialFilterExpression":{"a":{"$ne":1}}}]}`, 67}, {`{"createIndexes":"c","indexes":[{"key":{"z":"text"},"name":"z"}]}`, 67},
		{`{"createIndexes":"c","indexes":[{"key":{"z":1},"name":"z","hidden":true}]}`, 238}, {`{"createIndexes":"c","indexes":[{"key":{"z":1},"name":"z","weights":{}}]}`, 197}, {`{"createIndexes":"c","indexes":[{"key":{"_id":1},"name":"_id_","sparse":true}]}`, 197},
		{`{"createIndexes":"c","indexes":[{"key":{"z":1,"y":1},"name":"z","expireAfterSeconds":5}]}`, 67}, {`{"createIndexes":"c","indexes":[{"key":{"z":1},"name":"z","collation":{"locale":"de"}}]}`, 238},
		{`{"dropIndexes":"c","index":"_id_"}`, 72}, {`{"killSessions":[]}`, 59}, {`{"collMod":"c"}`, 59}, {`{"mapReduce":"c"}`, 59}, {`{"renameCollection":"d.c","to":"d.x"}`, 13}, {`{"docstoreBackup":1}`, 13},
		{`{"bulkWrite":1,"ops":[{"insert":0,"document":{"z":1}}],"nsInfo":[{"ns":"d.c"}]}`, 13},
	} {
		err := db.RunCommand(ctx, js(t, x.cmd)).Err()
		var se mongo.ServerError
		if !errors.As(err, &se) || !se.HasErrorCode(x.code) {
			t.Errorf("%s: %v, want code %d", x.cmd, err, x.code)
		}
	}
	for _, x := range []struct{ op, want string }{
		{`{"delete":0}`, "40414"}, {`{"update":0,"updateMods":{"$set":{"z":1}},"multi":true}`, "40414"}, {`{"insert":0}`, "40414"}, {`{"delete":3,"filter":{}}`, "2"}, {`{"insert":0,"document":{},"frob":1}`, "40415"},
		{`{"update":0,"filter":{},"updateMods":{"z":1},"multi":true}`, "9"}, {`{"frob":0}`, "9"},
	} {
		var r bson.D
		cmd := js(t, `{"bulkWrite":1,"ops":[`+x.op+`],"nsInfo":[{"ns":"d.c"}]}`)
		if err := cl.Database("admin").RunCommand(ctx, cmd).Decode(&r); err != nil || !strings.Contains(jsText(t, r), `"code":`+x.want+",") {
			t.Errorf("%s: %v, %v, want code %s", x.op, jsText(t, r), err, x.want)
		}
	}
	cur, err := c.Find(ctx, bson.D{})
	if got, want := all(t, cur, err), `{"_id":1,"a":[1,2]} {"_id":2,"a":[3]}`; got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
	if names, err := db.ListCollectionNames(ctx, bson.D{}); err != nil || len(names) != 1 {
		t.Errorf("collections %v, %v", names, err)
	}
}

// TestMongoLargeNumbers skips and limits by numbers at the end of their range.
func TestMongoLargeNumbers(t *testing.T) {
	c, ctx := server(t, "").Collection("c"), context.Background()
	if _, err := c.InsertMany(ctx, jsList(t, `[{"_id":1,"a":3},{"_id":2,"a":1},{"_id":3,"a":2}]`)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ pipeline, want string }{
		{`[{"$sort":{"a":1}},{"$skip":1},{"$limit":9223372036854775807}]`, `{"_id":3,"a":2} {"_id":1,"a":3}`},
		{`[{"$skip":1},{"$limit":9223372036854775807},{"$skip":1}]`, `{"_id":3,"a":2}`},
		{`[{"$skip":9223372036854775807}]`, ``},
	} {
		cur, err := c.Aggregate(ctx, jsList(t, x.pipeline))
		if got := all(t, cur, err); got != x.want {
			t.Errorf("%s: got %s, want %s", x.pipeline, got, x.want)
		}
	}
	cur, err := c.Find(ctx, bson.D{}, options.Find().SetHint(bson.D{{Key: "$natural", Value: -1}}).SetLimit(2))
	if got, want := all(t, cur, err), `{"_id":3,"a":2} {"_id":2,"a":1}`; got != want {
		t.Errorf("backwards: got %s, want %s", got, want)
	}
}

// TestMongoLargeResults gives more than one message holds: in batches, or refused when it is one document.
func TestMongoLargeResults(t *testing.T) {
	c, ctx := server(t, "").Collection("c"), context.Background()
	for i := range 20 {
		if _, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: i}, {Key: "b", Value: make([]byte, 1<<20)}}); err != nil {
			t.Fatal(err)
		}
	}
	var ds []bson.Raw
	cur, err := c.Find(ctx, bson.D{}, options.Find().SetBatchSize(1000))
	if err == nil {
		err = cur.All(ctx, &ds)
	}
	if err != nil || len(ds) != 20 {
		t.Errorf("%d documents, %v", len(ds), err)
	}
	cur, err = c.Aggregate(ctx, jsList(t, `[{"$group":{"_id":1,"all":{"$push":"$b"}}}]`))
	if got := all(t, cur, err); got != "code [10334]" {
		t.Errorf("one large document: %.60s", got)
	}
	if _, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}}, bson.A{bson.D{{Key: "$set", Value: bson.D{{Key: "c", Value: bson.D{{Key: "$map", Value: bson.D{{Key: "input", Value: bson.A{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}, {Key: "in", Value: "$b"}}}}}}}}}); failure(err) != "code [10334]" {
		t.Errorf("an update to more than 16 MB: %v", err)
	}
}
