package learning

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	learning "zhihuidangjian/idl/gen/learning"
	learningsvc "zhihuidangjian/idl/gen/learning/learning"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

const examName = "exam"

// Why the state of an exam refuses.
var (
	errExamEnabled = kit.Conflict("exam.enabled", "考核已启用")
	errExamOnce    = kit.Conflict("exam.once", "每套考核只可启用一次")
	errExamDraft   = kit.Conflict("exam.draft", "考核未启用，启用后才能查看")
	errExamOwn     = kit.Conflict("exam.own", "只可修改、删除、启用本组织添加的考核")
)

const tooSoon = "考核截止时间必须为当前时间5个小时后"

// examLife is the life of an exam (EXAM-04, 05, 15, 18, 20, 21): a draft is changed, deleted and enabled by the
// organisation that made it; what an enabled one is follows from its deadline.
var examLife = &records.Life[*model.Exam]{
	Field: "state",
	At:    (*model.Exam).Shown,
	States: []records.State{
		{Value: model.ExamDraft, Label: "未启用", Color: "info"},
		{Value: model.ExamEnabled, Label: "已启用", Color: "success", Where: func(now time.Time) bson.D {
			return bson.D{{Key: "state", Value: model.ExamEnabled}, {Key: "deadlineAt", Value: bson.D{{Key: "$gt", Value: now}}}}
		}},
		{Value: model.ExamEnded, Label: "已结束", Color: "info", Where: func(now time.Time) bson.D {
			return bson.D{{Key: "state", Value: model.ExamEnabled}, {Key: "deadlineAt", Value: bson.D{{Key: "$lte", Value: now}}}}
		}},
	},
	Verbs: []records.Verb[*model.Exam]{
		{Key: "update", In: []string{model.ExamDraft}, If: ownExam, Refuse: errExamEnabled},
		{Key: "delete", In: []string{model.ExamDraft}, If: ownExam, Refuse: errExamEnabled},
		{Key: "enable", In: []string{model.ExamDraft}, If: ownExam, Refuse: errExamOnce},
		{Key: "statistics", In: []string{model.ExamEnabled, model.ExamEnded}, Refuse: errExamDraft},
		{Key: "extra", In: []string{model.ExamEnabled, model.ExamEnded}, If: ownExam, Refuse: errExamDraft, Inner: true},
	},
}

// ownExam keeps an exam to the organisation that made it (A07).
func ownExam(c *kit.Caller, e *model.Exam, _ time.Time) *kit.Error {
	if c.OrgID != e.OrgID {
		return errExamOwn
	}
	return nil
}

// examType is 考核 (spec/records.md 41, manual 10.2).
func (s *Service) examType() *records.Type[*model.Exam] {
	return &records.Type[*model.Exam]{
		Name: examName, Title: "考核", Menu: "学习教育", Icon: "check", Section: "10.2", Collection: s.exams, NameKey: "title", NoExport: true,
		Indexes: []model.Index{
			{Keys: bson.D{{Key: "receiverIds", Value: 1}, {Key: "_id", Value: -1}}}, // ListMyExams
			{Keys: bson.D{{Key: "questionIds", Value: 1}}},
			{Keys: bson.D{{Key: "categoryId", Value: 1}}},
			{Keys: bson.D{{Key: "nextCloseAt", Value: 1}}, Sparse: true},
		},
		Fields: []records.Field{
			{Key: "orgId", Label: "组织", Ref: "organization", List: true, ReadOnly: true, After: "deadlineAt", Width: 150},
			{Key: "receivers", Label: "接受人数", Type: "int", Virtual: true, ReadOnly: true, Below: true, After: "receiverIds"},
			{Key: "paper", Label: "试卷", Type: "text", Virtual: true, ReadOnly: true, Below: true},
		},
		Life: examLife,
		Actions: []records.Action[*model.Exam]{
			s.enableExam(),
			{Key: "reuse", Title: "使用试卷", Permission: examName + ".create"},
			{Key: "statistics", Title: "交卷统计", Permission: learningsvc.GetExamStatistics.Permission()},
		},
		BeforeSave: s.checkExam,
		Present:    s.presentExams,
	}
}

