package relation

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var (
	errFixed   = kit.Conflict("transfer.decided", "已审批，不可修改")
	errKept    = kit.Conflict("transfer.decided", "已审批，不可删除")
	errPapers  = kit.InvalidFields(map[string]string{"paperChecked": "请先审核纸质文件"})
	errPending = "该人员已有待审批的关系转入"
)

// papers is what an approval asks for: that somebody looked at the papers (8).
var papers = records.Field{Key: "paperChecked", Label: "纸质文件已审核", Type: "bool", Form: true}

// transferInType is 关系转入 (spec/records.md 30, manual 8.1). All of them wait to be decided on
// in 审批事项 (A34); what was decided stays as it is (A04).
func (s *Service) transferInType() *records.Type[*model.TransferIn] {
	pending := []string{model.ApprovalPending}
	return &records.Type[*model.TransferIn]{
		Name: "transferIn", Title: "关系转入", Menu: "组织关系", Icon: "transferIn", Section: "8.1", Collection: s.ins, NameKey: "name",
		Indexes: []model.Index{records.ByMember, {Keys: bson.D{{Key: "idBlind", Value: 1}, {Key: "phoneBlind", Value: 1}}},
			{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "undecided", Value: -1}, {Key: "_id", Value: -1}}}},
		Fields: []records.Field{
			{Key: "idNumber", Label: "身份证号", Type: "idNumber", Required: true, List: true, Form: true, Width: 190}, // while it waits
			{Key: "toOrgId", Label: "转入党组织", Type: "ref", Ref: "organization", Resolver: "branch", Required: true, List: true, Form: true, After: "fromOrgName", Width: 170},
			{Key: "transferType", Label: "转入类型", Type: "enum", Required: true, List: true, Form: true, After: "toOrgId", Options: []records.Option{
				{Value: "province", Label: "省外"}, {Value: "city", Label: "市外"}, {Value: "county", Label: "区外"}, {Value: model.TransferPlatform, Label: "平台内"}}},
			{Key: "state", Label: "状态", List: true, Search: true, ReadOnly: true},
		},
		Exports: []string{"name", "idNumber", "fromOrgName", "toOrgId", "transferType", "appliedOn", "state", "approvedAt"},
		Unique: []records.Unique{{Keys: []string{"idBlind"}, Field: "idNumber", Message: errPending,
			Partial: bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalPending}}}},
		Life: &records.Life[*model.TransferIn]{
			Field: "state", At: func(t *model.TransferIn, _ time.Time) string { return t.State }, States: states(),
			Verbs: []records.Verb[*model.TransferIn]{
				{Key: "update", In: pending, Refuse: errFixed},
				{Key: "delete", In: pending, Refuse: errKept},
			},
		},
		BeforeSave: s.checkIn,
	}
}

// checkIn holds the rules of a transfer-in that waits; its personal fields are open.
func (s *Service) checkIn(ctx context.Context, old, t *model.TransferIn) error {
	now, c := s.d.Clock.Now(), kit.CallerOf(ctx)
	if old == nil {
		t.Approval = model.Approval{State: model.ApprovalPending, Undecided: true}
		t.AppliedOn, t.Channel = now.In(kit.Shanghai).Format(time.DateOnly), model.FromConsole
		if c.Kind == kit.System { // a visitor's form
			t.Channel = model.FromMobile
		}
	}
	t.OrgID = t.ToOrgID
	wrong := t.Wrong()
	if t.TransferType == model.TransferPlatform {
		wrong["transferType"] = "平台内转接由转出方办理，无需添加"
	}
	if t.LetterDate != "" && t.ValidDays > 0 {
		if end, err := time.Parse(time.DateOnly, t.LetterDate); err == nil && end.AddDate(0, 0, t.ValidDays).Format(time.DateOnly) < t.AppliedOn {
			wrong["validDays"] = "介绍信已过有效期"
		}
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	return s.admissible(ctx, t, true)
}

// admissible tells whether the person could be put on the roll; what is wrong is told at the
// field of the form, or in a sentence.
func (s *Service) admissible(ctx context.Context, t *model.TransferIn, form bool) error {
	_, err := s.d.Party.CheckAdmission(kit.OnBehalf(ctx), admission(t))
	e, refused := errors.AsType[*kit.Error](err)
	switch {
	case !refused || !form:
		return err
	case e.Key == "member.taken":
		return kit.InvalidFields(map[string]string{"idNumber": e.Message})
	case e.Key == "member.phone":
		return kit.InvalidFields(map[string]string{"phone": e.Message})
	case len(e.Fields) > 0:
		fields := map[string]string{}
		for k, v := range e.Fields {
			if k == "orgId" {
				k = "toOrgId"
			}
			fields[k] = v
		}
		return kit.InvalidFields(fields)
	}
	return err
}

// admission is who comes by an open transfer-in.
func admission(t *model.TransferIn) *party.AdmitReq {
	return &party.AdmitReq{
		MemberId: memberOf(t), OrgId: t.ToOrgID, Name: t.Name, Gender: t.Gender, IdNumber: t.IDNumber, Phone: t.Phone,
		Ethnicity: t.Ethnicity, Education: t.Education, MemberType: t.MemberType, JoinedOn: t.JoinedOn, RegularizedOn: t.RegularizedOn,
		DuesPaidThrough: t.DuesPaidThrough,
	}
}

// memberOf is the id on the roll of who comes by a transfer, so that he comes once.
func memberOf(t *model.TransferIn) string { return kit.KeyID("transfer-in", t.ID) }

// transferInApprovals decides on them (manual 17.5).
func (s *Service) transferInApprovals(t *records.Type[*model.TransferIn]) *records.Type[*model.TransferIn] {
	a := decided(t, &records.Approval[*model.TransferIn]{
		Ask: []records.Field{papers},
		OnApprove: func(ctx context.Context, t *model.TransferIn, in records.Input) error {
			if yes, _ := in["paperChecked"].(bool); !yes {
				return errPapers
			}
			open := *t
			if err := s.d.Seal.Disclose(&open); err != nil {
				return err
			}
			t.PaperChecked, t.MemberID = true, memberOf(t)
			return s.admissible(ctx, &open, false)
		},
		Applicant: func(t *model.TransferIn) string { return t.MemberID },
		Effect:    s.admit,
	})
	a.BeforeSave = nil
	a.Where = func(context.Context, map[string]string) bson.D {
		return bson.D{{Key: "outId", Value: bson.D{{Key: "$exists", Value: false}}}}
	}
	return a
}

// admit puts who was approved on the roll. Should his number be another's by now, the approval is
// taken back with the reason: nobody is on two rolls.
func (s *Service) admit(ctx context.Context, t *model.TransferIn) error {
	open := *t
	if err := s.d.Seal.Disclose(&open); err != nil {
		return err
	}
	_, err := s.d.Party.AdmitMember(kit.OnBehalf(ctx), admission(&open))
	e, refused := errors.AsType[*kit.Error](err)
	if !refused || e.Key != "member.taken" && e.Key != "member.phone" {
		return err
	}
	_, err = s.ins.Update(ctx, model.Everything, t.ID, func(t *model.TransferIn) error {
		t.State, t.Opinion, t.MemberID = model.ApprovalRejected, e.Message, ""
		return nil
	})
	return err
}
