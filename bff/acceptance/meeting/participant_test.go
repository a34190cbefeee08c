package acceptance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/bff/bfftest"
)

// meetingForm is a meeting that begins soon, or runs.
func meetingForm(title string, change form) form {
	return form{
		"title": title, "meetingType": "branch", "meetingForm": "onlineMeeting", "needSignIn": true, "noticeForm": []string{"site"},
		"startAt": time.Now().Add(-time.Minute).Format(time.RFC3339), "endAt": time.Now().Add(time.Hour).Format(time.RFC3339),
	}.with(change)
}

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
	a, b := adminA(t), adminB(t)
	stranger := func() (form, bfftest.Person) {
		p := bfftest.Invent(int(world.people.Add(1)))
		return form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": day(-10), "endOn": day(0)}, p
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
	began := func(t *testing.T, f form) string {
		t.Helper()
		m := add(t, a, "meeting", f)["id"].(string)
		a.Post("/api/console/meetings/"+m+"/start", nil, &item{})
		return m
	}
	t.Run(id+"-06 until the last day he is offered under his home organisation's name, afterwards refused; what he joined keeps him", func(t *testing.T) {
		a.T, b.T = t, t
		f, _ := stranger()
		g := add(t, a, typ, f)["id"].(string)
		over, _ := stranger()
		ended := add(t, a, typ, over.with(form{"endOn": day(-1)}))["id"].(string)
		home := newMember(t, orgB(t))
		local := add(t, a, typ, form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": "x", "startOn": day(-1), "endOn": day(1)})["id"].(string)
		list := offered(a)
		if _, there := list[ended]; list[g] != "外省某支部" || list[local] != name("乙支部") || there {
			t.Fatalf("offered %v", list)
		}
		if _, there := offered(b)[local]; there {
			t.Fatal("the home branch is offered its own member as a guest")
		}
		refused(t, a.Do("GET", "/api/console/participants?orgId="+orgB(t), nil), http.StatusNotFound, "", nothingThere)
		refused(t, a.Do("POST", path("meeting"), meetingForm("会", form{"participantIds": []string{ended}})), http.StatusBadRequest, "participantIds", "不存在")
		refused(t, b.Do("POST", path("meeting"), meetingForm("会", form{"participantIds": []string{local}})), http.StatusBadRequest, "participantIds", "不在管理范围内")
		refused(t, a.Do("POST", path("meeting"), meetingForm("会", form{"participantIds": []string{home.ID}})), http.StatusBadRequest, "participantIds", "不在管理范围内")
		m := began(t, meetingForm("兼职参加", form{"participantIds": []string{g, local}}))
		whole := add(t, a, "meeting", meetingForm("全体", form{"participantOrgId": orgA(t)}))
		if all := whole["participantIds"].([]any); !slices.Contains(all, any(g)) || !slices.Contains(all, any(home.ID)) || slices.Contains(all, any(ended)) {
			t.Fatalf("the whole organisation: %v", all)
		}
		put(t, a, typ, g, form{"startOn": day(-20), "endOn": day(-1)}).Into(t, &item{})
		if _, there := offered(a)[g]; there {
			t.Fatal("still offered")
		}
		refused(t, a.Do("POST", path("meeting"), meetingForm("会", form{"participantIds": []string{g}})), http.StatusBadRequest, "participantIds", "不存在")
		var s attendance
		a.Get("/api/console/meetings/"+m+"/statistics", &s)
		if got := []string{s.Participants[0].OrgName, s.Participants[1].OrgName}; !slices.Contains(got, "外省某支部") || !slices.Contains(got, name("乙支部")) {
			t.Fatalf("%+v", s)
		}
	})
	t.Run(id+"-07 after the last day he is ended and his pages close; a longer period makes him a guest again", func(t *testing.T) {
		a.T = t
		f, who := stranger()
		g := add(t, a, typ, f)["id"].(string)
		phone := phoneOf(t, who)
		set := func(t *testing.T, from, to, want string) {
			t.Helper()
			var r item
			put(t, a, typ, g, form{"startOn": from, "endOn": to}).Into(t, &r)
			if r["state"] != want {
				t.Fatalf("state %v, want %v", r["state"], want)
			}
		}
		set(t, day(-20), day(-1), "ended")
		eventually(t, "his pages close", func() bool { return phone.Do("GET", "/api/member/meetings", nil).Status == http.StatusForbidden })
		set(t, day(-20), day(0), "active")
		again := product.Browser(t, 0)
		again.OpenPhone(again.WeChatUser("又来", who.Phone))
		if _, there := offered(a)[g]; !there {
			t.Fatal("not offered again")
		}
	})
	t.Run(id+"-13 the guest's phone lists what names him, beside what his home branch holds; he signs in, and afterwards only that remains", func(t *testing.T) {
		a.T, b.T = t, t
		f, who := stranger()
		g := add(t, a, typ, f)["id"].(string)
		phone := phoneOf(t, who)
		home := newMember(t, orgB(t))
		local := add(t, a, typ, form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": "x", "startOn": day(-1), "endOn": day(1)})["id"].(string)
		homePhone := phoneOf(t, home)
		homes := add(t, b, "meeting", meetingForm("家里的会", form{"participantIds": []string{home.ID}}))["id"].(string)
		b.Post("/api/console/meetings/"+homes+"/start", nil, &item{})
		m := began(t, meetingForm("都参加", form{"participantIds": []string{g, local}}))
		other := began(t, meetingForm("不参加", form{"participantIds": []string{newMember(t, orgA(t)).ID}}))
		later := began(t, meetingForm("将来的", form{"participantIds": []string{local}, "startAt": time.Now().Add(time.Hour).Format(time.RFC3339), "endAt": time.Now().Add(2 * time.Hour).Format(time.RFC3339)}))
		if got := meets(phone); got[m] != name("甲支部") || len(got) != 1 {
			t.Fatalf("the guest sees %v", got)
		}
		if got := meets(homePhone); got[m] != name("甲支部") || got[homes] != name("乙支部") || got[later] == "" || got[other] != "" {
			t.Fatalf("the member sees %v", got)
		}
		for _, p := range []*bfftest.Browser{phone, homePhone} {
			var qr struct{ URL string }
			a.Get("/api/console/meetings/"+m+"/qr", &qr)
			_, token, _ := strings.Cut(qr.URL, "?t=")
			p.Post("/api/member/sign-in", form{"token": token}, &item{})
		}
		var s attendance
		a.Get("/api/console/meetings/"+m+"/statistics", &s)
		for _, x := range s.Participants {
			if x.SignedInAt == 0 {
				t.Errorf("%s did not sign in", x.Name)
			}
		}
		put(t, a, typ, local, form{"startOn": day(-20), "endOn": day(-1)}).Into(t, &item{})
		var one item
		eventually(t, "what is to come is gone", func() bool { return meets(homePhone)[later] == "" })
		refused(t, homePhone.Do("GET", "/api/member/meetings/"+later, nil), http.StatusNotFound, "", "")
		homePhone.Get("/api/member/meetings/"+homes, &one)
	})
}

// participation are the rows of the lists that 参加情况 opens, by their titles.
func participation(t *testing.T, b *bfftest.Browser, typ, id string) map[string][]item {
	t.Helper()
	var schema struct {
		Actions []struct {
			Key     string
			Related []struct{ Type, Field, Title string }
		}
	}
	b.Get(path(typ)+"/schema", &schema)
	out := map[string][]item{}
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
			a, b := adminA(t), adminB(t)
			home := newMember(t, orgB(t))
			guest := func() string {
				p := bfftest.Invent(int(world.people.Add(1)))
				return idOf(add(t, a, typ, form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "homeOrgName": "外省某支部", "startOn": day(-10), "endOn": day(0)}))
			}
			local := idOf(add(t, a, typ, form{"name": home.Name, "idNumber": home.IDNumber, "phone": home.Phone, "homeOrgName": "x", "startOn": day(-10), "endOn": day(1)}))
			stranger, idle := guest(), guest()
			hold := func(by *bfftest.Browser, f form) string {
				m := idOf(add(t, by, "meeting", meetingForm(name("参加情况"), f)))
				by.Post("/api/console/meetings/"+m+"/start", nil, &item{})
				return m
			}
			both := hold(a, form{"participantIds": []string{local, stranger}})
			free := hold(a, form{"participantIds": []string{local}, "needSignIn": false})
			add(t, a, "meeting", meetingForm("还没启动", form{"participantIds": []string{local, stranger}}))
			hold(b, form{"participantIds": []string{home.ID}}) // of his own branch
			var qr struct{ URL string }
			a.Get("/api/console/meetings/"+both+"/qr", &qr)
			_, token, _ := strings.Cut(qr.URL, "?t=")
			phoneOf(t, home).Post("/api/member/sign-in", form{"token": token}, &item{})

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
			if got := participation(t, adminP(t), typ, local)["会议"]; len(got) != 2 {
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
			if !offers(a) || !offers(adminP(t)) || offers(b) {
				t.Fatal("offered to the wrong people")
			}
			if got := participation(t, b, typ, local)["会议"]; len(got) != 0 {
				t.Fatalf("the home branch sees %v", got)
			}
		})
	}
}

