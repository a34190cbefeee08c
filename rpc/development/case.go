package development

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	development "zhihuidangjian/idl/gen/development"
	recordsgen "zhihuidangjian/idl/gen/records"
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

// caseType is 发展党员 as far as 党员管理 makes it: the list of the cases.
func (s *Service) caseType() *records.Type[*model.DevelopmentCase] {
	return &records.Type[*model.DevelopmentCase]{
		Name: "developmentCase", Title: "发展党员", Menu: "党员管理", Icon: "development", Section: "6.2", Collection: s.cases,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields: []records.Field{{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", List: true, After: "memberId"}},
		Own: &records.Own[*model.DevelopmentCase]{
			Place: &records.Place{Page: "mine", Title: "发展资料", Icon: "development", Single: true, Empty: "暂无发展资料", Order: 5},
			Where: records.Mine, Fields: []string{"stage", "currentStepNo", "state", "startedOn", "finishedOn"},
		},
		NameOf: func(*model.DevelopmentCase) string { return "发展党员流程" },
	}
}

// BeginCase opens the development case of somebody who is no full member yet, once (6.1.1注).
func (s *Service) BeginCase(ctx context.Context, req *development.BeginReq) (*recordsgen.Empty, error) {
	none := &recordsgen.Empty{}
	b, ok := beginnings[req.MemberType]
	if !ok {
		return none, nil
	}
	open, err := s.cases.Count(ctx, model.Everything, bson.D{{Key: "memberId", Value: req.MemberId}, {Key: "state", Value: "running"}})
	if err != nil || open > 0 {
		return none, err
	}
	err = s.cases.Insert(ctx, &model.DevelopmentCase{
		Base:     model.Base{ID: kit.KeyID("development", req.MemberId), OrgID: req.OrgId, Orgs: req.Orgs, CreatedBy: "system"},
		MemberID: req.MemberId, Stage: b.stage, CurrentStepNo: b.step, State: "running", StartedOn: s.d.Clock.Now().Format("2006-01-02"),
	})
	if errors.Is(err, model.ErrDuplicate) {
		err = nil
	}
	return none, err
}
