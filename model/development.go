package model

import (
	"slices"
	"time"
)

// DevelopmentCase 发展党员, spec/records.md 15: the way of one person into the party, along the
// steps of the version of the process under which it began. Steps before CurrentStepNo are done,
// those after it not reached.
type DevelopmentCase struct {
	Base          `bson:",inline"`
	MemberID      string            `bson:"memberId" json:"memberId" record:"label=发展对象人员,ref=member,list,search,readonly"`
	Stage         string            `bson:"stage" json:"stage" record:"label=发展阶段,readonly,list,search,options=application:申请入党|activist:入党积极分子的确定和培养教育:warning|target:发展对象的确定和考察|admission:预备党员接收|probation:预备党员教育考察和转正"`
	CurrentStepNo int               `bson:"currentStepNo" json:"currentStepNo" record:"label=流程序号,readonly"`
	Process       string            `bson:"process" json:"process" record:"label=工作细则版本,readonly"`
	DueOn         string            `bson:"dueOn,omitempty" json:"dueOn" record:"label=办理期限,type=date,readonly,list,sort"` // of the current step, a working day
	HandlerOrgID  string            `bson:"handlerOrgId" json:"handlerOrgId"`                                              // of the current step, "" where there is none
	HandlerPath   []string          `bson:"handlerPath,omitempty" json:"-"`                                                // from the root to it
	ActivistOn    string            `bson:"activistOn,omitempty" json:"-"`                                                 // since when reports are due
	StartedOn     string            `bson:"startedOn" json:"startedOn" record:"label=开始时间,type=date,readonly,list,search"`
	FinishedOn    string            `bson:"finishedOn" json:"finishedOn" record:"label=结束时间,type=date,readonly,list"`
	State         string            `bson:"state" json:"state" record:"label=状态,readonly,list,search,options=running:进行中:success|finished:已结束:info|terminated:终止:info"`
	Steps         []DevelopmentStep `bson:"steps,omitempty" json:"-"`
	Submitted     bool              `bson:"submitted,omitempty" json:"-"` // the candidate has handed the current step in
	Type          string            `bson:"type,omitempty" json:"-"`      // what the member is to be by now
	Reminded      []string          `bson:"reminded,omitempty" json:"-"`  // which reminders were given
}

// DevelopmentStep is what happened to one step of a case; those that nothing happened to are left out.
type DevelopmentStep struct {
	No         int                   `bson:"no"`
	Done       bool                  `bson:"done"`
	On         string                `bson:"on,omitempty"` // yyyy-MM-dd, the date that goes into the file
	Opinion    string                `bson:"opinion,omitempty"`
	Handler    string                `bson:"handler,omitempty"`
	HandledAt  *time.Time            `bson:"handledAt,omitempty"`
	Votes      *DevelopmentVotes     `bson:"votes,omitempty"`
	History    []DevelopmentDecision `bson:"history,omitempty"`
	Corrected  []DateCorrection      `bson:"corrected,omitempty"`
	HandedInAt *time.Time            `bson:"handedInAt,omitempty"` // by the candidate
	Publicity  *Publicity            `bson:"publicity,omitempty"`
	Signers    []string              `bson:"signers,omitempty"` // who is named, or signed
}

// Publicity is a 公示 before a step is decided.
type Publicity struct {
	From   string `bson:"from"` // yyyy-MM-dd
	To     string `bson:"to"`   // its last day
	Result string `bson:"result"`
	By     string `bson:"by"`
}

// DevelopmentDecision is a decision on a step, also one that was taken back by a later one.
type DevelopmentDecision struct {
	Passed  bool      `bson:"passed"`
	Opinion string    `bson:"opinion"`
	By      string    `bson:"by"`
	At      time.Time `bson:"at"`
}

// DateCorrection is a date of the file that was corrected, with its reason (PLUS-08).
type DateCorrection struct {
	Old    string    `bson:"old"`
	New    string    `bson:"new"`
	Reason string    `bson:"reason"`
	By     string    `bson:"by"`
	At     time.Time `bson:"at"`
}

// DevelopmentVotes are the counts of a 支部大会 (article 20 to 22).
type DevelopmentVotes struct {
	Roll    int `bson:"roll" json:"roll"`       // full members of the branch when it was entered
	Due     int `bson:"due" json:"due"`         // 应到会有表决权的
	Present int `bson:"present" json:"present"` // 实到会有表决权的
	For     int `bson:"for" json:"for"`
	Against int `bson:"against" json:"against"`
	Abstain int `bson:"abstain" json:"abstain"`
}

