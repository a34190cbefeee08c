package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/film/filmtest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/trail"
)

// The callers of the matrix, in the order of its columns. All admins have every
// permission, bare has not the one that the route asks for; own is the organisation whose
// records are asked for.
//
//	visitor  no session
//	unbound  a WeChat user who is no member yet
//	member   m1 of own                other    m2 of sibling
//	bare     an admin of own who lacks the permission
//	sibling, child, own, parent: admins of those; top: 一级管理员
var callers = []string{"visitor", "unbound", "member", "other", "bare", "sibling", "child", "own", "parent", "top"}

// What callers get: ok is anything but 401, 403, 404, 429 and 5xx, since a route that
// lets somebody in may still find his request wrong.
const (
	//           visitor unbound member other bare sibling child own parent top
	anybody  = " ok      ok      ok     ok    ok   ok      ok    ok  ok     ok"
	gone     = " 404     404     404    404   404  404     404   404 404    404"
	anyAdmin = " 401     401     401    401   ok   ok      ok    ok  ok     ok"
	mayAdmin = " 401     401     401    401   403  ok      ok    ok  ok     ok" // with the permission
	inTree   = " 401     401     401    401   ok   404     404   ok  ok     ok" // of the subtree
	scoped   = " 401     401     401    401   403  404     404   ok  ok     ok" // both
	topSees  = " 401     401     401    401   403  404     404   404 404    ok"
	topOnly  = " 401     401     401    401   403  403     403   403 403    ok"
	ownOnly  = " 401     401     401    401   403  404     404   ok  404    404" // who made it
	never    = " 401     401     401    401   403  403     403   403 403    403"
	absent   = " 401     401     401    401   404  404     404   404 404    404"
	noFile   = " 401     401     401    401   403  404     404   404 404    404" // a file that is not the record's
	topWrong = " 401     401     401    401   403  403     403   403 403    404" // the same, where only the top level may ask
	onPhone  = " 401     ok      ok     ok    401  401     401   401 401    401"
	bound    = " 401     403     ok     ok    401  401     401   401 401    401"
	mine     = " 401     403     ok     404   401  401     401   401 401    401" // m1's
	closed   = " 401     403     403    403   401  401     401   401 401    401"
	mineNone = " 401     403     404    404   401  401     401   401 401    401" // no file, whoever's the record is
	nowhere  = " 401     404     404    404   401  401     401   401 401    401"
)

// cells is one line of the matrix: a route, who gets what, and how it is asked.
type cells struct {
	route string // "METHOD path", as in the table of routes
	want  string
	query string // $name stands for an id of the fixture
	body  string
	ends  bool // the session: everybody asks with one of his own
}

func (c cells) name() string { return strings.Join(strings.Fields(c.route+" "+c.query), " ") }

// matrix is the expected answer of every route that is not one of record types.
var matrix = []cells{
	{route: "GET /api/portal/config", want: anybody},
	{route: "POST /api/console/captcha", want: anybody},
	{route: "POST /api/console/captcha/solve", want: anybody, body: `{"id":"x"}`},
	{route: "POST /api/console/login", want: anybody, body: `{"userName":"x","password":"x"}`},
	{route: "GET /wechat/oauth", want: anybody},
	{route: "GET /wechat/oauth/callback", want: anybody},
	{route: "GET /api/file", want: anybody}, // what opens it is in its query
	{route: "POST /api/member/mini-login", want: anybody, body: `{}`},

	{route: "POST /api/console/logout", want: anyAdmin, ends: true},
	{route: "GET /api/console/me", want: anyAdmin},
	{route: "POST /api/console/password", want: anyAdmin, body: `{}`},
	{route: "GET /api/console/home", want: anyAdmin},
	{route: "PUT /api/console/home", want: anyAdmin, body: `{"modules":[]}`},
	{route: "GET /api/console/letter/:token", want: noFile, query: "none"},
	{route: "GET /api/portal/letter/:token", want: gone, query: "none"}, // whoever holds the paper
	{route: "GET /api/portal/columns", want: anybody},
	{route: "GET /api/portal/topics/:id", want: gone, query: "none"}, // what has no column is not there for anybody
	{route: "GET /api/portal/records/:type/files/:fileId", want: gone, query: "topic/none/id=none"},
	{route: "GET /api/console/development/:id", want: scoped, query: "$case"},
	{route: "GET /api/console/branches", want: mayAdmin, query: "keyword=支部"},
	{route: "GET /api/console/tree", want: anyAdmin},
	{route: "GET /api/console/tree", want: inTree, query: "orgId=$own"},
	{route: "GET /api/console/organizations/:orgId/leadership", want: scoped, query: "$own"},
	{route: "GET /api/console/organizations/:orgId/map", want: scoped, query: "$own"},
	{route: "GET /api/console/participants", want: mayAdmin},
	{route: "GET /api/console/participants", want: scoped, query: "orgId=$own"},
	{route: "GET /api/console/statistics", want: mayAdmin},
	{route: "GET /api/console/statistics", want: scoped, query: "orgId=$own"},

	{route: "POST /api/console/dues/base-preview", want: scoped, body: `{"memberId":"$m1","baseAmount":100000}`},
	{route: "GET /api/console/dues/analysis", want: mayAdmin, query: "period=2026-10"},
	{route: "GET /api/console/dues/analysis", want: scoped, query: "period=2026-10&orgId=$own"},
	{route: "GET /api/console/dues/analysis/months", want: scoped, query: "period=2026-10&orgId=$own"},
	{route: "GET /api/console/dues/analysis/export", want: scoped, query: "period=2026-10&orgId=$own"},
	{route: "GET /api/console/dues/sheet", want: scoped, query: "month=2026-10&orgId=$own"},
	{route: "POST /api/console/dues/sheet", want: mayAdmin, body: `{"month":"2026-10","memberIds":["none"],"method":"cash","idempotencyKey":"matrix"}`},
	{route: "POST /api/console/dues/sheet/receipts", want: scoped, body: `{"ids":["$order"]}`},
	{route: "GET /api/console/dues/owed", want: scoped, query: "memberId=$m1"},
	{route: "POST /api/console/dues/orders", want: scoped, body: `{"memberId":"$m1","toMonth":"$month"}`},
	{route: "GET /api/console/dues/orders/:id", want: scoped, query: "$order"},
	{route: "POST /api/console/dues/orders/:id/cash", want: scoped, query: "$order"},
	{route: "POST /api/console/dues/orders/:id/native", want: scoped, query: "$order"},
	{route: "GET /api/console/dues/orders/:id/receipt", want: scoped, query: "$order"},

	{route: "GET /api/console/meetings/:id/qr", want: scoped, query: "$meeting"},
	{route: "GET /api/console/meetings/:id/live", want: scoped, query: "$meeting"},
	{route: "GET /api/console/meetings/:id/live/stream", want: scoped, query: "$meeting"},
	{route: "GET /api/console/meetings/:id/statistics", want: scoped, query: "$meeting"},
	{route: "GET /api/console/meetings/:id/statistics/export", want: scoped, query: "$meeting"},
	{route: "GET /api/console/meetings/:id/deliveries", want: scoped, query: "$meeting"},
	{route: "POST /api/console/meetings/:id/resend", want: scoped, query: "$meeting"},

	{route: "GET /api/console/studies/:id/statistics", want: scoped, query: "$study"},
	{route: "POST /api/console/exams/draw", want: mayAdmin, body: `{"categoryId":"none","count":10}`},
	{route: "POST /api/console/exams/questions", want: mayAdmin, body: `{"ids":[]}`},
	{route: "GET /api/console/exams/:id/statistics", want: scoped, query: "$exam"},
	{route: "GET /api/console/exams/:id/statistics/export", want: scoped, query: "$exam"},
	{route: "POST /api/console/exams/:id/extra", want: scoped, query: "$exam", body: `{"memberId":"$m1","until":1,"reason":"x"}`},

	{route: "GET /api/console/points/ranking", want: mayAdmin},
	{route: "GET /api/console/points/ranking", want: scoped, query: "orgId=$own"},
	{route: "GET /api/console/points/entries", want: scoped, query: "id=$m1"},
	{route: "GET /api/console/points/entries", want: scoped, query: "dimension=organisation&id=$own"},
	{route: "GET /api/console/records", want: anyAdmin},
	{route: "GET /api/console/permissions", want: mayAdmin},
	{route: "GET /api/console/audit/verify", want: topOnly},
	{route: "GET /api/console/notifications", want: anyAdmin},
	{route: "POST /api/console/notifications/:id/read", want: absent, query: "$notice"}, // m1's, no admin's

	{route: "GET /api/member/records", want: bound},
	{route: "GET /api/member/me", want: onPhone},
	{route: "POST /api/member/logout", want: onPhone, ends: true},
	{route: "GET /api/member/js-config", want: onPhone},
	{route: "POST /api/member/bind-code", want: onPhone, body: `{}`},
	{route: "POST /api/member/bind", want: onPhone, body: `{}`},
	{route: "GET /api/member/development", want: bound},
	{route: "POST /api/member/development/hand-in", want: bound}, // m1 has a case
	{route: "POST /api/member/development/take-back", want: bound},
	{route: "POST /api/member/transfer-in", want: onPhone, body: `{}`},
	{route: "POST /api/member/transfer-in/find", want: onPhone, body: `{}`},
	{route: "GET /api/member/branches", want: onPhone, query: "keyword=支部"},
	{route: "GET /api/member/profile", want: bound},
	{route: "GET /api/member/organization", want: bound},
	{route: "GET /api/member/dues", want: bound},
	{route: "POST /api/member/dues/pay", want: bound, body: `{"toMonth":"$month","idempotencyKey":"k"}`},
	{route: "GET /api/member/dues/orders/:id", want: mine, query: "$order"},
	{route: "POST /api/member/sign-in", want: bound, body: `{"token":"x"}`},
	{route: "GET /api/member/meetings", want: bound},
	{route: "GET /api/member/meetings/:id", want: mine, query: "$meeting"},
	{route: "GET /api/member/exams", want: bound},
	{route: "GET /api/member/exams/:id", want: mine, query: "$exam"},
	{route: "POST /api/member/exams/:id/answers", want: mine, query: "$exam", body: `{"questionId":"$question","answers":["right"]}`},
	{route: "POST /api/member/exams/:id/hand-in", want: mine, query: "$exam", body: `{"answers":[]}`},
	{route: "GET /api/member/points", want: bound},
	{route: "GET /api/member/organization/points", want: bound},
	{route: "GET /api/member/ranking", want: bound},
	{route: "GET /api/member/notifications", want: bound},
	{route: "POST /api/member/notifications/:id/read", want: mine, query: "$notice"},
	{route: "POST /api/member/consent", want: bound, body: `{"kinds":[]}`},
	{route: "GET /api/member/templates", want: onPhone},
}

