package dues

import (
	"os"
	"testing"
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// TestReceiptFits keeps the longest receipt on its page: RECEIPT=file writes it to look at.
func TestReceiptFits(t *testing.T) {
	at := time.Date(2024, 6, 15, 12, 0, 0, 0, kit.Shanghai)
	o := &model.DuesOrder{
		OrderNo: "20240615123456789012", MemberName: "张三", IDMasked: "110***********002X", OrgName: "第一支部", CommitteeName: "中共示范市委员会",
		FromMonth: "2024-04", ToMonth: "2024-06", Items: make([]model.DuesItem, 3), Amount: 126_03, PayMethod: model.PayWeChat, PaidAt: &at,
		Operator: "王会计", TransactionNo: "4200020240615123456789012345",
	}
	if n := len(receiptLines(o)); 104+float64(n)*26+20 > 419 {
		t.Fatalf("%d lines do not fit", n)
	}
	pdf, err := receipt(o, "/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("RECEIPT"); file != "" {
		if err := os.WriteFile(file, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
