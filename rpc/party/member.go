package party

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	development "zhihuidangjian/idl/gen/development"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var errNoHome = kit.InvalidFields(map[string]string{"orgId": "所在支部应为党支部、联合支部或党小组"})

// memberType is 党员 (spec/records.md 13).
func (s *Service) memberType() *records.Type[*model.Member] {
	probationary := []string{"probationaryMember", "fullMember"}
	show := func(label string, in ...string) records.Field {
		return records.Field{Label: label, Type: "date", Form: true, Past: true, ShowIf: &records.ShowIf{Field: "memberType", In: in}}
	}
	joined, regular, activist := show("入党日期", probationary...), show("转正日期", "fullMember"), show("确定为积极分子日期", "activist", "developmentTarget", "probationaryMember", "fullMember")
	joined.Key, joined.List, regular.Key, activist.Key = "joinedOn", true, "regularizedOn", "activistOn"
	return &records.Type[*model.Member]{
		Name: "member", Title: "党员", Menu: "党员管理", Icon: "member", Section: "6.1", Collection: s.members, SharedIndexes: true,
		Fields: []records.Field{
			{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", Resolver: "branch", Required: true, List: true, Form: true, After: "phone", Width: 180},
			{Key: "bound", Label: "公众号绑定", Type: "bool", List: true, Search: true, Virtual: true},
			joined, regular, activist,
		},
		Unique: []records.Unique{
			{Keys: []string{"idBlind"}, Field: "idNumber", Message: "身份证号已存在", Partial: active},
			{Keys: []string{"phoneBlind"}, Field: "phone", Message: "手机号已存在", Partial: active},
		},
		// The header that MEMB-16 names.
		Columns: []string{"name", "gender", "idNumber", "ethnicity", "education", "phone", "orgId", "unitId",
			"memberType", "joinedOn", "regularizedOn", "duesPaidThrough"},
		NameKey: "name", Leaves: true,
		Related: []records.Related{
			{Type: "memberContact", Field: "memberId", Title: "常用联系人"},
			{Type: "reward", Field: "memberId", Title: "奖励"},
			{Type: "sanction", Field: "memberId", Title: "处分"},
			{Type: "specialty", Field: "memberId", Title: "特长"},
		},
		Actions: []records.Action[*model.Member]{
			{Key: "correctPaidThrough", Title: "更正缴纳至",
				Fields: []records.Field{
					{Key: "duesPaidThrough", Label: "党费缴纳至", Type: "month", Required: true, Form: true, Help: "该月及以前的党费视为已缴纳；已在本系统缴纳的月份不能这样撤销"},
					{Key: "reason", Label: "更正原因", Type: "text", Required: true, Form: true, Max: 200},
				},
				Do: s.correctPaidThrough},
			unbindAction(),
		},
		Life: &records.Life[*model.Member]{Verbs: []records.Verb[*model.Member]{
			{Key: "correctPaidThrough", If: paysDues}, {Key: "unbind", If: bound}}},
		Where:        func(context.Context, map[string]string) bson.D { return active },
		Filter:       memberFilter,
		BeforeSave:   s.checkMember,
		BeforeDelete: s.leave,
		Follow:       s.beginCase,
		FollowWhen:   func(m *model.Member) bool { return m.MemberType != "fullMember" },
		Present:      s.presentMembers,
	}
}

// leave takes a member out of the active ones; a WeChat binding ends with it, in the
// same write (6.1.3注). One who paid dues today stays until tomorrow: the day's cash book
// names him.
func (s *Service) leave(ctx context.Context, m *model.Member) error {
	if s.d.Dues != nil {
		n, err := s.paidOrders(ctx, m, map[string]string{"paidAt": "today,today"})
		if err != nil {
			return err
		}
		if n > 0 {
			return kit.Conflict("member.paid", "该党员今日有已支付的党费，不允许删除")
		}
	}
	m.Status = "deleted"
	m.Unbind()
	return nil
}

// paysDues: who is no member of the party yet owes no dues.
func paysDues(_ *kit.Caller, m *model.Member, _ time.Time) *kit.Error {
	if m.MemberType == "fullMember" || m.MemberType == "probationaryMember" {
		return nil
	}
	return kit.Conflict("action.refused", "只有正式党员和预备党员缴纳党费")
}

// correctPaidThrough sets what was paid before the system, or on paper, right. What was paid
// in the system is undone by taking its order back, never by this (PLUS-14).
func (s *Service) correctPaidThrough(ctx context.Context, m *model.Member, in records.Input) error {
	wrong := func(message string) error {
		return kit.InvalidFields(map[string]string{"duesPaidThrough": message})
	}
	month := in.String("duesPaidThrough")
	if month == m.DuesPaidThrough {
		return wrong("与现在的党费缴纳至相同")
	}
	if s.d.Dues != nil {
		n, err := s.paidOrders(ctx, m, map[string]string{"month": kit.AddMonths(month, 1) + ","})
		if err != nil {
			return err
		}
		if n > 0 {
			return wrong("该党员在本系统缴纳了" + month + "以后的党费，不能更正到该月；请先撤销相应的缴费")
		}
	}
	m.DuesPaidThrough = month
	return nil
}

// paidOrders counts the paid orders of a member that filters find.
func (s *Service) paidOrders(ctx context.Context, m *model.Member, filters map[string]string) (int, error) {
	filters["memberId"], filters["status"] = m.ID, model.DuesPaidFor
	j, err := s.d.Dues.List(kit.AsSystem(ctx), &recordsgen.ListReq{Type: "duesOrder", Size: 1, Filters: filters})
	if err != nil {
		return 0, err
	}
	var paid struct{ Total int }
	err = json.Unmarshal(j.Json, &paid)
	return paid.Total, err
}

// checkMember holds the rules of a member's data; the personal fields are open here.
func (s *Service) checkMember(ctx context.Context, old, m *model.Member) error {
	wrong := map[string]string{}
	if old == nil {
		m.Status = "active"
	} else if old.OrgID != m.OrgID {
		m.Moved = true
	}
	if m.DuesCategory == "" {
		m.DuesCategory = "salaried"
	}
	m.RetireDues()
	if id, ok := model.ParseIDNumber(m.IDNumber); !ok {
		wrong["idNumber"] = model.WrongIDNumber
	} else {
		if m.BirthDate == "" {
			m.BirthDate = id.BirthDate
		}
		if m.Gender == "" {
			m.Gender = id.Gender
		}
		if m.BirthDate != id.BirthDate || m.Gender != id.Gender {
			wrong["idNumber"] = model.WrongIDNumber + "，与出生日期或性别不一致"
		}
		if today := s.d.Clock.Now().Format("2006-01-02"); id.BirthDate > today {
			wrong["idNumber"] = model.WrongIDNumber
		}
	}
	if !model.IsMobile(m.Phone) {
		wrong["phone"] = "手机号格式不正确"
	}
	all, err := s.treeNow(ctx)
	if err != nil {
		return err
	}
	if o := all[m.OrgID]; o == nil || !home(o) {
		wrong["orgId"] = errNoHome.Message
	}
	s.checkDates(old, m, wrong)
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	return nil
}

// checkDates wants the dates of the member's type, in their order.
func (s *Service) checkDates(old, m *model.Member, wrong map[string]string) {
	full, probationary := m.MemberType == "fullMember", m.MemberType == "probationaryMember"
	if (full || probationary) && m.JoinedOn == "" {
		wrong["joinedOn"] = "请填写入党日期"
	}
	if full && m.RegularizedOn == "" {
		wrong["regularizedOn"] = "请填写转正日期"
	}
	if !full {
		m.RegularizedOn = ""
	}
	if !full && !probationary {
		m.JoinedOn = ""
	}
	inOrder := []struct{ key, label, date string }{
		{"birthDate", "出生日期", m.BirthDate}, {"activistOn", "确定为积极分子日期", m.ActivistOn},
		{"joinedOn", "入党日期", m.JoinedOn}, {"regularizedOn", "转正日期", m.RegularizedOn},
	}
	last := inOrder[0]
	for _, d := range inOrder[1:] {
		if d.date == "" {
			continue
		}
		if last.date != "" && d.date < last.date {
			wrong[d.key] = d.label + "不能早于" + last.label
		}
		last = d
	}
	s.checkAge(m, wrong)
	if old == nil && m.DuesPaidThrough > kit.AddMonths(kit.Month(s.d.Clock.Now()), 12) {
		wrong["duesPaidThrough"] = "党费缴纳至日期过晚"
	}
}

// ageOfMembers is how old one must be to apply for membership (党章 article 1).
const ageOfMembers = 18

// ageSince is the day of the 党章 that first asked for that age (七大); who joined before may
// have been younger.
const ageSince = "1945-06-11"

// probationSince is the day of the 党章 (十二大) since when the probation is a year from the
// day of the branch meeting (发展党员工作细则 article 31).
const probationSince = "1982-09-06"

// checkAge refuses who is too young for what he is, and a probation cut short. One whom a
// 省委 or the Centre admitted directly (党章 article 5) has no probation: both days are one.
func (s *Service) checkAge(m *model.Member, wrong map[string]string) {
	set := func(key, say string) {
		if wrong[key] == "" {
			wrong[key] = say
		}
	}
	grown, ok := yearsAfter(m.BirthDate, ageOfMembers)
	if !ok {
		return
	}
	for _, d := range []struct{ key, label, date string }{{"activistOn", "确定为积极分子", m.ActivistOn}, {"joinedOn", "入党", m.JoinedOn}} {
		if d.date != "" && d.date >= ageSince && d.date < grown {
			set(d.key, fmt.Sprintf("年满%d岁方可%s", ageOfMembers, d.label))
		}
	}
	if grown > s.d.Clock.Now().Format(time.DateOnly) {
		set("memberType", fmt.Sprintf("年满%d岁方可申请入党", ageOfMembers))
	}
	if end, ok := yearsAfter(m.JoinedOn, 1); ok && m.JoinedOn >= probationSince && m.RegularizedOn > m.JoinedOn && m.RegularizedOn < end {
		set("regularizedOn", "预备期为一年，转正日期不能早于"+end)
	}
}

// yearsAfter is the same day some years later; of 29 February the 28th, in a common year.
func yearsAfter(day string, years int) (string, bool) {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", false
	}
	return kit.MonthsBefore(d.Format(time.DateOnly), -12*years), true
}

