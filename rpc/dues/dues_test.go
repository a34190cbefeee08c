package dues_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	gen "zhihuidangjian/idl/gen/dues"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/dues"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/wechat"
	"zhihuidangjian/rpc/wechat/sim"
)

const font = "/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf"

// party is the party service as dues sees it, in memory.
type party struct {
	partysvc.Client
	mu      sync.Mutex
	members map[string]*partygen.Member
	orgs    map[string]*partygen.Organization
	fail    error // of SetDuesPaidThrough
}

func (p *party) GetMember(_ context.Context, req *partygen.MemberReq) (*partygen.Member, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.members[req.MemberId]
	if m == nil {
		return nil, kit.ErrNotFound
	}
	c := *m
	return &c, nil
}

func (p *party) masked(keep func(*partygen.Member) bool) *partygen.Members {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &partygen.Members{}
	for _, m := range p.members {
		if keep(m) {
			c := *m
			c.IdNumber = model.MaskID(c.IdNumber)
			out.Members = append(out.Members, &c)
		}
	}
	return out
}

func (p *party) GetMembers(_ context.Context, req *partygen.MembersReq) (*partygen.Members, error) {
	return p.masked(func(m *partygen.Member) bool { return slices.Contains(req.MemberIds, m.Id) }), nil
}

func (p *party) ListMembers(_ context.Context, req *partygen.OrgReq) (*partygen.Members, error) {
	return p.masked(func(m *partygen.Member) bool { return slices.Contains(m.Orgs, req.OrgId) && m.Status == "active" }), nil
}

func (p *party) GetOrganization(_ context.Context, req *partygen.OrgReq) (*partygen.Organization, error) {
	if o := p.orgs[req.OrgId]; o != nil {
		return o, nil
	}
	return nil, kit.ErrNotFound
}

func (p *party) GetPlaces(ctx context.Context, req *partygen.PlacesReq) (*partygen.OrgPlaces, error) {
	out := &partygen.OrgPlaces{}
	for _, id := range req.OrgIds {
		if o, err := p.GetOrganization(ctx, &partygen.OrgReq{OrgId: id}); err == nil {
			out.Places = append(out.Places, &partygen.OrgPlace{Id: o.Id, OrgName: o.OrgName, Orgs: o.Orgs})
		}
	}
	return out, nil
}

func (p *party) GetTree(_ context.Context, req *partygen.OrgReq) (*partygen.Tree, error) {
	root, out := p.orgs[req.OrgId], &partygen.Tree{}
	if req.OrgId == "" {
		root = p.orgs["root"]
	}
	if root == nil {
		return nil, kit.ErrNotFound
	}
	add := func(o *partygen.Organization) {
		n := &partygen.TreeNode{Id: o.Id, OrgName: o.OrgName}
		if len(o.Orgs) > 1 {
			n.ParentId = o.Orgs[len(o.Orgs)-2]
		}
		out.Nodes = append(out.Nodes, n)
	}
	add(root)
	for _, o := range p.orgs {
		if o != root && slices.Contains(o.Orgs, root.Id) {
			add(o)
		}
	}
	return out, nil
}

func (p *party) SetDuesPaidThrough(_ context.Context, req *partygen.PaidThroughReq) (*recordsgen.Empty, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return nil, p.fail
	}
	m := p.members[req.MemberId]
	if !req.Force && m.DuesPaidThrough != req.FromMonth {
		return nil, kit.ErrConflict
	}
	m.DuesPaidThrough = req.Month
	return &recordsgen.Empty{}, nil
}

func (p *party) through(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.members[id].DuesPaidThrough
}

