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
	Kind             string     `bson:"kind" json:"kind"`               // general
	MeetingType      string     `bson:"meetingType" json:"meetingType"` // committee, branch, other
	Title            string     `bson:"title" json:"title"`
	MeetingForm      string     `bson:"meetingForm" json:"meetingForm"` // onlineMeeting, offline, onlineStudy
	StartAt          time.Time  `bson:"startAt" json:"startAt"`
	EndAt            time.Time  `bson:"endAt" json:"endAt"`
	Place            string     `bson:"place" json:"place"`
	Agenda           string     `bson:"agenda" json:"agenda"`
	Host             string     `bson:"host" json:"host"`
	NeedSignIn       bool       `bson:"needSignIn" json:"needSignIn"`
	NoticeForm       []string   `bson:"noticeForm" json:"noticeForm"` // wechat, sms, site; fixed after creation
	RecorderIDs      []string   `bson:"recorderIds" json:"recorderIds"`
	ParticipantIDs   []string   `bson:"participantIds" json:"participantIds"`               // fixed after creation
	ParticipantOrgID string     `bson:"participantOrgId,omitempty" json:"participantOrgId"` // everybody of it was meant
	State            string     `bson:"state" json:"state"`
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
