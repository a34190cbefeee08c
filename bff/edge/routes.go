package edge

import (
	"context"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/account"
)

// Routes is the table of the product's HTTP interface: one line a route.
func (e *Edge) Routes() []route.Route {
	s := e.services
	public := func(method, path, title string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: path, Title: title, Access: route.Public, Handler: h}
	}
	page := func(path, title string, h app.HandlerFunc) route.Route {
		return route.Route{Method: "GET", Path: path, Title: title, Access: route.Public, Page: true, Handler: route.Func(h)}
	}
	console := func(method, path, title, permission string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: "/api/console" + path, Title: title, Access: route.Console, Permission: permission, Handler: h}
	}
	phone := func(method, path, title string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: "/api/member" + path, Title: title, Access: route.Phone, Handler: h}
	}
	login := route.Call(s.Account.Login).Bind
	routes := []route.Route{
		public("GET", "/api/portal/config", "门户设置", route.Func(e.config)),
		public("POST", "/api/console/captcha", "滑块验证码", route.Call(s.Account.DrawCaptcha)),
		public("POST", "/api/console/captcha/solve", "验证滑块", route.Call(s.Account.SolveCaptcha)),
		public("POST", "/api/console/login", "登录", e.signIn(adminCookie, adminCookieLife, func(ctx context.Context, c *app.RequestContext) (*account.Session, error) {
			req := &account.LoginReq{}
			if err := login(c, req); err != nil {
				return nil, err
			}
			return s.Account.Login(ctx, req)
		})),
		page("/wechat/oauth", "微信网页授权", e.oauth),
		page(callbackPath, "微信网页授权回调", e.oauthCallback),
		page("/api/file", "凭临时地址打开附件", e.openLink),
		public("POST", miniLoginPath, "小程序登录", route.Func(e.miniLogin)),

		again(console("POST", "/logout", "安全退出", "", e.logout(adminCookie, route.Console))),
		console("GET", "/me", "个人资料", "", route.Call(s.Account.GetMe)),
		console("POST", "/password", "修改密码", "", route.Call(s.Account.ChangePassword)),
		console("GET", "/home", "我的常用功能", "", route.Call(s.Account.GetHome)),
		again(console("PUT", "/home", "设置常用功能", "", route.Call(s.Account.SaveHome))),
		console("GET", "/tree", "组织树", "", route.Call(s.Party.GetTree)),
		console("GET", "/organizations/:orgId/leadership", "当前与历史领导班子", "organization.view", route.Call(s.Party.GetLeadership)),
		console("GET", "/organizations/:orgId/map", "组织地图", "organization.view", route.Call(s.Party.GetMap)),
		console("GET", "/participants", "可选参加人员", "meeting.create", route.Call(s.Party.ListParticipants)),
		console("GET", "/statistics", "组织统计", "statistics.view", route.Call(s.Party.GetStatistics)),
		console("POST", "/members/:memberId/unbind", "微信解绑", "binding.unbind", route.Call(s.Party.Unbind)),

		again(console("POST", "/dues/base-preview", "试算党费", "duesBase.view", route.Call(s.Dues.GetBasePreview))),
		console("GET", "/dues/owed", "党员应缴党费", "duesOrder.view", route.Call(s.Dues.GetOwed)),
		console("POST", "/dues/orders", "党费录入", "duesOrder.create", route.Call(s.Dues.CreateOrder)),
		console("GET", "/dues/orders/:id", "党费订单", "duesOrder.view", route.Call(s.Dues.GetOrder)),
		console("POST", "/dues/orders/:id/cash", "现金缴纳", "duesOrder.pay", route.Call(s.Dues.PayCash)),
		console("POST", "/dues/orders/:id/confirm", "确认现金", "duesOrder.confirm", route.Call(s.Dues.ConfirmCash)),
		console("POST", "/dues/orders/:id/reject", "驳回现金", "duesOrder.confirm", route.Call(s.Dues.RejectCash)),
		console("POST", "/dues/orders/:id/native", "微信扫码缴纳", "duesOrder.pay", route.Call(s.Dues.PayNative)),
		console("POST", "/dues/orders/:id/delete", "删除未支付党费", "duesOrder.delete", route.Call(s.Dues.DeleteOrder)),
		console("POST", "/dues/orders/:id/reverse", "删除现金党费", "duesOrder.reverse", route.Call(s.Dues.ReverseCash)),
		console("GET", "/dues/orders/:id/receipt", "打印党费收据", "duesOrder.print", route.Call(s.Dues.PrintReceipt)),

		console("POST", "/meetings/:id/start", "启动会议", "meeting.start", route.Call(s.Meeting.Start)),
		console("GET", "/meetings/:id/qr", "会议签到二维码", "meeting.view", route.Call(s.Meeting.GetQR)),
		console("GET", "/meetings/:id/live", "签到实时人数", "meeting.view", route.Call(s.Meeting.GetLive)),
		console("GET", "/meetings/:id/live/stream", "签到实时推送", "meeting.view", route.Func(e.live)),
		console("GET", "/meetings/:id/statistics", "会议统计", "meeting.view", route.Call(s.Meeting.GetStatistics)),
		console("GET", "/meetings/:id/statistics/export", "导出会议统计", "meeting.export", route.Call(s.Meeting.ExportStatistics)),

		console("GET", "/meetings/:id/deliveries", "会议通知送达情况", "meeting.view", route.Call(s.Notify.ListDeliveries)),
		console("POST", "/meetings/:id/resend", "重新发送会议通知", "meeting.start", route.Call(s.Notify.Resend)),

		console("GET", "/points/ranking", "积分排行", "points.view", route.Call(s.Points.GetRanking)),
		console("GET", "/points/entries", "积分明细", "points.view", route.Call(s.Points.ListEntries)),
		console("GET", "/audit/verify", "校验操作日志", "audit.view", route.Call(s.Audit.VerifyChain)),
		console("GET", "/notifications", "消息通知", "", route.Call(s.Notify.ListMine)),
		again(console("POST", "/notifications/:id/read", "消息已读", "", route.Call(s.Notify.MarkRead))),

		phone("GET", "/me", "当前微信用户", route.Call(s.Account.GetMe)),
		again(phone("POST", "/logout", "退出", e.logout(memberCookie, route.Phone))),
		phone("GET", "/js-config", "微信网页签名", route.Func(e.jsConfig)),
		phone("POST", "/bind-code", "绑定验证码", route.Call(s.Party.SendBindCode)),
		phone("POST", "/bind", "绑定党员", e.bind()),
		phone("GET", "/profile", "基本信息", route.Call(s.Party.GetMyProfile)),
		phone("GET", "/organization", "我的组织", route.Call(s.Party.GetMyOrganization)),
		phone("GET", "/dues", "我的党费", route.Call(s.Dues.GetMine)),
		phone("POST", "/dues/pay", "缴纳党费", route.Call(s.Dues.PayMine)),
		phone("GET", "/dues/orders/:id", "我的订单", route.Call(s.Dues.GetMyOrder)),
		again(phone("POST", "/sign-in", "扫码签到", route.Call(s.Meeting.SignIn))),
		phone("GET", "/meetings", "会议列表", route.Call(s.Meeting.ListMine)),
		phone("GET", "/meetings/:id", "会议详情", route.Call(s.Meeting.GetMine)),
		phone("GET", "/points", "我的积分", route.Call(s.Points.GetMine)),
		phone("GET", "/organization/points", "我的组织积分", route.Call(s.Points.GetMyOrganization)),
		phone("GET", "/ranking", "支部积分排行", route.Call(s.Points.GetRanking)),
		phone("GET", "/notifications", "我的消息", route.Call(s.Notify.ListMine)),
		again(phone("POST", "/notifications/:id/read", "消息已读", route.Call(s.Notify.MarkRead))),
		phone("POST", "/consent", "订阅消息授权", route.Call(s.Notify.Consent)),
		phone("GET", "/templates", "订阅消息模板", route.Call(s.Notify.GetTemplates)),
	}
	return append(routes, e.recordRoutes()...)
}

// again is a write that may happen twice without harm: it only looks, says the same, or
// makes what is gone in a day if no record names it.
func again(r route.Route) route.Route { r.Repeats = true; return r }
