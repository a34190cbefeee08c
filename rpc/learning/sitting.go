package learning

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	learning "zhihuidangjian/idl/gen/learning"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Why an answer or a paper is not taken.
var (
	errExamOver = kit.Conflict("exam.over", "考核已结束，不能再答题")
	errHandedIn = kit.Conflict("exam.handedIn", "您已交卷，不能重复提交")
)

// examAge is how long an exam is remembered for a burst of answers.
const examAge = time.Second

// liveExam is an enabled exam in memory, with its receivers as a set and its questions in order.
type liveExam struct {
	model.Exam
	receivers map[string]struct{}
	paper     []*model.Question
	byID      map[string]*model.Question
}

// loadExam reads an exam for a burst of answers. One not enabled is not there for its receivers, and not remembered.
func (s *Service) loadExam(ctx context.Context, id string) (*liveExam, bool, error) {
	e, err := s.exams.Get(ctx, model.Everything, id)
	if err != nil {
		return nil, false, records.Mapped(err)
	}
	x := &liveExam{Exam: *e, receivers: make(map[string]struct{}, len(e.ReceiverIDs)), byID: make(map[string]*model.Question, len(e.QuestionIDs))}
	for _, m := range e.ReceiverIDs {
		x.receivers[m] = struct{}{}
	}
	if x.paper, err = s.questionsOf(ctx, model.Everything, e.QuestionIDs); err != nil {
		return nil, false, err
	}
	for _, q := range x.paper {
		x.byID[q.ID] = q
	}
	return x, e.State == model.ExamEnabled, nil
}

// received is an enabled exam that names the calling member; any other is not found.
func (s *Service) received(ctx context.Context, id string) (*liveExam, *kit.Caller, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, nil, err
	}
	x, err := s.live.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if _, named := x.receivers[c.MemberID]; !named || x.State != model.ExamEnabled {
		return nil, nil, kit.ErrNotFound
	}
	return x, c, nil
}

// SaveAnswer keeps an answer as it is given: one write, which a paper that is handed in meanwhile refuses. So a
// phone that dies loses nothing, and goes on where it was (PLUS-25). The server's clock rules.
func (s *Service) SaveAnswer(ctx context.Context, req *learning.AnswerReq) (*learning.Answered, error) {
	x, c, err := s.received(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	now := s.d.Clock.Now().Truncate(time.Millisecond)
	sitting := x.Sitting(c.MemberID)
	if !now.Before(sitting.Until) {
		return nil, errExamOver
	}
	given, err := x.read(req.QuestionId, req.Answers)
	if err != nil {
		return nil, err
	}
	p := newPaper(x, c.MemberID, c.Name, c.OrgID, c.Orgs, sitting.Try, now)
	if err := s.write(ctx, p, bson.D{{Key: "answers." + req.QuestionId, Value: given}}); err != nil {
		return nil, err
	}
	return &learning.Answered{SavedAt: now.UnixMilli()}, nil
}

// papersAtOnce bounds one write of papers.
const papersAtOnce = 256

// write puts something on a paper that is not handed in, the first of it with the paper itself: one write, which
// takes along those of everybody who waits. A paper that is handed in refuses it.
func (s *Service) write(ctx context.Context, p *model.ExamPaper, set bson.D) error {
	change := mongo.NewUpdateOneModel().SetUpsert(true).
		SetFilter(bson.D{{Key: "_id", Value: p.ID}, {Key: "handedInAt", Value: bson.D{{Key: "$exists", Value: false}}}}).
		SetUpdate(bson.D{
			{Key: "$set", Value: append(set, bson.E{Key: "updatedAt", Value: p.CreatedAt})},
			{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}},
			{Key: "$setOnInsert", Value: bson.D{
				{Key: "orgId", Value: p.OrgID}, {Key: "orgs", Value: p.Orgs}, {Key: "createdBy", Value: p.CreatedBy}, {Key: "createdAt", Value: p.CreatedAt}, {Key: "deleted", Value: false},
				{Key: "examId", Value: p.ExamID}, {Key: "memberId", Value: p.MemberID}, {Key: "memberName", Value: p.MemberName}, {Key: "try", Value: p.Try},
			}},
		})
	for {
		refused, err := s.writing.Do(ctx, change)
		if err != nil || !errors.Is(refused, model.ErrDuplicate) {
			return errors.Join(err, refused)
		}
		// There is a paper, and it is handed in; or two first answers came at once.
		if kept, err := s.papers.Get(ctx, model.Everything, p.ID); err != nil || kept.HandedInAt != nil {
			return errors.Join(err, errHandedIn)
		}
	}
}

