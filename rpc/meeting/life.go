package meeting

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Why a meeting's state refuses.
var (
	errUnchangeable = kit.Conflict("meeting.started", "会议已启动，不可修改")
	errStarted      = kit.Conflict("meeting.started", "会议已启动，不能重复启动")
	errNotYet       = kit.Conflict("meeting.notStarted", "会议未启动，启动后才能查看")
	errNoCode       = kit.Conflict("meeting.noSignIn", "本次会议不需要签到，没有二维码")
	errCodeEnded    = kit.Conflict("meeting.closed", "会议已结束，不能再签到")
)

// life is the life of a meeting (MEET-10 to 18, MEET-25): a draft can be changed and started;
// what a started one is follows from its times, and its people are counted; one with sign-in
// shows its code until it is over.
var life = &records.Life[*model.Meeting]{
	Field: "state",
	At:    (*model.Meeting).Shown,
	States: []records.State{
		{Value: model.MeetingStateDraft, Label: "未启动", Color: "info", Where: stored(model.MeetingStateDraft), Refuse: errNotYet},
		{Value: model.MeetingStateWaiting, Label: "待开始", Color: "warning", Where: func(now time.Time) bson.D {
			return append(stored(model.MeetingStateStarted)(now), bson.E{Key: "startAt", Value: bson.D{{Key: "$gt", Value: now}}})
		}},
		{Value: model.MeetingStateRunning, Label: "进行中", Color: "success", Where: func(now time.Time) bson.D {
			return append(stored(model.MeetingStateStarted)(now),
				bson.E{Key: "startAt", Value: bson.D{{Key: "$lte", Value: now}}}, bson.E{Key: "endAt", Value: bson.D{{Key: "$gt", Value: now}}})
		}},
		{Value: model.MeetingStateEnded, Label: "已结束", Color: "info", Refuse: errCodeEnded, Where: func(now time.Time) bson.D {
			return append(stored(model.MeetingStateStarted)(now), bson.E{Key: "endAt", Value: bson.D{{Key: "$lte", Value: now}}})
		}},
	},
	Verbs: []records.Verb[*model.Meeting]{
		{Key: "update", In: []string{model.MeetingStateDraft}, Refuse: errUnchangeable},
		{Key: "start", In: []string{model.MeetingStateDraft}, Refuse: errStarted},
		{Key: "qr", In: []string{model.MeetingStateWaiting, model.MeetingStateRunning}, If: signsIn},
		{Key: "statistics", In: underWay},
		{Key: "deliveries", In: underWay},
	},
}

// underWay are the states of a meeting that was started.
var underWay = []string{model.MeetingStateWaiting, model.MeetingStateRunning, model.MeetingStateEnded}

func stored(state string) func(time.Time) bson.D {
	return func(time.Time) bson.D { return bson.D{{Key: "state", Value: state}} }
}

func signsIn(_ *kit.Caller, m *model.Meeting, _ time.Time) *kit.Error {
	if m.NeedSignIn {
		return nil
	}
	return errNoCode
}
