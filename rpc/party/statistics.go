package party

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// GetStatistics counts organisations and members of the chosen subtree (manual 4.2).
// The parts of each chart add up to the people listed in 党员管理 (HOME-07), who are not
// all members: memberCount is the full and the probationary ones.
func (s *Service) GetStatistics(ctx context.Context, req *party.OrgReq) (*party.Statistics, error) {
	root, err := s.scope(ctx, req.OrgId)
	if err != nil {
		return nil, err
	}
	orgs, genders, bindings, ages := newTally(
		"committee", "委员会", "workCommittee", "党工委", "generalBranch", "党总支", "branch", "党支部", "jointBranch", "联合支部", "group", "党小组"),
		newTally("male", "男", "female", "女", "unknown", "未知"),
		newTally("bound", "已绑定", "unbound", "未绑定"),
		newTally("30", "30岁及以下", "40", "31-40岁", "50", "41-50岁", "60", "51-60岁", "61", "61岁及以上", "unknown", "未知")
	all, err := s.orgs.Find(ctx, model.Within(root.ID), nil, model.Page{})
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		orgs.add(o.OrgType)
	}
	today := s.d.Clock.Now()
	var members int64
	err = s.eachActive(ctx, root.ID, func(m *model.Member) {
		if model.IsPartyMember(m.MemberType) {
			members++
		}
		if m.Gender == "" {
			m.Gender = "unknown"
		}
		genders.add(m.Gender)
		if m.OpenID != "" || m.MiniOpenID != "" {
			bindings.add("bound")
		} else {
			bindings.add("unbound")
		}
		ages.add(ageBand(m.BirthDate, today))
	})
	if err != nil {
		return nil, err
	}
	return &party.Statistics{
		Organizations: orgs.counts, Genders: genders.counts, Bindings: bindings.counts, Ages: ages.counts, MemberCount: members,
	}, nil
}

// eachActive reads what the statistics need of everybody in the register, and no more.
func (s *Service) eachActive(ctx context.Context, orgID string, f func(*model.Member)) error {
	cur, err := s.members.Mongo().Find(ctx,
		bson.D{{Key: "orgs", Value: orgID}, {Key: "deleted", Value: false}, {Key: "status", Value: "active"}},
		options.Find().SetProjection(bson.D{{Key: "memberType", Value: 1}, {Key: "gender", Value: 1}, {Key: "birthDate", Value: 1}, {Key: "openId", Value: 1}, {Key: "miniOpenId", Value: 1}}))
	if err != nil {
		return err
	}
	defer closeCursor(ctx, cur)
	for cur.Next(ctx) {
		var m model.Member
		if err := cur.Decode(&m); err != nil {
			return err
		}
		f(&m)
	}
	return cur.Err()
}

func closeCursor(ctx context.Context, cur *mongo.Cursor) { _ = cur.Close(context.WithoutCancel(ctx)) }

func ageBand(birthDate string, today time.Time) string {
	born, err := time.ParseInLocation("2006-01-02", birthDate, kit.Shanghai)
	if err != nil {
		return "unknown"
	}
	age := today.Year() - born.Year()
	if today.Month() < born.Month() || today.Month() == born.Month() && today.Day() < born.Day() {
		age--
	}
	switch {
	case age <= 30:
		return "30"
	case age <= 40:
		return "40"
	case age <= 50:
		return "50"
	case age <= 60:
		return "60"
	}
	return "61"
}

// tally counts by key, in the order of a chart; all keys are there, even with 0.
type tally struct {
	counts []*party.Count
	index  map[string]*party.Count
}

func newTally(keysAndLabels ...string) *tally {
	t := &tally{index: map[string]*party.Count{}}
	for i := 0; i < len(keysAndLabels); i += 2 {
		c := &party.Count{Key: keysAndLabels[i], Label: keysAndLabels[i+1]}
		t.counts, t.index[c.Key] = append(t.counts, c), c
	}
	return t
}

func (t *tally) add(key string) {
	if c := t.index[key]; c != nil {
		c.Count++
	}
}
