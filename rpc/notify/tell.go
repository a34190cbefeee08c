package notify

import (
	"context"
	"fmt"
	"time"

	"zhihuidangjian/idl/gen/account"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// The kinds of messages about records.
const (
	KindElectionDue = "electionDue" // fields org, date, left
	KindSubmitted   = "submitted"   // on site only
	KindDecided     = "decided"     // fields title, result, opinion
)

// electionDue reminds the admins of an organisation on site, and its secretary, when he
// is a member, by WeChat too (ELEC-02).
func (s *Service) electionDue(ctx context.Context, e *recordsgen.Event, p *model.ElectionDue) error {
	left := fmt.Sprintf("距换届到期还有%d个月", p.Months)
	if p.Months == 0 {
		left = "换届已到期"
	}
	day := p.DueOn
	if d, err := time.Parse(time.DateOnly, p.DueOn); err == nil {
		day = d.Format("2006年01月02日")
	}
	m := message{
		event: e.Id, at: e.At, kind: KindElectionDue, title: "换届提醒", content: fmt.Sprintf("%s%s，应于%s前完成换届选举", p.OrgName, left, day),
		targetType: "election", targetID: p.ElectionID, page: "pages/messages/index",
		fields: map[string]string{"org": p.OrgName, "date": day, "left": left},
	}
	if err := s.tellAdmins(ctx, m, p.OrgID, ""); err != nil {
		return err
	}
	if p.SecretaryID == "" {
		return nil
	}
	return s.queue(ctx, m, []string{p.SecretaryID}, []string{model.ChannelSite, model.ChannelWeChat})
}

// submitted tells the admins who have to do with it what a member handed in (JOB-02).
func (s *Service) submitted(ctx context.Context, e *recordsgen.Event, p *model.Submitted) error {
	return s.tellAdmins(ctx, message{
		event: e.Id, at: e.At, kind: KindSubmitted, title: p.Title + "待处理", content: fmt.Sprintf("%s提交了%s“%s”", p.MemberName, p.Title, p.Name),
		targetType: p.Type, targetID: p.TargetID,
	}, p.OrgID, p.Permission)
}

// decided tells the member, or the user, who handed it in.
func (s *Service) decided(ctx context.Context, e *recordsgen.Event, p *model.Decided) error {
	result := "未通过"
	if p.Approved {
		result = "已通过"
	}
	m := message{
		event: e.Id, at: e.At, kind: KindDecided, title: p.Title + "审批结果", content: fmt.Sprintf("%s“%s”%s", p.Title, p.Name, result),
		targetType: p.Type, targetID: p.TargetID, page: "pages/records/detail?type=" + p.Type + "&id=" + p.TargetID,
		fields: map[string]string{"title": p.Title, "result": result, "opinion": p.Opinion},
	}
	if p.Opinion != "" {
		m.content += "，意见：" + p.Opinion
	}
	if p.SubmittedBy != "" && p.SubmittedBy != p.MemberID {
		if err := s.tell(ctx, m, []string{p.SubmittedBy}); err != nil {
			return err
		}
	}
	if p.MemberID == "" {
		return nil
	}
	return s.queue(ctx, m, []string{p.MemberID}, []string{model.ChannelSite, model.ChannelWeChat})
}

// tellAdmins tells the users of an organisation who hold a permission.
func (s *Service) tellAdmins(ctx context.Context, m message, orgID, permission string) error {
	a, err := s.d.Account.FindAdmins(kit.AsSystem(ctx), &account.AdminsReq{OrgId: orgID, Permission: permission})
	if err != nil {
		return err
	}
	return s.tell(ctx, m, a.UserIds)
}

// tell stores a message on site for each user.
func (s *Service) tell(ctx context.Context, m message, userIDs []string) error {
	now := s.d.Clock.Now()
	docs := make([]*model.Notification, len(userIDs))
	for i, id := range userIDs {
		docs[i] = &model.Notification{
			Base:         model.Base{ID: kit.KeyID(m.event, id, model.ChannelSite), CreatedAt: time.UnixMilli(m.at)},
			ReceiverType: "user", ReceiverID: id, Kind: m.kind, Title: m.title, Content: m.content,
			TargetType: m.targetType, TargetID: m.targetID, Channel: model.ChannelSite, SendState: model.SendSent, NextAt: now, SentAt: &now,
		}
	}
	return s.storeAll(ctx, docs)
}
