package development

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	development "zhihuidangjian/idl/gen/development"
	"zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// beginnings say where a person's case begins by his type (MEMB-09): the stage, and the
// first step that is not behind him (《中国共产党发展党员工作细则》, the 25 steps).
var beginnings = map[string]struct {
	stage string
	step  int
}{
	"applicant":          {"application", 1},
	"activist":           {"activist", 5},
	"developmentTarget":  {"target", 9},
	"probationaryMember": {"probation", 19},
}

var (
	errNotHandler = kit.Conflict("development.handler", "该流程由处理部门办理，您所在的组织不是处理部门")
	errNoHandler  = kit.Conflict("development.noHandler", "未配置处理部门")
	errByVote     = kit.Conflict("development.vote", "该流程须填写支部大会表决情况")
	errNoVote     = kit.Conflict("development.noVote", "该流程不需要表决")
	errFirst      = kit.Conflict("development.first", "已是第一个流程，不能退回")
)

// caseType is 发展党员 (spec/records.md 15, manual 6.2.1). Its verbs move the case along its steps, one
// at a time; each is for the organisation that handles the current step, and those above it.
func (s *Service) caseType() *records.Type[*model.DevelopmentCase] {
	running := []string{"running"}
	on := records.Field{Key: "on", Label: "办理日期", Type: "date", Required: true, Form: true, Past: true, Help: "记入档案的日期"}
	opinion := records.Field{Key: "opinion", Label: "审批意见", Type: "text", Form: true, Max: 500}
	names := records.Field{Key: "signers", Label: "签字人", Form: true, Max: 100, Help: "如培养联系人、入党介绍人、谈话人，多人用“、”分隔"}
	count := func(key, label string) records.Field {
		return records.Field{Key: key, Label: label, Type: "int", Required: true, Form: true, Min: 0, Max: 10000}
	}
	due := count("due", "应到有表决权人数")
	due.Required, due.Help = false, "不填按支部在册正式党员人数；经支部大会同意不计入的，请填扣除后的人数"
	reason := opinion
	reason.Required, reason.Label = true, "退回意见"
	return &records.Type[*model.DevelopmentCase]{
		Name: "developmentCase", Title: "发展党员", Menu: "党员管理", Icon: "development", Section: "6.2", Collection: s.cases, WithMember: true,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Todo:    &records.Todo{Title: "发展党员逾期或七日内到期", Filter: "due", Value: "now", Verb: "pass"},
		Indexes: []model.Index{records.ByMember, {Keys: bson.D{{Key: "state", Value: 1}, {Key: "_id", Value: 1}}}},
		Fields: []records.Field{
			{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", List: true, After: "memberId"},
			{Key: "currentStep", Label: "当前流程", Virtual: true, List: true, ReadOnly: true, After: "stage", Width: 150},
			{Key: "dueOn", Label: "办理期限", Type: "date", List: true, ReadOnly: true, Sort: true, After: "currentStep", Width: 110},
			{Key: "handlerOrgId", Label: "处理部门", Type: "ref", Ref: "organization", List: true, ReadOnly: true, After: "warning", Width: 150},
			{Key: "keyword", Label: "姓名", Virtual: true, Search: true},
			{Key: "due", Label: "期限", Type: "enum", Virtual: true, Search: true, Options: []records.Option{{Value: "over", Label: "已逾期"}, {Value: "week", Label: "七日内到期"}, {Value: "now", Label: "已逾期或七日内到期"}}},
			{Key: "warning", Label: "预警", Virtual: true, List: true, ReadOnly: true, After: "dueOn", Width: 220},
		},
		Actions: []records.Action[*model.DevelopmentCase]{
			{Key: "pass", Title: "通过", Alone: true, Fields: []records.Field{on, names, opinion}, Do: s.pass,
				Done: func(c *model.DevelopmentCase) string { return s.moved(c) }},
			{Key: "passVote", Title: "支部大会表决", Alone: true, Do: s.passVote, Fields: []records.Field{on,
				due, count("present", "实到有表决权人数"), count("for", "赞成"), count("against", "不赞成"), count("abstain", "弃权"), opinion},
				Done: func(c *model.DevelopmentCase) string { return s.moved(c) }},
			{Key: "reject", Title: "不通过", Alone: true, Fields: []records.Field{reason}, Do: s.reject,
				Done: func(c *model.DevelopmentCase) string { return s.moved(c) }},
			{Key: "publicize", Title: "登记公示", Alone: true, Do: s.publicize, Fields: []records.Field{
				{Key: "from", Label: "公示开始日期", Type: "date", Required: true, Form: true, Past: true},
				{Key: "to", Label: "公示结束日期", Type: "date", Required: true, Form: true},
				{Key: "result", Label: "公示结果", Type: "text", Required: true, Form: true, Max: 500, Help: "如：公示期间未收到异议"}}},
			{Key: "correct", Title: "更正日期", Alone: true, Do: s.correct, Fields: []records.Field{
				count("stepNo", "流程序号"), {Key: "on", Label: "正确日期", Type: "date", Required: true, Form: true, Past: true},
				{Key: "reason", Label: "更正原因", Type: "text", Required: true, Form: true, Max: 200}}},
			{Key: "print", Title: "纪实表", Print: s.printCase},
			{Key: "pack", Title: "材料包", Print: s.packCase},
		},
		Own: &records.Own[*model.DevelopmentCase]{
			Where: records.Mine, Fields: []string{"stage", "state", "startedOn", "finishedOn"},
			Place: &records.Place{Page: "mine", Title: "发展资料", Icon: "development", Single: true, Empty: "暂无发展资料", Order: 5},
		},
		Life: &records.Life[*model.DevelopmentCase]{
			Field: "state", At: func(c *model.DevelopmentCase, _ time.Time) string { return c.State },
			States: []records.State{{Value: "running", Label: "进行中", Color: "success"}, {Value: "finished", Label: "已结束", Color: "info"}, {Value: "terminated", Label: "终止", Color: "info"}},
			Verbs: []records.Verb[*model.DevelopmentCase]{
				{Key: "pass", In: running, If: s.mayPass(false)},
				{Key: "passVote", In: running, If: s.mayPass(true)},
				{Key: "reject", In: running, If: func(c *kit.Caller, d *model.DevelopmentCase, _ time.Time) *kit.Error {
					if d.CurrentStepNo <= 1 {
						return errFirst
					}
					return handles(c, d)
				}},
				{Key: "publicize", In: running, If: func(c *kit.Caller, d *model.DevelopmentCase, _ time.Time) *kit.Error {
					if now := s.current(d); now == nil || now.Publicity == nil {
						return kit.Conflict("development.noPublicity", "该流程无需公示")
					}
					return handles(c, d)
				}},
				{Key: "correct", If: func(c *kit.Caller, d *model.DevelopmentCase, _ time.Time) *kit.Error {
					if !slices.ContainsFunc(d.Steps, func(x model.DevelopmentStep) bool { return x.Done }) {
						return kit.Conflict("development.nothing", "尚无已办理的流程")
					}
					return nil
				}},
			},
		},
		Filter: func(ctx context.Context, key, value string) (bson.D, bool, error) {
			switch key {
			case "due":
				return s.dueWithin(value)
			case "keyword":
			default:
				return nil, false, nil
			}
			ids, err := s.named(ctx, value)
			return bson.D{{Key: "memberId", Value: bson.D{{Key: "$in", Value: ids}}}}, true, err
		},
		NameOf:     func(*model.DevelopmentCase) string { return "发展党员流程" },
		Follow:     s.followCase,
		FollowWhen: func(c *model.DevelopmentCase) bool { return c.Type != "" },
		Present: func(_ context.Context, docs []*model.DevelopmentCase, rows []records.Row) error {
			for i, c := range docs {
				rows[i]["currentStep"] = s.stepName(c)
				rows[i]["name"] = ""
				rows[i]["warning"] = ""
				if now := s.current(c); now != nil {
					rows[i]["warning"] = join(say(s.warnings(c, now)))
				}
			}
			return nil
		},
	}
}

// soon is how many days ahead a deadline is on the list of what is due.
const soon = 7

// dueWithin filters the cases by the deadline of their current step.
func (s *Service) dueWithin(value string) (bson.D, bool, error) {
	now := s.d.Clock.Now().In(kit.Shanghai)
	today, last := now.Format(time.DateOnly), now.AddDate(0, 0, soon).Format(time.DateOnly)
	span := map[string]bson.D{
		"over": {{Key: "$gt", Value: ""}, {Key: "$lt", Value: today}},
		"week": {{Key: "$gte", Value: today}, {Key: "$lte", Value: last}},
		"now":  {{Key: "$gt", Value: ""}, {Key: "$lte", Value: last}},
	}[value]
	if span == nil {
		return nil, true, kit.Invalid("filter.invalid", "筛选条件“期限”填写有误")
	}
	return bson.D{{Key: "state", Value: "running"}, {Key: "dueOn", Value: span}}, true, nil
}

// publicize enters the 公示 that comes before the current step is decided (article 13 of 2026).
func (s *Service) publicize(ctx context.Context, c *model.DevelopmentCase, in records.Input) error {
	from, to := in.String("from"), in.String("to")
	if to < from {
		return kit.InvalidFields(map[string]string{"to": "不能早于开始日期"})
	}
	c.Step(c.CurrentStepNo).Publicity = &model.Publicity{From: from, To: to, Result: in.String("result"), By: kit.CallerOf(ctx).Name}
	return nil
}

// named are the members of the caller's subtree whose name has a part.
func (s *Service) named(ctx context.Context, part string) ([]string, error) {
	list, err := s.d.Party.ListMembers(kit.AsSystem(ctx), &party.OrgReq{OrgId: kit.CallerOf(ctx).OrgID})
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, m := range list.Members {
		if contains(m.Name, part) {
			ids = append(ids, m.Id)
		}
	}
	return ids, nil
}

func (s *Service) stepName(c *model.DevelopmentCase) string {
	steps := s.version(c.Process).Steps
	if c.State != "running" || c.CurrentStepNo < 1 || c.CurrentStepNo > len(steps) {
		return ""
	}
	return fmt.Sprintf("%d. %s", c.CurrentStepNo, steps[c.CurrentStepNo-1].Name)
}

func (s *Service) moved(c *model.DevelopmentCase) string {
	if c.State != "running" {
		return "发展流程已结束"
	}
	return "当前流程：" + s.stepName(c)
}

// handles refuses who is not of the organisation that handles the current step (DEV-13).
func handles(c *kit.Caller, d *model.DevelopmentCase) *kit.Error {
	switch {
	case d.HandlerOrgID == "":
		return errNoHandler
	case c.Kind != kit.System && !d.HandledBy(c.OrgID):
		return errNotHandler
	}
	return nil
}

// mayPass is the guard of both ways to pass a step: with a vote, where it has one, or without.
func (s *Service) mayPass(vote bool) func(*kit.Caller, *model.DevelopmentCase, time.Time) *kit.Error {
	return func(c *kit.Caller, d *model.DevelopmentCase, _ time.Time) *kit.Error {
		now := s.current(d)
		switch {
		case now == nil:
			return errNoHandler
		case now.Vote && !vote:
			return errByVote
		case !now.Vote && vote:
			return errNoVote
		}
		return handles(c, d)
	}
}

// current is the step that a case is at; nil once it has ended.
func (s *Service) current(c *model.DevelopmentCase) *step {
	steps := s.version(c.Process).Steps
	if c.State != "running" || c.CurrentStepNo < 1 || c.CurrentStepNo > len(steps) {
		return nil
	}
	return &steps[c.CurrentStepNo-1]
}

// pass ends the current step and makes the next one current (DEV-02, DEV-11).
func (s *Service) pass(ctx context.Context, c *model.DevelopmentCase, in records.Input) error {
	now := s.current(c)
	if now.Opinion && in.String("opinion") == "" {
		return kit.InvalidFields(map[string]string{"opinion": "请填写审批意见"})
	}
	return s.advance(ctx, c, in, nil)
}

// passVote passes a step by the vote of a 支部大会, whose result follows from its counts.
func (s *Service) passVote(ctx context.Context, c *model.DevelopmentCase, in records.Input) error {
	n := func(key string) int { x, _ := in[key].(int64); return int(x) }
	v := &model.DevelopmentVotes{Due: n("due"), Present: n("present"), For: n("for"), Against: n("against"), Abstain: n("abstain")}
	roll, err := s.voters(ctx, c.OrgID)
	if err != nil {
		return err
	}
	if v.Roll = roll; v.Due == 0 {
		v.Due = roll
	}
	if wrong := v.Wrong(); wrong != "" {
		return kit.InvalidFields(map[string]string{"due": wrong})
	}
	if !v.Passed() {
		return kit.Conflict("development.notPassed", "%s", outcome(v)+"，不能通过；请按“不通过”办理")
	}
	return s.advance(ctx, c, in, v)
}

// voters counts the full members of a branch, who have the right to vote (党章 article 4; 预备党员 have
// not).
func (s *Service) voters(ctx context.Context, branch string) (int, error) {
	list, err := s.d.Party.ListMembers(kit.AsSystem(ctx), &party.OrgReq{OrgId: branch})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, m := range list.Members {
		if m.MemberType == "fullMember" && m.OrgId == branch {
			n++
		}
	}
	return n, nil
}

// outcome is the result of a vote in words, for the minutes.
func outcome(v *model.DevelopmentVotes) string {
	result := "决议未通过"
	switch {
	case 2*v.Present <= v.Due:
		result = "到会人数未超过应到会有表决权人数的半数，会议无效"
	case v.Passed():
		result = "赞成人数超过应到会有表决权人数的半数，决议通过"
	}
	on := ""
	if v.Roll > 0 && v.Roll != v.Due {
		on = fmt.Sprintf("（在册正式党员%d名）", v.Roll)
	}
	return fmt.Sprintf("应到会有表决权党员%d名%s，实到%d名，赞成%d票，不赞成%d票，弃权%d票，%s", v.Due, on, v.Present, v.For, v.Against, v.Abstain, result)
}

func (s *Service) advance(ctx context.Context, c *model.DevelopmentCase, in records.Input, votes *model.DevelopmentVotes) error {
	now, p, at := s.current(c), s.version(c.Process), s.d.Clock.Now()
	if missing, err := s.missing(ctx, c, now); err != nil {
		return err
	} else if len(missing) > 0 {
		return kit.Conflict("development.materials", "请先上传：%s", join(missing))
	}
	signed, err := signedBy(now, in.String("signers"))
	if err != nil {
		return err
	}
	on := in.String("on")
	if now.Publicity != nil {
		switch done := c.Step(now.No).Publicity; {
		case done == nil:
			return kit.Conflict("development.publicity", "请先登记公示情况：%s", now.Publicity.Say)
		case on <= done.To:
			return kit.InvalidFields(map[string]string{"on": fmt.Sprintf("公示至%s，应在其后", done.To)})
		}
	}
	for _, x := range c.Steps {
		if x.Done && x.No < now.No && x.On > on {
			return kit.InvalidFields(map[string]string{"on": fmt.Sprintf("不能早于“%s”的日期%s", p.Steps[x.No-1].Name, x.On)})
		}
	}
	caller := kit.CallerOf(ctx)
	x := c.Step(now.No)
	x.Done, x.On, x.Opinion, x.Handler, x.HandledAt, x.Votes, x.Signers = true, on, in.String("opinion"), caller.Name, &at, votes, signed
	x.History = append(x.History, model.DevelopmentDecision{Passed: true, Opinion: x.Opinion, By: caller.Name, At: at})
	for _, w := range s.warnings(c, now) {
		if w.early { // said once to both sides, since nothing refuses it (PLUS-06)
			s.tell(c, at, fmt.Sprintf("“%s”：%s", now.Name, w.text), fmt.Sprint(w.code, ".", now.No, "-", len(x.History)))
		}
	}
	if now.Becomes != "" {
		c.Type = now.Becomes
		if now.Becomes == "activist" {
			c.ActivistOn = on
		}
	}
	if now.Key == "precheck" { // DEV-14
		c.Tell(kit.KeyID("volunteer", c.ID, fmt.Sprint(len(x.History))), at, model.Told{
			Kind: "volunteerForm", Title: "领取入党志愿书", Content: "您的预审已通过，请到支部换取入党志愿书", TargetType: "developmentCase", TargetID: c.ID,
			Page: minePage, MemberIDs: []string{c.MemberID}, Channels: []string{model.ChannelSMS, model.ChannelSite}, Traced: true,
		})
	}
	if now.No == len(p.Steps) {
		c.State, c.FinishedOn, c.HandlerOrgID, c.HandlerPath, c.Submitted = "finished", at.In(kit.Shanghai).Format(time.DateOnly), "", nil, false
		c.DueOn = ""
		return nil
	}
	next := p.Steps[now.No]
	c.CurrentStepNo, c.Stage, c.Submitted = next.No, next.Stage, false
	if err := s.place(ctx, c); err != nil {
		return err
	}
	s.tell(c, at, fmt.Sprintf("“%s”已通过，下一步：%s", now.Name, next.Name), fmt.Sprint(now.No, "-", len(x.History)))
	return nil
}

// signedBy reads the names of those who sign a step, each once, as many as it needs.
func signedBy(now *step, text string) ([]string, error) {
	var names []string
	for _, n := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("、，,；; 　\n", r) }) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if p := now.Signers; p != nil && len(names) < p.Least {
		return nil, kit.InvalidFields(map[string]string{"signers": fmt.Sprintf("请填写%s（至少%d人）", p.Label, p.Least)})
	}
	return names, nil
}

