package wechat

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/ArtisanCloud/PowerWeChat/v3/src/officialAccount"
)

type jssdk struct {
	official *lease[*officialAccount.OfficialAccount]
}

// Sign implements JSSDK.
func (j *jssdk) Sign(ctx context.Context, url string) (sig JSConfig, err error) {
	url, _, _ = strings.Cut(url, "#")
	err = j.official.use(ctx, func(ctx context.Context, app *officialAccount.OfficialAccount) error {
		answer, err := app.JSSDK.GetTicket(ctx, false, "jsapi")
		if answer != nil {
			if code, ok := (*answer)["errcode"].(float64); ok && code != 0 {
				message, _ := (*answer)["errmsg"].(string)
				return errcode{int(code), message}.err()
			}
		}
		if err != nil {
			return err
		}
		ticket, _ := (*answer)["ticket"].(string)
		if ticket == "" {
			return &Error{Kind: KindRetryable, Message: "answer without ticket"}
		}
		sig = JSConfig{AppID: app.JSSDK.GetAppID(), Timestamp: time.Now().Unix(), NonceStr: rand.Text()[:16]}
		sig.Signature = app.JSSDK.GetTicketSignature(ticket, sig.NonceStr, sig.Timestamp, url)
		return nil
	})
	return sig, err
}