// beginCase lets the development case of somebody who is no full member yet follow his record
// (6.1.1注).
func (s *Service) beginCase(ctx context.Context, m *model.Member) error {
	if m.Status != "active" || m.Deleted {
		return nil
	}
	_, err := s.d.Development.BeginCase(kit.OnBehalf(ctx), &development.BeginReq{MemberId: m.ID, MemberType: m.MemberType, OrgId: m.OrgID, Orgs: m.Orgs, ActivistOn: m.ActivistOn})
	return err
}

func memberFilter(_ context.Context, key, value string) (bson.D, bool, error) {
	if key == "bound" {
		return bson.D{{Key: "boundAt", Value: bson.D{{Key: "$exists", Value: value == "true"}}}}, true, nil
	}
	return nil, false, nil
}

func (s *Service) presentMembers(ctx context.Context, docs []*model.Member, rows []records.Row) error {
	all, err := s.tree(ctx)
	if err != nil {
		return err
	}
	for i, m := range docs {
		r := rows[i]
		r["bound"] = m.Bound()
		for _, id := range slices.Backward(m.Orgs) {
			if o := all[id]; o != nil && o.OrgType == "committee" {
				r["committeeName"] = o.OrgName
				break
			}
		}
	}
	return nil
}

var errNotBound = kit.Conflict("bind.none", "该党员未绑定")

