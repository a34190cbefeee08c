package acceptance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
)

// elect adds an election of an organisation.
func elect(t *testing.T, b *bfftest.Browser, orgID, on string) string {
	t.Helper()
	b.T = t
	return idOf(add(t, b, "election", form{"orgId": orgID, "electionForm": "memberMeeting", "electedOn": on, "termYears": 3}))
}

// lead adds somebody to the leadership of an election.
func lead(t *testing.T, b *bfftest.Browser, election, who, position string) string {
	t.Helper()
	b.T = t
	return idOf(add(t, b, "leadershipMember", form{"electionId": election, "name": who, "position": position}))
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
	record(t, recordSpec{
		IDs:  rowIDs{List: "ELEC-01", Add: "ELEC-03", View: "ELEC-05", Update: "ELEC-06", Delete: "ELEC-07", Batch: "ELEC-08"},
		Type: "election",
		Valid: func(_ *testing.T, orgID string, i int) form {
			return form{"orgId": orgID, "electionForm": "congress", "electedOn": fmt.Sprintf("2011-%02d-%02d", 1+i/28, 1+i%28), "termYears": 3, "termNo": i, "description": "选举产生"}
		},
		Columns: []string{"orgId", "electionForm", "electedOn", "termYears", "nextElectionOn", "approvalFiles"},
		Filters: func(_ int, f form) []string {
			on := f["electedOn"].(string)
			return []string{"f.orgId=" + f["orgId"].(string) + "&f.electedOn=" + on + "," + on}
		},
		Required: []string{"orgId", "electionForm", "electedOn", "termYears"},
		Wrong: []wrong{
			{"a day to come", form{"electedOn": "2099-01-01"}, "electedOn", "不能晚于今天"},
			{"the day of another election", form{"electedOn": "2011-01-02"}, "electedOn", "已有同一天的换届"},
			{"a term of four years", form{"termYears": 4}, "termYears", "3年或5年"},
			{"an organisation elsewhere", form{"orgId": orgB(t)}, "orgId", "不在管理范围内"},
		},
		Shown:       []string{"nextElectionOn", "state"},
		Update:      form{"electedOn": "2010-06-01", "termYears": 5},
		WrongUpdate: []wrong{{"the day of another election", form{"electedOn": "2011-01-02"}, "electedOn", "已有同一天的换届"}},
	})
	p := adminP(t)
	branch := func(t *testing.T, n string) string {
		return idOf(add(t, root(t), "organization", orgForm(name(n), "branch", orgP(t))))
	}
	t.Run("ELEC-03 the next election is the term later", func(t *testing.T) {
		p.T = t
		at := branch(t, "任期支部")
		got := add(t, p, "election", form{"orgId": at, "electionForm": "appointed", "electedOn": "2024-02-29", "termYears": 5})
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
		var r item
		put(t, p, "election", early, form{"electedOn": "2022-05-01"}).Into(t, &r)
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
		refused(t, adminA(t).Do("GET", "/api/console/organizations/"+at+"/leadership", nil), http.StatusNotFound, "", nothingThere)
		var row item
		p.Get(path("organization")+"/"+at, &row)
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
		gone(p, "election", e2)
		c, h = leaders(t, p, at)
		same2(t, c, h, "2018-07-01 一届", "2015-07-01 ")
	})
	t.Run("ELEC-07 the leadership goes with its election", func(t *testing.T) {
		at := branch(t, "删除支部")
		e := elect(t, p, at, "2020-08-01")
		l := lead(t, p, e, "离任", "secretary")
		if x := gone(p, "election", e); x.Status != http.StatusOK {
			t.Fatalf("%s", x.Body)
		}
		refused(t, p.Do("GET", path("leadershipMember")+"/"+l, nil), http.StatusNotFound, "", nothingThere)
	})
	t.Run("ELEC-08 the leaderships go with their elections, the others stay", func(t *testing.T) {
		at := branch(t, "批删支部")
		one, two, three := elect(t, p, at, "2012-08-01"), elect(t, p, at, "2015-08-01"), elect(t, p, at, "2018-08-01")
		var l []string
		for _, e := range []string{one, two, three} {
			l = append(l, lead(t, p, e, "人"+e, "secretary"))
		}
		gone(p, "election", one, two)
		got := p.List("leadershipMember", "size=100&orgId="+at)
		if got.Total != 1 || idOf(got.Items[0]) != l[2] {
			t.Fatalf("%+v", got)
		}
	})
	t.Run("ELEC-09 files of 上传批复 are listed with who and when, can be downloaded and removed; others are refused", func(t *testing.T) {
		p.T = t
		at := branch(t, "批复支部")
		e := elect(t, p, at, "2021-09-01")
		upload := func(name, data string) *bfftest.Answer {
			return p.Do("POST", path("election")+"/upload?field=approvalFiles", &bfftest.Upload{Name: name, Data: []byte(data)})
		}
		approve := func(name, data string) item {
			var file, r item
			upload(name, data).Into(t, &file)
			p.Post(path("election")+"/"+e+"/actions/approval", form{"approvalFiles": []item{{"id": file["id"]}}}, &r)
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
		if f["name"] != "关于换届的批复.pdf" || f["uploadedBy"] != name("adminP") || !strings.HasPrefix(f["uploadedAt"].(string), "20") {
			t.Fatalf("%v", f)
		}
		file := path("election") + "/files/" + f["id"].(string) + "?id=" + e
		if got := p.Do("GET", file, nil); got.Status != http.StatusOK || string(got.Body) != pdf {
			t.Fatalf("%d %q", got.Status, got.Body)
		}
		if got := adminA(t).Do("GET", file, nil); got.Status != http.StatusNotFound {
			t.Fatalf("a stranger: %d", got.Status)
		}
		for name, data := range map[string]string{"程序.exe": "MZ", "假的.pdf": "MZ"} {
			if a := upload(name, data); a.Status != http.StatusBadRequest {
				t.Fatalf("%s: %d", name, a.Status)
			}
		}
		p.Get(path("election")+"/"+e, &r)
		if len(r["approvalFiles"].([]any)) != 2 {
			t.Fatal("earlier files are gone")
		}
		put(t, p, "election", e, form{"approvalFiles": files[1:]}).Into(t, &r)
		if left := r["approvalFiles"].([]any); len(left) != 1 || left[0].(map[string]any)["name"] != "补充批复.pdf" {
			t.Fatalf("%v", left)
		}
		if got := p.Do("GET", file, nil); got.Status != http.StatusNotFound {
			t.Fatalf("a removed file: %d", got.Status)
		}
	})
}

// TestElectionReminders has a product, and a calendar, of its own.
func TestElectionReminders(t *testing.T) {
	was := product
	p2, stop, err := bfftest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if p2.Bases[0] == was.Bases[0] {
		t.Skip("the product at BASE_URL has one calendar for all")
	}
	top := p2.Browser(t, 0)
	login := func() {
		if a := top.Login("admin", bfftest.AdminPassword()); a.Status != http.StatusOK {
			t.Fatalf("%s", a.Body)
		}
	}
	login()
	var tree struct{ Nodes []struct{ ID string } }
	top.Get("/api/console/tree", &tree)
	var o, u item
	top.Post(path("organization"), orgForm("提醒支部", "branch", tree.Nodes[0].ID), &o)
	top.Post(path("user"), form{"userName": "remind", "password": userPassword, "realName": "支部管理员", "orgId": o["id"], "status": "enabled", "permissions": []string{"*"}}, &u)
	who := bfftest.Invent(1)
	var m item
	top.Post(path("member"), form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone, "orgId": o["id"], "memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01"}, &m)
	phone, wechat := p2.Bind(t, 0, who)
	now := func() time.Time {
		var c struct{ Now time.Time }
		top.Get("/sandbox/api/clock", &c)
		return c.Now.In(time.FixedZone("", 8*3600))
	}
	// Three years before the day that is seven months away.
	due := now().AddDate(0, 7, 0)
	due = time.Date(due.Year(), due.Month(), 15, 0, 0, 0, 0, due.Location())
	first := elect(t, top, idOf(o), due.AddDate(-3, 0, 0).Format(time.DateOnly))
	top.Post(path("leadershipMember"), form{"electionId": first, "memberId": m["id"], "position": "secretary"}, &item{})
	admin := p2.Browser(t, 0)
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
	to := func(day time.Time) {
		top.Post("/sandbox/api/clock", map[string]string{"advance": day.Add(9 * time.Hour).Sub(now()).Round(time.Second).String()}, &struct{}{})
		login()
		if a := admin.Login("remind", userPassword); a.Status != http.StatusOK {
			t.Fatalf("%s", a.Body)
		}
	}
	told := func(t *testing.T, want ...string) {
		t.Helper()
		check := func() bool {
			site, mine := notices(admin, "/api/console/notifications"), notices(phone, "/api/member/notifications")
			return len(site) == len(want) && len(mine) == len(want)
		}
		bfftest.Eventually(t, fmt.Sprintf("%d reminders", len(want)), check)
		for i, x := range notices(admin, "/api/console/notifications") {
			if !strings.Contains(x, want[i]) || !strings.Contains(x, "提醒支部") {
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
			to(day.AddDate(0, 0, -1))
			told(t, want...)
			want = append(want, step.says)
			to(day)
			told(t, want...)
			to(day.AddDate(0, 0, 1))
			told(t, want...)
		}
		bfftest.Eventually(t, "four template messages reached the phone", func() bool {
			a := top.Do("GET", "/sandbox/api/messages?userId="+wechat, nil)
			return strings.Count(string(a.Body), `"electionDue"`) == 4
		})
		elect(t, top, idOf(o), due.Format(time.DateOnly))
		to(due.AddDate(0, 0, 40))
		told(t, want...)
	})
}
