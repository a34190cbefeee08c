package approval

import (
	"net/http"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestCertificate: 证明信 (manual 8.4, 17.3).
func TestCertificate(t *testing.T) {
	const typ = "certificate"
	valid := func(t *testing.T, orgID string, _ int) Form {
		return Form{"memberId": NewMember(t, orgID).ID, "receiver": "市档案馆", "purpose": "查阅本人档案", "content": "兹证明该同志系我支部正式党员。"}
	}
	gone := NewMember(t, OrgA(t))
	Remove(t, AdminA(t), "member", gone.ID)
	Record(t, RecordSpec{
		IDs: RowIDs{List: "CERT-01", Add: "CERT-02", Update: "CERT-04", Delete: "CERT-06", Export: "CERT-07"}, Type: typ, Valid: valid,
		Columns: []string{"certificateNo", "memberId", "orgId", "purpose", "receiver", "issuedOn", "state"},
		Filters: func(_ int, f Form) []string {
			of := "f.memberId=" + f["memberId"].(string)
			return []string{of, of + "&f.state=approved", of + "&f.issuedOn=" + Day(0) + "," + Day(1)}
		},
		Required:    []string{"memberId", "receiver", "purpose", "content"},
		Wrong:       []Wrong{{"one who is not active", Form{"memberId": gone.ID}, "memberId", ""}},
		Update:      Form{"receiver": "区人民法院", "purpose": "办理公证"},
		WrongUpdate: []Wrong{{"no purpose", Form{"purpose": ""}, "purpose", "请填写"}, {"no receiver", Form{"receiver": " "}, "receiver", "请填写"}},
		Export:      []string{"编号", "党员", "所在支部", "证明事项", "致（接收单位）", "开具日期"},
	})
	paper := func(b *bfftest.Browser, id string) *bfftest.Answer {
		return b.Do("GET", Path(typ)+"/"+id+"/print/print", nil)
	}
	t.Run("CERT-05 CERT-06 its paper is a PDF with a number of its own; deleted it is printed no more, and a sibling prints none", func(t *testing.T) {
		a := AdminA(t)
		one, two := Add(t, a, typ, valid(t, OrgA(t), 0)), Add(t, a, typ, valid(t, OrgA(t), 0))
		if no := one["certificateNo"].(string); no == "" || no == two["certificateNo"] || !strings.HasPrefix(no, "证〔") || one["issuedOn"] != Day(0) {
			t.Fatalf("numbers %v and %v of %v", one["certificateNo"], two["certificateNo"], one["issuedOn"])
		}
		got := paper(a, IDOf(one))
		if got.Status != http.StatusOK || !strings.HasPrefix(string(got.Body), "%PDF") {
			t.Fatalf("printed: %d %.80s", got.Status, got.Body)
		}
		Refused(t, paper(AdminB(t), IDOf(one)), http.StatusNotFound, "", NothingThere)
		Refused(t, paper(Limited(t, typ+".view"), IDOf(one)), http.StatusForbidden, "", "无操作权限")
		Remove(t, a, typ, IDOf(one))
		Refused(t, paper(a, IDOf(one)), http.StatusNotFound, "", NothingThere)
	})
	t.Run("CERT-05 CERT-03 what a member applies for has no number and cannot be printed before it is approved", func(t *testing.T) {
		phone := PhoneOf(t, NewMember(t, OrgA(t)))
		var got Item
		phone.Post(Own(typ+"Application"), Form{"receiver": "公证处", "purpose": "公证"}, &got)
		a := AdminA(t)
		Refused(t, paper(a, IDOf(got)), http.StatusNotFound, "", NothingThere)
		a.Post(Path(typ+"Application")+"/"+IDOf(got)+"/actions/approve", Form{}, &Item{})
		var now Item
		a.Get(Path(typ)+"/"+IDOf(got), &now)
		if no, _ := now["certificateNo"].(string); no == "" || !strings.Contains(now["content"].(string), "公证") {
			t.Fatalf("approved: %v", now)
		}
		if p := paper(a, IDOf(got)); p.Status != http.StatusOK {
			t.Fatalf("printed: %d %s", p.Status, p.Body)
		}
	})
	s := applicationSpec{
		Type: typ, Title: "证明信", Form: Form{"receiver": "市档案馆", "purpose": "查阅档案"}, Required: []string{"receiver", "purpose"},
		// Nothing keeps a member from several certificates: what cannot follow is one for who has left.
		Left: true,
	}
	s.IDs.Apply, s.IDs.Own, s.IDs.List, s.IDs.Decide, s.IDs.Result = "CERT-03", "", "APRV-10", "APRV-11", "APRV-12"
	application(t, s)
}
