package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	account "zhihuidangjian/idl/gen/account"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// TestTurns is about one who asks for more than others.
func TestTurns(t *testing.T) {
	as := func(id string) context.Context {
		return kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: id})
	}
	at := func(ip string) context.Context { return kit.WithCaller(t.Context(), kit.Caller{IP: ip}) }
	// busy has the only place taken until release, and answers how many wait.
	busy := func(most int) (s *turns, release func(), waiting func(int)) {
		s = newTurns(1, 0, most)
		held, free := make(chan struct{}), make(chan struct{})
		kit.Go("holder", func() error {
			return s.run(kit.AsSystem(t.Context()), func() { close(held); <-free })
		})
		<-held
		return s, func() { close(free) }, func(n int) {
			t.Helper()
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // polls a condition
				s.mu.Lock()
				got := s.waiting
				s.mu.Unlock()
				if got == n {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("%d wait, not %d", got, n)
				}
			}
		}
	}
	t.Run("a session's share", func(t *testing.T) {
		s, release, waiting := busy(64)
		var g kit.Group
		var mu sync.Mutex
		refused, served := 0, map[string]int{}
		ask := func(ctx context.Context, who string) {
			g.Go(who, func() error {
				err := s.run(ctx, func() { mu.Lock(); served[who]++; mu.Unlock() })
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, errBusyLogin) {
					refused++
				}
				return nil
			})
		}
		for range 80 {
			ask(as("greedy"), "greedy")
		}
		waiting(2)
		for i := range 12 {
			ask(at(fmt.Sprintf("10.0.0.%d", i)), "others")
		}
		waiting(14)
		release()
		_ = g.Wait()
		if refused != 78 || served["others"] != 12 || served["greedy"] != 2 {
			t.Errorf("refused %d, served %v", refused, served)
		}
		if err := kit.FromError(errBusyLogin); err.Wait <= 0 {
			t.Error("nobody is told when to come again")
		}
	})
	t.Run("a newcomer has his turn among many who flood", func(t *testing.T) {
		s, release, waiting := busy(128)
		var g kit.Group
		var mu sync.Mutex
		var order []string
		ask := func(ip string) {
			g.Go(ip, func() error {
				_ = s.run(at(ip), func() { mu.Lock(); order = append(order, ip); mu.Unlock() })
				return nil
			})
		}
		for i := range 40 * 4 {
			ask(fmt.Sprintf("10.0.0.%d", i%40))
		}
		waiting(128)
		ask("192.0.2.1")
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // polls a condition
			s.mu.Lock()
			n := len(s.queues["ip:192.0.2.1"])
			s.mu.Unlock()
			if n == 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the newcomer was refused")
			}
		}
		waiting(128)
		release()
		_ = g.Wait()
		for i, ip := range order {
			if ip == "192.0.2.1" {
				if i > 40 {
					t.Errorf("it waited for %d others", i)
				}
				return
			}
		}
		t.Error("it was never served")
	})
	t.Run("who gives up leaves nothing behind", func(t *testing.T) {
		s, release, waiting := busy(64)
		ctx, cancel := context.WithCancel(at("10.0.0.1"))
		ended := make(chan error, 1)
		kit.Go("impatient", func() error { ended <- s.run(ctx, func() {}); return nil })
		waiting(1)
		cancel()
		if err := <-ended; !errors.Is(err, kit.ErrTimeout) {
			t.Error(err)
		}
		waiting(0)
		if len(s.round) != 0 || len(s.queues) != 0 {
			t.Errorf("%v %v", s.round, s.queues)
		}
		release()
		if err := s.run(at("10.0.0.2"), func() {}); err != nil {
			t.Error(err)
		}
	})
}

