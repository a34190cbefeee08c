// Package learning is 学习教育 (manual 10). So far it has study tasks (10.1); exams (10.2) on the question bank: questions, their
// categories and tags (10.3); topics and their categories, which the portal shows too (10.5); the knowledge base: articles, their
// categories and tags (10.6); videos and their categories (10.7).
package learning

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps are what the service stands on.
type Deps struct {
	DB    *mongo.Database
	Clock *kit.Clock
	Blobs blob.Store
	Party partysvc.Client
}

// Service implements the generated Learning service.
type Service struct {
	*records.Engine
	d               Deps
	party           records.Party
	studies         *model.Collection[*model.StudyTask]
	studied         *model.Collection[*model.StudyRecord]
	exams           *model.Collection[*model.Exam]
	papers          *model.Collection[*model.ExamPaper]
	live            *kit.Recent[*liveExam]
	writing         *kit.Batcher[*mongo.UpdateOneModel, error]
	questions       *model.Collection[*model.Question]
	topics          *model.Collection[*model.Article]
	topicCategories *model.Collection[*model.Category]
	knowledge       *model.Collection[*model.Article]
	videos          *model.Collection[*model.Article]
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d:               d,
		party:           records.Party{Client: d.Party},
		studies:         model.NewCollection[*model.StudyTask](d.DB, "studyTasks", d.Clock.Now),
		studied:         model.NewCollection[*model.StudyRecord](d.DB, "studyRecords", d.Clock.Now),
		exams:           model.NewCollection[*model.Exam](d.DB, "exams", d.Clock.Now),
		papers:          model.NewCollection[*model.ExamPaper](d.DB, "examPapers", d.Clock.Now),
		questions:       model.NewCollection[*model.Question](d.DB, "questions", d.Clock.Now),
		topicCategories: model.NewCollection[*model.Category](d.DB, topicCategoryName, d.Clock.Now),
		topics:          model.NewCollection[*model.Article](d.DB, "topics", d.Clock.Now),
		knowledge:       model.NewCollection[*model.Article](d.DB, "knowledge", d.Clock.Now),
		videos:          model.NewCollection[*model.Article](d.DB, "videos", d.Clock.Now),
	}
	s.live = kit.NewRecent(examAge, s.loadExam)
	s.writing = kit.NewBatcher(papersAtOnce, s.writePapers)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := model.EnsureIndexes(ctx, s.studied.Mongo(), model.Index{Keys: bson.D{{Key: "pending.at", Value: 1}}, Sparse: true}, model.Index{Keys: bson.D{{Key: "taskId", Value: 1}}})
	if err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	party := s.party
	refs := party.Refs()
	refs["member"] = party.Participants()
	s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Blobs: d.Blobs, Orgs: party, Refs: refs, Beside: []*mongo.Collection{s.studied.Mongo()}},
		s.studyType(),
		s.examType(),
		s.questionType(),
		s.sorted(sorting{"questionCategory", "试题分类", "分类", "10.3.2", s.questions.Untyped(), "categoryId", "试题数", "考核", "questions"}),
		s.sorted(sorting{"questionTag", "试题标签", "标签", "10.3.3", s.questions.Untyped(), "tagIds", "试题数", "考核", "questions"}),
		s.topicType(party),
		s.topicCategoryType(),
		s.knowledgeType(party),
		s.sorted(sorting{"knowledgeCategory", "知识分类", "分类", "10.6.2", s.knowledge.Untyped(), "categoryId", "知识数", "知识", "articles"}),
		s.knowledgeTagType(),
		s.videoType(party),
		s.videoCategoryType(),
	)
	if err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	return s, nil
}
