package notify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	meetinggen "zhihuidangjian/idl/gen/meeting"
	notifygen "zhihuidangjian/idl/gen/notify"
	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/trail"
	"zhihuidangjian/rpc/wechat"
)

// hall is a meeting service of meetings that admins of b1 may see.
type hall struct {
	meetinggen.Meeting
	over atomic.Bool
}

func (h *hall) GetLive(ctx context.Context, q *meetinggen.MeetingReq) (*meetinggen.Live, error) {
	if err := kit.Require(ctx, "meeting.view"); err != nil {
		return nil, err
	}
	if q.Id == "none" || !slices.Contains([]string{"root", "b1"}, kit.CallerOf(ctx).OrgID) {
		return nil, kit.ErrNotFound
	}
	if h.over.Load() {
		return &meetinggen.Live{State: model.MeetingStateEnded}, nil
	}
	return &meetinggen.Live{State: model.MeetingStateWaiting}, nil
}

// crowd are fifty members: twenty with the official account, all but the last with a phone.
func crowd() (list []*partygen.Member, ids []string) {
	for i := range 50 {
		m := &partygen.Member{Id: fmt.Sprintf("p%02d", i), Name: fmt.Sprint("人", i), Phone: fmt.Sprintf("139%08d", i)}
		if i < 20 {
			m.OpenId = "o-" + m.Id
		}
		if i == 49 {
			m.Phone = ""
		}
		list, ids = append(list, m), append(ids, m.Id)
	}
	return list, ids
}

