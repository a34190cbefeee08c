package party_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/server"
	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/idl/gen/development"
	developmentsvc "zhihuidangjian/idl/gen/development/development"
	"zhihuidangjian/idl/gen/notify"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	gen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/party"
)

// smsBox is a notify service that keeps what it was to send.
type smsBox struct {
	notifysvc.Client
	mu   sync.Mutex
	sent []*notify.SMSReq
}

func (b *smsBox) SendSMS(_ context.Context, req *notify.SMSReq) (*recordsgen.Empty, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, req)
	return &recordsgen.Empty{}, nil
}

func (b *smsBox) code() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sent) == 0 {
		return ""
	}
	return b.sent[len(b.sent)-1].Params["code"]
}

// house is a party service on a store of its own: root R, general branch P with the
// branches A and B, and general branch Q.
type house struct {
	gen.Party
	recordsgen.Records
	t     *testing.T
	db    *mongo.Database
	deps  party.Deps
	svc   *party.Service
	sms   *smsBox
	clock *kit.Clock
	ids   map[string]string // organisation name → id
}

// serve lets the house call a service.
func (h *house) serve(svc *party.Service, codec bool) {
	l := kit.NewLocal(func(s server.Server) error {
		return errors.Join(partysvc.RegisterService(s, svc), recordsvc.RegisterService(s, svc))
	})
	l.Codec = codec
	h.svc, h.Party, h.Records = svc, partysvc.Wrap(l), recordsvc.Wrap(l)
}

func newHouse(t *testing.T, codec bool) *house {
	t.Helper()
	h := &house{t: t, db: modeltest.DB(t), sms: &smsBox{}, clock: &kit.Clock{}, ids: map[string]string{}}
	blobs, err := blob.Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h.deps = party.Deps{DB: h.db, Redis: modeltest.Redis(t), Clock: h.clock, Seal: modeltest.Sealer(t), Notify: h.sms, Blobs: blobs, Development: noCases{}}
	svc, err := party.New(h.deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(svc.Close)
	h.serve(svc, codec)
	h.ids["R"] = model.RootOrg
	if err := svc.EnsureRoot(system()); err != nil {
		t.Fatal(err)
	}
	for _, o := range [][3]string{{"P", "generalBranch", "R"}, {"Q", "generalBranch", "R"}, {"A", "branch", "P"}, {"B", "branch", "P"}} {
		row := h.mustSave(h.admin("R"), "organization", "", 0, org(o[0], o[1], h.ids[o[2]]))
		h.ids[o[0]] = row["id"].(string)
	}
	return h
}

// noCases takes who begins, and opens no case.
type noCases struct{ developmentsvc.Client }

func (noCases) BeginCase(context.Context, *development.BeginReq) (*recordsgen.Empty, error) {
	return &recordsgen.Empty{}, nil
}

// both runs a test in process and through the codec.
func both(t *testing.T, f func(t *testing.T, h *house)) {
	for _, codec := range []bool{false, true} {
		t.Run(fmt.Sprintf("codec=%v", codec), func(t *testing.T) { f(t, newHouse(t, codec)) })
	}
}

func system() context.Context {
	return kit.WithCaller(context.Background(), kit.Caller{Kind: kit.System})
}

// path is the path from the root to a named organisation.
func (h *house) path(name string) []string {
	o, err := h.GetOrganization(system(), &gen.OrgReq{OrgId: h.ids[name]})
	if err != nil {
		h.t.Fatalf("organisation %s: %v", name, err)
	}
	return o.Orgs
}

func (h *house) admin(name string, permissions ...string) context.Context {
	h.t.Helper()
	c := kit.Caller{Kind: kit.User, UserID: "admin" + name, Name: name + "管理员", OrgID: h.ids[name], TopLevel: name == "R", Permissions: permissions}
	if permissions == nil {
		c.Permissions = []string{"*"}
	}
	c.Orgs = []string{h.ids["R"]}
	if name != "R" {
		c.Orgs = h.path(name)
	}
	return kit.WithCaller(context.Background(), c)
}

func org(name, kind, parent string) map[string]any {
	return map[string]any{"orgName": name, "orgType": kind, "parentId": parent, "secretary": "书记" + name,
		"contactName": "联系人" + name, "contactPhone": "19900001234", "unknownField": "ignored"}
}

// idNumber is a valid ID number of nobody; even serials are women.
func idNumber(serial int) string {
	d := fmt.Sprintf("990101198%d0%d01%03d", serial/1000%10, 1+serial/10000%9, serial%1000)
	return d + string(model.IDCheck(d))
}

func member(name string, serial int, orgID string) map[string]any {
	return map[string]any{"name": name, "idNumber": idNumber(serial), "phone": fmt.Sprintf("1990%07d", serial), "orgId": orgID,
		"memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01", "duesPaidThrough": "2026-08"}
}

func (h *house) save(ctx context.Context, typ, id string, version int64, doc map[string]any) (map[string]any, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.Save(ctx, &recordsgen.SaveReq{Type: typ, Id: id, Version: version, Json: b})
	if err != nil {
		return nil, err
	}
	return decode(h.t, r), nil
}

func (h *house) mustSave(ctx context.Context, typ, id string, version int64, doc map[string]any) map[string]any {
	h.t.Helper()
	row, err := h.save(ctx, typ, id, version, doc)
	if err != nil {
		h.t.Fatalf("save %s %v: %v %v", typ, doc, err, kit.FromError(err).Fields)
	}
	return row
}

func decode(t *testing.T, r *recordsgen.JSON) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.Json, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (h *house) list(ctx context.Context, req *recordsgen.ListReq) (names []string, total int) {
	h.t.Helper()
	r, err := h.List(ctx, req)
	if err != nil {
		h.t.Fatalf("list: %v", err)
	}
	m := decode(h.t, r)
	for _, x := range m["items"].([]any) {
		row := x.(map[string]any)
		if n, ok := row["orgName"]; ok {
			names = append(names, n.(string))
		} else {
			names = append(names, row["name"].(string))
		}
	}
	return names, int(m["total"].(float64))
}

func wantErr(t *testing.T, err error, want *kit.Error, about string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got %v, want %s", about, err, want.Key)
	}
}