// minePage is 我的→发展资料 on the phone.
const minePage = "pages/development/index"

// tell lets both sides know how a case moved: the candidate, and the admins of who comes next.
func (s *Service) tell(c *model.DevelopmentCase, at time.Time, text, key string) {
	c.Tell(kit.KeyID("development", c.ID, key), at, model.Told{
		Kind: "development", Title: "发展党员流程", Content: text, Fields: map[string]string{"title": "发展党员流程", "content": text},
		TargetType: "developmentCase", TargetID: c.ID, Page: minePage, MemberIDs: []string{c.MemberID}, AdminsOf: c.HandlerOrgID, Permission: "developmentCase.view",
	})
}

// reject sends a case back to the step before, with the opinion in its history (DEV-12).
func (s *Service) reject(ctx context.Context, c *model.DevelopmentCase, in records.Input) error {
	now, p, at := s.current(c), s.version(c.Process), s.d.Clock.Now()
	caller := kit.CallerOf(ctx)
	x := c.Step(now.No)
	x.History = append(x.History, model.DevelopmentDecision{Opinion: in.String("opinion"), By: caller.Name, At: at})
	x.Opinion, x.Handler, x.HandledAt = in.String("opinion"), caller.Name, &at
	key := fmt.Sprint(now.No, "-", len(x.History))
	back := p.Steps[now.No-2]
	c.Step(back.No).Done = false
	c.CurrentStepNo, c.Stage, c.Submitted = back.No, back.Stage, false
	if err := s.place(ctx, c); err != nil {
		return err
	}
	s.tell(c, at, fmt.Sprintf("“%s”未通过：%s；退回“%s”", now.Name, in.String("opinion"), back.Name), key)
	return nil
}

