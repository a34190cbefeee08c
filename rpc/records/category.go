package records

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Categories declares a kind of category or tag: unique names, defaults that cannot be
// deleted, written by the top-level admin only, seen by everybody; one that is in use
// cannot be deleted (COMM-08 and the 分类 and 标签 pages of the manual). Fields refer to it by
// ref=<name>, so that a new name is seen everywhere at once.
func Categories(db *mongo.Database, clock *kit.Clock, name, title, menu, section string, defaults ...string) *Type[*model.Category] {
	c := model.NewCollection[*model.Category](db, name, clock.Now)
	return &Type[*model.Category]{
		Name: name, Title: title, Menu: menu, Icon: "tag", Section: section, Collection: c, Global: true, Open: true, NameKey: "name", DefaultSort: "sortNo",
		Indexes: []model.Index{{Keys: bson.D{{Key: "sortNo", Value: 1}, {Key: "_id", Value: 1}}}},
		Fields:  []Field{{Key: "sortNo", Label: "排序", Type: "int", Form: true, List: true, Sort: true, Max: 9999}},
		Unique:  []Unique{{Keys: []string{"name"}, Field: "name", Message: "该名称已存在"}},
		Own: &Own[*model.Category]{ // members choose from them too
			Where: func(*kit.Caller) bson.D { return nil }, Fields: []string{"name"},
		},
		BeforeDelete: func(_ context.Context, d *model.Category) error {
			if d.Default {
				return kit.Conflict("category.default", "系统默认的%s不能删除", title)
			}
			return nil
		},
		Ready: func(ctx context.Context) error {
			for i, d := range defaults {
				doc := &model.Category{Base: model.Base{ID: kit.KeyID(name, d)}, Name: d, SortNo: i + 1, Default: true}
				if err := c.Insert(ctx, doc); err != nil && !errors.Is(err, model.ErrDuplicate) {
					return err
				}
			}
			return nil
		},
	}
}
