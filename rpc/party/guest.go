package party

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
	"zhihuidangjian/rpc/records"
)

// The states of a guest.
const (
	guestNotStarted = "notStarted"
	guestActive     = "active"
	guestEnded      = "ended"
)

// participation are the lists of what a guest took part in (manual 6.9.4, 6.10.4).
var participation = []records.Related{
	{Title: "活动"},
	{Type: "meeting", Field: "participantIds", Title: "会议"},
	{Title: "学习"},
}

// guestType is 兼职党员 or 报到党员 (spec/records.md 24, 25; manual 6.9, 6.10). verb is 兼职 or 报到.
func (s *Service) guestType(name, verb, icon, section string, c *model.Collection[*model.Guest]) *records.Type[*model.Guest] {
	date := func(key, label string) records.Field {
		return records.Field{Key: key, Label: verb + label, Type: "date", Required: true, List: true, Form: true}
	}
	return &records.Type[*model.Guest]{
		Name: name, Title: verb + "党员", Menu: "党员管理", Icon: icon, Section: section, Collection: c,
		Fields: []records.Field{
			{Key: "homeOrgName", Label: "原党组织", Required: true, List: true, Form: true, Max: 100, After: "phone", Width: 180,
				Help: "管理范围内的党员按身份证号自动对应其所在支部"},
			{Key: "orgId", Label: verb + "组织", Type: "ref", Ref: "organization", List: true, After: "homeOrgName", Width: 180},
			date("startOn", "开始时间"), date("endOn", "结束时间"),
			{Key: "state", Label: "状态", List: true, Search: true, ReadOnly: true},
		},
		Indexes: []model.Index{
			{Keys: bson.D{{Key: "idBlind", Value: 1}}},
			{Keys: bson.D{{Key: "state", Value: 1}, {Key: "endOn", Value: 1}}},
			{Keys: bson.D{{Key: "memberId", Value: 1}}},
			{Keys: bson.D{{Key: "openId", Value: 1}}, Unique: true, Partial: bson.D{{Key: "openId", Value: bson.D{{Key: "$gt", Value: ""}}}}},
			{Keys: bson.D{{Key: "miniOpenId", Value: 1}}, Unique: true, Partial: bson.D{{Key: "miniOpenId", Value: bson.D{{Key: "$gt", Value: ""}}}}},
		},
		Unique:     []records.Unique{{Keys: []string{"orgId", "idBlind", "startOn"}, Field: "startOn", Message: errGuestTwice}},
		NameKey:    "name",
		Parts:      []records.Part{records.Period("", "startOn", "endOn")},
		Placed:     true,
		BeforeSave: func(ctx context.Context, old, g *model.Guest) error { return s.checkGuest(ctx, c, old, g) },
		Actions: []records.Action[*model.Guest]{{
			Key: "participation", Title: "参加情况", Permission: name + ".view", Related: participation,
		}},
		Life: &records.Life[*model.Guest]{
			Field: "state", At: func(g *model.Guest, now time.Time) string { return guestState(g, now) },
			States: guestStates,
			// Only the adding organisation's admins change it (PART-05, RPIN-05); what he took
			// part in is theirs and their superiors' to see.
			Verbs: []records.Verb[*model.Guest]{{Key: "update", If: adds}, {Key: "delete", If: adds}, {Key: "participation", If: above}},
		},
		BeforeDelete: func(_ context.Context, g *model.Guest) error {
			g.OpenID, g.MiniOpenID = "", ""
			return nil
		},
	}
}

const errGuestTwice = "该人员在此期间已在列表中"

var errAdds = kit.Conflict("action.refused", "只有添加该记录的组织可以办理")

// checkGuest holds the rules of a guest; the personal fields are open here.
func (s *Service) checkGuest(ctx context.Context, c *model.Collection[*model.Guest], old, g *model.Guest) error {
	wrong := g.Wrong()
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	if old == nil {
		g.OrgID = kit.CallerOf(ctx).OrgID
	}
	overlap, err := c.Find(ctx, model.Everything, bson.D{
		{Key: "idBlind", Value: s.d.Seal.Blind(g.IDNumber)}, {Key: "orgId", Value: g.OrgID},
		{Key: "startOn", Value: bson.D{{Key: "$lte", Value: g.EndOn}}}, {Key: "endOn", Value: bson.D{{Key: "$gte", Value: g.StartOn}}},
	}, model.Page{Limit: 2})
	if err != nil {
		return err
	}
	for _, o := range overlap {
		if o.ID != g.ID {
			return kit.InvalidFields(map[string]string{"startOn": errGuestTwice})
		}
	}
	if err := s.homeOf(ctx, g); err != nil {
		return err
	}
	path, err := s.Path(ctx, g.OrgID)
	if err != nil {
		return err
	}
	// The home branch's own admins read it (PART-04, RPIN-04), those above it do not.
	g.Orgs = path
	if g.HomeOrgID != "" && !slices.Contains(path, g.HomeOrgID) {
		g.Orgs = append(g.Orgs, g.HomeOrgID)
	}
	g.State = guestState(g, s.d.Clock.Now())
	return nil
}