// correct sets a date of the file right; the old one stands beside it with the reason (PLUS-08).
func (s *Service) correct(ctx context.Context, c *model.DevelopmentCase, in records.Input) error {
	no, _ := in["stepNo"].(int64)
	i := slices.IndexFunc(c.Steps, func(x model.DevelopmentStep) bool { return x.No == int(no) && x.Done })
	if i < 0 {
		return kit.InvalidFields(map[string]string{"stepNo": "该流程尚未办理"})
	}
	on, x := in.String("on"), &c.Steps[i]
	if on == x.On {
		return kit.InvalidFields(map[string]string{"on": "与现在的日期相同"})
	}
	for _, o := range c.Steps {
		if o.Done && (o.No < x.No && o.On > on || o.No > x.No && o.On < on) {
			return kit.InvalidFields(map[string]string{"on": fmt.Sprintf("与第%d步的日期%s先后不符", o.No, o.On)})
		}
	}
	x.Corrected = append(x.Corrected, model.DateCorrection{Old: x.On, New: on, Reason: in.String("reason"), By: kit.CallerOf(ctx).Name, At: s.d.Clock.Now()})
	x.On = on
	if p := s.version(c.Process).Steps[x.No-1]; p.Becomes == "activist" {
		c.ActivistOn = on
	}
	c.DueOn = s.dueOn(c)
	return nil
}