// writePapers stores changes of papers in one write and answers each one's error.
func (s *Service) writePapers(ctx context.Context, changes []*mongo.UpdateOneModel) ([]error, error) {
	all := make([]mongo.WriteModel, len(changes))
	for i, c := range changes {
		all[i] = c
	}
	out := make([]error, len(changes))
	_, err := s.papers.Mongo().BulkWrite(ctx, all, options.BulkWrite().SetOrdered(false))
	var failed mongo.BulkWriteException
	if errors.As(err, &failed) && failed.WriteConcernError == nil {
		for _, f := range failed.WriteErrors {
			out[f.Index] = f
			if mongo.IsDuplicateKeyError(f.WriteError) {
				out[f.Index] = model.ErrDuplicate
			}
		}
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("write papers: %w", err)
	}
	return out, nil
}

// read brings an answer to a question of the paper into order, or says what is wrong with it.
func (x *liveExam) read(questionID string, answers []string) ([]string, error) {
	q := x.byID[questionID]
	if q == nil {
		return nil, kit.ErrNotFound
	}
	given, ok := q.Read(answers)
	if !ok {
		return nil, kit.InvalidFields(map[string]string{"answers": "答案不在选项中"})
	}
	if given == nil {
		given = []string{}
	}
	return given, nil
}

// newPaper is a paper on which nothing stands yet.
func newPaper(x *liveExam, memberID, name, orgID string, orgs []string, try int, at time.Time) *model.ExamPaper {
	return &model.ExamPaper{
		Base:   model.Base{ID: model.ExamPaperID(x.ID, memberID, try), OrgID: orgID, Orgs: orgs, CreatedBy: memberID, CreatedAt: at},
		ExamID: x.ID, MemberID: memberID, MemberName: name, Try: try,
	}
}

