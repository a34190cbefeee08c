package journey

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/kit"
)

// TestNoon: everybody answers and hands in at once. In a cluster the service is killed in the middle: what it took
// stays, and phones go on.
func TestNoon(t *testing.T) {
	const people, count = 12, 10
	admin := newAdmin(t)
	var who []bfftest.Person
	for i := range people {
		who = append(who, bfftest.Invent(600+i))
	}
	_, members := branchOf(t, admin, fmt.Sprintf("考试支部%d", bfftest.Seed), who)
	phones := make([]*bfftest.Browser, people)
	var ids, questions []string
	for i, m := range members {
		phones[i], _ = under.Bind(t, i%2, m)
		ids = append(ids, m.ID)
	}
	add := func(typ string, doc map[string]any) string {
		t.Helper()
		var r struct{ ID string }
		admin.Post("/api/console/records/"+typ, doc, &r)
		return r.ID
	}
	category := add("questionCategory", map[string]any{"name": fmt.Sprintf("正午考核%d", bfftest.Seed)})
	for i := range count {
		questions = append(questions, add("question", map[string]any{"questionType": "judge", "stem": fmt.Sprintf("第%d题%d", i, bfftest.Seed), "answers": []string{"right"}, "categoryId": category}))
	}
	id := add("exam", map[string]any{
		"title": "正午考核", "categoryId": category, "questionCount": "10", "selectMode": "manual", "questionIds": questions, "receiverIds": ids,
		"deadlineAt": time.Now().In(kit.Shanghai).Add(6 * time.Hour).Format(time.RFC3339),
	})
	admin.Post("/api/console/records/exam/"+id+"/actions/enable", nil, &struct{}{})
	at := "/api/member/exams/" + id
	// until sends again what was not acknowledged, as phones do.
	until := func(phone *bfftest.Browser, path string, body any) *bfftest.Answer {
		for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(50 * time.Millisecond) { // polls a condition
			a, err := phone.Try("POST", path, body)
			if err == nil && a.Status < http.StatusInternalServerError && a.Status != http.StatusTooManyRequests {
				return a
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: %v", path, err)
				return nil
			}
		}
	}
	var taken atomic.Int32
	var wg sync.WaitGroup
	for i, phone := range phones {
		wg.Go(func() {
			for q := range count {
				given := []string{"right", "wrong"}[(i+q)%2]
				if a := until(phone, at+"/answers", map[string]any{"questionId": questions[q], "answers": []string{given}}); a == nil || a.Status != http.StatusOK {
					t.Errorf("answer %d of %d: %v", q, i, a)
					return
				}
				taken.Add(1)
			}
		})
	}
	if dir := os.Getenv("CLUSTER_DIR"); dir != "" {
		c := cluster{t, dir}
		soon(t, "a third is taken", func() bool { return taken.Load() > people*count/3 })
		c.signal("learning", syscall.SIGKILL)
		c.start("learning")
	}
	wg.Wait()
	type sheet struct {
		Exam struct {
			State string
			Score int
		}
		Questions []struct {
			ID      string
			Answers []string
		}
	}
	t.Run("PLUS-25 what was taken is there, whatever died in between", func(t *testing.T) {
		for i, phone := range phones {
			var s sheet
			soon(t, "the paper can be read", func() bool { return answers(phone, at) })
			phone.Get(at, &s)
			if len(s.Questions) != count {
				t.Fatalf("%+v", s)
			}
			for q, one := range s.Questions {
				if !slices.Equal(one.Answers, []string{[]string{"right", "wrong"}[(i+q)%2]}) {
					t.Errorf("phone %d, question %d: %v", i, q, one.Answers)
				}
			}
		}
	})
	t.Run("all hand in at once, each once, and all are counted", func(t *testing.T) {
		for _, phone := range phones {
			for range 2 { // two windows: the first stands
				wg.Go(func() { until(phone, at+"/hand-in", map[string]any{"answers": []any{}}) })
			}
		}
		wg.Wait()
		var st struct {
			Receivers, Submitted, Highest, Lowest int
			Rows                                  []struct{ Attempt, Score int }
		}
		soon(t, "the papers are counted", func() bool { return answers(admin, "/api/console/exams/"+id+"/statistics") })
		admin.Get("/api/console/exams/"+id+"/statistics", &st)
		if st.Receivers != people || st.Submitted != people || len(st.Rows) != people || st.Highest != 50 || st.Lowest != 50 {
			t.Fatalf("%+v", st)
		}
	})
}
