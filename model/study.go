package model

import "time"

// The states of a study task, which follow from its times alone.
const (
	StudyWaiting = "notStarted" // 未开始
	StudyRunning = "running"    // 进行中
	StudyEnded   = "ended"      // 已结束
)

// StudyTask 学习任务, spec/records.md 40. Who completed it is kept in StudyRecord, one document each.
type StudyTask struct {
	Base             `bson:",inline"`
	Title            string    `bson:"title" json:"title" record:"label=学习名称,required,max=100,list,search,keyword,width=200"`
	Content          string    `bson:"content" json:"content" record:"label=学习内容,type=richtext"`
	Files            []File    `bson:"files,omitempty" json:"files" record:"label=附件,accept=document|image"`
	Video            []File    `bson:"video,omitempty" json:"video" record:"label=视频,accept=video"`
	StartAt          time.Time `bson:"startAt" json:"startAt" record:"label=学习开始时间,required,list,search"`
	EndAt            time.Time `bson:"endAt" json:"endAt" record:"label=学习结束时间,required,list"`
	NoticeForm       []string  `bson:"noticeForm" json:"noticeForm" record:"label=通知形式,required,options=wechat:公众号|sms:短信|site:站内,fixed"`
	ParticipantOrgID string    `bson:"participantOrgId,omitempty" json:"participantOrgId" record:"label=参加组织,ref=organization,fixed,help=选择后该组织全体党员参加"`
	ParticipantIDs   []string  `bson:"participantIds" json:"participantIds" record:"label=参加对象,ref=member,fixed"`
	Notified         bool      `bson:"notified" json:"notified" record:"label=已通知参加对象,readonly"`
	// Mine is the record of the member who looks, looked up for his verbs.
	Mine *StudyRecord `bson:"-" json:"-"`
}

// Shown is the state that people see at a time.
func (s *StudyTask) Shown(now time.Time) string {
	switch {
	case now.Before(s.StartAt):
		return StudyWaiting
	case now.Before(s.EndAt):
		return StudyRunning
	default:
		return StudyEnded
	}
}

// StudyRecord 学习记录 is what a participant did: that he completed a study, and what he thinks of it. Its id is
// made of task and member, so that nobody completes a study twice. CreatedAt is when he completed it; OrgID and
// Orgs are his branch.
type StudyRecord struct {
	Base     `bson:",inline"`
	TaskID   string `bson:"taskId" json:"taskId"`
	MemberID string `bson:"memberId" json:"memberId"`
	Score    int    `bson:"score" json:"score"` // 1 to 5; 0: none yet
	Comment  string `bson:"comment,omitempty" json:"comment"`
}

// StudyRecordID is the id of a member's record of a study.
func StudyRecordID(taskID, memberID string) string { return taskID + ":" + memberID }
