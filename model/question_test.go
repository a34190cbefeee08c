package model

import (
	"slices"
	"testing"
)

func TestReadAnswers(t *testing.T) {
	for text, want := range map[string][]string{
		"A": {"A"}, "AB": {"A", "B"}, "a,b": {"A", "B"}, "Ａ、Ｂ": {"A", "B"}, "B；D": {"B", "D"}, " C ": {"C"}, "A/C": {"A", "C"},
		"对": {JudgeRight}, "正确": {JudgeRight}, "√": {JudgeRight}, "错": {JudgeWrong}, "×": {JudgeWrong}, "错误": {JudgeWrong},
		"": nil, "G": nil, "甲": nil, "A甲": nil, "12": nil,
	} {
		got, ok := ReadAnswers(text)
		if ok != (want != nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v", text, got, ok)
		}
	}
}

func TestQuestionWrong(t *testing.T) {
	with := func(kind string, answers []string, options ...string) *Question {
		q := &Question{QuestionType: kind, Answers: answers}
		for i, o := range options {
			*q.options()[i] = o
		}
		return q
	}
	four := []string{"甲", "乙", "丙", "丁"}
	for _, x := range []struct {
		q     *Question
		field string // "" for right
	}{
		{with(QuestionSingle, []string{"A"}, four...), ""}, {with(QuestionMultiple, []string{"D", "B"}, four...), ""}, {with(QuestionJudge, []string{JudgeWrong}), ""},
		{with(QuestionSingle, []string{"E"}, append(four, "戊")...), ""}, {with(QuestionSingle, []string{"F"}, append(four, "戊", "己")...), ""},
		{with(QuestionSingle, nil, four...), "answers"}, {with(QuestionSingle, []string{"A", "B"}, four...), "answers"}, {with(QuestionMultiple, []string{"A"}, four...), "answers"},
		{with(QuestionMultiple, []string{"A", "A"}, four...), "answers"}, {with(QuestionSingle, []string{"E"}, four...), "answers"}, {with(QuestionJudge, nil), "answers"},
		{with(QuestionJudge, []string{"A"}), "answers"}, {with(QuestionSingle, []string{"A"}, "甲", "乙", "丙"), "optionD"}, {with(QuestionSingle, []string{"A"}, "甲", "乙", "丙", " 甲 "), "optionD"},
		{with(QuestionSingle, []string{"A"}, "甲", "乙", "丙", "丁", "", "己"), "optionF"}, {with(QuestionSingle, []string{JudgeRight}, four...), "answers"},
	} {
		wrong := x.q.Wrong()
		if x.field == "" && len(wrong) > 0 || x.field != "" && wrong[x.field] == "" {
			t.Errorf("%+v: %v, want one at %q", x.q, wrong, x.field)
		}
	}
	q := with(QuestionJudge, []string{JudgeRight}, four...)
	if len(q.Wrong()) > 0 || q.OptionA != "" {
		t.Errorf("a true/false question keeps options: %+v", q)
	}
	q = &Question{QuestionType: QuestionJudge, Answers: []string{JudgeRight}, TagIDs: make([]string, MostQuestionTags+1)}
	if q.Wrong()["tagIds"] != "试题标签最多可选择6个" {
		t.Error("seven tags are taken")
	}
}
