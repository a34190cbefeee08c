package records

import (
	"fmt"
	"reflect"
	"strings"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/sheet"
)

// cell is what an export says: always a text, so that IDs keep their digits and nothing
// is ever a formula.
func cellOf(f *Field, r Row) string { return sheet.Harmless(words(f, r)) }

// words are a value as people read it.
func words(f *Field, r Row) string {
	if labels, ok := r["_labels"].(map[string]string); ok && labels[f.Key] != "" {
		return labels[f.Key]
	}
	switch x := r[f.Key].(type) {
	case nil:
		return ""
	case bool:
		if x {
			return "是"
		}
		return "否"
	case []string:
		out := make([]string, len(x))
		for i, v := range x {
			if out[i] = f.OptionLabel(v); out[i] == "" {
				out[i] = v
			}
		}
		return strings.Join(out, "、")
	case []model.File:
		out := make([]string, len(x))
		for i, a := range x {
			out[i] = a.Name
		}
		return strings.Join(out, "、")
	case string:
		if f.Type == "richtext" {
			x = PlainText(x)
		}
		if f.Type == "enum" {
			if l := f.OptionLabel(x); l != "" {
				return l
			}
		}
		if f.Type == "datetime" && len(x) > 16 {
			return strings.Replace(x[:16], "T", " ", 1)
		}
		return x
	default:
		if v := reflect.ValueOf(x); f.Type == "money" && v.CanInt() {
			return kit.Yuan(v.Int())
		}
		return fmt.Sprint(x)
	}
}
