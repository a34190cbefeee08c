package learning

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	learning "zhihuidangjian/idl/gen/learning"
	learningsvc "zhihuidangjian/idl/gen/learning/learning"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

const studyName = "studyTask"

// Why a study refuses.
var (
	errStudyWaits = kit.Conflict("study.notStarted", "学习尚未开始")
	errStudyOver  = kit.Conflict("study.ended", "学习已结束")
	errStudied    = kit.Conflict("study.completed", "您已确认学习完成，无需重复确认")
	errUnstudied  = kit.Conflict("study.open", "确认学习完成后才能评分")
	errRated      = kit.Conflict("study.rated", "您已评分，不能重复评分")
)

// studyLife is the life of a study task (STDY-07 to 09): by the clock alone.
func (s *Service) studyLife() *records.Life[*model.StudyTask] {
	between := func(from, to string) func(time.Time) bson.D {
		return func(now time.Time) bson.D {
			var out bson.D
			if from != "" {
				out = append(out, bson.E{Key: from, Value: bson.D{{Key: "$lte", Value: now}}})
			}
			if to != "" {
				out = append(out, bson.E{Key: to, Value: bson.D{{Key: "$gt", Value: now}}})
			}
			return out
		}
	}
	return &records.Life[*model.StudyTask]{
		Field: "state",
		At:    (*model.StudyTask).Shown,
		States: []records.State{
			{Value: model.StudyWaiting, Label: "未开始", Color: "warning", Where: between("", "startAt"), Refuse: errStudyWaits},
			{Value: model.StudyRunning, Label: "进行中", Color: "success", Where: between("startAt", "endAt")},
			{Value: model.StudyEnded, Label: "已结束", Color: "info", Where: between("endAt", ""), Refuse: errStudyOver},
		},
		Verbs: []records.Verb[*model.StudyTask]{
			{Key: "complete", In: []string{model.StudyRunning}, If: func(_ *kit.Caller, t *model.StudyTask, _ time.Time) *kit.Error {
				if t.Mine != nil {
					return errStudied
				}
				return nil
			}},
			{Key: "score", If: func(_ *kit.Caller, t *model.StudyTask, _ time.Time) *kit.Error {
				switch {
				case t.Mine == nil:
					return errUnstudied
				case t.Mine.Score > 0:
					return errRated
				}
				return nil
			}},
			{Key: "remind", In: []string{model.StudyRunning}},
		},
		Load: s.mineOf,
	}
}

// mineOf reads the records of the member who looks at tasks.
func (s *Service) mineOf(ctx context.Context, list []*model.StudyTask) error {
	c := kit.CallerOf(ctx)
	if c.Kind != kit.Member {
		return nil
	}
	byID, ids := map[string]*model.StudyTask{}, bson.A{}
	for _, t := range list {
		t.Mine = nil
		id := model.StudyRecordID(t.ID, c.MemberID)
		byID[id], ids = t, append(ids, id)
	}
	return s.studied.Each(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{}, func(r *model.StudyRecord) error {
		byID[r.ID].Mine = r
		return nil
	})
}

