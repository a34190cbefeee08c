package docstore

import (
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
