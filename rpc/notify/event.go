package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/sms"
)

// The kinds of messages: each names its template at WeChat and at the SMS provider.
const (
	KindMeetingStarted = "meetingStarted" // fields title, time, place
	KindDuesReceipt    = "duesReceipt"    // fields name, month, amount, time, orderNo
	KindDuesReversed   = "duesReversed"   // on site only
	KindBindCode       = "bindCode"       // SMS only; field code
)

// HandleEvents queues the messages of events. It may be called again with the same
// events: the ids are made of event, receiver and channel.
func (s *Service) HandleEvents(ctx context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	out := &recordsgen.Handled{Refused: map[string]string{}}
	for _, e := range req.Events {
		var err error
		switch e.Kind {
		case model.EventMeetingStarted:
			err = handle(ctx, e, s.meetingStarted)
		case model.EventDuesPaid:
			err = handle(ctx, e, s.duesPaid)
		case model.EventDuesReversed:
			err = handle(ctx, e, s.duesReversed)
		case model.EventDuesReconciled:
			err = handle(ctx, e, s.duesReconciled)
		case model.EventElectionDue:
			err = handle(ctx, e, s.electionDue)
		case model.EventSubmitted:
			err = handle(ctx, e, s.submitted)
		case model.EventDecided:
			err = handle(ctx, e, s.decided)
		case model.EventTold:
			err = handle(ctx, e, s.told)
		}
		if err != nil {
			out.Refused[e.Id] = err.Error()
		}
	}
	return out, nil
}

func handle[T any](ctx context.Context, e *recordsgen.Event, f func(context.Context, *recordsgen.Event, *T) error) error {
	p := new(T)
	if err := json.Unmarshal(e.Payload, p); err != nil {
		return fmt.Errorf("event %s: %w", e.Id, err)
	}
	return f(ctx, e, p)
}

// message is what an event has to say, before it is known to whom and how.
type message struct {
	event      string
	at         int64 // when it happened, Unix milliseconds: lists of messages are in its order
	kind       string
	title      string
	content    string
	targetType string
	targetID   string
	page       string // of the member client, opens the record (MENU-11)
	fields     map[string]string
	everybody  bool // who cannot be reached has a row that says so
}

// meetingStarted tells the participants by the meeting's forms of notice (MEET-12).
func (s *Service) meetingStarted(ctx context.Context, e *recordsgen.Event, p *model.MeetingStarted) error {
	if !p.Notify {
		return nil
	}
	at := p.StartAt.In(kit.Shanghai).Format("2006年01月02日 15:04")
	place := p.Place
	if place == "" {
		place = "线上"
	}
	return s.queue(ctx, message{
		event: e.Id, at: e.At, kind: KindMeetingStarted, title: "会议通知", content: fmt.Sprintf("“%s”将于%s开始，地点：%s", p.Title, at, place),
		targetType: targetMeeting, targetID: p.MeetingID, page: "pages/meeting/detail?id=" + p.MeetingID, everybody: true,
		fields: map[string]string{"title": p.Title, "time": at, "place": place},
	}, p.Participants, p.NoticeForm)
}

// duesPaid sends the payer a receipt, by SMS too unless that is switched off.
func (s *Service) duesPaid(ctx context.Context, e *recordsgen.Event, p *model.DuesPaid) error {
	months := p.FromMonth
	if p.ToMonth != p.FromMonth {
		months += "至" + p.ToMonth
	}
	channels := []string{model.ChannelSite, model.ChannelWeChat}
	if !s.d.NoDuesSMS {
		channels = append(channels, model.ChannelSMS)
	}
	return s.queue(ctx, message{
		event: e.Id, at: e.At, kind: KindDuesReceipt, title: "党费缴纳成功", content: fmt.Sprintf("您已缴纳%s党费%s元", months, kit.Yuan(p.Amount)),
		targetType: "duesOrder", targetID: p.OrderID, page: "pages/dues/result?id=" + p.OrderID,
		fields: map[string]string{
			"name": p.MemberName, "month": months, "amount": kit.Yuan(p.Amount),
			"time": p.PaidAt.In(kit.Shanghai).Format("2006年01月02日 15:04"), "orderNo": p.OrderNo,
		},
	}, []string{p.MemberID}, channels)
}

