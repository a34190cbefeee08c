// Package journey drives the product's two journeys as a newcomer does, through HTTP only:
// against a product of its own in this process, or, when BASE_URL is set, against one
// that runs elsewhere (scripts/cluster.sh: every part in a process of its own).
package journey

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"zhihuidangjian/bff/edge"
	"zhihuidangjian/conf"
	"zhihuidangjian/job/work"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/suite"
)

var under *product

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	stop, err := start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// start finds the product that BASE_URL names, or makes one.
func start() (func(), error) {
	if base := os.Getenv("BASE_URL"); base != "" {
		under = &product{bases: []string{base}}
		if second := os.Getenv("BASE_URL_2"); second != "" {
			under.bases = append(under.bases, second)
		}
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "journey")
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cfg := conf.Default()
	cfg.Addr, cfg.Data, cfg.AdminPassword = l.Addr().String(), dir, adminPassword()
	cfg.PublicURL = "http://" + cfg.Addr
	_ = l.Close() // the edge listens on it next
	p, err := suite.Open(cfg, true)
	if err != nil {
		return nil, err
	}
	s, err := suite.Local(p)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := s.Prepare(ctx); err != nil {
		cancel()
		return nil, err
	}
	p.Go(func() { _ = work.Run(ctx, p, s.Clients) })
	e := edge.New(edge.Options{
		Addr: cfg.Addr, PublicURL: cfg.PublicURL, Services: s.Clients, OAuth: p.WeChat.OAuth, Mini: p.WeChat.Mini,
		JSSDK: p.WeChat.JSSDK, Redis: p.Redis, Clock: p.Clock, SandboxURL: p.SandboxURL, Ready: p.Ready,
	})
	go func() { _ = e.Run() }()
	if err := e.WaitListening(ctx); err != nil {
		cancel()
		return nil, err
	}
	under = &product{bases: []string{cfg.PublicURL}}
	return func() {
		shut, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		_ = e.Shutdown(shut)
		cancel()
		s.Close()
		_ = p.Close()
		_ = os.RemoveAll(dir)
	}, nil
}

// seed keeps runs against one product apart.
var seed = rand.IntN(8000) + 1000

// person is an invented member: a region no real person has, a right check character.
type person struct{ id, name, idNumber, phone string }

func invent(i int) person {
	digits := fmt.Sprintf("99020119%02d0101%03d", 60+i%40, (seed+i)%1000)
	return person{
		name: fmt.Sprintf("试员%d号%d", seed, i), idNumber: digits + string(model.IDCheck(digits)),
		phone: fmt.Sprintf("1980%04d%03d", seed, i),
	}
}

