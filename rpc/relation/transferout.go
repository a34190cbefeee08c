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

// mostDays is how long a letter may hold at most, and does unless said otherwise (domain-rules 4).
const mostDays = 90

// transferOutType is 关系转出 (spec/records.md 31, manual 8.2). All of them wait to be decided on in
// 审批事项; a rejected one can be changed, and waits again (A04).
func (s *Service) transferOutType() *records.Type[*model.TransferOut] {
	approved := []string{model.ApprovalApproved}
	return &records.Type[*model.TransferOut]{
		Name: "transferOut", Title: "关系转出", Menu: "组织关系", Icon: "transferOut", Section: "8.2", Collection: s.outs, NameKey: "toOrgName",
		NoDelete: true, Stays: true,
		Parts: []records.Part{records.AboutMember(s.party)},
		Indexes: []model.Index{
			{Keys: bson.D{{Key: "letterToken", Value: 1}}, Sparse: true},
			{Keys: bson.D{{Key: "state", Value: 1}, {Key: "expiresOn", Value: 1}}},
			{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "undecided", Value: -1}, {Key: "_id", Value: -1}}},
		},
		Fields: []records.Field{
			{Key: "orgId", Label: "转出党组织", Ref: "organization", List: true, ReadOnly: true, After: "memberId", Width: 160},
			{Key: "toOrgId", Label: "平台内转入组织", Type: "ref", Ref: "anyBranch", ReadOnly: true, After: "mode"},
			{Key: "state", Label: "状态", List: true, Search: true, ReadOnly: true},
			{Key: "letterState", Label: "介绍信", Type: "enum", Virtual: true, ReadOnly: true, List: true, After: "letterNo", Options: []records.Option{
				{Value: "valid", Label: "有效", Color: "success"}, {Value: "ending", Label: "即将到期", Color: "warning"}, {Value: "expired", Label: "已过期", Color: "danger"},
				{Value: "received", Label: "已回执", Color: "info"}}},
			{Key: "letterUrl", Label: "介绍信二维码地址", Virtual: true, ReadOnly: true},
		},
		Exports: []string{"memberId", "idNumber", "orgId", "toOrgName", "mode", "letterNo", "appliedOn", "state", "returnedOn"},
		Unique: []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有待审批的关系转出",
			Partial: bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalPending}}}},
		Actions: []records.Action[*model.TransferOut]{
			{Key: "print", Title: "打印介绍信", Print: s.printLetter},
			{Key: "receive", Title: "登记回执", Alone: true, Do: s.receive, Fields: []records.Field{
				{Key: "receivedOn", Label: "回执日期", Type: "date", Required: true, Form: true, Past: true},
				{Key: "receivedBy", Label: "接收单位及经办人", Type: "string", Required: true, Form: true, Max: 200}}},
			{Key: "renew", Title: "延期", Alone: true, Do: s.renew, Fields: []records.Field{
				{Key: "validDays", Label: "有效期（天）", Type: "int", Required: true, Form: true, Min: 1, Max: mostDays, Help: "自今日起重新计算，最长90天"},
				{Key: "renewReason", Label: "延期原因", Type: "text", Required: true, Form: true, Max: 200}}},
			{Key: "return", Title: "转回", Alone: true, Do: s.takeBack, Fields: []records.Field{
				{Key: "returnReason", Label: "转回原因", Type: "text", Required: true, Form: true, Max: 500},
				{Key: "returnedOn", Label: "转回时间", Type: "date", Required: true, Form: true, Past: true}}},
			{Key: "returned", Title: "已转回", Opens: true, Permission: "transferOut.view"},
		},
		Life: &records.Life[*model.TransferOut]{
			Field: "state", At: func(t *model.TransferOut, _ time.Time) string { return t.State },
			States: states(records.State{Value: model.TransferReturned, Label: "已转回", Color: "info"}),
			Verbs: []records.Verb[*model.TransferOut]{
				{Key: "update", In: []string{model.ApprovalPending, model.ApprovalRejected}, Refuse: errFixed},
				{Key: "print", In: approved, Refuse: kit.Conflict("letter.none", "审批通过后才能打印介绍信")},
				{Key: "receive", In: approved, If: func(_ *kit.Caller, t *model.TransferOut, now time.Time) *kit.Error {
					switch {
					case t.Mode != model.TransferExternal:
						return kit.Conflict("letter.internal", "平台内流转无需回执")
					case t.ReceivedOn != "":
						return kit.Conflict("letter.received", "已登记回执")
					case t.Expired(now.In(kit.Shanghai).Format(time.DateOnly)):
						return kit.Conflict("letter.expired", "介绍信已过有效期，请先办理延期")
					}
					return nil
				}},
				{Key: "renew", In: approved, If: func(_ *kit.Caller, t *model.TransferOut, _ time.Time) *kit.Error {
					if t.Mode != model.TransferExternal || t.ReceivedOn != "" {
						return kit.Conflict("letter.closed", "该介绍信无需延期")
					}
					return nil
				}},
				{Key: "return", In: approved, To: model.TransferReturned},
				{Key: "returned", In: []string{model.TransferReturned}},
			},
		},
		Present: func(_ context.Context, docs []*model.TransferOut, rows []records.Row) error {
			for i, t := range docs {
				if t.LetterToken != "" {
					rows[i]["letterUrl"], rows[i]["letterState"] = s.address(t.LetterToken), t.Letter(s.d.Clock.Now().In(kit.Shanghai), warnings[0])
				}
			}
			return nil
		},
		BeforeSave: s.checkOut,
		Follow:     s.carryOut,
		FollowWhen: func(t *model.TransferOut) bool {
			return t.State == model.TransferReturned || t.State == model.ApprovalApproved
		},
	}
}

