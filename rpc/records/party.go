package records

import (
	"context"
	"errors"
	"slices"
	"zhihuidangjian/rpc/records/field"

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
	known, err := p.places(ctx, []string{orgID})
	if err != nil {
		return nil, err
	}
	o := known[orgID]
	if o == nil {
		return nil, kit.ErrNotFound
	}
	return o.Orgs, nil
}

// places are organisations by their ids, however many in one call.
func (p Party) places(ctx context.Context, ids []string) (map[string]*party.OrgPlace, error) {
	r, err := p.Client.GetPlaces(kit.AsSystem(ctx), &party.PlacesReq{OrgIds: ids})
	if err != nil {
		return nil, err
	}
	out := make(map[string]*party.OrgPlace, len(r.Places))
	for _, o := range r.Places {
		out[o.Id] = o
	}
	return out, nil
}

// Refs are the refs to organisations and members, to put into a Config. Members find their way
// to everyOrganization; admins enter those below them.
func (p Party) Refs() map[string]Ref {
	return map[string]Ref{
		"organization":      {Labels: p.OrgNames, Check: p.checkOrgs, Find: p.findOrg, Options: p.orgOptions},
		"everyOrganization": {Labels: p.OrgNames, Check: p.checkEveryOrg, Find: p.findOrg, Options: p.orgOptions},
		"member":            {Labels: p.memberLabels, Check: p.checkMembers},
	}
}

// Participants is the ref to people who can be invited: members, and guests in period.
func (p Party) Participants() Ref {
	return Ref{Labels: p.memberLabels, Check: func(ctx context.Context, ids []string) error {
		_, err := p.Invitable(ctx, ids)
		return err
	}}
}

var _ People = Party{}

// Place implements People.
func (p Party) Place(ctx context.Context, memberID string) (string, []string, error) {
	m, err := p.Member(ctx, memberID)
	if err != nil {
		return "", nil, err
	}
	if m.MemberType == "guest" && kit.CallerOf(ctx).Kind == kit.Member {
		return "", nil, errGuest
	}
	return m.OrgId, m.Orgs, nil
}

// errGuest sends part-time and report-in persons to their own branch with what they hand in (MENU-05).
var errGuest = kit.Conflict("guest.home", "兼职、报到党员的申请，请在本人所在支部提交")

// Identities implements People.
func (p Party) Identities(ctx context.Context, ids []string) (map[string]Identity, error) {
	r, err := p.Client.GetIdentities(kit.AsSystem(ctx), &party.MembersReq{MemberIds: ids})
	if err != nil {
		return nil, err
	}
	out := make(map[string]Identity, len(r.Identities))
	for _, i := range r.Identities {
		out[i.MemberId] = Identity{Masked: i.Masked, Sealed: i.Sealed}
	}
	return out, nil
}

// Member is a member or guest by id, one who left too, with masked personal fields;
// kit.ErrNotFound when there is none.
func (p Party) Member(ctx context.Context, id string) (*party.Member, error) {
	list, err := p.members(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, kit.ErrNotFound
	}
	return list[0], nil
}

// Members are members and guests by their ids, those who left too, with masked personal fields.
func (p Party) Members(ctx context.Context, ids []string) (map[string]*party.Member, error) {
	list, err := p.members(ctx, ids)
	out := make(map[string]*party.Member, len(list))
	for _, m := range list {
		out[m.Id] = m
	}
	return out, err
}

// Within is an organisation of the caller's subtree; kit.ErrNotFound for any other.
func (p Party) Within(ctx context.Context, orgID string) (*party.OrgPlace, error) {
	if err := p.checkOrgs(ctx, []string{orgID}); err != nil {
		return nil, err
	}
	known, err := p.places(ctx, []string{orgID})
	if err != nil {
		return nil, err
	}
	return known[orgID], nil
}

// OrgNames are the names of organisations by their ids; those that are gone are left out.
func (p Party) OrgNames(ctx context.Context, ids []string) (map[string]string, error) {
	known, err := p.places(ctx, ids)
	out := make(map[string]string, len(known))
	for id, o := range known {
		out[id] = o.OrgName
	}
	return out, err
}

