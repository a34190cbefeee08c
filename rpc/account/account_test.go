package account

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/server"

	account "zhihuidangjian/idl/gen/account"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	"zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
)

// fakeParty knows one root, one branch and who is bound.
type fakeParty struct {
	partysvc.Client
	mu    sync.Mutex
	bound map[string]*party.Member // by openid
	asks  int
}

func (f *fakeParty) GetOrganization(_ context.Context, req *party.OrgReq, _ ...callopt.Option) (*party.Organization, error) {
	switch req.OrgId {
	case "root":
		return &party.Organization{Id: "root", OrgName: "党委", Orgs: []string{"root"}}, nil
	case "a", "b":
		return &party.Organization{Id: req.OrgId, OrgName: "支部" + req.OrgId, Orgs: []string{"root", req.OrgId}}, nil
	}
	return nil, kit.ErrNotFound
}

func (f *fakeParty) GetPlaces(ctx context.Context, req *party.PlacesReq, _ ...callopt.Option) (*party.OrgPlaces, error) {
	out := &party.OrgPlaces{}
	for _, id := range req.OrgIds {
		if o, err := f.GetOrganization(ctx, &party.OrgReq{OrgId: id}); err == nil {
			out.Places = append(out.Places, &party.OrgPlace{Id: o.Id, OrgName: o.OrgName, Orgs: o.Orgs})
		}
	}
	return out, nil
}

func (f *fakeParty) FindByOpenID(_ context.Context, req *party.OpenIDReq, _ ...callopt.Option) (*party.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asks++
	if m := f.bound[req.OpenId]; m != nil {
		return m, nil
	}
	return nil, kit.ErrNotFound
}

func (f *fakeParty) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asks
}

const password = "Dangjian#2026"

type fixture struct {
	*Service
	client accountsvc.Client
	party  *fakeParty
}