func (s *Service) duesReversed(ctx context.Context, e *recordsgen.Event, p *model.DuesPaid) error {
	return s.queue(ctx, message{
		event: e.Id, at: e.At, kind: KindDuesReversed, title: "党费缴纳已撤销",
		content:    fmt.Sprintf("%s至%s的党费%s元（现金）已由党组织撤销，如有疑问请联系党组织", p.FromMonth, p.ToMonth, kit.Yuan(p.Amount)),
		targetType: "duesOrder", targetID: p.OrderID,
	}, []string{p.MemberID}, []string{model.ChannelSite})
}

// queue stores one document for each receiver and channel. An unbound member gets
// nothing by WeChat (MENU-11), and a failed row where everybody counts; one without a phone
// always gets one (JOB-04).
func (s *Service) queue(ctx context.Context, m message, memberIDs, channels []string) error {
	if len(memberIDs) == 0 {
		return nil
	}
	list, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: memberIDs})
	if err != nil {
		return err
	}
	members := map[string]*partygen.Member{}
	for _, p := range list.Members {
		members[p.Id] = p
	}
	accepts, err := s.accepts(ctx, members, m.kind)
	if err != nil {
		return err
	}
	var docs []*model.Notification
	for _, p := range list.Members {
		for _, channel := range slices.Compact(slices.Sorted(slices.Values(channels))) {
			if n := s.address(m, p, channel, accepts[p.Id]); n != nil {
				docs = append(docs, n)
			}
		}
	}
	return s.storeAll(ctx, docs)
}

// accepts are the members without the official account who still take a message of a kind
// in the mini-program.
func (s *Service) accepts(ctx context.Context, members map[string]*partygen.Member, kind string) (map[string]bool, error) {
	var minis []string
	for id, p := range members {
		if p.OpenId == "" && p.MiniOpenId != "" {
			minis = append(minis, id)
		}
	}
	return s.quotas(ctx, minis, kind)
}

// storeAll stores messages, but for those that are there already.
func (s *Service) storeAll(ctx context.Context, docs []*model.Notification) error {
	for part := range slices.Chunk(docs, 500) {
		failed, err := s.messages.InsertMany(ctx, part)
		if err != nil {
			return err
		}
		for _, err := range failed {
			if !errors.Is(err, model.ErrDuplicate) {
				return err
			}
		}
	}
	return nil
}

// address makes the message to one member by one channel, nil when there is no way.
func (s *Service) address(m message, p *partygen.Member, channel string, accepts bool) *model.Notification {
	now := s.d.Clock.Now()
	n := &model.Notification{
		Base:         model.Base{ID: kit.KeyID(m.event, p.Id, channel), OrgID: p.OrgId, Orgs: p.Orgs, CreatedAt: time.UnixMilli(m.at)},
		ReceiverType: "member", ReceiverID: p.Id, Kind: m.kind, Title: m.title, Content: m.content,
		TargetType: m.targetType, TargetID: m.targetID, Channel: channel, Fields: m.fields,
		SendState: model.SendQueued, NextAt: now,
	}
	if channel == model.ChannelSite {
		n.SendState, n.SentAt, n.Fields = model.SendSent, &now, nil
		return n
	}
	if !s.way(n, p, m.page, accepts) && !(m.everybody && channel == model.ChannelWeChat) {
		return nil
	}
	return n
}

// phonePages is where the pages of the official account begin.
const phonePages = "/m/#/"

// way finds how a message reaches a member by its channel; one that does not says why.
// Without any trace to be left of it, it answers false.
func (s *Service) way(n *model.Notification, p *partygen.Member, page string, accepts bool) bool {
	switch n.Channel {
	case model.ChannelWeChat:
		switch {
		case p.OpenId != "":
			n.OpenID, n.URL = p.OpenId, s.d.PublicURL+phonePages+page
		case accepts:
			n.Channel, n.OpenID, n.URL = model.ChannelMini, p.MiniOpenId, page
		default:
			n.SendState, n.FailReason, n.URL = model.SendFailed, noWeChat, page
			if p.MiniOpenId != "" {
				n.FailReason = noConsent
			}
			return false
		}
	case model.ChannelSMS:
		n.Content = sms.Render(n.Kind, n.Fields)
		phone(n, p.Phone)
	default:
		return false
	}
	return true
}

// phone notes the masked number; without one the row says so.
func phone(n *model.Notification, number string) {
	if number == "" {
		n.SendState, n.FailReason = model.SendFailed, noPhone
		return
	}
	n.PhoneMasked = model.MaskPhone(number)
}

// backoff is how long to wait after a failed try.
func backoff(tries int) time.Duration { return time.Duration(tries*tries) * 10 * time.Second }
