package records_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
)

// TestRound: an action on all that a list shows, through the death of the process that works at it.
func TestRound(t *testing.T) {
	db := modeltest.DB(t)
	l := tripsOn(t, db)
	planner := admin(t, "a")
	other := as(t, kit.Caller{Kind: kit.User, UserID: "another", Name: "另一位", OrgID: "a", Permissions: []string{"*"}})
	today := time.Now().In(kit.Shanghai).Format(time.DateOnly)
	const all = 300
	for i := range all {
		title := fmt.Sprint("行程", i)
		if i%100 == 7 {
			title = "满员"
		}
		if _, err := l.save(planner, "", 0, map[string]any{"title": title, "memberId": "m1", "from": today, "to": today}); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(who context.Context, action string, filters map[string]string) (*gen.Round, error) {
		return l.ActAll(who, &gen.ActAllReq{Type: "trip", Action: action, Json: []byte("{}"), Filters: filters})
	}
	t.Run("refused: another's, one that is not for all, nothing to do, no permission, a filter that there is not", func(t *testing.T) {
		for what, f := range map[string]func() error{
			"a sibling": func() error { _, err := begin(admin(t, "b"), "send", nil); return err },
			"cancel":    func() error { _, err := begin(other, "cancel", nil); return err },
			"unknown":   func() error { _, err := begin(other, "fly", nil); return err },
			"filter":    func() error { _, err := begin(other, "send", map[string]string{"ghost": "x"}); return err },
			"a reader": func() error {
				_, err := begin(as(t, kit.Caller{Kind: kit.User, UserID: "reader", OrgID: "a", Permissions: []string{"trip.view"}}), "send", nil)
				return err
			},
		} {
			if f() == nil {
				t.Errorf("%s was not refused", what)
			}
		}
		if got := l.list(t, other, "sent"); len(got) != 0 {
			t.Fatalf("%d were sent", len(got))
		}
	})
	r, err := begin(other, "send", nil)
	if err != nil || r.Total != all || r.State != "running" {
		t.Fatalf("%+v %v", r, err)
	}
	t.Run("killed on the way, another process goes on after the last that was done; each is done once, and who began it sees how far it is", func(t *testing.T) {
		for { // somewhere on the way
			now, err := l.GetRound(other, &gen.IDReq{Type: "trip", Id: r.Id})
			if err != nil {
				t.Fatal(err)
			}
			if now.Done > 20 {
				break
			}
		}
		l.Close()
		rounds := db.Collection("actionRounds")
		if _, err := rounds.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: r.Id}}, bson.D{{Key: "$set", Value: bson.D{{Key: "leaseUntil", Value: time.Now().Add(-time.Second)}}}}); err != nil {
			t.Fatal(err)
		}
		next := tripsOn(t, db)
		if _, err := next.Resume(kit.AsSystem(t.Context()), &gen.Empty{}); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(20 * time.Second)
		for now, err := next.GetRound(other, &gen.IDReq{Type: "trip", Id: r.Id}); ; now, err = next.GetRound(other, &gen.IDReq{Type: "trip", Id: r.Id}) {
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("%+v %v", now, err)
			}
			if now.State != "finished" {
				continue
			}
			// The record at which it was killed may be counted as refused: it was done already.
			if now.Done+now.Refused != all || now.Done < all-4 || now.Why[0].Reason != "人数已满" || now.Why[0].Count != 3 {
				t.Fatalf("%+v", now)
			}
			break
		}
		n, err := db.Collection("trips").CountDocuments(t.Context(), bson.D{{Key: "state", Value: "sent"}})
		if err != nil || n != all-3 {
			t.Fatalf("%d were sent, %v", n, err)
		}
		if _, err := next.GetRound(planner, &gen.IDReq{Type: "trip", Id: r.Id}); err == nil {
			t.Fatal("another sees it")
		}
	})
}
