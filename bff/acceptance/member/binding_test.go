package member

import (
	"net/http"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

// TestBinding: 绑定 of everybody who is in the system (manual 6.8).
func TestBinding(t *testing.T) {
	c := NewCalendar(t)
	a := c.Admin(t)
	ask := func(b *bfftest.Browser, p bfftest.Person) *bfftest.Answer {
		return b.Do("POST", "/api/member/bind-code", Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone})
	}
	bind := func(b *bfftest.Browser, p bfftest.Person, code string) *bfftest.Answer {
		return b.Do("POST", "/api/member/bind", Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone, "code": code})
	}
	account := func(t *testing.T, phone string) *bfftest.Browser {
		b := c.Browser(t, 0)
		b.OpenPhone(b.WeChatUser("微信用户", phone))
		return b
	}
	other := c.Member(t)
	for _, x := range []struct{ typ, who string }{{"member", "a member"}, {"partTimeMember", "a part-time person"}, {"reportInMember", "a report-in person"}} {
		t.Run("BIND-04 "+x.who+" binds by name, ID number, phone and code; nothing else does, nor a second account or person", func(t *testing.T) {
			c.Top.T, a.T = t, t
			p := NewPerson()
			f := Form{"name": p.Name, "idNumber": p.IDNumber, "phone": p.Phone}
			if x.typ == "member" {
				p.ID = IDOf(Add(t, a, x.typ, f.With(Form{"orgId": c.Branch, "memberType": "fullMember", "joinedOn": "2010-07-01", "regularizedOn": "2011-07-01"})))
			} else {
				p.ID = IDOf(Add(t, a, x.typ, f.With(Form{"homeOrgName": "外省某支部", "startOn": Day(-10), "endOn": Day(10)})))
			}
			wrong := NewPerson()
			for _, w := range []bfftest.Person{
				{Name: wrong.Name, IDNumber: p.IDNumber, Phone: p.Phone}, {Name: p.Name, IDNumber: wrong.IDNumber, Phone: p.Phone}, {Name: p.Name, IDNumber: p.IDNumber, Phone: wrong.Phone},
			} {
				Refused(t, ask(account(t, w.Phone), w), http.StatusNotFound, "", "未找到党员信息")
			}
			phone := account(t, p.Phone)
			if got := ask(phone, p); got.Status != http.StatusOK {
				t.Fatalf("%s", got.Body)
			}
			code := phone.SMSCode(p.Phone)
			no := "000000"
			if code == no {
				no = "111111"
			}
			Refused(t, bind(phone, p, no), http.StatusBadRequest, "", "验证码错误")
			Refused(t, bind(phone, wrong, code), http.StatusBadRequest, "", "验证码错误")
			var me struct {
				Bound    bool
				OrgID    string
				RealName string
			}
			if phone.Get("/api/member/me", &me); me.Bound {
				t.Fatal("bound by a wrong code")
			}
			bind(phone, p, code).Into(t, &Item{})
			if phone.Get("/api/member/me", &me); !me.Bound || me.OrgID != c.Branch || me.RealName != p.Name {
				t.Fatalf("%+v", me)
			}
			c.Pass(t, 2*time.Minute, a)
			Refused(t, ask(account(t, p.Phone), p), http.StatusConflict, "", "该党员已绑定其他微信")
			c.Pass(t, 2*time.Minute, a)
			if got := ask(phone, other); got.Status == http.StatusOK {
				got = bind(phone, other, phone.SMSCode(other.Phone))
				Refused(t, got, http.StatusConflict, "", "该微信已绑定其他党员")
			} else {
				Refused(t, got, http.StatusConflict, "", "该微信已绑定其他党员")
			}
			if phone.Get("/api/member/me", &me); me.RealName != p.Name {
				t.Fatalf("%+v", me)
			}
			c.Pass(t, 2*time.Minute, a)
		})
	}
}
