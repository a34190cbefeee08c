package account

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// entry waits for an entry of the audit that a query finds.
func entry(t *testing.T, b *bfftest.Browser, query url.Values) Item {
	t.Helper()
	var found Item
	bfftest.Eventually(t, "the audit has "+query.Encode(), func() bool {
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
func says(t *testing.T, e Item, column string, texts ...string) {
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
	a, b, p := AdminA(t), AdminB(t), AdminP(t)
	m := NewMember(t, OrgA(t))
	at := Path("member") + "/" + m.ID
	of := func(action string) url.Values { return url.Values{"f.recordId": {m.ID}, "f.action": {action}} }

	t.Run("an edit says who, when, from where, and what changed, the phone masked", func(t *testing.T) {
		var was Item
		a.Get(at, &was)
		const phone = "13712345678"
		a.Do("PUT", at, Form{"phone": phone, "position": "干事", "version": was["version"]}).Into(t, &Item{})
		e := entry(t, a, of("update"))
		says(t, e, "userName", Name("adminA"))
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
	t.Run("a look at personal data is an entry; an export is one with what was asked for, its fields and its rows", func(t *testing.T) {
		a.Post("/api/console/records/member/"+m.ID+"/reveal", nil, &Item{})
		says(t, entry(t, a, of("reveal")), "recordName", m.Name)
		asked := url.Values{"f.name": {m.Name}, "f.idNumber": {m.IDNumber}, "f.memberType": {"fullMember"}, "columns": {"name,idNumber"}, "orgId": {OrgA(t)}}
		var me struct{ RealName string }
		whole := Limited(t, "member.view", "member.export", "member.reveal", "member.lookup") // exports nothing else
		whole.Get("/api/console/me", &me)
		if rows := Sheet(t, whole.Do("GET", Path("member")+"/export?"+asked.Encode(), nil)); len(rows) != 2 {
			t.Fatalf("%v", rows)
		}
		e := entry(t, a, url.Values{"f.action": {"export"}, "f.userName": {me.RealName}})
		says(t, e, "changes", "共1条；含完整个人信息；字段：姓名、身份证号", "组织："+Name("甲支部"), "姓名："+m.Name, "党员类型：正式党员")
		if s := e["changes"].(string); strings.Contains(s, m.IDNumber) {
			t.Fatal(s)
		}
		only := Limited(t, "member.view", "member.export")
		if r := only.Do("GET", Path("member")+"/export", nil); r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		only.Get("/api/console/me", &me)
		says(t, entry(t, a, url.Values{"f.action": {"export"}, "f.userName": {me.RealName}}), "changes", "脱敏")
	})
	t.Run("log-in, its failures, the lock-out, the changed password and log-out are entries; no password is", func(t *testing.T) {
		n := Name("shenji")
		NewUser(t, n, OrgA(t), "member.view")
		of := func(action string) url.Values { return url.Values{"f.action": {action}, "f.recordName": {n}} }
		c := Visitor(t)
		if r := c.Login(n, "Cuowu#12345"); r.Status != http.StatusUnauthorized {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		e := entry(t, a, of("loginFailed"))
		says(t, e, "changes", "用户名或密码错误")
		says(t, e, "ip", "127.0.0.1")
		if r := c.Login(n, UserPassword); r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		entry(t, a, of("login"))
		c.Post("/api/console/password", Form{"oldPassword": UserPassword, "newPassword": "Zhibu#2027"}, &Item{})
		entry(t, a, of("password"))
		if r := c.Login(n, "Zhibu#2027"); r.Status != http.StatusOK {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		c.Post("/api/console/logout", nil, &Item{})
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
		Refused(t, a.Do("POST", "/api/console/records/member/"+m.ID+"/actions/unbind", nil), http.StatusConflict, "", "该党员未绑定")
		u := entry(t, a, of("refused"))
		says(t, u, "title", "微信解绑")
		says(t, u, "changes", "未成功：该党员未绑定")
	})
	t.Run("money an admin takes, and the meeting he starts, are entries that say what changed", func(t *testing.T) {
		payer, month := NewMember(t, OrgA(t)), Day(0)[:7]
		Add(t, a, "duesBase", Form{"memberId": payer.ID, "effectiveMonth": month, "baseAmount": 100000})
		var o struct{ ID string }
		a.Post("/api/console/dues/orders", Form{"memberId": payer.ID, "toMonth": month}, &o)
		order := func(title string) Item { // the newest entry
			e := entry(t, a, url.Values{"f.recordId": {o.ID}})
			bfftest.Eventually(t, title, func() bool { e = entry(t, a, url.Values{"f.recordId": {o.ID}}); return e["title"] == title })
			return e
		}
		says(t, order("录入党费"), "changes", "支付金额：5.00；\n状态：未支付")
		a.Post("/api/console/dues/orders/"+o.ID+"/cash", nil, &Item{})
		a.Post("/api/console/dues/orders/"+o.ID+"/cash", nil, &Item{}) // the same again
		says(t, order("现金缴纳"), "changes", "状态：未支付 → 已支付")
		a.Post("/api/console/records/duesOrder/"+o.ID+"/actions/reverse", Form{"reason": "误收"}, &struct{}{})
		says(t, order("删除现金党费"), "changes", "误收")
		if n := entries(a, url.Values{"f.recordId": {o.ID}}); n != 3 {
			t.Fatalf("%d entries of three things done", n)
		}
	})
	t.Run("who bound whom to a WeChat account, and who ended it, are entries", func(t *testing.T) {
		person := NewMember(t, OrgA(t))
		PhoneOf(t, person)
		bound := entry(t, a, url.Values{"f.recordId": {person.ID}, "f.action": {"act"}})
		says(t, bound, "title", "绑定微信")
		says(t, bound, "userKind", "member")
		says(t, bound, "ip", "127.0.0.1")
		a.Post("/api/console/records/member/"+person.ID+"/actions/unbind", nil, &struct{}{})
		bfftest.Eventually(t, "the end of the binding is told", func() bool {
			e := entry(t, a, url.Values{"f.recordId": {person.ID}, "f.action": {"act"}})
			return e["title"] == "微信解绑" && e["userName"] == Name("adminA")
		})
	})
	t.Run("what follows from an approval in another record is told there too", func(t *testing.T) {
		gone := NewMember(t, OrgA(t))
		r := Add(t, a, "memberReduction", Form{"reductionType": "death", "memberId": gone.ID, "reason": "病故", "reducedOn": "2026-01-05"})
		entry(t, a, url.Values{"f.recordId": {r["id"].(string)}, "f.action": {"create"}})
		says(t, entry(t, a, url.Values{"f.recordId": {gone.ID}, "f.action": {"act"}}), "title", "减少")
	})
	t.Run("an import is one entry with its figures, not one a row", func(t *testing.T) {
		template := a.Do("GET", Path("member")+"/template", nil)
		var rows []map[string]string
		for range 3 {
			p := NewPerson()
			rows = append(rows, map[string]string{"姓名": p.Name, "身份证号": p.IDNumber, "手机号": p.Phone, "所在支部": Name("甲支部"), "党员类型": "正式党员", "入党日期": "2010-07-01", "转正日期": "2011-07-01"})
		}
		rows[2]["身份证号"] = "1"
		imports, created := url.Values{"f.action": {"import"}}, url.Values{"f.action": {"create"}, "f.typeTitle": {"党员"}}
		were, had := entries(a, imports), entries(a, created)
		a.Imports("member", bfftest.Workbook(t, template.Body, rows))
		bfftest.Eventually(t, "the import is told", func() bool { return entries(a, imports) > were })
		e := entry(t, a, imports)
		says(t, e, "changes", "共3行，成功2行，失败1行")
		says(t, e, "userName", Name("adminA"))
		if n, m := entries(a, imports), entries(a, created); n != were+1 || m != had {
			t.Fatalf("%d entries of imports, %d of members", n-were, m-had)
		}
	})
	t.Run("who is above sees it, a sibling sees nothing by any route", func(t *testing.T) {
		e := entry(t, p, of("update"))
		if n := entries(b, of("update")); n != 0 {
			t.Fatalf("a sibling sees %d", n)
		}
		if r := b.Do("GET", Path("audit")+"/"+e["id"].(string), nil); r.Status != http.StatusNotFound {
			t.Fatalf("a sibling opens it: %d", r.Status)
		}
		if r := b.Do("GET", Path("audit")+"?orgId="+OrgA(t), nil); r.Status != http.StatusNotFound {
			t.Fatalf("a sibling asks for A: %d", r.Status)
		}
		if r := Limited(t, "member.view").Do("GET", Path("audit"), nil); r.Status != http.StatusForbidden {
			t.Fatalf("without the permission: %d", r.Status)
		}
	})
	t.Run("filters find by person, kind, record, address and time", func(t *testing.T) {
		all := entries(a, url.Values{"f.recordId": {m.ID}})
		for query, want := range map[string]bool{
			"f.userName=" + Name("adminA"): true, "f.userName=nobody": false, "f.ip=127.0.0.1": true, "f.ip=9.9.9.9": false,
			"f.at=today,today": true, "f.at=2001-01-01,2001-01-02": false, "f.typeTitle=" + url.QueryEscape("党员"): true, "f.action=delete": false,
			"keyword=" + url.QueryEscape(m.Name): true,
		} {
			if n := int(a.List("audit", "f.recordId="+m.ID+"&"+query).Total); (n > 0) != want || n > all {
				t.Errorf("%s finds %d of %d", query, n, all)
			}
		}
	})
	t.Run("nobody changes or deletes an entry", func(t *testing.T) {
		top := Root(t)
		e := entry(t, top, of("update"))
		id := e["id"].(string)
		for _, x := range []struct {
			method, path string
			body         any
		}{
			{"POST", Path("audit"), Form{"userName": "x"}},
			{"PUT", Path("audit") + "/" + id, Form{"userName": "x", "version": e["version"]}},
			{"POST", Path("audit") + "/delete", Form{"ids": []string{id}}},
			{"POST", Path("audit") + "/import", &bfftest.Upload{Name: "x.xlsx", Data: []byte("PK")}},
			{"POST", Path("audit") + "/" + id + "/actions/update", Form{}},
			{"DELETE", Path("audit") + "/" + id, nil},
		} {
			if r := top.Do(x.method, x.path, x.body); r.Status != http.StatusForbidden && r.Status != http.StatusNotFound && r.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d %s", x.method, x.path, r.Status, r.Body)
			}
		}
		var again Item
		top.Get(Path("audit")+"/"+id, &again)
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
		Root(t).Get("/api/console/audit/verify", &v)
		if !v.Intact || v.Count < 10 || len(v.Head) != 64 {
			t.Fatalf("%+v", v)
		}
		for _, b := range []*bfftest.Browser{Limited(t, "member.view"), p} { // P sees entries, but not of all
			if r := b.Do("GET", "/api/console/audit/verify", nil); r.Status != http.StatusForbidden {
				t.Fatalf("%d", r.Status)
			}
		}
	})
}