// line is one line of the routes of record types: what it is when the type has the verb,
// and when it has not.
type line struct {
	cells
	verb    string // of the schema's permissions; "" every type has it
	without string
}

// recordMatrix is the expected answer of the console's routes of a record type. A type is
// one of the subtree unless deviations says otherwise.
var recordMatrix = []line{
	{cells: cells{route: "GET /schema", want: mayAdmin}},
	{cells: cells{route: "GET ", want: mayAdmin}},
	{cells: cells{route: "GET ", want: scoped, query: "orgId=$own"}},
	{cells: cells{route: "GET /:id", want: scoped, query: "$sample"}},
	{cells: cells{route: "POST /:id/reveal", want: scoped, query: "$sample"}, verb: "reveal", without: absent},
	{cells: cells{route: "POST ", want: mayAdmin, body: `{}`}, verb: "create", without: never},
	{cells: cells{route: "PUT /:id", want: scoped, query: "$sample", body: `{"version":0}`}, verb: "update", without: never},
	{cells: cells{route: "GET /export", want: mayAdmin}, verb: "export", without: never},
	{cells: cells{route: "GET /export", want: scoped, query: "orgId=$own"}, verb: "export", without: never},
	{cells: cells{route: "GET /template", want: mayAdmin}, verb: "import", without: absent},
	{cells: cells{route: "POST /import", want: mayAdmin, body: "file"}, verb: "import", without: absent},
	{cells: cells{route: "POST /import", want: scoped, query: "orgId=$own", body: "file"}, verb: "import", without: absent},
	{cells: cells{route: "GET /imports/:id", want: ownOnly, query: "$import"}, verb: "import", without: absent},
	{cells: cells{route: "GET /imports/:id/failures", want: ownOnly, query: "$import"}, verb: "import", without: absent},
	{cells: cells{route: "GET /imports/:id/preview", want: ownOnly, query: "$import"}, verb: "import", without: absent},
	{cells: cells{route: "POST /imports/:id/mend", want: ownOnly, query: "$import", body: `{}`}, verb: "import", without: absent},
	{cells: cells{route: "POST /imports/:id/confirm", want: ownOnly, query: "$import", body: `{}`}, verb: "import", without: absent},
	{cells: cells{route: "POST /imports/:id/cancel", want: ownOnly, query: "$import", body: `{}`}, verb: "import", without: absent},
	{cells: cells{route: "POST /:id/actions/:action", want: absent, query: "$sample/none", body: `{}`}},
	{cells: cells{route: "GET /:id/print/:action", want: absent, query: "$sample/none"}},
	{cells: cells{route: "POST /actions/:action", want: absent, query: "none", body: `{"ids":["$sample"]}`}},
	{cells: cells{route: "POST /actions/:action/all", want: absent, query: "none", body: `{}`}},
	{cells: cells{route: "GET /rounds/:id", want: absent, query: "none"}},
	{cells: cells{route: "POST /delete", want: scoped, body: `{"ids":["$fresh"]}`}, verb: "delete", without: never},
	{cells: cells{route: "POST /upload", want: absent, query: "field=none", body: "file"}, verb: "create", without: never},
	{cells: cells{route: "GET /files/:fileId", want: noFile, query: "none/id=$sample"}},
}

// phoneMatrix is the same of the members' routes, for types that are open to them; all
// of it is closed for the others.
var phoneMatrix = []line{
	{cells: cells{route: "GET /schema", want: bound}},
	{cells: cells{route: "GET ", want: bound}},
	{cells: cells{route: "GET /:id", want: mine, query: "$sample"}},
	{cells: cells{route: "POST ", want: bound, body: `{}`}, verb: "create", without: closed},
	{cells: cells{route: "PUT /:id", want: mine, query: "$sample", body: `{"version":0}`}, verb: "update", without: closed},
	{cells: cells{route: "POST /:id/actions/:action", want: nowhere, query: "$sample/none", body: `{}`}},
	{cells: cells{route: "GET /:id/print/:action", want: nowhere, query: "$sample/none"}},
	{cells: cells{route: "POST /delete", want: mine, body: `{"ids":["$fresh"]}`}, verb: "delete", without: closed},
	{cells: cells{route: "POST /upload", want: mineNone, query: "field=none", body: "file"}, verb: "create", without: closed},
	{cells: cells{route: "GET /files/:fileId", want: mineNone, query: "none/id=$sample"}},
	{cells: cells{route: "POST /files/:fileId/link", want: mineNone, query: "none/id=$sample"}},
}

// The kinds of types that are not of a subtree, by line or route; routes of members begin
// with m.
// What stands here holds whatever the schema says.
type kind map[string]string

