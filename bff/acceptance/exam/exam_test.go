package exam

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/kit"
)

const (
	exam     = "exam"
	question = "question"
)

// bank is n true/false questions of somebody in a new category, the right answer of all being 正确.
func bank(t *testing.T, by *bfftest.Browser, n int) (category string, ids []string) {
	t.Helper()
	category = Named(t, "questionCategory", NewName("类"))
	for i := range n {
		ids = append(ids, IDOf(Add(t, by, question, Form{"questionType": "judge", "stem": NewName(fmt.Sprint("题", i)), "answers": []string{"right"}, "categoryId": category, "analysis": "解析在此"})))
	}
	return category, ids
}

func in(d time.Duration) string { return time.Now().In(kit.Shanghai).Add(d).Format(time.RFC3339) }

func paper(category string, questions []string, receivers ...string) Form {
	return Form{
		"title": NewName("考核"), "categoryId": category, "questionCount": fmt.Sprint(len(questions)), "selectMode": "manual", "questionIds": questions,
		"receiverIds": receivers, "deadlineAt": in(6 * time.Hour),
	}
}

func enable(b *bfftest.Browser, id string) *bfftest.Answer {
	return b.Do("POST", Path(exam)+"/"+id+"/actions/enable", nil)
}

func actions(r Item) (out []string) {
	for _, a := range r["_actions"].([]any) {
		out = append(out, a.(string))
	}
	return out
}

func shown(t *testing.T, b *bfftest.Browser, id string) Item {
	t.Helper()
	for _, r := range b.List(exam, "size=100").Items {
		if r["id"] == id {
			return r
		}
	}
	t.Fatal("not in the list")
	return nil
}

