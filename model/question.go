package model

import (
	"fmt"
	"slices"
	"strings"
)

// The kinds of questions.
const (
	QuestionSingle   = "single"
	QuestionMultiple = "multiple"
	QuestionJudge    = "judge"
)

// The answers of a true/false question.
const (
	JudgeRight = "right"
	JudgeWrong = "wrong"
)

// MostQuestionTags bounds the tags of a question (manual 10.3.1.1注③).
const MostQuestionTags = 6

// Question 试题, spec/records.md 42. Its options are A to F, of which the first four are always there; a
// true/false question has none.
type Question struct {
	Base         `bson:",inline"`
	QuestionType string   `bson:"questionType" json:"questionType" record:"label=试题类型,required,list,search,width=90,options=single:单选|multiple:多选|judge:判断"`
	Stem         string   `bson:"stem" json:"stem" record:"label=题干,type=text,required,max=1000,list,search,keyword,width=280"`
	StemFiles    []File   `bson:"stemFiles,omitempty" json:"stemFiles" record:"label=题干附件"`
	OptionA      string   `bson:"optionA" json:"optionA" record:"label=选项A,max=300"`
	ImageA       []File   `bson:"imageA,omitempty" json:"imageA" record:"label=选项A照片,accept=image"`
	OptionB      string   `bson:"optionB" json:"optionB" record:"label=选项B,max=300"`
	ImageB       []File   `bson:"imageB,omitempty" json:"imageB" record:"label=选项B照片,accept=image"`
	OptionC      string   `bson:"optionC" json:"optionC" record:"label=选项C,max=300"`
	ImageC       []File   `bson:"imageC,omitempty" json:"imageC" record:"label=选项C照片,accept=image"`
	OptionD      string   `bson:"optionD" json:"optionD" record:"label=选项D,max=300"`
	ImageD       []File   `bson:"imageD,omitempty" json:"imageD" record:"label=选项D照片,accept=image"`
	OptionE      string   `bson:"optionE" json:"optionE" record:"label=选项E,max=300"`
	ImageE       []File   `bson:"imageE,omitempty" json:"imageE" record:"label=选项E照片,accept=image"`
	OptionF      string   `bson:"optionF" json:"optionF" record:"label=选项F,max=300"`
	ImageF       []File   `bson:"imageF,omitempty" json:"imageF" record:"label=选项F照片,accept=image"`
	Answers      []string `bson:"answers" json:"answers"`
	Analysis     string   `bson:"analysis" json:"analysis" record:"label=解析,type=text,max=1000"`
	CategoryID   string   `bson:"categoryId" json:"categoryId" record:"label=分类,required,ref=questionCategory,list,search"`
	TagIDs       []string `bson:"tagIds,omitempty" json:"tagIds" record:"label=标签,ref=questionTag,list,search"`
	// Exams are the titles of those that use it, looked up where it may be changed.
	Exams []string `bson:"-" json:"-"`
}

// QuestionOption is one option as it is shown.
type QuestionOption struct {
	Key, Text string
	Image     []File
}

// Choices are the options that a question has, those of a true/false one too.
func (q *Question) Choices() (out []QuestionOption) {
	if q.QuestionType == QuestionJudge {
		return []QuestionOption{{Key: JudgeRight, Text: "正确"}, {Key: JudgeWrong, Text: "错误"}}
	}
	images := [][]File{q.ImageA, q.ImageB, q.ImageC, q.ImageD, q.ImageE, q.ImageF}
	for i, text := range q.options() {
		if *text != "" {
			out = append(out, QuestionOption{optionName(i), *text, images[i]})
		}
	}
	return out
}

// Read brings given answers into order; false when they are none that could be given: of no option, twice the
// same, or several of a single choice. None at all are an answer taken back.
func (q *Question) Read(answers []string) ([]string, bool) {
	given := slices.Sorted(slices.Values(answers))
	if len(slices.Compact(slices.Clone(given))) != len(given) || q.QuestionType != QuestionMultiple && len(given) > 1 {
		return nil, false
	}
	for _, a := range given {
		if !slices.ContainsFunc(q.Choices(), func(o QuestionOption) bool { return o.Key == a }) {
			return nil, false
		}
	}
	return given, true
}

