package field

import (
	"fmt"
	"strings"

	"zhihuidangjian/rpc/normal"
)

// alias are other words for the label of an option, as rosters have them. One table for all
// enums: a word is looked up among the options of its own field only.
var alias = map[string][]string{
	"男": {"男性", "男士"}, "女": {"女性", "女士"},
	"研究生":    {"硕士研究生", "博士研究生", "研究生学历", "研究生及以上", "硕士", "博士"},
	"本科":     {"大学本科", "大学", "本科学历", "大学学历", "全日制本科", "在职本科", "学士"},
	"大专":     {"专科", "大学专科", "大专学历", "高职", "高等职业教育"},
	"中专":     {"中等专业学校", "中技", "技校", "职高", "中职"},
	"高中":     {"普通高中", "高中学历"},
	"初中及以下":  {"初中", "小学", "小学及以下", "文盲"},
	"正式党员":   {"正式", "中共正式党员", "中共党员（正式）"},
	"预备党员":   {"预备", "中共预备党员", "中共党员（预备）"},
	"入党积极分子": {"积极分子"},
	"申请入党":   {"入党申请人", "申请入党人", "申请人", "申请入党人员"},
	"在职":     {"在岗", "在职人员"}, "离退休": {"退休", "离休", "已退休"}, "农民": {"农村"}, "学生": {"在校学生", "在校生"},
	"委员会": {"党委", "党委会"}, "党总支": {"总支", "党总支部", "总支部"}, "党支部": {"支部"}, "党小组": {"小组"}, "党工委": {"工委", "党工作委员会"},
	"联合支部": {"联合党支部"}, "联合党支部": {"联合支部"}, "独立党支部": {"独立支部"}, "未建立": {"未建", "没有建立", "无"},
	"机关": {"党政机关", "国家机关"}, "事业单位": {"事业"}, "国有企业": {"国企"}, "非公企业": {"非公有制企业", "民营企业", "私营企业", "民企"}, "社会组织": {"社团", "社会团体"},
	"社区/村": {"社区", "村"},
}

// optionKey is what two ways to write a label have in common.
func optionKey(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "（", "(", "）", ")", "／", "/").Replace(normal.Name(s)))
}

// Meant is the value of the option that a cell names, "" when none.
func (f *Field) Meant(text string) string {
	key := optionKey(text)
	for _, o := range f.Options {
		if optionKey(o.Label) == key {
			return o.Value
		}
	}
	for _, o := range f.Options {
		if short, nation := strings.CutSuffix(o.Label, "族"); nation && optionKey(short) == key {
			return o.Value
		}
		for _, a := range alias[o.Label] {
			if optionKey(a) == key {
				return o.Value
			}
		}
	}
	return ""
}

// mostTold is how many options a Refusal names.
const mostTold = 12

// Unknown refuses a word and says what may be filled in.
func (f *Field) Unknown(text string) error {
	labels := make([]string, 0, mostTold)
	for _, o := range f.Options {
		if len(labels) == mostTold {
			break
		}
		labels = append(labels, o.Label)
	}
	told := strings.Join(labels, "、")
	if len(f.Options) > mostTold {
		told += fmt.Sprintf("等%d项，见模板的下拉列表", len(f.Options))
	}
	return UnknownWord{Refusal(fmt.Sprintf("%s“%s”不在可选范围内，可填：%s", f.Label, Clip(text), told))}
}

// UnknownWord refuses a word that may be mapped to an option or a record once for all rows.
type UnknownWord struct{ Refusal }

func (u UnknownWord) Unwrap() error { return u.Refusal }