func (p *party) failing(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

// world is the service on a real store with the simulator of WeChat Pay behind HTTP.
type world struct {
	testing.TB
	*dues.Service
	db    *mongo.Database
	party *party
	clock *kit.Clock
	sim   *sim.Sim
	user  sim.User          // the WeChat account of m1
	gate  wechat.PayGateway // to WeChat, past the service
}

// newWorld starts at noon of 2024-06-15 with a committee, two branches, members m1, m2 of
// b1 and m3 of b2, all paid through 2024-03.
func newWorld(t testing.TB, change ...func(*dues.Deps)) *world {
	w := &world{TB: t, clock: &kit.Clock{}, db: modeltest.DB(t)}
	w.at("2024-06-15 12:00")
	w.party = &party{members: map[string]*partygen.Member{}, orgs: map[string]*partygen.Organization{}}
	for id, path := range map[string][]string{"root": {"root"}, "b1": {"root", "b1"}, "b2": {"root", "b2"}} {
		w.party.orgs[id] = &partygen.Organization{Id: id, OrgName: map[string]string{"root": "中共示范市委员会", "b1": "第一支部", "b2": "第二支部"}[id], Orgs: path}
	}
	for id, m := range map[string]struct{ name, org, idNumber string }{
		"m1": {"张三", "b1", "11010519491231002X"}, "m2": {"李四", "b1", "440524188001010014"}, "m3": {"王五", "b2", "34052419800101001X"},
	} {
		w.party.members[id] = &partygen.Member{
			Id: id, Name: m.name, IdNumber: m.idNumber, OrgId: m.org, OrgName: w.party.orgs[m.org].OrgName, Orgs: w.party.orgs[m.org].Orgs,
			MemberType: "fullMember", Status: "active", DuesPaidThrough: "2024-03", DuesCategory: "salaried", CommitteeName: "中共示范市委员会",
		}
	}
	var err error
	if w.sim, err = sim.New(sim.Options{Now: w.clock.Now, Keys: keys()}); err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(w.sim.Handler())
	t.Cleanup(gateway.Close)
	public := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		headers := map[string]string{}
		for k := range r.Header {
			headers[k] = r.Header.Get(k)
		}
		if _, err := w.HandlePayNotice(kit.AsSystem(r.Context()), &gen.Notice{Headers: headers, Body: body}); err != nil {
			rw.WriteHeader(int(kit.FromError(err).Code / 100))
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(public.Close)
	conf := w.sim.Config(gateway.URL, public.URL)
	client, err := wechat.New(conf, modeltest.Redis(t), w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.gate = client.Pay
	blobs, err := blob.Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	deps := dues.Deps{
		DB: w.db, Blobs: blobs, Clock: w.clock, Seal: modeltest.Sealer(t), Party: w.party, Pay: client.Pay, Notify: client.Notify,
		AppID: conf.AppID, MiniAppID: conf.MiniAppID, MchID: conf.MchID, FontPath: font,
	}
	for _, f := range change {
		f(&deps)
	}
	w.Service, err = dues.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.user = w.sim.CreateUser("张三", "13800000001")
	return w
}

// keys are made once: RSA takes its time.
var keys = sync.OnceValue(func() *sim.Keys {
	k, err := sim.NewKeys()
	if err != nil {
		panic(err)
	}
	return k
})

// at moves the clock.
func (w *world) at(s string) {
	w.Helper()
	to, err := time.ParseInLocation("2006-01-02 15:04", s, kit.Shanghai)
	if err != nil {
		w.Fatal(err)
	}
	w.clock.SetOffset(time.Until(to))
}

// admin is an admin of an organisation with all permissions.
func admin(org string) context.Context {
	path := []string{"root"}
	if org != "root" {
		path = append(path, org)
	}
	return kit.WithCaller(context.Background(), kit.Caller{
		Kind: kit.User, UserID: "admin-" + org, Name: "管理员" + org, OrgID: org, Orgs: path, TopLevel: org == "root", Permissions: []string{"*"},
	})
}

var system = kit.AsSystem(context.Background())

// me is member m1 on a channel.
func (w *world) me(channel string) context.Context {
	app := sim.OfficialAppID
	if channel == "mini" {
		app = sim.MiniAppID
	}
	return kit.WithCaller(context.Background(), kit.Caller{
		Kind: kit.Member, MemberID: "m1", Name: "张三", OpenID: w.sim.OpenID(w.user.ID, app), Channel: channel, OrgID: "b1", Orgs: []string{"root", "b1"},
	})
}

// base adds a base and returns the row.
func (w *world) base(member, month string, fen int64) map[string]any {
	w.Helper()
	row, err := w.save(admin("root"), map[string]any{"memberId": member, "effectiveMonth": month, "baseAmount": fen})
	w.ok(err)
	return row
}

func (w *world) save(ctx context.Context, doc any) (map[string]any, error) {
	w.Helper()
	b, err := json.Marshal(doc)
	w.ok(err)
	r, err := w.Save(ctx, &recordsgen.SaveReq{Type: "duesBase", Json: b})
	if err != nil {
		return nil, err
	}
	var row map[string]any
	w.ok(json.Unmarshal(r.Json, &row))
	return row, nil
}

type list struct {
	Items   []map[string]any
	Total   int64
	Summary map[string]string
}

func (w *world) list(ctx context.Context, typ string, filters map[string]string) list {
	w.Helper()
	r, err := w.List(ctx, &recordsgen.ListReq{Type: typ, Filters: filters})
	w.ok(err)
	var l list
	w.ok(json.Unmarshal(r.Json, &l))
	return l
}

// order enters dues for a member.
func (w *world) order(member, to string) *gen.Order {
	w.Helper()
	o, err := w.CreateOrder(admin("root"), &gen.CreateOrderReq{MemberId: member, ToMonth: to})
	w.ok(err)
	return o
}

func (w *world) cash(id string) *gen.Order {
	w.Helper()
	o, err := w.PayCash(admin("b1"), &gen.OrderReq{Id: id})
	w.ok(err)
	return o
}

// act runs an action of an order, with a reason where it asks for one.
func (w *world) act(ctx context.Context, id, verb, reason string) error {
	w.Helper()
	values, err := json.Marshal(map[string]string{"reason": reason})
	w.ok(err)
	_, err = w.Act(ctx, &recordsgen.ActReq{Type: "duesOrder", Id: id, Action: verb, Json: values})
	return err
}

func (w *world) get(id string) *gen.Order {
	w.Helper()
	o, err := w.GetOrder(admin("root"), &gen.OrderReq{Id: id})
	w.ok(err)
	return o
}

func (w *world) count(collection string, filter bson.D) int64 {
	w.Helper()
	if filter == nil {
		filter = bson.D{}
	}
	n, err := w.db.Collection(collection).CountDocuments(context.Background(), filter)
	w.ok(err)
	return n
}

// ledger is the sum of all lines.
func (w *world) ledger() (sum int64) {
	w.Helper()
	cur, err := w.db.Collection("duesLedger").Find(context.Background(), bson.D{})
	w.ok(err)
	var lines []model.DuesLine
	w.ok(cur.All(context.Background(), &lines))
	for _, l := range lines {
		sum += l.Amount
	}
	return sum
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

func (w *world) status(id, want string) {
	w.Helper()
	if got := w.get(id).Status; got != want {
		w.Fatalf("order is %s, want %s", got, want)
	}
}

// refused checks the message for people.
func refused(t testing.TB, err error, message string) {
	t.Helper()
	var e *kit.Error
	if err == nil || !errors.As(err, &e) {
		t.Fatalf("error %v, want %q", err, message)
	}
	if e.Message != message {
		t.Fatalf("message %q (%v), want %q", e.Message, err, message)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}