func TestExam(t *testing.T) {
	a := AdminA(t)
	category, ids := bank(t, a, 12)
	other, more := bank(t, AdminB(t), 10)
	who := NewMember(t, OrgA(t))
	Record(t, RecordSpec{
		IDs: RowIDs{List: "EXAM-01", Add: "EXAM-03", View: "EXAM-13", Update: "EXAM-14", Delete: "EXAM-17"}, Type: exam,
		Valid: func(t *testing.T, orgID string, _ int) Form {
			if orgID == OrgB(t) {
				return paper(other, more, NewMember(t, orgID).ID)
			}
			return paper(category, ids[:10], NewMember(t, orgID).ID)
		},
		Columns:  []string{"title", "categoryId", "questionCount", "deadlineAt", "orgId", "creator", "state"},
		Filters:  func(_ int, f Form) []string { return []string{"f.title=" + f["title"].(string)} },
		Required: []string{"title", "categoryId", "questionCount", "selectMode", "deadlineAt"},
		Wrong: []Wrong{
			{"too few questions", Form{"questionIds": ids[:9]}, "questionIds", "请选择10道试题"},
			{"one twice", Form{"questionIds": append(slices.Clone(ids[:9]), ids[0])}, "questionIds", "请选择10道试题"},
			{"no questions", Form{"questionIds": []string{}}, "questionIds", "请选择10道试题"},
			{"another count", Form{"questionCount": "20"}, "questionIds", "请选择20道试题"},
			{"a count that there is not", Form{"questionCount": "12", "questionIds": ids[:12]}, "questionCount", ""},
			{"a question of a sibling", Form{"questionIds": append(slices.Clone(ids[:9]), more[0])}, "questionIds", ""},
			{"nobody", Form{"receiverIds": []string{}}, "receiverIds", "请选择接受对象"},
			{"somebody of a sibling", Form{"receiverIds": []string{NewMember(t, OrgB(t)).ID}}, "receiverIds", "不在管理范围内"},
			{"EXAM-08: five hours but a minute", Form{"deadlineAt": in(5*time.Hour - time.Minute)}, "deadlineAt", "考核截止时间必须为当前时间5个小时后"},
		},
		Shown:       []string{"paper", "receivers", "state"},
		Update:      Form{"title": NewName("改"), "deadlineAt": in(8 * time.Hour)},
		WrongUpdate: []Wrong{{"EXAM-08: five hours but a minute", Form{"deadlineAt": in(5*time.Hour - time.Minute)}, "deadlineAt", "考核截止时间必须为当前时间5个小时后"}},
	})

	t.Run("EXAM-02 a paper is filled at random, of different questions; with too few nothing is filled", func(t *testing.T) {
		tag := Named(t, "questionTag", NewName("签"))
		var drawn struct{ Questions []struct{ ID, Stem string } }
		a.Post("/api/console/exams/draw", Form{"categoryId": category, "count": 10}, &drawn)
		seen := map[string]bool{}
		for _, q := range drawn.Questions {
			seen[q.ID] = true
		}
		if len(seen) != 10 {
			t.Fatalf("%d different questions", len(seen))
		}
		Refused(t, a.Do("POST", "/api/console/exams/draw", Form{"categoryId": category, "count": 20}), http.StatusConflict, "", "试题数量不足")
		Refused(t, a.Do("POST", "/api/console/exams/draw", Form{"categoryId": category, "tagIds": []string{tag}, "count": 10}), http.StatusConflict, "", "试题数量不足")
		Refused(t, a.Do("POST", "/api/console/exams/draw", Form{"categoryId": category, "types": []string{"single"}, "count": 10}), http.StatusConflict, "", "试题数量不足")
		Refused(t, AdminB(t).Do("POST", "/api/console/exams/draw", Form{"categoryId": category, "count": 10}), http.StatusConflict, "", "试题数量不足")
	})
	t.Run("EXAM-07 EXAM-09 at random exactly as many as were chosen, and no count but 10, 20, 25, 50; the marks sum to 100", func(t *testing.T) {
		f := paper(category, ids[:10], who.ID).With(Form{"selectMode": "random", "questionIds": []string{}})
		e := Add(t, a, exam, f)
		if got := e["questionIds"].([]any); len(got) != 10 {
			t.Fatalf("%d questions", len(got))
		}
		Refused(t, a.Do("POST", Path(exam), f.With(Form{"questionCount": "25"})), http.StatusBadRequest, "questionIds", "试题数量不足")
		for _, n := range []string{"0", "11", "30", "100", ""} {
			Refused(t, a.Do("POST", Path(exam), f.With(Form{"questionCount": n})), http.StatusBadRequest, "questionCount", "")
		}
	})
	t.Run("EXAM-04 EXAM-16 own exams have all verbs, a lower organisation's are viewed and reused, a higher one's are not there; questions and receivers stay", func(t *testing.T) {
		p := AdminP(t)
		mine := IDOf(Add(t, a, exam, paper(category, ids[:10], who.ID)))
		theirs := IDOf(Add(t, p, exam, paper(category, ids[:10], who.ID)))
		if got := actions(shown(t, a, mine)); !slices.Equal(sorted(got), []string{"delete", "enable", "reuse", "update", "view"}) {
			t.Errorf("own: %v", got)
		}
		if got := actions(shown(t, p, mine)); !slices.Equal(sorted(got), []string{"reuse", "view"}) {
			t.Errorf("a lower one's: %v", got)
		}
		if slices.Contains(IDs(a.List(exam, "size=100")), theirs) {
			t.Error("a higher one's is listed")
		}
		const own = "只可修改、删除、启用本组织添加的考核"
		Refused(t, Put(t, p, exam, mine, Form{"title": "改"}), http.StatusConflict, "", own)
		Refused(t, enable(p, mine), http.StatusConflict, "", own)
		Refused(t, Delete(p, exam, mine), http.StatusConflict, "", own)
		Refused(t, Put(t, a, exam, mine, Form{"questionIds": ids[1:11]}), http.StatusBadRequest, "questionIds", "试题不可修改")
		Refused(t, Put(t, a, exam, mine, Form{"questionCount": "20"}), http.StatusBadRequest, "questionCount", "不可修改")
		Refused(t, Put(t, a, exam, mine, Form{"receiverIds": []string{NewMember(t, OrgA(t)).ID}}), http.StatusBadRequest, "receiverIds", "接受对象不可修改")
	})
	t.Run("EXAM-05 EXAM-15 EXAM-18 EXAM-19 EXAM-20 EXAM-21 an exam is enabled once, tells once, and is not changed any more", func(t *testing.T) {
		who := NewMember(t, OrgA(t))
		phone, _ := Bind(t, who)
		id := IDOf(Add(t, a, exam, paper(category, ids[:10], who.ID)))
		Refused(t, a.Do("GET", "/api/console/exams/"+id+"/statistics", nil), http.StatusConflict, "", "考核未启用")
		var l struct{ Exams []struct{ ID string } }
		phone.Get("/api/member/exams", &l)
		if len(l.Exams) != 0 {
			t.Fatalf("a draft on the phone: %v", l)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		answers := map[int]int{}
		for range 2 { // twice at once
			wg.Go(func() {
				got := enable(a, id)
				mu.Lock()
				defer mu.Unlock()
				answers[got.Status]++
			})
		}
		wg.Wait()
		if answers[http.StatusOK] != 1 || answers[http.StatusConflict] != 1 {
			t.Fatalf("%v", answers)
		}
		Refused(t, enable(a, id), http.StatusConflict, "", "每套考核只可启用一次")
		if got := actions(shown(t, a, id)); !slices.Equal(sorted(got), []string{"reuse", "statistics", "view"}) || shown(t, a, id)["state"] != "enabled" {
			t.Errorf("enabled: %v", got)
		}
		Refused(t, Put(t, a, exam, id, Form{"title": "改"}), http.StatusConflict, "", "考核已启用")
		Refused(t, Delete(a, exam, id), http.StatusConflict, "", "考核已启用")
		told := func() int {
			var inbox struct {
				Notifications []struct{ Kind, TargetID string }
			}
			phone.Get("/api/member/notifications", &inbox)
			n := 0
			for _, m := range inbox.Notifications {
				if m.Kind == "examEnabled" && m.TargetID == id {
					n++
				}
			}
			return n
		}
		bfftest.Eventually(t, "he is told", func() bool { return told() == 1 })
		if phone.Get("/api/member/exams", &l); len(l.Exams) != 1 || l.Exams[0].ID != id || told() != 1 {
			t.Fatalf("%v", l)
		}
	})
	t.Run("EXAM-06 a question typed while adding an exam is in the bank once, and an invalid one nowhere", func(t *testing.T) {
		before := a.List(question, "").Total
		Refused(t, a.Do("POST", Path(question), Form{"questionType": "judge", "stem": NewName("错"), "answers": []string{}, "categoryId": category}), http.StatusBadRequest, "answers", "")
		q := IDOf(Add(t, a, question, Form{"questionType": "judge", "stem": NewName("手工"), "answers": []string{"wrong"}, "categoryId": category}))
		e := Add(t, a, exam, paper(category, append(slices.Clone(ids[:9]), q), who.ID))
		if a.List(question, "").Total != before+1 || !slices.Contains(e["questionIds"].([]any), any(q)) {
			t.Fatal("it is not in both")
		}
	})
	t.Run("EXAM-22 a paper is used again by a new exam of the own organisation, and the old one stays", func(t *testing.T) {
		p := AdminP(t)
		old := Add(t, a, exam, paper(category, ids[:10], who.ID))
		again := Add(t, p, exam, Form{"title": NewName("再用"), "categoryId": category, "questionCount": old["questionCount"], "selectMode": "manual", "questionIds": old["questionIds"], "receiverIds": []string{who.ID}, "deadlineAt": in(6 * time.Hour)})
		if again["orgId"] != OrgP(t) || !slices.Equal(again["questionIds"].([]any), old["questionIds"].([]any)) {
			t.Fatalf("%v", again)
		}
		if now := shown(t, a, IDOf(old)); now["version"] != old["version"] || now["title"] != old["title"] {
			t.Fatalf("the old one changed: %v", now)
		}
	})
	t.Run("QUES-07 QUES-11 QUES-15 a question that exams use is neither changed nor deleted, and they are named; free again once they are gone", func(t *testing.T) {
		category, ids := bank(t, a, 10)
		f1, f2 := paper(category, ids, who.ID), paper(category, ids, who.ID)
		e1, e2 := IDOf(Add(t, a, exam, f1)), IDOf(Add(t, a, exam, f2))
		q := Path(question) + "/" + ids[0]
		refuse := func(named ...string) {
			t.Helper()
			for _, got := range []*bfftest.Answer{Put(t, a, question, ids[0], Form{"stem": "改"}), Delete(a, question, ids[0])} {
				if got.Status != http.StatusConflict {
					t.Fatalf("%d %s", got.Status, got.Body)
				}
				for _, name := range named {
					if !bytes.Contains(got.Body, []byte(name)) {
						t.Errorf("%s does not name %s", got.Body, name)
					}
				}
			}
		}
		refuse(f1["title"].(string), f2["title"].(string))
		Remove(t, a, exam, e1)
		refuse(f2["title"].(string))
		Remove(t, a, exam, e2)
		var was Item
		a.Get(q, &was)
		if was["stem"] == "改" {
			t.Fatal("it was changed")
		}
		if got := Put(t, a, question, ids[0], Form{"stem": "改好了"}); got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		Remove(t, a, question, ids[0])
	})
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

type sheet struct {
	Exam struct {
		State                  string
		Score, Attempt         int
		Auto                   bool
		DeadlineAt, HandedInAt int64
	}
	Questions []struct {
		ID       string
		Answers  []string
		Right    []string
		Analysis string
		Options  []struct{ Key string }
	}
	Now int64
}

type figures struct {
	Receivers, Submitted, Highest, Lowest, Passed int
	Average                                       float64
	Rows                                          []struct {
		MemberID, Name, OrgName, State, Reason string
		Attempt, Score                         int
		HandedInAt, Until                      int64
	}
	Questions []struct {
		ID            string
		Wrong, Papers int
	}
	Bands []int
}

func (f figures) states(attempt int) map[string]int {
	out := map[string]int{}
	for _, r := range f.Rows {
		if r.Attempt == attempt {
			out[r.State]++
		}
	}
	return out
}

// answers are those of a paper of which the first question is a multiple choice, so many of them right.
func answers(ids []string, right int) (out []Form) {
	for i, id := range ids {
		a := []string{"right"}
		switch {
		case i == 0:
			a = []string{"C", "A"} // in any order
		case i >= right:
			a = []string{"wrong"}
		}
		out = append(out, Form{"questionId": id, "answers": a})
	}
	return out
}

// TestSitting: what receivers do on their phones, and what the clock does.
func TestSitting(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	a := c.Admin(t)
	category := IDOf(Add(t, c.Top, "questionCategory", Form{"name": NewName("类")}))
	var ids []string
	for i := range 10 {
		f := Form{"questionType": "judge", "stem": NewName(fmt.Sprint("题", i)), "answers": []string{"right"}, "categoryId": category, "analysis": "解析在此"}
		if i == 0 {
			f = f.With(Form{"questionType": "multiple", "answers": []string{"A", "C"}, "optionA": "甲", "optionB": "乙", "optionC": "丙", "optionD": "丁"})
		}
		ids = append(ids, IDOf(Add(t, a, question, f)))
	}
	var people []string
	var phones []*bfftest.Browser
	for i := range 5 {
		who := c.Member(t)
		phone, _ := c.Bind(t, i, who)
		people, phones = append(people, who.ID), append(phones, phone)
	}
	stranger, _ := c.Bind(t, 9, c.Member(t))
	f := paper(category, ids, people...).With(Form{"shuffle": true, "deadlineAt": c.Now(t).Add(6 * time.Hour).Format(time.RFC3339)})
	id := IDOf(Add(t, a, exam, f))
	at := "/api/member/exams/" + id
	Refused(t, phones[0].Do("GET", at, nil), http.StatusNotFound, "", "")
	if got := enable(a, id); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	get := func(b *bfftest.Browser) (s sheet) { t.Helper(); b.Get(at, &s); return s }
	stats := func() (f figures) { t.Helper(); a.Get("/api/console/exams/"+id+"/statistics", &f); return f }
	save := func(b *bfftest.Browser, q string, given ...string) *bfftest.Answer {
		return b.Do("POST", at+"/answers", Form{"questionId": q, "answers": given})
	}
	handIn := func(b *bfftest.Browser, list []Form) *bfftest.Answer {
		return b.Do("POST", at+"/hand-in", Form{"answers": list})
	}
	t.Run("EXAM-10 the list names the enabled exams that name him, with deadline and state; nobody else's", func(t *testing.T) {
		var l struct {
			Exams []struct{ ID, State, Title string }
		}
		if phones[0].Get("/api/member/exams", &l); len(l.Exams) != 1 || l.Exams[0].State != "open" || l.Exams[0].ID != id {
			t.Fatalf("%+v", l)
		}
		if stranger.Get("/api/member/exams", &l); len(l.Exams) != 0 {
			t.Fatalf("a stranger's: %+v", l)
		}
		for _, got := range []*bfftest.Answer{stranger.Do("GET", at, nil), save(stranger, ids[1], "right"), handIn(stranger, nil)} {
			Refused(t, got, http.StatusNotFound, "", "")
		}
	})
	t.Run("EXAM-11 EXAM-12 right answers do not travel before; handed in, the score shows at once with them, and a second hand-in is refused", func(t *testing.T) {
		me := phones[0]
		raw := me.Do("GET", at, nil)
		if bytes.Contains(raw.Body, []byte("解析在此")) || bytes.Contains(raw.Body, []byte(`"right":["`)) {
			t.Fatalf("they travel: %s", raw.Body)
		}
		for _, wrong := range [][]string{{"A", "A"}, {"E"}, {"right"}} {
			Refused(t, save(me, ids[0], wrong...), http.StatusBadRequest, "answers", "")
		}
		Refused(t, save(me, ids[1], "right", "wrong"), http.StatusBadRequest, "answers", "")
		Refused(t, save(me, "nothing", "right"), http.StatusNotFound, "", "")
		list := answers(ids, 10)
		list[9] = Form{"questionId": ids[9], "answers": []string{}}
		var s sheet
		handIn(me, list).Into(t, &s)
		if s.Exam.State != "submitted" || s.Exam.Score != 90 || !slices.Equal(s.Questions[0].Right, []string{"A", "C"}) || s.Questions[1].Analysis != "解析在此" {
			t.Fatalf("%+v", s)
		}
		if again := get(me); again.Exam.Score != 90 || len(again.Questions[0].Answers) != 2 {
			t.Fatalf("%+v", again)
		}
		Refused(t, handIn(me, answers(ids, 10)), http.StatusConflict, "", "您已交卷，不能重复提交")
		Refused(t, save(me, ids[9], "right"), http.StatusConflict, "", "您已交卷，不能重复提交")
		if get(me).Exam.Score != 90 {
			t.Fatal("the first no longer stands")
		}
	})
	t.Run("two windows hand in at once: one stands, the other is told", func(t *testing.T) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for i := range 6 {
			wg.Go(func() {
				r := handIn(phones[1], answers(ids, 5+i%2))
				mu.Lock()
				defer mu.Unlock()
				got[r.Status]++
			})
		}
		wg.Wait()
		if got[http.StatusOK] != 1 || got[http.StatusConflict] != 5 {
			t.Fatalf("%v", got)
		}
	})
	t.Run("options are in another order for each, and always in the same one for him", func(t *testing.T) {
		orders := map[string]bool{}
		for _, p := range phones {
			one, two := fmt.Sprint(get(p).Questions[0].Options), fmt.Sprint(get(p).Questions[0].Options)
			if one != two {
				t.Fatal("it changes")
			}
			orders[one] = true
		}
		if len(orders) < 2 {
			t.Errorf("all have the same: %v", orders)
		}
	})
	t.Run("EXAM-23 EXAM-24 EXAM-25 until the deadline the statistics list those who handed in, with the time that is left", func(t *testing.T) {
		s := stats()
		if s.Receivers != 5 || s.Submitted != 2 || len(s.Rows) != 2 || s.Highest != 90 || s.Rows[0].Score != 90 || s.Rows[0].Name == "" || s.Rows[0].OrgName == "" || s.Rows[0].HandedInAt == 0 {
			t.Fatalf("%+v", s)
		}
		if want := float64(s.Highest+s.Lowest) / 2; s.Average != want || s.Passed < 1 || s.Questions[0].Wrong < s.Questions[9].Wrong || s.Questions[0].Papers != 2 {
			t.Fatalf("%+v", s)
		}
		var left struct{ DeadlineAt, Now int64 }
		a.Get("/api/console/exams/"+id+"/statistics", &left)
		if d := time.Duration(left.DeadlineAt-left.Now) * time.Millisecond; d < 5*time.Hour || d > 6*time.Hour {
			t.Fatalf("%v left", d)
		}
	})
	extra := func(member string, again bool, until time.Time, reason string) *bfftest.Answer {
		return a.Do("POST", "/api/console/exams/"+id+"/extra", Form{"memberId": member, "again": again, "until": until.UnixMilli(), "reason": reason})
	}
	t.Run("PLUS-26 more time and another try need a reason, a receiver and the right moment", func(t *testing.T) {
		later := c.Now(t).Add(10 * time.Hour)
		Refused(t, extra(people[3], false, later, ""), http.StatusBadRequest, "", "")
		Refused(t, extra(people[3], false, c.Now(t).Add(time.Hour), "网络故障"), http.StatusBadRequest, "until", "")
		Refused(t, extra("nobody", false, later, "网络故障"), http.StatusNotFound, "", "")
		Refused(t, extra(people[3], true, later, "网络故障"), http.StatusConflict, "", "尚未交卷")
		Refused(t, extra(people[0], false, later, "网络故障"), http.StatusConflict, "", "已交卷")
		if got := extra(people[3], false, later, "网络故障"); got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	})
	t.Run("PLUS-25 EXAM-26 at the deadline the server hands in what was saved, once; who saved nothing is 未交卷; who has more time goes on alone", func(t *testing.T) {
		dying := phones[2]
		for i := range 7 {
			if got := save(dying, ids[1+i], "right"); got.Status != http.StatusOK {
				t.Fatalf("%d %s", got.Status, got.Body)
			}
		}
		save(dying, ids[1], "wrong") // an answer may be changed,
		save(dying, ids[2])          // or taken back
		if s := get(dying); s.Exam.State != "open" || !slices.Equal(s.Questions[1].Answers, []string{"wrong"}) || len(s.Questions[2].Answers) != 0 || len(s.Questions[3].Answers) != 1 {
			t.Fatalf("opened again it goes on elsewhere: %+v", s)
		}
		c.Pass(t, 6*time.Hour+time.Minute, a)
		bfftest.Eventually(t, "the job closes it", func() bool { return get(dying).Exam.State == "submitted" })
		if s := get(dying); s.Exam.Score != 50 || !s.Exam.Auto {
			t.Fatalf("%+v", s.Exam)
		}
		if s := get(phones[4]); s.Exam.State != "absent" || len(s.Questions) != 0 {
			t.Fatalf("%+v", s)
		}
		Refused(t, save(phones[4], ids[1], "right"), http.StatusConflict, "", "考核已结束")
		Refused(t, handIn(phones[4], answers(ids, 10)), http.StatusConflict, "", "")
		if got := shown(t, a, id)["state"]; got != "ended" {
			t.Fatalf("the exam is %v", got)
		}
		if !slices.Contains(IDs(a.List(exam, "f.state=ended")), id) || slices.Contains(IDs(a.List(exam, "f.state=enabled")), id) {
			t.Fatal("the filter does not know that it ended")
		}
		if got := save(phones[3], ids[1], "right"); got.Status != http.StatusOK {
			t.Fatalf("he has more time: %d %s", got.Status, got.Body)
		}
		for range 2 { // another run changes nothing
			s := stats()
			if st := s.states(1); st["submitted"] != 2 || st["auto"] != 1 || st["absent"] != 1 || st["open"] != 1 || len(s.Rows) != 5 || s.Submitted != 3 {
				t.Fatalf("%v %+v", st, s)
			}
		}
		c.Pass(t, 5*time.Hour, a)
		bfftest.Eventually(t, "his time ends too", func() bool { return get(phones[3]).Exam.State == "submitted" })
		if s := get(phones[3]); s.Exam.Score != 10 || !s.Exam.Auto {
			t.Fatalf("%+v", s.Exam)
		}
	})
	t.Run("PLUS-26 a second try goes on alone, and the statistics tell it from the first", func(t *testing.T) {
		if got := extra(people[4], true, c.Now(t).Add(2*time.Hour), "因公出差"); got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		if s := get(phones[4]); s.Exam.State != "open" || s.Exam.Attempt != 2 || len(s.Questions) != 10 {
			t.Fatalf("%+v", s)
		}
		before := stats()
		var s sheet
		handIn(phones[4], answers(ids, 10)).Into(t, &s)
		if s.Exam.Score != 100 {
			t.Fatalf("%+v", s.Exam)
		}
		after := stats()
		if after.Average != before.Average || after.Highest != before.Highest || after.Submitted != before.Submitted || after.states(2)["submitted"] != 1 || after.states(1)["absent"] != 1 {
			t.Fatalf("%+v", after)
		}
		rows := Sheet(t, a.Do("GET", "/api/console/exams/"+id+"/statistics/export", nil))
		if len(rows) != 7 || !strings.Contains(fmt.Sprint(rows), "补考") || !strings.Contains(fmt.Sprint(rows), "因公出差") || !strings.Contains(fmt.Sprint(rows), "未交卷") {
			t.Fatalf("%v", rows)
		}
	})
}
