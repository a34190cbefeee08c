package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/network/standard"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/bff/edge"
	"zhihuidangjian/conf"
	"zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/meeting"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/job/work"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

// sessions is how many members hold a phone.
const sessions = 2000

// runServer is the product in one process, filled with invented members, and a bare
// Hertz beside it.
func runServer(members, rounds int) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	begin := time.Now()
	cfg, err := conf.Load()
	if err != nil {
		return err
	}
	cfg.Demo = false
	platform, err := suite.Open(cfg, true)
	if err != nil {
		return err
	}
	defer platform.Close()
	services, err := suite.Local(platform)
	if err != nil {
		return err
	}
	defer services.Close()
	if _, err := services.Prepare(ctx); err != nil {
		return err
	}
	platform.Go(func() { _ = work.Run(ctx, platform, services.Clients) })
	e := edge.New(edge.Options{
		Addr: cfg.Addr, PublicURL: cfg.PublicURL, Services: services.Clients, OAuth: platform.WeChat.OAuth,
		Mini: platform.WeChat.Mini, JSSDK: platform.WeChat.JSSDK, Redis: platform.Redis, Clock: platform.Clock,
		SandboxURL: platform.SandboxURL, Ready: platform.Ready,
	})
	go func() { _ = e.Run() }()
	if err := e.WaitListening(ctx); err != nil {
		return err
	}
	p := plan{Base: "http://" + cfg.Addr, ReadyMS: time.Since(begin).Milliseconds()}
	if p.Echo, err = bareEcho(ctx); err != nil {
		return err
	}
	if err := fill(kit.AsSystem(ctx), platform, services, &p, members, rounds); err != nil {
		return err
	}
	if err := raw(ctx, platform, &p); err != nil {
		return err
	}
	line, _ := json.Marshal(p) // strings and numbers
	fmt.Printf("%s\n", line)
	<-ctx.Done()
	shut, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return e.Shutdown(shut)
}

func bareEcho(ctx context.Context) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	h := server.New(server.WithListener(l), server.WithTransport(standard.NewTransporter), server.WithDisablePrintRoute(true))
	h.GET("/echo", func(_ context.Context, c *app.RequestContext) { c.String(200, "ok") })
	go func() { _ = h.Run() }()
	return "http://" + l.Addr().String(), nil
}

// fill stores members of one branch, opens sessions and starts meetings.
func fill(ctx context.Context, p *suite.Platform, s *suite.Services, out *plan, members, rounds int) error {
	now := p.Clock.Now()
	branch := &model.Organization{
		Base: model.Base{ID: "bench", OrgID: "bench", Orgs: []string{"root", "bench"}}, OrgName: "基准支部", OrgType: "branch", ParentID: "root",
	}
	orgs := model.NewCollection[model.Organization](p.DB, "organizations", p.Clock.Now)
	if err := orgs.Insert(ctx, branch); err != nil {
		return err
	}
	all := model.NewCollection[model.Member](p.DB, "members", p.Clock.Now)
	ids := make([]string, members)
	docs := make([]*model.Member, members)
	for i := range docs {
		ids[i] = kit.NewID(now.Add(time.Duration(i) * time.Millisecond))
		id, phone := fmt.Sprintf("%018d", i), fmt.Sprintf("199%08d", i)
		docs[i] = &model.Member{
			Base: model.Base{ID: ids[i], OrgID: "bench", Orgs: branch.Orgs}, Name: fmt.Sprintf("党员%d", i), Gender: "male",
			IDNumber: p.Seal.Seal(id), IDBlind: p.Seal.Blind(id), IDMasked: model.MaskID(id), BirthDate: "1980-01-01",
			Phone: p.Seal.Seal(phone), PhoneBlind: p.Seal.Blind(phone), PhoneMasked: model.MaskPhone(phone),
			MemberType: "fullMember", DuesCategory: "salaried", JoinedOn: "2010-07-01", Status: "active", OpenID: fmt.Sprintf("bench%d", i),
		}
	}
	for len(docs) > 0 {
		n := min(1000, len(docs))
		if failed, err := all.InsertMany(ctx, docs[:n]); err != nil || len(failed) > 0 {
			return fmt.Errorf("members: %v %v", err, failed)
		}
		docs = docs[n:]
	}
	for i := range min(sessions, members) {
		ses, err := s.Account.MemberSession(ctx, &account.MemberSessionReq{OpenId: fmt.Sprintf("bench%d", i), Channel: "mini"})
		if err != nil {
			return err
		}
		if ses.Me.MemberId == "" { // the channel decides which openid is compared
			ses, err = s.Account.MemberSession(ctx, &account.MemberSessionReq{OpenId: fmt.Sprintf("bench%d", i), Channel: "oa"})
			if err != nil {
				return err
			}
		}
		out.Members = append(out.Members, ses.Token)
	}
	meetings := model.NewCollection[model.Meeting](p.DB, "meetings", p.Clock.Now)
	admin := kit.WithCaller(ctx, kit.Caller{Kind: kit.User, UserID: "bench", OrgID: "root", Orgs: []string{"root"}, TopLevel: true, Permissions: []string{"*"}})
	for i := range rounds {
		m := &model.Meeting{
			Base: model.Base{ID: kit.NewID(now), OrgID: "bench", Orgs: branch.Orgs}, Kind: "general", MeetingType: "branch",
			Title: fmt.Sprintf("基准会议%d", i), MeetingForm: model.FormOffline, StartAt: now.Add(-time.Minute), EndAt: now.Add(time.Hour),
			NeedSignIn: true, ParticipantIDs: ids, State: model.MeetingStateStarted,
		}
		if err := meetings.Insert(ctx, m); err != nil {
			return err
		}
		qr, err := s.Meeting.GetQR(admin, &meeting.MeetingReq{Id: m.ID})
		if err != nil {
			return err
		}
		out.Codes = append(out.Codes, qr.Url[strings.Index(qr.Url, "t=")+2:])
	}
	for range connections {
		token, err := adminSession(p, s)
		if err != nil {
			return err
		}
		out.Admins = append(out.Admins, token)
	}
	return nil
}