// checkOut holds the rules of a transfer-out that waits; a rejected one waits again.
func (s *Service) checkOut(ctx context.Context, old, t *model.TransferOut) error {
	m, err := s.party.Member(ctx, t.MemberID)
	if err != nil {
		return err
	}
	if m.Status != "active" || m.OrgId != t.OrgID {
		return kit.InvalidFields(map[string]string{"memberId": "该党员不在册，不能转出"})
	}
	if !model.IsPartyMember(m.MemberType) {
		return kit.InvalidFields(map[string]string{"memberId": "只有正式党员和预备党员可以转出组织关系"})
	}
	if old == nil {
		t.AppliedOn = s.today()
		if t.Channel == "" {
			t.Channel = model.FromConsole
		}
	}
	t.Approval = model.Approval{State: model.ApprovalPending, Undecided: true}
	return nil
}

// transferOutApprovals decides on them, and is what members hand in and follow (manual 17.6, 8.2.1).
func (s *Service) transferOutApprovals(t *records.Type[*model.TransferOut]) *records.Type[*model.TransferOut] {
	a := decided(t, &records.Approval[*model.TransferOut]{
		Ask: []records.Field{
			{Key: "mode", Label: "操作类型", Type: "enum", Required: true, Form: true, Options: []records.Option{
				{Value: model.TransferExternal, Label: "转出操作"}, {Value: model.TransferInternal, Label: "平台内流转"}}},
			{Key: "toOrgId", Label: "平台内转入组织", Type: "ref", Ref: "anyBranch", Form: true, ShowIf: &records.ShowIf{Field: "mode", In: []string{model.TransferInternal}}},
			{Key: "validDays", Label: "介绍信有效期（天）", Type: "int", Form: true, Min: 1, Max: mostDays, Help: "不填为90天", ShowIf: &records.ShowIf{Field: "mode", In: []string{model.TransferExternal}}},
			papers,
		},
		Applicant: func(t *model.TransferOut) string { return t.MemberID },
		OnApprove: s.approveOut,
		Effect:    s.carryOut,
	}, records.State{Value: model.TransferReturned, Label: "已转回", Color: "info"})
	a.BeforeSave = s.checkOut
	a.Life.Verbs = []records.Verb[*model.TransferOut]{{Key: "update", In: []string{model.ApprovalPending, model.ApprovalRejected}, Refuse: errFixed}}
	form := []string{"toOrgName", "reason", "duesPaidThrough", "appointmentAt"}
	a.Own = &records.Own[*model.TransferOut]{
		Where: records.Mine, Create: true, Update: true, Form: form, Fields: append(form, "state", "opinion", "letterNo", "expiresOn", "createdAt", "approvedAt"),
		Place: &records.Place{Page: "apply", Title: "关系转出", Icon: "transferOut", Order: 5},
		Prepare: func(ctx context.Context, t *model.TransferOut) error {
			t.MemberID, t.Channel = kit.CallerOf(ctx).MemberID, model.FromMobile
			return nil
		},
	}
	return a
}

