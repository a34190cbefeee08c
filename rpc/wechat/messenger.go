package wechat

import (
	"context"
	"strings"
	"unicode"

	"github.com/ArtisanCloud/PowerWeChat/v3/src/basicService/subscribeMessage/request"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/kernel/power"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/miniProgram"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/officialAccount"
	"github.com/ArtisanCloud/PowerWeChat/v3/src/officialAccount/templateMessage"

	"zhihuidangjian/conf"
)

type messenger struct {
	cfg      conf.WeChat
	official *lease[*officialAccount.OfficialAccount]
	mini     *lease[*miniProgram.MiniProgram]
}

type fieldValue struct {
	Value string `json:"value"`
}

// SendTemplate implements Messenger.
func (m *messenger) SendTemplate(ctx context.Context, msg TemplateMessage) error {
	id, data, err := fill(m.cfg.Templates, msg.Kind, msg.Fields)
	if err != nil {
		return err
	}
	// PowerWeChat's request has no client_msg_id, so the body is our own.
	body := struct {
		ToUser      string                `json:"touser"`
		TemplateID  string                `json:"template_id"`
		URL         string                `json:"url,omitempty"`
		ClientMsgID string                `json:"client_msg_id,omitempty"`
		Data        map[string]fieldValue `json:"data"`
	}{msg.OpenID, id, msg.URL, msg.ClientMsgID, data}
	return m.official.use(ctx, func(ctx context.Context, app *officialAccount.OfficialAccount) error {
		var answer errcode
		if _, err := app.TemplateMessage.BaseClient.HttpPostJson(ctx, templateMessage.API_TEMPLATE_MESSAGE_SEND, body, nil, nil, &answer); err != nil {
			return err
		}
		return answer.err()
	})
}

// SendSubscribe implements Messenger.
func (m *messenger) SendSubscribe(ctx context.Context, msg SubscribeMessage) error {
	id, data, err := fill(m.cfg.Subscribes, msg.Kind, msg.Fields)
	if err != nil {
		return err
	}
	fields := power.HashMap{}
	for name, value := range data {
		fields[name] = value
	}
	return m.mini.use(ctx, func(ctx context.Context, app *miniProgram.MiniProgram) error {
		answer, err := app.SubscribeMessage.Send(ctx, &request.RequestSubscribeMessageSend{
			ToUser: msg.OpenID, TemplateID: id, Page: msg.Page, Lang: "zh_CN", Data: &fields,
		})
		if err != nil {
			return err
		}
		return errcode{answer.ErrCode, answer.ErrMsg}.err()
	})
}

// fill finds the template of a kind and gives the fields the template's keywords.
func fill(templates conf.Templates, kind string, fields map[string]string) (id string, data map[string]fieldValue, err error) {
	id, keywords, ok := templates.Find(kind)
	if !ok {
		return "", nil, &Error{Kind: KindConfig, Code: "template", Message: "no template for " + kind}
	}
	data = map[string]fieldValue{}
	for field, value := range fields {
		keyword := field
		if len(keywords) > 0 {
			if keyword, ok = keywords[field]; !ok {
				continue
			}
		}
		data[keyword] = fieldValue{fit(keyword, value)}
	}
	return id, data, nil
}

// fit cuts a value to what WeChat takes; an empty one is refused there, so a dash
// stands for it.
func fit(keyword, value string) string {
	r := []rune(strings.Join(strings.Fields(value), " "))
	limit := FieldLimit(keyword, string(r))
	switch {
	case len(r) == 0:
		return "-"
	case len(r) > limit && strings.HasPrefix(keyword, "phrase"): // Han characters only
		return string(r[:limit])
	case len(r) > limit:
		return string(r[:limit-1]) + "…"
	}
	return string(r)
}

// fieldLimits are how many characters WeChat takes for a keyword of a kind.
var fieldLimits = []struct {
	kind string
	most int
}{
	{"character_string", 32}, {"number", 32}, {"letter", 32}, {"phone_number", 17}, {"car_number", 8}, {"symbol", 5}, {"phrase", 5},
}

// FieldLimit is how many characters WeChat takes for a value of a keyword: by the kind that
// the keyword begins with, for names by their script. The sandbox knows numbers by the
// product's names (orderNo). It is 20 for all else.
func FieldLimit(keyword, value string) int {
	for _, l := range fieldLimits {
		if strings.HasPrefix(keyword, l.kind) {
			return l.most
		}
	}
	switch {
	case strings.HasSuffix(keyword, "No"):
		return 32
	case strings.HasPrefix(keyword, "name") && strings.ContainsFunc(value, func(r rune) bool { return unicode.Is(unicode.Han, r) }):
		return 10
	}
	return 20
}
