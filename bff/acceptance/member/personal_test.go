package member

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestPersonal: ID numbers, phones and addresses are seen and searched by right only.
func TestPersonal(t *testing.T) {
	who := NewMember(t, OrgA(t))
	looks := func(t *testing.T, b *bfftest.Browser) bfftest.Page {
		t.Helper()
		var me struct{ RealName string }
		b.Get("/api/console/me", &me)
		return AdminA(t).List("audit", url.Values{"f.action": {"reveal"}, "f.userName": {me.RealName}, "size": {"100"}}.Encode())
	}
	t.Run("PLUS-32 a search by a whole number takes a right, is an entry of the audit, and ends at 100 an hour", func(t *testing.T) {
		without := Limited(t, "member.view", "binding.view", "memberLedger.view")
		for _, typ := range []string{"member", "binding", "memberLedger"} {
			for _, field := range []string{"idNumber", "phone"} {
				value := who.Phone
				if field == "idNumber" {
					value = who.IDNumber
				}
				a := without.Do("GET", Path(typ)+"?f."+field+"="+value, nil)
				if a.Status != http.StatusForbidden && (typ != "binding" || a.Status != http.StatusBadRequest) { // who are not sought there
					t.Errorf("%s by %s: %d %s", typ, field, a.Status, a.Body)
				}
			}
			if p := without.List(typ, "keyword="+who.IDNumber); p.Total != 0 {
				t.Errorf("the keyword finds %d in %s", p.Total, typ)
			}
		}
		var schema struct {
			Fields []struct {
				Key    string
				Search bool
			}
		}
		without.Get(Path("member")+"/schema", &schema)
		for _, f := range schema.Fields {
			if f.Search && (f.Key == "idNumber" || f.Key == "phone") {
				t.Errorf("%s is offered as a filter", f.Key)
			}
		}
		with := Limited(t, "member.view", "member.lookup")
		if p := with.List("member", "f.idNumber="+strings.ToLower(who.IDNumber)); p.Total != 1 || p.Items[0]["idNumber"] == who.IDNumber {
			t.Fatalf("%+v", p)
		}
		if p := with.List("member", "keyword="+who.Phone); p.Total != 1 {
			t.Fatalf("by keyword: %+v", p)
		}
		var entries bfftest.Page
		bfftest.Eventually(t, "both look-ups are in the audit", func() bool { entries = looks(t, with); return entries.Total == 2 })
		for _, e := range entries.Items {
			var entry Item
			AdminA(t).Get(Path("audit")+"/"+IDOf(e), &entry)
			if note := fmt.Sprint(entry["changes"]); strings.Contains(note, who.IDNumber) || strings.Contains(note, who.Phone) || !strings.Contains(note, "****") {
				t.Errorf("the entry says %q", note)
			}
		}
		for i := 2; i < 100; i++ { // misses count too
			if a := with.Do("GET", Path("member")+fmt.Sprintf("?f.phone=1380000%04d", i), nil); a.Status != http.StatusOK {
				t.Fatalf("look-up %d: %d %s", i, a.Status, a.Body)
			}
		}
		Refused(t, with.Do("GET", Path("member")+"?f.phone="+who.Phone, nil), http.StatusTooManyRequests, "", "每小时最多100次")
		if p := with.List("member", "keyword="+url.QueryEscape(who.Name)); p.Total != 1 {
			t.Fatalf("by name: %+v", p)
		}
	})
	t.Run("a record in full takes the right to reveal, in the own subtree, and is written down", func(t *testing.T) {
		f := Form{"memberId": who.ID, "outflowPlace": "外地", "outflowOn": "2026-01-01", "reason": "务工", "contactPhone": "13700137000"}
		out := Add(t, AdminA(t), "memberOutflow", f)
		if out["contactPhone"] != "137****7000" {
			t.Fatalf("shown as %v", out["contactPhone"])
		}
		full := Path("memberOutflow") + "/" + IDOf(out) + "/reveal"
		Refused(t, Limited(t, "memberOutflow.view").Do("POST", full, nil), http.StatusForbidden, "", "无操作权限")
		Refused(t, AdminB(t).Do("POST", full, nil), http.StatusNotFound, "", NothingThere)
		with := Limited(t, "memberOutflow.view", "memberOutflow.reveal")
		var r Item
		with.Post(full, nil, &r)
		if r["contactPhone"] != "13700137000" || r["idNumber"] != who.IDNumber {
			t.Fatalf("in full: %v", r)
		}
		bfftest.Eventually(t, "the look is in the audit", func() bool { return looks(t, with).Total == 1 })
		// What is sent back masked stays what it is.
		var same Item
		Put(t, AdminA(t), "memberOutflow", IDOf(out), Form{"contactPhone": "137****7000", "outflowPlace": "另一地"}).Into(t, &same)
		with.Post(full, nil, &r)
		if r["contactPhone"] != "13700137000" || r["outflowPlace"] != "另一地" {
			t.Fatalf("after a change beside it: %v", r)
		}
	})
	t.Run("who decides on a change sees the old and the new value; the audit shows neither, and no cipher", func(t *testing.T) {
		newPhone := NewPerson().Phone
		var asked Item
		PhoneOf(t, who).Post(Own("profileChange"), Form{"phone": newPhone, "address": "松涛路9号"}, &asked)
		path := Path("profileChange") + "/" + IDOf(asked)
		Refused(t, Limited(t, "profileChange.view").Do("POST", path+"/reveal", nil), http.StatusForbidden, "", "无操作权限")
		var r Item
		Limited(t, "profileChange.view", "profileChange.approve").Post(path+"/reveal", nil, &r)
		for _, text := range []string{who.Phone + " → " + newPhone, "住址：（空） → 松涛路9号"} {
			if !strings.Contains(r["summary"].(string), text) {
				t.Errorf("%q does not say %q", r["summary"], text)
			}
		}
		var e bfftest.Page
		bfftest.Eventually(t, "the request is in the audit", func() bool {
			e = AdminA(t).List("audit", "f.action=create&f.recordId="+IDOf(asked))
			return e.Total == 1
		})
		var entry Item
		AdminA(t).Get(Path("audit")+"/"+IDOf(e.Items[0]), &entry)
		changes := entry["changes"].(string)
		if strings.Contains(changes, newPhone) || strings.Contains(changes, "松涛路9号") || !strings.Contains(changes, newPhone[:3]+"****"+newPhone[7:]) || !strings.Contains(changes, "住址：") || !strings.Contains(changes, "******") {
			t.Errorf("the audit says %q", changes)
		}
	})
}
