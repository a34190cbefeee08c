package learning

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// The verbs that show a category or tag to readers as a column (栏目), and no longer.
const (
	verbAddColumn  = "addColumn"
	verbDropColumn = "dropColumn"
)

// withColumn lets the top-level admin show one of the names to readers as a column of its own (添加栏目, 删除栏目;
// manual 10.5.2.5, 10.5.2.6, 10.6.3.5, 10.6.3.6).
func withColumn(t *records.Type[*model.Category], where string) *records.Type[*model.Category] {
	t.Fields = append(t.Fields, records.Field{Key: "hasColumn", Label: "栏目", Type: "bool", ReadOnly: true, List: true, After: "name"})
	set := func(on bool) func(context.Context, *model.Category, records.Input) error {
		return func(_ context.Context, c *model.Category, _ records.Input) error { c.HasColumn = on; return nil }
	}
	t.Actions = []records.Action[*model.Category]{
		{Key: verbAddColumn, Title: "添加栏目", Confirm: "添加后将在" + where + "显示，确定添加栏目吗？", Do: set(true)},
		{Key: verbDropColumn, Title: "删除栏目", Confirm: "删除后将不在" + where + "显示，确定删除栏目吗？", Do: set(false)},
	}
	t.Life = &records.Life[*model.Category]{Verbs: []records.Verb[*model.Category]{
		{Key: verbAddColumn, If: unless(true, "该栏目已添加")}, {Key: verbDropColumn, If: unless(false, "该栏目未添加")},
	}}
	return t
}

// unless refuses a verb to those that have a column, or to those that have none.
func unless(has bool, message string) func(*kit.Caller, *model.Category, time.Time) *kit.Error {
	return func(_ *kit.Caller, c *model.Category, _ time.Time) *kit.Error {
		if c.HasColumn == has {
			return kit.Conflict("category.column", "%s", message)
		}
		return nil
	}
}

// shown are the categories or tags that have a column.
var shown = bson.D{{Key: "hasColumn", Value: true}}

// knowledgeTagType is 知识标签 (spec/records.md 50, manual 10.6.3): members see those with a column, in 大家搜.
func (s *Service) knowledgeTagType() *records.Type[*model.Category] {
	t := withColumn(s.sorted(sorting{"knowledgeTag", "知识标签", "标签", "10.6.3", s.knowledge.Untyped(), "tagIds", "知识数", "知识", "articles"}), "手机端知识库大家搜")
	t.Own.Where = func(*kit.Caller) bson.D { return shown }
	return t
}

// topicCategoryType is 专题分类 (spec/records.md 47, manual 10.5.2): with a picture for the phone and one for the portal,
// which shows those with a column; they are not deleted before it.
func (s *Service) topicCategoryType() *records.Type[*model.Category] {
	t := withColumn(s.sorted(sorting{topicCategoryName, "专题分类", "分类", "10.5.2", s.topics.Untyped(), "categoryId", "专题数", "专题", "topics"}), "门户网站")
	t.Fields = append(t.Fields,
		records.Field{Key: "smallIcon", Label: "小图标", Type: "image", Required: true, Form: true, List: true, Help: "在手机端显示"},
		records.Field{Key: "largeIcon", Label: "大图标", Type: "image", Required: true, Form: true, List: true, Help: "在门户网站显示"},
	)
	t.Own.Fields = append(t.Own.Fields, "smallIcon")
	t.Life.Verbs = append(t.Life.Verbs, records.Verb[*model.Category]{Key: "delete", If: unless(true, "该分类已添加栏目，不可删除")})
	return t
}
