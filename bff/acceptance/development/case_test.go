package development

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestCases: the way of a case (manual 6.2.1).
func TestCases(t *testing.T) {
	a, b, p := AdminA(t), AdminB(t), AdminP(t)
	t.Run("DEV-01 the list shows the cases of the scope with stage, current step and who handles it, by stage and name", func(t *testing.T) {
		who, id := candidate(t, "activist", Form{"activistOn": "2026-02-10"})
		Columns(t, a, RecordSpec{Type: cases, Columns: []string{"memberId", "orgId", "stage", "currentStep", "handlerOrgId", "startedOn"}})
		for _, q := range []string{"f.memberId=" + who.ID, "f.keyword=" + url.QueryEscape(who.Name), "f.stage=activist&f.memberId=" + who.ID} {
			l := a.List(cases, q).Items
			if len(l) != 1 || IDOf(l[0]) != id || l[0]["currentStep"] != "5. 指定培养联系人" || l[0]["handlerOrgId"] != OrgA(t) {
				t.Fatalf("%s finds %v", q, l)
			}
		}
		if l := a.List(cases, "f.stage=probation&f.memberId="+who.ID).Items; len(l) != 0 {
			t.Fatalf("another stage finds %v", l)
		}
		if l := b.List(cases, "size=100").Items; slices.Contains(IDs(b.List(cases, "size=100")), id) {
			t.Fatalf("the sibling sees %v", l)
		}
		if !slices.Contains(IDs(p.List(cases, "size=100")), id) {
			t.Fatal("the superior does not see it")
		}
	})
	t.Run("DEV-04 DEV-09 DEV-10 查看: 25 steps in five stages, each with its department; out of scope refused", func(t *testing.T) {
		who, id := candidate(t, "applicant", nil)
		d := see(t, a, id)
		n := 0
		for i, title := range []string{"申请入党", "积极分子确定和培养", "发展对象确定和考察", "预备党员接收", "预备党员教育考察和转正"} {
			if d.Stages[i].Title != title {
				t.Errorf("stage %d is %s", i, d.Stages[i].Title)
			}
			n += len(d.Stages[i].Steps)
		}
		if n != 25 || d.Name != who.Name || d.State != "running" {
			t.Fatalf("%d steps of %+v", n, d)
		}
		if s := d.step(4); s.Department != "党委" || s.Handler == "" || s.Handler == d.OrgName || s.State != "notReached" || s.Works {
			t.Fatalf("step 4: %+v", s)
		}
		if s := d.step(1); s.Department != "党支部" || s.Handler != d.OrgName || !s.Works {
			t.Fatalf("step 1: %+v", s)
		}
		Refused(t, b.Do("GET", "/api/console/development/"+id, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, "member.view").Do("GET", "/api/console/development/"+id, nil), http.StatusForbidden, "", "无操作权限")
	})
	t.Run("DEV-02 DEV-03 DEV-08 step by step: none is skipped, a required material is asked for, the colours follow", func(t *testing.T) {
		_, id := candidate(t, "applicant", nil)
		colours := func() (out []string) {
			d := see(t, a, id)
			for no := 1; no <= 25; no++ {
				out = append(out, d.step(no).State)
			}
			return out
		}
		Refused(t, upload(t, a, id, 3, "推荐情况记录"), http.StatusConflict, "", "请先完成当前流程")
		Refused(t, act(a, id, "pass", Form{"on": Day(-9)}), http.StatusConflict, "", "请先上传：入党申请书")
		Refused(t, upload(t, a, id, 1, "别的"), http.StatusBadRequest, "kind", "入党申请书")
		upload(t, a, id, 1, "入党申请书").Into(t, &Item{})
		m := see(t, a, id).step(1).Materials
		if len(m) != 1 || m[0].Kind != "入党申请书" || m[0].By == "" || m[0].Files[0].Name != "入党申请书.pdf" {
			t.Fatalf("materials: %+v", m)
		}
		Refused(t, act(a, id, "pass", Form{}), http.StatusBadRequest, "on", "请填写")
		Refused(t, act(a, id, "pass", Form{"on": Day(2)}), http.StatusBadRequest, "on", "")
		act(a, id, "pass", Form{"on": Day(-9)}).Into(t, &Item{})
		d := see(t, a, id)
		if d.CurrentStepNo != 2 || d.step(1).HandledBy == "" || d.step(1).Date != Day(-9) {
			t.Fatalf("after step 1: %+v", d.step(1))
		}
		want := append([]string{"done", "current"}, slices.Repeat([]string{"notReached"}, 23)...)
		if got := colours(); !slices.Equal(got, want) {
			t.Fatalf("colours %v", got)
		}
		pass(t, id, Day(-8))
		Refused(t, act(a, id, "passVote", Form{"on": Day(-7), "due": 1, "present": 1, "for": 1, "against": 0, "abstain": 0}), http.StatusConflict, "", "不需要表决")
		pass(t, id, Day(-7))
		// A date before that of an earlier step is refused.
		upload(t, p, id, 4, "备案报告").Into(t, &Item{})
		Refused(t, act(p, id, "pass", Form{"on": Day(-20), "opinion": "同意"}), http.StatusBadRequest, "on", "不能早于")
		// Returned, the step before is red again and later ones grey.
		act(p, id, "reject", Form{"opinion": "材料不全"}).Into(t, &Item{})
		want = append([]string{"done", "done", "current"}, slices.Repeat([]string{"notReached"}, 22)...)
		if got := colours(); !slices.Equal(got, want) {
			t.Fatalf("colours after 不通过 %v", got)
		}
	})
	t.Run("DEV-05 an applicant is 申请入党 while nobody has talked with him, and no activist before", func(t *testing.T) {
		who, id := candidate(t, "applicant", nil)
		kind := func() any {
			var m Item
			a.Get(Path("member")+"/"+who.ID, &m)
			return m["memberType"]
		}
		passTo(t, id, 2, Day(-5))
		if d := see(t, a, id); d.Stage != "application" || kind() != "applicant" {
			t.Fatalf("before the talk: %s, %v", d.Stage, kind())
		}
		Refused(t, upload(t, a, id, 3, "推荐情况记录"), http.StatusConflict, "", "请先完成当前流程")
		pass(t, id, Day(-4))
		if d := see(t, a, id); d.Stage != "activist" {
			t.Fatalf("after the talk: %s", d.Stage)
		}
		pass(t, id, Day(-3))
		bfftest.Eventually(t, "he is an activist", func() bool { return kind() == "activist" })
	})
	t.Run("DEV-11 DEV-12 DEV-13 an approval wants an opinion and its department; 不通过 goes back with its history; the branch touches nothing of the committee's", func(t *testing.T) {
		_, id := candidate(t, "applicant", nil)
		passTo(t, id, 4, Day(-6))
		if s := see(t, a, id).step(4); s.Works || s.State != "current" {
			t.Fatalf("the branch at step 4: %+v", s)
		}
		if got := upload(t, a, id, 4, "备案报告"); got.Status < 400 {
			t.Fatalf("the branch uploaded: %s", got.Body)
		}
		Refused(t, act(a, id, "pass", Form{"on": Day(-5), "opinion": "同意"}), http.StatusConflict, "", "不是处理部门")
		Refused(t, act(a, id, "reject", Form{"opinion": "不同意"}), http.StatusConflict, "", "不是处理部门")
		var up Item
		upload(t, p, id, 4, "备案报告").Into(t, &up)
		file := up["files"].([]any)[0].(map[string]any)["id"].(string)
		download := func(b *bfftest.Browser) int {
			return b.Do("GET", Path(materials)+"/files/"+file+"?id="+IDOf(up), nil).Status
		}
		if download(p) != http.StatusOK || download(a) == http.StatusOK || download(b) == http.StatusOK {
			t.Fatalf("downloads: %d %d %d", download(p), download(a), download(b))
		}
		if got := Delete(a, materials, IDOf(up)); got.Status < 400 {
			t.Fatal("the branch deleted it")
		}
		if s := see(t, a, id).step(4); len(s.Materials) != 0 || len(s.Missing) != 0 {
			t.Fatalf("the branch sees %+v", s.Materials)
		}
		Refused(t, act(p, id, "pass", Form{"on": Day(-5)}), http.StatusBadRequest, "opinion", "请填写审批意见")
		Refused(t, act(p, id, "reject", Form{}), http.StatusBadRequest, "opinion", "请填写")
		act(p, id, "reject", Form{"opinion": "推荐材料不完整"}).Into(t, &Item{})
		d := see(t, a, id)
		if d.CurrentStepNo != 3 || d.step(3).State != "current" || !d.step(3).Works || len(d.step(3).Materials) == 0 {
			t.Fatalf("sent back: %+v", d.step(3))
		}
		// What stands in step 3 can be taken out and put in again.
		Remove(t, a, materials, d.step(3).Materials[0].ID)
		pass(t, id, Day(-5))
		h := see(t, p, id).step(4).History
		if len(h) != 1 || h[0].Passed || h[0].Opinion != "推荐材料不完整" || h[0].By == "" {
			t.Fatalf("history: %+v", h)
		}
		act(p, id, "pass", Form{"on": Day(-4), "opinion": "同意备案"}).Into(t, &Item{})
		if s := see(t, p, id).step(4); s.State != "done" || s.Opinion != "同意备案" || len(s.History) != 2 {
			t.Fatalf("passed: %+v", s)
		}
		if download(p) != http.StatusOK {
			t.Fatal("finished, it cannot be downloaded")
		}
		Refused(t, Delete(p, materials, IDOf(up)), http.StatusConflict, "", "只能查看和下载")
		if got := upload(t, p, id, 4, "备案报告"); got.Status != http.StatusConflict {
			t.Fatalf("finished, it takes %d %s", got.Status, got.Body)
		}
	})
	t.Run("DEV-10 without such a superior it says 未配置处理部门, and the step cannot be done", func(t *testing.T) {
		_, id := candidate(t, "developmentTarget", Form{"activistOn": "2025-01-10"})
		passTo(t, id, 18, Day(-3)) // the committee above the committee
		d := see(t, Root(t), id)
		if s := d.step(18); s.Handler == "" {
			if s.Works || !slices.Contains(s.Warnings, "未配置处理部门") {
				t.Fatalf("step 18: %+v", s)
			}
			Refused(t, act(Root(t), id, "pass", Form{"on": Day(-2)}), http.StatusConflict, "", "未配置处理部门")
			return
		}
		t.Logf("handled by %s", d.step(18).Handler)
		loose := NewOrg(t, NewName("孤立支部"), "branch", "root")
		p := NewPerson()
		mid := IDOf(Add(t, Root(t), "member", MemberForm(p, loose).With(Form{"memberType": "probationaryMember", "joinedOn": Day(-30), "regularizedOn": nil})))
		bfftest.Eventually(t, "its case", func() bool { return len(Root(t).List(cases, "f.memberId="+mid).Items) == 1 })
		l := Root(t).List(cases, "f.memberId="+mid).Items
		x := see(t, Root(t), IDOf(l[0]))
		if s := x.step(18); s.Handler != "" {
			t.Fatalf("above the root stands %s", s.Handler)
		}
	})
	t.Run("DEV-14 预审 passed sends one SMS 去支部换取志愿书; 不通过 sends none", func(t *testing.T) {
		who, id := candidate(t, "developmentTarget", Form{"activistOn": "2025-01-10"})
		sent := func() (n int) {
			var l struct{ Messages []struct{ Text string } }
			Visitor(t).Get("/sandbox/api/sms?phone="+who.Phone, &l)
			for _, m := range l.Messages {
				if strings.Contains(m.Text, "入党志愿书") {
					n++
				}
			}
			return n
		}
		passTo(t, id, 13, Day(-6))
		act(p, id, "reject", Form{"opinion": "再议"}).Into(t, &Item{})
		pass(t, id, Day(-5))
		if sent() != 0 {
			t.Fatal("不通过 sent an SMS")
		}
		pass(t, id, Day(-4))
		bfftest.Eventually(t, "the SMS", func() bool { return sent() == 1 })
		if d := see(t, p, id); d.CurrentStepNo != 14 {
			t.Fatalf("at step %d", d.CurrentStepNo)
		}
	})
	t.Run("DEV-18 the type follows the stages; the last approval makes a full member, and ends the case", func(t *testing.T) {
		who, id := candidate(t, "applicant", nil)
		member := func() Item {
			var m Item
			a.Get(Path("member")+"/"+who.ID, &m)
			return m
		}
		is := func(want string) {
			t.Helper()
			bfftest.Eventually(t, want, func() bool { return member()["memberType"] == want })
		}
		is("applicant")
		passTo(t, id, 4, "2024-01-10")
		is("activist")
		passTo(t, id, 8, "2025-02-10")
		is("developmentTarget")
		passTo(t, id, 15, "2025-03-01")
		// The counts of a meeting decide by the rule, exactly at the half too.
		d := see(t, a, id)
		for _, kind := range d.step(15).Missing {
			upload(t, a, id, 15, kind).Into(t, &Item{})
		}
		vote := func(due, present, agree, against, abstain int) *bfftest.Answer {
			return act(a, id, "passVote", Form{"on": "2025-03-20", "due": due, "present": present, "for": agree, "against": against, "abstain": abstain})
		}
		Refused(t, act(a, id, "pass", Form{"on": "2025-03-20"}), http.StatusConflict, "", "支部大会表决")
		Refused(t, vote(10, 5, 5, 0, 0), http.StatusConflict, "", "会议无效")
		Refused(t, vote(10, 8, 5, 3, 0), http.StatusConflict, "", "未通过")
		Refused(t, vote(10, 11, 11, 0, 0), http.StatusBadRequest, "due", "不能超过")
		Refused(t, vote(10, 8, 6, 1, 0), http.StatusBadRequest, "due", "之和")
		vote(10, 6, 6, 0, 0).Into(t, &Item{})
		if v := see(t, a, id).step(15).Votes; v == nil || !strings.Contains(v.Words, "决议通过") {
			t.Fatalf("votes: %+v", v)
		}
		passTo(t, id, 18, "2025-04-20")
		is("probationaryMember")
		if m := member(); m["joinedOn"] != "2025-03-20" {
			t.Fatalf("joined on %v", m["joinedOn"])
		}
		passTo(t, id, 24, "2026-04-01")
		if member()["memberType"] != "probationaryMember" {
			t.Fatal("full before the last approval")
		}
		pass(t, id, "2026-04-20")
		is("fullMember")
		if m := member(); m["regularizedOn"] != "2026-04-01" {
			t.Fatalf("regularised on %v", m["regularizedOn"])
		}
		pass(t, id, "2026-05-01")
		d = see(t, a, id)
		for no := 1; no <= 25; no++ {
			if s := d.step(no); s.State != "done" {
				t.Errorf("step %d is %s", no, s.State)
			}
		}
		if d.State != "finished" {
			t.Fatalf("the case is %s", d.State)
		}
		got := p.Do("GET", Path(cases)+"/"+id+"/print/print", nil)
		if got.Status != http.StatusOK || !strings.HasPrefix(string(got.Body), "%PDF") {
			t.Fatalf("纪实表: %d %.100s", got.Status, got.Body)
		}
		before := len(a.List(reports, "f.memberId="+who.ID+"&size=100").Items)
		phone := PhoneOf(t, who)
		if got := phone.Do("POST", Own(reports), Form{"title": "x", "content": "x"}); got.Status < 400 {
			t.Fatal("a full member hands in a report")
		}
		if now := len(a.List(reports, "f.memberId="+who.ID+"&size=100").Items); now != before {
			t.Fatalf("%d reports, then %d", before, now)
		}
	})
	t.Run("PLUS-08 a date of the file is corrected with a reason; old and new, who and when stand beside it", func(t *testing.T) {
		_, id := candidate(t, "applicant", nil)
		passTo(t, id, 3, Day(-20))
		Refused(t, act(a, id, "correct", Form{"stepNo": 1, "on": Day(-25)}), http.StatusBadRequest, "reason", "请填写")
		Refused(t, act(a, id, "correct", Form{"stepNo": 5, "on": Day(-25), "reason": "x"}), http.StatusBadRequest, "stepNo", "尚未办理")
		Refused(t, act(a, id, "correct", Form{"stepNo": 1, "on": Day(-10), "reason": "x"}), http.StatusBadRequest, "on", "先后不符")
		Refused(t, act(b, id, "correct", Form{"stepNo": 1, "on": Day(-25), "reason": "x"}), http.StatusNotFound, "", NothingThere)
		act(a, id, "correct", Form{"stepNo": 1, "on": Day(-25), "reason": "录入有误"}).Into(t, &Item{})
		s := see(t, a, id).step(1)
		if s.Date != Day(-25) || len(s.Corrections) != 1 || s.Corrections[0].Was != Day(-20) || s.Corrections[0].Becomes != Day(-25) || s.Corrections[0].Reason != "录入有误" || s.Corrections[0].By == "" {
			t.Fatalf("corrected: %+v", s)
		}
	})
}