// Right reports whether exactly the right answers were given, in any order (EXAM-09).
func (q *Question) Right(answers []string) bool {
	return len(answers) > 0 && slices.Equal(slices.Sorted(slices.Values(answers)), slices.Sorted(slices.Values(q.Answers)))
}

// options are the texts of A to F.
func (q *Question) options() []*string {
	return []*string{&q.OptionA, &q.OptionB, &q.OptionC, &q.OptionD, &q.OptionE, &q.OptionF}
}

// optionName is the letter of an option.
func optionName(i int) string { return string(rune('A' + i)) }

// Wrong says what is wrong with a question, by field, and brings its answers into order: 4 to 6 options that
// differ, without a gap; one right answer of a single choice or a true/false question, two or more of a
// multiple choice (manual 10.3.1.1).
func (q *Question) Wrong() map[string]string {
	wrong := map[string]string{}
	slices.Sort(q.Answers)
	q.Answers = slices.Compact(q.Answers)
	if len(q.TagIDs) > MostQuestionTags {
		wrong["tagIds"] = fmt.Sprintf("试题标签最多可选择%d个", MostQuestionTags)
	}
	if q.QuestionType == QuestionJudge {
		for _, o := range q.options() {
			*o = ""
		}
		q.ImageA, q.ImageB, q.ImageC, q.ImageD, q.ImageE, q.ImageF = nil, nil, nil, nil, nil, nil
		if len(q.Answers) != 1 || q.Answers[0] != JudgeRight && q.Answers[0] != JudgeWrong {
			wrong["answers"] = "判断题请选择正确或错误"
		}
		return wrong
	}
	seen, n := map[string]string{}, 0
	for i, o := range q.options() {
		text, key := strings.TrimSpace(*o), "option"+optionName(i)
		switch {
		case text == "" && i < 4:
			wrong[key] = "请填写选项" + optionName(i)
		case text == "":
		case seen[text] != "":
			wrong[key] = "与选项" + seen[text] + "相同"
		case i > n:
			wrong[key] = "请先填写选项" + optionName(i-1)
		}
		if text != "" {
			seen[text] = optionName(i)
			n = max(n, i+1)
		}
	}
	for _, a := range q.Answers {
		if len(a) != 1 || a[0] < 'A' || int(a[0]-'A') >= n {
			wrong["answers"] = "正确答案不在选项中"
			return wrong
		}
	}
	switch {
	case q.QuestionType == QuestionSingle && len(q.Answers) != 1:
		wrong["answers"] = "单选题应有一个正确答案"
	case q.QuestionType == QuestionMultiple && len(q.Answers) < 2:
		wrong["answers"] = "多选题应有两个以上正确答案"
	}
	return wrong
}

// ReadAnswers understands right answers as people write them: AB, A,B, Ａ、Ｂ, 对, √, 错误, ×; false when a part of
// it is none.
func ReadAnswers(text string) ([]string, bool) {
	words := map[string]string{"对": JudgeRight, "正确": JudgeRight, "√": JudgeRight, "✓": JudgeRight, "是": JudgeRight, "错": JudgeWrong, "错误": JudgeWrong, "×": JudgeWrong, "✗": JudgeWrong, "X": JudgeWrong, "否": JudgeWrong}
	folded := strings.ToUpper(strings.Map(func(r rune) rune {
		switch {
		case r >= 'Ａ' && r <= 'Ｚ':
			return r - 'Ａ' + 'A'
		case r >= 'ａ' && r <= 'ｚ':
			return r - 'ａ' + 'A'
		case strings.ContainsRune("、，,;； 　/|", r):
			return -1
		}
		return r
	}, text))
	if w := words[folded]; w != "" {
		return []string{w}, true
	}
	var out []string
	for _, r := range folded {
		if r < 'A' || r > 'F' {
			return nil, false
		}
		out = append(out, string(r))
	}
	return out, len(out) > 0
}
