// Package journey drives the product's two journeys as a newcomer does, through HTTP only:
// against a bfftest.Product of its own in this process, or, when BASE_URL is set, against one
// that runs elsewhere (scripts/cluster.sh: every part in a process of its own).
package journey

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
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

	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

var under *bfftest.Product

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	product, stop, err := bfftest.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	under = product
	code := m.Run()
	stop()
	os.Exit(code)
}

func newAdmin(t *testing.T) *bfftest.Browser {
	t.Helper()
	b := under.Browser(t, 0)
	if a := b.Login(suite.AdminName, bfftest.AdminPassword()); a.Status != http.StatusOK {
		t.Fatalf("login: %d %s", a.Status, a.Body)
	}
	return b
}

// branchOf makes a branch under the root and imports people into it.
func branchOf(t *testing.T, admin *bfftest.Browser, name string, people []bfftest.Person) (orgID string, members []bfftest.Person) {
	t.Helper()
	template := admin.Do("GET", "/api/console/records/organization/template", nil)
	var tree struct {
		Nodes []struct{ ID, OrgName string }
	}
	admin.Get("/api/console/tree", &tree)
	done := admin.Imports("organization", bfftest.Workbook(t, template.Body, []map[string]string{{
		"组织名称": name, "组织性质": "党支部", "上级组织": tree.Nodes[0].OrgName, "负责人": "书记", "联系人": "干事", "联系电话": "13800138000",
	}}))
	if done.SuccessCount != 1 {
		t.Fatalf("organisations: %+v", done)
	}
	admin.Get("/api/console/tree", &tree)
	for _, n := range tree.Nodes {
		if n.OrgName == name {
			orgID = n.ID
		}
	}
	if orgID == "" {
		t.Fatal("the new branch is not in the tree")
	}
	template = admin.Do("GET", "/api/console/records/member/template", nil)
	var rows []map[string]string
	for _, p := range people {
		rows = append(rows, memberRow(p, name))
	}
	done = admin.Imports("member", bfftest.Workbook(t, template.Body, rows))
	if done.SuccessCount != len(people) {
		t.Fatalf("members: %+v", done)
	}
	ids := map[string]string{}
	for _, m := range admin.List("member", "size=100&orgId="+orgID).Items {
		ids[m["name"].(string)] = m["id"].(string)
	}
	for _, p := range people {
		p.ID = ids[p.Name]
		members = append(members, p)
	}
	return orgID, members
}

func memberRow(p bfftest.Person, branch string) map[string]string {
	return map[string]string{
		"姓名": p.Name, "身份证号": p.IDNumber, "手机号": p.Phone, "所在支部": branch, "党员类型": "正式党员",
		"入党日期": "2010-07-01", "转正日期": "2011-07-01",
	}
}

