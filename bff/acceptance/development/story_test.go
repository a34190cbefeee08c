package development

import (
	"archive/zip"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestStory is the way from an application to full membership, two years and a half in the sandbox's time,
// with what both sides are told and when (PLUS-06, PLUS-07).
func TestStory(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	committee := IDOf(Add(t, c.Top, "organization", OrgForm("试验党委", "committee", c.Root(t))))
	c.Branch = IDOf(Add(t, c.Top, "organization", OrgForm("故事支部", "branch", committee)))
	who := NewPerson()
	who.ID = IDOf(Add(t, c.Top, "member", MemberForm(who, c.Branch).With(Form{"memberType": "applicant", "joinedOn": nil, "regularizedOn": nil})))
	phone, _ := c.Bind(t, 0, who)
	branch := c.Admin(t)
	var id string
	bfftest.Eventually(t, "his case", func() bool {
		l := c.Top.List(cases, "f.memberId="+who.ID).Items
		if len(l) == 1 {
			id = IDOf(l[0])
		}
		return len(l) == 1
	})
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	today := func(by int) string { return c.Now(t).In(zone).AddDate(0, 0, by).Format(time.DateOnly) }
	wait := func(by time.Duration) { // so long that sessions end
		t.Helper()
		c.Pass(t, by, branch)
	}
	until := func(day string) { // ten in the morning of a day
		t.Helper()
		at, err := time.ParseInLocation(time.DateOnly, day, zone)
		if err != nil {
			t.Fatal(err)
		}
		if by := at.Add(10 * time.Hour).Sub(c.Now(t)); by > 0 {
			wait(by)
		}
	}
	after := func(day string, months int) string {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return at.AddDate(0, months, 0).Format(time.DateOnly)
	}
	told := func(b *bfftest.Browser, side, part string) (n int) {
		t.Helper()
		var l struct {
			Notifications []struct{ Title, Content string }
		}
		b.Get("/api/"+side+"/notifications?size=100", &l)
		for _, x := range l.Notifications {
			if strings.Contains(x.Title+"："+x.Content, part) {
				n++
			}
		}
		return n
	}
	both := func(part string, n int) {
		t.Helper()
		bfftest.Eventually(t, part, func() bool { return told(phone, "member", part) == n && told(branch, "console", part) == n })
	}
	next := func(on string) {
		t.Helper()
		d := see(t, c.Top, id)
		passBy(t, c.Top, id, d.step(d.CurrentStepNo), on)
		if now := see(t, c.Top, id); now.State == "running" && now.CurrentStepNo != d.CurrentStepNo+1 {
			t.Fatalf("after step %d comes %d", d.CurrentStepNo, now.CurrentStepNo)
		}
	}
	due := func(how string) bool { return len(c.Top.List(cases, "f.due="+how+"&f.memberId="+who.ID).Items) == 1 }

	began := today(0)
	t.Run("PLUS-06 a deadline is told of five working days ahead and once it has passed, once each, to both sides", func(t *testing.T) {
		if got := phone.Do("POST", "/api/member/development/take-back", Form{}); got.Status != http.StatusConflict {
			t.Fatalf("nothing handed in is taken back: %d", got.Status)
		}
		upload(t, c.Top, id, 1, "入党申请书").Into(t, &Item{})
		phone.Post("/api/member/development/hand-in", Form{}, &Item{})
		phone.Post("/api/member/development/take-back", Form{}, &Item{})
		if s := mine(t, phone).step(1); s.HandedIn || !s.Works {
			t.Fatalf("taken back: %+v", s)
		}
		next(began)
		both("“递交入党申请书”已通过", 1)
		if due("now") {
			t.Fatal("it is due on the first day")
		}
		until(after(began, 1)) // within the last five working days, or the day itself moved off a holiday
		both("“党组织派人谈话”应于", 1)
		if !due("now") || due("over") {
			t.Fatal("what is due this week is not on the list")
		}
		wait(24 * time.Hour)
		if n := told(phone, "member", "“党组织派人谈话”应于"); n != 1 {
			t.Fatalf("told %d times", n)
		}
		wait(12 * 24 * time.Hour)
		both("“党组织派人谈话”已逾期", 1)
		l := c.Top.List(cases, "f.due=over&f.memberId="+who.ID).Items
		if len(l) != 1 || !strings.Contains(l[0]["warning"].(string), "已逾期：党组织应在收到入党申请书后一个月内派人谈话") {
			t.Fatalf("已逾期: %v", l)
		}
		Refused(t, c.Top.Do("GET", Path(cases)+"?f.due=x", nil), http.StatusBadRequest, "", "期限")
		next(today(0))
		if due("over") {
			t.Fatal("it is done, and on the list")
		}
	})
	t.Run("PLUS-06 too early, and a 公示 too short in working days: told once, refused never; sent back, they are right later", func(t *testing.T) {
		activist := today(0)
		next(activist)
		Refused(t, act(c.Top, id, "publicize", Form{"from": today(-3), "to": today(-1), "result": "无异议"}), http.StatusConflict, "", "无需公示")
		next(today(0))
		five := see(t, c.Top, id).step(5)
		for _, kind := range five.Missing {
			upload(t, c.Top, id, 5, kind).Into(t, &Item{})
		}
		Refused(t, act(c.Top, id, "pass", Form{"on": today(0)}), http.StatusBadRequest, "signers", "请填写培养联系人（至少1人）")
		next(today(0))
		if s := see(t, c.Top, id).step(5); s.Signers != "王联络、李介绍" {
			t.Fatalf("step 5: %+v", s)
		}
		next(today(0))
		wait(90 * 24 * time.Hour)
		d := see(t, c.Top, id).step(7)
		if !slices.ContainsFunc(d.Warnings, func(w string) bool { return strings.Contains(w, "不早于"+after(activist, 12)) }) {
			t.Fatalf("before its time: %v", d.Warnings)
		}
		for _, kind := range d.Missing {
			upload(t, c.Top, id, 7, kind).Into(t, &Item{})
		}
		Refused(t, act(c.Top, id, "pass", Form{"on": today(0)}), http.StatusConflict, "", "请先登记公示")
		Refused(t, act(c.Top, id, "publicize", Form{"from": today(-1), "to": today(-2), "result": "无异议"}), http.StatusBadRequest, "to", "不能早于")
		act(c.Top, id, "publicize", Form{"from": today(-3), "to": today(-1), "result": "未收到异议"}).Into(t, &Item{})
		Refused(t, act(c.Top, id, "pass", Form{"on": today(-1)}), http.StatusBadRequest, "on", "公示至")
		act(c.Top, id, "pass", Form{"on": today(0)}).Into(t, &Item{})
		both("不早于"+after(activist, 12), 1)
		both("实际公示", 1)
		if s := see(t, c.Top, id).step(7); !strings.Contains(s.Publicity, "未收到异议") || len(s.Warnings) != 2 {
			t.Fatalf("step 7: %+v", s)
		}
		act(c.Top, id, "reject", Form{"opinion": "培养考察不满一年"}).Into(t, &Item{})
		both("退回“确定发展对象”", 1)
		until(after(after(activist, 12), 1))
		act(c.Top, id, "publicize", Form{"from": today(-14), "to": today(-1), "result": "未收到异议"}).Into(t, &Item{})
		next(today(0))
		if s := see(t, c.Top, id).step(7); len(s.Warnings) != 0 {
			t.Fatalf("a year later: %v", s.Warnings)
		}
	})
	t.Run("PLUS-06 a year whose calendar is not there is counted by its weekends, and said so", func(t *testing.T) {
		for range 7 {
			next(today(0)) // to the meeting, a month after 预审
		}
		s := see(t, c.Top, id).step(15)
		if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "年的节假日安排尚未导入，按周末推算") {
			t.Fatalf("step 15: %v", s.Warnings)
		}
	})
	met := today(0)
	t.Run("who is due at the meeting is the roll of the branch on that day, unless said otherwise", func(t *testing.T) {
		for range 3 {
			Add(t, c.Top, "member", MemberForm(NewPerson(), c.Branch))
		}
		for _, kind := range see(t, c.Top, id).step(15).Missing {
			upload(t, c.Top, id, 15, kind).Into(t, &Item{})
		}
		vote := Form{"on": met, "present": 3, "for": 1, "against": 2, "abstain": 0}
		Refused(t, act(c.Top, id, "passVote", vote), http.StatusConflict, "", "应到会有表决权党员3名，实到3名，赞成1票")
		act(c.Top, id, "passVote", vote.With(Form{"for": 2, "against": 1})).Into(t, &Item{})
		if v := see(t, c.Top, id).step(15).Votes; v == nil || !strings.HasPrefix(v.Words, "应到会有表决权党员3名，实到3名，赞成2票") {
			t.Fatalf("%+v", v)
		}
	})
	t.Run("PLUS-07 转正 after the year of probation; one file holds 纪实表 and every material in order, for who may see them", func(t *testing.T) {
		for range 6 {
			next(met)
		}
		if s := see(t, c.Top, id).step(22); len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "不早于"+after(met, 12)) {
			t.Fatalf("step 22: %v", s.Warnings)
		}
		until(after(met, 12))
		for range 4 {
			next(today(0))
		}
		if d := see(t, c.Top, id); d.State != "finished" {
			t.Fatalf("at step %d, %s", d.CurrentStepNo, d.State)
		}
		bfftest.Eventually(t, "a full member", func() bool {
			var m Item
			c.Top.Get(Path("member")+"/"+who.ID, &m)
			return m["memberType"] == "fullMember" && m["joinedOn"] == met
		})
		if c.Now(t).Sub(day(t, began)) < 2*365*24*time.Hour {
			t.Fatalf("from %s to %s", began, today(0))
		}
		got := c.Top.Do("GET", Path(cases)+"/"+id+"/print/pack", nil)
		z, err := zip.NewReader(bytes.NewReader(got.Body), int64(len(got.Body)))
		if err != nil {
			t.Fatal(got.Status, err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			head := make([]byte, 4)
			if _, err := r.Read(head); err != nil || string(head) != "%PDF" {
				t.Errorf("%s holds %q, %v", f.Name, head, err)
			}
		}
		if names[0] != "00 发展党员全程纪实表.pdf" || names[1] != "01 递交入党申请书/入党申请书.pdf" || !slices.IsSortedFunc(names, func(a, b string) int { return strings.Compare(a[:2], b[:2]) }) || !strings.HasPrefix(names[len(names)-1], "25 ") {
			t.Fatalf("the zip holds %q", names)
		}
		if got := phone.Do("GET", Path(cases)+"/"+id+"/print/pack", nil); got.Status < 400 {
			t.Fatal("a member fetched the zip")
		}
	})
}

func day(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
