package party

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
)

var _ records.People = (*Service)(nil)

// Place implements records.People.
func (s *Service) Place(ctx context.Context, memberID string) (string, []string, error) {
	m, err := s.members.Get(ctx, model.Everything, memberID)
	if err != nil {
		return "", nil, err
	}
	return m.OrgID, m.Orgs, nil
}

// Identities implements records.People.
func (s *Service) Identities(ctx context.Context, ids []string) (map[string]records.Identity, error) {
	members, err := s.byID(ctx, ids)
	out := make(map[string]records.Identity, len(members))
	for id, m := range members {
		out[id] = records.Identity{Masked: m.IDMasked, Sealed: m.IDNumber}
	}
	return out, err
}

// byID are members by id, those who left too.
func (s *Service) byID(ctx context.Context, ids []string) (map[string]*model.Member, error) {
	list, err := s.members.Find(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{})
	out := make(map[string]*model.Member, len(list))
	for _, m := range list {
		out[m.ID] = m
	}
	return out, err
}
