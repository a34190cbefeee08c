package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	meetinggen "zhihuidangjian/idl/gen/meeting"
	notify "zhihuidangjian/idl/gen/notify"
	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/trail"
)

// What the deliveries of a meeting are found by: what its messages lead to, and their kind.
const (
	targetMeeting = "meeting"
	kindMeeting   = "meetingStarted"
)

// Why nothing goes out at all, beside what the other side refuses.
const (
	noPhone   = "无手机号" // JOB-04
	noWeChat  = "未绑定微信"
	noConsent = "没有订阅" // of the mini-program
)

// reasons put what the other side refused into words; the first that fits counts.
var reasons = []struct{ code, words string }{
	{"43004", "未关注公众号"},
	{"43101", "未同意接收订阅消息"},
	{"40003", "微信账号无效，请重新绑定"},
	{"47003", "消息内容不符合微信的要求"},
	{"40037", "微信消息模板无效"},
	{"45009", "超过微信每日发送上限"},
	{"wechat: template", "未配置微信消息模板"},
	{"template.missing", "未配置短信模板"},
	{"isv.BUSINESS_LIMIT_CONTROL", "该号码收到的短信过多，请稍后再发"},
	{"isv.DAY_LIMIT_CONTROL", "超过短信每日发送上限"},
	{"isv.MOBILE_NUMBER_ILLEGAL", "手机号不正确"},
	{"isv.PARAM_LENGTH_LIMIT", "短信内容过长"},
	{"isv.AMOUNT_NOT_ENOUGH", "短信余额不足"},
	{"isv.OUT_OF_SERVICE", "短信服务已停用"},
	{"no answer in time", "对方未及时答复，是否送达未知"},
	{"unreachable", "暂时无法连接对方"},
	{"system busy", "对方系统繁忙"},
}

// said is the reason of a row in words; what has none keeps its code, for who looks it up.
func said(reason string) string {
	for _, r := range reasons {
		if strings.Contains(reason, r.code) {
			return r.words
		}
	}
	if _, code, ok := strings.Cut(reason, ": "); ok {
		return fmt.Sprintf("对方拒绝（%s）", code)
	}
	return reason
}

// states are what admins tell apart, and what the log does.
var states = map[string][]string{
	"sent": {model.SendSent}, "waiting": {model.SendQueued, model.SendSending}, "failed": {model.SendFailed},
}

// ListDeliveries tells who was told of a meeting that the caller may see, by which channel,
// and who was not and why; what failed comes first.
func (s *Service) ListDeliveries(ctx context.Context, req *notify.DeliveriesReq) (*notify.Deliveries, error) {
	if _, err := s.meeting(ctx, req.Id, "meeting.view"); err != nil {
		return nil, err
	}
	of := ofMeeting(req.Id)
	out := &notify.Deliveries{}
	var err error
	if out.Counts, err = s.counts(ctx, of); err != nil {
		return nil, err
	}
	if in, ok := states[req.State]; ok {
		of = append(of, bson.E{Key: "sendState", Value: bson.D{{Key: "$in", Value: in}}})
	}
	if req.Channel != "" {
		of = append(of, bson.E{Key: "channel", Value: req.Channel})
	}
	size := int64(req.Size)
	if size == 0 {
		size = 20
	}
	list, total, err := s.messages.FindPage(ctx, model.Everything, of, model.Page{
		Sort: bson.D{{Key: "sendState", Value: 1}, {Key: "_id", Value: 1}}, // failed, queued, sending, sent
		Skip: int64(max(req.Page-1, 0)) * size, Limit: size,
	})
	if err != nil {
		return nil, err
	}
	members, err := s.receivers(ctx, list)
	if err != nil {
		return nil, err
	}
	out.Total = total
	for _, n := range list {
		d := &notify.Delivery{
			Id: n.ID, MemberId: n.ReceiverID, Channel: n.Channel, Reason: said(n.FailReason),
			Tries: int32(n.Tries), Phone: n.PhoneMasked,
		}
		if m := members[n.ReceiverID]; m != nil {
			d.Name = m.Name
		}
		for state, in := range states {
			if slices.Contains(in, n.SendState) {
				d.State = state
			}
		}
		switch {
		case n.SentAt != nil:
			d.At = n.SentAt.UnixMilli()
		case d.State == "waiting":
			d.At = n.NextAt.UnixMilli()
		}
		out.Items = append(out.Items, d)
	}
	return out, nil
}