// homeOf finds the member of this system that a guest is, and his branch, which then reads
// the record. The name of the branch stays as it was typed by who may not know it.
func (s *Service) homeOf(ctx context.Context, g *model.Guest) error {
	g.MemberID, g.HomeOrgID = "", ""
	m, known, err := s.memberOf(ctx, &g.Person)
	if m == nil || err != nil {
		return err
	}
	g.MemberID, g.HomeOrgID = m.ID, m.OrgID
	if !known {
		return nil
	}
	names, err := s.orgLabels(ctx, []string{m.OrgID})
	if err != nil {
		return err
	}
	g.HomeOrgName = names[m.OrgID]
	return nil
}

// guestStates are the states of a guest, by the day.
var guestStates = []records.State{
	{Value: guestNotStarted, Label: "未开始", Color: "warning", Where: func(now time.Time) bson.D {
		return bson.D{{Key: "startOn", Value: bson.D{{Key: "$gt", Value: now.Format(time.DateOnly)}}}}
	}},
	{Value: guestActive, Label: "进行中", Color: "success", Where: func(now time.Time) bson.D {
		today := now.Format(time.DateOnly)
		return bson.D{{Key: "startOn", Value: bson.D{{Key: "$lte", Value: today}}}, {Key: "endOn", Value: bson.D{{Key: "$gte", Value: today}}}}
	}},
	{Value: guestEnded, Label: "已结束", Color: "info", Where: func(now time.Time) bson.D {
		return bson.D{{Key: "endOn", Value: bson.D{{Key: "$lt", Value: now.Format(time.DateOnly)}}}}
	}},
}

// guestState is where a day lies to the guest's period; both ends belong to it.
func guestState(g *model.Guest, now time.Time) string {
	switch today := now.Format(time.DateOnly); {
	case today < g.StartOn:
		return guestNotStarted
	case today > g.EndOn:
		return guestEnded
	}
	return guestActive
}

// adds: a guest is changed by the organisation that added him.
func adds(c *kit.Caller, g *model.Guest, _ time.Time) *kit.Error {
	if c.OrgID == g.OrgID {
		return nil
	}
	return errAdds
}

// above: what a guest took part in is for the organisation that added him and those above.
func above(c *kit.Caller, g *model.Guest, _ time.Time) *kit.Error {
	if slices.Contains(g.Orgs[:slices.Index(g.Orgs, g.OrgID)+1], c.OrgID) {
		return nil
	}
	return errAdds
}

// TurnGuests moves guests on whose period began or ended; one who ended loses his WeChat
// binding (PART-07, RPIN-07). A job calls it daily; a second call changes nothing.
func (s *Service) TurnGuests(ctx context.Context, _ *recordsgen.Empty) (*recordsgen.Empty, error) {
	today := s.d.Clock.Now().Format("2006-01-02")
	for _, c := range s.guests {
		for _, due := range []bson.D{
			{{Key: "state", Value: guestNotStarted}, {Key: "startOn", Value: bson.D{{Key: "$lte", Value: today}}}},
			{{Key: "state", Value: bson.D{{Key: "$in", Value: bson.A{guestNotStarted, guestActive}}}}, {Key: "endOn", Value: bson.D{{Key: "$lt", Value: today}}}},
		} {
			list, err := c.Find(ctx, model.Everything, due, model.Page{Sort: bson.D{{Key: "endOn", Value: 1}}})
			if err != nil {
				return nil, err
			}
			for _, g := range list {
				_, err := c.Update(ctx, model.Everything, g.ID, func(g *model.Guest) error {
					if g.State = guestState(g, s.d.Clock.Now()); g.State == guestEnded {
						g.OpenID, g.MiniOpenID = "", ""
					}
					return nil
				})
				if err != nil && !errors.Is(err, model.ErrNotFound) {
					return nil, err
				}
			}
		}
	}
	return &recordsgen.Empty{}, nil
}

// presentGuest is a guest as other services see him: a person of the organisation that
// added him, under the name of his home organisation. His home branch reads the record,
// but he is no guest of it.
func (s *Service) presentGuest(g *model.Guest) *party.Member {
	status := "active"
	if guestState(g, s.d.Clock.Now()) != guestActive || g.Deleted {
		status = "ended"
	}
	return &party.Member{
		Id: g.ID, Name: g.Name, Gender: g.Gender, IdNumber: g.IDMasked, Phone: g.PhoneMasked, OrgId: g.OrgID, OrgName: g.HomeOrgName,
		Orgs: g.Orgs[:slices.Index(g.Orgs, g.OrgID)+1], MemberType: model.GuestType, Status: status, MemberId: g.MemberID,
		OpenId: g.OpenID, MiniOpenId: g.MiniOpenID, Version: g.Version,
	}
}

