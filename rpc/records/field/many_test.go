package field

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestChoiceOfSeveral(t *testing.T) {
	for _, c := range []struct {
		name, sent string
		field      Field
		want       []string
		refused    string
	}{
		{"in order, each once", `["b","a","b"]`, Field{Type: "refs"}, []string{"a", "b"}, ""},
		{"distinct: named twice", `["b","a","b"]`, Field{Type: "refs", Distinct: true}, nil, "标签不能重复"},
		{"distinct: each once", `["b","a"]`, Field{Type: "refs", Distinct: true}, []string{"a", "b"}, ""},
		{"too many", `["a","b","c"]`, Field{Type: "refs", Max: 2}, nil, "标签不能超过2项"},
		{"none at all", `[]`, Field{Type: "refs", Required: true}, nil, "请填写标签"},
		{"an empty one", `["a",""]`, Field{Type: "refs"}, nil, "标签填写有误"},
		{"no option", `["x"]`, Field{Type: "enums", Options: []Option{{Value: "a", Label: "甲"}}}, nil, "标签填写有误"},
		{"no list", `"a"`, Field{Type: "refs"}, nil, "标签填写有误"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.field.Label = "标签"
			got, err := c.field.FromJSON(json.RawMessage(c.sent), time.Now())
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("%v, %v; want %s", got, err, c.refused)
				}
				return
			}
			if err != nil || !slices.Equal(got.([]string), c.want) {
				t.Fatalf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
}