// Resend queues what was refused once more and nothing else: whoever has bound himself or
// given a number meanwhile is reached by it. Nothing is sent of a meeting that is over.
func (s *Service) Resend(ctx context.Context, req *notify.ResendReq) (*notify.Done, error) {
	live, err := s.meeting(ctx, req.Id, "meeting.start")
	if err != nil {
		return nil, err
	}
	if live.State == model.MeetingStateEnded {
		return nil, kit.Conflict("notify.over", "会议已结束，不再发送通知")
	}
	failed, err := s.messages.Find(ctx, model.Everything, append(ofMeeting(req.Id), bson.E{Key: "sendState", Value: model.SendFailed}), model.Page{})
	if err != nil {
		return nil, err
	}
	members, err := s.receivers(ctx, failed)
	if err != nil {
		return nil, err
	}
	accepts, err := s.accepts(ctx, members, kindMeeting)
	if err != nil {
		return nil, err
	}
	var again []*model.Notification
	for _, n := range failed {
		if p := members[n.ReceiverID]; p != nil && s.requeue(n, p, accepts[p.Id]) {
			again = append(again, n)
		}
	}
	fact := trail.By(ctx, s.d.Clock.Now())
	fact.Action, fact.Type, fact.TypeTitle, fact.RecordID, fact.Title = model.AuditAct, targetMeeting, "会议", req.Id, "重新发送会议通知"
	fact.Note = fmt.Sprintf("共%d条", len(again))
	if err := trail.Note(ctx, s.d.DB, fact); err != nil {
		return nil, err
	}
	done := &notify.Done{}
	for part := range slices.Chunk(again, 500) {
		refused, err := s.messages.SaveMany(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, err := range refused { // stale: another admin was quicker
			if !errors.Is(err, model.ErrStale) {
				return nil, err
			}
		}
		done.Count += int32(len(part) - len(refused))
	}
	return done, nil
}

// requeue makes a refused message due again; false when there still is no way to go.
func (s *Service) requeue(n *model.Notification, p *partygen.Member, accepts bool) bool {
	page, was := strings.TrimPrefix(n.URL, s.d.PublicURL+phonePages), n.Channel
	if n.Channel == model.ChannelMini { // he may have the official account by now
		n.Channel = model.ChannelWeChat
	}
	n.SendState, n.FailReason, n.Tries, n.NextAt = model.SendQueued, "", 0, s.d.Clock.Now()
	s.way(n, p, page, accepts)
	if n.Channel != was {
		n.Consumed = false
	}
	return n.SendState == model.SendQueued
}

// meeting is a meeting that the caller may see, if he holds a permission besides; its
// service knows the scope.
func (s *Service) meeting(ctx context.Context, id, permission string) (*meetinggen.Live, error) {
	if err := kit.Require(ctx, permission); err != nil {
		return nil, err
	}
	live, err := s.d.Meeting.GetLive(ctx, &meetinggen.MeetingReq{Id: id})
	if err != nil {
		return nil, kit.FromError(err)
	}
	return live, nil
}

func ofMeeting(id string) bson.D {
	return bson.D{{Key: "targetId", Value: id}, {Key: "targetType", Value: targetMeeting}}
}

// counts are how many were told and not, by channel.
func (s *Service) counts(ctx context.Context, of bson.D) ([]*notify.ChannelCount, error) {
	having := func(state string) bson.D {
		return bson.D{{Key: "$sum", Value: bson.D{{Key: "$cond", Value: bson.A{bson.D{{Key: "$eq", Value: bson.A{"$sendState", state}}}, 1, 0}}}}}
	}
	cur, err := s.messages.Mongo().Aggregate(ctx, bson.A{
		bson.D{{Key: "$match", Value: append(of, bson.E{Key: "deleted", Value: false})}},
		bson.D{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: "$channel"}, {Key: "all", Value: bson.D{{Key: "$sum", Value: 1}}},
			{Key: "sent", Value: having(model.SendSent)}, {Key: "failed", Value: having(model.SendFailed)},
		}}},
		bson.D{{Key: "$sort", Value: bson.D{{Key: "_id", Value: 1}}}},
	})
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	var found []struct {
		Channel           string `bson:"_id"`
		All, Sent, Failed int64
	}
	if err := cur.All(ctx, &found); err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	var out []*notify.ChannelCount
	for _, c := range found {
		out = append(out, &notify.ChannelCount{Channel: c.Channel, Sent: c.Sent, Waiting: c.All - c.Sent - c.Failed, Failed: c.Failed})
	}
	return out, nil
}

// receivers are the members whom messages go to, by id.
func (s *Service) receivers(ctx context.Context, list []*model.Notification) (map[string]*partygen.Member, error) {
	ids := make([]string, len(list))
	for i, n := range list {
		ids[i] = n.ReceiverID
	}
	slices.Sort(ids)
	out := map[string]*partygen.Member{}
	if len(ids) == 0 {
		return out, nil
	}
	members, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: slices.Compact(ids)})
	if err != nil {
		return nil, err
	}
	for _, m := range members.Members {
		out[m.Id] = m
	}
	return out, nil
}
