package development

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// quarterOf is the quarter of a day, e.g. 2026Q4.
func quarterOf(t time.Time) string {
	t = t.In(kit.Shanghai)
	return fmt.Sprintf("%dQ%d", t.Year(), (int(t.Month())+2)/3)
}

// ends is the first day after a quarter.
func ends(quarter string) time.Time {
	var year, q int
	_, _ = fmt.Sscanf(quarter, "%dQ%d", &year, &q) // a quarter of ours
	return time.Date(year, time.Month(q*3+1), 1, 0, 0, 0, 0, kit.Shanghai)
}

var asQuarter = regexp.MustCompile(`^(\d{4})\s*[年\-/.]?\s*[Qq第]?\s*([1-4])\s*(季度)?$`)

// readQuarter understands a quarter as people write it: 2026Q4, 2026年第4季度, 2026-4.
func readQuarter(s string) (string, bool) {
	m := asQuarter.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	return m[1] + "Q" + m[2], true
}

// reportType is 思想汇报 (spec/records.md 16, manual 6.2.2): one for each quarter since its author was
// made an activist. It is there, 未提交, from the day on which it is due.
func (s *Service) reportType() *records.Type[*model.ThoughtReport] {
	handedIn := []string{model.ReportSubmitted, model.ReportLate}
	form := []string{"quarter", "title", "content", "images"}
	return &records.Type[*model.ThoughtReport]{
		Name: "thoughtReport", Title: "思想汇报", Menu: "党员管理", Icon: "report", Section: "6.2.2", Collection: s.reports, NameKey: "quarter",
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Parts: []records.Part{records.AboutMember(records.Party{Client: s.d.Party})},
		Actions: []records.Action[*model.ThoughtReport]{
			{Key: "comment", Title: "批注", Fields: []records.Field{{Key: "comment", Label: "支部意见", Type: "text", Required: true, Form: true, Max: 500}},
				Do: func(_ context.Context, r *model.ThoughtReport, in records.Input) error {
					r.Comment = in.String("comment")
					s.answer(r, "支部已批注")
					return nil
				}},
			{Key: "giveBack", Title: "退回", Fields: []records.Field{{Key: "comment", Label: "退回原因", Type: "text", Required: true, Form: true, Max: 500}},
				Do: func(_ context.Context, r *model.ThoughtReport, in records.Input) error {
					r.Comment = in.String("comment")
					s.answer(r, "被退回，请修改后重新提交")
					return nil
				}},
		},
		Own: &records.Own[*model.ThoughtReport]{
			Where: records.Mine, Create: true, Update: true, Form: form, Fields: append(form, "state", "submittedAt", "comment"),
			Place: &records.Place{Page: "org", Title: "思想汇报", Icon: "report", Empty: "暂无思想汇报"},
			Prepare: func(ctx context.Context, r *model.ThoughtReport) error {
				r.MemberID = kit.CallerOf(ctx).MemberID
				if r.Quarter == "" {
					r.Quarter = quarterOf(s.d.Clock.Now())
				}
				return nil
			},
		},
		Life: &records.Life[*model.ThoughtReport]{
			Field: "state", At: func(r *model.ThoughtReport, _ time.Time) string { return r.State },
			States: []records.State{
				{Value: model.ReportMissing, Label: "未提交", Color: "danger"}, {Value: model.ReportSubmitted, Label: "已提交", Color: "success"},
				{Value: model.ReportLate, Label: "逾期提交", Color: "warning"}, {Value: model.ReportReturned, Label: "已退回", Color: "warning"},
			},
			Verbs: []records.Verb[*model.ThoughtReport]{
				{Key: "update", In: []string{model.ReportMissing, model.ReportReturned}, Refuse: kit.Conflict("report.submitted", "该季度已提交思想汇报")},
				{Key: "comment", In: handedIn},
				{Key: "giveBack", In: handedIn, To: model.ReportReturned},
			},
		},
		BeforeSave: s.checkReport,
		Store:      s.storeReports,
	}
}

// answer tells the author what became of his report.
func (s *Service) answer(r *model.ThoughtReport, what string) {
	at := s.d.Clock.Now()
	text := fmt.Sprintf("%s思想汇报%s：%s", r.Quarter, what, r.Comment)
	r.Tell(kit.KeyID("report", r.ID, fmt.Sprint(r.Version)), at, model.Told{
		Kind: "development", Title: "思想汇报", Content: text, Fields: map[string]string{"title": "思想汇报", "content": text},
		TargetType: "thoughtReport", TargetID: r.ID, MemberIDs: []string{r.MemberID},
	})
}

