package records

import (
	"context"
	"fmt"
	"reflect"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Period is the part of records that take place from one time to another, both planned: a
// beginning after the end is refused at the beginning (PART-03, MEET-05 and their like). The
// keys are those of fields of dates, months or times, whose labels noun completes: 会议 and
// 开始时间.
func Period(noun, start, end string) Part {
	return ordered("Period", []string{start, end}, func(first, second *Field) (string, string) {
		return first.Key, noun + first.Label + "不能晚于" + noun + second.Label
	})
}

// NotBefore is the part of records that begin with an event, which others may follow: one
// that would lie before it is refused at its own field, one that is not known yet is not.
func NotBefore(start string, later ...string) Part {
	return ordered("NotBefore", append([]string{start}, later...), func(first, second *Field) (string, string) {
		return second.Key, second.Label + "不能早于" + first.Label
	})
}

// ordered refuses what lies before the first of some fields, saying where and what.
func ordered(name string, keys []string, say func(first, second *Field) (key, message string)) Part {
	var fields []*Field
	return Part{
		Name: name,
		bind: func(t *recordType) error {
			fields = nil
			for _, key := range keys {
				f := t.byKey[key]
				if f == nil || !f.Held() || f.Type != "date" && f.Type != "month" && f.Type != "datetime" {
					return fmt.Errorf("%s is no date of the document", key)
				}
				fields = append(fields, f)
			}
			return nil
		},
		BeforeSave: func(_ context.Context, _, doc model.Document) error {
			v, wrong := reflect.ValueOf(doc).Elem(), map[string]string{}
			at := func(f *Field) string { s, _ := f.Read(v).(string); return s } // ordered as text
			for _, f := range fields[1:] {
				if began, then := at(fields[0]), at(f); then != "" && then < began {
					key, message := say(fields[0], f)
					wrong[key] = message
				}
			}
			if len(wrong) > 0 {
				return kit.InvalidFields(wrong)
			}
			return nil
		},
	}
}
