package sms

import (
	"maps"
	"slices"
	"strings"
)

// SignName is the signature in the sandbox.
const SignName = "智慧党建"

// Texts is the wording of each kind: apply for these templates at Aliyun. The
// sandbox's inbox renders them.
var Texts = map[string]string{
	"bindCode":       "您的验证码是${code}，5分钟内有效。请勿转告他人。",
	"loginCode":      "您的登录验证码是${code}，5分钟内有效。请勿转告他人。",
	"duesReceipt":    "您已缴纳${month}党费${amount}元，感谢您按时履行党员义务。",
	"duesReminder":   "您有${month}党费${amount}元待缴纳，请在微信公众号“党费缴纳”中办理。",
	"volunteerForm":  "请到支部换取入党志愿书。",
	"meetingStarted": "“${title}”将于${time}开始，地点：${place}，请准时参加。",
}

// ParamMost is how many characters Aliyun takes for a variable of a template.
const ParamMost = 35

// Fit cuts a variable to what the provider takes; an empty one is refused there, so a dash
// stands for it.
func Fit(value string) string {
	r := []rune(strings.Join(strings.Fields(value), " "))
	switch {
	case len(r) == 0:
		return "-"
	case len(r) > ParamMost:
		return string(r[:ParamMost-1]) + "…"
	}
	return string(r)
}

// Render writes a message as the member reads it. A kind without wording shows
// its parameters, so that nothing sent is hidden.
func Render(kind string, params map[string]string) string {
	text, known := Texts[kind]
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		text = strings.ReplaceAll(text, "${"+name+"}", Fit(params[name]))
		rest = append(rest, name+"："+Fit(params[name]))
	}
	if !known {
		text = strings.Join(rest, "，")
	}
	return "【" + SignName + "】" + text
}
