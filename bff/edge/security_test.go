package edge

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/conf"
	"zhihuidangjian/job/outbox"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/suite"
)

// eventually waits for what the product does by itself.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !f(); time.Sleep(20 * time.Millisecond) { // polls a condition
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// importState is what an import answers.
type importState struct {
	ID, State, Message         string
	SuccessCount, FailureCount int
	Failures                   []struct{ Reason string }
}

// imports uploads a file and waits for its end.
func (w *world) imports(t *testing.T, c *caller, typ, name string, data []byte) importState {
	t.Helper()
	var b importState
	w.do(c, "POST", "/api/console/records/"+typ+"/import", upload{name, data}).into(t, &b)
	eventually(t, "the import ends", func() bool {
		w.do(c, "GET", "/api/console/records/"+typ+"/imports/"+b.ID, nil).into(t, &b)
		return b.State == "finished" || b.State == "failed"
	})
	return b
}

// memberSheet is the members' template with rows filled in, by title.
func (w *world) memberSheet(t *testing.T, change func(*excelize.File), rows ...map[string]string) []byte {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(w.do(w.top, "GET", "/api/console/records/member/template", nil).body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head, err := f.GetRows("导入模板")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		for c, title := range head[0] {
			cell, _ := excelize.CoordinatesToCellName(c+1, i+2)
			if err := f.SetCellStr("导入模板", cell, row[title]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if change != nil {
		change(f)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func memberRow(p person, branch string) map[string]string {
	return map[string]string{
		"姓名": p.name, "身份证号": p.idNumber, "手机号": p.phone, "所在支部": branch, "党员类型": "正式党员", "入党日期": "2010-07-01", "转正日期": "2011-07-01",
	}
}

// rezip copies a workbook; change returns a part's new content, nil to leave it out.
func rezip(t *testing.T, data []byte, change func(name string, content []byte) []byte, more map[string]string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	put := func(name string, content []byte) {
		f, err := out.Create(name)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range in.File {
		r, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		var content bytes.Buffer
		if _, err := content.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		if c := change(p.Name, content.Bytes()); c != nil {
			put(p.Name, c)
		}
	}
	for name, content := range more {
		put(name, []byte(content))
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// list is a page of records.
func (w *world) list(t *testing.T, c *caller, typ, query string) (items []map[string]any) {
	t.Helper()
	var p struct{ Items []map[string]any }
	w.do(c, "GET", "/api/console/records/"+typ+"?"+query, nil).into(t, &p)
	return p.Items
}

// get is one record.
func (w *world) get(t *testing.T, c *caller, typ, id string) (row map[string]any) {
	t.Helper()
	w.do(c, "GET", "/api/console/records/"+typ+"/"+id, nil).into(t, &row)
	return row
}

func expect(t *testing.T, what string, r reply, status int, key string) {
	t.Helper()
	if r.status != status || key != "" && r.key() != key {
		t.Errorf("%s: got %d %.300s, want %d %s", what, r.status, r.body, status, key)
	}
}

// TestSecurityAudit has one negative test for each line of "Its security audit" in
// spec/trust.md, by the names used there.
func TestSecurityAudit(t *testing.T) {
	w := newMatrixWorld(t)
	own, sibling, m1, m2 := w.by["own"], w.by["sibling"], w.by["member"], w.by["other"]
	changing := func(access route.Access, f func(r route.Route, path string)) {
		for _, r := range w.Routes() {
			if r.Access == access && r.Method != "GET" && !strings.HasSuffix(r.Path, "/logout") {
				path := strings.NewReplacer(":type", "member", ":memberId", w.m1.id, ":id", w.ids["order"], ":action", "none").Replace(r.Path)
				f(r, path)
			}
		}
	}

	t.Run("approve-registration checks login only", func(t *testing.T) {
		changing(route.Console, func(r route.Route, path string) {
			expect(t, "no session "+path, w.do(&caller{}, r.Method, path, `{}`), 401, "unauthenticated")
			expect(t, "a member's session as the admin's "+path, w.do(&caller{cookie: m1.bearer}, r.Method, path, `{}`), 401, "unauthenticated")
			expect(t, "a member's token "+path, w.do(m1, r.Method, path, `{}`), 401, "unauthenticated")
			if r.Permission() != "" {
				w.lack(t, func(p string) bool { return p == r.Permission() })
				expect(t, "logged in only "+path, w.do(w.by["bare"], r.Method, path, `{}`), 403, "forbidden")
			}
		})
		changing(route.Phone, func(r route.Route, path string) {
			expect(t, "no session "+path, w.do(&caller{}, r.Method, path, `{}`), 401, "unauthenticated")
			expect(t, "an admin's token "+path, w.do(&caller{bearer: own.cookie}, r.Method, path, `{}`), 401, "unauthenticated")
		})
	})

	t.Run("workflow submit and review are not scoped", func(t *testing.T) {
		before := w.snapshot(t)
		for _, name := range []string{"sibling", "child"} {
			c := w.by[name]
			for _, ask := range []struct{ method, path, body string }{
				{"POST", "records/meeting/$draft/actions/start", ""}, {"GET", "meetings/$meeting/qr", ""}, {"GET", "meetings/$meeting/live", ""},
				{"GET", "meetings/$meeting/live/stream", ""}, {"GET", "meetings/$meeting/statistics", ""}, {"GET", "meetings/$meeting/statistics/export", ""},
				{"GET", "dues/orders/$order", ""}, {"POST", "dues/orders/$order/cash", ""}, {"POST", "dues/orders/$order/native", ""},
				{"POST", "records/duesOrder/$order/actions/delete", ""}, {"POST", "records/duesOrder/$order/actions/reverse", `{"reason":"x"}`}, {"GET", "dues/orders/$order/receipt", ""},
				{"POST", "dues/orders", `{"memberId":"$m1","toMonth":"$month"}`}, {"GET", "dues/owed?memberId=$m1", ""},
				{"POST", "dues/base-preview", `{"memberId":"$m1","baseAmount":1}`},
				{"POST", "records/member/$m1/actions/unbind", ""}, {"POST", "records/member/$m1/reveal", ""},
				{"GET", "points/entries?id=$m1", ""}, {"GET", "points/ranking?orgId=$own", ""}, {"GET", "statistics?orgId=$own", ""}, {"GET", "tree?orgId=$own", ""},
				{"GET", "records/member/$m1", ""}, {"PUT", "records/member/$m1", `{"name":"改名","version":1}`}, {"POST", "records/member/delete", `{"ids":["$m1"]}`},
				{"GET", "records/member?orgId=$own", ""}, {"GET", "records/member/export?orgId=$own", ""}, {"GET", "records/meeting/$draft", ""},
				{"POST", "records/meeting/delete", `{"ids":["$draft"]}`}, {"GET", "records/duesOrder/$order", ""}, {"GET", "records/duesOrder/export?orgId=$own", ""},
			} {
				expect(t, name+" "+ask.path, w.do(c, ask.method, "/api/console/"+w.fill(ask.path), w.fill(ask.body)), 404, "")
			}
			// A list of ids with one of one's own among them deletes neither.
			mine := w.create(t, w.top, "member", memberForm(w.invent("自己"), w.org[name]))
			expect(t, name+" deletes both", w.do(c, "POST", "/api/console/records/member/delete", map[string]any{"ids": []string{mine, w.m1.id}}), 404, "not_found")
			w.get(t, c, "member", mine)
			for _, typ := range []string{"member", "meeting", "duesOrder", "duesBase", "binding", "user", "organization"} {
				for _, row := range w.list(t, c, typ, "size=100") {
					if id := row["id"]; id == w.m1.id || id == w.ids["draft"] || id == w.ids["order"] || id == w.org["own"] {
						t.Errorf("%s lists %s of own", name, typ)
					}
				}
			}
		}
		if after := w.snapshot(t); !maps.Equal(before, after) {
			t.Errorf("something changed all the same:\n%v\n%v", before, after)
		}
	})

	t.Run("role assignment is open to any login", func(t *testing.T) {
		c := w.admin(t, "clerk", "own", "member.view", "user.view")
		boss := w.admin(t, "boss", "own", "*")
		bossID := w.userID(t, "boss")
		clerkID := w.userID(t, "clerk")
		doc := w.get(t, own, "user", clerkID)
		doc["permissions"] = []string{"*"}
		expect(t, "without user.update", w.do(c, "PUT", "/api/console/records/user/"+clerkID, doc), 403, "forbidden")
		expect(t, "without user.create", w.do(c, "POST", "/api/console/records/user", userForm("friend", w.org["own"], "*")), 403, "forbidden")

		hr := w.admin(t, "hr", "own", "user.view", "user.create", "user.update", "user.delete")
		hrID := w.userID(t, "hr")
		expect(t, "for others more than one has", w.do(hr, "POST", "/api/console/records/user", userForm("friend", w.org["own"], "member.view")), 400, "invalid")
		doc = w.get(t, hr, "user", hrID)
		doc["permissions"] = []string{"user.view", "*"}
		expect(t, "for oneself", w.do(hr, "PUT", "/api/console/records/user/"+hrID, doc), 400, "invalid")
		for _, org := range []string{"sibling", "parent", "root"} {
			if r := w.do(hr, "POST", "/api/console/records/user", userForm("far-"+org, w.org[org], "user.view")); r.status == 200 {
				t.Errorf("a user of %s was made", org)
			}
		}
		doc = w.get(t, hr, "user", hrID)
		doc["orgId"] = w.org["root"]
		if r := w.do(hr, "PUT", "/api/console/records/user/"+hrID, doc); r.status == 200 {
			t.Error("moved himself to the root")
		}
		doc = w.get(t, hr, "user", bossID)
		doc["password"] = "Stolen#2026x"
		expect(t, "a stronger one's password", w.do(hr, "PUT", "/api/console/records/user/"+bossID, doc), 400, "invalid")
		expect(t, "deletes a stronger one", w.do(hr, "POST", "/api/console/records/user/delete", map[string]any{"ids": []string{bossID}}), 409, "")
		expect(t, "the stronger one is still there", w.do(boss, "GET", "/api/console/me", nil), 200, "")
		// Fields that no form has are not taken from one.
		doc = userForm("smuggler", w.org["own"], "user.view")
		maps.Copy(doc, map[string]any{"passwordHash": "x", "orgs": []string{"root"}, "topLevel": true, "id": "mine", "createdBy": "x"})
		id := w.create(t, hr, "user", doc)
		s := w.login(t, "smuggler", rootPassword)
		var me struct {
			OrgID    string
			TopLevel bool
		}
		w.do(s, "GET", "/api/console/me", nil).into(t, &me)
		if id == "mine" || me.OrgID != w.org["own"] || me.TopLevel {
			t.Errorf("smuggled %s %+v", id, me)
		}
	})

	t.Run("an applicant can read others' workflow by id", func(t *testing.T) {
		for _, path := range []string{"dues/orders/$order", "meetings/$meeting"} {
			expect(t, path, w.do(m1, "GET", "/api/member/"+w.fill(path), nil), 200, "")
			expect(t, "another's "+path, w.do(m2, "GET", "/api/member/"+w.fill(path), nil), 404, "not_found")
		}
		expect(t, "a draft", w.do(m1, "GET", "/api/member/meetings/"+w.ids["draft"], nil), 404, "not_found")
		expect(t, "another's notice", w.do(m2, "POST", "/api/member/notifications/"+w.ids["notice"]+"/read", nil), 404, "not_found")
		for _, path := range []string{"dues", "meetings", "notifications", "points", "ranking", "profile", "organization"} {
			r := w.do(m2, "GET", "/api/member/"+path+"?memberId="+w.m1.id+"&orgId="+w.org["own"]+"&id="+w.m1.id, nil)
			if r.status != 200 || strings.Contains(r.body, w.m1.id) || strings.Contains(r.body, w.m1.person.name) || strings.Contains(r.body, w.ids["order"]) {
				t.Errorf("%s shows another's: %d %s", path, r.status, r.body)
			}
		}
	})

	t.Run("uploads go into others' records", func(t *testing.T) {
		sheet := w.memberSheet(t, nil, memberRow(w.invent("外来"), "组织sibling"), memberRow(w.invent("自家"), "组织own"))
		expect(t, "into a sibling", w.do(own, "POST", "/api/console/records/member/import?orgId="+w.org["sibling"], upload{"x.xlsx", sheet}), 404, "not_found")
		b := w.imports(t, own, "member", "党员.xlsx", sheet)
		if b.SuccessCount != 1 || b.FailureCount != 1 || !strings.Contains(b.Failures[0].Reason, "不在管理范围内") {
			t.Errorf("%+v", b)
		}
		for _, c := range []*caller{sibling, w.by["parent"], w.top, w.admin(t, "colleague", "own", "*")} {
			expect(t, "another's upload", w.do(c, "GET", "/api/console/records/member/imports/"+b.ID, nil), 404, "not_found")
			expect(t, "another's failures", w.do(c, "GET", "/api/console/records/member/imports/"+b.ID+"/failures", nil), 404, "not_found")
		}
		expect(t, "by the way of another type", w.do(own, "GET", "/api/console/records/organization/imports/"+b.ID, nil), 404, "not_found")
		doc := w.get(t, own, "member", w.m1.id)
		doc["orgId"] = w.org["sibling"]
		expect(t, "a member of one's own into a sibling", w.do(own, "PUT", "/api/console/records/member/"+w.m1.id, doc), 400, "invalid")
		expect(t, "a new one", w.do(own, "POST", "/api/console/records/member", memberForm(w.invent("新人"), w.org["sibling"])), 400, "invalid")
		if w.memberNow(t, w.m1.id).OrgId != w.org["own"] {
			t.Error("the member moved")
		}
		form := map[string]any{
			"title": "会议", "meetingType": "branch", "meetingForm": "offline", "place": "x", "agenda": "x", "startAt": "2026-12-01 09:00", "endAt": "2026-12-01 10:00",
			"needSignIn": true, "noticeForm": []string{"site"}, "participantIds": []string{w.m2.id},
		}
		expect(t, "a meeting of another's members", w.do(own, "POST", "/api/console/records/meeting", form), 400, "invalid")
	})

	t.Run("public registration resets a preset account's password", func(t *testing.T) {
		// Binding is the only thing that a stranger can do. He knows all about m1 but has
		// not his phone; and about an admin who is a member too.
		thief := w.newPhone(t)
		w.advance(t, 61*time.Second) // a phone is sent one code a minute
		expect(t, "a code for one who is bound", w.do(&thief.caller, "POST", "/api/member/bind-code", bindForm(w.m1.person, "")), 409, "bind.taken")
		expect(t, "a guessed code", w.do(&thief.caller, "POST", "/api/member/bind", bindForm(w.m1.person, "000000")), 400, "bind.code")

		fresh := w.invent("用户matrix-own")
		fresh.id = w.create(t, w.top, "member", memberForm(fresh, w.org["own"]))
		first, second := w.newPhone(t), w.newPhone(t)
		w.do(&first.caller, "POST", "/api/member/bind-code", bindForm(fresh, "")).into(t, &struct{}{})
		code := w.sms(t, fresh.phone)
		expect(t, "another's code", w.do(&second.caller, "POST", "/api/member/bind", bindForm(fresh, code)), 400, "bind.code")
		w.advance(t, 61*time.Second)
		w.do(&second.caller, "POST", "/api/member/bind-code", bindForm(fresh, "")).into(t, &struct{}{})
		late := w.sms(t, fresh.phone)
		expect(t, "the first", w.do(&first.caller, "POST", "/api/member/bind", bindForm(fresh, code)), 200, "")
		expect(t, "one who had his code before", w.do(&second.caller, "POST", "/api/member/bind", bindForm(fresh, late)), 409, "bind.taken")
		if got := w.memberNow(t, fresh.id).OpenId; got != first.openID {
			t.Errorf("bound to %s, not to the first", got)
		}
		victim := w.invent("猜测")
		w.create(t, w.top, "member", memberForm(victim, w.org["own"]))
		guesser := w.newPhone(t)
		w.do(&guesser.caller, "POST", "/api/member/bind-code", bindForm(victim, "")).into(t, &struct{}{})
		right := w.sms(t, victim.phone)
		for i := range 5 {
			wrong := fmt.Sprintf("%06d", i)
			if wrong == right {
				wrong = "999999"
			}
			expect(t, "a wrong code", w.do(&guesser.caller, "POST", "/api/member/bind", bindForm(victim, wrong)), 400, "bind.code")
		}
		expect(t, "the right one too late", w.do(&guesser.caller, "POST", "/api/member/bind", bindForm(victim, right)), 400, "bind.code")
		for _, r := range w.Routes() {
			if r.Access == route.Public && r.Method != "GET" && !slices.Contains([]string{
				"/api/console/captcha", "/api/console/captcha/solve", "/api/console/login", "/api/member/mini-login"}, r.Path) {
				t.Errorf("%s is open to everybody", r.Path)
			}
		}
		w.login(t, "matrix-own", rootPassword) // as it was
		expect(t, "the admin with the member's phone", w.do(&first.caller, "GET", "/api/console/me", nil), 401, "unauthenticated")
	})

	t.Run("default JWT secret and unsalted SHA-256", func(t *testing.T) {
		real := func(change func(*conf.Config)) error {
			c := conf.Default()
			c.PublicURL, c.DataKey = "https://dangjian.example", "Kq8#vT2m!Zr5w@Lp9^Xs4d&Hn7*Bj3f+"
			c.WeChat.AppID, c.WeChat.AppSecret = "wx1", "secret"
			c.SMS = conf.SMS{AccessKeyID: "id", AccessKeySecret: "secret", SignName: "智慧党建"}
			change(&c)
			return c.Validate()
		}
		if err := real(func(*conf.Config) {}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{
			"", "short", strings.Repeat("a", 64), strings.Repeat("0123456789", 4), strings.Repeat("changeme", 5),
			"change-me-to-a-secret-of-32-bytes!!", "your-secret-key-your-secret-key-xx", "abcdefghijklmnopqrstuvwxyz0123456789",
		} {
			if real(func(c *conf.Config) { c.DataKey = key }) == nil {
				t.Errorf("the key %q starts", key)
			}
		}
		if real(func(c *conf.Config) { c.PublicURL = "http://dangjian.example" }) == nil {
			t.Error("passwords travel in the clear")
		}
		if real(func(c *conf.Config) { c.SandboxURL = "http://127.0.0.1:1" }) == nil {
			t.Error("a sandbox beside real credentials")
		}
		for _, weak := range []string{"admin", "12345678", "password", "Aa1aaaa", "zhihuidangjian"} {
			c := conf.Default()
			c.Data, c.AdminPassword, c.Demo, c.PublicURL = t.TempDir(), weak, false, "http://"+c.Addr
			p, err := suite.Open(c, true)
			if err != nil {
				t.Fatal(err)
			}
			s, err := suite.Local(p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Prepare(t.Context()); err == nil {
				t.Errorf("the first admin has the password %q", weak)
			}
			s.Close()
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		cur, err := w.platform.DB.Collection("users").Find(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		var users []struct{ PasswordHash string }
		if err := cur.All(t.Context(), &users); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, u := range users { // all of them have the same password
			if !strings.HasPrefix(u.PasswordHash, "$argon2id$v=19$m=7168,t=5,p=1$") || seen[u.PasswordHash] {
				t.Errorf("hash %q", u.PasswordHash)
			}
			seen[u.PasswordHash] = true
		}
		if len(seen) < 5 {
			t.Error("too few users to tell")
		}
		keys, err := w.platform.Redis.Keys(t.Context(), "*").Result()
		if err != nil || strings.Contains(strings.Join(keys, " "), own.cookie) {
			t.Errorf("a session's token can be read in the store (%v)", err)
		}
	})

	t.Run("/uploads is served publicly", func(t *testing.T) {
		for _, path := range []string{
			"/uploads", "/uploads/", "/uploads/1.xlsx", "/data", "/data/", "/data/data.key", "/data.key", "/sandbox.json", "/assets", "/assets/", "/console/assets", "/console/assets/",
			"/m/static", "/m/static/", "/.git/config", "/.env", "/go.mod", "/debug/pprof/", "/debug/vars", "/api", "/api/", "/console/../../go.mod", "/m/../../../../../../etc/passwd",
			"/m/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/m/..%2f..%2f..%2f..%2fetc%2fpasswd", "/console/..%5c..%5cgo.mod", "/m//etc/passwd", "/m/static/../../../edge.go",
			"/console/%00", "/m/index.html/../../edge.go", "//etc/passwd", "/%252e%252e/%252e%252e/etc/passwd",
		} {
			r := w.do(&caller{}, "GET", path, nil)
			if r.status == 200 || strings.Contains(r.body, "root:") || strings.Contains(r.body, "module zhihui") {
				t.Errorf("%s: %d %.200s", path, r.status, r.body)
			}
		}
	})

	t.Run("/api/users returns everyone", func(t *testing.T) {
		expect(t, "/api/users", w.do(own, "GET", "/api/users", nil), 404, "")
		names := func(c *caller) (out []string) {
			for _, u := range w.list(t, c, "user", "size=100") {
				out = append(out, u["userName"].(string))
			}
			return out
		}
		if got := names(w.by["child"]); !slices.Equal(got, []string{"matrix-child"}) {
			t.Errorf("child sees the users %v", got)
		}
		if got := names(sibling); !slices.Equal(got, []string{"matrix-sibling"}) {
			t.Errorf("sibling sees the users %v", got)
		}
		all := w.do(w.top, "GET", "/api/console/records/user?size=100", nil)
		if strings.Contains(all.body, "argon2id") || strings.Contains(all.body, "passwordHash") || strings.Contains(all.body, rootPassword) {
			t.Error("the list of users shows passwords")
		}
		// Personal fields are masked whoever looks; revealing is a right and a line in the audit.
		for _, path := range []string{"", "/" + w.m1.id, "?keyword=" + w.m1.idNumber, "?f.phone=" + w.m1.phone} {
			r := w.do(w.top, "GET", "/api/console/records/member"+path, nil)
			if r.status != 200 || !strings.Contains(r.body, w.m1.id) || strings.Contains(r.body, w.m1.idNumber) || strings.Contains(r.body, w.m1.phone) {
				t.Errorf("%s: %d %s", path, r.status, r.body)
			}
		}
		reader := w.admin(t, "reader", "own", "member.view", "member.export")
		sheet := w.do(reader, "GET", "/api/console/records/member/export", nil)
		if text := cellsOf(t, sheet.body); sheet.status != 200 || strings.Contains(text, w.m1.idNumber) || strings.Contains(text, w.m1.phone) || !strings.Contains(text, w.m1.person.name) {
			t.Errorf("the export: %d %s", sheet.status, text)
		}
		for _, c := range []*caller{m1, {}} {
			expect(t, "nobody's business", w.do(c, "GET", "/api/console/records/member", nil), 401, "unauthenticated")
		}
		if r := w.do(m1, "GET", "/api/member/profile", nil); strings.Contains(r.body, w.m1.idNumber) || strings.Contains(r.body, w.m1.phone) {
			t.Error("a lent phone shows everything")
		}
	})

	t.Run("the PC upload path skips type rules", func(t *testing.T) {
		good := func() []byte { return w.memberSheet(t, nil, memberRow(w.invent("好人"), "组织own")) }
		asIs := func(_ string, b []byte) []byte { return b }
		sheet := func(name string) bool { return strings.HasPrefix(name, "xl/worksheets/sheet1") }
		formula := func(f *excelize.File) {
			if err := f.SetCellFormula("导入模板", "A2", `HYPERLINK("http://evil.example","x")`); err != nil {
				t.Fatal(err)
			}
		}
		count := func() int { return len(w.list(t, own, "member", "size=100")) }
		was := count()
		for name, file := range map[string][]byte{
			"text":            []byte("姓名,身份证号\n张三,1"),
			"an old workbook": append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, make([]byte, 2000)...),
			"a program":       append([]byte("MZ"), make([]byte, 2000)...),
			"a page":          []byte("<html><script>alert(1)</script></html>"),
			"another archive": rezip(t, good(), func(string, []byte) []byte { return nil }, map[string]string{"a.txt": "x"}),
			"macros":          rezip(t, good(), asIs, map[string]string{"xl/vbaProject.bin": "macro"}),
			"macro sheets":    rezip(t, good(), asIs, map[string]string{"xl/macrosheets/sheet1.xml": "<x/>"}),
			"a macro type": rezip(t, good(), func(name string, b []byte) []byte {
				if name == "[Content_Types].xml" {
					return bytes.ReplaceAll(b, []byte("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"), []byte("application/vnd.ms-excel.sheet.macroEnabled.main+xml"))
				}
				return b
			}, nil),
			"a bomb": rezip(t, good(), asIs, map[string]string{"xl/media/zeros.bin": strings.Repeat("\x00", 110<<20)}),
			"a bomb of a sheet": rezip(t, good(), func(name string, b []byte) []byte {
				if sheet(name) {
					return bytes.Repeat([]byte(" "), 110<<20)
				}
				return b
			}, nil),
			"many parts": rezip(t, good(), asIs, func() map[string]string {
				m := map[string]string{}
				for i := range 2100 {
					m[fmt.Sprintf("x/%d", i)] = ""
				}
				return m
			}()),
			"entities": rezip(t, good(), func(name string, b []byte) []byte {
				if name == "xl/sharedStrings.xml" || sheet(name) {
					return append([]byte(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>`), bytes.TrimPrefix(b, []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`))...)
				}
				return b
			}, nil),
		} {
			if b := w.imports(t, own, "member", "党员.xlsx", file); b.State != "failed" || b.Message == "" || b.SuccessCount != 0 {
				t.Errorf("%s: %+v", name, b)
			}
		}
		if b := w.imports(t, own, "member", "党员.xlsx", w.memberSheet(t, formula, memberRow(w.invent("公式"), "组织own"))); b.SuccessCount != 0 || b.FailureCount != 1 || !strings.Contains(b.Failures[0].Reason, "公式") {
			t.Errorf("a formula: %+v", b)
		}
		// The same in a sheet that lies where sheets do not lie.
		moved := rezip(t, w.memberSheet(t, formula, memberRow(w.invent("挪动"), "组织own")), func(name string, b []byte) []byte {
			switch {
			case sheet(name):
				return nil
			case name == "xl/_rels/workbook.xml.rels" || name == "[Content_Types].xml":
				return bytes.ReplaceAll(b, []byte("worksheets/sheet1.xml"), []byte("elsewhere/one.xml"))
			}
			return b
		}, map[string]string{"xl/elsewhere/one.xml": partOf(t, w.memberSheet(t, formula, memberRow(w.invent("挪动"), "组织own")), "xl/worksheets/sheet1.xml")})
		if b := w.imports(t, own, "member", "党员.xlsx", moved); b.SuccessCount != 0 {
			t.Errorf("a formula elsewhere: %+v", b)
		}
		bad := []map[string]string{}
		for _, text := range []string{"=1+1", "+1", "-1", "@SUM(1)", "'=1+1"} {
			row := memberRow(w.invent(text), "组织own")
			bad = append(bad, row)
		}
		if b := w.imports(t, own, "member", "党员.xlsx", w.memberSheet(t, nil, bad...)); b.SuccessCount != 0 {
			t.Errorf("texts that become formulas: %+v", b)
		}
		expect(t, "too large", w.do(own, "POST", "/api/console/records/member/import", upload{"x.xlsx", make([]byte, importMost+1)}), 413, "too_large")
		expect(t, "nothing", w.do(own, "POST", "/api/console/records/member/import", upload{"x.xlsx", nil}), 400, "")
		if now := count(); now != was {
			t.Errorf("%d members more", now-was)
		}
		if b := w.imports(t, own, "member", "党员.xlsx", good()); b.SuccessCount != 1 {
			t.Errorf("a good one: %+v", b)
		}
	})

	t.Run("a review is several writes with no transaction", func(t *testing.T) {
		id := w.meeting(t)
		w.do(own, "POST", "/api/console/records/meeting/"+id+"/actions/start", nil).into(t, &struct{}{})
		var doc struct {
			State   string
			Pending []struct{ Kind string }
		}
		// Nothing follows here, as if the process had died with its answer: state, event and
		// what the audit says of it are in the one document all the same.
		one := w.platform.DB.Collection("meetings").FindOne(t.Context(), bson.D{{Key: "_id", Value: id}})
		if err := one.Decode(&doc); err != nil || doc.State != "started" || len(doc.Pending) != 3 || doc.Pending[1].Kind != model.EventTold || doc.Pending[2].Kind != model.EventAudited {
			t.Fatalf("%+v %v", doc, err)
		}
		told := func() (n int) {
			var list struct{ Notifications []struct{ TargetID string } }
			w.do(m1, "GET", "/api/member/notifications", nil).into(t, &list)
			for _, x := range list.Notifications {
				if x.TargetID == id {
					n++
				}
			}
			return n
		}
		if told() != 0 {
			t.Fatal("told without a relay")
		}
		for range 2 { // a restart, and another one
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				err := outbox.Run(ctx, outbox.Deps{DB: w.platform.DB, Redis: w.platform.Redis, Points: w.services.Points, Notify: w.services.Notify, Audit: w.services.Audit})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			})
			eventually(t, "the participants are told", func() bool { return told() == 1 })
			stop()
			wg.Wait()
		}
		if n := told(); n != 1 {
			t.Errorf("told %d times", n)
		}
	})

	t.Run("two reviewers overwrite each other", func(t *testing.T) {
		mine, hers := w.get(t, own, "member", w.m1.id), w.get(t, w.by["parent"], "member", w.m1.id)
		mine["position"], hers["position"] = "书记", "委员"
		path := "/api/console/records/member/" + w.m1.id
		expect(t, "the first", w.do(own, "PUT", path, mine), 200, "")
		r := w.do(w.by["parent"], "PUT", path, hers)
		expect(t, "the second", r, 409, "conflict")
		if !strings.Contains(r.body, "已被他人修改") {
			t.Errorf("she is told %s", r.body)
		}
		delete(hers, "version")
		expect(t, "without a version", w.do(w.by["parent"], "PUT", path, hers), 409, "conflict")
		if got := w.get(t, own, "member", w.m1.id)["position"]; got != "书记" {
			t.Errorf("the position is %v", got)
		}
		// At the same moment: one of many.
		now := w.get(t, own, "member", w.m1.id)
		var wg sync.WaitGroup
		var mu sync.Mutex
		status := map[int]int{}
		for i := range 8 {
			doc := maps.Clone(now)
			doc["position"] = fmt.Sprint("职务", i)
			wg.Go(func() {
				r := w.do(own, "PUT", path, doc)
				mu.Lock()
				defer mu.Unlock()
				status[r.status]++
			})
		}
		wg.Wait()
		if status[200] != 1 || status[409] != 7 {
			t.Errorf("answers %v", status)
		}
	})
}

// snapshot is what a stranger must not have changed.
func (w *matrixWorld) snapshot(t *testing.T) map[string]string {
	t.Helper()
	m := w.memberNow(t, w.m1.id)
	var order struct{ Status string }
	w.do(w.top, "GET", "/api/console/dues/orders/"+w.ids["order"], nil).into(t, &order)
	return map[string]string{
		"name": m.Name, "openId": m.OpenId, "order": order.Status,
		"draft": fmt.Sprint(w.get(t, w.top, "meeting", w.ids["draft"])["state"]),
	}
}

func (w *world) userID(t *testing.T, name string) string {
	t.Helper()
	for _, u := range w.list(t, w.top, "user", "size=100") {
		if u["userName"] == name {
			return u["id"].(string)
		}
	}
	t.Fatalf("there is no user %s", name)
	return ""
}

// cellsOf is all the text of a workbook.
func cellsOf(t *testing.T, data string) string {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(rows)
}

// partOf is one file of a workbook.
func partOf(t *testing.T, data []byte, name string) (content string) {
	t.Helper()
	rezip(t, data, func(n string, b []byte) []byte {
		if n == name {
			content = string(b)
		}
		return b
	}, nil)
	return content
}

// TestSessions is about whose a session is, and when it ends.
func TestSessions(t *testing.T) {
	w := newWorld(t)
	alive := func(c *caller) bool {
		w.forget(c)
		return w.do(c, "GET", "/api/console/me", nil).status == 200
	}
	t.Run("a form of another site changes nothing", func(t *testing.T) {
		c := *w.top
		c.noCSRF = true
		for _, r := range w.Routes() {
			if r.Access == route.Console && r.Method != "GET" {
				expect(t, r.Path, w.do(&c, r.Method, strings.ReplaceAll(r.Path, ":", ""), `{}`), 403, "csrf")
			}
			if r.Access == route.Phone && r.Method != "GET" {
				expect(t, r.Path, w.do(&caller{noCSRF: true}, r.Method, strings.ReplaceAll(r.Path, ":", ""), `{}`, "Cookie", "zd_member="+w.m1.bearer), 403, "csrf")
			}
		}
		// Nor does it log the browser in as somebody else.
		body := map[string]string{"userName": suite.AdminName, "password": rootPassword, "captchaToken": w.captcha(t)}
		r := w.do(&caller{noCSRF: true}, "POST", "/api/console/login", body)
		expect(t, "login", r, 403, "csrf")
		if r.cookieOf(adminCookie) != "" {
			t.Error("it set a session")
		}
		if !alive(w.top) {
			t.Error("the session is gone")
		}
	})
	t.Run("a session that somebody else chose is not taken over", func(t *testing.T) {
		planted := &caller{cookie: strings.Repeat("a", 52)}
		r := w.do(planted, "POST", "/api/console/login", map[string]string{"userName": suite.AdminName, "password": rootPassword, "captchaToken": w.captcha(t)})
		if got := r.cookieOf(adminCookie); r.status != 200 || got == "" || got == planted.cookie {
			t.Fatalf("%d %q", r.status, got)
		}
		if alive(planted) {
			t.Error("the planted session is the admin's")
		}
		for _, c := range (&http.Response{Header: r.header}).Cookies() {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
				t.Errorf("cookie %v", c)
			}
		}
		if strings.Contains(r.body, r.cookieOf(adminCookie)) {
			t.Error("scripts of the page can read the token")
		}
	})
	t.Run("a change of password ends every session of the user, and no other", func(t *testing.T) {
		a := w.admin(t, "changer", "own", "member.view")
		b, other := w.login(t, "changer", rootPassword), w.admin(t, "bystander", "own", "member.view")
		r := w.do(a, "POST", "/api/console/password", map[string]string{"oldPassword": rootPassword, "newPassword": "Another#2026"})
		expect(t, "change", r, 200, "")
		if alive(a) || alive(b) || !alive(other) {
			t.Errorf("alive: %v %v, other %v", alive(a), alive(b), alive(other))
		}
		if r := w.tryLogin(t, "10.0.0.1", "changer", rootPassword); r.status == 200 {
			t.Error("the old password logs in")
		}
	})
	t.Run("a user who is locked, deleted or given less is so at once", func(t *testing.T) {
		c := w.admin(t, "leaver", "own", "member.view", "member.export")
		id := w.userID(t, "leaver")
		change := func(key string, value any) {
			doc := w.get(t, w.top, "user", id)
			doc[key] = value
			expect(t, key, w.do(w.top, "PUT", "/api/console/records/user/"+id, doc), 200, "")
		}
		change("permissions", []string{"member.view"})
		w.forget(c)
		if r := w.do(c, "GET", "/api/console/records/member/export", nil); r.status == 200 {
			t.Error("he exports still")
		}
		c = w.login(t, "leaver", rootPassword)
		change("status", "disabled")
		if alive(c) || w.tryLogin(t, "10.0.0.1", "leaver", rootPassword).status == 200 {
			t.Error("locked, and in")
		}
		change("status", "enabled")
		c = w.login(t, "leaver", rootPassword)
		expect(t, "delete", w.do(w.top, "POST", "/api/console/records/user/delete", map[string]any{"ids": []string{id}}), 200, "")
		if alive(c) || w.tryLogin(t, "10.0.0.1", "leaver", rootPassword).status == 200 {
			t.Error("deleted, and in")
		}
	})
	t.Run("a locked user is out even when his sessions could not be ended", func(t *testing.T) {
		c := w.admin(t, "stuck", "own", "member.view")
		_, err := w.platform.DB.Collection("users").UpdateOne(t.Context(), bson.D{{Key: "userName", Value: "stuck"}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "status", Value: "disabled"}}}})
		if err != nil {
			t.Fatal(err)
		}
		w.advance(t, time.Minute)
		if alive(c) {
			t.Error("he is in")
		}
	})
	t.Run("five failures lock the account where they come from, and nowhere else", func(t *testing.T) {
		w.admin(t, "target", "own", "member.view")
		for i := range 5 {
			r := w.tryLogin(t, "10.1.0.1", "target", "wrong")
			if i < 4 {
				expect(t, "wrong", r, 401, "login.credentials")
			} else {
				expect(t, "the fifth", r, 429, "login.locked")
			}
		}
		expect(t, "the right one", w.tryLogin(t, "10.1.0.1", "target", rootPassword), 429, "login.locked")
		expect(t, "with blanks", w.tryLogin(t, "10.1.0.1", " target ", rootPassword), 429, "login.locked")
		expect(t, "somebody else", w.tryLogin(t, "10.1.0.1", suite.AdminName, rootPassword), 200, "")
		expect(t, "himself, in his office", w.tryLogin(t, "10.1.0.9", "target", rootPassword), 200, "")
		expect(t, "that opens nothing for the guesser", w.tryLogin(t, "10.1.0.1", "target", rootPassword), 429, "login.locked")
		w.advance(t, 11*time.Minute)
		expect(t, "after the lock", w.tryLogin(t, "10.1.0.1", "target", rootPassword), 200, "")
	})
	t.Run("who guesses from many addresses is slowed down, and the one at his own address is not", func(t *testing.T) {
		w.admin(t, "hunted", "own", "member.view")
		expect(t, "at his own address", w.tryLogin(t, "10.4.1.1", "hunted", rootPassword), 200, "")
		for i := range 20 {
			r := w.tryLogin(t, fmt.Sprintf("10.4.0.%d", i), "hunted", "wrong")
			if i < 19 {
				expect(t, "wrong", r, 401, "login.credentials")
			} else {
				expect(t, "the twentieth", r, 429, "login.locked")
			}
		}
		waits := func(what string, r reply, least, most int) {
			t.Helper()
			expect(t, what, r, 429, "login.locked")
			if wait, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || wait < least || wait > most {
				t.Errorf("%s: Retry-After %q", what, r.header.Get("Retry-After"))
			}
		}
		waits("a new address", w.tryLogin(t, "10.4.0.100", "hunted", "wrong"), 1, 60)
		w.advance(t, 61*time.Second)
		waits("the next failure", w.tryLogin(t, "10.4.0.101", "hunted", "wrong"), 61, 120)
		w.advance(t, 121*time.Second)
		waits("the one after it", w.tryLogin(t, "10.4.0.102", "hunted", "wrong"), 181, 240)
		expect(t, "he is not kept out", w.tryLogin(t, "10.4.1.1", "hunted", rootPassword), 200, "")
	})
	t.Run("an address that guesses at many accounts is locked, whatever it calls itself", func(t *testing.T) {
		for i := range 40 {
			r := w.tryLogin(t, "10.2.0.1", fmt.Sprintf("nobody-%d", i), "wrong")
			if r.key() == "login.address" {
				break
			}
		}
		r := w.tryLogin(t, "10.2.0.1", suite.AdminName, rootPassword)
		expect(t, "the next", r, 429, "login.address")
		if wait, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || wait <= 0 || wait > 600 {
			t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
		}
		r = w.do(&caller{ip: "10.2.0.1"}, "POST", "/api/console/login",
			map[string]string{"userName": suite.AdminName, "password": rootPassword, "captchaToken": w.captcha(t)}, "X-Forwarded-For", "10.9.9.9")
		expect(t, "under another name", r, 429, "login.address")
		expect(t, "whom this address knows", w.tryLogin(t, "10.0.0.1", suite.AdminName, rootPassword), 200, "")
		expect(t, "another address", w.tryLogin(t, "10.2.0.2", suite.AdminName, rootPassword), 200, "")
	})
	t.Run("guesses at once are no more than guesses one by one", func(t *testing.T) {
		w.admin(t, "crowded", "own", "member.view")
		tokens := make([]string, 12)
		for i := range tokens {
			tokens[i] = w.captcha(t)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		keys := map[string]int{}
		for _, token := range tokens {
			wg.Go(func() {
				r := w.do(&caller{ip: "10.3.0.1"}, "POST", "/api/console/login", map[string]string{"userName": "crowded", "password": "wrong", "captchaToken": token})
				mu.Lock()
				defer mu.Unlock()
				keys[r.key()]++
			})
		}
		wg.Wait()
		if keys["login.credentials"] > 4 || keys["login.credentials"]+keys["login.locked"] != len(tokens) {
			t.Errorf("answers %v", keys)
		}
	})
	t.Run("the phone's session is bound to the browser that began, and leads to our pages only", func(t *testing.T) {
		begin := func(to string) (state, cookie string) {
			r := w.do(&caller{}, "GET", "/wechat/oauth?to="+url.QueryEscape(to), nil)
			at, err := url.Parse(r.header.Get("Location"))
			if err != nil || r.status != 302 {
				t.Fatalf("%d %v", r.status, err)
			}
			return at.Query().Get("state"), "zd_state=" + r.cookieOf(stateCookie)
		}
		code := func() string {
			var c struct{ Code string }
			w.sandboxed(t, "POST", "users/"+w.m1.user+"/oauth-code", nil).into(t, &c)
			return c.Code
		}
		back := func(state, cookie string) reply {
			headers := []string{}
			if cookie != "" {
				headers = []string{"Cookie", cookie}
			}
			return w.do(&caller{}, "GET", "/wechat/oauth/callback?code="+code()+"&state="+state, nil, headers...)
		}
		state, cookie := begin("/m/")
		_, another := begin("/m/")
		for what, r := range map[string]reply{
			"another browser": back(state, another), "no browser": back(state, ""), "no state": back("", cookie), "an empty state in both": back("", "zd_state=.L20v"),
		} {
			if r.status != 400 || !strings.Contains(r.body, errState.Message) || r.cookieOf(memberCookie) != "" {
				t.Errorf("%s: %d %s", what, r.status, r.body)
			}
		}
		r := back(state, cookie)
		if r.status != 302 || r.cookieOf(memberCookie) == "" || r.cookieOf(stateCookie) != "" {
			t.Fatalf("%d %s %v", r.status, r.body, r.header)
		}
		for _, to := range []string{
			"https://evil.example/", "//evil.example/", "/\\evil.example", "/m/\\..\\..", "javascript:alert(1)", "/console/", "/m", "/m/../console/",
			"/m/%2e%2e/console/", "/m/\r\nSet-Cookie: a=b", "https:/m/", " /m/", "/M/", "", "/m/..;/console",
		} {
			state, cookie := begin(to)
			r := back(state, cookie)
			if got := r.header.Get("Location"); r.status != 302 || got != "/m/" && !strings.HasSuffix(got, "dangjian.example/m/") {
				t.Errorf("%q leads to %d %s", to, r.status, got)
			}
		}
		state, cookie = begin("/m/#/pages/dues/index?x=1")
		if r := back(state, cookie); !strings.HasSuffix(r.header.Get("Location"), "/m/#/pages/dues/index?x=1") {
			t.Errorf("our own page: %s", r.header.Get("Location"))
		}
		// Whatever the cookie says.
		state, _ = begin("/m/")
		if r := back(state, "zd_state="+state+".aHR0cHM6Ly9ldmlsLmV4YW1wbGUv"); !strings.HasSuffix(r.header.Get("Location"), "/m/") {
			t.Errorf("a made-up cookie leads to %s", r.header.Get("Location"))
		}
	})
	t.Run("log-out ends the session on the server", func(t *testing.T) {
		c := w.login(t, suite.AdminName, rootPassword)
		w.do(c, "POST", "/api/console/logout", nil).into(t, &struct{}{})
		if alive(c) {
			t.Error("it lives on")
		}
		// A request that was under way does not bring it back.
		c = w.login(t, suite.AdminName, rootPassword)
		w.advance(t, 2*time.Minute) // so that each request writes the session anew
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { alive(c) })
		}
		wg.Go(func() { w.do(c, "POST", "/api/console/logout", nil) })
		wg.Wait()
		if alive(c) {
			t.Error("it came back")
		}
	})
	t.Run("30 idle minutes end an admin's session, 12 hours any", func(t *testing.T) {
		c := w.login(t, suite.AdminName, rootPassword)
		w.advance(t, 29*time.Minute)
		if !alive(c) {
			t.Fatal("too early")
		}
		w.advance(t, 29*time.Minute)
		if !alive(c) {
			t.Fatal("it was not idle")
		}
		w.advance(t, 31*time.Minute)
		if alive(c) {
			t.Error("it lives on")
		}
		c = w.login(t, suite.AdminName, rootPassword)
		for range 25 {
			w.advance(t, 29*time.Minute)
			alive(c)
		}
		if alive(c) {
			t.Error("it never ends")
		}
	})
}

// TestInput is about what people send.
func TestInput(t *testing.T) {
	w := newWorld(t)
	const script = `<script>alert("x")</script><img src=x onerror=alert(1)>`
	t.Run("a script in a text is stored and shown as a text", func(t *testing.T) {
		p := w.invent("张三")
		doc := memberForm(p, w.org["own"])
		doc["position"] = script[:50]
		id := w.create(t, w.top, "member", doc)
		r := w.do(w.top, "GET", "/api/console/records/member/"+id, nil)
		var row struct{ Position string }
		r.into(t, &row)
		if row.Position != script[:50] {
			t.Errorf("stored as %q", row.Position)
		}
		for _, r := range []reply{
			r, w.do(w.top, "GET", "/api/console/records/member?keyword="+url.QueryEscape(script), nil), // echoed or not
			w.do(w.top, "GET", "/api/console/records/"+url.PathEscape(script), nil), w.do(&caller{}, "GET", "/"+url.PathEscape(script), nil),
			w.do(w.top, "POST", "/api/console/records/member", map[string]any{"name": script, "memberType": script}),
			w.do(&caller{}, "GET", "/wechat/oauth/callback?code="+url.QueryEscape(script)+"&state=x", nil), // a page of ours
		} {
			h := r.header
			page := strings.HasPrefix(h.Get("Content-Type"), "text/html") && !strings.Contains(r.body, "<script") && !strings.Contains(r.body, "onerror")
			if !page && !strings.HasPrefix(h.Get("Content-Type"), "application/json") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%d %s %s: %.100s", r.status, h.Get("Content-Type"), h.Get("X-Content-Type-Options"), r.body)
			}
			policy := h.Get("Content-Security-Policy")
			if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "object-src 'none'") || !strings.Contains(policy, "base-uri 'none'") {
				t.Errorf("policy %q", policy)
			}
		}
		sheet := w.do(w.top, "GET", "/api/console/records/member/export", nil)
		if d := sheet.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") {
			t.Errorf("a file is opened in the page: %s", d)
		}
	})
	t.Run("operators of the store are texts", func(t *testing.T) {
		all := len(w.list(t, w.top, "member", ""))
		for query, want := range map[string]int{
			"f.$where=1":                                 400,
			"f.$or=1":                                    400,
			"f.name.$ne=1":                               400,
			"f.passwordHash=x":                           400,
			"f.idBlind=x":                                400,
			"f.orgs=root":                                400,
			"f.deleted=true":                             400,
			"f.name[$ne]=1":                              400,
			`f.name={"$ne":""}`:                          0,
			`f.name=` + url.QueryEscape(".*"):            0,
			`f.name=` + url.QueryEscape("^"):             0,
			`keyword=` + url.QueryEscape(".*"):           0,
			`keyword=` + url.QueryEscape("(?i)["):        0,
			`keyword={"$gt":""}`:                         0,
			"sort=$where":                                200,
			"sort=-passwordHash":                         200,
			"sort=" + url.QueryEscape(`{"$natural":1}`):  200,
			"f.memberType=" + url.QueryEscape("$ne,$gt"): 0,
			"f.joinedOn=" + url.QueryEscape(`{"$gt":1}`): -1,
		} {
			r := w.do(w.top, "GET", "/api/console/records/member?"+query, nil)
			var p struct{ Items []any }
			_ = json.Unmarshal([]byte(r.body), &p)
			switch {
			case want == 400 && r.status == 400:
			case want == 200 && r.status == 200 && len(p.Items) == all:
			case want == 0 && r.status == 200 && len(p.Items) == 0:
			case want == -1 && r.status < 500 && len(p.Items) == 0:
			default:
				t.Errorf("%s: %d, %d items", query, r.status, len(p.Items))
			}
		}
		for _, id := range []string{`{"$ne":null}`, "$ne", "[object Object]", "..", "%00", "null", `{"$gt":""}`} {
			if r := w.do(w.top, "GET", "/api/console/records/member/"+url.PathEscape(id), nil); r.status != 404 && r.status != 400 {
				t.Errorf("id %s: %d %.100s", id, r.status, r.body)
			}
		}
		ne := map[string]any{"$ne": ""}
		for path, body := range map[string]map[string]any{
			"/api/console/dues/orders":           {"memberId": ne, "toMonth": "2026-11"},
			"/api/console/dues/base-preview":     {"memberId": ne, "baseAmount": 1},
			"/api/console/records/member/delete": {"ids": []any{ne}},
			"/api/console/records/duesBase":      {"memberId": ne, "effectiveMonth": ne, "baseAmount": ne},
			"/api/console/records/member":        {"name": ne, "idNumber": ne, "phone": ne, "orgId": ne, "memberType": ne},
			"/api/console/records/user":          {"userName": ne, "password": ne, "realName": ne, "orgId": ne, "permissions": ne, "status": ne},
			"/api/console/password":              {"oldPassword": ne, "newPassword": ne},
		} {
			expect(t, path, w.do(w.top, "POST", path, body), 400, "")
		}
		expect(t, "login", w.do(&caller{}, "POST", "/api/console/login", map[string]any{"userName": ne, "password": ne, "captchaToken": w.captcha(t)}), 400, "")
		expect(t, "bind", w.do(&w.m1.caller, "POST", "/api/member/bind", map[string]any{"name": ne, "idNumber": ne, "phone": ne, "code": ne}), 400, "")
		if r := w.tryLogin(t, "10.4.0.1", `{"$gt":""}`, `{"$gt":""}`); r.status == 200 {
			t.Error("logged in as whoever comes first")
		}
		// What a form has no field for is not stored.
		doc := memberForm(w.invent("夹带"), w.org["own"])
		maps.Copy(doc, map[string]any{"status": "deleted", "openId": "x", "deleted": true, "$set": map[string]any{"name": "x"}, "orgs": []string{"root"}, "id": "mine", "_id": "mine", "version": 99})
		row := w.get(t, w.top, "member", w.create(t, w.top, "member", doc))
		if row["id"] == "mine" || row["version"] != 1.0 || row["bound"] == true {
			t.Errorf("smuggled: %v", row)
		}
	})
	t.Run("no page, file or list of ids is as large as one likes", func(t *testing.T) {
		for _, query := range []string{"size=101", "size=1000000000", "size=99999999999999999999", "size=-1", "page=-1", "page=100001", "size=x", "size=1e3", "keyword=" + strings.Repeat("x", 101)} {
			expect(t, query, w.do(w.top, "GET", "/api/console/records/member?"+query, nil), 400, "")
			if !strings.HasPrefix(query, "keyword") && !strings.HasPrefix(query, "page") {
				expect(t, "ranking "+query, w.do(w.top, "GET", "/api/console/points/ranking?"+query, nil), 400, "")
			}
		}
		if r := w.do(w.top, "GET", "/api/console/records/member?f.name="+strings.Repeat("x", 1001), nil); r.status != 400 {
			t.Errorf("a filter of 1001 characters: %d", r.status)
		}
		ids := make([]string, 201)
		for i := range ids {
			ids[i] = fmt.Sprint(i)
		}
		expect(t, "201 ids", w.do(w.top, "POST", "/api/console/records/member/delete", map[string]any{"ids": ids}), 400, "")
		big := `{"name":"` + strings.Repeat("x", bodyMost) + `"}`
		expect(t, "a large body", w.do(w.top, "POST", "/api/console/records/member", big), 413, "too_large")
		deep := strings.Repeat(`{"a":`, 50000) + "1" + strings.Repeat("}", 50000)
		if r := w.do(w.top, "POST", "/api/console/records/member", deep); r.status < 400 || r.status >= 500 {
			t.Errorf("a deep body: %d", r.status)
		}
	})
	t.Run("a body that does not tell its length is bounded all the same", func(t *testing.T) {
		addr := w.listen(t)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		chunk := strings.Repeat("x", 64<<10)
		fmt.Fprintf(conn, "POST /api/console/records/member HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n%s: %s\r\nCookie: zd_admin=%s\r\nTransfer-Encoding: chunked\r\n\r\n",
			csrfHeader, csrfValue, w.top.cookie)
		for range 20 {
			fmt.Fprintf(conn, "%x\r\n%s\r\n", len(chunk), chunk)
		}
		fmt.Fprint(conn, "0\r\n\r\n")
		head := make([]byte, 12)
		if _, err := conn.Read(head); err != nil || string(head) != "HTTP/1.1 413" {
			t.Errorf("%q %v", head, err)
		}
	})
	t.Run("an export runs nothing", func(t *testing.T) {
		bad := []string{"=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "＝1+1", "＋1", "－1", "＠SUM(1)"}
		var ids []string
		for _, text := range bad {
			p := w.invent(text)
			ids = append(ids, w.create(t, w.top, "member", memberForm(p, w.org["own"])))
		}
		now := w.platform.Clock.Now()
		meeting := w.create(t, w.top, "meeting", map[string]any{
			"title": "=1+1", "meetingType": "branch", "meetingForm": "offline", "place": "x", "agenda": "x", "startAt": now.Add(-time.Minute).Format(time.RFC3339),
			"endAt": now.Add(time.Hour).Format(time.RFC3339), "needSignIn": true, "noticeForm": []string{"site"}, "participantIds": ids,
		})
		w.do(w.top, "POST", "/api/console/records/meeting/"+meeting+"/actions/start", nil).into(t, &struct{}{})
		for _, path := range []string{"records/member/export", "records/meeting/export", "meetings/" + meeting + "/statistics/export"} {
			r := w.do(w.top, "GET", "/api/console/"+path, nil)
			f, err := excelize.OpenReader(strings.NewReader(r.body))
			if err != nil {
				t.Fatalf("%s: %d %v", path, r.status, err)
			}
			name := f.GetSheetName(0)
			rows, err := f.GetRows(name)
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for y, row := range rows {
				for x, text := range row {
					cell, _ := excelize.CoordinatesToCellName(x+1, y+1)
					if formula, _ := f.GetCellFormula(name, cell); formula != "" {
						t.Errorf("%s %s is a formula", path, cell)
					}
					if r := []rune(text); len(r) > 0 && strings.ContainsRune("=+-@＝＋－＠\t\r\n", r[0]) {
						t.Errorf("%s %s would be a formula in CSV: %q", path, cell, text)
					}
					if strings.HasPrefix(text, "'") {
						seen++
					}
				}
			}
			if want := len(bad); path != "records/meeting/export" && seen < want {
				t.Errorf("%s shows %d of %d", path, seen, want)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if d := r.header.Get("Content-Disposition"); strings.ContainsAny(d, "\r\n") {
				t.Errorf("header %q", d)
			}
		}
	})
	t.Run("headers of others are not believed", func(t *testing.T) {
		for _, name := range []string{"X-Forwarded-User", "X-User-Id", "X-Original-URL", "X-Rewrite-URL"} {
			expect(t, name, w.do(&caller{}, "GET", "/api/portal/config", nil, name, "/api/console/records/member"), 200, "")
			expect(t, name, w.do(&caller{}, "GET", "/api/console/records/member", nil, name, "admin"), 401, "unauthenticated")
		}
		expect(t, "method override", w.do(w.top, "GET", "/api/console/logout", nil, "X-HTTP-Method-Override", "POST"), 405, "method")
		r := w.do(w.top, "GET", "/api/console/me", nil, "Origin", "https://evil.example")
		if got := r.header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("other sites may read: %q", got)
		}
	})
}

// listen serves on a port, for what only a socket shows.
func (w *world) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	o, err := Upon(w.platform, w.services.Clients)
	if err != nil {
		t.Fatal(err)
	}
	o.Addr, o.PublicURL = addr, "http://"+addr
	e := New(o)
	served := make(chan error, 1)
	go func() { served <- e.Run() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-served
	})
	if err := e.WaitListening(t.Context()); err != nil {
		t.Fatal(err)
	}
	return addr
}