// enableExam publishes an exam: its receivers see it and are told, once (EXAM-19).
func (s *Service) enableExam() records.Action[*model.Exam] {
	return records.Action[*model.Exam]{
		Key: "enable", Title: "启用", Confirm: "启用后不可修改和删除，并通知接受对象。每套考核只可启用一次，确定启用？", Alone: true,
		Do: func(_ context.Context, e *model.Exam, _ records.Input) error {
			now := s.d.Clock.Now()
			if e.DeadlineAt.Before(now.Add(model.ExamNotice)) {
				return kit.Conflict("exam.soon", tooSoon)
			}
			e.State, e.EnabledAt, e.NextCloseAt = model.ExamEnabled, &now, &e.DeadlineAt
			at := e.DeadlineAt.In(kit.Shanghai).Format("2006年01月02日 15:04")
			e.Tell(kit.KeyID("exam.enabled", e.ID), now, model.Told{
				Kind: "examEnabled", Title: "考核通知", Content: fmt.Sprintf("“%s”已开始，请于%s前完成答题并交卷", e.Title, at),
				TargetType: examName, TargetID: e.ID, Page: "pages/exams/paper?id=" + e.ID,
				Fields: map[string]string{"title": e.Title, "time": at}, MemberIDs: e.ReceiverIDs,
			})
			return nil
		},
		Done: func(e *model.Exam) string {
			return fmt.Sprintf("考核已启用，正在通知%d名接受对象", len(e.ReceiverIDs))
		},
	}
}

// checkExam keeps the rules of an exam (10.2.1); a new one is filled at random when that was chosen.
func (s *Service) checkExam(ctx context.Context, old, e *model.Exam) error {
	wrong := map[string]string{}
	if e.DeadlineAt.Before(s.d.Clock.Now().Add(model.ExamNotice)) {
		wrong["deadlineAt"] = tooSoon
	}
	if e.PassScore == 0 {
		e.PassScore = 60
	}
	if e.PassScore < 1 || e.PassScore > model.FullMarks {
		wrong["passScore"] = "及格分应为1至100"
	}
	if old != nil {
		return invalid(wrong)
	}
	e.State, e.Creator = model.ExamDraft, kit.CallerOf(ctx).Name
	n, _ := strconv.Atoi(e.QuestionCount)
	if e.SelectMode == "random" && len(e.QuestionIDs) == 0 {
		drawn, err := s.draw(ctx, e.CategoryID, e.TagIDs, nil, n)
		if err != nil {
			return kit.InvalidFields(map[string]string{"questionIds": kit.FromError(err).Message})
		}
		e.QuestionIDs = drawn
	}
	seen := slices.Compact(slices.Sorted(slices.Values(e.QuestionIDs)))
	if len(seen) != len(e.QuestionIDs) || len(seen) != n {
		wrong["questionIds"] = fmt.Sprintf("请选择%d道试题", n)
	}
	if e.ReceiverOrgID == "" && len(e.ReceiverIDs) == 0 {
		wrong["receiverIds"] = "请选择接受对象"
	}
	if err := invalid(wrong); err != nil {
		return err
	}
	var err error
	e.ReceiverIDs, err = s.party.Gather(ctx, "receiverOrgId", e.ReceiverOrgID, "receiverIds", e.ReceiverIDs)
	return err
}

func invalid(wrong map[string]string) error {
	if len(wrong) == 0 {
		return nil
	}
	return kit.InvalidFields(wrong)
}

// DrawQuestions fills a paper at random (一键生成, EXAM-02) from the questions that the caller sees.
func (s *Service) DrawQuestions(ctx context.Context, req *learning.DrawReq) (*learning.Questions, error) {
	ids, err := s.draw(ctx, req.CategoryId, req.TagIds, req.Types, int(req.Count))
	if err != nil {
		return nil, err
	}
	return s.briefs(ctx, ids)
}

