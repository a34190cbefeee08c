package party

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	party "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// GetOrganization returns one organisation with its path, for services.
func (s *Service) GetOrganization(ctx context.Context, req *party.OrgReq) (*party.Organization, error) {
	o, err := s.orgs.Get(ctx, model.Everything, req.OrgId)
	if err != nil {
		return nil, records.Mapped(err)
	}
	return s.describe(ctx, o)
}

// GetPlaces are the names and paths of organisations, for services: with all that any
// instance has changed in the tree by now.
func (s *Service) GetPlaces(ctx context.Context, req *party.PlacesReq) (*party.OrgPlaces, error) {
	all, err := s.treeNow(ctx)
	if err != nil {
		return nil, err
	}
	out := &party.OrgPlaces{}
	for _, id := range req.OrgIds {
		if o := all[id]; o != nil {
			place := &party.OrgPlace{Id: o.ID, OrgName: o.OrgName, Orgs: o.Orgs}
			for _, above := range o.Orgs {
				if a := all[above]; a != nil && a.OrgType == "committee" && above != o.ID {
					place.CommitteeId = above
				}
			}
			out.Places = append(out.Places, place)
		}
	}
	return out, nil
}

func (s *Service) describe(ctx context.Context, o *model.Organization) (*party.Organization, error) {
	names, err := s.orgLabels(ctx, o.Orgs)
	if err != nil {
		return nil, err
	}
	out := &party.Organization{
		Id: o.ID, OrgName: o.OrgName, OrgType: o.OrgType, ParentId: o.ParentID, Orgs: o.Orgs, Icon: icon(o.OrgType), OrgTypeName: orgTypes("orgType", o.OrgType),
		Secretary: o.Secretary, SecretaryPhone: o.SecretaryPhone, ContactName: o.ContactName, ContactPhone: o.ContactPhone,
		Address: o.Address, Introduction: o.Introduction,
	}
	for _, id := range o.Orgs {
		out.OrgNames = append(out.OrgNames, names[id])
	}
	return out, nil
}

// present is a member as other services see him, with the personal fields masked or
// open. Opening one costs a decryption.
func (s *Service) present(m *model.Member, names map[string]string, open bool) (*party.Member, error) {
	out := &party.Member{
		Id: m.ID, Name: m.Name, Gender: m.Gender, IdNumber: m.IDMasked, Phone: m.PhoneMasked,
		OrgId: m.OrgID, OrgName: names[m.OrgID], Orgs: m.Orgs, MemberType: m.MemberType, Status: m.Status,
		Retired: m.Retired || m.DuesCategory == "retired", DuesPaidThrough: m.DuesPaidThrough, OpenId: m.OpenID, MiniOpenId: m.MiniOpenID,
		BirthDate: m.BirthDate, JoinedOn: m.JoinedOn, Version: m.Version, DuesCategory: m.DuesCategory, UpdatedAt: m.UpdatedAt.UnixMilli(), RetiredOn: m.RetiredOn, ActivistOn: m.ActivistOn,
	}
	if open {
		shown := new(*m)
		if err := s.d.Seal.Disclose(shown); err != nil {
			return nil, fmt.Errorf("member %s: %w", m.ID, err)
		}
		out.IdNumber, out.Phone = shown.IDNumber, shown.Phone
	}
	return out, nil
}

func (s *Service) presentOne(ctx context.Context, m *model.Member, open bool) (*party.Member, error) {
	names, err := s.orgLabels(ctx, m.Orgs)
	if err != nil {
		return nil, err
	}
	out, err := s.present(m, names, open)
	if err != nil {
		return nil, err
	}
	all, err := s.tree(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range m.Orgs { // from the root down: the nearest is the last
		if o := all[id]; o != nil && o.OrgType == "committee" {
			out.CommitteeName = o.OrgName
		}
	}
	return out, nil
}

// GetMember returns one member with open personal fields, for services only.
func (s *Service) GetMember(ctx context.Context, req *party.MemberReq) (*party.Member, error) {
	m, err := s.members.Get(ctx, model.Everything, req.MemberId)
	if errors.Is(err, model.ErrNotFound) {
		guests, err := s.guestsByID(ctx, []string{req.MemberId})
		if err != nil {
			return nil, err
		}
		if len(guests) > 0 {
			return guests[0], nil
		}
	}
	if err != nil {
		return nil, records.Mapped(err)
	}
	return s.presentOne(ctx, m, true)
}

// GetMembers returns members by id, for services; personal fields masked.
func (s *Service) GetMembers(ctx context.Context, req *party.MembersReq) (*party.Members, error) {
	if len(req.MemberIds) == 0 {
		return &party.Members{}, nil
	}
	out, err := s.find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: req.MemberIds}}}})
	if err != nil || len(out.Members) == len(req.MemberIds) {
		return out, err
	}
	guests, err := s.guestsByID(ctx, req.MemberIds)
	if err != nil {
		return nil, err
	}
	out.Members = append(out.Members, guests...)
	return out, nil
}

