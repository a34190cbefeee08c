package meeting

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	meeting "zhihuidangjian/idl/gen/meeting"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// latestArrivals is how many names run beside the code.
const latestArrivals = 10

// GetLive counts arrivals for the full-screen page.
func (s *Service) GetLive(ctx context.Context, req *meeting.MeetingReq) (*meeting.Live, error) {
	m, err := s.started(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	came, err := s.checkinsOf(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	out := &meeting.Live{Expected: int32(len(m.ParticipantIDs)), SignedIn: int32(len(came)), State: m.Shown(s.d.Clock.Now())}
	latest := came[:min(len(came), latestArrivals)]
	ids := make([]string, len(latest))
	for i, d := range latest {
		ids[i] = d.MemberID
	}
	members, err := s.members(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, d := range latest {
		out.Latest = append(out.Latest, arrival(members[d.MemberID], d))
	}
	return out, nil
}

// GetStatistics tells who was expected and who came (MEET-17), once the meeting is
// started (MEET-18).
func (s *Service) GetStatistics(ctx context.Context, req *meeting.MeetingReq) (*meeting.Statistics, error) {
	m, err := s.started(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	list, err := s.checkinsOf(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	came := make(map[string]*model.CheckIn, len(list))
	for _, d := range list {
		came[d.MemberID] = d
	}
	members, err := s.members(ctx, m.ParticipantIDs)
	if err != nil {
		return nil, err
	}
	out := &meeting.Statistics{
		Id: m.ID, Title: m.Title, State: m.Shown(s.d.Clock.Now()), NeedSignIn: m.NeedSignIn,
		Expected: int32(len(m.ParticipantIDs)), SignedIn: int32(len(list)),
	}
	for _, id := range m.ParticipantIDs {
		d := came[id]
		if d == nil {
			d = &model.CheckIn{MemberID: id}
		}
		out.Participants = append(out.Participants, arrival(members[id], d))
	}
	// Those who came first, by time; then those who did not.
	slices.SortStableFunc(out.Participants, func(a, b *meeting.Arrival) int {
		switch {
		case a.SignedInAt == b.SignedInAt:
			return 0
		case b.SignedInAt == 0 || a.SignedInAt != 0 && a.SignedInAt < b.SignedInAt:
			return -1
		}
		return 1
	})
	return out, nil
}

// ExportStatistics is the page of statistics as a sheet, one row a participant (MEET-19).
func (s *Service) ExportStatistics(ctx context.Context, req *meeting.MeetingReq) (*recordsgen.File, error) {
	st, err := s.GetStatistics(ctx, req)
	if err != nil {
		return nil, err
	}
	m, err := s.get(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	labels, rows := []string{"序号", "姓名", "所在组织", "手机号", "报名", "请假", "签到时间"}, [][]any{}
	for i, p := range st.Participants {
		at := ""
		if p.SignedInAt != 0 {
			at = time.UnixMilli(p.SignedInAt).In(kit.Shanghai).Format(time.DateTime)
		}
		rows = append(rows, []any{strconv.Itoa(i + 1), records.Harmless(p.Name), records.Harmless(p.OrgName), p.Phone, "", records.Harmless(p.LeaveReason), at})
	}
	data, err := s.Sheet(ctx, "会议统计", labels, func(put func([][]any) error) error { return put(rows) })
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	note := fmt.Sprintf("共%d条；脱敏；字段：%s", len(rows), strings.Join(labels, "、"))
	if err := s.Shown(ctx, model.AuditExport, "meeting", "导出会议统计", m, note); err != nil {
		return nil, err
	}
	return records.Workbook("会议统计-"+st.Title, data), nil
}

// started returns a meeting of the caller's subtree that is started (MEET-18).
func (s *Service) started(ctx context.Context, id string) (*model.Meeting, error) {
	m, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, err := life.Step(kit.CallerOf(ctx), m, "statistics", s.d.Clock.Now()); err != nil {
		return nil, err
	}
	return m, nil
}

// checkinsOf returns a meeting's check-ins, the latest first: one range of _id.
func (s *Service) checkinsOf(ctx context.Context, meetingID string) ([]*model.CheckIn, error) {
	from, to := model.CheckInRange(meetingID)
	list, err := s.checkins.Find(ctx, model.Everything,
		bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lt", Value: to}}}}, model.Page{})
	slices.SortStableFunc(list, func(a, b *model.CheckIn) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return list, err
}

// members returns members by id.
func (s *Service) members(ctx context.Context, ids []string) (map[string]*partygen.Member, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: ids})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*partygen.Member, len(list.Members))
	for _, m := range list.Members {
		byID[m.Id] = m
	}
	return byID, nil
}

// arrival is a line of a list of names; a member who left the roster since is shown by
// the name he signed in with.
func arrival(m *partygen.Member, d *model.CheckIn) *meeting.Arrival {
	a := &meeting.Arrival{MemberId: d.MemberID}
	if m != nil {
		a.Name, a.OrgName, a.Phone = m.Name, m.OrgName, model.MaskPhone(m.Phone)
	}
	if a.Name == "" {
		a.Name = d.MemberName
	}
	if !d.CreatedAt.IsZero() {
		a.SignedInAt = d.CreatedAt.UnixMilli()
	}
	return a
}
