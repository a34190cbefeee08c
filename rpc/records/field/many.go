package field

import "slices"

// mostChosen bounds a choice of several when its field does not.
const mostChosen = 5000

// many checks a choice of several values and puts it in order. One that is named twice
// counts once, or is refused when the field is distinct.
func (f *Field) many(list []string) ([]string, error) {
	if f.Required && len(list) == 0 {
		return nil, Refuse("请填写%s", f.Label)
	}
	most := int64(mostChosen)
	if f.Max > 0 {
		most = f.Max
	}
	if n := int64(len(list)); n > most {
		return nil, Refuse("%s不能超过%d项", f.Label, most)
	}
	for _, v := range list {
		if v == "" || f.Type == "enums" && f.OptionLabel(v) == "" {
			return nil, Refuse("%s填写有误", f.Label)
		}
	}
	slices.Sort(list)
	once := slices.Compact(slices.Clone(list))
	if f.Distinct && len(once) < len(list) {
		return nil, Refuse("%s不能重复", f.Label)
	}
	return once, nil
}
