package learning

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	learning "zhihuidangjian/idl/gen/learning"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// GetExamStatistics is 交卷统计 (manual 10.2.7): until the deadline those who handed in, from then on everybody
// (注②). Figures count first tries only; a 补考 stands beside (PLUS-26).
func (s *Service) GetExamStatistics(ctx context.Context, req *learning.ExamReq) (*learning.ExamStatistics, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.exams.Get(ctx, model.Within(c.OrgID), req.Id)
	if err != nil {
		return nil, records.Mapped(err)
	}
	now := s.d.Clock.Now()
	if _, err := examLife.Step(c, e, "statistics", now); err != nil {
		return nil, err
	}
	if e.Due(now) { // the job may be late
		if err := s.closeExam(ctx, e.ID); err != nil {
			return nil, err
		}
	}
	papers, err := s.papersOf(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	people, err := s.party.Members(ctx, e.ReceiverIDs)
	if err != nil {
		return nil, err
	}
	out := &learning.ExamStatistics{
		Id: e.ID, Title: e.Title, DeadlineAt: e.DeadlineAt.UnixMilli(), Now: now.UnixMilli(), Receivers: int32(len(e.ReceiverIDs)),
		PassScore: int32(e.PassScore), Bands: make([]int32, 5),
	}
	var first []*model.ExamPaper
	for _, id := range e.ReceiverIDs {
		for _, sitting := range e.Sittings(id) {
			p := papers[model.ExamPaperID(e.ID, id, sitting.Try)]
			if row := examRow(e, id, sitting, p, now); row != nil {
				if m := people[id]; m != nil {
					row.Name, row.OrgName = m.Name, m.OrgName
				}
				out.Rows = append(out.Rows, row)
			}
			if sitting.Try == 1 && p != nil && p.HandedInAt != nil && !p.Absent {
				first = append(first, p)
			}
		}
	}
	count(out, first)
	slices.SortStableFunc(out.Rows, func(a, b *learning.ExamRow) int { return int(b.Score - a.Score) })
	questions, err := s.questionsOf(ctx, model.Everything, e.QuestionIDs)
	if err != nil {
		return nil, err
	}
	for _, q := range questions {
		f := &learning.QuestionFigure{Id: q.ID, Stem: q.Stem, QuestionType: q.QuestionType, Papers: int32(len(first))}
		for _, p := range first {
			if !q.Right(p.Answers[q.ID]) {
				f.Wrong++
			}
		}
		out.Questions = append(out.Questions, f)
	}
	slices.SortStableFunc(out.Questions, func(a, b *learning.QuestionFigure) int { return int(b.Wrong - a.Wrong) })
	return out, nil
}

// examRow is a line of the statistics; nil for one that is not shown yet.
func examRow(e *model.Exam, memberID string, sitting model.Sitting, p *model.ExamPaper, now time.Time) *learning.ExamRow {
	r := &learning.ExamRow{MemberId: memberID, Attempt: int32(sitting.Try), State: "open"}
	for _, x := range e.Extras {
		if x.MemberID == memberID && x.Until.Equal(sitting.Until) {
			r.Until, r.Reason = x.Until.UnixMilli(), x.Reason
		}
	}
	switch {
	case p != nil && p.HandedInAt != nil:
		r.Score, r.HandedInAt, r.State = int32(p.Score), p.HandedInAt.UnixMilli(), "submitted"
		if p.Auto {
			r.State = "auto"
		}
		if p.Absent {
			r.State, r.HandedInAt = "absent", 0
		}
	case now.Before(e.DeadlineAt):
		return nil
	}
	return r
}

// count makes the figures of first tries.
func count(out *learning.ExamStatistics, papers []*model.ExamPaper) {
	sum := 0
	for i, p := range papers {
		score := int32(p.Score)
		sum += p.Score
		if i == 0 {
			out.Highest, out.Lowest = score, score
		}
		out.Highest, out.Lowest = max(out.Highest, score), min(out.Lowest, score)
		if score >= out.PassScore {
			out.Passed++
		}
		out.Bands[max(0, min(4, int(score)/10-5))]++
	}
	out.Submitted = int32(len(papers))
	if len(papers) > 0 {
		out.Average = math.Round(float64(sum)/float64(len(papers))*10) / 10
	}
}

// ExportExamStatistics is the list of the statistics as a sheet, one row a try.
func (s *Service) ExportExamStatistics(ctx context.Context, req *learning.ExamReq) (*recordsgen.File, error) {
	st, err := s.GetExamStatistics(ctx, req)
	if err != nil {
		return nil, err
	}
	e, err := s.exams.Get(ctx, model.Everything, req.Id)
	if err != nil {
		return nil, records.Mapped(err)
	}
	states := map[string]string{"submitted": "已交卷", "auto": "系统交卷", "absent": "未交卷", "open": "答题中"}
	labels, rows := []string{"序号", "姓名", "所在组织", "考试", "状态", "得分", "交卷时间", "延时或补考原因"}, [][]any{}
	for i, r := range st.Rows {
		at, which := "", "首次"
		if r.HandedInAt != 0 {
			at = time.UnixMilli(r.HandedInAt).In(kit.Shanghai).Format(time.DateTime)
		}
		if r.Attempt > 1 {
			which = "补考"
		}
		rows = append(rows, []any{strconv.Itoa(i + 1), records.Harmless(r.Name), records.Harmless(r.OrgName), which, states[r.State], strconv.Itoa(int(r.Score)), at, records.Harmless(r.Reason)})
	}
	data, err := s.Sheet(ctx, "交卷统计", labels, func(put func([][]any) error) error { return put(rows) })
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if err := s.Shown(ctx, model.AuditExport, examName, "导出交卷统计", e, fmt.Sprintf("共%d条；字段：%s", len(rows), strings.Join(labels, "、"))); err != nil {
		return nil, err
	}
	return records.Workbook("交卷统计-"+st.Title, data), nil
}
