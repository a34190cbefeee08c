package edge

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/trail"
)

// TestLink: an attachment that WeChat on Android opens in the system's browser, which has
// no session (PLUS-50).
func TestLink(t *testing.T) {
	w := newWorld(t)
	boss := w.admin(t, "boss", "own", "*")
	const pdf = "%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n"
	var file struct{ ID string }
	w.do(boss, "POST", "/api/console/records/sanction/upload?field=files", upload{"处分 决定.pdf", []byte(pdf)}).into(t, &file)
	id := w.create(t, boss, "sanction", map[string]any{
		"memberId": w.m1.id, "sanctionType": "warning", "authority": "党委", "sanctionedOn": "2026-03-01", "reason": "x", "files": []any{file},
	})
	ask := func(by *caller, typ, record, file string) reply {
		return w.do(by, "POST", "/api/member/records/"+typ+"/files/"+file+"/link?id="+record, nil)
	}
	var made struct{ URL string }
	ask(&w.m1.caller, "sanction", id, file.ID).into(t, &made)
	visitor := &caller{noCSRF: true, ip: "10.9.9.9"}

	t.Run("PLUS-50 its address opens the file without a session, and is a download of his", func(t *testing.T) {
		r := w.do(visitor, "GET", made.URL, nil)
		if r.status != http.StatusOK || r.body != pdf || r.header.Get("Content-Type") != "application/pdf" || r.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Fatalf("%d %v %.80s", r.status, r.header, r.body)
		}
		if got := r.header.Get("Content-Disposition"); got != `inline; filename="_.pdf"; filename*=UTF-8''%E5%A4%84%E5%88%86%20%E5%86%B3%E5%AE%9A.pdf` {
			t.Error(got)
		}
		var noted trail.Noted
		err := w.platform.DB.Collection("auditInbox").FindOne(t.Context(), bson.D{{Key: "fact.title", Value: "下载附件"}}).Decode(&noted)
		if f := noted.Fact; err != nil || f.UserID != w.m1.id || f.UserKind != string(kit.Member) || f.RecordID != id || f.IP != "10.9.9.9" || !strings.Contains(f.Note, "处分") {
			t.Errorf("%+v %v", noted, err)
		}
	})
	t.Run("PLUS-50 nobody gets an address of what he may not see", func(t *testing.T) {
		expect(t, "another member", ask(&w.m2.caller, "sanction", id, file.ID), 404, "not_found")
		expect(t, "another file", ask(&w.m1.caller, "sanction", id, "none"), 404, "not_found")
		expect(t, "another record", ask(&w.m1.caller, "sanction", "none", file.ID), 404, "not_found")
		expect(t, "another type", ask(&w.m1.caller, "reward", id, file.ID), 404, "not_found")
		expect(t, "no session", ask(&caller{}, "sanction", id, file.ID), 401, "unauthenticated")
	})
	t.Run("PLUS-50 an address is good for its file only, for a while, and for nothing that was altered", func(t *testing.T) {
		u, err := url.Parse(made.URL)
		if err != nil {
			t.Fatal(err)
		}
		sealed := u.Query().Get("link")
		plain, err := w.seal.Open(sealed, "file")
		if err != nil {
			t.Fatal(err)
		}
		var l link
		if err := json.Unmarshal([]byte(plain), &l); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(time.Unix(l.Until, 0)); left > 5*time.Minute || left < time.Minute {
			t.Errorf("good for %s", left)
		}
		change := func(f func(*link)) string {
			other := l
			f(&other)
			b, err := json.Marshal(other)
			if err != nil {
				t.Fatal(err)
			}
			return w.seal.Seal(string(b), "file")
		}
		for what, text := range map[string]string{
			"nothing": "", "noise": "abcd", "its plain text": plain, "a bit turned": sealed[:40] + string(sealed[40]^1) + sealed[41:],
			"cut": sealed[:len(sealed)-4], "what is sealed for something else": w.seal.Seal(plain, "cookie"),
			"another purpose": change(func(l *link) { l.Purpose = "cookie" }), "the past": change(func(l *link) { l.Until = time.Now().Unix() - 1 }),
		} {
			r := w.do(visitor, "GET", "/api/file?link="+url.QueryEscape(text), nil)
			if r.status != http.StatusGone || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || !strings.HasPrefix(r.body, "<!DOCTYPE html>") || !strings.Contains(r.body, "请回到微信重新打开附件") {
				t.Errorf("%s: %d %s", what, r.status, r.body)
			}
		}
		// It is no session.
		expect(t, "as a token", w.do(&caller{bearer: sealed}, "GET", "/api/member/me", nil), 401, "unauthenticated")
		w.do(boss, "POST", "/api/console/records/sanction/delete", map[string]any{"ids": []string{id}}).into(t, &struct{}{})
		if r := w.do(visitor, "GET", made.URL, nil); r.status != http.StatusNotFound || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("of a deleted record: %d %s", r.status, r.body)
		}
	})
	t.Run("PLUS-50 one's own upload that no record names has an address too", func(t *testing.T) {
		var own struct{ ID string }
		w.do(&w.m1.caller, "POST", "/api/member/records/suggestion/upload?field=images", upload{"图.png", dot(t)}).into(t, &own)
		var made struct{ URL string }
		ask(&w.m1.caller, "suggestion", "", own.ID).into(t, &made)
		if r := w.do(visitor, "GET", made.URL, nil); r.status != http.StatusOK || r.body != string(dot(t)) {
			t.Errorf("%d", r.status)
		}
		expect(t, "somebody else", ask(&w.m2.caller, "suggestion", "", own.ID), 404, "not_found")
	})
}
