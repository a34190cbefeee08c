package dues

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	dues "zhihuidangjian/idl/gen/dues"
	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// durations are what 未交时长 can be asked for: at least so many months.
var durations = []records.Option{{Value: "1", Label: "1个月以上"}, {Value: "3", Label: "3个月以上"}, {Value: "6", Label: "6个月以上"}, {Value: "12", Label: "12个月以上"}}

// arrearsType is 欠缴管理 (spec/records.md 29, manual 7.6): who owes dues of months that are over, and
// 提醒, which is offered again once what he owes has changed.
func (s *Service) arrearsType() *records.Type[*model.DuesArrears] {
	return &records.Type[*model.DuesArrears]{
		Name: "duesArrears", Title: "欠缴管理", Menu: "党费", Icon: "warning", Section: "7.6", Collection: s.arrears, WithMember: true,
		NoCreate: true, NoUpdate: true, NoDelete: true, NameKey: "memberName", DefaultSort: "-owedMonths",
		Indexes: []model.Index{
			records.ByMember,
			{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "deleted", Value: 1}, {Key: "owedMonths", Value: -1}, {Key: "_id", Value: -1}}},
		},
		Fields: []records.Field{
			{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", List: true, ReadOnly: true, After: "memberName", Width: 170},
			{Key: "idNumber", Label: "身份证号", Type: "idNumber", List: true, ReadOnly: true, After: "orgId"},
			{Key: "duration", Label: "未交时长", Type: "enum", Virtual: true, Search: true, Options: durations},
		},
		Where: func(context.Context, map[string]string) bson.D {
			return bson.D{{Key: "owedMonths", Value: bson.D{{Key: "$gt", Value: 0}}}}
		},
		Filter: func(_ context.Context, key, value string) (bson.D, bool, error) {
			if key != "duration" {
				return nil, false, nil
			}
			for _, d := range durations {
				if d.Value == value {
					var n int
					_, _ = fmt.Sscan(value, &n) // one of ours
					return bson.D{{Key: "$and", Value: bson.A{bson.D{{Key: "owedMonths", Value: bson.D{{Key: "$gte", Value: n}}}}}}}, true, nil
				}
			}
			return nil, true, kit.Invalid("filter.invalid", "筛选条件“未交时长”填写有误")
		},
		Actions: []records.Action[*model.DuesArrears]{{Key: "remind", Title: "提醒", All: true, Do: s.remind,
			Done: func(a *model.DuesArrears) string { return "已提醒" + a.MemberName }}},
		Life: &records.Life[*model.DuesArrears]{Verbs: []records.Verb[*model.DuesArrears]{{
			Key: "remind", If: func(_ *kit.Caller, a *model.DuesArrears, _ time.Time) *kit.Error {
				if a.RemindedOf == a.State {
					return kit.Conflict("arrears.reminded", "已提醒，欠缴信息变更后可再次提醒")
				}
				return nil
			}}}},
	}
}

// remind tells a member in the official account what he owes (7.6.2). Who is not bound cannot be
// told, and may be tried again.
func (s *Service) remind(ctx context.Context, a *model.DuesArrears, _ records.Input) error {
	m, err := s.member(ctx, a.MemberID)
	if err != nil {
		return err
	}
	if m.OpenId == "" && m.MiniOpenId == "" {
		return kit.Conflict("arrears.unbound", "该党员未绑定公众号")
	}
	now := s.d.Clock.Now()
	a.RemindedAt, a.RemindedOf = &now, a.State
	months := fmt.Sprintf("%d个月", a.OwedMonths)
	a.Tell(kit.KeyID("arrears", a.ID, a.State), now, model.Told{
		Kind: "duesReminder", Title: "党费欠缴提醒", Content: fmt.Sprintf("您有%s党费共%s元尚未缴纳，请及时缴纳", months, kit.Yuan(a.OwedAmount)),
		Fields:     map[string]string{"month": months, "amount": kit.Yuan(a.OwedAmount)},
		TargetType: "duesArrears", TargetID: a.ID, Page: "pages/dues/index", MemberIDs: []string{a.MemberID}, Traced: true,
	})
	return nil
}

// owes computes what a member owes of the months before this one, as it stands now (A17).
func (s *Service) owes(ctx context.Context, m *partygen.Member) (*model.DuesArrears, error) {
	a := &model.DuesArrears{
		Base:     model.Base{ID: kit.KeyID("arrears", m.Id), OrgID: m.OrgId, Orgs: m.Orgs, CreatedBy: "system"},
		MemberID: m.Id, MemberName: m.Name, IDMasked: maskID(m.IdNumber),
	}
	if pays(m) != nil {
		return a, nil
	}
	acc, err := s.account(ctx, m)
	if err != nil {
		return nil, err
	}
	last := kit.AddMonths(kit.Month(s.d.Clock.Now()), -1)
	from := acc.start
	if from == "" { // never paid, and no base says since when
		from = last
	}
	a.PaidThrough = acc.paidThrough
	parts := []string{}
	for _, month := range months(from, last) {
		b := acc.base(month)
		if b == nil {
			a.OwedMonths++
			a.Note = "未设置党费基数"
			parts = append(parts, month)
		} else {
			off := acc.off(month, b.PayableAmount)
			parts = append(parts, fmt.Sprint(month, " ", b.Version, " ", b.PayableAmount, " ", off))
			if off == b.PayableAmount && off > 0 {
				continue // 免交
			}
			a.OwedMonths++
			a.OwedAmount += b.PayableAmount - off
		}
		if a.FromMonth == "" {
			a.FromMonth = month
		}
	}
	a.State = kit.KeyID(append(parts, a.PaidThrough)...)
	return a, nil
}