func setUp(t *testing.T, codec bool) *fixture {
	t.Helper()
	p := &fakeParty{bound: map[string]*party.Member{}}
	s, err := New(Deps{Seal: modeltest.Sealer(t), DB: modeltest.DB(t), Redis: modeltest.Redis(t), Clock: &kit.Clock{}, Party: p, Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.hasher.rest, s.drawing.rest = 0, 0 // nobody else needs the processor
	if created, err := s.EnsureAdmin(context.Background(), "admin", password); err != nil || !created {
		t.Fatalf("first admin: %v %v", created, err)
	}
	local := kit.NewLocal(func(k server.Server) error { return accountsvc.RegisterService(k, s) })
	local.Codec = codec
	return &fixture{s, accountsvc.Wrap(local), p}
}

func visitor() context.Context {
	return kit.WithCaller(context.Background(), kit.Caller{IP: "127.0.0.1", RequestID: "test"})
}

// captcha solves a slide puzzle and returns its token.
func (f *fixture) captcha(t *testing.T) string {
	t.Helper()
	c, err := f.client.DrawCaptcha(visitor(), &recordsgen.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.client.CaptchaAnswerOf(visitor(), &recordsgen.IDReq{Id: c.Id})
	if err != nil {
		t.Fatal(err)
	}
	ok, err := f.client.SolveCaptcha(visitor(), a)
	if err != nil {
		t.Fatal(err)
	}
	return ok.Token
}

func (f *fixture) login(t *testing.T, name, pass string) (*account.Session, error) {
	t.Helper()
	return f.client.Login(visitor(), &account.LoginReq{UserName: name, Password: pass, CaptchaToken: f.captcha(t)})
}

func wantKey(t *testing.T, err error, key, message string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", key)
	}
	if e := kit.FromError(err); e.Key != key || !strings.Contains(e.Message, message) {
		t.Fatalf("got %s %q, want %s %q", e.Key, e.Message, key, message)
	}
}

func TestLogin(t *testing.T) {
	for _, codec := range []bool{false, true} {
		t.Run(map[bool]string{false: "direct", true: "through the codec"}[codec], func(t *testing.T) { testLogin(t, codec) })
	}
}

func testLogin(t *testing.T, codec bool) {
	f := setUp(t, codec)
	t.Run("a right password opens a session of the own organisation", func(t *testing.T) {
		ses, err := f.login(t, "admin", password)
		if err != nil {
			t.Fatal(err)
		}
		who := f.authenticate(t, ses.Token)
		if who.Kind != kit.User || who.OrgID != "root" || !who.TopLevel || ses.Me.OrgName != "党委" {
			t.Fatalf("caller %+v me %+v", who, ses.Me)
		}
	})
	t.Run("an unknown user and a wrong password are told the same", func(t *testing.T) {
		_, err := f.login(t, "nobody", password)
		wantKey(t, err, "login.credentials", "用户名或密码错误")
		_, err = f.login(t, "admin", "wrong")
		wantKey(t, err, "login.credentials", "用户名或密码错误")
	})
	t.Run("AUTH-04 a missing, used, wrong or expired captcha refuses right credentials", func(t *testing.T) {
		try := func(token string) error {
			_, err := f.client.Login(visitor(), &account.LoginReq{UserName: "admin", Password: password, CaptchaToken: token})
			return err
		}
		wantKey(t, try(""), "captcha", "请完成滑块验证")
		wantKey(t, try("made up"), "captcha", "请完成滑块验证")
		token := f.captcha(t)
		if err := try(token); err != nil {
			t.Fatal(err)
		}
		wantKey(t, try(token), "captcha", "请完成滑块验证")

		c, err := f.client.DrawCaptcha(visitor(), &recordsgen.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := f.client.CaptchaAnswerOf(visitor(), &recordsgen.IDReq{Id: c.Id})
		if err != nil {
			t.Fatal(err)
		}
		// Released too early: refused, and the puzzle is used up.
		_, err = f.client.SolveCaptcha(visitor(), &account.CaptchaAnswer{Id: c.Id, X: a.X - 40, Y: a.Y})
		wantKey(t, err, "captcha", "请完成滑块验证")
		_, err = f.client.SolveCaptcha(visitor(), a)
		wantKey(t, err, "captcha", "请完成滑块验证")
	})
	t.Run("five wrong passwords lock the account for ten minutes", func(t *testing.T) {
		f := setUp(t, codec)
		for i := range 4 {
			_, err := f.login(t, "admin", "wrong")
			if i < 4 {
				wantKey(t, err, "login.credentials", "")
			}
		}
		_, err := f.login(t, "admin", "wrong")
		wantKey(t, err, "login.locked", "锁定")
		_, err = f.login(t, "admin", password)
		wantKey(t, err, "login.locked", "锁定")
		f.clock.SetOffset(lockFor + time.Second)
		if _, err := f.login(t, "admin", password); err != nil {
			t.Fatalf("after the lock: %v", err)
		}
	})
}

func (f *fixture) authenticate(t *testing.T, token string) kit.Caller {
	t.Helper()
	r, err := f.client.Authenticate(visitor(), &account.TokenReq{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return kit.CallerFrom(r)
}

func (f *fixture) ended(token string) bool {
	_, err := f.client.Authenticate(visitor(), &account.TokenReq{Token: token})
	return errors.Is(kit.FromError(err), kit.ErrUnauthenticated)
}

func TestSessions(t *testing.T) {
	f := setUp(t, true)
	t.Run("log-out ends a session", func(t *testing.T) {
		ses, err := f.login(t, "admin", password)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.client.Logout(visitor(), &account.TokenReq{Token: ses.Token}); err != nil {
			t.Fatal(err)
		}
		if !f.ended(ses.Token) {
			t.Fatal("the session lives on")
		}
	})
	t.Run("half an idle hour ends an admin's session", func(t *testing.T) {
		ses, err := f.login(t, "admin", password)
		if err != nil {
			t.Fatal(err)
		}
		f.clock.SetOffset(f.clock.Offset() + adminIdle + time.Second)
		if !f.ended(ses.Token) {
			t.Fatal("the session lives on")
		}
	})
	t.Run("a change of password ends every session and remembers old passwords", func(t *testing.T) {
		ses, err := f.login(t, "admin", password)
		if err != nil {
			t.Fatal(err)
		}
		ctx := kit.WithCaller(context.Background(), f.authenticate(t, ses.Token))
		change := func(old, new string) error {
			_, err := f.client.ChangePassword(ctx, &account.ChangePasswordReq{OldPassword: old, NewPassword_: new})
			return err
		}
		wantKey(t, change(password, "short"), "invalid", "密码至少 8 位")
		wantKey(t, change("wrong", "Another#2026"), "invalid", "原密码错误")
		wantKey(t, change(password, password), "invalid", "最近用过")
		if err := change(password, "Another#2026"); err != nil {
			t.Fatal(err)
		}
		if !f.ended(ses.Token) {
			t.Fatal("the session lives on")
		}
		if _, err := f.login(t, "admin", "Another#2026"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a phone user becomes a member when he binds and a visitor when he is unbound", func(t *testing.T) {
		ses, err := f.client.MemberSession(kit.AsSystem(visitor()), &account.MemberSessionReq{OpenId: "o1", Channel: "oa"})
		if err != nil || ses.Me.Bound {
			t.Fatalf("%v %+v", err, ses)
		}
		f.party.mu.Lock()
		f.party.bound["o1"] = &party.Member{Id: "m1", Name: "张三", OrgId: "a", Orgs: []string{"root", "a"}}
		f.party.mu.Unlock()
		if who := f.authenticate(t, ses.Token); who.MemberID != "m1" || who.OrgID != "a" {
			t.Fatalf("%+v", who)
		}
		asked := f.party.asked()
		if f.authenticate(t, ses.Token); f.party.asked() != asked {
			t.Fatal("asked for a member whom the session knows")
		}
		f.party.mu.Lock()
		delete(f.party.bound, "o1")
		f.party.mu.Unlock()
		f.redis.Incr(t.Context(), model.BindingsKey)
		if who := f.authenticate(t, ses.Token); who.MemberID != "" {
			t.Fatalf("%+v", who)
		}
	})
	t.Run("a guest is asked for each time: his period ends by the calendar", func(t *testing.T) {
		guest := &party.Member{Id: "g1", Name: "李四", OrgId: "a", Orgs: []string{"root", "a"}, MemberType: model.GuestType}
		f.party.mu.Lock()
		f.party.bound["o3"] = guest
		f.party.mu.Unlock()
		ses, err := f.client.MemberSession(kit.AsSystem(visitor()), &account.MemberSessionReq{OpenId: "o3", Channel: "oa"})
		if err != nil || f.authenticate(t, ses.Token).MemberID != "g1" {
			t.Fatal(err)
		}
		f.party.mu.Lock()
		delete(f.party.bound, "o3")
		f.party.mu.Unlock()
		if who := f.authenticate(t, ses.Token); who.MemberID != "" {
			t.Fatalf("%+v", who)
		}
	})
	t.Run("nobody but the system opens a phone session", func(t *testing.T) {
		_, err := f.client.MemberSession(visitor(), &account.MemberSessionReq{OpenId: "o1", Channel: "oa"})
		wantKey(t, err, "forbidden", "")
	})
}

func TestUsers(t *testing.T) {
	f := setUp(t, true)
	root := kit.WithCaller(context.Background(), kit.Caller{Kind: kit.User, UserID: "x", OrgID: "root", Orgs: []string{"root"}, TopLevel: true, Permissions: []string{"*"}})
	branch := kit.WithCaller(context.Background(), kit.Caller{Kind: kit.User, UserID: "y", OrgID: "a", Orgs: []string{"root", "a"}, Permissions: []string{"user.view", "user.create", "user.update", "user.delete"}})
	save := func(ctx context.Context, id string, version int64, doc map[string]any) (map[string]any, error) {
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.client.Save(ctx, &recordsgen.SaveReq{Type: "user", Id: id, Version: version, Json: b})
		if err != nil {
			return nil, err
		}
		var row map[string]any
		return row, json.Unmarshal(r.Json, &row)
	}
	user := func(name, org string, permissions ...string) map[string]any {
		return map[string]any{"userName": name, "realName": "某人", "password": password, "orgId": org, "permissions": permissions, "status": "enabled"}
	}
	row, err := save(root, "", 0, user("branch-admin", "a", "member.view", "user.view"))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range row {
		if s, ok := value.(string); ok && (strings.Contains(s, "argon2id") || s == password) {
			t.Fatalf("%s shows the password", key)
		}
	}
	if _, err := f.login(t, "branch-admin", password); err != nil {
		t.Fatalf("the new user cannot log in: %v", err)
	}
	t.Run("a user name is unique", func(t *testing.T) {
		_, err := save(root, "", 0, user("branch-admin", "a", "member.view"))
		wantKey(t, err, "invalid", "用户名已存在")
	})
	t.Run("nobody grants more than he has", func(t *testing.T) {
		_, err := save(branch, "", 0, user("stronger", "a", "*"))
		wantKey(t, err, "invalid", "不能授予超出自己的权限")
	})
	t.Run("nobody makes users of a sibling or the parent organisation", func(t *testing.T) {
		for _, org := range []string{"b", "root"} {
			if _, err := save(branch, "", 0, user("elsewhere-"+org, org, "user.view")); err == nil {
				t.Fatalf("a user of %s was made", org)
			}
		}
	})
	t.Run("a disabled user's sessions end", func(t *testing.T) {
		ses, err := f.login(t, "branch-admin", password)
		if err != nil {
			t.Fatal(err)
		}
		off := user("branch-admin", "a", "member.view")
		off["status"], off["password"] = "disabled", ""
		if _, err := save(root, row["id"].(string), int64(row["version"].(float64)), off); err != nil {
			t.Fatal(err)
		}
		if !f.ended(ses.Token) {
			t.Fatal("the session lives on")
		}
		_, err = f.login(t, "branch-admin", password)
		wantKey(t, err, "login.credentials", "用户名或密码错误")
	})
}

// token is what a solved captcha gives, without drawing one.
func (f *fixture) token(t *testing.T) string {
	t.Helper()
	token := kit.Token()
	if err := f.redis.Set(t.Context(), "captcha:ok:"+token, 1, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	return token
}

// newUser is a user of the root organisation.
func (f *fixture) newUser(name string) *model.User {
	return &model.User{Base: model.Base{OrgID: "root", Orgs: []string{"root"}}, UserName: name, RealName: "某人", Permissions: []string{"member.view"}}
}
