package edge

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/job/outbox"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// chained hands everything that is to be told to the audit, as a worker does.
func (w *world) chained(t *testing.T) {
	t.Helper()
	s := w.services
	relay := outbox.New(outbox.Deps{DB: w.platform.DB, Points: s.Points, Notify: s.Notify, Audit: s.Audit, Types: s.Types})
	for n := 1; n > 0; {
		var err error
		if n, err = relay.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Audit.Gather(kit.AsSystem(t.Context()), &records.Empty{}); err != nil {
		t.Fatal(err)
	}
}

// TestAuditChain: 操作日志 as it is stored (issue 4; spec/trust.md, 安全审计).
func TestAuditChain(t *testing.T) {
	w := newWorld(t)
	own := w.admin(t, "auditor", "own", "*")
	p := w.invent("存证")
	form := memberForm(p, w.org["own"])
	form["address"] = "测试省测试市某某路一号"
	id := w.create(t, own, "member", form)
	entries := w.platform.DB.Collection("auditEntries")

	t.Run("requests that give themselves the same id are entries of their own", func(t *testing.T) {
		for range 2 {
			w.do(own, "POST", "/api/console/records/member/"+id+"/reveal", nil, "X-Request-ID", "asked-twice-by-me").into(t, &struct{}{})
		}
		w.chained(t)
		n, err := entries.CountDocuments(t.Context(), bson.D{{Key: "requestId", Value: "asked-twice-by-me"}, {Key: "action", Value: model.AuditReveal}})
		if err != nil || n != 2 {
			t.Fatal(n, err)
		}
	})
	t.Run("a check-in and the lists of an admin cost the audit nothing", func(t *testing.T) {
		w := newMatrixWorld(t)
		var qr struct{ URL string }
		w.do(w.by["own"], "GET", "/api/console/meetings/"+w.ids["meeting"]+"/qr", nil).into(t, &qr)
		_, token, _ := strings.Cut(qr.URL, "?t=")
		for _, r := range []reply{
			w.do(w.by["member"], "POST", "/api/member/sign-in", map[string]string{"token": token}),
			w.do(w.by["own"], "GET", "/api/console/records/member", nil),
			w.do(w.by["own"], "GET", "/api/console/records/member/"+w.m1.id, nil),
		} {
			if r.status != 200 || w.told(t)[r.header.Get("X-Request-ID")] {
				t.Errorf("%d, and told: %s", r.status, r.body)
			}
		}
		var c model.CheckIn
		if err := w.platform.DB.Collection("checkIns").FindOne(t.Context(), bson.D{{Key: "memberId", Value: w.m1.id}}).Decode(&c); err != nil || len(c.Pending) != 1 || c.Pending[0].Kind != model.EventEarned {
			t.Fatalf("%+v %v", c.Pending, err)
		}
	})
	t.Run("no entry holds a personal value in clear", func(t *testing.T) {
		form["version"], form["phone"], form["address"] = 1, "19912345678", "测试省测试市另一路二号"
		if r := w.do(own, "PUT", "/api/console/records/member/"+id, form); r.status != 200 {
			t.Fatal(r.status, r.body)
		}
		for _, q := range []string{"f.idNumber=" + p.idNumber, "f.phone=19912345678", "keyword=" + p.idNumber} {
			if r := w.do(own, "GET", "/api/console/records/member/export?"+q, nil); r.status != 200 {
				t.Fatal(r.status, r.body)
			}
		}
		w.do(own, "GET", "/api/console/records/member?keyword="+url.QueryEscape(p.name), nil)
		w.chained(t)
		cur, err := entries.Find(t.Context(), bson.D{{Key: "userName", Value: "用户auditor"}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; cur.Next(t.Context()); n++ {
			for _, secret := range []string{p.idNumber, p.phone, "19912345678", "某某路", "另一路"} {
				if bytes.Contains(cur.Current, []byte(secret)) {
					t.Errorf("an entry says %s: %s", secret, cur.Current)
				}
			}
		}
		if err := cur.Err(); err != nil || n < 7 {
			t.Fatal(n, err)
		}
	})
	t.Run("the one who goes through the chain is told which entry is broken", func(t *testing.T) {
		var v struct {
			Intact          bool
			Count, BrokenAt int
			Reason          string
		}
		w.do(w.top, "GET", "/api/console/audit/verify", nil).into(t, &v)
		if n, err := entries.CountDocuments(t.Context(), bson.D{}); err != nil || !v.Intact || int64(v.Count) != n || n < 7 {
			t.Fatalf("%+v of %d, %v", v, n, err)
		}
		if _, err := entries.UpdateOne(t.Context(), bson.D{{Key: "seq", Value: 5}}, bson.D{{Key: "$set", Value: bson.D{{Key: "ip", Value: "1.2.3.4"}}}}); err != nil {
			t.Fatal(err)
		}
		w.do(w.top, "GET", "/api/console/audit/verify", nil).into(t, &v)
		if v.Intact || v.Count != 4 || v.BrokenAt != 5 || v.Reason == "" {
			t.Fatalf("%+v", v)
		}
	})
}
