package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/conf"
	"zhihuidangjian/idl/gen/account"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notifygen "zhihuidangjian/idl/gen/notify"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/notify"
	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/wechat"
)

// roster is a party service of four members: with the official account, with the
// mini-program only, unbound, and without a phone.
type roster struct{ partygen.Party }

var members = []*partygen.Member{
	{Id: "oa", Name: "甲", OpenId: "o-oa", MiniOpenId: "m-oa", Phone: "13800000001"},
	{Id: "mini", Name: "乙", MiniOpenId: "m-mini", Phone: "13800000002"},
	{Id: "unbound", Name: "丙", Phone: "13800000003"},
	{Id: "nophone", Name: "丁", OpenId: "o-nophone"},
}

func (roster) GetMembers(_ context.Context, q *partygen.MembersReq) (*partygen.Members, error) {
	out := &partygen.Members{}
	for _, m := range members {
		if slices.Contains(q.MemberIds, m.Id) {
			masked := *m
			masked.Phone, masked.OrgId, masked.Orgs = model.MaskPhone(m.Phone), "b1", []string{"root", "b1"}
			out.Members = append(out.Members, &masked)
		}
	}
	return out, nil
}

func (r roster) ListMembers(ctx context.Context, q *partygen.OrgReq) (*partygen.Members, error) {
	if q.OrgId != "b1" {
		return nil, fmt.Errorf("asked for %v", q)
	}
	all := &partygen.MembersReq{}
	for _, m := range members {
		all.MemberIds = append(all.MemberIds, m.Id)
	}
	return r.GetMembers(ctx, all)
}

// offices is an account service that knows one admin of the root who may see the bills.
type offices struct{ accountsvc.Client }

func (offices) FindAdmins(_ context.Context, q *account.AdminsReq) (*account.Admins, error) {
	if q.OrgId != model.RootOrg || q.Permission != "duesReconcile.view" {
		return nil, fmt.Errorf("asked for %v", q)
	}
	return &account.Admins{UserIds: []string{"boss"}}, nil
}

func (roster) GetMember(_ context.Context, q *partygen.MemberReq) (*partygen.Member, error) {
	for _, m := range members {
		if m.Id == q.MemberId {
			return m, nil
		}
	}
	return nil, kit.ErrNotFound
}

// outside is WeChat and the SMS provider: it keeps what it took and fails as told.
type outside struct {
	mu         sync.Mutex
	templates  []wechat.TemplateMessage
	subscribes []wechat.SubscribeMessage
	texts      []sms.Message
	fail       []error // of the next calls, in order
	refuse     func(to string) error
	calls      int
}

func (o *outside) next(to string) error {
	o.calls++
	if o.refuse != nil {
		return o.refuse(to)
	}
	if len(o.fail) == 0 {
		return nil
	}
	err := o.fail[0]
	o.fail = o.fail[1:]
	return err
}

func (o *outside) SendTemplate(_ context.Context, m wechat.TemplateMessage) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.next(m.OpenID)
	if err == nil {
		o.templates = append(o.templates, m)
	}
	return err
}

func (o *outside) SendSubscribe(_ context.Context, m wechat.SubscribeMessage) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.next(m.OpenID)
	if err == nil {
		o.subscribes = append(o.subscribes, m)
	}
	return err
}

func (o *outside) Send(_ context.Context, m sms.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.next(m.Phone)
	if err == nil {
		o.texts = append(o.texts, m)
	}
	return err
}

// fixture is a notify service and what it stands on.
type fixture struct {
	*testing.T
	notifysvc.Client
	db    *mongo.Database
	clock *kit.Clock
	out   *outside
	hall  *hall
}

var nine = time.Date(2026, 11, 22, 9, 0, 0, 0, kit.Shanghai)

func (f *fixture) pass(d time.Duration) { f.clock.SetOffset(f.clock.Offset() + d) }

func transports(t *testing.T, test func(*fixture)) {
	for name, codec := range map[string]bool{"in process": false, "codec": true} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, db: modeltest.DB(t), clock: &kit.Clock{}, out: &outside{}, hall: &hall{}}
			f.clock.SetOffset(time.Until(nine))
			local := kit.NewLocal(func(s server.Server) error { return partysvc.RegisterService(s, roster{}) })
			local.Codec = codec
			halls := kit.NewLocal(func(s server.Server) error { return meetingsvc.RegisterService(s, f.hall) })
			halls.Codec = codec
			impl, err := notify.New(notify.Deps{
				DB: f.db, Clock: f.clock, Seal: modeltest.Sealer(t), Party: partysvc.Wrap(local), Account: offices{}, Meeting: meetingsvc.Wrap(halls), Messenger: f.out, SMS: f.out,
				PublicURL: "http://dj.test", Subscribes: conf.Templates{"meetingStarted": "T1"},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(impl.Close)
			own := kit.NewLocal(func(s server.Server) error { return notifysvc.RegisterService(s, impl) })
			own.Codec = codec
			f.Client = notifysvc.Wrap(own)
			test(f)
		})
	}
}

