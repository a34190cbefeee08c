package docstore

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func benchDoc(i int) bson.D {
	return bson.D{{Key: "_id", Value: fmt.Sprintf("m%07d", i)}, {Key: "openid", Value: fmt.Sprintf("o%07d", i)}, {Key: "name", Value: fmt.Sprintf("张三%d", i)}, {Key: "branchId", Value: fmt.Sprintf("b%03d", i%50)},
		{Key: "points", Value: int64(i % 1000)}, {Key: "tags", Value: bson.A{"t1", "t2"}}, {Key: "addr", Value: bson.D{{Key: "city", Value: "北京"}, {Key: "line", Value: "长安街1号某某大厦某某单元"}}},
		{Key: "createdAt", Value: time.Unix(1700000000+int64(i), 0)}, {Key: "ver", Value: int32(1)}}
}

// BenchmarkSizes times the usual requests with 1,000 to 100,000 documents, and a ping: what
// the driver and the connection cost without any work.
func BenchmarkSizes(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{1000, 10_000, 100_000} {
		s := open(b, b.TempDir())
		cl := connect(b, s)
		c := cl.Database("d").Collection("c")
		if _, err := c.Indexes().CreateMany(ctx, []mongo.IndexModel{{Keys: bson.D{{Key: "openid", Value: 1}}, Options: options.Index().SetUnique(true)}, {Keys: bson.D{{Key: "branchId", Value: 1}, {Key: "createdAt", Value: -1}}}}); err != nil {
			b.Fatal(err)
		}
		for i := 0; i < n; i += 1000 {
			docs := make([]any, 1000)
			for j := range docs {
				docs[j] = benchDoc(i + j)
			}
			if _, err := c.InsertMany(ctx, docs); err != nil {
				b.Fatal(err)
			}
		}
		branch := bson.D{{Key: "branchId", Value: "b001"}}
		for _, x := range []struct {
			name string
			f    func(i int) error
		}{
			{"ping", func(int) error { return cl.Ping(ctx, nil) }},
			{"findByID", func(i int) error { return c.FindOne(ctx, id(fmt.Sprintf("m%07d", i*7919%n))).Err() }},
			{"findByIndex", func(i int) error {
				return c.FindOne(ctx, bson.D{{Key: "openid", Value: fmt.Sprintf("o%07d", i*7919%n)}}).Err()
			}},
			{"count", func(int) error { _, err := c.CountDocuments(ctx, branch); return err }},
			{"page20", func(int) error {
				cur, err := c.Find(ctx, branch, options.Find().SetSort(bson.D{{Key: "createdAt", Value: -1}}).SetLimit(20))
				if err != nil {
					return err
				}
				var r []bson.Raw
				return cur.All(ctx, &r)
			}},
			{"findOneAndUpdate", func(i int) error {
				return c.FindOneAndUpdate(ctx, id(fmt.Sprintf("m%07d", i*7919%n)), inc("points", 1), options.FindOneAndUpdate().SetReturnDocument(options.After)).Err()
			}},
		} {
			b.Run(fmt.Sprintf("%s/%d", x.name, n), func(b *testing.B) {
				i := 0
				for b.Loop() {
					if err := x.f(i); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}

// BenchmarkDurableInsert is 64 goroutines that each wait for the disk.
func BenchmarkDurableInsert(b *testing.B) {
	c, ctx := connect(b, open(b, b.TempDir())).Database("d").Collection("c"), context.Background()
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.InsertOne(ctx, benchDoc(int(n.Add(1)))); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inserts/s")
}

// BenchmarkCommands is the store's own share of a request: no driver, no connection, no disk.
func BenchmarkCommands(b *testing.B) {
	s := open(b, "")
	const n = 20_000
	send := func(cmd bson.D, docs ...any) *message {
		parts := [][]byte{body(append(cmd, bson.E{Key: "lsid", Value: bson.D{{Key: "id", Value: bson.Binary{Subtype: 4, Data: make([]byte, 16)}}}}, bson.E{Key: "$db", Value: "d"}))}
		if docs != nil {
			parts = append(parts, sequence("documents", docs...))
		}
		m, err := readMessage(bytes.NewReader(msg(0, parts...)))
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	run := func(m *message) {
		if r := s.handle(1, m); get(r, "code").Type != 0 {
			b.Fatal(bson.Raw(r))
		}
	}
	run(send(bson.D{{Key: "createIndexes", Value: "c"}, {Key: "indexes", Value: bson.A{bson.D{{Key: "key", Value: bson.D{{Key: "openid", Value: 1}}}, {Key: "name", Value: "o"}, {Key: "unique", Value: true}},
		bson.D{{Key: "key", Value: bson.D{{Key: "branchId", Value: 1}, {Key: "createdAt", Value: -1}}}, {Key: "name", Value: "b"}}}}}))
	for i := range n {
		run(send(bson.D{{Key: "insert", Value: "c"}}, benchDoc(i)))
	}
	key := func(i int) bson.D { return id(fmt.Sprintf("m%07d", i*7919%n)) }
	set := bson.D{{Key: "$set", Value: bson.D{{Key: "name", Value: "李四"}}}, {Key: "$inc", Value: bson.D{{Key: "ver", Value: 1}}}}
	for _, x := range []struct {
		name string
		cmd  func(i int) *message
	}{
		{"insert", func(i int) *message { return send(bson.D{{Key: "insert", Value: "c"}}, benchDoc(n+i)) }},
		{"find", func(i int) *message {
			return send(bson.D{{Key: "find", Value: "c"}, {Key: "filter", Value: key(i)}, {Key: "limit", Value: 1}, {Key: "singleBatch", Value: true}})
		}},
		{"update", func(i int) *message {
			return send(bson.D{{Key: "update", Value: "c"}, {Key: "updates", Value: bson.A{bson.D{{Key: "q", Value: key(i)}, {Key: "u", Value: set}}}}})
		}},
		{"findAndModify", func(i int) *message {
			return send(bson.D{{Key: "findAndModify", Value: "c"}, {Key: "query", Value: key(i)}, {Key: "update", Value: set}, {Key: "new", Value: true}})
		}},
	} {
		b.Run(x.name, func(b *testing.B) {
			ms := make([]*message, b.N)
			for i := range ms {
				ms[i] = x.cmd(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, m := range ms {
				run(m)
			}
		})
	}
}
