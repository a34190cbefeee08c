package meeting

import (
	"context"
	"errors"
	"fmt"
	"time"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// demoID begins the ids, which sort before those of real meetings: what a newcomer adds is
// on top.
const demoID = "0000demomeeting"

// SeedDemo adds a few meetings of the first branch: one running with sign-in, one not
// started, one past with its check-ins. A second call changes nothing, and a start
// without members does nothing.
func (s *Service) SeedDemo(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	if done, err := s.meetings.Count(ctx, model.Everything, nil); err != nil || done > 0 {
		return err
	}
	list, err := s.d.Party.ListMembers(ctx, &partygen.OrgReq{OrgId: model.RootOrg})
	if err != nil {
		return fmt.Errorf("demo meetings: %w", err)
	}
	branch := firstBranch(list.Members)
	if len(branch) == 0 {
		return nil
	}
	at := branch[0]
	ids := make([]string, len(branch))
	for i, m := range branch {
		ids[i] = m.Id
	}
	now := s.d.Clock.Now()
	plan := func(key, title, kind, form, place string, from, to time.Duration, state string) *model.Meeting {
		m := &model.Meeting{
			Base: model.Base{ID: demoID + key, OrgID: at.OrgId, Orgs: at.Orgs, CreatedBy: "demo"},
			Kind: "general", MeetingType: kind, Title: title, MeetingForm: form, Place: place,
			StartAt: clockIn(now, from), EndAt: clockIn(now, to), Host: branch[0].Name, NeedSignIn: true,
			NoticeForm: []string{model.ChannelWeChat, model.ChannelSite}, ParticipantIDs: ids, ParticipantOrgID: at.OrgId, State: state,
			Agenda: "一、学习近期重要讲话精神；二、讨论本季度工作安排；三、支部事务。",
		}
		if state == model.MeetingStateStarted {
			started := clockIn(now, min(from, 0)-time.Hour)
			m.StartedAt, m.StartedBy = &started, "demo"
		}
		return m
	}
	past := plan("1", "第三季度支部党员活动", "branch", model.FormOffline, "社区党群服务中心", -31*24*time.Hour, -31*24*time.Hour+2*time.Hour, model.MeetingStateStarted)
	for _, m := range []*model.Meeting{
		past,
		plan("2", "下月支部学习会", "branch", model.FormOnlineMeeting, "", 7*24*time.Hour, 7*24*time.Hour+2*time.Hour, model.MeetingStateDraft),
		plan("3", "支部党员大会", "branch", model.FormOffline, "二楼会议室", -15*time.Minute, 6*time.Hour, model.MeetingStateStarted),
	} {
		if err := s.meetings.Insert(ctx, m); err != nil && !errors.Is(err, model.ErrDuplicate) {
			return fmt.Errorf("demo meetings: %w", err)
		}
	}
	var came []*model.CheckIn
	for i, p := range branch {
		if i%5 == 4 { // one in five was kept away
			continue
		}
		at := past.StartAt.Add(time.Duration(i-20) * 40 * time.Second)
		came = append(came, checkIn(past, &kit.Caller{MemberID: p.Id, Name: p.Name, OrgID: p.OrgId, Orgs: p.Orgs}, at))
	}
	if err := model.Seeded(s.checkins.InsertMany(ctx, came)); err != nil {
		return fmt.Errorf("demo check-ins: %w", err)
	}
	return nil
}

// firstBranch returns the members of the branch with the smallest id.
func firstBranch(all []*partygen.Member) []*partygen.Member {
	first := ""
	for _, m := range all {
		if first == "" || m.OrgId < first {
			first = m.OrgId
		}
	}
	var out []*partygen.Member
	for _, m := range all {
		if m.OrgId == first {
			out = append(out, m)
		}
	}
	return out
}

// clockIn keeps demo times on round minutes.
func clockIn(t time.Time, d time.Duration) time.Time { return t.Add(d).Truncate(time.Minute) }
