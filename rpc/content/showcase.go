package content

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// kindShowcase names the template of the message about a new showcase; its fields are
// title, name and time.
const kindShowcase = "showcase"

// showcaseType is 党员风采 (spec/records.md 9, manual 5.7): one for each member, read by the
// members of his organisation, or of one above it.
func (s *Service) showcaseType() *records.Type[*model.MemberShowcase] {
	return &records.Type[*model.MemberShowcase]{
		Name: "memberShowcase", Title: "党员风采", Menu: "组织管理", Icon: "showcase", Section: "5.7", Collection: s.showcases,
		Indexes: []model.Index{{Keys: bson.D{{Key: "audienceId", Value: 1}, {Key: "_id", Value: -1}}}},
		Fields:  []records.Field{orgOf("memberId")},
		Unique:  []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已添加党员风采"}},
		NameKey: "title",
		Own: &records.Own[*model.MemberShowcase]{Place: &records.Place{Page: "home", Title: "党员风采", Icon: "showcase"},
			Where: func(c *kit.Caller) bson.D {
				return bson.D{{Key: "audienceId", Value: bson.D{{Key: "$in", Value: c.Orgs}}}}
			},
			Fields: []string{"cover", "memberId", "title", "orgId", "publishedAt", "content"},
		},
		BeforeSave: s.publish,
	}
}

// publish places a showcase where its member is. A new one is told to its audience.
func (s *Service) publish(ctx context.Context, old, x *model.MemberShowcase) error {
	m, err := s.member(ctx, x.MemberID)
	if err != nil {
		return err
	}
	if old == nil || old.MemberID != x.MemberID {
		if old != nil && x.AudienceID == old.OrgID { // his own organisation, whoever he was
			x.AudienceID = ""
		}
		x.OrgID, x.Orgs = m.OrgId, m.Orgs
	}
	if x.AudienceID == "" {
		x.AudienceID = x.OrgID
	}
	if !slices.Contains(x.Orgs, x.AudienceID) {
		return kit.InvalidFields(map[string]string{"audienceId": "学习范围应为党员所在支部或其上级组织"})
	}
	if old != nil {
		return nil
	}
	now := s.d.Clock.Now()
	x.PublishedAt = now
	x.Tell(kit.KeyID(kindShowcase, x.ID), now, model.Told{
		Kind: kindShowcase, Title: "党员风采", Content: "学习身边榜样：" + m.Name + "《" + x.Title + "》",
		TargetType: "memberShowcase", TargetID: x.ID, Page: "pages/records/detail?type=memberShowcase&id=" + x.ID, OrgID: x.AudienceID,
		Fields: map[string]string{"title": x.Title, "name": m.Name, "time": now.In(kit.Shanghai).Format("2006年01月02日 15:04")},
	})
	return nil
}
