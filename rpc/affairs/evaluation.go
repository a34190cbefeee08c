package affairs

import (
	"context"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// aspects are what a member judges his organisation by; all but the last must be.
var aspects = []records.Option{
	{Value: "organisationBuilding", Label: "组织建设方面"}, {Value: "ideologicalBuilding", Label: "党员思想建设方面"},
	{Value: "publicLetters", Label: "群众来信方面"}, {Value: "other", Label: "其他"},
}

// evaluationType is 组织评价 (spec/records.md 6): written by members, read by admins.
func (s *Service) evaluationType() *records.Type[*model.OrganizationEvaluation] {
	return &records.Type[*model.OrganizationEvaluation]{
		Name: "organizationEvaluation", Title: "党组织评价", Menu: "组织管理", Icon: "evaluate", Section: "5.5", Collection: s.evaluations, NoCreate: true, NoUpdate: true,
		Indexes: []model.Index{{Keys: bson.D{{Key: "memberId", Value: 1}, {Key: "_id", Value: -1}}}},
		Fields: []records.Field{
			{Key: "orgId", Label: "被评价组织", Ref: "organization", List: true, ReadOnly: true, After: "memberId", Width: 180},
			{Key: "aspect", Label: "评价方面", Type: "enum", Options: aspects, List: true, Search: true, Virtual: true, After: "orgId", Width: 240},
			{Key: "score", Label: "评分", List: true, Virtual: true, After: "aspect"},
		},
		Exports: []string{"orgId", "memberId", "aspect", "score", "content", "evaluatedAt"},
		NameOf:  func(e *model.OrganizationEvaluation) string { return e.MemberName + "的评价" },
		Own: &records.Own[*model.OrganizationEvaluation]{
			Place:  &records.Place{Page: "mine", Title: "组织评价", Icon: "evaluate", Order: 1},
			Where:  func(c *kit.Caller) bson.D { return bson.D{{Key: "memberId", Value: c.MemberID}} },
			Fields: []string{"orgId", "aspects", "content", "evaluatedAt"}, Form: []string{"aspects", "content"},
			Create: true, Announce: true,
			Prepare: func(ctx context.Context, e *model.OrganizationEvaluation) error {
				c := kit.CallerOf(ctx)
				e.MemberID, e.MemberName, e.OrgID, e.EvaluatedAt = c.MemberID, c.Name, c.OrgID, s.d.Clock.Now()
				return nil
			},
		},
		BeforeSave: func(_ context.Context, _, e *model.OrganizationEvaluation) error {
			scored := map[string]bool{}
			for _, a := range e.Aspects {
				scored[a.Aspect] = true
			}
			for _, a := range aspects[:3] {
				if !scored[a.Value] {
					return kit.InvalidFields(map[string]string{"aspects": "请为" + a.Label + "评分"})
				}
			}
			return nil
		},
		Filter: func(_ context.Context, key, value string) (bson.D, bool, error) {
			return bson.D{{Key: "aspects.aspect", Value: value}}, key == "aspect", nil
		},
		Present: func(_ context.Context, docs []*model.OrganizationEvaluation, rows []records.Row) error {
			for i, d := range docs {
				var names, scores, both []string
				for _, o := range aspects {
					for _, a := range d.Aspects {
						if a.Aspect == o.Value {
							n := strconv.Itoa(a.Score)
							names, scores, both = append(names, o.Label), append(scores, n), append(both, o.Label+"："+n+"分")
						}
					}
				}
				r, labels := rows[i], rows[i]["_labels"].(map[string]string)
				r["aspect"], r["score"] = strings.Join(names, "、"), strings.Join(scores, "、")
				labels["aspect"], labels["aspects"] = strings.Join(names, "、"), strings.Join(both, "；")
			}
			return nil
		},
	}
}