// ListMembers returns the active members of an organisation and all below it, for
// services; personal fields masked. With guests, the part-time and report-in persons in
// period are among them.
func (s *Service) ListMembers(ctx context.Context, req *party.OrgReq) (*party.Members, error) {
	out, err := s.find(ctx, bson.D{{Key: "orgs", Value: req.OrgId}, {Key: "status", Value: "active"}})
	if err != nil || !req.Guests {
		return out, err
	}
	guests, err := s.activeGuests(ctx, req.OrgId)
	if err != nil {
		return nil, err
	}
	out.Members = append(out.Members, guests...)
	return out, nil
}

// ListParticipants are the people whom an admin can invite to what an organisation of his
// holds: its members, and its part-time and report-in persons in period under the names
// of their home organisations (PART-06, RPIN-06).
func (s *Service) ListParticipants(ctx context.Context, req *party.OrgReq) (*party.Members, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	if req.OrgId == "" {
		req.OrgId = c.OrgID
	}
	path, err := s.Path(ctx, req.OrgId)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(path, c.OrgID) {
		return nil, kit.ErrNotFound
	}
	list, err := s.ListMembers(kit.AsSystem(ctx), &party.OrgReq{OrgId: req.OrgId, Guests: true})
	if err != nil {
		return nil, err
	}
	for i, m := range list.Members {
		list.Members[i] = &party.Member{Id: m.Id, Name: m.Name, OrgId: m.OrgId, OrgName: m.OrgName, MemberType: m.MemberType}
	}
	return list, nil
}

func (s *Service) find(ctx context.Context, filter bson.D) (*party.Members, error) {
	list, err := s.members.Find(ctx, model.Everything, filter, model.Page{})
	if err != nil {
		return nil, err
	}
	return s.named(ctx, list)
}

// named are members with the names of their organisations, masked.
func (s *Service) named(ctx context.Context, list []*model.Member) (*party.Members, error) {
	ids := map[string]bool{}
	for _, m := range list {
		ids[m.OrgID] = true
	}
	var orgIDs []string
	for id := range ids {
		orgIDs = append(orgIDs, id)
	}
	names, err := s.orgLabels(ctx, orgIDs)
	if err != nil {
		return nil, err
	}
	out := &party.Members{}
	for _, m := range list {
		p, err := s.present(m, names, false)
		if err != nil {
			return nil, err
		}
		out.Members = append(out.Members, p)
	}
	return out, nil
}

// SetDuesPaidThrough moves 党费缴纳至 when it still stands where the caller saw it; with
// force it follows the dues ledger whatever it was. Setting it twice is harmless.
func (s *Service) SetDuesPaidThrough(ctx context.Context, req *party.PaidThroughReq) (*recordsgen.Empty, error) {
	_, err := s.members.Update(ctx, model.Everything, req.MemberId, func(m *model.Member) error {
		if m.DuesPaidThrough == req.Month {
			return model.ErrUnchanged
		}
		if !req.Force && m.DuesPaidThrough != req.FromMonth {
			return kit.ErrConflict
		}
		m.DuesPaidThrough = req.Month
		return nil
	})
	return &recordsgen.Empty{}, records.Mapped(err)
}

// ListChanged are members in the order of their last change, those who left too.
func (s *Service) ListChanged(ctx context.Context, req *party.ChangedReq) (*party.Members, error) {
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	// Index updatedAt, _id; the deleted too.
	cur, err := s.members.Mongo().Find(ctx, bson.D{
		{Key: "updatedAt", Value: bson.D{{Key: "$gte", Value: at(req.Since)}, {Key: "$lte", Value: at(req.Until)}}},
		{Key: "$or", Value: bson.A{bson.D{{Key: "updatedAt", Value: bson.D{{Key: "$gt", Value: at(req.Since)}}}}, bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: req.After}}}}}},
	}, options.Find().SetSort(bson.D{{Key: "updatedAt", Value: 1}, {Key: "_id", Value: 1}}).SetLimit(int64(req.Most)))
	if err != nil {
		return nil, fmt.Errorf("changed members: %w", err)
	}
	var list []*model.Member
	if err := cur.All(ctx, &list); err != nil {
		return nil, fmt.Errorf("changed members: %w", err)
	}
	return s.named(ctx, list)
}
