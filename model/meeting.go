package model

import (
	"slices"
	"time"
)

// The persisted states of a meeting. What a started one shows as (waiting, running,
// ended) follows from its times alone, so no job has to move it (MEET-25).
const (
	MeetingStateDraft   = "draft"   // 未启动
	MeetingStateStarted = "started" // 已启动
)

// The states a meeting shows beside MeetingStateDraft.
const (
	MeetingStateWaiting = "waiting" // 待开始
	MeetingStateRunning = "running" // 进行中
	MeetingStateEnded   = "ended"   // 已结束
)

// The forms of a meeting.
const (
	FormOnlineMeeting = "onlineMeeting" // 线上会议
	FormOffline       = "offline"       // 线下活动
	FormOnlineStudy   = "onlineStudy"   // 线上学习
)

// EarlyCheckIn is how long before the start the code may be scanned (MEET-15).
const EarlyCheckIn = 30 * time.Minute

// Meeting 会议, spec/records.md 36. Who came is not kept here but in CheckIn, one
// document each, so that a full hall does not queue for one document.
type Meeting struct {
	Base             `bson:",inline"`
	Kind             string     `bson:"kind" json:"kind"` // general
	Title            string     `bson:"title" json:"title" record:"label=会议名称,required,max=100,list,search,keyword,width=200"`
	MeetingType      string     `bson:"meetingType" json:"meetingType" record:"label=会议类型,required,options=committee:党委会议|branch:支部会议|other:其他,list,search"`
	MeetingForm      string     `bson:"meetingForm" json:"meetingForm" record:"label=会议形式,required,options=onlineMeeting:线上会议|offline:线下活动|onlineStudy:线上学习,list,search"`
	StartAt          time.Time  `bson:"startAt" json:"startAt" record:"label=开始时间,required,list,search"`
	EndAt            time.Time  `bson:"endAt" json:"endAt" record:"label=结束时间,required,list"`
	Place            string     `bson:"place" json:"place" record:"label=地点,max=200"`
	Agenda           string     `bson:"agenda" json:"agenda" record:"label=会议内容,type=text,max=5000"`
	Host             string     `bson:"host" json:"host" record:"label=主持人,max=30"`
	NeedSignIn       bool       `bson:"needSignIn" json:"needSignIn" record:"label=是否需要签到,list,search"`
	NoticeForm       []string   `bson:"noticeForm" json:"noticeForm" record:"label=通知形式,required,options=wechat:公众号|sms:短信|site:站内,fixed"`
	ParticipantOrgID string     `bson:"participantOrgId,omitempty" json:"participantOrgId" record:"label=参加组织,ref=organization,fixed,help=选择后该组织全体党员参加"`
	ParticipantIDs   []string   `bson:"participantIds" json:"participantIds" record:"label=参加对象,ref=member,fixed,below"`
	RecorderIDs      []string   `bson:"recorderIds" json:"recorderIds" record:"label=记录人员,ref=member"`
	State            string     `bson:"state" json:"state" record:"label=状态,options=draft:未启动|waiting:待开始|running:进行中|ended:已结束,list,search,readonly"`
	StartedAt        *time.Time `bson:"startedAt,omitempty" json:"startedAt"`
	StartedBy        string     `bson:"startedBy,omitempty" json:"startedBy"`
}

// Shown is the state that people see at a time.
func (m *Meeting) Shown(now time.Time) string {
	switch {
	case m.State != MeetingStateStarted:
		return MeetingStateDraft
	case now.Before(m.StartAt):
		return MeetingStateWaiting
	case now.Before(m.EndAt):
		return MeetingStateRunning
	default:
		return MeetingStateEnded
	}
}

// Expects reports whether a member is among the participants.
func (m *Meeting) Expects(memberID string) bool { return slices.Contains(m.ParticipantIDs, memberID) }

// CheckIn 签到: one document for each participant who came, never changed after. Its id
// is made of meeting and member, so that a person is signed in once whatever happens,
// and so that the check-ins of a meeting are one range of the primary key: the hot path
// pays for no further index but the outbox. OrgID and Orgs are the member's branch.
// CreatedAt is the time of the scan.
type CheckIn struct {
	Base       `bson:",inline"`
	MeetingID  string `bson:"meetingId" json:"meetingId"`
	MemberID   string `bson:"memberId" json:"memberId"`
	MemberName string `bson:"memberName" json:"memberName"`
}

// CheckInID is the id of a member's check-in at a meeting.
func CheckInID(meetingID, memberID string) string { return meetingID + ":" + memberID }

// CheckInRange bounds the ids of a meeting's check-ins: from ≤ id < to.
func CheckInRange(meetingID string) (from, to string) { return meetingID + ":", meetingID + ";" }