func (p Party) checkOrgs(ctx context.Context, ids []string) error {
	known, err := p.places(ctx, ids)
	if err != nil {
		return err
	}
	c := kit.CallerOf(ctx)
	for _, id := range ids {
		if o := known[id]; o == nil || c.Kind == kit.User && !slices.Contains(o.Orgs, c.OrgID) {
			return kit.ErrNotFound
		}
	}
	return nil
}

// checkEveryOrg is checkOrgs for those whom it does not bind to their own organisation.
func (p Party) checkEveryOrg(ctx context.Context, ids []string) error {
	if kit.CallerOf(ctx).Kind == kit.Member {
		ctx = kit.AsSystem(ctx)
	}
	return p.checkOrgs(ctx, ids)
}

// Committee is the committee (委员会) that an organisation belongs to, the nearest above it; "" of none.
func (p Party) Committee(ctx context.Context, orgID string) (string, error) {
	known, err := p.places(ctx, []string{orgID})
	if err != nil || known[orgID] == nil {
		return "", err
	}
	return known[orgID].CommitteeId, nil
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
			return "", kit.Invalid("ref.ambiguous", "有多个名为“%s”的组织", field.Clip(text))
		}
		id = n.Id
	}
	if id == "" {
		return "", kit.Invalid("ref.unknown", "组织“%s”不存在或不在管理范围内", field.Clip(text))
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

// mostNamed bounds whom a page names: those of large meetings are counted, and have no column.
const mostNamed = 1000

func (p Party) memberLabels(ctx context.Context, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	if len(ids) > mostNamed {
		return out, nil
	}
	list, err := p.members(ctx, ids)
	for _, m := range list {
		out[m.Id] = m.Name
	}
	return out, err
}

// Invitable are people by id, of members and guests in period. Those outside the caller's
// subtree, and those who left, are refused like missing ones.
func (p Party) Invitable(ctx context.Context, ids []string) (map[string]*party.Member, error) {
	list, err := p.members(ctx, ids)
	if err != nil {
		return nil, err
	}
	c := kit.CallerOf(ctx)
	out := make(map[string]*party.Member, len(list))
	for _, m := range list {
		if m.Status == "active" && (c.Kind == kit.System || slices.Contains(m.Orgs, c.OrgID)) {
			out[m.Id] = m
		}
	}
	for _, id := range ids {
		if out[id] == nil {
			return nil, kit.ErrNotFound
		}
	}
	return out, nil
}

// mostGathered bounds the people of one meeting, exam or vote, whose document names them.
const mostGathered = 5000

// Gather is whom a form names, by an organisation and by hand: the organisation's people of this moment, and no
// other than active members of the admin's subtree and guests in period. A guest who is a member elsewhere takes
// part as that member: it is him that WeChat knows. What is wrong is said at the two fields.
func (p Party) Gather(ctx context.Context, orgField, orgID, idsField string, ids []string) ([]string, error) {
	if orgID != "" {
		list, err := p.Client.ListMembers(kit.AsSystem(ctx), &party.OrgReq{OrgId: orgID, Guests: true})
		if err != nil {
			return nil, err
		}
		for _, m := range list.Members {
			ids = append(ids, m.Id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	switch n := len(ids); {
	case n == 0 && orgID != "":
		return nil, kit.InvalidFields(map[string]string{orgField: "该组织没有党员"})
	case n > mostGathered:
		return nil, kit.InvalidFields(map[string]string{idsField: "不能超过5000人"})
	}
	people, err := p.Invitable(ctx, ids)
	if errors.Is(kit.FromError(err), kit.ErrNotFound) {
		return nil, kit.InvalidFields(map[string]string{idsField: "所选人员不存在或不在管理范围内"})
	}
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if g := people[id]; g.MemberId != "" {
			ids[i] = g.MemberId
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// checkMembers refuses who is none of the caller's, and guests, who are members elsewhere.
func (p Party) checkMembers(ctx context.Context, ids []string) error {
	people, err := p.Invitable(ctx, ids)
	for _, m := range people {
		if m.MemberType == "guest" {
			return kit.ErrNotFound
		}
	}
	return err
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