// studyType is 学习任务 (spec/records.md 40, manual 10.1).
func (s *Service) studyType() *records.Type[*model.StudyTask] {
	return &records.Type[*model.StudyTask]{
		Name: studyName, Title: "学习任务", Menu: "学习教育", Icon: "notebook", Section: "10.1", Collection: s.studies, NameKey: "title",
		Indexes: []model.Index{{Keys: bson.D{{Key: "participantIds", Value: 1}, {Key: "_id", Value: -1}}}},
		Parts:   []records.Part{records.Period("", "startAt", "endAt")},
		Fields: []records.Field{
			{Key: "orgId", Label: "组织", Ref: "organization", List: true, ReadOnly: true, After: "title", Width: 150},
			{Key: "participants", Label: "参加人数", Type: "int", Virtual: true, ReadOnly: true, Below: true, After: "participantIds"},
			{Key: "completed", Label: "完成人数", Type: "int", Virtual: true, ReadOnly: true, Below: true, After: "participants"},
			{Key: "progress", Label: "完成/参加", Virtual: true, ReadOnly: true, List: true, After: "completed"},
			{Key: "average", Label: "平均评分", Virtual: true, ReadOnly: true, List: true, After: "progress"},
			{Key: "mine", Label: "学习情况", Virtual: true, ReadOnly: true, Options: []records.Option{{Value: "open", Label: "未完成", Color: "danger"}, {Value: "completed", Label: "已完成", Color: "success"}}},
			{Key: "state", Label: "状态", Virtual: true, ReadOnly: true, List: true, Search: true},
		},
		Exports: []string{"title", "orgId", "startAt", "endAt", "participants", "completed", "average"},
		Life:    s.studyLife(),
		Actions: []records.Action[*model.StudyTask]{
			{Key: "statistics", Title: "统计", Permission: learningsvc.GetStudyStatistics.Permission()},
			{Key: "remind", Title: "提醒", Confirm: "提醒尚未完成学习的参加对象？", Alone: true, Do: s.remindStudy},
			{Key: "complete", Title: "确认学习完成", Confirm: "确认已学习完成？", Alone: true, Phone: true, Run: s.completeStudy},
			{Key: "score", Title: "评分", Alone: true, Phone: true, Fields: []records.Field{
				{Key: "score", Label: "评分", Type: "enum", Required: true, Options: []records.Option{{Value: "5", Label: "5分"}, {Value: "4", Label: "4分"}, {Value: "3", Label: "3分"}, {Value: "2", Label: "2分"}, {Value: "1", Label: "1分"}}},
				{Key: "comment", Label: "评语", Type: "text", Max: 500},
			}, Run: s.scoreStudy},
		},
		Own: &records.Own[*model.StudyTask]{
			Place: &records.Place{Page: "study", Title: "学习任务", Icon: "study"},
			Where: func(c *kit.Caller) bson.D {
				return bson.D{{Key: "participantIds", Value: c.MemberID}, {Key: "startAt", Value: bson.D{{Key: "$lte", Value: s.d.Clock.Now()}}}}
			},
			Fields:  []string{"title", "mine", "orgId", "startAt", "endAt", "content", "files", "video", "state"},
			Actions: []string{"complete", "score"},
		},
		BeforeSave: s.checkStudy,
		Present:    s.presentStudies,
	}
}

// checkStudy keeps the rules of a study task (10.1.1); who takes part is told at once, unless it is over.
func (s *Service) checkStudy(ctx context.Context, old, t *model.StudyTask) error {
	wrong := map[string]string{}
	if records.PlainText(t.Content) == "" && len(t.Files) == 0 && len(t.Video) == 0 {
		wrong["content"] = "请填写学习内容，或上传附件、视频"
	}
	if old == nil && t.ParticipantOrgID == "" && len(t.ParticipantIDs) == 0 {
		wrong["participantIds"] = "请选择参加对象"
	}
	if t.StartAt.After(t.EndAt) {
		return nil // the period says so, and nobody is told
	}
	if len(wrong) > 0 || old != nil {
		return invalid(wrong)
	}
	var err error
	if t.ParticipantIDs, err = s.party.Gather(ctx, "participantOrgId", t.ParticipantOrgID, "participantIds", t.ParticipantIDs); err != nil {
		return err
	}
	now := s.d.Clock.Now()
	if t.Notified = t.EndAt.After(now); t.Notified {
		t.Tell(kit.KeyID("study.added", t.ID), now, studyTold(t, "学习通知", t.ParticipantIDs, t.NoticeForm))
	}
	return nil
}

