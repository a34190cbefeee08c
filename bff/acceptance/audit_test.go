package acceptance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// entry waits for an entry of the audit that a query finds.
func entry(t *testing.T, b *bfftest.Browser, query url.Values) item {
	t.Helper()
	var found item
	eventually(t, "the audit has "+query.Encode(), func() bool {
		l := b.List("audit", query.Encode())
		if len(l.Items) == 0 {
			return false
		}
		found = l.Items[0]
		return true
	})
	return found
}

func entries(b *bfftest.Browser, query url.Values) int {
	b.T.Helper()
	return int(b.List("audit", query.Encode()).Total)
}

// says fails unless a column of the entry holds each of the texts.
func says(t *testing.T, e item, column string, texts ...string) {
	t.Helper()
	s, _ := e[column].(string)
	for _, x := range texts {
		if !strings.Contains(s, x) {
			t.Fatalf("%s is %q, without %q", column, s, x)
		}
	}
}

// TestAudit: 操作日志 (issue 4; spec/trust.md, 安全审计).
func TestAudit(t *testing.T) {
	a, b, p := adminA(t), adminB(t), adminP(t)
	m := newMember(t, orgA(t))
	at := path("member") + "/" + m.ID
	of := func(action string) url.Values { return url.Values{"f.recordId": {m.ID}, "f.action": {action}} }

	t.Run("an edit says who, when, from where, and what changed, the phone masked", func(t *testing.T) {
		var was item
		a.Get(at, &was)
		const phone = "13712345678"
		a.Do("PUT", at, form{"phone": phone, "position": "干事", "version": was["version"]}).Into(t, &item{})
		e := entry(t, a, of("update"))
		says(t, e, "userName", name("adminA"))
		says(t, e, "ip", "127.0.0.1")
		says(t, e, "recordName", m.Name)
		says(t, e, "changes", "手机号："+m.Phone[:3]+"****"+m.Phone[7:]+" → 137****5678", "职务：（空） → 干事")
		for _, k := range []string{"at", "requestId", "hash"} {
			if s, _ := e[k].(string); s == "" {
				t.Fatalf("no %s: %v", k, e)
			}
		}
		for k, v := range e {
			if s, _ := v.(string); strings.Contains(s, phone) || strings.Contains(s, m.Phone) || strings.Contains(s, m.IDNumber) {
				t.Fatalf("%s shows a personal value: %s", k, s)
			}
		}
		if c := entry(t, a, of("create")); strings.Contains(c["changes"].(string), m.IDNumber) {
			t.Fatalf("%v", c)
		}
	})
	t.Run("a look at personal data, an export and its failed twin are entries", func(t *testing.T) {
		a.Post("/api/console/members/"+m.ID+"/reveal", nil, &item{})
		entry(t, a, of("reveal"))
		if r := a.Do("GET", path("member")+"/export?keyword="+url.QueryEscape(m.Name), nil); r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		says(t, entry(t, a, url.Values{"f.action": {"export"}, "f.typeTitle": {"党员"}}), "note", "含完整个人信息", "身份证号")
		only := limited(t, "member.view", "member.export")
		if r := only.Do("GET", path("member")+"/export", nil); r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		var me struct{ RealName string }
		only.Get("/api/console/me", &me)
		says(t, entry(t, a, url.Values{"f.action": {"export"}, "f.userName": {me.RealName}}), "note", "脱敏")
	})
	t.Run("log-in, its failures, the lock-out, the changed password and log-out are entries; no password is", func(t *testing.T) {
		n := name("shenji")
		newUser(t, n, orgA(t), "member.view")
		of := func(action string) url.Values { return url.Values{"f.action": {action}, "f.recordName": {n}} }
		c := product.Browser(t, 0)
		if r := c.Login(n, "Cuowu#12345"); r.Status != http.StatusUnauthorized {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		e := entry(t, a, of("loginFailed"))
		says(t, e, "note", "用户名或密码错误")
		says(t, e, "ip", "127.0.0.1")
		if r := c.Login(n, userPassword); r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		entry(t, a, of("login"))
		c.Post("/api/console/password", form{"oldPassword": userPassword, "newPassword": "Zhibu#2027"}, &item{})
		entry(t, a, of("password"))
		if r := c.Login(n, "Zhibu#2027"); r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		c.Post("/api/console/logout", nil, &item{})
		entry(t, a, of("logout"))
		for range 5 {
			c.Login(n, "Cuowu#12345")
		}
		entry(t, a, of("locked"))
		for _, x := range a.List("audit", url.Values{"f.recordName": {n}, "size": {"100"}}.Encode()).Items {
			for k, v := range x {
				if s, _ := v.(string); strings.Contains(s, "Cuowu") || strings.Contains(s, "Zhibu#") {
					t.Fatalf("%s shows a password: %s", k, s)
				}
			}
		}
	})
	t.Run("a role's new permissions and a use case are entries", func(t *testing.T) {
		id, _ := newRole(t, "member.view")
		e := entry(t, a, url.Values{"f.recordId": {id}, "f.action": {"act"}})
		says(t, e, "title", "权限设置")
		says(t, e, "changes", "权限：（空） → member.view")
		r := a.Do("POST", "/api/console/members/"+m.ID+"/unbind", nil)
		u := entry(t, a, of("use"))
		says(t, u, "title", "微信解绑")
		if failed, _ := u["failed"].(bool); failed != (r.Status >= 400) {
			t.Fatalf("%d, and the entry says %v", r.Status, u)
		}
	})
	t.Run("an import is an entry with its figures", func(t *testing.T) {
		newMemberFile := a.Do("GET", path("member")+"/template", nil)
		if newMemberFile.Status != http.StatusOK {
			t.Fatalf("%d %s", newMemberFile.Status, newMemberFile.Body)
		}
		// The template as it is: no row, which is refused as a whole.
		a.Post(path("member")+"/import", &bfftest.Upload{Name: "空名册.xlsx", Data: newMemberFile.Body}, &item{})
		entry(t, a, url.Values{"f.action": {"import"}, "f.recordName": {"空名册"}})
	})
	t.Run("who is above sees it, a sibling sees nothing by any route", func(t *testing.T) {
		e := entry(t, p, of("update"))
		if n := entries(b, of("update")); n != 0 {
			t.Fatalf("a sibling sees %d", n)
		}
		if r := b.Do("GET", path("audit")+"/"+e["id"].(string), nil); r.Status != http.StatusNotFound {
			t.Fatalf("a sibling opens it: %d", r.Status)
		}
		if r := b.Do("GET", path("audit")+"?orgId="+orgA(t), nil); r.Status != http.StatusNotFound {
			t.Fatalf("a sibling asks for A: %d", r.Status)
		}
		if r := limited(t, "member.view").Do("GET", path("audit"), nil); r.Status != http.StatusForbidden {
			t.Fatalf("without the permission: %d", r.Status)
		}
	})
	t.Run("filters find by person, kind, record, address and time", func(t *testing.T) {
		all := entries(a, url.Values{"f.recordId": {m.ID}})
		for query, want := range map[string]bool{
			"f.userName=" + name("adminA"): true, "f.userName=nobody": false, "f.ip=127.0.0.1": true, "f.ip=9.9.9.9": false,
			"f.at=today,today": true, "f.at=2001-01-01,2001-01-02": false, "f.typeTitle=" + url.QueryEscape("党员"): true, "f.action=delete": false,
			"keyword=" + url.QueryEscape(m.Name): true,
		} {
			if n := int(a.List("audit", "f.recordId="+m.ID+"&"+query).Total); (n > 0) != want || n > all {
				t.Errorf("%s finds %d of %d", query, n, all)
			}
		}
	})
	t.Run("nobody changes or deletes an entry", func(t *testing.T) {
		top := root(t)
		e := entry(t, top, of("update"))
		id := e["id"].(string)
		for _, x := range []struct {
			method, path string
			body         any
		}{
			{"POST", path("audit"), form{"userName": "x"}},
			{"PUT", path("audit") + "/" + id, form{"userName": "x", "version": e["version"]}},
			{"POST", path("audit") + "/delete", form{"ids": []string{id}}},
			{"POST", path("audit") + "/import", &bfftest.Upload{Name: "x.xlsx", Data: []byte("PK")}},
			{"POST", path("audit") + "/" + id + "/actions/update", form{}},
			{"DELETE", path("audit") + "/" + id, nil},
		} {
			if r := top.Do(x.method, x.path, x.body); r.Status != http.StatusForbidden && r.Status != http.StatusNotFound && r.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d %s", x.method, x.path, r.Status, r.Body)
			}
		}
		var again item
		top.Get(path("audit")+"/"+id, &again)
		if again["hash"] != e["hash"] || again["version"] != e["version"] {
			t.Fatalf("%v became %v", e, again)
		}
		if actions, _ := again["_actions"].([]any); !slices.Equal(actions, []any{"view"}) {
			t.Fatalf("offered: %v", actions)
		}
	})
	t.Run("the chain is whole", func(t *testing.T) {
		var v struct {
			Intact bool
			Count  int
			Head   string
		}
		root(t).Get("/api/console/audit/verify", &v)
		if !v.Intact || v.Count < 10 || len(v.Head) != 64 {
			t.Fatalf("%+v", v)
		}
		if r := limited(t, "member.view").Do("GET", "/api/console/audit/verify", nil); r.Status != http.StatusForbidden {
			t.Fatalf("%d", r.Status)
		}
	})
}