// approveOut takes the approver's choice and issues the letter.
func (s *Service) approveOut(ctx context.Context, t *model.TransferOut, in records.Input) error {
	if yes, _ := in["paperChecked"].(bool); !yes {
		return errPapers
	}
	m, err := s.party.Member(ctx, t.MemberID)
	if err != nil {
		return err
	}
	if m.Status != "active" || m.OrgId != t.OrgID {
		return kit.Conflict("member.gone", "该党员已不在原支部")
	}
	t.PaperChecked, t.Mode, t.ToOrgID = true, in.String("mode"), ""
	now := s.d.Clock.Now().In(kit.Shanghai)
	if t.Mode == model.TransferInternal {
		if t.ToOrgID = in.String("toOrgId"); t.ToOrgID == "" {
			return kit.InvalidFields(map[string]string{"toOrgId": "请选择转入组织"})
		}
		if _, err := s.d.Party.CheckMove(kit.OnBehalf(ctx), &party.MoveReq{MemberId: t.MemberID, FromOrgId: t.OrgID, ToOrgId: t.ToOrgID}); err != nil {
			if e, ok := errors.AsType[*kit.Error](err); ok && e.Key == "member.target" {
				return kit.InvalidFields(map[string]string{"toOrgId": e.Message})
			}
			return err
		}
	}
	days := mostDays
	if n, ok := in["validDays"].(int64); ok && n > 0 {
		days = int(n)
	}
	t.Issue(now, days)
	t.LetterToken = kit.Token()
	return nil
}

// carryOut does on the roll what a transfer-out came to: who is approved leaves it, or is on that
// of another branch, whose transfer-in it makes; who is taken back is on the first one again. What
// was done is not done twice.
func (s *Service) carryOut(ctx context.Context, t *model.TransferOut) error {
	if err := s.numbered(ctx, t); err != nil {
		return err
	}
	on := kit.OnBehalf(ctx)
	internal, back := t.Mode == model.TransferInternal, t.State == model.TransferReturned
	switch {
	case internal && back:
		_, err := s.d.Party.MoveMember(on, &party.MoveReq{MemberId: t.MemberID, FromOrgId: t.ToOrgID, ToOrgId: t.OrgID})
		return err
	case internal:
		if _, err := s.d.Party.MoveMember(on, &party.MoveReq{MemberId: t.MemberID, FromOrgId: t.OrgID, ToOrgId: t.ToOrgID}); err != nil {
			return err
		}
		return s.receiveHere(ctx, t)
	}
	_, err := s.d.Party.SetStanding(on, &party.StandingReq{MemberId: t.MemberID, Left: !back, Transferred: true})
	return err
}