func studyTold(t *model.StudyTask, title string, members, channels []string) model.Told {
	at := t.EndAt.In(kit.Shanghai).Format("2006年01月02日 15:04")
	from := t.StartAt.In(kit.Shanghai).Format("2006年01月02日 15:04")
	return model.Told{
		Kind: "studyTask", Title: title, Content: fmt.Sprintf("“%s”的学习时间为%s至%s，请按时完成", t.Title, from, at),
		TargetType: studyName, TargetID: t.ID, Page: "pages/records/detail?type=" + studyName + "&id=" + t.ID,
		Fields: map[string]string{"title": t.Title, "time": at}, MemberIDs: members, Channels: channels,
	}
}

// remindStudy tells those who have not completed a study.
func (s *Service) remindStudy(ctx context.Context, t *model.StudyTask, _ records.Input) error {
	done, err := s.recordsOf(ctx, t.ID)
	if err != nil {
		return err
	}
	open := slices.DeleteFunc(slices.Clone(t.ParticipantIDs), func(id string) bool { return done[id] != nil })
	if len(open) == 0 {
		return kit.Conflict("study.all", "参加对象均已完成学习")
	}
	now := s.d.Clock.Now()
	t.Tell(kit.KeyID("study.reminded", fmt.Sprint(t.ID, t.Version)), now, studyTold(t, "学习提醒", open, nil))
	return nil
}

// completeStudy is 【确认学习完成】 (STDY-07): once, while the study runs, with the points of 线上学习.
func (s *Service) completeStudy(ctx context.Context, t *model.StudyTask, _ records.Input) (*model.StudyTask, error) {
	c, now := kit.CallerOf(ctx), s.d.Clock.Now().Truncate(time.Millisecond)
	if err := s.mineOf(ctx, []*model.StudyTask{t}); err != nil {
		return nil, err
	}
	if _, err := s.studyLife().Step(c, t, "complete", now); err != nil {
		return nil, err
	}
	id := model.StudyRecordID(t.ID, c.MemberID)
	r := &model.StudyRecord{Base: model.Base{ID: id, OrgID: c.OrgID, Orgs: c.Orgs, CreatedBy: c.MemberID, CreatedAt: now}, TaskID: t.ID, MemberID: c.MemberID}
	r.Earn(kit.KeyID("study.completed", id), now, model.Earned{SourceType: studyName, SourceID: t.ID, At: now, Shares: []model.Share{{
		Dimension: model.DimensionPersonal, Item: model.ItemOnlineStudy, SubjectID: c.MemberID, OrgID: c.OrgID, Orgs: c.Orgs, Units: 1, Source: t.Title,
	}}})
	if err := s.studied.Insert(ctx, r); errors.Is(err, model.ErrDuplicate) {
		return nil, errStudied
	} else if err != nil {
		return nil, err
	}
	t.Mine = r
	return t, nil
}