// TestGuestsAfterTransfer: whichever of a guest's two organisations moves, both see him.
func TestGuestsAfterTransfer(t *testing.T) {
	top := idOf(add(t, root(t), "organization", orgForm(name("客党委"), "committee", orgP(t))))
	from := idOf(add(t, root(t), "organization", orgForm(name("客总支一"), "generalBranch", top)))
	to := idOf(add(t, root(t), "organization", orgForm(name("客总支二"), "generalBranch", top)))
	at := idOf(add(t, root(t), "organization", orgForm(name("客支部"), "branch", from)))
	home := idOf(add(t, root(t), "organization", orgForm(name("家支部"), "branch", from)))
	tops, host, homes := adminOf(t, top, "guestTop"), adminOf(t, at, "guestHost"), adminOf(t, home, "guestHome")
	old, next := adminOf(t, from, "guestOld"), adminOf(t, to, "guestNext")
	who := newMember(t, home)
	g := idOf(add(t, host, "partTimeMember", form{"name": who.Name, "idNumber": who.IDNumber, "phone": who.Phone, "homeOrgName": "x", "startOn": day(-1), "endOn": day(1)}))
	sees := func(b *bfftest.Browser) bool { return slices.Contains(ids(b.List("partTimeMember", "size=100")), g) }
	t.Run("PART-04 OTRF-03 the home branch moves: nothing changes for the guest's record", func(t *testing.T) {
		move(t, tops, home, to)
		eventually(t, "the home branch's own records have followed", func() bool { return slices.Contains(ids(next.List("member", "size=100")), who.ID) })
		if !sees(host) || !sees(homes) || !sees(old) || sees(next) {
			t.Fatalf("host %v, home %v, above the host %v, above the home %v", sees(host), sees(homes), sees(old), sees(next))
		}
	})
	t.Run("PART-04 OTRF-03 the organisation that added him moves: he moves with it", func(t *testing.T) {
		move(t, tops, at, to)
		eventually(t, "the new superior sees him", func() bool { return sees(next) })
		if !sees(host) || !sees(homes) || sees(old) {
			t.Fatalf("host %v, home %v, former superior %v", sees(host), sees(homes), sees(old))
		}
	})
}
