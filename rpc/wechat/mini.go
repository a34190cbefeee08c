package wechat

import (
	"context"

	"github.com/ArtisanCloud/PowerWeChat/v3/src/miniProgram"
)

type miniLogin struct {
	mini *lease[*miniProgram.MiniProgram]
}

// Session implements MiniLogin. The session key stays here: nothing needs it.
func (m *miniLogin) Session(ctx context.Context, code string) (id Identity, err error) {
	err = m.mini.use(ctx, func(ctx context.Context, app *miniProgram.MiniProgram) error {
		answer, err := app.Auth.Session(ctx, code)
		if err != nil {
			return err
		}
		if err := (errcode{answer.ErrCode, answer.ErrMsg}).err(); err != nil {
			return err
		}
		if answer.OpenID == "" {
			return &Error{Kind: KindUnknown, Message: "answer without openid"}
		}
		id = Identity{OpenID: answer.OpenID, UnionID: answer.UnionID}
		return nil
	})
	return id, err
}

// PhoneNumber implements MiniLogin.
func (m *miniLogin) PhoneNumber(ctx context.Context, code string) (phone string, err error) {
	err = m.mini.use(ctx, func(ctx context.Context, app *miniProgram.MiniProgram) error {
		answer, err := app.PhoneNumber.GetUserPhoneNumber(ctx, code)
		if err != nil {
			return err
		}
		if err := (errcode{answer.ErrCode, answer.ErrMsg}).err(); err != nil {
			return err
		}
		if answer.PhoneInfo == nil || answer.PhoneInfo.PurePhoneNumber == "" {
			return &Error{Kind: KindUnknown, Message: "answer without phone number"}
		}
		phone = answer.PhoneInfo.PurePhoneNumber
		return nil
	})
	return phone, err
}
