package learning

import (
	"context"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records"
)

// The names of the types that the portal shows.
const (
	topicName         = "topic"
	topicCategoryName = "topicCategory"
)

// articleType is what organisations publish for reading, by categories. On the phone, people read what their own
// organisation, those below it and their own committee published (A27), and search it.
func (s *Service) articleType(name, title, section string, c *model.Collection[*model.Article], party records.Party) *records.Type[*model.Article] {
	return &records.Type[*model.Article]{
		Name: name, Title: title, Menu: "学习教育", Section: section, Collection: c, NameKey: "title", NoExport: true, Also: party.Committee,
		Fields: []records.Field{
			{Key: "categoryId", Label: "分类", Ref: name + "Category", Required: true, List: true, Search: true, Form: true, After: "title"},
			{Key: "orgId", Label: "发布组织", Ref: "organization", List: true, ReadOnly: true, After: "categoryId", Width: 150},
		},
		Indexes: []model.Index{
			{Keys: bson.D{{Key: "categoryId", Value: 1}}},
			{Keys: bson.D{{Key: "orgId", Value: 1}, {Key: "deleted", Value: 1}, {Key: "_id", Value: -1}}},
		},
		Own: &records.Own[*model.Article]{
			Place:  &records.Place{Page: "home", Also: "study", Title: title, Icon: name},
			Where:  func(*kit.Caller) bson.D { return nil }, // Also bounds him
			Fields: []string{"title", "categoryId", "orgId", "publishedAt", "content", "files"},
		},
		Keyword: func(_ context.Context, keyword string) []bson.D {
			return []bson.D{{{Key: "text", Value: records.Contains(searched(keyword))}}}
		},
		BeforeSave: func(_ context.Context, old, a *model.Article) error {
			if old == nil {
				a.PublishedAt = s.d.Clock.Now()
			}
			a.Text = searchedIn(a.Title, a.Content+a.Description)
			return nil
		},
	}
}

// knowledgeType is 知识 (spec/records.md 48, manual 10.6.1): seen by the admins of those who read it too, who change
// their own organisation's only.
func (s *Service) knowledgeType(party records.Party) *records.Type[*model.Article] {
	own := func(c *kit.Caller, a *model.Article, _ time.Time) *kit.Error {
		if c.OrgID != a.OrgID {
			return kit.Conflict("article.own", "只可修改或删除本组织添加的知识")
		}
		return nil
	}
	t := s.articleType("knowledge", "知识", "10.6.1", s.knowledge, party)
	t.Icon, t.Own.Place.Title = "notebook", "知识库"
	t.Only = []string{"title", "categoryId", "tagIds", "orgId", "content", "files", "publishedAt"}
	t.Fields = append(t.Fields, records.Field{Key: "tagIds", Label: "标签", Type: "refs", Ref: "knowledgeTag", List: true, Search: true, Form: true, After: "categoryId"})
	t.Own.Fields = append(t.Own.Fields, "tagIds")
	t.Indexes = append(t.Indexes, model.Index{Keys: bson.D{{Key: "tagIds", Value: 1}}})
	t.Life = &records.Life[*model.Article]{Verbs: []records.Verb[*model.Article]{{Key: "update", If: own}, {Key: "delete", If: own}}}
	return t
}

// topicType is 专题 (spec/records.md 46, manual 10.5.1): in the console of its organisation and of those above.
func (s *Service) topicType(party records.Party) *records.Type[*model.Article] {
	t := s.articleType(topicName, "专题", "10.5.1", s.topics, party)
	t.Icon, t.Own.Place.Title = "document", "专题学习"
	t.Only = []string{"title", "categoryId", "orgId", "cover", "content", "files", "publishedAt"}
	t.Own.Fields = append(t.Own.Fields, "cover")
	t.Also = onPhones(party)
	return t
}

// onPhones lets members read their committee's too, and admins their own organisation's and those below it only.
func onPhones(party records.Party) func(context.Context, string) (string, error) {
	return func(ctx context.Context, orgID string) (string, error) {
		if kit.CallerOf(ctx).Kind == kit.User {
			return "", nil
		}
		return party.Committee(ctx, orgID)
	}
}

// searchedIn is an article as it is searched.
func searchedIn(title, content string) string {
	return searched(title) + "\n" + searched(records.PlainText(content))
}

// searched is the form in which texts are searched: in lower case and without blanks, which a bold word has beside it.
func searched(text string) string {
	return strings.Join(strings.Fields(strings.ToLower(normal.Text(text))), "")
}
