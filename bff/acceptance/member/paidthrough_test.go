package member

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestPaidThrough: what was paid before the system is set right (beyond the manual).
func TestPaidThrough(t *testing.T) {
	t.Run("PLUS-14 a wrong 缴纳至 is corrected with a reason on record, and what is owed follows; months paid in the system stay", func(t *testing.T) {
		a := AdminA(t)
		m := Add(t, a, "member", someone(OrgA(t)).With(Form{"duesPaidThrough": "2026-09"}))
		id := m["id"].(string)
		Add(t, a, "duesBase", Form{"memberId": id, "baseAmount": 500000, "effectiveMonth": "2026-01"})
		correct := Path("member") + "/" + id + "/actions/correctPaidThrough"
		owed := func() (o struct {
			PaidThrough string
			Items       []struct{ Month string }
		}) {
			t.Helper()
			a.Get("/api/console/dues/owed?memberId="+id, &o)
			return o
		}
		if o := owed(); o.PaidThrough != "2026-09" {
			t.Fatalf("%+v", o)
		}
		Refused(t, a.Do("POST", correct, Form{"duesPaidThrough": "2026-06"}), http.StatusBadRequest, "reason", "请填写更正原因")
		Refused(t, a.Do("POST", correct, Form{"duesPaidThrough": "1905-07", "reason": "录入有误"}), http.StatusBadRequest, "duesPaidThrough", "1921-07")
		Refused(t, a.Do("POST", correct, Form{"duesPaidThrough": "2026-09", "reason": "录入有误"}), http.StatusBadRequest, "duesPaidThrough", "相同")
		a.Post(correct, Form{"duesPaidThrough": "2026-06", "reason": "录入有误，应为六月"}, &m)
		if o := owed(); m["duesPaidThrough"] != "2026-06" || o.PaidThrough != "2026-06" || len(o.Items) == 0 || o.Items[0].Month != "2026-07" {
			t.Fatalf("%v, owed %+v", m["duesPaidThrough"], o)
		}
		bfftest.Eventually(t, "the audit has the old value and the reason", func() bool {
			return slices.ContainsFunc(a.List("audit", "f.recordId="+id).Items, func(e Item) bool {
				text := fmt.Sprint(e)
				return strings.Contains(text, "更正缴纳至") && strings.Contains(text, "录入有误，应为六月") && strings.Contains(text, "2026-09") && strings.Contains(text, "2026-06")
			})
		})
		var order Item
		a.Post("/api/console/dues/orders", Form{"memberId": id, "toMonth": "2026-07", "idempotencyKey": Name("correct")}, &order)
		a.Post(fmt.Sprintf("/api/console/dues/orders/%v/cash", order["id"]), Form{}, &struct{}{})
		Refused(t, a.Do("POST", correct, Form{"duesPaidThrough": "2026-06", "reason": "试试"}), http.StatusBadRequest, "duesPaidThrough", "本系统缴纳")
		if o := owed(); o.PaidThrough != "2026-07" {
			t.Fatalf("%+v", o)
		}
		a.Post(correct, Form{"duesPaidThrough": "2026-08", "reason": "八月在纸质台账缴纳"}, &m)
		if o := owed(); o.PaidThrough != "2026-08" {
			t.Fatalf("%+v", o)
		}
		Refused(t, Limited(t, "member.view").Do("POST", correct, Form{"duesPaidThrough": "2026-06", "reason": "试试"}), http.StatusForbidden, "", "无操作权限")
		Refused(t, AdminB(t).Do("POST", correct, Form{"duesPaidThrough": "2026-06", "reason": "试试"}), http.StatusNotFound, "", NothingThere)
	})
}
