package points

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// HandleEvents books what events earn, all of them in a few writes. It may be called again
// with the same events, by two workers at once, and after dying anywhere in between: entry
// ids are made of event, rule, subject and part, and the boards are set from the ledger,
// not added to.
func (s *Service) HandleEvents(ctx context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	b := &booking{s: s, rules: map[string]*model.PointsRule{}}
	out := &recordsgen.Handled{Refused: map[string]string{}}
	for _, e := range req.Events {
		lines, err := b.judge(ctx, e)
		if err != nil {
			out.Refused[e.Id] = err.Error()
			continue
		}
		b.lines = append(b.lines, lines...)
	}
	return out, b.write(ctx)
}

// booking is what a batch of events adds to the ledger.
type booking struct {
	s     *Service
	rules map[string]*model.PointsRule // read once a batch
	lines []*line
}

// line is one entry to be, with the most that its person may earn by its rule that day;
// 0 is no limit.
type line struct {
	model.PointsEntry
	dailyMax int64
}

// judge tells what an event earns, or takes back.
func (b *booking) judge(ctx context.Context, e *recordsgen.Event) ([]*line, error) {
	switch e.Kind {
	case model.EventEarned:
		return judge(ctx, e, b.earned)
	case model.EventUnearned:
		return judge(ctx, e, b.unearned)
	}
	return nil, fmt.Errorf("event %s: no points of %q", e.Id, e.Kind)
}

func judge[T any](ctx context.Context, e *recordsgen.Event, f func(context.Context, *recordsgen.Event, *T) ([]*line, error)) ([]*line, error) {
	p := new(T)
	if err := json.Unmarshal(e.Payload, p); err != nil {
		return nil, fmt.Errorf("event %s: %w", e.Id, err)
	}
	return f(ctx, e, p)
}

// rule returns a rule that counts now, nil when it is not enabled (PTS-04).
func (b *booking) rule(ctx context.Context, dimension, item string) (*model.PointsRule, error) {
	id := ruleID(dimension, item)
	r, ok := b.rules[id]
	if !ok {
		var err error
		if r, err = b.s.rule(ctx, id); err != nil {
			return nil, err
		}
		b.rules[id] = r
	}
	return r, nil
}

// earned books every share by its rule, if that counts. It counts in the year in which it
// was earned: earlier years do not change (JOB-06).
func (b *booking) earned(ctx context.Context, e *recordsgen.Event, p *model.Earned) (lines []*line, err error) {
	for _, x := range p.Shares {
		rule, err := b.rule(ctx, x.Dimension, x.Item)
		if err != nil {
			return nil, err
		}
		if rule == nil {
			continue
		}
		key := []string{e.Id, rule.ID, x.SubjectID}
		if x.Due != "" {
			key = append(key, x.Due)
		}
		l := &line{PointsEntry: model.PointsEntry{
			Base:      model.Base{ID: kit.KeyID(key...), OrgID: x.OrgID, Orgs: x.Orgs},
			Dimension: rule.Dimension, RuleID: rule.ID, Item: rule.Item, SubjectID: x.SubjectID,
			Score: rule.Score(x.Units, x.Due, p.At), EarnedAt: p.At, Year: p.At.In(kit.Shanghai).Year(),
			SourceType: p.SourceType, SourceID: p.SourceID, Source: x.Source, EventID: e.Id,
		}}
		if rule.Dimension == model.DimensionPersonal {
			l.dailyMax = rule.Max()
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// unearned books against exactly what a source earned, whatever the rules say by now.
// The lines count in the year in which it is taken back (JOB-06).
func (b *booking) unearned(ctx context.Context, e *recordsgen.Event, p *model.Unearned) (lines []*line, err error) {
	earned, err := b.s.entries.Find(ctx, model.Everything, bson.D{{Key: "sourceId", Value: p.SourceID}, {Key: "sourceType", Value: p.SourceType}}, model.Page{})
	if err != nil {
		return nil, err
	}
	at := time.UnixMilli(e.At)
	for _, was := range earned {
		if was.Reverses != "" {
			continue
		}
		back := *was
		back.Base = model.Base{ID: kit.KeyID("reverse", was.ID), OrgID: was.OrgID, Orgs: was.Orgs}
		back.Score, back.EarnedAt, back.EventID, back.Reverses = -was.Score, at, e.Id, was.ID
		back.Year, back.Source = at.In(kit.Shanghai).Year(), "撤销 "+was.Source
		lines = append(lines, &line{PointsEntry: back})
	}
	return lines, nil
}

// write stores the lines, cut to what each person may still earn that day, and sets the
// boards. Grants are kept before entries are, and boards are set whether or not an entry
// was there before, so that dying in between loses nothing and gives nothing twice.
func (b *booking) write(ctx context.Context) error {
	if err := b.s.grant(ctx, b.lines); err != nil {
		return err
	}
	var entries []*model.PointsEntry
	touched := map[yearly][]string{}
	for _, l := range b.lines {
		if l.Score != 0 {
			entries = append(entries, &l.PointsEntry)
		}
		k := yearly{l.Year, l.Dimension}
		touched[k] = append(touched[k], l.SubjectID)
	}
	failed, err := b.s.entries.InsertMany(ctx, entries)
	if err != nil {
		return fmt.Errorf("book: %w", err)
	}
	for _, err := range failed {
		if !errors.Is(err, model.ErrDuplicate) {
			return fmt.Errorf("book: %w", err)
		}
	}
	for k, subjects := range touched {
		slices.Sort(subjects)
		if err := b.s.rank(ctx, k, slices.Compact(subjects)); err != nil {
			return err
		}
	}
	return nil
}

// grant gives lines with a daily maximum their share of it.
func (s *Service) grant(ctx context.Context, lines []*line) error {
	byDay, granted := map[string][]*line{}, map[*line]int64{}
	for _, l := range lines {
		if l.dailyMax > 0 {
			id := kit.KeyID(l.RuleID, l.SubjectID, l.EarnedAt.In(kit.Shanghai).Format(time.DateOnly))
			byDay[id] = append(byDay[id], l)
		}
	}
	for len(byDay) > 0 {
		ids := slices.Sorted(maps.Keys(byDay))
		there, err := s.days.Find(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, model.Page{})
		if err != nil {
			return err
		}
		days := make(map[string]*model.PointsDay, len(there))
		for _, d := range there {
			days[d.ID] = d
		}
		changed := make([]*model.PointsDay, 0, len(ids))
		for _, id := range ids {
			d := days[id]
			if d == nil {
				first := byDay[id][0]
				d = &model.PointsDay{Base: model.Base{ID: id, OrgID: first.OrgID, Orgs: first.Orgs}}
			}
			known := len(d.Grants)
			for _, l := range byDay[id] {
				granted[l] = d.Grant(l.ID, l.Score, l.dailyMax)
			}
			if len(d.Grants) > known {
				changed = append(changed, d)
			}
		}
		failed, err := s.days.SaveMany(ctx, changed)
		if err != nil {
			return fmt.Errorf("grant: %w", err)
		}
		again := map[string][]*line{} // another worker was first: its grants count too
		for i, err := range failed {
			if !errors.Is(err, model.ErrStale) {
				return fmt.Errorf("grant: %w", err)
			}
			again[changed[i].ID] = byDay[changed[i].ID]
		}
		byDay = again
	}
	for l, score := range granted {
		l.Score = score
	}
	return nil
}
