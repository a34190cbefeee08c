package party

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var editable = []string{"phone", "education", "degree", "address", "email", "position"}

// profileChangeType is 个人信息修改申请 (spec/records.md 14): a member asks, an admin of his
// branch or above approves, then exactly what he asked for changes (manual 6).
func (s *Service) profileChangeType() *records.Type[*model.ProfileChange] {
	return &records.Type[*model.ProfileChange]{
		Name: "profileChange", Title: "信息修改申请", Menu: "党员管理", Icon: "change", Section: "6.1.9",
		Collection: model.NewCollection[*model.ProfileChange](s.d.DB, "profileChanges", s.d.Clock.Now),
		NoCreate:   true, NoUpdate: true, NoDelete: true,
		Fields: []records.Field{
			{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", List: true, After: "memberId"},
			{Key: "summary", Label: "修改内容", Type: "text", List: true, Virtual: true, After: "memberId", Width: 320},
			{Key: "createdAt", Label: "提交时间", Type: "datetime", List: true},
		},
		Unique: []records.Unique{{
			Keys: []string{"memberId"}, Message: "已有待审核的修改",
			Partial: bson.D{{Key: "deleted", Value: false}, {Key: "state", Value: model.ApprovalPending}},
		}},
		NameOf: func(*model.ProfileChange) string { return "个人信息修改" },
		Own: &records.Own[*model.ProfileChange]{
			Place: &records.Place{Page: "personal", Title: "修改申请", Icon: "change", Order: 2},
			Where: records.Mine, Create: true, Form: editable,
			Fields: []string{"summary", "state", "opinion", "createdAt", "approvedAt"},
			Prepare: func(ctx context.Context, p *model.ProfileChange) error {
				p.MemberID = kit.CallerOf(ctx).MemberID
				return nil
			},
		},
		BeforeSave: s.checkProfileChange,
		Approval: &records.Approval[*model.ProfileChange]{
			Applicant: func(p *model.ProfileChange) string { return p.MemberID },
			OnApprove: s.phoneFree,
			Effect:    s.changeProfile,
		},
		Present: func(_ context.Context, docs []*model.ProfileChange, rows []records.Row) error {
			for i, p := range docs {
				rows[i]["summary"], rows[i]["changes"] = told(p.Changes), p.Changes
				for _, k := range editable {
					rows[i].Hide(k)
				}
			}
			return nil
		},
		// Who decides compares what is with what shall be.
		Reveal: func(ctx context.Context, p *model.ProfileChange, row records.Row) error {
			m, err := s.members.Get(ctx, model.Everything, p.MemberID)
			if err != nil {
				return err
			}
			if err := s.d.Seal.Disclose(m); err != nil {
				return err
			}
			was, asked := map[string]string{"phone": m.Phone, "address": m.Address}, map[string]any{"phone": row["phone"], "address": row["address"]}
			changes := slices.Clone(p.Changes)
			for i, c := range changes {
				if now, personal := asked[c.Field].(string); personal {
					if changes[i].NewValue = now; p.State == model.ApprovalPending { // else it may have changed since
						changes[i].OldValue = was[c.Field]
					}
				}
			}
			row["summary"], row["changes"] = told(changes), changes
			for _, k := range editable {
				delete(row, k)
			}
			return nil
		},
	}
}

// told are changes as people read them.
func told(changes []model.ProfileFieldChange) string {
	text := ""
	for _, c := range changes {
		old := c.OldValue
		if old == "" {
			old = "（空）"
		}
		text += c.Label + "：" + old + " → " + c.NewValue + "\n"
	}
	return text
}

// checkProfileChange writes down old and new values, the personal ones masked.
func (s *Service) checkProfileChange(ctx context.Context, _, p *model.ProfileChange) error {
	m, err := s.members.Get(ctx, model.Everything, p.MemberID)
	if err != nil {
		return err
	}
	if m.Status != "active" {
		return kit.ErrNotFound
	}
	if p.Phone != "" && !model.IsMobile(p.Phone) {
		return kit.InvalidFields(map[string]string{"phone": "手机号格式不正确"})
	}
	p.OrgID, p.Orgs = m.OrgID, m.Orgs
	label := records.OptionLabels[model.ProfileChange]()
	add := func(field, label, was, now string) {
		if now != "" && now != was {
			p.Changes = append(p.Changes, model.ProfileFieldChange{Field: field, Label: label, OldValue: was, NewValue: now})
		}
	}
	if p.Phone != "" {
		p.PhoneBlind = s.d.Seal.Blind(p.Phone)
		if p.PhoneBlind != m.PhoneBlind {
			add("phone", "手机号", m.PhoneMasked, model.MaskPhone(p.Phone))
		}
	}
	if p.Address != "" {
		was := ""
		if m.Address != "" {
			was = "******"
		}
		p.Changes = append(p.Changes, model.ProfileFieldChange{Field: "address", Label: "住址", OldValue: was, NewValue: model.Mask("", p.Address)})
	}
	add("education", "学历", label("education", m.Education), label("education", p.Education))
	add("degree", "学位", label("degree", m.Degree), label("degree", p.Degree))
	add("email", "邮箱", m.Email, p.Email)
	add("position", "职务", m.Position, p.Position)
	if len(p.Changes) == 0 {
		return kit.Invalid("profile.unchanged", "请至少修改一项内容")
	}
	return s.phoneFree(ctx, p, nil)
}

// phoneFree refuses a phone that another active member has.
func (s *Service) phoneFree(ctx context.Context, p *model.ProfileChange, _ records.Input) error {
	if p.PhoneBlind == "" {
		return nil
	}
	m, err := s.members.FindOne(ctx, model.Everything, append(bson.D{{Key: "phoneBlind", Value: p.PhoneBlind}}, active...))
	if errors.Is(err, model.ErrNotFound) || err == nil && m.ID == p.MemberID {
		return nil
	}
	if err != nil {
		return err
	}
	return kit.InvalidFields(map[string]string{"phone": "手机号已存在"})
}

// changeProfile writes what was approved into the member, and nothing else.
func (s *Service) changeProfile(ctx context.Context, p *model.ProfileChange) error {
	asked := *p
	if err := s.d.Seal.Disclose(&asked); err != nil {
		return err
	}
	_, err := s.members.Update(ctx, model.Everything, p.MemberID, func(m *model.Member) error {
		was := *m
		if err := s.d.Seal.Disclose(m); err != nil {
			return err
		}
		set := func(to *string, v string) {
			if v != "" {
				*to = v
			}
		}
		set(&m.Phone, asked.Phone)
		set(&m.Address, asked.Address)
		set(&m.Education, p.Education)
		set(&m.Degree, p.Degree)
		set(&m.Email, p.Email)
		set(&m.Position, p.Position)
		s.d.Seal.Close(m)
		return s.Audit(ctx, "member", "档案变更", &was, m)
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil // gone meanwhile: nothing to change
	}
	return err
}