// TestCandidate: 我的→发展资料 on the phone (6.2.1.1).
func TestCandidate(t *testing.T) {
	a := AdminA(t)
	t.Run("DEV-15 DEV-17 he sees his own stage, steps and materials as the console does; grey steps show their description only", func(t *testing.T) {
		who, id := candidate(t, "applicant", nil)
		phone := PhoneOf(t, who)
		passTo(t, id, 3, Day(-5))
		d, c := mine(t, phone), see(t, a, id)
		for no := 1; no <= 25; no++ {
			if d.step(no).State != c.step(no).State {
				t.Errorf("step %d is %s on the phone, %s in the console", no, d.step(no).State, c.step(no).State)
			}
		}
		if d.CurrentStepNo != 3 || d.Stage != c.Stage || d.step(2).Opinion != c.step(2).Opinion {
			t.Fatalf("the phone shows %+v", d)
		}
		m := d.step(1).Materials
		if len(m) != 1 {
			t.Fatalf("materials: %+v", m)
		}
		if got := phone.Do("GET", Own(materials)+"/files/"+m[0].Files[0].ID+"?id="+m[0].ID, nil); got.Status != http.StatusOK {
			t.Fatalf("opened: %d %s", got.Status, got.Body)
		}
		if s := d.step(9); len(s.Materials) != 0 || s.Opinion != "" || s.Name == "" {
			t.Fatalf("a grey step: %+v", s)
		}
		other := PhoneOf(t, NewMember(t, OrgA(t)))
		if x := mine(t, other); x.ID != "" || len(x.Stages) != 0 {
			t.Fatalf("a full member sees %+v", x)
		}
		if got := other.Do("GET", Own(materials)+"/files/"+m[0].Files[0].ID+"?id="+m[0].ID, nil); got.Status == http.StatusOK {
			t.Fatal("another opens it")
		}
	})
	t.Run("DEV-16 what is his to do he uploads and hands in; then it waits; others' steps he cannot", func(t *testing.T) {
		who, id := candidate(t, "applicant", nil)
		phone := PhoneOf(t, who)
		if s := mine(t, phone).step(1); !s.Candidate || !s.Works || s.HandedIn {
			t.Fatalf("step 1: %+v", s)
		}
		Refused(t, phone.Do("POST", "/api/member/development/hand-in", Form{}), http.StatusConflict, "", "请先上传：入党申请书")
		bring := func(no int, kind string) *bfftest.Answer {
			var f Item
			phone.Post(Own(materials)+"/upload?field=files", pdf(kind+".pdf"), &f)
			return phone.Do("POST", Own(materials), Form{"caseId": id, "stepNo": no, "kind": kind, "files": []any{f}})
		}
		Refused(t, bring(2, "谈话记录"), http.StatusConflict, "", "请先完成当前流程")
		bring(1, "入党申请书").Into(t, &Item{})
		var d dossier
		phone.Post("/api/member/development/hand-in", Form{}, &d)
		if s := d.step(1); !s.HandedIn || s.State != "current" || s.Works {
			t.Fatalf("handed in: %+v", s)
		}
		Refused(t, phone.Do("POST", "/api/member/development/hand-in", Form{}), http.StatusConflict, "", "已提交")
		if s := see(t, a, id).step(1); !s.HandedIn || !s.Works || len(s.Missing) != 0 {
			t.Fatalf("the branch sees %+v", s)
		}
		pass(t, id, Day(-2))
		if s := mine(t, phone).step(2); s.State != "current" || s.Works {
			t.Fatalf("the branch's step on the phone: %+v", s)
		}
		Refused(t, phone.Do("POST", "/api/member/development/hand-in", Form{}), http.StatusConflict, "", "请先上传")
		Refused(t, bring(2, "谈话记录"), http.StatusConflict, "", "处理部门")
		_, theirs := candidate(t, "applicant", nil)
		var f Item
		phone.Post(Own(materials)+"/upload?field=files", pdf("x.pdf"), &f)
		if got := phone.Do("POST", Own(materials), Form{"caseId": theirs, "stepNo": 1, "kind": "入党申请书", "files": []any{f}}); got.Status < 400 {
			t.Fatal("he adds to another's case")
		}
	})
}