// scoreStudy keeps what a participant thinks of a study that he completed, once (STDY-08).
func (s *Service) scoreStudy(ctx context.Context, t *model.StudyTask, in records.Input) (*model.StudyTask, error) {
	c := kit.CallerOf(ctx)
	score, err := strconv.Atoi(in.String("score"))
	if err != nil {
		return nil, kit.ErrInvalid.Because(err)
	}
	r, err := s.studied.Update(ctx, model.Everything, model.StudyRecordID(t.ID, c.MemberID), func(r *model.StudyRecord) error {
		t.Mine = r
		if _, err := s.studyLife().Step(c, t, "score", s.d.Clock.Now()); err != nil {
			return err
		}
		r.Score, r.Comment = score, in.String("comment")
		return nil
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil, errUnstudied
	}
	if err != nil {
		return nil, err
	}
	t.Mine = r
	return t, nil
}

// recordsOf are the records of a study by member.
func (s *Service) recordsOf(ctx context.Context, taskID string) (map[string]*model.StudyRecord, error) {
	out := map[string]*model.StudyRecord{}
	return out, s.studied.Each(ctx, model.Everything, bson.D{{Key: "taskId", Value: taskID}}, model.Page{}, func(r *model.StudyRecord) error {
		out[r.MemberID] = r
		return nil
	})
}

// presentStudies counts who completed tasks and how they are scored; to a member it says how far he is.
func (s *Service) presentStudies(ctx context.Context, docs []*model.StudyTask, rows []records.Row) error {
	if kit.CallerOf(ctx).Kind == kit.Member {
		for i, t := range docs {
			rows[i]["mine"] = "open"
			if t.Mine != nil {
				rows[i]["mine"] = "completed"
			}
		}
		return nil
	}
	ids := bson.A{}
	for _, t := range docs {
		ids = append(ids, t.ID)
	}
	done, err := s.sumStudied(ctx, bson.D{{Key: "taskId", Value: bson.D{{Key: "$in", Value: ids}}}})
	if err != nil {
		return err
	}
	scored, err := s.sumStudied(ctx, bson.D{{Key: "taskId", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "score", Value: bson.D{{Key: "$gt", Value: 0}}}})
	if err != nil {
		return err
	}
	for i, t := range docs {
		rows[i]["participants"], rows[i]["completed"] = len(t.ParticipantIDs), done[t.ID].N
		rows[i]["progress"] = fmt.Sprintf("%d/%d", done[t.ID].N, len(t.ParticipantIDs))
		rows[i]["average"] = average(scored[t.ID].Sum, scored[t.ID].N)
		if len(docs) > 1 {
			rows[i].Hide("participantIds")
		}
	}
	return nil
}

// average is the mean of scores with one digit, “—” of none.
func average(sum, n int) string {
	if n == 0 {
		return "—"
	}
	return strconv.FormatFloat(float64(sum)/float64(n), 'f', 1, 64)
}

type studySum struct {
	ID  string `bson:"_id"`
	N   int    `bson:"n"`
	Sum int    `bson:"sum"`
}

// sumStudied counts the records of tasks, and adds their scores up.
func (s *Service) sumStudied(ctx context.Context, filter bson.D) (map[string]studySum, error) {
	cur, err := s.studied.Mongo().Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: filter}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$taskId"}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}, {Key: "sum", Value: bson.D{{Key: "$sum", Value: "$score"}}}}}},
	})
	if err != nil {
		return nil, fmt.Errorf("sum study records: %w", err)
	}
	var list []studySum
	if err := cur.All(ctx, &list); err != nil {
		return nil, fmt.Errorf("sum study records: %w", err)
	}
	out := map[string]studySum{}
	for _, x := range list {
		out[x.ID] = x
	}
	return out, nil
}

// GetStudyStatistics tells who completed a study and when, who did not, and how it is scored (STDY-13).
func (s *Service) GetStudyStatistics(ctx context.Context, req *learning.StudyReq) (*learning.StudyStatistics, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.studies.Get(ctx, model.Within(c.OrgID), req.Id)
	if err != nil {
		return nil, records.Mapped(err)
	}
	done, err := s.recordsOf(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	people, err := s.party.Members(ctx, t.ParticipantIDs)
	if err != nil {
		return nil, err
	}
	out := &learning.StudyStatistics{Id: t.ID, Title: t.Title, State: t.Shown(s.d.Clock.Now()), Participants: int32(len(t.ParticipantIDs)), Completed: int32(len(done))}
	sum, n := 0, 0
	for _, id := range t.ParticipantIDs {
		row := &learning.StudyRow{MemberId: id}
		if m := people[id]; m != nil {
			row.Name, row.OrgName = m.Name, m.OrgName
		}
		if r := done[id]; r != nil {
			row.CompletedAt, row.Score, row.Comment = r.CreatedAt.UnixMilli(), int32(r.Score), r.Comment
			if r.Score > 0 {
				sum, n = sum+r.Score, n+1
			}
		}
		out.Rows = append(out.Rows, row)
	}
	out.Average = average(sum, n)
	return out, nil
}
