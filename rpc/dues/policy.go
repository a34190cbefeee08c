package dues

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// rounding is how many fen a policy rounds to.
var rounding = map[string]int64{model.RoundFen: 1, model.RoundJiao: 10, model.RoundYuan: 100}

// roundings are the policies in words, on orders and receipts.
var roundings = records.OptionLabels[model.DuesPolicy]()

// policyType is 取整规则 (PLUS-13). A change computes the bases below anew; what was ordered before
// keeps its amount and the policy that it names.
func (s *Service) policyType() *records.Type[*model.DuesPolicy] {
	return &records.Type[*model.DuesPolicy]{
		Name: "duesPolicy", Title: "取整规则", Menu: "党费", Icon: "money", Section: "7.2.1", Collection: s.policies,
		Fields: []records.Field{
			{Key: "orgId", Label: "党组织", Ref: "organization", Required: true, List: true, Form: true, Search: true, Fixed: true, After: records.First, Width: 200,
				Help: "对该组织及其下级有效；下级另有规则的从其规则，都没有的到分"},
		},
		Unique: []records.Unique{{Keys: []string{"orgId"}, Field: "orgId", Message: "该组织已有取整规则"}},
		NameOf: func(p *model.DuesPolicy) string { return roundings("rounding", p.Rounding) },
		Follow: func(ctx context.Context, p *model.DuesPolicy) error { return s.roundAnew(ctx, p.OrgID) },
	}
}

// policyOf is the rounding of an organisation, whose path from the root is given: that of the nearest
// one that has a policy; to the fen where none has.
func (s *Service) policyOf(ctx context.Context, path []string) (string, error) {
	if len(path) == 0 {
		return model.RoundFen, nil
	}
	list, err := s.policies.Find(ctx, model.Everything, bson.D{{Key: "orgId", Value: bson.D{{Key: "$in", Value: path}}}}, model.Page{})
	if err != nil {
		return "", err
	}
	best, deep := model.RoundFen, 0
	for _, p := range list {
		if len(p.Orgs) > deep {
			best, deep = p.Rounding, len(p.Orgs)
		}
	}
	return best, nil
}

// roundAnew computes what the bases below an organisation make payable by the policies as they are
// now. It may be killed anywhere, and repeated: a base that is right is left alone.
func (s *Service) roundAnew(ctx context.Context, orgID string) error {
	policies := map[string]string{}
	return s.bases.Each(ctx, model.Within(orgID), nil, model.Page{Sort: bson.D{{Key: "_id", Value: 1}}}, func(b *model.DuesBase) error {
		by, ok := policies[b.OrgID]
		if !ok {
			var err error
			if by, err = s.policyOf(ctx, b.Orgs); err != nil {
				return err
			}
			policies[b.OrgID] = by
		}
		if b.Rate == 0 || b.RoundedBy() == by {
			return nil
		}
		_, err := s.bases.Update(ctx, model.Everything, b.ID, func(b *model.DuesBase) error {
			open := *b
			if err := s.d.Seal.Disclose(&open); err != nil {
				return err
			}
			_, b.PayableAmount = payable(b.EffectiveMonth, b.Category, open.BaseAmount.Fen(), by)
			b.Rounding = by
			return nil
		})
		if errors.Is(err, model.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("base %s: %w", b.ID, err)
		}
		if err := s.refreshOf(ctx, b.MemberID); err != nil && !errors.Is(err, kit.ErrNotFound) {
			return err
		}
		return nil
	})
}
