package development

import (
	"net/http"
	"slices"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestReports: 思想汇报 (manual 6.2.2).
func TestReports(t *testing.T) {
	a, b := AdminA(t), AdminB(t)
	now, last := quarter(time.Now()), quarter(time.Now().AddDate(0, -3, 0))
	since := Form{"activistOn": time.Now().AddDate(0, -5, 0).Format(time.DateOnly)}
	due := func(t *testing.T, who bfftest.Person) map[string]Item {
		t.Helper()
		out := map[string]Item{}
		for _, r := range a.List(reports, "size=100&f.memberId="+who.ID).Items {
			out[r["quarter"].(string)] = r
		}
		return out
	}
	t.Run("DEV-06 THGT-01 a report is due for each quarter since he was an activist, 未提交 until it is there, and for none before", func(t *testing.T) {
		who, _ := candidate(t, "activist", since)
		bfftest.Eventually(t, "what is due", func() bool { return len(due(t, who)) >= 2 })
		d := due(t, who)
		if d[now]["state"] != "missing" || d[last]["state"] != "missing" || d[quarter(time.Now().AddDate(0, -9, 0))] != nil {
			t.Fatalf("due: %v", d)
		}
		Columns(t, a, RecordSpec{Type: reports, Columns: []string{"memberId", "orgId", "quarter", "title", "submittedAt", "state"}})
		for q, want := range map[string]int{"f.quarter=" + now: 1, "f.state=missing": len(d), "f.state=submitted": 0} {
			if l := a.List(reports, q+"&f.memberId="+who.ID).Items; len(l) != want {
				t.Errorf("%s finds %d", q, len(l))
			}
		}
		if l := b.List(reports, "size=100&f.memberId="+who.ID).Items; len(l) != 0 {
			t.Fatalf("the sibling sees %v", l)
		}
		if l := AdminP(t).List(reports, "size=100&f.memberId="+who.ID).Items; len(l) != len(d) {
			t.Fatalf("the superior sees %v", l)
		}
		if p := a.List(reports, "size=1&page=2&f.memberId="+who.ID); len(p.Items) != 1 || p.Total != len(d) {
			t.Fatalf("paged: %v", p)
		}
	})
	t.Run("THGT-03 THGT-04 handed in it is listed for its quarter, late for one that has passed; wrong ones are refused; he sees his own", func(t *testing.T) {
		who, _ := candidate(t, "activist", since)
		phone := PhoneOf(t, who)
		f := Form{"title": "本季度思想汇报", "content": "学习了党章，体会如下。"}
		for _, k := range []string{"title", "content"} {
			Refused(t, phone.Do("POST", Own(reports), f.With(Form{k: " "})), http.StatusBadRequest, k, "请填写")
		}
		Refused(t, phone.Do("POST", Own(reports), f.With(Form{"quarter": quarter(time.Now().AddDate(0, 4, 0))})), http.StatusBadRequest, "quarter", "以后季度")
		Refused(t, phone.Do("POST", Own(reports), f.With(Form{"quarter": "2020Q1"})), http.StatusBadRequest, "quarter", "无需提交")
		Refused(t, phone.Do("POST", Own(reports), f.With(Form{"quarter": "去年"})), http.StatusBadRequest, "quarter", "季度应如")
		var got Item
		phone.Post(Own(reports), f, &got)
		if got["state"] != "submitted" || got["quarter"] != now {
			t.Fatalf("handed in: %v", got)
		}
		Refused(t, phone.Do("POST", Own(reports), f), http.StatusBadRequest, "quarter", "已提交")
		phone.Post(Own(reports), f.With(Form{"quarter": last[:4] + "年第" + last[5:] + "季度"}), &got)
		if got["state"] != "late" || got["quarter"] != last {
			t.Fatalf("handed in late: %v", got)
		}
		d := due(t, who)
		if d[now]["state"] != "submitted" || d[last]["state"] != "late" || d[now]["title"] != f["title"] {
			t.Fatalf("the console lists %v", d)
		}
		var own bfftest.Page
		phone.Get(Own(reports)+"?size=50", &own)
		if len(own.Items) != len(d) {
			t.Fatalf("he sees %v", own.Items)
		}
		stranger, _ := candidate(t, "activist", since)
		other := PhoneOf(t, stranger)
		Refused(t, other.Do("GET", Own(reports)+"/"+IDOf(d[now]), nil), http.StatusNotFound, "", NothingThere)
		full := PhoneOf(t, NewMember(t, OrgA(t)))
		Refused(t, full.Do("POST", Own(reports), f), http.StatusConflict, "", "只有入党积极分子")
		applicant, _ := candidate(t, "applicant", nil)
		Refused(t, PhoneOf(t, applicant).Do("POST", Own(reports), f), http.StatusConflict, "", "只有入党积极分子")
	})
	t.Run("THGT-02 查看 shows author, quarter, text and time; the branch comments, gives back, and out of scope is refused", func(t *testing.T) {
		who, _ := candidate(t, "activist", since)
		phone := PhoneOf(t, who)
		var got, row Item
		phone.Post(Own(reports), Form{"title": "汇报", "content": "正文"}, &got)
		at := Path(reports) + "/" + IDOf(got)
		a.Get(at, &row)
		for k, want := range map[string]any{"quarter": now, "title": "汇报", "content": "正文"} {
			if row[k] != want {
				t.Errorf("%s is %v", k, row[k])
			}
		}
		if row["submittedAt"] == "" || row["_labels"].(map[string]any)["memberId"] != who.Name || slices.Contains(row["_actions"].([]any), any("update")) {
			t.Fatalf("shown: %v", row)
		}
		Refused(t, b.Do("GET", at, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, a.Do("PUT", at, Form{"content": "改", "version": row["version"]}), http.StatusForbidden, "", "")
		Refused(t, a.Do("POST", at+"/actions/giveBack", Form{}), http.StatusBadRequest, "comment", "请填写")
		a.Post(at+"/actions/giveBack", Form{"comment": "请结合工作实际"}, &row)
		if row["state"] != "returned" {
			t.Fatalf("given back: %v", row)
		}
		phone.Get(Own(reports)+"/"+IDOf(got), &got)
		phone.Do("PUT", Own(reports)+"/"+IDOf(got), Form{"title": "汇报", "content": "结合工作实际的正文", "version": got["version"]}).Into(t, &got)
		if got["state"] != "submitted" {
			t.Fatalf("handed in again: %v", got)
		}
		a.Post(at+"/actions/comment", Form{"comment": "很好"}, &row)
		Refused(t, phone.Do("PUT", Own(reports)+"/"+IDOf(got), Form{"content": "再改", "version": row["version"]}), http.StatusConflict, "", "已提交")
	})
}

// TestQuarter: what falls due with time (DEV-07, PLUS-06).
func TestQuarter(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	who := NewPerson()
	who.ID = IDOf(Add(t, c.Top, "member", MemberForm(who, c.Branch).With(Form{"memberType": "activist", "joinedOn": nil, "regularizedOn": nil, "activistOn": "2026-08-01"})))
	busy := NewPerson()
	busy.ID = IDOf(Add(t, c.Top, "member", MemberForm(busy, c.Branch).With(Form{"memberType": "activist", "joinedOn": nil, "regularizedOn": nil, "activistOn": "2026-08-01"})))
	lazy, _ := c.Bind(t, 0, who)
	keen, _ := c.Bind(t, 0, busy)
	told := func(b *bfftest.Browser) (n int) {
		var l struct {
			Notifications []struct{ Title, Channel string }
		}
		b.Get("/api/member/notifications", &l)
		for _, x := range l.Notifications {
			if x.Title == "思想汇报提醒" {
				n++
			}
		}
		return n
	}
	state := func(q string) any {
		for _, r := range c.Top.List(reports, "size=100&f.memberId="+who.ID).Items {
			if r["quarter"] == q {
				return r["state"]
			}
		}
		return nil
	}
	t.Run("DEV-07 one reminder on the first day and one ten days before the end to who has not handed in; then it is 未提交 and taken as 逾期", func(t *testing.T) {
		c.Pass(t, 24*time.Hour) // a day begins
		bfftest.Eventually(t, "the first reminder", func() bool { return told(lazy) == 1 })
		at := c.Now(t).In(time.FixedZone("", 8*3600))
		q := quarter(at)
		var got Item
		keen.Post(Own(reports), Form{"title": "汇报", "content": "正文"}, &got)
		before := told(keen)
		end := time.Date(at.Year(), at.Month()-(at.Month()-1)%3+3, 1, 0, 0, 0, 0, at.Location())
		if wait := end.AddDate(0, 0, -10).Sub(at); wait > 0 {
			c.Pass(t, wait+time.Hour)
			bfftest.Eventually(t, "the second reminder", func() bool { return told(lazy) == 2 })
		}
		if now := told(keen); now != before {
			t.Fatalf("who has handed in was told %d times more", now-before)
		}
		c.Pass(t, end.Sub(c.Now(t))+time.Hour)
		bfftest.Eventually(t, "the new quarter", func() bool { return state(quarter(end)) == "missing" })
		if state(q) != "missing" {
			t.Fatalf("%s is %v", q, state(q))
		}
		lazy.Post(Own(reports), Form{"quarter": q, "title": "补交", "content": "正文"}, &got)
		if state(q) != "late" {
			t.Fatalf("%s is %v", q, state(q))
		}
	})
	t.Run("a talk that is overdue is warned of once, on both sides", func(t *testing.T) {
		p := NewPerson()
		p.ID = IDOf(Add(t, c.Top, "member", MemberForm(p, c.Branch).With(Form{"memberType": "applicant", "joinedOn": nil, "regularizedOn": nil})))
		var id string
		bfftest.Eventually(t, "the case", func() bool {
			l := c.Top.List(cases, "f.memberId="+p.ID).Items
			if len(l) == 1 {
				id = IDOf(l[0])
			}
			return id != ""
		})
		upload(t, c.Top, id, 1, "入党申请书").Into(t, &Item{})
		act(c.Top, id, "pass", Form{"on": c.Now(t).In(time.FixedZone("", 8*3600)).Format(time.DateOnly)}).Into(t, &Item{})
		c.Pass(t, 40*24*time.Hour)
		warned := func() bool {
			s := see(t, c.Top, id).step(2)
			return len(s.Warnings) == 1 && s.State == "current"
		}
		if !warned() {
			t.Fatalf("step 2: %+v", see(t, c.Top, id).step(2))
		}
	})
}
