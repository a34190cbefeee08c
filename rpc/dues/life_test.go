package dues

import (
	"errors"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

func TestEveryStateAnswersEveryAction(t *testing.T) {
	now := time.Now()
	for _, state := range life.States {
		for _, a := range []string{doPay, doDelete, doClear, doReverse, doPrint, doConfirm, doReject} {
			o := &model.DuesOrder{Status: state.Value, ExpiresAt: now.Add(time.Hour), PayMethod: model.PayCash}
			to, err := life.Step(&kit.Caller{}, o, a, now)
			var told *kit.Error
			if (to == "") == (err == nil) || err != nil && (!errors.As(err, &told) || !strings.HasPrefix(told.Key, "dues.")) {
				t.Errorf("%s × %s leads to %q, %v", state.Value, a, to, err)
			}
		}
	}
}
