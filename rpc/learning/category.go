package learning

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// sorting is a kind of names that the top-level admin keeps, by which records of one type are sorted: 试题分类,
// 试题标签, 专题分类, 知识分类, 知识标签 and 视频分类 (manual 10.3.2, 10.3.3, 10.5.2, 10.6.2, 10.6.3, 10.7.2).
type sorting struct {
	name, title, noun, section string
	of                         *model.Collection[model.Document] // what is sorted by it,
	field                      string                            // by this field,
	counted, held              string                            // called so in the list, and where a deletion is refused
	key                        string                            // of the column that counts it
}

// videoCategoryType is 视频分类 (spec/records.md 52, manual 10.7.2): kept by any admin with the permission (A29).
func (s *Service) videoCategoryType() *records.Type[*model.Category] {
	t := s.sorted(sorting{"videoCategory", "视频分类", "分类", "10.7.2", s.videos.Untyped(), "categoryId", "视频数", "视频", "videos"})
	t.Anyone = true
	return t
}

func (s *Service) sorted(x sorting) *records.Type[*model.Category] {
	t := records.Categories(s.d.DB, s.d.Clock, x.name, x.title, "学习教育", x.section)
	t.Fields = append(t.Fields,
		records.Field{Key: "name", Label: x.noun + "名称", Required: true, List: true, Form: true, Search: true, Keyword: true, Max: 50},
		records.Field{Key: x.key, Label: x.counted, Type: "int", Virtual: true, ReadOnly: true, List: true, After: "sortNo"},
		records.Field{Key: "default", Label: "系统默认", Type: "bool", ReadOnly: true}, // there are none
		records.Field{Key: "createdAt", Label: "创建时间", Type: "datetime", ReadOnly: true, List: true},
	)
	t.Unique = []records.Unique{{Keys: []string{"name"}, Field: "name", Message: x.noun + "名称不可重复"}}
	t.DefaultSort = ""
	t.BeforeDelete = func(ctx context.Context, c *model.Category) error {
		n, err := x.of.Count(ctx, model.Everything, bson.D{{Key: x.field, Value: c.ID}})
		if err == nil && n > 0 {
			return kit.Conflict("category.used", "该%s下含有%s，不允许删除", x.noun, x.held)
		}
		return err
	}
	t.Present = func(ctx context.Context, docs []*model.Category, rows []records.Row) error {
		counts, err := x.count(ctx, docs)
		for i, c := range docs {
			rows[i][x.key] = counts[c.ID]
		}
		return err
	}
	return t
}

// count is how many records each of some categories or tags has.
func (x sorting) count(ctx context.Context, docs []*model.Category) (map[string]int, error) {
	ids := bson.A{}
	for _, c := range docs {
		ids = append(ids, c.ID)
	}
	of := bson.D{{Key: "deleted", Value: false}, {Key: x.field, Value: bson.D{{Key: "$in", Value: ids}}}}
	cur, err := x.of.Mongo().Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: of}}, {{Key: "$unwind", Value: "$" + x.field}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$" + x.field}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
	})
	if err != nil {
		return nil, fmt.Errorf("count by %s: %w", x.name, err)
	}
	var list []struct {
		ID string `bson:"_id"`
		N  int    `bson:"n"`
	}
	if err := cur.All(ctx, &list); err != nil {
		return nil, fmt.Errorf("count by %s: %w", x.name, err)
	}
	out := map[string]int{}
	for _, l := range list {
		out[l.ID] = l.N
	}
	return out, nil
}
