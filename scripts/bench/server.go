package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/bff/edge"
	"zhihuidangjian/conf"
	"zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/meeting"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/job/outbox"
	"zhihuidangjian/job/work"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

const adminPassword = "Dangjian#2026"

// product is the product in one process, filled with invented members, and a bare Hertz
// beside it.
type product struct {
	p       *suite.Platform
	s       *suite.Services
	members []string // ids

	mu    sync.Mutex
	rest  func() // stops the workers; nil while they rest
	drawn int    // meetings
	file  *os.File
}

func runServer(o flags) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	cfg, err := conf.Load()
	if err != nil {
		return err
	}
	cfg.Demo = false
	x := &product{}
	if x.p, err = suite.Open(cfg, true); err != nil {
		return err
	}
	defer x.p.Close()
	if x.s, err = suite.Local(x.p); err != nil {
		return err
	}
	defer x.s.Close()
	if _, err := x.s.Prepare(ctx); err != nil {
		return err
	}
	on, err := edge.Upon(x.p, x.s.Clients)
	if err != nil {
		return err
	}
	e := edge.New(on)
	go func() { _ = e.Run() }()
	if err := e.WaitListening(ctx); err != nil {
		return err
	}
	p := plan{Base: "http://" + cfg.Addr, Control: "http://127.0.0.1:" + port()}
	x.listen(strings.TrimPrefix(p.Control, "http://"))
	if err := x.fill(kit.AsSystem(ctx), &p, o.members); err != nil {
		return err
	}
	if !awaitReady(strings.TrimPrefix(p.Control, "http://"), 5*time.Second) {
		return fmt.Errorf("%s does not answer", p.Control)
	}
	x.work()
	defer x.relax()
	line, _ := json.Marshal(p) // strings
	fmt.Printf("%s\n", line)
	<-ctx.Done()
	shut, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return e.Shutdown(shut)
}

// port is a free port of this machine.
func port() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // loopback
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// work starts the workers as the product does; relax stops them.
func (x *product) work() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.rest != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = work.Run(ctx, x.p, x.s.Clients)
	}()
	x.rest = func() { cancel(); <-done }
}

func (x *product) relax() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.rest != nil {
		x.rest()
		x.rest = nil
	}
}

// listen serves the echo, and what the load asks of this process.
func (x *product) listen(addr string) {
	h := server.New(server.WithHostPorts(addr), server.WithDisablePrintRoute(true))
	h.GET("/echo", func(_ context.Context, c *app.RequestContext) { c.String(200, "ok") })
	h.GET("/readyz", func(_ context.Context, c *app.RequestContext) { c.String(200, "ok") })
	h.GET("/usage", func(_ context.Context, c *app.RequestContext) {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails only for a bad pointer
		c.String(200, fmt.Sprint((u.Utime.Nano()+u.Stime.Nano())/1000))
	})
	try := func(path string, f func(context.Context, *app.RequestContext) (string, error)) {
		h.GET(path, func(ctx context.Context, c *app.RequestContext) {
			if text, err := f(ctx, c); err != nil {
				c.String(500, err.Error())
			} else {
				c.String(200, text)
			}
		})
	}
	try("/relay", func(_ context.Context, c *app.RequestContext) (string, error) {
		if c.Query("on") == "true" {
			x.work()
		} else {
			x.relax()
		}
		return "", nil
	})
	try("/drain", func(ctx context.Context, _ *app.RequestContext) (string, error) { return "", x.drain(ctx) })
	try("/meeting", func(ctx context.Context, _ *app.RequestContext) (string, error) { return x.meet(kit.AsSystem(ctx)) })
	try("/exam", func(ctx context.Context, _ *app.RequestContext) (string, error) { return x.examine(kit.AsSystem(ctx)) })
	raw := x.p.DB.Collection("bench")
	try("/driver/insert", func(ctx context.Context, _ *app.RequestContext) (string, error) {
		_, err := raw.InsertOne(ctx, bson.D{{Key: "_id", Value: kit.NewID(time.Now())}, {Key: "text", Value: strings.Repeat("党", 100)}})
		return "", err
	})
	members := x.p.DB.Collection("members")
	try("/driver/find", func(ctx context.Context, _ *app.RequestContext) (string, error) {
		_, err := members.FindOne(ctx, bson.D{{Key: "_id", Value: x.members[0]}}).Raw()
		return "", err
	})
	try("/driver/page", func(ctx context.Context, _ *app.RequestContext) (string, error) {
		cur, err := members.Find(ctx, bson.D{{Key: "orgs", Value: branch}}, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(20))
		if err != nil {
			return "", err
		}
		var page []bson.Raw
		err = cur.All(ctx, &page)
		return "", err
	})
	try("/profile", func(_ context.Context, c *app.RequestContext) (string, error) { return "", x.profile(c.Query("file")) })
	go func() { _ = h.Run() }()
}

// drain returns when no document carries an event any more.
func (x *product) drain(ctx context.Context) error {
	for _, name := range outbox.Collections {
		for {
			n, err := x.p.DB.Collection(name).CountDocuments(ctx,
				bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}}, options.Count().SetLimit(1))
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return nil
}

// profile begins a CPU profile, or ends it.
func (x *product) profile(path string) (err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if path == "" {
		pprof.StopCPUProfile()
		return x.file.Close()
	}
	if x.file, err = os.Create(path); err != nil {
		return err
	}
	return pprof.StartCPUProfile(x.file)
}

const branch = "bench"

// phones is how many members have a session at most.
const phones = 10_000

var memberTypes = []string{"fullMember", "fullMember", "probationaryMember", "fullMember"}

var path = []string{"root", branch}

