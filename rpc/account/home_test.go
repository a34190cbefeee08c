package account

import (
	"context"
	"slices"
	"testing"

	account "zhihuidangjian/idl/gen/account"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

func TestHome(t *testing.T) {
	f := setUp(t, true)
	user := func(name string, permissions ...string) context.Context {
		u := &model.User{Base: model.Base{OrgID: "a", Orgs: []string{"root", "a"}}, UserName: name, RealName: name, Permissions: permissions}
		if err := f.CreateUser(kit.AsSystem(t.Context()), u, password); err != nil {
			t.Fatal(err)
		}
		return kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: u.ID, OrgID: "a", Orgs: u.Orgs, Permissions: permissions})
	}
	a, b := user("usera", "member.view", "duesOrder.view"), user("userb", "member.view", "duesOrder.view")
	home := func(ctx context.Context) *account.Home {
		t.Helper()
		h, err := f.client.GetHome(ctx, &recordsgen.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	save := func(ctx context.Context, modules ...string) error {
		_, err := f.client.SaveHome(ctx, &account.Home{Modules: modules})
		return err
	}
	t.Run("HOME-02 HOME-04 modules are added once, in order, and removed again", func(t *testing.T) {
		if h := home(a); h.Chosen || len(h.Modules) != 0 {
			t.Errorf("before: %+v", h)
		}
		if err := save(a, "/payments", "/member", "/payments"); err != nil {
			t.Fatal(err)
		}
		if h := home(a); !h.Chosen || !slices.Equal(h.Modules, []string{"/payments", "/member"}) {
			t.Errorf("saved: %+v", h)
		}
		if err := save(a); err != nil {
			t.Fatal(err)
		}
		if h := home(a); !h.Chosen || len(h.Modules) != 0 {
			t.Errorf("emptied: %+v", h)
		}
	})
	t.Run("HOME-05 only one's own home changes, and only by modules one may open", func(t *testing.T) {
		if err := save(a, "/dues"); err != nil {
			t.Fatal(err)
		}
		if h := home(b); h.Chosen {
			t.Errorf("b's: %+v", h)
		}
		wantKey(t, save(a, "/dues", "/meetings"), "forbidden", "无操作权限")
		wantKey(t, save(a, "/user"), "forbidden", "无操作权限")
		wantKey(t, save(a, "javascript:alert(1)"), "home.module", "不存在")
		if h := home(a); !slices.Equal(h.Modules, []string{"/dues"}) {
			t.Errorf("a's: %+v", h)
		}
	})
	t.Run("HOME-03 a module whose permission was withdrawn is not shown", func(t *testing.T) {
		if err := save(a, "/dues", "/member"); err != nil {
			t.Fatal(err)
		}
		less := *kit.CallerOf(a)
		less.Permissions = []string{"member.view"}
		if h := home(kit.WithCaller(t.Context(), less)); !slices.Equal(h.Modules, []string{"/member"}) {
			t.Errorf("less: %+v", h)
		}
	})
}