// adminSession logs the first admin in.
func adminSession(p *suite.Platform, s *suite.Services) (string, error) {
	ctx := kit.WithCaller(context.Background(), kit.Caller{IP: "127.0.0.1"})
	c, err := s.Account.DrawCaptcha(ctx, &records.Empty{})
	if err != nil {
		return "", err
	}
	a, err := s.Account.CaptchaAnswerOf(kit.AsSystem(ctx), &records.IDReq{Id: c.Id})
	if err != nil {
		return "", err
	}
	ok, err := s.Account.SolveCaptcha(ctx, a)
	if err != nil {
		return "", err
	}
	ses, err := s.Account.Login(ctx, &account.LoginReq{UserName: suite.AdminName, Password: p.Config.AdminPassword, CaptchaToken: ok.Token})
	if err != nil {
		return "", err
	}
	return ses.Token, nil
}

// raw measures the driver itself: durable inserts of a document as small as a check-in,
// 64 at once, and pings.
func raw(ctx context.Context, p *suite.Platform, out *plan) error {
	const n = 20_000
	c := p.DB.Collection("bench_raw")
	perSecond, cpu, err := parallel(n, func(i int) error {
		_, err := c.InsertOne(ctx, bson.D{{Key: "_id", Value: kit.KeyID("raw", fmt.Sprint(i))}, {Key: "meetingId", Value: "bench"}, {Key: "at", Value: time.Now()}, {Key: "name", Value: "党员"}})
		return err
	})
	if err != nil {
		return err
	}
	out.RawOpsPS, out.RawCPU = perSecond, cpu
	out.Pings[0], out.Pings[1], err = parallel(n, func(int) error { return p.DB.Client().Ping(ctx, nil) })
	return err
}

// parallel calls f n times over 64 goroutines: calls a second, and µs of CPU each.
func parallel(n int, f func(int) error) (perSecond, cpu float64, err error) {
	var wg sync.WaitGroup
	var once sync.Once
	used, begin := cpuOf(os.Getpid()), time.Now()
	for w := range connections {
		wg.Go(func() {
			for i := w; i < n; i += connections {
				if e := f(i); e != nil {
					once.Do(func() { err = e })
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	return float64(n) / took.Seconds(), float64((cpuOf(os.Getpid()) - used).Microseconds()) / float64(n), err
}