// fill stores members of one branch and opens sessions.
func (x *product) fill(ctx context.Context, out *plan, members int) error {
	now := x.p.Clock.Now()
	orgs := model.NewCollection[*model.Organization](x.p.DB, "organizations", x.p.Clock.Now)
	err := orgs.Insert(ctx, &model.Organization{
		Base: model.Base{ID: branch, OrgID: branch, Orgs: path}, OrgName: "基准支部", OrgType: "branch", ParentID: "root",
	})
	if err != nil {
		return err
	}
	docs := make([]*model.Member, members)
	for i := range docs {
		x.members = append(x.members, kit.NewID(now.Add(time.Duration(i)*time.Millisecond)))
		id, phone := fmt.Sprintf("%018d", i), fmt.Sprintf("199%08d", i)
		docs[i] = &model.Member{
			Base: model.Base{ID: x.members[i], OrgID: branch, Orgs: path}, Name: fmt.Sprintf("党员%d", i), Gender: "male",
			IDNumber: id, BirthDate: "1980-01-01",
			Phone:      phone,
			MemberType: memberTypes[i%len(memberTypes)], DuesCategory: "salaried", JoinedOn: "2010-07-01", Status: "active", MiniOpenID: openID(i),
		}
		x.p.Seal.Close(docs[i])
	}
	all := model.NewCollection[*model.Member](x.p.DB, "members", x.p.Clock.Now)
	for len(docs) > 0 {
		n := min(1000, len(docs))
		if failed, err := all.InsertMany(ctx, docs[:n]); err != nil || len(failed) > 0 {
			return errors.Join(fmt.Errorf("members: %v", failed), err)
		}
		docs = docs[n:]
	}
	for i := range min(members, phones) {
		ses, err := x.s.Account.MemberSession(ctx, &account.MemberSessionReq{OpenId: openID(i), Channel: "mini"})
		if err != nil {
			return err
		}
		out.Members = append(out.Members, ses.Token)
	}
	for range 2 * connections {
		token, err := x.adminSession()
		if err != nil {
			return err
		}
		out.Admins = append(out.Admins, token)
	}
	return nil
}

func openID(i int) string { return fmt.Sprintf("bench%d", i) }

// meet starts a meeting of everybody and answers its check-in code.
func (x *product) meet(ctx context.Context) (string, error) {
	x.mu.Lock()
	x.drawn++
	title := fmt.Sprintf("基准会议%d", x.drawn)
	x.mu.Unlock()
	now := x.p.Clock.Now()
	m := &model.Meeting{
		Base: model.Base{ID: kit.NewID(now), OrgID: branch, Orgs: path}, Kind: "general", MeetingType: "branch",
		Title: title, MeetingForm: model.FormOffline, StartAt: now.Add(-time.Minute), EndAt: now.Add(time.Hour),
		NeedSignIn: true, ParticipantIDs: x.members, State: model.MeetingStateStarted,
	}
	if err := model.NewCollection[*model.Meeting](x.p.DB, "meetings", x.p.Clock.Now).Insert(ctx, m); err != nil {
		return "", err
	}
	admin := kit.WithCaller(ctx, kit.Caller{Kind: kit.User, UserID: "bench", OrgID: "root", Orgs: path[:1], TopLevel: true, Permissions: []string{"*"}})
	qr, err := x.s.Meeting.GetQR(admin, &meeting.MeetingReq{Id: m.ID})
	if err != nil {
		return "", err
	}
	_, code, _ := strings.Cut(qr.Url, "t=")
	return code, nil
}

// examine enables an exam of ten questions for everybody and answers its id and those of its questions.
func (x *product) examine(ctx context.Context) (string, error) {
	now := x.p.Clock.Now()
	until := now.Add(6 * time.Hour)
	e := &model.Exam{
		Base: model.Base{ID: kit.NewID(now), OrgID: branch, Orgs: path}, Title: "基准考核", QuestionCount: "10", ReceiverIDs: x.members,
		DeadlineAt: until, PassScore: 60, State: model.ExamEnabled, EnabledAt: &now, NextCloseAt: &until,
	}
	questions := model.NewCollection[*model.Question](x.p.DB, "questions", x.p.Clock.Now)
	for i := range 10 {
		q := &model.Question{Base: model.Base{ID: fmt.Sprint(e.ID, "q", i), OrgID: branch, Orgs: path}, QuestionType: model.QuestionJudge, Stem: "题", Answers: []string{model.JudgeRight}}
		if err := questions.Insert(ctx, q); err != nil {
			return "", err
		}
		e.QuestionIDs = append(e.QuestionIDs, q.ID)
	}
	if err := model.NewCollection[*model.Exam](x.p.DB, "exams", x.p.Clock.Now).Insert(ctx, e); err != nil {
		return "", err
	}
	return e.ID + "," + strings.Join(e.QuestionIDs, ","), nil
}

// adminSession logs the first admin in.
func (x *product) adminSession() (string, error) {
	ctx := kit.WithCaller(context.Background(), kit.Caller{IP: "127.0.0.1"})
	c, err := x.s.Account.DrawCaptcha(ctx, &records.Empty{})
	if err != nil {
		return "", err
	}
	a, err := x.s.Account.CaptchaAnswerOf(kit.AsSystem(ctx), &records.IDReq{Id: c.Id})
	if err != nil {
		return "", err
	}
	ok, err := x.s.Account.SolveCaptcha(ctx, a)
	if err != nil {
		return "", err
	}
	ses, err := x.s.Account.Login(ctx, &account.LoginReq{UserName: suite.AdminName, Password: adminPassword, CaptchaToken: ok.Token})
	if err != nil {
		return "", err
	}
	return ses.Token, nil
}