func (f *fixture) system() context.Context { return kit.AsSystem(f.Context()) }

func (f *fixture) member(id string) context.Context {
	return kit.WithCaller(f.Context(), kit.Caller{Kind: kit.Member, MemberID: id, OrgID: "b1", Orgs: []string{"root", "b1"}})
}

func (f *fixture) tell(id string, t model.Told) { f.tellAt(nine, id, t) }

func (f *fixture) tellAt(at time.Time, id string, told model.Told) {
	f.Helper()
	b, _ := json.Marshal(told)
	r, err := f.HandleEvents(f.system(), &recordsgen.Events{Events: []*recordsgen.Event{{Id: id, Kind: model.EventTold, OrgId: "b1", At: at.UnixMilli(), Payload: b}}})
	if err != nil || len(r.Refused) > 0 {
		f.Fatal(r, err)
	}
}

func (f *fixture) meeting(id string, forms []string, to ...string) {
	f.Helper()
	f.tell("started-"+id, invitation(id, "党员大会", forms, to...))
}

// invitation is a message as a meeting sends it.
func invitation(id, title string, forms []string, to ...string) model.Told {
	return model.Told{
		Kind: "meetingStarted", Title: "会议通知", Content: "“" + title + "”将开始", TargetType: "meeting", TargetID: id, Page: "pages/meeting/detail?id=" + id,
		Fields: map[string]string{"title": title, "time": "2026年11月22日 09:00", "place": "二楼"}, MemberIDs: to, Channels: forms, Traced: true,
	}
}

func (f *fixture) deliver() int32 {
	f.Helper()
	d, err := f.Deliver(f.system(), &recordsgen.Empty{})
	if err != nil {
		f.Fatal(err)
	}
	return d.Count
}

// rows are the log rows of a kind, as "receiver channel state reason".
func (f *fixture) rows(filter bson.D) []string {
	f.Helper()
	cur, err := f.db.Collection("notifications").Find(f.Context(), filter)
	if err != nil {
		f.Fatal(err)
	}
	var list []model.Notification
	if err := cur.All(f.Context(), &list); err != nil {
		f.Fatal(err)
	}
	var out []string
	for _, n := range list {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", n.ReceiverID, n.Channel, n.SendState, n.FailReason)))
	}
	slices.Sort(out)
	return out
}

func target(id string) bson.D { return bson.D{{Key: "targetId", Value: id}} }

