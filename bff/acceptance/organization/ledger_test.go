package organization

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestLedger: 工作台账 (manual 15), of the modules that exist.
func TestLedger(t *testing.T) {
	a, p := AdminA(t), AdminP(t)
	who := NewMember(t, OrgA(t))
	type related struct{ Type, Field, Title, Year string }
	parts := func(t *testing.T, typ string) []related {
		t.Helper()
		var schema struct {
			Related []related
		}
		a.Get(Path(typ)+"/schema", &schema)
		return schema.Related
	}
	readOnly := func(t *testing.T, typ, id string) {
		t.Helper()
		Refused(t, a.Do("POST", Path(typ), Form{"orgName": "x", "name": "x"}), http.StatusForbidden, "", "无操作权限")
		Refused(t, a.Do("PUT", Path(typ)+"/"+id, Form{"version": 1}), http.StatusForbidden, "", "无操作权限")
		Refused(t, a.Do("POST", Path(typ)+"/delete", Form{"ids": []string{id}}), http.StatusForbidden, "", "无操作权限")
	}
	t.Run("LEDG-01 the organisations of the chosen subtree, and none outside", func(t *testing.T) {
		a.T, p.T = t, t
		got := IDs(p.List("organizationLedger", "size=100"))
		for _, id := range []string{OrgP(t), OrgA(t), OrgB(t)} {
			if !slices.Contains(got, id) {
				t.Errorf("%s is missing", id)
			}
		}
		if got := IDs(a.List("organizationLedger", "size=100")); !slices.Equal(got, []string{OrgA(t)}) {
			t.Fatalf("A sees %v", got)
		}
		Columns(t, a, RecordSpec{Type: "organizationLedger", Columns: []string{"orgName", "orgType", "secretary"}})
		Refused(t, a.Do("GET", Path("organizationLedger")+"?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("LEDG-02 an organisation's page is that of 党组织管理, to read only", func(t *testing.T) {
		a.T = t
		var l, o Item
		a.Get(Path("organizationLedger")+"/"+OrgA(t), &l)
		a.Get(Path("organization")+"/"+OrgA(t), &o)
		for _, k := range []string{"orgName", "orgType", "parentId", "secretary", "contactName", "contactPhone", "address", "introduction"} {
			if l[k] != o[k] {
				t.Errorf("%s: %v, there %v", k, l[k], o[k])
			}
		}
		if int(l["memberCount"].(float64)) != a.List("member", "").Total {
			t.Errorf("%v members, the list has %d", l["memberCount"], a.List("member", "").Total)
		}
		if !slices.ContainsFunc(parts(t, "organizationLedger"), func(r related) bool { return r.Type == "leadershipMember" && r.Field == "orgId" && r.Year == "" }) {
			t.Error("no leadership")
		}
		Refused(t, a.Do("GET", Path("organizationLedger")+"/"+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		readOnly(t, "organizationLedger", OrgA(t))
	})
	t.Run("LEDG-04 LEDG-05 the members of the chosen subtree; a member's page is that of 党员管理, to read only", func(t *testing.T) {
		a.T, p.T = t, t
		theirs := NewMember(t, OrgB(t)).ID
		if got := IDs(a.List("memberLedger", "size=100")); !slices.Contains(got, who.ID) || slices.Contains(got, theirs) || a.List("memberLedger", "").Total != a.List("member", "").Total {
			t.Fatalf("A sees %v", got)
		}
		if got := IDs(p.List("memberLedger", "size=100&orgId="+OrgB(t))); !slices.Contains(got, theirs) || slices.Contains(got, who.ID) {
			t.Fatalf("P with B chosen sees %v", got)
		}
		Columns(t, a, RecordSpec{Type: "memberLedger", Columns: []string{"name", "orgId"}})
		var l, m Item
		a.Get(Path("memberLedger")+"/"+who.ID, &l)
		a.Get(Path("member")+"/"+who.ID, &m)
		for _, k := range []string{"name", "gender", "idNumber", "phone", "birthDate", "orgId", "memberType", "joinedOn", "regularizedOn", "education"} {
			if l[k] != m[k] {
				t.Errorf("%s: %v, there %v", k, l[k], m[k])
			}
		}
		Refused(t, a.Do("GET", Path("memberLedger")+"/"+theirs, nil), http.StatusNotFound, "", NothingThere)
		readOnly(t, "memberLedger", who.ID)
	})
	// of is a part of a record's ledger as the console asks for it.
	of := func(t *testing.T, b *bfftest.Browser, typ, id, title string, year int) bfftest.Page {
		t.Helper()
		for _, r := range parts(t, typ) {
			if r.Title != title {
				continue
			}
			q := "orgId=" + id
			if r.Field != "" {
				q = "f." + r.Field + "=" + id
			}
			if r.Year != "" {
				q += fmt.Sprintf("&f.%s=%d-01-01,%d-12-31", r.Year, year, year)
			}
			return b.List(r.Type, q)
		}
		t.Fatalf("no part %s", title)
		return bfftest.Page{}
	}
	top := NewOrg(t, Name("台账总支"), "generalBranch", OrgP(t))
	branch := NewOrg(t, Name("台账支部"), "branch", top)
	admin := AdminOf(t, branch, "ledgerAdmin")
	one, two := NewMember(t, branch), NewMember(t, branch)
	now := time.Now()
	newest := IDOf(Add(t, admin, "meeting", MeetingForm("今年的会", Form{"participantIds": []string{one.ID, two.ID}, "meetingForm": "offline", "place": "礼堂"})))
	admin.Post("/api/console/records/meeting/"+newest+"/actions/start", nil, &Item{})
	Add(t, admin, "meeting", MeetingForm("去年的会", Form{"participantIds": []string{two.ID},
		"startAt": now.AddDate(-1, 0, 0).Format(time.RFC3339), "endAt": now.AddDate(-1, 0, 0).Add(time.Hour).Format(time.RFC3339)}))
	Add(t, admin, "reward", Form{"memberId": one.ID, "rewardName": "优秀党员", "rewardedOn": now.Format(time.DateOnly), "content": "表彰"})
	Add(t, admin, "sanction", Form{"memberId": two.ID, "sanctionType": "warning", "sanctionedOn": now.AddDate(-1, 0, 0).Format(time.DateOnly), "reason": "违纪"})
	var qr struct{ URL string }
	admin.Get("/api/console/meetings/"+newest+"/qr", &qr)
	_, token, _ := strings.Cut(qr.URL, "?t=")
	PhoneOf(t, one).Post("/api/member/sign-in", Form{"token": token}, &Item{})

	t.Run("LEDG-03 a year of an organisation: what its modules list, with date and participants; an empty part is empty", func(t *testing.T) {
		a.T, p.T, admin.T = t, t, t
		for title, want := range map[string][2]int{"会议": {1, 1}, "党费": {0, 0}, "发展党员": {0, 0}, "奖励": {1, 0}, "处分": {0, 1}} {
			for i, year := range []int{now.Year(), now.Year() - 1} {
				for _, id := range []string{branch, top} { // the superior's ledger holds those below it
					if got := of(t, p, "organizationLedger", id, title, year); got.Total != want[i] {
						t.Errorf("%s of %d: %d, want %d", title, year, got.Total, want[i])
					}
				}
			}
		}
		if all := admin.List("meeting", "").Total; all != 2 {
			t.Fatalf("the module lists %d", all)
		}
		m := of(t, admin, "organizationLedger", branch, "会议", now.Year()).Items[0]
		if names := m["_labels"].(map[string]any)["participantIds"]; !strings.Contains(names.(string), one.Name) || !strings.Contains(names.(string), two.Name) || m["startAt"] == "" {
			t.Fatalf("%v", m)
		}
		if r := of(t, admin, "organizationLedger", branch, "奖励", now.Year()).Items[0]; r["_labels"].(map[string]any)["memberId"] != one.Name || r["rewardedOn"] == "" {
			t.Fatalf("%v", r)
		}
		Refused(t, a.Do("GET", Path("meeting")+"?orgId="+branch, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("LEDG-06 a year of a member: his meetings, dues, rewards, sanctions and points, and no others'", func(t *testing.T) {
		a.T, admin.T = t, t
		last := now.Year() - 1
		if got := of(t, admin, "memberLedger", one.ID, "会议", now.Year()); got.Total != 1 || got.Items[0]["attendance"] != "signedIn" {
			t.Fatalf("%v", got)
		}
		if got := of(t, admin, "memberLedger", two.ID, "会议", now.Year()); got.Total != 1 || got.Items[0]["attendance"] != "absent" {
			t.Fatalf("%v", got)
		}
		if of(t, admin, "memberLedger", one.ID, "会议", last).Total+of(t, admin, "memberLedger", one.ID, "奖励", last).Total != 0 {
			t.Fatal("last year has what is of this one")
		}
		if of(t, admin, "memberLedger", one.ID, "奖励", now.Year()).Total != 1 || of(t, admin, "memberLedger", two.ID, "奖励", now.Year()).Total != 0 ||
			of(t, admin, "memberLedger", two.ID, "处分", last).Total != 1 || of(t, admin, "memberLedger", one.ID, "党费", now.Year()).Total != 0 {
			t.Fatal("rewards, sanctions or dues")
		}
		bfftest.Eventually(t, "the reward and the sign-in are booked", func() bool {
			return of(t, admin, "memberLedger", one.ID, "积分", now.Year()).Total == 2
		})
		got := of(t, admin, "memberLedger", one.ID, "积分", now.Year())
		var entries struct {
			Total, Sum int
		}
		admin.Get("/api/console/points/entries?id="+one.ID, &entries)
		sum := 0.0
		for _, e := range got.Items {
			n, err := strconv.ParseFloat(e["score"].(string), 64)
			if err != nil || e["earnedAt"] == "" || e["source"] == "" {
				t.Fatalf("%v", e)
			}
			sum += n
		}
		if entries.Total != got.Total || float64(entries.Sum) != sum*100 {
			t.Fatalf("%v, the module says %+v", got, entries)
		}
		if got := of(t, a, "memberLedger", one.ID, "积分", now.Year()); got.Total != 0 {
			t.Fatalf("another branch sees %v", got)
		}
		Refused(t, Limited(t, "member.view").Do("GET", Path("points"), nil), http.StatusForbidden, "", "无操作权限")
	})
}
