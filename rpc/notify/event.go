package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"zhihuidangjian/idl/gen/account"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/sms"
)

// HandleEvents queues the messages of events. It may be called again with the same
// events: the ids are made of event, receiver and channel.
func (s *Service) HandleEvents(ctx context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	out := &recordsgen.Handled{Refused: map[string]string{}}
	for _, e := range req.Events {
		if err := s.handle(ctx, e); err != nil {
			out.Refused[e.Id] = err.Error()
		}
	}
	return out, nil
}

func (s *Service) handle(ctx context.Context, e *recordsgen.Event) error {
	m := &message{event: e.Id, at: e.At}
	if e.Kind != model.EventTold {
		return fmt.Errorf("event %s: nothing to tell of %q", e.Id, e.Kind)
	}
	if err := json.Unmarshal(e.Payload, &m.Told); err != nil {
		return fmt.Errorf("event %s: %w", e.Id, err)
	}
	if err := s.tellAdmins(ctx, m); err != nil {
		return err
	}
	if err := s.tellUsers(ctx, m, m.UserIDs); err != nil {
		return err
	}
	return s.tellMembers(ctx, m)
}

// message is what an event has to say.
type message struct {
	model.Told
	event string
	at    int64 // when it happened, Unix milliseconds: lists of messages are in its order
}

// tellAdmins tells the users of an organisation who hold a permission.
func (s *Service) tellAdmins(ctx context.Context, m *message) error {
	if m.AdminsOf == "" {
		return nil
	}
	a, err := s.d.Account.FindAdmins(kit.AsSystem(ctx), &account.AdminsReq{OrgId: m.AdminsOf, Permission: m.Permission})
	if err != nil {
		return err
	}
	return s.tellUsers(ctx, m, a.UserIds)
}

// tellUsers stores a message on site for each user.
func (s *Service) tellUsers(ctx context.Context, m *message, userIDs []string) error {
	now := s.d.Clock.Now()
	docs := make([]*model.Notification, len(userIDs))
	for i, id := range userIDs {
		docs[i] = &model.Notification{
			Base:         model.Base{ID: kit.KeyID(m.event, id, model.ChannelSite), CreatedAt: time.UnixMilli(m.at)},
			ReceiverType: "user", ReceiverID: id, Kind: m.Kind, Title: m.Title, Content: m.Content,
			TargetType: m.TargetType, TargetID: m.TargetID, Channel: model.ChannelSite, SendState: model.SendSent, NextAt: now, SentAt: &now,
		}
	}
	return s.storeAll(ctx, docs)
}

// tellMembers stores one document for each member and channel. An unbound member gets
// nothing by WeChat (MENU-11), and a failed row where that is traced; one without a phone
// always gets one (JOB-04).
func (s *Service) tellMembers(ctx context.Context, m *message) error {
	members, err := s.audience(ctx, m)
	if err != nil || len(members) == 0 {
		return err
	}
	accepts, err := s.accepts(ctx, members, m.Kind)
	if err != nil {
		return err
	}
	channels := m.Channels
	if len(channels) == 0 {
		channels = []string{model.ChannelSite, model.ChannelWeChat}
	}
	var docs []*model.Notification
	for _, id := range slices.Sorted(maps.Keys(members)) {
		p := members[id]
		for _, channel := range slices.Compact(slices.Sorted(slices.Values(channels))) {
			if n := s.address(m, p, channel, accepts[p.Id]); n != nil {
				docs = append(docs, n)
			}
		}
	}
	return s.storeAll(ctx, docs)
}

// audience are the members whom a message goes to, by id.
func (s *Service) audience(ctx context.Context, m *message) (map[string]*partygen.Member, error) {
	all := map[string]*partygen.Member{}
	if len(m.MemberIDs) > 0 {
		list, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: m.MemberIDs})
		if err != nil {
			return nil, err
		}
		for _, p := range list.Members {
			all[p.Id] = p
		}
	}
	if m.OrgID != "" {
		list, err := s.d.Party.ListMembers(kit.AsSystem(ctx), &partygen.OrgReq{OrgId: m.OrgID})
		if err != nil {
			return nil, err
		}
		for _, p := range list.Members {
			if p.OpenId != "" || p.MiniOpenId != "" {
				all[p.Id] = p
			}
		}
	}
	return all, nil
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
func (s *Service) address(m *message, p *partygen.Member, channel string, accepts bool) *model.Notification {
	now := s.d.Clock.Now()
	n := &model.Notification{
		Base:         model.Base{ID: kit.KeyID(m.event, p.Id, channel), OrgID: p.OrgId, Orgs: p.Orgs, CreatedAt: time.UnixMilli(m.at)},
		ReceiverType: "member", ReceiverID: p.Id, Kind: m.Kind, Title: m.Title, Content: m.Content,
		TargetType: m.TargetType, TargetID: m.TargetID, Channel: channel, Fields: m.Fields,
		SendState: model.SendQueued, NextAt: now,
	}
	if channel == model.ChannelSite {
		n.SendState, n.SentAt, n.Fields = model.SendSent, &now, nil
		return n
	}
	if !s.way(n, p, m.Page, accepts) && !(m.Traced && channel == model.ChannelWeChat) {
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
