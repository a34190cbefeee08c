package account

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// newRole makes a role of A's and gives it permissions.
func newRole(t *testing.T, permissions ...string) (id, roleName string) {
	t.Helper()
	roleName = NewName("角色")
	r := Add(t, AdminA(t), "role", Form{"roleName": roleName})
	grant(t, r["id"].(string), permissions...)
	return r["id"].(string), roleName
}

func grant(t *testing.T, role string, permissions ...string) {
	t.Helper()
	AdminA(t).Post(Path("role")+"/"+role+"/actions/permissions", Form{"permissions": permissions}, &struct{}{})
}

func userForm(orgID string, roles ...string) Form {
	n := NewName("yh")
	return Form{"userName": n, "password": UserPassword, "realName": "用户" + n, "orgId": orgID, "status": "enabled", "roleIds": roles}
}

// TestRoles: 角色管理 (manual 18.2).
func TestRoles(t *testing.T) {
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "ROLE-01", Add: "ROLE-02", Update: "ROLE-04", Delete: "delete", Batch: "batch"},
		Type: "role",
		Valid: func(_ *testing.T, _ string, i int) Form {
			return Form{"roleName": NewName(fmt.Sprintf("岗%d_", i)), "description": "说明"}
		},
		Columns:     []string{"roleName", "description", "userCount"},
		Filters:     func(_ int, f Form) []string { return []string{"f.roleName=" + f["roleName"].(string)} },
		Required:    []string{"roleName"},
		Update:      Form{"description": "别的说明"},
		WrongUpdate: []Wrong{{"an empty name", Form{"roleName": " "}, "roleName", "请填写"}},
	})
	t.Run("ROLE-02 a new role has no permission; a name that exists is refused", func(t *testing.T) {
		a := AdminA(t)
		f := Form{"roleName": Name("唯一角色")}
		r := Add(t, a, "role", f)
		if p, _ := r["permissions"].([]any); len(p) != 0 {
			t.Fatalf("it has %v", p)
		}
		Refused(t, a.Do("POST", Path("role"), f), http.StatusBadRequest, "roleName", "已存在")
		other := Add(t, a, "role", Form{"roleName": Name("别的角色")})
		Refused(t, a.Do("PUT", Path("role")+"/"+other["id"].(string), f.With(Form{"version": other["version"]})), http.StatusBadRequest, "roleName", "已存在")
	})
	t.Run("ROLE-03 the chooser of roles follows at once", func(t *testing.T) {
		a := AdminA(t)
		id, roleName := newRole(t)
		if l := a.List("role", "keyword="+roleName); l.Total != 1 {
			t.Fatalf("%+v", l)
		}
		u := Add(t, a, "user", userForm(OrgA(t), id))
		if l := u["_labels"].(map[string]any)["roleIds"]; l != roleName {
			t.Fatalf("the user's role is called %v", l)
		}
		var r Item
		a.Get(Path("role")+"/"+id, &r)
		a.Do("PUT", Path("role")+"/"+id, Form{"roleName": roleName + "新", "version": r["version"]}).Into(t, &r)
		a.Get(Path("user")+"/"+u["id"].(string), &u)
		if l := u["_labels"].(map[string]any)["roleIds"]; l != roleName+"新" {
			t.Fatalf("after renaming it is called %v", l)
		}
	})
	for id, ticked := range map[string]int{"ROLE-05": 1, "ROLE-06": 2} {
		t.Run(id+" a role that users have stays, and all that were ticked with it", func(t *testing.T) {
			a := AdminA(t)
			used, _ := newRole(t, "member.view")
			free, _ := newRole(t)
			Add(t, a, "user", userForm(OrgA(t), used))
			all := []string{used, free}[:ticked]
			Refused(t, a.Do("POST", Path("role")+"/delete", Form{"ids": all}), http.StatusConflict, "", "该角色下存在用户")
			if l := a.List("role", "size=100"); !slices.Contains(IDs(l), free) || !slices.Contains(IDs(l), used) {
				t.Fatal("something was deleted")
			}
			a.Post(Path("role")+"/delete", Form{"ids": []string{free}}, &struct{}{})
			Refused(t, a.Do("POST", Path("role")+"/delete", Form{"ids": []string{free}}), http.StatusNotFound, "", "数据不存在")
			Refused(t, a.Do("POST", Path("role")+"/delete", Form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		})
	}
	t.Run("ROLE-07 what is ticked is what its users have at their next request; nobody gives what he has not", func(t *testing.T) {
		a := AdminA(t)
		id, _ := newRole(t, "member.view")
		f := userForm(OrgA(t), id)
		Add(t, a, "user", f)
		b := User(t, f["userName"].(string), UserPassword)
		if b.Do("GET", Path("member"), nil).Status != http.StatusOK || b.Do("GET", Path("member")+"/export", nil).Status != http.StatusForbidden {
			t.Fatal("not exactly the ticked ones")
		}
		grant(t, id, "member.view", "member.export")
		bfftest.Eventually(t, "the button works", func() bool { return b.Do("GET", Path("member")+"/export", nil).Status == http.StatusOK })
		grant(t, id)
		bfftest.Eventually(t, "the module is withdrawn", func() bool { return b.Do("GET", Path("member"), nil).Status == http.StatusForbidden })
		weak := Limited(t, "role.view", "role.permissions", "member.view")
		Refused(t, weak.Do("POST", Path("role")+"/"+id+"/actions/permissions", Form{"permissions": []string{"member.delete"}}), http.StatusBadRequest, "permissions", "不能授予")
		Refused(t, a.Do("POST", Path("role")+"/"+id+"/actions/permissions", Form{"permissions": []string{"一切"}}), http.StatusBadRequest, "permissions", "没有权限")
		Refused(t, Limited(t, "role.view").Do("POST", Path("role")+"/"+id+"/actions/permissions", Form{"permissions": []string{}}), http.StatusForbidden, "", "无操作权限")
		Refused(t, AdminB(t).Do("POST", Path("role")+"/"+id+"/actions/permissions", Form{"permissions": []string{}}), http.StatusNotFound, "", NothingThere)
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
	Record(t, RecordSpec{
		IDs:  RowIDs{List: "USER-01", Add: "USER-02", Update: "change", Delete: "delete", Batch: "batch"},
		Type: "user",
		Valid: func(t *testing.T, orgID string, _ int) Form {
			f := userForm(orgID, everything)
			if orgID != OrgA(t) {
				delete(f, "roleIds")
				f["permissions"] = []string{"member.view"}
			}
			delete(f, "password")
			return f.With(Form{"password": UserPassword})
		},
		Columns: []string{"userName", "realName", "phone", "orgId", "roleIds", "status"},
		Filters: func(_ int, f Form) []string {
			return []string{"f.userName=" + f["userName"].(string), "f.realName=" + f["realName"].(string)}
		},
		Required: []string{"userName", "realName", "orgId", "status"},
		Wrong: []Wrong{
			{"no password", Form{"password": ""}, "password", "请填写密码"},
			{"a weak password", Form{"password": "12345678"}, "password", "密码"},
			{"no role", Form{"roleIds": []string{}}, "roleIds", "请填写用户角色"},
			{"a name that exists", Form{"userName": Name("adminA")}, "userName", "用户名已存在"},
			{"an organisation of others", Form{"orgId": "root"}, "orgId", "不在管理范围内"},
		},
		Update: Form{"realName": "改过名"},
	})
	t.Run("USER-03 a user has exactly what his roles give; several add up; none, no module", func(t *testing.T) {
		a := AdminA(t)
		one, _ := newRole(t, "member.view")
		two, _ := newRole(t, "meeting.view")
		f := userForm(OrgA(t), one)
		u := Add(t, a, "user", f)
		b := User(t, f["userName"].(string), UserPassword)
		open := func(typ string) bool { return b.Do("GET", Path(typ), nil).Status == http.StatusOK }
		var modules []struct{ Type string }
		b.Get("/api/console/records", &modules)
		if len(modules) != 1 || modules[0].Type != "member" || !open("member") || open("meeting") || open("organization") {
			t.Fatalf("he sees %v", modules)
		}
		Refused(t, b.Do("POST", Path("member"), MemberForm(NewPerson(), OrgA(t))), http.StatusForbidden, "", "无操作权限")
		a.Do("PUT", Path("user")+"/"+u["id"].(string), Form{"roleIds": []string{one, two}, "version": u["version"]}).Into(t, &u)
		bfftest.Eventually(t, "the second role adds up", func() bool { return open("meeting") && open("member") })
		grant(t, one)
		grant(t, two)
		bfftest.Eventually(t, "roles without permissions open nothing", func() bool { return !open("meeting") && !open("member") })
	})
	t.Run("USER-04 organisation, roles and status count at the next request; another's name is refused", func(t *testing.T) {
		a, p := AdminA(t), AdminP(t)
		one, _ := newRole(t, "member.view")
		f := userForm(OrgA(t), one)
		u := Add(t, a, "user", f)
		at := Path("user") + "/" + u["id"].(string)
		b := User(t, f["userName"].(string), UserPassword)
		mine := NewMember(t, OrgA(t))
		if b.Do("GET", Path("member")+"/"+mine.ID, nil).Status != http.StatusOK {
			t.Fatal("he does not see his own branch")
		}
		p.Do("PUT", at, Form{"orgId": OrgB(t), "version": u["version"]}).Into(t, &u)
		bfftest.Eventually(t, "the new organisation counts", func() bool { return b.Do("GET", Path("member")+"/"+mine.ID, nil).Status == http.StatusNotFound })
		Refused(t, p.Do("PUT", at, Form{"userName": Name("adminA"), "version": u["version"]}), http.StatusBadRequest, "userName", "")
		p.Do("PUT", at, Form{"status": "disabled", "version": u["version"]}).Into(t, &u)
		bfftest.Eventually(t, "a disabled user is out", func() bool { return b.Do("GET", "/api/console/me", nil).Status == http.StatusUnauthorized })
		if again := Visitor(t).Login(f["userName"].(string), UserPassword); again.Status == http.StatusOK {
			t.Fatal("a disabled user logs in")
		}
	})
	t.Run("USER-05 a deleted user is out at once; oneself and the last top-level admin stay", func(t *testing.T) {
		a := AdminA(t)
		one, _ := newRole(t, "member.view")
		f := userForm(OrgA(t), one)
		u := Add(t, a, "user", f)
		b := User(t, f["userName"].(string), UserPassword)
		a.Post(Path("user")+"/delete", Form{"ids": []any{u["id"]}}, &struct{}{})
		bfftest.Eventually(t, "his session is refused", func() bool { return b.Do("GET", "/api/console/me", nil).Status == http.StatusUnauthorized })
		if again := Visitor(t).Login(f["userName"].(string), UserPassword); again.Status == http.StatusOK {
			t.Fatal("a deleted user logs in")
		}
		Refused(t, a.Do("POST", Path("user")+"/delete", Form{"ids": []any{u["id"]}}), http.StatusNotFound, "", "数据不存在")
		Refused(t, a.Do("POST", Path("user")+"/delete", Form{"ids": []string{myself(t, a)}}), http.StatusConflict, "", "不能删除当前登录的用户")
	})
	t.Run("USER-06 oneself among the ticked: none is deleted", func(t *testing.T) {
		a := AdminA(t)
		one, _ := newRole(t, "member.view")
		x, y := Add(t, a, "user", userForm(OrgA(t), one))["id"].(string), Add(t, a, "user", userForm(OrgA(t), one))["id"].(string)
		Refused(t, a.Do("POST", Path("user")+"/delete", Form{"ids": []string{x, myself(t, a)}}), http.StatusConflict, "", "不能删除当前登录的用户")
		if l := IDs(a.List("user", "size=100")); !slices.Contains(l, x) {
			t.Fatal("one was deleted")
		}
		a.Post(Path("user")+"/delete", Form{"ids": []string{x, y}}, &struct{}{})
		if l := IDs(a.List("user", "size=100")); slices.Contains(l, x) || slices.Contains(l, y) {
			t.Fatal("still there")
		}
		Refused(t, a.Do("POST", Path("user")+"/delete", Form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
	})
}

func myself(t *testing.T, b *bfftest.Browser) string {
	t.Helper()
	var me struct{ UserID string }
	b.Get("/api/console/me", &me)
	return me.UserID
}

// TestGlobalLists: lists that only the top level keeps.
func TestGlobalLists(t *testing.T) {
	t.Run("COMM-08 only the root's admin adds, changes and deletes; others see the list and are refused", func(t *testing.T) {
		top := Root(t)
		a, p := AdminA(t), AdminP(t)
		var types []struct {
			Type        string
			Permissions []struct{ Key string }
		}
		top.Get("/api/console/records", &types)
		type rights struct{ Permissions map[string]bool }
		globals := 0
		for _, x := range types {
			var mine, lower rights
			top.Get(Path(x.Type)+"/schema", &mine)
			a.Get(Path(x.Type)+"/schema", &lower)
			if !mine.Permissions["create"] || lower.Permissions["create"] {
				continue // everybody's, or nobody's
			}
			globals++
			form := Form{"name": Name("全局"), "sortNo": 7}
			if x.Type == "topicCategory" {
				form = form.With(Icons(t))
			}
			made := Add(t, top, x.Type, form)
			id := IDOf(made)
			for _, b := range []*bfftest.Browser{a, p} {
				if !slices.ContainsFunc(b.List(x.Type, "size=100").Items, func(r Item) bool {
					return r["id"] == id && slices.Equal(r["_actions"].([]any), []any{"view"})
				}) {
					t.Errorf("%s is not shown to be read only", x.Type)
				}
				Refused(t, b.Do("POST", Path(x.Type), Form{"name": Name("下级")}), http.StatusForbidden, "", "只有一级管理员可以操作")
				Refused(t, b.Do("PUT", Path(x.Type)+"/"+id, Form{"name": Name("下级"), "version": made["version"]}), http.StatusForbidden, "", "只有一级管理员可以操作")
				Refused(t, b.Do("POST", Path(x.Type)+"/delete", Form{"ids": []string{id}}), http.StatusForbidden, "", "只有一级管理员可以操作")
			}
			var changed Item
			Put(t, top, x.Type, id, Form{"name": Name("全局改")}).Into(t, &changed)
			if got := a.List(x.Type, "size=100").Items; !slices.ContainsFunc(got, func(r Item) bool { return r["name"] == Name("全局改") }) {
				t.Errorf("%s: the new name is not seen", x.Type)
			}
			top.Post(Path(x.Type)+"/delete", Form{"ids": []string{id}}, &struct{}{})
			if slices.Contains(IDs(a.List(x.Type, "size=100")), id) {
				t.Errorf("%s: still there", x.Type)
			}
		}
		if globals == 0 {
			t.Fatal("there is no global list")
		}
		rule := top.List("pointsRule", "").Items[0]
		Refused(t, a.Do("PUT", Path("pointsRule")+"/"+IDOf(rule), Form{"addScore": "9", "version": rule["version"]}), http.StatusForbidden, "", "只有最高级管理员可以修改")
	})
}
