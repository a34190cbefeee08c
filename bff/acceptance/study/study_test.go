package study

import (
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

const study = "studyTask"

func at(t time.Time) string { return t.In(kit.Shanghai).Format(time.RFC3339) }

func form(now time.Time, participants ...string) Form {
	return Form{
		"title": NewName("学习"), "content": "<p>学习党章</p>", "startAt": at(now.Add(-time.Hour)), "endAt": at(now.Add(time.Hour)),
		"noticeForm": []string{"site", "wechat"}, "participantIds": participants,
	}
}

func act(b *bfftest.Browser, id, action string, f Form) *bfftest.Answer {
	return b.Do("POST", Own(study)+"/"+id+"/actions/"+action, f)
}

func told(b *bfftest.Browser, id string) (n int) {
	var inbox struct {
		Notifications []struct{ Kind, TargetID string }
	}
	b.Get("/api/member/notifications", &inbox)
	for _, m := range inbox.Notifications {
		if m.Kind == study && m.TargetID == id {
			n++
		}
	}
	return n
}

type statistics struct {
	Participants, Completed int
	Average, State          string
	Rows                    []struct {
		MemberID, Name, Comment string
		CompletedAt             int64
		Score                   int
	}
}

func stats(t *testing.T, b *bfftest.Browser, id string) (s statistics) {
	t.Helper()
	b.Get("/api/console/studies/"+id+"/statistics", &s)
	return s
}

func TestStudyTask(t *testing.T) {
	a := AdminA(t)
	Record(t, RecordSpec{
		IDs: RowIDs{List: "STDY-02", Add: "STDY-03", Update: "STDY-10", Batch: "STDY-12", Export: "STDY-14"}, Type: study,
		Valid: func(t *testing.T, orgID string, i int) Form {
			return form(time.Now().AddDate(0, 0, -10*i), NewMember(t, orgID).ID)
		},
		Columns: []string{"title", "orgId", "startAt", "endAt", "progress", "average", "state"},
		Filters: func(_ int, f Form) []string {
			day := f["startAt"].(string)[:10]
			return []string{"f.title=" + f["title"].(string), "f.startAt=" + day + "," + day}
		},
		Required: []string{"title", "startAt", "endAt", "noticeForm"},
		Wrong: []Wrong{
			{"nobody", Form{"participantIds": []string{}}, "participantIds", "请选择参加对象"},
			{"somebody of a sibling", Form{"participantIds": []string{NewMember(t, OrgB(t)).ID}}, "participantIds", "不在管理范围内"},
			{"nothing to study", Form{"content": "<p> </p>"}, "content", "请填写学习内容"},
			{"STDY-04: begins after its end", Form{"startAt": at(time.Now().Add(2 * time.Hour)), "endAt": at(time.Now().Add(time.Hour))}, "startAt", "学习开始时间不能晚于学习结束时间"},
		},
		Update:      Form{"title": NewName("改"), "content": "<p>改</p>"},
		WrongUpdate: []Wrong{{"STDY-04: begins after its end", Form{"startAt": at(time.Now().AddDate(1, 0, 0))}, "startAt", "学习开始时间不能晚于学习结束时间"}},
		Export:      []string{"学习名称", "组织", "学习开始时间", "学习结束时间", "参加人数", "完成人数", "平均评分"},
	})
	t.Run("STDY-04 a study may begin and end at one moment, and no later than its end", func(t *testing.T) {
		who := NewMember(t, OrgA(t)).ID
		now := time.Now().Add(time.Hour)
		f := form(now, who).With(Form{"startAt": at(now), "endAt": at(now)})
		id := IDOf(Add(t, a, study, f))
		Refused(t, Put(t, a, study, id, Form{"startAt": at(now.Add(time.Minute))}), http.StatusBadRequest, "startAt", "学习开始时间不能晚于学习结束时间")
		Refused(t, a.Do("POST", Path(study), f.With(Form{"startAt": at(now.Add(time.Minute))})), http.StatusBadRequest, "startAt", "学习开始时间不能晚于学习结束时间")
	})
	t.Run("STDY-05 STDY-06 STDY-11 participants are told once of what is not over, see it and no other, and stay as they were chosen", func(t *testing.T) {
		p := NewMember(t, OrgA(t))
		phone, _ := Bind(t, p)
		x := Add(t, a, study, form(time.Now(), p.ID))
		y := Add(t, a, study, form(time.Now(), NewMember(t, OrgA(t)).ID))
		over := Add(t, a, study, form(time.Now().AddDate(0, 0, -1), p.ID))
		if x["notified"] != true || over["notified"] != false {
			t.Fatalf("%v %v", x["notified"], over["notified"])
		}
		bfftest.Eventually(t, "he is told", func() bool { return told(phone, IDOf(x)) == 1 })
		if told(phone, IDOf(over)) != 0 || told(phone, IDOf(y)) != 0 {
			t.Error("he is told of another's, or of what is over")
		}
		got := Mine(t, phone, study)
		if !slices.Contains(got, IDOf(x)) || slices.Contains(got, IDOf(y)) {
			t.Fatalf("%v", got)
		}
		Refused(t, phone.Do("GET", Own(study)+"/"+IDOf(y), nil), http.StatusNotFound, "", "")
		Refused(t, Put(t, a, study, IDOf(x), Form{"participantIds": []string{NewMember(t, OrgA(t)).ID}}), http.StatusBadRequest, "participantIds", "参加对象不可修改")
		Refused(t, Put(t, a, study, IDOf(x), Form{"noticeForm": []string{"site"}}), http.StatusBadRequest, "noticeForm", "通知形式不可修改")
	})
}

// TestStudying: what participants do on their phones, and what the clock does.
func TestStudying(t *testing.T) {
	c := NewCalendar(t)
	c.Work()
	a := c.Admin(t)
	var ids []string
	var phones []*bfftest.Browser
	for i := range 3 {
		who := c.Member(t)
		phone, _ := c.Bind(t, i, who)
		ids, phones = append(ids, who.ID), append(phones, phone)
	}
	stranger, _ := c.Bind(t, 8, c.Member(t))
	now := c.Now(t)
	id := IDOf(Add(t, a, study, form(now, ids...).With(Form{"startAt": at(now.Add(time.Hour)), "endAt": at(now.Add(3 * time.Hour))})))
	state := func() any {
		t.Helper()
		var r Item
		a.Get(Path(study)+"/"+id, &r)
		return r["state"]
	}
	t.Run("STDY-09 the state follows the clock without a click, and completion is taken while it runs only", func(t *testing.T) {
		if state() != "notStarted" || len(Mine(t, phones[0], study)) != 0 {
			t.Fatalf("before: %v", state())
		}
		Refused(t, act(phones[0], id, "complete", Form{}), http.StatusNotFound, "", "")
		c.Pass(t, time.Hour+time.Minute, a)
		if state() != "running" || !slices.Equal(Mine(t, phones[0], study), []string{id}) {
			t.Fatalf("then: %v", state())
		}
		if !slices.Contains(IDs(a.List(study, "f.state=running")), id) || slices.Contains(IDs(a.List(study, "f.state=notStarted,ended")), id) {
			t.Fatal("the filter does not know")
		}
	})
	t.Run("STDY-07 a participant completes a study once, with its points; nobody else does", func(t *testing.T) {
		me := phones[0]
		var r Item
		me.Get(Own(study)+"/"+id, &r)
		if r["mine"] != "open" || !strings.Contains(fmt.Sprint(r["content"]), "学习党章") || r["participantIds"] != nil {
			t.Fatalf("%v", r)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for range 4 { // a double click, two windows
			wg.Go(func() {
				a := act(me, id, "complete", Form{})
				mu.Lock()
				defer mu.Unlock()
				got[a.Status]++
			})
		}
		wg.Wait()
		if got[http.StatusOK] != 1 || got[http.StatusConflict] != 3 {
			t.Fatalf("%v", got)
		}
		Refused(t, act(me, id, "complete", Form{}), http.StatusConflict, "", "无需重复确认")
		Refused(t, act(stranger, id, "complete", Form{}), http.StatusNotFound, "", "")
		Refused(t, a.Do("POST", Path(study)+"/"+id+"/actions/complete", Form{}), http.StatusForbidden, "", "")
		me.Get(Own(study)+"/"+id, &r)
		if r["mine"] != "completed" {
			t.Fatalf("%v", r["mine"])
		}
		var points struct{ Entries []struct{ Item string } }
		bfftest.Eventually(t, "his points are booked", func() bool { me.Get("/api/member/points", &points); return len(points.Entries) > 0 })
		if len(points.Entries) != 1 || points.Entries[0].Item != "onlineStudy" {
			t.Fatalf("%+v", points)
		}
	})
	t.Run("STDY-08 STDY-13 who completed it scores it once; the statistics count who did and who did not", func(t *testing.T) {
		if s := stats(t, a, id); s.Participants != 3 || s.Completed != 1 || len(s.Rows) != 3 || s.Average != "—" {
			t.Fatalf("%+v", s)
		}
		Refused(t, act(phones[1], id, "score", Form{"score": "5"}), http.StatusConflict, "", "确认学习完成后才能评分")
		for _, wrong := range []any{"", "0", "6", "x"} {
			Refused(t, act(phones[0], id, "score", Form{"score": wrong}), http.StatusBadRequest, "score", "")
		}
		if got := act(phones[0], id, "score", Form{"score": "4", "comment": "很好"}); got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		Refused(t, act(phones[0], id, "score", Form{"score": "1"}), http.StatusConflict, "", "不能重复评分")
		if got := act(phones[1], id, "complete", Form{}); got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		act(phones[1], id, "score", Form{"score": "5"})
		s := stats(t, a, id)
		if s.Completed != 2 || s.Average != "4.5" {
			t.Fatalf("%+v", s)
		}
		for _, r := range s.Rows {
			if (r.CompletedAt != 0) != (r.MemberID != ids[2]) || r.Name == "" || r.MemberID == ids[0] && (r.Score != 4 || r.Comment != "很好") {
				t.Errorf("%+v", r)
			}
		}
		var row Item
		for _, r := range a.List(study, "").Items {
			if r["id"] == id {
				row = r
			}
		}
		if row["progress"] != "2/3" || row["average"] != "4.5" {
			t.Fatalf("%v", row)
		}
	})
	t.Run("who has not completed it is reminded, and nobody else", func(t *testing.T) {
		for _, p := range phones {
			bfftest.Eventually(t, "all were told of it", func() bool { return told(p, id) == 1 })
		}
		if got := a.Do("POST", Path(study)+"/"+id+"/actions/remind", nil); got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		bfftest.Eventually(t, "he is reminded", func() bool { return told(phones[2], id) == 2 })
		if told(phones[0], id) != 1 {
			t.Error("one who completed it is reminded")
		}
	})
	t.Run("STDY-07 STDY-09 after its end nothing is completed; scores are taken still, and points stay when it is deleted", func(t *testing.T) {
		c.Pass(t, 3*time.Hour, a)
		if state() != "ended" {
			t.Fatalf("%v", state())
		}
		Refused(t, act(phones[2], id, "complete", Form{}), http.StatusConflict, "", "学习已结束")
		Remove(t, a, study, id)
		if len(Mine(t, phones[0], study)) != 0 {
			t.Error("still on the phone")
		}
		var points struct{ Entries []struct{ Item string } }
		if phones[0].Get("/api/member/points", &points); len(points.Entries) != 1 {
			t.Errorf("%+v", points)
		}
	})
}