// refresh stores what a member owes; nothing is written when nothing has changed. Of two at once the
// one that read the older state begins again.
func (s *Service) refresh(ctx context.Context, m *partygen.Member) error {
	if err := s.mark(ctx, m.OrgId, m.Orgs); err != nil {
		return err
	}
	for range tries {
		was, err := s.arrears.Get(ctx, model.Everything, kit.KeyID("arrears", m.Id))
		if err != nil && !errors.Is(err, model.ErrNotFound) {
			return err
		}
		now, err := s.owes(ctx, m)
		if err != nil {
			return err
		}
		switch {
		case was != nil && was.OrgID != m.OrgId:
			if err := s.mark(ctx, was.OrgID, was.Orgs); err != nil {
				return err
			}
		}
		switch {
		case was == nil && now.OwedMonths == 0:
			return nil
		case was == nil:
			s.warn(now, nil)
			if err := s.arrears.Insert(ctx, now); !errors.Is(err, model.ErrDuplicate) {
				return err
			}
			continue
		case was.State == now.State && was.OwedMonths == now.OwedMonths && was.OrgID == now.OrgID && was.MemberName == now.MemberName:
			return nil
		}
		now.Version, now.CreatedAt, now.Pending, now.RemindedAt, now.RemindedOf = was.Version, was.CreatedAt, was.Pending, was.RemindedAt, was.RemindedOf
		s.warn(now, was.Warned)
		if err := s.arrears.Replace(ctx, now); !errors.Is(err, model.ErrStale) {
			return err
		}
	}
	return kit.ErrConflict
}

// warn tells branch and member, once for each length, for how long he has paid nothing.
func (s *Service) warn(a *model.DuesArrears, before []int) {
	n := a.Warn(before)
	if n == 0 {
		return
	}
	now := s.d.Clock.Now()
	text := fmt.Sprintf("%s已连续%d个月未缴纳党费（自%s起），请及时了解情况并提醒缴纳", a.MemberName, a.OwedMonths, a.FromMonth)
	if a.OwedMonths >= 6 {
		text += "。依据党章第九条，没有正当理由连续六个月不缴纳党费的，由支部大会讨论决定并报上级批准，系统不改变其党员身份"
	}
	a.Tell(kit.KeyID("arrears.warned", a.ID, a.FromMonth, fmt.Sprint(n)), now, model.Told{
		Kind: "notice", Title: "党费欠缴预警", Content: text, Fields: map[string]string{"title": "党费欠缴预警", "content": text},
		TargetType: "duesArrears", TargetID: a.ID, AdminsOf: a.OrgID, Permission: "duesArrears.view", MemberIDs: []string{a.MemberID}, Channels: []string{model.ChannelSite}, Page: "pages/dues/index",
	})
}

// refreshOf is refresh for a member by his id; one who is gone owes nothing any more.
func (s *Service) refreshOf(ctx context.Context, memberID string) error {
	m, err := s.member(ctx, memberID)
	if errors.Is(err, kit.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.refresh(ctx, m)
}

// sweep is how far the worker has come.
type sweep struct {
	Month string `bson:"month"` // for which all are computed
	Since int64  `bson:"since"` // Unix milliseconds of the last member seen
	After string `bson:"after"` // and his id
}

const (
	sweepAtOnce = 200             // members of one batch
	settling    = 2 * time.Second // a change may be stored a little after it happened
	sweepFor    = 20 * time.Second
)

// RefreshArrears computes anew what members owe whose records have changed, and when a month begins,
// what everybody owes (ARRS-02). It may be killed anywhere: it goes on where it had come to.
func (s *Service) RefreshArrears(ctx context.Context, _ *recordsgen.Empty) (*dues.Done, error) {
	notes, key := s.d.DB.Collection("duesSweeps"), bson.D{{Key: "_id", Value: "arrears"}}
	var at sweep
	if err := notes.FindOne(ctx, key).Decode(&at); err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if month := kit.Month(s.d.Clock.Now()); at.Month != month {
		at = sweep{Month: month}
	}
	done := &dues.Done{}
	for began := time.Now(); time.Since(began) < sweepFor; {
		list, err := s.d.Party.ListChanged(ctx, &partygen.ChangedReq{Since: at.Since, After: at.After, Until: s.d.Clock.Now().Add(-settling).UnixMilli(), Most: sweepAtOnce})
		if err != nil {
			return done, err
		}
		if len(list.Members) == 0 {
			return done, s.drainSums(ctx)
		}
		for _, m := range list.Members {
			if err := s.refresh(ctx, m); err != nil {
				return done, fmt.Errorf("arrears of %s: %w", m.Id, err)
			}
			at.Since, at.After = m.UpdatedAt, m.Id
			done.Count++
		}
		_, err = notes.UpdateOne(ctx, key, bson.D{{Key: "$set", Value: at}}, options.UpdateOne().SetUpsert(true))
		if err != nil {
			return done, fmt.Errorf("sweep: %w", err)
		}
	}
	return done, nil
}
