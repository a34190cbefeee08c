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
	"meetingStarted": "您参加的会议“${title}”已发布，时间${time}，地点${place}，请准时参加。",
}

// Render writes a message as the member reads it. Parameters the wording does
// not name are added at the end, and an unknown kind shows its parameters, so
// that nothing sent is hidden.
func Render(kind string, params map[string]string) string {
	text := Texts[kind]
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if mark := "${" + name + "}"; strings.Contains(text, mark) {
			text = strings.ReplaceAll(text, mark, params[name])
		} else {
			rest = append(rest, name+"："+params[name])
		}
	}
	if len(rest) > 0 {
		text += strings.Join(rest, "，")
	}
	return "【" + SignName + "】" + text
}
