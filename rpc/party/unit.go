package party

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var errUnitMembers = kit.Conflict("unit.members", "该单位存在党员，不允许删除")

// unitType is 组织单位 (spec/records.md 2).
func (s *Service) unitType() *records.Type[*model.Unit] {
	return &records.Type[*model.Unit]{
		Name: "unit", Title: "组织单位", Menu: "组织管理", Icon: "unit", Section: "5.2", Collection: s.units, NameKey: "unitName",
		Fields: []records.Field{
			{Key: "orgId", Label: "所属党组织", Ref: "organization", Required: true, List: true, Form: true, After: "unitNature", Width: 180},
			{Key: "memberCount", Label: "党员数", Type: "int", List: true, Virtual: true, After: "orgForm"},
			{Key: "noMembers", Label: "显示无党员的单位", Type: "bool", Search: true, Virtual: true},
		},
		Unique: []records.Unique{{Keys: []string{"orgId", "unitName"}, Field: "unitName", Message: "该组织下已有同名单位"}},
		// The headers that UNIT-07 and UNIT-10 name.
		Columns: []string{"unitName", "unitNature", "orgId", "orgForm"},
		Exports: []string{"unitName", "unitNature", "orgId", "orgForm", "memberCount"},
		BeforeSave: func(_ context.Context, _, u *model.Unit) error {
			if n := len(u.UnitCode); n != 0 && n != 18 {
				return kit.InvalidFields(map[string]string{"unitCode": "统一社会信用代码应为18位"})
			}
			return nil
		},
		BeforeDelete: func(ctx context.Context, u *model.Unit) error {
			n, err := s.countBy(ctx, "unitId", bson.D{{Key: "unitId", Value: u.ID}})
			if err == nil && n[u.ID] > 0 {
				err = errUnitMembers
			}
			return err
		},
		Filter: func(ctx context.Context, key, value string) (bson.D, bool, error) {
			if key != "noMembers" {
				return nil, false, nil
			}
			if value != "true" {
				return nil, true, nil
			}
			counts, err := s.countBy(ctx, "unitId", bson.D{{Key: "unitId", Value: bson.D{{Key: "$gt", Value: ""}}}})
			used := make(bson.A, 0, len(counts))
			for id := range counts {
				used = append(used, id)
			}
			return bson.D{{Key: "_id", Value: bson.D{{Key: "$nin", Value: used}}}}, true, err
		},
		Present: func(ctx context.Context, docs []*model.Unit, rows []records.Row) error {
			ids := make(bson.A, len(docs))
			for i, d := range docs {
				ids[i] = d.ID
			}
			counts, err := s.countBy(ctx, "unitId", bson.D{{Key: "unitId", Value: bson.D{{Key: "$in", Value: ids}}}, ofParty})
			for i, d := range docs {
				rows[i]["memberCount"] = counts[d.ID]
			}
			return err
		},
	}
}