// numbered gives an approved transfer the number of its letter, once.
func (s *Service) numbered(ctx context.Context, t *model.TransferOut) error {
	if t.LetterNo != "" {
		return nil
	}
	no, err := s.next(ctx, "介", s.d.Clock.Now())
	if err != nil {
		return err
	}
	now, err := s.outs.Update(ctx, model.Everything, t.ID, func(t *model.TransferOut) error {
		if t.LetterNo != "" { // another worker was faster
			return model.ErrUnchanged
		}
		t.LetterNo = no
		return nil
	})
	if err == nil {
		*t = *now
	}
	return err
}

// receiveHere is the transfer-in of the branch that somebody comes to within this system, once.
func (s *Service) receiveHere(ctx context.Context, t *model.TransferOut) error {
	m, err := s.d.Party.GetMember(kit.AsSystem(ctx), &party.MemberReq{MemberId: t.MemberID})
	if err != nil {
		return err
	}
	names, err := s.party.OrgNames(ctx, []string{t.OrgID})
	if err != nil {
		return err
	}
	path, err := s.party.Path(kit.AsSystem(ctx), t.ToOrgID)
	if err != nil {
		return err
	}
	in := &model.TransferIn{
		Base:   model.Base{ID: kit.KeyID("transfer-in-of", t.ID), OrgID: t.ToOrgID, Orgs: path, CreatedBy: t.ApproverID},
		Person: model.Person{Name: m.Name, Gender: m.Gender, IDNumber: m.IdNumber, Phone: m.Phone}, MemberType: m.MemberType, JoinedOn: m.JoinedOn,
		FromOrgName: names[t.OrgID], ToOrgID: t.ToOrgID, TransferType: model.TransferPlatform, LetterNo: t.LetterNo, LetterDate: t.LetterDate, ValidDays: t.ValidDays,
		DuesPaidThrough: t.DuesPaidThrough, Reason: t.Reason, AppliedOn: t.AppliedOn, PaperChecked: true, OutID: t.ID, MemberID: t.MemberID,
		Application: model.Application{Approval: t.Approval, Channel: model.TransferPlatform},
	}
	s.d.Seal.Close(in)
	if err := s.ins.Insert(ctx, in); !errors.Is(err, model.ErrDuplicate) {
		return err
	}
	return nil
}

func (s *Service) receive(_ context.Context, t *model.TransferOut, in records.Input) error {
	if in.String("receivedOn") < t.LetterDate {
		return kit.InvalidFields(map[string]string{"receivedOn": "回执日期不能早于介绍信日期"})
	}
	t.ReceivedOn, t.ReceivedBy = in.String("receivedOn"), in.String("receivedBy")
	return nil
}

func (s *Service) renew(_ context.Context, t *model.TransferOut, in records.Input) error {
	days, _ := in["validDays"].(int64)
	t.Issue(s.d.Clock.Now().In(kit.Shanghai), int(days))
	t.RenewReason = in.String("renewReason")
	return nil
}

// takeBack is 转回 (8.2.5): within this system only while he is still where he went (A21).
func (s *Service) takeBack(ctx context.Context, t *model.TransferOut, in records.Input) error {
	on := in.String("returnedOn")
	if t.ApprovedAt != nil && on < t.ApprovedAt.In(kit.Shanghai).Format(time.DateOnly) {
		return kit.InvalidFields(map[string]string{"returnedOn": "转回时间不能早于审批时间"})
	}
	if t.Mode == model.TransferInternal {
		m, err := s.party.Member(ctx, t.MemberID)
		if err != nil {
			return err
		}
		if m.Status != "active" || m.OrgId != t.ToOrgID {
			return kit.Conflict("transfer.left", "该党员已不在转入组织，不能转回")
		}
	} else if _, err := s.d.Party.CheckReturn(kit.AsSystem(ctx), &party.MemberReq{MemberId: t.MemberID}); err != nil {
		return err
	}
	t.ReturnReason, t.ReturnedOn, t.ReturnedBy = in.String("returnReason"), on, kit.CallerOf(ctx).Name
	return nil
}
