package organization

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// elect adds an election of an organisation.
func elect(t *testing.T, b *bfftest.Browser, orgID, on string) string {
	t.Helper()
	b.T = t
	return IDOf(Add(t, b, "election", Form{"orgId": orgID, "electionForm": "memberMeeting", "electedOn": on, "termYears": 3}))
}

// lead adds somebody to the leadership of an election.
func lead(t *testing.T, b *bfftest.Browser, election, who, position string) string {
	t.Helper()
	b.T = t
	return IDOf(Add(t, b, "leadershipMember", Form{"electionId": election, "name": who, "position": position}))
}

type term struct {
	ElectionID, ElectedOn string
	Leaders               []struct{ ID, Name, Position, Phone string }
}

func (t *term) names() string {
	if t == nil {
		return "-"
	}
	var out []string
	for _, l := range t.Leaders {
		out = append(out, l.Name)
	}
	return t.ElectedOn + " " + strings.Join(out, " ")
}

// leaders are who leads an organisation, and who did.
func leaders(t *testing.T, b *bfftest.Browser, orgID string) (current string, history []string) {
	t.Helper()
	var l struct {
		Current *term
		History []*term
	}
	b.T = t
	b.Get("/api/console/organizations/"+orgID+"/leadership", &l)
	for _, h := range l.History {
		history = append(history, h.names())
	}
	return l.Current.names(), history
}

func same2(t *testing.T, current string, history []string, wantCurrent string, wantHistory ...string) {
	t.Helper()
	if current != wantCurrent || !slices.Equal(history, wantHistory) {
		t.Fatalf("leaders %q and before %q, want %q and %q", current, history, wantCurrent, wantHistory)
	}
}

