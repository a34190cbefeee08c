package content

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// kindReplied names the template of the message about an answered letter; its fields are
// title, result and time.
const kindReplied = "replied"

// suggestionType is 党员建议 (spec/records.md 10, manual 5.8).
func (s *Service) suggestionType() *records.Type[*model.Letter] {
	return s.letterType("suggestion", "党员建议", "建议", "5.8", &records.Place{Page: "mine", Title: "我的建议", Icon: "suggestion", Order: 3}, s.suggestions)
}

// helpType is 党员帮助 (spec/records.md 11, manual 5.9): a letter whose writer wants to be
// called, so that it shows his phone.
func (s *Service) helpType() *records.Type[*model.Letter] {
	t := s.letterType("helpRequest", "党员帮助", "帮助", "5.9", &records.Place{Page: "mine", Title: "需要帮助", Icon: "help", Order: 4}, s.helps)
	t.Fields = append(t.Fields, records.Field{Key: "phone", Label: "手机号", Type: "phone", List: true, Virtual: true, After: "orgId"})
	read := t.Viewed
	t.Viewed = func(ctx context.Context, l *model.Letter) error {
		if err := read(ctx, l); err != nil || !kit.CallerOf(ctx).Can("member.reveal") {
			return err
		}
		m, err := s.d.Party.RevealMember(ctx, &partygen.MemberReq{MemberId: l.MemberID}) // writes the look down
		if errors.Is(kit.FromError(err), kit.ErrNotFound) {
			return nil // he moved away: masked
		}
		if err != nil {
			return err
		}
		l.Phone = m.Phone
		return nil
	}
	t.Present = s.showPhones
	return t
}

// letterType is what members hand in: unread, read by the first admin who opens it, then
// answered once.
func (s *Service) letterType(name, title, noun, section string, place *records.Place, c *model.Collection[*model.Letter]) *records.Type[*model.Letter] {
	return &records.Type[*model.Letter]{
		Name: name, Title: title, Menu: "组织管理", Icon: place.Icon, Section: section, Collection: c, Indexes: []model.Index{records.ByMember}, NoCreate: true, NoUpdate: true,
		Fields: []records.Field{
			orgOf("memberId"),
			{Key: "content", Label: noun + "内容", Type: "text", Required: true, Form: true, Max: 1000},
			{Key: "read", Label: "处理情况", List: true, Search: true, Virtual: true},
		},
		Exports: []string{"memberId", "orgId", "title", "content", "submittedAt"},
		NameKey: "title",
		Life: &records.Life[*model.Letter]{
			Field: "read", At: func(l *model.Letter, _ time.Time) string { return l.State() }, States: letterStates,
			Verbs: []records.Verb[*model.Letter]{{
				Key: "reply", In: []string{model.LetterUnread, model.LetterRead}, Refuse: kit.Conflict("action.refused", "该%s已回复", noun)}},
		},
		Own: &records.Own[*model.Letter]{
			Place: place,
			Where: records.Mine, Create: true, Announce: true,
			Fields: []string{"title", "content", "images", "submittedAt", "read", "reply", "repliedAt"},
			Form:   []string{"title", "content", "images"},
			Prepare: func(ctx context.Context, l *model.Letter) error {
				c := kit.CallerOf(ctx)
				l.MemberID, l.OrgID, l.Orgs, l.SubmittedAt = c.MemberID, c.OrgID, c.Orgs, s.d.Clock.Now()
				return nil
			},
		},
		Actions: []records.Action[*model.Letter]{{
			Key: "reply", Title: "回复", Fields: []records.Field{{Key: "reply", Label: "回复", Type: "text", Required: true, Form: true, Max: 1000}},
			Do: func(ctx context.Context, l *model.Letter, in records.Input) error {
				s.reply(ctx, l, name, noun, in.String("reply"))
				return nil
			},
		}},
		Viewed: func(ctx context.Context, l *model.Letter) error {
			if l.ReadAt != nil {
				return nil
			}
			now := s.d.Clock.Now()
			read, err := c.Update(ctx, model.Everything, l.ID, func(d *model.Letter) error {
				if d.ReadAt == nil {
					d.ReadAt = &now
				}
				return nil
			})
			if err == nil {
				*l = *read
			}
			return err
		},
	}
}

func there(field string, is bool) bson.E {
	return bson.E{Key: field, Value: bson.D{{Key: "$exists", Value: is}}}
}

// letterStates are the states of a letter, which follow from when it was read and answered.
var letterStates = []records.State{
	{Value: model.LetterUnread, Label: "未查看", Color: "warning", Where: func(time.Time) bson.D { return bson.D{there("readAt", false), there("repliedAt", false)} }},
	{Value: model.LetterRead, Label: "已查看", Color: "primary", Where: func(time.Time) bson.D { return bson.D{there("readAt", true), there("repliedAt", false)} }},
	{Value: model.LetterReplied, Label: "已回复", Color: "success", Where: func(time.Time) bson.D { return bson.D{there("repliedAt", true)} }},
}

// reply answers a letter and lets its writer know.
func (s *Service) reply(ctx context.Context, l *model.Letter, typ, noun, text string) {
	now := s.d.Clock.Now()
	if l.ReadAt == nil {
		l.ReadAt = &now
	}
	l.Reply, l.RepliedBy, l.RepliedAt = text, kit.CallerOf(ctx).Name, &now
	l.Tell(kit.KeyID(kindReplied, l.ID), now, model.Told{
		Kind: kindReplied, Title: noun + "已回复", Content: "您的" + noun + "“" + l.Title + "”已回复：" + text,
		TargetType: typ, TargetID: l.ID, Page: "pages/records/detail?type=" + typ + "&id=" + l.ID, MemberIDs: []string{l.MemberID},
		Fields: map[string]string{"title": l.Title, "result": "已回复", "time": now.In(kit.Shanghai).Format("2006年01月02日 15:04")},
	})
}

// showPhones shows the writers' phones, masked unless the letter was opened by somebody
// who may see them.
func (s *Service) showPhones(ctx context.Context, docs []*model.Letter, rows []records.Row) error {
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.MemberID
	}
	list, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: ids})
	if err != nil {
		return err
	}
	masked := make(map[string]string, len(list.Members))
	for _, m := range list.Members {
		masked[m.Id] = m.Phone
	}
	for i, d := range docs {
		if rows[i]["phone"] = masked[d.MemberID]; d.Phone != "" {
			rows[i]["phone"] = d.Phone
		}
	}
	return nil
}
