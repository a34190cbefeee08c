package dues_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/dues"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// TestSums: the stored sums of reports are those of the ledger, whatever happens (DANA-03 to 05).
func TestSums(t *testing.T) {
	w := newWorld(t)
	people := []string{"m1", "m2", "m3"}
	base := func(m, month string, fen int) {
		_, err := w.save(admin("root"), map[string]any{"memberId": m, "effectiveMonth": month, "baseAmount": fen})
		w.ok(err)
	}
	for i, m := range people {
		base(m, "2024-01", 300_000+100_000*i)
	}
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // repeatable
	read := func(org, period string) *gen.AnalysisRow {
		t.Helper()
		a, err := w.GetAnalysis(admin("root"), &gen.AnalysisReq{OrgId: org, Period: period})
		w.ok(err)
		for _, r := range a.Rows {
			if r.Self {
				return r
			}
		}
		t.Fatal("no row of its own")
		return nil
	}
	// ledger sums the lines of a period below an organisation.
	ledger := func(org string, from, to time.Time) (sum int64) {
		cur, err := w.db.Collection("duesLedger").Find(t.Context(), bson.D{{Key: "orgs", Value: org}, {Key: "at", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lt", Value: to}}}})
		w.ok(err)
		var lines []model.DuesLine
		w.ok(cur.All(t.Context(), &lines))
		for _, l := range lines {
			sum += l.Amount
		}
		return sum
	}
	month := func(s string) time.Time {
		at, err := time.ParseInLocation("2006-01", s, kit.Shanghai)
		w.ok(err)
		return at
	}
	for step := range 90 {
		at := time.Date(2024, 6, 15+step, 12, 0, 0, 0, kit.Shanghai) // three months on, a day at a time
		w.at(at.Format("2006-01-02 15:04"))
		m := people[random.IntN(len(people))]
		switch random.IntN(4) {
		case 0, 1:
			if o, err := w.CreateOrder(admin("root"), &gen.CreateOrderReq{MemberId: m, ToMonth: kit.AddMonths(kit.Month(at), random.IntN(4))}); err == nil {
				_, err = w.PayCash(admin("root"), &gen.OrderReq{Id: o.Id})
				w.ok(err)
			}
		case 2: // of this month, so that what is taken back is of the period in which it came
			l := w.list(admin("root"), "duesOrder", map[string]string{"memberId": m, "status": "paid", "paidAt": kit.Month(at) + "-01," + at.Format(time.DateOnly)})
			if len(l.Items) > 0 {
				_ = w.act(admin("root"), l.Items[0]["id"].(string), "reverse", "录错") // refused where a later one is paid
			}
		case 3:
			base(m, kit.Month(at), 200_000+random.IntN(900_000))
		}
		_, err := w.QueryWaiting(system, &recordsgen.Empty{})
		w.ok(err)
		now := kit.Month(at)
		for _, org := range []string{"root", "b1", "b2"} {
			if got, want := read(org, now).Paid, ledger(org, month(now), month(kit.AddMonths(now, 1))); got != want {
				t.Fatalf("step %d: %s in %s is %d, the ledger %d", step, org, now, got, want)
			}
		}
	}
	for _, org := range []string{"root", "b1", "b2"} {
		var year int64
		for q := 1; q <= 4; q++ {
			var sum, payable int64
			for i := q*3 - 2; i <= q*3; i++ {
				r := read(org, fmt.Sprintf("2024-%02d", i))
				sum, payable = sum+r.Paid, payable+r.Payable
			}
			r := read(org, fmt.Sprintf("2024Q%d", q))
			if r.Paid != sum || r.Payable != payable {
				t.Errorf("%s Q%d: %+v, its months %d and %d", org, q, r, sum, payable)
			}
			year += r.Paid
		}
		if r := read(org, "2024"); r.Paid != year || r.Paid != ledger(org, month("2024-01"), month("2025-01")) || r.Paid == 0 {
			t.Errorf("%s: %+v, its quarters %d", org, r, year)
		}
	}
	if a, b, all := read("b1", "2024"), read("b2", "2024"), read("root", "2024"); a.Paid+b.Paid != all.Paid || a.Payable+b.Payable != all.Payable || a.Members+b.Members != all.Members {
		t.Errorf("%+v and %+v are not %+v", a, b, all)
	}
}

// BenchmarkReport is the yearly report of 2,000 organisations, as a ratio to the driver's read of the
// same rows (issue 13: at most 2, and flat however many members they have).
func BenchmarkReport(b *testing.B) {
	const branches = 2000
	for _, members := range []int{1, 50} { // a branch: 2,000 and 100,000 in all
		b.Run(fmt.Sprintf("%d members", branches*members), func(b *testing.B) {
			w := newWorld(b)
			today := w.clock.Now().In(kit.Shanghai).Format(time.DateOnly)
			sums, heads := make([]any, 0, 2*branches), make([]any, 0, branches)
			for i := range branches {
				id := fmt.Sprintf("org%04d", i)
				path := []string{"root", id}
				w.party.orgs[id] = &partygen.Organization{Id: id, OrgName: id, Orgs: path}
				for _, year := range []string{"2023", "2024"} {
					sums = append(sums, bson.M{"_id": id + "/" + year, "orgId": id, "orgs": path, "period": year, "members": members, "payers": members, "payable": 600_00 * members, "paid": 500_00 * members})
				}
				heads = append(heads, bson.M{"_id": id, "orgId": id, "orgs": path, "stale": false, "asOf": today, "changes": 1})
			}
			heads = append(heads, bson.M{"_id": "begun"})
			for c, docs := range map[string][]any{"duesSums": sums, "duesBranches": heads} {
				if _, err := w.db.Collection(c).InsertMany(b.Context(), docs); err != nil {
					b.Fatal(err)
				}
			}
			raw := func() time.Duration {
				began := time.Now()
				for _, year := range []string{"2023", "2024"} {
					cur, err := w.db.Collection("duesSums").Find(b.Context(), bson.D{{Key: "orgs", Value: "root"}, {Key: "period", Value: year}})
					if err != nil {
						b.Fatal(err)
					}
					var rows []bson.M
					if err := cur.All(b.Context(), &rows); err != nil || len(rows) != branches {
						b.Fatal(len(rows), err)
					}
				}
				return time.Since(began)
			}
			var driver, report time.Duration
			for b.Loop() {
				driver += raw()
				began := time.Now()
				a, err := w.GetAnalysis(admin("root"), &gen.AnalysisReq{Period: "2024"})
				if err != nil || len(a.Rows) < branches {
					b.Fatal(err)
				}
				report += time.Since(began)
			}
			b.ReportMetric(float64(report)/float64(driver), "×driver")
		})
	}
}
