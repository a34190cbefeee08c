package acceptance

import (
	"net/http"
	"net/url"
	"testing"
)

// TestLeadership: 领导班子 (manual 5.3.6).
func TestLeadership(t *testing.T) {
	const typ = "leadershipMember"
	a := adminA(t)
	elections := map[string]string{}
	for org, b := range map[string]func() string{orgA(t): func() string { return elect(t, a, orgA(t), "2001-03-01") }, orgB(t): func() string { return elect(t, adminB(t), orgB(t), "2001-03-01") }} {
		elections[org] = b()
	}
	record(t, recordSpec{
		IDs: rowIDs{List: "LEAD-01", Add: "LEAD-02", Update: "LEAD-03", Delete: "LEAD-04"}, Type: typ,
		Valid: func(_ *testing.T, orgID string, i int) form {
			return form{"electionId": elections[orgID], "name": name("委员" + string(rune('甲'+i))), "position": "member", "phone": "13800138000", "tenureStart": "2001-03-02", "sortNo": i}
		},
		Columns: []string{"name", "position", "phone", "tenureStart", "sortNo"},
		Filters: func(_ int, f form) []string {
			n := url.QueryEscape(f["name"].(string))
			return []string{"f.name=" + n, "f.name=" + n + "&f.electionId=" + f["electionId"].(string)}
		},
		Required: []string{"position"},
		Wrong: []wrong{
			{"nobody", form{"name": ""}, "name", "请填写姓名"},
			{"the same office again", form{"name": name("委员" + string(rune('甲'+1)))}, "position", "已任此职务"},
			{"before the election", form{"tenureStart": "2001-02-28"}, "tenureStart", "不能早于换届时间"},
			{"an election elsewhere", form{"electionId": elections[orgB(t)]}, "electionId", "不在管理范围内"},
		},
		Update:      form{"name": name("改名委员"), "adminDuty": "主任", "sortNo": 9},
		WrongUpdate: []wrong{{"another's name and office", form{"name": name("委员" + string(rune('甲'+1)))}, "position", "已任此职务"}},
	})
	t.Run("LEAD-02 the person is in the leadership of the election, and of the organisation when it is the newest; there is one 书记", func(t *testing.T) {
		at := idOf(add(t, root(t), "organization", orgForm(name("书记支部"), "branch", orgP(t))))
		p := adminP(t)
		e := elect(t, p, at, "2020-03-01")
		who := newMember(t, at)
		add(t, p, typ, form{"electionId": e, "memberId": who.ID, "position": "secretary", "tenureStart": "2020-03-01"})
		c, _ := leaders(t, p, at)
		if c != "2020-03-01 "+who.Name {
			t.Fatalf("%q", c)
		}
		refused(t, p.Do("POST", path(typ), form{"electionId": e, "name": "另一人", "position": "secretary"}), http.StatusBadRequest, "position", "本届已有书记")
		refused(t, p.Do("POST", path(typ), form{"electionId": e, "memberId": who.ID, "position": "secretary"}), http.StatusBadRequest, "position", "")
		refused(t, p.Do("POST", path(typ), form{"electionId": e, "memberId": newMember(t, orgA(t)).ID, "position": "member"}), http.StatusBadRequest, "memberId", "该组织或其下级组织的党员")
		old := elect(t, p, at, "2017-03-01")
		lead(t, p, old, "前书记", "secretary")
		c, h := leaders(t, p, at)
		same2(t, c, h, "2020-03-01 "+who.Name, "2017-03-01 前书记")
	})
	t.Run("LEAD-03 new values show in the organisation's leadership", func(t *testing.T) {
		at := idOf(add(t, root(t), "organization", orgForm(name("改班子支部"), "branch", orgP(t))))
		p := adminP(t)
		l := lead(t, p, elect(t, p, at, "2020-03-01"), "原名", "secretary")
		var r item
		put(t, p, typ, l, form{"name": "现名"}).Into(t, &r)
		if c, _ := leaders(t, p, at); c != "2020-03-01 现名" {
			t.Fatalf("%q", c)
		}
	})
	t.Run("LEAD-04 the member stays when he leaves the leadership", func(t *testing.T) {
		at := idOf(add(t, root(t), "organization", orgForm(name("离任支部"), "branch", orgP(t))))
		p := adminP(t)
		who := newMember(t, at)
		l := idOf(add(t, p, typ, form{"electionId": elect(t, p, at, "2020-03-01"), "memberId": who.ID, "position": "secretary"}))
		gone(p, typ, l)
		if c, _ := leaders(t, p, at); c != "2020-03-01 " {
			t.Fatalf("%q", c)
		}
		p.Get(path("member")+"/"+who.ID, &item{})
		refused(t, gone(p, typ, l), http.StatusNotFound, "", "数据不存在")
	})
}