func wantField(t *testing.T, err error, field, part string) {
	t.Helper()
	if got := kit.FromError(err).Fields[field]; err == nil || !strings.Contains(got, part) {
		t.Fatalf("field %s says %q (%v), want %q", field, got, err, part)
	}
}

// sheet makes a workbook with one sheet of rows.
func sheet(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetSheetName("Sheet1", "导入模板"); err != nil {
		t.Fatal(err)
	}
	w, err := f.NewStreamWriter("导入模板")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readSheet(t *testing.T, data []byte, name string) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if name == "" {
		name = f.GetSheetName(0)
	}
	rows, err := f.GetRows(name)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

var (
	orgHeader    = []any{"组织名称", "组织性质", "上级组织", "负责人", "负责人电话", "联系人", "联系电话", "地址"}
	memberHeader = []any{"姓名", "性别", "身份证号", "民族", "学历", "手机号", "所在支部", "所在单位", "党员类型", "入党日期", "转正日期", "党费缴纳至日期"}
)

func memberRow(name string, serial int, orgName string) []any {
	return []any{name, "", idNumber(serial), "汉族", "本科", fmt.Sprintf("1990%07d", serial), orgName, "", "正式党员", "2010-07-01", "2011/7/1", "2026-08"}
}

// upload imports a workbook and waits for its end.
func (h *house) upload(ctx context.Context, typ string, data []byte) *recordsgen.ImportBatch {
	h.t.Helper()
	b, err := h.StartImport(ctx, &recordsgen.ImportReq{Type: typ, FileName: "file.xlsx", Data: data})
	if err != nil {
		h.t.Fatalf("start import: %v", err)
	}
	return h.await(ctx, b)
}

func (h *house) await(ctx context.Context, b *recordsgen.ImportBatch) *recordsgen.ImportBatch {
	h.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for b.State == "queued" || b.State == "running" {
		select {
		case <-deadline:
			h.t.Fatalf("import did not end: %+v", b)
		case <-tick.C:
		}
		var err error
		if b, err = h.GetImport(ctx, &recordsgen.IDReq{Type: b.Type, Id: b.Id}); err != nil {
			h.t.Fatalf("import progress: %v", err)
		}
	}
	return b
}

func (h *house) count(collection string, filter bson.D) int64 {
	h.t.Helper()
	n, err := h.db.Collection(collection).CountDocuments(context.Background(), filter)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}
