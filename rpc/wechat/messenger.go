package wechat

import (
	"context"
	"strings"

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
	limit := FieldLimit(keyword)
	r := []rune(strings.Join(strings.Fields(value), " "))
	switch {
	case len(r) == 0:
		return "-"
	case len(r) > limit:
		return string(r[:limit-1]) + "…"
	}
	return string(r)
}

// FieldLimit is how many characters WeChat takes for a keyword: 32 for numbers
// and codes, which the sandbox knows by the product's names (orderNo), 20 otherwise.
func FieldLimit(keyword string) int {
	if strings.HasPrefix(keyword, "character_string") || strings.HasSuffix(keyword, "No") {
		return 32
	}
	return 20
}