// bound: 微信解绑 is for those who have a binding.
func bound(_ *kit.Caller, m *model.Member, _ time.Time) *kit.Error {
	if m.Bound() {
		return nil
	}
	return errNotBound
}

// bindingType is 绑定党员 (manual 6.8): the members seen by their binding.
func (s *Service) bindingType() *records.Type[*model.Member] {
	return &records.Type[*model.Member]{
		Name: "binding", Title: "绑定党员", Menu: "党员管理", Icon: "binding", Section: "6.8", Collection: s.members, SharedIndexes: true,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Only: []string{"name", "phone"},
		Fields: []records.Field{
			{Key: "name", Label: "姓名", List: true, Search: true, Keyword: true},
			{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", List: true, After: "name"},
			{Key: "phone", Label: "手机号", Type: "phone", List: true},
			{Key: "boundAt", Label: "绑定时间", Type: "datetime", List: true},
			{Key: "bound", Label: "绑定状态", Type: "enum", Search: true, Virtual: true,
				Options: []records.Option{{Value: "true", Label: "已绑定"}, {Value: "false", Label: "未绑定"}}},
		},
		Actions: []records.Action[*model.Member]{unbindAction()},
		Life:    &records.Life[*model.Member]{Verbs: []records.Verb[*model.Member]{{Key: "unbind", If: bound}}},
		Where:   func(context.Context, map[string]string) bson.D { return active },
		// Bound members unless the unbound ones are asked for (6.8.1注).
		Listed: func(_ context.Context, filters map[string]string) bson.D {
			return bson.D{{Key: "boundAt", Value: bson.D{{Key: "$exists", Value: filters["bound"] != "false"}}}}
		},
		Filter: func(_ context.Context, key, _ string) (bson.D, bool, error) {
			return nil, key == "bound", nil // Listed has seen it
		},
		Present: s.presentMembers,
		Summary: s.bindingCounts,
	}
}

// bindingCounts are the bound and the unbound of the list's subtree; they add up to its
// members.
func (s *Service) bindingCounts(ctx context.Context, filter bson.D) (map[string]string, error) {
	var place bson.D
	for _, e := range filter {
		if e.Key == "orgs" || e.Key == "deleted" {
			place = append(place, e)
		}
	}
	place = append(place, active...)
	out := map[string]string{}
	for key, bound := range map[string]bool{"bound": true, "unbound": false} {
		n, err := s.members.Mongo().CountDocuments(ctx, append(slices.Clip(place), bson.E{Key: "boundAt", Value: bson.D{{Key: "$exists", Value: bound}}}))
		if err != nil {
			return nil, errors.Join(errors.New("count bindings"), err)
		}
		out[key] = fmt.Sprint(n)
	}
	return out, nil
}
