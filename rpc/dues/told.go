package dues

import (
	"fmt"
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// announcePaid sends the payer of an order a receipt, by SMS too, and lets points follow:
// every month counts for the member and for his branch, wherever it was paid (PTS-02,
// PRNK-07). paidAt is when he paid, which with cash is before it was confirmed at.
func announcePaid(o *model.DuesOrder, at, paidAt time.Time) {
	fact, months := kit.KeyID("dues.paid", o.ID), o.FromMonth
	if o.ToMonth != o.FromMonth {
		months += "至" + o.ToMonth
	}
	o.Tell(fact, at, model.Told{
		Kind: "duesReceipt", Title: "党费缴纳成功", Content: fmt.Sprintf("您已缴纳%s党费%s元", months, kit.Yuan(o.Amount)),
		TargetType: "duesOrder", TargetID: o.ID, Page: "pages/dues/result?id=" + o.ID,
		Fields: map[string]string{
			"name": o.MemberName, "month": months, "amount": kit.Yuan(o.Amount),
			"time": paidAt.In(kit.Shanghai).Format("2006年01月02日 15:04"), "orderNo": o.OrderNo,
		},
		MemberIDs: []string{o.MemberID}, Channels: []string{model.ChannelSite, model.ChannelWeChat, model.ChannelSMS},
	})
	earned := model.Earned{SourceType: "duesOrder", SourceID: o.ID, At: paidAt}
	for _, x := range o.Items {
		source := "党费 " + x.Month
		earned.Shares = append(earned.Shares, model.Share{
			Dimension: model.DimensionPersonal, Item: model.ItemDues, SubjectID: o.MemberID,
			OrgID: o.OrgID, Orgs: o.Orgs, Units: 1, Due: x.Month, Source: source,
		}, model.Share{
			Dimension: model.DimensionOrganisation, Item: model.ItemDues, SubjectID: o.OrgID,
			OrgID: o.OrgID, Orgs: o.Orgs, Units: 1, Due: x.Month, Source: o.MemberName + " " + source,
		})
	}
	o.Earn(fact, at, earned)
}

// announceReversed tells the payer on site that his cash was given back, and takes back what
// the order earned.
func announceReversed(o *model.DuesOrder, now time.Time) {
	fact := kit.KeyID("dues.reversed", o.ID)
	o.Tell(fact, now, model.Told{
		Kind: "duesReversed", Title: "党费缴纳已撤销",
		Content:    fmt.Sprintf("%s至%s的党费%s元（现金）已由党组织撤销，如有疑问请联系党组织", o.FromMonth, o.ToMonth, kit.Yuan(o.Amount)),
		TargetType: "duesOrder", TargetID: o.ID, MemberIDs: []string{o.MemberID}, Channels: []string{model.ChannelSite},
	})
	o.Unearn(fact, now, model.Unearned{SourceType: "duesOrder", SourceID: o.ID})
}

// announceRefunded tells the payer that his money came back; of a whole order, what it earned goes too.
func announceRefunded(o *model.DuesOrder, r *model.DuesRefund, now time.Time) {
	fact := kit.KeyID("dues.refunded", r.ID)
	text := fmt.Sprintf("您的党费%s元已原路退回微信，党费缴纳至随之更正", kit.Yuan(r.Amount))
	o.Tell(fact, now, model.Told{
		Kind: "duesReversed", Title: "党费已退款", Content: text, TargetType: "duesOrder", TargetID: o.ID, Page: "pages/dues/index",
		MemberIDs: []string{o.MemberID}, Channels: []string{model.ChannelSite},
	})
	if o.Status == model.DuesRefunded {
		o.Unearn(fact, now, model.Unearned{SourceType: "duesOrder", SourceID: o.ID})
	}
}

// differencesMost bounds the notices of one day; a wrong bill would bring thousands.
const differencesMost = 20

// announceDifferences tells the admins of the top level, who may see the reports, of each
// difference between a day's books and WeChat's bill, a line for each (trust.md, Money 5).
func announceDifferences(r *model.DuesReconcile, lines []string, now time.Time) {
	if more := len(lines) - differencesMost; more > 0 {
		lines = append(lines[:differencesMost:differencesMost], fmt.Sprintf("另有%d笔差异，请查看对账记录", more))
	}
	fact := kit.KeyID("dues.reconciled", r.ID, r.State)
	for i, text := range lines {
		r.Tell(fmt.Sprint(fact, "/", i), now, model.Told{
			Kind: "duesReconcile", Title: "微信对账差异 " + r.Day, Content: text,
			TargetType: "duesReconcile", TargetID: r.ID, AdminsOf: model.RootOrg, Permission: "duesReconcile.view",
		})
	}
}
