package points

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var itemLabels = map[string]string{
	model.ItemDues: "党费缴纳", model.ItemOfflineActivity: "线下活动", model.ItemOnlineStudy: "线上学习",
	model.ItemThreeMeetings: "三会一课", model.ItemOfflineQuality: "线下活动质量",
	model.ItemReward: "奖励", model.ItemSanction: "处分", model.ItemExam: "考核",
}

func ruleID(dimension, item string) string { return dimension + "." + item }

// duesBands are the default bands of payment (PTS-02).
const duesBands model.Bands = "10:5 20:3 31:1"

// defaultRules are the values that the manual leaves open (ambiguity A45).
func defaultRules() []*model.PointsRule {
	const personal, organisation = model.DimensionPersonal, model.DimensionOrganisation
	list := []*model.PointsRule{
		{Dimension: personal, Item: model.ItemDues, Condition: "按缴费日期：1–10日、11–20日、以后及逾期", Bands: duesBands, AddScore: "5"},
		{Dimension: personal, Item: model.ItemOfflineActivity, Condition: "参加线下活动并扫码签到", AddScore: "2", DailyMax: "10"},
		{Dimension: personal, Item: model.ItemOnlineStudy, Condition: "完成线上学习并确认", AddScore: "2", DailyMax: "10"},
		{Dimension: personal, Item: model.ItemExam, Condition: "参加考核并合格", AddScore: "3", DailyMax: "9"},
		{Dimension: personal, Item: model.ItemReward, Condition: "获得党内奖励", AddScore: "5"},
		{Dimension: personal, Item: model.ItemSanction, Condition: "受到党内处分", AddScore: "0", DeductScore: "10"},
		{Dimension: organisation, Item: model.ItemDues, Condition: "本支部党员缴纳党费，按缴费日期", Bands: duesBands, AddScore: "5"},
		{Dimension: organisation, Item: model.ItemThreeMeetings, Condition: "组织三会一课", AddScore: "5"},
		{Dimension: organisation, Item: model.ItemOfflineActivity, Condition: "以线下活动形式组织三会一课", AddScore: "3"},
		{Dimension: organisation, Item: model.ItemOnlineStudy, Condition: "以线上学习形式组织三会一课", AddScore: "2"},
		{Dimension: organisation, Item: model.ItemOfflineQuality, Condition: "线下活动每有一人扫码签到", AddScore: "0.1"},
	}
	for i, r := range list {
		r.ID, r.Weight, r.Enabled, r.SortNo = ruleID(r.Dimension, r.Item), "1", true, i+1
		if r.DeductScore == "" {
			r.DeductScore = "0"
		}
	}
	return list
}

// seedRules adds the default rules that are not there; what was changed stays.
func (s *Service) seedRules(ctx context.Context) error {
	for _, r := range defaultRules() {
		if err := s.rules.Insert(ctx, r); err != nil && !errors.Is(err, model.ErrDuplicate) {
			return err
		}
	}
	return nil
}

// rule returns a rule that counts now, nil when it is not enabled (PTS-04).
func (s *Service) rule(ctx context.Context, id string) (*model.PointsRule, error) {
	r, err := s.rules.Get(ctx, model.Everything, id)
	if errors.Is(err, model.ErrNotFound) || err == nil && !r.Enabled {
		return nil, nil
	}
	return r, err
}

// Save refuses a lower admin in the manual's words (PTS-07).
func (s *Service) Save(ctx context.Context, req *recordsgen.SaveReq) (*recordsgen.JSON, error) {
	if c := kit.CallerOf(ctx); c.Kind == kit.User && !c.TopLevel && req.Type == ruleType {
		return nil, kit.Forbidden("top_level_only", "只有最高级管理员可以修改")
	}
	return s.Engine.Save(ctx, req)
}

const ruleType = "pointsRule"

// checkRule refuses values that no event could be judged by (PTS-03, PTS-06).
func checkRule(ctx context.Context, _, r *model.PointsRule) error {
	if r.OrgID == "" { // seeded before there was an organisation
		c := kit.CallerOf(ctx)
		r.OrgID, r.Orgs = c.OrgID, c.Orgs
	}
	wrong := map[string]string{}
	for key, d := range map[string]model.Decimal{
		"addScore": r.AddScore, "deductScore": r.DeductScore, "dailyMax": r.DailyMax, "weight": r.Weight,
	} {
		if _, ok := d.Hundredths(); !ok {
			wrong[key] = "请填写不小于0的数字，最多两位小数"
		}
	}
	if _, ok := r.Bands.Parse(); !ok {
		wrong["bands"] = "分档应为“截止日:分值”，日期递增到31，如 10:5 20:3 31:1"
	} else if r.Item != model.ItemDues && r.Bands != "" {
		wrong["bands"] = "只有党费缴纳按日期分档"
	}
	add, ok := r.AddScore.Hundredths()
	if limit := r.Max(); ok && limit > 0 && limit < add {
		wrong["dailyMax"] = "当天最大分值不能小于加分"
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	return nil
}

// newEngine declares the record types: the rules, seen by every admin and changed by the
// top level's; and the ledger, to read.
func (s *Service) newEngine(ctx context.Context) (*records.Engine, error) {
	return records.New(ctx, records.Config{
		DB: s.d.DB, Clock: s.d.Clock, Orgs: records.Party{Client: s.d.Party}, Blobs: s.d.Blobs, Beside: []*mongo.Collection{s.days.Mongo()},
	}, &records.Type[*model.PointsRule]{
		Name: ruleType, Title: "积分配置", Menu: "积分", Icon: "medal", Section: "13.2", Collection: s.rules,
		Global: true, NoCreate: true, NoDelete: true, NoExport: true, DefaultSort: "sortNo",
		BeforeSave: checkRule,
		NameOf:     func(r *model.PointsRule) string { return itemLabels[r.Item] },
	}, s.entryType())
}

// entryType is the ledger as lists below a person or an organisation show it; the page of
// 积分排行 has a use case of its own.
func (s *Service) entryType() *records.Type[*model.PointsEntry] {
	var items []records.Option
	for _, r := range defaultRules() {
		if o := (records.Option{Value: r.Item, Label: itemLabels[r.Item]}); !slices.Contains(items, o) {
			items = append(items, o)
		}
	}
	return &records.Type[*model.PointsEntry]{
		Name: "points", Title: "积分明细", Menu: "积分", Icon: "ranking", Section: "13.1", Collection: s.entries, SharedIndexes: true, Quiet: true,
		NoCreate: true, NoUpdate: true, NoDelete: true, NoExport: true, DefaultSort: "-earnedAt",
		Fields: []records.Field{
			{Key: "item", Label: "评分项", Options: items, List: true, Search: true},
			{Key: "source", Label: "来源", List: true},
			{Key: "score", Label: "积分", Type: "string", List: true},
			{Key: "earnedAt", Label: "时间", Type: "datetime", List: true, Search: true, Sort: true},
		},
		Filter: func(_ context.Context, key, value string) (bson.D, bool, error) {
			return bson.D{{Key: "subjectId", Value: value}}, key == "subjectId", nil
		},
		Present: func(_ context.Context, docs []*model.PointsEntry, rows []records.Row) error {
			for i, e := range docs {
				rows[i]["score"] = strconv.FormatFloat(float64(e.Score)/100, 'f', -1, 64)
			}
			return nil
		},
	}
}
