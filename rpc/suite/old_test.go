package suite_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/conf"
	"zhihuidangjian/idl/gen/dues"
	"zhihuidangjian/idl/gen/party"
	"zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/job/outbox"
	"zhihuidangjian/model"
	"zhihuidangjian/model/docstore"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/migrate"
	"zhihuidangjian/rpc/suite"
)

// testdata/c3c1bcd.tar.gz is the store of a demo that the program of commit c3c1bcd wrote, the
// last one without migrations: it ran for some seconds; then, without workers, a meeting was
// started, somebody checked in, handed in a suggestion and a change of his profile, which was
// approved, got a reward, paid dues in cash, and so on, so that nobody has followed these
// events. At last a member was given a name, an ID number and a phone as they were stored
// before there was a normal form, and the phone of an outflow was left open.
const oldKey = "the key of the demo, of 32 bytes and more"

// unpack lays the old store out and answers the directory to use as DATA.
func unpack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	packed, err := os.Open("testdata/c3c1bcd.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err == nil {
			path := filepath.Join(dir, filepath.Clean("/"+h.Name))
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// opened is the database of a data directory, without the product; every command runs started.
func opened(t *testing.T, data string, started func()) (db *mongo.Database, done func()) {
	t.Helper()
	store, err := docstore.Open(filepath.Join(data, "store"))
	if err != nil {
		t.Fatal(err)
	}
	o := options.Client().ApplyURI("mongodb://embedded").SetDialer(store.Dialer()).SetRetryWrites(false).SetRetryReads(false)
	if started != nil {
		o.SetMonitor(&event.CommandMonitor{Started: func(context.Context, *event.CommandStartedEvent) { started() }})
	}
	c, err := mongo.Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	return c.Database(conf.Default().MongoName), func() {
		t.Helper()
		if err := errors.Join(c.Disconnect(context.Background()), store.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// everything is all documents of a database, by collection and id.
func everything(t *testing.T, db *mongo.Database) map[string]map[string]string {
	t.Helper()
	names, err := db.ListCollectionNames(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, name := range names {
		cur, err := db.Collection(name).Find(t.Context(), bson.D{})
		var docs []bson.Raw
		if err == nil {
			err = cur.All(t.Context(), &docs)
		}
		if err != nil {
			t.Fatal(err)
		}
		all[name] = map[string]string{}
		for _, d := range docs {
			all[name][d.Lookup("_id").String()] = string(d)
		}
	}
	return all
}

// same fails when two of them differ.
func same(t *testing.T, was, is map[string]map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(is)) {
		for id, doc := range is[name] {
			if was[name][id] != doc {
				t.Errorf("%s %s changed", name, id)
			}
		}
		if len(was[name]) != len(is[name]) {
			t.Errorf("%s: %d documents became %d", name, len(was[name]), len(is[name]))
		}
	}
	if len(was) != len(is) {
		t.Errorf("%d collections became %d", len(was), len(is))
	}
}

// camel are the names of collections.
var camel = regexp.MustCompile(`^[a-z]+([A-Z][a-z]+)*$`)

// TestOldStore starts today's program upon a store that was written before there were
// migrations.
func TestOldStore(t *testing.T) {
	data := unpack(t)
	db, done := opened(t, data, nil)
	before := everything(t, db)
	// One whose events were taken by all, when the relay died before it knew.
	again := half(t, db)
	rows, odd := delivered(t, db, "points_entries", again), oddMember(t, db)
	done()
	cfg := conf.Default()
	cfg.Data, cfg.DataKey, cfg.PublicURL, cfg.Demo = data, oldKey, "http://"+cfg.Addr, false
	start := func() (*suite.Platform, *suite.Services) {
		t.Helper()
		p, err := suite.Open(cfg, true)
		if err != nil {
			t.Fatal(err)
		}
		s, err := suite.Local(p)
		if err != nil {
			t.Fatal(errors.Join(err, p.Close()))
		}
		return p, s
	}
	end := func(p *suite.Platform, s *suite.Services) {
		t.Helper()
		s.Close()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	p, s := start()
	admin := kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: "u", Name: "管理员", OrgID: model.RootOrg, Orgs: []string{model.RootOrg}, Permissions: []string{"*"}, TopLevel: true})
	system := kit.AsSystem(t.Context())

	t.Run("every document is there, in collections whose names are of one style", func(t *testing.T) {
		now := everything(t, p.DB)
		for name, docs := range before {
			if !camel.MatchString(name) || name == "checkins" {
				words := strings.Split(strings.Replace(name, "checkins", "check_ins", 1), "_")
				for i := range words[1:] {
					words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
				}
				name = strings.Join(words, "")
			}
			if name != "installation" && len(now[name]) != len(docs) {
				t.Errorf("%s: %d of %d documents", name, len(now[name]), len(docs))
			}
		}
		for name := range now {
			if !camel.MatchString(name) {
				t.Errorf("a collection %s", name)
			}
		}
	})
	list := func(t *testing.T, r recordsvc.Client, typ string) (total int, items []map[string]any) {
		t.Helper()
		j, err := r.List(admin, &records.ListReq{Type: typ, Size: 100})
		var page struct {
			Total int
			Items []map[string]any
		}
		if err == nil {
			err = json.Unmarshal(j.Json, &page)
		}
		if err != nil {
			t.Fatal(typ, err)
		}
		return page.Total, page.Items
	}
	t.Run("members, dues and the chain of the audit are read as before", func(t *testing.T) {
		if n, _ := list(t, s.Of["party"], "member"); n < 190 {
			t.Errorf("%d members", n)
		}
		n, orders := list(t, s.Of["dues"], "duesOrder")
		if n != len(before["dues_orders"])-2 { // two were reversed
			t.Errorf("%d orders of %d", n, len(before["dues_orders"]))
		}
		owed, err := s.Dues.GetOwed(admin, &dues.OwedReq{MemberId: fmt.Sprint(orders[0]["memberId"])})
		if err != nil || len(owed.Orders) == 0 || owed.PaidThrough == "" {
			t.Errorf("%+v %v", owed, err)
		}
		chain, err := s.Audit.VerifyChain(admin, &records.Empty{})
		if err != nil || !chain.Intact || int(chain.Count) != len(before["auditEntries"]) {
			t.Errorf("%+v %v", chain, err)
		}
	})
	t.Run("names, ID numbers and phones have the normal form, and are found by it", func(t *testing.T) {
		m, err := s.Party.GetMember(system, &party.MemberReq{MemberId: odd})
		if err != nil || strings.ContainsAny(m.Name, " 　\u200b") || len(m.IdNumber) != 18 || len(m.Phone) != 11 || strings.Trim(m.Phone, "0123456789") != "" {
			t.Fatalf("%+v %v", m, err)
		}
		var stored model.Member
		if err := p.DB.Collection("members").FindOne(t.Context(), bson.D{{Key: "idBlind", Value: p.Seal.Blind(m.IdNumber)}}).Decode(&stored); err != nil || stored.ID != odd ||
			stored.IDMasked != model.MaskID(m.IdNumber) || stored.PhoneMasked != model.MaskPhone(m.Phone) || stored.PhoneBlind != p.Seal.Blind(m.Phone) {
			t.Errorf("%+v %v", stored, err)
		}
		if n, err := p.DB.Collection("organizations").CountDocuments(t.Context(), bson.D{{Key: "contactPhone", Value: "13900001234"}}); err != nil || n != 1 {
			t.Errorf("%d organisations with the phone, %v", n, err)
		}
		cur, err := p.DB.Collection("memberOutflows").Find(t.Context(), bson.D{})
		var outflows []model.MemberOutflow
		if err == nil {
			err = cur.All(t.Context(), &outflows)
		}
		phones := map[string]bool{}
		for i := range outflows {
			err = errors.Join(err, p.Seal.Disclose(&outflows[i]))
			phones[outflows[i].ContactPhone] = true
		}
		if err != nil || !phones["13911112222"] {
			t.Errorf("%v %v", phones, err)
		}
	})
	t.Run("what was not told and not earned yet is, once", func(t *testing.T) {
		r := outbox.New(outbox.Deps{DB: p.DB, Redis: p.Redis, Points: s.Points, Notify: s.Notify, Audit: s.Audit, Types: s.Types})
		handed := 0
		for {
			n, err := r.Once(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			handed += n
		}
		waiting := 0
		for name := range everything(t, p.DB) {
			n, err := p.DB.Collection(name).CountDocuments(t.Context(), bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}})
			if err != nil {
				t.Fatal(err)
			}
			waiting += int(n)
		}
		if waiting != 0 || handed < 30 {
			t.Errorf("%d documents wait, %d events handed on", waiting, handed)
		}
		kinds := map[string]int{}
		cur, err := p.DB.Collection("notifications").Find(t.Context(), bson.D{})
		var told []model.Notification
		if err == nil {
			err = cur.All(t.Context(), &told)
		}
		if err != nil {
			t.Fatal(err)
		}
		words := map[string]bool{} // of the older program
		for _, n := range told {
			if before["notifications"][fmt.Sprintf("%q", n.ID)] != "" {
				words[wording(n)] = true
			}
		}
		for _, n := range told {
			if before["notifications"][fmt.Sprintf("%q", n.ID)] == "" {
				kinds[n.Kind+" "+n.Channel+" "+n.ReceiverType]++
				if !words[wording(n)] {
					t.Errorf("nobody was told so before: %s", wording(n))
				}
			}
		}
		// The showcase has no reader yet who is bound, the organisation of the suggestion no admin.
		want := map[string]int{
			"decided site member": 1, "duesReceipt site member": 2, "duesReceipt sms member": 2, "duesReconcile site user": 2, "duesReversed site member": 1,
			"electionDue site member": 1, "meetingStarted site member": 2, "meetingStarted sms member": 2, "meetingStarted wechat member": 2,
		}
		if !maps.Equal(kinds, want) {
			t.Errorf("told %v, want %v", kinds, want)
		}
		items := map[string]int{}
		for id, raw := range everything(t, p.DB)["pointsEntries"] {
			if before["points_entries"][id] == "" {
				var e model.PointsEntry
				if err := bson.Unmarshal([]byte(raw), &e); err != nil {
					t.Fatal(err)
				}
				items[fmt.Sprint(e.Dimension, " ", e.Item, " ", e.Reverses != "", " ", e.Score)]++
			}
		}
		want = map[string]int{
			"personal dues false 100": 4, "organisation dues false 100": 4, "personal dues true -100": 1, "organisation dues true -100": 1, // one of two reversed
			"personal offlineActivity false 200": 1, "organisation offlineQuality false 10": 1,
			"personal reward false 500": 2, "personal reward true -500": 1, "personal sanction false -1000": 1,
		}
		if !maps.Equal(items, want) {
			t.Errorf("earned %v, want %v", items, want)
		}
		if now := delivered(t, p.DB, "pointsEntries", again); now != rows {
			t.Errorf("an event that was taken before: %s, now %s", rows, now)
		}
		chain, err := s.Audit.VerifyChain(admin, &records.Empty{})
		if err != nil || !chain.Intact || int(chain.Count) <= len(before["auditEntries"]) {
			t.Errorf("%+v %v", chain, err)
		}
	})
	end(p, s)
	t.Run("a second start changes nothing", func(t *testing.T) {
		db, done := opened(t, data, nil)
		was := everything(t, db)
		done()
		end(start())
		db, done = opened(t, data, nil)
		defer done()
		same(t, was, everything(t, db))
	})
}

var (
	quoted  = regexp.MustCompile(`“[^”]*”`)
	figures = regexp.MustCompile(`\d+`)
)

// wording is a message but for what differs from one to the next of its kind.
func wording(n model.Notification) string {
	text := figures.ReplaceAllString(quoted.ReplaceAllString(n.Content, "“”"), "0")
	return strings.Join([]string{n.Kind, n.Channel, n.Title, strings.ReplaceAll(text, "0-0至0-0", "0-0"), n.TargetType, quoted.ReplaceAllString(n.FailReason, "")}, " | ")
}

// oddMember is the member whose name and numbers have no normal form.
func oddMember(t *testing.T, db *mongo.Database) string {
	t.Helper()
	var m model.Member
	if err := db.Collection("members").FindOne(t.Context(), bson.D{{Key: "name", Value: bson.D{{Key: "$regex", Value: "　"}}}}).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// half puts the event of an order that notify and points took back into its outbox.
func half(t *testing.T, db *mongo.Database) (orderID string) {
	t.Helper()
	var n model.Notification
	err := db.Collection("notifications").FindOne(t.Context(), bson.D{{Key: "kind", Value: "duesReceipt"}, {Key: "channel", Value: "site"}}).Decode(&n)
	var o model.DuesOrder
	if err == nil {
		err = db.Collection("dues_orders").FindOne(t.Context(), bson.D{{Key: "_id", Value: n.TargetID}, {Key: "pending.0", Value: bson.D{{Key: "$exists", Value: false}}}}).Decode(&o)
	}
	if err != nil {
		t.Fatal(err)
	}
	var months []string
	for _, x := range o.Items {
		months = append(months, x.Month)
	}
	payload, err := json.Marshal(map[string]any{
		"orderId": o.ID, "orderNo": o.OrderNo, "memberId": o.MemberID, "memberName": o.MemberName, "orgId": o.OrgID, "orgs": o.Orgs,
		"fromMonth": o.FromMonth, "toMonth": o.ToMonth, "months": months, "amount": o.Amount, "payMethod": o.PayMethod, "paidAt": o.PaidAt,
	})
	if err != nil {
		t.Fatal(err)
	}
	e := model.Event{ID: kit.KeyID("dues.paid", o.ID), Kind: "dues.paid", OrgID: o.OrgID, At: *o.PaidAt, Payload: payload}
	u, err := db.Collection("dues_orders").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: o.ID}}, bson.D{{Key: "$set", Value: bson.D{{Key: "pending", Value: []model.Event{e}}}}})
	if err != nil || u.MatchedCount != 1 {
		t.Fatal(err)
	}
	return o.ID
}

