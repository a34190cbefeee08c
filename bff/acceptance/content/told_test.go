package content

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestAdminsAreTold: what members hand in reaches the admins who have to do with it.
func TestAdminsAreTold(t *testing.T) {
	who := NewMember(t, OrgA(t))
	phone := PhoneOf(t, who)
	reader, approver, stranger := Limited(t, "suggestion.view", "helpRequest.view"), Limited(t, "profileChange.approve"), Limited(t, "member.view")
	disabledName := Name("disabledUser")
	disabled := NewUser(t, disabledName, OrgA(t), "*")
	Put(t, Root(t), "user", disabled, Form{"status": "disabled"}).Into(t, &Item{})
	about := func(b *bfftest.Browser, id string) (n int) {
		var l struct {
			Notifications []struct {
				TargetID string
				ReadAt   int64
			}
		}
		b.Get("/api/console/notifications", &l)
		for _, x := range l.Notifications {
			if x.TargetID == id && x.ReadAt == 0 {
				n++
			}
		}
		return n
	}
	hand := func(t *testing.T, typ string, f Form) string {
		t.Helper()
		phone.T = t
		var got Item
		phone.Post(Own(typ), f, &got)
		return IDOf(got)
	}
	submissions := []struct {
		typ  string
		form Form
		told *bfftest.Browser
		not  []*bfftest.Browser
	}{
		{"suggestion", Form{"title": "建议", "content": "多开会"}, reader, []*bfftest.Browser{approver, stranger}},
		{"helpRequest", Form{"title": "求助", "content": "需要帮助"}, reader, []*bfftest.Browser{approver, stranger}},
		{"profileChange", Form{"education": "bachelor"}, approver, []*bfftest.Browser{reader, stranger}},
	}
	t.Run("JOB-02 one unread notice for every enabled admin of the branch with the permission, none for others; handed in again, another", func(t *testing.T) {
		a := AdminA(t)
		for _, x := range append([]*bfftest.Browser{a, reader, approver, stranger}, AdminB(t), AdminP(t), Root(t)) {
			x.T = t
		}
		began := time.Now()
		var first string
		var ids []string
		for _, s := range submissions {
			id := hand(t, s.typ, s.form)
			ids = append(ids, id)
			bfftest.Eventually(t, s.typ+" is told", func() bool { return about(s.told, id) == 1 && about(a, id) == 1 })
			for i, b := range append(s.not, AdminB(t), AdminP(t), Root(t)) {
				if n := about(b, id); n != 0 {
					t.Errorf("%s: %d notices to admin %d", s.typ, n, i)
				}
			}
			first = id
		}
		if time.Since(began) > time.Minute {
			t.Errorf("told after %v", time.Since(began))
		}
		a.Post(Path("profileChange")+"/"+first+"/actions/reject", Form{"opinion": "请重填"}, &Item{})
		again := hand(t, "profileChange", Form{"education": "postgraduate"})
		bfftest.Eventually(t, "it is told again", func() bool { return about(approver, again) == 1 && about(a, again) == 1 })
		if about(approver, first) != 1 {
			t.Error("the first notice is gone")
		}
		Put(t, Root(t), "user", disabled, Form{"status": "enabled"}).Into(t, &Item{})
		for _, id := range ids { // other tests' submissions may have come while he was made
			if n := about(User(t, disabledName, UserPassword), id); n != 0 {
				t.Errorf("a disabled user was told %d times of %s", n, id)
			}
		}
	})
}

// TestMembersAreTold: messages in the official account open what they speak of.
func TestMembersAreTold(t *testing.T) {
	who, unbound := NewMember(t, OrgA(t)), NewMember(t, OrgA(t))
	phone, wechat := Bind(t, who)
	type message struct{ Kind, URL string }
	messages := func(t *testing.T) []message {
		t.Helper()
		var l struct{ Messages []message }
		phone.Get("/sandbox/api/messages?userId="+wechat, &l)
		return l.Messages
	}
	t.Run("MENU-11 each message opens exactly its record; one that is gone is not found; who is not bound gets none", func(t *testing.T) {
		phone.T = t
		a := AdminA(t)
		start := time.Now().Add(time.Hour)
		m := IDOf(Add(t, a, "meeting", MeetingForm("要通知的会", Form{"participantIds": []string{who.ID, unbound.ID}, "noticeForm": []string{"wechat"},
			"startAt": start.Format(time.RFC3339), "endAt": start.Add(time.Hour).Format(time.RFC3339)})))
		a.Post("/api/console/records/meeting/"+m+"/actions/start", nil, &Item{})
		var change, letter Item
		phone.Post(Own("profileChange"), Form{"education": "bachelor"}, &change)
		a.Post(Path("profileChange")+"/"+IDOf(change)+"/actions/approve", Form{"opinion": "同意"}, &Item{})
		phone.Post(Own("suggestion"), Form{"title": "建议", "content": "多开会"}, &letter)
		a.Post(Path("suggestion")+"/"+IDOf(letter)+"/actions/reply", Form{"reply": "好的"}, &Item{})
		want := map[string]string{
			"pages/meeting/detail?id=" + m:                               "/api/member/meetings/" + m,
			"pages/records/detail?type=profileChange&id=" + IDOf(change): Own("profileChange") + "/" + IDOf(change),
			"pages/records/detail?type=suggestion&id=" + IDOf(letter):    Own("suggestion") + "/" + IDOf(letter),
		}
		bfftest.Eventually(t, "three messages", func() bool { return len(messages(t)) >= len(want) })
		got := messages(t)
		for page, at := range want {
			if n := len(slices.DeleteFunc(slices.Clone(got), func(x message) bool { return !strings.HasSuffix(x.URL, "/m/#/"+page) })); n != 1 {
				t.Errorf("%d messages open %s: %v", n, page, got)
			}
			phone.Get(at, &Item{})
		}
		a.Post(Path("meeting")+"/delete", Form{"ids": []string{m}}, &struct{}{})
		Refused(t, phone.Do("GET", "/api/member/meetings/"+m, nil), http.StatusNotFound, "", "")
		later, his := Bind(t, unbound)
		var l struct{ Messages []message }
		later.Get("/sandbox/api/messages?userId="+his, &l)
		if len(l.Messages) != 0 {
			t.Errorf("who was not bound was told %v", l.Messages)
		}
	})
}
