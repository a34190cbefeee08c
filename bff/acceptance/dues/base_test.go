package dues

import (
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// proof uploads what proves a base.
func proof(t *testing.T, phone *bfftest.Browser) []any {
	t.Helper()
	var f Item
	phone.Post(Own("duesBaseApplication")+"/upload?field=files", &bfftest.Upload{Name: "收入证明.pdf", Data: []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")}, &f)
	return []any{f}
}

// TestBases: 党费基数 as a list, and as members apply for it (manual 7.2, 7.2.1, 17.8).
func TestBases(t *testing.T) {
	const applied = "duesBaseApplication"
	a := AdminA(t)
	t.Run("BASE-01 list: own subtree only, newest first, paged, columns, filters", func(t *testing.T) {
		one, two := payer(t, ""), payer(t, "")
		p := NewPerson()
		far := IDOf(Add(t, Root(t), "member", MemberForm(p, OrgB(t))))
		Add(t, AdminB(t), "duesBase", Form{"memberId": far, "effectiveMonth": "2026-01", "baseAmount": 300_000})
		l := a.List("duesBase", "size=100")
		names := []string{}
		for _, r := range l.Items {
			names = append(names, r["memberName"].(string))
			if r["orgId"] != OrgA(t) {
				t.Fatalf("A sees %v", r)
			}
		}
		if i, j := slices.Index(names, two.Name), slices.Index(names, one.Name); i < 0 || j < i {
			t.Fatalf("the newer at %d, the older at %d", i, j)
		}
		Columns(t, a, RecordSpec{Type: "duesBase", Columns: []string{"memberName", "orgId", "effectiveMonth", "baseAmount", "rate", "payableAmount"}})
		for _, q := range []string{"f.memberName=" + one.Name, "f.memberName=" + one.Name + "&f.effectiveMonth=2026-01", "f.memberName=" + one.Name + "&f.orgId=" + OrgA(t)} {
			if l := a.List("duesBase", q); len(l.Items) != 1 || l.Items[0]["memberName"] != one.Name || l.Items[0]["rate"] != "1%" || l.Items[0]["payableAmount"] != float64(5000) {
				t.Fatalf("%s finds %v", q, l.Items)
			}
		}
		if l := a.List("duesBase", "f.memberName=00000000不存在"); len(l.Items) != 0 || l.Total != 0 {
			t.Fatalf("no match shows %v", l)
		}
		if l := a.List("duesBase", "size=1&page=2"); len(l.Items) != 1 {
			t.Fatalf("the second page: %v", l)
		}
		Refused(t, a.Do("GET", Path("duesBase")+"?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		if l := AdminP(t).List("duesBase", "size=100"); !slices.ContainsFunc(l.Items, func(r map[string]any) bool { return r["memberName"] == p.Name }) {
			t.Fatal("P does not see B's")
		}
	})
	t.Run("BASE-06 APRV-25 APRV-26 APRV-27 a member applies with proof: rate and amount show, no base changes before it is approved, nor two wait for a month", func(t *testing.T) {
		p := payer(t, "2026-08")
		phone := PhoneOf(t, p)
		f := Form{"effectiveMonth": "2026-09", "baseAmount": 800_000, "files": proof(t, phone)}
		for k, text := range map[string]string{"effectiveMonth": "请填写", "baseAmount": "请填写", "files": "请填写"} {
			Refused(t, phone.Do("POST", Own(applied), f.With(Form{k: nil})), http.StatusBadRequest, k, text)
		}
		var got Item
		phone.Post(Own(applied), f, &got)
		id := IDOf(got)
		if got["state"] != "pending" || got["rate"] != "1.5%" || got["payableAmount"] != float64(12000) {
			t.Fatalf("handed in: %v", got)
		}
		Refused(t, phone.Do("POST", Own(applied), f.With(Form{"files": proof(t, phone)})), http.StatusConflict, "", "已有待审核的申请")
		if o := owed(t, p.ID, "2026-10"); o["2026-09"].Due != 5000 {
			t.Fatalf("before it is approved: %+v", o)
		}
		bfftest.Eventually(t, "the admin is told", func() bool { return told(a, "console", id) == 1 })
		Columns(t, a, RecordSpec{Type: applied, Columns: []string{"memberId", "orgId", "createdAt", "state"}})
		if slices.Contains(IDs(AdminB(t).List(applied, "size=100")), id) {
			t.Fatal("the sibling sees it")
		}
		Refused(t, decide(AdminB(t), applied, id, "approve", Form{}), http.StatusNotFound, "", NothingThere)
		Refused(t, decide(Limited(t, applied+".view"), applied, id, "approve", Form{}), http.StatusForbidden, "", "无操作权限")
		// Who decides reads the amount in full, and that is on record.
		var open Item
		a.Post(Path(applied)+"/"+id+"/reveal", Form{}, &open)
		if open["baseAmount"] != float64(800_000) {
			t.Fatalf("the approver reads %v", open["baseAmount"])
		}
		decide(a, applied, id, "approve", Form{"opinion": "属实"}).Into(t, &Item{})
		Refused(t, decide(a, applied, id, "reject", Form{"opinion": "x"}), http.StatusConflict, "", "已审核")
		if o := owed(t, p.ID, "2026-10"); o["2026-09"].Due != 12000 || o["2026-10"].Due != 12000 {
			t.Fatalf("approved: %+v", o)
		}
		l := a.List("duesBase", "f.memberName="+p.Name+"&f.effectiveMonth=2026-09").Items
		if len(l) != 1 || l[0]["rate"] != "1.5%" || l[0]["payableAmount"] != float64(12000) {
			t.Fatalf("基数管理 shows %v", l)
		}
		bfftest.Eventually(t, "he is told", func() bool { return told(phone, "member", id) == 1 })

		// It replaces one of the same month; a rejected one changes nothing.
		phone.Post(Own(applied), Form{"effectiveMonth": "2026-09", "baseAmount": 300_000, "files": proof(t, phone)}, &got)
		decide(a, applied, IDOf(got), "approve", Form{}).Into(t, &Item{})
		if l := a.List("duesBase", "f.memberName="+p.Name+"&f.effectiveMonth=2026-09").Items; len(l) != 1 || l[0]["payableAmount"] != float64(1500) {
			t.Fatalf("replaced: %v", l)
		}
		phone.Post(Own(applied), Form{"effectiveMonth": "2026-09", "baseAmount": 900_000, "files": proof(t, phone)}, &got)
		Refused(t, decide(a, applied, IDOf(got), "reject", Form{}), http.StatusBadRequest, "opinion", "请填写")
		decide(a, applied, IDOf(got), "reject", Form{"opinion": "证明有误"}).Into(t, &Item{})
		var x Item
		a.Get(Path(applied)+"/"+IDOf(got), &x)
		if l := a.List("duesBase", "f.memberName="+p.Name+"&f.effectiveMonth=2026-09").Items; x["state"] != "rejected" || len(l) != 1 || l[0]["payableAmount"] != float64(1500) {
			t.Fatalf("rejected: %v, %v", x, l)
		}
	})
	t.Run("APRV-26 approved for who has left: refused, and it waits", func(t *testing.T) {
		p := payer(t, "2026-08")
		phone := PhoneOf(t, p)
		var got Item
		phone.Post(Own(applied), Form{"effectiveMonth": "2026-09", "baseAmount": 800_000, "files": proof(t, phone)}, &got)
		Remove(t, a, "member", p.ID)
		if r := decide(a, applied, IDOf(got), "approve", Form{}); r.Status < 400 || r.Status >= 500 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		var now Item
		a.Get(Path(applied)+"/"+IDOf(got), &now)
		if now["state"] != "pending" {
			t.Fatalf("after the refusal: %v", now)
		}
	})
}
