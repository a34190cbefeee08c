package roll

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// lostContactType is 失联党员 (PLUS-17): the search, 停止党籍 by decision after six months, and the way
// back. While suspended the member is off lists, choosers and dues, with his record as it was.
func (s *Service) lostContactType() *records.Type[*model.LostContact] {
	searching, suspended := []string{model.LostSearching}, []string{model.LostSuspended}
	date := func(key, label string) records.Field {
		return records.Field{Key: key, Label: label, Type: "date", Required: true, Form: true, Past: true}
	}
	text := func(key, label, help string) records.Field {
		return records.Field{Key: key, Label: label, Type: "text", Required: true, Form: true, Max: 500, Help: help}
	}
	today := func() string { return s.d.Clock.Now().In(kit.Shanghai).Format(time.DateOnly) }
	return &records.Type[*model.LostContact]{
		Name: "lostContact", Title: "失联党员", Menu: "党员管理", Icon: "leave", Section: "6.7.1",
		Collection: model.NewCollection[*model.LostContact](s.d.DB, "lostContacts", s.d.Clock.Now),
		NoDelete:   true, Stays: true,
		Parts: []records.Part{records.AboutMember(s.party)},
		Fields: []records.Field{
			{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", List: true, ReadOnly: true, After: "memberId"},
			{Key: "searches", Label: "查找情况", Type: "text", Virtual: true, ReadOnly: true, List: true, After: "cause", Width: 260},
			{Key: "due", Label: "期限", Type: "enum", Virtual: true, Search: true, Options: []records.Option{{Value: "now", Label: "已到期限"}}},
		},
		Exports: []string{"memberId", "idNumber", "orgId", "lostOn", "cause", "suspendedOn", "endedOn", "state"},
		Todo:    &records.Todo{Title: "失联党员到期限待处理", Filter: "due", Value: "now", Verb: "suspend"},
		Unique: []records.Unique{{Keys: []string{"memberId"}, Field: "memberId", Message: "该党员已有正在办理的失联记录",
			Partial: bson.D{{Key: "deleted", Value: false}, {Key: "open", Value: true}}}},
		NameOf: func(*model.LostContact) string { return "失联党员记录" },
		Filter: func(_ context.Context, key, value string) (bson.D, bool, error) {
			if key != "due" {
				return nil, false, nil
			}
			if value != "now" {
				return nil, true, kit.Invalid("filter.invalid", "筛选条件“期限”填写有误")
			}
			return bson.D{{Key: "dueOn", Value: bson.D{{Key: "$gt", Value: ""}, {Key: "$lte", Value: today()}}}}, true, nil
		},
		BeforeSave: func(ctx context.Context, old, l *model.LostContact) error {
			if old == nil {
				m, err := s.party.Member(ctx, l.MemberID)
				if err != nil {
					return err
				}
				if m.Status != "active" || !model.IsPartyMember(m.MemberType) {
					return kit.InvalidFields(map[string]string{"memberId": "只登记在册的正式党员和预备党员"})
				}
				l.State = model.LostSearching
			}
			if l.State != model.LostSearching && old != nil && old.LostOn != l.LostOn {
				return kit.InvalidFields(map[string]string{"lostOn": "已作出决定，不能更改失联时间"})
			}
			due(l)
			return nil
		},
		Actions: []records.Action[*model.LostContact]{
			{Key: "search", Title: "登记查找", Alone: true, Fields: []records.Field{date("on", "查找日期"), text("way", "查找方式", "如：电话、上门、走访亲属、公安协查"), text("result", "查找结果", "")},
				Do: func(ctx context.Context, l *model.LostContact, in records.Input) error {
					if in.String("on") < l.LostOn {
						return kit.InvalidFields(map[string]string{"on": "不能早于失联时间"})
					}
					l.Searches = append(l.Searches, model.LostSearch{On: in.String("on"), Way: in.String("way"), Result: in.String("result"), By: kit.CallerOf(ctx).Name})
					return nil
				}},
			{Key: "found", Title: "已取得联系", Alone: true, Fields: []records.Field{date("endedOn", "取得联系日期"), text("endedBy", "取得联系的情况", "")},
				Do: func(_ context.Context, l *model.LostContact, in records.Input) error {
					l.EndedOn, l.EndedBy, l.State = in.String("endedOn"), in.String("endedBy"), model.LostFound
					due(l)
					return nil
				}},
			{Key: "suspend", Title: "停止党籍", Alone: true, Confirm: "停止党籍后，该党员不再出现在党员名册、缴费和活动名单中；资料保留，取得联系后可按程序恢复。",
				Fields: []records.Field{date("suspendedOn", "决定日期"), {Key: "suspendedBy", Label: "作出决定的党组织", Type: "string", Required: true, Form: true, Max: 100}, text("suspendReason", "决定内容", "")},
				Do: func(_ context.Context, l *model.LostContact, in records.Input) error {
					if in.String("suspendedOn") < l.DueOn {
						return kit.InvalidFields(map[string]string{"suspendedOn": "失联满六个月后方可决定，不早于" + l.DueOn})
					}
					l.SuspendedOn, l.SuspendedBy, l.SuspendReason, l.State = in.String("suspendedOn"), in.String("suspendedBy"), in.String("suspendReason"), model.LostSuspended
					due(l)
					return nil
				}},
			{Key: "restore", Title: "恢复党籍", Alone: true, Fields: []records.Field{date("endedOn", "恢复日期"), text("endedBy", "恢复的决定和依据", "")},
				Do: func(ctx context.Context, l *model.LostContact, in records.Input) error {
					if in.String("endedOn") < l.SuspendedOn {
						return kit.InvalidFields(map[string]string{"endedOn": "不能早于停止党籍时间"})
					}
					if _, err := s.d.Party.CheckReturn(kit.AsSystem(ctx), &party.MemberReq{MemberId: l.MemberID}); err != nil {
						return err
					}
					l.EndedOn, l.EndedBy, l.State = in.String("endedOn"), in.String("endedBy"), model.LostRestored
					due(l)
					return nil
				}},
		},
		Life: &records.Life[*model.LostContact]{
			Field: "state", At: func(l *model.LostContact, _ time.Time) string { return l.State },
			States: []records.State{
				{Value: model.LostSearching, Label: "查找中", Color: "warning"}, {Value: model.LostFound, Label: "已取得联系", Color: "success"},
				{Value: model.LostSuspended, Label: "停止党籍", Color: "danger"}, {Value: model.LostRestored, Label: "已恢复", Color: "success"},
			},
			Verbs: []records.Verb[*model.LostContact]{
				{Key: "update", In: searching}, {Key: "search", In: searching}, {Key: "found", In: searching},
				{Key: "suspend", In: searching, If: func(_ *kit.Caller, l *model.LostContact, now time.Time) *kit.Error {
					switch {
					case now.In(kit.Shanghai).Format(time.DateOnly) < l.DueOn:
						return kit.Conflict("lost.early", "失联满六个月（%s）后方可停止党籍", l.DueOn)
					case len(l.Searches) == 0:
						return kit.Conflict("lost.search", "请先登记查找情况")
					}
					return nil
				}},
				{Key: "restore", In: suspended},
			},
		},
		Present: func(_ context.Context, docs []*model.LostContact, rows []records.Row) error {
			for i, l := range docs {
				var lines []string
				for _, x := range l.Searches {
					lines = append(lines, fmt.Sprintf("%s %s：%s（%s）", x.On, x.Way, x.Result, x.By))
				}
				rows[i]["searches"] = strings.Join(lines, "\n")
			}
			return nil
		},
		Follow: func(ctx context.Context, l *model.LostContact) error {
			_, err := s.d.Party.SetStanding(kit.OnBehalf(ctx), &party.StandingReq{MemberId: l.MemberID, Left: l.State == model.LostSuspended})
			return err
		},
		FollowWhen: func(l *model.LostContact) bool {
			return l.State == model.LostSuspended || l.State == model.LostRestored
		},
	}
}

// due sets the day from which the next step may, or must, be decided: six months after he was lost, two
// years after he was suspended.
func due(l *model.LostContact) {
	l.DueOn = ""
	switch l.State {
	case model.LostSearching:
		l.DueOn = kit.MonthsBefore(l.LostOn, -6)
	case model.LostSuspended:
		l.DueOn = kit.MonthsBefore(l.SuspendedOn, -24)
	}
	l.Open = l.DueOn != ""
}
