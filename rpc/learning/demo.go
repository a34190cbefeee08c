package learning

import (
	"context"
	"fmt"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"

	partygen "zhihuidangjian/idl/gen/party"
)

// demoReader is one of party's invented members, whose committee publishes the invented articles.
const demoReader = "0000demomember001"

// SeedDemo adds categories, tags and articles of the knowledge base, and a few questions. Done again, it changes
// nothing.
func (s *Service) SeedDemo(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	list, err := s.d.Party.GetMembers(ctx, &partygen.MembersReq{MemberIds: []string{demoReader}})
	if err != nil {
		return fmt.Errorf("members: %w", err)
	}
	if len(list.Members) == 0 {
		return nil // somebody deleted them: no demo
	}
	party := records.Party{Client: s.d.Party}
	committee, err := party.Committee(ctx, list.Members[0].OrgId)
	if err != nil || committee == "" {
		return err
	}
	path, err := party.Path(ctx, committee)
	if err != nil {
		return err
	}
	now := s.d.Clock.Now()
	base := func(kind string, i, ago int) model.Base {
		return model.Base{ID: fmt.Sprintf("0000demo%s%02d", kind, i+1), OrgID: committee, Orgs: path, CreatedBy: "system", CreatedAt: now.AddDate(0, 0, -ago)}
	}
	for kind, names := range map[string][]string{"knowledgeCategory": {"党章党规", "党史", "党的二十大", "中国梦"}, "knowledgeTag": {"新党员必读", "纪律", "支部工作"}, "questionCategory": {"党章", "党史"}, topicCategoryName: {"主题教育", "身边榜样"}} {
		var docs []*model.Category
		for i, name := range names {
			docs = append(docs, &model.Category{Base: base(kind, i, 60-i), Name: name, SortNo: i + 1, HasColumn: kind == "knowledgeTag" || kind == topicCategoryName})
		}
		if err := model.Seeded(model.NewCollection[*model.Category](s.d.DB, kind, s.d.Clock.Now).InsertMany(ctx, docs)); err != nil {
			return fmt.Errorf("demo %s: %w", kind, err)
		}
	}
	named := func(kind string, i int) string { return fmt.Sprintf("0000demo%s%02d", kind, i) }
	var articles []*model.Article
	for i, x := range []struct {
		title         string
		category, tag int
		text          string
	}{
		{"党员的八项义务", 1, 1, "认真学习、贯彻执行党的基本路线、自觉遵守党的纪律、维护党的团结和统一，是每名党员必须履行的义务（党章第三条）。"},
		{"党员的八项权利", 1, 1, "参加党的有关会议、阅读党的有关文件、接受党的教育和培训，是党员享有的权利（党章第四条）。"},
		{"按期交纳党费", 1, 2, "每月主动交纳党费。没有正当理由连续六个月不交纳党费，按自行脱党处理（党章第九条）。"},
		{"三会一课怎么开", 1, 3, "支部党员大会一般每季度召开一次，支部委员会会议一般每月召开一次，党小组会一般每月召开一至二次，定期上好党课。"},
		{"从石库门到南湖红船", 2, 1, "一九二一年七月，中国共产党第一次全国代表大会在上海召开，最后一天的会议转移到浙江嘉兴南湖的游船上举行。"},
		{"遵义会议的历史意义", 2, 1, "一九三五年一月召开的遵义会议，在最危急的关头挽救了党、挽救了红军、挽救了中国革命。"},
		{"二十大报告学习要点", 3, 1, "高举中国特色社会主义伟大旗帜，全面贯彻新时代中国特色社会主义思想，弘扬伟大建党精神，自信自强、守正创新。"},
	} {
		a := &model.Article{
			Base: base("knowledge", i, 40-i*5), Title: x.title, Content: "<p>" + x.text + "</p>", CategoryID: named("knowledgeCategory", x.category), TagIDs: []string{named("knowledgeTag", x.tag)},
		}
		a.PublishedAt, a.Text = a.CreatedAt, searchedIn(a.Title, a.Content)
		articles = append(articles, a)
	}
	if err := model.Seeded(s.knowledge.InsertMany(ctx, articles)); err != nil {
		return fmt.Errorf("demo knowledge: %w", err)
	}
	var topics []*model.Article
	for i, x := range []struct {
		title    string
		category int
		text     string
	}{
		{"把学习成果转化为为民办实事的行动", 1, "第一批主题教育以来，各支部认领群众身边小事四十余件，办结三十八件。"},
		{"读原著、学原文、悟原理", 1, "每周三下午集中学习一小时，支部委员轮流领学，会后交流体会。"},
		{"社区里的老支书", 2, "退休不褪色，二十年义务调解邻里矛盾，小院里常年坐满了来谈心的人。"},
	} {
		a := &model.Article{Base: base(topicName, i, 25-i*4), Title: x.title, Content: "<p>" + x.text + "</p>", CategoryID: named(topicCategoryName, x.category)}
		a.PublishedAt, a.Text = a.CreatedAt, searchedIn(a.Title, a.Content)
		topics = append(topics, a)
	}
	if err := model.Seeded(s.topics.InsertMany(ctx, topics)); err != nil {
		return fmt.Errorf("demo topics: %w", err)
	}
	questions := []*model.Question{
		{QuestionType: model.QuestionSingle, Stem: "中国共产党的根本宗旨是什么？", OptionA: "全心全意为人民服务", OptionB: "发展生产力", OptionC: "实现现代化", OptionD: "保持先进性", Answers: []string{"A"}, Analysis: "党章总纲"},
		{QuestionType: model.QuestionMultiple, Stem: "党员有下列哪些情形时，应当转移组织关系？", OptionA: "工作单位变动", OptionB: "居住地长期变动", OptionC: "短期出差", OptionD: "升学到外地就读", Answers: []string{"A", "B", "D"}, Analysis: "组织关系应随工作、学习、居住地点的变动及时转移"},
		{QuestionType: model.QuestionJudge, Stem: "预备党员的预备期为一年。", Answers: []string{model.JudgeRight}, Analysis: "党章第七条"},
	}
	for i, q := range questions {
		q.Base, q.CategoryID = base("question", i, 20-i), named("questionCategory", 1)
	}
	if err := model.Seeded(s.questions.InsertMany(ctx, questions)); err != nil {
		return fmt.Errorf("demo questions: %w", err)
	}
	return nil
}
