package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	notify "zhihuidangjian/idl/gen/notify"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/wechat"
)

const (
	maxTries     = 3                // JOB-03
	lease        = 30 * time.Second // longer than any try
	tryDeadline  = 10 * time.Second
	deliverBatch = 200
	deliverers   = 8
)

// Deliver sends what is due. Two workers at once send nothing twice: a message is
// claimed by compare-and-set before it is sent. What one person gets by one channel goes
// out in the order in which it happened. A worker that dies between claim and
// result leaves a message of which nobody knows whether it went out: a template message
// is sent again, since WeChat drops a repeat with the same id; a subscribe message or an
// SMS is not, and says so.
func (s *Service) Deliver(ctx context.Context, _ *recordsgen.Empty) (*notify.Done, error) {
	due, err := s.messages.Find(ctx, model.Everything,
		bson.D{{Key: "sendState", Value: model.SendQueued}, {Key: "nextAt", Value: bson.D{{Key: "$lte", Value: s.d.Clock.Now()}}}},
		model.Page{Sort: bson.D{{Key: "nextAt", Value: 1}}, Limit: deliverBatch})
	if err != nil {
		return nil, err
	}
	abandoned, err := s.messages.Find(ctx, model.Everything,
		bson.D{{Key: "sendState", Value: model.SendSending}, {Key: "nextAt", Value: bson.D{{Key: "$lte", Value: time.Now()}}}},
		model.Page{Sort: bson.D{{Key: "nextAt", Value: 1}}, Limit: deliverBatch})
	if err != nil {
		return nil, err
	}
	var (
		all   kit.Group
		count atomic.Int32
		next  = make(chan []*model.Notification)
	)
	for range deliverers {
		all.Go("deliver", func() error {
			for line := range next {
				for _, n := range line {
					if ctx.Err() != nil {
						break
					}
					err := kit.Guard("deliver", func() error { // the line goes on after one at fault
						sent, err := s.deliver(ctx, n)
						if sent {
							count.Add(1)
						}
						return err
					})
					if err != nil {
						slog.WarnContext(ctx, "message not settled", "id", n.ID, "channel", n.Channel, "error", err)
					}
				}
			}
			return nil
		})
	}
	for _, line := range lines(append(abandoned, due...)) {
		next <- line
	}
	close(next)
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return &notify.Done{Count: count.Load()}, ctx.Err()
}

// lines puts messages behind each other that go to the same person by the same channel.
func lines(list []*model.Notification) [][]*model.Notification {
	slices.SortStableFunc(list, func(a, b *model.Notification) int { return a.CreatedAt.Compare(b.CreatedAt) })
	type end struct{ receiver, channel string }
	var (
		out [][]*model.Notification
		at  = map[end]int{}
	)
	for _, n := range list {
		to := end{n.ReceiverID, n.Channel}
		i, ok := at[to]
		if !ok {
			i = len(out)
			at[to], out = i, append(out, nil)
		}
		out[i] = append(out[i], n)
	}
	return out
}

// deliver claims one message, sends it and stores the result.
func (s *Service) deliver(ctx context.Context, n *model.Notification) (sent bool, err error) {
	if n.SendState == model.SendSending && n.Channel != model.ChannelWeChat {
		n.SendState, n.FailReason = model.SendFailed, "发送中断，结果未知，不再重发"
		return false, s.settle(ctx, n)
	}
	n.SendState, n.NextAt = model.SendSending, time.Now().Add(lease)
	n.Tries++
	if err := s.messages.Replace(ctx, n); errors.Is(err, model.ErrStale) {
		return false, nil // another worker has it
	} else if err != nil {
		return false, err
	}
	if n.Channel == model.ChannelMini && !n.Consumed {
		if n.Consumed, err = s.takeConsent(ctx, n.ReceiverID, n.Kind); err != nil {
			s.result(ctx, n, &wechat.Error{Kind: wechat.KindRetryable, Message: "订阅次数无法读取", Err: err})
			return false, s.settle(ctx, n)
		}
		if !n.Consumed {
			n.SendState, n.FailReason = model.SendFailed, noConsent
			return false, s.settle(ctx, n)
		}
	}
	sendCtx, cancel := context.WithTimeout(ctx, tryDeadline)
	err = s.send(sendCtx, n)
	cancel()
	s.result(ctx, n, err)
	return err == nil, s.settle(ctx, n)
}

// settle stores a result even when the worker is being stopped.
func (s *Service) settle(ctx context.Context, n *model.Notification) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryDeadline)
	defer cancel()
	for {
		err := s.messages.Replace(ctx, n)
		if !errors.Is(err, model.ErrStale) {
			return err
		}
		// The receiver may have marked it as read meanwhile; anything else means
		// that another worker settled it.
		cur, err := s.messages.Get(ctx, model.Everything, n.ID)
		if err != nil {
			return err
		}
		if cur.SendState != model.SendSending || cur.Tries != n.Tries {
			return nil
		}
		n.Version, n.ReadAt = cur.Version, cur.ReadAt
	}
}

