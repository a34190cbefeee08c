package model

import (
	"strconv"
	"strings"
	"time"
)

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

// Decimal is a number of at most two decimals as people write it, e.g. 5 or 0.25.
type Decimal string

// Hundredths is the number times 100; false for a negative one or none at all. The
// empty Decimal is 0.
func (d Decimal) Hundredths() (int64, bool) {
	whole, part, _ := strings.Cut(string(d), ".")
	if d == "" {
		return 0, true
	}
	if whole == "" || len(whole) > 7 || len(part) > 2 || strings.HasSuffix(string(d), ".") {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+part+strings.Repeat("0", 2-len(part)), 10, 63)
	return int64(n), err == nil
}

// Bands gives the score of a payment by its day of the month: "10:5 20:3 31:1" is 5 up
// to the 10th, 3 up to the 20th, 1 later.
type Bands string

// Band is one of them; its score is hundredths.
type Band struct {
	ToDay int
	Score int64
}

// Parse returns the bands in order; false unless days ascend to the 31st.
func (b Bands) Parse() ([]Band, bool) {
	var out []Band
	for word := range strings.FieldsSeq(string(b)) {
		day, score, _ := strings.Cut(word, ":")
		n, err := strconv.Atoi(day)
		hundredths, ok := Decimal(score).Hundredths()
		if err != nil || !ok || score == "" || n < 1 || len(out) > 0 && n <= out[len(out)-1].ToDay {
			return nil, false
		}
		out = append(out, Band{n, hundredths})
	}
	return out, len(out) == 0 || out[len(out)-1].ToDay == 31
}

// PointsRule 积分分值, spec/records.md 58. The id is dimension and item: "personal.dues".
type PointsRule struct {
	Base        `bson:",inline"`
	Dimension   string  `bson:"dimension" json:"dimension" record:"label=积分类型,options=personal:个人积分|organisation:组织积分,list,search,readonly"`
	Item        string  `bson:"item" json:"item" record:"label=评分项,options=dues:党费缴纳|offlineActivity:线下活动|onlineStudy:线上学习|threeMeetingsOneLesson:三会一课|offlineQuality:线下活动质量|reward:奖励|sanction:处分|exam:考核,list,search,readonly"`
	Condition   string  `bson:"condition" json:"condition" record:"label=判定条件,max=200,list,width=260"`
	Bands       Bands   `bson:"bands,omitempty" json:"bands" record:"label=缴费日期分档,max=200,help=截止日:分值，以空格分开，如 10:5 20:3 31:1；逾期按最后一档"`
	AddScore    Decimal `bson:"addScore" json:"addScore" record:"label=加分,required,list"`
	DeductScore Decimal `bson:"deductScore" json:"deductScore" record:"label=减分,list"`
	DailyMax    Decimal `bson:"dailyMax" json:"dailyMax" record:"label=当天最大分值,list,help=留空为不限"`
	Weight      Decimal `bson:"weight" json:"weight" record:"label=权重,required,list"`
	Enabled     bool    `bson:"enabled" json:"enabled" record:"label=启用,list,search"`
	SortNo      int     `bson:"sortNo" json:"sortNo" record:"label=序号,readonly,sort"`
}

// hundredths of what was checked when it was saved.
func hundredths(d Decimal) int64 {
	n, _ := d.Hundredths()
	return n
}

// weighed is a score times the weight, half a hundredth rounded up.
func (r *PointsRule) weighed(score int64) int64 { return (score*hundredths(r.Weight) + 50) / 100 }

// Score is what a share earns, or with negative units loses, in hundredths. A rule with bands
// judges what was due for a month by the day of payment (PTS-02): paid after the month's end
// it earns the last band, paid ahead the first.
func (r *PointsRule) Score(units int, due string, at time.Time) int64 {
	if units < 0 {
		return int64(units) * r.weighed(hundredths(r.DeductScore))
	}
	return int64(units) * r.weighed(r.added(due, at))
}

// added is what one unit adds before its weight.
func (r *PointsRule) added(due string, at time.Time) int64 {
	bands, ok := r.Bands.Parse()
	if due == "" || !ok || len(bands) == 0 {
		return hundredths(r.AddScore)
	}
	day := at.In(shanghai).Day()
	switch month := at.In(shanghai).Format("2006-01"); {
	case month > due:
		day = 31
	case month < due:
		day = 1
	}
	for _, b := range bands {
		if day <= b.ToDay {
			return b.Score
		}
	}
	return bands[len(bands)-1].Score // Parse sees to it that they reach the 31st
}

// Max is what one person may earn on one day, in hundredths; 0 is no limit.
func (r *PointsRule) Max() int64 { return hundredths(r.DailyMax) }

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
	SourceType string    `bson:"sourceType" json:"sourceType"` // of Earned
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