// HandIn scores the paper of the calling member at once; the first stands, and a second is refused (EXAM-11).
func (s *Service) HandIn(ctx context.Context, req *learning.HandInReq) (*learning.MyPaper, error) {
	x, c, err := s.received(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	now := s.d.Clock.Now().Truncate(time.Millisecond)
	sitting := x.Sitting(c.MemberID)
	given := make(map[string][]string, len(req.Answers))
	for _, a := range req.Answers {
		if given[a.QuestionId], err = x.read(a.QuestionId, a.Answers); err != nil {
			return nil, err
		}
	}
	if !now.Before(sitting.Until) {
		return nil, s.late(ctx, x, c.MemberID, sitting)
	}
	name, err := s.orgName(ctx, x.OrgID)
	if err != nil {
		return nil, err
	}
	fresh := newPaper(x, c.MemberID, c.Name, c.OrgID, c.Orgs, sitting.Try, now)
	if len(given) == len(x.paper) { // nothing that was saved counts beside: one write does
		fresh.Answers, fresh.HandedInAt, fresh.Score = given, &now, x.score(given)
		err := s.write(ctx, fresh, bson.D{{Key: "answers", Value: given}, {Key: "handedInAt", Value: now}, {Key: "score", Value: fresh.Score}})
		if err != nil {
			return nil, err
		}
		return s.shown(x, fresh, name), nil
	}
	p, err := s.finish(ctx, x, fresh, func(p *model.ExamPaper) error {
		for id, a := range given {
			if p.Answers == nil {
				p.Answers = map[string][]string{}
			}
			p.Answers[id] = a
		}
		p.HandedInAt = &now
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.shown(x, p, name), nil
}

// late says why a paper is not taken after its time: it is handed in already, or nobody did.
func (s *Service) late(ctx context.Context, x *liveExam, memberID string, sitting model.Sitting) error {
	p, err := s.papers.Get(ctx, model.Everything, model.ExamPaperID(x.ID, memberID, sitting.Try))
	if err == nil && p.HandedInAt != nil && !p.Absent {
		return errHandedIn
	}
	return errExamOver
}

// score is what answers are worth.
func (x *liveExam) score(answers map[string][]string) (marks int) {
	for _, q := range x.paper {
		if q.Right(answers[q.ID]) {
			marks += x.MarksEach()
		}
	}
	return marks
}

// finish hands a paper in, with the answers that were saved: fresh is stored when there is none. Answers that are
// saved meanwhile are on it, or refused.
func (s *Service) finish(ctx context.Context, x *liveExam, fresh *model.ExamPaper, hand func(*model.ExamPaper) error) (*model.ExamPaper, error) {
	score := func(p *model.ExamPaper) error {
		if p.HandedInAt != nil {
			return errHandedIn
		}
		if err := hand(p); err != nil {
			return err
		}
		p.Score = x.score(p.Answers)
		return nil
	}
	for {
		p, err := s.papers.Update(ctx, model.Everything, fresh.ID, score)
		if !errors.Is(err, model.ErrNotFound) {
			return p, err
		}
		first := *fresh
		if err := score(&first); err != nil {
			return nil, err
		}
		if err := s.papers.Insert(ctx, &first); !errors.Is(err, model.ErrDuplicate) {
			return &first, err
		}
	}
}

// ListMyExams are the enabled exams that name the calling member, newest first (EXAM-10).
func (s *Service) ListMyExams(ctx context.Context, _ *recordsgen.Empty) (*learning.MyExams, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.exams.Find(ctx, model.Everything, bson.D{{Key: "receiverIds", Value: c.MemberID}, {Key: "state", Value: model.ExamEnabled}}, model.Page{Limit: 100})
	if err != nil {
		return nil, err
	}
	out := &learning.MyExams{Now: s.d.Clock.Now().UnixMilli()}
	if len(list) == 0 {
		return out, nil
	}
	var ids []string
	for _, e := range list {
		ids = append(ids, model.ExamPaperID(e.ID, c.MemberID, e.Sitting(c.MemberID).Try))
	}
	papers := map[string]*model.ExamPaper{}
	err = s.papers.Each(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{}, func(p *model.ExamPaper) error {
		papers[p.ID] = p
		return nil
	})
	if err != nil {
		return nil, err
	}
	var orgs []string
	for _, e := range list {
		orgs = append(orgs, e.OrgID)
	}
	slices.Sort(orgs)
	names, err := s.party.OrgNames(ctx, slices.Compact(orgs))
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		out.Exams = append(out.Exams, s.mine(e, c.MemberID, papers[ids[i]], names[e.OrgID]))
	}
	return out, nil
}

// GetMyPaper is the paper of the calling member: to go on with, or, handed in, with the right answers (EXAM-12).
func (s *Service) GetMyPaper(ctx context.Context, req *learning.ExamReq) (*learning.MyPaper, error) {
	x, c, err := s.received(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	sitting := x.Sitting(c.MemberID)
	if x.Due(s.d.Clock.Now()) { // the job may be late
		if err := s.closeExam(ctx, x.ID); err != nil {
			return nil, err
		}
	}
	p, err := s.papers.Get(ctx, model.Everything, model.ExamPaperID(x.ID, c.MemberID, sitting.Try))
	if errors.Is(err, model.ErrNotFound) {
		p, err = newPaper(x, c.MemberID, c.Name, c.OrgID, c.Orgs, sitting.Try, s.d.Clock.Now()), nil
	}
	if err != nil {
		return nil, err
	}
	name, err := s.orgName(ctx, x.OrgID)
	if err != nil {
		return nil, err
	}
	return s.shown(x, p, name), nil
}

// mine is an exam as its receiver sees it; paper is that of his last try, nil when nothing stands on it.
func (s *Service) mine(e *model.Exam, memberID string, p *model.ExamPaper, orgName string) *learning.MyExam {
	sitting := e.Sitting(memberID)
	out := &learning.MyExam{
		Id: e.ID, Title: e.Title, OrgName: orgName, DeadlineAt: sitting.Until.UnixMilli(), State: "open", Attempt: int32(sitting.Try),
		PassScore: int32(e.PassScore), QuestionCount: int32(len(e.QuestionIDs)),
	}
	switch {
	case p != nil && p.HandedInAt != nil && !p.Absent:
		out.State, out.Score, out.HandedInAt, out.Auto = "submitted", int32(p.Score), p.HandedInAt.UnixMilli(), p.Auto
	case !s.d.Clock.Now().Before(sitting.Until):
		out.State = "absent"
	}
	return out
}

// shown is a paper for the one whose it is. The right answers are on it once it is handed in, and not before.
func (s *Service) shown(x *liveExam, p *model.ExamPaper, orgName string) *learning.MyPaper {
	out := &learning.MyPaper{Exam: s.mine(&x.Exam, p.MemberID, p, orgName), Now: s.d.Clock.Now().UnixMilli()}
	if out.Exam.State == "absent" {
		return out
	}
	for _, q := range x.paper {
		one := &learning.PaperQuestion{Id: q.ID, QuestionType: q.QuestionType, Stem: q.Stem, Files: paperFiles(q.StemFiles), Answers: p.Answers[q.ID]}
		choices := q.Choices()
		if x.Shuffle && q.QuestionType != model.QuestionJudge {
			h := fnv.New64a()
			_, _ = h.Write([]byte(x.ID + " " + p.MemberID + " " + q.ID)) // never fails
			order := rand.New(rand.NewPCG(h.Sum64(), 1))
			order.Shuffle(len(choices), func(i, j int) { choices[i], choices[j] = choices[j], choices[i] })
		}
		for _, o := range choices {
			one.Options = append(one.Options, &learning.PaperOption{Key: o.Key, Text: o.Text, Files: paperFiles(o.Image)})
		}
		if out.Exam.State == "submitted" {
			one.Right, one.Analysis = q.Answers, q.Analysis
		}
		out.Questions = append(out.Questions, one)
	}
	return out
}

func paperFiles(files []model.File) (out []*learning.PaperFile) {
	for _, f := range files {
		out = append(out, &learning.PaperFile{Id: f.ID, Name: f.Name, ContentType: f.ContentType, Size: f.Size})
	}
	return out
}

func (s *Service) orgName(ctx context.Context, id string) (string, error) {
	names, err := s.party.OrgNames(ctx, []string{id})
	return names[id], err
}

// Download lets members read the files of the questions on their papers, which are no records of theirs.
func (s *Service) Download(ctx context.Context, req *recordsgen.AttachmentReq) (*recordsgen.File, error) {
	if c := kit.CallerOf(ctx); c.Kind == kit.Member && req.Type == "question" {
		_, err := s.exams.FindOne(ctx, model.Everything, bson.D{
			{Key: "receiverIds", Value: c.MemberID}, {Key: "questionIds", Value: req.Id}, {Key: "state", Value: model.ExamEnabled},
		})
		if err != nil && !errors.Is(err, model.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			ctx = kit.AsSystem(ctx)
		}
	}
	return s.Engine.Download(ctx, req)
}
