package field

import (
	"encoding/json"
	"reflect"

	"zhihuidangjian/model"
)

func (f *Field) IsFiles() bool { return f.Type == "files" || f.Type == "image" }

// Attaches tells whether the field may name attachments.
func (f *Field) Attaches() bool { return f.IsFiles() || f.Type == "richtext" }

var FilesType = reflect.TypeFor[[]model.File]()

// ids of the files that a form sent.
func (f *Field) filesFromJSON(raw json.RawMessage) (any, error) {
	var list []model.File
	if json.Unmarshal(raw, &list) != nil {
		return nil, Refuse("%s填写有误", f.Label)
	}
	if f.Required && len(list) == 0 {
		return nil, Refuse("请填写%s", f.Label)
	}
	if int64(len(list)) > f.Max {
		return nil, Refuse("%s最多上传%d个文件", f.Label, f.Max)
	}
	seen := map[string]bool{}
	for _, a := range list {
		if a.ID == "" || len(a.ID) > 64 || seen[a.ID] {
			return nil, Refuse("%s填写有误", f.Label)
		}
		seen[a.ID] = true
	}
	return list, nil
}