var (
	// Platform-wide: every admin with the permission reads it, the top level writes it.
	global = kind{"GET ": mayAdmin, "GET /:id": mayAdmin, "GET /export": mayAdmin, "POST ": topOnly, "PUT /:id": topOnly, "POST /delete": topOnly, "POST /upload": topWrong}
	// Categories and tags: everybody reads them, since forms choose from them.
	category = kind{
		"GET /schema": anyAdmin, "GET ": anyAdmin, "GET /:id": anyAdmin, "GET /export": mayAdmin,
		"POST ": topOnly, "PUT /:id": topOnly, "POST /delete": topOnly, "POST /upload": topWrong, "GET /files/:fileId": absent, "m GET /:id": bound,
	}
)

// shared is a category that any admin with the permission keeps.
var shared = category.but(kind{"POST ": mayAdmin, "PUT /:id": mayAdmin, "POST /delete": mayAdmin, "POST /upload": absent})

// but is a kind with other answers for some routes.
func (k kind) but(others kind) kind {
	out := maps.Clone(k)
	maps.Copy(out, others)
	return out
}

// deviations are the types that are not of a subtree, or differ in some route.
var deviations = map[string]kind{
	"pointsRule": global.but(kind{"POST ": never, "POST /delete": never, "GET /export": never}),
	// Deleted by an action of its own.
	"duesOrder":    {"POST /delete": never},
	"specialtyTag": category, "questionCategory": category, "questionTag": category, "knowledgeCategory": category, "topicCategory": category, "videoCategory": shared, "knowledgeTag": category,
	// Members look for one to apply to.
	"organization": {"m GET /:id": bound},
	// Of the platform's merchant account: it belongs to the root.
	"duesReconcile": {"GET ": mayAdmin, "GET orgId=$own": scoped, "GET /:id": topSees},
}

// typedActions are buttons whose use case has a route of its own that is not called as
// they are.
var typedActions = map[string][]string{
	"duesOrder": {"pay", "print"},
	"exam":      {"reuse"}, // a new exam
}

// borrowed are the rights of other types that actions ask for: 微信解绑 is that of the bindings'
// page, an expulsion goes on as a 党员减少.
var borrowed = map[string]string{"member unbind": "binding.unbind", "sanction reduce": "memberReduction.create"}

