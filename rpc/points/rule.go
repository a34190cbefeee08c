package points

import (
	"context"
	"errors"

	"zhihuidangjian/model"
)

var itemLabels = map[string]string{
	model.ItemDues: "党费缴纳", model.ItemOfflineActivity: "线下活动", model.ItemOnlineStudy: "线上学习",
	model.ItemThreeMeetings: "三会一课", model.ItemOfflineQuality: "线下活动质量",
	model.ItemReward: "奖励", model.ItemSanction: "处分", model.ItemExam: "考核",
}

func ruleID(dimension, item string) string { return dimension + "." + item }

// duesBands are the default bands of payment (PTS-02): the 1st to the 10th, the 11th to
// the 20th, later.
var duesBands = []model.Band{{ToDay: 10, Score: 500}, {ToDay: 20, Score: 300}, {ToDay: 31, Score: 100}}

// defaultRules are the values that the manual leaves open (ambiguity A45).
func defaultRules() []*model.PointsRule {
	const personal, organisation = model.DimensionPersonal, model.DimensionOrganisation
	list := []*model.PointsRule{
		{Dimension: personal, Item: model.ItemDues, Condition: "每月1–10日缴纳得5分，11–20日得3分，以后及逾期得1分", Bands: duesBands, AddScore: 500},
		{Dimension: personal, Item: model.ItemOfflineActivity, Condition: "参加线下活动并扫码签到", AddScore: 200, DailyMax: 1000},
		{Dimension: personal, Item: model.ItemOnlineStudy, Condition: "完成线上学习并确认", AddScore: 200, DailyMax: 1000},
		{Dimension: personal, Item: model.ItemExam, Condition: "参加考核并合格", AddScore: 300, DailyMax: 900},
		{Dimension: personal, Item: model.ItemReward, Condition: "获得党内奖励", AddScore: 500},
		{Dimension: personal, Item: model.ItemSanction, Condition: "受到党内处分", DeductScore: 1000},
		{Dimension: organisation, Item: model.ItemDues, Condition: "本支部党员缴纳党费，每月1–10日得5分，11–20日得3分，以后及逾期得1分", Bands: duesBands, AddScore: 500},
		{Dimension: organisation, Item: model.ItemThreeMeetings, Condition: "组织三会一课", AddScore: 500},
		{Dimension: organisation, Item: model.ItemOfflineActivity, Condition: "以线下活动形式组织三会一课", AddScore: 300},
		{Dimension: organisation, Item: model.ItemOnlineStudy, Condition: "以线上学习形式组织三会一课", AddScore: 200},
		{Dimension: organisation, Item: model.ItemOfflineQuality, Condition: "线下活动每有一人扫码签到", AddScore: 10},
	}
	for i, r := range list {
		r.ID, r.Weight, r.Enabled, r.SortNo = ruleID(r.Dimension, r.Item), 100, true, i+1
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
func (s *Service) rule(ctx context.Context, dimension, item string) (*model.PointsRule, error) {
	r, err := s.rules.Get(ctx, model.Everything, ruleID(dimension, item))
	if errors.Is(err, model.ErrNotFound) || err == nil && !r.Enabled {
		return nil, nil
	}
	return r, err
}
