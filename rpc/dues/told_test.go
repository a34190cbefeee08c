package dues_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
)

// payload is what the only event of a kind says.
func payload[T any](t *testing.T, pending []model.Event, kind string) (p T) {
	t.Helper()
	of := slices.DeleteFunc(slices.Clone(pending), func(e model.Event) bool { return e.Kind != kind })
	if len(of) != 1 {
		t.Fatalf("%d events %s among %+v", len(of), kind, pending)
	}
	if err := json.Unmarshal(of[0].Payload, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAnnounced: what a payment and its reversal tell and earn stands in the order's own
// write, in full.
func TestAnnounced(t *testing.T) {
	w := newWorld(t)
	w.base("m1", "2024-01", 500_000)
	o := w.cash(w.order("m1", "2024-06").Id)
	read := func() (doc model.DuesOrder) {
		w.ok(w.db.Collection("duesOrders").FindOne(t.Context(), bson.D{{Key: "_id", Value: o.Id}}).Decode(&doc))
		return doc
	}
	doc := read()
	receipt := payload[model.Told](t, doc.Pending, model.EventTold)
	equal(t, "receipt", receipt.Content, fmt.Sprintf("您已缴纳%s至%s党费%d.00元", doc.FromMonth, doc.ToMonth, doc.Amount/100))
	equal(t, "template", receipt.Kind+" "+receipt.Fields["amount"]+" "+receipt.Fields["orderNo"], fmt.Sprintf("duesReceipt %d.00 %s", doc.Amount/100, doc.OrderNo))
	equal(t, "to whom, and how", fmt.Sprint(receipt.MemberIDs, receipt.Channels, receipt.Page), fmt.Sprint([]string{"m1"}, []string{"site", "wechat", "sms"}, "pages/dues/result?id="+doc.ID))
	earned := payload[model.Earned](t, doc.Pending, model.EventEarned)
	equal(t, "source", earned.SourceType+" "+earned.SourceID, "duesOrder "+doc.ID)
	var shares []string
	for _, x := range earned.Shares {
		shares = append(shares, fmt.Sprint(x.Dimension, " ", x.Item, " ", x.SubjectID, " ", x.OrgID, " ", x.Orgs, " ", x.Units, " ", x.Due, " ", x.Source))
	}
	var want []string
	for _, x := range doc.Items {
		want = append(want, fmt.Sprint("personal dues m1 ", doc.OrgID, " ", doc.Orgs, " 1 ", x.Month, " 党费 ", x.Month),
			fmt.Sprint("organisation dues ", doc.OrgID, " ", doc.OrgID, " ", doc.Orgs, " 1 ", x.Month, " ", doc.MemberName, " 党费 ", x.Month))
	}
	if len(doc.Items) < 2 || !slices.Equal(shares, want) {
		t.Errorf("shares %q, want %q", shares, want)
	}
	id := func(kind string) string {
		return doc.Pending[slices.IndexFunc(doc.Pending, func(e model.Event) bool { return e.Kind == kind })].ID
	}
	equal(t, "one fact, one id", id(model.EventTold), id(model.EventEarned))
	err := w.act(admin("b1"), o.Id, "reverse", "收错了")
	w.ok(err)
	back := payload[model.Unearned](t, read().Pending, model.EventUnearned)
	equal(t, "taken back", back.SourceType+" "+back.SourceID, "duesOrder "+doc.ID)
	told := read().Pending
	var last model.Told
	w.ok(json.Unmarshal(told[slices.IndexFunc(told, func(e model.Event) bool { return e.Kind == model.EventUnearned })-1].Payload, &last))
	equal(t, "told of it on site only", last.Kind+" "+last.Channels[0]+fmt.Sprint(len(last.Channels)), "duesReversed site1")
}