// workbook fills a downloaded template, by the titles of its columns.
func workbook(t *testing.T, template []byte, rows []map[string]string) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(template))
	if err != nil {
		t.Fatalf("template: %v", err)
	}
	defer f.Close()
	const sheet = "导入模板"
	head, err := f.GetRows(sheet)
	if err != nil || len(head) == 0 {
		t.Fatalf("template: %v %v", err, head)
	}
	for r, row := range rows {
		used := 0
		for c, title := range head[0] {
			value, ok := row[strings.TrimSpace(strings.Trim(title, "*"))]
			if !ok {
				continue
			}
			used++
			cell, _ := excelize.CoordinatesToCellName(c+1, r+2)
			if formula, ok := strings.CutPrefix(value, "FORMULA:"); ok {
				err = f.SetCellFormula(sheet, cell, formula)
			} else {
				err = f.SetCellStr(sheet, cell, value)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if used != len(row) {
			t.Fatalf("the template's columns %v do not hold all of %v", head[0], row)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type batch struct {
	ID           string
	State        string
	SuccessCount int
	FailureCount int
	Message      string
	Failures     []struct {
		RowNo  int
		Reason string
	}
}

// imports uploads a workbook and waits for its end.
func (b *browser) imports(typ string, data []byte) batch {
	b.t.Helper()
	var now batch
	b.post("/api/console/records/"+typ+"/import", &upload{"导入.xlsx", data}, &now)
	eventually(b.t, "the import ends", func() bool {
		b.get("/api/console/records/"+typ+"/imports/"+now.ID, &now)
		return now.State == "finished" || now.State == "failed"
	})
	return now
}

func newAdmin(t *testing.T) *browser {
	t.Helper()
	b := under.browser(t, 0)
	if a := b.login(suite.AdminName, adminPassword()); a.Status != http.StatusOK {
		t.Fatalf("login: %d %s", a.Status, a.Body)
	}
	return b
}

// branchOf makes a branch under the root and imports people into it.
func branchOf(t *testing.T, admin *browser, name string, people []person) (orgID string, members []person) {
	t.Helper()
	template := admin.do("GET", "/api/console/records/organization/template", nil)
	var tree struct {
		Nodes []struct{ ID, OrgName string }
	}
	admin.get("/api/console/tree", &tree)
	done := admin.imports("organization", workbook(t, template.Body, []map[string]string{{
		"组织名称": name, "组织性质": "党支部", "上级组织": tree.Nodes[0].OrgName, "负责人": "书记", "联系人": "干事", "联系电话": "13800138000",
	}}))
	if done.SuccessCount != 1 {
		t.Fatalf("organisations: %+v", done)
	}
	admin.get("/api/console/tree", &tree)
	for _, n := range tree.Nodes {
		if n.OrgName == name {
			orgID = n.ID
		}
	}
	if orgID == "" {
		t.Fatal("the new branch is not in the tree")
	}
	template = admin.do("GET", "/api/console/records/member/template", nil)
	var rows []map[string]string
	for _, p := range people {
		rows = append(rows, memberRow(p, name))
	}
	done = admin.imports("member", workbook(t, template.Body, rows))
	if done.SuccessCount != len(people) {
		t.Fatalf("members: %+v", done)
	}
	ids := map[string]string{}
	for _, m := range admin.list("member", "size=100&orgId="+orgID).Items {
		ids[m["name"].(string)] = m["id"].(string)
	}
	for _, p := range people {
		p.id = ids[p.name]
		members = append(members, p)
	}
	return orgID, members
}

func memberRow(p person, branch string) map[string]string {
	return map[string]string{
		"姓名": p.name, "身份证号": p.idNumber, "手机号": p.phone, "所在支部": branch, "党员类型": "正式党员",
		"入党日期": "2010-07-01", "转正日期": "2011-07-01",
	}
}

// bind makes the phone of a new WeChat user the member's.
func bind(t *testing.T, base int, p person) (phone *browser, wechatUser string) {
	t.Helper()
	phone = under.browser(t, base)
	wechatUser = phone.wechatUser(p.name, p.phone)
	phone.openPhone(wechatUser)
	if a := phone.do("GET", "/api/member/dues", nil); a.Status != http.StatusForbidden {
		t.Fatalf("an unbound phone sees dues: %d %s", a.Status, a.Body)
	}
	who := map[string]string{"name": p.name, "idNumber": p.idNumber, "phone": p.phone}
	phone.post("/api/member/bind-code", who, &struct{}{})
	who["code"] = phone.smsCode(p.phone)
	var me struct{ ID, Name string }
	phone.post("/api/member/bind", who, &me)
	if me.Name != p.name {
		t.Fatalf("bound to %+v", me)
	}
	return phone, wechatUser
}

func TestDues(t *testing.T) {
	admin := newAdmin(t)
	name := fmt.Sprintf("缴费支部%d", seed)
	orgID, people := branchOf(t, admin, name, []person{invent(1), invent(2)})
	t.Run("bad rows are told with number and reason, good ones are stored once", func(t *testing.T) {
		template := admin.do("GET", "/api/console/records/member/template", nil)
		good, broken, nowhere, formula, nameless := memberRow(invent(3), name), memberRow(invent(4), name), memberRow(invent(5), "没有的支部"), memberRow(invent(6), name), memberRow(invent(7), name)
		broken["身份证号"] = broken["身份证号"][:17] + string("0X"[b2i(broken["身份证号"][17] == '0')])
		formula["姓名"] = "FORMULA:1+1"
		nameless["姓名"] = ""
		rows := []map[string]string{good, broken, memberRow(people[0], name), nowhere, formula, nameless}
		done := admin.imports("member", workbook(t, template.Body, rows))
		if done.SuccessCount != 1 || done.FailureCount != 5 {
			t.Fatalf("%+v", done)
		}
		for i, f := range done.Failures {
			if f.RowNo != i+3 || f.Reason == "" {
				t.Errorf("failure %d: %+v", i, f)
			}
		}
		failures := admin.do("GET", "/api/console/records/member/imports/"+done.ID+"/failures", nil)
		f, err := excelize.OpenReader(bytes.NewReader(failures.Body))
		if err != nil {
			t.Fatal(err)
		}
		all, err := f.GetRows("导入模板")
		if err != nil || len(all) != 6 {
			t.Fatalf("failure file: %v, %d rows", err, len(all))
		}
		// Corrected in place and imported again: only the corrected rows are new.
		for c, title := range all[0] {
			cell := func(r int) string { x, _ := excelize.CoordinatesToCellName(c+1, r); return x }
			switch strings.Trim(title, "* ") {
			case "身份证号":
				_ = f.SetCellStr("导入模板", cell(2), invent(4).idNumber)
			case "所在支部":
				_ = f.SetCellStr("导入模板", cell(4), name)
			case "姓名":
				_ = f.SetCellStr("导入模板", cell(6), invent(7).name)
			}
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		again := admin.imports("member", b.Bytes())
		if again.SuccessCount < 3 || again.SuccessCount+again.FailureCount != 5 {
			t.Fatalf("%+v", again)
		}
		if once := admin.imports("member", workbook(t, template.Body, rows[:1])); once.SuccessCount != 0 || once.FailureCount != 1 {
			t.Fatalf("imported twice: %+v", once)
		}
	})
	month := time.Now().AddDate(0, -2, 0).Format("2006-01")
	for _, p := range people {
		admin.post("/api/console/records/duesBase", map[string]any{"memberId": p.id, "effectiveMonth": month, "baseAmount": 500000}, &map[string]any{})
	}
	phone, user := bind(t, 0, people[0])
	var owed struct {
		PaidThrough string
		Items       []struct {
			Month string
			Due   int64
		}
		Message string
		Orders  []struct{ Status string }
	}
	phone.get("/api/member/dues", &owed)
	if len(owed.Items) == 0 {
		t.Fatalf("owes nothing: %+v", owed)
	}
	last := owed.Items[len(owed.Items)-1]
	var pay struct {
		Order struct {
			ID, OrderNo, Status string
			Amount              int64
		}
		PackageValue string
	}
	payMine := map[string]string{"toMonth": last.Month, "idempotencyKey": fmt.Sprintf("k%d", seed)}
	phone.post("/api/member/dues/pay", payMine, &pay)
	first := pay.Order.ID
	phone.post("/api/member/dues/pay", payMine, &pay) // a bad network: the same again
	if pay.Order.ID != first {
		t.Fatal("a repeated request made a second order")
	}
	if pay.Order.Amount != int64(len(owed.Items))*5000 {
		t.Fatalf("amount %d for %d months of 50.00", pay.Order.Amount, len(owed.Items))
	}
	prepay := strings.TrimPrefix(pay.PackageValue, "prepay_id=")
	status := func() string {
		var o struct{ Status string }
		phone.get("/api/member/dues/orders/"+pay.Order.ID, &o)
		return o.Status
	}
	if a := phone.do("POST", "/sandbox/api/payments/"+prepay+"/approve", map[string]string{"userId": user}); a.Status != http.StatusOK {
		t.Fatalf("approve: %d %s", a.Status, a.Body)
	}
	eventually(t, "the notice settles the order", func() bool { return status() == "paid" })
	t.Run("forged and repeated notices change nothing", func(t *testing.T) {
		for _, mode := range []string{"forged", "badSignature", "otherAmount", "duplicate", "late"} {
			if a := phone.do("POST", "/sandbox/api/payments/"+pay.Order.OrderNo+"/notice", map[string]string{"mode": mode}); a.Status != http.StatusOK {
				t.Errorf("%s: %d %s", mode, a.Status, a.Body)
			}
		}
		phone.get("/api/member/dues", &owed)
		if owed.PaidThrough != last.Month || status() != "paid" {
			t.Fatalf("%+v", owed)
		}
	})
	t.Run("points, the leaderboard and a message follow", func(t *testing.T) {
		var points struct{ Score int64 }
		eventually(t, "points are booked", func() bool {
			phone.get("/api/member/points", &points)
			return points.Score > 0
		})
		eventually(t, "the leaderboard moves", func() bool {
			var r struct{ Rows []struct{ Name string } }
			admin.get("/api/console/points/ranking?dimension=personal&orgId="+orgID, &r)
			return len(r.Rows) > 0 && r.Rows[0].Name == people[0].name
		})
		eventually(t, "a template message arrives", func() bool {
			a := phone.do("GET", "/sandbox/api/messages?userId="+user, nil)
			return bytes.Contains(a.Body, []byte("duesReceipt"))
		})
	})
	t.Run("the console shows, prints and totals the payment", func(t *testing.T) {
		paid := admin.list("duesOrder", "f.status=paid&orgId="+orgID)
		if paid.Total != 1 || paid.Summary["amount"] != strconv.FormatInt(pay.Order.Amount, 10) {
			t.Fatalf("%+v", paid)
		}
		receipt := admin.do("GET", "/api/console/dues/orders/"+pay.Order.ID+"/receipt", nil)
		if receipt.Status != http.StatusOK || !bytes.HasPrefix(receipt.Body, []byte("%PDF")) {
			t.Fatalf("receipt: %d %.80s", receipt.Status, receipt.Body)
		}
	})
	t.Run("cash at the cashier, and a Native code that a phone can pay", func(t *testing.T) {
		thisMonth := time.Now().Format("2006-01")
		create := func() (order struct {
			ID, FromMonth, Status, PayChannel string
			Amount                            int64
		}) {
			var next struct{ Items []struct{ Month string } }
			admin.get("/api/console/dues/owed?memberId="+people[1].id+"&toMonth="+thisMonth, &next)
			admin.post("/api/console/dues/orders", map[string]any{"memberId": people[1].id, "toMonth": next.Items[0].Month}, &order)
			return order
		}
		cash := create()
		admin.post("/api/console/dues/orders/"+cash.ID+"/cash", nil, &cash)
		if cash.Status != "paid" || cash.PayChannel != "console" {
			t.Fatalf("%+v", cash)
		}
		native := create()
		var code struct{ CodeURL string }
		admin.post("/api/console/dues/orders/"+native.ID+"/native", nil, &code)
		var scanned struct{ OutTradeNo string }
		phone.post("/sandbox/api/native/scan", map[string]string{"codeUrl": code.CodeURL, "userId": user}, &scanned)
		if a := phone.do("POST", "/sandbox/api/payments/"+scanned.OutTradeNo+"/approve", map[string]string{"userId": user}); a.Status != http.StatusOK {
			t.Fatalf("approve: %d %s", a.Status, a.Body)
		}
		eventually(t, "the code is paid", func() bool {
			admin.get("/api/console/dues/orders/"+native.ID, &native)
			return native.Status == "paid" && native.PayChannel == "mobile"
		})
	})
	t.Run("the mini-program's user is recognised by code2session", func(t *testing.T) {
		mini := under.browser(t, 0)
		var code struct{ Code string }
		mini.post("/sandbox/api/users/"+user+"/mini-code", nil, &code)
		var ses struct {
			Token string
			Me    struct{ Bound bool }
		}
		mini.post("/api/member/mini-login", map[string]string{"code": code.Code}, &ses)
		if ses.Token == "" || !ses.Me.Bound {
			t.Fatalf("%+v", ses)
		}
		if a := mini.do("POST", "/api/member/mini-login", map[string]string{"code": code.Code}); a.Status == http.StatusOK {
			t.Fatal("a code worked twice")
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestCheckIn(t *testing.T) {
	admin := newAdmin(t)
	const crowd = 24
	people := make([]person, crowd+1)
	for i := range people {
		people[i] = invent(100 + i)
	}
	orgID, people := branchOf(t, admin, fmt.Sprintf("签到支部%d", seed), people)
	stranger, people := people[crowd], people[:crowd]
	ids := make([]string, crowd)
	for i, p := range people {
		ids[i] = p.id
	}
	now := time.Now()
	meeting := map[string]any{
		"orgId": orgID, "title": "支部党员大会", "meetingType": "branch", "meetingForm": "offline", "place": "三楼会议室", "agenda": "议题",
		"startAt": now.Add(-time.Minute).Format(time.RFC3339), "endAt": now.Add(time.Hour).Format(time.RFC3339),
		"needSignIn": true, "needRegistration": false, "noticeForm": []string{"wechat", "site"}, "participantIds": ids,
	}
	var draft map[string]any
	admin.post("/api/console/records/meeting", meeting, &draft)
	id := draft["id"].(string)
	phones := make([]*browser, crowd)
	users := make([]string, crowd)
	var wg sync.WaitGroup
	for i, p := range people {
		wg.Go(func() { phones[i], users[i] = bind(t, i, p) })
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if a := admin.do("GET", "/api/console/meetings/"+id+"/qr", nil); a.Status == http.StatusOK {
		t.Fatal("a draft has a code")
	}
	admin.post("/api/console/meetings/"+id+"/start", nil, &struct{}{})
	if a := admin.do("POST", "/api/console/meetings/"+id+"/start", nil); a.Status != http.StatusConflict {
		t.Fatalf("started twice: %d %s", a.Status, a.Body)
	}
	eventually(t, "participants are told", func() bool {
		return bytes.Contains(phones[0].do("GET", "/sandbox/api/messages?userId="+users[0], nil).Body, []byte("支部党员大会"))
	})
	token := func() string {
		var qr struct{ URL string }
		admin.get("/api/console/meetings/"+id+"/qr", &qr)
		u, err := url.Parse(qr.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, query, _ := strings.Cut(u.Fragment, "?")
		v, _ := url.ParseQuery(query)
		return v.Get("t")
	}
	code := token()
	if a := phones[0].do("POST", "/api/member/sign-in", map[string]string{"token": code + "x"}); a.Status == http.StatusOK {
		t.Fatal("a forged code was accepted")
	}
	if p, _ := bind(t, 0, stranger); true {
		a := p.do("POST", "/api/member/sign-in", map[string]string{"token": code})
		if a.Status == http.StatusOK || !strings.Contains(a.message(), "参加对象") {
			t.Fatalf("a stranger: %d %s", a.Status, a.Body)
		}
	}

	// The burst: everybody scans, many twice; in the cluster an rpc and a bff die in it.
	acknowledged := make([]atomic.Bool, crowd)
	var errorsSeen atomic.Int64
	kill := func(env string) {
		if pid, err := strconv.Atoi(os.Getenv(env)); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	for round := range 3 {
		for i := range people {
			wg.Go(func() {
				for try := range 40 { // as the phone does: the request is idempotent
					base := under.bases[(i+try)%len(under.bases)]
					a, err := phones[i].try("POST", base+"/api/member/sign-in", map[string]string{"token": code})
					if err == nil && a.Status == http.StatusOK {
						acknowledged[i].Store(true)
						return
					}
					if err == nil && a.Status < 500 {
						t.Errorf("refused: %d %s", a.Status, a.Body)
						return
					}
					errorsSeen.Add(1)
					time.Sleep(20 * time.Millisecond) // between tries of a bad network
				}
				t.Error("never got through")
			})
		}
		if round == 1 {
			kill("KILL_RPC")
			kill("KILL_BFF")
		}
		wg.Wait()
	}
	t.Logf("%d requests failed and were tried again", errorsSeen.Load())
	for _, p := range phones {
		p.base = under.bases[0] // the balancer has noticed who died
	}
	var statistics struct {
		Expected, SignedIn int
		Participants       []struct{ SignedInAt int64 }
	}
	admin.get("/api/console/meetings/"+id+"/statistics", &statistics)
	if statistics.Expected != crowd || statistics.SignedIn != crowd {
		t.Fatalf("%d acknowledged, statistics %d of %d", crowd, statistics.SignedIn, statistics.Expected)
	}
	var again struct {
		Already bool
		Message string
	}
	phones[0].post("/api/member/sign-in", map[string]string{"token": token()}, &again)
	if !again.Already {
		t.Fatalf("%+v", again)
	}
	eventually(t, "points follow, once", func() bool {
		var points struct{ Entries []struct{ Item string } }
		phones[1].get("/api/member/points", &points)
		if len(points.Entries) > 1 {
			t.Fatalf("%+v", points)
		}
		return len(points.Entries) == 1
	})
	sheet := admin.do("GET", "/api/console/meetings/"+id+"/statistics/export", nil)
	f, err := excelize.OpenReader(bytes.NewReader(sheet.Body))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil || len(rows) != crowd+1 {
		t.Fatalf("export: %v, %d rows", err, len(rows))
	}
	var live struct{ SignedIn, Expected int }
	admin.get("/api/console/meetings/"+id+"/live", &live)
	if live.SignedIn != crowd {
		b, _ := json.Marshal(live)
		t.Fatalf("%s", b)
	}
}