// samples make a record of own for types whose form is not filled by filling in what it
// requires; each call makes another one.
var samples = map[string]func(t *testing.T, w *matrixWorld) string{
	"member": func(t *testing.T, w *matrixWorld) string {
		return w.create(t, w.by["own"], "member", memberForm(w.invent("样本"), w.org["own"]))
	},
	"organization": func(t *testing.T, w *matrixWorld) string { // a branch has groups
		return w.create(t, w.by["own"], "organization", map[string]any{
			"orgName": fmt.Sprint("样本", w.serial()), "orgType": "group", "parentId": w.org["own"], "secretary": "书记", "contactName": "干事", "contactPhone": "13800138000",
		})
	},
	"binding": func(t *testing.T, w *matrixWorld) string {
		return w.bound(t, fmt.Sprint("绑定", w.serial()), "own").id
	},
	"transferIn":            transferredIn,
	"transferInApplication": transferredIn,
	"developmentMaterial": func(t *testing.T, w *matrixWorld) string {
		return w.material(t, w.by["own"], consoleRecords, developing(t, w))
	},
	"knowledgeTag": func(t *testing.T, w *matrixWorld) string { // one with a column
		id := w.create(t, w.top, "knowledgeTag", map[string]any{"name": fmt.Sprint("矩阵", w.serial())})
		w.do(w.top, "POST", consoleRecords+"knowledgeTag/"+id+"/actions/addColumn", nil).into(t, &struct{}{})
		return id
	},
	"thoughtReport": func(t *testing.T, w *matrixWorld) string { return w.report(t, w.m1.id) },
	"duesArrears": func(t *testing.T, w *matrixWorld) string { // of somebody bound, who can be told
		id := w.bound(t, "欠缴", "own").id
		a := &model.DuesArrears{
			Base:     model.Base{ID: kit.KeyID("arrears", id), OrgID: w.org["own"], Orgs: []string{w.org["root"], w.org["parent"], w.org["own"]}},
			MemberID: id, MemberName: "欠缴", OwedMonths: 2, OwedAmount: 100, State: "x",
		}
		if err := model.NewCollection[*model.DuesArrears](w.platform.DB, "duesArrears", w.platform.Clock.Now).Insert(t.Context(), a); err != nil && !errors.Is(err, model.ErrDuplicate) {
			t.Fatal(err)
		}
		return a.ID
	},
	"duesReduction": func(t *testing.T, w *matrixWorld) string {
		m := w.create(t, w.by["own"], "member", memberForm(w.invent("减免"), w.org["own"]))
		return w.create(t, w.by["own"], "duesReduction", map[string]any{"memberId": m, "fromMonth": "2026-11", "toMonth": "2026-12", "reductionType": "exempt", "reason": "困难"})
	},
	"duesPolicy": func(t *testing.T, w *matrixWorld) string { // one an organisation
		group := w.create(t, w.by["own"], "organization", map[string]any{
			"orgName": fmt.Sprint("取整", w.serial()), "orgType": "group", "parentId": w.org["own"], "secretary": "书记", "contactName": "干事", "contactPhone": "13800138000",
		})
		return w.create(t, w.by["own"], "duesPolicy", map[string]any{"orgId": group, "rounding": model.RoundYuan})
	},
	"delegation": func(t *testing.T, w *matrixWorld) string { // to a colleague
		deputy := w.create(t, w.by["own"], "user", map[string]any{
			"userName": fmt.Sprint("deputy", w.serial()), "password": "Matrix#2026x", "realName": "受托人", "orgId": w.org["own"], "status": "enabled", "permissions": []string{"statistics.view"},
		})
		return w.create(t, w.by["own"], "delegation", map[string]any{"delegateId": deputy, "fromOn": "2026-01-01", "toOn": "2026-01-02", "permissions": []string{"hardshipApplication.approve"}})
	},
	"question": func(t *testing.T, w *matrixWorld) string {
		category := w.create(t, w.by["top"], "questionCategory", map[string]any{"name": fmt.Sprint("矩阵", w.serial())})
		return w.create(t, w.by["own"], "question", map[string]any{"questionType": "judge", "stem": fmt.Sprint("矩阵", w.serial()), "answers": []string{"right"}, "categoryId": category})
	},
	"studyTask":     func(t *testing.T, w *matrixWorld) string { return w.study(t) },
	"exam":          func(t *testing.T, w *matrixWorld) string { id, _ := w.exam(t); return id },
	"topicCategory": topicSorted,
	"video": func(t *testing.T, w *matrixWorld) string {
		doc := map[string]any{"title": "矩阵", "categoryId": w.create(t, w.by["top"], "videoCategory", map[string]any{"name": fmt.Sprint("矩阵", w.serial())})}
		for field, u := range map[string]upload{"cover": {"图.png", dot(t)}, "video": {"片.mp4", filmtest.Shortest(1000, 5000, "vide")}} {
			var f map[string]any
			w.do(w.by["own"], "POST", consoleRecords+"video/upload?field="+field, u).into(t, &f)
			doc[field] = []any{f}
		}
		return w.create(t, w.by["own"], "video", doc)
	},
	"topic": func(t *testing.T, w *matrixWorld) string {
		return w.create(t, w.by["own"], "topic", map[string]any{"title": "矩阵", "content": "<p>正文</p>", "categoryId": topicSorted(t, w)})
	},
	"knowledge": func(t *testing.T, w *matrixWorld) string {
		category := w.create(t, w.by["top"], "knowledgeCategory", map[string]any{"name": fmt.Sprint("矩阵", w.serial())})
		return w.create(t, w.by["own"], "knowledge", map[string]any{"title": "矩阵", "content": "<p>正文</p>", "categoryId": category})
	},
	"lostContact": func(t *testing.T, w *matrixWorld) string { // one a member
		m := w.create(t, w.by["own"], "member", memberForm(w.invent("失联"), w.org["own"]))
		return w.create(t, w.by["own"], "lostContact", map[string]any{"memberId": m, "lostOn": "2026-01-01", "cause": "work"})
	},
	"transferOut":            transferredOut,
	"transferOutApplication": transferredOut,
	"pointsRule":             func(t *testing.T, w *matrixWorld) string { return w.first(t, "pointsRule") },
	"points": func(t *testing.T, w *matrixWorld) string {
		id := fmt.Sprint("matrix-reward-", w.serial())
		payload, err := json.Marshal(model.Earned{SourceType: model.ItemReward, SourceID: id, At: w.platform.Clock.Now(), Shares: []model.Share{{
			Dimension: model.DimensionPersonal, Item: model.ItemReward, Source: "先进", SubjectID: w.m1.id, Units: 1,
			OrgID: w.org["own"], Orgs: []string{w.org["root"], w.org["parent"], w.org["own"]},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.services.Points.HandleEvents(kit.AsSystem(t.Context()), &records.Events{Events: []*records.Event{{
			Id: id, Kind: model.EventEarned, OrgId: w.org["own"], At: w.platform.Clock.Now().UnixMilli(), Payload: payload,
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return w.first(t, "points")
	},
	"duesOrder": func(t *testing.T, w *matrixWorld) string {
		payer := w.create(t, w.by["own"], "member", memberForm(w.invent("缴费"), w.org["own"]))
		return w.order(t, payer)
	},
	"duesBase": func(t *testing.T, w *matrixWorld) string {
		month := kit.AddMonths("1930-01", w.serial()) // no later than a year from now
		return w.create(t, w.by["own"], "duesBase", map[string]any{"memberId": w.m1.id, "effectiveMonth": month, "baseAmount": 100000})
	},
	"duesReconcile": func(t *testing.T, w *matrixWorld) string {
		if _, err := w.services.Dues.Reconcile(kit.AsSystem(t.Context()), &records.Empty{}); err != nil {
			t.Fatal(err)
		}
		return w.first(t, "duesReconcile")
	},
	"meeting": func(t *testing.T, w *matrixWorld) string { return w.meeting(t) },
	"election": func(t *testing.T, w *matrixWorld) string {
		on := w.platform.Clock.Now().AddDate(0, 0, -w.serial()).Format(time.DateOnly) // one a day
		return w.create(t, w.by["own"], "election", map[string]any{"orgId": w.org["own"], "electionForm": "memberMeeting", "electedOn": on, "termYears": 3})
	},
	"organizationTransfer": func(t *testing.T, w *matrixWorld) string { // a group of own, to a new branch beside it
		org := func(name, typ, parent string) string {
			return w.create(t, w.top, "organization", map[string]any{
				"orgName": name, "orgType": typ, "parentId": parent, "secretary": "书记", "contactName": "干事", "contactPhone": "13800138000",
			})
		}
		return w.create(t, w.by["parent"], "organizationTransfer", map[string]any{
			"transferOrgId": org("迁移小组", "group", w.org["own"]), "toParentId": org("接收支部", "branch", w.org["parent"]), "transferredOn": "2026-01-01",
		})
	},
	"developmentCase": func(t *testing.T, w *matrixWorld) string { // begins with an applicant
		f := memberForm(w.invent("申请"), w.org["own"])
		f["memberType"] = "applicant"
		return kit.KeyID("development", w.create(t, w.by["own"], "member", f))
	},
	"organizationLedger": func(t *testing.T, w *matrixWorld) string { return w.org["own"] },
	"memberLedger":       func(t *testing.T, w *matrixWorld) string { return w.m1.id },
	"specialty": func(t *testing.T, w *matrixWorld) string { // one a member
		able := w.create(t, w.by["own"], "member", memberForm(w.invent("特长"), w.org["own"]))
		return w.create(t, w.by["own"], "specialty", map[string]any{"memberId": able, "tags": []string{w.create(t, w.top, "specialtyTag", map[string]any{"name": fmt.Sprintf("标签%d", w.serial())})}})
	},
	"memberShowcase": func(t *testing.T, w *matrixWorld) string { // one a member
		shown := w.create(t, w.by["own"], "member", memberForm(w.invent("风采"), w.org["own"]))
		return w.create(t, w.by["own"], "memberShowcase", map[string]any{"memberId": shown, "title": "榜样", "content": "事迹"})
	},
	"audit": func(t *testing.T, w *matrixWorld) string { // of what happened in own
		id := fmt.Sprintf("matrix-%d", w.serial())
		f := model.AuditFact{
			ID: id, RecordID: id, At: w.platform.Clock.Now(), Action: model.AuditAct,
			OrgID: w.org["own"], Orgs: []string{w.org["root"], w.org["parent"], w.org["own"]},
		}
		e := trail.Event(f)
		if _, err := w.services.Audit.HandleEvents(kit.AsSystem(t.Context()), &records.Events{Events: []*records.Event{{Id: e.ID, Kind: e.Kind, Payload: e.Payload}}}); err != nil {
			t.Fatal(err)
		}
		return w.first(t, "audit?f.recordId="+id)
	},
	"memberReduction": func(t *testing.T, w *matrixWorld) string {
		gone := w.create(t, w.by["own"], "member", memberForm(w.invent("减员"), w.org["own"]))
		return w.create(t, w.by["own"], "memberReduction", map[string]any{"memberId": gone, "reductionType": "death", "reducedOn": "2026-01-01", "reason": "病故"})
	},
	"profileChange": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, &w.bound(t, "申请", "own").caller, "profileChange", map[string]any{"position": "委员"})
	},
	"duesReductionApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, &w.bound(t, "减免", "own").caller, "duesReductionApplication", reductionForm)
	},
	"hardship": func(t *testing.T, w *matrixWorld) string { // one a member
		poor := w.create(t, w.by["own"], "member", memberForm(w.invent("困难"), w.org["own"]))
		return w.create(t, w.by["own"], "hardship", map[string]any{"memberId": poor, "hardshipType": "illness", "description": "患病"})
	},
	"hardshipApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, &w.bound(t, "申请", "own").caller, "hardshipApplication", map[string]any{"hardshipType": "illness", "description": "患病"})
	},
	"retirement": func(t *testing.T, w *matrixWorld) string { // one a member
		old := w.create(t, w.by["own"], "member", memberForm(w.invent("退休"), w.org["own"]))
		return w.create(t, w.by["own"], "retirement", map[string]any{"memberId": old, "retiredOn": "2026-01-01"})
	},
	"abroadRecord": func(t *testing.T, w *matrixWorld) string { // one a day
		on := w.platform.Clock.Now().AddDate(0, 0, -w.serial()).Format(time.DateOnly)
		return w.create(t, w.by["own"], "abroadRecord", map[string]any{"memberId": w.m1.id, "destination": "日本", "purpose": "private", "departOn": on})
	},
	"abroadRecordApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, &w.bound(t, "申请", "own").caller, "abroadRecordApplication", map[string]any{"destination": "日本", "purpose": "private", "departOn": "2026-01-01"})
	},
	"memberOutflow": func(t *testing.T, w *matrixWorld) string { // one a member
		out := w.create(t, w.by["own"], "member", memberForm(w.invent("流出"), w.org["own"]))
		return w.create(t, w.by["own"], "memberOutflow", map[string]any{"memberId": out, "outflowPlace": "上海", "outflowOn": "2026-01-01", "reason": "务工"})
	},
	"memberOutflowApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, &w.bound(t, "申请", "own").caller, "memberOutflowApplication", map[string]any{"outflowPlace": "上海", "outflowOn": "2026-01-01", "reason": "务工"})
	},
	"memberInflow": func(t *testing.T, w *matrixWorld) string {
		who := w.invent("流入")
		return w.create(t, w.by["own"], "memberInflow", map[string]any{"name": who.name, "idNumber": who.idNumber, "homeOrgName": "外地支部", "inflowOrgId": w.org["own"], "inflowOn": "2026-01-01", "place": "上海", "reason": "务工"})
	},
	"memberInflowApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, &w.bound(t, "申请", "sibling").caller, "memberInflowApplication", map[string]any{"inflowOrgId": w.org["own"], "inflowOn": "2026-01-01", "place": "上海", "reason": "务工"})
	},
	"retirementApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, &w.bound(t, "申请", "own").caller, "retirementApplication", map[string]any{"retiredOn": "2026-01-01"})
	},
	"user": func(t *testing.T, w *matrixWorld) string {
		return w.create(t, w.by["own"], "user", userForm(fmt.Sprintf("user-%d", w.serial()), w.org["own"], "member.view"))
	},
}

