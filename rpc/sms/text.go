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
	"meetingStarted": "“${title}”将于${time}开始，地点：${place}，请准时参加。",
}

// Render writes a message as the member reads it. A kind without wording shows
// its parameters, so that nothing sent is hidden.
func Render(kind string, params map[string]string) string {
	text, known := Texts[kind]
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		text = strings.ReplaceAll(text, "${"+name+"}", params[name])
		rest = append(rest, name+"："+params[name])
	}
	if !known {
		text = strings.Join(rest, "，")
	}
	return "【" + SignName + "】" + text
}
