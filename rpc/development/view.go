package development

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	development "zhihuidangjian/idl/gen/development"
	"zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/paper"
)

// GetCase is a case of the caller's subtree with all its steps (DEV-04).
func (s *Service) GetCase(ctx context.Context, req *development.CaseReq) (*development.Case, error) {
	c, err := s.cases.Get(ctx, model.Within(kit.CallerOf(ctx).OrgID), req.Id)
	if errors.Is(err, model.ErrNotFound) {
		return nil, kit.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return s.show(ctx, c)
}

// GetMyCase is that of the member who calls, the newest (DEV-15).
func (s *Service) GetMyCase(ctx context.Context, _ *recordsgen.Empty) (*development.Case, error) {
	c, err := s.mine(ctx)
	if err != nil || c == nil {
		return &development.Case{Stages: []*development.Stage{}}, err
	}
	return s.show(ctx, c)
}

func (s *Service) mine(ctx context.Context) (*model.DevelopmentCase, error) {
	caller, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.cases.Find(ctx, model.Everything, bson.D{{Key: "memberId", Value: caller.MemberID}}, model.Page{Sort: bson.D{{Key: "createdAt", Value: -1}}, Limit: 1})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// HandIn says that the candidate has done the step that is his (DEV-16).
func (s *Service) HandIn(ctx context.Context, _ *recordsgen.Empty) (*development.Case, error) {
	c, err := s.mine(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, kit.Conflict("development.none", "您没有进行中的发展流程")
	}
	if now := s.current(c); now != nil {
		if missing, err := s.missing(ctx, c, now); err != nil {
			return nil, err
		} else if len(missing) > 0 {
			return nil, kit.Conflict("development.materials", "请先上传：%s", join(missing))
		}
	}
	at := s.d.Clock.Now()
	c, err = s.cases.Update(ctx, model.Everything, c.ID, func(c *model.DevelopmentCase) error {
		now := s.current(c)
		switch {
		case now == nil || !now.Candidate:
			return kit.Conflict("development.notYours", "当前流程由处理部门办理")
		case c.Submitted:
			return kit.Conflict("development.handedIn", "已提交，请等待处理部门办理")
		case c.HandlerOrgID == "":
			return errNoHandler
		}
		c.Submitted = true
		c.Step(now.No).HandedInAt = &at
		text := fmt.Sprintf("%s提交了“%s”，请办理", kit.CallerOf(ctx).Name, now.Name)
		c.Tell(kit.KeyID("development", c.ID, "handed", fmt.Sprint(now.No, at.UnixMilli())), at, model.Told{
			Kind: "submitted", Title: "发展党员待处理", Content: text, TargetType: "developmentCase", TargetID: c.ID, AdminsOf: c.HandlerOrgID, Permission: "developmentCase.pass",
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.show(ctx, c)
}

// TakeBack lets the candidate change what he handed in while nobody has decided on it.
func (s *Service) TakeBack(ctx context.Context, _ *recordsgen.Empty) (*development.Case, error) {
	c, err := s.mine(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, kit.Conflict("development.none", "您没有进行中的发展流程")
	}
	c, err = s.cases.Update(ctx, model.Everything, c.ID, func(c *model.DevelopmentCase) error {
		now := s.current(c)
		if now == nil || !now.Candidate || !c.Submitted {
			return kit.Conflict("development.notHandedIn", "没有可撤回的提交")
		}
		c.Submitted = false
		c.Step(now.No).HandedInAt = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.show(ctx, c)
}

// show is a case as people see it; materials that the caller may not reach are left out.
func (s *Service) show(ctx context.Context, c *model.DevelopmentCase) (*development.Case, error) {
	caller, p := kit.CallerOf(ctx), s.version(c.Process)
	m, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &party.MembersReq{MemberIds: []string{c.MemberID}})
	if err != nil {
		return nil, err
	}
	out := &development.Case{Id: c.ID, MemberId: c.MemberID, Stage: c.Stage, CurrentStepNo: int32(c.CurrentStepNo), State: c.State, Process: p.Title, StartedOn: c.StartedOn}
	if len(m.Members) > 0 {
		out.Name, out.MemberType, out.OrgName = m.Members[0].Name, m.Members[0].MemberType, m.Members[0].OrgName
	}
	materials, err := s.materials.Find(ctx, model.Everything, bson.D{{Key: "caseId", Value: c.ID}}, model.Page{Sort: bson.D{{Key: "_id", Value: 1}}})
	if err != nil {
		return nil, err
	}
	handlers := map[string][]string{}
	var ids []string
	for department := range departments {
		if handlers[department], err = s.handler(ctx, c, department); err != nil {
			return nil, err
		}
		if path := handlers[department]; len(path) > 0 {
			ids = append(ids, path[len(path)-1])
		}
	}
	places, err := s.d.Party.GetPlaces(kit.AsSystem(ctx), &party.PlacesReq{OrgIds: ids})
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, o := range places.Places {
		names[o.Id] = o.OrgName
	}
	for _, stage := range stages {
		x := &development.Stage{Key: stage.key, Title: stage.title, Steps: []*development.Step{}}
		for i := range p.Steps {
			if p.Steps[i].Stage == stage.key {
				x.Steps = append(x.Steps, s.showStep(caller, c, &p.Steps[i], materials, handlers, names))
			}
		}
		out.Stages = append(out.Stages, x)
	}
	return out, nil
}

func (s *Service) showStep(caller *kit.Caller, c *model.DevelopmentCase, p *step, materials []*model.DevelopmentMaterial, handlers map[string][]string, names map[string]string) *development.Step {
	x := &development.Step{
		No: int32(p.No), Name: p.Name, Stage: p.Stage, State: "notReached", Description: p.Description, Article: p.Article, Department: departments[p.Department],
		Required: p.Materials, Candidate: p.Candidate, NeedsOpinion: p.Opinion, NeedsVotes: p.Vote, NeedsPublicity: p.Publicity != nil, NeedsSigners: p.signs(), Missing: []string{}, Materials: []*development.Material{}, Warnings: say(s.warnings(c, p)),
	}
	path := handlers[p.Department]
	if len(path) > 0 {
		x.Handler = names[path[len(path)-1]]
	}
	switch {
	case c.State == "finished" || p.No < c.CurrentStepNo:
		x.State = "done"
	case p.No == c.CurrentStepNo && c.State == "running":
		x.State = "current"
		x.HandedIn = c.Submitted
		switch caller.Kind {
		case kit.Member:
			x.Works = p.Candidate && !c.Submitted && c.HandlerOrgID != ""
		case kit.User:
			x.Works = handles(caller, c) == nil
		}
	}
	if x.State == "notReached" {
		return x
	}
	for i := range c.Steps {
		if d := &c.Steps[i]; d.No == p.No {
			detail(x, d)
		}
	}
	have := map[string]bool{}
	for _, m := range materials {
		if m.StepNo != p.No {
			continue
		}
		have[m.Kind] = true
		if caller.Kind == kit.User && !slices.Contains(path, caller.OrgID) {
			continue // those of the department only reach them (DEV-13)
		}
		y := &development.Material{Id: m.ID, Kind: m.Kind, By: m.By, At: m.CreatedAt.UnixMilli(), Files: []*development.File{}}
		for _, f := range m.Files {
			y.Files = append(y.Files, &development.File{Id: f.ID, Name: f.Name, ContentType: f.ContentType})
		}
		x.Materials = append(x.Materials, y)
	}
	for _, kind := range p.Materials {
		if !have[kind] && x.State == "current" {
			x.Missing = append(x.Missing, kind)
		}
	}
	return x
}

// detail is what happened to a step.
func detail(x *development.Step, d *model.DevelopmentStep) {
	x.Opinion, x.HandledBy = d.Opinion, d.Handler
	x.Signers = join(d.Signers)
	if p := d.Publicity; p != nil {
		x.Publicity = fmt.Sprintf("%s至%s，%s（%s登记）", p.From, p.To, p.Result, p.By)
	}
	if d.Done {
		x.Date = d.On
	}
	if d.HandledAt != nil {
		x.HandledAt = d.HandledAt.UnixMilli()
	}
	if v := d.Votes; v != nil && d.Done {
		x.Votes = &development.Votes{Due: int32(v.Due), Present: int32(v.Present), Agree: int32(v.For), Against: int32(v.Against), Abstain: int32(v.Abstain), Words: outcome(v)}
	}
	for _, h := range d.History {
		x.History = append(x.History, &development.Decision{Passed: h.Passed, Opinion: h.Opinion, By: h.By, At: h.At.UnixMilli()})
	}
	for _, k := range d.Corrected {
		x.Corrections = append(x.Corrections, &development.Correction{Was: k.Old, Becomes: k.New, Reason: k.Reason, By: k.By, At: k.At.UnixMilli()})
	}
}

// warning is what is to be said of a step by its terms. It refuses nothing.
type warning struct {
	code  string
	text  string
	early bool // the step is done, or may be, before its time; otherwise it is late
}

func say(all []warning) []string {
	out := []string{}
	for _, w := range all {
		out = append(out, w.text)
	}
	return out
}

// warnings are those of a step that is current or done: too early, overdue, or a 公示 too short.
func (s *Service) warnings(c *model.DevelopmentCase, p *step) (out []warning) {
	today := s.d.Clock.Now().In(kit.Shanghai).Format(time.DateOnly)
	on := c.On(p.No)
	open := p.No == c.CurrentStepNo && c.State == "running"
	if t := p.Earliest; t != nil {
		first := t.day(c.On(t.After))
		if first != "" && (on != "" && on < first || open && today < first) {
			out = append(out, warning{t.Code, fmt.Sprintf("%s（不早于%s）", t.Say, first), true})
		}
	}
	if t := p.Deadline; t != nil {
		last := s.d.Calendar.Move(t.day(c.On(t.After)), 0)
		hint := ""
		if u := s.d.Calendar.Unknown(last); u != "" {
			hint = "，" + u
		}
		if last != "" && (on > last || open && today > last) {
			out = append(out, warning{t.Code, fmt.Sprintf("已逾期：%s（%s前%s）", t.Say, last, hint), false})
		} else if last != "" && open {
			out = append(out, warning{t.Code, fmt.Sprintf("%s（%s前%s）", t.Say, last, hint), false})
		}
	}
	if t := p.Publicity; t != nil {
		for _, x := range c.Steps {
			if x.No != p.No || x.Publicity == nil {
				continue
			}
			if n := s.d.Calendar.Between(x.Publicity.From, x.Publicity.To); n < t.Workdays {
				text := fmt.Sprintf("%s，实际公示%d个工作日（%s至%s）", t.Say, n, x.Publicity.From, x.Publicity.To)
				if u := s.d.Calendar.Unknown(x.Publicity.To); u != "" {
					text += "，" + u
				}
				out = append(out, warning{t.Code, text, true})
			}
		}
	}
	if open && c.HandlerOrgID == "" {
		out = append(out, warning{"NO_HANDLER", errNoHandler.Message, false})
	}
	return out
}

// printCase is 发展党员全程纪实表: every step with its date, opinion and votes.
func (s *Service) printCase(ctx context.Context, c *model.DevelopmentCase) (*recordsgen.File, error) {
	fonts, err := paper.Installed(s.d.FontPath)
	if err != nil {
		return nil, err
	}
	x, err := s.show(ctx, c)
	if err != nil {
		return nil, err
	}
	f := paper.NewForm(fonts)
	f.Centre(20, "发展党员全程纪实表")
	f.Line("姓名", x.Name)
	f.Line("所在支部", x.OrgName)
	f.Line("工作细则", x.Process)
	f.Line("开始时间", x.StartedOn)
	for _, stage := range x.Stages {
		f.Rule(false)
		f.Centre(14, stage.Title)
		for _, p := range stage.Steps {
			text := map[string]string{"done": "已完成", "current": "办理中", "notReached": "未进行"}[p.State]
			if p.Date != "" {
				text = p.Date + "　经办：" + p.HandledBy
			}
			f.Line(fmt.Sprintf("%d. %s", p.No, p.Name), text)
			if p.Votes != nil {
				f.Line("", p.Votes.Words)
			}
			if p.Signers != "" {
				f.Line("", "签字人："+p.Signers)
			}
			if p.Publicity != "" {
				f.Line("", "公示："+p.Publicity)
			}
			if p.Opinion != "" {
				f.Line("", "意见："+p.Opinion)
			}
			for _, k := range p.Corrections {
				f.Line("", fmt.Sprintf("日期由%s更正为%s，原因：%s（%s）", k.Was, k.Becomes, k.Reason, k.By))
			}
			for _, m := range p.Materials {
				for _, file := range m.Files {
					f.Line("", m.Kind+"："+file.Name)
				}
			}
		}
	}
	data, err := f.Bytes()
	if err != nil {
		return nil, err
	}
	return &recordsgen.File{Name: "发展党员纪实表" + x.Name + ".pdf", ContentType: "application/pdf", Data: data}, nil
}