var reductionForm = map[string]any{"fromMonth": "2027-03", "toMonth": "2027-04", "reductionType": "exempt", "reason": "困难"} // m1 has paid through this month

// month is another one at each call.
func (w *matrixWorld) month() string { return kit.AddMonths("1950-01", w.serial()) }

func transferredIn(t *testing.T, w *matrixWorld) string {
	p := w.invent("转入")
	return w.create(t, w.by["own"], "transferIn", map[string]any{
		"name": p.name, "idNumber": p.idNumber, "phone": p.phone, "memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01",
		"fromOrgName": "外省支部", "toOrgId": w.org["own"], "transferType": "province", "letterNo": fmt.Sprint("介", w.serial()), "duesPaidThrough": "2026-10",
	})
}

func transferredOut(t *testing.T, w *matrixWorld) string {
	m := w.create(t, w.by["own"], "member", memberForm(w.invent("转出"), w.org["own"]))
	return w.create(t, w.by["own"], "transferOut", map[string]any{"memberId": m, "toOrgName": "外省支部", "reason": "调动", "duesPaidThrough": "2026-10"})
}

// topicSorted makes a 专题分类, with its pictures.
func topicSorted(t *testing.T, w *matrixWorld) string {
	t.Helper()
	doc := map[string]any{"name": fmt.Sprint("矩阵", w.serial())}
	for _, field := range []string{"smallIcon", "largeIcon"} {
		var f map[string]any
		w.do(w.by["top"], "POST", consoleRecords+"topicCategory/upload?field="+field, upload{"图.png", dot(t)}).into(t, &f)
		doc[field] = []any{f}
	}
	return w.create(t, w.by["top"], "topicCategory", doc)
}

// dot is a small picture.
func dot(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ownSamples make a record that m1 sees among his own, likewise.
var ownSamples = map[string]func(t *testing.T, w *matrixWorld) string{
	"developmentCase": developing,
	"developmentMaterial": func(t *testing.T, w *matrixWorld) string {
		return w.material(t, w.by["member"], phoneRecords, developing(t, w))
	},
	"thoughtReport": func(t *testing.T, w *matrixWorld) string { return w.report(t, w.m1.id) },
	"duesBaseApplication": func(t *testing.T, w *matrixWorld) string {
		var f map[string]any
		w.do(w.by["member"], "POST", phoneRecords+"duesBaseApplication/upload?field=files", upload{"证明.pdf", []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")}).into(t, &f)
		return w.submit(t, w.by["member"], "duesBaseApplication", map[string]any{"effectiveMonth": w.month(), "baseAmount": 500000, "files": []any{f}})
	},
	"duesReductionApplication": func(t *testing.T, w *matrixWorld) string {
		if id := w.mine(t, "duesReductionApplication"); id != "" {
			return id
		}
		return w.submit(t, w.by["member"], "duesReductionApplication", reductionForm)
	},
	"transferOutApplication": func(t *testing.T, w *matrixWorld) string {
		if id := w.mine(t, "transferOutApplication"); id != "" { // one waits at a time
			return id
		}
		return w.submit(t, w.by["member"], "transferOutApplication", map[string]any{"toOrgName": "外省支部", "reason": "搬迁", "duesPaidThrough": "2026-10"})
	},
	"specialty": func(t *testing.T, w *matrixWorld) string {
		doc := map[string]any{"tags": []string{w.create(t, w.top, "specialtyTag", map[string]any{"name": fmt.Sprintf("标签%d", w.serial())})}}
		if id := w.mine(t, "specialty"); id != "" {
			w.do(w.by["member"], "POST", phoneRecords+"specialty/delete", map[string]any{"ids": []string{id}}).into(t, &struct{}{})
		}
		return w.submit(t, w.by["member"], "specialty", doc)
	},
	"profileChange": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, w.by["member"], "profileChange", map[string]any{"position": "委员"})
	},
	"hardshipApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, w.by["member"], "hardshipApplication", map[string]any{"hardshipType": "illness", "description": "患病"})
	},
	"organization": func(_ *testing.T, w *matrixWorld) string { return w.org["own"] },
	"memberOutflowApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, w.by["member"], "memberOutflowApplication", map[string]any{"outflowPlace": "上海", "outflowOn": "2026-01-01", "reason": "务工"})
	},
	"memberInflowApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, w.by["member"], "memberInflowApplication", map[string]any{"inflowOrgId": w.org["sibling"], "inflowOn": "2026-01-01", "place": "上海", "reason": "务工"})
	},
	"abroadRecordApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, w.by["member"], "abroadRecordApplication", map[string]any{"destination": "日本", "purpose": "private", "departOn": "2026-01-01"})
	},
	"retirementApplication": func(t *testing.T, w *matrixWorld) string {
		return w.submit(t, w.by["member"], "retirementApplication", map[string]any{"retiredOn": "2026-01-01"})
	},
}

// developing opens a development case of m1, who has none as a full member.
func developing(t *testing.T, w *matrixWorld) string {
	t.Helper()
	d := &model.DevelopmentCase{
		Base:     model.Base{ID: kit.KeyID("development", w.m1.id), OrgID: w.org["own"], Orgs: []string{w.org["root"], w.org["parent"], w.org["own"]}},
		MemberID: w.m1.id, Stage: "application", CurrentStepNo: 1, State: "running", StartedOn: "2026-01-01", HandlerOrgID: w.org["own"],
	}
	d.HandlerPath = d.Orgs
	err := model.NewCollection[*model.DevelopmentCase](w.platform.DB, "developmentCases", w.platform.Clock.Now).Insert(t.Context(), d)
	if err != nil && !errors.Is(err, model.ErrDuplicate) {
		t.Fatal(err)
	}
	return d.ID
}

