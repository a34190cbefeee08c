package wechat

import (
	"strings"
	"testing"
)

// TestFieldLimits: WeChat refuses what is longer than the kind of its keyword takes
// (PLUS-47).
func TestFieldLimits(t *testing.T) {
	long := strings.Repeat("长", 60)
	for keyword, most := range map[string]int{
		"thing1": 20, "phrase2": 5, "name3": 10, "symbol4": 5, "character_string5": 32, "number6": 32, "letter7": 32, "phone_number8": 17, "car_number9": 8,
		"title": 20, "orderNo": 32, "time1": 20,
	} {
		if got := []rune(fit(keyword, long)); len(got) != most || FieldLimit(keyword, string(got)) != most {
			t.Errorf("%s: %d characters, want %d", keyword, len(got), most)
		}
		if got := fit(keyword, "  "); got != "-" {
			t.Errorf("%s: nothing becomes %q", keyword, got)
		}
	}
	if got := fit("name1", "Alexander Hamilton"); got != "Alexander Hamilton" {
		t.Error(got)
	}
	if got := fit("phrase1", long); strings.Contains(got, "…") {
		t.Errorf("a phrase is of Han characters: %s", got)
	}
	if got := fit("thing1", " 两\n行\t字 "); got != "两 行 字" {
		t.Error(got)
	}
}
