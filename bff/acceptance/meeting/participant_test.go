package meeting

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

type attendance struct {
	Participants []struct {
		MemberID, Name, OrgName string
		SignedInAt              int64
	}
}

// TestGuestsInMeetings: part-time and report-in persons take part in what the organisation
// that added them holds (manual 6.9, 6.10).
func TestGuestsInMeetings(t *testing.T) {
	guestsInMeetings(t, "partTimeMember", "PART")
	guestsInMeetings(t, "reportInMember", "RPIN")
}

func guestsInMeetings(t *testing.T, typ, id string) {
	a, b := AdminA(t), AdminB(t)
	stranger := func() (Form, bfftest.Person) {
		p := NewPerson()
		return Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": Day(-10), "endOn": Day(0)}, p
	}
	offered := func(b *bfftest.Browser) map[string]string {
		var l struct {
			Members []struct{ ID, OrgName, IDNumber, Phone, OpenID string }
		}
		b.Get("/api/console/participants", &l)
		out := map[string]string{}
		for _, m := range l.Members {
			if out[m.ID] = m.OrgName; m.IDNumber+m.Phone+m.OpenID != "" {
				t.Errorf("personal data of %s beside his name", m.ID)
			}
		}
		return out
	}
	meets := func(phone *bfftest.Browser) map[string]string {
		var l struct {
			Meetings []struct{ ID, OrgName string }
		}
		phone.Get("/api/member/meetings", &l)
		out := map[string]string{}
		for _, m := range l.Meetings {
			out[m.ID] = m.OrgName
		}
		return out
	}
	began := func(t *testing.T, f Form) string {
		t.Helper()
		m := Add(t, a, "meeting", f)["id"].(string)
		a.Post("/api/console/records/meeting/"+m+"/actions/start", nil, &Item{})
		return m
	}
	t.Run(id+"-06 until the last day he is offered under his home organisation's name, afterwards refused; what he joined keeps him", func(t *testing.T) {
		a.T, b.T = t, t
		f, _ := stranger()
		g := Add(t, a, typ, f)["id"].(string)
		over, _ := stranger()
		ended := Add(t, a, typ, over.With(Form{"endOn": Day(-1)}))["id"].(string)
		home := NewMember(t, OrgB(t))
		local := Add(t, a, typ, Form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": Name("乙支部"), "startOn": Day(-1), "endOn": Day(1)})["id"].(string)
		list := offered(a)
		if _, there := list[ended]; list[g] != "外省某支部" || list[local] != Name("乙支部") || there {
			t.Fatalf("offered %v", list)
		}
		if _, there := offered(b)[local]; there {
			t.Fatal("the home branch is offered its own member as a guest")
		}
		Refused(t, a.Do("GET", "/api/console/participants?orgId="+OrgB(t), nil), http.StatusNotFound, "", NothingThere)
		Refused(t, a.Do("POST", Path("meeting"), MeetingForm("会", Form{"participantIds": []string{ended}})), http.StatusBadRequest, "participantIds", "不存在")
		Refused(t, b.Do("POST", Path("meeting"), MeetingForm("会", Form{"participantIds": []string{local}})), http.StatusBadRequest, "participantIds", "不在管理范围内")
		Refused(t, a.Do("POST", Path("meeting"), MeetingForm("会", Form{"participantIds": []string{home.ID}})), http.StatusBadRequest, "participantIds", "不在管理范围内")
		m := began(t, MeetingForm("兼职参加", Form{"participantIds": []string{g, local}}))
		whole := Add(t, a, "meeting", MeetingForm("全体", Form{"participantOrgId": OrgA(t)}))
		if all := whole["participantIds"].([]any); !slices.Contains(all, any(g)) || !slices.Contains(all, any(home.ID)) || slices.Contains(all, any(ended)) {
			t.Fatalf("the whole organisation: %v", all)
		}
		Put(t, a, typ, g, Form{"startOn": Day(-20), "endOn": Day(-1)}).Into(t, &Item{})
		if _, there := offered(a)[g]; there {
			t.Fatal("still offered")
		}
		Refused(t, a.Do("POST", Path("meeting"), MeetingForm("会", Form{"participantIds": []string{g}})), http.StatusBadRequest, "participantIds", "不存在")
		var s attendance
		a.Get("/api/console/meetings/"+m+"/statistics", &s)
		if got := []string{s.Participants[0].OrgName, s.Participants[1].OrgName}; !slices.Contains(got, "外省某支部") || !slices.Contains(got, Name("乙支部")) {
			t.Fatalf("%+v", s)
		}
	})
	t.Run(id+"-07 after the last day he is ended and his pages close; a longer period makes him a guest again", func(t *testing.T) {
		a.T = t
		f, who := stranger()
		g := Add(t, a, typ, f)["id"].(string)
		phone := PhoneOf(t, who)
		set := func(t *testing.T, from, to, want string) {
			t.Helper()
			var r Item
			Put(t, a, typ, g, Form{"startOn": from, "endOn": to}).Into(t, &r)
			if r["state"] != want {
				t.Fatalf("state %v, want %v", r["state"], want)
			}
		}
		set(t, Day(-20), Day(-1), "ended")
		bfftest.Eventually(t, "his pages close", func() bool { return phone.Do("GET", "/api/member/meetings", nil).Status == http.StatusForbidden })
		set(t, Day(-20), Day(0), "active")
		again := Visitor(t)
		again.OpenPhone(again.WeChatUser("又来", who.Phone))
		if _, there := offered(a)[g]; !there {
			t.Fatal("not offered again")
		}
	})
	t.Run(id+"-13 the guest's phone lists what names him, beside what his home branch holds; he signs in, and afterwards only that remains", func(t *testing.T) {
		a.T, b.T = t, t
		f, who := stranger()
		g := Add(t, a, typ, f)["id"].(string)
		phone := PhoneOf(t, who)
		home := NewMember(t, OrgB(t))
		local := Add(t, a, typ, Form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": "x", "startOn": Day(-1), "endOn": Day(1)})["id"].(string)
		homePhone := PhoneOf(t, home)
		homes := Add(t, b, "meeting", MeetingForm("家里的会", Form{"participantIds": []string{home.ID}}))["id"].(string)
		b.Post("/api/console/records/meeting/"+homes+"/actions/start", nil, &Item{})
		m := began(t, MeetingForm("都参加", Form{"participantIds": []string{g, local}}))
		other := began(t, MeetingForm("不参加", Form{"participantIds": []string{NewMember(t, OrgA(t)).ID}}))
		later := began(t, MeetingForm("将来的", Form{"participantIds": []string{local}, "startAt": time.Now().Add(time.Hour).Format(time.RFC3339), "endAt": time.Now().Add(2 * time.Hour).Format(time.RFC3339)}))
		if got := meets(phone); got[m] != Name("甲支部") || len(got) != 1 {
			t.Fatalf("the guest sees %v", got)
		}
		if got := meets(homePhone); got[m] != Name("甲支部") || got[homes] != Name("乙支部") || got[later] == "" || got[other] != "" {
			t.Fatalf("the member sees %v", got)
		}
		for _, p := range []*bfftest.Browser{phone, homePhone} {
			var qr struct{ URL string }
			a.Get("/api/console/meetings/"+m+"/qr", &qr)
			_, token, _ := strings.Cut(qr.URL, "?t=")
			p.Post("/api/member/sign-in", Form{"token": token}, &Item{})
		}
		var s attendance
		a.Get("/api/console/meetings/"+m+"/statistics", &s)
		for _, x := range s.Participants {
			if x.SignedInAt == 0 {
				t.Errorf("%s did not sign in", x.Name)
			}
		}
		Put(t, a, typ, local, Form{"startOn": Day(-20), "endOn": Day(-1)}).Into(t, &Item{})
		var one Item
		bfftest.Eventually(t, "what is to come is gone", func() bool { return meets(homePhone)[later] == "" })
		Refused(t, homePhone.Do("GET", "/api/member/meetings/"+later, nil), http.StatusNotFound, "", "")
		homePhone.Get("/api/member/meetings/"+homes, &one)
	})
}

// participation are the rows of the lists that 参加情况 opens, by their titles.
func participation(t *testing.T, b *bfftest.Browser, typ, id string) map[string][]Item {
	t.Helper()
	var schema struct {
		Actions []struct {
			Key     string
			Related []struct{ Type, Field, Title string }
		}
	}
	b.Get(Path(typ)+"/schema", &schema)
	out := map[string][]Item{}
	for _, a := range schema.Actions {
		for _, r := range a.Related {
			if a.Key != "participation" {
				continue
			}
			if out[r.Title] = nil; r.Type != "" {
				out[r.Title] = b.List(r.Type, "f."+r.Field+"="+id).Items
			}
		}
	}
	return out
}

// TestParticipation: 参加情况 (manual 6.9.4, 6.10.4).
func TestParticipation(t *testing.T) {
	for typ, id := range map[string]string{"partTimeMember": "PART-12", "reportInMember": "RPIN-12"} {
		t.Run(id+" what a guest took part in, with time and sign-in; nothing of other organisations, and nothing of who took part in none", func(t *testing.T) {
			a, b := AdminA(t), AdminB(t)
			home := NewMember(t, OrgB(t))
			guest := func() string {
				p := NewPerson()
				return IDOf(Add(t, a, typ, Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": Day(-10), "endOn": Day(0)}))
			}
			local := IDOf(Add(t, a, typ, Form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": "x", "startOn": Day(-10), "endOn": Day(1)}))
			stranger, idle := guest(), guest()
			hold := func(by *bfftest.Browser, f Form) string {
				m := IDOf(Add(t, by, "meeting", MeetingForm(Name("参加情况"), f)))
				by.Post("/api/console/records/meeting/"+m+"/actions/start", nil, &Item{})
				return m
			}
			both := hold(a, Form{"participantIds": []string{local, stranger}})
			free := hold(a, Form{"participantIds": []string{local}, "needSignIn": false})
			Add(t, a, "meeting", MeetingForm("还没启动", Form{"participantIds": []string{local, stranger}}))
			hold(b, Form{"participantIds": []string{home.ID}}) // of his own branch
			var qr struct{ URL string }
			a.Get("/api/console/meetings/"+both+"/qr", &qr)
			_, token, _ := strings.Cut(qr.URL, "?t=")
			PhoneOf(t, home).Post("/api/member/sign-in", Form{"token": token}, &Item{})

			lists := participation(t, a, typ, local)
			for _, title := range []string{"活动", "学习"} {
				if rows, there := lists[title]; !there || len(rows) != 0 {
					t.Errorf("%s: %v", title, rows)
				}
			}
			got := lists["会议"]
			if len(got) != 2 || got[0]["id"] != free || got[1]["id"] != both {
				t.Fatalf("took part in %v", got)
			}
			if got[0]["attendance"] != "unneeded" || got[1]["attendance"] != "signedIn" || got[1]["signedInAt"] == "" || got[1]["startAt"] == "" {
				t.Fatalf("%v", got)
			}
			if got := participation(t, a, typ, stranger)["会议"]; len(got) != 1 || got[0]["attendance"] != "absent" || got[0]["signedInAt"] != nil {
				t.Fatalf("the stranger took part in %v", got)
			}
			if got := participation(t, AdminP(t), typ, local)["会议"]; len(got) != 2 {
				t.Fatalf("the superior sees %v", got)
			}
			if got := participation(t, a, typ, idle)["会议"]; len(got) != 0 {
				t.Fatalf("who took part in nothing took part in %v", got)
			}
			offers := func(b *bfftest.Browser) bool {
				for _, r := range b.List(typ, "size=100").Items {
					if r["id"] == local {
						return slices.Contains(r["_actions"].([]any), any("participation"))
					}
				}
				t.Fatal("he is not in the list")
				return false
			}
			if !offers(a) || !offers(AdminP(t)) || offers(b) {
				t.Fatal("offered to the wrong people")
			}
			if got := participation(t, b, typ, local)["会议"]; len(got) != 0 {
				t.Fatalf("the home branch sees %v", got)
			}
		})
	}
}
