package learning

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	learning "zhihuidangjian/idl/gen/learning"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// CloseExams hands in, for all whose time is over, what they saved, and notes who saved nothing as 未交卷 (EXAM-26,
// PLUS-25). It may be late, or run twice or on two nodes at once.
func (s *Service) CloseExams(ctx context.Context, _ *recordsgen.Empty) (*learning.Closed, error) {
	list, err := s.exams.Find(ctx, model.Everything, bson.D{{Key: "nextCloseAt", Value: bson.D{{Key: "$lte", Value: s.d.Clock.Now()}}}},
		model.Page{Sort: bson.D{{Key: "nextCloseAt", Value: 1}}})
	if err != nil {
		return nil, err
	}
	done := &learning.Closed{}
	var errs []error
	for _, e := range list {
		if err := s.closeExam(ctx, e.ID); err != nil {
			errs = append(errs, fmt.Errorf("exam %s: %w", e.ID, err))
			continue
		}
		done.Count++
	}
	return done, errors.Join(errs...)
}

// closeExam does so for one exam, whose next end is noted last: what dies in between begins again.
func (s *Service) closeExam(ctx context.Context, id string) error {
	x, _, err := s.loadExam(ctx, id)
	if err != nil {
		return err
	}
	now := s.d.Clock.Now()
	if !x.Due(now) {
		return nil
	}
	papers, err := s.papersOf(ctx, id)
	if err != nil {
		return err
	}
	people, err := s.party.Members(ctx, x.ReceiverIDs)
	if err != nil {
		return err
	}
	var none []*model.ExamPaper
	for _, member := range x.ReceiverIDs {
		for _, sitting := range x.Sittings(member) {
			p := papers[model.ExamPaperID(id, member, sitting.Try)]
			if now.Before(sitting.Until) || p != nil && p.HandedInAt != nil {
				continue
			}
			at := sitting.Until
			if p != nil {
				if err := s.handInFor(ctx, x, p, at); err != nil {
					return err
				}
				continue
			}
			p = newPaper(x, member, "", x.OrgID, x.Orgs, sitting.Try, at)
			if m := people[member]; m != nil {
				p.MemberName, p.OrgID, p.Orgs = m.Name, m.OrgId, m.Orgs
			}
			p.HandedInAt, p.Absent = &at, true
			none = append(none, p)
		}
	}
	failed, err := s.papers.InsertMany(ctx, none)
	if err != nil {
		return err
	}
	for i, p := range none {
		switch err := failed[i]; {
		case errors.Is(err, model.ErrDuplicate): // a first answer at the last moment, or another node
			if err := s.handInFor(ctx, x, p, *p.HandedInAt); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
	_, err = s.exams.Update(ctx, model.Everything, id, func(e *model.Exam) error {
		e.NextCloseAt = e.NextClose(now)
		return nil
	})
	s.live.Forget(id)
	return err
}

// handInFor hands a paper in at the end of its sitting.
func (s *Service) handInFor(ctx context.Context, x *liveExam, p *model.ExamPaper, at time.Time) error {
	_, err := s.finish(ctx, x, p, func(p *model.ExamPaper) error {
		p.HandedInAt, p.Auto = &at, true
		return nil
	})
	if errors.Is(err, errHandedIn) {
		return nil
	}
	return err
}

// papersOf are the papers of an exam by their ids.
func (s *Service) papersOf(ctx context.Context, examID string) (map[string]*model.ExamPaper, error) {
	from, to := model.ExamPaperRange(examID)
	out := map[string]*model.ExamPaper{}
	err := s.papers.Each(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lt", Value: to}}}},
		model.Page{Sort: bson.D{{Key: "_id", Value: 1}}}, func(p *model.ExamPaper) error { out[p.ID] = p; return nil })
	return out, err
}

// GiveExtra lets one receiver go on after the others, or try again (PLUS-26): longer while his time runs, again
// once his paper is handed in or his time is over. The reason is on record.
func (s *Service) GiveExtra(ctx context.Context, req *learning.ExtraReq) (*recordsgen.Empty, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.exams.Get(ctx, model.Within(c.OrgID), req.Id)
	if err != nil {
		return nil, records.Mapped(err)
	}
	now := s.d.Clock.Now()
	if _, err := examLife.Step(c, e, "extra", now); err != nil {
		return nil, err
	}
	if !slices.Contains(e.ReceiverIDs, req.MemberId) {
		return nil, kit.ErrNotFound
	}
	sitting := e.Sitting(req.MemberId)
	over := !now.Before(sitting.Until)
	if p, err := s.papers.Get(ctx, model.Everything, model.ExamPaperID(e.ID, req.MemberId, sitting.Try)); err == nil {
		over = over || p.HandedInAt != nil
	} else if !errors.Is(err, model.ErrNotFound) {
		return nil, err
	}
	until := time.UnixMilli(req.Until)
	switch {
	case over && !req.Again:
		return nil, kit.Conflict("exam.extraLate", "该党员已交卷或答题时间已过，不能延时，可安排补考")
	case !over && req.Again:
		return nil, kit.Conflict("exam.extraEarly", "该党员尚未交卷，不能安排补考，可延时")
	case sitting.Try >= mostTries && req.Again:
		return nil, kit.Conflict("exam.tries", "补考次数已达上限")
	case !until.After(now) || !req.Again && !until.After(sitting.Until):
		return nil, kit.InvalidFields(map[string]string{"until": "截止时间应晚于当前时间和原截止时间"})
	}
	before := len(e.Extras)
	_, err = s.exams.Update(ctx, model.Within(c.OrgID), e.ID, func(e *model.Exam) error {
		if len(e.Extras) != before {
			return kit.ErrConflict
		}
		old := *e
		e.Extras = append(slices.Clone(e.Extras), model.ExamExtra{MemberID: req.MemberId, Again: req.Again, Until: until, Reason: req.Reason, By: c.UserID, At: now})
		if e.NextCloseAt == nil || until.Before(*e.NextCloseAt) {
			e.NextCloseAt = &until
		}
		what, title := "延时", "考核延时"
		if req.Again {
			what, title = "补考", "考核补考"
		}
		at := until.In(kit.Shanghai).Format("2006年01月02日 15:04")
		e.Tell(kit.KeyID("exam.extra", fmt.Sprint(e.ID, len(e.Extras))), now, model.Told{
			Kind: "examExtra", Title: title + "通知", Content: fmt.Sprintf("“%s”%s至%s，原因：%s", e.Title, what, at, req.Reason),
			TargetType: examName, TargetID: e.ID, Page: "pages/exams/paper?id=" + e.ID, MemberIDs: []string{req.MemberId},
			Fields: map[string]string{"title": e.Title, "time": at},
		})
		return s.Audit(ctx, examName, title+"（"+req.MemberId+"）："+req.Reason, &old, e)
	})
	if err != nil {
		return nil, records.Mapped(err)
	}
	s.live.Forget(e.ID)
	return &recordsgen.Empty{}, nil
}

// mostTries bounds the tries of one person at one exam.
const mostTries = 9
