package acceptance

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"zhihuidangjian/bff/bfftest"
)

// newRole makes a role of A's and gives it permissions.
func newRole(t *testing.T, permissions ...string) (id, roleName string) {
	t.Helper()
	roleName = name(fmt.Sprintf("角色%d_", world.people.Add(1)))
	r := add(t, adminA(t), "role", form{"roleName": roleName})
	grant(t, r["id"].(string), permissions...)
	return r["id"].(string), roleName
}

func grant(t *testing.T, role string, permissions ...string) {
	t.Helper()
	adminA(t).Post(path("role")+"/"+role+"/actions/permissions", form{"permissions": permissions}, &struct{}{})
}

func userForm(orgID string, roles ...string) form {
	n := name(fmt.Sprintf("yh%d_", world.people.Add(1)))
	return form{"userName": n, "password": userPassword, "realName": "用户" + n, "orgId": orgID, "status": "enabled", "roleIds": roles}
}

// TestRoles: 角色管理 (manual 18.2).
func TestRoles(t *testing.T) {
	record(t, recordSpec{
		IDs:  rowIDs{List: "ROLE-01", Add: "ROLE-02", Update: "ROLE-04", Delete: "delete", Batch: "batch"},
		Type: "role",
		Valid: func(_ *testing.T, _ string, i int) form {
			return form{"roleName": name(fmt.Sprintf("岗%d_%d_", i, world.people.Add(1))), "description": "说明"}
		},
		Columns:     []string{"roleName", "description", "userCount"},
		Filters:     func(_ int, f form) []string { return []string{"f.roleName=" + f["roleName"].(string)} },
		Required:    []string{"roleName"},
		Update:      form{"description": "别的说明"},
		WrongUpdate: []wrong{{"an empty name", form{"roleName": " "}, "roleName", "请填写"}},
	})
	t.Run("ROLE-02 a new role has no permission; a name that exists is refused", func(t *testing.T) {
		a := adminA(t)
		f := form{"roleName": name("唯一角色")}
		r := add(t, a, "role", f)
		if p, _ := r["permissions"].([]any); len(p) != 0 {
			t.Fatalf("it has %v", p)
		}
		refused(t, a.Do("POST", path("role"), f), http.StatusBadRequest, "roleName", "已存在")
		other := add(t, a, "role", form{"roleName": name("别的角色")})
		refused(t, a.Do("PUT", path("role")+"/"+other["id"].(string), f.with(form{"version": other["version"]})), http.StatusBadRequest, "roleName", "已存在")
	})
	t.Run("ROLE-03 the chooser of roles follows at once", func(t *testing.T) {
		a := adminA(t)
		id, roleName := newRole(t)
		if l := a.List("role", "keyword="+roleName); l.Total != 1 {
			t.Fatalf("%+v", l)
		}
		u := add(t, a, "user", userForm(orgA(t), id))
		if l := u["_labels"].(map[string]any)["roleIds"]; l != roleName {
			t.Fatalf("the user's role is called %v", l)
		}
		var r item
		a.Get(path("role")+"/"+id, &r)
		a.Do("PUT", path("role")+"/"+id, form{"roleName": roleName + "新", "version": r["version"]}).Into(t, &r)
		a.Get(path("user")+"/"+u["id"].(string), &u)
		if l := u["_labels"].(map[string]any)["roleIds"]; l != roleName+"新" {
			t.Fatalf("after renaming it is called %v", l)
		}
	})
	for id, ticked := range map[string]int{"ROLE-05": 1, "ROLE-06": 2} {
		t.Run(id+" a role that users have stays, and all that were ticked with it", func(t *testing.T) {
			a := adminA(t)
			used, _ := newRole(t, "member.view")
			free, _ := newRole(t)
			add(t, a, "user", userForm(orgA(t), used))
			all := []string{used, free}[:ticked]
			refused(t, a.Do("POST", path("role")+"/delete", form{"ids": all}), http.StatusConflict, "", "该角色下存在用户")
			if l := a.List("role", "size=100"); !slices.Contains(ids(l), free) || !slices.Contains(ids(l), used) {
				t.Fatal("something was deleted")
			}
			a.Post(path("role")+"/delete", form{"ids": []string{free}}, &struct{}{})
			refused(t, a.Do("POST", path("role")+"/delete", form{"ids": []string{free}}), http.StatusNotFound, "", "数据不存在")
			refused(t, a.Do("POST", path("role")+"/delete", form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		})
	}
	t.Run("ROLE-07 what is ticked is what its users have at their next request; nobody gives what he has not", func(t *testing.T) {
		a := adminA(t)
		id, _ := newRole(t, "member.view")
		f := userForm(orgA(t), id)
		add(t, a, "user", f)
		b := user(t, f["userName"].(string), userPassword)
		if b.Do("GET", path("member"), nil).Status != http.StatusOK || b.Do("GET", path("member")+"/export", nil).Status != http.StatusForbidden {
			t.Fatal("not exactly the ticked ones")
		}
		grant(t, id, "member.view", "member.export")
		eventually(t, "the button works", func() bool { return b.Do("GET", path("member")+"/export", nil).Status == http.StatusOK })
		grant(t, id)
		eventually(t, "the module is withdrawn", func() bool { return b.Do("GET", path("member"), nil).Status == http.StatusForbidden })
		weak := limited(t, "role.view", "role.permissions", "member.view")
		refused(t, weak.Do("POST", path("role")+"/"+id+"/actions/permissions", form{"permissions": []string{"member.delete"}}), http.StatusBadRequest, "permissions", "不能授予")
		refused(t, a.Do("POST", path("role")+"/"+id+"/actions/permissions", form{"permissions": []string{"一切"}}), http.StatusBadRequest, "permissions", "没有权限")
		refused(t, limited(t, "role.view").Do("POST", path("role")+"/"+id+"/actions/permissions", form{"permissions": []string{}}), http.StatusForbidden, "", "无操作权限")
		refused(t, adminB(t).Do("POST", path("role")+"/"+id+"/actions/permissions", form{"permissions": []string{}}), http.StatusNotFound, "", nothingThere)
		var all []struct{ Module string }
		a.Get("/api/console/permissions", &all)
		if !slices.ContainsFunc(all, func(m struct{ Module string }) bool { return m.Module == "member" }) {
			t.Fatalf("%v", all)
		}
	})
}

// TestUsers: 用户管理 (manual 18.1).
func TestUsers(t *testing.T) {
	everything, _ := newRole(t, "member.view", "role.view")
	record(t, recordSpec{
		IDs:  rowIDs{List: "USER-01", Add: "USER-02", Update: "change", Delete: "delete", Batch: "batch"},
		Type: "user",
		Valid: func(t *testing.T, orgID string, _ int) form {
			f := userForm(orgID, everything)
			if orgID != orgA(t) {
				delete(f, "roleIds")
				f["permissions"] = []string{"member.view"}
			}
			delete(f, "password")
			return f.with(form{"password": userPassword})
		},
		Columns: []string{"userName", "realName", "phone", "orgId", "roleIds", "status"},
		Filters: func(_ int, f form) []string {
			return []string{"f.userName=" + f["userName"].(string), "f.realName=" + f["realName"].(string)}
		},
		Required: []string{"userName", "realName", "orgId", "status"},
		Wrong: []wrong{
			{"no password", form{"password": ""}, "password", "请填写密码"},
			{"a weak password", form{"password": "12345678"}, "password", "密码"},
			{"no role", form{"roleIds": []string{}}, "roleIds", "请填写用户角色"},
			{"a name that exists", form{"userName": name("adminA")}, "userName", "用户名已存在"},
			{"an organisation of others", form{"orgId": "root"}, "orgId", "不在管理范围内"},
		},
		Update: form{"realName": "改过名"},
	})
	t.Run("USER-03 a user has exactly what his roles give; several add up; none, no module", func(t *testing.T) {
		a := adminA(t)
		one, _ := newRole(t, "member.view")
		two, _ := newRole(t, "meeting.view")
		f := userForm(orgA(t), one)
		u := add(t, a, "user", f)
		b := user(t, f["userName"].(string), userPassword)
		open := func(typ string) bool { return b.Do("GET", path(typ), nil).Status == http.StatusOK }
		var modules []struct{ Type string }
		b.Get("/api/console/records", &modules)
		if len(modules) != 1 || modules[0].Type != "member" || !open("member") || open("meeting") || open("organization") {
			t.Fatalf("he sees %v", modules)
		}
		refused(t, b.Do("POST", path("member"), someone(orgA(t))), http.StatusForbidden, "", "无操作权限")
		a.Do("PUT", path("user")+"/"+u["id"].(string), form{"roleIds": []string{one, two}, "version": u["version"]}).Into(t, &u)
		eventually(t, "the second role adds up", func() bool { return open("meeting") && open("member") })
		grant(t, one)
		grant(t, two)
		eventually(t, "roles without permissions open nothing", func() bool { return !open("meeting") && !open("member") })
	})
	t.Run("USER-04 organisation, roles and status count at the next request; another's name is refused", func(t *testing.T) {
		a, p := adminA(t), adminP(t)
		one, _ := newRole(t, "member.view")
		f := userForm(orgA(t), one)
		u := add(t, a, "user", f)
		at := path("user") + "/" + u["id"].(string)
		b := user(t, f["userName"].(string), userPassword)
		mine := newMember(t, orgA(t))
		if b.Do("GET", path("member")+"/"+mine.ID, nil).Status != http.StatusOK {
			t.Fatal("he does not see his own branch")
		}
		p.Do("PUT", at, form{"orgId": orgB(t), "version": u["version"]}).Into(t, &u)
		eventually(t, "the new organisation counts", func() bool { return b.Do("GET", path("member")+"/"+mine.ID, nil).Status == http.StatusNotFound })
		refused(t, p.Do("PUT", at, form{"userName": name("adminA"), "version": u["version"]}), http.StatusBadRequest, "userName", "")
		p.Do("PUT", at, form{"status": "disabled", "version": u["version"]}).Into(t, &u)
		eventually(t, "a disabled user is out", func() bool { return b.Do("GET", "/api/console/me", nil).Status == http.StatusUnauthorized })
		if again := product.Browser(t, 0).Login(f["userName"].(string), userPassword); again.Status == http.StatusOK {
			t.Fatal("a disabled user logs in")
		}
	})
	t.Run("USER-05 a deleted user is out at once; oneself and the last top-level admin stay", func(t *testing.T) {
		a := adminA(t)
		one, _ := newRole(t, "member.view")
		f := userForm(orgA(t), one)
		u := add(t, a, "user", f)
		b := user(t, f["userName"].(string), userPassword)
		a.Post(path("user")+"/delete", form{"ids": []any{u["id"]}}, &struct{}{})
		eventually(t, "his session is refused", func() bool { return b.Do("GET", "/api/console/me", nil).Status == http.StatusUnauthorized })
		if again := product.Browser(t, 0).Login(f["userName"].(string), userPassword); again.Status == http.StatusOK {
			t.Fatal("a deleted user logs in")
		}
		refused(t, a.Do("POST", path("user")+"/delete", form{"ids": []any{u["id"]}}), http.StatusNotFound, "", "数据不存在")
		refused(t, a.Do("POST", path("user")+"/delete", form{"ids": []string{myself(t, a)}}), http.StatusConflict, "", "不能删除当前登录的用户")
	})
	t.Run("USER-06 oneself among the ticked: none is deleted", func(t *testing.T) {
		a := adminA(t)
		one, _ := newRole(t, "member.view")
		x, y := add(t, a, "user", userForm(orgA(t), one))["id"].(string), add(t, a, "user", userForm(orgA(t), one))["id"].(string)
		refused(t, a.Do("POST", path("user")+"/delete", form{"ids": []string{x, myself(t, a)}}), http.StatusConflict, "", "不能删除当前登录的用户")
		if l := ids(a.List("user", "size=100")); !slices.Contains(l, x) {
			t.Fatal("one was deleted")
		}
		a.Post(path("user")+"/delete", form{"ids": []string{x, y}}, &struct{}{})
		if l := ids(a.List("user", "size=100")); slices.Contains(l, x) || slices.Contains(l, y) {
			t.Fatal("still there")
		}
		refused(t, a.Do("POST", path("user")+"/delete", form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
	})
}

func myself(t *testing.T, b *bfftest.Browser) string {
	t.Helper()
	var me struct{ UserID string }
	b.Get("/api/console/me", &me)
	return me.UserID
}
