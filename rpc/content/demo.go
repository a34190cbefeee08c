package content

import (
	"context"
	"errors"
	"fmt"
	"time"

	partygen "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// SeedDemo adds a few invented records of each kind, about demo members. Done again, it
// changes nothing. Their messages are not sent: they are history.
func (s *Service) SeedDemo(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	ids := make([]string, 12)
	for i := range ids {
		ids[i] = fmt.Sprintf("0000demomember%03d", i*13+1)
	}
	list, err := s.d.Party.GetMembers(ctx, &partygen.MembersReq{MemberIds: ids})
	if err != nil {
		return fmt.Errorf("members: %w", err)
	}
	members := list.Members
	if len(members) < len(ids) {
		return nil // somebody deleted them: no demo
	}
	now := s.d.Clock.Now()
	base := func(kind string, i int, m *partygen.Member, ago int) model.Base {
		at := now.AddDate(0, 0, -ago)
		return model.Base{ID: fmt.Sprintf("0000demo%s%02d", kind, i+1), OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: "system", CreatedAt: at}
	}
	for i, x := range []struct{ title, text string }{
		{"三十年如一日的社区守夜人", "退休后主动承担小区夜间巡逻，三十年来帮助邻里化解纠纷百余起。"},
		{"把党课讲进车间", "用身边事讲大道理，一年走进十六个班组，听课的年轻人越来越多。"},
		{"田埂上的第一书记", "驻村三年，带领乡亲建起合作社，人均收入翻了一番。"},
	} {
		b := base("showcase", i, members[i], 30-i*9)
		err := ignoreThere(s.showcases.Insert(ctx, &model.MemberShowcase{
			Base: b, MemberID: members[i].Id, Title: x.title, Content: "<p>" + x.text + "</p>", AudienceID: b.Orgs[0], PublishedAt: b.CreatedAt,
		}))
		if err != nil {
			return fmt.Errorf("demo showcases: %w", err)
		}
	}
	read, answered := now.AddDate(0, 0, -2), now.AddDate(0, 0, -1)
	for i, x := range []model.Letter{
		{Title: "建议增设线上党课回放", Content: "出差的同志常常错过集中学习，希望能看回放。", ReadAt: &read, Reply: "采纳，下月起党课录像上传学习园地。", RepliedBy: "组织干事", RepliedAt: &answered},
		{Title: "活动室开放时间", Content: "建议周末下午也开放党员活动室。", ReadAt: &read},
		{Title: "志愿服务积分", Content: "建议把社区志愿服务也计入积分。"},
	} {
		x.Base, x.MemberID = base("suggestion", i, members[3+i], 8-i*3), members[3+i].Id
		x.SubmittedAt = x.CreatedAt
		if err := ignoreThere(s.suggestions.Insert(ctx, &x)); err != nil {
			return fmt.Errorf("demo suggestions: %w", err)
		}
	}
	for i, x := range []model.Letter{
		{Title: "就医陪护", Content: "下周要到市医院复查，子女在外地，希望有同志陪同。", ReadAt: &read, Reply: "支部已安排两位志愿者，请保持电话畅通。", RepliedBy: "组织干事", RepliedAt: &answered},
		{Title: "手机缴费不会操作", Content: "换了新手机，不会用手机缴党费，希望有人上门教一下。"},
	} {
		x.Base, x.MemberID = base("help", i, members[6+i], 6-i*4), members[6+i].Id
		x.SubmittedAt = x.CreatedAt
		if err := ignoreThere(s.helps.Insert(ctx, &x)); err != nil {
			return fmt.Errorf("demo help requests: %w", err)
		}
	}
	for i, x := range []struct{ title, text string }{
		{"第四季度组织生活计划", "主题党日三次，党课一次，民主评议放在十二月上旬。"},
		{"走访老党员记录", "走访八十岁以上老党员五位，两位需要助餐服务，已联系社区。"},
		{"换届准备事项", "候选人考察材料、会议室、选票样式本月底前完成。"},
	} {
		b := base("note", i, members[9+i], 12-i*4)
		err := ignoreThere(s.notes.Insert(ctx, &model.NotebookEntry{
			Base: b, Title: x.title, NoteDate: b.CreatedAt.Format(time.DateOnly), Content: "<p>" + x.text + "</p>", AuthorID: "system", AuthorName: "组织干事",
		}))
		if err != nil {
			return fmt.Errorf("demo notes: %w", err)
		}
	}
	return nil
}

// ignoreThere lets pass what is there already.
func ignoreThere(err error) error {
	if errors.Is(err, model.ErrDuplicate) {
		return nil
	}
	return err
}