func reportID(memberID, quarter string) string { return kit.KeyID("thought-report", memberID, quarter) }

// caseOf is the running case of a member, from activist on; nil: he owes no reports.
func (s *Service) caseOf(ctx context.Context, memberID string) (*model.DevelopmentCase, error) {
	c, err := s.cases.FindOne(ctx, model.Everything, bson.D{{Key: "memberId", Value: memberID}, {Key: "state", Value: "running"}})
	if errors.Is(err, model.ErrNotFound) || err == nil && c.ActivistOn == "" {
		return nil, nil
	}
	return c, err
}

// checkReport holds the rules of what is handed in (THGT-03): by somebody in development, for a
// quarter that has begun and is not before he was an activist.
func (s *Service) checkReport(ctx context.Context, _, r *model.ThoughtReport) error {
	now := s.d.Clock.Now()
	quarter, ok := readQuarter(r.Quarter)
	if !ok {
		return kit.InvalidFields(map[string]string{"quarter": "季度应如2026Q3"})
	}
	r.Quarter = quarter
	c, err := s.caseOf(ctx, r.MemberID)
	switch {
	case err != nil:
		return err
	case c == nil:
		return kit.Conflict("report.none", "只有入党积极分子、发展对象和预备党员提交思想汇报")
	case quarter > quarterOf(now):
		return kit.InvalidFields(map[string]string{"quarter": "不能提交以后季度的思想汇报"})
	case quarter < quarterOf(day(c.ActivistOn)):
		return kit.InvalidFields(map[string]string{"quarter": "该季度尚未确定为入党积极分子，无需提交"})
	}
	r.ID, r.SubmittedAt, r.State = reportID(r.MemberID, quarter), &now, model.ReportSubmitted
	if !now.Before(ends(quarter)) {
		r.State = model.ReportLate
	}
	return nil
}

func day(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, kit.Shanghai)
	if err != nil {
		return time.Time{}
	}
	return t
}

// storeReports puts a new report in the place of the one that was due; a second one for a quarter is
// refused.
func (s *Service) storeReports(ctx context.Context, docs []*model.ThoughtReport) (map[int]error, error) {
	failed, err := s.reports.InsertMany(ctx, docs)
	if err != nil {
		return nil, err
	}
	for i, cause := range failed {
		if !errors.Is(cause, model.ErrDuplicate) {
			continue
		}
		was, err := s.reports.Get(ctx, model.Everything, docs[i].ID)
		switch {
		case err != nil:
			return nil, err
		case was.State != model.ReportMissing && was.State != model.ReportReturned:
			failed[i] = kit.InvalidFields(map[string]string{"quarter": "该季度已提交思想汇报"})
			continue
		}
		docs[i].Version, docs[i].CreatedAt, docs[i].Pending = was.Version, was.CreatedAt, slices.Concat(was.Pending, docs[i].Pending)
		if err := s.reports.Replace(ctx, docs[i]); errors.Is(err, model.ErrStale) {
			failed[i] = kit.ErrConflict
		} else if err != nil {
			return nil, err
		} else {
			delete(failed, i)
		}
	}
	return failed, nil
}

// dueReports makes, as not handed in, the reports that a case owes by now (DEV-06): one a quarter
// from that in which its member became an activist on.
func (s *Service) dueReports(ctx context.Context, c *model.DevelopmentCase) error {
	if c.State != "running" || c.ActivistOn == "" {
		return nil
	}
	have, err := s.reports.Find(ctx, model.Everything, bson.D{{Key: "memberId", Value: c.MemberID}}, model.Page{})
	if err != nil {
		return err
	}
	first := day(c.ActivistOn)
	var due []*model.ThoughtReport
	for at := time.Date(first.Year(), first.Month()-(first.Month()-1)%3, 1, 0, 0, 0, 0, kit.Shanghai); quarterOf(at) <= quarterOf(s.d.Clock.Now()) && len(due) < 400; at = at.AddDate(0, 3, 0) {
		q := quarterOf(at)
		if slices.ContainsFunc(have, func(r *model.ThoughtReport) bool { return r.Quarter == q }) {
			continue
		}
		due = append(due, &model.ThoughtReport{
			Base:     model.Base{ID: reportID(c.MemberID, q), OrgID: c.OrgID, Orgs: c.Orgs, CreatedBy: "system"},
			OfMember: model.OfMember{MemberID: c.MemberID}, Quarter: q, State: model.ReportMissing,
		})
	}
	if len(due) == 0 {
		return nil
	}
	failed, err := s.reports.InsertMany(ctx, due)
	for _, cause := range failed {
		if !errors.Is(cause, model.ErrDuplicate) {
			err = errors.Join(err, cause)
		}
	}
	return err
}

