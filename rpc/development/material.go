package development

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// materialType is 发展资料: the documents of the steps. Each belongs to the organisation that handles
// its step, so that nobody below it reaches it (DEV-13), and to the candidate.
func (s *Service) materialType() *records.Type[*model.DevelopmentMaterial] {
	return &records.Type[*model.DevelopmentMaterial]{
		Name: "developmentMaterial", Title: "发展资料", Collection: s.materials, NameKey: "kind", NoExport: true, NoUpdate: true, Section: "6.2.1",
		Indexes: []model.Index{{Keys: bson.D{{Key: "caseId", Value: 1}, {Key: "stepNo", Value: 1}}}},
		Own: &records.Own[*model.DevelopmentMaterial]{
			Where: records.Mine, Create: true, Delete: true, Form: []string{"caseId", "stepNo", "kind", "files"}, Fields: []string{"stepNo", "kind", "files"},
		},
		Life: &records.Life[*model.DevelopmentMaterial]{
			Load: s.loadCases,
			Verbs: []records.Verb[*model.DevelopmentMaterial]{{Key: "delete", If: func(c *kit.Caller, m *model.DevelopmentMaterial, _ time.Time) *kit.Error {
				return s.mayTouch(c, m.Case, m.StepNo)
			}}},
		},
		Placed: true,
		BeforeSave: func(ctx context.Context, _, m *model.DevelopmentMaterial) error {
			c, err := s.cases.Get(ctx, model.Everything, m.CaseID)
			if err != nil {
				return kit.InvalidFields(map[string]string{"caseId": "该发展流程不存在"})
			}
			caller := kit.CallerOf(ctx)
			if caller.Kind == kit.Member && c.MemberID != caller.MemberID {
				return kit.ErrNotFound
			}
			if caller.Kind == kit.User && !slices.Contains(c.Orgs, caller.OrgID) {
				return kit.ErrNotFound
			}
			if e := s.mayTouch(caller, c, m.StepNo); e != nil {
				return e
			}
			now := s.current(c)
			if len(now.Materials) > 0 && !slices.Contains(now.Materials, m.Kind) && !strings.HasPrefix(m.Kind, "其他") {
				return kit.InvalidFields(map[string]string{"kind": "该流程的资料为：" + join(now.Materials) + "；另有资料请以“其他”开头命名"})
			}
			m.MemberID, m.OrgID, m.Orgs, m.By = c.MemberID, c.HandlerOrgID, c.HandlerPath, caller.Name
			return nil
		},
	}
}

// mayTouch refuses to add to a step, or to take from it, while it is not current, and to who
// neither handles it nor is the candidate whose turn it is.
func (s *Service) mayTouch(caller *kit.Caller, c *model.DevelopmentCase, stepNo int) *kit.Error {
	now := s.current(mayBe(c))
	switch {
	case now == nil:
		return kit.Conflict("development.over", "该流程已结束，只能查看和下载")
	case stepNo > now.No:
		return kit.Conflict("development.order", "请先完成当前流程")
	case stepNo < now.No:
		return kit.Conflict("development.over", "该流程已结束，只能查看和下载")
	case caller.Kind == kit.Member && (!now.Candidate || c.Submitted):
		return kit.Conflict("development.notYours", "该流程由处理部门办理")
	case caller.Kind == kit.User:
		return handles(caller, c)
	}
	return nil
}

func mayBe(c *model.DevelopmentCase) *model.DevelopmentCase {
	if c == nil {
		return &model.DevelopmentCase{}
	}
	return c
}

// loadCases puts beside materials the cases that they are of.
func (s *Service) loadCases(ctx context.Context, docs []*model.DevelopmentMaterial) error {
	ids := bson.A{}
	for _, m := range docs {
		ids = append(ids, m.CaseID)
	}
	list, err := s.cases.Find(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{})
	if err != nil {
		return err
	}
	for _, m := range docs {
		if i := slices.IndexFunc(list, func(c *model.DevelopmentCase) bool { return c.ID == m.CaseID }); i >= 0 {
			m.Case = list[i]
		}
	}
	return nil
}

// missing are the kinds of materials that a step requires and a case has not got yet.
func (s *Service) missing(ctx context.Context, c *model.DevelopmentCase, now *step) ([]string, error) {
	have, err := s.materials.Find(ctx, model.Everything, bson.D{{Key: "caseId", Value: c.ID}, {Key: "stepNo", Value: now.No}}, model.Page{})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, kind := range now.Materials {
		if !slices.ContainsFunc(have, func(m *model.DevelopmentMaterial) bool { return m.Kind == kind }) {
			out = append(out, kind)
		}
	}
	return out, nil
}

func join(words []string) string { return strings.Join(words, "、") }

func contains(name, part string) bool { return strings.Contains(name, strings.TrimSpace(part)) }
