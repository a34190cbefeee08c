package sim

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/rpc/sms"
)

// TestParams: the provider refuses what its templates cannot hold, and keeps none of it.
func TestParams(t *testing.T) {
	s := New("secret", time.Now)
	for param, want := range map[string]string{
		`{"title":"` + strings.Repeat("题", 35) + `"}`: "OK", `{"title":"` + strings.Repeat("题", 36) + `"}`: sms.CodeTooLong,
		`{"title":""}`: sms.CodeTooLong, `{"title":1}`: "isv.INVALID_JSON_PARAM",
	} {
		got := s.accept(url.Values{
			"SignName": {sms.SignName}, "TemplateCode": {templatePrefix + "meetingStarted"}, "PhoneNumbers": {"13800138000"}, "TemplateParam": {param},
		})
		if got != want {
			t.Errorf("%s: %s, want %s", param, got, want)
		}
	}
	if n := len(s.Messages("")); n != 1 {
		t.Errorf("%d messages kept", n)
	}
}