// dueOn is the last day for the current step, a working day; "" where it has none.
func (s *Service) dueOn(c *model.DevelopmentCase) string {
	now := s.current(c)
	if now == nil || now.Deadline == nil {
		return ""
	}
	return s.d.Calendar.Move(now.Deadline.day(c.On(now.Deadline.After)), 0)
}

// place finds who handles the current step: the branch, the nearest committee above it, or the
// one above that. "" says that there is none (DEV-10).
func (s *Service) place(ctx context.Context, c *model.DevelopmentCase) error {
	c.HandlerOrgID, c.HandlerPath, c.DueOn = "", nil, s.dueOn(c)
	now := s.current(c)
	if now == nil {
		return nil
	}
	path, err := s.handler(ctx, c, now.Department)
	if err != nil || len(path) == 0 {
		return err
	}
	c.HandlerOrgID, c.HandlerPath = path[len(path)-1], path
	return nil
}

// handler is the path to the organisation that is a department to a case; nil: there is none.
func (s *Service) handler(ctx context.Context, c *model.DevelopmentCase, department string) ([]string, error) {
	o, err := s.d.Party.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: c.OrgID})
	if err != nil {
		return nil, err
	}
	if department == "branch" {
		return o.Orgs, nil
	}
	committees := 1
	if department == "upper" {
		committees = 2
	}
	for i := len(o.Orgs) - 2; i >= 0; i-- {
		up, err := s.d.Party.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: o.Orgs[i]})
		if err != nil {
			return nil, err
		}
		if up.OrgType != "committee" {
			continue
		}
		if committees--; committees == 0 {
			return up.Orgs, nil
		}
	}
	return nil, nil
}