// material is one of the first step of a case.
func (w *matrixWorld) material(t *testing.T, c *caller, base, id string) string {
	t.Helper()
	var f map[string]any
	w.do(c, "POST", base+"developmentMaterial/upload?field=files", upload{"材料.pdf", []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")}).into(t, &f)
	var row struct{ ID string }
	w.do(c, "POST", base+"developmentMaterial", map[string]any{"caseId": id, "stepNo": 1, "kind": "其他材料", "files": []any{f}}).into(t, &row)
	return row.ID
}

// report is one that has been handed in.
func (w *matrixWorld) report(t *testing.T, memberID string) string {
	t.Helper()
	r := &model.ThoughtReport{
		Base:     model.Base{ID: fmt.Sprint("matrix-report-", w.serial()), OrgID: w.org["own"], Orgs: []string{w.org["root"], w.org["parent"], w.org["own"]}},
		OfMember: model.OfMember{MemberID: memberID}, Quarter: "2026Q1", Title: "汇报", Content: "正文", State: model.ReportSubmitted,
	}
	if err := model.NewCollection[*model.ThoughtReport](w.platform.DB, "thoughtReports", w.platform.Clock.Now).Insert(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// submit hands something in as a member.
func (w *matrixWorld) submit(t *testing.T, c *caller, typ string, doc map[string]any) string {
	t.Helper()
	var row struct{ ID string }
	w.do(c, "POST", phoneRecords+typ, doc).into(t, &row)
	return row.ID
}

// matrixWorld is the world with a session for every column and a record of own for
// every route.
type matrixWorld struct {
	*world
	by    map[string]*caller
	ids   map[string]string
	asked map[string]string // what admins asked to be done, by request id
}

func newMatrixWorld(t *testing.T) *matrixWorld {
	w := &matrixWorld{world: newWorld(t), by: map[string]*caller{}, ids: map[string]string{}, asked: map[string]string{}}
	unbound := w.newPhone(t)
	w.by["visitor"], w.by["unbound"], w.by["member"], w.by["other"], w.by["top"] = &caller{}, &unbound.caller, &w.m1.caller, &w.m2.caller, w.top
	for _, org := range []string{"sibling", "child", "own", "parent"} {
		w.by[org] = w.admin(t, "matrix-"+org, org, "*")
	}
	w.by["bare"] = w.admin(t, "matrix-bare", "own", "statistics.view")
	maps.Copy(w.ids, w.org)
	now := w.platform.Clock.Now()
	w.ids["m1"], w.ids["month"] = w.m1.id, kit.Month(now)
	w.ids["m3"] = w.bound(t, "丙三", "own").id
	w.ids["order"] = w.order(t, w.m1.id)
	w.ids["meeting"], w.ids["draft"] = w.meeting(t), w.meeting(t)
	w.do(w.by["own"], "POST", "/api/console/records/meeting/"+w.ids["meeting"]+"/actions/start", nil).into(t, &struct{}{})
	w.ids["study"] = w.study(t)
	w.ids["exam"], w.ids["question"] = w.exam(t)
	w.do(w.by["own"], "POST", "/api/console/records/exam/"+w.ids["exam"]+"/actions/enable", nil).into(t, &struct{}{})
	w.ids["notice"] = w.notice(t)
	w.ids["case"] = developing(t, w)
	return w
}

// lack lets bare have every permission of the product but those, for the next request.
func (w *matrixWorld) lack(t *testing.T, lacks func(permission string) bool) {
	t.Helper()
	token := w.by["bare"].cookie
	r, err := w.services.Account.Authenticate(kit.AsSystem(t.Context()), &account.TokenReq{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	c := kit.CallerFrom(r)
	c.Permissions = slices.DeleteFunc(w.permissions(t), lacks)
	w.identities.put(token, c, time.Now())
}

// permissions are all that the product asks for.
func (w *matrixWorld) permissions(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, r := range w.Routes() {
		if r.Permission() != "" {
			all = append(all, r.Permission())
		}
	}
	for _, i := range w.types(t) {
		for _, verb := range recordVerbs {
			all = append(all, i.Type+"."+verb)
		}
		for _, p := range i.Permissions {
			all = append(all, p.Key)
		}
	}
	return all
}

// types are the record types of every service.
func (w *matrixWorld) types(t *testing.T) []*records.TypeInfo {
	t.Helper()
	infos, err := w.services.Types(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return infos
}

// recordVerbs are the permissions of record types, by route.
var recordVerbs = map[string]string{
	"GET /schema": "view", "GET ": "view", "GET /:id": "view", "POST ": "create", "PUT /:id": "update", "POST /delete": "delete",
	"GET /export": "export", "GET /template": "import", "POST /import": "import", "GET /imports/:id": "import", "GET /imports/:id/failures": "import",
	"GET /imports/:id/preview": "import", "POST /imports/:id/mend": "import", "POST /imports/:id/confirm": "import", "POST /imports/:id/cancel": "import",
	"GET /files/:fileId": "view", "POST /:id/reveal": "reveal",
}

// order enters dues of this month for a member of own.
func (w *matrixWorld) order(t *testing.T, memberID string) string {
	t.Helper()
	month := kit.Month(w.platform.Clock.Now())
	w.create(t, w.by["own"], "duesBase", map[string]any{"memberId": memberID, "effectiveMonth": month, "baseAmount": 100000})
	var o struct{ ID string }
	w.do(w.by["own"], "POST", "/api/console/dues/orders", map[string]any{"memberId": memberID, "toMonth": month}).into(t, &o)
	return o.ID
}

// study is a task of own's that m1 has to complete.
func (w *matrixWorld) study(t *testing.T) string {
	t.Helper()
	now := w.platform.Clock.Now()
	return w.create(t, w.by["own"], "studyTask", map[string]any{
		"title": "矩阵", "content": "<p>学习</p>", "startAt": now.Add(-time.Hour).Format(time.RFC3339), "endAt": now.Add(time.Hour).Format(time.RFC3339),
		"noticeForm": []string{"site"}, "participantIds": []string{w.m1.id},
	})
}

// exam is one of own's that m1 has to sit, and a question of it.
func (w *matrixWorld) exam(t *testing.T) (id, question string) {
	t.Helper()
	category := w.create(t, w.by["top"], "questionCategory", map[string]any{"name": fmt.Sprint("矩阵", w.serial())})
	var ids []string
	for range 10 {
		ids = append(ids, w.create(t, w.by["own"], "question", map[string]any{"questionType": "judge", "stem": fmt.Sprint("矩阵", w.serial()), "answers": []string{"right"}, "categoryId": category}))
	}
	return w.create(t, w.by["own"], "exam", map[string]any{
		"title": "矩阵", "categoryId": category, "questionCount": "10", "selectMode": "manual", "questionIds": ids, "receiverIds": []string{w.m1.id},
		"deadlineAt": w.platform.Clock.Now().Add(6 * time.Hour).Format(time.RFC3339),
	}), ids[0]
}

// meeting makes a draft of own that m1 takes part in.
func (w *matrixWorld) meeting(t *testing.T) string {
	t.Helper()
	now := w.platform.Clock.Now()
	return w.create(t, w.by["own"], "meeting", map[string]any{
		"title": "会议", "meetingType": "branch", "meetingForm": "offline", "place": "会议室", "agenda": "议题",
		"startAt": now.Add(-time.Minute).Format(time.RFC3339), "endAt": now.Add(time.Hour).Format(time.RFC3339),
		"needSignIn": true, "needRegistration": false, "noticeForm": []string{"site"}, "participantIds": []string{w.m1.id},
	})
}

// notice tells m1 something and returns the id of what he was told.
func (w *matrixWorld) notice(t *testing.T) string {
	t.Helper()
	payload, err := json.Marshal(model.Told{
		Kind: "meetingStarted", Title: "会议", TargetType: "meeting", TargetID: w.ids["meeting"], MemberIDs: []string{w.m1.id}, Channels: []string{"site"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.services.Notify.HandleEvents(kit.AsSystem(t.Context()), &records.Events{Events: []*records.Event{{
		Id: "matrix", Kind: model.EventTold, OrgId: w.org["own"], At: w.platform.Clock.Now().UnixMilli(), Payload: payload,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Notifications []struct{ ID string } }
	w.do(w.by["member"], "GET", "/api/member/notifications", nil).into(t, &list)
	if len(list.Notifications) == 0 {
		t.Fatal("m1 was told nothing")
	}
	return list.Notifications[0].ID
}

// first is the id of the first record of a type.
func (w *matrixWorld) first(t *testing.T, typ string) string {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	w.do(w.top, "GET", "/api/console/records/"+typ, nil).into(t, &list)
	if len(list.Items) == 0 {
		t.Fatalf("there is no %s", typ)
	}
	return list.Items[0].ID
}

// mine is the first record of a type that m1 sees among his own, "" for none.
func (w *matrixWorld) mine(t *testing.T, typ string) string {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	w.do(w.by["member"], "GET", phoneRecords+typ, nil).into(t, &list)
	if len(list.Items) == 0 {
		return ""
	}
	return list.Items[0].ID
}

// schema is what the pages know of a type.
type schema struct {
	Fields []struct {
		Key, Label, Type, Ref string
		Required, Form        bool
		Options               []struct{ Value string }
	}
	Permissions map[string]bool
	Actions     []struct {
		Key         string
		Related     []related
		Opens, File bool
	}
	Related []related
}

type related struct{ Type, Field, Year string }

const (
	consoleRecords = "/api/console/records/"
	phoneRecords   = "/api/member/records/"
)

func (w *matrixWorld) schema(t *testing.T, c *caller, base, typ string) schema {
	t.Helper()
	var s schema
	w.do(c, "GET", base+typ+"/schema", nil).into(t, &s)
	return s
}

// sample is a record of a type that belongs to own, made by its admin, or by m1 where
// members only make them.
func (w *matrixWorld) sample(t *testing.T, typ string) string {
	t.Helper()
	if f := samples[typ]; f != nil {
		return f(t, w)
	}
	if s := w.schema(t, w.top, consoleRecords, typ); s.Permissions["create"] {
		c := w.by["own"]
		if _, global := deviations[typ]["GET "]; global {
			c = w.top
		}
		return w.fillIn(t, c, consoleRecords, typ, s)
	}
	return w.ownSample(t, typ)
}

// ownSample is a record that m1 sees among his own.
func (w *matrixWorld) ownSample(t *testing.T, typ string) string {
	t.Helper()
	if f := ownSamples[typ]; f != nil {
		return f(t, w)
	}
	m1 := w.by["member"]
	s := w.schema(t, m1, phoneRecords, typ)
	if samples[typ] == nil && s.Permissions["create"] {
		return w.fillIn(t, m1, phoneRecords, typ, s)
	}
	id := w.sample(t, typ)
	if !w.lists(t, m1, phoneRecords+typ, id) {
		t.Fatalf("write a sample of %s beside the matrix that m1 sees among his own", typ)
	}
	return id
}

// fillIn makes a record by filling in what its form requires.
func (w *matrixWorld) fillIn(t *testing.T, c *caller, base, typ string, s schema) string {
	t.Helper()
	doc := map[string]any{}
	for _, f := range s.Fields {
		if f.Form && (f.Required || f.Key == "orgId" || f.Ref == "member") {
			doc[f.Key] = w.value(t, f.Type, f.Ref, f.Options)
		}
	}
	r := w.do(c, "POST", base+typ, doc)
	if r.status != http.StatusOK {
		t.Fatalf("write a sample of %s beside the matrix; filling in what its form requires does not do: %v: %d %s", typ, doc, r.status, r.body)
	}
	var row struct{ ID string }
	r.into(t, &row)
	return row.ID
}

// value fills in a field of a form.
func (w *matrixWorld) value(t *testing.T, typ, ref string, options []struct{ Value string }) any {
	now := w.platform.Clock.Now()
	switch typ {
	case "int":
		return 1
	case "money":
		return 100
	case "bool":
		return false
	case "date":
		return now.AddDate(0, 0, -1).Format(time.DateOnly)
	case "month":
		return kit.Month(now)
	case "datetime":
		return now.Add(time.Hour).Format(time.RFC3339)
	case "phone":
		return fmt.Sprintf("199%08d", w.serial())
	case "idNumber":
		return w.invent("").idNumber
	case "enum":
		return options[0].Value
	case "enums":
		return []string{options[0].Value}
	case "ref":
		return w.refer(t, ref)
	case "refs":
		return []string{w.refer(t, ref)}
	case "scores":
		var list []map[string]any
		for _, o := range options {
			list = append(list, map[string]any{"aspect": o.Value, "score": 5})
		}
		return list
	}
	return fmt.Sprintf("样本%d", w.serial())
}

func (w *matrixWorld) refer(t *testing.T, ref string) string {
	switch ref {
	case "organization":
		return w.org["own"]
	case "member":
		return w.m1.id
	}
	return w.sample(t, ref)
}

// fill puts the fixture's ids in the place of their names.
func (w *matrixWorld) fill(s string) string {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(w.ids))) { // $meeting before $m…
		s = strings.ReplaceAll(s, "$"+name, w.ids[name])
	}
	return s
}

// address is the path of a line with its ids filled in: those of the query one by one,
// separated by /, unless it is a query.
func (w *matrixWorld) address(c cells, prefix string) (method, path string) {
	method, path, _ = strings.Cut(c.route, " ")
	query := w.fill(c.query)
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i], query, _ = strings.Cut(query, "/")
		}
	}
	path = prefix + strings.Join(parts, "/")
	if query != "" {
		path += "?" + query
	}
	return method, path
}

// verdict is how the matrix calls a status.
func verdict(status int) string {
	switch status {
	case 401, 403, 404, 429:
		return fmt.Sprint(status)
	}
	if status >= 500 {
		return fmt.Sprint(status)
	}
	return "ok"
}

// again is a session of the same person that may be ended.
func (w *matrixWorld) again(t *testing.T, name string) *caller {
	switch name {
	case "visitor":
		return w.by[name]
	case "unbound":
		return &w.newPhone(t).caller
	case "member", "other":
		return &w.bound(t, "再来", "own").caller
	case "top":
		return w.login(t, "admin", rootPassword)
	}
	return w.login(t, "matrix-"+name, rootPassword)
}

// check asks one line of the matrix as every caller. Those who are refused ask first: a
// refusal must not depend on what the others have done. before runs before each of those
// who are not, and once for all others.
func (w *matrixWorld) check(t *testing.T, c cells, prefix string, lacks func(string) bool, before func(t *testing.T)) {
	t.Helper()
	want := strings.Fields(c.want)
	if len(want) != len(callers) {
		t.Fatalf("%s has %d columns", c.route, len(want))
	}
	if before != nil {
		before(t)
	}
	for _, allowed := range []bool{false, true} {
		for i, name := range callers {
			if (want[i] == "ok") != allowed {
				continue
			}
			who := w.by[name]
			if c.ends {
				who = w.again(t, name)
			}
			if before != nil && allowed {
				before(t)
			}
			if name == "bare" && !c.ends {
				w.lack(t, lacks)
			}
			method, path := w.address(c, prefix)
			var body any
			switch {
			case c.body == "file":
				body = upload{"导入.xlsx", []byte("no workbook")}
			case c.body != "":
				body = w.fill(c.body)
			}
			r := w.do(who, method, path, body)
			if verdict(r.status) != want[i] {
				t.Errorf("%s: %s %s: got %d, want %s: %.200s", name, method, path, r.status, want[i], r.body)
			}
			// Of a form to be corrected nothing is told, nor to whom nobody knows.
			if r.status != 400 && r.status != 401 && method != "GET" && strings.HasPrefix(path, "/api/console/") {
				w.asked[r.header.Get("X-Request-ID")] = fmt.Sprintf("%s, %s %s: %d", name, method, path, r.status)
			}
		}
	}
}

func TestPermissionMatrix(t *testing.T) {
	w := newMatrixWorld(t)
	t.Run("every route has a line", func(t *testing.T) {
		has := map[string]bool{}
		for _, c := range matrix {
			has[c.route] = true
		}
		for base, lines := range map[string][]line{consoleRecords: recordMatrix, phoneRecords: phoneMatrix} {
			for _, l := range lines {
				method, path, _ := strings.Cut(l.route, " ")
				has[method+" "+base+":type"+path] = true
			}
		}
		for _, r := range w.Routes() {
			key := r.Method + " " + r.Path
			if !has[key] {
				t.Errorf("%s (%s) has no line in the permission matrix", key, r.Title)
			}
			delete(has, key)
		}
		for key := range has {
			t.Errorf("%s is in the matrix and no route", key)
		}
	})
	permissions := map[string]string{}
	for _, r := range w.Routes() {
		permissions[r.Method+" "+r.Path] = r.Permission()
	}
	for _, c := range matrix {
		t.Run(c.name(), func(t *testing.T) {
			w.check(t, c, "", func(p string) bool { return p == permissions[c.route] }, nil)
		})
	}
	known := map[string]bool{}
	for _, i := range w.types(t) {
		known[i.Type] = true
		t.Run(i.Type, func(t *testing.T) {
			w.ofConsole(t, i.Type)
			w.ofPhone(t, i)
		})
	}
	for typ := range deviations {
		if !known[typ] {
			t.Errorf("there is no record type %s to deviate", typ)
		}
	}
	t.Run("what an admin did, or was refused, is a fact of the audit", func(t *testing.T) {
		told := w.told(t)
		for id, what := range w.asked {
			if !told[id] && !slices.ContainsFunc(untold, func(path string) bool { return strings.Contains(what, path) }) {
				t.Error(what)
			}
		}
		if len(w.asked) < 500 {
			t.Errorf("%d requests only", len(w.asked))
		}
	})
}

// untold are the requests that are no fact of the audit: they change nothing (the member's
// order is there and found again), or only what is the admin's own. What an import tells
// it tells when it is over, which nobody waits for here.
var untold = []string{"/console/captcha", "/console/home", "/console/notifications/", "/dues/base-preview", "/exams/draw", "/exams/questions", "/member/exams/", "/dues/orders: 200", "/dues/sheet: 200", "/upload", "/import"}

// told are the ids of the requests that the audit tells of. No worker runs here, so that
// its facts still are in the documents that they are about, or in the inbox.
func (w *matrixWorld) told(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, i := range append(w.types(t), &records.TypeInfo{Collection: "checkIns"}) {
		if i.Collection == "" { // it emits nothing
			continue
		}
		cur, err := w.platform.DB.Collection(i.Collection).Find(t.Context(), bson.D{{Key: "pending.kind", Value: model.EventAudited}})
		if err != nil {
			t.Fatal(err)
		}
		var docs []struct{ Pending []model.Event }
		if err := cur.All(t.Context(), &docs); err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			for _, e := range d.Pending {
				var f model.AuditFact
				if err := json.Unmarshal(e.Payload, &f); e.Kind == model.EventAudited && err != nil {
					t.Fatal(err)
				}
				out[f.RequestID] = true
			}
		}
	}
	cur, err := w.platform.DB.Collection(model.AuditInbox).Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var noted []trail.Noted
	if err := cur.All(t.Context(), &noted); err != nil {
		t.Fatal(err)
	}
	for _, n := range noted {
		out[n.Fact.RequestID] = true
	}
	return out
}

// ofConsole checks the console's routes of a record type.
func (w *matrixWorld) ofConsole(t *testing.T, typ string) {
	prefix := consoleRecords + typ
	s := w.schema(t, w.top, consoleRecords, typ)
	w.ids["sample"] = w.sample(t, typ)
	w.ids["import"] = "none"
	if s.Permissions["import"] {
		var b struct{ ID string }
		w.do(w.by["own"], "POST", prefix+"/import", upload{"导入.xlsx", []byte("no workbook")}).into(t, &b)
		w.ids["import"] = b.ID
	}
	if _, everybodys := deviations[typ]["GET "]; !everybodys {
		t.Run("lists show it to those above only", func(t *testing.T) {
			for _, name := range []string{"sibling", "child", "own", "parent", "top"} {
				sees := w.lists(t, w.by[name], prefix, w.ids["sample"])
				if want := name != "sibling" && name != "child"; sees != want {
					t.Errorf("%s sees it: %v", name, sees)
				}
			}
		})
	}
	t.Run("the lists below it are of types and fields that there are", func(t *testing.T) {
		all := s.Related
		for _, a := range s.Actions {
			all = append(all, a.Related...)
		}
		for _, r := range all {
			if r.Type == "" { // nothing is recorded yet
				continue
			}
			for key, value := range map[string]string{r.Field: "none", r.Year: "2026-01-01,2026-12-31"} {
				want := http.StatusOK
				if key == "" {
					want = http.StatusBadRequest
				}
				if a := w.do(w.top, "GET", consoleRecords+r.Type+"?f."+key+"="+value, nil); a.status != want {
					t.Errorf("%s by %q: %d %s", r.Type, key, a.status, a.body)
				}
			}
		}
	})
	for _, l := range recordMatrix {
		if want, ok := deviations[typ][l.name()]; ok {
			l.want = want
		} else if want, ok := deviations[typ][l.route]; ok {
			l.want = want
		} else if l.verb != "" && !s.Permissions[l.verb] {
			l.want = l.without
		}
		t.Run(l.name(), func(t *testing.T) {
			lacks := func(p string) bool {
				// Who decides on a record may see it in full.
				return p == typ+"."+recordVerbs[l.route] || l.verb == "reveal" && p == typ+".approve"
			}
			w.check(t, l.cells, prefix, lacks, w.refresh(l, func(t *testing.T) string { return w.sample(t, typ) }))
		})
	}
	for _, a := range s.Actions {
		if len(a.Related) > 0 || a.Opens || w.typedAction(typ, a.Key) { // the lists it opens check for themselves
			continue
		}
		l := line{cells: cells{route: "POST /:id/actions/:action", want: scoped, query: "$fresh/" + a.Key, body: `{}`}}
		if a.File {
			l = line{cells: cells{route: "GET /:id/print/:action", want: scoped, query: "$fresh/" + a.Key}}
		}
		if want, ok := deviations[typ]["action "+a.Key]; ok {
			l.want = want
		} else if _, everybodys := deviations[typ]["GET "]; everybodys {
			l.want = topOnly
		}
		t.Run(l.name(), func(t *testing.T) {
			// All of the type's own but to see it: which one an action asks for is its own affair.
			lacks := func(p string) bool {
				return strings.HasPrefix(p, typ+".") && p != typ+".view" || p == borrowed[typ+" "+a.Key]
			}
			w.check(t, l.cells, prefix, lacks, w.refresh(l, func(t *testing.T) string { return w.sample(t, typ) }))
		})
	}
}

// typedAction tells whether a button has a use case with a line of its own.
func (w *matrixWorld) typedAction(typ, key string) bool {
	return slices.Contains(typedActions[typ], key) || slices.ContainsFunc(w.Routes(), func(r route.Route) bool {
		return !strings.Contains(r.Path, ":type") && strings.HasSuffix(r.Path, "/"+key)
	})
}

// refresh makes $fresh another record, for lines that use theirs up.
func (w *matrixWorld) refresh(l line, sample func(*testing.T) string) func(*testing.T) {
	if !strings.Contains(l.body+l.query, "$fresh") {
		return nil
	}
	if !strings.Contains(l.want, "ok") { // nobody will
		w.ids["fresh"] = w.ids["sample"]
		return nil
	}
	return func(t *testing.T) { w.ids["fresh"] = sample(t) }
}

// ofPhone checks the members' routes of a record type.
func (w *matrixWorld) ofPhone(t *testing.T, i *records.TypeInfo) {
	prefix := phoneRecords + i.Type
	var s schema
	if i.Own {
		s = w.schema(t, w.by["member"], phoneRecords, i.Type)
		w.ids["sample"] = w.ownSample(t, i.Type)
	}
	lines := slices.Clone(phoneMatrix)
	for _, a := range s.Actions {
		if !w.typedAction(i.Type, a.Key) {
			lines = append(lines, line{cells: cells{route: "POST /:id/actions/:action", want: mine, query: "$fresh/" + a.Key, body: `{}`}})
		}
	}
	for _, l := range lines {
		if want, ok := deviations[i.Type]["m "+l.route]; ok {
			l.want = want
		} else if !i.Own && l.want != nowhere || l.verb != "" && !s.Permissions[l.verb] {
			l.want = closed
		}
		t.Run("m "+l.name(), func(t *testing.T) {
			w.check(t, l.cells, prefix, func(string) bool { return false }, w.refresh(l, func(t *testing.T) string { return w.ownSample(t, i.Type) }))
		})
	}
}

// lists tells whether any page of a list holds a record.
func (w *matrixWorld) lists(t *testing.T, c *caller, prefix, id string) bool {
	t.Helper()
	for page := 1; ; page++ {
		var list struct{ Items []struct{ ID string } }
		w.do(c, "GET", fmt.Sprintf("%s?size=100&page=%d", prefix, page), nil).into(t, &list)
		for _, x := range list.Items {
			if x.ID == id {
				return true
			}
		}
		if len(list.Items) < 100 {
			return false
		}
	}
}
