package edge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/wechat"
)

// TestDeliveries: a meeting with a long name, told by two channels to people of whom some
// cannot be reached, through the simulators of WeChat and Aliyun (PLUS-47).
func TestDeliveries(t *testing.T) {
	w := newWorld(t)
	boss := w.admin(t, "boss", "own", "meeting.view", "meeting.create", "meeting.start")
	w.bound(t, "丙三", "own")
	unbound := w.invent("丁四")
	unbound.id = w.create(t, w.top, "member", memberForm(unbound, w.org["own"]))
	begin := w.platform.Clock.Now().Add(time.Hour)
	title, place := strings.Repeat("题", 60), strings.Repeat("楼", 80)
	id := w.create(t, boss, "meeting", map[string]any{
		"title": title, "meetingType": "branch", "meetingForm": "offline", "place": place, "agenda": "议题", "needSignIn": true,
		"startAt": begin.Format(time.RFC3339), "endAt": begin.Add(time.Hour).Format(time.RFC3339), "noticeForm": []string{"wechat", "sms"}, "participantIds": []string{w.m1.id, unbound.id},
	})
	path := "/api/console/meetings/" + id
	expect(t, "before the start", w.do(boss, "GET", path+"/deliveries", nil), 409, "meeting.notStarted")
	w.do(boss, "POST", "/api/console/records/meeting/"+id+"/actions/start", nil).into(t, &struct{}{})
	var doc model.Meeting
	if err := w.platform.DB.Collection("meetings").FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	told := slices.IndexFunc(doc.Pending, func(e model.Event) bool { return e.Kind == model.EventTold })
	if told < 0 {
		t.Fatalf("the start tells nobody: %+v", doc.Pending)
	}
	e := doc.Pending[told]
	if _, err := w.services.Notify.HandleEvents(kit.AsSystem(t.Context()), &records.Events{Events: []*records.Event{{
		Id: e.ID, Kind: e.Kind, OrgId: e.OrgID, At: e.At.UnixMilli(), Payload: e.Payload,
	}}}); err != nil {
		t.Fatal(err)
	}
	deliver := func() {
		t.Helper()
		if _, err := w.services.Notify.Deliver(kit.AsSystem(t.Context()), &records.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	// What is shown, as "name channel state reason".
	shown := func() map[string]string {
		t.Helper()
		var d struct {
			Items []struct{ Name, Channel, State, Reason string }
			Total int
		}
		w.do(boss, "GET", path+"/deliveries?size=100", nil).into(t, &d)
		out := map[string]string{}
		for _, x := range d.Items {
			out[x.Name+" "+x.Channel] = strings.TrimSpace(x.State + " " + x.Reason)
		}
		return out
	}
	want := func(t *testing.T, rows map[string]string) {
		t.Helper()
		if got := shown(); fmt.Sprint(got) != fmt.Sprint(rows) {
			t.Errorf("%v, want %v", got, rows)
		}
	}
	t.Run("PLUS-47 送达 shows who was told by which channel, and who was not and why", func(t *testing.T) {
		want(t, map[string]string{"甲一 sms": "waiting", "甲一 wechat": "waiting", "丁四 sms": "waiting", "丁四 wechat": "failed 未绑定微信"})
		w.sandboxed(t, "POST", "faults", map[string]any{"target": "sms", "errcode": "isv.BUSINESS_LIMIT_CONTROL", "times": 2})
		deliver()
		want(t, map[string]string{
			"甲一 sms": "failed 该号码收到的短信过多，请稍后再发", "甲一 wechat": "sent", "丁四 sms": "failed 该号码收到的短信过多，请稍后再发", "丁四 wechat": "failed 未绑定微信",
		})
	})
	t.Run("PLUS-47 重新发送 reaches those only, and long values are cut to what the other side takes", func(t *testing.T) {
		ph := w.newPhone(t)
		if r := w.bind(t, ph, unbound); r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
		var done struct{ Count int }
		w.do(boss, "POST", path+"/resend", nil).into(t, &done)
		if done.Count != 3 {
			t.Errorf("%d queued", done.Count)
		}
		deliver()
		want(t, map[string]string{"甲一 sms": "sent", "甲一 wechat": "sent", "丁四 sms": "sent", "丁四 wechat": "sent"})
		for _, who := range []string{w.m1.user, ph.user} {
			var inbox struct {
				Messages []struct{ Fields map[string]string }
			}
			w.sandboxed(t, "GET", "messages?userId="+who, nil).into(t, &inbox)
			if len(inbox.Messages) != 1 {
				t.Fatalf("%d messages", len(inbox.Messages))
			}
			for name, value := range inbox.Messages[0].Fields {
				if utf8.RuneCountInString(value) > wechat.FieldLimit(name, value) {
					t.Errorf("%s: %s", name, value)
				}
			}
		}
		for _, number := range []string{w.m1.person.phone, unbound.phone} {
			var sent struct {
				Messages []struct{ Params map[string]string }
			}
			w.sandboxed(t, "GET", "sms?phone="+number, nil).into(t, &sent)
			p := sent.Messages[0].Params
			if p["title"] != sms.Fit(title) || p["place"] != sms.Fit(place) || utf8.RuneCountInString(p["title"]) != sms.ParamMost {
				t.Errorf("%+v", p)
			}
		}
		w.do(boss, "POST", path+"/resend", nil).into(t, &done)
		if done.Count != 0 {
			t.Errorf("%d queued though all were told", done.Count)
		}
	})
	t.Run("PLUS-47 what is asked for wrongly is refused", func(t *testing.T) {
		for _, query := range []string{"state=none", "channel=fax", "size=1000", "page=-1"} {
			if r := w.do(boss, "GET", path+"/deliveries?"+query, nil); r.status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", query, r.status, r.body)
			}
		}
	})
}