// result moves a message to the state that the answer of the other side asks for.
func (s *Service) result(ctx context.Context, n *model.Notification, err error) {
	now := s.d.Clock.Now()
	if err == nil {
		n.SendState, n.SentAt, n.FailReason, n.NextAt = model.SendSent, &now, "", now
		return
	}
	again := false
	switch n.Channel {
	case model.ChannelWeChat:
		k := wechat.KindOf(err)
		again = k == wechat.KindRetryable || k == wechat.KindUnknown
	case model.ChannelMini:
		again = wechat.KindOf(err) == wechat.KindRetryable
		if wechat.CodeOf(err) == wechat.CodeNoConsent {
			if err := s.dropConsents(ctx, n.ReceiverID, n.Kind); err != nil {
				slog.WarnContext(ctx, "consents not dropped", "error", err)
			}
		}
	case model.ChannelSMS:
		again = sms.KindOf(err) == sms.KindRetryable
	}
	n.FailReason = reason(err)
	if again && n.Tries < maxTries {
		n.SendState, n.NextAt = model.SendQueued, now.Add(backoff(n.Tries))
		return
	}
	n.SendState = model.SendFailed
}

// reason is what the log shows; both adapters redact their texts.
func reason(err error) string {
	r := []rune(err.Error())
	return string(r[:min(len(r), 200)])
}

func (s *Service) send(ctx context.Context, n *model.Notification) error {
	switch n.Channel {
	case model.ChannelWeChat:
		return s.d.Messenger.SendTemplate(ctx, wechat.TemplateMessage{
			OpenID: n.OpenID, Kind: n.Kind, URL: n.URL, Fields: n.Fields, ClientMsgID: n.ID,
		})
	case model.ChannelMini:
		return s.d.Messenger.SendSubscribe(ctx, wechat.SubscribeMessage{OpenID: n.OpenID, Kind: n.Kind, Page: n.URL, Fields: n.Fields})
	case model.ChannelSMS:
		m, err := s.d.Party.GetMember(kit.AsSystem(ctx), &partygen.MemberReq{MemberId: n.ReceiverID})
		if err != nil {
			return &sms.Error{Kind: sms.KindRetryable, Message: "无法取得手机号", Err: err}
		}
		if m.Phone == "" {
			return &sms.Error{Kind: sms.KindUser, Message: noPhone}
		}
		return s.d.SMS.Send(ctx, sms.Message{Phone: m.Phone, Kind: n.Kind, Params: n.Fields})
	}
	return fmt.Errorf("no channel %q", n.Channel)
}

// secretParams are never written to the log.
var secretParams = []string{"code"}

// SendSMS sends at once, once for each key, and logs a row (JOB-04) that does not tell
// codes. It never retries: the person asks for another code.
func (s *Service) SendSMS(ctx context.Context, req *notify.SMSReq) (*recordsgen.Empty, error) {
	shown := map[string]string{}
	maps.Copy(shown, req.Params)
	for _, k := range secretParams {
		if _, ok := shown[k]; ok {
			shown[k] = "******"
		}
	}
	now := s.d.Clock.Now()
	id := kit.NewID(now)
	if req.Key != "" {
		id = kit.KeyID("sms", req.Key)
	}
	n := &model.Notification{
		Base: model.Base{ID: id}, ReceiverType: "phone", Kind: req.Kind, Channel: model.ChannelSMS,
		Content: sms.Render(req.Kind, shown), SendState: model.SendSending, NextAt: time.Now().Add(lease), Tries: 1,
	}
	phone(n, req.Phone)
	switch err := s.messages.Insert(ctx, n); {
	case errors.Is(err, model.ErrDuplicate):
		return &recordsgen.Empty{}, nil // the same request again
	case err != nil:
		return nil, err
	case n.SendState == model.SendFailed:
		return nil, kit.Invalid("sms.noPhone", "没有手机号，短信无法发送")
	}
	sendCtx, cancel := context.WithTimeout(ctx, tryDeadline)
	defer cancel()
	err := s.d.SMS.Send(sendCtx, sms.Message{Phone: req.Phone, Kind: req.Kind, Params: req.Params})
	if err == nil {
		n.SendState, n.SentAt = model.SendSent, &now
	} else {
		n.SendState, n.FailReason = model.SendFailed, reason(err)
	}
	if settled := s.settle(ctx, n); settled != nil {
		slog.WarnContext(ctx, "SMS row not settled", "id", n.ID, "error", settled)
	}
	switch {
	case err == nil:
		return &recordsgen.Empty{}, nil
	case sms.CodeOf(err) == sms.CodeLimit:
		return nil, kit.TooMany("sms.limit", "短信发送过于频繁，请稍后再试").Because(err)
	case sms.CodeOf(err) == sms.CodeBadNumber:
		return nil, kit.Invalid("sms.number", "手机号不正确").Because(err)
	default:
		return nil, (&kit.Error{Code: 50300, Key: "sms.failed", Message: "短信发送失败，请稍后重试"}).Because(err)
	}
}
