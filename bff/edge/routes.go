package edge

import (
	"context"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/call"
	"zhihuidangjian/idl/gen/account"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	affairssvc "zhihuidangjian/idl/gen/affairs/affairs"
	auditsvc "zhihuidangjian/idl/gen/audit/audit"
	developmentsvc "zhihuidangjian/idl/gen/development/development"
	duessvc "zhihuidangjian/idl/gen/dues/dues"
	learningsvc "zhihuidangjian/idl/gen/learning/learning"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	partysvc "zhihuidangjian/idl/gen/party/party"
	pointssvc "zhihuidangjian/idl/gen/points/points"
	relationsvc "zhihuidangjian/idl/gen/relation/relation"
)

// Rules of routes that no method of a service stands behind.
var (
	anyone = call.Rule{May: []string{call.Anyone}}
	user   = call.Rule{May: []string{call.User}}
	phones = call.Rule{May: []string{call.Phone}}
	member = call.Rule{May: []string{call.Member}}
)

// Routes is the table of the product's HTTP interface: one line a route. Who may use it
// stands in the IDL, with the method.
func (e *Edge) Routes() []route.Route {
	s := e.services
	public := func(method, path, title string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: path, Title: title, Access: route.Public, Handler: h}
	}
	page := func(path, title string, h app.HandlerFunc) route.Route {
		return route.Route{Method: "GET", Path: path, Title: title, Access: route.Public, Page: true, Handler: route.Func(h, anyone)}
	}
	console := func(method, path, title string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: "/api/console" + path, Title: title, Access: route.Console, Handler: h}
	}
	phone := func(method, path, title string, h route.Handler) route.Route {
		return route.Route{Method: method, Path: "/api/member" + path, Title: title, Access: route.Phone, Handler: h}
	}
	login := route.Call(accountsvc.Login, s.Account).Bind
	routes := []route.Route{
		public("GET", "/api/portal/config", "门户设置", route.Func(e.config, anyone)),
		public("POST", "/api/console/captcha", "滑块验证码", route.Call(accountsvc.DrawCaptcha, s.Account)),
		public("POST", "/api/console/captcha/solve", "验证滑块", route.Call(accountsvc.SolveCaptcha, s.Account)),
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
		public("POST", miniLoginPath, "小程序登录", route.Func(e.miniLogin, anyone)),

		again(console("POST", "/logout", "安全退出", e.logout(adminCookie, route.Console))),
		console("GET", "/me", "个人资料", route.Call(accountsvc.GetMe, s.Account)),
		console("POST", "/password", "修改密码", route.Call(accountsvc.ChangePassword, s.Account)),
		console("GET", "/home", "我的常用功能", route.Call(accountsvc.GetHome, s.Account)),
		again(console("PUT", "/home", "设置常用功能", route.Call(accountsvc.SaveHome, s.Account))),
		console("GET", "/development/:id", "发展党员流程", route.Call(developmentsvc.GetCase, s.Development)),
		phone("GET", "/development", "我的发展资料", route.Call(developmentsvc.GetMyCase, s.Development)),
		phone("POST", "/development/take-back", "撤回提交", route.Call(developmentsvc.TakeBack, s.Development)),
		phone("POST", "/development/hand-in", "提交当前流程", route.Call(developmentsvc.HandIn, s.Development)),
		console("GET", "/branches", "查找党支部", route.Call(relationsvc.FindBranches, s.Relation)),
		console("GET", "/letter/:token", "接收单位查看介绍信", route.Call(relationsvc.ReadLetter, s.Relation)),
		public("GET", "/api/portal/letter/:token", "扫码查看介绍信", route.Call(relationsvc.GetLetter, s.Relation)),
		public("GET", "/api/portal/columns", "门户专题栏目", route.Call(learningsvc.GetPortalColumns, s.Learning)),
		public("GET", "/api/portal/topics/:id", "门户专题内容", route.Call(learningsvc.GetPortalTopic, s.Learning)),
		public("GET", "/api/portal/records/:type/files/:fileId", "门户专题附件", route.Func(e.portalFile, learningsvc.FindPortalFile.Rule())),
		phone("POST", "/transfer-in", "转入申请", route.Call(relationsvc.ApplyTransferIn, s.Relation)),
		again(phone("POST", "/transfer-in/find", "查询转入申请", route.Call(relationsvc.FindTransferIns, s.Relation))),
		phone("GET", "/branches", "查找党支部", route.Call(relationsvc.FindBranches, s.Relation)),
		console("GET", "/tree", "组织树", route.Call(partysvc.GetTree, s.Party)),
		console("GET", "/organizations/:orgId/leadership", "当前与历史领导班子", route.Call(affairssvc.GetLeadership, s.Affairs)),
		console("GET", "/organizations/:orgId/map", "组织地图", route.Call(partysvc.GetMap, s.Party)),
		console("GET", "/participants", "可选参加人员", route.Call(partysvc.ListParticipants, s.Party)),
		console("GET", "/statistics", "组织统计", route.Call(partysvc.GetStatistics, s.Party)),

		again(console("POST", "/dues/base-preview", "试算党费", route.Call(duessvc.GetBasePreview, s.Dues))),
		console("GET", "/dues/analysis", "缴纳分析", route.Call(duessvc.GetAnalysis, s.Dues)),
		console("GET", "/dues/analysis/months", "逐月缴纳情况", route.Call(duessvc.GetMonths, s.Dues)),
		slow(console("GET", "/dues/analysis/export", "导出党费报表", route.Call(duessvc.ExportAnalysis, s.Dues))),
		console("GET", "/dues/sheet", "按月收缴", route.Call(duessvc.GetMonthSheet, s.Dues)),
		slow(console("POST", "/dues/sheet", "按月收缴党费", route.Call(duessvc.PayMonth, s.Dues))),
		slow(again(console("POST", "/dues/sheet/receipts", "打印多张党费收据", route.Call(duessvc.PrintReceipts, s.Dues)))),
		console("GET", "/dues/owed", "党员应缴党费", route.Call(duessvc.GetOwed, s.Dues)),
		console("POST", "/dues/orders", "党费录入", route.Call(duessvc.CreateOrder, s.Dues)),
		console("GET", "/dues/orders/:id", "党费订单", route.Call(duessvc.GetOrder, s.Dues)),
		console("POST", "/dues/orders/:id/cash", "现金缴纳", route.Call(duessvc.PayCash, s.Dues)),
		console("POST", "/dues/orders/:id/native", "微信扫码缴纳", route.Call(duessvc.PayNative, s.Dues)),
		console("GET", "/dues/orders/:id/receipt", "打印党费收据", route.Call(duessvc.PrintReceipt, s.Dues)),

		console("GET", "/meetings/:id/qr", "会议签到二维码", route.Call(meetingsvc.GetQR, s.Meeting)),
		console("GET", "/meetings/:id/live", "签到实时人数", route.Call(meetingsvc.GetLive, s.Meeting)),
		console("GET", "/meetings/:id/live/stream", "签到实时推送", route.Func(e.live, meetingsvc.GetLive.Rule())),
		console("GET", "/meetings/:id/statistics", "会议统计", route.Call(meetingsvc.GetStatistics, s.Meeting)),
		slow(console("GET", "/meetings/:id/statistics/export", "导出会议统计", route.Call(meetingsvc.ExportStatistics, s.Meeting))),

		console("GET", "/meetings/:id/deliveries", "会议通知送达情况", route.Call(notifysvc.ListDeliveries, s.Notify)),
		console("POST", "/meetings/:id/resend", "重新发送会议通知", route.Call(notifysvc.Resend, s.Notify)),

		console("GET", "/studies/:id/statistics", "学习统计", route.Call(learningsvc.GetStudyStatistics, s.Learning)),
		again(console("POST", "/exams/draw", "一键生成试卷", route.Call(learningsvc.DrawQuestions, s.Learning))),
		again(console("POST", "/exams/questions", "试卷的试题", route.Call(learningsvc.ListQuestions, s.Learning))),
		console("GET", "/exams/:id/statistics", "交卷统计", route.Call(learningsvc.GetExamStatistics, s.Learning)),
		slow(console("GET", "/exams/:id/statistics/export", "导出交卷统计", route.Call(learningsvc.ExportExamStatistics, s.Learning))),
		console("POST", "/exams/:id/extra", "考核延时与补考", route.Call(learningsvc.GiveExtra, s.Learning)),

		console("GET", "/points/ranking", "积分排行", route.Call(pointssvc.GetRanking, s.Points)),
		console("GET", "/points/entries", "积分明细", route.Call(pointssvc.ListEntries, s.Points)),
		slow(console("GET", "/audit/verify", "校验操作日志", route.Call(auditsvc.VerifyChain, s.Audit))),
		console("GET", "/notifications", "消息通知", route.Call(notifysvc.ListMine, s.Notify)),
		again(console("POST", "/notifications/:id/read", "消息已读", route.Call(notifysvc.MarkRead, s.Notify))),

		phone("GET", "/me", "当前微信用户", route.Call(accountsvc.GetMe, s.Account)),
		again(phone("POST", "/logout", "退出", e.logout(memberCookie, route.Phone))),
		phone("GET", "/js-config", "微信网页签名", route.Func(e.jsConfig, phones)),
		phone("POST", "/bind-code", "绑定验证码", route.Call(partysvc.SendBindCode, s.Party)),
		phone("POST", "/bind", "绑定党员", e.bind()),
		phone("GET", "/profile", "基本信息", route.Call(partysvc.GetMyProfile, s.Party)),
		phone("GET", "/organization", "我的组织", route.Call(partysvc.GetMyOrganization, s.Party)),
		phone("GET", "/dues", "我的党费", route.Call(duessvc.GetMine, s.Dues)),
		phone("POST", "/dues/pay", "缴纳党费", route.Call(duessvc.PayMine, s.Dues)),
		phone("GET", "/dues/orders/:id", "我的订单", route.Call(duessvc.GetMyOrder, s.Dues)),
		again(phone("POST", "/sign-in", "扫码签到", route.Call(meetingsvc.SignIn, s.Meeting))),
		phone("GET", "/meetings", "会议列表", route.Call(meetingsvc.ListMine, s.Meeting)),
		phone("GET", "/meetings/:id", "会议详情", route.Call(meetingsvc.GetMine, s.Meeting)),
		phone("GET", "/exams", "考核测评", route.Call(learningsvc.ListMyExams, s.Learning)),
		phone("GET", "/exams/:id", "答卷", route.Call(learningsvc.GetMyPaper, s.Learning)),
		again(phone("POST", "/exams/:id/answers", "保存答案", route.Call(learningsvc.SaveAnswer, s.Learning))),
		phone("POST", "/exams/:id/hand-in", "交卷", route.Call(learningsvc.HandIn, s.Learning)),
		phone("GET", "/points", "我的积分", route.Call(pointssvc.GetMine, s.Points)),
		phone("GET", "/organization/points", "我的组织积分", route.Call(pointssvc.GetMyOrganization, s.Points)),
		phone("GET", "/ranking", "支部积分排行", route.Call(pointssvc.GetRanking, s.Points)),
		phone("GET", "/notifications", "我的消息", route.Call(notifysvc.ListMine, s.Notify)),
		again(phone("POST", "/notifications/:id/read", "消息已读", route.Call(notifysvc.MarkRead, s.Notify))),
		phone("POST", "/consent", "订阅消息授权", route.Call(notifysvc.Consent, s.Notify)),
		phone("GET", "/templates", "订阅消息模板", route.Call(notifysvc.GetTemplates, s.Notify)),
	}
	return append(routes, e.recordRoutes()...)
}

// again is a write that may happen twice without harm: it only looks, says the same, or
// makes what is gone in a day if no record names it.
func again(r route.Route) route.Route { r.Repeats = true; return r }

// slow is a route that carries files, or goes through the whole audit.
func slow(r route.Route) route.Route { r.Slow = true; return r }
