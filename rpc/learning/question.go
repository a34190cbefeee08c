package learning

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// questionType is 试题 (spec/records.md 42, manual 10.3.1): each organisation's own, seen from above.
func (s *Service) questionType() *records.Type[*model.Question] {
	answers := []records.Option{{Value: model.JudgeRight, Label: "正确"}, {Value: model.JudgeWrong, Label: "错误"}}
	for c := 'A'; c <= 'F'; c++ {
		answers = append(answers, records.Option{Value: string(c), Label: string(c)})
	}
	own := func(c *kit.Caller, q *model.Question, _ time.Time) *kit.Error {
		if c.OrgID != q.OrgID {
			return kit.Conflict("question.own", "只可修改或删除本组织添加的试题")
		}
		return occupied(q)
	}
	options := &records.ShowIf{Field: "questionType", In: []string{model.QuestionSingle, model.QuestionMultiple}}
	fields := []records.Field{
		{Key: "orgId", Label: "所属组织", Ref: "organization", List: true, ReadOnly: true, After: "tagIds", Width: 170},
		{Key: "answers", Label: "正确答案", Type: "enums", Required: true, Form: true, Options: answers, After: "imageF", Help: "单选一个，多选两个以上，判断选正确或错误"},
		{Key: "answerText", Label: "正确答案", Virtual: true},
		{Key: "updatedAt", Label: "更新时间", Type: "datetime", List: true, ReadOnly: true},
	}
	for _, c := range []string{"A", "B", "C", "D", "E", "F"} {
		fields = append(fields,
			records.Field{Key: "option" + c, Label: "选项" + c, Form: true, Max: 300, ShowIf: options},
			records.Field{Key: "image" + c, Label: "选项" + c + "照片", Type: "files", Form: true, Accept: []string{"image"}, ShowIf: options, After: "option" + c})
	}
	return &records.Type[*model.Question]{
		Name: "question", Title: "试题", Menu: "学习教育", Icon: "document", Section: "10.3.1", Collection: s.questions, NameKey: "stem",
		NoExport: true, Fields: fields,
		Indexes: []model.Index{{Keys: bson.D{{Key: "categoryId", Value: 1}}}, {Keys: bson.D{{Key: "tagIds", Value: 1}}}},
		Columns: []string{"questionType", "stem", "optionA", "optionB", "optionC", "optionD", "optionE", "optionF", "answerText", "categoryId", "tagIds"},
		FromImport: func(_ context.Context, row map[string]string, q *model.Question) error {
			var ok bool
			if q.Answers, ok = model.ReadAnswers(row["answerText"]); !ok {
				return kit.InvalidFields(map[string]string{"answerText": "正确答案应为选项字母，如AB；判断题为对或错"})
			}
			return nil
		},
		BeforeSave: func(_ context.Context, _, q *model.Question) error {
			if wrong := q.Wrong(); len(wrong) > 0 {
				return kit.InvalidFields(wrong)
			}
			return nil
		},
		Life: &records.Life[*model.Question]{Load: s.usedBy, Verbs: []records.Verb[*model.Question]{{Key: "update", If: own}, {Key: "delete", If: own}}},
	}
}