// TestDeliveries: who was told of a meeting, and who was not and why (PLUS-47).
func TestDeliveries(t *testing.T) {
	transports(t, func(f *fixture) {
		few := members
		f.Cleanup(func() { members = few })
		people, ids := crowd()
		members = people
		admin := func(org string, permissions ...string) context.Context {
			return kit.WithCaller(f.Context(), kit.Caller{Kind: kit.User, UserID: "u1", Name: "干事", OrgID: org, Permissions: permissions})
		}
		boss := admin("b1", "meeting.view", "meeting.start")
		list := func(ctx context.Context, req notifygen.DeliveriesReq) *notifygen.Deliveries {
			f.Helper()
			req.Id = "m50"
			d, err := f.ListDeliveries(ctx, &req)
			if err != nil {
				f.Fatal(err)
			}
			return d
		}
		counts := func(want ...string) {
			f.Helper()
			var got []string
			for _, c := range list(boss, notifygen.DeliveriesReq{}).Counts {
				got = append(got, fmt.Sprintf("%s %d told, %d waiting, %d not", c.Channel, c.Sent, c.Waiting, c.Failed))
			}
			if !slices.Equal(got, want) {
				f.Errorf("%q, want %q", got, want)
			}
		}
		// The reason of each of those who were not told.
		refused := func() map[string]string {
			f.Helper()
			out := map[string]string{}
			for page := int32(1); ; page++ {
				d := list(boss, notifygen.DeliveriesReq{State: "failed", Page: page, Size: 7})
				for _, x := range d.Items {
					if x.State != "failed" || x.Name == "" || x.At != 0 || strings.Contains(x.Phone, x.Name) {
						f.Errorf("%+v", x)
					}
					out[x.MemberId+" "+x.Channel] = x.Reason
				}
				if len(d.Items) < 7 {
					if int64(len(out)) != d.Total {
						f.Errorf("%d on the pages, %d in all", len(out), d.Total)
					}
					return out
				}
			}
		}
		f.out.refuse = func(to string) error {
			switch to {
			case "o-p03":
				return &wechat.Error{Kind: wechat.KindUser, Code: "43004", Message: "require subscribe"}
			case people[5].Phone:
				return &sms.Error{Kind: sms.KindUser, Code: sms.CodeLimit, Message: "refused by the provider"}
			case people[6].Phone:
				return &sms.Error{Kind: sms.KindRetryable, Message: "the provider is unreachable"}
			}
			return nil
		}

		f.Run("PLUS-47 each person and channel shows told, waiting, or refused with the reason", func(t *testing.T) {
			f.meeting("m50", []string{"wechat", "sms"}, ids...)
			counts("sms 0 told, 49 waiting, 1 not", "wechat 0 told, 20 waiting, 30 not")
			f.deliver()
			counts("sms 47 told, 1 waiting, 2 not", "wechat 19 told, 0 waiting, 31 not")
			for range 2 { // a refusal that a repetition may mend is repeated, but not for ever
				f.pass(time.Minute)
				f.deliver()
			}
			counts("sms 47 told, 0 waiting, 3 not", "wechat 19 told, 0 waiting, 31 not")
			got := refused()
			want := map[string]string{
				"p03 wechat": "未关注公众号", "p05 sms": "该号码收到的短信过多，请稍后再发", "p06 sms": "暂时无法连接对方", "p49 sms": "无手机号",
			}
			for _, m := range people[20:] {
				want[m.Id+" wechat"] = "未绑定微信"
			}
			for who, reason := range want {
				if got[who] != reason {
					t.Errorf("%s: %q, want %q", who, got[who], reason)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d refused: %v", len(got), got)
			}
			told := list(boss, notifygen.DeliveriesReq{State: "sent", Channel: "sms", Size: 100})
			if told.Total != 47 || len(told.Items) != 47 || told.Items[0].At == 0 || told.Items[0].Phone != model.MaskPhone(people[0].Phone) || told.Items[0].Reason != "" {
				t.Errorf("%d, %+v", told.Total, told.Items[0])
			}
		})
		f.Run("PLUS-47 重新发送 goes to those only who were not told, and once", func(t *testing.T) {
			f.out.refuse = nil
			f.out.templates, f.out.texts = nil, nil
			people[30].OpenId = "o-p30" // bound meanwhile
			var sent atomic.Int32
			var all kit.Group
			for range 3 { // impatient, or three admins
				all.Go("resend", func() error {
					d, err := f.Resend(boss, &notifygen.ResendReq{Id: "m50"})
					if err == nil {
						sent.Add(d.Count)
					}
					return err
				})
			}
			if err := all.Wait(); err != nil {
				t.Fatal(err)
			}
			if sent.Load() != 4 {
				t.Errorf("%d queued", sent.Load())
			}
			f.deliver()
			var got []string
			for _, m := range f.out.templates {
				got = append(got, m.OpenID)
				if m.URL != "http://dj.test/m/#/pages/meeting/detail?id=m50" || m.Fields["title"] != "党员大会" {
					t.Errorf("%+v", m)
				}
			}
			for _, m := range f.out.texts {
				got = append(got, m.Phone)
			}
			slices.Sort(got)
			want := []string{people[5].Phone, people[6].Phone, "o-p03", "o-p30"}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("sent to %v, want %v", got, want)
			}
			counts("sms 49 told, 0 waiting, 1 not", "wechat 21 told, 0 waiting, 29 not")
			if d, err := f.Resend(boss, &notifygen.ResendReq{Id: "m50"}); err != nil || d.Count != 0 {
				t.Errorf("nobody is left: %+v %v", d, err)
			}
			n, err := f.db.Collection(model.AuditInbox).CountDocuments(t.Context(), bson.D{{Key: "fact.title", Value: "重新发送会议通知"}, {Key: "fact.userid", Value: "u1"}, {Key: "fact.recordid", Value: "m50"}})
			if err != nil || n != 4 {
				var one trail.Noted
				_ = f.db.Collection(model.AuditInbox).FindOne(t.Context(), bson.D{}).Decode(&one)
				t.Errorf("%d entries of the audit, %v: %+v", n, err, one)
			}
		})
		f.Run("PLUS-47 others see and send nothing, nor does anybody of a meeting that is over", func(t *testing.T) {
			f.out.templates, f.out.texts = nil, nil
			for _, x := range []struct {
				ctx       context.Context
				id        string
				see, send string
			}{
				{f.Context(), "m50", "unauthenticated", "unauthenticated"},
				{f.member("p00"), "m50", "forbidden", "forbidden"},
				{admin("b1", "member.view"), "m50", "forbidden", "forbidden"},
				{admin("b1", "meeting.view"), "m50", "", "forbidden"},
				{admin("b2", "meeting.view", "meeting.start"), "m50", "not_found", "not_found"},
				{boss, "none", "not_found", "not_found"},
			} {
				_, err := f.ListDeliveries(x.ctx, &notifygen.DeliveriesReq{Id: x.id})
				if key := keyOf(err); key != x.see {
					t.Errorf("see: %q, want %q", key, x.see)
				}
				_, err = f.Resend(x.ctx, &notifygen.ResendReq{Id: x.id})
				if key := keyOf(err); key != x.send {
					t.Errorf("send: %q, want %q", key, x.send)
				}
			}
			people[31].OpenId = "o-p31"
			f.hall.over.Store(true)
			if _, err := f.Resend(boss, &notifygen.ResendReq{Id: "m50"}); keyOf(err) != "notify.over" {
				t.Error(err)
			}
			f.deliver()
			if len(f.out.templates)+len(f.out.texts) != 0 {
				t.Errorf("sent %+v %+v", f.out.templates, f.out.texts)
			}
		})
	})
}

func keyOf(err error) string {
	if err == nil {
		return ""
	}
	return kit.FromError(err).Key
}
