package learning

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/learning"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// mostListed bounds the topics that the portal lists of a column.
const mostListed = 20

// GetPortalColumns are the categories that have a column, in sort order, with their newest topics (manual 10.5.2.5).
func (s *Service) GetPortalColumns(ctx context.Context, _ *recordsgen.Empty) (*gen.PortalColumns, error) {
	list, err := s.topicCategories.Find(ctx, model.Everything, shown, model.Page{Sort: bson.D{{Key: "sortNo", Value: 1}, {Key: "_id", Value: 1}}})
	if err != nil {
		return nil, err
	}
	out := &gen.PortalColumns{}
	for _, c := range list {
		topics, total, err := s.topics.FindPage(ctx, model.Everything, bson.D{{Key: "categoryId", Value: c.ID}}, model.Page{Limit: mostListed})
		if err != nil {
			return nil, err
		}
		col := &gen.PortalColumn{Id: c.ID, Name: c.Name, Total: total}
		if len(c.LargeIcon) > 0 {
			col.Icon = c.LargeIcon[0].ID
		}
		if col.Topics, err = s.forPortal(ctx, topics); err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, col)
	}
	return out, nil
}

func (s *Service) forPortal(ctx context.Context, topics []*model.Article) ([]*gen.PortalTopic, error) {
	var orgs []string
	for _, a := range topics {
		orgs = append(orgs, a.OrgID)
	}
	names, err := records.Party{Client: s.d.Party}.OrgNames(ctx, orgs)
	out := make([]*gen.PortalTopic, len(topics))
	for i, a := range topics {
		out[i] = &gen.PortalTopic{Id: a.ID, Title: a.Title, OrgName: names[a.OrgID], PublishedAt: a.PublishedAt.UnixMilli()}
	}
	return out, err
}

// onPortal is a topic and its category, which has a column; kit.ErrNotFound for any other.
func (s *Service) onPortal(ctx context.Context, id string) (*model.Article, *model.Category, error) {
	a, err := s.topics.Get(ctx, model.Everything, id)
	if err != nil {
		return nil, nil, records.Mapped(err)
	}
	c, err := s.topicCategories.Get(ctx, model.Everything, a.CategoryID)
	if err != nil {
		return nil, nil, records.Mapped(err)
	}
	if !c.HasColumn {
		return nil, nil, kit.ErrNotFound
	}
	return a, c, nil
}

// GetPortalTopic is a topic of a category that has a column; kit.ErrNotFound for any other.
func (s *Service) GetPortalTopic(ctx context.Context, req *gen.TopicReq) (*gen.PortalText, error) {
	a, c, err := s.onPortal(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	topics, err := s.forPortal(ctx, []*model.Article{a})
	if err != nil {
		return nil, err
	}
	out := &gen.PortalText{Topic: topics[0], Category: c.Name, Content: records.ForPortal(a.Content, topicName, a.ID)}
	for _, f := range a.Files {
		out.Files = append(out.Files, &gen.PortalFile{Id: f.ID, Name: f.Name})
	}
	return out, nil
}

// FindPortalFile answers for the large picture of a column, and for what a topic in one shows; kit.ErrNotFound for
// any other file, the small picture too, which is for the phone.
func (s *Service) FindPortalFile(ctx context.Context, req *gen.PortalFileReq) (*recordsgen.Empty, error) {
	var files []model.File
	switch req.Type {
	case topicCategoryName:
		c, err := s.topicCategories.Get(ctx, model.Everything, req.Id)
		if err != nil {
			return nil, records.Mapped(err)
		}
		if c.HasColumn {
			files = c.LargeIcon
		}
	case topicName:
		a, _, err := s.onPortal(ctx, req.Id)
		if err != nil {
			return nil, err
		}
		if strings.Contains(records.ForPortal(a.Content, topicName, a.ID), "/files/"+req.FileId+"?") {
			return &recordsgen.Empty{}, nil
		}
		files = append(files, a.Cover...)
		files = append(files, a.Files...)
	}
	for _, f := range files {
		if f.ID == req.FileId {
			return &recordsgen.Empty{}, nil
		}
	}
	return nil, kit.ErrNotFound
}
