package party

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// beginnings say where a person's case begins by his type (MEMB-09): the stage, and the
// first step that is not behind him (《中国共产党发展党员工作细则》, the 25 steps).
var beginnings = map[string]struct {
	stage string
	step  int
}{
	"applicant":          {"application", 1},
	"activist":           {"activist", 5},
	"developmentTarget":  {"target", 9},
	"probationaryMember": {"probation", 19},
}

// developmentType is 发展党员 as far as 党员管理 makes it: the list of the cases.
func (s *Service) developmentType() *records.Type[*model.DevelopmentCase] {
	return &records.Type[*model.DevelopmentCase]{
		Name: "developmentCase", Title: "发展党员", Menu: "党员管理", Collection: s.cases,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields: []records.Field{{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", List: true, After: "memberId"}},
		Own: &records.Own[*model.DevelopmentCase]{
			Where: records.Mine, Fields: []string{"stage", "currentStepNo", "state", "startedOn", "finishedOn"},
		},
		NameOf: func(*model.DevelopmentCase) string { return "发展党员流程" },
	}
}

// ensureCase opens the development case of a member who is no full member yet, once
// (6.1.1注). It follows his record, also after a crash.
func (s *Service) ensureCase(ctx context.Context, m *model.Member) error {
	b, ok := beginnings[m.MemberType]
	if !ok || m.Status != "active" || m.Deleted {
		return nil
	}
	open, err := s.cases.Count(ctx, model.Everything, bson.D{{Key: "memberId", Value: m.ID}, {Key: "state", Value: "running"}})
	if err != nil || open > 0 {
		return err
	}
	err = s.cases.Insert(ctx, &model.DevelopmentCase{
		Base:     model.Base{ID: kit.KeyID("development", m.ID), OrgID: m.OrgID, Orgs: m.Orgs, CreatedBy: "system"},
		MemberID: m.ID, Stage: b.stage, CurrentStepNo: b.step, State: "running", StartedOn: s.d.Clock.Now().Format("2006-01-02"),
	})
	if errors.Is(err, model.ErrDuplicate) {
		return nil
	}
	return err
}
