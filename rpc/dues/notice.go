package dues

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	dues "zhihuidangjian/idl/gen/dues"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/wechat"
)

var (
	errForged  = &kit.Error{Code: 40100, Key: "dues.notice_forged", Message: "签名验证失败"}
	errForeign = kit.Invalid("dues.notice", "通知与订单不符")
)

// HandlePayNotice takes a notice of WeChat Pay from whoever sends one: the signature
// decides. A genuine one is stored before anything else is done with it, then compared
// with the order and settled; a repeat changes nothing. An error makes WeChat send it
// again.
func (s *Service) HandlePayNotice(ctx context.Context, req *dues.Notice) (*recordsgen.Empty, error) {
	header := http.Header{}
	for k, v := range req.Headers {
		header.Set(k, v)
	}
	n, err := s.d.Notify.Parse(ctx, header, req.Body)
	switch {
	case errors.Is(err, wechat.ErrSignature):
		slog.Warn("dues: forged payment notice", "cause", err)
		return nil, errForged.Because(err)
	case errors.Is(err, wechat.ErrNotPayment):
		slog.Warn("dues: notice is no payment", "cause", err)
		return nil, errForeign.Because(err)
	case err != nil:
		return nil, errWeChat.Because(err)
	}
	if n.Refund != nil {
		return s.handleRefund(ctx, n)
	}
	o, problem, err := s.match(ctx, n)
	if err != nil {
		return nil, err
	}
	kept := &model.DuesNotice{
		Base:       model.Base{ID: n.ID},
		OutTradeNo: n.OutTradeNo, TransactionID: n.TransactionID, AppID: n.AppID, Amount: n.AmountFen,
		SuccessAt: n.SuccessAt, Problem: problem,
	}
	if o != nil {
		kept.OrderID, kept.OrgID, kept.Orgs = o.ID, o.OrgID, o.Orgs
	}
	if err := s.notices.Insert(ctx, kept); err != nil && !errors.Is(err, model.ErrDuplicate) {
		return nil, err
	}
	if problem != "" {
		slog.Error("dues: genuine notice does not fit", "notice", n.ID, "outTradeNo", n.OutTradeNo, "problem", problem)
		return nil, errForeign.Because(errors.New(problem))
	}
	if _, err := s.settle(ctx, o.ID, online(n.Transaction)); err != nil {
		return nil, err
	}
	return &recordsgen.Empty{}, nil
}

// handleRefund stores a genuine notice of a refund before anything else is done with it, and settles the
// refund.
func (s *Service) handleRefund(ctx context.Context, n wechat.Notice) (*recordsgen.Empty, error) {
	r, problem, err := s.matchBack(ctx, n.Refund)
	if err != nil {
		return nil, err
	}
	kept := &model.DuesNotice{
		Base: model.Base{ID: n.ID}, OutTradeNo: n.Refund.OutTradeNo, TransactionID: n.Refund.TransactionID, Amount: -n.Refund.RefundFen,
		SuccessAt: n.Refund.SuccessAt, Problem: problem,
	}
	if r != nil {
		kept.OrderID, kept.OrgID, kept.Orgs = r.OrderID, r.OrgID, r.Orgs
	}
	if err := s.notices.Insert(ctx, kept); err != nil && !errors.Is(err, model.ErrDuplicate) {
		return nil, err
	}
	if problem != "" {
		slog.Error("dues: genuine notice of a refund does not fit", "notice", n.ID, "outRefundNo", n.Refund.OutRefundNo, "problem", problem)
		return nil, errForeign.Because(errors.New(problem))
	}
	if err := s.refundNotice(ctx, r.ID, n.Refund); err != nil {
		return nil, err
	}
	return &recordsgen.Empty{}, nil
}

// match finds the order of a notice and compares all that it says.
func (s *Service) match(ctx context.Context, n wechat.Notice) (*model.DuesOrder, string, error) {
	if n.EventType != wechat.EventPaid || n.TradeState != wechat.TradeSuccess {
		return nil, "not a successful payment", nil
	}
	no, _, _ := strings.Cut(n.OutTradeNo, "-")
	o, err := s.orders.FindOne(ctx, model.Everything, bson.D{{Key: "orderNo", Value: no}})
	if errors.Is(err, model.ErrNotFound) {
		return nil, "unknown order", nil
	}
	if err != nil {
		return nil, "", err
	}
	t := o.TradeOf(n.OutTradeNo)
	if t == nil {
		return o, "the order was not opened at WeChat", nil
	}
	return o, s.mismatch(o, t, n.Transaction), nil
}