type guestCollection = *model.Collection[*model.Guest]

// matchGuest finds the guest in period whom name, ID number and phone all name. A member of
// this system is bound as what he is, by the phone that his branch has of him: not by one
// that somebody wrote beside his name.
func (s *Service) matchGuest(ctx context.Context, name, idNumber, phone string) (*model.Guest, guestCollection, error) {
	blind := s.d.Seal.Blind(normal.IDNumber(idNumber))
	for _, c := range s.guests {
		list, err := c.Find(ctx, model.Everything, bson.D{{Key: "idBlind", Value: blind}}, model.Page{})
		if err != nil {
			return nil, nil, err
		}
		for _, g := range list {
			if guestState(g, s.d.Clock.Now()) != guestActive || !normal.Same(g.Name, name) || g.PhoneBlind != s.d.Seal.Blind(normal.Phone(phone)) {
				continue
			}
			if member, err := s.activeMember(ctx, g.MemberID); err != nil || member {
				return nil, nil, cmp.Or(err, error(errNoSuchMember))
			}
			return g, c, nil
		}
	}
	return nil, nil, errNoSuchMember
}

func (s *Service) activeMember(ctx context.Context, id string) (bool, error) {
	if id == "" {
		return false, nil
	}
	n, err := s.members.Count(ctx, model.Everything, append(bson.D{{Key: "_id", Value: id}}, active...))
	return n > 0, err
}

// guestBoundTo is the guest in period that a WeChat user is bound to.
func (s *Service) guestBoundTo(ctx context.Context, channel, openID string) (*model.Guest, guestCollection, error) {
	field := "openId"
	if channel == "mini" {
		field = "miniOpenId"
	}
	for _, c := range s.guests {
		g, err := c.FindOne(ctx, model.Everything, bson.D{{Key: field, Value: openID}})
		if errors.Is(err, model.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if guestState(g, s.d.Clock.Now()) == guestActive {
			return g, c, nil
		}
	}
	return nil, nil, model.ErrNotFound
}

// bindGuest binds a WeChat user to a guest for the time of his period.
func (s *Service) bindGuest(ctx context.Context, caller *kit.Caller, req *party.BindReq) (*party.Member, error) {
	g, c, err := s.matchGuest(ctx, req.Name, req.IdNumber, req.Phone)
	if err != nil {
		return nil, err
	}
	if other, _, err := s.guestBoundTo(ctx, caller.Channel, caller.OpenID); err == nil && other.ID != g.ID {
		return nil, errAccount
	} else if err != nil && !errors.Is(err, model.ErrNotFound) {
		return nil, err
	}
	if _, err := s.boundTo(ctx, caller); err == nil {
		return nil, errAccount
	} else if !errors.Is(err, model.ErrNotFound) {
		return nil, err
	}
	g, err = c.Update(ctx, model.Everything, g.ID, func(g *model.Guest) error {
		if bound := g.BoundTo(caller.Channel); bound != "" && bound != caller.OpenID {
			return errTaken
		}
		was, typ := *g, "partTimeMember"
		if c == s.guests[1] {
			typ = "reportInMember"
		}
		g.SetBound(caller.Channel, caller.OpenID)
		return s.Audit(ctx, typ, "绑定微信", &was, g)
	})
	if errors.Is(err, model.ErrDuplicate) {
		return nil, errAccount
	}
	if err != nil {
		return nil, err
	}
	return s.presentGuest(g), nil
}

// guestsByID are guests among ids, in or after their period.
func (s *Service) guestsByID(ctx context.Context, ids []string) ([]*party.Member, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.guestsWhere(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
}

// activeGuests are the guests in period of an organisation and all below it.
func (s *Service) activeGuests(ctx context.Context, orgID string) ([]*party.Member, error) {
	list, err := s.guestsWhere(ctx, model.Within(orgID), bson.D{{Key: "state", Value: guestActive}})
	return slices.DeleteFunc(list, func(g *party.Member) bool {
		return g.Status != "active" || !slices.Contains(g.Orgs, orgID)
	}), err
}

// ListGuests are the guests that a member is, in or after the period, for services.
func (s *Service) ListGuests(ctx context.Context, req *party.MemberReq) (*party.Members, error) {
	list, err := s.guestsWhere(ctx, model.Everything, bson.D{{Key: "memberId", Value: req.MemberId}})
	return &party.Members{Members: list}, err
}

func (s *Service) guestsWhere(ctx context.Context, scope model.Scope, filter bson.D) ([]*party.Member, error) {
	var out []*party.Member
	for _, c := range s.guests {
		list, err := c.Find(ctx, scope, filter, model.Page{})
		if err != nil {
			return nil, err
		}
		for _, g := range list {
			out = append(out, s.presentGuest(g))
		}
	}
	return out, nil
}
