package records

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/rpc/kit"
)

// Party is the organisation tree, and the refs to organisations and members, as the
// party service knows them: for the engines of all other services.
type Party struct{ Client partysvc.Client }

// Path implements Orgs.
func (p Party) Path(ctx context.Context, orgID string) ([]string, error) {
	if c := kit.CallerOf(ctx); c.OrgID == orgID && len(c.Orgs) > 0 {
		return c.Orgs, nil
	}
	o, err := p.Client.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: orgID})
	if err != nil {
		return nil, err
	}
	return o.Orgs, nil
}

// Refs are the refs organization and member, to put into a Config.
func (p Party) Refs() map[string]Ref {
	return map[string]Ref{
		"organization": {Labels: p.orgLabels, Check: p.checkOrgs, Find: p.findOrg, Options: p.orgOptions},
		"member":       {Labels: p.memberLabels, Check: p.checkMembers},
	}
}

func (p Party) orgLabels(ctx context.Context, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	for _, id := range ids {
		o, err := p.Client.GetOrganization(kit.AsSystem(ctx), &party.OrgReq{OrgId: id})
		if errors.Is(err, kit.ErrNotFound) {
			continue // deleted since
		}
		if err != nil {
			return nil, err
		}
		out[id] = o.OrgName
	}
	return out, nil
}

func (p Party) checkOrgs(ctx context.Context, ids []string) error {
	c := kit.CallerOf(ctx)
	for _, id := range ids {
		path, err := p.Path(ctx, id)
		if err != nil {
			return err
		}
		if c.Kind == kit.User && !slices.Contains(path, c.OrgID) {
			return kit.ErrNotFound
		}
	}
	return nil
}

func (p Party) findOrg(ctx context.Context, text string) (string, error) {
	tree, err := p.Client.GetTree(ctx, &party.OrgReq{})
	if err != nil {
		return "", err
	}
	id := ""
	for _, n := range tree.Nodes {
		if n.OrgName != text {
			continue
		}
		if id != "" {
			return "", kit.Invalid("ref.ambiguous", "有多个名为“%s”的组织", clip(text))
		}
		id = n.Id
	}
	if id == "" {
		return "", kit.Invalid("ref.unknown", "组织“%s”不存在或不在管理范围内", clip(text))
	}
	return id, nil
}

func (p Party) orgOptions(ctx context.Context) ([]string, error) {
	tree, err := p.Client.GetTree(ctx, &party.OrgReq{})
	if err != nil {
		return nil, err
	}
	out := make([]string, len(tree.Nodes))
	for i, n := range tree.Nodes {
		out[i] = n.OrgName
	}
	return out, nil
}

func (p Party) members(ctx context.Context, ids []string) ([]*party.Member, error) {
	r, err := p.Client.GetMembers(kit.AsSystem(ctx), &party.MembersReq{MemberIds: ids})
	if err != nil {
		return nil, err
	}
	return r.Members, nil
}

func (p Party) memberLabels(ctx context.Context, ids []string) (map[string]string, error) {
	list, err := p.members(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(list))
	for _, m := range list {
		out[m.Id] = m.Name
	}
	return out, nil
}

// TookPart is the filter of the records of a type that a person takes part in, whose field
// names the participants, and the ids that he is named by: a guest takes part as the member
// he is elsewhere, and only in what the organisation holds whose guest he is.
func (p Party) TookPart(ctx context.Context, field, personID string) (filter bson.D, ids []string, err error) {
	list, err := p.members(ctx, []string{personID})
	if err != nil {
		return nil, nil, err
	}
	ids = []string{personID}
	if len(list) == 1 && list[0].MemberType == "guest" {
		filter = bson.D{{Key: "orgId", Value: list[0].OrgId}}
		if list[0].MemberId != "" {
			ids = append(ids, list[0].MemberId)
		}
	}
	return append(filter, bson.E{Key: field, Value: bson.D{{Key: "$in", Value: ids}}}), ids, nil
}

func (p Party) checkMembers(ctx context.Context, ids []string) error {
	list, err := p.members(ctx, ids)
	if err != nil {
		return err
	}
	c := kit.CallerOf(ctx)
	seen := map[string]bool{}
	for _, m := range list {
		if m.Status == "active" && (c.Kind == kit.System || slices.Contains(m.Orgs, c.OrgID)) {
			seen[m.Id] = true
		}
	}
	for _, id := range ids {
		if !seen[id] {
			return kit.ErrNotFound
		}
	}
	return nil
}