// Remind does what falls due with time, for all running cases: the reports of a new quarter, and one
// reminder on its first day and ten days before its end to who has not handed in (DEV-07); and one of
// each deadline, a week before and once it has passed (PLUS-06).
func (s *Service) Remind(ctx context.Context, _ *recordsgen.Empty) (*recordsgen.Empty, error) {
	// Index state, _id.
	list, err := s.cases.Find(ctx, model.Everything, bson.D{{Key: "state", Value: "running"}}, model.Page{})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, c := range list {
		errs = append(errs, s.dueReports(ctx, c), s.remindReport(ctx, c), s.remindDeadline(ctx, c))
	}
	return &recordsgen.Empty{}, errors.Join(errs...)
}

func (s *Service) remindReport(ctx context.Context, c *model.DevelopmentCase) error {
	if c.ActivistOn == "" {
		return nil
	}
	now := s.d.Clock.Now()
	q := quarterOf(now)
	key := q + ".first"
	if !now.Before(ends(q).AddDate(0, 0, -10)) {
		key = q + ".last"
	}
	if slices.Contains(c.Reminded, key) {
		return nil
	}
	r, err := s.reports.Get(ctx, model.Everything, reportID(c.MemberID, q))
	if err != nil && !errors.Is(err, model.ErrNotFound) {
		return err
	}
	owes := err != nil || r.State == model.ReportMissing
	return s.remind(ctx, c.ID, key, owes, func(c *model.DevelopmentCase) model.Told {
		text := fmt.Sprintf("请于%s前提交%s思想汇报", ends(q).AddDate(0, 0, -1).Format(time.DateOnly), q)
		return model.Told{Kind: "development", Title: "思想汇报提醒", Content: text, Fields: map[string]string{"title": "思想汇报提醒", "content": text},
			TargetType: "thoughtReport", TargetID: reportID(c.MemberID, q), Page: "pages/records/list?type=thoughtReport", MemberIDs: []string{c.MemberID}}
	})
}

// ahead is how many working days before a deadline it is reminded of.
const ahead = 5

func (s *Service) remindDeadline(ctx context.Context, c *model.DevelopmentCase) error {
	now, last := s.current(c), s.dueOn(c)
	today := s.d.Clock.Now().In(kit.Shanghai).Format(time.DateOnly)
	if last == "" {
		return nil
	}
	key, what := "", "应于"
	switch {
	case last < today:
		key, what = fmt.Sprintf("%d.%s.%s.over", now.No, now.Deadline.Code, last), "已逾期，应于"
	case s.d.Calendar.Move(last, -ahead) <= today:
		key = fmt.Sprintf("%d.%s.%s.soon", now.No, now.Deadline.Code, last)
	}
	if key == "" || slices.Contains(c.Reminded, key) {
		return nil
	}
	return s.remind(ctx, c.ID, key, true, func(c *model.DevelopmentCase) model.Told {
		text := fmt.Sprintf("“%s”%s%s前完成：%s", now.Name, what, last, now.Deadline.Say)
		return model.Told{Kind: "development", Title: "发展党员期限提醒", Content: text, Fields: map[string]string{"title": "发展党员期限提醒", "content": text},
			TargetType: "developmentCase", TargetID: c.ID, Page: minePage, MemberIDs: []string{c.MemberID}, AdminsOf: c.HandlerOrgID, Permission: "developmentCase.view"}
	})
}

// remind notes a reminder and gives it in one write, so that it is given once.
func (s *Service) remind(ctx context.Context, id, key string, tell bool, say func(*model.DevelopmentCase) model.Told) error {
	_, err := s.cases.Update(ctx, model.Everything, id, func(c *model.DevelopmentCase) error {
		if slices.Contains(c.Reminded, key) || c.State != "running" {
			return model.ErrUnchanged
		}
		c.Reminded = append(c.Reminded, key)
		if tell {
			c.Tell(kit.KeyID("development", c.ID, key), s.d.Clock.Now(), say(c))
		}
		return nil
	})
	return err
}