// TestCaptchasAhead: a visitor who finds one drawn waits for nobody.
func TestCaptchasAhead(t *testing.T) {
	f := setUp(t, false)
	if _, err := f.client.DrawCaptcha(visitor(), &recordsgen.Empty{}); err != nil {
		t.Fatal(err)
	}
	if err := f.ahead.running.Wait(); err != nil {
		t.Fatal(err)
	}
	// Nobody draws now, and a whole address floods.
	f.drawing.mu.Lock()
	f.drawing.taken, f.drawing.waiting = 1, f.drawing.most
	f.drawing.mu.Unlock()
	seen := map[string]bool{}
	for range aheadMost {
		c, err := f.client.DrawCaptcha(visitor(), &recordsgen.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		seen[c.Id] = true
	}
	if len(seen) != aheadMost {
		t.Errorf("%d captchas", len(seen))
	}
	_, err := f.client.DrawCaptcha(visitor(), &recordsgen.Empty{})
	wantKey(t, err, "login.busy", "")
	f.drawing.mu.Lock()
	f.drawing.taken, f.drawing.waiting = 0, 0
	f.drawing.mu.Unlock()
}

// TestAddressLock is about an office in which somebody guesses.
func TestAddressLock(t *testing.T) {
	f := setUp(t, false)
	try := func(ip, name, pass string) error {
		t.Helper()
		ctx := kit.WithCaller(t.Context(), kit.Caller{IP: ip})
		_, err := f.client.Login(ctx, &account.LoginReq{UserName: name, Password: pass, CaptchaToken: f.token(t)})
		return err
	}
	if err := try("2001:db8::1", "admin", password); err != nil {
		t.Fatal(err)
	}
	if err := f.createUser(kit.AsSystem(t.Context()), f.newUser("stranger"), password); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := range maxFailuresIP {
		err = try(fmt.Sprintf("2001:db8::%x", i+16), fmt.Sprintf("nobody-%d", i), "wrong")
	}
	wantKey(t, err, "login.address", "该网络地址登录失败次数过多")
	if kit.FromError(err).Wait <= 0 {
		t.Error("nobody is told when to come again")
	}
	wantKey(t, try("2001:db8::2", "nobody", "wrong"), "login.address", "该网络地址")
	wantKey(t, try("2001:db8::2", "stranger", password), "login.address", "该网络地址")
	// The admin has been here before: the address does not lock him out, nor does he open it.
	for range 3 {
		wantKey(t, try("2001:db8::2", "admin", "wrong"), "login.credentials", "")
		if err := try("2001:db8::2", "admin", password); err != nil {
			t.Fatal(err)
		}
	}
	wantKey(t, try("2001:db8::2", "stranger", password), "login.address", "该网络地址")
	if err := try("2001:db8:0:1::2", "stranger", password); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	// His own failures lock him, whatever the address.
	for range maxFailures {
		err = try("2001:db8::2", "admin", "wrong")
	}
	wantKey(t, err, "login.locked", "账号已锁定")
	wantKey(t, try("2001:db8::2", "admin", password), "login.locked", "账号已锁定")
}

// TestPasswordDoors: one rule, whatever the door.
func TestPasswordDoors(t *testing.T) {
	f := setUp(t, false)
	const next = "Dangjian#2027"
	root := kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: "boss", OrgID: "root", Orgs: []string{"root"}, TopLevel: true, Permissions: []string{"*"}})
	made := 0
	// user is a new one with a session; self is his context, row his record.
	user := func(t *testing.T) (name, id string, self context.Context) {
		t.Helper()
		made++
		u := f.newUser(fmt.Sprintf("door-%d", made))
		u.Permissions = []string{"*"}
		if err := f.createUser(kit.AsSystem(t.Context()), u, password); err != nil {
			t.Fatal(err)
		}
		return u.UserName, u.ID, kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: u.ID, Name: u.RealName, OrgID: "root", Orgs: []string{"root"}, TopLevel: true, Permissions: []string{"*"}})
	}
	session := func(t *testing.T, name, pass string) string {
		t.Helper()
		ses, err := f.client.Login(visitor(), &account.LoginReq{UserName: name, Password: pass, CaptchaToken: f.token(t)})
		if err != nil {
			t.Fatal(err)
		}
		return ses.Token
	}
	put := func(ctx context.Context, id, old, fresh string) error {
		u, err := f.users.Get(ctx, model.Everything, id)
		if err != nil {
			return err
		}
		b, _ := json.Marshal(map[string]any{"userName": u.UserName, "realName": u.RealName, "orgId": u.OrgID, "permissions": u.Permissions, "status": u.Status, "oldPassword": old, "password": fresh})
		_, err = f.client.Save(ctx, &recordsgen.SaveReq{Type: "user", Id: id, Version: u.Version, Json: b})
		return err
	}
	change := func(ctx context.Context, _, old, fresh string) error {
		_, err := f.client.ChangePassword(ctx, &account.ChangePasswordReq{OldPassword: old, NewPassword_: fresh})
		return err
	}
	for door, set := range map[string]func(ctx context.Context, id, old, fresh string) error{"own page": change, "own record": put} {
		t.Run(door, func(t *testing.T) {
			name, id, self := user(t)
			token := session(t, name, password)
			wantKey(t, set(self, id, "", next), "invalid", "请填写原密码")
			wantKey(t, set(self, id, password, "weak"), "invalid", "密码至少 8 位")
			wantKey(t, set(self, id, password, password), "invalid", "最近用过")
			wantKey(t, set(self, id, "Wrong#2026", next), "invalid", "原密码错误")
			if f.ended(token) {
				t.Fatal("one mistake ended the session")
			}
			if err := set(self, id, password, next); err != nil {
				t.Fatal(err)
			}
			if !f.ended(token) {
				t.Error("the session lives on")
			}
			wantKey(t, set(self, id, next, password), "invalid", "最近用过")
			for i := range passwordsKept {
				old := next
				if i > 0 {
					old = fmt.Sprintf("Between#%d", i-1)
				}
				if err := set(self, id, old, fmt.Sprintf("Between#%d", i)); err != nil {
					t.Fatal(err)
				}
			}
			if err := set(self, id, "Between#4", password); err != nil {
				t.Errorf("the sixth last: %v", err)
			}
			// Who borrowed the session guesses five times.
			token = session(t, name, password)
			for range maxFailures - 1 {
				wantKey(t, set(self, id, "Wrong#2026", next), "invalid", "原密码错误")
			}
			wantKey(t, set(self, id, "Wrong#2026", next), "login.locked", "账号已锁定")
			if !f.ended(token) {
				t.Error("after five guesses the session lives on")
			}
			wantKey(t, set(self, id, password, next), "login.locked", "账号已锁定")
			_, err := f.client.Login(visitor(), &account.LoginReq{UserName: name, Password: password, CaptchaToken: f.token(t)})
			wantKey(t, err, "login.locked", "账号已锁定")
		})
	}
	t.Run("an admin's edit", func(t *testing.T) {
		name, id, _ := user(t)
		token := session(t, name, password)
		wantKey(t, put(root, id, "", "weak"), "invalid", "密码至少 8 位")
		wantKey(t, put(root, id, "", password), "invalid", "最近用过")
		if err := put(root, id, "", next); err != nil {
			t.Fatal(err)
		}
		if !f.ended(token) {
			t.Error("the session lives on")
		}
		wantKey(t, put(root, id, "", password), "invalid", "最近用过")
		if err := put(root, id, "", ""); err != nil {
			t.Errorf("left empty: %v", err)
		}
		session(t, name, next)
	})
}

// TestMemberSessionEnds: a phone that is used every day is asked who it is all the same.
func TestMemberSessionEnds(t *testing.T) {
	f := setUp(t, false)
	ses, err := f.client.MemberSession(kit.AsSystem(t.Context()), &account.MemberSessionReq{OpenId: "o1", Channel: "mini"})
	if err != nil {
		t.Fatal(err)
	}
	for f.clock.Offset() < memberMost-24*time.Hour {
		f.clock.SetOffset(f.clock.Offset() + 24*time.Hour)
		if f.ended(ses.Token) {
			t.Fatalf("ended after %v", f.clock.Offset())
		}
	}
	f.clock.SetOffset(memberMost + time.Second)
	if !f.ended(ses.Token) {
		t.Error("it never ends")
	}
}
