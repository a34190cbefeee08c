package dues

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// reductionType is 党费减免 (spec/records.md 28, manual 7.4): months for which a member in real
// difficulty pays less, or nothing (中组发〔2008〕3号: the branch studies it, the committee above
// approves).
func (s *Service) reductionType(people records.People) *records.Type[*model.DuesReduction] {
	return &records.Type[*model.DuesReduction]{
		Name: "duesReduction", Title: "党费减免", Menu: "党费", Icon: "reduction", Section: "7.4", Collection: s.reductions,
		NoDelete: true, NoExport: true,
		Parts: []records.Part{records.AboutMember(people)},
		Fields: []records.Field{
			{Key: "reductionAmount", Label: "每月减免金额", Type: "money", List: true, Form: true, Max: maxBase, After: "reductionType",
				ShowIf: &records.ShowIf{Field: "reductionType", In: []string{model.ReductionReduce}}},
			{Key: "month", Label: "月份", Type: "month", Virtual: true, Search: true},
		},
		NameOf: func(r *model.DuesReduction) string { return r.FromMonth + "至" + r.ToMonth },
		Filter: func(_ context.Context, key, value string) (bson.D, bool, error) {
			if key != "month" {
				return nil, false, nil
			}
			if !validMonth(value) {
				return nil, false, kit.Invalid("filter.invalid", "月份应为年月，如2024-07")
			}
			return bson.D{{Key: "fromMonth", Value: bson.D{{Key: "$lte", Value: value}}}, {Key: "toMonth", Value: bson.D{{Key: "$gte", Value: value}}}}, true, nil
		},
		Unique:     []records.Unique{{Keys: []string{"memberId", "fromMonth"}, Field: "fromMonth", Message: "该月份已有党费减免"}},
		BeforeSave: s.checkReduction,
		Follow:     func(ctx context.Context, r *model.DuesReduction) error { return s.refreshOf(ctx, r.MemberID) },
	}
}

// checkReduction holds the rules of a reduction (DRED-02, DRED-04): its months in order, none of
// them paid or reduced already, and no more than is payable.
func (s *Service) checkReduction(ctx context.Context, old, r *model.DuesReduction) error {
	wrong := map[string]string{}
	switch {
	case r.ToMonth < r.FromMonth:
		wrong["toMonth"] = "减免截止月份不能早于起始月份"
	case r.ToMonth > kit.AddMonths(r.FromMonth, maxMonths-1):
		wrong["toMonth"] = "一次最多减免60个月"
	}
	if r.ReductionType == model.ReductionExempt {
		r.ReductionAmount = 0
	} else if r.ReductionAmount <= 0 {
		wrong["reductionAmount"] = "请填写每月减免金额"
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	m, err := s.member(ctx, r.MemberID)
	if err != nil {
		return err
	}
	if err := pays(m); err != nil {
		return err
	}
	a, err := s.account(ctx, m)
	if err != nil {
		return err
	}
	if r.FromMonth <= a.paidThrough && (old == nil || old.FromMonth != r.FromMonth || old.ToMonth != r.ToMonth || old.ReductionType != r.ReductionType || old.ReductionAmount != r.ReductionAmount) {
		wrong["fromMonth"] = r.FromMonth + "的党费已缴纳，不能减免"
	}
	for _, o := range a.reductions {
		if o.ID != r.ID && o.FromMonth <= r.ToMonth && r.FromMonth <= o.ToMonth {
			wrong["fromMonth"] = "与" + o.FromMonth + "至" + o.ToMonth + "的党费减免重叠"
		}
	}
	if r.ReductionType == model.ReductionReduce {
		for _, month := range months(r.FromMonth, r.ToMonth) {
			switch b := a.base(month); {
			case b == nil:
				wrong["memberId"] = errNoBase.Message
			case r.ReductionAmount > b.PayableAmount:
				wrong["reductionAmount"] = "减免金额不能超过" + month + "的应缴金额" + kit.Yuan(b.PayableAmount) + "元"
			}
		}
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	return nil
}