// TestElection: 组织换届 (manual 5.3).
func TestElection(t *testing.T) {
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "ELEC-01", Add: "ELEC-03", View: "ELEC-05", Update: "ELEC-06", Delete: "ELEC-07", Batch: "ELEC-08"},
		Type: "election",
		Valid: func(_ *testing.T, orgID string, i int) Form {
			return Form{"orgId": orgID, "electionForm": "congress", "electedOn": fmt.Sprintf("2011-%02d-%02d", 1+i/28, 1+i%28), "termYears": 3, "termNo": i, "description": "选举产生"}
		},
		Columns: []string{"orgId", "electionForm", "electedOn", "termYears", "nextElectionOn", "approvalFiles"},
		Filters: func(_ int, f Form) []string {
			on := f["electedOn"].(string)
			return []string{"f.orgId=" + f["orgId"].(string) + "&f.electedOn=" + on + "," + on}
		},
		Required: []string{"orgId", "electionForm", "electedOn", "termYears"},
		Wrong: []Wrong{
			{"a day to come", Form{"electedOn": "2099-01-01"}, "electedOn", "不能晚于今天"},
			{"the day of another election", Form{"electedOn": "2011-01-02"}, "electedOn", "已有同一天的换届"},
			{"a term of four years", Form{"termYears": 4}, "termYears", "3年或5年"},
			{"an organisation elsewhere", Form{"orgId": OrgB(t)}, "orgId", "不在管理范围内"},
		},
		Shown:       []string{"nextElectionOn", "state"},
		Update:      Form{"electedOn": "2010-06-01", "termYears": 5},
		WrongUpdate: []Wrong{{"the day of another election", Form{"electedOn": "2011-01-02"}, "electedOn", "已有同一天的换届"}},
	})
	p := AdminP(t)
	branch := func(t *testing.T, n string) string {
		return NewOrg(t, Name(n), "branch", OrgP(t))
	}
	t.Run("ELEC-03 the next election is the term later", func(t *testing.T) {
		p.T = t
		at := branch(t, "任期支部")
		got := Add(t, p, "election", Form{"orgId": at, "electionForm": "appointed", "electedOn": "2024-02-29", "termYears": 5})
		if got["nextElectionOn"] != "2029-03-01" {
			t.Fatalf("%v", got["nextElectionOn"])
		}
	})
	t.Run("ELEC-04 the newest election decides, whatever the order, and only the own ones", func(t *testing.T) {
		at, other := branch(t, "届次支部"), branch(t, "别的支部")
		late, early := elect(t, p, at, "2021-05-01"), elect(t, p, at, "2018-05-01")
		lead(t, p, late, "新书记", "secretary")
		lead(t, p, early, "老书记", "secretary")
		lead(t, p, elect(t, p, other, "2025-01-01"), "别人", "secretary")
		c, h := leaders(t, p, at)
		same2(t, c, h, "2021-05-01 新书记", "2018-05-01 老书记")
		var r Item
		Put(t, p, "election", early, Form{"electedOn": "2022-05-01"}).Into(t, &r)
		c, h = leaders(t, p, at)
		same2(t, c, h, "2022-05-01 老书记", "2021-05-01 新书记")
	})
	t.Run("ORG-05 领导班子 shows the present and the former leaders", func(t *testing.T) {
		at := branch(t, "班子支部")
		c, h := leaders(t, p, at)
		same2(t, c, h, "-")
		e1, e2 := elect(t, p, at, "2018-06-01"), elect(t, p, at, "2021-06-01")
		lead(t, p, e2, "副职", "deputySecretary")
		lead(t, p, e2, "正职", "secretary")
		lead(t, p, e1, "前任", "secretary")
		c, h = leaders(t, p, at)
		same2(t, c, h, "2021-06-01 正职 副职", "2018-06-01 前任")
		Refused(t, AdminA(t).Do("GET", "/api/console/organizations/"+at+"/leadership", nil), http.StatusNotFound, "", NothingThere)
		var row Item
		p.Get(Path("organization")+"/"+at, &row)
		if !slices.Contains(row["_actions"].([]any), any("leadership")) {
			t.Fatal("no button")
		}
	})
	t.Run("ORG-06 a newer election makes history at once, its deletion undoes that, an older one changes nothing", func(t *testing.T) {
		at := branch(t, "换届支部")
		e1 := elect(t, p, at, "2018-07-01")
		lead(t, p, e1, "一届", "secretary")
		e2 := elect(t, p, at, "2021-07-01")
		lead(t, p, e2, "二届", "secretary")
		c, h := leaders(t, p, at)
		same2(t, c, h, "2021-07-01 二届", "2018-07-01 一届")
		elect(t, p, at, "2015-07-01")
		c, h = leaders(t, p, at)
		same2(t, c, h, "2021-07-01 二届", "2018-07-01 一届", "2015-07-01 ")
		Delete(p, "election", e2)
		c, h = leaders(t, p, at)
		same2(t, c, h, "2018-07-01 一届", "2015-07-01 ")
	})
	t.Run("ELEC-07 the leadership goes with its election", func(t *testing.T) {
		at := branch(t, "删除支部")
		e := elect(t, p, at, "2020-08-01")
		l := lead(t, p, e, "离任", "secretary")
		if x := Delete(p, "election", e); x.Status != http.StatusOK {
			t.Fatalf("%s", x.Body)
		}
		Refused(t, p.Do("GET", Path("leadershipMember")+"/"+l, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("ELEC-08 the leaderships go with their elections, the others stay", func(t *testing.T) {
		at := branch(t, "批删支部")
		one, two, three := elect(t, p, at, "2012-08-01"), elect(t, p, at, "2015-08-01"), elect(t, p, at, "2018-08-01")
		var l []string
		for _, e := range []string{one, two, three} {
			l = append(l, lead(t, p, e, "人"+e, "secretary"))
		}
		Delete(p, "election", one, two)
		got := p.List("leadershipMember", "size=100&orgId="+at)
		if got.Total != 1 || IDOf(got.Items[0]) != l[2] {
			t.Fatalf("%+v", got)
		}
	})
	t.Run("ELEC-09 files of 上传批复 are listed with who and when, can be downloaded and removed; others are refused", func(t *testing.T) {
		p.T = t
		at := branch(t, "批复支部")
		e := elect(t, p, at, "2021-09-01")
		upload := func(name, data string) *bfftest.Answer {
			return p.Do("POST", Path("election")+"/upload?field=approvalFiles", &bfftest.Upload{Name: name, Data: []byte(data)})
		}
		approve := func(name, data string) Item {
			var file, r Item
			upload(name, data).Into(t, &file)
			p.Post(Path("election")+"/"+e+"/actions/approval", Form{"approvalFiles": []Item{{"id": file["id"]}}}, &r)
			return r
		}
		const pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
		approve("关于换届的批复.pdf", pdf)
		r := approve("补充批复.pdf", pdf+"2")
		files := r["approvalFiles"].([]any)
		if len(files) != 2 {
			t.Fatalf("%v", files)
		}
		f := files[0].(map[string]any)
		if f["name"] != "关于换届的批复.pdf" || f["uploadedBy"] != Name("adminP") || !strings.HasPrefix(f["uploadedAt"].(string), "20") {
			t.Fatalf("%v", f)
		}
		file := Path("election") + "/files/" + f["id"].(string) + "?id=" + e
		if got := p.Do("GET", file, nil); got.Status != http.StatusOK || string(got.Body) != pdf {
			t.Fatalf("%d %q", got.Status, got.Body)
		}
		if got := AdminA(t).Do("GET", file, nil); got.Status != http.StatusNotFound {
			t.Fatalf("a stranger: %d", got.Status)
		}
		for name, data := range map[string]string{"程序.exe": "MZ", "假的.pdf": "MZ"} {
			if a := upload(name, data); a.Status != http.StatusBadRequest {
				t.Fatalf("%s: %d", name, a.Status)
			}
		}
		p.Get(Path("election")+"/"+e, &r)
		if len(r["approvalFiles"].([]any)) != 2 {
			t.Fatal("earlier files are gone")
		}
		Put(t, p, "election", e, Form{"approvalFiles": files[1:]}).Into(t, &r)
		if left := r["approvalFiles"].([]any); len(left) != 1 || left[0].(map[string]any)["name"] != "补充批复.pdf" {
			t.Fatalf("%v", left)
		}
		if got := p.Do("GET", file, nil); got.Status != http.StatusNotFound {
			t.Fatalf("a removed file: %d", got.Status)
		}
	})
}

// TestElectionReminders: elections that fall due (manual 5.3), in a calendar of its own.
func TestElectionReminders(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	top, admin, who := c.Top, c.Admin(t), c.Member(t)
	phone, wechat := c.Bind(t, 0, who)
	now := func() time.Time { return c.Now(t).In(time.FixedZone("", 8*3600)) }
	// Three years before the day that is seven months away.
	due := now().AddDate(0, 7, 0)
	due = time.Date(due.Year(), due.Month(), 15, 0, 0, 0, 0, due.Location())
	first := elect(t, top, c.Branch, due.AddDate(-3, 0, 0).Format(time.DateOnly))
	top.Post(Path("leadershipMember"), Form{"electionId": first, "memberId": who.ID, "position": "secretary"}, &Item{})
	notices := func(b *bfftest.Browser, at string) (out []string) {
		var n struct {
			Notifications []struct{ Kind, Content string }
		}
		b.Get(at, &n)
		for _, x := range n.Notifications {
			if x.Kind == "electionDue" {
				out = append(out, x.Content)
			}
		}
		slices.Reverse(out)
		return out
	}
	to := func(t *testing.T, day time.Time) {
		c.Pass(t, day.Add(9*time.Hour).Sub(now()).Round(time.Second), admin)
	}
	told := func(t *testing.T, want ...string) {
		t.Helper()
		check := func() bool {
			site, mine := notices(admin, "/api/console/notifications"), notices(phone, "/api/member/notifications")
			return len(site) == len(want) && len(mine) == len(want)
		}
		bfftest.Eventually(t, fmt.Sprintf("%d reminders", len(want)), check)
		for i, x := range notices(admin, "/api/console/notifications") {
			if !strings.Contains(x, want[i]) || !strings.Contains(x, "试验支部") {
				t.Errorf("%s, want %s", x, want[i])
			}
		}
	}
	t.Run("ELEC-02 secretary and admin are reminded once 6, 3, 1 months before and on the day, of the newest election only", func(t *testing.T) {
		top.T, admin.T, phone.T = t, t, t
		var want []string
		for _, step := range []struct {
			months int
			says   string
		}{{6, "还有6个月"}, {3, "还有3个月"}, {1, "还有1个月"}, {0, "已到期"}} {
			day := due.AddDate(0, -step.months, 0)
			to(t, day.AddDate(0, 0, -1))
			told(t, want...)
			want = append(want, step.says)
			to(t, day)
			told(t, want...)
			to(t, day.AddDate(0, 0, 1))
			told(t, want...)
		}
		bfftest.Eventually(t, "four template messages reached the phone", func() bool {
			a := top.Do("GET", "/sandbox/api/messages?userId="+wechat, nil)
			return strings.Count(string(a.Body), `"electionDue"`) == 4
		})
		elect(t, top, c.Branch, due.Format(time.DateOnly))
		to(t, due.AddDate(0, 0, 40))
		told(t, want...)
	})
}
