package party

import (
	"cmp"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
)

// GetMap returns an organisation and those right below it with their coordinates; the
// ones without are listed all the same.
func (s *Service) GetMap(ctx context.Context, req *party.OrgReq) (*party.OrgMap, error) {
	o, err := s.scope(ctx, req.OrgId)
	if err != nil {
		return nil, err
	}
	below, err := s.orgs.Find(ctx, model.Within(o.ID), bson.D{{Key: "parentId", Value: o.ID}}, model.Page{})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(below, func(a, b *model.Organization) int {
		return cmp.Or(cmp.Compare(a.SortNo, b.SortNo), cmp.Compare(a.ID, b.ID))
	})
	out := &party.OrgMap{Center: place(o), Tiles: s.d.MapTiles}
	if o.Longitude == "" {
		out.Message = "该组织未设置位置信息"
	}
	for _, b := range below {
		out.Children = append(out.Children, place(b))
	}
	return out, nil
}

func place(o *model.Organization) *party.Place {
	return &party.Place{
		Id: o.ID, OrgName: o.OrgName, OrgType: o.OrgType, Icon: icon(o.OrgType), Secretary: o.Secretary, SecretaryPhone: o.SecretaryPhone,
		ContactName: o.ContactName, ContactPhone: o.ContactPhone, Address: o.Address, Longitude: o.Longitude, Latitude: o.Latitude,
	}
}