// draw is n different questions of a category at random, of any of some tags and kinds.
func (s *Service) draw(ctx context.Context, categoryID string, tagIDs, types []string, n int) ([]string, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	filter := bson.D{{Key: "categoryId", Value: categoryID}}
	if len(tagIDs) > 0 {
		filter = append(filter, bson.E{Key: "tagIds", Value: bson.D{{Key: "$in", Value: tagIDs}}})
	}
	if len(types) > 0 {
		filter = append(filter, bson.E{Key: "questionType", Value: bson.D{{Key: "$in", Value: types}}})
	}
	var all []string
	err = s.questions.Each(ctx, model.Within(c.OrgID), filter, model.Page{}, func(q *model.Question) error { all = append(all, q.ID); return nil })
	if err != nil {
		return nil, err
	}
	if len(all) < n {
		return nil, kit.Conflict("question.tooFew", "试题数量不足：符合条件的试题有%d道，需要%d道", len(all), n)
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n], nil
}

// ListQuestions names questions of the caller's subtree, in the order that was asked; others are left out.
func (s *Service) ListQuestions(ctx context.Context, req *learning.QuestionsReq) (*learning.Questions, error) {
	return s.briefs(ctx, req.Ids)
}

func (s *Service) briefs(ctx context.Context, ids []string) (*learning.Questions, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.questionsOf(ctx, model.Within(c.OrgID), ids)
	if err != nil {
		return nil, err
	}
	out := &learning.Questions{}
	for _, q := range list {
		out.Questions = append(out.Questions, &learning.QuestionBrief{Id: q.ID, QuestionType: q.QuestionType, Stem: q.Stem})
	}
	return out, nil
}

// questionsOf are questions in the order of their ids.
func (s *Service) questionsOf(ctx context.Context, scope model.Scope, ids []string) ([]*model.Question, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.questions.Find(ctx, scope, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{})
	slices.SortFunc(list, func(a, b *model.Question) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return list, err
}

// presentExams counts the receivers, whom a list does not name, and writes the paper out where one exam is opened (EXAM-13).
func (s *Service) presentExams(ctx context.Context, docs []*model.Exam, rows []records.Row) error {
	for i, e := range docs {
		rows[i]["receivers"] = len(e.ReceiverIDs)
		if len(docs) > 1 {
			rows[i].Hide("receiverIds")
			rows[i].Hide("questionIds")
		}
	}
	if len(docs) != 1 {
		return nil
	}
	list, err := s.questionsOf(ctx, model.Everything, docs[0].QuestionIDs)
	if err != nil {
		return err
	}
	kinds := records.OptionLabels[model.Question]()
	var b strings.Builder
	for i, q := range list {
		fmt.Fprintf(&b, "%d．[%s] %s\n", i+1, kinds("questionType", q.QuestionType), q.Stem)
		names := map[string]string{}
		for _, o := range q.Choices() {
			names[o.Key] = o.Key
			if q.QuestionType == model.QuestionJudge {
				names[o.Key] = o.Text
				continue
			}
			picture := ""
			if len(o.Image) > 0 {
				picture = "（有图）"
			}
			fmt.Fprintf(&b, "　%s．%s%s\n", o.Key, o.Text, picture)
		}
		var right []string
		for _, a := range q.Answers {
			right = append(right, names[a])
		}
		fmt.Fprintf(&b, "　正确答案：%s\n", strings.Join(right, "、"))
	}
	rows[0]["_labels"].(map[string]string)["questionIds"] = fmt.Sprintf("共%d道", len(list)) // the paper says more
	rows[0]["paper"] = strings.TrimSpace(b.String())
	return nil
}

// usedBy puts the titles of the exams that use them into questions (manual 10.3.1.1注④).
func (s *Service) usedBy(ctx context.Context, list []*model.Question) error {
	byID := map[string]*model.Question{}
	ids := bson.A{}
	for _, q := range list {
		q.Exams = nil
		byID[q.ID] = q
		ids = append(ids, q.ID)
	}
	return s.exams.Each(ctx, model.Everything, bson.D{{Key: "questionIds", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{}, func(e *model.Exam) error {
		for _, id := range e.QuestionIDs {
			if q := byID[id]; q != nil {
				q.Exams = append(q.Exams, e.Title)
			}
		}
		return nil
	})
}

// occupied refuses to change or delete a question that exams use, and names them.
func occupied(q *model.Question) *kit.Error {
	if len(q.Exams) == 0 {
		return nil
	}
	named := q.Exams[:min(len(q.Exams), 10)]
	return kit.Conflict("question.occupied", "该试题正被%d套考核使用（%s），不可修改或删除", len(q.Exams), "“"+strings.Join(named, "”“")+"”")
}
