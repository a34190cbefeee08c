package organization

import (
	"net/http"
	"net/url"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

// TestLeadership: 领导班子 (manual 5.3.6).
func TestLeadership(t *testing.T) {
	const typ = "leadershipMember"
	a := AdminA(t)
	elections := map[string]string{}
	for org, b := range map[string]func() string{OrgA(t): func() string { return elect(t, a, OrgA(t), "2001-03-01") }, OrgB(t): func() string { return elect(t, AdminB(t), OrgB(t), "2001-03-01") }} {
		elections[org] = b()
	}
	Record(t, RecordSpec{
		IDs: RowIDs{List: "LEAD-01", Add: "LEAD-02", Update: "LEAD-03", Delete: "LEAD-04"}, Type: typ,
		Valid: func(_ *testing.T, orgID string, i int) Form {
			return Form{"electionId": elections[orgID], "name": Name("委员" + string(rune('甲'+i))), "position": "member", "phone": "13800138000", "tenureStart": "2001-03-02", "sortNo": i}
		},
		Columns: []string{"name", "position", "phone", "tenureStart", "sortNo"},
		Filters: func(_ int, f Form) []string {
			n := url.QueryEscape(f["name"].(string))
			return []string{"f.name=" + n, "f.name=" + n + "&f.electionId=" + f["electionId"].(string)}
		},
		Required: []string{"position"},
		Wrong: []Wrong{
			{"nobody", Form{"name": ""}, "name", "请填写姓名"},
			{"the same office again", Form{"name": Name("委员" + string(rune('甲'+1)))}, "position", "已任此职务"},
			{"before the election", Form{"tenureStart": "2001-02-28"}, "tenureStart", "不能早于换届时间"},
			{"an election elsewhere", Form{"electionId": elections[OrgB(t)]}, "electionId", "不在管理范围内"},
		},
		Update:      Form{"name": Name("改名委员"), "adminDuty": "主任", "sortNo": 9},
		WrongUpdate: []Wrong{{"another's name and office", Form{"name": Name("委员" + string(rune('甲'+1)))}, "position", "已任此职务"}},
	})
	t.Run("LEAD-02 the person is in the leadership of the election, and of the organisation when it is the newest; there is one 书记", func(t *testing.T) {
		at := NewOrg(t, Name("书记支部"), "branch", OrgP(t))
		p := AdminP(t)
		e := elect(t, p, at, "2020-03-01")
		who := NewMember(t, at)
		Add(t, p, typ, Form{"electionId": e, "memberId": who.ID, "position": "secretary", "tenureStart": "2020-03-01"})
		c, _ := leaders(t, p, at)
		if c != "2020-03-01 "+who.Name {
			t.Fatalf("%q", c)
		}
		Refused(t, p.Do("POST", Path(typ), Form{"electionId": e, "name": "另一人", "position": "secretary"}), http.StatusBadRequest, "position", "本届已有书记")
		Refused(t, p.Do("POST", Path(typ), Form{"electionId": e, "memberId": who.ID, "position": "secretary"}), http.StatusBadRequest, "position", "")
		Refused(t, p.Do("POST", Path(typ), Form{"electionId": e, "memberId": NewMember(t, OrgA(t)).ID, "position": "member"}), http.StatusBadRequest, "memberId", "该组织或其下级组织的党员")
		old := elect(t, p, at, "2017-03-01")
		lead(t, p, old, "前书记", "secretary")
		c, h := leaders(t, p, at)
		same2(t, c, h, "2020-03-01 "+who.Name, "2017-03-01 前书记")
	})
	t.Run("LEAD-03 new values show in the organisation's leadership", func(t *testing.T) {
		at := NewOrg(t, Name("改班子支部"), "branch", OrgP(t))
		p := AdminP(t)
		l := lead(t, p, elect(t, p, at, "2020-03-01"), "原名", "secretary")
		var r Item
		Put(t, p, typ, l, Form{"name": "现名"}).Into(t, &r)
		if c, _ := leaders(t, p, at); c != "2020-03-01 现名" {
			t.Fatalf("%q", c)
		}
	})
	t.Run("LEAD-04 the member stays when he leaves the leadership", func(t *testing.T) {
		at := NewOrg(t, Name("离任支部"), "branch", OrgP(t))
		p := AdminP(t)
		who := NewMember(t, at)
		l := IDOf(Add(t, p, typ, Form{"electionId": elect(t, p, at, "2020-03-01"), "memberId": who.ID, "position": "secretary"}))
		Delete(p, typ, l)
		if c, _ := leaders(t, p, at); c != "2020-03-01 " {
			t.Fatalf("%q", c)
		}
		p.Get(Path("member")+"/"+who.ID, &Item{})
		Refused(t, Delete(p, typ, l), http.StatusNotFound, "", "数据不存在")
	})
}
