package model

import (
	"slices"
	"time"
)

// The persisted states of an exam; an enabled one is over by the clock alone.
const (
	ExamDraft   = "draft"   // 未启用
	ExamEnabled = "enabled" // 已启用
	ExamEnded   = "ended"   // 已结束, shown only
)

// ExamNotice is how far ahead the deadline of an exam lies, when it is saved and when it is enabled (manual 10.2.1注⑤, A25).
const ExamNotice = 5 * time.Hour

// FullMarks are those of every paper, whatever the number of its questions (EXAM-09).
const FullMarks = 100

// Exam 考核, spec/records.md 41. Its papers are documents of their own, so that a thousand people who answer at
// once do not queue for one.
type Exam struct {
	Base          `bson:",inline"`
	Title         string      `bson:"title" json:"title" record:"label=考核名称,required,max=100,list,search,keyword,width=200"`
	CategoryID    string      `bson:"categoryId" json:"categoryId" record:"label=分类,required,ref=questionCategory,list,search"`
	TagIDs        []string    `bson:"tagIds,omitempty" json:"tagIds" record:"label=标签,ref=questionTag,fixed,help=随机选择时只取有这些标签的试题，不选则不限"`
	QuestionCount string      `bson:"questionCount" json:"questionCount" record:"label=试题数量,required,list,fixed,width=90,options=10:10|20:20|25:25|50:50"`
	SelectMode    string      `bson:"selectMode" json:"selectMode" record:"label=选题方式,required,fixed,options=manual:手工选择|random:随机选择"`
	QuestionIDs   []string    `bson:"questionIds" json:"questionIds" record:"label=试题,ref=question,fixed"`
	ReceiverOrgID string      `bson:"receiverOrgId,omitempty" json:"receiverOrgId" record:"label=接受组织,ref=organization,fixed,help=选择后该组织全体党员参加"`
	ReceiverIDs   []string    `bson:"receiverIds" json:"receiverIds" record:"label=接受对象,ref=member,fixed"`
	DeadlineAt    time.Time   `bson:"deadlineAt" json:"deadlineAt" record:"label=考核截止时间,required,list,help=当前时间5个小时后"`
	PassScore     int         `bson:"passScore" json:"passScore" record:"label=及格分,help=不填为60分"`
	Shuffle       bool        `bson:"shuffle" json:"shuffle" record:"label=打乱选项顺序,help=每人看到的选项顺序不同"`
	Creator       string      `bson:"creator" json:"creator" record:"label=添加人,list,readonly"` // by name: users may leave
	State         string      `bson:"state" json:"state" record:"label=状态,options=draft:未启用|enabled:已启用|ended:已结束,list,search,readonly"`
	EnabledAt     *time.Time  `bson:"enabledAt,omitempty" json:"enabledAt"`
	Extras        []ExamExtra `bson:"extras,omitempty" json:"-"`
	// NextCloseAt is when the next papers that nobody handed in are handed in by the product; nil: none are left.
	NextCloseAt *time.Time `bson:"nextCloseAt,omitempty" json:"-"`
}

// ExamExtra gives one person more time, or another try (延时, 补考).
type ExamExtra struct {
	MemberID string    `bson:"memberId" json:"memberId"`
	Again    bool      `bson:"again" json:"again"` // another try
	Until    time.Time `bson:"until" json:"until"`
	Reason   string    `bson:"reason" json:"reason"`
	By       string    `bson:"by" json:"by"`
	At       time.Time `bson:"at" json:"at"`
}

// Shown is the state that people see at a time.
func (e *Exam) Shown(now time.Time) string {
	if e.State == ExamEnabled && !now.Before(e.DeadlineAt) {
		return ExamEnded
	}
	return e.State
}

// MarksEach is what one right answer is worth; the sum is always FullMarks (EXAM-09).
func (e *Exam) MarksEach() int { return FullMarks / max(1, len(e.QuestionIDs)) }

// Sitting is one try of a person at an exam and when it ends.
type Sitting struct {
	Try   int
	Until time.Time
}

// Sittings are the tries of a receiver in order: the first, and those given to him (补考).
func (e *Exam) Sittings(memberID string) []Sitting {
	out := []Sitting{{1, e.DeadlineAt}}
	for _, x := range e.Extras {
		switch last := len(out) - 1; {
		case x.MemberID != memberID:
		case x.Again:
			out = append(out, Sitting{out[last].Try + 1, x.Until})
		default:
			out[last].Until = x.Until
		}
	}
	return out
}

// Sitting is the last try of a receiver.
func (e *Exam) Sitting(memberID string) Sitting {
	all := e.Sittings(memberID)
	return all[len(all)-1]
}

// Due reports whether papers wait to be handed in by the product.
func (e *Exam) Due(now time.Time) bool { return e.NextCloseAt != nil && !now.Before(*e.NextCloseAt) }

// NextClose is the first end of a sitting after a time, nil when all are over.
func (e *Exam) NextClose(now time.Time) *time.Time {
	ends := []time.Time{e.DeadlineAt}
	for _, x := range e.Extras {
		ends = append(ends, x.Until)
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, at := range ends {
		if at.After(now) {
			return &at
		}
	}
	return nil
}

// ExamPaper 答卷 is one try of a person: his answers as he gives them, and, once it is handed in, its score. Its
// id is made of exam, member and try, so that there is one whatever happens, and the papers of an exam are one
// range of the primary key. OrgID and Orgs are the member's branch.
type ExamPaper struct {
	Base       `bson:",inline"`
	ExamID     string              `bson:"examId" json:"examId"`
	MemberID   string              `bson:"memberId" json:"memberId"`
	MemberName string              `bson:"memberName" json:"memberName"`
	Try        int                 `bson:"try" json:"try"`
	Answers    map[string][]string `bson:"answers,omitempty" json:"answers"` // by question
	HandedInAt *time.Time          `bson:"handedInAt,omitempty" json:"handedInAt"`
	Auto       bool                `bson:"auto,omitempty" json:"auto"`     // by the product at its end
	Absent     bool                `bson:"absent,omitempty" json:"absent"` // 未交卷: no answer was ever given
	Score      int                 `bson:"score" json:"score"`
}

// ExamPaperID is the id of a try of a member at an exam.
func ExamPaperID(examID, memberID string, try int) string {
	id := examID + ":" + memberID
	if try > 1 {
		id += ":" + string(rune('0'+min(try, 9)))
	}
	return id
}

// ExamPaperRange bounds the ids of an exam's papers: from ≤ id < to.
func ExamPaperRange(examID string) (from, to string) { return examID + ":", examID + ";" }