func (f *fixture) want(filter bson.D, want ...string) {
	f.Helper()
	if got := f.rows(filter); !slices.Equal(got, want) {
		f.Errorf("rows:\n %s\nwant:\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

var busy = &wechat.Error{Kind: wechat.KindRetryable, Code: "-1", Message: "system busy"}

func TestMeeting(t *testing.T) {
	transports(t, func(f *fixture) {
		f.Run("every participant is told once by each form, an unbound one not by WeChat", func(t *testing.T) {
			for range 2 {
				f.meeting("m1", []string{"wechat", "site", "sms"}, "oa", "unbound", "nophone")
			}
			f.deliver()
			f.deliver()
			f.want(target("m1"),
				"nophone site sent", "nophone sms failed 无手机号", "nophone wechat sent",
				"oa site sent", "oa sms sent", "oa wechat sent",
				"unbound site sent", "unbound sms sent", "unbound wechat failed 未绑定微信")
			if len(f.out.templates) != 2 || len(f.out.texts) != 2 || len(f.out.subscribes) != 0 {
				t.Errorf("sent %d templates, %d SMS, %d subscribe messages", len(f.out.templates), len(f.out.texts), len(f.out.subscribes))
			}
			m := f.out.templates[slices.IndexFunc(f.out.templates, func(m wechat.TemplateMessage) bool { return m.OpenID == "o-oa" })]
			if m.URL != "http://dj.test/m/#/pages/meeting/detail?id=m1" || m.Fields["title"] != "党员大会" || m.Fields["time"] != "2026年11月22日 09:00" || m.ClientMsgID == "" {
				t.Errorf("%+v", m)
			}
			if x := f.out.texts[0]; len(x.Phone) != 11 || strings.Contains(x.Phone, "*") {
				t.Errorf("SMS to %s", x.Phone)
			}
		})
		f.Run("what one person gets goes out in the order in which it happened", func(t *testing.T) {
			f.out.templates = nil
			var want []string
			for i := range 20 {
				at := nine.Add(time.Duration(i) * time.Second)
				f.tellAt(at, fmt.Sprint("row", i), invitation(fmt.Sprint("row", i), fmt.Sprint(i), []string{"wechat"}, "oa"))
				want = append(want, fmt.Sprint(i))
			}
			f.deliver()
			var got []string
			for _, m := range f.out.templates {
				got = append(got, m.Fields["title"])
			}
			if !slices.Equal(got, want) {
				t.Errorf("sent %v", got)
			}
		})
	})
}

// TestAudiences: a message is one event, whoever it goes to.
func TestAudiences(t *testing.T) {
	transports(t, func(f *fixture) {
		f.Run("members by name read it on site, bound or not, and by WeChat who can be reached, without a trace of who cannot", func(t *testing.T) {
			for range 2 { // the relay hands on at least once
				f.tell("e1", model.Told{Kind: "decided", Title: "审批结果", TargetID: "t1", MemberIDs: []string{"oa", "unbound"}})
			}
			f.deliver()
			f.want(target("t1"), "oa site sent", "oa wechat sent", "unbound site sent")
		})
		f.Run("MENU-11 of an organisation who is bound", func(t *testing.T) {
			f.tell("e2", model.Told{Kind: "memberShowcase", TargetID: "t2", OrgID: "b1", MemberIDs: []string{"oa"}})
			f.deliver()
			f.want(target("t2"), "mini site sent", "nophone site sent", "nophone wechat sent", "oa site sent", "oa wechat sent")
		})
		f.Run("admins with a permission, users and members of one message, once each, however often they are named", func(t *testing.T) {
			for range 2 {
				f.tell("e3", model.Told{Kind: "electionDue", TargetID: "t3", AdminsOf: model.RootOrg, Permission: "duesReconcile.view",
					UserIDs: []string{"boss", "clerk"}, MemberIDs: []string{"oa", "oa"}, Channels: []string{"site"}})
			}
			f.want(target("t3"), "boss site sent", "clerk site sent", "oa site sent")
		})
		f.Run("what is no message is refused, and its neighbours are told", func(t *testing.T) {
			b, _ := json.Marshal(model.Told{TargetID: "t4", UserIDs: []string{"boss"}})
			r, err := f.HandleEvents(f.system(), &recordsgen.Events{Events: []*recordsgen.Event{
				{Id: "odd", Kind: "dues.paid", Payload: b}, {Id: "broken", Kind: model.EventTold, Payload: []byte("{")}, {Id: "good", Kind: model.EventTold, Payload: b},
			}})
			if err != nil || len(r.Refused) != 2 || r.Refused["odd"] == "" || r.Refused["broken"] == "" {
				t.Errorf("%v %v", r, err)
			}
			f.want(target("t4"), "boss site sent")
		})
	})
}

func TestRetries(t *testing.T) {
	transports(t, func(f *fixture) {
		f.Run("JOB-03 a failing WeChat is tried three times, then the reason is kept; nothing is sent twice", func(t *testing.T) {
			f.out.fail = []error{busy, busy, busy}
			f.meeting("m1", []string{"wechat"}, "oa")
			for i := range 3 {
				f.deliver()
				if f.out.calls != i+1 {
					t.Errorf("%d calls after try %d", f.out.calls, i+1)
				}
				f.deliver() // not due yet
				if f.out.calls != i+1 {
					t.Errorf("tried again at once")
				}
				f.pass(time.Minute)
			}
			f.want(target("m1"), "oa wechat failed wechat: -1 system busy")
			f.pass(time.Hour)
			f.deliver()
			if f.out.calls != 3 {
				t.Errorf("%d calls", f.out.calls)
			}
			f.out.calls = 0
			f.out.fail = []error{busy}
			f.meeting("m2", []string{"wechat"}, "oa")
			f.deliver()
			f.pass(time.Minute)
			f.deliver()
			f.pass(time.Minute)
			f.deliver()
			f.want(target("m2"), "oa wechat sent")
			if f.out.calls != 2 || len(f.out.templates) != 1 {
				t.Errorf("%d calls, %d messages", f.out.calls, len(f.out.templates))
			}
		})
		f.Run("what a retry cannot mend is not tried again", func(t *testing.T) {
			f.out.calls = 0
			f.out.fail = []error{&wechat.Error{Kind: wechat.KindUser, Code: wechat.CodeBadOpenID, Message: "invalid openid"}}
			f.meeting("m3", []string{"wechat"}, "oa")
			f.deliver()
			f.pass(time.Hour)
			f.deliver()
			if f.out.calls != 1 {
				t.Errorf("%d calls", f.out.calls)
			}
		})
		f.Run("an SMS of unknown fate is not sent again", func(t *testing.T) {
			f.out.calls = 0
			f.out.fail = []error{&sms.Error{Kind: sms.KindUnknown, Message: "timeout"}}
			f.meeting("m4", []string{"sms"}, "oa")
			f.deliver()
			f.pass(time.Hour)
			f.deliver()
			f.want(target("m4"), "oa sms failed sms: timeout")
			if f.out.calls != 1 {
				t.Errorf("%d calls", f.out.calls)
			}
		})
		f.Run("two workers at once send nothing twice", func(t *testing.T) {
			f.out.calls, f.out.templates, f.out.texts = 0, nil, nil
			for i := range 20 {
				f.meeting(fmt.Sprint("p", i), []string{"wechat", "sms"}, "oa")
			}
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { f.deliver() })
			}
			wg.Wait()
			if len(f.out.templates) != 20 || len(f.out.texts) != 20 || f.out.calls != 40 {
				t.Errorf("%d templates, %d SMS, %d calls", len(f.out.templates), len(f.out.texts), f.out.calls)
			}
		})
		f.Run("a worker that died: WeChat is asked again under the same id, an SMS is not", func(t *testing.T) {
			f.out.calls, f.out.templates = 0, nil
			f.meeting("dead", []string{"wechat", "sms"}, "oa")
			_, err := f.db.Collection("notifications").UpdateMany(t.Context(), target("dead"), bson.D{{Key: "$set", Value: bson.D{
				{Key: "sendState", Value: model.SendSending}, {Key: "nextAt", Value: time.Now().Add(-time.Second)}, {Key: "retries", Value: 1},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			f.deliver()
			f.want(target("dead"), "oa sms failed 发送中断，结果未知，不再重发", "oa wechat sent")
			if f.out.calls != 1 {
				t.Errorf("%d calls", f.out.calls)
			}
		})
	})
}

func TestConsent(t *testing.T) {
	transports(t, func(f *fixture) {
		consent := func(kind string) error {
			_, err := f.Consent(f.member("mini"), &notifygen.ConsentReq{Kinds: []string{kind}})
			return err
		}
		f.Run("one message a consent", func(t *testing.T) {
			f.meeting("m0", []string{"wechat"}, "mini")
			f.want(target("m0"), "mini wechat failed 没有订阅") // none was given
			if err := errors.Join(consent("meetingStarted"), consent("meetingStarted")); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				f.meeting(fmt.Sprint("m", i+1), []string{"wechat"}, "mini")
				f.deliver()
			}
			f.want(target("m2"), "mini mini sent")
			f.want(target("m3"), "mini wechat failed 没有订阅")
			if len(f.out.subscribes) != 2 || f.out.subscribes[0].OpenID != "m-mini" || f.out.subscribes[0].Page != "pages/meeting/detail?id=m1" {
				t.Errorf("%+v", f.out.subscribes)
			}
		})
		f.Run("43101 ends the quota", func(t *testing.T) {
			_ = errors.Join(consent("meetingStarted"), consent("meetingStarted"))
			f.out.fail = []error{&wechat.Error{Kind: wechat.KindUser, Code: wechat.CodeNoConsent, Message: "user refuse"}}
			f.meeting("x1", []string{"wechat"}, "mini")
			f.deliver()
			f.want(target("x1"), "mini mini failed wechat: 43101 user refuse")
			f.meeting("x2", []string{"wechat"}, "mini")
			f.want(target("x2"), "mini wechat failed 没有订阅")
		})
		f.Run("consent to what is not sent is refused", func(t *testing.T) {
			if err := consent("duesReceipt"); kit.FromError(err).Key != "notify.kind" {
				t.Error(err)
			}
			tpl, err := f.GetTemplates(f.member("mini"), &recordsgen.Empty{})
			if err != nil || len(tpl.Templates) != 1 || tpl.Templates["meetingStarted"] != "T1" {
				t.Errorf("%+v %v", tpl, err)
			}
		})
	})
}

func TestReading(t *testing.T) {
	transports(t, func(f *fixture) {
		receipt := model.Told{Kind: "duesReceipt", TargetID: "o1", MemberIDs: []string{"oa"}, Channels: []string{"site", "wechat", "sms"},
			Fields: map[string]string{"month": "2026-10至2026-11", "amount": "30.50"}}
		f.tell("e1", receipt)
		f.deliver()
		f.want(target("o1"), "oa site sent", "oa sms sent", "oa wechat sent")
		if m := f.out.templates[0]; m.Kind != "duesReceipt" || m.Fields["amount"] != "30.50" || m.Fields["month"] != "2026-10至2026-11" {
			f.Errorf("%+v", m)
		}
		receipt.Channels = []string{"site"}
		f.tell("e2", receipt)
		f.Run("the member reads and marks his notices, and nobody else's", func(t *testing.T) {
			l, err := f.ListMine(f.member("oa"), &recordsgen.Empty{})
			if err != nil || l.Unread != 2 || len(l.Notifications) != 2 {
				t.Fatalf("%+v %v", l, err)
			}
			id := l.Notifications[0].Id
			for _, other := range []context.Context{
				f.member("mini"), kit.WithCaller(f.Context(), kit.Caller{Kind: kit.User, UserID: "oa", OrgID: "root", Permissions: []string{"*"}}),
			} {
				if _, err := f.MarkRead(other, &notifygen.ReadReq{Id: id}); kit.FromError(err).Key != "not_found" {
					t.Errorf("somebody else: %v", err)
				}
			}
			for range 2 {
				if _, err := f.MarkRead(f.member("oa"), &notifygen.ReadReq{Id: id}); err != nil {
					t.Fatal(err)
				}
			}
			if l, err = f.ListMine(f.member("oa"), &recordsgen.Empty{}); err != nil || l.Unread != 1 {
				t.Errorf("%+v %v", l, err)
			}
		})
	})
}

func TestSMS(t *testing.T) {
	transports(t, func(f *fixture) {
		send := func(key, phone string) error {
			_, err := f.SendSMS(f.system(), &notifygen.SMSReq{Phone: phone, Kind: "bindCode", Params: map[string]string{"code": "428613"}, Key: key})
			return err
		}
		f.Run("JOB-04 an SMS leaves one row with masked phone, text, time and result; none without a phone", func(t *testing.T) {
			if err := errors.Join(send("k1", "13800000009"), send("k1", "13800000009")); err != nil {
				t.Fatal(err)
			}
			if len(f.out.texts) != 1 || f.out.texts[0].Params["code"] != "428613" {
				t.Errorf("sent %+v", f.out.texts)
			}
			var n model.Notification
			if err := f.db.Collection("notifications").FindOne(t.Context(), bson.D{{Key: "_id", Value: kit.KeyID("sms", "k1")}}).Decode(&n); err != nil {
				t.Fatal(err)
			}
			if n.PhoneMasked != "138****0009" || n.SendState != model.SendSent || n.SentAt == nil || strings.Contains(n.Content, "428613") || !strings.Contains(n.Content, "验证码") {
				t.Errorf("%+v", n)
			}
			f.meeting("m1", []string{"sms"}, "nophone")
			f.want(target("m1"), "nophone sms failed 无手机号")
		})
		f.Run("a refusal of the provider is told and logged", func(t *testing.T) {
			f.out.fail = []error{&sms.Error{Kind: sms.KindUser, Code: sms.CodeLimit, Message: "limit"}}
			if err := send("k2", "13800000009"); kit.FromError(err).Key != "sms.limit" {
				t.Error(err)
			}
			f.want(bson.D{{Key: "_id", Value: kit.KeyID("sms", "k2")}}, "sms failed sms: isv.BUSINESS_LIMIT_CONTROL limit")
		})
		f.Run("only services send", func(t *testing.T) {
			for _, ctx := range []context.Context{f.Context(), f.member("oa")} {
				if _, err := f.SendSMS(ctx, &notifygen.SMSReq{Phone: "13800000009", Kind: "bindCode"}); kit.FromError(err).Key != "forbidden" {
					t.Error(err)
				}
				if _, err := f.Deliver(ctx, &recordsgen.Empty{}); kit.FromError(err).Key != "forbidden" {
					t.Error(err)
				}
			}
		})
	})
}
