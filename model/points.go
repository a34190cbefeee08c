package model

import "time"

// The dimensions of points.
const (
	DimensionPersonal     = "personal"     // 个人积分
	DimensionOrganisation = "organisation" // 组织积分
)

// The items that rules judge by.
const (
	ItemDues            = "dues"                   // 党费缴纳
	ItemOfflineActivity = "offlineActivity"        // 线下活动
	ItemOnlineStudy     = "onlineStudy"            // 线上学习
	ItemThreeMeetings   = "threeMeetingsOneLesson" // 三会一课
	ItemOfflineQuality  = "offlineQuality"         // 线下活动质量
	ItemReward          = "reward"                 // 奖励
	ItemSanction        = "sanction"               // 处分
	ItemExam            = "exam"                   // 考核
)

// Band gives the score of a payment made up to a day of the month.
type Band struct {
	ToDay int   `bson:"toDay" json:"toDay"`
	Score int64 `bson:"score" json:"score"` // hundredths
}

// PointsRule 积分分值, spec/records.md 58. Scores and weights are hundredths, so that
// products and sums stay exact. The id is dimension and item: "personal.dues".
type PointsRule struct {
	Base        `bson:",inline"`
	Dimension   string `bson:"dimension" json:"dimension"`
	Item        string `bson:"item" json:"item"`
	Condition   string `bson:"condition" json:"condition"`
	Bands       []Band `bson:"bands,omitempty" json:"bands"` // dues: by day of payment, ascending
	AddScore    int64  `bson:"addScore" json:"addScore"`
	DeductScore int64  `bson:"deductScore" json:"deductScore"`
	Weight      int64  `bson:"weight" json:"weight"`     // 100 is 1
	DailyMax    int64  `bson:"dailyMax" json:"dailyMax"` // 0: no limit
	Enabled     bool   `bson:"enabled" json:"enabled"`
	SortNo      int    `bson:"sortNo" json:"sortNo"`
}

// Weighed is a score times the rule's weight, half a hundredth rounded up.
func (r *PointsRule) Weighed(score int64) int64 { return (score*r.Weight + 50) / 100 }

// DuesScore is what paying a month's dues at a time earns (PTS-02): by the day of
// payment; a month paid after its end earns the lowest band, one paid ahead the first.
func (r *PointsRule) DuesScore(month string, paidAt time.Time) int64 {
	if len(r.Bands) == 0 {
		return r.Weighed(r.AddScore)
	}
	switch paid := paidAt.In(shanghai).Format("2006-01"); {
	case paid > month:
		return r.Weighed(r.Bands[len(r.Bands)-1].Score)
	case paid < month:
		return r.Weighed(r.Bands[0].Score)
	}
	day := paidAt.In(shanghai).Day()
	for _, b := range r.Bands {
		if day <= b.ToDay {
			return r.Weighed(b.Score)
		}
	}
	return r.Weighed(r.Bands[len(r.Bands)-1].Score)
}

// shanghai is kit.Shanghai; the model stands below kit.
var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// PointsEntry 积分明细, spec/records.md 59: one line of the append-only ledger, which is
// the truth of every ranking. The id is made of event, rule, subject and part, so that
// a repeated event adds nothing. OrgID and Orgs are the member's branch at the time, or
// the organisation itself.
type PointsEntry struct {
	Base       `bson:",inline"`
	Dimension  string    `bson:"dimension" json:"dimension"`
	SubjectID  string    `bson:"subjectId" json:"subjectId"` // member or organisation
	RuleID     string    `bson:"ruleId" json:"ruleId"`
	Item       string    `bson:"item" json:"item"`
	Score      int64     `bson:"score" json:"score"` // hundredths, negative when taken back
	EarnedAt   time.Time `bson:"earnedAt" json:"earnedAt"`
	Year       int       `bson:"year" json:"year"`             // of EarnedAt in Shanghai
	SourceType string    `bson:"sourceType" json:"sourceType"` // duesOrder, meeting
	SourceID   string    `bson:"sourceId" json:"sourceId"`
	Source     string    `bson:"source" json:"source"` // for people: 党费 2026-11
	EventID    string    `bson:"eventId" json:"-"`
	Reverses   string    `bson:"reverses,omitempty" json:"-"` // the entry that this one takes back
}

// PointsDay counts what one person got by one rule on one day, so that parallel events
// cannot pass the daily maximum together (PTS-11). Grants are kept by entry id: a
// repeated event is granted what it was granted before.
type PointsDay struct {
	Base   `bson:",inline"`
	Sum    int64            `bson:"sum"`
	Grants map[string]int64 `bson:"grants"`
}

// Grant gives as much of score as the day's maximum still allows to an entry.
func (d *PointsDay) Grant(entryID string, score, dailyMax int64) int64 {
	if given, ok := d.Grants[entryID]; ok {
		return given
	}
	score = min(score, max(dailyMax-d.Sum, 0))
	if d.Grants == nil {
		d.Grants = map[string]int64{}
	}
	d.Grants[entryID] = score
	d.Sum += score
	return score
}