func TestDues(t *testing.T) {
	admin := newAdmin(t)
	name := fmt.Sprintf("缴费支部%d", bfftest.Seed)
	orgID, people := branchOf(t, admin, name, []bfftest.Person{bfftest.Invent(1), bfftest.Invent(2)})
	t.Run("bad rows are told with number and reason, good ones are stored once", func(t *testing.T) {
		template := admin.Do("GET", "/api/console/records/member/template", nil)
		good, broken, nowhere, formula, nameless := memberRow(bfftest.Invent(3), name), memberRow(bfftest.Invent(4), name), memberRow(bfftest.Invent(5), "没有的支部"), memberRow(bfftest.Invent(6), name), memberRow(bfftest.Invent(7), name)
		broken["身份证号"] = broken["身份证号"][:17] + string("0X"[b2i(broken["身份证号"][17] == '0')])
		formula["姓名"] = "FORMULA:1+1"
		nameless["姓名"] = ""
		rows := []map[string]string{good, broken, memberRow(people[0], name), nowhere, formula, nameless}
		done := admin.Imports("member", bfftest.Workbook(t, template.Body, rows))
		if done.SuccessCount != 1 || done.FailureCount != 5 {
			t.Fatalf("%+v", done)
		}
		for i, f := range done.Failures {
			if f.RowNo != i+3 || f.Reason == "" {
				t.Errorf("failure %d: %+v", i, f)
			}
		}
		failures := admin.Do("GET", "/api/console/records/member/imports/"+done.ID+"/failures", nil)
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
				_ = f.SetCellStr("导入模板", cell(2), bfftest.Invent(4).IDNumber)
			case "所在支部":
				_ = f.SetCellStr("导入模板", cell(4), name)
			case "姓名":
				_ = f.SetCellStr("导入模板", cell(6), bfftest.Invent(7).Name)
			}
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		again := admin.Imports("member", b.Bytes())
		if again.SuccessCount < 3 || again.SuccessCount+again.FailureCount != 5 {
			t.Fatalf("%+v", again)
		}
		if once := admin.Imports("member", bfftest.Workbook(t, template.Body, rows[:1])); once.SuccessCount != 0 || once.FailureCount != 1 {
			t.Fatalf("imported twice: %+v", once)
		}
	})
	month := time.Now().In(kit.Shanghai).AddDate(0, -2, 0).Format("2006-01")
	for _, p := range people {
		admin.Post("/api/console/records/duesBase", map[string]any{"memberId": p.ID, "effectiveMonth": month, "baseAmount": 500000}, &map[string]any{})
	}
	phone, user := under.Bind(t, 0, people[0])
	var owed struct {
		PaidThrough string
		Items       []struct {
			Month string
			Due   int64
		}
		Message string
		Orders  []struct{ Status string }
	}
	phone.Get("/api/member/dues", &owed)
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
	payMine := map[string]string{"toMonth": last.Month, "idempotencyKey": fmt.Sprintf("k%d", bfftest.Seed)}
	phone.Post("/api/member/dues/pay", payMine, &pay)
	first := pay.Order.ID
	phone.Post("/api/member/dues/pay", payMine, &pay) // a bad network: the same again
	if pay.Order.ID != first {
		t.Fatal("a repeated request made a second order")
	}
	if pay.Order.Amount != int64(len(owed.Items))*5000 {
		t.Fatalf("amount %d for %d months of 50.00", pay.Order.Amount, len(owed.Items))
	}
	prepay := strings.TrimPrefix(pay.PackageValue, "prepay_id=")
	status := func() string {
		var o struct{ Status string }
		phone.Get("/api/member/dues/orders/"+pay.Order.ID, &o)
		return o.Status
	}
	if a := phone.Do("POST", "/sandbox/api/payments/"+prepay+"/approve", map[string]string{"userId": user}); a.Status != http.StatusOK {
		t.Fatalf("approve: %d %s", a.Status, a.Body)
	}
	bfftest.Eventually(t, "the notice settles the order", func() bool { return status() == "paid" })
	t.Run("forged and repeated notices change nothing", func(t *testing.T) {
		for _, mode := range []string{"forged", "badSignature", "otherAmount", "duplicate", "late"} {
			if a := phone.Do("POST", "/sandbox/api/payments/"+pay.Order.OrderNo+"/notice", map[string]string{"mode": mode}); a.Status != http.StatusOK {
				t.Errorf("%s: %d %s", mode, a.Status, a.Body)
			}
		}
		phone.Get("/api/member/dues", &owed)
		if owed.PaidThrough != last.Month || status() != "paid" {
			t.Fatalf("%+v", owed)
		}
	})
	t.Run("points, the leaderboard and a message follow", func(t *testing.T) {
		var points struct{ Score int64 }
		bfftest.Eventually(t, "points are booked", func() bool {
			phone.Get("/api/member/points", &points)
			return points.Score > 0
		})
		bfftest.Eventually(t, "the leaderboard moves", func() bool {
			var r struct{ Rows []struct{ Name string } }
			admin.Get("/api/console/points/ranking?dimension=personal&orgId="+orgID, &r)
			return len(r.Rows) > 0 && r.Rows[0].Name == people[0].Name
		})
		bfftest.Eventually(t, "a template message arrives", func() bool {
			a := phone.Do("GET", "/sandbox/api/messages?userId="+user, nil)
			return bytes.Contains(a.Body, []byte("duesReceipt"))
		})
	})
	t.Run("the console shows, prints and totals the payment", func(t *testing.T) {
		paid := admin.List("duesOrder", "f.status=paid&orgId="+orgID)
		if paid.Total != 1 || paid.Summary["amount"] != strconv.FormatInt(pay.Order.Amount, 10) {
			t.Fatalf("%+v", paid)
		}
		receipt := admin.Do("GET", "/api/console/dues/orders/"+pay.Order.ID+"/receipt", nil)
		if receipt.Status != http.StatusOK || !bytes.HasPrefix(receipt.Body, []byte("%PDF")) {
			t.Fatalf("receipt: %d %.80s", receipt.Status, receipt.Body)
		}
	})
	t.Run("cash at the cashier, and a Native code that a phone can pay", func(t *testing.T) {
		thisMonth := time.Now().In(kit.Shanghai).Format("2006-01")
		create := func() (order struct {
			ID, FromMonth, Status, PayChannel string
			Amount                            int64
		}) {
			var next struct{ Items []struct{ Month string } }
			admin.Get("/api/console/dues/owed?memberId="+people[1].ID+"&toMonth="+thisMonth, &next)
			admin.Post("/api/console/dues/orders", map[string]any{"memberId": people[1].ID, "toMonth": next.Items[0].Month}, &order)
			return order
		}
		cash := create()
		admin.Post("/api/console/dues/orders/"+cash.ID+"/cash", nil, &cash)
		if cash.Status != "paid" || cash.PayChannel != "console" {
			t.Fatalf("%+v", cash)
		}
		native := create()
		var code struct{ CodeURL string }
		admin.Post("/api/console/dues/orders/"+native.ID+"/native", nil, &code)
		var scanned struct{ OutTradeNo string }
		phone.Post("/sandbox/api/native/scan", map[string]string{"codeUrl": code.CodeURL, "userId": user}, &scanned)
		if a := phone.Do("POST", "/sandbox/api/payments/"+scanned.OutTradeNo+"/approve", map[string]string{"userId": user}); a.Status != http.StatusOK {
			t.Fatalf("approve: %d %s", a.Status, a.Body)
		}
		bfftest.Eventually(t, "the code is paid", func() bool {
			admin.Get("/api/console/dues/orders/"+native.ID, &native)
			return native.Status == "paid" && native.PayChannel == "mobile"
		})
	})
	t.Run("the mini-program's user is recognised by code2session", func(t *testing.T) {
		mini := under.Browser(t, 0)
		var code struct{ Code string }
		mini.Post("/sandbox/api/users/"+user+"/mini-code", nil, &code)
		var ses struct {
			Token string
			Me    struct{ Bound bool }
		}
		mini.Post("/api/member/mini-login", map[string]string{"code": code.Code}, &ses)
		if ses.Token == "" || !ses.Me.Bound {
			t.Fatalf("%+v", ses)
		}
		if a := mini.Do("POST", "/api/member/mini-login", map[string]string{"code": code.Code}); a.Status == http.StatusOK {
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
	people := make([]bfftest.Person, crowd+1)
	for i := range people {
		people[i] = bfftest.Invent(100 + i)
	}
	orgID, people := branchOf(t, admin, fmt.Sprintf("签到支部%d", bfftest.Seed), people)
	stranger, people := people[crowd], people[:crowd]
	ids := make([]string, crowd)
	for i, p := range people {
		ids[i] = p.ID
	}
	now := time.Now()
	meeting := map[string]any{
		"orgId": orgID, "title": "支部党员大会", "meetingType": "branch", "meetingForm": "offline", "place": "三楼会议室", "agenda": "议题",
		"startAt": now.Add(-time.Minute).Format(time.RFC3339), "endAt": now.Add(time.Hour).Format(time.RFC3339),
		"needSignIn": true, "needRegistration": false, "noticeForm": []string{"wechat", "site"}, "participantIds": ids,
	}
	var draft map[string]any
	admin.Post("/api/console/records/meeting", meeting, &draft)
	id := draft["id"].(string)
	phones := make([]*bfftest.Browser, crowd)
	users := make([]string, crowd)
	var wg sync.WaitGroup
	for i, p := range people {
		wg.Go(func() { phones[i], users[i] = under.Bind(t, i, p) })
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if a := admin.Do("GET", "/api/console/meetings/"+id+"/qr", nil); a.Status == http.StatusOK {
		t.Fatal("a draft has a code")
	}
	admin.Post("/api/console/records/meeting/"+id+"/actions/start", nil, &struct{}{})
	if a := admin.Do("POST", "/api/console/records/meeting/"+id+"/actions/start", nil); a.Status != http.StatusConflict {
		t.Fatalf("started twice: %d %s", a.Status, a.Body)
	}
	bfftest.Eventually(t, "participants are told", func() bool {
		return bytes.Contains(phones[0].Do("GET", "/sandbox/api/messages?userId="+users[0], nil).Body, []byte("支部党员大会"))
	})
	token := func() string {
		var qr struct{ URL string }
		admin.Get("/api/console/meetings/"+id+"/qr", &qr)
		u, err := url.Parse(qr.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, query, _ := strings.Cut(u.Fragment, "?")
		v, _ := url.ParseQuery(query)
		return v.Get("t")
	}
	code := token()
	if a := phones[0].Do("POST", "/api/member/sign-in", map[string]string{"token": code + "x"}); a.Status == http.StatusOK {
		t.Fatal("a forged code was accepted")
	}
	if p, _ := under.Bind(t, 0, stranger); true {
		a := p.Do("POST", "/api/member/sign-in", map[string]string{"token": code})
		if a.Status == http.StatusOK || !strings.Contains(a.Message(), "参加对象") {
			t.Fatalf("a stranger: %d %s", a.Status, a.Body)
		}
	}

	// The burst: everybody scans, many twice; in the cluster one of two processes of each
	// service that a scan passes through dies in it, and one of two bffs.
	acknowledged := make([]atomic.Bool, crowd)
	var errorsSeen atomic.Int64
	kill := func(env string) {
		for id := range strings.FieldsSeq(os.Getenv(env)) {
			pid, err := strconv.Atoi(id)
			if err == nil {
				err = syscall.Kill(pid, syscall.SIGKILL)
			}
			if err != nil {
				t.Errorf("%s: kill %s: %v", env, id, err)
			}
		}
	}
	for round := range 3 {
		for i := range people {
			wg.Go(func() {
				for try := range 40 { // as the phone does: the request is idempotent
					base := under.Bases[(i+try)%len(under.Bases)]
					a, err := phones[i].Try("POST", base+"/api/member/sign-in", map[string]string{"token": code})
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
		p.Base = under.Bases[0] // the balancer has noticed who died
	}
	var statistics struct {
		Expected, SignedIn int
		Participants       []struct{ SignedInAt int64 }
	}
	admin.Get("/api/console/meetings/"+id+"/statistics", &statistics)
	if statistics.Expected != crowd || statistics.SignedIn != crowd {
		t.Fatalf("%d acknowledged, statistics %d of %d", crowd, statistics.SignedIn, statistics.Expected)
	}
	var again struct {
		Already bool
		Message string
	}
	phones[0].Post("/api/member/sign-in", map[string]string{"token": token()}, &again)
	if !again.Already {
		t.Fatalf("%+v", again)
	}
	bfftest.Eventually(t, "points follow, once", func() bool {
		var points struct{ Entries []struct{ Item string } }
		phones[1].Get("/api/member/points", &points)
		if len(points.Entries) > 1 {
			t.Fatalf("%+v", points)
		}
		return len(points.Entries) == 1
	})
	sheet := admin.Do("GET", "/api/console/meetings/"+id+"/statistics/export", nil)
	f, err := excelize.OpenReader(bytes.NewReader(sheet.Body))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil || len(rows) != crowd+1 {
		t.Fatalf("export: %v, %d rows", err, len(rows))
	}
	var live struct{ SignedIn, Expected int }
	admin.Get("/api/console/meetings/"+id+"/live", &live)
	if live.SignedIn != crowd {
		b, _ := json.Marshal(live)
		t.Fatalf("%s", b)
	}
}
