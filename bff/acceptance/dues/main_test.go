// Package dues proves what members apply for and admins keep beside the payments themselves: bases,
// reductions, arrears and reports (manual 7.2, 7.4 to 7.6, 17.7, 17.8).
package dues

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

func TestMain(m *testing.M) { Main(m) }

// payer is a new member of A with a base of 5000.00 yuan, 50.00 a month, from 2026-01, who has paid
// through a month, "" for one who never has.
func payer(t *testing.T, through string) bfftest.Person {
	t.Helper()
	p := NewPerson()
	f := MemberForm(p, OrgA(t))
	if through != "" {
		f["duesPaidThrough"] = through
	}
	p.ID = IDOf(Add(t, Root(t), "member", f))
	Add(t, AdminA(t), "duesBase", Form{"memberId": p.ID, "effectiveMonth": "2026-01", "baseAmount": 500_000})
	return p
}

type item struct {
	Month                   string
	Payable, Reduction, Due int64
}

// owed are the months that a member owes, by month.
func owed(t *testing.T, memberID, to string) map[string]item {
	t.Helper()
	var o struct{ Items []item }
	AdminA(t).Get("/api/console/dues/owed?memberId="+memberID+"&toMonth="+to, &o)
	out := map[string]item{}
	for _, x := range o.Items {
		out[x.Month] = x
	}
	return out
}

func decide(b *bfftest.Browser, typ, id, action string, f Form) *bfftest.Answer {
	return b.Do("POST", Path(typ)+"/"+id+"/actions/"+action, f)
}

// told is how many messages about a record somebody has.
func told(b *bfftest.Browser, side, id string) (n int) {
	var l struct{ Notifications []struct{ TargetID string } }
	b.Get("/api/"+side+"/notifications", &l)
	for _, x := range l.Notifications {
		if x.TargetID == id {
			n++
		}
	}
	return n
}