// Wrong says what does not add up, "" when all does: who is present votes once.
func (v DevelopmentVotes) Wrong() string {
	switch {
	case v.Due <= 0:
		return "请填写应到会有表决权人数"
	case v.Present > v.Due:
		return "实到人数不能超过应到人数"
	case v.For+v.Against+v.Abstain != v.Present:
		return "赞成、不赞成、弃权人数之和应等于实到人数"
	}
	return ""
}

// Passed tells the result: more than half of those due are present, and more than half of those
// due are for it (发展党员工作细则 article 20, 22).
func (v DevelopmentVotes) Passed() bool { return 2*v.Present > v.Due && 2*v.For > v.Due }

// Step is what happened to a step of the case; it is made when it is asked for first.
func (c *DevelopmentCase) Step(no int) *DevelopmentStep {
	for i := range c.Steps {
		if c.Steps[i].No == no {
			return &c.Steps[i]
		}
	}
	c.Steps = append(c.Steps, DevelopmentStep{No: no})
	return &c.Steps[len(c.Steps)-1]
}

// On is the date in the file of a step that is done, "" otherwise.
func (c *DevelopmentCase) On(no int) string {
	for _, s := range c.Steps {
		if s.No == no && s.Done {
			return s.On
		}
	}
	return ""
}

// HandledBy tells whether an organisation of the console, with all above it, handles the current
// step.
func (c *DevelopmentCase) HandledBy(orgID string) bool {
	return slices.Contains(c.HandlerPath, orgID)
}

// DevelopmentMaterial 发展资料 is one document of a step. It belongs to the organisation that
// handles the step, whose admins only reach it, and to the candidate.
type DevelopmentMaterial struct {
	Base     `bson:",inline"`
	MemberID string `bson:"memberId" json:"memberId" record:"label=发展对象人员,ref=member,list,search,readonly"`
	CaseID   string `bson:"caseId" json:"caseId" record:"label=发展流程,required"`
	StepNo   int    `bson:"stepNo" json:"stepNo" record:"label=流程序号,required,list"`
	Kind     string `bson:"kind" json:"kind" record:"label=资料名称,required,max=50,list,search"`
	Files    []File `bson:"files,omitempty" json:"files" record:"label=文件,required"`
	By       string `bson:"by" json:"by" record:"label=上传人,readonly,list"`

	Case *DevelopmentCase `bson:"-" json:"-"` // read beside it
}

// The states of a ThoughtReport.
const (
	ReportMissing   = "missing"
	ReportSubmitted = "submitted"
	ReportLate      = "late"
	ReportReturned  = "returned"
)

// ThoughtReport 思想汇报, spec/records.md 16: one a member and quarter, there from the beginning of
// the quarter for which it is due.
type ThoughtReport struct {
	Base        `bson:",inline"`
	OfMember    `bson:",inline"`
	Quarter     string     `bson:"quarter" json:"quarter" record:"label=季度,max=20,list,search,fixed,help=留空为本季度；补交以前季度请填写如2026Q3"`
	Title       string     `bson:"title" json:"title" record:"label=标题,required,max=100,list,keyword"`
	Content     string     `bson:"content" json:"content" record:"label=内容,type=text,required,max=20000"`
	Images      []File     `bson:"images,omitempty" json:"images" record:"label=图片,accept=image"`
	SubmittedAt *time.Time `bson:"submittedAt,omitempty" json:"submittedAt" record:"label=提交时间,readonly,list"`
	State       string     `bson:"state" json:"state" record:"label=状态,readonly,list,search"`
	Comment     string     `bson:"comment" json:"comment" record:"label=支部意见,readonly"`
}

// Develop makes of a member what a step of his case has made of him; false when he is that
// already, or off the roll. A date that is empty stays as it is.
func (m *Member) Develop(memberType, activistOn, joinedOn, regularizedOn string) bool {
	was := *m
	if m.Status != "active" {
		return false
	}
	m.MemberType = memberType
	for at, on := range map[*string]string{&m.ActivistOn: activistOn, &m.JoinedOn: joinedOn, &m.RegularizedOn: regularizedOn} {
		if on != "" {
			*at = on
		}
	}
	return m.MemberType != was.MemberType || m.ActivistOn != was.ActivistOn || m.JoinedOn != was.JoinedOn || m.RegularizedOn != was.RegularizedOn
}
