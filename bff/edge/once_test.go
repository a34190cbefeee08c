package edge

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/rpc/kit"
)

// TestOnce: a write that a bad network or an impatient finger sends again (PLUS-39).
func TestOnce(t *testing.T) {
	w := newWorld(t)
	boss := w.admin(t, "boss", "own", "*")
	deputy := w.admin(t, "deputy", "own", "*")
	m2 := w.m2
	count := func(t *testing.T, collection, field, value string) int64 {
		t.Helper()
		n, err := w.platform.DB.Collection(collection).CountDocuments(t.Context(), bson.D{{Key: field, Value: value}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	now := time.Now()
	// The forms that made two records, each of a name of its own.
	forms := []struct {
		title, path, collection, field string
		by                             *caller
		body                           func(name string) map[string]any
	}{
		{"suggestions", "/api/member/records/suggestion", "suggestions", "title", &w.m1.caller, func(n string) map[string]any {
			return map[string]any{"title": n, "content": "路灯坏了"}
		}},
		{"help", "/api/member/records/helpRequest", "helpRequests", "title", &w.m1.caller, func(n string) map[string]any {
			return map[string]any{"title": n, "content": "行动不便"}
		}},
		{"contacts", "/api/member/records/memberContact", "memberContacts", "name", &w.m1.caller, func(n string) map[string]any {
			return map[string]any{"name": n, "relation": "邻居", "phone": "13800138000"}
		}},
		{"sanctions", "/api/console/records/sanction", "sanctions", "reason", boss, func(n string) map[string]any {
			return map[string]any{"memberId": w.m1.id, "sanctionType": "warning", "authority": "试验党委", "sanctionedOn": "2026-03-01", "reason": n}
		}},
		{"meetings", "/api/console/records/meeting", "meetings", "title", boss, func(n string) map[string]any {
			return map[string]any{"title": n, "meetingType": "branch", "meetingForm": "onlineMeeting", "needSignIn": true, "noticeForm": []string{"site"},
				"startAt": now.Add(time.Hour).Format(time.RFC3339), "endAt": now.Add(2 * time.Hour).Format(time.RFC3339), "participantIds": []string{w.m1.id}}
		}},
	}
	for i, f := range forms {
		t.Run("PLUS-39 "+f.title+" sent many times at once, and again, are one, and all answers are equal", func(t *testing.T) {
			name, key := fmt.Sprint("并发", i), fmt.Sprint("parallel-", i)
			answers := make([]reply, 8)
			var all kit.Group
			for n := range answers {
				all.Go("send", func() error {
					answers[n] = w.do(f.by, "POST", f.path, f.body(name), keyHeader, key)
					return nil
				})
			}
			if err := all.Wait(); err != nil {
				t.Fatal(err)
			}
			answers = append(answers, w.do(f.by, "POST", f.path, f.body(name), keyHeader, key))
			for _, a := range answers {
				if a.status != http.StatusOK || a.body != answers[0].body || a.header.Get("Content-Type") != answers[0].header.Get("Content-Type") {
					t.Errorf("%d %s, the first got %s", a.status, a.body, answers[0].body)
				}
			}
			if n := count(t, f.collection, f.field, name); n != 1 {
				t.Errorf("%d records", n)
			}
		})
		t.Run("PLUS-39 "+f.title+" without a key, or with another one, are as many as were sent", func(t *testing.T) {
			name := fmt.Sprint("各自", i)
			for _, headers := range [][]string{nil, nil, {keyHeader, fmt.Sprint("one-of-", i)}, {keyHeader, fmt.Sprint("two-of-", i)}} {
				if a := w.do(f.by, "POST", f.path, f.body(name), headers...); a.status != http.StatusOK {
					t.Fatalf("%d %s", a.status, a.body)
				}
			}
			if n := count(t, f.collection, f.field, name); n != 4 {
				t.Errorf("%d records", n)
			}
		})
		t.Run("PLUS-39 "+f.title+": another body under the key is refused, a corrected form is taken", func(t *testing.T) {
			name, key := fmt.Sprint("改正", i), fmt.Sprint("corrected-", i)
			wrong := f.body(name)
			delete(wrong, f.field)
			if a := w.do(f.by, "POST", f.path, wrong, keyHeader, key); a.status != http.StatusBadRequest {
				t.Fatalf("%d %s", a.status, a.body)
			}
			first := w.do(f.by, "POST", f.path, f.body(name), keyHeader, key)
			if first.status != http.StatusOK {
				t.Fatalf("after a refusal: %d %s", first.status, first.body)
			}
			if a := w.do(f.by, "POST", f.path, f.body(name+"又"), keyHeader, key); a.status != 422 || a.key() != "once.other" {
				t.Errorf("another body: %d %s", a.status, a.body)
			}
			if n := count(t, f.collection, f.field, name+"又"); n != 0 {
				t.Errorf("%d of the other", n)
			}
		})
	}
	t.Run("PLUS-39 a key is of its caller, and of what it was sent to", func(t *testing.T) {
		const key = "everybody's"
		letter := map[string]any{"title": "同名", "content": "x"}
		for _, by := range []*caller{&w.m1.caller, &m2.caller} {
			for _, path := range []string{"suggestion", "helpRequest"} {
				if a := w.do(by, "POST", "/api/member/records/"+path, letter, keyHeader, key); a.status != http.StatusOK {
					t.Fatalf("%d %s", a.status, a.body)
				}
			}
		}
		if s, h := count(t, "suggestions", "title", "同名"), count(t, "helpRequests", "title", "同名"); s != 2 || h != 2 {
			t.Errorf("%d suggestions, %d calls for help", s, h)
		}
		note := map[string]any{"title": "同名", "noteDate": "2026-03-01", "content": "<p>x</p>"}
		for _, by := range []*caller{boss, deputy} {
			if a := w.do(by, "POST", "/api/console/records/notebookEntry", note, keyHeader, key); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
	})
	t.Run("PLUS-39 a change, a deletion and an import sent twice happen once", func(t *testing.T) {
		note := map[string]any{"title": "改一次", "noteDate": "2026-03-01", "content": "<p>x</p>"}
		id := w.create(t, boss, "notebookEntry", note)
		note["version"], note["title"] = 1, "改了"
		one := w.do(boss, "PUT", "/api/console/records/notebookEntry/"+id, note, keyHeader, "change-it")
		two := w.do(boss, "PUT", "/api/console/records/notebookEntry/"+id, note, keyHeader, "change-it")
		if one.status != http.StatusOK || two.status != http.StatusOK || one.body != two.body {
			t.Errorf("%d %s\n%d %s", one.status, one.body, two.status, two.body)
		}
		for range 2 {
			if a := w.do(boss, "POST", "/api/console/records/notebookEntry/delete", map[string]any{"ids": []string{id}}, keyHeader, "delete-it"); a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
		sheet := w.do(boss, "GET", "/api/console/records/member/template", nil)
		one = w.do(boss, "POST", "/api/console/records/member/import", upload{"人.xlsx", []byte(sheet.body)}, keyHeader, "import-it")
		two = w.do(boss, "POST", "/api/console/records/member/import", upload{"人.xlsx", []byte(sheet.body)}, keyHeader, "import-it")
		if one.status != http.StatusOK || one.body != two.body {
			t.Errorf("%d %s\n%d %s", one.status, one.body, two.status, two.body)
		}
		if a := w.do(boss, "POST", "/api/console/records/member/import", upload{"人.xlsx", []byte(sheet.body + "x")}, keyHeader, "import-it"); a.status != 422 {
			t.Errorf("another file: %d %s", a.status, a.body)
		}
	})
	t.Run("PLUS-39 whoever lost the right meanwhile gets no kept answer", func(t *testing.T) {
		note := map[string]any{"title": "一次", "noteDate": "2026-03-01", "content": "<p>x</p>"}
		if a := w.do(boss, "POST", "/api/console/records/notebookEntry", note, keyHeader, "was-allowed"); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		out := *boss
		out.cookie = "gone"
		if a := w.do(&out, "POST", "/api/console/records/notebookEntry", note, keyHeader, "was-allowed"); a.status != http.StatusUnauthorized {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("PLUS-39 what is no key is refused before anything happens", func(t *testing.T) {
		for _, key := range []string{"short", strings.Repeat("x", 65), "with a blank", "汉字汉字汉字"} {
			if a := w.do(&w.m1.caller, "POST", "/api/member/records/suggestion", map[string]any{"title": "无键", "content": "x"}, keyHeader, key); a.key() != "once.key" {
				t.Errorf("%q: %d %s", key, a.status, a.body)
			}
		}
		if n := count(t, "suggestions", "title", "无键"); n != 0 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("PLUS-39 kept answers are sealed, bounded and gone after a day", func(t *testing.T) {
		long := map[string]any{"title": "长文", "noteDate": "2026-03-01", "content": "<p>" + strings.Repeat("长", answerMost/3) + "</p>"}
		one := w.do(boss, "POST", "/api/console/records/notebookEntry", long, keyHeader, "long-answer")
		two := w.do(boss, "POST", "/api/console/records/notebookEntry", long, keyHeader, "long-answer")
		var a, b struct {
			ID      string
			Version int64
		}
		one.into(t, &a)
		two.into(t, &b)
		if a != b || a.ID == "" || len(two.body) > 200 {
			t.Errorf("%+v, then %.200s", a, two.body)
		}
		var kept answer
		err := w.platform.DB.Collection("answers").FindOne(t.Context(), bson.D{{Key: "done", Value: true}}).Decode(&kept)
		if err != nil || strings.Contains(kept.Body, "{") || len(kept.Body) > answerMost*2 {
			t.Errorf("%+v %v", kept, err)
		}
		specs, err := w.platform.DB.Collection("answers").Indexes().ListSpecifications(t.Context())
		if err != nil || len(specs) != 2 || specs[1].ExpireAfterSeconds == nil || *specs[1].ExpireAfterSeconds != 24*60*60 {
			t.Errorf("%+v %v", specs, err)
		}
	})
}

// TestOnceOutcomes: what a handler's end means for its key.
func TestOnceOutcomes(t *testing.T) {
	w := newWorld(t)
	r := route.Route{Method: "POST", Path: "/api/console/x", Access: route.Console}
	ask := func(key string, serve app.HandlerFunc) *app.RequestContext {
		c := w.server.Engine.NewContext()
		c.Request.Header.SetMethod("POST")
		c.Request.SetRequestURI(r.Path)
		c.Request.Header.Set(keyHeader, key)
		ctx, cancel := context.WithTimeout(kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: "u"}), time.Second)
		defer cancel()
		w.once(ctx, c, r, serve)
		return c
	}
	never := func(context.Context, *app.RequestContext) { t.Error("done again") }
	fails := func(err error) app.HandlerFunc {
		return func(ctx context.Context, c *app.RequestContext) { route.Fail(ctx, c, err) }
	}
	done := func(ctx context.Context, c *app.RequestContext) { route.Answer(ctx, c, map[string]int{"n": 1}) }

	for _, err := range []error{kit.ErrInvalid, kit.ErrForbidden, kit.ErrConflict, kit.ErrTooMany, kit.ErrInternal} {
		key := "refused-" + kit.FromError(err).Key
		ask(key, fails(err))
		if c := ask(key, done); c.Response.StatusCode() != http.StatusOK {
			t.Errorf("after %v: %s", err, c.Response.Body())
		}
		ask(key, never)
	}
	// Out of time, it may still happen; and a node that stops says nothing at all.
	ask("out-of-time", fails(kit.ErrTimeout))
	if c := ask("out-of-time", never); route.FailureOf(c) == nil || route.FailureOf(c).Key != "once.running" || c.Response.Header.Get("Retry-After") != "1" {
		t.Errorf("%s", c.Response.Body())
	}
	if _, err := w.platform.DB.Collection("answers").UpdateMany(t.Context(), bson.D{{Key: "done", Value: false}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: time.Now().Add(-time.Second)}}}}); err != nil {
		t.Fatal(err)
	}
	if c := ask("out-of-time", never); route.FailureOf(c) == nil || route.FailureOf(c).Key != "once.unknown" {
		t.Errorf("%s", c.Response.Body())
	}
}