// followCase tells the member's record what a step has made of him (DEV-18), and readies the
// reports that are due from then on.
func (s *Service) followCase(ctx context.Context, c *model.DevelopmentCase) error {
	req := &party.DevelopReq{MemberId: c.MemberID, MemberType: c.Type}
	switch c.Type {
	case "activist":
		req.ActivistOn = c.ActivistOn
	case "probationaryMember":
		req.JoinedOn = c.On(15)
	case "fullMember":
		// 党龄 begins with the day on which the meeting passed it, after the year of probation.
		req.RegularizedOn = c.On(23)
		if joined := c.On(15); joined != "" {
			req.RegularizedOn = max(req.RegularizedOn, kit.MonthsBefore(joined, -12))
		}
	}
	if _, err := s.d.Party.SetDeveloped(kit.OnBehalf(ctx), req); err != nil {
		return err
	}
	return s.dueReports(ctx, c)
}

// BeginCase opens the development case of somebody who is no full member yet, once (6.1.1注); after
// one that has ended a new one may begin.
func (s *Service) BeginCase(ctx context.Context, req *development.BeginReq) (*recordsgen.Empty, error) {
	none := &recordsgen.Empty{}
	b, ok := beginnings[req.MemberType]
	if !ok {
		return none, nil
	}
	had, err := s.cases.Find(ctx, model.Everything, bson.D{{Key: "memberId", Value: req.MemberId}}, model.Page{})
	if err != nil || slices.ContainsFunc(had, func(c *model.DevelopmentCase) bool { return c.State == "running" }) {
		return none, err
	}
	id := kit.KeyID("development", req.MemberId)
	if len(had) > 0 {
		id = kit.KeyID("development", req.MemberId, fmt.Sprint(len(had)))
	}
	today := s.d.Clock.Now().In(kit.Shanghai).Format(time.DateOnly)
	c := &model.DevelopmentCase{
		Base:     model.Base{ID: id, OrgID: req.OrgId, Orgs: req.Orgs, CreatedBy: "system"},
		MemberID: req.MemberId, Stage: b.stage, CurrentStepNo: b.step, State: "running", StartedOn: today, Process: s.on(today).Version, ActivistOn: req.ActivistOn,
	}
	if err := s.place(ctx, c); err != nil {
		return none, err
	}
	if err := s.cases.Insert(ctx, c); err != nil && !errors.Is(err, model.ErrDuplicate) {
		return none, err
	}
	return none, s.dueReports(ctx, c)
}