// delivered is what an order has told and earned.
func delivered(t *testing.T, db *mongo.Database, entries, orderID string) string {
	t.Helper()
	told, err := db.Collection("notifications").CountDocuments(t.Context(), bson.D{{Key: "targetId", Value: orderID}})
	earned, err2 := db.Collection(entries).CountDocuments(t.Context(), bson.D{{Key: "sourceId", Value: orderID}})
	if err := errors.Join(err, err2); err != nil || told == 0 || earned == 0 {
		t.Fatal(told, earned, err)
	}
	return fmt.Sprintf("%d messages and %d entries", told, earned)
}

// TestKilledMigrations kills the migrations of the old store at one command after the other
// and starts again: nothing is lost, and what they do they do once.
func TestKilledMigrations(t *testing.T) {
	data := unpack(t)
	key, err := model.NewSealer([]byte(oldKey))
	if err != nil {
		t.Fatal(err)
	}
	db, done := opened(t, data, nil)
	store := migrate.Store{DB: db, Seal: key}
	if err := migrate.Run(t.Context(), store, migrate.All); err != nil {
		t.Fatal(err)
	}
	whole := everything(t, db)
	done()
	killed := 0
	for at := 2; ; at += 1 + at/3 {
		data := unpack(t)
		ctx, kill := context.WithCancel(t.Context())
		var n atomic.Int32
		db, done := opened(t, data, func() {
			if n.Add(1) == int32(at) {
				kill()
			}
		})
		err := migrate.Run(ctx, migrate.Store{DB: db, Seal: key}, migrate.All)
		done()
		kill()
		if err == nil {
			break
		}
		killed++
		db, done = opened(t, data, nil)
		store := migrate.Store{DB: db, Seal: key}
		if err := migrate.Run(t.Context(), store, migrate.All); err != nil {
			t.Fatalf("after a death at command %d: %v", at, err)
		}
		now := everything(t, db)
		for name, docs := range whole {
			if len(now[name]) != len(docs) {
				t.Errorf("after a death at command %d: %s has %d of %d documents", at, name, len(now[name]), len(docs))
			}
			for id := range docs { // but for the chance in what was sealed anew
				if !alike(t, key, docs[id], now[name][id]) {
					t.Errorf("after a death at command %d: %s %s\n%s\nwant\n%s", at, name, id, bson.Raw(now[name][id]), bson.Raw(docs[id]))
				}
			}
		}
		for _, m := range migrate.All { // begun again they find nothing to do
			if err := m.Run(t.Context(), store); err != nil {
				t.Fatal(err)
			}
		}
		same(t, now, everything(t, db))
		done()
	}
	if killed < 10 {
		t.Errorf("killed %d times only", killed)
	}
}

// alike compares documents by what they hold, sealed or not, but for times of migrations.
func alike(t *testing.T, key *model.Sealer, a, b string) bool {
	t.Helper()
	plain := func(s string) map[string]any {
		var d map[string]any
		if err := bson.Unmarshal([]byte(s), &d); err != nil {
			t.Fatal(err)
		}
		var bare func(v any, at string) any
		bare = func(v any, at string) any {
			switch v := v.(type) {
			case string:
				if open, err := key.Open(v, model.At(fmt.Sprint(d["_id"]), at)); v != "" && err == nil {
					return open
				}
			case bson.A:
				for i := range v {
					v[i] = bare(v[i], at)
				}
			case bson.D:
				for i := range v {
					v[i].Value = bare(v[i].Value, at+"."+v[i].Key)
				}
			}
			return v
		}
		for k, v := range d {
			d[k] = bare(v, k)
		}
		if d["_id"] == "migrations" {
			delete(d, "done")
			delete(d, "until")
		}
		return d
	}
	return fmt.Sprint(plain(a)) == fmt.Sprint(plain(b))
}
