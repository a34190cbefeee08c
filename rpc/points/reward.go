package points

import (
	"context"
	"time"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// rewarded books a reward or a sanction for the member, by the rule of that name (RWD-02).
// It counts on the day on which it was recorded: earlier years do not change (JOB-06).
func (b *booking) rewarded(ctx context.Context, e *recordsgen.Event, p *model.Rewarded) ([]*line, error) {
	rule, err := b.rule(ctx, model.DimensionPersonal, p.Item)
	if err != nil || rule == nil {
		return nil, err
	}
	return []*line{by(rule, rule.Net(), model.PointsEntry{
		Base:      model.Base{ID: kit.KeyID(e.Id, rule.ID, p.MemberID), OrgID: p.OrgID, Orgs: p.Orgs},
		SubjectID: p.MemberID, EarnedAt: time.UnixMilli(e.At),
		SourceType: p.Item, SourceID: p.RecordID, Source: itemLabels[p.Item] + " " + p.Title, EventID: e.Id,
	})}, nil
}

// rewardRevoked takes back what the deleted record earned or cost.
func (b *booking) rewardRevoked(ctx context.Context, e *recordsgen.Event, p *model.Rewarded) ([]*line, error) {
	return b.takeBack(ctx, e, p.Item, p.RecordID)
}
